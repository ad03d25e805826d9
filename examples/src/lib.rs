//! Small programs that embed datomite.
