//! The plain oracle: a database as a `Vec<Datom>`, answered by nested loops.
//!
//! It shares no code with the engine but the types of the model; it is slow and meant to be
//! plainly right. It knows the subset of transactions and queries that `generate.rs` makes, and
//! says so where Datomic's answer is a matter of accident ([`Verdict::Unclear`]).

pub mod asked;
pub mod ledger;
mod pull;
mod query;
mod transact;

use datomite::{Datom, EntityId, Keyword, T, Value, ValueType};

pub use pull::{Refused, Shown};
pub use query::{Clause, Query, Term, user_keyword};
pub use transact::{Change, Ent, Op, Predicted, Val, Verdict, Who};

/// An attribute, as the oracle needs it.
#[derive(Clone, Debug)]
pub struct Attr {
    /// Its name.
    pub ident: Keyword,
    /// Its id, once installed.
    pub id: EntityId,
    /// The type of its values.
    pub value_type: ValueType,
    /// Whether an entity has several values of it.
    pub many: bool,
    /// `:db.unique/identity`, or `:db.unique/value`, or neither.
    pub unique: Uniqueness,
    /// `:db/isComponent`.
    pub component: bool,
    /// `:db/index`.
    pub indexed: bool,
}

/// Whether values of an attribute are unique.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Uniqueness {
    /// Any number of entities may share a value.
    None,
    /// A tempid with a known value is that entity.
    Identity,
    /// A second entity with the value is refused.
    Value,
}

/// A view of the past.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct View {
    /// Facts up to this t.
    pub as_of: Option<T>,
    /// Facts after this t.
    pub since: Option<T>,
    /// Every datom, not only the facts that hold.
    pub history: bool,
}

/// All datoms of user attributes, in the order of transactions.
#[derive(Clone, Default, Debug)]
pub struct Plain {
    /// The attributes.
    pub attrs: Vec<Attr>,
    /// Assertions and retractions.
    pub datoms: Vec<Datom>,
}

impl Plain {
    /// The datoms that a view shows.
    pub fn view(&self, view: View) -> Vec<Datom> {
        let in_window = |datom: &&Datom| {
            view.as_of.is_none_or(|t| datom.t() <= t) && view.since.is_none_or(|t| datom.t() > t)
        };
        let window = self.datoms.iter().filter(in_window);
        if view.history {
            return window.cloned().collect();
        }
        let mut holds: Vec<Datom> = Vec::new();
        for datom in window {
            let same =
                |other: &Datom| other.e == datom.e && other.a == datom.a && other.v == datom.v;
            holds.retain(|other| !same(other));
            if datom.added {
                holds.push(datom.clone());
            }
        }
        holds
    }

    /// The facts that hold now.
    pub fn now(&self) -> Vec<Datom> {
        self.view(View::default())
    }

    /// The attribute with that id.
    pub fn attr(&self, id: EntityId) -> &Attr {
        let found = self.attrs.iter().find(|attr| attr.id == id);
        found.expect("the oracle holds datoms of its own attributes alone")
    }

    /// The entities that have a fact now, each once.
    pub fn entities(&self) -> Vec<EntityId> {
        let mut ids: Vec<EntityId> = self.now().iter().map(|datom| datom.e).collect();
        ids.sort();
        ids.dedup();
        ids
    }
}

/// A value as a query sees it: a reference is a long.
fn seen(value: &Value) -> Value {
    match value {
        Value::Ref(id) => Value::Long(id.raw() as i64),
        value => value.clone(),
    }
}
