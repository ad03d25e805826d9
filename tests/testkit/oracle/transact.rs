//! Transactions of the oracle: which datoms a list of operations makes, or that it is refused.

use std::collections::BTreeMap;

use datomite::{Datom, EntityId, Value};

use super::{Plain, Uniqueness};

/// An entity as transaction data names it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Ent {
    /// A string tempid.
    Temp(String),
    /// An id.
    Id(EntityId),
    /// A lookup ref on the attribute with that number.
    Lookup(usize, Value),
}

/// A value as transaction data gives it.
#[derive(Clone, PartialEq, Debug)]
pub enum Val {
    /// A scalar.
    Value(Value),
    /// A reference.
    Ent(Ent),
}

/// One operation; attributes are numbers into [`Plain::attrs`].
#[derive(Clone, PartialEq, Debug)]
pub enum Op {
    /// `[:db/add e a v]`.
    Add(Ent, usize, Val),
    /// `[:db/retract e a v]`.
    Retract(Ent, usize, Val),
    /// `[:db/retract e a]`.
    RetractAll(Ent, usize),
    /// `[:db/retractEntity e]`.
    RetractEntity(Ent),
    /// `[:db/cas e a old new]`.
    Cas(Ent, usize, Option<Val>, Val),
}

/// An entity of the prediction: known, or the n-th new one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Who {
    /// An entity of the database.
    Id(EntityId),
    /// One that the transaction makes.
    New(usize),
}

/// A scalar, or an entity that may be new.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum What {
    Value(Value),
    Who(Who),
}

type Fact = (Who, usize, What);

/// Tempids that are one entity, and the identities that they claim.
type Group<'a> = (Vec<&'a str>, Vec<(usize, &'a Value)>);

/// A datom of the prediction, with the new entities still nameless.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    e: Who,
    attr: usize,
    v: What,
    added: bool,
}

/// What an accepted transaction does.
#[derive(Clone, PartialEq, Debug)]
pub struct Predicted {
    /// Its datoms, without its instant.
    pub changes: Vec<Change>,
    /// What each tempid becomes.
    pub tempids: BTreeMap<String, Who>,
}

/// The oracle's opinion of a transaction.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    /// It does this.
    Accepted(Predicted),
    /// It is an error.
    Refused,
    /// The oracle does not know; the reason.
    Unclear(&'static str),
}

/// Why a transaction makes no datoms.
enum Stop {
    Refused,
    Unclear(&'static str),
}

impl Change {
    /// The datom, once the ids of the new entities are known.
    pub fn bind(&self, plain: &Plain, tx: EntityId, new: &BTreeMap<usize, EntityId>) -> Datom {
        let id = |who: Who| match who {
            Who::Id(id) => id,
            Who::New(n) => new[&n],
        };
        Datom {
            e: id(self.e),
            a: plain.attrs[self.attr].id,
            v: match &self.v {
                What::Value(value) => value.clone(),
                What::Who(who) => Value::Ref(id(*who)),
            },
            tx,
            added: self.added,
        }
    }
}

impl Plain {
    /// What Datomic would do with the operations.
    pub fn predict(&self, ops: &[Op]) -> Verdict {
        match self.try_predict(ops) {
            Ok(predicted) => Verdict::Accepted(predicted),
            Err(Stop::Refused) => Verdict::Refused,
            Err(Stop::Unclear(why)) => Verdict::Unclear(why),
        }
    }

    fn try_predict(&self, ops: &[Op]) -> Result<Predicted, Stop> {
        let now = self.now();
        let tempids = self.tempids(ops, &now)?;
        let mut adds: Vec<Fact> = Vec::new();
        let mut retracts: Vec<Fact> = Vec::new();
        let mut gone: Vec<EntityId> = Vec::new();
        let mut swapped: Vec<(Who, usize)> = Vec::new();
        for op in ops {
            match op {
                Op::Add(e, attr, v) => {
                    adds.push((self.who(e, &tempids)?, *attr, self.what(v, &tempids)?));
                }
                Op::Retract(e, attr, v) => {
                    let fact = (self.who(e, &tempids)?, *attr, self.what(v, &tempids)?);
                    retracts.extend(holds(self, &now, &fact).then_some(fact));
                }
                Op::RetractAll(e, attr) => {
                    let e = self.who(e, &tempids)?;
                    retracts.extend(facts(self, &now).filter(|f| f.0 == e && f.1 == *attr));
                }
                Op::RetractEntity(e) => match self.who(e, &tempids)? {
                    Who::Id(id) => self.collect_gone(id, &now, &mut gone),
                    Who::New(_) => return Err(Stop::Unclear("a new entity is retracted")),
                },
                Op::Cas(e, attr, old, new) => {
                    let e = self.who(e, &tempids)?;
                    let held = facts(self, &now).find(|fact| fact.0 == e && fact.1 == *attr);
                    let old = old
                        .as_ref()
                        .map(|old| self.what(old, &tempids))
                        .transpose()?;
                    if held.map(|fact| fact.2) != old {
                        return Err(Stop::Refused);
                    }
                    swapped.push((e, *attr));
                    adds.push((e, *attr, self.what(new, &tempids)?));
                }
            }
        }
        for fact in facts(self, &now) {
            let is_gone = |who: &Who| gone.iter().any(|id| Who::Id(*id) == *who);
            if is_gone(&fact.0) || matches!(&fact.2, What::Who(who) if is_gone(who)) {
                retracts.push(fact);
            }
        }
        check_clear(&adds, &retracts, &gone, &swapped)?;
        self.check(&adds, &retracts, &now)?;
        let changes = self.changes(adds, retracts, &now);
        Ok(Predicted { changes, tempids })
    }

    /// What each tempid in an entity place becomes: the entity that its identity names, or new.
    fn tempids(&self, ops: &[Op], now: &[Datom]) -> Result<BTreeMap<String, Who>, Stop> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        for op in ops {
            let (Op::Add(e, ..)
            | Op::Retract(e, ..)
            | Op::RetractAll(e, _)
            | Op::RetractEntity(e)
            | Op::Cas(e, ..)) = op;
            let Ent::Temp(name) = e else {
                continue;
            };
            let claim = match op {
                Op::Add(_, attr, Val::Value(value))
                    if self.attrs[*attr].unique == Uniqueness::Identity =>
                {
                    Some((*attr, value))
                }
                _ => None,
            };
            let mut merged = (vec![name.as_str()], Vec::from_iter(claim));
            let touches = |group: &Group<'_>| {
                group.0.contains(&name.as_str()) || claim.is_some_and(|c| group.1.contains(&c))
            };
            for group in groups.extract_if(.., |group| touches(group)) {
                merged.0.extend(group.0);
                merged.1.extend(group.1);
            }
            groups.push(merged);
        }
        let mut tempids = BTreeMap::new();
        for (at, (names, claims)) in groups.iter().enumerate() {
            let mut hits: Vec<EntityId> = claims
                .iter()
                .filter_map(|(attr, value)| self.holder(now, *attr, value))
                .collect();
            hits.sort();
            hits.dedup();
            let who = match hits[..] {
                [] => Who::New(at),
                [id] => Who::Id(id),
                _ => return Err(Stop::Unclear("a tempid names two entities")),
            };
            tempids.extend(names.iter().map(|name| ((*name).to_owned(), who)));
        }
        Ok(tempids)
    }

    fn holder(&self, now: &[Datom], attr: usize, value: &Value) -> Option<EntityId> {
        let id = self.attrs[attr].id;
        let found = now.iter().find(|datom| datom.a == id && datom.v == *value);
        found.map(|datom| datom.e)
    }

    fn who(&self, ent: &Ent, tempids: &BTreeMap<String, Who>) -> Result<Who, Stop> {
        match ent {
            Ent::Id(id) => Ok(Who::Id(*id)),
            // A tempid that stands only in value places is refused.
            Ent::Temp(name) => tempids.get(name).copied().ok_or(Stop::Refused),
            Ent::Lookup(attr, value) => {
                let held = self.holder(&self.now(), *attr, value);
                held.map(Who::Id).ok_or(Stop::Refused)
            }
        }
    }

    fn what(&self, val: &Val, tempids: &BTreeMap<String, Who>) -> Result<What, Stop> {
        match val {
            Val::Value(value) => Ok(What::Value(value.clone())),
            Val::Ent(ent) => Ok(What::Who(self.who(ent, tempids)?)),
        }
    }

    /// The entity and, through component attributes, what belongs to it.
    fn collect_gone(&self, id: EntityId, now: &[Datom], gone: &mut Vec<EntityId>) {
        if gone.contains(&id) {
            return;
        }
        gone.push(id);
        for datom in now
            .iter()
            .filter(|datom| datom.e == id && self.attr(datom.a).component)
        {
            if let Value::Ref(child) = datom.v {
                self.collect_gone(child, now, gone);
            }
        }
    }

    /// Cardinality and uniqueness.
    fn check(&self, adds: &[Fact], retracts: &[Fact], now: &[Datom]) -> Result<(), Stop> {
        for (at, add) in adds.iter().enumerate() {
            let attr = &self.attrs[add.1];
            for other in &adds[..at] {
                if !attr.many && other.0 == add.0 && other.1 == add.1 && other.2 != add.2 {
                    return Err(Stop::Refused);
                }
                let unique = attr.unique != Uniqueness::None;
                if unique && other.1 == add.1 && other.2 == add.2 && other.0 != add.0 {
                    return Err(Stop::Refused);
                }
            }
            if attr.unique == Uniqueness::None {
                continue;
            }
            let held = facts(self, now).find(|f| f.1 == add.1 && f.2 == add.2 && f.0 != add.0);
            match held {
                None => {}
                Some(fact) => {
                    let replaced = adds.iter().any(|a| a.0 == fact.0 && a.1 == fact.1);
                    if retracts.contains(&fact) || (!attr.many && replaced) {
                        return Err(Stop::Unclear("a unique value moves"));
                    }
                    return Err(Stop::Refused);
                }
            }
        }
        Ok(())
    }

    /// The datoms: what is new, what goes, and what a new value of cardinality one replaces.
    fn changes(&self, adds: Vec<Fact>, retracts: Vec<Fact>, now: &[Datom]) -> Vec<Change> {
        let mut changes: Vec<Change> = Vec::new();
        let mut put = |(e, attr, v): Fact, added: bool| {
            let change = Change { e, attr, v, added };
            if !changes.contains(&change) {
                changes.push(change);
            }
        };
        for fact in retracts {
            put(fact, false);
        }
        for add in adds {
            if holds(self, now, &add) {
                continue;
            }
            if !self.attrs[add.1].many {
                let old = facts(self, now).find(|fact| fact.0 == add.0 && fact.1 == add.1);
                old.into_iter().for_each(|old| put(old, false));
            }
            put(add, true);
        }
        changes
    }
}

/// Leaves alone what Datomic answers by accident: one fact told and untold, life after death.
fn check_clear(
    adds: &[Fact],
    retracts: &[Fact],
    gone: &[EntityId],
    swapped: &[(Who, usize)],
) -> Result<(), Stop> {
    let is_gone = |who: &Who| gone.iter().any(|id| Who::Id(*id) == *who);
    for add in adds {
        if retracts.contains(add) {
            return Err(Stop::Unclear("a fact is added and retracted"));
        }
        if is_gone(&add.0) || matches!(&add.2, What::Who(who) if is_gone(who)) {
            return Err(Stop::Unclear("a retracted entity gets a fact"));
        }
    }
    for swap in swapped {
        let touches = |fact: &&Fact| fact.0 == swap.0 && fact.1 == swap.1;
        if adds.iter().filter(touches).count() + retracts.iter().filter(touches).count() > 1 {
            return Err(Stop::Unclear("a swapped value is also touched otherwise"));
        }
    }
    Ok(())
}

fn facts<'a>(plain: &'a Plain, now: &'a [Datom]) -> impl Iterator<Item = Fact> + 'a {
    now.iter().map(|datom| {
        let attr = plain.attrs.iter().position(|attr| attr.id == datom.a);
        let v = match &datom.v {
            Value::Ref(id) => What::Who(Who::Id(*id)),
            value => What::Value(value.clone()),
        };
        (Who::Id(datom.e), attr.expect("a known attribute"), v)
    })
}

fn holds(plain: &Plain, now: &[Datom], fact: &Fact) -> bool {
    facts(plain, now).any(|held| held == *fact)
}
