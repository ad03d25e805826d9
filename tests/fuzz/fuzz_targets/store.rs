//! The database that is asked: small, of every type, with cycles.

use datomite::{Db, mem};

const SCHEMA: &str = r#"[
  {:db/ident :person/name :db/valueType :db.type/string :db/cardinality :db.cardinality/one
   :db/index true}
  {:db/ident :person/email :db/valueType :db.type/string :db/cardinality :db.cardinality/one
   :db/unique :db.unique/identity}
  {:db/ident :person/age :db/valueType :db.type/long :db/cardinality :db.cardinality/one
   :db/index true}
  {:db/ident :person/height :db/valueType :db.type/double :db/cardinality :db.cardinality/one}
  {:db/ident :person/nicknames :db/valueType :db.type/string :db/cardinality :db.cardinality/many}
  {:db/ident :person/friends :db/valueType :db.type/ref :db/cardinality :db.cardinality/many}
  {:db/ident :person/boss :db/valueType :db.type/ref :db/cardinality :db.cardinality/one}
  {:db/ident :person/pets :db/valueType :db.type/ref :db/cardinality :db.cardinality/many
   :db/isComponent true}
  {:db/ident :person/born :db/valueType :db.type/instant :db/cardinality :db.cardinality/one}
  {:db/ident :node/id :db/valueType :db.type/long :db/cardinality :db.cardinality/one
   :db/unique :db.unique/identity}
  {:db/ident :node/next :db/valueType :db.type/ref :db/cardinality :db.cardinality/many}
  {:db/ident :v/keyword :db/valueType :db.type/keyword :db/cardinality :db.cardinality/many}
  {:db/ident :v/bigdec :db/valueType :db.type/bigdec :db/cardinality :db.cardinality/many}
  {:db/ident :v/bigint :db/valueType :db.type/bigint :db/cardinality :db.cardinality/many}
  {:db/ident :v/boolean :db/valueType :db.type/boolean :db/cardinality :db.cardinality/many}
  {:db/ident :v/uuid :db/valueType :db.type/uuid :db/cardinality :db.cardinality/one}]"#;

const FACTS: &str = r#"[
  {:db/id "ann" :person/name "Ann" :person/email "ann@x.org" :person/age 31 :person/height 1.71
   :person/nicknames ["A" "annie"] :person/friends ["bob" "cyd"] :person/boss "cyd"
   :person/pets [{:person/name "Rex"} {:person/name "Tom" :person/pets [{:person/name "Flea"}]}]
   :person/born #inst "1990-01-02T03:04:05.006Z"}
  {:db/id "bob" :person/name "Bob" :person/email "bob@x.org" :person/age 25
   :person/friends ["ann"] :person/boss "ann"}
  {:db/id "cyd" :person/name "Cyd" :person/age 31 :person/boss "cyd" :person/height ##NaN}
  {:db/id "1" :node/id 1 :node/next ["2" "3"] :v/keyword [:a :b/c] :v/bigdec [1.0M 2.50M]}
  {:db/id "2" :node/id 2 :node/next ["3"] :v/bigint [1N 12345678901234567890N]}
  {:db/id "3" :node/id 3 :node/next ["1"] :v/boolean [true false]
   :v/uuid #uuid "550e8400-e29b-41d4-a716-446655440000"}]"#;

/// The database.
pub fn db() -> Db {
    let conn = mem();
    conn.transact(SCHEMA).expect("a schema");
    conn.transact(FACTS).expect("facts");
    let report = conn.transact("[[:db/add [:node/id 2] :node/next [:node/id 1]]]");
    report.expect("a fact").db_after
}
