//! `datomite transact`.

use crate::kit::{imported, run, run_with};

#[test]
fn a_transaction_is_reported_and_stays() {
    let folder = imported();
    let report = run(
        folder.path(),
        &["transact", "q", "[{:users/id 7 :users/name \"ada\"}]"],
    )
    .ok();
    assert!(
        report.starts_with("{:t ") && report.contains(":tempids {}"),
        "{report}"
    );
    let query = "[:find ?n . :where [?u :users/id 7] [?u :users/name ?n]]";
    assert_eq!(run(folder.path(), &["q", "q", query]).ok(), "\"ada\"\n");
}

#[test]
fn transaction_data_comes_from_a_file_or_standard_input() {
    let folder = imported();
    let tag = |id: u32, label: &str| {
        format!("[{{:db/id \"new\" :tags/id {id} :tags/label \"{label}\"}}]")
    };
    std::fs::write(folder.path().join("tx.edn"), tag(901, "a")).expect("a file");
    let report = run(folder.path(), &["transact", "q", "-f", "tx.edn"]).ok();
    assert!(report.contains(":tempids {\"new\" "), "{report}");
    run_with(folder.path(), &["transact", "q", "-"], &tag(902, "b")).ok();
    let query = "[:find (count ?t) . :where [?t :tags/id]]";
    assert_eq!(run(folder.path(), &["q", "q", query]).ok(), "42\n");
}

#[test]
fn what_is_refused_changes_nothing() {
    let folder = imported();
    let before = run(folder.path(), &["log", "q"]).ok();
    let error = run(
        folder.path(),
        &["transact", "q", "[[:db/add 1 :users/idd 7]]"],
    )
    .fails(1);
    assert!(error.contains(":db.error/not-an-entity"), "{error}");
    let error = run(
        folder.path(),
        &["transact", "q", "[[:db/add 1 :users/id 7]"],
    )
    .fails(1);
    assert!(
        error.contains("expected ]") && error.contains("input:1:"),
        "{error}"
    );
    run(folder.path(), &["transact", "q"]).fails(2);
    assert_eq!(run(folder.path(), &["log", "q"]).ok(), before);
}

#[test]
fn a_refused_transaction_marks_the_place_and_names_what_was_meant() {
    let folder = imported();
    for (text, names) in [
        (
            "[{:users/id 7\n  :users/nam \"ada\"}]",
            [
                ":db.error/not-an-entity",
                "input:2:3",
                "nearest: :users/name",
            ],
        ),
        (
            "[[:db/add \"u\" :users/name 7]]",
            [
                ":db.error/wrong-type-for-attribute",
                "input:1:2",
                ":db.type/string",
            ],
        ),
        (
            "[[:users/rename 7]]",
            [":db.error/not-a-data-function", "input:1:3", "register"],
        ),
    ] {
        let error = run(folder.path(), &["transact", "q", text]).fails(1);
        for name in names {
            assert!(error.contains(name), "{text}: {name} is not in {error}");
        }
    }
}
