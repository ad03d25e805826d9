//! What a fresh database holds: the entities that schema and transactions are made of.
//!
//! Ids, idents and the shape of the first transactions are those of Datomic Pro 1.0.7556: idents
//! 0 to 71, basis t 66, the first user attribute 72, the first user transaction t 1000. The words
//! of `:db/doc` are our own.

use std::sync::Arc;

use datomite_model::{Datom, EntityId, Instant, Keyword, T, Value};
use datomite_storage::{DatabaseId, Record};

use crate::transact::schema::advance;
use crate::{Db, DbError, Options};

/// The t of the first transaction of a user.
pub(crate) const FIRST_T: T = T::new(1000);
/// The id of the first attribute of a user.
pub(crate) const FIRST_ELEMENT: u64 = 72;
/// The transactions that make a fresh database; the last is its basis t.
const BOOT_TS: [u64; 6] = [0, 54, 56, 63, 64, 66];

/// Ids that the pipeline knows by name.
pub(crate) mod id {
    use datomite_model::EntityId;

    macro_rules! ids {
        ($($name:ident = $id:literal),* $(,)?) => {
            $(pub(crate) const $name: EntityId = EntityId::new($id);)*
        };
    }

    ids! {
        PART_DB = 0, ADD = 1, RETRACT = 2, IDENT = 10,
        INSTALL_PARTITION = 11, INSTALL_VALUE_TYPE = 12, INSTALL_ATTRIBUTE = 13,
        INSTALL_FUNCTION = 14, ALTER_ATTRIBUTE = 19, TYPE_REF = 20,
        CARDINALITY_ONE = 35, CARDINALITY_MANY = 36, UNIQUE_VALUE = 37, UNIQUE_IDENTITY = 38,
        TAG = 39, VALUE_TYPE = 40, CARDINALITY = 41, UNIQUE = 42, IS_COMPONENT = 43, INDEX = 44,
        NO_HISTORY = 45, LANG = 46, CODE = 47, TX_INSTANT = 50, FULLTEXT = 51, FN = 52,
        RETRACT_ENTITY = 54, CAS = 55, DOC = 62, TUPLE_TYPE = 65, TUPLE_TYPES = 66,
        TUPLE_ATTRS = 67, ENSURE = 68, ENTITY_ATTRS = 69, ENTITY_PREDS = 70, ATTR_PREDS = 71,
    }
}

/// An entity of the bootstrap: id, ident, and its documentation where it has one.
struct Named(u64, &'static str, &'static str);

/// An attribute of the bootstrap: id, value type, many, further flags.
struct Attr(u64, u64, bool, &'static [Flag]);

enum Flag {
    Identity,
    Index,
    Fulltext,
    /// A tuple of keywords.
    Keywords,
}

const NAMED: &[Named] = &[
    Named(
        0,
        "db.part/db",
        "The partition of schema: attributes, partitions, types, functions.",
    ),
    Named(1, "db/add", "Asserts a fact."),
    Named(2, "db/retract", "Retracts a fact."),
    Named(3, "db.part/tx", "The partition of transactions."),
    Named(
        4,
        "db.part/user",
        "The partition of everything that asks for no other.",
    ),
    Named(7, "db/system-tx", ""),
    Named(8, "db.sys/partiallyIndexed", ""),
    Named(9, "db.sys/reId", ""),
    Named(
        10,
        "db/ident",
        "A name for an entity, unique in the database.",
    ),
    Named(11, "db.install/partition", "Makes an entity a partition."),
    Named(12, "db.install/valueType", "Makes an entity a value type."),
    Named(13, "db.install/attribute", "Makes an entity an attribute."),
    Named(14, "db.install/function", "Makes an entity a function."),
    Named(15, "db/excise", ""),
    Named(16, "db.excise/attrs", ""),
    Named(17, "db.excise/beforeT", ""),
    Named(18, "db.excise/before", ""),
    Named(
        19,
        "db.alter/attribute",
        "Records that an attribute was altered.",
    ),
    Named(20, "db.type/ref", "Another entity."),
    Named(21, "db.type/keyword", "A keyword."),
    Named(22, "db.type/long", "A 64-bit integer."),
    Named(23, "db.type/string", "Text."),
    Named(24, "db.type/boolean", "True or false."),
    Named(25, "db.type/instant", "A point in time."),
    Named(26, "db.type/fn", "A function object."),
    Named(27, "db.type/bytes", "Bytes."),
    Named(35, "db.cardinality/one", "At most one value."),
    Named(36, "db.cardinality/many", "A set of values."),
    Named(
        37,
        "db.unique/value",
        "A value that a second entity cannot take.",
    ),
    Named(
        38,
        "db.unique/identity",
        "A value that names its entity: tempids upsert by it.",
    ),
    Named(39, "fressian/tag", "The tag of a value type."),
    Named(40, "db/valueType", "The type of an attribute's values."),
    Named(41, "db/cardinality", "One value of an attribute, or a set."),
    Named(
        42,
        "db/unique",
        "Whether, and how, an attribute's values are unique.",
    ),
    Named(
        43,
        "db/isComponent",
        "Whether the referenced entity is part of this one.",
    ),
    Named(44, "db/index", "Whether an attribute is in the AVET index."),
    Named(45, "db/noHistory", "Whether past values may be forgotten."),
    Named(46, "db/lang", ""),
    Named(47, "db/code", ""),
    Named(48, "db.lang/clojure", ""),
    Named(49, "db.lang/java", ""),
    Named(50, "db/txInstant", "When a transaction happened."),
    Named(
        51,
        "db/fulltext",
        "Whether an attribute has a fulltext index.",
    ),
    Named(52, "db/fn", "A function object."),
    Named(53, "db.bootstrap/part", ""),
    Named(
        54,
        "db/retractEntity",
        "Retracts all facts about an entity, and its components.",
    ),
    Named(
        55,
        "db/cas",
        "Replaces a value if it is what the caller expects.",
    ),
    Named(56, "db.type/uuid", "A 128-bit identifier."),
    Named(57, "db.type/double", "A 64-bit float."),
    Named(58, "db.type/float", "A 32-bit float."),
    Named(59, "db.type/uri", "A URI."),
    Named(60, "db.type/bigint", "An integer of any size."),
    Named(61, "db.type/bigdec", "A decimal number of any size."),
    Named(62, "db/doc", "Words about an entity."),
    Named(63, "db.type/tuple", "Two to eight values in one."),
    Named(64, "db.type/symbol", "A symbol."),
    Named(65, "db/tupleType", "The type of every slot of a tuple."),
    Named(66, "db/tupleTypes", "The types of a tuple's slots."),
    Named(
        67,
        "db/tupleAttrs",
        "The attributes that a composite tuple is made of.",
    ),
    Named(
        68,
        "db/ensure",
        "Checks an entity against a spec; never stored.",
    ),
    Named(
        69,
        "db.entity/attrs",
        "The attributes that a spec requires.",
    ),
    Named(
        70,
        "db.entity/preds",
        "The predicates that a spec requires.",
    ),
    Named(
        71,
        "db.attr/preds",
        "The predicates that an attribute's values must satisfy.",
    ),
];

/// The first names of the functions. Both names of one are its `:db/ident`.
const OLD_NAMES: &[(u64, &str)] = &[(54, "db.fn/retractEntity"), (55, "db.fn/cas")];

const ATTRS: &[Attr] = &[
    Attr(7, 21, true, &[]),
    Attr(8, 24, false, &[]),
    Attr(9, 20, false, &[]),
    Attr(10, 21, false, &[Flag::Identity]),
    Attr(11, 20, true, &[]),
    Attr(12, 20, true, &[]),
    Attr(13, 20, true, &[]),
    Attr(14, 20, true, &[]),
    Attr(15, 20, false, &[]),
    Attr(16, 20, true, &[]),
    Attr(17, 22, false, &[]),
    Attr(18, 25, false, &[]),
    Attr(19, 20, true, &[]),
    Attr(39, 21, false, &[Flag::Index]),
    Attr(40, 20, false, &[]),
    Attr(41, 20, false, &[]),
    Attr(42, 20, false, &[]),
    Attr(43, 24, false, &[]),
    Attr(44, 24, false, &[]),
    Attr(45, 24, false, &[]),
    Attr(46, 20, false, &[]),
    Attr(47, 23, false, &[Flag::Fulltext]),
    Attr(50, 25, false, &[Flag::Index]),
    Attr(51, 24, false, &[]),
    Attr(52, 26, false, &[]),
    Attr(62, 23, false, &[Flag::Fulltext]),
    Attr(65, 21, false, &[]),
    Attr(66, 63, false, &[Flag::Keywords]),
    Attr(67, 63, false, &[Flag::Keywords]),
    Attr(68, 20, true, &[]),
    Attr(69, 21, true, &[]),
    Attr(70, 64, true, &[]),
    Attr(71, 64, true, &[]),
];

/// A database that holds the bootstrap datoms, ids 0 to 71, and nothing else.
pub(crate) fn bootstrap(id: DatabaseId, options: Arc<Options>) -> Db {
    let mut db = Db::empty(id, options);
    for (at, t) in BOOT_TS.into_iter().enumerate() {
        let next = BOOT_TS.get(at + 1).copied().unwrap_or(FIRST_ELEMENT);
        db = boot_step(&db, T::new(t), t..next).expect("invariant: the bootstrap datoms fit");
    }
    db
}

/// One transaction of the bootstrap: the entities with ids in the range.
fn boot_step(db: &Db, t: T, ids: std::ops::Range<u64>) -> Result<Db, DbError> {
    let mut datoms = Vec::new();
    let mut say = |e: u64, a: EntityId, v: Value| {
        datoms.push(Datom {
            e: EntityId::new(e),
            a,
            v,
            tx: t.tx(),
            added: true,
        });
    };
    say(
        t.tx().raw(),
        id::TX_INSTANT,
        Value::Instant(Instant::from_ms(0)),
    );
    for Named(e, ident, doc) in NAMED.iter().filter(|named| ids.contains(&named.0)) {
        say(*e, id::IDENT, Value::Keyword(Keyword::parse(ident)));
        if !doc.is_empty() {
            say(*e, id::DOC, Value::from(*doc));
        }
        install(*e, ident, &mut say);
    }
    for (e, name) in OLD_NAMES.iter().filter(|_| ids.contains(&0)) {
        say(*e, id::IDENT, Value::Keyword(Keyword::parse(name)));
    }
    for attr in ATTRS.iter().filter(|attr| ids.contains(&attr.0)) {
        define(attr, &mut say);
    }
    let schema = advance(db.schema(), &datoms);
    let record = Record {
        t,
        instant: Instant::from_ms(0),
        next_t: FIRST_T,
        next_element: FIRST_ELEMENT,
        datoms,
        index_changes: Vec::new(),
    };
    db.apply_record(&record, schema)
}

/// Partitions, value types and functions are installed on the database's partition.
fn install(e: u64, ident: &'static str, say: &mut impl FnMut(u64, EntityId, Value)) {
    let how = match ident {
        "db.part/db" | "db.part/tx" | "db.part/user" => id::INSTALL_PARTITION,
        "db/retractEntity" | "db/cas" => {
            say(e, id::CODE, Value::from("built in"));
            id::INSTALL_FUNCTION
        }
        _ => match ident.strip_prefix("db.type/") {
            Some(name) => {
                say(e, id::TAG, Value::Keyword(Keyword::parse(tag(name))));
                id::INSTALL_VALUE_TYPE
            }
            None => return,
        },
    };
    say(id::PART_DB.raw(), how, Value::Ref(EntityId::new(e)));
}

/// The tag of a value type, by its name.
fn tag(name: &'static str) -> &'static str {
    match name {
        "keyword" => "key",
        "long" => "int",
        "boolean" => "bool",
        "instant" => "inst",
        "symbol" => "sym",
        "tuple" => "list",
        "fn" => "datomic/fn",
        name => name,
    }
}

fn define(attr: &Attr, say: &mut impl FnMut(u64, EntityId, Value)) {
    let Attr(e, value_type, many, flags) = attr;
    let cardinality = if *many {
        id::CARDINALITY_MANY
    } else {
        id::CARDINALITY_ONE
    };
    say(*e, id::VALUE_TYPE, Value::Ref(EntityId::new(*value_type)));
    say(*e, id::CARDINALITY, Value::Ref(cardinality));
    for flag in *flags {
        match flag {
            Flag::Identity => say(*e, id::UNIQUE, Value::Ref(id::UNIQUE_IDENTITY)),
            Flag::Index => say(*e, id::INDEX, Value::Boolean(true)),
            Flag::Fulltext => say(*e, id::FULLTEXT, Value::Boolean(true)),
            Flag::Keywords => {
                let slots = Keyword::parse("db.type/keyword");
                say(*e, id::TUPLE_TYPE, Value::Keyword(slots));
            }
        }
    }
    say(
        id::PART_DB.raw(),
        id::INSTALL_ATTRIBUTE,
        Value::Ref(EntityId::new(*e)),
    );
}
