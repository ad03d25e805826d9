//! The places of a fact: entity, attribute and value, in every way to write them.

use std::sync::Arc;

use datomite::{Attribute, Edn, Unique, ValueType};

use super::{Writer, tagged, vector};

impl Writer<'_> {
    /// The n-th string tempid of this transaction.
    pub(super) fn named(&self, n: usize) -> Edn {
        Edn::string(&format!(
            "t{}{}",
            self.number,
            ["a", "b", "c", "d", "e"][n % 5]
        ))
    }

    /// A tempid.
    pub(super) fn tempid(&mut self) -> Edn {
        let kinds = [
            (80, "tempid: string"),
            (5, "tempid: negative"),
            (5, "tempid: #db/id with number"),
            (2, "tempid: #db/id alone"),
            (3, "tempid: datomic.tx"),
            (1, "tempid: #db/id of the transaction"),
        ];
        let kind = self.kind(&kinds);
        self.count(kind);
        match kind {
            "tempid: string" => {
                let n = self.random.below(3);
                self.named(n)
            }
            "tempid: negative" => Edn::long(-1 - self.random.below(2) as i64),
            "tempid: #db/id with number" => {
                // Other numbers than those that stand alone: a case knows both by their number.
                let n = Edn::long(-3 - self.random.below(2) as i64);
                tagged("db/id", vector([Edn::keyword("db.part/user"), n]))
            }
            "tempid: #db/id alone" => tagged("db/id", vector([Edn::keyword("db.part/user")])),
            "tempid: #db/id of the transaction" => {
                tagged("db/id", vector([Edn::keyword("db.part/tx")]))
            }
            _ => Edn::string("datomic.tx"),
        }
    }

    /// An entity that exists, as far as the generator knows.
    pub(super) fn known(&mut self) -> Edn {
        let kinds = [
            (60, "e: id"),
            (25, "e: lookup ref"),
            (8, "e: ident"),
            (2, "e: \":ident\""),
        ];
        let kind = self.kind(&kinds);
        match kind {
            "e: id" if !self.scene.labels.is_empty() => {
                self.count(kind);
                let (label, _) = self.random.pick(&self.scene.labels);
                tagged("id", Edn::string(label))
            }
            "e: ident" | "e: \":ident\"" if !self.scene.idents.is_empty() => {
                self.count(kind);
                let ident = self.random.pick(&self.scene.idents).clone();
                match kind {
                    "e: ident" => Edn::from(ident),
                    _ => Edn::string(&ident.to_string()),
                }
            }
            _ => self.lookup_ref(),
        }
    }

    /// A lookup ref: most often one that finds something.
    fn lookup_ref(&mut self) -> Edn {
        self.count("e: lookup ref");
        let unique = |a: &&Arc<Attribute>| a.unique.is_some() && a.value_type != ValueType::Ref;
        let unique: Vec<_> = self.scene.attrs.iter().filter(unique).cloned().collect();
        let held = |a: &Attribute| self.scene.facts.iter().filter(|f| f.a == a.id).count() > 0;
        let held: Vec<_> = unique.iter().filter(|attr| held(attr)).cloned().collect();
        if held.is_empty() || self.random.chance(6) {
            let Some(attr) = unique.first() else {
                return self.tempid();
            };
            let value = self.plain_value(attr);
            return vector([Edn::from(attr.ident.clone()), value]);
        }
        let attr = self.random.pick(&held).clone();
        let facts: Vec<_> = self.scene.facts.iter().filter(|f| f.a == attr.id).collect();
        let value = Edn::from(&self.random.pick(&facts).v);
        vector([self.attribute(&attr), value])
    }

    /// An entity that is wrong in most places.
    pub(super) fn nobody(&mut self) -> Edn {
        self.count("e: wrong");
        let attr = self.random.pick(&self.scene.attrs).clone();
        let ident = Edn::from(attr.ident.clone());
        match self.random.below(14) {
            0 => Edn::long(999_999_999_999),
            1 => Edn::long(17_592_186_144_416),
            2 => Edn::Nil,
            3 => Edn::Value(datomite::Value::Double(1.5)),
            4 => Edn::keyword("none/such"),
            5 => vector([ident]),
            6 => vector([ident, Edn::long(1), Edn::long(2)]),
            7 => vector([ident, Edn::Nil]),
            8 => vector([Edn::keyword("none/such"), Edn::long(1)]),
            9 => vector([ident, self.named(0)]),
            10 => Edn::from(true),
            11 => ident,
            // Of the entities that every database has only this one: a peer guards facts of some
            // others even where they are not there.
            12 => Edn::long(0),
            _ => {
                let n = 1 + self.random.below(self.scene.transactions.max(1));
                tagged("tx", Edn::from(n as i64))
            }
        }
    }

    /// An entity where a fact is about it.
    pub(super) fn entity(&mut self) -> Edn {
        match self.random.below(100) {
            0..4 => self.nobody(),
            4..55 => self.known(),
            _ => self.tempid(),
        }
    }

    /// An entity where one of the database is needed.
    pub(super) fn held_entity(&mut self) -> Edn {
        match self.random.below(100) {
            0..6 => self.nobody(),
            6..10 => self.tempid(),
            _ => self.known(),
        }
    }

    /// An entity where a fact refers to it.
    pub(super) fn reference(&mut self) -> Edn {
        match self.random.below(100) {
            0..4 => self.nobody(),
            4..75 => self.known(),
            _ => self.tempid(),
        }
    }

    /// An attribute of ours.
    pub(super) fn any_attribute(&mut self) -> Arc<Attribute> {
        self.random.pick(&self.scene.attrs).clone()
    }

    /// The attribute, written in one of its ways.
    pub(super) fn attribute(&mut self, attr: &Attribute) -> Edn {
        let ident = Edn::from(attr.ident.clone());
        match self.random.below(60) {
            0 => {
                self.count("a: \":ident\"");
                Edn::string(&attr.ident.to_string())
            }
            1 => {
                self.count("a: symbol");
                Edn::symbol(&attr.ident.as_str().replace(':', ""))
            }
            2 => {
                self.count("a: id");
                tagged("id", ident)
            }
            _ => ident,
        }
    }

    /// The attribute in a list form or as a map's key; seldom something that is none.
    pub(super) fn place(&mut self, attr: &Attribute) -> Edn {
        match self.random.below(150) {
            0 => {
                self.count("a: lookup ref");
                vector([Edn::keyword("db/ident"), Edn::from(attr.ident.clone())])
            }
            1 => {
                self.count("a: unknown");
                Edn::keyword("none/such")
            }
            2 => {
                self.count("a: no attribute");
                let idents = &self.scene.idents;
                idents
                    .first()
                    .map_or(Edn::long(0), |i| Edn::from(i.clone()))
            }
            3 => {
                self.count("a: no keyword");
                Edn::string("text")
            }
            4 if !self.scene.old_idents.is_empty() => {
                self.count("a: old ident");
                Edn::from(self.random.pick(&self.scene.old_idents).clone())
            }
            _ => self.attribute(attr),
        }
    }

    /// A value of the attribute that is no entity map.
    pub(super) fn plain_value(&mut self, attr: &Attribute) -> Edn {
        match (attr.value_type, &attr.tuple) {
            (ValueType::Ref, _) => self.reference(),
            (ValueType::Tuple, Some(kind)) => self.tuple(&kind.clone()),
            (value_type, _) => self.scalar(value_type),
        }
    }

    /// A value of the attribute: often one that it holds somewhere.
    pub(super) fn value(&mut self, attr: &Attribute) -> Edn {
        if self.random.chance(3) {
            return self.strange();
        }
        let facts: Vec<_> = self.scene.facts.iter().filter(|f| f.a == attr.id).collect();
        let often = if attr.unique == Some(Unique::Identity) {
            35
        } else {
            15
        };
        if !facts.is_empty() && self.random.chance(often) {
            let value = self.random.pick(&facts).v.clone();
            return self.stored(&value);
        }
        self.plain_value(attr)
    }
}
