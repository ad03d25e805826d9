//! The first datoms of every database. (Placeholder: counters only.)

use datomite_model::T;

use crate::{Db, Options};
use std::sync::Arc;

/// A database that holds the bootstrap datoms, ids 0..71, and nothing else.
pub(crate) fn bootstrap(id: datomite_storage::DatabaseId, options: Arc<Options>) -> Db {
    let mut basis = Db::empty(id, options).basis.as_ref().clone();
    basis.basis_t = T::new(66);
    basis.next_t = T::new(1000);
    basis.next_element = 72;
    Db::of(basis)
}
