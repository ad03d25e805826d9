//! Limits of one query: rows, time, and a token to stop it from elsewhere.
//!
//! The only file of the query engine that looks at a clock. Limits are checked between steps and
//! inside scans and fixpoints; they never change an answer, they only end the work.

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

/// What a query may use. The default: everything.
#[derive(Clone, Debug, Default)]
pub struct QueryOptions {
    /// The most rows that any step may leave.
    pub rows_max: Option<u64>,
    /// The most time.
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

/// The limits of a query that has begun.
pub(crate) struct Limits {
    rows_max: u64,
    deadline: Option<(Instant, Duration)>,
    cancel: Option<CancelToken>,
}

impl Limits {
    pub(crate) fn begin(options: &QueryOptions) -> Limits {
        Limits {
            rows_max: options.rows_max.unwrap_or(u64::from(u32::MAX)),
            deadline: options.timeout.map(|t| (Instant::now() + t, t)),
            cancel: options.cancel.clone(),
        }
    }

    /// Ends the query where it uses too much; `rows` is what the running step has.
    pub(crate) fn check(&self, rows: usize, place: Option<&Place>) -> Result<(), QueryError> {
        if rows as u64 > self.rows_max {
            return Err(exceeded("rows", self.rows_max, place));
        }
        if self.cancel.as_ref().is_some_and(CancelToken::is_cancelled) {
            return Err(QueryError::Cancelled);
        }
        if let Some((deadline, timeout)) = self.deadline
            && Instant::now() > deadline
        {
            return Err(exceeded("ms", timeout.as_millis() as u64, place));
        }
        Ok(())
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

fn exceeded(unit: &'static str, limit: u64, place: Option<&Place>) -> QueryError {
    QueryError::LimitExceeded {
        unit,
        limit,
        place: place.map(|place| Box::new(place.clone())),
    }
}
