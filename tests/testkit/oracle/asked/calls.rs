//! The functions that generated queries call, written again by their descriptions.

use std::cmp::Ordering;

use datomite::{Datom, Edn, EntityId, Value};

use super::{Oracle, Row, Stop, meets, normal};
use crate::queries::ast::{Arg, Bind, Call};

/// Longer ranges are none of a generated query's meaning.
const RANGE_MAX: i64 = 1000;

/// The rows that a binding makes of a value; nil makes none.
pub(super) fn expand(bind: &Bind, value: &Edn) -> Vec<Row> {
    let items = |form: &Edn| match form {
        Edn::List(items) | Edn::Vector(items) | Edn::Set(items) => items.clone(),
        _ => Vec::new(),
    };
    let tuple = |vars: &[Option<&'static str>], form: &Edn| -> Row {
        let items = items(form).into_iter();
        let pairs = vars.iter().zip(items);
        pairs
            .filter_map(|(var, item)| Some(((*var)?, normal(&item))))
            .collect()
    };
    match (bind, value) {
        (_, Edn::Nil) => Vec::new(),
        (Bind::Scalar(var), value) => vec![Row::from([(*var, normal(value))])],
        (Bind::Coll(var), value) => items(value)
            .iter()
            .map(|item| Row::from([(*var, normal(item))]))
            .collect(),
        (Bind::Tuple(vars), value) => vec![tuple(vars, value)],
        (Bind::Rel(vars), value) => items(value).iter().map(|item| tuple(vars, item)).collect(),
    }
}

/// The value of an argument.
pub(super) fn value(arg: &Arg, row: &Row) -> Edn {
    match arg {
        Arg::Var(var) => row.get(var).cloned().unwrap_or(Edn::Nil),
        Arg::Const(form) => normal(form),
        Arg::Source(_) => Edn::Nil,
        Arg::Vector(args) => Edn::Vector(args.iter().map(|arg| value(arg, row)).collect()),
    }
}

fn number(form: &Edn) -> Option<f64> {
    match form {
        Edn::Value(Value::Long(n)) => Some(*n as f64),
        Edn::Value(Value::Double(n)) => Some(*n),
        _ => None,
    }
}

/// Where the values of a type stand among the others.
fn rank(form: &Edn) -> u8 {
    match form {
        Edn::Nil => 0,
        Edn::Vector(_) | Edn::List(_) => 2,
        Edn::Map(_) => 3,
        Edn::Set(_) => 4,
        Edn::Value(Value::Keyword(_)) => 5,
        Edn::Value(Value::Boolean(_)) => 6,
        Edn::Value(Value::String(_)) => 7,
        Edn::Value(Value::Instant(_)) => 8,
        _ => 1,
    }
}

/// The order of `<`.
pub(super) fn compare(a: &Edn, b: &Edn) -> Ordering {
    match (a, b) {
        _ if rank(a) != rank(b) => rank(a).cmp(&rank(b)),
        (Edn::Value(Value::Long(a)), Edn::Value(Value::Long(b))) => a.cmp(b),
        (Edn::Value(Value::String(a)), Edn::Value(Value::String(b))) => {
            a.encode_utf16().cmp(b.encode_utf16())
        }
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => a.cmp(b),
        },
    }
}

impl Oracle<'_> {
    /// The value of a call for a row.
    pub fn call(&self, call: &Call, row: &Row, of: &'static str) -> Result<Edn, Stop> {
        let args: Vec<Edn> = call.args.iter().map(|arg| value(arg, row)).collect();
        if let Some(value) = plain(call.name, &args) {
            return Ok(value);
        }
        let source = match call.args.first() {
            Some(Arg::Source("$")) => of,
            Some(Arg::Source(name)) => name,
            _ => of,
        };
        match (call.name, &args[..]) {
            ("missing?", [_, e, a]) => Ok(Edn::from(self.held(source, e, a)?.is_empty())),
            ("get-else", [_, e, a, otherwise]) => {
                let held = self.held(source, e, a)?;
                Ok(held.first().cloned().unwrap_or_else(|| otherwise.clone()))
            }
            ("get-some", [_, e, attrs @ ..]) => {
                for attr in attrs {
                    if let Some(value) = self.held(source, e, attr)?.first() {
                        let id = self.attribute_id(source, attr)?;
                        return Ok(Edn::Vector(vec![id, value.clone()]));
                    }
                }
                Ok(Edn::Nil)
            }
            ("fulltext", [_, a, search]) => self.fulltext(source, a, search),
            ("tx-ids", [_, from, to]) => Ok(self.tx_ids(from, to)),
            ("tx-data", [_, tx]) => Ok(self.tx_data(tx)),
            _ => Err(Stop::Unknown(call.name.to_owned())),
        }
    }

    fn attribute_id(&self, of: &str, attr: &Edn) -> Result<Edn, Stop> {
        Ok(Edn::long(self.entity(self.db(of)?, attr)?.raw() as i64))
    }

    /// The values of an entity's attribute, in the order of the index; a history has them all.
    fn held(&self, of: &str, e: &Edn, a: &Edn) -> Result<Vec<Edn>, Stop> {
        let shown = self.db(of)?;
        let (e, a) = (self.entity(shown, e)?, self.entity(shown, a)?);
        let facts = shown.facts.get(&a).into_iter().flatten();
        let facts = facts.filter(|fact| fact.e == e && fact.added);
        let mut values: Vec<&Value> = facts.map(|fact| &fact.v).collect();
        values.sort();
        let forms = values.into_iter().map(|v| normal(&Edn::Value(v.clone())));
        Ok(forms.collect())
    }

    /// Any of the words of the search, in the values of the attribute.
    fn fulltext(&self, of: &str, a: &Edn, search: &Edn) -> Result<Edn, Stop> {
        let shown = self.db(of)?;
        let a = self.entity(shown, a)?;
        let sought: Vec<&str> = search.as_str().unwrap_or("").split(' ').collect();
        let matches = |fact: &&Datom| match &fact.v {
            Value::String(text) => text.split(' ').any(|word| sought.contains(&word)),
            _ => false,
        };
        let facts = shown.facts.get(&a).into_iter().flatten();
        let rows = facts.filter(|fact| fact.added).filter(matches).map(|fact| {
            let id = Edn::long(fact.e.raw() as i64);
            let value = Edn::Value(fact.v.clone());
            Edn::Vector(vec![
                id,
                value,
                Edn::long(fact.tx.t().raw() as i64),
                Edn::Nil,
            ])
        });
        Ok(Edn::Vector(rows.collect()))
    }

    /// The transactions of the log: not those that a fresh store has.
    fn tx_ids(&self, from: &Edn, to: &Edn) -> Edn {
        let id = |form: &Edn| form.as_long().map(|n| EntityId::new(n as u64));
        let within = |tx: &&EntityId| {
            id(from).is_none_or(|from| **tx >= from) && id(to).is_none_or(|to| **tx < to)
        };
        let txs = self.world.txs.iter().filter(within);
        Edn::Vector(txs.map(|tx| Edn::long(tx.raw() as i64)).collect())
    }

    fn tx_data(&self, tx: &Edn) -> Edn {
        let datoms = self.world.told_in(tx).into_iter().map(|datom| {
            let v = normal(&Edn::Value(datom.v.clone()));
            let id = |id: EntityId| Edn::long(id.raw() as i64);
            let added = Edn::from(datom.added);
            Edn::Vector(vec![id(datom.e), id(datom.a), v, id(datom.tx), added])
        });
        Edn::Vector(datoms.collect())
    }
}

/// Functions of their arguments alone.
fn plain(name: &str, args: &[Edn]) -> Option<Edn> {
    let long = |at: usize| args.get(at).and_then(Edn::as_long);
    let ordered = |wanted: &[Ordering]| match args {
        [a, b] => Some(Edn::from(wanted.contains(&compare(a, b)))),
        _ => None,
    };
    match name {
        "<" => ordered(&[Ordering::Less]),
        "<=" => ordered(&[Ordering::Less, Ordering::Equal]),
        ">" => ordered(&[Ordering::Greater]),
        ">=" => ordered(&[Ordering::Greater, Ordering::Equal]),
        "=" => Some(Edn::from(meets(&args[0], &args[1]))),
        "!=" | "not=" => Some(Edn::from(!meets(&args[0], &args[1]))),
        "even?" => long(0).map(|n| Edn::from(n % 2 == 0)),
        "odd?" => long(0).map(|n| Edn::from(n % 2 != 0)),
        "pos?" => number(&args[0]).map(|n| Edn::from(n > 0.0)),
        "contains?" => match &args[0] {
            Edn::Set(items) => Some(Edn::from(items.iter().any(|item| meets(item, &args[1])))),
            _ => None,
        },
        "clojure.string/starts-with?" => {
            Some(Edn::from(args[0].as_str()?.starts_with(args[1].as_str()?)))
        }
        "+" | "*" | "-" => match (&args[0], &args[1], name) {
            (Edn::Value(Value::Long(a)), Edn::Value(Value::Long(b)), "+") => Some(Edn::long(a + b)),
            (Edn::Value(Value::Long(a)), Edn::Value(Value::Long(b)), "-") => Some(Edn::long(a - b)),
            (Edn::Value(Value::Long(a)), Edn::Value(Value::Long(b)), _) => Some(Edn::long(a * b)),
            (a, b, "+") => Some(Edn::from(number(a)? + number(b)?)),
            (a, b, "-") => Some(Edn::from(number(a)? - number(b)?)),
            (a, b, _) => Some(Edn::from(number(a)? * number(b)?)),
        },
        "inc" => long(0).map(|n| Edn::long(n + 1)),
        "mod" => Some(Edn::long(long(0)?.rem_euclid(long(1)?))),
        "quot" => Some(Edn::long(long(0)? / long(1)?)),
        "max" => args.iter().max_by(|a, b| compare(a, b)).cloned(),
        "min" => args.iter().min_by(|a, b| compare(a, b)).cloned(),
        "str" => {
            let text = |form: &Edn| match form {
                Edn::Value(Value::String(text)) => Some(text.to_string()),
                Edn::Nil => Some(String::new()),
                Edn::Value(Value::Long(_) | Value::Keyword(_) | Value::Boolean(_)) => {
                    Some(form.to_string())
                }
                _ => None,
            };
            let parts: Option<Vec<String>> = args.iter().map(text).collect();
            Some(Edn::string(&parts?.concat()))
        }
        "count" => match &args[0] {
            Edn::Vector(items) => Some(Edn::long(items.len() as i64)),
            Edn::Value(Value::String(text)) => Some(Edn::long(text.encode_utf16().count() as i64)),
            _ => None,
        },
        "identity" | "ground" => args.first().cloned(),
        "untuple" => args.first().cloned(),
        "hash-map" => Some(Edn::Vector(vec![Edn::Vector(args.to_vec())])),
        "vector" | "tuple" => Some(Edn::Vector(args.to_vec())),
        "range" => {
            let end = long(0).filter(|end| *end < RANGE_MAX)?;
            Some(Edn::Vector((0..end).map(Edn::long).collect()))
        }
        _ => None,
    }
}
