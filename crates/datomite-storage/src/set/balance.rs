//! Keeping nodes well filled: merging small neighbours after removals, dividing full nodes.
//!
//! Only children that an edit touched, and their neighbours, are looked at; nodes that are not
//! loaded are left alone. When an inner node overflows with open leaves that hold most of its
//! rows, they are packed there and then: so a tree that only grows stays mostly packed, at the
//! cost of one packing for a thousand inserts.

use std::ops::Range;
use std::sync::Arc;

use datomite_model::Index;

use super::leaf::Pieces;
use super::node::{FAN_OUT, Inner, Kid, Node, OPEN_MAX, Open, Separator, Sum};
use super::order::RowRef;

/// Open leaves under this many rows look for a neighbour.
const OPEN_MIN: usize = OPEN_MAX / 4;
/// … and join it where the sum leaves room for more.
const OPEN_JOIN: usize = OPEN_MAX * 3 / 4;
/// Inner nodes under this many children look for a neighbour.
const KIDS_MIN: usize = FAN_OUT / 4;
/// So many open rows under one inner node are worth a block.
const REPACK_MIN: u64 = 512;
/// So many edits under one inner node are a bulk load: what it opened is packed at once.
const MANY_EDITS: usize = 128;

/// Drops empty children and merges small ones, among those touched.
pub(super) fn settle(index: Index, kids: &mut Vec<Kid>, touched: Range<usize>) {
    let mut at = touched.start.saturating_sub(1);
    let mut end = (touched.end + 1).min(kids.len());
    while at < end {
        if kids[at].sum.count == 0 && kids.len() > 1 {
            kids.remove(at);
            end -= 1;
            at = at.saturating_sub(1);
            end = end.max(at + 1).min(kids.len());
            continue;
        }
        if at + 1 < kids.len() && should_join(&kids[at], &kids[at + 1]) {
            let right = kids.remove(at + 1);
            let more = join(index, &mut kids[at], right);
            let joined = more.is_none();
            kids.splice(at + 1..at + 1, more);
            if joined {
                end = end.saturating_sub(1).max(at + 1).min(kids.len());
                continue;
            }
        }
        at += 1;
    }
}

fn should_join(left: &Kid, right: &Kid) -> bool {
    match (&left.node, &right.node) {
        (Node::Open(x), Node::Open(y)) => {
            let (x, y) = (x.rows.len(), y.rows.len());
            x.min(y) < OPEN_MIN && x + y <= OPEN_JOIN
        }
        (Node::Packed(x, _, to), Node::Packed(y, from, _)) => Arc::ptr_eq(x, y) && to == from,
        (Node::Packed(_, from, to), Node::Open(open))
        | (Node::Open(open), Node::Packed(_, from, to)) => {
            let rows = (to - from) as usize;
            rows < OPEN_MIN && rows + open.rows.len() <= OPEN_JOIN
        }
        (Node::Inner(x), Node::Inner(y)) => x.kids.len().min(y.kids.len()) < KIDS_MIN,
        _ => false,
    }
}

/// Merges the right child into the left one; what does not fit comes back.
fn join(index: Index, left: &mut Kid, right: Kid) -> Option<Kid> {
    match (&mut left.node, &right.node) {
        (Node::Inner(x), Node::Inner(_)) => {
            let more = join_inner(index, x, right);
            left.sum = Sum::of_kids(&x.kids);
            more
        }
        (Node::Packed(block, from, to), Node::Packed(_, _, end)) => {
            *to = *end;
            left.sum = Sum::of_window(block, *from, *to);
            None
        }
        (x, y) => {
            let rows: Vec<RowRef<'_>> = rows_of(x).chain(rows_of(y)).collect();
            let open = Open::of(&rows);
            *left = Kid::open(left.least.clone(), open);
            None
        }
    }
}

fn rows_of(leaf: &Node) -> impl Iterator<Item = RowRef<'_>> {
    (0..leaf.leaf_len()).map(|row| leaf.leaf_row(row))
}

fn join_inner(index: Index, left: &mut Arc<Inner>, right: Kid) -> Option<Kid> {
    let Node::Inner(inner) = right.node else {
        unreachable!("invariant: siblings lie at one depth");
    };
    let kids = &mut Arc::make_mut(left).kids;
    let seam = kids.len();
    kids.extend(Arc::unwrap_or_clone(inner).kids);
    // The first child of the right node had a separator that nobody read.
    kids[seam].least = right.least;
    settle(index, kids, seam - 1..seam + 1);
    let total = kids.len();
    (total > FAN_OUT).then(|| Kid::inner(kids.split_off(total / 2)))
}

/// Leaves at most `FAN_OUT` children; the others come back under siblings.
pub(super) fn divide(index: Index, kids: &mut Vec<Kid>, appended: bool, edits: usize) -> Vec<Kid> {
    if kids.len() > FAN_OUT || edits >= MANY_EDITS {
        repack(index, kids);
    }
    let total = kids.len();
    if total <= FAN_OUT {
        return Vec::new();
    }
    if appended && total == FAN_OUT + 1 {
        return vec![Kid::inner(kids.split_off(FAN_OUT - 1))];
    }
    let nodes = total.div_ceil(FAN_OUT);
    let rest = kids.split_off(total / nodes);
    Kid::group(rest)
}

/// Packs open leaves: the longest stretch of them, or all leaves where most rows are open.
///
/// The last leaf stays open: appends go on there.
fn repack(index: Index, kids: &mut Vec<Kid>) {
    let last = kids.len() - 1;
    let is_open = |kid: &Kid| matches!(kid.node, Node::Open(_));
    let is_leaf = |kid: &Kid| matches!(kid.node, Node::Open(_) | Node::Packed(..));
    if !kids.iter().all(is_leaf) {
        return;
    }
    let rows = |kids: &[Kid]| kids.iter().map(|kid| kid.sum.count).sum::<u64>();
    let mut longest = 0..0;
    let mut at = 0;
    for stretch in kids[..last].chunk_by(|x, y| is_open(x) && is_open(y)) {
        if is_open(&stretch[0]) && stretch.len() > longest.len() {
            longest = at..at + stretch.len();
        }
        at += stretch.len();
    }
    let open_rows: u64 = kids[..last]
        .iter()
        .filter(|kid| is_open(kid))
        .map(|kid| kid.sum.count)
        .sum();
    let chosen = if rows(&kids[longest.clone()]) >= REPACK_MIN {
        longest
    } else if open_rows >= REPACK_MIN && 2 * open_rows >= rows(&kids[..last]) {
        0..last
    } else {
        return;
    };
    let all: Vec<RowRef<'_>> = kids[chosen.clone()]
        .iter()
        .flat_map(|kid| rows_of(&kid.node))
        .collect();
    let first: Separator = kids[chosen.start].least.clone();
    let mut pieces = Pieces::new(index, &first);
    pieces.packed(&all);
    let packed = pieces.kids;
    kids.splice(chosen, packed);
}
