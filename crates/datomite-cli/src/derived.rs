//! What an import found, and three first questions to it, with their SQL.
//!
//! Derived from the schema and exact counts: the largest table, the most used reference, the
//! longest chain of references that has rows. Reads the `:pg/*` facts that the importer left on
//! attributes; a database that was not imported has no tables and gets no questions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datomite::{Ask, Attribute, Db, Edn, EntityId, Index, KeyRange, Unique, Value, ValueType};

use crate::problem::Problem;

/// How many tables a chain may have, and how many chains are looked at.
const CHAIN_MAX: usize = 8;
const CHAINS_SEEN_MAX: usize = 20_000;

/// Words in the names of columns that tell a person which row it is, best first.
const TELLING: &[&str] = &["name", "title", "label", "email", "description"];

/// A table as attributes.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// The namespace of its attributes.
    pub(crate) namespace: String,
    /// Its name in SQL.
    sql: String,
    /// The identity that every row has.
    key: Column,
    /// How many rows.
    pub(crate) rows: u64,
    /// Single-valued attributes that are columns, the key included.
    columns: Vec<Column>,
    /// Single-valued references to other tables.
    refs: Vec<Reference>,
}

#[derive(Debug, Clone)]
struct Column {
    attribute: Arc<Attribute>,
    sql: String,
    count: u64,
}

#[derive(Debug, Clone)]
struct Reference {
    column: Column,
    /// The namespace of the table it points to.
    target: String,
}

/// A question in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suggestion {
    /// What it asks, in words.
    pub(crate) title: String,
    /// The Datalog, as one would type it.
    pub(crate) query: String,
    /// The SQL that asks the same.
    pub(crate) sql: String,
}

/// The tables of an imported database, largest first.
pub(crate) fn tables(db: &Db) -> Result<Vec<Table>, Problem> {
    let mut by_namespace: BTreeMap<String, Vec<(Arc<Attribute>, String, String)>> = BTreeMap::new();
    for attribute in db.schema().attributes() {
        let (Some(namespace), Some(table)) = (
            attribute.ident.namespace(),
            annotation(db, attribute.id, ":pg/table")?,
        ) else {
            continue;
        };
        let column = annotation(db, attribute.id, ":pg/column")?.unwrap_or_default();
        let list = by_namespace.entry(namespace.to_owned()).or_default();
        list.push((Arc::clone(attribute), table, column));
    }
    let mut tables = Vec::new();
    for (namespace, mut attributes) in by_namespace {
        attributes.sort_by_key(|(attribute, _, _)| attribute.id);
        tables.extend(table(db, namespace, attributes)?);
    }
    tables.sort_by(|a, b| {
        b.rows
            .cmp(&a.rows)
            .then_with(|| a.namespace.cmp(&b.namespace))
    });
    Ok(tables)
}

fn table(
    db: &Db,
    namespace: String,
    attributes: Vec<(Arc<Attribute>, String, String)>,
) -> Result<Option<Table>, Problem> {
    let sql = attributes
        .first()
        .map(|(_, table, _)| table.clone())
        .unwrap_or_default();
    let mut columns = Vec::new();
    let mut key: Option<Column> = None;
    for (attribute, _, sql) in attributes {
        let count = count(db, &attribute)?;
        let column = Column {
            attribute,
            sql,
            count,
        };
        if column.attribute.unique == Some(Unique::Identity) && key.is_none() {
            key = Some(column.clone());
        }
        columns.push(column);
    }
    let Some(key) = key else { return Ok(None) };
    columns.retain(|c| !c.attribute.is_many() && !c.sql.is_empty() && c.attribute.tuple.is_none());
    let mut refs = Vec::new();
    for column in columns.iter().filter(|c| c.attribute.is_ref()) {
        if let Some(target) = target_namespace(db, &column.attribute)? {
            refs.push(Reference {
                column: column.clone(),
                target,
            });
        }
    }
    Ok(Some(Table {
        namespace,
        sql,
        rows: key.count,
        key,
        columns,
        refs,
    }))
}

/// The table that a reference points to: where its first target keeps its identity.
fn target_namespace(db: &Db, attribute: &Attribute) -> Result<Option<String>, Problem> {
    let form = Edn::Value(Value::Ref(attribute.id));
    let Some(first) = db.datoms(Index::Aevt, &[form])?.next() else {
        return Ok(None);
    };
    for datom in db.datoms(Index::Eavt, &[Edn::Value(first?.v)])? {
        let a = datom?.a;
        let known = db
            .schema()
            .attribute(a)
            .filter(|a| a.unique == Some(Unique::Identity));
        if let Some(known) = known.filter(|a| a.ident.namespace() != Some("db")) {
            return Ok(known.ident.namespace().map(str::to_owned));
        }
    }
    Ok(None)
}

fn annotation(db: &Db, id: EntityId, name: &str) -> Result<Option<String>, Problem> {
    let name = Edn::keyword(name);
    if db.entid(&name)?.is_none() {
        return Ok(None);
    }
    let mut found = db.datoms(Index::Eavt, &[Edn::Value(Value::Ref(id)), name])?;
    Ok(found
        .next()
        .transpose()?
        .and_then(|datom| datom.v.as_str().map(str::to_owned)))
}

fn count(db: &Db, attribute: &Attribute) -> Result<u64, Problem> {
    Ok(db.count(
        Index::Aevt,
        &KeyRange::prefix(None, Some(attribute.id), None),
    )?)
}

/// Up to three questions that have answers.
pub(crate) fn suggestions(db: &Db, tables: &[Table]) -> Result<Vec<Suggestion>, Problem> {
    let mut found = Vec::new();
    found.extend(tables.first().filter(|t| t.rows > 0).map(largest));
    if let Some(path) = most_used(tables) {
        found.push(grouped_by(tables, &[path], "the most used reference"));
    }
    for path in chains(tables) {
        let suggestion = grouped_by(tables, &path, "the longest chain of references");
        if !db.q(&suggestion.query).answer()?.is_empty() {
            found.push(suggestion);
            break;
        }
    }
    Ok(found)
}

/// A few rows of the largest table: columns that every row has.
fn largest(table: &Table) -> Suggestion {
    let shown: Vec<&Column> = table
        .columns
        .iter()
        .filter(|c| c.count == table.rows && !c.attribute.is_ref())
        .take(4)
        .collect();
    let names: Vec<String> = shown.iter().map(|c| variable(&c.sql)).collect();
    let clauses: Vec<String> = shown
        .iter()
        .zip(&names)
        .map(|(c, name)| format!("[?e {} {name}]", c.attribute.ident))
        .collect();
    let order = names.join(" ");
    let columns: Vec<String> = shown.iter().map(|c| quoted(&c.sql)).collect();
    let columns = columns.join(", ");
    Suggestion {
        title: format!("the first rows of the largest table, {}", table.namespace),
        query: format!(
            "[:find {order} :with ?e :where {} :order-by [{order}] :limit 5]",
            clauses.join(" ")
        ),
        sql: format!(
            "SELECT {columns} FROM {} ORDER BY {columns} LIMIT 5",
            table.sql
        ),
    }
}

type Path<'a> = Vec<(&'a Table, &'a Reference)>;

fn most_used(tables: &[Table]) -> Option<(&Table, &Reference)> {
    let all = tables
        .iter()
        .flat_map(|table| table.refs.iter().map(move |r| (table, r)));
    all.filter(|(_, r)| by_namespace(tables, &r.target).is_some_and(|t| t.key.is_single()))
        .max_by_key(|(table, r)| {
            let target = by_namespace(tables, &r.target);
            let told = target.is_some_and(|t| label(t).attribute.value_type == ValueType::String);
            (
                r.column.count,
                told,
                std::cmp::Reverse((&table.namespace, r.column.attribute.id)),
            )
        })
}

/// Chains of references over different tables, longest first.
fn chains(tables: &[Table]) -> Vec<Path<'_>> {
    let mut found: Vec<Path<'_>> = Vec::new();
    let mut open: Vec<Path<'_>> = tables
        .iter()
        .flat_map(|table| table.refs.iter().map(move |r| vec![(table, r)]))
        .filter(|path| path[0].1.target != path[0].0.namespace)
        .collect();
    let mut seen = 0;
    while let Some(path) = open.pop() {
        seen += 1;
        if seen > CHAINS_SEEN_MAX {
            break;
        }
        let Some((_, last)) = path.last() else {
            continue;
        };
        let Some(here) = by_namespace(tables, &last.target) else {
            continue;
        };
        if !here.key.is_single() {
            continue;
        }
        if path.len() < CHAIN_MAX {
            let visited: BTreeSet<&str> = path.iter().map(|(t, _)| t.namespace.as_str()).collect();
            for next in &here.refs {
                let fresh =
                    next.target != here.namespace && !visited.contains(next.target.as_str());
                if fresh && !visited.contains(here.namespace.as_str()) {
                    let mut longer = path.clone();
                    longer.push((here, next));
                    open.push(longer);
                }
            }
        }
        if path.len() > 1 {
            found.push(path);
        }
    }
    found.sort_by_key(|path| std::cmp::Reverse((path.len(), path[0].1.column.count)));
    found
}

fn by_namespace<'a>(tables: &'a [Table], namespace: &str) -> Option<&'a Table> {
    tables.iter().find(|table| table.namespace == namespace)
}

impl Column {
    fn is_single(&self) -> bool {
        self.attribute.tuple.is_none() && !self.sql.is_empty()
    }
}

/// Counts the rows at the start of a chain by a telling column at its end.
fn grouped_by(tables: &[Table], path: &[(&Table, &Reference)], what: &str) -> Suggestion {
    let mut clauses = Vec::new();
    let mut joins = Vec::new();
    let mut words = Vec::new();
    for (at, (table, reference)) in path.iter().enumerate() {
        let (from, to) = (letter(at), letter(at + 1));
        clauses.push(format!(
            "[?{from} {} ?{to}]",
            reference.column.attribute.ident
        ));
        words.push(table.namespace.clone());
        if let Some(target) = by_namespace(tables, &reference.target) {
            joins.push(format!(
                " JOIN {} {to} ON {to}.{} = {from}.{}",
                target.sql,
                quoted(&target.key.sql),
                quoted(&reference.column.sql)
            ));
        }
    }
    let end = letter(path.len());
    let last = path
        .last()
        .and_then(|(_, r)| by_namespace(tables, &r.target));
    let label = last.map(label);
    let (ident, column) = label.map_or_else(Default::default, |c| {
        (c.attribute.ident.to_string(), quoted(&c.sql))
    });
    words.extend(last.map(|table| table.namespace.clone()));
    let from = path
        .first()
        .map(|(table, _)| table.sql.clone())
        .unwrap_or_default();
    Suggestion {
        title: format!("{what}: {}", words.join(" → ")),
        query: format!(
            "[:find ?label (count ?a) :where {} [?{end} {ident} ?label] \
             :order-by [(count ?a) :desc ?label] :limit 10]",
            clauses.join(" ")
        ),
        sql: format!(
            "SELECT {end}.{column}, count(*) FROM {from} a{} \
             GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10",
            joins.concat()
        ),
    }
}

/// The column that tells a person most about a row: a full text column, by name where possible.
fn label(table: &Table) -> &Column {
    let texts = || {
        let full = table.columns.iter().filter(|c| c.count == table.rows);
        full.filter(|c| c.attribute.value_type == ValueType::String)
    };
    let word_in = |word: &str| {
        let exact = texts().find(|c| c.attribute.ident.name() == word);
        exact.or_else(|| texts().find(|c| c.attribute.ident.name().contains(word)))
    };
    TELLING
        .iter()
        .find_map(|word| word_in(word))
        .or_else(|| texts().next())
        .unwrap_or(&table.key)
}

fn letter(at: usize) -> char {
    char::from(b'a' + u8::try_from(at).unwrap_or(25).min(25))
}

/// A variable named as the column, in characters that a symbol may have.
fn variable(column: &str) -> String {
    let clean = |c: char| {
        if c.is_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    format!("?{}", column.chars().map(clean).collect::<String>())
}

/// An SQL identifier, quoted where it must be.
fn quoted(name: &str) -> String {
    let plain = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}
