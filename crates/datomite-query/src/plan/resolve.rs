//! From what a query writes to what an index holds: entities, attributes, values.
//!
//! Numbers are ids as they stand; keywords, `":a/b"` and lookup refs are resolved in the source
//! that the clause reads. A constant that cannot be a value of its attribute matches nothing.

use std::sync::Arc;

use datomite_db::Db;
use datomite_model::{Attribute, BigInt, Edn, EntityId, Keyword, TupleKind, Value, ValueType};

use crate::QueryError;
use crate::error::{Place, nearest};
use crate::meet::integer;

/// What stands in the attribute position, once resolved.
#[derive(Clone, Debug)]
pub(crate) enum AttributeTerm {
    /// An attribute.
    Known(Arc<Attribute>),
    /// A number or an entity that is no attribute: nothing matches.
    None,
}

/// The entity that a form names; naming none is an error.
pub(crate) fn entity(db: &Db, form: &Edn, place: &Arc<Place>) -> Result<u64, QueryError> {
    if let Some(n) = integer(form) {
        return Ok(n as u64);
    }
    match db.entid(form)? {
        Some(id) => Ok(id.raw()),
        None => Err(QueryError::CannotResolve {
            key: form.clone(),
            place: Some(Box::new(Place::clone(place))),
        }),
    }
}

/// The attribute that a constant names.
pub(crate) fn attribute(
    db: &Db,
    form: &Edn,
    place: &Arc<Place>,
) -> Result<AttributeTerm, QueryError> {
    let id = match integer(form) {
        Some(n) => EntityId::new(n as u64),
        None => match db.entid(form) {
            Ok(Some(id)) => id,
            Ok(None) | Err(datomite_db::DbError::NotAnEntity { .. }) => {
                return Err(not_an_entity(db, form, place));
            }
            Err(error) => return Err(error.into()),
        },
    };
    Ok(match db.schema().attribute(id) {
        Some(attribute) => AttributeTerm::Known(Arc::clone(attribute)),
        None if is_type(form) => return Err(not_an_entity(db, form, place)),
        None => AttributeTerm::None,
    })
}

/// A type of values, which no one means as an attribute.
fn is_type(form: &Edn) -> bool {
    match form {
        Edn::Value(Value::Keyword(name)) => name.namespace() == Some("db.type"),
        _ => false,
    }
}

fn not_an_entity(db: &Db, form: &Edn, place: &Arc<Place>) -> QueryError {
    let name = form.to_string();
    let name = name.trim_start_matches(':');
    let known = db.schema().attributes().map(|a| a.ident.clone());
    QueryError::NotAnEntity {
        key: form.clone(),
        near: nearest(name, known.map(|k| (k.as_str().to_owned(), k))),
        place: Some(Box::new(Place::clone(place))),
    }
}

/// The value of an attribute that a constant means; `None` where no value can equal it.
pub(crate) fn value(
    db: &Db,
    attribute: &Attribute,
    form: &Edn,
    place: &Arc<Place>,
) -> Result<Option<Value>, QueryError> {
    match attribute.value_type {
        ValueType::Ref => match form {
            Edn::Nil => Ok(None),
            _ => Ok(Some(Value::Ref(EntityId::new(entity(db, form, place)?)))),
        },
        ValueType::Keyword => keyword(form).map(|k| Some(Value::Keyword(k))),
        ValueType::Tuple => Ok(tuple(attribute, form)),
        // A float written for a double is one; a double written for a float is none.
        ValueType::Double => Ok(match form {
            Edn::Value(Value::Float(number)) => Some(Value::Double(f64::from(*number))),
            form => scalar(ValueType::Double, form),
        }),
        other => Ok(scalar(other, form)),
    }
}

/// The keyword that a form means; `":a/b"` and symbols do, too.
pub(crate) fn keyword(form: &Edn) -> Result<Keyword, QueryError> {
    match form {
        Edn::Value(Value::Keyword(keyword)) => Ok(keyword.clone()),
        Edn::Value(Value::String(text)) if text.starts_with(':') => Ok(Keyword::parse(text)),
        Edn::Value(Value::Symbol(symbol)) => Ok(Keyword::parse(symbol.as_str())),
        _ => Err(QueryError::NotAKeyword {
            found: form.clone(),
        }),
    }
}

/// The value of that type that joins with a form.
pub(crate) fn scalar(value_type: ValueType, form: &Edn) -> Option<Value> {
    let Edn::Value(value) = form else { return None };
    match value_type {
        ValueType::Long => integer(form).map(Value::Long),
        ValueType::Ref => integer(form).map(|n| Value::Ref(EntityId::new(n as u64))),
        ValueType::BigInt => match value {
            Value::BigInt(_) => Some(value.clone()),
            _ => integer(form).map(|n| Value::BigInt(Arc::new(BigInt::from(n)))),
        },
        // Two arrays of bytes are never the same one.
        ValueType::Bytes => None,
        other => (value.value_type() == other).then(|| value.clone()),
    }
}

fn tuple(attribute: &Attribute, form: &Edn) -> Option<Value> {
    let items = form.as_sequence()?;
    let slot_type = |at: usize| match attribute.tuple.as_ref()? {
        TupleKind::Homogeneous(t) => Some(*t),
        TupleKind::Heterogeneous(types) => types.get(at).copied(),
        TupleKind::Composite(_) => None,
    };
    let slot = |(at, item): (usize, &Edn)| match (item, slot_type(at)) {
        (Edn::Nil, _) => Some(None),
        (_, Some(t)) => scalar(t, item).map(Some),
        (Edn::Value(value), None) => Some(Some(value.clone())),
        _ => None,
    };
    let slots: Option<Vec<Option<Value>>> = items.iter().enumerate().map(slot).collect();
    slots.map(|slots| Value::Tuple(slots.into()))
}
