//! The plan of an import: which attribute every column becomes. Plain data.

use datomite::{Keyword, ValueType};
use rustc_hash::FxHashMap;

use crate::catalog::Name;
use crate::convert::Scalar;
use crate::types::{Element, Shape};

/// Where a foreign key points.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    /// The table referred to (the root, where it is a partition).
    pub target: Name,
    /// Its columns, in the order of the key.
    pub target_columns: Vec<String>,
}

/// One column of a table.
#[derive(Clone, PartialEq, Debug)]
pub struct ColumnPlan {
    /// Its SQL name.
    pub column: String,
    /// Its type, as Postgres prints it.
    pub type_text: String,
    /// The attribute; `None` where the column is left out.
    pub attribute: Option<Keyword>,
    /// What its values are.
    pub shape: Shape,
    /// The reference, where it is a foreign key of its own.
    pub reference: Option<Reference>,
    /// By mapping: idents are made of its texts, in this namespace.
    pub to_enum: Option<String>,
    /// By mapping: the text that stands for NULL.
    pub default: Option<String>,
    /// Unique, and not the identity.
    pub unique: bool,
    /// The identity of the entity.
    pub identity: bool,
    /// `:db/index`.
    pub indexed: bool,
    /// Computed by Postgres: not in the data.
    pub generated: bool,
    /// `:db/doc`.
    pub doc: Option<String>,
}

impl ColumnPlan {
    /// The type of the attribute.
    pub fn value_type(&self) -> ValueType {
        if self.reference.is_some() || self.to_enum.is_some() {
            ValueType::Ref
        } else {
            self.shape.value_type()
        }
    }

    /// Whether an entity can hold several values.
    pub fn is_many(&self) -> bool {
        self.shape.array.is_some() && self.reference.is_none() && self.to_enum.is_none()
    }

    /// Whether its values are component entities.
    pub fn is_component(&self) -> bool {
        self.reference.is_none() && matches!(self.shape.element, Element::Composite(_))
    }

    /// Suffix and type of every companion.
    pub fn companions(&self) -> Vec<(&'static str, ValueType)> {
        if self.reference.is_some() {
            let scalar = self.shape.scalar().unwrap_or(Scalar::Text);
            return vec![("raw", scalar.value_type())];
        }
        if self.to_enum.is_some() {
            return Vec::new();
        }
        self.shape.companions()
    }
}

/// A foreign key of several columns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompositeReference {
    /// The attribute.
    pub attribute: Keyword,
    /// Indexes of the referring columns.
    pub columns: Vec<usize>,
    /// Where it points.
    pub reference: Reference,
}

/// What makes a row the same row in a later dump.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Identity {
    /// One column.
    Column(usize),
    /// Several, as a tuple.
    Tuple {
        /// The tuple's attribute.
        attribute: Keyword,
        /// Indexes of the members in key order.
        members: Vec<usize>,
    },
    /// `%key`: the hash of several, where a tuple cannot hold them.
    Digest {
        /// The attribute.
        attribute: Keyword,
        /// Indexes of the members in key order.
        members: Vec<usize>,
    },
    /// `%row`: the hash of the content and a number.
    Row {
        /// The attribute.
        attribute: Keyword,
    },
}

/// A table that becomes entities.
#[derive(Clone, PartialEq, Debug)]
pub struct Relation {
    /// The table (the root of a partition tree).
    pub table: Name,
    /// The namespace of its attributes.
    pub namespace: String,
    /// Its columns in order.
    pub columns: Vec<ColumnPlan>,
    /// What makes a row the same.
    pub identity: Identity,
    /// Foreign keys of several columns.
    pub references: Vec<CompositeReference>,
    /// The table's comment.
    pub doc: Option<String>,
}

/// A table that becomes a many-valued reference.
#[derive(Clone, PartialEq, Debug)]
pub struct Bridge {
    /// The table.
    pub table: Name,
    /// The attribute, on the first table's entities.
    pub attribute: Keyword,
    /// Column and target whose entity holds the references.
    pub from: (String, Reference),
    /// Column and target of the references.
    pub to: (String, Reference),
    /// The type of the second column, for `.raw`.
    pub raw: Scalar,
    /// Columns that are not carried (by mapping only).
    pub payload: Vec<String>,
    /// The table's comment.
    pub doc: Option<String>,
}

/// What a table becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Becomes {
    /// Entities: an index into `relations`.
    Relation(usize),
    /// References: an index into `bridges`.
    Bridge(usize),
    /// Nothing, because a mapping or a filter leaves it out.
    Nothing,
}

/// The idents of an enum type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EnumPlan {
    /// The type.
    pub name: Name,
    /// Label and ident, in the type's order.
    pub labels: Vec<(String, Keyword)>,
}

/// The attributes of a composite type.
#[derive(Clone, PartialEq, Debug)]
pub struct CompositePlan {
    /// The type.
    pub name: Name,
    /// Its fields.
    pub fields: Vec<ColumnPlan>,
}

/// The whole plan.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Plan {
    /// Tables that become entities.
    pub relations: Vec<Relation>,
    /// Tables that become references.
    pub bridges: Vec<Bridge>,
    /// What every table becomes, partitions included.
    pub tables: FxHashMap<Name, Becomes>,
    /// Enum types in use.
    pub enums: Vec<EnumPlan>,
    /// Composite types in use.
    pub composites: Vec<CompositePlan>,
    /// What was decided against, with a mapping line that would decide otherwise.
    pub notes: Vec<String>,
}

impl Plan {
    /// The relation of a table.
    pub fn relation(&self, table: &Name) -> Option<&Relation> {
        match self.tables.get(table)? {
            Becomes::Relation(n) => self.relations.get(*n),
            _ => None,
        }
    }
}

/// A companion of an attribute (N11).
pub fn companion(attribute: &Keyword, suffix: &str) -> Keyword {
    Keyword::new(
        attribute.namespace(),
        &format!("{}.{suffix}", attribute.name()),
    )
}
