//! Sorting facts: permutations of small integer keys, not rows.
//!
//! Two 64-bit numbers a row decide nearly every comparison; only rows whose numbers are equal are
//! compared in full. Input that is in order already, as an import's entities are, is only checked.

use std::cmp::Ordering;

use datomite_model::{Index, Value};

use super::Fact;
use super::slot::{cmp_utf16, rank};
use super::word;

struct SortKey {
    first: u64,
    second: u64,
    row: u32,
}

/// The order of `facts` in an index, as positions; rows that are equal in e, a, v stay in the
/// order in which they came if `ties` says so.
pub(super) fn permutation<'a>(
    index: Index,
    len: usize,
    fact: impl Fn(usize) -> &'a Fact,
    ties: impl Fn(&Fact, &Fact) -> Ordering,
) -> Vec<u32> {
    let mut keys: Vec<SortKey> = (0..len)
        .map(|row| {
            let (first, second) = numbers(index, fact(row));
            SortKey {
                first,
                second,
                row: u32::try_from(row).expect("invariant: a batch has at most 2^32 rows"),
            }
        })
        .collect();
    let order = |x: &SortKey, y: &SortKey| {
        (x.first, x.second)
            .cmp(&(y.first, y.second))
            .then_with(|| {
                let (fx, fy) = (fact(x.row as usize), fact(y.row as usize));
                compare_facts(index, fx, fy).then_with(|| ties(fx, fy))
            })
            .then_with(|| x.row.cmp(&y.row))
    };
    if !keys.is_sorted_by(|x, y| order(x, y).is_le()) {
        keys.sort_unstable_by(order);
    }
    keys.into_iter().map(|key| key.row).collect()
}

/// Two numbers that order rows as the index does, as far as they go.
fn numbers(index: Index, fact: &Fact) -> (u64, u64) {
    let (e, a) = (fact.e.raw(), fact.a.raw());
    match index {
        Index::Eavt => (e, a),
        Index::Aevt => (a, e),
        Index::Avet => (a, value_number(&fact.v)),
        Index::Vaet => (value_number(&fact.v), 0),
    }
}

/// The rank of the type, and as much of the value as 59 bits hold.
fn value_number(value: &Value) -> u64 {
    let prefix = match value {
        Value::String(text) => {
            let mut bytes = [0; 8];
            for (to, from) in bytes.iter_mut().zip(text.as_bytes()) {
                if *from >= 0xEE {
                    // UTF-16 order rotates these bytes: what follows is left to the comparison.
                    *to = 0xEE;
                    break;
                }
                *to = *from;
            }
            u64::from_be_bytes(bytes)
        }
        value => word::of_value(value).map_or(0, |(_, word)| word),
    };
    // An instant without a word sorts among those with one: no number for the whole type.
    let prefix = match value {
        Value::Instant(_) => 0,
        _ => prefix >> 5,
    };
    u64::from(rank(value.value_type())) << 59 | prefix
}

/// Compares e, a, v in the order of an index.
pub(super) fn compare_facts(index: Index, x: &Fact, y: &Fact) -> Ordering {
    use datomite_model::Component;
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
