//! What must hold besides types: attribute predicates on asserted values, entity specs on the
//! database after the transaction. Both must answer exactly true.

use std::sync::Arc;

use datomite_model::{Datom, Edn, EntityId, Symbol, Value};

use super::core;
use super::error::TxError;
use super::op::Op;
use crate::Db;
use crate::bootstrap::id;

/// Takes `:db/ensure` out of the facts: it is asked, never stored.
pub(super) fn take_ensures(ops: &mut Vec<Op>) -> Vec<(EntityId, EntityId)> {
    let mut ensures = Vec::new();
    ops.retain(|op| {
        if op.a.id != id::ENSURE {
            return true;
        }
        if let (Value::Ref(spec), true) = (&op.v, op.added) {
            ensures.push((op.e, *spec));
        }
        false
    });
    ensures
}

/// Asks the predicates of the attributes of every assertion, redundant ones included.
pub(super) fn check_values(db: &Db, ops: &[Op], composed: &[Datom]) -> Result<(), TxError> {
    for op in ops.iter().filter(|op| op.added && !op.a.preds.is_empty()) {
        check_value(db, op.e, &op.a, &op.v)?;
    }
    for datom in composed.iter().filter(|datom| datom.added) {
        if let Some(attribute) = db.schema().attribute(datom.a).filter(|a| a.is_composite()) {
            check_value(db, datom.e, attribute, &datom.v)?;
        }
    }
    Ok(())
}

fn check_value(
    db: &Db,
    e: EntityId,
    attribute: &Arc<datomite_model::Attribute>,
    value: &Value,
) -> Result<(), TxError> {
    for name in &attribute.preds {
        let returned = call_value(db, name, value)?;
        if returned != Edn::from(true) {
            return Err(TxError::AttrPred {
                entity: e,
                attribute: attribute.ident.clone(),
                value: value.clone(),
                predicate: name.clone(),
                returned: Box::new(returned),
            });
        }
    }
    Ok(())
}

fn call_value(db: &Db, name: &Symbol, value: &Value) -> Result<Edn, TxError> {
    let failed = |error| TxError::FunctionFailed {
        function: name.clone(),
        form: Edn::from(value.clone()),
        error: Box::new(error),
    };
    let own = db.functions().get(name);
    match own.and_then(|function| function.of_value(value)) {
        Some(answer) => answer.map_err(failed),
        None => match core::predicate(name, value) {
            Some(answer) => answer.map_err(failed),
            None => Err(TxError::FunctionNotFound {
                function: name.clone(),
            }),
        },
    }
}

/// Checks entities against their specs; the specs are those of the database before.
pub(super) fn check_entities(
    before: &Db,
    after: &Db,
    ensures: &[(EntityId, EntityId)],
) -> Result<(), TxError> {
    for (e, spec) in ensures {
        let mut missing = Vec::new();
        for datom in before
            .basis()
            .datoms_of_attribute(*spec, id::ENTITY_ATTRS)?
        {
            let Value::Keyword(ident) = &datom.v else {
                continue;
            };
            let attribute = after.schema().entid(ident);
            let present = match attribute {
                Some(a) => !after.datoms_of_attribute(*e, a)?.is_empty(),
                None => false,
            };
            if !present {
                missing.push(ident.clone());
            }
        }
        if !missing.is_empty() {
            let spec = name(before, *spec);
            return Err(TxError::EntityAttr {
                entity: *e,
                missing,
                spec,
            });
        }
        for datom in before
            .basis()
            .datoms_of_attribute(*spec, id::ENTITY_PREDS)?
        {
            if let Value::Symbol(predicate) = &datom.v {
                check_entity(before, after, *e, *spec, predicate)?;
            }
        }
    }
    Ok(())
}

fn check_entity(
    before: &Db,
    after: &Db,
    e: EntityId,
    spec: EntityId,
    predicate: &Symbol,
) -> Result<(), TxError> {
    let own = after.functions().get(predicate);
    let Some(returned) = own.and_then(|function| function.of_entity(after, e)) else {
        return Err(TxError::FunctionNotFound {
            function: predicate.clone(),
        });
    };
    let returned = returned.map_err(|error| TxError::FunctionFailed {
        function: predicate.clone(),
        form: Edn::from(Value::Ref(e)),
        error: Box::new(error),
    })?;
    if returned == Edn::from(true) {
        return Ok(());
    }
    let spec = name(before, spec);
    Err(TxError::EntityPred {
        entity: e,
        predicate: predicate.clone(),
        spec,
        returned,
    })
}

fn name(db: &Db, e: EntityId) -> Edn {
    match db.ident(e) {
        Some(ident) => Edn::Value(Value::Keyword(ident)),
        None => Edn::from(Value::Ref(e)),
    }
}
