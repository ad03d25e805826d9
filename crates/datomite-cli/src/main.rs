//! The datomite command.
fn main() {}
