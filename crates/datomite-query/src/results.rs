//! Results: columns with row views, as Datomic's peer would return them, or as Rust types.
//!
//! Values are made of the columns only when a row is read.

use datomite_model::{Edn, FromEdn};

use crate::QueryError;
use crate::ast::FindSpec;
use crate::builtins::clj;
use crate::find::is_single;
use crate::relation::{Col, Kind};

/// What a query answers.
#[derive(Clone, Debug)]
pub struct QueryResult {
    pub(crate) spec: FindSpec,
    /// Whether Datomic would return a set of rows.
    pub(crate) is_set: bool,
    pub(crate) columns: Vec<Col>,
    pub(crate) len: usize,
    /// The keys of `:keys`, `:strs` or `:syms`.
    pub(crate) keys: Option<Vec<Edn>>,
}

/// One row of a result, borrowed.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    columns: &'a [Col],
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
            at,
        }
    }

    /// The rows as a Rust type: tuples, or one value where there is one column.
    pub fn into_rows<R: FromRow>(self) -> Result<Vec<R>, QueryError> {
        self.rows().map(|row| R::from_row(row)).collect()
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

    /// The value of a column as a Rust type.
    pub fn read<V: FromEdn>(&self, column: usize) -> Result<V, QueryError> {
        V::from_edn(&self.get(column)).map_err(|error| QueryError::RowType {
            column,
            expected: error.expected,
            found: error.found,
        })
    }
}

/// A Rust type that a row can be read as.
pub trait FromRow: Sized {
    /// Reads a row.
    fn from_row(row: Row<'_>) -> Result<Self, QueryError>;
}

/// A row as it is.
impl FromRow for Vec<Edn> {
    fn from_row(row: Row<'_>) -> Result<Vec<Edn>, QueryError> {
        Ok(row.values().collect())
    }
}

fn check_width(row: Row<'_>, expected: &'static str, width: usize) -> Result<(), QueryError> {
    if row.len() == width {
        return Ok(());
    }
    Err(QueryError::RowType {
        column: row.len().min(width),
        expected,
        found: Edn::Vector(row.values().collect()),
    })
}

macro_rules! from_row_tuple {
    ($width:literal $expected:literal: $($name:ident $at:literal)+) => {
        impl<$($name: FromEdn),+> FromRow for ($($name,)+) {
            fn from_row(row: Row<'_>) -> Result<Self, QueryError> {
                check_width(row, $expected, $width)?;
                Ok(($(row.read::<$name>($at)?,)+))
            }
        }
    };
}

from_row_tuple!(1 "one column": A 0);
from_row_tuple!(2 "two columns": A 0 B 1);
from_row_tuple!(3 "three columns": A 0 B 1 C 2);
from_row_tuple!(4 "four columns": A 0 B 1 C 2 D 3);
from_row_tuple!(5 "five columns": A 0 B 1 C 2 D 3 E 4);
from_row_tuple!(6 "six columns": A 0 B 1 C 2 D 3 E 4 F 5);
from_row_tuple!(7 "seven columns": A 0 B 1 C 2 D 3 E 4 F 5 G 6);
from_row_tuple!(8 "eight columns": A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
from_row_tuple!(9 "nine columns": A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8);
from_row_tuple!(10 "ten columns": A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9);
from_row_tuple!(11 "eleven columns": A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10);
from_row_tuple!(12 "twelve columns": A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11);

macro_rules! from_row_value {
    ($($to:ty)*) => {$(
        /// The one column of a row.
        impl FromRow for $to {
            fn from_row(row: Row<'_>) -> Result<$to, QueryError> {
                check_width(row, "one column", 1)?;
                row.read(0)
            }
        }
    )*};
}

from_row_value! {
    i64 i32 u64 usize f64 f32 bool String std::sync::Arc<str> Edn
    datomite_model::Value datomite_model::EntityId datomite_model::T datomite_model::Keyword
    datomite_model::Symbol datomite_model::Uuid datomite_model::Uri datomite_model::Instant
    datomite_model::BigDec datomite_model::BigInt
}

impl serde::Serialize for QueryResult {
    /// As [`QueryResult::into_edn`].
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.clone().into_edn().serialize(serializer)
    }
}
