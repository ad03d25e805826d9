//! Schema: how a transaction's datoms change what the database knows of attributes and idents.
//!
//! `advance` is a plain fold over datoms and serves transactions, replay and forks of the past.
//! What may be installed or altered is decided in `install.rs` and `alter.rs`, before.

mod alter;
mod directive;
mod install;

use std::sync::Arc;

use datomite_model::{
    Attribute, Cardinality, Datom, EntityId, Index, Keyword, Schema, TupleKind, Unique, Value,
    ValueType,
};
use datomite_storage::IndexChange;
use rustc_hash::FxHashMap;

use crate::bootstrap::id;

pub(super) use alter::{check_facts, check_fixed};
pub use directive::Element;
pub(super) use directive::{check_directive, is_directive};
pub(super) use install::{check_components, check_ident, check_schema};

/// Whether datoms of an attribute say something about attributes.
pub(super) fn defines(a: EntityId) -> bool {
    matches!(
        a,
        id::VALUE_TYPE
            | id::CARDINALITY
            | id::UNIQUE
            | id::IS_COMPONENT
            | id::INDEX
            | id::NO_HISTORY
            | id::FULLTEXT
            | id::TUPLE_TYPE
            | id::TUPLE_TYPES
            | id::TUPLE_ATTRS
            | id::ATTR_PREDS
    )
}

/// The schema after a transaction's datoms.
pub(crate) fn advance(schema: &Arc<Schema>, datoms: &[Datom]) -> Arc<Schema> {
    if !datoms
        .iter()
        .any(|datom| defines(datom.a) || datom.a == id::IDENT)
    {
        return Arc::clone(schema);
    }
    let mut next = schema.as_ref().clone();
    for datom in datoms
        .iter()
        .filter(|datom| datom.added && datom.a == id::IDENT)
    {
        if let Value::Keyword(ident) = &datom.v {
            next.put_ident(datom.e, ident.clone());
        }
    }
    let mut by_attribute: FxHashMap<EntityId, Vec<&Datom>> = FxHashMap::default();
    let mut order = Vec::new();
    for datom in datoms.iter().filter(|datom| defines(datom.a)) {
        let list = by_attribute.entry(datom.e).or_insert_with(|| {
            order.push(datom.e);
            Vec::new()
        });
        list.push(datom);
    }
    for e in order {
        let datoms = by_attribute.remove(&e).unwrap_or_default();
        if let Some(attribute) = described(&next, e, &datoms) {
            next.put_attribute(attribute);
        }
    }
    Arc::new(next)
}

/// The attribute that an entity is after these datoms, if it is one.
pub(super) fn described(schema: &Schema, e: EntityId, datoms: &[&Datom]) -> Option<Attribute> {
    let mut attribute = match schema.attribute(e) {
        Some(known) => known.as_ref().clone(),
        None => {
            let value_type = find(datoms, id::VALUE_TYPE).and_then(|v| value_type(schema, v))?;
            let cardinality = find(datoms, id::CARDINALITY).and_then(cardinality)?;
            Attribute::new(e, schema.ident(e)?.clone(), value_type, cardinality)
        }
    };
    // Retractions first: the new value of a replaced one must win.
    for datom in datoms.iter().filter(|datom| !datom.added) {
        retract_from(&mut attribute, datom);
    }
    for datom in datoms.iter().filter(|datom| datom.added) {
        add_to(schema, &mut attribute, datom);
    }
    Some(attribute)
}

fn find<'a>(datoms: &[&'a Datom], a: EntityId) -> Option<&'a Value> {
    datoms
        .iter()
        .find(|datom| datom.added && datom.a == a)
        .map(|datom| &datom.v)
}

fn value_type(schema: &Schema, value: &Value) -> Option<ValueType> {
    ValueType::of_ident(schema.ident(value.as_ref_id()?)?)
}

fn cardinality(value: &Value) -> Option<Cardinality> {
    match value.as_ref_id()? {
        id::CARDINALITY_ONE => Some(Cardinality::One),
        id::CARDINALITY_MANY => Some(Cardinality::Many),
        _ => None,
    }
}

fn retract_from(attribute: &mut Attribute, datom: &Datom) {
    match (datom.a, &datom.v) {
        (id::UNIQUE, _) => attribute.unique = None,
        (id::IS_COMPONENT, _) => attribute.is_component = false,
        (id::INDEX, _) => attribute.indexed = false,
        (id::NO_HISTORY, _) => attribute.no_history = false,
        (id::ATTR_PREDS, Value::Symbol(name)) => attribute.preds.retain(|known| known != name),
        _ => {}
    }
}

fn add_to(schema: &Schema, attribute: &mut Attribute, datom: &Datom) {
    let is_string = attribute.value_type == ValueType::String;
    match (datom.a, &datom.v) {
        (id::CARDINALITY, value) => {
            attribute.cardinality = cardinality(value).unwrap_or(attribute.cardinality);
        }
        (id::UNIQUE, value) => {
            attribute.unique = match value.as_ref_id() {
                Some(id::UNIQUE_IDENTITY) => Some(Unique::Identity),
                _ => Some(Unique::Value),
            };
        }
        (id::IS_COMPONENT, Value::Boolean(on)) => attribute.is_component = *on,
        (id::INDEX, Value::Boolean(on)) => attribute.indexed = *on,
        (id::NO_HISTORY, Value::Boolean(on)) => attribute.no_history = *on,
        (id::FULLTEXT, Value::Boolean(on)) => attribute.fulltext = *on && is_string,
        (id::ATTR_PREDS, Value::Symbol(name)) if !attribute.preds.contains(name) => {
            attribute.preds.push(name.clone());
        }
        (id::TUPLE_TYPE, Value::Keyword(name)) => {
            attribute.tuple = ValueType::of_ident(name).map(TupleKind::Homogeneous);
        }
        (id::TUPLE_TYPES, Value::Tuple(slots)) => {
            let types = keywords(slots)
                .filter_map(|name| ValueType::of_ident(&name))
                .collect();
            attribute.tuple = Some(TupleKind::Heterogeneous(types));
        }
        (id::TUPLE_ATTRS, Value::Tuple(slots)) => {
            let parts = keywords(slots)
                .filter_map(|name| schema.entid(&name))
                .collect();
            attribute.tuple = Some(TupleKind::Composite(parts));
        }
        _ => {}
    }
}

fn keywords(slots: &[Option<Value>]) -> impl Iterator<Item = Keyword> {
    slots.iter().filter_map(|slot| match slot {
        Some(Value::Keyword(name)) => Some(name.clone()),
        _ => None,
    })
}

/// Attributes that join or leave AVET when the schema goes from one to the other. A new attribute
/// has no facts yet: its index begins with it.
pub(super) fn index_changes(before: &Schema, after: &Schema, datoms: &[Datom]) -> Vec<IndexChange> {
    let mut changes: Vec<IndexChange> = Vec::new();
    for datom in datoms.iter().filter(|datom| defines(datom.a)) {
        let (Some(old), Some(new)) = (before.attribute(datom.e), after.attribute(datom.e)) else {
            continue;
        };
        let known = changes.iter().any(|change| change.attribute == datom.e);
        if old.has_avet() != new.has_avet() && !known {
            changes.push(IndexChange {
                attribute: datom.e,
                index: Index::Avet,
                on: new.has_avet(),
            });
        }
    }
    changes
}
