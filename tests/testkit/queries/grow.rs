//! Queries grown along a witness: one binding of all variables that satisfies every clause so far.
//! A clause that the witness (or one of its extensions) does not satisfy is mostly thrown away, so
//! that most queries answer something.

use std::collections::BTreeMap;

use datomite::{Datom, Edn, EntityId, Value};

use super::ast::{Bind, Clause, Element, Input, Query, Spec, Var};
use super::world::{View, World};
use crate::generate::Random;
use crate::oracle::asked::{Oracle, Row, Source, Sources, meets, normal};

/// Names of variables, in the order in which they are taken.
const NAMES: [Var; 24] = [
    "?a", "?b", "?c", "?d", "?e", "?f", "?g", "?h", "?i", "?j", "?k", "?l", "?m", "?n", "?o", "?p",
    "?aa", "?bb", "?cc", "?dd", "?ee", "?ff", "?gg", "?hh",
];
/// Clauses that are tried for each that is wanted.
const TRIES: usize = 4;

/// A query and what it is asked of.
pub struct Case {
    /// The query with its values.
    pub query: Query,
    /// The views of its sources that are databases.
    pub views: BTreeMap<&'static str, View>,
    /// The rows of its source that is a collection.
    pub tuples: Vec<Vec<Edn>>,
}

/// For whom queries are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// The engine and the oracle.
    Us,
    /// A peer of Datomic, too: without what datomite adds, and what Datomic answers by accident.
    Peer,
}

/// A query that grows.
pub struct Grow<'a> {
    pub(super) random: &'a mut Random,
    pub(super) world: &'a World,
    pub(super) sources: &'a Sources,
    pub(super) query: Query,
    pub(super) witness: Row,
    pub(super) audience: Audience,
    /// Whether a source is a speculative database, whose transaction has no name.
    pub(super) speculates: bool,
    names: usize,
}

/// Views to sources.
pub fn sources(world: &World, case: &Case) -> Sources {
    let named = |name: &&'static str| case.query.inputs.contains(&Input::Source(name));
    let views = case.views.iter().filter(|(name, _)| named(name));
    let dbs = views.map(|(name, view)| (*name, Source::Db(world.show(view))));
    let mut sources: Sources = dbs.collect();
    if !case.tuples.is_empty() && named(&"$c") {
        sources.insert("$c", Source::Rows(case.tuples.clone()));
    }
    sources
}

/// A random query over a world.
pub fn case(random: &mut Random, world: &World, audience: Audience) -> Case {
    let mut case = Case {
        query: Query {
            spec: Spec::Relation,
            find: Vec::new(),
            with: Vec::new(),
            inputs: vec![Input::Source("$")],
            clauses: Vec::new(),
            rules: Vec::new(),
            keys: None,
            order: Vec::new(),
            limit: None,
            offset: 0,
        },
        views: BTreeMap::from([("$", world.random_view(random))]),
        tuples: Vec::new(),
    };
    if random.chance(15) {
        case.views.insert("$b", world.random_view(random));
        case.query.inputs.push(Input::Source("$b"));
    }
    if random.chance(15) {
        case.tuples = tuples(random, world);
        if !case.tuples.is_empty() {
            case.query.inputs.push(Input::Source("$c"));
        }
    }
    if random.chance(12) {
        case.query.inputs.push(Input::Log("?log"));
    }
    let sources = sources(world, &case);
    let speculates = case.views.values().any(|view| view.with.is_some());
    let mut grow = Grow {
        random,
        world,
        sources: &sources,
        query: case.query,
        witness: Row::new(),
        audience,
        speculates,
        names: 0,
    };
    grow.rules();
    grow.inputs();
    grow.clauses();
    grow.shape();
    case.query = grow.query;
    drop(sources);
    case
}

/// Pairs and triples out of facts, with a shade of noise.
fn tuples(random: &mut Random, world: &World) -> Vec<Vec<Edn>> {
    let now = world.plain.now();
    let take = now.iter().filter(|_| random.chance(25)).take(8);
    let taken: Vec<&Datom> = take.collect();
    let tuples = taken.into_iter().map(|fact| {
        let id = Edn::long(fact.e.raw() as i64);
        let last = Edn::long(random.below(3) as i64);
        vec![id, normal(&Edn::from(&fact.v)), last]
    });
    tuples.collect()
}

impl Grow<'_> {
    /// A name that was not used yet.
    pub(super) fn fresh(&mut self) -> Option<Var> {
        self.names += 1;
        NAMES.get(self.names - 1).copied()
    }

    pub(super) fn oracle(&self) -> Oracle<'_> {
        Oracle::new(self.world, self.sources, &self.query)
    }

    /// The facts of users' attributes that a source shows.
    pub(super) fn facts(&self, of: &str) -> Vec<&Datom> {
        let Some(Source::Db(shown)) = self.sources.get(of) else {
            return Vec::new();
        };
        let own = self
            .world
            .plain
            .attrs
            .iter()
            .filter_map(|attr| shown.facts.get(&attr.id));
        own.flatten().collect()
    }

    /// Variables that the witness gives this value.
    pub(super) fn vars_with(&self, value: &Edn) -> Vec<Var> {
        let same = self.witness.iter().filter(|(_, known)| meets(known, value));
        same.map(|(var, _)| *var).collect()
    }

    /// Variables whose value passes.
    pub(super) fn vars_where(&self, pass: impl Fn(&Edn) -> bool) -> Vec<Var> {
        let kept = self.witness.iter().filter(|(_, value)| pass(value));
        kept.map(|(var, _)| *var).collect()
    }

    /// Variables that stand for an entity of the world.
    pub(super) fn entity_vars(&self) -> Vec<Var> {
        let labels = &self.world.labels;
        self.vars_where(|value| {
            let id = value.as_long().map(|n| EntityId::new(n as u64));
            id.is_some_and(|id| labels.contains_key(&id))
        })
    }

    /// One of the items, if there is one.
    pub(super) fn one_of<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        (!items.is_empty()).then(|| *self.random.pick(items))
    }

    /// Values for variables, from the outside.
    fn inputs(&mut self) {
        while self.random.chance(22) && self.query.inputs.len() < 5 {
            let facts: Vec<Datom> = self.facts("$").into_iter().cloned().collect();
            if facts.is_empty() {
                return;
            }
            let fact = self.random.pick(&facts).clone();
            let id = Edn::long(fact.e.raw() as i64);
            let value = normal(&Edn::from(&fact.v));
            let kind = self.random.below(4);
            let Some(x) = self.fresh() else { return };
            let lookup = self
                .lookup_ref("$", fact.e)
                .filter(|_| self.random.chance(25));
            let (bind, value, held) = match kind {
                0 => match lookup {
                    Some(form) => (Bind::Scalar(x), form.clone(), vec![form]),
                    None => (Bind::Scalar(x), id.clone(), vec![id]),
                },
                1 => {
                    let others = facts.iter().filter(|_| self.random.chance(20)).take(3);
                    let mut all: Vec<Edn> = others.map(|f| normal(&Edn::from(&f.v))).collect();
                    all.push(value.clone());
                    (Bind::Coll(x), Edn::Vector(all), vec![value])
                }
                _ => {
                    let Some(y) = self.fresh() else { return };
                    let pair = |fact: &Datom| {
                        let id = Edn::long(fact.e.raw() as i64);
                        Edn::Vector(vec![id, normal(&Edn::from(&fact.v))])
                    };
                    let vars = vec![Some(x), Some(y)];
                    match kind {
                        2 => (Bind::Tuple(vars), pair(&fact), vec![id, value]),
                        _ => {
                            let others = facts.iter().filter(|_| self.random.chance(20)).take(3);
                            let mut all: Vec<Edn> = others.map(pair).collect();
                            all.push(pair(&fact));
                            (Bind::Rel(vars), Edn::Vector(all), vec![id, value])
                        }
                    }
                }
            };
            self.witness.extend(bind.vars().into_iter().zip(held));
            self.query.inputs.push(Input::Value(bind, value));
        }
    }

    /// `[attr value]` of an identity that the entity has in a view without retractions.
    pub(super) fn lookup_ref(&self, of: &str, e: EntityId) -> Option<Edn> {
        let Some(Source::Db(shown)) = self.sources.get(of) else {
            return None;
        };
        let unique = |attr: &&crate::oracle::Attr| attr.unique != crate::oracle::Uniqueness::None;
        let attr = self
            .world
            .plain
            .attrs
            .iter()
            .find(unique)
            .filter(|_| !shown.history)?;
        let fact = shown.facts.get(&attr.id)?.iter().find(|fact| fact.e == e)?;
        let value = Edn::from(&fact.v);
        Some(Edn::Vector(vec![Edn::from(attr.ident.clone()), value]))
    }

    /// Two to seven clauses that the witness satisfies; some queries have one that it does not.
    fn clauses(&mut self) {
        let wanted = 1 + self.random.below(6);
        for _ in 0..wanted {
            for _ in 0..TRIES {
                let Some(clause) = self.candidate() else {
                    continue;
                };
                if self.take(clause) {
                    break;
                }
            }
        }
        if self.witness.is_empty() {
            let plain = [Some("?a"), None]
                .map(|v| v.map_or(super::ast::Term::Blank, super::ast::Term::Var));
            let [e, blank] = plain;
            let attr = Edn::from(self.world.plain.attrs[0].ident.clone());
            let terms = vec![e, super::ast::Term::Const(attr), blank];
            self.query.clauses.push(Clause::Pattern(None, terms));
            self.witness.insert("?a", Edn::Nil);
        }
        if self.audience == Audience::Us && self.random.chance(50) {
            for at in (1..self.query.clauses.len()).rev() {
                let other = self.random.below(at + 1);
                self.query.clauses.swap(at, other);
            }
        }
    }

    /// Keeps a clause that the witness satisfies, and chooses how the witness goes on.
    fn take(&mut self, clause: Clause) -> bool {
        let found = match self.oracle().extend(&clause, &self.witness) {
            Ok(found) => found,
            Err(_) => return false,
        };
        if found.is_empty() {
            // Nothing can follow but what is bound already, so it comes last and seldom.
            let mut vars = Vec::new();
            clause.vars(&mut vars);
            let known = vars.iter().all(|var| self.witness.contains_key(var));
            if !known || !self.random.chance(4) {
                return false;
            }
            self.query.clauses.push(clause);
            return true;
        }
        let found: Vec<Row> = found.into_iter().collect();
        self.witness = self.random.pick(&found).clone();
        self.query.clauses.push(clause);
        true
    }

    fn candidate(&mut self) -> Option<Clause> {
        let kind = self.random.below(100);
        if self.witness.is_empty() && kind < 85 {
            return self.pattern();
        }
        if !self.query.rules.is_empty() && self.random.chance(25) {
            return self.rule_call();
        }
        match kind {
            0..40 => self.pattern(),
            40..44 => self.tuple_pattern(),
            44..55 => self.predicate(),
            55..72 => self.function(),
            72..78 => self.not(),
            78..87 => self.or(),
            87..97 => self.rule_call(),
            _ => self.nested(),
        }
    }
}

/// The variables of a query that `:find` may name.
pub(super) fn is_shown(value: &Edn) -> bool {
    !matches!(value, Edn::Set(_) | Edn::Map(_))
}

/// A value as a number.
pub(super) fn long(value: &Edn) -> Option<i64> {
    match value {
        Edn::Value(Value::Long(n)) if n.abs() < 1_000_000 => Some(*n),
        _ => None,
    }
}

impl Element {
    /// A name of the element for the counts.
    pub fn kind(&self) -> &'static str {
        match self {
            Element::Var(_) => "find variable",
            Element::Aggregate(..) => "find aggregate",
            Element::Pull(..) => "find pull",
        }
    }
}
