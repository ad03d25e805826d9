//! One field of text as one value of a type, exactly, or not at all.
//!
//! Knows the forms in which Postgres prints its types; does not know columns or attributes.

pub(crate) mod calendar;
pub(crate) mod nested;

#[cfg(test)]
mod tests;

use std::str::FromStr;
use std::sync::Arc;

use datomite::{BigDec, BigInt, Keyword, Symbol, Uri, Uuid, Value, ValueType};

/// How the text of a scalar becomes a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scalar {
    /// An integer of up to 64 bits.
    Long,
    /// `xid8`: up to 2^64 - 1.
    BigInt,
    /// `numeric`; NaN and the infinities are special.
    BigDec,
    /// `money`, as the locale of the dump prints it.
    Money,
    /// `real`.
    Float,
    /// `double precision`.
    Double,
    /// `boolean`.
    Boolean,
    /// Text as it stands.
    Text,
    /// `char(n)`: padding is dropped.
    Padded,
    /// `bytea`, in hex or escape form.
    Bytes,
    /// `timestamp` and `date`: UTC; the infinities are special.
    Timestamp,
    /// `timestamptz`; the infinities are special.
    TimestampZone,
    /// `uuid`.
    Uuid,
    /// `interval`: ISO 8601 text; the infinities are special.
    Interval,
    /// By mapping: a URI.
    Uri,
    /// By mapping: a keyword.
    Keyword,
    /// By mapping: a symbol.
    Symbol,
}

/// What a text is in a type.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Converted {
    /// A value.
    Value(Value),
    /// A value of Postgres that the type here cannot hold: `infinity`, `-infinity`, `NaN`.
    Special(&'static str),
    /// Not a value of the type.
    Wrong,
}

impl Scalar {
    /// The type of the attribute that holds such values.
    pub fn value_type(self) -> ValueType {
        match self {
            Scalar::Long => ValueType::Long,
            Scalar::BigInt => ValueType::BigInt,
            Scalar::BigDec | Scalar::Money => ValueType::BigDec,
            Scalar::Float => ValueType::Float,
            Scalar::Double => ValueType::Double,
            Scalar::Boolean => ValueType::Boolean,
            Scalar::Text | Scalar::Padded | Scalar::Interval => ValueType::String,
            Scalar::Bytes => ValueType::Bytes,
            Scalar::Timestamp | Scalar::TimestampZone => ValueType::Instant,
            Scalar::Uuid => ValueType::Uuid,
            Scalar::Uri => ValueType::Uri,
            Scalar::Keyword => ValueType::Keyword,
            Scalar::Symbol => ValueType::Symbol,
        }
    }

    /// Whether some values of the type can only be named by the companion `.special`.
    pub fn has_special(self) -> bool {
        matches!(
            self,
            Scalar::BigDec | Scalar::Timestamp | Scalar::TimestampZone | Scalar::Interval
        )
    }

    /// Whether the text may be decoded before it is converted (else the bytes are ASCII).
    pub(crate) fn is_text(self) -> bool {
        matches!(
            self,
            Scalar::Text | Scalar::Padded | Scalar::Uri | Scalar::Keyword | Scalar::Symbol
        )
    }

    /// Converts bytes that are UTF-8.
    pub(crate) fn convert(self, bytes: &[u8]) -> Converted {
        match self {
            Scalar::Long => value(long(bytes).map(Value::Long)),
            Scalar::Boolean => value(boolean(bytes).map(Value::Boolean)),
            Scalar::Money => value(money(bytes).map(|n| Value::BigDec(Arc::new(n)))),
            Scalar::Bytes => value(byte_string(bytes).map(|b| Value::Bytes(Arc::from(b)))),
            Scalar::Timestamp | Scalar::TimestampZone => {
                let zone = self == Scalar::TimestampZone;
                match calendar::instant(bytes, zone) {
                    Some(instant) => Converted::Value(Value::Instant(instant)),
                    None => special(bytes),
                }
            }
            _ => match std::str::from_utf8(bytes) {
                Ok(text) => self.convert_text(text),
                Err(_) => Converted::Wrong,
            },
        }
    }

    fn convert_text(self, text: &str) -> Converted {
        match self {
            Scalar::Text => Converted::Value(Value::String(Arc::from(text))),
            Scalar::Padded => {
                Converted::Value(Value::String(Arc::from(text.trim_end_matches(' '))))
            }
            Scalar::BigDec => match bigdec(text.trim()) {
                Some(number) => Converted::Value(Value::BigDec(Arc::new(number))),
                None => special(text.as_bytes()),
            },
            Scalar::Double => value(text.trim().parse().ok().map(Value::Double)),
            Scalar::Float => value(text.trim().parse().ok().map(Value::Float)),
            Scalar::BigInt => value(BigInt::from_str(text.trim()).ok().map(Value::from)),
            Scalar::Uuid => value(Uuid::parse_str(text.trim()).ok().map(Value::Uuid)),
            Scalar::Uri => Converted::Value(Value::Uri(Uri::new(text))),
            Scalar::Keyword => value(name(text).map(|t| Value::Keyword(Keyword::parse(t)))),
            Scalar::Symbol => value(name(text).map(|t| Value::Symbol(Symbol::parse(t)))),
            Scalar::Interval => match calendar::interval(text) {
                Some(interval) => Converted::Value(Value::from(interval.iso)),
                None => special(text.as_bytes()),
            },
            _ => Converted::Wrong,
        }
    }
}

fn value(value: Option<Value>) -> Converted {
    value.map_or(Converted::Wrong, Converted::Value)
}

/// The values that only a companion can name.
fn special(text: &[u8]) -> Converted {
    match text.trim_ascii().to_ascii_lowercase().as_slice() {
        b"infinity" | b"+infinity" | b"inf" => Converted::Special("infinity"),
        b"-infinity" | b"-inf" => Converted::Special("-infinity"),
        b"nan" => Converted::Special("NaN"),
        _ => Converted::Wrong,
    }
}

/// A word that can be a keyword or symbol.
fn name(text: &str) -> Option<&str> {
    let text = text.strip_prefix(':').unwrap_or(text);
    let bad = |c: char| c.is_whitespace() || c.is_control() || "()[]{}\",;@^`~\\".contains(c);
    (!text.is_empty() && !text.contains(bad)).then_some(text)
}

/// An integer; blanks around it and a plus sign are allowed, as in Postgres.
pub(crate) fn long(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = match bytes.first()? {
        b'-' => (true, &bytes[1..]),
        _ => (false, bytes),
    };
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return std::str::from_utf8(bytes).ok()?.trim().parse().ok();
    }
    let n = digits
        .iter()
        .fold(0i64, |n, digit| n * 10 + i64::from(digit - b'0'));
    Some(if negative { -n } else { n })
}

fn bigdec(text: &str) -> Option<BigDec> {
    // Only digits: the arithmetic library also reads words.
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    if !plain || text.is_empty() {
        return None;
    }
    if let Some(small) = small_bigdec(text.as_bytes()) {
        return Some(small);
    }
    let number = BigDec::from_str(text).ok()?;
    // `1e3` has the scale 0 in Postgres, not -3.
    if number.scale() < 0 {
        let zeros = u32::try_from(-number.scale()).ok()?;
        let unscaled = number.unscaled() * BigInt::from(10).pow(zeros);
        return Some(BigDec::new(unscaled, 0));
    }
    Some(number)
}

/// An amount as some locale prints it: `-$1,234.56`, `(1.234,56 €)`, `¥1,234`.
///
/// The last mark is the decimal one, unless it groups: three digits behind it and no other kind
/// of mark before. Signs of currency and blanks may be of any encoding and are passed over.
fn money(bytes: &[u8]) -> Option<BigDec> {
    let negative = bytes.iter().any(|b| matches!(b, b'-' | b'('));
    let last = bytes.iter().rposition(|b| matches!(b, b'.' | b','));
    let digits = |part: &[u8]| part.iter().filter(|b| b.is_ascii_digit()).count();
    let is_decimal = last.is_some_and(|at| {
        let other = if bytes[at] == b'.' { b',' } else { b'.' };
        digits(&bytes[at..]) != 3 || bytes[..at].contains(&other)
    });
    let mut text = String::with_capacity(bytes.len());
    if negative {
        text.push('-');
    }
    for (at, byte) in bytes.iter().enumerate() {
        if byte.is_ascii_digit() {
            text.push(char::from(*byte));
        } else if is_decimal && Some(at) == last {
            text.push('.');
        }
    }
    (digits(bytes) > 0).then(|| bigdec(&text)).flatten()
}

/// Up to 18 digits with a sign and a point, without detours.
fn small_bigdec(bytes: &[u8]) -> Option<BigDec> {
    let (negative, digits) = match bytes.first()? {
        b'-' => (true, &bytes[1..]),
        _ => (false, bytes),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let (mut number, mut scale, mut point) = (0i64, 0i64, false);
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                number = number * 10 + i64::from(byte - b'0');
                scale += i64::from(point);
            }
            b'.' if !point => point = true,
            _ => return None,
        }
    }
    let number = if negative { -number } else { number };
    Some(BigDec::new(BigInt::from(number), scale))
}

fn boolean(bytes: &[u8]) -> Option<bool> {
    match bytes {
        b"t" => return Some(true),
        b"f" => return Some(false),
        _ => {}
    }
    match bytes.trim_ascii().to_ascii_lowercase().as_slice() {
        b"t" | b"true" | b"y" | b"yes" | b"on" | b"1" => Some(true),
        b"f" | b"false" | b"n" | b"no" | b"off" | b"0" => Some(false),
        _ => None,
    }
}

/// `\x…` or the escape form, where a byte is itself, `\\` or `\ooo`.
fn byte_string(text: &[u8]) -> Option<Vec<u8>> {
    if let Some(hex) = text.strip_prefix(b"\\x") {
        let digit = |b: u8| char::from(b).to_digit(16);
        if hex.len() % 2 != 0 {
            return None;
        }
        return hex
            .chunks_exact(2)
            .map(|pair| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8))
            .collect();
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'\\' {
            out.push(byte);
        } else if let Some(tail) = rest.strip_prefix(b"\\") {
            out.push(b'\\');
            rest = tail;
        } else {
            let octal = std::str::from_utf8(rest.get(..3)?).ok()?;
            out.push(u8::from_str_radix(octal, 8).ok()?);
            rest = &rest[3..];
        }
    }
    Some(out)
}
