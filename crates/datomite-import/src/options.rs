//! Options of an import, and the clock it falls back to.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use datomite::Instant;

use crate::mapping::Mapping;

/// What an import is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Phase {
    /// The first reading: what is declared, and how many rows there are.
    Scan,
    /// The keys that references need.
    Keys,
    /// The second reading: rows become datoms.
    Load,
    /// The log is being made durable.
    Commit,
}

/// How far an import is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// What it is doing.
    pub phase: Phase,
    /// The table at hand; empty where none is.
    pub table: &'a str,
    /// Bytes (scan) or rows (later) done.
    pub done: u64,
    /// Of how many.
    pub total: u64,
}

/// Hears how far an import is; false stops it, and nothing is imported.
pub type ProgressFn = Box<dyn FnMut(Progress<'_>) -> bool + Send>;

/// Options of an import.
#[derive(Default)]
#[non_exhaustive]
pub struct ImportOptions {
    /// The instant of the dump, where its own is not wanted.
    pub at: Option<Instant>,
    /// What is wanted otherwise than derived.
    pub mapping: Mapping,
    /// The dump is a later state of what the store already has: only what changed becomes datoms.
    /// Where nothing did, one transaction still says that the dump was read.
    pub update: bool,
    /// Only tables that match one of these globs; empty: all.
    pub only: Vec<String>,
    /// No tables that match one of these globs.
    pub except: Vec<String>,
    /// The name of the dump in `:import/file`; its own where `None`.
    pub label: Option<String>,
    /// Hears how far the import is.
    pub progress: Option<ProgressFn>,
}

impl fmt::Debug for ImportOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportOptions")
            .field("at", &self.at)
            .field("mapping", &self.mapping)
            .field("update", &self.update)
            .field("only", &self.only)
            .field("except", &self.except)
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

impl ImportOptions {
    /// The defaults: everything, as derived, at the dump's own instant.
    pub fn new() -> ImportOptions {
        ImportOptions::default()
    }

    /// Whether a table of that name is wanted.
    pub(crate) fn wants(&self, table: &str) -> bool {
        let hit = |globs: &[String]| globs.iter().any(|glob| matches(glob, table));
        (self.only.is_empty() || hit(&self.only)) && !hit(&self.except)
    }
}

/// Whether a glob of `*` and `?` matches the whole name.
fn matches(glob: &str, name: &str) -> bool {
    let (glob, name): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
    // Reachable positions in the glob, advanced by one character of the name at a time.
    let close = |mut at: Vec<bool>| {
        for n in 0..glob.len() {
            if at[n] && glob[n] == '*' {
                at[n + 1] = true;
            }
        }
        at
    };
    let mut at = vec![false; glob.len() + 1];
    at[0] = true;
    at = close(at);
    for c in name {
        let mut next = vec![false; glob.len() + 1];
        for n in 0..glob.len() {
            if at[n] && glob[n] == '*' {
                next[n] = true;
            } else if at[n] && (glob[n] == '?' || glob[n] == c) {
                next[n + 1] = true;
            }
        }
        at = close(next);
    }
    at[glob.len()]
}

/// The clock, for dumps that say nothing of their time.
pub(crate) fn now() -> Instant {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Instant::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
