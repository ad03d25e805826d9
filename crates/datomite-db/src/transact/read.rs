//! Reading: elements of transaction data to `RawOp`s. Knows the forms, resolves nothing.

use datomite_model::{Edn, Value};

use super::error::TxError;
use super::op::RawOp;
use super::TxData;
use crate::bootstrap::id;
use crate::ident::ident_form;

/// Reads the elements of transaction data. nil is an empty transaction.
pub(super) fn read(tx_data: TxData) -> Result<Vec<RawOp>, TxError> {
    let TxData(form) = tx_data;
    read_forms(form)
}

/// Reads what a transaction function gave.
pub(super) fn read_forms(form: Edn) -> Result<Vec<RawOp>, TxError> {
    match form {
        Edn::Nil => Ok(Vec::new()),
        Edn::List(items) | Edn::Vector(items) => items.into_iter().map(read_element).collect(),
        form => Err(TxError::NotTransactionData { form }),
    }
}

fn read_element(form: Edn) -> Result<RawOp, TxError> {
    match &form {
        Edn::List(parts) | Edn::Vector(parts) => read_list(parts, &form),
        Edn::Map(entries) => Ok(read_map(entries, &form)),
        _ => Err(TxError::NotTransactionData { form }),
    }
}

fn read_list(parts: &[Edn], form: &Edn) -> Result<RawOp, TxError> {
    let short = || TxError::TooShort { form: form.clone() };
    let op = parts.first().ok_or_else(short)?;
    let part = |at: usize| parts.get(at).cloned().ok_or_else(short);
    let fact = |added| -> Result<RawOp, TxError> {
        Ok(RawOp::Fact { added, e: part(1)?, a: part(2)?, v: part(3)?, form: form.clone() })
    };
    match operation(op)? {
        Operation::Add => fact(true),
        Operation::Retract if parts.len() == 3 => Ok(call(op, parts, form)),
        Operation::Retract => fact(false),
        Operation::Function => Ok(call(op, parts, form)),
    }
}

fn call(function: &Edn, parts: &[Edn], form: &Edn) -> RawOp {
    RawOp::Call { function: function.clone(), args: parts[1..].to_vec(), form: form.clone() }
}

enum Operation {
    Add,
    Retract,
    Function,
}

/// The operation may be a keyword, `":db/add"`, a symbol or the entity id of either.
fn operation(form: &Edn) -> Result<Operation, TxError> {
    if let Edn::Value(Value::Long(n)) = form {
        return Ok(match u64::try_from(*n) {
            Ok(n) if n == id::ADD.raw() => Operation::Add,
            Ok(n) if n == id::RETRACT.raw() => Operation::Retract,
            _ => Operation::Function,
        });
    }
    let name = ident_form(form)?;
    Ok(match name.as_ref().map(|name| name.as_str()) {
        Some("db/add") => Operation::Add,
        Some("db/retract") => Operation::Retract,
        _ => Operation::Function,
    })
}

fn read_map(entries: &[(Edn, Edn)], form: &Edn) -> RawOp {
    let named = |name: &str| -> Option<Vec<(Edn, Edn)>> {
        let (_, value) = entries.iter().find(|(key, _)| *key == Edn::keyword(name))?;
        Some(value.as_map().map(<[_]>::to_vec).unwrap_or_default())
    };
    let force = named("db/force-partition");
    let matching = named("db/match-partition");
    if force.is_some() || matching.is_some() {
        return RawOp::Partitions {
            force: force.unwrap_or_default(),
            matching: matching.unwrap_or_default(),
        };
    }
    RawOp::Map { entries: entries.to_vec(), form: form.clone() }
}
