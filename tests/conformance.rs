//! Plays the recorded cases of Datomic: all of them, or the files and folders that are named.
//!
//! `cargo test --release -p datomite-tests --test conformance -- [--summary] [FILE or FOLDER]…`;
//! an argument that is neither names the files whose name contains it.
//!
//! In the project's own copy (without arguments all of it) the steps that do not pass must be
//! exactly those that `conformance/open.txt` lists: one that begins to fail is red, and one that
//! begins to pass must leave the list (`UPDATE=1` writes it again).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use datomite_tests::conformance::{Totals, run_path};

fn main() -> ExitCode {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/cases");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let summary = arguments.iter().any(|argument| argument == "--summary");
    let mut paths = Vec::new();
    for argument in arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
    {
        match Path::new(argument).exists() {
            true => paths.push(PathBuf::from(argument)),
            false => paths.extend(named(&cases, argument)),
        }
    }
    // Cases named by a part of their file's name are the project's own, too.
    let own = paths.iter().all(|path| path.starts_with(&cases));
    if paths.is_empty() {
        paths.push(cases);
    }
    // What a step panics with is shown as its answer; a panic of the runner itself is not hidden.
    let runner = std::thread::current().id();
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().id() == runner {
            usual(panic);
        }
    }));
    let mut totals = Totals::default();
    let listed = listed_as_open();
    let mut failed = BTreeSet::new();
    let mut print = |failure: &str| {
        let step = failure.lines().next().unwrap_or_default().to_owned();
        if !(summary || own && listed.contains(&step)) {
            println!("{failure}");
        }
        failed.insert(step);
    };
    let mut lines = Vec::new();
    let mut played = BTreeSet::new();
    for path in &paths {
        for (file, of_file) in run_path(path, &mut print) {
            played.insert(
                file.file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
            );
            totals.passed += of_file.passed;
            totals.failed += of_file.failed;
            let name = file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            lines.push(format!(
                "{:5} passed {:5} failed  {name}",
                of_file.passed, of_file.failed
            ));
        }
    }
    lines.iter().for_each(|line| println!("{line}"));
    let green = if own {
        as_listed(&listed, &played, &failed)
    } else {
        totals.failed == 0
    };
    println!("{} passed, {} failed", totals.passed, totals.failed);
    ExitCode::from(u8::from(!green))
}

fn open_list() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/open.txt")
}

/// The steps that are known not to pass yet.
fn listed_as_open() -> BTreeSet<String> {
    let text = std::fs::read_to_string(open_list()).unwrap_or_default();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// Whether exactly the listed steps of the played files failed; tells what differs.
fn as_listed(
    listed: &BTreeSet<String>,
    played: &BTreeSet<String>,
    failed: &BTreeSet<String>,
) -> bool {
    let of_played = |step: &&String| step.split(':').next().is_some_and(|f| played.contains(f));
    let (known, others): (BTreeSet<&String>, BTreeSet<&String>) =
        listed.iter().partition(of_played);
    let failed: BTreeSet<&String> = failed.iter().collect();
    if std::env::var_os("UPDATE").is_some() {
        let lines: Vec<&str> = failed.union(&others).map(|step| step.as_str()).collect();
        let text = format!("{OPEN_HEAD}{}\n", lines.join("\n"));
        std::fs::write(open_list(), text).expect("the list can be written");
        return true;
    }
    for step in failed.difference(&known) {
        println!("fails and is not listed as open: {step}");
    }
    for step in known.difference(&failed) {
        println!("passes and is still listed as open: {step}");
    }
    known == failed
}

const OPEN_HEAD: &str = "# Steps that do not answer as recorded yet, one a line; the runner keeps \
    it true.\n";

fn named(cases: &Path, part: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(cases).expect("the cases can be listed");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.retain(|file| {
        file.file_name()
            .is_some_and(|name| name.to_string_lossy().contains(part))
    });
    files.sort();
    files
}
