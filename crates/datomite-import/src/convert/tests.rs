//! Values as Postgres prints them, one by one.

use datomite::{Instant, Value};

use super::calendar;
use super::nested;
use super::{Converted, Scalar};

fn shown(scalar: Scalar, text: &str) -> String {
    match scalar.convert(text.as_bytes()) {
        Converted::Value(value) => value.to_string(),
        Converted::Special(name) => format!("special {name}"),
        Converted::Wrong => "wrong".to_owned(),
    }
}

#[test]
fn scalars_keep_every_digit() {
    for (scalar, text, expected) in [
        (Scalar::Long, "-9223372036854775808", "-9223372036854775808"),
        (Scalar::Long, "9223372036854775808", "wrong"),
        (
            Scalar::BigInt,
            "18446744073709551615",
            "18446744073709551615N",
        ),
        (
            Scalar::Money,
            "-$92,233,720,368,547,758.08",
            "-92233720368547758.08M",
        ),
        (Scalar::Money, "$0.00", "0.00M"),
        (Scalar::Money, "(1.234,50 €)", "-1234.50M"),
        (Scalar::Money, "¥1,234", "1234M"),
        (Scalar::Money, "Rs.", "wrong"),
        (Scalar::BigDec, "0.10", "0.10M"),
        (Scalar::BigDec, "-99999999.99", "-99999999.99M"),
        (Scalar::BigDec, "NaN", "special NaN"),
        (Scalar::BigDec, "-Infinity", "special -infinity"),
        (Scalar::BigDec, "1e3", "1000M"),
        (Scalar::Boolean, "t", "true"),
        (Scalar::Boolean, "false", "false"),
        (Scalar::Boolean, "maybe", "wrong"),
        (Scalar::Padded, "abc   ", "\"abc\""),
        (Scalar::Text, "abc   ", "\"abc   \""),
        (Scalar::Interval, "1 day -02:00:00", "\"P1DT-2H\""),
    ] {
        assert_eq!(shown(scalar, text), expected, "{text}");
    }
}

#[test]
fn floats_are_read_at_their_own_width() {
    let float = |text: &str| Scalar::Float.convert(text.as_bytes());
    assert_eq!(float("1e-45"), Converted::Value(Value::Float(1e-45)));
    assert_eq!(
        float("3.4028235e38"),
        Converted::Value(Value::Float(f32::MAX))
    );
    let double = |text: &str| Scalar::Double.convert(text.as_bytes());
    assert_eq!(double("5e-324"), Converted::Value(Value::Double(5e-324)));
    assert_eq!(double("-0"), Converted::Value(Value::Double(-0.0)));
    let Converted::Value(Value::Double(nan)) = double("NaN") else {
        panic!("NaN is a double");
    };
    assert!(nan.is_nan());
}

#[test]
fn instants_reach_as_far_as_postgres() {
    let instant = |text: &str| calendar::instant(text.as_bytes(), true);
    let at = |ms: i64, us: u16| Instant::new(ms, us);
    for (text, expected) in [
        ("1970-01-01 00:00:00+00", at(0, 0)),
        ("2020-01-01 05:30:00+05:30", at(1_577_836_800_000, 0)),
        ("1880-01-01 05:21:10+05:21:10", at(-2_840_140_800_000, 0)),
        ("1969-12-31 23:59:59.999999+00", at(-1, 999)),
        ("2022-02-15 09:34:33.123456+00", at(1_644_917_673_123, 456)),
        (
            "4713-01-01 00:00:00+00 BC",
            at(-210_863_520_000_000 - 2_592_000_000 - 691_200_000, 0),
        ),
        ("1962/2/18", at(-248_313_600_000, 0)),
        ("infinity", None),
        ("2020-13-01", None),
        ("not a date", None),
    ] {
        if text.starts_with("4713") {
            // Proleptic Gregorian, as Postgres counts: Julian day 38.
            let days = calendar::days_from_civil(-4712, 1, 1);
            assert_eq!(instant(text), at(days * 86_400_000, 0));
            continue;
        }
        assert_eq!(instant(text), expected, "{text}");
    }
    assert!(instant("294276-12-31 23:59:59.999999+00").is_some());
    assert!(calendar::instant(b"5874897-12-31", false).is_some());
}

#[test]
fn intervals_keep_months_days_and_microseconds_apart() {
    for (text, iso, parts) in [
        (
            "-1 years -2 mons +3 days -04:05:06.789",
            "P-1Y-2M3DT-4H-5M-6.789S",
            (-14, 3, -14_706_789_000),
        ),
        ("3 years 2 mons", "P3Y2M", (38, 0, 0)),
        (
            "1 mon 29 days 100:59:59.5",
            "P1M29DT100H59M59.5S",
            (1, 29, 363_599_500_000),
        ),
        ("00:00:00", "PT0S", (0, 0, 0)),
        ("178000000 years", "P178000000Y", (2_136_000_000, 0, 0)),
        ("@ 1 day 2 hours ago", "P-1DT-2H", (0, -1, -7_200_000_000)),
        ("P1Y2M3DT4H5M6S", "P1Y2M3DT4H5M6S", (14, 3, 14_706_000_000)),
    ] {
        let interval = calendar::interval(text).expect(text);
        assert_eq!(interval.iso, iso, "{text}");
        assert_eq!(
            (interval.months, interval.days, interval.us),
            parts,
            "{text}"
        );
    }
    assert!(calendar::interval("soon").is_none());
}

#[test]
fn bytes_come_in_hex_and_in_escape_form() {
    let bytes = |text: &str| match Scalar::Bytes.convert(text.as_bytes()) {
        Converted::Value(Value::Bytes(bytes)) => bytes.to_vec(),
        _ => panic!("{text}"),
    };
    assert_eq!(bytes("\\x00ff5c0a"), [0, 255, 0x5c, 0x0a]);
    assert_eq!(bytes("\\x"), []);
    assert_eq!(bytes(""), []);
    assert_eq!(bytes("\\000\\377\\\\'"), [0, 255, b'\\', b'\'']);
}

#[test]
fn arrays_tell_null_from_its_name_and_have_one_dimension() {
    let some = |text: &str| Some(text.to_owned());
    let array = nested::array(r#"{"a,b","c\"d","NULL",NULL,"e\\f",x," sp ",""}"#, ',');
    let array = array.expect("one dimension");
    let expected = vec![
        some("a,b"),
        some("c\"d"),
        some("NULL"),
        None,
        some("e\\f"),
        some("x"),
        some(" sp "),
        some(""),
    ];
    assert_eq!(array.elements, expected);
    assert!(
        nested::array("[2:4]={1,NULL,3}", ',')
            .expect("bounds")
            .bounded
    );
    assert!(nested::array("{{1,2},{3,NULL}}", ',').is_none());
    assert!(nested::array("{}", ',').expect("empty").elements.is_empty());
    let boxes = nested::array("{(1,1),(0,0);(2,2),(0,0)}", ';').expect("boxes");
    assert_eq!(boxes.elements.len(), 2);
}

#[test]
fn records_and_ranges_are_unquoted() {
    let some = |text: &str| Some(text.to_owned());
    let fields = nested::record(r#"("1 Main ""St"", apt (3)","90,210",,"")"#);
    let expected = vec![
        some("1 Main \"St\", apt (3)"),
        some("90,210"),
        None,
        some(""),
    ];
    assert_eq!(fields, Some(expected));
    let range = nested::range("[1.5,)").expect("a range");
    assert_eq!((range.lower, range.upper), (some("1.5"), None));
    assert_eq!(nested::range("empty").expect("empty").bounds, "empty");
    let range = nested::range("[\"2020-01-01 00:00:00+00\",infinity)").expect("a range");
    assert_eq!(range.lower, some("2020-01-01 00:00:00+00"));
}
