//! How one form is shown in a table.
//!
//! An entity id shows as its ident, else as a lookup ref of one of its identity attributes; a
//! decimal without `M`, text without quotes. `--raw` shows what EDN would print.

use datomite::{Attribute, Db, Edn, EntityId, Index, Unique, Value};

/// The text of a form in a table cell.
pub(crate) fn shown(form: &Edn, raw: bool, db: Option<&Db>) -> String {
    if let Some(text) = form.as_str() {
        return one_line(text);
    }
    if raw {
        return form.to_string();
    }
    match (form, db) {
        (Edn::Nil, _) => String::new(),
        (Edn::Value(Value::Ref(id)), Some(db)) => entity_name(db, *id),
        (Edn::Value(Value::BigDec(number)), _) => number.to_string(),
        (Edn::Value(Value::BigInt(number)), _) => number.to_string(),
        (Edn::Value(Value::Instant(instant)), _) => instant.to_string(),
        (Edn::Value(Value::Uuid(uuid)), _) => uuid.to_string(),
        (Edn::Value(Value::Uri(uri)), _) => uri.to_string(),
        _ => form.to_string(),
    }
}

/// Whether a column of such forms stands at the right.
pub(crate) fn is_number(form: &Edn, raw: bool) -> bool {
    match form {
        Edn::Nil => true,
        Edn::Value(Value::Ref(_)) => raw,
        Edn::Value(value) => matches!(
            value,
            Value::Long(_)
                | Value::BigInt(_)
                | Value::Double(_)
                | Value::Float(_)
                | Value::BigDec(_)
        ),
        _ => false,
    }
}

/// The ident of an entity, else a lookup ref, else its number.
pub(crate) fn entity_name(db: &Db, id: EntityId) -> String {
    if let Some(ident) = db.ident(id) {
        return ident.to_string();
    }
    lookup_ref(db, id).map_or_else(|| id.to_string(), |form| form.to_string())
}

/// `[attribute value]` by the first identity attribute that the entity has; tuples come last.
pub(crate) fn lookup_ref(db: &Db, id: EntityId) -> Option<Edn> {
    let datoms = db.datoms(Index::Eavt, &[Edn::Value(Value::Ref(id))]).ok()?;
    let mut best: Option<(bool, Edn)> = None;
    for datom in datoms {
        let datom = datom.ok()?;
        let Some(attribute) = db.schema().attribute(datom.a) else { continue };
        if attribute.unique != Some(Unique::Identity) {
            continue;
        }
        let found = (is_tuple(attribute), reference(attribute, &datom.v));
        if best.as_ref().is_none_or(|(tuple, _)| *tuple && !found.0) {
            best = Some(found);
        }
    }
    best.map(|(_, form)| form)
}

fn is_tuple(attribute: &Attribute) -> bool {
    attribute.tuple.is_some()
}

fn reference(attribute: &Attribute, value: &Value) -> Edn {
    let key = Edn::Value(Value::Keyword(attribute.ident.clone()));
    Edn::Vector(vec![key, Edn::from(value.clone())])
}

/// A cell is one line: breaks and tabs show as escapes.
fn one_line(text: &str) -> String {
    if !text.contains(['\n', '\r', '\t']) {
        return text.to_owned();
    }
    text.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t")
}
