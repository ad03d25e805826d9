//! Functions: one table by qualified symbol, shared by a connection, its forks and every `Db`.
//!
//! There are functions over values and functions over a database and values. As Datomic's, which
//! are all of one kind, one function serves wherever its arguments fit: a predicate of a query as
//! an attribute predicate, an aggregate (of the constants, then the collection of values) or an
//! `:xform`; a transaction function as an entity predicate or, given a source, in a query. When
//! one runs is decided by the transaction pipeline and the query engine. Functions are not stored.

use std::error::Error;
use std::fmt;
use std::num::{ParseFloatError, ParseIntError, TryFromIntError};
use std::str::Utf8Error;
use std::sync::Arc;

use datomite_model::{Category, Edn, EntityId, FromEdn, FromEdnError, Keyword, Symbol, Value};
use parking_lot::RwLock;
use rustc_hash::FxHashMap;

use crate::{Db, DbError, IntoFunction, TxError};

/// A transaction function: sees the database before the transaction, gives transaction data.
pub type TransactionFn = dyn Fn(&Db, &[Edn]) -> Result<Edn, FunctionError> + Send + Sync;
/// An attribute predicate (`:db.attr/preds`): true accepts the value.
pub type AttributePredicateFn = dyn Fn(&Value) -> Result<Edn, FunctionError> + Send + Sync;
/// An entity predicate (`:db.entity/preds`): sees the database after the transaction.
pub type EntityPredicateFn = dyn Fn(&Db, EntityId) -> Result<Edn, FunctionError> + Send + Sync;
/// A function or predicate of a query, or an `:xform` of a pull.
pub type QueryFn = dyn Fn(&[Edn]) -> Result<Edn, FunctionError> + Send + Sync;
/// An aggregate: constant arguments, then the values.
pub type AggregateFn = dyn Fn(&[Edn], &[Edn]) -> Result<Edn, FunctionError> + Send + Sync;

/// A registered function and what it may be used for.
#[derive(Clone)]
#[non_exhaustive]
pub enum Function {
    /// A transaction function.
    Transaction(Arc<TransactionFn>),
    /// An attribute predicate.
    AttributePredicate(Arc<AttributePredicateFn>),
    /// An entity predicate.
    EntityPredicate(Arc<EntityPredicateFn>),
    /// A query function, predicate or xform.
    Query(Arc<QueryFn>),
    /// An aggregate.
    Aggregate(Arc<AggregateFn>),
}

/// A registered function refused or failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct FunctionError {
    /// What a caller may do about it.
    pub category: Category,
    /// Its keyword, where it has one.
    pub code: Option<Keyword>,
    /// Its own words.
    pub message: String,
}

/// Registered functions by qualified symbol.
#[derive(Default)]
pub struct Functions {
    by_name: RwLock<FxHashMap<Symbol, Function>>,
}

impl Functions {
    /// An empty table.
    pub fn new() -> Functions {
        Functions::default()
    }

    /// Puts a function in, in place of one of the same name.
    pub fn register<Kind>(&self, name: impl Into<Symbol>, function: impl IntoFunction<Kind>) {
        let function = function.into_function();
        self.by_name.write().insert(name.into(), function);
    }

    /// The function of that name.
    pub fn get(&self, name: &Symbol) -> Option<Function> {
        self.by_name.read().get(name).cloned()
    }

    /// All names, sorted.
    pub fn names(&self) -> Vec<Symbol> {
        let mut names: Vec<Symbol> = self.by_name.read().keys().cloned().collect();
        names.sort();
        names
    }
}

impl Function {
    /// What the function says of one value, where it is one over values.
    pub fn of_value(&self, value: &Value) -> Option<Result<Edn, FunctionError>> {
        match self {
            Function::AttributePredicate(f) => Some(f(value)),
            Function::Query(f) => Some(f(&[Edn::from(value.clone())])),
            _ => None,
        }
    }

    /// What the function says of an entity, where it is one over a database.
    pub fn of_entity(&self, db: &Db, entity: EntityId) -> Option<Result<Edn, FunctionError>> {
        match self {
            Function::EntityPredicate(f) => Some(f(db, entity)),
            Function::Transaction(f) => Some(f(db, &[Edn::from(entity)])),
            _ => None,
        }
    }

    /// What the function gives for a database and values, where it is one over a database.
    pub fn of_db(&self, db: &Db, arguments: &[Edn]) -> Option<Result<Edn, FunctionError>> {
        match (self, arguments) {
            (Function::Transaction(f), arguments) => Some(f(db, arguments)),
            (Function::EntityPredicate(f), [entity]) => match EntityId::from_edn(entity) {
                Ok(entity) => Some(f(db, entity)),
                Err(error) => Some(Err(error.into())),
            },
            _ => None,
        }
    }
}

impl FunctionError {
    /// Arguments that the function does not take.
    pub fn incorrect(message: impl Into<String>) -> FunctionError {
        FunctionError::cancel(Category::Incorrect, message)
    }

    /// A failure of the function itself.
    pub fn new(message: impl Into<String>) -> FunctionError {
        FunctionError {
            category: Category::Fault,
            code: None,
            message: message.into(),
        }
    }

    /// A refusal, as `datomic.api/cancel`: `category` is incorrect or conflict.
    pub fn cancel(category: Category, message: impl Into<String>) -> FunctionError {
        FunctionError {
            category,
            code: None,
            message: message.into(),
        }
    }
}

impl From<DbError> for FunctionError {
    fn from(error: DbError) -> FunctionError {
        FunctionError {
            category: error.category(),
            code: error.code(),
            message: error.to_string(),
        }
    }
}

impl From<TxError> for FunctionError {
    fn from(error: TxError) -> FunctionError {
        FunctionError {
            category: error.category(),
            code: error.code(),
            message: error.to_string(),
        }
    }
}

impl From<FromEdnError> for FunctionError {
    fn from(error: FromEdnError) -> FunctionError {
        FunctionError::incorrect(error.to_string())
    }
}

impl From<String> for FunctionError {
    fn from(message: String) -> FunctionError {
        FunctionError::new(message)
    }
}

impl From<&str> for FunctionError {
    fn from(message: &str) -> FunctionError {
        FunctionError::new(message)
    }
}

impl From<Box<dyn Error + Send + Sync>> for FunctionError {
    /// With its own category where it is an error of this crate.
    fn from(error: Box<dyn Error + Send + Sync>) -> FunctionError {
        let error = match error.downcast::<FunctionError>() {
            Ok(error) => return *error,
            Err(error) => error,
        };
        match error.downcast::<DbError>() {
            Ok(error) => FunctionError::from(*error),
            Err(error) => FunctionError::new(error.to_string()),
        }
    }
}

macro_rules! from_error {
    ($($error:ty)*) => {$(
        impl From<$error> for FunctionError {
            fn from(error: $error) -> FunctionError {
                FunctionError::new(error.to_string())
            }
        }
    )*};
}

// What `?` meets in small functions.
from_error! { ParseIntError ParseFloatError TryFromIntError Utf8Error fmt::Error }

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Function::Transaction(_) => "Transaction",
            Function::AttributePredicate(_) => "AttributePredicate",
            Function::EntityPredicate(_) => "EntityPredicate",
            Function::Query(_) => "Query",
            Function::Aggregate(_) => "Aggregate",
        })
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
