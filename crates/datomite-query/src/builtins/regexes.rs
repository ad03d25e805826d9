//! Regular expressions: `re-pattern`, `re-find`, `re-matches`, `re-seq`.
//!
//! Java's syntax, as far as matching in linear time goes: `\d \w \s \b` mean ASCII, as there;
//! look-around and back-references are refused. A pattern is a value, `#regex "a+"`; what it
//! compiles to is kept for the query.

use std::sync::Arc;

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
            let all = found.captures_iter(c.text(1)?).map(|found| groups(&found));
            Ok(list_or_nil(all.collect()))
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

fn compiled(context: &Context<'_>, text: &str, anchor: Anchor) -> Result<Arc<Regex>, QueryError> {
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

/// Java's syntax in that of the library: ASCII classes, `\Q…\E`, `\Z`.
fn translated(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escaped = rest[at + 1..].chars().next();
        let after = at + 1 + escaped.map_or(0, char::len_utf8);
        match escaped {
            Some('d') => out.push_str("[0-9]"),
            Some('D') => out.push_str("[^0-9]"),
            Some('w') => out.push_str("[a-zA-Z0-9_]"),
            Some('W') => out.push_str("[^a-zA-Z0-9_]"),
            Some('s') => out.push_str("[ \\t\\n\\x0B\\f\\r]"),
            Some('S') => out.push_str("[^ \\t\\n\\x0B\\f\\r]"),
            Some('h') => out.push_str("[ \\t]"),
            Some('R') => out.push_str("(?:\\r\\n|[\\n\\x0B\\f\\r])"),
            Some('b') => out.push_str("(?-u:\\b)"),
            Some('Z') => out.push_str("(?:\\n?\\z)"),
            Some('Q') => {
                let quoted = &rest[after..];
                let end = quoted.find("\\E").unwrap_or(quoted.len());
                out.push_str(&regex::escape(&quoted[..end]));
                rest = quoted.get(end + 2..).unwrap_or("");
                continue;
            }
            _ => out.push_str(&rest[at..after]),
        }
        rest = &rest[after..];
    }
    out.push_str(rest);
    out
}
