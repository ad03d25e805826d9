//! EDN, JSON and CSV: exact forms of an answer.

use datomite::Edn;

use super::display::plain;
use super::{Answer, Rows, Shape};

/// One EDN form, a row a line.
pub(super) fn edn(answer: &Answer) -> String {
    match answer {
        Answer::Value(value) => format!("{value}\n"),
        Answer::Rows(rows) => match rows.shape {
            Shape::Tuple => rows
                .rows
                .first()
                .map_or("nil\n".into(), |row| format!("{}\n", vector(row))),
            Shape::Set => lines(
                "#{",
                rows.rows.iter().map(|row| vector(row).to_string()),
                "}",
            ),
            Shape::Bag => lines(
                "[",
                rows.rows.iter().map(|row| vector(row).to_string()),
                "]",
            ),
            Shape::Collection => lines(
                "[",
                rows.rows.iter().flatten().map(ToString::to_string),
                "]",
            ),
            Shape::Maps => lines(
                "[",
                rows.rows.iter().map(|row| map(rows, row).to_string()),
                "]",
            ),
        },
    }
}

fn lines(open: &str, items: impl Iterator<Item = String>, close: &str) -> String {
    let indent = format!("\n{}", " ".repeat(open.len()));
    let items: Vec<String> = items.collect();
    format!("{open}{}{close}\n", items.join(&indent))
}

fn vector(row: &[Edn]) -> Edn {
    Edn::Vector(row.to_vec())
}

fn map(rows: &Rows, row: &[Edn]) -> Edn {
    let keys = rows.columns.iter().map(|name| Edn::keyword(name));
    Edn::Map(keys.zip(row.iter().cloned()).collect())
}

/// One JSON value and a line break: rows are arrays, or objects where the query named its columns.
pub(super) fn json(answer: &Answer) -> String {
    let value = match answer {
        Answer::Value(value) => to_json(value),
        Answer::Rows(rows) => match rows.shape {
            Shape::Tuple => rows
                .rows
                .first()
                .map_or(serde_json::Value::Null, |row| array(row)),
            Shape::Collection => rows.rows.iter().flatten().map(to_json).collect(),
            Shape::Maps => rows
                .rows
                .iter()
                .map(|row| to_json(&map(rows, row)))
                .collect(),
            Shape::Set | Shape::Bag => rows.rows.iter().map(|row| array(row)).collect(),
        },
    };
    format!("{value}\n")
}

fn array(row: &[Edn]) -> serde_json::Value {
    row.iter().map(to_json).collect()
}

fn to_json(form: &Edn) -> serde_json::Value {
    serde_json::to_value(form).unwrap_or(serde_json::Value::Null)
}

/// RFC 4180: a header, then a row a line. Text stands as it is; numbers and times without the
/// marks of EDN; other forms as EDN prints them.
pub(super) fn csv(answer: &Answer) -> String {
    match answer {
        Answer::Value(value) => csv_line(std::slice::from_ref(value)),
        Answer::Rows(rows) => {
            let header: Vec<Edn> = rows.columns.iter().map(|name| Edn::string(name)).collect();
            let mut text = csv_line(&header);
            for row in &rows.rows {
                text.push_str(&csv_line(row));
            }
            text
        }
    }
}

fn csv_line(row: &[Edn]) -> String {
    let fields: Vec<String> = row.iter().map(csv_field).collect();
    format!("{}\n", fields.join(","))
}

fn csv_field(form: &Edn) -> String {
    let text = match (form.as_str(), form.is_nil()) {
        (Some(text), _) => text.to_owned(),
        (None, true) => String::new(),
        (None, false) => plain(form).unwrap_or_else(|| form.to_string()),
    };
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}
