//! The built-in transaction functions: `[:db/retract e a]`, `:db/retractEntity` and `:db/cas`.
//!
//! Each sees the view that the transaction runs on and gives facts.

use std::sync::Arc;

use datomite_model::{Datom, Edn, EntityId, Value};
use rustc_hash::FxHashSet;

use super::error::TxError;
use super::expand::Expansion;
use super::op::{Ent, FlatValue};
use super::resolve::{is_tempid, resolve_plain};
use crate::Db;
use crate::bootstrap::id;
use crate::ident::ident_form;

/// Which one is called.
#[derive(Clone, Copy, Debug)]
pub(super) enum Builtin {
    RetractAttribute,
    RetractEntity,
    Cas,
}

/// The built-in that a form names, if it does.
pub(super) fn named(db: &Db, function: &Edn) -> Result<Option<Builtin>, TxError> {
    let id = match function {
        // A symbol names a function of a program, but for the operations.
        Edn::Value(Value::Symbol(symbol)) if symbol.to_string() != "db/retract" => None,
        _ => db.entid(function)?,
    };
    Ok(match id {
        Some(id::RETRACT) => Some(Builtin::RetractAttribute),
        Some(id::RETRACT_ENTITY) => Some(Builtin::RetractEntity),
        Some(id::CAS) => Some(Builtin::Cas),
        _ => None,
    })
}

/// Runs a built-in.
pub(super) fn run(
    expansion: &mut Expansion<'_>,
    builtin: Builtin,
    args: &[Edn],
    form: &Arc<Edn>,
) -> Result<(), TxError> {
    match (builtin, args) {
        (Builtin::RetractAttribute, [e, a]) => retract_attribute(expansion, e, a, form),
        (Builtin::RetractEntity, [e]) => retract_entity(expansion, e, form),
        (Builtin::Cas, [e, a, old, new]) => cas(expansion, e, a, old, new, form),
        _ => Err(TxError::TooShort { form: form.into() }),
    }
}

/// A name in quotes is none of the database; the other tempids are numbers that nothing is said
/// about.
fn check_no_name(e: &Edn) -> Result<(), TxError> {
    match e.as_str() {
        Some(text) if !text.starts_with(':') => Err(TxError::TempidNotAllowed { form: e.into() }),
        _ => Ok(()),
    }
}

fn retract_datom(
    expansion: &mut Expansion<'_>,
    datom: Datom,
    form: &Arc<Edn>,
) -> Result<(), TxError> {
    if let Some(a) = expansion.db.schema().attribute(datom.a).cloned() {
        let e = Ent::Form(Edn::Value(Value::Ref(datom.e)));
        let v = FlatValue::Form(Edn::Value(datom.v));
        expansion.push(false, e, a, v, form)?;
    }
    Ok(())
}

fn retract_attribute(
    expansion: &mut Expansion<'_>,
    e: &Edn,
    a: &Edn,
    form: &Arc<Edn>,
) -> Result<(), TxError> {
    ident_form(a)?;
    check_no_name(e)?;
    if is_tempid(expansion.db, e) {
        expansion.attribute(a)?;
        return Ok(());
    }
    let e = resolve_plain(expansion.db, e)?.ok_or(TxError::NotAnEntity { form: e.into() })?;
    let a = expansion.attribute(a)?;
    for datom in expansion.db.datoms_of_attribute(e, a.id)? {
        retract_datom(expansion, datom, form)?;
    }
    Ok(())
}

/// All facts about the entity, all references to it, and the same for its components. Parts come
/// before the whole, and a fact that belongs to two of them is said once.
fn retract_entity(expansion: &mut Expansion<'_>, e: &Edn, form: &Arc<Edn>) -> Result<(), TxError> {
    check_no_name(e)?;
    if is_tempid(expansion.db, e) {
        return Ok(());
    }
    let Some(root) = resolve_plain(expansion.db, e)? else {
        return Ok(());
    };
    let mut said: FxHashSet<(EntityId, EntityId, Value)> = FxHashSet::default();
    for e in with_components(expansion.db, root)?.into_iter().rev() {
        let mut datoms = expansion.db.datoms_of(e)?;
        datoms.extend(expansion.db.referrers(e)?);
        for datom in datoms {
            if said.insert((datom.e, datom.a, datom.v.clone())) {
                retract_datom(expansion, datom, form)?;
            }
        }
    }
    Ok(())
}

/// An entity, its components, and theirs: each after one that it is a part of.
fn with_components(db: &Db, root: EntityId) -> Result<Vec<EntityId>, TxError> {
    let mut found = vec![root];
    let mut seen: FxHashSet<EntityId> = found.iter().copied().collect();
    let mut at = 0;
    while let Some(e) = found.get(at).copied() {
        at += 1;
        for datom in db.datoms_of(e)? {
            let attribute = db.schema().attribute(datom.a);
            if let (true, Value::Ref(part)) = (attribute.is_some_and(|a| a.is_component), &datom.v)
                && seen.insert(*part)
            {
                found.push(*part);
            }
        }
    }
    Ok(found)
}

fn cas(
    expansion: &mut Expansion<'_>,
    e: &Edn,
    a: &Edn,
    old: &Edn,
    new: &Edn,
    form: &Arc<Edn>,
) -> Result<(), TxError> {
    if e.is_nil() || a.is_nil() || new.is_nil() {
        return Err(TxError::InvalidCas { form: form.into() });
    }
    let attribute = expansion.attribute(a)?;
    if attribute.is_many() {
        return Err(TxError::InvalidCasMany {
            attribute: attribute.ident.clone(),
            form: form.into(),
        });
    }
    check_no_name(e)?;
    let is_temp = is_tempid(expansion.db, e);
    let entity = match is_temp {
        true => None,
        false => resolve_plain(expansion.db, e)?,
    };
    let actual = match entity {
        None => None,
        Some(e) => expansion
            .db
            .datoms_of_attribute(e, attribute.id)?
            .into_iter()
            .next(),
    };
    let actual = actual.map(|datom| datom.v);
    let equal = match (&actual, old) {
        (None, Edn::Nil) => true,
        (Some(actual), old) => cas_equal_form(actual, old),
        (None, _) => false,
    };
    if !equal {
        return Err(TxError::CasFailed {
            entity: e.clone(),
            attribute: attribute.ident.clone(),
            expected: Box::new(old.clone()),
            actual: Box::new(actual.map_or(Edn::Nil, Edn::from)),
            form: form.into(),
        });
    }
    let e = match entity {
        Some(entity) => Ent::Form(Edn::Value(Value::Ref(entity))),
        None if is_temp => Ent::Form(e.clone()),
        None => return Err(TxError::NotAnEntity { form: e.into() }),
    };
    expansion.push(true, e, attribute, FlatValue::Form(new.clone()), form)
}

/// A tuple compares slot by slot with what is written as a vector.
fn cas_equal_form(actual: &Value, old: &Edn) -> bool {
    match (actual, old) {
        (Value::Tuple(slots), Edn::Vector(items) | Edn::List(items)) => {
            slots.len() == items.len()
                && slots.iter().zip(items).all(|(slot, item)| match slot {
                    None => item.is_nil(),
                    Some(slot) => cas_equal_form(slot, item),
                })
        }
        (actual, old) => old.as_value().is_some_and(|old| cas_equal(actual, old)),
    }
}

/// Clojure's `=`: integers by number, decimals by number, never across kinds.
fn cas_equal(actual: &Value, old: &Value) -> bool {
    match (actual, old) {
        (Value::BigDec(a), Value::BigDec(b)) => a.cmp_number(b).is_eq(),
        (Value::Double(a), Value::Double(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Float(a), Value::Double(b)) => f64::from(*a) == *b,
        (actual, old) => actual.join_eq(old),
    }
}
