//! `datomite transact DB EDN|-f FILE|-`

use datomite::{Connection, Edn, Value};

use crate::args::Transact;
use crate::commands::q::stdin_text;
use crate::database;
use crate::output::{self, Answer};
use crate::problem::Problem;

/// Transacts and prints what happened.
pub(crate) fn command(args: Transact) -> Result<(), Problem> {
    let text = match (&args.file, args.tx_data.as_deref()) {
        (Some(file), _) => std::fs::read_to_string(file)
            .map_err(|error| Problem::refused(format!("{}: {error}", file.display())))?,
        (None, Some("-") | None) => stdin_text()?,
        (None, Some(text)) => text.to_owned(),
    };
    let conn = database::writer(&args.db)?;
    let answer = run(&conn, &text)?;
    output::print(answer, &args.output, Some(&conn.db())).map_err(Problem::output)
}

/// The report as a map: the transaction, its instant, how many datoms, the tempids.
pub(crate) fn run(conn: &Connection, text: &str) -> Result<Answer, Problem> {
    let forms = datomite::read(text).map_err(|error| Problem::edn(error, text))?;
    let report = conn
        .transact(forms)
        .map_err(|error| Problem::transaction(error, text))?;
    let tempids = report
        .tempids
        .iter()
        .map(|(name, id)| (name.clone(), id_form(id.raw())));
    let t = report.db_after.basis_t();
    let entries = vec![
        (Edn::keyword("t"), id_form(t.raw())),
        (Edn::keyword("tx"), id_form(t.tx().raw())),
        (Edn::keyword("datoms"), id_form(report.tx_data.len() as u64)),
        (Edn::keyword("tempids"), Edn::Map(tempids.collect())),
    ];
    Ok(Answer::Value(Edn::Map(entries)))
}

fn id_form(number: u64) -> Edn {
    Edn::Value(Value::Long(i64::try_from(number).unwrap_or(i64::MAX)))
}
