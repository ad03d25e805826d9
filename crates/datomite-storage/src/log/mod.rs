//! The log: every transaction that ever was, in order.
//!
//! [`Log`] is a cheap handle on one log. A writer made by [`Log::create`], [`Log::open`] or
//! [`Log::memory`] appends; a follower made by [`Log::follow`] looks on with [`Log::poll`]; both
//! read any stretch by t. A fork shares its parent's past without copying: it keeps a handle on
//! the parent and a t, and its own records in memory.
//!
//! Appending is one frame and one durable write. What the backend does not know to have written
//! is settled here, by looking for the batch in the log.

mod fetch;
mod frame;
mod group;
mod read;
mod scan;

use std::ops::RangeBounds;
use std::sync::Arc;

use datomite_model::T;
use parking_lot::{Mutex, RwLock};

use crate::backend::{Backend, BatchId, Epoch, Position};
use crate::format::FRAME_HEADER_BYTES;
use crate::{
    Basis, DatabaseId, Durability, LogOptions, MemoryBackend, Record, Root, StorageError, recover,
};

pub(crate) use fetch::{Fetched, Fetcher};
pub(crate) use frame::{Header, Kind, decode_header, is_intact, seed};
pub use group::Group;
pub use read::Records;
pub(crate) use scan::Scan;

/// A handle on a log. Cloning is a reference count.
#[derive(Clone)]
pub struct Log {
    inner: Arc<Inner>,
}

struct Inner {
    backend: Arc<dyn Backend>,
    options: LogOptions,
    id: DatabaseId,
    parent: Option<(DatabaseId, T)>,
    /// What came before the first record of this log: another log, up to and with a t.
    prefix: Option<(Log, T)>,
    scan: RwLock<Scan>,
    writer: Mutex<Writer>,
}

struct Writer {
    /// `None` in a follower, and in a writer that gave up writing.
    epoch: Option<Epoch>,
    group_open: bool,
    /// Why the end of the log is not known any more.
    poisoned: Option<String>,
}

impl Log {
    /// Makes a new database in an empty place and becomes its writer.
    pub fn create(backend: Arc<dyn Backend>, options: LogOptions) -> Result<Log, StorageError> {
        let id = DatabaseId::new((options.random)()?);
        let epoch = recover::create(&*backend, id, None, &options)?;
        Ok(Log::new(backend, options, id, None, Some(epoch)))
    }

    /// Becomes the writer of a database: takes the lock, checks the whole log, cuts off a torn
    /// last frame and a group without its commit.
    pub fn open(backend: Arc<dyn Backend>, options: LogOptions) -> Result<Log, StorageError> {
        let recovered = recover::open(&*backend, &options)?;
        let (id, parent) = (recovered.root.id, recovered.root.parent);
        let log = Log::new(backend, options, id, parent, Some(recovered.epoch));
        *log.inner.scan.write() = recovered.scan;
        log.checkpoint()?;
        Ok(log)
    }

    /// Reads a database that others may write to. Changes nothing.
    pub fn follow(backend: Arc<dyn Backend>, options: LogOptions) -> Result<Log, StorageError> {
        let root = recover::read_root(&*backend)?;
        let log = Log::new(backend, options, root.id, root.parent, None);
        log.poll()?;
        Ok(log)
    }

    /// A new database in memory.
    pub fn memory(options: LogOptions) -> Result<Log, StorageError> {
        Log::create(Arc::new(MemoryBackend::new()), options)
    }

    fn new(
        backend: Arc<dyn Backend>,
        options: LogOptions,
        id: DatabaseId,
        parent: Option<(DatabaseId, T)>,
        epoch: Option<Epoch>,
    ) -> Log {
        Log {
            inner: Arc::new(Inner {
                backend,
                options,
                id,
                parent,
                prefix: None,
                scan: RwLock::new(Scan::start(seed(id))),
                writer: Mutex::new(Writer {
                    epoch,
                    group_open: false,
                    poisoned: None,
                }),
            }),
        }
    }

    /// A log in memory with its own id, whose past is this log up to and with `upto`.
    ///
    /// Costs the same at any size. What this log appends later is not seen by the fork.
    pub fn fork(&self, upto: T) -> Result<Log, StorageError> {
        let options = self.inner.options.clone();
        let id = DatabaseId::new((options.random)()?);
        let backend = Arc::new(MemoryBackend::new());
        let parent = Some((self.inner.id, upto));
        let epoch = recover::create(&*backend, id, parent, &options)?;
        let mut fork = Log::new(backend, options, id, parent, Some(epoch));
        let inner = Arc::get_mut(&mut fork.inner).expect("invariant: nobody else has it yet");
        inner.prefix = self.prefix_upto(upto);
        Ok(fork)
    }

    /// The nearest log in the chain of parents that has a record at or before `upto`.
    fn prefix_upto(&self, upto: T) -> Option<(Log, T)> {
        let mut log = self;
        let mut upto = upto;
        loop {
            let first = log.inner.scan.read().first_t();
            if let (Some(first), Some(last)) = (first, log.last_t())
                && first <= upto
            {
                return Some((log.clone(), upto.min(last)));
            }
            let (parent, parent_upto) = log.inner.prefix.as_ref()?;
            upto = upto.min(*parent_upto);
            log = parent;
        }
    }

    /// The database.
    pub fn id(&self) -> DatabaseId {
        self.inner.id
    }

    /// The database it was forked from, and at which t.
    pub fn parent(&self) -> Option<(DatabaseId, T)> {
        self.inner.parent
    }

    /// The last transaction; `None` before the first.
    pub fn last_t(&self) -> Option<T> {
        let own = self.inner.scan.read().last_t;
        own.or_else(|| self.inner.prefix.as_ref().map(|(_, upto)| *upto))
    }

    /// The last transaction and the counters behind it; reads its record.
    pub fn basis(&self) -> Result<Option<Basis>, StorageError> {
        let Some(t) = self.last_t() else {
            return Ok(None);
        };
        let record = self.read(t..=t).next().transpose()?;
        Ok(record.map(|record| record.basis()))
    }

    /// Whether this handle may append.
    pub fn is_writer(&self) -> bool {
        self.inner.writer.lock().epoch.is_some()
    }

    /// Appends transactions, in the order of their t's, all or none; they are durable on return.
    pub fn append(&self, records: &[Record]) -> Result<(), StorageError> {
        if records.is_empty() {
            return Ok(());
        }
        let mut writer = self.inner.writer.lock();
        if writer.group_open {
            return Err(StorageError::GroupOpen);
        }
        self.write(&mut writer, Kind::Batch, 0, self.last_t(), records)?;
        Ok(())
    }

    /// Waits until everything appended is on the disk, where [`Durability::Os`] did not.
    pub fn flush(&self) -> Result<(), StorageError> {
        let writer = self.inner.writer.lock();
        let epoch = self.check_writer(&writer)?;
        let end = self.inner.scan.read().end;
        let batch = BatchId {
            epoch,
            sequence: end.sequence,
        };
        self.inner
            .backend
            .append(epoch, end.position, batch, &[])
            .map(|_| ())
    }

    /// Begins a group: transactions that become visible together when it commits.
    pub fn begin_group(&self) -> Result<Group, StorageError> {
        let mut writer = self.inner.writer.lock();
        self.check_writer(&writer)?;
        if writer.group_open {
            return Err(StorageError::GroupOpen);
        }
        writer.group_open = true;
        drop(writer);
        Ok(Group::new(self.clone()))
    }

    /// The transactions of a range of t's, in order, as they are visible now.
    pub fn read(&self, range: impl RangeBounds<T>) -> Records {
        Records::new(self, range)
    }

    /// Looks for transactions that another process made durable; the last one that is visible now.
    pub fn poll(&self) -> Result<Option<T>, StorageError> {
        let writer = self.inner.writer.lock();
        if writer.epoch.is_none() && self.inner.prefix.is_none() {
            recover::catch_up(&*self.inner.backend, self.inner.id, &self.inner.scan)?;
        }
        drop(writer);
        Ok(self.last_t())
    }

    /// The root as it is now.
    pub fn root(&self) -> Result<Root, StorageError> {
        recover::read_root(&*self.inner.backend)
    }

    /// Changes the root: `change` is applied to the present one until no other change intervenes.
    pub fn update_root(&self, change: impl Fn(&mut Root)) -> Result<(), StorageError> {
        let epoch = self.check_writer(&self.inner.writer.lock())?;
        recover::update_root(&*self.inner.backend, epoch, change)
    }

    /// Writes into the root how far the log has come: damage before that point is never taken
    /// for a torn end.
    pub fn checkpoint(&self) -> Result<(), StorageError> {
        let basis = self.basis()?;
        let position = self.inner.scan.read().visible.position;
        self.update_root(|root| {
            root.basis = basis;
            root.position = position;
        })
    }

    /// Gives up writing: the lock goes, reading goes on.
    pub fn release(&self) {
        if let Some(epoch) = self.inner.writer.lock().epoch.take() {
            self.inner.backend.release(epoch);
        }
    }

    fn check_writer(&self, writer: &Writer) -> Result<Epoch, StorageError> {
        if let Some(cause) = &writer.poisoned {
            return Err(StorageError::Poisoned {
                cause: cause.clone(),
            });
        }
        writer.epoch.ok_or(StorageError::ReadOnly)
    }

    /// Writes one frame and takes it in; gives its sequence number.
    fn write(
        &self,
        writer: &mut Writer,
        kind: Kind,
        group: u64,
        last_t: Option<T>,
        records: &[Record],
    ) -> Result<u64, StorageError> {
        let epoch = self.check_writer(writer)?;
        assert_ascending(last_t, records);
        let end = self.inner.scan.read().end;
        let mut header = Header {
            kind,
            after_unsynced: self.inner.options.durability == Durability::Os,
            epoch,
            sequence: end.sequence,
            group,
            first_t: T::default(),
            last_t: T::default(),
            payload_bytes: 0,
            previous: end.checksum,
            checksum: 0,
        };
        let frame = frame::encode_frame(&mut header, records)?;
        let batch = header.batch_id();
        match self
            .inner
            .backend
            .append(epoch, end.position, batch, &frame)
        {
            Err(StorageError::Unknown { batch, message }) => {
                self.settle(writer, end.position, batch, message)?;
            }
            Err(error) => return Err(error),
            Ok(found) if found != end.position.plus(frame.len() as u64) => {
                writer.poisoned = Some("the log ended where nobody expected it".to_owned());
                return Err(StorageError::Conflict {
                    what: "end of the log",
                    expected: end.position.plus(frame.len() as u64).raw(),
                    found: found.raw(),
                });
            }
            Ok(_) => {}
        }
        let taken = self.inner.scan.write().step(&header);
        taken.expect("invariant: our own frame follows the one before it");
        Ok(header.sequence)
    }

    /// After a write of unknown outcome: done if the batch is in the log, failed if it is not,
    /// and the end of writing if that cannot be found out.
    fn settle(
        &self,
        writer: &mut Writer,
        at: Position,
        batch: BatchId,
        message: String,
    ) -> Result<(), StorageError> {
        let read = self.inner.backend.read_log(at, FRAME_HEADER_BYTES as u64);
        match read.as_deref().map(decode_header) {
            Ok(Ok(header)) if header.batch_id() == batch => Ok(()),
            Ok(_) => Err(StorageError::Io {
                what: format!("writing {batch}"),
                message,
            }),
            Err(_) => {
                writer.poisoned = Some(message.clone());
                Err(StorageError::Unknown { batch, message })
            }
        }
    }
}

fn assert_ascending(last_t: Option<T>, records: &[Record]) {
    let mut last = last_t;
    for record in records {
        assert!(
            last.is_none_or(|last| last < record.t),
            "invariant: transactions are appended in the order of t"
        );
        last = Some(record.t);
    }
}

impl Drop for Inner {
    /// Lets the lock go, and takes a long chain of forks apart without recursion.
    fn drop(&mut self) {
        if let Some(epoch) = self.writer.get_mut().epoch.take() {
            self.backend.release(epoch);
        }
        let mut next = self.prefix.take();
        while let Some((log, _)) = next {
            next = Arc::into_inner(log.inner).and_then(|mut inner| inner.prefix.take());
        }
    }
}

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
pub(crate) mod testkit;
#[cfg(test)]
mod tests;
