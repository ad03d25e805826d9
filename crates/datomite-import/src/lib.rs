//! datomite-import
