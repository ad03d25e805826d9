//! The root survives its codec; what is not a root is refused; unknown sections are kept.

use super::*;

fn full() -> Root {
    let mut root = Root::new(
        DatabaseId::new(1 << 100 | 5),
        Some((DatabaseId::new(9), T::new(1000))),
        Epoch::new(3),
    );
    root.generation = Version::new(17);
    root.basis = Some(Basis {
        t: T::new(1234),
        next_t: T::new(1236),
        next_element: 99,
    });
    root.position = Position::new(100_000);
    root.segments = vec![
        Segment {
            name: "log/000001-000001.log".to_owned(),
            start: Position::default(),
            seal: Some(Seal {
                end: Position::new(70_000),
                checksum: 0xDEAD_BEEF,
            }),
        },
        Segment {
            name: "log/000003-000001.log".to_owned(),
            start: Position::new(70_000),
            seal: None,
        },
    ];
    let node = NodeRef {
        pack: (Epoch::new(2), 4),
        offset: 1 << 33,
        length: 4096,
        hash: u128::MAX - 1,
    };
    root.trees.insert(
        "eavt".to_owned(),
        Trees {
            current: Some(node),
            history: None,
        },
    );
    root.schema = vec![1, 2, 3];
    root.previous = Some((Version::new(16), 42));
    root
}

#[test]
fn a_root_survives() {
    for root in [full(), Root::new(DatabaseId::new(1), None, Epoch::new(1))] {
        assert_eq!(Root::decode(&root.encode(), "root").unwrap(), root);
    }
}

#[test]
fn a_root_cut_or_changed_anywhere_is_refused() {
    let bytes = full().encode();
    for at in 0..bytes.len() {
        assert!(Root::decode(&bytes[..at], "root").is_err());
        let mut changed = bytes.clone();
        changed[at] ^= 4;
        assert!(Root::decode(&changed, "root").is_err());
    }
}

#[test]
fn sections_of_a_later_version_are_kept() {
    let mut root = full();
    root.other = vec![(200, b"later".to_vec())];
    root.format.compatible = 1;
    let mut read = Root::decode(&root.encode(), "root").unwrap();
    read.take_over(Epoch::new(4));
    assert_eq!(read.other, root.other);
    assert_eq!(read.format.compatible, 1);
    assert_eq!(
        read.previous,
        Some((Version::new(17), checksum(&root.encode())))
    );
}

#[test]
fn unknown_features_are_refused_as_far_as_they_must_be() {
    let mut root = full();
    root.format.read_only_compatible = 2;
    let read = Root::decode(&root.encode(), "root").unwrap();
    assert!(matches!(
        read.format.check_writable(),
        Err(StorageError::ReadOnlyFormat { features: 2 })
    ));
    root.format.incompatible = 4;
    assert!(matches!(
        Root::decode(&root.encode(), "root"),
        Err(StorageError::UnsupportedFormat { features: 4, .. })
    ));
    let mut root = full();
    root.format.version = 9;
    assert!(matches!(
        Root::decode(&root.encode(), "root"),
        Err(StorageError::UnsupportedFormat { version: 9, .. })
    ));
}
