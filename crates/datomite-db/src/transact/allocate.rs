//! Allocation: the transaction takes the next t, then its new entities in the order in which they
//! are mentioned; schema elements count on their own.
//!
//! A new entity goes to the partition that a directive, its tempid or its parent asks for, else
//! to `:db.part/user`.

use std::collections::BTreeMap;
use std::sync::Arc;

use datomite_model::{Edn, EntityId, Partition, T, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use super::error::TxError;
use super::op::{Op, Place, TempId, TempOp, TempValue, Tempids};
use super::resolve::{check_ids, named_partition, temp_form};
use super::schema::defines;
use super::upsert::Upserted;
use crate::Db;
use crate::bootstrap::id;

/// Facts with ids, and the counters after them.
#[derive(Debug)]
pub(super) struct Allocated {
    pub(super) t: T,
    pub(super) next_t: T,
    pub(super) next_element: u64,
    pub(super) ops: Vec<Op>,
    pub(super) tempids: BTreeMap<Edn, EntityId>,
    /// Entities that this transaction made: nothing about them is stored.
    pub(super) new: FxHashSet<EntityId>,
}

/// Gives every tempid an entity.
pub(super) fn allocate(
    db: &Db,
    tempids: &Tempids,
    upserted: &Upserted,
    ops: Vec<TempOp>,
    directives: Directives,
) -> Result<Allocated, TxError> {
    let partitions = Partitions::new(db, tempids, upserted, directives)?;
    check_ids(db, &ops)?;
    let used = check_used(tempids, upserted, &ops)?;
    let elements = schema_elements(upserted, &ops);
    let counted = counted(upserted, &ops);
    let t = db.next_t();
    let mut counters = Counters::new(db);
    let mut given: FxHashMap<TempId, EntityId> = FxHashMap::default();
    let mut new = FxHashSet::default();
    for temp in used {
        let class = upserted.find(temp);
        let is_found = temp != class || upserted.known(temp).is_some();
        let settled = is_found || given.contains_key(&class);
        if upserted.at_once(temp) && settled {
            continue;
        }
        let partition = partitions.of(class);
        if tempids.get(class).is_tx || partition == Partition::TX {
            given.entry(class).or_insert(t.tx());
            new.insert(t.tx());
            continue;
        }
        // Who is found by a later fact has cost an id that nobody gets.
        let is_counted = !settled && counted.contains(&class);
        let entity = if partition == Partition::DB || elements.contains(&class) {
            counters.element(is_counted)
        } else {
            counters.entity(partition, is_counted)
        };
        if !settled {
            new.insert(entity);
            given.insert(class, entity);
        }
    }
    let entity = |temp: TempId| {
        let known = upserted
            .known(temp)
            .or_else(|| given.get(&upserted.find(temp)).copied());
        known.unwrap_or(t.tx())
    };
    let named = tempids.ids().filter(|temp| {
        upserted.known(*temp).is_some() || given.contains_key(&upserted.find(*temp))
    });
    let names = named.filter_map(|temp| Some((tempids.get(temp).name.clone()?, entity(temp))));
    Ok(Allocated {
        t,
        next_t: T::new(counters.end_t),
        next_element: counters.end_element,
        tempids: names.collect(),
        ops: ops
            .into_iter()
            .filter_map(|op| settle(op, &entity))
            .collect(),
        new,
    })
}

/// The numbers that come next, and those behind the last one that counts.
struct Counters {
    next_t: u64,
    end_t: u64,
    next_element: u64,
    end_element: u64,
}

impl Counters {
    /// Behind the transaction itself.
    fn new(db: &Db) -> Counters {
        let (t, element) = (db.next_t().raw() + 1, db.next_element());
        Counters {
            next_t: t,
            end_t: t,
            next_element: element,
            end_element: element,
        }
    }

    fn element(&mut self, is_counted: bool) -> EntityId {
        self.next_element += 1;
        if is_counted {
            self.end_element = self.next_element;
        }
        Partition::DB.entity(self.next_element - 1)
    }

    fn entity(&mut self, partition: Partition, is_counted: bool) -> EntityId {
        self.next_t += 1;
        if is_counted {
            self.end_t = self.next_t;
        }
        partition.entity(self.next_t - 1)
    }
}

/// What the counters count: an id that only a written composite or an ensured entity needs is
/// handed out again.
fn counted(upserted: &Upserted, ops: &[TempOp]) -> FxHashSet<TempId> {
    let stored = ops
        .iter()
        .filter(|op| op.a.id != id::ENSURE && !op.a.is_composite());
    let temps = stored.filter_map(|op| match op.e {
        Place::Temp(temp) => Some(upserted.find(temp)),
        Place::Id(_) => None,
    });
    temps.collect()
}

/// Where new entities are asked to go.
#[derive(Default, Debug)]
pub(super) struct Directives {
    pub(super) force: Vec<(Edn, Edn)>,
    pub(super) matching: Vec<(Edn, Edn)>,
    /// How many tempids, the first ones, are mentioned elsewhere.
    pub(super) mentioned: usize,
}

/// A written composite is dropped here: the store computes it. So are tuples with open slots of
/// one; everything else has its ids now.
fn settle(op: TempOp, entity: &impl Fn(TempId) -> EntityId) -> Option<Op> {
    if op.a.is_composite() {
        return None;
    }
    let e = match op.e {
        Place::Id(id) => id,
        Place::Temp(temp) => entity(temp),
    };
    let v = settle_value(op.v, op.a.is_ref() || op.a.tuple.is_some(), entity);
    Some(Op {
        added: op.added,
        e,
        a: op.a,
        v,
        form: op.form,
    })
}

fn settle_value(v: TempValue, is_ref: bool, entity: &impl Fn(TempId) -> EntityId) -> Value {
    match v {
        TempValue::Value(value) => value,
        TempValue::Temp(temp) if is_ref => Value::Ref(entity(temp)),
        TempValue::Temp(temp) => Value::Long(entity(temp).raw() as i64),
        TempValue::Tuple(slots) => Value::Tuple(
            slots
                .into_iter()
                .map(|slot| slot.map(|v| settle_value(v, true, entity)))
                .collect(),
        ),
    }
}

/// Tempids in the order of their first mention as an entity; one that is only a value is refused.
fn check_used(
    tempids: &Tempids,
    upserted: &Upserted,
    ops: &[TempOp],
) -> Result<Vec<TempId>, TxError> {
    let mut order = Vec::new();
    let mut as_entity: FxHashSet<TempId> = FxHashSet::default();
    let mut met: FxHashSet<TempId> = FxHashSet::default();
    for op in ops {
        if let Place::Temp(temp) = op.e {
            as_entity.insert(upserted.find(temp));
            if met.insert(temp) {
                order.push(temp);
            }
        }
    }
    let mut check = |value: &TempValue, form: &Arc<Edn>| -> Result<(), TxError> {
        for temp in temps_of(value) {
            let entry = tempids.get(temp);
            let class = upserted.find(temp);
            if !entry.is_tx && upserted.known(temp).is_none() && !as_entity.contains(&class) {
                let tempid = entry.name.clone().unwrap_or(Edn::Map(Vec::new()));
                return Err(TxError::TempidNotAnEntity {
                    tempid,
                    form: form.into(),
                });
            }
            if entry.is_tx {
                order.push(temp);
            }
        }
        Ok(())
    };
    for op in ops {
        check(&op.v, &op.form)?;
    }
    Ok(order)
}

fn temps_of(value: &TempValue) -> Vec<TempId> {
    match value {
        TempValue::Value(_) => Vec::new(),
        TempValue::Temp(temp) => vec![*temp],
        TempValue::Tuple(slots) => slots.iter().flatten().flat_map(temps_of).collect(),
    }
}

/// New entities that become part of the schema: they are defined or installed as such.
fn schema_elements(upserted: &Upserted, ops: &[TempOp]) -> FxHashSet<TempId> {
    let mut found = FxHashSet::default();
    for op in ops.iter().filter(|op| op.added) {
        if let (Place::Temp(temp), true) = (op.e, defines(op.a.id)) {
            found.insert(upserted.find(temp));
        }
        let installs = matches!(
            op.a.id,
            id::INSTALL_ATTRIBUTE | id::INSTALL_PARTITION | id::INSTALL_VALUE_TYPE
        );
        if let (true, TempValue::Temp(temp)) = (installs, &op.v) {
            found.insert(upserted.find(*temp));
        }
    }
    found
}

/// The partition of each tempid that asks for one; the one of its representative is its class's.
struct Partitions {
    asked: FxHashMap<TempId, Partition>,
}

impl Partitions {
    fn new(
        db: &Db,
        tempids: &Tempids,
        upserted: &Upserted,
        directives: Directives,
    ) -> Result<Partitions, TxError> {
        let mut asked = FxHashMap::default();
        for temp in tempids.ids() {
            if let Some(partition) = tempids.get(temp).partition {
                asked.insert(temp, partition);
            }
        }
        let mut matching: FxHashMap<Place, Place> = tempids.nested().collect();
        for (form, other) in &directives.matching {
            let (Named::Temp(temp), other) =
                (named(db, tempids, form)?, named(db, tempids, other)?)
            else {
                continue;
            };
            match other {
                Named::Temp(other) => {
                    matching.insert(Place::Temp(temp), Place::Temp(other));
                }
                // Nothing but the schema itself goes to its partition.
                Named::Entity(other) if other.partition() == Partition::DB => {}
                Named::Entity(other) => {
                    matching.remove(&Place::Temp(temp));
                    asked.insert(temp, other.partition());
                }
                Named::Unused => {}
            }
        }
        for (form, part) in &directives.force {
            if let Named::Temp(temp) = named(db, tempids, form)? {
                let partition = named_partition(db, part)?;
                matching.remove(&Place::Temp(temp));
                asked.insert(temp, partition);
            }
        }
        let mentioned = tempids.ids().take(directives.mentioned);
        let new = mentioned.filter(|temp| !tempids.get(*temp).is_tx);
        let new = new.filter(|temp| upserted.known(*temp).is_none());
        follow(&mut asked, &matching, new, tempids, upserted)?;
        Ok(Partitions { asked })
    }

    fn of(&self, class: TempId) -> Partition {
        self.asked.get(&class).copied().unwrap_or(Partition::USER)
    }
}

/// What a directive names: a tempid of the transaction, one that it has not, or an entity.
enum Named {
    Temp(TempId),
    Unused,
    Entity(EntityId),
}

/// Refuses what a `:db/match-partition` cannot name.
pub(super) fn check_matching(db: &Db, matching: &[(Edn, Edn)]) -> Result<(), TxError> {
    for form in matching.iter().flat_map(|(form, other)| [form, other]) {
        if temp_form(db, form)?.is_none() {
            db.require_entid(form)?;
        }
    }
    Ok(())
}

fn named(db: &Db, tempids: &Tempids, form: &Edn) -> Result<Named, TxError> {
    Ok(match temp_form(db, form)? {
        None => Named::Entity(db.require_entid(form)?),
        Some(temp) => {
            let temp = temp.name.and_then(|name| tempids.mentioned(&name));
            temp.map_or(Named::Unused, Named::Temp)
        }
    })
}

/// Follows matches to a partition that is known; a circle is an error.
fn follow(
    asked: &mut FxHashMap<TempId, Partition>,
    matching: &FxHashMap<Place, Place>,
    starts: impl Iterator<Item = TempId>,
    tempids: &Tempids,
    upserted: &Upserted,
) -> Result<(), TxError> {
    let mut followed: FxHashMap<Place, Option<Partition>> = FxHashMap::default();
    let mut way = Vec::new();
    let starts = starts.map(Place::Temp);
    for start in starts.filter(|start| matching.contains_key(start)) {
        let mut here = start;
        let end = loop {
            match (followed.get(&here), matching.get(&here)) {
                (Some(Some(known)), _) => break *known,
                // Passed on the same way.
                (Some(None), _) => return Err(circle(tempids, here)),
                (None, Some(next)) => {
                    followed.insert(here, None);
                    way.push(here);
                    here = *next;
                }
                (None, None) => break partition(asked, upserted, here),
            }
        };
        for passed in way.drain(..) {
            followed.insert(passed, Some(end));
        }
    }
    let ends = followed.into_iter();
    asked.extend(ends.filter_map(|(place, end)| match place {
        Place::Temp(temp) => Some((temp, end?)),
        Place::Id(_) => None,
    }));
    Ok(())
}

/// Where an entity is, or is asked to go. Nothing but the schema itself goes to its partition.
fn partition(asked: &FxHashMap<TempId, Partition>, upserted: &Upserted, place: Place) -> Partition {
    let known = match place {
        Place::Id(id) => Some(id.partition()).filter(|known| *known != Partition::DB),
        Place::Temp(temp) => {
            let known = || upserted.known(temp).map(EntityId::partition);
            asked.get(&temp).copied().or_else(known)
        }
    };
    known.unwrap_or(Partition::USER)
}

fn circle(tempids: &Tempids, at: Place) -> TxError {
    let tempid = match at {
        Place::Temp(temp) => tempids.get(temp).name.clone().unwrap_or(Edn::Nil),
        Place::Id(id) => Edn::Value(Value::Ref(id)),
    };
    TxError::CycleInAffinity { tempid }
}
