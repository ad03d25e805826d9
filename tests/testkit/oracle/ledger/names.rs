//! Ids that every database has, and the attributes that facts describe.

use datomite::{EntityId, Keyword, TupleKind, Unique, Value, ValueType};

use super::{Attr, Ledger};

pub(super) const PART_TX: u32 = 3;
pub(super) const PART_USER: u32 = 4;
pub(super) const IDENT: u64 = 10;
pub(super) const ALTER_ATTRIBUTE: u64 = 19;
pub(super) const TX_INSTANT: u64 = 50;

/// Ids below are the bootstrap's.
pub(super) const FIRST_OWN: u64 = 72;

/// Properties that define or alter an attribute.
pub(super) const DEFINES: [&str; 11] = [
    "db/valueType",
    "db/cardinality",
    "db/unique",
    "db/isComponent",
    "db/index",
    "db/noHistory",
    "db/fulltext",
    "db/tupleType",
    "db/tupleTypes",
    "db/tupleAttrs",
    "db.attr/preds",
];

pub(super) fn partition(id: EntityId) -> u32 {
    (id.raw() >> 42) as u32
}

impl Ledger {
    /// The id of a built-in name.
    pub(super) fn built_in(&self, name: &str) -> EntityId {
        let found = self.entity_named(&Keyword::parse(name));
        found.unwrap_or_else(|| panic!("every database has {name}"))
    }

    pub(super) fn is(&self, id: EntityId, name: &str) -> bool {
        id.raw() < FIRST_OWN && self.built_in(name) == id
    }

    pub(super) fn defines(&self, a: EntityId) -> bool {
        DEFINES.iter().any(|name| self.is(a, name))
    }

    /// The attributes that the facts describe.
    pub(super) fn read_attrs(&self) -> Vec<Attr> {
        let Some(value_type) = self.entity_named(&Keyword::parse("db/valueType")) else {
            return Vec::new();
        };
        let typed = self.facts.iter().filter(|fact| fact.a == value_type);
        let typed: Vec<EntityId> = typed.map(|fact| fact.e).collect();
        typed
            .into_iter()
            .filter_map(|id| self.read_attr(id))
            .collect()
    }

    fn read_attr(&self, id: EntityId) -> Option<Attr> {
        let value = |name: &str| self.of_entity(id, self.built_in(name)).next();
        let is_true = |name: &str| value(name) == Some(&Value::from(true));
        let named = |value: Option<&Value>| {
            let id = value?.as_ref_id()?;
            let own = self
                .facts
                .iter()
                .find(|f| f.e == id && f.a.raw() == IDENT)?;
            match &own.v {
                Value::Keyword(name) => Some(name.clone()),
                _ => None,
            }
        };
        let preds = self.of_entity(id, self.built_in("db.attr/preds"));
        let preds = preds.filter_map(|value| match value {
            Value::Symbol(name) => Some(name.clone()),
            _ => None,
        });
        Some(Attr {
            id,
            value_type: ValueType::of_ident(&named(value("db/valueType"))?)?,
            many: named(value("db/cardinality"))?.as_str() == "db.cardinality/many",
            unique: value("db/unique").map(|unique| match named(Some(unique)) {
                Some(name) if name.as_str() == "db.unique/identity" => Unique::Identity,
                _ => Unique::Value,
            }),
            component: is_true("db/isComponent"),
            indexed: is_true("db/index"),
            tuple: self.read_tuple(id),
            preds: preds.collect(),
        })
    }

    fn read_tuple(&self, id: EntityId) -> Option<TupleKind> {
        let value = |name: &str| self.of_entity(id, self.built_in(name)).next();
        let names = |value: &Value| match value {
            Value::Tuple(slots) => slots
                .iter()
                .filter_map(|slot| match slot {
                    Some(Value::Keyword(name)) => Some(name.clone()),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        if let Some(Value::Keyword(name)) = value("db/tupleType") {
            return ValueType::of_ident(name).map(TupleKind::Homogeneous);
        }
        if let Some(types) = value("db/tupleTypes") {
            let types = names(types)
                .iter()
                .filter_map(ValueType::of_ident)
                .collect();
            return Some(TupleKind::Heterogeneous(types));
        }
        let parts = names(value("db/tupleAttrs")?);
        let parts = parts.iter().filter_map(|name| self.entity_named(name));
        Some(TupleKind::Composite(parts.collect()))
    }
}
