//! Novelty: which facts are new. The transaction is a set: its facts may not contradict each
//! other, whatever is stored; what is stored already is dropped; the old value of a
//! cardinality-one attribute is retracted.
//!
//! An explicit retraction of the value that an assertion replaces stands twice in tx-data, as in
//! Datomic's; the trees take it once.

use std::collections::hash_map::Entry;

use datomite_model::{Attribute, Datom, EntityId, Keyword, Partition, T, Unique, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use super::error::TxError;
use super::op::Op;
use super::schema::{check_directive, check_ident, is_directive};
use super::told::Form;
use crate::Db;
use crate::bootstrap::{FIRST_ELEMENT, id};
use crate::lookup::shortest;

/// The datoms of a transaction, and every (entity, attribute) it mentioned.
#[derive(Default, Debug)]
pub(super) struct Novelty {
    pub(super) datoms: Vec<Datom>,
    pub(super) mentioned: Vec<(EntityId, EntityId)>,
}

/// Checks the facts against each other and drops what is stored.
pub(super) fn novelty(
    db: &Db,
    t: T,
    ops: &[Op],
    new: &FxHashSet<EntityId>,
) -> Result<Novelty, TxError> {
    let basis = db.basis();
    let first = consistent(&basis, ops)?;
    let mut found = Novelty::default();
    for op in first {
        found.mentioned.push((op.e, op.a.id));
        let stored = if new.contains(&op.e) {
            Stored::default()
        } else {
            stored(&basis, op)?
        };
        let datom = |v: &Value, added| Datom {
            e: op.e,
            a: op.a.id,
            v: v.clone(),
            tx: t.tx(),
            added,
        };
        if !op.added {
            let gone = stored.same.map(|v| datom(&v, false));
            // A name that a new one has replaced already is not taken away again.
            let is_said = |gone: &Datom| gone.a == id::IDENT && found.datoms.contains(gone);
            found.datoms.extend(gone.filter(|gone| !is_said(gone)));
        } else if stored.same.is_none() {
            found.datoms.extend(stored.other.map(|v| datom(&v, false)));
            found.datoms.push(datom(&op.v, true));
        }
    }
    Ok(found)
}

/// What is stored of a fact: the same value, or for cardinality one another one.
#[derive(Default)]
struct Stored {
    same: Option<Value>,
    other: Option<Value>,
}

/// Whether a fact would alter an entity of the bootstrap: what is said of one stays, and only
/// attributes that take many values take more. What is stored already was dropped before, and so
/// will be what is written of the definitions of attributes.
fn alters_boot(basis: &Db, op: &Op) -> Result<bool, TxError> {
    let is_dropped = matches!(op.a.id, id::INSTALL_ATTRIBUTE | id::ALTER_ATTRIBUTE);
    let takes_more = op.added && op.a.is_many();
    let alters = op.e.raw() < FIRST_ELEMENT && !takes_more && !is_dropped;
    Ok(alters && !basis.datoms_of_attribute(op.e, op.a.id)?.is_empty())
}

fn stored(basis: &Db, op: &Op) -> Result<Stored, TxError> {
    if !op.a.is_many() && op.added {
        let current = basis
            .datoms_of_attribute(op.e, op.a.id)?
            .into_iter()
            .next()
            .map(|d| d.v);
        return Ok(match current {
            Some(v) if same(&v, &op.v) => Stored {
                same: Some(v),
                other: None,
            },
            other => Stored { same: None, other },
        });
    }
    if let Value::BigDec(_) = &op.v {
        let exact = basis
            .datoms_of_attribute(op.e, op.a.id)?
            .into_iter()
            .find(|d| d.v == op.v);
        return Ok(Stored {
            same: exact.map(|d| d.v),
            other: None,
        });
    }
    let same = basis
        .datom_of_value(op.e, op.a.id, &op.v)?
        .map(|datom| datom.v);
    Ok(Stored { same, other: None })
}

/// Redundancy: Datomic's equality, but another scale is another value.
fn same(stored: &Value, asserted: &Value) -> bool {
    match (stored, asserted) {
        (Value::BigDec(_), Value::BigDec(_)) => stored == asserted,
        _ => stored.datomic_eq(asserted),
    }
}

/// The value by which facts of one transaction are the same fact.
pub(super) fn set_key(value: &Value) -> Value {
    match value {
        Value::BigDec(number) => Value::from(shortest(number)),
        Value::Double(n) if *n == 0.0 => Value::Double(0.0),
        Value::Float(n) if *n == 0.0 => Value::Float(0.0),
        Value::Tuple(slots) => Value::Tuple(
            slots
                .iter()
                .map(|slot| slot.as_ref().map(set_key))
                .collect(),
        ),
        value => value.clone(),
    }
}

/// The distinct facts in order, if no two contradict each other.
fn consistent<'a>(basis: &Db, ops: &'a [Op]) -> Result<Vec<&'a Op>, TxError> {
    let mut one: FxHashMap<(EntityId, EntityId), Said<'_>> = FxHashMap::default();
    one.reserve(ops.len());
    let mut many: FxHashMap<(EntityId, EntityId, Value), &Op> = FxHashMap::default();
    let mut holders: FxHashMap<(EntityId, Value), EntityId> = FxHashMap::default();
    let mut distinct = Vec::with_capacity(ops.len());
    for op in ops {
        // Of the schema's own entities what is stored is not said again.
        let is_own = op.e.partition() == Partition::DB;
        if is_own && op.added && basis.datom_of_value(op.e, op.a.id, &op.v)?.is_some() {
            continue;
        }
        if alters_boot(basis, op)? {
            return Err(TxError::DatomCannotBeAltered {
                entity: op.e.into(),
                attribute: op.a.ident.clone(),
                form: (&op.form).into(),
            });
        }
        let is_new = if op.a.is_many() {
            match many.entry((op.e, op.a.id, set_key(&op.v))) {
                Entry::Occupied(_) if is_object(&op.v) => true,
                Entry::Occupied(known) if known.get().added == op.added => false,
                Entry::Occupied(known) => return Err(conflict(known.get(), op)),
                Entry::Vacant(place) => {
                    place.insert(op);
                    true
                }
            }
        } else {
            one.entry((op.e, op.a.id)).or_default().say(op)?
        };
        if !is_new {
            continue;
        }
        // Redundant assertions claim their values too.
        if op.added
            && op.a.unique.is_some()
            && let Some(other) = holders.insert((op.a.id, set_key(&op.v)), op.e)
            && other != op.e
        {
            return Err(TxError::UniqueInTransaction {
                attribute: op.a.ident.clone(),
                value: op.v.clone(),
                entities: (other.into(), op.e.into()),
                form: (&op.form).into(),
            });
        }
        distinct.push(op);
    }
    Ok(distinct)
}

/// Whether no two values of one transaction are the same: as in Datomic, bytes are told apart as
/// objects, so that equal ones stand in tx-data as often as they were said. The trees take them
/// once.
fn is_object(value: &Value) -> bool {
    matches!(value, Value::Bytes(_))
}

/// What a transaction says about one cardinality-one attribute of one entity: at most one value
/// is added and one retracted, and they are not the same.
#[derive(Default)]
struct Said<'a> {
    added: Option<&'a Op>,
    retracted: Option<&'a Op>,
}

impl<'a> Said<'a> {
    /// Takes one more fact; false where it was said before.
    fn say(&mut self, op: &'a Op) -> Result<bool, TxError> {
        let (like, opposite) = match op.added {
            true => (&mut self.added, self.retracted),
            false => (&mut self.retracted, self.added),
        };
        let same = |other: &Op| {
            let equal = other.v == op.v || set_key(&other.v) == set_key(&op.v);
            equal && !is_object(&op.v)
        };
        if let Some(other) = *like {
            return if same(other) {
                Ok(false)
            } else {
                Err(conflict(other, op))
            };
        }
        match opposite {
            Some(other) if same(other) => Err(conflict(other, op)),
            _ => {
                *like = Some(op);
                Ok(true)
            }
        }
    }
}

pub(super) fn conflict(one: &Op, other: &Op) -> TxError {
    TxError::DatomsConflict {
        entity: one.e.into(),
        attribute: one.a.ident.clone(),
        one: Box::new((one.v.clone(), one.added)),
        other: Box::new((other.v.clone(), other.added)),
        forms: Box::new(((&one.form).into(), (&other.form).into())),
    }
}

/// The value that a retraction frees: a decimal of another scale is still held, even by the
/// entity that claims this one.
fn freed_key(value: &Value) -> Value {
    match value {
        Value::BigDec(_) => value.clone(),
        value => set_key(value),
    }
}

/// Checks that every unique value has one holder after the transaction, and that what is
/// installed can be. `new` are the entities that the transaction made.
pub(super) fn check_unique(
    db: &Db,
    datoms: &[Datom],
    new: &FxHashSet<EntityId>,
) -> Result<(), TxError> {
    let schema = db.schema();
    let mut freed: FxHashSet<(EntityId, EntityId, Value)> = FxHashSet::default();
    let mut claims: Vec<&Datom> = Vec::new();
    for datom in datoms {
        if is_directive(datom.a) {
            claims.push(datom);
        }
        let attribute = schema.attribute(datom.a);
        let Some(attribute) = attribute.filter(|a| a.unique.is_some()) else {
            continue;
        };
        if !datom.added {
            freed.insert((datom.e, datom.a, freed_key(&datom.v)));
        } else if datom.a == id::IDENT
            || !(new.contains(&datom.e) && is_known_free(attribute, &datom.v))
        {
            claims.push(datom);
        }
    }
    let basis = db.basis();
    for datom in claims {
        if is_directive(datom.a) {
            check_directive(db, datom)?;
            continue;
        }
        if let Some(holder) = basis.holder(datom.a, &datom.v)?
            && !freed.contains(&(holder, datom.a, freed_key(&datom.v)))
        {
            return Err(TxError::UniqueConflict {
                attribute: name(db, datom.a),
                value: datom.v.clone(),
                existing: holder.into(),
                asserted: datom.e.into(),
                form: Form::default(),
            });
        }
        check_ident(db, datom)?;
    }
    Ok(())
}

/// Whether `upsert` looked for the holder of a new entity's value: had it found one, the entity
/// would not be new. It does not look for values that may hold tempids.
fn is_known_free(attribute: &Attribute, value: &Value) -> bool {
    attribute.unique == Some(Unique::Identity) && !matches!(value, Value::Ref(_) | Value::Tuple(_))
}

pub(super) fn name(db: &Db, a: EntityId) -> Keyword {
    db.ident(a)
        .unwrap_or_else(|| Keyword::parse(&a.to_string()))
}
