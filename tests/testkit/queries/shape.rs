//! `:find` and what shapes its answer.

use datomite::{Edn, Value, ValueType};

use super::ast::{Element, Input, Spec, Var};
use super::grow::{Audience, Grow, is_shown, long};
use crate::oracle::asked::Source;

impl Grow<'_> {
    /// Elements, `:with`, `:keys`, an order and a limit.
    pub(super) fn shape(&mut self) {
        let bound: Vec<Var> = self.vars_where(is_shown);
        // Only variables that a clause or an input of its own binds at the top.
        let mut known = Vec::new();
        self.query.clauses.iter().for_each(|clause| {
            if !matches!(
                clause,
                super::ast::Clause::Not(..) | super::ast::Clause::Predicate(_)
            ) {
                clause.vars(&mut known);
            }
        });
        let bound: Vec<Var> = bound
            .into_iter()
            .filter(|var| known.contains(var))
            .collect();
        if bound.is_empty() {
            self.query.find = self
                .witness
                .keys()
                .take(1)
                .map(|var| Element::Var(var))
                .collect();
            return;
        }
        let count = 1 + self.random.below(3.min(bound.len()));
        let mut vars: Vec<Var> = Vec::new();
        for _ in 0..count {
            let var = *self.random.pick(&bound);
            if !vars.contains(&var) {
                vars.push(var);
            }
        }
        self.query.find = vars.iter().map(|var| Element::Var(var)).collect();
        if self.random.chance(22) {
            let at = self.random.below(vars.len());
            self.query.find[at] = self.aggregate(vars[at]);
        }
        let others: Vec<Var> = bound
            .iter()
            .copied()
            .filter(|v| !vars.contains(v))
            .collect();
        if let Some(var) = self.one_of(&others).filter(|_| self.random.chance(12)) {
            self.query.with.push(var);
        }
        self.pull();
        self.container();
    }

    fn aggregate(&mut self, var: Var) -> Element {
        let number = match &self.witness[var] {
            value if long(value).is_some() => self.is_numeric(var),
            Edn::Value(Value::Double(_)) => self.is_numeric(var),
            _ => false,
        };
        let name = match number {
            true => *self
                .random
                .pick(&["sum", "avg", "median", "variance", "stddev", "min", "max"]),
            false => *self
                .random
                .pick(&["count", "count-distinct", "distinct", "count"]),
        };
        let exact = matches!(&self.witness[var], Edn::Value(Value::Long(_)));
        let name = match name {
            "median" if self.audience == Audience::Peer && !exact => "sum",
            name => name,
        };
        let n = matches!(name, "min" | "max") && self.random.chance(40);
        Element::Aggregate(name, n.then(|| 1 + self.random.below(3) as i64), var)
    }

    /// Whether every value of the variable is a number of one type, not that of the witness alone.
    fn is_numeric(&self, var: Var) -> bool {
        let Ok(rows) = self.oracle().rows(&self.query) else {
            return false;
        };
        let kind = |value: &Edn| match value {
            Edn::Value(Value::Double(_)) => Some(ValueType::Double),
            value => long(value).map(|_| ValueType::Long),
        };
        let kinds: Vec<Option<ValueType>> =
            rows.iter().map(|row| row.get(var).and_then(kind)).collect();
        kinds.iter().all(|kind| kind.is_some() && *kind == kinds[0])
    }

    fn pull(&mut self) {
        let Some(Source::Db(shown)) = self.sources.get("$") else {
            return;
        };
        let plain = self
            .query
            .find
            .iter()
            .all(|element| matches!(element, Element::Var(_)));
        if shown.history || !plain || !self.random.chance(12) {
            return;
        }
        let entities = self.entity_vars();
        let at = self
            .query
            .find
            .iter()
            .position(|element| entities.contains(&element.var()));
        let Some(at) = at else { return };
        let var = self.query.find[at].var();
        if !self.only_entities(var) {
            return;
        }
        let pattern = self.pull_pattern();
        let written = match self.random.chance(25) {
            true => {
                self.query
                    .inputs
                    .push(Input::Pattern("pattern", pattern.clone()));
                Edn::symbol("pattern")
            }
            false => pattern,
        };
        self.query.find[at] = Element::Pull("$", var, written);
    }

    fn only_entities(&self, var: Var) -> bool {
        let Ok(rows) = self.oracle().rows(&self.query) else {
            return false;
        };
        let labels = &self.world.labels;
        rows.iter().all(|row| {
            let id = row[var]
                .as_long()
                .map(|n| datomite::EntityId::new(n as u64));
            id.is_some_and(|id| labels.contains_key(&id))
        })
    }

    fn pull_pattern(&mut self) -> Edn {
        let mut specs = vec![Edn::keyword("db/id")];
        let attrs = self.world.plain.attrs.clone();
        for attr in attrs.iter().filter(|attr| !attr.component) {
            let name = Edn::from(attr.ident.clone());
            let is_ref = attr.value_type == ValueType::Ref;
            let reversed = name.to_string().replace('/', "/_");
            match self.random.below(10) {
                0..3 => specs.push(name),
                3 if is_ref => {
                    let inner = Edn::Vector(vec![Edn::keyword("p/n"), Edn::keyword("p/s")]);
                    specs.push(Edn::Map(vec![(name, inner)]));
                }
                4 if is_ref => specs.push(Edn::keyword(reversed.trim_start_matches(':'))),
                _ => {}
            }
        }
        if self.random.chance(20) {
            specs.remove(0);
        }
        if specs.is_empty() {
            specs.push(Edn::keyword("p/n"));
        }
        Edn::Vector(specs)
    }

    fn container(&mut self) {
        let query = &mut self.query;
        let pulls = query
            .find
            .iter()
            .any(|element| matches!(element, Element::Pull(..)));
        let one = query.find.len() == 1;
        let kind = self.random.below(100);
        query.spec = match kind {
            0..8 if one => Spec::Scalar,
            8..16 if one => Spec::Coll,
            0..8 => Spec::Tuple,
            _ => Spec::Relation,
        };
        if query.spec == Spec::Relation && self.random.chance(8) {
            query.keys = Some(*self.random.pick(&["keys", "strs", "syms"]));
        }
        if self.audience == Audience::Peer {
            self.determined();
            return;
        }
        if !pulls && self.random.chance(10) {
            let at = self.random.below(self.query.find.len());
            let set = matches!(
                self.query.find[at],
                Element::Aggregate("distinct" | "min" | "max", ..)
            );
            if !set && self.is_ordered(at) {
                self.query.order.push((at, self.random.chance(50)));
            }
        }
        if self.random.chance(6) {
            self.query.limit = Some(self.random.below(5));
        }
        if self
            .random
            .chance(if self.query.limit.is_some() { 50 } else { 5 })
        {
            self.query.offset = self.random.below(3);
        }
    }

    /// Whether the values of an element are of one type, so that their order is plain.
    fn is_ordered(&self, at: usize) -> bool {
        let Element::Var(var) = self.query.find[at] else {
            return true;
        };
        let Ok(rows) = self.oracle().rows(&self.query) else {
            return false;
        };
        let kind = |value: &Edn| value.as_value().map(Value::value_type);
        let kinds: Vec<Option<ValueType>> =
            rows.iter().map(|row| row.get(var).and_then(kind)).collect();
        kinds.iter().all(|kind| kind.is_some() && *kind == kinds[0])
    }

    /// A single row is asked only where there is but one: which of several is an accident.
    fn determined(&mut self) {
        let single = matches!(self.query.spec, Spec::Scalar | Spec::Tuple);
        let one = self
            .oracle()
            .answer(&self.query)
            .is_ok_and(|answer| answer.rows.len() <= 1);
        if single && !one {
            self.query.spec = Spec::Relation;
        }
    }
}
