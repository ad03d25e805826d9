//! `datomite functions [NAME]`: what a query may call.

use datomite::{Edn, FunctionRole, documented_functions};

use crate::args::Functions;
use crate::output::{self, Answer, Rows, Shape};
use crate::problem::Problem;

/// Prints the functions of the query language.
pub(crate) fn run(args: Functions) -> Result<(), Problem> {
    let answer = answer(args.name.as_deref())?;
    output::print(answer, &args.output, None).map_err(Problem::output)
}

/// A row a function: its name, where it may stand, how it is called.
pub(crate) fn answer(name: Option<&str>) -> Result<Answer, Problem> {
    let known = documented_functions();
    let wanted = known
        .iter()
        .filter(|function| name.is_none_or(|name| function.name == name));
    let rows: Vec<Vec<Edn>> = wanted
        .map(|function| {
            let role = match function.role {
                FunctionRole::Macro => "macro",
                FunctionRole::Aggregate => "aggregate",
                _ => "function",
            };
            vec![
                Edn::symbol(function.name),
                Edn::keyword(role),
                Edn::string(function.doc),
            ]
        })
        .collect();
    if let (true, Some(name)) = (rows.is_empty(), name) {
        return Err(
            Problem::refused(format!("no function {name}")).hint("datomite functions lists them")
        );
    }
    let columns = ["name", "role", "doc"].map(str::to_owned).to_vec();
    Ok(Answer::Rows(Rows {
        columns,
        rows,
        shape: Shape::Bag,
    }))
}
