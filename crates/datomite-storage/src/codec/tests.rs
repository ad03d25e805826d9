//! Records survive the codec bit by bit, its bytes do not change by accident, and no bytes hurt it.

use std::sync::Arc;

use datomite_model::{
    BigDec, BigInt, Datom, EntityId, Index, Instant, Keyword, Partition, Symbol, T, Uri, Uuid,
    Value,
};
use proptest::prelude::*;

use super::*;
use crate::{IndexChange, Record};

fn scalar() -> BoxedStrategy<Value> {
    let name = || (prop::option::of("[a-z./]{0,6}"), "[a-z/.]{0,8}");
    prop_oneof![
        ".{0,20}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..20)
            .prop_map(|bytes| Value::from(BigInt::from_signed_bytes_le(&bytes))),
        any::<u32>().prop_map(|bits| Value::from(f32::from_bits(bits))),
        any::<u64>().prop_map(|bits| Value::from(f64::from_bits(bits))),
        (prop::collection::vec(any::<u8>(), 0..20), any::<i64>()).prop_map(|(bytes, scale)| {
            Value::from(BigDec::new(BigInt::from_signed_bytes_le(&bytes), scale))
        }),
        (any::<i64>(), 0u16..1000).prop_map(|(ms, us)| Value::from(Instant::new(ms, us).unwrap())),
        name().prop_map(|(ns, name)| Value::from(Keyword::new(ns.as_deref(), &name))),
        name().prop_map(|(ns, name)| Value::from(Symbol::new(ns.as_deref(), &name))),
        any::<u128>().prop_map(|n| Value::from(Uuid::from_u128(n))),
        "[a-z:/#%]{0,12}".prop_map(|text| Value::from(Uri::new(&text))),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| Value::Bytes(Arc::from(bytes))),
        any::<u64>().prop_map(|id| Value::from(EntityId::new(id))),
    ]
    .boxed()
}

fn value() -> BoxedStrategy<Value> {
    let tuple = prop::collection::vec(prop::option::of(scalar()), 0..9);
    prop_oneof![
        14 => scalar(),
        1 => tuple.prop_map(|items| Value::Tuple(items.into())),
    ]
    .boxed()
}

fn datom() -> impl Strategy<Value = Datom> {
    (0u64..4, 0u64..3, value(), any::<u64>(), 0u8..8).prop_map(|(e, a, v, tx, bits)| Datom {
        e: if e == 0 {
            EntityId::new(tx)
        } else {
            Partition::USER.entity(e)
        },
        a: EntityId::new(70 + a),
        v,
        tx: if bits > 1 {
            T::new(1000).tx()
        } else {
            EntityId::new(tx)
        },
        added: bits & 1 == 0,
    })
}

fn record() -> impl Strategy<Value = Record> {
    let change = (any::<u64>(), 0usize..4, any::<bool>()).prop_map(|(a, index, on)| IndexChange {
        attribute: EntityId::new(a),
        index: Index::ALL[index],
        on,
    });
    (
        any::<(u64, u64, i64)>(),
        prop::collection::vec(datom(), 0..40),
        prop::collection::vec(change, 0..4),
    )
        .prop_map(
            |((next_t, next_element, ms), datoms, index_changes)| Record {
                t: T::new(1000),
                instant: Instant::from_ms(ms),
                next_t: T::new(next_t),
                next_element,
                datoms,
                index_changes,
            },
        )
}

fn encode(record: &Record) -> Vec<u8> {
    let mut out = Vec::new();
    encode_record(&mut out, record).unwrap();
    out
}

/// Equality and printed text: the latter tells a keyword's parts and the bits of a float apart.
fn same(a: &Record, b: &Record) -> bool {
    let names = |record: &Record| -> Vec<Option<String>> {
        let namespace = |datom: &Datom| match &datom.v {
            Value::Keyword(name) => name.namespace().map(str::to_owned),
            Value::Symbol(name) => name.namespace().map(str::to_owned),
            Value::Float(n) => Some(n.to_bits().to_string()),
            Value::Double(n) => Some(n.to_bits().to_string()),
            _ => None,
        };
        record.datoms.iter().map(namespace).collect()
    };
    a == b && names(a) == names(b)
}

proptest! {
    #[test]
    fn a_record_survives(record in record()) {
        let bytes = encode(&record);
        let read = decode_record(&bytes).unwrap();
        prop_assert!(same(&read, &record), "{read:?}\n{record:?}");
        prop_assert_eq!(encode(&read), bytes);
    }

    #[test]
    fn a_record_cut_short_is_refused(record in record(), cut in any::<prop::sample::Index>()) {
        let bytes = encode(&record);
        prop_assert!(decode_record(&bytes[..cut.index(bytes.len())]).is_err());
    }

    #[test]
    fn any_bytes_are_a_record_or_refused(
        record in record(),
        noise in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = encode(&record);
        for (at, byte) in noise {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = decode_record(&bytes);
    }

    #[test]
    fn a_number_survives(n in any::<u64>()) {
        let mut out = Vec::new();
        put_varint(&mut out, n);
        put_zigzag(&mut out, n as i64);
        let mut reader = Reader::new(&out);
        prop_assert_eq!(reader.varint(), Ok(n));
        prop_assert_eq!(reader.zigzag(), Ok(n as i64));
        prop_assert!(reader.is_empty());
    }
}

#[test]
fn a_number_is_written_in_one_way_only() {
    for bytes in [&[0x80, 0x00][..], &[0xFF; 11], &[0x80; 9], &[]] {
        assert!(Reader::new(bytes).varint().is_err(), "{bytes:?}");
    }
    let most = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01];
    assert_eq!(Reader::new(&most).varint(), Ok(u64::MAX));
}

#[test]
fn a_length_beyond_the_end_allocates_nothing() {
    let mut bytes = Vec::new();
    put_varint(&mut bytes, u64::MAX);
    assert!(Reader::new(&bytes).bytes().is_err());
    assert!(Reader::new(&bytes).count(1).is_err());
}

#[test]
fn a_tuple_within_a_tuple_is_refused() {
    let inner = Value::Tuple(vec![None].into());
    let mut record = golden();
    record.datoms[0].v = Value::Tuple(vec![Some(inner)].into());
    let refused = encode_record(&mut Vec::new(), &record);
    assert!(matches!(refused, Err(crate::StorageError::NestedTuple)));
}

fn golden() -> Record {
    let e = Partition::USER.entity(1001);
    let values = [
        Value::from("text"),
        Value::from(false),
        Value::from(true),
        Value::from(-3),
        Value::from(BigInt::from(1_000_000)),
        Value::from(1.5f32),
        Value::from(-0.0),
        Value::from(BigDec::new(BigInt::from(150), 2)),
        Value::from(Instant::new(-1, 999).unwrap()),
        Value::from(Keyword::new(Some("a.b"), "c")),
        Value::from(Symbol::new(None, "s")),
        Value::from(Uuid::from_u128(1)),
        Value::from(Uri::new("urn:x")),
        Value::Bytes(Arc::from([1, 2])),
        Value::from(Partition::USER.entity(1000)),
        Value::Tuple(vec![Some(Value::from(7)), None].into()),
    ];
    let datom = |(at, v): (usize, Value)| Datom {
        e,
        a: EntityId::new(72 + at as u64 / 4),
        v,
        tx: T::new(1000).tx(),
        added: at % 5 != 0,
    };
    Record {
        t: T::new(1000),
        instant: Instant::from_ms(5),
        next_t: T::new(1002),
        next_element: 76,
        datoms: values.into_iter().enumerate().map(datom).collect(),
        index_changes: vec![IndexChange {
            attribute: EntityId::new(72),
            index: Index::Avet,
            on: true,
        }],
    }
}

/// These bytes are the stored format: a change here is a new version of it.
#[test]
fn the_bytes_of_a_record_are_these() {
    let hex: String = encode(&golden())
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(hex, include_str!("golden.hex").trim());
    assert!(same(&decode_record(&encode(&golden())).unwrap(), &golden()));
}
