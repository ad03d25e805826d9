//! Backends that fail to read, or do not know what became of a write.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use datomite::storage::{
    Backend, BatchId, Epoch, Log, LogOptions, MemoryBackend, ObjectRange, Position, StorageError,
    Version,
};

use crate::script::{records, seen};

/// A backend in memory whose calls fail when told to.
#[derive(Default)]
struct FaultBackend {
    inner: MemoryBackend,
    /// Reads of the log until one fails; negative: none does.
    reads_left: AtomicI64,
    /// 0: appends are done. 1: done, and reported as unknown. 2: not done, and the same.
    append: AtomicI64,
    /// The same for swaps of the root.
    swap: AtomicI64,
}

fn unreachable_place(what: &str) -> StorageError {
    StorageError::Io {
        what: what.to_owned(),
        message: "injected".to_owned(),
    }
}

impl Backend for FaultBackend {
    fn acquire(&self, owner: &str) -> Result<Epoch, StorageError> {
        self.inner.acquire(owner)
    }

    fn append(
        &self,
        epoch: Epoch,
        expected: Position,
        batch: BatchId,
        frames: &[u8],
    ) -> Result<Position, StorageError> {
        let mode = self.append.load(Ordering::SeqCst);
        if mode == 2 {
            let message = "no answer".to_owned();
            return Err(StorageError::Unknown { batch, message });
        }
        let end = self.inner.append(epoch, expected, batch, frames)?;
        if mode == 1 {
            let message = "no answer".to_owned();
            return Err(StorageError::Unknown { batch, message });
        }
        Ok(end)
    }

    fn read_log(&self, from: Position, max: u64) -> Result<Vec<u8>, StorageError> {
        if self.reads_left.fetch_sub(1, Ordering::SeqCst) == 0 {
            return Err(unreachable_place("reading the log"));
        }
        self.inner.read_log(from, max.min(500))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.inner.put(name, bytes)
    }

    fn get_many(&self, ranges: &[ObjectRange]) -> Result<Vec<Vec<u8>>, StorageError> {
        self.inner.get_many(ranges)
    }

    fn root(&self) -> Result<Option<(Version, Vec<u8>)>, StorageError> {
        self.inner.root()
    }

    fn swap_root(&self, epoch: Epoch, at: Version, bytes: &[u8]) -> Result<Version, StorageError> {
        let mode = self.swap.load(Ordering::SeqCst);
        let swapped = match mode {
            2 => None,
            _ => Some(self.inner.swap_root(epoch, at, bytes)?),
        };
        match (mode, swapped) {
            (0, Some(version)) => Ok(version),
            _ => Err(StorageError::Unknown {
                batch: BatchId {
                    epoch,
                    sequence: at.raw(),
                },
                message: "no answer".to_owned(),
            }),
        }
    }

    fn list(&self) -> Result<Vec<String>, StorageError> {
        self.inner.list()
    }

    fn delete(&self, name: &str) -> Result<(), StorageError> {
        self.inner.delete(name)
    }

    fn release(&self, epoch: Epoch) {
        self.inner.release(epoch);
    }

    fn place(&self) -> String {
        "the faulty place".to_owned()
    }
}

fn faulty() -> (Arc<FaultBackend>, Log) {
    let backend = Arc::new(FaultBackend::default());
    backend.reads_left.store(-1, Ordering::SeqCst);
    let place: Arc<dyn Backend> = Arc::clone(&backend) as Arc<dyn Backend>;
    let log = Log::create(place, LogOptions::default()).expect("nothing fails yet");
    (backend, log)
}

#[test]
fn the_nth_failing_read_is_an_error_and_never_a_short_answer() {
    let (backend, log) = faulty();
    for t in 1000..1050 {
        log.append(&records(&[t])).unwrap();
    }
    let whole = seen(&log).unwrap();
    assert_eq!(whole.len(), 50);
    let mut failed = 0;
    for n in 0.. {
        backend.reads_left.store(n, Ordering::SeqCst);
        let place: Arc<dyn Backend> = Arc::clone(&backend) as Arc<dyn Backend>;
        let followed = Log::follow(place, LogOptions::default()).and_then(|log| seen(&log));
        let followed_all = backend.reads_left.load(Ordering::SeqCst) >= 0;
        backend.reads_left.store(n, Ordering::SeqCst);
        let read = seen(&log);
        let read_all = backend.reads_left.load(Ordering::SeqCst) >= 0;
        for (result, all) in [(followed, followed_all), (read, read_all)] {
            match result {
                Ok(found) => assert!(all && found == whole, "read {n}"),
                Err(StorageError::Io { .. }) => failed += 1,
                Err(other) => panic!("read {n}: {other}"),
            }
        }
        if followed_all && read_all {
            break;
        }
    }
    println!("{failed} failing reads");
    assert!(failed > 20);
}

#[test]
fn an_append_of_unknown_outcome_is_settled_by_its_batch_id() {
    let (backend, log) = faulty();
    log.append(&records(&[1000])).unwrap();
    backend.append.store(1, Ordering::SeqCst);
    log.append(&records(&[1001])).unwrap();
    backend.append.store(2, Ordering::SeqCst);
    assert!(log.append(&records(&[1002])).is_err());
    assert_eq!(seen(&log).unwrap(), [1000, 1001]);
    backend.append.store(0, Ordering::SeqCst);
    log.append(&records(&[1002])).unwrap();
    assert_eq!(seen(&log).unwrap(), [1000, 1001, 1002]);
}

#[test]
fn an_append_that_cannot_be_settled_ends_writing() {
    let (backend, log) = faulty();
    log.append(&records(&[1000])).unwrap();
    backend.append.store(1, Ordering::SeqCst);
    backend.reads_left.store(0, Ordering::SeqCst);
    let outcome = log.append(&records(&[1001]));
    assert!(matches!(outcome, Err(StorageError::Unknown { .. })));
    backend.append.store(0, Ordering::SeqCst);
    let outcome = log.append(&records(&[1002]));
    assert!(matches!(outcome, Err(StorageError::Poisoned { .. })));
    assert_eq!(seen(&log).unwrap(), [1000]);
}

#[test]
fn a_root_of_unknown_fate_is_settled_by_reading_it_back() {
    let (backend, log) = faulty();
    log.append(&records(&[1000])).unwrap();
    backend.swap.store(2, Ordering::SeqCst);
    assert!(log.checkpoint().is_err());
    assert_eq!(log.root().unwrap().basis, None);
    backend.swap.store(1, Ordering::SeqCst);
    log.checkpoint().unwrap();
    assert_eq!(log.root().unwrap().basis, log.basis().unwrap());
}
