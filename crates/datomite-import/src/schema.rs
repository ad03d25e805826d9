//! From the plan to schema: the transactions that install attributes and idents.
//!
//! Three steps, because an attribute must exist before a transaction may use it: the importer's
//! own attributes; those of tables and types, with the idents of enums; tuples over them.

use datomite::{Cardinality, Edn, Keyword, Unique, Value, ValueType};

use crate::mapping::{Bridge, ColumnPlan, Identity, Plan, companion};

/// What stands in `:pg/type` of `%key`.
pub(crate) const HASH_OF_KEY: &str = "hash of the key";
/// What stands in `:pg/type` of `%row`.
pub(crate) const HASH_OF_ROW: &str = "hash of the row";

/// An attribute to install.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct AttributeSpec {
    pub(crate) ident: Keyword,
    pub(crate) value_type: ValueType,
    pub(crate) cardinality: Cardinality,
    pub(crate) unique: Option<Unique>,
    pub(crate) indexed: bool,
    pub(crate) component: bool,
    pub(crate) doc: Option<String>,
    /// `:pg/table`, `:pg/column`, `:pg/type`.
    pub(crate) origin: Option<[String; 3]>,
    pub(crate) tuple: Vec<Keyword>,
}

impl AttributeSpec {
    fn new(ident: Keyword, value_type: ValueType) -> AttributeSpec {
        AttributeSpec {
            ident,
            value_type,
            cardinality: Cardinality::One,
            unique: None,
            indexed: false,
            component: false,
            doc: None,
            origin: None,
            tuple: Vec::new(),
        }
    }

    fn of_origin(mut self, table: &str, column: &str, type_text: &str) -> AttributeSpec {
        self.origin = Some([table.to_owned(), column.to_owned(), type_text.to_owned()]);
        self
    }

    /// The attribute as a map for a transaction.
    pub(crate) fn to_edn(&self) -> Edn {
        let mut map = vec![
            entry("db/ident", keyword(&self.ident)),
            entry("db/valueType", keyword(&self.value_type.ident())),
            entry(
                "db/cardinality",
                Edn::keyword(match self.cardinality {
                    Cardinality::One => "db.cardinality/one",
                    Cardinality::Many => "db.cardinality/many",
                }),
            ),
        ];
        match self.unique {
            Some(Unique::Identity) => {
                map.push(entry("db/unique", Edn::keyword("db.unique/identity")));
            }
            Some(Unique::Value) => map.push(entry("db/unique", Edn::keyword("db.unique/value"))),
            None => {}
        }
        if self.indexed && self.unique.is_none() {
            map.push(entry("db/index", Edn::Value(Value::Boolean(true))));
        }
        if self.component {
            map.push(entry("db/isComponent", Edn::Value(Value::Boolean(true))));
        }
        if !self.tuple.is_empty() {
            let members = self.tuple.iter().map(keyword).collect();
            map.push(entry("db/tupleAttrs", Edn::Vector(members)));
        }
        if let Some(doc) = &self.doc {
            map.push(entry("db/doc", Edn::string(doc)));
        }
        if let Some([table, column, type_text]) = &self.origin {
            map.push(entry("pg/table", Edn::string(table)));
            map.push(entry("pg/column", Edn::string(column)));
            map.push(entry("pg/type", Edn::string(type_text)));
        }
        Edn::Map(map)
    }
}

pub(crate) fn entry(key: &str, value: Edn) -> (Edn, Edn) {
    (Edn::keyword(key), value)
}

pub(crate) fn keyword(k: &Keyword) -> Edn {
    Edn::Value(Value::Keyword(k.clone()))
}

/// The importer's own attributes.
pub(crate) fn own_attributes() -> Vec<AttributeSpec> {
    let string = |name: &str, doc: &str| {
        let mut spec = AttributeSpec::new(Keyword::parse(name), ValueType::String);
        spec.doc = Some(doc.to_owned());
        spec
    };
    let mut order = string(
        "pg.enum/order",
        "Place of the label in its enum type, from 1",
    );
    order.value_type = ValueType::Long;
    vec![
        string(
            "pg/table",
            "The Postgres table that the attribute comes from",
        ),
        string("pg/column", "The column that the attribute comes from"),
        string("pg/type", "The column's type, as Postgres prints it"),
        string("pg.enum/label", "The label of an enum type, as in Postgres"),
        order,
        string("import/file", "The dump that the transaction comes from"),
        string("import/label", "The part of the dump: a table, or schema"),
    ]
}

/// The attributes of a plan; tuples are in the second list.
pub(crate) fn attributes(plan: &Plan) -> (Vec<AttributeSpec>, Vec<AttributeSpec>) {
    let (mut plain, mut tuples) = (Vec::new(), Vec::new());
    for relation in &plan.relations {
        let table = relation.table.to_string();
        let first = plain.len();
        for column in &relation.columns {
            column_attributes(&table, column, &mut plain);
        }
        for reference in &relation.references {
            let names = member_columns(&relation.columns, &reference.columns);
            let spec = AttributeSpec::new(reference.attribute.clone(), ValueType::Ref);
            let type_text = format!("references {}", reference.reference.target);
            plain.push(spec.of_origin(&table, &names, &type_text));
        }
        let mut key = match &relation.identity {
            Identity::Column(n) => {
                let ident = relation.columns[*n].attribute.as_ref();
                let own = plain[first..].iter_mut().find(|s| Some(&s.ident) == ident);
                if let Some(spec) = own {
                    spec.doc = doc(relation.doc.as_ref(), spec.doc.as_ref());
                }
                continue;
            }
            Identity::Tuple { attribute, members } => {
                let mut spec = AttributeSpec::new(attribute.clone(), ValueType::Tuple);
                spec.tuple = members
                    .iter()
                    .filter_map(|m| relation.columns[*m].attribute.clone())
                    .collect();
                let names = member_columns(&relation.columns, members);
                spec.of_origin(&table, &names, "primary key")
            }
            Identity::Digest { attribute, members } => {
                let names = member_columns(&relation.columns, members);
                AttributeSpec::new(attribute.clone(), ValueType::String).of_origin(
                    &table,
                    &names,
                    HASH_OF_KEY,
                )
            }
            Identity::Row { attribute } => AttributeSpec::new(attribute.clone(), ValueType::String)
                .of_origin(&table, "%row", HASH_OF_ROW),
        };
        key.unique = Some(Unique::Identity);
        key.doc.clone_from(&relation.doc);
        if key.tuple.is_empty() {
            plain.push(key);
        } else {
            tuples.push(key);
        }
    }
    plain.extend(plan.bridges.iter().flat_map(bridge_attributes));
    for composite in &plan.composites {
        let name = composite.name.to_string();
        for field in &composite.fields {
            column_attributes(&name, field, &mut plain);
        }
    }
    (plain, tuples)
}

/// The reference that a bridge becomes, and what keeps its dangling keys.
fn bridge_attributes(bridge: &Bridge) -> [AttributeSpec; 2] {
    let table = bridge.table.to_string();
    let names = format!("{}+{}", bridge.from.0, bridge.to.0);
    let type_text = format!("references {}", bridge.to.1.target);
    let mut spec = AttributeSpec::new(bridge.attribute.clone(), ValueType::Ref)
        .of_origin(&table, &names, &type_text);
    spec.cardinality = Cardinality::Many;
    spec.doc.clone_from(&bridge.doc);
    let ident = companion(&bridge.attribute, "raw");
    let mut raw =
        AttributeSpec::new(ident, bridge.raw.value_type()).of_origin(&table, &names, "companion");
    raw.cardinality = Cardinality::Many;
    [spec, raw]
}

fn member_columns(columns: &[ColumnPlan], members: &[usize]) -> String {
    let names: Vec<&str> = members
        .iter()
        .map(|m| columns[*m].column.as_str())
        .collect();
    names.join("+")
}

fn doc(table: Option<&String>, column: Option<&String>) -> Option<String> {
    match (table, column) {
        (Some(table), Some(column)) => Some(format!("{table}\n\n{column}")),
        (Some(one), None) | (None, Some(one)) => Some(one.clone()),
        (None, None) => None,
    }
}

fn column_attributes(table: &str, column: &ColumnPlan, specs: &mut Vec<AttributeSpec>) {
    let Some(attribute) = &column.attribute else {
        return;
    };
    let mut spec = AttributeSpec::new(attribute.clone(), column.value_type()).of_origin(
        table,
        &column.column,
        &column.type_text,
    );
    if column.is_many() {
        spec.cardinality = Cardinality::Many;
    }
    spec.component = column.is_component();
    spec.unique = if column.identity {
        Some(Unique::Identity)
    } else if column.unique {
        Some(Unique::Value)
    } else {
        None
    };
    // Bytes have no order that AVET could use.
    spec.indexed = column.indexed && spec.value_type != ValueType::Bytes;
    spec.doc.clone_from(&column.doc);
    specs.push(spec);
    for (suffix, value_type) in column.companions() {
        let spec = AttributeSpec::new(companion(attribute, suffix), value_type);
        specs.push(spec.of_origin(table, &column.column, "companion"));
    }
}

/// The idents of enum labels: ident, label, place from 1.
pub(crate) fn enum_idents(plan: &Plan) -> Vec<(Keyword, String, i64)> {
    plan.enums
        .iter()
        .flat_map(|e| {
            let labels = e.labels.iter().zip(1..);
            labels.map(|((label, ident), order)| (ident.clone(), label.clone(), order))
        })
        .collect()
}

/// An enum label as a map for a transaction.
pub(crate) fn enum_edn(ident: &Keyword, label: &str, order: i64) -> Edn {
    Edn::Map(vec![
        entry("db/ident", keyword(ident)),
        entry("pg.enum/label", Edn::string(label)),
        entry("pg.enum/order", Edn::long(order)),
    ])
}
