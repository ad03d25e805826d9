//! What a generator of transactions knows of the database: its attributes, facts and names.

use std::collections::BTreeMap;
use std::sync::Arc;

use datomite::{Attribute, Datom, Db, Edn, EntityId, Index, Keyword, Value};

/// Ids below are the bootstrap's.
const FIRST_OWN: u64 = 72;
const DB_IDENT: EntityId = EntityId::new(10);

/// A database as the generator sees it.
#[derive(Clone, Default)]
pub struct Scene {
    /// The attributes that users defined.
    pub attrs: Vec<Arc<Attribute>>,
    /// The facts of those attributes.
    pub facts: Vec<Datom>,
    /// Entities by label: what `#id "label"` means.
    pub labels: Vec<(String, EntityId)>,
    /// Idents that users gave to entities that are no attributes.
    pub idents: Vec<Keyword>,
    /// Idents that users gave and took away, or replaced.
    pub old_idents: Vec<Keyword>,
    /// How many transactions there are to name by `#tx n`.
    pub transactions: usize,
}

impl Scene {
    /// Looks at a database; `labels` and `transactions` are what its case can name.
    pub fn of(db: &Db, labels: &BTreeMap<String, EntityId>, transactions: usize) -> Scene {
        let own = |id: EntityId| id.raw() >= FIRST_OWN;
        let schema = db.schema();
        let mut attrs: Vec<_> = schema.attributes().filter(|a| own(a.id)).cloned().collect();
        attrs.sort_by_key(|attr| attr.id);
        let all = db.datoms(Index::Eavt, &[]).expect("a read");
        let all: Vec<Datom> = all.map(|datom| datom.expect("a read")).collect();
        let is_own = |a: EntityId| attrs.iter().any(|attr| attr.id == a);
        let facts = all.iter().filter(|datom| is_own(datom.a)).cloned();
        let facts = facts.collect();
        let mut scene = Scene {
            attrs,
            facts,
            labels: labels.iter().map(|(l, e)| (l.clone(), *e)).collect(),
            transactions,
            ..Scene::default()
        };
        let mut named = Vec::new();
        for datom in all
            .iter()
            .filter(|datom| datom.a == DB_IDENT && own(datom.e))
        {
            if let Value::Keyword(ident) = &datom.v {
                named.push(ident.clone());
                if !scene.attrs.iter().any(|attr| attr.id == datom.e) {
                    scene.idents.push(ident.clone());
                }
            }
        }
        let old = schema.idents().filter(|(_, id)| own(*id));
        let old = old.map(|(ident, _)| ident.clone());
        scene.old_idents = old.filter(|ident| !named.contains(ident)).collect();
        scene.old_idents.sort();
        scene
    }

    /// The label of an entity, if it has one.
    pub fn label(&self, id: EntityId) -> Option<Edn> {
        let found = self.labels.iter().find(|(_, entity)| *entity == id);
        found.map(|(label, _)| super::tagged("id", Edn::string(label)))
    }

    /// An attribute by name.
    pub fn attr(&self, name: &str) -> Option<&Arc<Attribute>> {
        let name = Keyword::parse(name);
        self.attrs.iter().find(|attr| attr.ident == name)
    }
}
