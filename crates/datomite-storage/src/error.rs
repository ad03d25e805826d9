//! What disks and stored bytes can do to us.

use datomite_model::Category;

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
}

impl StorageError {
    /// What a caller may do about it.
    pub fn category(&self) -> Category {
        match self {
            StorageError::Io { .. } => Category::Fault,
        }
    }
}
