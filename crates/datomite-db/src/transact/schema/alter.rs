//! Altering attributes: which changes are allowed.
//!
//! What never changes is refused as it is written, before the transaction is looked at as a set.
//! The facts of an attribute are judged as the transaction leaves them.

use std::sync::Arc;

use datomite_model::{
    Attribute, Cardinality, Datom, Edn, EntityId, Index, Schema, TupleKind, Value,
};
use datomite_storage::KeyRange;
use rustc_hash::FxHashMap;

use super::super::error::{Alteration, TxError};
use super::super::novelty::set_key;
use super::super::op::Op;
use super::super::told::{EntityName, Form, name_in};
use super::{defines, described};
use crate::Db;
use crate::bootstrap::{FIRST_ELEMENT, id};

/// Properties of an attribute that never change.
fn is_fixed(property: EntityId) -> bool {
    matches!(
        property,
        id::VALUE_TYPE | id::TUPLE_TYPE | id::TUPLE_TYPES | id::TUPLE_ATTRS
    )
}

/// Refuses new values of properties that never change. What the bootstrap says is guarded later.
pub(in super::super) fn check_fixed(db: &Db, ops: &[Op]) -> Result<(), TxError> {
    let is_own = |op: &&Op| op.e.raw() >= FIRST_ELEMENT;
    for op in ops
        .iter()
        .filter(|op| op.added && is_fixed(op.a.id))
        .filter(is_own)
    {
        let Some(known) = db.schema().attribute(op.e) else {
            continue;
        };
        let stored = db.basis().datoms_of_attribute(op.e, op.a.id)?;
        if stored.first().is_none_or(|datom| datom.v != op.v) {
            let what = unsupported(db, op.e, op.a.id);
            return Err(TxError::InvalidAlterAttribute {
                attribute: known.ident.clone(),
                what,
                form: Form::default(),
            });
        }
    }
    Ok(())
}

/// Checks the changes to a known attribute; whether they alter it (and not only its doc or name).
///
/// `next` is the schema with the whole transaction, `datoms` all that it says.
pub(super) fn check(
    db: &Db,
    next: &Schema,
    known: &Arc<Attribute>,
    own: &[&Datom],
    datoms: &[Datom],
) -> Result<bool, TxError> {
    let refuse = |what| TxError::InvalidAlterAttribute {
        attribute: known.ident.clone(),
        what,
        form: Form::default(),
    };
    for datom in own {
        let fulltext = datom.a == id::FULLTEXT && datom.v == Value::Boolean(true);
        let drops = !datom.added && datom.a == id::CARDINALITY && !replaced(own, datom.a);
        if is_fixed(datom.a) || fulltext || drops || is_no_target(datom) {
            return Err(refuse(unsupported(db, known.id, datom.a)));
        }
    }
    let Some(after) = described(db.schema(), known.id, own) else {
        return Ok(false);
    };
    let becomes_many = !known.is_many() && after.is_many();
    if becomes_many && (known.is_composite() || is_constituent(next, known.id)) {
        return Err(refuse(Alteration::ConstituentMustBeCardOne));
    }
    let becomes_unique = known.unique.is_none() && after.unique.is_some();
    let needs_index = becomes_unique && !after.indexed && !known.has_avet();
    let is_used = || datoms.iter().any(|datom| datom.a == known.id);
    if needs_index && (is_used() || db.basis().ever_used(known)?) {
        return Err(refuse(Alteration::UniqueWithoutIndex));
    }
    Ok(own.iter().any(|datom| defines(datom.a)))
}

/// Checks that the facts which the transaction leaves fit the attributes it altered.
pub(in super::super) fn check_facts(
    before: &Db,
    after: &Db,
    datoms: &[Datom],
) -> Result<(), TxError> {
    let properties = [id::CARDINALITY, id::UNIQUE];
    for datom in datoms
        .iter()
        .filter(|datom| datom.added && properties.contains(&datom.a))
    {
        let old = before.schema().attribute(datom.e);
        let (Some(old), Some(new)) = (old, after.schema().attribute(datom.e)) else {
            continue;
        };
        let refuse = |what| TxError::InvalidAlterAttribute {
            attribute: old.ident.clone(),
            what,
            form: Form::default(),
        };
        if old.is_many()
            && new.cardinality == Cardinality::One
            && let Some((entity, values)) = several_values(after, new)?
        {
            return Err(refuse(Alteration::CardinalityViolation {
                entity: entity.into(),
                values,
            }));
        }
        if old.unique.is_none()
            && new.unique.is_some()
            && let Some(what) = shared_value(after, new)?
        {
            return Err(refuse(what));
        }
    }
    Ok(())
}

/// Whether a cardinality or a kind of uniqueness is none.
fn is_no_target(datom: &Datom) -> bool {
    let target = datom.v.as_ref_id().filter(|_| datom.added);
    target.is_some_and(|target| match datom.a {
        id::CARDINALITY => !matches!(target, id::CARDINALITY_ONE | id::CARDINALITY_MANY),
        id::UNIQUE => !matches!(target, id::UNIQUE_IDENTITY | id::UNIQUE_VALUE),
        _ => false,
    })
}

fn unsupported(db: &Db, e: EntityId, property: EntityId) -> Alteration {
    let stored = db.basis().datoms_of_attribute(e, property).ok();
    let now = stored.and_then(|datoms| Some(datoms.into_iter().next()?.v));
    let now = match now {
        Some(Value::Ref(target)) => name_in(db, target),
        now => now.map(Edn::from),
    };
    let mut named = EntityName::from(property);
    if let Some(name) = name_in(db, property) {
        named.name = Arc::new(name);
    }
    Alteration::Unsupported {
        now: Box::new(now.unwrap_or(Edn::Nil)),
        property: named,
    }
}

fn replaced(own: &[&Datom], a: EntityId) -> bool {
    own.iter().any(|datom| datom.added && datom.a == a)
}

pub(super) fn is_constituent(schema: &Schema, a: EntityId) -> bool {
    schema.composites_of(a).iter().any(|composite| {
        let tuple = schema
            .attribute(*composite)
            .and_then(|known| known.tuple.as_ref());
        matches!(tuple, Some(TupleKind::Composite(_)))
    })
}

/// An entity with more than one value.
fn several_values(
    db: &Db,
    attribute: &Attribute,
) -> Result<Option<(EntityId, Vec<Value>)>, TxError> {
    let basis = db.basis();
    let mut runs = basis.runs(
        Index::Aevt,
        &KeyRange::prefix(None, Some(attribute.id), None),
    );
    let mut last: Option<EntityId> = None;
    while let Some(run) = runs.next()? {
        for row in 0..run.len() {
            let e = run.e(row);
            if last == Some(e) {
                let datoms = basis.datoms_of_attribute(e, attribute.id)?;
                return Ok(Some((e, datoms.into_iter().map(|datom| datom.v).collect())));
            }
            last = Some(e);
        }
    }
    Ok(None)
}

/// A value that two entities hold.
fn shared_value(db: &Db, attribute: &Attribute) -> Result<Option<Alteration>, TxError> {
    let basis = db.basis();
    let mut holders: FxHashMap<Value, EntityId> = FxHashMap::default();
    let mut runs = basis.runs(
        Index::Aevt,
        &KeyRange::prefix(None, Some(attribute.id), None),
    );
    while let Some(run) = runs.next()? {
        for row in 0..run.len() {
            let value = run.v(row).to_value();
            if let Some(other) = holders.insert(set_key(&value), run.e(row))
                && other != run.e(row)
            {
                let entities = (other.into(), run.e(row).into());
                return Ok(Some(Alteration::UniqueViolation { value, entities }));
            }
        }
    }
    Ok(None)
}
