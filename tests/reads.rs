//! Every read call under a failing node read: an error each time, never a panic or a short answer.
//!
//! The database is large enough that its trees have inner nodes. For each call the first read is
//! made to fail, then the second, and so on, until the call no longer reaches the failing one;
//! then, and only then, it must give the answer that it gives without faults.

use std::fmt::Debug;
use std::sync::Arc;

use datomite::{
    Connection, Db, DbError, Edn, Index, Input, Instant, Options, Pattern, Query, ReadFault, T,
    TimePoint, mem_with, pull, q, read,
};

const SCHEMA: &str = r#"[
  {:db/ident :p/name  :db/valueType :db.type/string :db/cardinality :db.cardinality/one
   :db/unique :db.unique/identity}
  {:db/ident :p/age   :db/valueType :db.type/long   :db/cardinality :db.cardinality/one
   :db/index true}
  {:db/ident :p/nick  :db/valueType :db.type/string :db/cardinality :db.cardinality/many}
  {:db/ident :p/boss  :db/valueType :db.type/ref    :db/cardinality :db.cardinality/one}
  {:db/ident :p/home  :db/valueType :db.type/ref    :db/cardinality :db.cardinality/one
   :db/isComponent true}
  {:db/ident :h/city  :db/valueType :db.type/string :db/cardinality :db.cardinality/one}]"#;

const PEOPLE: usize = 250;

/// More reads than any call makes.
const READS_MAX: u64 = 100_000;

fn people() -> (Connection, Arc<ReadFault>) {
    let fault = Arc::new(ReadFault::new());
    let conn = mem_with(Options::new().node_source(fault.clone()));
    conn.transact(SCHEMA).expect("as set up");
    let mut text = String::from("[");
    for n in 0..PEOPLE {
        text += &format!(
            r#"{{:db/id "p{n}" :p/name "name {n}" :p/age {n} :p/nick ["a{n}" "b{n}"]
                :p/boss "p{}" :p/home {{:h/city "city {n}"}}}} "#,
            n / 7
        );
    }
    conn.transact(format!("{text}]").as_str())
        .expect("as set up");
    let mut text = String::from("[");
    for n in (0..PEOPLE).step_by(3) {
        text += &format!(r#"{{:p/name "name {n}" :p/age {}}} "#, n + 1);
    }
    conn.transact(format!("{text}]").as_str())
        .expect("as set up");
    (conn, fault)
}

/// Runs a call under every failure; says how many reads it made.
fn fails_cleanly<R: PartialEq + Debug, E: Debug>(
    what: &str,
    fault: &ReadFault,
    call: impl Fn() -> Result<R, E>,
) {
    fault.arm(0);
    let expected = call().unwrap_or_else(|error| panic!("{what} without faults: {error:?}"));
    for nth in 1..READS_MAX {
        fault.arm(nth);
        let answer = call();
        let reached = !fault.is_armed();
        fault.arm(0);
        match answer {
            Err(_) if reached => {}
            Ok(answer) if !reached => {
                assert_eq!(answer, expected, "{what} with a fault it did not reach");
                assert!(nth > 1, "{what} reads no node at all");
                return;
            }
            Ok(answer) => panic!("{what} hid the failure of read {nth}: {answer:?}"),
            Err(error) => panic!("{what} failed without a failing read: {error:?}"),
        }
    }
    panic!("{what} never came to an end");
}

fn edn(text: &str) -> Edn {
    read(text).expect("as set up")
}

fn forms(text: &str) -> Vec<Edn> {
    edn(text).as_sequence().expect("as set up").to_vec()
}

fn views(db: &Db) -> Vec<(&'static str, Db)> {
    let t = T::new(db.basis_t().raw() - 1);
    vec![
        ("the present", db.clone()),
        ("as of", db.as_of(t).expect("as set up")),
        ("since", db.since(T::new(1000)).expect("as set up")),
        ("history", db.history()),
        ("filtered", db.filter(|_, datom| datom.e.raw() % 2 == 0)),
    ]
}

#[test]
fn index_access_reports_every_failed_read() {
    let (conn, fault) = people();
    let calls: [(Index, &str); 7] = [
        (Index::Eavt, "[]"),
        (Index::Eavt, "[[:p/name \"name 77\"]]"),
        (Index::Aevt, "[:p/nick]"),
        (Index::Aevt, "[:p/age [:p/name \"name 5\"]]"),
        (Index::Avet, "[:p/age 301]"),
        (Index::Avet, "[:p/name]"),
        (Index::Vaet, "[[:p/name \"name 3\"]]"),
    ];
    for (view, db) in views(&conn.db()) {
        for (index, components) in calls {
            let what = format!("datoms {index} {components} of {view}");
            if view != "the present" && components == "[]" {
                continue;
            }
            let components = forms(components);
            fails_cleanly(&what, &fault, || {
                db.datoms(index, &components)?
                    .collect::<Result<Vec<_>, DbError>>()
            });
        }
    }
    let db = conn.db();
    let some = forms("[:p/age 245]");
    fails_cleanly("seek_datoms", &fault, || {
        db.seek_datoms(Index::Avet, &some)?
            .collect::<Result<Vec<_>, _>>()
    });
    fails_cleanly("rseek_datoms", &fault, || {
        let datoms = db.rseek_datoms(Index::Avet, &some)?;
        datoms.take(40).collect::<Result<Vec<_>, _>>()
    });
    fails_cleanly("index_range", &fault, || {
        let datoms = db.index_range(&edn(":p/age"), &edn("10"), &edn("200"))?;
        datoms.collect::<Result<Vec<_>, _>>()
    });
}

#[test]
fn identity_time_and_counts_report_every_failed_read() {
    let (conn, fault) = people();
    let db = conn.db();
    let past = db.as_of(T::new(db.basis_t().raw() - 1)).unwrap();
    fails_cleanly("entid", &fault, || db.entid(&edn("[:p/name \"name 9\"]")));
    fails_cleanly("entid in the past", &fault, || {
        past.entid(&edn("[:p/name \"name 9\"]"))
    });
    let instant = TimePoint::Instant(Instant::from_ms(1));
    fails_cleanly("as_of an instant", &fault, || {
        db.as_of(instant).map(|db| db.as_of_t())
    });
    fails_cleanly("tx_range by instant", &fault, || {
        let range = db.log().tx_range(Some(instant), None)?;
        range
            .map(|entry| entry.map(|entry| entry.t))
            .collect::<Result<Vec<_>, _>>()
    });
    fails_cleanly("db_stats", &fault, || db.db_stats());
    fails_cleanly("fork of the past", &fault, || {
        past.fork().map(|fork| fork.db().basis_t())
    });
}

#[test]
fn entities_report_every_failed_read() {
    let (conn, fault) = people();
    let db = conn.db();
    let name = edn("[:p/name \"name 3\"]");
    let entity = || -> Result<_, DbError> {
        let entity = db.entity(&name)?;
        entity.ok_or(DbError::NotAnEntity { form: name.clone() })
    };
    fails_cleanly("get", &fault, || entity()?.get(":p/age"));
    fails_cleanly("get a reverse reference", &fault, || {
        entity()?.get(":p/_boss")
    });
    fails_cleanly("keys", &fault, || entity()?.keys());
    fails_cleanly("touch", &fault, || {
        Ok::<_, DbError>(entity()?.touch()?.to_edn())
    });
}

#[test]
fn queries_and_pulls_report_every_failed_read() {
    let (conn, fault) = people();
    let queries = [
        "[:find ?n ?c :where [?e :p/age 7] [?e :p/name ?n] [?e :p/home ?h] [?h :h/city ?c]]",
        "[:find (count ?e) . :where [?b :p/name \"name 3\"] [?e :p/boss ?b] (not [?e :p/age 20])]",
        "[:find ?n :in $ % :where (over ?e ?n) [?e :p/age 40]]",
        "[:find (pull ?e [:p/name {:p/home [*]}]) :where [?e :p/age 11]]",
    ];
    let rules = edn("[[(over ?e ?n) [?e :p/boss ?b] [?b :p/name ?n]]
                      [(over ?e ?n) [?e :p/boss ?b] (over ?b ?n)]]");
    let db = conn.db();
    let past = db.as_of(T::new(db.basis_t().raw() - 1)).unwrap();
    for (view, db) in [("the present", &db), ("as of", &past)] {
        for text in queries {
            let query = Query::parse(text).unwrap();
            let mut inputs = vec![Input::Db(db.clone())];
            if text.contains('%') {
                inputs.push(Input::Edn(rules.clone()));
            }
            fails_cleanly(&format!("{text} of {view}"), &fault, || {
                q(&query, &inputs).map(|result| sorted(result.into_edn()))
            });
        }
        let pattern =
            Pattern::from_edn(&edn("[:p/name :p/home {:p/_boss [:p/name]} {:p/boss 2}]")).unwrap();
        let name = edn("[:p/name \"name 3\"]");
        fails_cleanly(&format!("pull of {view}"), &fault, || {
            pull(db, &pattern, &name)
        });
    }
}

/// Sets have no order.
fn sorted(answer: Edn) -> Edn {
    match answer {
        Edn::Set(mut rows) => {
            rows.sort();
            Edn::Set(rows)
        }
        other => other,
    }
}

#[test]
fn a_transaction_that_cannot_read_is_refused_and_leaves_no_trace() {
    let (conn, fault) = people();
    let before = conn.db();
    let tx =
        r#"[{:p/name "name 30" :p/age 1000 :p/nick "new"} [:db/retractEntity [:p/name "name 9"]]]"#;
    fails_cleanly("with", &fault, || {
        before.with(tx).map(|report| report.tx_data.len())
    });
    fault.arm(3);
    assert!(conn.transact(tx).is_err());
    fault.arm(0);
    assert_eq!(conn.db().basis_t(), before.basis_t());
    conn.transact(tx).unwrap();
}
