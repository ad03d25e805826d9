//! Comparisons and tests of type.
//!
//! `<` and its kin are Datomic's: two arguments, a total order over all forms. NaN is equal to NaN
//! and before every number.

use std::cmp::Ordering;

use datomite_model::{Edn, Value};

use super::number::{Family, Number};
use super::{Arg, Builtin, Invocation, MANY, Outcome, clj, java};

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new(
        "=",
        "(= x y*): whether all are equal, as Clojure has it",
        (1, MANY),
        |c| c.bool(all_equal(c)?),
    ),
    Builtin::new(
        "not=",
        "(not= x y*): whether they are not all equal",
        (1, MANY),
        |c| c.bool(!all_equal(c)?),
    ),
    Builtin::new("!=", "(!= x y*): the same as not=", (1, MANY), |c| {
        c.bool(!all_equal(c)?)
    }),
    Builtin::new(
        "<",
        "(< x y): whether x comes before y, whatever their types",
        (2, 2),
        |c| c.bool(order(c, Ordering::is_lt)?),
    ),
    Builtin::new(
        "<=",
        "(<= x y): whether x comes before y or is equal",
        (2, 2),
        |c| c.bool(order(c, Ordering::is_le)?),
    ),
    Builtin::new(">", "(> x y): whether x comes after y", (2, 2), |c| {
        c.bool(order(c, Ordering::is_gt)?)
    }),
    Builtin::new(
        ">=",
        "(>= x y): whether x comes after y or is equal",
        (2, 2),
        |c| c.bool(order(c, Ordering::is_ge)?),
    ),
    Builtin::new(
        "compare",
        "(compare x y): negative, zero or positive",
        (2, 2),
        |c| Ok(Edn::long(java_compare(c.edn(0)?, c.edn(1)?))),
    ),
    Builtin::new(
        "identical?",
        "(identical? x y): whether they are the same",
        (2, 2),
        |c| c.bool(identical(c)?),
    ),
    Builtin::new("not", "(not x): true for nil and false", (1, 1), |c| {
        c.bool(matches!(c.args[0], Arg::Edn(form) if !clj::is_true(form)))
    }),
    Builtin::new(
        "boolean",
        "(boolean x): false for nil and false",
        (1, 1),
        |c| c.bool(clj::is_true(c.edn(0)?)),
    ),
    Builtin::new("identity", "(identity x): x", (1, 1), |c| c.edn(0).cloned()),
    Builtin::new("nil?", "(nil? x): whether x is nil", (1, 1), |c| {
        c.bool(c.edn(0)?.is_nil())
    }),
    Builtin::new("some?", "(some? x): whether x is not nil", (1, 1), |c| {
        c.bool(!c.edn(0)?.is_nil())
    }),
    Builtin::new("any?", "(any? x): true", (1, 1), |c| c.bool(true)),
    Builtin::new("true?", "(true? x): whether x is true", (1, 1), |c| {
        is(c, |form| matches!(form, Edn::Value(Value::Boolean(true))))
    }),
    Builtin::new("false?", "(false? x): whether x is false", (1, 1), |c| {
        is(c, |form| matches!(form, Edn::Value(Value::Boolean(false))))
    }),
    Builtin::new(
        "boolean?",
        "(boolean? x): whether x is true or false",
        (1, 1),
        |c| is(c, |form| matches!(form, Edn::Value(Value::Boolean(_)))),
    ),
    Builtin::new(
        "string?",
        "(string? x): whether x is a string",
        (1, 1),
        |c| is(c, |form| matches!(form, Edn::Value(Value::String(_)))),
    ),
    Builtin::new(
        "char?",
        "(char? x): whether x is a character",
        (1, 1),
        |c| is(c, |form| matches!(form, Edn::Char(_))),
    ),
    Builtin::new(
        "keyword?",
        "(keyword? x): whether x is a keyword",
        (1, 1),
        |c| is(c, |form| matches!(form, Edn::Value(Value::Keyword(_)))),
    ),
    Builtin::new(
        "symbol?",
        "(symbol? x): whether x is a symbol",
        (1, 1),
        |c| is(c, |form| matches!(form, Edn::Value(Value::Symbol(_)))),
    ),
    Builtin::new(
        "ident?",
        "(ident? x): whether x is a keyword or symbol",
        (1, 1),
        |c| {
            is(c, |form| {
                matches!(form, Edn::Value(Value::Keyword(_) | Value::Symbol(_)))
            })
        },
    ),
    Builtin::new(
        "qualified-keyword?",
        "(qualified-keyword? x): :ns/name",
        (1, 1),
        |c| {
            is(c, |form| {
                form.as_keyword().is_some_and(|k| k.namespace().is_some())
            })
        },
    ),
    Builtin::new(
        "simple-keyword?",
        "(simple-keyword? x): :name",
        (1, 1),
        |c| {
            is(c, |form| {
                form.as_keyword().is_some_and(|k| k.namespace().is_none())
            })
        },
    ),
    Builtin::new(
        "qualified-symbol?",
        "(qualified-symbol? x): ns/name",
        (1, 1),
        |c| {
            is(c, |form| {
                form.as_symbol().is_some_and(|s| s.namespace().is_some())
            })
        },
    ),
    Builtin::new("simple-symbol?", "(simple-symbol? x): name", (1, 1), |c| {
        is(c, |form| {
            form.as_symbol().is_some_and(|s| s.namespace().is_none())
        })
    }),
    Builtin::new(
        "qualified-ident?",
        "(qualified-ident? x): with a namespace",
        (1, 1),
        |c| {
            is(c, |form| {
                form.as_keyword().is_some_and(|k| k.namespace().is_some())
                    || form.as_symbol().is_some_and(|s| s.namespace().is_some())
            })
        },
    ),
    Builtin::new(
        "number?",
        "(number? x): whether x is a number",
        (1, 1),
        |c| is(c, |form| Number::of(form).is_some()),
    ),
    Builtin::new(
        "integer?",
        "(integer? x): whether x is a long or bigint",
        (1, 1),
        |c| {
            is(c, |form| {
                Number::of(form).is_some_and(|n| n.family() == Family::Integer)
            })
        },
    ),
    Builtin::new("int?", "(int? x): whether x is a long", (1, 1), |c| {
        is(c, |form| form.as_long().is_some())
    }),
    Builtin::new(
        "nat-int?",
        "(nat-int? x): whether x is a long from zero on",
        (1, 1),
        |c| is(c, |form| form.as_long().is_some_and(|n| n >= 0)),
    ),
    Builtin::new(
        "pos-int?",
        "(pos-int? x): whether x is a long above zero",
        (1, 1),
        |c| is(c, |form| form.as_long().is_some_and(|n| n > 0)),
    ),
    Builtin::new(
        "neg-int?",
        "(neg-int? x): whether x is a long below zero",
        (1, 1),
        |c| is(c, |form| form.as_long().is_some_and(|n| n < 0)),
    ),
    Builtin::new("ratio?", "(ratio? x): whether x is a ratio", (1, 1), |c| {
        is(c, |form| matches!(form, Edn::Ratio(_)))
    }),
    Builtin::new(
        "rational?",
        "(rational? x): whether x is an exact number",
        (1, 1),
        |c| {
            is(c, |form| {
                Number::of(form).is_some_and(|n| n.family() != Family::Floating)
            })
        },
    ),
    Builtin::new(
        "decimal?",
        "(decimal? x): whether x is a bigdec",
        (1, 1),
        |c| is(c, |form| matches!(form, Edn::Value(Value::BigDec(_)))),
    ),
    Builtin::new(
        "double?",
        "(double? x): whether x is a double",
        (1, 1),
        |c| is(c, |form| matches!(form, Edn::Value(Value::Double(_)))),
    ),
    Builtin::new(
        "float?",
        "(float? x): whether x is a double or float",
        (1, 1),
        |c| {
            is(c, |form| {
                matches!(form, Edn::Value(Value::Double(_) | Value::Float(_)))
            })
        },
    ),
    Builtin::new("zero?", "(zero? n): whether n is zero", (1, 1), |c| {
        sign(c, Ordering::is_eq)
    }),
    Builtin::new("pos?", "(pos? n): whether n is above zero", (1, 1), |c| {
        sign(c, Ordering::is_gt)
    }),
    Builtin::new("neg?", "(neg? n): whether n is below zero", (1, 1), |c| {
        sign(c, Ordering::is_lt)
    }),
    Builtin::new(
        "even?",
        "(even? n): whether a whole number is even",
        (1, 1),
        |c| parity(c, true),
    ),
    Builtin::new(
        "odd?",
        "(odd? n): whether a whole number is odd",
        (1, 1),
        |c| parity(c, false),
    ),
    Builtin::new("NaN?", "(NaN? n): whether n is not a number", (1, 1), |c| {
        c.bool(matches!(c.number(0)?, Number::Double(n) if n.is_nan()))
    }),
    Builtin::new(
        "infinite?",
        "(infinite? n): whether n is infinite",
        (1, 1),
        |c| c.bool(matches!(c.number(0)?, Number::Double(n) if n.is_infinite())),
    ),
    Builtin::new(
        "vector?",
        "(vector? x): whether x is a vector",
        (1, 1),
        |c| {
            is(c, |form| {
                matches!(form, Edn::Vector(_) | Edn::Value(Value::Tuple(_)))
            })
        },
    ),
    Builtin::new(
        "clojure.core/compare",
        "(clojure.core/compare x y): Clojure's own, of numbers or one type",
        (2, 2),
        |c| match clojure_compare(c.edn(0)?, c.edn(1)?) {
            Some(order) => Ok(Edn::long(order)),
            None => Err(c.wrong_type(1, "two numbers, or two of one type")),
        },
    ),
    Builtin::new(
        "simple-ident?",
        "(simple-ident? x): a name without a namespace",
        (1, 1),
        |c| {
            is(c, |form| {
                form.as_keyword().is_some_and(|k| k.namespace().is_none())
                    || form.as_symbol().is_some_and(|s| s.namespace().is_none())
            })
        },
    ),
    Builtin::new(
        "counted?",
        "(counted? x): whether x is a collection",
        (1, 1),
        |c| {
            is(c, |form| {
                clj::elements(form).is_some() || matches!(form, Edn::Map(_) | Edn::Set(_))
            })
        },
    ),
    Builtin::new(
        "indexed?",
        "(indexed? x): whether x is a vector",
        (1, 1),
        |c| is(c, is_vector),
    ),
    Builtin::new(
        "reversible?",
        "(reversible? x): whether x is a vector",
        (1, 1),
        |c| is(c, is_vector),
    ),
    Builtin::new(
        "seqable?",
        "(seqable? x): whether x has elements",
        (1, 1),
        |c| is(c, |form| super::call::seq(form).is_some()),
    ),
    Builtin::new("sorted?", "(sorted? x): false", (1, 1), |c| {
        is(c, |_| false)
    }),
    Builtin::new("map-entry?", "(map-entry? x): false", (1, 1), |c| {
        is(c, |_| false)
    }),
    Builtin::new("record?", "(record? x): false", (1, 1), |c| {
        is(c, |_| false)
    }),
    Builtin::new("chunked-seq?", "(chunked-seq? x): false", (1, 1), |c| {
        is(c, |_| false)
    }),
    Builtin::new("var?", "(var? x): false", (1, 1), |c| is(c, |_| false)),
    Builtin::new("delay?", "(delay? x): false", (1, 1), |c| is(c, |_| false)),
    Builtin::new("future?", "(future? x): false", (1, 1), |c| {
        is(c, |_| false)
    }),
    Builtin::new("volatile?", "(volatile? x): false", (1, 1), |c| {
        is(c, |_| false)
    }),
    Builtin::new(
        "reader-conditional?",
        "(reader-conditional? x): false",
        (1, 1),
        |c| is(c, |_| false),
    ),
    Builtin::new(
        "tagged-literal?",
        "(tagged-literal? x): whether x is a tagged form",
        (1, 1),
        |c| {
            is(c, |form| {
                matches!(form, Edn::Tagged(tag, _)
                    if ![super::CLASS_TAG, super::REGEX_TAG].contains(&tag.as_str()))
            })
        },
    ),
    Builtin::new(
        "tagged-literal",
        "(tagged-literal tag x): a tagged form",
        (2, 2),
        |c| match c.edn(0)? {
            Edn::Value(Value::Symbol(tag)) => {
                Ok(Edn::Tagged(tag.clone(), Box::new(c.edn(1)?.clone())))
            }
            _ => Err(c.wrong_type(0, "a symbol")),
        },
    ),
    Builtin::new(
        "special-symbol?",
        "(special-symbol? x): whether x names a special form of Clojure",
        (1, 1),
        |c| {
            is(c, |form| {
                form.as_symbol()
                    .is_some_and(|symbol| SPECIAL.contains(&symbol.as_str()))
            })
        },
    ),
    Builtin::new("ex-message", "(ex-message x): nil", (1, 1), |_| {
        Ok(Edn::Nil)
    }),
    Builtin::new("ex-data", "(ex-data x): nil", (1, 1), |_| Ok(Edn::Nil)),
    Builtin::new("list?", "(list? x): whether x is a list", (1, 1), |c| {
        is(c, |form| matches!(form, Edn::List(_)))
    }),
    Builtin::new("seq?", "(seq? x): whether x is a list", (1, 1), |c| {
        is(c, |form| matches!(form, Edn::List(_)))
    }),
    Builtin::new("map?", "(map? x): whether x is a map", (1, 1), |c| {
        is(c, |form| matches!(form, Edn::Map(_)))
    }),
    Builtin::new("set?", "(set? x): whether x is a set", (1, 1), |c| {
        is(c, |form| matches!(form, Edn::Set(_)))
    }),
    Builtin::new(
        "sequential?",
        "(sequential? x): whether x is a list or vector",
        (1, 1),
        |c| is(c, |form| clj::elements(form).is_some()),
    ),
    Builtin::new(
        "coll?",
        "(coll? x): whether x is a collection",
        (1, 1),
        |c| {
            is(c, |form| {
                clj::elements(form).is_some() || matches!(form, Edn::Map(_) | Edn::Set(_))
            })
        },
    ),
    Builtin::new(
        "associative?",
        "(associative? x): a map or vector",
        (1, 1),
        |c| {
            is(c, |form| {
                matches!(
                    form,
                    Edn::Map(_) | Edn::Vector(_) | Edn::Value(Value::Tuple(_))
                )
            })
        },
    ),
    Builtin::new("uuid?", "(uuid? x): whether x is a uuid", (1, 1), |c| {
        is(c, |form| matches!(form, Edn::Value(Value::Uuid(_))))
    }),
    Builtin::new("inst?", "(inst? x): whether x is an instant", (1, 1), |c| {
        is(c, |form| matches!(form, Edn::Value(Value::Instant(_))))
    }),
    Builtin::new("uri?", "(uri? x): whether x is a URI", (1, 1), |c| {
        is(c, |form| matches!(form, Edn::Value(Value::Uri(_))))
    }),
    Builtin::new("bytes?", "(bytes? x): whether x is bytes", (1, 1), |c| {
        is(c, |form| matches!(form, Edn::Value(Value::Bytes(_))))
    }),
    Builtin::new("ifn?", "(ifn? x): whether x can be called", (1, 1), |c| {
        c.bool(match c.args[0] {
            Arg::Function(_) => true,
            Arg::Edn(form) => super::Callable::is_callable(form),
            _ => false,
        })
    }),
    Builtin::new("fn?", "(fn? x): whether x is a function", (1, 1), |c| {
        c.bool(matches!(c.args[0], Arg::Function(_)))
    }),
    Builtin::new(
        "instance?",
        "(instance? class x): whether x is of a Java class",
        (2, 2),
        |c| c.bool(java::is_instance(c, c.edn(0)?, c.edn(1)?)?),
    ),
];

const SPECIAL: &[&str] = &[
    "if",
    "do",
    "let*",
    "fn*",
    "loop*",
    "recur",
    "quote",
    "var",
    "def",
    "case*",
    "try",
    "catch",
    "finally",
    "throw",
    "new",
    ".",
    "set!",
    "&",
    "letfn*",
    "deftype*",
    "reify*",
    "import*",
    "monitor-enter",
    "monitor-exit",
    "clojure.core/import*",
];

fn is_vector(form: &Edn) -> bool {
    matches!(form, Edn::Vector(_) | Edn::Value(Value::Tuple(_)))
}

fn all_equal(c: &Invocation<'_>) -> Result<bool, crate::QueryError> {
    let first = c.edn(0)?;
    for at in 1..c.len() {
        if !clj::equal(first, c.edn(at)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the two stand in such an order. NaN stands in none with another number.
fn order(c: &Invocation<'_>, wanted: fn(Ordering) -> bool) -> Result<bool, crate::QueryError> {
    let (a, b) = (c.edn(0)?, c.edn(1)?);
    let one_nan = is_nan(a) != is_nan(b) && clj::rank(a) == clj::rank(b);
    Ok(!one_nan && wanted(datomic_order(a, b)))
}

/// Datomic's order of two: the total one, but that a double is compared as doubles are, and URIs
/// as Java has them.
fn datomic_order(a: &Edn, b: &Edn) -> Ordering {
    match (Number::of(a), Number::of(b)) {
        (Some(x), Some(y)) => match x.order(&y) {
            Ok(Some(order)) => order,
            _ => x.compare(&y),
        },
        _ if matches!(a, Edn::Value(Value::Uri(_))) && clj::equal(a, b) => Ordering::Equal,
        _ => clj::compare(a, b),
    }
}

/// Whether two are one: the same argument, or a value of which there is only one.
fn identical(c: &Invocation<'_>) -> Result<bool, crate::QueryError> {
    let (Arg::Edn(a), Arg::Edn(b)) = (c.args[0], c.args[1]) else {
        return Ok(false);
    };
    let only_one = match a {
        Edn::Nil | Edn::Value(Value::Boolean(_) | Value::Keyword(_)) => true,
        Edn::Value(Value::Long(n)) => (-128..128).contains(n),
        Edn::Char(x) => x.is_ascii(),
        Edn::Tagged(tag, _) => tag.as_str() == super::CLASS_TAG,
        _ => false,
    };
    Ok(std::ptr::eq(a, b) || (only_one && a == b))
}

fn is_nan(form: &Edn) -> bool {
    match form {
        Edn::Value(Value::Double(n)) => n.is_nan(),
        Edn::Value(Value::Float(n)) => n.is_nan(),
        _ => false,
    }
}

fn is(c: &Invocation<'_>, test: fn(&Edn) -> bool) -> Outcome {
    c.bool(matches!(c.args[0], Arg::Edn(form) if test(form)))
}

fn sign(c: &Invocation<'_>, test: fn(Ordering) -> bool) -> Outcome {
    let number = c.number(0)?;
    let nan = matches!(number, Number::Double(n) if n.is_nan());
    c.bool(!nan && test(number.sign()))
}

fn parity(c: &Invocation<'_>, even: bool) -> Outcome {
    let number = c.number(0)?;
    if number.family() != Family::Integer {
        return Err(c.wrong_type(0, "a whole number"));
    }
    let rest = number
        .remainder(&Number::Long(2))
        .map_err(|p| c.problem(p))?;
    c.bool(rest.is_zero() == even)
}

/// What Java's `compareTo` says: for texts by how much they differ.
pub(super) fn java_compare(a: &Edn, b: &Edn) -> i64 {
    let sign = datomic_order(a, b) as i64;
    let (rank_a, rank_b) = (clj::rank(a), clj::rank(b));
    if rank_a != rank_b {
        return match (java::class_of(a), java::class_of(b)) {
            (Some(x), Some(y)) if rank_a > 4 && rank_b > 4 => text_difference(x, y),
            _ => sign,
        };
    }
    match (a, b) {
        (Edn::Value(Value::String(x)), Edn::Value(Value::String(y))) => text_difference(x, y),
        (Edn::Char(x), Edn::Char(y)) => i64::from(u32::from(*x)) - i64::from(u32::from(*y)),
        (Edn::Value(Value::Keyword(x)), Edn::Value(Value::Keyword(y))) => {
            name_difference((x.namespace(), x.name()), (y.namespace(), y.name()))
        }
        (Edn::Value(Value::Symbol(x)), Edn::Value(Value::Symbol(y))) => {
            name_difference((x.namespace(), x.name()), (y.namespace(), y.name()))
        }
        _ => sign,
    }
}

/// Clojure's own `compare`: numbers with numbers, else of one type; vectors by length first.
pub(super) fn clojure_compare(a: &Edn, b: &Edn) -> Option<i64> {
    match (a, b) {
        (Edn::Nil, Edn::Nil) => return Some(0),
        (Edn::Nil, _) => return Some(-1),
        (_, Edn::Nil) => return Some(1),
        _ => {}
    }
    if let (Some(x), Some(y)) = (Number::of(a), Number::of(b)) {
        return x
            .order(&y)
            .ok()
            .map(|order| order.map_or(0, |order| order as i64));
    }
    let list = |form: &Edn| matches!(form, Edn::List(_));
    if let (Some(x), Some(y), false) = (clj::elements(a), clj::elements(b), list(a) || list(b)) {
        if x.len() != y.len() {
            return Some(x.len().cmp(&y.len()) as i64);
        }
        for (x, y) in x.iter().zip(&*y) {
            match clojure_compare(x, y) {
                Some(0) => {}
                other => return other,
            }
        }
        return Some(0);
    }
    compare_to(a, b)
}

/// Java's `compareTo`, which knows only things of one type.
pub(super) fn compare_to(a: &Edn, b: &Edn) -> Option<i64> {
    let tuple = |form: &Edn| matches!(form, Edn::Vector(_) | Edn::Value(Value::Tuple(_)));
    if tuple(a) && tuple(b) {
        return clojure_compare(a, b);
    }
    match (a, b) {
        (Edn::Ratio(_), _) => Number::of(b).and_then(|_| clojure_compare(a, b)),
        (Edn::Value(Value::Double(x)), Edn::Value(Value::Double(y))) => Some(x.total_cmp(y) as i64),
        (Edn::Value(Value::BigInt(_) | Value::Bytes(_)), _) => None,
        (Edn::Value(x), Edn::Value(y)) => {
            let same = java::class_of(a) == java::class_of(b);
            let uris = matches!((x, y), (Value::Uri(_), Value::Uri(_)));
            same.then(|| match uris && clj::equal(a, b) {
                true => 0,
                false => java_compare(a, b),
            })
        }
        (Edn::Char(_), Edn::Char(_)) => Some(java_compare(a, b)),
        _ => None,
    }
}

/// Whether Java's `compareTo` knows the two.
pub(crate) fn java_comparable(a: &Edn, b: &Edn) -> bool {
    compare_to(a, b).is_some()
}

fn name_difference(a: (Option<&str>, &str), b: (Option<&str>, &str)) -> i64 {
    match (a.0, b.0) {
        (None, Some(_)) => -1,
        (Some(_), None) => 1,
        (Some(x), Some(y)) if x != y => text_difference(x, y),
        _ => text_difference(a.1, b.1),
    }
}

/// The difference of the first unlike UTF-16 units, or of the lengths.
fn text_difference(a: &str, b: &str) -> i64 {
    let unlike = a.encode_utf16().zip(b.encode_utf16()).find(|(x, y)| x != y);
    match unlike {
        Some((x, y)) => i64::from(x) - i64::from(y),
        None => a.encode_utf16().count() as i64 - b.encode_utf16().count() as i64,
    }
}
