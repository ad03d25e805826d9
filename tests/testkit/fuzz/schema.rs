//! Random schemas, and transactions that alter them.

use std::sync::Arc;

use datomite::{Attribute, Edn, Keyword, edn};

use super::{Writer, tagged, vector};
use crate::generate::Random;

/// What every case begins with besides its own attributes.
const COMMON: [&str; 8] = [
    "{:db/ident :f/key :db/valueType :db.type/string :db/cardinality :db.cardinality/one \
      :db/unique :db.unique/identity}",
    "{:db/ident :f/ref :db/valueType :db.type/ref :db/cardinality :db.cardinality/one}",
    "{:db/id \"ea\" :db/ident :e/a}",
    "{:db/id \"eb\" :db/ident :e/b}",
    "{:db/ident :e/c}",
    "{:db/ident :p/one :db.install/_partition :db.part/db}",
    "{:db/id \"spec\" :db/ident :s/spec :db.entity/attrs [:f/key :f/n]}",
    "{:db/ident :f/n :db/valueType :db.type/long :db/cardinality :db.cardinality/one}",
];

/// Kinds of attributes: value type, cardinality, and what else stands in the definition. No bytes:
/// to a peer two arrays of equal bytes are two values.
const KINDS: [(&str, &str, &str); 33] = [
    ("long", "one", ":db/unique :db.unique/identity"),
    ("long", "one", ":db/unique :db.unique/value"),
    ("string", "one", ":db/unique :db.unique/value"),
    ("keyword", "one", ":db/unique :db.unique/identity"),
    ("string", "many", ":db/unique :db.unique/identity"),
    ("long", "many", ":db/unique :db.unique/value"),
    ("ref", "one", ":db/unique :db.unique/identity"),
    ("ref", "one", ":db/unique :db.unique/value"),
    ("bigdec", "one", ":db/unique :db.unique/identity"),
    ("double", "one", ":db/unique :db.unique/value"),
    ("uuid", "one", ":db/unique :db.unique/identity"),
    ("ref", "many", ""),
    ("ref", "many", ""),
    ("ref", "one", ":db/isComponent true"),
    ("ref", "many", ":db/isComponent true"),
    ("long", "one", ":db/index true"),
    ("long", "many", ":db/index true"),
    ("string", "one", ""),
    ("string", "many", ":db/fulltext true"),
    ("double", "many", ""),
    ("float", "one", ":db/index true"),
    ("bigdec", "many", ":db/index true"),
    ("bigdec", "one", ""),
    ("bigint", "one", ":db/index true"),
    ("boolean", "one", ":db/noHistory true"),
    ("keyword", "many", ""),
    ("instant", "one", ""),
    ("symbol", "one", ""),
    ("uri", "many", ""),
    ("long", "one", ":db.attr/preds conformance.fns/positive?"),
    (
        "string",
        "many",
        ":db.attr/preds conformance.fns/short-string?",
    ),
    ("long", "one", ":db.attr/preds pos?"),
    ("long", "one", ":db/noHistory true"),
];

/// A kind as a definition says it.
fn kind_text((value_type, cardinality, rest): &(&str, &str, &str)) -> String {
    format!(
        ":db/valueType :db.type/{value_type} :db/cardinality :db.cardinality/{cardinality} {rest}"
    )
}

/// Kinds of tuples.
const TUPLES: [&str; 9] = [
    ":db/tupleAttrs [:f/n :f/ref]",
    ":db/tupleAttrs [:f/n :f/key] :db/unique :db.unique/identity",
    ":db/tupleAttrs [:f/ref :f/n] :db/unique :db.unique/identity",
    ":db/tupleAttrs [:f/key :f/n :f/ref] :db/unique :db.unique/value",
    ":db/tupleTypes [:db.type/long :db.type/string]",
    ":db/tupleTypes [:db.type/ref :db.type/long] :db/unique :db.unique/identity",
    ":db/tupleTypes [:db.type/keyword :db.type/ref :db.type/double]",
    ":db/tupleType :db.type/long",
    ":db/tupleType :db.type/ref :db/unique :db.unique/value",
];

/// The transactions that install a random schema.
pub fn install(random: &mut Random) -> Vec<Edn> {
    let read = |text: &str| datomite::read(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let mut first: Vec<Edn> = COMMON.iter().map(|text| read(text)).collect();
    for number in 0..4 + random.below(5) {
        let kind = kind_text(random.pick(&KINDS));
        first.push(read(&format!("{{:db/ident :f/a{number} {kind}}}")));
    }
    for number in 0..random.below(3) {
        let kind = *random.pick(&TUPLES);
        let many = !kind.contains("tupleAttrs") && random.chance(30);
        let cardinality = if many { "many" } else { "one" };
        first.push(read(&format!(
            "{{:db/ident :f/t{number} :db/valueType :db.type/tuple \
             :db/cardinality :db.cardinality/{cardinality} {kind}}}"
        )));
    }
    if random.chance(25) {
        let long = kind_text(&("long", "one", ""));
        for name in ["min", "max"] {
            first.push(read(&format!("{{:db/ident :range/{name} {long}}}")));
        }
        first.push(read(
            "{:db/id \"spec\" :db.entity/preds conformance.fns/min-below-max?}",
        ));
    }
    vec![Edn::Vector(first)]
}

impl Writer<'_> {
    /// A definition, an alteration, a name given or taken.
    pub(super) fn schema_element(&mut self) -> Edn {
        let kinds = [
            (12, "schema: cardinality"),
            (12, "schema: unique"),
            (8, "schema: no unique"),
            (8, "schema: index"),
            (6, "schema: component"),
            (4, "schema: noHistory"),
            (3, "schema: doc"),
            (9, "schema: rename"),
            (6, "schema: ident retraction"),
            (4, "schema: ident retaken"),
            (4, "schema: predicate"),
            (3, "schema: value type"),
            (3, "schema: retraction"),
            (14, "schema: definition"),
            (6, "schema: wrong definition"),
            (3, "schema: old form"),
            (3, "schema: partition"),
            (4, "schema: enum"),
            (4, "schema: spec"),
        ];
        let kind = self.kind(&kinds);
        self.count(kind);
        let attr = self.any_attribute();
        let a = self.attribute(&attr);
        match kind {
            "schema: cardinality" => {
                let to = if attr.is_many() != self.random.chance(15) {
                    "one"
                } else {
                    "many"
                };
                let to = Edn::keyword(&format!("db.cardinality/{to}"));
                edn!("{:db/id ?a :db/cardinality ?to}", a = a, to = to)
            }
            "schema: unique" => {
                let to = self.word(&["identity", "value"]);
                let to = Edn::keyword(&format!("db.unique/{to}"));
                match self.random.chance(40) {
                    true => edn!("{:db/id ?a :db/unique ?to :db/index true}", a = a, to = to),
                    false => edn!("{:db/id ?a :db/unique ?to}", a = a, to = to),
                }
            }
            "schema: no unique" => {
                let unique = |a: &&Arc<Attribute>| a.unique.is_some();
                let found: Vec<_> = self.scene.attrs.iter().filter(unique).cloned().collect();
                let attr = match found.is_empty() {
                    true => attr,
                    false => self.random.pick(&found).clone(),
                };
                let now = match attr.unique {
                    Some(datomite::Unique::Identity) => "db.unique/identity",
                    _ => "db.unique/value",
                };
                let (a, now) = (self.attribute(&attr), Edn::keyword(now));
                edn!("[:db/retract ?a :db/unique ?now]", a = a, now = now)
            }
            "schema: index" => self.flag(a, "db/index"),
            "schema: component" => self.flag(a, "db/isComponent"),
            "schema: noHistory" => self.flag(a, "db/noHistory"),
            "schema: doc" => edn!("{:db/id ?a :db/doc \"words\"}", a = a),
            "schema: rename" => {
                let n = self.random.below(4) as i64;
                let name = Edn::keyword(&format!("f/r{n}"));
                edn!("{:db/id ?a :db/ident ?name}", a = a, name = name)
            }
            "schema: ident retraction" => {
                let idents = &self.scene.idents;
                let ident = match idents.is_empty() || self.random.chance(40) {
                    true => attr.ident.clone(),
                    false => self.random.pick(idents).clone(),
                };
                let ident = Edn::from(ident);
                edn!(
                    "[:db/retract ?a :db/ident ?b]",
                    a = ident.clone(),
                    b = ident
                )
            }
            "schema: ident retaken" => {
                let known = self.scene.old_idents.first().cloned();
                let name = Edn::from(known.unwrap_or_else(|| attr.ident.clone()));
                let e = self.entity();
                edn!("[:db/add ?e :db/ident ?name]", e = e, name = name)
            }
            "schema: predicate" => {
                let name = self.word(&[
                    "conformance.fns/positive?",
                    "conformance.fns/short-string?",
                    "conformance.fns/truthy-not-true",
                    "conformance.fns/cancels",
                    "conformance.fns/no-such",
                    "some?",
                ]);
                let op = if self.random.chance(80) {
                    "db/add"
                } else {
                    "db/retract"
                };
                let preds = Edn::keyword("db.attr/preds");
                vector([Edn::keyword(op), a, preds, Edn::symbol(name)])
            }
            "schema: value type" => {
                let to = Edn::keyword(self.word(&["db.type/long", "db.type/string"]));
                edn!("{:db/id ?a :db/valueType ?to}", a = a, to = to)
            }
            "schema: retraction" => {
                let what = self.word(&[
                    "db/valueType",
                    "db/cardinality",
                    "db/unique",
                    "db/index",
                    "db/isComponent",
                    "db/ident",
                ]);
                edn!("[:db/retract ?a ?what]", a = a, what = Edn::keyword(what))
            }
            "schema: definition" => self.definition(),
            "schema: wrong definition" => self.wrong_definition(),
            "schema: old form" => self.old_form(a),
            "schema: partition" => datomite::read(self.word(&[
                "{:db/id \"p\" :db/ident :p/two :db.install/_partition :db.part/db}",
                "[:db/add :db.part/db :db.install/partition :e/a]",
                "[:db/retract :db.part/db :db.install/partition :p/one]",
                "{:db/id :p/one :db/ident :p/three}",
            ]))
            .expect("EDN"),
            "schema: enum" => {
                let n = self.random.below(3);
                let (e, name) = (self.entity(), Edn::keyword(&format!("e/n{n}")));
                edn!("{:db/id ?e :db/ident ?name}", e = e, name = name)
            }
            _ => self.spec(),
        }
    }

    fn flag(&mut self, a: Edn, name: &str) -> Edn {
        let (name, on) = (Edn::keyword(name), Edn::from(self.random.chance(60)));
        match self.random.chance(20) {
            true => edn!("[:db/retract ?a ?name ?on]", a = a, name = name, on = on),
            false => edn!("[:db/add ?a ?name ?on]", a = a, name = name, on = on),
        }
    }

    /// An attribute of a new name, or of one that is taken.
    fn definition(&mut self) -> Edn {
        let kind = match self.random.chance(30) {
            true => format!(
                ":db/valueType :db.type/tuple :db/cardinality :db.cardinality/one {}",
                self.random.pick(&TUPLES)
            ),
            false => kind_text(self.random.pick(&KINDS)),
        };
        let name = match self.random.chance(85) {
            true => format!(":f/n{}", self.number),
            false => self.any_attribute().ident.to_string(),
        };
        datomite::read(&format!("{{:db/ident {name} {kind}}}")).expect("EDN")
    }

    fn wrong_definition(&mut self) -> Edn {
        let kinds = [
            ":db/valueType :db.type/long",
            ":db/cardinality :db.cardinality/one",
            ":db/unique :db.unique/identity",
            ":db/index true",
            ":db/valueType :e/a :db/cardinality :db.cardinality/one",
            ":db/valueType :db.type/long :db/cardinality :e/a",
            ":db/valueType :db.type/long :db/cardinality :db.cardinality/one :db/isComponent true",
            ":db/valueType :db.type/bytes :db/cardinality :db.cardinality/one \
             :db/unique :db.unique/value",
            ":db/valueType :db.type/tuple :db/cardinality :db.cardinality/one",
            ":db/valueType :db.type/tuple :db/cardinality :db.cardinality/one \
             :db/tupleType :db.type/bytes",
            ":db/valueType :db.type/tuple :db/cardinality :db.cardinality/one \
             :db/tupleTypes [:db.type/long]",
            ":db/valueType :db.type/tuple :db/cardinality :db.cardinality/one \
             :db/tupleTypes [:db.type/long :db.type/long] :db/tupleType :db.type/long",
            ":db/valueType :db.type/tuple :db/cardinality :db.cardinality/one \
             :db/tupleAttrs [:f/n :none/such]",
            ":db/valueType :db.type/tuple :db/cardinality :db.cardinality/many \
             :db/tupleAttrs [:f/n :f/key]",
            ":db/valueType :db.type/long :db/cardinality :db.cardinality/one \
             :db/tupleType :db.type/long",
        ];
        let kind = *self.random.pick(&kinds);
        let text = match self.random.below(6) {
            0 => format!("{{{kind}}}"),
            1 => format!("{{:db/id :e/a {kind}}}"),
            _ => format!("{{:db/ident :f/w{} {kind}}}", self.number),
        };
        datomite::read(&text).expect("EDN")
    }

    fn old_form(&mut self, a: Edn) -> Edn {
        match self.random.below(3) {
            0 => edn!("[:db/add :db.part/db :db.alter/attribute ?a]", a = a),
            1 => edn!(
                "{:db/id ?a :db.alter/_attribute :db.part/db :db/doc \"old\"}",
                a = a
            ),
            _ => {
                let id = tagged("db/id", vector([Edn::keyword("db.part/db")]));
                let name = Edn::from(Keyword::parse(&format!("f/o{}", self.number)));
                edn!(
                    "{:db/id ?id :db/ident ?name :db/valueType :db.type/long \
                      :db/cardinality :db.cardinality/one :db.install/_attribute :db.part/db}",
                    id = id,
                    name = name
                )
            }
        }
    }

    fn spec(&mut self) -> Edn {
        let attr = Edn::from(self.any_attribute().ident.clone());
        match self.random.below(4) {
            0 => edn!("[:db/add :s/spec :db.entity/attrs ?a]", a = attr),
            1 => edn!("[:db/retract :s/spec :db.entity/attrs ?a]", a = attr),
            2 => edn!("[:db/add :s/spec :db.entity/preds conformance.fns/no-such]"),
            _ => {
                let attrs = vector([attr]);
                edn!(
                    "{:db/id \"s\" :db/ident :s/other :db.entity/attrs ?attrs}",
                    attrs = attrs
                )
            }
        }
    }
}
