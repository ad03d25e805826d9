//! The functions that cases call: those of `oracle/src/conformance/fns.clj`, name for name.

use std::sync::Arc;

use datomite::{Category, Connection, Db, Edn, Function, FunctionError, Value, edn};

use super::answer::function_name;
use super::store;

type Answer = Result<Edn, FunctionError>;

/// Registers all of them.
pub(super) fn register(conn: &Connection) {
    let put = |name: &str, function: Function| store::register(conn, function_name(name), function);
    for (name, function) in QUERIES {
        put(name, Function::Query(Arc::new(function)));
    }
    put(
        "spread",
        Function::Aggregate(Arc::new(|_, values| spread(values))),
    );
    put("join-with", Function::Aggregate(Arc::new(join_with)));
    put(
        "positive?",
        Function::AttributePredicate(Arc::new(positive)),
    );
    put(
        "short-string?",
        Function::AttributePredicate(Arc::new(short_string)),
    );
    put(
        "truthy-not-true",
        Function::AttributePredicate(Arc::new(|_| Ok(Edn::string("yes")))),
    );
    put(
        "cancels",
        Function::AttributePredicate(Arc::new(|_| {
            Err(FunctionError::cancel(
                Category::Conflict,
                "cancelled by predicate",
            ))
        })),
    );
    put(
        "min-below-max?",
        Function::EntityPredicate(Arc::new(|db, e| {
            let get = |name| store::get_one(db, e, name);
            let (min, max) = (get("range/min")?, get("range/max")?);
            match (min.as_long(), max.as_long()) {
                (Some(min), Some(max)) => Ok(Edn::from(min < max)),
                _ => Err(FunctionError::new("no number to compare")),
            }
        })),
    );
    put(
        "has-friend?",
        Function::EntityPredicate(Arc::new(|db, e| {
            Ok(Edn::from(
                !store::get_one(db, e, "person/friends")?.is_nil(),
            ))
        })),
    );
    for (name, function) in TRANSACTIONS {
        put(name, Function::Transaction(Arc::new(function)));
    }
}

type QueryFunction = fn(&[Edn]) -> Answer;
type TransactionFunction = fn(&Db, &[Edn]) -> Answer;

const QUERIES: [(&str, QueryFunction); 5] = [
    ("adult?", adult),
    ("full-name", full_name),
    ("nothing", |_| Ok(Edn::Nil)),
    ("pair", pair),
    ("triples", triples),
];

const TRANSACTIONS: [(&str, TransactionFunction); 6] = [
    ("inc-attr", inc_attr),
    ("inc-twice", |_, args| match args {
        [e, a, n] => {
            let call = edn!("[conformance.fns/inc-attr ?e ?a ?n]", e = e, a = a, n = n);
            Ok(Edn::Vector(vec![call.clone(), call]))
        }
        _ => Err(arity("inc-twice")),
    }),
    ("create-named", |_, args| match args {
        [tempid, attribute, name] => Ok(Edn::Vector(vec![Edn::Map(vec![
            (Edn::keyword("db/id"), tempid.clone()),
            (attribute.clone(), name.clone()),
        ])])),
        _ => Err(arity("create-named")),
    }),
    ("none", |_, _| Ok(Edn::Vector(Vec::new()))),
    ("refuse", |_, args| match args {
        [category, message] => {
            let conflict = *category == Edn::keyword("cognitect.anomalies/conflict");
            let category = if conflict {
                Category::Conflict
            } else {
                Category::Incorrect
            };
            Err(FunctionError::cancel(
                category,
                message.as_str().unwrap_or_default(),
            ))
        }
        _ => Err(arity("refuse")),
    }),
    ("fail", |_, _| Err(FunctionError::new("broken function"))),
];

fn arity(name: &str) -> FunctionError {
    FunctionError::new(format!("wrong number of arguments to {name}"))
}

fn long(form: &Edn) -> Result<i64, FunctionError> {
    form.as_long()
        .ok_or_else(|| FunctionError::new(format!("{form} is not a long")))
}

fn adult(args: &[Edn]) -> Answer {
    match args {
        [age] => Ok(Edn::from(double(age)? >= 18.0)),
        _ => Err(arity("adult?")),
    }
}

/// As `str` writes them: nil is nothing, a string itself.
fn full_name(args: &[Edn]) -> Answer {
    match args {
        [first, last] => Ok(Edn::from(format!("{} {}", plain(first), plain(last)))),
        _ => Err(arity("full-name")),
    }
}

fn plain(form: &Edn) -> String {
    match form {
        Edn::Nil => String::new(),
        form => form
            .as_str()
            .map_or_else(|| form.to_string(), str::to_owned),
    }
}

fn pair(args: &[Edn]) -> Answer {
    match args {
        [n] => Ok(Edn::Vector(vec![n.clone(), Edn::from(long(n)? + 1)])),
        _ => Err(arity("pair")),
    }
}

fn triples(args: &[Edn]) -> Answer {
    let [n] = args else {
        return Err(arity("triples"));
    };
    let triple = |i: i64| {
        Edn::Vector(vec![
            Edn::from(i),
            Edn::from(i * i),
            Edn::from(i.to_string()),
        ])
    };
    Ok(Edn::Vector((0..long(n)?).map(triple).collect()))
}

fn spread(values: &[Edn]) -> Answer {
    if let Some(longs) = values
        .iter()
        .map(Edn::as_long)
        .collect::<Option<Vec<i64>>>()
    {
        return match (longs.iter().max(), longs.iter().min()) {
            (Some(max), Some(min)) => Ok(Edn::from(max - min)),
            _ => Err(arity("spread")),
        };
    }
    let doubles = values.iter().map(double).collect::<Result<Vec<f64>, _>>()?;
    let max = doubles.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let min = doubles.iter().copied().fold(f64::INFINITY, f64::min);
    Ok(Edn::from(max - min))
}

fn double(form: &Edn) -> Result<f64, FunctionError> {
    match form {
        Edn::Value(Value::Double(n)) => Ok(*n),
        form => Ok(long(form)? as f64),
    }
}

fn join_with(constants: &[Edn], values: &[Edn]) -> Answer {
    let [separator] = constants else {
        return Err(arity("join-with"));
    };
    let mut values = values.to_vec();
    values.sort();
    let texts: Vec<String> = values.iter().map(plain).collect();
    Ok(Edn::from(texts.join(&plain(separator))))
}

fn positive(value: &Value) -> Answer {
    match value {
        Value::Long(n) => Ok(Edn::from(*n > 0)),
        Value::Ref(id) => Ok(Edn::from(id.raw() > 0)),
        Value::Double(n) => Ok(Edn::from(*n > 0.0)),
        Value::Float(n) => Ok(Edn::from(*n > 0.0)),
        Value::BigInt(n) => Ok(Edn::from(n.as_ref() > &datomite::BigInt::from(0))),
        Value::BigDec(n) => Ok(Edn::from(n.unscaled() > &datomite::BigInt::from(0))),
        other => Err(FunctionError::new(format!("{other} is not a number"))),
    }
}

fn short_string(value: &Value) -> Answer {
    match value {
        Value::String(text) => Ok(Edn::from(text.encode_utf16().count() <= 5)),
        Value::Tuple(slots) => Ok(Edn::from(slots.len() <= 5)),
        other => Err(FunctionError::new(format!("{other} has no count"))),
    }
}

fn inc_attr(db: &Db, args: &[Edn]) -> Answer {
    let [e, a, n] = args else {
        return Err(arity("inc-attr"));
    };
    let now = match (db.entid(e)?, a.as_keyword()) {
        (Some(id), Some(attribute)) => store::get_one(db, id, attribute.as_str())?,
        _ => Edn::Nil,
    };
    let sum = long(n)? + if now.is_nil() { 0 } else { long(&now)? };
    Ok(edn!("[[:db/add ?e ?a ?sum]]", e = e, a = a, sum = sum))
}
