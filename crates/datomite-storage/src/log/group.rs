//! A group: transactions that become visible together, or not at all.
//!
//! Its frames are durable as they are written, and are skipped by every reader until the commit
//! frame follows. A group that is dropped, or whose process dies, is as if it had never been.

use datomite_model::T;

use super::Log;
use super::frame::Kind;
use crate::{Record, StorageError};

/// An open group. Dropping it without [`Group::commit`] abandons it.
pub struct Group {
    log: Log,
    /// The sequence number of its first frame, once there is one.
    sequence: Option<u64>,
    last_t: Option<T>,
}

impl Group {
    pub(super) fn new(log: Log) -> Group {
        let last_t = log.last_t();
        Group {
            log,
            sequence: None,
            last_t,
        }
    }

    /// Appends transactions, in the order of their t's, as one frame; durable on return.
    pub fn append(&mut self, records: &[Record]) -> Result<(), StorageError> {
        let Some(last) = records.last() else {
            return Ok(());
        };
        let mut writer = self.log.inner.writer.lock();
        let next = self.log.inner.scan.read().end.sequence;
        let group = self.sequence.unwrap_or(next);
        self.log
            .write(&mut writer, Kind::Part, group, self.last_t, records)?;
        drop(writer);
        self.sequence = Some(group);
        self.last_t = Some(last.t);
        Ok(())
    }

    /// Makes the group visible; durable on return.
    pub fn commit(self) -> Result<(), StorageError> {
        if let Some(group) = self.sequence {
            let mut writer = self.log.inner.writer.lock();
            self.log
                .write(&mut writer, Kind::Commit, group, None, &[])?;
        }
        Ok(())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.log.inner.writer.lock().group_open = false;
    }
}
