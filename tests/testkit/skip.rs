//! Tests that cannot run here say so; `./test` counts and prints what they say.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

/// The folder of third-party dumps beside the project, or `None` after noting the skip.
pub fn shared_datasets(test: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/datasets");
    if folder.is_dir() {
        return Some(folder);
    }
    note(test, "third-party dumps (../shared) are absent");
    None
}

/// Notes that a test does not run, and why.
///
/// # Panics
/// With `CI=true`: only the absence of the third-party dumps may skip a test there.
pub fn skip(test: &str, reason: &str) {
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{test} must run in CI: {reason}"
    );
    note(test, reason);
}

fn note(test: &str, reason: &str) {
    println!("skipped: {reason}");
    if let Some(path) = std::env::var_os("DATOMITE_SKIPS") {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let line = format!("{test}: {reason}\n");
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        written.expect("the list of skipped tests is writable");
    }
}
