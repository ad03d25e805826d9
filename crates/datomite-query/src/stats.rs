//! Query-stats: an execution as Datomic's `:query-stats` tells it.
//!
//! A phase is a list of clauses that run one after the other: the query's own, those of a `not`,
//! of the branches of an `or`, of the bodies of a rule. `:sched` has them in the order chosen
//! here, `:clauses` what each did. What differs: a predicate counts with the clause before it
//! (`:preds`), as in Datomic, but the rows are those that this engine had; a phase of a recursive
//! rule has the sums over its rounds instead of a phase for each round.

use datomite_model::{Edn, Symbol, Value};

use crate::ast::{Var, push_new};
use crate::explain::Trace;
use crate::plan::{Env, NotOp, Op, Plan, Pos, RuleKey, Step};

/// An argument that binds variables, as the clause that Datomic shows for it.
pub(crate) struct Ground {
    /// `[(ground $__in__2) [?x ...]]`
    pub(crate) clause: Edn,
    pub(crate) vars: Vec<Var>,
    /// Rows of all arguments up to this one.
    pub(crate) rows: u64,
}

impl Ground {
    /// The argument at a position of `:in`, from 1.
    pub(crate) fn new(position: usize, binding: &Edn, vars: Vec<Var>, rows: usize) -> Ground {
        let call = [
            Edn::symbol("ground"),
            Edn::symbol(&format!("$__in__{position}")),
        ];
        Ground {
            clause: Edn::Vector(vec![Edn::List(call.to_vec()), binding.clone()]),
            vars,
            rows: rows as u64,
        }
    }
}

/// The whole of a query.
pub(crate) struct Top<'a> {
    pub(crate) query: &'a Edn,
    pub(crate) grounds: &'a [Ground],
    pub(crate) names: &'a [Symbol],
    /// What `:find` and `:with` ask.
    pub(crate) asked: &'a [Var],
}

/// `{:query … :phases […]}`
pub(crate) fn query_stats(top: &Top<'_>, plan: &Plan, trace: &Trace, env: &Env) -> Edn {
    let mut phases = Phases {
        trace,
        env,
        rules: Vec::new(),
        done: Vec::new(),
    };
    let list = List {
        plan,
        names: top.names,
        grounds: top.grounds,
        bound: Vec::new(),
        asked: top.asked,
        source_rows: None,
    };
    phases.phase(&[list]);
    Edn::Map(vec![
        entry("query", top.query.clone()),
        entry("phases", Edn::Vector(phases.done)),
    ])
}

/// Clauses that run one after the other.
struct List<'a> {
    plan: &'a Plan,
    names: &'a [Symbol],
    grounds: &'a [Ground],
    /// What is bound before the first.
    bound: Vec<Var>,
    /// What is wanted of the last.
    asked: &'a [Var],
    /// Rows that arrive, where that is not told by the first clause.
    source_rows: Option<u64>,
}

struct Phases<'a> {
    trace: &'a Trace,
    env: &'a Env,
    rules: Vec<RuleKey>,
    done: Vec<Edn>,
}

impl Phases<'_> {
    /// Adds a phase of lists, and after it those that are nested in them.
    fn phase(&mut self, lists: &[List<'_>]) {
        let mut clauses = Vec::new();
        let mut sched = Vec::new();
        for list in lists {
            let grounds = list.grounds.iter().map(|ground| ground.clause.clone());
            let steps = list.plan.steps.iter().map(|step| shown(step, list.names));
            sched.push(Edn::List(grounds.chain(steps).collect()));
            self.clauses(list, &mut clauses);
        }
        self.done.push(Edn::Map(vec![
            entry("sched", Edn::List(sched)),
            entry("clauses", Edn::Vector(clauses)),
        ]));
        for list in lists {
            for step in &list.plan.steps {
                self.nested(step, list.names);
            }
        }
    }

    fn nested(&mut self, step: &Step, names: &[Symbol]) {
        let inner = |plan, bound: &[Var], asked| List {
            plan,
            names,
            grounds: &[],
            bound: bound.to_vec(),
            asked,
            source_rows: Some(self.trace.of(step).rows_in),
        };
        match &step.op {
            Op::Not(op) => {
                let list = inner(&op.plan, &op.join, &op.join);
                self.phase(&[list]);
            }
            Op::Or(op) => {
                let branches = op.branches.iter();
                let lists: Vec<List<'_>> = branches
                    .map(|plan| inner(plan, &op.seed, &op.out))
                    .collect();
                self.phase(&lists);
            }
            Op::Rule(op) if !self.rules.contains(&op.key) => {
                self.rules.push(op.key);
                let plan = self.env.rules.plan_of(op.key);
                let bodies = plan.bodies.iter().enumerate();
                let lists: Vec<List<'_>> = bodies
                    .map(|(at, (head, body))| List {
                        plan: body,
                        names: self.env.rules.names(op.key, at),
                        grounds: &[],
                        bound: (0..head.len())
                            .filter(|at| op.key.mask.has(*at))
                            .map(|at| head[at])
                            .collect(),
                        asked: head,
                        source_rows: None,
                    })
                    .collect();
                self.phase(&lists);
            }
            _ => {}
        }
    }

    /// What each clause of a list did; a predicate counts with the clause before it.
    fn clauses(&self, list: &List<'_>, into: &mut Vec<Edn>) {
        let mut bound = list.bound.clone();
        let mut rows = 0;
        let first = into.len();
        for (at, ground) in list.grounds.iter().enumerate() {
            let before = live(&bound, list, 0, at);
            ground.vars.iter().for_each(|v| push_new(&mut bound, *v));
            let after = live(&bound, list, 0, at + 1);
            let told = Told {
                clause: ground.clause.clone(),
                rows: (rows, ground.rows),
                binds: (names_of(&before, list), names_of(&after, list)),
                warns: None,
                preds: Vec::new(),
            };
            into.push(told.into_edn(into.len() == first));
            rows = ground.rows;
        }
        let grounds = list.grounds.len();
        let mut pending: Option<Told> = None;
        for (at, step) in list.plan.steps.iter().enumerate() {
            let measured = self.trace.of(step);
            let before = live(&bound, list, at, grounds);
            binds(step, &mut bound);
            let after = live(&bound, list, at + 1, grounds);
            let is_predicate = matches!(&step.op, Op::Call(op) if op.call.binding.is_none());
            if let Some(told) = pending.as_mut().filter(|_| is_predicate) {
                told.preds.push(step.place.form.clone());
                told.rows.1 = measured.rows_out;
                told.binds.1 = names_of(&after, list);
                continue;
            }
            if let Some(told) = pending.take() {
                into.push(told.into_edn(into.len() == first));
            }
            let alone = at == 0 && grounds == 0 && list.bound.is_empty();
            let rows_in = match (alone, list.source_rows) {
                (true, None) => 0,
                _ => measured.rows_in,
            };
            pending = Some(Told {
                clause: shown(step, list.names),
                rows: (rows_in, measured.rows_out),
                binds: (names_of(&before, list), names_of(&after, list)),
                warns: unbound(step, list),
                preds: Vec::new(),
            });
        }
        if let Some(told) = pending {
            into.push(told.into_edn(into.len() == first));
        }
    }
}

/// One clause of a phase.
struct Told {
    clause: Edn,
    rows: (u64, u64),
    binds: (Vec<Edn>, Vec<Edn>),
    warns: Option<Vec<Edn>>,
    preds: Vec<Edn>,
}

impl Told {
    fn into_edn(self, is_first: bool) -> Edn {
        let (rows_in, rows_out) = self.rows;
        let binds_in = match is_first {
            true => Edn::List(self.binds.0),
            false => Edn::Vector(self.binds.0),
        };
        let mut entries = vec![
            entry("clause", self.clause),
            entry("rows-in", count(rows_in)),
            entry("rows-out", count(rows_out)),
            entry("binds-in", binds_in),
            entry("binds-out", Edn::Vector(self.binds.1)),
        ];
        if !self.preds.is_empty() {
            entries.push(entry("preds", Edn::List(self.preds)));
        }
        if rows_out > rows_in {
            entries.push(entry("expansion", count(rows_out - rows_in)));
        }
        if let Some(vars) = self.warns {
            let warnings = vec![entry("unbound-vars", Edn::Set(vars))];
            entries.push(entry("warnings", Edn::Map(warnings)));
        }
        Edn::Map(entries)
    }
}

/// The bound variables that the steps from one on, or the asker, still read.
fn live(bound: &[Var], list: &List<'_>, from: usize, from_ground: usize) -> Vec<Var> {
    let mut wanted = list.asked.to_vec();
    for ground in list.grounds.iter().skip(from_ground) {
        ground.vars.iter().for_each(|v| push_new(&mut wanted, *v));
    }
    for step in &list.plan.steps[from..] {
        reads(step, &mut wanted);
    }
    bound
        .iter()
        .copied()
        .filter(|v| wanted.contains(v))
        .collect()
}

fn positions(step: &Step) -> &[Pos] {
    match &step.op {
        Op::Pattern(op) => &op.terms,
        Op::Rows(op) => &op.terms,
        Op::Rule(op) => &op.arguments,
        Op::Call(_) | Op::Not(_) | Op::Or(_) => &[],
    }
}

/// Adds the variables that a step reads or binds.
fn reads(step: &Step, into: &mut Vec<Var>) {
    for term in positions(step) {
        if let Pos::Free(var) | Pos::Bound(var) = term {
            push_new(into, *var);
        }
    }
    match &step.op {
        Op::Call(op) => {
            op.call.inputs(into);
            op.call.binding.iter().for_each(|b| b.variables(into));
        }
        Op::Not(op) => op.join.iter().for_each(|v| push_new(into, *v)),
        Op::Or(op) => {
            let vars = op.seed.iter().chain(&op.out);
            vars.for_each(|v| push_new(into, *v));
        }
        Op::Pattern(_) | Op::Rows(_) | Op::Rule(_) => {}
    }
}

/// Adds the variables that a step binds.
fn binds(step: &Step, into: &mut Vec<Var>) {
    match &step.op {
        Op::Not(_) => {}
        Op::Call(op) => op.call.binding.iter().for_each(|b| b.variables(into)),
        Op::Or(op) => op.out.iter().for_each(|v| push_new(into, *v)),
        Op::Pattern(_) | Op::Rows(_) | Op::Rule(_) => {
            for (at, term) in positions(step).iter().enumerate() {
                let binds = match &step.op {
                    Op::Rule(op) => op.key.binds(at),
                    _ => true,
                };
                if let Pos::Free(var) | Pos::Bound(var) = term
                    && binds
                {
                    push_new(into, *var);
                }
            }
        }
    }
}

/// The variables of a pattern that reads all of an attribute: nothing in it is bound.
fn unbound(step: &Step, list: &List<'_>) -> Option<Vec<Edn>> {
    let Op::Pattern(op) = &step.op else {
        return None;
    };
    let is_bound = op.e.is_some() || op.terms.iter().any(|term| matches!(term, Pos::Bound(_)));
    let mut vars = Vec::new();
    reads(step, &mut vars);
    (!is_bound).then(|| names_of(&vars, list))
}

fn names_of(vars: &[Var], list: &List<'_>) -> Vec<Edn> {
    vars.iter().map(|var| name_of(*var, list.names)).collect()
}

fn name_of(var: Var, names: &[Symbol]) -> Edn {
    Edn::from(Value::Symbol(names[var.0 as usize].clone()))
}

/// The clause as Datomic shows it: `not` and `or` with the variables that they join on.
fn shown(step: &Step, names: &[Symbol]) -> Edn {
    let vars = |vars: &[Var]| Edn::Vector(vars.iter().map(|v| name_of(*v, names)).collect());
    match &step.op {
        Op::Not(NotOp { join, .. }) => {
            let items = step.place.form.as_sequence().unwrap_or_default();
            let is_join = items.iter().any(|item| *item == Edn::symbol("not-join"));
            if is_join {
                return step.place.form.clone();
            }
            let head = items.iter().position(|item| *item == Edn::symbol("not"));
            let inner = items.iter().skip(head.map_or(1, |at| at + 1)).cloned();
            let start = [Edn::symbol("not-join"), vars(join)];
            Edn::List(start.into_iter().chain(inner).collect())
        }
        Op::Or(op) => {
            let mut join = op.seed.clone();
            op.out.iter().for_each(|v| push_new(&mut join, *v));
            Edn::List(vec![Edn::symbol("or-join"), vars(&join)])
        }
        _ => step.place.form.clone(),
    }
}

fn entry(name: &str, value: Edn) -> (Edn, Edn) {
    (Edn::keyword(name), value)
}

fn count(n: u64) -> Edn {
    Edn::long(i64::try_from(n).unwrap_or(i64::MAX))
}
