//! The one place where the runner calls the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use datomite::{
    Connection, Datom, Db, DbError, Edn, Entity, EntityId, EntityValue, Function, FunctionError,
    Input, Instant, Keyword, Options, Pattern, Query, QueryError, QueryOptions, Symbol, TxError,
    TxReport, mem_with,
};

use super::context::{Context, Failure, tagged};

/// An argument of a query.
pub(super) enum Argument {
    Db(Db),
    Log(Connection),
    Edn(Edn),
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Failure {
        Failure::Store {
            code: error.code(),
            category: Some(error.category()),
            message: error.to_string(),
        }
    }
}

impl From<TxError> for Failure {
    fn from(error: TxError) -> Failure {
        Failure::Store {
            code: error.code(),
            category: Some(error.category()),
            message: error.to_string(),
        }
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Failure {
        Failure::Store {
            code: error.code(),
            category: Some(error.category()),
            message: error.to_string(),
        }
    }
}

/// A fresh database whose clock moves two milliseconds at every look, so that no two transactions
/// share one.
pub(super) fn fresh() -> Result<Connection, Failure> {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now_ms = since_1970.map_or(0, |elapsed| elapsed.as_millis() as i64);
    let next_ms = AtomicI64::new(now_ms);
    let clock = move || Instant::from_ms(next_ms.fetch_add(2, Ordering::Relaxed));
    Ok(mem_with(Options::new().clock(clock)))
}

pub(super) fn register(conn: &Connection, name: Symbol, function: Function) {
    conn.functions().register(name, function);
}

pub(super) fn db(conn: &Connection) -> Db {
    conn.db()
}

pub(super) fn transact(conn: &Connection, tx_data: &Edn) -> Result<TxReport, Failure> {
    Ok(conn.transact(tx_data.clone())?)
}

pub(super) fn with(db: &Db, tx_data: &Edn) -> Result<TxReport, Failure> {
    Ok(db.with(tx_data.clone())?)
}

/// A value of an entity's attribute, nil where there is none; of several, the first.
pub(super) fn get_one(db: &Db, e: EntityId, attribute: &str) -> Result<Edn, FunctionError> {
    let entity = db.entity(&Edn::from(datomite::Value::Ref(e)))?;
    let value = match entity {
        Some(entity) => entity.get(attribute)?,
        None => None,
    };
    Ok(match value {
        None => Edn::Nil,
        Some(EntityValue::Value(value)) => Edn::from(value),
        Some(_) => Edn::from(true),
    })
}

fn entity(db: &Db, id: &Edn) -> Result<Option<Entity>, Failure> {
    match id {
        Edn::Nil => Ok(None),
        id => Ok(db.entity(id)?),
    }
}

fn value_answer(context: &Context, value: &EntityValue) -> Edn {
    match value {
        EntityValue::Value(value) => context.answer(&Edn::from(value), false),
        EntityValue::Entity(entity) => tagged("entity", context.entity_answer(entity.id())),
        EntityValue::Set(members) => Edn::Set(
            members
                .iter()
                .map(|member| value_answer(context, member))
                .collect(),
        ),
        _ => Edn::Nil,
    }
}

pub(super) fn entity_path(
    context: &Context,
    db: &Db,
    id: &Edn,
    path: &[Edn],
) -> Result<Edn, Failure> {
    let mut here = entity(db, id)?.map(EntityValue::Entity);
    for key in path {
        here = match here {
            Some(EntityValue::Entity(entity)) => entity.get_form(key)?,
            _ => None,
        };
    }
    Ok(here.map_or(Edn::Nil, |value| value_answer(context, &value)))
}

pub(super) fn entity_keys(db: &Db, id: &Edn) -> Result<Edn, Failure> {
    let keys = entity(db, id)?.map_or(Ok(Vec::new()), |entity| entity.keys())?;
    Ok(Edn::Set(keys.into_iter().map(Edn::from).collect()))
}

pub(super) fn touch(context: &Context, db: &Db, id: &Edn) -> Result<Edn, Failure> {
    let Some(entity) = entity(db, id)? else {
        return Err(Failure::exception("nothing to touch"));
    };
    let attributes = entity.touch()?.attributes()?;
    let entries = attributes.iter();
    let entries =
        entries.map(|(key, value)| (Edn::from(key.clone()), value_answer(context, value)));
    Ok(Edn::Map(entries.collect()))
}

pub(super) fn tx_range(
    conn: &Connection,
    start: &Edn,
    end: &Edn,
) -> Result<Vec<(EntityId, Vec<Datom>)>, Failure> {
    let range = conn.log().tx_range_forms(start, end)?;
    range
        .map(|entry| Ok(entry.map(|entry| (entry.t.tx(), entry.data))?))
        .collect()
}

/// Counts by attribute.
pub(super) fn attribute_counts(db: &Db) -> Result<Vec<(Keyword, i64)>, Failure> {
    let counts = db.db_stats()?.attributes;
    Ok(counts
        .into_iter()
        .map(|(attribute, count)| (attribute, count as i64))
        .collect())
}

impl From<Argument> for Input {
    fn from(argument: Argument) -> Input {
        match argument {
            Argument::Db(db) => Input::Db(db),
            Argument::Log(conn) => Input::Log(conn.log()),
            Argument::Edn(form) => Input::Edn(form),
        }
    }
}

pub(super) fn q(conn: &Connection, query: &Edn, arguments: Vec<Argument>) -> Result<Edn, Failure> {
    let inputs: Vec<Input> = arguments.into_iter().map(Input::from).collect();
    let options = QueryOptions {
        functions: Some(Arc::clone(conn.functions())),
        ..QueryOptions::default()
    };
    Ok(datomite::q_with(&Query::from_edn(query)?, &inputs, &options)?.into_edn())
}

fn pattern_of(form: &Edn) -> Result<Pattern, QueryError> {
    Ok(Pattern::from_edn(form)?)
}

pub(super) fn pull(db: &Db, pattern: &Edn, id: &Edn) -> Result<Edn, Failure> {
    Ok(datomite::pull(db, &pattern_of(pattern)?, id)?)
}

pub(super) fn pull_many(db: &Db, pattern: &Edn, ids: &[Edn]) -> Result<Edn, Failure> {
    let pulled = datomite::pull_many(db, &pattern_of(pattern)?, ids)?;
    Ok(Edn::Vector(pulled))
}

pub(super) fn index_pull(db: &Db, options: &Edn) -> Result<Edn, Failure> {
    Ok(Edn::Vector(datomite::index_pull(db, options)?))
}

pub(super) fn invoke(name: &Edn, arguments: Vec<Argument>) -> Result<Edn, Failure> {
    let mut arguments = arguments.into_iter();
    let Some(Argument::Db(db)) = arguments.next() else {
        return Err(Failure::Case("the first argument is a database".to_owned()));
    };
    let forms = arguments.filter_map(|argument| match argument {
        Argument::Edn(form) => Some(form),
        _ => None,
    });
    Ok(db.invoke(name, &forms.collect::<Vec<_>>())?)
}
