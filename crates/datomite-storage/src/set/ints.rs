//! Ints: an immutable column of integers, each as a distance from the least one.
//!
//! Whole bytes, not bits: a row is one unaligned 8-byte load and a mask, and widths 1, 2, 4 and 8
//! decode in plain loops. Width 0 is a constant column. Does not know what the numbers mean.

use std::ops::Range;

pub(super) struct Ints {
    base: u64,
    max: u64,
    /// Bytes a row, 0..=8.
    width: u8,
    /// Rows times width, then `8 - width` bytes more, so that the last row loads 8 bytes too.
    bytes: Box<[u8]>,
}

impl Ints {
    /// Packs numbers in as few bytes a row as the widest distance needs.
    pub(super) fn pack(values: &[u64]) -> Ints {
        let base = values.iter().copied().min().unwrap_or(0);
        let max = values.iter().copied().max().unwrap_or(0);
        let width = (64 - (max - base).leading_zeros()).div_ceil(8) as usize;
        let mut bytes = Vec::new();
        if width > 0 {
            bytes = vec![0; values.len() * width + 8 - width];
            // Eight bytes a row: the next row overwrites what the width leaves over.
            for (row, value) in values.iter().enumerate() {
                let at = row * width;
                bytes[at..at + 8].copy_from_slice(&(value - base).to_le_bytes());
            }
        }
        Ints {
            base,
            max,
            width: width as u8,
            bytes: bytes.into_boxed_slice(),
        }
    }

    /// The least number, and the value of every row where `is_constant`.
    pub(super) fn min(&self) -> u64 {
        self.base
    }

    pub(super) fn max(&self) -> u64 {
        self.max
    }

    pub(super) fn is_constant(&self) -> bool {
        self.width == 0
    }

    #[inline]
    pub(super) fn get(&self, row: usize) -> u64 {
        if self.width == 0 {
            return self.base;
        }
        let width = self.width as usize;
        let at = row * width;
        let bytes: [u8; 8] = self.bytes[at..at + 8]
            .try_into()
            .expect("invariant: eight bytes from every row on");
        let mask = u64::MAX >> (64 - 8 * width);
        self.base + (u64::from_le_bytes(bytes) & mask)
    }

    /// Appends these rows.
    pub(super) fn read(&self, rows: Range<usize>, into: &mut Vec<u64>) {
        match self.width {
            0 => into.resize(into.len() + rows.len(), self.base),
            1 => self.read_width::<1>(rows, into),
            2 => self.read_width::<2>(rows, into),
            3 => self.read_width::<3>(rows, into),
            4 => self.read_width::<4>(rows, into),
            5 => self.read_width::<5>(rows, into),
            6 => self.read_width::<6>(rows, into),
            7 => self.read_width::<7>(rows, into),
            _ => self.read_width::<8>(rows, into),
        }
    }

    fn read_width<const WIDTH: usize>(&self, rows: Range<usize>, into: &mut Vec<u64>) {
        let bytes = &self.bytes[rows.start * WIDTH..rows.end * WIDTH];
        into.extend(bytes.as_chunks::<WIDTH>().0.iter().map(|chunk| {
            let mut word = [0; 8];
            word[..WIDTH].copy_from_slice(chunk);
            self.base + u64::from_le_bytes(word)
        }));
    }

    /// The first of these rows, which must ascend, whose number is at least `x`.
    pub(super) fn lower_bound(&self, rows: Range<usize>, x: u64) -> usize {
        if x <= self.base {
            return rows.start;
        }
        if x > self.max {
            return rows.end;
        }
        partition(rows, |row| self.get(row) < x)
    }

    /// The first of these rows, which must ascend, whose number is over `x`; near the start is
    /// found sooner.
    pub(super) fn upper_bound(&self, rows: Range<usize>, x: u64) -> usize {
        if x < self.base {
            return rows.start;
        }
        if x >= self.max {
            return rows.end;
        }
        gallop(rows, |row| self.get(row) <= x)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.bytes.len()
    }
}

/// The first row of a range for which `before` no longer holds, by bisection.
#[inline]
pub(super) fn partition(rows: Range<usize>, before: impl Fn(usize) -> bool) -> usize {
    let (mut lo, mut hi) = (rows.start, rows.end);
    while lo < hi {
        let mid = lo + (hi - lo) / 2;
        if before(mid) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    lo
}

/// As [`partition`], in steps that double from the start: cheap where the answer is near it.
#[inline]
pub(super) fn gallop(rows: Range<usize>, before: impl Fn(usize) -> bool) -> usize {
    let mut lo = rows.start;
    let mut step = 1;
    while lo + step <= rows.end && before(lo + step - 1) {
        lo += step;
        step *= 2;
    }
    partition(lo..rows.end.min(lo + step), before)
}
