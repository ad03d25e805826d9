//! Connections through the facade: forks, time, listeners, bulk, opening and following.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use datomite::{
    Column, Connection, Datom, Db, Edn, EntityId, Index, Instant, Options, T, TxMeta, Value,
    create_database, delete_database, mem, mem_with, open, open_with, read,
};

const SCHEMA: &str = r#"[
  {:db/ident :p/name  :db/valueType :db.type/string :db/cardinality :db.cardinality/one
   :db/unique :db.unique/identity}
  {:db/ident :p/age   :db/valueType :db.type/long   :db/cardinality :db.cardinality/one}
  {:db/ident :p/tag   :db/valueType :db.type/string :db/cardinality :db.cardinality/many}
  {:db/ident :p/boss  :db/valueType :db.type/ref    :db/cardinality :db.cardinality/one}]"#;

/// A clock that moves a second at each look, so that runs are equal.
fn ticking() -> Options {
    let now = Arc::new(AtomicI64::new(1_600_000_000_000));
    Options::new().clock(move || Instant::from_ms(now.fetch_add(1000, Ordering::SeqCst)))
}

fn people() -> Connection {
    let conn = mem_with(ticking());
    conn.transact(SCHEMA).expect("as set up");
    conn.transact(r#"[{:p/name "ann" :p/age 30 :p/tag ["x" "y"]} {:p/name "bob" :p/age 17}]"#)
        .expect("as set up");
    conn
}

fn edn(text: &str) -> Edn {
    read(text).expect("as set up")
}

fn all(db: &Db, index: Index) -> Vec<Datom> {
    db.datoms(index, &[])
        .expect("as set up")
        .map(Result::unwrap)
        .collect()
}

fn everything(db: &Db) -> Vec<Vec<Datom>> {
    let history = db.history();
    Index::ALL
        .into_iter()
        .flat_map(|index| [all(db, index), all(&history, index)])
        .collect()
}

fn age(db: &Db, name: &str) -> Option<i64> {
    let entity = db
        .entity(&edn(&format!("[:p/name {name:?}]")))
        .expect("as set up")?;
    let value = entity.get(":p/age").expect("as set up")?;
    match value.as_value() {
        Some(Value::Long(n)) => Some(*n),
        _ => None,
    }
}

#[test]
fn a_fork_and_its_origin_do_not_see_each_other() {
    let conn = people();
    let fork = conn.fork().expect("as set up");
    assert_eq!(everything(&fork.db()), everything(&conn.db()));
    assert_ne!(fork.db().id(), conn.db().id());
    assert_eq!(
        fork.db().parent(),
        Some((conn.db().id(), conn.db().basis_t()))
    );
    fork.transact(r#"[{:p/name "ann" :p/age 31}]"#).unwrap();
    conn.transact(r#"[{:p/name "ann" :p/age 40}]"#).unwrap();
    assert_eq!(age(&fork.db(), "ann"), Some(31));
    assert_eq!(age(&conn.db(), "ann"), Some(40));
    let txs = |conn: &Connection| conn.log().tx_range(None, None).unwrap().count();
    assert_eq!(txs(&fork), 3);
    assert_eq!(txs(&conn), 3);
}

#[test]
fn a_fork_of_the_past_is_what_the_database_was() {
    let conn = people();
    let mut saved = vec![conn.db()];
    for tx in [
        r#"[{:p/name "ann" :p/age 31 :p/tag "z"} [:db/retract [:p/name "ann"] :p/tag "x"]]"#,
        r#"[{:db/id :p/age :db/index true} {:db/ident :p/mail :db/valueType :db.type/string
             :db/cardinality :db.cardinality/one}]"#,
        r#"[[:db/retractEntity [:p/name "bob"]] {:p/name "cid" :p/mail "c" :p/age 5}]"#,
        r#"[{:p/name "bob" :p/age 18} {:db/id :p/tag :db/ident :p/label}]"#,
        r#"[{:p/name "ann" :p/age 30 :p/label "x"}]"#,
    ] {
        conn.transact(tx).unwrap();
        saved.push(conn.db());
    }
    let now = conn.db();
    for then in &saved {
        let fork = now.as_of(then.basis_t()).unwrap().fork().unwrap();
        let db = fork.db();
        assert_eq!(everything(&db), everything(then), "at {then:?}");
        assert_eq!(db.basis_t(), then.basis_t());
        assert_eq!(db.next_t(), then.next_t());
        for name in [":p/tag", ":p/label", ":p/mail", ":p/age"] {
            assert_eq!(
                db.attribute(&edn(name)).unwrap(),
                then.attribute(&edn(name)).unwrap(),
                "{name}"
            );
        }
        let again = r#"[{:p/name "dan" :p/age 1} {:db/ident :p/new :db/valueType :db.type/long
            :db/cardinality :db.cardinality/one}]"#;
        let here = fork.transact(again).unwrap();
        let there = then.with(again).unwrap();
        let pure = |datoms: &[Datom]| -> Vec<_> {
            let facts = datoms
                .iter()
                .filter(|datom| !matches!(datom.v, Value::Instant(_)));
            facts
                .map(|datom| (datom.e, datom.a, datom.v.clone()))
                .collect()
        };
        assert_eq!(pure(&here.tx_data), pure(&there.tx_data));
    }
}

#[test]
fn reports_come_in_order_to_queues_listeners_and_futures() {
    let conn = people();
    let queue = conn.tx_report_queue();
    let futures: Vec<_> = (0..20)
        .map(|n| conn.transact_async(format!(r#"[{{:p/name "n{n}" :p/age {n}}}]"#).as_str()))
        .collect();
    let reports: Vec<_> = futures
        .into_iter()
        .map(|future| future.wait().unwrap())
        .collect();
    let mut ts: Vec<T> = reports
        .iter()
        .map(|report| report.db_after.basis_t())
        .collect();
    let told: Vec<T> = (0..20)
        .map(|_| queue.wait(5000).unwrap().db_after.basis_t())
        .collect();
    assert!(told.windows(2).all(|pair| pair[0] < pair[1]));
    ts.sort();
    assert_eq!(told, ts);
    assert!(queue.poll().is_none());
}

#[test]
fn threads_share_the_writer() {
    let conn = people();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let conn = &conn;
            scope.spawn(move || {
                for n in 0..25 {
                    let tx = format!(r#"[{{:p/name "t{thread}-{n}" :p/age {n}}}]"#);
                    let report = conn.transact(tx.as_str()).unwrap();
                    assert!(conn.db().basis_t() >= report.db_after.basis_t());
                }
            });
        }
    });
    let names = conn.db().datoms(Index::Aevt, &[edn(":p/name")]).unwrap();
    assert_eq!(names.count(), 102);
}

#[test]
fn bulk_and_transact_of_the_same_rows_give_equal_databases() {
    let rows: Vec<(String, i64)> = (0..500).map(|n| (format!("name {n}"), n % 90)).collect();
    let by_bulk = people();
    let mut bulk = by_bulk.bulk().unwrap();
    let id = |name: &str| by_bulk.db().entid(&edn(name)).unwrap().unwrap();
    for part in rows.chunks(200) {
        let first = bulk.reserve(part.len() as u64).raw();
        let ids: Vec<EntityId> = (first..).take(part.len()).map(EntityId::new).collect();
        let column = |attribute, values| Column {
            attribute,
            entities: ids.clone(),
            values,
        };
        let names = part.iter().map(|row| Value::from(row.0.as_str())).collect();
        let ages = part.iter().map(|row| Value::Long(row.1)).collect();
        let columns = vec![column(id(":p/name"), names), column(id(":p/age"), ages)];
        bulk.columns(columns, TxMeta::default()).unwrap();
        assert!(by_bulk.db().basis_t() < bulk.db().basis_t());
    }
    let db = bulk.commit().unwrap();
    assert_eq!(db, by_bulk.db());

    let by_transact = people();
    for part in rows.chunks(200) {
        let forms: Vec<String> = part
            .iter()
            .map(|(name, age)| format!("{{:p/name {name:?} :p/age {age}}}"))
            .collect();
        by_transact
            .transact(format!("[{}]", forms.join(" ")).as_str())
            .unwrap();
    }
    let facts = |conn: &Connection| -> Vec<(Value, Option<i64>)> {
        let names = conn.db().datoms(Index::Avet, &[edn(":p/name")]).unwrap();
        names
            .map(|datom| datom.unwrap().v)
            .map(|name| (name.clone(), age(&conn.db(), name.as_str().unwrap())))
            .collect()
    };
    assert_eq!(facts(&by_bulk), facts(&by_transact));
}

#[test]
fn a_refused_or_dropped_bulk_leaves_nothing() {
    let conn = people();
    let before = everything(&conn.db());
    let id = |name: &str| conn.db().entid(&edn(name)).unwrap().unwrap();
    let mut bulk = conn.bulk().unwrap();
    let first = bulk.reserve(2);
    let column = |values: [Value; 2]| Column {
        attribute: id(":p/name"),
        entities: vec![first, EntityId::new(first.raw() + 1)],
        values: values.to_vec(),
    };
    let mut refused = |values| {
        let result = bulk.columns(vec![column(values)], TxMeta::default());
        result.unwrap_err().code().map(|code| code.to_string())
    };
    let unique = Some(":db.error/unique-conflict".to_owned());
    assert_eq!(refused([Value::from("ann"), Value::from("new")]), unique);
    assert_eq!(refused([Value::from("same"), Value::from("same")]), unique);
    let wrong = Some(":db.error/wrong-type-for-attribute".to_owned());
    assert_eq!(refused([Value::from("a"), Value::Long(1)]), wrong);
    bulk.columns(
        vec![column([Value::from("a"), Value::from("b")])],
        TxMeta::default(),
    )
    .unwrap();
    drop(bulk);
    assert_eq!(everything(&conn.db()), before);
    conn.transact(r#"[{:p/name "a"}]"#).unwrap();
}

#[test]
fn a_folder_is_opened_once_and_reopens_as_it_was() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("people");
    let path = path.to_str().unwrap();
    let conn = open(path).unwrap();
    conn.transact(SCHEMA).unwrap();
    conn.transact(r#"[{:p/name "ann" :p/age 30}]"#).unwrap();
    let same = open(path).unwrap();
    assert_eq!(same.db(), conn.db());
    same.transact(r#"[{:p/name "ann" :p/age 31}]"#).unwrap();
    let follower = open_with(path, Options::new().read_only()).unwrap();
    assert_eq!(age(&follower.db(), "ann"), Some(31));
    let t = conn
        .transact(r#"[{:p/name "ann" :p/age 32}]"#)
        .unwrap()
        .db_after
        .basis_t();
    assert_eq!(age(&follower.sync_to(t, 5000).unwrap(), "ann"), Some(32));
    assert!(follower.transact("[]").is_err());
    let kept = everything(&conn.db());
    drop((conn, same, follower));
    let again = open(path).unwrap();
    assert_eq!(everything(&again.db()), kept);
    drop(again);
    assert!(delete_database(path).unwrap());
    assert!(!delete_database(path).unwrap());
}

#[test]
fn named_databases_live_in_the_process() {
    let uri = "datomite:mem://connection-test";
    assert!(create_database(uri).unwrap());
    assert!(!create_database(uri).unwrap());
    open(uri).unwrap().transact(SCHEMA).unwrap();
    let again = datomite::connect("datomic:mem://connection-test").unwrap();
    assert!(again.db().attribute(&edn(":p/name")).unwrap().is_some());
    assert!(delete_database(uri).unwrap());
    let gone = datomite::connect(uri).map(|_| ()).unwrap_err();
    assert_eq!(gone.code().unwrap().to_string(), ":peer/db-not-found");
    let unknown = open("datomite:sql://host/x").map(|_| ()).unwrap_err();
    assert!(unknown.to_string().contains("datomite-sql"), "{unknown}");
    assert!(open("datomic:dev://localhost:4334/x").is_err());
    assert_ne!(mem().db().id(), mem().db().id());
}
