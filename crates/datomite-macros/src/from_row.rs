//! `#[derive(FromRow)]`: a struct from rows of queries and from maps.
//!
//! Named fields are found by name, fields of tuple structs by position; a struct of one unnamed
//! field is its value; an enum without fields is a keyword. Decides names and bounds; how a value
//! is read is `FromEdn`'s.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Field, Fields, Generics, LitStr, Result, Type, Variant,
    parse_quote,
};

/// The implementations of `FromRow` and `FromEdn`.
pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    if let Some(lifetime) = input.generics.lifetimes().next() {
        let message = "FromRow makes owned values: its fields cannot borrow";
        return Err(syn::Error::new(lifetime.span(), message));
    }
    let refuse = |message| Err(syn::Error::new(input.ident.span(), message));
    let (from_edn, from_row) = match &input.data {
        Data::Enum(data) if data.variants.is_empty() => return refuse("an enum without variants"),
        Data::Enum(data) => variants(data.variants.iter())?,
        Data::Union(_) => return refuse("FromRow is derived for structs and enums"),
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => named(fields.named.iter())?,
            Fields::Unnamed(fields) => unnamed(fields.unnamed.iter())?,
            Fields::Unit => return refuse("FromRow needs a struct with fields"),
        },
    };
    let name = &input.ident;
    let generics = bounded(&input.generics);
    let (parameters, arguments, bounds) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #parameters ::datomite::FromEdn for #name #arguments #bounds {
            fn from_edn(
                form: &::datomite::Edn,
            ) -> ::std::result::Result<Self, ::datomite::FromEdnError> {
                #from_edn
            }
        }

        #[automatically_derived]
        impl #parameters ::datomite::FromRow for #name #arguments #bounds {
            fn from_row(
                row: ::datomite::Row<'_>,
            ) -> ::std::result::Result<Self, ::datomite::QueryError> {
                #from_row
            }
        }
    })
}

/// Every type parameter is read as a field would be.
fn bounded(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(::datomite::FromEdn));
    }
    generics
}

/// What `#[row(…)]` says of a field.
#[derive(Default)]
struct Attributes {
    name: Option<LitStr>,
    default: Option<Span>,
}

fn attributes(attrs: &[Attribute]) -> Result<Attributes> {
    let mut found = Attributes::default();
    for attribute in attrs.iter().filter(|a| a.path().is_ident("row")) {
        attribute.parse_nested_meta(|meta| {
            let is_name = meta.path.is_ident("name");
            if (is_name && found.name.is_some())
                || (meta.path.is_ident("default") && found.default.is_some())
            {
                return Err(meta.error("given twice"));
            }
            if is_name {
                found.name = Some(meta.value()?.parse()?);
                return Ok(());
            }
            if meta.path.is_ident("default") {
                found.default = Some(meta.path.span());
                return Ok(());
            }
            Err(meta.error("expected name = \"…\" or default"))
        })?;
    }
    Ok(found)
}

fn named<'a>(fields: impl Iterator<Item = &'a Field>) -> Result<(TokenStream, TokenStream)> {
    let (mut by_key, mut by_column, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for field in fields {
        let ident = field
            .ident
            .as_ref()
            .expect("invariant: a named field has a name");
        let found = attributes(&field.attrs)?;
        let name = match &found.name {
            Some(name) => quote!(::datomite::FieldName::Exact(#name)),
            None => {
                let name = ident.unraw().to_string();
                quote!(::datomite::FieldName::Like(#name))
            }
        };
        let (ty, span) = (&field.ty, field.ty.span());
        let (read, column) = match found.default {
            None => (quote!(read), quote!(field)),
            Some(_) => (quote!(read_or_default), quote!(field_or_default)),
        };
        by_key.push(quote_spanned!(span=> #ident: fields.#read::<#ty>(#name)?));
        by_column.push(quote_spanned!(span=> #ident: row.#column::<#ty>(#name)?));
        names.push(name);
    }
    let from_edn = quote! {
        let fields = ::datomite::Fields::of(form)?;
        ::std::result::Result::Ok(Self { #(#by_key),* })
    };
    let from_row = quote! {
        if let ::std::option::Option::Some(whole) = row.map::<Self>(&[#(#names),*])? {
            return ::std::result::Result::Ok(whole);
        }
        ::std::result::Result::Ok(Self { #(#by_column),* })
    };
    Ok((from_edn, from_row))
}

fn unnamed<'a>(fields: impl Iterator<Item = &'a Field>) -> Result<(TokenStream, TokenStream)> {
    let mut types: Vec<&Type> = Vec::new();
    for field in fields {
        let found = attributes(&field.attrs)?;
        let misplaced = found.name.map(|name| name.span()).or(found.default);
        if let Some(span) = misplaced {
            let message = "fields without names are read by position: #[row(…)] has no meaning";
            return Err(syn::Error::new(span, message));
        }
        types.push(&field.ty);
    }
    let count = types.len();
    let columns = types.iter().enumerate().map(|(at, ty)| {
        let span = ty.span();
        quote_spanned!(span=> row.read::<#ty>(#at)?)
    });
    let from_row = quote! {
        row.check_width(#count)?;
        ::std::result::Result::Ok(Self(#(#columns),*))
    };
    let from_edn = match types.as_slice() {
        [ty] => {
            let span = ty.span();
            quote_spanned!(span=> <#ty as ::datomite::FromEdn>::from_edn(form).map(Self))
        }
        types => {
            let slots = (0..count).map(syn::Index::from);
            quote! {
                let slots = <(#(#types,)*) as ::datomite::FromEdn>::from_edn(form)?;
                ::std::result::Result::Ok(Self(#(slots.#slots),*))
            }
        }
    };
    Ok((from_edn, from_row))
}

fn variants<'a>(variants: impl Iterator<Item = &'a Variant>) -> Result<(TokenStream, TokenStream)> {
    let (mut names, mut idents) = (Vec::new(), Vec::new());
    for variant in variants {
        if !matches!(variant.fields, Fields::Unit) {
            let message = "a variant with fields is no keyword: implement FromEdn, or use serde";
            return Err(syn::Error::new(variant.fields.span(), message));
        }
        let found = attributes(&variant.attrs)?;
        if let Some(span) = found.default {
            let message = "a variant has a name, but no default";
            return Err(syn::Error::new(span, message));
        }
        names.push(match &found.name {
            Some(name) => quote!(::datomite::FieldName::Exact(#name)),
            None => {
                let name = variant.ident.unraw().to_string();
                quote!(::datomite::FieldName::Like(#name))
            }
        });
        idents.push(&variant.ident);
    }
    let last = idents
        .pop()
        .expect("invariant: an enum without variants was refused");
    let places = 0..idents.len();
    let from_edn = quote! {
        let variant = ::datomite::FieldName::variant(form, &[#(#names),*])?;
        ::std::result::Result::Ok(match variant {
            #(#places => Self::#idents,)*
            _ => Self::#last,
        })
    };
    let from_row = quote! {
        row.check_width(1)?;
        row.read(0)
    };
    Ok((from_edn, from_row))
}
