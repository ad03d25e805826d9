//! When an answer equals the recorded one.

use datomite::{Edn, Value};

use super::context::Failure;

/// Relative difference up to which two doubles are one.
const TOLERANCE: f64 = 1e-12;

/// Whether the answer is what `expected` (`{:set …}`, `{:bag …}`, `{:seq …}`, `{:value …}`) says.
pub(super) fn answer_fits(expected: &Edn, answer: &Edn, ordered: bool) -> bool {
    let Some([(Edn::Value(Value::Keyword(kind)), expected)]) = expected.as_map() else {
        return false;
    };
    let (expected, answer) = match (kind.as_str(), ordered) {
        ("seq", _) | (_, true) => (expected.clone(), answer.clone()),
        _ => (
            settle(expected, Place::Elsewhere),
            settle(answer, Place::Elsewhere),
        ),
    };
    match (kind.as_str(), &expected, &answer) {
        ("set", Edn::Set(a), Edn::Set(b)) => same_set(a, b),
        ("bag", Edn::Vector(a), Edn::Vector(b) | Edn::Set(b)) => same_in_any_order(a, b),
        ("seq", Edn::Vector(a), Edn::Vector(b)) => same_in_order(a, b),
        ("value", a, b) => same(a, b),
        _ => false,
    }
}

/// An answer as a recording has it: under the kind of `expected`, where that is no error.
pub(super) fn written(expected: &Edn, answer: &Edn) -> Edn {
    let kind = match (expected.as_map(), answer) {
        (_, Edn::Set(_)) => "set",
        (Some([(Edn::Value(Value::Keyword(kind)), _)]), _) if kind.as_str() != "set" => {
            kind.as_str()
        }
        (_, Edn::Vector(_)) => "bag",
        _ => "value",
    };
    Edn::Map(vec![(Edn::keyword(kind), answer.clone())])
}

/// Whether the failure is the recorded one; only errors fit errors.
pub(super) fn failure_fits(expected: &Edn, failure: &Failure) -> bool {
    let Failure::Store { code, category, .. } = failure else {
        return false;
    };
    let Some(error) = expected
        .get(&Edn::keyword("error"))
        .and_then(Edn::as_keyword)
    else {
        return false;
    };
    let recorded_category = expected
        .get(&Edn::keyword("category"))
        .and_then(Edn::as_keyword);
    let same_category = recorded_category.is_none_or(|category_name| {
        category.is_some_and(|category| category.to_string() == category_name.to_string())
    });
    match error.as_str() {
        "exception" => true,
        "anomaly" => same_category,
        _ => same_category && code.as_ref() == Some(error),
    }
}

/// Where a form stands in another.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// As the value of a map's key.
    Entry,
    Elsewhere,
}

/// Sorts what may stand in any order: a vector that is a map's value and holds only maps or
/// tagged ids.
fn settle(form: &Edn, place: Place) -> Edn {
    let all = |items: &[Edn]| {
        items
            .iter()
            .map(|item| settle(item, Place::Elsewhere))
            .collect()
    };
    match form {
        Edn::Vector(items) => {
            let mut items: Vec<Edn> = all(items);
            let loose = |item: &Edn| matches!(item, Edn::Map(_) | Edn::Tagged(..));
            if place == Place::Entry && items.iter().all(loose) {
                items.sort();
            }
            Edn::Vector(items)
        }
        Edn::Set(items) => Edn::Set(all(items)),
        Edn::Map(entries) => Edn::Map(
            entries
                .iter()
                .map(|(key, value)| (settle(key, Place::Elsewhere), settle(value, Place::Entry)))
                .collect(),
        ),
        other => other.clone(),
    }
}

fn same(a: &Edn, b: &Edn) -> bool {
    if a == b {
        return true;
    }
    match (a, b) {
        (Edn::Value(a), Edn::Value(b)) => same_number(a, b),
        (Edn::Vector(a), Edn::Vector(b)) => same_in_order(a, b),
        (Edn::Set(a), Edn::Set(b)) => same_in_any_order(a, b),
        (Edn::Map(a), Edn::Map(b)) => {
            let pairs = |entries: &[(Edn, Edn)]| -> Vec<Edn> {
                let pair =
                    |(key, value): &(Edn, Edn)| Edn::Vector(vec![key.clone(), value.clone()]);
                entries.iter().map(pair).collect()
            };
            same_in_any_order(&pairs(a), &pairs(b))
        }
        (Edn::Tagged(t, a), Edn::Tagged(u, b)) => t == u && same(a, b),
        _ => false,
    }
}

fn same_number(a: &Value, b: &Value) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() <= TOLERANCE * a.abs().max(b.abs());
    match (a, b) {
        (Value::Double(a), Value::Double(b)) => near(*a, *b) || (a.is_nan() && b.is_nan()),
        (Value::Float(a), Value::Float(b)) => near(f64::from(*a), f64::from(*b)),
        _ => false,
    }
}

fn same_in_order(a: &[Edn], b: &[Edn]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}

/// The recorder reads a result into a Clojure set, where rows that Clojure's `=` takes for one are
/// one: every recorded row is among ours, and of each of ours one that is equal was recorded.
fn same_set(recorded: &[Edn], answered: &[Edn]) -> bool {
    let is_in = |row: &Edn, rows: &[Edn], equal: fn(&Edn, &Edn) -> bool| {
        rows.iter().any(|other| equal(row, other))
    };
    same_in_any_order(recorded, answered)
        || recorded.len() < answered.len()
            && recorded.iter().all(|row| is_in(row, answered, same))
            && answered.iter().all(|row| is_in(row, recorded, merges))
}

/// Whether Clojure takes two rows for one.
fn merges(a: &Edn, b: &Edn) -> bool {
    let integer = |value: &Value| match value {
        Value::Long(n) => Some(datomite::BigInt::from(*n)),
        Value::BigInt(n) => Some(n.as_ref().clone()),
        _ => None,
    };
    match (a, b) {
        (Edn::Value(Value::Double(a)), Edn::Value(Value::Double(b))) => a == b,
        (Edn::Value(x @ Value::BigDec(_)), Edn::Value(y @ Value::BigDec(_))) => x.datomic_eq(y),
        (Edn::Value(x), Edn::Value(y)) => match (integer(x), integer(y)) {
            (Some(x), Some(y)) => x == y,
            _ => x == y,
        },
        (Edn::Vector(a), Edn::Vector(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| merges(a, b))
        }
        (a, b) => a == b,
    }
}

/// Exact pairs first, by sorting; the rest, which may differ in the last digits, one by one.
fn same_in_any_order(a: &[Edn], b: &[Edn]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let (mut a, mut b): (Vec<&Edn>, Vec<&Edn>) = (a.iter().collect(), b.iter().collect());
    a.sort();
    b.sort();
    let mut left = Vec::new();
    let mut from = 0;
    let mut unmatched = Vec::new();
    for form in b {
        while from < a.len() && a[from] < form {
            left.push(a[from]);
            from += 1;
        }
        if from < a.len() && a[from] == form {
            from += 1;
        } else {
            unmatched.push(form);
        }
    }
    left.extend(&a[from..]);
    unmatched.into_iter().all(|form| {
        let twin = left.iter().position(|other| same(other, form));
        twin.map(|at| left.swap_remove(at)).is_some()
    })
}
