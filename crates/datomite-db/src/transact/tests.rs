use datomite_model::{Edn, Index, Value};

use crate::{Connection, mem};

fn people() -> Connection {
    let conn = mem();
    conn.transact(
        "[{:db/ident :p/name :db/valueType :db.type/string :db/cardinality :db.cardinality/one
           :db/unique :db.unique/identity}
          {:db/ident :p/age :db/valueType :db.type/long :db/cardinality :db.cardinality/one}
          {:db/ident :p/friend :db/valueType :db.type/ref :db/cardinality :db.cardinality/many}
          {:db/ident :kind/nut}]",
    )
    .expect("a schema");
    conn
}

#[test]
fn ids_are_given_in_datomics_order() {
    let conn = people();
    let db = conn.db();
    let id = |name: &str| {
        db.entid(&Edn::keyword(name))
            .expect("an entid")
            .expect("known")
            .raw()
    };
    assert_eq!((id("p/name"), id("p/age"), id("p/friend")), (72, 73, 74));
    assert_eq!(id("kind/nut"), (4 << 42) | 1001);
    assert_eq!(db.next_t().raw(), 1002);
    let report = conn
        .transact("[{:db/id \"a\" :p/name \"Ann\"}]")
        .expect("a person");
    assert_eq!(report.tempids[&Edn::string("a")].counter(), 1003);
}

#[test]
fn a_known_identity_upserts_and_replaces() {
    let conn = people();
    conn.transact("[{:p/name \"Ann\" :p/age 1 :p/friend [{:p/name \"Bob\"}]}]")
        .expect("two");
    let report = conn
        .transact("[{:p/name \"Ann\" :p/age 2}]")
        .expect("an update");
    let said: Vec<(Value, bool)> = report.tx_data[1..]
        .iter()
        .map(|d| (d.v.clone(), d.added))
        .collect();
    assert_eq!(said, vec![(Value::Long(1), false), (Value::Long(2), true)]);
    let ages = report
        .db_after
        .datoms(Index::Aevt, &[Edn::keyword("p/age")])
        .expect("datoms");
    assert_eq!(ages.count(), 1);
}

#[test]
fn a_refused_transaction_leaves_nothing() {
    let conn = people();
    let before = (conn.db().basis_t(), conn.db().next_t());
    for (tx, code) in [
        (
            "[[:db/add \"a\" :p/age 1] [:db/add \"a\" :p/age 2]]",
            "datoms-conflict",
        ),
        ("[[:db/add \"a\" :p/age \"x\"]]", "wrong-type-for-attribute"),
        (
            "[{:p/name \"x\" :p/friend \"nobody\"}]",
            "tempid-not-an-entity",
        ),
        ("[[:db/add \"a\" :p/none 1]]", "not-an-entity"),
        ("[{:p/name \"x\" :p/age nil}]", "nil-value"),
    ] {
        let error = conn.transact(tx).expect_err(tx);
        let found = error.code().expect("a code").name().to_owned();
        assert_eq!(found, code, "{tx}: {error}");
    }
    assert_eq!((conn.db().basis_t(), conn.db().next_t()), before);
}

#[test]
fn of_several_identities_the_last_names_the_tempid() {
    let conn = people();
    conn.transact(
        "[{:db/ident :p/mail :db/valueType :db.type/string :db/cardinality :db.cardinality/one
           :db/unique :db.unique/identity}]",
    )
    .expect("a schema");
    let report = conn
        .transact("[{:db/id \"a\" :p/name \"Ann\"} {:db/id \"b\" :p/mail \"b@x\"}]")
        .expect("two");
    let bob = report.tempids[&Edn::string("b")];
    // The name is freed in the same transaction, so that only the choice of the entity decides.
    let moved = conn
        .transact(
            "[[:db/retract [:p/name \"Ann\"] :p/name \"Ann\"]
              [:db/add \"x\" :p/name \"Ann\"] [:db/add \"x\" :p/mail \"b@x\"]]",
        )
        .expect("a name moves");
    assert_eq!(moved.tempids[&Edn::string("x")], bob);
}
