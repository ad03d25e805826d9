//! The database as a value, and the only way to a new one.
//!
//! Decides schema, identity, upsert and time; the only maker of datoms. Knows nothing of queries,
//! and bytes only through the storage crate.

#![forbid(unsafe_code)]

mod component;
mod datoms;
mod db;
mod error;
mod functions;
mod ident;
mod insert;
mod lookup;
mod runs;
mod view;

pub use datoms::Datoms;
pub use db::{DatabaseId, Db};
pub use error::DbError;
pub use functions::{
    AggregateFn, AttributePredicateFn, EntityPredicateFn, Function, FunctionError, Functions,
    QueryFn, TransactionFn,
};
pub use runs::{ViewRun, ViewRuns};
pub use view::TimePoint;

/// Ranges of an index, as [`Db::runs`] and [`Db::count`] take them.
pub use datomite_storage::{Bound, KeyRange, Side};
