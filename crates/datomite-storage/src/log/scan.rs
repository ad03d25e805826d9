//! What a sequence of frames means: which records are visible, and where each t stands.
//!
//! Writer, recovery and followers feed the same [`Scan`], frame by frame. A group's frames become
//! visible together when its commit comes; frames of a group that is followed by anything else were
//! abandoned and are a hole. The index from t to position is sparse: one entry in 16 KiB.

use std::sync::Arc;

use datomite_model::T;

use super::frame::{Header, Kind};
use crate::backend::{Epoch, Position};

const INDEX_BYTES: u64 = 16 << 10;

/// A place between two frames, and what the next frame must say to fit there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Joint {
    pub(crate) position: Position,
    /// The sequence number of the frame that comes next.
    pub(crate) sequence: u64,
    /// The checksum of the frame before.
    pub(crate) checksum: u32,
}

/// The state after some frames.
#[derive(Debug)]
pub(crate) struct Scan {
    /// After the last frame.
    pub(crate) end: Joint,
    /// The writer of the last frame.
    pub(crate) epoch: Epoch,
    /// After the last visible frame: here a writer that reopens goes on.
    pub(crate) visible: Joint,
    /// The last visible transaction.
    pub(crate) last_t: Option<T>,
    index: Vec<(T, Position)>,
    holes: Arc<Vec<(Position, Position)>>,
    group: Option<Group>,
}

#[derive(Clone, Debug)]
struct Group {
    sequence: u64,
    index: Vec<(T, Position)>,
    last_t: Option<T>,
}

/// Why a frame cannot follow the ones before it.
pub(crate) type Misfit = &'static str;

impl Scan {
    /// Before the first frame of a database.
    pub(crate) fn start(seed: u32) -> Scan {
        let joint = Joint {
            position: Position::default(),
            sequence: 0,
            checksum: seed,
        };
        Scan {
            end: joint,
            epoch: Epoch::default(),
            visible: joint,
            last_t: None,
            index: Vec::new(),
            holes: Arc::default(),
            group: None,
        }
    }

    /// Forgets what is not visible.
    pub(crate) fn rewind(&mut self) {
        self.end = self.visible;
        self.group = None;
    }

    /// Takes in the next frame, which stands at `self.end.position`.
    pub(crate) fn step(&mut self, header: &Header) -> Result<(), Misfit> {
        if header.sequence != self.end.sequence {
            return Err("the sequence number of a frame is not the next one");
        }
        if header.previous != self.end.checksum {
            return Err("a frame does not follow the one before it");
        }
        let at = self.end.position;
        let after = Joint {
            position: at.plus(header.frame_bytes()),
            sequence: header.sequence + 1,
            checksum: header.checksum,
        };
        match header.kind {
            Kind::Batch => {
                self.group = None;
                self.check_t(self.last_t, header)?;
                self.open_hole(at);
                push_sparse(&mut self.index, header.first_t, at);
                self.last_t = Some(header.last_t);
                self.visible = after;
            }
            Kind::Part => self.step_part(header, at)?,
            Kind::Commit => self.step_commit(header, after)?,
        }
        self.end = after;
        self.epoch = header.epoch;
        Ok(())
    }

    fn step_part(&mut self, header: &Header, at: Position) -> Result<(), Misfit> {
        if header.group == header.sequence {
            self.group = Some(Group {
                sequence: header.sequence,
                index: Vec::new(),
                last_t: self.last_t,
            });
        }
        let Some(mut group) = self.group.take() else {
            return Err("a group without its first frame");
        };
        if group.sequence != header.group {
            return Err("a frame of another group");
        }
        self.check_t(group.last_t, header)?;
        push_sparse(&mut group.index, header.first_t, at);
        group.last_t = Some(header.last_t);
        self.group = Some(group);
        Ok(())
    }

    fn step_commit(&mut self, header: &Header, after: Joint) -> Result<(), Misfit> {
        let Some(group) = self.group.take() else {
            return Err("the commit of a group without its first frame");
        };
        if group.sequence != header.group {
            return Err("the commit of another group");
        }
        if let Some((_, start)) = group.index.first() {
            self.open_hole(*start);
        }
        self.index.extend(group.index);
        self.last_t = group.last_t;
        self.visible = after;
        Ok(())
    }

    fn check_t(&self, last: Option<T>, header: &Header) -> Result<(), Misfit> {
        if header.last_t < header.first_t || last.is_some_and(|last| last >= header.first_t) {
            return Err("transactions are not in order");
        }
        Ok(())
    }

    /// What lies between the visible frames and `start` was abandoned.
    fn open_hole(&mut self, start: Position) {
        if start > self.visible.position {
            Arc::make_mut(&mut self.holes).push((self.visible.position, start));
        }
    }

    /// The first visible transaction.
    pub(crate) fn first_t(&self) -> Option<T> {
        self.index.first().map(|entry| entry.0)
    }

    /// Where a reader of transactions from `t` on begins: a visible frame at or before it.
    pub(crate) fn seek(&self, t: T) -> Position {
        let after = self.index.partition_point(|(first, _)| *first <= t);
        match after.checked_sub(1) {
            Some(at) => self.index[at].1,
            None => self
                .index
                .first()
                .map_or(self.visible.position, |entry| entry.1),
        }
    }

    /// The stretches that readers jump over, ascending.
    pub(crate) fn holes(&self) -> Arc<Vec<(Position, Position)>> {
        Arc::clone(&self.holes)
    }
}

fn push_sparse(index: &mut Vec<(T, Position)>, t: T, at: Position) {
    let due = index
        .last()
        .is_none_or(|(_, last)| at.raw() - last.raw() >= INDEX_BYTES);
    if due {
        index.push((t, at));
    }
}
