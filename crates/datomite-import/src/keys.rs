//! Keys: from the text of key columns to the entity of a row.
//!
//! A key is compared as Postgres compares it: integers by number, `char(n)` without padding,
//! `citext` without case, decimals without trailing zeros. The text of both sides is brought to
//! the form of the *referred* column's type. This map is what an import holds in memory besides
//! its batch: sixteen bytes a row for integer keys.

use datomite::{EntityId, Instant};
use rustc_hash::FxHashMap;

use crate::catalog::Name;
use crate::convert::{Scalar, calendar, long};
use crate::mapping::{Plan, Reference};
use crate::types::Shape;

/// How one column of a key is brought to its canonical form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    Long,
    Decimal,
    Padded,
    Folded,
    Instant(bool),
    Uuid,
    Text,
}

impl Part {
    pub(crate) fn of(shape: &Shape) -> Part {
        if shape.folds {
            return Part::Folded;
        }
        match shape.scalar() {
            Some(Scalar::Long) => Part::Long,
            Some(Scalar::BigDec) => Part::Decimal,
            Some(Scalar::Padded) => Part::Padded,
            Some(Scalar::Timestamp) => Part::Instant(false),
            Some(Scalar::TimestampZone) => Part::Instant(true),
            Some(Scalar::Uuid) => Part::Uuid,
            _ => Part::Text,
        }
    }

    fn write(self, text: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        match self {
            Part::Long => match long(text) {
                Some(n) => out.extend_from_slice(&n.to_be_bytes()),
                None => out.extend_from_slice(text),
            },
            Part::Decimal => {
                let text = match memchr::memchr(b'.', text) {
                    Some(_) => text
                        .trim_ascii_end_matches(b'0')
                        .trim_ascii_end_matches(b'.'),
                    None => text,
                };
                out.extend_from_slice(if text == b"-0" { b"0" } else { text });
            }
            Part::Padded => out.extend_from_slice(text.trim_ascii_end_matches(b' ')),
            Part::Folded => {
                let folded = String::from_utf8_lossy(text).to_lowercase();
                out.extend_from_slice(folded.as_bytes());
            }
            Part::Instant(zone) => match calendar::instant(text, zone) {
                Some(instant) => write_instant(instant, out),
                None => out.extend_from_slice(text),
            },
            Part::Uuid => match std::str::from_utf8(text).map(datomite::Uuid::parse_str) {
                Ok(Ok(uuid)) => out.extend_from_slice(uuid.as_bytes()),
                _ => out.extend_from_slice(text),
            },
            Part::Text => out.extend_from_slice(text),
        }
        // The length keeps ("a", "bc") and ("ab", "c") apart.
        let len = (out.len() - start) as u64;
        out.extend_from_slice(&len.to_be_bytes());
    }
}

fn write_instant(instant: Instant, out: &mut Vec<u8>) {
    out.extend_from_slice(&instant.ms().to_be_bytes());
    out.extend_from_slice(&instant.us().to_be_bytes());
}

trait TrimEnd {
    fn trim_ascii_end_matches(&self, byte: u8) -> &[u8];
}

impl TrimEnd for [u8] {
    fn trim_ascii_end_matches(&self, byte: u8) -> &[u8] {
        let kept = self.iter().rposition(|b| *b != byte).map_or(0, |n| n + 1);
        &self[..kept]
    }
}

/// The rows of one table by one of its keys.
#[derive(Clone, Debug)]
pub(crate) struct KeyMap {
    pub(crate) table: Name,
    pub(crate) columns: Vec<String>,
    parts: Vec<Part>,
    longs: FxHashMap<i64, u64>,
    others: FxHashMap<Box<[u8]>, u64>,
}

impl KeyMap {
    fn is_long(&self) -> bool {
        self.parts == [Part::Long]
    }

    fn write<'a>(&self, texts: impl Iterator<Item = &'a [u8]>, out: &mut Vec<u8>) {
        out.clear();
        for (part, text) in self.parts.iter().zip(texts) {
            part.write(text, out);
        }
    }

    /// Notes the key of a row. Of two rows with one key the first stays.
    pub(crate) fn insert(&mut self, texts: &[&[u8]], entity: EntityId, scratch: &mut Vec<u8>) {
        match (self.is_long(), texts) {
            (true, [text]) => {
                if let Some(n) = long(text) {
                    self.longs.entry(n).or_insert(entity.raw());
                }
            }
            _ => {
                self.write(texts.iter().copied(), scratch);
                self.others
                    .entry(scratch.as_slice().into())
                    .or_insert(entity.raw());
            }
        }
    }

    /// The row with that key.
    pub(crate) fn get(&self, texts: &[&[u8]], scratch: &mut Vec<u8>) -> Option<EntityId> {
        let raw = match (self.is_long(), texts) {
            (true, [text]) => self.longs.get(&long(text)?),
            _ => {
                self.write(texts.iter().copied(), scratch);
                self.others.get(scratch.as_slice())
            }
        };
        raw.copied().map(EntityId::new)
    }
}

/// The keys that some foreign key refers to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    pub(crate) maps: Vec<KeyMap>,
    index: FxHashMap<(Name, Vec<String>), usize>,
}

impl Keys {
    /// Empty maps for every key that the plan's references need.
    pub(crate) fn of_plan(plan: &Plan) -> Keys {
        let mut keys = Keys::default();
        for relation in &plan.relations {
            for column in &relation.columns {
                if let Some(reference) = &column.reference {
                    keys.add(plan, reference);
                }
            }
            for reference in &relation.references {
                keys.add(plan, &reference.reference);
            }
        }
        for bridge in &plan.bridges {
            keys.add(plan, &bridge.from.1);
            keys.add(plan, &bridge.to.1);
        }
        keys
    }

    fn add(&mut self, plan: &Plan, reference: &Reference) {
        let key = (reference.target.clone(), reference.target_columns.clone());
        if self.index.contains_key(&key) {
            return;
        }
        let part = |name: &String| {
            let relation = plan.relation(&reference.target)?;
            let column = relation.columns.iter().find(|c| c.column == *name)?;
            Some(Part::of(&column.shape))
        };
        let parts = reference
            .target_columns
            .iter()
            .map(|name| part(name).unwrap_or(Part::Text))
            .collect();
        self.index.insert(key, self.maps.len());
        self.maps.push(KeyMap {
            table: reference.target.clone(),
            columns: reference.target_columns.clone(),
            parts,
            longs: FxHashMap::default(),
            others: FxHashMap::default(),
        });
    }

    /// The place in `maps` of the key that a reference needs.
    pub(crate) fn position(&self, reference: &Reference) -> Option<usize> {
        let key = (reference.target.clone(), reference.target_columns.clone());
        self.index.get(&key).copied()
    }
}
