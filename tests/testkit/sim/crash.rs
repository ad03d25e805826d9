//! What a power cut leaves on the disk.

use std::sync::{Arc, Mutex};

use super::{Node, Pending, SimDisk, State};

/// What becomes of that which was not synced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// All of it is lost.
    Worst,
    /// None of it is lost.
    Best,
    /// The names are there, the content is not.
    NamesOnly,
    /// Any part of it is lost; writes are torn and come in any order. The number is a seed.
    Random(u64),
}

impl SimDisk {
    /// The disk as the next start of the machine finds it.
    pub fn crash(&self, cut: Cut) -> SimDisk {
        let state = self.state();
        let mut random = Random::new(match cut {
            Cut::Random(seed) => seed,
            _ => 0,
        });
        let mut names = state.durable_names.clone();
        let kept = match cut {
            Cut::Worst => 0,
            Cut::Best | Cut::NamesOnly => state.pending_names.len(),
            Cut::Random(_) => random.below(state.pending_names.len() + 1),
        };
        for change in &state.pending_names[..kept] {
            change.apply(&mut names);
        }
        let survive = |node: &Node| {
            let bytes = match cut {
                Cut::Worst | Cut::NamesOnly => node.durable.clone(),
                Cut::Best => node.bytes.clone(),
                Cut::Random(_) => torn(node, &mut random),
            };
            Node {
                directory: node.directory,
                durable: bytes.clone(),
                bytes,
                pending: Vec::new(),
            }
        };
        let nodes = state.nodes.iter().map(survive).collect();
        SimDisk {
            state: Arc::new(Mutex::new(State {
                nodes,
                names: names.clone(),
                durable_names: names,
                boot: state.boot + 1,
                ..State::default()
            })),
        }
    }

    /// The disk as it stands, for another process after this one was killed.
    pub fn kill(&self) -> SimDisk {
        let mut state = self.state().clone();
        state.locks.clear();
        state.fault = None;
        SimDisk {
            state: Arc::new(Mutex::new(state)),
        }
    }
}

fn torn(node: &Node, random: &mut Random) -> Vec<u8> {
    let mut bytes = node.durable.clone();
    for pending in &node.pending {
        match (random.below(4), pending) {
            (0, _) => {}
            (1, Pending::Write(offset, written)) if !written.is_empty() => {
                let part = written[..random.below(written.len())].to_vec();
                Pending::Write(*offset, part).apply(&mut bytes);
            }
            (2, Pending::Write(offset, written)) if !written.is_empty() => {
                let from = random.below(written.len());
                let part = written[from..].to_vec();
                Pending::Write(offset + from as u64, part).apply(&mut bytes);
            }
            (_, pending) => pending.apply(&mut bytes),
        }
    }
    bytes
}

/// A small generator: the same seed gives the same cuts everywhere.
pub struct Random(u64);

impl Random {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed ^ 0x9E37_79B9_7F4A_7C15)
    }

    /// A number below `n`, which is not zero.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}
