//! The prompt behind `open`: reads inputs, runs them, stays alive whatever they do.
//!
//! The line editor and its helper are here and in `complete.rs`; what a command does is in
//! `run.rs`.

mod brackets;
mod command;
mod complete;
mod run;

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use datomite::{Connection, Db};
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{CompletionType, Config, Editor};

use crate::args::{Output, View};
use crate::derived::Suggestion;
use crate::interrupt;
use crate::problem::Problem;
use complete::LineHelper;
use run::{Session, Step};

/// Words of the query language that Tab completes beside idents.
const WORDS: &[&str] = &[
    ":find",
    ":in",
    ":keys",
    ":limit",
    ":offset",
    ":order-by",
    ":where",
    ":with",
];

/// Runs the prompt until the user leaves.
pub(crate) fn run(
    conn: Connection,
    view: View,
    output: Output,
    suggestions: Vec<Suggestion>,
) -> Result<(), Problem> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .history_ignore_space(true)
        .max_history_size(2000)
        .map_err(|error| Problem::refused(error.to_string()))?
        .build();
    let mut editor: Editor<LineHelper, DefaultHistory> =
        Editor::with_config(config).map_err(|error| Problem::refused(error.to_string()))?;
    let mut session = Session::new(conn, view, output, suggestions)?;
    editor.set_helper(Some(helper(&session.conn.db())));
    if io::stdin().is_terminal() {
        interrupt::at_prompt();
    }
    let history = history_file();
    if let Some(file) = &history {
        // No history yet is no error.
        drop(editor.load_history(file));
    }
    loop {
        match editor.readline(&session.prompt()) {
            Ok(line) => {
                drop(editor.add_history_entry(line.as_str()));
                match session.step(&line) {
                    Step::Stay => {}
                    Step::SchemaChanged => editor.set_helper(Some(helper(&session.conn.db()))),
                    Step::Leave => break,
                }
            }
            Err(ReadlineError::Interrupted) => eprintln!("(:quit or Ctrl-D leaves)"),
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(Problem::refused(error.to_string())),
        }
    }
    if let Some(file) = &history {
        drop(editor.save_history(file));
    }
    if io::stdin().is_terminal() {
        Ok(())
    } else {
        session.outcome()
    }
}

fn helper(db: &Db) -> LineHelper {
    let idents = db.schema().idents().map(|(ident, _)| ident.to_string());
    let words: BTreeSet<String> = idents
        .chain(WORDS.iter().map(|word| (*word).to_owned()))
        .collect();
    LineHelper::new(command::COMMANDS, words)
}

/// `$XDG_STATE_HOME/datomite/history`, else below `~/.local/state`; none where neither is known.
fn history_file() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(|| {
            std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"))
        })?;
    let folder = base.join("datomite");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}
