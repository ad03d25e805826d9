//! Asks a database: Datalog and pull. Reads only.
//!
//! Text or a form becomes a query (`parse`), scopes and bindings are checked while the clauses are
//! ordered (`plan`), steps run over columns (`exec`), and `find` shapes the result. Nothing here
//! can change a database, and nothing here knows how a datom is stored.

#![forbid(unsafe_code)]

mod ast;
mod parse;

mod plan;

mod exec;
mod relation;
mod sort;

mod aggregates;
mod builtins;
mod find;
mod pull;
mod results;
mod rows;

mod ask;
mod error;
mod explain;
mod input;
mod meet;
mod options;
mod stats;
mod weigh;

pub use ask::{Ask, Question, explain, explain_with, q, q_with};
pub use builtins::{Arithmetic, CallError, FunctionDoc, FunctionRole, documented_functions};
pub use error::{Place, QueryError};
pub use explain::{ExplainedStep, Explanation, Operator, Uses};
pub use input::Input;
pub use options::{CancelToken, QueryOptions};
pub use parse::Query;
pub use pull::{Pattern, PullError, index_pull, index_pull_some, pull, pull_many, pull_with};
pub use results::{QueryResult, Row};
pub use rows::FromRow;
