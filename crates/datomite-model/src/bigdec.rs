//! Decimal numbers of any size that keep their scale: `1.0M` and `1.00M` are two payloads.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use bigdecimal::BigDecimal;
use num_bigint::BigInt;
use num_traits::{Signed, Zero};

/// An unscaled integer and a scale: the number is `unscaled / 10^scale`.
///
/// `==` compares both parts; [`BigDec::cmp_number`] compares the numbers.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BigDec {
    unscaled: BigInt,
    scale: i64,
}

impl BigDec {
    /// Makes a decimal of its parts.
    pub fn new(unscaled: BigInt, scale: i64) -> BigDec {
        BigDec { unscaled, scale }
    }

    /// The digits without the point.
    pub fn unscaled(&self) -> &BigInt {
        &self.unscaled
    }

    /// How many digits stand after the point; negative for trailing zeros left out.
    pub fn scale(&self) -> i64 {
        self.scale
    }

    /// Compares the numbers, whatever their scales.
    ///
    /// Digits are only aligned where the magnitudes are near each other, so that `1E+999999999M`
    /// costs no gigabyte.
    pub fn cmp_number(&self, other: &BigDec) -> Ordering {
        let signs = self.unscaled.sign().cmp(&other.unscaled.sign());
        if self.scale == other.scale || signs.is_ne() || self.unscaled.is_zero() {
            return signs.then_with(|| self.unscaled.cmp(&other.unscaled));
        }
        let far = self.magnitude() - other.magnitude();
        if far.abs() > 1.0 + 1e-9 * self.magnitude().abs() {
            let larger = if far > 0.0 {
                Ordering::Greater
            } else {
                Ordering::Less
            };
            return if self.unscaled.is_negative() {
                larger.reverse()
            } else {
                larger
            };
        }
        self.aligned(other.scale).cmp(&other.aligned(self.scale))
    }

    /// About the decimal logarithm of the number, right to within one.
    fn magnitude(&self) -> f64 {
        self.unscaled.bits() as f64 * std::f64::consts::LOG10_2 - self.scale as f64
    }

    /// The unscaled number that the larger of its own and the other scale gives.
    fn aligned(&self, other_scale: i64) -> BigInt {
        match u32::try_from(other_scale.saturating_sub(self.scale)) {
            Ok(zeros) => &self.unscaled * BigInt::from(10).pow(zeros),
            Err(_) => self.unscaled.clone(),
        }
    }

    /// The number as the arithmetic library holds it.
    pub fn to_bigdecimal(&self) -> BigDecimal {
        BigDecimal::new(self.unscaled.clone(), self.scale)
    }

    /// Takes a number from the arithmetic library, scale and all.
    pub fn from_bigdecimal(number: &BigDecimal) -> BigDec {
        let (unscaled, scale) = number.as_bigint_and_exponent();
        BigDec { unscaled, scale }
    }
}

impl FromStr for BigDec {
    type Err = ();

    /// Reads digits with an optional sign, point and exponent; the scale is as written and, as in
    /// Java, must fit 32 bits.
    fn from_str(text: &str) -> Result<BigDec, ()> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| ())?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let unsigned = whole.strip_prefix(['+', '-']).unwrap_or(whole);
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if unsigned.len() + fraction.len() == 0 || !all_digits(unsigned) || !all_digits(fraction) {
            return Err(());
        }
        let unscaled = BigInt::from_str(&format!("{whole}{fraction}")).map_err(|_| ())?;
        let scale = i64::try_from(fraction.len()).map_err(|_| ())? - i64::from(exponent);
        i32::try_from(scale).map_err(|_| ())?;
        Ok(BigDec { unscaled, scale })
    }
}

impl fmt::Display for BigDec {
    /// As Java's `BigDecimal.toString`: plain where the scale is not negative and the first digit
    /// stands at most six places behind the point, else with an exponent. Reads back exactly.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.unscaled.magnitude().to_string();
        let sign = match self.unscaled.sign() {
            num_bigint::Sign::Minus => "-",
            _ => "",
        };
        let width = i128::try_from(digits.len()).map_err(|_| fmt::Error)?;
        let exponent = width - 1 - i128::from(self.scale);
        if self.scale < 0 || exponent < -6 {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            return write!(f, "{sign}{first}{point}{rest}E{exponent:+}");
        }
        let scale = usize::try_from(self.scale).map_err(|_| fmt::Error)?;
        if scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        match digits.len().checked_sub(scale) {
            Some(whole @ 1..) => {
                let (whole, fraction) = digits.split_at(whole);
                write!(f, "{sign}{whole}.{fraction}")
            }
            _ => write!(f, "{sign}0.{digits:0>scale$}"),
        }
    }
}

impl fmt::Debug for BigDec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}M")
    }
}
