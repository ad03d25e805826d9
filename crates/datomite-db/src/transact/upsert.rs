//! Upsert: decides which temporary ids already name an entity.
//!
//! A tempid joined to a `:db.unique/identity` attribute whose value is present *is* that entity.
//! One round, as Datomic:
//!   1. look up every (attribute, value) pair that mentions no tempid; of several hits for one
//!      tempid the last wins;
//!   2. unite tempids that assert the same not-yet-stored pair, transitively;
//!   3. what becomes known only now is not looked up again: the uniqueness check finds it.
//! New ids are given in `allocate.rs`. Looks at the basis without any view, as Datomic does.

use datomite_model::{EntityId, Unique, Value};
use rustc_hash::FxHashMap;

use super::error::TxError;
use super::op::{Place, TempId, TempOp, TempValue, Tempids};
use crate::Db;

/// What each tempid is: a known entity, or the representative of a class of new ones.
#[derive(Debug)]
pub(super) struct Upserted {
    known: Vec<Option<EntityId>>,
    parent: Vec<TempId>,
}

impl Upserted {
    /// The representative of a tempid's class.
    pub(super) fn find(&self, id: TempId) -> TempId {
        let mut here = id;
        while self.parent[here.at()] != here {
            here = self.parent[here.at()];
        }
        here
    }

    /// The entity that a tempid names already.
    pub(super) fn known(&self, id: TempId) -> Option<EntityId> {
        self.known[id.at()].or_else(|| self.known[self.find(id).at()])
    }

    /// Puts two tempids in one class; the earlier one speaks for it. Two that are known to be
    /// different entities stay apart.
    fn unite(&mut self, a: TempId, b: TempId) {
        let (a, b) = (self.find(a), self.find(b));
        if a == b || (self.known[a.at()].is_some() && self.known[b.at()].is_some()) {
            return;
        }
        let (first, second) = if a < b { (a, b) } else { (b, a) };
        self.known[first.at()] = self.known[first.at()].or(self.known[second.at()]);
        self.parent[second.at()] = first;
    }
}

/// Resolves what the identities of the transaction say about its tempids.
pub(super) fn upsert(db: &Db, tempids: &Tempids, ops: &[TempOp]) -> Result<Upserted, TxError> {
    let basis = db.basis();
    let mut upserted =
        Upserted { known: vec![None; tempids.len()], parent: tempids.ids().collect() };
    let mut stored: FxHashMap<(EntityId, &Value), Option<EntityId>> = FxHashMap::default();
    let mut new: FxHashMap<(EntityId, &TempValue), TempId> = FxHashMap::default();
    let mut unions: Vec<(TempId, TempId)> = Vec::new();
    for op in ops {
        let (true, Place::Temp(temp), Some(Unique::Identity)) = (op.added, op.e, op.a.unique)
        else {
            continue;
        };
        if let TempValue::Value(value) = &op.v {
            let key = (op.a.id, value);
            let holder = match stored.get(&key) {
                Some(holder) => *holder,
                None => {
                    let holder = basis.holder(op.a.id, value)?;
                    stored.insert(key, holder);
                    holder
                }
            };
            if holder.is_some() {
                upserted.known[temp.at()] = holder;
                continue;
            }
        }
        match new.get(&(op.a.id, &op.v)) {
            Some(first) => unions.push((*first, temp)),
            None => drop(new.insert((op.a.id, &op.v), temp)),
        }
    }
    for (first, second) in unions {
        upserted.unite(first, second);
    }
    Ok(upserted)
}
