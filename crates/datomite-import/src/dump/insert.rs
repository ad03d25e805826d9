//! `INSERT` statements: the table, the columns, and the rows one by one.
//!
//! Takes literals of every form, numbers with signs, casts, `NULL::text`, `ARRAY[…]`, `ROW(…)`,
//! `DEFAULT`. What only Postgres can compute is handed on as an expression, to be reported.

use super::cursor::QualifiedName;
use super::fields::Fields;
use super::lex::{Lexer, Token, literal, number_end, skip_blank, starts_literal};
use super::split::is_word;
use crate::ImportError;

fn word_of<'a>(lexer: &mut Lexer<'a>) -> Option<Token<'a>> {
    lexer.next().map(|lexeme| lexeme.token)
}

/// How deep `ARRAY[ARRAY[…]]` may nest: Postgres allows six dimensions.
const NESTING_MAX: u32 = 16;

/// The part before the rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct InsertHead {
    pub(crate) table: QualifiedName,
    /// Empty: the columns of the table in order.
    pub(crate) columns: Vec<String>,
    /// Index of the first row's parenthesis; `None`: `DEFAULT VALUES`.
    pub(crate) rows_at: Option<usize>,
}

/// Whether the statement, which has no head, ends before it says where its rows come from.
pub(crate) fn has_no_rows(text: &str, standard: bool) -> bool {
    let sources = ["select", "values", "table", "with", "default"];
    let mut lexer = Lexer::new(text, 0, standard);
    while let Some(token) = word_of(&mut lexer) {
        if sources.iter().any(|s| token == Token::Word((*s).into())) {
            return false;
        }
    }
    true
}

/// Whether the statement ends where another row has to follow.
pub(crate) fn wants_rows(text: &str) -> bool {
    let text = text.trim_end().trim_end_matches(';').trim_end();
    let without = |text: &str, word: &str| {
        let at = text.len().checked_sub(word.len())?;
        let end = text.get(at..)?.eq_ignore_ascii_case(word);
        end.then(|| text[..at].trim_end().len())
    };
    match without(text, "values") {
        Some(at) => without(&text[..at], "default").is_none(),
        None => text.ends_with(','),
    }
}

/// Reads the part before the rows; `None` where rows are not given as values.
pub(crate) fn head(text: &str, standard: bool) -> Option<InsertHead> {
    let mut lexer = Lexer::new(text, 0, standard);
    if word_of(&mut lexer)? != Token::Word("insert".into())
        || word_of(&mut lexer)? != Token::Word("into".into())
    {
        return None;
    }
    let mut parts = Vec::new();
    let mut columns = Vec::new();
    let mut token = word_of(&mut lexer)?;
    loop {
        parts.push(name(token)?);
        token = word_of(&mut lexer)?;
        if token != Token::Symbol('.') {
            break;
        }
        token = word_of(&mut lexer)?;
    }
    if token == Token::Symbol('(') {
        loop {
            columns.push(name(word_of(&mut lexer)?)?);
            match word_of(&mut lexer)? {
                Token::Symbol(')') => break,
                Token::Symbol(',') => {}
                _ => return None,
            }
        }
        token = word_of(&mut lexer)?;
    }
    if token == Token::Word("overriding".into()) {
        lexer.nth(1)?;
        token = word_of(&mut lexer)?;
    }
    let rows_at = match token {
        Token::Word(w) if w == "values" => {
            lexer.skip_blank();
            Some(lexer.at())
        }
        Token::Word(w) if w == "default" => None,
        _ => return None,
    };
    Some(InsertHead {
        table: QualifiedName::of_parts(parts)?,
        columns,
        rows_at,
    })
}

fn name(token: Token) -> Option<String> {
    match token {
        Token::Word(word) => Some(word.into_owned()),
        Token::Name(name) => Some(name),
        _ => None,
    }
}

/// Reads the rows of a statement one after the other.
pub(crate) struct Rows<'a> {
    bytes: &'a [u8],
    at: usize,
    standard: bool,
    line: u64,
}

impl<'a> Rows<'a> {
    /// `at` is the first row's parenthesis, `line` the line of the statement.
    pub(crate) fn new(text: &'a str, at: usize, standard: bool, line: u64) -> Rows<'a> {
        Rows {
            bytes: text.as_bytes(),
            at,
            standard,
            line,
        }
    }

    fn error(&self, what: &str) -> ImportError {
        let rows = memchr::memchr_iter(b'\n', &self.bytes[..self.at.min(self.bytes.len())]);
        ImportError::syntax(self.line + rows.count() as u64, what)
    }

    /// The next row; false after the last.
    pub(crate) fn next(&mut self, fields: &mut Fields) -> Result<bool, ImportError> {
        fields.clear();
        self.at = skip_blank(self.bytes, self.at);
        if self.bytes.get(self.at) != Some(&b'(') {
            return Ok(false);
        }
        self.at += 1;
        loop {
            self.at = skip_blank(self.bytes, self.at);
            if self.bytes.get(self.at) == Some(&b')') && fields.len() == 0 {
                break;
            }
            self.value(fields)?;
            match self.bytes.get(self.at) {
                Some(b',') => self.at += 1,
                Some(b')') => break,
                _ => return Err(self.error("expected a comma or the end of a row of VALUES")),
            }
        }
        self.at = skip_blank(self.bytes, self.at + 1);
        if self.bytes.get(self.at) == Some(&b',') {
            self.at += 1;
        }
        Ok(true)
    }

    /// One value, up to the comma or parenthesis after it.
    fn value(&mut self, fields: &mut Fields) -> Result<(), ImportError> {
        let start = self.at;
        let out = fields.begin();
        let before = out.len();
        match value(self.bytes, start, self.standard, out, 0) {
            Some((end, kind)) => {
                self.at = end;
                match kind {
                    Kind::Text => fields.end(),
                    Kind::Null => fields.push_null(),
                    Kind::Default => fields.push_default(),
                }
            }
            None => {
                out.truncate(before);
                let end = expression_end(self.bytes, start, self.standard)
                    .ok_or_else(|| self.error("a row of VALUES does not end"))?;
                self.at = end;
                fields.push_expression(self.bytes[start..end].trim_ascii());
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Null,
    Default,
}

/// Reads a constant and goes past its casts; `None`: not a constant.
fn value(
    bytes: &[u8],
    at: usize,
    standard: bool,
    out: &mut Vec<u8>,
    depth: u32,
) -> Option<(usize, Kind)> {
    let at = skip_blank(bytes, at);
    let (end, kind) = if starts_literal(bytes, at) {
        (literal(bytes, at, standard, out)?, Kind::Text)
    } else {
        match bytes.get(at)? {
            b'+' | b'-' | b'.' | b'0'..=b'9' => (number(bytes, at, out)?, Kind::Text),
            b'(' if depth < NESTING_MAX => {
                let (end, kind) = value(bytes, at + 1, standard, out, depth + 1)?;
                if bytes.get(end) != Some(&b')') {
                    return None;
                }
                (end + 1, kind)
            }
            b if is_word(*b) => word(bytes, at, standard, out, depth)?,
            _ => return None,
        }
    };
    let end = skip_casts(bytes, end)?;
    matches!(bytes.get(end), Some(b',' | b')' | b']')).then_some((end, kind))
}

fn number(bytes: &[u8], mut at: usize, out: &mut Vec<u8>) -> Option<usize> {
    while let Some(sign @ (b'+' | b'-')) = bytes.get(at) {
        if *sign == b'-' {
            out.push(b'-');
        }
        at = skip_blank(bytes, at + 1);
    }
    if !matches!(bytes.get(at)?, b'.' | b'0'..=b'9') {
        return None;
    }
    let end = number_end(bytes, at);
    out.extend_from_slice(&bytes[at..end]);
    Some(end)
}

/// A value that begins with a word: a constant, a typed literal, `ARRAY`, `ROW`, `CAST`.
fn word(
    bytes: &[u8],
    at: usize,
    standard: bool,
    out: &mut Vec<u8>,
    depth: u32,
) -> Option<(usize, Kind)> {
    let end = word_end(bytes, at);
    let next = skip_blank(bytes, end);
    match bytes[at..end].to_ascii_lowercase().as_slice() {
        b"null" => Some((end, Kind::Null)),
        b"default" => Some((end, Kind::Default)),
        b"true" => {
            out.extend_from_slice(b"t");
            Some((end, Kind::Text))
        }
        b"false" => {
            out.extend_from_slice(b"f");
            Some((end, Kind::Text))
        }
        b"array" if bytes.get(next) == Some(&b'[') && depth < NESTING_MAX => {
            Some((elements(bytes, next, standard, out, depth)?, Kind::Text))
        }
        b"row" if bytes.get(next) == Some(&b'(') && depth < NESTING_MAX => {
            Some((elements(bytes, next, standard, out, depth)?, Kind::Text))
        }
        b"cast" if bytes.get(next) == Some(&b'(') => cast(bytes, next, standard, out, depth),
        _ => {
            // `timestamp with time zone '2020-01-01'`: words, then a literal.
            let mut here = at;
            while bytes.get(here).is_some_and(|b| is_word(*b)) && !starts_literal(bytes, here) {
                here = skip_blank(bytes, word_end(bytes, here));
            }
            if !starts_literal(bytes, here) {
                return None;
            }
            Some((literal(bytes, here, standard, out)?, Kind::Text))
        }
    }
}

fn word_end(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|b| is_word(*b)) {
        at += 1;
    }
    at
}

/// `CAST ( value AS type )`; `open` is the parenthesis.
fn cast(
    bytes: &[u8],
    open: usize,
    standard: bool,
    out: &mut Vec<u8>,
    depth: u32,
) -> Option<(usize, Kind)> {
    let at = skip_blank(bytes, open + 1);
    if depth >= NESTING_MAX {
        return None;
    }
    let (end, kind) = if starts_literal(bytes, at) {
        (literal(bytes, at, standard, out)?, Kind::Text)
    } else if matches!(bytes.get(at)?, b'+' | b'-' | b'.' | b'0'..=b'9') {
        (number(bytes, at, out)?, Kind::Text)
    } else {
        word(bytes, at, standard, out, depth + 1)?
    };
    let end = skip_blank(bytes, skip_casts(bytes, end)?);
    let after = word_end(bytes, end);
    if !bytes[end..after].eq_ignore_ascii_case(b"as") {
        return None;
    }
    let end = skip_blank(bytes, skip_type(bytes, after)?);
    (bytes.get(end) == Some(&b')')).then_some((end + 1, kind))
}

/// The text of `ARRAY[…]` or `ROW(…)`; `open` is the bracket.
fn elements(
    bytes: &[u8],
    open: usize,
    standard: bool,
    out: &mut Vec<u8>,
    depth: u32,
) -> Option<usize> {
    let row = bytes[open] == b'(';
    let (left, right, close) = if row {
        (b'(', b')', b')')
    } else {
        (b'{', b'}', b']')
    };
    out.push(left);
    let mut at = skip_blank(bytes, open + 1);
    let mut first = true;
    while bytes.get(at) != Some(&close) {
        if !first {
            out.push(b',');
            if bytes.get(at) != Some(&b',') {
                return None;
            }
            at = skip_blank(bytes, at + 1);
        }
        first = false;
        let nested = !row
            && bytes[at..]
                .first()
                .is_some_and(|b| matches!(b, b'a' | b'A' | b'['));
        let mut element = Vec::new();
        let (end, kind) = if bytes.get(at) == Some(&b'[') && !row {
            let end = elements(bytes, at, standard, &mut element, depth + 1)?;
            (end, Kind::Text)
        } else {
            value(bytes, at, standard, &mut element, depth + 1)?
        };
        match kind {
            Kind::Null if row => {}
            Kind::Null => out.extend_from_slice(b"NULL"),
            Kind::Text if nested && element.first() == Some(&b'{') => out.append(&mut element),
            Kind::Text => quote_element(&element, out),
            Kind::Default => return None,
        }
        at = skip_blank(bytes, end);
    }
    out.push(right);
    Some(at + 1)
}

fn quote_element(element: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in element {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// Goes past `::type` as often as it stands there, and the blanks after.
fn skip_casts(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at = skip_blank(bytes, at);
        if !bytes.get(at..)?.starts_with(b"::") {
            return Some(at);
        }
        at = skip_type(bytes, at + 2)?;
    }
}

/// Goes past the name of a type: words, quoted names, dots, modifiers, brackets.
fn skip_type(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = skip_blank(bytes, at);
    let mut last = at;
    loop {
        match bytes.get(at) {
            Some(b'"') => at = at + 2 + memchr::memchr(b'"', &bytes[at + 1..])?,
            Some(b'.') => at += 1,
            Some(b'(') => at = at + 1 + memchr::memchr(b')', &bytes[at..])?,
            Some(b'[') => at = at + 1 + memchr::memchr(b']', &bytes[at..])?,
            Some(b) if is_word(*b) => {
                let end = word_end(bytes, at);
                // AS and AT end the name of a type.
                if bytes[at..end].eq_ignore_ascii_case(b"as")
                    || bytes[at..end].eq_ignore_ascii_case(b"at")
                {
                    return Some(last);
                }
                at = end;
            }
            _ => return Some(last),
        }
        last = at;
        at = skip_blank(bytes, at);
    }
}

/// The comma or parenthesis that ends an expression.
fn expression_end(bytes: &[u8], mut at: usize, standard: bool) -> Option<usize> {
    let mut depth = 0u32;
    loop {
        at = skip_blank(bytes, at);
        if starts_literal(bytes, at) {
            at = literal(bytes, at, standard, &mut Vec::new())?;
            continue;
        }
        match bytes.get(at)? {
            b'(' | b'[' => depth += 1,
            b',' | b')' if depth == 0 => return Some(at),
            b')' | b']' => depth = depth.saturating_sub(1),
            b'"' => at += 1 + memchr::memchr(b'"', &bytes[at + 1..])?,
            b if is_word(*b) => {
                at = word_end(bytes, at);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
}
