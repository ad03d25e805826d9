//! What changed between two points in time, by row: old → new.
//!
//! The log between the points says which entities were touched; the two views say what they
//! were and are. An entity that was touched and is the same again is not a change.

use std::collections::{BTreeMap, BTreeSet};

use datomite::{
    Db, DbError, Edn, EntityId, Index, Keyword, T, TimePoint, Unique, Value, ValueType,
};

use crate::ImportError;
use crate::group::db_error;

/// The values of one attribute before and after.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct AttributeChange {
    /// The attribute.
    pub attribute: Keyword,
    /// Values that are no more.
    pub old: Vec<Value>,
    /// Values that were not before.
    pub new: Vec<Value>,
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

/// The changes between two points.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Diff {
    /// The basis of the earlier view.
    pub from: T,
    /// The basis of the later view.
    pub to: T,
    /// The entities that differ, by namespace of their attributes, then by id.
    pub changes: Vec<EntityChange>,
}

/// Compares the database as of two points; transactions themselves are left out.
pub fn diff(
    db: &Db,
    from: impl Into<TimePoint>,
    to: impl Into<TimePoint>,
) -> Result<Diff, ImportError> {
    compare(db, from.into(), to.into()).map_err(|error| db_error(&error))
}

fn compare(db: &Db, from: TimePoint, to: TimePoint) -> Result<Diff, DbError> {
    let before = db.as_of(from)?;
    let after = db.as_of(to)?;
    let basis = |view: &Db| view.as_of_t().unwrap_or_else(|| view.basis_t());
    let (from, to) = (basis(&before), basis(&after));
    // A later point may come first: then the changes read backwards.
    let start = TimePoint::T(T::new(from.min(to).raw() + 1));
    let end = TimePoint::T(T::new(from.max(to).raw() + 1));
    let mut touched = BTreeSet::new();
    for entry in db.log().tx_range(Some(start), Some(end))? {
        let data = entry?.data;
        touched.extend(data.iter().map(|d| d.e).filter(|e| !e.is_tx()));
    }
    let mut changes = Vec::new();
    for entity in touched {
        changes.extend(entity_change(db, &before, &after, entity)?);
    }
    changes.sort_by_cached_key(|change| (namespace(change), change.entity));
    Ok(Diff { from, to, changes })
}

fn namespace(change: &EntityChange) -> String {
    let name = change.name.as_ref().map(|(attribute, _)| attribute);
    let first = change.attributes.first().map(|a| &a.attribute);
    let attribute = name.or(first).and_then(Keyword::namespace);
    attribute.unwrap_or_default().to_owned()
}

type Facts = BTreeMap<EntityId, BTreeSet<Value>>;

fn facts(view: &Db, entity: EntityId) -> Result<Facts, DbError> {
    let mut facts = Facts::new();
    let id = Edn::long(i64::try_from(entity.raw()).unwrap_or(i64::MAX));
    for datom in view.datoms(Index::Eavt, &[id])? {
        let datom = datom?;
        facts.entry(datom.a).or_default().insert(datom.v);
    }
    Ok(facts)
}

fn entity_change(
    db: &Db,
    before: &Db,
    after: &Db,
    entity: EntityId,
) -> Result<Option<EntityChange>, DbError> {
    let (old, new) = (facts(before, entity)?, facts(after, entity)?);
    if old == new {
        return Ok(None);
    }
    let name = identity(db, &new).or_else(|| identity(db, &old));
    let mut attributes = Vec::new();
    let all: BTreeSet<EntityId> = old.keys().chain(new.keys()).copied().collect();
    let none = BTreeSet::new();
    for id in all {
        let was = old.get(&id).unwrap_or(&none);
        let is = new.get(&id).unwrap_or(&none);
        let Some(attribute) = db.ident(id).filter(|_| was != is) else {
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
        name,
        ident: db.ident(entity),
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
