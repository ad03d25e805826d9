//! Postgres dumps become schema and tx-data.

#![forbid(unsafe_code)]

mod catalog;
mod convert;
mod ddl;
mod dump;
mod error;
mod load;
mod mapping;
mod naming;
mod keys;
mod options;
mod report;
mod row;
mod schema;
mod store;
mod texts;
mod types;
mod update;

pub use catalog::{Catalog, Column, DefaultValue, ForeignKey, Name, Parent, Table, TypeDef, TypeName};
pub use dump::Dump;
pub use error::{ImportError, Place};

