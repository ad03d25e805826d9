//! Rows as Rust types: tuples, structs by name, maps by name, or the value of the one column.
//!
//! `#[derive(FromRow)]` writes the implementation for structs over [`Row::field`]. Values are
//! read by `FromEdn`; an error says the row, the column and its name.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use datomite_model::{Edn, FieldName, FromEdn, FromEdnError, Keyword};

use crate::QueryError;
use crate::results::Row;

/// A Rust type that a row can be read as.
#[diagnostic::on_unimplemented(
    message = "a row cannot be read as `{Self}`",
    note = "rows are tuples, maps, values of one column, or structs with `#[derive(FromRow)]`",
    note = "the values of one column are any `FromEdn` with `collection` and `scalar`"
)]
pub trait FromRow: Sized {
    /// Reads a row.
    fn from_row(row: Row<'_>) -> Result<Self, QueryError>;
}

impl Row<'_> {
    /// The value of a column as a Rust type.
    pub fn read<V: FromEdn>(&self, column: usize) -> Result<V, QueryError> {
        V::from_edn(&self.get(column)).map_err(|error| self.error(column, error))
    }

    /// The value of the one column as a Rust type.
    pub(crate) fn only<V: FromEdn>(self) -> Result<V, QueryError> {
        self.check_width(1)?;
        self.read(0)
    }

    /// The value for a field, by the name of a column.
    pub fn field<V: FromEdn>(&self, name: FieldName) -> Result<V, QueryError> {
        match self.column(name)? {
            Some(column) => self.read(column),
            None => Err(QueryError::RowField {
                field: name.as_str().to_owned(),
                columns: self.names().to_vec(),
            }),
        }
    }

    /// As [`Row::field`]; the default of its type where there is no such column, or nil in it.
    pub fn field_or_default<V: FromEdn + Default>(&self, name: FieldName) -> Result<V, QueryError> {
        match self.column(name)? {
            Some(column) if !self.get(column).is_nil() => self.read(column),
            _ => Ok(V::default()),
        }
    }

    /// Reads a row of one map, such as a pull gives, as a struct: `None` where the row is
    /// something else, or its one column is called as one of the fields.
    pub fn map<V: FromEdn>(&self, fields: &[FieldName]) -> Result<Option<V>, QueryError> {
        let is_column = |name: &FieldName| matches!(self.column(*name), Ok(Some(_)));
        if self.len() != 1 || fields.iter().any(is_column) {
            return Ok(None);
        }
        match self.get(0) {
            Edn::Map(_) => self.read(0).map(Some),
            _ => Ok(None),
        }
    }

    /// Refuses rows of another width.
    pub fn check_width(&self, expected: usize) -> Result<(), QueryError> {
        if self.len() == expected {
            return Ok(());
        }
        Err(QueryError::RowWidth {
            expected,
            columns: self.names().to_vec(),
        })
    }

    fn column(&self, name: FieldName) -> Result<Option<usize>, QueryError> {
        name.find(self.names().iter().map(String::as_str))
            .map_err(|error| QueryError::RowName(Box::new(error)))
    }

    fn error(&self, column: usize, error: FromEdnError) -> QueryError {
        QueryError::RowType {
            row: self.index(),
            column,
            name: self.names().get(column).cloned().unwrap_or_default(),
            error: Box::new(error),
        }
    }

    fn entries<K, V, M>(&self, key: fn(&str) -> K) -> Result<M, QueryError>
    where
        V: FromEdn,
        M: FromIterator<(K, V)>,
    {
        let names = self.names().iter().enumerate();
        names
            .map(|(column, name)| Ok((key(bare(name)), self.read(column)?)))
            .collect()
    }
}

/// A column's name as a key: variables without their question mark.
fn bare(name: &str) -> &str {
    name.strip_prefix(['?', ':']).unwrap_or(name)
}

/// The values of a row, all of one type.
impl<V: FromEdn> FromRow for Vec<V> {
    fn from_row(row: Row<'_>) -> Result<Vec<V>, QueryError> {
        (0..row.len()).map(|column| row.read(column)).collect()
    }
}

/// The value of the one column, where it is not nil.
impl<V: FromEdn> FromRow for Option<V> {
    fn from_row(row: Row<'_>) -> Result<Option<V>, QueryError> {
        row.only()
    }
}

macro_rules! from_row_map {
    ($($key:ty, $make:expr;)*) => {$(
        /// The values of a row by the names of their columns, without colon or question mark.
        impl<V: FromEdn> FromRow for BTreeMap<$key, V> {
            fn from_row(row: Row<'_>) -> Result<BTreeMap<$key, V>, QueryError> {
                row.entries($make)
            }
        }

        /// The values of a row by the names of their columns, without colon or question mark.
        impl<V: FromEdn, S: BuildHasher + Default> FromRow for HashMap<$key, V, S> {
            fn from_row(row: Row<'_>) -> Result<HashMap<$key, V, S>, QueryError> {
                row.entries($make)
            }
        }
    )*};
}

from_row_map! {
    String, str::to_owned;
    Keyword, Keyword::parse;
}

macro_rules! from_row_tuple {
    ($width:literal: $($name:ident $at:literal)+) => {
        impl<$($name: FromEdn),+> FromRow for ($($name,)+) {
            fn from_row(row: Row<'_>) -> Result<Self, QueryError> {
                row.check_width($width)?;
                Ok(($(row.read::<$name>($at)?,)+))
            }
        }
    };
}

from_row_tuple!(1: A 0);
from_row_tuple!(2: A 0 B 1);
from_row_tuple!(3: A 0 B 1 C 2);
from_row_tuple!(4: A 0 B 1 C 2 D 3);
from_row_tuple!(5: A 0 B 1 C 2 D 3 E 4);
from_row_tuple!(6: A 0 B 1 C 2 D 3 E 4 F 5);
from_row_tuple!(7: A 0 B 1 C 2 D 3 E 4 F 5 G 6);
from_row_tuple!(8: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
from_row_tuple!(9: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8);
from_row_tuple!(10: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9);
from_row_tuple!(11: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10);
from_row_tuple!(12: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11);

macro_rules! from_row_value {
    ($($to:ty)*) => {$(
        /// The value of the one column.
        impl FromRow for $to {
            fn from_row(row: Row<'_>) -> Result<$to, QueryError> {
                row.only()
            }
        }
    )*};
}

from_row_value! {
    i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f64 f32 bool char String
    std::sync::Arc<str> Edn std::time::SystemTime datomite_model::Value datomite_model::EntityId
    datomite_model::T Keyword datomite_model::Symbol datomite_model::Uuid datomite_model::Uri
    datomite_model::Instant datomite_model::BigDec datomite_model::BigInt
}
