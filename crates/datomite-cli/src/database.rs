//! A database by the word on the command line: a folder, or a URI.

use datomite::{Connection, DbError, Options, StorageError};

use crate::problem::Problem;

/// Opens an existing database to read: works while another process writes.
pub(crate) fn reader(name: &str) -> Result<Connection, Problem> {
    no_dump(name)?;
    Ok(datomite::open_with(name, Options::default().read_only())?)
}

/// Opens an existing database to write.
pub(crate) fn writer(name: &str) -> Result<Connection, Problem> {
    no_dump(name)?;
    Ok(datomite::connect(name)?)
}

/// Opens a database to write, making it where there is none.
pub(crate) fn writer_or_new(name: &str) -> Result<Connection, Problem> {
    Ok(datomite::open(name)?)
}

/// Opens an existing database to write; where another process writes, to read.
pub(crate) fn writer_or_reader(name: &str) -> Result<Connection, Problem> {
    match datomite::connect(name) {
        Ok(conn) => Ok(conn),
        Err(DbError::Storage(StorageError::Locked { .. })) => reader(name),
        Err(error) => Err(error.into()),
    }
}

/// A file is a dump at best: a database is a folder.
fn no_dump(name: &str) -> Result<(), Problem> {
    if !std::path::Path::new(name).is_file() {
        return Ok(());
    }
    Err(
        Problem::refused(format!("{name} is a file, not a database")).hint(format!(
            "datomite import {name} makes a database of a dump; datomite open asks it"
        )),
    )
}
