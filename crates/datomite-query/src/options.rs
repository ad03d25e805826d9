//! Limits of one query: time, rows, bytes, nesting, and a token to stop it from elsewhere.
//!
//! The only file of the query engine that looks at a clock. Limits are checked where relations
//! grow, before what they grow by is allocated, and every so many rows inside scans, joins,
//! fixpoints, sorting, pulls and functions. They never change an answer, they only end the work;
//! the error shows the clause that was running and the rows that it had.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use datomite_db::Functions;

use crate::QueryError;
use crate::error::Place;

/// Stops a query from another thread. Clones stop the same queries.
#[derive(Clone, Debug, Default)]
pub struct CancelToken {
    stopped: Arc<AtomicBool>,
}

impl CancelToken {
    /// A token that has stopped nothing.
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// Stops every query that runs under this token, soon.
    pub fn cancel(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Makes the token usable again.
    pub fn reset(&self) {
        self.stopped.store(false, Ordering::Relaxed);
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// Rows that a step may leave where nobody says otherwise.
const ROWS_DEFAULT: u64 = 100_000_000;
/// Bytes that the rows of a query may take where nobody says otherwise: 2 GiB.
const BYTES_DEFAULT: u64 = 2 << 30;
/// Positions of rows are 32 bits wide.
const ROWS_MOST: u64 = u32::MAX as u64;
/// How deep `q` may be asked inside `q`.
const NESTED_MAX: u32 = 16;
/// How many small steps pass between two looks at the clock and the token.
const TICKS: u32 = 256;

/// What a query may use. The default holds on a laptop: 100 million rows in any step, 2 GiB for
/// the rows that are alive at once, any time.
#[derive(Clone, Debug)]
pub struct QueryOptions {
    /// The most rows that any step may leave; `None`: four billion.
    pub rows_max: Option<u64>,
    /// The most bytes that rows may take, intermediate ones and the answer's; `None`: no limit.
    /// Counted before they are allocated, and counted generously: an answer as if it were EDN.
    pub bytes_max: Option<u64>,
    /// The most time; `None`: no limit.
    pub timeout: Option<Duration>,
    /// A token that stops the query.
    pub cancel: Option<CancelToken>,
    /// One's own functions, for a query whose inputs have no database or log to bring them.
    pub functions: Option<Arc<Functions>>,
    /// Takes the clauses in the order written, each as soon as what it needs is bound, and without
    /// what the planner adds (ranges from comparisons, closures). The answers are the same: a way
    /// to doubt the planner.
    pub as_written: bool,
}

impl Default for QueryOptions {
    fn default() -> QueryOptions {
        QueryOptions {
            rows_max: Some(ROWS_DEFAULT),
            bytes_max: Some(BYTES_DEFAULT),
            ..QueryOptions::unlimited()
        }
    }
}

impl QueryOptions {
    /// No limits but the machine's.
    pub fn unlimited() -> QueryOptions {
        QueryOptions {
            rows_max: None,
            bytes_max: None,
            timeout: None,
            cancel: None,
            functions: None,
            as_written: false,
        }
    }
}

/// The limits of a query that has begun, and where it is.
pub(crate) struct Limits {
    rows_max: u64,
    bytes_max: u64,
    deadline: Option<(Instant, Duration)>,
    cancel: Option<CancelToken>,
    /// Bytes of rows that wait while others grow.
    held: Cell<u64>,
    nested: Cell<u32>,
    ticks: Cell<u32>,
    /// The clause that is running, and the rows that it has.
    place: RefCell<Option<Arc<Place>>>,
    rows: Cell<u64>,
}

impl Limits {
    pub(crate) fn begin(options: &QueryOptions) -> Limits {
        Limits {
            rows_max: options.rows_max.unwrap_or(ROWS_MOST).min(ROWS_MOST),
            bytes_max: options.bytes_max.unwrap_or(u64::MAX),
            deadline: options.timeout.map(|t| (Instant::now() + t, t)),
            cancel: options.cancel.clone(),
            held: Cell::new(0),
            nested: Cell::new(0),
            ticks: Cell::new(0),
            place: RefCell::new(None),
            rows: Cell::new(0),
        }
    }

    /// Runs a clause: errors from inside name it.
    pub(crate) fn within<R>(
        &self,
        place: &Arc<Place>,
        run: impl FnOnce() -> Result<R, QueryError>,
    ) -> Result<R, QueryError> {
        let outer = self.place.replace(Some(Arc::clone(place)));
        let rows = self.rows.replace(0);
        let result = run();
        self.place.replace(outer);
        self.rows.set(rows);
        result
    }

    /// Runs a query inside the query.
    pub(crate) fn deeper<R>(
        &self,
        run: impl FnOnce() -> Result<R, QueryError>,
    ) -> Result<R, QueryError> {
        if self.nested.get() >= NESTED_MAX {
            return Err(self.too_deep("queries inside queries", NESTED_MAX as usize));
        }
        self.nested.set(self.nested.get() + 1);
        let result = run();
        self.nested.set(self.nested.get() - 1);
        result
    }

    /// A small step: looks up now and then.
    pub(crate) fn tick(&self) -> Result<(), QueryError> {
        let ticks = self.ticks.get().wrapping_add(1);
        self.ticks.set(ticks);
        if ticks.is_multiple_of(TICKS) {
            self.look()
        } else {
            Ok(())
        }
    }

    /// Ends the query where somebody stopped it or its time is over.
    pub(crate) fn look(&self) -> Result<(), QueryError> {
        if self.cancel.as_ref().is_some_and(CancelToken::is_cancelled) {
            return Err(QueryError::Cancelled {
                rows: self.rows.get(),
                place: self.here(),
            });
        }
        match self.deadline {
            Some((deadline, timeout)) if Instant::now() >= deadline => {
                Err(self.exceeded("ms", timeout.as_millis() as u64))
            }
            _ => Ok(()),
        }
    }

    /// Ends the query where a step has too many rows.
    pub(crate) fn rows(&self, rows: usize) -> Result<(), QueryError> {
        self.rows.set(rows as u64);
        if rows as u64 > self.rows_max {
            return Err(self.exceeded("rows", self.rows_max));
        }
        self.look()
    }

    /// Ends the query where this many bytes more than what waits would be too many.
    pub(crate) fn bytes(&self, bytes: u64) -> Result<(), QueryError> {
        if self.held.get().saturating_add(bytes) > self.bytes_max {
            return Err(self.exceeded("bytes", self.bytes_max));
        }
        Ok(())
    }

    /// An entity that a pull visits; as many as rows may be visited.
    pub(crate) fn visit(&self) -> Result<(), QueryError> {
        self.rows.set(self.rows.get() + 1);
        if self.rows.get() > self.rows_max {
            return Err(self.exceeded("rows", self.rows_max));
        }
        self.tick()
    }

    /// Bytes that a pull keeps, until the query ends.
    pub(crate) fn pulled(&self, bytes: u64) -> Result<(), QueryError> {
        self.held.set(self.held.get().saturating_add(bytes));
        self.bytes(0)
    }

    /// Something that begins to grow.
    pub(crate) fn growth(&self) -> Growth<'_> {
        Growth {
            limits: self,
            bytes: 0,
        }
    }

    /// Counts bytes that wait, until the guard is dropped.
    pub(crate) fn hold(&self, bytes: u64) -> Held<'_> {
        self.held.set(self.held.get().saturating_add(bytes));
        Held {
            limits: self,
            bytes,
        }
    }

    pub(crate) fn too_deep(&self, what: &'static str, limit: usize) -> QueryError {
        QueryError::TooDeep {
            what,
            limit,
            place: self.here(),
        }
    }

    fn here(&self) -> Option<Box<Place>> {
        let place = self.place.borrow();
        place.as_ref().map(|place| Box::new(Place::clone(place)))
    }

    fn exceeded(&self, unit: &'static str, limit: u64) -> QueryError {
        QueryError::LimitExceeded {
            unit,
            limit,
            rows: self.rows.get(),
            place: self.here(),
        }
    }
}

/// Bytes counted as something grows.
pub(crate) struct Growth<'a> {
    limits: &'a Limits,
    bytes: u64,
}

impl Growth<'_> {
    /// What is about to be allocated.
    pub(crate) fn add(&mut self, bytes: u64) -> Result<(), QueryError> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.limits.bytes(self.bytes)
    }

    /// So many things of a size.
    pub(crate) fn add_each(&mut self, count: usize, bytes: usize) -> Result<(), QueryError> {
        self.add((count as u64).saturating_mul(bytes as u64))
    }

    pub(crate) fn limits(&self) -> &Limits {
        self.limits
    }
}

/// Bytes that wait.
pub(crate) struct Held<'a> {
    limits: &'a Limits,
    bytes: u64,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let held = self.limits.held.get();
        self.limits.held.set(held.saturating_sub(self.bytes));
    }
}

/// Measures how long something takes.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The time, for uuids that begin with it.
pub(crate) fn seconds_since_1970() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}
