//! A random database over the fixture `reads`: transactions as the steps of a recorded case.

use std::path::{Path, PathBuf};

use datomite::{Edn, Value, ValueType, edn, read, read_all};

use crate::conformance::Player;
use crate::generate::Random;
use crate::oracle::{Attr, Plain, Uniqueness};

/// The fixture that installs the attributes.
pub const FIXTURE: &str = "reads";
/// Labels `e0` to `e8`; a component has a greater number than its owner: there are no cycles.
pub const ENTITIES: usize = 9;

/// Scalars of each attribute, as text.
pub const SCALARS: &[(&str, &str)] = &[
    ("r/str", r#""a" "b" "B" "ab" "" "é""#),
    ("r/num", "-2 0 1 2 7 1000000007"),
    ("r/plain", "0 1 2"),
    ("r/nums", "-1 0 1 2 3 9"),
    ("r/dbl", "-1.5 1.0 2.5 1e10"),
    ("r/big", "1N -7N 100000000000000000000N 0N"),
    ("r/kw", ":a :b/a :b/b :k/a :aa"),
    ("r/sym", "a b/a b/b x"),
    (
        "r/inst",
        r#"#inst "2020-02-01" #inst "1969-12-31T23:59:59.999Z" #inst "2001-01-01""#,
    ),
    ("r/flag", "true false"),
    ("r/tags", r#""x" "y" "z""#),
    ("r/seen", "1 2 3"),
    ("r/pair", r#"[1 "a"] [1 nil] [2 "b"] [nil "a"]"#),
];
/// References of cardinality one and many.
pub const REFERENCES: &[&str] = &["r/ref", "r/kind", "r/part", "r/refs", "r/kinds", "r/parts"];

/// Entities with idents.
pub const KINDS: &[&str] = &["k/a", "k/b", "k/c"];

/// A database and what the oracle knows of it.
pub struct World {
    /// Ours, and the names of its entities.
    pub player: Player,
    /// The transactions after the fixture, as steps.
    pub steps: Vec<Edn>,
    /// All datoms of the attributes that reads name.
    pub plain: Plain,
    /// The labels that are taken.
    pub known: Vec<usize>,
}

/// `#tag form`.
pub fn tagged(tag: &str, form: Edn) -> Edn {
    Edn::Tagged(tag.into(), Box::new(form))
}

/// The entity of a label.
pub fn label(number: usize) -> Edn {
    tagged("id", Edn::from(format!("e{number}")))
}

/// The values of an attribute that the world uses.
pub fn scalars(name: &str) -> Vec<Edn> {
    let found = SCALARS.iter().find(|(known, _)| *known == name);
    read_all(found.map_or("", |(_, text)| text)).expect("the scalars are EDN")
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("conformance/fixtures")
        .join(format!("{FIXTURE}.edn"))
}

impl World {
    /// Plays three to six random transactions.
    pub fn random(random: &mut Random) -> World {
        let mut world = World {
            player: Player::new(),
            steps: Vec::new(),
            plain: Plain::default(),
            known: Vec::new(),
        };
        let text = std::fs::read_to_string(fixture()).expect("the fixture");
        let form = read(&text).expect("the fixture is EDN");
        let txs = form.get(&Edn::keyword("txs")).and_then(Edn::as_sequence);
        for tx in txs.unwrap_or_default() {
            world.play(tx);
            world.learn_attributes(tx);
        }
        for number in 0..3 + random.below(4) {
            let data = transaction(random, &mut world.known, number == 0);
            world.play(&data);
            world.steps.push(edn!("{:transact ?data}", data = data));
        }
        world.learn_datoms();
        world
    }

    fn play(&mut self, data: &Edn) {
        let resolved = self.player.resolve(data).expect("the labels are known");
        if let Err(error) = self.player.transact(data, resolved) {
            panic!("{data}: {error}");
        }
    }

    fn learn_attributes(&mut self, tx: &Edn) {
        let db = self.player.connection().db();
        let own = read_all("{:db/ident :db/ident :db/valueType :db.type/keyword}")
            .expect("the form is EDN");
        let forms = tx.as_sequence().unwrap_or_default();
        for form in own.iter().chain(forms) {
            let get = |name: &str| form.get(&Edn::keyword(name));
            let Some(value_type) = get("db/valueType").and_then(Edn::as_keyword) else {
                continue;
            };
            let ident = get("db/ident")
                .and_then(Edn::as_keyword)
                .expect("a name")
                .clone();
            let id = db
                .entid(&Edn::from(ident.clone()))
                .expect("a read")
                .expect("it is there");
            let all = ValueType::ALL.iter();
            let is = |flag: &str| get(flag) == Some(&Edn::from(true));
            let unique = get("db/unique").is_some() || ident.as_str() == "db/ident";
            self.plain.attrs.push(Attr {
                id,
                value_type: *all
                    .clone()
                    .find(|t| t.ident() == *value_type)
                    .expect("a type"),
                many: get("db/cardinality") == Some(&Edn::keyword("db.cardinality/many")),
                unique: if unique {
                    Uniqueness::Identity
                } else {
                    Uniqueness::None
                },
                component: is("db/isComponent"),
                indexed: unique || is("db/index"),
                ident,
            });
        }
    }

    fn learn_datoms(&mut self) {
        let entries = self
            .player
            .connection()
            .log()
            .tx_range(None, None)
            .expect("a log");
        for entry in entries {
            let data = entry.expect("an entry").data.into_iter();
            let ours = data.filter(|datom| self.plain.attrs.iter().any(|a| a.id == datom.a));
            self.plain.datoms.extend(ours.collect::<Vec<_>>());
        }
    }

    /// The attributes that are no references, and those that are.
    pub fn names(&self, references: bool) -> Vec<String> {
        let attrs = self.plain.attrs.iter();
        let wanted = attrs.filter(|attr| (attr.value_type == ValueType::Ref) == references);
        wanted.map(|attr| attr.ident.as_str().to_owned()).collect()
    }
}

/// New entities as maps, changes of known ones as lists.
fn transaction(random: &mut Random, known: &mut Vec<usize>, first: bool) -> Edn {
    let unknown: Vec<usize> = (0..ENTITIES).filter(|n| !known.contains(n)).collect();
    let fresh: Vec<usize> = unknown
        .into_iter()
        .filter(|_| random.chance(if first { 70 } else { 25 }))
        .collect();
    let all: Vec<usize> = known.iter().chain(&fresh).copied().collect();
    let name = |n: usize| match fresh.contains(&n) {
        true => Edn::from(format!("e{n}")),
        false => label(n),
    };
    let mut forms = Vec::new();
    for n in &fresh {
        let mut entries = vec![
            (Edn::keyword("db/id"), Edn::from(format!("e{n}"))),
            (Edn::keyword("r/name"), Edn::from(format!("n{n}"))),
        ];
        for (attribute, _) in SCALARS {
            if random.chance(35) {
                let value = several(random, attribute, |random| {
                    Some(random.pick(&scalars(attribute)).clone())
                });
                entries.extend(value.map(|value| (Edn::keyword(attribute), value)));
            }
        }
        for attribute in REFERENCES {
            if random.chance(45) {
                let value = several(random, attribute, |random| {
                    target(random, attribute, *n, &all).map(|to| to.unwrap_or_else(name))
                });
                entries.extend(value.map(|value| (Edn::keyword(attribute), value)));
            }
        }
        forms.push(Edn::Map(entries));
    }
    let mut touched: Vec<(usize, &str)> = Vec::new();
    for _ in 0..if first { 0 } else { 1 + random.below(6) } {
        let Some(n) = known.get(random.below(known.len().max(1))).copied() else {
            break;
        };
        let is_scalar = random.chance(55);
        let attribute = match is_scalar {
            true => random.pick(SCALARS).0,
            false => *random.pick(REFERENCES),
        };
        if touched.contains(&(n, attribute)) {
            continue;
        }
        touched.push((n, attribute));
        let value = match is_scalar {
            true => Some(random.pick(&scalars(attribute)).clone()),
            false => target(random, attribute, n, &all).map(|to| to.unwrap_or_else(name)),
        };
        let Some(value) = value else { continue };
        let (e, a) = (label(n), Edn::keyword(attribute));
        forms.push(match random.below(10) {
            0..7 => edn!("[:db/add ?e ?a ?v]", e = e, a = a, v = value),
            7 => edn!("[:db/retract ?e ?a]", e = e, a = a),
            _ => edn!("[:db/retract ?e ?a ?v]", e = e, a = a, v = value),
        });
    }
    known.extend(fresh);
    Edn::Vector(forms)
}

/// One value, or a vector of up to three different ones where the attribute takes several.
fn several(
    random: &mut Random,
    attribute: &str,
    mut value: impl FnMut(&mut Random) -> Option<Edn>,
) -> Option<Edn> {
    if !attribute.ends_with('s') {
        return value(random);
    }
    let mut values: Vec<Edn> = Vec::new();
    for _ in 0..1 + random.below(3) {
        values.extend(value(random).filter(|value| !values.contains(value)));
    }
    (!values.is_empty()).then_some(Edn::Vector(values))
}

/// What a reference leads to: `Ok` a kind, `Err` an entity.
fn target(
    random: &mut Random,
    attribute: &str,
    from: usize,
    all: &[usize],
) -> Option<Result<Edn, usize>> {
    let below: Vec<usize> = all.iter().copied().filter(|n| *n > from).collect();
    match attribute {
        "r/part" | "r/parts" if below.is_empty() => None,
        "r/part" | "r/parts" => Some(Err(*random.pick(&below))),
        "r/kind" | "r/kinds" if random.chance(80) => {
            Some(Ok(Edn::keyword(KINDS[random.below(KINDS.len())])))
        }
        _ => Some(Err(*random.pick(all))),
    }
}

/// A value as the oracle compares it: a reference is a long.
pub fn plain_value(value: &Value) -> Edn {
    match value {
        Value::Ref(id) => Edn::long(id.raw() as i64),
        value => Edn::from(value),
    }
}
