//! Applying a batch of edits: one descent, the sorted batch divided among the children.
//!
//! 1. `normalise`: every edit becomes the change of one whole row (a removal without t looks its
//!    row up), sorted, no row twice. Edits of one e, a, v count in the order given.
//! 2. `prefetch`: whatever must be loaded is loaded, so that a read that fails changes nothing.
//! 3. `Edit::node`: down the tree. A node that another version shares is copied, else changed in
//!    place. Whatever does not fit comes back as siblings to the right.
//!
//! How a packed leaf is carved is in `leaf.rs`; how children are merged and split, in `balance.rs`.

use std::sync::Arc;

use datomite_model::Index;

use super::balance::{divide, settle};
use super::leaf::{Change, Op, PACK_MIN, Pieces, carve, merge_open};
use super::node::{Inner, Kid, Node, OPEN_MAX, Open, Separator, Sum};
use super::order::{HOLDS, Key};
use super::slot::Slot;
use super::sort::{compare_facts, permutation};
use super::source::{Source, resolve};
use super::{DatomSet, Edit, Fact, KeyRange, Window};
use crate::StorageError;

/// From this many edits on, an open leaf is merged with them rather than edited row by row.
const MERGE_MIN: usize = 32;

impl Edit {
    fn fact(&self) -> &Fact {
        match self {
            Edit::Insert(fact) | Edit::Remove(fact) => fact,
        }
    }
}

/// The edits as changes of whole rows, ascending.
///
/// `found` holds the rows that removals without t name; it outlives the changes that borrow it.
pub(super) fn normalise<'a>(
    set: &DatomSet,
    edits: &'a [Edit],
) -> Result<Vec<Op<'a>>, StorageError> {
    let fact = |n: usize| edits[n].fact();
    let sorted = permutation(set.index, edits.len(), fact, |_, _| {
        std::cmp::Ordering::Equal
    });
    let mut ops = Vec::with_capacity(edits.len());
    let mut rest = &sorted[..];
    while let Some(first) = rest.first() {
        let first = fact(*first as usize);
        let same = |n: &&u32| compare_facts(set.index, first, fact(**n as usize)).is_eq();
        let (group, later) = rest.split_at(1 + rest[1..].iter().take_while(same).count());
        rest = later;
        match group {
            [one] => ops.extend(single(set, &edits[*one as usize])?),
            group => several(set, group.iter().map(|n| &edits[*n as usize]), &mut ops)?,
        }
    }
    Ok(ops)
}

fn single<'a>(set: &DatomSet, edit: &'a Edit) -> Result<Option<Op<'a>>, StorageError> {
    let mut key = Key::exact(edit.fact());
    let change = match edit {
        Edit::Insert(_) => Change::Insert,
        Edit::Remove(fact) => {
            if fact.out.is_none() {
                match set.find(fact.e, fact.a, &fact.v)? {
                    Some(t) => key.row.t = t.raw(),
                    None => return Ok(None),
                }
            }
            Change::Remove
        }
    };
    Ok(Some(Op { key, change }))
}

/// Several edits of one e, a, v: played on the rows that are there, then compared with them.
fn several<'a>(
    set: &DatomSet,
    edits: impl Iterator<Item = &'a Edit> + Clone,
    ops: &mut Vec<Op<'a>>,
) -> Result<(), StorageError> {
    let Some(first) = edits.clone().next().map(Edit::fact) else {
        return Ok(());
    };
    let before = rows_of(set, first)?;
    // By descending t, as the tree has them.
    let mut after = before.clone();
    for edit in edits {
        let (t, out) = (edit.fact().t.raw(), edit.fact().out);
        let at = after.partition_point(|row| row.0 > t);
        let present = after.get(at).is_some_and(|row| row.0 == t);
        match edit {
            Edit::Insert(_) if !present => {
                after.insert(at, (t, out.map_or(HOLDS, |t| t.raw())));
            }
            Edit::Remove(_) if out.is_none() && !after.is_empty() => {
                after.remove(0);
            }
            Edit::Remove(_) if out.is_some() && present => {
                after.remove(at);
            }
            _ => {}
        }
    }
    let mut changes: Vec<(u64, u64, Change)> = Vec::new();
    for (t, out) in &before {
        match after.iter().find(|row| row.0 == *t) {
            None => changes.push((*t, *out, Change::Remove)),
            Some((_, new)) if new != out => changes.push((*t, *new, Change::Replace)),
            Some(_) => {}
        }
    }
    let new = |row: &&(u64, u64)| before.iter().all(|old| old.0 != row.0);
    let new = after.iter().filter(new);
    changes.extend(new.map(|(t, out)| (*t, *out, Change::Insert)));
    changes.sort_by_key(|change| std::cmp::Reverse(change.0));
    for (t, out, change) in changes {
        let mut key = Key::exact(first);
        key.row.t = t;
        key.row.out = out;
        ops.push(Op { key, change });
    }
    Ok(())
}

/// The t and out of the rows with the components of a fact.
fn rows_of(set: &DatomSet, fact: &Fact) -> Result<Vec<(u64, u64)>, StorageError> {
    let range = KeyRange::prefix(Some(fact.e), Some(fact.a), Some(fact.v.clone()));
    let mut runs = set.runs(&range, Window::default());
    let mut rows = Vec::new();
    while let Some(run) = runs.next()? {
        let out = |row| run.out(row).map_or(HOLDS, |t| t.raw());
        rows.extend((0..run.len()).map(|row| (run.t(row).raw(), out(row))));
    }
    Ok(rows)
}

/// Loads every node that the changes will touch.
pub(super) fn prefetch(
    index: Index,
    source: &Source,
    node: &Node,
    ops: &[Op<'_>],
) -> Result<(), StorageError> {
    let Node::Inner(inner) = resolve(source, node)? else {
        return Ok(());
    };
    let mut rest = ops;
    let mut at = 0;
    while let Some(first) = rest.first() {
        at = inner.child_from(index, at, &first.key);
        let (mine, later) = rest.split_at(share(index, inner, at, rest));
        rest = later;
        prefetch(index, source, &inner.kids[at].node, mine)?;
    }
    Ok(())
}

/// How many of the first changes lie in child `at`.
fn share(index: Index, inner: &Inner, at: usize, ops: &[Op<'_>]) -> usize {
    match inner.kids.get(at + 1) {
        None => ops.len(),
        Some(next) => {
            let view = next.least.view();
            ops.partition_point(|op| op.key.compare(index, view).is_gt())
        }
    }
}

/// Changes a node and its summary; returns the siblings that now stand to its right.
pub(super) fn edit_node(index: Index, kid: &mut Kid, ops: &[Op<'_>]) -> Vec<Kid> {
    if let Node::Stored(lazy) = &kid.node {
        let loaded = lazy.loaded().expect("invariant: prefetch loaded the node");
        kid.node = loaded.clone();
    }
    match &mut kid.node {
        Node::Open(open) if ops.len() >= MERGE_MIN => {
            let rows = merge_open(index, open, ops);
            let mut pieces = Pieces::new(index, &kid.least);
            pieces.rows(&rows);
            let kids = pieces.kids;
            replace(kid, kids)
        }
        Node::Open(open) => edit_open(index, open, &mut kid.sum, ops),
        Node::Packed(block, from, to) => {
            let window = *from as usize..*to as usize;
            match carve(index, block, window, &kid.least, ops) {
                Some(kids) => replace(kid, kids),
                None => Vec::new(),
            }
        }
        Node::Inner(inner) => edit_inner(index, inner, &mut kid.sum, ops),
        Node::Stored(_) => unreachable!("invariant: a stored node holds a node in memory"),
    }
}

/// The first of the new children takes the place of the old one.
fn replace(kid: &mut Kid, kids: Vec<Kid>) -> Vec<Kid> {
    let mut kids = kids.into_iter();
    match kids.next() {
        Some(first) => *kid = first,
        None => {
            kid.node = Node::empty();
            kid.sum = Sum::EMPTY;
        }
    }
    kids.collect()
}

fn edit_open(index: Index, open: &mut Arc<Open>, sum: &mut Sum, ops: &[Op<'_>]) -> Vec<Kid> {
    let mut last = 0;
    let open = Arc::make_mut(open);
    for op in ops {
        let (at, present) = open.find(index, &op.key);
        last = at;
        match op.change {
            Change::Insert if !present => {
                let mut row = op.key.row;
                if row.v.is_big() {
                    row.v = row.v.at_index(open.side.len() as u32);
                    open.side.extend(op.key.value.cloned());
                }
                sum.add(&Sum::of_row(&row));
                open.rows.insert(at, row);
            }
            Change::Remove if present => {
                open.rows.remove(at);
                sum.count -= 1;
            }
            Change::Replace if present => {
                open.rows[at].out = op.key.row.out;
                sum.out_max = sum.out_max.max(op.key.row.out);
            }
            _ => {}
        }
    }
    open.compact_side();
    if open.rows.len() <= OPEN_MAX {
        return Vec::new();
    }
    // An append leaves the left leaf full: what follows goes to the right one.
    let appended = last + 1 == open.rows.len();
    let at = if appended {
        OPEN_MAX
    } else {
        open.rows.len() / 2
    };
    let right = open.split_off(at);
    *sum = Sum::of_open(open);
    let left = open.row(open.rows.len() - 1);
    vec![Kid::open(
        Separator::between(index, Some(left), right.row(0)),
        right,
    )]
}

fn edit_inner(index: Index, inner: &mut Arc<Inner>, sum: &mut Sum, ops: &[Op<'_>]) -> Vec<Kid> {
    let inner = Arc::make_mut(inner);
    let mut rest = ops;
    let mut at = 0;
    let mut touched: Option<usize> = None;
    while let Some(first) = rest.first() {
        at = inner.child_from(index, at, &first.key);
        touched.get_or_insert(at);
        let (mine, later) = rest.split_at(share(index, inner, at, rest));
        rest = later;
        let more = edit_node(index, &mut inner.kids[at], mine);
        let added = more.len();
        if added > 0 {
            inner.kids.splice(at + 1..at + 1, more);
            at += added;
        }
    }
    let appended = at + 1 == inner.kids.len();
    let touched = touched.unwrap_or(at)..at + 1;
    settle(index, &mut inner.kids, touched);
    let more = divide(index, &mut inner.kids, appended, ops.len());
    *sum = Sum::of_kids(&inner.kids);
    more
}

/// A tree of these rows, which must ascend.
pub(super) fn plant(index: Index, rows: &[super::order::RowRef<'_>]) -> Kid {
    let first = Separator::none();
    let mut pieces = Pieces::new(index, &first);
    if rows.len() < PACK_MIN {
        pieces.rows(rows);
    } else {
        pieces.packed(rows);
    }
    match pieces.kids.is_empty() {
        true => Kid::open(first, Open::default()),
        false => Kid::grow(pieces.kids),
    }
}

impl Separator {
    /// For first children and roots, whose separator is never read.
    pub(super) fn none() -> Separator {
        Separator::of_row(super::order::Row {
            e: 0,
            a: 0,
            v: Slot::ZERO,
            t: 0,
            out: 0,
        })
    }
}
