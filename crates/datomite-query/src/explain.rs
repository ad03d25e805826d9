//! `explain`: the order of the clauses, operator and index of each, expected and actual rows, time.
//!
//! Everything but `expected` is measured while the query runs. A step that runs several times (in
//! a body of a recursive rule) has the sums over its runs. It reports what was planned and what
//! happened; it decides nothing. The form of it that Datomic's users know is `stats.rs`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use datomite_model::{Edn, Index, Value};
use rustc_hash::FxHashMap;

use crate::plan::{Env, Op, Plan, RuleKey, Step};

/// How a step was run. The names are stable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Operator {
    /// Nothing was read: no rows arrived, nothing can match, or the step never ran.
    #[default]
    Nothing,
    /// The range of an index that the constants leave, joined with the rows so far.
    Scan,
    /// An attribute's rows by entity and the rows so far, walked together.
    Merge,
    /// A range of EAVT for each entity of the rows so far.
    EachEntity,
    /// A range of AVET or VAET for each value of the rows so far.
    EachValue,
    /// A range for each row so far, where the attribute is known only then.
    AnyAttribute,
    /// The entities that have a value, joined with the rows so far.
    ValueSet,
    /// Rows of a collection.
    Collection,
    /// A comparison of whole columns.
    Compare,
    /// A predicate, row by row.
    Predicate,
    /// A function, row by row.
    Function,
    /// `not`: the rows so far without those that its clauses leave.
    AntiJoin,
    /// `or`: what its branches leave together.
    Union,
    /// A rule: what its bodies leave together.
    Rule,
    /// A rule that is the closure of a reference: a search in its edges.
    Closure,
    /// A recursive rule: rounds until nothing is new.
    Fixpoint,
}

impl Operator {
    /// All operators.
    pub const ALL: [Operator; 16] = [
        Operator::Nothing,
        Operator::Scan,
        Operator::Merge,
        Operator::EachEntity,
        Operator::EachValue,
        Operator::AnyAttribute,
        Operator::ValueSet,
        Operator::Collection,
        Operator::Compare,
        Operator::Predicate,
        Operator::Function,
        Operator::AntiJoin,
        Operator::Union,
        Operator::Rule,
        Operator::Closure,
        Operator::Fixpoint,
    ];

    /// The name, as EDN and JSON have it.
    pub fn name(self) -> &'static str {
        match self {
            Operator::Nothing => "nothing",
            Operator::Scan => "scan",
            Operator::Merge => "merge",
            Operator::EachEntity => "each-entity",
            Operator::EachValue => "each-value",
            Operator::AnyAttribute => "any-attribute",
            Operator::ValueSet => "value-set",
            Operator::Collection => "collection",
            Operator::Compare => "compare",
            Operator::Predicate => "predicate",
            Operator::Function => "function",
            Operator::AntiJoin => "anti-join",
            Operator::Union => "union",
            Operator::Rule => "rule",
            Operator::Closure => "closure",
            Operator::Fixpoint => "fixpoint",
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How a query was answered.
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct Explanation {
    /// One for each clause, in the order in which they ran.
    pub steps: Vec<ExplainedStep>,
    /// How often each index was read and each operator ran, inside rules and negations too.
    pub uses: Uses,
    /// Rows of the answer.
    pub rows: u64,
    /// Choosing the order.
    pub planning: Duration,
    /// From the arguments to the answer.
    pub total: Duration,
    pub(crate) stats: Option<Edn>,
}

/// Counts by the name of an operator ([`Operator::name`]) or index (`EAVT`).
pub type Uses = BTreeMap<&'static str, u64>;

/// One clause as it ran.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct ExplainedStep {
    /// The clause as written.
    pub clause: Edn,
    /// How it was run.
    pub operator: Operator,
    /// The index that was read, where one was.
    pub index: Option<Index>,
    /// Rows expected after it.
    pub expected: u64,
    /// Rows before it.
    pub rows_in: u64,
    /// Rows after it.
    pub rows_out: u64,
    /// How often it ran; more than once only in bodies of recursive rules.
    pub runs: u64,
    /// How long, with what is nested in it.
    pub time: Duration,
    /// The clauses of `not`, of each branch of `or`, of each body of a rule.
    pub nested: Vec<Vec<ExplainedStep>>,
}

/// What was measured of one step.
#[derive(Clone, Copy, Default)]
pub(crate) struct Measured {
    pub(crate) rows_in: u64,
    pub(crate) rows_out: u64,
    pub(crate) runs: u64,
    pub(crate) time: Duration,
    pub(crate) used: Used,
}

/// What a step read.
#[derive(Clone, Copy, Default)]
pub(crate) struct Used {
    pub(crate) operator: Operator,
    pub(crate) index: Option<Index>,
}

impl Used {
    pub(crate) fn of(operator: Operator, index: Option<Index>) -> Used {
        Used { operator, index }
    }
}

/// What is measured during one execution; steps are known by where they lie.
#[derive(Default)]
pub(crate) struct Trace {
    steps: RefCell<FxHashMap<*const Step, Measured>>,
    uses: RefCell<Uses>,
}

impl Trace {
    /// Takes in one run of a step.
    pub(crate) fn note(&self, step: &Step, rows: (usize, usize), time: Duration, used: Used) {
        let mut steps = self.steps.borrow_mut();
        let known = steps.entry(std::ptr::from_ref(step)).or_default();
        known.rows_in += rows.0 as u64;
        known.rows_out += rows.1 as u64;
        known.runs += 1;
        known.time += time;
        if used.operator != Operator::Nothing {
            known.used = used;
        }
    }

    /// Counts what a step reads.
    pub(crate) fn count(&self, used: Used) {
        let mut uses = self.uses.borrow_mut();
        *uses.entry(used.operator.name()).or_default() += 1;
        if let Some(index) = used.index {
            *uses.entry(upper(index)).or_default() += 1;
        }
    }

    pub(crate) fn uses(&self) -> Uses {
        self.uses.borrow().clone()
    }

    pub(crate) fn of(&self, step: &Step) -> Measured {
        let steps = self.steps.borrow();
        let known = steps.get(&std::ptr::from_ref(step));
        known.copied().unwrap_or_default()
    }

    /// The steps of a plan with what was measured of them.
    pub(crate) fn steps(&self, plan: &Plan, env: &Env) -> Vec<ExplainedStep> {
        let walk = Walk {
            trace: self,
            env,
            rules: RefCell::default(),
        };
        walk.plan(plan)
    }
}

/// A walk through a plan; a rule that is being shown is not shown again inside itself.
struct Walk<'a> {
    trace: &'a Trace,
    env: &'a Env,
    rules: RefCell<Vec<RuleKey>>,
}

impl Walk<'_> {
    fn plan(&self, plan: &Plan) -> Vec<ExplainedStep> {
        plan.steps.iter().map(|step| self.step(step)).collect()
    }

    fn step(&self, step: &Step) -> ExplainedStep {
        let measured = self.trace.of(step);
        ExplainedStep {
            clause: step.place.form.clone(),
            operator: measured.used.operator,
            index: measured.used.index,
            expected: step.rows.round() as u64,
            rows_in: measured.rows_in,
            rows_out: measured.rows_out,
            runs: measured.runs,
            time: measured.time,
            nested: self.nested(step, measured.used.operator),
        }
    }

    fn nested(&self, step: &Step, operator: Operator) -> Vec<Vec<ExplainedStep>> {
        match &step.op {
            Op::Not(op) => vec![self.plan(&op.plan)],
            Op::Or(op) => op.branches.iter().map(|plan| self.plan(plan)).collect(),
            Op::Rule(op) if matches!(operator, Operator::Rule | Operator::Fixpoint) => {
                if self.rules.borrow().contains(&op.key) {
                    return Vec::new();
                }
                self.rules.borrow_mut().push(op.key);
                let plan = self.env.rules.plan_of(op.key);
                plan.bodies
                    .iter()
                    .map(|(_, plan)| self.plan(plan))
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Explanation {
    /// The answer and how it was found, as Datomic's `query` gives them where `:query-stats` is
    /// asked for: `{:ret … :query-stats …}`.
    pub fn with_answer(self, answer: Edn) -> Edn {
        let stats = self.query_stats();
        Edn::Map(vec![entry("ret", answer), entry("query-stats", stats)])
    }

    /// As EDN: a map of `:steps :rows :planning-us :total-us`.
    pub fn into_edn(self) -> Edn {
        Edn::Map(vec![
            entry("steps", steps_edn(&self.steps)),
            entry("rows", count(self.rows)),
            entry("planning-us", micros(self.planning)),
            entry("total-us", micros(self.total)),
        ])
    }

    /// The execution as Datomic's `:query-stats` tells it: `{:query … :phases […]}`.
    pub fn query_stats(&self) -> Edn {
        self.stats.clone().unwrap_or(Edn::Nil)
    }

    /// Calls `each` with every step, nested ones after the step that they stand in.
    pub fn for_each(&self, mut each: impl FnMut(&ExplainedStep)) {
        let mut open: Vec<&ExplainedStep> = self.steps.iter().rev().collect();
        while let Some(step) = open.pop() {
            each(step);
            open.extend(step.nested.iter().rev().flat_map(|body| body.iter().rev()));
        }
    }
}

fn steps_edn(steps: &[ExplainedStep]) -> Edn {
    Edn::Vector(steps.iter().map(step_edn).collect())
}

fn step_edn(step: &ExplainedStep) -> Edn {
    let mut entries = vec![
        entry("clause", step.clause.clone()),
        entry("operator", Edn::keyword(step.operator.name())),
    ];
    if let Some(index) = step.index {
        entries.push(entry("index", Edn::keyword(index.name())));
    }
    entries.extend([
        entry("expected", count(step.expected)),
        entry("rows-in", count(step.rows_in)),
        entry("rows-out", count(step.rows_out)),
        entry("runs", count(step.runs)),
        entry("time-us", micros(step.time)),
    ]);
    if !step.nested.is_empty() {
        let bodies = step.nested.iter().map(|body| steps_edn(body));
        entries.push(entry("nested", Edn::Vector(bodies.collect())));
    }
    Edn::Map(entries)
}

fn entry(name: &str, value: Edn) -> (Edn, Edn) {
    (Edn::keyword(name), value)
}

fn count(n: u64) -> Edn {
    Edn::Value(Value::Long(i64::try_from(n).unwrap_or(i64::MAX)))
}

fn upper(index: Index) -> &'static str {
    match index {
        Index::Eavt => "EAVT",
        Index::Aevt => "AEVT",
        Index::Avet => "AVET",
        Index::Vaet => "VAET",
    }
}

fn micros(time: Duration) -> Edn {
    count(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}

impl serde::Serialize for Explanation {
    /// As [`Explanation::into_edn`].
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.clone().into_edn().serialize(serializer)
    }
}

/// The widest that a clause is printed in a table.
const CLAUSE_WIDTH: usize = 60;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows: Vec<(String, &ExplainedStep)> = Vec::new();
        lines(&self.steps, 0, &mut rows);
        let clause = rows.iter().map(|(text, _)| text.chars().count()).max();
        let clause = clause.unwrap_or(0).max("clause".len());
        writeln!(
            f,
            "{:clause$}  {:<13}  {:<5}  {:>10}  {:>10}  {:>9}",
            "clause", "operator", "index", "expected", "rows", "time"
        )?;
        for (text, step) in rows {
            writeln!(
                f,
                "{text:clause$}  {:<13}  {:<5}  {:>10}  {:>10}  {:>9}",
                step.operator,
                step.index.map_or("", Index::name),
                step.expected,
                step.rows_out,
                shown(step.time)
            )?;
        }
        let (planning, total) = (shown(self.planning), shown(self.total));
        writeln!(
            f,
            "{} rows in {total}, {planning} of it planning",
            self.rows
        )
    }
}

/// Clauses with the nested ones below them, indented.
fn lines<'a>(
    steps: &'a [ExplainedStep],
    depth: usize,
    into: &mut Vec<(String, &'a ExplainedStep)>,
) {
    for step in steps {
        let mut text = format!("{:indent$}{}", "", step.clause, indent = 2 * depth);
        if text.chars().count() > CLAUSE_WIDTH {
            text = text.chars().take(CLAUSE_WIDTH - 1).collect();
            text.push('…');
        }
        into.push((text, step));
        for body in &step.nested {
            lines(body, depth + 1, into);
        }
    }
}

fn shown(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        0..10_000 => format!("{micros} µs"),
        10_000..10_000_000 => format!("{} ms", micros / 1000),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}
