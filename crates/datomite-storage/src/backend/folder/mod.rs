//! A store in a folder.
//!
//! ```text
//! root            the root; root.previous the one before it
//! lock            the kernel's lock of the writer; owner who holds it, for error messages
//! durable         how far readers may read (segment.rs)
//! log/E-N.log     segment N of the writer with epoch E
//! packs/NAME      objects
//! ```
//! A new file is written under a temporary name, synced, renamed, and its directory synced. A
//! writer appends only to segments that it made itself: its first append copies the valid tail of
//! the last segment into a new one and switches the root to it, so that what a dead or fenced
//! writer still has in its hands can never reach the log. After a failed sync the content of the
//! disk is not known: writing stops until the store is reopened, reading goes on.

mod disk;
mod files;
mod mounts;
mod reading;
mod segment;
mod writing;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use self::files::Files;
use self::reading::Reading;
use self::writing::Writing;
use super::{Backend, BatchId, Epoch, ObjectRange, Position, Version};
use crate::format::SEGMENT_BYTES;
use crate::{Durability, Root, StorageError};

pub use disk::{DiskFile, FileSystem, LockGuard, RealFileSystem};

/// How a folder is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct FolderOptions {
    /// When an acknowledged write is on the disk.
    pub durability: Durability,
    /// Whether the folder may lie on a network file system.
    pub allow_network: bool,
    /// A segment of the log that has reached this many bytes is sealed and the next one begun.
    pub segment_bytes: u64,
}

/// A store in a folder.
pub struct FolderBackend {
    files: Files,
    options: FolderOptions,
    reading: Reading,
    writing: Mutex<Option<Writing>>,
}

impl Default for FolderOptions {
    fn default() -> FolderOptions {
        FolderOptions {
            durability: Durability::Sync,
            allow_network: false,
            segment_bytes: SEGMENT_BYTES,
        }
    }
}

impl FolderOptions {
    /// The same with another durability.
    pub fn durability(mut self, durability: Durability) -> FolderOptions {
        self.durability = durability;
        self
    }

    /// The same, allowed to lie on a network file system.
    pub fn allow_network(mut self) -> FolderOptions {
        self.allow_network = true;
        self
    }

    /// The same with segments of another size.
    pub fn segment_bytes(mut self, bytes: u64) -> FolderOptions {
        self.segment_bytes = bytes;
        self
    }
}

impl FolderBackend {
    /// Names a folder. Nothing is made or changed before a writer acquires it.
    pub fn open(folder: &Path, options: FolderOptions) -> Result<FolderBackend, StorageError> {
        FolderBackend::open_on(Arc::new(RealFileSystem), folder, options)
    }

    /// The same on another file system.
    pub fn open_on(
        system: Arc<dyn FileSystem>,
        folder: &Path,
        options: FolderOptions,
    ) -> Result<FolderBackend, StorageError> {
        if !options.allow_network
            && let Some(kind) = system.network_kind(folder)
        {
            return Err(StorageError::NetworkFileSystem {
                place: folder.display().to_string(),
                kind,
            });
        }
        Ok(FolderBackend {
            files: Files::new(system, folder.to_owned()),
            options,
            reading: Reading::default(),
            writing: Mutex::new(None),
        })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.files.folder()
    }

    /// Whether there is a store in the folder.
    pub fn holds_store(&self) -> bool {
        self.files.exists(&self.files.path("root"))
    }

    fn pack(&self, name: &str) -> Result<PathBuf, StorageError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > 200 || name.starts_with('.') || !name.chars().all(plain)
        {
            return Err(StorageError::ObjectName {
                name: name.to_owned(),
            });
        }
        Ok(self.files.path("packs").join(name))
    }
}

/// Runs `work` on the state of the writer with that epoch.
fn with_writer<R>(
    writing: &Mutex<Option<Writing>>,
    epoch: Epoch,
    work: impl FnOnce(&mut Writing) -> Result<R, StorageError>,
) -> Result<R, StorageError> {
    let mut writing = writing.lock();
    match writing.as_mut() {
        Some(writing) if writing.epoch == epoch => work(writing),
        other => Err(StorageError::Fenced {
            epoch,
            current: other.map_or(epoch.next(), |writing| writing.epoch),
        }),
    }
}

impl Backend for FolderBackend {
    fn acquire(&self, owner: &str) -> Result<Epoch, StorageError> {
        let mut writing = self.writing.lock();
        // Nobody shares the kernel's lock, not even a second writer of this process.
        if writing.is_some() {
            return Err(self.files.locked());
        }
        let new = Writing::acquire(&self.files, self.options, owner)?;
        let epoch = new.epoch;
        *writing = Some(new);
        self.reading.begin_writing();
        Ok(epoch)
    }

    fn append(
        &self,
        epoch: Epoch,
        expected: Position,
        _batch: BatchId,
        frames: &[u8],
    ) -> Result<Position, StorageError> {
        with_writer(&self.writing, epoch, |writing| {
            writing.append(&self.files, &self.reading, expected, frames)
        })
    }

    fn read_log(&self, from: Position, max: u64) -> Result<Vec<u8>, StorageError> {
        self.reading.read(&self.files, from, max)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let path = self.pack(name)?;
        if self.files.exists(&path) {
            return Err(StorageError::ObjectExists {
                name: name.to_owned(),
            });
        }
        self.files.write_new(&path, &[bytes])?;
        Ok(())
    }

    fn get_many(&self, ranges: &[ObjectRange]) -> Result<Vec<Vec<u8>>, StorageError> {
        ranges
            .iter()
            .map(|range| {
                let path = self.pack(&range.name)?;
                self.files
                    .read_range(&path, range.offset, range.length)?
                    .ok_or_else(|| StorageError::ObjectMissing {
                        name: range.name.clone(),
                    })
            })
            .collect()
    }

    fn root(&self) -> Result<Option<(Version, Vec<u8>)>, StorageError> {
        match self.files.read_root()? {
            Some(bytes) => {
                let root = Root::decode(&bytes, &self.files.root_name())?;
                Ok(Some((root.generation, bytes)))
            }
            None => Ok(None),
        }
    }

    fn swap_root(
        &self,
        epoch: Epoch,
        expected: Version,
        bytes: &[u8],
    ) -> Result<Version, StorageError> {
        with_writer(&self.writing, epoch, |writing| {
            writing.swap_root(&self.files, expected, bytes)
        })
    }

    fn list(&self) -> Result<Vec<String>, StorageError> {
        self.files.list("packs")
    }

    fn delete(&self, name: &str) -> Result<(), StorageError> {
        let path = self.pack(name)?;
        if self.files.exists(&path) {
            self.files.remove(&path)?;
        }
        Ok(())
    }

    fn release(&self, epoch: Epoch) {
        let mut writing = self.writing.lock();
        if writing.as_ref().is_some_and(|held| held.epoch == epoch) {
            *writing = None;
            self.reading.end_writing();
        }
    }

    fn place(&self) -> String {
        self.files.folder().display().to_string()
    }
}

#[cfg(test)]
mod tests;
