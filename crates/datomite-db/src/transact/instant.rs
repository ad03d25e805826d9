//! The instant of a transaction: the clock's, never before the last one, whole milliseconds;
//! or what the transaction says of itself, not before the last and not in the future.

use datomite_model::{Instant, T, Value};

use super::error::TxError;
use super::novelty::conflict;
use super::op::Op;
use crate::Db;
use crate::bootstrap::id;

/// Takes `:db/txInstant` of transactions out of the facts and settles what it is of this one. Of
/// several mistakes the first one written is told.
pub(super) fn settle_instant(
    db: &Db,
    t: T,
    now: Instant,
    ops: &mut Vec<Op>,
) -> Result<Instant, TxError> {
    let last = last_instant(db)?;
    let now = Instant::from_ms(now.ms());
    let is_instant = |op: &Op| op.a.id == id::TX_INSTANT && op.e.is_tx();
    let mut asked: Option<Instant> = None;
    for op in ops.iter().filter(|op| is_instant(op)) {
        match &op.v {
            _ if op.e != t.tx() => return Err(reset(op)),
            Value::Instant(instant) if *instant < last => {
                let instant = *instant;
                return Err(TxError::PastTxInstant { instant, last });
            }
            Value::Instant(instant) if *instant > now => {
                return Err(TxError::FutureTxInstant { instant: *instant });
            }
            Value::Instant(instant) if op.added => asked = Some(*instant),
            _ => return Err(reset(op)),
        }
    }
    ops.retain(|op| !is_instant(op));
    Ok(asked.unwrap_or_else(|| now.max(Instant::from_ms(last.ms()))))
}

fn reset(op: &Op) -> TxError {
    TxError::ResetTxInstant {
        tx: op.e.into(),
        form: (&op.form).into(),
    }
}

/// Contradictions in what the transaction says of its own instant.
pub(super) fn check_instant(t: T, ops: &[Op]) -> Result<(), TxError> {
    let own = |op: &&Op| op.a.id == id::TX_INSTANT && op.e == t.tx();
    let Some(one) = ops.iter().filter(own).find(|op| op.added) else {
        return Ok(());
    };
    let opposed = |other: &&Op| (one.v == other.v) != other.added;
    match ops.iter().filter(own).find(opposed) {
        Some(other) => Err(conflict(one, other)),
        None => Ok(()),
    }
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
