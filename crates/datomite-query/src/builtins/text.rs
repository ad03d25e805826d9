//! `clojure.string`.

use datomite_model::{Edn, Value};
use regex::{Captures, Regex};

use super::collections::items;
use super::java_text::units;
use super::regexes::{Anchor, all_matches, pattern, pattern_text};
use super::strings::{is_space, position, replaced};
use super::{Arg, Builtin, Invocation, Outcome, clj, print};
use crate::QueryError;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new(
        "clojure.string/upper-case",
        "(upper-case s): in capitals",
        (1, 1),
        |c| Ok(Edn::string(&text(c, 0)?.to_uppercase())),
    ),
    Builtin::new(
        "clojure.string/lower-case",
        "(lower-case s): in small letters",
        (1, 1),
        |c| Ok(Edn::string(&text(c, 0)?.to_lowercase())),
    ),
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
        "(includes? s part): whether part is in s",
        (2, 2),
        |c| c.bool(text(c, 0)?.contains(c.text(1)?)),
    ),
    Builtin::new(
        "clojure.string/starts-with?",
        "(starts-with? s part): whether s begins so",
        (2, 2),
        |c| c.bool(text(c, 0)?.starts_with(c.text(1)?)),
    ),
    Builtin::new(
        "clojure.string/ends-with?",
        "(ends-with? s part): whether s ends so",
        (2, 2),
        |c| c.bool(text(c, 0)?.ends_with(c.text(1)?)),
    ),
    Builtin::new(
        "clojure.string/blank?",
        "(blank? s): nil, empty or white space",
        (1, 1),
        |c| c.bool(!clj::is_true(c.edn(0)?) || c.text(0)?.chars().all(is_space)),
    ),
    Builtin::new(
        "clojure.string/index-of",
        "(index-of s part from?): or nil",
        (2, 3),
        |c| index_of(c, true),
    ),
    Builtin::new(
        "clojure.string/last-index-of",
        "(last-index-of s part from?): or nil",
        (2, 3),
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
            if lines.len() > 1 {
                drop_empty_end(&mut lines);
            }
            Ok(Edn::Vector(lines.into_iter().map(Edn::string).collect()))
        },
    ),
    Builtin::new(
        "clojure.string/join",
        "(join separator? xs): one text",
        (1, 2),
        |c| {
            let separator = if c.len() == 2 {
                print::text_of(c.edn(0)?)
            } else {
                String::new()
            };
            let parts = items(c, c.len() - 1)?;
            let mut joined = String::new();
            for (at, part) in parts.iter().enumerate() {
                c.tick()?;
                let part = print::text_of(part);
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
        "(replace-first s match with): the first match",
        (3, 3),
        |c| replace(c, 1),
    ),
    Builtin::new(
        "clojure.string/trim",
        "(trim s): no white space at the ends",
        (1, 1),
        |c| Ok(Edn::string(c.text(0)?.trim_matches(is_space))),
    ),
    Builtin::new(
        "clojure.string/triml",
        "(triml s): none at the start",
        (1, 1),
        |c| Ok(Edn::string(c.text(0)?.trim_start_matches(is_space))),
    ),
    Builtin::new(
        "clojure.string/trimr",
        "(trimr s): none at the end",
        (1, 1),
        |c| Ok(Edn::string(c.text(0)?.trim_end_matches(is_space))),
    ),
    Builtin::new(
        "clojure.string/trim-newline",
        "(trim-newline s): no line end",
        (1, 1),
        |c| Ok(Edn::string(c.text(0)?.trim_end_matches(['\r', '\n']))),
    ),
    Builtin::new(
        "clojure.string/re-quote-replacement",
        "(re-quote-replacement s): s as a replacement that means itself",
        (1, 1),
        |c| {
            let text = text(c, 0)?;
            Ok(Edn::string(&text.replace('\\', "\\\\").replace('$', "\\$")))
        },
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
                        let part = print::text_of(&other);
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
        form => Ok(std::borrow::Cow::Owned(print::text_of(form))),
    }
}

fn drop_empty_end(parts: &mut Vec<&str>) {
    while parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
}

fn index_of(c: &Invocation<'_>, first: bool) -> Outcome {
    let whole = text(c, 0)?;
    let part = text(c, 1)?;
    let from = match c.len() {
        3 => Some(c.position(2)?),
        _ => None,
    };
    let found = position(&units(&whole), &units(&part), from, first);
    Ok(found.map_or(Edn::Nil, |at| Edn::long(at as i64)))
}

/// Java's `Pattern.split`: no limit drops empty parts at the end, a negative one keeps them.
fn split(c: &Invocation<'_>) -> Outcome {
    let regex = pattern(c, 1, Anchor::None)?;
    let limit = if c.len() > 2 { c.position(2)? } else { 0 };
    Ok(parts(c.text(0)?, &regex, limit))
}

/// The parts of a text between matches.
pub(super) fn parts(whole: &str, regex: &Regex, limit: i64) -> Edn {
    let most = if limit > 0 {
        limit as usize
    } else {
        usize::MAX
    };
    let mut parts = Vec::new();
    let mut from = 0;
    for found in all_matches(regex, whole) {
        let Some(found) = found.get(0) else { continue };
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
    let split = !parts.is_empty();
    parts.push(&whole[from..]);
    if limit == 0 && split {
        drop_empty_end(&mut parts);
    }
    Edn::Vector(parts.into_iter().map(Edn::string).collect())
}

fn replace(c: &Invocation<'_>, most: usize) -> Outcome {
    let whole = text(c, 0)?;
    match (c.edn(1)?, c.args[2]) {
        (Edn::Value(Value::String(from)), Arg::Edn(Edn::Value(Value::String(to)))) => {
            replaced(c, &whole, from, to, most)
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

fn replace_matches(c: &Invocation<'_>, whole: &str, with: Arg<'_>, most: usize) -> Outcome {
    let regex = pattern(c, 1, Anchor::None)?;
    let mut out = String::new();
    let mut from = 0;
    for found in all_matches(&regex, whole).into_iter().take(most) {
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
                out.push_str(&print::text_of(&c.apply(2, &[Arg::Edn(&given)])?));
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
                let part = match chars.next() {
                    Some('{') => {
                        let name: String = chars.by_ref().take_while(|x| *x != '}').collect();
                        found.name(&name)
                    }
                    Some(digit) => {
                        let group = digit.to_digit(10).map(|group| group as usize);
                        let Some(mut group) = group.filter(|group| *group < found.len()) else {
                            return Err(c.wrong_type(2, "a template with groups that exist"));
                        };
                        // More digits, as long as there is such a group.
                        while let Some(digit) = chars.clone().next().and_then(|x| x.to_digit(10)) {
                            let longer = group * 10 + digit as usize;
                            if longer >= found.len() {
                                break;
                            }
                            group = longer;
                            chars.next();
                        }
                        found.get(group)
                    }
                    None => return Err(c.wrong_type(2, "a template with groups that exist")),
                };
                out.push_str(part.map_or("", |part| part.as_str()));
            }
            other => out.push(other),
        }
    }
    Ok(())
}

/// The text with matches replaced through a template.
pub(super) fn replace_by_template(
    c: &Invocation<'_>,
    whole: &str,
    regex: &Regex,
    template: &str,
    most: usize,
) -> Outcome {
    let mut out = String::new();
    let mut from = 0;
    for found in all_matches(regex, whole).into_iter().take(most) {
        let Some(all) = found.get(0) else { continue };
        out.push_str(&whole[from..all.start()]);
        expand(c, template, &found, &mut out)?;
        c.tick()?;
        from = all.end();
    }
    out.push_str(&whole[from..]);
    Ok(Edn::string(&out))
}
