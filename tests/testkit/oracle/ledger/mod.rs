//! The plain oracle of whole transactions: all forms, as written, against a `Vec<Datom>`.
//!
//! It says of a transaction whether it is refused and why, which datoms it makes, what its tempids
//! become and which ids come next. It reads the schema from its own facts, by nested loops, and
//! shares no code with the engine but the types of the model. What it does not know it says
//! ([`Verdict::Unclear`]).

mod check;
mod forms;
mod names;
mod settle;

use std::collections::BTreeMap;

use datomite::{
    Datom, Db, Edn, EntityId, Index, Keyword, Symbol, T, TupleKind, Unique, Value, ValueType,
};

/// The facts and names of a database, and its counters.
#[derive(Clone)]
pub struct Ledger {
    /// Every datom, in the order of transactions.
    pub history: Vec<Datom>,
    /// The facts that hold.
    pub facts: Vec<Datom>,
    /// Idents and the entities that they name or named; a later one counts.
    names: Vec<(Keyword, EntityId)>,
    next_t: u64,
    next_element: u64,
    attrs: Vec<Attr>,
}

/// What the oracle says of a transaction.
pub enum Verdict {
    /// It does this.
    Accepted(Done),
    /// It is an error with that `:db.error/…` name; an empty one where Datomic has none.
    Refused(&'static str),
    /// The oracle does not know; the reason.
    Unclear(&'static str),
}

/// What an accepted transaction does.
pub struct Done {
    /// Its datoms without the one of its instant.
    pub datoms: Vec<Datom>,
    /// What its tempids became.
    pub tempids: BTreeMap<Edn, EntityId>,
    /// The counters after it.
    pub next: (u64, u64),
}

/// Why there are no datoms.
enum Stop {
    Refused(&'static str),
    Unclear(&'static str),
}

type Step<A> = Result<A, Stop>;

fn refuse<A>(code: &'static str) -> Step<A> {
    Err(Stop::Refused(code))
}

/// An attribute, read from facts.
#[derive(Clone, Debug)]
struct Attr {
    id: EntityId,
    value_type: ValueType,
    many: bool,
    unique: Option<Unique>,
    component: bool,
    indexed: bool,
    tuple: Option<TupleKind>,
    preds: Vec<Symbol>,
}

impl Attr {
    fn is_composite(&self) -> bool {
        matches!(self.tuple, Some(TupleKind::Composite(_)))
    }
}

/// An entity: known, or the tempid with that number.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Who {
    Id(EntityId),
    Temp(usize),
}

/// A value that may be, or hold, a tempid.
#[derive(Clone, PartialEq, Debug)]
enum What {
    Value(Value),
    Temp(usize),
    Tuple(Vec<Option<What>>),
}

/// One fact of a transaction.
#[derive(Clone, Debug)]
struct Op {
    added: bool,
    e: Who,
    a: Attr,
    v: What,
}

/// A tempid.
#[derive(Clone, Debug)]
struct Temp {
    name: Option<Edn>,
    is_tx: bool,
    partition: Option<u32>,
}

impl Ledger {
    /// Begins with what a database holds.
    pub fn of(db: &Db) -> Ledger {
        let all = db.datoms(Index::Eavt, &[]).expect("a read");
        let mut ledger = Ledger {
            history: Vec::new(),
            facts: Vec::new(),
            names: Vec::new(),
            next_t: db.next_t().raw(),
            next_element: 0,
            attrs: Vec::new(),
        };
        let datoms: Vec<Datom> = all.map(|datom| datom.expect("a read")).collect();
        ledger.apply(&datoms);
        let elements = db.schema().idents().map(|(_, id)| id.raw());
        let own = elements.filter(|id| id >> 42 == 0);
        ledger.next_element = own.max().unwrap_or(71).max(71) + 1;
        ledger
    }

    /// Takes the datoms of a transaction.
    pub fn apply(&mut self, datoms: &[Datom]) {
        for datom in datoms {
            let same =
                |other: &Datom| other.e == datom.e && other.a == datom.a && other.v == datom.v;
            // That an attribute was altered is said anew each time.
            let again = datom.a.raw() == names::ALTER_ATTRIBUTE && datom.added;
            self.facts.retain(|other| again || !same(other));
            if datom.added {
                self.facts.push(datom.clone());
                if let (names::IDENT, Value::Keyword(name)) = (datom.a.raw(), &datom.v) {
                    self.names.push((name.clone(), datom.e));
                }
            }
            let said = self.history.iter().any(|other| other == datom);
            if !said {
                self.history.push(datom.clone());
            }
        }
        let schema =
            |datom: &Datom| datom.a.raw() < names::FIRST_OWN && datom.a.raw() != names::TX_INSTANT;
        if datoms.iter().any(schema) {
            self.attrs = self.read_attrs();
        }
    }

    /// The oracle after a transaction that it did not know: with what the database holds, and its
    /// own history with what is new in the database's.
    pub fn followed(&self, db: &Db) -> Ledger {
        let mut next = Ledger::of(db);
        next.history = self.history.clone();
        let all = db.history().datoms(Index::Eavt, &[]).expect("a read");
        let all = all.map(|datom| datom.expect("a read"));
        let tx = db.basis_t().tx();
        next.history.extend(all.filter(|datom| datom.tx == tx));
        let known = self.names.iter().filter(|name| !next.names.contains(name));
        let mut names: Vec<_> = known.cloned().collect();
        names.append(&mut next.names);
        next.names = names;
        next
    }

    /// Takes the counters after a transaction.
    pub fn count(&mut self, next: (u64, u64)) {
        (self.next_t, self.next_element) = next;
    }

    /// The counters: the t and the schema's element that come next.
    pub fn next(&self) -> (u64, u64) {
        (self.next_t, self.next_element)
    }

    /// What Datomic would do with transaction data; `last` is the instant of the last transaction.
    pub fn predict(&self, data: &Edn, last: datomite::Instant) -> Verdict {
        let done = forms::Reading::new(self)
            .whole(data)
            .and_then(|read| settle::settle(self, read, last));
        match done {
            Ok(done) => Verdict::Accepted(done),
            Err(Stop::Refused(code)) => Verdict::Refused(code),
            Err(Stop::Unclear(why)) => Verdict::Unclear(why),
        }
    }

    fn attr(&self, id: EntityId) -> Option<&Attr> {
        self.attrs.iter().find(|attr| attr.id == id)
    }

    fn of_entity(&self, e: EntityId, a: EntityId) -> impl Iterator<Item = &Value> {
        let own = self
            .facts
            .iter()
            .filter(move |fact| fact.e == e && fact.a == a);
        own.map(|fact| &fact.v)
    }

    /// The entity that holds a unique value.
    fn holder(&self, a: EntityId, v: &Value) -> Option<EntityId> {
        let holds = |fact: &&Datom| fact.a == a && fact.v.datomic_eq(v);
        self.facts.iter().filter(holds).map(|fact| fact.e).min()
    }

    fn entity_named(&self, name: &Keyword) -> Option<EntityId> {
        let found = self.names.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, id)| *id)
    }

    fn tx(&self) -> EntityId {
        T::new(self.next_t).tx()
    }
}
