//! What becomes of a log whose bytes were cut or changed.
//!
//! The bytes are put on a fresh memory backend; a root that vouches for nothing leaves the log
//! alone to say what is torn and what is damage.

use std::sync::Arc;

use datomite_model::T;
use proptest::prelude::*;

use super::testkit::{record, ts};
use super::*;
use crate::{Position, Version};

/// A log of single frames, a group, and two more frames; and where each frame begins.
fn sample(durability: Durability) -> (Vec<u8>, Root, Vec<u64>) {
    let backend: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
    let options = LogOptions::default().durability(durability);
    let log = Log::create(Arc::clone(&backend), options).unwrap();
    log.append(&[record(1000)]).unwrap();
    log.append(&[record(1002), record(1004)]).unwrap();
    let mut group = log.begin_group().unwrap();
    group.append(&[record(1006)]).unwrap();
    group.append(&[record(1008)]).unwrap();
    group.commit().unwrap();
    log.append(&[record(1010)]).unwrap();
    log.append(&[record(1012)]).unwrap();
    let bytes = backend.read_log(Position::default(), u64::MAX).unwrap();
    let mut starts = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        starts.push(at as u64);
        at += decode_header(&bytes[at..]).unwrap().frame_bytes() as usize;
    }
    (bytes, log.root().unwrap(), starts)
}

fn place(bytes: &[u8], root: &Root) -> Arc<dyn Backend> {
    let backend = Arc::new(MemoryBackend::new());
    let epoch = backend.acquire("").unwrap();
    let mut root = root.clone();
    root.generation = Version::NONE.next();
    backend
        .swap_root(epoch, Version::NONE, &root.encode())
        .unwrap();
    let batch = BatchId { epoch, sequence: 0 };
    backend
        .append(epoch, Position::default(), batch, bytes)
        .unwrap();
    backend
}

/// The visible t's after opening for writing, appending and opening again; or the error.
fn reopened(bytes: &[u8], root: &Root) -> Result<Vec<u64>, StorageError> {
    let backend = place(bytes, root);
    let followed = Log::follow(Arc::clone(&backend), LogOptions::default());
    let log = match Log::open(Arc::clone(&backend), LogOptions::default()) {
        Ok(log) => log,
        Err(error) => {
            assert!(followed.is_err(), "a reader must see the damage too");
            return Err(error);
        }
    };
    let seen = ts(&log);
    assert_eq!(ts(&followed.unwrap()), seen);
    log.append(&[record(5000)]).unwrap();
    drop(log);
    let log = Log::open(backend, LogOptions::default()).unwrap();
    let mut again = ts(&log);
    assert_eq!(again.pop(), Some(5000));
    assert_eq!(again, seen);
    Ok(seen)
}

/// What is visible when only the first `frames` frames are there.
fn visible(frames: usize) -> Vec<u64> {
    match frames {
        0 => vec![],
        1 => vec![1000],
        2..=4 => vec![1000, 1002, 1004],
        5 => vec![1000, 1002, 1004, 1006, 1008],
        6 => vec![1000, 1002, 1004, 1006, 1008, 1010],
        _ => vec![1000, 1002, 1004, 1006, 1008, 1010, 1012],
    }
}

#[test]
fn a_log_cut_anywhere_opens_with_its_whole_frames_and_no_half_group() {
    let (bytes, root, starts) = sample(Durability::Sync);
    assert_eq!(starts.len(), 7);
    for cut in 0..=bytes.len() {
        let ends = starts.iter().skip(1).copied().chain([bytes.len() as u64]);
        let frames = ends.filter(|end| *end <= cut as u64).count();
        let seen = reopened(&bytes[..cut], &root).unwrap();
        assert_eq!(seen, visible(frames), "cut at {cut}");
    }
}

#[test]
fn a_changed_byte_is_torn_in_the_last_frame_and_damage_before_it() {
    let (bytes, root, starts) = sample(Durability::Sync);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        let result = reopened(&changed, &root);
        if at as u64 >= starts[6] {
            assert_eq!(result.unwrap(), visible(6), "byte {at}");
            continue;
        }
        let frames = starts.iter().filter(|start| **start <= at as u64).count() - 1;
        let last = visible(frames).last().map(|t| T::new(*t));
        match result {
            Err(StorageError::Damaged { after, file, what }) => {
                assert_eq!(after, last, "byte {at}");
                assert!(file.contains("memory") && !what.is_empty());
            }
            other => panic!("byte {at}: {other:?}"),
        }
    }
}

#[test]
fn below_the_roots_basis_nothing_is_torn() {
    let (bytes, mut root, starts) = sample(Durability::Sync);
    root.position = Position::new(bytes.len() as u64);
    for cut in [starts[6] as usize, bytes.len() - 1] {
        let result = reopened(&bytes[..cut], &root);
        assert!(matches!(result, Err(StorageError::Damaged { .. })), "{cut}");
    }
    reopened(&bytes, &root).unwrap();
}

#[test]
fn frames_that_were_never_synced_may_be_lost_from_any_point_on() {
    let (bytes, root, starts) = sample(Durability::Os);
    for frame in 0..starts.len() {
        let mut changed = bytes.clone();
        changed[starts[frame] as usize + 70.min(bytes.len() - starts[frame] as usize - 1)] ^= 1;
        if frame == 4 {
            // A commit frame has no payload: the byte after its header is the next frame's.
            continue;
        }
        assert_eq!(reopened(&changed, &root).unwrap(), visible(frame));
    }
}

#[test]
fn a_frame_of_another_database_does_not_fit() {
    let (bytes, root, _) = sample(Durability::Sync);
    let mut other = root;
    other.id = DatabaseId::new(7);
    assert!(matches!(
        reopened(&bytes, &other),
        Err(StorageError::Damaged { .. })
    ));
}

proptest! {
    #[test]
    fn any_bytes_give_records_or_an_error(
        start in 0usize..2000,
        noise in prop::collection::vec(any::<u8>(), 1..200),
    ) {
        let (mut bytes, root, _) = sample(Durability::Sync);
        let start = start % bytes.len();
        for (at, byte) in noise.into_iter().enumerate() {
            if start + at < bytes.len() {
                bytes[start + at] = byte;
            }
        }
        match reopened(&bytes, &root) {
            Ok(seen) => prop_assert!(visible(7).starts_with(&seen)),
            Err(error) => {
                let damage = matches!(error, StorageError::Damaged { .. });
                prop_assert!(damage, "{error}");
            }
        }
    }
}

/// These bytes are the stored format: a change here is a new version of it.
#[test]
fn the_bytes_of_a_frame_are_these() {
    let mut header = Header {
        kind: Kind::Part,
        after_unsynced: true,
        epoch: Epoch::new(2),
        sequence: 3,
        group: 3,
        first_t: T::default(),
        last_t: T::default(),
        payload_bytes: 0,
        previous: 0x0102_0304,
        checksum: 0,
    };
    let frame = frame::encode_frame(&mut header, &[record(1000)]).unwrap();
    let hex: String = frame.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, include_str!("golden.hex").trim());
    assert_eq!(decode_header(&frame), Ok(header));
}
