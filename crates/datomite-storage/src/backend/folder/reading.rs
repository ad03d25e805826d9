//! Reading the folder's log: finds the segment of a position and never goes beyond what is durable.
//!
//! The writer of this process says how far that is; for the writer of another process it stands in
//! the note (segment.rs). The list of segments is read from the root when it is first needed and
//! whenever what is cached cannot be all: another epoch in the note, a file that is gone, a
//! position behind the end of the last file.

use std::sync::Arc;

use parking_lot::Mutex;

use super::disk::DiskFile;
use super::files::{Files, read_at_most};
use super::segment::{NOTE_BYTES, Note, SegmentHeader};
use crate::backend::{Epoch, Position};
use crate::codec::Malformed;
use crate::format::SEGMENT_HEADER_BYTES;
use crate::{Root, Segment, StorageError};

/// What a reader knows of the log's files.
#[derive(Default)]
pub(super) struct Reading {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    limit: Limit,
    manifest: Option<Manifest>,
    note: Option<Arc<dyn DiskFile>>,
}

/// How far a reader may go.
#[derive(Clone, Copy, Default)]
enum Limit {
    /// As far as the note says.
    #[default]
    Note,
    /// To the end of the files: this writer is about to decide what of them is valid.
    Files,
    /// To the end of what this writer made durable.
    Position(Position),
}

struct Manifest {
    epoch: Epoch,
    root: Root,
    files: Vec<Option<Arc<dyn DiskFile>>>,
}

/// Where to read.
struct Place {
    file: Arc<dyn DiskFile>,
    segment: Segment,
}

impl Reading {
    /// A writer has the lock and will look at everything.
    pub(super) fn begin_writing(&self) {
        *self.state.lock() = State {
            limit: Limit::Files,
            ..State::default()
        };
    }

    /// This process is a reader like any other.
    pub(super) fn end_writing(&self) {
        *self.state.lock() = State::default();
    }

    /// This writer made the log durable up to here.
    pub(super) fn extend(&self, to: Position) {
        self.state.lock().limit = Limit::Position(to);
    }

    /// The list of segments has changed.
    pub(super) fn forget_manifest(&self) {
        self.state.lock().manifest = None;
    }

    /// At most `max` bytes from a position on; none at the end of what may be seen.
    pub(super) fn read(
        &self,
        files: &Files,
        from: Position,
        max: u64,
    ) -> Result<Vec<u8>, StorageError> {
        for attempt in 0..2 {
            let mut state = self.state.lock();
            let limit = match state.limit {
                Limit::Position(limit) => Some(limit),
                Limit::Files => None,
                Limit::Note => state.read_note(files)?,
            };
            if limit.is_some_and(|limit| from >= limit) {
                return Ok(Vec::new());
            }
            let fresh = state.load_manifest(files, attempt > 0)?;
            let place = state.find(files, from)?;
            drop(state);
            let bytes = match place {
                Some(place) => place.read(files, from, max, limit)?,
                None => Vec::new(),
            };
            if !bytes.is_empty() || fresh {
                return Ok(bytes);
            }
        }
        Ok(Vec::new())
    }
}

impl State {
    /// The position in the note, where it comes from this run of the machine. A note of another
    /// writer than the one whose segments are known makes them be looked up again.
    fn read_note(&mut self, files: &Files) -> Result<Option<Position>, StorageError> {
        let path = files.path("durable");
        if self.note.is_none() {
            self.note = files.open(&path)?.map(Arc::from);
        }
        let (Some(file), Some(boot)) = (&self.note, files.boot_id()) else {
            return Ok(None);
        };
        let bytes = read_at_most(&**file, &path, 0, NOTE_BYTES as u64)?;
        let Some(note) = Note::decode(&bytes).filter(|note| note.boot == boot) else {
            return Ok(None);
        };
        let known = self.manifest.as_ref().map(|manifest| manifest.epoch);
        if known.is_some_and(|epoch| epoch != note.epoch) {
            self.manifest = None;
        }
        Ok(Some(note.position))
    }

    /// Reads the list of segments unless it is known; says whether it was read now.
    fn load_manifest(&mut self, files: &Files, again: bool) -> Result<bool, StorageError> {
        if self.manifest.is_some() && !again {
            return Ok(false);
        }
        let Some(bytes) = files.read_root()? else {
            return Err(StorageError::NoStore {
                place: files.folder().display().to_string(),
            });
        };
        let root = Root::decode(&bytes, &files.root_name())?;
        self.manifest = Some(Manifest {
            epoch: root.epoch,
            files: root.segments.iter().map(|_| None).collect(),
            root,
        });
        Ok(true)
    }

    /// The segment that a position lies in or right behind; `None` where its file is gone.
    fn find(&mut self, files: &Files, from: Position) -> Result<Option<Place>, StorageError> {
        let Some(manifest) = &mut self.manifest else {
            return Ok(None);
        };
        let segments = &manifest.root.segments;
        let after = segments.partition_point(|segment| segment.start <= from);
        let Some(at) = after.checked_sub(1) else {
            return Ok(None);
        };
        let segment = segments[at].clone();
        if manifest.files[at].is_none() {
            manifest.files[at] = open_segment(files, &manifest.root, &segment)?.map(Arc::from);
        }
        Ok(manifest.files[at].as_ref().map(|file| Place {
            file: Arc::clone(file),
            segment,
        }))
    }
}

impl Place {
    fn read(
        &self,
        files: &Files,
        from: Position,
        max: u64,
        limit: Option<Position>,
    ) -> Result<Vec<u8>, StorageError> {
        let seal = self.segment.seal.map(|seal| seal.end);
        let end = [limit, seal].into_iter().flatten().min();
        let max = end.map_or(max, |end| max.min(end.raw().saturating_sub(from.raw())));
        let offset = SEGMENT_HEADER_BYTES + (from.raw() - self.segment.start.raw());
        let path = files.path(&self.segment.name);
        read_at_most(&*self.file, &path, offset, max)
    }
}

/// Opens a segment and checks that it is the one meant; `None` where it is gone.
pub(super) fn open_segment(
    files: &Files,
    root: &Root,
    segment: &Segment,
) -> Result<Option<Box<dyn DiskFile>>, StorageError> {
    let path = files.path(&segment.name);
    let Some(file) = files.open(&path)? else {
        return Ok(None);
    };
    let bytes = read_at_most(&*file, &path, 0, SEGMENT_HEADER_BYTES)?;
    let what = match SegmentHeader::decode(&bytes) {
        Ok(header) if header.id == root.id && header.start == segment.start => {
            return Ok(Some(file));
        }
        Ok(_) => "it is a segment of another log",
        Err(Malformed(what)) => what,
    };
    Err(StorageError::Damaged {
        file: path.display().to_string(),
        after: None,
        what: what.to_owned(),
    })
}
