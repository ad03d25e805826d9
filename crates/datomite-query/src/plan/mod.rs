//! The order of the clauses: decided at each execution from exact counts of the real arguments.
//!
//! A clause runs when what it needs is bound; of those that can, the one that is expected to leave
//! the fewest rows runs next. What no order can bind is Datomic's error, found before anything
//! runs. Statistics choose among right orders; they never decide an answer. One order is not free:
//! where a pattern reads a value of another type as an entity or keyword (`coerce.rs`).

mod closure;
mod coerce;
mod estimate;
mod narrow;
mod resolve;
mod rules;
mod types;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use datomite_db::Db;
use datomite_model::{Attribute, Edn, Symbol, T, Value};
use rustc_hash::FxHashMap;

use crate::QueryError;
use crate::ast::{
    Binding, Call, Clause, Not, Or, Pattern, RuleCall, Slot, SourceRef, Term, Var, push_new,
    term_variables,
};
use crate::builtins::clj;
use crate::error::Place;
use crate::options::Limits;
pub(crate) use closure::Closure;
pub(crate) use estimate::Estimates;
pub(crate) use narrow::Narrowed;
pub(crate) use resolve::{AttributeTerm, attribute, entity, keyword, scalar, value};
pub(crate) use rules::{Mask, RuleKey, RulePlan, RuleTable};

/// What a source is.
pub(crate) enum Source {
    /// A database.
    Db(Db),
    /// Rows of a collection.
    Rows(Vec<Vec<Edn>>),
    /// Anything else: an error once a clause reads it.
    Invalid(String),
}

/// What holds for a whole execution.
pub(crate) struct Env {
    /// The sources by name; index 0 need not be `$`.
    pub(crate) sources: Vec<(Symbol, Source)>,
    /// The rules, with the plans made so far.
    pub(crate) rules: RuleTable,
    /// Clauses run in the order written, as far as their bindings allow.
    pub(crate) as_written: bool,
    /// What the query may use.
    pub(crate) limits: Rc<Limits>,
    /// How deep the plan that is being made stands in others.
    depth: Cell<usize>,
    /// What is known of each `or` for the variables that were bound before it.
    ors: RefCell<FxHashMap<OrKey, Option<f64>>>,
}

/// An `or` by where it lies, its source, and what is bound before it.
type OrKey = (*const Or, Option<usize>, Vec<Var>);

/// How deep plans may stand in plans: clauses in clauses, and rules in rules.
const DEPTH_MAX: usize = 100;

/// What holds for one list of clauses.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// The source that `$` means here.
    pub(crate) source: Option<usize>,
    /// The names of the variables.
    pub(crate) names: &'a [Symbol],
    /// Variables with one known value: scalar and tuple inputs.
    pub(crate) constants: &'a FxHashMap<Var, Edn>,
    /// Variables that hold a database or a log.
    pub(crate) objects: &'a [Var],
    /// Whether a predicate of constants filters: beside values that are known before the rows are,
    /// and in `or` and rules. As in Datomic it does not among patterns alone.
    pub(crate) decides: bool,
}

/// Clauses in the order in which they run.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    /// What is bound at the end.
    pub(crate) bound: Vec<Var>,
    /// How many rows are expected at the end.
    pub(crate) rows: f64,
}

/// One clause, resolved.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) op: Op,
    pub(crate) place: Arc<Place>,
    pub(crate) rows: f64,
}

/// What a step does.
#[derive(Debug)]
pub(crate) enum Op {
    Pattern(Box<PatternOp>),
    Rows(RowsOp),
    Call(CallOp),
    Not(NotOp),
    Or(OrOp),
    Rule(RuleOp),
}

/// One position of a pattern.
#[derive(Clone, Debug)]
pub(crate) enum Pos {
    Blank,
    Const(Edn),
    /// Bound by the rows so far.
    Bound(Var),
    /// Bound by this clause.
    Free(Var),
}

/// A pattern over a database.
#[derive(Debug)]
pub(crate) struct PatternOp {
    pub(crate) source: usize,
    /// e, a, v, t, added.
    pub(crate) terms: [Pos; 5],
    /// The attribute, where it is known before the rows are.
    pub(crate) attribute: Option<Arc<Attribute>>,
    /// The entity constant.
    pub(crate) e: Option<u64>,
    /// The value constant, where the attribute is known.
    pub(crate) v: Option<Value>,
    /// No row can match.
    pub(crate) never: bool,
    /// Whether a value that is bound before is read as the attribute's type (an ident as an entity,
    /// a text as a keyword), so that one that cannot be is an error. Else it just does not match.
    pub(crate) coerces: bool,
    /// Rows in the attribute's index range; exact on the present.
    pub(crate) total: u64,
    /// What comparisons beside the pattern leave of an indexed attribute's values.
    pub(crate) narrowed: Narrowed,
}

/// A pattern over a collection.
#[derive(Debug)]
pub(crate) struct RowsOp {
    pub(crate) source: usize,
    pub(crate) terms: Vec<Pos>,
}

/// A predicate or function.
#[derive(Debug)]
pub(crate) struct CallOp {
    pub(crate) call: Call,
    pub(crate) source: Option<usize>,
    /// Whether it filters where it has no variable.
    pub(crate) decides: bool,
}

/// `not`.
#[derive(Debug)]
pub(crate) struct NotOp {
    pub(crate) join: Vec<Var>,
    pub(crate) plan: Rc<Plan>,
}

/// `or`.
#[derive(Debug)]
pub(crate) struct OrOp {
    pub(crate) seed: Vec<Var>,
    pub(crate) out: Vec<Var>,
    pub(crate) branches: Vec<Plan>,
}

/// A rule call.
#[derive(Debug)]
pub(crate) struct RuleOp {
    pub(crate) key: RuleKey,
    pub(crate) arguments: Vec<Pos>,
}

/// A clause with what is known of it before any order is chosen.
pub(crate) struct Candidate<'a> {
    pub(crate) clause: &'a Clause,
    pub(crate) source: Option<usize>,
    pub(crate) facts: Facts,
}

/// What the planner looked up for a clause.
pub(crate) enum Facts {
    Pattern(Box<PatternOp>),
    Rows(usize),
    Other,
}

impl Env {
    /// Nothing to read from yet.
    pub(crate) fn new(limits: &Rc<Limits>) -> Env {
        Env {
            sources: Vec::new(),
            rules: RuleTable::default(),
            as_written: false,
            limits: Rc::clone(limits),
            depth: Cell::new(0),
            ors: RefCell::default(),
        }
    }

    /// Chooses an order for clauses of which `bound` is bound before, in about `rows` rows.
    pub(crate) fn plan(
        &self,
        scope: Scope<'_>,
        clauses: &[Clause],
        bound: &[Var],
        rows: f64,
    ) -> Result<Plan, QueryError> {
        if self.depth.get() >= DEPTH_MAX {
            return Err(QueryError::TooDeep {
                what: "clauses and rules",
                limit: DEPTH_MAX,
                place: clauses.first().map(|c| Box::new(Place::clone(c.place()))),
            });
        }
        self.depth.set(self.depth.get() + 1);
        let plan = self.ordered(scope, clauses, bound, rows);
        self.depth.set(self.depth.get() - 1);
        plan
    }

    fn ordered(
        &self,
        scope: Scope<'_>,
        clauses: &[Clause],
        bound: &[Var],
        rows: f64,
    ) -> Result<Plan, QueryError> {
        let mut left: Vec<Candidate<'_>> = Vec::with_capacity(clauses.len());
        for clause in clauses {
            left.push(self.candidate(scope, clause)?);
        }
        narrow::mark_alone(&mut left, bound);
        if !self.as_written {
            self.narrow(scope, &mut left, bound)?;
        }
        coerce::mark(&mut left, bound);
        let estimates = Estimates::new(&left);
        let mut plan = Plan {
            steps: Vec::with_capacity(left.len()),
            bound: bound.to_vec(),
            rows: rows.max(1.0),
        };
        while !left.is_empty() {
            let (at, rows) = self.next_step(scope, &left, &plan, &estimates)?;
            let candidate = left.remove(at);
            let clause = candidate.clause;
            let op = self.op(scope, candidate, &plan.bound, plan.rows)?;
            clause.variables_bound(&op, &mut plan.bound);
            plan.rows = rows;
            plan.steps.push(Step {
                op,
                place: Arc::clone(clause.place()),
                rows,
            });
        }
        Ok(plan)
    }

    /// The best clause that can run; Datomic's error where none can.
    fn next_step(
        &self,
        scope: Scope<'_>,
        left: &[Candidate<'_>],
        plan: &Plan,
        estimates: &Estimates,
    ) -> Result<(usize, f64), QueryError> {
        let mut best: Option<(bool, f64, usize)> = None;
        for (at, candidate) in left.iter().enumerate() {
            self.limits.tick()?;
            if !self.can_run(scope, candidate, &plan.bound)? {
                continue;
            }
            let deferred = coerce::is_deferred(at, left, &plan.bound);
            let rows = self.expected(scope, candidate, plan, estimates)?;
            let better = match &best {
                None => true,
                Some((d, ..)) if self.as_written => *d && !deferred,
                Some((d, r, _)) => (deferred, rows) < (*d, *r),
            };
            if better {
                best = Some((deferred, rows, at));
            }
        }
        let Some((_, rows, at)) = best else {
            return Err(self.stuck(scope, &left[0], &plan.bound)?);
        };
        Ok((at, rows))
    }

    fn candidate<'a>(
        &self,
        scope: Scope<'_>,
        clause: &'a Clause,
    ) -> Result<Candidate<'a>, QueryError> {
        let source = match clause {
            Clause::Pattern(x) => self.source(scope, &x.source, &x.place)?,
            Clause::Rule(x) => self.source(scope, &x.source, &x.place)?,
            Clause::Not(x) => self.source(scope, &x.source, &x.place)?,
            Clause::Or(x) => self.source(scope, &x.source, &x.place)?,
            Clause::Call(_) => scope.source,
        };
        let facts = match clause {
            Clause::Pattern(pattern) => self.pattern_facts(scope, pattern, source)?,
            Clause::Rule(call) => {
                self.rules.check(call)?;
                Facts::Other
            }
            _ => Facts::Other,
        };
        Ok(Candidate {
            clause,
            source,
            facts,
        })
    }

    /// The index of a source; `None` where `$` is asked and not there.
    fn source(
        &self,
        scope: Scope<'_>,
        source: &SourceRef,
        place: &Arc<Place>,
    ) -> Result<Option<usize>, QueryError> {
        let name = match source {
            SourceRef::Default => return Ok(scope.source),
            // Inside `($x not …)` a written `$` is `$x` too.
            SourceRef::Named(name) if name.as_str() == "$" && scope.source.is_some() => {
                return Ok(scope.source);
            }
            SourceRef::Named(name) => name,
        };
        match self.sources.iter().position(|(known, _)| known == name) {
            Some(at) => Ok(Some(at)),
            None => Err(QueryError::SourceNotSupplied {
                source_name: name.clone(),
                place: Box::new(Place::clone(place)),
            }),
        }
    }

    fn pattern_facts(
        &self,
        scope: Scope<'_>,
        pattern: &Pattern,
        source: Option<usize>,
    ) -> Result<Facts, QueryError> {
        let missing = || QueryError::InvalidDataSource {
            found: "nil".to_owned(),
        };
        let at = source.ok_or_else(missing)?;
        match &self.sources[at].1 {
            Source::Db(db) => {
                let op = pattern_op(db, at, scope, pattern)?;
                Ok(Facts::Pattern(Box::new(op)))
            }
            Source::Rows(rows) => Ok(Facts::Rows(rows.len())),
            Source::Invalid(found) => Err(QueryError::InvalidDataSource {
                found: found.clone(),
            }),
        }
    }

    fn can_run(
        &self,
        scope: Scope<'_>,
        candidate: &Candidate<'_>,
        bound: &[Var],
    ) -> Result<bool, QueryError> {
        let all = |vars: &[Var]| vars.iter().all(|v| is_bound(scope, *v, bound));
        Ok(match (candidate.clause, &candidate.facts) {
            (Clause::Pattern(_), Facts::Pattern(op)) => {
                op.never
                    || op.attribute.is_some()
                    || op.terms[..3].iter().any(|term| match term {
                        Pos::Const(_) => true,
                        Pos::Free(var) => bound.contains(var),
                        Pos::Bound(_) | Pos::Blank => false,
                    })
            }
            (Clause::Pattern(_), _) => true,
            (Clause::Call(call), _) => {
                let mut inputs = Vec::new();
                call.inputs(&mut inputs);
                all(&inputs)
            }
            (Clause::Not(not), _) => all(&not.join),
            (Clause::Or(or), _) => {
                all(&or.required) && self.or_rows(scope, candidate.source, or, bound)?.is_some()
            }
            (Clause::Rule(call), _) => {
                let mask = self.mask(scope, call, bound);
                self.rules.required_bound(call, mask)
                    && self.rule_rows(candidate.source, call, mask)?.is_some()
            }
        })
    }

    /// The error of a clause that nothing can bind.
    fn stuck(
        &self,
        scope: Scope<'_>,
        candidate: &Candidate<'_>,
        bound: &[Var],
    ) -> Result<QueryError, QueryError> {
        let place = || Box::new(Place::clone(candidate.clause.place()));
        let mut needed: Vec<Var> = Vec::new();
        match candidate.clause {
            Clause::Pattern(_) => return Ok(QueryError::FullScan { place: place() }),
            Clause::Call(call) => call.inputs(&mut needed),
            Clause::Not(not) => needed.clone_from(&not.join),
            Clause::Or(or) => {
                needed.clone_from(&or.required);
                if needed.iter().all(|v| bound.contains(v)) {
                    return Ok(self
                        .or_op(scope, candidate.source, or, bound, 1.0)
                        .err()
                        .unwrap_or(QueryError::FullScan { place: place() }));
                }
            }
            Clause::Rule(call) => {
                let mask = self.mask(scope, call, bound);
                if self.rules.required_bound(call, mask) {
                    return Ok(self
                        .rule_plan(candidate.source, call, mask)
                        .err()
                        .unwrap_or(QueryError::FullScan { place: place() }));
                }
                needed = self.rules.required_of(call);
            }
        }
        needed.retain(|v| !is_bound(scope, *v, bound));
        let variables = needed.iter().map(|v| scope.names[v.0 as usize].clone());
        Ok(QueryError::InsufficientBinding {
            variables: variables.collect(),
            place: place(),
        })
    }

    fn op(
        &self,
        scope: Scope<'_>,
        candidate: Candidate<'_>,
        bound: &[Var],
        rows: f64,
    ) -> Result<Op, QueryError> {
        Ok(match (candidate.clause, candidate.facts) {
            (Clause::Pattern(_), Facts::Pattern(mut op)) => {
                mark_bound(&mut op.terms, bound);
                Op::Pattern(op)
            }
            (Clause::Pattern(pattern), _) => {
                let mut terms: Vec<Pos> = pattern.terms.iter().map(plain_pos).collect();
                mark_bound(&mut terms, bound);
                let source = candidate.source.unwrap_or_default();
                Op::Rows(RowsOp { source, terms })
            }
            (Clause::Call(call), _) => Op::Call(CallOp {
                call: call.clone(),
                source: candidate.source,
                decides: scope.decides,
            }),
            (Clause::Not(not), _) => Op::Not(self.not_op(scope, candidate.source, not)?),
            (Clause::Or(or), _) => Op::Or(self.or_op(scope, candidate.source, or, bound, rows)?),
            (Clause::Rule(call), _) => {
                let mask = self.mask(scope, call, bound);
                let mut arguments: Vec<Pos> = call.arguments.iter().map(plain_pos).collect();
                arguments.truncate(self.rules.arity(call));
                mark_bound(&mut arguments, bound);
                Op::Rule(RuleOp {
                    key: self.rules.key(candidate.source, call, mask),
                    arguments,
                })
            }
        })
    }

    fn not_op(
        &self,
        scope: Scope<'_>,
        source: Option<usize>,
        not: &Not,
    ) -> Result<NotOp, QueryError> {
        let inner = Scope { source, ..scope };
        let join: Vec<Var> = not.join.clone();
        let plan = self.plan(inner, &not.clauses, &join, 100.0)?;
        Ok(NotOp {
            join,
            plan: Rc::new(plan),
        })
    }

    /// The rows expected of an `or` for each row before it; `None` where a branch lacks bindings.
    fn or_rows(
        &self,
        scope: Scope<'_>,
        source: Option<usize>,
        or: &Or,
        bound: &[Var],
    ) -> Result<Option<f64>, QueryError> {
        let key = (std::ptr::from_ref(or), source, seed_of(or, bound));
        let known = self.ors.borrow().get(&key).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let op = feasible(self.or_op(scope, source, or, bound, 1.0))?;
        let rows = op.map(|op| op.branches.iter().map(|branch| branch.rows).sum());
        self.ors.borrow_mut().insert(key, rows);
        Ok(rows)
    }

    fn or_op(
        &self,
        scope: Scope<'_>,
        source: Option<usize>,
        or: &Or,
        bound: &[Var],
        rows: f64,
    ) -> Result<OrOp, QueryError> {
        let inner = Scope {
            source,
            decides: true,
            ..scope
        };
        let seed = seed_of(or, bound);
        let seed_rows = if seed.is_empty() { 1.0 } else { rows };
        let mut branches = Vec::with_capacity(or.branches.len());
        for branch in &or.branches {
            branches.push(self.plan(inner, branch, &seed, seed_rows)?);
        }
        let in_all = |v: &Var| branches.iter().all(|plan| plan.bound.contains(v));
        let out = or.join.iter().copied().filter(in_all).collect();
        Ok(OrOp {
            seed,
            out,
            branches,
        })
    }
}

/// What an `or` joins on that is bound before it.
fn seed_of(or: &Or, bound: &[Var]) -> Vec<Var> {
    let join = or.join.iter().copied();
    join.filter(|v| bound.contains(v)).collect()
}

/// The pattern with its constants resolved; variables are not yet marked bound.
fn pattern_op(
    db: &Db,
    source: usize,
    scope: Scope<'_>,
    pattern: &Pattern,
) -> Result<PatternOp, QueryError> {
    let mut terms = [const { Pos::Blank }; 5];
    for (pos, term) in terms.iter_mut().zip(&pattern.terms) {
        *pos = plain_pos(term);
    }
    let constant = |at: usize| match &terms[at] {
        Pos::Const(form) => Some(form),
        Pos::Free(var) => scope.constants.get(var),
        Pos::Blank | Pos::Bound(_) => None,
    };
    let place = &pattern.place;
    if let Some(Pos::Free(var)) = terms
        .iter()
        .find(|term| matches!(term, Pos::Free(var) if scope.objects.contains(var)))
    {
        return Err(QueryError::CannotResolve {
            key: Edn::from(Value::Symbol(scope.names[var.0 as usize].clone())),
            place: Some(Box::new(Place::clone(place))),
        });
    }
    let mut op = PatternOp {
        source,
        terms: [const { Pos::Blank }; 5],
        attribute: None,
        e: None,
        v: None,
        never: false,
        coerces: false,
        total: 0,
        narrowed: Narrowed::default(),
    };
    match constant(1)
        .map(|form| attribute(db, form, place))
        .transpose()?
    {
        Some(AttributeTerm::Known(attribute)) => op.attribute = Some(attribute),
        Some(AttributeTerm::None) => op.never = true,
        None => {}
    }
    if let Some(form) = constant(0) {
        op.e = Some(entity(db, form, place)?);
    }
    if let Some(form) = constant(2)
        && let Some(attribute) = &op.attribute
    {
        op.v = value(db, attribute, form, place)?;
        op.never |= op.v.is_none();
    }
    if let Some(form) = constant(3).filter(|form| is_no_transaction(form, &terms[3])) {
        return Err(unresolved(form, place));
    }
    op.never |= !pattern.mentions.is_empty();
    if !op.never {
        op.total = estimate::total(db, &op)?;
    }
    if let Pos::Const(form) = &mut terms[3] {
        *form = transaction(form);
    }
    op.terms = terms;
    Ok(op)
}

/// Whether a constant cannot stand for a transaction: a date, or anything written but a number.
fn is_no_transaction(form: &Edn, term: &Pos) -> bool {
    let is_number = clj::rank(form) == clj::rank(&Edn::long(0));
    let is_written = matches!(term, Pos::Const(_));
    matches!(form, Edn::Value(Value::Instant(_))) || is_written && !is_number
}

fn unresolved(form: &Edn, place: &Arc<Place>) -> QueryError {
    QueryError::CannotResolve {
        key: form.clone(),
        place: Some(Box::new(Place::clone(place))),
    }
}

/// The transaction that a written number means: its id, or its t.
fn transaction(form: &Edn) -> Edn {
    match form.as_long().map(u64::try_from) {
        Some(Ok(t)) if t < FIRST_TRANSACTION => Edn::from(Value::Ref(T::new(t).tx())),
        _ => form.clone(),
    }
}

/// Ids below are no ids of transactions.
const FIRST_TRANSACTION: u64 = 3 << 42;

fn plain_pos(term: &Term) -> Pos {
    match term {
        Term::Blank => Pos::Blank,
        Term::Var(var) => Pos::Free(*var),
        Term::Const(form) => Pos::Const(form.clone()),
    }
}

fn mark_bound(terms: &mut [Pos], bound: &[Var]) {
    for term in terms {
        if let Pos::Free(var) = term
            && bound.contains(var)
        {
            *term = Pos::Bound(*var);
        }
    }
}

fn is_bound(scope: Scope<'_>, var: Var, bound: &[Var]) -> bool {
    bound.contains(&var) || scope.objects.contains(&var)
}

/// A plan that lacks bindings is no plan yet; any other error stands.
fn feasible<T>(plan: Result<T, QueryError>) -> Result<Option<T>, QueryError> {
    match plan {
        Ok(plan) => Ok(Some(plan)),
        Err(QueryError::InsufficientBinding { .. } | QueryError::FullScan { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Clause {
    /// Adds what the clause, run as `op`, has bound.
    fn variables_bound(&self, op: &Op, into: &mut Vec<Var>) {
        match op {
            Op::Or(or) => or.out.iter().for_each(|v| push_new(into, *v)),
            Op::Not(_) => {}
            Op::Rule(rule) => {
                for (position, argument) in rule.arguments.iter().enumerate() {
                    if let Pos::Free(var) = argument
                        && rule.key.binds(position)
                    {
                        push_new(into, *var);
                    }
                }
            }
            Op::Call(call) => {
                let binding: Option<&Binding> = call.call.binding.as_ref();
                binding.into_iter().for_each(|b| b.variables(into));
            }
            Op::Pattern(_) | Op::Rows(_) => {
                if let Clause::Pattern(pattern) = self {
                    term_variables(&pattern.terms, into);
                }
            }
        }
    }
}

/// The sources that a call names, by the symbol it names them with.
pub(crate) fn call_source(
    env: &Env,
    default: Option<usize>,
    slot: &Slot,
    has_in: bool,
) -> Option<usize> {
    match slot {
        Slot::Source(SourceRef::Default) => default.or(if has_in { None } else { Some(0) }),
        Slot::Source(SourceRef::Named(name)) => {
            env.sources.iter().position(|(known, _)| known == name)
        }
        Slot::Var(_) => None,
    }
}

/// A mask of the arguments of a call that are bound.
impl Env {
    fn mask(&self, _scope: Scope<'_>, call: &RuleCall, bound: &[Var]) -> Mask {
        let mut mask = Mask::default();
        for (at, argument) in call.arguments.iter().enumerate().take(64) {
            let is_bound = match argument {
                Term::Blank => false,
                Term::Const(_) => true,
                Term::Var(var) => bound.contains(var),
            };
            if is_bound {
                mask.set(at);
            }
        }
        mask
    }
}
