//! The reader: text to forms, iterative, with a span on every error.

use std::ops::Range;

use crate::Edn;

/// Where and why a text is not EDN.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct EdnError {
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// Byte range of the offending text.
    pub span: Range<usize>,
    /// What was found and what was expected.
    pub message: String,
}

/// The byte range of a form and of each of its children, in order (a map's are key, value, …).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Spans {
    /// Bytes of the form.
    pub span: Range<usize>,
    /// The same for the children.
    pub children: Vec<Spans>,
}

impl Spans {
    /// The span of the form reached by going to the child with each index of `path` in turn;
    /// stops at the last one that exists.
    pub fn at(&self, path: &[usize]) -> Range<usize> {
        let mut here = self;
        for step in path {
            match here.children.get(*step) {
                Some(child) => here = child,
                None => break,
            }
        }
        here.span.clone()
    }
}

/// Reads exactly one form.
pub fn read(text: &str) -> Result<Edn, EdnError> {
    read_spanned(text).map(|(form, _)| form)
}

/// Reads exactly one form, with where each part of it stands.
pub fn read_spanned(_text: &str) -> Result<(Edn, Spans), EdnError> {
    todo!()
}

/// Reads all forms of a text.
pub fn read_all(_text: &str) -> Result<Vec<Edn>, EdnError> {
    todo!()
}
