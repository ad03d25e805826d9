//! What most programs begin with: `use datomite::prelude::*`.

pub use crate::{Connection, Db, Edn, EntityId, FromEdn, Keyword, TxReport, Value, edn};
