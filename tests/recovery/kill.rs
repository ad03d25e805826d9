//! Real folders and real processes: a writer that is killed, a reader beside it, a second writer.
//!
//! The writer is this test binary again: a child that runs [`child_writer`] with the folder in its
//! environment and prints each t once the append has returned.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use datomite::T;
use datomite::storage::{Backend, FolderBackend, FolderOptions, Log, LogOptions, StorageError};

use crate::script::{records, seen};

/// Names the folder that a child works in.
pub const FOLDER: &str = "DATOMITE_RECOVERY_FOLDER";

fn place(folder: &Path) -> Arc<FolderBackend> {
    let options = FolderOptions::default().segment_bytes(40_000);
    Arc::new(FolderBackend::open(folder, options).expect("a local folder"))
}

/// The child: opens the store and appends until it is killed.
#[test]
fn child_writer() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let place = place(Path::new(&folder));
    let log = match place.root().unwrap() {
        Some(_) => Log::open(place, LogOptions::new("the child")).unwrap(),
        None => Log::create(place, LogOptions::new("the child")).unwrap(),
    };
    let mut next = log.last_t().map_or(1000, |t| t.raw() + 1);
    loop {
        if next % 5 == 0 {
            let mut group = log.begin_group().unwrap();
            group.append(&records(&[next])).unwrap();
            group.append(&records(&[next + 1])).unwrap();
            group.commit().unwrap();
            next += 1;
        } else {
            log.append(&records(&[next])).unwrap();
        }
        println!("done {next}");
        next += 1;
    }
}

/// The child that the power-cut script starts afterwards: prints what is there.
#[test]
fn child_reader() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let log = Log::open(place(Path::new(&folder)), LogOptions::new("the reader")).unwrap();
    for t in seen(&log).unwrap() {
        println!("found {t}");
    }
}

/// A child process that writes and says what was acknowledged.
pub struct Writer {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Writer {
    /// Starts this binary again to run one of its tests with a folder.
    pub fn start(test: &str, folder: &Path) -> Writer {
        let mut child = Command::new(std::env::current_exe().expect("this binary"))
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the child starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Writer { child, lines }
    }

    /// The next t that was acknowledged; `None` when the child is gone.
    pub fn next(&mut self) -> Option<u64> {
        self.lines.find_map(|line| {
            let line = line.ok()?;
            let (_, t) = line.rsplit_once("done ")?;
            t.parse().ok()
        })
    }

    /// SIGKILL, then what it had still said.
    pub fn kill(mut self) -> Vec<u64> {
        self.child.kill().expect("the child is ours");
        self.child.wait().expect("the child is ours");
        std::iter::from_fn(|| self.next()).collect()
    }
}

impl Drop for Writer {
    /// A test that fails leaves no writer behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn kill_9_loses_nothing_acknowledged_and_readers_and_second_writers_fare_as_they_should() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("store.datomite");
    let mut acknowledged = 0;
    let mut follower: Option<Log> = None;
    for round in 0..6 {
        let mut writer = Writer::start("kill::child_writer", &folder);
        for _ in 0..100 + 37 * round {
            acknowledged = writer.next().expect("the child is alive");
            let follower = follower
                .get_or_insert_with(|| Log::follow(place(&folder), LogOptions::default()).unwrap());
            let visible = follower.poll().unwrap();
            assert!(
                visible >= Some(T::new(acknowledged)),
                "{visible:?} < {acknowledged}"
            );
        }
        match Log::open(place(&folder), LogOptions::default()) {
            Err(StorageError::Locked { holder, .. }) => assert_eq!(holder, "the child"),
            other => panic!("a second writer got in: {}", other.is_ok()),
        }
        acknowledged = writer.kill().pop().unwrap_or(acknowledged);
        let log = Log::open(place(&folder), LogOptions::default()).unwrap();
        let found = seen(&log).unwrap();
        assert_eq!(
            found,
            (1000..1000 + found.len() as u64).collect::<Vec<u64>>()
        );
        assert!(
            found.last() >= Some(&acknowledged),
            "{found:?} {acknowledged}"
        );
        drop(log);
        let follower = follower.as_ref().unwrap();
        follower.poll().unwrap();
        assert_eq!(seen(follower).unwrap(), found);
    }
    println!("{acknowledged} acknowledged over 6 kills");
}
