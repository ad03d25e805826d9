//! `:find`: rows to an answer, and whether the engine's answer is that one.

use std::collections::{BTreeMap, BTreeSet};

use datomite::{Edn, EntityId, Value};

use super::calls::compare;
use super::{Oracle, Row, Rows, Stop, normal};
use crate::queries::ast::{Element, Input, Query, Spec};

/// What a query must answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    spec: Spec,
    /// Rows of `:find`, before order and limit, in a normal form.
    pub rows: Vec<Vec<Edn>>,
    keys: bool,
    order: Vec<(usize, bool)>,
    limit: Option<usize>,
    offset: usize,
}

/// Makes the answer of the rows that the clauses leave.
pub(super) fn answer(oracle: &Oracle<'_>, query: &Query, rows: &Rows) -> Result<Answer, Stop> {
    let mut vars: Vec<&str> = query.find.iter().map(Element::var).collect();
    vars.extend(&query.with);
    let mut known = Vec::new();
    query
        .clauses
        .iter()
        .for_each(|clause| clause.vars(&mut known));
    for input in &query.inputs {
        if let Input::Value(bind, _) = input {
            known.extend(bind.vars());
        }
    }
    let unbound = |row: &Row| vars.iter().any(|var| !row.contains_key(var));
    if rows.iter().any(unbound) || !vars.iter().all(|var| known.contains(var)) {
        return Err(Stop::Stuck(format!("{vars:?}")));
    }
    let project = |row: &Row| -> Vec<Edn> { vars.iter().map(|var| row[var].clone()).collect() };
    let distinct: BTreeSet<Vec<Edn>> = rows.iter().map(project).collect();
    let width = query.find.len();
    let is_aggregate = |element: &Element| matches!(element, Element::Aggregate(..));
    let mut rows: Vec<Vec<Edn>> = match query.find.iter().any(is_aggregate) {
        true => grouped(query, &distinct)?,
        false => distinct
            .into_iter()
            .map(|mut row| {
                row.truncate(width);
                row
            })
            .collect(),
    };
    for (at, element) in query.find.iter().enumerate() {
        if let Element::Pull(of, _, pattern) = element {
            let given = query.inputs.iter().find_map(|input| match input {
                Input::Pattern(_, given) if pattern.as_symbol().is_some() => Some(given),
                _ => None,
            });
            let pattern = given.unwrap_or(pattern);
            for row in &mut rows {
                row[at] = oracle.pull(of, &row[at].clone(), pattern)?;
            }
        }
    }
    let mut rows: Vec<Vec<Edn>> = rows
        .iter()
        .map(|row| row.iter().map(settled).collect())
        .collect();
    rows.sort();
    Ok(Answer {
        spec: query.spec,
        rows,
        keys: query.keys.is_some(),
        order: query.order.clone(),
        limit: query.limit,
        offset: query.offset,
    })
}

fn grouped(query: &Query, rows: &BTreeSet<Vec<Edn>>) -> Result<Vec<Vec<Edn>>, Stop> {
    let mut groups: BTreeMap<Vec<Edn>, Vec<&Vec<Edn>>> = BTreeMap::new();
    for row in rows {
        let pairs = query.find.iter().zip(row);
        let by = pairs.filter(|(element, _)| !matches!(element, Element::Aggregate(..)));
        let key = by.map(|(_, value)| value.clone()).collect();
        groups.entry(key).or_default().push(row);
    }
    // A long and a double of one number are one group, under the name of whichever comes first.
    let keys: Vec<&Vec<Edn>> = groups.keys().collect();
    let same = |a: &Vec<Edn>, b: &Vec<Edn>| a.iter().zip(b).all(|(a, b)| compare(a, b).is_eq());
    if (1..keys.len()).any(|at| keys[..at].iter().any(|other| same(other, keys[at]))) {
        return Err(Stop::Unknown(
            "numbers of two types in one group".to_owned(),
        ));
    }
    let fold = |rows: &Vec<&Vec<Edn>>| {
        let cells = query.find.iter().enumerate().map(|(at, element)| {
            let values: Vec<Edn> = rows.iter().map(|row| row[at].clone()).collect();
            match element {
                Element::Aggregate(name, n, _) => aggregate(name, *n, values),
                _ => Ok(values[0].clone()),
            }
        });
        cells.collect()
    };
    groups.values().map(fold).collect()
}

fn aggregate(name: &str, n: Option<i64>, mut values: Vec<Edn>) -> Result<Edn, Stop> {
    let count = values.len();
    values.sort_by(compare);
    let distinct: BTreeSet<Edn> = values.iter().cloned().collect();
    let float = |form: &Edn| match form {
        Edn::Value(Value::Long(n)) => *n as f64,
        Edn::Value(Value::Double(n)) => *n,
        _ => f64::NAN,
    };
    let take =
        |values: Vec<Edn>| Edn::Vector(values.into_iter().take(n.unwrap_or(0) as usize).collect());
    Ok(match (name, n) {
        ("count", _) => Edn::long(count as i64),
        ("count-distinct", _) => Edn::long(distinct.len() as i64),
        ("distinct", _) => Edn::Set(distinct.into_iter().collect()),
        ("min", None) => values[0].clone(),
        ("max", None) => values[count - 1].clone(),
        ("min", _) => take(values),
        ("max", _) => {
            values.reverse();
            take(values)
        }
        ("sum", _) => match values
            .iter()
            .map(Edn::as_long)
            .collect::<Option<Vec<i64>>>()
        {
            Some(longs) => Edn::long(longs.iter().sum()),
            None => Edn::from(values.iter().map(float).sum::<f64>()),
        },
        ("avg", _) => Edn::from(values.iter().map(float).sum::<f64>() / count as f64),
        ("median", _) if count % 2 == 1 => values[count / 2].clone(),
        ("median", _) => match (&values[count / 2 - 1], &values[count / 2]) {
            (Edn::Value(Value::Long(a)), Edn::Value(Value::Long(b))) => Edn::long((a + b) / 2),
            (a, b) => Edn::from((float(a) + float(b)) / 2.0),
        },
        ("variance" | "stddev", _) => {
            let mean = values.iter().map(float).sum::<f64>() / count as f64;
            let squares = values
                .iter()
                .map(|v| (float(v) - mean).powi(2))
                .sum::<f64>();
            let variance = squares / count as f64;
            Edn::from(if name == "stddev" {
                variance.sqrt()
            } else {
                variance
            })
        }
        _ => return Err(Stop::Unknown(name.to_owned())),
    })
}

/// A form in which equal answers are equal: numbers rounded, what has no order sorted.
fn settled(form: &Edn) -> Edn {
    match normal(form) {
        Edn::Value(Value::Double(n)) => {
            let rounded: f64 = format!("{n:.9e}").parse().unwrap_or(n);
            Edn::from(if rounded == 0.0 { 0.0 } else { rounded })
        }
        Edn::Vector(items) => Edn::Vector(items.iter().map(settled).collect()),
        Edn::Set(items) => {
            let mut items: Vec<Edn> = items.iter().map(settled).collect();
            items.sort();
            Edn::Set(items)
        }
        Edn::Map(entries) => {
            let entry = |(key, value): &(Edn, Edn)| {
                let mut value = settled(value);
                if let Edn::Vector(items) = &mut value {
                    items.sort();
                }
                (key.clone(), value)
            };
            let mut entries: Vec<(Edn, Edn)> = entries.iter().map(entry).collect();
            entries.sort();
            Edn::Map(entries)
        }
        other => other,
    }
}

impl Answer {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() || self.limit == Some(0) || self.offset >= self.rows.len()
    }

    /// The answer as a function returns it: of a nested query.
    pub(super) fn value(&self) -> Edn {
        match self.spec {
            Spec::Scalar => self.rows.first().map_or(Edn::Nil, |row| row[0].clone()),
            _ => Edn::Vector(self.rows.iter().cloned().map(Edn::Vector).collect()),
        }
    }

    /// Why an answer of the engine is not this one.
    pub fn differs(&self, found: &Edn) -> Option<String> {
        // A pull that finds nothing and no row at all are both nil.
        if found.is_nil() && self.rows.iter().any(|row| row[..] == [Edn::Nil]) {
            return None;
        }
        let rows = match self.found_rows(found) {
            Ok(rows) => rows,
            Err(why) => return Some(why),
        };
        let mut left = self.rows.clone();
        for row in &rows {
            match left.iter().position(|known| known == row) {
                Some(at) => _ = left.swap_remove(at),
                None => return Some(format!("{} is too much", Edn::Vector(row.clone()))),
            }
        }
        let single = matches!(self.spec, Spec::Tuple | Spec::Scalar);
        let whole = self.rows.len().saturating_sub(self.offset);
        let due = whole.min(self.limit.unwrap_or(usize::MAX));
        let due = if single { due.min(1) } else { due };
        if rows.len() != due {
            let missing: Vec<Edn> = left.into_iter().take(3).map(Edn::Vector).collect();
            return Some(format!("{} rows, not {due}; of {missing:?}", rows.len()));
        }
        self.misordered(&rows)
    }

    /// The rows of the engine's answer.
    fn found_rows(&self, found: &Edn) -> Result<Vec<Vec<Edn>>, String> {
        let items = match found {
            Edn::Set(items) | Edn::List(items) | Edn::Vector(items) => items.as_slice(),
            _ => &[],
        };
        let row = |item: &Edn| -> Result<Vec<Edn>, String> {
            let cells: Vec<Edn> = match (item, self.keys) {
                (Edn::Map(entries), true) => entries.iter().map(|(_, v)| v.clone()).collect(),
                (Edn::Vector(items) | Edn::List(items), false) => items.clone(),
                _ => return Err(format!("{item} is no row")),
            };
            Ok(cells.iter().map(settled).collect())
        };
        match (self.spec, found) {
            (Spec::Tuple | Spec::Scalar, Edn::Nil) => Ok(Vec::new()),
            (Spec::Scalar, value) => Ok(vec![vec![settled(value)]]),
            (Spec::Tuple, value) => Ok(vec![row(value)?]),
            (Spec::Coll, _) => Ok(items.iter().map(|item| vec![settled(item)]).collect()),
            (Spec::Relation, _) => items.iter().map(row).collect(),
        }
    }

    /// Whether the rows have the sort keys that those at these places must have.
    fn misordered(&self, rows: &[Vec<Edn>]) -> Option<String> {
        if self.order.is_empty() {
            return None;
        }
        let mut all = self.rows.clone();
        let order = |a: &Vec<Edn>, b: &Vec<Edn>| {
            let keys = self.order.iter().map(|(at, descending)| {
                let order = compare(&a[*at], &b[*at]);
                if *descending { order.reverse() } else { order }
            });
            keys.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        };
        all.sort_by(order);
        let due = all.iter().skip(self.offset);
        let wrong = rows
            .iter()
            .zip(due)
            .find(|(row, due)| order(row, due).is_ne());
        wrong.map(|(row, due)| format!("{row:?} stands where {due:?} should"))
    }
}

impl Oracle<'_> {
    /// A pull of `:db/id`, names, reverse names and maps of them.
    fn pull(&self, of: &str, e: &Edn, pattern: &Edn) -> Result<Edn, Stop> {
        let shown = self.db(of)?;
        let id = self.entity(shown, e)?;
        let mut entries = Vec::new();
        for spec in pattern.as_sequence().unwrap_or_default() {
            let (name, inner) = match spec {
                Edn::Map(map) => (&map[0].0, Some(&map[0].1)),
                name => (name, None),
            };
            let Some(key) = name.as_keyword() else {
                continue;
            };
            if key.as_str() == "db/id" {
                entries.push((name.clone(), Edn::long(id.raw() as i64)));
                continue;
            }
            if let Some(value) = self.pulled(of, id, key.as_str(), inner)? {
                entries.push((name.clone(), value));
            }
        }
        Ok(if entries.is_empty() {
            Edn::Nil
        } else {
            Edn::Map(entries)
        })
    }

    fn pulled(
        &self,
        of: &str,
        id: EntityId,
        key: &str,
        inner: Option<&Edn>,
    ) -> Result<Option<Edn>, Stop> {
        let shown = self.db(of)?;
        let reverse = key.contains("/_");
        let name = key.replace("/_", "/");
        let attrs = &self.world.plain.attrs;
        let Some(attr) = attrs.iter().find(|attr| attr.ident.as_str() == name) else {
            return Ok(None);
        };
        let facts = shown.facts.get(&attr.id).into_iter().flatten();
        let own = |fact: &&datomite::Datom| match reverse {
            true => fact.v == Value::Ref(id),
            false => fact.e == id,
        };
        let mut values = Vec::new();
        for fact in facts.filter(own) {
            let other = match (&fact.v, reverse) {
                (Value::Ref(_), true) => fact.e,
                (Value::Ref(other), false) => *other,
                (value, _) => {
                    values.push(normal(&Edn::Value(value.clone())));
                    continue;
                }
            };
            let other = Edn::long(other.raw() as i64);
            values.push(match inner {
                Some(pattern) => self.pull(of, &other, pattern)?,
                None => Edn::Map(vec![(Edn::keyword("db/id"), other)]),
            });
        }
        values.retain(|value| !value.is_nil());
        let one = if reverse { attr.component } else { !attr.many };
        Ok(match (one, values.is_empty()) {
            (_, true) => None,
            (true, _) => Some(values.swap_remove(0)),
            (false, _) => Some(Edn::Vector(values)),
        })
    }
}
