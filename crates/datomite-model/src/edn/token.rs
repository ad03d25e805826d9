//! Atoms: what a string, character, number, keyword or symbol is, and where it ends.
//!
//! Pure functions of the text; they know nothing of brackets. Numbers follow `clojure.edn`:
//! `017` is octal, `0x1F` hexadecimal, `36rZZ` any radix, integers past 64 bits are bigints.

use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Num, One, Zero};

use crate::{BigDec, Edn, Keyword, Symbol, Value};

/// What is wrong with an atom, and where.
pub(super) struct BadToken {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) incomplete: bool,
}

/// Whether the character separates forms: Clojure's white space and the comma.
pub(super) fn is_blank(c: char) -> bool {
    match c {
        ',' | '\u{1c}'..='\u{1f}' => true,
        '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{85}' => false,
        _ => c.is_whitespace(),
    }
}

fn ends_token(c: char) -> bool {
    matches!(
        c,
        '"' | ';' | '(' | ')' | '[' | ']' | '{' | '}' | '\\' | '^' | '`' | '~' | '@'
    ) || is_blank(c)
}

/// Where the token that starts at `from` ends.
pub(super) fn end(text: &str, from: usize) -> usize {
    text[from..]
        .find(ends_token)
        .map_or(text.len(), |width| from + width)
}

/// Reads the atom at `at`; gives it and where it ends.
pub(super) fn atom(text: &str, at: usize) -> Result<(Edn, usize), BadToken> {
    let mut chars = text[at..].chars();
    let first = chars.next().expect("invariant: the reader saw a character");
    match first {
        '"' => return string(text, at),
        '\\' => return character(text, at),
        _ => {}
    }
    let end = end(text, at);
    if end == at {
        return Err(BadToken {
            span: at..at + first.len_utf8(),
            message: format!("expected a form, found {first}, which means nothing in data"),
            incomplete: false,
        });
    }
    let token = &text[at..end];
    let form = match token {
        "nil" => Ok(Edn::Nil),
        "true" => Ok(Edn::Value(Value::Boolean(true))),
        "false" => Ok(Edn::Value(Value::Boolean(false))),
        _ if first == ':' => keyword(token).map(|k| Edn::Value(Value::Keyword(k))),
        _ if is_number(token) => number(token),
        _ => symbol(token).map(|s| Edn::Value(Value::Symbol(s))),
    };
    form.map(|form| (form, end)).map_err(|message| BadToken {
        span: at..end,
        message,
        incomplete: false,
    })
}

/// Whether the token is meant as a number: a digit, perhaps after a sign or a point.
fn is_number(token: &str) -> bool {
    let unsigned = token.strip_prefix(['+', '-']).unwrap_or(token);
    let unpointed = unsigned.strip_prefix('.').unwrap_or(unsigned);
    unpointed.starts_with(|c: char| c.is_ascii_digit())
}

/// Reads `:name` or `:ns/name`.
pub(super) fn keyword(token: &str) -> Result<Keyword, String> {
    let fail = |what: &str| Err(format!("expected a keyword, found {token}: {what}"));
    let name = token.strip_prefix(':').unwrap_or(token);
    if name.starts_with(':') {
        return fail("a namespace alias means nothing here");
    }
    match check_name(name) {
        Ok(()) => Ok(Keyword::parse(name)),
        Err(what) => fail(what),
    }
}

/// Reads `name` or `ns/name`, which must not be what reads as something else.
pub(super) fn symbol(token: &str) -> Result<Symbol, String> {
    let fail = |what: &str| Err(format!("expected a symbol, found {token}: {what}"));
    if matches!(token, "nil" | "true" | "false") || is_number(token) {
        return fail("it reads as a value");
    }
    if token.starts_with([':', '#', '\'']) {
        return fail("a symbol begins otherwise");
    }
    match check_name(token) {
        Err(what) => fail(what),
        Ok(()) if token.contains("/") && is_number(Symbol::parse(token).name()) => {
            fail("a name cannot begin as a number")
        }
        Ok(()) => Ok(Symbol::parse(token)),
    }
}

/// Something on both sides of the slashes, the first of which ends the namespace (`:a/b/c` is
/// `b/c` in `a`, as in Clojure); no colon where Clojure forbids it.
fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("there is no name");
    }
    if end(name, 0) != name.len() {
        return Err("a name ends before such a character");
    }
    if name.ends_with(':') || name.contains("::") || name.contains(":/") {
        return Err("a colon stands within a name, and alone");
    }
    match name.find('/') {
        None => Ok(()),
        Some(_) if name == "/" => Ok(()),
        Some(0) => Err("there is no namespace before the /"),
        Some(at) => match &name[at + 1..] {
            "" => Err("there is no name after the /"),
            "/" => Ok(()),
            rest if rest.ends_with('/') => Err("there is no name after the /"),
            _ => Ok(()),
        },
    }
}

fn number(token: &str) -> Result<Edn, String> {
    let fail = || format!("expected a number, found {token}");
    let digits = token.strip_prefix(['+', '-']).unwrap_or(token);
    let negative = token.starts_with('-');
    if digits.starts_with('.') {
        return Err(format!("{}: a digit must stand before the point", fail()));
    }
    if let Some((numerator, denominator)) = digits.split_once('/') {
        return ratio(negative, numerator, denominator).ok_or_else(fail);
    }
    if let Some((radix, digits, big)) = split_integer(digits) {
        let form = integer(negative, radix, digits, big);
        return form.ok_or_else(|| match digits.as_bytes() {
            [b'0', ..] if radix == 8 => format!("{}: a leading 0 means octal", fail()),
            _ => fail(),
        });
    }
    if let Some(decimal) = token.strip_suffix('M') {
        let number = BigDec::from_str(decimal).map_err(|()| fail())?;
        return Ok(Edn::Value(Value::BigDec(Arc::new(number))));
    }
    if !is_floating(digits) {
        return Err(fail());
    }
    let number = token.parse::<f64>().map_err(|_| fail())?;
    Ok(Edn::Value(Value::Double(number)))
}

/// The radix, the digits and whether an `N` follows, where the token is written as an integer.
fn split_integer(token: &str) -> Option<(u32, &str, bool)> {
    if let Some((radix, digits)) = token.split_once(['r', 'R']) {
        return Some((radix.parse().ok()?, digits, false));
    }
    let (body, big) = match token.strip_suffix('N') {
        Some(body) => (body, true),
        None => (token, false),
    };
    if let Some(hex) = body.strip_prefix("0x").or(body.strip_prefix("0X")) {
        return Some((16, hex, big));
    }
    if !body.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match body.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => Some((8, body, big)),
        _ => Some((10, body, big)),
    }
}

fn integer(negative: bool, radix: u32, digits: &str, big: bool) -> Option<Edn> {
    if !(2..=36).contains(&radix)
        || digits.is_empty()
        || !digits.chars().all(|digit| digit.is_digit(radix))
    {
        return None;
    }
    let sign = if negative { "-" } else { "" };
    if !big && let Ok(n) = i64::from_str_radix(&format!("{sign}{digits}"), radix) {
        return Some(Edn::Value(Value::Long(n)));
    }
    let n = BigInt::from_str_radix(&format!("{sign}{digits}"), radix).ok()?;
    Some(Edn::Value(Value::BigInt(Arc::new(n))))
}

/// `n/d` in lowest terms; a whole number is a bigint, as in Clojure.
fn ratio(negative: bool, numerator: &str, denominator: &str) -> Option<Edn> {
    let part = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => BigInt::from_str(digits).ok(),
        false => None,
    };
    let (numerator, denominator) = (part(numerator)?, part(denominator)?);
    if denominator.is_zero() {
        return None;
    }
    let divisor = numerator.gcd(&denominator);
    let numerator = if negative { -numerator } else { numerator } / &divisor;
    let denominator = denominator / divisor;
    Some(match denominator.is_one() {
        true => Edn::Value(Value::BigInt(Arc::new(numerator))),
        false => Edn::Ratio(Box::new((numerator, denominator))),
    })
}

/// `digits[.[digits]][e[±]digits]`, with a point or an exponent.
fn is_floating(digits: &str) -> bool {
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|text| {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        !unsigned.is_empty() && all_digits(unsigned)
    });
    !whole.is_empty() && all_digits(whole) && all_digits(fraction) && exponent_fits
}

fn string(text: &str, at: usize) -> Result<(Edn, usize), BadToken> {
    let open = at + 1;
    let unclosed = || BadToken {
        span: at..text.len(),
        message: "expected \" to end the string, found the end of the text".to_owned(),
        incomplete: true,
    };
    let Some(stop) = text[open..].find(['"', '\\']) else {
        return Err(unclosed());
    };
    if text.as_bytes()[open + stop] == b'"' {
        return Ok((Edn::string(&text[open..open + stop]), open + stop + 1));
    }
    let mut out = String::from(&text[open..open + stop]);
    let mut from = open + stop;
    loop {
        let rest = &text[from..];
        let stop = rest.find(['"', '\\']).ok_or_else(unclosed)?;
        out.push_str(&rest[..stop]);
        if rest.as_bytes()[stop] == b'"' {
            return Ok((Edn::string(&out), from + stop + 1));
        }
        let (c, width) = escape(&rest[stop..]).ok_or_else(|| match rest.len() - stop {
            1 => unclosed(),
            _ => bad_escape(text, from + stop),
        })?;
        out.push(c);
        from += stop + width;
    }
}

fn bad_escape(text: &str, at: usize) -> BadToken {
    let rest = &text[at..];
    let letter = rest.chars().nth(1);
    let (end, why) = match letter {
        Some('u') => (
            6,
            ": \\u takes four hexadecimal digits that name a character",
        ),
        Some('0'..='9') => (4, ": an octal escape is \\0 to \\377"),
        _ => (2, ": no such escape"),
    };
    let shown: String = rest.chars().take(end).take_while(|c| *c != '"').collect();
    BadToken {
        span: at..at + shown.len(),
        message: format!("expected an escape, found {shown}{why}"),
        incomplete: false,
    }
}

/// The character that the escape at the start of `text` stands for, and its width in bytes.
fn escape(text: &str) -> Option<(char, usize)> {
    let c = match text.chars().nth(1)? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        '"' => '"',
        '\\' => '\\',
        'u' => return unicode_escape(text),
        '0'..='7' => {
            let digits = &text[1..];
            let width = digits
                .bytes()
                .take(3)
                .take_while(|byte| (b'0'..=b'7').contains(byte))
                .count();
            let code = u8::from_str_radix(&digits[..width], 8).ok()?;
            return Some((char::from(code), 1 + width));
        }
        _ => return None,
    };
    Some((c, 2))
}

/// `\uXXXX`, or two of them that are a surrogate pair.
fn unicode_escape(text: &str) -> Option<(char, usize)> {
    let high = hex4(text.get(2..6)?)?;
    if let Some(c) = char::from_u32(high) {
        return Some((c, 6));
    }
    let low = hex4(text.get(6..)?.strip_prefix("\\u")?.get(..4)?)?;
    let pair = [u16::try_from(high).ok()?, u16::try_from(low).ok()?];
    let c = char::decode_utf16(pair).next()?.ok()?;
    Some((c, 12))
}

fn hex4(digits: &str) -> Option<u32> {
    let fits = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    fits.then(|| u32::from_str_radix(digits, 16).ok())?
}

fn character(text: &str, at: usize) -> Result<(Edn, usize), BadToken> {
    let Some(first) = text[at + 1..].chars().next() else {
        return Err(BadToken {
            span: at..text.len(),
            message: "expected a character after \\, found the end of the text".to_owned(),
            incomplete: true,
        });
    };
    let end = end(text, at + 1 + first.len_utf8());
    let name = &text[at + 1..end];
    let c = match name {
        "newline" => Some('\n'),
        "space" => Some(' '),
        "tab" => Some('\t'),
        "return" => Some('\r'),
        "backspace" => Some('\u{8}'),
        "formfeed" => Some('\u{c}'),
        _ if name.len() == first.len_utf8() => Some(first),
        _ if first == 'u' => hex4(&name[1..]).and_then(char::from_u32),
        _ if first == 'o' && name.len() <= 4 => {
            u8::from_str_radix(&name[1..], 8).ok().map(char::from)
        }
        _ => None,
    };
    c.map(|c| (Edn::Char(c), end)).ok_or_else(|| BadToken {
        span: at..end,
        message: format!("expected a character such as \\a, \\newline or \\u0041, found \\{name}"),
        incomplete: false,
    })
}
