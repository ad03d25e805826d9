//! The log as users see it: transactions in order, with every datom they wrote.
//!
//! An immutable value: it ends where its database ended when it was taken. Bounds are t's,
//! transactions or instants; the start is inclusive and the end exclusive, on instants too.

use datomite_model::{Datom, Edn, EntityId, T};
use datomite_storage::Records;

use crate::view::signed;
use crate::{Db, DbError, TimePoint};

/// The log of a database up to one basis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    db: Db,
}

/// One transaction of the log.
#[derive(Clone, PartialEq, Debug)]
pub struct TxEntry {
    /// Its t.
    pub t: T,
    /// Its datoms, in the order of tx-data.
    pub data: Vec<Datom>,
}

/// Transactions of a range, in order. After an error there is nothing more.
pub struct TxRange {
    records: Option<Records>,
}

impl Db {
    /// The log up to this database's basis; views do not matter.
    pub fn log(&self) -> Log {
        Log { db: self.basis() }
    }
}

impl Log {
    /// The transactions from `start` on and before `end`; `None` is open.
    pub fn tx_range(
        &self,
        start: Option<TimePoint>,
        end: Option<TimePoint>,
    ) -> Result<TxRange, DbError> {
        let first = match start {
            Some(point) => self.first_at(point)?,
            None => 0,
        };
        let beyond = signed(self.db.basis_t()).saturating_add(1);
        let end = match end {
            Some(point) => self.first_at(point)?.min(beyond),
            None => beyond,
        };
        let first = u64::try_from(first).unwrap_or(0);
        let Ok(end) = u64::try_from(end) else {
            return Ok(TxRange { records: None });
        };
        let records = match &self.db.basis.log {
            Some(log) if first < end => Some(log.read(T::new(first)..T::new(end))),
            _ => None,
        };
        Ok(TxRange { records })
    }

    /// As [`Log::tx_range`] for forms; nil is open.
    pub fn tx_range_forms(&self, start: &Edn, end: &Edn) -> Result<TxRange, DbError> {
        let point = |form: &Edn| match form {
            Edn::Nil => Ok(None),
            form => TimePoint::from_edn(form).map(Some),
        };
        self.tx_range(point(start)?, point(end)?)
    }

    /// The transaction entities of a range.
    pub fn tx_ids(
        &self,
        start: Option<TimePoint>,
        end: Option<TimePoint>,
    ) -> Result<Vec<EntityId>, DbError> {
        self.tx_range(start, end)?
            .map(|entry| entry.map(|entry| entry.t.tx()))
            .collect()
    }

    /// The datoms of one transaction; none where there is no such transaction.
    pub fn tx_data(&self, point: TimePoint) -> Result<Vec<Datom>, DbError> {
        let Ok(t) = u64::try_from(self.first_at(point)?) else {
            return Ok(Vec::new());
        };
        let range = self.tx_range(
            Some(TimePoint::T(T::new(t))),
            Some(TimePoint::T(T::new(t.saturating_add(1)))),
        )?;
        let mut data = Vec::new();
        for entry in range {
            data.extend(entry?.data);
        }
        Ok(data)
    }

    /// The database value that the log belongs to.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// The t of a point; of an instant, the first transaction that is not before it.
    fn first_at(&self, point: TimePoint) -> Result<i64, DbError> {
        match point {
            TimePoint::T(t) => Ok(signed(t)),
            TimePoint::Tx(id) => Ok(signed(id.t())),
            TimePoint::Instant(instant) => Ok(match self.db.first_tx_at(instant)? {
                Some((tx, _)) => signed(tx.t()),
                None => signed(self.db.next_t()),
            }),
        }
    }
}

impl Iterator for TxRange {
    type Item = Result<TxEntry, DbError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.records.as_mut()?.next()?;
        if record.is_err() {
            self.records = None;
        }
        Some(record.map_err(DbError::from).map(|record| TxEntry {
            t: record.t,
            data: record.datoms,
        }))
    }
}
