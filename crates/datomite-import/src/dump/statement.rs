//! Statements that matter, by targeted recursive descent; everything else is `Skipped`.
//!
//! Reads what `pg_dump` of every version and people by hand write for tables, keys, types and
//! comments. It does not check SQL: a statement that begins like one of these and goes on in a
//! way that is not understood is skipped too, and counted under its first words.

use super::cursor::{Cursor, QualifiedName};
use super::types::type_name;
use crate::catalog::TypeName;

/// What a column's declaration says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct ColumnDef {
    pub(crate) name: String,
    pub(crate) type_name: TypeName,
    pub(crate) not_null: bool,
    pub(crate) generated: bool,
    pub(crate) identity: Option<(i64, i64)>,
    pub(crate) default: Option<String>,
    pub(crate) constraints: Vec<Constraint>,
}

/// A constraint of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Constraint {
    PrimaryKey(Vec<String>),
    Unique(Vec<String>),
    UsingIndex {
        primary: bool,
        index: String,
    },
    ForeignKey {
        columns: Vec<String>,
        target: QualifiedName,
        target_columns: Vec<String>,
        checked: bool,
    },
    NotNull(String),
    Other,
}

/// What `ALTER TABLE` does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum AlterAction {
    Add(Constraint),
    AddColumn(ColumnDef),
    AttachPartition(QualifiedName),
    Inherit(QualifiedName),
    SetDefault(String, String),
    SetNotNull(String),
    Identity(String, (i64, i64)),
    Other,
}

/// What `CREATE TABLE` says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct CreateTable {
    pub(crate) name: QualifiedName,
    pub(crate) columns: Vec<ColumnDef>,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) inherits: Vec<QualifiedName>,
    pub(crate) partition_of: Option<QualifiedName>,
    pub(crate) of_type: Option<QualifiedName>,
    pub(crate) like: Vec<QualifiedName>,
}

/// One statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Statement {
    CreateTable(CreateTable),
    CreateEnum(QualifiedName, Vec<String>),
    CreateDomain(QualifiedName, TypeName),
    CreateComposite(QualifiedName, Vec<(String, TypeName)>),
    CreateRange(QualifiedName, TypeName, Option<QualifiedName>),
    AddLabel {
        name: QualifiedName,
        label: String,
        neighbour: Option<(bool, String)>,
    },
    CreateSequence(QualifiedName, (i64, i64)),
    AlterTable(QualifiedName, Vec<AlterAction>),
    CreateIndex {
        name: String,
        table: QualifiedName,
        /// The columns; `None` for expressions or a predicate.
        columns: Option<Vec<String>>,
        unique: bool,
    },
    CommentTable(QualifiedName, Option<String>),
    CommentColumn(QualifiedName, String, Option<String>),
    Set(String, Vec<String>),
    Copy {
        table: QualifiedName,
        columns: Vec<String>,
        from_stdin: bool,
        plain: bool,
    },
    Insert,
    DropTable(Vec<QualifiedName>),
    /// Not needed: the first words, for the count.
    Skipped(String),
}

/// Reads one statement; `standard` is `standard_conforming_strings`.
pub(crate) fn parse(text: &str, standard: bool) -> Statement {
    let head = head_words(text, standard);
    let words: Vec<&str> = head.iter().map(String::as_str).collect();
    let mut cursor = match words.as_slice() {
        ["insert", ..] => return Statement::Insert,
        [
            "create" | "alter" | "comment" | "set" | "copy" | "select" | "drop",
            ..,
        ] => Cursor::new(text, standard),
        _ => return Statement::Skipped(kind(&words)),
    };
    let parsed = match words.as_slice() {
        [
            "create",
            "table" | "unlogged" | "temp" | "temporary" | "global" | "local" | "foreign",
            ..,
        ] => create_table(&mut cursor),
        ["create", "type", ..] => create_type(&mut cursor),
        ["create", "domain", ..] => create_domain(&mut cursor),
        ["create", "index" | "unique", ..] => create_index(&mut cursor),
        ["create", "sequence", ..] => create_sequence(&mut cursor),
        ["alter", "table" | "foreign", ..] => alter_table(&mut cursor),
        ["alter", "type", ..] => alter_type(&mut cursor),
        ["comment", "on", ..] => comment(&mut cursor),
        ["set", ..] => set(&mut cursor),
        ["select", ..] => set_config(&mut cursor),
        ["copy", ..] => copy(&mut cursor),
        ["drop", "table", ..] => drop_table(&mut cursor),
        _ => None,
    };
    parsed.unwrap_or_else(|| Statement::Skipped(kind(&words)))
}

/// The first words, without what only decorates a statement.
fn head_words(text: &str, standard: bool) -> Vec<String> {
    let mut cursor = Cursor::lazy(text, standard, 6);
    let mut words = Vec::new();
    while let Some(word) = cursor.any_word() {
        if !matches!(word.as_str(), "or" | "replace") {
            words.push(word);
        }
    }
    words
}

/// How a skipped statement is counted: its verb and what it is about.
fn kind(words: &[&str]) -> String {
    let two_words = [
        "materialized",
        "event",
        "text",
        "foreign",
        "access",
        "default",
        "large",
    ];
    let take = match words {
        ["create" | "alter" | "drop", second, ..] if two_words.contains(second) => 3,
        [
            "create" | "alter" | "drop" | "comment" | "refresh" | "security",
            ..,
        ] => 2,
        _ => 1,
    };
    let kind: Vec<String> = words.iter().take(take).map(|w| w.to_uppercase()).collect();
    if kind.is_empty() {
        "other text".to_owned()
    } else {
        kind.join(" ")
    }
}

fn create_table(c: &mut Cursor) -> Option<Statement> {
    c.skip_to_word("table")?;
    c.words(&["if", "not", "exists"]);
    let mut table = CreateTable {
        name: c.qualified()?,
        ..CreateTable::default()
    };
    if c.words(&["partition", "of"]) {
        table.partition_of = Some(c.qualified()?);
    } else if c.words(&["of"]) {
        table.of_type = Some(c.qualified()?);
    }
    if c.symbol('(') {
        while !c.symbol(')') {
            table_element(c, &mut table)?;
            if !c.symbol(',') && !c.at_symbol(')') {
                return None;
            }
        }
    } else if c.words(&["as"]) || (table.partition_of.is_none() && table.of_type.is_none()) {
        return None;
    }
    if c.words(&["inherits"]) {
        c.symbol('(').then_some(())?;
        while !c.symbol(')') {
            table.inherits.push(c.qualified()?);
            c.symbol(',');
        }
    }
    Some(Statement::CreateTable(table))
}

fn table_element(c: &mut Cursor, table: &mut CreateTable) -> Option<()> {
    if c.words(&["like"]) {
        table.like.push(c.qualified()?);
        c.skip_expression();
        return Some(());
    }
    if c.at_constraint() {
        let constraint = table_constraint(c)?;
        table.constraints.push(constraint);
        return Some(());
    }
    let name = c.name()?;
    let typed = table.of_type.is_some() || table.partition_of.is_some();
    let definition = column(c, name, typed)?;
    table.columns.push(definition);
    Some(())
}

/// A column after its name; columns of typed tables and partitions have no type.
fn column(c: &mut Cursor, name: String, typed: bool) -> Option<ColumnDef> {
    let mut def = ColumnDef {
        name,
        ..ColumnDef::default()
    };
    if typed {
        c.words(&["with", "options"]);
    } else {
        let (type_name, serial) = type_name(c)?;
        def.type_name = type_name;
        if serial {
            def.identity = Some((1, 1));
            def.not_null = true;
        }
    }
    while !c.at_symbol(',') && !c.at_symbol(')') && !c.at_end() {
        column_constraint(c, &mut def)?;
    }
    Some(def)
}

fn column_constraint(c: &mut Cursor, def: &mut ColumnDef) -> Option<()> {
    if c.words(&["constraint"]) {
        c.name()?;
    }
    let own = vec![def.name.clone()];
    if c.words(&["not", "null"]) {
        def.not_null = true;
        c.words(&["no", "inherit"]);
    } else if c.words(&["primary", "key"]) {
        def.constraints.push(Constraint::PrimaryKey(own));
    } else if c.words(&["unique"]) {
        c.words(&["nulls"]);
        c.words(&["not"]);
        c.words(&["distinct"]);
        def.constraints.push(Constraint::Unique(own));
    } else if c.words(&["references"]) {
        let key = references(c, own)?;
        def.constraints.push(key);
    } else if c.words(&["default"]) {
        def.default = Some(c.skip_expression());
    } else if c.words(&["generated"]) {
        c.words(&["always"]);
        c.words(&["by", "default"]);
        c.words(&["as"]).then_some(())?;
        if c.words(&["identity"]) {
            def.identity = Some(sequence_options(c));
            def.not_null = true;
        } else {
            def.generated = true;
            c.skip_parentheses()?;
        }
    } else if c.words(&["check"])
        || c.words(&["with"])
        || c.words(&["using", "index", "tablespace"])
    {
        c.skip_parentheses();
    } else if c.words(&["collate"]) || c.words(&["compression"]) || c.words(&["storage"]) {
        c.qualified()?;
    } else if c.at_symbol('(') {
        c.skip_parentheses()?;
    } else {
        // NULL, STORED, VIRTUAL, DEFERRABLE, INITIALLY DEFERRED, NOT VALID, NO INHERIT, …
        c.any_word()?;
    }
    Some(())
}

fn references(c: &mut Cursor, columns: Vec<String>) -> Option<Constraint> {
    let target = c.qualified()?;
    let target_columns = if c.at_symbol('(') {
        c.name_list()?
    } else {
        Vec::new()
    };
    while c.words(&["match"]) || c.words(&["on"]) {
        c.words(&["delete"]);
        c.words(&["update"]);
        let word = c.any_word()?;
        if matches!(word.as_str(), "no" | "set") {
            c.any_word()?;
        }
        if c.at_symbol('(') {
            c.skip_parentheses()?;
        }
    }
    let mut checked = true;
    loop {
        if c.words(&["not", "valid"]) || c.words(&["not", "enforced"]) {
            checked = false;
        } else if !deferral(c) {
            break;
        }
    }
    Some(Constraint::ForeignKey {
        columns,
        target,
        target_columns,
        checked,
    })
}

/// When a constraint is checked: of no matter for what a dump holds.
fn deferral(c: &mut Cursor) -> bool {
    c.words(&["deferrable"])
        || c.words(&["not", "deferrable"])
        || c.words(&["initially", "deferred"])
        || c.words(&["initially", "immediate"])
        || c.words(&["enforced"])
}

fn table_constraint(c: &mut Cursor) -> Option<Constraint> {
    if c.words(&["constraint"]) {
        c.name()?;
    }
    let constraint = if c.words(&["primary", "key", "using", "index"]) {
        Constraint::UsingIndex {
            primary: true,
            index: c.name()?,
        }
    } else if c.words(&["unique", "using", "index"]) {
        Constraint::UsingIndex {
            primary: false,
            index: c.name()?,
        }
    } else if c.words(&["primary", "key"]) {
        Constraint::PrimaryKey(c.name_list()?)
    } else if c.words(&["unique"]) {
        c.words(&["nulls"]);
        c.words(&["not"]);
        c.words(&["distinct"]);
        Constraint::Unique(c.name_list()?)
    } else if c.words(&["foreign", "key"]) {
        let columns = c.name_list()?;
        c.words(&["references"]).then_some(())?;
        references(c, columns)?
    } else if c.words(&["not", "null"]) {
        Constraint::NotNull(c.name()?)
    } else {
        Constraint::Other
    };
    c.skip_to_comma();
    Some(constraint)
}

/// `( START WITH n INCREMENT BY n … )` in any order, with or without parentheses.
fn sequence_options(c: &mut Cursor) -> (i64, i64) {
    let mut options = (None, 1);
    let parenthesised = c.symbol('(');
    while !(c.at_end() || parenthesised && c.at_symbol(')')) {
        if c.words(&["start"]) {
            c.words(&["with"]);
            options.0 = c.integer();
        } else if c.words(&["increment"]) {
            c.words(&["by"]);
            options.1 = c.integer().unwrap_or(1);
        } else if !parenthesised && (c.at_symbol(',') || c.at_symbol(')') || c.at_column_word()) {
            break;
        } else {
            c.next_token();
        }
    }
    if parenthesised {
        c.symbol(')');
    }
    (
        options.0.unwrap_or(if options.1 < 0 { -1 } else { 1 }),
        options.1,
    )
}

fn create_type(c: &mut Cursor) -> Option<Statement> {
    c.skip_to_word("type")?;
    let name = c.qualified()?;
    c.words(&["as"]).then_some(())?;
    if c.words(&["enum"]) {
        c.symbol('(').then_some(())?;
        let mut labels = Vec::new();
        while !c.symbol(')') {
            labels.push(c.text()?);
            c.symbol(',');
        }
        return Some(Statement::CreateEnum(name, labels));
    }
    if c.words(&["range"]) {
        return create_range(c, name);
    }
    c.symbol('(').then_some(())?;
    let mut fields = Vec::new();
    while !c.symbol(')') {
        let field = c.name()?;
        fields.push((field, type_name(c)?.0));
        if c.words(&["collate"]) {
            c.qualified()?;
        }
        c.symbol(',');
    }
    Some(Statement::CreateComposite(name, fields))
}

fn create_range(c: &mut Cursor, name: QualifiedName) -> Option<Statement> {
    c.symbol('(').then_some(())?;
    let (mut subtype, mut multirange) = (None, None);
    while !c.symbol(')') {
        let option = c.any_word()?;
        c.symbol('=').then_some(())?;
        match option.as_str() {
            "subtype" => subtype = Some(type_name(c)?.0),
            "multirange_type_name" => multirange = Some(c.qualified()?),
            _ => c.skip_to_comma(),
        }
        c.symbol(',');
    }
    Some(Statement::CreateRange(name, subtype?, multirange))
}

fn create_domain(c: &mut Cursor) -> Option<Statement> {
    c.skip_to_word("domain")?;
    let name = c.qualified()?;
    c.words(&["as"]);
    Some(Statement::CreateDomain(name, type_name(c)?.0))
}

fn alter_type(c: &mut Cursor) -> Option<Statement> {
    c.skip_to_word("type")?;
    let name = c.qualified()?;
    c.words(&["add", "value"]).then_some(())?;
    c.words(&["if", "not", "exists"]);
    let label = c.text()?;
    let neighbour = if c.words(&["before"]) {
        Some((true, c.text()?))
    } else if c.words(&["after"]) {
        Some((false, c.text()?))
    } else {
        None
    };
    Some(Statement::AddLabel {
        name,
        label,
        neighbour,
    })
}

fn create_sequence(c: &mut Cursor) -> Option<Statement> {
    c.skip_to_word("sequence")?;
    c.words(&["if", "not", "exists"]);
    let name = c.qualified()?;
    Some(Statement::CreateSequence(name, sequence_options(c)))
}

fn create_index(c: &mut Cursor) -> Option<Statement> {
    c.words(&["create"]);
    let unique = c.words(&["unique"]);
    c.words(&["index"]).then_some(())?;
    c.words(&["concurrently"]);
    c.words(&["if", "not", "exists"]);
    let name = if c.at_word("on") {
        String::new()
    } else {
        c.name()?
    };
    c.words(&["on"]).then_some(())?;
    c.words(&["only"]);
    let table = c.qualified()?;
    if c.words(&["using"]) {
        c.name()?;
    }
    c.symbol('(').then_some(())?;
    let mut columns = Some(Vec::new());
    while !c.symbol(')') {
        let column = c.name().filter(|_| !c.at_symbol('('));
        match (column, &mut columns) {
            (Some(column), Some(list)) => list.push(column),
            _ => columns = None,
        }
        c.skip_to_comma();
        c.symbol(',');
    }
    c.skip_until_word("where");
    if c.at_word("where") {
        columns = None;
    }
    Some(Statement::CreateIndex {
        name,
        table,
        columns,
        unique,
    })
}

fn alter_table(c: &mut Cursor) -> Option<Statement> {
    c.skip_to_word("table")?;
    c.words(&["if", "exists"]);
    c.words(&["only"]);
    let name = c.qualified()?;
    c.symbol('*');
    let mut actions = Vec::new();
    loop {
        actions.push(alter_action(c).unwrap_or(AlterAction::Other));
        c.skip_to_comma();
        if !c.symbol(',') {
            break;
        }
    }
    if actions.iter().all(|a| *a == AlterAction::Other) {
        return None;
    }
    Some(Statement::AlterTable(name, actions))
}

fn alter_action(c: &mut Cursor) -> Option<AlterAction> {
    if c.words(&["attach", "partition"]) {
        return Some(AlterAction::AttachPartition(c.qualified()?));
    }
    if c.words(&["inherit"]) {
        return Some(AlterAction::Inherit(c.qualified()?));
    }
    if c.words(&["add"]) {
        if c.at_constraint() {
            return Some(AlterAction::Add(table_constraint(c)?));
        }
        c.words(&["column"]);
        c.words(&["if", "not", "exists"]);
        let name = c.name()?;
        return Some(AlterAction::AddColumn(column(c, name, false)?));
    }
    if c.words(&["alter"]) {
        c.words(&["column"]);
        let name = c.name()?;
        if c.words(&["set", "default"]) {
            return Some(AlterAction::SetDefault(name, c.skip_expression()));
        }
        if c.words(&["set", "not", "null"]) {
            return Some(AlterAction::SetNotNull(name));
        }
        if c.words(&["add", "generated"]) {
            c.skip_to_word("identity")?;
            return Some(AlterAction::Identity(name, sequence_options(c)));
        }
    }
    None
}

fn comment(c: &mut Cursor) -> Option<Statement> {
    c.words(&["comment", "on"]).then_some(())?;
    let column = c.words(&["column"]);
    if !column && !c.words(&["table"]) && !c.words(&["foreign", "table"]) {
        return None;
    }
    let mut parts = c.dotted()?;
    c.words(&["is"]).then_some(())?;
    let text = c.text();
    if !column {
        return Some(Statement::CommentTable(
            QualifiedName::of_parts(parts)?,
            text,
        ));
    }
    let name = parts.pop()?;
    Some(Statement::CommentColumn(
        QualifiedName::of_parts(parts)?,
        name,
        text,
    ))
}

fn set(c: &mut Cursor) -> Option<Statement> {
    c.words(&["set"]).then_some(())?;
    c.words(&["session"]);
    c.words(&["local"]);
    if c.words(&["names"]) {
        return Some(Statement::Set(
            "client_encoding".to_owned(),
            vec![c.value()?],
        ));
    }
    let name = c.name()?;
    if !c.symbol('=') && !c.words(&["to"]) {
        return None;
    }
    let mut values = Vec::new();
    while let Some(value) = c.value() {
        values.push(value);
        c.symbol(',');
    }
    Some(Statement::Set(name, values))
}

/// `SELECT pg_catalog.set_config('search_path', 'a, b', false)`.
fn set_config(c: &mut Cursor) -> Option<Statement> {
    c.words(&["select"]).then_some(())?;
    let function = c.dotted()?;
    if function.last().map(String::as_str) != Some("set_config") || !c.symbol('(') {
        return None;
    }
    let name = c.text()?;
    c.symbol(',');
    let text = c.text()?;
    let values = if name == "search_path" {
        text.split(',')
            .map(|s| s.trim().trim_matches('"').to_owned())
            .collect()
    } else {
        vec![text]
    };
    Some(Statement::Set(name, values))
}

fn copy(c: &mut Cursor) -> Option<Statement> {
    c.words(&["copy"]).then_some(())?;
    c.words(&["binary"]);
    let table = c.qualified()?;
    let columns = if c.at_symbol('(') {
        c.name_list()?
    } else {
        Vec::new()
    };
    c.words(&["from"]).then_some(())?;
    let from_stdin = c.words(&["stdin"]);
    if !from_stdin {
        return None;
    }
    let plain = c.at_end() || c.at_symbol(';');
    Some(Statement::Copy {
        table,
        columns,
        from_stdin,
        plain,
    })
}

fn drop_table(c: &mut Cursor) -> Option<Statement> {
    c.words(&["drop", "table"]).then_some(())?;
    c.words(&["if", "exists"]);
    let mut names = vec![c.qualified()?];
    while c.symbol(',') {
        names.push(c.qualified()?);
    }
    Some(Statement::DropTable(names))
}
