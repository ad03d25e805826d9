//! One's own functions from Rust: typed closures in every place that calls one.

use std::collections::BTreeSet;

use datomite::prelude::*;
use datomite::{Category, Connection, Error, FunctionError, Instant, Options, mem, mem_with, read};

const SCHEMA: &str = r#"[
  {:db/ident :user/name :db/valueType :db.type/string :db/cardinality :db.cardinality/one
   :db/unique :db.unique/identity}
  {:db/ident :user/age :db/valueType :db.type/long :db/cardinality :db.cardinality/one}
  {:db/ident :user/score :db/valueType :db.type/double :db/cardinality :db.cardinality/one}]"#;

const PEOPLE: &str = r#"[{:user/name "ann" :user/age 31 :user/score 1.5}
                         {:user/name "bob" :user/age 17 :user/score 2.5}
                         {:user/name "cid" :user/age 45 :user/score 9.0}]"#;

fn people() -> Connection {
    let conn = mem();
    conn.transact(SCHEMA).expect("as set up");
    conn.transact(PEOPLE).expect("as set up");
    conn
}

fn names(conn: &Connection, clause: &str) -> Result<BTreeSet<String>, datomite::QueryError> {
    let query = format!(
        "[:find [?n ...] :where [?u :user/name ?n] [?u :user/age ?a] [?u :user/score ?s] {clause}]"
    );
    Ok(conn.db().q(&query).rows::<String>()?.into_iter().collect())
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
fn predicates_and_functions_of_queries() {
    let conn = people();
    conn.register("my/adult?", |age: i64| age >= 18);
    conn.register("my/like?", |age: u8, name: &str| {
        age > 20 && name.starts_with('a')
    });
    conn.register("my/shout", |name: &str| name.to_uppercase());
    conn.register("my/halves", |age: i64| (age % 2 == 0).then_some(age / 2));
    conn.register("my/letters", |name: String| {
        name.chars().map(String::from).collect::<Vec<_>>()
    });
    conn.register("my/pair", |name: &str, age: i64| (age, name.to_owned()));
    conn.register("my/count", |all: &[Edn]| all.len());
    assert_eq!(
        names(&conn, "[(my/adult? ?a)]").unwrap(),
        set(["ann", "cid"])
    );
    assert_eq!(
        names(&conn, "(not [(my/adult? ?a)])").unwrap(),
        set(["bob"])
    );
    assert_eq!(names(&conn, "[(my/like? ?a ?n)]").unwrap(), set(["ann"]));
    let db = conn.db();
    let one = |clause: &str| {
        let query =
            format!("[:find ?x . :where [?u :user/name \"ann\"] [?u :user/age ?a] {clause}]");
        db.q(&query).edn().unwrap()
    };
    assert_eq!(one("[(my/shout \"ann\") ?x]"), Edn::string("ANN"));
    assert_eq!(one("[(my/letters \"xyz\") [_ ?x _]]"), Edn::string("y"));
    assert_eq!(one("[(my/pair \"x\" ?a) [?n ?x]]"), Edn::string("x"));
    assert_eq!(one("[(my/count 1 nil :a) ?x]"), Edn::long(3));
    // Nil, which `None` is, binds nothing.
    assert_eq!(one("[(my/halves ?a) ?x]"), Edn::Nil);
    assert_eq!(one("[(my/halves 10) ?x]"), Edn::long(5));
}

#[test]
fn functions_over_a_database() {
    let conn = people();
    conn.register("my/age", |db: &Db, name: &str| {
        let found = db.entity(&Edn::from((Keyword::parse("user/name"), name)))?;
        let age = found.map(|user| user.read::<i64>(":user/age"));
        Ok(age.transpose()?)
    });
    assert_eq!(
        conn.db()
            .q("[:find ?x . :where [(my/age $ \"cid\") ?x]]")
            .edn()
            .unwrap(),
        Edn::long(45)
    );
    // The same in another source, in a fork and in the past.
    let fork = conn.fork().unwrap();
    fork.transact(r#"[{:user/name "cid" :user/age 46}]"#)
        .unwrap();
    let both = "[:find [?x ?y] :in $ $f :where [(my/age $ \"cid\") ?x] [(my/age $f \"cid\") ?y]]";
    let ages: Option<(i64, i64)> = conn.db().q(both).arg(fork.db()).first().unwrap();
    assert_eq!(ages, Some((45, 46)));
    let before = fork.db().as_of(conn.db().basis_t()).unwrap();
    let ask = "[:find ?x . :where [(my/age $ \"cid\") ?x]]";
    assert_eq!(before.q(ask).scalar::<i64>().unwrap(), Some(45));
}

#[test]
fn transaction_functions_are_typed() {
    let conn = people();
    conn.register("my/older", |db: &Db, name: &str, years: i64| {
        let lookup = Edn::from((Keyword::parse("user/name"), name));
        let user = db.entity(&lookup)?.ok_or("nobody of that name")?;
        let age: i64 = user.read(":user/age")?;
        if age + years > 150 {
            return Err(FunctionError::cancel(Category::Conflict, "too old"));
        }
        Ok(edn!(
            "[[:db/add ?u :user/age ?a]]",
            u = user.id(),
            a = age + years
        ))
    });
    conn.transact("[[my/older \"bob\" 3]]").unwrap();
    assert_eq!(names(&conn, "[(= ?a 20)]").unwrap(), set(["bob"]));
    let error = |tx: &str| Error::from(conn.transact(tx).unwrap_err());
    assert_eq!(
        error("[[my/older \"bob\" 300]]").category(),
        Category::Conflict
    );
    let nobody = error("[[my/older \"zed\" 3]]").to_string();
    assert!(nobody.contains("nobody of that name"), "{nobody}");
    let wrong = error("[[my/older \"bob\" \"3\"]]");
    assert_eq!(wrong.category(), Category::Incorrect);
    let text = wrong.to_string();
    let says = "argument 2: expected a long, found the string \"3\"";
    assert!(text.contains("my/older") && text.contains(says), "{text}");
    assert!(
        error("[[my/older \"bob\"]]")
            .to_string()
            .contains("expected 2")
    );
}

#[test]
fn aggregates_take_constants_and_the_collection() {
    let conn = people();
    conn.register("my/spread", |ages: &[i64]| {
        ages.iter()
            .max()
            .zip(ages.iter().min())
            .map(|(most, least)| most - least)
    });
    conn.register("my/quantile", |part: f64, mut scores: Vec<f64>| {
        scores.sort_by(f64::total_cmp);
        scores.get((part * scores.len() as f64) as usize).copied()
    });
    conn.register("my/joined", |separator: &str, names: &[String]| {
        let mut names = names.to_vec();
        names.sort();
        names.join(separator)
    });
    let db = conn.db();
    let find = |find: &str| {
        let query = format!(
            "[:find {find} . :where [?u :user/name ?n] [?u :user/age ?a] [?u :user/score ?s]]"
        );
        db.q(&query).edn()
    };
    assert_eq!(find("(my/spread ?a)").unwrap(), Edn::long(28));
    assert_eq!(find("(my/quantile 0.5 ?s)").unwrap(), Edn::from(2.5));
    assert_eq!(
        find("(my/joined \", \" ?n)").unwrap(),
        Edn::string("ann, bob, cid")
    );
    let error = find("(my/spread ?n)").unwrap_err().to_string();
    assert!(
        error.starts_with("my/spread: argument 1: 0: expected a long"),
        "{error}"
    );
}

#[test]
fn xforms_and_predicates_of_attributes_and_entities() {
    let conn = people();
    conn.register("my/decade", |age: Option<i64>| age.map(|age| age / 10 * 10));
    conn.register("my/sane?", |age: i64| (0..150).contains(&age));
    conn.register("my/named?", |db: &Db, user: EntityId| {
        let user = db.entity(&Edn::from(user))?.ok_or("no entity")?;
        let name: Option<String> = user.read(":user/name")?;
        Ok(name.is_some_and(|name| !name.is_empty()))
    });
    let pattern = "[(:user/age :xform my/decade)]";
    let ann = read(r#"[:user/name "ann"]"#).unwrap();
    let pulled = conn.db().pull(pattern, ann).unwrap();
    assert_eq!(pulled.read::<i64>(":user/age").unwrap(), 30);
    conn.transact(
        "[{:db/id :user/age :db.attr/preds my/sane?}
          {:db/ident :user/check :db.entity/preds my/named?}]",
    )
    .unwrap();
    let code = |tx: &str| {
        conn.transact(tx)
            .map(drop)
            .map_err(|e| e.code().map(|k| k.to_string()))
    };
    assert_eq!(
        code(r#"[{:user/name "dan" :user/age 200}]"#),
        Err(Some(":db.error/attr-pred".into()))
    );
    assert_eq!(
        code(r#"[{:user/name "" :db/ensure :user/check}]"#),
        Err(Some(":db.error/entity-pred".into()))
    );
    assert_eq!(
        code(r#"[{:user/name "dan" :user/age 20 :db/ensure :user/check}]"#),
        Ok(())
    );
}

#[test]
fn wrong_arguments_name_function_position_and_types() {
    let conn = people();
    conn.register("my/like?", |age: u8, name: &str| {
        age > 20 && name.starts_with('a')
    });
    let error = names(&conn, "[(my/like? ?n ?a)]").unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("my/like?: argument 1: expected a long that fits u8, found the string"),
        "{text}"
    );
    assert_eq!(error.category(), Category::Incorrect);
    let text = names(&conn, "[(my/like? ?a)]").unwrap_err().to_string();
    assert!(
        text.contains("my/like?: wrong number of args (1) passed, expected 2"),
        "{text}"
    );
    let text = names(&conn, "[(my/like? $ ?a ?n)]")
        .unwrap_err()
        .to_string();
    assert!(text.contains("takes values, no database"), "{text}");
    conn.register("my/fails", |_: Instant| Ok("x".parse::<i64>()?));
    let text = names(&conn, "[(my/fails #inst \"2020\") ?x]")
        .unwrap_err()
        .to_string();
    assert_eq!(text, "my/fails: invalid digit found in string");
    let text = names(&conn, "[(my/lik? ?a ?n)]").unwrap_err().to_string();
    assert!(text.contains("my/like?"), "{text}");
}

#[test]
fn functions_come_with_options_and_are_shared_by_forks() {
    let options = Options::new().register("my/twice", |n: i64| n * 2);
    let conn = mem_with(options);
    let twice = "[:find ?x . :in $ ?n :where [(my/twice ?n) ?x]]";
    assert_eq!(conn.db().q(twice).arg(4).scalar::<i64>().unwrap(), Some(8));
    let fork = conn.fork().unwrap();
    fork.register("my/twice", |n: i64| n + n + 1);
    assert_eq!(conn.db().q(twice).arg(4).scalar::<i64>().unwrap(), Some(9));
}
