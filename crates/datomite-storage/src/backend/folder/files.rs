//! The files of a store: where they are, how a new one comes to be, how errors name them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{DiskFile, FileSystem, LockGuard};
use crate::StorageError;

const TEMPORARY: &str = ".tmp";

/// A folder on a file system.
pub(super) struct Files {
    system: Arc<dyn FileSystem>,
    folder: PathBuf,
    boot: Option<u128>,
}

impl Files {
    pub(super) fn new(system: Arc<dyn FileSystem>, folder: PathBuf) -> Files {
        Files {
            boot: system.boot_id(),
            system,
            folder,
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn root_name(&self) -> String {
        self.path("root").display().to_string()
    }

    pub(super) fn boot_id(&self) -> Option<u128> {
        self.boot
    }

    pub(super) fn exists(&self, path: &Path) -> bool {
        self.system.exists(path)
    }

    /// Makes the folder with what it needs, each name durable in its parent.
    pub(super) fn create_folders(&self) -> Result<(), StorageError> {
        let mut missing: Vec<&Path> = self
            .folder
            .ancestors()
            .take_while(|path| !path.as_os_str().is_empty() && !self.exists(path))
            .collect();
        missing.reverse();
        let (log, packs) = (self.path("log"), self.path("packs"));
        missing.extend([log.as_path(), packs.as_path()]);
        for path in missing.into_iter().filter(|path| !self.exists(path)) {
            self.system
                .create_dir(path)
                .map_err(|error| io_error("making", path, &error))?;
            self.sync_parent(path)?;
        }
        Ok(())
    }

    /// Takes the kernel's lock.
    pub(super) fn lock(&self) -> Result<LockGuard, StorageError> {
        let path = self.path("lock");
        let lock = self
            .system
            .try_lock(&path)
            .map_err(|error| io_error("locking", &path, &error))?;
        lock.ok_or_else(|| self.locked())
    }

    /// The error for a store that another writer holds.
    pub(super) fn locked(&self) -> StorageError {
        let path = self.path("owner");
        let owner = self.read_all(&path).ok().flatten();
        let holder = match owner.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()) {
            Some(holder) if !holder.is_empty() => holder,
            _ => "a writer that has not said who it is".to_owned(),
        };
        StorageError::Locked {
            place: self.folder.display().to_string(),
            holder,
        }
    }

    /// Opens a file that is only a note to others and need not survive.
    pub(super) fn open_note(&self, name: &str) -> Result<Box<dyn DiskFile>, StorageError> {
        let path = self.path(name);
        let file = self.system.create(&path);
        file.map_err(|error| io_error("writing", &path, &error))
    }

    /// Replaces such a note.
    pub(super) fn write_note(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let file = self.open_note(name)?;
        let written = file.set_length(0).and_then(|()| file.write_at(0, bytes));
        written.map_err(|error| io_error("writing", &self.path(name), &error))
    }

    /// Makes a file with this content, durable with its name; gives it open for more.
    pub(super) fn write_new(
        &self,
        path: &Path,
        parts: &[&[u8]],
    ) -> Result<Box<dyn DiskFile>, StorageError> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(TEMPORARY);
        let temporary = PathBuf::from(temporary);
        let written = self.write_temporary(&temporary, parts);
        if written.is_err() {
            // Nobody looks for that name; what cannot be removed now is swept at the next open.
            let _ = self.system.remove(&temporary);
        }
        let file = written?;
        self.system
            .rename(&temporary, path)
            .map_err(|error| io_error("renaming", path, &error))?;
        self.sync_parent(path)?;
        Ok(file)
    }

    fn write_temporary(
        &self,
        path: &Path,
        parts: &[&[u8]],
    ) -> Result<Box<dyn DiskFile>, StorageError> {
        let failed = |error| io_error("writing", path, &error);
        let file = self.system.create(path).map_err(failed)?;
        file.set_length(0).map_err(failed)?;
        let mut offset = 0;
        for part in parts {
            file.write_at(offset, part).map_err(failed)?;
            offset += part.len() as u64;
        }
        file.sync()
            .map_err(|error| io_error("syncing", path, &error))?;
        Ok(file)
    }

    fn sync_parent(&self, path: &Path) -> Result<(), StorageError> {
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        self.system
            .sync_dir(parent)
            .map_err(|error| io_error("syncing", parent, &error))
    }

    pub(super) fn remove(&self, path: &Path) -> Result<(), StorageError> {
        self.system
            .remove(path)
            .map_err(|error| io_error("removing", path, &error))?;
        self.sync_parent(path)
    }

    /// The names in a directory of the store, temporary ones left out, sorted.
    pub(super) fn list(&self, directory: &str) -> Result<Vec<String>, StorageError> {
        let path = self.path(directory);
        if !self.exists(&path) {
            return Ok(Vec::new());
        }
        let mut names = self.list_all(&path)?;
        names.retain(|name| !name.ends_with(TEMPORARY));
        names.sort();
        Ok(names)
    }

    /// Removes every file of a directory that is not to be kept; what cannot be removed stays.
    pub(super) fn sweep(&self, directory: &str, keep: impl Fn(&str) -> bool) {
        let path = self.path(directory);
        for name in self.list_all(&path).unwrap_or_default() {
            if !keep(&name) {
                let _ = self.system.remove(&path.join(name));
            }
        }
    }

    /// Removes what an earlier writer left half-made in a directory.
    pub(super) fn sweep_temporary(&self, directory: &str) {
        self.sweep(directory, |name| !name.ends_with(TEMPORARY));
    }

    fn list_all(&self, path: &Path) -> Result<Vec<String>, StorageError> {
        self.system
            .list(path)
            .map_err(|error| io_error("listing", path, &error))
    }

    /// Opens a file for reading; `None` where there is none.
    pub(super) fn open(&self, path: &Path) -> Result<Option<Box<dyn DiskFile>>, StorageError> {
        match self.system.open(path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error("opening", path, &error)),
        }
    }

    /// The bytes of the root; `None` where no store was made yet.
    pub(super) fn read_root(&self) -> Result<Option<Vec<u8>>, StorageError> {
        self.read_all(&self.path("root"))
    }

    pub(super) fn read_all(&self, path: &Path) -> Result<Option<Vec<u8>>, StorageError> {
        let Some(file) = self.open(path)? else {
            return Ok(None);
        };
        let length = file
            .length()
            .map_err(|error| io_error("reading", path, &error))?;
        read_at_most(&*file, path, 0, length).map(Some)
    }

    /// Exactly these bytes of a file; `None` where they are not there.
    pub(super) fn read_range(
        &self,
        path: &Path,
        offset: u64,
        length: u64,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        let Some(file) = self.open(path)? else {
            return Ok(None);
        };
        let bytes = read_at_most(&*file, path, offset, length)?;
        Ok((bytes.len() as u64 == length).then_some(bytes))
    }
}

/// At most `max` bytes from an offset on; nothing is allocated for what the file does not have.
pub(super) fn read_at_most(
    file: &dyn DiskFile,
    path: &Path,
    offset: u64,
    max: u64,
) -> Result<Vec<u8>, StorageError> {
    let failed = |error| io_error("reading", path, &error);
    let length = file.length().map_err(failed)?;
    let bytes = max.min(length.saturating_sub(offset));
    let bytes = usize::try_from(bytes).map_err(|_| StorageError::Io {
        what: format!("reading {}", path.display()),
        message: "more bytes than this machine can address".to_owned(),
    })?;
    let mut buffer = vec![0; bytes];
    let mut done = 0;
    while done < bytes {
        match file
            .read_at(offset + done as u64, &mut buffer[done..])
            .map_err(failed)?
        {
            0 => break,
            n => done += n,
        }
    }
    buffer.truncate(done);
    Ok(buffer)
}

/// The error for a refusal of the operating system.
pub(super) fn io_error(doing: &str, path: &Path, error: &io::Error) -> StorageError {
    let what = format!("{doing} {}", path.display());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            StorageError::StorageFull { what }
        }
        _ => StorageError::Io {
            what,
            message: error.to_string(),
        },
    }
}
