//! What must hold besides types: attribute predicates on asserted values, entity specs on the
//! database after the transaction. Both must answer exactly true.

use std::sync::Arc;

use datomite_model::{Attribute, Datom, Edn, EntityId, Symbol, Value};

use super::core;
use super::error::TxError;
use super::op::Op;
use super::told::{Form, nearest_functions};
use crate::Db;
use crate::bootstrap::id;

/// What a fact asks for besides its types.
#[derive(Debug)]
pub(super) enum Check {
    /// The predicates of an attribute on a value that is asserted, redundant or not.
    Value(EntityId, Arc<Attribute>, Value, Arc<Edn>),
    /// A spec on an entity.
    Entity(EntityId, EntityId, Arc<Edn>),
}

/// What the facts ask for, in their order. Takes `:db/ensure` out: it is asked, never stored.
pub(super) fn take_checks(ops: &mut Vec<Op>) -> Vec<Check> {
    let mut checks = Vec::new();
    for op in ops.iter().filter(|op| op.added) {
        match &op.v {
            Value::Ref(spec) if op.a.id == id::ENSURE => {
                checks.push(Check::Entity(op.e, *spec, Arc::clone(&op.form)));
            }
            v if !op.a.preds.is_empty() => {
                checks.push(Check::Value(
                    op.e,
                    Arc::clone(&op.a),
                    v.clone(),
                    Arc::clone(&op.form),
                ));
            }
            _ => {}
        }
    }
    ops.retain(|op| op.a.id != id::ENSURE);
    checks
}

/// Asks all of it, at last the predicates of composites.
pub(super) fn check(
    before: &Db,
    after: &Db,
    checks: &[Check],
    datoms: &[Datom],
) -> Result<(), TxError> {
    for check in checks {
        let (done, form) = match check {
            Check::Value(e, attribute, v, form) => (check_value(before, *e, attribute, v), form),
            Check::Entity(e, spec, form) => (check_entity(before, after, *e, *spec), form),
        };
        done.map_err(|error| error.in_element(form))?;
    }
    for datom in datoms.iter().filter(|datom| datom.added) {
        let attribute = before.schema().attribute(datom.a);
        if let Some(attribute) = attribute.filter(|a| a.is_composite()) {
            check_value(before, datom.e, attribute, &datom.v)?;
        }
    }
    Ok(())
}

fn check_value(
    db: &Db,
    e: EntityId,
    attribute: &Arc<Attribute>,
    value: &Value,
) -> Result<(), TxError> {
    for name in &attribute.preds {
        let returned = call_value(db, name, value)?;
        if returned != Edn::from(true) {
            return Err(TxError::AttrPred {
                entity: e.into(),
                attribute: attribute.ident.clone(),
                value: value.clone(),
                predicate: name.clone(),
                returned: Box::new(returned),
                form: Form::default(),
            });
        }
    }
    Ok(())
}

fn call_value(db: &Db, name: &Symbol, value: &Value) -> Result<Edn, TxError> {
    let failed = |error| TxError::FunctionFailed {
        function: name.clone(),
        form: Edn::from(value.clone()).into(),
        error: Box::new(error),
    };
    let own = db.functions().get(name);
    match own.and_then(|function| function.of_value(value)) {
        Some(answer) => answer.map_err(failed),
        None => match core::predicate(name, value) {
            Some(answer) => answer.map_err(failed),
            None => Err(not_found(db, name, Edn::from(value.clone()))),
        },
    }
}

/// Checks an entity against a spec, which is that of the database before.
fn check_entity(before: &Db, after: &Db, e: EntityId, spec: EntityId) -> Result<(), TxError> {
    let said = |a| before.basis().datoms_of_attribute(spec, a);
    let mut missing = Vec::new();
    for datom in said(id::ENTITY_ATTRS)? {
        let Value::Keyword(ident) = &datom.v else {
            continue;
        };
        let present = match after.schema().entid(ident) {
            Some(a) => !after.datoms_of_attribute(e, a)?.is_empty(),
            None => false,
        };
        if !present {
            missing.push(ident.clone());
        }
    }
    if !missing.is_empty() {
        return Err(TxError::EntityAttr {
            entity: e.into(),
            missing,
            spec: spec.into(),
            form: Form::default(),
        });
    }
    for datom in said(id::ENTITY_PREDS)? {
        if let Value::Symbol(predicate) = &datom.v {
            ask_entity(after, e, spec, predicate)?;
        }
    }
    Ok(())
}

fn ask_entity(after: &Db, e: EntityId, spec: EntityId, predicate: &Symbol) -> Result<(), TxError> {
    let own = after.functions().get(predicate);
    let Some(returned) = own.and_then(|function| function.of_entity(after, e)) else {
        return Err(not_found(after, predicate, Edn::from(Value::Ref(e))));
    };
    let returned = returned.map_err(|error| TxError::FunctionFailed {
        function: predicate.clone(),
        form: Edn::from(Value::Ref(e)).into(),
        error: Box::new(error),
    })?;
    if returned == Edn::from(true) {
        return Ok(());
    }
    Err(TxError::EntityPred {
        entity: e.into(),
        predicate: predicate.clone(),
        spec: spec.into(),
        returned: Box::new(returned),
        form: Form::default(),
    })
}

fn not_found(db: &Db, function: &Symbol, of: Edn) -> TxError {
    TxError::FunctionNotFound {
        function: function.clone(),
        nearest: nearest_functions(db, function),
        form: of.into(),
    }
}
