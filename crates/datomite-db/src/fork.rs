//! Forks: a database in memory that begins where another one is, or was.
//!
//! The present forks by sharing everything. A fork of the past is a true branch: the trees are
//! taken back to that t, and counters, idents and schema are as they were then. What has to be
//! taken back is what changed since: facts asserted later go, facts retracted later hold again.

use std::collections::BTreeSet;
use std::sync::Arc;

use datomite_model::{Attribute, Datom, EntityId, Index, Schema, T};
use datomite_storage::{DatomSet, Edit, Fact, IndexChange, KeyRange, Window};

use crate::db::Basis;
use crate::insert::{apply_index_change, indexes_of};
use crate::transact::advance_schema;
use crate::view::signed;
use crate::{Connection, Db, DbError, bootstrap};

impl Db {
    /// A connection to a database of its own that begins as this one, or as it was at the view's
    /// `as_of`; the rest of the view does not matter.
    pub fn fork(&self) -> Result<Connection, DbError> {
        let past = self.view.as_of.filter(|t| *t < signed(self.basis_t()));
        let mut basis = match past {
            None => self.basis.as_ref().clone(),
            Some(t) => self.basis_at(T::new(u64::try_from(t).unwrap_or(0)))?,
        };
        let options = Arc::clone(&basis.options);
        let log = match &basis.log {
            Some(log) => log.fork(basis.basis_t)?,
            None => datomite_storage::Log::memory(options.log_options())?,
        };
        basis.parent = Some((basis.id, basis.basis_t));
        basis.id = log.id();
        basis.log = Some(log.clone());
        let options = match options.read_only {
            false => options,
            true => Arc::new(options.as_ref().clone().writing()),
        };
        basis.options = Arc::clone(&options);
        Ok(Connection::new(Db::of(basis), log, options))
    }

    /// The basis as it was after the last transaction at or before `t`.
    fn basis_at(&self, t: T) -> Result<Basis, DbError> {
        let start = bootstrap::bootstrap(self.id(), Arc::clone(&self.basis.options));
        let t = t.max(start.basis_t());
        let mut basis = self.basis.as_ref().clone();
        let mut edits = Vec::new();
        self.asserted_after(t, &mut edits)?;
        self.retracted_after(t, &mut edits)?;
        take_back(&mut basis, edits)?;
        let schema = self.schema_at(&start, t)?;
        for attribute in self.schema().attributes() {
            drop_index(&mut basis, attribute, schema.attribute(attribute.id))?;
        }
        basis.basis_t = self.last_tx(t)?.unwrap_or(start.basis_t());
        basis.next_t = self.first_tx_after(t)?.unwrap_or(self.next_t());
        basis.next_element = schema
            .attributes()
            .map(|attribute| element_after(attribute.id))
            .chain(schema.idents().map(|(_, id)| element_after(id)))
            .max()
            .unwrap_or(0)
            .max(start.next_element());
        basis.schema = schema;
        Ok(basis)
    }

    /// The entities with facts that came or went after `t`.
    pub(crate) fn touched_after(
        &self,
        t: T,
        touched: &mut BTreeSet<EntityId>,
    ) -> Result<(), DbError> {
        let mut edits = Vec::new();
        self.asserted_after(t, &mut edits)?;
        self.retracted_after(t, &mut edits)?;
        touched.extend(edits.iter().map(|edit| edit.fact().e));
        Ok(())
    }

    /// Facts that hold now and did not at `t`.
    fn asserted_after(&self, t: T, edits: &mut Vec<TakeBack>) -> Result<(), DbError> {
        let window = Window {
            as_of: None,
            since: Some(t),
        };
        let set = self.basis.current(Index::Eavt);
        let mut runs = set.runs(&KeyRange::all(), window);
        while let Some(run) = runs.next()? {
            if run.max_t() <= t {
                continue;
            }
            let rows = (0..run.len()).filter(|row| run.t(*row) > t);
            edits.extend(rows.map(|row| TakeBack::Forget(run.fact(row))));
        }
        Ok(())
    }

    /// Facts that were closed after `t`: they held at `t`, or came and went later.
    fn retracted_after(&self, t: T, edits: &mut Vec<TakeBack>) -> Result<(), DbError> {
        let held = Window {
            as_of: Some(t),
            since: None,
        };
        self.closed_facts(held, |fact| {
            let holds = fact.t <= t && fact.out.is_some_and(|out| out > t);
            edits.extend(holds.then_some(TakeBack::Reopen(fact)));
        })?;
        let later = Window {
            as_of: None,
            since: Some(t),
        };
        self.closed_facts(later, |fact| {
            let came_later = fact.t > t;
            edits.extend(came_later.then_some(TakeBack::ForgetClosed(fact)));
        })
    }

    /// The closed facts of the leaves that a window needs.
    fn closed_facts(&self, window: Window, mut each: impl FnMut(Fact)) -> Result<(), DbError> {
        let set = self.basis.history(Index::Eavt);
        let mut runs = set.runs(&KeyRange::all(), window);
        while let Some(run) = runs.next()? {
            (0..run.len()).for_each(|row| each(run.fact(row)));
        }
        Ok(())
    }

    /// The schema at `t`, by advancing the bootstrap's through every schema datom since.
    fn schema_at(&self, start: &Db, t: T) -> Result<Arc<Schema>, DbError> {
        let mut view = self.basis();
        view.view.history = true;
        view.view.as_of = Some(signed(t));
        view.view.since = Some(signed(start.basis_t()));
        let mut datoms: Vec<Datom> = Vec::new();
        for attribute in start.schema().attributes() {
            if attribute.id == crate::db::DB_TX_INSTANT {
                continue;
            }
            let range = KeyRange::prefix(None, Some(attribute.id), None);
            let mut runs = view.runs(Index::Aevt, &range);
            while let Some(run) = runs.next()? {
                datoms.extend((0..run.len()).map(|row| run.datom(row)));
            }
        }
        datoms.sort_by_key(|datom| (datom.tx, datom.added));
        let mut schema = Arc::clone(start.schema());
        for tx in datoms.chunk_by(|x, y| x.tx == y.tx) {
            schema = advance_schema(&schema, tx);
        }
        Ok(schema)
    }

    /// The t of the last transaction at or before `t`.
    fn last_tx(&self, t: T) -> Result<Option<T>, DbError> {
        let mut range = KeyRange::prefix(Some(t.tx()), None, None);
        range.lo.e = Some(T::new(0).tx());
        let set = self.basis.current(Index::Eavt);
        let mut runs = set.runs_reverse(&range, Window::default());
        Ok(match runs.next()? {
            Some(run) if !run.is_empty() => Some(run.e(run.len() - 1).t()),
            _ => None,
        })
    }

    /// The t of the first transaction after `t`, which is what `next_t` was then.
    fn first_tx_after(&self, t: T) -> Result<Option<T>, DbError> {
        let mut range = KeyRange::prefix(Some(T::new(t.raw() + 1).tx()), None, None);
        range.hi.e = Some(self.basis_t().tx());
        let mut runs = self
            .basis
            .current(Index::Eavt)
            .runs(&range, Window::default());
        Ok(match runs.next()? {
            Some(run) if !run.is_empty() => Some(run.e(0).t()),
            _ => None,
        })
    }
}

/// One fact to be taken back.
enum TakeBack {
    /// It holds and did not yet.
    Forget(Fact),
    /// It was closed and held then.
    Reopen(Fact),
    /// It came and went later.
    ForgetClosed(Fact),
}

impl TakeBack {
    fn fact(&self) -> &Fact {
        match self {
            TakeBack::Forget(fact) | TakeBack::Reopen(fact) | TakeBack::ForgetClosed(fact) => fact,
        }
    }
}

fn take_back(basis: &mut Basis, list: Vec<TakeBack>) -> Result<(), DbError> {
    let mut current: [Vec<Edit>; 4] = Default::default();
    let mut history: [Vec<Edit>; 4] = Default::default();
    for item in list {
        let attribute = basis.schema.attribute(item.fact().a).map(Arc::as_ref);
        for index in indexes_of(attribute) {
            let at = index as usize;
            match &item {
                TakeBack::Forget(fact) => current[at].push(Edit::Remove(fact.clone())),
                TakeBack::ForgetClosed(fact) => history[at].push(Edit::Remove(fact.clone())),
                TakeBack::Reopen(fact) => {
                    history[at].push(Edit::Remove(fact.clone()));
                    current[at].push(Edit::Insert(Fact {
                        out: None,
                        ..fact.clone()
                    }));
                }
            }
        }
    }
    apply_all(&mut basis.current, current)?;
    apply_all(&mut basis.history, history)
}

/// Removals first: a fact of now and one of then can share their components.
fn apply_all(sets: &mut [DatomSet; 4], edits: [Vec<Edit>; 4]) -> Result<(), DbError> {
    for (set, edits) in sets.iter_mut().zip(edits) {
        let (removals, insertions): (Vec<Edit>, Vec<Edit>) = edits
            .into_iter()
            .partition(|edit| matches!(edit, Edit::Remove(_)));
        for edits in [removals, insertions] {
            if !edits.is_empty() {
                set.apply(edits)?;
            }
        }
    }
    Ok(())
}

/// Takes an attribute out of the indexes that it was not in then.
fn drop_index(
    basis: &mut Basis,
    now: &Attribute,
    then: Option<&Arc<Attribute>>,
) -> Result<(), DbError> {
    let then: Vec<Index> = indexes_of(then.map(Arc::as_ref)).collect();
    for index in indexes_of(Some(now)).filter(|index| !then.contains(index)) {
        let change = IndexChange {
            attribute: now.id,
            index,
            on: false,
        };
        apply_index_change(&mut basis.current, &change)?;
        apply_index_change(&mut basis.history, &change)?;
    }
    Ok(())
}

/// The element counter after an entity of the schema partition; 0 for others.
fn element_after(id: EntityId) -> u64 {
    match id.partition() {
        datomite_model::Partition::DB => id.counter() + 1,
        _ => 0,
    }
}
