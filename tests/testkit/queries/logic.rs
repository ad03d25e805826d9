//! `not`, `or`, rules and queries within queries.

use datomite::{Edn, ValueType};

use super::ast::{Arg, Bind, Call, Clause, Element, Input, Query, Rule, Spec, Term, Var};
use super::grow::{Audience, Grow, long};

impl Grow<'_> {
    fn attr_term(&mut self, refs: bool) -> Option<Term> {
        let attr = self.any_attr(|attr| !refs || attr.value_type == ValueType::Ref)?;
        Some(Term::Const(Edn::from(attr.ident)))
    }

    /// `[?e attr ?v]` with places for what is given.
    fn about(&mut self, e: Var, v: Option<Var>, refs: bool) -> Option<Clause> {
        let attr = self.attr_term(refs || v.is_some())?;
        let v = v.map_or(Term::Blank, Term::Var);
        let flipped = refs && self.random.chance(30);
        let e = Term::Var(e);
        let terms = if flipped {
            vec![v, attr, e]
        } else {
            vec![e, attr, v]
        };
        Some(Clause::Pattern(None, terms))
    }

    /// `[?e attr value]` with a value that some entity has.
    fn with_value(&mut self, e: Var) -> Option<Clause> {
        let facts: Vec<datomite::Datom> = self.facts("$").into_iter().cloned().collect();
        let fact = (!facts.is_empty()).then(|| self.random.pick(&facts).clone())?;
        let attr = self
            .world
            .plain
            .attrs
            .iter()
            .find(|attr| attr.id == fact.a)?;
        let value = match &fact.v {
            datomite::Value::Ref(id) => Edn::long(id.raw() as i64),
            value => Edn::from(value),
        };
        let attr = Term::Const(Edn::from(attr.ident.clone()));
        Some(Clause::Pattern(
            None,
            vec![Term::Var(e), attr, Term::Const(value)],
        ))
    }

    /// A test of a variable of its own.
    fn test(&mut self, x: Var) -> Clause {
        let n = Arg::Const(Edn::long(self.random.below(4) as i64));
        let name = *self.random.pick(&["<", ">", "!="]);
        Clause::Predicate(Call {
            name,
            args: vec![Arg::Var(x), n],
        })
    }

    pub(super) fn not(&mut self) -> Option<Clause> {
        let entities = self.entity_vars();
        let e = self.one_of(&entities)?;
        let source = (self.sources.contains_key("$b") && self.random.chance(20)).then_some("$b");
        if self.random.chance(45) {
            let local = self.fresh()?;
            let mut clauses = vec![self.about(e, Some(local), true)?];
            if self.random.chance(50) {
                clauses.push(self.with_value(local)?);
            }
            return Some(Clause::Not(source, Some(vec![e]), clauses));
        }
        let other = self.one_of(&entities)?;
        let mut clauses = vec![match self.random.below(3) {
            0 if other != e => self.about(e, Some(other), true)?,
            1 => self.with_value(e)?,
            _ => self.about(e, None, false)?,
        }];
        if self.random.chance(25) {
            clauses.push(self.with_value(e)?);
        }
        if self.random.chance(15)
            && let Some(inner) = self.about(e, None, false)
        {
            clauses.push(Clause::Not(None, None, vec![inner]));
        }
        Some(Clause::Not(source, None, clauses))
    }

    pub(super) fn or(&mut self) -> Option<Clause> {
        let entities = self.entity_vars();
        let e = self.one_of(&entities)?;
        let source = (self.sources.contains_key("$b") && self.random.chance(15)).then_some("$b");
        let count = 2 + self.random.below(2);
        match self.random.below(5) {
            0 | 1 => {
                let mut branches = Vec::new();
                for _ in 0..count {
                    branches.push(self.branch(e)?);
                }
                Some(Clause::Or(source, None, branches))
            }
            2 => {
                let new = self.fresh()?;
                let mut branches = Vec::new();
                for _ in 0..count {
                    branches.push(vec![self.about(e, Some(new), true)?]);
                }
                Some(Clause::Or(source, None, branches))
            }
            3 => {
                let (new, local) = (self.fresh()?, self.fresh()?);
                let hop = vec![
                    self.about(e, Some(local), true)?,
                    self.about(local, Some(new), true)?,
                ];
                let direct = vec![self.about(e, Some(new), true)?];
                Some(Clause::Or(
                    source,
                    Some((Vec::new(), vec![e, new])),
                    vec![hop, direct],
                ))
            }
            _ => {
                let longs = self.vars_where(|value| long(value).is_some());
                let (x, new) = (self.one_of(&longs)?, self.fresh()?);
                let plus = |n: i64| {
                    let args = vec![Arg::Var(x), Arg::Const(Edn::long(n))];
                    Clause::Function(Call { name: "+", args }, Bind::Scalar(new))
                };
                let branches = vec![vec![plus(1)], vec![self.test(x), plus(2)]];
                Some(Clause::Or(None, Some((vec![x], vec![new])), branches))
            }
        }
    }

    /// A branch that binds nothing but one entity.
    fn branch(&mut self, e: Var) -> Option<Vec<Clause>> {
        let first = match self.random.chance(50) {
            true => self.with_value(e)?,
            false => self.about(e, None, false)?,
        };
        let mut branch = vec![first];
        if self.random.chance(30) {
            branch.push(self.about(e, None, true)?);
        }
        if self.random.chance(15) {
            let inner = self.with_value(e)?;
            branch.push(Clause::Not(None, None, vec![inner]));
        }
        Some(branch)
    }

    /// A set of rules, now and then.
    pub(super) fn rules(&mut self) {
        if !self.random.chance(35) {
            return;
        }
        for _ in 0..1 + self.random.below(2) {
            if let Some(rules) = self.rule_set() {
                let known = self
                    .query
                    .rules
                    .iter()
                    .any(|rule| rule.name == rules[0].name);
                if !known {
                    self.query.rules.extend(rules);
                }
            }
        }
        if !self.query.rules.is_empty() {
            self.query.inputs.push(Input::Rules);
        }
    }

    fn rule_set(&mut self) -> Option<Vec<Rule>> {
        let (x, y, z) = (Term::Var("?x"), Term::Var("?y"), Term::Var("?z"));
        let edge = self.attr_term(true)?;
        let other = self.attr_term(true)?;
        let flat = self.attr_term(false)?;
        let flip = self.random.chance(25);
        let hop = |a: &Term, b: &Term| match flip {
            true => Clause::Pattern(None, vec![b.clone(), edge.clone(), a.clone()]),
            false => Clause::Pattern(None, vec![a.clone(), edge.clone(), b.clone()]),
        };
        let call = |name, a: &Term, b: &Term| Clause::Rule(None, name, vec![a.clone(), b.clone()]);
        let rule = |name, clauses| Rule {
            name,
            required: 0,
            head: vec!["?x", "?y"],
            clauses,
        };
        let pattern = |a: &Term, attr: &Term, b: &Term| {
            Clause::Pattern(None, vec![a.clone(), attr.clone(), b.clone()])
        };
        let base = |name| rule(name, vec![hop(&x, &y)]);
        Some(match self.random.below(9) {
            0 => vec![
                base("right"),
                rule("right", vec![hop(&x, &z), call("right", &z, &y)]),
            ],
            1 => vec![
                base("left"),
                rule("left", vec![call("left", &x, &z), hop(&z, &y)]),
            ],
            2 => {
                let twice = vec![call("twice", &x, &z), call("twice", &z, &y)];
                vec![base("twice"), rule("twice", twice)]
            }
            3 => vec![
                base("odd"),
                rule("odd", vec![hop(&x, &z), call("even", &z, &y)]),
                rule("even", vec![hop(&x, &z), call("odd", &z, &y)]),
            ],
            4 => {
                let up = vec![pattern(&x, &other, &z), call("same", &z, &Term::Var("?w"))];
                let mut up = up;
                up.push(pattern(&y, &other, &Term::Var("?w")));
                let shared = vec![pattern(&x, &edge, &z), pattern(&y, &edge, &z)];
                vec![rule("same", shared), rule("same", up)]
            }
            5 => {
                let mut test = rule("above", vec![hop(&x, &y), self.test_of(&flat)?]);
                test.required = 1;
                vec![test]
            }
            6 => {
                let not = vec![call("right2", &y, &x)];
                let one_way = vec![hop(&x, &y), Clause::Not(None, None, not)];
                vec![
                    base("right2"),
                    rule("right2", vec![hop(&x, &z), call("right2", &z, &y)]),
                    rule("oneway", one_way),
                ]
            }
            7 => {
                let or = Clause::Or(
                    None,
                    None,
                    vec![vec![pattern(&x, &edge, &y)], vec![pattern(&x, &other, &y)]],
                );
                vec![rule("linked", vec![or])]
            }
            _ => {
                let or = Clause::Or(
                    None,
                    Some((Vec::new(), vec!["?x", "?y"])),
                    vec![
                        vec![pattern(&x, &edge, &y)],
                        vec![pattern(&x, &other, &z), call("mixed", &z, &y)],
                    ],
                );
                vec![rule("mixed", vec![or])]
            }
        })
    }

    /// `[?x attr _]` within a rule, or a predicate of the required `?x`.
    fn test_of(&mut self, flat: &Term) -> Option<Clause> {
        if self.random.chance(50) {
            let args = vec![Arg::Var("?x"), Arg::Const(Edn::long(0))];
            return Some(Clause::Predicate(Call { name: ">", args }));
        }
        Some(Clause::Pattern(
            None,
            vec![Term::Var("?x"), flat.clone(), Term::Blank],
        ))
    }

    pub(super) fn rule_call(&mut self) -> Option<Clause> {
        let names: Vec<&'static str> = self.query.rules.iter().map(|rule| rule.name).collect();
        let name = self.one_of(&names)?;
        let entities = self.entity_vars();
        let source = (self.sources.contains_key("$b") && self.random.chance(60)).then_some("$b");
        let arg = |grow: &mut Self, new: usize| match grow.random.below(100) {
            n if n < new => grow.fresh().map(Term::Var),
            n if n < new + 6 => Some(Term::Blank),
            n if n < new + 14 => {
                let known: Vec<datomite::EntityId> = grow.world.labels.keys().copied().collect();
                let id = grow.one_of(&known)?;
                Some(Term::Const(Edn::long(id.raw() as i64)))
            }
            _ => grow.one_of(&entities).map(Term::Var),
        };
        let peer = self.audience == Audience::Peer;
        let args = match peer || self.random.chance(70) {
            true => vec![arg(self, 5)?, arg(self, 60)?],
            false => vec![arg(self, 50)?, arg(self, 20)?],
        };
        let mut args = args;
        if self.random.chance(if peer { 12 } else { 25 }) && matches!(args[0], Term::Var(_)) {
            // Of a variable that nothing else binds, the rule alone tells that both are one.
            if !peer && self.random.chance(70) {
                args[0] = self.fresh().map(Term::Var)?;
            }
            args[1] = args[0].clone();
        }
        // What these are is an accident of the peer.
        let constant = args.iter().any(|arg| matches!(arg, Term::Const(_)));
        if peer && (args[0] == Term::Blank || (source.is_some() && constant)) {
            return None;
        }
        let names_something = args.iter().any(|arg| matches!(arg, Term::Var(_)));
        names_something.then_some(Clause::Rule(source, name, args))
    }

    /// `[(q [:find …] $ ?e) [[?x]]]`, or a count of it.
    pub(super) fn nested(&mut self) -> Option<Clause> {
        let entities = self.entity_vars();
        let e = self.one_of(&entities)?;
        let inner = self.about("?in", Some("?out"), true)?;
        let scalar = self.random.chance(40);
        let element = match scalar {
            true => Element::Aggregate("count", None, "?out"),
            false => Element::Var("?out"),
        };
        let query = Query {
            spec: if scalar { Spec::Scalar } else { Spec::Relation },
            find: vec![element],
            with: Vec::new(),
            inputs: vec![
                Input::Source("$"),
                Input::Value(Bind::Scalar("?in"), Edn::Nil),
            ],
            clauses: vec![inner],
            rules: Vec::new(),
            keys: None,
            order: Vec::new(),
            limit: None,
            offset: 0,
        };
        let out = self.fresh()?;
        let bind = if scalar {
            Bind::Scalar(out)
        } else {
            Bind::Rel(vec![Some(out)])
        };
        Some(Clause::Nested(Box::new(query), vec![Arg::Var(e)], bind))
    }
}
