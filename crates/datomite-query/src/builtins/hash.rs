//! Hashes as Java and Clojure make them, and the order that they give to sets and larger maps.
//!
//! `(vec #{…})` is in the order of a hash trie in Clojure: by the lowest five bits of the hash,
//! then the next five, and so on. The same order here makes such answers the same.

use std::borrow::Cow;

use datomite_model::{BigDec, BigInt, Edn, Value};
use num_traits::{Signed, ToPrimitive, Zero};

use super::clj;

/// Maps up to this size keep the order in which they were made.
const ARRAY_MAP_MAX: usize = 8;

fn fold_long(n: i64) -> i32 {
    (n ^ ((n as u64) >> 32) as i64) as i32
}

fn text_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    })
}

fn big_hash(n: &BigInt) -> i32 {
    let words = n.magnitude().to_u32_digits();
    let hash = words.iter().rev().fold(0i32, |hash, word| {
        hash.wrapping_mul(31).wrapping_add(*word as i32)
    });
    if n.is_negative() {
        hash.wrapping_neg()
    } else {
        hash
    }
}

fn decimal_hash(n: &BigDec) -> i32 {
    let digits = match n.unscaled().to_i64().filter(|n| *n != i64::MIN) {
        Some(compact) => {
            let size = compact.unsigned_abs();
            let high = ((size >> 32) as i32).wrapping_mul(31);
            let hash = high.wrapping_add(size as i32);
            if compact < 0 {
                hash.wrapping_neg()
            } else {
                hash
            }
        }
        None => big_hash(n.unscaled()),
    };
    digits.wrapping_mul(31).wrapping_add(n.scale() as i32)
}

fn combine(seed: i32, hash: i32) -> i32 {
    let mixed = hash
        .wrapping_add(0x9e37_79b9_u32 as i32)
        .wrapping_add(seed.wrapping_shl(6))
        .wrapping_add(seed >> 2);
    seed ^ mixed
}

fn double_hash(n: f64) -> i32 {
    let n = if n.is_nan() { f64::NAN } else { n };
    fold_long(n.to_bits() as i64)
}

fn float_hash(n: f32) -> i32 {
    let n = if n.is_nan() { f32::NAN } else { n };
    n.to_bits() as i32
}

/// `hashCode` of Java; none for what has none that is the same everywhere.
pub(super) fn java_hash(form: &Edn) -> Option<i32> {
    Some(match form {
        Edn::Nil => 0,
        Edn::Char(c) => u32::from(*c) as i32,
        Edn::Ratio(parts) => big_hash(&parts.0) ^ big_hash(&parts.1),
        Edn::Map(entries) => {
            let mut sum = 0i32;
            for (key, value) in entries {
                sum = sum.wrapping_add(java_hash(key)? ^ java_hash(value)?);
            }
            sum
        }
        Edn::Set(items) => {
            let mut sum = 0i32;
            for item in items {
                sum = sum.wrapping_add(java_hash(item)?);
            }
            sum
        }
        Edn::Value(value) => match value {
            Value::Long(n) => fold_long(*n),
            Value::BigInt(n) => match n.to_i64() {
                Some(small) => fold_long(small),
                None => big_hash(n),
            },
            Value::BigDec(n) => decimal_hash(n),
            Value::Double(n) => double_hash(*n),
            Value::Float(n) => float_hash(*n),
            Value::String(text) => text_hash(text),
            Value::Boolean(true) => 1231,
            Value::Boolean(false) => 1237,
            Value::Keyword(k) => {
                name_hash(text_hash, k.namespace(), k.name()).wrapping_add(0x9e37_79b9_u32 as i32)
            }
            Value::Symbol(s) => name_hash(text_hash, s.namespace(), s.name()),
            Value::Uuid(u) => {
                let halves = ((u.as_u128() >> 64) as u64) ^ (u.as_u128() as u64);
                ((halves >> 32) as i32) ^ (halves as i32)
            }
            Value::Instant(i) => fold_long(i.ms()),
            Value::Tuple(_) => return ordered(form, java_hash),
            _ => return None,
        },
        _ => return ordered(form, java_hash),
    })
}

fn ordered(form: &Edn, hash: fn(&Edn) -> Option<i32>) -> Option<i32> {
    let mut sum = 1i32;
    for item in clj::elements(form)?.iter() {
        sum = sum.wrapping_mul(31).wrapping_add(hash(item)?);
    }
    Some(sum)
}

fn name_hash(of_name: fn(&str) -> i32, namespace: Option<&str>, name: &str) -> i32 {
    combine(of_name(name), namespace.map_or(0, text_hash))
}

fn mix_word(word: i32) -> i32 {
    word.wrapping_mul(0xcc9e_2d51_u32 as i32)
        .rotate_left(15)
        .wrapping_mul(0x1b87_3593)
}

fn mix(hash: i32, word: i32) -> i32 {
    (hash ^ word)
        .rotate_left(13)
        .wrapping_mul(5)
        .wrapping_add(0xe654_6b64_u32 as i32)
}

fn finish(hash: i32, length: i32) -> i32 {
    let mut hash = (hash ^ length) as u32;
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(0xc2b2_ae35);
    (hash ^ (hash >> 16)) as i32
}

fn murmur_int(n: i32) -> i32 {
    if n == 0 {
        return 0;
    }
    finish(mix(0, mix_word(n)), 4)
}

fn murmur_long(n: i64) -> i32 {
    if n == 0 {
        return 0;
    }
    let low = mix(0, mix_word(n as i32));
    finish(mix(low, mix_word((n >> 32) as i32)), 8)
}

fn murmur_text(text: &str) -> i32 {
    let units: Vec<u16> = text.encode_utf16().collect();
    let pairs = units.chunks_exact(2);
    let rest = pairs.remainder().first().copied();
    let hash = pairs.fold(0, |hash, pair| {
        mix(
            hash,
            mix_word(i32::from(pair[0]) | (i32::from(pair[1]) << 16)),
        )
    });
    let hash = match rest {
        Some(unit) => hash ^ mix_word(i32::from(unit)),
        None => hash,
    };
    finish(hash, 2 * units.len() as i32)
}

fn mix_collection(hash: i32, count: usize) -> i32 {
    finish(mix(0, mix_word(hash)), count as i32)
}

/// `(hash x)` of Clojure; none for what has none that is the same everywhere.
pub(super) fn clojure_hash(form: &Edn) -> Option<i32> {
    Some(match form {
        Edn::Map(entries) => {
            let mut sum = 0i32;
            for (key, value) in entries {
                let entry = [clojure_hash(key)?, clojure_hash(value)?];
                let entry = entry
                    .iter()
                    .fold(1i32, |sum, hash| sum.wrapping_mul(31).wrapping_add(*hash));
                sum = sum.wrapping_add(mix_collection(entry, 2));
            }
            mix_collection(sum, entries.len())
        }
        Edn::Set(items) => {
            let mut sum = 0i32;
            for item in items {
                sum = sum.wrapping_add(clojure_hash(item)?);
            }
            mix_collection(sum, items.len())
        }
        Edn::Value(value) => match value {
            Value::Long(n) => murmur_long(*n),
            Value::Ref(id) => murmur_long(id.raw() as i64),
            Value::BigInt(n) => match n.to_i64() {
                Some(small) => murmur_long(small),
                None => big_hash(n),
            },
            Value::BigDec(n) if n.unscaled().is_zero() => 0,
            Value::BigDec(n) => decimal_hash(&super::number::stripped(n)),
            Value::Double(n) if *n == 0.0 => 0,
            Value::Float(n) if *n == 0.0 => 0,
            Value::String(text) => murmur_int(text_hash(text)),
            Value::Keyword(k) => {
                name_hash(murmur_text, k.namespace(), k.name()).wrapping_add(0x9e37_79b9_u32 as i32)
            }
            Value::Symbol(s) => name_hash(murmur_text, s.namespace(), s.name()),
            Value::Tuple(slots) => {
                return ordered(form, clojure_hash).map(|hash| mix_collection(hash, slots.len()));
            }
            _ => return java_hash(form),
        },
        Edn::List(items) | Edn::Vector(items) => {
            return ordered(form, clojure_hash).map(|hash| mix_collection(hash, items.len()));
        }
        _ => return java_hash(form),
    })
}

/// Where a hash stands in a trie: its groups of five bits from the lowest on.
fn place(hash: i32) -> u64 {
    let hash = hash as u32;
    (0..7).fold(0u64, |place, level| {
        (place << 5) | u64::from((hash >> (5 * level)) & 31)
    })
}

/// Elements in the order of a trie; as they are where one has no hash.
fn in_trie_order<T: Clone>(all: &[T], key: impl Fn(&T) -> &Edn) -> Cow<'_, [T]> {
    let places: Option<Vec<u64>> = all
        .iter()
        .map(|item| match key(item) {
            Edn::Nil => Some(0),
            form => clojure_hash(form).map(|hash| place(hash) + 1),
        })
        .collect();
    let Some(places) = places else {
        return Cow::Borrowed(all);
    };
    if places.is_sorted() {
        return Cow::Borrowed(all);
    }
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|at| places[*at]);
    Cow::Owned(order.into_iter().map(|at| all[at].clone()).collect())
}

/// The elements of a set in Clojure's order.
pub(super) fn set_order(items: &[Edn]) -> Cow<'_, [Edn]> {
    in_trie_order(items, |item| item)
}

/// The entries of a map in Clojure's order.
pub(super) fn map_order(entries: &[(Edn, Edn)]) -> Cow<'_, [(Edn, Edn)]> {
    if entries.len() <= ARRAY_MAP_MAX {
        return Cow::Borrowed(entries);
    }
    in_trie_order(entries, |(key, _)| key)
}
