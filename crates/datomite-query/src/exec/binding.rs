//! Taking values apart by a binding form: arguments of the query and results of functions.
//!
//! A repeated variable must agree with itself; forms nest. What is too short for its tuple is an
//! error, what is longer is not.

use datomite_model::{Edn, Value};

use crate::QueryError;
use crate::ast::{Binding, Var};
use crate::meet::Meet;
use crate::options::{Growth, Limits};
use crate::relation::{Col, Relation};
use crate::weigh;

type Row = Vec<(Var, Edn)>;

/// The elements of what can be walked.
pub(crate) fn elements(form: &Edn) -> Option<Vec<Edn>> {
    Some(match form {
        Edn::Nil => Vec::new(),
        Edn::List(items) | Edn::Vector(items) | Edn::Set(items) => items.clone(),
        Edn::Map(entries) => entries
            .iter()
            .map(|(k, v)| Edn::Vector(vec![k.clone(), v.clone()]))
            .collect(),
        Edn::Value(Value::String(text)) => text.chars().map(Edn::Char).collect(),
        _ => return None,
    })
}

/// Bytes of a row of a binding, and of each of its values.
const ROW_BYTES: usize = size_of::<Row>() + 2 * size_of::<(Var, Edn)>();

/// The rows that a value gives under a binding.
pub(super) fn expand(
    binding: &Binding,
    value: &Edn,
    growth: &mut Growth<'_>,
) -> Result<Vec<Row>, QueryError> {
    match binding {
        Binding::Blank => Ok(vec![Row::new()]),
        Binding::Scalar(var) => Ok(vec![vec![(*var, value.clone())]]),
        Binding::Tuple(parts) => tuple(parts, value, growth),
        Binding::Collection(part) => {
            let items = elements(value).ok_or_else(|| mismatch(value, "expected a collection"))?;
            growth.add_each(items.len(), ROW_BYTES)?;
            let mut rows = Vec::new();
            for item in &items {
                growth.limits().tick()?;
                growth.add(weigh::copied(item))?;
                rows.extend(expand(part, item, growth)?);
            }
            Ok(rows)
        }
        Binding::Relation(parts) => {
            let items = elements(value).ok_or_else(|| mismatch(value, "expected tuples"))?;
            growth.add_each(items.len(), ROW_BYTES)?;
            let mut rows = Vec::new();
            for item in &items {
                growth.limits().tick()?;
                growth.add(weigh::copied(item))?;
                rows.extend(tuple(parts, item, growth)?);
            }
            Ok(rows)
        }
    }
}

fn tuple(parts: &[Binding], value: &Edn, growth: &mut Growth<'_>) -> Result<Vec<Row>, QueryError> {
    let items = match value {
        Edn::List(items) | Edn::Vector(items) => items.clone(),
        Edn::Value(Value::String(_)) => elements(value).unwrap_or_default(),
        // What a row of nil holds is nil.
        Edn::Nil => vec![Edn::Nil; parts.len()],
        _ => return Err(mismatch(value, "expected a tuple")),
    };
    if items.len() < parts.len() {
        return Err(mismatch(value, "the tuple is too short"));
    }
    let mut rows: Vec<Row> = vec![Row::new()];
    for (part, item) in parts.iter().zip(&items) {
        let found = expand(part, item, growth)?;
        rows = match found.as_slice() {
            [one] => rows.into_iter().filter_map(|row| agree(row, one)).collect(),
            many => all_with(&rows, many, growth)?,
        };
    }
    Ok(rows)
}

/// Every row with each of the findings that it agrees with.
fn all_with(rows: &[Row], found: &[Row], growth: &mut Growth<'_>) -> Result<Vec<Row>, QueryError> {
    let mut all = Vec::new();
    for row in rows {
        growth.limits().rows(all.len())?;
        growth.add_each(found.len(), ROW_BYTES + row.len() * size_of::<(Var, Edn)>())?;
        all.extend(found.iter().filter_map(|found| agree(row.clone(), found)));
    }
    Ok(all)
}

/// The row with more values; `None` where a variable would have two.
fn agree(mut row: Row, more: &Row) -> Option<Row> {
    for (var, value) in more {
        match row.iter().find(|(known, _)| known == var) {
            Some((_, known)) if !Meet::Clojure.forms(known, value) => return None,
            Some(_) => {}
            None => row.push((*var, value.clone())),
        }
    }
    Some(row)
}

fn mismatch(value: &Edn, message: &'static str) -> QueryError {
    QueryError::BindingMismatch {
        binding: Edn::Nil,
        found: value.clone(),
        message,
    }
}

/// The relation that an argument gives.
pub(crate) fn input_relation(
    binding: &Binding,
    value: &Edn,
    limits: &Limits,
) -> Result<Relation, QueryError> {
    let mut vars = Vec::new();
    binding.variables(&mut vars);
    let rows = expand(binding, value, &mut limits.growth())?;
    let len = rows.len();
    let mut cols: Vec<Vec<Edn>> = vars.iter().map(|_| Vec::with_capacity(len)).collect();
    for row in rows {
        for (var, value) in row {
            if let Some(at) = vars.iter().position(|v| *v == var) {
                cols[at].push(value);
            }
        }
    }
    let constant = matches!(binding, Binding::Scalar(_) | Binding::Tuple(_)) && len == 1;
    let col = |mut forms: Vec<Edn>| match (constant, forms.pop()) {
        (true, Some(form)) => Col::Const(form),
        (_, last) => {
            forms.extend(last);
            Col::of_forms(forms)
        }
    };
    let cols = cols.into_iter().map(col).collect();
    Relation::new(vars.clone(), cols, len).project(&vars, limits)
}
