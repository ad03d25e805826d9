//! The schema: attributes by id and every name an entity has had.
//!
//! A plain value, carried by a `Db` and replaced by the transaction that changes it. It knows
//! names and attributes; which changes are legal is decided by the transaction pipeline.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{Attribute, EntityId, Keyword, TupleKind};

/// Attributes and idents at one basis.
#[derive(Clone, Default, Debug)]
pub struct Schema {
    attributes: FxHashMap<EntityId, Arc<Attribute>>,
    /// Every ident ever given, old ones too: an old name resolves until another entity takes it.
    by_ident: FxHashMap<Keyword, EntityId>,
    /// The present ident of an entity (the last one given, also after its retraction).
    ident_of: FxHashMap<EntityId, Keyword>,
    /// Composite tuples by constituent attribute.
    composites: FxHashMap<EntityId, Vec<EntityId>>,
}

impl Schema {
    /// The attribute with that id.
    pub fn attribute(&self, id: EntityId) -> Option<&Arc<Attribute>> {
        self.attributes.get(&id)
    }

    /// The attribute with that ident, old idents included.
    pub fn attribute_named(&self, ident: &Keyword) -> Option<&Arc<Attribute>> {
        self.attribute(self.entid(ident)?)
    }

    /// All attributes, in no order.
    pub fn attributes(&self) -> impl Iterator<Item = &Arc<Attribute>> {
        self.attributes.values()
    }

    /// The entity with that ident, old idents included.
    pub fn entid(&self, ident: &Keyword) -> Option<EntityId> {
        self.by_ident.get(ident).copied()
    }

    /// The present ident of an entity.
    pub fn ident(&self, id: EntityId) -> Option<&Keyword> {
        self.ident_of.get(&id)
    }

    /// All idents that resolve, with their entities, in no order.
    pub fn idents(&self) -> impl Iterator<Item = (&Keyword, EntityId)> {
        self.by_ident.iter().map(|(ident, id)| (ident, *id))
    }

    /// The composite tuple attributes that have `attribute` as a constituent.
    pub fn composites_of(&self, attribute: EntityId) -> &[EntityId] {
        self.composites.get(&attribute).map_or(&[], Vec::as_slice)
    }

    /// Installs an attribute or replaces what was known of it.
    pub fn put_attribute(&mut self, attribute: Attribute) {
        if let Some(TupleKind::Composite(parts)) = &attribute.tuple {
            for part in parts {
                let list = self.composites.entry(*part).or_default();
                if !list.contains(&attribute.id) {
                    list.push(attribute.id);
                }
            }
        }
        self.attributes.insert(attribute.id, Arc::new(attribute));
    }

    /// Gives an entity an ident. The old one keeps resolving; an entity that had `ident` loses it.
    pub fn put_ident(&mut self, id: EntityId, ident: Keyword) {
        if let Some(attribute) = self.attributes.get_mut(&id) {
            Arc::make_mut(attribute).ident = ident.clone();
        }
        self.by_ident.insert(ident.clone(), id);
        self.ident_of.insert(id, ident);
    }
}
