//! `explain`: the order of the clauses, the index of each, expected and actual rows.
//!
//! It reports what was planned and what happened; it decides nothing.

use std::collections::BTreeMap;
use std::fmt;

use crate::plan::{Env, Op, PatternOp, Plan, Pos};

/// How a query was answered.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Explanation {
    /// One for each clause, in the order in which they ran.
    pub steps: Vec<ExplainedStep>,
    /// How often each index was read and each operator ran, inside rules and negations too.
    pub uses: Uses,
}

/// Counts by the name of an index or operator.
pub type Uses = BTreeMap<&'static str, u64>;

/// One clause as it ran.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct ExplainedStep {
    /// The clause as written.
    pub clause: String,
    /// How it was read: an index, a join, a rule.
    pub access: String,
    /// Rows expected after it.
    pub expected: u64,
    /// Rows after it.
    pub actual: u64,
}

impl Explanation {
    pub(crate) fn fill(&mut self, plan: &Plan, actual: &[usize], env: &Env) {
        let _ = env;
        self.steps = plan
            .steps
            .iter()
            .zip(actual)
            .map(|(step, actual)| ExplainedStep {
                clause: step.place.form.to_string(),
                access: access(&step.op),
                expected: step.rows.round() as u64,
                actual: *actual as u64,
            })
            .collect();
    }
}

fn access(op: &Op) -> String {
    match op {
        Op::Pattern(op) => pattern_access(op).to_owned(),
        Op::Rows(_) => "collection".to_owned(),
        Op::Call(op) if op.call.binding.is_some() => "function".to_owned(),
        Op::Call(_) => "predicate".to_owned(),
        Op::Not(_) => "anti-join".to_owned(),
        Op::Or(op) => format!("union of {}", op.branches.len()),
        Op::Rule(_) => "rule".to_owned(),
    }
}

fn pattern_access(op: &PatternOp) -> &'static str {
    let bound = |at: usize| matches!(op.terms[at], Pos::Bound(_));
    let Some(attribute) = &op.attribute else {
        return match op.never {
            true => "nothing",
            false if op.e.is_some() || bound(0) => "EAVT",
            false if bound(1) => "AEVT by attribute",
            false => "VAET",
        };
    };
    let indexed = attribute.has_avet();
    match (op.e.is_some(), bound(0), op.v.is_some(), bound(2)) {
        (true, ..) => "EAVT",
        (_, true, true, _) if indexed => "AVET, joined on entity",
        (_, true, ..) => "AEVT by entity",
        (_, _, true, _) if indexed => "AVET",
        (_, _, true, _) if attribute.is_ref() => "VAET",
        (_, _, _, true) if attribute.is_ref() => "VAET by value",
        (_, _, _, true) if indexed => "AVET by value",
        _ => "AEVT",
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clause = self.steps.iter().map(|s| s.clause.chars().count()).max();
        let access = self.steps.iter().map(|s| s.access.len()).max();
        let (clause, access) = (clause.unwrap_or(0).min(60), access.unwrap_or(0));
        writeln!(
            f,
            "{:>3}  {:clause$}  {:access$}  {:>10}  {:>10}",
            "", "clause", "index", "expected", "rows"
        )?;
        for (at, step) in self.steps.iter().enumerate() {
            writeln!(
                f,
                "{:>3}  {:clause$}  {:access$}  {:>10}  {:>10}",
                at + 1,
                step.clause,
                step.access,
                step.expected,
                step.actual
            )?;
        }
        Ok(())
    }
}
