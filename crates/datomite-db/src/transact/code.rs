//! What an error of a transaction is to a program: Datomic's keyword, the category, and the parts
//! that `told.rs` completes. The words are in `error.rs`.

use std::ops::Range;

use datomite_model::{Category, Edn, Keyword, Spans, Value};

use super::error::{Alteration, TxError};
use super::told::{EntityName, Form, Parts};

impl Alteration {
    fn property(&self) -> Option<Keyword> {
        let name = match self {
            Alteration::Unsupported { property, .. } => return property.name.as_keyword().cloned(),
            Alteration::UniqueWithoutIndex | Alteration::UniqueViolation { .. } => "db/unique",
            _ => "db/cardinality",
        };
        Some(Keyword::parse(name))
    }

    fn entities(&mut self) -> Vec<&mut EntityName> {
        match self {
            Alteration::Unsupported { property, .. } => vec![property],
            Alteration::UniqueViolation { entities, .. } => {
                vec![&mut entities.0, &mut entities.1]
            }
            Alteration::CardinalityViolation { entity, .. } => vec![entity],
            _ => Vec::new(),
        }
    }
}

impl TxError {
    /// Datomic's keyword for the error, where it has one.
    pub fn code(&self) -> Option<Keyword> {
        let name = match self {
            TxError::Db { error, .. } => return error.code(),
            TxError::FunctionFailed { error, .. } => return error.code.clone(),
            TxError::Edn(_)
            | TxError::TooShort { .. }
            | TxError::TooManyCalls { .. }
            | TxError::FunctionNotFound { .. } => return None,
            TxError::NotTransactionData { .. } => "not-transaction-data",
            TxError::NilValue { .. } => "nil-value",
            TxError::NotAnEntity { .. } => "not-an-entity",
            TxError::NotAnAttribute { .. } => "not-an-attribute",
            TxError::MapKeyCollision { .. } => "map-key-collision",
            TxError::WrongType { .. } | TxError::FunctionCode { .. } => "wrong-type-for-attribute",
            TxError::InvalidTupleValue { .. } => "invalid-tuple-value",
            TxError::InvalidNestedEntity { .. } => "invalid-nested-entity",
            TxError::TempidNotAnEntity { .. } => "tempid-not-an-entity",
            TxError::TempidNotAllowed { .. } => "not-a-keyword",
            TxError::InvalidEntityId { .. } => "invalid-entity-id",
            TxError::NotADbId { .. } => "not-a-db-id",
            TxError::NotADataFunction { .. } | TxError::StoredFunction { .. } => {
                "not-a-data-function"
            }
            TxError::InvalidCas { .. } => "invalid-cas",
            TxError::InvalidCasMany { .. } => "invalid-cas-many",
            TxError::CasFailed { .. } => "cas-failed",
            TxError::DatomsConflict { .. } | TxError::UniqueInTransaction { .. } => {
                "datoms-conflict"
            }
            TxError::UniqueConflict { .. } => "unique-conflict",
            TxError::PastTxInstant { .. } => "past-tx-instant",
            TxError::FutureTxInstant { .. } => "future-tx-instant",
            TxError::ResetTxInstant { .. } => "reset-tx-instant",
            TxError::InvalidInstallAttribute { .. } => "invalid-install-attribute",
            TxError::AttributeIdentMissing { .. } => "attribute-ident-missing",
            TxError::SchemaWithoutInstall { .. } => "schema-without-install",
            TxError::CannotRetargetIdent { .. } => "cannot-retarget-ident",
            TxError::InvalidAlterAttribute { .. } => "invalid-alter-attribute",
            TxError::DatomCannotBeAltered { .. } => "datom-cannot-be-altered",
            TxError::NotInSystemPartition { .. } => "not-in-system-partition",
            TxError::InvalidDatom { .. } => "invalid-datom",
            TxError::InvalidElementChange { .. } => "invalid-element-change",
            TxError::InvalidValueType { .. } => "invalid-value-type",
            TxError::InvalidDataFunction { .. } => "invalid-data-function",
            TxError::NotAValueType { .. } => "not-a-value-type",
            TxError::NotACardinality { .. } => "not-a-cardinality",
            TxError::NotAPartition { .. } => "not-a-partition",
            TxError::InvalidPartitionMap { directive, .. } => {
                let name = format!("invalid-{}-map", directive.name());
                return Some(Keyword::new(Some("db.error"), &name));
            }
            TxError::CycleInAffinity { .. } => "cycle-in-affinity",
            TxError::AttrPred { .. } => "attr-pred",
            TxError::EntityAttr { .. } => "entity-attr",
            TxError::EntityPred { .. } => "entity-pred",
        };
        Some(Keyword::new(Some("db.error"), name))
    }

    /// The part of the transaction data that the error is about, where one is known.
    pub fn form(&self) -> Option<Form> {
        let mut own = self.clone();
        let form = own.parts().forms.first().map(|form| (**form).clone());
        form.filter(|form| !form.part.is_nil())
    }

    /// Where in a text, which held the transaction data, the error is: the part itself within
    /// its element, else the element.
    pub fn place(&self, text: &str) -> Option<Range<usize>> {
        let form = self.form()?;
        let (whole, spans) = datomite_model::read_spanned(text).ok()?;
        let element = form.element.as_ref().unwrap_or(&form.part);
        let (found, spans) = find(&whole, &spans, element)?;
        let part = find(found, spans, &form.part).map(|(_, part)| part.span.clone());
        Some(part.unwrap_or_else(|| spans.span.clone()))
    }

    /// What the transaction can tell better than the stage that refused it.
    pub(super) fn parts(&mut self) -> Parts<'_> {
        let (entities, forms, about) = match self {
            TxError::Edn(_)
            | TxError::PastTxInstant { .. }
            | TxError::FutureTxInstant { .. }
            | TxError::CycleInAffinity { .. } => (vec![], vec![], None),
            TxError::Db { form, .. }
            | TxError::NotTransactionData { form }
            | TxError::TooShort { form }
            | TxError::NilValue { form, .. }
            | TxError::NotAnEntity { form }
            | TxError::NotAnAttribute { form }
            | TxError::MapKeyCollision { form, .. }
            | TxError::WrongType { form, .. }
            | TxError::InvalidTupleValue { form, .. }
            | TxError::InvalidNestedEntity { form, .. }
            | TxError::TempidNotAnEntity { form, .. }
            | TxError::TempidNotAllowed { form }
            | TxError::NotADbId { form }
            | TxError::NotADataFunction { form }
            | TxError::FunctionNotFound { form, .. }
            | TxError::StoredFunction { form, .. }
            | TxError::FunctionCode { form, .. }
            | TxError::FunctionFailed { form, .. }
            | TxError::TooManyCalls { form, .. }
            | TxError::InvalidCas { form }
            | TxError::InvalidCasMany { form, .. }
            | TxError::CasFailed { form, .. }
            | TxError::NotAPartition { form }
            | TxError::InvalidPartitionMap { form, .. } => (vec![], vec![form], None),
            TxError::InvalidAlterAttribute {
                attribute,
                what,
                form,
            } => {
                let about = (Edn::from(attribute.clone()), what.property());
                (what.entities(), vec![form], Some(about))
            }
            one => return one.parts_about_facts(),
        };
        Parts {
            entities,
            forms,
            about,
        }
    }

    /// As [`TxError::parts`], of errors about entities and one of their attributes.
    fn parts_about_facts(&mut self) -> Parts<'_> {
        let (entities, forms, attribute) = match self {
            TxError::DatomsConflict {
                entity,
                attribute,
                forms,
                ..
            } => {
                let (one, other) = (&mut forms.0, &mut forms.1);
                (vec![entity], vec![one, other], attribute.clone())
            }
            TxError::UniqueInTransaction {
                entities,
                attribute,
                form,
                ..
            } => {
                let (other, second) = (&mut entities.0, &mut entities.1);
                (vec![second, other], vec![form], attribute.clone())
            }
            TxError::UniqueConflict {
                existing,
                asserted,
                attribute,
                form,
                ..
            } => (vec![asserted, existing], vec![form], attribute.clone()),
            TxError::AttrPred {
                entity,
                attribute,
                form,
                ..
            }
            | TxError::DatomCannotBeAltered {
                entity,
                attribute,
                form,
            } => (vec![entity], vec![form], attribute.clone()),
            TxError::NotAValueType { entity, form } => {
                (vec![entity], vec![form], Keyword::parse("db/valueType"))
            }
            TxError::NotACardinality { entity, form } => {
                (vec![entity], vec![form], Keyword::parse("db/cardinality"))
            }
            TxError::CannotRetargetIdent {
                entity,
                holder,
                form,
                ..
            } => {
                let ident = Keyword::parse("db/ident");
                (vec![entity, holder], vec![form], ident)
            }
            one => return one.parts_about_entities(),
        };
        about_first(entities, forms, Some(attribute))
    }

    /// As [`TxError::parts`], of errors about whole entities.
    fn parts_about_entities(&mut self) -> Parts<'_> {
        let (entities, form) = match self {
            TxError::EntityAttr {
                entity, spec, form, ..
            }
            | TxError::EntityPred {
                entity, spec, form, ..
            } => (vec![entity, spec], form),
            TxError::InvalidEntityId { id: entity, form }
            | TxError::ResetTxInstant { tx: entity, form }
            | TxError::InvalidInstallAttribute { entity, form, .. }
            | TxError::AttributeIdentMissing { entity, form }
            | TxError::SchemaWithoutInstall { entity, form }
            | TxError::NotInSystemPartition { entity, form, .. }
            | TxError::InvalidDatom { entity, form, .. }
            | TxError::InvalidElementChange { entity, form, .. }
            | TxError::InvalidValueType { entity, form }
            | TxError::InvalidDataFunction { entity, form } => (vec![entity], form),
            _ => return Parts::default(),
        };
        about_first(entities, vec![form], None)
    }

    /// What a caller may do about it.
    pub fn category(&self) -> Category {
        match self {
            TxError::Db { error, .. } => error.category(),
            TxError::FunctionFailed { error, .. } => error.category,
            TxError::FunctionNotFound { .. } => Category::NotFound,
            TxError::CasFailed { .. } | TxError::UniqueConflict { .. } => Category::Conflict,
            _ => Category::Incorrect,
        }
    }
}

/// The first entity is the one that a form not known yet is about.
fn about_first<'a>(
    entities: Vec<&'a mut EntityName>,
    forms: Vec<&'a mut Form>,
    attribute: Option<Keyword>,
) -> Parts<'a> {
    let first = entities.first().map(|entity| entity.id);
    Parts {
        entities,
        forms,
        about: first.map(|e| (Edn::Value(Value::Ref(e)), attribute)),
    }
}

/// The first place where a form stands within another.
fn find<'a>(form: &'a Edn, spans: &'a Spans, wanted: &Edn) -> Option<(&'a Edn, &'a Spans)> {
    if form == wanted {
        return Some((form, spans));
    }
    let parts: Vec<&Edn> = match form {
        Edn::List(items) | Edn::Vector(items) => items.iter().collect(),
        Edn::Map(entries) => entries.iter().flat_map(|(k, v)| [k, v]).collect(),
        _ => return None,
    };
    let places = parts.into_iter().zip(&spans.children);
    places
        .into_iter()
        .find_map(|(part, place)| find(part, place, wanted))
}
