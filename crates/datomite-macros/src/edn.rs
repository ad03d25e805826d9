//! `edn!`: EDN text checked when the program is compiled, with values put in as values.
//!
//! The literal is read by the same reader as everywhere; the macro writes the code that makes the
//! form. It knows nothing of transactions or queries.

use std::collections::BTreeMap;

use datomite_model::{Edn, Value, read};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Ident, LitStr, Token};

/// What stands between the parentheses.
pub(crate) struct Call {
    text: LitStr,
    arguments: Vec<(Ident, Expr)>,
}

impl Parse for Call {
    fn parse(input: ParseStream<'_>) -> syn::Result<Call> {
        let text = input.parse()?;
        let mut arguments = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let name: Ident = input.parse()?;
            let value = if input.peek(Token![=]) {
                input.parse::<Token![=]>()?;
                input.parse()?
            } else {
                syn::parse_quote!(#name)
            };
            arguments.push((name, value));
        }
        Ok(Call { text, arguments })
    }
}

/// The expression that makes the form.
pub(crate) fn expand(call: &Call) -> syn::Result<TokenStream> {
    let form =
        read(&call.text.value()).map_err(|error| syn::Error::new(call.text.span(), error))?;
    let mut slots = Slots::default();
    for (name, _) in &call.arguments {
        let variable = format_ident!("__edn_{}", name);
        if slots
            .by_name
            .insert(format!("?{name}"), (variable, 0))
            .is_some()
        {
            return Err(syn::Error::new(
                name.span(),
                format!("{name} is given twice"),
            ));
        }
    }
    let body = slots.write(&form);
    let mut bindings = TokenStream::new();
    for (name, value) in &call.arguments {
        let (variable, uses) = &slots.by_name[&format!("?{name}")];
        if *uses == 0 {
            let message = format!("the text does not use ?{name}");
            return Err(syn::Error::new(name.span(), message));
        }
        bindings.extend(quote!(let #variable = ::datomite::Edn::from(#value);));
    }
    Ok(quote!({ #bindings #body }))
}

/// The variables that hold the arguments, by the symbol they replace, and how often each is used.
#[derive(Default)]
struct Slots {
    by_name: BTreeMap<String, (Ident, usize)>,
}

impl Slots {
    /// The expression that makes the form.
    fn write(&mut self, form: &Edn) -> TokenStream {
        match form {
            Edn::Value(Value::Symbol(symbol)) if self.by_name.contains_key(symbol.as_str()) => {
                let (variable, uses) = self
                    .by_name
                    .get_mut(symbol.as_str())
                    .expect("invariant: the guard found it");
                *uses += 1;
                quote!(::std::clone::Clone::clone(&#variable))
            }
            Edn::Nil => quote!(::datomite::Edn::Nil),
            Edn::Char(c) => quote!(::datomite::Edn::Char(#c)),
            Edn::Value(value) => write_value(value),
            Edn::List(items) => self.write_items(&quote!(List), items),
            Edn::Vector(items) => self.write_items(&quote!(Vector), items),
            Edn::Set(items) => self.write_items(&quote!(Set), items),
            Edn::Map(entries) => {
                let pairs = entries.iter().map(|(key, value)| {
                    let (key, value) = (self.write(key), self.write(value));
                    quote!((#key, #value))
                });
                let pairs: Vec<TokenStream> = pairs.collect();
                quote!(::datomite::Edn::Map(::std::vec![#(#pairs),*]))
            }
            Edn::Tagged(tag, form) => {
                let (tag, form) = (tag.as_str(), self.write(form));
                quote!(::datomite::Edn::Tagged(
                    ::datomite::Symbol::parse(#tag),
                    ::std::boxed::Box::new(#form)
                ))
            }
            other => write_by_text(other),
        }
    }

    fn write_items(&mut self, kind: &TokenStream, items: &[Edn]) -> TokenStream {
        let items: Vec<TokenStream> = items.iter().map(|item| self.write(item)).collect();
        quote!(::datomite::Edn::#kind(::std::vec![#(#items),*]))
    }
}

fn write_value(value: &Value) -> TokenStream {
    match value {
        Value::Long(n) => quote!(::datomite::Edn::long(#n)),
        Value::Boolean(b) => quote!(::datomite::Edn::from(#b)),
        Value::String(text) => {
            let text = text.as_ref();
            quote!(::datomite::Edn::string(#text))
        }
        Value::Keyword(k) => {
            let parts = write_parts(k.namespace(), k.name());
            quote!(::datomite::Edn::from(::datomite::Keyword::new(#parts)))
        }
        Value::Symbol(s) => {
            let parts = write_parts(s.namespace(), s.name());
            quote!(::datomite::Edn::from(::datomite::Symbol::new(#parts)))
        }
        Value::Double(n) => {
            let bits = n.to_bits();
            quote!(::datomite::Edn::from(f64::from_bits(#bits)))
        }
        other => write_by_text(&Edn::from(other)),
    }
}

fn write_parts(namespace: Option<&str>, name: &str) -> TokenStream {
    match namespace {
        None => quote!(::std::option::Option::None, #name),
        Some(namespace) => quote!(::std::option::Option::Some(#namespace), #name),
    }
}

/// Rare constants are read again when the program runs; what the printer writes reads back.
fn write_by_text(form: &Edn) -> TokenStream {
    let text = form.to_string();
    quote!(::datomite::read(#text).expect("invariant: the text was read at compile time"))
}
