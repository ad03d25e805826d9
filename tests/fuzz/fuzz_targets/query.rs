//! Any query over any arguments has an answer or an error, soon.
//!
//! The input is the query and its arguments, each ended by a zero byte; `$` is the database.
#![no_main]

mod store;

use std::sync::LazyLock;
use std::time::Duration;

use datomite::{Db, Edn, Input, Query, QueryOptions, q_with, read};
use libfuzzer_sys::fuzz_target;

static DB: LazyLock<Db> = LazyLock::new(store::db);

fn input(text: &str) -> Input {
    match text {
        "$" => Input::Db(DB.clone()),
        text => Input::Edn(read(text).unwrap_or(Edn::Nil)),
    }
}

fuzz_target!(|text: &str| {
    let mut parts = text.split('\0');
    let Ok(query) = Query::parse(parts.next().unwrap_or_default()) else {
        return;
    };
    let mut inputs: Vec<Input> = parts.map(input).collect();
    if inputs.is_empty() {
        inputs.push(Input::Db(DB.clone()));
    }
    let options = QueryOptions {
        rows_max: Some(20_000),
        bytes_max: Some(16 << 20),
        timeout: Some(Duration::from_secs(1)),
        ..QueryOptions::default()
    };
    match q_with(&query, &inputs, &options) {
        Ok(result) => drop(result.into_edn().to_string()),
        Err(error) => drop((error.to_string(), error.code(), error.category())),
    }
});
