//! Clojure's relations on forms: `=`, the order that Datomic's `<` and `compare` use, truth, text.
//!
//! Three relations between datoms' values live in the model; these two are of the language:
//! - `equal`: `=`. Long and bigint meet by number, float and double too, decimals whatever their
//!   scale, lists and vectors by their elements, maps and sets without order. NaN equals NaN.
//! - `compare`: total, so that sorting can rely on it. nil, numbers (exactly, across types; NaN
//!   first), sequences, maps, sets, then by Java class name.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use datomite_model::{Edn, Value};
use rustc_hash::{FxHashMap, FxHasher};

use super::number::Number;

/// Whether a form counts as true: all but nil and false.
pub(crate) fn is_true(form: &Edn) -> bool {
    !matches!(form, Edn::Nil | Edn::Value(Value::Boolean(false)))
}

/// Clojure's `=`.
pub(crate) fn equal(a: &Edn, b: &Edn) -> bool {
    match (a, b) {
        (Edn::Nil, Edn::Nil) => true,
        (Edn::Value(x), Edn::Value(y)) => equal_values(x, y),
        (Edn::Char(x), Edn::Char(y)) => x == y,
        (Edn::Ratio(x), Edn::Ratio(y)) => x == y,
        (Edn::Map(x), Edn::Map(y)) => equal_maps(x, y),
        (Edn::Set(x), Edn::Set(y)) => equal_sets(x, y),
        (Edn::Tagged(x, xf), Edn::Tagged(y, yf)) => x == y && equal(xf, yf),
        _ => match (elements(a), elements(b)) {
            (Some(x), Some(y)) => x.len() == y.len() && x.iter().zip(&*y).all(|(x, y)| equal(x, y)),
            _ => false,
        },
    }
}

/// Clojure's `=` of values.
pub(crate) fn equal_values(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Long(x), Value::Long(y)) => x == y,
        (Value::String(x), Value::String(y)) => x == y,
        (Value::Keyword(x), Value::Keyword(y)) => x == y,
        (Value::Tuple(_), Value::Tuple(_)) => equal(&Edn::from(a.clone()), &Edn::from(b.clone())),
        (Value::Uri(_), Value::Uri(_)) => a.datomic_eq(b),
        // As in Java: the same bytes, not bytes that are the same.
        (Value::Bytes(x), Value::Bytes(y)) => std::sync::Arc::ptr_eq(x, y),
        _ => match (Number::of_value(a), Number::of_value(b)) {
            (Some(x), Some(y)) => x.family() == y.family() && x.compare(&y) == Ordering::Equal,
            (None, None) => a == b,
            _ => false,
        },
    }
}

/// Java's `equals`: of one type, decimals with their scale.
pub(super) fn java_equal(a: &Edn, b: &Edn) -> bool {
    match (a, b) {
        (Edn::Value(Value::Bytes(_)), _) => false,
        (Edn::Value(Value::Uri(_)), Edn::Value(Value::Uri(_))) => equal(a, b),
        (Edn::Value(Value::Tuple(_)), _) | (_, Edn::Value(Value::Tuple(_))) => equal(a, b),
        (Edn::Value(x), Edn::Value(y)) => x == y,
        (Edn::Map(x), Edn::Map(y)) => {
            let in_y = |(key, value): &(Edn, Edn)| {
                y.iter()
                    .any(|(k, v)| java_equal(key, k) && java_equal(value, v))
            };
            x.len() == y.len() && x.iter().all(in_y)
        }
        (Edn::Set(_), Edn::Set(_)) => equal(a, b),
        _ => match (elements(a), elements(b)) {
            (Some(x), Some(y)) => {
                x.len() == y.len() && x.iter().zip(&*y).all(|(x, y)| java_equal(x, y))
            }
            _ => a == b,
        },
    }
}

fn equal_maps(a: &[(Edn, Edn)], b: &[(Edn, Edn)]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let keys = HashIndex::new(b.iter().map(|(key, _)| key), b.len());
    a.iter().all(|(key, value)| {
        keys.find(key, |at| &b[at].0)
            .is_some_and(|at| equal(value, &b[at].1))
    })
}

fn equal_sets(a: &[Edn], b: &[Edn]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let members = HashIndex::new(b.iter(), b.len());
    a.iter().all(|x| members.find(x, |at| &b[at]).is_some())
}

/// Positions of forms by hash, built only where a scan would be slow.
pub(crate) struct HashIndex {
    by_hash: Option<FxHashMap<u64, Vec<u32>>>,
    len: usize,
}

impl HashIndex {
    const SCAN_MAX: usize = 12;

    pub(crate) fn new<'a>(forms: impl Iterator<Item = &'a Edn>, len: usize) -> HashIndex {
        let by_hash = (len > Self::SCAN_MAX).then(|| {
            let mut map: FxHashMap<u64, Vec<u32>> = FxHashMap::default();
            for (at, form) in forms.enumerate() {
                map.entry(hash_of(form)).or_default().push(at as u32);
            }
            map
        });
        HashIndex { by_hash, len }
    }

    pub(crate) fn find<'a>(&self, form: &Edn, at: impl Fn(usize) -> &'a Edn) -> Option<usize> {
        match &self.by_hash {
            None => (0..self.len).find(|i| equal(at(*i), form)),
            Some(map) => map
                .get(&hash_of(form))?
                .iter()
                .map(|i| *i as usize)
                .find(|i| equal(at(*i), form)),
        }
    }
}

/// The forms without repeats, the first of each kept, in order.
pub(crate) fn distinct(forms: impl IntoIterator<Item = Edn>) -> Vec<Edn> {
    let mut seen: FxHashMap<u64, Vec<u32>> = FxHashMap::default();
    let mut kept: Vec<Edn> = Vec::new();
    for form in forms {
        let same = seen.entry(hash_of(&form)).or_default();
        if same.iter().any(|i| equal(&kept[*i as usize], &form)) {
            continue;
        }
        same.push(kept.len() as u32);
        kept.push(form);
    }
    kept
}

/// Puts an entry into a map, replacing the value of an equal key.
pub(crate) fn put(entries: &mut Vec<(Edn, Edn)>, key: Edn, value: Edn) {
    match entries.iter_mut().find(|(k, _)| equal(k, &key)) {
        Some(entry) => entry.1 = value,
        None => entries.push((key, value)),
    }
}

/// A hash that agrees with [`equal`].
pub(crate) fn hash_of(form: &Edn) -> u64 {
    let mut hasher = FxHasher::default();
    hash_into(form, &mut hasher);
    hasher.finish()
}

fn hash_into(form: &Edn, state: &mut FxHasher) {
    match form {
        Edn::Nil => 0u8.hash(state),
        Edn::Char(c) => c.hash(state),
        Edn::Ratio(parts) => parts.hash(state),
        Edn::Map(entries) => {
            let sum = entries.iter().fold(0u64, |sum, (key, value)| {
                sum.wrapping_add(hash_of(key) ^ hash_of(value).rotate_left(17))
            });
            (3u8, sum).hash(state);
        }
        Edn::Set(items) => {
            let sum = items
                .iter()
                .fold(0u64, |sum, item| sum.wrapping_add(hash_of(item)));
            (4u8, sum).hash(state);
        }
        Edn::Tagged(tag, inner) => {
            tag.hash(state);
            hash_into(inner, state);
        }
        Edn::Value(value) if Number::of_value(value).is_some() => {
            if let Some(number) = Number::of_value(value) {
                number.hash_into(state);
            }
        }
        Edn::Value(Value::Tuple(_)) | Edn::List(_) | Edn::Vector(_) => {
            5u8.hash(state);
            for item in elements(form).iter().flat_map(|items| items.iter()) {
                hash_into(item, state);
            }
        }
        Edn::Value(Value::Uri(uri)) => uri.as_str().len().hash(state),
        Edn::Value(value) => value.hash(state),
        _ => 6u8.hash(state),
    }
}

/// Feeds a hash that agrees with equality in [`compare`].
pub(crate) fn hash_place(form: &Edn, state: &mut FxHasher) {
    match (Number::of(form), elements(form)) {
        (Some(number), _) => {
            // Adding zero makes one of both zeros; every NaN has the same place.
            let number = number.to_f64() + 0.0;
            let number = if number.is_nan() { f64::NAN } else { number };
            number.to_bits().hash(state);
        }
        (None, Some(items)) => {
            5u8.hash(state);
            items.iter().for_each(|item| hash_place(item, state));
        }
        (None, None) if matches!(form, Edn::Map(_) | Edn::Set(_)) => rank(form).hash(state),
        (None, None) => hash_into(form, state),
    }
}

/// The elements of a list, a vector or a tuple.
pub(crate) fn elements(form: &Edn) -> Option<std::borrow::Cow<'_, [Edn]>> {
    match form {
        Edn::List(items) | Edn::Vector(items) => Some(std::borrow::Cow::Borrowed(items)),
        Edn::Value(Value::Tuple(slots)) => Some(std::borrow::Cow::Owned(
            slots
                .iter()
                .map(|slot| slot.clone().map_or(Edn::Nil, Edn::from))
                .collect(),
        )),
        _ => None,
    }
}

/// The order of `<`, `compare`, `min`, `max`, `sort` and `:order-by`: total over all forms.
pub(crate) fn compare(a: &Edn, b: &Edn) -> Ordering {
    if let (Edn::Value(Value::Long(x)), Edn::Value(Value::Long(y))) = (a, b) {
        return x.cmp(y);
    }
    let (rank_a, rank_b) = (rank(a), rank(b));
    if rank_a != rank_b {
        return rank_a.cmp(&rank_b);
    }
    match (a, b) {
        (Edn::Value(Value::Bytes(x)), Edn::Value(Value::Bytes(y))) => compare_bytes(x, y),
        (Edn::Value(x @ Value::Uri(_)), Edn::Value(y)) if x.datomic_eq(y) => Ordering::Equal,
        (Edn::Value(x), Edn::Value(y)) if rank_a > RANK_SET => x.storage_cmp(y),
        (Edn::Char(x), Edn::Char(y)) => x.cmp(y),
        (Edn::Map(x), Edn::Map(y)) => compare_maps(x, y),
        (Edn::Set(x), Edn::Set(y)) => compare_sorted(x.iter(), y.iter(), compare),
        (Edn::Tagged(x, xf), Edn::Tagged(y, yf)) => x.cmp(y).then_with(|| compare(xf, yf)),
        _ => match (Number::of(a), Number::of(b)) {
            (Some(x), Some(y)) => x.compare(&y),
            _ => match (elements(a), elements(b)) {
                (Some(x), Some(y)) => compare_sequences(&x, &y),
                _ => Ordering::Equal,
            },
        },
    }
}

const RANK_SET: u8 = 4;

/// Where a kind of form stands among the others.
pub(crate) fn rank(form: &Edn) -> u8 {
    match form {
        Edn::Nil => 0,
        Edn::Ratio(_) => 1,
        Edn::List(_) | Edn::Vector(_) => 2,
        Edn::Map(_) => 3,
        Edn::Set(_) => RANK_SET,
        Edn::Char(_) => 9,
        Edn::Tagged(..) => 20,
        Edn::Value(value) => match value {
            Value::Tuple(_) => 2,
            Value::Bytes(_) => 5,
            Value::Keyword(_) => 6,
            Value::Symbol(_) => 7,
            Value::Boolean(_) => 8,
            Value::String(_) => 10,
            Value::Uri(_) => 11,
            Value::Instant(_) => 12,
            Value::Uuid(_) => 13,
            _ => 1,
        },
        _ => 21,
    }
}

/// Shorter first, then by signed bytes, as recorded.
fn compare_bytes(a: &[u8], b: &[u8]) -> Ordering {
    let signed = |bytes: &[u8]| bytes.iter().map(|b| *b as i8).collect::<Vec<i8>>();
    let by_length = a.len().cmp(&b.len());
    by_length.then_with(|| signed(a).cmp(&signed(b)))
}

fn compare_sequences(a: &[Edn], b: &[Edn]) -> Ordering {
    a.iter()
        .zip(b)
        .map(|(x, y)| compare(x, y))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| a.len().cmp(&b.len()))
}

fn compare_maps(a: &[(Edn, Edn)], b: &[(Edn, Edn)]) -> Ordering {
    let entry =
        |x: &(Edn, Edn), y: &(Edn, Edn)| compare(&x.0, &y.0).then_with(|| compare(&x.1, &y.1));
    compare_sorted(a.iter(), b.iter(), entry)
}

/// Shorter first, then by the elements in their own order.
fn compare_sorted<'a, X: 'a>(
    a: impl Iterator<Item = &'a X>,
    b: impl Iterator<Item = &'a X>,
    order: impl Fn(&X, &X) -> Ordering,
) -> Ordering {
    let mut a: Vec<&X> = a.collect();
    let mut b: Vec<&X> = b.collect();
    a.sort_by(|x, y| order(x, y));
    b.sort_by(|x, y| order(x, y));
    a.len().cmp(&b.len()).then_with(|| {
        a.iter()
            .zip(&b)
            .map(|(x, y)| order(x, y))
            .find(|o| o.is_ne())
            .unwrap_or(Ordering::Equal)
    })
}
