//! How Clojure prints: `str` and `pr-str` of every form.
//!
//! Not the printer of the model, which writes what reads back as the same form: here a float is
//! `1.5`, a keyword is its text, a pattern is `#"a+"`.

use std::fmt::Write;

use datomite_model::{Edn, Value};

use super::calendar::Civil;
use super::{CLASS_TAG, REGEX_TAG, hash};

/// The text of a form as `str` gives it: a string as it is, nil as nothing, the rest as printed.
pub(crate) fn text_of(form: &Edn) -> String {
    match form {
        Edn::Nil => String::new(),
        Edn::Tagged(tag, inner) if tag.as_str() == CLASS_TAG => format!("class {}", text_of(inner)),
        Edn::Tagged(tag, inner) if tag.as_str() == REGEX_TAG => text_of(inner),
        Edn::Value(value) => match value {
            Value::BigInt(n) => n.to_string(),
            Value::BigDec(n) => n.to_string(),
            Value::Instant(i) => Civil::of(*i).text(),
            Value::Uuid(u) => u.to_string(),
            Value::Uri(u) => u.as_str().to_string(),
            Value::Double(n) if !n.is_finite() => infinite(*n).to_string(),
            Value::Float(n) if !n.is_finite() => infinite(f64::from(*n)).to_string(),
            Value::Tuple(_) => printed(form, true),
            _ => printed(form, false),
        },
        Edn::Char(character) => character.to_string(),
        _ => printed(form, true),
    }
}

fn infinite(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// The text as `pr` writes it, or as `print` does: without quotes.
pub(super) fn printed(form: &Edn, readably: bool) -> String {
    let mut out = String::new();
    print(form, readably, &mut out);
    out
}

fn print(form: &Edn, readably: bool, out: &mut String) {
    match form {
        Edn::List(items) => between("(", items, ")", readably, out),
        Edn::Vector(items) => between("[", items, "]", readably, out),
        Edn::Set(items) => between("#{", &hash::set_order(items), "}", readably, out),
        Edn::Map(entries) => {
            out.push('{');
            for (at, (key, value)) in hash::map_order(entries).iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                print(key, readably, out);
                out.push(' ');
                print(value, readably, out);
            }
            out.push('}');
        }
        Edn::Char(character) if !readably => out.push(*character),
        Edn::Char(character) => {
            let name = match character {
                '\n' => "newline",
                ' ' => "space",
                '\t' => "tab",
                '\r' => "return",
                '\u{8}' => "backspace",
                '\u{c}' => "formfeed",
                _ => "",
            };
            out.push('\\');
            match name {
                "" => out.push(*character),
                name => out.push_str(name),
            }
        }
        Edn::Tagged(tag, inner) if tag.as_str() == CLASS_TAG => print(inner, false, out),
        Edn::Tagged(tag, inner) if tag.as_str() == REGEX_TAG => {
            let _ = write!(out, "#\"{}\"", text_of(inner));
        }
        Edn::Tagged(tag, inner) => {
            let _ = write!(out, "#{} ", tag.as_str());
            print(inner, readably, out);
        }
        Edn::Value(value) => print_value(value, form, readably, out),
        form => {
            let _ = write!(out, "{form}");
        }
    }
}

fn between(open: &str, items: &[Edn], close: &str, readably: bool, out: &mut String) {
    out.push_str(open);
    for (at, item) in items.iter().enumerate() {
        out.push_str(if at == 0 { "" } else { " " });
        print(item, readably, out);
    }
    out.push_str(close);
}

fn print_value(value: &Value, form: &Edn, readably: bool, out: &mut String) {
    let written = match value {
        Value::String(text) if readably => {
            out.push('"');
            for character in text.chars() {
                match character {
                    '"' => out.push_str("\\\""),
                    '\\' => out.push_str("\\\\"),
                    '\n' => out.push_str("\\n"),
                    '\t' => out.push_str("\\t"),
                    '\r' => out.push_str("\\r"),
                    '\u{8}' => out.push_str("\\b"),
                    '\u{c}' => out.push_str("\\f"),
                    other => out.push(other),
                }
            }
            out.push('"');
            Ok(())
        }
        Value::String(text) => out.write_str(text),
        Value::Keyword(keyword) => write!(out, ":{}", keyword.as_str()),
        Value::Symbol(symbol) => out.write_str(symbol.as_str()),
        Value::Float(_) => {
            let text = form.to_string();
            out.write_str(text.strip_prefix("#float ").unwrap_or(&text))
        }
        Value::Tuple(slots) => {
            let items: Vec<Edn> = slots
                .iter()
                .map(|slot| slot.clone().map_or(Edn::Nil, Edn::from))
                .collect();
            between("[", &items, "]", readably, out);
            Ok(())
        }
        _ => write!(out, "{form}"),
    };
    debug_assert!(written.is_ok(), "writing to a string does not fail");
}
