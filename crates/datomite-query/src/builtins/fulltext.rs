//! `fulltext`: the values of an attribute that contain words.
//!
//! Words are runs of letters and digits (an apostrophe within belongs to the word, a final `'s`
//! does not), without regard to case; the usual English stop words count for nothing. A search is
//! words, any of which may match; `word*` is a prefix, `+word` must match, `-word` must not,
//! `"some words"` match in this order. The values are read where they stand, so that every view of
//! time answers; there is no index yet. The score is ours: matched words by the root of the length.

use std::sync::Arc;

use datomite_db::{Db, KeyRange};
use datomite_model::{Attribute, Edn, Index, Value};

use super::datomic::db;
use super::{CallError, Invocation, Outcome};
use crate::QueryError;

/// What Lucene's standard analyser leaves out.
const STOP_WORDS: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it",
    "no", "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these",
    "they", "this", "to", "was", "will", "with",
];

/// One part of a search.
struct Term {
    need: Need,
    words: Vec<String>,
    /// Whether the last word may go on.
    prefix: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    May,
    Must,
    MustNot,
}

/// `(fulltext $ attribute search)`: rows of entity, value, t and score.
pub(super) fn fulltext(c: &Invocation<'_>) -> Outcome {
    let db = db(c, 0)?;
    let search = c.text(2)?;
    if search.trim().is_empty() {
        return Err(CallError::Unreadable {
            function: c.function(),
            text: search.to_string(),
        }
        .into());
    }
    let attribute = db.entid(c.edn(1)?)?;
    let attribute = attribute.and_then(|id| db.schema().attribute(id));
    match attribute.filter(|attribute| attribute.fulltext) {
        Some(attribute) => matches(db, attribute, &terms(search)).map(Edn::Vector),
        None => Ok(Edn::Vector(Vec::new())),
    }
}

fn matches(db: &Db, attribute: &Arc<Attribute>, terms: &[Term]) -> Result<Vec<Edn>, QueryError> {
    let mut found = Vec::new();
    let mut runs = db.runs(
        Index::Aevt,
        &KeyRange::prefix(None, Some(attribute.id), None),
    );
    while let Some(run) = runs.next()? {
        for row in (0..run.len()).filter(|row| run.added(*row)) {
            let Value::String(text) = run.v(row).to_value() else {
                continue;
            };
            if let Some(score) = score(&text, terms) {
                found.push(Edn::Vector(vec![
                    Edn::long(run.e(row).raw() as i64),
                    Edn::Value(Value::String(text)),
                    Edn::long(run.t(row).raw() as i64),
                    Edn::Value(Value::Double(score)),
                ]));
            }
        }
    }
    Ok(found)
}

/// The words of a text, in lower case, without stop words.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'')
        .map(|word| word.trim_matches('\'').to_lowercase())
        .map(|word| word.strip_suffix("'s").map_or(word.clone(), str::to_string))
        .filter(|word| !word.is_empty() && !STOP_WORDS.contains(&word.as_str()))
        .collect()
}

fn terms(search: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    let mut rest = search.trim_start();
    while let Some(first) = rest.chars().next() {
        let need = match first {
            '+' => Need::Must,
            '-' => Need::MustNot,
            _ => Need::May,
        };
        let body = if need == Need::May { rest } else { &rest[1..] };
        let (inside, after) = match body.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => body.split_once(char::is_whitespace).unwrap_or((body, "")),
        };
        let words = words(inside);
        if !words.is_empty() {
            terms.push(Term {
                need,
                words,
                prefix: inside.ends_with('*'),
            });
        }
        rest = after.trim_start();
    }
    terms
}

/// How well a text matches; none where it does not.
fn score(text: &str, terms: &[Term]) -> Option<f64> {
    let words = words(text);
    let mut hits = 0;
    for term in terms {
        let times = times(&words, term);
        match term.need {
            Need::Must if times == 0 => return None,
            Need::MustNot if times > 0 => return None,
            Need::MustNot => {}
            _ => hits += times,
        }
    }
    (hits > 0).then(|| hits as f64 / (words.len() as f64).sqrt())
}

/// How often the words of a term stand in a text, one after the other.
fn times(words: &[String], term: &Term) -> usize {
    let last = term.words.len() - 1;
    let meets = |window: &[String]| {
        let mut pairs = window.iter().zip(&term.words).enumerate();
        pairs.all(|(at, (word, wanted))| {
            word == wanted || (term.prefix && at == last && word.starts_with(wanted.as_str()))
        })
    };
    words
        .windows(term.words.len())
        .filter(|window| meets(window))
        .count()
}
