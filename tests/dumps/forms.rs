//! Every form of a dump: read alike, or refused with the way out; cuts; encodings; odd names.

use std::path::Path;

use datomite::{Db, Edn, Index};
use datomite_import::{Dump, Import, ImportOptions, Mapping};
use datomite_tests::skip::shared_datasets;
use tempfile::TempDir;

use crate::{count, imported, scalar};

/// Imports a text; the folder of the file goes at the end.
fn of_text(text: &str) -> Db {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("dump.sql");
    std::fs::write(&path, text).expect("a dump");
    imported(&path).0.db()
}

fn refused(path: &Path) -> String {
    let connection = datomite::mem();
    let error = connection.import(path, &Mapping::default());
    error.expect_err("it is not read").to_string()
}

/// Value of an attribute of the only entity that has it.
fn only(db: &Db, attribute: &str) -> String {
    scalar(db, &format!("[:find ?v . :where [_ {attribute} ?v]]"))
}

#[test]
fn the_oddities_make_the_same_datoms_in_every_form() {
    let test = "the_oddities_make_the_same_datoms_in_every_form";
    let Some(folder) = shared_datasets(test) else {
        return;
    };
    let forms: [(&str, &[&str], u64, u64); 2] = [
        (
            "oddities/pg15",
            &[
                "plain.sql",
                "colins.sql",
                "via-root.sql",
                "c.dump",
                "c-z0.dump",
                "c-pipe.dump",
            ],
            70,
            1864,
        ),
        (
            "oddities/pg17",
            &[
                "plain.sql",
                "inserts.sql",
                "clean-create.sql",
                "c-stdout-redirect.dump",
                "c-gzip_9.dump",
                "c-z0.dump",
                "c-pipe.dump",
            ],
            72,
            1868,
        ),
    ];
    for (version, names, rows, datoms) in forms {
        for name in names {
            let (_, report) = imported(&folder.join(version).join(name));
            let read = (report.rows(), report.datoms());
            assert_eq!(read, (rows, datoms), "{version}/{name}");
        }
    }
}

#[test]
fn a_form_that_is_not_read_is_refused_with_the_way_out() {
    let test = "a_form_that_is_not_read_is_refused_with_the_way_out";
    let Some(folder) = shared_datasets(test) else {
        return;
    };
    for (name, way_out) in [
        ("t.tar", "tar archive: not read yet; pg_restore -f - "),
        ("d", "directory archive: not read yet; pg_restore -f - "),
        (
            "c-lz4.dump",
            "lz4 compression: not read yet; pg_restore -f - ",
        ),
        (
            "c-zstd.dump",
            "zstd compression: not read yet; pg_restore -f - ",
        ),
        ("plain-gzip_9.sql.z", "gzip file: not read yet; gzip -dc "),
        ("plain-lz4.sql.z", "lz4 file: not read yet; lz4 -dc "),
        ("plain-zstd.sql.z", "zstd file: not read yet; zstd -dc "),
    ] {
        let message = refused(&folder.join("oddities/pg17").join(name));
        assert!(message.contains(way_out), "{name}: {message}");
        assert!(message.ends_with("| datomite open -"), "{name}: {message}");
    }
}

#[test]
fn the_dump_of_a_cluster_is_read_if_one_database_holds_tables() {
    let table = "CREATE TABLE t (id int PRIMARY KEY);\nINSERT INTO t VALUES (1);\n";
    let one = format!(
        "--\n-- PostgreSQL database cluster dump\n--\n\nCREATE ROLE x;\n\\connect template1\n\
         \\connect one\n{table}"
    );
    assert_eq!(count(&of_text(&one), ":t/id"), 1);
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("all.sql");
    std::fs::write(&path, format!("{one}\\connect two\n{table}")).expect("a dump");
    let message = refused(&path);
    assert!(
        message.contains("the file holds several databases"),
        "{message}"
    );
    assert!(message.contains("pg_dump"), "{message}");
}

#[test]
fn every_encoding_and_setting_gives_the_same_values() {
    let test = "every_encoding_and_setting_gives_the_same_values";
    let Some(folder) = shared_datasets(test) else {
        return;
    };
    for name in ["latin1.sql", "latin1.fc", "latin1-as-utf8.sql"] {
        let (connection, report) = imported(&folder.join("encodings").join(name));
        let first = "[:find ?v . :where [?e :t/id 1] [?e :t/v ?v]]";
        assert_eq!(scalar(&connection.db(), first), "\"café ÿ\"", "{name}");
        assert!(report.omissions.iter().all(|o| o.what != "t.v"), "{name}");
    }
    let (connection, report) = imported(&folder.join("encodings/sql_ascii.sql"));
    let first = "[:find ?v . :where [?e :t/id 1] [?e :t/v ?v]]";
    assert_eq!(scalar(&connection.db(), first), "\"bad ÿþ utf8\"");
    assert!(
        report
            .omissions
            .iter()
            .any(|o| o.what == "t.v" && o.count == 1)
    );
    for name in ["gucs.sql", "gucs-inserts.sql"] {
        let (connection, _) = imported(&folder.join("encodings").join(name));
        let row = "[:find [?b ?ts ?iv ?s ?m] :where [?e :t/id 1] [?e :t/b ?b] [?e :t/ts ?ts] \
                   [?e :t/iv ?iv] [?e :t/s ?s] [?e :t/m ?m]]";
        let expected = "[#bytes \"00ff5c27\" #inst \"2020-01-01T00:00:00.000-00:00\" \
                        \"P1DT-2H\" \"a\\\\b'c\" 1234.50M]";
        assert_eq!(scalar(&connection.db(), row), expected, "{name}");
    }
}

#[test]
fn a_cut_anywhere_leaves_a_store_in_a_folder_as_it_was() {
    let next = std::fs::read(crate::data("queryfeed-next-day.sql")).expect("the sample");
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("cut.sql");
    let store = folder.path().join("store").display().to_string();
    {
        let connection = datomite::open(&store).expect("a store");
        connection
            .import(crate::data("queryfeed.sql"), &Mapping::default())
            .expect("an import");
    }
    let facts = |store: &str| -> Vec<String> {
        let db = datomite::open(store).expect("a store").db();
        let all = db.datoms(Index::Eavt, &[] as &[Edn]).expect("datoms");
        all.map(|d| format!("{:?}", d.expect("a datom"))).collect()
    };
    let before = facts(&store);
    let copies: Vec<usize> = next
        .windows(12)
        .enumerate()
        .filter(|(_, w)| *w == b"COPY public.")
        .map(|(at, _)| at)
        .collect();
    let [first, .., last] = copies.as_slice() else {
        panic!("a dump of several tables");
    };
    for at in [first + 300, copies[copies.len() / 2] + 200, last + 120] {
        std::fs::write(&path, &next[..at]).expect("a cut dump");
        let connection = datomite::open(&store).expect("a store");
        let mut options = ImportOptions::new();
        options.update = true;
        let result = Dump::open(&path).and_then(|d| connection.import_dump(&d, &mut options));
        let message = result.expect_err("it is cut").to_string();
        assert!(
            message.contains("the dump is cut: table "),
            "{at}: {message}"
        );
    }
    assert_eq!(facts(&store), before);
}

#[test]
fn an_archive_or_an_insert_that_ends_too_soon_is_cut() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("cut");
    let whole = std::fs::read(crate::data("queryfeed.dump")).expect("the sample");
    for left in [1, 10, whole.len() / 4, whole.len() / 2, whole.len() - 60] {
        std::fs::write(&path, &whole[..whole.len() - left]).expect("a cut archive");
        let message = refused(&path);
        assert!(
            message.contains("cut") || message.contains("archive"),
            "{left}: {message}"
        );
    }
    let table = "CREATE TABLE t (a int, b int);\nINSERT INTO t VALUES (5,6);\n";
    for (rest, rows) in [
        ("INSERT INTO t VALUES (1,2)", Some(2)),
        ("INSERT INTO t DEFAULT VALUES", Some(2)),
        ("INSERT INTO t VALUES (1,2),", None),
        ("INSERT INTO t VALUES (1,", None),
        ("INSERT INTO t (a, b) VALUES", None),
        ("INSERT INTO t (a", None),
    ] {
        std::fs::write(&path, format!("{table}{rest}")).expect("a dump");
        let read = datomite::mem().import(&path, &Mapping::default());
        assert_eq!(read.ok().map(|report| report.rows()), rows, "{rest}");
    }
}

#[test]
fn bom_and_crlf_and_old_string_rules_are_read() {
    let text = "\u{feff}\\restrict x\r\nSET standard_conforming_strings = off;\r\n\
                CREATE TABLE e (id int PRIMARY KEY, a text, b text, c text[]);\r\n\
                -- COPY fake (a) FROM stdin;\r\n\
                /* nested /* COPY fake (a) FROM stdin; */ */\r\n\
                CREATE FUNCTION f() RETURNS text AS\r\n\
                $_$ COPY fake (a) FROM stdin;\r\n\\.\r\n $_$;\r\n\
                INSERT INTO e VALUES (1, 'back\\\\slash', E'x\\ty', ARRAY['a','b']::text[]),\r\n\
                (2, 'it''s', U&'d\\0061t', '{}'), (3, CAST('x' AS text), DEFAULT, NULL);\r\n\
                COPY e (id, a, b) FROM stdin;\r\n4\tp\t\\N\r\n\\.\r\n";
    let db = of_text(text);
    assert_eq!(count(&db, ":e/id"), 4);
    let of = |id: u32, name: &str| {
        scalar(
            &db,
            &format!("[:find ?v . :where [?e :e/id {id}] [?e :e/{name} ?v]]"),
        )
    };
    assert_eq!(of(1, "a"), "\"back\\\\slash\"");
    assert_eq!(of(1, "b"), "\"x\\ty\"");
    assert_eq!(of(2, "a"), "\"it's\"");
    assert_eq!(of(2, "b"), "\"dat\"");
    assert_eq!(of(2, "c.array"), "\"{}\"");
    assert_eq!(of(3, "a"), "\"x\"");
    assert_eq!(of(4, "a"), "\"p\"");
}

#[test]
fn names_that_meet_are_kept_apart() {
    let db = of_text(
        "CREATE TABLE t (id int PRIMARY KEY, \"Id\" int, \"ID\" int, \"createdAt\" int, \
         created_at int, \"2fa\" int, \"a.b\" int, _x int, \"HTTPServer\" int);\n\
         INSERT INTO t VALUES (1,2,3,4,5,6,7,8,9);\n\
         CREATE TABLE db (id int PRIMARY KEY, \"valueType\" text);\n\
         INSERT INTO db VALUES (1, 'x');\n\
         CREATE TABLE \"import\" (id int PRIMARY KEY, file text);\n\
         INSERT INTO \"import\" VALUES (1, 'f');\n\
         CREATE TABLE s2.t (id int PRIMARY KEY);\nINSERT INTO s2.t VALUES (7);\n",
    );
    for (attribute, value) in [
        (":t/id", "1"),
        (":t/Id", "2"),
        (":t/ID", "3"),
        (":t/createdAt", "4"),
        (":t/created-at", "5"),
        (":t/%32fa", "6"),
        (":t/a%2Eb", "7"),
        (":t/-x", "8"),
        (":t/http-server", "9"),
        (":db%/value-type", "\"x\""),
        (":import/file%", "\"f\""),
        (":s2.t/id", "7"),
    ] {
        assert_eq!(only(&db, attribute), value, "{attribute}");
    }
}

#[test]
fn a_key_of_references_that_lead_nowhere_is_a_hash() {
    // The shape of pg_dump --exclude-table-data=p.
    let text = "CREATE TABLE p (id int PRIMARY KEY);\n\
                CREATE TABLE c (p_id int, n int, PRIMARY KEY (p_id, n));\n\
                COPY c (p_id, n) FROM stdin;\n1\t1\n2\t1\n\\.\n\
                ALTER TABLE ONLY c ADD CONSTRAINT f FOREIGN KEY (p_id) REFERENCES p(id);\n";
    let db = of_text(text);
    assert_eq!((count(&db, ":c/%key"), count(&db, ":c/p.raw")), (2, 2));
    let full = text.replace("COPY c", "COPY p (id) FROM stdin;\n1\n2\n\\.\nCOPY c");
    let db = of_text(&full);
    assert_eq!((count(&db, ":c/p+n"), count(&db, ":c/p")), (2, 2));
    let unchecked = full
        .replace("1\n2\n\\.", "1\n\\.")
        .replace("p(id);", "p(id) NOT VALID;");
    let db = of_text(&unchecked);
    assert_eq!((count(&db, ":c/%key"), count(&db, ":c/p")), (2, 1));
}

#[test]
fn a_table_of_fifteen_hundred_columns_is_one_table() {
    let names: Vec<String> = (0..1500).map(|n| format!("c{n} int")).collect();
    let values: Vec<String> = (0..1500).map(|n| n.to_string()).collect();
    let db = of_text(&format!(
        "CREATE TABLE w (id int PRIMARY KEY, {});\nINSERT INTO w VALUES (1, {});\n",
        names.join(", "),
        values.join(", ")
    ));
    assert_eq!(only(&db, ":w/c1499"), "1499");
}
