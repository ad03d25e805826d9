//! The planner may not change answers: random queries over random databases, planned, in the order
//! written, and by the plain oracle.
//!
//! `DATOMITE_CASES` and `DATOMITE_SEED` choose how many queries and from which number; a failure is
//! shrunk and printed as the steps of a recorded case. The counts of what the queries are made of
//! and of what the engine did are printed; none may be missing.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use datomite::Operator;
use datomite_tests::generate::Random;
use datomite_tests::queries::check::{Outcome, check, explained, kinds, told};
use datomite_tests::queries::grow::{Audience, Case, case};
use datomite_tests::queries::shrink::shrink;
use datomite_tests::queries::world::World;

/// Queries that are asked of one database.
const QUERIES: u64 = 10;
/// From so many cases on nothing may be missing.
const CASES_WHOLE: u64 = 1000;

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => default,
    }
}

/// What queries are made of; all of it must be seen.
const KINDS: [&str; 45] = [
    "pattern",
    "pattern on a source",
    "predicate",
    "function, scalar",
    "function, tuple",
    "function, collection",
    "function, relation",
    "nested q",
    "rule",
    "rule on a source",
    "not",
    "not-join",
    "or",
    "or-join",
    "or-join, required",
    "collection",
    "second database",
    "rules",
    "log",
    "pattern input",
    "scalar input",
    "tuple input",
    "collection input",
    "relation input",
    "with",
    "as-of",
    "since",
    "history",
    "filter",
    ":with",
    ":keys",
    ":order-by",
    ":limit",
    ":offset",
    "find variable",
    "find aggregate",
    "find pull",
    "find collection",
    "find tuple",
    "find scalar",
    "get-else",
    "get-some",
    "missing?",
    "fulltext",
    "tx-data",
];

type Counts = BTreeMap<&'static str, u64>;

#[derive(Default)]
struct Totals {
    asked: u64,
    answered: u64,
    skipped: BTreeMap<String, u64>,
    made: Counts,
    used: Counts,
}

#[test]
fn queries_answer_what_the_oracle_answers() {
    let seed = setting("DATOMITE_SEED", 1);
    let cases = setting("DATOMITE_CASES", CASES_WHOLE);
    println!("DATOMITE_SEED={seed} DATOMITE_CASES={cases}");
    let mut failures = setting("DATOMITE_FAILURES", 1);
    let mut totals = Totals::default();
    let mut world = None;
    for number in seed..seed + cases {
        let home = number / QUERIES;
        if world.as_ref().is_none_or(|(known, _)| *known != home) {
            world = Some((home, World::random(&mut Random::new(home))));
        }
        let Some((_, held)) = &world else { continue };
        let mut random = Random::new(number.wrapping_mul(0x5851_F42D_4C95_7F2D));
        let case = case(&mut random, held, Audience::Us);
        if let Some(why) = asked(held, &case, &mut totals) {
            let held = world.take().expect("the world that was asked").1;
            fail(number, &why, held, case);
            failures -= 1;
            assert!(failures > 0, "an answer differs");
        }
    }
    assert_eq!(failures, setting("DATOMITE_FAILURES", 1), "answers differ");
    totals.print();
    if cases >= CASES_WHOLE {
        totals.assert_whole();
    }
}

/// Asks a case and counts it; why it differs.
fn asked(world: &World, case: &Case, totals: &mut Totals) -> Option<String> {
    totals.asked += 1;
    match catch_unwind(AssertUnwindSafe(|| check(world, case))) {
        Ok(Outcome::Differs(why)) => Some(why),
        Err(_) => Some("a panic".to_owned()),
        Ok(Outcome::Skipped(stop)) => {
            let kind = format!("{stop:?}");
            let kind = kind.split('(').next().unwrap_or_default();
            *totals.skipped.entry(kind.to_owned()).or_default() += 1;
            None
        }
        Ok(Outcome::Agreed(answer)) => {
            totals.answered += u64::from(!answer.is_empty());
            kinds(case, &mut totals.made);
            for (what, count) in explained(world, case).map(|e| e.uses).unwrap_or_default() {
                *totals.used.entry(what).or_default() += count;
            }
            None
        }
    }
}

/// Prints a case that differs, shrunk.
fn fail(number: u64, why: &str, world: World, case: Case) {
    println!("repeat with DATOMITE_SEED={number} DATOMITE_CASES=1\n{why}");
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let (world, case) = shrink(world, case);
    std::panic::set_hook(usual);
    let why = match catch_unwind(AssertUnwindSafe(|| check(&world, &case))) {
        Ok(Outcome::Differs(why)) => why,
        _ => "not again, or a panic".to_owned(),
    };
    println!("shrunk: {why}\n{}", told(&world, &case));
}

impl Totals {
    fn print(&self) {
        let share = self.answered * 100 / self.asked.max(1);
        println!("{share} % of {} queries answered something", self.asked);
        let line = |counts: &Counts| {
            let parts = counts.iter().map(|(what, count)| format!("{what} {count}"));
            parts.collect::<Vec<_>>().join(", ")
        };
        println!("made of: {}", line(&self.made));
        println!("done by: {}", line(&self.used));
        println!("not judged: {:?}", self.skipped);
    }

    fn assert_whole(&self) {
        assert!(
            self.answered * 100 >= self.asked * 60,
            "too many answers are empty"
        );
        let missing = |of: &'static [&str], counts: &Counts| -> Vec<&str> {
            let of = of.iter().copied();
            of.filter(|what| !counts.contains_key(what)).collect()
        };
        assert_eq!(missing(&KINDS, &self.made), [""; 0], "never made");
        assert_eq!(
            missing(&["EAVT", "AEVT", "AVET", "VAET"], &self.used),
            [""; 0],
            "never read"
        );
        let operators = Operator::ALL
            .iter()
            .filter(|one| **one != Operator::Nothing);
        let unused: Vec<&Operator> = operators
            .filter(|one| !self.used.contains_key(one.name()))
            .collect();
        assert!(unused.is_empty(), "never ran: {unused:?}");
        let skipped: u64 = self.skipped.values().sum();
        assert!(
            skipped * 100 <= self.asked * 5,
            "too many are not judged: {:?}",
            self.skipped
        );
    }
}
