//! Results: columns with row views, as Datomic's peer would return them, or as Rust types.
//!
//! Values are made of the columns only when a row is read. Which Rust types a row can be is
//! decided in `rows.rs`.

use std::sync::Arc;

use datomite_model::{Edn, FromEdn};

use crate::QueryError;
use crate::ast::FindSpec;
use crate::builtins::clj;
use crate::find::is_single;
use crate::relation::{Col, Kind};
use crate::rows::FromRow;

/// What a query answers.
#[derive(Clone, Debug)]
pub struct QueryResult {
    pub(crate) spec: FindSpec,
    /// Whether Datomic would return a set of rows.
    pub(crate) is_set: bool,
    pub(crate) columns: Vec<Col>,
    /// What each column is called.
    pub(crate) names: Arc<[String]>,
    pub(crate) len: usize,
    /// The keys of `:keys`, `:strs` or `:syms`.
    pub(crate) keys: Option<Vec<Edn>>,
}

/// One row of a result, borrowed.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    columns: &'a [Col],
    names: &'a [String],
    at: usize,
}

impl QueryResult {
    /// How many rows there are. A tuple or scalar query has them all here too.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many columns a row has.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// What the columns are called: by `:keys`, `:strs` or `:syms`, else as `:find` says it
    /// (`?email`, `(count ?order)`).
    pub fn columns(&self) -> &[String] {
        &self.names
    }

    /// Whether a column holds entity ids: what a display may show by name.
    pub fn is_entity(&self, column: usize) -> bool {
        matches!(self.columns.get(column), Some(Col::Word(Kind::Ref, _)))
    }

    /// The rows.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        (0..self.len).map(|at| self.row(at))
    }

    fn row(&self, at: usize) -> Row<'_> {
        Row {
            columns: &self.columns,
            names: &self.names,
            at,
        }
    }

    /// The rows as a Rust type: structs, tuples, maps, or one value where there is one column.
    pub fn into_rows<R: FromRow>(self) -> Result<Vec<R>, QueryError> {
        self.rows().map(|row| R::from_row(row)).collect()
    }

    /// The values of the one column.
    pub fn collection<V: FromEdn>(&self) -> Result<Vec<V>, QueryError> {
        self.rows().map(Row::only).collect()
    }

    /// The one value of the first row, if there is a row.
    pub fn scalar<V: FromEdn>(&self) -> Result<Option<V>, QueryError> {
        self.rows().next().map(Row::only).transpose()
    }

    /// The first row as a Rust type, if there is one.
    pub fn first<R: FromRow>(&self) -> Result<Option<R>, QueryError> {
        self.rows().next().map(|row| R::from_row(row)).transpose()
    }

    /// Exactly what Datomic's peer returns: a set of rows, or a list where rows may repeat, have
    /// an order or are maps; a list of values, one row or one value for the other forms of
    /// `:find`.
    pub fn into_edn(self) -> Edn {
        if is_single(self.spec) && self.len == 0 {
            return Edn::Nil;
        }
        match self.spec {
            FindSpec::Relation => {
                let rows = self.rows().map(|row| self.shaped(row)).collect();
                if self.is_set {
                    Edn::Set(rows)
                } else {
                    Edn::Vector(rows)
                }
            }
            FindSpec::Collection => {
                let value = |row: Row<'_>| match &self.keys {
                    Some(keys) => Edn::Vector(vec![keys[0].clone(), row.get(0)]),
                    None => row.get(0),
                };
                Edn::Vector(self.rows().map(value).collect())
            }
            FindSpec::Tuple => self.shaped(self.row(0)),
            FindSpec::Scalar => self.row(0).get(0),
        }
    }

    /// A row as a vector, or as a map where the query names keys.
    fn shaped(&self, row: Row<'_>) -> Edn {
        match &self.keys {
            None => Edn::Vector(row.values().collect()),
            Some(keys) => {
                let mut entries = Vec::with_capacity(keys.len());
                for (key, value) in keys.iter().zip(row.values()) {
                    clj::put(&mut entries, key.clone(), value);
                }
                Edn::Map(entries)
            }
        }
    }
}

impl<'a> Row<'a> {
    /// How many values it has.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The value of a column, counted from zero; nil past the last.
    pub fn get(&self, column: usize) -> Edn {
        self.columns
            .get(column)
            .map_or(Edn::Nil, |values| values.get(self.at))
    }

    /// The values, in order.
    pub fn values(&self) -> impl Iterator<Item = Edn> + use<'a> {
        let at = self.at;
        self.columns.iter().map(move |values| values.get(at))
    }

    /// What the columns are called; see [`QueryResult::columns`].
    pub fn names(&self) -> &'a [String] {
        self.names
    }

    /// Which row it is, counted from zero.
    pub fn index(&self) -> usize {
        self.at
    }
}

impl serde::Serialize for QueryResult {
    /// As [`QueryResult::into_edn`].
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.clone().into_edn().serialize(serializer)
    }
}
