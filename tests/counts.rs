//! What a read visits, counted in nodes: promises about speed that do not need a clock.
//!
//! A fault that is armed far away counts nothing by itself; the least distance at which a call no
//! longer meets it is the number of nodes that the call reads.

use std::sync::Arc;

use datomite::{
    Column, Connection, Edn, EntityId, Index, Input, KeyRange, Options, Query, ReadFault, TxMeta,
    Value, mem_with, q,
};

const SCHEMA: &str = r#"[
  {:db/ident :n/group :db/valueType :db.type/long :db/cardinality :db.cardinality/one
   :db/index true}
  {:db/ident :n/kind :db/valueType :db.type/long :db/cardinality :db.cardinality/one
   :db/index true}
  {:db/ident :n/size :db/valueType :db.type/long :db/cardinality :db.cardinality/one}
  {:db/ident :n/on :db/valueType :db.type/boolean :db/cardinality :db.cardinality/one}]"#;

const GROUPS: i64 = 100;

/// More nodes than any call reads.
const READS_MAX: u64 = 1 << 20;

fn loaded(rows: u64, names: &[&str]) -> (Connection, Arc<ReadFault>) {
    let fault = Arc::new(ReadFault::new());
    let conn = mem_with(Options::new().node_source(fault.clone()));
    conn.transact(SCHEMA).expect("memory is read and written");
    let mut bulk = conn.bulk().expect("memory is read and written");
    let first = bulk.reserve(rows).raw();
    let value = |name: &str, row: i64| match name {
        "n/group" => Value::Long(row * 7919 % GROUPS),
        "n/kind" => Value::Long(row * 31 % 6),
        "n/on" => Value::Boolean(row * 13 % 2 == 0),
        _ => Value::Long(row * 17),
    };
    let column = |name: &&str| Column {
        attribute: conn
            .db()
            .attribute(&Edn::keyword(name))
            .expect("memory is read and written")
            .expect("the schema has it")
            .id,
        entities: (first..first + rows).map(EntityId::new).collect(),
        values: (0..rows as i64).map(|row| value(name, row)).collect(),
    };
    let columns = names.iter().map(column).collect();
    bulk.columns(columns, TxMeta::default())
        .expect("memory is read and written");
    bulk.commit().expect("memory is read and written");
    (conn, fault)
}

/// How many nodes a call reads.
fn reads(fault: &ReadFault, call: impl Fn() -> bool) -> u64 {
    let meets = |nth: u64| {
        fault.arm(nth);
        let answered = call();
        let met = !fault.is_armed();
        fault.arm(0);
        assert_eq!(answered, !met, "a failed read is an error, and only that");
        met
    };
    let (mut least, mut most) = (0, READS_MAX);
    while most - least > 1 {
        let middle = least.midpoint(most);
        match meets(middle) {
            true => least = middle,
            false => most = middle,
        }
    }
    least
}

fn reads_of_a_prefix_count(rows: u64) -> u64 {
    let (conn, fault) = loaded(rows, &["n/group"]);
    let db = conn.db();
    let group = db
        .attribute(&Edn::keyword("n/group"))
        .expect("memory is read and written")
        .expect("the schema has it")
        .id;
    let count = |value| {
        let range = KeyRange::prefix(None, Some(group), Some(Value::Long(value)));
        db.count(Index::Avet, &range)
    };
    (0..GROUPS)
        .map(|value| {
            assert_eq!(
                count(value).expect("memory is read and written"),
                rows / GROUPS as u64
            );
            reads(&fault, || count(value).is_ok())
        })
        .max()
        .expect("memory is read and written")
}

#[test]
fn a_prefix_count_at_a_million_datoms_reads_at_most_twice_the_nodes_of_one_at_ten_thousand() {
    let (small, large) = (
        reads_of_a_prefix_count(10_000),
        reads_of_a_prefix_count(1_000_000),
    );
    println!("nodes read: {small} at 10,000 datoms, {large} at 1,000,000");
    assert!(
        small > 0 && large <= 2 * small,
        "{small} at 10,000, {large} at 1,000,000"
    );
}

#[test]
fn a_four_clause_join_reads_the_same_nodes_in_every_order_of_its_clauses() {
    let (conn, fault) = loaded(20_000, &["n/group", "n/kind", "n/size", "n/on"]);
    let inputs = [Input::from(conn.db())];
    let mut found = Vec::new();
    for n in 0..24 {
        let mut left = vec![
            "[?e :n/group 42]",
            "[?e :n/kind ?k]",
            "[?e :n/size ?s]",
            "[?e :n/on true]",
        ];
        let (mut n, mut text) = (n, String::from("[:find ?e ?k ?s :where"));
        for choices in [4, 3, 2, 1] {
            text += left.remove(n % choices);
            n /= choices;
        }
        let query = Query::parse(&(text + "]")).expect("the query is one");
        found.push(reads(&fault, || q(&query, &inputs).is_ok()));
    }
    let (least, most) = (
        found.iter().min().expect("memory is read and written"),
        found.iter().max().expect("there is one"),
    );
    println!("nodes read: {least} to {most} over the 24 orders");
    assert!(2 * most <= 3 * least, "{found:?}");
}
