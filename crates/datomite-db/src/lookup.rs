//! Lookups: the few reads by exact components that transactions, lookup refs and entities need.
//!
//! Values are matched as Datomic matches them (`datomic_eq`): decimals by number, `-0.0` as
//! `0.0`, NaN as any number. A tree knows only exact payloads, so for those types a short stretch
//! around the value is read and tested.

use std::sync::Arc;

use datomite_model::{Attribute, BigDec, BigInt, Datom, EntityId, Index, Instant, Uri, Value};
use datomite_storage::{Bound, KeyRange, Side};

use crate::db::DB_TX_INSTANT;
use crate::{Db, DbError};

impl Db {
    /// The datoms of an entity, in EAVT order, as the view shows them.
    pub(crate) fn datoms_of(&self, e: EntityId) -> Result<Vec<Datom>, DbError> {
        self.collect(Index::Eavt, &KeyRange::prefix(Some(e), None, None), |_| {
            true
        })
    }

    /// The datoms of an entity and an attribute, in value order.
    pub(crate) fn datoms_of_attribute(
        &self,
        e: EntityId,
        a: EntityId,
    ) -> Result<Vec<Datom>, DbError> {
        self.collect(
            Index::Eavt,
            &KeyRange::prefix(Some(e), Some(a), None),
            |_| true,
        )
    }

    /// The datom that already says this, its value as it is stored.
    pub(crate) fn datom_of_value(
        &self,
        e: EntityId,
        a: EntityId,
        v: &Value,
    ) -> Result<Option<Datom>, DbError> {
        if is_exact(v) && self.is_present() {
            let found = self.basis.current(Index::Eavt).find(e, a, v)?;
            return Ok(found.map(|t| Datom {
                e,
                a,
                v: v.clone(),
                tx: t.tx(),
                added: true,
            }));
        }
        let range = equal_range(Some(e), a, v);
        self.first(Index::Eavt, &range, |datom| datom.v.datomic_eq(v))
    }

    /// The entity (the lowest) that holds a value of an attribute that AVET holds.
    pub(crate) fn holder(&self, a: EntityId, v: &Value) -> Result<Option<EntityId>, DbError> {
        let range = equal_range(None, a, v);
        if is_exact(v) {
            let mut runs = self.runs(Index::Avet, &range);
            while let Some(run) = runs.next_upto(1)? {
                if !run.is_empty() {
                    return Ok(Some(run.e(0)));
                }
            }
            return Ok(None);
        }
        let found = self.first(Index::Avet, &range, |datom| datom.v.datomic_eq(v))?;
        Ok(found.map(|datom| datom.e))
    }

    /// The datoms that refer to an entity, by attribute and then entity.
    pub(crate) fn referrers(&self, e: EntityId) -> Result<Vec<Datom>, DbError> {
        let range = KeyRange::prefix(None, None, Some(Value::Ref(e)));
        self.collect(Index::Vaet, &range, |_| true)
    }

    /// The datoms of one attribute that refer to an entity.
    pub(crate) fn referrers_by(&self, e: EntityId, a: EntityId) -> Result<Vec<Datom>, DbError> {
        let range = KeyRange::prefix(None, Some(a), Some(Value::Ref(e)));
        self.collect(Index::Vaet, &range, |_| true)
    }

    /// The first transaction whose instant is not before `instant`, with that instant.
    pub(crate) fn first_tx_at(
        &self,
        instant: Instant,
    ) -> Result<Option<(EntityId, Instant)>, DbError> {
        let at = |v, side| Bound {
            e: None,
            a: Some(DB_TX_INSTANT),
            v,
            side,
        };
        let range = KeyRange {
            lo: at(Some(Value::Instant(instant)), Side::Before),
            hi: at(None, Side::After),
        };
        // Ordinary entities may carry the attribute too.
        let found = self
            .basis()
            .first(Index::Avet, &range, |datom| datom.e.is_tx())?;
        Ok(found.and_then(|datom| match datom.v {
            Value::Instant(found) => Some((datom.e, found)),
            _ => None,
        }))
    }

    /// Whether an attribute has, or ever had, a datom.
    pub(crate) fn ever_used(&self, attribute: &Attribute) -> Result<bool, DbError> {
        let range = KeyRange::prefix(None, Some(attribute.id), None);
        Ok(self.basis.current(Index::Aevt).count(&range)? > 0
            || self.basis.history(Index::Aevt).count(&range)? > 0)
    }

    fn collect(
        &self,
        index: Index,
        range: &KeyRange,
        keep: impl Fn(&Datom) -> bool,
    ) -> Result<Vec<Datom>, DbError> {
        let mut runs = self.runs(index, range);
        let mut out = Vec::new();
        while let Some(run) = runs.next()? {
            out.extend((0..run.len()).map(|row| run.datom(row)).filter(&keep));
        }
        Ok(out)
    }

    fn first(
        &self,
        index: Index,
        range: &KeyRange,
        keep: impl Fn(&Datom) -> bool,
    ) -> Result<Option<Datom>, DbError> {
        let mut runs = self.runs(index, range);
        while let Some(run) = runs.next()? {
            for row in 0..run.len() {
                let datom = run.datom(row);
                if keep(&datom) {
                    return Ok(Some(datom));
                }
            }
        }
        Ok(None)
    }
}

/// A range that holds every value that is `datomic_eq` to `v`, and few others.
///
/// Exact for most types. Decimals: from the shortest form of the number to that of the next one.
/// Floats: zero spans both zeros; NaN equals all, so the whole attribute. A tuple that has such a
/// slot: everything that shares the slots before it.
pub fn equal_range(e: Option<EntityId>, a: EntityId, v: &Value) -> KeyRange {
    let bound = |v: Value, side| Bound {
        e,
        a: Some(a),
        v: Some(v),
        side,
    };
    let between = |lo, hi| KeyRange {
        lo: bound(lo, Side::Before),
        hi: bound(hi, Side::After),
    };
    match v {
        Value::Double(0.0) => between(Value::Double(-0.0), Value::Double(0.0)),
        Value::Float(0.0) => between(Value::Float(-0.0), Value::Float(0.0)),
        Value::Double(n) if n.is_nan() => KeyRange::prefix(e, Some(a), None),
        Value::Float(n) if n.is_nan() => KeyRange::prefix(e, Some(a), None),
        Value::BigDec(number) => KeyRange {
            lo: bound(Value::from(shortest(number)), Side::Before),
            hi: bound(Value::from(just_above(number)), Side::Before),
        },
        Value::Tuple(slots) => match slots.iter().position(is_loose) {
            None => KeyRange::prefix(e, Some(a), Some(v.clone())),
            Some(0) => KeyRange::prefix(e, Some(a), None),
            Some(exact) => tuple_range(e, a, &slots[..exact]),
        },
        Value::Uri(uri) => between(
            Value::from(recase(uri, str::to_ascii_uppercase)),
            Value::from(recase(uri, str::to_ascii_lowercase)),
        ),
        _ => KeyRange::prefix(e, Some(a), Some(v.clone())),
    }
}

/// Whether only the same payload is equal to Datomic, so that a tree finds it by itself.
fn is_exact(v: &Value) -> bool {
    match v {
        Value::Double(_) | Value::Float(_) | Value::BigDec(_) | Value::Uri(_) => false,
        Value::Tuple(slots) => !slots.iter().any(is_loose),
        _ => true,
    }
}

/// Whether a slot's type has values that are equal to Datomic and differ in payload.
fn is_loose(slot: &Option<Value>) -> bool {
    slot.as_ref().is_some_and(|v| !is_exact(v))
}

/// From a tuple's leading slots (a shorter tuple sorts before its extensions) to the end of the
/// attribute.
fn tuple_range(e: Option<EntityId>, a: EntityId, leading: &[Option<Value>]) -> KeyRange {
    let at = |v, side| Bound {
        e,
        a: Some(a),
        v,
        side,
    };
    KeyRange {
        lo: at(Some(Value::Tuple(Arc::from(leading))), Side::Before),
        hi: at(None, Side::After),
    }
}

/// The URI with everything in one case that `java.net.URI` compares without regard to case:
/// scheme, host and percent-encoded digits. Upper case is the first of its equals in the tree,
/// lower case the last.
fn recase(uri: &Uri, case: fn(&str) -> String) -> Uri {
    let text = uri.as_str();
    let scheme = text.find(':').unwrap_or(0);
    let after = &text[scheme..];
    let (host_at, host_end) = match after.strip_prefix("://") {
        None => (0, 0),
        Some(rest) => {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let start = rest[..end].rfind('@').map_or(0, |at| at + 1);
            (start + 3, end + 3)
        }
    };
    let mut out = case(&text[..scheme]);
    out.push_str(&after[..host_at]);
    out.push_str(&case(&after[host_at..host_end]));
    let mut rest = &after[host_end..];
    while let Some(at) = rest.find('%') {
        let end = (at + 3..=rest.len()).next().unwrap_or(rest.len());
        let end = (end..=rest.len())
            .find(|n| rest.is_char_boundary(*n))
            .unwrap_or(rest.len());
        out.push_str(&rest[..at]);
        out.push_str(&case(&rest[at..end]));
        rest = &rest[end..];
    }
    out.push_str(rest);
    Uri::new(&out)
}

/// The number with the smallest scale that can hold it: the first of its equals in the tree.
pub(crate) fn shortest(number: &BigDec) -> BigDec {
    if number.unscaled().sign() == datomite_model::BigInt::ZERO.sign() {
        return BigDec::new(BigInt::ZERO, i64::MIN);
    }
    BigDec::from_bigdecimal(&number.to_bigdecimal().normalized())
}

/// A number above `number` and below every other that is not absurdly near: the upper end of a
/// stretch of equals, whose rows are tested anyway.
pub(crate) fn just_above(number: &BigDec) -> BigDec {
    let short = match shortest(number) {
        zero if zero.scale() == i64::MIN => BigDec::new(BigInt::ZERO, 0),
        short => short,
    };
    let ten = BigInt::from(10);
    let digits = 40;
    let scale = short.scale().saturating_add(i64::from(digits));
    BigDec::new(short.unscaled() * ten.pow(digits as u32) + 1, scale)
}
