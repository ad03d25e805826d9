//! A native, in-process, Datomic-compatible datom store.
//!
//! This crate is the face of all others: every name that a program needs stands here, flat. It
//! decides nothing itself.
//!
//! # A database, facts, a question
//!
//! A database holds facts about entities. What attributes there are is itself said in a
//! transaction:
//!
//! ```
//! use datomite::prelude::*;
//!
//! # fn main() -> Result<(), datomite::Error> {
//! let conn = datomite::mem();
//! conn.transact(
//!     "[{:db/ident :user/email :db/valueType :db.type/string
//!        :db/cardinality :db.cardinality/one :db/unique :db.unique/identity}
//!       {:db/ident :user/age :db/valueType :db.type/long :db/cardinality :db.cardinality/one}]",
//! )?;
//! let mail = "ann@example.org";
//! conn.transact(edn!("[{:user/email ?mail :user/age 31}]", mail = mail))?;
//!
//! let rows = conn
//!     .db()
//!     .q("[:find ?email ?age :in $ ?least
//!          :where [?u :user/email ?email] [?u :user/age ?age] [(<= ?least ?age)]]")
//!     .arg(18)
//!     .rows::<(String, i64)>()?;
//! assert_eq!(rows, [("ann@example.org".to_owned(), 31)]);
//! # Ok(())
//! # }
//! ```
//!
//! # Time
//!
//! A [`Db`] is a value: what it answers never changes, and the past is a database like any other.
//!
//! ```
//! use datomite::prelude::*;
//!
//! # fn main() -> Result<(), datomite::Error> {
//! let conn = datomite::mem();
//! conn.transact(
//!     "[{:db/ident :door/state :db/valueType :db.type/string
//!        :db/cardinality :db.cardinality/one}]",
//! )?;
//! let report = conn.transact("[[:db/add \"door\" :door/state \"open\"]]")?;
//! let door = report.tempids[&Edn::string("door")];
//! conn.transact(edn!("[[:db/add ?door :door/state \"shut\"]]", door = door))?;
//!
//! let state = "[:find ?s . :where [_ :door/state ?s]]";
//! assert_eq!(conn.db().q(state).edn()?, Edn::string("shut"));
//! let then = conn.db().as_of(report.db_after.basis_t())?;
//! assert_eq!(then.q(state).edn()?, Edn::string("open"));
//! # Ok(())
//! # }
//! ```
//!
//! # A fork for every test
//!
//! [`Connection::fork`] gives an in-memory connection of its own that begins where this one is,
//! at no cost; what is transacted there is seen nowhere else.
//!
//! ```
//! use datomite::prelude::*;
//!
//! # fn main() -> Result<(), datomite::Error> {
//! let conn = datomite::mem();
//! conn.transact(
//!     "[{:db/ident :tag/name :db/valueType :db.type/string :db/cardinality :db.cardinality/one}]",
//! )?;
//! let fork = conn.fork()?;
//! fork.transact("[{:tag/name \"new\"}]")?;
//! let names = "[:find [?n ...] :where [_ :tag/name ?n]]";
//! assert_eq!(fork.db().q(names).edn()?, edn!("[\"new\"]"));
//! assert_eq!(conn.db().q(names).edn()?, edn!("[]"));
//! # Ok(())
//! # }
//! ```
//!
//! Text that is not EDN does not compile:
//!
//! ```compile_fail
//! let form = datomite::edn!("[:find ?e");
//! ```

#![forbid(unsafe_code)]

mod error;
pub mod prelude;

pub use error::Error;

pub use datomite_macros::{FromRow, edn};
pub use datomite_model::{
    Argument, Attribute, BigDec, BigInt, Cardinality, Category, Component, Datom, Edn, EdnError,
    EntityId, FieldName, Fields, FromEdn, FromEdnError, FromEdnProblem, Index, Instant, Keyword,
    Outcome, Partition, Schema, Spans, Symbol, T, TupleKind, Unique, Uri, Uuid, Value, ValueRef,
    ValueType, from_edn, read, read_all, read_spanned,
};

pub use datomite_storage::{
    Backend, BatchId, Durability, Epoch, FolderBackend, IndexChange, LogOptions, MemoryBackend,
    NodeSource, ObjectRange, Position, Random, ReadFault, Record, SetStats, StorageError, Version,
};

pub use datomite_db::{
    AggregateFn, Alteration, AttributeChange, AttributePredicateFn, Bulk, BulkError, Clock, Column,
    Connection, DatabaseId, Datoms, Db, DbError, DbStats, Diff, Entity, EntityChange,
    EntityPredicateFn, EntityValue, Function, FunctionError, Functions, IndexStats, IntoFunction,
    IntoTxData, KeyRange, Listener, Log, OpenBackend, Options, Pause, QueryFn, Spawn, TimePoint,
    TransactionFn, TxBuilder, TxData, TxEntry, TxError, TxFuture, TxMeta, TxRange, TxReport,
    TxReportQueue, connect, connect_with, create_database, database_names, delete_database,
    entid_at, mem, mem_with, open, open_backend, open_with, register, resolve_tempid, t_to_tx,
    tempid, tx, tx_to_t,
};

pub use datomite_query::{
    Arithmetic, Ask, CallError, CancelToken, ExplainedStep, Explanation, FromRow, FunctionDoc,
    FunctionRole, Input, Operator, Pattern, Place, PullError, Query, QueryError, QueryOptions,
    QueryResult, Question, Row, Uses, documented_functions, explain, explain_with, index_pull,
    index_pull_some, pull, pull_many, q, q_with,
};

/// Loading in bulk: groups of transactions of typed columns, invisible until committed.
pub mod bulk {
    pub use datomite_db::{Bulk, BulkError, Column, TxMeta};
}

/// What lies under a connection: for those who write a backend of their own, or test one.
pub mod storage {
    pub use datomite_storage::{
        Backend, Basis, BatchId, DiskFile, Durability, Epoch, FileSystem, FolderBackend,
        FolderOptions, Group, LockGuard, Log, LogOptions, MemoryBackend, ObjectRange, Position,
        RealFileSystem, Record, Records, Root, StorageError, Version,
    };
    /// The sorted set of facts that every index is.
    pub use datomite_storage::{
        Bound, DatomSet, Edit, Fact, KeyRange, Run, Runs, SetStats, Side, Window, word,
    };
}

/// The README's examples compile.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
