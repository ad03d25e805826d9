//! The numeric tower: long, bigint, ratio, decimal, double, and the arithmetic between them.
//!
//! Follows Clojure: the wider type wins (long < bigint < ratio < decimal < double, float counts as
//! double), longs overflow with an error, decimals are exact as Java's `BigDecimal` is. Comparison
//! is exact across types, hence total; only the meaning of NaN is ours (equal to itself, first).

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datomite_model::{BigDec, BigInt, Edn, Value};
use num_integer::Integer;
use num_traits::{FromPrimitive, Signed, ToPrimitive, Zero};

use super::error::Arithmetic;

type Outcome = Result<Number, Arithmetic>;

/// Decimals are not scaled up by more digits than this.
const DIGITS_MAX: i64 = 100_000;
/// Products have no more bits, about 300,000 digits.
const BITS_MAX: u64 = 1 << 20;

/// A number of any type, floats widened.
#[derive(Clone, Debug)]
pub(crate) enum Number {
    Long(i64),
    Big(Arc<BigInt>),
    /// In lowest terms, the denominator positive and not one.
    Ratio(Box<(BigInt, BigInt)>),
    Dec(Arc<BigDec>),
    Double(f64),
}

/// Numbers of different families are never `=`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    Integer,
    Ratio,
    Decimal,
    Floating,
}

impl Number {
    pub(crate) fn of(form: &Edn) -> Option<Number> {
        match form {
            Edn::Value(value) => Number::of_value(value),
            Edn::Ratio(parts) => Some(Number::Ratio(parts.clone())),
            _ => None,
        }
    }

    pub(crate) fn of_value(value: &Value) -> Option<Number> {
        Some(match value {
            Value::Long(n) => Number::Long(*n),
            Value::Ref(id) => Number::Long(id.raw() as i64),
            Value::BigInt(n) => Number::Big(Arc::clone(n)),
            Value::BigDec(n) => Number::Dec(Arc::clone(n)),
            Value::Double(n) => Number::Double(*n),
            Value::Float(n) => Number::Double(f64::from(*n)),
            _ => return None,
        })
    }

    pub(crate) fn into_edn(self) -> Edn {
        match self {
            Number::Long(n) => Edn::long(n),
            Number::Big(n) => Edn::Value(Value::BigInt(n)),
            Number::Ratio(parts) => Edn::Ratio(parts),
            Number::Dec(n) => Edn::Value(Value::BigDec(n)),
            Number::Double(n) => Edn::Value(Value::Double(n)),
        }
    }

    pub(crate) fn family(&self) -> Family {
        match self {
            Number::Long(_) | Number::Big(_) => Family::Integer,
            Number::Ratio(_) => Family::Ratio,
            Number::Dec(_) => Family::Decimal,
            Number::Double(_) => Family::Floating,
        }
    }

    pub(crate) fn big(n: BigInt) -> Number {
        Number::Big(Arc::new(n))
    }

    pub(crate) fn dec(n: BigDec) -> Number {
        Number::Dec(Arc::new(n))
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.sign() == Ordering::Equal
    }

    /// Less, equal or greater than zero; NaN counts as zero (no caller asks it of NaN).
    pub(crate) fn sign(&self) -> Ordering {
        match self {
            Number::Long(n) => n.cmp(&0),
            Number::Big(n) => n.as_ref().cmp(&BigInt::ZERO),
            Number::Ratio(parts) => parts.0.cmp(&BigInt::ZERO),
            Number::Dec(n) => n.unscaled().cmp(&BigInt::ZERO),
            Number::Double(n) => n.partial_cmp(&0.0).unwrap_or(Ordering::Equal),
        }
    }

    pub(crate) fn to_f64(&self) -> f64 {
        match self {
            Number::Long(n) => *n as f64,
            Number::Big(n) => n.to_f64().unwrap_or(f64::NAN),
            Number::Ratio(parts) => ratio_to_f64(&parts.0, &parts.1),
            Number::Dec(n) => n.to_string().parse().unwrap_or(f64::NAN),
            Number::Double(n) => *n,
        }
    }

    fn to_big(&self) -> BigInt {
        match self {
            Number::Long(n) => BigInt::from(*n),
            Number::Big(n) => n.as_ref().clone(),
            Number::Ratio(parts) => &parts.0 / &parts.1,
            Number::Dec(n) => dec_to_big(n),
            Number::Double(n) => BigInt::from_f64(n.trunc()).unwrap_or_default(),
        }
    }

    /// The whole part, where the number has one.
    pub(crate) fn truncated(&self) -> Result<BigInt, Arithmetic> {
        match self {
            Number::Double(n) if !n.is_finite() => Err(Arithmetic::OutOfRange),
            Number::Dec(n) if n.scale() < -DIGITS_MAX => Err(Arithmetic::TooManyDigits),
            number => Ok(number.to_big()),
        }
    }

    fn to_ratio(&self) -> (BigInt, BigInt) {
        match self {
            Number::Ratio(parts) => parts.as_ref().clone(),
            number => (number.to_big(), BigInt::from(1)),
        }
    }

    fn to_dec(&self) -> Result<BigDec, Arithmetic> {
        match self {
            Number::Dec(n) => Ok(n.as_ref().clone()),
            Number::Ratio(parts) => divide_exactly(
                &BigDec::new(parts.0.clone(), 0),
                &BigDec::new(parts.1.clone(), 0),
            ),
            number => Ok(BigDec::new(number.to_big(), 0)),
        }
    }

    /// Exact, whatever the types; NaN is equal to itself and before everything.
    pub(crate) fn compare(&self, other: &Number) -> Ordering {
        use Number::{Big, Dec, Double, Long};
        match (self, other) {
            (Long(a), Long(b)) => a.cmp(b),
            (Double(a), Double(b)) => compare_doubles(*a, *b),
            (Double(a), b) => compare_with_double(b, *a).reverse(),
            (a, Double(b)) => compare_with_double(a, *b),
            (Big(a), Big(b)) => a.cmp(b),
            (Long(a), Big(b)) => BigInt::from(*a).cmp(b),
            (Big(a), Long(b)) => a.as_ref().cmp(&BigInt::from(*b)),
            (Dec(a), Dec(b)) => a.cmp_number(b),
            (Dec(a), Long(_) | Big(_)) => a.cmp_number(&BigDec::new(other.to_big(), 0)),
            (Long(_) | Big(_), Dec(b)) => BigDec::new(self.to_big(), 0).cmp_number(b),
            (a, b) => compare_ratios(a, b),
        }
    }

    /// The order as Clojure's `<` has it: with a double as doubles, none with NaN; a ratio that is
    /// no decimal has none with decimals.
    pub(crate) fn order(&self, other: &Number) -> Result<Option<Ordering>, Arithmetic> {
        Ok(match (self, other) {
            (Number::Double(_), _) | (_, Number::Double(_)) => {
                self.to_f64().partial_cmp(&other.to_f64())
            }
            (Number::Ratio(_), Number::Dec(_)) | (Number::Dec(_), Number::Ratio(_)) => {
                Some(self.to_dec()?.cmp_number(&other.to_dec()?))
            }
            _ => Some(self.compare(other)),
        })
    }

    pub(crate) fn hash_into<H: Hasher>(&self, state: &mut H) {
        match self {
            Number::Long(n) => n.hash(state),
            Number::Big(n) => match n.to_i64() {
                Some(small) => small.hash(state),
                None => n.hash(state),
            },
            Number::Ratio(parts) => parts.hash(state),
            Number::Dec(n) => {
                let (unscaled, scale) = strip_zeros(n.unscaled().clone(), n.scale(), i64::MIN);
                (2u8, unscaled, scale).hash(state);
            }
            Number::Double(n) if n.is_nan() => 1u8.hash(state),
            Number::Double(n) => (n + 0.0).to_bits().hash(state),
        }
    }

    pub(crate) fn add(&self, other: &Number) -> Outcome {
        match (self, other) {
            (Number::Long(a), Number::Long(b)) => long(a.checked_add(*b)),
            _ => self.combine(
                other,
                |a, b| a + b,
                |a, b| Ok(a + b),
                RatioOp::Add,
                add_decs,
            ),
        }
    }

    pub(crate) fn subtract(&self, other: &Number) -> Outcome {
        match (self, other) {
            (Number::Long(a), Number::Long(b)) if *b != i64::MIN => long(a.checked_sub(*b)),
            (_, Number::Double(b)) => self.add(&Number::Double(-b)),
            _ => self.add(&other.negate()?),
        }
    }

    /// The bits of a number of any size; of others few.
    fn bits(&self) -> u64 {
        match self {
            Number::Big(n) => n.bits(),
            Number::Dec(n) => n.unscaled().bits(),
            _ => u64::from(u64::BITS),
        }
    }

    pub(crate) fn multiply(&self, other: &Number) -> Outcome {
        match (self, other) {
            (Number::Long(a), Number::Long(b)) => long(a.checked_mul(*b)),
            _ if self.bits().saturating_add(other.bits()) > BITS_MAX => {
                Err(Arithmetic::TooManyDigits)
            }
            _ => self.combine(
                other,
                |a, b| a * b,
                |a, b| Ok(a * b),
                RatioOp::Multiply,
                |a, b| {
                    let scale = a.scale().checked_add(b.scale());
                    let scale = scale.ok_or(Arithmetic::TooManyDigits)?;
                    Ok(BigDec::new(a.unscaled() * b.unscaled(), scale))
                },
            ),
        }
    }

    /// Datomic's `/`: whole numbers cut towards zero, a zero divisor is always an error.
    pub(crate) fn divide(&self, other: &Number) -> Outcome {
        match (self, other) {
            (Number::Long(_) | Number::Big(_), Number::Long(_) | Number::Big(_)) => {
                self.quotient(other)
            }
            _ => self.divide_fully(other),
        }
    }

    /// Clojure's `/`: whole numbers give ratios.
    pub(crate) fn divide_fully(&self, other: &Number) -> Outcome {
        if is_nan(self) || is_nan(other) {
            return Ok(Number::Double(f64::NAN));
        }
        if other.is_zero() {
            return Err(Arithmetic::DivideByZero);
        }
        if let (Number::Long(a), Number::Long(b)) = (self, other)
            && *a != i64::MIN
            && *b != i64::MIN
            && let Some(0) = a.checked_rem(*b)
        {
            return long(a.checked_div(*b));
        }
        let integers = |a: &BigInt, b: &BigInt| Ok(ratio(a.clone(), b.clone()));
        self.combine_to(
            other,
            |a, b| a / b,
            integers,
            RatioOp::Divide,
            divide_exactly,
        )
    }

    /// Division cut towards zero.
    pub(crate) fn quotient(&self, other: &Number) -> Outcome {
        if other.is_zero() && !is_nan(other) {
            return Err(Arithmetic::DivideByZero);
        }
        if let (Number::Long(a), Number::Long(b)) = (self, other) {
            return Ok(Number::Long(a.wrapping_div(*b)));
        }
        if let (Number::Double(_), _) | (_, Number::Double(_)) = (self, other) {
            let quotient = self.to_f64() / other.to_f64();
            return if quotient.is_finite() {
                Ok(Number::Double(quotient.trunc()))
            } else {
                Err(Arithmetic::OutOfRange)
            };
        }
        let whole = |a: &BigDec, b: &BigDec| {
            let (x, y) = aligned(a, b)?;
            let preferred = a.scale().saturating_sub(b.scale());
            if !(-DIGITS_MAX..=DIGITS_MAX).contains(&preferred) {
                return Err(Arithmetic::TooManyDigits);
            }
            let quotient = x / y;
            let (unscaled, scale) = if quotient.is_zero() {
                (quotient, preferred)
            } else if preferred >= 0 {
                (quotient * power_of_ten(preferred as u32), preferred)
            } else {
                strip_zeros(quotient, 0, preferred)
            };
            Ok(BigDec::new(unscaled, scale))
        };
        let integers = |a: &BigInt, b: &BigInt| Ok(Number::big(a / b));
        let doubles = |a: f64, b: f64| (a / b).trunc();
        self.combine_to(other, doubles, integers, RatioOp::Quotient, whole)
    }

    /// What remains of [`Number::quotient`]; the sign is the dividend's.
    pub(crate) fn remainder(&self, other: &Number) -> Outcome {
        if let (Number::Long(a), Number::Long(b)) = (self, other)
            && *b != 0
        {
            return Ok(Number::Long(a.checked_rem(*b).unwrap_or(0)));
        }
        let quotient = self.quotient(other)?;
        self.subtract(&quotient.multiply(other)?)
    }

    /// The remainder with the sign of the divisor.
    pub(crate) fn modulo(&self, other: &Number) -> Outcome {
        let remainder = self.remainder(other)?;
        if remainder.is_zero() || remainder.sign() == other.sign() {
            Ok(remainder)
        } else {
            remainder.add(other)
        }
    }

    pub(crate) fn negate(&self) -> Outcome {
        Ok(match self {
            Number::Long(n) => return long(n.checked_neg()),
            Number::Big(n) => Number::big(-n.as_ref()),
            Number::Ratio(parts) => Number::Ratio(Box::new((-&parts.0, parts.1.clone()))),
            Number::Dec(n) => Number::dec(BigDec::new(-n.unscaled(), n.scale())),
            Number::Double(n) => Number::Double(-n),
        })
    }

    /// The distance from zero; the least long stays, as in Java.
    pub(crate) fn abs(&self) -> Number {
        match self {
            Number::Long(n) => Number::Long(n.wrapping_abs()),
            Number::Double(n) => Number::Double(n.abs()),
            number if number.sign() == Ordering::Less => {
                number.negate().unwrap_or_else(|_| number.clone())
            }
            number => number.clone(),
        }
    }

    /// Longs that overflow become bigints, for `+'` and its kin.
    pub(crate) fn promoted(&self) -> Number {
        match self {
            Number::Long(n) => Number::big(BigInt::from(*n)),
            number => number.clone(),
        }
    }

    fn combine(
        &self,
        other: &Number,
        doubles: impl Fn(f64, f64) -> f64,
        integers: impl Fn(&BigInt, &BigInt) -> Result<BigInt, Arithmetic>,
        ratios: RatioOp,
        decimals: impl Fn(&BigDec, &BigDec) -> Result<BigDec, Arithmetic>,
    ) -> Outcome {
        let integers = |a: &BigInt, b: &BigInt| integers(a, b).map(Number::big);
        self.combine_to(other, doubles, integers, ratios, decimals)
    }

    /// Applies the operation of the wider of the two types.
    fn combine_to(
        &self,
        other: &Number,
        doubles: impl Fn(f64, f64) -> f64,
        integers: impl Fn(&BigInt, &BigInt) -> Outcome,
        ratios: RatioOp,
        decimals: impl Fn(&BigDec, &BigDec) -> Result<BigDec, Arithmetic>,
    ) -> Outcome {
        match (self, other) {
            (Number::Double(_), _) | (_, Number::Double(_)) => {
                Ok(Number::Double(doubles(self.to_f64(), other.to_f64())))
            }
            (Number::Dec(_), _) | (_, Number::Dec(_)) => {
                decimals(&self.to_dec()?, &other.to_dec()?).map(Number::dec)
            }
            (Number::Ratio(_), _) | (_, Number::Ratio(_)) => {
                Ok(ratios.apply(&self.to_ratio(), &other.to_ratio()))
            }
            _ => integers(&self.to_big(), &other.to_big()),
        }
    }
}

#[derive(Clone, Copy)]
enum RatioOp {
    Add,
    Multiply,
    Divide,
    Quotient,
}

impl RatioOp {
    fn apply(self, a: &(BigInt, BigInt), b: &(BigInt, BigInt)) -> Number {
        match self {
            RatioOp::Add => ratio(&a.0 * &b.1 + &b.0 * &a.1, &a.1 * &b.1),
            RatioOp::Multiply => ratio(&a.0 * &b.0, &a.1 * &b.1),
            RatioOp::Divide => ratio(&a.0 * &b.1, &a.1 * &b.0),
            RatioOp::Quotient => Number::big((&a.0 * &b.1) / (&a.1 * &b.0)),
        }
    }
}

fn is_nan(number: &Number) -> bool {
    matches!(number, Number::Double(n) if n.is_nan())
}

fn long(result: Option<i64>) -> Outcome {
    result.map(Number::Long).ok_or(Arithmetic::Overflow)
}

/// In lowest terms; a bigint where the denominator is one. `b` is not zero.
pub(crate) fn ratio(a: BigInt, b: BigInt) -> Number {
    let divisor = a.gcd(&b);
    let (mut a, mut b) = (a / &divisor, b / &divisor);
    if b.is_negative() {
        (a, b) = (-a, -b);
    }
    if b == BigInt::from(1) {
        Number::big(a)
    } else {
        Number::Ratio(Box::new((a, b)))
    }
}

fn power_of_ten(exponent: u32) -> BigInt {
    BigInt::from(10).pow(exponent)
}

fn ratio_to_f64(a: &BigInt, b: &BigInt) -> f64 {
    // As Clojure: sixteen decimal digits, halves to even, then the nearest double.
    let digits = |n: &BigInt| n.bits() as i64 * 30_103 / 100_000;
    let mut scale = 16 - (digits(a) - digits(b));
    let ten = BigInt::from(10);
    loop {
        let Ok(power) = u32::try_from(scale.abs()) else {
            return f64::NAN;
        };
        let (over, under) = if scale >= 0 {
            (a * ten.pow(power), b.clone())
        } else {
            (a.clone(), b * ten.pow(power))
        };
        let (quotient, rest) = over.div_rem(&under);
        let length = quotient.magnitude().to_string().len() as i64;
        if length != 16 {
            scale += 16 - length;
            continue;
        }
        let half = (rest.magnitude() * 2u32).cmp(under.magnitude());
        let odd = quotient.is_odd();
        let away = i32::from(half.is_gt() || (half.is_eq() && odd));
        let rounded = quotient + if a.is_negative() { -away } else { away };
        return format!("{rounded}e{}", -scale).parse().unwrap_or(f64::NAN);
    }
}

fn dec_to_big(n: &BigDec) -> BigInt {
    if n.scale() > 0 {
        let digits = n.scale().min(i64::from(u32::MAX));
        if digits > n.unscaled().bits() as i64 {
            return BigInt::ZERO;
        }
        n.unscaled() / power_of_ten(digits as u32)
    } else {
        let digits = (-n.scale()).min(DIGITS_MAX);
        n.unscaled() * power_of_ten(digits as u32)
    }
}

/// A decimal without zeros at its end.
pub(crate) fn stripped(n: &BigDec) -> BigDec {
    let (unscaled, scale) = strip_zeros(n.unscaled().clone(), n.scale(), i64::MIN);
    BigDec::new(unscaled, scale)
}

/// The decimal that a double is, digit by digit.
pub(crate) fn exact_decimal(n: f64) -> Option<BigDec> {
    let (over, under) = fraction(&Number::Double(n)).filter(|_| n.is_finite())?;
    divide_exactly(&BigDec::new(over, 0), &BigDec::new(under, 0)).ok()
}

/// Takes trailing zeros off while the scale is above `least`.
fn strip_zeros(mut unscaled: BigInt, mut scale: i64, least: i64) -> (BigInt, i64) {
    if unscaled.is_zero() {
        return (unscaled, 0);
    }
    let ten = BigInt::from(10);
    while scale > least {
        let (quotient, rest) = unscaled.div_rem(&ten);
        if !rest.is_zero() {
            break;
        }
        unscaled = quotient;
        scale -= 1;
    }
    (unscaled, scale)
}

/// The two as integers of the larger scale.
fn aligned(a: &BigDec, b: &BigDec) -> Result<(BigInt, BigInt), Arithmetic> {
    let scale = a.scale().max(b.scale());
    let up = |n: &BigDec| {
        let digits = scale.saturating_sub(n.scale());
        if digits > DIGITS_MAX && !n.unscaled().is_zero() {
            return Err(Arithmetic::TooManyDigits);
        }
        Ok(n.unscaled() * power_of_ten(digits.min(DIGITS_MAX) as u32))
    };
    Ok((up(a)?, up(b)?))
}

fn add_decs(a: &BigDec, b: &BigDec) -> Result<BigDec, Arithmetic> {
    let (x, y) = aligned(a, b)?;
    Ok(BigDec::new(x + y, a.scale().max(b.scale())))
}

/// Java's exact division: the least scale from the difference of the two scales on.
fn divide_exactly(a: &BigDec, b: &BigDec) -> Result<BigDec, Arithmetic> {
    let preferred = a.scale().checked_sub(b.scale());
    let preferred = preferred.ok_or(Arithmetic::TooManyDigits)?;
    let divisor = a.unscaled().gcd(b.unscaled());
    let (mut over, mut under) = (a.unscaled() / &divisor, b.unscaled() / &divisor);
    if under.is_negative() {
        (over, under) = (-over, -under);
    }
    let (rest, twos) = factor_out(under.clone(), 2);
    let (rest, fives) = factor_out(rest, 5);
    if rest != BigInt::from(1) {
        return Err(Arithmetic::NonTerminating);
    }
    let digits = twos.max(fives);
    Ok(BigDec::new(
        over * power_of_ten(digits) / under,
        preferred.saturating_add(i64::from(digits)),
    ))
}

fn factor_out(mut n: BigInt, prime: u8) -> (BigInt, u32) {
    let prime = BigInt::from(prime);
    let mut times = 0;
    loop {
        let (quotient, rest) = n.div_rem(&prime);
        if !rest.is_zero() || n.is_zero() {
            return (n, times);
        }
        n = quotient;
        times += 1;
    }
}

fn compare_doubles(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b)
        .unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

/// An exact number against a double.
fn compare_with_double(exact: &Number, double: f64) -> Ordering {
    if double.is_nan() || double == f64::NEG_INFINITY {
        return Ordering::Greater;
    }
    if double == f64::INFINITY {
        return Ordering::Less;
    }
    if let Number::Long(n) = exact
        && n.unsigned_abs() < 1 << 53
    {
        return compare_doubles(*n as f64, double);
    }
    compare_ratios(exact, &Number::Double(double))
}

/// Compares as fractions; decimals of absurd scale by their number of digits.
fn compare_ratios(a: &Number, b: &Number) -> Ordering {
    let sign = a.sign();
    match sign.cmp(&b.sign()) {
        Ordering::Equal if sign.is_eq() => return Ordering::Equal,
        Ordering::Equal => {}
        order => return order,
    }
    match (fraction(a), fraction(b)) {
        (Some((over_a, under_a)), Some((over_b, under_b))) => {
            (over_a * under_b).cmp(&(over_b * under_a))
        }
        _ if sign.is_lt() => digits_before_point(b).cmp(&digits_before_point(a)),
        _ => digits_before_point(a).cmp(&digits_before_point(b)),
    }
}

/// Numerator and positive denominator; none where a decimal's scale is absurd.
fn fraction(number: &Number) -> Option<(BigInt, BigInt)> {
    match number {
        Number::Dec(n) if n.scale().abs() > DIGITS_MAX => None,
        Number::Dec(n) if n.scale() > 0 => {
            Some((n.unscaled().clone(), power_of_ten(n.scale() as u32)))
        }
        Number::Double(n) => {
            let (mantissa, exponent, sign) = num_traits::float::FloatCore::integer_decode(*n);
            let over = BigInt::from(mantissa) * i64::from(sign);
            let shift = exponent.unsigned_abs();
            Some(if exponent >= 0 {
                (over << shift, BigInt::from(1))
            } else {
                (over, BigInt::from(1) << shift)
            })
        }
        number => Some(number.to_ratio()),
    }
}

fn digits_before_point(number: &Number) -> i64 {
    let digits = |n: &BigInt| (n.bits() as i64).saturating_mul(301) / 1000;
    match number {
        Number::Dec(n) => digits(n.unscaled()).saturating_sub(n.scale()),
        Number::Double(n) => n.abs().log10() as i64,
        Number::Ratio(parts) => digits(&parts.0) - digits(&parts.1),
        number => digits(&number.to_big()),
    }
}
