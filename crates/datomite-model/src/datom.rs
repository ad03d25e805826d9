//! The datom: one fact, added or retracted by one transaction.

use std::fmt;

use crate::{EntityId, T, Value};

/// One fact: entity, attribute, value, the transaction that said it, and whether it was added.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Datom {
    /// The entity.
    pub e: EntityId,
    /// The attribute, by id.
    pub a: EntityId,
    /// The value.
    pub v: Value,
    /// The transaction entity.
    pub tx: EntityId,
    /// True for an assertion, false for a retraction.
    pub added: bool,
}

impl Datom {
    /// The t of the transaction.
    pub fn t(&self) -> T {
        self.tx.t()
    }
}

impl fmt::Display for Datom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "[{} {} {} {} {}]",
            self.e, self.a, self.v, self.tx, self.added
        )
    }
}
