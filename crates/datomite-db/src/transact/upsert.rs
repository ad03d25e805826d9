//! Upsert: decides which temporary ids already name an entity.
//!
//! A tempid joined to a `:db.unique/identity` attribute whose value is present *is* that entity;
//! a retraction of a present one counts too. One round in the order of the transaction, as Datomic:
//!   1. look up every (attribute, value) pair that mentions no tempid; of several hits for one
//!      tempid the last wins;
//!   2. a pair that is not stored belongs to the first tempid that asserts it, as that one is
//!      known then: the entity it was found to be before, else its class of tempids. What it is
//!      found to be later is its own and not its class's;
//!   3. what becomes known only now is not looked up again: the uniqueness check finds it.
//!
//! New ids are given in `allocate.rs`. Looks at the basis without any view, as Datomic does.

use std::collections::hash_map::Entry;

use datomite_model::{EntityId, Unique, Value};
use rustc_hash::FxHashMap;

use super::error::TxError;
use super::op::{Place, TempId, TempOp, TempValue, Tempids};
use crate::Db;

/// What each tempid is: a known entity, or the representative of a class of new ones.
#[derive(Debug)]
pub(super) struct Upserted {
    /// What a tempid was found to be itself.
    known: Vec<Option<EntityId>>,
    /// What a class was found to be, by its representative.
    class_known: Vec<Option<EntityId>>,
    parent: Vec<TempId>,
    /// Whether the first fact about a tempid found what it is.
    at_once: Vec<bool>,
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

    /// As [`Upserted::find`]; shortens the way, so that long chains stay cheap.
    fn find_shortening(&mut self, id: TempId) -> TempId {
        let mut here = id;
        while self.parent[here.at()] != here {
            let above = self.parent[here.at()];
            self.parent[here.at()] = self.parent[above.at()];
            here = above;
        }
        here
    }

    /// Puts every tempid right below its representative.
    fn flatten(&mut self, tempids: &Tempids) {
        for temp in tempids.ids() {
            self.parent[temp.at()] = self.find_shortening(temp);
        }
    }

    /// The entity that a tempid names already.
    pub(super) fn known(&self, id: TempId) -> Option<EntityId> {
        self.known[id.at()].or_else(|| self.class_known[self.find(id).at()])
    }

    /// Whether the first fact about a tempid found what it is: another one has cost an id by then.
    pub(super) fn at_once(&self, id: TempId) -> bool {
        self.at_once[id.at()]
    }

    /// Puts a tempid in the class of the one that asserted a pair first, which speaks for it.
    fn unite(&mut self, owner: TempId, temp: TempId) {
        let (first, second) = (self.find_shortening(owner), self.find_shortening(temp));
        self.parent[second.at()] = first;
        self.class_known[first.at()] =
            self.class_known[first.at()].or(self.class_known[second.at()]);
    }

    /// A tempid asserts a pair that `owner` asserted first.
    fn join(&mut self, owner: Place, temp: TempId) {
        self.find_shortening(temp);
        match (owner, self.known(temp)) {
            (Place::Id(entity), None) => self.known[temp.at()] = Some(entity),
            (Place::Id(_), Some(_)) => {}
            (Place::Temp(first), Some(entity)) => {
                let class = self.find_shortening(first);
                self.class_known[class.at()].get_or_insert(entity);
            }
            (Place::Temp(first), None) => self.unite(first, temp),
        }
    }
}

/// Resolves what the identities of the transaction say about its tempids.
pub(super) fn upsert(db: &Db, tempids: &Tempids, ops: &[TempOp]) -> Result<Upserted, TxError> {
    let basis = db.basis();
    let mut upserted = Upserted {
        known: vec![None; tempids.len()],
        class_known: vec![None; tempids.len()],
        parent: tempids.ids().collect(),
        at_once: vec![false; tempids.len()],
    };
    let mut met = vec![false; tempids.len()];
    let mut stored: FxHashMap<(EntityId, &Value), Option<EntityId>> = FxHashMap::default();
    let mut owners: FxHashMap<(EntityId, &TempValue), Place> = FxHashMap::default();
    for op in ops {
        let Place::Temp(temp) = op.e else {
            continue;
        };
        let is_first = !std::mem::replace(&mut met[temp.at()], true);
        if op.a.unique != Some(Unique::Identity) {
            continue;
        }
        if let TempValue::Value(value) = &op.v {
            let holder = match stored.entry((op.a.id, value)) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(place) => *place.insert(basis.holder(op.a.id, value)?),
            };
            if holder.is_some() {
                upserted.known[temp.at()] = holder;
                upserted.at_once[temp.at()] |= is_first;
                continue;
            }
        }
        match owners.entry((op.a.id, &op.v)) {
            Entry::Occupied(owner) => {
                upserted.join(*owner.get(), temp);
                upserted.at_once[temp.at()] |= is_first;
            }
            Entry::Vacant(place) => {
                upserted.find_shortening(temp);
                place.insert(upserted.known(temp).map_or(Place::Temp(temp), Place::Id));
            }
        }
    }
    upserted.flatten(tempids);
    Ok(upserted)
}
