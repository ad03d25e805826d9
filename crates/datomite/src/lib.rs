//! datomite
