//! A disk that forgets: what a folder's file system promises, and no more.
//!
//! Every file has the bytes that everybody sees and the bytes that a power cut leaves; every name
//! likewise. A sync moves the one to the other. The disk counts its operations, can fail the n-th,
//! can run full, and gives [`crash`](SimDisk::crash) images: what was synced for certain, and of
//! the rest nothing, everything, or a random part with torn writes.

mod crash;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use datomite::storage::{DiskFile, FileSystem, LockGuard};

pub use crash::{Cut, Random};

/// One operation, as the recording has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Op {
    /// A name was made.
    Create(PathBuf),
    /// Bytes were written.
    Write(PathBuf),
    /// A file was cut.
    Cut(PathBuf),
    /// A file was synced.
    Sync(PathBuf),
    /// A directory was synced.
    SyncDir(PathBuf),
    /// A file got another name.
    Rename(PathBuf, PathBuf),
    /// A name was removed.
    Remove(PathBuf),
    /// Something was read or looked up.
    Read(PathBuf),
}

/// What happens from some operation on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// That one operation fails.
    Once,
    /// It and all later ones fail: the process is gone.
    Gone,
}

/// A promise that this disk breaks, to see whether anybody notices.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Lie {
    /// None.
    #[default]
    None,
    /// The sync of a file does nothing.
    FileSync,
    /// The sync of a directory does nothing.
    DirectorySync,
}

/// A simulated disk; clones are the same disk.
#[derive(Clone, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Default)]
struct State {
    nodes: Vec<Node>,
    /// What everybody sees.
    names: BTreeMap<PathBuf, usize>,
    /// What a power cut leaves.
    durable_names: BTreeMap<PathBuf, usize>,
    /// Changes of names since the last sync of their directory, oldest first.
    pending_names: Vec<Change>,
    locks: Vec<PathBuf>,
    ops: Vec<Op>,
    fault: Option<(usize, Fault)>,
    fail_next: Option<fn(&Op) -> bool>,
    lie: Lie,
    /// How often the machine was started again.
    boot: u128,
    /// The most bytes that all files together may have.
    room: Option<u64>,
}

/// A file, or a directory.
#[derive(Clone, Default)]
struct Node {
    directory: bool,
    bytes: Vec<u8>,
    durable: Vec<u8>,
    /// Writes since the last sync, oldest first.
    pending: Vec<Pending>,
}

#[derive(Clone)]
enum Pending {
    Write(u64, Vec<u8>),
    Length(u64),
}

#[derive(Clone)]
enum Change {
    Link(PathBuf, usize),
    Rename(PathBuf, PathBuf),
    Unlink(PathBuf),
}

struct SimFile {
    disk: SimDisk,
    node: usize,
    path: PathBuf,
}

struct SimLock {
    disk: SimDisk,
    path: PathBuf,
}

impl SimDisk {
    /// An empty disk.
    pub fn new() -> SimDisk {
        SimDisk::default()
    }

    /// The same disk with a promise broken.
    pub fn lying(self, lie: Lie) -> SimDisk {
        self.state().lie = lie;
        self
    }

    /// As a trait object.
    pub fn system(&self) -> Arc<dyn FileSystem> {
        Arc::new(self.clone())
    }

    /// How many operations there were.
    pub fn ops_count(&self) -> usize {
        self.state().ops.len()
    }

    /// The operations from the n-th on.
    pub fn ops_since(&self, n: usize) -> Vec<Op> {
        self.state().ops[n..].to_vec()
    }

    /// Lets the n-th operation (counted from the first ever) fail.
    pub fn fail_at(&self, n: usize, fault: Fault) {
        self.state().fault = Some((n, fault));
    }

    /// Lets the next operation of that kind fail.
    pub fn fail_next(&self, kind: fn(&Op) -> bool) {
        self.state().fail_next = Some(kind);
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        let mut state = self.state();
        state.fault = None;
        state.fail_next = None;
    }

    /// Whether the operation that fails was reached.
    pub fn is_failed(&self) -> bool {
        let state = self.state();
        matches!(state.fault, Some((at, _)) if at < state.ops.len())
    }

    /// Whether the operation that ended the process was reached.
    pub fn is_gone(&self) -> bool {
        let state = self.state();
        matches!(state.fault, Some((at, Fault::Gone)) if at < state.ops.len())
    }

    /// Sets how many bytes fit.
    pub fn set_room(&self, bytes: Option<u64>) {
        self.state().room = bytes;
    }

    /// How many bytes all files have.
    pub fn used(&self) -> u64 {
        self.state().used()
    }

    /// Files with writes that were not synced, and names that were not.
    pub fn unsynced(&self) -> Vec<PathBuf> {
        let state = self.state();
        let dirty = |(path, node): (&PathBuf, &usize)| {
            let node = &state.nodes[*node];
            (!node.directory && node.bytes != node.durable).then(|| path.clone())
        };
        let mut paths: Vec<PathBuf> = state.names.iter().filter_map(dirty).collect();
        let new = |(path, node): (&PathBuf, &usize)| {
            (state.durable_names.get(path) != Some(node)).then(|| path.clone())
        };
        paths.extend(state.names.iter().filter_map(new));
        paths
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no test panics while it holds the disk")
    }
}

impl State {
    fn used(&self) -> u64 {
        let sizes = self
            .names
            .values()
            .map(|node| self.nodes[*node].bytes.len());
        sizes.sum::<usize>() as u64
    }

    fn step(&mut self, op: Op) -> io::Result<()> {
        let n = self.ops.len();
        if self.fail_next.is_some_and(|kind| kind(&op)) {
            self.fail_next = None;
            self.fault = Some((n, Fault::Once));
        }
        self.ops.push(op);
        match self.fault {
            Some((at, Fault::Once)) if n == at => Err(io::Error::other("injected failure")),
            Some((at, Fault::Gone)) if n >= at => Err(io::Error::other("the process is gone")),
            _ => Ok(()),
        }
    }

    fn add(&mut self, path: &Path, directory: bool) -> usize {
        let node = self.nodes.len();
        self.nodes.push(Node {
            directory,
            ..Node::default()
        });
        self.names.insert(path.to_owned(), node);
        self.pending_names.push(Change::Link(path.to_owned(), node));
        node
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        self.names
            .get(path)
            .copied()
            .ok_or(io::Error::from(io::ErrorKind::NotFound))
    }

    fn check_parent(&self, path: &Path) -> io::Result<()> {
        match path.parent() {
            Some(parent) if parent.parent().is_some() => self.find(parent).map(|_| ()),
            _ => Ok(()),
        }
    }
}

impl Change {
    fn path(&self) -> &Path {
        match self {
            Change::Link(path, _) | Change::Unlink(path) | Change::Rename(_, path) => path,
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Change::Link(path, node) => {
                names.insert(path.clone(), *node);
            }
            Change::Unlink(path) => {
                names.remove(path);
            }
            Change::Rename(from, to) => {
                if let Some(node) = names.remove(from) {
                    names.insert(to.clone(), node);
                }
            }
        }
    }
}

impl Pending {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Pending::Length(length) => bytes.resize(*length as usize, 0),
            Pending::Write(offset, written) => {
                let end = *offset as usize + written.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset as usize..end].copy_from_slice(written);
            }
        }
    }
}

impl FileSystem for SimDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.step(Op::Create(path.to_owned()))?;
        state.check_parent(path)?;
        if state.find(path).is_err() {
            state.add(path, true);
        }
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        state.step(Op::Create(path.to_owned()))?;
        state.check_parent(path)?;
        let node = match state.find(path) {
            Ok(node) => node,
            Err(_) => state.add(path, false),
        };
        Ok(self.file(node, path))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        state.step(Op::Read(path.to_owned()))?;
        let node = state.find(path)?;
        Ok(self.file(node, path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.step(Op::Rename(from.to_owned(), to.to_owned()))?;
        state.find(from)?;
        let change = Change::Rename(from.to_owned(), to.to_owned());
        change.apply(&mut state.names);
        state.pending_names.push(change);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.step(Op::Remove(path.to_owned()))?;
        state.find(path)?;
        let change = Change::Unlink(path.to_owned());
        change.apply(&mut state.names);
        state.pending_names.push(change);
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.step(Op::SyncDir(path.to_owned()))?;
        if state.lie == Lie::DirectorySync {
            return Ok(());
        }
        let State {
            pending_names,
            durable_names,
            ..
        } = &mut *state;
        pending_names.retain(|change| {
            let here = change.path().parent() == Some(path);
            if here {
                change.apply(durable_names);
            }
            !here
        });
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.step(Op::Read(path.to_owned()))?;
        let here = state
            .names
            .keys()
            .filter(|name| name.parent() == Some(path));
        let name = |path: &PathBuf| {
            path.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        };
        Ok(here.filter_map(name).collect())
    }

    fn exists(&self, path: &Path) -> bool {
        path.parent().is_none() || self.state().find(path).is_ok()
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<LockGuard>> {
        let mut state = self.state();
        state.step(Op::Create(path.to_owned()))?;
        if state.locks.iter().any(|locked| locked == path) {
            return Ok(None);
        }
        if state.find(path).is_err() {
            state.add(path, false);
        }
        state.locks.push(path.to_owned());
        Ok(Some(Box::new(SimLock {
            disk: self.clone(),
            path: path.to_owned(),
        })))
    }

    fn network_kind(&self, _path: &Path) -> Option<String> {
        None
    }

    fn boot_id(&self) -> Option<u128> {
        Some(self.state().boot)
    }
}

impl SimDisk {
    fn file(&self, node: usize, path: &Path) -> Box<dyn DiskFile> {
        Box::new(SimFile {
            disk: self.clone(),
            node,
            path: path.to_owned(),
        })
    }
}

impl SimFile {
    /// Its present name: files are written under a temporary one.
    fn name(&self, state: &State) -> PathBuf {
        let named = state.names.iter().find(|(_, node)| **node == self.node);
        named.map_or_else(|| self.path.clone(), |(path, _)| path.clone())
    }

    fn change(&self, state: &mut State, pending: Pending) {
        let node = &mut state.nodes[self.node];
        pending.apply(&mut node.bytes);
        node.pending.push(pending);
    }
}

impl DiskFile for SimFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.disk.state().nodes[self.node].bytes.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        let name = self.name(&state);
        state.step(Op::Read(name))?;
        let bytes = &state.nodes[self.node].bytes;
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        let name = self.name(&state);
        let failed = state.step(Op::Write(name));
        let end = offset + bytes.len() as u64;
        let grows = end.saturating_sub(state.nodes[self.node].bytes.len() as u64);
        let room = state.room.map(|room| room.saturating_sub(state.used()));
        let fits = match room {
            Some(room) if grows > room => {
                bytes.len() as u64 - (grows - room).min(bytes.len() as u64)
            }
            _ => bytes.len() as u64,
        };
        // A write that fails may have got half-way.
        let done = if failed.is_err() {
            bytes.len() / 2
        } else {
            fits as usize
        };
        self.change(&mut state, Pending::Write(offset, bytes[..done].to_vec()));
        failed?;
        if done < bytes.len() {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        Ok(())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        let name = self.name(&state);
        state.step(Op::Cut(name))?;
        self.change(&mut state, Pending::Length(length));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        let name = self.name(&state);
        state.step(Op::Sync(name))?;
        if state.lie != Lie::FileSync {
            let node = &mut state.nodes[self.node];
            node.durable = node.bytes.clone();
            node.pending.clear();
        }
        Ok(())
    }
}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.disk
            .state()
            .locks
            .retain(|locked| *locked != self.path);
    }
}
