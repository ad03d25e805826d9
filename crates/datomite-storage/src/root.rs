//! The root: the only mutable object of a store, replaced whole.
//!
//! ```text
//! magic 8 · version u32 · compatible u64 · read-only-compatible u64 · incompatible u64
//! · sections (tag u8 · length · bytes), ascending by tag · CRC32C of everything before it
//! ```
//! Sections whose tag is not known are kept and written back, so that a compatible feature of a
//! later version survives a writer that does not know it. The schema is bytes of the crate above.

use std::collections::BTreeMap;

use datomite_model::T;

use crate::backend::{Epoch, Position, Version};
use crate::codec::{Malformed, Reader, put_bytes, put_varint};
use crate::format::{Format, ROOT_MAGIC};
use crate::{DatabaseId, StorageError};

const HEADER_BYTES: usize = 8 + 4 + 3 * 8;
const CHECKSUM_BYTES: usize = 4;

const IDENTITY: u8 = 1;
const WRITER: u8 = 2;
const BASIS: u8 = 3;
const SEGMENTS: u8 = 4;
const TREES: u8 = 5;
const SCHEMA: u8 = 6;
const PREVIOUS: u8 = 7;

/// How far a database has come: its last transaction and the counters behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Basis {
    /// The last transaction.
    pub t: T,
    /// The t that the next transaction gets.
    pub next_t: T,
    /// The counter of the next schema element.
    pub next_element: u64,
}

/// A file of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Its name.
    pub name: String,
    /// The position of its first byte.
    pub start: Position,
    /// Where it ends and what it must hold; `None` while it is written to.
    pub seal: Option<Seal>,
}

/// The end of a segment that is not written to any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seal {
    /// The position after its last byte.
    pub end: Position,
    /// CRC32C of its bytes, header left out.
    pub checksum: u32,
}

/// Where a node of a stored tree lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NodeRef {
    /// The pack, by the epoch and the counter that name it.
    pub pack: (Epoch, u64),
    /// The first byte within it.
    pub offset: u64,
    /// How many bytes.
    pub length: u32,
    /// xxh3-128 of the bytes, checked at every load.
    pub hash: u128,
}

/// The two trees of an index.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Trees {
    /// What holds at the basis.
    pub current: Option<NodeRef>,
    /// What held before.
    pub history: Option<NodeRef>,
}

/// The root of a store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Root {
    /// Version and features.
    pub format: Format,
    /// The database.
    pub id: DatabaseId,
    /// The database it was forked from, and at which t.
    pub parent: Option<(DatabaseId, T)>,
    /// The writer that holds the store.
    pub epoch: Epoch,
    /// Which root this is.
    pub generation: Version,
    /// Up to here the trees hold everything and the log was whole when this root was written.
    pub basis: Option<Basis>,
    /// The end of the log at that basis.
    pub position: Position,
    /// The files of the log, ascending; empty where the backend keeps it otherwise.
    pub segments: Vec<Segment>,
    /// The trees by the name of their index; open-ended.
    pub trees: BTreeMap<String, Trees>,
    /// The schema and every ident that ever was, as the crate above encodes them.
    pub schema: Vec<u8>,
    /// The generation and checksum of the root before this one.
    pub previous: Option<(Version, u32)>,
    other: Vec<(u8, Vec<u8>)>,
}

impl Root {
    /// The first root of a new database.
    pub fn new(id: DatabaseId, parent: Option<(DatabaseId, T)>, epoch: Epoch) -> Root {
        Root {
            format: Format::CURRENT,
            id,
            parent,
            epoch,
            generation: Version::NONE.next(),
            basis: None,
            position: Position::default(),
            segments: Vec::new(),
            trees: BTreeMap::new(),
            schema: Vec::new(),
            previous: None,
            other: Vec::new(),
        }
    }

    /// Makes this the next generation, to be changed and swapped in; `bytes` is its present form.
    pub(crate) fn advance(&mut self, bytes: &[u8]) {
        self.previous = Some((self.generation, checksum(bytes)));
        self.generation = self.generation.next();
    }

    /// Makes this the next generation, held by another writer.
    pub(crate) fn take_over(&mut self, epoch: Epoch) {
        let bytes = self.encode();
        self.advance(&bytes);
        self.epoch = epoch;
    }

    /// The root as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(&ROOT_MAGIC);
        out.extend_from_slice(&self.format.version.to_le_bytes());
        out.extend_from_slice(&self.format.compatible.to_le_bytes());
        out.extend_from_slice(&self.format.read_only_compatible.to_le_bytes());
        out.extend_from_slice(&self.format.incompatible.to_le_bytes());
        let mut sections = vec![
            (IDENTITY, self.identity_section()),
            (WRITER, self.writer_section()),
            (BASIS, self.basis_section()),
            (SEGMENTS, self.segments_section()),
            (TREES, self.trees_section()),
            (SCHEMA, self.schema.clone()),
            (PREVIOUS, self.previous_section()),
        ];
        sections.extend(self.other.iter().cloned());
        for (tag, body) in sections {
            out.push(tag);
            put_bytes(&mut out, &body);
        }
        let sum = crc32c::crc32c(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }

    /// Reads a root; `file` is how an error names it.
    pub fn decode(bytes: &[u8], file: &str) -> Result<Root, StorageError> {
        let damaged = |what: &str| StorageError::Damaged {
            file: file.to_owned(),
            after: None,
            what: what.to_owned(),
        };
        if bytes.len() < HEADER_BYTES + CHECKSUM_BYTES || bytes[..8] != ROOT_MAGIC {
            return Err(damaged("it is not the root of a store"));
        }
        let (body, _) = bytes.split_at(bytes.len() - CHECKSUM_BYTES);
        if crc32c::crc32c(body) != checksum(bytes) {
            return Err(damaged("the checksum of the root does not match"));
        }
        Root::decode_body(&body[8..]).map_err(|error| match error {
            DecodeError::Malformed(Malformed(what)) => damaged(what),
            DecodeError::Storage(error) => error,
        })
    }

    fn decode_body(body: &[u8]) -> Result<Root, DecodeError> {
        let mut reader = Reader::new(body);
        let format = Format {
            version: reader.u32()?,
            compatible: reader.u64()?,
            read_only_compatible: reader.u64()?,
            incompatible: reader.u64()?,
        };
        format.check_readable().map_err(DecodeError::Storage)?;
        let mut root = Root::new(DatabaseId::new(0), None, Epoch::default());
        root.format = format;
        while !reader.is_empty() {
            let tag = reader.u8()?;
            let bytes = reader.bytes()?;
            let mut section = Reader::new(bytes);
            match tag {
                IDENTITY => root.take_identity(&mut section)?,
                WRITER => {
                    root.epoch = Epoch::new(section.varint()?);
                    root.generation = Version::new(section.varint()?);
                }
                BASIS => root.take_basis(&mut section)?,
                SEGMENTS => root.take_segments(&mut section)?,
                TREES => root.take_trees(&mut section)?,
                SCHEMA => root.schema = bytes.to_vec(),
                PREVIOUS => {
                    root.previous = match section.u8()? {
                        0 => None,
                        _ => Some((Version::new(section.varint()?), section.u32()?)),
                    }
                }
                _ => root.other.push((tag, bytes.to_vec())),
            }
        }
        Ok(root)
    }

    fn identity_section(&self) -> Vec<u8> {
        let mut out = self.id.raw().to_le_bytes().to_vec();
        match self.parent {
            None => out.push(0),
            Some((id, t)) => {
                out.push(1);
                out.extend_from_slice(&id.raw().to_le_bytes());
                put_varint(&mut out, t.raw());
            }
        }
        out
    }

    fn take_identity(&mut self, section: &mut Reader<'_>) -> Result<(), Malformed> {
        self.id = DatabaseId::new(section.u128()?);
        self.parent = match section.u8()? {
            0 => None,
            _ => Some((DatabaseId::new(section.u128()?), T::new(section.varint()?))),
        };
        Ok(())
    }

    fn writer_section(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(&mut out, self.epoch.raw());
        put_varint(&mut out, self.generation.raw());
        out
    }

    fn basis_section(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(&mut out, self.position.raw());
        match self.basis {
            None => out.push(0),
            Some(basis) => {
                out.push(1);
                put_varint(&mut out, basis.t.raw());
                put_varint(&mut out, basis.next_t.raw());
                put_varint(&mut out, basis.next_element);
            }
        }
        out
    }

    fn take_basis(&mut self, section: &mut Reader<'_>) -> Result<(), Malformed> {
        self.position = Position::new(section.varint()?);
        self.basis = match section.u8()? {
            0 => None,
            _ => Some(Basis {
                t: T::new(section.varint()?),
                next_t: T::new(section.varint()?),
                next_element: section.varint()?,
            }),
        };
        Ok(())
    }

    fn segments_section(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(&mut out, self.segments.len() as u64);
        for segment in &self.segments {
            put_bytes(&mut out, segment.name.as_bytes());
            put_varint(&mut out, segment.start.raw());
            match segment.seal {
                None => out.push(0),
                Some(seal) => {
                    out.push(1);
                    put_varint(&mut out, seal.end.raw());
                    out.extend_from_slice(&seal.checksum.to_le_bytes());
                }
            }
        }
        out
    }

    fn take_segments(&mut self, section: &mut Reader<'_>) -> Result<(), Malformed> {
        for _ in 0..section.count(3)? {
            self.segments.push(Segment {
                name: section.text()?.to_owned(),
                start: Position::new(section.varint()?),
                seal: match section.u8()? {
                    0 => None,
                    _ => Some(Seal {
                        end: Position::new(section.varint()?),
                        checksum: section.u32()?,
                    }),
                },
            });
        }
        Ok(())
    }

    fn trees_section(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(&mut out, self.trees.len() as u64);
        for (name, trees) in &self.trees {
            put_bytes(&mut out, name.as_bytes());
            put_node(&mut out, trees.current);
            put_node(&mut out, trees.history);
        }
        out
    }

    fn take_trees(&mut self, section: &mut Reader<'_>) -> Result<(), Malformed> {
        for _ in 0..section.count(3)? {
            let name = section.text()?.to_owned();
            let trees = Trees {
                current: take_node(section)?,
                history: take_node(section)?,
            };
            self.trees.insert(name, trees);
        }
        Ok(())
    }

    fn previous_section(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self.previous {
            None => out.push(0),
            Some((generation, sum)) => {
                out.push(1);
                put_varint(&mut out, generation.raw());
                out.extend_from_slice(&sum.to_le_bytes());
            }
        }
        out
    }
}

enum DecodeError {
    Malformed(Malformed),
    Storage(StorageError),
}

impl From<Malformed> for DecodeError {
    fn from(malformed: Malformed) -> DecodeError {
        DecodeError::Malformed(malformed)
    }
}

fn put_node(out: &mut Vec<u8>, node: Option<NodeRef>) {
    match node {
        None => out.push(0),
        Some(node) => {
            out.push(1);
            put_varint(out, node.pack.0.raw());
            put_varint(out, node.pack.1);
            put_varint(out, node.offset);
            put_varint(out, u64::from(node.length));
            out.extend_from_slice(&node.hash.to_le_bytes());
        }
    }
}

fn take_node(section: &mut Reader<'_>) -> Result<Option<NodeRef>, Malformed> {
    if section.u8()? == 0 {
        return Ok(None);
    }
    Ok(Some(NodeRef {
        pack: (Epoch::new(section.varint()?), section.varint()?),
        offset: section.varint()?,
        length: u32::try_from(section.varint()?).map_err(|_| Malformed("a node too long"))?,
        hash: section.u128()?,
    }))
}

/// The last four bytes of an encoded root.
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    let at = bytes.len().saturating_sub(CHECKSUM_BYTES);
    let mut sum = [0; CHECKSUM_BYTES];
    let tail = &bytes[at..];
    sum[..tail.len()].copy_from_slice(tail);
    u32::from_le_bytes(sum)
}

#[cfg(test)]
mod tests;
