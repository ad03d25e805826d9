//! Running a query for a person: arguments, limits, cancellation, the collapsed-rows note.

use std::io::{self, IsTerminal};
use std::time::Duration;

use datomite::{CancelToken, Db, Edn, Input, Limits, Query, QueryResult, read_all};

use crate::args::Output;
use crate::hint::probe;
use crate::output::{Answer, Rows, Shape};
use crate::problem::Problem;

/// Runs a query text with arguments after the database.
pub(crate) fn ask(
    db: &Db,
    text: &str,
    args: Vec<Edn>,
    options: &Output,
    cancel: &CancelToken,
) -> Result<Answer, Problem> {
    let query = Query::parse(text).map_err(|error| Problem::query(error, text))?;
    let inputs = inputs(db, args);
    let limits = limits(options)?;
    let result = datomite::q_with(&query, &inputs, &limits, cancel)
        .map_err(|error| Problem::query(error, text))?;
    if io::stdout().is_terminal() {
        note(text, &inputs, &limits, cancel);
    }
    Ok(answer(&result))
}

/// The database and the arguments, as a query takes them.
fn inputs(db: &Db, args: Vec<Edn>) -> Vec<Input> {
    std::iter::once(Input::Db(db.clone())).chain(args.into_iter().map(Input::Edn)).collect()
}

/// Reads arguments given as EDN, each its own text.
pub(crate) fn arguments(texts: &[String]) -> Result<Vec<Edn>, Problem> {
    let mut forms = Vec::new();
    for text in texts {
        forms.extend(read_all(text).map_err(|error| Problem::edn(error, text))?);
    }
    Ok(forms)
}

fn limits(options: &Output) -> Result<Limits, Problem> {
    let mut limits = Limits::default();
    if let Some(seconds) = options.timeout {
        let timeout = Duration::try_from_secs_f64(seconds)
            .map_err(|_| Problem::usage(format!("--timeout {seconds} is no time")))?;
        limits.timeout = Some(timeout);
    }
    Ok(limits)
}

/// Tells on standard error where equal rows collapsed before an aggregate.
fn note(text: &str, inputs: &[Input], limits: &Limits, cancel: &CancelToken) {
    let count = |form: &Edn| -> Option<i64> {
        let query = Query::from_edn(form).ok()?;
        datomite::q_with(&query, inputs, limits, cancel).ok()?.into_edn().as_long()
    };
    let Some(probe) = datomite::read(text).ok().as_ref().and_then(probe) else { return };
    let counts = count(&probe.matches).zip(count(&probe.distinct));
    if let Some(note) = counts.and_then(|(matches, distinct)| probe.note(matches, distinct)) {
        eprintln!("{note}");
    }
}

/// A result as the command's answer.
pub(crate) fn answer(result: &QueryResult) -> Answer {
    let columns = result.column_names();
    let rows = result.rows().map(|row| row.forms()).collect();
    match result.shape() {
        datomite::ResultShape::Scalar => Answer::Value(result.clone().into_edn()),
        shape => Answer::Rows(Rows { columns, rows, shape: Shape::of(shape) }),
    }
}
