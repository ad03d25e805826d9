//! Datomic's own functions: those that read a database, and `ground`, `tuple`, `untuple`, `q`.

use std::sync::Arc;

use datomite_db::{Db, DbError, KeyRange, Log, TimePoint};
use datomite_model::{Attribute, Datom, Edn, EntityId, Index, T, Value};

use super::{Arg, Builtin, CallError, Invocation, MANY, Outcome, fulltext};
use crate::QueryError;
use crate::pull::{Pattern, pull};

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new(
        "get-else",
        "(get-else $ e a default): the value of an attribute of cardinality one, or default",
        (4, 4),
        get_else,
    ),
    Builtin::new(
        "get-some",
        "(get-some $ e a+): attribute id and value of the first attribute that e has",
        (3, MANY),
        get_some,
    ),
    Builtin::new(
        "missing?",
        "(missing? $ e a): whether e has no value of an attribute",
        (3, 3),
        missing,
    ),
    Builtin::new(
        "ground",
        "(ground x): a constant, to be bound",
        (1, 1),
        |c| c.edn(0).cloned(),
    ),
    Builtin::new(
        "tuple",
        "(tuple x*): a tuple of its arguments",
        (0, MANY),
        |c| {
            let slots: Result<Vec<Edn>, QueryError> =
                (0..c.len()).map(|at| c.edn(at).cloned()).collect();
            slots.map(Edn::Vector)
        },
    ),
    Builtin::new(
        "untuple",
        "(untuple t): a tuple, to be bound apart",
        (1, 1),
        |c| c.edn(0).cloned(),
    ),
    Builtin::new(
        "q",
        "(q (quote query) input*): the result of a query",
        (1, MANY),
        |c| match c.context.nested {
            Some(nested) => nested(c.edn(0)?, &c.args[1..]),
            None => Err(unsupported(c)),
        },
    ),
    Builtin::new(
        "tx-ids",
        "(tx-ids log start end): the transactions from start up to before end",
        (3, 3),
        tx_ids,
    ),
    Builtin::new(
        "tx-data",
        "(tx-data log tx): the datoms of a transaction",
        (2, 2),
        tx_data,
    ),
    Builtin::new(
        "fulltext",
        "(fulltext $ a text): entity, value, t and score of what matches",
        (3, 3),
        fulltext::fulltext,
    ),
    Builtin::new(
        "datomic.api/tx->t",
        "(tx->t tx): the t of a transaction",
        (1, 1),
        |c| Ok(Edn::long(EntityId::new(c.long(0)? as u64).t().raw() as i64)),
    ),
    Builtin::new(
        "datomic.api/t->tx",
        "(t->tx t): the transaction of a t",
        (1, 1),
        |c| Ok(Edn::long(T::new(c.long(0)? as u64).tx().raw() as i64)),
    ),
    Builtin::new(
        "datomic.api/part",
        "(part e): the partition of an entity",
        (1, 1),
        |c| {
            let partition = EntityId::new(c.long(0)? as u64).partition();
            Ok(Edn::long(partition.entity(0).raw() as i64 >> 42))
        },
    ),
    Builtin::new(
        "datomic.api/squuid",
        "(squuid): a new uuid that begins with the time in seconds",
        (0, 0),
        |_| {
            let seconds = crate::options::seconds_since_1970();
            Ok(super::transform::random_uuid(Some(seconds as u32)))
        },
    ),
    Builtin::new(
        "datomic.api/squuid-time-millis",
        "(squuid-time-millis u): the time in a squuid",
        (1, 1),
        |c| match c.edn(0)? {
            Edn::Value(Value::Uuid(uuid)) => {
                Ok(Edn::long((uuid.as_u128() >> 96) as u32 as i64 * 1000))
            }
            _ => Err(c.wrong_type(0, "a uuid")),
        },
    ),
    Builtin::new(
        "datomic.api/basis-t",
        "(basis-t $): the t of a database",
        (1, 1),
        |c| Ok(Edn::long(db(c, 0)?.basis_t().raw() as i64)),
    ),
    Builtin::new(
        "datomic.api/entid",
        "(entid $ x): the id that a form names",
        (2, 2),
        |c| {
            let id = db(c, 0)?.entid(c.edn(1)?)?;
            Ok(id.map_or(Edn::Nil, |id| Edn::long(id.raw() as i64)))
        },
    ),
    Builtin::new(
        "datomic.api/ident",
        "(ident $ x): the ident of an entity",
        (2, 2),
        |c| {
            let id = db(c, 0)?.entid(c.edn(1)?)?;
            let ident = id.and_then(|id| db(c, 0).ok()?.ident(id));
            Ok(ident.map_or(Edn::Nil, |ident| Edn::Value(Value::Keyword(ident))))
        },
    ),
    Builtin::new(
        "datomic.api/datoms",
        "(datoms $ index component*): rows of entity, attribute, value, tx and added",
        (2, MANY),
        datoms,
    ),
    Builtin::new(
        "datomic.api/pull",
        "(pull $ pattern e): what a pull pattern finds of an entity",
        (3, 3),
        |c| {
            let pattern = Pattern::from_edn(c.edn(1)?)?;
            pull(db(c, 0)?, &pattern, c.edn(2)?)
        },
    ),
];

fn log<'a>(c: &Invocation<'a>, at: usize) -> Result<&'a Log, QueryError> {
    match c.args[at] {
        Arg::Log(log) => Ok(log),
        _ => Err(c.wrong_type(at, "a log")),
    }
}

fn tx_ids(c: &Invocation<'_>) -> Outcome {
    let point = |at| match c.edn(at)? {
        Edn::Nil => Ok(None),
        form => Ok::<_, QueryError>(Some(TimePoint::from_edn(form)?)),
    };
    let ids = log(c, 0)?.tx_ids(point(1)?, point(2)?)?;
    let id = |id: EntityId| Edn::long(id.raw() as i64);
    Ok(Edn::Vector(ids.into_iter().map(id).collect()))
}

fn tx_data(c: &Invocation<'_>) -> Outcome {
    let datoms = log(c, 0)?.tx_data(TimePoint::from_edn(c.edn(1)?)?)?;
    Ok(Edn::Vector(datoms.into_iter().map(datom_row).collect()))
}

fn datoms(c: &Invocation<'_>) -> Outcome {
    let name = c.edn(1)?.as_keyword().map(|keyword| keyword.name());
    let index = name.and_then(Index::named);
    let index = index.ok_or_else(|| c.wrong_type(1, "an index"))?;
    let components: Result<Vec<Edn>, QueryError> =
        (2..c.len()).map(|at| c.edn(at).cloned()).collect();
    let mut rows = Vec::new();
    for datom in db(c, 0)?.datoms(index, &components?)? {
        rows.push(datom_row(datom?));
        c.check_length(rows.len())?;
    }
    Ok(Edn::Vector(rows))
}

fn datom_row(datom: Datom) -> Edn {
    let long = |id: EntityId| Edn::long(id.raw() as i64);
    Edn::Vector(vec![
        long(datom.e),
        long(datom.a),
        Edn::from(datom.v),
        long(datom.tx),
        Edn::from(datom.added),
    ])
}

fn unsupported(c: &Invocation<'_>) -> QueryError {
    CallError::Unsupported {
        function: c.function(),
    }
    .into()
}

pub(super) fn db<'a>(c: &Invocation<'a>, at: usize) -> Result<&'a Db, QueryError> {
    match c.args[at] {
        Arg::Db(db) => Ok(db),
        _ => Err(c.wrong_type(at, "a database")),
    }
}

/// The attribute of an argument; of cardinality one, or it is an error.
fn attribute_one(c: &Invocation<'_>, db: &Db, at: usize) -> Result<Arc<Attribute>, QueryError> {
    let form = c.edn(at)?;
    let id = db.require_entid(form)?;
    let attribute = db.schema().attribute(id).cloned();
    let attribute = attribute.ok_or_else(|| DbError::NotAnAttribute { form: form.clone() })?;
    if attribute.is_many() {
        return Err(CallError::CardinalityMany {
            function: c.function(),
            attribute: attribute.ident.clone(),
        }
        .into());
    }
    Ok(attribute)
}

/// The first value of an attribute of an entity, as results show it.
fn first_value(db: &Db, e: EntityId, a: EntityId) -> Result<Option<Edn>, DbError> {
    let mut runs = db.runs(Index::Eavt, &KeyRange::prefix(Some(e), Some(a), None));
    while let Some(run) = runs.next()? {
        if let Some(row) = (0..run.len()).find(|row| run.added(*row)) {
            return Ok(Some(Edn::from(run.v(row).to_value())));
        }
    }
    Ok(None)
}

/// The entity that an argument names; a number counts as it stands, what cannot name any names
/// none.
fn entity_of(c: &Invocation<'_>, db: &Db, at: usize) -> Result<Option<EntityId>, QueryError> {
    let form = c.edn(at)?;
    let whole = |n: f64| Some(EntityId::new(n as i64 as u64));
    Ok(match form {
        Edn::Value(Value::Double(n)) => whole(*n),
        Edn::Value(Value::Float(n)) => whole(f64::from(*n)),
        Edn::Value(Value::Boolean(_) | Value::Instant(_) | Value::Uuid(_) | Value::Uri(_)) => None,
        form => db.entid(form)?,
    })
}

fn get_else(c: &Invocation<'_>) -> Outcome {
    let db = db(c, 0)?;
    let default = c.edn(3)?;
    if default.is_nil() {
        return Err(CallError::NilDefault.into());
    }
    let attribute = attribute_one(c, db, 2)?;
    let found = match entity_of(c, db, 1)? {
        Some(e) => first_value(db, e, attribute.id)?,
        None => None,
    };
    Ok(found.unwrap_or_else(|| default.clone()))
}

fn get_some(c: &Invocation<'_>) -> Outcome {
    let db = db(c, 0)?;
    let attributes: Result<Vec<Arc<Attribute>>, QueryError> =
        (2..c.len()).map(|at| attribute_one(c, db, at)).collect();
    let attributes = attributes?;
    let Some(e) = entity_of(c, db, 1)? else {
        return Ok(Edn::Nil);
    };
    for attribute in attributes {
        if let Some(value) = first_value(db, e, attribute.id)? {
            let id = Edn::long(attribute.id.raw() as i64);
            return Ok(Edn::Vector(vec![id, value]));
        }
    }
    Ok(Edn::Nil)
}

fn missing(c: &Invocation<'_>) -> Outcome {
    let db = db(c, 0)?;
    let entity = entity_of(c, db, 1)?;
    let attribute = db.entid(c.edn(2)?)?;
    match entity.zip(attribute) {
        Some((e, a)) => c.bool(first_value(db, e, a)?.is_none()),
        None => c.bool(true),
    }
}
