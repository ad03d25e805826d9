//! A column of the values of one attribute in a packed block.
//!
//! Chooses the tightest of five forms when built and never changes. A dictionary is local to its
//! column and sorted, so that codes compare as the values do. Texts over 1 KiB, and types without
//! a word, keep their `Value` (an `Arc`) once per distinct value.

use std::cmp::Ordering;
use std::ops::Range;

use datomite_model::{Uuid, Value, ValueRef, ValueType};
use rustc_hash::FxHashMap;

use super::Side;
use super::ints::{Ints, gallop, partition};
use super::order::Key;
use super::slot::{cmp_utf16, rank, uuid_key};
use super::word;

pub(super) enum Column {
    /// Words of one scalar type.
    Words(ValueType, Ints),
    Uuids(Box<[Uuid]>),
    Text(Text),
    /// Texts with repetitions: codes into sorted words.
    Dict {
        codes: Ints,
        words: Text,
    },
    /// Everything else: codes into sorted distinct values.
    Any {
        codes: Ints,
        values: Box<[Value]>,
    },
}

/// Texts one after the other.
pub(super) struct Text {
    /// Where each begins, and where the last ends.
    starts: Ints,
    text: Box<str>,
}

impl Text {
    fn pack<'a>(texts: impl Iterator<Item = &'a str>, scratch: &mut Vec<u64>) -> Text {
        let mut text = String::new();
        scratch.clear();
        scratch.push(0);
        for part in texts {
            text.push_str(part);
            scratch.push(text.len() as u64);
        }
        Text {
            starts: Ints::pack(scratch),
            text: text.into_boxed_str(),
        }
    }

    #[inline]
    pub(super) fn get(&self, row: usize) -> &str {
        &self.text[self.starts.get(row) as usize..self.starts.get(row + 1) as usize]
    }

    fn heap_bytes(&self) -> usize {
        self.text.len() + self.starts.heap_bytes()
    }
}

impl Column {
    /// Packs the values of rows, in the order of the rows.
    pub(super) fn pack(values: &[ValueRef<'_>], scratch: &mut Vec<u64>) -> Column {
        match values.first() {
            Some(ValueRef::String(_)) => Column::pack_texts(values, scratch),
            Some(ValueRef::Uuid(_)) => Column::pack_uuids(values),
            _ => Column::pack_words(values, scratch),
        }
        .unwrap_or_else(|| Column::pack_any(values))
    }

    fn pack_words(values: &[ValueRef<'_>], scratch: &mut Vec<u64>) -> Option<Column> {
        let (first, _) = word::of(*values.first()?)?;
        scratch.clear();
        for value in values {
            let (value_type, word) = word::of(*value)?;
            if value_type != first {
                return None;
            }
            scratch.push(word);
        }
        Some(Column::Words(first, Ints::pack(scratch)))
    }

    fn pack_uuids(values: &[ValueRef<'_>]) -> Option<Column> {
        let uuid = |value: &ValueRef<'_>| match value {
            ValueRef::Uuid(uuid) => Some(*uuid),
            _ => None,
        };
        values
            .iter()
            .map(uuid)
            .collect::<Option<_>>()
            .map(Column::Uuids)
    }

    fn pack_texts(values: &[ValueRef<'_>], scratch: &mut Vec<u64>) -> Option<Column> {
        let mut texts = Vec::with_capacity(values.len());
        for value in values {
            match value {
                ValueRef::String(text) => texts.push(*text),
                _ => return None,
            }
        }
        let dictionary = Column::pack_dictionary(&texts, scratch);
        Some(dictionary.unwrap_or_else(|| Column::Text(Text::pack(texts.into_iter(), scratch))))
    }

    /// A dictionary, where at most half of the texts are distinct.
    fn pack_dictionary(texts: &[&str], scratch: &mut Vec<u64>) -> Option<Column> {
        let words = Column::code(texts, scratch)?;
        let ascending = words.is_sorted_by(|x, y| cmp_utf16(x, y).is_le());
        let mut sorted: Vec<u32> = (0..words.len() as u32).collect();
        if !ascending {
            sorted.sort_unstable_by(|x, y| cmp_utf16(words[*x as usize], words[*y as usize]));
            let mut code_of = vec![0; words.len()];
            for (code, old) in sorted.iter().enumerate() {
                code_of[*old as usize] = code as u64;
            }
            for code in scratch.iter_mut() {
                *code = code_of[*code as usize];
            }
        }
        let codes = Ints::pack(scratch);
        let words = Text::pack(sorted.iter().map(|old| words[*old as usize]), scratch);
        Some(Column::Dict { codes, words })
    }

    /// The distinct texts in the order in which they come, and the code of each text in `codes`;
    /// gives up where too many are distinct, soon if the first ones are.
    fn code<'a>(texts: &[&'a str], codes: &mut Vec<u64>) -> Option<Vec<&'a str>> {
        const SAMPLE: usize = 64;
        let mut seen: FxHashMap<&str, u32> = FxHashMap::default();
        seen.reserve(SAMPLE.min(texts.len()));
        let mut words: Vec<&str> = Vec::new();
        codes.clear();
        let mut last: Option<(&str, u32)> = None;
        for (row, text) in texts.iter().enumerate() {
            let code = match last {
                Some((same, code)) if same == *text => code,
                _ => *seen.entry(text).or_insert_with(|| {
                    words.push(text);
                    words.len() as u32 - 1
                }),
            };
            let sampled = row + 1 == SAMPLE && words.len() > SAMPLE * 7 / 8;
            if words.len() * 2 > texts.len() || sampled {
                return None;
            }
            last = Some((text, code));
            codes.push(u64::from(code));
        }
        Some(words)
    }

    fn pack_any(values: &[ValueRef<'_>]) -> Column {
        let values: Vec<Value> = values.iter().map(|value| value.to_value()).collect();
        let mut sorted: Vec<usize> = (0..values.len()).collect();
        let ascending = values.windows(2).all(|pair| pair[0] <= pair[1]);
        if !ascending {
            sorted.sort_by(|x, y| values[*x].storage_cmp(&values[*y]));
        }
        let mut codes = vec![0; values.len()];
        let mut distinct: Vec<Value> = Vec::new();
        for row in sorted {
            if distinct.last() != Some(&values[row]) {
                distinct.push(values[row].clone());
            }
            codes[row] = distinct.len() as u64 - 1;
        }
        Column::Any {
            codes: Ints::pack(&codes),
            values: distinct.into_boxed_slice(),
        }
    }

    #[inline]
    pub(super) fn get(&self, row: usize) -> ValueRef<'_> {
        match self {
            Column::Words(value_type, words) => word::to_value(*value_type, words.get(row))
                .expect("invariant: a column of words has a type with words"),
            Column::Uuids(uuids) => ValueRef::Uuid(uuids[row]),
            Column::Text(text) => ValueRef::String(text.get(row)),
            Column::Dict { codes, words } => ValueRef::String(words.get(codes.get(row) as usize)),
            Column::Any { codes, values } => super::slot::plain(&values[codes.get(row) as usize]),
        }
    }

    /// The text of a row; empty where the value is not a string.
    #[inline]
    pub(super) fn text(&self, row: usize) -> &str {
        match self {
            Column::Text(text) => text.get(row),
            Column::Dict { codes, words } => words.get(codes.get(row) as usize),
            Column::Any { codes, values } => values[codes.get(row) as usize].as_str().unwrap_or(""),
            _ => "",
        }
    }

    /// Whether every value is a string.
    pub(super) fn is_text(&self) -> bool {
        match self {
            Column::Text(_) | Column::Dict { .. } => true,
            // Types sort apart, so the ends tell of all.
            Column::Any { values, .. } => {
                values.first().is_some_and(|v| v.as_str().is_some())
                    && values.last().is_some_and(|v| v.as_str().is_some())
            }
            _ => false,
        }
    }

    /// The first of these rows, whose values must ascend, that is not before (`Side::Before`: is
    /// at least; `Side::After`: is over) the value of the key.
    pub(super) fn bound(&self, rows: Range<usize>, key: &Key<'_>, side: Side) -> usize {
        let value = key
            .value
            .expect("invariant: a key compared by value has one");
        match self {
            Column::Words(value_type, words) => match word::of_value(value) {
                Some((same, word)) if same == *value_type => match side {
                    Side::Before => words.lower_bound(rows, word),
                    Side::After => words.upper_bound(rows, word),
                },
                _ if value.value_type() != *value_type => {
                    let before = rank(*value_type) < rank(value.value_type());
                    if before { rows.end } else { rows.start }
                }
                _ => search(rows, side, |row| {
                    self.get(row).to_value().storage_cmp(value)
                }),
            },
            Column::Uuids(uuids) => match value {
                Value::Uuid(x) => search(rows, side, |at| uuid_key(&uuids[at]).cmp(&uuid_key(x))),
                _ => search(rows, side, |at| Value::Uuid(uuids[at]).storage_cmp(value)),
            },
            Column::Text(text) => search(rows, side, |row| cmp_text(text.get(row), value)),
            Column::Dict { codes, words } => {
                let words_n = codes.max() as usize + 1;
                let of = |side| search(0..words_n, side, |code| cmp_text(words.get(code), value));
                codes.lower_bound(rows, of(side) as u64)
            }
            Column::Any { codes, values } => {
                let code = search(0..values.len(), side, |code| {
                    values[code].storage_cmp(value)
                });
                codes.lower_bound(rows, code as u64)
            }
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Column::Words(_, words) => words.heap_bytes(),
            Column::Uuids(uuids) => size_of_val(&**uuids),
            Column::Text(text) => text.heap_bytes(),
            Column::Dict { codes, words } => codes.heap_bytes() + words.heap_bytes(),
            Column::Any { codes, values } => codes.heap_bytes() + size_of_val(&**values),
        }
    }

    /// The values kept whole.
    pub(super) fn whole_values(&self) -> &[Value] {
        match self {
            Column::Any { values, .. } => values,
            _ => &[],
        }
    }
}

fn cmp_text(text: &str, value: &Value) -> Ordering {
    match value {
        Value::String(other) => cmp_utf16(text, other),
        other => rank(ValueType::String).cmp(&rank(other.value_type())),
    }
}

fn search(rows: Range<usize>, side: Side, order: impl Fn(usize) -> Ordering) -> usize {
    match side {
        Side::Before => partition(rows, |row| order(row).is_lt()),
        Side::After => gallop(rows, |row| order(row).is_le()),
    }
}
