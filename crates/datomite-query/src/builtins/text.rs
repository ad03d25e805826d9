//! `clojure.string`.

use datomite_model::{Edn, Value};
use regex::Captures;

use super::collections::items;
use super::regexes::{Anchor, pattern, pattern_text};
use super::{Arg, Builtin, Invocation, Outcome, clj};
use crate::QueryError;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("clojure.string/upper-case", "(upper-case s)", (1, 1), |c| {
        Ok(Edn::string(&text(c, 0)?.to_uppercase()))
    }),
    Builtin::new("clojure.string/lower-case", "(lower-case s)", (1, 1), |c| {
        Ok(Edn::string(&text(c, 0)?.to_lowercase()))
    }),
    Builtin::new(
        "clojure.string/capitalize",
        "(capitalize s): first up, rest down",
        (1, 1),
        |c| {
            let whole = text(c, 0)?;
            let mut chars = whole.chars();
            let first: String = chars.next().iter().flat_map(|x| x.to_uppercase()).collect();
            Ok(Edn::string(&(first + &chars.as_str().to_lowercase())))
        },
    ),
    Builtin::new(
        "clojure.string/includes?",
        "(includes? s part)",
        (2, 2),
        |c| c.bool(text(c, 0)?.contains(c.text(1)?)),
    ),
    Builtin::new(
        "clojure.string/starts-with?",
        "(starts-with? s part)",
        (2, 2),
        |c| c.bool(text(c, 0)?.starts_with(c.text(1)?)),
    ),
    Builtin::new(
        "clojure.string/ends-with?",
        "(ends-with? s part)",
        (2, 2),
        |c| c.bool(text(c, 0)?.ends_with(c.text(1)?)),
    ),
    Builtin::new(
        "clojure.string/blank?",
        "(blank? s): nil, empty or white space",
        (1, 1),
        |c| c.bool(c.edn(0)?.is_nil() || c.text(0)?.chars().all(char::is_whitespace)),
    ),
    Builtin::new(
        "clojure.string/index-of",
        "(index-of s part from?): or nil",
        (2, 3),
        |c| index_of(c, true),
    ),
    Builtin::new(
        "clojure.string/last-index-of",
        "(last-index-of s part)",
        (2, 2),
        |c| index_of(c, false),
    ),
    Builtin::new(
        "clojure.string/split",
        "(split s re limit?): the parts",
        (2, 3),
        split,
    ),
    Builtin::new(
        "clojure.string/split-lines",
        "(split-lines s): the lines",
        (1, 1),
        |c| {
            let whole = c.text(0)?;
            let mut lines: Vec<&str> = whole
                .split('\n')
                .map(|line| line.strip_suffix('\r').unwrap_or(line))
                .collect();
            drop_empty_end(&mut lines);
            Ok(Edn::Vector(lines.into_iter().map(Edn::string).collect()))
        },
    ),
    Builtin::new(
        "clojure.string/join",
        "(join separator? xs): one text",
        (1, 2),
        |c| {
            let separator = if c.len() == 2 {
                clj::text_of(c.edn(0)?)
            } else {
                String::new()
            };
            let parts = items(c, c.len() - 1)?;
            let mut joined = String::new();
            for (at, part) in parts.iter().enumerate() {
                c.tick()?;
                let part = clj::text_of(part);
                c.check_text(joined.len() + separator.len() + part.len())?;
                if at > 0 {
                    joined.push_str(&separator);
                }
                joined.push_str(&part);
            }
            Ok(Edn::string(&joined))
        },
    ),
    Builtin::new(
        "clojure.string/replace",
        "(replace s match with): every match",
        (3, 3),
        |c| replace(c, usize::MAX),
    ),
    Builtin::new(
        "clojure.string/replace-first",
        "(replace-first s match with)",
        (3, 3),
        |c| replace(c, 1),
    ),
    Builtin::new(
        "clojure.string/trim",
        "(trim s): no white space at the ends",
        (1, 1),
        |c| Ok(Edn::string(text(c, 0)?.trim())),
    ),
    Builtin::new(
        "clojure.string/triml",
        "(triml s): none at the start",
        (1, 1),
        |c| Ok(Edn::string(text(c, 0)?.trim_start())),
    ),
    Builtin::new(
        "clojure.string/trimr",
        "(trimr s): none at the end",
        (1, 1),
        |c| Ok(Edn::string(text(c, 0)?.trim_end())),
    ),
    Builtin::new(
        "clojure.string/trim-newline",
        "(trim-newline s): no line end",
        (1, 1),
        |c| Ok(Edn::string(text(c, 0)?.trim_end_matches(['\r', '\n']))),
    ),
    Builtin::new(
        "clojure.string/reverse",
        "(reverse s): from the end",
        (1, 1),
        |c| {
            let reversed: String = c.text(0)?.chars().rev().collect();
            Ok(Edn::string(&reversed))
        },
    ),
    Builtin::new(
        "clojure.string/escape",
        "(escape s m): characters through m",
        (2, 2),
        |c| {
            let mut out = String::new();
            for character in text(c, 0)?.chars() {
                let through = c.apply(1, &[Arg::Edn(&Edn::Char(character))])?;
                match through {
                    Edn::Nil => out.push(character),
                    other => {
                        let part = clj::text_of(&other);
                        c.check_text(out.len() + part.len())?;
                        out.push_str(&part);
                    }
                }
            }
            Ok(Edn::string(&out))
        },
    ),
];

/// The text of anything but nil, as `toString` would give it.
fn text<'a>(c: &Invocation<'a>, at: usize) -> Result<std::borrow::Cow<'a, str>, QueryError> {
    match c.edn(at)? {
        Edn::Nil => Err(c.wrong_type(at, "a string")),
        Edn::Value(Value::String(text)) => Ok(std::borrow::Cow::Borrowed(text)),
        form => Ok(std::borrow::Cow::Owned(clj::text_of(form))),
    }
}

fn drop_empty_end(parts: &mut Vec<&str>) {
    while parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
}

fn index_of(c: &Invocation<'_>, first: bool) -> Outcome {
    let whole = text(c, 0)?;
    let part = text(c, 1)?;
    let from = if c.len() > 2 { c.count(2)? } else { 0 };
    let start: usize = whole.chars().take(from).map(char::len_utf8).sum();
    let found = if first {
        whole[start..].find(part.as_ref()).map(|at| start + at)
    } else {
        whole.rfind(part.as_ref())
    };
    let units = |at: usize| whole[..at].encode_utf16().count() as i64;
    Ok(found.map_or(Edn::Nil, |at| Edn::long(units(at))))
}

/// Java's `Pattern.split`: no limit drops empty parts at the end, a negative one keeps them.
fn split(c: &Invocation<'_>) -> Outcome {
    let whole = c.text(0)?;
    let regex = pattern(c, 1, Anchor::None)?;
    let limit = if c.len() > 2 { c.long(2)? } else { 0 };
    let most = if limit > 0 {
        limit as usize
    } else {
        usize::MAX
    };
    let mut parts = Vec::new();
    let mut from = 0;
    for found in regex.find_iter(whole) {
        if parts.len() + 1 >= most {
            break;
        }
        // An empty match at the start makes no empty first part.
        if found.end() == 0 {
            continue;
        }
        parts.push(&whole[from..found.start()]);
        from = found.end();
    }
    parts.push(&whole[from..]);
    if limit == 0 {
        drop_empty_end(&mut parts);
    }
    Ok(Edn::Vector(parts.into_iter().map(Edn::string).collect()))
}

fn replace(c: &Invocation<'_>, most: usize) -> Outcome {
    let whole = text(c, 0)?;
    match (c.edn(1)?, c.args[2]) {
        (Edn::Value(Value::String(from)), Arg::Edn(Edn::Value(Value::String(to)))) => {
            c.check_text(replaced_len(&whole, from, to, most))?;
            Ok(Edn::string(&whole.replacen(from.as_ref(), to, most)))
        }
        (Edn::Char(from), Arg::Edn(Edn::Char(to))) => {
            let mut buffer = [0; 4];
            Ok(Edn::string(&whole.replacen(
                *from,
                to.encode_utf8(&mut buffer),
                most,
            )))
        }
        (form, with) if pattern_text(form).is_some() => replace_matches(c, &whole, with, most),
        _ => Err(c.wrong_type(2, "a replacement of the kind of the match")),
    }
}

/// At most how long text is after its matches are replaced.
pub(super) fn replaced_len(whole: &str, from: &str, to: &str, most: usize) -> usize {
    let matches = whole.matches(from).take(most).count();
    whole.len().saturating_add(matches.saturating_mul(to.len()))
}

fn replace_matches(c: &Invocation<'_>, whole: &str, with: Arg<'_>, most: usize) -> Outcome {
    let regex = pattern(c, 1, Anchor::None)?;
    let mut out = String::new();
    let mut from = 0;
    for found in regex.captures_iter(whole).take(most) {
        let Some(all) = found.get(0) else {
            continue;
        };
        out.push_str(&whole[from..all.start()]);
        c.tick()?;
        c.check_text(out.len())?;
        match with {
            Arg::Edn(Edn::Value(Value::String(template))) => expand(c, template, &found, &mut out)?,
            _ => {
                let groups = (0..found.len()).map(|at| {
                    found
                        .get(at)
                        .map_or(Edn::Nil, |part| Edn::string(part.as_str()))
                });
                let mut groups: Vec<Edn> = groups.collect();
                let given = if groups.len() == 1 {
                    groups.remove(0)
                } else {
                    Edn::Vector(groups)
                };
                out.push_str(&clj::text_of(&c.apply(2, &[Arg::Edn(&given)])?));
            }
        }
        from = all.end();
    }
    out.push_str(&whole[from..]);
    Ok(Edn::string(&out))
}

/// Java's template: `$1` is a group, a backslash takes the next character as it is.
fn expand(
    c: &Invocation<'_>,
    template: &str,
    found: &Captures<'_>,
    out: &mut String,
) -> Result<(), QueryError> {
    let mut chars = template.chars();
    while let Some(character) = chars.next() {
        c.check_text(out.len())?;
        match character {
            '\\' => out.extend(chars.next()),
            '$' => {
                let group = chars.next().and_then(|digit| digit.to_digit(10));
                match group.filter(|group| (*group as usize) < found.len()) {
                    Some(group) => {
                        out.push_str(found.get(group as usize).map_or("", |part| part.as_str()));
                    }
                    None => return Err(c.wrong_type(2, "a template with groups that exist")),
                }
            }
            other => out.push(other),
        }
    }
    Ok(())
}
