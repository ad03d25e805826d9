//! The printer: forms to text that reads back as the same form.
//!
//! Text is what Clojure prints: commas between entries of a map, doubles as Java writes them,
//! `#inst` in UTC with `-00:00`. What EDN cannot write is printed with a tag of ours (`tag.rs`),
//! so that `read(print(x)) == x` for every form but these: a ref reads as a long, a tuple as a
//! vector, and a NaN has no payload.

use std::fmt::{self, Display, Formatter, Write};

use super::token;
use crate::{Edn, Keyword, Symbol, Value};

impl Display for Edn {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Edn::Nil => f.write_str("nil"),
            Edn::Value(value) => fmt_value(value, f),
            Edn::Char(c) => fmt_char(*c, f),
            Edn::Ratio(parts) => write!(f, "{}/{}", parts.0, parts.1),
            Edn::List(items) => fmt_items("(", items, ")", f),
            Edn::Vector(items) => fmt_items("[", items, "]", f),
            Edn::Set(items) => fmt_items("#{", items, "}", f),
            Edn::Map(entries) => fmt_map(entries, f),
            Edn::Tagged(tag, form) => write!(f, "#{} {form}", tag.as_str()),
        }
    }
}

impl fmt::Debug for Edn {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

/// Writes a value as EDN.
pub(crate) fn fmt_value(value: &Value, f: &mut Formatter<'_>) -> fmt::Result {
    match value {
        Value::String(text) => fmt_string(text, f),
        Value::Boolean(b) => write!(f, "{b}"),
        Value::Long(n) => write!(f, "{n}"),
        Value::BigInt(n) => write!(f, "{n}N"),
        Value::Float(n) => {
            f.write_str("#float ")?;
            fmt_double(f64::from(*n), &format!("{n:E}"), &format!("{n:.1E}"), f)
        }
        Value::Double(n) => fmt_double(*n, &format!("{n:E}"), &format!("{n:.1E}"), f),
        Value::BigDec(n) => write!(f, "{n}M"),
        Value::Instant(i) => write!(f, "{i:?}"),
        Value::Keyword(k) => fmt_keyword(k, f),
        Value::Symbol(s) => fmt_symbol(s, f),
        Value::Uuid(u) => write!(f, "#uuid \"{u}\""),
        Value::Uri(uri) => {
            f.write_str("#uri ")?;
            fmt_string(uri.as_str(), f)
        }
        Value::Bytes(bytes) => {
            f.write_str("#bytes \"")?;
            bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
            f.write_char('"')
        }
        Value::Ref(id) => write!(f, "{}", id.raw() as i64),
        Value::Tuple(slots) => {
            f.write_char('[')?;
            for (at, slot) in slots.iter().enumerate() {
                f.write_str(if at == 0 { "" } else { " " })?;
                match slot {
                    None => f.write_str("nil")?,
                    Some(value) => fmt_value(value, f)?,
                }
            }
            f.write_char(']')
        }
    }
}

fn fmt_items(open: &str, items: &[Edn], close: &str, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str(open)?;
    for (at, item) in items.iter().enumerate() {
        f.write_str(if at == 0 { "" } else { " " })?;
        Display::fmt(item, f)?;
    }
    f.write_str(close)
}

fn fmt_map(entries: &[(Edn, Edn)], f: &mut Formatter<'_>) -> fmt::Result {
    f.write_char('{')?;
    for (at, (key, value)) in entries.iter().enumerate() {
        f.write_str(if at == 0 { "" } else { ", " })?;
        write!(f, "{key} {value}")?;
    }
    f.write_char('}')
}

fn fmt_string(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    let mut plain_from = 0;
    for (at, c) in text.char_indices() {
        let escaped = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\t' => "\\t",
            '\r' => "\\r",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            _ if c.is_control() => "",
            _ => continue,
        };
        f.write_str(&text[plain_from..at])?;
        match escaped {
            "" => write!(f, "\\u{:04x}", u32::from(c))?,
            _ => f.write_str(escaped)?,
        }
        plain_from = at + c.len_utf8();
    }
    f.write_str(&text[plain_from..])?;
    f.write_char('"')
}

fn fmt_char(c: char, f: &mut Formatter<'_>) -> fmt::Result {
    match c {
        '\n' => f.write_str("\\newline"),
        ' ' => f.write_str("\\space"),
        '\t' => f.write_str("\\tab"),
        '\r' => f.write_str("\\return"),
        '\u{8}' => f.write_str("\\backspace"),
        '\u{c}' => f.write_str("\\formfeed"),
        _ if c.is_control() || c.is_whitespace() => write!(f, "\\u{:04x}", u32::from(c)),
        _ => write!(f, "\\{c}"),
    }
}

/// As `Double.toString`: the shortest digits that read back, at least one after the point, with
/// an exponent below 10⁻³ and from 10⁷ on.
///
/// `shortest` and `rounded` are the number in exponent form, with the fewest digits and with two.
fn fmt_double(number: f64, shortest: &str, rounded: &str, f: &mut Formatter<'_>) -> fmt::Result {
    if number.is_nan() {
        return f.write_str("##NaN");
    }
    if number.is_infinite() {
        return f.write_str(if number > 0.0 { "##Inf" } else { "##-Inf" });
    }
    if number != 0.0 && (number.abs() < 1e-3 || number.abs() >= 1e7) {
        // Where one digit would do, Java takes the nearer of those with two: 4.9E-324.
        let two_digits_do = !shortest.contains('.') && rounded.parse() == Ok(number);
        let text = if two_digits_do { rounded } else { shortest };
        return match text.split_once('E') {
            Some((digits, exponent)) if !digits.contains('.') => {
                write!(f, "{digits}.0E{exponent}")
            }
            _ => f.write_str(text),
        };
    }
    fmt_plain(shortest, f)
}

/// The digits of an exponent form, written without the exponent.
fn fmt_plain(shortest: &str, f: &mut Formatter<'_>) -> fmt::Result {
    let (mantissa, exponent) = shortest.split_once('E').unwrap_or((shortest, "0"));
    let exponent: i32 = exponent.parse().map_err(|_| fmt::Error)?;
    let sign = if mantissa.starts_with('-') { "-" } else { "" };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let Ok(whole) = usize::try_from(exponent + 1) else {
        let zeros = "0".repeat((-exponent - 1).unsigned_abs() as usize);
        return write!(f, "{sign}0.{zeros}{digits}");
    };
    match digits.split_at_checked(whole) {
        Some(("", fraction)) => write!(f, "{sign}0.{fraction}"),
        Some((whole, "")) => write!(f, "{sign}{whole}.0"),
        Some((whole, fraction)) => write!(f, "{sign}{whole}.{fraction}"),
        None => write!(f, "{sign}{digits:0<whole$}.0"),
    }
}

fn fmt_keyword(keyword: &Keyword, f: &mut Formatter<'_>) -> fmt::Result {
    match token::keyword(keyword.as_str()) {
        Ok(read) if read == *keyword && !keyword.as_str().starts_with(':') => {
            write!(f, ":{}", keyword.as_str())
        }
        _ => fmt_name("keyword", keyword.namespace(), keyword.name(), f),
    }
}

fn fmt_symbol(symbol: &Symbol, f: &mut Formatter<'_>) -> fmt::Result {
    match token::symbol(symbol.as_str()) {
        Ok(read) if read == *symbol => f.write_str(symbol.as_str()),
        _ => fmt_name("symbol", symbol.namespace(), symbol.name(), f),
    }
}

/// A name that would not read as itself.
fn fmt_name(tag: &str, namespace: Option<&str>, name: &str, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "#{tag} [")?;
    match namespace {
        None => f.write_str("nil")?,
        Some(namespace) => fmt_string(namespace, f)?,
    }
    f.write_char(' ')?;
    fmt_string(name, f)?;
    f.write_char(']')
}
