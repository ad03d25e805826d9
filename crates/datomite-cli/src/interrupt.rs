//! Ctrl-C: stops the work that runs; where none runs, or it does not stop, the process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use datomite::CancelToken;

use crate::problem::{Exit, Problem};

/// How long work may take to stop before a further Ctrl-C ends the process.
const PATIENCE: Duration = Duration::from_secs(2);

/// Set by the prompt: a Ctrl-C just after the end of a query does not end it.
static AT_PROMPT: AtomicBool = AtomicBool::new(false);

struct Work {
    token: CancelToken,
    stopped_at: Option<Instant>,
}

fn current() -> &'static Mutex<Option<Work>> {
    static CURRENT: OnceLock<Mutex<Option<Work>>> = OnceLock::new();
    CURRENT.get_or_init(|| Mutex::new(None))
}

/// Installs the handler; once for the process.
pub(crate) fn install() -> Result<(), Problem> {
    ctrlc::set_handler(on_interrupt)
        .map_err(|error| Problem::refused(format!("no handler for Ctrl-C: {error}")))
}

fn on_interrupt() {
    let leave = match &mut *current().lock().unwrap_or_else(PoisonError::into_inner) {
        Some(work) => {
            work.token.cancel();
            work.stopped_at.get_or_insert_with(Instant::now).elapsed() > PATIENCE
        }
        None => !AT_PROMPT.load(Ordering::Relaxed),
    };
    if leave {
        std::process::exit(Exit::Interrupted as i32);
    }
}

/// From now on Ctrl-C without work does nothing: the line editor reads it as a key.
pub(crate) fn at_prompt() {
    AT_PROMPT.store(true, Ordering::Relaxed);
}

/// Runs work that Ctrl-C stops by the token.
pub(crate) fn stoppable<T>(work: impl FnOnce(CancelToken) -> T) -> T {
    let set = |work| *current().lock().unwrap_or_else(PoisonError::into_inner) = work;
    let token = CancelToken::new();
    set(Some(Work {
        token: token.clone(),
        stopped_at: None,
    }));
    let outcome = work(token);
    set(None);
    outcome
}
