//! From statements to the catalog: the only place that changes it.
//!
//! Tracks what a session would (search path, encoding, form of literals), so that a statement
//! means here what it would have meant to Postgres. What a dump declares after its data (keys,
//! attachments, identity) is in the catalog once the whole dump has been seen.

use std::collections::BTreeMap;

use crate::catalog::{Catalog, Column, DefaultValue, ForeignKey, Name, Parent, Table, TypeDef};
use crate::dump::cursor::QualifiedName;
use crate::dump::encoding::Encoding;
use crate::dump::statement::{AlterAction, ColumnDef, Constraint, CreateTable, Statement};

/// What the settings say where a row stands.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Session {
    /// `client_encoding`.
    pub(crate) encoding: Encoding,
    /// `standard_conforming_strings`.
    pub(crate) standard: bool,
}

/// The catalog while a dump is read.
#[derive(Clone, Debug)]
pub(crate) struct Ddl {
    pub(crate) catalog: Catalog,
    pub(crate) session: Session,
    /// Statements that were not needed, by kind.
    pub(crate) skipped: BTreeMap<String, u64>,
    search_path: Vec<String>,
    /// Unique indexes by name, for `ADD CONSTRAINT … USING INDEX`.
    indexes: BTreeMap<String, Vec<String>>,
}

impl Ddl {
    pub(crate) fn new() -> Ddl {
        Ddl {
            catalog: Catalog::default(),
            session: Session {
                encoding: Encoding::Utf8,
                standard: true,
            },
            skipped: BTreeMap::new(),
            search_path: vec!["public".to_owned()],
            indexes: BTreeMap::new(),
        }
    }

    pub(crate) fn skip(&mut self, kind: &str) {
        *self.skipped.entry(kind.to_owned()).or_default() += 1;
    }

    /// The full name that a statement means: an existing table on the search path, else a new
    /// one in its first schema.
    pub(crate) fn resolve(&self, name: QualifiedName) -> Name {
        if name.schema.is_none() {
            for schema in &self.search_path {
                let candidate = Name::new(schema.clone(), name.name.clone());
                if self.catalog.position(&candidate).is_some() {
                    return candidate;
                }
            }
        }
        name.or_schema(self.search_path.first().map_or("public", String::as_str))
    }

    /// Takes in one statement; data statements are the caller's.
    pub(crate) fn apply(&mut self, statement: Statement) {
        match statement {
            Statement::CreateTable(table) => self.create_table(table),
            Statement::CreateEnum(name, labels) => self.add_type(name, TypeDef::Enum(labels)),
            Statement::CreateDomain(name, base) => self.add_type(name, TypeDef::Domain(base)),
            Statement::CreateComposite(name, fields) => {
                self.add_type(name, TypeDef::Composite(fields));
            }
            Statement::CreateRange(name, subtype, multirange) => {
                let multirange = multirange.unwrap_or_else(|| multirange_name(&name));
                self.add_type(multirange, TypeDef::Multirange);
                self.add_type(name, TypeDef::Range(subtype));
            }
            Statement::AddLabel {
                name,
                label,
                neighbour,
            } => self.add_label(name, label, neighbour),
            Statement::CreateSequence(name, options) => {
                let name = self.resolve(name);
                self.catalog.sequences.insert(name, options);
            }
            Statement::AlterTable(name, actions) => {
                let name = self.resolve(name);
                for action in actions {
                    self.alter(&name, action);
                }
            }
            Statement::CreateIndex {
                name,
                table,
                columns,
                unique,
            } => self.create_index(name, table, columns, unique),
            Statement::CommentTable(name, text) => {
                let name = self.resolve(name);
                if let Some(table) = self.catalog.table_mut(&name) {
                    table.comment = text;
                }
            }
            Statement::CommentColumn(name, column, text) => {
                let name = self.resolve(name);
                let table = self.catalog.table_mut(&name);
                if let Some(column) = table.and_then(|t| t.column_mut(&column)) {
                    column.comment = text;
                }
            }
            Statement::Set(name, values) => self.set(&name, values),
            Statement::Skipped(kind) => self.skip(&kind),
            Statement::DropTable(_) => self.skip("DROP TABLE"),
            Statement::Copy { .. } | Statement::Insert => {}
        }
    }

    fn set(&mut self, name: &str, values: Vec<String>) {
        let first = values.first().map(String::as_str).unwrap_or_default();
        match name {
            "search_path" => {
                self.search_path = values
                    .into_iter()
                    .filter(|s| !s.is_empty() && s != "pg_catalog" && s != "$user")
                    .collect();
            }
            "client_encoding" => match Encoding::of_name(first) {
                Some(encoding) => self.session.encoding = encoding,
                None => self.skip(&format!("SET client_encoding = {first} (read as UTF-8)")),
            },
            "standard_conforming_strings" => self.session.standard = first != "off",
            _ => {}
        }
    }

    fn add_type(&mut self, name: QualifiedName, definition: TypeDef) {
        let name = self.resolve(name);
        self.catalog.add_type(name, definition);
    }

    fn add_label(&mut self, name: QualifiedName, label: String, near: Option<(bool, String)>) {
        let name = self.resolve(name);
        if let Some(TypeDef::Enum(labels)) = self.catalog.types.get_mut(&name) {
            let at = near.and_then(|(before, neighbour)| {
                let at = labels.iter().position(|l| *l == neighbour)?;
                Some(if before { at } else { at + 1 })
            });
            if !labels.contains(&label) {
                labels.insert(at.unwrap_or(labels.len()), label);
            }
        }
    }

    fn create_table(&mut self, definition: CreateTable) {
        let name = self.resolve(definition.name);
        let mut table = Table {
            name: name.clone(),
            ..Table::default()
        };
        let inherits: Vec<Name> = definition
            .inherits
            .into_iter()
            .map(|n| self.resolve(n))
            .collect();
        let partition_of = definition.partition_of.map(|n| self.resolve(n));
        let like: Vec<Name> = definition
            .like
            .into_iter()
            .map(|n| self.resolve(n))
            .collect();
        for source in inherits.iter().chain(&partition_of).chain(&like) {
            if let Some(source) = self.catalog.table(source) {
                for column in &source.columns {
                    if table.column(&column.name).is_none() {
                        table.columns.push(column.clone());
                    }
                }
            }
        }
        if let Some(TypeDef::Composite(fields)) = definition
            .of_type
            .and_then(|n| self.catalog.types.get(&self.resolve(n)))
        {
            table.columns = fields.iter().map(|(n, t)| plain_column(n, t)).collect();
        }
        table.parent = match partition_of {
            Some(parent) => Parent::Partition(parent),
            None if inherits.is_empty() => Parent::None,
            None => Parent::Inherits(inherits),
        };
        let mut constraints = definition.constraints;
        for column in definition.columns {
            constraints.extend(add_column(&mut table, column));
        }
        self.catalog.add_table(table);
        for constraint in constraints {
            self.add_constraint(&name, constraint);
        }
        self.settle_defaults(&name);
    }

    /// Turns defaults that name a sequence into its numbers, where the sequence is known.
    fn settle_defaults(&mut self, name: &Name) {
        let sequences = self.catalog.sequences.clone();
        if let Some(table) = self.catalog.table_mut(name) {
            for column in &mut table.columns {
                if let DefaultValue::Named(sequence) = &column.default {
                    let (start, increment) = sequences.get(sequence).copied().unwrap_or((1, 1));
                    column.default = DefaultValue::Sequence { start, increment };
                }
            }
        }
    }

    fn add_constraint(&mut self, name: &Name, constraint: Constraint) {
        let target = match &constraint {
            Constraint::ForeignKey { target, .. } => Some(self.resolve(target.clone())),
            _ => None,
        };
        let using = match &constraint {
            Constraint::UsingIndex { index, .. } => self.indexes.get(index).cloned(),
            _ => None,
        };
        let Some(table) = self.catalog.table_mut(name) else {
            return;
        };
        match constraint {
            Constraint::ForeignKey {
                columns,
                target_columns,
                checked,
                target: written,
            } => {
                let key = ForeignKey {
                    columns,
                    target: target.unwrap_or_else(|| written.or_schema("public")),
                    target_columns,
                    checked,
                };
                if !table.foreign_keys.contains(&key) {
                    table.foreign_keys.push(key);
                }
            }
            Constraint::PrimaryKey(columns) => set_primary_key(table, columns),
            Constraint::Unique(columns) => add_unique(table, columns),
            Constraint::UsingIndex { primary, .. } => match (primary, using) {
                (true, Some(columns)) => set_primary_key(table, columns),
                (false, Some(columns)) => add_unique(table, columns),
                (_, None) => {}
            },
            Constraint::NotNull(column) => {
                if let Some(column) = table.column_mut(&column) {
                    column.not_null = true;
                }
            }
            Constraint::Other => self.skip("CHECK or EXCLUDE constraint"),
        }
    }

    fn alter(&mut self, name: &Name, action: AlterAction) {
        match action {
            AlterAction::Add(constraint) => self.add_constraint(name, constraint),
            AlterAction::AddColumn(definition) => {
                let constraints = match self.catalog.table_mut(name) {
                    Some(table) => add_column(table, definition),
                    None => Vec::new(),
                };
                for constraint in constraints {
                    self.add_constraint(name, constraint);
                }
                self.settle_defaults(name);
            }
            AlterAction::AttachPartition(child) => {
                let child = self.resolve(child);
                if let Some(table) = self.catalog.table_mut(&child) {
                    table.parent = Parent::Partition(name.clone());
                }
            }
            AlterAction::Inherit(parent) => {
                let parent = self.resolve(parent);
                if let Some(table) = self.catalog.table_mut(name) {
                    table.parent = Parent::Inherits(vec![parent]);
                }
            }
            AlterAction::SetDefault(column, text) => {
                if let Some(column) = column_of(&mut self.catalog, name, &column) {
                    column.default = default_value(&text);
                }
                self.settle_defaults(name);
            }
            AlterAction::SetNotNull(column) => {
                if let Some(column) = column_of(&mut self.catalog, name, &column) {
                    column.not_null = true;
                }
            }
            AlterAction::Identity(column, (start, increment)) => {
                if let Some(column) = column_of(&mut self.catalog, name, &column) {
                    column.default = DefaultValue::Sequence { start, increment };
                    column.not_null = true;
                }
            }
            AlterAction::Other => self.skip("other part of ALTER TABLE"),
        }
    }

    fn create_index(
        &mut self,
        index: String,
        table: QualifiedName,
        columns: Option<Vec<String>>,
        unique: bool,
    ) {
        let name = self.resolve(table);
        let (Some(columns), Some(table)) = (columns, self.catalog.table_mut(&name)) else {
            self.skip("CREATE INDEX on an expression, with a predicate or on a view");
            return;
        };
        if let Some(first) = columns.first().filter(|c| !table.indexed.contains(c)) {
            table.indexed.push(first.clone());
        }
        if unique {
            self.indexes.insert(index, columns.clone());
            add_unique(table, columns);
        }
    }
}

fn multirange_name(range: &QualifiedName) -> QualifiedName {
    let name = match range.name.find("range") {
        Some(_) => range.name.replacen("range", "multirange", 1),
        None => format!("{}_multirange", range.name),
    };
    QualifiedName {
        schema: range.schema.clone(),
        name,
    }
}

fn column_of<'a>(catalog: &'a mut Catalog, table: &Name, column: &str) -> Option<&'a mut Column> {
    catalog.table_mut(table)?.column_mut(column)
}

fn plain_column(name: &str, type_name: &crate::catalog::TypeName) -> Column {
    Column {
        name: name.to_owned(),
        type_name: type_name.clone(),
        ..Column::default()
    }
}

/// Adds a column, or merges it with the one that came from a parent; gives its constraints.
fn add_column(table: &mut Table, definition: ColumnDef) -> Vec<Constraint> {
    let column = Column {
        name: definition.name,
        type_name: definition.type_name,
        not_null: definition.not_null,
        generated: definition.generated,
        default: match (definition.identity, &definition.default) {
            (Some((start, increment)), _) => DefaultValue::Sequence { start, increment },
            (None, Some(text)) => default_value(text),
            (None, None) => DefaultValue::Null,
        },
        comment: None,
    };
    match table.column_mut(&column.name) {
        None => table.columns.push(column),
        Some(known) => {
            known.not_null |= column.not_null;
            known.generated |= column.generated;
            if column.default != DefaultValue::Null {
                known.default = column.default;
            }
            if !column.type_name.name.is_empty() {
                known.type_name = column.type_name;
            }
        }
    }
    definition.constraints
}

fn set_primary_key(table: &mut Table, columns: Vec<String>) {
    for name in &columns {
        if let Some(column) = table.column_mut(name) {
            column.not_null = true;
        }
    }
    table.primary_key = columns;
}

fn add_unique(table: &mut Table, columns: Vec<String>) {
    if !table.uniques.contains(&columns) {
        table.uniques.push(columns);
    }
}

/// What a default's text says, as far as that is known without Postgres.
pub(crate) fn default_value(text: &str) -> DefaultValue {
    let expression = || DefaultValue::Expression(text.to_owned());
    let mut cursor = crate::dump::cursor::Cursor::new(text, true);
    if cursor.words(&["nextval"]) {
        cursor.symbol('(');
        let Some(name) = cursor.text() else {
            return expression();
        };
        let mut inner = crate::dump::cursor::Cursor::new(&name, true);
        return inner.qualified().map_or_else(expression, |name| {
            DefaultValue::Named(name.or_schema("public"))
        });
    }
    let opened = cursor.symbol('(');
    let minus = if cursor.symbol('-') { "-" } else { "" };
    let value = match cursor.text().or_else(|| cursor.number()) {
        Some(value) => Some(format!("{minus}{value}")),
        None if cursor.words(&["null"]) => None,
        None if cursor.words(&["true"]) => Some("true".to_owned()),
        None if cursor.words(&["false"]) => Some("false".to_owned()),
        None => return expression(),
    };
    if opened {
        cursor.symbol(')');
    }
    while cursor.symbol(':') && cursor.symbol(':') {
        if crate::dump::types::type_name(&mut cursor).is_none() {
            return expression();
        }
    }
    if !cursor.at_end() {
        return expression();
    }
    value.map_or(DefaultValue::Null, DefaultValue::Literal)
}
