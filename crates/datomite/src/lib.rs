//! A native, in-process, Datomic-compatible datom store.
//!
//! This crate is the face of all others: every name that a program needs stands here, flat. It
//! decides nothing itself.

#![forbid(unsafe_code)]

pub use datomite_macros::edn;
pub use datomite_model::{
    Attribute, BigDec, BigInt, Cardinality, Category, Component, Datom, Edn, EdnError, EntityId,
    FromEdn, FromEdnError, Index, Instant, Keyword, Partition, Schema, Spans, Symbol, T, TupleKind,
    Unique, Uri, Uuid, Value, ValueRef, ValueType, read, read_all, read_spanned,
};

pub use datomite_storage::{
    Backend, BatchId, Durability, Epoch, IndexChange, LogOptions, MemoryBackend, ObjectRange,
    Position, Random, Record, StorageError, Version,
};

pub use datomite_db::{
    AggregateFn, AttributePredicateFn, DatabaseId, Db, DbError, EntityPredicateFn, Function,
    FunctionError, Functions, QueryFn, TimePoint, TransactionFn,
};

pub use datomite_query::{Place, QueryError};
