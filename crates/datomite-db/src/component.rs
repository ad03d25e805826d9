//! Index components: where a form that stands for a value lies within an attribute.
//!
//! Nothing is refused here. Numbers compare by number across types, other types sort by kind as
//! Datomic sorts them, so a form of the wrong type is a place before or after all values.
//! Identities are not resolved here; the callers differ in what they resolve.

use datomite_model::{Attribute, BigDec, BigInt, Edn, EntityId, Keyword, Value, ValueType};
use datomite_storage::Side;

use crate::Db;
use crate::ident::{lookup_value, slot_type};
use crate::lookup::{just_above, shortest};

/// A place among the values of an attribute.
#[derive(Clone, Debug)]
pub(crate) enum Edge {
    /// Before all values.
    Start,
    /// Before or after the rows with this value.
    At(Value, Side),
    /// After all values.
    End,
}

/// The stretch of an attribute's values that equal a form; empty ones still have a place.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    pub(crate) lo: Edge,
    pub(crate) hi: Edge,
    /// What the rows in between must equal, where the stretch may hold others.
    pub(crate) equal: Option<Value>,
}

impl Stretch {
    /// Whether no value can be in it.
    pub(crate) fn is_nowhere(&self) -> bool {
        match (&self.lo, &self.hi) {
            (Edge::Start, Edge::Start) | (Edge::End, Edge::End) => true,
            (Edge::At(a, side), Edge::At(b, other)) => a == b && side == other,
            _ => false,
        }
    }

    /// Whether all its values are one value.
    pub(crate) fn is_exact(&self) -> bool {
        matches!((&self.lo, &self.hi), (Edge::At(a, _), Edge::At(b, _)) if a == b)
    }

    /// Whether a value of the attribute lies in it.
    pub(crate) fn holds(&self, v: &Value) -> bool {
        let beyond = |edge: &Edge| match edge {
            Edge::Start => true,
            Edge::At(at, Side::Before) => v >= at,
            Edge::At(at, Side::After) => v > at,
            Edge::End => false,
        };
        let equal = self.equal.as_ref().is_none_or(|equal| v.datomic_eq(equal));
        equal && beyond(&self.lo) && !beyond(&self.hi)
    }
}

/// Finds the place of a form among the values of an attribute.
pub(crate) fn stretch(db: &Db, attribute: &Attribute, form: &Edn) -> Stretch {
    let value_type = attribute.value_type;
    if is_numeric(value_type)
        && let Some(number) = form.as_value()
        && is_numeric(number.value_type())
    {
        return numeric(value_type, number);
    }
    if value_type == ValueType::Tuple && form.as_sequence().is_some() {
        if let Some(value) = lookup_value(attribute, form, db) {
            return exact(value);
        }
        return exact(Value::Tuple(raw_slots(db, attribute, form)));
    }
    if value_type == ValueType::Keyword
        && let Some(text) = form.as_str().filter(|text| text.starts_with(':'))
    {
        return exact(Value::from(Keyword::parse(text)));
    }
    match form.as_value() {
        Some(value) if value.value_type() == value_type => match value {
            Value::Uri(_) => uri(value),
            value => exact(value.clone()),
        },
        _ if kind(form) < kind_of(value_type) => nowhere(Edge::Start),
        _ => nowhere(Edge::End),
    }
}

fn exact(value: Value) -> Stretch {
    Stretch {
        lo: Edge::At(value.clone(), Side::Before),
        hi: Edge::At(value, Side::After),
        equal: None,
    }
}

fn between(lo: Value, hi: Value) -> Stretch {
    Stretch {
        lo: Edge::At(lo, Side::Before),
        hi: Edge::At(hi, Side::After),
        equal: None,
    }
}

fn nowhere(at: Edge) -> Stretch {
    Stretch {
        lo: at.clone(),
        hi: at,
        equal: None,
    }
}

fn whole() -> Stretch {
    Stretch {
        lo: Edge::Start,
        hi: Edge::End,
        equal: None,
    }
}

fn uri(value: &Value) -> Stretch {
    let range = crate::lookup::equal_range(None, EntityId::default(), value);
    let edge = |bound: datomite_storage::Bound, or| match bound.v {
        Some(v) => Edge::At(v, bound.side),
        None => or,
    };
    Stretch {
        lo: edge(range.lo, Edge::Start),
        hi: edge(range.hi, Edge::End),
        equal: Some(value.clone()),
    }
}

fn is_numeric(value_type: ValueType) -> bool {
    matches!(
        value_type,
        ValueType::Long
            | ValueType::BigInt
            | ValueType::Ref
            | ValueType::Float
            | ValueType::Double
            | ValueType::BigDec
    )
}

/// The place of a number among numbers of another type.
fn numeric(value_type: ValueType, number: &Value) -> Stretch {
    if matches!(number, Value::Double(n) if n.is_nan())
        || matches!(number, Value::Float(n) if n.is_nan())
    {
        // NaN compares equal to every number.
        return whole();
    }
    match value_type {
        ValueType::Double => match to_double(number) {
            0.0 => between(Value::Double(-0.0), Value::Double(0.0)),
            n => exact(Value::Double(n)),
        },
        ValueType::Float => float(to_double(number)),
        _ => match to_decimal(number) {
            Some(decimal) if value_type == ValueType::BigDec => Stretch {
                lo: Edge::At(Value::from(shortest(&decimal)), Side::Before),
                hi: Edge::At(Value::from(just_above(&decimal)), Side::Before),
                equal: Some(Value::from(decimal)),
            },
            Some(decimal) => integer(value_type, &decimal),
            None if to_double(number) < 0.0 => nowhere(Edge::Start),
            None => nowhere(Edge::End),
        },
    }
}

fn float(n: f64) -> Stretch {
    let near = n as f32;
    if near == 0.0 && n == 0.0 {
        return between(Value::Float(-0.0), Value::Float(0.0));
    }
    match f64::from(near).total_cmp(&n) {
        std::cmp::Ordering::Equal => exact(Value::Float(near)),
        std::cmp::Ordering::Less => nowhere(Edge::At(Value::Float(near), Side::After)),
        std::cmp::Ordering::Greater => nowhere(Edge::At(Value::Float(near), Side::Before)),
    }
}

fn integer(value_type: ValueType, decimal: &BigDec) -> Stretch {
    let number = decimal.to_bigdecimal();
    let floor = number.with_scale_round(0, bigdecimal::RoundingMode::Floor);
    let whole = floor == number;
    let (floor, _) = floor.into_bigint_and_exponent();
    let value = match value_type {
        ValueType::BigInt => Some(Value::from(floor.clone())),
        ValueType::Ref => u64::try_from(&floor)
            .ok()
            .map(|n| Value::Ref(EntityId::new(n))),
        _ => i64::try_from(&floor).ok().map(Value::Long),
    };
    match value {
        Some(value) if whole => exact(value),
        Some(value) => nowhere(Edge::At(value, Side::After)),
        None if floor < BigInt::ZERO => nowhere(Edge::Start),
        None => nowhere(Edge::End),
    }
}

fn to_double(number: &Value) -> f64 {
    use num_traits::ToPrimitive;
    match number {
        Value::Long(n) => *n as f64,
        Value::Ref(id) => id.raw() as f64,
        Value::BigInt(n) => n.to_f64().unwrap_or(f64::NAN),
        Value::Float(n) => f64::from(*n),
        Value::Double(n) => *n,
        Value::BigDec(n) => n.to_bigdecimal().to_f64().unwrap_or(f64::NAN),
        _ => f64::NAN,
    }
}

/// `None` for infinities.
fn to_decimal(number: &Value) -> Option<BigDec> {
    match number {
        Value::Long(n) => Some(BigDec::new(BigInt::from(*n), 0)),
        Value::Ref(id) => Some(BigDec::new(BigInt::from(id.raw()), 0)),
        Value::BigInt(n) => Some(BigDec::new(n.as_ref().clone(), 0)),
        // The shortest decimal, as Java's BigDecimal.valueOf.
        Value::Float(n) => f64::from(*n).to_string().parse().ok(),
        Value::Double(n) => n.to_string().parse().ok(),
        Value::BigDec(n) => Some(n.as_ref().clone()),
        _ => None,
    }
}

/// The slots as they are, numbers as the type of the slot where they are whole there.
fn raw_slots(db: &Db, attribute: &Attribute, form: &Edn) -> std::sync::Arc<[Option<Value>]> {
    let slots = form.as_sequence().unwrap_or_default().iter().enumerate();
    slots
        .map(|(at, slot)| {
            let value = slot.as_value()?;
            match slot_type(db, attribute, at) {
                Some(wanted) if is_numeric(wanted) && is_numeric(value.value_type()) => {
                    match numeric(wanted, value) {
                        place if !place.is_exact() => Some(value.clone()),
                        Stretch {
                            lo: Edge::At(near, _),
                            ..
                        } => Some(near),
                        _ => Some(value.clone()),
                    }
                }
                _ => Some(value.clone()),
            }
        })
        .collect()
}

/// Numbers first, then collections, then by Java class name.
fn kind(form: &Edn) -> u8 {
    match form {
        Edn::Value(value) => kind_of(value.value_type()),
        Edn::Ratio(_) => kind_of(ValueType::Long),
        Edn::List(_) | Edn::Vector(_) => kind_of(ValueType::Tuple),
        Edn::Map(_) => 3,
        Edn::Set(_) => 4,
        Edn::Char(_) => 8,
        _ => u8::MAX,
    }
}

fn kind_of(value_type: ValueType) -> u8 {
    match value_type {
        ValueType::Bytes => 1,
        ValueType::Tuple => 2,
        ValueType::Keyword => 5,
        ValueType::Symbol => 6,
        ValueType::Boolean => 7,
        ValueType::String => 9,
        ValueType::Uri => 10,
        ValueType::Instant => 11,
        ValueType::Uuid => 12,
        ValueType::Fn => 13,
        _ => 0,
    }
}
