//! `Db`: the database as a value.
//!
//! A basis (identity, counters, schema, eight trees) shared by reference, and a view of it.
//! Cloning is two reference counts. Decides nothing: views are in `view.rs`, reading in
//! `runs.rs` and `datoms.rs`, the step to a next value in `insert.rs` and `transact/`.

use std::fmt;
use std::sync::Arc;

use datomite_model::{Attribute, Datom, EntityId, Index, Keyword, Schema, T};
use datomite_storage::{DatabaseId, DatomSet, KeyRange};

use crate::view::{View, signed};
use crate::{DbError, FunctionError, Functions, Options, TimePoint, ViewRuns};

/// The attribute `:db/ident`.
pub(crate) const DB_IDENT: EntityId = EntityId::new(10);
/// The attribute `:db/txInstant`.
pub(crate) const DB_TX_INSTANT: EntityId = EntityId::new(50);

/// A database value: everything that was true at one point, or a view of it.
///
/// Cheap to clone, never changes, and can be read from any thread.
#[derive(Clone)]
pub struct Db {
    pub(crate) basis: Arc<Basis>,
    pub(crate) view: View,
}

/// What all views of one database value share.
#[derive(Clone)]
pub(crate) struct Basis {
    pub(crate) id: DatabaseId,
    /// The database this one was forked from, and where.
    pub(crate) parent: Option<(DatabaseId, T)>,
    /// The last t that the log knows, where `with` went further.
    pub(crate) tried_after: Option<T>,
    pub(crate) basis_t: T,
    pub(crate) next_t: T,
    /// The counter of the next attribute or partition.
    pub(crate) next_element: u64,
    pub(crate) schema: Arc<Schema>,
    /// Facts that hold, in the order of `Index::ALL`.
    pub(crate) current: [DatomSet; 4],
    /// Facts that were retracted, in the same order.
    pub(crate) history: [DatomSet; 4],
    /// Where its past can be read; none before it has a connection.
    pub(crate) log: Option<datomite_storage::Log>,
    pub(crate) options: Arc<Options>,
}

impl Basis {
    /// The facts that hold, in one order.
    pub(crate) fn current(&self, index: Index) -> &DatomSet {
        &self.current[index as usize]
    }

    /// The facts that were retracted, in one order.
    pub(crate) fn history(&self, index: Index) -> &DatomSet {
        &self.history[index as usize]
    }

    /// Reads the trees through the source that the options name.
    pub(crate) fn attach_source(&mut self) {
        let source = &self.options.node_source;
        for set in self.current.iter_mut().chain(&mut self.history) {
            *set = set.clone().with_source(source.clone());
        }
    }
}

impl Db {
    /// A database without even the bootstrap datoms; `bootstrap.rs` fills it.
    pub(crate) fn empty(id: DatabaseId, options: Arc<Options>) -> Db {
        Db::of(Basis {
            id,
            parent: None,
            tried_after: None,
            basis_t: T::new(0),
            next_t: T::new(0),
            next_element: 0,
            schema: Arc::new(Schema::default()),
            current: Index::ALL.map(DatomSet::new),
            history: Index::ALL.map(DatomSet::new),
            log: None,
            options,
        })
    }

    /// The plain view of a basis.
    pub(crate) fn of(basis: Basis) -> Db {
        Db {
            basis: Arc::new(basis),
            view: View::default(),
        }
    }

    /// The identity of the database.
    pub fn id(&self) -> DatabaseId {
        self.basis.id
    }

    /// The database that this one was forked from, and the t where it left.
    pub fn parent(&self) -> Option<(DatabaseId, T)> {
        self.basis.parent
    }

    /// The t of the last transaction; views do not change it.
    pub fn basis_t(&self) -> T {
        self.basis.basis_t
    }

    /// The t that the next transaction gets.
    pub fn next_t(&self) -> T {
        self.basis.next_t
    }

    /// The counter of the next attribute or partition.
    pub(crate) fn next_element(&self) -> u64 {
        self.basis.next_element
    }

    /// The schema of the basis, the same in every view.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.basis.schema
    }

    /// The registered functions.
    pub fn functions(&self) -> &Arc<Functions> {
        &self.basis.options.functions
    }

    /// Where the view ends, as it was asked for (a number before t 0 wraps, as `as i64` undoes).
    pub fn as_of_t(&self) -> Option<T> {
        self.view.as_of.map(|n| T::new(n as u64))
    }

    /// After which t the view begins, as it was asked for.
    pub fn since_t(&self) -> Option<T> {
        self.view.since.map(|n| T::new(n as u64))
    }

    /// Whether the view shows assertions and retractions.
    pub fn is_history(&self) -> bool {
        self.view.history
    }

    /// Whether a predicate was given to [`Db::filter`].
    pub fn is_filtered(&self) -> bool {
        self.view.predicates.is_some()
    }

    /// Whether reading needs no view at all: counts are exact then.
    pub fn is_present(&self) -> bool {
        self.view.is_present(self.basis.basis_t)
    }

    /// The database as it was when `point` was its last transaction; schema and idents stay the
    /// present's. A later call replaces an earlier one.
    pub fn as_of(&self, point: impl Into<TimePoint>) -> Result<Db, DbError> {
        let mut db = self.clone();
        db.view.as_of = Some(self.resolve_time(point.into())?);
        Ok(db)
    }

    /// What was asserted after `point`. A later call replaces an earlier one.
    pub fn since(&self, point: impl Into<TimePoint>) -> Result<Db, DbError> {
        let mut db = self.clone();
        db.view.since = Some(self.resolve_time(point.into())?);
        Ok(db)
    }

    /// All assertions and retractions, within the view's bounds.
    pub fn history(&self) -> Db {
        let mut db = self.clone();
        db.view.history = true;
        db
    }

    /// Only the datoms that the predicate accepts, besides those of earlier predicates.
    /// The predicate is given the database without predicates.
    pub fn filter<F>(&self, predicate: F) -> Db
    where
        F: Fn(&Db, &Datom) -> bool + Send + Sync + 'static,
    {
        self.try_filter(move |db, datom| Ok(predicate(db, datom)))
    }

    /// As [`Db::filter`], for predicates that read the database and can fail.
    pub fn try_filter<F>(&self, predicate: F) -> Db
    where
        F: Fn(&Db, &Datom) -> Result<bool, FunctionError> + Send + Sync + 'static,
    {
        let mut db = self.clone();
        let mut list = match &self.view.predicates {
            Some(list) => list.as_ref().clone(),
            None => Vec::new(),
        };
        list.push(Arc::new(predicate));
        db.view.predicates = Some(Arc::new(list));
        db
    }

    /// The whole present: the same basis without any view.
    pub fn basis(&self) -> Db {
        Db {
            basis: Arc::clone(&self.basis),
            view: View::default(),
        }
    }

    /// The same view without predicates, as predicates see it.
    pub(crate) fn unfiltered(&self) -> Db {
        let mut db = self.clone();
        db.view.predicates = None;
        db
    }

    /// The same value, marked as one that no log leads to: `with` made it of `origin`.
    pub(crate) fn tried_on(&self, origin: &Db) -> Db {
        let mut basis = self.basis.as_ref().clone();
        let last = origin.basis_t();
        basis.tried_after = Some(origin.basis.tried_after.map_or(last, |t| t.min(last)));
        self.with_basis(basis)
    }

    /// Another basis under the same view.
    pub(crate) fn with_basis(&self, basis: Basis) -> Db {
        Db {
            basis: Arc::new(basis),
            view: self.view.clone(),
        }
    }

    /// The rows of a range in the order of `index`, by column, as the view shows them.
    pub fn runs(&self, index: Index, range: &KeyRange) -> ViewRuns {
        ViewRuns::new(self, index, range)
    }

    /// How many rows a range has: exact on the present ([`Db::is_present`]), an upper bound
    /// otherwise.
    pub fn count(&self, index: Index, range: &KeyRange) -> Result<u64, DbError> {
        let current = self.basis.current(index).count(range)?;
        if self.is_present() || (self.view.as_of.is_none() && !self.view.history) {
            return Ok(current);
        }
        let closed = self.basis.history(index).count(range)?;
        let datoms_a_row = if self.view.history { 2 } else { 1 };
        Ok(current + datoms_a_row * closed)
    }

    /// The attribute with that id.
    pub fn attribute_by_id(&self, id: EntityId) -> Option<&Arc<Attribute>> {
        self.basis.schema.attribute(id)
    }

    /// The present ident of an entity, also after its retraction.
    pub fn ident(&self, id: EntityId) -> Option<Keyword> {
        self.basis.schema.ident(id).cloned()
    }

    /// A time point as a signed t.
    fn resolve_time(&self, point: TimePoint) -> Result<i64, DbError> {
        match point {
            TimePoint::T(t) => Ok(signed(t)),
            TimePoint::Tx(id) => Ok(signed(id.t())),
            TimePoint::Instant(instant) => {
                let next = signed(self.basis.next_t);
                Ok(match self.first_tx_at(instant)? {
                    Some((tx, at)) if at == instant => signed(tx.t()),
                    Some((tx, _)) => signed(tx.t()) - 1,
                    None => next,
                })
            }
        }
    }
}

impl PartialEq for Db {
    /// The same database value under the same view; predicates are compared by identity.
    fn eq(&self, other: &Db) -> bool {
        let predicates = match (&self.view.predicates, &other.view.predicates) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        predicates
            && Arc::ptr_eq(&self.basis, &other.basis)
            && self.view.as_of == other.view.as_of
            && self.view.since == other.view.since
            && self.view.history == other.view.history
    }
}

impl Eq for Db {}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Db");
        out.field("id", &self.basis.id);
        out.field("basis_t", &self.basis.basis_t);
        if let Some(t) = self.view.as_of {
            out.field("as_of", &t);
        }
        if let Some(t) = self.view.since {
            out.field("since", &t);
        }
        if self.view.history {
            out.field("history", &true);
        }
        out.finish_non_exhaustive()
    }
}
