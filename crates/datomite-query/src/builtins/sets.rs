//! `clojure.set` and `clojure.walk`.

use datomite_model::{Edn, Keyword, Value};

use super::collections::{items, lookup};
use super::{Arg, Builtin, CallError, Invocation, MANY, Outcome, clj};
use crate::QueryError;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new(
        "clojure.set/union",
        "(union set*): elements of any",
        (0, MANY),
        |c| {
            let mut all: Vec<Edn> = Vec::new();
            if c.len() == 1 {
                return c.edn(0).cloned();
            }
            for at in 0..c.len() {
                all.extend(items(c, at)?.iter().cloned());
            }
            let as_it_is = |form: &Edn| matches!(form, Edn::Vector(_) | Edn::List(_));
            Ok(match c.len() {
                0 => Edn::Set(Vec::new()),
                _ if (0..c.len()).all(|at| matches!(c.args[at], Arg::Edn(Edn::Nil))) => Edn::Nil,
                _ if (0..c.len()).any(|at| matches!(c.args[at], Arg::Edn(f) if as_it_is(f))) => {
                    Edn::Vector(all)
                }
                _ => Edn::Set(clj::distinct(all)),
            })
        },
    ),
    Builtin::new(
        "clojure.set/intersection",
        "(intersection set+): elements of all",
        (1, MANY),
        |c| {
            if c.len() == 1 {
                return c.edn(0).cloned();
            }
            let mut left = items(c, 0)?.into_owned();
            for at in 1..c.len() {
                left.retain_in(c.edn(at)?, true);
            }
            if (0..c.len()).any(|at| matches!(c.args[at], Arg::Edn(Edn::Nil))) {
                return Ok(Edn::Nil);
            }
            Ok(Edn::Set(left))
        },
    ),
    Builtin::new(
        "clojure.set/difference",
        "(difference set+): elements of the first only",
        (1, MANY),
        |c| {
            if c.len() == 1 {
                return c.edn(0).cloned();
            }
            if !matches!(c.edn(0)?, Edn::Set(_) | Edn::Nil) {
                return Err(c.wrong_type(0, "sets"));
            }
            let mut left = items(c, 0)?.into_owned();
            for at in 1..c.len() {
                let gone = items(c, at)?;
                left.retain(|item| !gone.iter().any(|other| clj::equal(item, other)));
            }
            Ok(if c.edn(0)?.is_nil() {
                Edn::Nil
            } else {
                Edn::Set(left)
            })
        },
    ),
    Builtin::new(
        "clojure.set/subset?",
        "(subset? a b): whether b has all of a",
        (2, 2),
        |c| c.bool(has_all(c, 0, 1)?),
    ),
    Builtin::new(
        "clojure.set/superset?",
        "(superset? a b): whether a has all of b",
        (2, 2),
        |c| c.bool(has_all(c, 1, 0)?),
    ),
    Builtin::new(
        "clojure.set/select",
        "(select f set): elements for which f is true",
        (2, 2),
        |c| {
            let mut kept = Vec::new();
            for item in items(c, 1)?.iter() {
                if clj::is_true(&c.apply(0, &[Arg::Edn(item)])?) {
                    kept.push(item.clone());
                }
            }
            Ok(Edn::Set(kept))
        },
    ),
    Builtin::new(
        "clojure.set/project",
        "(project maps ks): the maps with these keys only",
        (2, 2),
        |c| {
            let keys = items(c, 1)?;
            let rows = items(c, 0)?;
            let rows = rows.iter().map(|row| Edn::Map(selected(row, &keys)));
            Ok(Edn::Set(clj::distinct(rows)))
        },
    ),
    Builtin::new(
        "clojure.set/rename",
        "(rename maps m): the maps with keys renamed",
        (2, 2),
        |c| {
            let rows: Result<Vec<Edn>, QueryError> = items(c, 0)?
                .iter()
                .map(|row| renamed(c, row, c.edn(1)?))
                .collect();
            Ok(Edn::Set(clj::distinct(rows?)))
        },
    ),
    Builtin::new(
        "clojure.set/rename-keys",
        "(rename-keys m names): m with keys renamed",
        (2, 2),
        |c| renamed(c, c.edn(0)?, c.edn(1)?),
    ),
    Builtin::new(
        "clojure.set/map-invert",
        "(map-invert m): values to keys",
        (1, 1),
        |c| {
            let mut turned = Vec::new();
            match c.edn(0)? {
                Edn::Map(entries) => entries.iter().for_each(|(key, value)| {
                    clj::put(&mut turned, value.clone(), key.clone());
                }),
                form => {
                    let all = items(c, 0)?;
                    if !all.is_empty() && !matches!(form, Edn::Vector(_)) {
                        return Err(c.wrong_type(0, "a map"));
                    }
                    for (at, item) in all.iter().enumerate() {
                        clj::put(&mut turned, item.clone(), Edn::long(at as i64));
                    }
                }
            }
            Ok(Edn::Map(turned))
        },
    ),
    Builtin::new(
        "clojure.set/index",
        "(index maps ks): the maps by their values of keys",
        (2, 2),
        |c| {
            let keys = items(c, 1)?;
            let mut groups: Vec<(Edn, Edn)> = Vec::new();
            for row in items(c, 0)?.iter() {
                let key = Edn::Map(selected(row, &keys));
                match groups.iter_mut().find(|(known, _)| clj::equal(known, &key)) {
                    Some((_, Edn::Set(group))) => group.push(row.clone()),
                    _ => groups.push((key, Edn::Set(vec![row.clone()]))),
                }
            }
            Ok(Edn::Map(groups))
        },
    ),
    Builtin::new(
        "clojure.set/join",
        "(join maps maps): the maps merged that agree in the keys of both",
        (2, 2),
        natural_join,
    ),
    Builtin::new(
        "clojure.walk/walk",
        "(walk inner outer form): outer of form with inner of each element",
        (3, 3),
        |c| {
            let inner = |form: &Edn| c.apply(0, &[Arg::Edn(form)]);
            let walked = each(c.edn(2)?, &inner)?;
            c.apply(1, &[Arg::Edn(&walked)])
        },
    ),
    Builtin::new(
        "clojure.walk/postwalk",
        "(postwalk f form): f of every form, the inner ones first",
        (2, 2),
        |c| walk(c.edn(1)?, &|form| c.apply(0, &[Arg::Edn(&form)]), false),
    ),
    Builtin::new(
        "clojure.walk/prewalk",
        "(prewalk f form): f of every form, the outer ones first",
        (2, 2),
        |c| walk(c.edn(1)?, &|form| c.apply(0, &[Arg::Edn(&form)]), true),
    ),
    Builtin::new(
        "clojure.walk/postwalk-replace",
        "(postwalk-replace m form): forms that m has, replaced",
        (2, 2),
        |c| walk(c.edn(1)?, &|form| replaced(c, form), false),
    ),
    Builtin::new(
        "clojure.walk/prewalk-replace",
        "(prewalk-replace m form): the same, outer forms first",
        (2, 2),
        |c| walk(c.edn(1)?, &|form| replaced(c, form), true),
    ),
    Builtin::new(
        "clojure.walk/keywordize-keys",
        "(keywordize-keys m): keys that are strings as keywords, all the way down",
        (1, 1),
        |c| {
            walk_keys(c.edn(0)?, &|key| match key.as_str() {
                Some(text) => Edn::Value(Value::Keyword(Keyword::parse(text))),
                None => key.clone(),
            })
        },
    ),
    Builtin::new(
        "clojure.walk/stringify-keys",
        "(stringify-keys m): keys that are keywords as strings, all the way down",
        (1, 1),
        |c| {
            walk_keys(c.edn(0)?, &|key| match key.as_keyword() {
                Some(keyword) => Edn::string(keyword.as_str()),
                None => key.clone(),
            })
        },
    ),
    Builtin::new(
        "replace",
        "(replace m xs): elements that m has, replaced",
        (2, 2),
        |c| {
            let all = items(c, 1)?;
            let all = all.iter().map(|item| {
                let found = lookup(c.edn(0)?, item);
                Ok::<Edn, QueryError>(found.unwrap_or_else(|| item.clone()))
            });
            let all: Result<Vec<Edn>, QueryError> = all.collect();
            Ok(match c.edn(1)? {
                Edn::Vector(_) => Edn::Vector(all?),
                _ => Edn::List(all?),
            })
        },
    ),
];

/// Keeps what another collection has, or has not.
trait RetainIn {
    fn retain_in(&mut self, other: &Edn, wanted: bool);
}

impl RetainIn for Vec<Edn> {
    fn retain_in(&mut self, other: &Edn, wanted: bool) {
        self.retain(|item| super::collections::has_key(other, item) == wanted);
    }
}

fn has_all(c: &Invocation<'_>, part: usize, whole: usize) -> Result<bool, QueryError> {
    let (part, whole) = (items(c, part)?, c.edn(whole)?);
    if part.is_empty() {
        return Ok(true);
    }
    Ok(part
        .iter()
        .all(|item| super::collections::has_key(whole, item)))
}

fn selected(row: &Edn, keys: &[Edn]) -> Vec<(Edn, Edn)> {
    keys.iter()
        .filter_map(|key| lookup(row, key).map(|value| (key.clone(), value)))
        .collect()
}

fn renamed(c: &Invocation<'_>, row: &Edn, names: &Edn) -> Outcome {
    let Some(entries) = row.as_map() else {
        return match row {
            Edn::Nil => Ok(Edn::Nil),
            _ => Err(c.wrong_type(0, "a map")),
        };
    };
    let name = |key: &Edn| lookup(names, key);
    let mut kept: Vec<(Edn, Edn)> = entries
        .iter()
        .filter(|(key, _)| name(key).is_none())
        .cloned()
        .collect();
    for (key, value) in entries {
        if let Some(new) = name(key) {
            clj::put(&mut kept, new, value.clone());
        }
    }
    Ok(Edn::Map(kept))
}

fn natural_join(c: &Invocation<'_>) -> Outcome {
    let (left, right) = (items(c, 0)?, items(c, 1)?);
    let keys = |rows: &[Edn]| -> Vec<Edn> {
        let first = rows.first().and_then(Edn::as_map).unwrap_or_default();
        first.iter().map(|(key, _)| key.clone()).collect()
    };
    let (a, b) = (keys(&left), keys(&right));
    let shared: Vec<Edn> = a
        .into_iter()
        .filter(|key| b.iter().any(|other| clj::equal(key, other)))
        .collect();
    let mut rows = Vec::new();
    for x in left.iter() {
        for y in right.iter() {
            let agree = clj::equal(
                &Edn::Map(selected(x, &shared)),
                &Edn::Map(selected(y, &shared)),
            );
            if agree {
                let mut row = x.as_map().unwrap_or_default().to_vec();
                for (key, value) in y.as_map().unwrap_or_default() {
                    clj::put(&mut row, key.clone(), value.clone());
                }
                rows.push(Edn::Map(row));
                c.check_length(rows.len())?;
            }
        }
    }
    Ok(Edn::Set(clj::distinct(rows)))
}

type Walker<'a> = &'a dyn Fn(&Edn) -> Outcome;

/// The form with a function of each element in its place.
fn each(form: &Edn, inner: Walker<'_>) -> Outcome {
    let all = |items: &[Edn]| -> Result<Vec<Edn>, QueryError> { items.iter().map(inner).collect() };
    Ok(match form {
        Edn::List(items) => Edn::List(all(items)?),
        Edn::Vector(items) => Edn::Vector(all(items)?),
        Edn::Set(items) => Edn::Set(clj::distinct(all(items)?)),
        Edn::Map(entries) => {
            let mut walked = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                let pair = inner(&Edn::Vector(vec![key.clone(), value.clone()]))?;
                match clj::elements(&pair).as_deref() {
                    Some([key, value]) => clj::put(&mut walked, key.clone(), value.clone()),
                    _ => {
                        return Err(super::call::bad(&pair, "a map is made of pairs"));
                    }
                }
            }
            Edn::Map(walked)
        }
        form => form.clone(),
    })
}

/// Walks all forms.
fn walk(form: &Edn, f: &dyn Fn(Edn) -> Outcome, outer_first: bool) -> Outcome {
    walk_within(form, f, outer_first, 0)
}

/// Forms that functions make may be as deep as this.
const DEPTH_MAX: usize = 100;

fn walk_within(form: &Edn, f: &dyn Fn(Edn) -> Outcome, outer_first: bool, depth: usize) -> Outcome {
    if depth > DEPTH_MAX {
        return Err(CallError::TooDeep { limit: DEPTH_MAX }.into());
    }
    let inner = |form: &Edn| walk_within(form, f, outer_first, depth + 1);
    if outer_first {
        return each(&f(form.clone())?, &inner);
    }
    f(each(form, &inner)?)
}

fn replaced(c: &Invocation<'_>, form: Edn) -> Outcome {
    Ok(lookup(c.edn(0)?, &form).unwrap_or(form))
}

fn walk_keys(form: &Edn, key: &dyn Fn(&Edn) -> Edn) -> Outcome {
    walk(
        form,
        &|form| {
            let Edn::Map(entries) = form else {
                return Ok(form);
            };
            let mut renamed = Vec::with_capacity(entries.len());
            for (old, value) in entries {
                clj::put(&mut renamed, key(&old), value);
            }
            Ok(Edn::Map(renamed))
        },
        false,
    )
}
