//! `index-pull`: pulls along an index.
//!
//! `:avet` walks one attribute by value and pulls its entities; `:aevt` walks one attribute of
//! several references by entity and pulls what they lead to. The walk stays in the attribute.

use std::sync::Arc;

use datomite_db::{Datoms, Db, DbError};
use datomite_model::{Attribute, Datom, Edn, Index};

use super::{Pattern, Prepared, PullError, refuse_history};
use crate::QueryError;
use crate::builtins::is_true;
use crate::options::{Limits, QueryOptions};

/// Pulls what an index walk finds. `options` is a map of `:index`, `:selector`, `:start` and, if
/// wanted, `:reverse`; other keys are ignored, as by Datomic's peer. Entities that the pull finds
/// nothing of are nil. [`index_pull_some`] pulls a part of them.
pub fn index_pull(db: &Db, options: &Edn) -> Result<Vec<Edn>, QueryError> {
    index_pull_some(db, options, 0, usize::MAX)
}

/// As [`index_pull`], after `offset` rows of the walk and at most `limit` of them.
pub fn index_pull_some(
    db: &Db,
    options: &Edn,
    offset: usize,
    limit: usize,
) -> Result<Vec<Edn>, QueryError> {
    let given = |name: &str| {
        options
            .get(&Edn::keyword(name))
            .filter(|form| !form.is_nil())
    };
    let need = |name: &str, missing| given(name).ok_or(PullError::NilInput { missing });
    let index = need("index", ":index")?;
    let selector = need("selector", ":selector")?;
    let start = need("start", ":start")?.as_sequence().unwrap_or_default();
    let first = start.first().ok_or(PullError::NilInput {
        missing: "an attribute in :start",
    })?;
    let pattern = Pattern::from_edn(selector)?;
    refuse_history(db)?;
    let id = db.require_entid(first)?;
    let attribute = db.schema().attribute(id).cloned();
    let attribute = attribute.ok_or_else(|| DbError::NotAnAttribute {
        form: first.clone(),
    })?;
    let index = walkable(index, &attribute, start)?;
    let limits = Limits::begin(&QueryOptions::default());
    let prepared = Prepared::new(db, &pattern, &limits)?;
    let reverse = given("reverse").is_some_and(is_true);
    let walk = walk(db, index, start, reverse)?;
    let rows = walk.skip(offset).take(limit);
    pulled(rows, &prepared, &attribute, index).collect()
}

/// The index, if it can walk the attribute from there.
fn walkable(index: &Edn, attribute: &Attribute, start: &[Edn]) -> Result<Index, PullError> {
    let name = index.as_keyword().map(|keyword| keyword.name());
    let refuse = |why| PullError::InvalidPull {
        attribute: Edn::from(attribute.ident.clone()),
        why,
    };
    match name {
        Some("avet") if start.len() == 1 && attribute.is_many() => Err(refuse(
            "is not card-one, as :avet needs it when start is only an attribute",
        )),
        Some("avet") => Ok(Index::Avet),
        Some("aevt") if attribute.is_many() && attribute.is_ref() => Ok(Index::Aevt),
        Some("aevt") => Err(refuse("is no card-many reference, as :aevt needs it")),
        _ => Err(refuse("the index must be :avet or :aevt")),
    }
}

fn walk(db: &Db, index: Index, start: &[Edn], reverse: bool) -> Result<Datoms, DbError> {
    if reverse {
        db.rseek_datoms(index, start)
    } else {
        db.seek_datoms(index, start)
    }
}

fn pulled<'a>(
    walk: impl Iterator<Item = Result<Datom, DbError>> + 'a,
    prepared: &'a Prepared<'a>,
    attribute: &'a Arc<Attribute>,
    index: Index,
) -> impl Iterator<Item = Result<Edn, QueryError>> + 'a {
    let inside = |datom: &Result<Datom, DbError>| {
        datom.as_ref().map_or(true, |datom| datom.a == attribute.id)
    };
    walk.take_while(inside).map(move |datom| {
        let datom = datom?;
        let entity = match index {
            Index::Aevt => Edn::from(datom.v),
            _ => Edn::long(datom.e.raw() as i64),
        };
        prepared.pull(&entity)
    })
}
