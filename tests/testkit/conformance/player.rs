//! A case that is made while it is played: for fuzzers, which choose a step after they have seen
//! what the ones before did.

use std::collections::BTreeMap;

use datomite::{Connection, Edn, EntityId, TxError, TxReport};

use super::context::Context;
use super::steps;

/// A fresh store, the functions of the cases, and the names that its transactions gave.
pub struct Player {
    context: Context,
}

impl Default for Player {
    fn default() -> Player {
        Player::new()
    }
}

impl Player {
    /// Begins on a fresh store.
    pub fn new() -> Player {
        let context = Context::new(true);
        Player {
            context: context.unwrap_or_else(|failure| panic!("a fresh store: {failure}")),
        }
    }

    /// The store.
    pub fn connection(&self) -> &Connection {
        &self.context.conn
    }

    /// What `#id "label"` means.
    pub fn labels(&self) -> BTreeMap<String, EntityId> {
        let labels = self.context.labels().iter();
        labels.map(|(label, id)| (label.clone(), *id)).collect()
    }

    /// How many transactions `#tx n` can name.
    pub fn transactions(&self) -> usize {
        self.context.txs.len()
    }

    /// Values in place of the tags; the reason where a tag names nothing.
    pub fn resolve(&self, tx_data: &Edn) -> Result<Edn, String> {
        let resolved = self.context.resolve(tx_data);
        resolved.map_err(|failure| failure.to_string())
    }

    /// Transacts what [`Player::resolve`] gave for `tx_data`, and learns its names.
    pub fn transact(&mut self, tx_data: &Edn, resolved: Edn) -> Result<TxReport, TxError> {
        let report = self.context.conn.transact(resolved)?;
        let noted = steps::note(&mut self.context, tx_data, &report);
        noted.unwrap_or_else(|failure| panic!("{tx_data}: {failure}"));
        Ok(report)
    }
}
