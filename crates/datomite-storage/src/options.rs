//! What a log is opened with, and the only place of this crate that asks the system for randomness.

use std::fmt;
use std::sync::Arc;

use datomite_model::Uuid;

use crate::StorageError;

/// When an acknowledged transaction is on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Durability {
    /// Before it is acknowledged: one sync a batch.
    #[default]
    Sync,
    /// When the operating system gets to it: a crash of the machine may lose the last ones.
    Os,
}

/// Names a database for ever.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatabaseId(u128);

/// Where 128 random bits come from.
pub type Random = Arc<dyn Fn() -> Result<u128, StorageError> + Send + Sync>;

/// What a log is opened with.
#[derive(Clone)]
#[non_exhaustive]
pub struct LogOptions {
    /// What others are told about the holder of the lock.
    pub owner: String,
    /// When an acknowledged transaction is on the disk; as the backend was opened with.
    pub durability: Durability,
    /// Where the id of a new database comes from.
    pub random: Random,
}

impl LogOptions {
    /// The system's randomness, durable writes.
    pub fn new(owner: &str) -> LogOptions {
        LogOptions {
            owner: owner.to_owned(),
            durability: Durability::Sync,
            random: Arc::new(system_random),
        }
    }

    /// The same with another durability.
    pub fn durability(mut self, durability: Durability) -> LogOptions {
        self.durability = durability;
        self
    }

    /// The same with another source of randomness.
    pub fn random(mut self, random: Random) -> LogOptions {
        self.random = random;
        self
    }
}

impl Default for LogOptions {
    /// Named after the process.
    fn default() -> LogOptions {
        LogOptions::new(&format!("process {}", std::process::id()))
    }
}

impl DatabaseId {
    /// Takes a number as it is.
    pub const fn new(raw: u128) -> DatabaseId {
        DatabaseId(raw)
    }

    /// The number.
    pub const fn raw(self) -> u128 {
        self.0
    }
}

impl fmt::Display for DatabaseId {
    /// As a UUID is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Uuid::from_u128(self.0), f)
    }
}

impl fmt::Debug for DatabaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn system_random() -> Result<u128, StorageError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| StorageError::Io {
        what: "asking the system for randomness".to_owned(),
        message: error.to_string(),
    })?;
    Ok(u128::from_le_bytes(bytes))
}
