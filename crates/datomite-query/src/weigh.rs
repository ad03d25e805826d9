//! How much memory a form takes, and how deep it nests.
//!
//! Only what a copy of the form would allocate is counted: strings and numbers of any size are
//! shared, collections are not. `weight` also counts what is shared, for values that are new.

use datomite_model::{DEPTH_MAX, Edn, Value};

use crate::QueryError;
use crate::options::Limits;

/// Bytes of a form where it stands.
pub(crate) const FORM: u64 = size_of::<Edn>() as u64;

/// What copying the form allocates, besides the form itself.
pub(crate) fn copied(form: &Edn) -> u64 {
    match form {
        Edn::List(items) | Edn::Vector(items) | Edn::Set(items) => {
            items.iter().map(|item| FORM + copied(item)).sum()
        }
        Edn::Map(entries) => entries
            .iter()
            .map(|(key, value)| 2 * FORM + copied(key) + copied(value))
            .sum(),
        Edn::Tagged(_, inner) => FORM + copied(inner),
        _ => 0,
    }
}

/// All that belongs to a new form.
pub(crate) fn weight(form: &Edn) -> u64 {
    FORM + match form {
        Edn::List(items) | Edn::Vector(items) | Edn::Set(items) => items.iter().map(weight).sum(),
        Edn::Map(entries) => entries
            .iter()
            .map(|(key, value)| weight(key) + weight(value))
            .sum(),
        Edn::Tagged(_, inner) => weight(inner),
        Edn::Value(Value::String(text)) => text.len() as u64,
        Edn::Value(Value::Bytes(bytes)) => bytes.len() as u64,
        Edn::Value(Value::BigInt(n)) => n.bits() / 8,
        _ => 0,
    }
}

/// Whether the form nests deeper than that. Walks without recursion.
pub(crate) fn is_deeper(form: &Edn, limit: usize) -> bool {
    let mut open: Vec<(&Edn, usize)> = vec![(form, 1)];
    while let Some((form, depth)) = open.pop() {
        if depth > limit {
            return true;
        }
        match form {
            Edn::List(items) | Edn::Vector(items) | Edn::Set(items) => {
                let items = items.iter().filter(|item| is_collection(item));
                open.extend(items.map(|item| (item, depth + 1)));
            }
            Edn::Map(entries) => {
                let both = entries.iter().flat_map(|(key, value)| [key, value]);
                open.extend(
                    both.filter(|item| is_collection(item))
                        .map(|item| (item, depth + 1)),
                );
            }
            Edn::Tagged(_, item) => open.push((item, depth + 1)),
            _ => {}
        }
    }
    false
}

fn is_collection(form: &Edn) -> bool {
    matches!(
        form,
        Edn::List(_) | Edn::Vector(_) | Edn::Set(_) | Edn::Map(_) | Edn::Tagged(..)
    )
}

/// Refuses a form that nests deeper than text may: whatever walks forms may rely on it.
pub(crate) fn check_depth(form: &Edn) -> Result<(), QueryError> {
    if is_collection(form) && is_deeper(form, DEPTH_MAX) {
        return Err(QueryError::TooDeep {
            what: "forms",
            limit: DEPTH_MAX,
            place: None,
        });
    }
    Ok(())
}

/// Refuses a new value that nests too deep or is too large.
pub(crate) fn check_value(form: &Edn, limits: Option<&Limits>) -> Result<(), QueryError> {
    check_depth(form)?;
    match limits {
        Some(limits) if is_collection(form) => limits.bytes(weight(form)),
        _ => Ok(()),
    }
}
