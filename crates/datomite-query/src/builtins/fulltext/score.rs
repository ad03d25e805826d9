//! Which documents match, and how well: Lucene's default similarity.
//!
//! A word counts by the root of how often it is there, by how rare it is, and less in long texts;
//! what matches more parts of a search counts more. Scores are given as shares of the best one.

use datomite_model::{EntityId, Value};
use rustc_hash::FxHashMap;

use super::parse::{Occurs, Query};
use super::words::{Word, words};

/// One assertion or retraction of a value.
pub(super) struct Document {
    pub(super) e: EntityId,
    pub(super) text: Value,
    pub(super) t: i64,
    words: Vec<Word>,
    norm: f32,
}

impl Document {
    pub(super) fn new(e: EntityId, text: Value, t: i64) -> Document {
        let words = match &text {
            Value::String(text) => words(text),
            _ => Vec::new(),
        };
        let norm = match words.len() {
            0 => 0.0,
            length => coarse(1.0 / (length as f32).sqrt()),
        };
        Document {
            e,
            text,
            t,
            words,
            norm,
        }
    }
}

/// A number as a byte holds it: three bits of mantissa, five of exponent.
fn coarse(n: f32) -> f32 {
    const ZERO: u32 = (63 - 15) << 3;
    let small = n.to_bits() >> 21;
    let byte = small.clamp(ZERO + 1, ZERO + 255) - ZERO;
    f32::from_bits((byte << 21) + ((63 - 15) << 24))
}

/// The documents that match and are visible, with their scores.
pub(super) fn matches(
    query: &Query,
    documents: &[Document],
    visible: impl Fn(&Document) -> bool,
) -> Vec<(usize, f64)> {
    let scorer = Scorer::new(query, documents);
    let mut found: Vec<(usize, f32)> = Vec::new();
    for (at, document) in documents.iter().enumerate() {
        if let Some(score) = scorer.score(query, document, 1.0)
            && visible(document)
        {
            found.push((at, score));
        }
    }
    let best = found.iter().map(|(_, score)| *score).fold(0.0, f32::max);
    let share = |score: f32| match best > 0.0 {
        true => f64::from(score) / f64::from(best),
        false => 1.0,
    };
    found
        .into_iter()
        .map(|(at, score)| (at, share(score)))
        .collect()
}

struct Scorer<'a> {
    /// In how many documents a word is.
    frequency: FxHashMap<&'a str, usize>,
    documents: usize,
    norm: f32,
}

impl<'a> Scorer<'a> {
    fn new(query: &Query, documents: &'a [Document]) -> Scorer<'a> {
        let mut frequency: FxHashMap<&str, usize> = FxHashMap::default();
        for document in documents {
            let mut own: Vec<&str> = document.words.iter().map(|w| w.text.as_str()).collect();
            own.sort_unstable();
            own.dedup();
            for word in own {
                *frequency.entry(word).or_default() += 1;
            }
        }
        let mut scorer = Scorer {
            frequency,
            documents: documents.len(),
            norm: 1.0,
        };
        let squares = scorer.squares(query, 1.0);
        let norm = (1.0 / f64::from(squares).sqrt()) as f32;
        scorer.norm = if norm.is_finite() { norm } else { 1.0 };
        scorer
    }

    /// How rare a word is.
    fn rarity(&self, word: &str) -> f32 {
        let within = self.frequency.get(word).copied().unwrap_or(0);
        ((self.documents as f64 / (within + 1) as f64).ln() + 1.0) as f32
    }

    fn phrase_rarity(&self, words: &[Word]) -> f32 {
        words.iter().map(|word| self.rarity(&word.text)).sum()
    }

    /// The sum of the squares of all weights, by which scores are evened out.
    fn squares(&self, query: &Query, weight: f32) -> f32 {
        match query {
            Query::Nothing => 0.0,
            Query::Term(word) => (self.rarity(word) * weight).powi(2),
            Query::Phrase(words, _) => (self.phrase_rarity(words) * weight).powi(2),
            Query::Fuzzy(word, _) => (self.rarity(word) * weight).powi(2),
            Query::All | Query::Wildcard(_) | Query::Range { .. } => weight * weight,
            Query::Boolean(clauses) => {
                let counted = clauses
                    .iter()
                    .filter(|(occurs, _)| *occurs != Occurs::MustNot);
                counted
                    .map(|(_, clause)| self.squares(clause, 1.0))
                    .sum::<f32>()
                    * weight
                    * weight
            }
            Query::Weighted(inner, more) => self.squares(inner, weight * more),
        }
    }

    /// What a document is worth; none where it does not match.
    fn score(&self, query: &Query, document: &Document, weight: f32) -> Option<f32> {
        match query {
            Query::Nothing => None,
            Query::All => Some(weight * self.norm),
            Query::Term(word) => {
                let times = document.words.iter().filter(|w| w.text == *word).count();
                self.worth(times as f32, self.rarity(word), weight, document)
            }
            Query::Phrase(words, slop) => {
                let times = phrase_times(&document.words, words, *slop);
                self.worth(times, self.phrase_rarity(words), weight, document)
            }
            Query::Wildcard(pattern) => {
                let pattern: Vec<char> = unescaped_pattern(pattern);
                let meets = |word: &Word| is_like(&pattern, &word.text);
                let any = document.words.iter().any(meets);
                any.then_some(weight * self.norm)
            }
            Query::Fuzzy(wanted, least) => self.fuzzy(wanted, *least, document, weight),
            Query::Range {
                from,
                to,
                inclusive,
            } => {
                let within = |word: &Word| {
                    let word = &word.text;
                    (word > from && word < to) || (*inclusive && (word == from || word == to))
                };
                document
                    .words
                    .iter()
                    .any(within)
                    .then_some(weight * self.norm)
            }
            Query::Boolean(clauses) => self.boolean(clauses, document, weight),
            Query::Weighted(inner, more) => self.score(inner, document, weight * more),
        }
    }

    fn worth(&self, times: f32, rarity: f32, weight: f32, document: &Document) -> Option<f32> {
        let value = rarity * weight * self.norm * rarity;
        (times > 0.0).then(|| f64::from(times).sqrt() as f32 * value * document.norm)
    }

    fn boolean(
        &self,
        clauses: &[(Occurs, Query)],
        document: &Document,
        weight: f32,
    ) -> Option<f32> {
        let counted = clauses
            .iter()
            .filter(|(occurs, _)| *occurs != Occurs::MustNot)
            .count();
        let must = clauses.iter().any(|(occurs, _)| *occurs == Occurs::Must);
        let (mut sum, mut met) = (0.0f32, 0);
        for (occurs, clause) in clauses {
            let score = self.score(clause, document, weight);
            match (occurs, score) {
                (Occurs::Must, None) | (Occurs::MustNot, Some(_)) => return None,
                (Occurs::MustNot, None) | (Occurs::Should, None) => {}
                (_, Some(score)) => {
                    sum += score;
                    met += 1;
                }
            }
        }
        (met > 0 || must).then(|| sum * (met as f32 / counted as f32))
    }

    fn fuzzy(&self, wanted: &str, least: f32, document: &Document, weight: f32) -> Option<f32> {
        let mut met: Vec<(&str, f32)> = Vec::new();
        for word in &document.words {
            let like = likeness(wanted, &word.text);
            if like > least && !met.iter().any(|(known, _)| *known == word.text) {
                met.push((&word.text, (like - least) / (1.0 - least)));
            }
        }
        let worth = met.iter().filter_map(|(met, share)| {
            let times = document.words.iter().filter(|w| w.text == *met).count();
            self.worth(times as f32, self.rarity(met), weight * share, document)
        });
        let worth: Vec<f32> = worth.collect();
        (!worth.is_empty()).then(|| worth.iter().sum())
    }
}

/// How alike two words are: one less the share of letters to change.
fn likeness(a: &str, b: &str) -> f32 {
    let shorter = a.chars().count().min(b.chars().count());
    if shorter == 0 {
        return 0.0;
    }
    1.0 - super::super::distance(a, b) as f32 / shorter as f32
}

/// A pattern whose escaped characters stand for themselves: `*` and `?` as private characters.
fn unescaped_pattern(pattern: &str) -> Vec<char> {
    let mut out = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            '*' => out.push(ANY),
            '?' => out.push(ONE),
            c => out.push(c),
        }
    }
    out
}

const ANY: char = '\u{f0000}';
const ONE: char = '\u{f0001}';

/// Whether a word meets a pattern; goes back to the last star only.
fn is_like(pattern: &[char], word: &str) -> bool {
    let word: Vec<char> = word.chars().collect();
    let (mut p, mut w) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while w < word.len() {
        if p < pattern.len() && pattern[p] == ANY {
            star = Some((p, w));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == ONE || pattern[p] == word[w]) {
            p += 1;
            w += 1;
        } else if let Some((at, from)) = star {
            p = at + 1;
            w = from + 1;
            star = Some((at, from + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == ANY)
}

/// How often the words of a phrase stand together; less than once where they are apart.
fn phrase_times(words: &[Word], phrase: &[Word], slop: usize) -> f32 {
    let first = &phrase[0];
    let mut times = 0.0;
    for start in words.iter().filter(|word| word.text == first.text) {
        let origin = start.position as i64 - first.position as i64;
        // Each word's nearest place to where it would stand after the first one.
        let (mut least, mut most) = (origin, origin);
        let mut whole = true;
        for wanted in &phrase[1..] {
            let places = words.iter().filter(|word| word.text == wanted.text);
            let shifted = places.map(|word| word.position as i64 - wanted.position as i64);
            match shifted.min_by_key(|place| (place - origin).abs()) {
                Some(place) => {
                    least = least.min(place);
                    most = most.max(place);
                }
                None => whole = false,
            }
        }
        let apart = (most - least) as usize;
        if whole && apart <= slop {
            times += 1.0 / (apart as f32 + 1.0);
        }
    }
    times
}
