//! Tables for people.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use datomite::{Db, Edn};

use super::display::{block, is_number, shown};
use super::{Answer, Rows, Shape};

/// How wide a table may grow where the terminal does not say.
const WIDTH_DEFAULT: u16 = 100;
/// Below that a table cannot be read.
const WIDTH_MIN: u16 = 20;

/// An answer as a person reads it.
pub(super) fn table(answer: &Answer, raw: bool, db: Option<&Db>) -> String {
    match answer {
        Answer::Value(Edn::Vector(items)) if items.iter().any(|item| item.as_map().is_some()) => {
            items
                .iter()
                .map(|item| format!("{}\n", block(item, raw, db)))
                .collect()
        }
        Answer::Value(value) => format!("{}\n", block(value, raw, db)),
        Answer::Rows(rows) if rows.rows.is_empty() => "no rows\n".into(),
        Answer::Rows(rows) => rows_table(rows, raw, db),
    }
}

fn rows_table(rows: &Rows, raw: bool, db: Option<&Db>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    // Some pseudo-terminals say that they have no columns.
    if table.width().is_none_or(|width| width < WIDTH_MIN) {
        table.set_width(WIDTH_DEFAULT);
    }
    table.set_header(rows.columns.iter().map(String::as_str));
    for row in &rows.rows {
        table.add_row(row.iter().map(|form| shown(form, raw, db)));
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        if rows
            .rows
            .iter()
            .all(|row| row.get(at).is_none_or(|form| is_number(form, raw)))
        {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let trimmed: Vec<String> = table
        .to_string()
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    let count = rows.rows.len();
    let foot = match rows.shape {
        Shape::Tuple => String::new(),
        _ if count == 1 => "1 row\n".into(),
        _ => format!("{count} rows\n"),
    };
    format!("{}\n{foot}", trimmed.join("\n"))
}
