//! Random reads of a world, and how they stand in a file of cases.

use datomite::{Edn, Index, edn};

use super::world::{FIXTURE, KINDS, REFERENCES, World, label, scalars, tagged};
use crate::generate::Random;

/// What part of the world's past is read.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Sight {
    /// Numbers of transactions, as `#tx` counts them.
    pub as_of: Option<usize>,
    /// As `as_of`.
    pub since: Option<usize>,
    /// Retractions too.
    pub history: bool,
    /// An attribute that a filter drops.
    pub without: Option<String>,
}

/// One read.
#[derive(Clone, PartialEq, Debug)]
pub enum Ask {
    /// A pull.
    Pull {
        /// Of what.
        pattern: Edn,
        /// Of whom.
        entity: Edn,
    },
    /// `datoms` and its like.
    Walk {
        /// How.
        way: Way,
        /// Where.
        index: Index,
        /// From where.
        components: Vec<Edn>,
    },
    /// `index-range`.
    Range {
        /// Of what.
        attribute: Edn,
        /// From here.
        start: Edn,
        /// Up to here.
        end: Edn,
    },
    /// The keys of an entity of the entity API.
    Keys {
        /// Which.
        entity: Edn,
    },
}

/// How an index is walked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// What begins with the components.
    Exactly,
    /// From them to the end.
    Onwards,
    /// From them to the start.
    Backwards,
}

impl Way {
    fn step(self) -> &'static str {
        match self {
            Way::Exactly => "datoms",
            Way::Onwards => "seek-datoms",
            Way::Backwards => "rseek-datoms",
        }
    }
}

/// A read and what it reads.
#[derive(Clone, PartialEq, Debug)]
pub struct Read {
    /// Of what part of the past.
    pub sight: Sight,
    /// What is asked.
    pub ask: Ask,
}

impl Read {
    /// As a step of a case.
    pub fn step(&self) -> Edn {
        let mut entries = match &self.ask {
            Ask::Pull { pattern, entity } => {
                vec![("pull", pattern.clone()), ("eid", entity.clone())]
            }
            Ask::Walk {
                way,
                index,
                components,
            } => vec![
                (way.step(), Edn::keyword(&index.to_string())),
                ("components", Edn::Vector(components.clone())),
                ("ordered", Edn::from(true)),
            ],
            Ask::Range {
                attribute,
                start,
                end,
            } => vec![
                ("index-range", attribute.clone()),
                ("start", start.clone()),
                ("end", end.clone()),
                ("ordered", Edn::from(true)),
            ],
            Ask::Keys { entity } => vec![("entity-keys", entity.clone())],
        };
        entries.push(("db", Edn::Vector(self.sight.stages())));
        let entries = entries.into_iter();
        Edn::Map(
            entries
                .map(|(key, value)| (Edn::keyword(key), value))
                .collect(),
        )
    }
}

impl Sight {
    fn stages(&self) -> Vec<Edn> {
        let tx = |n: usize| tagged("tx", Edn::from(n as i64));
        let mut stages = Vec::new();
        stages.extend(self.as_of.map(|n| edn!("[:as-of ?tx]", tx = tx(n))));
        stages.extend(self.since.map(|n| edn!("[:since ?tx]", tx = tx(n))));
        stages.extend(self.history.then(|| edn!("[:history]")));
        let without = self.without.as_ref().map(|name| Edn::keyword(name));
        stages.extend(without.map(|name| edn!("[:without-attr ?a]", a = name)));
        stages
    }
}

/// A read of a world.
pub fn read(random: &mut Random, world: &World) -> Read {
    let ask = match random.below(100) {
        0..65 => Ask::Pull {
            pattern: pattern(random, world, 0),
            entity: entity(random, world),
        },
        65..85 => walk(random, world),
        85..93 => range(random, world),
        _ => Ask::Keys {
            entity: entity(random, world),
        },
    };
    let may_be_history = matches!(ask, Ask::Walk { .. } | Ask::Range { .. });
    Read {
        sight: sight(random, world, may_be_history),
        ask,
    }
}

fn sight(random: &mut Random, world: &World, may_be_history: bool) -> Sight {
    let count = world.player.transactions();
    // The first transaction installs the attributes; few reads begin there.
    let mut tx = |percent| {
        random
            .chance(percent)
            .then(|| count - random.below(count - 1))
    };
    let (as_of, since) = (tx(25), tx(10));
    let names = [world.names(false), world.names(true)].concat();
    Sight {
        as_of,
        since,
        history: may_be_history && random.chance(30),
        without: random.chance(10).then(|| random.pick(&names).clone()),
    }
}

fn entity(random: &mut Random, world: &World) -> Edn {
    let n = *random.pick(&world.known);
    match random.below(20) {
        0..13 => label(n),
        13..17 => edn!(
            "[:r/name ?n]",
            n = Edn::from(format!("n{}", n + random.below(2)))
        ),
        17 | 18 => Edn::keyword(KINDS[random.below(KINDS.len())]),
        _ => edn!("[:r/name nil]"),
    }
}

/// A pattern; no attribute twice on a level, deeper levels smaller.
pub fn pattern(random: &mut Random, world: &World, depth: usize) -> Edn {
    let mut items = Vec::new();
    if random.chance(25) {
        items.push(Edn::symbol("*"));
    }
    if random.chance(45) {
        items.push(Edn::keyword("db/id"));
    }
    let mut used: Vec<String> = Vec::new();
    for _ in 0..1 + random.below(5usize.saturating_sub(depth)) {
        let (name, is_reference) = attribute(random, world);
        if used.contains(&name) {
            continue;
        }
        used.push(name.clone());
        let key = options(random, Edn::keyword(&name));
        let sub = match is_reference && depth < 3 && random.chance(60) {
            false => None,
            true => Some(match random.below(10) {
                0..5 => pattern(random, world, depth + 1),
                5..8 => Edn::symbol("..."),
                _ => Edn::long(1 + random.below(3) as i64),
            }),
        };
        items.push(match sub {
            Some(sub) => Edn::Map(vec![(key, sub)]),
            None => key,
        });
    }
    // The order says which of two specs of one key wins.
    for at in (1..items.len()).rev() {
        items.swap(at, random.below(at + 1));
    }
    Edn::Vector(items)
}

fn attribute(random: &mut Random, world: &World) -> (String, bool) {
    match random.below(20) {
        0 => (
            random.pick(&["no/such", "no/_such", "r/_str"]).to_string(),
            false,
        ),
        1..11 => {
            let name = *random.pick(REFERENCES);
            match random.chance(35) {
                true => (name.replacen('/', "/_", 1), true),
                false => (name.to_owned(), true),
            }
        }
        _ => (random.pick(&world.names(false)).clone(), false),
    }
}

fn options(random: &mut Random, name: Edn) -> Edn {
    let mut form = vec![name.clone()];
    if random.chance(12) {
        let alias = edn!("[:alias \"al\" :r/str 7]");
        let names = alias.as_sequence().unwrap_or_default();
        form.extend([Edn::keyword("as"), random.pick(names).clone()]);
    }
    if random.chance(12) {
        let limit = match random.below(4) {
            0 => Edn::Nil,
            n => Edn::long(n as i64 - 1),
        };
        form.extend([Edn::keyword("limit"), limit]);
    }
    if random.chance(12) {
        form.extend([Edn::keyword("default"), Edn::keyword("none")]);
    }
    if form.len() == 1 {
        name
    } else {
        Edn::Vector(form)
    }
}

fn value(random: &mut Random, world: &World, name: &str) -> Edn {
    match scalars(name).as_slice() {
        [] if name == "r/name" => Edn::from(format!("n{}", random.below(9))),
        [] => label(*random.pick(&world.known)),
        values => random.pick(values).clone(),
    }
}

fn indexed(world: &World, name: &str) -> bool {
    let attr = world
        .plain
        .attrs
        .iter()
        .find(|attr| attr.ident.as_str() == name);
    attr.is_some_and(|attr| attr.indexed)
}

fn walk(random: &mut Random, world: &World) -> Ask {
    let index = *random.pick(&[Index::Eavt, Index::Aevt, Index::Avet, Index::Vaet]);
    let names: Vec<String> = match index {
        Index::Vaet => world.names(true),
        Index::Avet => all(world)
            .into_iter()
            .filter(|name| indexed(world, name))
            .collect(),
        _ => all(world),
    };
    let name = random.pick(&names).clone();
    let (a, e) = (Edn::keyword(&name), label(*random.pick(&world.known)));
    let v = value(random, world, &name);
    let tx = tagged(
        "tx",
        Edn::from(1 + random.below(world.player.transactions()) as i64),
    );
    let mut components = match index {
        Index::Eavt => vec![e, a, v, tx],
        Index::Aevt => vec![a, e, v, tx],
        Index::Avet => vec![a, v, e, tx],
        Index::Vaet => vec![v, a, e, tx],
    };
    components.truncate(1 + random.below(4));
    let way = *random.pick(&[Way::Exactly, Way::Exactly, Way::Onwards, Way::Backwards]);
    if way != Way::Exactly {
        components.truncate(3);
    }
    Ask::Walk {
        way,
        index,
        components,
    }
}

/// The names that index walks use: not `:db/ident`, and no tuple that others are made into.
fn all(world: &World) -> Vec<String> {
    let names = [world.names(false), world.names(true)].concat().into_iter();
    let left = [
        "db/ident", "r/both", "r/code", "r/dec", "r/flt", "r/uri", "r/uuid",
    ];
    names
        .filter(|name| !left.contains(&name.as_str()))
        .collect()
}

fn range(random: &mut Random, world: &World) -> Ask {
    let scalar = |name: &String| !REFERENCES.contains(&name.as_str()) && indexed(world, name);
    let names: Vec<String> = all(world).into_iter().filter(scalar).collect();
    let name = random.pick(&names).clone();
    let mut bound = || match random.chance(20) {
        true => Edn::Nil,
        false => value(random, world, &name),
    };
    let (start, end) = (bound(), bound());
    Ask::Range {
        attribute: Edn::keyword(&name),
        start,
        end,
    }
}

/// A whole case for a live peer: a world's transactions, then reads of it.
pub fn case(number: u64, reads: usize) -> Edn {
    let mut random = Random::new(number);
    let world = World::random(&mut random);
    let mut steps = world.steps.clone();
    steps.extend((0..reads).map(|_| read(&mut random, &world).step()));
    edn!(
        "{:case ?name :setup ?setup :raw true :steps ?steps}",
        name = Edn::from(format!("random reads {number}")),
        setup = Edn::Vector(vec![Edn::from(FIXTURE)]),
        steps = Edn::Vector(steps)
    )
}
