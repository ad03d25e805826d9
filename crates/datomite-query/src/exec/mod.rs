//! Runs a plan: one step after the other over columns of rows.
//!
//! Nothing here chooses an order or an index range by guess: the plan says what is bound, and each
//! step picks its way by the exact number of rows it is given. `not` and `or` run their plans over
//! the distinct values of the variables they join on.

mod binding;
mod call;
mod closure;
mod join;
mod pattern;
mod rules;
mod values;

use std::cell::Cell;

use datomite_model::{Edn, Index};

use crate::QueryError;
use crate::ast::Var;
use crate::builtins::Context;
use crate::explain::{Operator, Trace, Used};
use crate::input::Input;
use crate::meet::Meet;
use crate::options::{Limits, Stopwatch};
use crate::plan::{Env, NotOp, Op, OrOp, Plan, Pos, RowsOp, Source, Step};
use crate::relation::{Col, Relation};

pub(crate) use binding::input_relation;
pub(crate) use join::join;

/// An execution.
pub(crate) struct Exec<'a> {
    pub(crate) env: &'a Env,
    pub(crate) context: &'a Context<'a>,
    pub(crate) limits: &'a Limits,
    /// Variables that hold a database or a log.
    pub(crate) objects: &'a [(Var, &'a Input)],
    pub(crate) has_in: bool,
    /// How deep negations call rules inside rules.
    pub(crate) depth: Cell<u32>,
    /// What the running step used.
    pub(crate) used: Cell<Used>,
    /// What is measured, where somebody asks.
    pub(crate) trace: Option<Trace>,
}

impl Exec<'_> {
    /// Runs the top-level plan.
    pub(crate) fn run_top(&self, plan: &Plan, rows: Relation) -> Result<Relation, QueryError> {
        self.run(plan, rows)
    }

    /// Runs a plan over rows.
    fn run(&self, plan: &Plan, rows: Relation) -> Result<Relation, QueryError> {
        plan.steps
            .iter()
            .try_fold(rows, |rows, step| self.step(step, rows))
    }

    fn step(&self, step: &Step, rows: Relation) -> Result<Relation, QueryError> {
        let Some(trace) = &self.trace else {
            return self.run_step(step, rows);
        };
        let (rows_in, watch) = (rows.len, Stopwatch::start());
        self.used.set(Used::default());
        let rows = self.run_step(step, rows)?;
        trace.note(step, (rows_in, rows.len), watch.elapsed(), self.used.get());
        Ok(rows)
    }

    /// Tells what the running step used.
    fn uses(&self, operator: Operator, index: impl Into<Option<Index>>) {
        let used = Used::of(operator, index.into());
        self.used.set(used);
        if let Some(trace) = &self.trace {
            trace.count(used);
        }
    }

    fn run_step(&self, step: &Step, rows: Relation) -> Result<Relation, QueryError> {
        self.limits.within(&step.place, || self.run_op(step, rows))
    }

    fn run_op(&self, step: &Step, rows: Relation) -> Result<Relation, QueryError> {
        let rows = match &step.op {
            Op::Pattern(op) => match &self.env.sources[op.source].1 {
                Source::Db(db) => pattern::run(self, db, op, &step.place, rows)?,
                Source::Rows(_) | Source::Invalid(_) => rows,
            },
            Op::Rows(op) => self.collection(op, rows)?,
            Op::Call(op) => self.call(op, rows)?,
            Op::Not(op) => self.not(op, rows)?,
            Op::Or(op) => self.or(op, rows)?,
            Op::Rule(op) => self.rule(op, &step.place, rows)?,
        };
        self.limits.rows(rows.len)?;
        Ok(rows)
    }

    fn not(&self, op: &NotOp, rows: Relation) -> Result<Relation, QueryError> {
        // A database in a variable is the same in every row.
        let join: Vec<Var> = op.join.iter().copied().filter(|v| rows.has(*v)).collect();
        if rows.len == 0 {
            return Ok(rows);
        }
        let seed = rows.clone().project(&join, self.limits)?;
        let held = self.limits.hold(rows.bytes());
        let found = self.run(&op.plan, seed)?;
        drop(held);
        self.uses(Operator::AntiJoin, None);
        if join.is_empty() {
            let vars = rows.vars.clone();
            return Ok(if found.len == 0 {
                rows
            } else {
                Relation::empty(vars)
            });
        }
        join::semi(rows, &found, &join, false, Meet::Stored, self.limits)
    }

    fn or(&self, op: &OrOp, rows: Relation) -> Result<Relation, QueryError> {
        let seed = if op.seed.is_empty() {
            Relation::unit()
        } else {
            rows.clone().project(&op.seed, self.limits)?
        };
        let _held = self.limits.hold(rows.bytes());
        let mut found: Option<Relation> = None;
        for branch in &op.branches {
            let waits = found.as_ref().map_or(0, Relation::bytes);
            let _held = self.limits.hold(waits);
            let branch = self.run(branch, seed.clone())?;
            let branch = branch.project(&op.out, self.limits)?;
            found = Some(match found {
                None => branch,
                Some(found) => self.append(found, branch)?,
            });
        }
        self.uses(Operator::Union, None);
        let found = found.unwrap_or_else(|| Relation::empty(op.out.clone()));
        let found = found.project(&op.out, self.limits)?;
        if op.out.iter().all(|v| rows.has(*v)) {
            return Ok(match op.out.is_empty() {
                true if found.len == 0 => Relation::empty(rows.vars),
                true => rows,
                false => join::semi(rows, &found, &op.out, true, Meet::Clojure, self.limits)?,
            });
        }
        join::join(rows, found, Meet::Clojure, self.limits)
    }

    /// The rows of both.
    fn append(&self, rows: Relation, more: Relation) -> Result<Relation, QueryError> {
        self.limits.rows(rows.len.saturating_add(more.len))?;
        self.limits
            .bytes(rows.bytes().saturating_add(more.bytes()))?;
        Ok(rows.append(more))
    }

    /// A pattern over a collection: any arity, no coercion.
    fn collection(&self, op: &RowsOp, rows: Relation) -> Result<Relation, QueryError> {
        let Source::Rows(tuples) = &self.env.sources[op.source].1 else {
            return Ok(rows);
        };
        self.uses(Operator::Collection, None);
        let mut vars: Vec<Var> = Vec::new();
        let mut cols: Vec<Vec<Edn>> = Vec::new();
        let mut len = 0;
        for tuple in tuples {
            self.limits.tick()?;
            let mut values: Vec<(Var, &Edn)> = Vec::new();
            let mut matches = true;
            for (at, term) in op.terms.iter().enumerate() {
                if matches!(term, Pos::Blank) {
                    continue;
                }
                // What came before decides first: a row that does not match may be too short.
                if !matches {
                    break;
                }
                let value = tuple.get(at).ok_or_else(|| too_short(tuple))?;
                match term {
                    Pos::Const(form) => matches &= Meet::Clojure.forms(form, value),
                    Pos::Free(var) | Pos::Bound(var) => {
                        match values.iter().find(|(known, _)| known == var) {
                            Some((_, known)) => {
                                matches &= Meet::Clojure.forms(known, value);
                            }
                            None => values.push((*var, value)),
                        }
                    }
                    Pos::Blank => {}
                }
            }
            if !matches {
                continue;
            }
            len += 1;
            for (var, value) in values {
                let at = vars.iter().position(|v| *v == var).unwrap_or_else(|| {
                    vars.push(var);
                    cols.push(Vec::new());
                    vars.len() - 1
                });
                cols[at].push(value.clone());
            }
        }
        for term in &op.terms {
            if let Pos::Free(var) | Pos::Bound(var) = term
                && !vars.contains(var)
            {
                vars.push(*var);
                cols.push(Vec::new());
            }
        }
        let cols = cols.into_iter().map(Col::of_forms).collect();
        let found = Relation::new(vars, cols, len);
        join::join(rows, found, Meet::Clojure, self.limits)
    }
}

fn too_short(tuple: &[Edn]) -> QueryError {
    QueryError::BindingMismatch {
        binding: Edn::Nil,
        found: Edn::Vector(tuple.to_vec()),
        message: "the row is shorter than the pattern",
    }
}
