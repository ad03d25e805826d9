//! Insertion: a record's datoms go into the eight trees. Nothing is decided here, so the same
//! code serves a transaction, replay and bulk.
//!
//! An assertion puts an open fact into the current trees. A retraction takes it out and puts the
//! closed fact into the history trees. Which of AVET and VAET hold an attribute is the schema's
//! word at the time; a change of it fills or empties the tree from AEVT.

use std::sync::Arc;

use datomite_model::{Attribute, Datom, EntityId, Index, Schema, T, Value};
use datomite_storage::{DatomSet, Edit, Fact, IndexChange, KeyRange, Record, Window};
use rustc_hash::FxHashSet;

use crate::{Db, DbError};

impl Db {
    /// The database after a transaction: `record` as the log keeps it, `schema` as the
    /// transaction leaves it. Keeps this database's view.
    pub(crate) fn apply_record(&self, record: &Record, schema: Arc<Schema>) -> Result<Db, DbError> {
        let mut basis = self.basis.as_ref().clone();
        let mut edits = Edits::default();
        let mut closed: FxHashSet<(EntityId, EntityId, Value)> = FxHashSet::default();
        for datom in &record.datoms {
            if datom.added {
                edits.open(datom, schema.attribute(datom.a).map(Arc::as_ref));
            } else if closed.insert((datom.e, datom.a, datom.v.clone())) {
                let t = self.asserted_at(datom)?;
                edits.close(datom, t, schema.attribute(datom.a).map(Arc::as_ref));
            }
        }
        edits.apply(&mut basis.current, &mut basis.history)?;
        for change in &record.index_changes {
            apply_index_change(&mut basis.current, change)?;
            apply_index_change(&mut basis.history, change)?;
        }
        basis.basis_t = record.t;
        basis.next_t = record.next_t;
        basis.next_element = record.next_element;
        basis.schema = schema;
        Ok(self.with_basis(basis))
    }

    /// When the fact that `datom` retracts was asserted.
    fn asserted_at(&self, datom: &Datom) -> Result<T, DbError> {
        let tree = self.basis.current(Index::Eavt);
        tree.find(datom.e, datom.a, &datom.v)?
            .ok_or_else(|| DbError::Damaged {
                t: datom.t(),
                what: format!("{datom} retracts what does not hold"),
            })
    }
}

/// Edits by tree, in the order of `Index::ALL`.
#[derive(Default)]
struct Edits {
    current: [Vec<Edit>; 4],
    history: [Vec<Edit>; 4],
}

impl Edits {
    fn open(&mut self, datom: &Datom, attribute: Option<&Attribute>) {
        let fact = Fact {
            e: datom.e,
            a: datom.a,
            v: datom.v.clone(),
            t: datom.t(),
            out: None,
        };
        for index in indexes_of(attribute) {
            self.current[index as usize].push(Edit::Insert(fact.clone()));
        }
    }

    fn close(&mut self, datom: &Datom, t: T, attribute: Option<&Attribute>) {
        let fact = Fact {
            e: datom.e,
            a: datom.a,
            v: datom.v.clone(),
            t,
            out: None,
        };
        let closed = Fact {
            out: Some(datom.t()),
            ..fact.clone()
        };
        for index in indexes_of(attribute) {
            self.current[index as usize].push(Edit::Remove(fact.clone()));
            self.history[index as usize].push(Edit::Insert(closed.clone()));
        }
    }

    fn apply(
        self,
        current: &mut [DatomSet; 4],
        history: &mut [DatomSet; 4],
    ) -> Result<(), DbError> {
        let sets = current.iter_mut().chain(history.iter_mut());
        for (set, edits) in sets.zip(self.current.into_iter().chain(self.history)) {
            if !edits.is_empty() {
                set.apply(edits)?;
            }
        }
        Ok(())
    }
}

/// The trees that hold the facts of an attribute. Attributes that are not installed yet, as in
/// the first bootstrap transaction, are in the two that hold everything.
pub(crate) fn indexes_of(attribute: Option<&Attribute>) -> impl Iterator<Item = Index> {
    let avet = attribute.is_some_and(Attribute::has_avet);
    let vaet = attribute.is_some_and(Attribute::is_ref);
    Index::ALL.into_iter().filter(move |index| match index {
        Index::Eavt | Index::Aevt => true,
        Index::Avet => avet,
        Index::Vaet => vaet,
    })
}

/// Fills or empties one tree's part of an attribute from AEVT.
pub(crate) fn apply_index_change(
    sets: &mut [DatomSet; 4],
    change: &IndexChange,
) -> Result<(), DbError> {
    let range = KeyRange::prefix(None, Some(change.attribute), None);
    let mut runs = sets[Index::Aevt as usize].runs(&range, Window::default());
    let mut edits = Vec::new();
    while let Some(run) = runs.next()? {
        edits.extend((0..run.len()).map(|row| match change.on {
            true => Edit::Insert(run.fact(row)),
            false => Edit::Remove(run.fact(row)),
        }));
    }
    if !edits.is_empty() {
        sets[change.index as usize].apply(edits)?;
    }
    Ok(())
}
