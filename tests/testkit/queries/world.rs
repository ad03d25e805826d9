//! A small database with a past, in the store and as plain datoms, and the views that are taken of
//! it. Entities have labels and transactions numbers, so that everything can be written as a
//! recorded case is.

use std::collections::{BTreeMap, BTreeSet};

use datomite::{
    Connection, Datom, Db, Edn, EntityId, Index, Keyword, TimePoint, Value, ValueType, mem,
};

use crate::generate::{Random, tx_data};
use crate::oracle::{Attr, Ent, Op, Plain, Uniqueness, Val, Verdict, Who};

/// `:db/txInstant`.
const TX_INSTANT: EntityId = EntityId::new(50);
/// Words of the full-text attribute.
pub const WORDS: [&str; 5] = ["red", "green", "blue", "round", "flat"];
/// Idents of the entities that stand for kinds.
pub const KINDS: [&str; 3] = ["e/a", "e/b", "e/c"];

/// A view of the database: the stages in this order.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct View {
    /// Speculative operations, which must be accepted.
    pub with: Option<Vec<Op>>,
    /// The number of a transaction.
    pub as_of: Option<usize>,
    /// The number of a transaction.
    pub since: Option<usize>,
    /// Every datom of the window.
    pub history: bool,
    /// Without the datoms of this attribute.
    pub without: Option<usize>,
}

/// What a view shows.
pub struct Shown {
    /// The store's database.
    pub db: Db,
    /// The oracle's datoms by attribute.
    pub facts: BTreeMap<EntityId, Vec<Datom>>,
    /// Whether retractions are among them.
    pub history: bool,
    /// The stages as a recorded case writes them.
    pub stages: Edn,
}

/// A store and its datoms.
pub struct World {
    /// The store.
    pub conn: Connection,
    /// The datoms of the users' attributes.
    pub plain: Plain,
    /// What the store held before the first of them, and the instants of transactions.
    given: Vec<Datom>,
    /// The transactions; number 1 is the schema.
    pub txs: Vec<EntityId>,
    /// What each transaction was told, with tags for ids.
    pub told: Vec<Edn>,
    /// The operations of each transaction after the schema.
    history: Vec<Vec<Op>>,
    /// Entities by label.
    pub labels: BTreeMap<EntityId, String>,
    /// All idents.
    pub idents: BTreeMap<Keyword, EntityId>,
}

impl World {
    /// A database of 5 to 9 entities and a few transactions.
    pub fn random(random: &mut Random) -> World {
        let attrs = schema(random);
        let schema = schema_tx(&attrs);
        let mut world = World::begin(mem(), attrs, &schema);
        // A few are larger, so that reading by key is worth it somewhere.
        let size = if random.chance(12) {
            20
        } else {
            5 + random.below(5)
        };
        let names: Vec<String> = (0..size).map(|n| format!("e{n}")).collect();
        let count = 3 * names.len();
        world.step(random, &names, count);
        for _ in 0..2 + random.below(4) {
            let count = 1 + random.below(5);
            world.step(random, &[], count);
        }
        world
    }

    /// A database with that schema.
    pub fn begin(conn: Connection, attrs: Vec<Attr>, schema: &Edn) -> World {
        let report = conn
            .transact(schema.clone())
            .expect("the schema is installed");
        let db = report.db_after;
        let id = |ident: &Keyword| {
            let ident = Edn::from(ident.clone());
            db.entid(&ident).expect("a read").expect("an attribute")
        };
        let attrs = attrs.into_iter().map(|attr| Attr {
            id: id(&attr.ident),
            ..attr
        });
        let plain = Plain {
            attrs: attrs.collect(),
            datoms: Vec::new(),
        };
        let given = db.history().datoms(Index::Eavt, &[]).expect("a read");
        let given: Vec<Datom> = given.map(|datom| datom.expect("a read")).collect();
        let idents = given.iter().filter_map(|datom| match &datom.v {
            Value::Keyword(name) if datom.a.raw() == 10 => Some((name.clone(), datom.e)),
            _ => None,
        });
        World {
            idents: idents.collect(),
            txs: vec![db.basis_t().tx()],
            told: vec![schema.clone()],
            history: Vec::new(),
            labels: BTreeMap::new(),
            conn,
            plain,
            given,
        }
    }

    /// A transaction of operations that the oracle accepts, over new entities or those there are.
    fn step(&mut self, random: &mut Random, new: &[String], count: usize) {
        let known = self.plain.entities();
        let mut ops: Vec<Op> = Vec::new();
        for _ in 0..count {
            let op = match new {
                [] => self.later_op(random, &known),
                names => {
                    let e = Ent::Temp(random.pick(names).clone());
                    let attr = random.below(self.plain.attrs.len());
                    Op::Add(e, attr, self.value(random, attr, &known, names))
                }
            };
            ops.push(op);
            if !self.is_accepted(&ops) {
                ops.pop();
            }
        }
        self.tell(&ops)
            .unwrap_or_else(|| panic!("refused: {ops:?}"));
    }

    /// Whether the operations are accepted and name no entity twice.
    fn is_accepted(&self, ops: &[Op]) -> bool {
        match self.plain.predict(ops) {
            Verdict::Accepted(predicted) => {
                let values = predicted.tempids.values();
                values.copied().collect::<BTreeSet<Who>>().len() == predicted.tempids.len()
                    && predicted
                        .tempids
                        .values()
                        .all(|who| matches!(who, Who::New(_)))
            }
            _ => false,
        }
    }

    fn later_op(&self, random: &mut Random, known: &[EntityId]) -> Op {
        let now = self.plain.now();
        if !now.is_empty() && random.chance(40) {
            let fact = random.pick(&now);
            let attr = self.attr_at(fact.a);
            let held = match &fact.v {
                Value::Ref(id) => Val::Ent(Ent::Id(*id)),
                value => Val::Value(value.clone()),
            };
            return match random.below(8) {
                0 => Op::RetractEntity(Ent::Id(fact.e)),
                1 => Op::RetractAll(Ent::Id(fact.e), attr),
                _ => Op::Retract(Ent::Id(fact.e), attr, held),
            };
        }
        let attr = random.below(self.plain.attrs.len());
        let e = match known.is_empty() {
            true => Ent::Temp(format!("n{}", self.txs.len())),
            false => Ent::Id(*random.pick(known)),
        };
        Op::Add(e, attr, self.value(random, attr, known, &[]))
    }

    fn attr_at(&self, id: EntityId) -> usize {
        let at = self.plain.attrs.iter().position(|attr| attr.id == id);
        at.expect("an attribute of the world")
    }

    fn value(&self, random: &mut Random, attr: usize, known: &[EntityId], new: &[String]) -> Val {
        let attr = &self.plain.attrs[attr];
        if attr.value_type != ValueType::Ref {
            return Val::Value(scalar(random, attr));
        }
        let kind = attr.ident.as_str() == "p/kind" || (known.is_empty() && new.is_empty());
        Val::Ent(match kind {
            true => Ent::Id(self.idents[&Keyword::parse(random.pick::<&str>(&KINDS))]),
            false if known.is_empty() => Ent::Temp(random.pick(new).clone()),
            false => Ent::Id(*random.pick(known)),
        })
    }

    fn tell(&mut self, ops: &[Op]) -> Option<()> {
        let Verdict::Accepted(predicted) = self.plain.predict(ops) else {
            return None;
        };
        let mut random = Random::new(self.txs.len() as u64);
        let data = tx_data(&mut random, &self.plain, ops);
        let report = self.conn.transact(data.clone());
        let report = report.ok()?;
        let tx = report.db_after.basis_t().tx();
        let mut new = BTreeMap::new();
        for (name, who) in &predicted.tempids {
            if let (Who::New(n), Some(id)) = (who, report.tempids.get(&Edn::string(name))) {
                new.insert(*n, *id);
                self.labels.insert(*id, name.clone());
            }
        }
        let bound = predicted
            .changes
            .iter()
            .map(|c| c.bind(&self.plain, tx, &new));
        let bound: Vec<Datom> = bound.collect();
        self.plain.datoms.extend(bound);
        self.given.extend(
            report
                .tx_data
                .into_iter()
                .filter(|datom| datom.a == TX_INSTANT),
        );
        self.txs.push(tx);
        let told = self.tagged(&data);
        self.told.push(told);
        self.history.push(ops.to_vec());
        Some(())
    }

    /// The same world with one operation less, where its entities keep their ids.
    pub fn cuts(&self) -> impl Iterator<Item = World> + '_ {
        let places = self.history.iter().enumerate();
        let places = places.flat_map(|(tx, ops)| (0..ops.len()).map(move |op| (tx, op)));
        places.filter_map(|(tx, op)| {
            let mut history = self.history.clone();
            history[tx].remove(op);
            let world = self.again(&history)?;
            (world.txs == self.txs
                && world
                    .labels
                    .iter()
                    .all(|(id, label)| self.labels.get(id) == Some(label)))
            .then_some(world)
        })
    }

    fn again(&self, history: &[Vec<Op>]) -> Option<World> {
        let mut world = World::begin(mem(), self.plain.attrs.clone(), &self.told[0]);
        for ops in history {
            world.tell(ops)?;
        }
        Some(world)
    }

    /// A view, the present most often.
    pub fn random_view(&self, random: &mut Random) -> View {
        let mut view = View::default();
        let count = self.txs.len();
        if random.chance(12) {
            let known = self.plain.entities();
            let mut ops = Vec::new();
            for _ in 0..1 + random.below(4) {
                if !known.is_empty() {
                    ops.push(self.later_op(random, &known));
                }
                if !self.is_accepted(&ops) {
                    ops.pop();
                }
            }
            view.with = (!ops.is_empty()).then_some(ops);
        }
        if random.chance(15) {
            view.as_of = Some(2 + random.below(count - 1));
        }
        if random.chance(8) {
            view.since = Some(1 + random.below(2));
        }
        view.history = random.chance(12);
        if random.chance(8) {
            view.without = Some(random.below(self.plain.attrs.len()));
        }
        view
    }

    /// The view of the store and of the oracle.
    pub fn show(&self, view: &View) -> Shown {
        let mut random = Random::new(7);
        let mut db = self.conn.db();
        let mut stages = Vec::new();
        let stage = |name: &str, arg: Edn| Edn::Vector(vec![Edn::keyword(name), arg]);
        let mut extra: Vec<Datom> = Vec::new();
        if let Some(ops) = &view.with {
            let data = tx_data(&mut random, &self.plain, ops);
            stages.push(stage("with", self.tagged(&data)));
            let report = db
                .with(data.clone())
                .unwrap_or_else(|e| panic!("{data}: {e}"));
            db = report.db_after;
            let tx = db.basis_t().tx();
            if let Verdict::Accepted(predicted) = self.plain.predict(ops) {
                let changes = predicted.changes.iter();
                extra.extend(changes.map(|c| c.bind(&self.plain, tx, &BTreeMap::new())));
            }
            extra.extend(
                report
                    .tx_data
                    .into_iter()
                    .filter(|datom| datom.a == TX_INSTANT),
            );
        }
        let tx_of = |number: usize| self.txs[number - 1];
        if let Some(number) = view.as_of {
            stages.push(stage(
                "as-of",
                self.tag_of(tx_of(number)).expect("a transaction"),
            ));
            db = db
                .as_of(TimePoint::Tx(tx_of(number)))
                .expect("a transaction");
        }
        if let Some(number) = view.since {
            stages.push(stage(
                "since",
                self.tag_of(tx_of(number)).expect("a transaction"),
            ));
            db = db
                .since(TimePoint::Tx(tx_of(number)))
                .expect("a transaction");
        }
        if view.history {
            stages.push(Edn::Vector(vec![Edn::keyword("history")]));
            db = db.history();
        }
        if let Some(attr) = view.without {
            let attr = &self.plain.attrs[attr];
            stages.push(stage("without-attr", Edn::from(attr.ident.clone())));
            let dropped = attr.id;
            db = db.filter(move |_, datom| datom.a != dropped);
        }
        let facts = self.facts(view, &extra);
        Shown {
            db,
            facts,
            history: view.history,
            stages: Edn::Vector(stages),
        }
    }

    fn facts(&self, view: &View, extra: &[Datom]) -> BTreeMap<EntityId, Vec<Datom>> {
        let tx_of = |number: usize| self.txs[number - 1];
        let all = self.given.iter().chain(&self.plain.datoms).chain(extra);
        let window = all.filter(|datom| {
            view.as_of.is_none_or(|n| datom.tx <= tx_of(n))
                && view.since.is_none_or(|n| datom.tx > tx_of(n))
        });
        let mut kept: BTreeMap<EntityId, Vec<Datom>> = BTreeMap::new();
        for datom in window {
            let of = kept.entry(datom.a).or_default();
            if !view.history {
                of.retain(|other| other.e != datom.e || other.v != datom.v);
            }
            if view.history || datom.added {
                of.push(datom.clone());
            }
        }
        if let Some(attr) = view.without {
            kept.remove(&self.plain.attrs[attr].id);
        }
        kept
    }

    /// The datoms of a transaction in the log.
    pub fn told_in(&self, tx: &Edn) -> Vec<Datom> {
        let tx = tx.as_long().map(|id| EntityId::new(id as u64));
        let tx = tx.filter(|tx| self.txs.contains(tx));
        let own = |datom: &&Datom| Some(datom.tx) == tx;
        self.given
            .iter()
            .chain(&self.plain.datoms)
            .filter(own)
            .cloned()
            .collect()
    }

    /// The tag that a recorded case has for an id.
    pub fn tag_of(&self, id: EntityId) -> Option<Edn> {
        let tagged = |tag: &str, form: Edn| Edn::Tagged(tag.into(), Box::new(form));
        if let Some(at) = self.txs.iter().position(|tx| *tx == id) {
            return Some(tagged("tx", Edn::long(at as i64 + 1)));
        }
        if let Some(label) = self.labels.get(&id) {
            return Some(tagged("id", Edn::string(label)));
        }
        let attr = self
            .idents
            .iter()
            .find(|(_, known)| **known == id && id.raw() > 71);
        attr.map(|(ident, _)| tagged("id", Edn::from(ident.clone())))
    }

    /// The form with tags in the place of ids.
    pub fn tagged(&self, form: &Edn) -> Edn {
        let all = |items: &[Edn]| items.iter().map(|item| self.tagged(item)).collect();
        match form {
            Edn::Value(Value::Long(n)) if *n > 71 => {
                let tag = self.tag_of(EntityId::new(*n as u64));
                tag.unwrap_or_else(|| form.clone())
            }
            Edn::List(items) => Edn::List(all(items)),
            Edn::Vector(items) => Edn::Vector(all(items)),
            Edn::Set(items) => Edn::Set(all(items)),
            Edn::Map(entries) => {
                let both = |(k, v): &(Edn, Edn)| (self.tagged(k), self.tagged(v));
                Edn::Map(entries.iter().map(both).collect())
            }
            other => other.clone(),
        }
    }
}

/// The attributes that always are there, and some of the others.
fn schema(random: &mut Random) -> Vec<Attr> {
    let all = [
        ("p/id", ValueType::Long),
        ("p/ref", ValueType::Ref),
        ("p/refs", ValueType::Ref),
        ("p/n", ValueType::Long),
        ("p/s", ValueType::String),
        ("p/ns", ValueType::Long),
        ("p/kind", ValueType::Ref),
        ("p/text", ValueType::String),
        ("p/key", ValueType::String),
        ("p/k", ValueType::Keyword),
        ("p/d", ValueType::Double),
        ("p/b", ValueType::Boolean),
        ("p/at", ValueType::Instant),
        ("p/pair", ValueType::Tuple),
        ("p/big", ValueType::BigInt),
        ("p/ds", ValueType::Double),
    ];
    let mut attrs = Vec::new();
    for (at, (name, value_type)) in all.into_iter().enumerate() {
        if at >= 4 && random.chance(35) {
            continue;
        }
        attrs.push(Attr {
            ident: Keyword::parse(name),
            id: EntityId::default(),
            value_type,
            many: name.ends_with('s') && name != "p/s",
            unique: match name {
                "p/id" => Uniqueness::Identity,
                "p/key" => Uniqueness::Value,
                _ => Uniqueness::None,
            },
            component: name == "p/ref" && random.chance(20),
            indexed: random.chance(50),
        });
    }
    attrs
}

fn schema_tx(attrs: &[Attr]) -> Edn {
    let pair = |key: &str, value: Edn| (Edn::keyword(&format!("db/{key}")), value);
    let define = |attr: &Attr| {
        let many = if attr.many { "many" } else { "one" };
        let mut entries = vec![
            pair("ident", Edn::from(attr.ident.clone())),
            pair("valueType", Edn::from(attr.value_type.ident())),
            pair(
                "cardinality",
                Edn::keyword(&format!("db.cardinality/{many}")),
            ),
        ];
        match attr.unique {
            Uniqueness::None => {}
            Uniqueness::Identity => {
                entries.push(pair("unique", Edn::keyword("db.unique/identity")));
            }
            Uniqueness::Value => entries.push(pair("unique", Edn::keyword("db.unique/value"))),
        }
        if attr.component {
            entries.push(pair("isComponent", Edn::from(true)));
        }
        if attr.indexed {
            entries.push(pair("index", Edn::from(true)));
        }
        if attr.ident.as_str() == "p/text" {
            entries.push(pair("fulltext", Edn::from(true)));
        }
        if attr.value_type == ValueType::Tuple {
            let types = ["db.type/long", "db.type/string"]
                .map(Edn::keyword)
                .to_vec();
            entries.push(pair("tupleTypes", Edn::Vector(types)));
        }
        Edn::Map(entries)
    };
    let kinds = KINDS.map(|kind| Edn::Map(vec![pair("ident", Edn::keyword(kind))]));
    Edn::Vector(attrs.iter().map(define).chain(kinds).collect())
}

/// A value of an attribute, from a handful.
pub fn scalar(random: &mut Random, attr: &Attr) -> Value {
    let small = random.below(6);
    match attr.value_type {
        ValueType::String if attr.ident.as_str() == "p/text" => {
            let words = [*random.pick(&WORDS), *random.pick(&WORDS)];
            Value::from(words[..1 + small % 2].join(" ").as_str())
        }
        ValueType::String if attr.ident.as_str() == "p/key" => {
            Value::from(format!("k{}", random.below(12)).as_str())
        }
        ValueType::String => Value::from(*random.pick(&["", "a", "b", "ab", "é", "z"])),
        ValueType::Boolean => Value::from(random.chance(50)),
        ValueType::Keyword => Value::Keyword(Keyword::parse(["k/a", "k/b", "c"][small % 3])),
        ValueType::Double => Value::from(small as f64 / 2.0 - 1.0),
        ValueType::Instant => Value::Instant(datomite::Instant::from_ms(small as i64 * 86_400_000)),
        // No number of the longs: a long and a bigint join, and are two values of a set.
        ValueType::BigInt => Value::BigInt(std::sync::Arc::new((small as i64 + 100).into())),
        ValueType::Tuple => {
            let first = (small > 0).then(|| Value::from(small as i64));
            let second = Value::from(*random.pick(&["a", "b"]));
            Value::Tuple(vec![first, Some(second)].into())
        }
        _ if attr.unique == Uniqueness::Identity => Value::from(random.below(30) as i64),
        _ => Value::from(small as i64 - 1),
    }
}
