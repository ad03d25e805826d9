//! Values from a handful of each type, so that they collide; and values that are wrong.

use datomite::{Edn, EntityId, TupleKind, Value, ValueType};

use super::Writer;

/// Texts of values by type; read as EDN.
fn texts(value_type: ValueType) -> &'static [&'static str] {
    match value_type {
        ValueType::String => &[
            "\"\"",
            "\"a\"",
            "\"b\"",
            "\"ab\"",
            "\"é\"",
            "\":e/a\"",
            "\"abcdefg\"",
        ],
        ValueType::Boolean => &["true", "false"],
        // No -1: a peer takes it for its own mark where an attribute becomes unique.
        ValueType::Long => &["-3", "0", "1", "2", "3", "4", "5", "72", "1000"],
        ValueType::BigInt => &["-3N", "0N", "1N", "2N", "123456789012345678901N"],
        ValueType::Double => &["0.0", "-0.0", "0.5", "1.0", "1.5", "-2.0", "1.0E10"],
        ValueType::Float => &["#float 0.5", "1.5", "#float -3.0", "2.0", "#float 0.0"],
        // Of equal decimals of several scales a peer knows the last one alone.
        ValueType::BigDec => &["1M", "2.50M", "1.5M", "-2M", "0M"],
        ValueType::Instant => &[
            "#inst \"2020-01-01T00:00:00.000-00:00\"",
            "#inst \"1969-12-31T23:59:59.999-00:00\"",
        ],
        ValueType::Keyword => &[":k/a", ":k/b", ":c", "\":k/a\"", "k/a", ":e/a"],
        ValueType::Symbol => &["s/a", "s/b", "c"],
        ValueType::Uuid => &[
            "#uuid \"00000000-0000-0000-0000-000000000001\"",
            "#uuid \"f0000000-0000-0000-0000-000000000001\"",
        ],
        ValueType::Uri => &["#uri \"http://x.org/a\"", "#uri \"http://x.org/b\""],
        ValueType::Bytes => &["#bytes \"00ff\"", "#bytes \"01\""],
        _ => &["1"],
    }
}

/// Forms that are no value of hardly any type.
const STRANGE: [&str; 9] = [
    "nil", "[]", "{}", "\"\"", "1.5", "7N", ":k/none", "#{}", "(1 2)",
];

fn read(text: &str) -> Edn {
    datomite::read(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

impl Writer<'_> {
    /// A scalar of that type.
    pub(super) fn scalar(&mut self, value_type: ValueType) -> Edn {
        read(self.word(texts(value_type)))
    }

    /// A value that is most likely wrong for any attribute.
    pub(super) fn strange(&mut self) -> Edn {
        self.count("v: wrong type or nil");
        if self.random.chance(40) {
            let other = *self.random.pick(&[
                ValueType::String,
                ValueType::Long,
                ValueType::Double,
                ValueType::BigDec,
                ValueType::Keyword,
                ValueType::Instant,
                ValueType::Boolean,
            ]);
            return self.scalar(other);
        }
        read(self.word(&STRANGE))
    }

    /// A tuple of that kind: a vector, now and then with nil, a slot too many or a wrong one.
    pub(super) fn tuple(&mut self, kind: &TupleKind) -> Edn {
        let types: Vec<ValueType> = match kind {
            TupleKind::Homogeneous(value_type) => vec![*value_type; 2 + self.random.below(2)],
            TupleKind::Heterogeneous(types) => types.clone(),
            TupleKind::Composite(parts) => {
                let attrs = &self.scene.attrs;
                let part = |id: &EntityId| attrs.iter().find(|attr| attr.id == *id);
                let types = parts.iter().filter_map(part).map(|attr| attr.value_type);
                types.collect()
            }
        };
        let mut slots: Vec<Edn> = Vec::new();
        for value_type in types {
            slots.push(match self.random.below(20) {
                0..2 => Edn::Nil,
                2 => self.strange(),
                // No `#db/id`: a peer takes it for a collection there.
                3..5 if value_type == ValueType::Ref => {
                    let n = self.random.below(3);
                    self.named(n)
                }
                _ if value_type == ValueType::Ref => self.known(),
                _ => self.scalar(value_type),
            });
        }
        match self.random.below(25) {
            0 => slots.push(Edn::long(1)),
            1 => drop(slots.pop()),
            2 => return Edn::List(slots),
            _ => {}
        }
        self.count("v: tuple");
        Edn::Vector(slots)
    }

    /// A stored value as it is written again.
    pub(super) fn stored(&mut self, value: &Value) -> Edn {
        match value {
            Value::Ref(id) => match self.scene.label(*id) {
                Some(label) => label,
                None => Edn::from(value),
            },
            value => Edn::from(value),
        }
    }
}
