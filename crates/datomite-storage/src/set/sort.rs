//! Sorting facts: permutations of small integer keys, not rows.
//!
//! Rows go to buckets by attribute where the index leads with it; three 64-bit numbers a row decide
//! nearly every comparison, and only rows whose numbers are equal are compared in full. Input that
//! is in order already, as an import's entities are, is only checked.

use std::cmp::Ordering;

use datomite_model::{Component, Index, Value, ValueType};
use rustc_hash::FxHashMap;

use super::Fact;
use super::slot::cmp_utf16;
use super::word;

struct SortKey {
    /// One for each component, in the order of the index; where that of the value does not say
    /// all of it, those after it are 0.
    numbers: [u64; 3],
    row: u32,
    /// Whether the numbers say all that e, a, v say.
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
    let mut types = Types::new(index);
    let codes: Vec<u32> = (0..len).map(|row| types.note(fact(row))).collect();
    let by_attribute = components[0] == Component::Attribute;
    let rows = if by_attribute {
        types.bucket(&codes)
    } else {
        (0..row_number(len)).collect()
    };
    let mut keys: Vec<SortKey> = rows
        .into_iter()
        .map(|row| SortKey::of(&components, row, fact(row as usize)))
        .collect();
    if types.are_mixed {
        for key in &mut keys {
            key.numbers = [0; 3];
            key.exact = false;
        }
    }
    let rest = |x: &SortKey, y: &SortKey| {
        let (fact_x, fact_y) = (fact(x.row as usize), fact(y.row as usize));
        let full = if x.exact && y.exact {
            Ordering::Equal
        } else {
            compare_facts(index, fact_x, fact_y)
        };
        full.then_with(|| ties(fact_x, fact_y))
            .then_with(|| x.row.cmp(&y.row))
    };
    let order = |x: &SortKey, y: &SortKey| {
        let [x0, x1, x2] = x.numbers;
        let [y0, y1, y2] = y.numbers;
        if x0 != y0 {
            x0.cmp(&y0)
        } else if x1 != y1 {
            x1.cmp(&y1)
        } else if x2 != y2 {
            x2.cmp(&y2)
        } else {
            rest(x, y)
        }
    };
    let same_bucket = |x: &SortKey, y: &SortKey| !by_attribute || x.numbers[0] == y.numbers[0];
    for bucket in keys.chunk_by_mut(same_bucket) {
        if !bucket.is_sorted_by(|x, y| order(x, y).is_le()) {
            bucket.sort_unstable_by(order);
        }
    }
    keys.into_iter().map(|key| key.row).collect()
}

fn row_number(row: usize) -> u32 {
    u32::try_from(row).expect("invariant: a batch has at most 2^32 rows")
}

/// The attributes of a batch, and whether numbers of values may be compared at all: those of one
/// type only.
struct Types {
    code_of: FxHashMap<u64, u32>,
    /// Attribute, type of its values, rows; by code.
    seen: Vec<(u64, ValueType, usize)>,
    last: u32,
    /// VAET compares values of unlike attributes.
    one_for_all: bool,
    are_mixed: bool,
}

impl Types {
    fn new(index: Index) -> Types {
        Types {
            code_of: FxHashMap::default(),
            seen: Vec::new(),
            last: 0,
            one_for_all: index == Index::Vaet,
            are_mixed: false,
        }
    }

    /// Counts a row; its code numbers attributes as they are met.
    fn note(&mut self, fact: &Fact) -> u32 {
        let attribute = if self.one_for_all { 0 } else { fact.a.raw() };
        let value_type = fact.v.value_type();
        let known = self.seen.get(self.last as usize);
        if known.is_none_or(|seen| seen.0 != attribute) {
            self.last = *self.code_of.entry(attribute).or_insert_with(|| {
                self.seen.push((attribute, value_type, 0));
                self.seen.len() as u32 - 1
            });
        }
        let seen = &mut self.seen[self.last as usize];
        seen.2 += 1;
        self.are_mixed |= seen.1 != value_type;
        self.last
    }

    /// The rows by ascending attribute, each attribute's in the order in which they came.
    fn bucket(&self, codes: &[u32]) -> Vec<u32> {
        let mut sorted: Vec<usize> = (0..self.seen.len()).collect();
        sorted.sort_unstable_by_key(|code| self.seen[*code].0);
        let mut next = vec![0; self.seen.len()];
        let mut start = 0;
        for code in sorted {
            next[code] = start;
            start += self.seen[code].2;
        }
        let mut rows = vec![0; codes.len()];
        for (row, code) in codes.iter().enumerate() {
            let at = &mut next[*code as usize];
            rows[*at] = row_number(row);
            *at += 1;
        }
        rows
    }
}

impl SortKey {
    fn of(components: &[Component; 3], row: u32, fact: &Fact) -> SortKey {
        let mut numbers = [0; 3];
        let mut exact = true;
        for (number, component) in numbers.iter_mut().zip(components) {
            match component {
                Component::Entity if exact => *number = fact.e.raw(),
                Component::Attribute if exact => *number = fact.a.raw(),
                Component::Value => (*number, exact) = value_number(&fact.v),
                _ => {}
            }
        }
        SortKey {
            numbers,
            row,
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
