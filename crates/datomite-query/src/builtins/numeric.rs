//! The table of numeric functions; `number.rs` calculates.

use datomite_model::{BigDec, BigInt, Edn, Value};

use super::error::Arithmetic;
use super::number::Number;
use super::{Builtin, CallError, Invocation, MANY, Outcome};
use crate::QueryError;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new(
        "+",
        "(+ n*): the sum; longs overflow with an error",
        (0, MANY),
        |c| fold(c, 0, Number::add),
    ),
    Builtin::new("*", "(* n*): the product", (0, MANY), |c| {
        fold(c, 1, Number::multiply)
    }),
    Builtin::new(
        "-",
        "(- n m*): the difference, or the negative of one",
        (1, MANY),
        |c| {
            if c.len() == 1 {
                return c.outcome(c.number(0)?.negate());
            }
            fold(c, 0, Number::subtract)
        },
    ),
    Builtin::new(
        "/",
        "(/ n m): the quotient; whole numbers cut to zero",
        (2, 2),
        |c| c.outcome(c.number(0)?.divide(&c.number(1)?)),
    ),
    Builtin::new(
        "clojure.core//",
        "(clojure.core// n m*): exact, a ratio",
        (1, MANY),
        |c| {
            if c.len() == 1 {
                return c.outcome(Number::Long(1).divide_fully(&c.number(0)?));
            }
            fold(c, 1, Number::divide_fully)
        },
    ),
    Builtin::new(
        "+'",
        "(+' n*): the sum; longs become bigints on overflow",
        (0, MANY),
        |c| promoting(c, 0, Number::add),
    ),
    Builtin::new(
        "*'",
        "(*' n*): the product; longs become bigints",
        (0, MANY),
        |c| promoting(c, 1, Number::multiply),
    ),
    Builtin::new(
        "-'",
        "(-' n m*): the difference; longs become bigints",
        (1, MANY),
        |c| {
            if c.len() == 1 {
                let number = c.number(0)?;
                return c.outcome(number.negate().or_else(|_| number.promoted().negate()));
            }
            promoting(c, 0, Number::subtract)
        },
    ),
    Builtin::new("inc", "(inc n): n plus one", (1, 1), |c| {
        c.outcome(c.number(0)?.add(&Number::Long(1)))
    }),
    Builtin::new("dec", "(dec n): n minus one", (1, 1), |c| {
        c.outcome(c.number(0)?.subtract(&Number::Long(1)))
    }),
    Builtin::new(
        "inc'",
        "(inc' n): n plus one; a long becomes a bigint",
        (1, 1),
        |c| c.outcome(wide(Number::add, &c.number(0)?, &Number::Long(1))),
    ),
    Builtin::new("quot", "(quot n m): division cut to zero", (2, 2), |c| {
        c.outcome(c.number(0)?.quotient(&c.number(1)?))
    }),
    Builtin::new(
        "rem",
        "(rem n m): what remains, with the sign of n",
        (2, 2),
        |c| c.outcome(c.number(0)?.remainder(&c.number(1)?)),
    ),
    Builtin::new(
        "mod",
        "(mod n m): what remains, with the sign of m",
        (2, 2),
        |c| c.outcome(c.number(0)?.modulo(&c.number(1)?)),
    ),
    Builtin::new("max", "(max n+): the greatest number", (1, MANY), |c| {
        extreme(c, std::cmp::Ordering::Greater)
    }),
    Builtin::new("min", "(min n+): the least number", (1, MANY), |c| {
        extreme(c, std::cmp::Ordering::Less)
    }),
    Builtin::new("abs", "(abs n): the distance from zero", (1, 1), |c| {
        Ok(c.number(0)?.abs().into_edn())
    }),
    Builtin::new("bit-and", "(bit-and n m+): bits in all", (2, MANY), |c| {
        bits(c, |a, b| a & b)
    }),
    Builtin::new("bit-or", "(bit-or n m+): bits in any", (2, MANY), |c| {
        bits(c, |a, b| a | b)
    }),
    Builtin::new("bit-xor", "(bit-xor n m+): bits in one", (2, MANY), |c| {
        bits(c, |a, b| a ^ b)
    }),
    Builtin::new(
        "bit-and-not",
        "(bit-and-not n m+): bits in n only",
        (2, MANY),
        |c| bits(c, |a, b| a & !b),
    ),
    Builtin::new("bit-not", "(bit-not n): the other bits", (1, 1), |c| {
        Ok(Edn::long(!bits_of(c, 0)?))
    }),
    Builtin::new(
        "bit-shift-left",
        "(bit-shift-left n k): n shifted up",
        (2, 2),
        |c| {
            Ok(Edn::long(
                bits_of(c, 0)?.wrapping_shl(bits_of(c, 1)? as u32),
            ))
        },
    ),
    Builtin::new(
        "bit-shift-right",
        "(bit-shift-right n k): n shifted down",
        (2, 2),
        |c| {
            Ok(Edn::long(
                bits_of(c, 0)?.wrapping_shr(bits_of(c, 1)? as u32),
            ))
        },
    ),
    Builtin::new(
        "unsigned-bit-shift-right",
        "(unsigned-bit-shift-right n k): shifted down, zeros come in",
        (2, 2),
        |c| {
            Ok(Edn::long(
                (bits_of(c, 0)? as u64).wrapping_shr(bits_of(c, 1)? as u32) as i64,
            ))
        },
    ),
    Builtin::new(
        "bit-test",
        "(bit-test n k): whether bit k is set",
        (2, 2),
        |c| c.bool(bits_of(c, 0)?.wrapping_shr(bits_of(c, 1)? as u32) & 1 == 1),
    ),
    Builtin::new("long", "(long n): a long, cut to zero", (1, 1), long),
    Builtin::new("int", "(int n): a whole number of 32 bits", (1, 1), int),
    Builtin::new("double", "(double n): a double", (1, 1), |c| {
        Ok(Number::Double(c.number(0)?.to_f64()).into_edn())
    }),
    Builtin::new("float", "(float n): a float", (1, 1), |c| {
        let wide = c.number(0)?.to_f64();
        let narrow = wide as f32;
        if narrow.is_infinite() {
            return Err(c.problem(Arithmetic::OutOfRange));
        }
        Ok(Edn::Value(Value::Float(narrow)))
    }),
    Builtin::new(
        "bigint",
        "(bigint n): a bigint, cut to zero; also of text",
        (1, 1),
        bigint,
    ),
    Builtin::new(
        "biginteger",
        "(biginteger n): the same as bigint",
        (1, 1),
        bigint,
    ),
    Builtin::new(
        "bigdec",
        "(bigdec n): a decimal; also of text",
        (1, 1),
        bigdec,
    ),
    Builtin::new(
        "rationalize",
        "(rationalize n): n as ratio or bigint",
        (1, 1),
        |c| {
            let number = c.number(0)?;
            let text = number.clone().into_edn();
            if let Number::Dec(n) = &number
                && n.scale() < 0
            {
                let whole = number.truncated().map_err(|p| c.problem(p))?;
                return Ok(Number::big(whole).into_edn());
            }
            Ok(match number {
                Number::Double(n) if !n.is_finite() => {
                    return Err(c.problem(Arithmetic::OutOfRange));
                }
                Number::Double(_) | Number::Dec(_) => {
                    let dec = decimal(c, &super::print::text_of(&text))?;
                    let ten = Number::big(BigInt::from(10));
                    let power = (0..dec.scale()).try_fold(Number::Long(1), |p, _| p.multiply(&ten));
                    let power = power.map_err(|p| c.problem(p))?;
                    let whole = Number::big(dec.unscaled().clone());
                    if dec.scale() < 0 {
                        let whole = Number::dec(dec).truncated().map_err(|p| c.problem(p))?;
                        return Ok(Number::big(whole).into_edn());
                    }
                    return c.outcome(whole.divide_fully(&power));
                }
                number => number.into_edn(),
            })
        },
    ),
    Builtin::new(
        "numerator",
        "(numerator r): the upper part of a ratio",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Ratio(parts) => Ok(Number::big(parts.0.clone()).into_edn()),
            _ => Err(c.wrong_type(0, "a ratio")),
        },
    ),
    Builtin::new(
        "denominator",
        "(denominator r): the lower part of a ratio",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Ratio(parts) => Ok(Number::big(parts.1.clone()).into_edn()),
            _ => Err(c.wrong_type(0, "a ratio")),
        },
    ),
    Builtin::new(
        "parse-long",
        "(parse-long s): the long in a text, or nil",
        (1, 1),
        |c| Ok(c.text(0)?.parse().map_or(Edn::Nil, Edn::long)),
    ),
    Builtin::new(
        "parse-double",
        "(parse-double s): the double in a text, or nil",
        (1, 1),
        |c| Ok(parse_double(c.text(0)?).map_or(Edn::Nil, |n| Number::Double(n).into_edn())),
    ),
    Builtin::new(
        "parse-boolean",
        "(parse-boolean s): true, false or nil",
        (1, 1),
        |c| {
            Ok(match c.text(0)? {
                "true" => Edn::Value(Value::Boolean(true)),
                "false" => Edn::Value(Value::Boolean(false)),
                _ => Edn::Nil,
            })
        },
    ),
    Builtin::new(
        "==",
        "(== n+): whether numbers are equal, across types",
        (1, MANY),
        |c| pairwise(c, std::cmp::Ordering::is_eq),
    ),
    Builtin::new(
        "clojure.core/<",
        "(clojure.core/< n+): numbers ascend",
        (1, MANY),
        |c| pairwise(c, std::cmp::Ordering::is_lt),
    ),
    Builtin::new(
        "clojure.core/<=",
        "(clojure.core/<= n+): none descends",
        (1, MANY),
        |c| pairwise(c, std::cmp::Ordering::is_le),
    ),
    Builtin::new(
        "clojure.core/>",
        "(clojure.core/> n+): numbers descend",
        (1, MANY),
        |c| pairwise(c, std::cmp::Ordering::is_gt),
    ),
    Builtin::new(
        "clojure.core/>=",
        "(clojure.core/>= n+): none ascends",
        (1, MANY),
        |c| pairwise(c, std::cmp::Ordering::is_ge),
    ),
];

type Step = fn(&Number, &Number) -> Result<Number, Arithmetic>;

fn fold(c: &Invocation<'_>, neutral: i64, step: Step) -> Outcome {
    if c.len() == 0 {
        return Ok(Edn::long(neutral));
    }
    if c.len() == 1 {
        c.number(0)?;
        return c.edn(0).cloned();
    }
    c.outcome(folded(c, c.number(0)?, step)?)
}

fn folded(
    c: &Invocation<'_>,
    first: Number,
    step: Step,
) -> Result<Result<Number, Arithmetic>, QueryError> {
    let mut result = first;
    for at in 1..c.len() {
        match step(&result, &c.number(at)?) {
            Ok(next) => result = next,
            Err(problem) => return Ok(Err(problem)),
        }
    }
    Ok(Ok(result))
}

fn promoting(c: &Invocation<'_>, neutral: i64, step: Step) -> Outcome {
    if c.len() == 0 {
        return Ok(Edn::long(neutral));
    }
    if c.len() == 1 {
        c.number(0)?;
        return c.edn(0).cloned();
    }
    let mut result = c.number(0)?;
    for at in 1..c.len() {
        result = wide(step, &result, &c.number(at)?).map_err(|p| c.problem(p))?;
    }
    Ok(result.into_edn())
}

/// The step on longs, or on bigints where a long overflows.
fn wide(step: Step, a: &Number, b: &Number) -> Result<Number, Arithmetic> {
    match step(a, b) {
        Err(Arithmetic::Overflow) => step(&a.promoted(), &b.promoted()),
        outcome => outcome,
    }
}

/// One of the arguments, unchanged; of equal ones the later, NaN before all.
fn extreme(c: &Invocation<'_>, wanted: std::cmp::Ordering) -> Outcome {
    if c.len() == 1 {
        return c.edn(0).cloned();
    }
    let nan = |at: usize| {
        let number = c.edn(at).ok().and_then(Number::of);
        matches!(number, Some(Number::Double(n)) if n.is_nan())
    };
    let mut best = 0;
    for at in 1..c.len() {
        if nan(best) {
            continue;
        }
        if nan(at) {
            best = at;
            continue;
        }
        let order = c.number(best)?.order(&c.number(at)?);
        if order.map_err(|p| c.problem(p))? != Some(wanted) {
            best = at;
        }
    }
    c.edn(best).cloned()
}

fn bits(c: &Invocation<'_>, step: fn(i64, i64) -> i64) -> Outcome {
    let mut result = bits_of(c, 0)?;
    for at in 1..c.len() {
        result = step(result, bits_of(c, at)?);
    }
    Ok(Edn::long(result))
}

/// The bits of a long; other numbers have none.
pub(super) fn bits_of(c: &Invocation<'_>, at: usize) -> Result<i64, QueryError> {
    c.edn(at)?
        .as_long()
        .ok_or_else(|| c.wrong_type(at, "a long"))
}

fn pairwise(c: &Invocation<'_>, wanted: fn(std::cmp::Ordering) -> bool) -> Outcome {
    let mut holds = true;
    for at in 1..c.len() {
        let order = c.number(at - 1)?.order(&c.number(at)?);
        let order = order.map_err(|p| c.problem(p))?;
        holds = holds && order.is_some_and(wanted);
    }
    c.bool(holds)
}

fn long(c: &Invocation<'_>) -> Outcome {
    if let (Edn::Char(character), true) = (c.edn(0)?, ["int", "long"].contains(&c.name)) {
        return Ok(Edn::long(i64::from(u32::from(*character))));
    }
    super::java_numbers::whole(c, 0).map(Edn::long)
}

fn int(c: &Invocation<'_>) -> Outcome {
    let number = long(c)?;
    match number.as_long() {
        Some(n) if i32::try_from(n).is_ok() => Ok(number),
        _ => Err(c.problem(Arithmetic::OutOfRange)),
    }
}

fn bigint(c: &Invocation<'_>) -> Outcome {
    if let Edn::Value(Value::String(text)) = c.edn(0)? {
        let number: Result<BigInt, _> = text.parse();
        return match number {
            Ok(number) => Ok(Number::big(number).into_edn()),
            Err(_) => Err(unreadable(c, text)),
        };
    }
    if let Edn::Value(Value::Bytes(bytes)) = c.edn(0)? {
        return Ok(Number::big(BigInt::from_signed_bytes_be(bytes)).into_edn());
    }
    if let Edn::Value(Value::Double(_) | Value::Float(_)) = c.edn(0)? {
        // As Clojure: through the shortest decimal of the double.
        let double = Number::Double(c.number(0)?.to_f64());
        let text = super::print::text_of(&double.into_edn());
        let whole = Number::dec(decimal(c, &text)?).truncated();
        return Ok(Number::big(whole.map_err(|p| c.problem(p))?).into_edn());
    }
    let whole = c.number(0)?.truncated().map_err(|p| c.problem(p))?;
    Ok(Number::big(whole).into_edn())
}

fn bigdec(c: &Invocation<'_>) -> Outcome {
    let form = c.edn(0)?;
    let text = match form {
        Edn::Value(Value::BigDec(_)) => return Ok(form.clone()),
        Edn::Ratio(_) => {
            return c.outcome(c.number(0)?.add(&Number::dec(BigDec::new(0.into(), 0))));
        }
        Edn::Value(Value::String(text)) => text.to_string(),
        _ => super::print::text_of(&match c.number(0)? {
            number @ Number::Double(_) => number.into_edn(),
            _ => form.clone(),
        }),
    };
    Ok(Number::dec(decimal(c, &text)?).into_edn())
}

fn decimal(c: &Invocation<'_>, text: &str) -> Result<BigDec, QueryError> {
    text.parse().map_err(|()| unreadable(c, text))
}

pub(super) fn unreadable(c: &Invocation<'_>, text: &str) -> QueryError {
    CallError::Unreadable {
        function: c.function(),
        text: text.to_string(),
    }
    .into()
}

/// Java's `Double.parseDouble`.
pub(super) fn parse_double(text: &str) -> Option<f64> {
    let text = text.trim_matches(|x: char| x <= ' ');
    if let Some(number) = parse_hexadecimal(text) {
        return Some(number);
    }
    let body = text.trim_start_matches(['+', '-']);
    match body {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(if text.starts_with('-') {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        }),
        body if body.starts_with(|c: char| c.is_ascii_digit() || c == '.') => text
            .strip_suffix(['d', 'D', 'f', 'F'])
            .unwrap_or(text)
            .parse()
            .ok(),
        _ => None,
    }
}

/// `0x1.8p3`: digits in base 16, a power of two.
fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (sign, body) = match text.strip_prefix('-') {
        Some(body) => (-1.0, body),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let body = body
        .strip_prefix("0x")
        .or_else(|| body.strip_prefix("0X"))?;
    let body = body.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(body);
    let (digits, power) = body.split_once(['p', 'P'])?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let number = u64::from_str_radix(&format!("{whole}{fraction}"), 16).ok()?;
    let power: i32 = power.parse().ok()?;
    let shift = power.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    Some(sign * number as f64 * 2f64.powi(shift))
}
