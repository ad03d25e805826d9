//! `datomite q pull entity datoms schema stats functions`.

use std::fs;

use crate::kit::{imported, lines_with, run, run_with, sample};

#[test]
fn a_query_comes_as_a_word_a_file_or_standard_input() {
    let folder = imported();
    let query = "[:find ?m . :in $ ?id :where [?u :users/id ?id] [?u :users/email ?m]]";
    let expected = "\"reader7@example.org\"\n";
    assert_eq!(run(folder.path(), &["q", "q", query, "7"]).ok(), expected);
    fs::write(folder.path().join("query.edn"), query).expect("a file");
    assert_eq!(
        run(folder.path(), &["q", "q", "-f", "query.edn", "7"]).ok(),
        expected
    );
    assert_eq!(
        run_with(folder.path(), &["q", "q", "-", "7"], query).ok(),
        expected
    );
}

#[test]
fn the_four_formats() {
    let folder = imported();
    let query = "[:find ?o ?amount ?label :where [?o :orders/id 2] [?o :orders/amount ?amount] \
                 [?o :orders/state ?s] [?s :db/ident ?label]]";
    let ask = |format: &[&str]| run(folder.path(), &[&["q", "q", query][..], format].concat()).ok();
    let edn = ask(&[]);
    let id: String = edn.chars().filter(char::is_ascii_digit).take(14).collect();
    assert_eq!(edn, format!("#{{[{id} 4.90M :order-state/failed]}}\n"));
    assert_eq!(
        ask(&["--format", "json"]),
        format!("[[{id},\"4.90\",\"order-state/failed\"]]\n")
    );
    let csv = format!("?o,?amount,?label\n{id},4.90,:order-state/failed\n");
    assert_eq!(ask(&["--format", "csv"]), csv);
    let table = ask(&["--format", "table"]);
    assert!(
        table.contains(" [:orders/id 2]     4.90  :order-state/failed\n1 row\n"),
        "{table}"
    );
    let raw = ask(&["--format", "table", "--raw"]);
    assert!(raw.contains(&id) && raw.contains("4.90M"), "{raw}");
}

#[test]
fn rows_can_be_limited() {
    let folder = imported();
    let query = "[:find ?id :where [_ :users/id ?id] :order-by [?id]]";
    let done = run(folder.path(), &["q", "q", query, "--limit", "2"]);
    assert_eq!(done.ok(), "[[1]\n [2]]\n");
}

#[test]
fn the_plan_goes_to_standard_error() {
    let folder = imported();
    let query = "[:find (count ?p) . :where [?p :posts/feed ?f] [?f :feeds/id 3]]";
    let done = run(folder.path(), &["q", "q", query, "--explain"]);
    assert_eq!(
        lines_with(&done.err, ":feeds/id 3").len(),
        1,
        "{}",
        done.err
    );
    assert!(done.ok().trim_end().parse::<u64>().is_ok());
}

#[test]
fn an_error_marks_the_place_and_names_the_nearest() {
    let folder = imported();
    let error = run(
        folder.path(),
        &["q", "q", "[:find ?p :where [?p :posts/titel]]"],
    )
    .fails(1);
    assert!(error.contains("did you mean :posts/title?"), "{error}");
    assert!(error.contains("input:1:22"), "{error}");
    assert!(
        error.contains(
            "| [:find ?p :where [?p :posts/titel]]\n  |                      ^^^^^^^^^^^^\n"
        ),
        "{error}"
    );
    for (query, place) in [
        ("[:find ?z :where [?p :posts/title]]", "input:1:8"),
        (
            "[:find ?p :where [?p :posts/title ?t] [(foo ?t)]]",
            "input:1:41",
        ),
        (
            "[:find (summ ?t) . :where [?p :posts/title ?t]]",
            "input:1:9",
        ),
        ("[:find ?p :where [?p :posts/title", "input:1:34"),
    ] {
        let error = run(folder.path(), &["q", "q", query]).fails(1);
        assert!(error.contains(place), "{query}: {error}");
    }
}

#[test]
fn a_query_that_takes_too_long_or_too_much_is_stopped() {
    let folder = imported();
    let mut query =
        "[:find (count ?a) . :where [?a :posts/id ?x] [?b :posts/id ?y] [(* ?x ?y) ?c0]".to_owned();
    for at in 0..20 {
        query.push_str(&format!(" [(+ ?c{at} 1) ?c{}]", at + 1));
    }
    let error = run(
        folder.path(),
        &["q", "q", &(query + "]"), "--timeout", "0.2"],
    )
    .fails(1);
    assert!(error.contains("limit of 200 ms"), "{error}");
    let clauses = ["?a", "?b", "?c", "?d"]
        .map(|v| format!("[{v} :posts/id]"))
        .concat();
    let query = format!("[:find (count ?a) . :where {clauses} [(< ?a ?b ?c ?d)]]");
    let error = run(folder.path(), &["q", "q", &query]).fails(1);
    assert!(
        error.contains("rows") && error.contains("share no variable"),
        "{error}"
    );
}

#[test]
fn a_dump_is_no_database() {
    let folder = imported();
    let dump = sample("queryfeed.sql");
    let error = run(
        folder.path(),
        &["q", &dump, "[:find ?e :where [?e :users/id]]"],
    )
    .fails(1);
    assert!(
        error.contains("not a database") && error.contains("datomite import"),
        "{error}"
    );
    run(
        folder.path(),
        &["q", "none", "[:find ?e :where [?e :users/id]]"],
    )
    .fails(1);
    run(folder.path(), &["q", "q"]).fails(2);
}

#[test]
fn pull_gives_a_map_or_a_vector_of_maps() {
    let folder = imported();
    let pattern = "[:users/email {:feeds/_owner [:feeds/id]}]";
    let one = run(folder.path(), &["pull", "q", pattern, "[:users/id 8]"]).ok();
    assert_eq!(
        one,
        "{:users/email \"reader8@example.org\", :feeds/_owner [{:feeds/id 50}]}\n"
    );
    let two = [
        "pull",
        "q",
        "[:users/id]",
        "[:users/id 8]",
        "[:users/id 9]",
        "--format",
        "json",
    ];
    assert_eq!(
        run(folder.path(), &two).ok(),
        "[{\"users/id\":8},{\"users/id\":9}]\n"
    );
    let error = run(
        folder.path(),
        &["pull", "q", "[:users/email", "[:users/id 8]"],
    )
    .fails(1);
    assert!(error.contains("expected ]"), "{error}");
}

#[test]
fn an_entity_shows_references_by_name_in_a_table() {
    let folder = imported();
    let table = run(
        folder.path(),
        &["entity", "q", "[:orders/id 2]", "--format", "table"],
    )
    .ok();
    assert!(table.starts_with("{:db/id [:orders/id 2]\n"), "{table}");
    assert!(
        table.contains("\n :orders/state :order-state/failed"),
        "{table}"
    );
    assert!(table.contains("\n :orders/amount 4.90\n"), "{table}");
    let error = run(folder.path(), &["entity", "q", "[:orders/id 99999]"]).fails(1);
    assert!(error.contains("no entity [:orders/id 99999]"), "{error}");
}

#[test]
fn datoms_of_an_index() {
    let folder = imported();
    let args = [
        "datoms",
        "q",
        "eavt",
        "[:users/id 7]",
        "--limit",
        "2",
        "--format",
        "csv",
    ];
    let csv = run(folder.path(), &args).ok();
    assert!(csv.starts_with("e,a,v,tx,added\n"), "{csv}");
    assert_eq!(csv.lines().count(), 3, "{csv}");
    assert!(
        csv.contains(",:users/id,7,") && csv.ends_with(",true\n"),
        "{csv}"
    );
    let found = run(folder.path(), &["datoms", "q", "avet", ":users/id", "7"]).ok();
    assert_eq!(found.matches(":users/id 7").count(), 1, "{found}");
    let error = run(folder.path(), &["datoms", "q", "eatv"]).fails(2);
    assert!(error.contains("eavt, aevt, avet or vaet"), "{error}");
}

#[test]
fn schema_of_a_namespace() {
    let folder = imported();
    let rows = run(folder.path(), &["schema", "q", "users"]).ok();
    assert!(
        rows.contains("[:users/email :string :one \"unique\" 400]"),
        "{rows}"
    );
    assert!(
        rows.contains("[:users/id :long :one \"identity\" 400]"),
        "{rows}"
    );
    assert!(!rows.contains(":posts/"), "{rows}");
    run(folder.path(), &["schema", "q", "nope"]).fails(1);
}

#[test]
fn stats_count_datoms_and_bytes() {
    let folder = imported();
    let rows = run(folder.path(), &["stats", "q", "--format", "csv"]).ok();
    assert_eq!(lines_with(&rows, ":users/id,400").len(), 1, "{rows}");
    let indexes = run(
        folder.path(),
        &["stats", "q", "--indexes", "--format", "table"],
    )
    .ok();
    for word in ["eavt", "aevt", "avet", "vaet", "leaves", "bytes a datom"] {
        assert!(indexes.contains(word), "{word}: {indexes}");
    }
}

#[test]
fn functions_are_documented() {
    let folder = imported();
    let all = run(folder.path(), &["functions", "--format", "csv"]).ok();
    assert!(all.lines().count() > 60, "{all}");
    // Of that name in any namespace; a part of a name where no function has it whole.
    let sums = run(folder.path(), &["functions", "sum"]).ok();
    assert!(sums.starts_with("[[Double/sum :function "), "{sums}");
    assert!(
        sums.contains("[sum :aggregate \"(sum ?x)\" \"the sum\"]"),
        "{sums}"
    );
    let part = run(folder.path(), &["functions", "starts-w"]).ok();
    assert!(part.starts_with("[[clojure.string/starts-with? "), "{part}");
    run(folder.path(), &["functions", "nope"]).fails(1);
    for later in ["export", "backup", "gc"] {
        run(folder.path(), &[later, "q"]).fails(2);
    }
}
