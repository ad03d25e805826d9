//! Equality, order and hash of forms: maps and sets are equal whatever the order of their entries.
//!
//! Otherwise exact: `1`, `1N` and `1.0` differ, as do `[1]` and `(1)`. Clojure's looser `=` is the
//! business of queries.

use std::cmp::Ordering;
use std::hash::{BuildHasher, Hash, Hasher};

use rustc_hash::FxBuildHasher;

use super::Edn;

impl PartialEq for Edn {
    fn eq(&self, other: &Edn) -> bool {
        match (self, other) {
            (Edn::Map(a), Edn::Map(b)) => a == b || (a.len() == b.len() && sorted(a) == sorted(b)),
            (Edn::Set(a), Edn::Set(b)) => a == b || (a.len() == b.len() && sorted(a) == sorted(b)),
            (Edn::Nil, Edn::Nil) => true,
            (Edn::Value(a), Edn::Value(b)) => a == b,
            (Edn::Char(a), Edn::Char(b)) => a == b,
            (Edn::Ratio(a), Edn::Ratio(b)) => a == b,
            (Edn::List(a), Edn::List(b)) | (Edn::Vector(a), Edn::Vector(b)) => a == b,
            (Edn::Tagged(t, a), Edn::Tagged(u, b)) => t == u && a == b,
            _ => false,
        }
    }
}

impl Eq for Edn {}

impl PartialOrd for Edn {
    fn partial_cmp(&self, other: &Edn) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Edn {
    /// By kind, then by content; a total order for sorting output, not Datomic's `<`.
    fn cmp(&self, other: &Edn) -> Ordering {
        match (self, other) {
            (Edn::Value(a), Edn::Value(b)) => a.cmp(b),
            (Edn::Char(a), Edn::Char(b)) => a.cmp(b),
            (Edn::Ratio(a), Edn::Ratio(b)) => a.cmp(b),
            (Edn::List(a), Edn::List(b)) | (Edn::Vector(a), Edn::Vector(b)) => a.cmp(b),
            (Edn::Map(a), Edn::Map(b)) => sorted(a).cmp(&sorted(b)),
            (Edn::Set(a), Edn::Set(b)) => sorted(a).cmp(&sorted(b)),
            (Edn::Tagged(t, a), Edn::Tagged(u, b)) => t.cmp(u).then_with(|| a.cmp(b)),
            (a, b) => kind_rank(a).cmp(&kind_rank(b)),
        }
    }
}

impl Hash for Edn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        kind_rank(self).hash(state);
        match self {
            Edn::Nil => {}
            Edn::Value(value) => value.hash(state),
            Edn::Char(c) => c.hash(state),
            Edn::Ratio(parts) => parts.hash(state),
            Edn::List(items) | Edn::Vector(items) => items.hash(state),
            Edn::Map(entries) => hash_unordered(entries, state),
            Edn::Set(items) => hash_unordered(items, state),
            Edn::Tagged(tag, form) => (tag, form).hash(state),
        }
    }
}

fn sorted<T: Ord>(items: &[T]) -> Vec<&T> {
    let mut items: Vec<&T> = items.iter().collect();
    items.sort_unstable();
    items
}

fn hash_unordered<T: Hash, H: Hasher>(items: &[T], state: &mut H) {
    let hashes = items.iter().map(|item| FxBuildHasher.hash_one(item));
    hashes.fold(0u64, u64::wrapping_add).hash(state);
}

fn kind_rank(form: &Edn) -> u8 {
    match form {
        Edn::Nil => 0,
        Edn::Value(_) => 1,
        Edn::Char(_) => 2,
        Edn::Ratio(_) => 3,
        Edn::List(_) => 4,
        Edn::Vector(_) => 5,
        Edn::Map(_) => 6,
        Edn::Set(_) => 7,
        Edn::Tagged(..) => 8,
    }
}
