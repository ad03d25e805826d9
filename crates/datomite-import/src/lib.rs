//! Postgres dumps become schema and datoms.
//!
//! Reads plain dumps and custom archives, derives the schema that a careful user would have
//! written, and loads rows in bulk; a later dump of the same database becomes history. Everything
//! but `load` and `update` is pure. Knows the store only through the facade, and Postgres only
//! by its files.
//!
//! Reading order: `dump` (bytes to statements and rows), `catalog` and `ddl` (what is declared),
//! `types`, `naming` and `mapping` (what it becomes), `convert`, `keys` and `row` (values),
//! `schema`, `load` and `update` (transactions), `report`.

#![forbid(unsafe_code)]

mod error;

mod catalog;
mod ddl;
mod dump;

mod mapping;
mod naming;
mod types;

mod convert;
mod keys;
mod row;
mod texts;

mod group;
mod load;
mod schema;
mod store;
mod update;

mod import;
mod options;
mod report;

pub use catalog::{
    Catalog, Column, DefaultValue, ForeignKey, Name, Parent, Table, TypeDef, TypeName,
};
pub use convert::Scalar;
pub use dump::Dump;
pub use error::{ImportError, Place};
pub use import::{Import, Preview, plan};
pub use mapping::{
    Becomes, Bridge, ColumnMapping, ColumnPlan, CompositePlan, CompositeReference, EnumPlan,
    Identity, Mapping, Plan, Reference, Relation, TableMapping, Target,
};
pub use options::{ImportOptions, Phase, Progress, ProgressFn};
pub use report::{ImportReport, Omission, TableReport};
pub use types::{Element, Shape};
