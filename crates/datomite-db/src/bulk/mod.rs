//! Bulk: many new datoms in few large transactions, all visible together or not at all.
//!
//! A bulk is one group of the log: nothing is seen outside before `commit`, and a dropped bulk
//! leaves the store as it was. Columns of new datoms go through the same stages as transaction
//! data, per column instead of per datom (`stages.rs`): types, predicates, cardinality,
//! uniqueness, composites. There are no tempids; ids are reserved beforehand. The writer is held
//! until the bulk ends.

mod error;
mod stages;

use std::collections::BTreeMap;
use std::sync::Arc;

use datomite_model::{Datom, EntityId, Instant, Keyword, Partition, T, Value};
use datomite_storage::{Group, Record};

use crate::connection::Shared;
use crate::db::DB_TX_INSTANT;
use crate::transact::{self, IntoTxData, TxReport};
use crate::{Connection, Db, DbError};

pub use error::BulkError;

/// New datoms of one attribute.
#[derive(Clone, Debug)]
pub struct Column {
    /// The attribute.
    pub attribute: EntityId,
    /// One entity for each value; best in ascending order.
    pub entities: Vec<EntityId>,
    /// The values, of the attribute's type.
    pub values: Vec<Value>,
}

/// What a transaction of a bulk says of itself.
#[derive(Clone, Debug, Default)]
pub struct TxMeta {
    /// Its instant; the clock's where not given.
    pub instant: Option<Instant>,
    /// Facts about the transaction entity, by attribute ident.
    pub facts: Vec<(Keyword, Value)>,
}

/// A group of transactions in the making. Dropping it without [`Bulk::commit`] abandons it.
pub struct Bulk {
    shared: Arc<Shared>,
    group: Option<Group>,
    before: Db,
    head: Db,
    committed: bool,
}

impl Connection {
    /// Begins a bulk; other transactions wait until it ends.
    pub fn bulk(&self) -> Result<Bulk, DbError> {
        let mut writer = self.shared.lock_writer();
        let group = self.shared.log.begin_group()?;
        writer.group_open = true;
        Ok(Bulk {
            shared: Arc::clone(&self.shared),
            group: Some(group),
            before: writer.pending.clone(),
            head: writer.pending.clone(),
            committed: false,
        })
    }
}

impl Bulk {
    /// The database as the group has made it so far.
    pub fn db(&self) -> Db {
        self.head.clone()
    }

    /// Reserves `n` ids of the user partition and gives the first; they are consecutive.
    pub fn reserve(&mut self, n: u64) -> EntityId {
        let mut basis = self.head.basis.as_ref().clone();
        let first = basis.next_t.raw();
        basis.next_t = T::new(first + n);
        self.head = self.head.with_basis(basis);
        Partition::USER.entity(first)
    }

    /// An ordinary transaction within the group, for schema and the like.
    pub fn transact(
        &mut self,
        tx_data: impl IntoTxData,
        instant: Option<Instant>,
    ) -> Result<TxReport, BulkError> {
        let now = instant.unwrap_or_else(|| (self.shared.options.clock)());
        let tx_data = tx_data.into_tx_data()?;
        let (report, record) = transact::decide(&self.head, tx_data, now)?;
        self.append(&record)?;
        self.head = report.db_after.clone();
        Ok(report)
    }

    /// One transaction of new datoms.
    pub fn columns(&mut self, columns: Vec<Column>, meta: TxMeta) -> Result<T, BulkError> {
        let t = self.head.next_t();
        let mut datoms = self.tx_datoms(t, meta)?;
        stages::run(&self.head, columns, t, &mut datoms)?;
        let instant = match datoms.first().map(|datom| &datom.v) {
            Some(Value::Instant(instant)) => *instant,
            _ => Instant::default(),
        };
        let record = Record {
            t,
            instant,
            next_t: T::new(t.raw() + 1),
            next_element: self.head.next_element(),
            datoms,
            index_changes: Vec::new(),
        };
        self.append(&record)?;
        let schema = Arc::clone(self.head.schema());
        self.head = self.head.apply_record(&record, schema)?;
        Ok(t)
    }

    /// Makes the group durable and visible.
    pub fn commit(mut self) -> Result<Db, BulkError> {
        if let Some(group) = self.group.take() {
            group.commit().map_err(DbError::from)?;
        }
        self.committed = true;
        Ok(self.head.clone())
    }

    /// Abandons the group.
    pub fn abort(self) {}

    fn append(&mut self, record: &Record) -> Result<(), DbError> {
        let group = self
            .group
            .as_mut()
            .expect("invariant: the group lives as long as the bulk");
        Ok(group.append(std::slice::from_ref(record))?)
    }

    /// The datoms of the transaction entity itself, its instant first.
    fn tx_datoms(&self, t: T, meta: TxMeta) -> Result<Vec<Datom>, BulkError> {
        let last = self.head.last_instant()?;
        let instant = match meta.instant {
            Some(instant) if instant < last => {
                return Err(BulkError::PastInstant { instant, last });
            }
            Some(instant) => instant,
            None => (self.shared.options.clock)().max(last),
        };
        let datom = |a, v| Datom {
            e: t.tx(),
            a,
            v,
            tx: t.tx(),
            added: true,
        };
        let mut datoms = vec![datom(DB_TX_INSTANT, Value::Instant(instant))];
        for (ident, value) in meta.facts {
            let attribute = self.head.schema().attribute_named(&ident).ok_or_else(|| {
                BulkError::UnknownAttribute {
                    attribute: ident.to_string(),
                }
            })?;
            stages::check_type(attribute, &value)?;
            datoms.push(datom(attribute.id, value));
        }
        Ok(datoms)
    }
}

impl Drop for Bulk {
    fn drop(&mut self) {
        // The group's end first, so that the next writer finds the log free.
        self.group = None;
        let report = self.committed.then(|| TxReport {
            db_before: self.before.clone(),
            db_after: self.head.clone(),
            tx_data: Vec::new(),
            tempids: BTreeMap::new(),
        });
        self.shared.end_group(report);
    }
}

impl Db {
    /// The instant of the last transaction.
    pub(crate) fn last_instant(&self) -> Result<Instant, DbError> {
        let datoms = self
            .basis()
            .datoms_of_attribute(self.basis_t().tx(), DB_TX_INSTANT)?;
        Ok(match datoms.first().map(|datom| &datom.v) {
            Some(Value::Instant(instant)) => *instant,
            _ => Instant::default(),
        })
    }
}
