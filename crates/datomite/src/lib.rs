//! A native, in-process, Datomic-compatible datom store.
//!
//! This crate is the face of all others: every name that a program needs stands here, flat. It
//! decides nothing itself.

#![forbid(unsafe_code)]

mod error;
pub mod prelude;

pub use error::Error;

pub use datomite_macros::edn;
pub use datomite_model::{
    Attribute, BigDec, BigInt, Cardinality, Category, Component, Datom, Edn, EdnError, EntityId,
    FromEdn, FromEdnError, Index, Instant, Keyword, Partition, Schema, Spans, Symbol, T, TupleKind,
    Unique, Uri, Uuid, Value, ValueRef, ValueType, read, read_all, read_spanned,
};

pub use datomite_storage::{
    Backend, BatchId, Durability, Epoch, FolderBackend, IndexChange, LogOptions, MemoryBackend,
    NodeSource, ObjectRange, Position, Random, ReadFault, Record, SetStats, StorageError, Version,
};

pub use datomite_db::{
    AggregateFn, Argument, AttributePredicateFn, Bulk, BulkError, Clock, Column, Connection,
    DatabaseId, Datoms, Db, DbError, DbStats, Entity, EntityPredicateFn, EntityValue, Function,
    FunctionError, Functions, IndexStats, IntoFunction, IntoTxData, Listener, Log, OpenBackend,
    Options, Outcome, Pause, QueryFn, Spawn, TimePoint, TransactionFn, TxData, TxEntry, TxError,
    TxFuture, TxMeta, TxRange, TxReport, TxReportQueue, connect, connect_with, create_database,
    database_names, delete_database, mem, mem_with, open, open_backend, open_with, register,
};

pub use datomite_query::{
    Arithmetic, Ask, CallError, CancelToken, ExplainedStep, Explanation, FromRow, Input, Pattern,
    Place, PullError, Query, QueryError, QueryOptions, QueryResult, Question, Row, explain,
    index_pull, pull, pull_many, q, q_with,
};

/// What lies under a connection: for those who write a backend of their own, or test one.
pub mod storage {
    pub use datomite_storage::{
        Backend, Basis, BatchId, DiskFile, Durability, Epoch, FileSystem, FolderBackend,
        FolderOptions, Group, LockGuard, Log, LogOptions, MemoryBackend, ObjectRange, Position,
        RealFileSystem, Record, Records, Root, StorageError, Version,
    };
}
