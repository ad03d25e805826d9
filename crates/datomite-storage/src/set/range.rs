//! The words of the face: rows, positions, ranges, edits and figures of a tree.

use datomite_model::{EntityId, T, Value};

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
