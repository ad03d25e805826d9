//! `Math` and `clojure.math`.
//!
//! Arguments follow Java's parameters: any number is widened to a double or cut to a long where a
//! method takes one; methods that Java overloads take their own types only.

use datomite_model::{Edn, Value};
use num_integer::Integer;

use super::casts::int;
use super::error::Arithmetic;
use super::java_numbers::{java_order, of_double, two, whole};
use super::number::Number;
use super::{Builtin, Invocation, Outcome};

/// One double to one double.
pub(super) const DOUBLES: &[Builtin] = &[
    Builtin::new(
        "Math/floor",
        "(Math/floor n): the whole number below",
        (1, 1),
        |c| double(c, f64::floor),
    ),
    Builtin::new(
        "Math/ceil",
        "(Math/ceil n): the whole number above",
        (1, 1),
        |c| double(c, f64::ceil),
    ),
    Builtin::new(
        "Math/rint",
        "(Math/rint n): the nearest whole number, halves to even",
        (1, 1),
        |c| double(c, f64::round_ties_even),
    ),
    Builtin::new("Math/sqrt", "(Math/sqrt n): the square root", (1, 1), |c| {
        double(c, f64::sqrt)
    }),
    Builtin::new("Math/cbrt", "(Math/cbrt n): the cube root", (1, 1), |c| {
        double(c, f64::cbrt)
    }),
    Builtin::new(
        "Math/exp",
        "(Math/exp n): e to the power of n",
        (1, 1),
        |c| double(c, f64::exp),
    ),
    Builtin::new(
        "Math/expm1",
        "(Math/expm1 n): e to the power of n, less one",
        (1, 1),
        |c| double(c, f64::exp_m1),
    ),
    Builtin::new(
        "Math/log",
        "(Math/log n): the natural logarithm",
        (1, 1),
        |c| double(c, f64::ln),
    ),
    Builtin::new(
        "Math/log10",
        "(Math/log10 n): the decimal logarithm",
        (1, 1),
        |c| double(c, f64::log10),
    ),
    Builtin::new(
        "Math/log1p",
        "(Math/log1p n): the logarithm of n plus one",
        (1, 1),
        |c| double(c, f64::ln_1p),
    ),
    Builtin::new("Math/sin", "(Math/sin n): the sine", (1, 1), |c| {
        double(c, f64::sin)
    }),
    Builtin::new("Math/cos", "(Math/cos n): the cosine", (1, 1), |c| {
        double(c, f64::cos)
    }),
    Builtin::new("Math/tan", "(Math/tan n): the tangent", (1, 1), |c| {
        double(c, f64::tan)
    }),
    Builtin::new("Math/asin", "(Math/asin n): the arc sine", (1, 1), |c| {
        double(c, f64::asin)
    }),
    Builtin::new("Math/acos", "(Math/acos n): the arc cosine", (1, 1), |c| {
        double(c, f64::acos)
    }),
    Builtin::new("Math/atan", "(Math/atan n): the arc tangent", (1, 1), |c| {
        double(c, f64::atan)
    }),
    Builtin::new(
        "Math/sinh",
        "(Math/sinh n): the hyperbolic sine",
        (1, 1),
        |c| double(c, f64::sinh),
    ),
    Builtin::new(
        "Math/cosh",
        "(Math/cosh n): the hyperbolic cosine",
        (1, 1),
        |c| double(c, f64::cosh),
    ),
    Builtin::new(
        "Math/tanh",
        "(Math/tanh n): the hyperbolic tangent",
        (1, 1),
        |c| double(c, f64::tanh),
    ),
    Builtin::new(
        "Math/toDegrees",
        "(Math/toDegrees n): degrees of radians",
        (1, 1),
        |c| double(c, |n| n * (180.0 / std::f64::consts::PI)),
    ),
    Builtin::new(
        "Math/toRadians",
        "(Math/toRadians n): radians of degrees",
        (1, 1),
        |c| double(c, |n| n * (std::f64::consts::PI / 180.0)),
    ),
    Builtin::new(
        "clojure.math/floor",
        "(floor n): the whole number below",
        (1, 1),
        |c| double(c, f64::floor),
    ),
    Builtin::new(
        "clojure.math/ceil",
        "(ceil n): the whole number above",
        (1, 1),
        |c| double(c, f64::ceil),
    ),
    Builtin::new(
        "clojure.math/rint",
        "(rint n): the nearest whole number, halves to even",
        (1, 1),
        |c| double(c, f64::round_ties_even),
    ),
    Builtin::new(
        "clojure.math/sqrt",
        "(sqrt n): the square root",
        (1, 1),
        |c| double(c, f64::sqrt),
    ),
    Builtin::new(
        "clojure.math/cbrt",
        "(cbrt n): the cube root",
        (1, 1),
        |c| double(c, f64::cbrt),
    ),
    Builtin::new(
        "clojure.math/exp",
        "(exp n): e to the power of n",
        (1, 1),
        |c| double(c, f64::exp),
    ),
    Builtin::new(
        "clojure.math/expm1",
        "(expm1 n): e to the power of n, less one",
        (1, 1),
        |c| double(c, f64::exp_m1),
    ),
    Builtin::new(
        "clojure.math/log",
        "(log n): the natural logarithm",
        (1, 1),
        |c| double(c, f64::ln),
    ),
    Builtin::new(
        "clojure.math/log10",
        "(log10 n): the decimal logarithm",
        (1, 1),
        |c| double(c, f64::log10),
    ),
    Builtin::new(
        "clojure.math/log1p",
        "(log1p n): the logarithm of n plus one",
        (1, 1),
        |c| double(c, f64::ln_1p),
    ),
    Builtin::new("clojure.math/sin", "(sin n): the sine", (1, 1), |c| {
        double(c, f64::sin)
    }),
    Builtin::new("clojure.math/cos", "(cos n): the cosine", (1, 1), |c| {
        double(c, f64::cos)
    }),
    Builtin::new("clojure.math/tan", "(tan n): the tangent", (1, 1), |c| {
        double(c, f64::tan)
    }),
    Builtin::new("clojure.math/asin", "(asin n): the arc sine", (1, 1), |c| {
        double(c, f64::asin)
    }),
    Builtin::new(
        "clojure.math/acos",
        "(acos n): the arc cosine",
        (1, 1),
        |c| double(c, f64::acos),
    ),
    Builtin::new(
        "clojure.math/atan",
        "(atan n): the arc tangent",
        (1, 1),
        |c| double(c, f64::atan),
    ),
    Builtin::new(
        "clojure.math/sinh",
        "(sinh n): the hyperbolic sine",
        (1, 1),
        |c| double(c, f64::sinh),
    ),
    Builtin::new(
        "clojure.math/cosh",
        "(cosh n): the hyperbolic cosine",
        (1, 1),
        |c| double(c, f64::cosh),
    ),
    Builtin::new(
        "clojure.math/tanh",
        "(tanh n): the hyperbolic tangent",
        (1, 1),
        |c| double(c, f64::tanh),
    ),
    Builtin::new(
        "clojure.math/signum",
        "(signum n): -1.0, 0.0 or 1.0",
        (1, 1),
        |c| double(c, signum),
    ),
    Builtin::new(
        "clojure.math/to-degrees",
        "(to-degrees n): degrees of radians",
        (1, 1),
        |c| double(c, |n| n * (180.0 / std::f64::consts::PI)),
    ),
    Builtin::new(
        "clojure.math/to-radians",
        "(to-radians n): radians of degrees",
        (1, 1),
        |c| double(c, |n| n * (std::f64::consts::PI / 180.0)),
    ),
];

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new(
        "Math/abs",
        "(Math/abs n): the distance from zero",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Value(Value::Float(n)) => Ok(Edn::Value(Value::Float(n.abs()))),
            Edn::Value(Value::Long(_) | Value::Double(_)) => Ok(c.number(0)?.abs().into_edn()),
            _ => Err(c.wrong_type(0, "a long or double")),
        },
    ),
    Builtin::new(
        "Math/round",
        "(Math/round n): the nearest long, half up",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Value(Value::Float(_) | Value::Double(_)) => {
                Ok(Edn::long(rounded(c.number(0)?.to_f64())))
            }
            _ => Err(c.wrong_type(0, "a double")),
        },
    ),
    Builtin::new(
        "clojure.math/round",
        "(round n): the nearest long, half up",
        (1, 1),
        |c| Ok(Edn::long(rounded(c.number(0)?.to_f64()))),
    ),
    Builtin::new(
        "Math/signum",
        "(Math/signum n): -1.0, 0.0 or 1.0",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Value(Value::Float(n)) => {
                Ok(Edn::Value(Value::Float(signum(f64::from(*n)) as f32)))
            }
            Edn::Value(Value::Double(n)) => Ok(of_double(signum(*n))),
            _ => Err(c.wrong_type(0, "a double")),
        },
    ),
    Builtin::new(
        "Math/pow",
        "(Math/pow n m): n to the power of m",
        (2, 2),
        |c| two(c, power),
    ),
    Builtin::new(
        "clojure.math/pow",
        "(pow n m): n to the power of m",
        (2, 2),
        |c| two(c, power),
    ),
    Builtin::new(
        "Math/hypot",
        "(Math/hypot n m): the root of the sum of squares",
        (2, 2),
        |c| two(c, f64::hypot),
    ),
    Builtin::new(
        "clojure.math/hypot",
        "(hypot n m): the root of the sum of squares",
        (2, 2),
        |c| two(c, f64::hypot),
    ),
    Builtin::new(
        "Math/atan2",
        "(Math/atan2 y x): the angle of a point",
        (2, 2),
        |c| two(c, f64::atan2),
    ),
    Builtin::new(
        "clojure.math/atan2",
        "(atan2 y x): the angle of a point",
        (2, 2),
        |c| two(c, f64::atan2),
    ),
    Builtin::new(
        "Math/IEEEremainder",
        "(Math/IEEEremainder n m): what remains of the nearest quotient",
        (2, 2),
        |c| two(c, |n, m| n - m * (n / m).round_ties_even()),
    ),
    Builtin::new(
        "Math/fma",
        "(Math/fma n m k): n times m plus k, rounded once",
        (3, 3),
        |c| {
            Ok(of_double(
                c.number(0)?
                    .to_f64()
                    .mul_add(c.number(1)?.to_f64(), c.number(2)?.to_f64()),
            ))
        },
    ),
    Builtin::new(
        "Math/max",
        "(Math/max n m): the greater, of two of one type",
        (2, 2),
        |c| pick(c, true),
    ),
    Builtin::new(
        "Math/min",
        "(Math/min n m): the lesser, of two of one type",
        (2, 2),
        |c| pick(c, false),
    ),
    Builtin::new(
        "Math/floorDiv",
        "(Math/floorDiv n m): the quotient, cut down",
        (2, 2),
        |c| own_longs_or_zero(c, floor_div),
    ),
    Builtin::new(
        "Math/floorMod",
        "(Math/floorMod n m): what remains of floorDiv",
        (2, 2),
        |c| own_longs_or_zero(c, floor_mod),
    ),
    Builtin::new(
        "clojure.math/floor-div",
        "(floor-div n m): the quotient, cut down",
        (2, 2),
        |c| longs(c, floor_div),
    ),
    Builtin::new(
        "clojure.math/floor-mod",
        "(floor-mod n m): what remains of floor-div",
        (2, 2),
        |c| longs(c, floor_mod),
    ),
    Builtin::new(
        "Math/addExact",
        "(Math/addExact n m): the sum, or an error",
        (2, 2),
        |c| own_longs(c, i64::checked_add),
    ),
    Builtin::new(
        "Math/subtractExact",
        "(Math/subtractExact n m): the difference, or an error",
        (2, 2),
        |c| own_longs(c, i64::checked_sub),
    ),
    Builtin::new(
        "Math/multiplyExact",
        "(Math/multiplyExact n m): the product, or an error",
        (2, 2),
        |c| own_longs(c, i64::checked_mul),
    ),
    Builtin::new(
        "Math/negateExact",
        "(Math/negateExact n): the negative, or an error",
        (1, 1),
        |c| own_long(c, i64::checked_neg),
    ),
    Builtin::new(
        "Math/incrementExact",
        "(Math/incrementExact n): n plus one, or an error",
        (1, 1),
        |c| own_long(c, |n| n.checked_add(1)),
    ),
    Builtin::new(
        "Math/decrementExact",
        "(Math/decrementExact n): n minus one, or an error",
        (1, 1),
        |c| own_long(c, |n| n.checked_sub(1)),
    ),
    Builtin::new(
        "Math/toIntExact",
        "(Math/toIntExact n): n, if it has 32 bits",
        (1, 1),
        |c| Ok(Edn::long(i64::from(int(c, 0)?))),
    ),
    Builtin::new(
        "Math/ulp",
        "(Math/ulp n): the distance to the next double",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Value(Value::Double(n)) if n.is_infinite() => Ok(of_double(n.abs())),
            Edn::Value(Value::Float(n)) if n.is_infinite() => Ok(Edn::Value(Value::Float(n.abs()))),
            Edn::Value(Value::Double(n)) => Ok(of_double(n.abs().next_up() - n.abs())),
            Edn::Value(Value::Float(n)) => {
                Ok(Edn::Value(Value::Float(n.abs().next_up() - n.abs())))
            }
            _ => Err(c.wrong_type(0, "a double")),
        },
    ),
    Builtin::new(
        "Math/nextUp",
        "(Math/nextUp n): the next double",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Value(Value::Double(n)) => Ok(of_double(n.next_up())),
            Edn::Value(Value::Float(n)) => Ok(Edn::Value(Value::Float(n.next_up()))),
            _ => Err(c.wrong_type(0, "a double")),
        },
    ),
    Builtin::new(
        "Math/random",
        "(Math/random): a random double below one",
        (0, 0),
        |c| super::by_name("rand").map_or(Ok(Edn::Nil), |rand| rand.invoke(c.context, &[])),
    ),
];

fn double(c: &Invocation<'_>, function: fn(f64) -> f64) -> Outcome {
    Ok(of_double(function(c.number(0)?.to_f64())))
}

/// As Java: one to the power of NaN or infinity is NaN.
fn power(n: f64, m: f64) -> f64 {
    if m.is_nan() || (n.abs() == 1.0 && m.is_infinite()) {
        f64::NAN
    } else {
        n.powf(m)
    }
}

fn signum(n: f64) -> f64 {
    if n == 0.0 { n } else { n.signum() }
}

/// As `Math.round`: half up, at the ends of a long where it does not fit.
fn rounded(n: f64) -> i64 {
    let below = n.floor();
    (if n - below >= 0.5 { below + 1.0 } else { below }) as i64
}

fn pick(c: &Invocation<'_>, greater: bool) -> Outcome {
    let same_kind = matches!(
        (c.edn(0)?, c.edn(1)?),
        (Edn::Value(Value::Long(_)), Edn::Value(Value::Long(_)))
            | (Edn::Value(Value::Double(_)), Edn::Value(Value::Double(_)))
            | (Edn::Value(Value::Float(_)), Edn::Value(Value::Float(_)))
    );
    if !same_kind {
        return Err(c.wrong_type(1, "two numbers of one type"));
    }
    let (a, b) = (c.number(0)?, c.number(1)?);
    let first = match (&a, &b) {
        (Number::Double(a), Number::Double(b)) => {
            a.is_nan() || (!b.is_nan() && java_order(*a, *b).is_gt() == greater)
        }
        (a, b) => a.compare(b).is_gt() == greater,
    };
    c.edn(usize::from(!first)).cloned()
}

/// As `longs`, of longs only.
fn own_longs_or_zero(c: &Invocation<'_>, step: fn(i64, i64) -> Option<i64>) -> Outcome {
    match (c.edn(0)?.as_long(), c.edn(1)?.as_long()) {
        (Some(_), Some(_)) => longs(c, step),
        _ => Err(c.wrong_type(0, "longs")),
    }
}

fn floor_div(n: i64, m: i64) -> Option<i64> {
    match (n, m) {
        (_, 0) => None,
        (n, -1) => Some(n.wrapping_neg()),
        (n, m) => Some(Integer::div_floor(&n, &m)),
    }
}

fn floor_mod(n: i64, m: i64) -> Option<i64> {
    match (n, m) {
        (_, 0) => None,
        (_, -1) => Some(0),
        (n, m) => Some(Integer::mod_floor(&n, &m)),
    }
}

fn own_long(c: &Invocation<'_>, step: fn(i64) -> Option<i64>) -> Outcome {
    let n = c
        .edn(0)?
        .as_long()
        .ok_or_else(|| c.wrong_type(0, "a long"))?;
    step(n)
        .map(Edn::long)
        .ok_or_else(|| c.problem(Arithmetic::Overflow))
}

fn own_longs(c: &Invocation<'_>, step: fn(i64, i64) -> Option<i64>) -> Outcome {
    match (c.edn(0)?.as_long(), c.edn(1)?.as_long()) {
        (Some(n), Some(m)) => step(n, m)
            .map(Edn::long)
            .ok_or_else(|| c.problem(Arithmetic::Overflow)),
        _ => Err(c.wrong_type(0, "longs")),
    }
}

fn longs(c: &Invocation<'_>, step: fn(i64, i64) -> Option<i64>) -> Outcome {
    let answer = step(whole(c, 0)?, whole(c, 1)?);
    answer
        .map(Edn::long)
        .ok_or_else(|| c.problem(Arithmetic::DivideByZero))
}
