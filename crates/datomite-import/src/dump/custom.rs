//! The custom archive of `pg_dump -Fc`, versions 1.12 to 1.16: header, table of contents, data.
//!
//! Where the first table of contents has no offsets (a dump into a pipe; `pg_dump > file` of
//! versions 17 and 18, which glue a second table to the end) the blocks are walked one by one.
//! Nothing is allocated on the word of a length field alone, and no block is trusted to be
//! whole: what is cut is an error that names the table.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use crate::ImportError;
use crate::error::Place;

/// Where the data of an entry stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Data {
    Unknown,
    At(u64),
    None,
}

/// An entry of the table of contents; texts are in the dump's encoding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    pub(crate) dump_id: i64,
    pub(crate) tag: Vec<u8>,
    pub(crate) kind: Vec<u8>,
    pub(crate) definition: Vec<u8>,
    pub(crate) copy: Option<Vec<u8>>,
    pub(crate) namespace: Vec<u8>,
    pub(crate) has_data: bool,
    pub(crate) data: Data,
}

/// The compression of data blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Compression {
    None,
    Gzip,
}

/// An opened archive.
#[derive(Clone, Debug)]
pub(crate) struct Archive {
    pub(crate) compression: Compression,
    /// When it was made: second, minute, hour, day, month from 0, years since 1900; no zone.
    pub(crate) created: [i64; 6],
    pub(crate) entries: Vec<Entry>,
    int_bytes: usize,
}

/// A reader that knows where it is, for the primitive encodings.
struct Source<'f> {
    file: BufReader<&'f File>,
    at: u64,
    len: u64,
    int_bytes: usize,
    offset_bytes: usize,
}

impl Source<'_> {
    fn error(&self, what: &str) -> ImportError {
        ImportError::Archive {
            what: what.to_owned(),
            offset: self.at,
        }
    }

    fn cut(&self, what: &str) -> ImportError {
        ImportError::Cut {
            place: Box::default(),
            what: format!("the archive ends at byte {} within {what}", self.len),
        }
    }

    fn bytes<const N: usize>(&mut self, what: &str) -> Result<[u8; N], ImportError> {
        let mut bytes = [0; N];
        if self.file.read_exact(&mut bytes).is_err() {
            return Err(self.cut(what));
        }
        self.at += N as u64;
        Ok(bytes)
    }

    fn byte(&mut self, what: &str) -> Result<u8, ImportError> {
        Ok(self.bytes::<1>(what)?[0])
    }

    fn number(&mut self, count: usize, what: &str) -> Result<u64, ImportError> {
        let mut value = 0u64;
        for n in 0..count {
            value |= u64::from(self.byte(what)?) << (8 * n);
        }
        Ok(value)
    }

    fn int(&mut self, what: &str) -> Result<i64, ImportError> {
        let negative = self.byte(what)? != 0;
        let value = self.number(self.int_bytes, what)?;
        let value = i64::try_from(value).map_err(|_| self.error("a number out of range"))?;
        Ok(if negative { -value } else { value })
    }

    fn text(&mut self, what: &str) -> Result<Option<Vec<u8>>, ImportError> {
        let len = self.int(what)?;
        if len < 0 {
            return Ok(None);
        }
        let len = len as u64;
        if len > self.len.saturating_sub(self.at) {
            return Err(self.cut(what));
        }
        let mut text = Vec::new();
        let read = (&mut self.file).take(len).read_to_end(&mut text);
        if read.ok() != Some(len as usize) {
            return Err(self.cut(what));
        }
        self.at += len;
        Ok(Some(text))
    }

    fn text_or_empty(&mut self, what: &str) -> Result<Vec<u8>, ImportError> {
        Ok(self.text(what)?.unwrap_or_default())
    }

    fn skip(&mut self, count: u64, what: &str) -> Result<(), ImportError> {
        if count > self.len.saturating_sub(self.at) {
            return Err(self.cut(what));
        }
        let step = i64::try_from(count).map_err(|_| self.error("a length out of range"))?;
        self.file.seek_relative(step).map_err(|_| self.cut(what))?;
        self.at += count;
        Ok(())
    }
}

impl Archive {
    /// Reads header and table of contents and finds every data block; `name` is for errors.
    pub(crate) fn open(file: &File, len: u64, name: &str) -> Result<Archive, ImportError> {
        let mut input = file;
        // Seeking a file that was just opened cannot fail in a way that reading would not show.
        let _ = input.seek(SeekFrom::Start(0));
        let mut source = Source {
            file: BufReader::with_capacity(64 * 1024, file),
            at: 0,
            len,
            int_bytes: 4,
            offset_bytes: 8,
        };
        source.bytes::<5>("the header")?;
        let [major, minor, _] = source.bytes::<3>("the header")?;
        if major != 1 || !(12..=16).contains(&minor) {
            return Err(ImportError::Form {
                form: format!("archive of version {major}.{minor}"),
                way_out: format!("pg_restore -f - {name} | datomite open -"),
            });
        }
        let [int_bytes, offset_bytes, format] = source.bytes::<3>("the header")?;
        source.int_bytes = usize::from(int_bytes);
        source.offset_bytes = usize::from(offset_bytes);
        if !(1..=8).contains(&int_bytes) || !(1..=8).contains(&offset_bytes) {
            return Err(source.error("sizes of numbers that no pg_dump writes"));
        }
        if format != 1 {
            return Err(ImportError::Form {
                form: "the table of contents of a directory or tar archive".to_owned(),
                way_out: "pg_restore -f - DIRECTORY | datomite open -".to_owned(),
            });
        }
        let compression = compression(&mut source, minor, name)?;
        let mut created = [0; 6];
        for part in &mut created {
            *part = source.int("the header")?;
        }
        source.int("the header")?;
        for _ in 0..3 {
            source.text("the header")?;
        }
        let entries = contents(&mut source, minor)?;
        let mut archive = Archive {
            compression,
            created,
            entries,
            int_bytes: source.int_bytes,
        };
        archive.locate(&mut source)?;
        Ok(archive)
    }

    /// Walks the blocks where some entry has no offset.
    fn locate(&mut self, source: &mut Source) -> Result<(), ImportError> {
        let missing = |e: &Entry| e.has_data && e.data == Data::Unknown;
        while self.entries.iter().any(missing) && source.at < source.len {
            let position = source.at;
            let block = source.byte("a data block")?;
            let id = source.int("a data block")?;
            let entry = self
                .entries
                .iter_mut()
                .find(|e| e.dump_id == id && e.has_data);
            let (Some(entry), 1 | 3) = (entry, block) else {
                break;
            };
            entry.data = Data::At(position);
            let name = display(&entry.tag);
            let walked = if block == 1 {
                skip_chunks(source)
            } else {
                skip_objects(source)
            };
            walked.map_err(|e| e.in_table(&name))?;
        }
        match self.entries.iter().find(|e| missing(e)) {
            None => self.check_end(source),
            Some(entry) => Err(ImportError::Cut {
                place: Box::new(Place {
                    table: display(&entry.tag),
                    ..Place::default()
                }),
                what: "the archive has no data block for it".to_owned(),
            }),
        }
    }

    /// Walks the last block that begins in the file: nobody else may read it to its end, and an
    /// archive without its end is cut.
    fn check_end(&self, source: &mut Source) -> Result<(), ImportError> {
        let mut blocks: Vec<(u64, &Entry)> = self
            .entries
            .iter()
            .filter_map(|e| match e.data {
                Data::At(position) => Some((position, e)),
                _ => None,
            })
            .collect();
        blocks.sort_by_key(|(position, _)| *position);
        let inside = blocks.partition_point(|(position, _)| *position < source.len);
        // Of the blocks beyond the end the first one shows the cut.
        for (position, entry) in blocks.iter().skip(inside.saturating_sub(1)).take(2) {
            // Seeking beyond the end shows as a cut when the first byte is read.
            let _ = source.file.seek(SeekFrom::Start(*position));
            source.at = *position;
            walk(source).map_err(|error| {
                if entry.kind == b"TABLE DATA" {
                    error.in_table(&display(&entry.tag))
                } else {
                    error
                }
            })?;
        }
        Ok(())
    }

    /// The text of a data block, decompressed.
    pub(crate) fn data<'f>(
        &self,
        file: &'f File,
        len: u64,
        entry: &Entry,
    ) -> Result<Box<dyn Read + 'f>, ImportError> {
        let Data::At(position) = entry.data else {
            return Ok(Box::new(std::io::empty()));
        };
        let name = display(&entry.tag);
        let mut input = file;
        // A position beyond the end shows as a cut when the first byte is read.
        let _ = input.seek(SeekFrom::Start(position));
        let mut source = Source {
            file: BufReader::with_capacity(64 * 1024, file),
            at: position,
            len,
            int_bytes: self.int_bytes,
            offset_bytes: 8,
        };
        let block = source.byte("its data").map_err(|e| e.in_table(&name))?;
        let id = source.int("its data").map_err(|e| e.in_table(&name))?;
        if block != 1 || id != entry.dump_id {
            return Err(source.error(&format!("no data block of table {name}")));
        }
        let chunks = Chunks {
            source,
            left: 0,
            done: false,
        };
        Ok(match self.compression {
            Compression::None => Box::new(chunks),
            Compression::Gzip => {
                Box::new(flate2::bufread::ZlibDecoder::new(BufReader::new(chunks)))
            }
        })
    }
}

fn compression(source: &mut Source, minor: u8, name: &str) -> Result<Compression, ImportError> {
    let code = if minor >= 15 {
        source.byte("the header")?
    } else {
        u8::from(source.int("the header")? != 0)
    };
    let algorithm = match code {
        0 => return Ok(Compression::None),
        1 => return Ok(Compression::Gzip),
        2 => "lz4",
        3 => "zstd",
        _ => "unknown",
    };
    Err(ImportError::Form {
        form: format!("custom archive with {algorithm} compression"),
        way_out: format!("pg_restore -f - {name} | datomite open -"),
    })
}

fn contents(source: &mut Source, minor: u8) -> Result<Vec<Entry>, ImportError> {
    const WHAT: &str = "the table of contents";
    let count = source.int(WHAT)?;
    // An entry takes far more than twenty bytes.
    if count < 0 || count as u64 > source.len / 20 {
        return Err(source.error("a number of entries that the file cannot hold"));
    }
    let mut entries = Vec::new();
    for _ in 0..count {
        let dump_id = source.int(WHAT)?;
        let has_data = source.int(WHAT)? != 0;
        source.text(WHAT)?;
        source.text(WHAT)?;
        let tag = source.text_or_empty(WHAT)?;
        let kind = source.text_or_empty(WHAT)?;
        source.int(WHAT)?;
        let definition = source.text_or_empty(WHAT)?;
        source.text(WHAT)?;
        let copy = source.text(WHAT)?.filter(|text| !text.is_empty());
        let namespace = source.text_or_empty(WHAT)?;
        source.text(WHAT)?;
        if minor >= 14 {
            source.text(WHAT)?;
        }
        if minor >= 16 {
            source.int(WHAT)?;
        }
        source.text(WHAT)?;
        source.text(WHAT)?;
        while source.text(WHAT)?.is_some() {}
        let flag = source.byte(WHAT)?;
        let offset = source.number(source.offset_bytes, WHAT)?;
        let data = match flag {
            2 => Data::At(offset),
            3 => Data::None,
            _ => Data::Unknown,
        };
        entries.push(Entry {
            dump_id,
            tag,
            kind,
            definition,
            copy,
            namespace,
            has_data,
            data,
        });
    }
    Ok(entries)
}

/// Goes past one block.
fn walk(source: &mut Source) -> Result<(), ImportError> {
    let block = source.byte("a data block")?;
    source.int("a data block")?;
    match block {
        3 => skip_objects(source),
        _ => skip_chunks(source),
    }
}

fn skip_chunks(source: &mut Source) -> Result<(), ImportError> {
    loop {
        match source.int("its data")? {
            0 => return Ok(()),
            len if len > 0 => source.skip(len as u64, "its data")?,
            _ => return Err(source.error("a negative length")),
        }
    }
}

fn skip_objects(source: &mut Source) -> Result<(), ImportError> {
    while source.int("the large objects")? != 0 {
        skip_chunks(source)?;
    }
    Ok(())
}

fn display(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// The chunks of one block as one stream.
struct Chunks<'f> {
    source: Source<'f>,
    left: u64,
    done: bool,
}

impl Read for Chunks<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        // The reader around says that it is a cut, and of which table.
        let cut = |e: ImportError| {
            let what = match e {
                ImportError::Cut { what, .. } => what,
                other => other.to_string(),
            };
            std::io::Error::new(std::io::ErrorKind::UnexpectedEof, what)
        };
        if self.left == 0 && !self.done {
            let len = self.source.int("its data").map_err(cut)?;
            self.left = u64::try_from(len).map_err(|_| cut(self.source.error("a length < 0")))?;
            self.done = len == 0;
        }
        if self.done {
            return Ok(0);
        }
        let want = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(out.len());
        let n = self.source.file.read(&mut out[..want])?;
        if n == 0 && want > 0 {
            return Err(cut(self.source.cut("its data")));
        }
        self.left -= n as u64;
        self.source.at += n as u64;
        Ok(n)
    }
}
