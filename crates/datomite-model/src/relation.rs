//! The three relations between values, each named for who asks.
//!
//! - `storage_cmp`: a total order for the trees; equal means the same payload.
//! - `datomic_eq`: redundancy, uniqueness and lookup, as recorded from Datomic.
//! - `join_eq`: patterns and joins of a query, with a hash that agrees.
//!
//! Datomic's accidents live in `datomic_eq` alone: a tree never sees them.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use num_bigint::BigInt;

use crate::{BigDec, Value, ValueType};

/// Compares texts by UTF-16 code unit, as Java does.
///
/// UTF-8 bytes order the same way but for the lead bytes EE and EF (U+E000..U+FFFF), which UTF-16
/// puts after the surrogates that F0..F4 stand for.
pub(crate) fn cmp_utf16(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let common = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    match (a.get(common), b.get(common)) {
        (Some(x), Some(y)) => utf16_rank(*x).cmp(&utf16_rank(*y)),
        (x, y) => x.is_some().cmp(&y.is_some()),
    }
}

fn utf16_rank(lead: u8) -> u8 {
    match lead {
        0xEE | 0xEF => lead + 6,
        0xF0..=0xF4 => lead - 2,
        _ => lead,
    }
}

impl Value {
    /// The total order of the trees: by type first, then by value, ties by exact payload.
    ///
    /// NaN sorts below negative infinity, decimals sort by number and then by scale, strings by
    /// UTF-16 code unit, uuids by two signed halves.
    pub fn storage_cmp(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::String(a), Value::String(b)) => cmp_utf16(a, b),
            (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
            (Value::Long(a), Value::Long(b)) => a.cmp(b),
            (Value::BigInt(a), Value::BigInt(b)) => a.cmp(b),
            (Value::Float(a), Value::Float(b)) => cmp_double(f64::from(*a), f64::from(*b)),
            (Value::Double(a), Value::Double(b)) => cmp_double(*a, *b),
            (Value::BigDec(a), Value::BigDec(b)) => {
                a.cmp_number(b).then_with(|| a.scale().cmp(&b.scale()))
            }
            (Value::Instant(a), Value::Instant(b)) => a.cmp(b),
            (Value::Keyword(a), Value::Keyword(b)) => a.cmp(b),
            (Value::Symbol(a), Value::Symbol(b)) => a.cmp(b),
            (Value::Uuid(a), Value::Uuid(b)) => uuid_key(a).cmp(&uuid_key(b)),
            (Value::Uri(a), Value::Uri(b)) => crate::uri::cmp(a, b),
            (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
            (Value::Ref(a), Value::Ref(b)) => a.cmp(b),
            (Value::Tuple(a), Value::Tuple(b)) => a.cmp(b),
            (a, b) => type_rank(a.value_type()).cmp(&type_rank(b.value_type())),
        }
    }

    /// Whether Datomic takes the two for one value of an attribute: redundancy, uniqueness, lookup.
    ///
    /// As `storage_cmp` but: decimals by number, `-0.0` equals `0.0`, NaN equals every number,
    /// URIs as `java.net.URI` compares them.
    pub fn datomic_eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Float(a), Value::Float(b)) => a == b || a.is_nan() || b.is_nan(),
            (Value::Double(a), Value::Double(b)) => a == b || a.is_nan() || b.is_nan(),
            (Value::BigDec(a), Value::BigDec(b)) => a.cmp_number(b) == Ordering::Equal,
            (Value::Uri(a), Value::Uri(b)) => crate::uri::equal(a, b),
            (Value::Tuple(a), Value::Tuple(b)) => {
                a.len() == b.len()
                    && a.iter().zip(b.iter()).all(|pair| match pair {
                        (Some(x), Some(y)) => x.datomic_eq(y),
                        (x, y) => x.is_none() && y.is_none(),
                    })
            }
            (a, b) => a.storage_cmp(b) == Ordering::Equal,
        }
    }

    /// Whether a pattern matches or a join meets: long = bigint = ref by number, otherwise the
    /// types must agree; decimals need equal scale; NaN equals NaN and `-0.0` differs from `0.0`;
    /// bytes match by content, URIs as `java.net.URI` compares them.
    pub fn join_eq(&self, other: &Value) -> bool {
        match (self.as_join_integer(), other.as_join_integer()) {
            (Some(a), Some(b)) => a == b,
            (None, None) => match (self, other) {
                (Value::Tuple(a), Value::Tuple(b)) => {
                    a.len() == b.len()
                        && a.iter().zip(b.iter()).all(|pair| match pair {
                            (Some(x), Some(y)) => x.join_eq(y),
                            (x, y) => x.is_none() && y.is_none(),
                        })
                }
                (Value::Uri(a), Value::Uri(b)) => crate::uri::equal(a, b),
                (a, b) => a.storage_cmp(b) == Ordering::Equal,
            },
            _ => false,
        }
    }

    /// Feeds a hash that agrees with [`Value::join_eq`].
    pub fn join_hash<H: Hasher>(&self, state: &mut H) {
        if let Some(n) = self.as_join_integer() {
            0u8.hash(state);
            n.hash(state);
            return;
        }
        if let Value::Tuple(slots) = self {
            1u8.hash(state);
            for slot in slots.iter() {
                match slot {
                    None => 0u8.hash(state),
                    Some(v) => v.join_hash(state),
                }
            }
            return;
        }
        match self {
            Value::Uri(uri) => crate::uri::hash(uri, state),
            other => other.hash(state),
        }
    }

    /// The number, for the integral types that join with each other.
    fn as_join_integer(&self) -> Option<JoinInteger<'_>> {
        match self {
            Value::Long(n) => Some(JoinInteger::Small(i128::from(*n))),
            Value::Ref(id) => Some(JoinInteger::Small(i128::from(id.raw()))),
            Value::BigInt(n) => Some(match i128::try_from(n.as_ref()) {
                Ok(small) => JoinInteger::Small(small),
                Err(_) => JoinInteger::Big(n),
            }),
            _ => None,
        }
    }
}

#[derive(PartialEq, Eq, Hash)]
enum JoinInteger<'a> {
    Small(i128),
    Big(&'a BigInt),
}

/// NaN first, then by number, `-0.0` before `0.0`; the sign of a NaN breaks its tie.
fn cmp_double(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => a.to_bits().cmp(&b.to_bits()),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.total_cmp(&b),
    }
}

/// Java compares uuids as two signed longs.
fn uuid_key(uuid: &uuid::Uuid) -> (i64, i64) {
    let (high, low) = uuid.as_u64_pair();
    (high as i64, low as i64)
}

/// Numbers first, then by Java class name, as Datomic compares across types.
fn type_rank(value_type: ValueType) -> u8 {
    match value_type {
        ValueType::Ref => 0,
        ValueType::Long => 1,
        ValueType::BigInt => 2,
        ValueType::Float => 3,
        ValueType::Double => 4,
        ValueType::BigDec => 5,
        ValueType::Bytes => 6,
        ValueType::Tuple => 7,
        ValueType::Keyword => 8,
        ValueType::Symbol => 9,
        ValueType::Boolean => 10,
        ValueType::String => 11,
        ValueType::Uri => 12,
        ValueType::Instant => 13,
        ValueType::Uuid => 14,
        ValueType::Fn => 15,
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        self.storage_cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Value) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Value) -> Ordering {
        self.storage_cmp(other)
    }
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        type_rank(self.value_type()).hash(state);
        match self {
            Value::String(v) => v.hash(state),
            Value::Boolean(v) => v.hash(state),
            Value::Long(v) => v.hash(state),
            Value::BigInt(v) => v.hash(state),
            Value::Float(v) => f64::from(*v).to_bits().hash(state),
            Value::Double(v) => v.to_bits().hash(state),
            Value::BigDec(v) => hash_number(v, state),
            Value::Instant(v) => v.hash(state),
            Value::Keyword(v) => v.hash(state),
            Value::Symbol(v) => v.hash(state),
            Value::Uuid(v) => v.hash(state),
            Value::Uri(v) => v.hash(state),
            Value::Bytes(v) => v.hash(state),
            Value::Ref(v) => v.hash(state),
            Value::Tuple(v) => v.hash(state),
        }
    }
}

/// Two decimals that compare equal have the same number and the same scale.
fn hash_number<H: Hasher>(number: &BigDec, state: &mut H) {
    number.scale().hash(state);
    number.unscaled().hash(state);
}
