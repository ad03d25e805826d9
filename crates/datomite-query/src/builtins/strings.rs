//! Text and names: `str`, `subs`, `name`, `keyword`, `format` and other functions of the core.
//!
//! Positions count UTF-16 units, as in Java; a cut inside a character gives U+FFFD.

use datomite_model::{Edn, Keyword, Symbol, Uuid, Value};

use super::format::format;
use super::{Builtin, CallError, Invocation, MANY, Outcome, print};
use crate::QueryError;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new(
        "str",
        "(str x*): the text of all, joined; nil is empty",
        (0, MANY),
        |c| {
            let mut text = String::new();
            for at in 0..c.len() {
                let part = print::text_of(c.edn(at)?);
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
        |c| printed(c, true, ""),
    ),
    Builtin::new(
        "prn-str",
        "(prn-str x*): as pr-str, and a line end",
        (0, MANY),
        |c| printed(c, true, "\n"),
    ),
    Builtin::new(
        "print-str",
        "(print-str x*): as pr-str, without quotes",
        (0, MANY),
        |c| printed(c, false, ""),
    ),
    Builtin::new(
        "println-str",
        "(println-str x*): as print-str, and a line end",
        (0, MANY),
        |c| printed(c, false, "\n"),
    ),
    Builtin::new(
        "subs",
        "(subs s start end?): part of a string",
        (2, 3),
        |c| {
            let end = if c.len() > 2 {
                Some(c.position(2)?)
            } else {
                None
            };
            cut(c, c.text(0)?, c.position(1)?, end)
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
        let whole = super::java_numbers::whole(c, 0)?;
        let unit = u16::try_from(whole).map_err(|_| c.problem(super::Arithmetic::OutOfRange))?;
        let character = char::from_u32(u32::from(unit)).unwrap_or('\u{fffd}');
        Ok(Edn::Char(character))
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
        "(clojure.edn/read-string s): the first form in a text",
        (1, 1),
        |c| {
            if matches!(c.edn(0)?, Edn::Nil | Edn::Value(Value::Boolean(false))) {
                return Ok(Edn::Nil);
            }
            let forms = read_all(c, c.text(0)?)?;
            Ok(forms.into_iter().next().unwrap_or(Edn::Nil))
        },
    ),
    Builtin::new(
        "read-string",
        "(read-string s): the form in a text",
        (1, 1),
        |c| {
            let text = c.text(0)?;
            let first = read_all(c, text)?.into_iter().next();
            first.ok_or_else(|| super::numeric::unreadable(c, text))
        },
    ),
    Builtin::new(
        "find-keyword",
        "(find-keyword ns? name): a keyword, or nil",
        (1, 2),
        keyword,
    ),
    Builtin::new("gensym", "(gensym prefix?): a new symbol", (0, 1), |c| {
        let prefix = if c.len() == 1 { c.text(0)? } else { "G__" };
        let number = match super::transform::random_uuid(None) {
            Edn::Value(Value::Uuid(uuid)) => uuid.as_u128() % 1_000_000_007,
            _ => 0,
        };
        Ok(Edn::symbol(&format!("{prefix}{number}")))
    }),
    Builtin::new(
        "munge",
        "(munge s): a name as Java writes it",
        (1, 1),
        |c| {
            let munged: String = print::text_of(c.edn(0)?)
                .chars()
                .map(|x| match x {
                    '-' => "_".to_string(),
                    '?' => "_QMARK_".to_string(),
                    '!' => "_BANG_".to_string(),
                    '+' => "_PLUS_".to_string(),
                    '*' => "_STAR_".to_string(),
                    '=' => "_EQ_".to_string(),
                    '<' => "_LT_".to_string(),
                    '>' => "_GT_".to_string(),
                    other => other.to_string(),
                })
                .collect();
            Ok(match c.edn(0)? {
                Edn::Value(Value::Symbol(_)) => Edn::symbol(&munged),
                _ => Edn::string(&munged),
            })
        },
    ),
    Builtin::new(
        "namespace-munge",
        "(namespace-munge s): a namespace as Java writes it",
        (1, 1),
        |c| Ok(Edn::string(&print::text_of(c.edn(0)?).replace('-', "_"))),
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
        let namespace = match c.edn(0)? {
            Edn::Nil => None,
            _ => Some(c.text(0)?),
        };
        return Ok(Edn::Value(Value::Symbol(Symbol::new(
            namespace,
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
pub(super) fn parse_uuid(text: &str) -> Option<Uuid> {
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

fn printed(c: &Invocation<'_>, readably: bool, end: &str) -> Outcome {
    let texts: Result<Vec<String>, QueryError> = (0..c.len())
        .map(|at| Ok(print::printed(c.edn(at)?, readably)))
        .collect();
    Ok(Edn::string(&(texts?.join(" ") + end)))
}

fn read_all(c: &Invocation<'_>, text: &str) -> Result<Vec<Edn>, QueryError> {
    let forms = datomite_model::read_all(text);
    forms.map_err(|_| super::numeric::unreadable(c, text))
}

/// White space as Java has it: without the spaces that do not break.
pub(super) fn is_space(c: char) -> bool {
    match c {
        '\u{1c}'..='\u{1f}' => true,
        '\u{85}' | '\u{a0}' | '\u{2007}' | '\u{202f}' => false,
        c => c.is_whitespace(),
    }
}

/// Where units stand in others, from a position on, or up to it from the end.
pub(super) fn position(
    whole: &[u16],
    part: &[u16],
    from: Option<i64>,
    first: bool,
) -> Option<usize> {
    let last = whole.len().checked_sub(part.len())?;
    let meets = |at: &usize| whole[*at..].starts_with(part);
    if first {
        let from = usize::try_from(from.unwrap_or(0)).unwrap_or(0);
        if part.is_empty() {
            return Some(from.min(whole.len()));
        }
        return (from..=last).find(meets);
    }
    let from = from.map_or(Some(last), |from| usize::try_from(from).ok())?;
    (0..=from.min(last)).rev().find(meets)
}

/// The text with a part replaced so often; an empty part is between all units.
pub(super) fn replaced(
    c: &Invocation<'_>,
    whole: &str,
    part: &str,
    with: &str,
    most: usize,
) -> Outcome {
    let matches = whole.matches(part).take(most).count();
    c.check_text(
        whole
            .len()
            .saturating_add(matches.saturating_mul(with.len())),
    )?;
    Ok(Edn::string(&whole.replacen(part, with, most)))
}
