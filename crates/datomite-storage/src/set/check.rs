//! Walking a whole tree: what `stats` reports, and the invariants that tests check.

use std::sync::Arc;

use datomite_model::{Index, Value};
use rustc_hash::FxHashSet;

use super::node::{FAN_OUT, Inner, Kid, Node, OPEN_MAX, Open};
use super::order::{Row, View, compare};
use super::{DatomSet, SetStats};

struct Walk {
    stats: SetStats,
    /// Addresses of what was counted: blocks and whole values may be met several times.
    seen: FxHashSet<usize>,
}

impl DatomSet {
    /// Nodes, fill, bytes. Nodes that are not loaded count as leaves without bytes.
    pub fn stats(&self) -> SetStats {
        let mut walk = Walk {
            stats: SetStats::default(),
            seen: FxHashSet::default(),
        };
        walk.node(&self.root.node, 1);
        walk.stats.rows = self.len();
        walk.stats
    }

    /// Walks the tree and tells the first invariant that does not hold.
    #[doc(hidden)]
    pub fn check(&self) -> Result<(), String> {
        let mut check = Check {
            index: self.index,
            last: None,
            leaf_depth: None,
        };
        check.kid(&self.root, 0)
    }
}

impl Walk {
    fn node(&mut self, node: &Node, depth: u32) {
        self.stats.depth = self.stats.depth.max(depth);
        match node {
            Node::Stored(lazy) => match lazy.loaded() {
                Some(node) => self.node(node, depth),
                None => self.stats.leaves += 1,
            },
            Node::Inner(inner) => {
                self.stats.inner_nodes += 1;
                self.stats.bytes +=
                    (size_of::<Inner>() + inner.kids.capacity() * size_of::<Kid>()) as u64;
                for kid in &inner.kids {
                    self.node(&kid.node, depth + 1);
                }
            }
            Node::Open(open) => {
                self.stats.leaves += 1;
                self.stats.open_leaves += 1;
                self.stats.open_rows += open.rows.len() as u64;
                let rows = open.rows.capacity() * size_of::<Row>();
                self.stats.bytes += (size_of::<Open>() + rows) as u64;
                self.values(open.side.iter());
                self.stats.bytes += (open.side.capacity() * size_of::<Value>()) as u64;
            }
            Node::Packed(block, _, _) => {
                self.stats.leaves += 1;
                if self.seen.insert(Arc::as_ptr(block) as usize) {
                    self.stats.bytes += block.bytes() as u64;
                    self.values(block.whole_values());
                }
            }
        }
    }

    /// What values hold outside their row; shared ones once a tree.
    fn values<'a>(&mut self, values: impl Iterator<Item = &'a Value>) {
        for value in values {
            let (address, bytes) = match value {
                Value::String(text) => (text.as_ptr() as usize, text.len()),
                Value::Bytes(bytes) => (bytes.as_ptr() as usize, bytes.len()),
                Value::Keyword(keyword) => {
                    (keyword.as_str().as_ptr() as usize, keyword.as_str().len())
                }
                Value::Symbol(symbol) => (symbol.as_str().as_ptr() as usize, symbol.as_str().len()),
                Value::Uri(uri) => (uri.as_str().as_ptr() as usize, uri.as_str().len()),
                Value::Tuple(slots) => (slots.as_ptr() as usize, size_of_val(&**slots)),
                Value::BigDec(n) => (Arc::as_ptr(n) as usize, 64),
                Value::BigInt(n) => (Arc::as_ptr(n) as usize, 48),
                _ => continue,
            };
            if self.seen.insert(address) {
                self.stats.bytes += bytes as u64 + 16;
            }
        }
    }
}

/// The last row of the walk, self-contained.
struct Last {
    row: Row,
    side: Vec<Value>,
}

struct Check {
    index: Index,
    last: Option<Last>,
    leaf_depth: Option<usize>,
}

impl Check {
    fn kid(&mut self, kid: &Kid, depth: usize) -> Result<(), String> {
        let rows = match &kid.node {
            Node::Stored(lazy) => match lazy.loaded() {
                None => kid.sum.count,
                Some(node) => {
                    let loaded = Kid {
                        node: node.clone(),
                        ..kid.clone()
                    };
                    return self.kid(&loaded, depth);
                }
            },
            Node::Inner(inner) => self.inner(inner, depth)?,
            leaf => self.leaf(leaf, kid, depth)?,
        };
        ensure(rows == kid.sum.count, "a count differs from its rows")
    }

    fn inner(&mut self, inner: &Inner, depth: usize) -> Result<u64, String> {
        let kids = inner.kids.len();
        ensure(
            (2..=FAN_OUT).contains(&kids),
            "an inner node has 2 to 16 children",
        )?;
        for (n, kid) in inner.kids.iter().enumerate() {
            ensure(kid.sum.count > 0, "an inner node has an empty child")?;
            let least = kid.least.view();
            if let (Some(last), true) = (&self.last, n > 0) {
                let last = View {
                    row: &last.row,
                    side: &last.side,
                };
                let over = compare(self.index, last, least).is_lt();
                ensure(over, "a separator is not over the rows before it")?;
            }
            if n > 0 {
                let first = first_of(&kid.node);
                let below = first.is_none_or(|(row, side)| {
                    let first = View {
                        row: &row,
                        side: &side,
                    };
                    compare(self.index, least, first).is_le()
                });
                ensure(below, "a separator is over the rows of its child")?;
            }
            self.kid(kid, depth + 1)?;
        }
        Ok(inner.kids.iter().map(|kid| kid.sum.count).sum())
    }

    fn leaf(&mut self, leaf: &Node, kid: &Kid, depth: usize) -> Result<u64, String> {
        ensure(
            *self.leaf_depth.get_or_insert(depth) == depth,
            "leaves lie at different depths",
        )?;
        let rows = leaf.leaf_len();
        if let Node::Open(open) = leaf {
            ensure(open.rows.len() <= OPEN_MAX, "an open leaf is over its size")?;
        }
        ensure(rows > 0 || depth == 0, "a leaf is empty")?;
        for row in 0..rows {
            let row = leaf.leaf_row(row);
            let sum = &kid.sum;
            let bounded = sum.t_min <= row.t && row.t <= sum.t_max && row.out <= sum.out_max;
            ensure(bounded, "a row lies outside the bounds of its leaf")?;
            let mut side = Vec::new();
            let row = row.encode(&mut side);
            if let Some(last) = &self.last {
                let (x, y) = (&last.row, &row);
                let x = View {
                    row: x,
                    side: &last.side,
                };
                let y = View {
                    row: y,
                    side: &side,
                };
                ensure(compare(self.index, x, y).is_lt(), "rows do not ascend")?;
            }
            self.last = Some(Last { row, side });
        }
        Ok(rows as u64)
    }
}

fn first_of(node: &Node) -> Option<(Row, Vec<Value>)> {
    let mut side = Vec::new();
    match node {
        Node::Inner(inner) => first_of(&inner.kids[0].node),
        Node::Stored(lazy) => lazy.loaded().and_then(first_of),
        leaf => (leaf.leaf_len() > 0).then(|| {
            let row = leaf.leaf_row(0).encode(&mut side);
            (row, side)
        }),
    }
}

fn ensure(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}
