//! Plays the recorded cases of Datomic: all of them, or the files and folders that are named.
//!
//! `cargo test --release -p datomite-tests --test conformance -- [--summary] [FILE or FOLDER]…`;
//! an argument that is neither names the files whose name contains it.
//!
//! A step passes when it answers as Datomic, or as a rule of `conformance/deviations.edn` says for
//! it. In the project's own copy (without arguments all of it) every listed step must deviate:
//! one that answers as Datomic again must leave the list. `UPDATE=1` writes the list anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use datomite_tests::conformance::{Deviations, Totals, run_path};

fn main() -> ExitCode {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    let cases = own.join("cases");
    let cases = cases.canonicalize().unwrap_or(cases);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let summary = arguments.iter().any(|argument| argument == "--summary");
    let paths = paths(&cases, &arguments);
    hide_panics_of_steps();
    let deviations = Deviations::read(&own.join("deviations.edn"));
    let mut print = |failure: &str| {
        if !summary {
            println!("{failure}");
        }
    };
    let mut totals = Totals::default();
    let mut lines = Vec::new();
    let mut played = BTreeSet::new();
    for path in &paths {
        for (file, of_file) in run_path(path, &deviations, &mut print) {
            totals.add(of_file);
            let name = file_name(&file);
            lines.push(format!("{} in {name}", counts(of_file)));
            played.insert(name);
        }
    }
    lines.iter().for_each(|line| println!("{line}"));
    let is_own = paths.iter().all(|path| path.starts_with(&cases));
    if is_own && std::env::var_os("UPDATE").is_some() {
        deviations.rewrite(&played);
        return ExitCode::SUCCESS;
    }
    let stale = if is_own {
        deviations.stale(&played)
    } else {
        Vec::new()
    };
    for step in &stale {
        println!("listed as deviating, and answers as Datomic or does not exist: {step}");
    }
    println!("{}", counts(totals));
    println!(
        "{} passed, {} failed",
        totals.passed + totals.deviating,
        totals.failed
    );
    ExitCode::from(u8::from(totals.failed > 0 || !stale.is_empty()))
}

fn counts(totals: Totals) -> String {
    let Totals {
        passed,
        failed,
        deviating,
    } = totals;
    format!("{passed} passed, {failed} failed, {deviating} deviating")
}

/// What a step panics with is shown as its answer; a panic of the runner itself is not hidden.
fn hide_panics_of_steps() {
    let runner = std::thread::current().id();
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().id() == runner {
            usual(panic);
        }
    }));
}

/// What the arguments name; without any, the project's own cases.
fn paths(cases: &Path, arguments: &[String]) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    let names = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'));
    for argument in names {
        let found = match existing(argument) {
            Some(path) => vec![path],
            None => named(cases, argument),
        };
        assert!(!found.is_empty(), "no file or folder: {argument}");
        paths.extend(found);
    }
    if paths.is_empty() {
        paths.push(cases.to_path_buf());
    }
    paths
}

/// A file or folder, seen from where the command was given (Cargo starts the runner in the folder
/// of its package) or from the project's root.
fn existing(argument: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let given = std::env::var_os("PWD").map(PathBuf::from);
    let paths = [given.unwrap_or_default(), PathBuf::new(), root];
    let mut paths = paths.into_iter().map(|from| from.join(argument));
    let found = paths.find(|path| path.exists())?;
    Some(found.canonicalize().unwrap_or(found))
}

fn named(cases: &Path, part: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(cases).expect("the cases can be listed");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.retain(|file| file_name(file).contains(part));
    files.sort();
    files
}

fn file_name(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
