//! How errors name things: an entity by its ident or lookup ref, a form with the element of the
//! transaction data it stands in, shortened. Nothing here decides whether something is an error.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::Arc;

use datomite_model::{Edn, EntityId, Keyword, Symbol, Unique, Value};

use super::error::TxError;
use super::op::Op;
use crate::Db;

/// How much of a form a message shows, in characters.
const SHOWN_MAX: usize = 200;

/// An entity as a message names it.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityName {
    /// The entity.
    pub id: EntityId,
    /// Its ident, a lookup ref or its tempid, where it has one; else its id.
    pub name: Arc<Edn>,
}

impl From<EntityId> for EntityName {
    fn from(id: EntityId) -> EntityName {
        EntityName {
            id,
            name: Arc::new(Edn::Value(Value::Ref(id))),
        }
    }
}

impl fmt::Display for EntityName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown(&self.name, f)
    }
}

/// A part of transaction data that an error is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// The part; nil where nothing was written.
    pub part: Arc<Edn>,
    /// The element it stands in, where that is more.
    pub element: Option<Arc<Edn>>,
    /// Names that were perhaps meant.
    pub nearest: Box<[Keyword]>,
}

impl Default for Form {
    fn default() -> Form {
        Form::from(Edn::Nil)
    }
}

impl From<Arc<Edn>> for Form {
    fn from(part: Arc<Edn>) -> Form {
        Form {
            part,
            element: None,
            nearest: Box::default(),
        }
    }
}

impl From<Edn> for Form {
    fn from(part: Edn) -> Form {
        Form::from(Arc::new(part))
    }
}

impl From<&Arc<Edn>> for Form {
    fn from(part: &Arc<Edn>) -> Form {
        Form::from(Arc::clone(part))
    }
}

impl From<&Edn> for Form {
    fn from(part: &Edn) -> Form {
        Form::from(part.clone())
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown(&self.part, f)?;
        if let Some(element) = self.element.as_ref().filter(|e| **e != self.part) {
            f.write_str(" in ")?;
            shown(element, f)?;
        }
        for (at, name) in self.nearest.iter().enumerate() {
            f.write_str(if at == 0 { "; nearest: " } else { ", " })?;
            write!(f, "{name}")?;
        }
        Ok(())
    }
}

/// ` in …`, or nothing where nothing was written.
pub(super) fn within(form: &Form) -> String {
    match *form.part {
        Edn::Nil => String::new(),
        _ => format!(" in {form}"),
    }
}

/// A form that is not longer than a message may be: a long one ends with `…`.
pub(super) fn short(form: &Edn) -> String {
    let mut text = Shortened {
        text: String::new(),
        left: SHOWN_MAX,
    };
    match write!(text, "{form}") {
        Ok(()) => text.text,
        Err(fmt::Error) => text.text + "…",
    }
}

fn shown(form: &Edn, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(&short(form))
}

/// Takes so many characters and then refuses, so that a value of megabytes is not printed first.
struct Shortened {
    text: String,
    left: usize,
}

impl Write for Shortened {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        for c in more.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(c);
        }
        Ok(())
    }
}

/// What a transaction knew when it was refused.
pub(super) struct Told<'a> {
    pub(super) db: &'a Db,
    pub(super) tempids: &'a BTreeMap<Edn, EntityId>,
    pub(super) ops: &'a [Op],
}

/// The parts of an error that can be told better by who knows the transaction.
#[derive(Default)]
pub(super) struct Parts<'a> {
    pub(super) entities: Vec<&'a mut EntityName>,
    pub(super) forms: Vec<&'a mut Form>,
    /// The entity, and the attribute, that forms which are not known yet are about.
    pub(super) about: Option<(Edn, Option<Keyword>)>,
}

impl TxError {
    /// The same error, which occurred in that element of the transaction data.
    pub(super) fn in_element(mut self, element: &Arc<Edn>) -> TxError {
        for form in self.parts().forms {
            if form.part.is_nil() {
                form.part = Arc::clone(element);
            } else if form.element.is_none() {
                form.element = Some(Arc::clone(element));
            }
        }
        self
    }
}

impl Told<'_> {
    /// The same error with the names of its entities, what was written, and what was meant.
    pub(super) fn complete(&self, mut error: TxError) -> TxError {
        let parts = error.parts();
        let about = parts
            .about
            .and_then(|(e, a)| Some((self.db.entid(&e).ok()??, a)));
        for form in parts.forms {
            if form.part.is_nil()
                && let Some((e, a)) = &about
            {
                form.part = self.written(*e, a.as_ref());
            }
            self.suggest(form);
        }
        parts
            .entities
            .into_iter()
            .for_each(|entity| self.name(entity));
        error
    }

    fn name(&self, entity: &mut EntityName) {
        let tempid = || {
            let mut names = self.tempids.iter();
            names
                .find(|(_, id)| **id == entity.id)
                .map(|(name, _)| name.clone())
        };
        let name = name_in(self.db, entity.id);
        if let Some(name) = name.or_else(tempid).or_else(|| self.claimed(entity.id)) {
            entity.name = Arc::new(name);
        }
    }

    /// The identity that the transaction gives an entity.
    fn claimed(&self, e: EntityId) -> Option<Edn> {
        let own = self.ops.iter().filter(|op| op.e == e && op.added);
        let mut claims = own.filter(|op| op.a.unique == Some(Unique::Identity));
        let op = claims.next()?;
        Some(lookup_ref(&op.a.ident, &op.v))
    }

    /// What was written about an attribute of an entity, or with the entity as its value, or else
    /// about the entity.
    fn written(&self, e: EntityId, a: Option<&Keyword>) -> Arc<Edn> {
        let fits = |op: &&Op| Some(&op.a.ident) == a;
        let own = || self.ops.iter().filter(|op| op.e == e);
        let op = own().find(fits);
        let op = op.or_else(|| {
            self.ops
                .iter()
                .filter(fits)
                .find(|op| op.v == Value::Ref(e))
        });
        let op = op.or_else(|| own().next());
        op.map_or_else(|| Arc::new(Edn::Nil), |op| Arc::clone(&op.form))
    }

    fn suggest(&self, form: &mut Form) {
        let name = match &*form.part {
            Edn::Value(Value::Keyword(name)) => name.as_str(),
            Edn::Value(Value::String(text)) => match text.strip_prefix(':') {
                Some(name) => name,
                None => return,
            },
            _ => return,
        };
        if self.db.schema().entid(&Keyword::parse(name)).is_none() {
            let idents = self.db.schema().idents();
            let idents = idents.map(|(ident, _)| (ident.as_str().to_owned(), ident.clone()));
            form.nearest = nearest(name, idents).into();
        }
    }
}

/// The ident of an entity, or a lookup ref that finds it.
pub(super) fn name_in(db: &Db, e: EntityId) -> Option<Edn> {
    if let Some(ident) = db.ident(e) {
        return Some(Edn::Value(Value::Keyword(ident)));
    }
    let basis = db.basis();
    let datoms = basis.datoms_of(e).ok()?;
    let lookups = datoms.into_iter().filter_map(|datom| {
        let attribute = db.schema().attribute(datom.a)?;
        let unique = attribute.unique?;
        let hard_to_read = attribute.is_ref() || attribute.tuple.is_some();
        let rank = (hard_to_read, unique != Unique::Identity, datom.a);
        Some((rank, lookup_ref(&attribute.ident, &datom.v)))
    });
    lookups
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, lookup)| lookup)
}

fn lookup_ref(attribute: &Keyword, v: &Value) -> Edn {
    let attribute = Edn::Value(Value::Keyword(attribute.clone()));
    Edn::Vector(vec![attribute, Edn::from(v.clone())])
}

/// The registered functions whose names differ least.
pub(super) fn nearest_functions(db: &Db, name: &Symbol) -> Vec<Symbol> {
    let names = db.functions().names().into_iter();
    nearest(
        &name.to_string(),
        names.map(|name| (name.to_string(), name)),
    )
}

/// The up to three names that differ least: in at most a third of the characters.
fn nearest<N>(name: &str, known: impl Iterator<Item = (String, N)>) -> Vec<N> {
    let limit = (name.chars().count() / 3).max(1);
    let mut scored: Vec<(usize, String, N)> = known
        .filter_map(|(text, known)| Some((distance(name, &text, limit)?, text, known)))
        .collect();
    scored.sort_by(|x, y| (x.0, &x.1).cmp(&(y.0, &y.1)));
    scored
        .into_iter()
        .take(3)
        .map(|(_, _, name)| name)
        .collect()
}

/// Levenshtein distance, `None` past `limit`.
fn distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().filter(|d| *d <= limit)
}
