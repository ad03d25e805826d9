//! The few Java methods, static methods, constructors and class names that queries use.

use datomite_model::{Edn, Instant, Symbol, Uri, Value};

use super::number::Number;
use super::numeric::{parse_double, unreadable};
use super::{Builtin, CLASS_TAG, Invocation, Outcome, clj, predicates, strings};
use crate::QueryError;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new(
        ".length",
        "(.length s): UTF-16 units of a string",
        (1, 1),
        |c| Ok(Edn::long(c.text(0)?.encode_utf16().count() as i64)),
    ),
    Builtin::new(
        ".isEmpty",
        "(.isEmpty s): whether a string is empty",
        (1, 1),
        |c| c.bool(c.text(0)?.is_empty()),
    ),
    Builtin::new(".toUpperCase", "(.toUpperCase s)", (1, 1), |c| {
        Ok(Edn::string(&c.text(0)?.to_uppercase()))
    }),
    Builtin::new(".toLowerCase", "(.toLowerCase s)", (1, 1), |c| {
        Ok(Edn::string(&c.text(0)?.to_lowercase()))
    }),
    Builtin::new(".trim", "(.trim s)", (1, 1), |c| {
        Ok(Edn::string(c.text(0)?.trim_matches(|x: char| x <= ' ')))
    }),
    Builtin::new(".startsWith", "(.startsWith s part)", (2, 2), |c| {
        c.bool(c.text(0)?.starts_with(c.text(1)?))
    }),
    Builtin::new(".endsWith", "(.endsWith s part)", (2, 2), |c| {
        c.bool(c.text(0)?.ends_with(c.text(1)?))
    }),
    Builtin::new(
        ".contains",
        "(.contains s part), or of a collection",
        (2, 2),
        |c| match c.edn(0)? {
            Edn::Value(Value::String(text)) => c.bool(text.contains(c.text(1)?)),
            form => match super::call::seq(form) {
                Some(all) => {
                    let wanted = c.edn(1)?;
                    c.bool(all.iter().any(|item| clj::equal(item, wanted)))
                }
                None => Err(c.wrong_type(0, "a string or collection")),
            },
        },
    ),
    Builtin::new(
        ".equalsIgnoreCase",
        "(.equalsIgnoreCase s other)",
        (2, 2),
        |c| c.bool(c.text(0)?.to_lowercase() == c.text(1)?.to_lowercase()),
    ),
    Builtin::new(
        ".indexOf",
        "(.indexOf s part): -1 where it is not",
        (2, 2),
        |c| {
            let (whole, part) = (c.text(0)?, clj::text_of(c.edn(1)?));
            let units = |at: usize| whole[..at].encode_utf16().count() as i64;
            Ok(Edn::long(whole.find(&part).map_or(-1, units)))
        },
    ),
    Builtin::new(
        ".lastIndexOf",
        "(.lastIndexOf s part): -1 where it is not",
        (2, 2),
        |c| {
            let (whole, part) = (c.text(0)?, clj::text_of(c.edn(1)?));
            let units = |at: usize| whole[..at].encode_utf16().count() as i64;
            Ok(Edn::long(whole.rfind(&part).map_or(-1, units)))
        },
    ),
    Builtin::new(".substring", "(.substring s start end?)", (2, 3), |c| {
        let end = if c.len() > 2 { Some(c.long(2)?) } else { None };
        strings::cut(c, c.text(0)?, c.long(1)?, end)
    }),
    Builtin::new(".replace", "(.replace s part with)", (3, 3), |c| {
        let (part, with) = (clj::text_of(c.edn(1)?), clj::text_of(c.edn(2)?));
        let whole = c.text(0)?;
        c.check_text(super::text::replaced_len(whole, &part, &with, usize::MAX))?;
        Ok(Edn::string(&whole.replace(&part, &with)))
    }),
    Builtin::new(
        ".charAt",
        "(.charAt s n): the character at n",
        (2, 2),
        |c| {
            let at = c.long(1)?;
            let found = usize::try_from(at)
                .ok()
                .and_then(|at| c.text(0).ok()?.chars().nth(at));
            found
                .map(Edn::Char)
                .ok_or_else(|| c.wrong_type(1, "a position inside the string"))
        },
    ),
    Builtin::new(".toString", "(.toString x): its text", (1, 1), |c| {
        Ok(Edn::string(&clj::text_of(c.edn(0)?)))
    }),
    Builtin::new(
        ".equals",
        "(.equals x y): of one type and equal",
        (2, 2),
        |c| c.bool(c.edn(0)? == c.edn(1)?),
    ),
    Builtin::new(".compareTo", "(.compareTo x y): as compare", (2, 2), |c| {
        Ok(Edn::long(predicates::java_compare(c.edn(0)?, c.edn(1)?)))
    }),
    Builtin::new(
        ".getTime",
        "(.getTime i): milliseconds since 1970",
        (1, 1),
        |c| Ok(Edn::long(instant(c, 0)?.ms())),
    ),
    Builtin::new(
        ".before",
        "(.before i j): whether i is earlier",
        (2, 2),
        |c| c.bool(instant(c, 0)? < instant(c, 1)?),
    ),
    Builtin::new(".after", "(.after i j): whether i is later", (2, 2), |c| {
        c.bool(instant(c, 0)? > instant(c, 1)?)
    }),
    Builtin::new("Math/abs", "(Math/abs n)", (1, 1), |c| {
        Ok(c.number(0)?.abs().into_edn())
    }),
    Builtin::new(
        "Math/round",
        "(Math/round n): the nearest long, half up",
        (1, 1),
        |c| Ok(Edn::long((c.number(0)?.to_f64() + 0.5).floor() as i64)),
    ),
    Builtin::new("Math/floor", "(Math/floor n)", (1, 1), |c| {
        double(c, f64::floor)
    }),
    Builtin::new("Math/ceil", "(Math/ceil n)", (1, 1), |c| {
        double(c, f64::ceil)
    }),
    Builtin::new("Math/sqrt", "(Math/sqrt n)", (1, 1), |c| {
        double(c, f64::sqrt)
    }),
    Builtin::new("Math/log", "(Math/log n)", (1, 1), |c| double(c, f64::ln)),
    Builtin::new("Math/log10", "(Math/log10 n)", (1, 1), |c| {
        double(c, f64::log10)
    }),
    Builtin::new("Math/exp", "(Math/exp n)", (1, 1), |c| double(c, f64::exp)),
    Builtin::new("Math/sin", "(Math/sin n)", (1, 1), |c| double(c, f64::sin)),
    Builtin::new("Math/cos", "(Math/cos n)", (1, 1), |c| double(c, f64::cos)),
    Builtin::new("Math/pow", "(Math/pow n m)", (2, 2), |c| {
        let power = c.number(1)?.to_f64();
        Ok(Number::Double(c.number(0)?.to_f64().powf(power)).into_edn())
    }),
    Builtin::new("Math/max", "(Math/max n m)", (2, 2), |c| {
        pick(c, std::cmp::Ordering::Greater)
    }),
    Builtin::new("Math/min", "(Math/min n m)", (2, 2), |c| {
        pick(c, std::cmp::Ordering::Less)
    }),
    Builtin::new("Long/parseLong", "(Long/parseLong s)", (1, 1), parse_long),
    Builtin::new("Long/valueOf", "(Long/valueOf s)", (1, 1), parse_long),
    Builtin::new("Integer/parseInt", "(Integer/parseInt s)", (1, 1), |c| {
        let text = c.text(0)?;
        let number: Result<i32, _> = text.parse();
        number
            .map(|n| Edn::long(i64::from(n)))
            .map_err(|_| unreadable(c, text))
    }),
    Builtin::new(
        "Double/parseDouble",
        "(Double/parseDouble s)",
        (1, 1),
        |c| {
            let text = c.text(0)?;
            let number = parse_double(text).map(|n| Number::Double(n).into_edn());
            number.ok_or_else(|| unreadable(c, text))
        },
    ),
    Builtin::new("String/valueOf", "(String/valueOf x)", (1, 1), |c| {
        Ok(Edn::string(&clj::text_of(c.edn(0)?)))
    }),
    Builtin::new("java.util.Date.", "(java.util.Date. ms)", (1, 1), |c| {
        Ok(Edn::Value(Value::Instant(Instant::from_ms(c.long(0)?))))
    }),
    Builtin::new("Long.", "(Long. s)", (1, 1), parse_long),
    Builtin::new("java.net.URI.", "(java.net.URI. s)", (1, 1), |c| {
        Ok(Edn::Value(Value::Uri(Uri::new(c.text(0)?))))
    }),
];

fn instant(c: &Invocation<'_>, at: usize) -> Result<Instant, QueryError> {
    match c.edn(at)? {
        Edn::Value(Value::Instant(instant)) => Ok(*instant),
        _ => Err(c.wrong_type(at, "an instant")),
    }
}

fn double(c: &Invocation<'_>, function: fn(f64) -> f64) -> Outcome {
    Ok(Number::Double(function(c.number(0)?.to_f64())).into_edn())
}

fn pick(c: &Invocation<'_>, wanted: std::cmp::Ordering) -> Outcome {
    let first = c.number(0)?.compare(&c.number(1)?) == wanted;
    c.edn(usize::from(!first)).cloned()
}

fn parse_long(c: &Invocation<'_>) -> Outcome {
    if let form @ Edn::Value(Value::Long(_)) = c.edn(0)? {
        return Ok(form.clone());
    }
    let text = c.text(0)?;
    text.parse().map(Edn::long).map_err(|_| unreadable(c, text))
}

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
    ("java.util.List", "java.util.List"),
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
    Some(Edn::Tagged(
        Symbol::parse(CLASS_TAG),
        Box::new(Edn::string(full)),
    ))
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
    Ok(match name {
        "java.lang.Object" => !form.is_nil(),
        "java.lang.Number" => Number::of(form).is_some(),
        "java.lang.CharSequence" => form.as_str().is_some(),
        "java.lang.Comparable" => clj::rank(form) != 0 && clj::rank(form) < 14,
        "java.util.List" => clj::elements(form).is_some(),
        "java.util.Map" => matches!(form, Edn::Map(_)),
        "java.util.Set" => matches!(form, Edn::Set(_)),
        name => class_of(form) == Some(name),
    })
}
