//! The predicates of `clojure.core` on one value: what an attribute predicate without a namespace
//! means when nobody registered a function of that name.

use std::cmp::Ordering;

use datomite_model::{BigInt, Edn, Symbol, Value};

use crate::FunctionError;

/// Asks the predicate of that name; `None` where `clojure.core` has none that we know.
pub(super) fn predicate(name: &Symbol, value: &Value) -> Option<Result<Edn, FunctionError>> {
    if !matches!(name.namespace(), None | Some("clojure.core")) {
        return None;
    }
    let answer = match kind(name.name(), value) {
        Some(answer) => Ok(answer),
        None => by_number(name.name(), value)?,
    };
    Some(answer.map(Edn::from))
}

/// Predicates that answer for every value.
fn kind(name: &str, value: &Value) -> Option<bool> {
    let integer = integer(value);
    let big = matches!(value, Value::BigInt(_));
    Some(match name {
        "some?" | "any?" => true,
        "nil?" => false,
        "number?" => integer.is_some() || big || is_fraction(value),
        "integer?" => integer.is_some() || big,
        "int?" => integer.is_some(),
        "pos-int?" => integer.is_some_and(|n| n > 0),
        "neg-int?" => integer.is_some_and(|n| n < 0),
        "nat-int?" => integer.is_some_and(|n| n >= 0),
        "rational?" => integer.is_some() || big || matches!(value, Value::BigDec(_)),
        "decimal?" => matches!(value, Value::BigDec(_)),
        "double?" => matches!(value, Value::Double(_)),
        "float?" => matches!(value, Value::Double(_) | Value::Float(_)),
        "string?" => matches!(value, Value::String(_)),
        "keyword?" => matches!(value, Value::Keyword(_)),
        "symbol?" => matches!(value, Value::Symbol(_)),
        "ident?" => matches!(value, Value::Keyword(_) | Value::Symbol(_)),
        "boolean?" => matches!(value, Value::Boolean(_)),
        "true?" => matches!(value, Value::Boolean(true)),
        "false?" => matches!(value, Value::Boolean(false)),
        "inst?" => matches!(value, Value::Instant(_)),
        "uuid?" => matches!(value, Value::Uuid(_)),
        "uri?" => matches!(value, Value::Uri(_)),
        "bytes?" => matches!(value, Value::Bytes(_)),
        "vector?" | "sequential?" | "coll?" => matches!(value, Value::Tuple(_)),
        _ => return None,
    })
}

/// Predicates on numbers; another value is a mistake.
fn by_number(name: &str, value: &Value) -> Option<Result<bool, FunctionError>> {
    let parity = |odd: i64| match value {
        Value::BigInt(n) => Some(n.bit(0) == (odd == 1)),
        value => integer(value).map(|n| n & 1 == odd),
    };
    let answer = match name {
        "pos?" => to_zero(value).map(|order| order == Some(Ordering::Greater)),
        "neg?" => to_zero(value).map(|order| order == Some(Ordering::Less)),
        "zero?" => to_zero(value).map(|order| order == Some(Ordering::Equal)),
        "even?" => parity(0),
        "odd?" => parity(1),
        "NaN?" => to_zero(value).map(|_| float(value).is_some_and(f64::is_nan)),
        "infinite?" => to_zero(value).map(|_| float(value).is_some_and(f64::is_infinite)),
        _ => return None,
    };
    Some(answer.ok_or_else(|| FunctionError::new(format!("{name} does not take {value}"))))
}

/// References are longs to a predicate.
fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Long(n) => Some(*n),
        Value::Ref(id) => i64::try_from(id.raw()).ok(),
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Double(n) => Some(*n),
        Value::Float(n) => Some(f64::from(*n)),
        _ => None,
    }
}

fn is_fraction(value: &Value) -> bool {
    float(value).is_some() || matches!(value, Value::BigDec(_))
}

/// How a number compares with zero; NaN is a number that does not.
fn to_zero(value: &Value) -> Option<Option<Ordering>> {
    let zero = BigInt::from(0);
    match value {
        Value::BigInt(n) => Some(n.as_ref().partial_cmp(&zero)),
        Value::BigDec(n) => Some(n.unscaled().partial_cmp(&zero)),
        value => match (integer(value), float(value)) {
            (Some(n), _) => Some(n.partial_cmp(&0)),
            (_, Some(n)) => Some(n.partial_cmp(&0.0)),
            _ => None,
        },
    }
}
