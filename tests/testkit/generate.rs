//! Random schemas, transactions and queries from one seed, for the oracle and the engine alike.
//!
//! Queries are grown along facts that hold (a witness), so that most of them answer something.

use datomite::{Edn, EntityId, T, Value, ValueType};

use crate::oracle::{
    Attr, Clause, Ent, Op, Plain, Query, Term, Uniqueness, Val, View, user_keyword,
};

/// A small generator of numbers (splitmix64): the same seed gives the same case everywhere.
pub struct Random(u64);

impl Random {
    /// Begins at a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.number() % end as u64) as usize
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of the items.
    pub fn pick<'a, A>(&mut self, items: &'a [A]) -> &'a A {
        &items[self.below(items.len())]
    }
}

/// Five to eight attributes; among them always a unique identity and a reference.
pub fn schema(random: &mut Random) -> Vec<Attr> {
    let count = 5 + random.below(4);
    (0..count)
        .map(|number| {
            let value_type = match number {
                0 => *random.pick(&[ValueType::String, ValueType::Long]),
                1 => ValueType::Ref,
                _ => *random.pick(&[
                    ValueType::Long,
                    ValueType::Long,
                    ValueType::String,
                    ValueType::Ref,
                    ValueType::Boolean,
                    ValueType::Keyword,
                    ValueType::Double,
                ]),
            };
            let can_be_unique = matches!(value_type, ValueType::String | ValueType::Long);
            let unique = match number {
                0 => Uniqueness::Identity,
                _ if can_be_unique && random.chance(20) => Uniqueness::Value,
                _ => Uniqueness::None,
            };
            Attr {
                ident: user_keyword(number),
                id: EntityId::default(),
                value_type,
                many: number != 0 && random.chance(40),
                unique,
                component: value_type == ValueType::Ref && random.chance(30),
                indexed: random.chance(40),
            }
        })
        .collect()
}

/// The transaction that installs the attributes.
pub fn schema_tx(attrs: &[Attr]) -> Edn {
    let define = |attr: &Attr| {
        let mut entries = vec![
            ("ident", Edn::from(attr.ident.clone())),
            ("valueType", Edn::from(attr.value_type.ident())),
            (
                "cardinality",
                Edn::keyword(match attr.many {
                    true => "db.cardinality/many",
                    false => "db.cardinality/one",
                }),
            ),
        ];
        match attr.unique {
            Uniqueness::None => {}
            Uniqueness::Identity => entries.push(("unique", Edn::keyword("db.unique/identity"))),
            Uniqueness::Value => entries.push(("unique", Edn::keyword("db.unique/value"))),
        }
        if attr.component {
            entries.push(("isComponent", Edn::from(true)));
        }
        if attr.indexed {
            entries.push(("index", Edn::from(true)));
        }
        let entries = entries.into_iter();
        Edn::Map(
            entries
                .map(|(key, value)| (Edn::keyword(&format!("db/{key}")), value))
                .collect(),
        )
    };
    Edn::Vector(attrs.iter().map(define).collect())
}

/// A value of that type, from a handful.
pub fn scalar(random: &mut Random, value_type: ValueType) -> Value {
    let small = random.below(7);
    match value_type {
        ValueType::String => {
            Value::from(*random.pick(&["", "a", "b", "ab", "é", "\u{10ffff}", "z"]))
        }
        ValueType::Boolean => Value::from(random.chance(50)),
        ValueType::Keyword => Value::Keyword(user_keyword(small)),
        ValueType::Double => Value::from(small as f64 / 2.0 - 1.0),
        _ => Value::from(small as i64 - 2),
    }
}

/// One to five operations.
pub fn transaction(random: &mut Random, plain: &Plain) -> Vec<Op> {
    let known = plain.entities();
    let mut ops = Vec::new();
    for _ in 0..=random.below(4) {
        let op = operation(random, plain, &known);
        ops.push(op);
    }
    ops
}

fn operation(random: &mut Random, plain: &Plain, known: &[EntityId]) -> Op {
    let now = plain.now();
    let kind = random.below(100);
    if kind < 25 && !now.is_empty() {
        let fact = random.pick(&now).clone();
        let attr = plain
            .attrs
            .iter()
            .position(|attr| attr.id == fact.a)
            .unwrap_or_default();
        let e = Ent::Id(fact.e);
        let held = match &fact.v {
            Value::Ref(id) => Val::Ent(Ent::Id(*id)),
            value => Val::Value(value.clone()),
        };
        return match kind {
            0..12 => Op::Retract(e, attr, held),
            12..15 => Op::RetractAll(e, attr),
            15..19 => Op::RetractEntity(e),
            _ if plain.attrs[attr].many => Op::Retract(e, attr, held),
            _ => Op::Cas(e, attr, Some(held), value(random, plain, attr, known)),
        };
    }
    let attr = random.below(plain.attrs.len());
    let e = entity(random, plain, known);
    match random.below(20) {
        0 if !plain.attrs[attr].many && matches!(e, Ent::Id(_)) => {
            Op::Cas(e, attr, None, value(random, plain, attr, known))
        }
        _ => Op::Add(e, attr, value(random, plain, attr, known)),
    }
}

fn entity(random: &mut Random, plain: &Plain, known: &[EntityId]) -> Ent {
    match random.below(10) {
        0..4 if !known.is_empty() => Ent::Id(*random.pick(known)),
        4 => Ent::Lookup(0, scalar(random, plain.attrs[0].value_type)),
        _ => Ent::Temp((*random.pick(&["x", "y", "z"])).to_owned()),
    }
}

fn value(random: &mut Random, plain: &Plain, attr: usize, known: &[EntityId]) -> Val {
    match plain.attrs[attr].value_type {
        ValueType::Ref => Val::Ent(match known.is_empty() || random.chance(15) {
            true => Ent::Temp((*random.pick(&["x", "y", "z"])).to_owned()),
            false => Ent::Id(*random.pick(known)),
        }),
        value_type => Val::Value(scalar(random, value_type)),
    }
}

/// The operations as a user writes them; runs of assertions about one tempid may become a map.
pub fn tx_data(random: &mut Random, plain: &Plain, ops: &[Op]) -> Edn {
    let mut forms = Vec::new();
    let mut at = 0;
    while at < ops.len() {
        let run = ops[at..]
            .iter()
            .take_while(|op| joins(op, &ops[at]))
            .count();
        let mut attrs: Vec<usize> = ops[at..at + run].iter().filter_map(added_attr).collect();
        attrs.sort_unstable();
        attrs.dedup();
        if run > 0 && attrs.len() == run && random.chance(50) {
            forms.push(map_form(plain, &ops[at..at + run]));
            at += run;
        } else {
            forms.push(list_form(plain, &ops[at]));
            at += 1;
        }
    }
    Edn::Vector(forms)
}

fn added_attr(op: &Op) -> Option<usize> {
    match op {
        Op::Add(_, attr, _) => Some(*attr),
        _ => None,
    }
}

fn joins(op: &Op, first: &Op) -> bool {
    matches!((op, first), (Op::Add(e, ..), Op::Add(f, ..)) if e == f)
}

fn map_form(plain: &Plain, ops: &[Op]) -> Edn {
    let mut entries = Vec::new();
    for op in ops {
        if let Op::Add(e, attr, v) = op {
            if entries.is_empty() {
                entries.push((Edn::keyword("db/id"), ent_form(plain, e)));
            }
            entries.push((attr_form(plain, *attr), val_form(plain, v)));
        }
    }
    Edn::Map(entries)
}

fn list_form(plain: &Plain, op: &Op) -> Edn {
    let (name, e, rest) = match op {
        Op::Add(e, attr, v) => ("add", e, vec![attr_form(plain, *attr), val_form(plain, v)]),
        Op::Retract(e, attr, v) => (
            "retract",
            e,
            vec![attr_form(plain, *attr), val_form(plain, v)],
        ),
        Op::RetractAll(e, attr) => ("retract", e, vec![attr_form(plain, *attr)]),
        Op::RetractEntity(e) => ("retractEntity", e, Vec::new()),
        Op::Cas(e, attr, old, new) => {
            let old = old.as_ref().map_or(Edn::Nil, |old| val_form(plain, old));
            (
                "cas",
                e,
                vec![attr_form(plain, *attr), old, val_form(plain, new)],
            )
        }
    };
    let mut items = vec![Edn::keyword(&format!("db/{name}")), ent_form(plain, e)];
    items.extend(rest);
    Edn::Vector(items)
}

fn attr_form(plain: &Plain, attr: usize) -> Edn {
    Edn::from(plain.attrs[attr].ident.clone())
}

fn ent_form(plain: &Plain, ent: &Ent) -> Edn {
    match ent {
        Ent::Temp(name) => Edn::string(name),
        Ent::Id(id) => Edn::long(id.raw() as i64),
        Ent::Lookup(attr, value) => Edn::Vector(vec![attr_form(plain, *attr), Edn::from(value)]),
    }
}

fn val_form(plain: &Plain, val: &Val) -> Edn {
    match val {
        Val::Value(value) => Edn::from(value),
        Val::Ent(ent) => ent_form(plain, ent),
    }
}

/// A view; the present most often.
pub fn view(random: &mut Random, ts: &[T]) -> View {
    let mut view = View::default();
    if random.chance(30) {
        view.as_of = Some(*random.pick(ts));
    }
    if random.chance(15) {
        view.since = Some(*random.pick(ts));
    }
    view.history = random.chance(15);
    view
}

const VARIABLES: [&str; 6] = ["?a", "?b", "?c", "?d", "?e", "?f"];

/// One to four patterns along facts that the view shows, with now and then a `not`, an `or` or a
/// comparison.
pub fn query(random: &mut Random, plain: &Plain, view: View) -> Query {
    let facts = plain.view(view);
    let mut names: Vec<(&'static str, Value)> = Vec::new();
    let mut clauses = Vec::new();
    for at in 0..=random.below(4) {
        let near: Vec<_> = facts
            .iter()
            .filter(|fact| {
                let ends = [Value::Long(fact.e.raw() as i64), long_of(&fact.v)];
                at == 0 || names.iter().any(|(_, value)| ends.contains(value))
            })
            .collect();
        if near.is_empty() {
            break;
        }
        let fact = *random.pick(&near);
        let attr = plain
            .attrs
            .iter()
            .position(|attr| attr.id == fact.a)
            .unwrap_or_default();
        let e = term(random, Value::Long(fact.e.raw() as i64), &mut names, 5);
        let v = term(random, long_of(&fact.v), &mut names, 25);
        let tx = match random.chance(10) {
            true => term(random, Value::Long(fact.tx.raw() as i64), &mut names, 20),
            false => Term::Blank,
        };
        clauses.push(Clause::Pattern(e, attr, v, tx));
    }
    decorate(random, plain, &names, &mut clauses);
    let mut find: Vec<&'static str> = names.iter().map(|(name, _)| *name).collect();
    find.truncate(1 + random.below(3));
    if find.is_empty() {
        clauses = vec![Clause::Pattern(
            Term::Var("?a"),
            0,
            Term::Blank,
            Term::Blank,
        )];
        find = vec!["?a"];
    }
    Query { find, clauses }
}

fn decorate(
    random: &mut Random,
    plain: &Plain,
    names: &[(&'static str, Value)],
    clauses: &mut Vec<Clause>,
) {
    let longs: Vec<_> = names
        .iter()
        .filter(|(_, v)| matches!(v, Value::Long(_)))
        .collect();
    if longs.is_empty() {
        return;
    }
    let pattern = |random: &mut Random, name: &'static str| {
        let attr = random.below(plain.attrs.len());
        Clause::Pattern(Term::Var(name), attr, Term::Blank, Term::Blank)
    };
    let name = random.pick(&longs).0;
    if random.chance(15) {
        let denied = pattern(random, name);
        clauses.push(Clause::Not(vec![denied]));
    }
    if random.chance(15) {
        let branches = vec![pattern(random, name), pattern(random, name)];
        clauses.push(Clause::Or(branches));
    }
    let (name, witness) = random.pick(&longs);
    if let Value::Long(n) = witness
        && random.chance(15)
    {
        clauses.push(Clause::Less(
            name,
            Value::Long(n.saturating_add(random.below(3) as i64)),
        ));
    }
}

fn term(
    random: &mut Random,
    value: Value,
    names: &mut Vec<(&'static str, Value)>,
    constant_percent: usize,
) -> Term {
    let bound: Vec<&'static str> = names
        .iter()
        .filter(|(_, held)| *held == value)
        .map(|(name, _)| *name)
        .collect();
    if !bound.is_empty() && random.chance(85) {
        return Term::Var(bound[random.below(bound.len())]);
    }
    if random.chance(constant_percent) {
        return Term::Const(value);
    }
    match VARIABLES.get(names.len()) {
        Some(name) if random.chance(90) => {
            names.push((name, value));
            Term::Var(name)
        }
        _ => Term::Blank,
    }
}

fn long_of(value: &Value) -> Value {
    match value {
        Value::Ref(id) => Value::Long(id.raw() as i64),
        value => value.clone(),
    }
}
