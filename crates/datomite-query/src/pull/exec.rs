//! Follows a pull pattern from an entity.
//!
//! The attributes of a pattern are resolved once ([`Prepared`]); then each entity is one forward
//! scan of its EAVT rows between the least and the greatest attribute asked for, plus one scan of
//! VAET for each reverse attribute. Recursion keeps the entities of the path: one that is met
//! again is not followed, but shows its own attributes.

use std::sync::Arc;

use datomite_db::{Bound, Db, DbError, KeyRange, Side};
use datomite_model::{Attribute, Edn, EntityId, Index, Keyword, Value};

use super::pattern::{Direction, KeyStyle, Pattern, Spec, Sub, is_own_xform};
use super::whole::{Whole, attribute_key, everything, id_form, id_key, id_map, order_twins};
use super::{LEVELS_MAX, PullError, refuse_history};
use crate::QueryError;
use crate::builtins::{Arg, Callable, Context, find, is_true};
use crate::options::Limits;
use crate::weigh;

type Outcome = Result<Option<Edn>, QueryError>;

/// The map that a pull makes of an entity.
struct Answer {
    entries: Vec<(Edn, Edn)>,
    /// Whether two specs may answer under one key.
    may_collide: bool,
}

/// A pattern resolved against one database.
pub(crate) struct Prepared<'a> {
    db: &'a Db,
    pattern: &'a Pattern,
    limits: &'a Limits,
    /// One for each spec of the pattern.
    specs: Vec<PreparedSpec<'a>>,
    /// Attribute ids of forward specs with their positions, ascending.
    forward: Vec<(EntityId, usize)>,
}

struct PreparedSpec<'a> {
    spec: &'a Spec,
    direction: Direction,
    /// None where there is no such attribute, or where it cannot be followed in reverse.
    attribute: Option<Arc<Attribute>>,
    xform: Option<Callable>,
    sub: Option<Prepared<'a>>,
    /// How the end of a recursion still shows ids, if it does.
    stubs: Option<KeyStyle>,
}

/// Where a pull stands: the way from the first entity of the pattern, and what recursion may do.
struct Path {
    /// The entities that a recursion was followed from, as they were named, ids as longs: Datomic
    /// does not see that an ident or a lookup ref names an entity that is met by its id.
    seen: Vec<Edn>,
    /// How often each spec may still recur; `u64::MAX` without end.
    left: Vec<u64>,
}

/// The entity at hand.
#[derive(Clone, Copy)]
struct Here<'n> {
    id: Option<EntityId>,
    named: &'n Edn,
    /// Whether it stood on the path before.
    again: bool,
    level: usize,
}

impl<'a> Prepared<'a> {
    /// Resolves the attributes and functions of a pattern.
    pub(crate) fn new(
        db: &'a Db,
        pattern: &'a Pattern,
        limits: &'a Limits,
    ) -> Result<Prepared<'a>, QueryError> {
        let specs: Result<Vec<PreparedSpec<'a>>, QueryError> = pattern
            .specs
            .iter()
            .map(|spec| PreparedSpec::new(db, pattern, spec, limits))
            .collect();
        let specs = specs?;
        let mut forward: Vec<(EntityId, usize)> = specs
            .iter()
            .enumerate()
            .filter(|(_, spec)| spec.direction == Direction::Forward)
            .filter_map(|(at, spec)| Some((spec.attribute.as_ref()?.id, at)))
            .collect();
        forward.sort();
        Ok(Prepared {
            db,
            pattern,
            limits,
            specs,
            forward,
        })
    }

    /// Pulls the entity that a form names; nil where nothing is found.
    pub(crate) fn pull(&self, entity: &Edn) -> Result<Edn, QueryError> {
        refuse_history(self.db)?;
        let id = self.db.entid(entity)?;
        let named = match entity {
            Edn::Value(value @ Value::Ref(_)) => Edn::from(value),
            form => form.clone(),
        };
        Ok(self
            .start(id, &named, &mut Vec::new(), 0)?
            .unwrap_or(Edn::Nil))
    }

    /// Pulls an entity, or nothing, with recursions of its own.
    fn start(
        &self,
        id: Option<EntityId>,
        named: &Edn,
        seen: &mut Vec<Edn>,
        level: usize,
    ) -> Outcome {
        let mut path = Path {
            seen: std::mem::take(seen),
            left: self.specs.iter().map(PreparedSpec::recursions).collect(),
        };
        let pulled = self.entity(id, named, &mut path, level);
        *seen = path.seen;
        pulled
    }

    fn entity(&self, id: Option<EntityId>, named: &Edn, path: &mut Path, level: usize) -> Outcome {
        if level > LEVELS_MAX {
            return Err(PullError::TooDeep { limit: LEVELS_MAX }.into());
        }
        self.limits.visit()?;
        let here = Here {
            id,
            named,
            again: path.seen.contains(named),
            level,
        };
        let mut answer = self.answer();
        if let Some(style) = self.pattern.id {
            answer.put(id_key(style), id_form(id));
        }
        let mut found = match id {
            Some(id) => self.forward_values(id)?,
            None => vec![Vec::new(); self.specs.len()],
        };
        let walked = match (id, self.pattern.wildcard) {
            (Some(id), Some(style)) => {
                self.wildcard(id, style, &mut found, path, here, &mut answer)?
            }
            _ => vec![false; self.specs.len()],
        };
        self.forward(found, &walked, path, here, &mut answer)?;
        self.reverse(path, here, &mut answer)?;
        Ok((!answer.entries.is_empty()).then_some(Edn::Map(answer.entries)))
    }

    fn answer(&self) -> Answer {
        let aliased = |spec: &PreparedSpec<'_>| spec.spec.key != spec.spec.written;
        Answer {
            entries: Vec::with_capacity(self.specs.len() + 1),
            may_collide: self.specs.iter().any(aliased),
        }
    }

    /// Everything that the entity has, by attribute; where a spec names an attribute as the
    /// wildcard would, what the spec makes of it. Of two things under one key the later stays, and
    /// nil stands for a spec that finds nothing. Says which specs were met.
    fn wildcard(
        &self,
        id: EntityId,
        style: KeyStyle,
        found: &mut [Vec<Value>],
        path: &mut Path,
        here: Here<'_>,
        answer: &mut Answer,
    ) -> Result<Vec<bool>, QueryError> {
        let mut walked = vec![false; self.specs.len()];
        let mut whole = Whole::new(self.db, style, Some(id), self.limits);
        for (attribute, values) in everything(self.db, id)? {
            let Some(at) = self.spec_for(&attribute.ident, style) else {
                if let Some(value) = whole.values(&attribute, values, here.level)? {
                    answer.put(attribute_key(&attribute.ident, style), value);
                }
                continue;
            };
            walked[at] = true;
            let spec = &self.specs[at];
            if matches!(spec.spec.sub, Sub::Recursion(Some(_))) && !here.again {
                let attribute = spec.spec.written.clone();
                return Err(PullError::LimitedBesideWildcard { attribute }.into());
            }
            let value = spec.shape(self, at, std::mem::take(&mut found[at]), path, here)?;
            let value = spec.finish(self.db, value)?.unwrap_or(Edn::Nil);
            answer.put(spec.spec.key.clone(), value);
        }
        Ok(walked)
    }

    /// The spec that takes an attribute from the wildcard.
    fn spec_for(&self, ident: &Keyword, style: KeyStyle) -> Option<usize> {
        self.specs.iter().position(|spec| {
            let spec = spec.spec;
            spec.direction == Direction::Forward && spec.style == style && spec.attribute == *ident
        })
    }

    /// The forward specs that the wildcard did not meet, in the order of the pattern. A key that is
    /// there already is not even looked for.
    fn forward(
        &self,
        mut found: Vec<Vec<Value>>,
        walked: &[bool],
        path: &mut Path,
        here: Here<'_>,
        answer: &mut Answer,
    ) -> Result<(), QueryError> {
        for (at, spec) in self.specs.iter().enumerate() {
            if spec.direction == Direction::Reverse || walked[at] || answer.has(&spec.spec.key) {
                continue;
            }
            let value = spec.shape(self, at, std::mem::take(&mut found[at]), path, here)?;
            if let Some(value) = spec.finish(self.db, value)? {
                answer.put(spec.spec.key.clone(), value);
            }
        }
        Ok(())
    }

    /// The reverse specs, last: what they find stands in the place of what is there.
    fn reverse(
        &self,
        path: &mut Path,
        here: Here<'_>,
        answer: &mut Answer,
    ) -> Result<(), QueryError> {
        for (at, spec) in self.specs.iter().enumerate() {
            if spec.direction == Direction::Forward {
                continue;
            }
            let values = match here.id {
                Some(id) => spec.referrers(self.db, id)?,
                None => Vec::new(),
            };
            let value = spec.shape(self, at, values, path, here)?;
            if let Some(value) = spec.finish(self.db, value)? {
                answer.put(spec.spec.key.clone(), value);
            }
        }
        Ok(())
    }

    /// The values of each forward spec, in one scan that leaps over what nobody asks for.
    fn forward_values(&self, id: EntityId) -> Result<Vec<Vec<Value>>, QueryError> {
        let mut found = self.scan(id)?;
        for (attribute, at) in self
            .forward
            .iter()
            .map(|(_, at)| (&self.specs[*at].attribute, *at))
        {
            if let Some(attribute) = attribute.as_ref().filter(|a| a.is_many()) {
                order_twins(self.db, id, attribute, &mut found[at])?;
            }
        }
        Ok(found)
    }

    fn scan(&self, id: EntityId) -> Result<Vec<Vec<Value>>, QueryError> {
        let mut found: Vec<Vec<Value>> = vec![Vec::new(); self.specs.len()];
        let (Some(first), Some(last)) = (self.forward.first(), self.forward.last()) else {
            return Ok(found);
        };
        let bound = |a, side| Bound {
            e: Some(id),
            a: Some(a),
            v: None,
            side,
        };
        let range = KeyRange {
            lo: bound(first.0, Side::Before),
            hi: bound(last.0, Side::After),
        };
        let mut runs = self.db.runs(Index::Eavt, &range);
        let mut wanted = self.forward.as_slice();
        while let Some(run) = runs.next()? {
            self.limits.look()?;
            let mut row = 0;
            while row < run.len() {
                let a = run.a(row);
                while wanted.first().is_some_and(|(next, _)| *next < a) {
                    wanted = &wanted[1..];
                }
                let Some((next, _)) = wanted.first() else {
                    return Ok(found);
                };
                if *next > a {
                    row = leap(row + 1, run.len(), |row| run.a(row) >= *next);
                    continue;
                }
                for (_, at) in wanted.iter().take_while(|(asked, _)| *asked == a) {
                    if found[*at].len() < self.specs[*at].most()? {
                        found[*at].push(run.v(row).to_value());
                    }
                }
                row += 1;
            }
        }
        Ok(found)
    }
}

/// The first row in `from..to` for which a condition holds that holds from there on.
fn leap(from: usize, to: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (from, to);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// Which attribute a spec means, and which way: an attribute whose own name begins with an
/// underscore goes before the reverse of another.
fn resolved(db: &Db, spec: &Spec) -> (Direction, Option<Arc<Attribute>>) {
    let named = |name: &Keyword| db.schema().attribute_named(name).cloned();
    if spec.direction == Direction::Forward {
        return (Direction::Forward, named(&spec.attribute));
    }
    match named(&spec.whole_name()) {
        Some(own) => (Direction::Forward, Some(own)),
        None => {
            let refs = named(&spec.attribute).filter(|attribute| attribute.is_ref());
            (Direction::Reverse, refs)
        }
    }
}

impl<'a> PreparedSpec<'a> {
    fn new(
        db: &'a Db,
        pattern: &'a Pattern,
        spec: &'a Spec,
        limits: &'a Limits,
    ) -> Result<PreparedSpec<'a>, QueryError> {
        let (direction, attribute) = resolved(db, spec);
        let xform = match &spec.xform {
            None => None,
            Some(name) if is_own_xform(name) => Some(find(name, db.functions())?),
            Some(name) => match db.functions().get(name) {
                Some(function) => Some(Callable::Own(name.clone(), function)),
                None => return Err(PullError::UnknownXform { name: name.clone() }.into()),
            },
        };
        let sub = match &spec.sub {
            Sub::Pattern(inner) => Some(Prepared::new(db, inner, limits)?),
            _ => None,
        };
        Ok(PreparedSpec {
            spec,
            direction,
            attribute,
            xform,
            sub,
            stubs: pattern.id,
        })
    }

    fn recursions(&self) -> u64 {
        match self.spec.sub {
            Sub::Recursion(Some(times)) => times,
            _ => u64::MAX,
        }
    }

    /// Whether the answer is a vector.
    fn is_many(&self) -> bool {
        let many = |attribute: &Arc<Attribute>| match self.direction {
            Direction::Forward => attribute.is_many(),
            Direction::Reverse => !attribute.is_component,
        };
        self.attribute.as_ref().is_some_and(many)
    }

    /// How many values are read. A limit that is none is an error where there is a value.
    fn most(&self) -> Result<usize, PullError> {
        match (&self.spec.limit, self.is_many()) {
            (_, false) => Ok(1),
            (Ok(limit), true) => Ok(*limit),
            (Err(error), true) => Err(error.clone()),
        }
    }

    /// The entities that refer to one by this attribute.
    fn referrers(&self, db: &Db, id: EntityId) -> Result<Vec<Value>, QueryError> {
        let Some(attribute) = &self.attribute else {
            return Ok(Vec::new());
        };
        let range = KeyRange::prefix(None, Some(attribute.id), Some(Value::Ref(id)));
        let mut found = Vec::new();
        let mut runs = db.runs(Index::Vaet, &range);
        while let Some(run) = runs.next()? {
            let most = self.most()?;
            if found.len() == most {
                break;
            }
            let rows = run.len().min(most - found.len());
            found.extend((0..rows).map(|row| Value::Ref(run.e(row))));
        }
        Ok(found)
    }

    /// The values as the pattern wants them: plain, ids, whole components or sub-pulls.
    fn shape(
        &self,
        pattern: &Prepared<'_>,
        at: usize,
        values: Vec<Value>,
        path: &mut Path,
        here: Here<'_>,
    ) -> Outcome {
        let Some(attribute) = self.attribute.as_ref().filter(|_| !values.is_empty()) else {
            return Ok(None);
        };
        let forms = values.len() as u64 + 2;
        pattern.limits.pulled(weigh::FORM * forms)?;
        if let (Sub::None, Direction::Forward) = (&self.spec.sub, self.direction) {
            let mut whole = Whole::new(pattern.db, self.spec.style, here.id, pattern.limits);
            return whole.values(attribute, values, here.level);
        }
        let mut shaped = Vec::with_capacity(values.len());
        for value in values {
            shaped.extend(self.target(pattern, at, value, path, here)?);
        }
        if self.is_many() {
            return Ok((!shaped.is_empty()).then_some(Edn::Vector(shaped)));
        }
        Ok(shaped.into_iter().next())
    }

    /// One entity that the attribute leads to.
    fn target(
        &self,
        pattern: &Prepared<'_>,
        at: usize,
        value: Value,
        path: &mut Path,
        here: Here<'_>,
    ) -> Outcome {
        let named = Edn::from(value);
        let id = identified(pattern.db, &named)?;
        if let Some(sub) = &self.sub {
            return sub.start(id, &named, &mut path.seen, here.level + 1);
        }
        if self.spec.sub == Sub::None {
            return Ok(Some(id_map(id, self.spec.style)));
        }
        if here.again || path.left[at] == 0 {
            return Ok(self.stubs.map(|style| id_map(id, style)));
        }
        let left = path.left[at];
        path.left[at] = if left == u64::MAX { left } else { left - 1 };
        path.seen.push(here.named.clone());
        let pulled = pattern.entity(id, &named, path, here.level + 1);
        path.seen.pop();
        path.left[at] = left;
        pulled
    }

    /// Applies `:xform`, then `:default`.
    fn finish(&self, db: &Db, value: Option<Edn>) -> Outcome {
        let value = match (&self.xform, &self.spec.xform) {
            (Some(callable), Some(name)) => {
                let context = Context::new(db.functions());
                let given = value.unwrap_or(Edn::Nil);
                let answer = callable.call(&context, &[Arg::Edn(&given)]);
                let answer = answer.map_err(|error| PullError::XformFailed {
                    name: name.clone(),
                    message: error.to_string(),
                })?;
                Some(answer).filter(|answer| !answer.is_nil())
            }
            _ => value,
        };
        let value = value.filter(|value| !self.spec.is_old_default || is_true(value));
        Ok(value.or_else(|| self.spec.default.clone()))
    }
}

/// The entity that a value names: a scalar under a sub-pattern is taken as an identifier.
fn identified(db: &Db, form: &Edn) -> Result<Option<EntityId>, QueryError> {
    if let Some([attribute @ Edn::Value(Value::Long(n)), _]) = form.as_sequence()
        && db.schema().attribute(EntityId::new(*n as u64)).is_none()
    {
        return Err(DbError::NotAnAttribute {
            form: attribute.clone(),
        }
        .into());
    }
    Ok(db.entid(form)?)
}

impl Answer {
    /// Whether something is under a key; nil and false are nothing.
    fn has(&self, key: &Edn) -> bool {
        let is_there = |(known, value): &(Edn, Edn)| known == key && is_true(value);
        self.may_collide && self.entries.iter().any(is_there)
    }

    /// Puts an entry, in the place of one with the same key.
    fn put(&mut self, key: Edn, value: Edn) {
        if self.may_collide
            && let Some(entry) = self.entries.iter_mut().find(|(known, _)| *known == key)
        {
            entry.1 = value;
            return;
        }
        self.entries.push((key, value));
    }
}
