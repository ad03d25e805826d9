//! The mapping file: what a user wants otherwise than derived.
//!
//! EDN, version 1; the same can be built from Rust. Unknown keys are errors, so that a typing
//! mistake is not taken for a wish.

use std::collections::BTreeMap;

use datomite::{Edn, Keyword, Value, read};

use crate::ImportError;
use crate::catalog::Name;
use crate::convert::Scalar;

/// What a user wants otherwise than derived. Empty by default.
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct Mapping {
    /// Tables by name: `users`, or `schema.users` outside `public`.
    pub tables: BTreeMap<String, TableMapping>,
    /// Enum types by name, with the namespace of their idents.
    pub enums: BTreeMap<String, String>,
    /// `--singular`: namespaces of tables lose a plural ending.
    pub singular: bool,
}

/// The wishes for one table.
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct TableMapping {
    /// `:drop`: the table is left out.
    pub drop: bool,
    /// `:ns`: the namespace of its attributes.
    pub ns: Option<String>,
    /// `:bridge`: the table becomes this many-valued reference.
    pub bridge: Option<Keyword>,
    /// `:columns`.
    pub columns: BTreeMap<String, ColumnMapping>,
}

/// The wishes for one column.
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct ColumnMapping {
    /// `:drop`: the column is left out.
    pub drop: bool,
    /// `:as`: the attribute.
    pub attribute: Option<Keyword>,
    /// `:default`: the text that stands for NULL.
    pub default: Option<String>,
    /// `:to`: another type.
    pub to: Option<Target>,
}

/// The types a column can be turned into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Target {
    /// References to idents, one for each distinct text.
    Enum,
    /// A scalar.
    Scalar(Scalar),
}

impl Mapping {
    /// Reads a mapping file.
    pub fn parse(text: &str) -> Result<Mapping, ImportError> {
        let form = read(text).map_err(|e| wrong(&e.to_string()))?;
        Mapping::of_edn(&form)
    }

    /// Reads a mapping as a form.
    pub fn of_edn(form: &Edn) -> Result<Mapping, ImportError> {
        let mut mapping = Mapping::default();
        let mut version = None;
        for (key, value) in entries(form, "the mapping")? {
            match keyword(key)? {
                "datomite/mapping" => version = value.as_long(),
                "tables" => {
                    for (name, table) in entries(value, ":tables")? {
                        let name = text(name, ":tables")?;
                        mapping
                            .tables
                            .insert(name.clone(), table_mapping(&name, table)?);
                    }
                }
                "enums" => {
                    for (name, wish) in entries(value, ":enums")? {
                        let name = text(name, ":enums")?;
                        for (key, ns) in entries(wish, &name)? {
                            match keyword(key)? {
                                "ns" => mapping.enums.insert(name.clone(), namespace(ns)?),
                                other => return Err(unknown(other, &name)),
                            };
                        }
                    }
                }
                "singular" => mapping.singular = *value == Edn::Value(Value::Boolean(true)),
                other => return Err(unknown(other, "the mapping")),
            }
        }
        match version {
            Some(1) => Ok(mapping),
            Some(other) => Err(wrong(&format!("version {other} is not known; write 1"))),
            None => Err(wrong("`:datomite/mapping 1` is missing")),
        }
    }

    /// The wishes for a table.
    pub fn table(&self, name: &Name) -> Option<&TableMapping> {
        self.tables.get(&name.to_string())
    }

    /// The wishes for a column.
    pub fn column(&self, table: &Name, column: &str) -> Option<&ColumnMapping> {
        self.table(table)?.columns.get(column)
    }
}

fn table_mapping(name: &str, form: &Edn) -> Result<TableMapping, ImportError> {
    let mut wish = TableMapping::default();
    if is_drop(form) {
        wish.drop = true;
        return Ok(wish);
    }
    for (key, value) in entries(form, name)? {
        match keyword(key)? {
            "ns" => wish.ns = Some(namespace(value)?),
            "bridge" => wish.bridge = Some(attribute(value, name)?),
            "columns" => {
                for (column, form) in entries(value, name)? {
                    let column = text(column, name)?;
                    let inner = column_mapping(&format!("{name}.{column}"), form)?;
                    wish.columns.insert(column, inner);
                }
            }
            other => return Err(unknown(other, name)),
        }
    }
    Ok(wish)
}

fn column_mapping(name: &str, form: &Edn) -> Result<ColumnMapping, ImportError> {
    let mut wish = ColumnMapping::default();
    if is_drop(form) {
        wish.drop = true;
        return Ok(wish);
    }
    for (key, value) in entries(form, name)? {
        match keyword(key)? {
            "as" => wish.attribute = Some(attribute(value, name)?),
            "default" => {
                wish.default = Some(match value {
                    Edn::Value(Value::String(text)) => text.to_string(),
                    Edn::Value(value) => value.to_string(),
                    _ => return Err(wrong(&format!("{name}: :default takes a value"))),
                });
            }
            "to" => wish.to = Some(target(value, name)?),
            other => return Err(unknown(other, name)),
        }
    }
    Ok(wish)
}

fn target(form: &Edn, name: &str) -> Result<Target, ImportError> {
    let word = form.as_keyword().map(Keyword::as_str).unwrap_or_default();
    Ok(Target::Scalar(match word {
        "enum" => return Ok(Target::Enum),
        "string" => Scalar::Text,
        "long" => Scalar::Long,
        "bigint" => Scalar::BigInt,
        "bigdec" => Scalar::BigDec,
        "float" => Scalar::Float,
        "double" => Scalar::Double,
        "boolean" => Scalar::Boolean,
        "instant" => Scalar::TimestampZone,
        "uuid" => Scalar::Uuid,
        "uri" => Scalar::Uri,
        "keyword" => Scalar::Keyword,
        "symbol" => Scalar::Symbol,
        "bytes" => Scalar::Bytes,
        _ => {
            return Err(wrong(&format!(
                "{name}: :to takes :enum, :string, :long, :bigint, :bigdec, :float, :double, \
                 :boolean, :instant, :uuid, :uri, :keyword, :symbol or :bytes"
            )));
        }
    }))
}

fn wrong(what: &str) -> ImportError {
    ImportError::Mapping {
        what: what.to_owned(),
    }
}

fn unknown(key: &str, place: &str) -> ImportError {
    wrong(&format!("unknown key :{key} in {place}"))
}

fn is_drop(form: &Edn) -> bool {
    form.as_keyword().is_some_and(|k| k.as_str() == "drop")
}

fn entries<'a>(form: &'a Edn, place: &str) -> Result<&'a [(Edn, Edn)], ImportError> {
    form.as_map()
        .ok_or_else(|| wrong(&format!("{place} takes a map or :drop")))
}

fn keyword(form: &Edn) -> Result<&str, ImportError> {
    form.as_keyword()
        .map(Keyword::as_str)
        .ok_or_else(|| wrong(&format!("a key must be a keyword: {form}")))
}

fn text(form: &Edn, place: &str) -> Result<String, ImportError> {
    form.as_str()
        .map(str::to_owned)
        .ok_or_else(|| wrong(&format!("a name in {place} must be a string: {form}")))
}

fn namespace(form: &Edn) -> Result<String, ImportError> {
    match form.as_keyword() {
        Some(k) if k.namespace().is_none() => Ok(k.name().to_owned()),
        _ => Err(wrong(
            ":ns takes a keyword without a namespace, such as :user",
        )),
    }
}

fn attribute(form: &Edn, place: &str) -> Result<Keyword, ImportError> {
    match form.as_keyword() {
        Some(k) if k.namespace().is_some() => Ok(k.clone()),
        _ => Err(wrong(&format!(
            "{place}: an attribute such as :user/mail is expected"
        ))),
    }
}
