//! datomite-db
