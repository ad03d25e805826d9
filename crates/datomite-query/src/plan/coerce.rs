//! Values that a pattern reads as another type: idents and lookup refs as entities, texts as
//! keywords. The one place where the order in which clauses are written means something.
//!
//! - A variable that a function or a collection binds is bound by it before a pattern reads it as
//!   an entity, so that an ident or lookup ref in it is resolved in every order.
//! - A value from a clause that is written before is read as the type of the attribute; one that
//!   cannot be is an error. From a clause that is written after, it does not match.

use datomite_model::ValueType;

use super::{Candidate, Facts, PatternOp, Pos};
use crate::ast::{Clause, Var};

/// Decides for each pattern whether it reads a value that another clause binds as its own type.
pub(super) fn mark(left: &mut [Candidate<'_>], bound: &[Var]) {
    for at in 0..left.len() {
        let Some((var, value_type)) = read_value(&left[at]) else {
            continue;
        };
        let before = left[..at].iter().any(|other| binds(other, var));
        let first = |other: &Candidate<'_>| runs_first(other, value_type) && binds(other, var);
        let coerces = before || bound.contains(&var) || left.iter().any(first);
        if let Facts::Pattern(op) = &mut left[at].facts {
            op.coerces = coerces;
        }
    }
}

/// Whether a pattern had better wait: for a call or collection that binds what it reads as an
/// entity; for a clause that binds what it reads as another type; or, where it knows only its
/// value (and would see references alone), for one that binds its entity or attribute.
pub(super) fn is_deferred(at: usize, left: &[Candidate<'_>], bound: &[Var]) -> bool {
    let Facts::Pattern(op) = &left[at].facts else {
        return false;
    };
    let known = |term: &Pos| match term {
        Pos::Free(var) => bound.contains(var),
        Pos::Const(_) | Pos::Bound(_) => true,
        Pos::Blank => false,
    };
    let by_value = op.attribute.is_none() && !op.terms[..2].iter().any(known);
    let entities = op.terms[..2].iter().any(|term| match term {
        Pos::Free(var) if !bound.contains(var) => {
            let others = left.iter().enumerate().filter(|(place, _)| *place != at);
            let first = |other: &Candidate<'_>| by_value || runs_first(other, ValueType::Ref);
            others
                .into_iter()
                .any(|(_, other)| first(other) && binds(other, *var))
        }
        _ => false,
    });
    let Some((var, value_type)) = read_value(&left[at]).filter(|(var, _)| !bound.contains(var))
    else {
        return entities;
    };
    let waits = |(place, other): (usize, &Candidate<'_>)| {
        let written_before = place < at && gives_another_type(other, var, value_type);
        (written_before || runs_first(other, value_type)) && binds(other, var)
    };
    entities || left.iter().enumerate().any(waits)
}

/// The variable that a pattern reads as a value of such a type.
fn read_value(candidate: &Candidate<'_>) -> Option<(Var, ValueType)> {
    let Facts::Pattern(op) = &candidate.facts else {
        return None;
    };
    let value_type = op.attribute.as_ref()?.value_type;
    match (&op.terms[2], value_type) {
        (Pos::Free(var), ValueType::Ref | ValueType::Keyword) => Some((*var, value_type)),
        _ => None,
    }
}

/// Calls and collections give entities before patterns read them; calls of constants are the first
/// of all clauses.
fn runs_first(candidate: &Candidate<'_>, value_type: ValueType) -> bool {
    match (candidate.clause, &candidate.facts) {
        (Clause::Call(call), _) => {
            let mut inputs = Vec::new();
            call.inputs(&mut inputs);
            value_type == ValueType::Ref || inputs.is_empty()
        }
        (Clause::Pattern(_), Facts::Rows(_)) => value_type == ValueType::Ref,
        _ => false,
    }
}

fn binds(candidate: &Candidate<'_>, var: Var) -> bool {
    let mut binds = Vec::new();
    match candidate.clause {
        Clause::Call(call) => call.binding.iter().for_each(|b| b.variables(&mut binds)),
        Clause::Not(_) => {}
        clause => clause.variables(&mut binds),
    }
    binds.contains(&var)
}

/// Whether what the clause binds to the variable may be of another type.
fn gives_another_type(candidate: &Candidate<'_>, var: Var, value_type: ValueType) -> bool {
    match (candidate.clause, &candidate.facts) {
        (_, Facts::Pattern(op)) => !gives(op, var, value_type),
        (Clause::Pattern(_) | Clause::Call(_), _) => true,
        _ => false,
    }
}

fn gives(op: &PatternOp, var: Var, value_type: ValueType) -> bool {
    let is_id = |at: usize| matches!(&op.terms[at], Pos::Free(v) if *v == var);
    if is_id(0) || is_id(1) || is_id(3) {
        return value_type == ValueType::Ref;
    }
    let given = op.attribute.as_ref().map(|attribute| attribute.value_type);
    match given {
        Some(ValueType::Long | ValueType::BigInt) => value_type == ValueType::Ref,
        given => given.is_none_or(|given| given == value_type),
    }
}
