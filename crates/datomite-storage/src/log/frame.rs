//! The batch frame: what one append puts into the log.
//!
//! ```text
//!  0 magic 4          16 sequence u64             40 last t u64
//!  4 kind u8          24 group u64                48 payload length u64
//!  5 flags u8         32 first t u64              56 checksum of the frame before, u32
//!  6 zero u16                                     60 CRC32C of bytes 0..60 and the payload, u32
//!  8 epoch u64        64 payload: (length · record)*
//! ```
//! Sequence numbers count from 0 without gaps; the first frame's "frame before" is the checksum of
//! the database id, so that a frame of another database never fits. `group` is the sequence number
//! of the first frame of the group that a frame belongs to.

use datomite_model::T;

use crate::backend::{BatchId, Epoch};
use crate::codec::{Malformed, Reader, encode_record, put_varint};
use crate::format::{FRAME_HEADER_BYTES, FRAME_MAGIC, FRAME_PAYLOAD_BYTES_MAX};
use crate::{DatabaseId, Record, StorageError};

const CHECKED_BYTES: usize = FRAME_HEADER_BYTES - 4;
/// The writer had not waited for the disk to take the frame before.
const AFTER_UNSYNCED: u8 = 1;

/// What a frame does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Its records are visible at once.
    Batch,
    /// Its records are visible once the group commits.
    Part,
    /// The group is complete.
    Commit,
}

/// The fixed part of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) after_unsynced: bool,
    pub(crate) epoch: Epoch,
    pub(crate) sequence: u64,
    pub(crate) group: u64,
    pub(crate) first_t: T,
    pub(crate) last_t: T,
    pub(crate) payload_bytes: u64,
    pub(crate) previous: u32,
    pub(crate) checksum: u32,
}

impl Header {
    pub(crate) fn batch_id(&self) -> BatchId {
        BatchId {
            epoch: self.epoch,
            sequence: self.sequence,
        }
    }

    /// Header and payload.
    pub(crate) fn frame_bytes(&self) -> u64 {
        FRAME_HEADER_BYTES as u64 + self.payload_bytes
    }
}

/// What the first frame of a database names as the one before it.
pub(crate) fn seed(id: DatabaseId) -> u32 {
    crc32c::crc32c(&id.raw().to_le_bytes())
}

/// Makes a frame; `header`'s t's, length and checksum are filled in.
pub(crate) fn encode_frame(
    header: &mut Header,
    records: &[Record],
) -> Result<Vec<u8>, StorageError> {
    let mut out = vec![0; FRAME_HEADER_BYTES];
    let mut body = Vec::new();
    for record in records {
        body.clear();
        encode_record(&mut body, record)?;
        put_varint(&mut out, body.len() as u64);
        out.extend_from_slice(&body);
    }
    let payload_bytes = (out.len() - FRAME_HEADER_BYTES) as u64;
    if payload_bytes > FRAME_PAYLOAD_BYTES_MAX {
        return Err(StorageError::TransactionTooLarge {
            bytes: payload_bytes,
            limit: FRAME_PAYLOAD_BYTES_MAX,
        });
    }
    header.first_t = records.first().map_or(T::default(), |record| record.t);
    header.last_t = records.last().map_or(T::default(), |record| record.t);
    header.payload_bytes = payload_bytes;
    fill_header(&mut out, header);
    Ok(out)
}

fn fill_header(out: &mut [u8], header: &mut Header) {
    let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &FRAME_MAGIC);
    put(
        4,
        &[
            kind_number(header.kind),
            u8::from(header.after_unsynced) * AFTER_UNSYNCED,
        ],
    );
    put(8, &header.epoch.raw().to_le_bytes());
    put(16, &header.sequence.to_le_bytes());
    put(24, &header.group.to_le_bytes());
    put(32, &header.first_t.raw().to_le_bytes());
    put(40, &header.last_t.raw().to_le_bytes());
    put(48, &header.payload_bytes.to_le_bytes());
    put(56, &header.previous.to_le_bytes());
    header.checksum = frame_checksum(out);
    out[CHECKED_BYTES..FRAME_HEADER_BYTES].copy_from_slice(&header.checksum.to_le_bytes());
}

fn frame_checksum(frame: &[u8]) -> u32 {
    let sum = crc32c::crc32c(&frame[..CHECKED_BYTES]);
    crc32c::crc32c_append(sum, &frame[FRAME_HEADER_BYTES..])
}

/// Reads the fixed part, without checking the sum.
pub(crate) fn decode_header(bytes: &[u8]) -> Result<Header, Malformed> {
    let mut reader = Reader::new(bytes);
    if reader.array::<4>()? != FRAME_MAGIC {
        return Err(Malformed("no frame begins here"));
    }
    let kind = match reader.u8()? {
        0 => Kind::Batch,
        1 => Kind::Part,
        2 => Kind::Commit,
        _ => return Err(Malformed("a frame of unknown kind")),
    };
    let flags = reader.u8()?;
    if flags & !AFTER_UNSYNCED != 0 || reader.array::<2>()? != [0, 0] {
        return Err(Malformed("a frame with unknown flags"));
    }
    let header = Header {
        kind,
        after_unsynced: flags & AFTER_UNSYNCED != 0,
        epoch: Epoch::new(reader.u64()?),
        sequence: reader.u64()?,
        group: reader.u64()?,
        first_t: T::new(reader.u64()?),
        last_t: T::new(reader.u64()?),
        payload_bytes: reader.u64()?,
        previous: reader.u32()?,
        checksum: reader.u32()?,
    };
    if header.payload_bytes > FRAME_PAYLOAD_BYTES_MAX {
        return Err(Malformed("a frame longer than any"));
    }
    Ok(header)
}

/// Whether a whole frame is what was written.
pub(crate) fn is_intact(header: &Header, frame: &[u8]) -> bool {
    frame.len() as u64 == header.frame_bytes() && frame_checksum(frame) == header.checksum
}

fn kind_number(kind: Kind) -> u8 {
    match kind {
        Kind::Batch => 0,
        Kind::Part => 1,
        Kind::Commit => 2,
    }
}
