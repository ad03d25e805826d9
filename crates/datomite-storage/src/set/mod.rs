//! The sorted set of facts: one tree type for the present, for history, in memory and on disk.
//!
//! A persistent B+tree whose leaves are windows on packed blocks (1024 rows by column) or open
//! rows (at most 64); inner nodes of 16 with a count a child. Bulk loads make blocks; a transaction
//! opens only the rows around its key. Cloning shares everything, and a change copies only the
//! path that another version still sees.
//!
//! Every read that visits a node returns `Result`, since the node may have to be loaded. Nothing
//! here knows what an attribute means, or which facts belong in which index.
//!
//! Measured on 2 shared vCPUs (210k facts of people): EAVT 11.8, AEVT 8.5, AVET 5.6 bytes a fact;
//! build 4.4 to 7.5 million facts a second an index; scan 0.9 ns a fact; point 170 to 390 ns;
//! prefix count 240 ns at 10k and 480 ns at 1M facts; a published transaction of 5 over three
//! indexes 14 us. `benches/index.rs` measures them again.

pub mod word;

mod balance;
mod block;
mod check;
mod column;
mod cursor;
mod edit;
mod ints;
mod leaf;
mod node;
mod order;
mod range;
mod run;
mod slot;
mod sort;
mod source;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use datomite_model::{EntityId, Index, T, Value};

pub use cursor::Runs;
pub use range::{Bound, Edit, Fact, KeyRange, SetStats, Side, Window};
pub use run::{Codes, Run, TextSource};
pub use source::{NodeAddress, NodeSource, ReadFault, StoredNode};

use edit::{edit_node, normalise, plant, prefetch};
use node::{Kid, Node, Open, Separator};
use order::{Key, RowRef};
use source::{Lazy, Source, resolve};

use crate::StorageError;

/// A persistent sorted set of facts in the order of one index. Cloning is a reference count.
#[derive(Clone)]
pub struct DatomSet {
    index: Index,
    /// Its separator is never read.
    root: Kid,
    source: Source,
}

impl DatomSet {
    /// An empty set in that order.
    pub fn new(index: Index) -> DatomSet {
        DatomSet {
            index,
            root: Kid::open(Separator::none(), Open::default()),
            source: None,
        }
    }

    /// A set of these facts, in packed blocks. Equal rows must not occur.
    pub fn build(index: Index, facts: Vec<Fact>) -> DatomSet {
        let later_first = |x: &Fact, y: &Fact| y.t.cmp(&x.t);
        let sorted = sort::permutation(index, facts.len(), |n| &facts[n], later_first);
        let rows: Vec<RowRef<'_>> = sorted
            .iter()
            .map(|n| RowRef::of(&facts[*n as usize]))
            .collect();
        DatomSet {
            index,
            root: plant(index, &rows),
            source: None,
        }
    }

    /// The same set, whose reads go through a source of nodes: for stored trees, and for tests
    /// that make a read fail ([`ReadFault`]). Sets made from this one keep the source.
    pub fn with_source(mut self, source: Option<Arc<dyn NodeSource>>) -> DatomSet {
        self.source = source;
        self
    }

    /// A set that a source keeps: nothing is read yet.
    pub fn stored(
        index: Index,
        source: Arc<dyn NodeSource>,
        root: NodeAddress,
        rows: u64,
    ) -> DatomSet {
        let mut set = DatomSet::new(index).with_source(Some(source));
        set.root.node = Node::Stored(Arc::new(Lazy::new(root)));
        set.root.sum.count = rows;
        set
    }

    /// The order.
    pub fn index(&self) -> Index {
        self.index
    }

    /// How many rows there are.
    pub fn len(&self) -> u64 {
        self.root.sum.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Applies edits, as if one after the other; on an error nothing has changed.
    ///
    /// The batch is sorted and goes down the tree once. Where many rows land in one place they
    /// are packed, so a bulk load may come in batches.
    pub fn apply(&mut self, edits: Vec<Edit>) -> Result<(), StorageError> {
        let ops = normalise(self, &edits)?;
        if ops.is_empty() {
            return Ok(());
        }
        if self.source.is_some() {
            prefetch(self.index, &self.source, &self.root.node, &ops)?;
        }
        let more = edit_node(self.index, &mut self.root, &ops);
        if !more.is_empty() {
            let root = std::mem::replace(
                &mut self.root,
                Kid::open(Separator::none(), Open::default()),
            );
            let mut kids = vec![root];
            kids.extend(more);
            self.root = Kid::grow(kids);
        }
        self.settle_root();
        Ok(())
    }

    /// A root with one child, or no rows, is not needed.
    fn settle_root(&mut self) {
        while let Node::Inner(inner) = &self.root.node {
            if self.root.sum.count == 0 {
                self.root.node = Node::empty();
            } else if inner.kids.len() == 1 {
                self.root = inner.kids[0].clone();
            } else {
                break;
            }
        }
    }

    /// How many rows lie in a range; two descents, whatever lies between.
    pub fn count(&self, range: &KeyRange) -> Result<u64, StorageError> {
        let rank = |bound: &Bound| {
            let key = Key::bound(self.index, bound);
            match (key.depth, key.at) {
                (0, Side::Before) => Ok(0),
                (0, Side::After) => Ok(self.len()),
                _ => self.root.node.rank(self.index, &self.source, &key),
            }
        };
        Ok(rank(&range.hi)?.saturating_sub(rank(&range.lo)?))
    }

    /// The rows of a range, in order, as runs of columns.
    ///
    /// Leaves that hold no fact of the window are left out; rows outside it may still come.
    pub fn runs(&self, range: &KeyRange, window: Window) -> Runs {
        Runs::forward(self, range, window)
    }

    /// The same from the end: runs come in descending order, the rows inside a run ascend.
    pub fn runs_reverse(&self, range: &KeyRange, window: Window) -> Runs {
        Runs::backward(self, range, window)
    }

    /// The t of the latest fact with exactly these components: of the open one, in a current tree.
    pub fn find(&self, e: EntityId, a: EntityId, v: &Value) -> Result<Option<T>, StorageError> {
        let key = Key::components(e, a, v);
        let mut node = resolve(&self.source, &self.root.node)?;
        // The first row of the next leaf, where the key lies at the end of this one.
        let mut next = None;
        while let Node::Inner(inner) = node {
            let at = inner.child(self.index, &key);
            next = inner.kids.get(at + 1).or(next);
            node = resolve(&self.source, &inner.kids[at].node)?;
        }
        let mut at = node.leaf_position(self.index, &key);
        if at == node.leaf_len() {
            let Some(kid) = next else {
                return Ok(None);
            };
            node = resolve(&self.source, &kid.node)?;
            while let Node::Inner(inner) = node {
                node = resolve(&self.source, &inner.kids[0].node)?;
            }
            at = 0;
        }
        Ok(node.leaf_matches(self.index, at, &key))
    }
}
