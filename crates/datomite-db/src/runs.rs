//! Runs of a view: what a reader gets, by column.
//!
//! The present is read straight from the leaves. Under a view a leaf's run still passes as it is
//! when all of it lies within the view and no closed fact falls between its rows; otherwise
//! current and closed facts are merged in one forward pass into a batch of datoms. In a history
//! view each fact stands for its assertion and, once closed, its retraction, in Datomic's order:
//! e, a, v, then tx descending.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::ops::Range;

use datomite_model::{Component, Datom, EntityId, Index, T, ValueRef, ValueType};
use datomite_storage::{Codes, Fact, KeyRange, Run, Runs, TextSource, word};

use crate::view::View;
use crate::{Db, DbError};

/// How many closed facts become one batch when no current row bounds it.
const BATCH_ROWS: usize = 1024;

/// A cursor over the rows of a range as a view shows them.
pub struct ViewRuns {
    current: Runs,
    merge: Option<Box<Merge>>,
}

/// Some rows in index order, read by column. May be empty; the end is `None` from `next`.
#[derive(Clone, Copy)]
pub struct ViewRun<'a> {
    rows: Rows<'a>,
}

#[derive(Clone, Copy)]
enum Rows<'a> {
    /// A stretch of one leaf; all rows are assertions.
    Leaf(Run<'a>),
    /// Merged rows.
    Batch(&'a [Datom]),
}

/// The state that only views need.
struct Merge {
    db: Db,
    view: View,
    index: Index,
    reverse: bool,
    closed: Runs,
    /// Closed facts read but not yet merged, in reading order.
    pending: VecDeque<Fact>,
    closed_done: bool,
    batch: Vec<Datom>,
}

impl ViewRuns {
    pub(crate) fn new(db: &Db, index: Index, range: &KeyRange) -> ViewRuns {
        ViewRuns::directed(db, index, range, false)
    }

    /// From the end: runs come in descending order, the rows inside a run ascend.
    pub(crate) fn reverse(db: &Db, index: Index, range: &KeyRange) -> ViewRuns {
        ViewRuns::directed(db, index, range, true)
    }

    fn directed(db: &Db, index: Index, range: &KeyRange, reverse: bool) -> ViewRuns {
        let window = db.view.window();
        let open = |set: &datomite_storage::DatomSet| match reverse {
            false => set.runs(range, window),
            true => set.runs_reverse(range, window),
        };
        let current = open(db.basis.current(index));
        let merge = (!db.is_present()).then(|| {
            Box::new(Merge {
                db: db.unfiltered(),
                view: db.view.clone(),
                index,
                reverse,
                closed: open(db.basis.history(index)),
                pending: VecDeque::new(),
                // Without an end a closed fact holds in no view but history.
                closed_done: db.view.as_of.is_none() && !db.view.history,
                batch: Vec::new(),
            })
        });
        ViewRuns { current, merge }
    }

    /// The next rows.
    #[expect(
        clippy::should_implement_trait,
        reason = "a lending cursor, not an iterator"
    )]
    pub fn next(&mut self) -> Result<Option<ViewRun<'_>>, DbError> {
        self.next_upto(usize::MAX)
    }

    /// The next rows, of at most `rows_max` current ones, for readers who may stop early.
    pub fn next_upto(&mut self, rows_max: usize) -> Result<Option<ViewRun<'_>>, DbError> {
        let run = self.current.next_upto(rows_max)?;
        let Some(merge) = &mut self.merge else {
            return Ok(run.map(ViewRun::leaf));
        };
        match run {
            Some(run) if merge.passes_whole(&run)? => Ok(Some(ViewRun::leaf(run))),
            Some(run) => {
                merge.merge_run(&run)?;
                Ok(Some(ViewRun::batch(&merge.batch)))
            }
            None => Ok(merge.rest()?.then(|| ViewRun::batch(&merge.batch))),
        }
    }
}

impl Merge {
    /// Whether the rows of a leaf are what the view shows, with nothing between them.
    fn passes_whole(&mut self, run: &Run<'_>) -> Result<bool, DbError> {
        if self.view.predicates.is_some() || run.is_empty() {
            return Ok(false);
        }
        let after_since = || (0..run.len()).all(|row| self.view.admits_t(run.t(row)));
        let inside = match self.view.since {
            None => self.view.admits_t(run.max_t()),
            Some(_) => after_since(),
        };
        if !inside {
            return Ok(false);
        }
        let edge = if self.reverse { 0 } else { run.len() - 1 };
        self.peek()?;
        Ok(self
            .pending
            .front()
            .is_none_or(|fact| self.is_behind(run, edge, fact)))
    }

    /// Merges a leaf's rows with the closed facts before and between them into `batch`.
    fn merge_run(&mut self, run: &Run<'_>) -> Result<(), DbError> {
        self.batch.clear();
        for step in 0..run.len() {
            let row = match self.reverse {
                false => step,
                true => run.len() - 1 - step,
            };
            while let Some(fact) = self.peek()?.cloned() {
                if self.is_behind(run, row, &fact) {
                    break;
                }
                self.pending.pop_front();
                self.put_closed(fact)?;
            }
            if self.view.admits_t(run.t(row)) {
                self.put(Datom {
                    e: run.e(row),
                    a: run.a(row),
                    v: run.v(row).to_value(),
                    tx: run.t(row).tx(),
                    added: true,
                })?;
            }
        }
        self.turn();
        Ok(())
    }

    /// After the last current row: puts closed facts into `batch`; false when there are none.
    fn rest(&mut self) -> Result<bool, DbError> {
        self.batch.clear();
        let mut any = false;
        while self.batch.len() < BATCH_ROWS {
            if self.peek()?.is_none() {
                break;
            }
            any = true;
            if let Some(fact) = self.pending.pop_front() {
                self.put_closed(fact)?;
            }
        }
        self.turn();
        Ok(any)
    }

    /// The next closed fact in reading order.
    fn peek(&mut self) -> Result<Option<&Fact>, DbError> {
        while self.pending.is_empty() && !self.closed_done {
            match self.closed.next()? {
                None => self.closed_done = true,
                Some(run) => {
                    self.pending.extend((0..run.len()).map(|row| run.fact(row)));
                    if self.reverse {
                        self.pending.make_contiguous().reverse();
                    }
                }
            }
        }
        Ok(self.pending.front())
    }

    /// Whether a closed fact is read after a current row. Of equal components the current row is
    /// the younger one and so comes first, or last in reverse.
    fn is_behind(&self, run: &Run<'_>, row: usize, fact: &Fact) -> bool {
        let order = compare(self.index, run, row, fact);
        match self.reverse {
            false => order.is_le(),
            true => order.is_gt(),
        }
    }

    fn put_closed(&mut self, fact: Fact) -> Result<(), DbError> {
        let out = fact
            .out
            .expect("invariant: history trees hold closed facts");
        let (asserted, retracted) = match self.view.history {
            true => (self.view.admits_t(fact.t), self.view.admits_t(out)),
            false => (
                self.view.admits_t(fact.t) && self.view.holds_until(out),
                false,
            ),
        };
        let datom = |v, t: T, added| Datom {
            e: fact.e,
            a: fact.a,
            v,
            tx: t.tx(),
            added,
        };
        let retraction = retracted.then(|| datom(fact.v.clone(), out, false));
        let assertion = asserted.then(|| datom(fact.v, fact.t, true));
        let pair = match self.reverse {
            false => [retraction, assertion],
            true => [assertion, retraction],
        };
        for datom in pair.into_iter().flatten() {
            self.put(datom)?;
        }
        Ok(())
    }

    fn put(&mut self, datom: Datom) -> Result<(), DbError> {
        if self.view.accepts(&self.db, &datom)? {
            self.batch.push(datom);
        }
        Ok(())
    }

    /// Rows inside a run ascend, also when runs are read from the end.
    fn turn(&mut self) {
        if self.reverse {
            self.batch.reverse();
        }
    }
}

/// Compares the components of a row and a fact in index order.
fn compare(index: Index, run: &Run<'_>, row: usize, fact: &Fact) -> Ordering {
    index
        .components()
        .into_iter()
        .map(|component| match component {
            Component::Entity => run.e(row).cmp(&fact.e),
            Component::Attribute => run.a(row).cmp(&fact.a),
            Component::Value => run.v(row).to_value().storage_cmp(&fact.v),
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

impl<'a> ViewRun<'a> {
    fn leaf(run: Run<'a>) -> ViewRun<'a> {
        ViewRun {
            rows: Rows::Leaf(run),
        }
    }

    fn batch(rows: &'a [Datom]) -> ViewRun<'a> {
        ViewRun {
            rows: Rows::Batch(rows),
        }
    }

    /// The leaf's own run, where the rows are a stretch of one leaf and all assertions.
    pub fn as_leaf(&self) -> Option<Run<'a>> {
        match self.rows {
            Rows::Leaf(run) => Some(run),
            Rows::Batch(_) => None,
        }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        match self.rows {
            Rows::Leaf(run) => run.len(),
            Rows::Batch(rows) => rows.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entity of a row.
    pub fn e(&self, row: usize) -> EntityId {
        match self.rows {
            Rows::Leaf(run) => run.e(row),
            Rows::Batch(rows) => rows[row].e,
        }
    }

    /// The attribute of a row.
    pub fn a(&self, row: usize) -> EntityId {
        match self.rows {
            Rows::Leaf(run) => run.a(row),
            Rows::Batch(rows) => rows[row].a,
        }
    }

    /// The value of a row, borrowed.
    pub fn v(&self, row: usize) -> ValueRef<'a> {
        match self.rows {
            Rows::Leaf(run) => run.v(row),
            Rows::Batch(rows) => ValueRef::Value(&rows[row].v),
        }
    }

    /// The t of a row's transaction.
    pub fn t(&self, row: usize) -> T {
        match self.rows {
            Rows::Leaf(run) => run.t(row),
            Rows::Batch(rows) => rows[row].t(),
        }
    }

    /// The transaction of a row.
    pub fn tx(&self, row: usize) -> EntityId {
        self.t(row).tx()
    }

    /// Whether a row is an assertion.
    pub fn added(&self, row: usize) -> bool {
        match self.rows {
            Rows::Leaf(_) => true,
            Rows::Batch(rows) => rows[row].added,
        }
    }

    /// An owned copy of a row.
    pub fn datom(&self, row: usize) -> Datom {
        match self.rows {
            Rows::Leaf(run) => Datom {
                e: run.e(row),
                a: run.a(row),
                v: run.v(row).to_value(),
                tx: run.t(row).tx(),
                added: true,
            },
            Rows::Batch(rows) => rows[row].clone(),
        }
    }

    /// Appends the entities of some rows as numbers.
    pub fn read_e(&self, rows: Range<usize>, into: &mut Vec<u64>) {
        match self.rows {
            Rows::Leaf(run) => run.read_e(rows, into),
            Rows::Batch(batch) => into.extend(batch[rows].iter().map(|datom| datom.e.raw())),
        }
    }

    /// Appends the attributes of some rows as numbers.
    pub fn read_a(&self, rows: Range<usize>, into: &mut Vec<u64>) {
        match self.rows {
            Rows::Leaf(run) => run.read_a(rows, into),
            Rows::Batch(batch) => into.extend(batch[rows].iter().map(|datom| datom.a.raw())),
        }
    }

    /// Appends the t of some rows as numbers.
    pub fn read_t(&self, rows: Range<usize>, into: &mut Vec<u64>) {
        match self.rows {
            Rows::Leaf(run) => run.read_t(rows, into),
            Rows::Batch(batch) => into.extend(batch[rows].iter().map(|datom| datom.t().raw())),
        }
    }

    /// The first entity id, where the ids of the rows are first, first + 1, and so on.
    pub fn consecutive_e(&self) -> Option<u64> {
        match self.rows {
            Rows::Leaf(run) => run.consecutive_e(),
            Rows::Batch(_) => None,
        }
    }

    /// The first row from `from` on whose entity id is at least `e`. The ids must ascend, as
    /// they do in a run of one attribute of AEVT, and in EAVT.
    pub fn lower_bound_e(&self, from: usize, e: u64) -> usize {
        match self.rows {
            Rows::Leaf(run) => run.lower_bound_e(from, e),
            Rows::Batch(batch) => from + batch[from..].partition_point(|datom| datom.e.raw() < e),
        }
    }

    /// The type of all values, where it is one that has words (see `datomite_storage::word`).
    pub fn word_type(&self) -> Option<ValueType> {
        let batch = match self.rows {
            Rows::Leaf(run) => return run.word_type(),
            Rows::Batch(batch) => batch,
        };
        let (first, _) = word::of_value(&batch.first()?.v)?;
        let mut types = batch.iter().map(|datom| word::of_value(&datom.v));
        types
            .all(|found| found.is_some_and(|(value_type, _)| value_type == first))
            .then_some(first)
    }

    /// Appends the words of some rows, where [`ViewRun::word_type`] is some.
    pub fn read_words(&self, rows: Range<usize>, into: &mut Vec<u64>) {
        match self.rows {
            Rows::Leaf(run) => run.read_words(rows, into),
            Rows::Batch(batch) => into.extend(
                batch[rows]
                    .iter()
                    .filter_map(|datom| word::of_value(&datom.v).map(|(_, word)| word)),
            ),
        }
    }

    /// The texts, where the rows are a leaf's and all values are strings. Merged rows have none:
    /// their values are read by [`ViewRun::v`].
    pub fn texts(&self) -> Option<TextSource> {
        self.as_leaf()?.texts()
    }

    /// The dictionary of the texts, where the rows are a leaf's and it has one.
    pub fn codes(&self) -> Option<Codes<'a>> {
        self.as_leaf()?.codes()
    }

    /// No row was said later than this.
    pub fn max_t(&self) -> T {
        match self.rows {
            Rows::Leaf(run) => run.max_t(),
            Rows::Batch(batch) => batch.iter().map(Datom::t).max().unwrap_or_default(),
        }
    }
}
