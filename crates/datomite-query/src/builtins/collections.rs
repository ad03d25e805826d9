//! Functions that build, read and change one collection.
//!
//! Nil puns as Clojure has it: nil is an empty collection wherever one is read. Maps and sets keep
//! the order in which they were made; no answer depends on it.

use std::borrow::Cow;

use datomite_model::{Edn, Value};

use super::call::seq;
use super::{Builtin, CallError, Invocation, MANY, Outcome, clj};
use crate::QueryError;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new(
        "vector",
        "(vector x*): a vector of its arguments",
        (0, MANY),
        |c| arguments(c).map(Edn::Vector),
    ),
    Builtin::new(
        "list",
        "(list x*): a list of its arguments",
        (0, MANY),
        |c| arguments(c).map(Edn::List),
    ),
    Builtin::new("hash-map", "(hash-map k v ...): a map", (0, MANY), hash_map),
    Builtin::new(
        "array-map",
        "(array-map k v ...): a map",
        (0, MANY),
        hash_map,
    ),
    Builtin::new(
        "hash-set",
        "(hash-set x*): a set of its arguments",
        (0, MANY),
        |c| arguments(c).map(|items| Edn::Set(clj::distinct(items))),
    ),
    Builtin::new("set", "(set xs): the elements as a set", (1, 1), |c| {
        Ok(Edn::Set(clj::distinct(items(c, 0)?.into_owned())))
    }),
    Builtin::new("vec", "(vec xs): the elements as a vector", (1, 1), |c| {
        Ok(Edn::Vector(items(c, 0)?.into_owned()))
    }),
    Builtin::new(
        "count",
        "(count xs): how many elements or UTF-16 units",
        (1, 1),
        count,
    ),
    Builtin::new(
        "empty?",
        "(empty? xs): whether there are no elements",
        (1, 1),
        |c| c.bool(items(c, 0)?.is_empty()),
    ),
    Builtin::new(
        "not-empty",
        "(not-empty xs): xs, or nil if empty",
        (1, 1),
        |c| {
            Ok(if items(c, 0)?.is_empty() {
                Edn::Nil
            } else {
                c.edn(0)?.clone()
            })
        },
    ),
    Builtin::new(
        "seq",
        "(seq xs): the elements as a list, or nil",
        (1, 1),
        |c| Ok(list_or_nil(items(c, 0)?.into_owned())),
    ),
    Builtin::new(
        "first",
        "(first xs): the first element, or nil",
        (1, 1),
        |c| {
            let first = super::endless::up_to(c, 0, 1)?;
            Ok(first.first().cloned().unwrap_or(Edn::Nil))
        },
    ),
    Builtin::new(
        "second",
        "(second xs): the second element, or nil",
        (1, 1),
        |c| Ok(items(c, 0)?.get(1).cloned().unwrap_or(Edn::Nil)),
    ),
    Builtin::new("last", "(last xs): the last element, or nil", (1, 1), |c| {
        Ok(items(c, 0)?.last().cloned().unwrap_or(Edn::Nil))
    }),
    Builtin::new(
        "peek",
        "(peek xs): last of a vector, first of a list",
        (1, 1),
        |c| {
            if !matches!(c.edn(0)?, Edn::Nil) && clj::elements(c.edn(0)?).is_none() {
                return Err(c.wrong_type(0, "a vector or list"));
            }
            let items = items(c, 0)?;
            let list = matches!(c.edn(0)?, Edn::List(_));
            let end = if list { items.first() } else { items.last() };
            Ok(end.cloned().unwrap_or(Edn::Nil))
        },
    ),
    Builtin::new("rest", "(rest xs): all but the first", (1, 1), |c| {
        Ok(Edn::List(items(c, 0)?.iter().skip(1).cloned().collect()))
    }),
    Builtin::new(
        "next",
        "(next xs): all but the first, or nil",
        (1, 1),
        |c| Ok(list_or_nil(items(c, 0)?.iter().skip(1).cloned().collect())),
    ),
    Builtin::new(
        "butlast",
        "(butlast xs): all but the last, or nil",
        (1, 1),
        |c| {
            let mut items = items(c, 0)?.into_owned();
            items.pop();
            Ok(list_or_nil(items))
        },
    ),
    Builtin::new("nth", "(nth xs n default?): the element at n", (2, 3), nth),
    Builtin::new(
        "get",
        "(get m k default?): the value of a key",
        (2, 3),
        |c| {
            let found = lookup(c.edn(0)?, c.edn(1)?);
            Ok(match found {
                Some(value) => value,
                None => c.optional(2)?.clone(),
            })
        },
    ),
    Builtin::new(
        "get-in",
        "(get-in m ks default?): the value of a path",
        (2, 3),
        get_in,
    ),
    Builtin::new(
        "contains?",
        "(contains? m k): whether a key is there",
        (2, 2),
        contains,
    ),
    Builtin::new(
        "find",
        "(find m k): the entry of a key, or nil",
        (2, 2),
        |c| {
            let key = c.edn(1)?;
            let found = lookup(c.edn(0)?, key);
            Ok(found.map_or(Edn::Nil, |value| Edn::Vector(vec![key.clone(), value])))
        },
    ),
    Builtin::new("keys", "(keys m): the keys of a map, or nil", (1, 1), |c| {
        Ok(list_or_nil(
            entries(c, 0)?.into_iter().map(|(key, _)| key).collect(),
        ))
    }),
    Builtin::new(
        "vals",
        "(vals m): the values of a map, or nil",
        (1, 1),
        |c| {
            Ok(list_or_nil(
                entries(c, 0)?.into_iter().map(|(_, value)| value).collect(),
            ))
        },
    ),
    Builtin::new("key", "(key entry): the key of a map entry", (1, 1), |c| {
        Ok(entry(c)?.0)
    }),
    Builtin::new(
        "val",
        "(val entry): the value of a map entry",
        (1, 1),
        |c| Ok(entry(c)?.1),
    ),
    Builtin::new(
        "conj",
        "(conj xs x*): xs with more elements",
        (0, MANY),
        conj,
    ),
    Builtin::new("cons", "(cons x xs): a list of x and xs", (2, 2), |c| {
        let mut all = vec![c.edn(0)?.clone()];
        all.extend(items(c, 1)?.iter().cloned());
        Ok(Edn::List(all))
    }),
    Builtin::new(
        "disj",
        "(disj set x*): the set without elements",
        (1, MANY),
        disj,
    ),
    Builtin::new(
        "assoc",
        "(assoc m k v ...): m with keys set",
        (3, MANY),
        assoc,
    ),
    Builtin::new("dissoc", "(dissoc m k*): m without keys", (1, MANY), dissoc),
    Builtin::new(
        "merge",
        "(merge m*): one map of all, later ones win",
        (0, MANY),
        |c| {
            let mut merged = Edn::Nil;
            for at in 0..c.len() {
                let next = c.edn(at)?;
                if at > 0 && merged.is_nil() && !next.is_nil() {
                    merged = joined(c, Edn::Map(Vec::new()), next)?;
                } else if at == 0 || !next.is_nil() {
                    merged = match (at, merged) {
                        (0, _) => next.clone(),
                        (_, merged) => joined(c, merged, next)?,
                    };
                }
            }
            Ok(merged)
        },
    ),
    Builtin::new(
        "into",
        "(into xs xform? ys): xs with the elements of ys, through a transducer",
        (0, 3),
        |c| {
            let all = match c.len() {
                0 => return Ok(Edn::Vector(Vec::new())),
                1 => return c.edn(0).cloned(),
                2 => items(c, 1)?,
                _ => {
                    let elements = items(c, 2)?.into_owned();
                    Cow::Owned(super::endless::through(c, c.args[1], elements)?)
                }
            };
            if let Edn::Set(known) = c.edn(0)? {
                let all = known.iter().chain(all.iter()).cloned();
                return Ok(Edn::Set(clj::distinct(all)));
            }
            all.iter()
                .try_fold(c.edn(0)?.clone(), |into, item| joined(c, into, item))
        },
    ),
    Builtin::new(
        "select-keys",
        "(select-keys m ks): only these keys",
        (2, 2),
        |c| {
            let map = c.edn(0)?;
            let found = |key: &Edn| lookup(map, key).map(|value| (key.clone(), value));
            Ok(Edn::Map(items(c, 1)?.iter().filter_map(found).collect()))
        },
    ),
    Builtin::new(
        "zipmap",
        "(zipmap ks vs): a map of keys to values",
        (2, 2),
        |c| {
            let mut entries = Vec::new();
            for (key, value) in items(c, 0)?.iter().zip(items(c, 1)?.iter()) {
                clj::put(&mut entries, key.clone(), value.clone());
            }
            Ok(Edn::Map(entries))
        },
    ),
    Builtin::new(
        "subvec",
        "(subvec v start end?): part of a vector",
        (2, 3),
        |c| {
            let Edn::Vector(all) = c.edn(0)? else {
                return Err(c.wrong_type(0, "a vector"));
            };
            let start = c.position(1)?;
            let end = if c.len() > 2 {
                c.position(2)?
            } else {
                all.len() as i64
            };
            let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
            match range.and_then(|(start, end)| all.get(start..end)) {
                Some(part) => Ok(Edn::Vector(part.to_vec())),
                None => Err(out_of_bounds(
                    c,
                    if start < 0 { start } else { end },
                    all.len(),
                )),
            }
        },
    ),
];

/// The elements of an argument, or the error that it has none.
pub(super) fn items<'a>(c: &Invocation<'a>, at: usize) -> Result<Cow<'a, [Edn]>, QueryError> {
    match c.args[at] {
        super::Arg::Edn(form) => seq(form).ok_or_else(|| c.wrong_type(at, "a collection")),
        _ => Err(c.wrong_type(at, "a collection")),
    }
}

/// The argument as the entry of a map.
fn entry(c: &Invocation<'_>) -> Result<(Edn, Edn), QueryError> {
    match c.edn(0)? {
        Edn::Vector(pair) if pair.len() == 2 => Ok((pair[0].clone(), pair[1].clone())),
        _ => Err(c.wrong_type(0, "an entry of a map")),
    }
}

/// Whether a set or map has a key, or a vector a position.
pub(super) fn has_key(collection: &Edn, key: &Edn) -> bool {
    match collection {
        Edn::Value(Value::String(_)) | Edn::List(_) => false,
        collection => lookup(collection, key).is_some(),
    }
}

fn arguments(c: &Invocation<'_>) -> Result<Vec<Edn>, QueryError> {
    (0..c.len()).map(|at| c.edn(at).cloned()).collect()
}

pub(super) fn list_or_nil(items: Vec<Edn>) -> Edn {
    if items.is_empty() {
        Edn::Nil
    } else {
        Edn::List(items)
    }
}

fn out_of_bounds(c: &Invocation<'_>, index: i64, length: usize) -> QueryError {
    CallError::OutOfBounds {
        function: c.function(),
        index,
        length,
    }
    .into()
}

/// The value of a key in a map, the member of a set, the element of a vector or string.
pub(super) fn lookup(collection: &Edn, key: &Edn) -> Option<Edn> {
    match collection {
        Edn::Map(entries) => entries
            .iter()
            .find(|(k, _)| clj::equal(k, key))
            .map(|(_, value)| value.clone()),
        Edn::Set(items) => items.iter().find(|item| clj::equal(item, key)).cloned(),
        Edn::Vector(items) => items.get(index(key)?).cloned(),
        Edn::Value(Value::Tuple(slots)) => {
            let slot = slots.get(index(key)?)?;
            Some(slot.clone().map_or(Edn::Nil, Edn::from))
        }
        Edn::Value(Value::String(text)) => text.chars().nth(index(key)?).map(Edn::Char),
        _ => None,
    }
}

fn index(key: &Edn) -> Option<usize> {
    usize::try_from(key.as_long()?).ok()
}

/// A vector called as a function.
pub(super) fn element_at(form: &Edn, key: &Edn) -> Outcome {
    lookup(form, key).ok_or_else(|| {
        CallError::OutOfBounds {
            function: datomite_model::Symbol::parse("vector"),
            index: key.as_long().unwrap_or(-1),
            length: seq(form).map_or(0, |items| items.len()),
        }
        .into()
    })
}

fn count(c: &Invocation<'_>) -> Outcome {
    let length = match c.edn(0)? {
        Edn::Value(Value::String(text)) => text.encode_utf16().count(),
        Edn::Map(entries) => entries.len(),
        _ => items(c, 0)?.len(),
    };
    Ok(Edn::long(length as i64))
}

fn hash_map(c: &Invocation<'_>) -> Outcome {
    if c.len() % 2 == 1 {
        return Err(c.wrong_type(c.len() - 1, "a value for each key"));
    }
    let mut entries = Vec::with_capacity(c.len() / 2);
    for at in (0..c.len()).step_by(2) {
        clj::put(&mut entries, c.edn(at)?.clone(), c.edn(at + 1)?.clone());
    }
    Ok(Edn::Map(entries))
}

fn nth(c: &Invocation<'_>) -> Outcome {
    match c.args[0] {
        super::Arg::Edn(Edn::Set(_) | Edn::Map(_)) => {
            return Err(c.wrong_type(0, "a sequence"));
        }
        super::Arg::Edn(Edn::Nil) => return Ok(c.optional(2)?.clone()),
        _ => {}
    }
    let at = c.position(1)?;
    let wanted = usize::try_from(at).map_or(0, |at| at.saturating_add(1));
    let all = super::endless::up_to(c, 0, wanted)?;
    match usize::try_from(at).ok().and_then(|at| all.get(at)) {
        Some(item) => Ok(item.clone()),
        None if c.len() > 2 => Ok(c.edn(2)?.clone()),
        None => Err(out_of_bounds(c, at, all.len())),
    }
}

fn get_in(c: &Invocation<'_>) -> Outcome {
    let path = items(c, 1)?;
    let found = path
        .iter()
        .try_fold(c.edn(0)?.clone(), |here, key| lookup(&here, key));
    Ok(match found {
        Some(value) => value,
        None => c.optional(2)?.clone(),
    })
}

fn contains(c: &Invocation<'_>) -> Outcome {
    let (collection, key) = (c.edn(0)?, c.edn(1)?);
    match collection {
        Edn::Nil => c.bool(false),
        Edn::Map(_)
        | Edn::Set(_)
        | Edn::Vector(_)
        | Edn::Value(Value::String(_) | Value::Tuple(_)) => {
            c.bool(lookup(collection, key).is_some())
        }
        _ => Err(c.wrong_type(0, "a map, set, vector or string")),
    }
}

/// The entries of a map; nil and what is empty has none.
pub(super) fn entries(c: &Invocation<'_>, at: usize) -> Result<Vec<(Edn, Edn)>, QueryError> {
    match c.edn(at)? {
        Edn::Map(entries) => Ok(super::hash::map_order(entries).into_owned()),
        Edn::Nil => Ok(Vec::new()),
        form if matches!(c.name, "keys" | "vals")
            && seq(form).is_some_and(|all| all.is_empty()) =>
        {
            Ok(Vec::new())
        }
        Edn::Vector(pair) if pair.len() == 2 && c.name == "merge" => {
            Ok(vec![(pair[0].clone(), pair[1].clone())])
        }
        _ => Err(c.wrong_type(at, "a map")),
    }
}

/// The collection with one more element, where its kind puts it.
fn joined(c: &Invocation<'_>, collection: Edn, item: &Edn) -> Outcome {
    Ok(match collection {
        Edn::Nil => Edn::List(vec![item.clone()]),
        Edn::Vector(mut items) => {
            items.push(item.clone());
            Edn::Vector(items)
        }
        Edn::List(mut items) => {
            items.insert(0, item.clone());
            Edn::List(items)
        }
        Edn::Set(mut items) => {
            if !items.iter().any(|known| clj::equal(known, item)) {
                items.push(item.clone());
            }
            Edn::Set(items)
        }
        Edn::Map(mut entries) => {
            match item {
                Edn::Vector(pair) if pair.len() == 2 => {
                    clj::put(&mut entries, pair[0].clone(), pair[1].clone());
                }
                Edn::Map(more) => {
                    for (key, value) in more {
                        clj::put(&mut entries, key.clone(), value.clone());
                    }
                }
                Edn::Nil => {}
                _ => return Err(c.wrong_type(1, "an entry of two elements, or a map")),
            }
            Edn::Map(entries)
        }
        _ => return Err(c.wrong_type(0, "a collection")),
    })
}

fn conj(c: &Invocation<'_>) -> Outcome {
    if c.len() == 0 {
        return Ok(Edn::Vector(Vec::new()));
    }
    (1..c.len()).try_fold(c.edn(0)?.clone(), |all, at| joined(c, all, c.edn(at)?))
}

fn disj(c: &Invocation<'_>) -> Outcome {
    let mut items = match c.edn(0)? {
        Edn::Set(items) => items.clone(),
        Edn::Nil => return Ok(Edn::Nil),
        _ => return Err(c.wrong_type(0, "a set")),
    };
    for at in 1..c.len() {
        let gone = c.edn(at)?;
        items.retain(|item| !clj::equal(item, gone));
    }
    Ok(Edn::Set(items))
}

fn assoc(c: &Invocation<'_>) -> Outcome {
    if c.len().is_multiple_of(2) {
        return Err(c.wrong_type(c.len() - 1, "a value for each key"));
    }
    (1..c.len())
        .step_by(2)
        .try_fold(c.edn(0)?.clone(), |all, at| {
            with_entry(c, all, c.edn(at)?, c.edn(at + 1)?.clone())
        })
}

/// A map with another value of a key, a vector with another element.
pub(super) fn with_entry(c: &Invocation<'_>, collection: Edn, key: &Edn, value: Edn) -> Outcome {
    match collection {
        Edn::Nil => Ok(Edn::Map(vec![(key.clone(), value)])),
        Edn::Map(mut entries) => {
            clj::put(&mut entries, key.clone(), value);
            Ok(Edn::Map(entries))
        }
        Edn::Vector(mut items) => {
            let at = key.as_long().ok_or_else(|| c.wrong_type(1, "a position"))?;
            match usize::try_from(at) {
                Ok(here) if here < items.len() => items[here] = value,
                Ok(here) if here == items.len() => items.push(value),
                _ => return Err(out_of_bounds(c, at, items.len())),
            }
            Ok(Edn::Vector(items))
        }
        _ => Err(c.wrong_type(0, "a map or vector")),
    }
}

fn dissoc(c: &Invocation<'_>) -> Outcome {
    if c.edn(0)?.is_nil() {
        return Ok(Edn::Nil);
    }
    let mut all = entries(c, 0)?;
    for at in 1..c.len() {
        let gone = c.edn(at)?;
        all.retain(|(key, _)| !clj::equal(key, gone));
    }
    Ok(Edn::Map(all))
}
