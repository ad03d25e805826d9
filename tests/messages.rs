//! Messages of refused transactions: each code is provoked, and what Datomic's recorded messages
//! name ours name, too.

use std::collections::BTreeMap;
use std::path::Path;

use datomite::{
    Category, Connection, Db, Edn, FunctionError, Index, Keyword, Options, TxError, Value, mem,
    open_with,
};
use datomite_tests::conformance::{Refusal, refusals};

/// The part of the recorded messages whose names must all be in ours, in hundredths. The others:
/// `{:db/id n}` of a definition (ours shows what was written), references that are values by
/// label, old names of an attribute, and facts deep in a map that is too long to be shown.
const SHARE_MIN: usize = 98;

/// What must be there to provoke every error.
const BEFORE: [&str; 3] = [
    r#"[{:db/ident :item/key :db/valueType :db.type/string :db/cardinality :db.cardinality/one
         :db/unique :db.unique/identity}
        {:db/ident :item/code :db/valueType :db.type/long :db/cardinality :db.cardinality/one
         :db/unique :db.unique/value}
        {:db/ident :item/n :db/valueType :db.type/long :db/cardinality :db.cardinality/one}
        {:db/ident :item/m :db/valueType :db.type/long :db/cardinality :db.cardinality/one}
        {:db/ident :item/tags :db/valueType :db.type/string :db/cardinality :db.cardinality/many}
        {:db/ident :item/next :db/valueType :db.type/ref :db/cardinality :db.cardinality/one}
        {:db/ident :item/kind :db/valueType :db.type/keyword :db/cardinality :db.cardinality/one}
        {:db/ident :item/spot :db/valueType :db.type/tuple :db/cardinality :db.cardinality/one
         :db/tupleTypes [:db.type/long :db.type/string]}
        {:db/ident :item/even :db/valueType :db.type/long :db/cardinality :db.cardinality/one
         :db.attr/preds [even?]}
        {:db/ident :spec/keyed :db.entity/attrs [:item/key]}
        {:db/ident :spec/never :db.entity/preds [check/never]}
        {:db/ident :kind/nut}]"#,
    r#"[{:db/ident :item/n+m :db/valueType :db.type/tuple :db/cardinality :db.cardinality/one
         :db/tupleAttrs [:item/n :item/m]}
        {:db/ident :item/old :db/valueType :db.type/long :db/cardinality :db.cardinality/one}]"#,
    r#"[{:item/key "A" :item/n 7 :item/code 70 :item/tags ["x" "y"]} {:item/key "B" :item/n 8}]"#,
];

/// Transactions that are refused: code, category, and what the message names.
const REFUSED: &[(&str, Category, &str, &[&str])] = &[
    ("not-transaction-data", Category::Incorrect, "[17]", &["17"]),
    (
        "nil-value",
        Category::Incorrect,
        "[[:db/add [:item/key \"A\"] :item/n nil]]",
        &[":item/n", "[:item/key \"A\"]"],
    ),
    (
        "not-an-entity",
        Category::Incorrect,
        "[{:item/keyy 1}]",
        &[":item/keyy", "nearest: :item/key", "{:item/keyy 1}"],
    ),
    (
        "not-an-entity",
        Category::Incorrect,
        "[[:db/add [:item/key \"Z\"] :item/n 1]]",
        &["[:item/key \"Z\"]", ":item/n"],
    ),
    (
        "not-an-attribute",
        Category::Incorrect,
        "[[:db/add \"p\" :kind/nut 1]]",
        &[":kind/nut", "[:db/add \"p\" :kind/nut 1]"],
    ),
    (
        "not-a-keyword",
        Category::Incorrect,
        "[{:item/kind \"nut\"}]",
        &["\"nut\"", ":item/kind"],
    ),
    (
        "not-a-keyword",
        Category::Incorrect,
        "[[:db/retractEntity \"p\"]]",
        &["\"p\"", ":db/retractEntity"],
    ),
    (
        "invalid-lookup-ref",
        Category::Incorrect,
        "[[:db/add [:item/key] :item/n 1]]",
        &["[:item/key]", ":item/n"],
    ),
    (
        "lookup-ref-attr-not-unique",
        Category::Incorrect,
        "[[:db/add [:item/n 1] :item/n 1]]",
        &[":item/n", "[:db/add [:item/n 1] :item/n 1]"],
    ),
    (
        "map-key-collision",
        Category::Incorrect,
        "[{:item/n 1 \":item/n\" 2}]",
        &[":item/n"],
    ),
    (
        "wrong-type-for-attribute",
        Category::Incorrect,
        "[[:db/add \"p\" :item/n \"seven\"]]",
        &["\"seven\"", ":item/n", ":db.type/long", "[:db/add \"p\""],
    ),
    (
        "wrong-type-for-attribute",
        Category::Incorrect,
        "[{:db/ident :fn/twice :db/fn #db/fn {:lang :clojure :params [x] :code \"(* 2 x)\"}}]",
        &[":fn/twice", "conn.register(\"fn/twice\""],
    ),
    (
        "invalid-tuple-value",
        Category::Incorrect,
        "[{:item/spot [1]}]",
        &[":item/spot", "[1]"],
    ),
    (
        "invalid-nested-entity",
        Category::Incorrect,
        "[{:item/next {:item/n 5}}]",
        &[":item/next", "{:item/n 5}"],
    ),
    (
        "tempid-not-an-entity",
        Category::Incorrect,
        "[{:item/next \"lost\"}]",
        &["\"lost\"", ":item/next"],
    ),
    (
        "invalid-entity-id",
        Category::Incorrect,
        "[[:db/add 123456789 :item/n 1]]",
        &["123456789", "[:db/add 123456789"],
    ),
    (
        "not-a-db-id",
        Category::Incorrect,
        "[{:db/id #db/id[:part/none] :item/n 1}]",
        &[":part/none"],
    ),
    (
        "not-a-partition",
        Category::Incorrect,
        "[{:db/id #db/id[:item/n] :item/n 1}]",
        &[":item/n"],
    ),
    (
        "not-a-data-function",
        Category::Incorrect,
        "[[:item/fun 1]]",
        &[":item/fun", "register", "[:item/fun 1]"],
    ),
    (
        "invalid-cas",
        Category::Incorrect,
        "[[:db/cas [:item/key \"A\"] :item/n 7 nil]]",
        &[":item/n", "[:item/key \"A\"]"],
    ),
    (
        "invalid-cas-many",
        Category::Incorrect,
        "[[:db/cas [:item/key \"A\"] :item/tags \"x\" \"z\"]]",
        &[":item/tags", "[:item/key \"A\"]"],
    ),
    (
        "cas-failed",
        Category::Conflict,
        "[[:db/cas [:item/key \"A\"] :item/n 6 9]]",
        &["[:item/key \"A\"]", ":item/n", " 7", " 6"],
    ),
    (
        "datoms-conflict",
        Category::Incorrect,
        "[[:db/add [:item/key \"A\"] :item/n 1] {:db/id [:item/key \"A\"] :item/n 2}]",
        &["[:item/key \"A\"]", ":item/n", "[:db/add", "{:db/id"],
    ),
    (
        "datoms-conflict",
        Category::Incorrect,
        "[{:db/id \"p\" :item/code 5 :item/n 1} {:db/id \"q\" :item/code 5}]",
        &["\"p\"", "\"q\"", ":item/code 5"],
    ),
    (
        "unique-conflict",
        Category::Conflict,
        "[{:db/id \"p\" :item/code 70}]",
        &[
            "[:item/key \"A\"]",
            "\"p\"",
            ":item/code 70",
            "{:db/id \"p\"",
        ],
    ),
    (
        "past-tx-instant",
        Category::Incorrect,
        "[[:db/add \"datomic.tx\" :db/txInstant #inst \"1980-01-01\"]]",
        &["1980"],
    ),
    (
        "future-tx-instant",
        Category::Incorrect,
        "[[:db/add \"datomic.tx\" :db/txInstant #inst \"2999-01-01\"]]",
        &["2999"],
    ),
    (
        "reset-tx-instant",
        Category::Incorrect,
        "[[:db/add 13194139534312 :db/txInstant #inst \"2020-01-01\"]]",
        &["13194139534312"],
    ),
    (
        "invalid-install-attribute",
        Category::Incorrect,
        "[{:db/ident :half/one :db/valueType :db.type/long}]",
        &[":half/one", ":db/cardinality", "{:db/ident :half/one"],
    ),
    (
        "attribute-ident-missing",
        Category::Incorrect,
        "[{:db/valueType :db.type/long :db/cardinality :db.cardinality/one}]",
        &[":db/ident", "{:db/valueType"],
    ),
    (
        "schema-without-install",
        Category::Incorrect,
        "[{:db/id #db/id[:db.part/db] :item/n 1}]",
        &[":db/ident", ":item/n 1"],
    ),
    (
        "invalid-alter-attribute",
        Category::Incorrect,
        "[{:db/id :item/n :db/valueType :db.type/string}]",
        &[":item/n", ":db/valueType", ":db.type/long"],
    ),
    (
        "invalid-alter-attribute",
        Category::Incorrect,
        "[{:db/id :item/tags :db/cardinality :db.cardinality/one}]",
        &[":item/tags", "[:item/key \"A\"]", "2 values"],
    ),
    (
        "datom-cannot-be-altered",
        Category::Incorrect,
        "[{:db/id :db/ident :db/doc \"mine\"}]",
        &[":db/ident", ":db/doc", "mine"],
    ),
    (
        "not-in-system-partition",
        Category::Incorrect,
        "[[:db/add :db.part/db :db.install/partition :kind/nut]]",
        &[":kind/nut", ":db.install/partition"],
    ),
    (
        "invalid-datom",
        Category::Incorrect,
        "[[:db/add :kind/nut :db.install/partition :item/n]]",
        &[":kind/nut", ":db.install/partition", ":db.part/db"],
    ),
    (
        "invalid-element-change",
        Category::Incorrect,
        "[[:db/add :db.part/db :db.install/partition :item/n]]",
        &[":item/n", "attribute", "partition"],
    ),
    (
        "invalid-value-type",
        Category::Incorrect,
        "[[:db/add :db.part/db :db.install/valueType :item/n]]",
        &[":item/n", ":fressian/tag"],
    ),
    (
        "invalid-data-function",
        Category::Incorrect,
        "[[:db/add :db.part/db :db.install/function :kind/nut]]",
        &[":kind/nut", "register"],
    ),
    (
        "not-a-value-type",
        Category::Incorrect,
        "[{:db/ident :half/two :db/valueType :kind/nut :db/cardinality :db.cardinality/one}]",
        &[":kind/nut", ":half/two"],
    ),
    (
        "not-a-cardinality",
        Category::Incorrect,
        "[{:db/ident :half/two :db/valueType :db.type/long :db/cardinality :kind/nut}]",
        &[":kind/nut", ":half/two"],
    ),
    (
        "invalid-force-partition-map",
        Category::Incorrect,
        "[{:db/force-partition 3}]",
        &[":db/force-partition", "3"],
    ),
    (
        "invalid-match-partition-map",
        Category::Incorrect,
        "[{:db/match-partition 3}]",
        &[":db/match-partition", "3"],
    ),
    (
        "cycle-in-affinity",
        Category::Incorrect,
        "[{:db/match-partition {\"p\" \"q\" \"q\" \"p\"}} {:db/id \"p\" :item/n 1}]",
        &["\"p\""],
    ),
    (
        "attr-pred",
        Category::Incorrect,
        "[{:db/id [:item/key \"A\"] :item/even 3}]",
        &[":item/even 3", "[:item/key \"A\"]", "even?", "{:db/id"],
    ),
    (
        "entity-attr",
        Category::Incorrect,
        "[{:db/id \"p\" :item/n 1 :db/ensure :spec/keyed}]",
        &["\"p\"", ":item/key", ":spec/keyed", "{:db/id"],
    ),
    (
        "entity-pred",
        Category::Incorrect,
        "[{:db/id [:item/key \"A\"] :item/n 1 :db/ensure :spec/never}]",
        &["[:item/key \"A\"]", "check/never", ":spec/never"],
    ),
    (
        "",
        Category::NotFound,
        "[[check/nver 1]]",
        &["check/nver", "check/never", "[check/nver 1]"],
    ),
    (
        "",
        Category::Incorrect,
        "[[:db/add \"p\" :item/n]]",
        &["[:db/add \"p\" :item/n]"],
    ),
    (
        "",
        Category::Fault,
        "[[check/fails 1]]",
        &["check/fails", "[check/fails 1]", "broken"],
    ),
    (
        "",
        Category::Conflict,
        "[[check/cancels 1]]",
        &["check/cancels", "not now"],
    ),
];

fn prepare(conn: &Connection) {
    conn.register(
        "check/never",
        |_: &Db, _: datomite::EntityId| -> Result<Edn, FunctionError> { Ok(Edn::from(false)) },
    );
    conn.register(
        "check/fails",
        |_: &Db, _: &[Edn]| -> Result<Edn, FunctionError> { Err(FunctionError::new("broken")) },
    );
    conn.register(
        "check/cancels",
        |_: &Db, _: &[Edn]| -> Result<Edn, FunctionError> {
            Err(FunctionError::cancel(Category::Conflict, "not now"))
        },
    );
    for tx_data in BEFORE {
        conn.transact(tx_data)
            .unwrap_or_else(|error| panic!("{tx_data}: {error}"));
    }
}

#[test]
fn every_error_has_its_code_and_names_what_it_is_about() {
    let conn = mem();
    prepare(&conn);
    for (code, category, tx_data, named) in REFUSED {
        let error = match conn.transact(*tx_data) {
            Ok(report) => panic!("{tx_data} is accepted: {:?}", report.tx_data),
            Err(error) => error,
        };
        let message = error.to_string();
        let expected = (!code.is_empty()).then(|| Keyword::new(Some("db.error"), code));
        assert_eq!(error.code(), expected, "{tx_data}: {message}");
        assert_eq!(error.category(), *category, "{tx_data}: {message}");
        for name in *named {
            assert!(
                message.contains(name),
                "{tx_data}: {name} is not in: {message}"
            );
        }
    }
}

/// All that a transaction could have left.
fn state(conn: &Connection) -> (u64, u64, Vec<String>, Vec<String>, Vec<String>) {
    let db = conn.db();
    let mut idents: Vec<String> = db
        .schema()
        .idents()
        .map(|(k, e)| format!("{k} {e}"))
        .collect();
    idents.sort();
    let mut attributes: Vec<String> = db
        .schema()
        .attributes()
        .map(|attribute| format!("{attribute:?}"))
        .collect();
    attributes.sort();
    let datoms = db.history().datoms(Index::Eavt, &[]).expect("all datoms");
    let datoms = datoms
        .map(|datom| datom.expect("a datom").to_string())
        .collect();
    (
        db.basis_t().raw(),
        db.next_t().raw(),
        idents,
        attributes,
        datoms,
    )
}

fn leaves_nothing(conn: &Connection) {
    prepare(conn);
    let fresh = r#"[{:db/id "e" :item/key "fresh"} {:db/id "a" :db/ident :item/later
        :db/valueType :db.type/long :db/cardinality :db.cardinality/one}]"#;
    let expected = conn.with(fresh).expect("accepted").tempids;
    let before = state(conn);
    let functions = conn.functions().names();
    for (_, _, tx_data, _) in REFUSED {
        let error: Result<_, TxError> = conn.transact(*tx_data);
        assert!(error.is_err(), "{tx_data}");
        assert!(state(conn) == before, "{tx_data} left something");
        assert_eq!(conn.functions().names(), functions, "{tx_data}");
        let next = conn.with(fresh).expect("accepted").tempids;
        assert_eq!(next, expected, "{tx_data}: other ids are next");
    }
    let after = conn.transact(fresh).expect("accepted");
    assert_eq!(after.tempids, expected);
}

#[test]
fn a_refused_transaction_leaves_nothing() {
    leaves_nothing(&mem());
    let place = tempfile::tempdir().expect("a folder");
    let uri = place.path().to_str().expect("a path of plain text");
    let conn = open_with(uri, Options::new()).expect("a store");
    leaves_nothing(&conn);
    let before = state(&conn);
    drop(conn);
    let again = open_with(uri, Options::new()).expect("the store opens again");
    assert!(state(&again) == before, "the log holds something else");
}

#[test]
fn recorded_messages_name_what_ours_name() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/cases");
    let mut all = 0;
    let mut lacking: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in std::fs::read_dir(cases).expect("the cases can be listed") {
        let file = entry.expect("an entry").path();
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let about_tx = ["tx-", "schema-", "random-tx"];
        if !about_tx.iter().any(|part| name.starts_with(part)) {
            continue;
        }
        for refusal in refusals(&file) {
            all += 1;
            let missing = missing(&refusal);
            if !missing.is_empty() {
                let Refusal {
                    step,
                    recorded,
                    told,
                    ..
                } = refusal;
                let line = format!("{step}\n    {recorded}\n    {told}\n    lacks {missing:?}");
                let code = recorded.split(' ').next().unwrap_or_default().to_owned();
                lacking.entry(code).or_default().push(line);
            }
        }
    }
    let count: usize = lacking.values().map(Vec::len).sum();
    for (code, lines) in &lacking {
        println!("{code}: {}", lines.len());
        lines.iter().take(4).for_each(|line| println!("  {line}"));
    }
    println!(
        "{} of {all} messages name all that the recorded ones name",
        all - count
    );
    assert!(all > 1000 && (all - count) * 100 >= all * SHARE_MIN);
}

/// Keywords, numbers and texts of the recorded message that were written in the transaction and
/// that ours does not hold.
fn missing(refusal: &Refusal) -> Vec<String> {
    let mut written = Vec::new();
    atoms(&refusal.tx_data, &mut written);
    let told = &refusal.told;
    let named = written
        .into_iter()
        .filter(|atom| names(&refusal.recorded, atom));
    named.filter(|atom| !names(told, atom)).collect()
}

/// Whether a text holds a name that no other name goes on from or into.
fn names(text: &str, atom: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || "/-_.+*!?".contains(c);
    text.match_indices(atom).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + atom.len()..].chars().next();
        !before.is_some_and(|c| goes_on(c) || c == ':') && !after.is_some_and(goes_on)
    })
}

/// The idents, numbers and texts of a form, as they are printed inside others.
fn atoms(form: &Edn, found: &mut Vec<String>) {
    match form {
        Edn::Value(Value::String(text)) if text.len() > 1 => found.push(text.to_string()),
        Edn::Value(Value::Long(n)) if *n > 9 => found.push(n.to_string()),
        Edn::Value(Value::Keyword(name)) if name.namespace().is_some() => {
            found.push(name.to_string());
        }
        Edn::Value(Value::Symbol(name)) => found.push(name.to_string()),
        Edn::List(items) | Edn::Vector(items) | Edn::Set(items) => {
            items.iter().for_each(|item| atoms(item, found));
        }
        Edn::Map(entries) => {
            for (key, value) in entries {
                atoms(key, found);
                atoms(value, found);
            }
        }
        // A label is a name of the recorder's.
        Edn::Tagged(tag, inner) if tag.as_str() != "id" => atoms(inner, found),
        _ => {}
    }
}
