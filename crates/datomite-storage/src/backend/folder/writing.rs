//! Writing the folder's log and root, as the holder of the kernel's lock.

use std::io;
use std::path::PathBuf;

use super::FolderOptions;
use super::disk::{DiskFile, LockGuard};
use super::files::{Files, io_error, read_at_most};
use super::reading::{Reading, open_segment};
use super::segment::{Note, SegmentHeader};
use crate::backend::{Epoch, Position, Version};
use crate::format::SEGMENT_HEADER_BYTES;
use crate::{Durability, Root, Seal, Segment, StorageError};

/// How much of a tail is copied at a time.
const COPY_BYTES: u64 = 4 << 20;

/// What the writer holds.
pub(super) struct Writing {
    pub(super) epoch: Epoch,
    options: FolderOptions,
    note: Box<dyn DiskFile>,
    /// The segment that is written to; made by the first append.
    active: Option<Active>,
    /// How many segments this epoch has made.
    segments_made: u64,
    /// Why writing stopped.
    poisoned: Option<String>,
    /// Held for as long as this lives.
    _lock: LockGuard,
}

/// The segment that is written to.
struct Active {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    start: Position,
    end: Position,
    /// CRC32C of the bytes so far.
    checksum: u32,
}

impl Writing {
    /// Takes the lock and counts the epoch up.
    pub(super) fn acquire(
        files: &Files,
        options: FolderOptions,
        owner: &str,
    ) -> Result<Writing, StorageError> {
        files.create_folders()?;
        let lock = files.lock()?;
        files.write_note("owner", owner.as_bytes())?;
        files.sweep_temporary("packs");
        let note = files.open_note("durable")?;
        let epoch = match files.read_root()? {
            None => Epoch::default().next(),
            Some(bytes) => {
                let mut root = Root::decode(&bytes, &files.root_name())?;
                root.take_over(root.epoch.next());
                put_root(files, Some(&bytes), &root.encode())?;
                root.epoch
            }
        };
        Ok(Writing {
            epoch,
            options,
            note,
            active: None,
            segments_made: 0,
            poisoned: None,
            _lock: lock,
        })
    }

    /// Writes frames behind `expected` and waits for the disk, as the options say.
    pub(super) fn append(
        &mut self,
        files: &Files,
        reading: &Reading,
        expected: Position,
        frames: &[u8],
    ) -> Result<Position, StorageError> {
        self.check_poison()?;
        if self.active.is_none() {
            let adopted = self.adopt(files, expected);
            reading.forget_manifest();
            adopted?;
            if let Err(error) = self.publish(files, reading, expected) {
                self.active = None;
                return Err(io_error("writing", &files.path("durable"), &error));
            }
        }
        let end = self.active_end()?;
        if end != expected {
            return Err(StorageError::Conflict {
                what: "end of the log",
                expected: expected.raw(),
                found: end.raw(),
            });
        }
        if frames.is_empty() {
            self.sync()?;
            return Ok(end);
        }
        if self.is_full() {
            let rolled = self.roll(files);
            reading.forget_manifest();
            rolled?;
        }
        let end = self.write(frames)?;
        // The note has its place by now; if it cannot be overwritten, readers lag behind until the
        // next one. The append itself is done.
        let _ = self.publish(files, reading, end);
        Ok(end)
    }

    /// Replaces the root if it has the expected version.
    pub(super) fn swap_root(
        &mut self,
        files: &Files,
        expected: Version,
        bytes: &[u8],
    ) -> Result<Version, StorageError> {
        self.check_poison()?;
        let present = files.read_root()?;
        let found = match &present {
            Some(bytes) => Root::decode(bytes, &files.root_name())?.generation,
            None => Version::NONE,
        };
        if found != expected {
            return Err(StorageError::Conflict {
                what: "version of the root",
                expected: expected.raw(),
                found: found.raw(),
            });
        }
        put_root(files, present.as_deref(), bytes)?;
        Ok(expected.next())
    }

    fn check_poison(&self) -> Result<(), StorageError> {
        match &self.poisoned {
            Some(cause) => Err(StorageError::Poisoned {
                cause: cause.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Stops writing for good.
    fn poison(&mut self, error: &StorageError) -> StorageError {
        let cause = error.to_string();
        self.poisoned = Some(cause.clone());
        StorageError::Poisoned { cause }
    }

    fn active_end(&self) -> Result<Position, StorageError> {
        self.check_poison()?;
        let active = self.active.as_ref();
        Ok(active.expect("invariant: adopted before").end)
    }

    fn is_full(&self) -> bool {
        self.active.as_ref().is_some_and(|active| {
            active.end.raw() - active.start.raw() >= self.options.segment_bytes
        })
    }

    /// Writes and syncs. A full disk is undone; after any other failure nothing is certain.
    fn write(&mut self, frames: &[u8]) -> Result<Position, StorageError> {
        let active = self.active.as_mut();
        let active = active.expect("invariant: adopted before");
        let offset = SEGMENT_HEADER_BYTES + (active.end.raw() - active.start.raw());
        if let Err(error) = active.file.write_at(offset, frames) {
            let cut = active.file.set_length(offset);
            let error = io_error("writing", &active.path, &error);
            if cut.is_ok() && matches!(error, StorageError::StorageFull { .. }) {
                return Err(error);
            }
            return Err(self.poison(&error));
        }
        if self.options.durability == Durability::Sync
            && let Err(error) = active.file.sync()
        {
            let error = io_error("syncing", &active.path, &error);
            // Whoever reopens the store should not find what was reported as failed; if the cut
            // does not reach the disk either, the frame may come back, whole or torn.
            let _ = active.file.set_length(offset);
            return Err(self.poison(&error));
        }
        active.checksum = crc32c::crc32c_append(active.checksum, frames);
        active.end = active.end.plus(frames.len() as u64);
        Ok(active.end)
    }

    /// Waits for the disk where appends do not.
    fn sync(&mut self) -> Result<(), StorageError> {
        let active = self.active.as_ref();
        let active = active.expect("invariant: adopted before");
        if self.options.durability == Durability::Os
            && let Err(error) = active.file.sync()
        {
            let error = io_error("syncing", &active.path, &error);
            return Err(self.poison(&error));
        }
        Ok(())
    }

    /// Tells readers how far they may read.
    fn publish(&self, files: &Files, reading: &Reading, position: Position) -> io::Result<()> {
        reading.extend(position);
        let note = Note {
            boot: files.boot_id().unwrap_or_default(),
            epoch: self.epoch,
            position,
        };
        self.note.write_at(0, &note.encode())
    }

    /// Makes the log end at `end` in a segment of our own: copies what the last segment holds up
    /// to there, switches the root, and sweeps what the root does not name any more.
    fn adopt(&mut self, files: &Files, end: Position) -> Result<(), StorageError> {
        let Some(bytes) = files.read_root()? else {
            return Err(StorageError::NoStore {
                place: files.folder().display().to_string(),
            });
        };
        let mut root = Root::decode(&bytes, &files.root_name())?;
        let whole = |segment: &Segment| segment.seal.is_some_and(|seal| seal.end <= end);
        let kept = root.segments.iter().take_while(|s| whole(s)).count();
        let copied = root.segments.get(kept).filter(|s| s.start <= end).cloned();
        let start = match (&copied, kept) {
            (Some(segment), _) => segment.start,
            (None, 0) => Position::default(),
            (None, _) => end,
        };
        let mut parts = Vec::new();
        if let Some(segment) = &copied {
            parts = read_tail(files, &root, segment, end)?;
        }
        let held = parts.iter().map(|part| part.len() as u64).sum();
        if start.plus(held) != end {
            return Err(StorageError::Conflict {
                what: "end of the log",
                expected: end.raw(),
                found: start.plus(held).raw(),
            });
        }
        root.segments.truncate(kept);
        self.begin_segment(files, &bytes, root, start, &parts)
    }

    /// Seals the segment that is written to and begins the next. Until the root names the new one
    /// nothing has changed; a failure after that is final.
    fn roll(&mut self, files: &Files) -> Result<(), StorageError> {
        self.sync()?;
        let active = self.active.as_ref();
        let active = active.expect("invariant: adopted before");
        let seal = Seal {
            end: active.end,
            checksum: active.checksum,
        };
        let start = active.end;
        let Some(bytes) = files.read_root()? else {
            return Err(StorageError::NoStore {
                place: files.folder().display().to_string(),
            });
        };
        let mut root = Root::decode(&bytes, &files.root_name())?;
        let last = root.segments.last_mut();
        last.expect("invariant: the root names our segment").seal = Some(seal);
        self.begin_segment(files, &bytes, root, start, &[])
    }

    fn begin_segment(
        &mut self,
        files: &Files,
        root_bytes: &[u8],
        mut root: Root,
        start: Position,
        parts: &[Vec<u8>],
    ) -> Result<(), StorageError> {
        self.segments_made += 1;
        let name = format!("log/{:06}-{:06}.log", self.epoch.raw(), self.segments_made);
        let path = files.path(&name);
        let header = SegmentHeader {
            id: root.id,
            epoch: self.epoch,
            start,
        }
        .encode();
        let mut content: Vec<&[u8]> = vec![&header];
        content.extend(parts.iter().map(Vec::as_slice));
        let file = files.write_new(&path, &content)?;
        root.segments.push(Segment {
            name,
            start,
            seal: None,
        });
        root.advance(root_bytes);
        match put_root(files, Some(root_bytes), &root.encode()) {
            Ok(()) => {}
            // The root is the old one, or the new one, which holds the same; either can be tried
            // again from.
            Err(error @ StorageError::StorageFull { .. }) => return Err(error),
            Err(error) => return Err(self.poison(&error)),
        }
        let sum = |sum, part: &Vec<u8>| crc32c::crc32c_append(sum, part);
        self.active = Some(Active {
            file,
            path,
            start,
            end: start.plus(parts.iter().map(|part| part.len() as u64).sum()),
            checksum: parts.iter().fold(0, sum),
        });
        let named: Vec<&str> = root.segments.iter().map(|s| s.name.as_str()).collect();
        files.sweep("log", |file| {
            named.contains(&format!("log/{file}").as_str())
        });
        Ok(())
    }
}

fn read_tail(
    files: &Files,
    root: &Root,
    segment: &Segment,
    end: Position,
) -> Result<Vec<Vec<u8>>, StorageError> {
    let path = files.path(&segment.name);
    let Some(file) = open_segment(files, root, segment)? else {
        return Err(StorageError::Damaged {
            file: path.display().to_string(),
            after: None,
            what: "the file is gone".to_owned(),
        });
    };
    let mut parts = Vec::new();
    let mut at = segment.start;
    while at < end {
        let offset = SEGMENT_HEADER_BYTES + (at.raw() - segment.start.raw());
        let max = COPY_BYTES.min(end.raw() - at.raw());
        let part = read_at_most(&*file, &path, offset, max)?;
        if part.is_empty() {
            break;
        }
        at = at.plus(part.len() as u64);
        parts.push(part);
    }
    Ok(parts)
}

/// Replaces the root, keeping the one before it under another name.
fn put_root(files: &Files, previous: Option<&[u8]>, bytes: &[u8]) -> Result<(), StorageError> {
    if let Some(previous) = previous {
        files.write_new(&files.path("root.previous"), &[previous])?;
    }
    files.write_new(&files.path("root"), &[bytes])?;
    Ok(())
}
