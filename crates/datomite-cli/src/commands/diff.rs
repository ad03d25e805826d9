//! `datomite diff DB T1 T2`: what changed between two times, by row, old → new.

use datomite::{AttributeChange, Db, Edn, Value};

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

/// A row a change: the entity, the attribute, the value then, the value now. Transactions do not
/// count; changes of the schema come last.
pub(crate) fn answer(db: &Db, from: &str, to: &str) -> Result<Answer, Problem> {
    let diff = db.diff(time_point(from)?, time_point(to)?)?;
    let mut rows = Vec::new();
    for change in &diff.changes {
        let entity = Edn::Value(Value::Ref(change.entity));
        for attribute in &change.attributes {
            rows.extend(changed(&entity, attribute));
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

/// One row where a value took the place of another, else one for each value that went or came.
fn changed(entity: &Edn, change: &AttributeChange) -> Vec<Vec<Edn>> {
    let attribute = Edn::Value(Value::Keyword(change.attribute.clone()));
    let row = |old: Option<&Value>, new: Option<&Value>| {
        let form = |value: Option<&Value>| value.map_or(Edn::Nil, |v| Edn::Value(v.clone()));
        vec![entity.clone(), attribute.clone(), form(old), form(new)]
    };
    if let ([old], [new]) = (change.old.as_slice(), change.new.as_slice()) {
        return vec![row(Some(old), Some(new))];
    }
    let gone = change.old.iter().map(|value| row(Some(value), None));
    gone.chain(change.new.iter().map(|value| row(None, Some(value))))
        .collect()
}
