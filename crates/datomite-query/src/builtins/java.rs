//! Java's classes as values: names, constants, what is an instance of what.

use datomite_model::{BigDec, Edn, Symbol, Value};

use super::number::Number;
use super::{Builtin, CLASS_TAG, Invocation, Outcome, clj};
use crate::QueryError;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new(
        "class",
        "(class x): the Java class of x, or nil",
        (1, 1),
        class,
    ),
    Builtin::new("type", "(type x): the same as class", (1, 1), class),
    Builtin::new(
        "class?",
        "(class? x): whether x is a Java class",
        (1, 1),
        |c| c.bool(matches!(c.args[0], super::Arg::Edn(form) if is_class(form))),
    ),
    Builtin::new(
        "cast",
        "(cast class x): x, or an error if it is not of a class",
        (2, 2),
        |c| {
            if c.edn(1)?.is_nil() || is_instance(c, c.edn(0)?, c.edn(1)?)? {
                return c.edn(1).cloned();
            }
            Err(c.wrong_type(1, "an instance of the class"))
        },
    ),
    Builtin::new(
        "isa?",
        "(isa? x y): whether they are equal, or class x extends class y",
        (2, 2),
        |c| {
            let (child, parent) = (c.edn(0)?, c.edn(1)?);
            let number = |form: &Edn| match form {
                Edn::Tagged(_, inner) => inner.as_str().is_some_and(is_number_class),
                _ => false,
            };
            let object = class_named(&Symbol::parse("Object"));
            let numbers = class_named(&Symbol::parse("Number"));
            c.bool(
                clj::equal(child, parent)
                    || (Some(parent) == object.as_ref() && matches!(child, Edn::Tagged(..)))
                    || (Some(parent) == numbers.as_ref() && number(child)),
            )
        },
    ),
];

fn class(c: &Invocation<'_>) -> Outcome {
    let form = c.edn(0)?;
    let name = match form {
        Edn::Tagged(tag, _) if tag.as_str() == CLASS_TAG => Some("java.lang.Class"),
        Edn::List(items) if items.is_empty() => Some("clojure.lang.PersistentList$EmptyList"),
        Edn::Map(entries) if entries.len() > 8 => Some("clojure.lang.PersistentHashMap"),
        form => class_of(form),
    };
    Ok(name.map_or(Edn::Nil, class_value))
}

fn is_class(form: &Edn) -> bool {
    matches!(form, Edn::Tagged(tag, _) if tag.as_str() == CLASS_TAG)
}

fn class_value(name: &str) -> Edn {
    Edn::Tagged(Symbol::parse(CLASS_TAG), Box::new(Edn::string(name)))
}

fn is_number_class(name: &str) -> bool {
    [
        "java.lang.Long",
        "java.lang.Integer",
        "java.lang.Short",
        "java.lang.Byte",
        "java.lang.Double",
        "java.lang.Float",
        "java.math.BigDecimal",
        "java.math.BigInteger",
        "clojure.lang.BigInt",
        "clojure.lang.Ratio",
        "java.lang.Number",
    ]
    .contains(&name)
}

/// The constants of Java's classes.
pub(super) fn constant_named(symbol: &Symbol) -> Option<Edn> {
    let name = symbol.as_str();
    let name = name.strip_prefix("java.lang.").unwrap_or(name);
    let double = |n: f64| Edn::Value(Value::Double(n));
    let float = |n: f32| Edn::Value(Value::Float(n));
    Some(match name {
        "Long/MAX_VALUE" => Edn::long(i64::MAX),
        "Long/MIN_VALUE" => Edn::long(i64::MIN),
        "Integer/MAX_VALUE" => Edn::long(i64::from(i32::MAX)),
        "Integer/MIN_VALUE" => Edn::long(i64::from(i32::MIN)),
        "Short/MAX_VALUE" => Edn::long(i64::from(i16::MAX)),
        "Short/MIN_VALUE" => Edn::long(i64::from(i16::MIN)),
        "Byte/MAX_VALUE" => Edn::long(i64::from(i8::MAX)),
        "Byte/MIN_VALUE" => Edn::long(i64::from(i8::MIN)),
        "Double/MAX_VALUE" => double(f64::MAX),
        "Double/MIN_VALUE" => double(f64::from_bits(1)),
        "Double/NaN" => double(f64::NAN),
        "Double/POSITIVE_INFINITY" => double(f64::INFINITY),
        "Double/NEGATIVE_INFINITY" => double(f64::NEG_INFINITY),
        "Float/MAX_VALUE" => float(f32::MAX),
        "Float/MIN_VALUE" => float(f32::from_bits(1)),
        "Float/NaN" => float(f32::NAN),
        "Float/POSITIVE_INFINITY" => float(f32::INFINITY),
        "Float/NEGATIVE_INFINITY" => float(f32::NEG_INFINITY),
        "Math/PI" | "clojure.math/PI" => double(std::f64::consts::PI),
        "Math/E" | "clojure.math/E" => double(std::f64::consts::E),
        "Boolean/TRUE" => Edn::Value(Value::Boolean(true)),
        "Boolean/FALSE" => Edn::Value(Value::Boolean(false)),
        "BigDecimal/ZERO" | "java.math.BigDecimal/ZERO" => {
            Number::dec(BigDec::new(0.into(), 0)).into_edn()
        }
        "BigDecimal/ONE" | "java.math.BigDecimal/ONE" => {
            Number::dec(BigDec::new(1.into(), 0)).into_edn()
        }
        "BigDecimal/TEN" | "java.math.BigDecimal/TEN" => {
            Number::dec(BigDec::new(10.into(), 0)).into_edn()
        }
        "BigInteger/ZERO" | "java.math.BigInteger/ZERO" => Number::big(0.into()).into_edn(),
        "BigInteger/ONE" | "java.math.BigInteger/ONE" => Number::big(1.into()).into_edn(),
        "BigInteger/TEN" | "java.math.BigInteger/TEN" => Number::big(10.into()).into_edn(),
        _ => {
            let mode = name.strip_prefix("java.math.RoundingMode/")?;
            return MODES.contains(&mode).then(|| Edn::symbol(name));
        }
    })
}

/// Java's ways to round.
const MODES: &[&str] = &[
    "UP",
    "DOWN",
    "CEILING",
    "FLOOR",
    "HALF_UP",
    "HALF_DOWN",
    "HALF_EVEN",
    "UNNECESSARY",
];

/// Classes by the names that queries give them.
const CLASSES: &[(&str, &str)] = &[
    ("String", "java.lang.String"),
    ("Long", "java.lang.Long"),
    ("Integer", "java.lang.Integer"),
    ("Double", "java.lang.Double"),
    ("Float", "java.lang.Float"),
    ("Boolean", "java.lang.Boolean"),
    ("Character", "java.lang.Character"),
    ("Number", "java.lang.Number"),
    ("Object", "java.lang.Object"),
    ("Comparable", "java.lang.Comparable"),
    ("CharSequence", "java.lang.CharSequence"),
    ("BigDecimal", "java.math.BigDecimal"),
    ("BigInteger", "java.math.BigInteger"),
    ("java.util.Date", "java.util.Date"),
    ("java.util.UUID", "java.util.UUID"),
    ("java.net.URI", "java.net.URI"),
    ("Short", "java.lang.Short"),
    ("Byte", "java.lang.Byte"),
    ("Class", "java.lang.Class"),
    ("Iterable", "java.lang.Iterable"),
    ("java.util.List", "java.util.List"),
    ("java.util.Collection", "java.util.Collection"),
    ("clojure.lang.IPersistentMap", "clojure.lang.IPersistentMap"),
    (
        "clojure.lang.IPersistentVector",
        "clojure.lang.IPersistentVector",
    ),
    ("clojure.lang.IPersistentSet", "clojure.lang.IPersistentSet"),
    (
        "clojure.lang.IPersistentCollection",
        "clojure.lang.IPersistentCollection",
    ),
    (
        "clojure.lang.PersistentVector",
        "clojure.lang.PersistentVector",
    ),
    (
        "clojure.lang.PersistentArrayMap",
        "clojure.lang.PersistentArrayMap",
    ),
    (
        "clojure.lang.PersistentHashSet",
        "clojure.lang.PersistentHashSet",
    ),
    ("clojure.lang.PersistentList", "clojure.lang.PersistentList"),
    ("clojure.lang.ISeq", "clojure.lang.ISeq"),
    ("clojure.lang.Sequential", "clojure.lang.Sequential"),
    ("clojure.lang.Seqable", "clojure.lang.Seqable"),
    ("clojure.lang.Counted", "clojure.lang.Counted"),
    ("clojure.lang.Associative", "clojure.lang.Associative"),
    ("clojure.lang.IFn", "clojure.lang.IFn"),
    ("clojure.lang.Named", "clojure.lang.Named"),
    ("java.util.Map", "java.util.Map"),
    ("java.util.Set", "java.util.Set"),
    ("clojure.lang.Keyword", "clojure.lang.Keyword"),
    ("clojure.lang.Symbol", "clojure.lang.Symbol"),
    ("clojure.lang.BigInt", "clojure.lang.BigInt"),
    ("clojure.lang.Ratio", "clojure.lang.Ratio"),
];

/// The class of that name, as a value.
pub(super) fn class_named(symbol: &Symbol) -> Option<Edn> {
    let name = symbol.as_str();
    let (_, full) = CLASSES
        .iter()
        .find(|(short, full)| *short == name || *full == name)?;
    Some(class_value(full))
}

/// The Java class that a form would be of.
pub(super) fn class_of(form: &Edn) -> Option<&'static str> {
    Some(match form {
        Edn::Char(_) => "java.lang.Character",
        Edn::Ratio(_) => "clojure.lang.Ratio",
        Edn::List(_) => "clojure.lang.PersistentList",
        Edn::Vector(_) => "clojure.lang.PersistentVector",
        Edn::Map(_) => "clojure.lang.PersistentArrayMap",
        Edn::Set(_) => "clojure.lang.PersistentHashSet",
        Edn::Value(value) => match value {
            Value::String(_) => "java.lang.String",
            Value::Boolean(_) => "java.lang.Boolean",
            Value::Long(_) | Value::Ref(_) => "java.lang.Long",
            Value::BigInt(_) => "clojure.lang.BigInt",
            Value::Float(_) => "java.lang.Float",
            Value::Double(_) => "java.lang.Double",
            Value::BigDec(_) => "java.math.BigDecimal",
            Value::Instant(_) => "java.util.Date",
            Value::Keyword(_) => "clojure.lang.Keyword",
            Value::Symbol(_) => "clojure.lang.Symbol",
            Value::Uuid(_) => "java.util.UUID",
            Value::Uri(_) => "java.net.URI",
            Value::Bytes(_) => "[B",
            Value::Tuple(_) => "clojure.lang.PersistentVector",
            _ => return None,
        },
        _ => return None,
    })
}

/// Whether a form would be of a class, or of one that extends it.
pub(super) fn is_instance(c: &Invocation<'_>, class: &Edn, form: &Edn) -> Result<bool, QueryError> {
    let name = match class {
        Edn::Tagged(tag, inner) if tag.as_str() == CLASS_TAG => inner.as_str(),
        _ => None,
    };
    let Some(name) = name else {
        return Err(c.wrong_type(0, "a class"));
    };
    let list = matches!(form, Edn::List(_));
    let vector = clj::elements(form).is_some() && !list;
    let (map, set) = (matches!(form, Edn::Map(_)), matches!(form, Edn::Set(_)));
    let value = matches!(form, Edn::Value(_) | Edn::Char(_) | Edn::Ratio(_));
    let named = matches!(form, Edn::Value(Value::Keyword(_) | Value::Symbol(_)));
    let bytes = matches!(form, Edn::Value(Value::Bytes(_)));
    Ok(match name {
        "java.lang.Object" => !form.is_nil(),
        "java.lang.Class" => matches!(form, Edn::Tagged(tag, _) if tag.as_str() == CLASS_TAG),
        "java.lang.Number" => Number::of(form).is_some(),
        "java.lang.CharSequence" => form.as_str().is_some(),
        "java.lang.Comparable" => {
            vector || (value && !bytes && class_of(form) != Some("clojure.lang.BigInt"))
        }
        "java.lang.Iterable"
        | "clojure.lang.IPersistentCollection"
        | "clojure.lang.Seqable"
        | "clojure.lang.Counted" => list || vector || map || set,
        "java.util.Collection" => list || vector || set,
        "java.util.List" | "clojure.lang.Sequential" => list || vector,
        "clojure.lang.ISeq" => list,
        "java.util.Map" | "clojure.lang.IPersistentMap" => map,
        "java.util.Set" | "clojure.lang.IPersistentSet" => set,
        "clojure.lang.IPersistentVector" => vector,
        "clojure.lang.Associative" => map || vector,
        "clojure.lang.IFn" => map || vector || set || named,
        "clojure.lang.Named" => named,
        name => class_of(form) == Some(name),
    })
}
