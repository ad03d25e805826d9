//! serde in both directions: forms into types that derive it, ours into other formats and back.

use std::collections::BTreeMap;

use datomite::prelude::*;
use datomite::{BigDec, Instant, Uri, Uuid, from_edn, mem, read};
use serde::{Deserialize, Serialize};
use serde_json::json;

fn form(text: &str) -> Edn {
    read(text).expect("as set up")
}

#[derive(Deserialize, Debug, PartialEq)]
struct User {
    #[serde(rename = "users/name")]
    name: String,
    age: u8,
    read_count: i64,
    #[serde(default)]
    tags: Vec<String>,
    boss: Option<Boss>,
    status: Status,
}

#[derive(Deserialize, Debug, PartialEq)]
struct Boss {
    id: u64,
}

#[derive(Deserialize, Debug, PartialEq)]
enum Status {
    #[serde(rename = "active")]
    Active,
    #[serde(rename = "user.status/gone")]
    Gone,
}

#[test]
fn structs_take_keywords_by_name() {
    let ann = r#"{:users/name "ann" :users/age 31 :users/read-count 7 :users/status :u.s/active
                  :users/boss {:db/id 17} :pets/name "rex" :users/unknown [1]}"#;
    let ann: User = from_edn(&form(ann)).unwrap();
    let expected = User {
        name: "ann".into(),
        age: 31,
        read_count: 7,
        tags: Vec::new(),
        boss: Some(Boss { id: 17 }),
        status: Status::Active,
    };
    assert_eq!(ann, expected);
    let gone = r#"{"users/name" "b" age 1 :read_count 0 :tags #{"x"}
                   :status {:db/id 5 :db/ident :user.status/gone}}"#;
    let gone: User = from_edn(&form(gone)).unwrap();
    assert_eq!((gone.status, gone.tags.len()), (Status::Gone, 1));
}

#[test]
fn every_type_of_value_is_read() {
    #[derive(Deserialize, Debug, PartialEq)]
    struct All {
        instant: Instant,
        text: String,
        uuid: Uuid,
        uri: Uri,
        dec: BigDec,
        key: Keyword,
        value: Value,
        form: Edn,
        id: EntityId,
        big: i128,
        bytes: Vec<u8>,
        pair: (i64, Option<f64>),
        map: BTreeMap<String, i64>,
        ids: BTreeMap<i64, char>,
    }
    let text = r#"{:instant #inst "2020-01-31T12:30:00.000001" :text #inst "2020" :dec 1.50M
        :uuid #uuid "f81d4fae-7dec-11d0-a765-00a0c91e6bf6" :uri #uri "http://x.org" :key :a/b
        :value 12N :form (a :b #{1/2 nil}) :id {:db/id 7} :big 170000000000000000000000N
        :bytes #bytes "00ff" :pair [1 2.5] :map {:a/b 1} :ids {5 \x}}"#;
    let all: All = from_edn(&form(text)).unwrap();
    assert_eq!(all.instant.us(), 1);
    assert_eq!(all.text, "2020-01-01T00:00:00.000Z");
    assert_eq!(all.dec.to_string(), "1.50");
    assert_eq!((all.key, all.id), (Keyword::parse("a/b"), EntityId::new(7)));
    assert_eq!(Edn::from(all.value), form("12N"));
    assert_eq!(all.form, form("(a :b #{1/2 nil})"));
    assert_eq!(
        (all.big, all.bytes),
        (170_000_000_000_000_000_000_000, vec![0, 255])
    );
    assert_eq!(
        (all.pair, all.map["a/b"], all.ids[&5]),
        ((1, Some(2.5)), 1, 'x')
    );
    assert_eq!(all.uuid.to_string(), "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
    assert_eq!(all.uri.as_str(), "http://x.org");
}

#[test]
fn enums_hold_values_as_in_json() {
    #[derive(Deserialize, Debug, PartialEq)]
    enum Event {
        Nothing,
        Moved(i64),
        At { x: i64, y: i64 },
        Pair(i64, String),
    }
    let events: Vec<Event> = from_edn(&form(
        r#"[:Nothing {:Moved 5} {:e/At {:p/x 1 :y 2}} {"Pair" [1 "a"]}]"#,
    ))
    .unwrap();
    let expected = [
        Event::Nothing,
        Event::Moved(5),
        Event::At { x: 1, y: 2 },
        Event::Pair(1, "a".into()),
    ];
    assert_eq!(events, expected);
}

#[test]
fn what_does_not_fit_says_where() {
    let wrong = r#"{:users/name "ann" :users/age 300 :read_count 0 :status :active}"#;
    let message = from_edn::<User>(&form(wrong)).unwrap_err().to_string();
    assert!(message.starts_with(":users/age: "), "{message}");
    assert!(message.contains("300"), "{message}");
    let missing = from_edn::<User>(&form(r#"{:users/name "ann"}"#)).unwrap_err();
    assert!(missing.to_string().contains("age"), "{missing}");
    let nested = from_edn::<Vec<Boss>>(&form("[{:id 1} {:id \"x\"}]")).unwrap_err();
    assert!(nested.to_string().starts_with("1 :id: "), "{nested}");
    assert!(from_edn::<(i64, i64)>(&form("[1 2 3]")).is_err());
}

#[test]
fn rows_and_pulls_go_out_and_come_back() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Door {
        #[serde(rename = "door/state")]
        state: String,
        #[serde(rename = "door/at")]
        at: Instant,
    }
    let conn = mem();
    conn.transact(
        "[{:db/ident :door/state :db/valueType :db.type/string :db/cardinality :db.cardinality/one}
          {:db/ident :door/at :db/valueType :db.type/instant :db/cardinality :db.cardinality/one}]",
    )
    .unwrap();
    let report = conn
        .transact(r#"[{:db/id "d" :door/state "open" :door/at #inst "2020-01-31T12:30"}]"#)
        .unwrap();
    let id = report.tempids[&Edn::string("d")];
    let db = report.db_after;
    let pulled = db.pull("[:db/id :door/state :door/at]", id).unwrap();
    let door: Door = from_edn(&pulled).unwrap();
    let raw = id.raw();
    let at = "2020-01-31T12:30:00.000Z";
    let expected = json!({"db/id": raw, "door/state": "open", "door/at": at});
    assert_eq!(serde_json::to_value(&pulled).unwrap(), expected);
    let json = serde_json::to_string(&door).unwrap();
    assert_eq!(serde_json::from_str::<Door>(&json).unwrap(), door);
    let entity = db.entity(&Edn::from(id)).unwrap().expect("it is there");
    entity.touch().unwrap();
    assert_eq!(serde_json::to_value(&entity).unwrap(), expected);
    let rows = "[:find ?s ?e :where [?e :door/state ?s]]";
    let answer = db.q(rows).answer().unwrap();
    assert_eq!(
        serde_json::to_value(&answer).unwrap(),
        json!([["open", raw]])
    );
    let doors: Vec<Door> = from_edn(
        &db.q("[:find ?state ?at :keys door/state door/at
          :where [?e :door/state ?state] [?e :door/at ?at]]")
            .edn()
            .unwrap(),
    )
    .unwrap();
    assert_eq!(doors, [door]);
}

#[test]
fn forms_of_other_formats() {
    let json = r#"{"a": [1, -2, 1.5, null, true, "x"], "b": {}}"#;
    let read: Edn = serde_json::from_str(json).unwrap();
    assert_eq!(read, form(r#"{"a" [1 -2 1.5 nil true "x"] "b" {}}"#));
    let key: Keyword = serde_json::from_str(r#""users/name""#).unwrap();
    assert_eq!(key, Keyword::parse("users/name"));
    let id: EntityId = serde_json::from_str("17").unwrap();
    assert_eq!(id, EntityId::new(17));
    let dec: BigDec = serde_json::from_str(r#""1.50""#).unwrap();
    assert_eq!(dec.to_string(), "1.50");
}
