//! Where nodes come from, and the hook that lets a test make a read fail.
//!
//! A tree may hold nodes that are not in memory: an address, and the node once it was asked for.
//! Whoever keeps them implements [`NodeSource`]. A tree in memory has no source, and then a read
//! pays one branch a node.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::node::Node;
use crate::StorageError;

/// Names a stored node to its source.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct NodeAddress(pub u64);

/// A node that a source has read; only trees can look inside.
#[derive(Clone)]
pub struct StoredNode(pub(super) Node);

/// Whoever keeps the nodes of a tree that are not in memory.
pub trait NodeSource: Send + Sync {
    /// Called before each node that a read visits, wherever it is; an error ends the read.
    fn access(&self) -> Result<(), StorageError> {
        Ok(())
    }

    /// Reads a node.
    fn load(&self, address: NodeAddress) -> Result<StoredNode, StorageError>;
}

/// The source of a tree; `None` for one that is all in memory.
pub(super) type Source = Option<Arc<dyn NodeSource>>;

/// A node that is read when it is first asked for.
pub(super) struct Lazy {
    address: NodeAddress,
    node: OnceLock<Node>,
}

impl Lazy {
    pub(super) fn new(address: NodeAddress) -> Lazy {
        Lazy {
            address,
            node: OnceLock::new(),
        }
    }

    pub(super) fn get(&self, source: &Source) -> Result<&Node, StorageError> {
        if let Some(node) = self.node.get() {
            return Ok(node);
        }
        let source = source.as_ref().ok_or_else(|| StorageError::Io {
            what: format!("reading node {}", self.address.0),
            message: "the tree has no source of nodes".into(),
        })?;
        let StoredNode(node) = source.load(self.address)?;
        Ok(self.node.get_or_init(|| node))
    }

    /// The node, where it was read before.
    pub(super) fn loaded(&self) -> Option<&Node> {
        self.node.get()
    }
}

/// The node itself, loaded if need be.
#[inline]
pub(super) fn resolve<'a>(source: &Source, node: &'a Node) -> Result<&'a Node, StorageError> {
    if let Some(source) = source {
        source.access()?;
    }
    match node {
        Node::Stored(lazy) => lazy.get(source),
        node => Ok(node),
    }
}

/// A source for tests: it has no nodes, and makes the n-th access fail.
///
/// Hand it to `Options` (or [`super::DatomSet::with_source`]), then [`ReadFault::arm`] it before a
/// read.
#[derive(Default)]
pub struct ReadFault {
    /// Accesses until the failing one, that one included; 0 while nothing fails.
    left: AtomicU64,
}

impl ReadFault {
    /// A source under which nothing fails yet.
    pub fn new() -> ReadFault {
        ReadFault::default()
    }

    /// Makes the `nth` access from now fail (1 is the next); 0 disarms.
    pub fn arm(&self, nth: u64) {
        self.left.store(nth, Ordering::SeqCst);
    }

    /// Whether the failure is still to come.
    pub fn is_armed(&self) -> bool {
        self.left.load(Ordering::SeqCst) > 0
    }
}

impl fmt::Debug for ReadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadFault({})", self.left.load(Ordering::Relaxed))
    }
}

impl NodeSource for ReadFault {
    fn access(&self) -> Result<(), StorageError> {
        let step = |left: u64| left.checked_sub(1);
        match self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, step)
        {
            Ok(1) => Err(StorageError::Io {
                what: "reading a node".into(),
                message: "a failure that a test asked for".into(),
            }),
            _ => Ok(()),
        }
    }

    fn load(&self, address: NodeAddress) -> Result<StoredNode, StorageError> {
        Err(StorageError::Io {
            what: format!("reading node {}", address.0),
            message: "a fault source has no nodes".into(),
        })
    }
}
