//! What most programs begin with: `use datomite::prelude::*`.

pub use crate::{
    Ask, Connection, Db, Edn, EntityId, FromEdn, FromRow, Keyword, TxReport, Value, edn,
};
