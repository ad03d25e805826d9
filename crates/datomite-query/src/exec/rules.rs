//! Rules: a body at a time where nothing recurs, a fixpoint on what is asked where it does.
//!
//! A call passes the distinct values of its bound arguments; only rows for these are derived
//! (demand, as magic sets do). A recursive rule, its source and its bound arguments make a node
//! with two growing tables: what was asked and what was found. Each body is a pipeline cut at its
//! recursive calls; at a cut the rows that arrived so far are kept. In each round, rows new on the
//! left of a cut meet all answers and old ones meet the new answers, so that no pair meets twice
//! (semi-naive). A recursion through `not` evaluates the negated call on its own first.

use std::rc::Rc;
use std::sync::Arc;

use datomite_model::Index;
use rustc_hash::FxHashMap;

use super::Exec;
use super::join::{self, Pairs, RowIndex, Table};
use crate::QueryError;
use crate::ast::Var;
use crate::error::Place;
use crate::explain::{Operator, Used};
use crate::meet::Meet;
use crate::options::{Held, Limits, Stopwatch};
use crate::plan::{Op, Plan, Pos, RuleKey, RuleOp, RulePlan};
use crate::relation::{Col, Relation};

/// How deep a rule may lead through negations to itself: each level is on the stack of the thread
/// that asks, and takes more of it where nothing is optimized.
const DEPTH_MAX: u32 = if cfg!(debug_assertions) { 32 } else { 64 };

/// A rule with one set of bound arguments inside a fixpoint.
struct Node {
    plan: Rc<RulePlan>,
    asked: Table,
    found: Table,
    /// New in the last round.
    new_asked: Relation,
    new_found: Relation,
    /// Being collected in this round.
    next_asked: Vec<Relation>,
    next_found: Vec<Relation>,
    bodies: Vec<Vec<Cut>>,
}

/// A recursive call in a body.
struct Cut {
    /// Which step of the body it is.
    step: usize,
    /// The rows that arrived, and their index by the arguments that join.
    arrived: Relation,
    index: RowIndex,
    begun: bool,
}

/// The arguments of a rule are numbered; inside a node these are its variables.
fn argument(at: usize) -> Var {
    Var(at as u32)
}

impl Exec<'_> {
    /// Runs a call of a rule over rows.
    pub(super) fn rule(
        &self,
        op: &RuleOp,
        place: &Arc<Place>,
        rows: Relation,
    ) -> Result<Relation, QueryError> {
        let seed = seed(op, &rows, self.limits)?;
        let held = self.limits.hold(rows.bytes());
        let found = self.derive(op.key, seed, place)?;
        drop(held);
        let found = as_seen_by(op, found, self.limits)?;
        let bound: Vec<Var> = found
            .vars
            .iter()
            .copied()
            .filter(|v| rows.has(*v))
            .collect();
        if bound.len() == found.vars.len() {
            return Ok(match bound.is_empty() {
                true if found.len == 0 => Relation::empty(rows.vars),
                true => rows,
                false => join::semi(rows, &found, &bound, true, Meet::Clojure, self.limits)?,
            });
        }
        join::join(rows, found, Meet::Clojure, self.limits)
    }

    /// All rows of a rule over its arguments for the asked values of the bound ones.
    fn derive(
        &self,
        key: RuleKey,
        asked: Relation,
        place: &Arc<Place>,
    ) -> Result<Relation, QueryError> {
        let plan = self.env.rules.plan_of(key);
        if let Some(closure) = &plan.closure
            && let Some(found) = self.closure(closure, key.mask, &asked)?
        {
            self.uses(Operator::Closure, Index::Aevt);
            return Ok(found);
        }
        if plan.recursive {
            if self.depth.get() >= DEPTH_MAX {
                let (name, _) = self.env.rules.about(key.rule);
                return Err(QueryError::NegativeCycle {
                    name,
                    place: Box::new(Place::clone(place)),
                });
            }
            self.depth.set(self.depth.get() + 1);
            let found = Fixpoint::run(self, key, asked);
            self.depth.set(self.depth.get() - 1);
            self.uses(Operator::Fixpoint, None);
            return found;
        }
        let mut all: Option<Relation> = None;
        for (head, body) in &plan.bodies {
            let _held = self.limits.hold(all.as_ref().map_or(0, Relation::bytes));
            let rows = self.run(body, to_head(asked.clone(), head))?;
            let rows = to_arguments(rows, head, &plan, self.limits)?;
            all = Some(match all {
                None => rows,
                Some(all) => self.append(all, rows)?,
            });
        }
        self.uses(Operator::Rule, None);
        let all = all.unwrap_or_default();
        let vars = all.vars.clone();
        all.project(&vars, self.limits)
    }
}

/// The distinct values of the bound arguments.
fn seed(op: &RuleOp, rows: &Relation, limits: &Limits) -> Result<Relation, QueryError> {
    let mut seed = Relation::new(Vec::new(), Vec::new(), rows.len);
    for (at, term) in op.arguments.iter().enumerate() {
        match term {
            Pos::Const(form) => seed.push(argument(at), Col::Const(form.clone())),
            Pos::Bound(var) => {
                let col = rows.col(*var);
                let col = col.expect("invariant: a bound argument has a column");
                seed.push(argument(at), col.clone());
            }
            Pos::Free(_) | Pos::Blank => {}
        }
    }
    if seed.vars.is_empty() {
        return Ok(Relation {
            len: rows.len.min(1),
            ..Relation::unit()
        });
    }
    let vars = seed.vars.clone();
    seed.project(&vars, limits)
}

/// Rows over arguments as rows over the variables of a call.
fn as_seen_by(op: &RuleOp, found: Relation, limits: &Limits) -> Result<Relation, QueryError> {
    let mut result = Relation::new(Vec::new(), Vec::new(), found.len);
    let mut keep: Option<Vec<bool>> = None;
    for (at, term) in op.arguments.iter().enumerate() {
        let Some(col) = found.col(argument(at)) else {
            continue;
        };
        // A recursive rule answers what its own calls asked, too: a constant chooses among rows.
        let known = match term {
            Pos::Blank => continue,
            Pos::Const(form) => Col::Const(form.clone()),
            Pos::Bound(var) | Pos::Free(var) => match result.col(*var) {
                Some(known) => known.clone(),
                None => {
                    result.push(*var, col.clone());
                    continue;
                }
            },
        };
        let keep = keep.get_or_insert_with(|| vec![true; found.len]);
        for (row, keep) in keep.iter_mut().enumerate() {
            *keep &= known.eq_rows(row, col, row, Meet::Clojure);
        }
    }
    let whole = keep.is_none() && result.vars.len() == found.vars.len();
    let result = match keep {
        Some(keep) => result.filter(limits, |row| keep[row])?,
        None => result,
    };
    if whole {
        return Ok(Relation {
            key: Some(result.vars.clone()),
            ..result
        });
    }
    if result.vars.is_empty() {
        return Ok(Relation {
            len: result.len.min(1),
            ..Relation::unit()
        });
    }
    let vars = result.vars.clone();
    result.project(&vars, limits)
}

/// Rows over arguments as rows over the head of a body.
fn to_head(asked: Relation, head: &[Var]) -> Relation {
    let rename = |v: &Var| head[v.0 as usize];
    Relation {
        vars: asked.vars.iter().map(rename).collect(),
        key: asked.key.map(|key| key.iter().map(rename).collect()),
        dependencies: Vec::new(),
        sorted_by: asked.sorted_by.map(|v| rename(&v)),
        ..asked
    }
}

/// The rows of a body over the arguments that the rule binds.
fn to_arguments(
    rows: Relation,
    head: &[Var],
    plan: &RulePlan,
    limits: &Limits,
) -> Result<Relation, QueryError> {
    let out = (0..head.len()).filter(|at| plan.out.has(*at));
    let positions: Vec<usize> = out.collect();
    let vars: Vec<Var> = positions.iter().map(|at| head[*at]).collect();
    let rows = rows.project(&vars, limits)?;
    let vars: Vec<Var> = positions.iter().map(|at| argument(*at)).collect();
    Ok(Relation {
        key: Some(vars.clone()),
        vars,
        dependencies: Vec::new(),
        sorted_by: None,
        ..rows
    })
}

impl Node {
    /// Bytes of the tables, indexes and of the rows that wait at cuts.
    fn bytes(&self) -> u64 {
        let table = |rows: &Relation| rows.bytes() + INDEXED_BYTES * rows.len as u64;
        let cuts = self.bodies.iter().flatten();
        let arrived: u64 = cuts.map(|cut| table(&cut.arrived)).sum();
        table(&self.asked.rows) + table(&self.found.rows) + arrived
    }
}

/// Bytes of a row in an index by hash.
const INDEXED_BYTES: u64 = 24;

struct Fixpoint<'a> {
    exec: &'a Exec<'a>,
    nodes: Vec<Node>,
    by_key: FxHashMap<RuleKey, usize>,
    /// What the tables take while bodies run.
    held: Option<Held<'a>>,
}

impl<'a> Fixpoint<'a> {
    fn run(exec: &'a Exec<'a>, key: RuleKey, asked: Relation) -> Result<Relation, QueryError> {
        let mut fixpoint = Fixpoint {
            exec,
            nodes: Vec::new(),
            by_key: FxHashMap::default(),
            held: None,
        };
        let start = fixpoint.node(key);
        fixpoint.nodes[start].next_asked.push(asked);
        while fixpoint.turn()? {
            for at in 0..fixpoint.nodes.len() {
                for body in 0..fixpoint.nodes[at].bodies.len() {
                    fixpoint.body(at, body)?;
                }
            }
        }
        Ok(fixpoint.nodes.swap_remove(start).found.rows)
    }

    /// Makes what was collected the news of the next round; false when there is none.
    fn turn(&mut self) -> Result<bool, QueryError> {
        let mut any = false;
        for node in &mut self.nodes {
            let limits = self.exec.limits;
            node.new_asked = merge(
                &mut node.asked,
                std::mem::take(&mut node.next_asked),
                limits,
            )?;
            node.new_found = merge(
                &mut node.found,
                std::mem::take(&mut node.next_found),
                limits,
            )?;
            any |= node.new_asked.len > 0 || node.new_found.len > 0;
            limits.rows(node.found.rows.len)?;
        }
        self.held = None;
        let bytes = self.nodes.iter().map(Node::bytes).sum();
        self.exec.limits.bytes(bytes)?;
        self.held = Some(self.exec.limits.hold(bytes));
        Ok(any)
    }

    /// The node of a call, made on first use.
    fn node(&mut self, key: RuleKey) -> usize {
        let plan = self.exec.env.rules.plan_of(key);
        let key = RuleKey {
            out: plan.out,
            ..key
        };
        if let Some(at) = self.by_key.get(&key) {
            return *at;
        }
        let arity = plan.bodies.first().map_or(0, |(head, _)| head.len());
        let vars = |mask: crate::plan::Mask| -> Vec<Var> {
            (0..arity)
                .filter(|at| mask.has(*at))
                .map(argument)
                .collect()
        };
        let bodies = plan.bodies.iter().map(|(_, body)| self.cuts(key, body));
        let node = Node {
            asked: Table::new(vars(key.mask)),
            found: Table::new(vars(plan.out)),
            new_asked: Relation::empty(vars(key.mask)),
            new_found: Relation::empty(vars(plan.out)),
            next_asked: Vec::new(),
            next_found: Vec::new(),
            bodies: bodies.collect(),
            plan: Rc::clone(&plan),
        };
        self.nodes.push(node);
        self.by_key.insert(key, self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    fn cuts(&self, key: RuleKey, body: &Plan) -> Vec<Cut> {
        let steps = body.steps.iter().enumerate();
        steps
            .filter(|(_, step)| match &step.op {
                Op::Rule(op) => self.exec.env.rules.together(op.key.rule, key.rule),
                _ => false,
            })
            .map(|(step, _)| Cut {
                step,
                arrived: Relation::default(),
                index: RowIndex::new(Vec::new()),
                begun: false,
            })
            .collect()
    }

    /// One round of one body.
    fn body(&mut self, at: usize, body: usize) -> Result<(), QueryError> {
        let plan = Rc::clone(&self.nodes[at].plan);
        let (head, steps) = &plan.bodies[body];
        let asked = self.nodes[at].new_asked.clone();
        let mut rows = (asked.len > 0).then(|| to_head(asked, head));
        let mut from = 0;
        let cuts = self.nodes[at].bodies[body].len();
        for cut in 0..cuts {
            let step = self.nodes[at].bodies[body][cut].step;
            if let Some(arriving) = rows.take() {
                rows = Some(self.steps(steps, from..step, arriving)?);
            }
            let Op::Rule(op) = &steps.steps[step].op else {
                continue;
            };
            let arrived = rows.as_ref().map_or(0, |rows| rows.len);
            let watch = self.exec.trace.as_ref().map(|_| Stopwatch::start());
            rows = self.cross(at, body, cut, op, rows)?;
            if let (Some(trace), Some(watch)) = (&self.exec.trace, watch) {
                let left = rows.as_ref().map_or(0, |rows| rows.len);
                let used = Used::of(Operator::Fixpoint, None);
                trace.note(&steps.steps[step], (arrived, left), watch.elapsed(), used);
            }
            from = step + 1;
        }
        if let Some(rows) = rows {
            let rows = self.steps(steps, from..steps.steps.len(), rows)?;
            let rows = to_arguments(rows, head, &plan, self.exec.limits)?;
            self.nodes[at].next_found.push(rows);
        }
        Ok(())
    }

    fn steps(
        &self,
        plan: &Plan,
        range: std::ops::Range<usize>,
        rows: Relation,
    ) -> Result<Relation, QueryError> {
        plan.steps[range]
            .iter()
            .try_fold(rows, |rows, step| self.exec.step(step, rows))
    }

    /// Rows through a recursive call: asks for what is new, and joins what is known.
    fn cross(
        &mut self,
        at: usize,
        body: usize,
        cut: usize,
        op: &RuleOp,
        arriving: Option<Relation>,
    ) -> Result<Option<Relation>, QueryError> {
        let callee = self.node(op.key);
        let arriving = arriving.filter(|rows| rows.len > 0);
        let limits = self.exec.limits;
        if let Some(rows) = &arriving {
            let asked = seed(op, rows, limits)?;
            self.nodes[callee].next_asked.push(asked);
        }
        let all = as_seen_by(op, self.nodes[callee].found.rows.clone(), limits)?;
        let new = as_seen_by(op, self.nodes[callee].new_found.clone(), limits)?;
        let mut state = std::mem::replace(
            &mut self.nodes[at].bodies[body][cut],
            Cut {
                step: 0,
                arrived: Relation::default(),
                index: RowIndex::new(Vec::new()),
                begun: false,
            },
        );
        let mut out: Option<Relation> = None;
        if state.begun && new.len > 0 {
            let shared: Vec<Var> = state
                .arrived
                .vars
                .iter()
                .copied()
                .filter(|v| new.has(*v))
                .collect();
            let met = state
                .index
                .pairs(&new, &new.positions(&shared), &state.arrived, limits)?;
            let met = Pairs {
                left: met.right,
                right: met.left,
            };
            out = Some(join::glue(&state.arrived, &new, &met, limits)?);
        }
        if let Some(rows) = arriving {
            let met = join::join(rows.clone(), all, Meet::Clojure, limits)?;
            out = Some(match out {
                None => met,
                Some(out) => self.exec.append(out, met)?,
            });
            state.keep(rows, &new.vars, limits)?;
        }
        self.nodes[at].bodies[body][cut] = state;
        Ok(out.filter(|rows| rows.len > 0))
    }
}

impl Cut {
    /// Keeps rows that arrived, for answers to come.
    fn keep(
        &mut self,
        rows: Relation,
        answer_vars: &[Var],
        limits: &Limits,
    ) -> Result<(), QueryError> {
        if self.begun {
            self.arrived = std::mem::take(&mut self.arrived).append(rows);
        } else {
            let shared: Vec<Var> = rows
                .vars
                .iter()
                .copied()
                .filter(|v| answer_vars.contains(v))
                .collect();
            self.index = RowIndex::new(rows.positions(&shared));
            self.arrived = rows;
            self.begun = true;
        }
        self.index.extend(&self.arrived, limits)
    }
}

/// Adds what was collected to a table; returns what was not there.
fn merge(
    table: &mut Table,
    collected: Vec<Relation>,
    limits: &Limits,
) -> Result<Relation, QueryError> {
    let mut all: Option<Relation> = None;
    for rows in collected {
        all = Some(match all {
            None => rows,
            Some(all) => all.append(rows),
        });
    }
    let vars = table.rows.vars.clone();
    let Some(all) = all else {
        return Ok(Relation::empty(vars));
    };
    if vars.is_empty() {
        // A call without arguments is asked, or holds, once.
        let fresh = usize::from(table.rows.len == 0 && all.len > 0);
        table.rows.len += fresh;
        return Ok(Relation {
            len: fresh,
            ..Relation::unit()
        });
    }
    table.add(all.project(&vars, limits)?, limits)
}
