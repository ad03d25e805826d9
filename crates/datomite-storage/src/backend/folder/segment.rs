//! The files of the folder's log: the header of a segment, and the note that tells readers how far
//! the log is durable.
//!
//! ```text
//! segment: magic 8 · version u32 · zero u32 · database id u128 · epoch u64 · start u64 · zero 12
//!          · CRC32C of bytes 0..60, then the frames
//! durable: magic 8 · boot id u128 · epoch u64 · position u64 · CRC32C, in place, never synced
//! ```
//! The note is trusted only within the run of the machine that wrote it: there every process sees
//! every write, and what lies beyond the note was not acknowledged. After a restart all that is in
//! the files came from the disk.

use crate::DatabaseId;
use crate::backend::{Epoch, Position};
use crate::codec::{Malformed, Reader};
use crate::format::{DURABLE_MAGIC, FORMAT_VERSION, SEGMENT_HEADER_BYTES, SEGMENT_MAGIC};

const HEADER_CHECKED_BYTES: usize = SEGMENT_HEADER_BYTES as usize - 4;
/// The length of a note.
pub(super) const NOTE_BYTES: usize = 8 + 16 + 8 + 8 + 4;

/// Which part of which log a file holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SegmentHeader {
    pub(super) id: DatabaseId,
    pub(super) epoch: Epoch,
    pub(super) start: Position,
}

/// How far the log is durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Note {
    pub(super) boot: u128,
    pub(super) epoch: Epoch,
    pub(super) position: Position,
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SEGMENT_HEADER_BYTES as usize);
        out.extend_from_slice(&SEGMENT_MAGIC);
        out.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.id.raw().to_le_bytes());
        out.extend_from_slice(&self.epoch.raw().to_le_bytes());
        out.extend_from_slice(&self.start.raw().to_le_bytes());
        out.resize(HEADER_CHECKED_BYTES, 0);
        let sum = crc32c::crc32c(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<SegmentHeader, Malformed> {
        let mut reader = Reader::new(bytes);
        let checked = reader.clone().take(HEADER_CHECKED_BYTES)?;
        if reader.array::<8>()? != SEGMENT_MAGIC {
            return Err(Malformed("it is not a segment of a log"));
        }
        if reader.u32()? != FORMAT_VERSION {
            return Err(Malformed("a segment of unknown version"));
        }
        reader.u32()?;
        let header = SegmentHeader {
            id: DatabaseId::new(reader.u128()?),
            epoch: Epoch::new(reader.u64()?),
            start: Position::new(reader.u64()?),
        };
        reader.take(HEADER_CHECKED_BYTES - 48)?;
        if reader.u32()? != crc32c::crc32c(checked) {
            return Err(Malformed(
                "the checksum of a segment's header does not match",
            ));
        }
        Ok(header)
    }
}

impl Note {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(NOTE_BYTES);
        out.extend_from_slice(&DURABLE_MAGIC);
        out.extend_from_slice(&self.boot.to_le_bytes());
        out.extend_from_slice(&self.epoch.raw().to_le_bytes());
        out.extend_from_slice(&self.position.raw().to_le_bytes());
        let sum = crc32c::crc32c(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }

    /// `None` for anything that is not a whole note.
    pub(super) fn decode(bytes: &[u8]) -> Option<Note> {
        let checked = bytes.get(..NOTE_BYTES - 4)?;
        let mut reader = Reader::new(bytes);
        let magic = reader.array::<8>().ok()?;
        let note = Note {
            boot: reader.u128().ok()?,
            epoch: Epoch::new(reader.u64().ok()?),
            position: Position::new(reader.u64().ok()?),
        };
        let sum = reader.u32().ok()?;
        (magic == DURABLE_MAGIC && sum == crc32c::crc32c(checked)).then_some(note)
    }
}
