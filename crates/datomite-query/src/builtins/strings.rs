//! Text and names: `str`, `subs`, `name`, `keyword`, `format` and other functions of the core.
//!
//! Positions count UTF-16 units, as in Java; a cut inside a character gives U+FFFD.

use std::fmt::Write;

use datomite_model::{Edn, Keyword, Symbol, Uuid, Value};

use super::number::Number;
use super::{Builtin, CallError, Invocation, MANY, Outcome, clj, is_true};
use crate::QueryError;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new(
        "str",
        "(str x*): the text of all, joined; nil is empty",
        (0, MANY),
        |c| {
            let mut text = String::new();
            for at in 0..c.len() {
                let part = clj::text_of(c.edn(at)?);
                c.check_text(text.len().saturating_add(part.len()))?;
                text.push_str(&part);
            }
            Ok(Edn::string(&text))
        },
    ),
    Builtin::new(
        "pr-str",
        "(pr-str x*): as EDN, with spaces between",
        (0, MANY),
        |c| {
            let texts: Result<Vec<String>, QueryError> =
                (0..c.len()).map(|at| Ok(c.edn(at)?.to_string())).collect();
            Ok(Edn::string(&texts?.join(" ")))
        },
    ),
    Builtin::new(
        "subs",
        "(subs s start end?): part of a string",
        (2, 3),
        |c| {
            let end = if c.len() > 2 { Some(c.long(2)?) } else { None };
            cut(c, c.text(0)?, c.long(1)?, end)
        },
    ),
    Builtin::new(
        "name",
        "(name x): the last part of a keyword or symbol",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Value(Value::Keyword(k)) => Ok(Edn::string(k.name())),
            Edn::Value(Value::Symbol(s)) => Ok(Edn::string(s.name())),
            text @ Edn::Value(Value::String(_)) => Ok(text.clone()),
            _ => Err(c.wrong_type(0, "a keyword, symbol or string")),
        },
    ),
    Builtin::new(
        "namespace",
        "(namespace x): the first part, or nil",
        (1, 1),
        |c| {
            let namespace = match c.edn(0)? {
                Edn::Value(Value::Keyword(k)) => k.namespace(),
                Edn::Value(Value::Symbol(s)) => s.namespace(),
                _ => return Err(c.wrong_type(0, "a keyword or symbol")),
            };
            Ok(namespace.map_or(Edn::Nil, Edn::string))
        },
    ),
    Builtin::new(
        "keyword",
        "(keyword ns? name): a keyword, or nil",
        (1, 2),
        keyword,
    ),
    Builtin::new("symbol", "(symbol ns? name): a symbol", (1, 2), symbol),
    Builtin::new("char", "(char n): the character of a number", (1, 1), |c| {
        if let form @ Edn::Char(_) = c.edn(0)? {
            return Ok(form.clone());
        }
        let character = u32::try_from(c.long(0)?).ok().and_then(char::from_u32);
        character
            .map(Edn::Char)
            .ok_or_else(|| c.problem(super::Arithmetic::OutOfRange))
    }),
    Builtin::new(
        "format",
        "(format s x*): %s %d %x %f %e %b %c %n %%",
        (1, MANY),
        format,
    ),
    Builtin::new(
        "inst-ms",
        "(inst-ms i): milliseconds since 1970",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Value(Value::Instant(instant)) => Ok(Edn::long(instant.ms())),
            _ => Err(c.wrong_type(0, "an instant")),
        },
    ),
    Builtin::new(
        "parse-uuid",
        "(parse-uuid s): the uuid in a text, or nil",
        (1, 1),
        |c| {
            let uuid = parse_uuid(c.text(0)?);
            Ok(uuid.map_or(Edn::Nil, |uuid| Edn::Value(Value::Uuid(uuid))))
        },
    ),
    Builtin::new(
        "clojure.edn/read-string",
        "(clojure.edn/read-string s)",
        (1, 1),
        |c| {
            if !is_true(c.edn(0)?) {
                return Ok(Edn::Nil);
            }
            let text = c.text(0)?;
            let forms = datomite_model::read_all(text).map_err(|_| {
                QueryError::from(CallError::Unreadable {
                    function: c.function(),
                    text: text.to_string(),
                })
            })?;
            Ok(forms.into_iter().next().unwrap_or(Edn::Nil))
        },
    ),
];

/// Part of a text by UTF-16 units.
pub(super) fn cut(c: &Invocation<'_>, text: &str, start: i64, end: Option<i64>) -> Outcome {
    if text.is_ascii() {
        let end = end.unwrap_or(text.len() as i64);
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        return match range.and_then(|(start, end)| text.get(start..end)) {
            Some(part) => Ok(Edn::string(part)),
            None => Err(outside(c, start, end, text.len())),
        };
    }
    let units: Vec<u16> = text.encode_utf16().collect();
    let end = end.unwrap_or(units.len() as i64);
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    match range.and_then(|(start, end)| units.get(start..end)) {
        Some(part) => Ok(Edn::string(&String::from_utf16_lossy(part))),
        None => Err(outside(c, start, end, units.len())),
    }
}

fn outside(c: &Invocation<'_>, start: i64, end: i64, length: usize) -> QueryError {
    let inside = 0..=length as i64;
    CallError::OutOfBounds {
        function: c.function(),
        index: if inside.contains(&start) { end } else { start },
        length,
    }
    .into()
}

fn keyword(c: &Invocation<'_>) -> Outcome {
    if c.len() == 2 {
        let namespace = match c.edn(0)? {
            Edn::Nil => None,
            _ => Some(c.text(0)?),
        };
        return Ok(Edn::Value(Value::Keyword(Keyword::new(
            namespace,
            c.text(1)?,
        ))));
    }
    Ok(match c.edn(0)? {
        form @ Edn::Value(Value::Keyword(_)) => form.clone(),
        Edn::Value(Value::Symbol(s)) => {
            Edn::Value(Value::Keyword(Keyword::new(s.namespace(), s.name())))
        }
        Edn::Value(Value::String(text)) => Edn::Value(Value::Keyword(match text.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
                Keyword::new(Some(namespace), name)
            }
            _ => Keyword::new(None, text),
        })),
        _ => Edn::Nil,
    })
}

fn symbol(c: &Invocation<'_>) -> Outcome {
    if c.len() == 2 {
        return Ok(Edn::Value(Value::Symbol(Symbol::new(
            Some(c.text(0)?),
            c.text(1)?,
        ))));
    }
    match c.edn(0)? {
        form @ Edn::Value(Value::Symbol(_)) => Ok(form.clone()),
        Edn::Value(Value::Keyword(k)) => Ok(Edn::Value(Value::Symbol(Symbol::new(
            k.namespace(),
            k.name(),
        )))),
        Edn::Value(Value::String(text)) => Ok(Edn::symbol(text)),
        _ => Err(c.wrong_type(0, "a keyword, symbol or string")),
    }
}

/// Java's `UUID.fromString`: five groups of hexadecimal digits, leading zeros left out at will.
fn parse_uuid(text: &str) -> Option<Uuid> {
    let groups: Vec<&str> = text.split('-').collect();
    let widths = [8, 4, 4, 4, 12];
    if groups.len() != widths.len() {
        return None;
    }
    let mut value: u128 = 0;
    for (group, width) in groups.iter().zip(widths) {
        if group.is_empty() || group.len() > width || group.starts_with('+') {
            return None;
        }
        let part = u64::from_str_radix(group, 16).ok()?;
        value = (value << (4 * width)) | u128::from(part);
    }
    Some(Uuid::from_u128(value))
}

/// One `%` of a format: flags, width, precision, conversion.
struct Directive {
    left: bool,
    zero: bool,
    plus: bool,
    group: bool,
    width: usize,
    precision: Option<usize>,
    conversion: char,
}

/// No field is wider than this.
const WIDTH_MAX: usize = 10_000;

fn format(c: &Invocation<'_>) -> Outcome {
    let mut rest = c.text(0)?;
    let mut text = String::new();
    let mut next = 1;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        let (directive, length) = directive(&rest[at + 1..]).ok_or_else(|| bad_format(c))?;
        rest = &rest[at + 1 + length..];
        match directive.conversion {
            '%' => text.push('%'),
            'n' => text.push('\n'),
            _ => {
                if next >= c.len() {
                    return Err(bad_format(c));
                }
                let body = converted(c, next, &directive)?;
                pad(&mut text, &body, &directive);
                next += 1;
            }
        }
    }
    text.push_str(rest);
    Ok(Edn::string(&text))
}

fn bad_format(c: &Invocation<'_>) -> QueryError {
    super::numeric::unreadable(c, c.text(0).unwrap_or_default())
}

fn directive(text: &str) -> Option<(Directive, usize)> {
    let flags = text.find(|c: char| !"-0+,#( ".contains(c))?;
    let digits = |text: &str| {
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len())
    };
    let after = &text[flags..];
    let width_len = digits(after);
    let mut at = flags + width_len;
    let mut precision = None;
    if text[at..].starts_with('.') {
        let length = digits(&text[at + 1..]);
        precision = Some(text[at + 1..at + 1 + length].parse().ok()?);
        at += 1 + length;
    }
    let conversion = text[at..].chars().next()?;
    let width: usize = match width_len {
        0 => 0,
        _ => after[..width_len].parse().ok()?,
    };
    let fits = width <= WIDTH_MAX && precision.is_none_or(|p| p <= WIDTH_MAX);
    fits.then(|| {
        let directive = Directive {
            left: text[..flags].contains('-'),
            zero: text[..flags].contains('0'),
            plus: text[..flags].contains('+'),
            group: text[..flags].contains(','),
            width,
            precision,
            conversion,
        };
        (directive, at + conversion.len_utf8())
    })
}

fn converted(c: &Invocation<'_>, at: usize, directive: &Directive) -> Result<String, QueryError> {
    let form = c.edn(at)?;
    let cut = |text: String| match directive.precision {
        Some(length) => text.chars().take(length).collect(),
        None => text,
    };
    let signed = |text: String| {
        let text = if directive.group {
            grouped(&text)
        } else {
            text
        };
        if directive.plus && !text.starts_with('-') {
            format!("+{text}")
        } else {
            text
        }
    };
    Ok(match directive.conversion {
        's' | 'S' => {
            let text = if form.is_nil() {
                "null".to_string()
            } else {
                clj::text_of(form)
            };
            let text = cut(text);
            if directive.conversion == 'S' {
                text.to_uppercase()
            } else {
                text
            }
        }
        'b' => cut(clj::is_true(form).to_string()),
        'c' => match form {
            Edn::Char(character) => character.to_string(),
            _ => return Err(c.wrong_type(at, "a character")),
        },
        'd' => match Number::of(form) {
            Some(Number::Long(n)) => signed(n.to_string()),
            Some(Number::Big(n)) => signed(n.to_string()),
            _ => return Err(c.wrong_type(at, "a whole number for %d")),
        },
        'x' => format!("{:x}", c.long(at)?),
        'X' => format!("{:X}", c.long(at)?),
        'o' => format!("{:o}", c.long(at)?),
        'f' => signed(fixed(c, at, directive.precision.unwrap_or(6))?),
        'e' => {
            let text = format!(
                "{:.*e}",
                directive.precision.unwrap_or(6),
                c.number(at)?.to_f64()
            );
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let exponent: i32 = exponent.parse().unwrap_or(0);
            let sign = if exponent < 0 { '-' } else { '+' };
            signed(format!("{mantissa}e{sign}{:02}", exponent.abs()))
        }
        _ => return Err(bad_format(c)),
    })
}

/// Decimal digits rounded half up on the shortest text of the number, as Java does.
fn fixed(c: &Invocation<'_>, at: usize, digits: usize) -> Result<String, QueryError> {
    let form = c.edn(at)?;
    if !matches!(
        form,
        Edn::Value(Value::Double(_) | Value::Float(_) | Value::BigDec(_))
    ) {
        return Err(c.wrong_type(at, "a double or decimal for %f"));
    }
    let text = clj::text_of(form);
    let Ok(number) = text.parse::<datomite_model::BigDec>() else {
        return Ok(text);
    };
    let ten = datomite_model::BigInt::from(10);
    let excess = number.scale() - digits as i64;
    let unscaled = if excess > 0 {
        let unit = ten.pow(excess.min(10_000) as u32);
        let half: datomite_model::BigInt = &unit / 2;
        let away = if number.unscaled().sign() == num_bigint::Sign::Minus {
            -half
        } else {
            half
        };
        (number.unscaled() + away) / unit
    } else {
        number.unscaled() * ten.pow((-excess).min(10_000) as u32)
    };
    Ok(datomite_model::BigDec::new(unscaled, digits as i64).to_string())
}

fn grouped(text: &str) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let (sign, whole) = whole
        .strip_prefix('-')
        .map_or(("", whole), |rest| ("-", rest));
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        let _ = write!(out, ".{fraction}");
    }
    out
}

fn pad(text: &mut String, body: &str, directive: &Directive) {
    let missing = directive.width.saturating_sub(body.chars().count());
    let numeric = "dxXofe".contains(directive.conversion);
    if directive.left {
        text.push_str(body);
        text.extend(std::iter::repeat_n(' ', missing));
    } else if directive.zero && numeric {
        let (sign, digits) = match body.strip_prefix(['-', '+']) {
            Some(digits) => (&body[..1], digits),
            None => ("", body),
        };
        text.push_str(sign);
        text.extend(std::iter::repeat_n('0', missing));
        text.push_str(digits);
    } else {
        text.extend(std::iter::repeat_n(' ', missing));
        text.push_str(body);
    }
}
