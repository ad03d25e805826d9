//! From the catalog to the plan: tables → attributes, keys → identities, foreign keys →
//! references, bridges, enums. The DDL and the mapping decide; data never does.

mod derive;
mod file;
mod plan;
mod print;

#[cfg(test)]
mod tests;

pub use derive::{Extent, Hashed, Known, derive};
pub use file::{ColumnMapping, Mapping, TableMapping, Target};
pub use plan::{
    Becomes, Bridge, ColumnPlan, CompositePlan, CompositeReference, EnumPlan, Identity, Plan,
    Reference, Relation, companion,
};
pub use print::mapping_text;
