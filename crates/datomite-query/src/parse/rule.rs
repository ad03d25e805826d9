//! Rules: given as an argument for `%`, as forms or as text.

use datomite_model::{Edn, Symbol, Value, read};

use super::clause::parse_clauses;
use super::{Node, Scope};
use crate::QueryError;
use crate::ast::{Definition, Rule, Rules, Var};
use crate::error::Place;

/// Parses a rule set.
pub(crate) fn parse_rules(form: &Edn) -> Result<Rules, QueryError> {
    if let Edn::Value(Value::String(text)) = form {
        return parse_rules(&read(text)?);
    }
    crate::weigh::check_depth(form)?;
    let node = Node { form, spans: None };
    let forms: &[Edn] = match form {
        Edn::Nil => &[],
        Edn::List(items) | Edn::Vector(items) | Edn::Set(items) => items,
        _ => return Err(node.error("rules must be a list of rules")),
    };
    let mut rules = Rules::default();
    for form in forms {
        let (name, required, definition) = parse_rule(Node { form, spans: None })?;
        let found = definition.head.len();
        match rules.rules.iter_mut().find(|rule| rule.name == name) {
            Some(rule) if rule.arity != found => {
                return Err(QueryError::RuleArity {
                    name,
                    expected: rule.arity,
                    found,
                    place: Box::new(Place::clone(&definition.place)),
                });
            }
            Some(rule) => {
                for (known, new) in rule.required.iter_mut().zip(required) {
                    *known |= new;
                }
                rule.definitions.push(definition);
            }
            None => rules.rules.push(Rule {
                name,
                arity: found,
                required,
                definitions: vec![definition],
            }),
        }
    }
    Ok(rules)
}

fn parse_rule(form: Node<'_>) -> Result<(Symbol, Vec<bool>, Definition), QueryError> {
    let items = form.items().unwrap_or_default();
    let Some((head, body)) = items.split_first() else {
        return Err(form.error("expected a rule, a list of a head and clauses, found"));
    };
    if body.is_empty() {
        return Err(form.error("rule without a body"));
    }
    let head_items = head.items().unwrap_or_default();
    let Some((name, arguments)) = head_items.split_first() else {
        return Err(head.error("expected the head of a rule, found"));
    };
    let name = match name.form {
        Edn::Value(Value::Symbol(symbol)) => symbol.clone(),
        Edn::Value(Value::Keyword(keyword)) => Symbol::parse(keyword.as_str()),
        _ => return Err(name.error("expected the name of a rule, found")),
    };
    let mut scope = Scope::default();
    let mut required = Vec::new();
    let mut variables: Vec<Var> = Vec::new();
    for (i, argument) in arguments.iter().enumerate() {
        match (i, argument.items()) {
            (0, Some(inner)) => {
                for node in inner {
                    head_variable(node, &mut scope, &mut variables)?;
                    required.push(true);
                }
            }
            _ => {
                head_variable(*argument, &mut scope, &mut variables)?;
                required.push(false);
            }
        }
    }
    let clauses = parse_clauses(body, &mut scope)?;
    let definition = Definition {
        head: variables,
        clauses,
        names: scope.names,
        place: form.place(),
    };
    Ok((name, required, definition))
}

fn head_variable(node: Node<'_>, scope: &mut Scope, into: &mut Vec<Var>) -> Result<(), QueryError> {
    let Some(name) = node.variable() else {
        return Err(node.error("expected a variable in the head of a rule, found"));
    };
    let var = scope.var(name);
    if into.contains(&var) {
        return Err(node.error("a variable stands twice in the head of a rule"));
    }
    into.push(var);
    Ok(())
}
