//! The order of rows: the components of the index, then t descending.
//!
//! Every comparison in the tree goes through this file: rows with rows, and rows with the keys
//! that searches look for. A key is a full row, or leading components and a side.

use std::cmp::Ordering;

use datomite_model::{Component, EntityId, Index, Value, ValueRef};

use super::slot::Slot;
use super::{Bound, Fact, Side};

/// `out` of a fact that still holds: later than every t.
pub(super) const HOLDS: u64 = u64::MAX;

/// A row as open leaves and separators hold it: 48 bytes that copy.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) e: u64,
    pub(super) a: u64,
    pub(super) v: Slot,
    pub(super) t: u64,
    pub(super) out: u64,
}

/// A row with the side table that its slot points into.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) row: &'a Row,
    pub(super) side: &'a [Value],
}

/// A row by reference, wherever it is kept; values that are kept whole come whole.
#[derive(Clone, Copy)]
pub(super) struct RowRef<'a> {
    pub(super) e: u64,
    pub(super) a: u64,
    pub(super) v: ValueRef<'a>,
    pub(super) t: u64,
    pub(super) out: u64,
}

/// What a search looks for.
pub(super) struct Key<'a> {
    pub(super) row: Row,
    /// The value itself; `None` where the key has none.
    pub(super) value: Option<&'a Value>,
    /// How many leading components count; 4 is the whole row, t included.
    pub(super) depth: usize,
    /// Where the key stands among rows that share its components.
    pub(super) at: Side,
}

impl<'a> RowRef<'a> {
    pub(super) fn of(fact: &'a Fact) -> RowRef<'a> {
        RowRef {
            e: fact.e.raw(),
            a: fact.a.raw(),
            v: ValueRef::Value(&fact.v),
            t: fact.t.raw(),
            out: fact.out.map_or(HOLDS, |t| t.raw()),
        }
    }

    /// The row for an open leaf whose side table is `side`.
    pub(super) fn encode(&self, side: &mut Vec<Value>) -> Row {
        Row {
            e: self.e,
            a: self.a,
            v: Slot::encode(self.v, side),
            t: self.t,
            out: self.out,
        }
    }
}

impl<'a> Key<'a> {
    /// The whole row of a fact.
    pub(super) fn exact(fact: &'a Fact) -> Key<'a> {
        Key {
            row: Row {
                e: fact.e.raw(),
                a: fact.a.raw(),
                v: Slot::of(&fact.v),
                t: fact.t.raw(),
                out: fact.out.map_or(HOLDS, |t| t.raw()),
            },
            value: Some(&fact.v),
            depth: 4,
            at: Side::Before,
        }
    }

    /// A position: the components that the bound has, up to the first gap.
    pub(super) fn bound(index: Index, bound: &'a Bound) -> Key<'a> {
        let has = |component: &Component| match component {
            Component::Entity => bound.e.is_some(),
            Component::Attribute => bound.a.is_some(),
            Component::Value => bound.v.is_some(),
        };
        Key {
            row: Row {
                e: bound.e.map_or(0, |e| e.raw()),
                a: bound.a.map_or(0, |a| a.raw()),
                v: bound.v.as_ref().map_or(Slot::ZERO, Slot::of),
                t: 0,
                out: 0,
            },
            value: bound.v.as_ref(),
            depth: index.components().iter().take_while(|c| has(c)).count(),
            at: bound.side,
        }
    }

    /// Before the rows with these components.
    pub(super) fn components(e: EntityId, a: EntityId, v: &'a Value) -> Key<'a> {
        Key {
            row: Row {
                e: e.raw(),
                a: a.raw(),
                v: Slot::of(v),
                t: 0,
                out: 0,
            },
            value: Some(v),
            depth: 3,
            at: Side::Before,
        }
    }

    pub(super) fn view(&self) -> View<'_> {
        View {
            row: &self.row,
            side: self.side(),
        }
    }

    pub(super) fn side(&self) -> &'a [Value] {
        self.value.map_or(&[], std::slice::from_ref)
    }

    pub(super) fn as_row_ref(&self) -> RowRef<'a> {
        let value = self.value.expect("invariant: an exact key has a value");
        RowRef {
            e: self.row.e,
            a: self.row.a,
            v: ValueRef::Value(value),
            t: self.row.t,
            out: self.row.out,
        }
    }

    /// How a row compares with this key; never equal unless the key is a whole row.
    #[inline]
    pub(super) fn compare(&self, index: Index, x: View<'_>) -> Ordering {
        let key = &self.row;
        let e = || x.row.e.cmp(&key.e);
        let a = || x.row.a.cmp(&key.a);
        let v = || x.row.v.cmp(x.side, &key.v, self.side());
        match index {
            Index::Eavt => self.in_turn(x.row.t, e, a, v),
            Index::Aevt => self.in_turn(x.row.t, a, e, v),
            Index::Avet => self.in_turn(x.row.t, a, v, e),
            Index::Vaet => self.in_turn(x.row.t, v, a, e),
        }
    }

    /// Compares as many components as the key has, then t (which descends) or the side.
    #[inline(always)]
    fn in_turn(
        &self,
        t: u64,
        first: impl Fn() -> Ordering,
        second: impl Fn() -> Ordering,
        third: impl Fn() -> Ordering,
    ) -> Ordering {
        let mut order = Ordering::Equal;
        if self.depth > 0 {
            order = first();
        }
        if self.depth > 1 && order.is_eq() {
            order = second();
        }
        if self.depth > 2 && order.is_eq() {
            order = third();
        }
        if order.is_ne() {
            return order;
        }
        match (self.depth, self.at) {
            (4, _) => self.row.t.cmp(&t),
            (_, Side::Before) => Ordering::Greater,
            (_, Side::After) => Ordering::Less,
        }
    }
}

/// Compares the components of two rows, without t.
pub(super) fn compare_components(index: Index, x: View<'_>, y: View<'_>) -> Ordering {
    for component in index.components() {
        let order = match component {
            Component::Entity => x.row.e.cmp(&y.row.e),
            Component::Attribute => x.row.a.cmp(&y.row.a),
            Component::Value => x.row.v.cmp(x.side, &y.row.v, y.side),
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// Compares two rows.
pub(super) fn compare(index: Index, x: View<'_>, y: View<'_>) -> Ordering {
    compare_components(index, x, y).then_with(|| y.row.t.cmp(&x.row.t))
}
