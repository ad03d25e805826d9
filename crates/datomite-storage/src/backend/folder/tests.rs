//! The files of a folder, which the log's face does not show.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use datomite_model::T;

use super::*;
use crate::log::testkit::{record, ts};
use crate::{Log, LogOptions};

fn backend(folder: &Path) -> Arc<dyn Backend> {
    Arc::new(FolderBackend::open(folder, FolderOptions::default()).unwrap())
}

fn create(folder: &Path) -> Log {
    Log::create(backend(folder), LogOptions::new("the first")).unwrap()
}

fn open(folder: &Path) -> Result<Log, StorageError> {
    Log::open(backend(folder), LogOptions::new("the second"))
}

fn follow(folder: &Path) -> Log {
    Log::follow(backend(folder), LogOptions::default()).unwrap()
}

fn segments(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder.join("log"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_store_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("a/b/store.datomite");
    assert!(matches!(open(&folder), Err(StorageError::NoStore { .. })));
    assert!(!folder.exists());
    let log = create(&folder);
    log.append(&[record(1000), record(1002)]).unwrap();
    let id = log.id();
    drop(log);
    assert!(matches!(
        Log::create(backend(&folder), LogOptions::default()),
        Err(StorageError::StoreExists { .. })
    ));
    for t in [1004, 1006, 1008] {
        let log = open(&folder).unwrap();
        assert_eq!(log.id(), id);
        log.append(&[record(t)]).unwrap();
    }
    assert_eq!(ts(&follow(&folder)), [1000, 1002, 1004, 1006, 1008]);
    assert_eq!(ts(&open(&folder).unwrap()), [1000, 1002, 1004, 1006, 1008]);
}

#[test]
fn a_writer_appends_only_to_a_segment_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let log = create(folder.path());
    log.append(&[record(1000)]).unwrap();
    assert_eq!(segments(folder.path()), ["000001-000001.log"]);
    drop(log);
    let log = open(folder.path()).unwrap();
    assert_eq!(segments(folder.path()), ["000002-000001.log"]);
    assert_eq!(log.root().unwrap().position, log.inner_end());
}

#[test]
fn a_second_writer_is_told_who_holds_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let log = create(folder.path());
    let error = open(folder.path()).err().unwrap();
    let text = error.to_string();
    assert!(text.contains("held for writing by the first"), "{text}");
    assert!(text.contains("read-only"), "{text}");
    log.release();
    open(folder.path()).unwrap();
}

#[test]
fn a_follower_reads_while_a_writer_writes_and_through_a_change_of_writer() {
    let folder = tempfile::tempdir().unwrap();
    let log = create(folder.path());
    let follower = follow(folder.path());
    assert_eq!(follower.poll().unwrap(), None);
    for t in 1000..1100 {
        log.append(&[record(t)]).unwrap();
        assert_eq!(follower.poll().unwrap(), Some(T::new(t)));
    }
    let mut group = log.begin_group().unwrap();
    group.append(&[record(1100), record(1101)]).unwrap();
    follower.poll().unwrap();
    drop(group);
    drop(log);
    let log = open(folder.path()).unwrap();
    assert_eq!(follower.poll().unwrap(), Some(T::new(1099)));
    log.append(&[record(1100)]).unwrap();
    assert_eq!(follower.poll().unwrap(), Some(T::new(1100)));
    assert_eq!(ts(&follower), (1000..=1100).collect::<Vec<u64>>());
}

#[test]
fn a_follower_does_not_see_what_is_written_but_not_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let log = create(folder.path());
    log.append(&[record(1000)]).unwrap();
    let note = fs::read(folder.path().join("durable")).unwrap();
    log.append(&[record(1001)]).unwrap();
    drop(log);
    // As after kill -9 between write and sync.
    fs::write(folder.path().join("durable"), note).unwrap();
    assert_eq!(ts(&follow(folder.path())), [1000]);
    // As after a restart of the machine: all that is in the files is durable.
    fs::remove_file(folder.path().join("durable")).unwrap();
    assert_eq!(ts(&follow(folder.path())), [1000, 1001]);
}

#[test]
fn a_full_segment_is_sealed_and_the_next_one_begun() {
    let folder = tempfile::tempdir().unwrap();
    let log = create(folder.path());
    let follower = follow(folder.path());
    let big = "x".repeat(20 << 20);
    for t in 1000..1010 {
        let mut record = record(t);
        record.datoms[1].v = datomite_model::Value::from(big.as_str());
        log.append(&[record]).unwrap();
    }
    assert_eq!(segments(folder.path()).len(), 3);
    let root = log.root().unwrap();
    assert_eq!(root.segments.iter().filter(|s| s.seal.is_some()).count(), 2);
    let all: Vec<u64> = (1000..1010).collect();
    assert_eq!(follower.poll().unwrap(), Some(T::new(1009)));
    assert_eq!(ts(&follower), all);
    drop(log);
    assert_eq!(ts(&open(folder.path()).unwrap()), all);
    assert_eq!(ts(&follower), all);
}

#[test]
fn objects_are_put_once_and_read_in_stretches() {
    let folder = tempfile::tempdir().unwrap();
    let backend = FolderBackend::open(folder.path(), FolderOptions::default()).unwrap();
    backend.acquire("me").unwrap();
    backend.put("p-1", b"0123456789").unwrap();
    assert!(matches!(
        backend.put("p-1", b""),
        Err(StorageError::ObjectExists { .. })
    ));
    assert!(matches!(
        backend.put("../x", b""),
        Err(StorageError::ObjectName { .. })
    ));
    let range = |offset, length| ObjectRange {
        name: "p-1".to_owned(),
        offset,
        length,
    };
    let got = backend.get_many(&[range(2, 3), range(0, 1)]).unwrap();
    assert_eq!(got, [b"234".to_vec(), b"0".to_vec()]);
    assert!(backend.get_many(&[range(8, 3)]).is_err());
    assert_eq!(backend.list().unwrap(), ["p-1"]);
    backend.delete("p-1").unwrap();
    backend.delete("p-1").unwrap();
    assert!(backend.list().unwrap().is_empty());
}

#[test]
fn network_mounts_are_told_from_local_ones() {
    let mounts = "/dev/a / ext4 rw 0 0\nserver:/x /mnt/a\\040b nfs4 rw 0 0\n\
                  /dev/b /mnt/a\\040b/disk xfs rw 0 0\n";
    let kind = |path| mounts::network_kind(mounts, Path::new(path));
    assert_eq!(kind("/home/me"), None);
    assert_eq!(kind("/mnt/a b/store"), Some("nfs4".to_owned()));
    assert_eq!(kind("/mnt/a b/disk/store"), None);
}
