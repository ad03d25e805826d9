//! `datomite log DB [FROM [TO]]`: transactions, oldest first.

use datomite::{Connection, Datom, Edn, EntityId, TimePoint, Value};

use crate::args::Log;
use crate::output::{Answer, Rows, Shape};
use crate::problem::Problem;
use crate::time::time_point;
use crate::{database, output};

/// Prints the transactions from FROM (inclusive) to TO (exclusive).
pub(crate) fn run(args: Log) -> Result<(), Problem> {
    let conn = database::reader(&args.db)?;
    let answer = answer(&conn, args.from.as_deref(), args.to.as_deref())?;
    output::print(answer, &args.output, Some(&conn.db())).map_err(Problem::output)
}

/// A row a transaction: its t, its entity, its instant, how many datoms it added and retracted.
pub(crate) fn answer(
    conn: &Connection,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Answer, Problem> {
    let point = |text: Option<&str>| -> Result<Option<TimePoint>, Problem> {
        text.map(time_point).transpose()
    };
    let mut rows = Vec::new();
    for entry in conn.log().tx_range(point(from)?, point(to)?)? {
        let entry = entry?;
        let added = entry.data.iter().filter(|datom| datom.added).count();
        let count = |n: usize| Edn::Value(Value::Long(n as i64));
        rows.push(vec![
            Edn::Value(Value::Long(entry.t.raw() as i64)),
            Edn::Value(Value::Long(entry.t.tx().raw() as i64)),
            instant(&entry.data, entry.t.tx()),
            count(added),
            count(entry.data.len() - added),
        ]);
    }
    let columns = ["t", "tx", "instant", "added", "retracted"]
        .map(str::to_owned)
        .to_vec();
    Ok(Answer::Rows(Rows {
        columns,
        rows,
        shape: Shape::Bag,
    }))
}

/// The instant that a transaction says of itself.
fn instant(data: &[Datom], tx: EntityId) -> Edn {
    let said = data
        .iter()
        .find(|datom| datom.e == tx && matches!(datom.v, Value::Instant(_)));
    said.map_or(Edn::Nil, |datom| Edn::Value(datom.v.clone()))
}
