//! Sorting facts: permutations of small integer keys, not rows.
//!
//! Two 64-bit numbers a row decide nearly every comparison; only rows whose numbers are equal are
//! compared in full. Input that is in order already, as an import's entities are, is only checked.

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
    let mut keys: Vec<SortKey> = (0..len)
        .map(|row| {
            types.note(fact(row));
            SortKey::of(&components, row, fact(row))
        })
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
    if !keys.is_sorted_by(|x, y| order(x, y).is_le()) {
        keys.sort_unstable_by(order);
    }
    keys.into_iter().map(|key| key.row).collect()
}

/// Whether numbers of values may be compared at all: those of one type only.
struct Types {
    of_attribute: FxHashMap<u64, ValueType>,
    last: Option<(u64, ValueType)>,
    /// VAET compares values of unlike attributes.
    one_for_all: bool,
    are_mixed: bool,
}

impl Types {
    fn new(index: Index) -> Types {
        Types {
            of_attribute: FxHashMap::default(),
            last: None,
            one_for_all: index == Index::Vaet,
            are_mixed: false,
        }
    }

    fn note(&mut self, fact: &Fact) {
        let attribute = if self.one_for_all { 0 } else { fact.a.raw() };
        let seen = (attribute, fact.v.value_type());
        if self.last == Some(seen) {
            return;
        }
        self.last = Some(seen);
        self.are_mixed |= *self.of_attribute.entry(seen.0).or_insert(seen.1) != seen.1;
    }
}

impl SortKey {
    fn of(components: &[Component; 3], row: usize, fact: &Fact) -> SortKey {
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
            row: u32::try_from(row).expect("invariant: a batch has at most 2^32 rows"),
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
