//! `datomite diff DB T1 T2`: what changed between two times, by row, old → new.

use std::collections::{BTreeMap, BTreeSet};

use datomite::{Db, Edn, EntityId, Index, Value};

use crate::args::Diff;
use crate::output::{Answer, Rows, Shape};
use crate::problem::Problem;
use crate::time::time_point;
use crate::{database, output};

/// Prints the changes.
pub(crate) fn run(args: Diff) -> Result<(), Problem> {
    let conn = database::reader(&args.db)?;
    let db = conn.db();
    let answer = answer(&db, &args.from, &args.to)?;
    output::print(answer, &args.output, Some(&db)).map_err(Problem::output)
}

/// A row a change: the entity, the attribute, the value then, the value now. Transactions and
/// schema do not count as rows.
pub(crate) fn answer(db: &Db, from: &str, to: &str) -> Result<Answer, Problem> {
    let basis = db.basis();
    let before = basis.as_of(time_point(from)?)?;
    let after = basis.as_of(time_point(to)?)?;
    let mut rows = Vec::new();
    for (e, attributes) in touched(&before, &after)? {
        for a in attributes {
            rows.extend(changes(&before, &after, e, a)?);
        }
    }
    let columns = ["entity", "attribute", "old", "new"]
        .map(str::to_owned)
        .to_vec();
    Ok(Answer::Rows(Rows {
        columns,
        rows,
        shape: Shape::Bag,
    }))
}

/// Entities and attributes that some transaction between the two times speaks of.
fn touched(before: &Db, after: &Db) -> Result<BTreeMap<EntityId, BTreeSet<EntityId>>, Problem> {
    let point = |db: &Db| db.as_of_t().unwrap_or(db.basis_t());
    let (low, high) = (
        point(before).min(point(after)),
        point(before).max(point(after)),
    );
    let window = after.basis().as_of(high)?.since(low)?.history();
    let mut found: BTreeMap<EntityId, BTreeSet<EntityId>> = BTreeMap::new();
    for datom in window.datoms(Index::Eavt, &[])? {
        let datom = datom?;
        if !datom.e.is_tx() && !is_schema(after, datom.e) {
            found.entry(datom.e).or_default().insert(datom.a);
        }
    }
    Ok(found)
}

fn is_schema(db: &Db, e: EntityId) -> bool {
    e.partition() == datomite::Partition::DB || db.schema().attribute(e).is_some()
}

/// The rows of one entity and attribute: one for a single value, one for each value otherwise.
fn changes(before: &Db, after: &Db, e: EntityId, a: EntityId) -> Result<Vec<Vec<Edn>>, Problem> {
    let (old, new) = (values(before, e, a)?, values(after, e, a)?);
    let attribute = match after.ident(a) {
        Some(ident) => Edn::Value(Value::Keyword(ident)),
        None => Edn::Value(Value::Ref(a)),
    };
    let row = |old: Option<&Value>, new: Option<&Value>| {
        let form = |v: Option<&Value>| v.map_or(Edn::Nil, |v| Edn::Value(v.clone()));
        vec![
            Edn::Value(Value::Ref(e)),
            attribute.clone(),
            form(old),
            form(new),
        ]
    };
    let single = after
        .schema()
        .attribute(a)
        .is_some_and(|attribute| !attribute.is_many());
    if single {
        let (old, new) = (old.first(), new.first());
        return Ok(if old == new {
            Vec::new()
        } else {
            vec![row(old, new)]
        });
    }
    let gone = old
        .iter()
        .filter(|v| !new.contains(v))
        .map(|v| row(Some(v), None));
    let came = new
        .iter()
        .filter(|v| !old.contains(v))
        .map(|v| row(None, Some(v)));
    Ok(gone.chain(came).collect())
}

fn values(db: &Db, e: EntityId, a: EntityId) -> Result<Vec<Value>, Problem> {
    let forms = [Edn::Value(Value::Ref(e)), Edn::Value(Value::Ref(a))];
    let datoms = db.datoms(Index::Eavt, &forms)?;
    datoms.map(|datom| Ok(datom?.v)).collect()
}
