//! Attributes: what the schema says about one of them.

use crate::{EntityId, Keyword, Symbol};

/// The types a value may have, as `:db/valueType` names them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum ValueType {
    /// `:db.type/string`
    String,
    /// `:db.type/boolean`
    Boolean,
    /// `:db.type/long`
    Long,
    /// `:db.type/bigint`
    BigInt,
    /// `:db.type/float`
    Float,
    /// `:db.type/double`
    Double,
    /// `:db.type/bigdec`
    BigDec,
    /// `:db.type/instant`
    Instant,
    /// `:db.type/keyword`
    Keyword,
    /// `:db.type/symbol`
    Symbol,
    /// `:db.type/uuid`
    Uuid,
    /// `:db.type/uri`
    Uri,
    /// `:db.type/bytes`
    Bytes,
    /// `:db.type/ref`
    Ref,
    /// `:db.type/tuple`
    Tuple,
    /// `:db.type/fn`: known by name, never stored.
    Fn,
}

/// `:db/cardinality`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cardinality {
    /// At most one value at a time.
    One,
    /// A set of values.
    Many,
}

/// `:db/unique`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Unique {
    /// A tempid with a known value becomes the entity that holds it.
    Identity,
    /// A second entity with the value is refused.
    Value,
}

/// What the slots of a tuple hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TupleKind {
    /// `:db/tupleAttrs`: computed from these attributes of the same entity.
    Composite(Vec<EntityId>),
    /// `:db/tupleTypes`: one type for each slot.
    Heterogeneous(Vec<ValueType>),
    /// `:db/tupleType`: 2 to 8 values of one type.
    Homogeneous(ValueType),
}

/// One attribute, as installed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Attribute {
    /// The entity that is the attribute.
    pub id: EntityId,
    /// Its present name.
    pub ident: Keyword,
    /// What its values are.
    pub value_type: ValueType,
    /// One value or a set.
    pub cardinality: Cardinality,
    /// Whether, and how, its values are unique.
    pub unique: Option<Unique>,
    /// `:db/index` (AVET also holds unique attributes).
    pub indexed: bool,
    /// `:db/isComponent`.
    pub is_component: bool,
    /// `:db/noHistory`.
    pub no_history: bool,
    /// `:db/fulltext`.
    pub fulltext: bool,
    /// The slots, where the value type is tuple.
    pub tuple: Option<TupleKind>,
    /// `:db.attr/preds`.
    pub preds: Vec<Symbol>,
}

impl Attribute {
    /// A plain attribute of that type and cardinality; the rest is off.
    pub fn new(
        id: EntityId,
        ident: Keyword,
        value_type: ValueType,
        cardinality: Cardinality,
    ) -> Attribute {
        Attribute {
            id,
            ident,
            value_type,
            cardinality,
            unique: None,
            indexed: false,
            is_component: false,
            no_history: false,
            fulltext: false,
            tuple: None,
            preds: Vec::new(),
        }
    }

    /// Whether AVET holds its datoms.
    pub fn has_avet(&self) -> bool {
        self.indexed || self.unique.is_some()
    }

    /// Whether its values are entity ids; VAET holds its datoms then.
    pub fn is_ref(&self) -> bool {
        self.value_type == ValueType::Ref
    }

    /// Whether an entity can hold several values.
    pub fn is_many(&self) -> bool {
        self.cardinality == Cardinality::Many
    }

    /// Whether the store computes its values from other attributes.
    pub fn is_composite(&self) -> bool {
        matches!(self.tuple, Some(TupleKind::Composite(_)))
    }
}

impl ValueType {
    /// All types, in the order of the enum.
    pub const ALL: [ValueType; 16] = [
        ValueType::String,
        ValueType::Boolean,
        ValueType::Long,
        ValueType::BigInt,
        ValueType::Float,
        ValueType::Double,
        ValueType::BigDec,
        ValueType::Instant,
        ValueType::Keyword,
        ValueType::Symbol,
        ValueType::Uuid,
        ValueType::Uri,
        ValueType::Bytes,
        ValueType::Ref,
        ValueType::Tuple,
        ValueType::Fn,
    ];

    /// The last part of the type's ident: `string`, `bigdec`, ….
    pub const fn name(self) -> &'static str {
        match self {
            ValueType::String => "string",
            ValueType::Boolean => "boolean",
            ValueType::Long => "long",
            ValueType::BigInt => "bigint",
            ValueType::Float => "float",
            ValueType::Double => "double",
            ValueType::BigDec => "bigdec",
            ValueType::Instant => "instant",
            ValueType::Keyword => "keyword",
            ValueType::Symbol => "symbol",
            ValueType::Uuid => "uuid",
            ValueType::Uri => "uri",
            ValueType::Bytes => "bytes",
            ValueType::Ref => "ref",
            ValueType::Tuple => "tuple",
            ValueType::Fn => "fn",
        }
    }

    /// The type's ident, such as `:db.type/string`.
    pub fn ident(self) -> Keyword {
        Keyword::new(Some("db.type"), self.name())
    }

    /// The type with that ident.
    pub fn of_ident(ident: &Keyword) -> Option<ValueType> {
        if ident.namespace() != Some("db.type") {
            return None;
        }
        ValueType::ALL
            .into_iter()
            .find(|t| t.name() == ident.name())
    }

    /// The short tag that Datomic's wrong-type messages use (`:int`, `:inst`, `:key`, …).
    pub const fn tag(self) -> &'static str {
        match self {
            ValueType::Long => "int",
            ValueType::Boolean => "bool",
            ValueType::Instant => "inst",
            ValueType::Keyword => "key",
            ValueType::Symbol => "sym",
            ValueType::Tuple => "list",
            _ => self.name(),
        }
    }
}
