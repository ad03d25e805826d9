//! The runner of recorded cases: plays the steps of `tests/conformance/cases/*.edn` on the store
//! and compares every answer with what Datomic answered.
//!
//! The format is that of `tests/conformance/README.md`; `oracle/` there is its definition.
//! `store.rs` is the one place where the store is called.

mod answer;
mod compare;
mod context;
mod deviations;
mod functions;
mod player;
mod refusals;
mod run;
mod steps;
mod store;

pub use deviations::Deviations;
pub use player::Player;
pub use refusals::{Refusal, refusals};
pub use run::{Totals, run_case, run_path};
