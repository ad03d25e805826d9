//! The normal form of an answer: ids become labels, instants of transactions `#inst-of`.

use datomite::{Attribute, Cardinality, Datom, Edn, EntityId, Keyword, Symbol, Unique, Value};

use super::context::{Context, entity_form, tagged};

impl Context {
    /// A form of a query's or pull's answer. `idents`: attribute ids are written as idents.
    pub(super) fn answer(&self, form: &Edn, idents: bool) -> Edn {
        let all = |items: &[Edn]| items.iter().map(|item| self.answer(item, idents)).collect();
        match form {
            Edn::Value(Value::Long(n)) => self.integer(*n, idents),
            Edn::Value(Value::Ref(id)) => self.integer(id.raw() as i64, idents),
            Edn::Value(Value::Tuple(_)) => match form.as_value() {
                Some(value) => self.answer(&Edn::from(value), idents),
                None => form.clone(),
            },
            Edn::Value(Value::Instant(instant)) => {
                let same = |tx: &&super::context::Tx| !tx.explicit && tx.instant == *instant;
                match self.txs.iter().position(|tx| same(&tx)) {
                    Some(at) => tagged("inst-of", Edn::from(at as i64 + 1)),
                    None => form.clone(),
                }
            }
            Edn::Ratio(parts) => {
                let part = |n: &datomite::BigInt| match i64::try_from(n) {
                    Ok(n) => Edn::long(n),
                    Err(_) => Edn::from(n.clone()),
                };
                tagged("ratio", Edn::Vector(vec![part(&parts.0), part(&parts.1)]))
            }
            Edn::List(items) | Edn::Vector(items) => Edn::Vector(all(items)),
            Edn::Set(items) => Edn::Set(all(items)),
            Edn::Map(entries) => Edn::Map(
                entries
                    .iter()
                    .map(|(key, value)| {
                        let is_id = *key == Edn::keyword("db/id");
                        let schema = value.as_long().filter(|_| is_id);
                        let value = schema
                            .and_then(|id| self.schema_tag(id))
                            .unwrap_or_else(|| self.answer(value, idents));
                        (self.answer(key, idents), value)
                    })
                    .collect(),
            ),
            other => other.clone(),
        }
    }

    fn integer(&self, n: i64, idents: bool) -> Edn {
        let labelled = u64::try_from(n)
            .ok()
            .and_then(|id| self.tag_of(EntityId::new(id)));
        let by_ident = || if idents { self.schema_tag(n) } else { None };
        labelled.or_else(by_ident).unwrap_or_else(|| Edn::long(n))
    }

    /// An entity id where an ident may stand for it.
    pub(super) fn entity_answer(&self, id: EntityId) -> Edn {
        let raw = id.raw() as i64;
        self.schema_tag(raw)
            .unwrap_or_else(|| self.integer(raw, false))
    }

    /// `[e attr v tx added]`.
    pub(super) fn datom_answer(&self, datom: &Datom) -> Edn {
        let db = self.answer_db();
        let attribute = db
            .ident(datom.a)
            .map_or_else(|| entity_form(datom.a), Edn::from);
        let value = match &datom.v {
            Value::Ref(id) => self.entity_answer(*id),
            value => self.answer(&Edn::from(value), false),
        };
        Edn::Vector(vec![
            self.entity_answer(datom.e),
            attribute,
            value,
            self.answer(&entity_form(datom.tx), false),
            Edn::from(datom.added),
        ])
    }
}

/// What `d/attribute` tells.
pub(super) fn attribute_answer(attribute: &Attribute) -> Edn {
    let mut entries = vec![
        ("ident", Edn::from(attribute.ident.clone())),
        ("value-type", Edn::from(attribute.value_type.ident())),
        (
            "cardinality",
            Edn::keyword(match attribute.cardinality {
                Cardinality::One => "db.cardinality/one",
                Cardinality::Many => "db.cardinality/many",
            }),
        ),
        ("indexed", Edn::from(attribute.indexed)),
        ("has-avet", Edn::from(attribute.has_avet())),
        ("no-history", Edn::from(attribute.no_history)),
        ("is-component", Edn::from(attribute.is_component)),
        ("fulltext", Edn::from(attribute.fulltext)),
    ];
    if let Some(unique) = attribute.unique {
        let name = match unique {
            Unique::Identity => "db.unique/identity",
            Unique::Value => "db.unique/value",
        };
        entries.push(("unique", Edn::keyword(name)));
    }
    let entries = entries
        .into_iter()
        .map(|(key, value)| (Edn::keyword(key), value));
    Edn::Map(entries.collect())
}

/// A symbol of the namespace of the cases' functions.
pub(super) fn function_name(name: &str) -> Symbol {
    Symbol::new(Some("conformance.fns"), name)
}

/// Whether a keyword names something of the store's own.
pub(super) fn is_own(keyword: &Keyword) -> bool {
    keyword.namespace().is_some_and(|ns| ns.starts_with("db")) || keyword.as_str() == "fressian/tag"
}
