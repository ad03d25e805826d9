//! Regular expressions: `re-pattern`, `re-find`, `re-matches`, `re-seq`.
//!
//! Java's syntax, as far as matching in linear time goes: `\d \w \s \b` mean ASCII, as there;
//! look-around and back-references are refused. A pattern is a value, `#regex "a+"`; what it
//! compiles to is kept for the query.

use std::sync::{Arc, OnceLock};

use datomite_model::{Edn, Symbol};
use regex::{Captures, Regex, RegexBuilder};

use super::collections::list_or_nil;
use super::{Builtin, CallError, Context, Invocation, REGEX_TAG};
use crate::QueryError;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("re-pattern", "(re-pattern s): a pattern", (1, 1), |c| {
        if pattern_text(c.edn(0)?).is_some() {
            return c.edn(0).cloned();
        }
        let text = c.text(0)?;
        compiled(c.context, text, Anchor::None)?;
        Ok(Edn::Tagged(
            Symbol::parse(REGEX_TAG),
            Box::new(Edn::string(text)),
        ))
    }),
    Builtin::new(
        "re-find",
        "(re-find re s): the first match, or nil",
        (2, 2),
        |c| {
            let found = pattern(c, 0, Anchor::None)?;
            Ok(found
                .captures(c.text(1)?)
                .map_or(Edn::Nil, |found| groups(&found)))
        },
    ),
    Builtin::new(
        "re-matches",
        "(re-matches re s): the match of all of s",
        (2, 2),
        |c| {
            let found = pattern(c, 0, Anchor::Whole)?;
            Ok(found
                .captures(c.text(1)?)
                .map_or(Edn::Nil, |found| groups(&found)))
        },
    ),
    Builtin::new(
        "re-seq",
        "(re-seq re s): all matches, or nil",
        (2, 2),
        |c| {
            let found = pattern(c, 0, Anchor::None)?;
            let all = all_matches(&found, c.text(1)?);
            Ok(list_or_nil(all.iter().map(groups).collect()))
        },
    ),
];

/// Whether a pattern must cover the whole text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    None,
    Whole,
}

/// A compiled program is not larger than this.
const PROGRAM_BYTES_MAX: usize = 4 << 20;
/// How many compiled patterns a query keeps.
const CACHE_MAX: usize = 1000;

/// A match: its text, or a vector of it and its groups.
fn groups(found: &Captures<'_>) -> Edn {
    let group = |at: usize| {
        found
            .get(at)
            .map_or(Edn::Nil, |part| Edn::string(part.as_str()))
    };
    if found.len() == 1 {
        group(0)
    } else {
        Edn::Vector((0..found.len()).map(group).collect())
    }
}

/// The text of a pattern value.
pub(super) fn pattern_text(form: &Edn) -> Option<&str> {
    match form {
        Edn::Tagged(tag, inner) if tag.as_str() == REGEX_TAG => inner.as_str(),
        _ => None,
    }
}

/// The argument as a compiled pattern.
pub(super) fn pattern(
    c: &Invocation<'_>,
    at: usize,
    anchor: Anchor,
) -> Result<Arc<Regex>, QueryError> {
    match pattern_text(c.edn(at)?) {
        Some(text) => compiled(c.context, text, anchor),
        None => Err(c.wrong_type(at, "a pattern (re-pattern)")),
    }
}

/// All matches as Java finds them: after one that is empty, a character is passed.
pub(super) fn all_matches<'t>(regex: &Regex, text: &'t str) -> Vec<Captures<'t>> {
    let mut all = Vec::new();
    let mut from = 0;
    while from <= text.len() {
        let Some(found) = regex.captures_at(text, from) else {
            break;
        };
        let Some(whole) = found.get(0) else { break };
        from = whole.end();
        if whole.is_empty() {
            from += text[from..].chars().next().map_or(1, char::len_utf8);
        }
        all.push(found);
    }
    all
}

/// The value of a decimal digit of any script.
pub(super) fn digit_value(c: char) -> Option<u32> {
    if c.is_ascii() {
        return c.to_digit(10);
    }
    static DIGIT: OnceLock<Option<Regex>> = OnceLock::new();
    let digit = DIGIT.get_or_init(|| Regex::new(r"^\p{Nd}$").ok());
    let is_digit = |c: u32| {
        let text = char::from_u32(c).map(String::from).unwrap_or_default();
        digit.as_ref().is_some_and(|digit| digit.is_match(&text))
    };
    let number = u32::from(c);
    // The digits of a script are ten in a row, from a zero that no digit stands before.
    is_digit(number).then(|| {
        let before = (1..=9).take_while(|back| is_digit(number - back));
        before.count() as u32 % 10
    })
}

pub(super) fn compiled(
    context: &Context<'_>,
    text: &str,
    anchor: Anchor,
) -> Result<Arc<Regex>, QueryError> {
    let mut kept = context.regexes.borrow_mut();
    let whole;
    let key = match anchor {
        Anchor::None => text,
        Anchor::Whole => {
            whole = format!("\\A(?:{text})\\z");
            &whole
        }
    };
    if let Some(regex) = kept.get(key) {
        return Ok(Arc::clone(regex));
    }
    let regex = RegexBuilder::new(&translated(key))
        .size_limit(PROGRAM_BYTES_MAX)
        .build()
        .map_err(|error| CallError::Pattern {
            pattern: text.to_string(),
            message: error.to_string(),
        })?;
    if kept.len() >= CACHE_MAX {
        kept.clear();
    }
    let regex = Arc::new(regex);
    kept.insert(key.to_string(), Arc::clone(&regex));
    Ok(regex)
}

/// Java's syntax in that of the library: ASCII classes, `\Q…\E`, `\Z`, its ends of lines.
fn translated(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    // How many brackets of classes are open.
    let mut classes = 0usize;
    let unicode = text.contains("(?U");
    let dots_take_all = text.contains("(?s") || text.contains("s)");
    while let Some(first) = rest.chars().next() {
        match first {
            '\\' => {
                rest = &rest[1..];
                rest = escape(rest, classes > 0, unicode, &mut out);
                continue;
            }
            '[' => {
                classes += 1;
                out.push('[');
                if let Some(negated) = rest[1..].strip_prefix('^') {
                    out.push('^');
                    rest = negated;
                } else {
                    rest = &rest[1..];
                }
                if rest.starts_with(':') {
                    out.push('\\');
                }
                continue;
            }
            ']' if classes > 0 => {
                classes -= 1;
                out.push(']');
            }
            '.' if classes == 0 && !dots_take_all => {
                out.push_str("[^\\n\\r\\x{85}\\x{2028}\\x{2029}]");
            }
            '(' if classes == 0 && rest.starts_with("(?U") => {
                out.push_str("(?u");
                rest = &rest[3..];
                continue;
            }
            '~' | '-' | '#' if classes > 0 && rest[1..].starts_with(first) => {
                out.push('\\');
                out.push(first);
            }
            other => out.push(other),
        }
        rest = &rest[first.len_utf8()..];
    }
    out
}

/// Writes what follows a backslash; what comes after it.
fn escape<'t>(rest: &'t str, in_class: bool, unicode: bool, out: &mut String) -> &'t str {
    let Some(escaped) = rest.chars().next() else {
        out.push('\\');
        return rest;
    };
    let after = &rest[escaped.len_utf8()..];
    let ascii = match escaped {
        'd' => "0-9",
        'D' => "^0-9",
        'w' => "a-zA-Z0-9_",
        'W' => "^a-zA-Z0-9_",
        's' => " \\t\\n\\x0B\\f\\r",
        'S' => "^ \\t\\n\\x0B\\f\\r",
        'h' => " \\t\\x{A0}\\x{1680}\\x{180e}\\x{2000}-\\x{200a}\\x{202f}\\x{205f}\\x{3000}",
        'H' => "^ \\t\\x{A0}\\x{1680}\\x{180e}\\x{2000}-\\x{200a}\\x{202f}\\x{205f}\\x{3000}",
        'v' => "\\n\\x0B\\f\\r\\x{85}\\x{2028}\\x{2029}",
        'V' => "^\\n\\x0B\\f\\r\\x{85}\\x{2028}\\x{2029}",
        _ => "",
    };
    if !ascii.is_empty() && (!unicode || "hHvV".contains(escaped)) {
        out.push('[');
        out.push_str(ascii);
        out.push(']');
        return after;
    }
    match escaped {
        'R' => out.push_str("(?:\\r\\n|[\\n\\x0B\\f\\r\\x{85}\\x{2028}\\x{2029}])"),
        'b' if !in_class && !unicode => out.push_str("(?-u:\\b)"),
        'Z' => out.push_str("(?:\\n?\\z)"),
        'e' => out.push_str("\\x1B"),
        'p' | 'P' => return property(after, escaped, out),
        'Q' => {
            let end = after.find("\\E").unwrap_or(after.len());
            out.push_str(&regex::escape(&after[..end]));
            return after.get(end + 2..).unwrap_or("");
        }
        'u' if after.len() >= 4 && after.is_char_boundary(4) => {
            out.push_str(&format!("\\x{{{}}}", &after[..4]));
            return &after[4..];
        }
        '0' => {
            let digits = after
                .bytes()
                .take(3)
                .take_while(|b| (b'0'..b'8').contains(b));
            let count = digits.count();
            let code = u32::from_str_radix(&after[..count], 8).unwrap_or(0);
            out.push_str(&format!("\\x{{{code:x}}}"));
            return &after[count..];
        }
        other if other.is_ascii_alphanumeric() => {
            out.push('\\');
            out.push(other);
        }
        other => out.push_str(&regex::escape(&other.to_string())),
    }
    after
}

/// `\p{…}`: Java's names of ASCII classes and of its own methods; the rest is Unicode's.
fn property<'t>(rest: &'t str, kind: char, out: &mut String) -> &'t str {
    let named = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
    let Some((name, after)) = named else {
        out.push('\\');
        out.push(kind);
        return rest;
    };
    let class = match name {
        "Lower" => "a-z",
        "Upper" => "A-Z",
        "ASCII" => "\\x00-\\x7F",
        "Alpha" => "a-zA-Z",
        "Digit" => "0-9",
        "Alnum" => "a-zA-Z0-9",
        "Punct" => "!-/:-@\\[-`{-~",
        "Graph" => "!-~",
        "Print" => " -~",
        "Blank" => " \\t",
        "Cntrl" => "\\x00-\\x1F\\x7F",
        "XDigit" => "0-9a-fA-F",
        "Space" => " \\t\\n\\x0B\\f\\r",
        "javaLowerCase" => "\\p{Lowercase}",
        "javaUpperCase" => "\\p{Uppercase}",
        "javaWhitespace" => "\\s",
        "javaLetter" => "\\p{L}",
        "javaDigit" => "\\p{Nd}",
        "javaLetterOrDigit" => "\\p{L}\\p{Nd}",
        "L1" => "\\x00-\\xFF",
        _ => "",
    };
    if class.is_empty() {
        let name = name.strip_prefix("Is").unwrap_or(name);
        let name = name.strip_prefix("In").unwrap_or(name);
        out.push_str(&format!("\\{kind}{{{name}}}"));
    } else {
        out.push_str(if kind == 'P' { "[^" } else { "[" });
        out.push_str(class);
        out.push(']');
    }
    after
}
