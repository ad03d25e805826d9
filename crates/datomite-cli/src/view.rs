//! `--as-of`, `--since` and `--history`: the database value that a command asks.

use datomite::Db;

use crate::args::View;
use crate::problem::Problem;
use crate::time::time_point;

/// The database seen through the options.
pub(crate) fn apply(db: &Db, view: &View) -> Result<Db, Problem> {
    let mut db = db.clone();
    if let Some(text) = &view.as_of {
        db = db.as_of(time_point(text)?)?;
    }
    if let Some(text) = &view.since {
        db = db.since(time_point(text)?)?;
    }
    Ok(if view.history { db.history() } else { db })
}
