//! Sorting that can be stopped: chunks are sorted one by one, then merged.
//!
//! A comparison may cost much and a sort makes many; between two chunks, and every so many merged
//! rows, the limits are looked at. Rows that compare as equal keep their order.

use std::cmp::Ordering;

use crate::QueryError;
use crate::options::Limits;

/// Rows sorted between two looks.
const CHUNK: usize = 1 << 13;

/// The positions `0..len` in order, the first `most` of them.
pub(crate) fn sorted(
    len: usize,
    most: usize,
    compare: impl Fn(&u32, &u32) -> Ordering,
    limits: &Limits,
) -> Result<Vec<u32>, QueryError> {
    limits.bytes(2 * size_of::<u32>() as u64 * len as u64)?;
    let mut runs: Vec<Vec<u32>> = Vec::new();
    let all: Vec<u32> = (0..len as u32).collect();
    for chunk in all.chunks(CHUNK) {
        limits.look()?;
        let mut run = chunk.to_vec();
        run.sort_by(&compare);
        run.truncate(most);
        runs.push(run);
    }
    drop(all);
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut pairs = runs.into_iter();
        while let Some(left) = pairs.next() {
            merged.push(match pairs.next() {
                Some(right) => merge(&left, &right, most, &compare, limits)?,
                None => left,
            });
        }
        runs = merged;
    }
    Ok(runs.pop().unwrap_or_default())
}

fn merge(
    left: &[u32],
    right: &[u32],
    most: usize,
    compare: impl Fn(&u32, &u32) -> Ordering,
    limits: &Limits,
) -> Result<Vec<u32>, QueryError> {
    let len = (left.len() + right.len()).min(most);
    let mut merged = Vec::with_capacity(len);
    let (mut i, mut j) = (0, 0);
    while merged.len() < len {
        limits.tick()?;
        let from_left = match (left.get(i), right.get(j)) {
            (Some(a), Some(b)) => compare(a, b).is_le(),
            (Some(_), None) => true,
            _ => false,
        };
        if from_left {
            merged.push(left[i]);
            i += 1;
        } else {
            merged.push(right[j]);
            j += 1;
        }
    }
    Ok(merged)
}
