//! A dump: opened, recognised, and read as often as needed.
//!
//! `scan` reads all of it once: the catalog, and for every run of rows where it stands and how
//! many there are. `rows` reads one such run again. Input that cannot be sought is copied to a
//! temporary file first. Rows leave here as fields of text; types are not known here.

mod copy;
pub(crate) mod cursor;
pub(crate) mod custom;
pub(crate) mod encoding;
pub(crate) mod fields;
mod insert;
pub(crate) mod lex;
mod reader;
mod scan;
mod sniff;
mod split;
pub(crate) mod statement;
mod time;
pub(crate) mod types;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use datomite::Instant;

use crate::ImportError;
use crate::catalog::Name;
use crate::ddl::Session;
use crate::error::Place;
use custom::Archive;
use fields::Fields;
use reader::{Piece, Reader};
pub(crate) use scan::Scan;
use sniff::{Form, SNIFF_BYTES};

/// How much of a plain dump is looked at for what its comments say.
const HEAD_BYTES: usize = 8 * 1024;
const TAIL_BYTES: u64 = 4 * 1024;

/// An opened dump.
#[derive(Debug)]
pub struct Dump {
    file: File,
    path: PathBuf,
    /// How messages call it.
    name: String,
    form: Form,
    len: u64,
    instant: Option<Instant>,
    archive: Option<Archive>,
}

/// Rows of one table that stand together.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) table: Name,
    /// The columns of the fields, in order.
    pub(crate) columns: Vec<String>,
    pub(crate) rows: u64,
    /// Bytes of text.
    pub(crate) bytes: u64,
    /// Line of the first row, 0 in an archive.
    pub(crate) line: u64,
    pub(crate) session: Session,
    source: BlockSource,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum BlockSource {
    Copy { offset: u64 },
    Inserts { offset: u64, end: u64 },
    ArchiveCopy { entry: usize },
    ArchiveInserts { entry: usize },
}

impl Dump {
    /// Opens a file.
    pub fn open(path: impl AsRef<Path>) -> Result<Dump, ImportError> {
        let path = path.as_ref().to_owned();
        let name = path.display().to_string();
        if path.is_dir() {
            return Err(sniff::directory(&name, path.join("toc.dat").exists()));
        }
        let io = |source| ImportError::Io {
            path: path.clone(),
            source,
        };
        let file = File::open(&path).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        if !metadata.is_file() {
            return Dump::spool(file, &name);
        }
        let modified = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .and_then(|since| i64::try_from(since.as_millis()).ok())
            .map(Instant::from_ms);
        Dump::recognise(file, path, name, modified)
    }

    /// Takes a stream (standard input): its bytes go to a temporary file.
    pub fn from_reader(input: impl Read) -> Result<Dump, ImportError> {
        Dump::spool(input, "-")
    }

    fn spool(mut input: impl Read, name: &str) -> Result<Dump, ImportError> {
        let io = |source| ImportError::Io {
            path: PathBuf::from(name),
            source,
        };
        let mut head = Vec::new();
        (&mut input)
            .take(SNIFF_BYTES as u64)
            .read_to_end(&mut head)
            .map_err(io)?;
        sniff::sniff(&head, name)?;
        let mut file = tempfile::tempfile().map_err(io)?;
        std::io::copy(&mut head.as_slice().chain(input), &mut file).map_err(io)?;
        Dump::recognise(file, PathBuf::from(name), name.to_owned(), None)
    }

    fn recognise(
        mut file: File,
        path: PathBuf,
        name: String,
        modified: Option<Instant>,
    ) -> Result<Dump, ImportError> {
        let io = |source| ImportError::Io {
            path: path.clone(),
            source,
        };
        let len = file.seek(SeekFrom::End(0)).map_err(io)?;
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        let mut head = Vec::new();
        (&file)
            .take(HEAD_BYTES as u64)
            .read_to_end(&mut head)
            .map_err(io)?;
        if len == 0 {
            return Err(ImportError::NotADump {
                what: format!("{name} is empty"),
                way_out: "give a file made by pg_dump".to_owned(),
            });
        }
        let form = sniff::sniff(&head[..head.len().min(SNIFF_BYTES)], &name)?;
        let (archive, own) = match form {
            Form::Custom => {
                let archive = Archive::open(&file, len, &name)?;
                let created = time::of_archive(&archive.created);
                (Some(archive), created)
            }
            Form::Plain => (None, time::started_on(&head)),
        };
        let dump = Dump {
            file,
            path,
            name,
            form,
            len,
            instant: own.or(modified),
            archive,
        };
        if form == Form::Plain {
            dump.check_tail(&head)?;
        }
        Ok(dump)
    }

    /// A plain dump of `pg_dump` says at its end that it is complete.
    fn check_tail(&self, head: &[u8]) -> Result<(), ImportError> {
        if memchr::memmem::find(head, b"\n-- Dumped by pg_dump version").is_none() {
            return Ok(());
        }
        let mut tail = Vec::new();
        let start = self.len.saturating_sub(TAIL_BYTES);
        let io = |source| ImportError::Io {
            path: self.path.clone(),
            source,
        };
        (&self.file).seek(SeekFrom::Start(start)).map_err(io)?;
        (&self.file)
            .take(TAIL_BYTES)
            .read_to_end(&mut tail)
            .map_err(io)?;
        let complete = [&b"database dump complete"[..], b"cluster dump complete"]
            .iter()
            .any(|mark| memchr::memmem::find(&tail, mark).is_some());
        if complete {
            return Ok(());
        }
        // The scan of what is there knows in which table it ends.
        let table = self.last_table();
        Err(ImportError::Cut {
            place: Box::new(Place {
                table,
                ..Place::default()
            }),
            what: "the line `PostgreSQL database dump complete` is missing at the end".to_owned(),
        })
    }

    fn last_table(&self) -> String {
        match scan::scan(self, &mut |_| Ok(())) {
            Err(ImportError::Cut { place, .. }) if !place.table.is_empty() => place.table,
            Err(_) => String::new(),
            Ok(scan) => scan
                .blocks
                .last()
                .map(|block| block.table.to_string())
                .unwrap_or_default(),
        }
    }

    /// How messages call the dump: its path, or `-`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The path as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.len
    }

    /// When it was made, as far as it says; else when the file was last written.
    pub fn instant(&self) -> Option<Instant> {
        self.instant
    }

    /// Reads all of it once; `progress` hears the number of bytes seen.
    pub(crate) fn scan(
        &self,
        progress: &mut dyn FnMut(u64) -> Result<(), ImportError>,
    ) -> Result<Scan, ImportError> {
        scan::scan(self, progress)
    }

    fn reader_at(&self, offset: u64, line: u64) -> Result<Reader<&File>, ImportError> {
        (&self.file)
            .seek(SeekFrom::Start(offset))
            .map_err(|source| ImportError::Io {
                path: self.path.clone(),
                source,
            })?;
        Ok(Reader::new(&self.file, offset, line))
    }

    /// Hands out the rows of a block in order, each with its line.
    pub(crate) fn rows(
        &self,
        block: &Block,
        each: &mut dyn FnMut(&Fields, u64) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let name = block.table.to_string();
        let read = match block.source {
            BlockSource::Copy { offset } => {
                let mut reader = self.reader_at(offset, block.line)?;
                copy_rows(&mut reader, block, each)
            }
            BlockSource::Inserts { offset, end } => {
                let reader = self.reader_at(offset, block.line)?;
                insert_rows(reader, end, block, each)
            }
            BlockSource::ArchiveCopy { entry } => {
                let mut reader = Reader::new(self.entry_data(entry)?, 0, 1);
                copy_rows(&mut reader, block, each)
            }
            BlockSource::ArchiveInserts { entry } => {
                let reader = Reader::new(self.entry_data(entry)?, 0, 1);
                insert_rows(reader, u64::MAX, block, each)
            }
        };
        read.map_err(|error| error.in_table(&name))
    }

    fn entry_data(&self, entry: usize) -> Result<Box<dyn Read + '_>, ImportError> {
        match &self.archive {
            Some(archive) => archive.data(&self.file, self.len, &archive.entries[entry]),
            None => Ok(Box::new(std::io::empty())),
        }
    }
}

/// The rows of a COPY up to its `\.`.
fn copy_rows<R: Read>(
    reader: &mut Reader<R>,
    block: &Block,
    each: &mut dyn FnMut(&Fields, u64) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut fields = Fields::default();
    let columns = block.columns.len();
    loop {
        let line = reader.line();
        let Some(bytes) = reader.line_bytes()? else {
            return Err(scan::unfinished_copy(line));
        };
        if bytes == b"\\." {
            return Ok(());
        }
        copy::split(bytes, columns, &mut fields);
        if fields.len() != columns {
            return Err(ImportError::syntax(
                line,
                format!(
                    "a row has {} fields, its COPY names {columns} columns",
                    fields.len()
                ),
            ));
        }
        each(&fields, line)?;
    }
}

/// The rows of the INSERT statements before offset `end`.
fn insert_rows<R: Read>(
    mut reader: Reader<R>,
    end: u64,
    block: &Block,
    each: &mut dyn FnMut(&Fields, u64) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut fields = Fields::default();
    while reader.offset() < end {
        let bytes = match reader.piece(block.session.standard)? {
            None => break,
            Some(Piece::Command(_)) => continue,
            Some(Piece::Statement(bytes)) => bytes,
        };
        let text = block.session.encoding.decode(bytes).0.into_owned();
        let Some(head) = insert::head(&text, block.session.standard) else {
            continue;
        };
        let line = reader.piece_line();
        let Some(at) = head.rows_at else {
            fields.clear();
            each(&fields, line)?;
            continue;
        };
        let mut rows = insert::Rows::new(&text, at, block.session.standard, line);
        while rows.next(&mut fields)? {
            if fields.len() > block.columns.len() {
                return Err(ImportError::syntax(
                    line,
                    "a row has more values than columns",
                ));
            }
            each(&fields, line)?;
        }
    }
    Ok(())
}
