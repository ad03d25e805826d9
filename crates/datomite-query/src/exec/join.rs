//! Joins of two relations: matching rows by key, and the tables that fixpoints grow.
//!
//! One key column of integers is matched by value (by merge where both sides ascend); any other key
//! by a hash of the row, verified cell by cell.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::QueryError;
use crate::ast::Var;
use crate::meet::Meet;
use crate::options::Limits;
use crate::relation::{Col, Kind, Relation};

/// Marks the end of a chain.
const NONE: u32 = u32::MAX;

/// Pairs of matching rows.
#[derive(Default)]
pub(crate) struct Pairs {
    pub(crate) left: Vec<u32>,
    pub(crate) right: Vec<u32>,
}

/// Between two looks at the limits: pairs, a power of two.
const CHECK_PAIRS: usize = 1 << 12;

impl Pairs {
    fn push(&mut self, left: u32, right: u32, limits: &Limits) -> Result<(), QueryError> {
        if self.left.len().is_multiple_of(CHECK_PAIRS) {
            limits.rows(self.left.len())?;
            limits.bytes(2 * size_of::<u32>() as u64 * (self.left.len() + CHECK_PAIRS) as u64)?;
        }
        self.left.push(left);
        self.right.push(right);
        Ok(())
    }
}

/// The rows of two sides whose key columns agree. The order of the left side is kept.
pub(crate) fn pairs(
    left: &[&Col],
    left_len: usize,
    right: &[&Col],
    right_len: usize,
    how: Meet,
    limits: &Limits,
) -> Result<Pairs, QueryError> {
    if let ([a], [b]) = (left, right)
        && let (Some(a), Some(b)) = (ids_of(a, left_len), ids_of(b, right_len))
    {
        if a.is_sorted() && b.is_sorted() {
            return merge_pairs(&a, &b, limits);
        }
        return word_pairs(&a, &b, limits);
    }
    hash_pairs(left, left_len, right, right_len, how, limits)
}

fn ids_of(col: &Col, len: usize) -> Option<Vec<u64>> {
    match col {
        Col::Const(_) | Col::Word(Kind::Ref | Kind::Long, _) => col.ids(len),
        _ => None,
    }
}

fn merge_pairs(a: &[u64], b: &[u64], limits: &Limits) -> Result<Pairs, QueryError> {
    let mut pairs = Pairs::default();
    let mut from = 0;
    for (i, key) in a.iter().enumerate() {
        limits.tick()?;
        from = gallop(b, from, *key);
        let mut at = from;
        while at < b.len() && b[at] == *key {
            pairs.push(i as u32, at as u32, limits)?;
            at += 1;
        }
    }
    Ok(pairs)
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

fn word_pairs(a: &[u64], b: &[u64], limits: &Limits) -> Result<Pairs, QueryError> {
    let mut heads: FxHashMap<u64, u32> = FxHashMap::default();
    heads.reserve(b.len().min(1 << 20));
    let mut next = vec![NONE; b.len()];
    for (row, key) in b.iter().enumerate().rev() {
        limits.tick()?;
        if let Some(head) = heads.insert(*key, row as u32) {
            next[row] = head;
        }
    }
    let mut pairs = Pairs::default();
    for (row, key) in a.iter().enumerate() {
        limits.tick()?;
        let mut at = heads.get(key).copied().unwrap_or(NONE);
        while at != NONE {
            pairs.push(row as u32, at, limits)?;
            at = next[at as usize];
        }
    }
    Ok(pairs)
}

fn hash_pairs(
    left: &[&Col],
    left_len: usize,
    right: &[&Col],
    right_len: usize,
    how: Meet,
    limits: &Limits,
) -> Result<Pairs, QueryError> {
    let mut heads: FxHashMap<u64, u32> = FxHashMap::default();
    let mut next = vec![NONE; right_len];
    for row in (0..right_len).rev() {
        limits.tick()?;
        if let Some(head) = heads.insert(Relation::hash_cols(right, row), row as u32) {
            next[row] = head;
        }
    }
    let mut pairs = Pairs::default();
    for row in 0..left_len {
        limits.tick()?;
        let hash = Relation::hash_cols(left, row);
        let mut at = heads.get(&hash).copied().unwrap_or(NONE);
        while at != NONE {
            let mut cols = left.iter().zip(right);
            if cols.all(|(a, b)| a.eq_rows(row, b, at as usize, how)) {
                pairs.push(row as u32, at, limits)?;
            }
            at = next[at as usize];
        }
    }
    Ok(pairs)
}

/// The natural join: rows that agree on all variables they share. Where values meet that are not
/// the same, those of the smaller side stay, as in Datomic; of a pattern over a database, those of
/// the rows so far.
pub(crate) fn join(
    left: Relation,
    right: Relation,
    how: Meet,
    limits: &Limits,
) -> Result<Relation, QueryError> {
    if left.vars.is_empty() {
        return Ok(times(left.len, right));
    }
    if right.vars.is_empty() {
        return Ok(times(right.len, left));
    }
    let shared: Vec<Var> = left
        .vars
        .iter()
        .copied()
        .filter(|v| right.has(*v))
        .collect();
    if shared.is_empty() {
        let pairs = product(left.len, right.len, limits)?;
        let result = glue(&left, &right, &pairs, limits)?;
        return Ok(proved(result, &left, &right));
    }
    let (a, b) = (left.positions(&shared), right.positions(&shared));
    let a: Vec<&Col> = a.iter().map(|at| &left.cols[*at]).collect();
    let b: Vec<&Col> = b.iter().map(|at| &right.cols[*at]).collect();
    let pairs = pairs(&a, left.len, &b, right.len, how, limits)?;
    let mut result = glue(&left, &right, &pairs, limits)?;
    let mut exact = true;
    let from_right = how == Meet::Clojure && right.len < left.len;
    for (at, var) in shared.iter().enumerate() {
        if a[at].is_exact() && b[at].is_exact() {
            continue;
        }
        exact = false;
        if from_right {
            let place = result.positions(&[*var])[0];
            result.cols[place] = b[at].gather_in(&pairs.right, &mut limits.growth())?;
        }
    }
    if exact {
        return Ok(proved(result, &left, &right));
    }
    // Equal values need not be the same: nothing is proved of them.
    result.dependencies.clear();
    Ok(result)
}

/// The rows of both, with what is known of each.
fn proved(mut result: Relation, left: &Relation, right: &Relation) -> Relation {
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

fn times(len: usize, relation: Relation) -> Relation {
    match len {
        0 => Relation::empty(relation.vars),
        _ => relation,
    }
}

fn product(left: usize, right: usize, limits: &Limits) -> Result<Pairs, QueryError> {
    let rows = left.saturating_mul(right);
    limits.rows(rows)?;
    limits.bytes((rows as u64).saturating_mul(2 * size_of::<u32>() as u64))?;
    let mut pairs = Pairs::default();
    for row in 0..left as u32 {
        limits.tick()?;
        pairs.left.extend(std::iter::repeat_n(row, right));
        pairs.right.extend(0..right as u32);
    }
    Ok(pairs)
}

/// The paired rows, with the columns of the left and those that only the right has.
pub(crate) fn glue(
    left: &Relation,
    right: &Relation,
    pairs: &Pairs,
    limits: &Limits,
) -> Result<Relation, QueryError> {
    let mut growth = limits.growth();
    growth.add_each(pairs.left.len(), 2 * size_of::<u32>())?;
    let mut result = left.gather(&pairs.left, false, &mut growth)?;
    for (var, col) in right.vars.iter().zip(&right.cols) {
        if !left.has(*var) {
            result.push(*var, col.gather_in(&pairs.right, &mut growth)?);
        }
    }
    Ok(result)
}

/// Keeps the rows of `left` that match (`keep`) or do not match any row of `right` on `vars`.
pub(crate) fn semi(
    left: Relation,
    right: &Relation,
    vars: &[Var],
    keep: bool,
    how: Meet,
    limits: &Limits,
) -> Result<Relation, QueryError> {
    let cols = |relation: &Relation| relation.positions(vars);
    let (a, b) = (cols(&left), cols(right));
    let matched = match (
        left.cols[a[0]].ids(left.len),
        right.cols[b[0]].ids(right.len),
    ) {
        (Some(left), Some(right)) if vars.len() == 1 => word_matches(&left, &right, limits)?,
        _ => hash_matches((&left, &a), (right, &b), how, limits)?,
    };
    left.filter(limits, |row| matched[row] == keep)
}

fn word_matches(left: &[u64], right: &[u64], limits: &Limits) -> Result<Vec<bool>, QueryError> {
    let mut matched = Vec::with_capacity(left.len());
    if left.is_sorted() && right.is_sorted() {
        let mut from = 0;
        for key in left {
            limits.tick()?;
            from = gallop(right, from, *key);
            matched.push(right.get(from) == Some(key));
        }
        return Ok(matched);
    }
    let mut known: FxHashSet<u64> = FxHashSet::default();
    for key in right {
        limits.tick()?;
        known.insert(*key);
    }
    for key in left {
        limits.tick()?;
        matched.push(known.contains(key));
    }
    Ok(matched)
}

/// Which rows of one side match any of the other; each with its key columns.
fn hash_matches(
    left: (&Relation, &[usize]),
    right: (&Relation, &[usize]),
    how: Meet,
    limits: &Limits,
) -> Result<Vec<bool>, QueryError> {
    let ((left, a), (right, b)) = (left, right);
    let mut heads: FxHashMap<u64, u32> = FxHashMap::default();
    let mut next = vec![NONE; right.len];
    let same = |x: &Relation, p: &[usize], row: usize, at: u32| {
        let mut cols = p.iter().zip(b);
        cols.all(|(p, q)| x.cols[*p].eq_rows(row, &right.cols[*q], at as usize, how))
    };
    for row in 0..right.len {
        limits.tick()?;
        let head = heads.entry(right.hash_row(b, row)).or_insert(NONE);
        let mut at = *head;
        while at != NONE && !same(right, b, row, at) {
            at = next[at as usize];
        }
        if at == NONE {
            next[row] = std::mem::replace(head, row as u32);
        }
    }
    let mut matched = Vec::with_capacity(left.len);
    for row in 0..left.len {
        limits.tick()?;
        let mut at = heads.get(&left.hash_row(a, row)).copied().unwrap_or(NONE);
        while at != NONE && !same(left, a, row, at) {
            at = next[at as usize];
        }
        matched.push(at != NONE);
    }
    Ok(matched)
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
    pub(crate) fn extend(&mut self, rows: &Relation, limits: &Limits) -> Result<(), QueryError> {
        for row in self.next.len()..rows.len {
            limits.tick()?;
            let hash = rows.hash_row(&self.cols, row);
            let before = self.heads.insert(hash, row as u32);
            self.next.push(before.unwrap_or(NONE));
        }
        Ok(())
    }

    /// Indexed rows whose hash agrees.
    fn probe(&self, hash: u64) -> impl Iterator<Item = u32> + '_ {
        let first = self.heads.get(&hash).copied().filter(|at| *at != NONE);
        std::iter::successors(first, |at| {
            let next = self.next[*at as usize];
            (next != NONE).then_some(next)
        })
    }

    /// Pairs of rows of `left` (by `left_cols`) with indexed rows.
    pub(crate) fn pairs(
        &self,
        left: &Relation,
        left_cols: &[usize],
        rows: &Relation,
        limits: &Limits,
    ) -> Result<Pairs, QueryError> {
        let mut pairs = Pairs::default();
        for row in 0..left.len {
            limits.tick()?;
            for at in self.probe(left.hash_row(left_cols, row)) {
                let mut cols = left_cols.iter().zip(&self.cols);
                let same = |(a, b): (&usize, &usize)| {
                    left.cols[*a].eq_rows(row, &rows.cols[*b], at as usize, Meet::Clojure)
                };
                if cols.all(same) {
                    pairs.push(row as u32, at, limits)?;
                }
            }
        }
        Ok(pairs)
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
    pub(crate) fn add(&mut self, rows: Relation, limits: &Limits) -> Result<Relation, QueryError> {
        let rows = rows.select(&self.rows.vars);
        let cols: Vec<usize> = (0..rows.cols.len()).collect();
        let mut fresh = Vec::new();
        for row in 0..rows.len {
            limits.tick()?;
            let is_known = self.seen.probe(rows.hash_row(&cols, row)).any(|at| {
                let at = at as usize;
                let mut cols = cols.iter();
                cols.all(|c| rows.cols[*c].eq_rows(row, &self.rows.cols[*c], at, Meet::Same))
            });
            if !is_known {
                fresh.push(row as u32);
            }
        }
        let fresh = rows.gather(&fresh, true, &mut limits.growth())?;
        let all = std::mem::take(&mut self.rows);
        self.rows = all.append(fresh.clone());
        self.seen.extend(&self.rows, limits)?;
        Ok(fresh)
    }
}
