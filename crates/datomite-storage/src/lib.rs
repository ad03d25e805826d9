//! Remembers datoms: an append-only log and sorted sets of facts, in memory or on disk.
//!
//! Knows `Datom`s and the four orders. Does not know what an attribute means: which sets a datom
//! joins is told by the caller and derived from schema, never stored per datom.
//!
//! The truth is the [`Log`]: frames of [`Record`]s on a [`Backend`], found through the [`Root`].

#![forbid(unsafe_code)]

mod backend;
mod codec;
mod error;
mod format;
mod log;
mod options;
mod record;
mod recover;
mod root;
mod set;

pub use backend::{
    Backend, BatchId, DiskFile, Epoch, FileSystem, FolderBackend, FolderOptions, LockGuard,
    MemoryBackend, ObjectRange, Position, RealFileSystem, Version,
};
pub use error::StorageError;
pub use format::{FORMAT_VERSION, Format, TRANSACTION_BYTES_MAX, VALUE_BYTES_MAX};
pub use log::{Group, Log, Records};
pub use options::{DatabaseId, Durability, LogOptions, Random};
pub use record::{IndexChange, Record};
pub use root::{Basis, NodeRef, Root, Seal, Segment, Trees};
pub use set::{
    Bound, Codes, DatomSet, Edit, Fact, KeyRange, NodeAddress, NodeSource, ReadFault, Run, Runs,
    SetStats, Side, StoredNode, TextSource, Window, word,
};
