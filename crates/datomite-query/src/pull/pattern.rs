//! Pull patterns: from a form or text to a tree of specs.
//!
//! Decides the grammar, the older `(limit attr n)` and `(default attr v)` included. Whether an
//! attribute exists is not known here; unknown ones match nothing.

use std::sync::Arc;

use datomite_model::{Edn, Keyword, Symbol, Value};

use super::{LIMIT_DEFAULT, PullError};

/// The functions that `:xform` may name without registering them.
const XFORMS: &[&str] = &[
    "str",
    "keyword",
    "symbol",
    "name",
    "namespace",
    "clojure.edn/read-string",
];

/// A pull pattern.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Pattern {
    /// `*`, and how it writes its keys.
    pub(super) wildcard: Option<KeyStyle>,
    /// Whether `:db/id` is asked for.
    pub(super) id: bool,
    /// In the order written.
    pub(super) specs: Vec<Spec>,
}

/// Whether an attribute was written as a keyword or as text; its answer is written alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum KeyStyle {
    Keyword,
    Text,
}

/// One attribute of a pattern.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Spec {
    /// The attribute, without the underscore of a reverse one.
    pub(super) attribute: Keyword,
    pub(super) direction: Direction,
    pub(super) style: KeyStyle,
    /// As written; no two specs of a pattern are written alike.
    pub(super) written: Edn,
    /// What the answer is found under.
    pub(super) key: Edn,
    /// The most values; `usize::MAX` for all.
    pub(super) limit: usize,
    pub(super) default: Option<Edn>,
    pub(super) xform: Option<Symbol>,
    pub(super) sub: Sub,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Direction {
    Forward,
    Reverse,
}

/// What is pulled of the entities that an attribute leads to.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Sub {
    /// Nothing is said: ids, or whole components.
    None,
    Pattern(Arc<Pattern>),
    /// The pattern around, again: so many times, or without end.
    Recursion(Option<u64>),
}

impl Pattern {
    /// Reads a pattern from a form, or from EDN in a string.
    pub fn from_edn(form: &Edn) -> Result<Pattern, PullError> {
        match form.as_str() {
            Some(text) => Pattern::parse(text),
            None => pattern(form, &mut Vec::new()),
        }
    }

    /// Reads a pattern from EDN.
    pub fn parse(text: &str) -> Result<Pattern, PullError> {
        let not_a_pattern = || PullError::NotAPattern {
            form: Edn::string(text),
        };
        let forms = datomite_model::read_all(text).map_err(|_| not_a_pattern())?;
        match forms.as_slice() {
            [] => Ok(Pattern::default()),
            [form] if form.as_str().is_none() => Pattern::from_edn(form),
            _ => Err(not_a_pattern()),
        }
    }
}

/// The keys of the map specs around the form that is read.
type Path = Vec<Edn>;

fn pattern(form: &Edn, path: &mut Path) -> Result<Pattern, PullError> {
    let items = match form {
        Edn::Vector(items) | Edn::List(items) | Edn::Set(items) => items,
        // Datomic sees a map as its entries, none of which finds anything.
        Edn::Map(_) => return Ok(Pattern::default()),
        _ => return Err(PullError::NotAPattern { form: form.clone() }),
    };
    let mut pattern = Pattern::default();
    for item in items {
        element(item, &mut pattern, path)?;
    }
    for (at, spec) in pattern.specs.iter().enumerate() {
        let same = |other: &Spec| other.written == spec.written;
        if pattern.specs[..at].iter().any(same) {
            return Err(PullError::DuplicateAttribute {
                attribute: spec.written.clone(),
                path: path.clone(),
            });
        }
    }
    Ok(pattern)
}

fn element(form: &Edn, pattern: &mut Pattern, path: &mut Path) -> Result<(), PullError> {
    if let Some(style) = wildcard(form) {
        pattern.wildcard = Some(style);
        return Ok(());
    }
    if let Edn::Map(entries) = form {
        for (key, value) in entries {
            if wildcard(key).is_some() {
                continue;
            }
            let mut spec = expression(key, path)?;
            path.push(key.clone());
            spec.sub = sub(value, path)?;
            path.pop();
            pattern.specs.push(spec);
        }
        return Ok(());
    }
    let spec = expression(form, path)?;
    if spec.style == KeyStyle::Keyword && spec.attribute.as_str() == "db/id" {
        pattern.id = true;
    } else {
        pattern.specs.push(spec);
    }
    Ok(())
}

fn wildcard(form: &Edn) -> Option<KeyStyle> {
    match form {
        Edn::Value(Value::Symbol(symbol)) if symbol.as_str() == "*" => Some(KeyStyle::Keyword),
        Edn::Value(Value::Keyword(keyword)) if keyword.as_str() == "*" => Some(KeyStyle::Keyword),
        Edn::Value(Value::String(text)) if text.as_ref() == "*" => Some(KeyStyle::Text),
        _ => None,
    }
}

fn sub(form: &Edn, path: &mut Path) -> Result<Sub, PullError> {
    match form {
        Edn::Vector(_) | Edn::List(_) | Edn::Set(_) => {
            pattern(form, path).map(|inner| Sub::Pattern(Arc::new(inner)))
        }
        Edn::Value(Value::Symbol(dots)) if dots.as_str() == "..." => Ok(Sub::Recursion(None)),
        Edn::Value(Value::String(dots)) if dots.as_ref() == "..." => Ok(Sub::Recursion(None)),
        Edn::Value(Value::Long(times)) if *times > 0 => Ok(Sub::Recursion(Some(*times as u64))),
        _ => Err(PullError::InvalidRecurLimit {
            form: form.clone(),
            path: path.clone(),
        }),
    }
}

/// An attribute, alone or with options.
fn expression(form: &Edn, path: &Path) -> Result<Spec, PullError> {
    let invalid = || PullError::InvalidAttrSpec {
        form: form.clone(),
        path: path.clone(),
    };
    let (Edn::List(items) | Edn::Vector(items)) = form else {
        return attribute(form).ok_or_else(invalid);
    };
    let (head, rest) = items.split_first().ok_or_else(invalid)?;
    match head {
        Edn::Value(Value::Symbol(word)) if matches!(word.as_str(), "limit" | "default") => {
            let (name, value) = rest.split_first().ok_or_else(invalid)?;
            let mut spec = attribute(name).ok_or_else(invalid)?;
            let value = value.first().unwrap_or(&Edn::Nil);
            if word.as_str() == "limit" {
                spec.limit = limit(value, path)?;
            } else {
                spec.default = Some(value.clone()).filter(|form| !form.is_nil());
            }
            return Ok(spec);
        }
        Edn::Value(Value::String(word)) if matches!(word.as_ref(), "limit" | "default") => {
            return Err(PullError::NotAKeyword { form: head.clone() });
        }
        _ => {}
    }
    let mut spec = attribute(head).ok_or_else(invalid)?;
    if rest.len() % 2 == 1 {
        return Err(invalid());
    }
    for pair in rest.chunks(2) {
        option(&mut spec, &pair[0], &pair[1], path)?.ok_or_else(invalid)?;
    }
    Ok(spec)
}

/// Applies one option; unknown ones are ignored, a keyword in text is none.
fn option(spec: &mut Spec, name: &Edn, value: &Edn, path: &Path) -> Result<Option<()>, PullError> {
    let Some(name) = name.as_keyword() else {
        let is_text = name.as_str().is_some_and(|text| text.starts_with(':'));
        return Ok((!is_text).then_some(()));
    };
    match name.as_str() {
        "as" if crate::builtins::is_true(value) => spec.key = value.clone(),
        "limit" => spec.limit = limit(value, path)?,
        "default" => spec.default = Some(value.clone()).filter(|form| !form.is_nil()),
        "xform" => spec.xform = xform(value)?,
        _ => {}
    }
    Ok(Some(()))
}

fn limit(form: &Edn, path: &Path) -> Result<usize, PullError> {
    match form {
        Edn::Nil => Ok(usize::MAX),
        Edn::Value(Value::Long(n)) => Ok(usize::try_from(*n).unwrap_or(0)),
        Edn::Value(Value::Double(n)) => Ok(*n as usize),
        _ => Err(PullError::InvalidLimit {
            form: form.clone(),
            path: path.clone(),
        }),
    }
}

fn xform(form: &Edn) -> Result<Option<Symbol>, PullError> {
    match form {
        Edn::Nil => Ok(None),
        Edn::Value(Value::Symbol(symbol))
            if symbol.namespace().is_some() || is_own_xform(symbol) =>
        {
            Ok(Some(symbol.clone()))
        }
        _ => Err(PullError::ForbiddenXform { name: form.clone() }),
    }
}

/// Whether an `:xform` is one of the pull language itself.
pub(super) fn is_own_xform(name: &Symbol) -> bool {
    XFORMS.contains(&name.as_str())
}

/// A name of an attribute, forward or reverse.
fn attribute(form: &Edn) -> Option<Spec> {
    let (keyword, style) = match form {
        Edn::Value(Value::Keyword(keyword)) => (keyword.clone(), KeyStyle::Keyword),
        Edn::Value(Value::String(text)) if text.len() > 1 && text.starts_with(':') => {
            (Keyword::parse(text), KeyStyle::Text)
        }
        _ => return None,
    };
    let (attribute, direction) = match keyword.name().strip_prefix('_') {
        Some(name) if !name.is_empty() => {
            let forward = Keyword::new(keyword.namespace(), name);
            (forward, Direction::Reverse)
        }
        _ => (keyword, Direction::Forward),
    };
    Some(Spec {
        attribute,
        direction,
        style,
        written: form.clone(),
        key: form.clone(),
        limit: LIMIT_DEFAULT,
        default: None,
        xform: None,
        sub: Sub::None,
    })
}
