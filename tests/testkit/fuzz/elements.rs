//! The elements of a transaction: list forms, maps, calls, directives, and what is malformed.

use datomite::{Attribute, Datom, Edn, ValueType, edn};

use super::{Writer, tagged, vector};

/// Elements that no transaction may hold, whatever the schema is.
const MALFORMED: [&str; 16] = [
    "nil",
    "1",
    ":db/add",
    "\"text\"",
    "#{}",
    "[]",
    "[:db/add]",
    "[:db/add \"x\"]",
    "[:db/add \"x\" :db/doc]",
    "[:db/retract]",
    "[\"db/add\" \"x\" :db/doc \"d\"]",
    "[none/such 1]",
    "[such 1]",
    "[:none/such 1]",
    "[:db/doc \"x\" \"y\" \"z\"]",
    "[nil 1]",
];

impl Writer<'_> {
    /// The data of one transaction.
    pub fn transaction(&mut self) -> Edn {
        let mut elements = Vec::new();
        match self.random.below(100) {
            0..14 => {
                for _ in 0..=self.random.below(2) {
                    let element = self.schema_element();
                    elements.push(element);
                }
                if self.random.chance(30) {
                    elements.push(self.element());
                }
            }
            14..16 => {}
            _ => {
                for _ in 0..=self.random.below(4) {
                    let element = self.element();
                    elements.push(element);
                }
            }
        }
        if self.random.chance(5) {
            let directive = self.partitions();
            elements.push(directive);
        }
        if self.random.chance(5) {
            let element = self.about_transaction();
            elements.push(element);
        }
        if self.random.chance(3) {
            self.count("malformed element");
            let text = *self.random.pick(&MALFORMED);
            let at = self.random.below(elements.len() + 1);
            elements.insert(at, datomite::read(text).expect("EDN"));
        }
        match self.random.chance(10) {
            true => Edn::List(elements),
            false => Edn::Vector(elements),
        }
    }

    fn element(&mut self) -> Edn {
        let kinds = [
            (34, "map"),
            (26, "[:db/add]"),
            (10, "[:db/retract e a v]"),
            (4, "[:db/retract e a]"),
            (5, "[:db/retractEntity]"),
            (7, "[:db/cas]"),
            (5, "call"),
            (3, "ensure"),
        ];
        let kind = self.kind(&kinds);
        self.count(kind);
        match kind {
            "map" => self.map(),
            "[:db/add]" => self.add(),
            "[:db/retract e a v]" => self.retract(),
            "[:db/retract e a]" => self.retract_attribute(),
            "[:db/retractEntity]" => {
                let e = self.held_entity();
                self.list("retractEntity", vec![e])
            }
            "[:db/cas]" => self.cas(),
            "call" => self.call(),
            _ => self.ensure(),
        }
    }

    /// `[:db/op …]`, the operation in one of its ways.
    fn list(&mut self, op: &str, rest: Vec<Edn>) -> Edn {
        let name = match self.random.below(40) {
            0 => Edn::string(&format!(":db/{op}")),
            1 => Edn::symbol(&format!("db/{op}")),
            2 => tagged("id", Edn::keyword(&format!("db/{op}"))),
            3 if op == "cas" => Edn::keyword("db.fn/cas"),
            3 if op == "retractEntity" => Edn::keyword("db.fn/retractEntity"),
            _ => Edn::keyword(&format!("db/{op}")),
        };
        let items = std::iter::once(name).chain(rest);
        match self.random.chance(10) {
            true => Edn::List(items.collect()),
            false => Edn::Vector(items.collect()),
        }
    }

    fn add(&mut self) -> Edn {
        let attr = self.any_attribute();
        let (e, a, v) = (self.entity(), self.place(&attr), self.value(&attr));
        let mut rest = vec![e, a, v];
        if self.random.chance(2) {
            rest.push(Edn::keyword("ignored"));
        }
        self.list("add", rest)
    }

    fn fact(&mut self) -> Option<Datom> {
        let facts = &self.scene.facts;
        (!facts.is_empty()).then(|| self.random.pick(facts).clone())
    }

    /// The entity of a fact, by label or by lookup ref.
    fn entity_of(&mut self, fact: &Datom) -> Edn {
        let label = self.scene.label(fact.e);
        label.unwrap_or_else(|| Edn::long(fact.e.raw() as i64))
    }

    fn attr_of(&self, fact: &Datom) -> std::sync::Arc<Attribute> {
        let found = self.scene.attrs.iter().find(|attr| attr.id == fact.a);
        found.expect("facts of our attributes alone").clone()
    }

    fn retract(&mut self) -> Edn {
        let rest = match self.fact() {
            Some(fact) if self.random.chance(75) => {
                let attr = self.attr_of(&fact);
                let (e, a) = (self.entity_of(&fact), self.place(&attr));
                let v = match self.random.chance(85) {
                    true => self.stored(&fact.v),
                    false => self.value(&attr),
                };
                vec![e, a, v]
            }
            _ => {
                let attr = self.any_attribute();
                vec![self.entity(), self.place(&attr), self.value(&attr)]
            }
        };
        self.list("retract", rest)
    }

    fn retract_attribute(&mut self) -> Edn {
        let rest = match self.fact() {
            Some(fact) if self.random.chance(75) => {
                let attr = self.attr_of(&fact);
                vec![self.entity_of(&fact), self.place(&attr)]
            }
            _ => {
                let attr = self.any_attribute();
                vec![self.held_entity(), self.place(&attr)]
            }
        };
        self.list("retract", rest)
    }

    fn cas(&mut self) -> Edn {
        let rest = match self.fact() {
            Some(fact) if self.random.chance(70) => {
                let attr = self.attr_of(&fact);
                let old = match self.random.chance(90) {
                    true => Edn::from(&fact.v),
                    false => self.value(&attr),
                };
                vec![
                    self.entity_of(&fact),
                    self.place(&attr),
                    old,
                    self.value(&attr),
                ]
            }
            _ => {
                let attr = self.any_attribute();
                let e = self.held_entity();
                let old = match self.random.chance(70) {
                    true => Edn::Nil,
                    false => self.value(&attr),
                };
                let new = self.value(&attr);
                vec![e, self.place(&attr), old, new]
            }
        };
        self.list("cas", rest)
    }

    fn ensure(&mut self) -> Edn {
        let e = self.entity();
        let spec = match self.random.chance(80) {
            true => Edn::keyword("s/spec"),
            false => self.reference(),
        };
        edn!("{:db/id ?e :db/ensure ?spec}", e = e, spec = spec)
    }

    fn call(&mut self) -> Edn {
        let kinds = [
            (30, "inc-attr"),
            (10, "inc-twice"),
            (30, "create-named"),
            (8, "none"),
            (8, "refuse"),
            (4, "fail"),
        ];
        let kind = self.kind(&kinds);
        self.count(kind);
        let mut rest = vec![Edn::symbol(&format!("conformance.fns/{kind}"))];
        match kind {
            "inc-attr" | "inc-twice" => {
                let e = self.known();
                let longs = self.scene.attrs.iter();
                let longs: Vec<_> = longs
                    .filter(|a| a.value_type == ValueType::Long && !a.is_many())
                    .cloned()
                    .collect();
                let Some(attr) = longs.first() else {
                    return self.add();
                };
                let by = Edn::long(self.random.below(3) as i64);
                rest.extend([e, Edn::from(attr.ident.clone()), by]);
            }
            "create-named" => {
                let attr = self.any_attribute();
                rest.extend([
                    self.tempid(),
                    Edn::from(attr.ident.clone()),
                    self.value(&attr),
                ]);
            }
            "refuse" => {
                let category = self.word(&["conflict", "incorrect"]);
                rest.push(Edn::keyword(&format!("cognitect.anomalies/{category}")));
                rest.push(Edn::string("no"));
            }
            _ => {}
        }
        vector(rest)
    }

    fn map(&mut self) -> Edn {
        let mut entries: Vec<(Edn, Edn)> = Vec::new();
        match self.random.below(50) {
            0 => self.count("map: no :db/id"),
            1 => {
                self.count("map: :db/id nil");
                entries.push((Edn::keyword("db/id"), Edn::Nil));
            }
            2 => {
                self.count("map: \":db/id\"");
                let e = self.entity();
                entries.push((Edn::string(":db/id"), e));
            }
            _ => {
                let e = self.entity();
                entries.push((Edn::keyword("db/id"), e));
            }
        }
        self.entries(&mut entries, 3);
        Edn::Map(entries)
    }

    /// Up to `most` attributes with their values.
    fn entries(&mut self, entries: &mut Vec<(Edn, Edn)>, most: usize) {
        for _ in 0..=self.random.below(most) {
            let attr = self.any_attribute();
            let (key, value) = match attr.value_type == ValueType::Ref && self.random.chance(20) {
                true => {
                    self.count("map: reverse key");
                    let name = attr.ident.as_str().replace('/', "/_");
                    let e = match self.random.chance(5) {
                        true => vector([self.known()]),
                        false => self.entity(),
                    };
                    (Edn::keyword(&name), e)
                }
                false => {
                    // A peer notices no second key where the value of the first is false.
                    let key = match attr.value_type {
                        ValueType::Boolean => Edn::from(attr.ident.clone()),
                        _ => self.place(&attr),
                    };
                    (key, self.map_value(&attr))
                }
            };
            if !entries.iter().any(|(known, _)| *known == key) {
                entries.push((key, value));
            }
        }
    }

    fn map_value(&mut self, attr: &Attribute) -> Edn {
        if attr.is_ref() && self.depth < 2 && self.random.chance(30) {
            return self.nested(attr);
        }
        let collects = if attr.is_many() { 60 } else { 3 };
        if !self.random.chance(collects) {
            return self.value(attr);
        }
        // Numbers that are equal and print otherwise are one element of a set that a peer reads.
        // Of several identities the last one counts: the order of a set's elements is its own.
        let fits_set = attr.unique.is_none()
            && !matches!(
                attr.value_type,
                ValueType::Double | ValueType::Float | ValueType::BigDec | ValueType::Tuple
            );
        let is_set = fits_set && self.random.chance(if attr.is_many() { 20 } else { 80 });
        let mut items: Vec<Edn> = Vec::new();
        for _ in 0..self.random.below(4) {
            // The order of a set's elements is its own: they are scalars here.
            let item = match attr.is_ref() && is_set {
                true => match self.fact() {
                    Some(fact) => self.entity_of(&fact),
                    None => continue,
                },
                false if is_set => self.scalar(attr.value_type),
                false => self.value(attr),
            };
            // Nor is an identity said twice: what it finds would depend on what stands between.
            let is_once = is_set || attr.unique.is_some();
            if !(is_once && items.contains(&item)) {
                items.push(item);
            }
        }
        match is_set {
            true => {
                self.count("v: set");
                Edn::Set(items)
            }
            false if self.random.chance(15) => {
                self.count("v: list");
                Edn::List(items)
            }
            false => {
                self.count("v: vector");
                Edn::Vector(items)
            }
        }
    }

    /// Nested maps: with an id, with an identity, or bare under a component.
    fn nested(&mut self, attr: &Attribute) -> Edn {
        self.count("map: nested");
        self.depth += 1;
        let mut item = || {
            let mut entries: Vec<(Edn, Edn)> = Vec::new();
            match self.random.below(10) {
                0..3 => {
                    let e = self.entity();
                    entries.push((Edn::keyword("db/id"), e));
                }
                3 => entries.push((Edn::keyword("db/id"), Edn::Nil)),
                _ => {}
            }
            if self.random.chance(50)
                && let Some(key) = self.scene.attr("f/key").cloned()
            {
                entries.push((Edn::keyword("f/key"), self.value(&key)));
            }
            if !self.random.chance(5) {
                self.entries(&mut entries, 2);
            }
            Edn::Map(entries)
        };
        let first = item();
        let form = match attr.is_many() {
            true => vector([first, item()]),
            false => first,
        };
        self.depth -= 1;
        form
    }

    /// `:db/force-partition` and `:db/match-partition`.
    fn partitions(&mut self) -> Edn {
        self.count("partition directive");
        let parts = [
            ":db.part/user",
            ":p/one",
            ":p/two",
            ":none/such",
            ":e/a",
            ":db.part/tx",
        ];
        let weights = [30, 50, 8, 3, 3, 2];
        let mut at = self.random.below(96);
        let mut part = parts[0];
        for (weight, name) in weights.iter().zip(parts) {
            if at < *weight {
                part = name;
                break;
            }
            at -= weight;
        }
        let part = datomite::read(part).expect("EDN");
        // Not matched to itself: whether that is a circle depends on what else is wrong.
        let one = self.random.below(3);
        let two = (one + 1 + self.random.below(2)) % 3;
        let (one, two) = (self.named(one), self.named(two));
        match self.random.below(12) {
            0..6 => edn!("{:db/force-partition {?t ?p}}", t = one, p = part),
            6..9 => edn!("{:db/match-partition {?t ?u}}", t = one, u = two),
            9 => {
                let known = self.known();
                edn!("{:db/match-partition {?t ?u}}", t = one, u = known)
            }
            10 => edn!(
                "{:db/force-partition {?t ?p} :db/match-partition {?u ?t}}",
                t = one,
                u = two,
                p = part
            ),
            _ => edn!("{:db/force-partition [?t ?p]}", t = one, p = part),
        }
    }

    /// What is said of the transaction itself: its instant, or an attribute of ours.
    fn about_transaction(&mut self) -> Edn {
        self.count("about the transaction");
        let last = tagged("inst-of", Edn::from(self.scene.transactions.max(1) as i64));
        let tx = Edn::string("datomic.tx");
        match self.random.below(10) {
            0..4 => edn!("{:db/id ?tx :db/txInstant ?last}", tx = tx, last = last),
            4 => edn!("[:db/add ?tx :db/txInstant #inst \"2001-01-01\"]", tx = tx),
            5 => edn!("[:db/add ?tx :db/txInstant #inst \"2222-01-01\"]", tx = tx),
            6 => {
                let n = 1 + self.random.below(self.scene.transactions.max(1));
                let earlier = tagged("tx", Edn::from(n as i64));
                edn!(
                    "[:db/add ?tx :db/txInstant ?last]",
                    tx = earlier,
                    last = last
                )
            }
            _ => {
                let attr = self.any_attribute();
                let value = self.value(&attr);
                vector([
                    Edn::keyword("db/add"),
                    tx,
                    Edn::from(attr.ident.clone()),
                    value,
                ])
            }
        }
    }
}
