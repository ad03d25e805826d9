//! Comparisons as ranges: what `[(> ?v 10)]` leaves of the values that `[?e :a ?v]` reads.
//!
//! Only a hint: the comparison runs all the same, so the range may be wider than it and must never
//! be narrower. Only for attributes with AVET whose values and whose constant are of one type, of
//! which index order and `<` are the same order.

use datomite_db::{Bound, KeyRange, Side};
use datomite_model::{Edn, EntityId, Index, Symbol, Value, ValueType};

use super::{Candidate, Env, Facts, PatternOp, Pos, Scope, Source};
use crate::QueryError;
use crate::ast::{Call, Clause, Slot, Var};

/// Bounds of the values that a pattern reads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Narrowed {
    low: Option<(Value, Side)>,
    high: Option<(Value, Side)>,
    /// The rows between them.
    pub(crate) rows: Option<u64>,
}

impl Narrowed {
    /// Whether anything bounds the values.
    pub(crate) fn is_some(&self) -> bool {
        self.low.is_some() || self.high.is_some()
    }

    /// The range of AVET.
    pub(crate) fn range(&self, a: EntityId) -> KeyRange {
        let bound = |end: &Option<(Value, Side)>, otherwise| {
            let (v, side) = match end {
                Some((value, side)) => (Some(value.clone()), *side),
                None => (None, otherwise),
            };
            let (e, a) = (None, Some(a));
            Bound { e, a, v, side }
        };
        KeyRange {
            lo: bound(&self.low, Side::Before),
            hi: bound(&self.high, Side::After),
        }
    }
}

impl Env {
    /// Gives each pattern the bounds that the comparisons beside it set.
    pub(super) fn narrow(
        &self,
        scope: Scope<'_>,
        left: &mut [Candidate<'_>],
        bound: &[Var],
    ) -> Result<(), QueryError> {
        let calls: Vec<&Call> = left
            .iter()
            .filter_map(|candidate| match candidate.clause {
                Clause::Call(call) if call.binding.is_none() => Some(call),
                _ => None,
            })
            .collect();
        if calls.is_empty() {
            return Ok(());
        }
        for candidate in left {
            let Facts::Pattern(op) = &mut candidate.facts else {
                continue;
            };
            let Some((var, value_type)) = narrowable(op, bound) else {
                continue;
            };
            for call in &calls {
                set_bound(&mut op.narrowed, scope, call, var, value_type);
            }
            if let (true, Some(attribute), Source::Db(db)) = (
                op.narrowed.is_some(),
                &op.attribute,
                &self.sources[op.source].1,
            ) {
                let range = op.narrowed.range(attribute.id);
                op.narrowed.rows = Some(db.count(Index::Avet, &range)?);
            }
        }
        Ok(())
    }
}

/// Marks the patterns of which a comparison with nothing leaves no row.
pub(super) fn mark_alone(left: &mut [Candidate<'_>], bound: &[Var]) {
    let calls: Vec<&Call> = left
        .iter()
        .filter_map(|candidate| match candidate.clause {
            Clause::Call(call) if call.binding.is_none() => Some(call),
            _ => None,
        })
        .collect();
    for candidate in left {
        if let Facts::Pattern(op) = &mut candidate.facts {
            op.never |= calls.iter().any(|call| is_alone(call, &op.terms[2], bound));
        }
    }
}

/// `[(< ?v)]`, `[(<= ?v)]`, `[(= ?v)]` beside the pattern that reads `?v`: compared with nothing,
/// no value passes. (Of what no pattern reads, they have too few arguments.)
fn is_alone(call: &Call, value: &Pos, bound: &[Var]) -> bool {
    let (Some([name, only]), Pos::Free(var)) = (call.form.as_sequence(), value) else {
        return false;
    };
    let mut slots = call.slots.iter();
    let reads =
        slots.any(|(known, slot)| Some(known) == only.as_symbol() && *slot == Slot::Var(*var));
    reads
        && !bound.contains(var)
        && matches!(name.as_symbol().map(Symbol::as_str), Some("<" | "<=" | "="))
}

/// The variable whose values a range of AVET can give, and their type.
fn narrowable(op: &PatternOp, bound: &[Var]) -> Option<(Var, ValueType)> {
    let attribute = op.attribute.as_ref()?;
    let Pos::Free(var) = &op.terms[2] else {
        return None;
    };
    let ordered = matches!(attribute.value_type, ValueType::Long | ValueType::Instant);
    let free = op.e.is_none() && op.v.is_none() && !op.never && !bound.contains(var);
    (ordered && free && attribute.has_avet()).then_some((*var, attribute.value_type))
}

/// `(< ?v c)`, `(<= c ?v)` and so on, as an end of the range.
fn set_bound(
    narrowed: &mut Narrowed,
    scope: Scope<'_>,
    call: &Call,
    var: Var,
    value_type: ValueType,
) {
    let Some([name, left, right]) = call.form.as_sequence() else {
        return;
    };
    let variable = |form: &Edn| {
        let symbol = form.as_symbol()?;
        let slot = call.slots.iter().find(|(known, _)| known == symbol)?;
        match slot.1 {
            Slot::Var(var) => Some(var),
            Slot::Source(_) => None,
        }
    };
    let constant = |form: &Edn| {
        let known = variable(form).and_then(|var| scope.constants.get(&var));
        let value = known.unwrap_or(form).as_value()?;
        (value.value_type() == value_type).then(|| value.clone())
    };
    let (flipped, value) = match (variable(left) == Some(var), variable(right) == Some(var)) {
        (true, false) => (false, constant(right)),
        (false, true) => (true, constant(left)),
        _ => return,
    };
    let (Some(value), Some(name)) = (value, name.as_symbol()) else {
        return;
    };
    let low = |side| (true, side);
    let high = |side| (false, side);
    let (is_low, side) = match (name.as_str(), flipped) {
        (">", false) | ("<", true) => low(Side::After),
        (">=", false) | ("<=", true) => low(Side::Before),
        ("<", false) | (">", true) => high(Side::Before),
        ("<=", false) | (">=", true) => high(Side::After),
        _ => return,
    };
    let end = if is_low {
        &mut narrowed.low
    } else {
        &mut narrowed.high
    };
    // Of two bounds on one end the tighter one would do better; the first is right all the same.
    end.get_or_insert((value, side));
}
