//! The people: DataScript's bench, over 20,000 people of a fixed seed with the aliases and full
//! names that Datomic's figures have.
//!
//! A query is parsed before, and timed until its answer stands by column, duplicates gone; `edn`
//! adds the set of row vectors that Datomic's peer returns. Folds of small transactions are
//! sampled (2,000 people); the time of one transaction is what they are for.

use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use datomite::{Connection, Db, Edn, EntityId, Index, Input, Pattern, Query};
use datomite_benches::{
    Failure, GRAPH_SCHEMA, PEOPLE_QUERIES, PEOPLE_SCHEMA, QPRED2, UNIQUE_LOOKUP, ask, loaded,
    people, people_of_five, wide_people,
};

const PEOPLE: u64 = 20_000;
const SAMPLED: u64 = 2_000;

fn short() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .without_plots()
}

fn empty() -> Connection {
    loaded(PEOPLE_SCHEMA, Vec::new()).expect("the schema is accepted")
}

/// Each person of five attributes as a transaction of one map.
fn single_maps(n: u64) -> Vec<Edn> {
    let people = people_of_five(n).into_iter();
    people.map(|person| Edn::Vector(vec![person])).collect()
}

/// Folds transactions over a database, each with nothing but its own work.
fn fold(db: Db, transactions: &[Edn]) -> Db {
    transactions.iter().fold(db, |db, tx| {
        let report = db.with(tx.clone()).expect("the transaction is accepted");
        report.db_after
    })
}

/// Each person's five datoms, one transaction each: the first makes the entity.
fn add_1(db: Db, people: &[Edn]) -> Db {
    let mut db = db;
    for person in people {
        let Edn::Map(entries) = person else { continue };
        let mut entity = Edn::string("new");
        for (attribute, value) in entries {
            let datom = [
                Edn::keyword("db/add"),
                entity.clone(),
                attribute.clone(),
                value.clone(),
            ];
            let tx = Edn::Vector(vec![Edn::Vector(datom.to_vec())]);
            let report = db.with(tx).expect("the datom is accepted");
            if let Some(id) = report.tempids.values().next() {
                entity = Edn::long(id.raw() as i64);
            }
            db = report.db_after;
        }
    }
    db
}

fn small_transactions(c: &mut Criterion) {
    let mut group = c.benchmark_group("people");
    let five = people_of_five(SAMPLED);
    group.throughput(Throughput::Elements(SAMPLED * 5));
    group.bench_function("add-1, 10,000 of the 100,000", |b| {
        b.iter_batched(
            || empty().db(),
            |db| add_1(db, &five),
            BatchSize::PerIteration,
        );
    });
    let maps = single_maps(SAMPLED);
    group.throughput(Throughput::Elements(SAMPLED));
    group.bench_function("add-5, 2,000 of the 20,000", |b| {
        b.iter_batched(
            || empty().db(),
            |db| fold(db, &maps),
            BatchSize::PerIteration,
        );
    });
    let full = loaded(PEOPLE_SCHEMA, people(PEOPLE))
        .expect("the people are accepted")
        .db();
    let retract = |id: u64| {
        let person = Edn::Vector(vec![Edn::keyword("p/id"), Edn::long(id as i64)]);
        let retract = Edn::keyword("db/retractEntity");
        Edn::Vector(vec![Edn::Vector(vec![retract, person])])
    };
    let gone: Vec<Edn> = (1..=SAMPLED)
        .map(|n| retract(n * 7919 % PEOPLE + 1))
        .collect();
    group.bench_function("retract-5, 2,000 of the 20,000", |b| {
        b.iter_batched(
            || full.clone(),
            |db| fold(db, &gone),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn large_transactions(c: &mut Criterion) {
    let mut group = c.benchmark_group("people");
    let load = |(conn, maps): (Connection, Vec<Edn>)| {
        conn.transact(maps).expect("the people are accepted");
        conn
    };
    for (name, maps) in [
        ("add-all", people(PEOPLE)),
        ("add-all, 100,000 datoms", people_of_five(PEOPLE)),
    ] {
        group.bench_function(name, |b| {
            b.iter_batched(|| (empty(), maps.clone()), load, BatchSize::PerIteration);
        });
    }
    group.finish();
}

fn queries(c: &mut Criterion) {
    let conn = loaded(PEOPLE_SCHEMA, people(PEOPLE)).expect("the people are accepted");
    let mut asked: Vec<(&str, &str, Vec<Input>)> = PEOPLE_QUERIES
        .iter()
        .map(|(name, text)| (*name, *text, vec![Input::from(conn.db())]))
        .collect();
    asked.push((
        "qpred2",
        QPRED2,
        vec![Input::from(conn.db()), Input::from(50_000i64)],
    ));
    let mut group = c.benchmark_group("people");
    for (name, text, inputs) in &asked {
        let query = Query::parse(text).expect("the query is one");
        let rows = ask(&query, inputs).expect("the query is answered").len();
        println!("{name}: {rows} rows");
        group.bench_function(*name, |b| b.iter(|| ask(&query, inputs)));
        group.bench_function(format!("{name}, edn"), |b| {
            b.iter(|| ask(&query, inputs).map(|answer| answer.into_edn()));
        });
    }
    group.finish();
    lookups(c, &conn.db());
}

fn lookups(c: &mut Criterion, db: &Db) {
    let mut group = c.benchmark_group("people");
    let query = Query::parse(UNIQUE_LOOKUP).expect("the query is one");
    let mut id = 0;
    group.bench_function("unique-lookup", |b| {
        b.iter(|| {
            id = (id + 7919) % PEOPLE as i64;
            ask(&query, &[Input::from(db), Input::from(id + 1)])
        });
    });
    group.bench_function("unique-lookup, entid", |b| {
        b.iter(|| {
            id = (id + 7919) % PEOPLE as i64;
            db.entid(&Edn::Vector(vec![Edn::keyword("p/id"), Edn::long(id + 1)]))
        });
    });
    let all = db
        .datoms(Index::Aevt, &[Edn::keyword("p/full-name")])
        .expect("an attribute");
    let ids: Vec<EntityId> = all
        .filter_map(|datom| datom.ok().map(|datom| datom.e))
        .collect();
    let name = Edn::keyword("p/full-name");
    group.throughput(Throughput::Elements(2_000));
    group.bench_function("find-datoms, 2,000 lookups", |b| {
        b.iter(|| {
            let first = |e: &EntityId| {
                let entity = Edn::long(e.raw() as i64);
                db.datoms(Index::Eavt, &[entity, name.clone()])
                    .map(|mut found| found.next())
            };
            ids[9_000..11_000]
                .iter()
                .map(first)
                .filter(Result::is_ok)
                .count()
        });
    });
    group.finish();
}

fn pulls(c: &mut Criterion) {
    let schema = format!("[{} {}]", inner(PEOPLE_SCHEMA), inner(GRAPH_SCHEMA));
    let conn = loaded(&schema, wide_people(4, 5)).expect("the people are accepted");
    let db = conn.db();
    let root = Edn::Vector(vec![Edn::keyword("node/id"), Edn::long(1)]);
    let mut group = c.benchmark_group("people");
    for (name, pattern) in [
        ("pull-one", "[:p/name {:follows ...}]"),
        (
            "pull-many",
            "[:db/id :p/name :p/last-name :p/alias :p/sex :p/age :p/salary {:follows ...}]",
        ),
        ("pull-wildcard", "[* {:follows ...}]"),
    ] {
        let pattern = Pattern::parse(pattern).expect("the pattern is one");
        group.bench_function(name, |b| b.iter(|| datomite::pull(&db, &pattern, &root)));
    }
    group.bench_function("pull-one, entities", |b| {
        b.iter(|| walk(&db, &root).expect("the walk is read"));
    });
    group.finish();
}

/// Walks the tree by the entity API and reads one attribute of each.
fn walk(db: &Db, root: &Edn) -> Result<usize, Failure> {
    let mut left: Vec<_> = db.entity(root)?.into_iter().collect();
    let mut found = 0;
    while let Some(entity) = left.pop() {
        found += usize::from(entity.get("p/name")?.is_some());
        let follows = entity.get("follows")?;
        let follows = follows.iter().filter_map(|value| value.as_set()).flatten();
        left.extend(follows.filter_map(|value| value.as_entity().cloned()));
    }
    Ok(found)
}

fn inner(schema: &str) -> &str {
    schema.trim().trim_start_matches('[').trim_end_matches(']')
}

criterion_group! {
    name = benches;
    config = short();
    targets = small_transactions, large_transactions, queries, pulls
}
criterion_main!(benches);
