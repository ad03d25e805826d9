//! `datomite pull DB PATTERN EID…`

use datomite::{Db, Edn, Pattern, QueryError};

use crate::args::Pull;
use crate::output::Answer;
use crate::problem::Problem;
use crate::{ask, database, output, view};

/// Pulls each entity; one is a map, several are a vector.
pub(crate) fn run(args: Pull) -> Result<(), Problem> {
    let conn = database::reader(&args.db)?;
    let db = view::apply(&conn.db(), &args.view)?;
    let pattern = datomite::read(&args.pattern).map_err(|e| Problem::edn(e, &args.pattern))?;
    let eids = ask::arguments(&args.eids)?;
    let answer = answer(&db, &pattern, &eids)?;
    output::print(answer, &args.output, Some(&db)).map_err(Problem::output)
}

/// The pulled map, or a vector of them.
pub(crate) fn answer(db: &Db, pattern: &Edn, eids: &[Edn]) -> Result<Answer, Problem> {
    match eids {
        [eid] => Ok(Answer::Value(datomite::pull(
            db,
            &pattern_of(pattern)?,
            eid,
        )?)),
        eids => Ok(Answer::Value(Edn::Vector(datomite::pull_many(
            db,
            &pattern_of(pattern)?,
            eids,
        )?))),
    }
}

fn pattern_of(form: &Edn) -> Result<Pattern, Problem> {
    Pattern::from_edn(form).map_err(|error| QueryError::from(error).into())
}
