//! Why a bulk refuses a batch.

use datomite_model::{Category, EntityId, Instant, Keyword, Value, ValueType};

use crate::transact::TxError;
use crate::{DbError, FunctionError};

/// Why a batch was refused. The group stands as it was before the batch.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BulkError {
    /// A column of something that is no attribute.
    #[error("{attribute} is not an attribute")]
    UnknownAttribute {
        /// As it was given.
        attribute: String,
    },
    /// A column of a composite tuple, whose values the store computes.
    #[error("{attribute} is computed from its parts and cannot be written")]
    Composite {
        /// The attribute.
        attribute: Keyword,
    },
    /// As many entities as values are needed.
    #[error("{attribute}: {entities} entities and {values} values")]
    Length {
        /// The attribute.
        attribute: Keyword,
        /// How many entities.
        entities: usize,
        /// How many values.
        values: usize,
    },
    /// A value of another type than the attribute's.
    #[error("value {value} is not a valid :{} for attribute {attribute}", value_type.tag())]
    WrongType {
        /// The attribute.
        attribute: Keyword,
        /// Its type.
        value_type: ValueType,
        /// The value.
        value: Value,
    },
    /// A second value of a cardinality-one attribute.
    #[error("{entity} has {attribute} {first} already, cannot also have {second}")]
    SecondValue {
        /// The entity.
        entity: EntityId,
        /// The attribute.
        attribute: Keyword,
        /// The value it has, in the store or in the batch.
        first: Value,
        /// The other value.
        second: Value,
    },
    /// A unique value on a second entity.
    #[error("{attribute} {value} already names {existing}, cannot also name {asserted}")]
    UniqueConflict {
        /// The attribute.
        attribute: Keyword,
        /// The value.
        value: Value,
        /// The entity that has it, in the store or in the batch.
        existing: EntityId,
        /// The other entity.
        asserted: EntityId,
    },
    /// An attribute predicate did not say true.
    #[error("value {value} of {attribute} failed predicate {predicate}")]
    Predicate {
        /// The attribute.
        attribute: Keyword,
        /// The predicate.
        predicate: String,
        /// The value.
        value: Value,
    },
    /// An instant before the last transaction's.
    #[error("time conflict: {instant} is older than the last transaction ({last})")]
    PastInstant {
        /// The instant.
        instant: Instant,
        /// The last transaction's.
        last: Instant,
    },
    /// A predicate failed.
    #[error(transparent)]
    Function(#[from] FunctionError),
    /// The store could not read or write.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A transaction of the group was refused.
    #[error(transparent)]
    Tx(#[from] TxError),
}

impl BulkError {
    /// Datomic's keyword for the error, where it has one.
    pub fn code(&self) -> Option<Keyword> {
        let name = match self {
            BulkError::UnknownAttribute { .. } => "not-an-attribute",
            BulkError::WrongType { .. } => "wrong-type-for-attribute",
            BulkError::SecondValue { .. } => "datoms-conflict",
            BulkError::UniqueConflict { .. } => "unique-conflict",
            BulkError::Predicate { .. } => "attr-pred",
            BulkError::PastInstant { .. } => "past-tx-instant",
            BulkError::Function(error) => return error.code.clone(),
            BulkError::Db(error) => return error.code(),
            BulkError::Tx(error) => return error.code(),
            BulkError::Composite { .. } | BulkError::Length { .. } => return None,
        };
        Some(Keyword::new(Some("db.error"), name))
    }

    /// What a caller may do about it.
    pub fn category(&self) -> Category {
        match self {
            BulkError::UniqueConflict { .. } => Category::Conflict,
            BulkError::Function(error) => error.category,
            BulkError::Db(error) => error.category(),
            BulkError::Tx(error) => error.category(),
            _ => Category::Incorrect,
        }
    }
}
