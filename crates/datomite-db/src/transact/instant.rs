//! The instant of a transaction: the clock's, never before the last one, whole milliseconds;
//! or what the transaction says of itself, not before the last and not in the future.

use datomite_model::{Instant, T, Value};

use super::error::TxError;
use super::novelty::conflict;
use super::op::Op;
use crate::Db;
use crate::bootstrap::id;

/// Takes `:db/txInstant` of the transaction out of its facts and settles it.
pub(super) fn settle_instant(
    db: &Db,
    t: T,
    now: Instant,
    ops: &mut Vec<Op>,
) -> Result<Instant, TxError> {
    let last = last_instant(db)?;
    let now = Instant::from_ms(now.ms());
    let instant = match own_instant(t, ops)? {
        None => now.max(Instant::from_ms(last.ms())),
        Some(instant) if instant < last => return Err(TxError::PastTxInstant { instant, last }),
        Some(instant) if instant > now => return Err(TxError::FutureTxInstant { instant }),
        Some(instant) => instant,
    };
    let is_instant = |op: &Op| op.a.id == id::TX_INSTANT && op.e.is_tx();
    let said = |op: &&Op| is_instant(op) && !(op.added && op.e == t.tx());
    if let Some(op) = ops.iter().find(said) {
        return Err(TxError::ResetTxInstant { tx: op.e });
    }
    ops.retain(|op| !is_instant(op));
    Ok(instant)
}

/// What the transaction says of its own instant.
fn own_instant(t: T, ops: &[Op]) -> Result<Option<Instant>, TxError> {
    let own = |op: &&Op| op.a.id == id::TX_INSTANT && op.e == t.tx();
    let asked = ops.iter().filter(own).find(|op| op.added);
    let opposed = |one: &Op, other: &Op| match other.added {
        true => one.v != other.v,
        false => one.v == other.v,
    };
    if let Some(one) = asked
        && let Some(other) = ops.iter().filter(own).find(|other| opposed(one, other))
    {
        return Err(conflict(one, other));
    }
    Ok(asked.and_then(|op| match &op.v {
        Value::Instant(instant) => Some(*instant),
        _ => None,
    }))
}

/// The instant of the last transaction.
fn last_instant(db: &Db) -> Result<Instant, TxError> {
    let basis = db.basis();
    let found = basis.datoms_of_attribute(db.basis_t().tx(), id::TX_INSTANT)?;
    Ok(match found.first().map(|datom| &datom.v) {
        Some(Value::Instant(instant)) => *instant,
        _ => Instant::from_ms(0),
    })
}
