//! What disks, other writers and stored bytes can do to us.

use datomite_model::{Category, Keyword, T};

use crate::backend::{BatchId, Epoch};

/// Why a store could not read or write.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The operating system refused; `what` names the operation and the file.
    #[error("{what}: {message}")]
    Io {
        /// The operation and the file.
        what: String,
        /// The system's words.
        message: String,
    },
    /// There is no store at that place.
    #[error("{place}: no datomite store here")]
    NoStore {
        /// The folder or name.
        place: String,
    },
    /// There is a store at that place already.
    #[error("{place}: a datomite store is here already")]
    StoreExists {
        /// The folder or name.
        place: String,
    },
    /// Another writer holds the store.
    #[error(
        "{place} is held for writing by {holder}; \
         it can be read meanwhile: open it read-only"
    )]
    Locked {
        /// The folder.
        place: String,
        /// Who holds the lock, in the holder's own words.
        holder: String,
    },
    /// A later writer has taken the store over; this one may not write any more.
    #[error("writer epoch {epoch} was fenced by epoch {current}; reopen the store")]
    Fenced {
        /// The epoch of the refused writer.
        epoch: Epoch,
        /// The epoch that holds the store now.
        current: Epoch,
    },
    /// What the writer expected to follow is not what is there.
    #[error("{what}: expected {expected}, found {found}")]
    Conflict {
        /// The log position or the root version.
        what: &'static str,
        /// What the writer expected.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// Whether a batch was written is not known; reading back its id settles it.
    #[error("whether {batch} was written is not known: {message}")]
    Unknown {
        /// The batch.
        batch: BatchId,
        /// What happened to the request.
        message: String,
    },
    /// There was no room; nothing was written, and writing goes on when there is room again.
    #[error("no room left: {what}")]
    StorageFull {
        /// The operation and the file.
        what: String,
    },
    /// An earlier write failed in a way that leaves the disk's state unknown.
    #[error("writing stopped after a failure ({cause}); reads go on; reopen the store to write")]
    Poisoned {
        /// The failure.
        cause: String,
    },
    /// Stored bytes are not what was written.
    #[error("{file} is damaged{}: {what}", after_t(*.after))]
    Damaged {
        /// The file or object.
        file: String,
        /// The last transaction before the damage, where it is known.
        after: Option<T>,
        /// What was found.
        what: String,
    },
    /// The store was written in a format that this version does not know.
    #[error("the store has format version {version} and unknown features {features:#x}")]
    UnsupportedFormat {
        /// The version of the store.
        version: u32,
        /// The incompatible features that are not known.
        features: u64,
    },
    /// The store has features that allow this version to read, not to write.
    #[error("the store has features {features:#x} that this version can only read")]
    ReadOnlyFormat {
        /// The features that are not known.
        features: u64,
    },
    /// The store was opened for reading only.
    #[error("the store was opened for reading only")]
    ReadOnly,
    /// A group is open; only its own records may be written until it ends.
    #[error("a group of transactions is being written")]
    GroupOpen,
    /// A value is larger than can be stored.
    #[error("a value of {bytes} bytes is over the limit of {limit}")]
    ValueTooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// A transaction is larger than can be stored.
    #[error("a transaction of {bytes} bytes is over the limit of {limit}")]
    TransactionTooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// A tuple holds a tuple.
    #[error("a tuple within a tuple cannot be stored")]
    NestedTuple,
    /// An object of that name is there already.
    #[error("{name} is there already")]
    ObjectExists {
        /// The name.
        name: String,
    },
    /// No object has that name, or it is shorter than asked.
    #[error("{name}: no such bytes")]
    ObjectMissing {
        /// The name.
        name: String,
    },
    /// A name that no backend accepts.
    #[error("{name:?} is not a name for an object")]
    ObjectName {
        /// The name.
        name: String,
    },
    /// The folder lies on a network file system, whose locks and syncs cannot be relied on.
    #[error("{place} is on a network file system ({kind}); allow it explicitly to use it")]
    NetworkFileSystem {
        /// The folder.
        place: String,
        /// The kind of file system.
        kind: String,
    },
}

fn after_t(t: Option<T>) -> String {
    match t {
        Some(t) => format!(" after t {t}"),
        None => String::new(),
    }
}

impl StorageError {
    /// The keyword of the error.
    pub fn code(&self) -> Keyword {
        let name = match self {
            StorageError::Io { .. } => "io",
            StorageError::NoStore { .. } => "db-not-found",
            StorageError::StoreExists { .. } => "db-exists",
            StorageError::Locked { .. } => "locked",
            StorageError::Fenced { .. } => "fenced",
            StorageError::Conflict { .. } => "write-conflict",
            StorageError::Unknown { .. } => "write-unknown",
            StorageError::StorageFull { .. } => "storage-full",
            StorageError::Poisoned { .. } => "poisoned",
            StorageError::Damaged { .. } => "damaged",
            StorageError::UnsupportedFormat { .. } | StorageError::ReadOnlyFormat { .. } => {
                "unsupported-format"
            }
            StorageError::ReadOnly => "read-only",
            StorageError::GroupOpen => "group-open",
            StorageError::ValueTooLarge { .. } => "value-too-large",
            StorageError::TransactionTooLarge { .. } => "transaction-too-large",
            StorageError::NestedTuple => "nested-tuple",
            StorageError::ObjectExists { .. } => "object-exists",
            StorageError::ObjectMissing { .. } => "object-missing",
            StorageError::ObjectName { .. } => "object-name",
            StorageError::NetworkFileSystem { .. } => "network-file-system",
        };
        Keyword::new(Some("datomite.error"), name)
    }

    /// What a caller may do about it.
    pub fn category(&self) -> Category {
        match self {
            StorageError::NoStore { .. } | StorageError::ObjectMissing { .. } => Category::NotFound,
            StorageError::StoreExists { .. }
            | StorageError::Conflict { .. }
            | StorageError::GroupOpen
            | StorageError::ObjectExists { .. } => Category::Conflict,
            StorageError::Locked { .. } => Category::Busy,
            StorageError::StorageFull { .. } | StorageError::Unknown { .. } => {
                Category::Unavailable
            }
            StorageError::Fenced { .. } | StorageError::ReadOnly => Category::Forbidden,
            StorageError::UnsupportedFormat { .. }
            | StorageError::ReadOnlyFormat { .. }
            | StorageError::NetworkFileSystem { .. } => Category::Unsupported,
            StorageError::ValueTooLarge { .. }
            | StorageError::TransactionTooLarge { .. }
            | StorageError::NestedTuple
            | StorageError::ObjectName { .. } => Category::Incorrect,
            StorageError::Io { .. }
            | StorageError::Poisoned { .. }
            | StorageError::Damaged { .. } => Category::Fault,
        }
    }
}
