//! Asks a database: Datalog and pull. Reads only.
//!
//! Text or a form becomes a query (`parse`), scopes and bindings are checked while the clauses are
//! ordered (`plan`), steps run over columns (`exec`), and `find` shapes the result. Nothing here
//! can change a database, and nothing here knows how a datom is stored.

#![forbid(unsafe_code)]

mod aggregates;
mod ast;
mod builtins;
mod error;
mod find;
mod parse;
mod pull;
mod relation;
mod results;

pub use builtins::{Arithmetic, CallError};
pub use error::{Place, QueryError};
pub use parse::Query;
pub use pull::{Pattern, PullError, index_pull, pull, pull_many};
pub use results::{FromRow, QueryResult, Row};
