//! Clauses: patterns, predicates and functions, rule calls, `not` and `or`.
//!
//! A form that begins with a form is a call of a function; one that begins with a plain symbol is
//! a call of a rule; the rest are patterns. `$x` at the head names a source only where sources are
//! in scope (`:in` is written, and not inside `or` or a rule); elsewhere it is a constant like any
//! other, as in Datomic.

use datomite_model::{Edn, Symbol, Value};

use super::input::parse_binding;
use super::{DEPTH_MAX, Node, Scope};
use crate::QueryError;
use crate::ast::{Call, Clause, Not, Or, Pattern, RuleCall, Slot, SourceRef, Term, Var, push_new};
use crate::error::Place;

/// The most positions of a pattern that mean something.
pub(crate) const POSITIONS_MAX: usize = 5;

/// A list of clauses.
pub(super) fn parse_clauses(
    forms: &[Node<'_>],
    scope: &mut Scope,
) -> Result<Vec<Clause>, QueryError> {
    if scope.depth > DEPTH_MAX {
        return Err(QueryError::TooDeep {
            what: "clauses",
            limit: DEPTH_MAX,
            place: forms.first().map(|form| boxed(*form)),
        });
    }
    scope.depth += 1;
    let mut clauses = Vec::with_capacity(forms.len());
    for form in forms {
        clauses.extend(parse_clause(*form, scope)?);
    }
    scope.depth -= 1;
    Ok(clauses)
}

/// One clause; `(not)` is none, and so are `not` and `or` of predicates without variables.
fn parse_clause(form: Node<'_>, scope: &mut Scope) -> Result<Option<Clause>, QueryError> {
    let Some(items) = form.items() else {
        return Err(form.error("argument in :where is not a list"));
    };
    let (source, items) = match items.split_first() {
        Some((first, rest)) if scope.sources && first.source().is_some() => {
            let name = first.source().cloned();
            (name.map_or(SourceRef::Default, SourceRef::Named), rest)
        }
        _ => (SourceRef::Default, items.as_slice()),
    };
    let Some((head, rest)) = items.split_first() else {
        return Ok(Some(pattern(form, source, items, scope)?));
    };
    if head.items().is_some() {
        return Ok(Some(Clause::Call(parse_call(form, *head, rest, scope)?)));
    }
    let plain = |s: &&Symbol| !s.as_str().starts_with(['?', '$']) && s.as_str() != "_";
    match head.symbol().filter(plain).map(Symbol::as_str) {
        Some("not") => parse_not(form, source, rest, scope),
        Some("not-join") => parse_not_join(form, source, rest, scope).map(Some),
        Some("or") => parse_or(form, source, rest, scope),
        Some("or-join") => parse_or_join(form, source, rest, scope).map(Some),
        Some("and") => Err(form.error("`and` stands only inside `or`")),
        Some(name) => Ok(Some(Clause::Rule(RuleCall {
            source,
            name: Symbol::parse(name),
            arguments: rest.iter().map(|item| term(*item, scope)).collect(),
            place: form.place(),
        }))),
        None => Ok(Some(pattern(form, source, items, scope)?)),
    }
}

fn boxed(form: Node<'_>) -> Box<Place> {
    Box::new(Place::clone(&form.place()))
}

fn term(form: Node<'_>, scope: &mut Scope) -> Term {
    if form.is_blank() {
        return Term::Blank;
    }
    match form.variable() {
        Some(name) => Term::Var(scope.var(name)),
        None => Term::Const(form.form.clone()),
    }
}

/// Adds the variables inside a list or vector.
fn mention(form: Node<'_>, scope: &mut Scope, into: &mut Vec<Var>) {
    for item in form.items().unwrap_or_default() {
        match item.variable() {
            Some(name) => push_new(into, scope.var(name)),
            None => mention(item, scope, into),
        }
    }
}

fn pattern(
    form: Node<'_>,
    source: SourceRef,
    items: &[Node<'_>],
    scope: &mut Scope,
) -> Result<Clause, QueryError> {
    if items.iter().any(|item| item.form.is_nil()) {
        return Err(QueryError::InvalidClause {
            message: "can't have nil args in clause",
            place: boxed(form),
        });
    }
    let items = &items[..items.len().min(POSITIONS_MAX)];
    let mut mentions = Vec::new();
    for item in items {
        mention(*item, scope, &mut mentions);
    }
    Ok(Clause::Pattern(Pattern {
        source,
        terms: items.iter().map(|item| term(*item, scope)).collect(),
        mentions,
        place: form.place(),
    }))
}

fn parse_call(
    form: Node<'_>,
    head: Node<'_>,
    rest: &[Node<'_>],
    scope: &mut Scope,
) -> Result<Call, QueryError> {
    // A nil in the place of the binding is none.
    let rest = match rest {
        [nil] if nil.form.is_nil() => &[],
        rest => rest,
    };
    let binding = match rest {
        [] => None,
        [
            Node {
                form: Edn::Value(Value::Keyword(_) | Value::String(_)),
                ..
            },
            ..,
        ] => {
            return Err(QueryError::NotABindingForm {
                place: boxed(rest[0]),
            });
        }
        [binding] => Some(parse_binding(*binding, scope)),
        [_, extra, ..] => return Err(extra.error("nothing can follow the binding, found")),
    };
    if head.items().is_none_or(|items| items.is_empty()) {
        return Err(form.error("expected a function call, found"));
    }
    let mut slots = Vec::new();
    for item in head.items().unwrap_or_default() {
        collect_slot(item.form, scope, &mut slots);
    }
    let is_binding = |node: &Node<'_>| node.symbol().is_some() || node.items().is_some();
    let not_a_binding = rest.iter().find(|node| !is_binding(node));
    Ok(Call {
        form: head.form.clone(),
        slots,
        binding,
        not_a_binding: not_a_binding.map(|node| node.place()),
        place: form.place(),
    })
}

/// The variables and sources that a call sees: those at its top. In a literal vector, map or set
/// they mean the same; a variable that stands only there is a symbol that means nothing.
fn collect_slot(form: &Edn, scope: &mut Scope, into: &mut Vec<(Symbol, Slot)>) {
    let node = Node { form, spans: None };
    let Edn::Value(Value::Symbol(name)) = form else {
        return;
    };
    let slot = if node.variable().is_some() {
        Slot::Var(scope.var(name))
    } else if node.source().is_none() {
        return;
    } else if scope.sources && name.as_str() != "$" {
        Slot::Source(SourceRef::Named(name.clone()))
    } else {
        Slot::Source(SourceRef::Default)
    };
    if !into.iter().any(|(known, _)| known == name) {
        into.push((name.clone(), slot));
    }
}

fn parse_not(
    form: Node<'_>,
    source: SourceRef,
    rest: &[Node<'_>],
    scope: &mut Scope,
) -> Result<Option<Clause>, QueryError> {
    if rest.is_empty() {
        return Ok(None);
    }
    let clauses = parse_clauses(rest, scope)?;
    let join = shared_variables(&clauses);
    if join.is_empty()
        && clauses
            .iter()
            .all(|clause| matches!(clause, Clause::Call(_)))
    {
        return Ok(None);
    }
    if join.is_empty() {
        return Err(form.error("a not clause needs a variable"));
    }
    Ok(Some(Clause::Not(Not {
        source,
        join,
        clauses,
        place: form.place(),
    })))
}

fn parse_not_join(
    form: Node<'_>,
    source: SourceRef,
    rest: &[Node<'_>],
    scope: &mut Scope,
) -> Result<Clause, QueryError> {
    let Some((list, rest)) = rest.split_first() else {
        return Err(form.error("expected variables after not-join"));
    };
    let Some(items) = list.items() else {
        return Err(list.error("expected variables after not-join, found"));
    };
    let mut join = Vec::new();
    for item in &items {
        join_variables(std::slice::from_ref(item), scope)?
            .into_iter()
            .for_each(|var| push_new(&mut join, var));
    }
    if join.is_empty() {
        return Err(form.error("a not-join clause needs a variable"));
    }
    let clauses = scope.nested(&join, |scope| parse_clauses(rest, scope))?;
    Ok(Clause::Not(Not {
        source,
        join,
        clauses,
        place: form.place(),
    }))
}

fn join_variables(items: &[Node<'_>], scope: &mut Scope) -> Result<Vec<Var>, QueryError> {
    let mut join = Vec::new();
    for item in items.iter().filter(|item| !item.is_blank()) {
        let Some(name) = item.variable() else {
            return Err(item.error("expected a variable, found"));
        };
        let var = scope.var(name);
        if join.contains(&var) {
            return Err(item.error("a variable stands twice in the list of a join"));
        }
        join.push(var);
    }
    Ok(join)
}

fn shared_variables(clauses: &[Clause]) -> Vec<Var> {
    let mut vars = Vec::new();
    for clause in clauses {
        clause.variables(&mut vars);
    }
    vars
}

fn parse_or(
    form: Node<'_>,
    source: SourceRef,
    rest: &[Node<'_>],
    scope: &mut Scope,
) -> Result<Option<Clause>, QueryError> {
    let branches = parse_branches(rest, scope)?;
    let mut join: Vec<Var> = Vec::new();
    for (i, branch) in branches.iter().enumerate() {
        let vars = shared_variables(branch);
        let same = vars.len() == join.len() && vars.iter().all(|v| join.contains(v));
        if i > 0 && !same {
            return Err(form.error("all clauses in `or` must use the same set of vars"));
        }
        vars.into_iter().for_each(|v| push_new(&mut join, v));
    }
    let mut clauses = branches.iter().flatten();
    if rest.is_empty() {
        return Err(form.error("an or clause needs a branch"));
    }
    if join.is_empty() && clauses.all(|clause| matches!(clause, Clause::Call(_))) {
        return Ok(None);
    }
    finish_or(form, source, join, Vec::new(), branches).map(Some)
}

fn finish_or(
    form: Node<'_>,
    source: SourceRef,
    join: Vec<Var>,
    required: Vec<Var>,
    branches: Vec<Vec<Clause>>,
) -> Result<Clause, QueryError> {
    if join.is_empty() {
        return Err(QueryError::OrBindingEmpty { place: boxed(form) });
    }
    Ok(Clause::Or(Or {
        source,
        join,
        required,
        branches,
        place: form.place(),
    }))
}

fn parse_or_join(
    form: Node<'_>,
    source: SourceRef,
    rest: &[Node<'_>],
    scope: &mut Scope,
) -> Result<Clause, QueryError> {
    let Some((list, rest)) = rest.split_first() else {
        return Err(QueryError::OrBindingEmpty { place: boxed(form) });
    };
    if rest.is_empty() {
        return Err(form.error("an or-join clause needs a branch"));
    }
    let Some(items) = list.items() else {
        return Err(list.error("expected variables after or-join, found"));
    };
    let (required, free) = match items.split_first() {
        Some((first, free)) if first.items().is_some() => (first.items().unwrap_or_default(), free),
        _ => (Vec::new(), items.as_slice()),
    };
    let required = join_variables(&required, scope)?;
    let mut join = required.clone();
    for var in join_variables(free, scope)? {
        push_new(&mut join, var);
    }
    let branches = scope.nested(&join, |scope| parse_branches_apart(rest, &join, scope))?;
    finish_or(form, source, join, required, branches)
}

/// Branches that share all their variables.
fn parse_branches(rest: &[Node<'_>], scope: &mut Scope) -> Result<Vec<Vec<Clause>>, QueryError> {
    let sources = std::mem::replace(&mut scope.sources, false);
    let branches = rest.iter().map(|branch| parse_branch(*branch, scope));
    let branches = branches.collect();
    scope.sources = sources;
    branches
}

/// Branches that share only the joined variables, with each other too.
fn parse_branches_apart(
    rest: &[Node<'_>],
    join: &[Var],
    scope: &mut Scope,
) -> Result<Vec<Vec<Clause>>, QueryError> {
    let sources = std::mem::replace(&mut scope.sources, false);
    let parse = |branch: &Node<'_>| scope.nested(join, |scope| parse_branch(*branch, scope));
    let branches = rest.iter().map(parse).collect();
    scope.sources = sources;
    branches
}

fn parse_branch(branch: Node<'_>, scope: &mut Scope) -> Result<Vec<Clause>, QueryError> {
    match branch.items().as_deref() {
        Some([head, clauses @ ..]) if head.is_symbol("and") => parse_clauses(clauses, scope),
        _ => parse_clauses(&[branch], scope),
    }
}
