//! Transactions: from what a caller says to datoms, one stage after another.
//!
//! A transaction is a set: no order, no database in between. Each stage is a file; its type hides
//! from the next what is settled.

pub(crate) mod schema;

mod allocate;
mod builtin;
mod code;
mod core;
mod data;
mod error;
mod expand;
mod instant;
mod novelty;
mod op;
mod read;
mod resolve;
mod spec;
mod told;
mod tuple;
mod upsert;

use std::collections::BTreeMap;

use datomite_model::{Datom, Edn, EntityId, Instant, Value};
use datomite_storage::Record;

use crate::Db;
use crate::bootstrap::id;
use allocate::{Allocated, Directives};
use op::Tempids;
use told::Told;

pub use data::{IntoTxData, TxBuilder, TxData, tx};
pub use error::{Alteration, TxError};
pub use schema::Element;
pub(crate) use schema::advance as advance_schema;
pub use told::{EntityName, Form};

/// What a transaction did.
#[derive(Clone, Debug)]
pub struct TxReport {
    /// The database it saw.
    pub db_before: Db,
    /// The database it made.
    pub db_after: Db,
    /// Its datoms.
    pub tx_data: Vec<Datom>,
    /// The entity that each tempid became.
    pub tempids: BTreeMap<Edn, EntityId>,
}

impl Db {
    /// What a transaction would do to this database; nothing is written.
    pub fn with(&self, tx_data: impl IntoTxData) -> Result<TxReport, TxError> {
        let now = (self.basis.options.clock)();
        let (mut report, _) = decide(self, tx_data.into_tx_data()?, now)?;
        report.db_after = report.db_after.tried_on(self);
        Ok(report)
    }

    /// Calls a transaction function outside of a transaction: the transaction data that it gives
    /// for these arguments, the database being the first. `[op e a v]` of the built-in ones are
    /// ids.
    pub fn invoke(&self, function: &Edn, args: &[Edn]) -> Result<Edn, TxError> {
        expand::invoke(self, function, args)
    }
}

/// Runs the stages on `db`; `now` is the clock. Gives the report and what the log keeps.
pub(crate) fn decide(
    db: &Db,
    tx_data: TxData,
    now: Instant,
) -> Result<(TxReport, Record), TxError> {
    if db.is_history() {
        return Err(crate::DbError::History {
            operation: "transact on",
        }
        .into());
    }
    let unknown = Told {
        db,
        tempids: &BTreeMap::new(),
        ops: &[],
    };
    let mut allocated = resolved(db, tx_data).map_err(|error| unknown.complete(error))?;
    conclude(db, &mut allocated, now).map_err(|error| {
        let (tempids, ops) = (&allocated.tempids, &allocated.ops);
        Told { db, tempids, ops }.complete(error)
    })
}

/// From what was written to facts with ids.
fn resolved(db: &Db, tx_data: TxData) -> Result<Allocated, TxError> {
    let mut tempids = Tempids::default();
    let elements = read::elements(tx_data.0)?;
    let flat = expand::expand(db, &mut tempids, elements)?;
    let upserted = upsert::upsert(db, &tempids, &flat.ops)?;
    let directives = Directives {
        force: flat.force,
        matching: flat.matching,
        mentioned: flat.mentioned,
    };
    allocate::allocate(db, &tempids, &upserted, flat.ops, directives)
}

/// From facts to a new database.
fn conclude(
    db: &Db,
    allocated: &mut Allocated,
    now: Instant,
) -> Result<(TxReport, Record), TxError> {
    let t = allocated.t;
    let checks = spec::take_checks(&mut allocated.ops);
    // The order of the checks is the order in which mistakes are told.
    instant::check_instant(t, &allocated.ops)?;
    let instant = instant::settle_instant(db, t, now, &mut allocated.ops);
    let mut found = novelty::novelty(db, t, &allocated.ops, &allocated.new)?;
    tuple::compose(db, t, &mut found, &allocated.new)?;
    schema::check_components(db, &found.datoms)?;
    let instant = instant?;
    novelty::check_unique(db, &found.datoms, &allocated.new)?;
    schema::check_fixed(db, &allocated.ops)?;
    let definitions = schema::check_schema(db, t, &allocated.ops, &mut found.datoms)?;
    let tx_data = stamped(t.tx(), instant, found.datoms);
    let schema = schema::advance(db.schema(), &tx_data);
    let record = Record {
        t,
        instant,
        next_t: allocated.next_t,
        next_element: allocated.next_element,
        index_changes: schema::index_changes(db.schema(), &schema, &tx_data),
        datoms: tx_data.clone(),
    };
    let db_after = db.apply_record(&record, schema)?;
    schema::check_facts(db, &db_after, &record.datoms)?;
    definitions?;
    spec::check(db, &db_after, &checks, &record.datoms)?;
    let db_before = db.clone();
    Ok((
        TxReport {
            db_before,
            db_after,
            tx_data,
            tempids: std::mem::take(&mut allocated.tempids),
        },
        record,
    ))
}

/// The datoms after the one that says when.
fn stamped(tx: EntityId, instant: Instant, datoms: Vec<Datom>) -> Vec<Datom> {
    let when = Datom {
        e: tx,
        a: id::TX_INSTANT,
        v: Value::Instant(instant),
        tx,
        added: true,
    };
    std::iter::once(when).chain(datoms).collect()
}

#[cfg(test)]
mod tests;
