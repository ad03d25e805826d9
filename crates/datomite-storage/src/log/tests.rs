//! What the log's face promises, over the memory backend.

use std::sync::Arc;

use datomite_model::T;

use super::testkit::{record, ts};
use super::*;

fn memory() -> Log {
    Log::memory(LogOptions::default()).unwrap()
}

#[test]
fn what_was_appended_is_read_back() {
    let log = memory();
    assert_eq!(log.last_t(), None);
    log.append(&[record(66)]).unwrap();
    log.append(&[record(1000), record(1002)]).unwrap();
    let read: Vec<Record> = log.read(..).map(Result::unwrap).collect();
    assert_eq!(read, [record(66), record(1000), record(1002)]);
    assert_eq!(log.basis().unwrap(), Some(record(1002).basis()));
}

#[test]
fn a_range_of_a_long_log_is_sought() {
    let log = memory();
    for t in 0..5000 {
        log.append(&[record(1000 + 2 * t)]).unwrap();
    }
    for (first, last) in [(0, 1000), (1001, 1007), (5000, 5010), (10990, 99999)] {
        let wanted: Vec<u64> = (first..=last)
            .filter(|t| (1000..11000).contains(t) && t % 2 == 0)
            .collect();
        let read = log.read(T::new(first)..=T::new(last));
        let read: Vec<u64> = read.map(|r| r.unwrap().t.raw()).collect();
        assert_eq!(read, wanted);
    }
}

#[test]
fn a_group_is_invisible_until_it_commits() {
    let log = memory();
    log.append(&[record(1000)]).unwrap();
    let mut group = log.begin_group().unwrap();
    group.append(&[record(1002)]).unwrap();
    group.append(&[record(1004), record(1006)]).unwrap();
    assert_eq!(ts(&log), [1000]);
    assert!(matches!(
        log.append(&[record(1008)]),
        Err(StorageError::GroupOpen)
    ));
    group.commit().unwrap();
    assert_eq!(ts(&log), [1000, 1002, 1004, 1006]);
    log.append(&[record(1008)]).unwrap();
    assert_eq!(ts(&log), [1000, 1002, 1004, 1006, 1008]);
}

#[test]
fn an_abandoned_group_leaves_nothing() {
    let log = memory();
    log.append(&[record(1000)]).unwrap();
    let mut group = log.begin_group().unwrap();
    group.append(&[record(1002)]).unwrap();
    drop(group);
    assert_eq!(ts(&log), [1000]);
    let mut group = log.begin_group().unwrap();
    group.append(&[record(1002)]).unwrap();
    drop(group);
    log.append(&[record(1002)]).unwrap();
    let mut group = log.begin_group().unwrap();
    group.append(&[record(1004)]).unwrap();
    group.commit().unwrap();
    assert_eq!(ts(&log), [1000, 1002, 1004]);
    assert_eq!(log.read(T::new(1002)..).count(), 2);
}

#[test]
fn a_fork_shares_the_past_and_nothing_else() {
    let log = memory();
    for t in [1000, 1002, 1004] {
        log.append(&[record(t)]).unwrap();
    }
    let fork = log.fork(T::new(1002)).unwrap();
    assert_eq!(fork.parent(), Some((log.id(), T::new(1002))));
    assert_eq!(fork.last_t(), Some(T::new(1002)));
    fork.append(&[record(1006)]).unwrap();
    log.append(&[record(1008)]).unwrap();
    assert_eq!(ts(&fork), [1000, 1002, 1006]);
    assert_eq!(ts(&log), [1000, 1002, 1004, 1008]);
    let second = fork.fork(T::new(1006)).unwrap();
    let early = second.fork(T::new(1000)).unwrap();
    assert_eq!(ts(&second), [1000, 1002, 1006]);
    assert_eq!(ts(&early), [1000]);
}

#[test]
fn a_long_chain_of_forks_is_dropped_without_recursion() {
    let mut log = memory();
    for t in 0..20_000 {
        log.append(&[record(1000 + t)]).unwrap();
        log = log.fork(T::new(1000 + t)).unwrap();
    }
    assert_eq!(log.read(..).count(), 20_000);
}

#[test]
fn a_follower_sees_what_is_appended_and_may_not_append() {
    let backend: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
    let log = Log::create(Arc::clone(&backend), LogOptions::default()).unwrap();
    let follower = Log::follow(backend, LogOptions::default()).unwrap();
    log.append(&[record(1000)]).unwrap();
    let mut group = log.begin_group().unwrap();
    group.append(&[record(1002)]).unwrap();
    assert_eq!(follower.poll().unwrap(), Some(T::new(1000)));
    group.commit().unwrap();
    assert_eq!(follower.poll().unwrap(), Some(T::new(1002)));
    assert_eq!(ts(&follower), [1000, 1002]);
    assert!(matches!(
        follower.append(&[record(1004)]),
        Err(StorageError::ReadOnly)
    ));
}

#[test]
fn a_later_writer_fences_the_earlier_one() {
    let backend: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
    let first = Log::create(Arc::clone(&backend), LogOptions::default()).unwrap();
    first.append(&[record(1000)]).unwrap();
    let follower = Log::follow(Arc::clone(&backend), LogOptions::default()).unwrap();
    let mut group = first.begin_group().unwrap();
    group.append(&[record(1002)]).unwrap();
    follower.poll().unwrap();
    let second = Log::open(backend, LogOptions::default()).unwrap();
    assert!(matches!(
        group.append(&[record(1004)]),
        Err(StorageError::Fenced { .. })
    ));
    second.append(&[record(1003)]).unwrap();
    assert_eq!(ts(&second), [1000, 1003]);
    assert_eq!(follower.poll().unwrap(), Some(T::new(1003)));
    assert_eq!(ts(&follower), [1000, 1003]);
}
