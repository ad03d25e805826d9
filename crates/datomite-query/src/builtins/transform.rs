//! Functions over sequences that fold, cut, thin out or shuffle them, and those over transducers.

use std::hash::{BuildHasher, Hasher};

use datomite_model::{Edn, Symbol, Uuid, Value};

use super::call::call_arg;
use super::collections::{items, list_or_nil};
use super::{Arg, Builtin, Invocation, MANY, Outcome, clj, endless};
use crate::QueryError;

/// What `reduced` puts around a value.
const REDUCED_TAG: &str = "reduced";

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new(
        "reduce-kv",
        "(reduce-kv f init m): folds f over keys and values",
        (3, 3),
        reduce_kv,
    ),
    Builtin::new(
        "reductions",
        "(reductions f init? xs): every step of a fold",
        (2, 3),
        reductions,
    ),
    Builtin::new("reduced", "(reduced x): ends a fold with x", (1, 1), |c| {
        let tag = Symbol::parse(REDUCED_TAG);
        Ok(Edn::Tagged(tag, Box::new(c.edn(0)?.clone())))
    }),
    Builtin::new(
        "unreduced",
        "(unreduced x): x without reduced around it",
        (1, 1),
        |c| Ok(unreduced(c.edn(0)?.clone()).0),
    ),
    Builtin::new(
        "reduced?",
        "(reduced? x): whether x ends a fold",
        (1, 1),
        |c| c.bool(unreduced(c.edn(0)?.clone()).1),
    ),
    Builtin::new(
        "keep-indexed",
        "(keep-indexed f xs): f of index and element, without nils",
        (2, 2),
        |c| {
            let mut kept = Vec::new();
            for (at, item) in items(c, 1)?.iter().enumerate() {
                let found = c.apply(0, &[Arg::Edn(&Edn::long(at as i64)), Arg::Edn(item)])?;
                if !found.is_nil() {
                    kept.push(found);
                }
            }
            Ok(Edn::List(kept))
        },
    ),
    Builtin::new(
        "partition-by",
        "(partition-by f xs): groups of neighbours with the same f",
        (2, 2),
        |c| {
            let mut groups: Vec<(Edn, Vec<Edn>)> = Vec::new();
            for item in items(c, 1)?.iter() {
                let key = c.apply(0, &[Arg::Edn(item)])?;
                match groups.last_mut() {
                    Some((last, group)) if clj::equal(last, &key) => group.push(item.clone()),
                    _ => groups.push((key, vec![item.clone()])),
                }
            }
            let groups = groups.into_iter().map(|(_, group)| Edn::List(group));
            Ok(Edn::List(groups.collect()))
        },
    ),
    Builtin::new(
        "split-at",
        "(split-at n xs): the first n, and the rest",
        (2, 2),
        |c| {
            let all = items(c, 1)?;
            Ok(halves(&all, c.count(0)?, Edn::List))
        },
    ),
    Builtin::new(
        "splitv-at",
        "(splitv-at n xs): the first n as a vector, and the rest",
        (2, 2),
        |c| {
            let all = items(c, 1)?;
            Ok(halves(&all, c.count(0)?, Edn::Vector))
        },
    ),
    Builtin::new(
        "split-with",
        "(split-with f xs): up to the first false, and the rest",
        (2, 2),
        |c| {
            let all = items(c, 1)?;
            let taken = endless::while_true(c, 1, |item| {
                Ok(clj::is_true(&c.apply(0, &[Arg::Edn(item)])?))
            })?;
            Ok(halves(&all, taken.len(), Edn::List))
        },
    ),
    Builtin::new(
        "take-nth",
        "(take-nth n xs): every nth element",
        (2, 2),
        |c| {
            let step = c.count(0)?.max(1);
            let all = items(c, 1)?;
            Ok(Edn::List(all.iter().step_by(step).cloned().collect()))
        },
    ),
    Builtin::new(
        "dedupe",
        "(dedupe xs): without repeats next to each other",
        (1, 1),
        |c| {
            let mut all = items(c, 0)?.into_owned();
            all.dedup_by(|b, a| clj::equal(a, b));
            Ok(Edn::List(all))
        },
    ),
    Builtin::new(
        "nthrest",
        "(nthrest xs n): all but the first n",
        (2, 2),
        |c| {
            let skip = c.count(1)?;
            if skip == 0 {
                return c.edn(0).cloned();
            }
            Ok(Edn::List(items(c, 0)?.iter().skip(skip).cloned().collect()))
        },
    ),
    Builtin::new(
        "nthnext",
        "(nthnext xs n): all but the first n, or nil",
        (2, 2),
        |c| {
            let skip = c.count(1)?;
            Ok(list_or_nil(
                items(c, 0)?.iter().skip(skip).cloned().collect(),
            ))
        },
    ),
    Builtin::new(
        "tree-seq",
        "(tree-seq branch? children root): all nodes, the root first",
        (3, 3),
        |c| {
            let mut all = Vec::new();
            let mut left = vec![c.edn(2)?.clone()];
            while let Some(node) = left.pop() {
                c.check_length(all.len() + left.len())?;
                if clj::is_true(&c.apply(0, &[Arg::Edn(&node)])?) {
                    let children = c.apply(1, &[Arg::Edn(&node)])?;
                    match super::call::seq(&children) {
                        Some(children) => left.extend(children.iter().rev().cloned()),
                        None => return Err(c.wrong_type(1, "a function that gives collections")),
                    }
                }
                all.push(node);
            }
            Ok(Edn::List(all))
        },
    ),
    Builtin::new(
        "transduce",
        "(transduce xform f init? xs): folds f over what xform makes of xs",
        (3, 4),
        |c| {
            let last = c.len() - 1;
            let all = endless::through(c, c.args[0], items(c, last)?.into_owned())?;
            let first = match c.len() {
                4 => c.edn(2)?.clone(),
                _ => c.apply(1, &[])?,
            };
            fold(c, 1, first, &all)
        },
    ),
    Builtin::new(
        "sequence",
        "(sequence xform? xs): the elements, through a transducer",
        (1, 2),
        |c| {
            let all = items(c, c.len() - 1)?.into_owned();
            Ok(Edn::List(match c.len() {
                1 => all,
                _ => endless::through(c, c.args[0], all)?,
            }))
        },
    ),
    Builtin::new(
        "eduction",
        "(eduction xform xs): the elements through a transducer",
        (2, 2),
        |c| {
            let all = items(c, 1)?.into_owned();
            endless::through(c, c.args[0], all).map(Edn::List)
        },
    ),
    Builtin::new(
        "repeatedly",
        "(repeatedly n f): n times what f gives",
        (2, 2),
        |c| {
            let times = c.count(0)?;
            c.check_length(times)?;
            let all: Result<Vec<Edn>, QueryError> = (0..times).map(|_| c.apply(1, &[])).collect();
            all.map(Edn::List)
        },
    ),
    Builtin::new("replicate", "(replicate n x): n times x", (2, 2), |c| {
        let times = c.count(0)?;
        c.check_length(times)?;
        Ok(Edn::List(vec![c.edn(1)?.clone(); times]))
    }),
    Builtin::new(
        "run!",
        "(run! f xs): calls f of each element; nil",
        (2, 2),
        |c| {
            for item in items(c, 1)?.iter() {
                c.apply(0, &[Arg::Edn(item)])?;
            }
            Ok(Edn::Nil)
        },
    ),
    Builtin::new("trampoline", "(trampoline f x*): f of x*", (1, MANY), |c| {
        c.apply(0, &c.args[1..])
    }),
    Builtin::new("meta", "(meta x): nil", (1, 1), |_| Ok(Edn::Nil)),
    Builtin::new(
        "with-meta",
        "(with-meta x m): x; metadata is not kept",
        (2, 2),
        |c| match c.edn(0)? {
            Edn::List(_) | Edn::Vector(_) | Edn::Map(_) | Edn::Set(_) => c.edn(0).cloned(),
            Edn::Value(Value::Symbol(_)) => c.edn(0).cloned(),
            _ => Err(c.wrong_type(0, "a collection or symbol")),
        },
    ),
    Builtin::new("doall", "(doall xs): xs, as it is", (1, 1), |c| {
        items(c, 0)?;
        c.edn(0).cloned()
    }),
    Builtin::new("dorun", "(dorun xs): nil", (1, 1), |c| {
        items(c, 0)?;
        Ok(Edn::Nil)
    }),
    Builtin::new(
        "shuffle",
        "(shuffle xs): the elements in a random order",
        (1, 1),
        |c| {
            if !matches!(c.edn(0)?, Edn::List(_) | Edn::Vector(_) | Edn::Set(_)) {
                return Err(c.wrong_type(0, "a list, vector or set"));
            }
            let mut all = items(c, 0)?.into_owned();
            for at in (1..all.len()).rev() {
                all.swap(at, below(at + 1));
            }
            Ok(Edn::Vector(all))
        },
    ),
    Builtin::new(
        "rand",
        "(rand n?): a random double from 0 up to before n or 1",
        (0, 1),
        |c| {
            let most = if c.len() == 1 {
                c.number(0)?.to_f64()
            } else {
                1.0
            };
            Ok(Edn::Value(Value::Double(fraction() * most)))
        },
    ),
    Builtin::new(
        "rand-int",
        "(rand-int n): a random long from 0 up to before n",
        (1, 1),
        |c| Ok(Edn::long((fraction() * c.number(0)?.to_f64()) as i64)),
    ),
    Builtin::new("rand-nth", "(rand-nth xs): a random element", (1, 1), |c| {
        let all = items(c, 0)?;
        if matches!(c.edn(0)?, Edn::Set(_) | Edn::Map(_)) {
            return Err(c.wrong_type(0, "a sequence"));
        }
        match all.len() {
            0 if c.edn(0)?.is_nil() => Ok(Edn::Nil),
            0 => Err(c.wrong_type(0, "a sequence with elements")),
            length => Ok(all[below(length)].clone()),
        }
    }),
    Builtin::new(
        "random-sample",
        "(random-sample p xs): each element with probability p",
        (2, 2),
        |c| {
            let share = c.number(0)?.to_f64();
            let kept = items(c, 1)?;
            let kept = kept.iter().filter(|_| fraction() < share).cloned();
            Ok(Edn::List(kept.collect()))
        },
    ),
    Builtin::new("random-uuid", "(random-uuid): a new uuid", (0, 0), |_| {
        Ok(random_uuid(None))
    }),
];

/// Whether a value ends a fold, and the value.
pub(super) fn unreduced(form: Edn) -> (Edn, bool) {
    match form {
        Edn::Tagged(tag, inner) if tag.as_str() == REDUCED_TAG => (*inner, true),
        form => (form, false),
    }
}

/// Folds the function of an argument over elements.
pub(super) fn fold(c: &Invocation<'_>, function: usize, first: Edn, items: &[Edn]) -> Outcome {
    let mut folded = first;
    for item in items {
        let (next, ends) = unreduced(c.apply(function, &[Arg::Edn(&folded), Arg::Edn(item)])?);
        folded = next;
        if ends {
            break;
        }
    }
    Ok(folded)
}

fn reduce_kv(c: &Invocation<'_>) -> Outcome {
    let pairs: Vec<(Edn, Edn)> = match c.edn(2)? {
        Edn::Map(entries) => entries.clone(),
        Edn::Nil => Vec::new(),
        form => match clj::elements(form) {
            Some(items) if !matches!(form, Edn::List(_)) => {
                let pair = |(at, item): (usize, &Edn)| (Edn::long(at as i64), item.clone());
                items.iter().enumerate().map(pair).collect()
            }
            _ => return Err(c.wrong_type(2, "a map or vector")),
        },
    };
    let mut folded = c.edn(1)?.clone();
    for (key, value) in &pairs {
        let args = [Arg::Edn(&folded), Arg::Edn(key), Arg::Edn(value)];
        let (next, ends) = unreduced(call_arg(c.args[0], c.context, &args)?);
        folded = next;
        if ends {
            break;
        }
    }
    Ok(folded)
}

fn reductions(c: &Invocation<'_>) -> Outcome {
    let all = items(c, c.len() - 1)?;
    let (first, rest) = match (c.len(), all.split_first()) {
        (3, _) => (c.edn(1)?.clone(), &all[..]),
        (_, Some((first, rest))) => (first.clone(), rest),
        (_, None) => (c.apply(0, &[])?, &[][..]),
    };
    let mut steps = vec![first];
    for item in rest {
        let Some(last) = steps.last() else { break };
        let (next, ends) = unreduced(c.apply(0, &[Arg::Edn(last), Arg::Edn(item)])?);
        steps.push(next);
        if ends {
            break;
        }
    }
    Ok(Edn::List(steps))
}

fn halves(all: &[Edn], at: usize, first: fn(Vec<Edn>) -> Edn) -> Edn {
    let (before, after) = all.split_at(at.min(all.len()));
    Edn::Vector(vec![first(before.to_vec()), Edn::List(after.to_vec())])
}

/// Random bits, from the keys that the standard library draws for its hash maps.
fn random() -> u64 {
    let mut hasher = std::hash::RandomState::new().build_hasher();
    hasher.write_u8(1);
    hasher.finish()
}

fn fraction() -> f64 {
    (random() >> 11) as f64 / (1u64 << 53) as f64
}

fn below(end: usize) -> usize {
    ((u128::from(random()) * end as u128) >> 64) as usize
}

/// A uuid of version 4; its first 32 bits may be given.
pub(super) fn random_uuid(first: Option<u32>) -> Edn {
    let mut bits = (u128::from(random()) << 64) | u128::from(random());
    if let Some(first) = first {
        bits = (bits & (u128::MAX >> 32)) | (u128::from(first) << 96);
    }
    bits = (bits & !(0xf << 76)) | (4 << 76);
    bits = (bits & !(0b11 << 62)) | (0b10 << 62);
    Edn::Value(Value::Uuid(Uuid::from_u128(bits)))
}
