//! Remembers datoms: an append-only log and sorted sets of facts, in memory or on disk.
//!
//! Knows `Datom`s and the four orders. Does not know what an attribute means: which sets a datom
//! joins is told by the caller and derived from schema, never stored per datom.

#![forbid(unsafe_code)]

mod error;
mod record;
mod set;

pub use error::StorageError;
pub use record::{IndexChange, Record};
pub use set::{
    Bound, Codes, DatomSet, Edit, Fact, KeyRange, Run, Runs, SetStats, Side, TextSource, Window,
    word,
};
