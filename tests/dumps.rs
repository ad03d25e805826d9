//! Imports: facts that must hold of every form of a dump, a later dump as history, cuts, time.
//!
//! That every value is Postgres's own is `import.rs`.

#[path = "dumps/forms.rs"]
mod forms;
#[path = "dumps/later.rs"]
mod later;

use std::path::{Path, PathBuf};

use datomite::{Connection, Db, Edn, Index, Input, Keyword, Query, q};
use datomite_import::{Dump, Import, ImportOptions, ImportReport, Mapping};
use datomite_tests::skip::shared_datasets;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../data")
        .join(name)
}

fn imported(path: &Path) -> (Connection, ImportReport) {
    let connection = datomite::mem();
    let report = connection.import(path, &Mapping::default());
    let report = report.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (connection, report)
}

fn updated(connection: &Connection, path: &Path, mapping: &str) -> ImportReport {
    let mut options = ImportOptions::new();
    options.update = true;
    if !mapping.is_empty() {
        options.mapping = Mapping::parse(mapping).expect("a mapping");
    }
    let dump = Dump::open(path).expect("a dump");
    connection
        .import_dump(&dump, &mut options)
        .expect("an update")
}

fn scalar(db: &Db, query: &str) -> String {
    let query = Query::parse(query).expect("a query");
    let result = q(&query, &[Input::Db(db.clone())]).expect("an answer");
    result.into_edn().to_string()
}

fn count(db: &Db, attribute: &str) -> usize {
    let parts = [Edn::keyword(attribute)];
    db.datoms(Index::Aevt, &parts).expect("datoms").count()
}

#[test]
fn pagila_in_every_form_that_is_read_holds_what_it_must() {
    let test = "pagila_in_every_form_that_is_read_holds_what_it_must";
    let Some(folder) = shared_datasets(test) else {
        return;
    };
    for name in ["pagila.plain.sql", "pagila.fc", "pagila.fc-pipe"] {
        let (connection, report) = imported(&folder.join("pagila").join(name));
        let db = connection.db();
        assert_eq!(report.rows(), 49_636, "{name}");
        for attribute in [":payment/customer", ":payment/rental", ":payment/staff"] {
            assert_eq!(count(&db, attribute), 16_049, "{name} {attribute}");
        }
        let english = "[:find (count ?f) . :where [?f :film/language ?l] \
                       [?l :language/name \"English\"]]";
        assert_eq!(scalar(&db, english), "585", "{name}");
        let sum = "[:find (sum ?a) . :with ?p :where [?p :payment/amount ?a]]";
        assert_eq!(scalar(&db, sum), "67416.51M", "{name}");
    }
}

#[test]
fn chinook_and_northwind_load_from_every_form_alike() {
    let test = "chinook_and_northwind_load_from_every_form_alike";
    let Some(folder) = shared_datasets(test) else {
        return;
    };
    let forms: [(&str, &[&str], u64); 2] = [
        (
            "chinook",
            &[
                "Chinook_PostgreSql.sql",
                "Chinook_PostgreSql_AutoIncrementPKs.sql",
                "Chinook_PostgreSql_SerialPKs.sql",
                "chinook.plain.sql",
                "chinook.inserts.sql",
                "chinook.fc",
            ],
            15_607,
        ),
        (
            "northwind",
            &["northwind.sql", "northwind.plain.sql", "northwind.fc"],
            3_362,
        ),
    ];
    for (set, names, rows) in forms {
        let mut datoms = None;
        for name in names {
            let (_, report) = imported(&folder.join(set).join(name));
            assert_eq!(report.rows(), rows, "{name}");
            assert_eq!(
                *datoms.get_or_insert(report.datoms()),
                report.datoms(),
                "{name}"
            );
        }
    }
}

#[test]
fn a_later_dump_changes_only_what_changed() {
    let Some(folder) = shared_datasets("a_later_dump_changes_only_what_changed") else {
        return;
    };
    let (day1, day2) = (folder.join("day2/day1.sql"), folder.join("day2/day2.sql"));
    let (connection, _) = imported(&day1);
    let before = connection.db().basis_t();
    let report = updated(&connection, &day2, "");
    // Six hundred cities lose :city/city and gain :city/city-name.
    assert_eq!((report.datoms(), report.retracted()), (619, 612));
    let changes = connection
        .db()
        .diff(before, connection.db().basis_t())
        .expect("a diff");
    let cities = changes.changes.iter().filter(|c| {
        c.attributes
            .iter()
            .any(|a| a.attribute == Keyword::parse("city/city-name"))
    });
    assert_eq!(cities.count(), 600);
    let again = updated(&connection, &day2, "");
    assert_eq!(
        (again.datoms(), again.retracted(), again.schema_datoms),
        (0, 0, 0)
    );

    let (connection, _) = imported(&day1);
    let mapping = "{:datomite/mapping 1 \
                    :tables {\"city\" {:columns {\"city_name\" {:as :city/city}}}}}";
    let report = updated(&connection, &day2, mapping);
    assert_eq!((report.datoms(), report.retracted()), (19, 12));
}

#[test]
fn a_cut_dump_names_its_table_and_leaves_the_store_as_it_was() {
    let whole = std::fs::read(data("queryfeed.sql")).expect("the sample");
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = folder.path().join("cut.sql");
    let at = whole
        .windows(12)
        .position(|w| w == b"COPY public.")
        .expect("a COPY")
        + 400;
    std::fs::write(&path, &whole[..at]).expect("a cut dump");
    let connection = datomite::mem();
    let before = connection.db().basis_t();
    let error = connection
        .import(&path, &Mapping::default())
        .expect_err("it is cut");
    assert!(
        error.to_string().contains("the dump is cut: table "),
        "{error}"
    );
    assert_eq!(connection.db().basis_t(), before);
}

#[test]
fn the_last_transaction_carries_the_instant_of_the_dump() {
    let connection = datomite::mem();
    let mut options = ImportOptions::new();
    options.at = datomite::Instant::parse("2030-01-01T00:00:00Z");
    let dump = Dump::open(data("queryfeed.sql")).expect("the sample");
    let report = connection
        .import_dump(&dump, &mut options)
        .expect("an import");
    assert_eq!(Some(report.instant), options.at);
    let db = connection.db();
    let view = db.as_of(report.instant).expect("a view");
    assert_eq!(count(&view, ":users/id"), count(&db, ":users/id"));
}
