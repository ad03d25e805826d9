//! What loading asks of a database: one group, invisible until its commit.
//!
//! The narrow face between the importer and the store. Errors come back as `ImportError`.

use datomite::{Edn, EntityId, Instant, Keyword, T, Value, ValueType};

use crate::ImportError;

/// New facts of one attribute: two columns of the same length.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct FactColumn {
    pub(crate) attribute: EntityId,
    pub(crate) entities: Vec<EntityId>,
    pub(crate) values: Vec<Value>,
}

/// What an attribute of the store says of itself.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct StoredAttribute {
    pub(crate) id: EntityId,
    pub(crate) ident: Keyword,
    pub(crate) value_type: ValueType,
    /// `:pg/table`, `:pg/column`, `:pg/type`, where it was imported.
    pub(crate) origin: Option<[String; 3]>,
    pub(crate) doc: Option<String>,
    pub(crate) is_unique: bool,
}

/// What a transaction did, without the datoms on transaction entities.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Transacted {
    pub(crate) tx: EntityId,
    pub(crate) asserted: u64,
    pub(crate) retracted: u64,
}

/// One open group of a store.
pub(crate) trait Group {
    /// Runs transaction data.
    fn transact(&mut self, data: Vec<Edn>, instant: Instant) -> Result<Transacted, ImportError>;
    /// The first of `count` consecutive new ids.
    fn reserve(&mut self, count: u64) -> Result<EntityId, ImportError>;
    /// One transaction of new facts.
    fn columns(
        &mut self,
        columns: Vec<FactColumn>,
        instant: Instant,
        facts: Vec<(Keyword, Value)>,
    ) -> Result<(), ImportError>;
    /// The entity of an ident.
    fn entid(&self, ident: &Keyword) -> Result<Option<EntityId>, ImportError>;
    /// The attributes of the store.
    fn attributes(&self) -> Result<Vec<StoredAttribute>, ImportError>;
    /// The facts of an entity, in the order of attribute and value.
    fn facts(&self, entity: EntityId) -> Result<Vec<(EntityId, Value)>, ImportError>;
    /// The entity with that value of an indexed attribute.
    fn lookup(&self, attribute: EntityId, value: &Value) -> Result<Option<EntityId>, ImportError>;
    /// All facts of an attribute.
    fn facts_of(&self, attribute: EntityId) -> Result<Vec<(EntityId, Value)>, ImportError>;
    /// The instant of the last transaction.
    fn last_instant(&self) -> Result<Instant, ImportError>;
    /// Makes the group visible; the basis after it.
    fn commit(self) -> Result<T, ImportError>;
}
