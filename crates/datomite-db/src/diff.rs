//! What differs between two database values, by entity and attribute: old → new.
//!
//! Two times of one database, in either order, or two values: a database and a branch of it,
//! before and after `with`. Which entities can differ is known from the facts that came or went
//! since both were one; each of them is then compared whole, so an entity that changed and
//! changed back is no change. Entities are the same where their ids are. Transactions are left
//! out; schema is data like any other.

use std::collections::{BTreeMap, BTreeSet};

use datomite_model::{EntityId, Keyword, T, Unique, Value, ValueType};

use crate::view::signed;
use crate::{Db, DbError, TimePoint};

/// What differs between two database values.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Diff {
    /// The last t that the first value shows.
    pub from: T,
    /// The last t that the second value shows.
    pub to: T,
    /// The entities that differ: by namespace of their attributes, then by id; schema last.
    pub changes: Vec<EntityChange>,
}

/// What became of one entity.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct EntityChange {
    /// The entity.
    pub entity: EntityId,
    /// A lookup ref that names it: an identity attribute and its value, after or else before.
    pub name: Option<(Keyword, Value)>,
    /// Its ident, where it has one.
    pub ident: Option<Keyword>,
    /// It had no facts before.
    pub appeared: bool,
    /// It has no facts after.
    pub gone: bool,
    /// Its attributes that differ, by name.
    pub attributes: Vec<AttributeChange>,
}

/// The values of one attribute before and after.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct AttributeChange {
    /// The attribute, by its name after, or else before.
    pub attribute: Keyword,
    /// Values that are no more, in order.
    pub old: Vec<Value>,
    /// Values that were not before, in order.
    pub new: Vec<Value>,
}

impl Diff {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// What became of an entity, if anything did.
    pub fn entity(&self, id: EntityId) -> Option<&EntityChange> {
        self.changes.iter().find(|change| change.entity == id)
    }
}

impl EntityChange {
    /// What became of an attribute, if anything did.
    pub fn attribute(&self, name: impl Into<Keyword>) -> Option<&AttributeChange> {
        let name = name.into();
        self.attributes
            .iter()
            .find(|change| change.attribute == name)
    }
}

impl Db {
    /// What differs between two times of this database. Where `to` is the earlier one, the
    /// changes read backwards.
    pub fn diff(
        &self,
        from: impl Into<TimePoint>,
        to: impl Into<TimePoint>,
    ) -> Result<Diff, DbError> {
        let basis = self.basis();
        basis.as_of(from)?.diff_to(&basis.as_of(to)?)
    }

    /// What differs between this value and another: of the same database, or of one that was
    /// forked from it or from the same. Both are seen as their `as_of` says; the rest of a view
    /// does not matter.
    pub fn diff_to(&self, other: &Db) -> Result<Diff, DbError> {
        let (before, after) = (self.shown(), other.shown());
        let common = common_t(self, other)
            .min(before.last_t())
            .min(after.last_t());
        let mut touched = BTreeSet::new();
        for db in [&before, &after] {
            if db.basis_t() > common {
                db.touched_after(common, &mut touched)?;
            }
        }
        let mut changes = Vec::new();
        for entity in touched.into_iter().filter(|entity| !entity.is_tx()) {
            changes.extend(entity_change(&before, &after, entity)?);
        }
        changes.sort_by_cached_key(sort_key);
        Ok(Diff {
            from: before.last_t(),
            to: after.last_t(),
            changes,
        })
    }

    /// Only the `as_of` of the view.
    fn shown(&self) -> Db {
        let mut db = self.basis();
        db.view.as_of = self.view.as_of;
        db
    }

    fn last_t(&self) -> T {
        let last = self.view.as_of.map_or(i64::MAX, |t| t.max(0));
        let basis = signed(self.basis_t());
        T::new(last.min(basis).unsigned_abs())
    }
}

/// A t up to which both values have the same past.
fn common_t(a: &Db, b: &Db) -> T {
    let shared = |db: &Db| db.basis.tried_after.unwrap_or(db.basis_t());
    let limit = shared(a).min(shared(b));
    if a.id() == b.id() {
        return limit;
    }
    // A branch has the past of its parent up to the t where it left.
    match (a.parent(), b.parent()) {
        (_, Some((id, t))) if id == a.id() => t.min(limit),
        (Some((id, t)), _) if id == b.id() => t.min(limit),
        (Some((x, t)), Some((y, u))) if x == y => t.min(u).min(limit),
        _ => T::new(0),
    }
}

/// Entities of one kind together; those of the schema last.
fn sort_key(change: &EntityChange) -> (bool, String, EntityId) {
    let named = change.name.as_ref().map(|(attribute, _)| attribute);
    let first = change.attributes.first().map(|a| &a.attribute);
    let namespace = named.or(first).and_then(Keyword::namespace);
    let is_schema = change.entity.partition() == datomite_model::Partition::DB;
    let namespace = namespace.unwrap_or_default().to_owned();
    (is_schema, namespace, change.entity)
}

type Facts = BTreeMap<EntityId, BTreeSet<Value>>;

fn facts(view: &Db, entity: EntityId) -> Result<Facts, DbError> {
    let mut facts = Facts::new();
    for datom in view.datoms_of(entity)? {
        facts.entry(datom.a).or_default().insert(datom.v);
    }
    Ok(facts)
}

fn entity_change(
    before: &Db,
    after: &Db,
    entity: EntityId,
) -> Result<Option<EntityChange>, DbError> {
    let (old, new) = (facts(before, entity)?, facts(after, entity)?);
    if old == new {
        return Ok(None);
    }
    let mut attributes = Vec::new();
    let all: BTreeSet<EntityId> = old.keys().chain(new.keys()).copied().collect();
    let none = BTreeSet::new();
    for id in all {
        let was = old.get(&id).unwrap_or(&none);
        let is = new.get(&id).unwrap_or(&none);
        let ident = after.ident(id).or_else(|| before.ident(id));
        let Some(attribute) = ident.filter(|_| was != is) else {
            continue;
        };
        attributes.push(AttributeChange {
            attribute,
            old: was.difference(is).cloned().collect(),
            new: is.difference(was).cloned().collect(),
        });
    }
    attributes.sort_by(|a, b| a.attribute.cmp(&b.attribute));
    Ok(Some(EntityChange {
        entity,
        name: identity(after, &new).or_else(|| identity(before, &old)),
        ident: after.ident(entity).or_else(|| before.ident(entity)),
        appeared: old.is_empty(),
        gone: new.is_empty(),
        attributes,
    }))
}

/// The identity by which a reader knows the entity: a plain one before a tuple.
fn identity(db: &Db, facts: &Facts) -> Option<(Keyword, Value)> {
    let mut found: Option<(bool, Keyword, Value)> = None;
    for (id, values) in facts {
        let Some(attribute) = db.schema().attribute(*id) else {
            continue;
        };
        if attribute.unique != Some(Unique::Identity) {
            continue;
        }
        let is_tuple = attribute.value_type == ValueType::Tuple;
        if let Some(value) = values.first()
            && found.as_ref().is_none_or(|(tuple, ..)| *tuple && !is_tuple)
        {
            found = Some((is_tuple, attribute.ident.clone(), value.clone()));
        }
    }
    found.map(|(_, attribute, value)| (attribute, value))
}
