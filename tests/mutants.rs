//! The planted bugs still fit the code: every patch of `tests/mutants/` applies.
//!
//! Whether the tests find them is asked by `tests/mutants/run`, which builds each of them.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A house with fewer planted bugs has lost some.
const PATCHES_MIN: usize = 10;

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().expect("the repository is there")
}

fn patches() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("tests/mutants")).expect("the folder can be listed");
    let mut patches: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    patches.retain(|path| path.extension().is_some_and(|ending| ending == "patch"));
    patches.sort();
    assert!(patches.len() >= PATCHES_MIN, "{} patches", patches.len());
    patches
}

/// Why a patch does not apply, asked of `git`, or of `patch` where there is no git.
fn misfit(patch: &Path) -> Option<String> {
    let root = root();
    let mut git = Command::new("git");
    // A tree that was unpacked inside another repository is a plain folder to git, too.
    let above = root
        .parent()
        .expect("the root of the repository is a folder in another");
    git.env("GIT_CEILING_DIRECTORIES", above);
    git.args(["apply", "--check"]).arg(patch);
    let mut plain = Command::new("patch");
    let text = fs::File::open(patch).expect("a patch can be read");
    plain
        .args(["--dry-run", "--force", "-p1", "-F0"])
        .stdin(text);
    for command in [&mut git, &mut plain] {
        match command.current_dir(&root).stderr(Stdio::piped()).output() {
            Ok(output) if output.status.success() => return None,
            Ok(output) => {
                let said = [output.stderr, output.stdout].concat();
                return Some(String::from_utf8_lossy(&said).into_owned());
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => panic!("{command:?}: {error}"),
        }
    }
    panic!("neither `git` nor `patch` is installed; one of them is needed to check the patches");
}

#[test]
fn every_planted_bug_still_applies() {
    let misfits = patches().into_iter().filter_map(|patch| {
        let name = patch.file_name().expect("a patch has a name");
        let why = misfit(&patch)?;
        Some(format!("{}: {}", name.to_string_lossy(), why.trim()))
    });
    let misfits: Vec<String> = misfits.collect();
    assert!(misfits.is_empty(), "{}", misfits.join("\n"));
}

/// What follows `start` in the lines of a header that begin so.
fn after<'a>(header: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = header.lines();
    lines.filter_map(move |line| line.strip_prefix(start))
}

#[test]
fn every_planted_bug_says_what_it_is_and_who_must_find_it() {
    let manifest = fs::read_to_string(root().join("tests/Cargo.toml")).expect("a manifest");
    for patch in patches() {
        let text = fs::read_to_string(&patch).expect("a patch can be read");
        let header = text.split("\n--- ").next().unwrap_or_default();
        let lines = |start| after(header, start);
        let tests: Vec<&str> = lines("Test: cargo test -p ").collect();
        let place = patch.display();
        assert_eq!(lines("Bug: ").count(), 1, "{place}");
        assert!(
            !tests.is_empty() && tests.len() == lines("Test: ").count(),
            "{place}"
        );
        for test in tests {
            let (package, rest) = test.split_once(' ').expect("a package and a target");
            let known = match rest.strip_prefix("--test ") {
                None => rest.starts_with("--lib ") && root().join("crates").join(package).exists(),
                Some(rest) => {
                    let target = rest.split(' ').next().unwrap_or_default();
                    manifest.contains(&format!("name = \"{target}\""))
                }
            };
            assert!(known, "{place}: {test}");
        }
        let inside = text.matches("\n+++ b/crates/").count();
        assert!(
            inside > 0 && inside == text.matches("\n+++ ").count(),
            "{place}"
        );
    }
}
