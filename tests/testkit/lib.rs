//! What the tests share: the other side of comparisons, skips, generators.

pub mod conformance;
pub mod fuzz;
pub mod garble;
pub mod generate;
pub mod oracle;
pub mod peer;
pub mod pgtext;
pub mod postgres;
pub mod queries;
pub mod reads;
pub mod sim;
pub mod skip;
