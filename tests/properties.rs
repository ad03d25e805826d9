//! The engine against the plain oracle, over random schemas, transactions, views and queries.
//!
//! `DATOMITE_CASES` and `DATOMITE_SEED` choose how many cases and from which seed. Each property
//! prints its seed and the share of cases that were not trivial, and asserts that share.

use std::collections::{BTreeMap, BTreeSet};

use datomite::{
    Connection, Datom, Db, Edn, EntityId, Index, Input, Query, T, TimePoint, Value, mem, open, q,
};
use datomite_tests::fuzz::{Seen, duel};
use datomite_tests::generate::{self, Random};
use datomite_tests::oracle::{Attr, Plain, Predicted, Verdict, View, Who};

/// Transactions of one case.
const TRANSACTIONS: usize = 14;
/// Transactions of one case on the oracle of whole transactions.
const DUEL: usize = 10;
/// Forms that a thousand cases write, and errors that they meet.
const FORMS: usize = 65;
const ERRORS: [&str; 34] = [
    "attr-pred",
    "attribute-ident-missing",
    "cannot-retarget-ident",
    "cas-failed",
    "datom-cannot-be-altered",
    "datoms-conflict",
    "entity-attr",
    "future-tx-instant",
    "invalid-alter-attribute",
    "invalid-cas",
    "invalid-cas-many",
    "invalid-entity-id",
    "invalid-force-partition-map",
    "invalid-install-attribute",
    "invalid-lookup-ref",
    "invalid-nested-entity",
    "invalid-tuple-value",
    "lookup-ref-attr-not-unique",
    "map-key-collision",
    "nil-value",
    "not-a-cardinality",
    "not-a-data-function",
    "not-a-db-id",
    "not-a-keyword",
    "not-a-value-type",
    "not-an-attribute",
    "not-an-entity",
    "not-in-system-partition",
    "not-transaction-data",
    "past-tx-instant",
    "reset-tx-instant",
    "tempid-not-an-entity",
    "unique-conflict",
    "wrong-type-for-attribute",
];
/// Queries of one case.
const QUERIES: usize = 12;
const TX_INSTANT: EntityId = EntityId::new(50);

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => default,
    }
}

/// Runs `case` with seeds that follow each other; a failure names the seed that repeats it.
fn for_each_seed(default_cases: u64, case: impl Fn(u64)) {
    let (seed, cases) = (
        setting("DATOMITE_SEED", 1),
        setting("DATOMITE_CASES", default_cases),
    );
    println!("DATOMITE_SEED={seed} DATOMITE_CASES={cases}");
    for seed in seed..seed + cases {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| case(seed)));
        if let Err(panic) = result {
            eprintln!("repeat with DATOMITE_SEED={seed} DATOMITE_CASES=1");
            std::panic::resume_unwind(panic);
        }
    }
}

/// A store and its oracle after a random history.
struct World {
    conn: Connection,
    plain: Plain,
    /// The database after each accepted transaction.
    after: Vec<Db>,
    accepted: usize,
    refused: usize,
}

impl World {
    fn begin(conn: Connection, random: &mut Random) -> World {
        let attrs = generate::schema(random);
        let report = conn
            .transact(generate::schema_tx(&attrs))
            .expect("the schema is installed");
        let with_id = |attr: Attr| {
            let ident = Edn::from(attr.ident.clone());
            let id = report
                .db_after
                .entid(&ident)
                .expect("a read")
                .expect("an attribute");
            Attr { id, ..attr }
        };
        let plain = Plain {
            attrs: attrs.into_iter().map(with_id).collect(),
            datoms: Vec::new(),
        };
        World {
            after: vec![report.db_after],
            conn,
            plain,
            accepted: 0,
            refused: 0,
        }
    }

    fn step(&mut self, random: &mut Random) {
        let ops = generate::transaction(random, &self.plain);
        let data = generate::tx_data(random, &self.plain, &ops);
        match self.plain.predict(&ops) {
            Verdict::Unclear(_) => {}
            Verdict::Refused => {
                let answer = self.conn.transact(data.clone());
                assert!(answer.is_err(), "{data} is refused by the oracle");
                self.refused += 1;
            }
            Verdict::Accepted(predicted) => {
                let report = match self.conn.transact(data.clone()) {
                    Ok(report) => report,
                    Err(error) => panic!("{data} is accepted by the oracle: {error}"),
                };
                let new = new_entities(&predicted, &report.tempids, &data);
                let tx = report.db_after.basis_t().tx();
                let changes = predicted.changes.iter();
                let changes: Vec<Datom> = changes
                    .map(|change| change.bind(&self.plain, tx, &new))
                    .collect();
                let answered = report.tx_data.iter().filter(|datom| datom.a != TX_INSTANT);
                assert_eq!(sorted(answered.cloned()), sorted(changes.clone()), "{data}");
                self.plain.datoms.extend(changes);
                self.after.push(report.db_after);
                self.accepted += 1;
            }
        }
    }

    fn play(seed: u64) -> (World, Random) {
        let mut random = Random::new(seed);
        let mut world = World::begin(mem(), &mut random);
        for _ in 0..TRANSACTIONS {
            world.step(&mut random);
        }
        (world, random)
    }

    /// The database in a view, and the datoms of our attributes that it shows.
    fn shown(&self, db: &Db, view: View) -> (Db, Vec<Datom>) {
        let db = seen(db, view);
        let datoms = user_datoms(&db, &self.plain, Index::Eavt);
        (db, datoms)
    }
}

/// Ids of the new entities, which must be new and different.
fn new_entities(
    predicted: &Predicted,
    tempids: &BTreeMap<Edn, EntityId>,
    data: &Edn,
) -> BTreeMap<usize, EntityId> {
    let mut new = BTreeMap::new();
    for (name, who) in &predicted.tempids {
        let id = tempids.get(&Edn::string(name)).copied();
        match (who, id) {
            // An id that no datom needed may be left out of the report.
            (_, None) => {}
            (Who::Id(known), Some(id)) => assert_eq!(*known, id, "{name} in {data}"),
            (Who::New(n), Some(id)) => {
                assert_eq!(*new.entry(*n).or_insert(id), id, "{name} in {data}");
            }
        }
    }
    let distinct: BTreeSet<&EntityId> = new.values().collect();
    assert_eq!(
        distinct.len(),
        new.len(),
        "two new entities of {data} are one"
    );
    new
}

fn sorted(datoms: impl IntoIterator<Item = Datom>) -> Vec<Datom> {
    let mut datoms: Vec<Datom> = datoms.into_iter().collect();
    datoms.sort_by(|a, b| {
        let key = |d: &Datom| (d.e, d.a, d.v.clone(), d.tx, d.added);
        key(a).cmp(&key(b))
    });
    // Datomic's tx-data says a retraction twice that is both asked for and implied.
    datoms.dedup();
    datoms
}

fn seen(db: &Db, view: View) -> Db {
    let mut db = db.clone();
    if let Some(t) = view.as_of {
        db = db.as_of(TimePoint::T(t)).expect("a t");
    }
    if let Some(t) = view.since {
        db = db.since(TimePoint::T(t)).expect("a t");
    }
    if view.history { db.history() } else { db }
}

fn user_datoms(db: &Db, plain: &Plain, index: Index) -> Vec<Datom> {
    let datoms = db
        .datoms(index, &[])
        .expect("a read")
        .map(|datom| datom.expect("a read"));
    datoms
        .filter(|datom| plain.attrs.iter().any(|attr| attr.id == datom.a))
        .collect()
}

fn rows(db: &Db, form: &Edn) -> BTreeSet<Vec<Value>> {
    let query = Query::from_edn(form).unwrap_or_else(|error| panic!("{form}: {error}"));
    let result = q(&query, &[Input::Db(db.clone())]);
    let Edn::Set(rows) = result
        .unwrap_or_else(|error| panic!("{form}: {error}"))
        .into_edn()
    else {
        panic!("{form} did not answer a set");
    };
    let values = |row: &Edn| {
        let items = row.as_sequence().unwrap_or_default().iter();
        items
            .map(|item| item.as_value().expect("a value").clone())
            .collect()
    };
    rows.iter().map(values).collect()
}

/// Percent, for the shares that are printed.
fn share(part: usize, of: usize) -> usize {
    part * 100 / of.max(1)
}

/// Every form of transaction, on the engine and on the plain oracle: the same is accepted and
/// refused with the same error, the same datoms, tempids and next ids, the same database in the
/// end; a refused transaction leaves nothing. A difference is printed as the smallest sequence
/// of transactions that shows it.
#[test]
fn transactions_do_what_the_oracle_says() {
    let seen = std::cell::RefCell::new(Seen::default());
    for_each_seed(1000, |seed| {
        let result = duel(seed, DUEL, &mut seen.borrow_mut());
        result.unwrap_or_else(|why| panic!("{why}"));
    });
    let seen = seen.into_inner();
    for (form, count) in &seen.forms {
        println!("{count:8}  {form}");
    }
    for (error, count) in &seen.errors {
        println!("{count:8}  error {error}");
    }
    let total = seen.accepted + seen.refused;
    println!(
        "{} % of {total} transactions were accepted, {} more are unclear",
        share(seen.accepted, total),
        seen.unclear
    );
    assert!((30..=80).contains(&share(seen.accepted, total)));
    assert!(seen.unclear * 8 < total, "{} are unclear", seen.unclear);
    if total >= 9000 {
        let forms = seen.forms.len();
        assert!(forms >= FORMS, "{forms} forms were written");
        let missing = |error: &&&str| !seen.errors.contains_key(**error);
        let missing: Vec<&&str> = ERRORS.iter().filter(missing).collect();
        assert!(missing.is_empty(), "nothing was refused as {missing:?}");
    }
}

#[test]
fn views_show_what_the_oracle_shows() {
    for_each_seed(80, |seed| {
        let (world, mut random) = World::play(seed);
        let ts: Vec<_> = world.after.iter().map(Db::basis_t).collect();
        for _ in 0..6 {
            let view = generate::view(&mut random, &ts);
            let (db, datoms) = world.shown(&world.conn.db(), view);
            let expected = sorted(world.plain.view(view));
            assert_eq!(sorted(datoms), expected, "{view:?}");
            let by_attribute = user_datoms(&db, &world.plain, Index::Aevt);
            assert_eq!(sorted(by_attribute), expected, "{view:?}, aevt");
        }
    });
}

#[test]
fn queries_answer_what_the_oracle_answers() {
    let (answered, asked) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    for_each_seed(100, |seed| {
        let (world, mut random) = World::play(seed);
        let ts: Vec<_> = world.after.iter().map(Db::basis_t).collect();
        for _ in 0..QUERIES {
            let view = generate::view(&mut random, &ts);
            let query = generate::query(&mut random, &world.plain, view);
            let expected = query.answer(&world.plain, view);
            let form = query.to_edn(&world.plain);
            let found = rows(&seen(&world.conn.db(), view), &form);
            assert_eq!(found, expected, "{form} in {view:?}");
            asked.set(asked.get() + 1);
            answered.set(answered.get() + usize::from(!expected.is_empty()));
        }
    });
    let share = share(answered.get(), asked.get());
    println!("{share} % of {} queries answered something", asked.get());
    assert!(share >= 60, "{share} %");
}

/// All orders of `n` things.
fn orders(n: usize) -> Vec<Vec<usize>> {
    let mut found = vec![Vec::new()];
    for next in 0..n {
        found = found
            .iter()
            .flat_map(|order: &Vec<usize>| {
                (0..=order.len()).map(move |at| {
                    let mut order = order.clone();
                    order.insert(at, next);
                    order
                })
            })
            .collect();
    }
    found
}

/// The order in which clauses are written decides nothing: every permutation of up to four
/// clauses, and two rotations of more, give the rows of the oracle, which takes them as written.
#[test]
fn every_order_of_the_clauses_answers_the_same() {
    let (asked, several) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    for_each_seed(150, |seed| {
        let (world, mut random) = World::play(seed);
        let ts: Vec<_> = world.after.iter().map(Db::basis_t).collect();
        for _ in 0..QUERIES {
            let view = generate::view(&mut random, &ts);
            let query = generate::query(&mut random, &world.plain, view);
            let expected = query.answer(&world.plain, view);
            let db = seen(&world.conn.db(), view);
            let count = query.clauses.len();
            let mut orders = orders(count.min(4));
            if count > 4 {
                orders = [1, 2]
                    .map(|by| (0..count).map(|at| (at + by) % count).collect())
                    .to_vec();
            }
            for order in orders {
                let mut written = query.clone();
                written.clauses = order.iter().map(|at| query.clauses[*at].clone()).collect();
                let form = written.to_edn(&world.plain);
                assert_eq!(rows(&db, &form), expected, "{form} in {view:?}");
            }
            asked.set(asked.get() + 1);
            several.set(several.get() + usize::from(count > 1 && !expected.is_empty()));
        }
    });
    let share = share(several.get(), asked.get());
    println!(
        "{share} % of {} queries had several clauses and rows",
        asked.get()
    );
    assert!(share >= 40, "{share} %");
}

#[test]
fn the_past_is_what_the_present_was() {
    for_each_seed(60, |seed| {
        let (world, _) = World::play(seed);
        for then in &world.after {
            let past = world
                .conn
                .db()
                .as_of(TimePoint::T(then.basis_t()))
                .expect("a t");
            for index in [Index::Eavt, Index::Aevt, Index::Avet, Index::Vaet] {
                let was = user_datoms(then, &world.plain, index);
                assert_eq!(user_datoms(&past, &world.plain, index), was, "{index:?}");
            }
        }
    });
}

/// What the log says up to a transaction, added and retracted by hand.
fn replayed(world: &World, up_to: T) -> Vec<Datom> {
    let end = TimePoint::T(T::new(up_to.raw() + 1));
    let entries = world.conn.log().tx_range(None, Some(end)).expect("a log");
    let mut facts: BTreeMap<(EntityId, EntityId, Value), Datom> = BTreeMap::new();
    for entry in entries {
        for datom in entry.expect("an entry").data {
            if !world.plain.attrs.iter().any(|attr| attr.id == datom.a) {
                continue;
            }
            let key = (datom.e, datom.a, datom.v.clone());
            match datom.added {
                true => drop(facts.insert(key, datom)),
                false => drop(facts.remove(&key)),
            }
        }
    }
    facts.into_values().collect()
}

#[test]
fn as_of_equals_replaying_the_log() {
    for_each_seed(40, |seed| {
        let (world, _) = World::play(seed);
        for then in &world.after {
            let past = world
                .conn
                .db()
                .as_of(TimePoint::T(then.basis_t()))
                .expect("a t");
            let shown = sorted(user_datoms(&past, &world.plain, Index::Eavt));
            assert_eq!(
                shown,
                sorted(replayed(&world, then.basis_t())),
                "{}",
                then.basis_t()
            );
        }
    });
}

#[test]
fn reopened_equals_never_closed() {
    for_each_seed(15, |seed| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("db").to_string_lossy().into_owned();
        let mut random = Random::new(seed);
        let mut world = World::begin(open(&path).expect("a store"), &mut random);
        let mut expected = Vec::new();
        for _ in 0..TRANSACTIONS {
            world.step(&mut random);
            if random.chance(30) {
                let history = View {
                    history: true,
                    ..View::default()
                };
                expected = world.shown(&world.conn.db(), history).1;
                let (basis, next) = (world.conn.db().basis_t(), world.conn.db().next_t());
                world.after.clear();
                world.conn.release();
                world.conn = datomite::mem();
                world.conn = open(&path).expect("the store again");
                assert_eq!(world.conn.db().basis_t(), basis);
                assert_eq!(world.conn.db().next_t(), next);
                assert_eq!(world.shown(&world.conn.db(), history).1, expected);
            }
        }
        drop(expected);
    });
}
