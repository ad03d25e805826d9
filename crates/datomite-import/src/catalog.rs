//! What the DDL of a dump declares: schemas, types, tables, keys, comments.
//!
//! A plain description in Postgres's own words; how it becomes attributes is `mapping`'s matter.

use std::fmt;

use rustc_hash::FxHashMap as FastMap;

/// The name of a table or type with its schema.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Name {
    /// The schema, `public` where the dump names none.
    pub schema: String,
    /// The name within the schema.
    pub name: String,
}

impl Name {
    /// Makes a name of its parts.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Name {
        Name {
            schema: schema.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for Name {
    /// The name alone in `public`, else with its schema.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.schema == "public" {
            f.write_str(&self.name)
        } else {
            write!(f, "{}.{}", self.schema, self.name)
        }
    }
}

/// A type as a column names it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct TypeName {
    /// The schema, where the name is qualified with another than `pg_catalog`.
    pub schema: Option<String>,
    /// The name, one spelling for each built-in type (`integer`, `character varying`, …).
    pub name: String,
    /// What stands in parentheses, or the fields of an interval.
    pub modifiers: Vec<String>,
    /// Whether it is an array.
    pub array: bool,
}

impl fmt::Display for TypeName {
    /// As `format_type` prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        let modifiers = self.modifiers.join(",");
        match (self.name.split_once(" with"), modifiers.is_empty()) {
            (_, true) => f.write_str(&self.name)?,
            // `timestamp(3) with time zone`: the precision stands in the middle.
            (Some((head, tail)), false) => write!(f, "{head}({modifiers}) with{tail}")?,
            (None, false) if self.name == "interval" => write!(f, "interval {modifiers}")?,
            (None, false) => write!(f, "{}({modifiers})", self.name)?,
        }
        if self.array {
            f.write_str("[]")?;
        }
        Ok(())
    }
}

/// What a column holds where a row says nothing of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum DefaultValue {
    /// NULL.
    #[default]
    Null,
    /// A constant, as text.
    Literal(String),
    /// The next number of a sequence.
    Sequence {
        /// The first number.
        start: i64,
        /// The step.
        increment: i64,
    },
    /// The next number of the named sequence.
    Named(Name),
    /// Anything that only Postgres can compute.
    Expression(String),
}

/// A column of a table.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as declared.
    pub type_name: TypeName,
    /// Whether NULL is refused.
    pub not_null: bool,
    /// `GENERATED ALWAYS AS (…)`: computed by Postgres, absent from the data of a dump.
    pub generated: bool,
    /// What stands where a row says nothing.
    pub default: DefaultValue,
    /// Its comment.
    pub comment: Option<String>,
}

/// A foreign key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ForeignKey {
    /// The referring columns.
    pub columns: Vec<String>,
    /// The table referred to.
    pub target: Name,
    /// Its columns; empty for its primary key.
    pub target_columns: Vec<String>,
    /// Whether Postgres checked every row: not, where it is `NOT VALID` or `NOT ENFORCED`.
    pub checked: bool,
}

/// How a table hangs below others.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Parent {
    /// It stands alone.
    #[default]
    None,
    /// It is a partition: its rows are rows of that table.
    Partition(Name),
    /// It inherits columns; its rows are its own.
    Inherits(Vec<Name>),
}

/// A table.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    /// Its name.
    pub name: Name,
    /// Its columns in order.
    pub columns: Vec<Column>,
    /// The columns of the primary key; empty for none.
    pub primary_key: Vec<String>,
    /// The columns of every other unique key (no predicate, no expressions).
    pub uniques: Vec<Vec<String>>,
    /// Columns that an index begins with.
    pub indexed: Vec<String>,
    /// Its foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// Where it hangs.
    pub parent: Parent,
    /// Its comment.
    pub comment: Option<String>,
}

impl Table {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// The index of the column of that name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }

    pub(crate) fn column_mut(&mut self, name: &str) -> Option<&mut Column> {
        self.columns.iter_mut().find(|c| c.name == name)
    }
}

/// A type that the dump defines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TypeDef {
    /// Labels in order.
    Enum(Vec<String>),
    /// Another type under a name.
    Domain(TypeName),
    /// Named fields.
    Composite(Vec<(String, TypeName)>),
    /// A range over that type.
    Range(TypeName),
    /// The multirange of a range.
    Multirange,
}

/// Everything the DDL declares.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// The tables in the order of the dump.
    pub tables: Vec<Table>,
    /// The types by name.
    pub types: FastMap<Name, TypeDef>,
    /// The types in the order of the dump.
    pub type_order: Vec<Name>,
    /// First number and step of every sequence.
    pub sequences: FastMap<Name, (i64, i64)>,
    by_name: FastMap<Name, usize>,
}

impl Catalog {
    /// The table of that name.
    pub fn table(&self, name: &Name) -> Option<&Table> {
        self.tables.get(*self.by_name.get(name)?)
    }

    /// The place in `tables` of the table of that name.
    pub fn position(&self, name: &Name) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn table_mut(&mut self, name: &Name) -> Option<&mut Table> {
        self.tables.get_mut(*self.by_name.get(name)?)
    }

    pub(crate) fn add_table(&mut self, table: Table) {
        match self.by_name.get(&table.name) {
            Some(at) => self.tables[*at] = table,
            None => {
                self.by_name.insert(table.name.clone(), self.tables.len());
                self.tables.push(table);
            }
        }
    }

    pub(crate) fn add_type(&mut self, name: Name, definition: TypeDef) {
        if self.types.insert(name.clone(), definition).is_none() {
            self.type_order.push(name);
        }
    }

    /// The root of a partition tree, or the table itself.
    pub fn root(&self, name: &Name) -> Name {
        let mut root = name.clone();
        // A tree of partitions cannot be deeper than there are tables.
        for _ in 0..=self.tables.len() {
            match self.table(&root).map(|t| &t.parent) {
                Some(Parent::Partition(parent)) => root = parent.clone(),
                _ => break,
            }
        }
        root
    }
}
