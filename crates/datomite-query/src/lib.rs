//! datomite-query
