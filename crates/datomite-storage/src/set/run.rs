//! A run: a stretch of rows of one leaf, read by column.
//!
//! Readers append raw numbers to a vector of the caller, so that an executor works on batches of
//! words. Where a block keeps texts in a dictionary, its sorted codes can be read instead of them.

use std::ops::Range;
use std::sync::Arc;

use datomite_model::{EntityId, Index, T, ValueRef, ValueType};

use super::block::Block;
use super::column::{Column, Text};
use super::ints::{Ints, gallop};
use super::node::{Node, Open};
use super::order::{HOLDS, Key};
use super::slot::{cmp_utf16, plain_ref};
use super::{Bound, Fact};

/// A stretch of rows of one leaf, read by column.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    index: Index,
    leaf: Leaf<'a>,
    /// Rows of the leaf.
    from: usize,
    to: usize,
    /// The column of all values and the place of the first, where one column holds them all.
    column: Option<(&'a Column, usize)>,
}

#[derive(Clone, Copy)]
enum Leaf<'a> {
    Open(&'a Arc<Open>),
    Packed(&'a Arc<Block>),
}

impl<'a> Run<'a> {
    /// These rows of a leaf, counted from the start of its window.
    pub(super) fn of(index: Index, leaf: &'a Node, rows: Range<usize>) -> Run<'a> {
        match leaf {
            Node::Open(open) => Run {
                index,
                leaf: Leaf::Open(open),
                from: rows.start,
                to: rows.end,
                column: None,
            },
            Node::Packed(block, start, _) => {
                let start = *start as usize;
                Run::packed(index, block, start + rows.start..start + rows.end)
            }
            _ => unreachable!("invariant: a cursor stands on a leaf"),
        }
    }

    fn packed(index: Index, block: &'a Arc<Block>, rows: Range<usize>) -> Run<'a> {
        let column = if rows.is_empty() {
            None
        } else {
            block.one_column(index, &rows)
        };
        Run {
            index,
            leaf: Leaf::Packed(block),
            from: rows.start,
            to: rows.end,
            column,
        }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.to - self.from
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.from == self.to
    }

    /// The entity of a row.
    pub fn e(&self, row: usize) -> EntityId {
        EntityId::new(match self.leaf {
            Leaf::Open(open) => open.rows[self.from + row].e,
            Leaf::Packed(block) => block.e.get(self.from + row),
        })
    }

    /// The attribute of a row.
    pub fn a(&self, row: usize) -> EntityId {
        EntityId::new(match self.leaf {
            Leaf::Open(open) => open.rows[self.from + row].a,
            Leaf::Packed(block) => block.a(self.from + row),
        })
    }

    /// The value of a row, borrowed.
    pub fn v(&self, row: usize) -> ValueRef<'a> {
        match (self.leaf, self.column) {
            (_, Some((column, first))) => column.get(first + row),
            (Leaf::Open(open), _) => plain_ref(open.row(self.from + row).v),
            (Leaf::Packed(block), None) => block.v(self.from + row),
        }
    }

    /// The asserting transaction of a row.
    pub fn t(&self, row: usize) -> T {
        T::new(match self.leaf {
            Leaf::Open(open) => open.rows[self.from + row].t,
            Leaf::Packed(block) => block.t.get(self.from + row),
        })
    }

    /// The retracting transaction of a row; `None` while it holds.
    pub fn out(&self, row: usize) -> Option<T> {
        let out = match self.leaf {
            Leaf::Open(open) => open.rows[self.from + row].out,
            Leaf::Packed(block) => block.out.get(self.from + row),
        };
        (out != HOLDS).then(|| T::new(out))
    }

    /// An owned copy of a row.
    pub fn fact(&self, row: usize) -> Fact {
        let value = match self.leaf {
            Leaf::Open(open) => open.row(self.from + row).v,
            Leaf::Packed(_) => self.v(row),
        };
        Fact {
            e: self.e(row),
            a: self.a(row),
            v: value.to_value(),
            t: self.t(row),
            out: self.out(row),
        }
    }

    /// These rows of the run as a run.
    pub fn slice(&self, rows: Range<usize>) -> Run<'a> {
        assert!(rows.start <= rows.end && rows.end <= self.len());
        let rows = self.from + rows.start..self.from + rows.end;
        match self.leaf {
            Leaf::Packed(block) => Run::packed(self.index, block, rows),
            Leaf::Open(_) => Run {
                from: rows.start,
                to: rows.end,
                ..*self
            },
        }
    }

    /// The first row that is not before a position.
    pub fn lower_bound(&self, bound: &Bound) -> usize {
        let key = Key::bound(self.index, bound);
        match self.leaf {
            Leaf::Open(open) => open.position(self.index, &key).clamp(self.from, self.to),
            Leaf::Packed(block) => block.position(self.index, self.from..self.to, &key),
        }
        .saturating_sub(self.from)
    }

    /// Appends the entity ids of these rows.
    pub fn read_e(&self, rows: Range<usize>, into: &mut Vec<u64>) {
        match self.leaf {
            Leaf::Open(open) => into.extend(self.rows(open, rows).iter().map(|row| row.e)),
            Leaf::Packed(block) => block.e.read(self.shift(rows), into),
        }
    }

    /// Appends the attribute ids of these rows.
    pub fn read_a(&self, rows: Range<usize>, into: &mut Vec<u64>) {
        match self.leaf {
            Leaf::Open(open) => into.extend(self.rows(open, rows).iter().map(|row| row.a)),
            Leaf::Packed(block) => block.read_a(self.shift(rows), into),
        }
    }

    /// Appends the asserting t of these rows.
    pub fn read_t(&self, rows: Range<usize>, into: &mut Vec<u64>) {
        match self.leaf {
            Leaf::Open(open) => into.extend(self.rows(open, rows).iter().map(|row| row.t)),
            Leaf::Packed(block) => block.t.read(self.shift(rows), into),
        }
    }

    /// Appends the retracting t of these rows; `u64::MAX` while a fact holds.
    pub fn read_out(&self, rows: Range<usize>, into: &mut Vec<u64>) {
        match self.leaf {
            Leaf::Open(open) => into.extend(self.rows(open, rows).iter().map(|row| row.out)),
            Leaf::Packed(block) => block.out.read(self.shift(rows), into),
        }
    }

    fn rows(&self, open: &'a Open, rows: Range<usize>) -> &'a [super::order::Row] {
        &open.rows[self.shift(rows)]
    }

    fn shift(&self, rows: Range<usize>) -> Range<usize> {
        assert!(rows.end <= self.len());
        self.from + rows.start..self.from + rows.end
    }

    /// The first entity id, where the ids of the rows are first, first + 1, and so on.
    pub fn consecutive_e(&self) -> Option<u64> {
        if self.is_empty() {
            return None;
        }
        let first = self.e(0).raw();
        let last = self.e(self.len() - 1).raw();
        if last.checked_sub(first)? != self.len() as u64 - 1 {
            return None;
        }
        let in_turn = match self.leaf {
            Leaf::Packed(block) if block.consecutive => true,
            Leaf::Packed(block) => (self.from..self.to)
                .zip(first..)
                .all(|(row, id)| block.e.get(row) == id),
            Leaf::Open(open) => {
                let rows = &open.rows[self.from..self.to];
                rows.iter().zip(first..).all(|(row, id)| row.e == id)
            }
        };
        in_turn.then_some(first)
    }

    /// The first row from `from` on whose entity id is at least `e`. The ids must ascend, as
    /// they do in a run of one attribute of AEVT, and in EAVT. Near `from` is found sooner.
    pub fn lower_bound_e(&self, from: usize, e: u64) -> usize {
        let rows = self.from + from..self.to;
        let at = match self.leaf {
            Leaf::Open(open) => gallop(rows, |row| open.rows[row].e < e),
            Leaf::Packed(block) => super::block::gallop_to(&block.e, rows, e),
        };
        at - self.from
    }

    /// The type of all values of the run, where it is one that has words (see [`super::word`]).
    pub fn word_type(&self) -> Option<ValueType> {
        match (self.leaf, self.column) {
            (_, Some((Column::Words(value_type, _), _))) => Some(*value_type),
            (Leaf::Open(open), _) => {
                let rows = &open.rows[self.from..self.to];
                let first = rows.first()?.v.word_type();
                rows.iter()
                    .all(|row| row.v.word_type() == first)
                    .then_some(first)?
            }
            _ => None,
        }
    }

    /// Appends the words of these rows, where [`Run::word_type`] is some.
    pub fn read_words(&self, rows: Range<usize>, into: &mut Vec<u64>) {
        match (self.leaf, self.column) {
            (_, Some((Column::Words(_, words), first))) => {
                words.read(first + rows.start..first + rows.end, into);
            }
            (Leaf::Open(open), _) => {
                into.extend(self.rows(open, rows).iter().map(|row| row.v.to_word()));
            }
            _ => {}
        }
    }

    /// The texts, where all values of the run are strings.
    pub fn texts(&self) -> Option<TextSource> {
        match (self.leaf, self.column) {
            (Leaf::Packed(block), Some((column, _))) if column.is_text() => {
                Some(TextSource(Texts::Packed {
                    block: Arc::clone(block),
                    from: self.from,
                }))
            }
            (Leaf::Open(open), _) => {
                let mut rows = open.rows[self.from..self.to].iter();
                rows.all(|row| row.v.as_str(&open.side).is_some()).then(|| {
                    TextSource(Texts::Open {
                        open: Arc::clone(open),
                        from: self.from,
                    })
                })
            }
            _ => None,
        }
    }

    /// The dictionary of the texts, where the block has one.
    pub fn codes(&self) -> Option<Codes<'a>> {
        match self.column {
            Some((Column::Dict { codes, words }, first)) => Some(Codes {
                codes,
                words,
                first,
            }),
            _ => None,
        }
    }

    /// No row was asserted later than this.
    pub fn max_t(&self) -> T {
        T::new(match self.leaf {
            Leaf::Packed(block) => block.t.max(),
            Leaf::Open(open) => {
                let rows = open.rows[self.from..self.to].iter();
                rows.map(|row| row.t).max().unwrap_or(0)
            }
        })
    }

    /// Whether every fact of the run surely still holds.
    pub fn all_hold(&self) -> bool {
        match self.leaf {
            Leaf::Packed(block) => block.all_hold(),
            Leaf::Open(open) => open.rows[self.from..self.to]
                .iter()
                .all(|row| row.out == HOLDS),
        }
    }
}

/// The texts of a run, kept alive without borrowing from it; cloning is a reference count.
#[derive(Clone)]
pub struct TextSource(Texts);

#[derive(Clone)]
enum Texts {
    Open { open: Arc<Open>, from: usize },
    Packed { block: Arc<Block>, from: usize },
}

impl TextSource {
    /// The text of a row, numbered as in the run.
    pub fn get(&self, row: usize) -> &str {
        match &self.0 {
            Texts::Open { open, from } => open.rows[from + row]
                .v
                .as_str(&open.side)
                .unwrap_or_default(),
            Texts::Packed { block, from } => {
                let (column, place) = block.place(from + row);
                column.text(place)
            }
        }
    }
}

/// The sorted dictionary that a block keeps for the texts of a run.
#[derive(Clone, Copy)]
pub struct Codes<'a> {
    codes: &'a Ints,
    words: &'a Text,
    first: usize,
}

impl<'a> Codes<'a> {
    /// How many words the dictionary has; codes are below this.
    pub fn words(&self) -> usize {
        self.codes.max() as usize + 1
    }

    /// The word of a code; words ascend with their codes.
    pub fn word(&self, code: u64) -> &'a str {
        self.words.get(code as usize)
    }

    /// The code of a word, where the dictionary has it.
    pub fn code(&self, word: &str) -> Option<u64> {
        let before = |code| cmp_utf16(self.words.get(code), word).is_lt();
        let code = super::ints::partition(0..self.words(), before);
        (code < self.words() && self.words.get(code) == word).then_some(code as u64)
    }

    /// Appends the codes of these rows, numbered as in the run.
    pub fn read(&self, rows: Range<usize>, codes: &mut Vec<u64>) {
        self.codes
            .read(self.first + rows.start..self.first + rows.end, codes);
    }
}
