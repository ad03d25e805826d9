//! What a datom holds.
//!
//! `==`, `Ord` and `Hash` of `Value` are [`Value::storage_cmp`]: total and exact, the order of the
//! trees. The looser relations that Datomic's answers need are `datomic_eq` and `join_eq`; all
//! three stand in `relation.rs`.

use std::fmt;
use std::sync::Arc;

use num_bigint::BigInt;
use uuid::Uuid;

use crate::{BigDec, EntityId, Instant, Keyword, Symbol, Uri, ValueType};

/// A value of one of the types that an attribute can have. Cloning never copies text.
#[derive(Clone)]
#[non_exhaustive]
pub enum Value {
    /// Text.
    String(Arc<str>),
    /// True or false.
    Boolean(bool),
    /// A 64-bit integer.
    Long(i64),
    /// An integer of any size.
    BigInt(Arc<BigInt>),
    /// A 32-bit float.
    Float(f32),
    /// A 64-bit float.
    Double(f64),
    /// A decimal of any size, with its scale.
    BigDec(Arc<BigDec>),
    /// A point in time.
    Instant(Instant),
    /// A keyword.
    Keyword(Keyword),
    /// A symbol.
    Symbol(Symbol),
    /// A 128-bit identifier.
    Uuid(Uuid),
    /// A URI.
    Uri(Uri),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// Another entity.
    Ref(EntityId),
    /// Two to eight values or gaps.
    Tuple(Arc<[Option<Value>]>),
}

/// A value borrowed from where it is stored.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum ValueRef<'a> {
    /// Text.
    String(&'a str),
    /// True or false.
    Boolean(bool),
    /// A 64-bit integer.
    Long(i64),
    /// A 64-bit float.
    Double(f64),
    /// A 32-bit float.
    Float(f32),
    /// A point in time.
    Instant(Instant),
    /// Another entity.
    Ref(EntityId),
    /// A 128-bit identifier.
    Uuid(Uuid),
    /// Any other type, or one of the above that is kept whole.
    Value(&'a Value),
}

impl Value {
    /// The type of attribute that holds such a value.
    pub fn value_type(&self) -> ValueType {
        match self {
            Value::String(_) => ValueType::String,
            Value::Boolean(_) => ValueType::Boolean,
            Value::Long(_) => ValueType::Long,
            Value::BigInt(_) => ValueType::BigInt,
            Value::Float(_) => ValueType::Float,
            Value::Double(_) => ValueType::Double,
            Value::BigDec(_) => ValueType::BigDec,
            Value::Instant(_) => ValueType::Instant,
            Value::Keyword(_) => ValueType::Keyword,
            Value::Symbol(_) => ValueType::Symbol,
            Value::Uuid(_) => ValueType::Uuid,
            Value::Uri(_) => ValueType::Uri,
            Value::Bytes(_) => ValueType::Bytes,
            Value::Ref(_) => ValueType::Ref,
            Value::Tuple(_) => ValueType::Tuple,
        }
    }

    /// The text, where the value is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The entity, where the value is a reference.
    pub fn as_ref_id(&self) -> Option<EntityId> {
        match self {
            Value::Ref(id) => Some(*id),
            _ => None,
        }
    }
}

impl ValueRef<'_> {
    /// An owned copy.
    pub fn to_value(self) -> Value {
        match self {
            ValueRef::String(text) => Value::String(Arc::from(text)),
            ValueRef::Boolean(b) => Value::Boolean(b),
            ValueRef::Long(n) => Value::Long(n),
            ValueRef::Double(n) => Value::Double(n),
            ValueRef::Float(n) => Value::Float(n),
            ValueRef::Instant(i) => Value::Instant(i),
            ValueRef::Ref(id) => Value::Ref(id),
            ValueRef::Uuid(u) => Value::Uuid(u),
            ValueRef::Value(v) => v.clone(),
        }
    }
}

impl fmt::Display for Value {
    /// EDN, as `Edn` prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::edn::fmt_value(self, f)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(Arc::from(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(Arc::from(text))
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Value {
        Value::Long(n)
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Value {
        Value::String(text)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Value {
        Value::Bytes(Arc::from(bytes))
    }
}

impl From<u32> for Value {
    fn from(n: u32) -> Value {
        Value::Long(i64::from(n))
    }
}

impl From<i32> for Value {
    fn from(n: i32) -> Value {
        Value::Long(i64::from(n))
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::Boolean(b)
    }
}

impl From<f64> for Value {
    fn from(n: f64) -> Value {
        Value::Double(n)
    }
}

impl From<f32> for Value {
    fn from(n: f32) -> Value {
        Value::Float(n)
    }
}

impl From<Keyword> for Value {
    fn from(keyword: Keyword) -> Value {
        Value::Keyword(keyword)
    }
}

impl From<Symbol> for Value {
    fn from(symbol: Symbol) -> Value {
        Value::Symbol(symbol)
    }
}

impl From<EntityId> for Value {
    fn from(id: EntityId) -> Value {
        Value::Ref(id)
    }
}

impl From<Instant> for Value {
    fn from(instant: Instant) -> Value {
        Value::Instant(instant)
    }
}

impl From<Uuid> for Value {
    fn from(uuid: Uuid) -> Value {
        Value::Uuid(uuid)
    }
}

impl From<BigDec> for Value {
    fn from(number: BigDec) -> Value {
        Value::BigDec(Arc::new(number))
    }
}

impl From<BigInt> for Value {
    fn from(number: BigInt) -> Value {
        Value::BigInt(Arc::new(number))
    }
}

impl From<Uri> for Value {
    fn from(uri: Uri) -> Value {
        Value::Uri(uri)
    }
}
