//! The line editor's helper: completes attributes, idents and commands, and keeps a line open
//! until its brackets are matched.

use std::collections::BTreeSet;

use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::brackets::{Completeness, completeness};

/// How many candidates a Tab offers at most: more tells nobody anything.
const CANDIDATES_MAX: usize = 200;

/// What a Tab knows.
pub(crate) struct LineHelper {
    /// Commands of the prompt, with their colon.
    commands: &'static [&'static str],
    /// Idents and words of the query language, with their colon where they have one.
    words: BTreeSet<String>,
}

impl LineHelper {
    /// A helper that knows these commands and words.
    pub(crate) fn new(commands: &'static [&'static str], words: BTreeSet<String>) -> LineHelper {
        LineHelper { commands, words }
    }
}

/// Where the word before the cursor begins.
fn word_start(line: &str, pos: usize) -> usize {
    line[..pos]
        .rfind(|c: char| c.is_whitespace() || "[](){}\"',#".contains(c))
        .map_or(0, |at| {
            at + line[at..].chars().next().map_or(1, char::len_utf8)
        })
}

impl Completer for LineHelper {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let start = word_start(line, pos);
        let word = &line[start..pos];
        let mut found: Vec<&str> = Vec::new();
        if start == 0 && word.starts_with(':') {
            found.extend(
                self.commands
                    .iter()
                    .copied()
                    .filter(|c| c.starts_with(word)),
            );
        }
        if !word.is_empty() {
            let from = self.words.range(word.to_owned()..);
            found.extend(from.map(String::as_str).take_while(|w| w.starts_with(word)));
        }
        found.truncate(CANDIDATES_MAX);
        let pair = |w: &str| Pair {
            display: w.to_owned(),
            replacement: w.to_owned(),
        };
        Ok((start, found.into_iter().map(pair).collect()))
    }
}

impl Validator for LineHelper {
    fn validate(&self, ctx: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match completeness(ctx.input()) {
            Completeness::Open => ValidationResult::Incomplete,
            // A wrong bracket goes to the reader, whose error shows the place.
            Completeness::Whole | Completeness::Mismatch(_) => ValidationResult::Valid(None),
        })
    }
}

impl Hinter for LineHelper {
    type Hint = String;
}

impl Highlighter for LineHelper {}

impl Helper for LineHelper {}

#[cfg(test)]
mod tests {
    use super::word_start;

    #[test]
    fn a_word_begins_after_a_bracket_or_a_space() {
        let line = "[:find ?e :where [?e :film/ti";
        assert_eq!(&line[word_start(line, line.len())..], ":film/ti");
        assert_eq!(word_start(":sch", 4), 0);
    }
}
