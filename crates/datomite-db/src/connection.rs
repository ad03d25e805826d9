//! The connection: the single writer and the present of a database.
//!
//! `transact` is `with`, one append to the log and one pointer swap. There are two heads: pending,
//! which the next `with` sees, and published, which is durable and which `db()`, reports and
//! listeners see; a failed append sets pending back. Callers that wait at the same time are
//! written in one append: whoever gets the writer first does the work of all.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use datomite_model::{Symbol, T, Uuid};
use datomite_storage::Record;
use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::future::{Promise, TxFuture};
use crate::listen::Listeners;
use crate::transact::{self, IntoTxData, TxData, TxError, TxReport};
use crate::{Db, DbError, Functions, IntoFunction, Listener, Log, Options, TxReportQueue};

/// How long a follower rests between two looks at the log, in milliseconds.
const POLL_MS: u64 = 5;

/// A handle on a database: reads its present, writes its next transaction.
#[derive(Clone)]
pub struct Connection {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    /// What `db()` gives.
    published: ArcSwap<Db>,
    writer: Mutex<Writer>,
    /// Signalled when a bulk group ends.
    writer_free: Condvar,
    waiting: Mutex<VecDeque<Job>>,
    pub(crate) log: datomite_storage::Log,
    pub(crate) options: Arc<Options>,
    listeners: Listeners,
}

/// What only the writer touches.
pub(crate) struct Writer {
    /// What the next transaction sees.
    pub(crate) pending: Db,
    /// A bulk group holds the writer.
    pub(crate) group_open: bool,
}

/// A transaction that waits for the writer.
struct Job {
    tx_data: Result<TxData, TxError>,
    promise: Promise,
}

/// A transaction that is decided but not yet durable.
struct Decided {
    report: TxReport,
    promise: Promise,
}

impl Connection {
    /// A connection to a database that is already read from its log.
    pub(crate) fn new(db: Db, log: datomite_storage::Log, options: Arc<Options>) -> Connection {
        Connection {
            shared: Arc::new(Shared {
                published: ArcSwap::from_pointee(db.clone()),
                writer: Mutex::new(Writer {
                    pending: db,
                    group_open: false,
                }),
                writer_free: Condvar::new(),
                waiting: Mutex::default(),
                log,
                options,
                listeners: Listeners::default(),
            }),
        }
    }

    pub(crate) fn from_weak(weak: &Weak<Shared>) -> Option<Connection> {
        weak.upgrade().map(|shared| Connection { shared })
    }

    /// The present. A follower looks at the log first; what it cannot read it leaves for
    /// [`Connection::sync`] to tell.
    pub fn db(&self) -> Db {
        if self.is_read_only() {
            // The last state that could be read is an answer; the error is sync's.
            let _ = self.follow();
        }
        self.shared.published.load().as_ref().clone()
    }

    /// Whether another process writes and this connection follows.
    pub fn is_read_only(&self) -> bool {
        self.shared.options.read_only
    }

    /// The log up to the present.
    pub fn log(&self) -> Log {
        self.db().log()
    }

    /// Transacts and waits until it is durable.
    pub fn transact(&self, tx_data: impl IntoTxData) -> Result<TxReport, TxError> {
        let future = self.enqueue(tx_data);
        if !future.is_done() {
            let mut writer = self.shared.lock_writer();
            // Another caller may have done the work while this one waited.
            if !future.is_done() {
                self.shared.drain(&mut writer);
            }
        }
        future.wait()
    }

    /// Transacts without waiting; the future is complete when it is durable.
    pub fn transact_async(&self, tx_data: impl IntoTxData) -> TxFuture {
        let future = self.enqueue(tx_data);
        let shared = Arc::clone(&self.shared);
        (self.shared.options.spawn)(Box::new(move || {
            let mut writer = shared.lock_writer();
            shared.drain(&mut writer);
        }));
        future
    }

    /// What a transaction would do to the present; nothing is written.
    pub fn with(&self, tx_data: impl IntoTxData) -> Result<TxReport, TxError> {
        self.db().with(tx_data)
    }

    /// The present after everything that was acknowledged before the call, by any process.
    pub fn sync(&self) -> Result<Db, DbError> {
        if self.is_read_only() {
            self.follow()?;
        }
        Ok(self.shared.published.load().as_ref().clone())
    }

    /// Waits until the database has come to `t`, at most `timeout_ms`.
    pub fn sync_to(&self, t: T, timeout_ms: u64) -> Result<Db, DbError> {
        let mut waited = 0;
        loop {
            let db = self.sync()?;
            if db.basis_t() >= t {
                return Ok(db);
            }
            if waited >= timeout_ms {
                return Err(DbError::SyncTimeout {
                    t,
                    basis_t: db.basis_t(),
                    timeout_ms,
                });
            }
            (self.shared.options.pause)(Duration::from_millis(POLL_MS));
            waited += POLL_MS;
        }
    }

    /// Waits until the schema changes up to `t` are there: they come with their transactions, so
    /// this is [`Connection::sync_to`].
    pub fn sync_schema(&self, t: T, timeout_ms: u64) -> Result<Db, DbError> {
        self.sync_to(t, timeout_ms)
    }

    /// Waits until the indexes hold everything up to `t`: they do with each transaction, so this
    /// is [`Connection::sync_to`].
    pub fn sync_index(&self, t: T, timeout_ms: u64) -> Result<Db, DbError> {
        self.sync_to(t, timeout_ms)
    }

    /// A database in memory that begins as this one is now; O(1), and neither sees the other.
    pub fn fork(&self) -> Result<Connection, DbError> {
        self.db().fork()
    }

    /// The functions of this connection; forks and every `Db` share them.
    pub fn functions(&self) -> &Arc<Functions> {
        &self.shared.options.functions
    }

    /// Registers a function under a qualified symbol, for this connection, its forks and every
    /// `Db` of theirs; a second one of the same name takes its place.
    ///
    /// A closure over values (`|age: i64, name: &str| …`) serves as a predicate or function of a
    /// query, as an aggregate (of its constants and then the collection of values), as an
    /// `:xform` and as an attribute predicate. One over a database and values
    /// (`|db: &Db, user: EntityId| …`) serves as a transaction function, as an entity predicate
    /// and, called with a source, in a query. `|arguments: &[Edn]|` takes any number. It may
    /// return a `Result` with a [`crate::FunctionError`], which `?` makes of most errors. An
    /// argument of another type is an error that says which.
    pub fn register<Kind>(&self, name: impl Into<Symbol>, function: impl IntoFunction<Kind>) {
        self.functions().register(name, function);
    }

    /// Calls `listener` after each transaction, in order, until the handle is dropped.
    pub fn listen(&self, listener: impl Fn(&TxReport) + Send + Sync + 'static) -> Listener {
        self.shared.listeners.add(Arc::new(listener))
    }

    /// A queue that gets the report of each transaction from now on.
    pub fn tx_report_queue(&self) -> TxReportQueue {
        self.shared.listeners.queue()
    }

    /// A new uuid that begins with the seconds of the clock, so that younger ones sort later.
    pub fn squuid(&self) -> Result<Uuid, DbError> {
        let options = &self.shared.options;
        let random = (options.log_options().random)()?;
        let seconds = (options.clock)().ms().div_euclid(1000) as u32;
        let bits = (u128::from(seconds) << 96) | (random & (u128::MAX >> 32));
        Ok(uuid_v4(bits))
    }

    /// Gives up writing: the store's lock goes, reading goes on.
    pub fn release(&self) {
        let _writer = self.shared.lock_writer();
        self.shared.log.release();
    }

    fn enqueue(&self, tx_data: impl IntoTxData) -> TxFuture {
        let (promise, future) = TxFuture::pair();
        self.shared.waiting.lock().push_back(Job {
            tx_data: tx_data.into_tx_data(),
            promise,
        });
        future
    }

    /// Replays what another process made durable since the last look.
    fn follow(&self) -> Result<(), DbError> {
        let shared = &self.shared;
        let mut writer = shared.writer.lock();
        let Some(last) = shared.log.poll()? else {
            return Ok(());
        };
        let seen = writer.pending.basis_t();
        if last > seen {
            let records = shared.log.read(T::new(seen.raw() + 1)..=last);
            writer.pending = writer.pending.replay(records)?;
            shared.published.store(Arc::new(writer.pending.clone()));
        }
        Ok(())
    }
}

impl Drop for Shared {
    /// The store's lock goes with the last handle, though databases may still read the log.
    fn drop(&mut self) {
        self.log.release();
    }
}

impl Shared {
    /// The writer, once no bulk group holds it.
    pub(crate) fn lock_writer(&self) -> MutexGuard<'_, Writer> {
        let mut writer = self.writer.lock();
        while writer.group_open {
            self.writer_free.wait(&mut writer);
        }
        writer
    }

    /// Ends a bulk group; `head` is what it leaves behind, nothing if it was abandoned.
    pub(crate) fn end_group(&self, head: Option<TxReport>) {
        let mut writer = self.writer.lock();
        writer.group_open = false;
        if let Some(report) = head {
            self.publish(&mut writer, report.db_after.clone());
            self.listeners.tell(&report);
        }
        drop(writer);
        self.writer_free.notify_all();
    }

    /// Writes all that waits, in batches of what waits at the time.
    fn drain(&self, writer: &mut Writer) {
        loop {
            let jobs = std::mem::take(&mut *self.waiting.lock());
            if jobs.is_empty() {
                return;
            }
            self.write_batch(writer, jobs);
        }
    }

    fn write_batch(&self, writer: &mut Writer, jobs: VecDeque<Job>) {
        let mut head = writer.pending.clone();
        let mut records: Vec<Record> = Vec::with_capacity(jobs.len());
        let mut decided: Vec<Decided> = Vec::with_capacity(jobs.len());
        for Job { tx_data, promise } in jobs {
            let now = (self.options.clock)();
            match tx_data.and_then(|tx_data| transact::decide(&head, tx_data, now)) {
                Ok((report, record)) => {
                    head = report.db_after.clone();
                    records.push(record);
                    decided.push(Decided { report, promise });
                }
                Err(error) => promise.keep(Err(error)),
            }
        }
        match self.log.append(&records) {
            Ok(()) => {
                self.publish(writer, head);
                for Decided { report, promise } in decided {
                    self.listeners.tell(&report);
                    promise.keep(Ok(report));
                }
            }
            Err(error) => {
                for Decided { promise, .. } in decided {
                    promise.keep(Err(DbError::from(error.clone()).into()));
                }
            }
        }
    }

    fn publish(&self, writer: &mut Writer, head: Db) {
        writer.pending = head.clone();
        self.published.store(Arc::new(head));
    }
}

/// Marks the bits as those of a random uuid.
fn uuid_v4(bits: u128) -> Uuid {
    let version = (bits & !(0xf << 76)) | (0x4 << 76);
    Uuid::from_u128((version & !(0x3 << 62)) | (0x2 << 62))
}
