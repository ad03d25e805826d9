//! Raw index access: `datoms`, `seek_datoms`, `rseek_datoms`, `index_range`.
//!
//! Decides what components mean: entities and attributes as ids, idents or lookup refs, values by
//! `component.rs`. `datoms` of an unknown entity or attribute is empty; seeking one starts at the
//! nearest known place; a reference value, or the attribute of a value, must be known. Trailing
//! nils mean "not given". After a nil, `datoms` gives rows from the first of the components before
//! it for as long as they agree with the others. What comes back is the view's, lazily, a leaf at a
//! time.

use std::vec;

use datomite_model::{Attribute, Component, Datom, Edn, EntityId, Index, Value, ValueType};
use datomite_storage::{Bound, KeyRange, Side};
use num_traits::ToPrimitive;

use crate::component::{Edge, Stretch, stretch};
use crate::ident::as_id;
use crate::{Db, DbError, ViewRuns};

/// How many rows an iterator reads at first, and at most at a time.
const ROWS_FIRST: usize = 16;
const ROWS_MAX: usize = 1024;

/// Datoms of an index in order. After an error there is nothing more.
pub struct Datoms {
    runs: Option<ViewRuns>,
    reverse: bool,
    keep: Keep,
    buffer: vec::IntoIter<Datom>,
    index: Index,
    is_history: bool,
    /// The last rows read, while more of their group may follow.
    held: Vec<Datom>,
    /// How many rows to read next: few at first, for callers who want few.
    rows_next: usize,
}

/// What a range cannot say.
#[derive(Default)]
struct Keep {
    /// Values must equal this to Datomic.
    equal: Option<Value>,
    /// The fourth component.
    tx: Option<TxRule>,
    /// Components after a value that several stored ones are equal to.
    also: Vec<Part>,
    /// Where a seek starts within the rows of such a value.
    first: Option<First>,
}

/// A place among rows of equal values: an entity, a transaction of it.
struct First {
    equal: Value,
    e: Option<EntityId>,
    tx: Option<EntityId>,
}

enum TxRule {
    /// Only this transaction.
    Is(EntityId),
    /// Starting with this transaction's row of the other components.
    From(EntityId, KeyRange),
}

/// A component, resolved.
enum Part {
    /// Nil.
    Open,
    /// It was given, and nothing is called so.
    Unknown,
    /// A negative number: before all ids.
    Below,
    Entity(EntityId),
    Attribute(EntityId),
    /// With its place among the values of the attribute, where that is given.
    Value(Edn, Option<Stretch>),
    Tx(EntityId),
}

/// Components made into places, up to the first that is open or unknown.
struct Resolved {
    lo: Bound,
    hi: Bound,
    equal: Option<Value>,
    tx: Option<EntityId>,
    /// What comes after a value that several stored ones are equal to.
    also: Vec<Part>,
    /// What comes after an open one.
    rest: Vec<Part>,
    /// No value of the attribute equals the one that was given.
    nowhere: bool,
}

impl Db {
    /// The datoms that begin with these components of the index.
    pub fn datoms(&self, index: Index, components: &[Edn]) -> Result<Datoms, DbError> {
        let parts = self.parts(index, trim(components))?;
        if parts.iter().any(|part| matches!(part, Part::Unknown)) {
            return Ok(Datoms::none());
        }
        let found = Resolved::of(parts);
        if found.nowhere {
            return Ok(Datoms::none());
        }
        let hi = match found.rest.as_slice() {
            [] => found.hi,
            rest => self.end_of_agreement(index, &found.lo, found.hi, rest)?,
        };
        let keep = Keep {
            equal: found.equal,
            tx: found.tx.map(TxRule::Is),
            also: found.also,
            first: None,
        };
        Ok(self.walk(index, found.lo, hi, keep, false))
    }

    /// Where the first row that disagrees with the components after an open one stands. Rows that
    /// the view hides count, as they do in Datomic's index.
    fn end_of_agreement(
        &self,
        index: Index,
        lo: &Bound,
        hi: Bound,
        rest: &[Part],
    ) -> Result<Bound, DbError> {
        let everything = self.basis().history();
        for datom in everything.walk(index, lo.clone(), hi.clone(), Keep::default(), false) {
            let datom = datom?;
            if !rest.iter().all(|part| part.agrees(&datom)) {
                return Ok(Bound {
                    e: Some(datom.e),
                    a: Some(datom.a),
                    v: Some(datom.v),
                    side: Side::Before,
                });
            }
        }
        Ok(hi)
    }

    /// All datoms from these components on, to the end of the index.
    pub fn seek_datoms(&self, index: Index, components: &[Edn]) -> Result<Datoms, DbError> {
        let found = Resolved::of(self.parts(index, trim(components))?);
        let keep = found.start_rule();
        Ok(self.walk(index, found.lo, Bound::end(), keep, false))
    }

    /// All datoms from these components backwards, to the start of the index.
    pub fn rseek_datoms(&self, index: Index, components: &[Edn]) -> Result<Datoms, DbError> {
        let given = trim(components);
        let parts = self.parts(index, given)?;
        // Datomic stumbles over these, and over no other unknown components.
        let must_be_known = match index {
            Index::Eavt | Index::Aevt => 2,
            Index::Avet => 1,
            Index::Vaet => 0,
        };
        if let (Some(Part::Unknown), Some(form)) = (parts.last(), given.last())
            && parts.len() == must_be_known
        {
            return Err(DbError::NotAnEntity { form: form.clone() });
        }
        let found = Resolved::of(parts);
        let keep = found.start_rule();
        Ok(self.walk(index, Bound::start(), found.hi, keep, true))
    }

    /// The datoms of an indexed attribute with values from `start` on and before `end`; nil is
    /// open. Bounds are values: nothing in them is resolved.
    pub fn index_range(&self, attribute: &Edn, start: &Edn, end: &Edn) -> Result<Datoms, DbError> {
        let id = self.require_entid(attribute)?;
        let attribute =
            self.schema()
                .attribute(id)
                .ok_or_else(|| DbError::AttributeNotIndexed {
                    attribute: attribute.clone(),
                })?;
        check_avet(attribute)?;
        let place = |form: &Edn, open: Edge| match form {
            Edn::Nil => open,
            // Text is not read as a keyword here.
            Edn::Value(Value::String(_)) if attribute.value_type == ValueType::Keyword => Edge::End,
            form => stretch(self, attribute, form).lo,
        };
        let base = Bound {
            a: Some(id),
            ..Bound::start()
        };
        let lo = at_edge(&base, place(start, Edge::Start));
        let hi = at_edge(&base, place(end, Edge::End));
        Ok(self.walk(Index::Avet, lo, hi, Keep::default(), false))
    }

    fn walk(&self, index: Index, lo: Bound, hi: Bound, keep: Keep, reverse: bool) -> Datoms {
        let range = KeyRange { lo, hi };
        let runs = match reverse {
            false => ViewRuns::new(self, index, &range),
            true => ViewRuns::reverse(self, index, &range),
        };
        Datoms {
            runs: Some(runs),
            reverse,
            keep,
            buffer: Vec::new().into_iter(),
            index,
            is_history: self.is_history(),
            held: Vec::new(),
            rows_next: ROWS_FIRST,
        }
    }

    /// What the components are.
    fn parts(&self, index: Index, given: &[Edn]) -> Result<Vec<Part>, DbError> {
        let components = index.components();
        let form_of = |component: Component| {
            let at = components.iter().position(|other| *other == component)?;
            given.get(at).filter(|form| !form.is_nil())
        };
        let attribute_form = form_of(Component::Attribute);
        let attribute = match attribute_form {
            Some(form) => self.entid(form)?,
            None => None,
        };
        let mut value = match form_of(Component::Value) {
            Some(form) if index == Index::Vaet => {
                Some(Part::Value(reference(self.require_entid(form)?), None))
            }
            Some(form) => Some(self.value_part(attribute_form, attribute, form)?),
            None => None,
        };
        if index == Index::Avet
            && let Some(attribute) = attribute.and_then(|a| self.schema().attribute(a))
        {
            check_avet(attribute)?;
        }
        let mut parts = Vec::with_capacity(given.len());
        for (component, form) in components.into_iter().zip(given) {
            parts.push(match component {
                _ if form.is_nil() => Part::Open,
                Component::Entity if form.as_long().is_some_and(|n| n < 0) => Part::Below,
                Component::Entity => self.entid(form)?.map_or(Part::Unknown, Part::Entity),
                Component::Attribute => attribute.map_or(Part::Unknown, Part::Attribute),
                Component::Value => value.take().unwrap_or(Part::Open),
            });
        }
        match given.get(3) {
            None => {}
            Some(form) => parts.push(Part::Tx(transaction(form)?)),
        }
        Ok(parts)
    }

    /// A value of an attribute: idents and lookup refs are resolved where it is a reference.
    fn value_part(
        &self,
        attribute_form: Option<&Edn>,
        attribute: Option<EntityId>,
        form: &Edn,
    ) -> Result<Part, DbError> {
        let Some(attribute_form) = attribute_form else {
            return Ok(Part::Value(form.clone(), None));
        };
        let id = attribute.ok_or_else(|| DbError::NotAnEntity {
            form: attribute_form.clone(),
        })?;
        let attribute = self
            .schema()
            .attribute(id)
            .ok_or_else(|| DbError::NotAnAttribute {
                form: attribute_form.clone(),
            })?;
        let form = match attribute.is_ref() {
            true => reference(self.require_entid(form)?),
            false => form.clone(),
        };
        let place = stretch(self, attribute, &form);
        Ok(Part::Value(form, Some(place)))
    }
}

fn reference(id: EntityId) -> Edn {
    Edn::Value(Value::Ref(id))
}

/// The transaction of a t, or of an id; fractions are cut.
fn transaction(form: &Edn) -> Result<EntityId, DbError> {
    let number = match form.as_value() {
        Some(Value::Double(n)) => Edn::long(*n as i64),
        Some(Value::Float(n)) => Edn::long(*n as i64),
        Some(Value::BigInt(n)) => Edn::long(i64::try_from(n.as_ref()).unwrap_or(i64::MAX)),
        Some(Value::BigDec(n)) => Edn::long(n.to_bigdecimal().to_i64().unwrap_or(i64::MAX)),
        _ => form.clone(),
    };
    let id = as_id(&number).ok_or_else(|| DbError::NotATimePoint { form: form.clone() })?;
    Ok(match id.partition().number() {
        0 => id.t().tx(),
        _ => id,
    })
}

impl Resolved {
    fn of(parts: Vec<Part>) -> Resolved {
        let mut found = Resolved {
            lo: Bound::start(),
            hi: Bound::end(),
            equal: None,
            tx: None,
            also: Vec::new(),
            rest: Vec::new(),
            nowhere: false,
        };
        let mut parts = parts.into_iter();
        // A stretch of several values that are equal to Datomic cannot be narrowed further.
        let mut is_loose = false;
        while let Some(part) = parts.next() {
            match part {
                Part::Entity(e) if !is_loose => found.put(|bound| bound.e = Some(e)),
                Part::Attribute(a) => found.put(|bound| bound.a = Some(a)),
                Part::Value(_, Some(place)) => {
                    found.nowhere = place.is_nowhere();
                    is_loose = !place.is_exact();
                    found.lo = at_edge(&found.lo, place.lo);
                    found.hi = at_edge(&found.hi, place.hi);
                    found.equal = place.equal;
                    if found.nowhere {
                        break;
                    }
                }
                Part::Below => {
                    found.nowhere = true;
                    found.hi = found.lo.clone();
                    break;
                }
                Part::Value(Edn::Value(value @ Value::Ref(_)), None) if found.lo.a.is_none() => {
                    found.put(|bound| bound.v = Some(value.clone()));
                }
                Part::Tx(tx) if !is_loose => found.tx = Some(tx),
                part @ (Part::Entity(_) | Part::Tx(_)) => found.also.push(part),
                part => {
                    found.rest.push(part);
                    found.rest.extend(parts);
                    break;
                }
            }
        }
        found
    }

    /// Narrows both ends by one component.
    fn put(&mut self, set: impl Fn(&mut Bound)) {
        for (bound, side) in [(&mut self.lo, Side::Before), (&mut self.hi, Side::After)] {
            set(bound);
            bound.side = side;
        }
    }

    /// What a seek skips at its start.
    fn start_rule(&self) -> Keep {
        let equal = self.equal.as_ref().or(self.lo.v.as_ref());
        let first = equal.filter(|_| !self.also.is_empty());
        let first = first.map(|equal| First {
            equal: equal.clone(),
            e: self.also.iter().find_map(Part::entity).or(self.lo.e),
            tx: self.also.iter().find_map(Part::tx),
        });
        Keep {
            first,
            equal: None,
            also: Vec::new(),
            tx: self.tx.map(|tx| {
                let exact = KeyRange {
                    lo: self.lo.clone(),
                    hi: self.hi.clone(),
                };
                TxRule::From(tx, exact)
            }),
        }
    }
}

impl Part {
    fn entity(&self) -> Option<EntityId> {
        match self {
            Part::Entity(e) => Some(*e),
            _ => None,
        }
    }

    fn tx(&self) -> Option<EntityId> {
        match self {
            Part::Tx(tx) => Some(*tx),
            _ => None,
        }
    }

    fn agrees(&self, datom: &Datom) -> bool {
        match self {
            Part::Open => true,
            Part::Unknown | Part::Below => false,
            Part::Entity(e) => datom.e == *e,
            Part::Attribute(a) => datom.a == *a,
            Part::Value(_, Some(place)) => place.holds(&datom.v),
            Part::Value(form, None) => form.as_value().is_some_and(|v| datom.v.datomic_eq(v)),
            Part::Tx(tx) => datom.tx == *tx,
        }
    }
}

impl First {
    fn admits(&self, datom: &Datom, reverse: bool) -> bool {
        let Some(e) = self.e else {
            return true;
        };
        if datom.e == e && !reverse {
            return self.tx.is_none_or(|tx| datom.tx <= tx);
        }
        if reverse { datom.e <= e } else { datom.e > e }
    }
}

impl Keep {
    fn accepts(&self, datom: &Datom, reverse: bool) -> bool {
        let equal = self.equal.as_ref().is_none_or(|v| datom.v.datomic_eq(v));
        let begun = match &self.first {
            Some(first) if datom.v.datomic_eq(&first.equal) => first.admits(datom, reverse),
            _ => true,
        };
        equal
            && begun
            && self.also.iter().all(|part| part.agrees(datom))
            && match &self.tx {
                None => true,
                Some(TxRule::Is(tx)) => datom.tx == *tx,
                Some(TxRule::From(tx, exact)) => {
                    let lo = &exact.lo;
                    let same = lo.e == Some(datom.e)
                        && lo.a == Some(datom.a)
                        && lo.v.as_ref() == Some(&datom.v);
                    // Rows of equal components come with tx descending.
                    !same
                        || if reverse {
                            datom.tx >= *tx
                        } else {
                            datom.tx <= *tx
                        }
                }
            }
    }
}

impl Datoms {
    fn none() -> Datoms {
        Datoms {
            runs: None,
            reverse: false,
            keep: Keep::default(),
            buffer: Vec::new().into_iter(),
            index: Index::Eavt,
            is_history: false,
            held: Vec::new(),
            rows_next: ROWS_FIRST,
        }
    }

    fn fill(&mut self) -> Result<bool, DbError> {
        let Some(runs) = &mut self.runs else {
            return Ok(false);
        };
        let rows_max = self.rows_next;
        self.rows_next = (2 * rows_max).min(ROWS_MAX.max(self.held.len()));
        let mut datoms = std::mem::take(&mut self.held);
        match runs.next_upto(rows_max)? {
            Some(run) if self.reverse => {
                datoms.extend((0..run.len()).rev().map(|row| run.datom(row)));
            }
            Some(run) => datoms.extend((0..run.len()).map(|row| run.datom(row))),
            None => self.runs = None,
        }
        let last_group = regroup(&mut datoms, self.index, self.reverse);
        if self.runs.is_some() {
            self.held = datoms.split_off(last_group);
        }
        if self.reverse && !self.is_history {
            keep_latest(&mut datoms);
        }
        datoms.retain(|datom| self.keep.accepts(datom, self.reverse));
        self.buffer = datoms.into_iter();
        Ok(self.runs.is_some() || self.buffer.len() > 0)
    }
}

/// Sorts rows with equal values of different payload as Datomic does: by entity, and the later
/// transaction first. Gives where a last group starts that may go on.
fn regroup(datoms: &mut [Datom], index: Index, reverse: bool) -> usize {
    let mut at = 0;
    while at < datoms.len() {
        if !has_twins(&datoms[at].v) {
            at += 1;
            continue;
        }
        let first = &datoms[at];
        let same = |other: &Datom| {
            let entity = index == Index::Avet || other.e == first.e;
            entity && other.a == first.a && other.v.datomic_eq(&first.v)
        };
        let end = datoms[at + 1..].iter().position(|other| !same(other));
        let end = end.map_or(datoms.len(), |more| at + 1 + more);
        let group = &mut datoms[at..end];
        if group.iter().any(|datom| datom.v != group[0].v) {
            group.sort_by_key(|datom| (datom.e, std::cmp::Reverse(datom.tx)));
            if reverse {
                group.reverse();
            }
        }
        if end == datoms.len() {
            return at;
        }
        at = end;
    }
    at
}

/// Backwards, only the latest of an entity's equal values is seen: the last one here.
fn keep_latest(datoms: &mut Vec<Datom>) {
    let is_twin =
        |x: &Datom, y: &Datom| has_twins(&x.v) && x.e == y.e && x.a == y.a && x.v.datomic_eq(&y.v);
    if datoms.windows(2).any(|pair| is_twin(&pair[0], &pair[1])) {
        datoms.reverse();
        datoms.dedup_by(|later, kept| is_twin(later, kept));
        datoms.reverse();
    }
}

/// Whether other payloads may be equal to Datomic.
fn has_twins(v: &Value) -> bool {
    match v {
        Value::BigDec(_) | Value::Uri(_) => true,
        Value::Double(n) => *n == 0.0,
        Value::Float(n) => *n == 0.0,
        Value::Tuple(slots) => slots.iter().flatten().any(has_twins),
        _ => false,
    }
}

impl Iterator for Datoms {
    type Item = Result<Datom, DbError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(datom) = self.buffer.next() {
                return Some(Ok(datom));
            }
            match self.fill() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.runs = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

fn trim(components: &[Edn]) -> &[Edn] {
    let given = &components[..components.len().min(4)];
    let end = given.iter().rposition(|form| !form.is_nil());
    &given[..end.map_or(0, |at| at + 1)]
}

fn check_avet(attribute: &Attribute) -> Result<(), DbError> {
    match attribute.has_avet() {
        true => Ok(()),
        false => Err(DbError::AttributeNotIndexed {
            attribute: Edn::from(attribute.ident.clone()),
        }),
    }
}

/// A place within the rows that share the components of `base`.
fn at_edge(base: &Bound, edge: Edge) -> Bound {
    let (v, side) = match edge {
        Edge::Start => (None, Side::Before),
        Edge::At(v, side) => (Some(v), side),
        Edge::End => (None, Side::After),
    };
    Bound {
        v,
        side,
        ..base.clone()
    }
}
