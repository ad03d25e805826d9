//! Plays the recorded cases of Datomic: all of them, or the files and folders that are named.
//!
//! `cargo test --release -p datomite-tests --test conformance -- [--summary] [FILE or FOLDER]…`;
//! an argument that is neither names the files whose name contains it.

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
    let mut print = |failure: &str| {
        if !summary {
            println!("{failure}");
        }
    };
    let mut lines = Vec::new();
    for path in &paths {
        for (file, of_file) in run_path(path, &mut print) {
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
    println!("{} passed, {} failed", totals.passed, totals.failed);
    ExitCode::from(u8::from(totals.failed > 0))
}

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
