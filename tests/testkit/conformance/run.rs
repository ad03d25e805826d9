//! Files, cases and counts: who is played, and what is printed of it.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use datomite::{Edn, read_all};

use super::compare;
use super::context::{Context, Failure};
use super::steps::run_step;

/// How long one step may take.
const STEP_MAX: Duration = Duration::from_secs(20);
/// Stack of the thread that plays a case.
const STACK_BYTES: usize = 64 << 20;
/// How much of a form is shown.
const SHOWN_MAX: usize = 1500;

/// Steps that passed and failed.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Totals {
    /// Answered as recorded.
    pub passed: usize,
    /// Answered otherwise, or not at all.
    pub failed: usize,
}

impl Totals {
    fn add(&mut self, other: Totals) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Plays a file, or every file of a folder; prints each failed step through `print`, and gives
/// the totals by file.
pub fn run_path(path: &Path, print: &mut dyn FnMut(&str)) -> Vec<(PathBuf, Totals)> {
    let mut files = Vec::new();
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("the folder can be listed");
        files.extend(entries.map(|entry| entry.expect("an entry").path()));
        files.retain(|file| file.extension().is_some_and(|ext| ext == "edn"));
        files.sort();
    } else {
        files.push(path.to_path_buf());
    }
    files
        .into_iter()
        .map(|file| {
            let totals = run_file(&file, print);
            (file, totals)
        })
        .collect()
}

fn run_file(file: &Path, print: &mut dyn FnMut(&str)) -> Totals {
    let text = fs::read_to_string(file)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", file.display()));
    let cases =
        read_all(&text).unwrap_or_else(|error| panic!("{} is not EDN: {error}", file.display()));
    let fixtures = file.parent().unwrap_or(Path::new(".")).join("../fixtures");
    let mut totals = Totals::default();
    for case in cases {
        totals.add(run_case(file, &fixtures, &case, print));
    }
    totals
}

/// What the thread that plays a case tells of a step.
enum Told {
    Passed,
    Failed(String),
    /// The setup failed: no step can be asked.
    Setup(String),
}

/// Plays one case on a fresh store; prints each failed step through `print`. The files are named
/// in what is printed and looked up for `:setup`.
pub fn run_case(file: &Path, fixtures: &Path, case: &Edn, print: &mut dyn FnMut(&str)) -> Totals {
    let steps: Vec<Edn> = items(case, "steps");
    let name = case
        .get(&Edn::keyword("case"))
        .map_or_else(String::new, Edn::to_string);
    let setup = items(case, "setup");
    let raw = case.get(&Edn::keyword("raw")) == Some(&Edn::from(true));
    let (tell, told) = mpsc::channel();
    let (played, fixtures) = (steps.clone(), fixtures.to_path_buf());
    let player = thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || play(&fixtures, &setup, raw, &played, &tell))
        .expect("a thread starts");
    let mut totals = Totals::default();
    let mut fail = |at: usize, step: &Edn, answered: &str| {
        let recorded = step
            .get(&Edn::keyword("expect"))
            .map_or_else(String::new, Edn::to_string);
        print(&format!(
            "{}: {name}, step {}\n  {}\n  recorded {}\n  answered {}",
            file.file_name().unwrap_or_default().to_string_lossy(),
            at + 1,
            shown(&without_expect(step).to_string()),
            shown(&recorded),
            shown(answered),
        ));
    };
    for (at, step) in steps.iter().enumerate() {
        match told.recv_timeout(STEP_MAX) {
            Ok(Told::Passed) => totals.passed += 1,
            Ok(Told::Failed(answered)) => {
                totals.failed += 1;
                fail(at, step, &answered);
            }
            stopped => {
                let why = match stopped {
                    Ok(Told::Setup(why)) => format!("the setup failed: {why}"),
                    Err(RecvTimeoutError::Timeout) => format!("nothing within {STEP_MAX:?}"),
                    _ => "nothing: the player stopped".to_owned(),
                };
                totals.failed += steps.len() - at;
                fail(at, step, &why);
                return totals;
            }
        }
    }
    drop(player);
    totals
}

fn play(fixtures: &Path, setup: &[Edn], raw: bool, steps: &[Edn], tell: &Sender<Told>) {
    let context = catch_unwind(AssertUnwindSafe(|| prepare(fixtures, setup, raw)));
    let mut context = match context {
        Ok(Ok(context)) => context,
        Ok(Err(failure)) => {
            let _ = tell.send(Told::Setup(failure.to_string()));
            return;
        }
        Err(panic) => {
            let _ = tell.send(Told::Setup(panic_text(&panic)));
            return;
        }
    };
    for step in steps {
        let answer = catch_unwind(AssertUnwindSafe(|| run_step(&mut context, step)));
        let expected = step
            .get(&Edn::keyword("expect"))
            .cloned()
            .unwrap_or(Edn::Nil);
        let ordered = is_ordered(step);
        let told = match answer {
            Err(panic) => Told::Failed(panic_text(&panic)),
            Ok(Ok(answer)) => {
                match compare::answer_fits(&context.canonical(&expected), &answer, ordered) {
                    true => Told::Passed,
                    false => Told::Failed(answer.to_string()),
                }
            }
            Ok(Err(failure)) => match compare::failure_fits(&expected, &failure) {
                true => Told::Passed,
                false => Told::Failed(failure.to_string()),
            },
        };
        if tell.send(told).is_err() {
            return;
        }
    }
}

fn prepare(fixtures: &Path, setup: &[Edn], raw: bool) -> Result<Context, Failure> {
    let mut context = Context::new(raw)?;
    for name in setup {
        let file = fixtures.join(format!("{}.edn", name.as_str().unwrap_or_default()));
        let text = fs::read_to_string(&file)
            .map_err(|error| Failure::Case(format!("{}: {error}", file.display())))?;
        let forms = read_all(&text).map_err(|error| Failure::Case(error.to_string()))?;
        for tx_data in forms
            .first()
            .map_or_else(Vec::new, |form| items(form, "txs"))
        {
            let step = Edn::Map(vec![(Edn::keyword("transact"), tx_data)]);
            run_step(&mut context, &step)?;
        }
    }
    Ok(context)
}

fn items(form: &Edn, key: &str) -> Vec<Edn> {
    let value = form.get(&Edn::keyword(key)).and_then(Edn::as_sequence);
    value.map_or_else(Vec::new, <[Edn]>::to_vec)
}

fn is_ordered(step: &Edn) -> bool {
    step.get(&Edn::keyword("ordered")) == Some(&Edn::from(true))
}

fn without_expect(step: &Edn) -> Edn {
    let entries = step.as_map().unwrap_or_default().iter();
    Edn::Map(
        entries
            .filter(|(key, _)| *key != Edn::keyword("expect"))
            .cloned()
            .collect(),
    )
}

fn panic_text(panic: &Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("a panic: {}", text.unwrap_or("without words"))
}

fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        None => text.to_owned(),
        Some((at, _)) => format!("{} …", &text[..at]),
    }
}
