//! Statistics: how many datoms there are, and how the trees lie.
//!
//! Counts are of the whole basis with its history, as Datomic's `db-stats`, whatever the view.

use datomite_model::{Index, Keyword};
use datomite_storage::{KeyRange, SetStats};

use crate::{Db, DbError};

/// What `db_stats` answers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct DbStats {
    /// Assertions and retractions.
    pub datoms: u64,
    /// The same for each attribute that has any, by ident.
    pub attributes: Vec<(Keyword, u64)>,
}

/// The trees of one index.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct IndexStats {
    /// Which.
    pub index: Index,
    /// Facts that hold.
    pub current: SetStats,
    /// Facts that were retracted.
    pub history: SetStats,
}

impl Db {
    /// How many datoms there are, in all and by attribute.
    pub fn db_stats(&self) -> Result<DbStats, DbError> {
        let current = self.basis.current(Index::Aevt);
        let history = self.basis.history(Index::Aevt);
        let mut attributes = Vec::new();
        for attribute in self.schema().attributes() {
            let range = KeyRange::prefix(None, Some(attribute.id), None);
            let count = current.count(&range)? + 2 * history.count(&range)?;
            if count > 0 {
                attributes.push((attribute.ident.clone(), count));
            }
        }
        attributes.sort();
        Ok(DbStats {
            datoms: current.len() + 2 * history.len(),
            attributes,
        })
    }

    /// Nodes, fill and bytes of the trees.
    pub fn index_stats(&self) -> [IndexStats; 4] {
        Index::ALL.map(|index| IndexStats {
            index,
            current: self.basis.current(index).stats(),
            history: self.basis.history(index).stats(),
        })
    }
}
