//! Views: which part of a database's past a `Db` shows.
//!
//! A view is a few numbers and predicates beside the same trees; making one reads nothing. It
//! decides which facts a reader sees and as which datoms. It does not know the trees; the merge
//! of current and closed facts is in `runs.rs`.
//!
//! Time points are kept as signed numbers: Datomic takes any number, also before t 0.

use std::sync::Arc;

use datomite_model::{Datom, Edn, EntityId, Instant, T, Value};
use datomite_storage::Window;

use crate::{Db, DbError, FunctionError};

/// A point in the time of a database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TimePoint {
    /// A t.
    T(T),
    /// A transaction entity; of any other entity the counter is taken, as Datomic does.
    Tx(EntityId),
    /// An instant: the state that a clock on the wall would have seen.
    Instant(Instant),
}

/// A predicate over datoms; it is given the database without predicates.
pub(crate) type Predicate = Arc<dyn Fn(&Db, &Datom) -> Result<bool, FunctionError> + Send + Sync>;

/// What a `Db` shows of its basis.
#[derive(Clone, Default)]
pub(crate) struct View {
    /// Facts up to this t.
    pub(crate) as_of: Option<i64>,
    /// Facts after this t.
    pub(crate) since: Option<i64>,
    /// Assertions and retractions instead of facts.
    pub(crate) history: bool,
    /// All must agree.
    pub(crate) predicates: Option<Arc<Vec<Predicate>>>,
}

impl TimePoint {
    /// Reads a number (a t or an entity id, also a double, which is cut) or an instant.
    pub fn from_edn(form: &Edn) -> Result<TimePoint, DbError> {
        match form {
            Edn::Value(Value::Long(n)) => Ok(TimePoint::from(*n)),
            Edn::Value(Value::Ref(id)) => Ok(TimePoint::Tx(*id)),
            Edn::Value(Value::Double(n)) => Ok(TimePoint::from(*n as i64)),
            Edn::Value(Value::Float(n)) => Ok(TimePoint::from(*n as i64)),
            Edn::Value(Value::Instant(instant)) => Ok(TimePoint::Instant(*instant)),
            Edn::Value(Value::BigInt(n)) => i64::try_from(n.as_ref())
                .map(TimePoint::from)
                .map_err(|_| DbError::NotATimePoint { form: form.clone() }),
            _ => Err(DbError::NotATimePoint { form: form.clone() }),
        }
    }
}

impl From<T> for TimePoint {
    fn from(t: T) -> TimePoint {
        TimePoint::T(t)
    }
}

impl From<EntityId> for TimePoint {
    fn from(tx: EntityId) -> TimePoint {
        TimePoint::Tx(tx)
    }
}

impl From<Instant> for TimePoint {
    fn from(instant: Instant) -> TimePoint {
        TimePoint::Instant(instant)
    }
}

impl From<i64> for TimePoint {
    /// A number with partition bits is an entity id, any other a t; negative ones lie before all.
    fn from(n: i64) -> TimePoint {
        let id = EntityId::new(n as u64);
        if n >= 0 && id.partition().number() != 0 {
            TimePoint::Tx(id)
        } else {
            TimePoint::T(T::new(n as u64))
        }
    }
}

impl View {
    /// Whether the view shows the present of a database whose last transaction is `basis_t`.
    pub(crate) fn is_present(&self, basis_t: T) -> bool {
        !self.history
            && self.since.is_none()
            && self.predicates.is_none()
            && self.as_of.is_none_or(|t| t >= signed(basis_t))
    }

    /// Whether a transaction lies between the two points.
    pub(crate) fn admits_t(&self, t: T) -> bool {
        self.as_of.is_none_or(|limit| signed(t) <= limit)
            && self.since.is_none_or(|limit| signed(t) > limit)
    }

    /// Whether the retraction of a fact lies beyond the view, so that the fact still holds in it.
    pub(crate) fn holds_until(&self, out: T) -> bool {
        self.as_of.is_some_and(|limit| signed(out) > limit)
    }

    /// The subtrees that the view can need. A history view needs both ends of every fact.
    pub(crate) fn window(&self) -> Window {
        if self.history {
            return Window::default();
        }
        let clamp = |n: i64| T::new(u64::try_from(n).unwrap_or(0));
        Window {
            as_of: self.as_of.map(clamp),
            // A negative since hides nothing; clamping it to 0 would hide t 0.
            since: self.since.filter(|n| *n >= 0).map(clamp),
        }
    }

    /// Asks the predicates; `db` is without predicates.
    pub(crate) fn accepts(&self, db: &Db, datom: &Datom) -> Result<bool, DbError> {
        for predicate in self.predicates.iter().flat_map(|list| list.iter()) {
            if !predicate(db, datom)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// A t as the signed number that points in time are compared as.
pub(crate) fn signed(t: T) -> i64 {
    t.raw() as i64
}

#[cfg(test)]
mod tests;
