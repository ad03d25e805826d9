//! The slot: a value in sixteen bytes that copy, as open leaves and separators hold it.
//!
//! - a scalar: tag, zeros, its word (`word.rs`) big-endian;
//! - a text of up to 14 bytes: tag, the bytes, zeros, the length;
//! - anything else: tag with the low bit set, an order-preserving prefix of 11 bytes, and an index
//!   into the side table that stands beside the slot.
//!
//! Two slots that need no side table compare as 128-bit integers. The tag is the rank of the type
//! in `Value::storage_cmp`, shifted: a test holds the two together. Texts with a byte of EE or
//! above never lie inline, since UTF-16 order rotates those bytes.

use std::cmp::Ordering;

use datomite_model::{Value, ValueRef, ValueType};

use super::word;

/// Longer texts are kept whole behind their `Arc`, shared by all indexes; on disk they become
/// references out of line.
pub(super) const INLINE_MAX: usize = 1024;
const TEXT_MAX: usize = 14;
const PREFIX: usize = 11;

#[derive(Clone, Copy)]
pub(super) struct Slot([u8; 16]);

/// Types in the order in which values of unlike type sort.
const RANKS: [ValueType; 16] = [
    ValueType::Ref,
    ValueType::Long,
    ValueType::BigInt,
    ValueType::Float,
    ValueType::Double,
    ValueType::BigDec,
    ValueType::Bytes,
    ValueType::Tuple,
    ValueType::Keyword,
    ValueType::Symbol,
    ValueType::Boolean,
    ValueType::String,
    ValueType::Uri,
    ValueType::Instant,
    ValueType::Uuid,
    ValueType::Fn,
];

pub(super) const fn rank(value_type: ValueType) -> u8 {
    let mut at = 0;
    while at < RANKS.len() {
        if RANKS[at] as u8 == value_type as u8 {
            return at as u8;
        }
        at += 1;
    }
    RANKS.len() as u8
}

const STRING: u8 = rank(ValueType::String) << 1;

impl Slot {
    /// The lowest slot, for keys that have no value.
    pub(super) const ZERO: Slot = Slot([0; 16]);

    /// The slot of a value; one that does not fit is pushed to the side table.
    pub(super) fn encode(value: ValueRef<'_>, side: &mut Vec<Value>) -> Slot {
        let index = side.len() as u32;
        Slot::inline(value).unwrap_or_else(|| {
            let owned = value.to_value();
            let slot = Slot::big(&owned, index);
            side.push(owned);
            slot
        })
    }

    /// The slot of a value that stands at index 0 of its own side table, if it needs one.
    pub(super) fn of(value: &Value) -> Slot {
        Slot::inline(plain(value)).unwrap_or_else(|| Slot::big(value, 0))
    }

    /// The slot of a value that needs no side table.
    pub(super) fn inline(value: ValueRef<'_>) -> Option<Slot> {
        let text = match value {
            ValueRef::String(text) => text,
            ValueRef::Value(Value::String(text)) => text,
            other => return word::of(other).map(|(value_type, word)| Slot::word(value_type, word)),
        };
        Slot::text(text)
    }

    fn word(value_type: ValueType, word: u64) -> Slot {
        let mut bytes = [0; 16];
        bytes[0] = rank(value_type) << 1;
        bytes[8..].copy_from_slice(&word.to_be_bytes());
        Slot(bytes)
    }

    fn text(text: &str) -> Option<Slot> {
        let text = text.as_bytes();
        if text.len() > TEXT_MAX || text.iter().any(|b| *b >= 0xEE) {
            return None;
        }
        let mut bytes = [0; 16];
        bytes[0] = STRING;
        bytes[1..=text.len()].copy_from_slice(text);
        bytes[15] = text.len() as u8;
        Some(Slot(bytes))
    }

    fn big(value: &Value, index: u32) -> Slot {
        let mut bytes = [0; 16];
        bytes[0] = rank(value.value_type()) << 1 | 1;
        match value {
            Value::String(text) => {
                for (to, from) in bytes[1..=PREFIX].iter_mut().zip(text.as_bytes()) {
                    *to = utf16_rank(*from);
                }
            }
            Value::Uuid(uuid) => {
                bytes[1..=PREFIX].copy_from_slice(&uuid_key(uuid).to_be_bytes()[..PREFIX]);
            }
            Value::Bytes(content) => {
                let n = content.len().min(PREFIX);
                bytes[1..=n].copy_from_slice(&content[..n]);
            }
            _ => {}
        }
        bytes[12..].copy_from_slice(&index.to_be_bytes());
        Slot(bytes)
    }

    /// The longest text that fits a slot and is at most `text`.
    pub(super) fn text_at_most(text: &str) -> Option<Slot> {
        Slot::text(&text[..text.floor_char_boundary(TEXT_MAX)])
    }

    pub(super) fn is_big(&self) -> bool {
        self.0[0] & 1 == 1
    }

    fn number(&self) -> u128 {
        u128::from_be_bytes(self.0)
    }

    /// Where a big value stands in the side table.
    pub(super) fn index(&self) -> usize {
        let bytes = [self.0[12], self.0[13], self.0[14], self.0[15]];
        u32::from_be_bytes(bytes) as usize
    }

    /// The same slot pointing elsewhere.
    pub(super) fn at_index(mut self, index: u32) -> Slot {
        self.0[12..].copy_from_slice(&index.to_be_bytes());
        self
    }

    /// The word of a scalar.
    pub(super) fn to_word(self) -> u64 {
        self.number() as u64
    }

    pub(super) fn value_type(&self) -> ValueType {
        RANKS[usize::from(self.0[0] >> 1)]
    }

    /// The type, where the slot holds a word.
    pub(super) fn word_type(&self) -> Option<ValueType> {
        (!self.is_big() && self.0[0] != STRING).then(|| self.value_type())
    }

    /// The value, borrowed.
    pub(super) fn value<'a>(&'a self, side: &'a [Value]) -> ValueRef<'a> {
        if self.is_big() {
            return plain(&side[self.index()]);
        }
        if self.0[0] == STRING {
            return ValueRef::String(self.short_text());
        }
        word::to_value(self.value_type(), self.to_word()).expect("invariant: a scalar has a word")
    }

    /// The value, borrowed; one in the side table as the `Value` it is.
    pub(super) fn kept<'a>(&'a self, side: &'a [Value]) -> ValueRef<'a> {
        if self.is_big() {
            return ValueRef::Value(&side[self.index()]);
        }
        self.value(side)
    }

    /// The text, where the value is a string.
    pub(super) fn as_str<'a>(&'a self, side: &'a [Value]) -> Option<&'a str> {
        match self.0[0] {
            STRING => Some(self.short_text()),
            tag if tag == STRING | 1 => side[self.index()].as_str(),
            _ => None,
        }
    }

    fn short_text(&self) -> &str {
        let bytes = &self.0[1..=usize::from(self.0[15])];
        std::str::from_utf8(bytes).expect("invariant: a short text was a str")
    }

    /// The order of `Value::storage_cmp`.
    #[inline]
    pub(super) fn cmp(&self, side: &[Value], other: &Slot, other_side: &[Value]) -> Ordering {
        if (self.0[0] | other.0[0]) & 1 == 0 {
            return self.number().cmp(&other.number());
        }
        self.cmp_big(side, other, other_side)
    }

    fn cmp_big(&self, side: &[Value], other: &Slot, other_side: &[Value]) -> Ordering {
        let (x, y) = (self.0[0], other.0[0]);
        if x >> 1 != y >> 1 {
            return x.cmp(&y);
        }
        let text = x & !1 == STRING;
        if text || x == y {
            let order = self.0[1..=PREFIX].cmp(&other.0[1..=PREFIX]);
            if order.is_ne() {
                return order;
            }
        }
        if let (Some(x), Some(y)) = (self.as_str(side), other.as_str(other_side)) {
            return cmp_utf16(x, y);
        }
        if x == y {
            return side[self.index()].storage_cmp(&other_side[other.index()]);
        }
        let (x, y) = (self.value(side), other.value(other_side));
        x.to_value().storage_cmp(&y.to_value())
    }
}

/// A value by reference, scalars and texts of up to 1 KiB without their `Value`.
pub(super) fn plain(value: &Value) -> ValueRef<'_> {
    match value {
        Value::String(text) if text.len() <= INLINE_MAX => ValueRef::String(text),
        Value::Boolean(b) => ValueRef::Boolean(*b),
        Value::Long(n) => ValueRef::Long(*n),
        Value::Double(x) => ValueRef::Double(*x),
        Value::Float(x) => ValueRef::Float(*x),
        Value::Instant(i) => ValueRef::Instant(*i),
        Value::Ref(id) => ValueRef::Ref(*id),
        Value::Uuid(uuid) => ValueRef::Uuid(*uuid),
        other => ValueRef::Value(other),
    }
}

/// The same of a borrowed value.
pub(super) fn plain_ref(value: ValueRef<'_>) -> ValueRef<'_> {
    match value {
        ValueRef::Value(value) => plain(value),
        other => other,
    }
}

/// Compares texts by UTF-16 code unit: UTF-8 order, but for lead bytes EE and EF.
pub(super) fn cmp_utf16(x: &str, y: &str) -> Ordering {
    let (x, y) = (x.as_bytes(), y.as_bytes());
    let order = x.cmp(y);
    if order.is_eq() {
        return order;
    }
    let common = x.iter().zip(y).position(|(x, y)| x != y);
    match common {
        Some(at) if x[at] >= 0xEE && y[at] >= 0xEE => utf16_rank(x[at]).cmp(&utf16_rank(y[at])),
        _ => order,
    }
}

fn utf16_rank(lead: u8) -> u8 {
    match lead {
        0xEE | 0xEF => lead + 6,
        0xF0..=0xF4 => lead - 2,
        _ => lead,
    }
}

/// A number that orders uuids as Java does: two signed halves.
pub(super) fn uuid_key(uuid: &datomite_model::Uuid) -> u128 {
    uuid.as_u128() ^ (1 << 127 | 1 << 63)
}
