//! Pull patterns: from a form or text to a tree of specs.
//!
//! Decides the grammar, the older `(limit attr n)` and `(default attr v)` included. Whether an
//! attribute exists is not known here; unknown ones match nothing.

use std::sync::Arc;

use datomite_model::{BigInt, Edn, Keyword, Symbol, Value};
use num_bigint::Sign;
use num_traits::ToPrimitive;

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
    /// How the key of the id is written, where `:db/id` or `*` asks for it: the later of them says.
    pub(super) id: Option<KeyStyle>,
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
    /// The most values, `usize::MAX` for all; or why what was given is no number.
    pub(super) limit: Result<usize, PullError>,
    pub(super) default: Option<Edn>,
    /// Whether the default was given by `(default attr v)`, which replaces false too.
    pub(super) is_old_default: bool,
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

impl Spec {
    /// Whether it is `:db/id`, whatever its options say.
    fn is_id(&self) -> bool {
        self.style == KeyStyle::Keyword
            && self.direction == Direction::Forward
            && self.attribute.as_str() == "db/id"
    }

    /// The name with its underscore, where it has one.
    pub(super) fn whole_name(&self) -> Keyword {
        match self.direction {
            Direction::Forward => self.attribute.clone(),
            Direction::Reverse => {
                let name = format!("_{}", self.attribute.name());
                Keyword::new(self.attribute.namespace(), &name)
            }
        }
    }
}

impl Pattern {
    /// Reads a pattern from a form, or from EDN in a string.
    pub fn from_edn(form: &Edn) -> Result<Pattern, PullError> {
        if crate::weigh::is_deeper(form, datomite_model::DEPTH_MAX) {
            return Err(PullError::TooDeep { limit: NESTED_MAX });
        }
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
        // What follows the first form is not looked at, as in Datomic.
        match forms.first() {
            None | Some(Edn::Nil) => Ok(Pattern::default()),
            Some(form) if form.as_str().is_none() => Pattern::from_edn(form),
            _ => Err(not_a_pattern()),
        }
    }
}

/// How deep patterns may stand in patterns.
const NESTED_MAX: usize = 64;

/// The keys of the map specs around the form that is read.
type Path = Vec<Edn>;

fn pattern(form: &Edn, path: &mut Path) -> Result<Pattern, PullError> {
    let items = match form {
        Edn::Vector(items) | Edn::List(items) | Edn::Set(items) => items,
        // Datomic sees a map as its entries, none of which finds anything.
        Edn::Map(_) => return Ok(Pattern::default()),
        _ => return Err(PullError::NotAPattern { form: form.clone() }),
    };
    if path.len() > NESTED_MAX {
        return Err(PullError::TooDeep { limit: NESTED_MAX });
    }
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
    if let Some(style) = wildcard(form).or_else(|| limited_wildcard(form)) {
        pattern.wildcard = Some(style);
        pattern.id = Some(style);
        return Ok(());
    }
    if let Edn::Map(entries) = form {
        for (key, value) in entries {
            match wildcard(key) {
                Some(KeyStyle::Keyword) => continue,
                Some(KeyStyle::Text) => return Err(PullError::NotAKeyword { form: key.clone() }),
                None => {}
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
    if spec.is_id() {
        pattern.id = Some(KeyStyle::Keyword);
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

/// `(limit * n)`: the limit says nothing.
fn limited_wildcard(form: &Edn) -> Option<KeyStyle> {
    match form {
        Edn::List(items) | Edn::Vector(items) if is_old_word(items.first()?) => {
            wildcard(items.get(1)?)
        }
        _ => None,
    }
}

fn is_old_word(form: &Edn) -> bool {
    matches!(form, Edn::Value(Value::Symbol(word)) if matches!(word.as_str(), "limit" | "default"))
}

fn sub(form: &Edn, path: &mut Path) -> Result<Sub, PullError> {
    match form {
        Edn::Vector(_) | Edn::List(_) => {
            pattern(form, path).map(|inner| Sub::Pattern(Arc::new(inner)))
        }
        Edn::Value(Value::Symbol(dots)) if dots.as_str() == "..." => Ok(Sub::Recursion(None)),
        Edn::Value(Value::String(dots)) if dots.as_ref() == "..." => Ok(Sub::Recursion(None)),
        Edn::Value(Value::Long(times)) if *times > 0 => Ok(Sub::Recursion(Some(*times as u64))),
        Edn::Value(Value::BigInt(times)) if times.sign() == Sign::Plus => {
            let times = u64::try_from(times.as_ref()).unwrap_or(u64::MAX - 1);
            Ok(Sub::Recursion(Some(times)))
        }
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
    if is_old_word(head) {
        return old_expression(form, head, rest, path);
    }
    match head {
        Edn::Value(Value::Keyword(_)) => {}
        Edn::Value(Value::String(text)) if text.starts_with(':') => return Err(invalid()),
        Edn::Value(Value::Symbol(_)) | Edn::Nil => return Err(invalid()),
        _ => return Err(PullError::NotAKeyword { form: head.clone() }),
    }
    let mut spec = attribute(head).ok_or_else(invalid)?;
    if rest.len() % 2 == 1 {
        return Err(invalid());
    }
    for pair in rest.chunks(2) {
        option(&mut spec, &pair[0], &pair[1], path)?;
    }
    Ok(spec)
}

/// `(limit attr n)` or `(default attr v)`; of one within the other only the outer counts.
fn old_expression(form: &Edn, word: &Edn, rest: &[Edn], path: &Path) -> Result<Spec, PullError> {
    let invalid = || PullError::InvalidAttrSpec {
        form: form.clone(),
        path: path.clone(),
    };
    let (mut name, value) = rest.split_first().ok_or_else(invalid)?;
    while let Edn::List(items) | Edn::Vector(items) = name
        && items.first().is_some_and(is_old_word)
    {
        name = items.get(1).ok_or_else(invalid)?;
    }
    let mut spec = attribute(name).ok_or_else(invalid)?;
    let value = value.first().unwrap_or(&Edn::Nil);
    if *word == Edn::symbol("default") {
        spec.is_old_default = true;
        spec.default = Some(value.clone()).filter(|form| !form.is_nil());
        return Ok(spec);
    }
    spec.limit = match value {
        Edn::Nil | Edn::Value(Value::Long(_) | Value::BigInt(_)) => limit(value, path),
        _ => {
            return Err(PullError::InvalidLimit {
                form: value.clone(),
                path: path.clone(),
                old: true,
            });
        }
    };
    Ok(spec)
}

/// Applies one option; unknown ones, and names that are no keywords, are ignored.
fn option(spec: &mut Spec, name: &Edn, value: &Edn, path: &Path) -> Result<(), PullError> {
    let Some(name) = name.as_keyword() else {
        return Ok(());
    };
    match name.as_str() {
        "as" if crate::builtins::is_true(value) => spec.key = value.clone(),
        "limit" => spec.limit = limit(value, path),
        "default" => spec.default = Some(value.clone()).filter(|form| !form.is_nil()),
        "xform" => spec.xform = xform(value)?,
        _ => {}
    }
    Ok(())
}

/// Nil and false are no limit; a fraction lets one more in.
fn limit(form: &Edn, path: &Path) -> Result<usize, PullError> {
    let whole = |n: &BigInt| match n.sign() {
        Sign::Minus => 0,
        _ => usize::try_from(n).unwrap_or(usize::MAX),
    };
    match form {
        Edn::Nil | Edn::Value(Value::Boolean(false)) => Ok(usize::MAX),
        Edn::Value(Value::Long(n)) => Ok(usize::try_from(*n).unwrap_or(0)),
        Edn::Value(Value::Double(n)) => Ok(n.ceil() as usize),
        Edn::Value(Value::BigInt(n)) => Ok(whole(n)),
        Edn::Value(Value::BigDec(n)) => {
            let n = n.to_bigdecimal().to_f64().unwrap_or(f64::MAX);
            Ok(n.ceil() as usize)
        }
        _ => Err(PullError::InvalidLimit {
            form: form.clone(),
            path: path.clone(),
            old: false,
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
        Edn::Value(Value::String(text)) if text.starts_with(':') => {
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
        limit: Ok(LIMIT_DEFAULT),
        default: None,
        is_old_default: false,
        xform: None,
        sub: Sub::None,
    })
}
