//! The sorted set of facts: one tree type for the present, for history, in memory and on disk.
//!
//! STUB: a shared sorted vector behind the final face.

pub mod word;

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use datomite_model::{Component, EntityId, Index, T, Value, ValueRef, ValueType};

use crate::StorageError;

/// One row of a tree: true from `t` on, and, once closed, until `out`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    /// The entity.
    pub e: EntityId,
    /// The attribute.
    pub a: EntityId,
    /// The value.
    pub v: Value,
    /// The transaction that asserted it.
    pub t: T,
    /// The transaction that retracted it; `None` while it holds.
    pub out: Option<T>,
}

/// Where a bound lies relative to the rows that share its components.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// Before all of them.
    Before,
    /// After all of them.
    After,
}

/// A position in an index: leading components (in the order of that index) and a side.
/// No components: the start or the end.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The entity, where given.
    pub e: Option<EntityId>,
    /// The attribute, where given.
    pub a: Option<EntityId>,
    /// The value, where given.
    pub v: Option<Value>,
    /// Before or after the rows that have these components.
    pub side: Side,
}

/// A stretch of an index between two positions.
#[derive(Clone, Debug)]
pub struct KeyRange {
    /// Where it begins.
    pub lo: Bound,
    /// Where it ends.
    pub hi: Bound,
}

/// Which transactions a reader wants: facts that hold at `as_of`, asserted after `since`.
/// A subtree that cannot hold such a fact is not visited.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Window {
    /// Only what was true after this transaction.
    pub as_of: Option<T>,
    /// Only what was asserted by a later transaction.
    pub since: Option<T>,
}

/// A change to a set.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Puts a row in.
    Insert(Fact),
    /// Takes the row with these e, a, v (and, in a history tree, t) out; absent rows are ignored.
    Remove(Fact),
}

/// What `stats --indexes` tells of a tree.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct SetStats {
    /// Rows.
    pub rows: u64,
    /// Leaves, packed and open.
    pub leaves: u64,
    /// Of these, open.
    pub open_leaves: u64,
    /// Rows in open leaves.
    pub open_rows: u64,
    /// Inner nodes.
    pub inner_nodes: u64,
    /// Levels, leaves included.
    pub depth: u32,
    /// Bytes held, shared blocks counted once.
    pub bytes: u64,
}

impl Bound {
    /// Before everything.
    pub fn start() -> Bound {
        Bound {
            e: None,
            a: None,
            v: None,
            side: Side::Before,
        }
    }

    /// After everything.
    pub fn end() -> Bound {
        Bound {
            e: None,
            a: None,
            v: None,
            side: Side::After,
        }
    }
}

impl KeyRange {
    /// Everything.
    pub fn all() -> KeyRange {
        KeyRange {
            lo: Bound::start(),
            hi: Bound::end(),
        }
    }

    /// The rows that have these components, which must be leading ones of the index asked.
    pub fn prefix(e: Option<EntityId>, a: Option<EntityId>, v: Option<Value>) -> KeyRange {
        KeyRange {
            lo: Bound {
                e,
                a,
                v: v.clone(),
                side: Side::Before,
            },
            hi: Bound {
                e,
                a,
                v,
                side: Side::After,
            },
        }
    }
}

/// A persistent sorted set of facts in the order of one index. Cloning is a reference count.
#[derive(Clone)]
pub struct DatomSet {
    index: Index,
    rows: Arc<Vec<Fact>>,
}

impl DatomSet {
    /// An empty set in that order.
    pub fn new(index: Index) -> DatomSet {
        DatomSet {
            index,
            rows: Arc::new(Vec::new()),
        }
    }

    /// A set of these facts, in packed blocks. Equal rows must not occur.
    pub fn build(index: Index, mut facts: Vec<Fact>) -> DatomSet {
        facts.sort_by(|x, y| cmp_facts(index, x, y));
        DatomSet {
            index,
            rows: Arc::new(facts),
        }
    }

    /// The order.
    pub fn index(&self) -> Index {
        self.index
    }

    /// How many rows there are.
    pub fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Applies edits in any order; a large batch rebuilds the tree.
    pub fn apply(&mut self, edits: Vec<Edit>) -> Result<(), StorageError> {
        let index = self.index;
        let rows = Arc::make_mut(&mut self.rows);
        for edit in edits {
            match edit {
                Edit::Insert(fact) => {
                    if let Err(at) = rows.binary_search_by(|row| cmp_facts(index, row, &fact)) {
                        rows.insert(at, fact);
                    }
                }
                Edit::Remove(fact) => {
                    if let Ok(at) = rows.binary_search_by(|row| {
                        cmp_eav(index, row, &fact).then_with(|| {
                            if fact.out.is_some() {
                                fact.t.cmp(&row.t)
                            } else {
                                Ordering::Equal
                            }
                        })
                    }) {
                        rows.remove(at);
                    }
                }
            }
        }
        Ok(())
    }

    /// How many rows lie in a range; two descents, whatever lies between.
    pub fn count(&self, range: &KeyRange) -> Result<u64, StorageError> {
        let (lo, hi) = self.positions(range);
        Ok(hi.saturating_sub(lo) as u64)
    }

    /// The rows of a range, in order, as runs of columns.
    pub fn runs(&self, range: &KeyRange, window: Window) -> Runs {
        let (lo, hi) = self.positions(range);
        let _ = window;
        Runs {
            rows: Arc::clone(&self.rows),
            index: self.index,
            at: lo,
            end: hi.max(lo),
            reverse: false,
        }
    }

    /// The same from the end: runs come in descending order, the rows inside a run ascend.
    pub fn runs_reverse(&self, range: &KeyRange, window: Window) -> Runs {
        let mut runs = self.runs(range, window);
        runs.reverse = true;
        runs
    }

    /// The t of the open fact with exactly these components.
    pub fn find(&self, e: EntityId, a: EntityId, v: &Value) -> Result<Option<T>, StorageError> {
        let (lo, hi) = self.positions(&KeyRange::prefix(Some(e), Some(a), Some(v.clone())));
        Ok((lo < hi).then(|| self.rows[lo].t))
    }

    /// Nodes, fill, bytes.
    pub fn stats(&self) -> SetStats {
        SetStats {
            rows: self.len(),
            ..SetStats::default()
        }
    }

    fn positions(&self, range: &KeyRange) -> (usize, usize) {
        let at = |b: &Bound| {
            self.rows
                .partition_point(|row| cmp_bound(self.index, row, b).is_lt())
        };
        (at(&range.lo), at(&range.hi))
    }
}

/// A cursor over the runs of a range.
pub struct Runs {
    rows: Arc<Vec<Fact>>,
    index: Index,
    at: usize,
    end: usize,
    reverse: bool,
}

impl Runs {
    /// The next run: at most one leaf's rows.
    #[expect(
        clippy::should_implement_trait,
        reason = "a lending cursor, not an iterator"
    )]
    pub fn next(&mut self) -> Result<Option<Run<'_>>, StorageError> {
        if self.at >= self.end {
            return Ok(None);
        }
        let take = 512.min(self.end - self.at);
        let from = if self.reverse {
            self.end - take
        } else {
            self.at
        };
        if self.reverse {
            self.end = from
        } else {
            self.at += take
        }
        Ok(Some(Run {
            shared: &self.rows,
            from,
            rows: &self.rows[from..from + take],
        }))
    }

    /// How many rows are still to come, rows that the window excludes included.
    pub fn count_left(&self) -> Result<u64, StorageError> {
        Ok((self.end - self.at) as u64)
    }

    /// Moves forward to the first row at or after a position.
    pub fn seek(&mut self, to: &Bound) -> Result<(), StorageError> {
        let index = self.index;
        let at = self
            .rows
            .partition_point(|row| cmp_bound(index, row, to).is_lt());
        self.at = self.at.max(at);
        Ok(())
    }
}

/// A stretch of rows of one leaf, read by column.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    shared: &'a Arc<Vec<Fact>>,
    from: usize,
    rows: &'a [Fact],
}

/// The texts of a run, kept alive without borrowing from it; cloning is a reference count.
#[derive(Clone)]
pub struct TextSource {
    shared: Arc<Vec<Fact>>,
    from: usize,
}

impl TextSource {
    /// The text of a row, numbered as in the run.
    pub fn get(&self, row: usize) -> &str {
        self.shared[self.from + row].v.as_str().unwrap_or("")
    }
}

/// The sorted dictionary that a block keeps for the texts of a run.
#[derive(Clone, Copy)]
pub struct Codes<'a> {
    words: &'a [Arc<str>],
}

impl<'a> Codes<'a> {
    /// How many words the dictionary has; codes are below this.
    pub fn words(&self) -> usize {
        self.words.len()
    }

    /// The word of a code; words ascend with their codes.
    pub fn word(&self, code: u64) -> &'a str {
        &self.words[code as usize]
    }

    /// The code of a word, where the dictionary has it.
    pub fn code(&self, _word: &str) -> Option<u64> {
        None
    }

    /// Appends the codes of these rows, numbered as in the run.
    pub fn read(&self, _rows: Range<usize>, _codes: &mut Vec<u64>) {}
}

impl<'a> Run<'a> {
    /// How many rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The entity of a row.
    pub fn e(&self, row: usize) -> EntityId {
        self.rows[row].e
    }

    /// The attribute of a row.
    pub fn a(&self, row: usize) -> EntityId {
        self.rows[row].a
    }

    /// The value of a row, borrowed.
    pub fn v(&self, row: usize) -> ValueRef<'a> {
        ValueRef::Value(&self.rows[row].v)
    }

    /// The asserting transaction of a row.
    pub fn t(&self, row: usize) -> T {
        self.rows[row].t
    }

    /// The retracting transaction of a row; `None` while it holds.
    pub fn out(&self, row: usize) -> Option<T> {
        self.rows[row].out
    }

    /// An owned copy of a row.
    pub fn fact(&self, row: usize) -> Fact {
        self.rows[row].clone()
    }

    /// These rows of the run as a run.
    pub fn slice(&self, rows: Range<usize>) -> Run<'a> {
        Run {
            shared: self.shared,
            from: self.from + rows.start,
            rows: &self.rows[rows],
        }
    }

    /// Appends the entity ids of these rows.
    pub fn read_e(&self, rows: Range<usize>, into: &mut Vec<u64>) {
        into.extend(self.rows[rows].iter().map(|row| row.e.raw()));
    }

    /// Appends the attribute ids of these rows.
    pub fn read_a(&self, rows: Range<usize>, into: &mut Vec<u64>) {
        into.extend(self.rows[rows].iter().map(|row| row.a.raw()));
    }

    /// Appends the asserting t of these rows.
    pub fn read_t(&self, rows: Range<usize>, into: &mut Vec<u64>) {
        into.extend(self.rows[rows].iter().map(|row| row.t.raw()));
    }

    /// Appends the retracting t of these rows; `u64::MAX` while a fact holds.
    pub fn read_out(&self, rows: Range<usize>, into: &mut Vec<u64>) {
        into.extend(
            self.rows[rows]
                .iter()
                .map(|row| row.out.map_or(u64::MAX, T::raw)),
        );
    }

    /// The first entity id, where the ids of the rows are first, first + 1, and so on.
    pub fn consecutive_e(&self) -> Option<u64> {
        let first = self.rows.first()?.e.raw();
        let mut ids = self.rows.iter().zip(first..);
        ids.all(|(row, id)| row.e.raw() == id).then_some(first)
    }

    /// The first row from `from` on whose entity id is at least `e`. The ids must ascend, as
    /// they do in a run of one attribute of AEVT, and in EAVT.
    pub fn lower_bound_e(&self, from: usize, e: u64) -> usize {
        from + self.rows[from..].partition_point(|row| row.e.raw() < e)
    }

    /// The type of all values of the run, where it is one that has words (see [`word`]).
    pub fn word_type(&self) -> Option<ValueType> {
        let (first, _) = word::of_value(&self.rows.first()?.v)?;
        let mut types = self.rows.iter().map(|row| word::of_value(&row.v));
        types
            .all(|t| t.is_some_and(|(t, _)| t == first))
            .then_some(first)
    }

    /// Appends the words of these rows, where [`Run::word_type`] is some.
    pub fn read_words(&self, rows: Range<usize>, into: &mut Vec<u64>) {
        into.extend(
            self.rows[rows]
                .iter()
                .filter_map(|row| word::of_value(&row.v).map(|(_, word)| word)),
        );
    }

    /// The texts, where all values of the run are strings.
    pub fn texts(&self) -> Option<TextSource> {
        self.rows
            .iter()
            .all(|row| row.v.as_str().is_some())
            .then(|| TextSource {
                shared: Arc::clone(self.shared),
                from: self.from,
            })
    }

    /// The dictionary of the texts, where the block has one.
    pub fn codes(&self) -> Option<Codes<'a>> {
        None
    }

    /// No row was asserted later than this.
    pub fn max_t(&self) -> T {
        self.rows.iter().map(|row| row.t).max().unwrap_or_default()
    }
}

fn cmp_component(component: Component, x: &Fact, y: &Fact) -> Ordering {
    match component {
        Component::Entity => x.e.cmp(&y.e),
        Component::Attribute => x.a.cmp(&y.a),
        Component::Value => x.v.storage_cmp(&y.v),
    }
}

fn cmp_eav(index: Index, x: &Fact, y: &Fact) -> Ordering {
    index
        .components()
        .into_iter()
        .map(|c| cmp_component(c, x, y))
        .find(|o| o.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn cmp_facts(index: Index, x: &Fact, y: &Fact) -> Ordering {
    cmp_eav(index, x, y).then_with(|| y.t.cmp(&x.t))
}

fn cmp_bound(index: Index, row: &Fact, bound: &Bound) -> Ordering {
    for component in index.components() {
        let order = match component {
            Component::Entity => bound.e.map(|e| row.e.cmp(&e)),
            Component::Attribute => bound.a.map(|a| row.a.cmp(&a)),
            Component::Value => bound.v.as_ref().map(|v| row.v.storage_cmp(v)),
        };
        match order {
            None => break,
            Some(Ordering::Equal) => {}
            Some(order) => return order,
        }
    }
    if bound.side == Side::Before {
        Ordering::Greater
    } else {
        Ordering::Less
    }
}
