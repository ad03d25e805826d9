//! What an input of the prompt does: a session is a connection, a view and an output format.

use datomite::{Connection, Db, Edn, read_all};

use super::command::{HELP, Input, parse};
use crate::args::{Output, View};
use crate::commands::{diff, entity, history, log, pull, schema, stats, transact};
use crate::derived::Suggestion;
use crate::output::{self, Answer};
use crate::problem::Problem;
use crate::{ask, view};

/// What the prompt does after an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Stay,
    SchemaChanged,
    Leave,
}

/// What lasts from one input to the next.
pub(super) struct Session {
    pub(super) conn: Connection,
    view: View,
    output: Output,
    suggestions: Vec<Suggestion>,
    inputs: usize,
    refused: usize,
}

impl Session {
    pub(super) fn new(
        conn: Connection,
        view: View,
        output: Output,
        suggestions: Vec<Suggestion>,
    ) -> Result<Session, Problem> {
        Ok(Session {
            conn,
            view,
            output,
            suggestions,
            inputs: 0,
            refused: 0,
        })
    }

    /// `datomite>`, with the view where it is not the present.
    pub(super) fn prompt(&self) -> String {
        let mut text = String::from("datomite");
        if let Some(t) = &self.view.as_of {
            text.push_str(&format!(" as-of {t}"));
        }
        if let Some(t) = &self.view.since {
            text.push_str(&format!(" since {t}"));
        }
        if self.view.history {
            text.push_str(" history");
        }
        text + "> "
    }

    /// Runs one input; errors are shown and the prompt goes on.
    pub(super) fn step(&mut self, line: &str) -> Step {
        let outcome = match parse(line) {
            Ok(Input::Empty) => Ok(Step::Stay),
            Ok(Input::Command { name, rest }) => self.command(&name, &rest),
            Ok(Input::Query { text, args }) => self.query(&text, args).map(|()| Step::Stay),
            Ok(Input::Form(form)) => Err(not_a_query(&form)),
            Err(error) => Err(Problem::edn(error, line)),
        };
        self.inputs += 1;
        outcome.unwrap_or_else(|problem| {
            eprintln!("{problem}");
            self.refused += 1;
            Step::Stay
        })
    }

    /// How a script that was piped in ends: refused where one of its inputs was.
    pub(super) fn outcome(&self) -> Result<(), Problem> {
        match self.refused {
            0 => Ok(()),
            refused => Err(Problem::refused(format!(
                "{refused} of {} inputs refused",
                self.inputs
            ))),
        }
    }

    fn db(&self) -> Result<Db, Problem> {
        view::apply(&self.conn.db(), &self.view)
    }

    fn show(&self, answer: Answer, db: &Db) -> Result<(), Problem> {
        output::print(answer, &self.output, Some(db)).map_err(Problem::output)
    }

    fn query(&self, text: &str, args: Vec<Edn>) -> Result<(), Problem> {
        let db = self.db()?;
        let answer = ask::ask(&db, text, args, &self.output)?;
        self.show(answer, &db)
    }

    fn command(&mut self, name: &str, rest: &str) -> Result<Step, Problem> {
        let words: Vec<&str> = rest.split_whitespace().collect();
        match name {
            "quit" | "q" | "exit" => return Ok(Step::Leave),
            "help" => output::say(HELP).map_err(Problem::output)?,
            "as-of" => self.set_view(|view, t| view.as_of = t, rest)?,
            "since" => self.set_view(|view, t| view.since = t, rest)?,
            "history" if rest.is_empty() => self.view.history = !self.view.history,
            "try" => self.try_suggestion(rest)?,
            "transact" => {
                let report = transact::run(&self.conn, rest)?;
                self.show(report, &self.conn.db())?;
                return Ok(Step::SchemaChanged);
            }
            "explain" => {
                let db = self.db()?;
                let (how, _) = ask::explain(&db, rest, Vec::new(), &self.output)?;
                output::say(&how).map_err(Problem::output)?;
            }
            _ => {
                let db = self.db()?;
                let answer = self.answer(name, rest, &words, &db)?;
                self.show(answer, &db)?;
            }
        }
        Ok(Step::Stay)
    }

    fn answer(&self, name: &str, rest: &str, words: &[&str], db: &Db) -> Result<Answer, Problem> {
        match name {
            "schema" => schema::answer(db, words.first().copied()),
            "stats" => stats::answer(db, false),
            "pull" => {
                let forms = forms(rest)?;
                let (pattern, eids) = forms
                    .split_first()
                    .ok_or_else(|| usage(":pull PATTERN EID"))?;
                pull::answer(db, pattern, eids)
            }
            "entity" => {
                let forms = forms(rest)?;
                entity::answer(db, forms.first().ok_or_else(|| usage(":entity EID"))?)
            }
            "history" => {
                let forms = forms(rest)?;
                let eid = forms.first().ok_or_else(|| usage(":history EID [ATTR]"))?;
                history::answer(db, eid, forms.get(1).cloned())
            }
            "diff" => match words {
                [from, to] => diff::answer(db, from, to),
                _ => Err(usage(":diff T1 T2")),
            },
            "log" => log::answer(&self.conn, words.first().copied(), words.get(1).copied()),
            _ => Err(usage(":help")),
        }
    }

    fn set_view(
        &mut self,
        set: impl Fn(&mut View, Option<String>),
        rest: &str,
    ) -> Result<(), Problem> {
        let mut view = self.view.clone();
        set(&mut view, (!rest.is_empty()).then(|| rest.to_owned()));
        view::apply(&self.conn.db(), &view)?;
        self.view = view;
        Ok(())
    }

    fn try_suggestion(&self, rest: &str) -> Result<(), Problem> {
        let count = self.suggestions.len();
        let chosen = rest
            .parse::<usize>()
            .ok()
            .and_then(|n| self.suggestions.get(n.wrapping_sub(1)));
        let Some(suggestion) = chosen else {
            return Err(usage(&format!(":try N, with N from 1 to {count}")));
        };
        eprintln!("{}", suggestion.query);
        self.query(&suggestion.query, Vec::new())
    }
}

fn forms(text: &str) -> Result<Vec<Edn>, Problem> {
    read_all(text).map_err(|error| Problem::edn(error, text))
}

fn usage(form: &str) -> Problem {
    Problem::usage(format!("expected {form}"))
}

fn not_a_query(form: &Edn) -> Problem {
    Problem::usage(format!("{form} is neither a query nor a command"))
        .hint("a query begins with [:find …]; :help lists the commands")
}
