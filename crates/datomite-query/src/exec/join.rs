//! Joins of two relations: matching rows by key, and the tables that fixpoints grow.
//!
//! One key column of integers is matched by value (by merge where both sides ascend); any other key
//! by a hash of the row, verified cell by cell.

use rustc_hash::FxHashMap;

use crate::ast::Var;
use crate::relation::{Col, Kind, Relation};

/// Marks the end of a chain.
const NONE: u32 = u32::MAX;

/// Pairs of matching rows.
#[derive(Default)]
pub(crate) struct Pairs {
    pub(crate) left: Vec<u32>,
    pub(crate) right: Vec<u32>,
}

/// The rows of two sides whose key columns agree. The order of the left side is kept.
pub(crate) fn pairs(left: &[&Col], left_len: usize, right: &[&Col], right_len: usize) -> Pairs {
    if let ([a], [b]) = (left, right)
        && let (Some(a), Some(b)) = (ids_of(a, left_len), ids_of(b, right_len))
    {
        if a.is_sorted() && b.is_sorted() {
            return merge_pairs(&a, &b);
        }
        return word_pairs(&a, &b);
    }
    hash_pairs(left, left_len, right, right_len)
}

fn ids_of(col: &Col, len: usize) -> Option<Vec<u64>> {
    match col {
        Col::Const(_) | Col::Word(Kind::Ref | Kind::Long, _) => col.ids(len),
        _ => None,
    }
}

fn merge_pairs(a: &[u64], b: &[u64]) -> Pairs {
    let mut pairs = Pairs::default();
    let mut from = 0;
    for (i, key) in a.iter().enumerate() {
        from = gallop(b, from, *key);
        let mut at = from;
        while at < b.len() && b[at] == *key {
            pairs.left.push(i as u32);
            pairs.right.push(at as u32);
            at += 1;
        }
    }
    pairs
}

/// The first position from `from` on that is not below `key`.
pub(crate) fn gallop(sorted: &[u64], from: usize, key: u64) -> usize {
    if from >= sorted.len() || sorted[from] >= key {
        return from;
    }
    let mut step = 1;
    let mut low = from;
    while low + step < sorted.len() && sorted[low + step] < key {
        low += step;
        step *= 2;
    }
    let high = (low + step).min(sorted.len());
    low + sorted[low..high].partition_point(|x| *x < key)
}

fn word_pairs(a: &[u64], b: &[u64]) -> Pairs {
    let mut heads: FxHashMap<u64, u32> = FxHashMap::default();
    heads.reserve(b.len().min(1 << 20));
    let mut next = vec![NONE; b.len()];
    for (row, key) in b.iter().enumerate().rev() {
        if let Some(head) = heads.insert(*key, row as u32) {
            next[row] = head;
        }
    }
    let mut pairs = Pairs::default();
    for (row, key) in a.iter().enumerate() {
        let mut at = heads.get(key).copied().unwrap_or(NONE);
        while at != NONE {
            pairs.left.push(row as u32);
            pairs.right.push(at);
            at = next[at as usize];
        }
    }
    pairs
}

fn hash_pairs(left: &[&Col], left_len: usize, right: &[&Col], right_len: usize) -> Pairs {
    let mut heads: FxHashMap<u64, u32> = FxHashMap::default();
    let mut next = vec![NONE; right_len];
    for row in (0..right_len).rev() {
        if let Some(head) = heads.insert(Relation::hash_cols(right, row), row as u32) {
            next[row] = head;
        }
    }
    let mut pairs = Pairs::default();
    for row in 0..left_len {
        let hash = Relation::hash_cols(left, row);
        let mut at = heads.get(&hash).copied().unwrap_or(NONE);
        while at != NONE {
            let mut cols = left.iter().zip(right);
            if cols.all(|(a, b)| a.eq_rows(row, b, at as usize)) {
                pairs.left.push(row as u32);
                pairs.right.push(at);
            }
            at = next[at as usize];
        }
    }
    pairs
}

/// The natural join: rows that agree on all variables they share.
pub(crate) fn join(left: Relation, right: Relation) -> Relation {
    if left.vars.is_empty() {
        return times(left.len, right);
    }
    if right.vars.is_empty() {
        return times(right.len, left);
    }
    let shared: Vec<Var> = left
        .vars
        .iter()
        .copied()
        .filter(|v| right.has(*v))
        .collect();
    let pairs = if shared.is_empty() {
        product(left.len, right.len)
    } else {
        let cols = |relation: &Relation| relation.positions(&shared);
        let (a, b) = (cols(&left), cols(&right));
        let a: Vec<&Col> = a.iter().map(|at| &left.cols[*at]).collect();
        let b: Vec<&Col> = b.iter().map(|at| &right.cols[*at]).collect();
        pairs(&a, left.len, &b, right.len)
    };
    glue(&left, &right, &pairs)
}

fn times(len: usize, relation: Relation) -> Relation {
    match len {
        0 => Relation::empty(relation.vars),
        _ => relation,
    }
}

fn product(left: usize, right: usize) -> Pairs {
    let mut pairs = Pairs::default();
    for row in 0..left as u32 {
        pairs.left.extend(std::iter::repeat_n(row, right));
        pairs.right.extend(0..right as u32);
    }
    pairs
}

/// The paired rows, with the columns of the left and those that only the right has.
fn glue(left: &Relation, right: &Relation, pairs: &Pairs) -> Relation {
    let mut result = left.gather(&pairs.left, false);
    for (var, col) in right.vars.iter().zip(&right.cols) {
        if !left.has(*var) {
            result.push(*var, col.gather(&pairs.right));
        }
    }
    result.key = match (&left.key, &right.key) {
        (Some(a), Some(b)) => {
            let mut key = a.clone();
            b.iter().for_each(|v| crate::ast::push_new(&mut key, *v));
            Some(key)
        }
        _ => None,
    };
    for (a, b) in &right.dependencies {
        result.depends(*a, *b);
    }
    result
}

/// Keeps the rows of `left` that match (`keep`) or do not match any row of `right` on `vars`.
pub(crate) fn semi(left: Relation, right: &Relation, vars: &[Var], keep: bool) -> Relation {
    let a: Vec<&Col> = left
        .positions(vars)
        .iter()
        .map(|at| &left.cols[*at])
        .collect();
    let b: Vec<&Col> = right
        .positions(vars)
        .iter()
        .map(|at| &right.cols[*at])
        .collect();
    let pairs = pairs(&a, left.len, &b, right.len);
    let mut matched = vec![false; left.len];
    for row in &pairs.left {
        matched[*row as usize] = true;
    }
    left.filter(|row| matched[row] == keep)
}

/// A set of rows that only grows, with an index over some of its columns.
pub(crate) struct Table {
    pub(crate) rows: Relation,
    seen: RowIndex,
}

/// Rows by the hash of some columns.
pub(crate) struct RowIndex {
    cols: Vec<usize>,
    heads: FxHashMap<u64, u32>,
    next: Vec<u32>,
}

impl RowIndex {
    pub(crate) fn new(cols: Vec<usize>) -> RowIndex {
        RowIndex {
            cols,
            heads: FxHashMap::default(),
            next: Vec::new(),
        }
    }

    /// Takes in the rows that were appended.
    pub(crate) fn extend(&mut self, rows: &Relation) {
        for row in self.next.len()..rows.len {
            let hash = rows.hash_row(&self.cols, row);
            let before = self.heads.insert(hash, row as u32);
            self.next.push(before.unwrap_or(NONE));
        }
    }

    /// Calls `found` with each indexed row whose hash agrees.
    fn probe(&self, hash: u64, mut found: impl FnMut(u32)) {
        let mut at = self.heads.get(&hash).copied().unwrap_or(NONE);
        while at != NONE {
            found(at);
            at = self.next[at as usize];
        }
    }

    /// Pairs of rows of `left` (by `left_cols`) with indexed rows.
    pub(crate) fn pairs(&self, left: &Relation, left_cols: &[usize], rows: &Relation) -> Pairs {
        let mut pairs = Pairs::default();
        for row in 0..left.len {
            self.probe(left.hash_row(left_cols, row), |at| {
                let mut cols = left_cols.iter().zip(&self.cols);
                let same = |(a, b): (&usize, &usize)| {
                    left.cols[*a].eq_rows(row, &rows.cols[*b], at as usize)
                };
                if cols.all(same) {
                    pairs.left.push(row as u32);
                    pairs.right.push(at);
                }
            });
        }
        pairs
    }
}

impl Table {
    /// No rows over these variables.
    pub(crate) fn new(vars: Vec<Var>) -> Table {
        Table {
            seen: RowIndex::new((0..vars.len()).collect()),
            rows: Relation::empty(vars),
        }
    }

    /// Adds rows (distinct among themselves); returns those that were not there.
    pub(crate) fn add(&mut self, rows: Relation) -> Relation {
        let rows = rows.select(&self.rows.vars);
        let cols: Vec<usize> = (0..rows.cols.len()).collect();
        let mut fresh = Vec::new();
        for row in 0..rows.len {
            let mut known = false;
            self.seen.probe(rows.hash_row(&cols, row), |at| {
                known = known
                    || cols
                        .iter()
                        .all(|c| rows.cols[*c].eq_rows(row, &self.rows.cols[*c], at as usize));
            });
            if !known {
                fresh.push(row as u32);
            }
        }
        let fresh = rows.gather(&fresh, true);
        let all = std::mem::take(&mut self.rows);
        self.rows = all.append(fresh.clone());
        self.seen.extend(&self.rows);
        fresh
    }
}
