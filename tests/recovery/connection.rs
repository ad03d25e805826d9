//! The same promises through a connection: transactions, bulks, followers, two heads.

use std::path::Path;
use std::sync::Arc;

use datomite::storage::{FolderBackend, FolderOptions, StorageError};
use datomite::{
    Connection, Datom, Db, DbError, Edn, Index, Keyword, Options, connect_with, open, open_backend,
};
use datomite_tests::sim::{Cut, Fault, SimDisk};

use crate::kill::{FOLDER, Writer};

const SCHEMA: &str = "[{:db/ident :item/number :db/valueType :db.type/long
                        :db/cardinality :db.cardinality/one :db/unique :db.unique/identity}
                       {:db/ident :item/text :db/valueType :db.type/string
                        :db/cardinality :db.cardinality/one}]";

fn connect(disk: &SimDisk) -> Result<Connection, DbError> {
    let options = FolderOptions::default().segment_bytes(2_000);
    let backend = FolderBackend::open_on(disk.system(), Path::new("/store"), options)?;
    open_backend(Arc::new(backend), Options::new())
}

fn datoms(db: &Db) -> Vec<Datom> {
    let all = db.history().datoms(Index::Eavt, &[]).expect("an index");
    all.collect::<Result<_, _>>()
        .expect("memory reads do not fail")
}

fn numbers(db: &Db) -> Vec<i64> {
    let Ok(datoms) = db.datoms(Index::Avet, &[Edn::from(Keyword::from(":item/number"))]) else {
        return Vec::new();
    };
    let number = |datom: Result<Datom, DbError>| match datom.expect("memory reads do not fail").v {
        datomite::Value::Long(n) => n,
        other => panic!("{other}"),
    };
    datoms.map(number).collect()
}

/// One transaction: a new item, and the text of item 0 replaced.
fn item(n: i64) -> String {
    format!("[{{:item/number {n}}} {{:item/number 0 :item/text \"at {n}\"}}]")
}

#[test]
fn a_store_opened_again_equals_the_one_that_was_never_closed() {
    let disk = SimDisk::new();
    let conn = connect(&disk).unwrap();
    conn.transact(SCHEMA).unwrap();
    for n in 0..30 {
        conn.transact(item(n).as_str()).unwrap();
    }
    conn.transact("[[:db/retractEntity [:item/number 7]]]")
        .unwrap();
    let before = conn.db();
    let image = disk.crash(Cut::Worst);
    let after = connect(&image).unwrap().db();
    assert_eq!(datoms(&after), datoms(&before));
    assert_eq!(
        (after.basis_t(), after.next_t()),
        (before.basis_t(), before.next_t())
    );
    assert_eq!(after.id(), before.id());
}

#[test]
fn a_transaction_that_could_not_be_written_leaves_both_heads_where_they_were() {
    let mut refused = 0;
    for n in 0.. {
        let disk = SimDisk::new();
        let conn = connect(&disk).unwrap();
        conn.transact(SCHEMA).unwrap();
        conn.transact(item(0).as_str()).unwrap();
        disk.fail_at(disk.ops_count() + n, Fault::Once);
        let before = conn.db();
        let mut done = vec![0];
        for n in 1..12 {
            match conn.transact(item(n).as_str()) {
                Ok(report) => {
                    assert_eq!(report.db_after.basis_t(), conn.db().basis_t());
                    done.push(n);
                }
                Err(_) => refused += 1,
            }
            assert_eq!(numbers(&conn.db()), done);
        }
        assert_eq!(numbers(&before), [0]);
        let reached = disk.is_failed();
        disk.heal();
        let last = datoms(&conn.db());
        drop(conn);
        assert_eq!(datoms(&connect(&disk).unwrap().db()), last, "operation {n}");
        if !reached {
            break;
        }
    }
    println!("{refused} transactions refused");
    assert!(refused > 20);
}

#[test]
fn a_bulk_that_is_cut_off_anywhere_leaves_the_store_as_it_was_or_is_whole() {
    let script = |disk: &SimDisk| -> Result<(), Box<dyn std::error::Error>> {
        let conn = connect(disk)?;
        let mut bulk = conn.bulk()?;
        for n in 1..6 {
            bulk.transact(item(n).as_str(), None)?;
        }
        bulk.commit()?;
        Ok(())
    };
    let filled = || {
        let disk = SimDisk::new();
        let conn = connect(&disk).unwrap();
        conn.transact(SCHEMA).unwrap();
        conn.transact(item(0).as_str()).unwrap();
        drop(conn);
        disk
    };
    let (mut whole, mut empty) = (0, 0);
    for n in 0.. {
        let disk = filled();
        disk.fail_at(disk.ops_count() + n, Fault::Gone);
        let acknowledged = script(&disk).is_ok() && !disk.is_gone();
        for cut in [Cut::Worst, Cut::Best, Cut::Random(n as u64)] {
            let found = numbers(&connect(&disk.crash(cut)).unwrap().db());
            match found.len() {
                6 => whole += 1,
                1 => empty += 1,
                _ => panic!("operation {n}, {cut:?}: {found:?}"),
            }
            assert!(!acknowledged || found.len() == 6);
        }
        if !disk.is_gone() {
            break;
        }
    }
    println!("{whole} whole, {empty} as they were");
    assert!(whole > 0 && empty > 100);
}

#[test]
fn a_dropped_connection_lets_the_lock_go_and_its_databases_are_read_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.datomite");
    let path = path.to_str().unwrap();
    let conn = open(path).unwrap();
    conn.transact(SCHEMA).unwrap();
    let db = conn.db();
    drop(conn);
    let conn = open(path).unwrap();
    conn.transact(item(0).as_str()).unwrap();
    assert_eq!(numbers(&db), [0; 0]);
    let transactions = db.log().tx_range(None, None).unwrap();
    assert_eq!(transactions.filter(Result::is_ok).count(), 1);
}

/// The child: transacts until it is killed.
#[test]
fn child_transactor() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let conn = open(folder.to_str().unwrap()).unwrap();
    if conn
        .db()
        .attribute(&Edn::from(Keyword::from(":item/number")))
        .unwrap()
        .is_none()
    {
        conn.transact(SCHEMA).unwrap();
    }
    let first = numbers(&conn.db()).last().map_or(0, |n| n + 1);
    for n in first.. {
        conn.transact(item(n).as_str()).unwrap();
        println!("done {n}");
    }
}

#[test]
fn kill_9_under_a_stream_of_transactions_loses_none_that_a_reader_or_the_writer_was_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("s.datomite");
    let path = folder.to_str().unwrap();
    let mut told = -1;
    for round in 0..4 {
        let mut writer = Writer::start("connection::child_transactor", &folder);
        told = writer.next().expect("the child is alive") as i64;
        let reader = connect_with(path, Options::new().read_only()).unwrap();
        for _ in 0..40 + 31 * round {
            told = writer.next().expect("the child is alive") as i64;
            let seen = numbers(&reader.db());
            assert!(seen.last() >= Some(&told), "{told} is not seen: {seen:?}");
        }
        match open(path) {
            Err(DbError::Storage(StorageError::Locked { .. })) => {}
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("a second writer got in"),
        }
        told = writer.kill().pop().map_or(told, |t| t as i64);
        let seen_by_reader = numbers(&reader.db());
        let found = numbers(&open(path).unwrap().db());
        assert_eq!(found, (0..found.len() as i64).collect::<Vec<i64>>());
        assert!(found.last() >= Some(&told));
        assert!(found.starts_with(&seen_by_reader));
        assert_eq!(numbers(&reader.db()), found);
    }
    println!("{told} items over 4 kills");
}
