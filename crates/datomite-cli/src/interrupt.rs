//! Ctrl-C: the first one stops the query that runs, and where none runs, the process.

use std::sync::{Mutex, OnceLock, PoisonError};

use datomite::CancelToken;

use crate::problem::{Exit, Problem};

fn current() -> &'static Mutex<Option<CancelToken>> {
    static CURRENT: OnceLock<Mutex<Option<CancelToken>>> = OnceLock::new();
    CURRENT.get_or_init(|| Mutex::new(None))
}

/// Installs the handler; once for the process.
pub(crate) fn install() -> Result<(), Problem> {
    ctrlc::set_handler(|| {
        let token = current()
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match token {
            Some(token) => token.cancel(),
            None => std::process::exit(Exit::Interrupted as i32),
        }
    })
    .map_err(|error| Problem::refused(format!("no handler for Ctrl-C: {error}")))
}

/// Runs work that the next Ctrl-C stops by the token; afterwards Ctrl-C ends the process again.
pub(crate) fn stoppable<T>(work: impl FnOnce(CancelToken) -> T) -> T {
    let set = |token| *current().lock().unwrap_or_else(PoisonError::into_inner) = token;
    let token = CancelToken::new();
    set(Some(token.clone()));
    let outcome = work(token);
    set(None);
    outcome
}
