//! Our reader against the crate clojure-reader 0.7: the same form, or a difference listed here.

use clojure_reader::edn::{Edn as Other, read_string};
use datomite_model::{Edn, Symbol, Value, read};
use proptest::prelude::*;

/// Texts that the two read differently, what each makes of them (`None`: an error), and why.
const DIFFERENCES: &[(&str, Option<&str>, Option<&str>, &str)] = &[
    (
        "9223372036854775808",
        Some("9223372036854775808N"),
        None,
        "it has no bigints as built",
    ),
    ("12N", Some("12N"), None, "it has no bigints as built"),
    ("1.5M", Some("1.5M"), None, "it has no decimals as built"),
    ("##NaN", Some("##NaN"), None, "it reads no symbolic numbers"),
    ("##Inf", Some("##Inf"), None, "it reads no symbolic numbers"),
    ("\"\\u00e9\"", Some("\"é\""), None, "it knows five escapes"),
    ("\"\\b\"", Some("\"\\b\""), None, "it knows five escapes"),
    ("\\u03A9", Some("\\Ω"), None, "it reads no \\uXXXX"),
    (
        "#:ns{:a 1}",
        Some("{:ns/a 1}"),
        Some("#:ns {:a 1}"),
        "it leaves the map to be expanded",
    ),
    (
        "'x",
        Some("(quote x)"),
        Some("'x"),
        "it takes the quote for a part of the name",
    ),
    ("::a", None, Some("::a"), "there are no aliases in data"),
    (
        ":a/",
        None,
        Some(":a/"),
        "a name needs something after the slash",
    ),
    (
        "#inst \"x\"",
        None,
        Some("#inst \"x\""),
        "it leaves tags to its caller",
    ),
    (
        "#float 1.5",
        Some("#float 1.5"),
        Some("#float 1.5"),
        "ours is a value, not a tagged form",
    ),
];

/// The form as ours would hold it.
fn ours(other: &Other<'_>) -> Edn {
    let all = |items: &[Other<'_>]| items.iter().map(ours).collect();
    match other {
        Other::Vector(items) => Edn::Vector(all(items)),
        Other::List(items) => Edn::List(all(items)),
        Other::Set(items) => Edn::Set(items.iter().map(ours).collect()),
        Other::Map(map) => Edn::Map(map.iter().map(|(k, v)| (ours(k), ours(v))).collect()),
        Other::Key(text) => Edn::keyword(text.strip_prefix(':').unwrap_or(text)),
        Other::Symbol(text) => Edn::symbol(text),
        Other::Str(text) => Edn::string(text),
        Other::Int(n) => Edn::long(*n),
        Other::Double(n) => Edn::Value(Value::Double(n.into_inner())),
        Other::Rational((n, d)) => Edn::Ratio(Box::new(((*n).into(), (*d).into()))),
        Other::Char(c) => Edn::Char(*c),
        Other::Bool(b) => Edn::Value(Value::Boolean(*b)),
        Other::Nil => Edn::Nil,
        Other::Tagged(tag, form) => Edn::Tagged(Symbol::parse(tag), Box::new(ours(form))),
        other => panic!("{other} is a kind of form that came later"),
    }
}

#[test]
fn the_known_differences_are_as_listed() {
    for (text, we, they, why) in DIFFERENCES {
        let we_read = read(text).ok().map(|form| form.to_string());
        let they_read = read_string(text).ok().map(|form| form.to_string());
        assert_eq!(we_read.as_deref(), *we, "ours of {text} ({why})");
        assert_eq!(they_read.as_deref(), *they, "theirs of {text} ({why})");
    }
}

/// Text in which none of the listed differences can occur.
fn text() -> impl Strategy<Value = String> {
    let blank = prop_oneof![
        Just(" "),
        Just(", "),
        Just("\n"),
        Just(" ;c\n"),
        Just(" #_ [1] ")
    ];
    let atom = prop_oneof![
        "-?(0|[1-9][0-9]{0,10})",
        "-?(0|[1-9][0-9]{0,3})\\.[0-9]{1,4}(e-?[0-9])?",
        ":[a-z?*-]{1,3}(/[a-z0-9-]{1,3})?",
        "[a-z$_<>=][a-z.*-]{0,3}(/[a-z-]{1,3})?",
        "\"[a-z é\\[;,]{0,5}(\\\\[nt\"\\\\])?\"",
        Just("nil".to_owned()),
        Just("true".to_owned()),
        "\\\\([a-z]|newline|space)",
    ];
    atom.prop_recursive(4, 30, 4, move |inner| {
        let items = proptest::collection::vec((inner, blank.clone()), 0..4).prop_map(|items| {
            items
                .iter()
                .fold(String::new(), |text, (item, blank)| text + item + blank)
        });
        (items, 0..4).prop_map(|(items, kind)| match kind {
            0 => format!("[{items}]"),
            1 => format!("({items})"),
            2 => format!("{{:k1 [{items}] :k2 ({items})}}"),
            _ => format!("#my/tag [{items}]"),
        })
    })
}

proptest! {
    #[test]
    fn both_readers_agree(text in text()) {
        let other = read_string(&text).map(|form| ours(&form)).map_err(|error| error.to_string());
        prop_assert_eq!(read(&text).map_err(|error| error.to_string()), other, "{}", text);
    }
}
