//! The methods of `String`, and `Character`.

use datomite_model::{Edn, Value};

use super::call::seq;
use super::collections::items;
use super::regexes::{self, Anchor};
use super::{
    Builtin, CallError, Invocation, MANY, Outcome, clj, format, predicates, print, strings,
};
use crate::QueryError;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new(
        ".length",
        "(.length x): UTF-16 units of a string, elements of a vector",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Value(Value::String(text)) => Ok(Edn::long(text.encode_utf16().count() as i64)),
            Edn::Vector(items) => Ok(Edn::long(items.len() as i64)),
            _ => Err(c.wrong_type(0, "a string or vector")),
        },
    ),
    Builtin::new(
        ".isEmpty",
        "(.isEmpty x): whether a string or collection is empty",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Nil | Edn::Value(Value::Bytes(_)) => {
                Err(c.wrong_type(0, "a string or collection"))
            }
            _ => c.bool(items(c, 0)?.is_empty()),
        },
    ),
    Builtin::new(
        ".isBlank",
        "(.isBlank s): whether there is only white space",
        (1, 1),
        |c| c.bool(c.text(0)?.chars().all(strings::is_space)),
    ),
    Builtin::new(
        ".toUpperCase",
        "(.toUpperCase s): in capitals",
        (1, 1),
        |c| Ok(Edn::string(&c.text(0)?.to_uppercase())),
    ),
    Builtin::new(
        ".toLowerCase",
        "(.toLowerCase s): in small letters",
        (1, 1),
        |c| Ok(Edn::string(&c.text(0)?.to_lowercase())),
    ),
    Builtin::new(
        ".trim",
        "(.trim s): without control characters and spaces at the ends",
        (1, 1),
        |c| Ok(Edn::string(c.text(0)?.trim_matches(|x: char| x <= ' '))),
    ),
    Builtin::new(
        ".strip",
        "(.strip s): without white space at the ends",
        (1, 1),
        |c| Ok(Edn::string(c.text(0)?.trim_matches(strings::is_space))),
    ),
    Builtin::new(
        ".stripLeading",
        "(.stripLeading s): without white space at the start",
        (1, 1),
        |c| {
            Ok(Edn::string(
                c.text(0)?.trim_start_matches(strings::is_space),
            ))
        },
    ),
    Builtin::new(
        ".stripTrailing",
        "(.stripTrailing s): without white space at the end",
        (1, 1),
        |c| Ok(Edn::string(c.text(0)?.trim_end_matches(strings::is_space))),
    ),
    Builtin::new(
        ".startsWith",
        "(.startsWith s part from?): whether a string has part there",
        (2, 3),
        |c| {
            let from = if c.len() == 3 { c.position(2)? } else { 0 };
            let (units, part) = (units(c.text(0)?), units(c.text(1)?));
            let tail = usize::try_from(from)
                .ok()
                .and_then(|from| units.get(from..));
            c.bool(tail.is_some_and(|tail| tail.starts_with(&part)))
        },
    ),
    Builtin::new(
        ".endsWith",
        "(.endsWith s part): whether a string ends so",
        (2, 2),
        |c| c.bool(c.text(0)?.ends_with(c.text(1)?)),
    ),
    Builtin::new(
        ".contains",
        "(.contains x part): whether a string or collection has part",
        (2, 2),
        |c| match c.edn(0)? {
            Edn::Value(Value::String(text)) => c.bool(text.contains(c.text(1)?)),
            form @ (Edn::List(_) | Edn::Vector(_) | Edn::Set(_) | Edn::Value(Value::Tuple(_))) => {
                let all = seq(form).unwrap_or_default();
                let wanted = c.edn(1)?;
                c.bool(all.iter().any(|item| clj::equal(item, wanted)))
            }
            _ => Err(c.wrong_type(0, "a string or collection")),
        },
    ),
    Builtin::new(
        ".equalsIgnoreCase",
        "(.equalsIgnoreCase s other): equal but for case",
        (2, 2),
        |c| {
            if c.edn(1)?.is_nil() {
                return c.bool(false);
            }
            c.bool(folded(c.text(0)?) == folded(c.text(1)?))
        },
    ),
    Builtin::new(
        ".compareToIgnoreCase",
        "(.compareToIgnoreCase s other): the order but for case",
        (2, 2),
        |c| {
            let (a, b) = (folded(c.text(0)?), folded(c.text(1)?));
            Ok(Edn::long(predicates::java_compare(
                &Edn::string(&a),
                &Edn::string(&b),
            )))
        },
    ),
    Builtin::new(
        ".indexOf",
        "(.indexOf x part from?): the first position, or -1",
        (2, 3),
        |c| index_of(c, true),
    ),
    Builtin::new(
        ".lastIndexOf",
        "(.lastIndexOf x part from?): the last position, or -1",
        (2, 3),
        |c| index_of(c, false),
    ),
    Builtin::new(
        ".substring",
        "(.substring s start end?): part of a string",
        (2, 3),
        |c| {
            let end = if c.len() > 2 {
                Some(c.position(2)?)
            } else {
                None
            };
            strings::cut(c, c.text(0)?, c.position(1)?, end)
        },
    ),
    Builtin::new(
        ".subSequence",
        "(.subSequence s start end): the same",
        (3, 3),
        |c| strings::cut(c, c.text(0)?, c.position(1)?, Some(c.position(2)?)),
    ),
    Builtin::new(".concat", "(.concat s other): both in one", (2, 2), |c| {
        Ok(Edn::string(&[c.text(0)?, c.text(1)?].concat()))
    }),
    Builtin::new(".repeat", "(.repeat s n): n times", (2, 2), |c| {
        let (text, times) = (c.text(0)?, c.position(1)?);
        let times = usize::try_from(times).map_err(|_| c.wrong_type(1, "a count from zero on"))?;
        c.check_text(text.len().saturating_mul(times))?;
        Ok(Edn::string(&text.repeat(times)))
    }),
    Builtin::new(
        ".replace",
        "(.replace s part with): every part replaced",
        (3, 3),
        |c| match (c.edn(1)?, c.edn(2)?) {
            (Edn::Value(Value::String(_)), Edn::Value(Value::String(_)))
            | (Edn::Char(_), Edn::Char(_)) => {
                let (part, with) = (print::text_of(c.edn(1)?), print::text_of(c.edn(2)?));
                strings::replaced(c, c.text(0)?, &part, &with, usize::MAX)
            }
            _ => Err(c.wrong_type(2, "two strings or two characters")),
        },
    ),
    Builtin::new(
        ".replaceAll",
        "(.replaceAll s re with): every match replaced, re a string",
        (3, 3),
        |c| replace_matches(c, usize::MAX),
    ),
    Builtin::new(
        ".replaceFirst",
        "(.replaceFirst s re with): the first match replaced, re a string",
        (3, 3),
        |c| replace_matches(c, 1),
    ),
    Builtin::new(
        ".matches",
        "(.matches s re): whether a pattern, a string, covers it",
        (2, 2),
        |c| {
            let regex = regexes::compiled(c.context, c.text(1)?, Anchor::Whole)?;
            c.bool(regex.is_match(c.text(0)?))
        },
    ),
    Builtin::new(
        ".split",
        "(.split s re limit?): the parts, re a string",
        (2, 3),
        |c| {
            let regex = regexes::compiled(c.context, c.text(1)?, Anchor::None)?;
            let limit = if c.len() == 3 { c.position(2)? } else { 0 };
            Ok(super::text::parts(c.text(0)?, &regex, limit))
        },
    ),
    Builtin::new(
        ".charAt",
        "(.charAt s n): the character at n",
        (2, 2),
        |c| {
            let (units, at) = (units(c.text(0)?), c.position(1)?);
            let unit = usize::try_from(at).ok().and_then(|at| units.get(at));
            match unit {
                Some(unit) => Ok(Edn::Char(
                    char::from_u32(u32::from(*unit)).unwrap_or('\u{fffd}'),
                )),
                None => Err(CallError::OutOfBounds {
                    function: c.function(),
                    index: at,
                    length: units.len(),
                }
                .into()),
            }
        },
    ),
    Builtin::new(
        ".codePointAt",
        "(.codePointAt s n): the number of the character at n",
        (2, 2),
        |c| {
            let (text, at) = (c.text(0)?, c.position(1)?);
            let part = strings::cut(c, text, at, None)?;
            let first = part.as_str().and_then(|part| part.chars().next());
            first
                .map(|first| Edn::long(i64::from(u32::from(first))))
                .ok_or_else(|| c.wrong_type(1, "a position inside the string"))
        },
    ),
    Builtin::new(
        ".toCharArray",
        "(.toCharArray s): its characters",
        (1, 1),
        |c| Ok(Edn::Vector(c.text(0)?.chars().map(Edn::Char).collect())),
    ),
    Builtin::new(
        ".getBytes",
        "(.getBytes s): its bytes in UTF-8",
        (1, 2),
        |c| Ok(Edn::Value(Value::Bytes(c.text(0)?.as_bytes().into()))),
    ),
    Builtin::new(".intern", "(.intern s): s", (1, 1), |c| {
        Ok(Edn::string(c.text(0)?))
    }),
    Builtin::new(
        ".contentEquals",
        "(.contentEquals s other): whether the texts are equal",
        (2, 2),
        |c| c.bool(c.text(0)? == c.text(1)?),
    ),
    Builtin::new(
        ".regionMatches",
        "(.regionMatches s at other from n): whether n units are equal",
        (5, 5),
        |c| {
            let (text, other) = (units(c.text(0)?), units(c.text(2)?));
            let part = |units: &[u16], at: i64, n: i64| -> Option<Vec<u16>> {
                let at = usize::try_from(at).ok()?;
                let n = usize::try_from(n).unwrap_or(0);
                units.get(at..at.checked_add(n)?).map(<[u16]>::to_vec)
            };
            let (at, from, n) = (c.position(1)?, c.position(3)?, c.position(4)?);
            let (a, b) = (part(&text, at, n), part(&other, from, n));
            c.bool(a.is_some() && a == b)
        },
    ),
    Builtin::new(
        "String/valueOf",
        "(String/valueOf x): its text",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Nil => Err(c.wrong_type(0, "a value")),
            form => Ok(Edn::string(&print::text_of(form))),
        },
    ),
    Builtin::new(
        "String/join",
        "(String/join separator xs): texts in one",
        (2, MANY),
        |c| {
            let parts: Vec<String> = match c.len() {
                2 if c.edn(1)?.as_str().is_none() => {
                    items(c, 1)?.iter().map(print::text_of).collect()
                }
                _ => (1..c.len())
                    .map(|at| c.text(at).map(str::to_string))
                    .collect::<Result<_, _>>()?,
            };
            Ok(Edn::string(&parts.join(c.text(0)?)))
        },
    ),
    Builtin::new(
        "String/format",
        "(String/format s xs): as format, arguments in an array",
        (1, MANY),
        |c| {
            let args = if c.len() == 2 {
                items(c, 1)?.into_owned()
            } else {
                Vec::new()
            };
            let args: Vec<&Edn> = args.iter().collect();
            format::formatted(c, c.text(0)?, &args).map(|text| Edn::string(&text))
        },
    ),
    Builtin::new("String.", "(String. s): s", (0, 1), |c| {
        match c.optional(0)? {
            Edn::Nil if c.len() == 0 => Ok(Edn::string("")),
            Edn::Value(Value::Bytes(bytes)) => Ok(Edn::string(&String::from_utf8_lossy(bytes))),
            _ => Ok(Edn::string(c.text(0)?)),
        }
    }),
    Builtin::new(
        "Character/isDigit",
        "(Character/isDigit c): whether it is a decimal digit",
        (1, 1),
        |c| is(c, |x| regexes::digit_value(x).is_some()),
    ),
    Builtin::new(
        "Character/isLetter",
        "(Character/isLetter c): whether it is a letter",
        (1, 1),
        |c| is(c, char::is_alphabetic),
    ),
    Builtin::new(
        "Character/isAlphabetic",
        "(Character/isAlphabetic c): whether the character of a number is a letter",
        (1, 1),
        |c| {
            let number = super::casts::int(c, 0)?;
            let found = u32::try_from(number).ok().and_then(char::from_u32);
            c.bool(found.is_some_and(char::is_alphabetic))
        },
    ),
    Builtin::new(
        "Character/isLetterOrDigit",
        "(Character/isLetterOrDigit c): one of both",
        (1, 1),
        |c| {
            is(c, |x| {
                x.is_alphabetic() || regexes::digit_value(x).is_some()
            })
        },
    ),
    Builtin::new(
        "Character/isUpperCase",
        "(Character/isUpperCase c): whether it is a capital",
        (1, 1),
        |c| is(c, char::is_uppercase),
    ),
    Builtin::new(
        "Character/isLowerCase",
        "(Character/isLowerCase c): whether it is a small letter",
        (1, 1),
        |c| is(c, char::is_lowercase),
    ),
    Builtin::new(
        "Character/isWhitespace",
        "(Character/isWhitespace c): whether it is white space",
        (1, 1),
        |c| is(c, strings::is_space),
    ),
    Builtin::new(
        "Character/toUpperCase",
        "(Character/toUpperCase c): the capital",
        (1, 1),
        |c| turned(c, |x| one(x.to_uppercase(), x)),
    ),
    Builtin::new(
        "Character/toLowerCase",
        "(Character/toLowerCase c): the small letter",
        (1, 1),
        |c| turned(c, |x| one(x.to_lowercase(), x)),
    ),
    Builtin::new(
        "Character/getNumericValue",
        "(Character/getNumericValue c): its value as a digit or letter, or -1",
        (1, 1),
        |c| {
            let value = |x: char| {
                regexes::digit_value(x)
                    .or_else(|| x.to_digit(36))
                    .map_or(-1, i64::from)
            };
            match c.edn(0)? {
                Edn::Char(x) => Ok(Edn::long(value(*x))),
                _ => {
                    let Some(number) = c.edn(0)?.as_long() else {
                        return Err(c.wrong_type(0, "a character or its number"));
                    };
                    let number = u32::try_from(number).ok();
                    Ok(Edn::long(number.and_then(char::from_u32).map_or(-1, value)))
                }
            }
        },
    ),
    Builtin::new(
        "Character/digit",
        "(Character/digit c radix): its value as a digit, or -1",
        (2, 2),
        |c| {
            let radix = c.position(1)?;
            let value =
                regexes::digit_value(character(c)?).or_else(|| character(c).ok()?.to_digit(36));
            Ok(Edn::long(
                value
                    .map(i64::from)
                    .filter(|value| *value < radix && radix <= 36)
                    .unwrap_or(-1),
            ))
        },
    ),
    Builtin::new(
        "Character/toString",
        "(Character/toString c): its text",
        (1, 1),
        |c| match c.edn(0)?.as_long() {
            Some(number) => match u32::try_from(number).ok().and_then(char::from_u32) {
                Some(found) => Ok(Edn::string(&found.to_string())),
                None => Err(c.wrong_type(0, "a character or its number")),
            },
            None => Ok(Edn::string(&character(c)?.to_string())),
        },
    ),
    Builtin::new(
        "Character/valueOf",
        "(Character/valueOf c): c",
        (1, 1),
        |c| Ok(Edn::Char(character(c)?)),
    ),
    Builtin::new(".charValue", "(.charValue c): c", (1, 1), |c| {
        Ok(Edn::Char(character(c)?))
    }),
];

pub(super) fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// Each character through its capital to its small letter, as Java ignores case.
fn folded(text: &str) -> String {
    let fold = |x: char| one(one(x.to_uppercase(), x).to_lowercase(), x);
    text.chars().map(fold).collect()
}

/// The character that a case mapping gives, where it is a single one.
fn one(mut mapped: impl Iterator<Item = char>, original: char) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(only), None) => only,
        _ => original,
    }
}

fn character(c: &Invocation<'_>) -> Result<char, QueryError> {
    match c.edn(0)? {
        Edn::Char(character) => Ok(*character),
        _ => Err(c.wrong_type(0, "a character")),
    }
}

/// A test of a character, or of one by its number.
fn is(c: &Invocation<'_>, test: fn(char) -> bool) -> Outcome {
    match c.edn(0)? {
        Edn::Value(Value::Long(n)) => {
            let found = u32::try_from(*n as i32).ok().and_then(char::from_u32);
            c.bool(found.is_some_and(test))
        }
        _ => c.bool(test(character(c)?)),
    }
}

fn turned(c: &Invocation<'_>, turn: fn(char) -> char) -> Outcome {
    match c.edn(0)? {
        Edn::Value(Value::Long(n)) => {
            let number = *n as i32;
            let found = u32::try_from(number).ok().and_then(char::from_u32);
            let turned = found.map_or(i64::from(number), |x| i64::from(u32::from(turn(x))));
            Ok(Edn::long(turned))
        }
        _ => Ok(Edn::Char(turn(character(c)?))),
    }
}

/// Positions in strings count units, in lists elements.
fn index_of(c: &Invocation<'_>, first: bool) -> Outcome {
    if let Some(all) = clj::elements(c.edn(0)?) {
        let wanted = c.edn(1)?;
        let found = if first {
            all.iter().position(|item| clj::equal(item, wanted))
        } else {
            all.iter().rposition(|item| clj::equal(item, wanted))
        };
        return Ok(Edn::long(found.map_or(-1, |at| at as i64)));
    }
    let whole = units(c.text(0)?);
    let part = match c.edn(1)? {
        Edn::Char(character) => units(&character.to_string()),
        Edn::Value(Value::Long(n)) => {
            let found = u32::try_from(*n).ok().and_then(char::from_u32);
            found.map_or(vec![0xffff, 0xffff], |x| units(&x.to_string()))
        }
        _ => units(c.text(1)?),
    };
    let from = if c.len() > 2 {
        Some(c.position(2)?)
    } else {
        None
    };
    Ok(Edn::long(
        strings::position(&whole, &part, from, first).map_or(-1, |at| at as i64),
    ))
}

fn replace_matches(c: &Invocation<'_>, most: usize) -> Outcome {
    let regex = regexes::compiled(c.context, c.text(1)?, Anchor::None)?;
    super::text::replace_by_template(c, c.text(0)?, &regex, c.text(2)?, most)
}
