//! `:find`, `:with`, `:keys`, `:order-by`, `:limit`, `:offset`: what to return and in which shape.

use std::sync::Arc;

use datomite_model::{Edn, Keyword, Symbol, Value};

use super::{Node, Scope};
use crate::QueryError;
use crate::ast::{Direction, Element, FindSpec, Keys, PullSpec, Var};
use crate::error::Place;

/// The find specification.
pub(super) fn parse_find(
    forms: &[Node<'_>],
    scope: &mut Scope,
) -> Result<(FindSpec, Vec<Element>), QueryError> {
    if let [only] = forms
        && let (Edn::Vector(_), Some(items)) = (only.form, only.items())
    {
        return match items.as_slice() {
            [] => Err(only.error("no :find clause specified")),
            [one, dots] if dots.is_symbol("...") => {
                Ok((FindSpec::Collection, vec![parse_element(*one, scope)?]))
            }
            [one, dots, ..] if dots.is_symbol("...") => Err(invalid_aggregate(*one)),
            _ => Ok((FindSpec::Tuple, parse_elements(&items, scope)?)),
        };
    }
    if let [one, dot] = forms
        && dot.is_symbol(".")
    {
        return Ok((FindSpec::Scalar, vec![parse_element(*one, scope)?]));
    }
    Ok((FindSpec::Relation, parse_elements(forms, scope)?))
}

fn parse_elements(forms: &[Node<'_>], scope: &mut Scope) -> Result<Vec<Element>, QueryError> {
    forms
        .iter()
        .map(|form| parse_element(*form, scope))
        .collect()
}

fn parse_element(form: Node<'_>, scope: &mut Scope) -> Result<Element, QueryError> {
    if let Some(name) = form.variable() {
        return Ok(Element::Variable(scope.var(name)));
    }
    let Some(items) = form.items() else {
        return Err(form.error("argument in :find is not a variable"));
    };
    let Some((head, arguments)) = items.split_first() else {
        return Err(form.error("no :find clause specified"));
    };
    let is_name = |s: &&Symbol| !s.as_str().starts_with('?') && !s.as_str().starts_with('.');
    let Some(name) = head.symbol().filter(is_name) else {
        return Err(invalid_aggregate(*head));
    };
    if name.as_str() == "pull" {
        return parse_pull(form, arguments, scope);
    }
    let Some((variable, constants)) = arguments.split_last() else {
        return Err(form.error("argument in :find is not a variable"));
    };
    let Some(variable) = variable.variable() else {
        return Err(variable.error("argument in :find is not a variable"));
    };
    Ok(Element::Aggregate {
        name: name.clone(),
        arguments: constants.iter().map(|c| c.form.clone()).collect(),
        variable: scope.var(variable),
    })
}

fn invalid_aggregate(form: Node<'_>) -> QueryError {
    QueryError::InvalidAggregate {
        name: form.form.clone(),
        near: Vec::new(),
    }
}

fn parse_pull(
    form: Node<'_>,
    arguments: &[Node<'_>],
    scope: &mut Scope,
) -> Result<Element, QueryError> {
    let (source, arguments) = match arguments.split_first() {
        Some((first, rest)) if first.source().is_some() => (first.source().cloned(), rest),
        _ => (None, arguments),
    };
    let invalid = || QueryError::InvalidPull {
        place: Box::new(Place::clone(&form.place())),
    };
    let [variable, pattern, ..] = arguments else {
        return Err(invalid());
    };
    let Some(variable) = variable.variable() else {
        return Err(invalid());
    };
    let pattern = match pattern.symbol() {
        Some(name) if pattern.variable().is_none() && name.as_str() != "*" => {
            PullSpec::Input(name.clone())
        }
        Some(_) if pattern.variable().is_some() => return Err(invalid()),
        _ => PullSpec::Literal(pattern.form.clone()),
    };
    Ok(Element::Pull {
        source,
        variable: scope.var(variable),
        pattern,
    })
}

/// `:with ?a ?b`
pub(super) fn parse_with(forms: &[Node<'_>], scope: &mut Scope) -> Result<Vec<Var>, QueryError> {
    let var = |form: &Node<'_>| match form.variable() {
        Some(name) => Ok(scope.var(name)),
        None => Err(form.error("argument in :with is not a variable")),
    };
    forms.iter().map(var).collect()
}

/// A variable that stands twice beside aggregates, or also in `:with`. The query is an error as
/// soon as it has a row; without one its answer is empty, as in Datomic.
pub(super) fn repeated(
    query: Node<'_>,
    elements: &[Element],
    with: &[Var],
    scope: &Scope,
) -> Option<(Symbol, Place)> {
    let plain = elements
        .iter()
        .filter(|e| !matches!(e, Element::Aggregate { .. }));
    let mut seen = Vec::new();
    for var in plain.map(Element::variable).chain(with.iter().copied()) {
        if seen.contains(&var) {
            let name = scope.names[var.0 as usize].clone();
            return Some((name, Place::clone(&query.place())));
        }
        seen.push(var);
    }
    None
}

/// `:keys`, `:strs` or `:syms`. Of several the first in this order gives the names, and `:strs`
/// beside `:keys` makes texts of them, as in Datomic.
pub(super) fn parse_keys(
    sections: &[(&'static str, Vec<Node<'_>>)],
    elements: usize,
    spec: FindSpec,
) -> Result<Option<Keys>, QueryError> {
    let Some((kind, forms)) = sections.first() else {
        return Ok(None);
    };
    // Datomic counts no elements in a tuple or a scalar.
    let takes_keys = matches!(spec, FindSpec::Relation | FindSpec::Collection);
    if !takes_keys || forms.len() != elements {
        return Err(QueryError::KeysCount {
            keys: forms.len(),
            elements,
        });
    }
    let as_keywords = *kind == "keys";
    let as_texts = sections.iter().any(|(kind, _)| *kind == "strs");
    let name = |form: &Node<'_>| {
        let name = match as_keywords {
            true => keyword_of(form.form),
            false => form.form.clone(),
        };
        match (as_texts, name) {
            (true, Edn::Value(Value::String(text))) => Edn::Value(Value::String(text)),
            (true, name) => Edn::string(&name.to_string()),
            (false, name) => name,
        }
    };
    let names = forms.iter().map(name).collect();
    Ok(Some(Keys { names }))
}

/// The keyword of a name; of anything else nil, as Clojure has it.
fn keyword_of(form: &Edn) -> Edn {
    match form {
        Edn::Value(Value::Symbol(name)) => {
            Edn::Value(Value::Keyword(Keyword::parse(name.as_str())))
        }
        Edn::Value(Value::String(name)) => Edn::Value(Value::Keyword(Keyword::parse(name))),
        Edn::Value(Value::Keyword(_)) => form.clone(),
        _ => Edn::Nil,
    }
}

/// `:order-by [?x :desc (count ?y)]`: elements of `:find`, each with an optional direction.
pub(super) fn parse_order(
    section: Option<&[Node<'_>]>,
    find: &[Node<'_>],
    elements: &[Element],
    scope: &mut Scope,
) -> Result<Vec<(usize, Direction)>, QueryError> {
    let section = section.unwrap_or(&[]);
    // `:order-by ?x` and `:order-by [?x]` mean the same.
    let terms = match section {
        [only] if matches!(only.form, Edn::Vector(_)) => only.items().unwrap_or_default(),
        terms => terms.to_vec(),
    };
    let mut order: Vec<(usize, Direction)> = Vec::new();
    for term in &terms {
        match (
            term.form.as_keyword().map(Keyword::as_str),
            order.last_mut(),
        ) {
            (Some("desc"), Some(last)) => last.1 = Direction::Descending,
            (Some("asc"), Some(last)) => last.1 = Direction::Ascending,
            _ => order.push((
                order_element(*term, find, elements, scope)?,
                Direction::Ascending,
            )),
        }
    }
    Ok(order)
}

fn order_element(
    term: Node<'_>,
    find: &[Node<'_>],
    elements: &[Element],
    scope: &mut Scope,
) -> Result<usize, QueryError> {
    let forms: Vec<&Edn> = match find {
        [only] if matches!(only.form, Edn::Vector(_)) => {
            only.form.as_sequence().unwrap_or(&[]).iter().collect()
        }
        forms => forms.iter().map(|node| node.form).collect(),
    };
    if let Some(at) = forms.iter().position(|form| *form == term.form) {
        return Ok(at);
    }
    let variable = term.variable().map(|name| scope.var(name));
    elements
        .iter()
        .position(|e| Some(e.variable()) == variable)
        .ok_or_else(|| {
            term.error("expected an element of :find, :asc or :desc in :order-by, found")
        })
}

/// `:limit n`, `:offset n`
pub(super) fn parse_count(section: Option<&[Node<'_>]>) -> Result<Option<u64>, QueryError> {
    let Some(section) = section else {
        return Ok(None);
    };
    match section {
        [only] => match only.form.as_long().and_then(|n| u64::try_from(n).ok()) {
            Some(n) => Ok(Some(n)),
            None => Err(only.error("expected a number that is not negative, found")),
        },
        [_, second, ..] => Err(second.error("expected one number, found also")),
        [] => Ok(None),
    }
}

/// What the columns are called: by the keys, else as `:find` says it.
pub(super) fn columns(
    elements: &[Element],
    keys: Option<&Keys>,
    names: &[Symbol],
) -> Arc<[String]> {
    let variable = |var: &Var| &names[var.0 as usize];
    let found = |element: &Element| match element {
        Element::Variable(var) => variable(var).to_string(),
        Element::Aggregate {
            name,
            arguments,
            variable: var,
        } => {
            let constants: String = arguments.iter().map(|form| format!(" {form}")).collect();
            format!("({name}{constants} {})", variable(var))
        }
        Element::Pull {
            source,
            variable: var,
            pattern,
        } => {
            let source = source
                .as_ref()
                .map_or(String::new(), |name| format!(" {name}"));
            let pattern: &dyn std::fmt::Display = match pattern {
                PullSpec::Literal(form) => form,
                PullSpec::Input(name) => name,
            };
            format!("(pull{source} {} {pattern})", variable(var))
        }
    };
    match keys {
        Some(keys) => keys.names.iter().map(key_text).collect(),
        None => elements.iter().map(found).collect(),
    }
}

fn key_text(key: &Edn) -> String {
    match key.as_str() {
        Some(text) => text.to_owned(),
        None => key.to_string(),
    }
}
