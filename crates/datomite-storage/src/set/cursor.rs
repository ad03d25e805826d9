//! The cursor: walks the leaves of a range, forward or backward, and hands out runs.
//!
//! It owns its root and its path, so it outlives the set it came from and never sees a later
//! change. Nothing is read before the first `next` or `seek`. Subtrees that cannot hold a fact of
//! the window are stepped over unread. `seek` looks in the leaf at hand, then climbs only as far
//! as it must.

use std::sync::Arc;

use datomite_model::Index;

use super::node::{DEPTH_MAX, Inner, Node};
use super::order::Key;
use super::source::{Source, resolve};
use super::{Bound, DatomSet, KeyRange, Run, Window};
use crate::StorageError;

/// A cursor over the runs of a range.
pub struct Runs {
    index: Index,
    source: Source,
    root: Node,
    range: KeyRange,
    window: Window,
    direction: Direction,
    state: State,
    /// The inner nodes above the leaf, each with the child that was taken.
    path: [Option<(Arc<Inner>, usize)>; DEPTH_MAX],
    depth: usize,
    /// `None` where the child at hand lies outside the window and was not read.
    leaf: Option<Node>,
    /// Rows of the leaf not yet handed out.
    from: usize,
    to: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    /// Inside the range; other leaves may follow.
    Walking,
    /// The leaf at hand is the last one of the range.
    Last,
    Done,
}

impl Runs {
    pub(super) fn forward(set: &DatomSet, range: &KeyRange, window: Window) -> Runs {
        Runs {
            index: set.index,
            source: set.source.clone(),
            root: set.root.node.clone(),
            range: range.clone(),
            window,
            direction: Direction::Forward,
            state: State::Fresh,
            path: Default::default(),
            depth: 0,
            leaf: None,
            from: 0,
            to: 0,
        }
    }

    pub(super) fn backward(set: &DatomSet, range: &KeyRange, window: Window) -> Runs {
        Runs {
            direction: Direction::Backward,
            ..Runs::forward(set, range, window)
        }
    }

    /// The next run: at most one leaf's rows.
    #[expect(
        clippy::should_implement_trait,
        reason = "a lending cursor, not an iterator"
    )]
    pub fn next(&mut self) -> Result<Option<Run<'_>>, StorageError> {
        self.next_upto(usize::MAX)
    }

    /// The next run, of at most `rows_max` rows (one or more), for readers who may stop early.
    pub fn next_upto(&mut self, rows_max: usize) -> Result<Option<Run<'_>>, StorageError> {
        if !self.fill()? {
            return Ok(None);
        }
        let take = rows_max.min(self.to - self.from);
        let rows = match self.direction {
            Direction::Forward => self.from..self.from + take,
            Direction::Backward => self.to - take..self.to,
        };
        match self.direction {
            Direction::Forward => self.from = rows.end,
            Direction::Backward => self.to = rows.start,
        }
        let leaf = self
            .leaf
            .as_ref()
            .expect("invariant: unread rows lie in a leaf");
        Ok(Some(Run::of(self.index, leaf, rows)))
    }

    /// How many rows are still to come, rows that the window excludes included.
    pub fn count_left(&self) -> Result<u64, StorageError> {
        let rank = |bound: &Bound| {
            let key = Key::bound(self.index, bound);
            self.root.rank(self.index, &self.source, &key)
        };
        if self.state == State::Done {
            return Ok(0);
        }
        let (lo, hi) = match (self.state, self.direction) {
            (State::Fresh, _) => (rank(&self.range.lo)?, rank(&self.range.hi)?),
            (_, Direction::Forward) => (self.place(self.from), rank(&self.range.hi)?),
            (_, Direction::Backward) => (rank(&self.range.lo)?, self.place(self.to)),
        };
        Ok(hi.saturating_sub(lo))
    }

    /// How many rows of the tree stand before a row of the leaf at hand.
    fn place(&self, row: usize) -> u64 {
        let path = self.path[..self.depth].iter().flatten();
        let before: u64 = path
            .map(|(inner, at)| {
                inner.kids[..*at]
                    .iter()
                    .map(|kid| kid.sum.count)
                    .sum::<u64>()
            })
            .sum();
        before + row as u64
    }

    /// Moves on to the first row at or after a position; a backward cursor, to the last row
    /// before it. Never moves back over rows that were handed out.
    pub fn seek(&mut self, to: &Bound) -> Result<(), StorageError> {
        if self.state == State::Fresh {
            self.start()?;
        }
        if self.state == State::Done {
            return Ok(());
        }
        let key = Key::bound(self.index, to);
        match self.direction {
            Direction::Forward => self.seek_forward(&key),
            Direction::Backward => self.seek_backward(&key),
        }
    }

    fn seek_forward(&mut self, key: &Key<'_>) -> Result<(), StorageError> {
        if let Some(leaf) = &self.leaf {
            let at = leaf.leaf_position(self.index, key);
            if at < leaf.leaf_len() || self.state == State::Last {
                self.from = self.from.max(at).min(self.to);
                return Ok(());
            }
        }
        // The deepest level at which the next child lies past the key: the key is below it.
        let passed = |level: &usize| {
            let Some((inner, at)) = &self.path[*level] else {
                return false;
            };
            let next = inner.kids.get(at + 1);
            next.is_some_and(|kid| key.compare(self.index, kid.least.view()).is_gt())
        };
        let level = (0..self.depth)
            .rev()
            .find(passed)
            .map_or(0, |level| level + 1);
        if level == self.depth {
            // At the end of this leaf: its successor comes next.
            self.from = self.to;
            return Ok(());
        }
        self.descend_from(level, key)?;
        let range = std::mem::replace(&mut self.range, KeyRange::all());
        self.clip_low(key, &Key::bound(self.index, &range.hi));
        self.range = range;
        Ok(())
    }

    fn seek_backward(&mut self, key: &Key<'_>) -> Result<(), StorageError> {
        if let Some(leaf) = &self.leaf {
            let at = leaf.leaf_position(self.index, key);
            if at > 0 || self.state == State::Last {
                self.to = self.to.min(at).max(self.from);
                return Ok(());
            }
        }
        let passed = |level: &usize| {
            let Some((inner, at)) = &self.path[*level] else {
                return false;
            };
            let least = inner.kids[*at].least.view();
            *at > 0 && key.compare(self.index, least).is_lt()
        };
        let level = (0..self.depth)
            .rev()
            .find(passed)
            .map_or(0, |level| level + 1);
        if level == self.depth {
            self.to = self.from;
            return Ok(());
        }
        self.descend_to(level, key)?;
        let range = std::mem::replace(&mut self.range, KeyRange::all());
        self.clip_high(&Key::bound(self.index, &range.lo), key);
        self.range = range;
        Ok(())
    }

    /// Whether there are unread rows in the leaf at hand, which moves on as needed.
    fn fill(&mut self) -> Result<bool, StorageError> {
        if self.state == State::Fresh {
            self.start()?;
        }
        loop {
            if self.from < self.to {
                return Ok(true);
            }
            if self.state != State::Walking || !self.step()? {
                self.state = State::Done;
                return Ok(false);
            }
        }
    }

    fn start(&mut self) -> Result<(), StorageError> {
        self.state = State::Walking;
        // Borrowed for the descent, without copying values.
        let range = std::mem::replace(&mut self.range, KeyRange::all());
        let lo = Key::bound(self.index, &range.lo);
        let hi = Key::bound(self.index, &range.hi);
        let descent = match self.direction {
            Direction::Forward => self.descend_to(0, &lo),
            Direction::Backward => self.descend_to(0, &hi),
        };
        if descent.is_ok() {
            match self.direction {
                Direction::Forward => self.clip_low(&lo, &hi),
                Direction::Backward => self.clip_high(&lo, &hi),
            }
        }
        self.range = range;
        descent
    }

    /// As `descend_to`, when the key is not before the child now taken at that level.
    fn descend_from(&mut self, level: usize, key: &Key<'_>) -> Result<(), StorageError> {
        let Some((inner, at)) = self.path[level].take() else {
            return self.descend_to(level, key);
        };
        let at = inner.child_from(self.index, at, key);
        let node = self.enter(level, inner, at)?;
        self.descend(node, key)
    }

    /// Goes down to the leaf of a key, from the node that the path has at a level.
    fn descend_to(&mut self, level: usize, key: &Key<'_>) -> Result<(), StorageError> {
        let node = match self.path[level].take() {
            Some((inner, _)) if level < self.depth => Node::Inner(inner),
            _ => resolve(&self.source, &self.root)?.clone(),
        };
        self.depth = level;
        self.descend(Some(node), key)
    }

    fn descend(&mut self, node: Option<Node>, key: &Key<'_>) -> Result<(), StorageError> {
        let mut next = node;
        while let Some(node) = next {
            match node {
                Node::Inner(inner) => {
                    let at = inner.child(self.index, key);
                    next = self.enter(self.depth, inner, at)?;
                }
                leaf => {
                    self.leaf = Some(leaf);
                    return Ok(());
                }
            }
        }
        self.leaf = None;
        Ok(())
    }

    /// Puts a node on the path and gives the child taken; `None` where it is outside the window.
    fn enter(
        &mut self,
        level: usize,
        inner: Arc<Inner>,
        at: usize,
    ) -> Result<Option<Node>, StorageError> {
        let kid = &inner.kids[at];
        let node = if kid.sum.excluded(&self.window) {
            None
        } else {
            Some(resolve(&self.source, &kid.node)?.clone())
        };
        self.path[level] = Some((inner, at));
        self.depth = level + 1;
        Ok(node)
    }

    /// Takes the leaf's rows from a key on, to the end of the range.
    fn clip_low(&mut self, key: &Key<'_>, hi: &Key<'_>) {
        (self.from, self.to) = (0, 0);
        if let Some(leaf) = &self.leaf {
            self.from = leaf.leaf_position(self.index, key);
            self.to = end_of(self.index, leaf, hi, self.from);
            if self.to < leaf.leaf_len() {
                self.state = State::Last;
            }
        }
    }

    /// Takes the leaf's rows before a key, from the start of the range.
    fn clip_high(&mut self, lo: &Key<'_>, key: &Key<'_>) {
        (self.from, self.to) = (0, 0);
        if let Some(leaf) = &self.leaf {
            self.to = leaf.leaf_position(self.index, key);
            self.from = leaf.leaf_position(self.index, lo);
            if self.from > 0 {
                self.state = State::Last;
            }
            self.from = self.from.min(self.to);
        }
    }

    /// Moves to the next leaf of the window; false at the end of the range.
    fn step(&mut self) -> Result<bool, StorageError> {
        while self.depth > 0 {
            let level = self.depth - 1;
            let (inner, at) = self.path[level]
                .take()
                .expect("invariant: a path holds a node a level");
            let Some(at) = self.neighbour(&inner, at) else {
                self.depth = level;
                continue;
            };
            if self.is_past(&inner, at) {
                return Ok(false);
            }
            let mut node = self.enter(level, inner, at)?;
            while let Some(Node::Inner(inner)) = node {
                let at = match self.direction {
                    Direction::Forward => 0,
                    Direction::Backward => inner.kids.len() - 1,
                };
                node = self.enter(self.depth, inner, at)?;
            }
            if let Some(leaf) = node {
                self.take(leaf);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The next child that the window does not exclude.
    fn neighbour(&self, inner: &Inner, at: usize) -> Option<usize> {
        let inside = |at: &usize| !inner.kids[*at].sum.excluded(&self.window);
        match self.direction {
            Direction::Forward => (at + 1..inner.kids.len()).find(inside),
            Direction::Backward => (0..at).rev().find(inside),
        }
    }

    /// Whether a child, and all beyond it, lies outside the range.
    fn is_past(&self, inner: &Inner, at: usize) -> bool {
        match self.direction {
            Direction::Forward => {
                let hi = Key::bound(self.index, &self.range.hi);
                hi.compare(self.index, inner.kids[at].least.view()).is_gt()
            }
            Direction::Backward => {
                let lo = Key::bound(self.index, &self.range.lo);
                let next = inner.kids[at + 1].least.view();
                lo.compare(self.index, next).is_lt()
            }
        }
    }

    /// Makes a whole leaf the one at hand, clipped by the far end of the range.
    fn take(&mut self, leaf: Node) {
        (self.from, self.to) = (0, leaf.leaf_len());
        match self.direction {
            Direction::Forward => {
                let hi = Key::bound(self.index, &self.range.hi);
                self.to = end_of(self.index, &leaf, &hi, 0);
                if self.to < leaf.leaf_len() {
                    self.state = State::Last;
                }
            }
            Direction::Backward => {
                let lo = Key::bound(self.index, &self.range.lo);
                if lo.depth > 0 {
                    self.from = leaf.leaf_position(self.index, &lo);
                }
                if self.from > 0 {
                    self.state = State::Last;
                }
            }
        }
        self.leaf = Some(leaf);
    }
}

/// The first row from `from` on that is past the key.
fn end_of(index: Index, leaf: &Node, key: &Key<'_>, from: usize) -> usize {
    if key.depth == 0 && key.at == super::Side::After {
        return leaf.leaf_len();
    }
    leaf.leaf_position_from(index, from, key)
}
