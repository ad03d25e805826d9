//! Tagged forms that are values: `#inst`, `#uuid`, and our own for what plain EDN cannot write.
//!
//! `#uri "…"`, `#float 1.5`, `#bytes "00ff"` stand for the types that EDN has no text for, and
//! `#keyword ["ns" "name"]`, `#symbol [nil "a b"]` for names that do not read as themselves.
//! Any other tag is kept, see [`Edn::Tagged`].

use std::sync::Arc;

use super::parse_inst;
use crate::{Edn, Keyword, Symbol, Uri, Uuid, Value};

/// The value that the tagged form stands for; `None` where the tag makes none.
pub(super) fn make(tag: &str, form: &Edn) -> Result<Option<Edn>, String> {
    let (value, expected) = match tag {
        "inst" => (
            form.as_str().and_then(parse_inst).map(Value::Instant),
            "an instant such as \"2020-01-31T12:30:00.000Z\"",
        ),
        "uuid" => (
            form.as_str().and_then(parse_uuid).map(Value::Uuid),
            "a uuid such as \"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\"",
        ),
        "uri" => (
            form.as_str().map(|text| Value::Uri(Uri::new(text))),
            "a string",
        ),
        "float" => (parse_float(form), "a number"),
        "bytes" => (
            form.as_str().and_then(parse_hex).map(Value::Bytes),
            "a string of hexadecimal digits, two a byte",
        ),
        "keyword" => (
            name_parts(form).map(|(ns, name)| Value::Keyword(Keyword::new(ns, name))),
            "a vector of namespace or nil and name",
        ),
        "symbol" => (
            name_parts(form).map(|(ns, name)| Value::Symbol(Symbol::new(ns, name))),
            "a vector of namespace or nil and name",
        ),
        _ => return Ok(None),
    };
    match value {
        Some(value) => Ok(Some(Edn::Value(value))),
        None => Err(format!("expected {expected} after #{tag}, found {form}")),
    }
}

/// The form with hyphens alone, whatever the case.
fn parse_uuid(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::parse_str(text).ok())?
}

fn parse_float(form: &Edn) -> Option<Value> {
    let number = match form {
        Edn::Value(Value::Double(number)) => *number as f32,
        Edn::Value(Value::Long(number)) => *number as f32,
        _ => return None,
    };
    Some(Value::Float(number))
}

fn parse_hex(text: &str) -> Option<Arc<[u8]>> {
    let nibble = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| u8::try_from(nibble(*high)? * 16 + nibble(*low)?).ok())
        .collect()
}

fn name_parts(form: &Edn) -> Option<(Option<&str>, &str)> {
    match form.as_sequence()? {
        [Edn::Nil, name] => Some((None, name.as_str()?)),
        [namespace, name] => Some((Some(namespace.as_str()?), name.as_str()?)),
        _ => None,
    }
}
