//! `datomite open`.

use crate::kit::{folder, imported, lines_with, run, run_with, sample, shared_dump};

const USERS: &str = "[:find (count ?u) . :where [?u :users/id]]";

#[test]
fn a_query_of_a_dump_prints_the_number_and_nothing_else() {
    let folder = folder();
    for dump in ["queryfeed.sql", "queryfeed.dump"] {
        let done = run(folder.path(), &["open", &sample(dump), "-e", USERS]);
        assert!(done.err.contains("7,178 rows"), "{}", done.err);
        assert_eq!(done.ok(), "400\n");
    }
    let left = std::fs::read_dir(folder.path())
        .expect("the folder")
        .count();
    assert_eq!(left, 0, "open leaves nothing on disk");
}

#[test]
fn a_dump_may_come_from_standard_input() {
    let dump = std::fs::read_to_string(sample("queryfeed.sql")).expect("the sample");
    let done = run_with(folder().path(), &["open", "-", "-e", USERS], &dump);
    assert_eq!(done.ok(), "400\n");
}

#[test]
fn statements_without_datoms_are_one_line() {
    let done = run(
        folder().path(),
        &["open", &sample("queryfeed.sql"), "-e", USERS],
    );
    let lines = lines_with(&done.err, "not carried over");
    assert_eq!(
        lines,
        ["  not carried over: 7 statements that make no datoms (SELECT)"]
    );
}

#[test]
fn what_is_left_out_is_said() {
    let args = [
        "open",
        &sample("queryfeed.sql"),
        "--only",
        "users",
        "--except",
        "x*",
        "-e",
        USERS,
    ];
    let done = run(folder().path(), &args);
    assert!(
        done.err
            .contains("left out as asked: 6,778 rows of 7 tables"),
        "{}",
        done.err
    );
    assert_eq!(done.ok(), "400\n");
}

#[test]
fn two_dumps_are_one_history() {
    let title = "[:find ?t . :where [?f :feeds/id 3] [?f :feeds/title ?t]]";
    let (today, tomorrow) = (sample("queryfeed.sql"), sample("queryfeed-next-day.sql"));
    let both = ["open", &today, &tomorrow, "-e", title];
    let now = run(folder().path(), &both);
    assert!(now.err.contains("37 retracted"), "{}", now.err);
    assert_eq!(now.ok(), "\"Evening letters, again\"\n");
    let then = [&both[..], &["--as-of", "2026-11-21"]].concat();
    assert_eq!(run(folder().path(), &then).ok(), "\"Morning signals 3\"\n");
}

#[test]
fn an_instant_of_ones_own_orders_two_dumps() {
    let (today, tomorrow) = (sample("queryfeed.sql"), sample("queryfeed-next-day.sql"));
    let at = [
        "--at",
        "2020-01-01T00:00:00Z",
        "--at",
        "2020-01-02T00:00:00Z",
        "-e",
    ];
    let query = "[:find (count ?u) . :where [?u :users/id]]";
    let args = [
        &["open", &today, &tomorrow][..],
        &at,
        &[query, "--as-of", "2020-01-01"],
    ]
    .concat();
    assert_eq!(run(folder().path(), &args).ok(), "400\n");
}

#[test]
fn the_suggested_queries_run_and_answer() {
    let name = "the_suggested_queries_run_and_answer";
    let shared = [
        "chinook/chinook.plain.sql",
        "northwind/northwind.sql",
        "pagila/pagila.plain.sql",
    ];
    let dumps = shared.iter().filter_map(|dump| shared_dump(name, dump));
    for dump in std::iter::once(sample("queryfeed.sql")).chain(dumps) {
        let done = run_with(
            folder().path(),
            &["open", &dump],
            ":try 1\n:try 2\n:try 3\n",
        );
        assert_eq!(
            lines_with(&done.err, "  -- SELECT ").len(),
            3,
            "{}",
            done.err
        );
        let answers = done.ok();
        let mut forms = answers.lines().filter(|line| line.starts_with('['));
        assert_eq!(forms.clone().count(), 3, "{dump}: {answers}");
        assert!(
            forms.all(|line| line.starts_with("[[")),
            "{dump}: every one has rows: {answers}"
        );
    }
}

#[test]
fn without_a_terminal_the_prompt_reads_a_script() {
    let folder = imported();
    let script = "[:find (count ?u) .\n :where\n [?u :users/id]] ; over three lines\n:quit\n";
    assert_eq!(
        run_with(folder.path(), &["open", "q"], script).ok(),
        "400\n"
    );
    let done = run_with(
        folder.path(),
        &["open", "q"],
        ":nope\n[:find (max ?u) . :where [_ :users/id ?u]]",
    );
    assert_eq!((done.code, done.out.as_str()), (1, "400\n"));
    assert!(done.err.contains("1 of 2 inputs refused"), "{}", done.err);
}

#[test]
fn pagila_answers_what_sql_answers() {
    let name = "pagila_answers_what_sql_answers";
    let Some(dump) = shared_dump(name, "pagila/pagila.fc") else {
        return;
    };
    let folder = folder();
    run(folder.path(), &["import", &dump, "p"]).ok();
    let ask = |query: &str| run(folder.path(), &["open", "p", "-e", query]).ok();
    let english =
        "[:find (count ?f) . :where [?f :film/language ?l] [?l :language/name \"English\"]]";
    assert_eq!(ask(english), "585\n");
    let sum = "[:find (sum ?a) . :with ?p :where [?p :payment/amount ?a]]";
    assert_eq!(ask(sum), "67416.51M\n");
}

#[test]
fn forms_that_are_not_read_are_refused_with_the_way_out() {
    let name = "forms_that_are_not_read_are_refused_with_the_way_out";
    let Some(dump) = shared_dump(name, "pagila/pagila.ft.tar") else {
        return;
    };
    let error = run(folder().path(), &["open", &dump]).fails(1);
    assert!(
        error.contains("tar archive: not read yet; pg_restore -f - "),
        "{error}"
    );
}

#[test]
fn wrong_words_are_two_and_wrong_input_is_one() {
    let folder = folder();
    run(folder.path(), &["open"]).fails(2);
    run(folder.path(), &["opem", "x"]).fails(2);
    let error = run(folder.path(), &["open", "none.sql"]).fails(1);
    assert!(
        error.contains("none.sql: no such dump or database"),
        "{error}"
    );
}
