//! Reads frames off a backend one after the other, in chunks that grow as the reading goes on.
//!
//! Decides only whether a frame is whole and its checksum right; what it means for the log is
//! decided in `scan.rs`.

use crate::StorageError;
use crate::backend::{Backend, Position};
use crate::codec::Malformed;
use crate::format::FRAME_HEADER_BYTES;

use super::frame::{Header, decode_header, is_intact};

const CHUNK_BYTES_MIN: u64 = 16 << 10;
const CHUNK_BYTES_MAX: u64 = 1 << 20;

/// What stands at the next position.
pub(crate) enum Fetched<'a> {
    /// A whole frame.
    Frame {
        /// Its fixed part.
        header: Header,
        /// Its records.
        payload: &'a [u8],
    },
    /// Nothing more.
    End,
    /// Something that is no whole frame.
    Bad(&'static str),
}

/// A cursor over the frames of a backend.
pub(crate) struct Fetcher {
    buffer: Vec<u8>,
    /// Where in `buffer` the next frame begins.
    at: usize,
    /// The position of `buffer[at]`.
    position: Position,
    chunk_bytes: u64,
}

impl Fetcher {
    pub(crate) fn new(position: Position) -> Fetcher {
        Fetcher {
            buffer: Vec::new(),
            at: 0,
            position,
            chunk_bytes: CHUNK_BYTES_MIN,
        }
    }

    /// The position of the next frame.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// Goes on at another position.
    pub(crate) fn seek(&mut self, position: Position) {
        *self = Fetcher {
            chunk_bytes: self.chunk_bytes,
            ..Fetcher::new(position)
        };
    }

    /// The next frame. After `End` or `Bad` the cursor stays where it is.
    pub(crate) fn next(&mut self, backend: &dyn Backend) -> Result<Fetched<'_>, StorageError> {
        if !self.fill(backend, FRAME_HEADER_BYTES as u64)? {
            return Ok(match self.left() {
                0 => Fetched::End,
                _ => Fetched::Bad("a frame is cut short"),
            });
        }
        let header = match decode_header(&self.buffer[self.at..]) {
            Ok(header) => header,
            Err(Malformed(what)) => return Ok(Fetched::Bad(what)),
        };
        if !self.fill(backend, header.frame_bytes())? {
            return Ok(Fetched::Bad("a frame is cut short"));
        }
        let (start, bytes) = (self.at, header.frame_bytes() as usize);
        if !is_intact(&header, &self.buffer[start..start + bytes]) {
            return Ok(Fetched::Bad("the checksum of a frame does not match"));
        }
        self.at += bytes;
        self.position = self.position.plus(bytes as u64);
        Ok(Fetched::Frame {
            header,
            payload: &self.buffer[start + FRAME_HEADER_BYTES..start + bytes],
        })
    }

    fn left(&self) -> u64 {
        (self.buffer.len() - self.at) as u64
    }

    /// Sees to it that so many bytes are in the buffer; false where the log ends before.
    fn fill(&mut self, backend: &dyn Backend, bytes: u64) -> Result<bool, StorageError> {
        while self.left() < bytes {
            self.buffer.drain(..self.at);
            self.at = 0;
            let from = self.position.plus(self.left());
            let max = (bytes - self.left()).max(self.chunk_bytes);
            let more = backend.read_log(from, max)?;
            if more.is_empty() {
                return Ok(false);
            }
            self.chunk_bytes = (self.chunk_bytes * 2).min(CHUNK_BYTES_MAX);
            self.buffer.extend_from_slice(&more);
        }
        Ok(true)
    }
}
