//! datomite

pub use datomite_model::{
    Attribute, BigDec, BigInt, Cardinality, Category, Datom, Edn, EdnError, EntityId, Index,
    Instant, Keyword, Partition, Schema, Symbol, T, TupleKind, Unique, Uri, Uuid, Value, ValueType,
    read, read_all,
};
