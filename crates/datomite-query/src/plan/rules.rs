//! Rules: which call which, and one plan for each rule, source and set of bound arguments.
//!
//! A rule is recursive if its calls lead back to it. An `or` that calls a rule inside a body is
//! lifted to a rule of its own, so that recursion always stands at the top of a body or in a
//! `not`.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use datomite_model::Symbol;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Closure, Env, Plan, Scope, feasible};
use crate::QueryError;
use crate::ast::{Clause, Definition, Rule, RuleCall, Rules, SourceRef, Term, Var};
use crate::error::{Place, nearest};

/// Which arguments of a call are bound.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub(crate) struct Mask(u64);

/// A rule as it is called.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct RuleKey {
    pub(crate) rule: usize,
    pub(crate) source: Option<usize>,
    pub(crate) mask: Mask,
    /// The arguments bound after the call.
    pub(crate) out: Mask,
}

/// The bodies of a rule in order.
#[derive(Debug)]
pub(crate) struct RulePlan {
    pub(crate) recursive: bool,
    /// The arguments bound after the call.
    pub(crate) out: Mask,
    pub(crate) bodies: Vec<(Vec<Var>, Plan)>,
    /// Rows expected for each row of the caller.
    pub(crate) rows: f64,
    /// The closure that the rule is, if it is one.
    pub(crate) closure: Option<Closure>,
}

type PlanKey = (usize, Option<usize>, Mask);

/// All rules of an execution.
#[derive(Default)]
pub(crate) struct RuleTable {
    rules: Vec<Rule>,
    by_name: FxHashMap<Symbol, usize>,
    /// The component of each rule; rules of one component call each other.
    component: Vec<usize>,
    recursive: Vec<bool>,
    plans: RefCell<FxHashMap<PlanKey, Option<Rc<RulePlan>>>>,
    /// Calls whose bodies lack bindings.
    impossible: RefCell<FxHashSet<PlanKey>>,
}

impl Mask {
    pub(crate) fn set(&mut self, at: usize) {
        self.0 |= 1 << at;
    }

    pub(crate) fn has(self, at: usize) -> bool {
        self.0 & (1 << at) != 0
    }

    pub(crate) fn count(self) -> u32 {
        self.0.count_ones()
    }

    fn all(arity: usize) -> Mask {
        (0..arity.min(64)).fold(Mask::default(), |mut mask, at| {
            mask.set(at);
            mask
        })
    }
}

impl RuleKey {
    /// Whether the argument is bound after the call.
    pub(crate) fn binds(&self, at: usize) -> bool {
        self.out.has(at)
    }
}

impl RuleTable {
    /// Orders the rules by who calls whom.
    pub(crate) fn new(rules: Rules) -> RuleTable {
        let mut rules = rules.rules;
        let mut at = 0;
        while at < rules.len() {
            let mut lifted = Vec::new();
            let count = rules.len();
            for definition in &mut rules[at].definitions {
                lift(definition, count, &mut lifted);
            }
            rules.extend(lifted);
            at += 1;
        }
        let by_name: FxHashMap<Symbol, usize> = rules
            .iter()
            .enumerate()
            .map(|(at, rule)| (rule.name.clone(), at))
            .collect();
        let edges: Vec<Vec<usize>> = rules.iter().map(|rule| callees(rule, &by_name)).collect();
        let component = components(&edges);
        let mut members = vec![0; rules.len()];
        component.iter().for_each(|c| members[*c] += 1);
        let recursive = (0..rules.len())
            .map(|at| members[component[at]] > 1 || edges[at].contains(&at))
            .collect();
        RuleTable {
            rules,
            by_name,
            component,
            recursive,
            plans: RefCell::default(),
            impossible: RefCell::default(),
        }
    }

    /// Refuses a call of a rule that does not exist or takes more arguments.
    pub(crate) fn check(&self, call: &RuleCall) -> Result<(), QueryError> {
        let place = || Box::new(Place::clone(&call.place));
        let Some(rule) = self.find(call) else {
            let known = self.rules.iter().map(|rule| rule.name.clone());
            return Err(QueryError::UnknownRule {
                name: call.name.clone(),
                near: nearest(
                    call.name.as_str(),
                    known.map(|name| (name.as_str().to_owned(), name)),
                ),
                place: place(),
            });
        };
        if call.arguments.len() < rule.arity {
            return Err(QueryError::RuleArity {
                name: call.name.clone(),
                expected: rule.arity,
                found: call.arguments.len(),
                place: place(),
            });
        }
        Ok(())
    }

    fn find(&self, call: &RuleCall) -> Option<&Rule> {
        self.by_name.get(&call.name).map(|at| &self.rules[*at])
    }

    pub(crate) fn arity(&self, call: &RuleCall) -> usize {
        self.find(call).map_or(0, |rule| rule.arity)
    }

    /// The name and first definition of a rule, for messages.
    pub(crate) fn about(&self, rule: usize) -> (Symbol, Arc<Place>) {
        let rule = &self.rules[rule];
        (rule.name.clone(), Arc::clone(&rule.definitions[0].place))
    }

    /// Whether two rules call each other.
    pub(crate) fn together(&self, a: usize, b: usize) -> bool {
        self.recursive[a] && self.component[a] == self.component[b]
    }

    pub(crate) fn required_bound(&self, call: &RuleCall, mask: Mask) -> bool {
        self.find(call).is_none_or(|rule| {
            let mut required = rule.required.iter().enumerate();
            required.all(|(at, required)| !required || mask.has(at))
        })
    }

    pub(crate) fn required_of(&self, call: &RuleCall) -> Vec<Var> {
        let required = self.find(call).map_or(&[][..], |rule| &rule.required);
        let pairs = call.arguments.iter().zip(required);
        pairs
            .filter_map(|(argument, required)| match argument {
                Term::Var(var) if *required => Some(*var),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn key(&self, source: Option<usize>, call: &RuleCall, mask: Mask) -> RuleKey {
        let rule = self.by_name.get(&call.name).copied().unwrap_or_default();
        // What a call has beyond the rule's arguments binds nothing.
        let mask = Mask(mask.0 & Mask::all(self.rules.get(rule).map_or(0, |r| r.arity)).0);
        let known = self.plans.borrow().get(&(rule, source, mask)).cloned();
        let out = match known.flatten() {
            Some(plan) => plan.out,
            // Still being planned: it binds what its other bodies bind, which is everything.
            None => Mask::all(self.rules.get(rule).map_or(0, |rule| rule.arity)),
        };
        RuleKey {
            rule,
            source,
            mask,
            out,
        }
    }

    /// The names of the variables of a body.
    pub(crate) fn names(&self, key: RuleKey, body: usize) -> &[Symbol] {
        &self.rules[key.rule].definitions[body].names
    }

    /// The plan of a call that was planned.
    pub(crate) fn plan_of(&self, key: RuleKey) -> Rc<RulePlan> {
        let plans = self.plans.borrow();
        let plan = plans.get(&(key.rule, key.source, key.mask)).cloned();
        plan.flatten()
            .expect("invariant: a rule is planned before it is called")
    }
}

impl Env {
    /// The rows expected of a call for each row before it, if its rule does not recurse; `None`
    /// where the bodies lack bindings.
    pub(super) fn rule_rows(
        &self,
        source: Option<usize>,
        call: &RuleCall,
        mask: Mask,
    ) -> Result<Option<Option<f64>>, QueryError> {
        let key = self.rules.key(source, call, mask);
        let key = (key.rule, key.source, key.mask);
        if self.rules.impossible.borrow().contains(&key) {
            return Ok(None);
        }
        let Some(plan) = feasible(self.rule_plan(source, call, mask))? else {
            self.rules.impossible.borrow_mut().insert(key);
            return Ok(None);
        };
        Ok(Some((!plan.recursive).then_some(plan.rows)))
    }

    /// The plan of a rule for a call.
    pub(super) fn rule_plan(
        &self,
        source: Option<usize>,
        call: &RuleCall,
        mask: Mask,
    ) -> Result<Rc<RulePlan>, QueryError> {
        let table = &self.rules;
        let at = table.by_name.get(&call.name).copied().unwrap_or_default();
        let arity = table.rules[at].arity;
        let mask = Mask(mask.0 & Mask::all(arity).0);
        let key = (at, source, mask);
        let known = table.plans.borrow().get(&key).cloned();
        match known {
            Some(Some(plan)) => return Ok(plan),
            Some(None) => return Ok(Rc::new(assumed(arity))),
            None => {}
        }
        table.plans.borrow_mut().insert(key, None);
        let plan = self.plan_bodies(at, source, mask);
        match plan {
            Ok(plan) => {
                let plan = Rc::new(plan);
                table.plans.borrow_mut().insert(key, Some(Rc::clone(&plan)));
                Ok(plan)
            }
            Err(error) => {
                table.plans.borrow_mut().remove(&key);
                Err(error)
            }
        }
    }

    fn plan_bodies(
        &self,
        at: usize,
        source: Option<usize>,
        mask: Mask,
    ) -> Result<RulePlan, QueryError> {
        let rule = &self.rules.rules[at];
        let constants = FxHashMap::default();
        let mut bodies = Vec::with_capacity(rule.definitions.len());
        let mut out = Mask::all(rule.arity);
        let mut rows = 0.0;
        for definition in &rule.definitions {
            let scope = Scope {
                decides: true,
                source,
                names: &definition.names,
                constants: &constants,
                objects: &[],
            };
            let head = &definition.head;
            let bound: Vec<Var> = (0..head.len())
                .filter(|position| mask.has(*position))
                .map(|position| head[position])
                .collect();
            let plan = self.plan(scope, &definition.clauses, &bound, 1.0)?;
            for (position, var) in head.iter().enumerate() {
                if !plan.bound.contains(var) {
                    out.0 &= !(1 << position);
                }
            }
            rows += plan.rows;
            bodies.push((head.clone(), plan));
        }
        Ok(RulePlan {
            recursive: self.rules.recursive[at],
            out,
            bodies,
            rows,
            closure: self.closure_of(rule, source),
        })
    }
}

/// What is assumed of a rule while it is being planned.
fn assumed(arity: usize) -> RulePlan {
    RulePlan {
        recursive: true,
        out: Mask::all(arity),
        bodies: Vec::new(),
        rows: 1.0,
        closure: None,
    }
}

/// Replaces each `or` that calls a rule by a call of a new rule.
fn lift(definition: &mut Definition, count: usize, lifted: &mut Vec<Rule>) {
    for clause in &mut definition.clauses {
        let Clause::Or(or) = clause else { continue };
        if !or.branches.iter().flatten().any(calls_a_rule) {
            continue;
        }
        let name = Symbol::parse(&format!("or-{}", count + lifted.len()));
        let required = or.join.iter().map(|v| or.required.contains(v)).collect();
        let definitions = or.branches.iter().map(|branch| Definition {
            head: or.join.clone(),
            clauses: branch.clone(),
            names: definition.names.clone(),
            place: Arc::clone(&or.place),
        });
        lifted.push(Rule {
            name: name.clone(),
            arity: or.join.len(),
            required,
            definitions: definitions.collect(),
        });
        *clause = Clause::Rule(RuleCall {
            source: SourceRef::Default,
            name,
            arguments: or.join.iter().map(|v| Term::Var(*v)).collect(),
            place: Arc::clone(&or.place),
        });
    }
}

fn calls_a_rule(clause: &Clause) -> bool {
    match clause {
        Clause::Rule(_) => true,
        Clause::Or(or) => or.branches.iter().flatten().any(calls_a_rule),
        Clause::Not(not) => not.clauses.iter().any(calls_a_rule),
        Clause::Pattern(_) | Clause::Call(_) => false,
    }
}

fn callees(rule: &Rule, by_name: &FxHashMap<Symbol, usize>) -> Vec<usize> {
    fn collect(clauses: &[Clause], by_name: &FxHashMap<Symbol, usize>, into: &mut Vec<usize>) {
        for clause in clauses {
            match clause {
                Clause::Rule(call) => into.extend(by_name.get(&call.name)),
                Clause::Not(not) => collect(&not.clauses, by_name, into),
                Clause::Or(or) => {
                    for branch in &or.branches {
                        collect(branch, by_name, into);
                    }
                }
                Clause::Pattern(_) | Clause::Call(_) => {}
            }
        }
    }
    let mut into = Vec::new();
    for definition in &rule.definitions {
        collect(&definition.clauses, by_name, &mut into);
    }
    into
}

/// The number of each rule's component: rules whose calls lead to each other (Tarjan's way,
/// without recursion).
fn components(edges: &[Vec<usize>]) -> Vec<usize> {
    const UNSEEN: usize = usize::MAX;
    let count = edges.len();
    let (mut order, mut low) = (vec![UNSEEN; count], vec![0; count]);
    let mut component = vec![UNSEEN; count];
    let (mut waiting, mut seen, mut found) = (Vec::new(), 0, 0);
    for start in 0..count {
        // A rule on the way down, and how many of its edges were followed.
        let mut path: Vec<(usize, usize)> = Vec::new();
        if order[start] == UNSEEN {
            path.push((start, 0));
        }
        while let Some((at, edge)) = path.pop() {
            if edge == 0 {
                (order[at], low[at]) = (seen, seen);
                seen += 1;
                waiting.push(at);
            }
            if let Some(next) = edges[at].get(edge).copied() {
                path.push((at, edge + 1));
                if order[next] == UNSEEN {
                    path.push((next, 0));
                } else if component[next] == UNSEEN {
                    low[at] = low[at].min(order[next]);
                }
                continue;
            }
            if low[at] == order[at] {
                while let Some(member) = waiting.pop() {
                    component[member] = found;
                    if member == at {
                        break;
                    }
                }
                found += 1;
            }
            if let Some((parent, _)) = path.last() {
                low[*parent] = low[*parent].min(low[at]);
            }
        }
    }
    component
}
