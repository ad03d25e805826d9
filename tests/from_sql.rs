//! `docs/from-sql.md`, both sides: the SQL on a Postgres that loaded the dump, the Datalog on our
//! import of it.

use std::path::{Path, PathBuf};

use datomite::{Db, Edn, Input, Query, Value};
use datomite_import::{Import, Mapping};
use datomite_tests::pgtext;
use datomite_tests::postgres::{Cluster, TextRows, text_rows};

/// How many pairs the page promises at least.
const PAIRS_MIN: usize = 25;

struct Pair {
    title: String,
    sql: String,
    datalog: String,
    rules: Option<String>,
}

#[test]
fn every_pair_answers_the_same() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("docs/from-sql.md")).expect("the page");
    let pairs = pairs(&page);
    assert!(pairs.len() >= PAIRS_MIN, "only {} pairs", pairs.len());
    let dump: PathBuf = root.join("data/queryfeed.sql");
    let cluster = Cluster::start();
    cluster.load("feed", &dump);
    let mut client = cluster.client("feed");
    let conn = datomite::mem();
    conn.import(&dump, &Mapping::default()).expect("the import");
    let db = conn.db();
    for pair in &pairs {
        let mut expected = text_rows(&mut client, &pair.sql);
        let mut answered = ours(&db, pair);
        assert!(!expected.is_empty(), "{}: SQL answers nothing", pair.title);
        if !pair.sql.contains("ORDER BY") {
            expected.sort();
            answered.sort();
        }
        assert_eq!(
            expected, answered,
            "{}\n{}\n{}",
            pair.title, pair.sql, pair.datalog
        );
    }
}

fn ours(db: &Db, pair: &Pair) -> TextRows {
    let query = Query::parse(&pair.datalog).unwrap_or_else(|e| panic!("{}: {e}", pair.title));
    let mut inputs = vec![Input::Db(db.clone())];
    let rules = pair
        .rules
        .as_ref()
        .map(|text| datomite::read(text).expect("rules"));
    inputs.extend(rules.map(Input::Edn));
    let result = datomite::q(&query, &inputs).unwrap_or_else(|e| panic!("{}: {e}", pair.title));
    match result.into_edn() {
        Edn::Vector(rows) | Edn::List(rows) | Edn::Set(rows) => rows.iter().map(row).collect(),
        scalar => vec![vec![cell(&scalar)]],
    }
}

fn row(form: &Edn) -> Vec<Option<String>> {
    form.as_sequence()
        .expect("a row")
        .iter()
        .map(cell)
        .collect()
}

fn cell(form: &Edn) -> Option<String> {
    match form {
        Edn::Nil => None,
        Edn::Value(Value::Keyword(keyword)) => Some(keyword.name().to_owned()),
        Edn::Value(value) => Some(pgtext::render(value, "timestamp with time zone")),
        other => panic!("no SQL value: {other}"),
    }
}

fn pairs(page: &str) -> Vec<Pair> {
    let sections = page.split("\n## ").skip(1);
    sections.map(pair).collect()
}

fn pair(section: &str) -> Pair {
    let title = section.lines().next().unwrap_or_default().to_owned();
    let mut clojure = blocks(section, "clojure").into_iter();
    let sql = blocks(section, "sql").into_iter().next();
    Pair {
        sql: sql.unwrap_or_else(|| panic!("{title}: no SQL")),
        datalog: clojure
            .next()
            .unwrap_or_else(|| panic!("{title}: no Datalog")),
        rules: clojure.next(),
        title,
    }
}

fn blocks(section: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let parts = section.split(fence.as_str()).skip(1);
    parts
        .filter_map(|rest| rest.split("```").next())
        .map(str::to_owned)
        .collect()
}
