//! Why a transaction was refused: one variant for each of Datomic's errors, with the things it is
//! about. A refused transaction leaves nothing behind.

use datomite_model::{
    Category, Edn, EdnError, EntityId, Instant, Keyword, Symbol, Value, ValueType,
};

use super::schema::Element;
use crate::{DbError, FunctionError};

/// Why a transaction was refused.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TxError {
    /// A read failed, or a form names nothing.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The text is no EDN.
    #[error(transparent)]
    Edn(#[from] EdnError),
    /// An element is neither a list nor a map, or the whole is no list of elements.
    #[error("{form} is not transaction data: expected a list or a map")]
    NotTransactionData {
        /// The form.
        form: Edn,
    },
    /// An operation with too few parts.
    #[error("{form} has too few parts")]
    TooShort {
        /// The form.
        form: Edn,
    },
    /// nil as a value.
    #[error("nil is not a legal value for {attribute} in {form}")]
    NilValue {
        /// The attribute.
        attribute: Keyword,
        /// The operation or map.
        form: Edn,
    },
    /// A form names no entity.
    #[error("unable to resolve entity: {form}")]
    NotAnEntity {
        /// The form.
        form: Edn,
    },
    /// A form in a fact names no entity.
    #[error("unable to resolve entity: {form} in {datom}")]
    NotAnEntityIn {
        /// The form.
        form: Edn,
        /// The operation or map it stands in.
        datom: Edn,
    },
    /// An entity in the place of an attribute is none.
    #[error("{form} is not an attribute")]
    NotAnAttribute {
        /// The form.
        form: Edn,
    },
    /// A map names an attribute twice.
    #[error("{key} stands twice in {form}")]
    MapKeyCollision {
        /// The attribute.
        key: Keyword,
        /// The map.
        form: Edn,
    },
    /// A value of another type than the attribute's.
    #[error("value {value} is not a valid :{} for attribute {attribute}", value_type.tag())]
    WrongType {
        /// The value.
        value: Edn,
        /// What the attribute holds.
        value_type: ValueType,
        /// The attribute.
        attribute: Keyword,
        /// The operation or map.
        form: Edn,
    },
    /// A tuple of another arity, or with slots of other types.
    #[error("invalid tuple value {value} for {attribute}")]
    InvalidTupleValue {
        /// The attribute.
        attribute: Keyword,
        /// The value.
        value: Edn,
    },
    /// A nested map that could not be told apart from others.
    #[error("nested entity {form} of {attribute} is not a component and has no :db/id")]
    InvalidNestedEntity {
        /// The attribute that holds the map.
        attribute: Keyword,
        /// The map.
        form: Edn,
    },
    /// A tempid that no fact is about.
    #[error("tempid {tempid} used only as value in transaction")]
    TempidNotAnEntity {
        /// The tempid.
        tempid: Edn,
    },
    /// A tempid where an entity of the database is needed.
    #[error("{form} is a tempid: an entity of the database is needed here")]
    TempidNotAllowed {
        /// The tempid.
        form: Edn,
    },
    /// A number that was never handed out.
    #[error("invalid entity id: {id}")]
    InvalidEntityId {
        /// The number.
        id: EntityId,
    },
    /// `#db/id` with a partition that is none.
    #[error("{form} is not a db id")]
    NotADbId {
        /// The form.
        form: Edn,
    },
    /// The first part of a list is no operation and no function.
    #[error("unable to resolve data function: {form}")]
    NotADataFunction {
        /// The form.
        form: Edn,
    },
    /// No function of that name is registered.
    #[error("no function {function} is registered: register it with Connection::register")]
    FunctionNotFound {
        /// The name.
        function: Symbol,
    },
    /// A function stored in the database as code.
    #[error(
        "{function} is code stored with :db/fn, which is not run: register a Rust \
         function with Connection::register and call it by its symbol"
    )]
    StoredFunction {
        /// Its name.
        function: Edn,
    },
    /// A function refused or failed.
    #[error("{function} failed in {form}: {error}")]
    FunctionFailed {
        /// Its name.
        function: Symbol,
        /// The call.
        form: Edn,
        /// Its own words.
        error: Box<FunctionError>,
    },
    /// Functions that call functions without end.
    #[error("more than {limit} calls within calls at {form}")]
    TooManyCalls {
        /// The innermost call.
        form: Edn,
        /// The limit.
        limit: usize,
    },
    /// `:db/cas` without entity, attribute or new value.
    #[error("{form} needs an entity, an attribute and a new value")]
    InvalidCas {
        /// The call.
        form: Edn,
    },
    /// `:db/cas` on an attribute with many values.
    #[error(":db/cas needs an attribute with one value, {attribute} has many")]
    InvalidCasMany {
        /// The attribute.
        attribute: Keyword,
    },
    /// `:db/cas` found another value.
    #[error("compare failed on {entity} {attribute}: expected {expected}, found {actual}")]
    CasFailed {
        /// The entity.
        entity: Edn,
        /// The attribute.
        attribute: Keyword,
        /// What the caller expected.
        expected: Box<Edn>,
        /// What is there.
        actual: Box<Edn>,
    },
    /// Two facts of the transaction contradict each other.
    #[error(
        "two datoms in the same transaction conflict: {entity} {attribute} {} and {}",
        said(one),
        said(other)
    )]
    DatomsConflict {
        /// The entity.
        entity: EntityId,
        /// The attribute.
        attribute: Keyword,
        /// A value and whether it is added.
        one: Box<(Value, bool)>,
        /// The other value and whether it is added.
        other: Box<(Value, bool)>,
        /// What was written.
        forms: Box<(Edn, Edn)>,
    },
    /// Two entities of the transaction claim one unique value.
    #[error(
        "two datoms in the same transaction conflict: {attribute} {value} is claimed by {} and {}",
        entities.0,
        entities.1
    )]
    UniqueInTransaction {
        /// The attribute.
        attribute: Keyword,
        /// The value.
        value: Value,
        /// The entities.
        entities: (EntityId, EntityId),
    },
    /// A unique value belongs to another entity.
    #[error("{attribute} {value} already names {existing}, cannot also name {asserted}")]
    UniqueConflict {
        /// The attribute.
        attribute: Keyword,
        /// The value.
        value: Value,
        /// Who holds it.
        existing: EntityId,
        /// Who claims it.
        asserted: EntityId,
    },
    /// `:db/txInstant` before the last transaction.
    #[error("time conflict: {instant} is older than the database's last transaction, {last}")]
    PastTxInstant {
        /// The instant asked for.
        instant: Instant,
        /// The last one.
        last: Instant,
    },
    /// `:db/txInstant` after the clock.
    #[error("time conflict: {instant} is in the future")]
    FutureTxInstant {
        /// The instant asked for.
        instant: Instant,
    },
    /// `:db/txInstant` of another transaction.
    #[error("you can set :db/txInstant only on the current transaction, not on {tx}")]
    ResetTxInstant {
        /// The other transaction.
        tx: EntityId,
    },
    /// A definition of an attribute that is not complete or not possible.
    #[error("invalid definition of {}: {first}", named(attribute))]
    InvalidInstallAttribute {
        /// The attribute, where it has a name.
        attribute: Option<Keyword>,
        /// What is wrong first.
        first: Keyword,
    },
    /// A definition of an attribute that has no name.
    #[error("{entity} is defined as an attribute and has no :db/ident")]
    AttributeIdentMissing {
        /// The entity.
        entity: EntityId,
    },
    /// A new entity in the schema's partition that is no part of the schema.
    #[error("only schema components can be in partition :db.part/db: {entity} has no :db/ident")]
    SchemaWithoutInstall {
        /// The entity.
        entity: EntityId,
    },
    /// A name that a composite tuple is made of.
    #[error("{ident} cannot name {entity}: composite tuples are made of {holder} by that name")]
    CannotRetargetIdent {
        /// The name.
        ident: Keyword,
        /// Who claims it.
        entity: EntityId,
        /// The attribute that it names.
        holder: EntityId,
    },
    /// A change of an attribute that is not possible.
    #[error("invalid change of {attribute}: {what}")]
    InvalidAlterAttribute {
        /// The attribute.
        attribute: Keyword,
        /// What is wrong.
        what: Alteration,
    },
    /// A fact of the bootstrap.
    #[error("{attribute} of {entity} cannot be altered: it is part of every database")]
    DatomCannotBeAltered {
        /// The entity.
        entity: EntityId,
        /// The attribute.
        attribute: Keyword,
    },
    /// An entity outside of the schema's partition cannot become a part of the schema.
    #[error(
        "{entity} lies outside of :db.part/db and cannot become {}: make a new entity",
        installed(directive)
    )]
    NotInSystemPartition {
        /// The entity.
        entity: EntityId,
        /// The directive that says so, where one does.
        directive: Option<Keyword>,
    },
    /// A directive about the schema on another entity than `:db.part/db`.
    #[error("{directive} stands on :db.part/db and nothing else, not on {entity}")]
    InvalidDatom {
        /// The directive.
        directive: Keyword,
        /// The entity that it was said of.
        entity: EntityId,
    },
    /// An entity cannot be two kinds of schema elements.
    #[error("{entity} is {is} and cannot also become {becomes}")]
    InvalidElementChange {
        /// The entity.
        entity: EntityId,
        /// What it is.
        is: Element,
        /// What it was to become.
        becomes: Element,
    },
    /// A value type without its parts.
    #[error("{entity} needs :db/ident and :fressian/tag to be a value type")]
    InvalidValueType {
        /// The entity.
        entity: EntityId,
    },
    /// A function without its parts.
    #[error(
        "{entity} needs :db/ident, :db/lang and :db/code to be a function; code is not run here: \
         register a Rust function with Connection::register and call it by its symbol"
    )]
    InvalidDataFunction {
        /// The entity.
        entity: EntityId,
    },
    /// No value type.
    #[error("{entity} is not a value type")]
    NotAValueType {
        /// The entity.
        entity: EntityId,
    },
    /// No cardinality.
    #[error("{entity} is not a cardinality")]
    NotACardinality {
        /// The entity.
        entity: EntityId,
    },
    /// No partition.
    #[error("{form} is not a partition")]
    NotAPartition {
        /// The form.
        form: Edn,
    },
    /// A directive about partitions that is no map.
    #[error("the value of {directive} must be a map, not {form}")]
    InvalidPartitionMap {
        /// The directive.
        directive: Keyword,
        /// Its value.
        form: Edn,
    },
    /// `:db/match-partition` in a circle.
    #[error("partitions are matched in a circle")]
    CycleInAffinity,
    /// A value that an attribute's predicate does not accept.
    #[error("entity {entity} attribute {attribute} value {value} failed pred {predicate}")]
    AttrPred {
        /// The entity.
        entity: EntityId,
        /// The attribute.
        attribute: Keyword,
        /// The value.
        value: Value,
        /// The predicate.
        predicate: Symbol,
        /// What it answered instead of true.
        returned: Box<Edn>,
    },
    /// An entity without the attributes of its spec.
    #[error("entity {entity} missing attributes {} of spec {spec}", list(missing))]
    EntityAttr {
        /// The entity.
        entity: EntityId,
        /// What it lacks.
        missing: Vec<Keyword>,
        /// The spec.
        spec: Edn,
    },
    /// An entity that a predicate of its spec does not accept.
    #[error("entity {entity} failed pred {predicate} of spec {spec}")]
    EntityPred {
        /// The entity.
        entity: EntityId,
        /// The predicate.
        predicate: Symbol,
        /// The spec.
        spec: Edn,
        /// What it answered instead of true.
        returned: Edn,
    },
}

/// Why an attribute cannot be altered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Alteration {
    /// A property that never changes.
    #[error("property {property} can never be changed")]
    Unsupported {
        /// The property's attribute.
        property: EntityId,
    },
    /// Unique needs an index where there are facts.
    #[error("make it :db/index first: there are facts")]
    UniqueWithoutIndex,
    /// Two entities hold one value.
    #[error("{value} is held by {} and {}", entities.0, entities.1)]
    UniqueViolation {
        /// The value.
        value: Value,
        /// The entities.
        entities: (EntityId, EntityId),
    },
    /// An entity holds several values.
    #[error("{entity} has {} values", values.len())]
    CardinalityViolation {
        /// The entity.
        entity: EntityId,
        /// Its values.
        values: Vec<Value>,
    },
    /// A part of a composite tuple has one value.
    #[error("it is part of a composite tuple and must have one value")]
    ConstituentMustBeCardOne,
}

impl TxError {
    /// Datomic's keyword for the error, where it has one.
    pub fn code(&self) -> Option<Keyword> {
        let name = match self {
            TxError::Db(error) => return error.code(),
            TxError::FunctionFailed { error, .. } => return error.code.clone(),
            TxError::Edn(_)
            | TxError::TooShort { .. }
            | TxError::TooManyCalls { .. }
            | TxError::FunctionNotFound { .. } => return None,
            TxError::NotTransactionData { .. } => "not-transaction-data",
            TxError::NilValue { .. } => "nil-value",
            TxError::NotAnEntity { .. } | TxError::NotAnEntityIn { .. } => "not-an-entity",
            TxError::NotAnAttribute { .. } => "not-an-attribute",
            TxError::MapKeyCollision { .. } => "map-key-collision",
            TxError::WrongType { .. } => "wrong-type-for-attribute",
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
            TxError::CycleInAffinity => "cycle-in-affinity",
            TxError::AttrPred { .. } => "attr-pred",
            TxError::EntityAttr { .. } => "entity-attr",
            TxError::EntityPred { .. } => "entity-pred",
        };
        Some(Keyword::new(Some("db.error"), name))
    }

    /// What a caller may do about it.
    pub fn category(&self) -> Category {
        match self {
            TxError::Db(error) => error.category(),
            TxError::FunctionFailed { error, .. } => error.category,
            TxError::FunctionNotFound { .. } => Category::NotFound,
            TxError::CasFailed { .. } | TxError::UniqueConflict { .. } => Category::Conflict,
            TxError::StoredFunction { .. } => Category::Unsupported,
            _ => Category::Incorrect,
        }
    }
}

fn installed(directive: &Option<Keyword>) -> String {
    directive.as_ref().map_or_else(
        || "an attribute".into(),
        |directive| format!("what {directive} installs"),
    )
}

fn said(fact: &(Value, bool)) -> String {
    format!(
        "{} ({})",
        fact.0,
        if fact.1 { "added" } else { "retracted" }
    )
}

fn named(attribute: &Option<Keyword>) -> String {
    attribute
        .as_ref()
        .map_or_else(|| "an attribute without a name".into(), Keyword::to_string)
}

fn list(names: &[Keyword]) -> String {
    let names: Vec<String> = names.iter().map(Keyword::to_string).collect();
    format!("[{}]", names.join(" "))
}
