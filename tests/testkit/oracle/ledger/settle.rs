//! From facts with tempids to datoms: upsert, ids, the transaction as a set, composites.

use std::collections::BTreeMap;

use datomite::{Datom, EntityId, Instant, TupleKind, Unique, Value};

use super::check;
use super::forms::{Reading, USUAL};
use super::names::{PART_TX, TX_INSTANT, partition};
use super::{Attr, Done, Ledger, Op, Step, Stop, What, Who, refuse};

/// A fact with ids.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub(super) added: bool,
    pub(super) e: EntityId,
    pub(super) a: Attr,
    pub(super) v: Value,
}

/// What the tempids are: an entity, or the class of tempids that will be one.
struct Found {
    known: Vec<Option<EntityId>>,
    class_known: Vec<Option<EntityId>>,
    class: Vec<usize>,
    at_once: Vec<bool>,
}

impl Found {
    fn of(&self, temp: usize) -> Option<EntityId> {
        self.known[temp].or(self.class_known[self.class[temp]])
    }

    fn unite(&mut self, one: usize, other: usize) {
        let (first, second) = (self.class[one], self.class[other]);
        self.class_known[first] = self.class_known[first].or(self.class_known[second]);
        for class in &mut self.class {
            if *class == second {
                *class = first;
            }
        }
    }
}

fn upsert(reading: &Reading<'_>) -> Found {
    let count = reading.temps.len();
    let mut found = Found {
        known: vec![None; count],
        class_known: vec![None; count],
        class: (0..count).collect(),
        at_once: vec![false; count],
    };
    let mut met = vec![false; count];
    let mut owners: Vec<(EntityId, What, Who)> = Vec::new();
    for op in &reading.ops {
        let Who::Temp(temp) = op.e else {
            continue;
        };
        let first = !std::mem::replace(&mut met[temp], true);
        if op.a.unique != Some(Unique::Identity) {
            continue;
        }
        if let Some(value) = plain(&op.v)
            && let Some(holder) = reading.ledger.holder(op.a.id, &value)
        {
            found.known[temp] = Some(holder);
            found.at_once[temp] |= first;
            continue;
        }
        let owner = owners
            .iter()
            .find(|(a, v, _)| *a == op.a.id && *v == op.v)
            .map(|owner| owner.2);
        match (owner, found.of(temp)) {
            (None, known) => {
                let owner = known.map_or(Who::Temp(temp), Who::Id);
                owners.push((op.a.id, op.v.clone(), owner));
                continue;
            }
            (Some(Who::Id(entity)), None) => found.known[temp] = Some(entity),
            (Some(Who::Id(_)), Some(_)) => {}
            (Some(Who::Temp(other)), Some(entity)) => {
                let class = found.class[other];
                found.class_known[class].get_or_insert(entity);
            }
            (Some(Who::Temp(other)), None) => found.unite(other, temp),
        }
        found.at_once[temp] |= first;
    }
    found
}

/// A value without tempids.
fn plain(what: &What) -> Option<Value> {
    match what {
        What::Value(value) => Some(value.clone()),
        What::Temp(_) => None,
        What::Tuple(slots) => {
            let slots = slots.iter().map(|slot| match slot {
                None => Some(None),
                Some(slot) => plain(slot).map(Some),
            });
            let slots: Option<Vec<Option<Value>>> = slots.collect();
            Some(Value::Tuple(slots?.into()))
        }
    }
}

fn temps_in(what: &What, found: &mut Vec<usize>) {
    match what {
        What::Value(_) => {}
        What::Temp(temp) => found.push(*temp),
        What::Tuple(slots) => slots
            .iter()
            .flatten()
            .for_each(|slot| temps_in(slot, found)),
    }
}

/// Ids of new entities, by class.
struct Given {
    ids: BTreeMap<usize, EntityId>,
    next: (u64, u64),
}

/// The partition that a tempid asks for: that of its whole, if it is a component.
fn asked(reading: &Reading<'_>, found: &Found, forced: &[(usize, u32)], temp: usize) -> Step<u32> {
    let mut here = Who::Temp(temp);
    for _ in 0..=reading.nested.len() {
        let mut forced = forced.iter().rev();
        if let Some((_, part)) = forced.find(|(temp, _)| Who::Temp(*temp) == here) {
            return Ok(*part);
        }
        let mut nested = reading.nested.iter();
        if let Some((_, whole)) = nested.find(|(component, _)| *component == here) {
            here = *whole;
            continue;
        }
        let part = match here {
            Who::Id(id) => Some(partition(id)).filter(|part| *part != 0),
            Who::Temp(end) => {
                let known = found.of(end).filter(|_| end != temp).map(partition);
                reading.temps[end].partition.or(known)
            }
        };
        return Ok(part.unwrap_or(USUAL));
    }
    refuse("cycle-in-affinity")
}

fn give(reading: &Reading<'_>, found: &Found, forced: &[(usize, u32)]) -> Step<Given> {
    let ledger = reading.ledger;
    let stored = |op: &&Op| !ledger.is(op.a.id, "db/ensure") && !op.a.is_composite();
    let class_of = |op: &Op| match op.e {
        Who::Temp(temp) => Some(found.class[temp]),
        Who::Id(_) => None,
    };
    let counted: Vec<usize> = reading
        .ops
        .iter()
        .filter(stored)
        .filter_map(class_of)
        .collect();
    let defined = reading
        .ops
        .iter()
        .filter(|op| op.added && ledger.defines(op.a.id));
    let elements: Vec<usize> = defined.filter_map(class_of).collect();
    let tx = ledger.tx();
    let (mut t, mut element) = (ledger.next_t + 1, ledger.next_element);
    let mut end = (t, element);
    let mut ids = BTreeMap::new();
    let mut met: Vec<usize> = Vec::new();
    for op in &reading.ops {
        let Who::Temp(temp) = op.e else {
            continue;
        };
        if met.contains(&temp) {
            continue;
        }
        met.push(temp);
        let class = found.class[temp];
        let settled = class != temp || found.of(temp).is_some() || ids.contains_key(&class);
        if found.at_once[temp] && settled {
            continue;
        }
        let part = asked(reading, found, forced, class)?;
        if reading.temps[class].is_tx || part == PART_TX {
            ids.entry(class).or_insert(tx);
            continue;
        }
        let counts = !settled && counted.contains(&class);
        let id = if part == 0 || elements.contains(&class) {
            element += 1;
            end.1 = if counts { element } else { end.1 };
            EntityId::new(element - 1)
        } else {
            t += 1;
            end.0 = if counts { t } else { end.0 };
            EntityId::new(u64::from(part) << 42 | (t - 1))
        };
        if !settled {
            ids.insert(class, id);
        }
    }
    let mut values = Vec::new();
    reading
        .ops
        .iter()
        .for_each(|op| temps_in(&op.v, &mut values));
    for temp in values.into_iter().filter(|temp| reading.temps[*temp].is_tx) {
        if found.of(temp).is_none() {
            ids.entry(found.class[temp]).or_insert(tx);
        }
    }
    Ok(Given { ids, next: end })
}

/// A tempid that is only a value is refused.
fn check_used(reading: &Reading<'_>, found: &Found) -> Step<()> {
    let mut values = Vec::new();
    reading
        .ops
        .iter()
        .for_each(|op| temps_in(&op.v, &mut values));
    let is_entity = |class: usize| {
        reading.ops.iter().any(|op| match op.e {
            Who::Temp(temp) => found.class[temp] == class,
            Who::Id(_) => false,
        })
    };
    for temp in values {
        let class = found.class[temp];
        if !reading.temps[temp].is_tx && found.of(temp).is_none() && !is_entity(class) {
            return refuse("tempid-not-an-entity");
        }
    }
    Ok(())
}

/// From what was read to what the transaction does.
pub(super) fn settle(ledger: &Ledger, mut reading: Reading<'_>, last: Instant) -> Step<Done> {
    let mut forced = Vec::new();
    for (form, part) in std::mem::take(&mut reading.force) {
        let before = reading.temps.len();
        let temp = reading.temp(&form)?;
        if let Some(temp) = temp.filter(|temp| *temp < before) {
            forced.push((temp, part));
        }
        reading.temps.truncate(before);
    }
    let found = upsert(&reading);
    for (temp, entry) in reading.temps.iter().enumerate() {
        if !entry.is_tx && found.of(temp).is_none() {
            asked(&reading, &found, &forced, temp)?;
        }
    }
    for op in &reading.ops {
        if let Who::Id(id) = op.e
            && (id.raw() & ((1 << 42) - 1) >= ledger.next_t || id.raw() >> 62 != 0)
        {
            return refuse("invalid-entity-id");
        }
    }
    check_used(&reading, &found)?;
    let given = give(&reading, &found, &forced)?;
    let id = |temp: usize| {
        let new = given.ids.get(&found.class[temp]).copied();
        found.of(temp).or(new).unwrap_or(ledger.tx())
    };
    let mut tempids = BTreeMap::new();
    for (at, temp) in reading.temps.iter().enumerate() {
        let settled = found.of(at).is_some() || given.ids.contains_key(&found.class[at]);
        if let (Some(name), true) = (&temp.name, settled) {
            tempids.insert(name.clone(), id(at));
        }
    }
    let ops = reading.ops.iter().filter(|op| !op.a.is_composite());
    let facts: Vec<Fact> = ops
        .map(|op| Fact {
            added: op.added,
            e: match op.e {
                Who::Id(id) => id,
                Who::Temp(temp) => id(temp),
            },
            a: op.a.clone(),
            v: whole(&op.v, op.a.value_type == datomite::ValueType::Long, &id),
        })
        .collect();
    let datoms = check::conclude(ledger, facts, last)?;
    let next = given.next;
    Ok(Done {
        datoms,
        tempids,
        next,
    })
}

fn whole(what: &What, is_long: bool, id: &impl Fn(usize) -> EntityId) -> Value {
    match what {
        What::Value(value) => value.clone(),
        What::Temp(temp) if is_long => Value::Long(id(*temp).raw() as i64),
        What::Temp(temp) => Value::Ref(id(*temp)),
        What::Tuple(slots) => {
            let slots = slots
                .iter()
                .map(|slot| slot.as_ref().map(|v| whole(v, false, id)));
            Value::Tuple(slots.collect())
        }
    }
}

/// Whether two values of one transaction are one.
fn same(one: &Value, other: &Value) -> bool {
    one.datomic_eq(other)
}

/// Whether what is stored is what is said: another scale of a decimal is not.
fn is_stored(stored: &Value, said: &Value) -> bool {
    match (stored, said) {
        (Value::BigDec(_), Value::BigDec(_)) => stored == said,
        _ => stored.datomic_eq(said),
    }
}

/// The facts that count: what contradicts itself is refused, what is said twice is said once.
pub(super) fn distinct(ledger: &Ledger, facts: &[Fact]) -> Step<Vec<Fact>> {
    let mut kept: Vec<Fact> = Vec::new();
    for fact in facts {
        let mut stored = ledger.of_entity(fact.e, fact.a.id);
        if partition(fact.e) == 0 && fact.added && stored.any(|v| v.datomic_eq(&fact.v)) {
            continue;
        }
        let is_boot = fact.e.raw() < super::names::FIRST_OWN;
        let takes_more = fact.added && fact.a.many;
        let is_said = ledger.of_entity(fact.e, fact.a.id).next().is_some();
        if is_boot && !takes_more && is_said {
            return refuse("datom-cannot-be-altered");
        }
        let about = |other: &&Fact| other.e == fact.e && other.a.id == fact.a.id;
        let mut said = false;
        for other in kept.iter().filter(about) {
            match (other.added == fact.added, same(&other.v, &fact.v)) {
                (true, true) => said = true,
                (false, true) => return refuse("datoms-conflict"),
                (true, false) if !fact.a.many => return refuse("datoms-conflict"),
                _ => {}
            }
        }
        if said {
            continue;
        }
        let claims = |other: &Fact| {
            other.added && other.a.id == fact.a.id && other.e != fact.e && same(&other.v, &fact.v)
        };
        if fact.added && fact.a.unique.is_some() && kept.iter().any(claims) {
            return refuse("datoms-conflict");
        }
        kept.push(fact.clone());
    }
    Ok(kept)
}

/// New datoms: what is stored is dropped, the old value of one is retracted.
pub(super) fn novel(ledger: &Ledger, kept: &[Fact]) -> Vec<Datom> {
    let mut datoms = Vec::new();
    let datom = |fact: &Fact, v: &Value, added: bool| Datom {
        e: fact.e,
        a: fact.a.id,
        v: v.clone(),
        tx: ledger.tx(),
        added,
    };
    for fact in kept {
        let stored: Vec<&Value> = ledger.of_entity(fact.e, fact.a.id).collect();
        let twin = stored.iter().find(|v| is_stored(v, &fact.v));
        match (fact.added, twin) {
            (false, Some(v)) => {
                let gone = datom(fact, v, false);
                let is_name = fact.a.id.raw() == super::names::IDENT;
                if !(is_name && datoms.contains(&gone)) {
                    datoms.push(gone);
                }
            }
            (false, None) | (true, Some(_)) => {}
            (true, None) => {
                if let (false, Some(old)) = (fact.a.many, stored.first()) {
                    datoms.push(datom(fact, old, false));
                }
                datoms.push(datom(fact, &fact.v, true));
            }
        }
    }
    datoms
}

/// Composite tuples of the entities whose parts were mentioned.
pub(super) fn compose(ledger: &Ledger, kept: &[Fact], datoms: &mut Vec<Datom>) -> Step<()> {
    let mut done: Vec<(EntityId, EntityId)> = Vec::new();
    let mut more = Vec::new();
    let mut claims = Vec::new();
    for fact in kept {
        for attr in &ledger.attrs {
            let Some(TupleKind::Composite(parts)) = &attr.tuple else {
                continue;
            };
            if !parts.contains(&fact.a.id) || done.contains(&(fact.e, attr.id)) {
                continue;
            }
            done.push((fact.e, attr.id));
            let after = |part: &EntityId| {
                let own = datoms.iter().filter(|d| d.e == fact.e && d.a == *part);
                let own: Vec<&Datom> = own.collect();
                match own.is_empty() {
                    true => ledger.of_entity(fact.e, *part).next().cloned(),
                    false => own.iter().rev().find(|d| d.added).map(|d| d.v.clone()),
                }
            };
            let slots: Vec<Option<Value>> = parts.iter().map(after).collect();
            let new = slots.iter().any(Option::is_some);
            let new = new.then(|| Value::Tuple(slots.into()));
            let old = ledger.of_entity(fact.e, attr.id).next().cloned();
            if attr.unique.is_some() && new.is_some() {
                let twin = |(e, a, v): &(EntityId, EntityId, Option<Value>)| {
                    *e != fact.e && *a == attr.id && *v == new
                };
                if claims.iter().any(twin) {
                    return refuse("datoms-conflict");
                }
                claims.push((fact.e, attr.id, new.clone()));
            }
            if old != new {
                if old.is_some() && fact.e.raw() < super::names::FIRST_OWN {
                    return refuse("datom-cannot-be-altered");
                }
                let datom = |v: Value, added: bool| Datom {
                    e: fact.e,
                    a: attr.id,
                    v,
                    tx: ledger.tx(),
                    added,
                };
                more.extend(old.map(|v| datom(v, false)));
                more.extend(new.map(|v| datom(v, true)));
            }
        }
    }
    datoms.extend(more);
    Ok(())
}

/// Takes the transaction's own instant out of its facts.
pub(super) fn instant(ledger: &Ledger, facts: &mut Vec<Fact>, last: Instant) -> Step<()> {
    let is_instant = |fact: &Fact| fact.a.id.raw() == TX_INSTANT && partition(fact.e) == PART_TX;
    let mut answer = Ok(());
    let said = facts.iter().filter(|fact| is_instant(fact));
    for fact in said.cloned().collect::<Vec<_>>() {
        let Value::Instant(at) = &fact.v else {
            continue;
        };
        let far = Instant::from_ms(7_000_000_000_000);
        let step = match () {
            () if fact.e != ledger.tx() => refuse("reset-tx-instant"),
            () if *at < last => refuse("past-tx-instant"),
            () if *at > far => refuse("future-tx-instant"),
            () if !fact.added => refuse("reset-tx-instant"),
            () => Ok(()),
        };
        answer = answer.and(step);
    }
    if facts.iter().filter(|fact| is_instant(fact)).count() > 1 {
        answer = Err(Stop::Unclear("several instants"));
    }
    facts.retain(|fact| !is_instant(fact));
    answer
}
