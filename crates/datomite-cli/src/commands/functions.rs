//! `datomite functions [NAME]`: what a query may call.

use datomite::{Edn, FunctionDoc, FunctionRole, documented_functions};

use crate::args::Functions;
use crate::output::{self, Answer, Rows, Shape};
use crate::problem::Problem;

/// Prints the functions of the query language.
pub(crate) fn run(args: Functions) -> Result<(), Problem> {
    let answer = answer(args.name.as_deref())?;
    output::print(answer, &args.output, None).map_err(Problem::output)
}

/// A row a function: its name, where it may stand, how it is called, what it gives. With a name
/// the functions of that name, whatever their namespace; else those that have it in theirs.
pub(crate) fn answer(name: Option<&str>) -> Result<Answer, Problem> {
    let known = documented_functions();
    let of_name = |name: &str, function: &FunctionDoc| {
        let last = function.name.rsplit_once('/').map_or("", |(_, last)| last);
        function.name == name || (last == name && !last.is_empty())
    };
    let exact = name.is_some_and(|name| known.iter().any(|function| of_name(name, function)));
    let wanted = known.iter().filter(|function| match name {
        None => true,
        Some(name) if exact => of_name(name, function),
        Some(name) => function.name.contains(name),
    });
    let rows: Vec<Vec<Edn>> = wanted.map(row).collect();
    if let (true, Some(name)) = (rows.is_empty(), name) {
        return Err(
            Problem::refused(format!("no function {name}")).hint("datomite functions lists them")
        );
    }
    let columns = ["name", "role", "call", "gives"].map(str::to_owned);
    Ok(Answer::Rows(Rows {
        columns: columns.to_vec(),
        rows,
        shape: Shape::Bag,
    }))
}

fn row(function: &FunctionDoc) -> Vec<Edn> {
    let role = match function.role {
        FunctionRole::Macro => "macro",
        FunctionRole::Aggregate => "aggregate",
        _ => "function",
    };
    vec![
        Edn::symbol(function.name),
        Edn::keyword(role),
        Edn::string(function.call()),
        Edn::string(function.gives()),
    ]
}
