//! Values as bytes: a tag of four bits, kept by the caller, and a body.
//!
//! The tags are part of the stored format and never change meaning. The body preserves the value
//! exactly: the bits of a float, the scale of a decimal, where a keyword's namespace ends.
//! References are written relative to the entity of their datom.

use std::sync::Arc;

use datomite_model::{BigDec, BigInt, EntityId, Instant, Keyword, Symbol, Uri, Uuid, Value};

use super::{Malformed, Reader, put_bytes, put_varint, put_zigzag};
use crate::StorageError;
use crate::format::VALUE_BYTES_MAX;

const STRING: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const LONG: u8 = 3;
const BIG_INT: u8 = 4;
const FLOAT: u8 = 5;
const DOUBLE: u8 = 6;
const BIG_DEC: u8 = 7;
const INSTANT: u8 = 8;
const KEYWORD: u8 = 9;
const SYMBOL: u8 = 10;
const UUID: u8 = 11;
const URI: u8 = 12;
const BYTES: u8 = 13;
const REF: u8 = 14;
const TUPLE: u8 = 15;
/// Only inside a tuple: the gap.
const NIL: u8 = 16;

/// The tag of a value: 0–15.
pub(super) fn tag_of(value: &Value) -> u8 {
    match value {
        Value::String(_) => STRING,
        Value::Boolean(false) => FALSE,
        Value::Boolean(true) => TRUE,
        Value::Long(_) => LONG,
        Value::BigInt(_) => BIG_INT,
        Value::Float(_) => FLOAT,
        Value::Double(_) => DOUBLE,
        Value::BigDec(_) => BIG_DEC,
        Value::Instant(_) => INSTANT,
        Value::Keyword(_) => KEYWORD,
        Value::Symbol(_) => SYMBOL,
        Value::Uuid(_) => UUID,
        Value::Uri(_) => URI,
        Value::Bytes(_) => BYTES,
        Value::Ref(_) => REF,
        Value::Tuple(_) => TUPLE,
        _ => unreachable!("invariant: every type of value has a tag"),
    }
}

/// Appends the body of a value that stands in a datom of entity `e`.
pub(super) fn put_value(out: &mut Vec<u8>, e: EntityId, value: &Value) -> Result<(), StorageError> {
    match value {
        Value::Tuple(items) => {
            put_varint(out, items.len() as u64);
            for item in items.iter() {
                match item {
                    None => out.push(NIL),
                    Some(Value::Tuple(_)) => return Err(StorageError::NestedTuple),
                    Some(value) => {
                        out.push(tag_of(value));
                        put_scalar(out, e, value)?;
                    }
                }
            }
            Ok(())
        }
        _ => put_scalar(out, e, value),
    }
}

fn put_scalar(out: &mut Vec<u8>, e: EntityId, value: &Value) -> Result<(), StorageError> {
    match value {
        Value::String(text) => put_limited(out, text.as_bytes())?,
        Value::Boolean(_) => {}
        Value::Long(n) => put_zigzag(out, *n),
        Value::BigInt(n) => put_limited(out, &n.to_signed_bytes_le())?,
        Value::Float(n) => out.extend_from_slice(&n.to_bits().to_le_bytes()),
        Value::Double(n) => out.extend_from_slice(&n.to_bits().to_le_bytes()),
        Value::BigDec(n) => {
            put_zigzag(out, n.scale());
            put_limited(out, &n.unscaled().to_signed_bytes_le())?;
        }
        Value::Instant(instant) => put_instant(out, *instant),
        Value::Keyword(name) => put_name(out, name.namespace(), name.name())?,
        Value::Symbol(name) => put_name(out, name.namespace(), name.name())?,
        Value::Uuid(uuid) => out.extend_from_slice(uuid.as_bytes()),
        Value::Uri(uri) => put_limited(out, uri.as_str().as_bytes())?,
        Value::Bytes(bytes) => put_limited(out, bytes)?,
        Value::Ref(id) => put_zigzag(out, id.raw().wrapping_sub(e.raw()) as i64),
        _ => unreachable!("invariant: every type of value has a body"),
    }
    Ok(())
}

fn put_limited(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), StorageError> {
    check_length(bytes)?;
    put_bytes(out, bytes);
    Ok(())
}

fn check_length(bytes: &[u8]) -> Result<(), StorageError> {
    match bytes.len() as u64 {
        bytes if bytes > VALUE_BYTES_MAX => Err(StorageError::ValueTooLarge {
            bytes,
            limit: VALUE_BYTES_MAX,
        }),
        _ => Ok(()),
    }
}

/// Zero where there is no namespace, else its length plus one; then the name.
fn put_name(out: &mut Vec<u8>, namespace: Option<&str>, name: &str) -> Result<(), StorageError> {
    match namespace {
        None => put_varint(out, 0),
        Some(namespace) => {
            check_length(namespace.as_bytes())?;
            put_varint(out, namespace.len() as u64 + 1);
            out.extend_from_slice(namespace.as_bytes());
        }
    }
    put_limited(out, name.as_bytes())
}

/// Appends an instant: zigzag milliseconds, microseconds.
pub(super) fn put_instant(out: &mut Vec<u8>, instant: Instant) {
    put_zigzag(out, instant.ms());
    put_varint(out, u64::from(instant.us()));
}

/// Reads an instant.
pub(super) fn take_instant(reader: &mut Reader<'_>) -> Result<Instant, Malformed> {
    let ms = reader.zigzag()?;
    let us = u16::try_from(reader.varint()?).map_err(|_| Malformed("an instant out of range"))?;
    Instant::new(ms, us).ok_or(Malformed("an instant out of range"))
}

/// Reads the body of a value with that tag.
pub(super) fn take_value(
    reader: &mut Reader<'_>,
    e: EntityId,
    tag: u8,
) -> Result<Value, Malformed> {
    if tag != TUPLE {
        return take_scalar(reader, e, tag);
    }
    let count = reader.count(1)?;
    let mut items = Vec::with_capacity(count.min(64));
    for _ in 0..count {
        items.push(match reader.u8()? {
            NIL => None,
            tag => Some(take_scalar(reader, e, tag)?),
        });
    }
    Ok(Value::Tuple(items.into()))
}

fn take_scalar(reader: &mut Reader<'_>, e: EntityId, tag: u8) -> Result<Value, Malformed> {
    Ok(match tag {
        STRING => Value::String(Arc::from(reader.text()?)),
        FALSE => Value::Boolean(false),
        TRUE => Value::Boolean(true),
        LONG => Value::Long(reader.zigzag()?),
        BIG_INT => Value::BigInt(Arc::new(BigInt::from_signed_bytes_le(reader.bytes()?))),
        FLOAT => Value::Float(f32::from_bits(reader.u32()?)),
        DOUBLE => Value::Double(f64::from_bits(reader.u64()?)),
        BIG_DEC => {
            let scale = reader.zigzag()?;
            let unscaled = BigInt::from_signed_bytes_le(reader.bytes()?);
            Value::BigDec(Arc::new(BigDec::new(unscaled, scale)))
        }
        INSTANT => Value::Instant(take_instant(reader)?),
        KEYWORD => {
            let (namespace, name) = take_name(reader)?;
            Value::Keyword(Keyword::new(namespace, name))
        }
        SYMBOL => {
            let (namespace, name) = take_name(reader)?;
            Value::Symbol(Symbol::new(namespace, name))
        }
        UUID => Value::Uuid(Uuid::from_bytes(reader.array()?)),
        URI => Value::Uri(Uri::new(reader.text()?)),
        BYTES => Value::Bytes(Arc::from(reader.bytes()?)),
        REF => Value::Ref(EntityId::new(e.raw().wrapping_add(reader.zigzag()? as u64))),
        _ => return Err(Malformed("a value of unknown type")),
    })
}

fn take_name<'a>(reader: &mut Reader<'a>) -> Result<(Option<&'a str>, &'a str), Malformed> {
    let namespace = match reader.varint()? {
        0 => None,
        length => {
            let length =
                usize::try_from(length - 1).map_err(|_| Malformed("a length beyond the end"))?;
            let bytes = reader.take(length)?;
            Some(std::str::from_utf8(bytes).map_err(|_| Malformed("a text that is not UTF-8"))?)
        }
    };
    Ok((namespace, reader.text()?))
}
