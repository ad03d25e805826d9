//! What the input is, by its first bytes; file names are not trusted.
//!
//! Plain text and custom archives are read. Everything else that people have lying about is
//! recognised, so that the refusal can say which command makes a readable form of it.

use crate::ImportError;

/// The forms that are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// SQL text: of `pg_dump`, or written by hand.
    Plain,
    /// `pg_dump -Fc`.
    Custom,
}

/// How many bytes [`sniff`] wants to see, where the input has them.
pub(crate) const SNIFF_BYTES: usize = 512;

/// Compressed wrappers: first bytes, name, and the command that unwraps them to standard output.
const WRAPPERS: [(&[u8], &str, &str); 9] = [
    (b"\x1f\x8b", "gzip file", "gzip -dc"),
    (b"\x28\xb5\x2f\xfd", "zstd file", "zstd -dc"),
    (b"\x04\x22\x4d\x18", "lz4 file", "lz4 -dc"),
    (b"BZh", "bzip2 file", "bzip2 -dc"),
    (b"\xfd7zXZ\x00", "xz file", "xz -dc"),
    (b"PK\x03\x04", "zip file", "unzip -p"),
    (b"7z\xbc\xaf\x27\x1c", "7z file", "7z e -so"),
    (b"LZIP", "lzip file", "lzip -dc"),
    (b"\x1f\x9d", "compress (.Z) file", "uncompress -c"),
];

/// Decides the form of an input from its first bytes; `name` is how the way out calls the file.
pub(crate) fn sniff(head: &[u8], name: &str) -> Result<Form, ImportError> {
    if head.starts_with(b"PGDMP") {
        return Ok(Form::Custom);
    }
    for (magic, what, command) in WRAPPERS {
        if head.starts_with(magic) {
            return Err(ImportError::Form {
                form: what.to_owned(),
                way_out: format!("{command} {name} | datomite open -"),
            });
        }
    }
    if let Some(error) = tar(head, name) {
        return Err(error);
    }
    if head.starts_with(b"SQLite format 3\0") {
        return Err(ImportError::Form {
            form: "SQLite database".to_owned(),
            way_out: format!("load it into Postgres (pgloader {name} …) and dump that"),
        });
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err(ImportError::Form {
            form: "UTF-16 text".to_owned(),
            way_out: format!("iconv -f UTF-16 -t UTF-8 {name} | datomite open -"),
        });
    }
    if head.contains(&0) {
        return Err(ImportError::NotADump {
            what: format!("{name} is neither SQL text nor a Postgres archive"),
            way_out: "give a file made by pg_dump, in plain or custom (-Fc) format".to_owned(),
        });
    }
    Ok(Form::Plain)
}

/// The refusal of a directory (`pg_dump -Fd`, or any other).
pub(crate) fn directory(name: &str, has_toc: bool) -> ImportError {
    if has_toc {
        ImportError::Form {
            form: "directory archive".to_owned(),
            way_out: format!("pg_restore -f - {name} | datomite open -"),
        }
    } else {
        ImportError::NotADump {
            what: format!("{name} is a directory without a toc.dat"),
            way_out: "give a file made by pg_dump, in plain or custom (-Fc) format".to_owned(),
        }
    }
}

/// A tar header: a `pg_dump -Ft` archive, a packed `-Fd` directory, or some other tar.
fn tar(head: &[u8], name: &str) -> Option<ImportError> {
    let magic = head.get(257..262) == Some(b"ustar");
    let first = head.split(|b| *b == 0).next().unwrap_or_default();
    let old = first.ends_with(b"toc.dat") && head.len() >= SNIFF_BYTES;
    if !(magic || old) {
        return None;
    }
    Some(if first == b"toc.dat" {
        ImportError::Form {
            form: "tar archive".to_owned(),
            way_out: format!("pg_restore -f - {name} | datomite open -"),
        }
    } else {
        ImportError::Form {
            form: "tar file".to_owned(),
            way_out: format!("tar -xf {name}; pg_restore -f - DIRECTORY | datomite open -"),
        }
    })
}
