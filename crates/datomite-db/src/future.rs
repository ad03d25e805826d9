//! The outcome of a transaction that somebody else carries out: a future that can also be waited
//! for without any runtime.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::{Condvar, Mutex};

use crate::DbError;
use crate::transact::{TxError, TxReport};

type Outcome = Result<TxReport, TxError>;

/// A transaction on its way. Dropping it does not stop the transaction.
pub struct TxFuture {
    slot: Arc<Slot>,
}

/// The writer's side of a [`TxFuture`].
pub(crate) struct Promise {
    slot: Arc<Slot>,
}

#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    done: Condvar,
}

#[derive(Default)]
struct State {
    outcome: Option<Outcome>,
    /// The outcome was given, also when it was taken since.
    kept: bool,
    waker: Option<Waker>,
}

impl TxFuture {
    pub(crate) fn pair() -> (Promise, TxFuture) {
        let slot = Arc::new(Slot::default());
        let promise = Promise {
            slot: Arc::clone(&slot),
        };
        (promise, TxFuture { slot })
    }

    /// Whether the outcome is known.
    pub fn is_done(&self) -> bool {
        self.slot.state.lock().kept
    }

    /// Waits for the outcome.
    pub fn wait(self) -> Result<TxReport, TxError> {
        let mut state = self.slot.state.lock();
        loop {
            if let Some(outcome) = state.outcome.take() {
                return outcome;
            }
            self.slot.done.wait(&mut state);
        }
    }
}

impl Future for TxFuture {
    type Output = Result<TxReport, TxError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.slot.state.lock();
        match state.outcome.take() {
            Some(outcome) => Poll::Ready(outcome),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Promise {
    /// Gives the outcome to whoever waits.
    pub(crate) fn keep(self, outcome: Outcome) {
        self.slot.put(outcome);
    }
}

impl Drop for Promise {
    /// A writer that panicked leaves nobody waiting.
    fn drop(&mut self) {
        let kept = self.slot.state.lock().kept;
        if !kept {
            self.slot.put(Err(TxError::from(DbError::WriterFailed)));
        }
    }
}

impl Slot {
    fn put(&self, outcome: Outcome) {
        let mut state = self.state.lock();
        state.outcome = Some(outcome);
        state.kept = true;
        let waker = state.waker.take();
        drop(state);
        self.done.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
