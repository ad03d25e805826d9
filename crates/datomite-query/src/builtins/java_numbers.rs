//! The static methods and constructors of Java's number classes.
//!
//! Arguments follow Java's parameters: any number is cut or widened to the type that a method
//! takes, out of range is an error. Methods that Java overloads take their own types only.

use datomite_model::{BigDec, BigInt, Edn, Value};
use num_traits::ToPrimitive;

use super::casts::int;
use super::error::Arithmetic;
use super::number::Number;
use super::numeric::{parse_double, unreadable};
use super::{Builtin, Invocation, Outcome, print};
use crate::QueryError;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new(
        "Long/parseLong",
        "(Long/parseLong s radix?): the long in a text",
        (1, 2),
        parse_long,
    ),
    Builtin::new(
        "Long/valueOf",
        "(Long/valueOf x radix?): the long in a text, or a long",
        (1, 2),
        own_or_parsed,
    ),
    Builtin::new(
        "Long.",
        "(Long. x): the long in a text, or a long",
        (1, 1),
        own_or_parsed,
    ),
    Builtin::new(
        "Long/toString",
        "(Long/toString n radix?): its digits",
        (1, 2),
        |c| {
            let number = whole(c, 0)?;
            let radix = if c.len() == 2 { c.position(1)? } else { 10 };
            Ok(Edn::string(&digits(number, radix)))
        },
    ),
    Builtin::new(
        "Long/toBinaryString",
        "(Long/toBinaryString n): its bits",
        (1, 1),
        |c| Ok(Edn::string(&format!("{:b}", whole(c, 0)?))),
    ),
    Builtin::new(
        "Long/toHexString",
        "(Long/toHexString n): its bits in hexadecimal",
        (1, 1),
        |c| Ok(Edn::string(&format!("{:x}", whole(c, 0)?))),
    ),
    Builtin::new(
        "Long/toOctalString",
        "(Long/toOctalString n): its bits in octal",
        (1, 1),
        |c| Ok(Edn::string(&format!("{:o}", whole(c, 0)?))),
    ),
    Builtin::new(
        "Long/bitCount",
        "(Long/bitCount n): how many bits are set",
        (1, 1),
        |c| Ok(Edn::long(i64::from(whole(c, 0)?.count_ones()))),
    ),
    Builtin::new("Long/signum", "(Long/signum n): -1, 0 or 1", (1, 1), |c| {
        Ok(Edn::long(whole(c, 0)?.signum()))
    }),
    Builtin::new(
        "Long/reverse",
        "(Long/reverse n): its bits from the end",
        (1, 1),
        |c| Ok(Edn::long(whole(c, 0)?.reverse_bits())),
    ),
    Builtin::new(
        "Long/numberOfLeadingZeros",
        "(Long/numberOfLeadingZeros n): zero bits at the top",
        (1, 1),
        |c| Ok(Edn::long(i64::from(whole(c, 0)?.leading_zeros()))),
    ),
    Builtin::new(
        "Long/numberOfTrailingZeros",
        "(Long/numberOfTrailingZeros n): zero bits at the bottom",
        (1, 1),
        |c| Ok(Edn::long(i64::from(whole(c, 0)?.trailing_zeros()))),
    ),
    Builtin::new(
        "Long/highestOneBit",
        "(Long/highestOneBit n): only the highest bit",
        (1, 1),
        |c| {
            let n = whole(c, 0)?;
            Ok(Edn::long(if n == 0 {
                0
            } else {
                (1u64 << (63 - n.leading_zeros())) as i64
            }))
        },
    ),
    Builtin::new(
        "Long/lowestOneBit",
        "(Long/lowestOneBit n): only the lowest bit",
        (1, 1),
        |c| {
            let n = whole(c, 0)?;
            Ok(Edn::long(n & n.wrapping_neg()))
        },
    ),
    Builtin::new(
        "Long/compare",
        "(Long/compare n m): -1, 0 or 1",
        (2, 2),
        |c| Ok(Edn::long(whole(c, 0)?.cmp(&whole(c, 1)?) as i64)),
    ),
    Builtin::new(
        "Long/sum",
        "(Long/sum n m): the sum, wrapped",
        (2, 2),
        |c| Ok(Edn::long(whole(c, 0)?.wrapping_add(whole(c, 1)?))),
    ),
    Builtin::new("Long/max", "(Long/max n m): the greater", (2, 2), |c| {
        Ok(Edn::long(whole(c, 0)?.max(whole(c, 1)?)))
    }),
    Builtin::new("Long/min", "(Long/min n m): the lesser", (2, 2), |c| {
        Ok(Edn::long(whole(c, 0)?.min(whole(c, 1)?)))
    }),
    Builtin::new(
        "Integer/parseInt",
        "(Integer/parseInt s radix?): the whole number in a text",
        (1, 2),
        parse_int,
    ),
    Builtin::new(
        "Integer/valueOf",
        "(Integer/valueOf x radix?): the number in a text, or a number",
        (1, 2),
        int_or_parsed,
    ),
    Builtin::new(
        "Integer.",
        "(Integer. x): the number in a text, or a number",
        (1, 1),
        int_or_parsed,
    ),
    Builtin::new(
        "Integer/toString",
        "(Integer/toString n radix?): its digits",
        (1, 2),
        |c| {
            let radix = if c.len() == 2 { c.position(1)? } else { 10 };
            Ok(Edn::string(&digits(i64::from(int(c, 0)?), radix)))
        },
    ),
    Builtin::new(
        "Integer/toBinaryString",
        "(Integer/toBinaryString n): its 32 bits",
        (1, 1),
        |c| Ok(Edn::string(&format!("{:b}", int(c, 0)?))),
    ),
    Builtin::new(
        "Integer/toHexString",
        "(Integer/toHexString n): its 32 bits in hexadecimal",
        (1, 1),
        |c| Ok(Edn::string(&format!("{:x}", int(c, 0)?))),
    ),
    Builtin::new(
        "Integer/toOctalString",
        "(Integer/toOctalString n): its 32 bits in octal",
        (1, 1),
        |c| Ok(Edn::string(&format!("{:o}", int(c, 0)?))),
    ),
    Builtin::new(
        "Integer/bitCount",
        "(Integer/bitCount n): how many of 32 bits are set",
        (1, 1),
        |c| Ok(Edn::long(i64::from(int(c, 0)?.count_ones()))),
    ),
    Builtin::new(
        "Integer/signum",
        "(Integer/signum n): -1, 0 or 1",
        (1, 1),
        |c| Ok(Edn::long(i64::from(int(c, 0)?.signum()))),
    ),
    Builtin::new(
        "Integer/compare",
        "(Integer/compare n m): -1, 0 or 1",
        (2, 2),
        |c| Ok(Edn::long(int(c, 0)?.cmp(&int(c, 1)?) as i64)),
    ),
    Builtin::new(
        "Integer/sum",
        "(Integer/sum n m): the sum in 32 bits, wrapped",
        (2, 2),
        |c| Ok(Edn::long(i64::from(int(c, 0)?.wrapping_add(int(c, 1)?)))),
    ),
    Builtin::new(
        "Integer/max",
        "(Integer/max n m): the greater",
        (2, 2),
        |c| Ok(Edn::long(i64::from(int(c, 0)?.max(int(c, 1)?)))),
    ),
    Builtin::new(
        "Integer/min",
        "(Integer/min n m): the lesser",
        (2, 2),
        |c| Ok(Edn::long(i64::from(int(c, 0)?.min(int(c, 1)?)))),
    ),
    Builtin::new(
        "Double/parseDouble",
        "(Double/parseDouble s): the double in a text",
        (1, 1),
        |c| read_double(c, c.text(0)?).map(of_double),
    ),
    Builtin::new(
        "Double/valueOf",
        "(Double/valueOf x): the double in a text, or a double",
        (1, 1),
        double_or_parsed,
    ),
    Builtin::new(
        "Double.",
        "(Double. x): the double in a text, or a double",
        (1, 1),
        double_or_parsed,
    ),
    Builtin::new(
        "Double/toString",
        "(Double/toString n): its text",
        (1, 1),
        |c| {
            Ok(Edn::string(&print::text_of(&of_double(
                c.number(0)?.to_f64(),
            ))))
        },
    ),
    Builtin::new(
        "Double/isNaN",
        "(Double/isNaN n): whether n is not a number",
        (1, 1),
        |c| c.bool(c.number(0)?.to_f64().is_nan()),
    ),
    Builtin::new(
        "Double/isInfinite",
        "(Double/isInfinite n): whether n is infinite",
        (1, 1),
        |c| c.bool(c.number(0)?.to_f64().is_infinite()),
    ),
    Builtin::new(
        "Double/isFinite",
        "(Double/isFinite n): whether n is a plain number",
        (1, 1),
        |c| c.bool(c.number(0)?.to_f64().is_finite()),
    ),
    Builtin::new(
        "Double/compare",
        "(Double/compare n m): -1, 0 or 1",
        (2, 2),
        |c| {
            Ok(Edn::long(
                java_order(c.number(0)?.to_f64(), c.number(1)?.to_f64()) as i64,
            ))
        },
    ),
    Builtin::new("Double/sum", "(Double/sum n m): the sum", (2, 2), |c| {
        two(c, |a, b| a + b)
    }),
    Builtin::new("Double/max", "(Double/max n m): the greater", (2, 2), |c| {
        two(c, java_max)
    }),
    Builtin::new("Double/min", "(Double/min n m): the lesser", (2, 2), |c| {
        two(c, |a, b| -java_max(-a, -b))
    }),
    Builtin::new(
        "Float/parseFloat",
        "(Float/parseFloat s): the float in a text",
        (1, 1),
        |c| read_float(c, c.text(0)?),
    ),
    Builtin::new(
        "Float/valueOf",
        "(Float/valueOf x): the float in a text, or a float",
        (1, 1),
        |c| match c.edn(0)? {
            form @ Edn::Value(Value::Float(_)) => Ok(form.clone()),
            _ => read_float(c, c.text(0)?),
        },
    ),
    Builtin::new(
        "Float.",
        "(Float. x): the float in a text, or of a double",
        (1, 1),
        |c| match c.edn(0)? {
            form @ Edn::Value(Value::Float(_)) => Ok(form.clone()),
            Edn::Value(Value::Double(n)) => Ok(Edn::Value(Value::Float(*n as f32))),
            _ => read_float(c, c.text(0)?),
        },
    ),
    Builtin::new(
        "Float/toString",
        "(Float/toString n): its text",
        (1, 1),
        |c| {
            let narrow = c.number(0)?.to_f64() as f32;
            if narrow.is_infinite() {
                return Err(c.problem(Arithmetic::OutOfRange));
            }
            let narrow = Edn::Value(Value::Float(narrow));
            Ok(Edn::string(&print::text_of(&narrow)))
        },
    ),
    Builtin::new(
        "Boolean/parseBoolean",
        "(Boolean/parseBoolean s): whether a text is true",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Nil => c.bool(false),
            _ => c.bool(c.text(0)?.eq_ignore_ascii_case("true")),
        },
    ),
    Builtin::new(
        "Boolean/valueOf",
        "(Boolean/valueOf x): whether a text is true, or a boolean",
        (1, 1),
        |c| match c.edn(0)? {
            form @ Edn::Value(Value::Boolean(_)) => Ok(form.clone()),
            _ => c.bool(c.text(0)?.eq_ignore_ascii_case("true")),
        },
    ),
    Builtin::new(
        "Boolean/toString",
        "(Boolean/toString b): its text",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Value(Value::Boolean(b)) => Ok(Edn::string(&b.to_string())),
            _ => Err(c.wrong_type(0, "a boolean")),
        },
    ),
    Builtin::new(
        "BigDecimal.",
        "(BigDecimal. x): the decimal in a text, or exactly a number",
        (1, 1),
        big_decimal,
    ),
    Builtin::new(
        "java.math.BigDecimal.",
        "(java.math.BigDecimal. x): the same as BigDecimal.",
        (1, 1),
        big_decimal,
    ),
    Builtin::new(
        "BigDecimal/valueOf",
        "(BigDecimal/valueOf n scale?): the decimal of a long or double",
        (1, 2),
        value_of,
    ),
    Builtin::new(
        "java.math.BigDecimal/valueOf",
        "(java.math.BigDecimal/valueOf n scale?): the same",
        (1, 2),
        value_of,
    ),
    Builtin::new(
        "BigInteger.",
        "(BigInteger. s radix?): the bigint in a text",
        (1, 2),
        big_integer,
    ),
    Builtin::new(
        "java.math.BigInteger.",
        "(java.math.BigInteger. s radix?): the same as BigInteger.",
        (1, 2),
        big_integer,
    ),
    Builtin::new(
        "BigInteger/valueOf",
        "(BigInteger/valueOf n): a bigint",
        (1, 1),
        |c| Ok(Number::big(whole(c, 0)?.into()).into_edn()),
    ),
    Builtin::new(
        "java.math.BigInteger/valueOf",
        "(java.math.BigInteger/valueOf n): the same",
        (1, 1),
        |c| Ok(Number::big(whole(c, 0)?.into()).into_edn()),
    ),
    Builtin::new(".intValue", "(.intValue n): the low 32 bits", (1, 1), |c| {
        narrowed(c, "unchecked-int")
    }),
    Builtin::new(
        ".longValue",
        "(.longValue n): the low 64 bits",
        (1, 1),
        |c| narrowed(c, "unchecked-long"),
    ),
    Builtin::new(
        ".shortValue",
        "(.shortValue n): the low 16 bits",
        (1, 1),
        |c| narrowed(c, "unchecked-short"),
    ),
    Builtin::new(
        ".byteValue",
        "(.byteValue n): the low 8 bits",
        (1, 1),
        |c| narrowed(c, "unchecked-byte"),
    ),
    Builtin::new(".doubleValue", "(.doubleValue n): a double", (1, 1), |c| {
        Ok(of_double(c.number(0)?.to_f64()))
    }),
    Builtin::new(".floatValue", "(.floatValue n): a float", (1, 1), |c| {
        Ok(Edn::Value(Value::Float(c.number(0)?.to_f64() as f32)))
    }),
    Builtin::new(
        ".isNaN",
        "(.isNaN n): whether a double is not a number",
        (1, 1),
        |c| floating(c, f64::is_nan),
    ),
    Builtin::new(
        ".isInfinite",
        "(.isInfinite n): whether a double is infinite",
        (1, 1),
        |c| floating(c, f64::is_infinite),
    ),
    Builtin::new(
        ".signum",
        "(.signum n): -1, 0 or 1 of a decimal",
        (1, 1),
        |c| Ok(Edn::long(dec(c, 0)?.unscaled().sign() as i64 - 1)),
    ),
    Builtin::new(
        ".negate",
        "(.negate n): the negative of a decimal",
        (1, 1),
        |c| {
            dec(c, 0)?;
            c.outcome(c.number(0)?.negate())
        },
    ),
    Builtin::new(
        ".abs",
        "(.abs n): a decimal's distance from zero",
        (1, 1),
        |c| {
            dec(c, 0)?;
            Ok(c.number(0)?.abs().into_edn())
        },
    ),
    Builtin::new(
        ".scale",
        "(.scale n): a decimal's digits after the point",
        (1, 1),
        |c| Ok(Edn::long(dec(c, 0)?.scale())),
    ),
    Builtin::new(
        ".precision",
        "(.precision n): how many digits a decimal has",
        (1, 1),
        |c| {
            let text = dec(c, 0)?.unscaled().to_string();
            Ok(Edn::long(text.trim_start_matches('-').len() as i64))
        },
    ),
    Builtin::new(
        ".unscaledValue",
        "(.unscaledValue n): a decimal's digits, a bigint",
        (1, 1),
        |c| Ok(Number::big(dec(c, 0)?.unscaled().clone()).into_edn()),
    ),
    Builtin::new(
        ".toBigInteger",
        "(.toBigInteger n): the whole part",
        (1, 1),
        |c| match c.number(0)? {
            Number::Dec(_) | Number::Big(_) => {
                let whole = c.number(0)?.truncated().map_err(|p| c.problem(p))?;
                Ok(Number::big(whole).into_edn())
            }
            _ => Err(c.wrong_type(0, "a decimal or bigint")),
        },
    ),
    Builtin::new(".add", "(.add n m): the sum of two decimals", (2, 2), |c| {
        dec(c, 0)?;
        dec(c, 1)?;
        c.outcome(c.number(0)?.add(&c.number(1)?))
    }),
    Builtin::new(
        ".subtract",
        "(.subtract n m): the difference of two decimals",
        (2, 2),
        |c| {
            dec(c, 0)?;
            dec(c, 1)?;
            c.outcome(c.number(0)?.subtract(&c.number(1)?))
        },
    ),
    Builtin::new(
        ".multiply",
        "(.multiply n m): the product of two decimals",
        (2, 2),
        |c| {
            dec(c, 0)?;
            dec(c, 1)?;
            c.outcome(c.number(0)?.multiply(&c.number(1)?))
        },
    ),
    Builtin::new(
        ".divide",
        "(.divide n m scale? mode?): the quotient of two decimals",
        (2, 4),
        |c| {
            let (n, m) = (dec(c, 0)?, dec(c, 1)?);
            if c.len() < 4 {
                return c.outcome(c.number(0)?.divide(&c.number(1)?));
            }
            let divided = super::format::divided(n, m, c.position(2)?, mode(c, 3)?);
            divided
                .map(|n| Number::dec(n).into_edn())
                .ok_or_else(|| c.problem(Arithmetic::DivideByZero))
        },
    ),
    Builtin::new(
        ".remainder",
        "(.remainder n m): what remains, of two decimals",
        (2, 2),
        |c| {
            dec(c, 0)?;
            dec(c, 1)?;
            c.outcome(c.number(0)?.remainder(&c.number(1)?))
        },
    ),
    Builtin::new(
        ".pow",
        "(.pow n k): a decimal or bigint to the power of k",
        (2, 2),
        |c| {
            let power = c.position(1)?;
            if !(0..=9999).contains(&power) || matches!(c.edn(0)?, Edn::Value(Value::Long(_))) {
                return Err(c.wrong_type(1, "a power from 0 to 9999 of a decimal"));
            }
            let one = Number::dec(BigDec::new(1.into(), 0));
            dec(c, 0)?;
            let number = c.number(0)?;
            c.outcome((0..power).try_fold(one, |product, _| product.multiply(&number)))
        },
    ),
    Builtin::new(
        ".setScale",
        "(.setScale n scale mode?): a decimal with so many digits after the point",
        (2, 3),
        |c| {
            let scaled = super::format::scaled(dec(c, 0)?, c.position(1)?, mode(c, 2)?);
            scaled
                .map(|n| Number::dec(n).into_edn())
                .ok_or_else(|| c.problem(Arithmetic::NonTerminating))
        },
    ),
    Builtin::new(
        ".stripTrailingZeros",
        "(.stripTrailingZeros n): a decimal without zeros at its end",
        (1, 1),
        |c| Ok(Number::dec(super::number::stripped(dec(c, 0)?)).into_edn()),
    ),
    Builtin::new(
        ".toPlainString",
        "(.toPlainString n): a decimal without exponent",
        (1, 1),
        |c| {
            let plain = super::format::plain(dec(c, 0)?);
            plain
                .map(|text| Edn::string(&text))
                .ok_or_else(|| c.problem(Arithmetic::TooManyDigits))
        },
    ),
    Builtin::new(
        ".bitLength",
        "(.bitLength n): how many bits a bigint has",
        (1, 1),
        |c| match c.number(0)? {
            Number::Big(n) if n.sign() == num_bigint::Sign::Minus => {
                Ok(Edn::long((n.as_ref() + 1i32).bits() as i64))
            }
            Number::Big(n) => Ok(Edn::long(n.bits() as i64)),
            _ => Err(c.wrong_type(0, "a bigint")),
        },
    ),
    Builtin::new(
        ".numerator",
        "(.numerator r): the upper part of a ratio",
        (1, 1),
        |c| part_of_ratio(c, |parts| &parts.0),
    ),
    Builtin::new(
        ".denominator",
        "(.denominator r): the lower part of a ratio",
        (1, 1),
        |c| part_of_ratio(c, |parts| &parts.1),
    ),
];

fn part_of_ratio(c: &Invocation<'_>, part: fn(&(BigInt, BigInt)) -> &BigInt) -> Outcome {
    match c.edn(0)? {
        Edn::Ratio(parts) => Ok(Number::big(part(parts).clone()).into_edn()),
        _ => Err(c.wrong_type(0, "a ratio")),
    }
}

pub(super) fn of_double(n: f64) -> Edn {
    Edn::Value(Value::Double(n))
}

pub(super) fn two(c: &Invocation<'_>, function: fn(f64, f64) -> f64) -> Outcome {
    let (a, b) = (c.number(0)?.to_f64(), c.number(1)?.to_f64());
    Ok(of_double(function(a, b)))
}

pub(super) fn java_order(a: f64, b: f64) -> std::cmp::Ordering {
    let key = |n: f64| if n.is_nan() { f64::NAN } else { n };
    key(a).total_cmp(&key(b))
}

fn java_max(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if java_order(a, b).is_lt() {
        b
    } else {
        a
    }
}

/// A long, cut from any number.
pub(super) fn whole(c: &Invocation<'_>, at: usize) -> Result<i64, QueryError> {
    match c.number(at)? {
        Number::Long(n) => Ok(n),
        Number::Double(n) if n.is_nan() => Ok(0),
        number => {
            let whole = number.truncated().map_err(|p| c.problem(p))?;
            whole
                .to_i64()
                .ok_or_else(|| c.problem(Arithmetic::OutOfRange))
        }
    }
}

fn digits(number: i64, radix: i64) -> String {
    let radix = if (2..=36).contains(&radix) {
        radix as u32
    } else {
        10
    };
    BigInt::from(number).to_str_radix(radix)
}

fn radix(c: &Invocation<'_>) -> Result<u32, QueryError> {
    let radix = if c.len() == 2 { c.position(1)? } else { 10 };
    match u32::try_from(radix) {
        Ok(radix @ 2..=36) => Ok(radix),
        _ => Err(c.problem(Arithmetic::OutOfRange)),
    }
}

fn parse_long(c: &Invocation<'_>) -> Outcome {
    let text = c.text(0)?;
    let number = i64::from_str_radix(text, radix(c)?);
    number.map(Edn::long).map_err(|_| unreadable(c, text))
}

fn parse_int(c: &Invocation<'_>) -> Outcome {
    let text = c.text(0)?;
    let number = i32::from_str_radix(text, radix(c)?);
    number
        .map(|n| Edn::long(i64::from(n)))
        .map_err(|_| unreadable(c, text))
}

fn own_or_parsed(c: &Invocation<'_>) -> Outcome {
    match c.edn(0)? {
        form @ Edn::Value(Value::Long(_)) => Ok(form.clone()),
        _ => parse_long(c),
    }
}

fn int_or_parsed(c: &Invocation<'_>) -> Outcome {
    match c.edn(0)? {
        Edn::Value(Value::Long(n)) => Ok(Edn::long(i64::from(*n as i32))),
        _ => parse_int(c),
    }
}

fn read_double(c: &Invocation<'_>, text: &str) -> Result<f64, QueryError> {
    parse_double(text).ok_or_else(|| unreadable(c, text))
}

fn read_float(c: &Invocation<'_>, text: &str) -> Outcome {
    Ok(Edn::Value(Value::Float(read_double(c, text)? as f32)))
}

fn double_or_parsed(c: &Invocation<'_>) -> Outcome {
    match c.edn(0)? {
        form @ Edn::Value(Value::Double(_)) => Ok(form.clone()),
        Edn::Value(Value::Float(n)) if c.name == "Double/valueOf" => Ok(of_double(f64::from(*n))),
        _ => read_double(c, c.text(0)?).map(of_double),
    }
}

fn big_decimal(c: &Invocation<'_>) -> Outcome {
    match c.edn(0)? {
        Edn::Value(Value::Long(n)) => Ok(Number::dec(BigDec::new((*n).into(), 0)).into_edn()),
        Edn::Value(Value::Double(n)) => {
            let exact = super::number::exact_decimal(*n);
            exact
                .map(|exact| Number::dec(exact).into_edn())
                .ok_or_else(|| c.problem(Arithmetic::OutOfRange))
        }
        _ => {
            let text = c.text(0)?;
            let number: Result<BigDec, ()> = text.parse();
            number
                .map(|number| Number::dec(number).into_edn())
                .map_err(|()| unreadable(c, text))
        }
    }
}

fn value_of(c: &Invocation<'_>) -> Outcome {
    match c.edn(0)? {
        Edn::Value(Value::Long(n)) => {
            let scale = if c.len() == 2 { c.position(1)? } else { 0 };
            Ok(Number::dec(BigDec::new((*n).into(), scale)).into_edn())
        }
        Edn::Value(Value::Double(_) | Value::Float(_)) => {
            let text = print::text_of(&of_double(c.number(0)?.to_f64()));
            let number: Result<BigDec, ()> = text.parse();
            number
                .map(|number| Number::dec(number).into_edn())
                .map_err(|()| unreadable(c, &text))
        }
        _ => Err(c.wrong_type(0, "a long or double")),
    }
}

fn big_integer(c: &Invocation<'_>) -> Outcome {
    if let Edn::Value(Value::Bytes(bytes)) = c.edn(0)? {
        return Ok(Number::big(BigInt::from_signed_bytes_be(bytes)).into_edn());
    }
    let text = c.text(0)?;
    let number = BigInt::parse_bytes(text.as_bytes(), radix(c)?).filter(|_| !text.contains('_'));
    number
        .map(|number| Number::big(number).into_edn())
        .ok_or_else(|| unreadable(c, text))
}

fn narrowed(c: &Invocation<'_>, cast: &'static str) -> Outcome {
    c.number(0)?;
    match super::by_name(cast) {
        Some(cast) => cast.invoke(c.context, c.args),
        None => c.edn(0).cloned(),
    }
}

fn floating(c: &Invocation<'_>, test: fn(f64) -> bool) -> Outcome {
    match c.number(0)? {
        Number::Double(n) => c.bool(test(n)),
        _ => Err(c.wrong_type(0, "a double")),
    }
}

fn dec<'a>(c: &Invocation<'a>, at: usize) -> Result<&'a BigDec, QueryError> {
    match c.edn(at)? {
        Edn::Value(Value::BigDec(n)) => Ok(n),
        _ => Err(c.wrong_type(at, "a decimal")),
    }
}

/// The rounding mode of an argument: `java.math.RoundingMode/HALF_UP`.
fn mode<'a>(c: &Invocation<'a>, at: usize) -> Result<Option<&'a str>, QueryError> {
    match c.optional(at)? {
        Edn::Nil => Ok(None),
        Edn::Value(Value::Symbol(name)) => Ok(Some(name.name())),
        _ => Err(c.wrong_type(at, "a rounding mode")),
    }
}
