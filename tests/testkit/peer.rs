//! A live peer of Datomic at the other end of a pipe, and ours beside it: cases go out, answers
//! come back one line a case, and the runner of recorded cases compares.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use datomite::Edn;

use crate::conformance::run_case;

/// Cases that are under way.
const UNDER_WAY: usize = 64;

fn conformance() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}

/// Plays cases, each with its number, on the peer and on ours; gives each difference to `differs`.
/// This thread writes cases, another reads answers.
pub fn play(
    cases: impl Iterator<Item = (u64, Edn)>,
    mut differs: impl FnMut(u64, &str) + Send + 'static,
) {
    let mut peer = start();
    let mut input = BufWriter::new(peer.stdin.take().expect("a pipe"));
    let output = BufReader::new(peer.stdout.take().expect("a pipe"));
    let (send, sent) = mpsc::sync_channel::<(u64, Edn)>(UNDER_WAY);
    let reader = thread::spawn(move || {
        for line in output.lines() {
            let line = line.expect("the peer's line");
            let Ok((number, case)) = sent.recv() else {
                break;
            };
            compare(number, &case, &line, &mut differs);
        }
    });
    for (number, case) in cases {
        writeln!(input, "{case}").expect("the peer reads");
        input.flush().expect("the peer reads");
        send.send((number, case)).expect("the reader waits");
    }
    drop(input);
    drop(send);
    reader.join().expect("the reader ends");
    peer.wait().expect("the peer ends");
}

fn start() -> Child {
    Command::new(conformance().join("oracle/record"))
        .arg("--serve")
        .arg(conformance().join("fixtures"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("the recorder does not start: {error}"))
}

/// Plays the case on ours with the peer's answers as the expected ones.
fn compare(number: u64, case: &Edn, line: &str, differs: &mut impl FnMut(u64, &str)) {
    let answers = match datomite::read(line) {
        Ok(Edn::Vector(answers)) => answers,
        _ => return differs(number, &format!("the peer says {line}\n{case}")),
    };
    let steps = case.get(&Edn::keyword("steps")).and_then(Edn::as_sequence);
    let expected = steps.unwrap_or_default().iter().zip(answers);
    let steps = expected.map(|(step, answer)| {
        let mut entries = step.as_map().unwrap_or_default().to_vec();
        entries.push((Edn::keyword("expect"), answer));
        Edn::Map(entries)
    });
    let steps: Vec<Edn> = steps.collect();
    let mut recorded = case.as_map().unwrap_or_default().to_vec();
    recorded.retain(|(key, _)| *key != Edn::keyword("steps"));
    let head = recorded.clone();
    recorded.push((Edn::keyword("steps"), Edn::Vector(steps.clone())));
    let recorded = Edn::Map(recorded);
    let file = Path::new("peer");
    let fixtures = conformance().join("fixtures");
    run_case(file, &fixtures, &recorded, &mut |failure: &str| {
        let ready = ready_case(&head, &steps, failure);
        differs(number, &format!("{failure}\n{ready}"));
    });
}

/// A difference as a case for a file of cases: the transactions before it, and it.
fn ready_case(head: &[(Edn, Edn)], steps: &[Edn], failure: &str) -> String {
    let number = failure.lines().next().unwrap_or_default();
    let number = number.rsplit(' ').next().and_then(|n| n.parse().ok());
    let number: usize = number.unwrap_or(steps.len());
    let is_transaction = |step: &&Edn| step.get(&Edn::keyword("transact")).is_some();
    let before = steps[..number - 1].iter().filter(is_transaction);
    let told = before.chain(&steps[number - 1..number]);
    let told: Vec<String> = told.map(|step| format!("  {step}")).collect();
    let head = head.iter().map(|(key, value)| format!("{key} {value}\n "));
    let head: String = head.collect();
    format!("{{{head}:steps\n [\n{}]}}", told.join("\n"))
}
