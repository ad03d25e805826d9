//! A record as bytes.
//!
//! ```text
//! version u8 · t · next t − t · next element · instant · datom count · datoms
//! · change count · changes
//! datom:  head u8 · [entity, zigzag from the last] · [attribute, the same] · [tx] · value
//! head:   bits 0–3 the type of the value · 4 added · 5 same entity · 6 same attribute · 7 own tx
//! change: attribute · index · on
//! ```
//! The datoms keep the order of tx-data, duplicates and all.

use datomite_model::{Datom, EntityId, Index, T};

use super::value::{put_instant, put_value, tag_of, take_instant, take_value};
use super::{Malformed, Reader, put_varint, put_zigzag};
use crate::format::{RECORD_VERSION, TRANSACTION_BYTES_MAX};
use crate::{Basis, IndexChange, Record, StorageError};

const ADDED: u8 = 1 << 4;
const SAME_ENTITY: u8 = 1 << 5;
const SAME_ATTRIBUTE: u8 = 1 << 6;
const OWN_TX: u8 = 1 << 7;
const TAG: u8 = 0x0F;

/// Appends a record.
pub(crate) fn encode_record(out: &mut Vec<u8>, record: &Record) -> Result<(), StorageError> {
    let start = out.len();
    out.push(RECORD_VERSION);
    put_varint(out, record.t.raw());
    put_varint(out, record.next_t.raw().wrapping_sub(record.t.raw()));
    put_varint(out, record.next_element);
    put_instant(out, record.instant);
    put_varint(out, record.datoms.len() as u64);
    let tx = record.t.tx();
    let mut last = (EntityId::default(), EntityId::default());
    for datom in &record.datoms {
        put_datom(out, datom, tx, last)?;
        last = (datom.e, datom.a);
        let bytes = (out.len() - start) as u64;
        if bytes > TRANSACTION_BYTES_MAX {
            return Err(StorageError::TransactionTooLarge {
                bytes,
                limit: TRANSACTION_BYTES_MAX,
            });
        }
    }
    put_varint(out, record.index_changes.len() as u64);
    for change in &record.index_changes {
        put_varint(out, change.attribute.raw());
        out.push(index_number(change.index));
        out.push(u8::from(change.on));
    }
    Ok(())
}

fn put_datom(
    out: &mut Vec<u8>,
    datom: &Datom,
    tx: EntityId,
    (last_e, last_a): (EntityId, EntityId),
) -> Result<(), StorageError> {
    let mut head = tag_of(&datom.v);
    for (bit, set) in [
        (ADDED, datom.added),
        (SAME_ENTITY, datom.e == last_e),
        (SAME_ATTRIBUTE, datom.a == last_a),
        (OWN_TX, datom.tx == tx),
    ] {
        if set {
            head |= bit;
        }
    }
    out.push(head);
    if head & SAME_ENTITY == 0 {
        put_zigzag(out, datom.e.raw().wrapping_sub(last_e.raw()) as i64);
    }
    if head & SAME_ATTRIBUTE == 0 {
        put_zigzag(out, datom.a.raw().wrapping_sub(last_a.raw()) as i64);
    }
    if head & OWN_TX == 0 {
        put_varint(out, datom.tx.raw());
    }
    put_value(out, datom.e, &datom.v)
}

/// Where a record stands and what follows it, without its datoms.
pub(crate) fn peek_record(bytes: &[u8]) -> Result<Basis, Malformed> {
    take_head(&mut Reader::new(bytes))
}

/// Reads a record; all bytes must belong to it.
pub(crate) fn decode_record(bytes: &[u8]) -> Result<Record, Malformed> {
    let mut reader = Reader::new(bytes);
    let basis = take_head(&mut reader)?;
    let instant = take_instant(&mut reader)?;
    let count = reader.count(1)?;
    let tx = basis.t.tx();
    let mut datoms = Vec::with_capacity(count);
    let mut last = (EntityId::default(), EntityId::default());
    for _ in 0..count {
        let datom = take_datom(&mut reader, tx, last)?;
        last = (datom.e, datom.a);
        datoms.push(datom);
    }
    let count = reader.count(3)?;
    let mut index_changes = Vec::with_capacity(count);
    for _ in 0..count {
        index_changes.push(IndexChange {
            attribute: EntityId::new(reader.varint()?),
            index: index_of(reader.u8()?)?,
            on: match reader.u8()? {
                0 => false,
                1 => true,
                _ => return Err(Malformed("an index change neither on nor off")),
            },
        });
    }
    if !reader.is_empty() {
        return Err(Malformed("bytes after the end of a record"));
    }
    Ok(Record {
        t: basis.t,
        instant,
        next_t: basis.next_t,
        next_element: basis.next_element,
        datoms,
        index_changes,
    })
}

fn take_head(reader: &mut Reader<'_>) -> Result<Basis, Malformed> {
    if reader.u8()? != RECORD_VERSION {
        return Err(Malformed("a record of unknown version"));
    }
    let t = reader.varint()?;
    let next_t = t.wrapping_add(reader.varint()?);
    Ok(Basis {
        t: T::new(t),
        next_t: T::new(next_t),
        next_element: reader.varint()?,
    })
}

fn take_datom(
    reader: &mut Reader<'_>,
    tx: EntityId,
    (last_e, last_a): (EntityId, EntityId),
) -> Result<Datom, Malformed> {
    let head = reader.u8()?;
    let mut step = |same: u8, last: EntityId| -> Result<EntityId, Malformed> {
        if head & same != 0 {
            return Ok(last);
        }
        Ok(EntityId::new(
            last.raw().wrapping_add(reader.zigzag()? as u64),
        ))
    };
    let e = step(SAME_ENTITY, last_e)?;
    let a = step(SAME_ATTRIBUTE, last_a)?;
    let tx = if head & OWN_TX == 0 {
        EntityId::new(reader.varint()?)
    } else {
        tx
    };
    Ok(Datom {
        e,
        a,
        v: take_value(reader, e, head & TAG)?,
        tx,
        added: head & ADDED != 0,
    })
}

fn index_number(index: Index) -> u8 {
    match index {
        Index::Eavt => 0,
        Index::Aevt => 1,
        Index::Avet => 2,
        Index::Vaet => 3,
    }
}

fn index_of(number: u8) -> Result<Index, Malformed> {
    Index::ALL
        .into_iter()
        .find(|index| index_number(*index) == number)
        .ok_or(Malformed("an index of unknown number"))
}
