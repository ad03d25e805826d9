//! `serde::Serialize` for values, forms, names and times: what `--format json` writes.
//!
//! Keywords and symbols are their text without the colon, instants RFC 3339, uuids and URIs text,
//! bytes hexadecimal, bigints and decimals strings (JSON readers would round them), refs and
//! entity ids numbers, tuples and sequences arrays. Map keys are strings: a string or a name as it
//! stands, anything else as EDN. NaN and the infinities, which JSON has not, are strings as EDN
//! writes them.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::{BigDec, Edn, EntityId, Instant, Keyword, Symbol, Uri, Value};

impl Serialize for Keyword {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Symbol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Uri {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for BigDec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for EntityId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.raw() as i64)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::String(text) => serializer.serialize_str(text),
            Value::Boolean(b) => serializer.serialize_bool(*b),
            Value::Long(n) => serializer.serialize_i64(*n),
            Value::BigInt(n) => serializer.collect_str(n),
            Value::Float(n) if n.is_finite() => serializer.serialize_f32(*n),
            Value::Float(n) => serializer.collect_str(&Value::Double(f64::from(*n))),
            Value::Double(n) if n.is_finite() => serializer.serialize_f64(*n),
            Value::Double(_) => serializer.collect_str(self),
            Value::BigDec(n) => n.serialize(serializer),
            Value::Instant(i) => i.serialize(serializer),
            Value::Keyword(k) => k.serialize(serializer),
            Value::Symbol(s) => s.serialize(serializer),
            Value::Uuid(u) => serializer.collect_str(u),
            Value::Uri(uri) => uri.serialize(serializer),
            Value::Bytes(bytes) => serializer.collect_str(&Hex(bytes)),
            Value::Ref(id) => id.serialize(serializer),
            Value::Tuple(slots) => slots.serialize(serializer),
        }
    }
}

struct Hex<'a>(&'a [u8]);

impl std::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Edn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Edn::Nil => serializer.serialize_unit(),
            Edn::Value(value) => value.serialize(serializer),
            Edn::Char(c) => serializer.serialize_char(*c),
            Edn::Ratio(_) => serializer.collect_str(self),
            Edn::List(items) | Edn::Vector(items) | Edn::Set(items) => {
                let mut sequence = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    sequence.serialize_element(item)?;
                }
                sequence.end()
            }
            Edn::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    match key {
                        Edn::Value(Value::String(text)) => map.serialize_key(text.as_ref())?,
                        Edn::Value(Value::Keyword(k)) => map.serialize_key(k)?,
                        Edn::Value(Value::Symbol(s)) => map.serialize_key(s)?,
                        other => map.serialize_key(&other.to_string())?,
                    }
                    map.serialize_value(value)?;
                }
                map.end()
            }
            Edn::Tagged(tag, form) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry(&format!("#{tag}"), form)?;
                map.end()
            }
        }
    }
}
