//! Altering attributes: which changes are allowed, judged by what the transaction leaves.

use std::sync::Arc;

use datomite_model::{Attribute, Cardinality, Datom, EntityId, Index, TupleKind, Value};
use datomite_storage::KeyRange;
use rustc_hash::FxHashMap;

use super::super::error::{Alteration, TxError};
use super::super::novelty::set_key;
use super::{defines, described};
use crate::bootstrap::id;
use crate::Db;

/// Checks the changes to a known attribute; whether they alter it (and not only its doc or name).
pub(super) fn check(db: &Db, known: &Arc<Attribute>, own: &[&Datom]) -> Result<bool, TxError> {
    let refuse = |what| TxError::InvalidAlterAttribute { attribute: known.ident.clone(), what };
    for datom in own {
        let fixed = matches!(
            datom.a,
            id::VALUE_TYPE | id::TUPLE_TYPE | id::TUPLE_TYPES | id::TUPLE_ATTRS
        );
        let fulltext = datom.a == id::FULLTEXT && datom.v == Value::Boolean(true);
        let drops = !datom.added && datom.a == id::CARDINALITY && !replaced(own, datom.a);
        if fixed || fulltext || drops {
            return Err(refuse(Alteration::Unsupported { property: datom.a }));
        }
    }
    super::install::check_targets(db, own)?;
    let Some(after) = described(db.schema(), known.id, own) else { return Ok(false) };
    if known.is_many() && after.cardinality == Cardinality::One {
        if let Some((entity, values)) = several_values(db, known)? {
            return Err(refuse(Alteration::CardinalityViolation { entity, values }));
        }
    }
    if !known.is_many() && after.is_many() && is_constituent(db, known.id) {
        return Err(refuse(Alteration::ConstituentMustBeCardOne));
    }
    if known.unique.is_none() && after.unique.is_some() {
        if !after.indexed && !known.has_avet() && db.basis().ever_used(known)? {
            return Err(refuse(Alteration::UniqueWithoutIndex));
        }
        if let Some((value, entities)) = shared_value(db, known)? {
            return Err(refuse(Alteration::UniqueViolation { value, entities }));
        }
    }
    Ok(own.iter().any(|datom| defines(datom.a)))
}

fn replaced(own: &[&Datom], a: EntityId) -> bool {
    own.iter().any(|datom| datom.added && datom.a == a)
}

fn is_constituent(db: &Db, a: EntityId) -> bool {
    let schema = db.schema();
    schema.composites_of(a).iter().any(|composite| {
        let tuple = schema.attribute(*composite).and_then(|known| known.tuple.as_ref());
        matches!(tuple, Some(TupleKind::Composite(_)))
    })
}

/// An entity with more than one value.
fn several_values(
    db: &Db,
    attribute: &Attribute,
) -> Result<Option<(EntityId, Vec<Value>)>, TxError> {
    let basis = db.basis();
    let mut runs = basis.runs(Index::Aevt, &KeyRange::prefix(None, Some(attribute.id), None));
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
fn shared_value(
    db: &Db,
    attribute: &Attribute,
) -> Result<Option<(Value, (EntityId, EntityId))>, TxError> {
    let basis = db.basis();
    let mut holders: FxHashMap<Value, EntityId> = FxHashMap::default();
    let mut runs = basis.runs(Index::Aevt, &KeyRange::prefix(None, Some(attribute.id), None));
    while let Some(run) = runs.next()? {
        for row in 0..run.len() {
            let value = run.v(row).to_value();
            if let Some(other) = holders.insert(set_key(&value), run.e(row))
                && other != run.e(row)
            {
                return Ok(Some((value, (other, run.e(row)))));
            }
        }
    }
    Ok(None)
}
