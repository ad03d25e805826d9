//! Functions over the elements of sequences, the higher-order ones among them.
//!
//! Nothing is lazy: a sequence is made whole, up to a length limit.

use datomite_model::{Edn, Value};

use super::collections::{items, list_or_nil};
use super::nested::{natural, sorted};
use super::number::Number;
use super::{Arg, Builtin, Invocation, MANY, Outcome, call, clj, endless, transform};
use crate::QueryError;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("map", "(map f xs+): f of each element", (2, MANY), |c| {
        mapped(c).map(Edn::List)
    }),
    Builtin::new(
        "mapv",
        "(mapv f xs+): f of each element, a vector",
        (2, MANY),
        |c| mapped(c).map(Edn::Vector),
    ),
    Builtin::new(
        "mapcat",
        "(mapcat f xs+): the elements of each f of x",
        (2, MANY),
        |c| {
            let mut all = Vec::new();
            for part in mapped(c)? {
                match super::call::seq(&part) {
                    Some(items) => all.extend(items.iter().cloned()),
                    None => return Err(c.wrong_type(0, "a function that gives collections")),
                }
            }
            Ok(Edn::List(all))
        },
    ),
    Builtin::new(
        "map-indexed",
        "(map-indexed f xs): f of index and element",
        (2, 2),
        |c| {
            let call = |(at, item): (usize, &Edn)| {
                c.apply(0, &[Arg::Edn(&Edn::long(at as i64)), Arg::Edn(item)])
            };
            let all: Result<Vec<Edn>, QueryError> =
                items(c, 1)?.iter().enumerate().map(call).collect();
            all.map(Edn::List)
        },
    ),
    Builtin::new(
        "filter",
        "(filter f xs): elements for which f is true",
        (2, 2),
        |c| kept(c, true).map(Edn::List),
    ),
    Builtin::new(
        "filterv",
        "(filterv f xs): the same, a vector",
        (2, 2),
        |c| kept(c, true).map(Edn::Vector),
    ),
    Builtin::new(
        "remove",
        "(remove f xs): elements for which f is false",
        (2, 2),
        |c| kept(c, false).map(Edn::List),
    ),
    Builtin::new(
        "keep",
        "(keep f xs): f of each element, without nils",
        (2, 2),
        |c| {
            let all = mapped(c)?;
            Ok(Edn::List(
                all.into_iter().filter(|item| !item.is_nil()).collect(),
            ))
        },
    ),
    Builtin::new(
        "reduce",
        "(reduce f init? xs): folds f over the elements",
        (2, 3),
        reduce,
    ),
    Builtin::new(
        "apply",
        "(apply f x* xs): f of x* and the elements of xs",
        (2, MANY),
        |c| {
            let last = items(c, c.len() - 1)?;
            let first = c.args[1..c.len() - 1].iter().copied();
            let args: Vec<Arg<'_>> = first.chain(last.iter().map(Arg::Edn)).collect();
            c.apply(0, &args)
        },
    ),
    Builtin::new(
        "some",
        "(some f xs): the first true f of x, or nil",
        (2, 2),
        |c| {
            for item in items(c, 1)?.iter() {
                let answer = c.apply(0, &[Arg::Edn(item)])?;
                if clj::is_true(&answer) {
                    return Ok(answer);
                }
            }
            Ok(Edn::Nil)
        },
    ),
    Builtin::new(
        "every?",
        "(every? f xs): whether f is true of all",
        (2, 2),
        |c| c.bool(first_where(c, false)?.is_none()),
    ),
    Builtin::new(
        "not-every?",
        "(not-every? f xs): whether f is false of one",
        (2, 2),
        |c| c.bool(first_where(c, false)?.is_some()),
    ),
    Builtin::new(
        "not-any?",
        "(not-any? f xs): whether f is true of none",
        (2, 2),
        |c| c.bool(first_where(c, true)?.is_none()),
    ),
    Builtin::new(
        "take-while",
        "(take-while f xs): up to the first false",
        (2, 2),
        |c| {
            let taken = endless::while_true(c, 1, |item| {
                Ok(clj::is_true(&c.apply(0, &[Arg::Edn(item)])?))
            })?;
            Ok(Edn::List(taken))
        },
    ),
    Builtin::new(
        "drop-while",
        "(drop-while f xs): from the first false on",
        (2, 2),
        |c| {
            let end = first_where(c, false)?.unwrap_or(usize::MAX);
            Ok(Edn::List(items(c, 1)?.iter().skip(end).cloned().collect()))
        },
    ),
    Builtin::new(
        "group-by",
        "(group-by f xs): a map of f of x to the xs",
        (2, 2),
        group_by,
    ),
    Builtin::new(
        "frequencies",
        "(frequencies xs): a map of element to count",
        (1, 1),
        |c| {
            let mut counts: Vec<(Edn, i64)> = Vec::new();
            for item in items(c, 0)?.iter() {
                match counts.iter_mut().find(|(known, _)| clj::equal(known, item)) {
                    Some(entry) => entry.1 += 1,
                    None => counts.push((item.clone(), 1)),
                }
            }
            let entry = |(item, count)| (item, Edn::long(count));
            Ok(Edn::Map(counts.into_iter().map(entry).collect()))
        },
    ),
    Builtin::new(
        "sort",
        "(sort f? xs): the elements in order, numbers or of one type; or by a comparator",
        (1, 2),
        |c| {
            let all = items(c, c.len() - 1)?;
            if let (2, Arg::Edn(by)) = (c.len(), c.args[0])
                && !call::Callable::is_callable(by)
            {
                return Err(c.wrong_type(0, "a comparator"));
            }
            let sorted = if c.len() == 2 {
                sorted(&all, &|a, b| {
                    call::comparison(c.args[0], c.context, Arg::Edn(a), Arg::Edn(b))
                })
            } else {
                sorted(&all, &|a, b| natural(c, a, b))
            };
            sorted.map(Edn::List)
        },
    ),
    Builtin::new(
        "sort-by",
        "(sort-by f comparator? xs): the elements in the order of f",
        (2, 3),
        |c| {
            let all = items(c, c.len() - 1)?;
            let keyed: Result<Vec<Edn>, QueryError> = all
                .iter()
                .map(|item| {
                    let key = c.apply(0, &[Arg::Edn(item)])?;
                    Ok(Edn::Vector(vec![key, item.clone()]))
                })
                .collect();
            let key = |pair: &Edn| pair.as_sequence().map_or(Edn::Nil, |pair| pair[0].clone());
            let sorted = sorted(&keyed?, &|a, b| match c.len() {
                3 => {
                    let (a, b) = (key(a), key(b));
                    call::comparison(c.args[1], c.context, Arg::Edn(&a), Arg::Edn(&b))
                }
                _ => natural(c, &key(a), &key(b)),
            })?;
            let item = |pair: &Edn| pair.as_sequence().map_or(Edn::Nil, |pair| pair[1].clone());
            Ok(Edn::List(sorted.iter().map(item).collect()))
        },
    ),
    Builtin::new(
        "max-key",
        "(max-key f x+): the x whose f is greatest",
        (2, MANY),
        |c| extreme(c, std::cmp::Ordering::Less),
    ),
    Builtin::new(
        "min-key",
        "(min-key f x+): the x whose f is least",
        (2, MANY),
        |c| extreme(c, std::cmp::Ordering::Greater),
    ),
    Builtin::new(
        "distinct",
        "(distinct xs): the elements without repeats",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Map(_) | Edn::Set(_) => Err(c.wrong_type(0, "a sequence")),
            _ => Ok(Edn::List(clj::distinct(items(c, 0)?.into_owned()))),
        },
    ),
    Builtin::new(
        "distinct?",
        "(distinct? x+): whether no two are equal",
        (1, MANY),
        |c| {
            let all: Result<Vec<Edn>, QueryError> =
                (0..c.len()).map(|at| c.edn(at).cloned()).collect();
            c.bool(clj::distinct(all?).len() == c.len())
        },
    ),
    Builtin::new(
        "reverse",
        "(reverse xs): the elements from the end",
        (1, 1),
        |c| Ok(Edn::List(items(c, 0)?.iter().rev().cloned().collect())),
    ),
    Builtin::new("take", "(take n xs): the first n elements", (2, 2), |c| {
        Ok(Edn::List(
            endless::up_to(c, 1, c.count(0)?)?
                .iter()
                .take(c.count(0)?)
                .cloned()
                .collect(),
        ))
    }),
    Builtin::new("drop", "(drop n xs): all but the first n", (2, 2), |c| {
        Ok(Edn::List(
            items(c, 1)?.iter().skip(c.count(0)?).cloned().collect(),
        ))
    }),
    Builtin::new(
        "take-last",
        "(take-last n xs): the last n elements, or nil",
        (2, 2),
        |c| {
            let all = items(c, 1)?;
            let skip = all.len().saturating_sub(c.count(0)?);
            Ok(list_or_nil(all[skip..].to_vec()))
        },
    ),
    Builtin::new(
        "drop-last",
        "(drop-last n? xs): all but the last n",
        (1, 2),
        |c| {
            let (n, at) = if c.len() == 2 {
                (c.count(0)?, 1)
            } else {
                (1, 0)
            };
            let all = items(c, at)?;
            Ok(Edn::List(all[..all.len().saturating_sub(n)].to_vec()))
        },
    ),
    Builtin::new(
        "concat",
        "(concat xs*): the elements of all",
        (0, MANY),
        |c| {
            let mut all = Vec::new();
            for at in 0..c.len() {
                all.extend(items(c, at)?.iter().cloned());
                c.check_length(all.len())?;
            }
            Ok(Edn::List(all))
        },
    ),
    Builtin::new(
        "flatten",
        "(flatten xs): the elements of nested sequences",
        (1, 1),
        |c| {
            let mut all = Vec::new();
            flatten(c.edn(0)?, &mut all);
            Ok(Edn::List(all))
        },
    ),
    Builtin::new(
        "interleave",
        "(interleave xs*): first of each, second ...",
        (0, MANY),
        |c| {
            let columns: Result<Vec<_>, QueryError> = (0..c.len()).map(|at| items(c, at)).collect();
            let columns = columns?;
            let length = columns.iter().map(|column| column.len()).min().unwrap_or(0);
            let rows = (0..length).flat_map(|row| columns.iter().map(move |column| (row, column)));
            Ok(Edn::List(
                rows.map(|(row, column)| column[row].clone()).collect(),
            ))
        },
    ),
    Builtin::new(
        "interpose",
        "(interpose x xs): x between the elements",
        (2, 2),
        |c| {
            let mut all = Vec::new();
            for item in items(c, 1)?.iter() {
                if !all.is_empty() {
                    all.push(c.edn(0)?.clone());
                }
                all.push(item.clone());
            }
            Ok(Edn::List(all))
        },
    ),
    Builtin::new(
        "partition",
        "(partition n step? pad? xs): whole groups of n",
        (2, 4),
        |c| partition(c, false, Edn::List),
    ),
    Builtin::new(
        "partitionv",
        "(partitionv n step? pad? xs): whole groups of n, vectors",
        (2, 4),
        |c| partition(c, false, Edn::Vector),
    ),
    Builtin::new(
        "partitionv-all",
        "(partitionv-all n step? xs): groups of up to n, vectors",
        (2, 3),
        |c| partition(c, true, Edn::Vector),
    ),
    Builtin::new(
        "partition-all",
        "(partition-all n step? xs): groups of up to n",
        (2, 3),
        |c| partition(c, true, Edn::List),
    ),
    Builtin::new("range", "(range start? end step?): numbers", (1, 3), range),
    Builtin::new("repeat", "(repeat n x): n times x", (2, 2), |c| {
        let times = c.count(0)?;
        c.check_length(times)?;
        Ok(Edn::List(vec![c.edn(1)?.clone(); times]))
    }),
    Builtin::new(
        "merge-with",
        "(merge-with f m*): a map, f of values that meet",
        (1, MANY),
        |c| {
            let mut all: Vec<(Edn, Edn)> = Vec::new();
            let mut any = false;
            for at in 1..c.len() {
                let Some(entries) = c.edn(at)?.as_map() else {
                    continue;
                };
                any = true;
                for (key, value) in entries {
                    match all.iter_mut().find(|(known, _)| clj::equal(known, key)) {
                        Some(entry) => {
                            entry.1 = c.apply(0, &[Arg::Edn(&entry.1), Arg::Edn(value)])?;
                        }
                        None => all.push((key.clone(), value.clone())),
                    }
                }
            }
            Ok(if any { Edn::Map(all) } else { Edn::Nil })
        },
    ),
];

fn mapped(c: &Invocation<'_>) -> Result<Vec<Edn>, QueryError> {
    let mut length = usize::MAX;
    for at in 1..c.len() {
        length = length.min(endless::length(c, at)?.unwrap_or(usize::MAX));
    }
    let columns: Result<Vec<_>, QueryError> = (1..c.len())
        .map(|at| endless::up_to(c, at, length))
        .collect();
    let columns = columns?;
    (0..length)
        .map(|row| {
            let args: Vec<Arg<'_>> = columns
                .iter()
                .map(|column| Arg::Edn(&column[row]))
                .collect();
            c.apply(0, &args)
        })
        .collect()
}

fn kept(c: &Invocation<'_>, wanted: bool) -> Result<Vec<Edn>, QueryError> {
    let mut all = Vec::new();
    for item in items(c, 1)?.iter() {
        if clj::is_true(&c.apply(0, &[Arg::Edn(item)])?) == wanted {
            all.push(item.clone());
        }
    }
    Ok(all)
}

/// The position of the first element of which the function is as wanted.
fn first_where(c: &Invocation<'_>, wanted: bool) -> Result<Option<usize>, QueryError> {
    for (at, item) in items(c, 1)?.iter().enumerate() {
        if clj::is_true(&c.apply(0, &[Arg::Edn(item)])?) == wanted {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn reduce(c: &Invocation<'_>) -> Outcome {
    let all = items(c, c.len() - 1)?;
    let (first, rest) = if c.len() == 3 {
        (c.edn(1)?.clone(), &all[..])
    } else {
        match all.split_first() {
            Some((first, rest)) => (first.clone(), rest),
            None => return c.apply(0, &[]),
        }
    };
    transform::fold(c, 0, first, rest)
}

fn group_by(c: &Invocation<'_>) -> Outcome {
    let mut groups: Vec<(Edn, Vec<Edn>)> = Vec::new();
    for (key, item) in mapped(c)?.into_iter().zip(items(c, 1)?.iter()) {
        c.tick()?;
        match groups.iter_mut().find(|(known, _)| clj::equal(known, &key)) {
            Some(group) => group.1.push(item.clone()),
            None => groups.push((key, vec![item.clone()])),
        }
    }
    let entry = |(key, group)| (key, Edn::Vector(group));
    Ok(Edn::Map(groups.into_iter().map(entry).collect()))
}

/// The argument whose key is extreme; of equal ones the last, as Clojure has it.
fn extreme(c: &Invocation<'_>, replaced_when: std::cmp::Ordering) -> Outcome {
    let mut best = (c.edn(1)?, c.apply(0, &[c.args[1]])?);
    for at in 2..c.len() {
        let key = c.apply(0, &[c.args[at]])?;
        let order = clj::compare(&best.1, &key);
        if order == replaced_when || order.is_eq() {
            best = (c.edn(at)?, key);
        }
    }
    Ok(best.0.clone())
}

fn flatten(form: &Edn, into: &mut Vec<Edn>) {
    for item in clj::elements(form).iter().flat_map(|items| items.iter()) {
        match item {
            Edn::List(_) | Edn::Vector(_) | Edn::Value(Value::Tuple(_)) => flatten(item, into),
            item => into.push(item.clone()),
        }
    }
}

fn partition(c: &Invocation<'_>, partial: bool, group: fn(Vec<Edn>) -> Edn) -> Outcome {
    let size = c.count(0)?.max(1);
    let step = if c.len() > 2 {
        c.count(1)?.max(1)
    } else {
        size
    };
    let padding = if c.len() > 3 {
        Some(items(c, 2)?)
    } else {
        None
    };
    let all = items(c, c.len() - 1)?;
    let mut groups = Vec::new();
    for from in (0..all.len()).step_by(step) {
        let to = from.saturating_add(size).min(all.len());
        let mut part = all[from..to].to_vec();
        let whole = part.len() == size;
        if let (false, Some(padding)) = (whole, &padding) {
            part.extend(padding.iter().take(size - part.len()).cloned());
        }
        if whole || partial || padding.is_some() {
            groups.push(group(part));
        }
        if !whole && !partial {
            break;
        }
    }
    Ok(Edn::List(groups))
}

fn range(c: &Invocation<'_>) -> Outcome {
    let zero = Number::Long(0);
    let (start, end) = match c.len() {
        1 => (zero.clone(), c.number(0)?),
        _ => (c.number(0)?, c.number(1)?),
    };
    let step = if c.len() == 3 {
        c.number(2)?
    } else {
        Number::Long(1)
    };
    let direction = step.sign();
    if direction.is_eq() {
        return Err(c.wrong_type(2, "a step that is not zero"));
    }
    if let (Number::Long(start), Number::Long(end), Number::Long(step)) = (&start, &end, &step) {
        let span = i128::from(*end) - i128::from(*start);
        let length = span / i128::from(*step);
        c.check_length(usize::try_from(length).unwrap_or(0))?;
    }
    let mut all = Vec::new();
    let mut here = start;
    while here.compare(&end) == direction.reverse() {
        all.push(here.clone().into_edn());
        c.check_length(all.len())?;
        here = here.add(&step).map_err(|p| c.problem(p))?;
    }
    Ok(Edn::List(all))
}
