//! The table of functions as users see it: names with documentation.

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

/// What `call.rs` reads as forms.
const MACROS: &[(&str, &str)] = &[
    ("quote", "(quote form): the form as it stands"),
    ("if", "(if test then else?): one of two"),
    ("if-not", "(if-not test then else?): one of two"),
    ("when", "(when test body*): the last of body, or nil"),
    (
        "when-not",
        "(when-not test body*): the last of body, or nil",
    ),
    (
        "cond",
        "(cond test value ...): the value of the first true test",
    ),
    (
        "case",
        "(case x constant value ... default?): the value of the constant",
    ),
    ("and", "(and x*): the first false one, or the last"),
    ("or", "(or x*): the first true one, or the last"),
    ("do", "(do x*): the last one"),
    (
        "->",
        "(-> x step*): each step with the one before as first argument",
    ),
    (
        "->>",
        "(->> x step*): each step with the one before as last argument",
    ),
    ("fn", "(fn [parameter*] body): a function"),
    (
        "comp",
        "(comp f*): one function after the other, the last first",
    ),
    ("juxt", "(juxt f*): a vector of what each gives"),
    ("partial", "(partial f x*): f with its first arguments"),
    ("complement", "(complement f): true where f is false"),
    ("constantly", "(constantly x): always x"),
];

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
