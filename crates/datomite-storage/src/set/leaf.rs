//! Rewriting leaves: where edits land among packed rows, what becomes open and what is packed.
//!
//! A few edits in a packed window open the rows around them and leave windows on both sides; many
//! edits in one place make packed leaves of their own; edits scattered all over a window rebuild
//! it. An edit at the end of a window opens nothing: appends reuse every block that is there.

use std::ops::Range;
use std::sync::Arc;

use datomite_model::Index;

use super::block::{BLOCK_ROWS, Block};
use super::node::{Kid, OPEN_MAX, Open, Separator};
use super::order::{Key, RowRef};

/// Rows opened on each side of an edit.
const AROUND: usize = 24;
/// A window shorter than this is opened with its neighbour rather than left.
const WINDOW_MIN: usize = 16;
/// From this many rows on, a rewritten stretch is packed rather than left open.
pub(super) const PACK_MIN: usize = 256;
/// Edits in this many places rebuild a packed leaf as a whole; in a quarter as many, if they would
/// open most of it.
const SCATTERED: usize = 12;

/// A change of one row. The keys of a batch ascend and differ.
pub(super) struct Op<'a> {
    pub(super) key: Key<'a>,
    pub(super) change: Change,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Insert,
    Remove,
    /// The row stays but for its `out`.
    Replace,
}

/// An edit that changes something, and where in the block.
struct Landing<'o, 'a> {
    at: usize,
    op: &'o Op<'a>,
}

/// Rows that are opened, and the edits among them.
struct Region {
    rows: Range<usize>,
    landings: Range<usize>,
}

/// A packed window after these edits, as children; `None` where they change nothing.
pub(super) fn carve(
    index: Index,
    block: &Arc<Block>,
    window: Range<usize>,
    least: &Separator,
    ops: &[Op<'_>],
) -> Option<Vec<Kid>> {
    let landings = land(index, block, &window, ops);
    if landings.is_empty() {
        return None;
    }
    let regions = regions(&window, &landings);
    let mut pieces = Pieces::new(index, least);
    let mut from = window.start;
    for region in regions {
        pieces.window(block, from..region.rows.start);
        from = region.rows.end;
        pieces.rows(&merge(block, region.rows, &landings[region.landings]));
    }
    pieces.window(block, from..window.end);
    Some(pieces.kids)
}

fn land<'o, 'a>(
    index: Index,
    block: &Block,
    window: &Range<usize>,
    ops: &'o [Op<'a>],
) -> Vec<Landing<'o, 'a>> {
    let mut landings = Vec::with_capacity(ops.len());
    let mut from = window.start;
    for op in ops {
        let (at, present) = block.find(index, from..window.end, &op.key);
        if present == (op.change != Change::Insert) {
            landings.push(Landing { at, op });
        }
        from = at;
    }
    landings
}

/// Groups edits that lie close together, and says what is opened around each group.
fn regions(window: &Range<usize>, landings: &[Landing<'_, '_>]) -> Vec<Region> {
    let mut regions: Vec<Region> = Vec::new();
    for (n, landing) in landings.iter().enumerate() {
        let next = n..n + 1;
        match regions.last_mut() {
            Some(last) if landing.at <= last.rows.end + AROUND + WINDOW_MIN => {
                let touched = landing.at + usize::from(landing.op.change != Change::Insert);
                last.rows.end = last.rows.end.max(touched);
                last.landings.end = next.end;
            }
            _ => regions.push(Region {
                rows: landing.at..landing.at + usize::from(landing.op.change != Change::Insert),
                landings: next,
            }),
        }
    }
    let scattered = regions.len();
    widen(window, &mut regions);
    let regions = join(regions);
    let opened: usize = regions.iter().map(|region| region.rows.len()).sum();
    let mostly = scattered * 4 >= SCATTERED && opened * 2 > window.len();
    if scattered >= SCATTERED || (mostly && window.len() >= PACK_MIN) {
        return vec![Region {
            rows: window.clone(),
            landings: 0..landings.len(),
        }];
    }
    regions
}

/// Opens rows around small groups, and short remainders with them.
fn widen(window: &Range<usize>, regions: &mut [Region]) {
    for region in regions {
        let rows = &mut region.rows;
        let appends = rows.start == window.end;
        if !appends && region.landings.len() < PACK_MIN {
            rows.start = rows.start.saturating_sub(AROUND).max(window.start);
            rows.end = (rows.end + AROUND).min(window.end);
        }
        if rows.start - window.start < WINDOW_MIN {
            rows.start = window.start;
        }
        if window.end - rows.end < WINDOW_MIN {
            rows.end = window.end;
        }
    }
}

fn join(regions: Vec<Region>) -> Vec<Region> {
    let mut joined: Vec<Region> = Vec::with_capacity(regions.len());
    for region in regions {
        match joined.last_mut() {
            Some(last) if region.rows.start < last.rows.end + WINDOW_MIN => {
                last.rows.end = last.rows.end.max(region.rows.end);
                last.landings.end = region.landings.end;
            }
            _ => joined.push(region),
        }
    }
    joined
}

fn merge<'a>(
    block: &'a Block,
    rows: Range<usize>,
    landings: &[Landing<'_, 'a>],
) -> Vec<RowRef<'a>> {
    let mut merged = Vec::with_capacity(rows.len() + landings.len());
    let mut at = rows.start;
    for landing in landings {
        merged.extend((at..landing.at).map(|row| block.row(row)));
        at = landing.at;
        match landing.op.change {
            Change::Insert => merged.push(landing.op.key.as_row_ref()),
            Change::Remove => at += 1,
            Change::Replace => {
                merged.push(landing.op.key.as_row_ref());
                at += 1;
            }
        }
    }
    merged.extend((at..rows.end).map(|row| block.row(row)));
    merged
}

/// Rows of an open leaf with edits among them; absent removals and present inserts change nothing.
pub(super) fn merge_open<'a>(index: Index, open: &'a Open, ops: &[Op<'a>]) -> Vec<RowRef<'a>> {
    let mut merged = Vec::with_capacity(open.rows.len() + ops.len());
    let mut at = 0;
    for op in ops {
        let (to, present) = open.find(index, &op.key);
        merged.extend((at..to).map(|row| open.row(row)));
        at = to;
        match op.change {
            Change::Insert if !present => merged.push(op.key.as_row_ref()),
            Change::Remove if present => at += 1,
            Change::Replace if present => {
                merged.push(op.key.as_row_ref());
                at += 1;
            }
            _ => {}
        }
    }
    merged.extend((at..open.rows.len()).map(|row| open.row(row)));
    merged
}

/// Children made one after the other, with separators between them.
pub(super) struct Pieces<'s> {
    index: Index,
    first: &'s Separator,
    pub(super) kids: Vec<Kid>,
}

impl<'s> Pieces<'s> {
    /// The first child takes the separator of the leaf that the pieces replace.
    pub(super) fn new(index: Index, first: &'s Separator) -> Pieces<'s> {
        Pieces {
            index,
            first,
            kids: Vec::new(),
        }
    }

    fn separator(&self, right: RowRef<'_>) -> Separator {
        let Some(left) = self.kids.last() else {
            return self.first.clone();
        };
        let last = left.node.leaf_row(left.node.leaf_len() - 1);
        Separator::between(self.index, Some(last), right)
    }

    pub(super) fn window(&mut self, block: &Arc<Block>, rows: Range<usize>) {
        if !rows.is_empty() {
            let least = self.separator(block.row(rows.start));
            self.kids.push(Kid::window(least, Arc::clone(block), rows));
        }
    }

    /// Rows as open or packed leaves, as their number suggests.
    pub(super) fn rows(&mut self, rows: &[RowRef<'_>]) {
        if rows.len() >= PACK_MIN {
            return self.packed(rows);
        }
        let leaves = rows.len().div_ceil(OPEN_MAX);
        for leaf in 0..leaves {
            let part = rows.len() * leaf / leaves..rows.len() * (leaf + 1) / leaves;
            let least = self.separator(rows[part.start]);
            self.kids.push(Kid::open(least, Open::of(&rows[part])));
        }
    }

    /// Rows as packed leaves: full ones, and the last two alike.
    pub(super) fn packed(&mut self, mut rows: &[RowRef<'_>]) {
        while !rows.is_empty() {
            let take = match rows.len() {
                n if n <= BLOCK_ROWS => n,
                n if n < BLOCK_ROWS * 3 / 2 => n / 2,
                _ => BLOCK_ROWS,
            };
            let (now, later) = rows.split_at(take);
            let least = self.separator(now[0]);
            let block = Arc::new(Block::pack(self.index, now));
            self.kids.push(Kid::window(least, block, 0..take));
            rows = later;
        }
    }
}
