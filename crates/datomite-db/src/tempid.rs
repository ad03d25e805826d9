//! The small functions of `datomic.api` about ids: between t and transaction, and tempids.

use std::collections::BTreeMap;

use datomite_model::{Edn, EntityId, Partition, T, Uuid};

use crate::{Db, DbError, TxReport};

/// The transaction entity of a t: pure arithmetic, as Datomic's `t->tx`.
pub fn t_to_tx(t: T) -> EntityId {
    t.tx()
}

/// The t of a transaction entity; of any other entity its counter, as Datomic's `tx->t`.
pub fn tx_to_t(tx: EntityId) -> T {
    tx.t()
}

/// A tempid by name, for transaction data: the same name is the same entity in one transaction.
///
/// `"datomic.tx"` names the transaction itself.
pub fn tempid(name: &str) -> Edn {
    Edn::string(name)
}

/// The entity that a tempid became; `None` where the transaction did not mention it.
pub fn resolve_tempid(tempids: &BTreeMap<Edn, EntityId>, tempid: &Edn) -> Option<EntityId> {
    tempids.get(tempid).copied()
}

/// The time that a uuid of [`crate::Connection::squuid`] was made at, in milliseconds of whole
/// seconds.
pub fn squuid_time_millis(uuid: Uuid) -> i64 {
    // The upper 32 bits are seconds.
    (uuid.as_u128() >> 96) as i64 * 1000
}

/// The id with the counter of a t in a partition: a place to seek from in EAVT.
pub fn entid_at(partition: Partition, t: T) -> EntityId {
    partition.entity(t.raw())
}

impl TxReport {
    /// The entity that a tempid became.
    pub fn resolve(&self, tempid: &str) -> Option<EntityId> {
        resolve_tempid(&self.tempids, &Edn::string(tempid))
    }
}

impl Db {
    /// The partition that an entity lies in, as the id of the partition's own entity.
    pub fn part(&self, form: &Edn) -> Result<EntityId, DbError> {
        let partition = self.require_entid(form)?.partition();
        Ok(match partition.implicit_number() {
            Some(_) => partition.entity(0),
            None => EntityId::new(u64::from(partition.number())),
        })
    }
}
