//! The entity API: one entity of a database value, read attribute by attribute.
//!
//! An `Entity` is an id and the database it is seen in. Attributes are read when they are asked
//! for and kept. A reference gives another entity, or the keyword where the target has an ident;
//! `:ns/_attribute` walks references backwards. It never says that something exists.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datomite_model::{
    Attribute, Datom, Edn, EntityId, FromEdn, FromEdnError, FromEdnProblem, Keyword, Value,
};
use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::ident::ident_form;
use crate::{Db, DbError};

/// How deep `to_edn` nests components: as deep as a form may be, with room around it.
const NESTING_MAX: usize = 400;

/// One entity, seen in one database value.
#[derive(Clone)]
pub struct Entity {
    inner: Arc<Inner>,
}

/// Attributes with what they give, in the order of attribute ids.
type Attributes = Arc<Vec<(Keyword, EntityValue)>>;

struct Inner {
    db: Db,
    id: EntityId,
    read: Mutex<FxHashMap<Keyword, Option<EntityValue>>>,
    /// All attributes, once touched.
    all: Mutex<Option<Attributes>>,
}

/// What an attribute of an entity gives.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum EntityValue {
    /// A value; the ident where a reference leads to an entity that has one.
    Value(Value),
    /// Another entity.
    Entity(Entity),
    /// The values of a cardinality-many attribute, or everything that refers here.
    Set(Vec<EntityValue>),
}

impl Db {
    /// The entity that a form names; `None` where an ident or lookup ref names none.
    /// A number always names one.
    pub fn entity(&self, form: &Edn) -> Result<Option<Entity>, DbError> {
        if self.is_history() {
            return Err(DbError::History {
                operation: "create entity from",
            });
        }
        Ok(self.entid(form)?.map(|id| Entity::new(self.clone(), id)))
    }
}

impl Entity {
    fn new(db: Db, id: EntityId) -> Entity {
        Entity {
            inner: Arc::new(Inner {
                db,
                id,
                read: Mutex::default(),
                all: Mutex::default(),
            }),
        }
    }

    /// Its id.
    pub fn id(&self) -> EntityId {
        self.inner.id
    }

    /// The database value it is seen in.
    pub fn db(&self) -> &Db {
        &self.inner.db
    }

    /// What an attribute gives, forwards or (`:ns/_name`) backwards; `None` where it has nothing.
    pub fn get(&self, key: impl Into<Keyword>) -> Result<Option<EntityValue>, DbError> {
        let key = key.into();
        if let Some(known) = self.inner.read.lock().get(&key) {
            return Ok(known.clone());
        }
        let value = self.load(&key)?;
        self.inner.read.lock().insert(key, value.clone());
        Ok(value)
    }

    /// What an attribute gives, as a Rust type: `entity.read::<String>(":users/name")`. A reference
    /// is an `EntityId`, or a `Keyword` where it leads to an ident; several values are a `Vec` or a
    /// set. Nothing is `None` for an `Option`, empty for a collection, and else an error.
    pub fn read<V: FromEdn>(&self, key: impl Into<Keyword>) -> Result<V, DbError> {
        let key = key.into();
        match self.get(key.clone())? {
            Some(value) => V::from_edn(&value.nested_edn(&mut Vec::new()))
                .map_err(|error| self.type_error(error.under(key))),
            None => V::from_nothing().ok_or_else(|| {
                let known = self.keys().unwrap_or_default();
                self.type_error(FromEdnError {
                    path: Vec::new(),
                    problem: FromEdnProblem::Missing {
                        field: key.to_string(),
                        known: known.iter().map(Keyword::to_string).collect(),
                    },
                })
            }),
        }
    }

    /// The whole entity as a Rust type, with its components: a struct with `#[derive(FromRow)]`,
    /// or a map.
    pub fn read_all<V: FromEdn>(&self) -> Result<V, DbError> {
        V::from_edn(&self.touch()?.to_edn()).map_err(|error| self.type_error(error))
    }

    fn type_error(&self, error: FromEdnError) -> DbError {
        DbError::EntityType {
            entity: self.id(),
            error: Box::new(error),
        }
    }

    /// As [`Entity::get`] for a form: a keyword, `":a/b"` or a symbol.
    pub fn get_form(&self, key: &Edn) -> Result<Option<EntityValue>, DbError> {
        match ident_form(key)? {
            Some(key) => self.get(key),
            None => Err(DbError::NotAKeyword { form: key.clone() }),
        }
    }

    /// The attributes that it has, sorted; without `:db/id`.
    pub fn keys(&self) -> Result<Vec<Keyword>, DbError> {
        let datoms = self.inner.db.datoms_of(self.id())?;
        let mut ids: Vec<EntityId> = datoms.iter().map(|datom| datom.a).collect();
        ids.dedup();
        let mut keys: Vec<Keyword> = ids.iter().filter_map(|a| self.inner.db.ident(*a)).collect();
        keys.sort();
        Ok(keys)
    }

    /// Reads everything, of its components too; a component met again is not read again.
    pub fn touch(&self) -> Result<&Entity, DbError> {
        let mut seen: FxHashSet<EntityId> = FxHashSet::default();
        let mut waiting = vec![self.clone()];
        while let Some(entity) = waiting.pop() {
            if !seen.insert(entity.id()) {
                continue;
            }
            for (key, value) in entity.attributes()?.iter() {
                let attribute = entity.inner.db.schema().attribute_named(key);
                if attribute.is_some_and(|attribute| attribute.is_component) {
                    value.entities(&mut waiting);
                }
            }
        }
        Ok(self)
    }

    /// All attributes with their values, in the order of attribute ids.
    pub fn attributes(&self) -> Result<Arc<Vec<(Keyword, EntityValue)>>, DbError> {
        if let Some(all) = self.inner.all.lock().as_ref() {
            return Ok(Arc::clone(all));
        }
        let db = &self.inner.db;
        let mut all = Vec::new();
        let datoms = db.datoms_of(self.id())?;
        for group in datoms.chunk_by(|x, y| x.a == y.a) {
            let Some(attribute) = db.schema().attribute(group[0].a) else {
                continue;
            };
            if let Some(value) = self.forward(attribute, group) {
                all.push((attribute.ident.clone(), value));
            }
        }
        let all = Arc::new(all);
        let mut read = self.inner.read.lock();
        for (key, value) in all.iter() {
            read.insert(key.clone(), Some(value.clone()));
        }
        *self.inner.all.lock() = Some(Arc::clone(&all));
        Ok(all)
    }

    /// The entity as a map with `:db/id`; attributes only once it is touched.
    pub fn to_edn(&self) -> Edn {
        self.nested_edn(&mut Vec::new())
    }

    fn nested_edn(&self, path: &mut Vec<EntityId>) -> Edn {
        let id = Edn::Value(Value::Long(self.id().raw() as i64));
        let mut entries = vec![(Edn::keyword("db/id"), id)];
        let all = self.inner.all.lock().clone();
        if let Some(all) = all
            && path.len() < NESTING_MAX
            && !path.contains(&self.id())
        {
            path.push(self.id());
            for (key, value) in all.iter() {
                let key = Edn::Value(Value::Keyword(key.clone()));
                entries.push((key, value.nested_edn(path)));
            }
            path.pop();
        }
        Edn::Map(entries)
    }

    fn load(&self, key: &Keyword) -> Result<Option<EntityValue>, DbError> {
        let db = &self.inner.db;
        if key.namespace() == Some("db") && key.name() == "id" {
            return Ok(Some(EntityValue::Value(Value::Ref(self.id()))));
        }
        let own = db.schema().attribute_named(key);
        if let Some(name) = key.name().strip_prefix('_')
            && key.namespace().is_some()
            && own.is_none()
        {
            let forward = Keyword::new(key.namespace(), name);
            return match db.schema().attribute_named(&forward) {
                Some(attribute) => self.backward(attribute),
                None => Ok(None),
            };
        }
        let Some(attribute) = own else {
            return Ok(None);
        };
        let datoms = db.datoms_of_attribute(self.id(), attribute.id)?;
        Ok(self.forward(attribute, &datoms))
    }

    fn forward(&self, attribute: &Attribute, datoms: &[Datom]) -> Option<EntityValue> {
        let value = |v: &Value| match v {
            Value::Ref(id) if attribute.is_ref() => self.target(*id),
            v => EntityValue::Value(v.clone()),
        };
        if !attribute.is_many() {
            // A past in which the attribute was cardinality-many can hold several: the first is
            // given.
            return datoms.first().map(|datom| value(&datom.v));
        }
        // In a set equal numbers are one: of 1M and 1.0M, the one that was asserted last.
        let twins = datoms.chunk_by(|x, y| x.v.datomic_eq(&y.v));
        let last = twins.filter_map(|twins| twins.iter().max_by_key(|datom| datom.tx));
        let set: Vec<EntityValue> = last.map(|datom| value(&datom.v)).collect();
        (!set.is_empty()).then_some(EntityValue::Set(set))
    }

    fn backward(&self, attribute: &Attribute) -> Result<Option<EntityValue>, DbError> {
        if !attribute.is_ref() {
            return Ok(None);
        }
        let datoms = self.inner.db.referrers_by(self.id(), attribute.id)?;
        let mut owners = datoms
            .iter()
            .map(|datom| EntityValue::Entity(self.sibling(datom.e)));
        if attribute.is_component {
            return Ok(owners.next());
        }
        let set: Vec<EntityValue> = owners.collect();
        Ok((!set.is_empty()).then_some(EntityValue::Set(set)))
    }

    fn target(&self, id: EntityId) -> EntityValue {
        match self.inner.db.ident(id) {
            Some(ident) => EntityValue::Value(Value::Keyword(ident)),
            None => EntityValue::Entity(self.sibling(id)),
        }
    }

    fn sibling(&self, id: EntityId) -> Entity {
        Entity::new(self.inner.db.clone(), id)
    }
}

impl EntityValue {
    /// The entity, where it is one.
    pub fn as_entity(&self) -> Option<&Entity> {
        match self {
            EntityValue::Entity(entity) => Some(entity),
            _ => None,
        }
    }

    /// The value, where it is one.
    pub fn as_value(&self) -> Option<&Value> {
        match self {
            EntityValue::Value(value) => Some(value),
            _ => None,
        }
    }

    /// The members, where it is a set.
    pub fn as_set(&self) -> Option<&[EntityValue]> {
        match self {
            EntityValue::Set(members) => Some(members),
            _ => None,
        }
    }

    fn entities(&self, out: &mut Vec<Entity>) {
        match self {
            EntityValue::Value(_) => {}
            EntityValue::Entity(entity) => out.push(entity.clone()),
            EntityValue::Set(members) => {
                out.extend(members.iter().filter_map(EntityValue::as_entity).cloned());
            }
        }
    }

    fn nested_edn(&self, path: &mut Vec<EntityId>) -> Edn {
        match self {
            EntityValue::Value(value) => Edn::from(value.clone()),
            EntityValue::Entity(entity) => entity.nested_edn(path),
            EntityValue::Set(members) => Edn::Set(
                members
                    .iter()
                    .map(|member| member.nested_edn(path))
                    .collect(),
            ),
        }
    }
}

impl PartialEq for Entity {
    /// The same entity of the same database, whatever the time.
    fn eq(&self, other: &Entity) -> bool {
        self.id() == other.id() && self.inner.db.id() == other.inner.db.id()
    }
}

impl Eq for Entity {}

impl Hash for Entity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl fmt::Debug for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_edn(), f)
    }
}

impl serde::Serialize for Entity {
    /// As [`Entity::to_edn`]: a map with `:db/id`; attributes only once it is touched.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_edn().serialize(serializer)
    }
}
