//! The packed block: up to 1024 rows by column, immutable, in memory as it will lie on disk.
//!
//! Values stand by attribute: a block of one attribute has one column; a block of several has a
//! column for each, a code a row that names it, and the row's place in it. So the frame of
//! reference and the dictionary are those of one attribute even in EAVT. VAET holds references
//! only, sorted by value, and always has one column.
//!
//! Leaves see a block through a window of rows; nothing here knows of trees.

use std::cmp::Ordering;
use std::ops::Range;

use datomite_model::{Component, Index, Value, ValueRef};

use super::Side;
use super::column::Column;
use super::ints::{Ints, gallop, partition};
use super::order::{HOLDS, Key, RowRef};
use super::slot::plain_ref;

/// Rows in a block: more gains nothing on disk, less costs bytes.
pub(super) const BLOCK_ROWS: usize = 1024;

pub(super) struct Block {
    rows: usize,
    pub(super) e: Ints,
    pub(super) t: Ints,
    /// `HOLDS` in every row of a current tree.
    pub(super) out: Ints,
    body: Body,
    /// Whether entity ids are first, first + 1, and so on.
    pub(super) consecutive: bool,
}

enum Body {
    One {
        a: Ints,
        column: Column,
    },
    Split {
        /// Which of `ids` and `columns`, by row; codes order as the ids do.
        codes: Ints,
        ids: Box<[u64]>,
        /// The place of each row in its column.
        places: Ints,
        columns: Box<[Column]>,
    },
}

impl Block {
    /// Packs rows, which must ascend in the order of the index.
    pub(super) fn pack(index: Index, rows: &[RowRef<'_>]) -> Block {
        let mut scratch = Vec::with_capacity(rows.len());
        let mut ints = |of: fn(&RowRef<'_>) -> u64| {
            scratch.clear();
            scratch.extend(rows.iter().map(of));
            Ints::pack(&scratch)
        };
        let (e, t, out) = (ints(|row| row.e), ints(|row| row.t), ints(|row| row.out));
        let a = ints(|row| row.a);
        let body = if a.is_constant() || index == Index::Vaet {
            let values: Vec<ValueRef<'_>> = rows.iter().map(|row| plain_ref(row.v)).collect();
            let column = Column::pack(&values, &mut scratch);
            Body::One { a, column }
        } else {
            Body::split(rows, &mut scratch)
        };
        let consecutive = rows.iter().zip(e.min()..).all(|(row, id)| row.e == id);
        Block {
            rows: rows.len(),
            e,
            t,
            out,
            body,
            consecutive,
        }
    }

    pub(super) fn a(&self, row: usize) -> u64 {
        match &self.body {
            Body::One { a, .. } => a.get(row),
            Body::Split { codes, ids, .. } => ids[codes.get(row) as usize],
        }
    }

    pub(super) fn read_a(&self, rows: Range<usize>, into: &mut Vec<u64>) {
        match &self.body {
            Body::One { a, .. } => a.read(rows, into),
            Body::Split { codes, ids, .. } => {
                let from = into.len();
                codes.read(rows, into);
                for a in &mut into[from..] {
                    *a = ids[*a as usize];
                }
            }
        }
    }

    #[inline]
    pub(super) fn v(&self, row: usize) -> ValueRef<'_> {
        let (column, place) = self.place(row);
        column.get(place)
    }

    /// The column of a row's value, and where in it.
    #[inline]
    pub(super) fn place(&self, row: usize) -> (&Column, usize) {
        match &self.body {
            Body::One { column, .. } => (column, row),
            Body::Split {
                codes,
                places,
                columns,
                ..
            } => (&columns[codes.get(row) as usize], places.get(row) as usize),
        }
    }

    /// The column of all these rows and the place of the first, where one column holds them one
    /// after the other: where they are of one attribute.
    pub(super) fn one_column(&self, index: Index, rows: &Range<usize>) -> Option<(&Column, usize)> {
        if let Body::Split { codes, .. } = &self.body {
            let last = rows.end - 1;
            let same_attribute = codes.get(rows.start) == codes.get(last);
            let contiguous = index != Index::Eavt || self.e.get(rows.start) == self.e.get(last);
            if !(same_attribute && contiguous) {
                return None;
            }
        }
        Some(self.place(rows.start))
    }

    pub(super) fn row(&self, row: usize) -> RowRef<'_> {
        RowRef {
            e: self.e.get(row),
            a: self.a(row),
            v: self.v(row),
            t: self.t.get(row),
            out: self.out.get(row),
        }
    }

    /// The first row of a window that is not before the key.
    pub(super) fn position(&self, index: Index, window: Range<usize>, key: &Key<'_>) -> usize {
        self.search(index, window, key).0
    }

    /// The same, and whether the row there equals the key, which must be a whole row.
    pub(super) fn find(&self, index: Index, window: Range<usize>, key: &Key<'_>) -> (usize, bool) {
        self.search(index, window, key)
    }

    /// Whether a row, which must be one of the block, has the components of the key.
    pub(super) fn matches(&self, row: usize, key: &Key<'_>) -> bool {
        if row >= self.rows || self.e.get(row) != key.row.e || self.a(row) != key.row.a {
            return false;
        }
        let (column, place) = self.place(row);
        let rows = place..place + 1;
        column.bound(rows.clone(), key, Side::Before) == place
            && column.bound(rows, key, Side::After) == place + 1
    }

    /// The position of a key; the flag is whether the whole row is there.
    fn search(&self, index: Index, window: Range<usize>, key: &Key<'_>) -> (usize, bool) {
        let mut rows = window;
        let components = index.components();
        for (nth, component) in components[..key.depth.min(3)].iter().enumerate() {
            if rows.is_empty() {
                return (rows.start, false);
            }
            if nth + 1 == key.depth {
                return (self.bound(*component, rows, key, key.at), false);
            }
            let from = self.bound(*component, rows.clone(), key, Side::Before);
            let to = self.bound(*component, from..rows.end, key, Side::After);
            rows = from..to;
        }
        if key.depth == 0 {
            let at = if key.at == Side::Before {
                rows.start
            } else {
                rows.end
            };
            return (at, false);
        }
        let end = rows.end;
        let at = partition(rows, |row| self.t.get(row) > key.row.t);
        (at, at < end && self.t.get(at) == key.row.t)
    }

    /// The first of these rows, which ascend by this component, that is at least (`Before`) or
    /// over (`After`) the key.
    fn bound(&self, component: Component, rows: Range<usize>, key: &Key<'_>, side: Side) -> usize {
        match component {
            Component::Entity => bound(&self.e, rows, key.row.e, side),
            Component::Attribute => match &self.body {
                Body::One { a, .. } => bound(a, rows, key.row.a, side),
                Body::Split { codes, ids, .. } => match ids.binary_search(&key.row.a) {
                    Ok(code) => bound(codes, rows, code as u64, side),
                    Err(code) => codes.lower_bound(rows, code as u64),
                },
            },
            Component::Value => {
                if rows.is_empty() {
                    return rows.start;
                }
                let (column, place) = self.place(rows.start);
                column.bound(place..place + rows.len(), key, side) - place + rows.start
            }
        }
    }

    /// Bytes held, values kept whole not included.
    pub(super) fn bytes(&self) -> usize {
        let ints = self.e.heap_bytes() + self.t.heap_bytes() + self.out.heap_bytes();
        let body = match &self.body {
            Body::One { a, column } => a.heap_bytes() + column.heap_bytes(),
            Body::Split {
                codes,
                ids,
                places,
                columns,
            } => {
                codes.heap_bytes()
                    + places.heap_bytes()
                    + size_of_val(&**ids)
                    + size_of_val(&**columns)
                    + columns.iter().map(Column::heap_bytes).sum::<usize>()
            }
        };
        size_of::<Block>() + ints + body
    }

    /// The values that are kept whole, shared with other indexes.
    pub(super) fn whole_values(&self) -> impl Iterator<Item = &Value> {
        let columns = match &self.body {
            Body::One { column, .. } => std::slice::from_ref(column),
            Body::Split { columns, .. } => columns,
        };
        columns.iter().flat_map(Column::whole_values)
    }

    /// Whether every fact of the block still holds.
    pub(super) fn all_hold(&self) -> bool {
        self.out.min() == HOLDS
    }
}

impl Body {
    fn split(rows: &[RowRef<'_>], scratch: &mut Vec<u64>) -> Body {
        let mut ids: Vec<u64> = Vec::new();
        let mut codes = Vec::with_capacity(rows.len());
        code_attributes(rows, &mut ids, &mut codes);
        // Where the values of each attribute begin, when they are put side by side.
        let mut starts = vec![0; ids.len() + 1];
        for code in &codes {
            starts[*code as usize + 1] += 1;
        }
        for code in 0..ids.len() {
            starts[code + 1] += starts[code];
        }
        let mut next = starts.clone();
        let mut values = vec![ValueRef::Boolean(false); rows.len()];
        let mut places = Vec::with_capacity(rows.len());
        for (row, code) in rows.iter().zip(&codes) {
            let code = *code as usize;
            values[next[code]] = plain_ref(row.v);
            places.push((next[code] - starts[code]) as u64);
            next[code] += 1;
        }
        let columns = starts.windows(2).map(|ends| &values[ends[0]..ends[1]]);
        Body::Split {
            codes: Ints::pack(&codes),
            ids: ids.into_boxed_slice(),
            places: Ints::pack(&places),
            columns: columns.map(|v| Column::pack(v, scratch)).collect(),
        }
    }
}

/// The distinct attributes, ascending, and the place of each row's attribute among them.
fn code_attributes(rows: &[RowRef<'_>], ids: &mut Vec<u64>, codes: &mut Vec<u64>) {
    ids.extend(rows.iter().map(|row| row.a));
    ids.dedup();
    ids.sort_unstable();
    ids.dedup();
    let mut code = 0;
    for row in rows {
        // Rows of one entity come by ascending attribute: mostly the same one or the next.
        if ids[code] != row.a {
            code = match ids.get(code + 1) {
                Some(next) if *next == row.a => code + 1,
                _ => ids.partition_point(|id| *id < row.a),
            };
        }
        codes.push(code as u64);
    }
}

fn bound(ints: &Ints, rows: Range<usize>, x: u64, side: Side) -> usize {
    match side {
        Side::Before => ints.lower_bound(rows, x),
        Side::After => ints.upper_bound(rows, x),
    }
}

/// The first of these rows, from the start on, that is over `x` in an ascending column.
pub(super) fn gallop_to(ints: &Ints, rows: Range<usize>, x: u64) -> usize {
    gallop(rows, |row| ints.get(row).cmp(&x) == Ordering::Less)
}
