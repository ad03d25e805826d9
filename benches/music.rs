//! The music: Corium's shapes, 100 artists with 3 albums of 10 tracks each, then 300 durations
//! changed in one transaction.
//!
//! Queries are parsed before; what is timed is as in the people. The past is asked as of before
//! the changes.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use datomite::{Ask, Connection, Edn, Input, Pattern, Query, T};
use datomite_benches::{
    Failure, MUSIC_AS_OF, MUSIC_CHANGES, MUSIC_LOOKUP, MUSIC_PULL, MUSIC_QUERIES, MUSIC_SCHEMA,
    ask, changed_durations, loaded, map_form, music,
};

fn short() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .without_plots()
}

/// The music with its changes, and the t before them.
fn changed() -> Result<(Connection, T), Failure> {
    let conn = loaded(MUSIC_SCHEMA, music())?;
    let before = conn.db().basis_t();
    let titles: Vec<(String, i64)> = conn
        .db()
        .q("[:find ?t ?tr :where [?tr :track/title ?t]]")
        .rows()?;
    let ids: std::collections::BTreeMap<String, i64> = titles.into_iter().collect();
    let change = |(title, seconds): (String, i64)| {
        map_form([
            ("db/id", Edn::long(ids[&title])),
            ("track/seconds", Edn::long(seconds)),
        ])
    };
    let changes: Vec<Edn> = changed_durations().into_iter().map(change).collect();
    conn.transact(changes)?;
    Ok((conn, before))
}

fn shapes(c: &mut Criterion) {
    let (conn, before) = changed().expect("the music is accepted");
    let db = conn.db();
    let then = db.as_of(before).expect("a t of the past");
    let named = [Input::from(db.clone()), Input::from("Artist 42")];
    let mut asked: Vec<(&str, &str, Vec<Input>)> = vec![
        ("lookup", MUSIC_LOOKUP, named.to_vec()),
        (
            "history-changes",
            MUSIC_CHANGES,
            vec![Input::from(db.history())],
        ),
    ];
    let now = MUSIC_QUERIES.map(|(name, text)| (name, text, vec![Input::from(db.clone())]));
    let past = MUSIC_AS_OF.map(|(name, text)| (name, text, vec![Input::from(then.clone())]));
    asked.extend(now.into_iter().chain(past));
    let mut group = c.benchmark_group("music");
    for (name, text, inputs) in &asked {
        let query = Query::parse(text).expect("the query is one");
        let rows = ask(&query, inputs).expect("the query is answered").len();
        println!("{name}: {rows} rows");
        group.bench_function(*name, |b| b.iter(|| ask(&query, inputs)));
        group.bench_function(format!("{name}, edn"), |b| {
            b.iter(|| ask(&query, inputs).map(|answer| answer.into_edn()));
        });
    }
    let pattern = Pattern::parse(MUSIC_PULL).expect("the pattern is one");
    let artist = Edn::Vector(vec![Edn::keyword("artist/name"), Edn::string("Artist 42")]);
    group.bench_function("reverse-pull", |b| {
        b.iter(|| datomite::pull(&db, &pattern, &artist))
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = short();
    targets = shapes
}
criterion_main!(benches);
