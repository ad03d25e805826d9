//! A store in memory: what in-memory databases and forks keep their log in.
//!
//! Durable means kept until the last handle is dropped. There is no lock: a second writer fences
//! the first.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;

use super::{Backend, BatchId, Epoch, ObjectRange, Position, Version};
use crate::{Root, StorageError};

/// One store in memory.
#[derive(Default)]
pub struct MemoryBackend {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    epoch: Epoch,
    /// Whether this epoch has appended: then the end of the log is settled.
    settled: bool,
    released: bool,
    root: Option<(Version, Vec<u8>)>,
    /// What each append wrote, with the position of its first byte; ascending, without gaps.
    batches: Vec<(u64, Vec<u8>)>,
    end: u64,
    objects: BTreeMap<String, Arc<[u8]>>,
}

impl MemoryBackend {
    /// An empty place.
    pub fn new() -> MemoryBackend {
        MemoryBackend::default()
    }
}

impl State {
    fn check(&self, epoch: Epoch) -> Result<(), StorageError> {
        if epoch == self.epoch && !self.released {
            return Ok(());
        }
        Err(StorageError::Fenced {
            epoch,
            current: self.epoch,
        })
    }

    fn cut(&mut self, end: u64) {
        self.batches.retain(|(start, _)| *start < end);
        if let Some((start, bytes)) = self.batches.last_mut() {
            bytes.truncate((end - *start) as usize);
        }
        self.end = end;
    }
}

impl Backend for MemoryBackend {
    fn acquire(&self, _owner: &str) -> Result<Epoch, StorageError> {
        let mut state = self.state.write();
        let epoch = state.epoch.next();
        if let Some((version, bytes)) = &state.root {
            let mut root = Root::decode(bytes, &self.place())?;
            root.take_over(epoch);
            state.root = Some((version.next(), root.encode()));
        }
        state.epoch = epoch;
        state.settled = false;
        state.released = false;
        Ok(epoch)
    }

    fn append(
        &self,
        epoch: Epoch,
        expected: Position,
        _batch: BatchId,
        frames: &[u8],
    ) -> Result<Position, StorageError> {
        let mut state = self.state.write();
        state.check(epoch)?;
        let expected = expected.raw();
        if expected > state.end || (expected < state.end && state.settled) {
            return Err(StorageError::Conflict {
                what: "end of the log",
                expected,
                found: state.end,
            });
        }
        if expected < state.end {
            state.cut(expected);
        }
        state.settled = true;
        if !frames.is_empty() {
            state.batches.push((expected, frames.to_vec()));
            state.end += frames.len() as u64;
        }
        Ok(Position::new(state.end))
    }

    fn read_log(&self, from: Position, max: u64) -> Result<Vec<u8>, StorageError> {
        let state = self.state.read();
        let from = from.raw();
        let to = from.saturating_add(max).min(state.end);
        let mut out = Vec::with_capacity(to.saturating_sub(from) as usize);
        let first = state
            .batches
            .partition_point(|(start, bytes)| start + bytes.len() as u64 <= from);
        for (start, bytes) in &state.batches[first..] {
            if *start >= to {
                break;
            }
            let lo = from.saturating_sub(*start) as usize;
            let hi = (bytes.len() as u64).min(to - start) as usize;
            out.extend_from_slice(&bytes[lo..hi]);
        }
        Ok(out)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let mut state = self.state.write();
        if state.objects.contains_key(name) {
            return Err(StorageError::ObjectExists {
                name: name.to_owned(),
            });
        }
        state.objects.insert(name.to_owned(), Arc::from(bytes));
        Ok(())
    }

    fn get_many(&self, ranges: &[ObjectRange]) -> Result<Vec<Vec<u8>>, StorageError> {
        let state = self.state.read();
        let get = |range: &ObjectRange| {
            let bytes = state.objects.get(&range.name)?;
            let lo = usize::try_from(range.offset).ok()?;
            let hi = lo.checked_add(usize::try_from(range.length).ok()?)?;
            bytes.get(lo..hi).map(<[u8]>::to_vec)
        };
        ranges
            .iter()
            .map(|range| {
                get(range).ok_or_else(|| StorageError::ObjectMissing {
                    name: range.name.clone(),
                })
            })
            .collect()
    }

    fn root(&self) -> Result<Option<(Version, Vec<u8>)>, StorageError> {
        Ok(self.state.read().root.clone())
    }

    fn swap_root(
        &self,
        epoch: Epoch,
        expected: Version,
        bytes: &[u8],
    ) -> Result<Version, StorageError> {
        let mut state = self.state.write();
        state.check(epoch)?;
        let found = state.root.as_ref().map_or(Version::NONE, |root| root.0);
        if found != expected {
            return Err(StorageError::Conflict {
                what: "version of the root",
                expected: expected.raw(),
                found: found.raw(),
            });
        }
        state.root = Some((expected.next(), bytes.to_vec()));
        Ok(expected.next())
    }

    fn list(&self) -> Result<Vec<String>, StorageError> {
        Ok(self.state.read().objects.keys().cloned().collect())
    }

    fn delete(&self, name: &str) -> Result<(), StorageError> {
        self.state.write().objects.remove(name);
        Ok(())
    }

    fn release(&self, epoch: Epoch) {
        let mut state = self.state.write();
        if state.epoch == epoch {
            state.released = true;
        }
    }

    fn place(&self) -> String {
        "memory".to_owned()
    }
}
