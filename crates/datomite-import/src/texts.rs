//! The texts of a row in the order of its table's columns, defaults filled in.

use crate::catalog::{Catalog, DefaultValue, Name};
use crate::dump::Block;
use crate::dump::fields::{Field, Fields};
use crate::report::Omissions;
use crate::row::Texts;

/// The next number of every sequence of a table, by column.
pub(crate) type Sequences = Vec<Option<i64>>;

/// Maps the fields of a block's rows to the columns of a table.
#[derive(Clone, Debug)]
pub(crate) struct Resolver {
    table: String,
    columns: Vec<Source>,
    /// Texts that are not in the fields, by column.
    filled: Vec<Option<String>>,
    /// Values that only Postgres could compute, by column.
    expressions: Vec<u64>,
    names: Vec<String>,
}

#[derive(Clone, Debug)]
struct Source {
    field: Option<usize>,
    default: DefaultValue,
    generated: bool,
}

impl Resolver {
    /// For the rows of a block, as rows of `root`.
    pub(crate) fn new(catalog: &Catalog, root: &Name, block: &Block) -> Resolver {
        let table = catalog.table(root);
        let own = catalog.table(&block.table);
        let columns: Vec<Source> = table
            .iter()
            .flat_map(|t| &t.columns)
            .map(|column| {
                let local = own.and_then(|t| t.column(&column.name));
                Source {
                    field: block.columns.iter().position(|c| *c == column.name),
                    default: local.unwrap_or(column).default.clone(),
                    generated: column.generated,
                }
            })
            .collect();
        Resolver {
            table: root.to_string(),
            filled: vec![None; columns.len()],
            expressions: vec![0; columns.len()],
            names: table
                .iter()
                .flat_map(|t| t.columns.iter().map(|c| c.name.clone()))
                .collect(),
            columns,
        }
    }

    /// Takes in a row: fills in what its fields leave to defaults.
    pub(crate) fn take<'a>(&'a mut self, fields: &'a Fields, sequences: &mut Sequences) -> Row<'a> {
        sequences.resize(self.columns.len(), None);
        for (n, source) in self.columns.iter().enumerate() {
            self.filled[n] = None;
            match source
                .field
                .map_or(Field::Default, |field| fields.get(field))
            {
                Field::Default if source.generated => self.expressions[n] += 1,
                Field::Default => match &source.default {
                    DefaultValue::Null => {}
                    DefaultValue::Literal(text) => self.filled[n] = Some(text.clone()),
                    DefaultValue::Sequence { start, increment } => {
                        let next = sequences[n].unwrap_or(*start);
                        sequences[n] = Some(next.saturating_add(*increment));
                        self.filled[n] = Some(next.to_string());
                    }
                    DefaultValue::Named(_) | DefaultValue::Expression(_) => {
                        self.expressions[n] += 1;
                    }
                },
                Field::Expression(_) => self.expressions[n] += 1,
                Field::Null | Field::Text(_) => {}
            }
        }
        Row {
            resolver: self,
            fields,
        }
    }

    /// Adds what could not be carried over to the report.
    pub(crate) fn report(&self, omissions: &mut Omissions) {
        for (n, source) in self.columns.iter().enumerate() {
            let reason = match (&source.default, source.generated) {
                (_, true) => "generated column: Postgres computes it, a dump does not hold it",
                _ => "an expression that only Postgres can compute",
            };
            let what = format!("{}.{}", self.table, self.names[n]);
            omissions.add(&what, reason, self.expressions[n]);
        }
    }
}

/// One row by the columns of its table.
pub(crate) struct Row<'a> {
    resolver: &'a Resolver,
    fields: &'a Fields,
}

impl Texts for Row<'_> {
    fn text(&self, column: usize) -> Option<&[u8]> {
        if let Some(text) = &self.resolver.filled[column] {
            return Some(text.as_bytes());
        }
        match self.fields.get(self.resolver.columns[column].field?) {
            Field::Text(text) => Some(text),
            _ => None,
        }
    }
}
