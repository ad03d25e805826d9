//! Runs the program and finds its input.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What a run of the program left.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    /// Standard output of a run that succeeded.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}", self.err);
        self.out
    }

    /// Standard error of a run that ended with this code and answered nothing.
    #[track_caller]
    pub fn fails(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.out, "", "an error answers nothing");
        self.err
    }
}

/// The program, in a folder of its own where history and databases may go.
pub fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_datomite"));
    command
        .current_dir(folder)
        .env("HOME", folder)
        .env_remove("XDG_STATE_HOME");
    command
}

/// Runs the program without input.
pub fn run(folder: &Path, args: &[&str]) -> Run {
    run_with(folder, args, "")
}

/// Runs the program with a text as its standard input.
pub fn run_with(folder: &Path, args: &[&str], input: &str) -> Run {
    let mut child = program(folder)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A program that refuses its arguments does not read.
    drop(stdin.write_all(input.as_bytes()));
    drop(stdin);
    let output = child.wait_with_output().expect("the program ends");
    Run {
        code: output.status.code().expect("it was not killed"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// A file of the sample in `data/`.
pub fn sample(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../data")
        .join(name);
    path.canonicalize()
        .expect("the sample is there")
        .to_string_lossy()
        .into_owned()
}

/// A folder with the sample imported as `q`.
pub fn imported() -> TempDir {
    let folder = folder();
    run(folder.path(), &["import", &sample("queryfeed.sql"), "q"]).ok();
    folder
}

/// The same with the next day's dump read onto it.
pub fn two_days() -> TempDir {
    let folder = imported();
    run(
        folder.path(),
        &["import", &sample("queryfeed-next-day.sql"), "q", "--update"],
    )
    .ok();
    folder
}

pub fn folder() -> TempDir {
    TempDir::new().expect("a temporary folder")
}

/// A third-party dump beside the project, or `None` after noting the skip.
pub fn shared_dump(test: &str, name: &str) -> Option<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/datasets");
    let path = folder.join(name);
    if path.exists() {
        return Some(path.to_string_lossy().into_owned());
    }
    let reason = "third-party dumps (../shared) are absent";
    println!("skipped: {reason}");
    if let Some(list) = std::env::var_os("DATOMITE_SKIPS") {
        let file = OpenOptions::new().create(true).append(true).open(list);
        let written =
            file.and_then(|mut file| file.write_all(format!("{test}: {reason}\n").as_bytes()));
        written.expect("the list of skipped tests is writable");
    }
    None
}

/// The lines of a text that hold a word.
pub fn lines_with<'t>(text: &'t str, word: &str) -> Vec<&'t str> {
    text.lines().filter(|line| line.contains(word)).collect()
}
