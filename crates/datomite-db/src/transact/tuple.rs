//! Composite tuples: recomputed for every entity whose constituents the transaction mentioned,
//! redundant assertions included (so that re-asserting fills in old entities).
//!
//! A missing constituent is nil; when all are gone the tuple is retracted.

use std::sync::Arc;

use datomite_model::{Attribute, Datom, EntityId, T, TupleKind, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use super::error::TxError;
use super::novelty::{Novelty, set_key};
use super::told::Form;
use crate::Db;
use crate::bootstrap::FIRST_ELEMENT;

/// Adds the datoms of composite tuples.
pub(super) fn compose(
    db: &Db,
    t: T,
    found: &mut Novelty,
    new: &FxHashSet<EntityId>,
) -> Result<(), TxError> {
    let wanted = wanted(db, found);
    if wanted.is_empty() {
        return Ok(());
    }
    let after = After::new(&found.datoms);
    let mut datoms = Vec::new();
    let mut holders: FxHashMap<(EntityId, Value), EntityId> = FxHashMap::default();
    for (e, attribute) in wanted {
        let Some(TupleKind::Composite(parts)) = &attribute.tuple else {
            continue;
        };
        let is_new = new.contains(&e);
        let mut slots = Vec::with_capacity(parts.len());
        for part in parts {
            slots.push(after.value(db, e, *part, is_new)?);
        }
        let tuple = slots
            .iter()
            .any(Option::is_some)
            .then(|| Value::Tuple(slots.into()));
        let old = if is_new {
            None
        } else {
            stored(db, e, attribute.id)?
        };
        // A composite that stays as it is claims its value too.
        if let Some(v) = tuple.as_ref().filter(|_| attribute.unique.is_some())
            && let Some(other) = holders.insert((attribute.id, set_key(v)), e)
            && other != e
        {
            return Err(TxError::UniqueInTransaction {
                attribute: attribute.ident.clone(),
                value: v.clone(),
                entities: (other.into(), e.into()),
                form: Form::default(),
            });
        }
        if old == tuple {
            continue;
        }
        if old.is_some() && e.raw() < FIRST_ELEMENT {
            return Err(TxError::DatomCannotBeAltered {
                entity: e.into(),
                attribute: attribute.ident.clone(),
                form: Form::default(),
            });
        }
        let datom = |v: Value, added| Datom {
            e,
            a: attribute.id,
            v,
            tx: t.tx(),
            added,
        };
        datoms.extend(old.map(|v| datom(v, false)));
        datoms.extend(tuple.map(|v| datom(v, true)));
    }
    found.datoms.extend(datoms);
    Ok(())
}

/// The composites of what was mentioned, each once.
fn wanted(db: &Db, found: &Novelty) -> Vec<(EntityId, Arc<Attribute>)> {
    let mut wanted: Vec<(EntityId, Arc<Attribute>)> = Vec::new();
    let mut seen: FxHashSet<(EntityId, EntityId)> = FxHashSet::default();
    for (e, a) in &found.mentioned {
        for composite in db.schema().composites_of(*a) {
            if seen.insert((*e, *composite))
                && let Some(attribute) = db.schema().attribute(*composite)
            {
                wanted.push((*e, Arc::clone(attribute)));
            }
        }
    }
    wanted
}

/// What the transaction leaves of single-valued attributes.
struct After<'a> {
    by_attribute: FxHashMap<(EntityId, EntityId), Option<&'a Value>>,
}

impl<'a> After<'a> {
    fn new(datoms: &'a [Datom]) -> After<'a> {
        let mut by_attribute = FxHashMap::default();
        for datom in datoms {
            let slot = by_attribute.entry((datom.e, datom.a)).or_insert(None);
            if datom.added {
                *slot = Some(&datom.v);
            }
        }
        After { by_attribute }
    }

    fn value(
        &self,
        db: &Db,
        e: EntityId,
        a: EntityId,
        is_new: bool,
    ) -> Result<Option<Value>, TxError> {
        match self.by_attribute.get(&(e, a)) {
            Some(value) => Ok(value.cloned()),
            None if is_new => Ok(None),
            None => stored(db, e, a),
        }
    }
}

fn stored(db: &Db, e: EntityId, a: EntityId) -> Result<Option<Value>, TxError> {
    let found = db.basis().datoms_of_attribute(e, a)?;
    Ok(found.into_iter().next().map(|datom| datom.v))
}
