//! Character sets: from the bytes of a dump to text, without loss or with a report.
//!
//! The encoding is what `client_encoding` says where the row stands. Bytes that are not text in
//! it (a `SQL_ASCII` database may hold any) are read one by one as the character of the same
//! number, so that they can be had back; the caller counts such values.

use std::borrow::Cow;

use encoding_rs::Encoding as Table;

/// The encoding of a part of a dump.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) enum Encoding {
    /// UTF-8, and SQL_ASCII read as if it were.
    #[default]
    Utf8,
    /// ISO 8859-1: a byte is the character of that number.
    Latin1,
    /// Any other that has a table.
    Table(&'static Table),
}

impl Encoding {
    /// The encoding that Postgres calls so, where it is known.
    pub(crate) fn of_name(name: &str) -> Option<Encoding> {
        let folded: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let label = match folded.as_str() {
            "UTF8" | "UNICODE" | "SQLASCII" => return Some(Encoding::Utf8),
            "LATIN1" | "ISO88591" => return Some(Encoding::Latin1),
            "LATIN2" | "ISO88592" => "iso-8859-2",
            "LATIN3" | "ISO88593" => "iso-8859-3",
            "LATIN4" | "ISO88594" => "iso-8859-4",
            "LATIN5" | "ISO88599" => "windows-1254",
            "LATIN6" | "ISO885910" => "iso-8859-10",
            "LATIN7" | "ISO885913" => "iso-8859-13",
            "LATIN8" | "ISO885914" => "iso-8859-14",
            "LATIN9" | "ISO885915" => "iso-8859-15",
            "LATIN10" | "ISO885916" => "iso-8859-16",
            "ISO88595" => "iso-8859-5",
            "ISO88596" => "iso-8859-6",
            "ISO88597" => "iso-8859-7",
            "ISO88598" => "iso-8859-8",
            "WIN866" | "ALT" => "ibm866",
            "WIN874" => "windows-874",
            "KOI8R" | "KOI8" => "koi8-r",
            "KOI8U" => "koi8-u",
            "EUCJP" => "euc-jp",
            "EUCKR" => "euc-kr",
            "UHC" => "euc-kr",
            "EUCCN" | "GBK" => "gbk",
            "GB18030" => "gb18030",
            "BIG5" => "big5",
            "SJIS" | "SHIFTJIS" => "shift_jis",
            other => match other.strip_prefix("WIN") {
                Some(page) => {
                    return Table::for_label(format!("windows-{page}").as_bytes())
                        .map(Encoding::Table);
                }
                None => return None,
            },
        };
        Table::for_label(label.as_bytes()).map(Encoding::Table)
    }

    /// The text of the bytes; the flag tells that some bytes were not text in this encoding.
    pub(crate) fn decode<'a>(&self, bytes: &'a [u8]) -> (Cow<'a, str>, bool) {
        if let (Encoding::Utf8, Ok(text)) = (self, std::str::from_utf8(bytes)) {
            return (Cow::Borrowed(text), false);
        }
        match self {
            Encoding::Utf8 => (Cow::Owned(latin1(bytes)), true),
            Encoding::Latin1 => (Cow::Owned(latin1(bytes)), false),
            Encoding::Table(table) => {
                match table.decode_without_bom_handling_and_without_replacement(bytes) {
                    Some(text) => (text, false),
                    None => (Cow::Owned(latin1(bytes)), true),
                }
            }
        }
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(*b)).collect()
}
