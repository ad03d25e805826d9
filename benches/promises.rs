//! The ratios that are promised, measured and judged: prefix counts, clause orders, forks, and the
//! figures meant for orientation.
//!
//! Prints one line a promise, `met` or `missed`, and always succeeds: on a loaded machine a figure
//! is no verdict. Each time is the median of many samples, and the two sides of a ratio are
//! measured by turns, so that load falls on both.

use std::hint::black_box;
use std::time::Instant;

use datomite::{Connection, Db, Edn, EntityId, Index, Input, KeyRange, Query, Value};
use datomite_benches::{
    COLUMNS_SCHEMA, Failure, GROUPS, PEOPLE_SCHEMA, UNIQUE_LOOKUP, ask, clause_orders, columns,
    dumps, load_columns, loaded, people, people_of_five,
};
use datomite_import::{Import, Mapping};

const SAMPLES: usize = 31;

/// Median nanoseconds of one call of each, sampled by turns; a sample is `calls` calls.
fn medians(calls: u32, sides: &mut [&mut dyn FnMut()]) -> Vec<f64> {
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); sides.len()];
    for _ in 0..SAMPLES {
        for (side, times) in sides.iter_mut().zip(&mut times) {
            let start = Instant::now();
            (0..calls).for_each(|_| side());
            times.push(start.elapsed().as_nanos() as f64 / f64::from(calls));
        }
    }
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    times.into_iter().map(median).collect()
}

fn judge(what: &str, found: f64, unit: &str, limit: f64) {
    let verdict = if found <= limit { "met" } else { "missed" };
    println!("{verdict:>6}  {what}: {found:.3}{unit} (at most {limit}{unit})");
}

fn of_columns(rows: u64) -> Result<Connection, Failure> {
    let conn = loaded(COLUMNS_SCHEMA, Vec::new())?;
    load_columns(&conn, columns(rows))?;
    Ok(conn)
}

fn group(db: &Db) -> EntityId {
    db.attribute(&Edn::keyword("n/group"))
        .expect("memory is read and written")
        .expect("the schema has it")
        .id
}

/// Words and entities of the whole attribute, read by column.
fn scan(db: &Db) -> u64 {
    let mut runs = db.runs(Index::Avet, &KeyRange::prefix(None, Some(group(db)), None));
    let (mut ids, mut words, mut sum) = (Vec::new(), Vec::new(), 0);
    while let Some(run) = runs.next().expect("memory is read") {
        ids.clear();
        words.clear();
        run.read_e(0..run.len(), &mut ids);
        run.read_words(0..run.len(), &mut words);
        sum ^= ids.iter().chain(&words).fold(0, |x, y| x ^ y);
    }
    sum
}

fn prefix_counts(small: &Db, large: &Db) {
    let count = |db: &Db, value: i64| {
        let value = Some(Value::Long(value % GROUPS));
        db.count(Index::Avet, &KeyRange::prefix(None, Some(group(db)), value))
    };
    let (mut x, mut y) = (0, 0);
    let times = medians(
        2_000,
        &mut [
            &mut || {
                x += 1;
                black_box(count(small, x)).ok();
            },
            &mut || {
                y += 1;
                black_box(count(large, y)).ok();
            },
        ],
    );
    let scans = medians(
        1,
        &mut [&mut || {
            black_box(scan(large));
        }],
    );
    println!(
        "        prefix count {:.0} ns, {:.0} ns; scan {:.0} ns",
        times[0], times[1], scans[0]
    );
    judge(
        "prefix count at 1 M over 10 k datoms",
        times[1] / times[0],
        "x",
        3.0,
    );
    judge(
        "prefix count over a scan of the attribute",
        times[1] / scans[0],
        "x",
        0.01,
    );
}

fn forks(small: &Connection, large: &Connection) {
    let fork = |conn: &Connection| {
        black_box(conn.fork()).ok();
    };
    let times = medians(500, &mut [&mut || fork(small), &mut || fork(large)]);
    judge("fork at 1 k datoms", times[0] / 1e3, " µs", 10.0);
    judge("fork at 1 M datoms", times[1] / 1e3, " µs", 10.0);
}

fn orders(db: &Db) {
    let queries: Vec<Query> = clause_orders()
        .iter()
        .map(|text| Query::parse(text).expect("the query is one"))
        .collect();
    let inputs = [Input::from(db)];
    let mut calls: Vec<_> = queries
        .iter()
        .map(|query| {
            || {
                black_box(ask(query, &inputs)).ok();
            }
        })
        .collect();
    let mut sides: Vec<&mut dyn FnMut()> = calls
        .iter_mut()
        .map(|call| call as &mut dyn FnMut())
        .collect();
    let times = medians(10, &mut sides);
    let least = times.iter().copied().fold(f64::INFINITY, f64::min);
    let most = times.iter().copied().fold(0.0, f64::max);
    judge(
        "four-clause join, slowest of 24 orders over fastest",
        most / least,
        "x",
        1.5,
    );
    judge(
        "four-clause join over 20,000 people",
        times[0] / 1e6,
        " ms",
        0.5,
    );
}

fn lookup(db: &Db) {
    let query = Query::parse(UNIQUE_LOOKUP).expect("the query is one");
    let mut id = 0;
    let times = medians(
        2_000,
        &mut [&mut || {
            id = (id + 7919) % 20_000;
            black_box(ask(&query, &[Input::from(db), Input::from(id + 1)])).ok();
        }],
    );
    judge("unique lookup, parsed before", times[0] / 1e3, " µs", 1.5);
}

/// Time without what comes before and after: a fresh database, the forms, dropping them.
fn median_of(
    samples: usize,
    mut once: impl FnMut() -> Result<f64, Failure>,
) -> Result<f64, Failure> {
    let mut times = (0..samples)
        .map(|_| once())
        .collect::<Result<Vec<f64>, Failure>>()?;
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

fn writes() -> Result<(), Failure> {
    let forms = people_of_five(20_000);
    let ms = median_of(9, || {
        let conn = loaded(PEOPLE_SCHEMA, Vec::new())?;
        let forms = forms.clone();
        let start = Instant::now();
        let report = conn.transact(forms)?;
        let ms = start.elapsed().as_secs_f64() * 1e3;
        assert!(report.tx_data.len() > 100_000);
        Ok(ms)
    })?;
    judge("100,000 datoms in one transaction", ms, " ms", 150.0);
    for path in dumps() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let us = median_of(7, || {
            let conn = datomite::mem();
            let start = Instant::now();
            let report = conn.import(&path, &Mapping::default())?;
            Ok(start.elapsed().as_secs_f64() * 1e6 / report.datoms() as f64)
        })?;
        judge(&format!("import of {name}, a datom"), us, " µs", 1.0);
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let (thousand, ten, million) = (of_columns(200)?, of_columns(2_000)?, of_columns(200_000)?);
    prefix_counts(&ten.db(), &million.db());
    forks(&thousand, &million);
    let people = loaded(PEOPLE_SCHEMA, people(20_000))?;
    orders(&people.db());
    lookup(&people.db());
    writes()
}
