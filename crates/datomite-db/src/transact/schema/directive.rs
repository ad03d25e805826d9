//! Install directives: what `:db.install/partition` and its like may be said about.
//!
//! An element of the schema lies in its partition and is of one kind for ever.

use datomite_model::{Datom, EntityId, Partition, Value};

use super::super::error::TxError;
use super::super::told::Form;
use super::defines;
use crate::Db;
use crate::bootstrap::id;

/// A kind of schema element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Element {
    /// An attribute.
    Attribute,
    /// A partition.
    Partition,
    /// A value type.
    ValueType,
    /// A function.
    Function,
}

impl std::fmt::Display for Element {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Element::Attribute => "an attribute",
            Element::Partition => "a partition",
            Element::ValueType => "a value type",
            Element::Function => "a function",
        })
    }
}

/// Whether an attribute installs or alters an element.
pub(in super::super) fn is_directive(a: EntityId) -> bool {
    a == id::ALTER_ATTRIBUTE || element(a).is_some()
}

/// What an attribute installs.
fn element(a: EntityId) -> Option<Element> {
    match a {
        id::INSTALL_ATTRIBUTE => Some(Element::Attribute),
        id::INSTALL_PARTITION => Some(Element::Partition),
        id::INSTALL_VALUE_TYPE => Some(Element::ValueType),
        id::INSTALL_FUNCTION => Some(Element::Function),
        _ => None,
    }
}

/// Where a directive stands, and where the element lies.
pub(in super::super) fn check_directive(db: &Db, datom: &Datom) -> Result<(), TxError> {
    let directive = || super::super::novelty::name(db, datom.a);
    if datom.e != id::PART_DB {
        return Err(TxError::InvalidDatom {
            directive: directive(),
            entity: datom.e.into(),
            form: Form::default(),
        });
    }
    let placed = matches!(datom.a, id::INSTALL_PARTITION | id::INSTALL_VALUE_TYPE);
    match datom.v.as_ref_id() {
        Some(entity) if placed && entity.partition() != Partition::DB => {
            Err(TxError::NotInSystemPartition {
                entity: entity.into(),
                directive: Some(directive()),
                form: Form::default(),
            })
        }
        _ => Ok(()),
    }
}

/// Checks what is installed besides attributes.
pub(super) fn check_elements(db: &Db, datoms: &[Datom]) -> Result<(), TxError> {
    for datom in datoms.iter().filter(|datom| datom.added) {
        let (Some(installed), Some(entity)) = (element(datom.a), datom.v.as_ref_id()) else {
            continue;
        };
        let says = |a: EntityId| -> Result<bool, TxError> {
            let now = datoms.iter().any(|d| d.added && d.e == entity && d.a == a);
            Ok(now || !db.basis().datoms_of_attribute(entity, a)?.is_empty())
        };
        match installed {
            Element::Attribute => continue,
            Element::ValueType if !(says(id::IDENT)? && says(id::TAG)?) => {
                return Err(TxError::InvalidValueType {
                    entity: entity.into(),
                    form: Form::default(),
                });
            }
            Element::Function if !(says(id::IDENT)? && says(id::LANG)? && says(id::CODE)?) => {
                return Err(TxError::InvalidDataFunction {
                    entity: entity.into(),
                    form: Form::default(),
                });
            }
            _ => {}
        }
        is_other_element(db, entity, installed)?;
        let defined = datoms
            .iter()
            .any(|d| d.added && d.e == entity && defines(d.a));
        if defined {
            return Err(TxError::InvalidElementChange {
                entity: entity.into(),
                form: Form::default(),
                is: installed,
                becomes: Element::Attribute,
            });
        }
    }
    Ok(())
}

/// Refuses an entity that is an element of another kind already.
pub(super) fn is_other_element(db: &Db, entity: EntityId, becomes: Element) -> Result<(), TxError> {
    let basis = db.basis();
    for directive in [
        id::INSTALL_ATTRIBUTE,
        id::INSTALL_PARTITION,
        id::INSTALL_VALUE_TYPE,
        id::INSTALL_FUNCTION,
    ] {
        let Some(is) = element(directive).filter(|is| *is != becomes) else {
            continue;
        };
        if basis
            .datom_of_value(id::PART_DB, directive, &Value::Ref(entity))?
            .is_some()
        {
            return Err(TxError::InvalidElementChange {
                entity: entity.into(),
                form: Form::default(),
                is,
                becomes,
            });
        }
    }
    Ok(())
}
