//! A throw-away Postgres: the other side of every comparison with SQL.
//!
//! `initdb` as an unprivileged user, a socket in a temporary folder, no port; gone when the value
//! is dropped. Knows nothing of datomite.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use postgres::{Client, Config, NoTls, SimpleQueryMessage};
use tempfile::TempDir;

/// How long a server may take to answer after its start.
const START_MAX: Duration = Duration::from_secs(60);

/// A running server with a folder of its own.
pub struct Cluster {
    folder: TempDir,
    bin: PathBuf,
    server: Child,
}

/// Rows as Postgres prints them: `None` is NULL.
pub type TextRows = Vec<Vec<Option<String>>>;

impl Cluster {
    /// Makes and starts a server.
    ///
    /// # Panics
    /// Where Postgres is not installed (`./test` installs it) or does not start.
    pub fn start() -> Cluster {
        let bin = postgres_bin();
        let folder = TempDir::new().expect("a temporary folder");
        let data = folder.path().join("db");
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        run(as_postgres(&bin.join("initdb")).arg("-D").arg(&data).args([
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-A",
            "trust",
            "-N",
        ]));
        let server = as_postgres(&bin.join("postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args([
                "-c",
                "listen_addresses=",
                "-c",
                "fsync=off",
                "-c",
                "max_connections=20",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("postgres starts");
        let cluster = Cluster {
            folder,
            bin,
            server,
        };
        cluster.wait();
        cluster
    }

    fn wait(&self) {
        let begin = Instant::now();
        while self.config("postgres").connect(NoTls).is_err() {
            assert!(
                begin.elapsed() < START_MAX,
                "postgres did not answer in time"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config
            .host_path(self.folder.path())
            .user("postgres")
            .dbname(database);
        config
    }

    /// Makes a database and runs a plain SQL dump in it with psql.
    ///
    /// # Panics
    /// Where psql reports an error.
    pub fn load(&self, database: &str, dump: &Path) {
        self.create(database);
        let out = self
            .psql(database)
            .args(["-v", "ON_ERROR_STOP=1", "-f"])
            .arg(dump)
            .output()
            .expect("psql runs");
        let errors = String::from_utf8_lossy(&out.stderr);
        assert!(
            out.status.success(),
            "psql refused {}: {errors}",
            dump.display()
        );
    }

    /// Makes a database and restores an archive in it with pg_restore.
    ///
    /// # Panics
    /// Where pg_restore reports an error.
    pub fn restore(&self, database: &str, archive: &Path) {
        self.create(database);
        let out = Command::new(self.bin.join("pg_restore"))
            .args(["-U", "postgres", "--no-owner", "-d", database, "-h"])
            .arg(self.folder.path())
            .arg(archive)
            .output()
            .expect("pg_restore runs");
        let errors = String::from_utf8_lossy(&out.stderr);
        assert!(
            out.status.success(),
            "pg_restore refused {}: {errors}",
            archive.display()
        );
    }

    fn create(&self, database: &str) {
        self.client("postgres")
            .batch_execute(&format!("CREATE DATABASE \"{database}\""))
            .expect("a new database");
    }

    fn psql(&self, database: &str) -> Command {
        let mut command = Command::new(self.bin.join("psql"));
        command
            .args(["-q", "-X", "-U", "postgres", "-d", database, "-h"])
            .arg(self.folder.path());
        command
    }

    /// A connection; times print in UTC.
    ///
    /// # Panics
    /// Where the server does not answer.
    pub fn client(&self, database: &str) -> Client {
        let mut client = self.config(database).connect(NoTls).expect("a connection");
        client
            .batch_execute("SET TimeZone = 'UTC'")
            .expect("a time zone");
        client
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stopped = as_postgres(&self.bin.join("pg_ctl"))
            .args(["-m", "immediate", "stop", "-D"])
            .arg(self.folder.path().join("db"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !stopped.is_ok_and(|status| status.success()) {
            drop(self.server.kill());
        }
        drop(self.server.wait());
    }
}

/// The rows of a query, every column as text.
///
/// # Panics
/// Where the server refuses the query.
pub fn text_rows(client: &mut Client, sql: &str) -> TextRows {
    let messages = client
        .simple_query(sql)
        .unwrap_or_else(|error| panic!("{sql}\n{error:?}"));
    let mut rows = TextRows::new();
    for message in messages {
        if let SimpleQueryMessage::Row(row) = message {
            rows.push(
                (0..row.len())
                    .map(|at| row.get(at).map(str::to_owned))
                    .collect(),
            );
        }
    }
    rows
}

fn postgres_bin() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|dir| {
            dir.flatten()
                .map(|entry| entry.path().join("bin"))
                .collect()
        })
        .unwrap_or_default();
    found.retain(|bin| bin.join("initdb").exists());
    found.sort();
    if let Some(bin) = found.pop() {
        return bin;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .find(|folder| folder.join("initdb").exists())
        .expect("a Postgres server is installed (./test installs one)")
}

fn is_root() -> bool {
    let out = Command::new("id").arg("-u").output().expect("id runs");
    out.stdout.trim_ascii() == b"0"
}

/// Postgres refuses to run as root: as root, the command runs as the user `postgres`.
fn as_postgres(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args([
            "--reuid=postgres",
            "--regid=postgres",
            "--clear-groups",
            "--",
        ])
        .arg(program);
    command
}

fn run(command: &mut Command) {
    let out = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{command:?}: {errors}");
}
