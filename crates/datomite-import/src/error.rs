//! Import errors: what stopped, where in the dump, and the way out.
//!
//! A dump that cannot be read leaves the store as it was; the message always names the place.

use std::fmt;
use std::path::PathBuf;

use datomite::Category;

/// A place in a dump: the table, the line of the text, and the column where one is meant.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// The table as the dump names it, empty where no table is meant.
    pub table: String,
    /// The line, counted from 1; in an archive, the row of the table's data block.
    pub line: u64,
    /// The column, empty where the whole row is meant.
    pub column: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sep = "";
        if !self.table.is_empty() {
            write!(f, "table {}", self.table)?;
            sep = ", ";
        }
        if self.line > 0 {
            write!(f, "{sep}line {}", self.line)?;
            sep = ", ";
        }
        if !self.column.is_empty() {
            write!(f, "{sep}column {}", self.column)?;
            sep = ", ";
        }
        if sep.is_empty() {
            write!(f, "the dump")?;
        }
        Ok(())
    }
}

/// Why an import stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file could not be opened, read, or copied to a temporary file.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The input is of a form that is recognised and not read.
    #[error("{form}: not read yet; {way_out}")]
    Form {
        /// What the input is.
        form: String,
        /// A command that makes a readable form of it.
        way_out: String,
    },
    /// The input is not a dump at all.
    #[error("{what}: {way_out}")]
    NotADump {
        /// What was seen.
        what: String,
        /// What is expected instead.
        way_out: String,
    },
    /// The dump ends before it is complete.
    #[error("the dump is cut: {place}: {what}; nothing was imported, the store is as it was")]
    Cut {
        /// Where it ends.
        place: Box<Place>,
        /// What was missing.
        what: String,
    },
    /// A statement or a row that cannot be understood.
    #[error("{place}: {what}")]
    Syntax {
        /// Where.
        place: Box<Place>,
        /// What was expected and what stands there.
        what: String,
    },
    /// A value that its column's type does not allow.
    #[error("{place}: {value:?} is not a value of type {expected}; {way_out}")]
    Value {
        /// Where.
        place: Box<Place>,
        /// The text, shortened.
        value: String,
        /// The type of the column.
        expected: String,
        /// What to do about it.
        way_out: String,
    },
    /// An archive whose bytes contradict the format.
    #[error("archive: {what} at byte {offset}")]
    Archive {
        /// What is wrong.
        what: String,
        /// Where in the file.
        offset: u64,
    },
    /// A mapping file that cannot be used.
    #[error("mapping: {what}")]
    Mapping {
        /// What is wrong, with the key.
        what: String,
    },
    /// The database refused what the dump holds.
    #[error("{place}: {message}")]
    Database {
        /// The table that was being loaded.
        place: Box<Place>,
        /// The message of the database.
        message: String,
        /// The category of the database's error.
        category: Category,
    },
    /// The caller's progress callback asked to stop.
    #[error("interrupted; nothing was imported, the store is as it was")]
    Interrupted,
}

impl ImportError {
    /// What a caller may do about it.
    pub fn category(&self) -> Category {
        match self {
            ImportError::Io { .. } => Category::Unavailable,
            ImportError::Form { .. } => Category::Unsupported,
            ImportError::Database { category, .. } => *category,
            ImportError::Interrupted => Category::Interrupted,
            _ => Category::Incorrect,
        }
    }

    /// A syntax error at a line of the dump.
    pub(crate) fn syntax(line: u64, what: impl Into<String>) -> ImportError {
        ImportError::Syntax {
            place: Box::new(Place {
                line,
                ..Place::default()
            }),
            what: what.into(),
        }
    }

    /// The same error with the table named, where none was.
    pub(crate) fn in_table(mut self, name: &str) -> ImportError {
        match &mut self {
            ImportError::Cut { place, .. }
            | ImportError::Syntax { place, .. }
            | ImportError::Value { place, .. }
            | ImportError::Database { place, .. }
                if place.table.is_empty() =>
            {
                place.table = name.to_owned();
            }
            _ => {}
        }
        self
    }
}
