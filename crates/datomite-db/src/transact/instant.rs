//! The instant of a transaction: the clock's, never before the last one, whole milliseconds;
//! or what the transaction says of itself, not before the last and not in the future.

use datomite_model::{Instant, T, Value};

use super::error::TxError;
use super::op::Op;
use crate::bootstrap::id;
use crate::Db;

/// Takes `:db/txInstant` of the transaction out of its facts and settles it.
pub(super) fn settle_instant(
    db: &Db,
    t: T,
    now: Instant,
    ops: &mut Vec<Op>,
) -> Result<Instant, TxError> {
    let last = last_instant(db)?;
    let mut asked: Option<Instant> = None;
    let mut refused: Option<TxError> = None;
    ops.retain(|op| {
        if op.a.id != id::TX_INSTANT || !op.e.is_tx() {
            return true;
        }
        match (&op.v, op.e == t.tx() && op.added) {
            (Value::Instant(instant), true) if asked.is_none_or(|a| a == *instant) => {
                asked = Some(*instant);
            }
            (_, true) => refused = Some(TxError::TwoInstants),
            _ => refused = refused.take().or(Some(TxError::ResetTxInstant { tx: op.e })),
        }
        false
    });
    if let Some(error) = refused {
        return Err(error);
    }
    let now = Instant::from_ms(now.ms());
    match asked {
        None => Ok(now.max(Instant::from_ms(last.ms()))),
        Some(instant) if instant < last => Err(TxError::PastTxInstant { instant, last }),
        Some(instant) if instant > now => Err(TxError::FutureTxInstant { instant }),
        Some(instant) => Ok(instant),
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
