//! The engine against the plain oracle, transaction by transaction; a sequence on which they
//! differ is cut to a small one.

use std::panic::{AssertUnwindSafe, catch_unwind};

use datomite::{Datom, Db, Edn, EntityId, Index, Instant, TxReport, Value};

use super::{Counts, Scene, Writer, install};
use crate::conformance::Player;
use crate::generate::Random;
use crate::oracle::ledger::{Done, Ledger, Verdict};

const TX_INSTANT: EntityId = EntityId::new(50);

/// What a number of duels saw.
#[derive(Default)]
pub struct Seen {
    /// Transactions that both accepted.
    pub accepted: usize,
    /// Transactions that both refused.
    pub refused: usize,
    /// Transactions that the oracle does not know.
    pub unclear: usize,
    /// How often each form was written.
    pub forms: Counts,
    /// How often each error was answered.
    pub errors: std::collections::BTreeMap<String, usize>,
}

/// The engine and the oracle with the same history.
struct Duel {
    player: Player,
    ledger: Ledger,
}

impl Duel {
    fn begin() -> Duel {
        let player = Player::new();
        let ledger = Ledger::of(&player.connection().db());
        Duel { player, ledger }
    }

    /// Plays one transaction on both; what differs is the error. A transaction that names what is
    /// not there (in a sequence that was cut) is left out.
    fn step(&mut self, data: &Edn, seen: &mut Seen) -> Result<(), String> {
        let Ok(resolved) = self.player.resolve(data) else {
            return Ok(());
        };
        let before = self.player.connection().db();
        let last = last_instant(&before);
        let verdict = catch_unwind(AssertUnwindSafe(|| self.ledger.predict(&resolved, last)));
        let verdict = verdict.map_err(|_| format!("{data}\n  the oracle panics"))?;
        let answer = self.player.transact(data, resolved);
        let after = self.player.connection().db();
        let said = match &answer {
            Ok(_) => "accepted".to_owned(),
            Err(error) => error
                .code()
                .map_or_else(String::new, |code| code.name().to_owned()),
        };
        if let Err(error) = &answer {
            *seen.errors.entry(said.clone()).or_default() += 1;
            if (after.basis_t(), after.next_t()) != (before.basis_t(), before.next_t()) {
                return Err(format!(
                    "{data}\n  a refused transaction left something: {error}"
                ));
            }
        }
        match (verdict, answer) {
            (Verdict::Accepted(done), Ok(report)) => {
                compare(&done, &report).map_err(|why| format!("{data}\n  {why}"))?;
                seen.accepted += 1;
                self.ledger.apply(&report.tx_data);
                self.ledger.count(done.next);
            }
            (Verdict::Refused(code), Err(_)) if code.is_empty() || *code == *said => {
                seen.refused += 1;
            }
            (Verdict::Unclear(_), Err(_)) => seen.unclear += 1,
            (Verdict::Unclear(_), Ok(_)) => {
                seen.unclear += 1;
                self.ledger = self.ledger.followed(&after);
            }
            (Verdict::Accepted(_), Err(error)) => {
                return Err(format!(
                    "{data}\n  the oracle accepts it, the engine says {error}"
                ));
            }
            (Verdict::Refused(code), Ok(_)) => {
                return Err(format!(
                    "{data}\n  the oracle says {code:?}, the engine accepts it"
                ));
            }
            (Verdict::Refused(code), Err(error)) => {
                return Err(format!(
                    "{data}\n  the oracle says {code:?}, the engine {said:?}: {error}"
                ));
            }
        }
        Ok(())
    }

    /// Whether both hold the same facts, now and ever.
    fn check_whole(&self) -> Result<(), String> {
        let db = self.player.connection().db();
        let whole = |db: &Db| {
            let all = db.datoms(Index::Eavt, &[]).expect("a read");
            sorted(all.map(|datom| datom.expect("a read")))
        };
        let (held, facts) = (whole(&db), sorted(self.ledger.facts.iter().cloned()));
        same("the facts that hold", &held, &facts)?;
        let forgets = |datom: &Datom| {
            let attr = db.schema().attribute(datom.a);
            attr.is_none_or(|attr| attr.no_history)
        };
        let kept = |datoms: Vec<Datom>| -> Vec<Datom> {
            let kept = datoms.into_iter().filter(|datom| !forgets(datom));
            kept.collect()
        };
        let all = kept(whole(&db.history()));
        let history = kept(sorted(self.ledger.history.iter().cloned()));
        same("the history", &all, &history)
    }
}

fn last_instant(db: &Db) -> Instant {
    let tx = Edn::from(Value::Ref(db.basis_t().tx()));
    let mut found = db
        .datoms(Index::Eavt, &[tx, Edn::keyword("db/txInstant")])
        .expect("a read");
    match found.next().map(|datom| datom.expect("a read").v) {
        Some(Value::Instant(instant)) => instant,
        _ => Instant::from_ms(0),
    }
}

fn sorted(datoms: impl Iterator<Item = Datom>) -> Vec<Datom> {
    let mut datoms: Vec<Datom> = datoms.collect();
    datoms.sort_by(|a, b| {
        let key = |d: &Datom| (d.e, d.a, d.tx, d.added);
        key(a).cmp(&key(b)).then_with(|| a.v.cmp(&b.v))
    });
    datoms
}

fn same(what: &str, engine: &[Datom], oracle: &[Datom]) -> Result<(), String> {
    let lacks = |one: &[Datom], other: &[Datom]| {
        let found = one.iter().find(|datom| !other.contains(datom));
        found.map(|datom| format!("{datom:?}"))
    };
    if engine == oracle {
        return Ok(());
    }
    Err(format!(
        "{what}: only the engine has {:?}, only the oracle {:?} ({} and {})",
        lacks(engine, oracle),
        lacks(oracle, engine),
        engine.len(),
        oracle.len()
    ))
}

fn compare(done: &Done, report: &TxReport) -> Result<(), String> {
    let tx = report.db_after.basis_t().tx();
    let said = report.tx_data.iter();
    let said = said.filter(|datom| datom.a != TX_INSTANT || datom.e != tx);
    same(
        "the datoms",
        &sorted(said.cloned()),
        &sorted(done.datoms.iter().cloned()),
    )?;
    if done.tempids != report.tempids {
        return Err(format!(
            "the tempids: engine {:?}, oracle {:?}",
            report.tempids, done.tempids
        ));
    }
    let next = report.db_after.next_t().raw();
    match next == done.next.0 {
        true => Ok(()),
        false => Err(format!("next: engine {next}, oracle {}", done.next.0)),
    }
}

/// Plays a random sequence; on a difference the answer is the smallest one that still differs, as
/// text.
pub fn duel(seed: u64, transactions: usize, seen: &mut Seen) -> Result<(), String> {
    let mut random = Random::new(seed);
    let mut duel = Duel::begin();
    let mut steps = Vec::new();
    let mut result = Ok(());
    for data in install(&mut random) {
        duel.player
            .resolve(&data)
            .map_err(|why| why.to_string())
            .and_then(|form| {
                let report = duel.player.transact(&data, form);
                report
                    .map(|_| ())
                    .map_err(|error| format!("{data}: {error}"))
            })?;
        steps.push(data);
    }
    duel.ledger = Ledger::of(&duel.player.connection().db());
    let head = steps.len();
    for number in 0..transactions {
        let db = duel.player.connection().db();
        let scene = Scene::of(&db, &duel.player.labels(), duel.player.transactions());
        let data = Writer::new(&mut random, &scene, &mut seen.forms, number).transaction();
        steps.push(data.clone());
        result = duel.step(&data, seen);
        if result.is_err() {
            break;
        }
    }
    let result = result.and_then(|()| duel.check_whole());
    result.map_err(|why| {
        let small = shrink(steps, head);
        let why = replay(&small, head).err().unwrap_or(why);
        let lines: Vec<String> = small.iter().map(Edn::to_string).collect();
        format!("seed {seed}: {why}\n[{}]", lines.join("\n "))
    })
}

/// Plays a sequence again: the first `head` transactions are the schema's.
fn replay(steps: &[Edn], head: usize) -> Result<(), String> {
    let mut duel = Duel::begin();
    let mut seen = Seen::default();
    for data in &steps[..head] {
        let form = duel.player.resolve(data)?;
        // A schema that was cut too far shows nothing.
        if duel.player.transact(data, form).is_err() {
            return Ok(());
        }
    }
    duel.ledger = Ledger::of(&duel.player.connection().db());
    for data in &steps[head..] {
        duel.step(data, &mut seen)?;
    }
    duel.check_whole()
}

/// Leaves out transactions, and elements of them, as long as the sequence still differs.
fn shrink(mut steps: Vec<Edn>, head: usize) -> Vec<Edn> {
    let fails = |steps: &[Edn]| replay(steps, head).is_err();
    if !fails(&steps) {
        return steps;
    }
    let mut at = steps.len();
    while at > head {
        at -= 1;
        let mut fewer = steps.clone();
        fewer.remove(at);
        if fails(&fewer) {
            steps = fewer;
        }
    }
    for at in 0..steps.len() {
        let mut element = steps[at].as_sequence().map_or(0, <[Edn]>::len);
        while element > 0 {
            element -= 1;
            let mut elements = steps[at].as_sequence().unwrap_or_default().to_vec();
            elements.remove(element);
            let mut fewer = steps.clone();
            fewer[at] = Edn::Vector(elements);
            if fails(&fewer) {
                steps = fewer;
            }
        }
    }
    steps
}
