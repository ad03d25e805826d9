//! What can go wrong while a database is opened, read or named. Transactions add their own
//! (`TxError`); nothing here knows why a caller asked.

use datomite_model::{Category, Edn, EntityId, FromEdnError, Keyword, T};
use datomite_storage::StorageError;

use crate::FunctionError;

/// Why a read of a database, or a call on a connection, was refused.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// A form that must name an entity names none.
    #[error("unable to resolve entity: {form}")]
    NotAnEntity {
        /// The form.
        form: Edn,
    },
    /// An entity is used as an attribute and is none.
    #[error("{form} is not an attribute")]
    NotAnAttribute {
        /// The form.
        form: Edn,
    },
    /// A string where a keyword is expected, without a leading colon.
    #[error("cannot interpret as a keyword: {form}, no leading :")]
    NotAKeyword {
        /// The form.
        form: Edn,
    },
    /// A lookup ref on an attribute that is not unique.
    #[error("attribute values not unique: {attribute}")]
    LookupRefAttrNotUnique {
        /// The attribute as it was written.
        attribute: Edn,
    },
    /// A lookup ref that is not an attribute and a value.
    #[error("invalid list form: {form}")]
    InvalidLookupRef {
        /// The form.
        form: Edn,
    },
    /// AVET asked about an attribute that it does not hold, or about no attribute at all.
    #[error("{attribute} is not indexed: :avet holds attributes with :db/index or :db/unique")]
    AttributeNotIndexed {
        /// The attribute's ident, or what was given for it.
        attribute: Edn,
    },
    /// A form that is no t, transaction or instant.
    #[error("not a time point: {form}")]
    NotATimePoint {
        /// The form.
        form: Edn,
    },
    /// A call that makes no sense on a history database.
    #[error("can't {operation} history")]
    History {
        /// What was tried, with its preposition: `pull from`, `create entity from`.
        operation: &'static str,
    },
    /// An entity, or what an attribute of it gives, is not of the Rust type asked for.
    #[error("entity {entity}: {error}")]
    EntityType {
        /// The entity.
        entity: EntityId,
        /// The attribute, what was wanted and what was found.
        error: Box<FromEdnError>,
    },
    /// A filter predicate, or another registered function, failed.
    #[error("function failed: {0}")]
    Function(#[from] FunctionError),
    /// The store could not read or write.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Stored datoms contradict each other.
    #[error("damaged at t {t}: {what}")]
    Damaged {
        /// The transaction that cannot be replayed.
        t: T,
        /// What is wrong with it.
        what: String,
    },
    /// A URI of a backend that nobody registered.
    #[error("no backend for {scheme}: add the crate datomite-{scheme} and register it")]
    UnknownScheme {
        /// The part before the colon.
        scheme: String,
    },
    /// A text that is no URI or path of a database.
    #[error("not a database uri: {uri}: {why}")]
    InvalidUri {
        /// The text.
        uri: String,
        /// What is wrong with it, and the way out.
        why: String,
    },
    /// No database of that name.
    #[error("could not find {name} in catalog")]
    DatabaseNotFound {
        /// The name or path.
        name: String,
    },
    /// The writer panicked in the middle of the transaction; nothing was written.
    #[error("the writer failed in the middle of the transaction")]
    WriterFailed,
    /// The connection only follows; another process writes.
    #[error("the connection is read-only")]
    ReadOnly,
    /// A wait ended before the database reached the t that was asked for.
    #[error("waited {timeout_ms} ms for t {t}; the database is at t {basis_t}")]
    SyncTimeout {
        /// The t asked for.
        t: T,
        /// Where the database is.
        basis_t: T,
        /// How long the call waited.
        timeout_ms: u64,
    },
}

impl DbError {
    /// Datomic's keyword for the error, where it has one.
    pub fn code(&self) -> Option<Keyword> {
        let name = match self {
            DbError::NotAnEntity { .. } => "not-an-entity",
            DbError::NotAnAttribute { .. } => "not-an-attribute",
            DbError::NotAKeyword { .. } => "not-a-keyword",
            DbError::LookupRefAttrNotUnique { .. } => "lookup-ref-attr-not-unique",
            DbError::InvalidLookupRef { .. } => "invalid-lookup-ref",
            DbError::AttributeNotIndexed { .. } => "attribute-not-indexed",
            DbError::DatabaseNotFound { .. } => {
                return Some(Keyword::new(Some("peer"), "db-not-found"));
            }
            DbError::Function(error) => return error.code.clone(),
            _ => return None,
        };
        Some(Keyword::new(Some("db.error"), name))
    }

    /// What a caller may do about it.
    pub fn category(&self) -> Category {
        match self {
            DbError::Storage(error) => error.category(),
            DbError::Function(error) => error.category,
            DbError::Damaged { .. } => Category::Fault,
            DbError::DatabaseNotFound { .. } => Category::NotFound,
            DbError::ReadOnly => Category::Forbidden,
            DbError::WriterFailed => Category::Fault,
            DbError::SyncTimeout { .. } => Category::Unavailable,
            DbError::UnknownScheme { .. } => Category::Unsupported,
            _ => Category::Incorrect,
        }
    }
}
