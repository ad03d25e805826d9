//! `datomite open SOURCE… [-e QUERY]`: dumps into memory or a database as it is, then one query or
//! the prompt.

use std::io::{self, IsTerminal};
use std::path::Path;

use datomite::{Connection, Db};

use crate::args::Open;
use crate::commands::import::read_into;
use crate::derived::{self, Suggestion};
use crate::hint::grouped;
use crate::output::{self, Answer, Rows, Shape};
use crate::problem::Problem;
use crate::{ask, database, repl, view};

/// Opens, then answers -e or prompts; without a terminal, queries come from standard input.
pub(crate) fn run(args: Open) -> Result<(), Problem> {
    let (conn, imported) = open(&args)?;
    if let Some(query) = &args.eval {
        return answer(&conn, query, &args);
    }
    let suggestions = match imported {
        true => introduce(&conn.db())?,
        false => suggestions_quietly(&conn.db()),
    };
    if args.sources.iter().any(|source| source == "-") && !io::stdin().is_terminal() {
        return Err(Problem::usage(
            "standard input was the dump: ask with -e QUERY",
        ));
    }
    repl::run(conn, args.view, args.output, suggestions)
}

/// The database behind the sources, and whether dumps were read for it.
fn open(args: &Open) -> Result<(Connection, bool), Problem> {
    match args.sources.as_slice() {
        [one] if !is_source(one)? => Ok((database::writer_or_reader(one)?, false)),
        sources => {
            if args.reading.at.len() > sources.len() {
                return Err(Problem::usage("more --at than sources"));
            }
            let conn = datomite::mem();
            for (at, source) in sources.iter().enumerate() {
                read_into(&conn, source, &args.reading, at, at > 0)?;
            }
            Ok((conn, true))
        }
    }
}

/// Whether a word names a dump (or standard input) and not a database.
fn is_source(word: &str) -> Result<bool, Problem> {
    if word == "-" {
        return Ok(true);
    }
    let path = Path::new(word);
    if path.is_file() {
        return Ok(true);
    }
    if path.is_dir() {
        // A directory archive: the importer refuses it with the way out.
        return Ok(path.join("toc.dat").exists());
    }
    if word.contains("://") {
        return Ok(false);
    }
    Err(Problem::refused(format!(
        "{word}: no such dump or database"
    )))
}

fn answer(conn: &Connection, query: &str, args: &Open) -> Result<(), Problem> {
    let db = view::apply(&conn.db(), &args.view)?;
    let answer = ask::ask(&db, query, Vec::new(), &args.output)?;
    output::print(answer, &args.output, Some(&db)).map_err(Problem::output)
}

/// Tells on standard error what was found and what could be asked first.
fn introduce(db: &Db) -> Result<Vec<Suggestion>, Problem> {
    let tables = derived::tables(db)?;
    let rows = tables.iter().map(|table| {
        let count = i64::try_from(table.rows).unwrap_or(i64::MAX);
        vec![
            datomite::Edn::string(&format!(":{}/…", table.namespace)),
            datomite::Edn::long(count),
        ]
    });
    let columns = ["entities of", "rows"].map(str::to_owned).to_vec();
    let found = Answer::Rows(Rows {
        columns,
        rows: rows.collect(),
        shape: Shape::Tuple,
    });
    eprint!(
        "{}",
        output::render(&found, crate::args::Format::Table, false, None)
    );
    let suggestions = derived::suggestions(db, &tables)?;
    for (at, suggestion) in suggestions.iter().enumerate() {
        eprintln!("\n:try {}  {}", at + 1, suggestion.title);
        eprintln!("  {}\n  -- {}", suggestion.query, suggestion.sql);
    }
    let total: u64 = tables.iter().map(|table| table.rows).sum();
    let total = grouped(i64::try_from(total).unwrap_or(i64::MAX));
    eprintln!(
        "\n{total} rows in {} tables. :help lists the commands.",
        tables.len()
    );
    Ok(suggestions)
}

/// A database that was never imported simply has no suggestions.
fn suggestions_quietly(db: &Db) -> Vec<Suggestion> {
    derived::tables(db)
        .and_then(|tables| derived::suggestions(db, &tables))
        .unwrap_or_default()
}
