//! The numbers that stored bytes begin with, and the limits that hold for all of them.
//!
//! Format v0 is not frozen: a store written by one commit need not be readable by the next. What
//! each constant means on disk stands beside the code that writes it (`root.rs`, `log/frame.rs`,
//! `backend/segment.rs`).

use crate::StorageError;

/// The version that this code writes, and the only one that it reads.
pub const FORMAT_VERSION: u32 = 0;

/// The largest value, encoded: 1 GiB.
pub const VALUE_BYTES_MAX: u64 = 1 << 30;
/// The largest transaction, encoded: 4 GiB.
pub const TRANSACTION_BYTES_MAX: u64 = 4 << 30;

/// The first bytes of a root.
pub(crate) const ROOT_MAGIC: [u8; 8] = *b"DATOMITE";
/// The first bytes of a log segment.
pub(crate) const SEGMENT_MAGIC: [u8; 8] = *b"DTMT-LOG";
/// The first bytes of the file that says how far readers may read.
pub(crate) const DURABLE_MAGIC: [u8; 8] = *b"DTMT-DUR";
/// The first bytes of a batch frame.
pub(crate) const FRAME_MAGIC: [u8; 4] = [0xDA, 0x70, 0x0F, 0x00];

/// The fixed part of a batch frame.
pub(crate) const FRAME_HEADER_BYTES: usize = 64;
/// The most that one frame carries: one transaction of the largest size and its envelope.
pub(crate) const FRAME_PAYLOAD_BYTES_MAX: u64 = TRANSACTION_BYTES_MAX + 16;
/// The fixed part of a log segment.
pub(crate) const SEGMENT_HEADER_BYTES: u64 = 64;
/// A segment that has reached this many bytes is sealed and the next one begun.
pub(crate) const SEGMENT_BYTES: u64 = 64 << 20;
/// The version byte of an encoded record.
pub(crate) const RECORD_VERSION: u8 = 0;

const _: () = assert!(FRAME_PAYLOAD_BYTES_MAX > TRANSACTION_BYTES_MAX);
const _: () = assert!(VALUE_BYTES_MAX < TRANSACTION_BYTES_MAX);
const _: () = assert!(FRAME_HEADER_BYTES == 64 && SEGMENT_HEADER_BYTES == 64);
const _: () = assert!(
    usize::BITS >= 64,
    "4 GiB transactions need 64-bit addresses"
);

/// The version and feature bits that a root begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Format {
    /// The version of everything else in the store.
    pub version: u32,
    /// Features that code which does not know them may ignore.
    pub compatible: u64,
    /// Features that code which does not know them may ignore only if it does not write.
    pub read_only_compatible: u64,
    /// Features that code which does not know them must refuse.
    pub incompatible: u64,
}

impl Format {
    /// What this code writes.
    pub const CURRENT: Format = Format {
        version: FORMAT_VERSION,
        compatible: 0,
        read_only_compatible: 0,
        incompatible: 0,
    };

    /// Whether this code can read such a store.
    pub(crate) fn check_readable(&self) -> Result<(), StorageError> {
        let unknown = self.incompatible & !Format::CURRENT.incompatible;
        if self.version != FORMAT_VERSION || unknown != 0 {
            return Err(StorageError::UnsupportedFormat {
                version: self.version,
                features: unknown,
            });
        }
        Ok(())
    }

    /// Whether this code can write to such a store.
    pub(crate) fn check_writable(&self) -> Result<(), StorageError> {
        self.check_readable()?;
        let unknown = self.read_only_compatible & !Format::CURRENT.read_only_compatible;
        if unknown != 0 {
            return Err(StorageError::ReadOnlyFormat { features: unknown });
        }
        Ok(())
    }
}
