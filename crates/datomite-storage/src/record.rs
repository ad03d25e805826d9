//! The log record: everything one transaction did, after all decisions.

use datomite_model::{Datom, EntityId, Index, Instant, T};

use crate::Basis;

/// One transaction as the log keeps it. Replay is insertion: nothing is decided again.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// The transaction's t.
    pub t: T,
    /// Its `:db/txInstant`.
    pub instant: Instant,
    /// The t that the next transaction gets.
    pub next_t: T,
    /// The counter of the next schema element (attribute, partition).
    pub next_element: u64,
    /// In the order of tx-data, with Datomic's duplicates.
    pub datoms: Vec<Datom>,
    /// Attributes that joined or left an index in this transaction.
    pub index_changes: Vec<IndexChange>,
}

/// From this transaction on, `index` does or does not hold the datoms of `attribute`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IndexChange {
    /// The attribute.
    pub attribute: EntityId,
    /// AVET or VAET.
    pub index: Index,
    /// On or off.
    pub on: bool,
}

impl Record {
    /// How far the database has come after this transaction.
    pub fn basis(&self) -> Basis {
        Basis {
            t: self.t,
            next_t: self.next_t,
            next_element: self.next_element,
        }
    }
}
