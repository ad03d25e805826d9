//! The first reading of a dump: what it declares, and where its rows stand.

use std::collections::BTreeMap;
use std::io::Read;

use super::custom::{Archive, Data, Entry};
use super::fields::Fields;
use super::insert;
use super::reader::{Piece, Reader};
use super::sniff::Form;
use super::statement::{Statement, parse};
use super::{Block, BlockSource, Dump};
use crate::ImportError;
use crate::catalog::{Catalog, Name};
use crate::ddl::Ddl;
use crate::error::Place;

/// What the first reading found.
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    pub(crate) catalog: Catalog,
    pub(crate) blocks: Vec<Block>,
    /// Statements that were not needed, by kind.
    pub(crate) skipped: BTreeMap<String, u64>,
    /// Statements with bytes that are no text in the dump's encoding.
    pub(crate) undecoded: u64,
}

type Progress<'a> = &'a mut dyn FnMut(u64) -> Result<(), ImportError>;

/// Reads all of a dump.
pub(super) fn scan(dump: &Dump, progress: Progress) -> Result<Scan, ImportError> {
    let mut scanner = Scanner {
        ddl: Ddl::new(),
        blocks: Vec::new(),
        undecoded: 0,
        connected: None,
    };
    match (dump.form, &dump.archive) {
        (Form::Custom, Some(archive)) => scanner.archive(dump, archive, progress)?,
        _ => scanner.plain(dump, progress)?,
    }
    Ok(Scan {
        catalog: scanner.ddl.catalog,
        blocks: scanner.blocks,
        skipped: scanner.ddl.skipped,
        undecoded: scanner.undecoded,
    })
}

/// A COPY whose end was not found.
pub(super) fn unfinished_copy(line: u64) -> ImportError {
    ImportError::Cut {
        place: Box::new(Place {
            line,
            ..Place::default()
        }),
        what: "its rows do not end with `\\.`".to_owned(),
    }
}

struct Scanner {
    ddl: Ddl,
    blocks: Vec<Block>,
    undecoded: u64,
    /// The database of the last `\connect`.
    connected: Option<String>,
}

impl Scanner {
    fn plain(&mut self, dump: &Dump, progress: Progress) -> Result<(), ImportError> {
        let mut reader = dump.reader_at(byte_order_mark(dump)?, 1)?;
        loop {
            let standard = self.ddl.session.standard;
            let bytes = match reader.piece(standard) {
                Ok(None) => return Ok(()),
                Ok(Some(Piece::Statement(bytes))) => bytes,
                Ok(Some(Piece::Command(bytes))) => {
                    let text = String::from_utf8_lossy(bytes).into_owned();
                    self.command(&text, reader.piece_line())?;
                    continue;
                }
                Err(error) => {
                    let last = self.blocks.last().map(|b| b.table.to_string());
                    return Err(error.in_table(&last.unwrap_or_default()));
                }
            };
            let text = self.decode(bytes);
            match parse(&text, standard) {
                Statement::Insert => {
                    let (offset, line) = (reader.piece_offset(), reader.piece_line());
                    let end = reader.offset();
                    self.insert(&text, line, BlockSource::Inserts { offset, end })?;
                }
                Statement::Copy {
                    table,
                    columns,
                    plain,
                    ..
                } => {
                    let name = self.ddl.resolve(table);
                    self.copy(&mut reader, name, columns, plain)?;
                }
                other => self.ddl.apply(other),
            }
            progress(reader.offset())?;
        }
    }

    fn decode(&mut self, bytes: &[u8]) -> String {
        let (text, bad) = self.ddl.session.encoding.decode(bytes);
        self.undecoded += u64::from(bad);
        text.into_owned()
    }

    fn command(&mut self, text: &str, line: u64) -> Result<(), ImportError> {
        let mut words = text.split_whitespace();
        match words.next() {
            Some("\\connect" | "\\c") => {
                let name = words.next_back().unwrap_or_default().trim_end_matches(';');
                if !self.ddl.catalog.tables.is_empty() && self.connected.is_some() {
                    return Err(ImportError::syntax(
                        line,
                        format!(
                            "the file holds several databases (\\connect {name}); dump one with \
                             pg_dump instead of pg_dumpall"
                        ),
                    ));
                }
                self.connected = Some(name.to_owned());
            }
            Some("\\restrict" | "\\unrestrict") => {}
            Some(command) => self.ddl.skip(&format!("psql command {command}")),
            None => {}
        }
        Ok(())
    }

    /// The columns that rows of a table give, where the statement names none.
    fn columns(
        &self,
        name: &Name,
        named: Vec<String>,
        with_generated: bool,
    ) -> Result<Vec<String>, ImportError> {
        let Some(table) = self.ddl.catalog.table(name) else {
            return Err(ImportError::Syntax {
                place: Box::new(Place {
                    table: name.to_string(),
                    ..Place::default()
                }),
                what: "rows of a table that the dump does not create; dump the schema too \
                       (pg_dump without -a)"
                    .to_owned(),
            });
        };
        if !named.is_empty() {
            return Ok(named);
        }
        let kept = table
            .columns
            .iter()
            .filter(|c| with_generated || !c.generated);
        Ok(kept.map(|c| c.name.clone()).collect())
    }

    fn copy<R: Read>(
        &mut self,
        reader: &mut Reader<R>,
        table: Name,
        columns: Vec<String>,
        plain: bool,
    ) -> Result<(), ImportError> {
        if !plain {
            return Err(ImportError::Form {
                form: format!("COPY of table {table} with options (CSV, BINARY, DELIMITER …)"),
                way_out: "pg_dump writes plain COPY; dump the table with it".to_owned(),
            });
        }
        let columns = self.columns(&table, columns, false)?;
        let in_table = |error: ImportError| error.in_table(&table.to_string());
        reader.finish_line().map_err(in_table)?;
        let (offset, line) = (reader.offset(), reader.line());
        let rows = count_lines(reader).map_err(in_table)?;
        self.blocks.push(Block {
            table,
            columns,
            rows,
            bytes: reader.offset() - offset,
            line,
            session: self.ddl.session,
            source: BlockSource::Copy { offset },
        });
        Ok(())
    }

    /// One INSERT: it extends the last block, where that is of the same table and columns.
    fn insert(&mut self, text: &str, line: u64, source: BlockSource) -> Result<(), ImportError> {
        let standard = self.ddl.session.standard;
        let head = insert::head(text, standard);
        if insert::wants_rows(text) || (head.is_none() && insert::has_no_rows(text, standard)) {
            return Err(ImportError::Cut {
                place: Box::new(Place {
                    table: head
                        .map(|h| self.ddl.resolve(h.table).to_string())
                        .unwrap_or_default(),
                    line,
                    ..Place::default()
                }),
                what: "an INSERT ends before its rows do".to_owned(),
            });
        }
        let Some(head) = head else {
            self.ddl.skip("INSERT from a query");
            return Ok(());
        };
        let table = self.ddl.resolve(head.table);
        let columns = self.columns(&table, head.columns, true)?;
        let mut rows = 1;
        if let Some(at) = head.rows_at {
            let name = table.to_string();
            rows = count_rows(text, at, standard, line).map_err(|e| e.in_table(&name))?;
        }
        let bytes = text.len() as u64;
        if let Some(last) = self.blocks.last_mut() {
            let same =
                last.table == table && last.columns == columns && last.session == self.ddl.session;
            match (&mut last.source, source) {
                (BlockSource::Inserts { end, .. }, BlockSource::Inserts { end: new, .. })
                    if same =>
                {
                    *end = new;
                    last.rows += rows;
                    last.bytes += bytes;
                    return Ok(());
                }
                (
                    BlockSource::ArchiveInserts { entry },
                    BlockSource::ArchiveInserts { entry: new },
                ) if same && *entry == new => {
                    last.rows += rows;
                    last.bytes += bytes;
                    return Ok(());
                }
                _ => {}
            }
        }
        self.blocks.push(Block {
            table,
            columns,
            rows,
            bytes,
            line,
            session: self.ddl.session,
            source,
        });
        Ok(())
    }

    fn archive(
        &mut self,
        dump: &Dump,
        archive: &Archive,
        progress: Progress,
    ) -> Result<(), ImportError> {
        // The settings come first, whatever the order of the entries.
        for entry in &archive.entries {
            if matches!(
                entry.kind.as_slice(),
                b"ENCODING" | b"STDSTRINGS" | b"SEARCHPATH"
            ) {
                self.definition(entry)?;
            }
        }
        for entry in archive.entries.iter().filter(|e| is_ddl(&e.kind)) {
            self.definition(entry)?;
        }
        for (index, entry) in archive.entries.iter().enumerate() {
            match entry.kind.as_slice() {
                b"TABLE DATA" => self.table_data(dump, archive, index)?,
                kind if is_ddl(kind) => {}
                kind => {
                    let kind = String::from_utf8_lossy(kind).into_owned();
                    if !matches!(kind.as_str(), "ENCODING" | "STDSTRINGS" | "SEARCHPATH") {
                        self.ddl.skip(&kind);
                    }
                }
            }
            if let Data::At(position) = entry.data {
                progress(position.min(dump.len))?;
            }
        }
        Ok(())
    }

    fn definition(&mut self, entry: &Entry) -> Result<(), ImportError> {
        let mut reader = Reader::new(entry.definition.as_slice(), 0, 1);
        while let Some(piece) = reader.piece(self.ddl.session.standard)? {
            if let Piece::Statement(bytes) = piece {
                let text = self.decode(bytes);
                let statement = parse(&text, self.ddl.session.standard);
                self.ddl.apply(statement);
            }
        }
        Ok(())
    }

    fn table_data(
        &mut self,
        dump: &Dump,
        archive: &Archive,
        index: usize,
    ) -> Result<(), ImportError> {
        let entry = &archive.entries[index];
        let namespace = self.decode(&entry.namespace);
        let table = Name::new(namespace, self.decode(&entry.tag));
        let in_table = |error: ImportError| error.in_table(&table.to_string());
        let mut reader = Reader::new(archive.data(&dump.file, dump.len, entry)?, 0, 1);
        let Some(copy) = &entry.copy else {
            return self.insert_data(&mut reader, index).map_err(in_table);
        };
        let statement = self.decode(copy);
        let Statement::Copy { table, columns, .. } = parse(&statement, true) else {
            return Err(ImportError::Archive {
                what: format!("the COPY of table {table} is not understood: {statement}"),
                offset: 0,
            });
        };
        let table = self.ddl.resolve(table);
        let columns = self.columns(&table, columns, false)?;
        let rows = count_lines(&mut reader).map_err(|e| e.in_table(&table.to_string()))?;
        self.blocks.push(Block {
            table,
            columns,
            rows,
            bytes: reader.offset(),
            line: 1,
            session: self.ddl.session,
            source: BlockSource::ArchiveCopy { entry: index },
        });
        Ok(())
    }

    fn insert_data<R: Read>(
        &mut self,
        reader: &mut Reader<R>,
        index: usize,
    ) -> Result<(), ImportError> {
        loop {
            let standard = self.ddl.session.standard;
            let bytes = match reader.piece(standard)? {
                None => return Ok(()),
                Some(Piece::Command(_)) => continue,
                Some(Piece::Statement(bytes)) => bytes,
            };
            if bytes.last() != Some(&b';') {
                return Err(ImportError::Cut {
                    place: Box::default(),
                    what: "its last INSERT does not end".to_owned(),
                });
            }
            let text = self.decode(bytes);
            if parse(&text, standard) == Statement::Insert {
                let line = reader.piece_line();
                self.insert(&text, line, BlockSource::ArchiveInserts { entry: index })?;
            }
        }
    }
}

/// Kinds of entries whose statements are read.
fn is_ddl(kind: &[u8]) -> bool {
    matches!(
        kind,
        b"TYPE"
            | b"SHELL TYPE"
            | b"DOMAIN"
            | b"TABLE"
            | b"FOREIGN TABLE"
            | b"TABLE ATTACH"
            | b"DEFAULT"
            | b"SEQUENCE"
            | b"CONSTRAINT"
            | b"FK CONSTRAINT"
            | b"INDEX"
            | b"COMMENT"
    )
}

fn byte_order_mark(dump: &Dump) -> Result<u64, ImportError> {
    let mut head = Vec::new();
    let mut reader = dump.reader_at(0, 1)?;
    if let Some(line) = reader.line_bytes()? {
        head.extend_from_slice(&line[..line.len().min(3)]);
    }
    Ok(if head == b"\xef\xbb\xbf" { 3 } else { 0 })
}

fn count_lines<R: Read>(reader: &mut Reader<R>) -> Result<u64, ImportError> {
    let mut rows = 0;
    loop {
        let line = reader.line();
        match reader.line_bytes()? {
            None => return Err(unfinished_copy(line)),
            Some(b"\\.") => return Ok(rows),
            Some(_) => rows += 1,
        }
    }
}

fn count_rows(text: &str, at: usize, standard: bool, line: u64) -> Result<u64, ImportError> {
    let mut fields = Fields::default();
    let mut rows = insert::Rows::new(text, at, standard, line);
    let mut count = 0;
    while rows.next(&mut fields)? {
        count += 1;
    }
    Ok(count)
}
