//! Replay: the log's records become trees again.
//!
//! Nothing is decided: a record's datoms go in as they stand, and the schema advances by the same
//! function that transactions use. Onto an empty database the whole log is sorted once and built
//! into packed trees; a few records onto a full one are inserted one by one.

use std::sync::Arc;

use datomite_model::{Datom, EntityId, Index, Schema, T, Value};
use datomite_storage::{DatomSet, Fact, KeyRange, Record, StorageError, Window};

use crate::insert::indexes_of;
use crate::transact::advance_schema;
use crate::{Db, DbError};

/// A database with no more facts than this is cheaper to build again than to insert into.
const REBUILD_MAX: u64 = 4096;

impl Db {
    /// The database after these records.
    pub(crate) fn replay(
        &self,
        records: impl Iterator<Item = Result<Record, StorageError>>,
    ) -> Result<Db, DbError> {
        if self.basis.current(Index::Eavt).len() <= REBUILD_MAX
            && self.basis.history(Index::Eavt).len() <= REBUILD_MAX
        {
            return self.rebuild(records);
        }
        let mut db = self.clone();
        for record in records {
            let record = record?;
            let schema = advance_schema(db.schema(), &record.datoms);
            db = db.apply_record(&record, schema)?;
        }
        Ok(db)
    }

    fn rebuild(
        &self,
        records: impl Iterator<Item = Result<Record, StorageError>>,
    ) -> Result<Db, DbError> {
        let mut rows = self.rows()?;
        let mut basis = self.basis.as_ref().clone();
        for record in records {
            let record = record?;
            basis.schema = advance_schema(&basis.schema, &record.datoms);
            basis.basis_t = record.t;
            basis.next_t = record.next_t;
            basis.next_element = record.next_element;
            rows.extend(record.datoms.into_iter().map(Row::from));
        }
        let (open, closed) = pair(rows)?;
        basis.current = build(&basis.schema, open);
        basis.history = build(&basis.schema, closed);
        basis.attach_source();
        Ok(self.with_basis(basis))
    }

    /// Every assertion and retraction of the basis.
    fn rows(&self) -> Result<Vec<Row>, DbError> {
        let mut rows = Vec::new();
        for set in [
            self.basis.current(Index::Eavt),
            self.basis.history(Index::Eavt),
        ] {
            let mut runs = set.runs(&KeyRange::all(), Window::default());
            while let Some(run) = runs.next()? {
                for fact in (0..run.len()).map(|row| run.fact(row)) {
                    if let Some(out) = fact.out {
                        rows.push(Row {
                            added: false,
                            t: out,
                            ..Row::from(&fact)
                        });
                    }
                    rows.push(Row::from(&fact));
                }
            }
        }
        Ok(rows)
    }
}

/// A datom in the shape that sorts well.
struct Row {
    e: EntityId,
    a: EntityId,
    v: Value,
    t: T,
    added: bool,
}

impl From<Datom> for Row {
    fn from(datom: Datom) -> Row {
        Row {
            t: datom.t(),
            e: datom.e,
            a: datom.a,
            v: datom.v,
            added: datom.added,
        }
    }
}

impl From<&Fact> for Row {
    fn from(fact: &Fact) -> Row {
        Row {
            e: fact.e,
            a: fact.a,
            v: fact.v.clone(),
            t: fact.t,
            added: true,
        }
    }
}

/// Pairs each retraction with the assertion before it: facts that hold, facts that were closed.
fn pair(mut rows: Vec<Row>) -> Result<(Vec<Fact>, Vec<Fact>), DbError> {
    // Imports come in entity order, which a merge sort finds out.
    rows.sort_by(|x, y| {
        (x.e, x.a)
            .cmp(&(y.e, y.a))
            .then_with(|| x.v.storage_cmp(&y.v))
            .then_with(|| (x.t, x.added).cmp(&(y.t, y.added)))
    });
    let (mut open, mut closed) = (Vec::with_capacity(rows.len()), Vec::new());
    let mut holds: Option<Fact> = None;
    let mut last_out: Option<T> = None;
    for row in rows {
        let same = |fact: &Fact| fact.e == row.e && fact.a == row.a && fact.v == row.v;
        let follows = holds.as_ref().is_some_and(same)
            || last_out.is_some() && closed.last().is_some_and(same);
        if !follows {
            open.extend(holds.take());
            last_out = None;
        }
        if row.added {
            if holds.is_none() {
                holds = Some(Fact {
                    e: row.e,
                    a: row.a,
                    v: row.v,
                    t: row.t,
                    out: None,
                });
            }
        } else if let Some(fact) = holds.take() {
            closed.push(Fact {
                out: Some(row.t),
                ..fact
            });
            last_out = Some(row.t);
        } else if last_out != Some(row.t) {
            return Err(DbError::Damaged {
                t: row.t,
                what: format!(
                    "[{} {} {}] is retracted and did not hold",
                    row.e, row.a, row.v
                ),
            });
        }
    }
    open.extend(holds);
    Ok((open, closed))
}

/// Builds the four trees of facts that come in EAVT order.
fn build(schema: &Arc<Schema>, facts: Vec<Fact>) -> [DatomSet; 4] {
    let mut by_index: [Vec<Fact>; 4] = Default::default();
    for fact in &facts {
        for index in indexes_of(schema.attribute(fact.a).map(Arc::as_ref)) {
            if index != Index::Eavt {
                by_index[index as usize].push(fact.clone());
            }
        }
    }
    by_index[Index::Eavt as usize] = facts;
    let mut lists = by_index.into_iter();
    Index::ALL.map(|index| DatomSet::build(index, lists.next().unwrap_or_default()))
}
