//! Random reads that are no queries: pulls, index walks, entities; and what they are read from.
//!
//! `world.rs` makes a database by transactions that name entities by labels, `grow.rs` the reads
//! as steps of a recorded case, `check.rs` asks ours and the plain oracle, and makes a read that
//! differs smaller.

pub mod check;
pub mod grow;
pub mod world;
