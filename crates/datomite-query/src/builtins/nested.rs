//! More functions of collections: parts of parts, paths, sorted ones, arrays.

use datomite_model::{Edn, Value};

use super::collections::{entries, items, list_or_nil, lookup};
use super::number::Number;
use super::{Arg, Builtin, Invocation, MANY, Outcome, call, clj};
use crate::QueryError;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("ffirst", "(ffirst xs): first of the first", (1, 1), |c| {
        part(c, 0, 0)
    }),
    Builtin::new("nfirst", "(nfirst xs): next of the first", (1, 1), |c| {
        let all = items(c, 0)?;
        let first = all.first().unwrap_or(&Edn::Nil);
        let inner = call::seq(first).ok_or_else(|| c.wrong_type(0, "collections"))?;
        Ok(list_or_nil(inner.iter().skip(1).cloned().collect()))
    }),
    Builtin::new("fnext", "(fnext xs): the second element", (1, 1), |c| {
        Ok(items(c, 0)?.get(1).cloned().unwrap_or(Edn::Nil))
    }),
    Builtin::new("nnext", "(nnext xs): all but two, or nil", (1, 1), |c| {
        Ok(list_or_nil(items(c, 0)?.iter().skip(2).cloned().collect()))
    }),
    Builtin::new(
        "list*",
        "(list* x* xs): a list of x and the elements of xs",
        (1, MANY),
        |c| {
            let last = c.len() - 1;
            let mut all = Vec::new();
            for at in 0..last {
                all.push(c.edn(at)?.clone());
            }
            all.extend(items(c, last)?.iter().cloned());
            Ok(list_or_nil(all))
        },
    ),
    Builtin::new(
        "empty",
        "(empty xs): an empty one of its kind",
        (1, 1),
        |c| {
            Ok(match c.edn(0)? {
                Edn::List(_) => Edn::List(Vec::new()),
                Edn::Vector(_) | Edn::Value(Value::Tuple(_)) => Edn::Vector(Vec::new()),
                Edn::Map(_) => Edn::Map(Vec::new()),
                Edn::Set(_) => Edn::Set(Vec::new()),
                _ => Edn::Nil,
            })
        },
    ),
    Builtin::new(
        "pop",
        "(pop xs): without the last of a vector, the first of a list",
        (1, 1),
        |c| {
            let form = c.edn(0)?;
            if form.is_nil() {
                return Ok(Edn::Nil);
            }
            let mut all = in_order(c, 0)?;
            if all.is_empty() {
                return Err(c.wrong_type(0, "a vector or list with elements"));
            }
            if matches!(form, Edn::List(_)) {
                all.remove(0);
                return Ok(Edn::List(all));
            }
            all.pop();
            Ok(Edn::Vector(all))
        },
    ),
    Builtin::new(
        "rseq",
        "(rseq v): the elements of a vector from the end, or nil",
        (1, 1),
        |c| {
            if !matches!(c.edn(0)?, Edn::Vector(_) | Edn::Value(Value::Tuple(_))) {
                return Err(c.wrong_type(0, "a vector"));
            }
            Ok(list_or_nil(items(c, 0)?.iter().rev().cloned().collect()))
        },
    ),
    Builtin::new(
        "bounded-count",
        "(bounded-count n xs): how many elements",
        (2, 2),
        |c| Ok(Edn::long(items(c, 1)?.len() as i64)),
    ),
    Builtin::new(
        "sorted-set",
        "(sorted-set x*): a set, made in order",
        (0, MANY),
        |c| sorted_set(c, 0, &|a, b| natural(c, a, b)),
    ),
    Builtin::new(
        "sorted-set-by",
        "(sorted-set-by f x*): a set, made in the order of f",
        (1, MANY),
        |c| sorted_set(c, 1, &|a, b| by(c, a, b)),
    ),
    Builtin::new(
        "sorted-map",
        "(sorted-map k v ...): a map, made in the order of keys",
        (0, MANY),
        |c| sorted_map(c, 0, &|a, b| natural(c, a, b)),
    ),
    Builtin::new(
        "sorted-map-by",
        "(sorted-map-by f k v ...): a map, made in the order of f",
        (1, MANY),
        |c| sorted_map(c, 1, &|a, b| by(c, a, b)),
    ),
    Builtin::new(
        "assoc-in",
        "(assoc-in m ks x): m with x at a path",
        (3, 3),
        |c| {
            let path = path(c)?;
            changed_in(c, c.edn(0)?, &path, &|_| c.edn(2).cloned())
        },
    ),
    Builtin::new(
        "update-in",
        "(update-in m ks f x*): m with f of what is at a path",
        (3, MANY),
        |c| {
            let path = path(c)?;
            changed_in(c, c.edn(0)?, &path, &|old| {
                let more = c.args[3..].iter().copied();
                let args: Vec<Arg<'_>> = std::iter::once(Arg::Edn(old)).chain(more).collect();
                c.apply(2, &args)
            })
        },
    ),
    Builtin::new(
        "update",
        "(update m k f x*): m with f of the value of k",
        (3, MANY),
        |c| {
            changed_in(c, c.edn(0)?, &[c.edn(1)?.clone()], &|old| {
                let more = c.args[3..].iter().copied();
                let args: Vec<Arg<'_>> = std::iter::once(Arg::Edn(old)).chain(more).collect();
                c.apply(2, &args)
            })
        },
    ),
    Builtin::new(
        "update-keys",
        "(update-keys m f): m with f of each key",
        (2, 2),
        |c| {
            let mut renamed = Vec::new();
            for (key, value) in entries(c, 0)? {
                clj::put(&mut renamed, c.apply(1, &[Arg::Edn(&key)])?, value);
            }
            Ok(Edn::Map(renamed))
        },
    ),
    Builtin::new(
        "update-vals",
        "(update-vals m f): m with f of each value",
        (2, 2),
        |c| {
            let mut changed = Vec::new();
            for (key, value) in entries(c, 0)? {
                changed.push((key, c.apply(1, &[Arg::Edn(&value)])?));
            }
            Ok(Edn::Map(changed))
        },
    ),
    Builtin::new(
        "to-array",
        "(to-array xs): the elements, a vector",
        (1, 1),
        |c| Ok(Edn::Vector(items(c, 0)?.into_owned())),
    ),
    Builtin::new(
        "into-array",
        "(into-array class? xs): the elements, a vector",
        (1, 2),
        |c| Ok(Edn::Vector(items(c, c.len() - 1)?.into_owned())),
    ),
    Builtin::new(
        "object-array",
        "(object-array n): n nils, or the elements",
        (1, 1),
        |c| array(c, Edn::Nil),
    ),
    Builtin::new(
        "long-array",
        "(long-array n): n zeros, or the elements",
        (1, 1),
        |c| array(c, Edn::long(0)),
    ),
    Builtin::new(
        "int-array",
        "(int-array n): n zeros, or the elements",
        (1, 1),
        |c| array(c, Edn::long(0)),
    ),
    Builtin::new(
        "double-array",
        "(double-array n): n zeros, or the elements",
        (1, 1),
        |c| array(c, Number::Double(0.0).into_edn()),
    ),
    Builtin::new(
        "boolean-array",
        "(boolean-array n): n falses, or the elements",
        (1, 1),
        |c| array(c, Edn::Value(Value::Boolean(false))),
    ),
    Builtin::new(
        "byte-array",
        "(byte-array n): n zero bytes, or bytes of numbers",
        (1, 1),
        |c| {
            let form = array(c, Edn::long(0))?;
            let numbers = form.as_sequence().unwrap_or_default().iter();
            let bytes: Option<Vec<u8>> = numbers
                .map(|n| Some(i8::try_from(n.as_long()?).ok()? as u8))
                .collect();
            let bytes = bytes.ok_or_else(|| c.wrong_type(0, "numbers from -128 to 127"))?;
            Ok(Edn::Value(Value::Bytes(bytes.into())))
        },
    ),
    Builtin::new("aget", "(aget xs n): the element at n", (2, 2), |c| {
        let (all, at) = (items(c, 0)?, c.position(1)?);
        let found = usize::try_from(at).ok().and_then(|at| all.get(at));
        found
            .cloned()
            .ok_or_else(|| c.wrong_type(1, "a position inside the array"))
    }),
    Builtin::new("alength", "(alength xs): how many elements", (1, 1), |c| {
        Ok(Edn::long(items(c, 0)?.len() as i64))
    }),
    Builtin::new("aclone", "(aclone xs): the same elements", (1, 1), |c| {
        c.edn(0).cloned()
    }),
];

fn part(c: &Invocation<'_>, outer: usize, inner: usize) -> Outcome {
    let all = items(c, 0)?;
    let outer = all.get(outer).unwrap_or(&Edn::Nil);
    let parts = call::seq(outer).ok_or_else(|| c.wrong_type(0, "collections"))?;
    Ok(parts.get(inner).cloned().unwrap_or(Edn::Nil))
}

/// The elements of a list or vector.
pub(super) fn in_order(c: &Invocation<'_>, at: usize) -> Result<Vec<Edn>, QueryError> {
    let found = clj::elements(c.edn(at)?);
    found
        .map(std::borrow::Cow::into_owned)
        .ok_or_else(|| c.wrong_type(at, "a vector or list"))
}

type Order<'a> = &'a dyn Fn(&Edn, &Edn) -> Result<std::cmp::Ordering, QueryError>;

/// Clojure's own order; an error between kinds that have none.
pub(super) fn natural(
    c: &Invocation<'_>,
    a: &Edn,
    b: &Edn,
) -> Result<std::cmp::Ordering, QueryError> {
    c.tick()?;
    super::predicates::clojure_compare(a, b)
        .map(|order| order.cmp(&0))
        .ok_or_else(|| c.wrong_type(0, "things that compare"))
}

fn by(c: &Invocation<'_>, a: &Edn, b: &Edn) -> Result<std::cmp::Ordering, QueryError> {
    call::comparison(c.args[0], c.context, Arg::Edn(a), Arg::Edn(b))
}

/// Sorts by an order that may fail: a merge sort, stable, of any answers.
pub(super) fn sorted(all: &[Edn], order: Order<'_>) -> Result<Vec<Edn>, QueryError> {
    if all.len() < 2 {
        return Ok(all.to_vec());
    }
    let (left, right) = all.split_at(all.len() / 2);
    let (left, right) = (sorted(left, order)?, sorted(right, order)?);
    let mut merged = Vec::with_capacity(all.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if order(b, a)?.is_lt() {
            right.next()
        } else {
            left.next()
        };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}

fn sorted_set(c: &Invocation<'_>, from: usize, order: Order<'_>) -> Outcome {
    let all: Result<Vec<Edn>, QueryError> = (from..c.len()).map(|at| c.edn(at).cloned()).collect();
    let all = all?;
    if let [only] = all.as_slice() {
        order(only, only)?;
    }
    let mut kept: Vec<Edn> = Vec::new();
    for item in sorted(&all, order)? {
        match kept.last() {
            Some(last) if order(last, &item)?.is_eq() => {}
            _ => kept.push(item),
        }
    }
    Ok(Edn::Set(kept))
}

fn sorted_map(c: &Invocation<'_>, from: usize, order: Order<'_>) -> Outcome {
    if (c.len() - from) % 2 == 1 {
        return Err(c.wrong_type(c.len() - 1, "a value for each key"));
    }
    let mut pairs = Vec::new();
    for at in (from..c.len()).step_by(2) {
        clj::put(&mut pairs, c.edn(at)?.clone(), c.edn(at + 1)?.clone());
    }
    let keys: Vec<Edn> = pairs.iter().map(|(key, _)| key.clone()).collect();
    let map = Edn::Map(pairs);
    let sorted = sorted(&keys, order)?.into_iter().map(|key| {
        let value = lookup(&map, &key).unwrap_or(Edn::Nil);
        (key, value)
    });
    Ok(Edn::Map(sorted.collect()))
}

/// The keys of a path; an empty one is the key nil.
fn path(c: &Invocation<'_>) -> Result<Vec<Edn>, QueryError> {
    let path = items(c, 1)?.into_owned();
    Ok(if path.is_empty() {
        vec![Edn::Nil]
    } else {
        path
    })
}

/// The form with what is at a path replaced by a function of it.
fn changed_in(
    c: &Invocation<'_>,
    form: &Edn,
    path: &[Edn],
    change: &dyn Fn(&Edn) -> Outcome,
) -> Outcome {
    // Down along the path, then up again: no recursion.
    let mut here = form.clone();
    let mut passed = Vec::with_capacity(path.len());
    for key in path {
        let next = lookup(&here, key).unwrap_or(Edn::Nil);
        passed.push((std::mem::replace(&mut here, next), key));
    }
    passed
        .into_iter()
        .rev()
        .try_fold(change(&here)?, |value, (outer, key)| {
            super::collections::with_entry(c, outer, key, value)
        })
}

/// So many of one thing, or the elements of a collection.
fn array(c: &Invocation<'_>, filling: Edn) -> Outcome {
    if let Some(length) = Number::of(c.edn(0)?) {
        if length.sign().is_lt() {
            return Err(c.wrong_type(0, "a length from zero on"));
        }
        let length = c.count(0)?;
        c.check_length(length)?;
        return Ok(Edn::Vector(vec![filling; length]));
    }
    Ok(Edn::Vector(items(c, 0)?.into_owned()))
}
