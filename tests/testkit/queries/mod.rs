//! Random queries over random databases: the language, the data, the generator, the shrinker.

pub mod ast;
pub mod check;
mod clauses;
pub mod grow;
mod logic;
mod shape;
pub mod shrink;
pub mod world;
