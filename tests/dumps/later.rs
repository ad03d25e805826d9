//! A later dump onto an earlier one: rows changed, gone and new, schema grown and shrunk, time.

use datomite::{Connection, Db, Edn, Instant, T};
use datomite_import::{Dump, Import, ImportError, ImportOptions, ImportReport};
use tempfile::TempDir;

use crate::{count, scalar};

const MONDAY: &str = include_str!("monday.sql");
const TUESDAY: &str = include_str!("tuesday.sql");

fn read(connection: &Connection, text: &str, at: &str) -> Result<ImportReport, ImportError> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("dump.sql");
    std::fs::write(&path, text).expect("a dump");
    let mut options = ImportOptions::new();
    options.update = connection.db().basis_t() >= T::new(1000);
    options.at = Instant::parse(at);
    connection.import_dump(&Dump::open(&path)?, &mut options)
}

const DAY_1: &str = "2024-01-01T00:00:00Z";
const DAY_2: &str = "2024-01-02T00:00:00Z";

fn both() -> (Connection, ImportReport) {
    let connection = datomite::mem();
    read(&connection, MONDAY, DAY_1).expect("monday");
    let report = read(&connection, TUESDAY, DAY_2).expect("tuesday");
    (connection, report)
}

#[test]
fn only_what_changed_becomes_datoms() {
    let (connection, report) = both();
    let changes: Vec<(&str, u64, u64)> = report
        .tables
        .iter()
        .map(|t| (t.table.as_str(), t.datoms, t.retracted))
        .collect();
    let expected = [
        ("u", 18, 9),
        ("k", 4, 4),
        ("kk", 4, 5),
        ("t", 0, 0),
        // The bridge: one pair new; of two pairs gone one went with its row.
        ("ut", 1, 2),
        ("nokey", 4, 3),
        ("other", 0, 0),
        ("dang", 1, 1),
        // The column w.ref is gone: its facts are retracted.
        ("w", 2, 5),
        ("wr", 1, 0),
    ];
    assert_eq!(changes, expected);
    let db = connection.db();
    assert_eq!(count(&db, ":w/ref"), 0);
    assert!(
        db.schema()
            .entid(&datomite::Keyword::parse("w/ref"))
            .is_some()
    );
    // A table that the second dump does not have is left alone.
    assert_eq!(
        scalar(&db, "[:find ?z . :where [_ :other/z ?z]]"),
        "\"keep\""
    );
    let new_label = "[:find ?n . :where [?u :u/m :mood/glad] [?u :u/name ?n]]";
    assert_eq!(scalar(&db, new_label), "\"dan\"");
    // References that led nowhere on monday.
    assert_eq!(
        scalar(
            &db,
            "[:find ?n . :where [?d :dang/id 1] [?d :dang/u ?u] [?u :u/name ?n]]"
        ),
        "\"ina\""
    );
    assert_eq!(count(&db, ":dang/u.raw"), 0);
    assert_eq!(count(&db, ":wr/wx+wy"), 2);
}

#[test]
fn after_both_dumps_the_rows_are_those_of_the_second() {
    let (connection, _) = both();
    let fresh = datomite::mem();
    read(&fresh, TUESDAY, DAY_2).expect("tuesday");
    let rows = |db: &Db| -> Vec<String> {
        [
            "[:find ?i ?n :where [?u :u/id ?i] [?u :u/name ?n]]",
            "[:find ?i ?a :where [?u :u/id ?i] [?u :u/age ?a]]",
            "[:find ?i ?m :where [?u :u/id ?i] [?u :u/m ?m0] [?m0 :pg.enum/label ?m]]",
            "[:find ?i ?s :where [?u :u/id ?i] [?u :u/home ?h] [?h :addr/street ?s]]",
            "[:find ?i ?s :where [?u :u/id ?i] [?u :u/home ?h] [?h :addr/city ?s]]",
            "[:find ?i ?t :where [?u :u/id ?i] [?u :u/tags ?t]]",
            "[:find ?i ?t :where [?u :u/id ?i] [?u :u/tags.array ?t]]",
            "[:find ?i ?b :where [?u :u/id ?i] [?u :u/boss ?w] [?w :u/id ?b]]",
            "[:find ?i ?t :where [?u :u/id ?i] [?u :u/t ?w] [?w :t/id ?t]]",
            "[:find ?a ?b ?v :where [?k :k/a ?a] [?k :k/b ?b] [?k :k/v ?v]]",
            "[:find ?i ?n ?v :where [?k :kk/u ?u] [?u :u/id ?i] [?k :kk/n ?n] [?k :kk/v ?v]]",
            "[:find ?r ?a ?b :where [?e :nokey/%row ?r] [?e :nokey/a ?a] [?e :nokey/b ?b]]",
            "[:find ?r :where [?e :nokey/%row ?r]]",
            "[:find ?x ?y :where [?e :w/x1 ?x] [?e :w/y1 ?y]]",
            "[:find ?s (count ?h) :where [?h :addr/street ?s]]",
        ]
        .iter()
        .map(|query| {
            let query = datomite::Query::parse(query).expect("a query");
            let rows = datomite::q(&query, &[datomite::Input::Db(db.clone())]).expect("rows");
            let mut rows: Vec<String> = match rows.into_edn() {
                Edn::Set(rows) => rows.iter().map(ToString::to_string).collect(),
                other => vec![other.to_string()],
            };
            rows.sort();
            rows.join(" ")
        })
        .collect()
    };
    assert_eq!(rows(&connection.db()), rows(&fresh.db()));
}

#[test]
fn the_same_dump_again_leaves_one_transaction_and_no_facts() {
    let (connection, _) = both();
    let before = connection.db();
    let report = read(&connection, TUESDAY, DAY_2).expect("tuesday again");
    let facts = (report.datoms(), report.retracted(), report.schema_datoms);
    assert_eq!((facts, report.transactions), ((0, 0, 0), 1));
    // It says that the dump was read, a millisecond after the one before.
    let after = connection.db();
    assert!(after.basis_t() > before.basis_t());
    assert_eq!(
        Some(report.instant),
        Instant::parse("2024-01-02T00:00:00.001Z")
    );
}

#[test]
fn the_last_transaction_of_each_dump_carries_its_instant() {
    let (connection, report) = both();
    assert_eq!(Some(report.instant), Instant::parse(DAY_2));
    let db = connection.db();
    let name = "[:find ?n . :where [?u :u/id 1] [?u :u/name ?n]]";
    let of = |at: &str| {
        let at = Instant::parse(at).expect("an instant");
        scalar(&db.as_of(at).expect("a view"), name)
    };
    assert_eq!(of(DAY_1), "\"ann\"");
    assert_eq!(of("2024-01-01T12:00:00Z"), "\"ann\"");
    assert_eq!(of(DAY_2), "\"anne\"");
    // A dump older than the store: everything moves up together.
    let late = read(&connection, MONDAY, DAY_1).expect("monday again");
    assert!(late.instant > report.instant);
}

#[test]
fn rows_outside_the_dump_are_found_in_the_store() {
    let cut = |text: &str, from: &str, to: &str| {
        let (from, to) = (text.find(from).expect("from"), text.find(to).expect("to"));
        format!("{}{}", &text[..from], &text[to..])
    };
    let connection = datomite::mem();
    read(&connection, MONDAY, DAY_1).expect("monday");
    // --exclude-table-data=u: keys, references and the bridge lead to rows of the store.
    let part = cut(MONDAY, "COPY u ", "COPY k ");
    let report = read(&connection, &part, DAY_2).expect("a part");
    assert_eq!((report.datoms(), report.retracted()), (0, 0));
    // --schema-only: nothing is gone.
    let ddl = cut(MONDAY, "COPY u ", "ALTER TABLE");
    let report = read(&connection, &ddl, DAY_2).expect("the schema");
    assert_eq!((report.datoms(), report.retracted()), (0, 0));
}

#[test]
fn another_key_is_an_error_and_not_every_row_twice() {
    let connection = datomite::mem();
    let table = "CREATE TABLE a (id int NOT NULL, n int NOT NULL, KEY);\n\
                 COPY a (id, n) FROM stdin;\n1\t2\n\\.\n";
    read(
        &connection,
        &table.replace("KEY", "PRIMARY KEY (id)"),
        DAY_1,
    )
    .expect("the first");
    let before = connection.db().basis_t();
    let other = table.replace("KEY", "PRIMARY KEY (id, n)");
    let error = read(&connection, &other, DAY_2).expect_err("another key");
    assert!(
        error.to_string().contains("table a: its key has changed"),
        "{error}"
    );
    assert_eq!(connection.db().basis_t(), before);
    // What began without a key goes on without one.
    let connection = datomite::mem();
    read(&connection, &table.replace(", KEY", ""), DAY_1).expect("the first");
    let keyed = table.replace("KEY", "PRIMARY KEY (id)");
    let report = read(&connection, &keyed, DAY_2).expect("the second");
    assert_eq!((report.datoms(), report.retracted()), (0, 0));
}
