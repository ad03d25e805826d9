//! Random transactions on a live Datomic peer and on ours: run by hand.
//!
//! `cargo test --release -p datomite-tests --test peer -- --cases 10000 --seed 1`; the peer is
//! `tests/conformance/oracle/record --serve` (a JDK and Maven). Without `--cases` nothing is
//! played. A difference is printed as a case that can be pasted into a file of cases.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;

use datomite::{Edn, edn};
use datomite_tests::conformance::{Player, run_case};
use datomite_tests::fuzz::{Counts, Scene, Writer, install};
use datomite_tests::generate::Random;

/// Transactions of one case, after those that install its schema.
const TRANSACTIONS: usize = 10;
/// Cases that one peer plays before another is started: its memory keeps what it has seen.
const BATCH: u64 = 1000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    let Some(cases) = number("--cases") else {
        println!("peer: run by hand, with --cases N [--seed S]; it needs a JDK and Maven");
        return ExitCode::SUCCESS;
    };
    let first = number("--seed").unwrap_or(1);
    let mut told = Told::default();
    let mut seed = first;
    while seed < first + cases {
        let end = (first + cases).min(seed + BATCH);
        told.add(play(seed..end));
        println!("{} of {cases} cases: {told}", end - first);
        seed = end;
    }
    for (form, count) in &told.counts {
        println!("{count:8}  {form}");
    }
    println!("DATOMITE_SEED={first}: {cases} cases, {told}");
    ExitCode::from(u8::from(told.differ > 0))
}

/// What was seen.
#[derive(Default)]
struct Told {
    transactions: usize,
    accepted: usize,
    differ: usize,
    counts: Counts,
}

impl Told {
    fn add(&mut self, other: Told) {
        self.transactions += other.transactions;
        self.accepted += other.accepted;
        self.differ += other.differ;
        for (form, count) in other.counts {
            *self.counts.entry(form).or_default() += count;
        }
    }
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = self.accepted * 100 / self.transactions.max(1);
        write!(
            f,
            "{} transactions, {share} % accepted, {} cases differ",
            self.transactions, self.differ
        )
    }
}

fn conformance() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}

/// Plays a batch: this thread writes cases, another reads answers.
fn play(seeds: std::ops::Range<u64>) -> Told {
    let mut peer = start();
    let mut input = BufWriter::new(peer.stdin.take().expect("a pipe"));
    let output = BufReader::new(peer.stdout.take().expect("a pipe"));
    let (send, sent) = mpsc::sync_channel::<(u64, Edn)>(64);
    let reader = thread::spawn(move || {
        let mut differ = 0;
        for line in output.lines() {
            let line = line.expect("the peer's line");
            let Ok((seed, case)) = sent.recv() else {
                break;
            };
            differ += usize::from(!agrees(seed, &case, &line));
        }
        differ
    });
    let mut told = Told::default();
    for seed in seeds {
        let case = write_case(seed, &mut told);
        writeln!(input, "{case}").expect("the peer reads");
        input.flush().expect("the peer reads");
        send.send((seed, case)).expect("the reader waits");
    }
    drop(input);
    drop(send);
    told.differ = reader.join().expect("the reader ends");
    peer.wait().expect("the peer ends");
    told
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

/// A case, grown by playing it on ours.
fn write_case(seed: u64, told: &mut Told) -> Edn {
    let mut random = Random::new(seed);
    let mut player = Player::new();
    let mut steps = Vec::new();
    let mut transact = |player: &mut Player, data: Edn, told: &mut Told| {
        let resolved = player
            .resolve(&data)
            .expect("the writer names what there is");
        let accepted = player.transact(&data, resolved).is_ok();
        told.transactions += 1;
        told.accepted += usize::from(accepted);
        steps.push(edn!("{:transact ?data}", data = data));
    };
    for data in install(&mut random) {
        transact(&mut player, data, told);
    }
    for number in 0..TRANSACTIONS {
        let db = player.connection().db();
        let scene = Scene::of(&db, &player.labels(), player.transactions());
        let data = Writer::new(&mut random, &scene, &mut told.counts, number).transaction();
        transact(&mut player, data, told);
    }
    let db = player.connection().db();
    let scene = Scene::of(&db, &player.labels(), player.transactions());
    steps.push(edn!("{:tx-range [nil nil]}"));
    steps.push(edn!("{:db-stats true}"));
    for attr in &scene.attrs {
        let ident = Edn::from(attr.ident.clone());
        steps.push(edn!("{:datoms :aevt :components [?a]}", a = ident.clone()));
        steps.push(edn!("{:attribute ?a}", a = ident));
    }
    let name = Edn::from(format!("random transactions {seed}"));
    edn!(
        "{:case ?name :raw true :steps ?steps}",
        name = name,
        steps = Edn::Vector(steps)
    )
}

/// Whether ours answers the case as the peer did; prints the first difference.
fn agrees(seed: u64, case: &Edn, line: &str) -> bool {
    let answers = match datomite::read(line) {
        Ok(Edn::Vector(answers)) => answers,
        _ => {
            println!("seed {seed}: the peer says {line}\n{case}\n");
            return false;
        }
    };
    let steps = case.get(&Edn::keyword("steps")).and_then(Edn::as_sequence);
    let expected = steps.unwrap_or_default().iter().zip(answers);
    let steps = expected.map(|(step, answer)| {
        let mut entries = step.as_map().unwrap_or_default().to_vec();
        entries.push((Edn::keyword("expect"), answer));
        Edn::Map(entries)
    });
    let steps: Vec<Edn> = steps.collect();
    let recorded = edn!(
        "{:case ?seed :raw true :steps ?steps}",
        seed = Edn::from(seed as i64),
        steps = Edn::Vector(steps.clone())
    );
    let mut first: Option<String> = None;
    let mut note = |failure: &str| {
        first.get_or_insert_with(|| failure.to_owned());
    };
    run_case(
        Path::new("peer"),
        &conformance().join("fixtures"),
        &recorded,
        &mut note,
    );
    if let Some(first) = first {
        println!("seed {seed}: {first}");
        println!("{}\n", ready_case(seed, &steps, &first));
        return false;
    }
    true
}

/// A difference as a case for a file of cases: the transactions before it, and it.
fn ready_case(seed: u64, steps: &[Edn], failure: &str) -> String {
    let number = failure.lines().next().unwrap_or_default();
    let number = number.rsplit(' ').next().and_then(|n| n.parse().ok());
    let number: usize = number.unwrap_or(steps.len());
    let is_transaction = |step: &Edn| step.get(&Edn::keyword("transact")).is_some();
    let before = steps[..number - 1]
        .iter()
        .filter(|step| is_transaction(step));
    let steps: Vec<String> = before
        .chain(&steps[number - 1..number])
        .map(|step| format!("  {step}"))
        .collect();
    format!(
        "{{:case \"random transactions {seed}\"\n :raw true\n :steps\n [\n{}]}}",
        steps.join("\n")
    )
}
