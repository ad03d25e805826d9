//! Words: the order-preserving 64-bit form of scalar values.
//!
//! Long, ref, boolean, double, float, and instants that fit 64-bit microseconds have a word; words
//! of one type compare as integers exactly as `Value::storage_cmp` compares the values, and every
//! word gives its value back. Nothing here knows rows or blocks.

use datomite_model::{EntityId, Instant, Value, ValueRef, ValueType};

const SIGN: u64 = 1 << 63;
/// How many NaNs of one sign there are: they take the words below negative infinity.
const NAN64: u64 = (1 << 52) - 1;
const NAN32: u32 = (1 << 23) - 1;
const FIRST_NAN64: u64 = 0x7ff0_0000_0000_0001;
const FIRST_NAN32: u32 = 0x7f80_0001;

/// The word of a long: the sign bit flipped.
pub fn of_long(n: i64) -> u64 {
    n as u64 ^ SIGN
}

/// The long of a word.
pub fn to_long(word: u64) -> i64 {
    (word ^ SIGN) as i64
}

/// The word of a double: total order, with every NaN below negative infinity.
pub fn of_double(x: f64) -> u64 {
    let bits = x.to_bits();
    match (x.is_nan(), bits & SIGN == 0) {
        (true, true) => bits - FIRST_NAN64,
        (true, false) => NAN64 + (bits - SIGN - FIRST_NAN64),
        (false, true) => (bits | SIGN) + NAN64,
        (false, false) => !bits + NAN64,
    }
}

/// The double of a word.
pub fn to_double(word: u64) -> f64 {
    f64::from_bits(if word < NAN64 {
        word + FIRST_NAN64
    } else if word < 2 * NAN64 {
        word - NAN64 + SIGN + FIRST_NAN64
    } else if (word - NAN64) & SIGN != 0 {
        (word - NAN64) ^ SIGN
    } else {
        !(word - NAN64)
    })
}

/// The word of a float, ordered as [`of_double`].
pub fn of_float(x: f32) -> u64 {
    const SIGN32: u32 = 1 << 31;
    let bits = x.to_bits();
    u64::from(match (x.is_nan(), bits & SIGN32 == 0) {
        (true, true) => bits - FIRST_NAN32,
        (true, false) => NAN32 + (bits - SIGN32 - FIRST_NAN32),
        (false, true) => (bits | SIGN32) + NAN32,
        (false, false) => !bits + NAN32,
    })
}

/// The float of a word.
pub fn to_float(word: u64) -> f32 {
    const SIGN32: u32 = 1 << 31;
    let word = word as u32;
    f32::from_bits(if word < NAN32 {
        word + FIRST_NAN32
    } else if word < 2 * NAN32 {
        word - NAN32 + SIGN32 + FIRST_NAN32
    } else if (word - NAN32) & SIGN32 != 0 {
        (word - NAN32) ^ SIGN32
    } else {
        !(word - NAN32)
    })
}

/// The word of an instant: microseconds with the sign bit flipped; `None` where they do not fit.
pub fn of_instant(instant: Instant) -> Option<u64> {
    instant.total_us().map(of_long)
}

/// The instant of a word.
pub fn to_instant(word: u64) -> Instant {
    Instant::from_us(to_long(word))
}

/// The type and word of a value that has one.
pub fn of(value: ValueRef<'_>) -> Option<(ValueType, u64)> {
    Some(match value {
        ValueRef::Long(n) => (ValueType::Long, of_long(n)),
        ValueRef::Ref(id) => (ValueType::Ref, id.raw()),
        ValueRef::Boolean(b) => (ValueType::Boolean, u64::from(b)),
        ValueRef::Double(x) => (ValueType::Double, of_double(x)),
        ValueRef::Float(x) => (ValueType::Float, of_float(x)),
        ValueRef::Instant(i) => (ValueType::Instant, of_instant(i)?),
        ValueRef::Value(value) => return of_value(value),
        _ => return None,
    })
}

/// The type and word of an owned value that has one.
pub fn of_value(value: &Value) -> Option<(ValueType, u64)> {
    Some(match value {
        Value::Long(n) => (ValueType::Long, of_long(*n)),
        Value::Ref(id) => (ValueType::Ref, id.raw()),
        Value::Boolean(b) => (ValueType::Boolean, u64::from(*b)),
        Value::Double(x) => (ValueType::Double, of_double(*x)),
        Value::Float(x) => (ValueType::Float, of_float(*x)),
        Value::Instant(i) => (ValueType::Instant, of_instant(*i)?),
        _ => return None,
    })
}

/// The value that a word of that type stands for; `None` where the type has no words.
pub fn to_value(value_type: ValueType, word: u64) -> Option<ValueRef<'static>> {
    Some(match value_type {
        ValueType::Long => ValueRef::Long(to_long(word)),
        ValueType::Ref => ValueRef::Ref(EntityId::new(word)),
        ValueType::Boolean => ValueRef::Boolean(word != 0),
        ValueType::Double => ValueRef::Double(to_double(word)),
        ValueType::Float => ValueRef::Float(to_float(word)),
        ValueType::Instant => ValueRef::Instant(to_instant(word)),
        _ => return None,
    })
}
