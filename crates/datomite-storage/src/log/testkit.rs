//! What the tests of the log and of its backends share.

use datomite_model::{Datom, EntityId, Instant, Partition, T, Value};

use super::Log;
use crate::Record;

/// A small transaction.
pub(crate) fn record(t: u64) -> Record {
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
        next_t: T::new(t + 2),
        next_element: 72,
        datoms: vec![
            datom(tx, 50, Value::Instant(Instant::from_ms(t as i64))),
            datom(Partition::USER.entity(t + 1), 72, Value::from("a text")),
        ],
        index_changes: Vec::new(),
    }
}

/// The t's of all visible transactions.
pub(crate) fn ts(log: &Log) -> Vec<u64> {
    log.read(..).map(|r| r.unwrap().t.raw()).collect()
}

impl Log {
    /// The position behind the last visible frame.
    pub(crate) fn inner_end(&self) -> crate::Position {
        self.inner.scan.read().visible.position
    }
}
