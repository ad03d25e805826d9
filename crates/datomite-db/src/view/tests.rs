//! Views against a plain list of datoms, over the trees themselves: every index, both directions.

use std::sync::Arc;

use datomite_model::{
    Attribute, Cardinality, Component, Datom, EntityId, Index, Instant, Keyword, Schema, T, Value,
    ValueType,
};
use datomite_storage::{DatabaseId, KeyRange, Record};
use proptest::prelude::*;

use crate::{Db, Options, ViewRuns};

const LONG: EntityId = EntityId::new(72);
const REF: EntityId = EntityId::new(73);

fn schema() -> Arc<Schema> {
    let mut schema = Schema::default();
    let name = |name| Keyword::new(Some("t"), name);
    let many = Cardinality::Many;
    let mut long = Attribute::new(LONG, name("long"), ValueType::Long, many);
    long.indexed = true;
    schema.put_attribute(long);
    schema.put_attribute(Attribute::new(REF, name("ref"), ValueType::Ref, many));
    Arc::new(schema)
}

fn empty() -> Db {
    let options = Arc::new(Options::new());
    let mut basis = Db::empty(DatabaseId::new(1), options)
        .basis
        .as_ref()
        .clone();
    basis.schema = schema();
    Db::of(basis)
}

/// A change: entity, attribute, value.
type Change = (u64, bool, u64);

/// Makes transactions that toggle facts: what holds is retracted, what does not is asserted.
fn records(transactions: &[Vec<Change>]) -> Vec<Record> {
    let mut holds: Vec<(EntityId, EntityId, Value)> = Vec::new();
    let mut records = Vec::new();
    for (n, changes) in transactions.iter().enumerate() {
        let t = T::new(1000 + 10 * n as u64);
        let mut changes = changes.clone();
        changes.sort();
        changes.dedup();
        let mut datoms = Vec::new();
        for (e, is_long, v) in changes {
            let (a, v) = match is_long {
                true => (LONG, Value::Long(v as i64)),
                false => (REF, Value::Ref(EntityId::new(v))),
            };
            let fact = (EntityId::new(e), a, v.clone());
            let known = holds.iter().position(|other| *other == fact);
            match known {
                Some(at) => {
                    holds.remove(at);
                }
                None => holds.push(fact),
            }
            datoms.push(Datom {
                e: EntityId::new(e),
                a,
                v,
                tx: t.tx(),
                added: known.is_none(),
            });
        }
        records.push(Record {
            t,
            instant: Instant::from_ms(n as i64),
            next_t: T::new(t.raw() + 10),
            next_element: 74,
            datoms,
            index_changes: Vec::new(),
        });
    }
    records
}

fn in_order(index: Index, x: &Datom, y: &Datom) -> std::cmp::Ordering {
    let by = |component| match component {
        Component::Entity => x.e.cmp(&y.e),
        Component::Attribute => x.a.cmp(&y.a),
        Component::Value => x.v.storage_cmp(&y.v),
    };
    let [first, second, third] = index.components();
    by(first)
        .then(by(second))
        .then(by(third))
        .then(y.tx.cmp(&x.tx))
}

fn expected(records: &[Record], db: &Db, index: Index) -> Vec<Datom> {
    let holds_in = |index: Index, datom: &Datom| match index {
        Index::Avet => datom.a == LONG,
        Index::Vaet => datom.a == REF,
        _ => true,
    };
    let within = |datom: &&Datom| {
        db.as_of_t().is_none_or(|t| datom.t() <= t) && db.since_t().is_none_or(|t| datom.t() > t)
    };
    let all: Vec<Datom> = records
        .iter()
        .flat_map(|record| &record.datoms)
        .filter(within)
        .filter(|datom| holds_in(index, datom))
        .cloned()
        .collect();
    let mut list: Vec<Datom> = all
        .iter()
        .filter(|datom| {
            let gone = all.iter().any(|later| {
                !later.added
                    && later.t() > datom.t()
                    && (later.e, later.a, &later.v) == (datom.e, datom.a, &datom.v)
            });
            db.is_history() || (datom.added && !gone)
        })
        .filter(|datom| !db.is_filtered() || datom.e.raw() % 2 == 0)
        .cloned()
        .collect();
    list.sort_by(|x, y| in_order(index, x, y));
    list
}

fn read(mut runs: ViewRuns, reverse: bool) -> Vec<Datom> {
    let mut list = Vec::new();
    while let Some(run) = runs.next().unwrap() {
        let rows: Vec<Datom> = (0..run.len()).map(|row| run.datom(row)).collect();
        match reverse {
            false => list.extend(rows),
            true => list.extend(rows.into_iter().rev()),
        }
    }
    list
}

fn check(records: &[Record], db: &Db) {
    for index in Index::ALL {
        let expected = expected(records, db, index);
        let all = KeyRange::all();
        let forward = read(db.runs(index, &all), false);
        assert_eq!(forward, expected, "{index} of {db:?}");
        let mut backward = read(ViewRuns::reverse(db, index, &all), true);
        backward.reverse();
        assert_eq!(backward, expected, "{index} of {db:?}, backwards");
        let count = db.count(index, &all).unwrap();
        assert!(count >= expected.len() as u64);
    }
}

fn views(db: &Db, as_of: u64, since: u64) -> Vec<Db> {
    let (as_of, since) = (T::new(as_of), T::new(since));
    let mut views = vec![
        db.clone(),
        db.as_of(as_of).unwrap(),
        db.since(since).unwrap(),
        db.as_of(as_of).unwrap().since(since).unwrap(),
    ];
    views.extend(views.clone().iter().map(Db::history));
    let even = |db: &Db| db.filter(|_, datom| datom.e.raw() % 2 == 0);
    views.extend(views.clone().iter().map(even));
    views
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_view_shows_what_a_list_of_datoms_shows(
        transactions in prop::collection::vec(
            prop::collection::vec((0u64..12, any::<bool>(), 0u64..4), 0..40), 1..8),
        as_of in 995u64..1080,
        since in 995u64..1080,
    ) {
        let records = records(&transactions);
        let schema = schema();
        let mut db = empty();
        for record in &records {
            db = db.apply_record(record, Arc::clone(&schema)).unwrap();
        }
        for view in views(&db, as_of, since) {
            check(&records, &view);
        }
        let replayed = empty().replay(records.iter().cloned().map(Ok)).unwrap();
        for view in views(&replayed, as_of, since) {
            check(&records, &view);
        }
    }
}
