//! `datomite stats DB [--indexes]`: counts and sizes.

use datomite::{Db, Edn, Value};

use crate::args::Stats;
use crate::output::{Answer, Rows, Shape};
use crate::problem::Problem;
use crate::{database, output};

/// Prints counts, and with `--indexes` nodes, fill and bytes of each tree.
pub(crate) fn run(args: Stats) -> Result<(), Problem> {
    let conn = database::reader(&args.db)?;
    let db = conn.db();
    let answer = answer(&db, args.indexes)?;
    output::print(answer, &args.output, Some(&db)).map_err(Problem::output)
}

/// The rows of the table.
pub(crate) fn answer(db: &Db, indexes: bool) -> Result<Answer, Problem> {
    if indexes {
        Ok(index_rows(db))
    } else {
        attribute_rows(db)
    }
}

fn attribute_rows(db: &Db) -> Result<Answer, Problem> {
    let stats = db.db_stats()?;
    let number = |n: u64| Edn::long(i64::try_from(n).unwrap_or(i64::MAX));
    let mut rows: Vec<Vec<Edn>> = stats
        .attributes
        .iter()
        .map(|(ident, count)| vec![Edn::Value(Value::Keyword(ident.clone())), number(*count)])
        .collect();
    rows.push(vec![
        Edn::string("all datoms, history included"),
        number(stats.datoms),
    ]);
    let columns = ["attribute", "datoms"].map(str::to_owned).to_vec();
    Ok(Answer::Rows(Rows {
        columns,
        rows,
        shape: Shape::Bag,
    }))
}

fn index_rows(db: &Db) -> Answer {
    let number = |n: u64| Edn::long(i64::try_from(n).unwrap_or(i64::MAX));
    let tenths = |n: f64| Edn::Value(Value::Double((n * 10.0).round() / 10.0));
    let named = db.index_stats().into_iter().flat_map(|stats| {
        let name = stats.index.name();
        [
            (name.to_owned(), stats.current),
            (format!("{name} history"), stats.history),
        ]
    });
    let rows = named.map(|(name, stats)| {
        let rows = stats.rows.max(1) as f64;
        vec![
            Edn::string(&name),
            number(stats.rows),
            number(u64::from(stats.depth)),
            number(stats.inner_nodes),
            number(stats.leaves),
            number(stats.open_leaves),
            tenths(stats.rows as f64 / (stats.leaves.max(1)) as f64),
            number(stats.bytes),
            tenths(stats.bytes as f64 / rows),
        ]
    });
    let columns = [
        "index",
        "rows",
        "depth",
        "inner nodes",
        "leaves",
        "open leaves",
        "rows a leaf",
        "bytes",
        "bytes a datom",
    ];
    let columns = columns.map(str::to_owned).to_vec();
    Answer::Rows(Rows {
        columns,
        rows: rows.collect(),
        shape: Shape::Bag,
    })
}
