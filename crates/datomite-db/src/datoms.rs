//! Raw index access: `datoms`, `seek_datoms`, `rseek_datoms`, `index_range`.
//!
//! Decides what components mean: entities and attributes as ids, idents or lookup refs, values by
//! `component.rs`. `datoms` of something unknown is empty; seeking something unknown starts at
//! the nearest known place. Trailing nils mean "not given", and a nil before a component finds
//! nothing. What comes back is the view's, lazily, a leaf at a time.

use std::vec;

use datomite_model::{Attribute, Component, Datom, Edn, EntityId, Index, Value};
use datomite_storage::{Bound, KeyRange, Side};

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
}

enum TxRule {
    /// Only this transaction.
    Is(EntityId),
    /// Starting with this transaction's row of the other components.
    From(EntityId, KeyRange),
}

/// Components made into places.
struct Resolved {
    lo: Bound,
    hi: Bound,
    equal: Option<Value>,
    tx: Option<EntityId>,
    /// All components that were given are known.
    known: bool,
}

impl Db {
    /// The datoms that begin with these components of the index.
    pub fn datoms(&self, index: Index, components: &[Edn]) -> Result<Datoms, DbError> {
        let given = trim(components);
        if given.iter().any(Edn::is_nil) {
            return Ok(Datoms::none());
        }
        let found = self.resolve(index, given, true)?;
        if !found.known {
            return Ok(Datoms::none());
        }
        let keep = Keep {
            equal: found.equal,
            tx: found.tx.map(TxRule::Is),
        };
        Ok(self.walk(index, found.lo, found.hi, keep, false))
    }

    /// All datoms from these components on, to the end of the index.
    pub fn seek_datoms(&self, index: Index, components: &[Edn]) -> Result<Datoms, DbError> {
        let found = self.resolve(index, trim(components), false)?;
        let keep = found.tx_rule();
        Ok(self.walk(index, found.lo, Bound::end(), keep, false))
    }

    /// All datoms from these components backwards, to the start of the index.
    pub fn rseek_datoms(&self, index: Index, components: &[Edn]) -> Result<Datoms, DbError> {
        let found = self.resolve(index, trim(components), false)?;
        let keep = found.tx_rule();
        Ok(self.walk(index, Bound::start(), found.hi, keep, true))
    }

    /// The datoms of an indexed attribute with values from `start` on and before `end`; nil is
    /// open. Bounds are values: nothing in them is resolved.
    pub fn index_range(&self, attribute: &Edn, start: &Edn, end: &Edn) -> Result<Datoms, DbError> {
        let id = self.require_entid(attribute)?;
        let attribute = self
            .schema()
            .attribute(id)
            .ok_or_else(|| DbError::NotAnAttribute {
                form: attribute.clone(),
            })?;
        check_avet(attribute)?;
        let place = |form: &Edn, open: Edge| match form {
            Edn::Nil => open,
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
            rows_next: ROWS_FIRST,
        }
    }

    /// Makes places of components, up to the first that is unknown.
    fn resolve(&self, index: Index, given: &[Edn], strict: bool) -> Result<Resolved, DbError> {
        let mut found = Resolved {
            lo: Bound::start(),
            hi: Bound::end(),
            equal: None,
            tx: None,
            known: true,
        };
        for (component, form) in index.components().into_iter().zip(given) {
            let known = match component {
                Component::Entity => match self.entid(form)? {
                    Some(e) => found.put(|bound| bound.e = Some(e)),
                    None => false,
                },
                Component::Attribute => self.resolve_attribute(index, form, &mut found)?,
                Component::Value if index == Index::Vaet => match self.entid(form)? {
                    Some(e) => found.put(|bound| bound.v = Some(Value::Ref(e))),
                    None if strict => {
                        return Err(DbError::NotAnEntity { form: form.clone() });
                    }
                    None => false,
                },
                Component::Value => self.resolve_value(form, &mut found)?,
            };
            if !known {
                found.known = false;
                return Ok(found);
            }
        }
        if let Some(tx) = given.get(3) {
            found.tx = as_id(tx).map(|id| match id.partition().number() {
                0 => id.t().tx(),
                _ => id,
            });
            found.known = found.tx.is_some();
        }
        Ok(found)
    }

    fn resolve_attribute(
        &self,
        index: Index,
        form: &Edn,
        found: &mut Resolved,
    ) -> Result<bool, DbError> {
        let Some(a) = self.entid(form)? else {
            return Ok(false);
        };
        if let Some(attribute) = self.schema().attribute(a)
            && index == Index::Avet
        {
            check_avet(attribute)?;
        }
        Ok(found.put(|bound| bound.a = Some(a)))
    }

    fn resolve_value(&self, form: &Edn, found: &mut Resolved) -> Result<bool, DbError> {
        let Some(attribute) = found.lo.a.and_then(|a| self.schema().attribute(a)) else {
            return Ok(false);
        };
        let Stretch { lo, hi, equal } = match self.ref_value(attribute, form)? {
            RefValue::Entity(e) => stretch(self, attribute, &Edn::from(Value::Ref(e))),
            RefValue::Unknown => return Ok(false),
            RefValue::NotARef => stretch(self, attribute, form),
        };
        found.lo = at_edge(&found.lo, lo);
        found.hi = at_edge(&found.hi, hi);
        found.equal = equal;
        Ok(true)
    }

    /// Resolves idents and lookup refs where the attribute is a reference.
    fn ref_value(&self, attribute: &Attribute, form: &Edn) -> Result<RefValue, DbError> {
        let names_entity = match form {
            Edn::List(_) | Edn::Vector(_) => true,
            Edn::Value(Value::Keyword(_)) => true,
            Edn::Value(Value::String(text)) => text.starts_with(':'),
            _ => false,
        };
        if !attribute.is_ref() || !names_entity {
            return Ok(RefValue::NotARef);
        }
        Ok(match self.entid(form)? {
            Some(e) => RefValue::Entity(e),
            None => RefValue::Unknown,
        })
    }
}

enum RefValue {
    Entity(EntityId),
    Unknown,
    NotARef,
}

impl Resolved {
    /// Narrows both ends by one component.
    fn put(&mut self, set: impl Fn(&mut Bound)) -> bool {
        for (bound, side) in [(&mut self.lo, Side::Before), (&mut self.hi, Side::After)] {
            set(bound);
            bound.side = side;
        }
        true
    }

    fn tx_rule(&self) -> Keep {
        Keep {
            equal: None,
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

impl Keep {
    fn accepts(&self, datom: &Datom, reverse: bool) -> bool {
        let equal = self.equal.as_ref().is_none_or(|v| datom.v.datomic_eq(v));
        equal
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
            rows_next: ROWS_FIRST,
        }
    }

    fn fill(&mut self) -> Result<bool, DbError> {
        let Some(runs) = &mut self.runs else {
            return Ok(false);
        };
        let rows_max = self.rows_next;
        self.rows_next = (2 * rows_max).min(ROWS_MAX);
        let Some(run) = runs.next_upto(rows_max)? else {
            self.runs = None;
            return Ok(false);
        };
        let rows = (0..run.len()).map(|row| run.datom(row));
        let mut datoms: Vec<Datom> = rows
            .filter(|datom| self.keep.accepts(datom, self.reverse))
            .collect();
        if self.reverse {
            datoms.reverse();
        }
        self.buffer = datoms.into_iter();
        Ok(true)
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
            attribute: attribute.ident.clone(),
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
