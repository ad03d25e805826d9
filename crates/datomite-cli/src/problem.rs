//! What went wrong, as the command tells it: the words, the place in the text where there is one,
//! and the exit code.

use std::fmt;
use std::ops::Range;

use datomite::{CallError, DbError, EdnError, Error, Keyword, QueryError, TxError};
use datomite_import::ImportError;

const ROWS_HINT: &str = "clauses that share no variable multiply; join them, or ask for fewer";

/// Exit codes: a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The input was refused.
    Refused = 1,
    /// The command was used wrongly.
    Usage = 2,
    /// The user stopped it.
    Interrupted = 130,
}

/// An error on its way to standard error.
#[derive(Debug)]
pub(crate) struct Problem {
    /// How the process ends.
    pub(crate) exit: Exit,
    /// Datomic's keyword, where there is one.
    pub(crate) code: Option<String>,
    /// What is wrong.
    pub(crate) message: String,
    /// The text it stands in and where.
    pub(crate) place: Option<(String, Range<usize>)>,
    /// The way out, where one is known.
    pub(crate) hint: Option<String>,
}

impl Problem {
    /// Input that was refused.
    pub(crate) fn refused(message: impl Into<String>) -> Problem {
        Problem {
            exit: Exit::Refused,
            code: None,
            message: message.into(),
            place: None,
            hint: None,
        }
    }

    /// A command used wrongly.
    pub(crate) fn usage(message: impl Into<String>) -> Problem {
        Problem {
            exit: Exit::Usage,
            ..Problem::refused(message)
        }
    }

    /// A query that was refused, with the place in its text.
    pub(crate) fn query(error: QueryError, text: &str) -> Problem {
        if let QueryError::Unreadable(error) = &error {
            return Problem::edn(error.clone(), text);
        }
        let problem = Problem::of(error.code(), &error);
        let problem = match &error {
            QueryError::Cancelled { .. } => Problem {
                exit: Exit::Interrupted,
                ..problem
            },
            QueryError::LimitExceeded {
                unit: "rows" | "bytes",
                ..
            } => problem.hint(ROWS_HINT),
            _ => problem,
        };
        match place_of(&error, text) {
            Some(span) => problem.at(text, span),
            None => problem,
        }
    }

    /// Text that is not EDN, with the place.
    pub(crate) fn edn(error: EdnError, text: &str) -> Problem {
        let span = error.span.clone();
        Problem::refused(error.to_string()).at(text, span)
    }

    /// A transaction that was refused, with the place in its text.
    pub(crate) fn transaction(error: TxError, text: &str) -> Problem {
        let problem = Problem::of(error.code(), &error);
        match error.place(text) {
            Some(span) => problem.at(text, span),
            None => problem,
        }
    }

    /// Standard output that could not be written.
    pub(crate) fn output(error: std::io::Error) -> Problem {
        Problem::refused(format!("standard output: {error}"))
    }

    fn of(code: Option<Keyword>, error: &dyn std::error::Error) -> Problem {
        let code = code.map(|code| code.to_string());
        Problem {
            code,
            ..Problem::refused(error.to_string())
        }
    }

    /// The same with the place in a text.
    pub(crate) fn at(mut self, text: &str, span: Range<usize>) -> Problem {
        self.place = Some((text.to_owned(), span));
        self
    }

    /// The same with a way out.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Problem {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    /// One line, or the marked place in its text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headline = match &self.code {
            Some(code) => format!("{code} {}", self.message),
            None => self.message.clone(),
        };
        match &self.place {
            Some((text, span)) if !text.is_empty() => {
                f.write_str(&marked(&headline, text, span, self.hint.as_deref()))
            }
            _ => {
                write!(f, "error: {headline}")?;
                if let Some(hint) = &self.hint {
                    write!(f, "\nhint: {hint}")?;
                }
                Ok(())
            }
        }
    }
}

/// Where a query is at fault: the name itself inside the clause, where it is known.
fn place_of(error: &QueryError, text: &str) -> Option<Range<usize>> {
    let clause = error.place().and_then(|place| place.span.clone());
    let name = match error {
        QueryError::NotAnEntity { key, .. } | QueryError::CannotResolve { key, .. } => {
            key.to_string()
        }
        QueryError::UnboundQueryVariables { variables } => variables.first()?.to_string(),
        QueryError::InsufficientBinding { variables, .. } => variables.first()?.to_string(),
        QueryError::UnknownFunction { name, .. }
        | QueryError::UnknownRule { name, .. }
        | QueryError::Arity { name, .. }
        | QueryError::Function { name, .. }
        | QueryError::Own { name, .. }
        | QueryError::PatternNotBound { name } => name.to_string(),
        QueryError::Call(
            CallError::UnknownFunction { name, .. }
            | CallError::UnknownAggregate { name, .. }
            | CallError::Arity { function: name, .. }
            | CallError::WrongType { function: name, .. }
            | CallError::Arithmetic { function: name, .. },
        ) => name.to_string(),
        QueryError::InvalidAggregate { name, .. } => name.to_string(),
        _ => return clause,
    };
    let within = clause
        .clone()
        .filter(|span| span.end <= text.len())
        .unwrap_or(0..text.len());
    let word = word_at(&text[within.clone()], &name);
    word.map(|at| within.start + at..within.start + at + name.len())
        .or(clause)
}

/// The first place of a name that no other word goes on from or into.
fn word_at(text: &str, name: &str) -> Option<usize> {
    let is_edge = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || "()[]{},\"".contains(c));
    text.match_indices(name).map(|(at, _)| at).find(|at| {
        is_edge(text[..*at].chars().next_back()) && is_edge(text[at + name.len()..].chars().next())
    })
}

/// The line where the span begins, underlined; plain characters, so that it pipes.
fn marked(headline: &str, text: &str, span: &Range<usize>, hint: Option<&str>) -> String {
    let start = floor(text, span.start);
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let end = floor(text, span.end).clamp(start, line_end);
    let number = text[..start].matches('\n').count() + 1;
    let before = text[line_start..start].chars().count();
    let carets = "^".repeat(text[start..end].chars().count().max(1));
    let line = text[line_start..line_end].replace('\t', " ");
    let gutter = number.to_string();
    let space = " ".repeat(gutter.len());
    let mut shown = format!(
        "error: {headline}\n\
         {space}--> input:{number}:{column}\n\
         {gutter} | {line}\n\
         {space} | {indent}{carets}",
        column = before + 1,
        indent = " ".repeat(before),
    );
    if let Some(hint) = hint {
        shown.push_str(&format!("\nhint: {hint}"));
    }
    shown
}

/// The nearest place at or before `at` where a character begins.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Problem {
        Problem::of(error.code(), &error)
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Problem {
        Problem::of(error.code(), &error)
    }
}

impl From<TxError> for Problem {
    fn from(error: TxError) -> Problem {
        Problem::of(error.code(), &error)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        Problem::of(error.code(), &error)
    }
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Problem {
        let exit = match error {
            ImportError::Interrupted => Exit::Interrupted,
            _ => Exit::Refused,
        };
        Problem {
            exit,
            ..Problem::refused(error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Problem;

    #[test]
    fn the_place_is_marked_in_the_text() {
        let text = "[:find ?e\n :where [?e :film/titel]]";
        let at = text.find(":film").expect("it stands there");
        let problem = Problem::refused("no attribute :film/titel").at(text, at..at + 11);
        let shown = problem.hint("nearest: :film/title").to_string();
        let expected = "error: no attribute :film/titel\n \
                        --> input:2:13\n\
                        2 |  :where [?e :film/titel]]\n  \
                        |             ^^^^^^^^^^^\n\
                        hint: nearest: :film/title";
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_place_past_the_end_or_inside_a_character_is_still_shown() {
        for span in [3..4, 4..9, 99..100] {
            let shown = Problem::refused("x").at("[\"é", span).to_string();
            assert!(shown.ends_with('^'), "{shown}");
        }
    }
}
