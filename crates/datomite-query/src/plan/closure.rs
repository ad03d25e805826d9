//! Recognises a rule that is the transitive closure of one reference attribute.
//!
//! Two bodies: the edge, and the edge before or after the rule itself, or the rule twice. Edges
//! may run either way. Anything else is left to the fixpoint.

use std::sync::Arc;

use datomite_model::Attribute;

use super::{AttributeTerm, Env, Source, attribute};
use crate::ast::{Clause, Definition, Pattern, Rule, RuleCall, SourceRef, Term, Var};

/// The closure of an attribute.
#[derive(Clone, Debug)]
pub(crate) struct Closure {
    pub(crate) source: usize,
    pub(crate) attribute: Arc<Attribute>,
    /// Whether the rule's first argument is the value of an edge.
    pub(crate) reversed: bool,
}

/// `[from attribute to]` between two variables.
struct Edge {
    attribute: datomite_model::Edn,
    from: Var,
    to: Var,
}

impl Env {
    /// The closure that a rule is, if it is one.
    pub(super) fn closure_of(&self, rule: &Rule, source: Option<usize>) -> Option<Closure> {
        let [first, second] = rule.definitions.as_slice() else {
            return None;
        };
        if self.as_written {
            return None;
        }
        let found = closure_edge(rule, first, second).or_else(|| closure_edge(rule, second, first));
        let (edge, reversed) = found?;
        let source = source?;
        let Source::Db(db) = &self.sources[source].1 else {
            return None;
        };
        match attribute(db, &edge.attribute, &first.place).ok()? {
            AttributeTerm::Known(attribute) if attribute.is_ref() => Some(Closure {
                source,
                attribute,
                reversed,
            }),
            _ => None,
        }
    }
}

fn closure_edge(rule: &Rule, base: &Definition, step: &Definition) -> Option<(Edge, bool)> {
    let ([Clause::Pattern(edge)], [a, b]) = (base.clauses.as_slice(), base.head.as_slice()) else {
        return None;
    };
    let edge = edge_of(edge)?;
    let reversed = match () {
        () if (edge.from, edge.to) == (*a, *b) => false,
        () if (edge.from, edge.to) == (*b, *a) => true,
        () => return None,
    };
    let [one, two] = step.clauses.as_slice() else {
        return None;
    };
    let hop = |clause: &Clause| match clause {
        Clause::Rule(call) => recursion_of(rule, call),
        Clause::Pattern(pattern) => {
            let found = edge_of(pattern).filter(|found| found.attribute == edge.attribute)?;
            Some(match reversed {
                false => (found.from, found.to),
                true => (found.to, found.from),
            })
        }
        _ => None,
    };
    let recursive = [one, two].iter().any(|c| matches!(c, Clause::Rule(_)));
    let (one, two) = (hop(one)?, hop(two)?);
    let [a, b] = step.head.as_slice() else {
        return None;
    };
    let chained = |x: (Var, Var), y: (Var, Var)| {
        x.0 == *a && y.1 == *b && x.1 == y.0 && x.1 != *a && x.1 != *b
    };
    (recursive && (chained(one, two) || chained(two, one))).then_some((edge, reversed))
}

fn edge_of(pattern: &Pattern) -> Option<Edge> {
    match (&pattern.source, pattern.terms.as_slice()) {
        (SourceRef::Default, [Term::Var(from), Term::Const(attribute), Term::Var(to)])
            if from != to =>
        {
            Some(Edge {
                attribute: attribute.clone(),
                from: *from,
                to: *to,
            })
        }
        _ => None,
    }
}

fn recursion_of(rule: &Rule, call: &RuleCall) -> Option<(Var, Var)> {
    match (&call.source, call.arguments.as_slice()) {
        (SourceRef::Default, [Term::Var(a), Term::Var(b)]) if call.name == rule.name => {
            Some((*a, *b))
        }
        _ => None,
    }
}
