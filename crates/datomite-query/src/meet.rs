//! When two cells of relations are one, each way named for who asks, and one hash for all of them.
//!
//! - `Same`: rows of a set. Types and scales tell numbers apart, ids are longs, vectors equal
//!   lists, URIs are compared as Java does.
//! - `Stored`: a pattern over a database. Also long = bigint by number.
//! - `Clojure`: everything else that joins: collections, arguments, results of functions. Also
//!   decimals whatever their scale, floats and doubles by number, `-0.0` and `0.0`.

use std::hash::{Hash, Hasher};

use datomite_db::word;
use datomite_model::{Edn, Instant, Value};
use rustc_hash::FxHasher;

use crate::builtins::clj;
use crate::relation::{Kind, double_word, long_word};

/// How two cells are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Meet {
    Same,
    Stored,
    Clojure,
}

impl Meet {
    /// Whether two forms meet.
    pub(crate) fn forms(self, a: &Edn, b: &Edn) -> bool {
        match (a, b) {
            (Edn::Value(x), Edn::Value(y)) => self.values(x, y),
            (Edn::List(x) | Edn::Vector(x), Edn::List(y) | Edn::Vector(y)) => {
                x.len() == y.len() && x.iter().zip(y).all(|(p, q)| self.forms(p, q))
            }
            (Edn::Set(x), Edn::Set(y)) => {
                x.len() == y.len() && x.iter().all(|p| y.iter().any(|q| self.forms(p, q)))
            }
            (Edn::Map(x), Edn::Map(y)) => {
                x.len() == y.len()
                    && x.iter()
                        .all(|(k, v)| y.iter().any(|(l, w)| self.forms(k, l) && self.forms(v, w)))
            }
            _ => a == b,
        }
    }

    fn values(self, a: &Value, b: &Value) -> bool {
        match self {
            Meet::Same => {
                let big = |value: &Value| matches!(value, Value::BigInt(_));
                big(a) == big(b) && a.join_eq(b)
            }
            Meet::Stored => a.join_eq(b),
            Meet::Clojure => a.join_eq(b) || clj::equal_values(a, b),
        }
    }

    /// Whether two words meet.
    pub(crate) fn words(self, (k, a): (Kind, u64), (l, b): (Kind, u64)) -> bool {
        if k == l && a == b {
            return true;
        }
        match self {
            Meet::Clojure if k.is_floating() && l.is_floating() => {
                clj::equal_values(&k.value(a), &l.value(b))
            }
            _ => k.joins(l) && a == l.convert(b, k),
        }
    }
}

/// The number, where a form joins as an integer of 64 bits.
pub(crate) fn integer(form: &Edn) -> Option<i64> {
    match form {
        Edn::Value(Value::Long(n)) => Some(*n),
        Edn::Value(Value::Ref(id)) => Some(id.raw() as i64),
        Edn::Value(Value::BigInt(n)) => i64::try_from(n.as_ref()).ok(),
        _ => None,
    }
}

/// Whether a form meets only what is the same.
pub(crate) fn is_exact(form: &Edn) -> bool {
    match form {
        Edn::Value(value) => !matches!(
            value,
            Value::BigInt(_)
                | Value::BigDec(_)
                | Value::Double(_)
                | Value::Float(_)
                | Value::Uri(_)
                | Value::Tuple(_)
        ),
        form => form.is_nil(),
    }
}

/// Feeds a hash that agrees with every way to meet.
pub(crate) fn hash_form(form: &Edn, state: &mut FxHasher) {
    match form {
        Edn::Value(Value::String(text)) => hash_text(text, state),
        Edn::Value(value) => match integer(form) {
            Some(n) => hash_word(Kind::Long, long_word(n), state),
            None => hash_value(value, state),
        },
        Edn::List(items) | Edn::Vector(items) => {
            20u8.hash(state);
            items.iter().for_each(|item| hash_form(item, state));
        }
        Edn::Set(items) => state.write_u64(
            items
                .iter()
                .fold(21, |sum, item| sum.wrapping_add(hash_one(item))),
        ),
        Edn::Map(entries) => state.write_u64(entries.iter().fold(22, |sum, (k, v)| {
            sum.wrapping_add(hash_one(k).rotate_left(7) ^ hash_one(v))
        })),
        other => other.hash(state),
    }
}

fn hash_value(value: &Value, state: &mut FxHasher) {
    match value {
        Value::Boolean(b) => hash_word(Kind::Boolean, u64::from(*b), state),
        Value::Double(x) => hash_word(Kind::Double, double_word(*x), state),
        Value::Float(x) => hash_word(Kind::Float, word::of_float(*x), state),
        Value::Instant(i) => hash_instant(*i, state),
        Value::BigDec(_) | Value::Tuple(_) => clj::hash_of(&Edn::from(value.clone())).hash(state),
        other => other.join_hash(state),
    }
}

fn hash_instant(instant: Instant, state: &mut FxHasher) {
    match instant.total_us() {
        Some(us) => hash_word(Kind::Instant, long_word(us), state),
        None => instant.hash(state),
    }
}

fn hash_one(form: &Edn) -> u64 {
    let mut state = FxHasher::default();
    hash_form(form, &mut state);
    state.finish()
}

/// Feeds the hash of a string.
pub(crate) fn hash_text(text: &str, state: &mut FxHasher) {
    state.write_u8(10);
    state.write(text.as_bytes());
}

/// Feeds the hash of a word.
pub(crate) fn hash_word(kind: Kind, word: u64, state: &mut FxHasher) {
    let (tag, word) = match kind {
        Kind::Long => (1, word),
        Kind::Ref => (1, Kind::Ref.convert(word, Kind::Long)),
        Kind::Boolean => (2, word),
        Kind::Double => (3, number_word(word::to_double(word))),
        Kind::Float => (3, number_word(f64::from(word::to_float(word)))),
        Kind::Instant => (5, word),
    };
    state.write_u64(word.wrapping_add(tag));
}

/// The word of a number, the same for both zeros and for every NaN.
fn number_word(x: f64) -> u64 {
    let x = match x {
        x if x.is_nan() => f64::NAN,
        0.0 => 0.0,
        x => x,
    };
    double_word(x)
}
