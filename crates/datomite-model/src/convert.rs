//! Between [`Value`], [`Edn`] and Rust's own types: the one file that converts.

use crate::{Edn, Value};

/// A form could not be read as the Rust type asked for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected {expected}, found {found}")]
pub struct FromEdnError {
    /// The Rust type, or its EDN kind.
    pub expected: &'static str,
    /// The form.
    pub found: Edn,
}

impl From<Value> for Edn {
    /// Tuples become vectors (gaps become nil) and refs longs; the rest stays.
    fn from(value: Value) -> Edn {
        match value {
            Value::Tuple(slots) => Edn::Vector(
                slots
                    .iter()
                    .map(|slot| slot.clone().map_or(Edn::Nil, Edn::from))
                    .collect(),
            ),
            Value::Ref(id) => Edn::Value(Value::Long(id.raw() as i64)),
            other => Edn::Value(other),
        }
    }
}
