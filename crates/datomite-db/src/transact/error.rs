//! Why a transaction was refused: one variant for each of Datomic's errors, with the things it is
//! about. A refused transaction leaves nothing behind.

use datomite_model::{Edn, EdnError, Instant, Keyword, Symbol, Value, ValueType};

use super::schema::Element;
use super::told::{EntityName, Form, short, within};
use crate::{DbError, FunctionError};

/// Why a transaction was refused.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TxError {
    /// A read failed, or a form is none that may stand there.
    #[error("{error}{}", within(form))]
    Db {
        /// Why.
        error: DbError,
        /// What was written.
        form: Form,
    },
    /// The text is no EDN.
    #[error(transparent)]
    Edn(#[from] EdnError),
    /// An element is neither a list nor a map, or the whole is no list of elements.
    #[error("{form} is not transaction data: expected a list or a map")]
    NotTransactionData {
        /// The form.
        form: Form,
    },
    /// An operation with too few parts.
    #[error("{form} has too few parts")]
    TooShort {
        /// The form.
        form: Form,
    },
    /// nil as a value.
    #[error("nil is not a value: to take one away write [:db/retract e {attribute} v]; in {form}")]
    NilValue {
        /// The attribute.
        attribute: Keyword,
        /// The operation or map.
        form: Form,
    },
    /// A form names no entity.
    #[error("unable to resolve entity: {form}")]
    NotAnEntity {
        /// The form.
        form: Form,
    },
    /// An entity in the place of an attribute is none.
    #[error("{form} is not an attribute")]
    NotAnAttribute {
        /// The form.
        form: Form,
    },
    /// A map names an attribute twice.
    #[error("{key} stands twice in {form}")]
    MapKeyCollision {
        /// The attribute.
        key: Keyword,
        /// The map.
        form: Form,
    },
    /// A value of another type than the attribute's.
    #[error(
        "value {} is not a valid {} for attribute {attribute}{}",
        short(value),
        value_type.ident(),
        within(form)
    )]
    WrongType {
        /// The value.
        value: Edn,
        /// What the attribute holds.
        value_type: ValueType,
        /// The attribute.
        attribute: Keyword,
        /// The operation or map.
        form: Form,
    },
    /// A tuple of another arity, or with slots of other types.
    #[error("invalid tuple value {} for {attribute}{}", short(value), within(form))]
    InvalidTupleValue {
        /// The attribute.
        attribute: Keyword,
        /// The value.
        value: Edn,
        /// The operation or map.
        form: Form,
    },
    /// A nested map that could not be told apart from others.
    #[error(
        "the map under {attribute} is no component and has neither :db/id nor a unique attribute: \
         {form}"
    )]
    InvalidNestedEntity {
        /// The attribute that holds the map.
        attribute: Keyword,
        /// The map.
        form: Form,
    },
    /// A tempid that no fact is about.
    #[error(
        "tempid {} is used only as a value: nothing is said about it{}",
        short(tempid),
        within(form)
    )]
    TempidNotAnEntity {
        /// The tempid.
        tempid: Edn,
        /// The operation or map.
        form: Form,
    },
    /// A tempid where an entity of the database is needed.
    #[error("{form} is a tempid: an entity of the database is needed here")]
    TempidNotAllowed {
        /// The tempid.
        form: Form,
    },
    /// A number that was never handed out.
    #[error("entity id {id} was never handed out{}", within(form))]
    InvalidEntityId {
        /// The number.
        id: EntityName,
        /// The operation or map.
        form: Form,
    },
    /// `#db/id` with a partition that is none.
    #[error("not a partition of the database: {form}")]
    NotADbId {
        /// The form.
        form: Form,
    },
    /// The first part of a list is no operation and no function.
    #[error(
        "no operation and no function: {form}; own functions are registered with \
         Connection::register and called by their qualified symbols"
    )]
    NotADataFunction {
        /// The form.
        form: Form,
    },
    /// No function of that name is registered.
    #[error(
        "no function {function} is registered: conn.register(\"{function}\", …) does it{}{}",
        listed("; nearest", nearest),
        within(form)
    )]
    FunctionNotFound {
        /// The name.
        function: Symbol,
        /// Registered names that were perhaps meant.
        nearest: Vec<Symbol>,
        /// The call, or the value or entity that was to be judged.
        form: Form,
    },
    /// A function stored in the database, or to be stored, as code.
    #[error(
        "{} is code, which is not run here: register a Rust function, \
         conn.register(\"{}\", …), and call it by that symbol{}",
        short(function),
        symbol_of(function),
        within(form)
    )]
    StoredFunction {
        /// Its name, or what stands in place of one.
        function: Edn,
        /// The operation or map.
        form: Form,
    },
    /// Code as a value.
    #[error(
        "the code of {} is not taken: register a Rust function, conn.register(\"{}\", …), and \
         call it by that symbol{}",
        function_called(function),
        symbol_of(function),
        within(form)
    )]
    FunctionCode {
        /// The name of the function, nil where it has none.
        function: Edn,
        /// The operation or map.
        form: Form,
    },
    /// A function refused or failed.
    #[error("{function} failed in {form}: {error}")]
    FunctionFailed {
        /// Its name.
        function: Symbol,
        /// The call.
        form: Form,
        /// Its own words.
        error: Box<FunctionError>,
    },
    /// Functions that call functions without end.
    #[error("more than {limit} calls within calls at {form}")]
    TooManyCalls {
        /// The innermost call.
        form: Form,
        /// The limit.
        limit: usize,
    },
    /// `:db/cas` without entity, attribute or new value.
    #[error(":db/cas needs an entity, an attribute and a new value: {form}")]
    InvalidCas {
        /// The call.
        form: Form,
    },
    /// `:db/cas` on an attribute with many values.
    #[error(
        ":db/cas needs an attribute with one value, {attribute} has many{}",
        within(form)
    )]
    InvalidCasMany {
        /// The attribute.
        attribute: Keyword,
        /// The call.
        form: Form,
    },
    /// `:db/cas` found another value.
    #[error(
        "compare failed: {attribute} of {} is {}, not {}{}",
        short(entity),
        short(actual),
        short(expected),
        within(form)
    )]
    CasFailed {
        /// The entity.
        entity: Edn,
        /// The attribute.
        attribute: Keyword,
        /// What the caller expected.
        expected: Box<Edn>,
        /// What is there.
        actual: Box<Edn>,
        /// The call.
        form: Form,
    },
    /// Two facts of the transaction contradict each other.
    #[error(
        "two facts of the transaction contradict each other: {attribute} of {entity} {} and {}{}",
        said(one),
        said(other),
        both(forms)
    )]
    DatomsConflict {
        /// The entity.
        entity: EntityName,
        /// The attribute.
        attribute: Keyword,
        /// A value and whether it is added.
        one: Box<(Value, bool)>,
        /// The other value and whether it is added.
        other: Box<(Value, bool)>,
        /// What was written.
        forms: Box<(Form, Form)>,
    },
    /// Two entities of the transaction claim one unique value.
    #[error(
        "two facts of the transaction contradict each other: {attribute} {} is claimed by {} and \
         {}{}",
        short(&Edn::from(value)),
        entities.0,
        entities.1,
        within(form)
    )]
    UniqueInTransaction {
        /// The attribute.
        attribute: Keyword,
        /// The value.
        value: Value,
        /// The entities.
        entities: (EntityName, EntityName),
        /// What was written of the second one.
        form: Form,
    },
    /// A unique value belongs to another entity.
    #[error(
        "{attribute} {} belongs to {existing} and cannot also be of {asserted}{}",
        short(&Edn::from(value)),
        within(form)
    )]
    UniqueConflict {
        /// The attribute.
        attribute: Keyword,
        /// The value.
        value: Value,
        /// Who holds it.
        existing: EntityName,
        /// Who claims it.
        asserted: EntityName,
        /// What was written of it.
        form: Form,
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
    #[error(
        "only the current transaction can be given a :db/txInstant, not {tx}{}",
        within(form)
    )]
    ResetTxInstant {
        /// The other transaction.
        tx: EntityName,
        /// What was written.
        form: Form,
    },
    /// A definition of an attribute that is not complete or not possible.
    #[error(
        "invalid definition of {}: {}{}",
        named(attribute),
        problem(first),
        within(form)
    )]
    InvalidInstallAttribute {
        /// The attribute, where it has a name.
        attribute: Option<Keyword>,
        /// What is wrong first.
        first: Keyword,
        /// The entity.
        entity: EntityName,
        /// The definition.
        form: Form,
    },
    /// A definition of an attribute that has no name.
    #[error(
        "{entity} is defined as an attribute and has no :db/ident{}",
        within(form)
    )]
    AttributeIdentMissing {
        /// The entity.
        entity: EntityName,
        /// The definition.
        form: Form,
    },
    /// A new entity in the schema's partition that is no part of the schema.
    #[error(
        "only the schema lies in :db.part/db: {entity} has no :db/ident{}",
        within(form)
    )]
    SchemaWithoutInstall {
        /// The entity.
        entity: EntityName,
        /// What was written of it.
        form: Form,
    },
    /// A name that a composite tuple is made of.
    #[error(
        "{ident} cannot name {entity}: composite tuples are made of {holder} by that name{}",
        within(form)
    )]
    CannotRetargetIdent {
        /// The name.
        ident: Keyword,
        /// Who claims it.
        entity: EntityName,
        /// The attribute that it names.
        holder: EntityName,
        /// What was written.
        form: Form,
    },
    /// A change of an attribute that is not possible.
    #[error("{attribute} cannot be altered so: {what}{}", within(form))]
    InvalidAlterAttribute {
        /// The attribute.
        attribute: Keyword,
        /// What is wrong.
        what: Alteration,
        /// What was written.
        form: Form,
    },
    /// A fact of the bootstrap.
    #[error(
        "{attribute} of {entity} cannot be altered: it is part of every database{}",
        within(form)
    )]
    DatomCannotBeAltered {
        /// The entity.
        entity: EntityName,
        /// What was written.
        form: Form,
        /// The attribute.
        attribute: Keyword,
    },
    /// An entity outside of the schema's partition cannot become a part of the schema.
    #[error(
        "{entity} lies outside of :db.part/db and cannot become {}: make a new entity{}",
        installed(directive),
        within(form)
    )]
    NotInSystemPartition {
        /// The entity.
        entity: EntityName,
        /// The directive that says so, where one does.
        directive: Option<Keyword>,
        /// What was written.
        form: Form,
    },
    /// A directive about the schema on another entity than `:db.part/db`.
    #[error(
        "{directive} stands on :db.part/db and nothing else, not on {entity}{}",
        within(form)
    )]
    InvalidDatom {
        /// The directive.
        directive: Keyword,
        /// The entity that it was said of.
        entity: EntityName,
        /// What was written.
        form: Form,
    },
    /// An entity cannot be two kinds of schema elements.
    #[error("{entity} is {is} and cannot also become {becomes}{}", within(form))]
    InvalidElementChange {
        /// The entity.
        entity: EntityName,
        /// What it is.
        is: Element,
        /// What it was to become.
        becomes: Element,
        /// What was written.
        form: Form,
    },
    /// A value type without its parts.
    #[error(
        "{entity} needs :db/ident and :fressian/tag to be a value type{}",
        within(form)
    )]
    InvalidValueType {
        /// The entity.
        entity: EntityName,
        /// What was written.
        form: Form,
    },
    /// A function without its parts.
    #[error(
        "{entity} needs :db/ident, :db/lang and :db/code to be a function; code is not run here: \
         register a Rust function with Connection::register and call it by its symbol{}",
        within(form)
    )]
    InvalidDataFunction {
        /// The entity.
        entity: EntityName,
        /// What was written.
        form: Form,
    },
    /// No value type.
    #[error("{entity} is not a value type{}", within(form))]
    NotAValueType {
        /// The entity.
        entity: EntityName,
        /// The definition.
        form: Form,
    },
    /// No cardinality.
    #[error("{entity} is not a cardinality{}", within(form))]
    NotACardinality {
        /// The entity.
        entity: EntityName,
        /// The definition.
        form: Form,
    },
    /// No partition.
    #[error("{form} is not a partition")]
    NotAPartition {
        /// The form.
        form: Form,
    },
    /// A directive about partitions that is no map.
    #[error("the value of {directive} must be a map, it is {form}")]
    InvalidPartitionMap {
        /// The directive.
        directive: Keyword,
        /// Its value.
        form: Form,
    },
    /// `:db/match-partition` in a circle.
    #[error("partitions are matched in a circle at {}", short(tempid))]
    CycleInAffinity {
        /// A tempid of the circle.
        tempid: Edn,
    },
    /// A value that an attribute's predicate does not accept.
    #[error(
        "{attribute} {} of {entity} failed {predicate}: it gave {}, not true{}",
        short(&Edn::from(value)),
        short(returned),
        within(form)
    )]
    AttrPred {
        /// The entity.
        entity: EntityName,
        /// The attribute.
        attribute: Keyword,
        /// The value.
        value: Value,
        /// The predicate.
        predicate: Symbol,
        /// What it answered instead of true.
        returned: Box<Edn>,
        /// What was written.
        form: Form,
    },
    /// An entity without the attributes of its spec.
    #[error("{entity} lacks {} of spec {spec}{}", list(missing), within(form))]
    EntityAttr {
        /// The entity.
        entity: EntityName,
        /// What it lacks.
        missing: Vec<Keyword>,
        /// The spec.
        spec: EntityName,
        /// What was written.
        form: Form,
    },
    /// An entity that a predicate of its spec does not accept.
    #[error(
        "{entity} failed {predicate} of spec {spec}: it gave {}, not true{}",
        short(returned),
        within(form)
    )]
    EntityPred {
        /// The entity.
        entity: EntityName,
        /// The predicate.
        predicate: Symbol,
        /// The spec.
        spec: EntityName,
        /// What it answered instead of true.
        returned: Box<Edn>,
        /// What was written.
        form: Form,
    },
}

/// Why an attribute cannot be altered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Alteration {
    /// A property that never changes.
    #[error("{property}{} never changes so", is(now))]
    Unsupported {
        /// What it is now; nil where nothing is said.
        now: Box<Edn>,
        /// The property's attribute.
        property: EntityName,
    },
    /// Unique needs an index where there are facts.
    #[error("it has or had facts: make it :db/index true first")]
    UniqueWithoutIndex,
    /// Two entities hold one value.
    #[error("{} is held by {} and {}", short(&Edn::from(value)), entities.0, entities.1)]
    UniqueViolation {
        /// The value.
        value: Value,
        /// The entities.
        entities: (EntityName, EntityName),
    },
    /// An entity holds several values.
    #[error("{entity} has {} values, {} among them", values.len(), first_of(values))]
    CardinalityViolation {
        /// The entity.
        entity: EntityName,
        /// Its values.
        values: Vec<Value>,
    },
    /// A part of a composite tuple has one value.
    #[error("it is part of a composite tuple and must have one value")]
    ConstituentMustBeCardOne,
}

impl From<DbError> for TxError {
    fn from(error: DbError) -> TxError {
        match error {
            DbError::NotAnEntity { form } => TxError::NotAnEntity { form: form.into() },
            DbError::NotAnAttribute { form } => TxError::NotAnAttribute { form: form.into() },
            error => TxError::Db {
                error,
                form: Form::default(),
            },
        }
    }
}

fn installed(directive: &Option<Keyword>) -> String {
    directive.as_ref().map_or_else(
        || "an attribute".into(),
        |directive| format!("what {directive} installs"),
    )
}

/// What is said of one value.
fn said(fact: &(Value, bool)) -> String {
    format!(
        "{} ({})",
        short(&Edn::from(&fact.0)),
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

fn both(forms: &(Form, Form)) -> String {
    match forms.0 == forms.1 {
        true => within(&forms.0),
        false => format!("{} and{}", within(&forms.0), within(&forms.1)),
    }
}

fn listed(before: &str, names: &[Symbol]) -> String {
    let names: Vec<String> = names.iter().map(Symbol::to_string).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("{before}: {}", names.join(", ")),
    }
}

fn first_of(values: &[Value]) -> String {
    values
        .first()
        .map_or_else(String::new, |v| short(&Edn::from(v)))
}

fn is(now: &Edn) -> String {
    match now {
        Edn::Nil => String::new(),
        now => format!(" is {} and", short(now)),
    }
}

fn function_called(function: &Edn) -> String {
    match function {
        Edn::Nil => "a function without a name".into(),
        function => short(function),
    }
}

/// The symbol to register a function under in place of a stored one.
fn symbol_of(function: &Edn) -> String {
    match function {
        Edn::Value(Value::Keyword(name)) => name.as_str().to_owned(),
        Edn::Value(Value::Symbol(name)) => name.to_string(),
        Edn::Value(Value::String(text)) => text.trim_start_matches(':').to_owned(),
        _ => "ns/name".to_owned(),
    }
}

/// What a part of a definition lacks, in words.
fn problem(first: &Keyword) -> &'static str {
    match first.name() {
        "schema-attribute-missing" => "it needs :db/valueType and :db/cardinality",
        "components-must-be-refs" => ":db/isComponent needs :db/valueType :db.type/ref",
        "unique-not-allowed" => "bytes cannot be :db/unique",
        "invalid-tuple-kind" => {
            "a tuple has exactly one of :db/tupleAttrs, :db/tupleTypes and :db/tupleType, and \
             nothing else has one"
        }
        "invalid-tuple-type" => ":db/tupleType must name a type that a slot may have",
        "invalid-tuple-types" => ":db/tupleTypes must be 2 to 8 types that a slot may have",
        "tuple-of-attrs-must-be-card-one" => {
            "a tuple of :db/tupleAttrs must be :db.cardinality/one"
        }
        "invalid-tuple-attrs" => {
            ":db/tupleAttrs must be 2 to 8 attributes with one value each, none of them a tuple"
        }
        _ => "a part is wrong",
    }
}
