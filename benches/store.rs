//! The store: bulk loading, opening by replay, durable transactions, forks, imports.
//!
//! Folders lie below the system's temporary folder; what a sync costs is that disk's answer.
//! Imports read `data/queryfeed.sql` and, where the datasets are, pagila.

use std::path::Path;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use datomite::{Connection, Edn};
use datomite_benches::{
    COLUMNS_SCHEMA, Failure, PEOPLE_SCHEMA, columns, dumps, load_columns, loaded, map_form, people,
};
use datomite_import::{Import, Mapping};

const ROWS: u64 = 200_000;
const DATOMS: u64 = ROWS * 5;

fn short() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .without_plots()
}

fn bulk(c: &mut Criterion) {
    let mut group = c.benchmark_group("store");
    for rows in [20_000, ROWS] {
        let values = columns(rows);
        let setup = || {
            let conn = loaded(COLUMNS_SCHEMA, Vec::new()).expect("the schema is accepted");
            (conn, values.clone())
        };
        let load = |(conn, values)| {
            load_columns(&conn, values).expect("the columns are accepted");
            conn
        };
        group.throughput(Throughput::Elements(rows * 5));
        group.bench_function(format!("init by column, {} datoms", rows * 5), |b| {
            b.iter_batched(setup, load, BatchSize::PerIteration);
        });
    }
    group.finish();
}

/// Twice the input should take twice the time.
fn linearity(c: &mut Criterion) {
    let mut group = c.benchmark_group("store");
    for n in [10_000, 20_000] {
        let maps = people(n);
        let setup = || {
            let conn = loaded(PEOPLE_SCHEMA, Vec::new()).expect("the schema is accepted");
            (conn, maps.clone())
        };
        let load = |(conn, maps): (Connection, Vec<Edn>)| {
            conn.transact(maps).expect("the people are accepted");
            conn
        };
        group.throughput(Throughput::Elements(n));
        group.bench_function(format!("transact {n} maps"), |b| {
            b.iter_batched(setup, load, BatchSize::PerIteration);
        });
    }
    group.finish();
}

fn folder(path: &Path, rows: u64) -> Result<String, Failure> {
    let uri = path.to_str().ok_or("a path of plain text")?.to_owned();
    let conn = datomite::open(&uri)?;
    conn.transact(COLUMNS_SCHEMA)?;
    load_columns(&conn, columns(rows))?;
    Ok(uri)
}

fn folders(c: &mut Criterion) {
    let place = tempfile::tempdir().expect("a temporary folder");
    let million = folder(&place.path().join("million"), ROWS).expect("a database of a million");
    let mut group = c.benchmark_group("store");
    group.throughput(Throughput::Elements(DATOMS));
    group.bench_function("open a folder of 1,000,000 datoms", |b| {
        b.iter_with_large_drop(|| datomite::open(&million));
    });
    let small = folder(&place.path().join("small"), 1_000).expect("a database");
    let conn = datomite::open(&small).expect("the database opens");
    let mut n = 1_000;
    group.throughput(Throughput::Elements(1));
    group.bench_function("durable transaction of 5 datoms", |b| {
        b.iter(|| {
            n += 1;
            conn.transact(vec![row(n)]).expect("the row is accepted")
        });
    });
    group.finish();
}

fn row(n: i64) -> Edn {
    map_form([
        ("n/id", Edn::long(n)),
        ("n/group", Edn::long(n % 1000)),
        ("n/name", Edn::string(&format!("name {n}"))),
        ("n/score", Edn::from(datomite::Value::Double(n as f64))),
        ("n/on", Edn::from(datomite::Value::Boolean(true))),
    ])
}

fn forks(c: &mut Criterion) {
    let mut group = c.benchmark_group("store");
    for rows in [200, ROWS] {
        let conn = loaded(COLUMNS_SCHEMA, Vec::new()).expect("the schema is accepted");
        load_columns(&conn, columns(rows)).expect("the columns are accepted");
        group.bench_function(format!("fork at {} datoms", rows * 5), |b| {
            b.iter_with_large_drop(|| conn.fork());
        });
    }
    group.finish();
}

fn import(path: &Path) -> Result<(Connection, u64), Failure> {
    let conn = datomite::mem();
    let report = conn.import(path, &Mapping::default())?;
    Ok((conn, report.datoms()))
}

fn imports(c: &mut Criterion) {
    let mut group = c.benchmark_group("import");
    for path in dumps() {
        let (_, datoms) = import(&path).expect("the dump is imported");
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        println!("{name}: {datoms} datoms");
        group.throughput(Throughput::Elements(datoms));
        group.bench_function(name, |b| b.iter_with_large_drop(|| import(&path)));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = short();
    targets = bulk, linearity, folders, forks, imports
}
criterion_main!(benches);
