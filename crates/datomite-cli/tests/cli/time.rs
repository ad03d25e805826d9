//! `--as-of --since --history`, `datomite log history diff`.

use crate::kit::{folder, lines_with, run, sample, shared_dump, two_days};

#[test]
fn a_value_yesterday_and_today() {
    let folder = two_days();
    let query = "[:find ?t . :where [?f :feeds/id 3] [?f :feeds/title ?t]]";
    let ask = |view: &[&str]| run(folder.path(), &[&["q", "q", query][..], view].concat()).ok();
    assert_eq!(ask(&[]), "\"Evening letters, again\"\n");
    assert_eq!(ask(&["--as-of", "2026-11-21"]), "\"Morning signals 3\"\n");
    assert_eq!(
        ask(&["--as-of", "2026-11-22T05:00:00Z"]),
        "\"Morning signals 3\"\n"
    );
    assert_eq!(
        ask(&["--as-of", "2026-11-22"]),
        "\"Evening letters, again\"\n"
    );
    let both = "[:find [?t ...] :where [?f :feeds/id 3] [?f :feeds/title ?t]]";
    let history = run(folder.path(), &["q", "q", both, "--history"]).ok();
    assert!(
        history.contains("Morning") && history.contains("Evening"),
        "{history}"
    );
    let new = "[:find [?id ...] :where [_ :users/id ?id]]";
    assert_eq!(
        run(folder.path(), &["q", "q", new, "--since", "2026-11-21"]).ok(),
        "[401]\n"
    );
    run(folder.path(), &["q", "q", new, "--as-of", "yesterday"]).fails(2);
}

#[test]
fn a_diff_is_by_row_old_and_new() {
    let folder = two_days();
    let args = ["diff", "q", "2026-11-21", "2026-11-22", "--format", "table"];
    let table = run(folder.path(), &args).ok();
    let words = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let title = lines_with(&table, ":feeds/title");
    assert_eq!(title.len(), 1, "{table}");
    let expected = "[:feeds/id 3] :feeds/title Morning signals 3 Evening letters, again";
    assert_eq!(words(title[0]), expected);
    // What is gone goes by the key it had.
    let gone = lines_with(&table, "[:subscriptions/id 9]");
    assert_eq!(gone.len(), 5, "{table}");
    let back = run(folder.path(), &["diff", "q", "2026-11-22", "2026-11-21"]).ok();
    assert!(
        back.contains(":feeds/title \"Evening letters, again\" \"Morning signals 3\""),
        "{back}"
    );
    assert_eq!(
        run(folder.path(), &["diff", "q", "2026-11-22", "2026-11-23"]).ok(),
        "[]\n"
    );
}

#[test]
fn the_log_is_by_transaction() {
    let folder = two_days();
    let log = run(folder.path(), &["log", "q", "--format", "csv"]).ok();
    assert_eq!(lines_with(&log, "2026-11-21T06:00:00").len(), 1, "{log}");
    assert_eq!(lines_with(&log, "2026-11-22T06:00:00").len(), 1, "{log}");
    let later = run(
        folder.path(),
        &["log", "q", "2026-11-21", "--format", "csv"],
    )
    .ok();
    assert_eq!(lines_with(&later, "2026-11-21T").len(), 0, "{later}");
}

#[test]
fn the_history_of_an_entity() {
    let folder = two_days();
    let args = [
        "history",
        "q",
        "[:feeds/id 3]",
        ":feeds/title",
        "--format",
        "csv",
    ];
    let history = run(folder.path(), &args).ok();
    let lines: Vec<&str> = history.lines().collect();
    assert_eq!(lines.len(), 3, "{history}");
    assert!(
        lines[1].ends_with("2026-11-21T06:00:00.000Z,:feeds/title,,Morning signals 3"),
        "{history}"
    );
    assert!(
        lines[2].ends_with(",Morning signals 3,\"Evening letters, again\""),
        "{history}"
    );
}

#[test]
fn the_history_of_an_attribute_and_of_what_is_gone() {
    let folder = two_days();
    let csv = |args: &[&str]| run(folder.path(), &[args, &["--format", "csv"][..]].concat()).ok();
    let titles = csv(&["history", "q", "_", ":feeds/title", "--since", "2026-11-21"]);
    let lines: Vec<&str> = titles.lines().collect();
    assert_eq!(lines[0], "t,instant,entity,attribute,old,new");
    assert_eq!(lines.len(), 2, "{titles}");
    let change = ",:feeds/title,Morning signals 3,\"Evening letters, again\"";
    assert!(lines[1].ends_with(change), "{titles}");
    let gone = csv(&["history", "q", "[:subscriptions/id 9]"]);
    let key = lines_with(&gone, ":subscriptions/id,");
    assert!(key[0].ends_with(",,9") && key[1].ends_with(",9,"), "{gone}");
    let then = csv(&[
        "history",
        "q",
        "[:subscriptions/id 9]",
        "--as-of",
        "2026-11-21",
    ]);
    assert_eq!(lines_with(&then, ":subscriptions/id,").len(), 1, "{then}");
    let args = [
        "history",
        "q",
        "_",
        ":feeds/title",
        "--format",
        "table",
        "--limit",
        "1",
    ];
    let table = run(folder.path(), &args).ok();
    assert!(
        table.contains("[:feeds/id 1]") && table.contains("entity"),
        "{table}"
    );
    run(folder.path(), &["history", "q", "_"]).fails(2);
    let never = run(folder.path(), &["history", "q", "[:feeds/id 999]"]).fails(1);
    assert!(never.contains("never"), "{never}");
    let json = [
        "history",
        "q",
        "[:feeds/id 3]",
        ":feeds/title",
        "--format",
        "json",
    ];
    let json: serde_json::Value =
        serde_json::from_str(&run(folder.path(), &json).ok()).expect("json");
    assert_eq!(json[1][3], "Morning signals 3");
    let edn = run(
        folder.path(),
        &["history", "q", "[:feeds/id 3]", ":feeds/title"],
    )
    .ok();
    assert!(
        edn.contains(":feeds/title nil \"Morning signals 3\"]"),
        "{edn}"
    );
}

#[test]
fn a_diff_by_t_transaction_and_instant_and_of_the_schema() {
    let folder = two_days();
    let tx =
        "[{:db/id :feeds/title :db/ident :feeds/name} {:db/id [:feeds/id 3] :feeds/slug \"s\"}]";
    run(folder.path(), &["transact", "q", tx]).ok();
    let log = run(folder.path(), &["log", "q", "--format", "csv"]).ok();
    let last: Vec<&str> = log
        .lines()
        .last()
        .expect("a transaction")
        .split(',')
        .collect();
    let before = (last[0].parse::<u64>().expect("a t") - 1).to_string();
    let by_t = run(folder.path(), &["diff", "q", &before, last[0]]).ok();
    assert!(
        by_t.contains(":feeds/slug \"") && by_t.contains(" \"s\"]"),
        "{by_t}"
    );
    let schema = lines_with(&by_t, ":db/ident :feeds/title :feeds/name]");
    assert_eq!(schema.len(), 1, "{by_t}");
    let by_tx = run(folder.path(), &["diff", "q", &before, last[1]]).ok();
    let by_instant = run(folder.path(), &["diff", "q", &before, last[2]]).ok();
    assert_eq!((&by_tx, &by_instant), (&by_t, &by_t));
    // References go by lookup ref on both sides.
    let tx = "[{:db/id [:feeds/id 3] :feeds/owner [:users/id 5]}]";
    run(folder.path(), &["transact", "q", tx]).ok();
    let after = (before.parse::<u64>().expect("a t") + 2).to_string();
    let args = ["diff", "q", last[0], &after, "--format", "table"];
    let owner = run(folder.path(), &args).ok();
    let words: Vec<&str> = lines_with(&owner, ":feeds/owner")[0]
        .split_whitespace()
        .collect();
    assert_eq!(
        words[..4],
        ["[:feeds/id", "3]", ":feeds/owner", "[:users/id"],
        "{owner}"
    );
    assert_eq!(words[5..], ["[:users/id", "5]"], "{owner}");
    let args = ["diff", "q", last[0], &before, "--format", "table"];
    let back = run(folder.path(), &args).ok();
    assert_eq!(lines_with(&back, "[:feeds/id 3]").len(), 1, "{back}");
    assert!(back.trim_end().ends_with("2 rows"), "{back}");
    // The first day's title goes by the name that the attribute has now.
    let days = run(folder.path(), &["diff", "q", "2026-11-21", "2026-11-22"]).ok();
    assert!(days.contains(":feeds/name \"Morning signals 3\""), "{days}");
}

#[test]
fn two_days_of_pagila_differ_in_few_datoms() {
    let name = "two_days_of_pagila_differ_in_few_datoms";
    let Some(day1) = shared_dump(name, "day2/day1.sql") else {
        return;
    };
    let Some(day2) = shared_dump(name, "day2/day2.sql") else {
        return;
    };
    let folder = folder();
    let map =
        "{:datomite/mapping 1 :tables {\"city\" {:columns {\"city_name\" {:as :city/city}}}}}";
    std::fs::write(folder.path().join("map.edn"), map).expect("a mapping file");
    let at = ["--at", "2026-11-21T06:00:00Z"];
    run(folder.path(), &[&["import", &day1, "p"][..], &at].concat()).ok();
    let at = [
        "--update",
        "--map",
        "map.edn",
        "--at",
        "2026-11-22T06:00:00Z",
    ];
    run(folder.path(), &[&["import", &day2, "p"][..], &at].concat()).ok();
    let diff = run(folder.path(), &["diff", "p", "2026-11-21", "2026-11-22"]).ok();
    let changes = diff.lines().count();
    assert!((10..60).contains(&changes), "{changes} changes: {diff}");
}

#[test]
fn one_instant_for_two_dumps_is_enough() {
    let (today, tomorrow) = (sample("queryfeed.sql"), sample("queryfeed-next-day.sql"));
    let query = "[:find (count ?u) . :where [?u :users/id]]";
    let args = [
        "open",
        &today,
        &tomorrow,
        "--at",
        "2020-01-01T00:00:00Z",
        "-e",
        query,
    ];
    assert_eq!(run(folder().path(), &args).ok(), "401\n");
}
