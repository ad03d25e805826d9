//! Random lives of a store on the simulated disk, beside a list that says what must be visible.
//!
//! A life is appends, groups, abandoned groups, changes of writer, forks, power cuts at rest and in
//! the middle of an operation; a follower looks on. `DATOMITE_SEED` and `DATOMITE_CASES` choose
//! which lives and how many.

use std::panic::{AssertUnwindSafe, catch_unwind};

use datomite::T;
use datomite::storage::{Log, LogOptions};
use datomite_tests::sim::{Cut, Fault, Random, SimDisk};

use crate::script::{backend, open, record, records, seen};

struct Life {
    random: Random,
    disk: SimDisk,
    log: Log,
    follower: Log,
    visible: Vec<u64>,
    next: u64,
}

/// How often each kind of thing happened.
#[derive(Default, Debug)]
struct Counts {
    appends: u32,
    groups: u32,
    abandoned: u32,
    reopened: u32,
    forks: u32,
    cut_at_rest: u32,
    cut_at_work: u32,
    /// Of these, the last unit was there although nobody had been told.
    came_through: u32,
}

impl Life {
    fn begin(seed: u64) -> Life {
        let disk = SimDisk::new();
        let log = open(&disk).expect("nothing fails yet");
        let follower = follow(&disk);
        Life {
            random: Random::new(seed),
            disk,
            log,
            follower,
            visible: Vec::new(),
            next: 1000,
        }
    }

    fn fresh(&mut self, n: usize) -> Vec<u64> {
        let ts = (self.next..self.next + n as u64).collect();
        self.next += n as u64;
        ts
    }

    fn write(&mut self, counts: &mut Counts) -> (Vec<u64>, bool) {
        let n = 1 + self.random.below(4);
        let unit = self.fresh(n);
        let written = match self.random.below(3) {
            0 => {
                counts.groups += 1;
                self.log.begin_group().and_then(|mut group| {
                    for t in &unit {
                        group.append(&[record(*t)])?;
                    }
                    group.commit()
                })
            }
            _ => {
                counts.appends += 1;
                self.log.append(&records(&unit))
            }
        };
        (unit, written.is_ok())
    }

    fn step(&mut self, counts: &mut Counts) {
        match self.random.below(12) {
            0..=5 => {
                let (unit, written) = self.write(counts);
                assert!(written);
                self.visible.extend(unit);
            }
            6 | 7 => {
                counts.abandoned += 1;
                let unit = self.fresh(3);
                let mut group = self.log.begin_group().expect("no other group");
                for t in unit {
                    group.append(&[record(t)]).expect("nothing fails");
                }
                self.next -= 3;
            }
            8 => {
                counts.reopened += 1;
                self.log.release();
                self.log = open(&self.disk).expect("the lock is free");
            }
            9 => {
                counts.forks += 1;
                self.fork();
            }
            10 => {
                counts.cut_at_rest += 1;
                self.cut();
            }
            _ => {
                counts.cut_at_work += 1;
                self.cut_at_work(counts);
            }
        }
    }

    fn fork(&mut self) {
        let Some(last) = self.visible.len().checked_sub(1) else {
            return;
        };
        let upto = self.random.below(last + 1);
        let fork = self.log.fork(T::new(self.visible[upto])).expect("memory");
        fork.append(&records(&[self.next])).expect("memory");
        let mut wanted = self.visible[..=upto].to_vec();
        wanted.push(self.next);
        assert_eq!(seen(&fork).expect("nothing fails"), wanted);
    }

    /// The power goes; the machine starts again.
    fn cut(&mut self) {
        let cut = match self.random.below(4) {
            0 => Cut::Worst,
            1 => Cut::Best,
            2 => Cut::NamesOnly,
            _ => Cut::Random(self.random.below(1 << 30) as u64),
        };
        self.disk = self.disk.crash(cut);
        self.follower = follow(&self.disk);
        self.log = open(&self.disk).unwrap_or_else(|error| panic!("{cut:?}: {error}"));
    }

    fn cut_at_work(&mut self, counts: &mut Counts) {
        let operation = self.disk.ops_count() + self.random.below(25);
        self.disk.fail_at(operation, Fault::Gone);
        let (unit, written) = self.write(counts);
        let told = written && !self.disk.is_gone();
        self.cut();
        let found = seen(&self.log).expect("nothing fails");
        let through = found.len() > self.visible.len();
        assert!(through || !told, "acknowledged {unit:?} and lost");
        if through {
            counts.came_through += u32::from(!told);
            self.visible.extend(unit);
        }
    }

    fn check(&self) {
        assert_eq!(seen(&self.log).expect("nothing fails"), self.visible);
        self.follower.poll().expect("nothing fails");
        assert_eq!(seen(&self.follower).expect("nothing fails"), self.visible);
    }
}

fn follow(disk: &SimDisk) -> Log {
    let place = backend(disk).expect("a local disk");
    Log::follow(place, LogOptions::default()).expect("nothing fails")
}

fn number(name: &str, default: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn random_lives_lose_nothing_acknowledged_and_show_nothing_half() {
    let (seed, cases) = (number("DATOMITE_SEED", 1), number("DATOMITE_CASES", 300));
    let mut counts = Counts::default();
    for case in 0..cases {
        let mut life = Life::begin(seed.wrapping_mul(1_000_003).wrapping_add(case));
        for step in 0..30 {
            let lived = catch_unwind(AssertUnwindSafe(|| {
                life.step(&mut counts);
                life.check();
            }));
            assert!(
                lived.is_ok(),
                "DATOMITE_SEED={seed}, life {case}, step {step}"
            );
        }
    }
    println!("seed {seed}, {cases} lives: {counts:?}");
    assert!(cases < 300 || counts.came_through > 0);
}
