use crate::{Edn, read, read_all};

fn error(text: &str) -> String {
    match read(text) {
        Ok(form) => panic!("{text} read as {form}"),
        Err(error) => error.to_string(),
    }
}

fn reads_as(text: &str, printed: &str) {
    let form = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(form.to_string(), printed, "{text}");
    assert_eq!(read(printed).as_ref(), Ok(&form), "{printed}");
}

#[test]
fn forms_print_as_clojure_prints_them() {
    for (text, printed) in [
        ("nil", "nil"),
        ("[1 +2 -3, 0x1F 017 36rZZ 0]", "[1 2 -3 31 15 1295 0]"),
        (
            "[12N 9223372036854775808 -9223372036854775808]",
            "[12N 9223372036854775808N -9223372036854775808]",
        ),
        (
            "[1.50M 1M 1E+3M 1.5e-10M 0.0000001M 0E-8M]",
            "[1.50M 1M 1E+3M 1.5E-10M 1E-7M 0E-8M]",
        ),
        (
            "[1. 1e5 1e7 1e-3 1e-4 -0.0 4.9E-324 1.5e300 123456.789]",
            "[1.0 100000.0 1.0E7 0.001 1.0E-4 -0.0 4.9E-324 1.5E300 123456.789]",
        ),
        ("[##NaN ##Inf ##-Inf]", "[##NaN ##Inf ##-Inf]"),
        ("[1/2 -6/4 4/2]", "[1/2 -3/2 2N]"),
        (
            r#""a\u00e9\b\t\"\\\101\0\ud83d\ude00""#,
            "\"aé\\b\\t\\\"\\\\A\\u0000😀\"",
        ),
        (
            r"[\a \newline \space \u0041 \o101 \( \, \\ \u \o \é]",
            r"[\a \newline \space \A \A \( \, \\ \u \o \é]",
        ),
        (
            "#:ns{:a 1 :_/b 2 :c/d 3 e 4 \"s\" 5}",
            "{:ns/a 1, :b 2, :c/d 3, ns/e 4, \"s\" 5}",
        ),
        ("[1 #_ #_ 2 [3] 4 #_5]", "[1 4]"),
        ("'x", "(quote x)"),
        ("^{:a 1} ^:b ^String [x]", "[x]"),
        (r#"#"a\d\"b""#, r#"#regex "a\\d\\\"b""#),
        ("#db/id[:db.part/user -1]", "#db/id [:db.part/user -1]"),
        (
            "[$ % _ . / - < ?x ... a' foo// :1 :a/2 :a:b :a/b/c]",
            "[$ % _ . / - < ?x ... a' foo// :1 :a/2 :a:b :a/b/c]",
        ),
        ("#{1 2}", "#{1 2}"),
        ("(a ; comment\n b)", "(a b)"),
        (
            "[#float 1.5 #float 1 #float ##NaN #uri \"http://a\" #bytes \"00fF\"]",
            "[#float 1.5 #float 1.0 #float ##NaN #uri \"http://a\" #bytes \"00ff\"]",
        ),
        (
            "#uuid \"F81D4FAE-7dec-11d0-a765-00a0c91e6bf6\"",
            "#uuid \"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\"",
        ),
        ("#_#inst \"nonsense\" 1", "1"),
    ] {
        reads_as(text, printed);
    }
}

#[test]
fn instants_read_in_every_partial_form() {
    for (text, printed) in [
        ("2020", "2020-01-01T00:00:00.000"),
        ("2020-02", "2020-02-01T00:00:00.000"),
        ("2020-02-29", "2020-02-29T00:00:00.000"),
        ("2020-02-29T12", "2020-02-29T12:00:00.000"),
        ("2020-02-29T12:30", "2020-02-29T12:30:00.000"),
        ("2020-02-29T12:30:15", "2020-02-29T12:30:15.000"),
        ("2020-02-29T12:30:15.5Z", "2020-02-29T12:30:15.500"),
        (
            "2020-02-29T12:30:15.123456789",
            "2020-02-29T12:30:15.123456",
        ),
        ("2020-02-29T23:30+01:30", "2020-02-29T22:00:00.000"),
        ("2020-05:00", "2020-01-01T05:00:00.000"),
        ("1969-12-31T23:59:59.999999", "1969-12-31T23:59:59.999999"),
        ("2016-12-31T23:59:60", "2017-01-01T00:00:00.000"),
        ("-0044-03-15", "-0044-03-15T00:00:00.000"),
        (
            "+292278994-08-17T07:12:55.807",
            "+292278994-08-17T07:12:55.807",
        ),
    ] {
        reads_as(
            &format!("#inst \"{text}\""),
            &format!("#inst \"{printed}-00:00\""),
        );
    }
    for bad in [
        "",
        "20",
        "2020-13",
        "2021-02-29",
        "2020-1-1",
        "2020-01-01T24",
        "2020-01T12",
        "2020-01-01T12:30:60",
        "2020-01-01T12:30:15.",
        "2020-01-01 12:30",
        "2020Z+",
        "+292278995-01-01",
        "2020-01-01T12:30:15.5é",
        "é2020:00",
    ] {
        assert!(read(&format!("#inst \"{bad}\"")).is_err(), "{bad}");
    }
}

#[test]
fn an_error_says_where_what_and_instead_of_what() {
    for (text, message) in [
        (
            "",
            "line 1, column 1: expected a form, found the end of the text",
        ),
        (
            "1 2",
            "line 1, column 3: expected the end of the text after one form, found 2",
        ),
        (
            "{:a 1 :b}",
            "line 1, column 9: expected a value for the key :b, found }",
        ),
        (
            "{:a 1\n :a 2}",
            "line 2, column 2: :a stands twice in the map",
        ),
        (
            "#{1 [2] [2]}",
            "line 1, column 9: [2] stands twice in the set",
        ),
        (
            "[1 (2 3]",
            "line 1, column 8: expected ) to close the ( of line 1, column 4, found ]",
        ),
        (
            "[1\n [2",
            "line 2, column 4: expected ] to close the [ of line 2, column 2, \
                    found the end of the text",
        ),
        (")", "line 1, column 1: found ), but nothing is open"),
        (
            "[#foo]",
            "line 1, column 6: expected a form after the #foo of line 1, column 2, found ]",
        ),
        (
            "[#_]",
            "line 1, column 4: expected a form after the #_ of line 1, column 2, found ]",
        ),
        ("12a", "line 1, column 1: expected a number, found 12a"),
        (
            "08",
            "line 1, column 1: expected a number, found 08: a leading 0 means octal",
        ),
        ("1/0", "line 1, column 1: expected a number, found 1/0"),
        (
            ".5",
            "line 1, column 1: expected a number, found .5: \
                a digit must stand before the point",
        ),
        (
            "::a",
            "line 1, column 1: expected a keyword, found ::a: \
                 a namespace alias means nothing here",
        ),
        (
            ":a/",
            "line 1, column 1: expected a keyword, found :a/: there is no name after the /",
        ),
        (
            "a/b/",
            "line 1, column 1: expected a symbol, found a/b/: there is no name after the /",
        ),
        (
            ":",
            "line 1, column 1: expected a keyword, found :: there is no name",
        ),
        (
            "\"é\\q\"",
            "line 1, column 3: expected an escape, found \\q: no such escape",
        ),
        (
            "\"\\ud800\"",
            "line 1, column 2: expected an escape, found \\ud800: \
                         \\u takes four hexadecimal digits that name a character",
        ),
        (
            "\\toolong",
            "line 1, column 1: expected a character such as \\a, \\newline or \
                       \\u0041, found \\toolong",
        ),
        (
            "#inst \"x\"",
            "line 1, column 1: expected an instant such as \
                         \"2020-01-31T12:30:00.000Z\" after #inst, found \"x\"",
        ),
        (
            "##Foo",
            "line 1, column 1: expected ##NaN, ##Inf or ##-Inf, found ##Foo",
        ),
        (
            "#(inc %)",
            "line 1, column 1: expected a tag, #{, #_, #\" or ## here, found #(",
        ),
        (
            "@x",
            "line 1, column 1: expected a form, found @, which means nothing in data",
        ),
        (
            "^1 x",
            "line 1, column 2: expected a map, keyword or symbol after ^, found 1",
        ),
        (
            "#:a/b{:c 1}",
            "line 1, column 1: expected a namespace after #:, found \"a/b\"",
        ),
    ] {
        assert_eq!(error(text), message, "{text}");
    }
}

#[test]
fn what_more_text_could_mend_is_incomplete() {
    for text in [
        "", "[1", "\"abc", "\"abc\\", "#", "#foo", "#_", "'", "\\", "#:a", "#\"a",
    ] {
        assert!(read(text).is_err_and(|error| error.incomplete), "{text}");
    }
    for text in ["]", "[1)", "\"\\q\"", "12a"] {
        assert!(read(text).is_err_and(|error| !error.incomplete), "{text}");
    }
}

#[test]
fn a_million_brackets_are_an_error() {
    for opener in ["[", "(", "{", "#{", "'", "#_", "#a ", "^", "[{:a #{("] {
        let text = opener.repeat(1_000_000);
        assert!(error(&text).contains("deeper than 500"), "{opener}");
    }
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    assert_eq!(read(&deep).expect("500 is allowed").to_string(), deep);
}

#[test]
fn spans_point_at_every_part() {
    let text = "[:a {:b \"é\" :c 'd} #x 1]";
    let (_, spans) = crate::read_spanned(text).expect("it is EDN");
    let at = |path: &[usize]| &text[spans.at(path)];
    assert_eq!(at(&[]), text);
    assert_eq!(at(&[0]), ":a");
    assert_eq!(at(&[1, 1]), "\"é\"");
    assert_eq!(at(&[1, 3]), "'d");
    assert_eq!(at(&[1, 3, 1]), "d");
    assert_eq!(at(&[2]), "#x 1");
    assert_eq!(at(&[2, 0]), "1");
}

#[test]
fn all_forms_of_a_text_are_read() {
    let forms = read_all("\u{feff}1 ; one\n [2] #_3\n").expect("it is EDN");
    assert_eq!(forms, [Edn::long(1), Edn::Vector(vec![Edn::long(2)])]);
}
