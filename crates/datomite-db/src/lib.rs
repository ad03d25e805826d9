//! The database as a value, and the only way to a new one.
//!
//! Decides schema, identity, upsert and time; the only maker of datoms. Knows nothing of queries,
//! and bytes only through the storage crate.

#![forbid(unsafe_code)]

mod db;
mod diff;
mod view;

mod component;
mod datoms;
mod entity;
mod ident;
mod lookup;
mod runs;
mod stats;
mod tempid;
mod tx_log;

mod bootstrap;
mod insert;
mod replay;
mod transact;

mod bulk;
mod connection;
mod fork;
mod functions;
mod future;
mod listen;
mod open;
mod options;
mod typed;

mod error;

pub use bulk::{Bulk, BulkError, Column, TxMeta};
pub use connection::Connection;
pub use datoms::Datoms;
pub use db::Db;
pub use diff::{AttributeChange, Diff, EntityChange};
pub use entity::{Entity, EntityValue};
pub use error::DbError;
pub use functions::{
    AggregateFn, AttributePredicateFn, EntityPredicateFn, Function, FunctionError, Functions,
    QueryFn, TransactionFn,
};
pub use future::TxFuture;
pub use listen::{Listener, TxReportQueue};
pub use lookup::equal_range;
pub use open::{
    OpenBackend, connect, connect_with, create_database, database_names, delete_database, mem,
    mem_with, open, open_backend, open_with, register,
};
pub use options::{Clock, Options, Pause, Spawn};
pub use runs::{ViewRun, ViewRuns};
pub use stats::{DbStats, IndexStats};
pub use tempid::{entid_at, resolve_tempid, squuid_time_millis, t_to_tx, tempid, tx_to_t};
pub use transact::{
    Alteration, Element, EntityName, Form, IntoTxData, TxBuilder, TxData, TxError, TxReport, tx,
};
pub use tx_log::{Log, TxEntry, TxRange};
pub use typed::IntoFunction;
pub use view::TimePoint;

/// Ranges of an index, as [`Db::runs`] and [`Db::count`] take them.
pub use datomite_storage::{Bound, KeyRange, Side, TextSource, word};

/// The identity of a database; a fork has its own.
pub use datomite_storage::{DatabaseId, Durability};
