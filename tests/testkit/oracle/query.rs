//! Queries of the oracle: nested loops over all datoms of a view.

use std::collections::{BTreeMap, BTreeSet};

use datomite::{Datom, Edn, EntityId, Keyword, Value};

use super::{Plain, View, seen};

/// A place of a pattern.
#[derive(Clone, PartialEq, Debug)]
pub enum Term {
    /// `?name`.
    Var(&'static str),
    /// A value; entities are longs.
    Const(Value),
    /// `_`.
    Blank,
}

/// A clause of the generated subset.
#[derive(Clone, PartialEq, Debug)]
pub enum Clause {
    /// `[e a v tx]`; the attribute by its number.
    Pattern(Term, usize, Term, Term),
    /// `(not …)` of patterns.
    Not(Vec<Clause>),
    /// `(or …)` of patterns that bind the same variables.
    Or(Vec<Clause>),
    /// `[(< ?x c)]`.
    Less(&'static str, Value),
}

/// A query of the generated subset: a relation of variables.
#[derive(Clone, PartialEq, Debug)]
pub struct Query {
    /// The variables found.
    pub find: Vec<&'static str>,
    /// The clauses, in an order in which each can be answered.
    pub clauses: Vec<Clause>,
}

type Bindings = BTreeMap<&'static str, Value>;

impl Query {
    /// The query as a user writes it.
    pub fn to_edn(&self, plain: &Plain) -> Edn {
        let mut items = vec![Edn::keyword("find")];
        items.extend(self.find.iter().map(|name| Edn::symbol(name)));
        items.push(Edn::keyword("where"));
        items.extend(self.clauses.iter().map(|clause| clause.to_edn(plain)));
        Edn::Vector(items)
    }

    /// The rows, by nested loops.
    pub fn answer(&self, plain: &Plain, view: View) -> BTreeSet<Vec<Value>> {
        let datoms = plain.view(view);
        let mut rows = BTreeSet::new();
        walk(
            plain,
            &datoms,
            &self.clauses,
            &Bindings::new(),
            &mut |bindings| {
                rows.insert(
                    self.find
                        .iter()
                        .map(|name| bindings[name].clone())
                        .collect(),
                );
            },
        );
        rows
    }
}

impl Clause {
    fn to_edn(&self, plain: &Plain) -> Edn {
        let list = |name: &str, clauses: &[Clause]| {
            let clauses = clauses.iter().map(|clause| clause.to_edn(plain));
            Edn::List(std::iter::once(Edn::symbol(name)).chain(clauses).collect())
        };
        match self {
            Clause::Pattern(e, attr, v, tx) => {
                let attr = Edn::from(plain.attrs[*attr].ident.clone());
                let mut places = vec![e.to_edn(), attr, v.to_edn()];
                if *tx != Term::Blank {
                    places.push(tx.to_edn());
                }
                Edn::Vector(places)
            }
            Clause::Not(clauses) => list("not", clauses),
            Clause::Or(clauses) => list("or", clauses),
            Clause::Less(name, value) => {
                let call = vec![Edn::symbol("<"), Edn::symbol(name), Edn::from(value)];
                Edn::Vector(vec![Edn::List(call)])
            }
        }
    }
}

impl Term {
    fn to_edn(&self) -> Edn {
        match self {
            Term::Var(name) => Edn::symbol(name),
            Term::Const(value) => Edn::from(value),
            Term::Blank => Edn::symbol("_"),
        }
    }
}

fn walk(
    plain: &Plain,
    datoms: &[Datom],
    clauses: &[Clause],
    bindings: &Bindings,
    found: &mut dyn FnMut(&Bindings),
) {
    let Some((clause, rest)) = clauses.split_first() else {
        found(bindings);
        return;
    };
    match clause {
        Clause::Pattern(e, attr, v, tx) => {
            let attr = &plain.attrs[*attr];
            for datom in datoms.iter().filter(|datom| datom.a == attr.id) {
                let mut bindings = bindings.clone();
                let id = |id: EntityId| Value::Long(id.raw() as i64);
                let meets = meet(e, id(datom.e), &mut bindings)
                    && meet(v, seen(&datom.v), &mut bindings)
                    && meet(tx, id(datom.tx), &mut bindings);
                if meets {
                    walk(plain, datoms, rest, &bindings, found);
                }
            }
        }
        Clause::Not(inner) => {
            let mut any = false;
            walk(plain, datoms, inner, bindings, &mut |_| any = true);
            if !any {
                walk(plain, datoms, rest, bindings, found);
            }
        }
        Clause::Or(branches) => {
            for branch in branches {
                let mut all = vec![branch.clone()];
                all.extend_from_slice(rest);
                walk(plain, datoms, &all, bindings, found);
            }
        }
        Clause::Less(name, value) => {
            let less = match (&bindings[name], value) {
                (Value::Long(a), Value::Long(b)) => a < b,
                (Value::Double(a), Value::Double(b)) => a < b,
                (a, b) => a < b,
            };
            if less {
                walk(plain, datoms, rest, bindings, found);
            }
        }
    }
}

fn meet(term: &Term, value: Value, bindings: &mut Bindings) -> bool {
    match term {
        Term::Blank => true,
        Term::Const(constant) => seen(constant) == value,
        Term::Var(name) => match bindings.get(name) {
            Some(bound) => *bound == value,
            None => {
                bindings.insert(name, value);
                true
            }
        },
    }
}

/// A keyword of the generated schema.
pub fn user_keyword(number: usize) -> Keyword {
    Keyword::new(Some("a"), &format!("k{number}"))
}
