//! Sorting facts: permutations of small integer keys, not rows.
//!
//! Two 64-bit numbers a row decide nearly every comparison; only rows whose numbers are equal are
//! compared in full. Input that is in order already, as an import's entities are, is only checked.

use std::cmp::Ordering;

use datomite_model::{Component, Index, Value};

use super::Fact;
use super::slot::{cmp_utf16, rank};
use super::word;

struct SortKey {
    /// One for each component, in the order of the index.
    numbers: [u64; 3],
    row: u32,
    /// Rank of the type of the value.
    rank: u8,
    /// Whether the number of the value says all of it.
    exact: bool,
}

/// The order of `facts` in an index, as positions; `ties` orders rows equal in e, a, v, and rows
/// that it calls equal stay in the order in which they came.
pub(super) fn permutation<'a>(
    index: Index,
    len: usize,
    fact: impl Fn(usize) -> &'a Fact,
    ties: impl Fn(&Fact, &Fact) -> Ordering,
) -> Vec<u32> {
    let components = index.components();
    let at_value = components
        .iter()
        .position(|c| *c == Component::Value)
        .expect("invariant: an index has a value");
    let mut keys: Vec<SortKey> = (0..len)
        .map(|row| SortKey::of(&components, row, fact(row)))
        .collect();
    let order = |x: &SortKey, y: &SortKey| {
        let (before, rest) = x.numbers.split_at(at_value);
        let (y_before, y_rest) = y.numbers.split_at(at_value);
        before
            .cmp(y_before)
            .then_with(|| x.rank.cmp(&y.rank))
            .then_with(|| rest[0].cmp(&y_rest[0]))
            .then_with(|| {
                if x.exact && y.exact {
                    return rest[1..].cmp(&y_rest[1..]);
                }
                compare_facts(index, fact(x.row as usize), fact(y.row as usize))
            })
            .then_with(|| ties(fact(x.row as usize), fact(y.row as usize)))
            .then_with(|| x.row.cmp(&y.row))
    };
    if !keys.is_sorted_by(|x, y| order(x, y).is_le()) {
        keys.sort_unstable_by(order);
    }
    keys.into_iter().map(|key| key.row).collect()
}

impl SortKey {
    fn of(components: &[Component; 3], row: usize, fact: &Fact) -> SortKey {
        let (number, exact) = value_number(&fact.v);
        let numbers = components.map(|component| match component {
            Component::Entity => fact.e.raw(),
            Component::Attribute => fact.a.raw(),
            Component::Value => number,
        });
        SortKey {
            numbers,
            row: u32::try_from(row).expect("invariant: a batch has at most 2^32 rows"),
            rank: rank(fact.v.value_type()),
            exact,
        }
    }
}

/// A number that orders values of one type as far as it goes, and whether it goes all the way.
fn value_number(value: &Value) -> (u64, bool) {
    match value {
        Value::String(text) => text_number(text),
        // An instant without a word sorts among those with one: no number for the whole type.
        Value::Instant(_) => (0, false),
        value => word::of_value(value).map_or((0, false), |(_, word)| (word, true)),
    }
}

/// The first seven bytes and the length, up to 8.
fn text_number(text: &str) -> (u64, bool) {
    let text = text.as_bytes();
    let mut bytes = [0; 8];
    let n = text.len().min(7);
    bytes[..n].copy_from_slice(&text[..n]);
    bytes[7] = text.len().min(8) as u8;
    // UTF-16 order rotates these bytes: what follows is left to the comparison.
    if let Some(at) = text[..n].iter().position(|b| *b >= 0xEE) {
        bytes[at] = 0xEE;
        bytes[at + 1..].fill(0);
        return (u64::from_be_bytes(bytes), false);
    }
    (u64::from_be_bytes(bytes), text.len() < 8)
}

/// Compares e, a, v in the order of an index.
pub(super) fn compare_facts(index: Index, x: &Fact, y: &Fact) -> Ordering {
    for component in index.components() {
        let order = match component {
            Component::Entity => x.e.cmp(&y.e),
            Component::Attribute => x.a.cmp(&y.a),
            Component::Value => compare_values(&x.v, &y.v),
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn compare_values(x: &Value, y: &Value) -> Ordering {
    match (x, y) {
        (Value::String(x), Value::String(y)) => cmp_utf16(x, y),
        _ => x.storage_cmp(y),
    }
}
