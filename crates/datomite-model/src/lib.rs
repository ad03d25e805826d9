//! The vocabulary: values, names, datoms, schema nouns and EDN text.
//!
//! No input or output, no state, and no errors but those of parsing. Nothing here knows how a
//! datom is stored, what a transaction does or how a query runs.

#![forbid(unsafe_code)]

mod argument;
mod attribute;
mod bigdec;
mod category;
mod convert;
mod datom;
mod deserialize;
mod edn;
mod entity;
mod field;
mod from_edn;
mod index;
mod instant;
mod name;
mod relation;
mod schema;
mod serialize;
mod uri;
mod value;

pub use argument::{Argument, Outcome};
pub use attribute::{Attribute, Cardinality, TupleKind, Unique, ValueType};
pub use bigdec::BigDec;
pub use category::Category;
pub use datom::Datom;
pub use deserialize::from_edn;
pub use edn::{DEPTH_MAX, Edn, EdnError, Spans, read, read_all, read_spanned};
pub use entity::{EntityId, Partition, T};
pub use field::{FieldName, Fields};
pub use from_edn::{FromEdn, FromEdnError, FromEdnProblem};
pub use index::{Component, Index};
pub use instant::Instant;
pub use name::{Keyword, Symbol};
pub use schema::Schema;
pub use uri::Uri;
pub use value::{Value, ValueRef};

/// The arbitrary-precision integer that `bigint` values hold.
pub use num_bigint::BigInt;
/// The 128-bit identifier that `uuid` values hold.
pub use uuid::Uuid;
