//! The table of functions as users see it: names with documentation.

use super::macros::MACROS;
use super::table;
use crate::aggregates;

/// One function that a query may call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FunctionDoc {
    /// Its name in a query.
    pub name: &'static str,
    /// How it is called and what it gives.
    pub doc: &'static str,
    /// Where it may stand.
    pub role: FunctionRole,
}

impl FunctionDoc {
    /// How it is called: `(subs s start end?)`; `?` may be left out, `*` is any number, `+` one or
    /// more.
    pub fn call(&self) -> &'static str {
        self.parts().0
    }

    /// What it gives.
    pub fn gives(&self) -> &'static str {
        self.parts().1
    }

    fn parts(&self) -> (&'static str, &'static str) {
        match self.doc.find("): ") {
            Some(at) => (&self.doc[..=at], &self.doc[at + 3..]),
            None => ("", self.doc),
        }
    }
}

/// Where a function may stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum FunctionRole {
    /// In a clause.
    Function,
    /// In a clause; its arguments are forms.
    Macro,
    /// In `:find`.
    Aggregate,
}

/// Every function, macro and aggregate of the query language, by name.
pub fn documented_functions() -> Vec<FunctionDoc> {
    let functions = table().map(|builtin| (builtin.name, builtin.doc, FunctionRole::Function));
    let macros = MACROS
        .iter()
        .map(|(name, doc)| (*name, *doc, FunctionRole::Macro));
    let aggregates = aggregates::table().iter();
    let aggregates = aggregates.map(|known| (known.name, known.doc, FunctionRole::Aggregate));
    let mut all: Vec<FunctionDoc> = functions
        .chain(macros)
        .chain(aggregates)
        .map(|(name, doc, role)| FunctionDoc { name, doc, role })
        .collect();
    all.sort_by_key(|function| function.name);
    all
}
