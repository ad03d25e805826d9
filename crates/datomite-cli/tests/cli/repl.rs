//! The prompt, through a pseudo-terminal.

use std::time::Duration;

use rexpect::session::{PtySession, spawn_command};
use tempfile::TempDir;

use crate::kit::{folder, program, sample, shared_dump};

/// Long enough for a loaded machine; only a failure waits that long.
const TIMEOUT_MS: u64 = 60_000;

struct Prompt {
    session: PtySession,
    _folder: TempDir,
}

impl Prompt {
    /// Opens dumps and waits for the first prompt.
    fn open(dumps: &[String]) -> Prompt {
        let folder = folder();
        let mut command = program(folder.path());
        command.arg("open").args(dumps).env("TERM", "xterm");
        let session = spawn_command(command, Some(TIMEOUT_MS)).expect("a pseudo-terminal");
        let mut prompt = Prompt {
            session,
            _folder: folder,
        };
        prompt.sees("datomite> ");
        prompt
    }

    /// Types text as it is, without Enter.
    fn types(&mut self, text: &str) {
        self.session.send(text).expect("keys arrive");
        self.session.flush().expect("keys arrive");
    }

    /// Waits for a text; returns what stood before it.
    #[track_caller]
    fn sees(&mut self, text: &str) -> String {
        match self.session.exp_string(text) {
            Ok(before) => before,
            Err(error) => panic!("{text} does not come: {error}"),
        }
    }

    /// Types a line with Enter.
    fn line(&mut self, text: &str) {
        self.types(&format!("{text}\r"));
    }

    /// Leaves and waits for the end.
    fn quit(mut self) {
        self.line(":quit");
        self.session.exp_eof().expect("the program ends");
    }
}

fn queryfeed() -> Prompt {
    Prompt::open(&[sample("queryfeed.sql")])
}

#[test]
fn tab_completes_an_attribute() {
    let mut prompt = queryfeed();
    prompt.types("[:find (count ?p) . :where [?p :posts/ti\t");
    prompt.sees(":posts/title");
    prompt.types("]]\r");
    prompt.sees("\n1500\r\n");
    prompt.types(":sch\t users\r");
    prompt.sees(":users/email");
    prompt.sees("datomite> ");
    prompt.quit();
}

#[test]
fn tab_completes_an_attribute_of_pagila() {
    let name = "tab_completes_an_attribute_of_pagila";
    let Some(dump) = shared_dump(name, "pagila/pagila.fc") else {
        return;
    };
    let mut prompt = Prompt::open(&[dump]);
    prompt.types("[:find (count ?f) . :where [?f :film/ti\t");
    prompt.sees(":film/title");
    prompt.types("]]\r");
    prompt.sees("\n1000\r\n");
    prompt.quit();
}

#[test]
fn a_query_goes_over_three_lines() {
    let mut prompt = queryfeed();
    prompt.line("[:find ?u (count ?f)");
    prompt.line(" :where [?f :feeds/owner ?u]");
    prompt.line(" :order-by [(count ?f) :desc] :limit 3]");
    let before = prompt.sees("3 rows");
    assert!(
        before.contains("[:users/id "),
        "entities show by lookup ref: {before}"
    );
    prompt.sees("datomite> ");
    prompt.quit();
}

#[test]
fn as_of_asks_the_past() {
    let mut prompt = Prompt::open(&[sample("queryfeed.sql"), sample("queryfeed-next-day.sql")]);
    let title = "[:find ?t . :where [?f :feeds/id 3] [?f :feeds/title ?t]]";
    prompt.line(title);
    prompt.sees("Evening letters, again");
    prompt.line(":as-of 2026-11-21");
    prompt.sees("datomite as-of 2026-11-21> ");
    prompt.line(title);
    prompt.sees("Morning signals 3");
    prompt.line(":as-of");
    prompt.sees("datomite> ");
    prompt.line(":diff 2026-11-21 2026-11-22");
    let diff = prompt.sees(" rows\r\n");
    assert!(diff.contains("39.00"), "{diff}");
    prompt.line(":history [:feeds/id 3] :feeds/title");
    let history = prompt.sees(" rows\r\n");
    assert!(history.contains("Evening letters, again"), "{history}");
    prompt.quit();
}

#[test]
fn an_error_has_its_caret_and_the_prompt_goes_on() {
    let mut prompt = queryfeed();
    prompt.line("[:find ?p :where [?p :posts/titel]]");
    prompt.sees("did you mean :posts/title?");
    prompt.sees("^^^");
    prompt.sees("datomite> ");
    prompt.line("[:find (count ?p) . :where [?p :posts/title]]");
    prompt.sees("\n1500\r\n");
    prompt.line("[:find (count ?p) . :where [?p :posts/title])");
    prompt.sees("^");
    prompt.sees("datomite> ");
    prompt.quit();
}

#[test]
fn ctrl_c_stops_a_query_and_leaves_the_prompt() {
    let mut prompt = queryfeed();
    let mut query =
        "[:find (count ?a) . :where [?a :posts/id ?x] [?b :posts/id ?y] [(* ?x ?y) ?c0]".to_owned();
    for at in 0..30 {
        query.push_str(&format!(" [(+ ?c{at} 1) ?c{}]", at + 1));
    }
    prompt.line(&(query + "]"));
    prompt.sees("?c30]]");
    std::thread::sleep(Duration::from_secs(1));
    prompt.types("\u{3}");
    prompt.sees("query cancelled");
    prompt.sees("datomite> ");
    // At the prompt itself Ctrl-C only drops the line.
    prompt.types("[:find\u{3}");
    prompt.sees("datomite> ");
    prompt.line("[:find (count ?u) . :where [?u :users/id]]");
    prompt.sees("\n400\r\n");
    prompt.quit();
}

#[test]
fn a_suggestion_runs_and_help_lists_the_commands() {
    let mut prompt = queryfeed();
    prompt.line(":try 1");
    prompt.sees("5 rows");
    prompt.line(":try 9");
    prompt.sees("from 1 to 3");
    prompt.line(":help");
    prompt.sees(":explain QUERY");
    prompt.line(":explain [:find ?t :where [?p :posts/feed ?f] [?f :feeds/title ?t]]");
    prompt.sees("expected");
    prompt.sees("datomite> ");
    prompt.quit();
}

#[test]
fn collapsed_rows_are_noted() {
    let mut prompt = queryfeed();
    prompt.line("[:find (sum ?a) . :where [?o :orders/amount ?a]]");
    prompt.sees("note: 600 rows became ");
    prompt.sees("before sum; add :with ?o to count every row");
    prompt.sees("datomite> ");
    prompt.line("[:find (sum ?a) . :with ?o :where [?o :orders/amount ?a]]");
    let answer = prompt.sees("datomite> ");
    assert!(!answer.contains("note:"), "{answer}");
    assert!(
        !answer.contains("0M"),
        "a decimal shows without its M: {answer}"
    );
    prompt.quit();
}
