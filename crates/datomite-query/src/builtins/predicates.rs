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
        |c| c.bool(c.edn(0)? == c.edn(1)?),
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
    Ok(!one_nan && wanted(clj::compare(a, b)))
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
    let sign = clj::compare(a, b) as i64;
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
