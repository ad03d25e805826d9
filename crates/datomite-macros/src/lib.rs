//! Procedural macros: `edn!` and `#[derive(FromRow)]`.
//!
//! They write code and decide nothing else; paths in what they write begin with `::datomite`, the
//! facade that re-exports them.

#![forbid(unsafe_code)]

mod edn;
mod from_row;
#[cfg(test)]
mod tests;

use syn::{DeriveInput, parse_macro_input};

/// A form from one string literal, read at compile time, with values in place of `?name`.
///
/// `edn!("[{:users/email ?mail}]", mail = m)` replaces the symbol `?mail` wherever it stands by
/// `Edn::from(m)`; symbols that no argument names stay, so that a query keeps its variables. Text
/// that is not EDN, and an argument that the text does not use, are compile errors.
#[proc_macro]
pub fn edn(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let call = parse_macro_input!(input as edn::Call);
    edn::expand(&call)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Reads a struct from rows of a query, and from maps such as a pull gives.
///
/// A field takes the column or key of its name: `read_count` that of `?read-count`,
/// `:read-count`, or, where only one key has that name, `:posts/read-count`.
/// `#[row(name = "posts/read-count")]` says which one; `#[row(default)]` gives the type's default
/// where there is none, or nil. In maps, `Option` is `None` and a collection empty where the key
/// is not there. Fields of tuple structs go by position; a struct of one unnamed field is its
/// value. A row whose one column holds a map is read as that map.
///
/// An enum without fields is a keyword, or what has one as its ident: `PastDue` is any keyword
/// `past-due`, `#[row(name = "order.state/late")]` says which one.
#[proc_macro_derive(FromRow, attributes(row))]
pub fn from_row(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    from_row::expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
