//! The backend: where bytes live, seen as one log, one root and named objects.
//!
//! A backend knows nothing of datoms. It keeps a log that only grows, addressed by [`Position`];
//! a root, replaced whole by compare-and-set; and objects that never change once put. Every write
//! is durable when it returns. One writer at a time: [`Backend::acquire`] gives it an [`Epoch`] and
//! fences every earlier one.

mod folder;
mod memory;

use std::fmt;

use crate::StorageError;

pub use folder::{DiskFile, FileSystem, FolderBackend, FolderOptions, LockGuard, RealFileSystem};
pub use memory::MemoryBackend;

/// Which writer this is: counted up by each one that acquires the store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Epoch(u64);

/// A byte of the log, counted from its first one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Position(u64);

/// Which root this is: its generation. Zero stands for "there is none yet".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Version(u64);

/// Names one append for ever: the writer and the sequence number of its first frame.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BatchId {
    /// The writer.
    pub epoch: Epoch,
    /// The sequence number of the first frame.
    pub sequence: u64,
}

/// A stretch of a named object.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ObjectRange {
    /// The name it was put under.
    pub name: String,
    /// The first byte.
    pub offset: u64,
    /// How many bytes.
    pub length: u64,
}

/// A place that keeps one store. See the head of this file for what all of them promise.
pub trait Backend: Send + Sync {
    /// Becomes the only writer: takes the lock, if the place has one, and counts the epoch up by
    /// compare-and-set on the root. `owner` is what others are told about the holder.
    fn acquire(&self, owner: &str) -> Result<Epoch, StorageError>;

    /// Writes frames at the end of the log and returns the new end.
    ///
    /// `expected` is where the writer believes the log to end. The first append of an epoch may
    /// name an earlier place: what lies beyond it (a torn or abandoned tail) is cut off. An append
    /// of no frames makes the log durable up to `expected` and changes nothing else.
    /// Fails with `Fenced`, `Conflict`, `StorageFull` (nothing written), `Poisoned`, or `Unknown`.
    fn append(
        &self,
        epoch: Epoch,
        expected: Position,
        batch: BatchId,
        frames: &[u8],
    ) -> Result<Position, StorageError>;

    /// At most `max` bytes of the log from a position on; fewer at the end of a segment, none at
    /// the end of what a reader may see.
    fn read_log(&self, from: Position, max: u64) -> Result<Vec<u8>, StorageError>;

    /// Keeps an object under a new name; fails with `ObjectExists` where the name is taken.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError>;

    /// Stretches of objects, in the order asked.
    fn get_many(&self, ranges: &[ObjectRange]) -> Result<Vec<Vec<u8>>, StorageError>;

    /// The root and its version, or `None` where no store was created yet.
    fn root(&self) -> Result<Option<(Version, Vec<u8>)>, StorageError>;

    /// Replaces the root if it still has the expected version; the new version is one more.
    /// `bytes` is an encoded [`crate::Root`] of that generation and epoch. Fails with `Fenced`,
    /// `Conflict`, or `Unknown`, which the caller settles by reading the root back.
    fn swap_root(
        &self,
        epoch: Epoch,
        expected: Version,
        bytes: &[u8],
    ) -> Result<Version, StorageError>;

    /// The names of all objects, sorted.
    fn list(&self) -> Result<Vec<String>, StorageError>;

    /// Forgets an object; absent ones are ignored.
    fn delete(&self, name: &str) -> Result<(), StorageError>;

    /// Gives up writing: lets the lock go. Reading goes on. Later writes of that epoch are refused.
    fn release(&self, epoch: Epoch);

    /// How errors name this place.
    fn place(&self) -> String;
}

impl Epoch {
    /// Takes a number as it is.
    pub const fn new(raw: u64) -> Epoch {
        Epoch(raw)
    }

    /// The number.
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// The next one.
    pub const fn next(self) -> Epoch {
        Epoch(self.0 + 1)
    }
}

impl Position {
    /// Takes a number as it is.
    pub const fn new(raw: u64) -> Position {
        Position(raw)
    }

    /// The number.
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// So many bytes later.
    pub const fn plus(self, bytes: u64) -> Position {
        Position(self.0 + bytes)
    }
}

impl Version {
    /// Before the first root.
    pub const NONE: Version = Version(0);

    /// Takes a number as it is.
    pub const fn new(raw: u64) -> Version {
        Version(raw)
    }

    /// The number.
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// The next one.
    pub const fn next(self) -> Version {
        Version(self.0 + 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "batch {}.{}", self.epoch, self.sequence)
    }
}
