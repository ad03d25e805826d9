//! `datomite schema DB [NAME]`: attributes, or those of one namespace, or one.

use datomite::{Attribute, Cardinality, Db, Edn, Index, KeyRange, Unique, Value};

use crate::args::Schema;
use crate::output::{Answer, Rows, Shape};
use crate::problem::Problem;
use crate::{database, output};

/// Prints attributes.
pub(crate) fn run(args: Schema) -> Result<(), Problem> {
    let conn = database::reader(&args.db)?;
    let db = conn.db();
    let answer = answer(&db, args.name.as_deref())?;
    output::print(answer, &args.output, Some(&db)).map_err(Problem::output)
}

/// A row an attribute: name, type, cardinality, what else is set, how many datoms.
pub(crate) fn answer(db: &Db, name: Option<&str>) -> Result<Answer, Problem> {
    let name = name.map(|name| name.trim_start_matches(':'));
    let wanted = |attribute: &Attribute| match name {
        Some(name) => attribute.ident.as_str() == name || attribute.ident.namespace() == Some(name),
        None => attribute.ident.namespace().is_none_or(|ns| !is_builtin(ns)),
    };
    let mut found: Vec<_> = db
        .schema()
        .attributes()
        .filter(|a| wanted(a))
        .cloned()
        .collect();
    if let (true, Some(name)) = (found.is_empty(), name) {
        return Err(Problem::refused(format!(
            "no attribute or namespace :{name}"
        )));
    }
    found.sort_by(|x, y| x.ident.cmp(&y.ident));
    let mut rows = Vec::new();
    for attribute in found {
        rows.push(row(db, &attribute)?);
    }
    let columns = ["attribute", "type", "cardinality", "flags", "datoms"];
    let columns = columns.map(str::to_owned).to_vec();
    Ok(Answer::Rows(Rows {
        columns,
        rows,
        shape: Shape::Bag,
    }))
}

fn is_builtin(namespace: &str) -> bool {
    namespace == "db" || namespace.starts_with("db.") || namespace == "fressian"
}

fn row(db: &Db, attribute: &Attribute) -> Result<Vec<Edn>, Problem> {
    let count = db.count(
        Index::Aevt,
        &KeyRange::prefix(None, Some(attribute.id), None),
    )?;
    let cardinality = match attribute.cardinality {
        Cardinality::One => "one",
        Cardinality::Many => "many",
    };
    Ok(vec![
        Edn::Value(Value::Keyword(attribute.ident.clone())),
        Edn::keyword(attribute.value_type.name()),
        Edn::keyword(cardinality),
        Edn::string(&flags(attribute)),
        Edn::long(i64::try_from(count).unwrap_or(i64::MAX)),
    ])
}

fn flags(attribute: &Attribute) -> String {
    let unique = match attribute.unique {
        Some(Unique::Identity) => Some("identity"),
        Some(Unique::Value) => Some("unique"),
        None => None,
    };
    let flag = |on: bool, word: &'static str| on.then_some(word);
    let words = [
        unique,
        flag(attribute.indexed, "index"),
        flag(attribute.is_component, "component"),
        flag(attribute.is_composite(), "composite"),
        flag(attribute.no_history, "no-history"),
        flag(attribute.fulltext, "fulltext"),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
