//! Random transactions as a user writes them: every form, many collisions, some mistakes.
//!
//! Transaction data is EDN with the tags of the recorded cases (`#id "label"`, `#tx 3`), so that
//! one generator serves both fuzzers: ours against the plain oracle, and ours against a peer.
//! The generator knows what holds ([`Scene`]) and nothing of what a transaction will do.

mod duel;
mod elements;
mod forms;
mod scene;
mod schema;
mod values;

use std::collections::BTreeMap;

use datomite::Edn;

use crate::generate::Random;

pub use duel::{Seen, duel};
pub use scene::Scene;
pub use schema::install;

/// How often each form was written.
pub type Counts = BTreeMap<&'static str, usize>;

/// Writes transactions about a scene.
pub struct Writer<'a> {
    random: &'a mut Random,
    scene: &'a Scene,
    counts: &'a mut Counts,
    /// Number of the transaction in its case: part of its tempids' names.
    number: usize,
    /// How many maps are open around the place that is written.
    depth: usize,
}

impl<'a> Writer<'a> {
    /// A writer for the transaction with that number.
    pub fn new(
        random: &'a mut Random,
        scene: &'a Scene,
        counts: &'a mut Counts,
        number: usize,
    ) -> Writer<'a> {
        Writer {
            random,
            scene,
            counts,
            number,
            depth: 0,
        }
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// One of several words.
    fn word(&mut self, words: &[&'static str]) -> &'static str {
        words[self.random.below(words.len())]
    }

    /// One of several kinds, by weight.
    fn kind(&mut self, kinds: &[(usize, &'static str)]) -> &'static str {
        let total = kinds.iter().map(|(weight, _)| weight).sum();
        let mut at = self.random.below(total);
        for (weight, kind) in kinds {
            if at < *weight {
                return kind;
            }
            at -= weight;
        }
        kinds[0].1
    }
}

fn vector(items: impl IntoIterator<Item = Edn>) -> Edn {
    Edn::Vector(items.into_iter().collect())
}

fn tagged(tag: &str, form: Edn) -> Edn {
    Edn::Tagged(tag.into(), Box::new(form))
}
