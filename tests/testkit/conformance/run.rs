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
use super::deviations::Deviations;
use super::steps::run_step;

/// How long one step may take.
const STEP_MAX: Duration = Duration::from_secs(20);
/// Stack of the thread that plays a case.
const STACK_BYTES: usize = 64 << 20;
/// How much of a form is shown.
const SHOWN_MAX: usize = 1500;

/// Steps by how they were answered.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Totals {
    /// As recorded.
    pub passed: usize,
    /// Otherwise, or not at all.
    pub failed: usize,
    /// Otherwise, and as a rule of deviation says.
    pub deviating: usize,
}

impl Totals {
    /// Counts those of another run, too.
    pub fn add(&mut self, other: Totals) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.deviating += other.deviating;
    }
}

/// Plays a file, or every file of a folder; prints each failed step through `print`, and gives
/// the totals by file.
pub fn run_path(
    path: &Path,
    deviations: &Deviations,
    print: &mut dyn FnMut(&str),
) -> Vec<(PathBuf, Totals)> {
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
            let totals = run_file(&file, deviations, print);
            (file, totals)
        })
        .collect()
}

fn run_file(file: &Path, deviations: &Deviations, print: &mut dyn FnMut(&str)) -> Totals {
    let text = fs::read_to_string(file)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", file.display()));
    let cases =
        read_all(&text).unwrap_or_else(|error| panic!("{} is not EDN: {error}", file.display()));
    let fixtures = file.parent().unwrap_or(Path::new(".")).join("../fixtures");
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut totals = Totals::default();
    for case in &cases {
        let case = Case::new(&name, case, deviations);
        totals.add(play_case(&case, &fixtures, deviations, print));
    }
    totals
}

/// A case of a file.
struct Case {
    file: String,
    name: String,
    setup: Vec<Edn>,
    raw: bool,
    steps: Vec<Asked>,
}

/// A step, and what may be answered to it.
#[derive(Clone)]
struct Asked {
    step: Edn,
    recorded: Edn,
    /// Our own answer, where a rule of deviation covers the step.
    ours: Option<Edn>,
}

impl Case {
    fn new(file: &str, case: &Edn, deviations: &Deviations) -> Case {
        let name = case.get(&Edn::keyword("case")).and_then(Edn::as_str);
        let name = name.unwrap_or_default().to_owned();
        let steps = items(case, "steps").into_iter().enumerate();
        let steps = steps.map(|(at, step)| Asked {
            recorded: step
                .get(&Edn::keyword("expect"))
                .cloned()
                .unwrap_or(Edn::Nil),
            ours: deviations.answer(file, &name, at + 1).cloned(),
            step,
        });
        Case {
            steps: steps.collect(),
            file: file.to_owned(),
            name,
            setup: items(case, "setup"),
            raw: case.get(&Edn::keyword("raw")) == Some(&Edn::from(true)),
        }
    }

    fn failure(&self, at: usize, answered: &str) -> String {
        let asked = &self.steps[at];
        let mut lines = format!(
            "{}: {}, step {}\n  {}\n  recorded {}",
            self.file,
            Edn::string(&self.name),
            at + 1,
            shown(&without_expect(&asked.step).to_string()),
            shown(&asked.recorded.to_string()),
        );
        if let Some(ours) = &asked.ours {
            lines.push_str(&format!("\n  ours     {}", shown(&ours.to_string())));
        }
        format!("{lines}\n  answered {}", shown(answered))
    }
}

/// What the thread that plays a case tells of a step.
enum Told {
    Passed,
    /// Not as Datomic; whether as our rule says, the answer as a form and in words.
    Other(bool, Edn, String),
    /// The setup failed: no step can be asked.
    Setup(String),
}

/// Plays one case on a fresh store; prints each failed step through `print`. The file is named in
/// what is printed.
pub fn run_case(file: &Path, fixtures: &Path, case: &Edn, print: &mut dyn FnMut(&str)) -> Totals {
    let deviations = Deviations::default();
    let case = Case::new(&file.to_string_lossy(), case, &deviations);
    play_case(&case, fixtures, &deviations, print)
}

fn play_case(
    case: &Case,
    fixtures: &Path,
    deviations: &Deviations,
    print: &mut dyn FnMut(&str),
) -> Totals {
    let (tell, told) = mpsc::channel();
    let (steps, setup) = (case.steps.clone(), case.setup.clone());
    let (fixtures, raw) = (fixtures.to_path_buf(), case.raw);
    let player = thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || play(&fixtures, &setup, raw, &steps, &tell))
        .expect("a thread starts");
    let mut totals = Totals::default();
    for (at, asked) in case.steps.iter().enumerate() {
        match told.recv_timeout(STEP_MAX) {
            Ok(Told::Passed) => totals.passed += 1,
            Ok(Told::Other(as_ours, given, answered)) => {
                if asked.ours.is_some() {
                    deviations.note(&case.file, &case.name, at + 1, given);
                }
                if as_ours {
                    totals.deviating += 1;
                } else {
                    totals.failed += 1;
                    print(&case.failure(at, &answered));
                }
            }
            stopped => {
                let why = match stopped {
                    Ok(Told::Setup(why)) => format!("the setup failed: {why}"),
                    Err(RecvTimeoutError::Timeout) => format!("nothing within {STEP_MAX:?}"),
                    _ => "nothing: the player stopped".to_owned(),
                };
                totals.failed += case.steps.len() - at;
                print(&case.failure(at, &why));
                return totals;
            }
        }
    }
    drop(player);
    totals
}

fn play(fixtures: &Path, setup: &[Edn], raw: bool, steps: &[Asked], tell: &Sender<Told>) {
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
    for asked in steps {
        let answer = catch_unwind(AssertUnwindSafe(|| run_step(&mut context, &asked.step)));
        let answer = answer.map_err(|panic| panic_text(&panic));
        let ordered = is_ordered(&asked.step);
        let fits = |expected: &Edn| match &answer {
            Err(_) => false,
            Ok(Ok(answer)) => compare::answer_fits(&context.canonical(expected), answer, ordered),
            Ok(Err(failure)) => compare::failure_fits(expected, failure),
        };
        let told = if fits(&asked.recorded) {
            Told::Passed
        } else {
            let as_ours = asked.ours.as_ref().is_some_and(fits);
            let (given, words) = match answer {
                Err(panic) => (Edn::Nil, panic),
                Ok(Ok(answer)) => (
                    compare::written(&asked.recorded, &answer),
                    answer.to_string(),
                ),
                Ok(Err(failure)) => (failure.written(), failure.to_string()),
            };
            Told::Other(as_ours, given, words)
        };
        if tell.send(told).is_err() {
            return;
        }
    }
}

pub(super) fn prepare(fixtures: &Path, setup: &[Edn], raw: bool) -> Result<Context, Failure> {
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

pub(super) fn items(form: &Edn, key: &str) -> Vec<Edn> {
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
