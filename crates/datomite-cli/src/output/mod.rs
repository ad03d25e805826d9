//! Answers on standard output: a table on a terminal, EDN, JSON or CSV otherwise.
//!
//! `Answer` is what every command ends with. EDN, JSON and CSV are exact; a table may show an
//! entity by name and a decimal without its `M`, and never changes what is answered.

mod display;
mod table;
mod text;

use std::io::{self, IsTerminal, Write};

use datomite::{Db, Edn};

use crate::args::{Format, Output};

/// What a command answers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// One value: printed bare.
    Value(Edn),
    /// Rows under column names.
    Rows(Rows),
}

/// A table of forms.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rows {
    /// A name for each column.
    pub(crate) columns: Vec<String>,
    /// As many forms in each as there are columns.
    pub(crate) rows: Vec<Vec<Edn>>,
    /// What the rows are in EDN.
    pub(crate) shape: Shape,
}

/// What a table is as one EDN form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A set of vectors: rows in no order.
    Set,
    /// A vector of vectors: rows in an order, or that may repeat.
    Bag,
    /// A vector of single values.
    Collection,
    /// One vector.
    Tuple,
    /// A vector of maps by column name, as keywords.
    Maps,
}

/// Writes an answer to standard output in the format asked for.
pub(crate) fn print(answer: Answer, options: &Output, db: Option<&Db>) -> io::Result<()> {
    let answer = limited(answer, options.limit);
    let terminal = io::stdout().is_terminal();
    let format = options
        .format
        .unwrap_or(if terminal { Format::Table } else { Format::Edn });
    say(&render(&answer, format, options.raw, db))
}

/// Writes text to standard output as it is.
pub(crate) fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Who reads only the first lines, as `head`, has what they wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// An answer as text, with a final line break.
pub(crate) fn render(answer: &Answer, format: Format, raw: bool, db: Option<&Db>) -> String {
    match (answer, format) {
        (answer, Format::Edn) => text::edn(answer),
        (answer, Format::Json) => text::json(answer),
        (answer, Format::Csv) => text::csv(answer),
        (answer, Format::Table) => table::table(answer, raw, db),
    }
}

fn limited(answer: Answer, limit: Option<usize>) -> Answer {
    match (answer, limit) {
        (Answer::Rows(mut rows), Some(limit)) => {
            rows.rows.truncate(limit);
            Answer::Rows(rows)
        }
        (answer, _) => answer,
    }
}

#[cfg(test)]
mod tests;
