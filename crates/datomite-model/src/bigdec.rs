//! Decimal numbers of any size that keep their scale: `1.0M` and `1.00M` are two payloads.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use bigdecimal::BigDecimal;
use num_bigint::BigInt;

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
    pub fn cmp_number(&self, other: &BigDec) -> Ordering {
        if self.scale == other.scale {
            return self.unscaled.cmp(&other.unscaled);
        }
        self.to_bigdecimal().cmp(&other.to_bigdecimal())
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

    /// Reads digits with an optional sign, point and exponent; the scale is as written.
    fn from_str(text: &str) -> Result<BigDec, ()> {
        let number = BigDecimal::from_str(text).map_err(|_| ())?;
        Ok(BigDec::from_bigdecimal(&number))
    }
}

impl fmt::Display for BigDec {
    /// As Java's `BigDecimal.toString` without the exponent form: every digit, scale kept.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.unscaled.magnitude().to_string();
        let sign = if self.unscaled.sign() == num_bigint::Sign::Minus {
            "-"
        } else {
            ""
        };
        if self.scale <= 0 {
            if self.scale < 0 {
                return write!(f, "{sign}{digits}E+{}", -self.scale);
            }
            return write!(f, "{sign}{digits}");
        }
        let scale = usize::try_from(self.scale).map_err(|_| fmt::Error)?;
        if digits.len() > scale {
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            write!(f, "{sign}{whole}.{fraction}")
        } else {
            write!(f, "{sign}0.{digits:0>scale$}")
        }
    }
}

impl fmt::Debug for BigDec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}M")
    }
}
