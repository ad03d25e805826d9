//! Casts, arithmetic that wraps around, single bits.

use datomite_model::{Edn, Value};
use num_traits::ToPrimitive;

use super::error::Arithmetic;
use super::number::Number;
use super::numeric::bits_of;
use super::{Builtin, Invocation, Outcome};
use crate::QueryError;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("num", "(num n): n", (1, 1), |c| {
        if !c.edn(0)?.is_nil() {
            c.number(0)?;
        }
        c.edn(0).cloned()
    }),
    Builtin::new(
        "short",
        "(short n): a whole number of 16 bits",
        (1, 1),
        |c| within(c, i64::from(i16::MIN), i64::from(i16::MAX)),
    ),
    Builtin::new("byte", "(byte n): a whole number of 8 bits", (1, 1), |c| {
        within(c, i64::from(i8::MIN), i64::from(i8::MAX))
    }),
    Builtin::new(
        "dec'",
        "(dec' n): n minus one; a long becomes a bigint",
        (1, 1),
        |c| {
            let number = c.number(0)?;
            let one = Number::Long(1);
            match number.subtract(&one) {
                Err(Arithmetic::Overflow) => c.outcome(number.promoted().subtract(&one)),
                outcome => c.outcome(outcome),
            }
        },
    ),
    Builtin::new(
        "unchecked-add",
        "(unchecked-add n m): the sum, wrapped",
        (2, 2),
        |c| wrapping(c, i64::wrapping_add, Number::add),
    ),
    Builtin::new(
        "unchecked-subtract",
        "(unchecked-subtract n m): the difference, wrapped",
        (2, 2),
        |c| wrapping(c, i64::wrapping_sub, Number::subtract),
    ),
    Builtin::new(
        "unchecked-multiply",
        "(unchecked-multiply n m): the product, wrapped",
        (2, 2),
        |c| wrapping(c, i64::wrapping_mul, Number::multiply),
    ),
    Builtin::new(
        "unchecked-inc",
        "(unchecked-inc n): n plus one, wrapped",
        (1, 1),
        |c| wrapping_one(c, |n| n.wrapping_add(1), |n| n.add(&Number::Long(1))),
    ),
    Builtin::new(
        "unchecked-dec",
        "(unchecked-dec n): n minus one, wrapped",
        (1, 1),
        |c| wrapping_one(c, |n| n.wrapping_sub(1), |n| n.subtract(&Number::Long(1))),
    ),
    Builtin::new(
        "unchecked-negate",
        "(unchecked-negate n): the negative, wrapped",
        (1, 1),
        |c| wrapping_one(c, i64::wrapping_neg, Number::negate),
    ),
    Builtin::new(
        "unchecked-add-int",
        "(unchecked-add-int n m): the sum in 32 bits, wrapped",
        (2, 2),
        |c| ints(c, |a, b| Some(a.wrapping_add(b))),
    ),
    Builtin::new(
        "unchecked-subtract-int",
        "(unchecked-subtract-int n m): the difference in 32 bits, wrapped",
        (2, 2),
        |c| ints(c, |a, b| Some(a.wrapping_sub(b))),
    ),
    Builtin::new(
        "unchecked-multiply-int",
        "(unchecked-multiply-int n m): the product in 32 bits, wrapped",
        (2, 2),
        |c| ints(c, |a, b| Some(a.wrapping_mul(b))),
    ),
    Builtin::new(
        "unchecked-divide-int",
        "(unchecked-divide-int n m): the quotient in 32 bits",
        (2, 2),
        |c| ints(c, |a, b| (b != 0).then(|| a.wrapping_div(b))),
    ),
    Builtin::new(
        "unchecked-remainder-int",
        "(unchecked-remainder-int n m): the remainder in 32 bits",
        (2, 2),
        |c| ints(c, |a, b| (b != 0).then(|| a.wrapping_rem(b))),
    ),
    Builtin::new(
        "unchecked-inc-int",
        "(unchecked-inc-int n): n plus one in 32 bits, wrapped",
        (1, 1),
        |c| Ok(Edn::long(i64::from(int(c, 0)?.wrapping_add(1)))),
    ),
    Builtin::new(
        "unchecked-dec-int",
        "(unchecked-dec-int n): n minus one in 32 bits, wrapped",
        (1, 1),
        |c| Ok(Edn::long(i64::from(int(c, 0)?.wrapping_sub(1)))),
    ),
    Builtin::new(
        "unchecked-negate-int",
        "(unchecked-negate-int n): the negative in 32 bits, wrapped",
        (1, 1),
        |c| Ok(Edn::long(i64::from(int(c, 0)?.wrapping_neg()))),
    ),
    Builtin::new(
        "unchecked-long",
        "(unchecked-long n): the low 64 bits",
        (1, 1),
        |c| Ok(Edn::long(low_bits(c)?)),
    ),
    Builtin::new(
        "unchecked-int",
        "(unchecked-int n): the low 32 bits",
        (1, 1),
        |c| {
            Ok(Edn::long(i64::from(match c.edn(0)? {
                Edn::Value(Value::Double(n)) => *n as i32,
                Edn::Value(Value::Float(n)) => *n as i32,
                Edn::Char(character) => u32::from(*character) as i32,
                _ => low_bits(c)? as i32,
            })))
        },
    ),
    Builtin::new(
        "unchecked-short",
        "(unchecked-short n): the low 16 bits",
        (1, 1),
        |c| Ok(Edn::long(i64::from(low_bits(c)? as i16))),
    ),
    Builtin::new(
        "unchecked-byte",
        "(unchecked-byte n): the low 8 bits",
        (1, 1),
        |c| Ok(Edn::long(i64::from(low_bits(c)? as i8))),
    ),
    Builtin::new(
        "unchecked-char",
        "(unchecked-char n): the character of the low 16 bits",
        (1, 1),
        |c| {
            let units = u32::from(low_bits(c)? as u16);
            Ok(Edn::Char(char::from_u32(units).unwrap_or('\u{fffd}')))
        },
    ),
    Builtin::new(
        "unchecked-double",
        "(unchecked-double n): a double",
        (1, 1),
        |c| Ok(Number::Double(c.number(0)?.to_f64()).into_edn()),
    ),
    Builtin::new(
        "unchecked-float",
        "(unchecked-float n): a float",
        (1, 1),
        |c| Ok(Edn::Value(Value::Float(c.number(0)?.to_f64() as f32))),
    ),
    Builtin::new("bit-set", "(bit-set n k): n with bit k", (2, 2), |c| {
        Ok(Edn::long(
            bits_of(c, 0)? | 1i64.wrapping_shl(bits_of(c, 1)? as u32),
        ))
    }),
    Builtin::new(
        "bit-clear",
        "(bit-clear n k): n without bit k",
        (2, 2),
        |c| {
            Ok(Edn::long(
                bits_of(c, 0)? & !1i64.wrapping_shl(bits_of(c, 1)? as u32),
            ))
        },
    ),
    Builtin::new(
        "bit-flip",
        "(bit-flip n k): n with the other bit k",
        (2, 2),
        |c| {
            Ok(Edn::long(
                bits_of(c, 0)? ^ 1i64.wrapping_shl(bits_of(c, 1)? as u32),
            ))
        },
    ),
];

fn within(c: &Invocation<'_>, least: i64, most: i64) -> Outcome {
    let whole = super::java_numbers::whole(c, 0)?;
    if !(least..=most).contains(&whole) {
        return Err(c.problem(Arithmetic::OutOfRange));
    }
    Ok(Edn::long(whole))
}

type Exact = fn(&Number, &Number) -> Result<Number, Arithmetic>;

fn wrapping(c: &Invocation<'_>, longs: fn(i64, i64) -> i64, others: Exact) -> Outcome {
    match (c.number(0)?, c.number(1)?) {
        (Number::Long(a), Number::Long(b)) => Ok(Edn::long(longs(a, b))),
        (a, b) => c.outcome(others(&a, &b)),
    }
}

fn wrapping_one(
    c: &Invocation<'_>,
    long: fn(i64) -> i64,
    other: fn(&Number) -> Result<Number, Arithmetic>,
) -> Outcome {
    match c.number(0)? {
        Number::Long(n) => Ok(Edn::long(long(n))),
        n => c.outcome(other(&n)),
    }
}

/// A number of 32 bits, or an error.
pub(super) fn int(c: &Invocation<'_>, at: usize) -> Result<i32, QueryError> {
    let whole = match c.edn(at)? {
        Edn::Value(Value::Double(n)) if n.is_nan() => 0,
        _ => {
            let whole = c.number(at)?.truncated().map_err(|p| c.problem(p))?;
            whole
                .to_i64()
                .ok_or_else(|| c.problem(Arithmetic::OutOfRange))?
        }
    };
    i32::try_from(whole).map_err(|_| c.problem(Arithmetic::OutOfRange))
}

fn ints(c: &Invocation<'_>, step: fn(i32, i32) -> Option<i32>) -> Outcome {
    let answer = step(int(c, 0)?, int(c, 1)?);
    answer
        .map(|n| Edn::long(i64::from(n)))
        .ok_or_else(|| c.problem(Arithmetic::DivideByZero))
}

/// The low 64 bits of the whole part; doubles stop at the ends, as in Java.
fn low_bits(c: &Invocation<'_>) -> Result<i64, QueryError> {
    Ok(match c.edn(0)? {
        Edn::Value(Value::Double(n)) => *n as i64,
        Edn::Value(Value::Float(n)) => *n as i64,
        _ => {
            let whole = c.number(0)?.truncated().map_err(|p| c.problem(p))?;
            let low = &whole & datomite_model::BigInt::from(u64::MAX);
            low.to_u64().unwrap_or(0) as i64
        }
    })
}
