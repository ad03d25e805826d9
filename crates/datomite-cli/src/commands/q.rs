//! `datomite q DB QUERY|-f FILE|- [ARG…]`

use std::io::Read;

use crate::args::Q;
use crate::problem::Problem;
use crate::{ask, database, output, view};

/// Runs one query and prints its answer.
pub(crate) fn run(args: Q) -> Result<(), Problem> {
    let (text, rest) = query_text(&args)?;
    let conn = database::reader(&args.db)?;
    let db = view::apply(&conn.db(), &args.view)?;
    let inputs = ask::arguments(&rest)?;
    let answer = if args.explain {
        let (how, answer) = ask::explain(&db, &text, inputs, &args.output)?;
        eprint!("{how}");
        answer
    } else {
        ask::ask(&db, &text, inputs, &args.output)?
    };
    output::print(answer, &args.output, Some(&db)).map_err(Problem::output)
}

/// The query and the arguments: with -f, the first word that is not an option is an argument.
fn query_text(args: &Q) -> Result<(String, Vec<String>), Problem> {
    let mut rest = args.args.clone();
    if let Some(file) = &args.file {
        if let Some(first) = &args.query {
            rest.insert(0, first.clone());
        }
        let text = std::fs::read_to_string(file)
            .map_err(|error| Problem::refused(format!("{}: {error}", file.display())))?;
        return Ok((text, rest));
    }
    match args.query.as_deref() {
        Some("-") => Ok((stdin_text()?, rest)),
        Some(text) => Ok((text.to_owned(), rest)),
        None => Err(Problem::usage("expected a query, -f FILE or -")),
    }
}

/// All of standard input.
pub(crate) fn stdin_text() -> Result<String, Problem> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Problem::refused(format!("standard input: {error}")))?;
    Ok(text)
}
