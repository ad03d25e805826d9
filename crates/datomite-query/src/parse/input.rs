//! `:in` and binding forms: how arguments and function results are taken apart.

use datomite_model::Edn;

use super::{Node, Scope};
use crate::QueryError;
use crate::ast::{Binding, InputForm};

/// The inputs, one for each argument.
pub(super) fn parse_inputs(
    forms: &[Node<'_>],
    scope: &mut Scope,
) -> Result<Vec<InputForm>, QueryError> {
    forms.iter().map(|form| parse_input(*form, scope)).collect()
}

fn parse_input(form: Node<'_>, scope: &mut Scope) -> Result<InputForm, QueryError> {
    if let Some(source) = form.source() {
        return Ok(InputForm::Source(source.clone()));
    }
    if form.is_symbol("%") {
        return Ok(InputForm::Rules);
    }
    let is_binding = form.is_blank() || form.variable().is_some() || form.items().is_some();
    match form.symbol() {
        _ if is_binding => Ok(InputForm::Binding(parse_binding(form, scope), form.place())),
        Some(name) if name.namespace().is_none() => Ok(InputForm::Pattern(name.clone())),
        _ => Err(form.error("argument in :in is not a source")),
    }
}

/// A binding form. What is none binds nothing, as constants inside one do.
pub(super) fn parse_binding(form: Node<'_>, scope: &mut Scope) -> Binding {
    if let Some(name) = form.variable() {
        return Binding::Scalar(scope.var(name));
    }
    let Some(items) = form.items() else {
        return Binding::Blank;
    };
    match items.as_slice() {
        [] => Binding::Blank,
        [dots] if dots.is_symbol("...") => Binding::Blank,
        [inner] if matches!(inner.form, Edn::Vector(_) | Edn::List(_)) => {
            parse_relation(*inner, scope)
        }
        [inner, dots, ..] if dots.is_symbol("...") => match inner.form {
            Edn::Vector(_) | Edn::List(_) => match parse_binding(*inner, scope) {
                Binding::Tuple(parts) => Binding::Relation(parts),
                other => Binding::Collection(Box::new(other)),
            },
            _ => Binding::Collection(Box::new(parse_binding(*inner, scope))),
        },
        _ => Binding::Tuple(parse_parts(&items, scope)),
    }
}

fn parse_relation(inner: Node<'_>, scope: &mut Scope) -> Binding {
    match inner.items().unwrap_or_default().as_slice() {
        [] => Binding::Blank,
        [one, dots] if dots.is_symbol("...") => Binding::Collection(Box::new(Binding::Collection(
            Box::new(parse_binding(*one, scope)),
        ))),
        parts => Binding::Relation(parse_parts(parts, scope)),
    }
}

fn parse_parts(parts: &[Node<'_>], scope: &mut Scope) -> Vec<Binding> {
    parts
        .iter()
        .map(|part| parse_binding(*part, scope))
        .collect()
}
