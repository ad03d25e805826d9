//! `datomite import`.

use std::fs;

use crate::kit::{folder, imported, lines_with, run, run_with, sample};

const USERS: &str = "[:find (count ?u) . :where [?u :users/id]]";

#[test]
fn the_database_has_the_name_of_the_dump_and_is_printed() {
    let folder = folder();
    let done = run(folder.path(), &["import", &sample("queryfeed.sql")]);
    let table = lines_with(&done.err, "users ");
    assert!(
        table
            .iter()
            .any(|line| line.contains("4502") && line.ends_with(":users")),
        "{table:?}"
    );
    assert_eq!(done.ok(), "./queryfeed.datomite\n");
    assert_eq!(
        run(folder.path(), &["q", "queryfeed.datomite", USERS]).ok(),
        "400\n"
    );
}

#[test]
fn a_database_that_exists_is_not_written_over() {
    let folder = imported();
    let error = run(folder.path(), &["import", &sample("queryfeed.sql"), "q"]).fails(1);
    assert!(
        error.contains("q exists already") && error.contains("--update"),
        "{error}"
    );
    let error = run(
        folder.path(),
        &["import", &sample("queryfeed.sql"), "none", "--update"],
    )
    .fails(1);
    assert!(error.contains("no such database"), "{error}");
}

#[test]
fn an_update_retracts_and_adds_what_changed() {
    let folder = imported();
    let next = sample("queryfeed-next-day.sql");
    let done = run(folder.path(), &["import", &next, "q", "--update"]);
    assert!(done.err.contains("37 datoms retracted"), "{}", done.err);
    assert_eq!(done.ok(), "q\n");
    assert_eq!(run(folder.path(), &["q", "q", USERS]).ok(), "401\n");
}

#[test]
fn a_plan_is_a_mapping_that_can_be_given_back() {
    let folder = folder();
    let plan = run(
        folder.path(),
        &["import", &sample("queryfeed.sql"), "--plan"],
    )
    .ok();
    assert!(plan.starts_with("{:datomite/mapping 1"), "{plan}");
    let renamed = plan.replace(":users/email", ":users/mail");
    fs::write(folder.path().join("map.edn"), renamed).expect("a mapping file");
    let dump = sample("queryfeed.sql");
    run(folder.path(), &["import", &dump, "q", "--map", "map.edn"]).ok();
    let query = "[:find (count ?u) . :where [?u :users/mail]]";
    assert_eq!(run(folder.path(), &["q", "q", query]).ok(), "400\n");
    assert!(
        !folder.path().join("queryfeed.datomite").exists(),
        "--plan makes nothing"
    );
}

#[test]
fn the_report_says_what_was_not_carried_over() {
    let folder = folder();
    let map = "{:datomite/mapping 1 :tables {\"users\" {:columns {\"url\" :drop}}}}";
    fs::write(folder.path().join("map.edn"), map).expect("a mapping file");
    let dump = sample("queryfeed.sql");
    let args = [
        "import",
        &dump,
        "q",
        "--map",
        "map.edn",
        "--report",
        "report.edn",
    ];
    let done = run(folder.path(), &args);
    assert!(
        done.err
            .contains("users.url: the column is left out by the mapping"),
        "{}",
        done.err
    );
    done.ok();
    let report = fs::read_to_string(folder.path().join("report.edn")).expect("a report");
    let report = datomite::read(&report).expect("EDN");
    let tables = report
        .get(&datomite::Edn::keyword("tables"))
        .and_then(|t| t.as_sequence());
    assert_eq!(tables.map(<[_]>::len), Some(8));
    assert!(
        report.to_string().contains("{:what \"users.url\", :count "),
        "{report}"
    );
}

#[test]
fn a_dump_cut_in_the_middle_names_the_table_and_leaves_nothing() {
    let folder = folder();
    for (name, bytes) in [("queryfeed.sql", 200_000), ("queryfeed.dump", 30_000)] {
        let whole = fs::read(sample(name)).expect("the sample");
        fs::write(folder.path().join("cut"), &whole[..bytes]).expect("a file");
        let error = run(folder.path(), &["import", "cut", "q"]).fails(1);
        assert!(error.contains("cut") && error.contains("table "), "{error}");
        assert!(
            !folder.path().join("q").exists(),
            "{name} left a database behind"
        );
        run(folder.path(), &["open", "cut", "-e", USERS]).fails(1);
    }
}

#[test]
fn a_cut_update_leaves_the_database_as_it_was() {
    let folder = imported();
    let whole = fs::read(sample("queryfeed-next-day.sql")).expect("the sample");
    fs::write(folder.path().join("cut.sql"), &whole[..200_000]).expect("a file");
    run(folder.path(), &["import", "cut.sql", "q", "--update"]).fails(1);
    let log = run(folder.path(), &["log", "q"]).ok();
    assert_eq!(log.lines().count(), 3, "{log}");
}

#[test]
fn standard_input_needs_a_name() {
    let folder = folder();
    let dump = fs::read_to_string(sample("queryfeed.sql")).expect("the sample");
    let error = run_with(folder.path(), &["import", "-"], &dump).fails(2);
    assert!(error.contains("name the database"), "{error}");
    assert_eq!(
        run_with(folder.path(), &["import", "-", "q"], &dump).ok(),
        "q\n"
    );
}
