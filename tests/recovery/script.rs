//! The script that is cut off everywhere, and how its remains are judged.

use std::path::Path;
use std::sync::Arc;

use datomite::storage::{
    Backend, Durability, FolderBackend, FolderOptions, Log, LogOptions, Record, StorageError,
};
use datomite::{Datom, EntityId, Instant, Partition, T, Value};
use datomite_tests::sim::SimDisk;

/// Small enough that most appends begin a new segment.
const SEGMENT_BYTES: u64 = 300;

/// How far a run got.
#[derive(Clone, Copy, Debug, Default)]
pub struct History {
    /// Units begun.
    pub attempted: usize,
    /// Units acknowledged.
    pub acknowledged: usize,
}

/// What is written, by what becomes visible at once: t's over 2000 are groups, t's that end in 9
/// are preceded by a group that is abandoned, and t's that end in 7 by a change of writer.
pub fn units() -> Vec<Vec<u64>> {
    vec![
        vec![1000],
        vec![1002, 1004],
        vec![1009],
        vec![1017],
        vec![2000, 2001, 2002, 2003],
        vec![2007, 2008],
        vec![2019],
        vec![2027],
    ]
}

/// All t's of the script.
pub fn all() -> Vec<u64> {
    units().concat()
}

/// A transaction of about a hundred bytes.
pub fn record(t: u64) -> Record {
    let tx = T::new(t).tx();
    let datom = |e: EntityId, a: u64, v: Value| Datom {
        e,
        a: EntityId::new(a),
        v,
        tx,
        added: true,
    };
    Record {
        t: T::new(t),
        instant: Instant::from_ms(t as i64),
        next_t: T::new(t + 1),
        next_element: 72,
        datoms: vec![
            datom(tx, 50, Value::from(Instant::from_ms(t as i64))),
            datom(Partition::USER.entity(t), 72, Value::from("x".repeat(80))),
        ],
        index_changes: Vec::new(),
    }
}

pub fn records(ts: &[u64]) -> Vec<Record> {
    ts.iter().map(|t| record(*t)).collect()
}

/// The store of a simulated disk.
pub fn backend(disk: &SimDisk) -> Result<Arc<FolderBackend>, StorageError> {
    let options = FolderOptions::default().segment_bytes(SEGMENT_BYTES);
    FolderBackend::open_on(disk.system(), Path::new("/store"), options).map(Arc::new)
}

/// Opens the store for writing, or makes it.
pub fn open(disk: &SimDisk) -> Result<Log, StorageError> {
    let backend = backend(disk)?;
    if backend.root()?.is_some() {
        Log::open(backend, LogOptions::new("the test"))
    } else {
        Log::create(backend, LogOptions::new("the test"))
    }
}

/// The same, without waiting for the disk.
pub fn open_unsynced(disk: &SimDisk) -> Result<Log, StorageError> {
    let options = FolderOptions::default()
        .segment_bytes(2 * SEGMENT_BYTES)
        .durability(Durability::Os);
    let backend = Arc::new(FolderBackend::open_on(
        disk.system(),
        Path::new("/store"),
        options,
    )?);
    let options = LogOptions::new("the test").durability(Durability::Os);
    match backend.root()? {
        Some(_) => Log::open(backend, options),
        None => Log::create(backend, options),
    }
}

/// The visible t's.
pub fn seen(log: &Log) -> Result<Vec<u64>, StorageError> {
    log.read(..)
        .map(|record| record.map(|record| record.t.raw()))
        .collect()
}

/// Writes one unit.
pub fn step(log: &Log, unit: &[u64]) -> Result<(), StorageError> {
    let (first, last) = (unit[0], unit[unit.len() - 1]);
    if last % 10 == 9 {
        let mut group = log.begin_group()?;
        group.append(&records(unit))?;
        group.append(&[record(last + 1), record(last + 2)])?;
    }
    if first < 2000 {
        return log.append(&records(unit));
    }
    let mut group = log.begin_group()?;
    for t in unit {
        group.append(&[record(*t)])?;
    }
    group.commit()
}

/// Runs the script; `done` is asked after each acknowledgement and may end it.
pub fn run(
    disk: &SimDisk,
    history: &mut History,
    done: &mut impl FnMut(&History) -> Result<(), String>,
) -> Result<Result<(), String>, StorageError> {
    let mut log = open(disk)?;
    for unit in units() {
        if unit[0] % 10 == 7 {
            drop(log);
            log = open(disk)?;
        }
        history.attempted += 1;
        step(&log, &unit)?;
        if disk.is_gone() {
            // It died behind the last operation and acknowledges nothing any more.
            break;
        }
        history.acknowledged += 1;
        if let Err(broken) = done(history) {
            return Ok(Err(broken));
        }
    }
    Ok(Ok(()))
}

/// Whether a disk holds all that was acknowledged, nothing that was not attempted, no half unit;
/// and whether one can go on writing there.
pub fn check_image(image: &SimDisk, history: &History) -> Result<(), String> {
    let text = |error: StorageError| error.to_string();
    let place = backend(image).map_err(text)?;
    let made = place.root().map_err(text)?.is_some();
    if !made && history.acknowledged > 0 {
        return Err("the store is gone".to_owned());
    }
    let read = if made {
        let follower = Log::follow(place, LogOptions::default()).map_err(text)?;
        Some(seen(&follower).map_err(text)?)
    } else {
        None
    };
    let log = open(image).map_err(text)?;
    let written = seen(&log).map_err(text)?;
    for (who, found) in [("a reader", read.as_ref()), ("a writer", Some(&written))] {
        let Some(found) = found else { continue };
        let whole =
            (history.acknowledged..=history.attempted).any(|n| *found == units()[..n].concat());
        if !whole {
            return Err(format!("{history:?}: {who} found {found:?}"));
        }
    }
    log.append(&records(&[5000])).map_err(text)?;
    drop(log);
    let again = seen(&open(image).map_err(text)?).map_err(text)?;
    if again.split_last() != Some((&5000, &written)) {
        return Err(format!("after writing on: {again:?}"));
    }
    Ok(())
}
