//! Random transactions, with `--queries` random queries, with `--reads` random pulls, index walks
//! and entities, on a live Datomic peer and on ours: run by hand.
//!
//! `cargo test --release -p datomite-tests --test peer -- --cases 10000 --seed 1`; the peer is
//! `tests/conformance/oracle/record --serve` (a JDK and Maven). Without `--cases` nothing is
//! played. A difference is printed as a case that can be pasted into a file of cases.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use datomite::{Edn, edn};
use datomite_tests::conformance::Player;
use datomite_tests::fuzz::{Counts, Scene, Writer, install};
use datomite_tests::generate::Random;
use datomite_tests::peer;
use datomite_tests::queries::check::step;
use datomite_tests::queries::grow::{Audience, case};
use datomite_tests::queries::world::World;
use datomite_tests::reads::grow as read;

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
    if arguments.iter().any(|argument| argument == "--queries") {
        return queries(first..first + cases);
    }
    if arguments.iter().any(|argument| argument == "--reads") {
        return reads(first..first + cases);
    }
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

/// Plays a batch; of each case the first difference is printed.
fn play(seeds: std::ops::Range<u64>) -> Told {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let known = Arc::clone(&seen);
    let differs = move |seed: u64, failure: &str| {
        let mut known = known.lock().expect("the reader alone writes");
        if known.insert(seed) {
            println!("seed {seed}: {failure}\n");
        }
    };
    let mut told = Told::default();
    peer::play(
        seeds.map(|seed| (seed, write_case(seed, &mut told))),
        differs,
    );
    told.differ = seen.lock().expect("the reader is done").len();
    told
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

/// Queries for one database.
const QUERIES: u64 = 20;

/// Random queries over random databases; every difference is printed.
fn queries(seeds: std::ops::Range<u64>) -> ExitCode {
    let count = Arc::new(Mutex::new((0, 0)));
    let differing = Arc::clone(&count);
    let differs = move |seed: u64, failure: &str| {
        let mut count = differing.lock().expect("the reader alone writes");
        if is_refused_by_the_peer(failure) {
            count.1 += 1;
            return;
        }
        count.0 += 1;
        println!("seed {seed}: {failure}\n");
    };
    let asked = (seeds.end - seeds.start) * QUERIES;
    peer::play(seeds.map(|seed| (seed, query_case(seed))), differs);
    let (differ, refused) = *count.lock().expect("the reader is done");
    println!("{asked} queries: {differ} differ; in {refused} the peer met a value in its order");
    ExitCode::from(u8::from(differ > 0))
}

/// Reads of one database.
const READS: usize = 60;

/// Random reads over random databases; every difference is printed.
fn reads(seeds: std::ops::Range<u64>) -> ExitCode {
    let count = Arc::new(Mutex::new(0));
    let differing = Arc::clone(&count);
    let differs = move |seed: u64, failure: &str| {
        *differing.lock().expect("the reader alone writes") += 1;
        println!("seed {seed}: {failure}\n");
    };
    let asked = (seeds.end - seeds.start) * READS as u64;
    peer::play(seeds.map(|seed| (seed, read::case(seed, READS))), differs);
    let differ = *count.lock().expect("the reader is done");
    println!("{asked} reads: {differ} differ");
    ExitCode::from(u8::from(differ > 0))
}

/// The peer runs clauses as written and met a value that names no entity, where ours, in another
/// order, did not: any order that can be answered is answered.
fn is_refused_by_the_peer(failure: &str) -> bool {
    let recorded = failure.lines().find(|line| line.starts_with("  recorded"));
    let of_value = ["Cannot resolve key", "not-a-keyword", "not-an-attribute"];
    recorded.is_some_and(|line| {
        line.contains(":error") && of_value.iter().any(|words| line.contains(words))
    })
}

fn query_case(seed: u64) -> Edn {
    let world = World::random(&mut Random::new(seed));
    let told = world.told.iter();
    let mut steps: Vec<Edn> = told
        .map(|data| edn!("{:transact ?data}", data = data))
        .collect();
    for at in 0..QUERIES {
        let number = (seed * QUERIES + at).wrapping_mul(0x5851_F42D_4C95_7F2D);
        let asked = case(&mut Random::new(number), &world, Audience::Peer);
        steps.push(step(&world, &asked));
    }
    edn!(
        "{:case ?seed :steps ?steps}",
        seed = Edn::from(seed as i64),
        steps = Edn::Vector(steps)
    )
}
