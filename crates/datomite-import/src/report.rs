//! What an import did: a table for the reader, and everything that was not carried over.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use datomite::{Instant, T};

/// What became of one table.
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct TableReport {
    /// The table; partitions are counted with their root.
    pub table: String,
    /// The namespace of its entities, or the attribute it became.
    pub becomes: String,
    /// Rows read.
    pub rows: u64,
    /// Entities made or, in an update, found again.
    pub entities: u64,
    /// Datoms asserted, without those of the transaction.
    pub datoms: u64,
    /// Datoms retracted (updates only).
    pub retracted: u64,
    /// Time spent on it.
    pub time: Duration,
}

/// Something that was not carried over.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Omission {
    /// What, with its table and column.
    pub what: String,
    /// How many of it.
    pub count: u64,
    /// Why.
    pub reason: String,
}

/// The report of an import.
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct ImportReport {
    /// The dump as given.
    pub source: String,
    /// The instant that its last transaction carries.
    pub instant: Instant,
    /// The basis after it.
    pub basis_t: T,
    /// Transactions made.
    pub transactions: u64,
    /// Datoms of schema: attributes and idents.
    pub schema_datoms: u64,
    /// One line a table, in the order of the dump.
    pub tables: Vec<TableReport>,
    /// Everything that was not carried over.
    pub omissions: Vec<Omission>,
    /// Hints: mapping lines that would change what was derived.
    pub notes: Vec<String>,
    /// Time for all of it.
    pub time: Duration,
}

impl ImportReport {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|t| t.rows).sum()
    }

    /// Datoms asserted of all tables, without schema and transactions.
    pub fn datoms(&self) -> u64 {
        self.tables.iter().map(|t| t.datoms).sum()
    }

    /// Datoms retracted of all tables.
    pub fn retracted(&self) -> u64 {
        self.tables.iter().map(|t| t.retracted).sum()
    }

    /// Entities of all tables.
    pub fn entities(&self) -> u64 {
        self.tables.iter().map(|t| t.entities).sum()
    }
}

impl fmt::Display for ImportReport {
    /// The report as a table of text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.tables.iter().map(|t| t.table.chars().count()).max();
        let width = width.unwrap_or(0).max("table".len());
        writeln!(
            f,
            "{:width$} {:>12} {:>12} {:>12} {:>9}  becomes",
            "table", "rows", "entities", "datoms", "seconds"
        )?;
        let row = |f: &mut fmt::Formatter<'_>, t: &TableReport| {
            writeln!(
                f,
                "{:width$} {:>12} {:>12} {:>12} {:>9.3}  {}",
                t.table,
                t.rows,
                t.entities,
                t.datoms,
                t.time.as_secs_f64(),
                t.becomes
            )
        };
        for table in &self.tables {
            row(f, table)?;
        }
        let total = TableReport {
            table: "all".to_owned(),
            rows: self.rows(),
            entities: self.entities(),
            datoms: self.datoms(),
            time: self.time,
            ..TableReport::default()
        };
        row(f, &total)?;
        if self.retracted() > 0 {
            writeln!(f, "{} datoms retracted", self.retracted())?;
        }
        if !self.omissions.is_empty() {
            writeln!(f, "not carried over:")?;
        }
        for omission in &self.omissions {
            writeln!(
                f,
                "  {:>9}  {}: {}",
                omission.count, omission.what, omission.reason
            )?;
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        Ok(())
    }
}

/// Counts what is not carried over, by what and why.
#[derive(Clone, Debug, Default)]
pub(crate) struct Omissions {
    counts: BTreeMap<(String, String), u64>,
}

impl Omissions {
    pub(crate) fn add(&mut self, what: &str, reason: &str, count: u64) {
        if count > 0 {
            let key = (what.to_owned(), reason.to_owned());
            *self.counts.entry(key).or_default() += count;
        }
    }

    pub(crate) fn into_list(self) -> Vec<Omission> {
        self.counts
            .into_iter()
            .map(|((what, reason), count)| Omission {
                what,
                count,
                reason,
            })
            .collect()
    }
}
