//! Transactions: from what a caller says to datoms. (The stages replace this placeholder; the face
//! below is what the connection, replay, forks and bulk call.)

use std::collections::BTreeMap;
use std::sync::Arc;

use datomite_model::{Category, Datom, Edn, EdnError, EntityId, Instant, Keyword, Schema};
use datomite_storage::Record;

use crate::{Db, DbError};

/// Transaction data: a list of operations.
#[derive(Clone, PartialEq, Debug)]
pub struct TxData(pub Edn);

/// What can be transacted.
pub trait IntoTxData {
    /// The transaction data, or why a text is none.
    fn into_tx_data(self) -> Result<TxData, TxError>;
}

/// What a transaction did.
#[derive(Clone, Debug)]
pub struct TxReport {
    /// The database it saw.
    pub db_before: Db,
    /// The database it made.
    pub db_after: Db,
    /// Its datoms.
    pub tx_data: Vec<Datom>,
    /// The entity that each tempid became.
    pub tempids: BTreeMap<Edn, EntityId>,
}

/// Why a transaction was refused.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TxError {
    /// A read failed, or a form names nothing.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The text is no EDN.
    #[error(transparent)]
    Edn(#[from] EdnError),
}

impl TxError {
    /// Datomic's keyword for the error, where it has one.
    pub fn code(&self) -> Option<Keyword> {
        match self {
            TxError::Db(error) => error.code(),
            TxError::Edn(_) => None,
        }
    }

    /// What a caller may do about it.
    pub fn category(&self) -> Category {
        match self {
            TxError::Db(error) => error.category(),
            TxError::Edn(_) => Category::Incorrect,
        }
    }
}

impl IntoTxData for Edn {
    fn into_tx_data(self) -> Result<TxData, TxError> {
        Ok(TxData(self))
    }
}

impl IntoTxData for &str {
    fn into_tx_data(self) -> Result<TxData, TxError> {
        Ok(TxData(datomite_model::read(self)?))
    }
}

impl Db {
    /// What a transaction would do to this database; nothing is written.
    pub fn with(&self, tx_data: impl IntoTxData) -> Result<TxReport, TxError> {
        let now = (self.basis.options.clock)();
        decide(self, tx_data.into_tx_data()?, now).map(|(report, _)| report)
    }
}

/// Runs the stages on `db`; `now` is the clock. Gives the report and what the log keeps.
pub(crate) fn decide(
    db: &Db,
    tx_data: TxData,
    now: Instant,
) -> Result<(TxReport, Record), TxError> {
    let _ = now;
    Err(TxError::Db(DbError::NotAnEntity {
        form: {
            let TxData(form) = tx_data;
            let _ = db;
            form
        },
    }))
}

/// The schema after a transaction's datoms: the same function serves replay and forks of the past.
pub(crate) fn advance_schema(schema: &Arc<Schema>, datoms: &[Datom]) -> Arc<Schema> {
    let _ = datoms;
    Arc::clone(schema)
}
