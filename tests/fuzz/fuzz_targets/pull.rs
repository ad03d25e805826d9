//! Any pull pattern over any entity has an answer or an error, soon.
//!
//! The input is the pattern and, after a zero byte, the entity.
#![no_main]

mod store;

use std::sync::LazyLock;
use std::time::Duration;

use datomite::{Db, Edn, Pattern, QueryOptions, pull_with, read};
use libfuzzer_sys::fuzz_target;

static DB: LazyLock<Db> = LazyLock::new(store::db);

fuzz_target!(|text: &str| {
    let (pattern, entity) = text.split_once('\0').unwrap_or((text, "[:node/id 1]"));
    let pattern = match Pattern::parse(pattern) {
        Ok(pattern) => pattern,
        Err(error) => return drop((error.to_string(), error.code(), error.category())),
    };
    let entity = read(entity).unwrap_or(Edn::Nil);
    let options = QueryOptions {
        rows_max: Some(20_000),
        bytes_max: Some(16 << 20),
        timeout: Some(Duration::from_secs(1)),
        ..QueryOptions::default()
    };
    match pull_with(&DB, &pattern, &entity, &options) {
        Ok(pulled) => drop(pulled.to_string()),
        Err(error) => drop((error.to_string(), error.code(), error.category())),
    }
});
