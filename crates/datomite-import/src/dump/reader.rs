//! The stream of a dump: statements, backslash commands and lines of data, one after the other.
//!
//! Holds one statement or one line at a time, in a buffer that grows only for what does not fit.
//! Counts bytes and lines, so that a place can be found again and named in an error.

use std::io::Read;

use super::split::{Scan, Splitter};
use crate::ImportError;

/// How much is read at a time.
const CHUNK_BYTES: usize = 256 * 1024;
/// The longest statement or line: Postgres itself takes no more than a gigabyte.
const PIECE_BYTES_MAX: usize = 2 << 30;

/// A piece of the dump.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Piece<'a> {
    /// A statement with its semicolon.
    Statement(&'a [u8]),
    /// A backslash command of psql, from its backslash to the end of the line.
    Command(&'a [u8]),
}

/// Reads pieces from a stream.
pub(crate) struct Reader<R> {
    input: R,
    buffer: Vec<u8>,
    /// Index in `buffer` of the next byte to hand out.
    at: usize,
    /// Offset in the stream of `buffer[0]`.
    offset: u64,
    /// Line of `buffer[at]`.
    line: u64,
    /// Line and offset of the piece handed out last.
    piece_line: u64,
    piece_offset: u64,
    eof: bool,
}

impl<R: Read> Reader<R> {
    /// Starts at `offset` of the stream (already positioned), which is line `line`.
    pub(crate) fn new(input: R, offset: u64, line: u64) -> Reader<R> {
        Reader {
            input,
            buffer: Vec::new(),
            at: 0,
            offset,
            line,
            piece_line: line,
            piece_offset: offset,
            eof: false,
        }
    }

    /// The line where the last piece begins.
    pub(crate) fn piece_line(&self) -> u64 {
        self.piece_line
    }

    /// The offset where the last piece begins.
    pub(crate) fn piece_offset(&self) -> u64 {
        self.piece_offset
    }

    /// The line of the next byte.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The offset of the next byte.
    pub(crate) fn offset(&self) -> u64 {
        self.offset + self.at as u64
    }

    /// Reads more bytes; handed-out ones are forgotten first.
    fn fill(&mut self) -> Result<(), ImportError> {
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.offset += self.at as u64;
            self.at = 0;
        }
        if self.buffer.len() > PIECE_BYTES_MAX {
            return Err(ImportError::syntax(
                self.line,
                "a statement or line of more than 2 GiB",
            ));
        }
        let old = self.buffer.len();
        self.buffer.resize(old + CHUNK_BYTES.max(old), 0);
        let mut filled = old;
        while filled < self.buffer.len() {
            match self.input.read(&mut self.buffer[filled..]) {
                Ok(0) => {
                    self.eof = true;
                    break;
                }
                Ok(n) => filled += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(ImportError::Cut {
                        place: Box::new(crate::error::Place {
                            line: self.line,
                            ..Default::default()
                        }),
                        what: source.to_string(),
                    });
                }
            }
        }
        self.buffer.truncate(filled);
        Ok(())
    }

    fn advance(&mut self, to: usize) {
        self.line += memchr::memchr_iter(b'\n', &self.buffer[self.at..to]).count() as u64;
        self.at = to;
    }

    /// The next statement or command, if there is one.
    pub(crate) fn piece(&mut self, standard: bool) -> Result<Option<Piece<'_>>, ImportError> {
        let mut splitter = Splitter::new();
        let mut from = 0;
        let (start, end, command) = loop {
            let bytes = &self.buffer[self.at..];
            match splitter.scan(bytes, from, self.eof, standard) {
                Scan::More(at) => {
                    from = at;
                    self.fill()?;
                }
                Scan::Statement(end) => break (splitter.start().unwrap_or(end), end, false),
                Scan::Command(end) => break (splitter.start().unwrap_or(end), end, true),
                Scan::Nothing => {
                    self.advance(self.buffer.len());
                    return Ok(None);
                }
            }
        };
        if let Some(what) = splitter.inside().filter(|_| self.eof) {
            self.advance(self.at + start);
            return Err(ImportError::Cut {
                place: Box::new(crate::error::Place {
                    line: self.line,
                    ..Default::default()
                }),
                what: format!("{what} that begins in this statement does not end"),
            });
        }
        let (start, end) = (self.at + start, self.at + end);
        self.advance(start);
        self.piece_line = self.line;
        self.piece_offset = self.offset();
        self.advance(end);
        let text = &self.buffer[start..end];
        Ok(Some(if command {
            Piece::Command(text)
        } else {
            Piece::Statement(text)
        }))
    }

    /// Goes past the rest of the line on which a statement ended.
    pub(crate) fn finish_line(&mut self) -> Result<(), ImportError> {
        while let Some(line) = self.line_bytes()? {
            if line.iter().all(u8::is_ascii_whitespace) {
                break;
            }
        }
        Ok(())
    }

    /// The next line without its newline; `None` at the end of the stream.
    ///
    /// A newline after an odd number of backslashes belongs to the data of the line.
    pub(crate) fn line_bytes(&mut self) -> Result<Option<&[u8]>, ImportError> {
        let mut from = self.at;
        let (end, next) = loop {
            match memchr::memchr(b'\n', &self.buffer[from..]) {
                Some(n) if escaped(&self.buffer[self.at..from + n]) => from += n + 1,
                Some(n) => break (from + n, from + n + 1),
                None if self.eof && self.at == self.buffer.len() => return Ok(None),
                None if self.eof => break (self.buffer.len(), self.buffer.len()),
                None => {
                    let seen = self.buffer.len() - self.at;
                    self.fill()?;
                    from = seen;
                }
            }
        };
        let start = self.at;
        self.piece_line = self.line;
        self.advance(next);
        let end = if end > start && self.buffer[end - 1] == b'\r' {
            end - 1
        } else {
            end
        };
        Ok(Some(&self.buffer[start..end]))
    }
}

fn escaped(line: &[u8]) -> bool {
    if line.last() != Some(&b'\\') {
        return false;
    }
    let slashes = line.iter().rev().take_while(|b| **b == b'\\').count();
    slashes % 2 == 1
}
