//! Properties of the text and of the relations between values, over random forms.

use std::cmp::Ordering;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use datomite_model::{
    BigDec, BigInt, Edn, EntityId, Instant, Keyword, Symbol, Uri, Uuid, Value, read, read_all,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Z][a-zA-Z0-9*+!_?$%&=<>.-]{0,6}",
        1 => "[/:'#0-9a b\"\\\\é😀-]{0,5}",
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    let big = "-?[0-9]{1,40}".prop_map(|digits| BigInt::from_str(&digits).expect("digits"));
    prop_oneof![
        any::<String>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        prop_oneof![any::<i64>(), -2i64..3].prop_map(Value::from),
        big.clone().prop_map(Value::from),
        prop_oneof![any::<f32>(), Just(f32::NAN), Just(-0.0f32)].prop_map(canonical_f32),
        prop_oneof![any::<f64>(), Just(f64::NAN), Just(-0.0), Just(0.0)].prop_map(canonical_f64),
        (
            big,
            prop_oneof![-3i64..4, -50i64..50, any::<i32>().prop_map(i64::from)]
        )
            .prop_map(|(unscaled, scale)| Value::from(BigDec::new(unscaled, scale))),
        (any::<i64>(), 0u16..1000)
            .prop_map(|(ms, us)| Value::from(Instant::new(ms, us).expect("in range"))),
        (proptest::option::of(name()), name())
            .prop_map(|(ns, name)| Value::from(Keyword::new(ns.as_deref(), &name))),
        (proptest::option::of(name()), name())
            .prop_map(|(ns, name)| Value::from(Symbol::new(ns.as_deref(), &name))),
        any::<u128>().prop_map(|bits| Value::from(Uuid::from_u128(bits))),
        "(https?:|HTTP:|mailto:)?(//)?(a@)?[aB]{0,2}(%2[aA])?(:80)?(/[a%b]?)?(\\?q)?(#f)?"
            .prop_map(|text| Value::from(Uri::new(&text))),
        vec(any::<u8>(), 0..4).prop_map(|bytes| Value::Bytes(Arc::from(bytes))),
    ]
}

fn canonical_f32(n: f32) -> Value {
    Value::Float(if n.is_nan() { f32::NAN } else { n })
}

fn canonical_f64(n: f64) -> Value {
    Value::Double(if n.is_nan() { f64::NAN } else { n })
}

/// Scalars, refs and tuples.
fn value() -> impl Strategy<Value = Value> {
    let slots = vec(proptest::option::of(scalar()), 2..4);
    prop_oneof![
        8 => scalar(),
        1 => (0u64..4).prop_map(|id| Value::Ref(EntityId::new(id))),
        1 => slots.prop_map(|slots| Value::Tuple(Arc::from(slots))),
    ]
}

fn form() -> impl Strategy<Value = Edn> {
    let leaf = prop_oneof![
        8 => scalar().prop_map(Edn::Value),
        1 => Just(Edn::Nil),
        1 => any::<char>().prop_map(Edn::Char),
        1 => (-9i64..9, 2i64..5).prop_filter_map("lowest terms", |(n, d)| {
            let lowest = n % 2 != 0 && n % 3 != 0;
            lowest.then(|| Edn::Ratio(Box::new((BigInt::from(n), BigInt::from(d)))))
        }),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Edn::List),
            vec(inner.clone(), 0..5).prop_map(Edn::Vector),
            proptest::collection::btree_set(inner.clone(), 0..5)
                .prop_map(|set| Edn::Set(set.into_iter().collect())),
            proptest::collection::btree_map(inner.clone(), inner.clone(), 0..4)
                .prop_map(|map| Edn::Map(map.into_iter().collect())),
            ("[a-z]{3}/[a-z]{1,3}", inner)
                .prop_map(|(tag, form)| Edn::Tagged(Symbol::parse(&tag), Box::new(form))),
        ]
    })
}

fn hash(feed: impl FnOnce(&mut DefaultHasher)) -> u64 {
    let mut hasher = BuildHasherDefault::<DefaultHasher>::default().build_hasher();
    feed(&mut hasher);
    hasher.finish()
}

fn storage_hash(value: &Value) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_is_printed_reads_back(form in form()) {
        let text = form.to_string();
        let read = read(&text);
        prop_assert_eq!(read.as_ref(), Ok(&form), "{}", text);
    }

    #[test]
    fn no_text_crashes_the_reader(text in "[\\[\\](){}#_:'^\\\\\"a1./@~ \\-é😀;\nNM]{0,20}") {
        if let Ok(forms) = read_all(&text) {
            for form in forms {
                prop_assert_eq!(read(&form.to_string()), Ok(form));
            }
        }
    }

    #[test]
    fn the_storage_order_is_total(a in value(), b in value(), c in value()) {
        prop_assert_eq!(a.storage_cmp(&b), b.storage_cmp(&a).reverse());
        if a.storage_cmp(&b) != Ordering::Greater && b.storage_cmp(&c) != Ordering::Greater {
            prop_assert_ne!(a.storage_cmp(&c), Ordering::Greater, "{} {} {}", a, b, c);
        }
        if a == b {
            prop_assert_eq!(storage_hash(&a), storage_hash(&b));
            prop_assert!(a.datomic_eq(&b) && a.join_eq(&b));
        }
    }

    #[test]
    fn joins_are_an_equivalence_with_a_hash(a in value(), b in value(), c in value()) {
        prop_assert!(a.join_eq(&a) && a.join_eq(&b) == b.join_eq(&a));
        prop_assert!(!(a.join_eq(&b) && b.join_eq(&c)) || a.join_eq(&c));
        if a.join_eq(&b) {
            let hashes = [&a, &b].map(|value| hash(|state| value.join_hash(state)));
            prop_assert_eq!(hashes[0], hashes[1], "{} {}", a, b);
        }
        prop_assert_eq!(a.datomic_eq(&b), b.datomic_eq(&a));
    }

    #[test]
    fn uris_order_totally(texts in vec("(h:|H:|m:)?(//)?(u@)?[aB_]{0,2}(%2[aA])?(:80)?/?", 3)) {
        let [a, b, c] = [0, 1, 2].map(|at| Value::from(Uri::new(&texts[at])));
        if a <= b && b <= c {
            prop_assert!(a <= c, "{} {} {}", a, b, c);
        }
        prop_assert!(!(a.datomic_eq(&b) && b.datomic_eq(&c)) || a.datomic_eq(&c));
    }

    #[test]
    fn forms_equal_whatever_the_order_of_entries(items in vec((any::<i8>(), any::<i8>()), 0..6)) {
        let forms: Vec<Edn> = items
            .iter()
            .map(|(a, b)| Edn::Set(vec![Edn::long((*a).into()), Edn::long((*b).into())]))
            .collect();
        let mut reversed = forms.clone();
        reversed.reverse();
        let (a, b) = (Edn::Set(forms), Edn::Set(reversed));
        prop_assert_eq!(&a, &b);
        prop_assert_eq!(a.cmp(&b), Ordering::Equal);
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        prop_assert_eq!(hasher.hash_one(&a), hasher.hash_one(&b));
    }

    #[test]
    fn decimals_compare_as_numbers((a, b) in (-99i64..99, -99i64..99), s in 0i64..6, t in 0i64..6) {
        let (x, y) = (BigDec::new(a.into(), s), BigDec::new(b.into(), t));
        let scaled = |n: i64, scale: i64| i128::from(n) * 10i128.pow(6 - scale as u32);
        prop_assert_eq!(x.cmp_number(&y), scaled(a, s).cmp(&scaled(b, t)));
    }
}

#[test]
fn uris_are_equal_as_java_says() {
    let equal = |a: &str, b: &str| Value::from(Uri::new(a)).datomic_eq(&Value::from(Uri::new(b)));
    assert!(equal(
        "HTTP://Example.ORG/a%2fb",
        "http://example.org/a%2Fb"
    ));
    assert!(!equal("http://example.org/A", "http://example.org/a"));
    assert!(!equal("http://example.org", "http://example.org/"));
    assert!(equal("MAILTO:a@b", "mailto:a@b") && !equal("mailto:A@b", "mailto:a@b"));
}

#[test]
fn json_is_what_the_design_says() {
    let text = r#"{:users/name "ann" :at #inst "2020-01-31T12:30:00.5" :n 1.50M :big 12N :id 7
                   "tags" [:a/b nil 1/2 \x] 5 #uuid "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
                   :nan ##NaN :d 1.5 :bytes #bytes "00ff"}"#;
    let json = serde_json::to_value(read(text).expect("it is EDN")).expect("it serializes");
    let expected = serde_json::json!({
        "users/name": "ann", "at": "2020-01-31T12:30:00.500Z", "n": "1.50", "big": "12", "id": 7,
        "tags": ["a/b", null, "1/2", "x"], "5": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "nan": "##NaN", "d": 1.5, "bytes": "00ff"
    });
    assert_eq!(json, expected);
}
