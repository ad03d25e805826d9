//! Reads records by t, through a log and the parents it was forked from.
//!
//! A reader sees what was visible when it began. It seeks by the sparse index and decodes one
//! frame at a time.

use std::ops::{Bound, RangeBounds};
use std::sync::Arc;
use std::vec;

use datomite_model::T;

use super::{Fetched, Fetcher, Log};
use crate::backend::Position;
use crate::codec::{Malformed, Reader, decode_record, peek_record};
use crate::{Record, StorageError, recover};

/// The transactions of a range, in order. After an error there is nothing more.
pub struct Records {
    /// The logs still to read, the oldest last.
    parts: Vec<Part>,
    /// What is decoded but not handed out.
    decoded: vec::IntoIter<Record>,
}

/// A stretch of one log.
struct Part {
    log: Log,
    fetcher: Fetcher,
    end: Position,
    holes: Arc<Vec<(Position, Position)>>,
    first: T,
    /// Inclusive.
    last: T,
}

impl Records {
    pub(super) fn new(log: &Log, range: impl RangeBounds<T>) -> Records {
        let first = match range.start_bound() {
            Bound::Unbounded => Some(T::default()),
            Bound::Included(t) => Some(*t),
            Bound::Excluded(t) => t.raw().checked_add(1).map(T::new),
        };
        let last = match range.end_bound() {
            Bound::Unbounded => Some(T::new(u64::MAX)),
            Bound::Included(t) => Some(*t),
            Bound::Excluded(t) => t.raw().checked_sub(1).map(T::new),
        };
        let mut parts = Vec::new();
        if let (Some(first), Some(mut last)) = (first, last) {
            let mut next = Some(log);
            while let Some(log) = next
                && first <= last
            {
                parts.push(Part::new(log, first, last));
                next = log.inner.prefix.as_ref().map(|(parent, upto)| {
                    last = last.min(*upto);
                    parent
                });
            }
        }
        Records {
            parts,
            decoded: Vec::new().into_iter(),
        }
    }

    fn load(&mut self) -> Result<Option<Record>, StorageError> {
        loop {
            if let Some(record) = self.decoded.next() {
                return Ok(Some(record));
            }
            let Some(part) = self.parts.last_mut() else {
                return Ok(None);
            };
            match part.next_frame()? {
                Some(records) => self.decoded = records.into_iter(),
                None => {
                    self.parts.pop();
                }
            }
        }
    }
}

impl Iterator for Records {
    type Item = Result<Record, StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let loaded = self.load();
        if loaded.is_err() {
            self.parts.clear();
        }
        loaded.transpose()
    }
}

impl Part {
    fn new(log: &Log, first: T, last: T) -> Part {
        let scan = log.inner.scan.read();
        Part {
            log: log.clone(),
            fetcher: Fetcher::new(scan.seek(first)),
            end: scan.visible.position,
            holes: scan.holes(),
            first,
            last,
        }
    }

    /// The records of the next frame that lie in the range, perhaps none; `None` at the end.
    fn next_frame(&mut self) -> Result<Option<Vec<Record>>, StorageError> {
        let position = self.fetcher.position();
        if let Ok(hole) = self.holes.binary_search_by_key(&position, |hole| hole.0) {
            self.fetcher.seek(self.holes[hole].1);
        }
        if self.fetcher.position() >= self.end {
            return Ok(None);
        }
        let backend = &*self.log.inner.backend;
        let what = match self.fetcher.next(backend)? {
            Fetched::Frame {
                header, payload, ..
            } => {
                if header.payload_bytes > 0 && header.first_t > self.last {
                    return Ok(None);
                }
                match decode_payload(payload, self.first, self.last) {
                    Ok(records) => return Ok(Some(records)),
                    Err(Malformed(what)) => what,
                }
            }
            Fetched::End => "the log ends too early",
            Fetched::Bad(what) => what,
        };
        Err(recover::damaged(backend, position, None, what))
    }
}

fn decode_payload(payload: &[u8], first: T, last: T) -> Result<Vec<Record>, Malformed> {
    let mut reader = Reader::new(payload);
    let mut records = Vec::new();
    while !reader.is_empty() {
        let bytes = reader.bytes()?;
        let t = peek_record(bytes)?.t;
        if t >= first && t <= last {
            records.push(decode_record(bytes)?);
        }
    }
    Ok(records)
}
