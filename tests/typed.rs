//! Rust's types on both sides: rows, maps and entities into them, inputs from them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use datomite::prelude::*;
use datomite::{BigDec, BigInt, Instant, QueryError, Symbol, Uri, Uuid, mem, read};

const SCHEMA: &str = r#"[
  {:db/ident :user/email :db/valueType :db.type/string :db/cardinality :db.cardinality/one
   :db/unique :db.unique/identity}
  {:db/ident :user/age :db/valueType :db.type/long :db/cardinality :db.cardinality/one}
  {:db/ident :user/tag :db/valueType :db.type/string :db/cardinality :db.cardinality/many}
  {:db/ident :user/read-count :db/valueType :db.type/long :db/cardinality :db.cardinality/one}
  {:db/ident :user/boss :db/valueType :db.type/ref :db/cardinality :db.cardinality/one}
  {:db/ident :user/status :db/valueType :db.type/ref :db/cardinality :db.cardinality/one}
  {:db/ident :user/address :db/valueType :db.type/ref :db/cardinality :db.cardinality/many
   :db/isComponent true}
  {:db/ident :address/city :db/valueType :db.type/string :db/cardinality :db.cardinality/one}
  {:db/ident :user.status/active}]"#;

const PEOPLE: &str = r#"[
  {:db/id "ann" :user/email "ann@x.org" :user/age 31 :user/tag ["b" "a"] :user/read-count 7
   :user/status :user.status/active :user/address [{:address/city "Bern"} {:address/city "Ulm"}]}
  {:user/email "bob@x.org" :user/age 17 :user/boss "ann"}]"#;

fn people() -> Db {
    let conn = mem();
    conn.transact(SCHEMA).expect("as set up");
    conn.transact(PEOPLE).expect("as set up").db_after
}

fn form(text: &str) -> Edn {
    read(text).expect("as set up")
}

const ALL: &str = "[:find ?email ?age :where [?u :user/email ?email] [?u :user/age ?age]]";

#[derive(FromRow, Debug, PartialEq)]
struct User {
    age: i64,
    email: String,
}

#[test]
fn rows_are_structs_by_the_names_of_variables() {
    let mut users: Vec<User> = people().q(ALL).rows().unwrap();
    users.sort_by_key(|user| user.age);
    assert_eq!(users[0].email, "bob@x.org");
    assert_eq!(users[1].age, 31);
}

#[test]
fn rows_are_structs_by_keys_and_by_given_names() {
    #[derive(FromRow, Debug, PartialEq)]
    struct Counted {
        #[row(name = "(count ?u)")]
        people: u8,
        boss: Option<String>,
        #[row(default)]
        not_asked: String,
    }
    let db = people();
    let query = "[:find (count ?u) ?boss :where [?u :user/boss ?b] [?b :user/email ?boss]]";
    let counted: Option<Counted> = db.q(query).first().unwrap();
    let boss = Some("ann@x.org".to_owned());
    let expected = Counted {
        people: 1,
        boss,
        not_asked: String::new(),
    };
    assert_eq!(counted, Some(expected));
    for keys in [
        ":keys user/email age",
        ":strs email age",
        ":syms :x/email age",
    ] {
        let query = format!(
            "[:find ?e ?a {keys} :where [?u :user/email ?e] [?u :user/age ?a] [(< 20 ?a)]]"
        );
        let keyed: Vec<User> = db.q(&query).rows().unwrap();
        assert_eq!(keyed.len(), 1, "{keys}");
        assert_eq!(keyed[0].email, "ann@x.org");
    }
}

#[test]
fn rows_are_tuples_maps_lists_and_single_values() {
    let db = people();
    let young = "[:find ?email ?age :in $ ?max
                  :where [?u :user/email ?email] [?u :user/age ?age] [(<= ?age ?max)]]";
    let rows: Vec<(String, u8)> = db.q(young).arg(20).rows().unwrap();
    assert_eq!(rows, [("bob@x.org".to_owned(), 17)]);
    let maps: Vec<BTreeMap<String, Edn>> = db.q(young).arg(20).rows().unwrap();
    assert_eq!(maps[0]["age"], Edn::long(17));
    let maps: Vec<HashMap<Keyword, Value>> = db.q(young).arg(20).rows().unwrap();
    assert_eq!(maps[0][&Keyword::parse("email")], Value::from("bob@x.org"));
    let lists: Vec<Vec<Value>> = db.q(young).arg(20).rows().unwrap();
    assert_eq!(lists[0][1], Value::from(17));
    let ages = "[:find [?age ...] :where [_ :user/age ?age]]";
    let set: BTreeSet<i64> = db.q(ages).rows::<i64>().unwrap().into_iter().collect();
    assert_eq!(set, BTreeSet::from([17, 31]));
    let sum = "[:find (sum ?age) . :where [_ :user/age ?age]]";
    assert_eq!(db.q(sum).scalar::<i64>().unwrap(), Some(48));
    let nobody = "[:find ?u . :where [?u :user/age 99]]";
    assert_eq!(db.q(nobody).scalar::<EntityId>().unwrap(), None);
    let of_bob = "[:find [?a ?e] :where [?u :user/email ?e] [?u :user/age ?a] [(< ?a 20)]]";
    let tuple: Option<(i64, String)> = db.q(of_bob).first().unwrap();
    assert_eq!(tuple, Some((17, "bob@x.org".to_owned())));
}

#[test]
fn newtypes_and_generic_structs_are_rows_too() {
    #[derive(FromRow, Debug, PartialEq)]
    struct Email(String);
    #[derive(FromRow, Debug, PartialEq)]
    struct Pair<A, B>(A, B);
    #[derive(FromRow, Debug, PartialEq)]
    struct Named<E> {
        email: E,
        r#age: i64,
    }
    let db = people();
    let emails = "[:find [?e ...] :where [_ :user/email ?e]]";
    assert_eq!(db.q(emails).rows::<Email>().unwrap().len(), 2);
    assert_eq!(db.q(emails).collection::<Email>().unwrap().len(), 2);
    assert_eq!(db.q(ALL).rows::<Pair<Email, i64>>().unwrap().len(), 2);
    assert_eq!(db.q(ALL).rows::<Named<Email>>().unwrap().len(), 2);
}

#[derive(FromRow, Debug, PartialEq)]
struct Address {
    city: String,
}

#[derive(FromRow, Debug, PartialEq)]
struct Person {
    #[row(name = "db/id")]
    id: EntityId,
    email: String,
    age: u8,
    tag: BTreeSet<String>,
    read_count: Option<i64>,
    boss: Option<EntityId>,
    status: Option<Keyword>,
    address: Vec<Address>,
}

const PERSON: &str = "[* {:user/status [:db/ident]}]";

#[test]
fn pulled_maps_are_structs() {
    let db = people();
    let ann = db
        .pull(PERSON, form(r#"[:user/email "ann@x.org"]"#))
        .unwrap();
    let ann = Person::from_edn(&ann).unwrap();
    assert_eq!(ann.tag, BTreeSet::from(["a".to_owned(), "b".to_owned()]));
    assert_eq!(ann.read_count, Some(7));
    assert_eq!(ann.status, Some(Keyword::parse("user.status/active")));
    assert_eq!(ann.address.len(), 2);
    let query = format!("[:find [(pull ?u {PERSON}) ...] :where [?u :user/age ?a] [(< ?a 20)]]");
    let young: Vec<Person> = db.q(&query).rows().unwrap();
    assert_eq!(young[0].boss, Some(ann.id));
    assert_eq!((young[0].tag.len(), young[0].address.len()), (0, 0));
    let query = format!("[:find ?a (pull ?u {PERSON}) :where [?u :user/age ?a]]");
    assert_eq!(db.q(&query).rows::<(i64, Person)>().unwrap().len(), 2);
}

#[test]
fn idents_are_enums() {
    #[derive(FromRow, Debug, PartialEq, Clone, Copy)]
    enum Status {
        Active,
        PastDue,
        #[row(name = "user.status/gone")]
        Left,
    }
    #[derive(FromRow, Debug, PartialEq)]
    struct Stated {
        status: Option<Status>,
    }
    let db = people();
    let pattern = "[{:user/status [:db/ident]}]";
    let pulled = db
        .pull(pattern, form(r#"[:user/email "ann@x.org"]"#))
        .unwrap();
    let status = Some(Status::Active);
    assert_eq!(Stated::from_edn(&pulled).unwrap(), Stated { status });
    let idents = "[:find [?s ...] :where [_ :user/status ?e] [?e :db/ident ?s]]";
    assert_eq!(db.q(idents).rows::<Status>().unwrap(), [Status::Active]);
    let of = |text: &str| Status::from_edn(&form(text));
    assert_eq!(of(":order.state/past-due").unwrap(), Status::PastDue);
    assert_eq!(of("\"PAST_DUE\"").unwrap(), Status::PastDue);
    assert_eq!(of(":user.status/gone").unwrap(), Status::Left);
    let error = of(":user.status/left").unwrap_err().to_string();
    let expected = "expected one of Active, PastDue, user.status/gone, found :user.status/left";
    assert_eq!(error, expected);
}

#[test]
fn entities_have_typed_getters() {
    let db = people();
    let entity = |email: &str| {
        let lookup = Edn::from((Keyword::parse("user/email"), email));
        db.entity(&lookup).unwrap().expect("it is there")
    };
    let (ann, bob) = (entity("ann@x.org"), entity("bob@x.org"));
    assert_eq!(ann.read::<String>(":user/email").unwrap(), "ann@x.org");
    assert_eq!(bob.read::<u8>("user/age").unwrap(), 17);
    assert_eq!(bob.read::<EntityId>(":user/boss").unwrap(), ann.id());
    assert_eq!(ann.read::<EntityId>(":db/id").unwrap(), ann.id());
    let status: Keyword = ann.read(":user/status").unwrap();
    assert_eq!(status.as_str(), "user.status/active");
    let tags: BTreeSet<String> = ann.read(":user/tag").unwrap();
    assert_eq!(tags.len(), 2);
    let staff: Vec<EntityId> = ann.read(":user/_boss").unwrap();
    assert_eq!(staff, [bob.id()]);
    assert_eq!(bob.read::<Option<i64>>(":user/read-count").unwrap(), None);
    assert_eq!(bob.read::<Vec<String>>(":user/tag").unwrap().len(), 0);
    let whole: Person = ann.read_all().unwrap();
    assert_eq!((whole.id, whole.address.len()), (ann.id(), 2));
    let error = bob.read::<i64>(":user/email").unwrap_err().to_string();
    let expected = "user/email: expected a long, found the string \"bob@x.org\"";
    assert_eq!(error, format!("entity {}: :{expected}", bob.id()));
    let error = bob.read::<i64>(":user/rank").unwrap_err().to_string();
    let known = "nothing for :user/rank among :user/age, :user/boss, :user/email";
    assert_eq!(error, format!("entity {}: {known}", bob.id()));
}

#[test]
fn values_of_a_form_are_read_by_path() {
    let db = people();
    let bob = "[:user/age {:user/boss [:user/email {:user/address [:address/city]}]}]";
    let bob = db.pull(bob, form(r#"[:user/email "bob@x.org"]"#)).unwrap();
    assert_eq!(bob.read::<u8>(":user/age").unwrap(), 17);
    let email: String = bob.read(":user/boss :user/email").unwrap();
    assert_eq!(email, "ann@x.org");
    let city: String = bob
        .read(":user/boss :user/address 0 :address/city")
        .unwrap();
    assert_eq!(city, "Bern");
    assert_eq!(bob.read::<Option<i64>>(":user/rank").unwrap(), None);
    let error = bob.read::<i64>(":user/boss :user/email").unwrap_err();
    let expected = ":user/boss :user/email: expected a long, found the string \"ann@x.org\"";
    assert_eq!(error.to_string(), expected);
    let error = bob.read::<i64>(":user/boss :user/rank").unwrap_err();
    let expected = ":user/boss: nothing for :user/rank among :user/email, :user/address";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn what_does_not_fit_says_where() {
    let db = people();
    let error = |result: Result<(), QueryError>| result.unwrap_err().to_string();
    let ordered = "[:find ?email ?age :where [?u :user/email ?email] [?u :user/age ?age]
                    :order-by [?age]]";
    assert_eq!(
        error(db.q(ordered).rows::<(String, String)>().map(drop)),
        "row 0, column 1 (?age): expected a string, found the long 17"
    );
    assert_eq!(
        error(db.q(ordered).rows::<(i64,)>().map(drop)),
        "rows have 2 columns (?email, ?age), 1 wanted"
    );
    assert_eq!(
        error(db.q(ordered).rows::<Address>().map(drop)),
        "no column for the field city among ?email, ?age"
    );
    let big = "[:find ?n :in $ [?n ...]]";
    assert_eq!(
        error(db.q(big).arg(vec![300]).rows::<u8>().map(drop)),
        "row 0, column 0 (?n): expected a long that fits u8, found the long 300"
    );
    let pulled = "[:find (pull ?u [:user/email :user/age]) :where [?u :user/boss]]";
    assert_eq!(
        error(db.q(pulled).rows::<Person>().map(drop)),
        "row 0, column 0 ((pull ?u [:user/email :user/age])): nothing for db/id among \
         :user/email, :user/age"
    );
    let ambiguous = "{:a/email 1 :b/email 2 :age 3}";
    let message = User::from_edn(&form(ambiguous)).unwrap_err().to_string();
    assert!(
        message.contains(":a/email") || message.contains("a/email"),
        "{message}"
    );
    let nested = form(
        r#"{:db/id 1 :user/email "e" :user/age 1
                          :user/address [{:address/city "Bern"} {:address/city 5}]}"#,
    );
    assert_eq!(
        Person::from_edn(&nested).unwrap_err().to_string(),
        ":user/address 1 :address/city: expected a string, found the long 5"
    );
}

#[test]
fn values_go_both_ways() {
    fn both<V: FromEdn + Into<Edn> + Clone + PartialEq + std::fmt::Debug>(value: V) {
        let form: Edn = value.clone().into();
        assert_eq!(V::from_edn(&form).expect("it fits"), value, "{form}");
    }
    both("text".to_owned());
    both('c');
    both((i8::MIN, i16::MIN, i32::MIN, i64::MIN, isize::MIN, i128::MIN));
    both((u16::MAX, u32::MAX, u64::MAX, usize::MAX, u128::MAX, true));
    both((1.5f32, -0.25f64));
    both((
        BigInt::from(7),
        "1.50".parse::<BigDec>().expect("a decimal"),
    ));
    both(Instant::from_us(-1));
    both(UNIX_EPOCH - Duration::from_micros(1_500_001));
    both(SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000));
    both((Uuid::from_u128(7), Uri::new("http://x.org")));
    both((Keyword::parse("a/b"), Symbol::parse("a/b")));
    both(EntityId::new(17));
    both(vec![0u8, 255]);
    both(vec![Some(1), None]);
    both(HashSet::from([1, 2]));
    both(BTreeSet::from(["a".to_owned()]));
    both(BTreeMap::from([(Keyword::parse("a"), vec![1])]));
    both(HashMap::from([("a".to_owned(), Box::new(1))]));
    assert_eq!(Value::from(7).read::<u8>().unwrap(), 7);
    assert_eq!(
        Value::from(EntityId::new(7)).read::<EntityId>().unwrap(),
        EntityId::new(7)
    );
    assert!(i8::from_edn(&Edn::long(128)).is_err());
    assert!(u64::from_edn(&Edn::long(-1)).is_err());
    assert!(f64::from_edn(&Edn::long(1)).is_err());
    assert!(String::from_edn(&Edn::keyword("a")).is_err());
}

#[test]
fn inputs_are_rusts_own_values() {
    let db = people();
    let one = "[:find ?x . :in $ ?x]";
    assert_eq!(
        db.q(one)
            .arg(Some("a"))
            .scalar::<String>()
            .unwrap()
            .as_deref(),
        Some("a")
    );
    assert_eq!(db.q(one).arg(7u64).scalar::<u64>().unwrap(), Some(7));
    assert_eq!(
        db.q(one).arg(vec![1u8, 2]).scalar::<Vec<u8>>().unwrap(),
        Some(vec![1, 2])
    );
    let emails = ["ann@x.org", "nobody"];
    let any = "[:find [?a ...] :in $ [?e ...] :where [?u :user/email ?e] [?u :user/age ?a]]";
    assert_eq!(db.q(any).arg(emails).rows::<i64>().unwrap(), [31]);
    assert_eq!(db.q(any).arg(&emails[..]).rows::<i64>().unwrap(), [31]);
    assert_eq!(
        db.q(any).arg(HashSet::from(emails)).rows::<i64>().unwrap(),
        [31]
    );
    let list = emails.to_vec();
    let age = Edn::long(31);
    assert_eq!(db.q(any).arg(&list).collection::<Edn>().unwrap(), [age]);
    let tuple = "[:find ?u . :in $ [?e ?a] :where [?u :user/email ?e] [?u :user/age ?a]]";
    assert!(
        db.q(tuple)
            .arg(("ann@x.org", 31))
            .scalar::<EntityId>()
            .unwrap()
            .is_some()
    );
    let relation = "[:find [?n ...] :in $ [[?e ?n]] :where [?u :user/email ?e]]";
    let pairs = vec![("ann@x.org", 1), ("nobody", 2)];
    assert_eq!(db.q(relation).arg(pairs).rows::<i64>().unwrap(), [1]);
    let map = BTreeMap::from([("bob@x.org", 3)]);
    assert_eq!(db.q(relation).arg(map).rows::<i64>().unwrap(), [3]);
}
