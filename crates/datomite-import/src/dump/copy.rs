//! One line of `COPY … FROM stdin` as fields.
//!
//! NULL is decided before unescaping: the text `\N` arrives as `\\N`. Escapes act on bytes; the
//! encoding is decoded after them.

use super::fields::Fields;

/// Splits a line (without its newline) into fields.
pub(crate) fn split(line: &[u8], columns: usize, fields: &mut Fields) {
    fields.clear();
    if columns == 0 && line.is_empty() {
        return;
    }
    if memchr::memchr(b'\\', line).is_none() {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\t', line) {
            fields.push_text(&line[start..end]);
            start = end + 1;
        }
        fields.push_text(&line[start..]);
        return;
    }
    // A tab inside a field is escaped, so that every bare tab divides; a backslash before a tab
    // makes it data.
    let mut start = 0;
    let mut at = 0;
    while let Some(n) = memchr::memchr2(b'\t', b'\\', &line[at..]) {
        at += n;
        if line[at] == b'\\' {
            at = (at + 2).min(line.len());
        } else {
            field(&line[start..at], fields);
            at += 1;
            start = at;
        }
    }
    field(&line[start..], fields);
}

fn field(raw: &[u8], fields: &mut Fields) {
    if raw == b"\\N" {
        fields.push_null();
        return;
    }
    let out = fields.begin();
    let mut rest = raw;
    while let Some(n) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..n]);
        rest = &rest[n + 1..];
        rest = &rest[escape(rest, out)..];
    }
    out.extend_from_slice(rest);
    fields.end();
}

/// Unescapes what follows a backslash; how many bytes that took.
fn escape(rest: &[u8], out: &mut Vec<u8>) -> usize {
    let Some(&byte) = rest.first() else {
        out.push(b'\\');
        return 0;
    };
    let plain = match byte {
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'0'..=b'7' => {
            let (value, n) = digits(rest, 8, 3);
            out.push(value);
            return n;
        }
        b'x' => {
            let (value, n) = digits(&rest[1..], 16, 2);
            if n > 0 {
                out.push(value);
                return n + 1;
            }
            b'x'
        }
        other => other,
    };
    out.push(plain);
    1
}

fn digits(text: &[u8], radix: u32, max: usize) -> (u8, usize) {
    let mut value = 0u32;
    let mut n = 0;
    while n < max {
        let digit = text.get(n).and_then(|b| char::from(*b).to_digit(radix));
        let Some(digit) = digit else { break };
        value = value * radix + digit;
        n += 1;
    }
    (value as u8, n)
}
