//! Recorded queries and pull patterns, spoiled: whatever is asked, there is an answer or an error.
//!
//! The short form of the fuzzers in `tests/fuzz/`, on the stable toolchain. No panic, no overflow
//! of an ordinary thread's stack, no answer that does not come. `DATOMITE_CASES` and
//! `DATOMITE_SEED` choose how many and which; `DATOMITE_SHOW=1` prints each before it is asked.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use datomite::{Pattern, Query, QueryOptions, pull, q_with};
use datomite_tests::garble::Recorded;
use datomite_tests::generate::Random;

/// Longer than any case may take, on any machine: the limit of time is two seconds.
const PATIENCE: Duration = Duration::from_secs(60);

fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |text| text.parse().expect("a number"))
}

fn limits() -> QueryOptions {
    QueryOptions {
        rows_max: Some(100_000),
        timeout: Some(Duration::from_secs(2)),
        ..QueryOptions::default()
    }
}

#[test]
fn a_spoiled_question_has_an_answer_or_an_error() {
    let recorded = Recorded::read(Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/conformance"
    )));
    let seed = number("DATOMITE_SEED", 1);
    let cases = number("DATOMITE_CASES", 6_000);
    let show = std::env::var_os("DATOMITE_SHOW").is_some();
    let (mut answered, mut refused, mut panicked) = (0u64, 0u64, Vec::new());
    for case in 0..cases {
        let mut random = Random::new(seed.wrapping_mul(1_000_003).wrapping_add(case));
        let asked = random.pick(&recorded.asked);
        let text = recorded.spoil(asked, &mut random);
        if show {
            eprintln!("{case}: {text}");
        }
        let began = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| match asked.is_pull {
            true => {
                let (db, entity) = recorded.entity(asked, &mut random);
                Pattern::parse(&text).is_ok_and(|pattern| pull(&db, &pattern, &entity).is_ok())
            }
            false => {
                let inputs = recorded.inputs(asked, &mut random);
                let query = Query::parse(&text);
                let result = query.and_then(|query| q_with(&query, &inputs, &limits()));
                result.map(|result| result.into_edn()).is_ok()
            }
        }));
        let took = began.elapsed();
        assert!(
            took < PATIENCE,
            "seed {seed}, case {case}: {took:?} for {text}"
        );
        match outcome {
            Ok(true) => answered += 1,
            Ok(false) => refused += 1,
            Err(_) => panicked.push(format!("case {case}: {text}")),
        }
    }
    assert!(panicked.is_empty(), "seed {seed} panicked: {panicked:#?}");
    println!("{answered} answered, {refused} refused");
    assert!(answered > cases / 20, "too few ran: {answered} of {cases}");
}
