//! The umbrella error: for programs that want one type for all that can go wrong here.

use datomite_db::{DbError, FunctionError, TxError};
use datomite_model::{Category, EdnError, FromEdnError, Keyword};
use datomite_query::QueryError;
use datomite_storage::StorageError;

/// Any error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A transaction was refused.
    #[error(transparent)]
    Tx(#[from] TxError),
    /// A query or a pull could not be answered.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A read failed, a form names nothing, or a database could not be opened.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A store could not be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A registered function refused or failed.
    #[error(transparent)]
    Function(#[from] FunctionError),
    /// A text is not EDN.
    #[error(transparent)]
    Edn(#[from] EdnError),
    /// A form is not of the type asked for.
    #[error(transparent)]
    FromEdn(#[from] FromEdnError),
}

impl Error {
    /// Datomic's keyword for the error (`:db.error/unique-conflict`), where it has one.
    pub fn code(&self) -> Option<Keyword> {
        match self {
            Error::Tx(error) => error.code(),
            Error::Query(error) => error.code(),
            Error::Db(error) => error.code(),
            Error::Storage(error) => Some(error.code()),
            Error::Function(error) => error.code.clone(),
            Error::Edn(_) | Error::FromEdn(_) => None,
        }
    }

    /// What a caller may do about it.
    pub fn category(&self) -> Category {
        match self {
            Error::Tx(error) => error.category(),
            Error::Query(error) => error.category(),
            Error::Db(error) => error.category(),
            Error::Storage(error) => error.category(),
            Error::Function(error) => error.category,
            Error::Edn(_) | Error::FromEdn(_) => Category::Incorrect,
        }
    }
}
