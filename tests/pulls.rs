//! Pulls, index walks and entities against the plain oracle, over random databases and views.
//!
//! `DATOMITE_CASES` and `DATOMITE_SEED` choose how many reads and from which number; a read that
//! differs is made smaller and printed as a recorded case. The share of answers that say something
//! is printed and held.

use std::panic::{AssertUnwindSafe, catch_unwind};

use datomite::Edn;
use datomite_tests::generate::Random;
use datomite_tests::reads::check::{check, shrink};
use datomite_tests::reads::grow::{Ask, read};
use datomite_tests::reads::world::{FIXTURE, World};

/// Reads of one database.
const READS: u64 = 40;

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => default,
    }
}

#[test]
fn reads_answer_what_the_oracle_answers() {
    let (seed, cases) = (setting("DATOMITE_SEED", 1), setting("DATOMITE_CASES", 2000));
    println!("DATOMITE_SEED={seed} DATOMITE_CASES={cases}");
    let (mut pulls, mut others) = ((0u64, 0u64), (0u64, 0u64));
    let mut world = None;
    for number in seed..seed + cases {
        let home = number / READS;
        if world.as_ref().is_none_or(|(known, _)| *known != home) {
            world = Some((home, World::random(&mut Random::new(home))));
        }
        let Some((_, world)) = &world else { continue };
        let mut random = Random::new(number.wrapping_mul(0x5851_F42D_4C95_7F2D));
        let read = read(&mut random, world);
        let checked = catch_unwind(AssertUnwindSafe(|| check(world, &read)));
        let says = match checked.unwrap_or_else(|_| Err("a panic".to_owned())) {
            Ok(says) => says,
            Err(_) => {
                let read = shrink(world, read);
                let why = check(world, &read).err().unwrap_or_default();
                let mut steps = world.steps.clone();
                steps.push(read.step());
                panic!(
                    "{why}\n{{:case \"read {number}\" :setup [{FIXTURE:?}] :steps {}}}\n\
                     repeat with DATOMITE_SEED={number} DATOMITE_CASES=1",
                    Edn::Vector(steps)
                );
            }
        };
        let (asked, said) = match read.ask {
            Ask::Pull { .. } => (&mut pulls.0, &mut pulls.1),
            _ => (&mut others.0, &mut others.1),
        };
        *asked += 1;
        *said += u64::from(says);
    }
    let share = |(asked, said): (u64, u64)| said * 100 / asked.max(1);
    println!("{} % of {} pulls said something", share(pulls), pulls.0);
    println!(
        "{} % of {} walks and entities said something",
        share(others),
        others.0
    );
    if cases >= 1000 {
        assert!(share(pulls) >= 60 && share(others) >= 50);
    }
}
