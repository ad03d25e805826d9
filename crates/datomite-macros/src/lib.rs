//! Procedural macros of datomite.
