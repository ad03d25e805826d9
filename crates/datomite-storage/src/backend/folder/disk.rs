//! The file system as the folder backend sees it, so that tests can record, delay and fail it.
//!
//! Only what durability depends on: positioned reads and writes, the sync of a file, the sync of a
//! directory, rename, the kernel's lock. [`RealFileSystem`] is the operating system's.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use super::mounts;

/// Holds a kernel lock until it is dropped, or the process ends in whatever way.
pub type LockGuard = Box<dyn Send + Sync>;

/// A file system.
pub trait FileSystem: Send + Sync {
    /// Makes a directory; one that exists is fine. Its parent must exist.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Opens a file for reading and writing, made if absent; what it holds stays.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file for reading.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name, replacing what had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// The names in a directory.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;

    /// Whether there is something of that name.
    fn exists(&self, path: &Path) -> bool;

    /// Takes the kernel's lock on a file, made if absent; `None` where another holds it.
    fn try_lock(&self, path: &Path) -> io::Result<Option<LockGuard>>;

    /// The kind of network file system that a path lies on, where it does.
    fn network_kind(&self, path: &Path) -> Option<String>;

    /// Names this run of the machine: while it stays the same, every process sees all writes.
    fn boot_id(&self) -> Option<u128>;
}

/// An open file.
pub trait DiskFile: Send + Sync {
    /// Its length.
    fn length(&self) -> io::Result<u64>;

    /// Reads at most a buffer full; 0 at the end.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes all bytes.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file.
    fn set_length(&self, length: u64) -> io::Result<()>;

    /// Waits until content and length are on the disk.
    fn sync(&self) -> io::Result<()>;
}

/// The operating system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFileSystem;

/// The position of a file handle is shared state, hence the lock.
struct RealFile(Mutex<File>);

impl FileSystem for RealFileSystem {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        match fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            done => done,
        }
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        Ok(Box::new(RealFile(Mutex::new(file))))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(RealFile(Mutex::new(File::open(path)?))))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        if cfg!(windows) {
            // A directory cannot be opened there; no power-loss promise is made.
            return Ok(());
        }
        File::open(path)?.sync_all()
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        fs::read_dir(path)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<LockGuard>> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn network_kind(&self, path: &Path) -> Option<String> {
        let mut path: PathBuf = std::path::absolute(path).ok()?;
        while !path.exists() {
            path = path.parent()?.to_owned();
        }
        let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
        mounts::network_kind(&mounts, &path.canonicalize().ok()?)
    }

    fn boot_id(&self) -> Option<u128> {
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        u128::from_str_radix(&text.trim().replace('-', ""), 16).ok()
    }
}

impl DiskFile for RealFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.lock().metadata()?.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self.0.lock();
        file.seek(SeekFrom::Start(offset))?;
        let mut done = 0;
        while done < buffer.len() {
            match file.read(&mut buffer[done..]) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.0.lock();
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.0.lock().set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.lock().sync_data()
    }
}
