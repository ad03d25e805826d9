//! The nodes of a tree: packed windows, open leaves, inner nodes, and nodes not yet loaded.
//!
//! All leaves lie at one depth. Nodes are shared between versions; a change goes through
//! `Arc::make_mut`, which copies only what another version still sees. How nodes are split,
//! merged and carved is not decided here.

use std::ops::Range;
use std::sync::Arc;

use datomite_model::{Index, T, Value};

use super::Window;
use super::block::Block;
use super::ints::gallop;
use super::order::{HOLDS, Key, Row, RowRef, View, compare, compare_components};
use super::slot::Slot;
use super::source::{Lazy, Source, resolve};
use crate::StorageError;

/// Rows in an open leaf.
pub(super) const OPEN_MAX: usize = 64;
/// Children of an inner node: copying, not search, sets the fan-out.
pub(super) const FAN_OUT: usize = 16;
/// Levels of inner nodes that a cursor keeps inline; 4 billion leaves.
pub(super) const DEPTH_MAX: usize = 8;

#[derive(Clone)]
pub(super) enum Node {
    Open(Arc<Open>),
    /// These rows of a block; never empty.
    Packed(Arc<Block>, u32, u32),
    Inner(Arc<Inner>),
    Stored(Arc<Lazy>),
}

/// A leaf that transactions write: at most `OPEN_MAX` rows, ascending.
#[derive(Default)]
pub(super) struct Open {
    pub(super) rows: Vec<Row>,
    /// Values that do not fit a slot.
    pub(super) side: Vec<Value>,
}

/// At least two children, except while an edit is under way.
pub(super) struct Inner {
    pub(super) kids: Vec<Kid>,
}

#[derive(Clone)]
pub(super) struct Kid {
    /// At most every row of this child, over every row of the one before. That of the first
    /// child is never read.
    pub(super) least: Separator,
    pub(super) sum: Sum,
    pub(super) node: Node,
}

/// A row that may not be present, with its own side table.
#[derive(Clone)]
pub(super) struct Separator {
    row: Row,
    big: Option<Arc<Value>>,
}

/// What a parent knows of a subtree. The count is exact, the rest bounds.
#[derive(Clone, Copy)]
pub(super) struct Sum {
    pub(super) count: u64,
    pub(super) t_min: u64,
    pub(super) t_max: u64,
    pub(super) out_max: u64,
}

impl Clone for Open {
    /// With room for inserts, so that the copy is not followed by a reallocation.
    fn clone(&self) -> Open {
        let room = (self.rows.len() + 1).next_multiple_of(OPEN_MAX / 4);
        let mut rows = Vec::with_capacity(room.min(OPEN_MAX + 1));
        rows.extend_from_slice(&self.rows);
        Open {
            rows,
            side: self.side.clone(),
        }
    }
}

impl Clone for Inner {
    fn clone(&self) -> Inner {
        let mut kids = Vec::with_capacity(self.kids.len() + 2);
        kids.extend_from_slice(&self.kids);
        Inner { kids }
    }
}

impl Open {
    /// An open leaf of these rows.
    pub(super) fn of(rows: &[RowRef<'_>]) -> Open {
        let mut side = Vec::new();
        let room = (rows.len() + 1).next_multiple_of(OPEN_MAX / 4);
        let mut encoded = Vec::with_capacity(room.min(OPEN_MAX + 1));
        encoded.extend(rows.iter().map(|row| row.encode(&mut side)));
        Open {
            rows: encoded,
            side,
        }
    }

    pub(super) fn view(&self, row: usize) -> View<'_> {
        View {
            row: &self.rows[row],
            side: &self.side,
        }
    }

    pub(super) fn row(&self, row: usize) -> RowRef<'_> {
        let row = &self.rows[row];
        RowRef {
            e: row.e,
            a: row.a,
            v: row.v.kept(&self.side),
            t: row.t,
            out: row.out,
        }
    }

    pub(super) fn position(&self, index: Index, key: &Key<'_>) -> usize {
        self.rows.partition_point(|row| {
            let view = View {
                row,
                side: &self.side,
            };
            key.compare(index, view).is_lt()
        })
    }

    /// The position of a whole row, and whether it is there.
    pub(super) fn find(&self, index: Index, key: &Key<'_>) -> (usize, bool) {
        let at = self.position(index, key);
        let same = at < self.rows.len() && key.compare(index, self.view(at)).is_eq();
        (at, same)
    }

    /// Drops side values that no row points to, once they are many.
    pub(super) fn compact_side(&mut self) {
        if self.side.len() <= 2 * self.rows.len() + 8 {
            return;
        }
        let mut side = Vec::new();
        for row in &mut self.rows {
            if row.v.is_big() {
                side.push(self.side[row.v.index()].clone());
                row.v = row.v.at_index(side.len() as u32 - 1);
            }
        }
        self.side = side;
    }

    /// Takes the rows from `at` on into a leaf of their own.
    pub(super) fn split_off(&mut self, at: usize) -> Open {
        let moved: Vec<RowRef<'_>> = (at..self.rows.len()).map(|row| self.row(row)).collect();
        let right = Open::of(&moved);
        self.rows.truncate(at);
        self.compact_side();
        right
    }
}

impl Separator {
    /// Between two neighbours: the lower the shorter, so that few separators need a side value.
    pub(super) fn between(index: Index, left: Option<RowRef<'_>>, right: RowRef<'_>) -> Separator {
        let short = match (left, right.v) {
            (Some(left), datomite_model::ValueRef::String(text)) => {
                Separator::truncated(index, left, right, text)
            }
            _ => None,
        };
        short.unwrap_or_else(|| {
            let mut side = Vec::new();
            let row = right.encode(&mut side);
            Separator {
                row,
                big: side.pop().map(Arc::new),
            }
        })
    }

    fn truncated(
        index: Index,
        left: RowRef<'_>,
        right: RowRef<'_>,
        text: &str,
    ) -> Option<Separator> {
        if Slot::inline(right.v).is_some() {
            return None;
        }
        let row = Row {
            e: right.e,
            a: right.a,
            v: Slot::text_at_most(text)?,
            t: u64::MAX,
            out: 0,
        };
        // Components after the value would have to be the least ones.
        let row = match index {
            Index::Avet | Index::Vaet => Row { e: 0, ..row },
            Index::Eavt | Index::Aevt => row,
        };
        let mut side = Vec::new();
        let left = left.encode(&mut side);
        let left = View {
            row: &left,
            side: &side,
        };
        let view = View {
            row: &row,
            side: &[],
        };
        compare(index, left, view)
            .is_lt()
            .then_some(Separator { row, big: None })
    }

    /// A row that needs no side value.
    pub(super) fn of_row(row: Row) -> Separator {
        Separator { row, big: None }
    }

    pub(super) fn view(&self) -> View<'_> {
        View {
            row: &self.row,
            side: self.big.as_deref().map_or(&[], std::slice::from_ref),
        }
    }
}

impl Sum {
    pub(super) const EMPTY: Sum = Sum {
        count: 0,
        t_min: u64::MAX,
        t_max: 0,
        out_max: 0,
    };

    pub(super) fn add(&mut self, other: &Sum) {
        self.count += other.count;
        self.t_min = self.t_min.min(other.t_min);
        self.t_max = self.t_max.max(other.t_max);
        self.out_max = self.out_max.max(other.out_max);
    }

    pub(super) fn of_open(open: &Open) -> Sum {
        let mut sum = Sum::EMPTY;
        for row in &open.rows {
            sum.add(&Sum::of_row(row));
        }
        sum
    }

    pub(super) fn of_row(row: &Row) -> Sum {
        Sum {
            count: 1,
            t_min: row.t,
            t_max: row.t,
            out_max: row.out,
        }
    }

    pub(super) fn of_kids(kids: &[Kid]) -> Sum {
        let mut sum = Sum::EMPTY;
        for kid in kids {
            sum.add(&kid.sum);
        }
        sum
    }

    /// The block's bounds serve for every window on it.
    pub(super) fn of_window(block: &Block, from: u32, to: u32) -> Sum {
        Sum {
            count: u64::from(to - from),
            t_min: block.t.min(),
            t_max: block.t.max(),
            out_max: block.out.max(),
        }
    }

    /// Whether no row beneath can lie in the window.
    pub(super) fn excluded(&self, window: &Window) -> bool {
        let after = window.as_of.is_some_and(|t| {
            self.t_min > t.raw() || (self.out_max != HOLDS && self.out_max <= t.raw())
        });
        after || window.since.is_some_and(|t| self.t_max <= t.raw())
    }
}

impl Inner {
    /// The child in which a key lies, or at whose end it lies.
    #[inline]
    pub(super) fn child(&self, index: Index, key: &Key<'_>) -> usize {
        self.child_from(index, 0, key)
    }

    /// The same, known not to be before child `from`.
    pub(super) fn child_from(&self, index: Index, from: usize, key: &Key<'_>) -> usize {
        let later = &self.kids[from + 1..];
        from + later.partition_point(|kid| key.compare(index, kid.least.view()).is_le())
    }
}

impl Kid {
    pub(super) fn open(least: Separator, open: Open) -> Kid {
        Kid {
            least,
            sum: Sum::of_open(&open),
            node: Node::Open(Arc::new(open)),
        }
    }

    pub(super) fn window(least: Separator, block: Arc<Block>, rows: Range<usize>) -> Kid {
        let (from, to) = (rows.start as u32, rows.end as u32);
        Kid {
            least,
            sum: Sum::of_window(&block, from, to),
            node: Node::Packed(block, from, to),
        }
    }

    /// Groups children under inner nodes until one node is left.
    pub(super) fn grow(mut kids: Vec<Kid>) -> Kid {
        while kids.len() > 1 {
            kids = Kid::group(kids);
        }
        kids.pop().expect("invariant: a tree grows from a node")
    }

    /// Inner nodes over these children, evenly filled.
    pub(super) fn group(kids: Vec<Kid>) -> Vec<Kid> {
        let nodes = kids.len().div_ceil(FAN_OUT);
        let total = kids.len();
        let mut kids = kids.into_iter();
        let of = |n: usize| total * n / nodes;
        (0..nodes)
            .map(|n| Kid::inner(kids.by_ref().take(of(n + 1) - of(n)).collect()))
            .collect()
    }

    pub(super) fn inner(kids: Vec<Kid>) -> Kid {
        Kid {
            least: kids[0].least.clone(),
            sum: Sum::of_kids(&kids),
            node: Node::Inner(Arc::new(Inner { kids })),
        }
    }
}

impl Node {
    pub(super) fn empty() -> Node {
        Node::Open(Arc::default())
    }

    /// How many rows beneath this node are before the key.
    pub(super) fn rank(
        &self,
        index: Index,
        source: &Source,
        key: &Key<'_>,
    ) -> Result<u64, StorageError> {
        let mut node = resolve(source, self)?;
        let mut before = 0;
        loop {
            match node {
                Node::Inner(inner) => {
                    let at = inner.child(index, key);
                    before += inner.kids[..at]
                        .iter()
                        .map(|kid| kid.sum.count)
                        .sum::<u64>();
                    node = resolve(source, &inner.kids[at].node)?;
                }
                leaf => return Ok(before + leaf.leaf_position(index, key) as u64),
            }
        }
    }

    /// Rows of a leaf.
    pub(super) fn leaf_len(&self) -> usize {
        match self {
            Node::Open(open) => open.rows.len(),
            Node::Packed(_, from, to) => (to - from) as usize,
            _ => unreachable!("invariant: a resolved node that is not inner is a leaf"),
        }
    }

    /// The first row of a leaf that is not before the key.
    pub(super) fn leaf_position(&self, index: Index, key: &Key<'_>) -> usize {
        match self {
            Node::Open(open) => open.position(index, key),
            Node::Packed(block, from, to) => {
                let (from, to) = (*from as usize, *to as usize);
                block.position(index, from..to, key) - from
            }
            _ => unreachable!("invariant: a resolved node that is not inner is a leaf"),
        }
    }

    /// The same, known not to be before row `from`, and likely to be near it.
    pub(super) fn leaf_position_from(&self, index: Index, from: usize, key: &Key<'_>) -> usize {
        match self {
            Node::Open(open) => gallop(from..open.rows.len(), |row| {
                key.compare(index, open.view(row)).is_lt()
            }),
            Node::Packed(block, start, to) => {
                let (start, to) = (*start as usize, *to as usize);
                block.position(index, start + from..to, key) - start
            }
            _ => unreachable!("invariant: a resolved node that is not inner is a leaf"),
        }
    }

    /// The t of a row of a leaf, where the row has the components of the key.
    pub(super) fn leaf_matches(&self, index: Index, row: usize, key: &Key<'_>) -> Option<T> {
        match self {
            Node::Open(open) => {
                let same = open.rows.get(row).is_some_and(|row| {
                    let view = View {
                        row,
                        side: &open.side,
                    };
                    compare_components(index, view, key.view()).is_eq()
                });
                same.then(|| T::new(open.rows[row].t))
            }
            Node::Packed(block, from, _) => {
                let row = *from as usize + row;
                block.matches(row, key).then(|| T::new(block.t.get(row)))
            }
            _ => unreachable!("invariant: a resolved node that is not inner is a leaf"),
        }
    }

    /// A row of a leaf.
    pub(super) fn leaf_row(&self, row: usize) -> RowRef<'_> {
        match self {
            Node::Open(open) => open.row(row),
            Node::Packed(block, from, _) => block.row(*from as usize + row),
            _ => unreachable!("invariant: a resolved node that is not inner is a leaf"),
        }
    }
}
