//! Reading: an element of transaction data to a `RawOp`. Knows the forms, resolves nothing.

use std::sync::Arc;

use datomite_model::{Edn, Keyword, Value};

use super::error::TxError;
use super::op::RawOp;
use crate::bootstrap::id;
use crate::ident::ident_form;

/// The elements of transaction data, also of what a transaction function gave; nil is none.
pub(super) fn elements(form: Edn) -> Result<Vec<Edn>, TxError> {
    match form {
        Edn::Nil => Ok(Vec::new()),
        Edn::List(items) | Edn::Vector(items) => Ok(items),
        form => Err(TxError::NotTransactionData { form: form.into() }),
    }
}

/// Reads one element.
pub(super) fn read(form: Edn) -> Result<RawOp, TxError> {
    match &form {
        Edn::List(parts) | Edn::Vector(parts) => {
            let first = parts.first().ok_or_else(|| TxError::TooShort {
                form: (&form).into(),
            })?;
            let operation = operation(first)?;
            read_list(operation, form)
        }
        Edn::Map(_) => read_map(form),
        _ => Err(TxError::NotTransactionData { form: form.into() }),
    }
}

fn read_list(operation: Operation, form: Edn) -> Result<RawOp, TxError> {
    let length = form.as_sequence().map_or(0, <[Edn]>::len);
    match operation {
        Operation::Function => Ok(RawOp::Call {
            form: Arc::new(form),
        }),
        Operation::Retract if length == 3 => Ok(RawOp::Call {
            form: Arc::new(form),
        }),
        _ if length < 4 => Err(TxError::TooShort { form: form.into() }),
        Operation::Add => Ok(RawOp::Fact {
            added: true,
            form: Arc::new(form),
        }),
        Operation::Retract => Ok(RawOp::Fact {
            added: false,
            form: Arc::new(form),
        }),
    }
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

fn read_map(form: Edn) -> Result<RawOp, TxError> {
    let named = |directive: &str| -> Result<Option<Vec<(Edn, Edn)>>, TxError> {
        let directive = Keyword::parse(directive);
        let Some(value) = form.get(&Edn::from(directive.clone())) else {
            return Ok(None);
        };
        match value.as_map() {
            Some(entries) => Ok(Some(entries.to_vec())),
            None => Err(TxError::InvalidPartitionMap {
                directive,
                form: value.into(),
            }),
        }
    };
    let force = named("db/force-partition")?;
    let matching = named("db/match-partition")?;
    if force.is_some() || matching.is_some() {
        return Ok(RawOp::Partitions {
            force: force.unwrap_or_default(),
            matching: matching.unwrap_or_default(),
        });
    }
    Ok(RawOp::Map {
        form: Arc::new(form),
    })
}
