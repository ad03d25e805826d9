//! The four indexes and the order of their components.

use std::fmt;

/// One of the four sorted views of the datoms.
///
/// The name is the order of the components; t comes last and descends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Index {
    /// Entity, attribute, value: everything.
    Eavt,
    /// Attribute, entity, value: everything.
    Aevt,
    /// Attribute, value, entity: attributes that are indexed or unique.
    Avet,
    /// Value, attribute, entity: references.
    Vaet,
}

/// One component of a datom that an index sorts by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Component {
    /// The entity.
    Entity,
    /// The attribute.
    Attribute,
    /// The value.
    Value,
}

impl Index {
    /// All four, in the order in which they are kept.
    pub const ALL: [Index; 4] = [Index::Eavt, Index::Aevt, Index::Avet, Index::Vaet];

    /// The components before t, in sort order.
    pub const fn components(self) -> [Component; 3] {
        use Component::{Attribute, Entity, Value};
        match self {
            Index::Eavt => [Entity, Attribute, Value],
            Index::Aevt => [Attribute, Entity, Value],
            Index::Avet => [Attribute, Value, Entity],
            Index::Vaet => [Value, Attribute, Entity],
        }
    }

    /// The name in lower case, as a keyword writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Index::Eavt => "eavt",
            Index::Aevt => "aevt",
            Index::Avet => "avet",
            Index::Vaet => "vaet",
        }
    }

    /// The index of that name.
    pub fn named(name: &str) -> Option<Index> {
        Index::ALL.into_iter().find(|index| index.name() == name)
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ":{}", self.name())
    }
}
