//! How many rows a clause is expected to leave: exact counts of constants, a simple model of joins.
//!
//! The join size is count / distinct, where distinct is the largest count of an attribute read of
//! the same variable. Nothing is sampled. Ties are broken by the count of the attribute and its
//! id, not by the place in the text, so that the written order of clauses does not matter.

use datomite_db::{Db, KeyRange};
use datomite_model::{EntityId, Index, Value};
use rustc_hash::FxHashMap;

use super::{Candidate, Env, Facts, PatternOp, Plan, Pos, Scope};
use crate::QueryError;
use crate::ast::{Clause, Var};

/// A rule that recurses is expected to find this many rows for each bound argument.
const RECURSION_ROWS: f64 = 20.0;

/// How many entities each variable may stand for.
pub(crate) struct Estimates {
    base: FxHashMap<Var, f64>,
}

impl Estimates {
    pub(crate) fn new(clauses: &[Candidate<'_>]) -> Estimates {
        let mut base: FxHashMap<Var, f64> = FxHashMap::default();
        for candidate in clauses {
            if let Facts::Pattern(op) = &candidate.facts
                && let Pos::Free(var) = &op.terms[0]
                && op.attribute.as_ref().is_some_and(|a| !a.is_many())
            {
                let known = base.entry(*var).or_insert(1.0);
                *known = known.max(op.total as f64);
            }
        }
        Estimates { base }
    }

    fn base(&self, var: Option<Var>, least: f64) -> f64 {
        let known = var.and_then(|v| self.base.get(&v)).copied();
        known.unwrap_or(1.0).max(least).max(1.0)
    }
}

/// The rows of the range that the constants leave; of the whole attribute where an entity or no
/// value is given.
pub(super) fn total(db: &Db, op: &PatternOp) -> Result<u64, QueryError> {
    let a = op.attribute.as_ref().map(|attribute| attribute.id);
    let e = op.e.map(EntityId::new);
    let is_unique = op.attribute.as_ref().is_some_and(|a| a.unique.is_some());
    if is_unique && op.v.is_some() {
        return Ok(1);
    }
    let count =
        |index, range: KeyRange| -> Result<u64, QueryError> { Ok(db.count(index, &range)?) };
    match (e, a) {
        (Some(_), _) => count(Index::Eavt, KeyRange::prefix(e, a, None)),
        (None, Some(_)) => count(Index::Aevt, KeyRange::prefix(None, a, None)),
        (None, None) => Ok(0),
    }
}

/// The rows that have the pattern's value constant; a guess where no index has them.
fn matching(db: &Db, op: &PatternOp, value: &Value) -> Result<f64, QueryError> {
    let Some(attribute) = &op.attribute else {
        return Ok(1.0);
    };
    if attribute.unique.is_some() {
        return Ok(1.0);
    }
    let range = KeyRange::prefix(None, Some(attribute.id), Some(value.clone()));
    if attribute.has_avet() {
        return Ok(db.count(Index::Avet, &range)? as f64);
    }
    if attribute.is_ref() {
        return Ok(db.count(Index::Vaet, &range)? as f64);
    }
    Ok((op.total as f64).sqrt())
}

impl Env {
    /// The rows expected after a clause that can run.
    pub(super) fn expected(
        &self,
        scope: Scope<'_>,
        candidate: &Candidate<'_>,
        plan: &Plan,
        estimates: &Estimates,
    ) -> Result<f64, QueryError> {
        let rows = plan.rows;
        Ok(match (candidate.clause, &candidate.facts) {
            (Clause::Pattern(_), Facts::Pattern(op)) => {
                rows * self.pattern_factor(op, plan, estimates)?
            }
            (Clause::Pattern(pattern), Facts::Rows(count)) => {
                let joins = pattern.terms.iter().any(|term| match term {
                    crate::ast::Term::Var(var) => plan.bound.contains(var),
                    _ => false,
                });
                if joins { rows } else { rows * *count as f64 }
            }
            (Clause::Call(call), _) => match &call.binding {
                None => rows * 0.4,
                Some(crate::ast::Binding::Scalar(_) | crate::ast::Binding::Tuple(_)) => rows,
                Some(crate::ast::Binding::Blank) => rows,
                Some(_) => rows * 8.0,
            },
            (Clause::Not(_), _) => rows * 0.7,
            (Clause::Or(or), _) => {
                let each = self.or_rows(scope, candidate.source, or, &plan.bound)?;
                rows * each.unwrap_or(1.0)
            }
            (Clause::Rule(call), _) => {
                let mask = self.mask(scope, call, &plan.bound);
                let free = self.rules.arity(call) as i32 - mask.count() as i32;
                let fan_out = RECURSION_ROWS.powi(free.max(0));
                match self.rule_rows(candidate.source, call, mask)? {
                    Some(Some(each)) => rows * each.max(0.1),
                    _ if mask.count() == 0 => rows * 1e5,
                    _ => rows * fan_out,
                }
            }
            (Clause::Pattern(_), Facts::Other) => rows,
        })
    }

    fn pattern_factor(
        &self,
        op: &PatternOp,
        plan: &Plan,
        estimates: &Estimates,
    ) -> Result<f64, QueryError> {
        if op.never {
            return Ok(0.0);
        }
        let total = op.total as f64;
        let var = |at: usize| match &op.terms[at] {
            Pos::Free(var) => Some(*var),
            _ => None,
        };
        let bound = |at: usize| var(at).filter(|v| plan.bound.contains(v));
        let has_v = op.v.is_some() || bound(2).is_some();
        if op.e.is_some() {
            return Ok(if has_v { total.min(1.0) * 0.5 } else { total });
        }
        let Some(attribute) = &op.attribute else {
            return Ok(if bound(0).is_some() { 8.0 } else { 64.0 });
        };
        let least = if attribute.is_many() { 1.0 } else { total };
        let count = match (&op.v, &self.sources[op.source].1) {
            (Some(value), super::Source::Db(db)) => matching(db, op, value)?,
            _ => op.narrowed.rows.map_or(total, |rows| rows as f64),
        };
        Ok(match (bound(0), bound(2)) {
            (Some(e), None) => count / estimates.base(Some(e), least),
            (Some(e), Some(v)) => {
                let base = estimates.base(Some(e), least);
                count / base / estimates.base(Some(v), total.sqrt())
            }
            (None, Some(v)) if attribute.unique.is_some() => {
                (total / estimates.base(Some(v), total)).min(1.0)
            }
            (None, Some(v)) => total / estimates.base(Some(v), total.sqrt()),
            (None, None) => count,
        })
    }
}
