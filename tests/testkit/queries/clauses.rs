//! Patterns, predicates and functions about what the witness binds.

use datomite::{Datom, Edn, EntityId, Value, ValueType};

use super::ast::{Arg, Bind, Call, Clause, Term, Var};
use super::grow::{Audience, Grow, long};
use super::world::WORDS;
use crate::oracle::Attr;
use crate::oracle::asked::{Source, normal};

fn call(name: &'static str, args: Vec<Arg>) -> Call {
    Call { name, args }
}

impl Grow<'_> {
    /// The default source mostly, else the other database.
    fn source(&mut self) -> (Option<&'static str>, &'static str) {
        match self.sources.contains_key("$b") && self.random.chance(35) {
            true => (Some("$b"), "$b"),
            false => (None, "$"),
        }
    }

    /// A pattern along a fact, which touches the witness if one does.
    pub(super) fn pattern(&mut self) -> Option<Clause> {
        let (written, of) = self.source();
        let facts: Vec<Datom> = self.facts(of).into_iter().cloned().collect();
        let id = |id: EntityId| Edn::long(id.raw() as i64);
        let near = |fact: &&Datom| {
            let ends = [id(fact.e), normal(&Edn::from(&fact.v)), id(fact.tx)];
            ends.iter().any(|end| !self.vars_with(end).is_empty())
        };
        let mut near: Vec<&Datom> = facts.iter().filter(near).collect();
        if near.is_empty() || self.random.chance(7) {
            near = facts.iter().collect();
        }
        if self.random.chance(8) {
            return self.given_pattern(written, of);
        }
        let fact = self.one_of(&near)?.clone();
        self.pattern_of(written, of, &fact)
    }

    /// About what a fresh store holds: instants of transactions, idents.
    fn given_pattern(&mut self, written: Option<&'static str>, of: &str) -> Option<Clause> {
        let Some(Source::Db(shown)) = self.sources.get(of) else {
            return None;
        };
        let free = self.audience == Audience::Us;
        let known = |fact: &&Datom| {
            !self.vars_with(&Edn::long(fact.e.raw() as i64)).is_empty()
                || (free && self.world.txs.contains(&fact.e))
        };
        let wanted = [10, 50].map(EntityId::new);
        let facts = wanted.iter().filter_map(|a| shown.facts.get(a)).flatten();
        let facts: Vec<Datom> = facts.filter(known).cloned().collect();
        let fact = (!facts.is_empty()).then(|| self.random.pick(&facts).clone())?;
        let name = if fact.a.raw() == 10 {
            "db/ident"
        } else {
            "db/txInstant"
        };
        let e = self.entity_term(fact.e);
        if self.audience == Audience::Peer && !self.is_known(&e) {
            return None;
        }
        let v = self.term(&Edn::from(&fact.v), 0);
        Some(Clause::Pattern(
            written,
            vec![e, Term::Const(Edn::keyword(name)), v],
        ))
    }

    fn pattern_of(
        &mut self,
        written: Option<&'static str>,
        of: &str,
        fact: &Datom,
    ) -> Option<Clause> {
        let attr = self
            .world
            .plain
            .attrs
            .iter()
            .find(|attr| attr.id == fact.a)?
            .clone();
        let e = self.entity_term(fact.e);
        let a = self.attribute_term(&attr);
        let v = match (&fact.v, &a) {
            (Value::Ref(id), Term::Const(_)) => self.reference_term(of, *id),
            (value, Term::Const(_)) => self.term(&Edn::from(value), 22),
            // An attribute that is not known beforehand reads no idents.
            (value, _) => self.term(&normal(&Edn::from(value)), 10),
        };
        if matches!(&a, Term::Blank | Term::Var(_)) && !self.names_entity_or_attribute(&e, &a) {
            return None;
        }
        let history = matches!(self.sources.get(of), Some(Source::Db(shown)) if shown.history);
        let mut terms = vec![e, a, v];
        if terms[2] == Term::Blank && self.random.chance(40) {
            terms.pop();
            if terms[1] == Term::Blank {
                return None;
            }
        } else if self.random.chance(if history { 55 } else { 20 })
            && !(self.audience == Audience::Peer && self.speculates)
        {
            let tx = Edn::long(fact.tx.raw() as i64);
            terms.push(self.term(&tx, 15));
            if self.random.chance(if history { 60 } else { 30 }) {
                terms.push(self.term(&Edn::from(fact.added), 60));
            }
        }
        let bare = !terms.iter().any(|term| matches!(term, Term::Var(_)));
        if self.audience == Audience::Peer && bare {
            return None;
        }
        Some(Clause::Pattern(written, terms))
    }

    /// Whether a pattern without a known attribute can begin with its entity or attribute.
    fn names_entity_or_attribute(&self, e: &Term, a: &Term) -> bool {
        self.is_known(e) || self.is_known(a)
    }

    fn is_known(&self, term: &Term) -> bool {
        match term {
            Term::Const(_) => true,
            Term::Var(var) => self.witness.contains_key(var),
            Term::Blank => false,
        }
    }

    fn entity_term(&mut self, id: EntityId) -> Term {
        let value = Edn::long(id.raw() as i64);
        if let Some(var) = self.bound_to(&value) {
            return Term::Var(var);
        }
        match self.random.below(100) {
            0..5 => Term::Const(value),
            5..13 => Term::Blank,
            _ => self.new_term(),
        }
    }

    fn reference_term(&mut self, of: &str, id: EntityId) -> Term {
        let value = Edn::long(id.raw() as i64);
        if let Some(var) = self.bound_to(&value) {
            return Term::Var(var);
        }
        let ident = self.world.idents.iter().find(|(_, known)| **known == id);
        let ident = ident.map(|(ident, _)| Edn::from(ident.clone()));
        match self.random.below(100) {
            0..12 => Term::Const(ident.unwrap_or(value)),
            12..20 => Term::Const(self.lookup_ref(of, id).unwrap_or(value)),
            20..32 => Term::Blank,
            _ => self.new_term(),
        }
    }

    fn attribute_term(&mut self, attr: &Attr) -> Term {
        let id = Edn::long(attr.id.raw() as i64);
        if let Some(var) = self.vars_with(&id).first().copied() {
            return Term::Var(var);
        }
        let name = Edn::from(attr.ident.clone());
        match self.random.below(100) {
            0..3 => Term::Const(Edn::string(&name.to_string())),
            3..8 => self.new_term(),
            8..10 => Term::Blank,
            _ => Term::Const(name),
        }
    }

    /// A variable of the witness with that value, mostly.
    fn bound_to(&mut self, value: &Edn) -> Option<Var> {
        let vars = self.vars_with(value);
        let take = !vars.is_empty() && self.random.chance(88);
        take.then(|| *self.random.pick(&vars))
    }

    fn new_term(&mut self) -> Term {
        self.fresh().map_or(Term::Blank, Term::Var)
    }

    fn term(&mut self, value: &Edn, constant_percent: usize) -> Term {
        if let Some(var) = self.bound_to(value) {
            return Term::Var(var);
        }
        if self.random.chance(constant_percent) {
            return Term::Const(value.clone());
        }
        match self.random.chance(15) {
            true => Term::Blank,
            false => self.new_term(),
        }
    }

    /// A pattern over the collection.
    pub(super) fn tuple_pattern(&mut self) -> Option<Clause> {
        let Some(Source::Rows(tuples)) = self.sources.get("$c") else {
            return None;
        };
        let tuple = self.random.pick(tuples).clone();
        let mut terms: Vec<Term> = tuple.iter().map(|value| self.term(value, 12)).collect();
        if self.random.chance(40) {
            terms.pop();
        }
        Some(Clause::Pattern(Some("$c"), terms))
    }

    /// A comparison or another test of bound values.
    pub(super) fn predicate(&mut self) -> Option<Clause> {
        let kind = self.random.below(12);
        if kind < 2 {
            let e = self.entity_vars();
            let e = self.one_of(&e)?;
            let attr = self.any_attr(|_| true)?;
            let args = vec![
                Arg::Source("$"),
                Arg::Var(e),
                Arg::Const(Edn::from(attr.ident)),
            ];
            return Some(Clause::Predicate(call("missing?", args)));
        }
        let longs = self.vars_where(|value| long(value).is_some());
        if kind < 4 && !longs.is_empty() {
            let name = *self.random.pick(&["even?", "odd?", "pos?"]);
            let var = *self.random.pick(&longs);
            return Some(Clause::Predicate(call(name, vec![Arg::Var(var)])));
        }
        if kind == 4 {
            return self.text_predicate();
        }
        let scalars = self.vars_where(
            |value| matches!(value, Edn::Value(v) if !matches!(v.value_type(), ValueType::Boolean)),
        );
        // Numbers most of all: an index may give their comparisons.
        let x = match self.one_of(&longs).filter(|_| kind > 7) {
            Some(x) => x,
            None => self.one_of(&scalars)?,
        };
        let value = self.witness[x].clone();
        if kind == 5 {
            let mut items = vec![value];
            items.extend((0..self.random.below(3)).map(|n| Edn::long(77 + n as i64)));
            let args = vec![Arg::Const(Edn::Set(items)), Arg::Var(x)];
            return Some(Clause::Predicate(call("contains?", args)));
        }
        let same: Vec<Var> = scalars
            .iter()
            .copied()
            .filter(|var| kind_of(&self.witness[var]) == kind_of(&value) && *var != x)
            .collect();
        let other = match self.one_of(&same).filter(|_| self.random.chance(30)) {
            Some(var) => Arg::Var(var),
            None if self.random.chance(40) => Arg::Const(value.clone()),
            None => Arg::Const(self.near(&value)),
        };
        let name = *self.random.pick(&["<", "<=", ">", ">=", "=", "!=", "not="]);
        let mut args = vec![Arg::Var(x), other];
        if self.random.chance(30) {
            args.swap(0, 1);
        }
        Some(Clause::Predicate(call(name, args)))
    }

    fn text_predicate(&mut self) -> Option<Clause> {
        let texts = self.vars_where(|value| value.as_str().is_some());
        let x = self.one_of(&texts)?;
        let first: String = self.witness[x].as_str()?.chars().take(1).collect();
        let args = vec![Arg::Var(x), Arg::Const(Edn::string(&first))];
        Some(Clause::Predicate(call("clojure.string/starts-with?", args)))
    }

    fn near(&mut self, value: &Edn) -> Edn {
        match value {
            Edn::Value(Value::Long(n)) => Edn::long(n + self.random.below(3) as i64 - 1),
            Edn::Value(Value::Double(n)) => Edn::from(n + self.random.below(3) as f64 / 2.0 - 0.5),
            other => other.clone(),
        }
    }

    pub(super) fn any_attr(&mut self, pass: impl Fn(&Attr) -> bool) -> Option<Attr> {
        let attrs = self.world.plain.attrs.iter().filter(|attr| pass(attr));
        let attrs: Vec<&Attr> = attrs.collect();
        self.one_of(&attrs).cloned()
    }

    /// A function with any of the binding forms.
    pub(super) fn function(&mut self) -> Option<Clause> {
        let log = |input: &super::ast::Input| matches!(input, super::ast::Input::Log(_));
        if self.query.inputs.iter().any(log) && self.random.chance(60) {
            return self.of_log();
        }
        match self.random.below(10) {
            0..3 => self.arithmetic(),
            3 => self.ground(),
            4..6 => self.of_database(),
            6 => self.of_log(),
            7 => self.searched(),
            _ => self.composed(),
        }
    }

    fn arithmetic(&mut self) -> Option<Clause> {
        let longs = self.vars_where(|value| long(value).is_some());
        let x = self.one_of(&longs)?;
        let n = long(&self.witness[x])?;
        let other = Arg::Const(Edn::long(1 + self.random.below(3) as i64));
        let y = self.one_of(&longs)?;
        let (name, args, coll) = match self.random.below(7) {
            0 => ("inc", vec![Arg::Var(x)], false),
            1 => ("+", vec![Arg::Var(x), Arg::Var(y)], false),
            2 => ("*", vec![Arg::Var(x), other], false),
            3 => ("mod", vec![Arg::Var(x), other], false),
            4 => ("max", vec![Arg::Var(x), Arg::Var(y)], false),
            5 => ("range", vec![Arg::Var(x)], true),
            _ => (
                "str",
                vec![Arg::Const(Edn::string("n")), Arg::Var(x)],
                false,
            ),
        };
        // A peer makes the whole of a range, also of one up to an id.
        if coll && (self.audience == Audience::Peer || !(1..6).contains(&n)) {
            return None;
        }
        let call = call(name, args);
        let bind = match coll {
            true => Bind::Coll(self.fresh()?),
            false => Bind::Scalar(self.result_var(&call)?),
        };
        Some(Clause::Function(call, bind))
    }

    /// A new variable mostly; often one that has the result already, which then must agree.
    fn result_var(&mut self, call: &Call) -> Option<Var> {
        let result = self.oracle().call(call, &self.witness, "$").ok()?;
        let known = self.vars_with(&result);
        match self.one_of(&known) {
            Some(var) if self.random.chance(60) => Some(var),
            _ => self.fresh(),
        }
    }

    fn ground(&mut self) -> Option<Clause> {
        let facts: Vec<Datom> = self.facts("$").into_iter().cloned().collect();
        let pick = |grow: &mut Self| {
            let fact = (!facts.is_empty()).then(|| grow.random.pick(&facts).clone())?;
            let id = Edn::long(fact.e.raw() as i64);
            Some((id, normal(&Edn::from(&fact.v))))
        };
        let (e, v) = pick(self)?;
        let (f, w) = pick(self)?;
        let (x, y) = (self.fresh()?, self.fresh()?);
        let pair = |a: &Edn, b: &Edn| Edn::Vector(vec![a.clone(), b.clone()]);
        let (value, bind) = match self.random.below(4) {
            0 => (v, Bind::Scalar(x)),
            1 => (pair(&e, &v), Bind::Tuple(vec![Some(x), Some(y)])),
            2 => (pair(&e, &f), Bind::Coll(x)),
            _ => {
                let rows = Edn::Vector(vec![pair(&e, &v), pair(&f, &w)]);
                (rows, Bind::Rel(vec![Some(x), Some(y)]))
            }
        };
        if matches!(&value, Edn::Vector(items) if items.contains(&Edn::Nil)) {
            return None;
        }
        Some(Clause::Function(
            call("ground", vec![Arg::Const(value)]),
            bind,
        ))
    }

    fn of_database(&mut self) -> Option<Clause> {
        let entities = self.entity_vars();
        let e = Arg::Var(self.one_of(&entities)?);
        let one = |attr: &Attr| !attr.many && attr.value_type != ValueType::Ref;
        let attr = self.any_attr(one)?;
        let other = self.any_attr(one)?;
        let name = |attr: Attr| Arg::Const(Edn::from(attr.ident));
        let x = self.fresh()?;
        if self.random.chance(60) {
            let otherwise = Arg::Const(Edn::string("none"));
            let args = vec![Arg::Source("$"), e, name(attr), otherwise];
            return Some(Clause::Function(call("get-else", args), Bind::Scalar(x)));
        }
        let y = self.fresh()?;
        let args = vec![Arg::Source("$"), e, name(attr), name(other)];
        let bind = Bind::Tuple(vec![Some(x), Some(y)]);
        Some(Clause::Function(call("get-some", args), bind))
    }

    fn of_log(&mut self) -> Option<Clause> {
        let log = self
            .query
            .inputs
            .iter()
            .any(|input| matches!(input, super::ast::Input::Log(_)));
        if !log {
            return None;
        }
        let txs = self.world.txs.clone();
        let of_tx = self.vars_where(|value| {
            txs.iter()
                .any(|tx| value.as_long() == Some(tx.raw() as i64))
        });
        if let Some(tx) = self.one_of(&of_tx) {
            let slots: Vec<Option<Var>> = (0..5)
                .map(|_| self.random.chance(50).then(|| self.fresh()).flatten())
                .collect();
            let args = vec![Arg::Var("?log"), Arg::Var(tx)];
            return Some(Clause::Function(call("tx-data", args), Bind::Rel(slots)));
        }
        let from = Edn::long(self.random.pick(&txs).raw() as i64);
        let args = vec![Arg::Var("?log"), Arg::Const(from), Arg::Const(Edn::Nil)];
        Some(Clause::Function(
            call("tx-ids", args),
            Bind::Coll(self.fresh()?),
        ))
    }

    fn searched(&mut self) -> Option<Clause> {
        let attr = self.any_attr(|attr| attr.ident.as_str() == "p/text")?;
        let word = Arg::Const(Edn::string(self.random.pick::<&str>(&WORDS)));
        let args = vec![Arg::Source("$"), Arg::Const(Edn::from(attr.ident)), word];
        let entities = self.entity_vars();
        let e = match self.one_of(&entities) {
            Some(e) if self.random.chance(50) => e,
            _ => self.fresh()?,
        };
        let slots = vec![Some(e), self.fresh()];
        Some(Clause::Function(call("fulltext", args), Bind::Rel(slots)))
    }

    /// Vectors of bound values, taken apart again.
    fn composed(&mut self) -> Option<Clause> {
        let vars = self.vars_where(|value| matches!(value, Edn::Value(_)));
        let (x, y) = (self.one_of(&vars)?, self.one_of(&vars)?);
        let tuples =
            self.vars_where(|value| matches!(value, Edn::Vector(items) if items.len() == 2));
        if let Some(tuple) = self.one_of(&tuples).filter(|_| self.random.chance(50)) {
            let bind = Bind::Tuple(vec![self.fresh(), None]);
            return Some(Clause::Function(
                call("untuple", vec![Arg::Var(tuple)]),
                bind,
            ));
        }
        let both = vec![Arg::Var(x), Arg::Var(y)];
        Some(match self.random.below(5) {
            0 => Clause::Function(call("vector", both), Bind::Coll(self.fresh()?)),
            1 => {
                let bind = Bind::Tuple(vec![self.fresh(), None]);
                Clause::Function(call("vector", both), bind)
            }
            2 => Clause::Function(call("tuple", both), Bind::Scalar(self.fresh()?)),
            3 => Clause::Function(
                call("identity", vec![Arg::Var(x)]),
                Bind::Scalar(self.fresh()?),
            ),
            _ => {
                let bind = Bind::Rel(vec![self.fresh(), self.fresh()]);
                Clause::Function(call("hash-map", both), bind)
            }
        })
    }
}

/// The type of a value, ids apart from numbers.
fn kind_of(value: &Edn) -> Option<(ValueType, bool)> {
    Some((value.as_value()?.value_type(), long(value).is_some()))
}
