//! Installing attributes: what a definition must say, and the install datom that makes it one.

use std::cell::LazyCell;
use std::sync::Arc;

use datomite_model::{
    Attribute, Datom, EntityId, Keyword, Partition, Schema, T, TupleKind, Value, ValueType,
};
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::error::TxError;
use super::super::op::Op;
use super::super::told::Form;
use super::alter::is_constituent;
use super::directive::{is_directive, is_other_element};
use super::{defines, described};
use crate::Db;
use crate::bootstrap::id;

/// Checks definitions and alterations, and adds the datoms that record them. What is wrong with
/// the definitions is inside: it is told after what is wrong with the facts of altered attributes.
pub(in super::super) fn check_schema(
    db: &Db,
    t: T,
    ops: &[Op],
    datoms: &mut Vec<Datom>,
) -> Result<Result<(), TxError>, TxError> {
    let mut by_entity: FxHashMap<EntityId, Vec<Datom>> = FxHashMap::default();
    let mut order = Vec::new();
    for datom in datoms
        .iter()
        .filter(|d| defines(d.a) || d.a == id::DOC || d.a == id::IDENT)
    {
        let list = by_entity.entry(datom.e).or_insert_with(|| {
            order.push(datom.e);
            Vec::new()
        });
        list.push(datom.clone());
    }
    // A property that is taken away touches its attribute even where it was not there.
    let touched = ops.iter().filter(|op| !op.added && defines(op.a.id));
    let touched: FxHashSet<EntityId> = touched.map(|op| op.e).collect();
    for e in touched.iter().copied().chain(installs(datoms)) {
        by_entity.entry(e).or_insert_with(|| {
            order.push(e);
            Vec::new()
        });
    }
    // Changes of attributes are judged before definitions, those of what cannot be one at last.
    order.sort_by_key(|e| {
        (
            db.schema().attribute(*e).is_none(),
            e.partition() != Partition::DB,
        )
    });
    let mut added = Vec::new();
    let mut definitions = super::directive::check_elements(db, datoms);
    // The schema with the whole transaction, folded once for all its definitions.
    let next = LazyCell::new(|| super::advance(db.schema(), datoms));
    for e in order {
        let own = by_entity.remove(&e).unwrap_or_default();
        let own: Vec<&Datom> = own.iter().collect();
        match db.schema().attribute(e) {
            Some(known) => {
                let alters = super::alter::check(db, &next, known, &own, datoms)?;
                if alters || touched.contains(&e) {
                    added.push(directive(t, id::ALTER_ATTRIBUTE, e));
                }
            }
            None if touched.contains(&e) || own.iter().any(|datom| defines(datom.a)) => {
                definitions = definitions.and_then(|()| install(db, e, &own, &next));
                added.push(directive(t, id::INSTALL_ATTRIBUTE, e));
            }
            None => {}
        }
    }
    // Directives as written are dropped; a definition or alteration has exactly one.
    datoms.retain(|d| !matches!(d.a, id::INSTALL_ATTRIBUTE | id::ALTER_ATTRIBUTE));
    datoms.extend(added);
    Ok(definitions)
}

fn installs(datoms: &[Datom]) -> impl Iterator<Item = EntityId> {
    let written = datoms
        .iter()
        .filter(|d| d.added && d.a == id::INSTALL_ATTRIBUTE);
    written.filter_map(|datom| datom.v.as_ref_id())
}

fn directive(t: T, a: EntityId, attribute: EntityId) -> Datom {
    Datom {
        e: id::PART_DB,
        a,
        v: Value::Ref(attribute),
        tx: t.tx(),
        added: true,
    }
}

/// The names that composites are made of stay with their attributes.
pub(in super::super) fn check_ident(db: &Db, datom: &Datom) -> Result<(), TxError> {
    if let (id::IDENT, true, Value::Keyword(ident)) = (datom.a, datom.added, &datom.v)
        && let Some(holder) = db.schema().entid(ident)
        && holder != datom.e
        && is_constituent(db.schema(), holder)
    {
        return Err(TxError::CannotRetargetIdent {
            ident: ident.clone(),
            entity: datom.e.into(),
            holder: holder.into(),
            form: Form::default(),
        });
    }
    Ok(())
}

/// New entities of the schema's partition have a name: nothing else lives there.
pub(in super::super) fn check_components(db: &Db, datoms: &[Datom]) -> Result<(), TxError> {
    let is_new = |e: EntityId| e.partition() == Partition::DB && e.raw() >= db.next_element();
    let mut new = datoms
        .iter()
        .filter(|datom| datom.added && is_new(datom.e))
        .peekable();
    if new.peek().is_none() {
        return Ok(());
    }
    // A definition without a name is told as such.
    let added = datoms.iter().filter(|datom| datom.added);
    let parts = added.filter_map(|datom| match datom.a {
        a if a == id::IDENT || defines(a) => Some(datom.e),
        id::INSTALL_ATTRIBUTE | id::ALTER_ATTRIBUTE => None,
        a if is_directive(a) => datom.v.as_ref_id(),
        _ => None,
    });
    let named: FxHashSet<EntityId> = parts.collect();
    match new.find(|datom| !named.contains(&datom.e)) {
        Some(datom) => Err(TxError::SchemaWithoutInstall {
            entity: datom.e.into(),
            form: Form::default(),
        }),
        None => Ok(()),
    }
}

/// Checks a new definition.
///
/// `next` is the schema with the whole transaction: asked only where all parts are there.
fn install(
    db: &Db,
    e: EntityId,
    own: &[&Datom],
    next: &LazyCell<Arc<Schema>, impl FnOnce() -> Arc<Schema>>,
) -> Result<(), TxError> {
    is_other_element(db, e, super::directive::Element::Attribute)?;
    let refuse = |error: &str| {
        let error = Keyword::new(Some("db.error"), error);
        TxError::InvalidInstallAttribute {
            attribute: name(db, e, own),
            first: error,
            entity: e.into(),
            form: Form::default(),
        }
    };
    if e.partition() != Partition::DB {
        return Err(TxError::NotInSystemPartition {
            entity: e.into(),
            directive: None,
            form: Form::default(),
        });
    }
    let has = |a: EntityId| own.iter().any(|datom| datom.added && datom.a == a);
    if db.schema().ident(e).is_none() && !has(id::IDENT) {
        return Err(TxError::AttributeIdentMissing {
            entity: e.into(),
            form: Form::default(),
        });
    }
    if is_misplaced_component(own) {
        return Err(refuse("components-must-be-refs"));
    }
    if !has(id::VALUE_TYPE) || !has(id::CARDINALITY) {
        return Err(refuse("schema-attribute-missing"));
    }
    check_targets(db, own)?;
    let attribute = described(next, e, own).ok_or_else(|| refuse("schema-attribute-missing"))?;
    match problem(next, &attribute, own) {
        Some(error) => Err(refuse(error)),
        None => Ok(()),
    }
}

/// Whether a definition says component, but not that the values are refs.
fn is_misplaced_component(own: &[&Datom]) -> bool {
    let says = |a: EntityId, v: Value| own.iter().any(|d| d.added && d.a == a && d.v == v);
    says(id::IS_COMPONENT, Value::Boolean(true)) && !says(id::VALUE_TYPE, Value::Ref(id::TYPE_REF))
}

fn name(db: &Db, e: EntityId, own: &[&Datom]) -> Option<Keyword> {
    let written = own.iter().find_map(|datom| match &datom.v {
        Value::Keyword(name) if datom.a == id::IDENT => Some(name.clone()),
        _ => None,
    });
    written.or_else(|| db.ident(e))
}

/// Value types and cardinalities must be what they say.
fn check_targets(db: &Db, own: &[&Datom]) -> Result<(), TxError> {
    for datom in own.iter().filter(|datom| datom.added) {
        let target = datom.v.as_ref_id();
        let entity = || target.unwrap_or_default();
        match datom.a {
            id::VALUE_TYPE => {
                let ident = db.ident(entity());
                if ident.as_ref().and_then(ValueType::of_ident).is_none() {
                    return Err(TxError::NotAValueType {
                        entity: entity().into(),
                        form: Form::default(),
                    });
                }
            }
            id::CARDINALITY if !matches!(entity(), id::CARDINALITY_ONE | id::CARDINALITY_MANY) => {
                return Err(TxError::NotACardinality {
                    entity: entity().into(),
                    form: Form::default(),
                });
            }
            _ => {}
        }
    }
    Ok(())
}

/// What is wrong with a definition whose parts are all there.
fn problem(schema: &Schema, attribute: &Attribute, own: &[&Datom]) -> Option<&'static str> {
    if attribute.unique.is_some() && attribute.value_type == ValueType::Bytes {
        return Some("unique-not-allowed");
    }
    let kinds = [id::TUPLE_TYPE, id::TUPLE_TYPES, id::TUPLE_ATTRS];
    let count = own
        .iter()
        .filter(|datom| datom.added && kinds.contains(&datom.a))
        .count();
    let is_tuple = attribute.value_type == ValueType::Tuple;
    if (is_tuple && count != 1) || (!is_tuple && count != 0) {
        return Some("invalid-tuple-kind");
    }
    match &attribute.tuple {
        None => is_tuple.then_some("invalid-tuple-type"),
        Some(TupleKind::Homogeneous(slot)) => (!slot_type(*slot)).then_some("invalid-tuple-type"),
        Some(TupleKind::Heterogeneous(types)) => {
            let fits = (2..=8).contains(&types.len()) && types.len() == written_slots(own);
            (!fits || !types.iter().copied().all(slot_type)).then_some("invalid-tuple-types")
        }
        Some(TupleKind::Composite(parts)) => composite_problem(schema, attribute, parts, own),
    }
}

fn composite_problem(
    schema: &Schema,
    attribute: &Attribute,
    parts: &[EntityId],
    own: &[&Datom],
) -> Option<&'static str> {
    if attribute.is_many() {
        return Some("tuple-of-attrs-must-be-card-one");
    }
    let known: Vec<_> = parts
        .iter()
        .filter_map(|part| schema.attribute(*part))
        .collect();
    let fits = (2..=8).contains(&parts.len()) && known.len() == written_slots(own);
    let plain = |part: &&Arc<Attribute>| {
        !part.is_many() && (slot_type(part.value_type)) && part.tuple.is_none()
    };
    (!fits || !known.iter().all(plain)).then_some("invalid-tuple-attrs")
}

/// How many slots the definition wrote, resolvable or not.
fn written_slots(own: &[&Datom]) -> usize {
    own.iter()
        .find_map(|datom| match (&datom.v, datom.a) {
            (Value::Tuple(slots), id::TUPLE_TYPES | id::TUPLE_ATTRS) => Some(slots.len()),
            _ => None,
        })
        .unwrap_or(0)
}

/// Types that a slot may have.
fn slot_type(value_type: ValueType) -> bool {
    !matches!(
        value_type,
        ValueType::Float | ValueType::Bytes | ValueType::Fn | ValueType::Tuple
    )
}
