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
//! # Rust's types on both sides
//!
//! Rows are read as tuples, maps, single values, or structs by the names of their columns; an
//! argument is any value, collection, tuple or map. What does not fit says which row and column,
//! what was wanted and what was found.
//!
//! ```
//! use datomite::prelude::*;
//!
//! #[derive(FromRow, Debug, PartialEq)]
//! struct User {
//!     email: String,
//!     age: Option<u8>,
//!     #[row(name = "user/tag")]
//!     tags: Vec<String>,
//! }
//!
//! # fn main() -> Result<(), datomite::Error> {
//! let conn = datomite::mem();
//! conn.transact(
//!     "[{:db/ident :user/email :db/valueType :db.type/string
//!        :db/cardinality :db.cardinality/one :db/unique :db.unique/identity}
//!       {:db/ident :user/age :db/valueType :db.type/long :db/cardinality :db.cardinality/one}
//!       {:db/ident :user/tag :db/valueType :db.type/string
//!        :db/cardinality :db.cardinality/many}]",
//! )?;
//! conn.transact("[{:user/email \"ann@x.org\" :user/age 31 :user/tag [\"a\" \"b\"]}
//!                 {:user/email \"bob@x.org\" :user/age 300}]")?;
//! let db = conn.db();
//!
//! let asked = ["ann@x.org", "nobody@x.org"];
//! let query = "[:find [(pull ?u [*]) ...] :in $ [?e ...] :where [?u :user/email ?e]]";
//! let users: Vec<User> = db.q(query).arg(asked).rows()?;
//! assert_eq!((users[0].age, users[0].tags.len()), (Some(31), 2));
//!
//! let oldest = "[:find (max ?age) . :where [_ :user/age ?age]]";
//! assert_eq!(db.q(oldest).scalar::<i64>()?, Some(300));
//! let wrong = db.q(oldest).scalar::<u8>().unwrap_err();
//! assert_eq!(
//!     wrong.to_string(),
//!     "row 0, column 0 ((max ?age)): expected a long that fits u8, found the long 300",
//! );
//!
//! let lookup = edn!("[:user/email \"ann@x.org\"]");
//! let ann = db.entity(&lookup)?.expect("she is there");
//! assert_eq!(ann.read::<u8>(":user/age")?, 31);
//! assert_eq!(ann.read_all::<User>()?, users[0]);
//! let pulled = db.pull("[:user/age]", lookup)?;
//! assert_eq!(pulled.read::<u8>(":user/age")?, 31);
//! # Ok(())
//! # }
//! ```
//!
//! Where a struct derives serde's `Deserialize`, [`from_edn`] reads it; values, forms, entities
//! and results serialize.
//!
//! # Functions of one's own
//!
//! A closure is registered under a qualified symbol. Over values it is a predicate, a function, an
//! aggregate, an `:xform` or an attribute predicate; over a database and values a transaction
//! function or an entity predicate.
//!
//! ```
//! use datomite::prelude::*;
//!
//! # fn main() -> Result<(), datomite::Error> {
//! let conn = datomite::mem();
//! conn.transact(
//!     "[{:db/ident :user/name :db/valueType :db.type/string
//!        :db/cardinality :db.cardinality/one :db/unique :db.unique/identity}
//!       {:db/ident :user/age :db/valueType :db.type/long :db/cardinality :db.cardinality/one}]",
//! )?;
//! conn.register("my/adult?", |age: i64| age >= 18);
//! conn.register("my/middle", |ages: &[i64]| ages.iter().sum::<i64>() / ages.len() as i64);
//! conn.register("my/birthday", |db: &Db, name: &str| {
//!     let query = "[:find [?u ?age] :in $ ?n :where [?u :user/name ?n] [?u :user/age ?age]]";
//!     let found: Option<(EntityId, i64)> = db.q(query).arg(name).first()?;
//!     let (user, age) = found.ok_or("nobody of that name")?;
//!     Ok(edn!("[[:db/add ?user :user/age ?age]]", user = user, age = age + 1))
//! });
//!
//! conn.transact("[{:user/name \"ann\" :user/age 31} {:user/name \"bob\" :user/age 17}]")?;
//! conn.transact("[[my/birthday \"bob\"]]")?;
//! let adults = "[:find [?n ...] :where [?u :user/name ?n] [?u :user/age ?a] [(my/adult? ?a)]]";
//! assert_eq!(conn.db().q(adults).rows::<String>()?.len(), 2);
//! let middle = "[:find (my/middle ?a) . :where [_ :user/age ?a]]";
//! assert_eq!(conn.db().q(middle).scalar::<i64>()?, Some(24));
//! # Ok(())
//! # }
//! ```
//!
//! # Branches of the past, and what differs
//!
//! A fork of `as_of` is a true branch: ids, schema and history are as they were. [`Db::diff`]
//! compares two times, [`Db::diff_to`] two values.
//!
//! ```
//! use datomite::prelude::*;
//!
//! # fn main() -> Result<(), datomite::Error> {
//! let conn = datomite::mem();
//! conn.transact(
//!     "[{:db/ident :door/name :db/valueType :db.type/string
//!        :db/cardinality :db.cardinality/one :db/unique :db.unique/identity}
//!       {:db/ident :door/state :db/valueType :db.type/string
//!        :db/cardinality :db.cardinality/one}]",
//! )?;
//! let report = conn.transact("[{:door/name \"front\" :door/state \"open\"}]")?;
//! let then = report.db_after.basis_t();
//! conn.transact("[{:door/name \"front\" :door/state \"shut\"}]")?;
//!
//! let branch = conn.db().as_of(then)?.fork()?;
//! branch.transact("[{:door/name \"front\" :door/state \"ajar\"}]")?;
//!
//! let since = conn.db().diff(then, conn.db().basis_t())?;
//! let state = since.changes[0].attribute(":door/state").expect("it changed");
//! assert_eq!((&state.old[0], &state.new[0]), (&Value::from("open"), &Value::from("shut")));
//! let between = branch.db().diff_to(&conn.db())?;
//! let state = between.changes[0].attribute(":door/state").expect("it differs");
//! assert_eq!((&state.old[0], &state.new[0]), (&Value::from("ajar"), &Value::from("shut")));
//! # Ok(())
//! # }
//! ```
//!
//! Text that is not EDN does not compile:
//!
//! ```compile_fail
//! let form = datomite::edn!("[:find ?e");
//! ```
//!
//! Nor does a row of what nothing is read as:
//!
//! ```compile_fail
//! #[derive(datomite::FromRow)]
//! struct Row {
//!     thread: std::thread::Thread,
//! }
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
    Connection, DatabaseId, Datoms, Db, DbError, DbStats, Diff, Element, Entity, EntityChange,
    EntityName, EntityPredicateFn, EntityValue, Form, Function, FunctionError, Functions,
    IndexStats, IntoFunction, IntoTxData, KeyRange, Listener, Log, OpenBackend, Options, Pause,
    QueryFn, Spawn, TimePoint, TransactionFn, TxBuilder, TxData, TxEntry, TxError, TxFuture,
    TxMeta, TxRange, TxReport, TxReportQueue, connect, connect_with, create_database,
    database_names, delete_database, entid_at, mem, mem_with, open, open_backend, open_with,
    register, resolve_tempid, squuid_time_millis, t_to_tx, tempid, tx, tx_to_t,
};

pub use datomite_query::{
    Arithmetic, Ask, CallError, CancelToken, ExplainedStep, Explanation, FromRow, FunctionDoc,
    FunctionRole, Input, Operator, Pattern, Place, PullError, Query, QueryError, QueryOptions,
    QueryResult, Question, Row, Uses, documented_functions, explain, explain_with, index_pull,
    index_pull_some, pull, pull_many, pull_with, q, q_with,
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
