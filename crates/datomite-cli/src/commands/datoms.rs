//! `datomite datoms DB INDEX [COMPONENT…]`

use datomite::{Datom, Db, Edn, Index, Value};

use crate::args::Datoms;
use crate::output::{Answer, Rows, Shape};
use crate::problem::Problem;
use crate::{ask, database, output, view};

/// Prints the datoms that have the given leading components.
pub(crate) fn run(args: Datoms) -> Result<(), Problem> {
    let index = Index::named(args.index.trim_start_matches(':'))
        .ok_or_else(|| Problem::usage(format!("no index {}", args.index)).hint(INDEXES))?;
    let conn = database::reader(&args.db)?;
    let db = view::apply(&conn.db(), &args.view)?;
    let components = ask::arguments(&args.components)?;
    let limit = args.output.limit.unwrap_or(usize::MAX);
    let datoms: Result<Vec<Datom>, _> = db.datoms(index, &components)?.take(limit).collect();
    let answer = answer(&db, datoms?);
    output::print(answer, &args.output, Some(&db)).map_err(Problem::output)
}

const INDEXES: &str = "eavt, aevt, avet or vaet";

/// Datoms as rows, attributes by name.
pub(crate) fn answer(db: &Db, datoms: Vec<Datom>) -> Answer {
    let columns = ["e", "a", "v", "tx", "added"].map(str::to_owned).to_vec();
    let rows = datoms.into_iter().map(|datom| row(db, datom)).collect();
    Answer::Rows(Rows {
        columns,
        rows,
        shape: Shape::Bag,
    })
}

/// A datom as five forms; refs stay refs, so that a table can show them by name.
pub(crate) fn row(db: &Db, datom: Datom) -> Vec<Edn> {
    let attribute = match db.ident(datom.a) {
        Some(ident) => Edn::Value(Value::Keyword(ident)),
        None => Edn::Value(Value::Ref(datom.a)),
    };
    vec![
        Edn::Value(Value::Ref(datom.e)),
        attribute,
        Edn::Value(datom.v),
        Edn::Value(Value::Ref(datom.tx)),
        Edn::from(datom.added),
    ]
}
