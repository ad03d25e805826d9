//! `datomite history DB EID [ATTR]`: what was said of an entity, in the order it was said.

use datomite::{Datom, Db, Edn, Index, Value};

use crate::args::History;
use crate::output::{Answer, Rows, Shape};
use crate::problem::Problem;
use crate::{database, output};

/// Prints every assertion and retraction about an entity.
pub(crate) fn run(args: History) -> Result<(), Problem> {
    let conn = database::reader(&args.db)?;
    let db = conn.db();
    let read = |text: &str| datomite::read(text).map_err(|error| Problem::edn(error, text));
    let eid = read(&args.eid)?;
    let attribute = args.attribute.as_deref().map(read).transpose()?;
    let answer = answer(&db, &eid, attribute)?;
    output::print(answer, &args.output, Some(&db)).map_err(Problem::output)
}

/// A row a change: when, which attribute, old value, new value.
pub(crate) fn answer(db: &Db, eid: &Edn, attribute: Option<Edn>) -> Result<Answer, Problem> {
    let id = db
        .entid(eid)?
        .ok_or_else(|| Problem::refused(format!("no entity {eid}")))?;
    let mut components = vec![Edn::Value(Value::Ref(id))];
    components.extend(attribute);
    let datoms: Result<Vec<Datom>, _> = db.history().datoms(Index::Eavt, &components)?.collect();
    let mut datoms = datoms?;
    datoms.sort_by_key(|datom| (datom.tx, datom.a, datom.added));
    let mut rows: Vec<Vec<Edn>> = Vec::new();
    let mut at = 0;
    while let Some(datom) = datoms.get(at) {
        let next = datoms.get(at + 1).filter(|next| replaces(db, datom, next));
        at += if next.is_some() { 2 } else { 1 };
        let value = |datom: &Datom| Edn::Value(datom.v.clone());
        let (old, new) = match (datom.added, next) {
            (false, Some(next)) => (value(datom), value(next)),
            (false, None) => (value(datom), Edn::Nil),
            (true, _) => (Edn::Nil, value(datom)),
        };
        rows.push(vec![
            Edn::Value(Value::Long(datom.t().raw() as i64)),
            instant(db, datom)?,
            db.ident(datom.a)
                .map_or(Edn::Nil, |ident| Edn::Value(Value::Keyword(ident))),
            old,
            new,
        ]);
    }
    let columns = ["t", "instant", "attribute", "old", "new"]
        .map(str::to_owned)
        .to_vec();
    Ok(Answer::Rows(Rows {
        columns,
        rows,
        shape: Shape::Bag,
    }))
}

/// Whether `next` is the new value for the one that `datom` takes back.
fn replaces(db: &Db, datom: &Datom, next: &Datom) -> bool {
    let one = db
        .schema()
        .attribute(datom.a)
        .is_some_and(|attribute| !attribute.is_many());
    one && !datom.added && next.added && (datom.tx, datom.a) == (next.tx, next.a)
}

fn instant(db: &Db, datom: &Datom) -> Result<Edn, Problem> {
    let forms = [
        Edn::Value(Value::Ref(datom.tx)),
        Edn::keyword("db/txInstant"),
    ];
    let found = db.datoms(Index::Eavt, &forms)?.next().transpose()?;
    Ok(found.map_or(Edn::Nil, |datom| Edn::Value(datom.v)))
}
