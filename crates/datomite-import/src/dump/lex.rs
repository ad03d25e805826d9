//! Tokens of one SQL statement.
//!
//! The text is UTF-8 by now. Quoted names keep their case, other words are folded to lower case
//! as Postgres does; every form of literal comes out as its text.

use std::borrow::Cow;

use super::split::is_word;

/// One token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Token<'a> {
    /// A key word or an unquoted name, in lower case.
    Word(Cow<'a, str>),
    /// A name in double quotes.
    Name(String),
    /// A literal: quoted, escaped, dollar-quoted, or several adjacent ones.
    Text(String),
    /// A number, as written, without sign.
    Number(&'a str),
    /// Any other character.
    Symbol(char),
}

/// A token and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Lexeme<'a> {
    /// The token.
    pub(crate) token: Token<'a>,
    /// Index of its first byte.
    pub(crate) start: usize,
    /// Index after its last byte.
    pub(crate) end: usize,
}

/// Reads tokens one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    standard: bool,
}

impl<'a> Lexer<'a> {
    /// Starts at byte `at`; `standard` is `standard_conforming_strings`.
    pub(crate) fn new(text: &'a str, at: usize, standard: bool) -> Lexer<'a> {
        Lexer { text, at, standard }
    }

    /// Where the next token is looked for.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    fn byte(&self, offset: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + offset).copied()
    }

    /// Goes past blanks and comments.
    pub(crate) fn skip_blank(&mut self) {
        let bytes = self.text.as_bytes();
        self.at = skip_blank(bytes, self.at);
    }

    fn word(&mut self) -> Token<'a> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        while bytes
            .get(self.at)
            .is_some_and(|b| is_word(*b) || *b == b'$')
        {
            self.at += 1;
        }
        let word = &self.text[start..self.at];
        if word.bytes().any(|b| b.is_ascii_uppercase()) {
            Token::Word(Cow::Owned(word.to_ascii_lowercase()))
        } else {
            Token::Word(Cow::Borrowed(word))
        }
    }

    fn number(&mut self) -> Token<'a> {
        let end = number_end(self.text.as_bytes(), self.at);
        let text = &self.text[self.at..end];
        self.at = end;
        Token::Number(text)
    }

    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        self.at += 1;
        loop {
            let n = memchr::memchr(b'"', &self.text.as_bytes()[self.at..])?;
            name.push_str(&self.text[self.at..self.at + n]);
            self.at += n + 1;
            if self.byte(0) != Some(b'"') {
                return Some(name);
            }
            name.push('"');
            self.at += 1;
        }
    }

    fn unicode_name(&mut self) -> Option<Token<'a>> {
        self.at += 2;
        let name = self.name()?;
        Some(Token::Name(unescape_unicode(&name).unwrap_or(name)))
    }

    /// The literal that begins here, if one does.
    fn literal(&mut self) -> Option<Token<'a>> {
        let mut out = Vec::new();
        let bytes = self.text.as_bytes();
        let end = literal(bytes, self.at, self.standard, &mut out)?;
        self.at = end;
        Some(Token::Text(String::from_utf8_lossy(&out).into_owned()))
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Lexeme<'a>;

    /// The next token; an unfinished quote ends the tokens.
    fn next(&mut self) -> Option<Lexeme<'a>> {
        self.skip_blank();
        let start = self.at;
        let byte = self.byte(0)?;
        let is_u = matches!(byte, b'u' | b'U') && self.byte(1) == Some(b'&');
        let token = match byte {
            b'"' => Token::Name(self.name()?),
            _ if is_u && self.byte(2) == Some(b'"') => self.unicode_name()?,
            b'\'' | b'$' | b'e' | b'E' | b'n' | b'N' | b'b' | b'B' | b'x' | b'X' | b'u' | b'U'
                if starts_literal(self.text.as_bytes(), self.at) =>
            {
                self.literal()?
            }
            b'0'..=b'9' => self.number(),
            b'.' if self.byte(1).is_some_and(|b| b.is_ascii_digit()) => self.number(),
            b if is_word(b) => self.word(),
            _ => {
                let symbol = self.text[self.at..].chars().next()?;
                self.at += symbol.len_utf8();
                Token::Symbol(symbol)
            }
        };
        Some(Lexeme {
            token,
            start,
            end: self.at,
        })
    }
}

/// The index of the next byte that is neither blank nor comment.
pub(crate) fn skip_blank(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b), _) if b.is_ascii_whitespace() => at += 1,
            (Some(b'-'), Some(b'-')) => {
                at = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n);
            }
            (Some(b'/'), Some(b'*')) => at = comment_end(bytes, at),
            _ => return at,
        }
    }
}

fn comment_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0u32;
    let mut at = start;
    while let Some(n) = memchr::memchr2(b'/', b'*', &bytes[at..]) {
        at += n;
        match (bytes[at], bytes.get(at + 1)) {
            (b'/', Some(b'*')) => {
                depth += 1;
                at += 2;
            }
            (b'*', Some(b'/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of the number that begins at `at`.
pub(crate) fn number_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b) = bytes.get(at) {
        let exponent = matches!(b, b'e' | b'E')
            && bytes
                .get(at + 1)
                .is_some_and(|n| n.is_ascii_digit() || matches!(n, b'+' | b'-'));
        if exponent {
            at += 2;
        } else if b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_') {
            at += 1;
        } else {
            break;
        }
    }
    at
}

/// Whether a literal of any form begins at `at`.
pub(crate) fn starts_literal(bytes: &[u8], at: usize) -> bool {
    let next = bytes.get(at + 1);
    match bytes.get(at) {
        Some(b'\'') => true,
        Some(b'e' | b'E' | b'n' | b'N' | b'b' | b'B' | b'x' | b'X') => next == Some(&b'\''),
        Some(b'u' | b'U') => next == Some(&b'&') && bytes.get(at + 2) == Some(&b'\''),
        Some(b'$') => dollar_tag(bytes, at).is_some(),
        _ => false,
    }
}

fn dollar_tag(bytes: &[u8], at: usize) -> Option<usize> {
    let mut end = at + 1;
    if bytes.get(end).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    while bytes.get(end).is_some_and(|b| is_word(*b)) {
        end += 1;
    }
    (bytes.get(end) == Some(&b'$')).then_some(end + 1)
}

/// Appends the text of the literal at `at`, with the adjacent ones; the index after it.
///
/// Two literals are one where a newline stands between them. `None`: it does not end.
pub(crate) fn literal(bytes: &[u8], at: usize, standard: bool, out: &mut Vec<u8>) -> Option<usize> {
    let first = *bytes.get(at)?;
    if first == b'$' {
        let open = dollar_tag(bytes, at)?;
        let n = memchr::memmem::find(&bytes[open..], &bytes[at..open])?;
        out.extend_from_slice(&bytes[open..open + n]);
        return Some(open + n + (open - at));
    }
    let start = out.len();
    let (open, escapes) = match first {
        b'\'' => (at + 1, !standard),
        b'e' | b'E' => (at + 2, true),
        b'u' | b'U' => (at + 3, false),
        _ => (at + 2, false),
    };
    let mut end = quoted(bytes, open, escapes, out)?;
    while let Some(next) = adjacent(bytes, end) {
        end = quoted(bytes, next, escapes, out)?;
    }
    match first {
        b'u' | b'U' => {
            let text = String::from_utf8_lossy(&out[start..]).into_owned();
            if let Some(plain) = unescape_unicode(&text) {
                out.truncate(start);
                out.extend_from_slice(plain.as_bytes());
            }
        }
        b'x' | b'X' => hex_to_bits(out, start),
        // `N'…'` is of type bpchar, which loses its padding where it becomes another text type.
        b'n' | b'N' => {
            let kept = out[start..]
                .iter()
                .rposition(|b| *b != b' ')
                .map_or(0, |n| n + 1);
            out.truncate(start + kept);
        }
        _ => {}
    }
    Some(end)
}

fn adjacent(bytes: &[u8], end: usize) -> Option<usize> {
    let next = skip_blank(bytes, end);
    let newline = bytes.get(end..next)?.contains(&b'\n');
    (newline && bytes.get(next) == Some(&b'\'')).then_some(next + 1)
}

/// Reads up to the closing quote; `at` is after the opening one.
fn quoted(bytes: &[u8], mut at: usize, escapes: bool, out: &mut Vec<u8>) -> Option<usize> {
    loop {
        let rest = bytes.get(at..)?;
        let n = if escapes {
            memchr::memchr2(b'\'', b'\\', rest)?
        } else {
            memchr::memchr(b'\'', rest)?
        };
        out.extend_from_slice(&rest[..n]);
        at += n + 1;
        if bytes[at - 1] == b'\\' {
            at = escape(bytes, at, out)?;
        } else if bytes.get(at) == Some(&b'\'') {
            out.push(b'\'');
            at += 1;
        } else {
            return Some(at);
        }
    }
}

/// One backslash escape of an `E''` literal; `at` is after the backslash.
fn escape(bytes: &[u8], at: usize, out: &mut Vec<u8>) -> Option<usize> {
    let byte = *bytes.get(at)?;
    let digits = |from: usize, max: usize, radix: u32| {
        let text = &bytes[from..bytes.len().min(from + max)];
        let n = text
            .iter()
            .take_while(|b| char::from(**b).is_digit(radix))
            .count();
        let value = text[..n].iter().fold(0u32, |acc, b| {
            acc * radix + char::from(*b).to_digit(radix).unwrap_or(0)
        });
        (n, value)
    };
    let simple = match byte {
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'0'..=b'7' => {
            let (n, value) = digits(at, 3, 8);
            out.push(value as u8);
            return Some(at + n);
        }
        b'x' | b'u' | b'U' => {
            let (n, value) = digits(
                at + 1,
                [2, 4, 8][usize::from(byte == b'u') + 2 * usize::from(byte == b'U')],
                16,
            );
            if n > 0 && byte == b'x' {
                out.push(value as u8);
                return Some(at + 1 + n);
            }
            if n > 0 {
                let (end, c) = surrogates(bytes, at + 1 + n, value);
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                return Some(end);
            }
            byte
        }
        other => other,
    };
    out.push(simple);
    Some(at + 1)
}

/// Joins a high surrogate with the `\u` escape that follows it.
fn surrogates(bytes: &[u8], end: usize, value: u32) -> (usize, char) {
    if (0xD800..0xDC00).contains(&value) {
        let low = bytes
            .get(end..end + 6)
            .filter(|rest| rest.starts_with(b"\\u"))
            .and_then(|rest| std::str::from_utf8(&rest[2..]).ok())
            .and_then(|hex| u32::from_str_radix(hex, 16).ok());
        if let Some(low @ 0xDC00..0xE000) = low {
            let joined = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
            return (end + 6, char::from_u32(joined).unwrap_or('\u{FFFD}'));
        }
    }
    (end, char::from_u32(value).unwrap_or('\u{FFFD}'))
}

/// The text of a `U&` literal with the default escape character.
fn unescape_unicode(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(tail) = rest.strip_prefix('\\') {
            out.push('\\');
            rest = tail;
            continue;
        }
        let (digits, skip) = if rest.starts_with('+') {
            (6, 1)
        } else {
            (4, 0)
        };
        let code = u32::from_str_radix(rest.get(skip..skip + digits)?, 16).ok()?;
        out.push(char::from_u32(code).unwrap_or('\u{FFFD}'));
        rest = &rest[skip + digits..];
    }
    out.push_str(rest);
    Some(out)
}

/// `X'1F'` is a bit string: four bits a digit.
fn hex_to_bits(out: &mut Vec<u8>, start: usize) {
    let digits = out.split_off(start);
    for digit in digits {
        let value = char::from(digit).to_digit(16).unwrap_or(0);
        out.extend_from_slice(format!("{value:04b}").as_bytes());
    }
}
