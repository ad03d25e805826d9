//! Pull: a pattern and an entity to a nested map.
//!
//! `pattern.rs` reads patterns, `exec.rs` follows them, `index_pull.rs` walks an index. Nothing
//! here joins or binds; `:find` calls it once a row.

mod error;
mod exec;
mod index_pull;
mod pattern;
mod whole;

use datomite_db::{Db, DbError};
use datomite_model::Edn;

use crate::QueryError;
use crate::options::{Limits, QueryOptions};
pub use error::PullError;
pub(crate) use exec::Prepared;
pub use index_pull::{index_pull, index_pull_some};
pub use pattern::Pattern;

/// How deep entities may nest: each level is a map and a vector, and what is pulled can be read
/// back from its text (`DEPTH_MAX`). It fits the stack that a thread has by default.
const LEVELS_MAX: usize = 240;
/// How many values of an attribute with several are pulled where the pattern does not say.
const LIMIT_DEFAULT: usize = 1000;

/// Pulls one entity, named by id, ident or lookup ref; nil where nothing is found.
pub fn pull(db: &Db, pattern: &Pattern, entity: &Edn) -> Result<Edn, QueryError> {
    pull_with(db, pattern, entity, &QueryOptions::default())
}

/// Pulls one entity within limits: a row is an entity that is visited.
pub fn pull_with(
    db: &Db,
    pattern: &Pattern,
    entity: &Edn,
    options: &QueryOptions,
) -> Result<Edn, QueryError> {
    let limits = Limits::begin(options);
    Prepared::new(db, pattern, &limits)?.pull(entity)
}

/// Pulls several entities, in the order given, repeats included.
pub fn pull_many(db: &Db, pattern: &Pattern, entities: &[Edn]) -> Result<Vec<Edn>, QueryError> {
    let limits = Limits::begin(&QueryOptions::default());
    let prepared = Prepared::new(db, pattern, &limits)?;
    entities
        .iter()
        .map(|entity| prepared.pull(entity))
        .collect()
}

fn refuse_history(db: &Db) -> Result<(), DbError> {
    if db.is_history() {
        return Err(DbError::History {
            operation: "pull from",
        });
    }
    Ok(())
}
