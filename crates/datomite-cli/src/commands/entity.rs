//! `datomite entity DB EID`: one entity, all of it, components included.

use datomite::{Ask, Db, Edn};

use crate::args::Entity;
use crate::output::Answer;
use crate::problem::Problem;
use crate::{database, output, view};

/// Prints one entity.
pub(crate) fn run(args: Entity) -> Result<(), Problem> {
    let conn = database::reader(&args.db)?;
    let db = view::apply(&conn.db(), &args.view)?;
    let eid = datomite::read(&args.eid).map_err(|e| Problem::edn(e, &args.eid))?;
    let answer = answer(&db, &eid)?;
    output::print(answer, &args.output, Some(&db)).map_err(Problem::output)
}

/// `[*]` of an entity that exists.
pub(crate) fn answer(db: &Db, eid: &Edn) -> Result<Answer, Problem> {
    let missing = || Problem::refused(format!("no entity {eid}"));
    let id = db.entid(eid)?.ok_or_else(missing)?;
    let id = Edn::Value(datomite::Value::Ref(id));
    if db
        .datoms(datomite::Index::Eavt, std::slice::from_ref(&id))?
        .next()
        .is_none()
    {
        return Err(missing());
    }
    Ok(Answer::Value(db.pull("[*]", id)?))
}
