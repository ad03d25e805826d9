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
    match form {
        Edn::Nil => String::new(),
        form => friendly(form, db),
    }
}

/// A map as a person reads it, a key a line; any other form as in a cell.
pub(crate) fn block(form: &Edn, raw: bool, db: Option<&Db>) -> String {
    let Some(entries) = form.as_map().filter(|entries| entries.len() > 1) else {
        return shown(form, raw, db);
    };
    let line = |key: &Edn, value: &Edn| match raw {
        true => format!("{key} {value}"),
        false => entry(key, value, db),
    };
    let lines: Vec<String> = entries
        .iter()
        .map(|(key, value)| line(key, value))
        .collect();
    format!("{{{}}}", lines.join("\n "))
}

/// A form with entities by name and numbers without suffix; text inside a collection is quoted.
fn friendly(form: &Edn, db: Option<&Db>) -> String {
    let all = |items: &[Edn]| {
        items
            .iter()
            .map(|item| friendly(item, db))
            .collect::<Vec<_>>()
            .join(" ")
    };
    match (form, db) {
        (Edn::Vector(items), _) => format!("[{}]", all(items)),
        (Edn::List(items), _) => format!("({})", all(items)),
        (Edn::Map(entries), db) => match (id_alone(entries), db) {
            (Some(id), Some(db)) => entity_name(db, id),
            _ => {
                let texts: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| entry(key, value, db))
                    .collect();
                format!("{{{}}}", texts.join(", "))
            }
        },
        (Edn::Value(Value::Ref(id)), Some(db)) => entity_name(db, *id),
        _ => plain(form).unwrap_or_else(|| form.to_string()),
    }
}

/// A scalar without the tag or suffix that EDN needs to tell its type; `None` where it has none.
pub(crate) fn plain(form: &Edn) -> Option<String> {
    let Edn::Value(value) = form else { return None };
    Some(match value {
        Value::BigDec(number) => number.to_string(),
        Value::BigInt(number) => number.to_string(),
        Value::Float(_) => form.to_string().trim_start_matches("#float ").to_owned(),
        Value::Instant(instant) => instant.to_string(),
        Value::Uuid(uuid) => uuid.to_string(),
        Value::Uri(uri) => uri.to_string(),
        _ => return None,
    })
}

/// A key and its value: `:db/id` shows the entity by name.
fn entry(key: &Edn, value: &Edn, db: Option<&Db>) -> String {
    let id = value
        .as_long()
        .filter(|_| is_id(key))
        .and_then(|id| u64::try_from(id).ok());
    match (id, db) {
        (Some(id), Some(db)) => format!("{key} {}", entity_name(db, EntityId::new(id))),
        _ => format!("{key} {}", friendly(value, db)),
    }
}

fn is_id(key: &Edn) -> bool {
    key.as_keyword().is_some_and(|key| key.as_str() == "db/id")
}

/// The id of a map that says nothing else: what pull gives for a reference.
fn id_alone(entries: &[(Edn, Edn)]) -> Option<EntityId> {
    match entries {
        [(key, id)] if is_id(key) => Some(EntityId::new(u64::try_from(id.as_long()?).ok()?)),
        _ => None,
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

/// The ident of an entity, else a lookup ref, else its number. An entity that is gone goes by
/// the last key it had.
pub(crate) fn entity_name(db: &Db, id: EntityId) -> String {
    if let Some(ident) = db.ident(id) {
        return ident.to_string();
    }
    let found = lookup_ref(db, id).or_else(|| lookup_ref(&db.basis().history(), id));
    found.map_or_else(|| id.to_string(), |form| friendly(&form, Some(db)))
}

/// `[attribute value]` by the first identity attribute that the entity has; tuples come last.
pub(crate) fn lookup_ref(db: &Db, id: EntityId) -> Option<Edn> {
    let datoms = db.datoms(Index::Eavt, &[Edn::Value(Value::Ref(id))]).ok()?;
    let mut best: Option<(bool, Edn)> = None;
    for datom in datoms {
        let datom = datom.ok()?;
        let Some(attribute) = db.schema().attribute(datom.a) else {
            continue;
        };
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
    text.replace('\n', "\\n")
        .replace('\r', "\\r")
        .replace('\t', "\\t")
}
