//! Keywords and symbols: an optional namespace and a name, kept as one shared text.
//!
//! Cloning is a reference count. Order is Datomic's: names without a namespace first, then by
//! namespace, then by name, each by UTF-16 code unit (see `conformance/cases/value-order.edn`).

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::relation::cmp_utf16;

/// A keyword such as `:person/name`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Keyword(Name);

/// A symbol such as `clojure.string/upper-case` or `?e`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(Name);

#[derive(Clone)]
struct Name {
    text: Arc<str>,
    /// Byte offset of the `/` that ends the namespace.
    slash: Option<u32>,
}

impl Name {
    fn parse(text: &str) -> Name {
        // "/" alone is a name; the namespace ends at the first slash that has something before it.
        let slash = match text.find('/') {
            Some(at) if at > 0 && at + 1 < text.len() => u32::try_from(at).ok(),
            _ => None,
        };
        Name {
            text: Arc::from(text),
            slash,
        }
    }

    fn new(namespace: Option<&str>, name: &str) -> Name {
        match namespace {
            None => Name {
                text: Arc::from(name),
                slash: None,
            },
            Some(ns) => Name {
                text: Arc::from(format!("{ns}/{name}")),
                slash: u32::try_from(ns.len()).ok(),
            },
        }
    }

    fn namespace(&self) -> Option<&str> {
        self.slash.map(|at| &self.text[..at as usize])
    }

    fn name(&self) -> &str {
        match self.slash {
            None => &self.text,
            Some(at) => &self.text[at as usize + 1..],
        }
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.slash == other.slash && self.text == other.text
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Name) -> Ordering {
        match (self.namespace(), other.namespace()) {
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (None, None) => cmp_utf16(&self.text, &other.text),
            (Some(a), Some(b)) => {
                cmp_utf16(a, b).then_with(|| cmp_utf16(self.name(), other.name()))
            }
        }
    }
}

impl Keyword {
    /// Makes a keyword of its parts.
    pub fn new(namespace: Option<&str>, name: &str) -> Keyword {
        Keyword(Name::new(namespace, name))
    }

    /// Reads `ns/name` or `:ns/name`; the text is taken as it is.
    pub fn parse(text: &str) -> Keyword {
        Keyword(Name::parse(text.strip_prefix(':').unwrap_or(text)))
    }

    /// The part before the slash.
    pub fn namespace(&self) -> Option<&str> {
        self.0.namespace()
    }

    /// The part after the slash, or the whole.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Both parts with the slash, without the colon.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }
}

impl Symbol {
    /// Makes a symbol of its parts.
    pub fn new(namespace: Option<&str>, name: &str) -> Symbol {
        Symbol(Name::new(namespace, name))
    }

    /// Reads `ns/name` or `name`; the text is taken as it is.
    pub fn parse(text: &str) -> Symbol {
        Symbol(Name::parse(text))
    }

    /// The part before the slash.
    pub fn namespace(&self) -> Option<&str> {
        self.0.namespace()
    }

    /// The part after the slash, or the whole.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Both parts with the slash.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ":{}", self.0.text)
    }
}

impl fmt::Debug for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ":{}", self.0.text)
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl From<&str> for Keyword {
    fn from(text: &str) -> Keyword {
        Keyword::parse(text)
    }
}

impl From<&str> for Symbol {
    fn from(text: &str) -> Symbol {
        Symbol::parse(text)
    }
}
