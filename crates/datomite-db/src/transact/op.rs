//! The typed stages of a transaction: each hides from the next what it settled.
//!
//! `RawOp` (what was written) → `FlatOp` (one fact each, names unresolved) → `TempOp` (ids and
//! values, but for tempids) → `Op` (ids and values).

use std::sync::Arc;

use datomite_model::{Attribute, Edn, EntityId, Partition, Value};
use rustc_hash::FxHashMap;

use crate::bootstrap::id;

/// One element of transaction data, kept as it was written and shared with every fact it makes.
#[derive(Clone, Debug)]
pub(super) enum RawOp {
    /// `[:db/add e a v …]` or `[:db/retract e a v …]`: a sequence of at least four.
    Fact { added: bool, form: Arc<Edn> },
    /// A map of attributes and values.
    Map { form: Arc<Edn> },
    /// A call of a transaction function; `[:db/retract e a]` is one. A sequence of at least one.
    Call { form: Arc<Edn> },
    /// `{:db/force-partition {…} :db/match-partition {…}}`.
    Partitions {
        force: Vec<(Edn, Edn)>,
        matching: Vec<(Edn, Edn)>,
    },
}

/// An entity: written, or made by the expansion.
#[derive(Clone, Debug)]
pub(super) enum Ent {
    Form(Edn),
    Temp(TempId),
}

/// A value: written, or an entity made by the expansion.
#[derive(Clone, Debug)]
pub(super) enum FlatValue {
    Form(Edn),
    Entity(Ent),
}

/// One fact whose names are not resolved yet.
#[derive(Clone, Debug)]
pub(super) struct FlatOp {
    pub(super) added: bool,
    pub(super) e: Ent,
    pub(super) a: Arc<Attribute>,
    pub(super) v: FlatValue,
    /// What was written, for messages.
    pub(super) form: Arc<Edn>,
}

/// A temporary id: a place in [`Tempids`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(super) struct TempId(u32);

impl TempId {
    pub(super) fn at(self) -> usize {
        self.0 as usize
    }
}

/// The entity of a `TempOp`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Place {
    Id(EntityId),
    Temp(TempId),
}

/// The value of a `TempOp`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum TempValue {
    Value(Value),
    Temp(TempId),
    /// A tuple with tempids in ref slots.
    Tuple(Vec<Option<TempValue>>),
}

/// One fact, but for tempids.
#[derive(Clone, Debug)]
pub(super) struct TempOp {
    pub(super) added: bool,
    pub(super) e: Place,
    pub(super) a: Arc<Attribute>,
    pub(super) v: TempValue,
    pub(super) form: Arc<Edn>,
}

impl TempOp {
    /// The fact as transaction data: `[op e a v]`, in ids.
    pub(super) fn written(&self, tempids: &Tempids) -> Edn {
        let id = |id: EntityId| Edn::Value(Value::Ref(id));
        let op = if self.added { id::ADD } else { id::RETRACT };
        let e = match self.e {
            Place::Id(e) => id(e),
            Place::Temp(temp) => tempids.written(temp),
        };
        Edn::Vector(vec![id(op), e, id(self.a.id), self.v.written(tempids)])
    }
}

impl TempValue {
    fn written(&self, tempids: &Tempids) -> Edn {
        match self {
            TempValue::Value(value) => Edn::from(value.clone()),
            TempValue::Temp(temp) => tempids.written(*temp),
            TempValue::Tuple(slots) => Edn::Vector(
                slots
                    .iter()
                    .map(|slot| slot.as_ref().map_or(Edn::Nil, |slot| slot.written(tempids)))
                    .collect(),
            ),
        }
    }
}

/// One fact.
#[derive(Clone, Debug)]
pub(super) struct Op {
    pub(super) added: bool,
    pub(super) e: EntityId,
    pub(super) a: Arc<Attribute>,
    pub(super) v: Value,
    pub(super) form: Arc<Edn>,
}

/// The temporary ids of one transaction.
#[derive(Default, Debug)]
pub(super) struct Tempids {
    entries: Vec<Tempid>,
    by_name: FxHashMap<Edn, TempId>,
    /// Each component's whole, as maps are nested: a new entity goes where that one goes.
    nested: FxHashMap<Place, Place>,
}

/// What is known of one temporary id.
#[derive(Clone, Debug)]
pub(super) struct Tempid {
    /// As written; none for a map without `:db/id`.
    pub(super) name: Option<Edn>,
    /// Whether it names the transaction itself.
    pub(super) is_tx: bool,
    /// The partition asked for by its own form.
    pub(super) partition: Option<Partition>,
}

impl Tempids {
    /// The tempid with that name, new or known.
    pub(super) fn named(&mut self, name: Edn, is_tx: bool, part: Option<Partition>) -> TempId {
        if let Some(id) = self.by_name.get(&name) {
            return *id;
        }
        let id = self.push(Tempid {
            name: Some(name.clone()),
            is_tx,
            partition: part,
        });
        self.by_name.insert(name, id);
        id
    }

    /// A tempid of its own.
    pub(super) fn fresh(&mut self, part: Option<Partition>) -> TempId {
        self.push(Tempid {
            name: None,
            is_tx: false,
            partition: part,
        })
    }

    /// Says what an entity is a component of, if nothing was said of it before.
    pub(super) fn nest(&mut self, component: Place, whole: Place) {
        self.nested.entry(component).or_insert(whole);
    }

    /// Every component with its whole.
    pub(super) fn nested(&self) -> impl Iterator<Item = (Place, Place)> {
        self.nested
            .iter()
            .map(|(component, whole)| (*component, *whole))
    }

    /// The tempid of that name, if the transaction mentions it.
    pub(super) fn mentioned(&self, name: &Edn) -> Option<TempId> {
        self.by_name.get(name).copied()
    }

    fn push(&mut self, entry: Tempid) -> TempId {
        let id = TempId(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        self.entries.push(entry);
        id
    }

    /// What is known of one.
    pub(super) fn get(&self, id: TempId) -> &Tempid {
        &self.entries[id.at()]
    }

    /// One as it was written; nil where it has no name.
    fn written(&self, id: TempId) -> Edn {
        self.get(id).name.clone().unwrap_or(Edn::Nil)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// All of them, in the order of their first mention.
    pub(super) fn ids(&self) -> impl Iterator<Item = TempId> + use<> {
        (0..self.entries.len()).map(|at| TempId(at as u32))
    }
}
