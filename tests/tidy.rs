//! House rules as tests: arrows, lengths, heads of files, words, clocks, paths in the docs.
//!
//! Each rule lists everything that breaks it. Where a rule must bend, the literal tables below are
//! the place, with the reason beside the entry.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const LINE_MAX: usize = 100;
const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 1000;
/// Packages in Cargo.lock, our own included; some 25 of them serve the web example alone.
const PACKAGES_MAX: usize = 270;

/// Which of our packages each one names. A new arrow needs a record in `docs/decisions/`.
const ARROWS: &[(&str, &[&str])] = &[
    ("crates/datomite-model", &[]),
    ("crates/datomite-storage", &["datomite-model"]),
    (
        "crates/datomite-db",
        &["datomite-model", "datomite-storage"],
    ),
    ("crates/datomite-query", &["datomite-db", "datomite-model"]),
    ("crates/datomite-macros", &["datomite-model"]),
    (
        "crates/datomite",
        &[
            "datomite-db",
            "datomite-macros",
            "datomite-model",
            "datomite-query",
            "datomite-storage",
        ],
    ),
    ("crates/datomite-import", &["datomite"]),
    ("crates/datomite-cli", &["datomite", "datomite-import"]),
    ("tests", &["datomite", "datomite-import"]),
    ("benches", &["datomite", "datomite-import"]),
    ("examples", &["datomite", "datomite-import"]),
    ("tests/fuzz", &["datomite"]),
];

/// What the engine crates may use of others. Adding one needs a line in `docs/decisions/`.
const DEPENDENCIES: &[(&str, &[&str])] = &[
    (
        "crates/datomite-model",
        &[
            "bigdecimal",
            "num-bigint",
            "num-integer",
            "num-traits",
            "rustc-hash",
            "serde",
            "thiserror",
            "uuid",
        ],
    ),
    (
        "crates/datomite-storage",
        &[
            "crc32c",
            "getrandom",
            "parking_lot",
            "rustc-hash",
            "thiserror",
            "xxhash-rust",
        ],
    ),
    (
        "crates/datomite-db",
        &[
            "arc-swap",
            "bigdecimal",
            "num-traits",
            "parking_lot",
            "rustc-hash",
            "serde",
            "thiserror",
        ],
    ),
    (
        "crates/datomite-query",
        &[
            "num-bigint",
            "num-integer",
            "num-traits",
            "parking_lot",
            "regex",
            "rustc-hash",
            "serde",
            "thiserror",
            "uuid",
        ],
    ),
];

/// Files of the engine that may look at a clock or start a thread.
const CLOCK_FILES: &[&str] = &[
    // The defaults of `Options`: a simulation gives its own.
    "crates/datomite-db/src/options.rs",
    // The deadline of a query that has a time limit.
    "crates/datomite-query/src/options.rs",
];

const ENGINE: [&str; 4] = ["model", "storage", "db", "query"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text_of(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Files below a folder with that ending, as paths from the root.
fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for path in entries.map(|entry| entry.expect("an entry").path()) {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(ending) {
                let path = path.strip_prefix(root()).expect("it is below the root");
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

fn rust_files() -> Vec<String> {
    let folders = ["crates", "tests", "benches", "examples"];
    folders
        .iter()
        .flat_map(|folder| files(folder, ".rs"))
        .collect()
}

/// Tests stand in files of their own.
fn is_test_file(file: &str) -> bool {
    let in_tests = file
        .split('/')
        .any(|part| part == "tests" || part == "benches");
    let ends = ["/tests.rs", "_tests.rs", "/testkit.rs"];
    in_tests || ends.iter().any(|end| file.ends_with(end)) || file.starts_with("examples/")
}

fn assert_none(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

/// The entries of a section of a manifest, by name.
fn manifest_section(folder: &str, section: &str) -> Vec<String> {
    let text = text_of(&format!("{folder}/Cargo.toml"));
    let mut inside = false;
    let mut names = Vec::new();
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line.trim() == section;
        } else if inside && line.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            names.push(name.to_owned());
        }
    }
    names.sort();
    names
}

fn is_ours(name: &str) -> bool {
    name == "datomite" || name.starts_with("datomite-")
}

#[test]
fn arrows_are_those_of_the_table() {
    for (folder, arrows) in ARROWS {
        let mut named = manifest_section(folder, "[dependencies]");
        named.extend(manifest_section(folder, "[dev-dependencies]"));
        named.retain(|name| is_ours(name));
        assert_eq!(named, *arrows, "{folder}");
    }
    let listed: BTreeSet<&str> = ARROWS.iter().map(|(folder, _)| *folder).collect();
    let manifests = ["crates", "tests", "benches", "examples"];
    let manifests = manifests
        .iter()
        .flat_map(|folder| files(folder, "Cargo.toml"));
    for manifest in manifests {
        let folder = manifest.trim_end_matches("/Cargo.toml");
        assert!(
            listed.contains(folder),
            "{folder} is not in the table of arrows"
        );
    }
}

#[test]
fn engine_crates_use_what_the_table_says() {
    for (folder, allowed) in DEPENDENCIES {
        let mut named = manifest_section(folder, "[dependencies]");
        named.retain(|name| !is_ours(name));
        assert_eq!(named, *allowed, "{folder}");
        let features = manifest_section(folder, "[features]");
        assert!(features.is_empty(), "{folder} has features");
    }
}

#[test]
fn the_lock_file_stays_in_its_budget() {
    let packages = text_of("Cargo.lock").matches("[[package]]").count();
    assert!(
        packages <= PACKAGES_MAX,
        "{packages} packages, {PACKAGES_MAX} allowed"
    );
}

#[test]
fn every_crate_stands_in_the_architecture() {
    let text = text_of("docs/architecture.md");
    let missing: Vec<String> = ARROWS
        .iter()
        .map(|(folder, _)| folder.trim_start_matches("crates/").to_owned())
        .filter(|name| !text.contains(name.as_str()))
        .collect();
    assert_none("docs/architecture.md does not name", &missing);
}

#[test]
fn every_path_in_the_docs_exists() {
    let mut documents = files("docs", ".md");
    documents.push("README.md".to_owned());
    let mut broken = Vec::new();
    for document in documents
        .iter()
        .filter(|document| root().join(document).exists())
    {
        for path in paths_in(&text_of(document)) {
            let beside = Path::new(document)
                .parent()
                .unwrap_or(Path::new(""))
                .join(&path);
            if !root().join(&path).exists() && !root().join(beside).exists() {
                broken.push(format!("{document}: {path}"));
            }
        }
    }
    assert_none("paths that do not exist", &broken);
}

/// Words in backquotes and targets of links that are paths of this repository.
fn paths_in(text: &str) -> Vec<String> {
    let quoted = text
        .split('`')
        .skip(1)
        .step_by(2)
        .flat_map(str::split_whitespace);
    let linked = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', '#']).next());
    let places = [
        "crates/",
        "tests/",
        "docs/",
        "data/",
        "benches/",
        "examples/",
        ".ci/",
    ];
    let is_path = |word: &&str| {
        places.iter().any(|place| word.starts_with(place))
            && !word.contains(['*', '<', '{', '…', ':'])
            && !word.contains("NAME")
            && !word.contains("NNNN")
    };
    quoted
        .chain(linked)
        .filter(is_path)
        .map(|word| word.trim_end_matches(['.', ',', ';', ')', '/']).to_owned())
        .collect()
}

#[test]
fn every_file_says_first_what_it_is() {
    let broken: Vec<String> = rust_files()
        .into_iter()
        .filter(|file| file.contains("/src/") && !file.ends_with("/tests.rs"))
        .filter(|file| !text_of(file).starts_with("//!"))
        .collect();
    assert_none("files that do not open with //!", &broken);
}

#[test]
fn files_functions_and_lines_are_short() {
    let mut broken = Vec::new();
    for file in rust_files() {
        let text = text_of(&file);
        let lines: Vec<&str> = text.lines().collect();
        if lines.len() > FILE_LINES_MAX {
            broken.push(format!("{file}: {} lines", lines.len()));
        }
        for (at, line) in lines.iter().enumerate() {
            if line.chars().count() > LINE_MAX {
                broken.push(format!("{file}:{}: {} wide", at + 1, line.chars().count()));
            }
        }
        for (at, name, length) in functions(&lines) {
            if length > FUNCTION_LINES_MAX && !is_test_file(&file) {
                broken.push(format!("{file}:{at}: fn {name} has {length} lines"));
            }
        }
    }
    assert_none("too long", &broken);
}

/// Line, name and length of each function: up to the brace that closes at the indent of its `fn`.
fn functions<'t>(lines: &[&'t str]) -> Vec<(usize, &'t str, usize)> {
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let is_function = [
            "fn ",
            "pub fn ",
            "pub(crate) fn ",
            "pub(super) fn ",
            "const fn ",
        ]
        .iter()
        .any(|start| code.starts_with(start));
        if !is_function || code.ends_with(['}', ';']) {
            continue;
        }
        let closing = format!("{}}}", &line[..line.len() - code.len()]);
        let length = lines[at..].iter().position(|line| *line == closing);
        let name = code
            .split("fn ")
            .nth(1)
            .and_then(|rest| rest.split(['(', '<']).next());
        if let (Some(length), Some(name)) = (length, name) {
            found.push((at + 1, name, length + 1));
        }
    }
    found
}

#[test]
fn nothing_unfinished_or_unchecked_outside_tests() {
    let words = [
        "todo!(",
        "unimplemented!(",
        "dbg!(",
        ".unwrap()",
        "#[allow(",
        "#![allow(",
    ];
    let everywhere = ["#[ignore", "#[should_panic"];
    let mut broken = Vec::new();
    for file in rust_files().iter().filter(|file| *file != "tests/tidy.rs") {
        for (at, line) in text_of(file).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let found = words
                .iter()
                .filter(|_| !is_test_file(file))
                .chain(&everywhere);
            for word in found.filter(|word| code.contains(**word)) {
                broken.push(format!("{file}:{}: {word}", at + 1));
            }
        }
    }
    assert_none("not here", &broken);
}

#[test]
fn only_the_options_know_clocks_and_threads() {
    // The type may be converted; asking for the time may not.
    let words = [
        "SystemTime::now",
        "Instant::now",
        "thread::spawn",
        "thread::Builder",
    ];
    let mut broken = Vec::new();
    for name in ENGINE {
        for file in files(&format!("crates/datomite-{name}/src"), ".rs") {
            if is_test_file(&file) || CLOCK_FILES.contains(&file.as_str()) {
                continue;
            }
            for (at, line) in text_of(&file).lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                if words.iter().any(|word| code.contains(word)) {
                    broken.push(format!("{file}:{}: {}", at + 1, line.trim()));
                }
            }
        }
    }
    assert_none("a clock or a thread outside the options", &broken);
}

#[test]
fn every_crate_forbids_unsafe_code() {
    let crates = ARROWS
        .iter()
        .filter(|(folder, _)| folder.starts_with("crates/"));
    for (folder, _) in crates {
        let heads = ["src/lib.rs", "src/main.rs"].map(|head| root().join(folder).join(head));
        let head = heads
            .iter()
            .find(|head| head.exists())
            .expect("a crate has a head");
        let text = fs::read_to_string(head).expect("it can be read");
        assert!(
            text.contains("#![forbid(unsafe_code)]"),
            "{}",
            head.display()
        );
    }
}

#[test]
fn every_test_file_is_run() {
    let manifest = text_of("tests/Cargo.toml");
    let missing: Vec<String> = fs::read_dir(root().join("tests"))
        .expect("the folder can be listed")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name.ends_with(".rs") && !manifest.contains(&format!("\"{name}\"")))
        .collect();
    assert_none("tests/Cargo.toml does not name", &missing);
}
