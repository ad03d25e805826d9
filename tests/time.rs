//! Time further than Datomic: branches of the past, and what differs between two values.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use datomite::prelude::*;
use datomite::{AttributeChange, Diff, Index, Instant, Options, T, mem_with};
use datomite_tests::generate::Random;

const SCHEMA: &str = r#"[
  {:db/ident :p/name  :db/valueType :db.type/string :db/cardinality :db.cardinality/one
   :db/unique :db.unique/identity}
  {:db/ident :p/age   :db/valueType :db.type/long   :db/cardinality :db.cardinality/one}
  {:db/ident :p/tag   :db/valueType :db.type/string :db/cardinality :db.cardinality/many}
  {:db/ident :p/boss  :db/valueType :db.type/ref    :db/cardinality :db.cardinality/one}]"#;

/// A clock that moves a second at each look, so that runs are equal.
fn ticking() -> Options {
    let now = Arc::new(AtomicI64::new(1_600_000_000_000));
    Options::new().clock(move || Instant::from_ms(now.fetch_add(1000, Ordering::SeqCst)))
}

fn people() -> Connection {
    let conn = mem_with(ticking());
    conn.transact(SCHEMA).expect("as set up");
    conn.transact(r#"[{:p/name "ann" :p/age 30 :p/tag ["x" "y"]} {:p/name "bob" :p/age 17}]"#)
        .expect("as set up");
    conn
}

fn past(conn: &Connection, t: T) -> Connection {
    conn.db()
        .as_of(t)
        .expect("a view")
        .fork()
        .expect("a branch")
}

fn id(db: &Db, name: &str) -> EntityId {
    let lookup = Edn::from((Keyword::parse("p/name"), name));
    db.entid(&lookup).expect("a read").expect("it is there")
}

fn age(db: &Db, name: &str) -> i64 {
    let entity = db.entity(&Edn::from(id(db, name))).expect("a read");
    entity.expect("it is there").read(":p/age").expect("an age")
}

/// Each change as text: `name attribute old -> new`.
fn told(diff: &Diff) -> Vec<String> {
    let mut lines = Vec::new();
    for change in &diff.changes {
        let name = match (&change.ident, &change.name) {
            (Some(ident), _) => ident.to_string(),
            (None, Some((_, value))) => value.to_string(),
            (None, None) => change.entity.to_string(),
        };
        let mark = match (change.appeared, change.gone) {
            (true, _) => "+",
            (_, true) => "-",
            _ => "",
        };
        for AttributeChange {
            attribute,
            old,
            new,
            ..
        } in &change.attributes
        {
            lines.push(format!("{mark}{name} {attribute} {old:?} -> {new:?}"));
        }
    }
    lines
}

#[test]
fn a_branch_of_the_past_hands_out_the_ids_of_then() {
    let conn = people();
    let t = conn.db().basis_t();
    let new = r#"[{:db/id "new" :p/name "cid"} {:db/ident :p/mail :db/valueType :db.type/string
        :db/cardinality :db.cardinality/one}
        {:db/ident :p.part/a :db.install/_partition :db.part/db}]"#;
    let there = conn.transact(new).unwrap();
    conn.transact(r#"[{:p/name "dan"}]"#).unwrap();
    let branch = past(&conn, t);
    assert_eq!(
        (branch.db().basis_t(), branch.db().next_t()),
        (t, there.db_before.next_t())
    );
    let here = branch.transact(new).unwrap();
    let facts = |report: &TxReport| -> Vec<_> {
        let of_entities = report.tx_data.iter().filter(|datom| !datom.e.is_tx());
        of_entities
            .map(|datom| (datom.e, datom.a, datom.v.clone(), datom.tx))
            .collect()
    };
    assert_eq!(facts(&here), facts(&there));
    assert_eq!(here.tempids, there.tempids);
    let names = "[:find (count ?n) . :where [_ :p/name ?n]]";
    let count = |conn: &Connection| conn.db().q(names).scalar::<usize>().unwrap();
    assert_eq!((count(&conn), count(&branch)), (Some(4), Some(3)));
}

#[test]
fn a_branch_of_the_past_has_the_schema_of_then() {
    let conn = people();
    let t = conn.db().basis_t();
    for tx in [
        r#"[{:db/ident :p/mail :db/valueType :db.type/string :db/cardinality :db.cardinality/one}
            {:db/id :p/age :db/index true}]"#,
        r#"[{:p/name "ann" :p/mail "a@x"} {:db/id :p/age :db/unique :db.unique/value}
            {:db/id :p/boss :db/cardinality :db.cardinality/many}
            {:db/id :p/tag :db/ident :p/label}]"#,
    ] {
        conn.transact(tx).unwrap();
    }
    let branch = past(&conn, t);
    let db = branch.db();
    let find = |name: &str| db.attribute(&Edn::keyword(name)).expect("a name");
    assert!(find("p/mail").is_none() && find("p/label").is_none());
    assert_eq!(find("p/age").unwrap().unique, None);
    assert!(!find("p/boss").unwrap().is_many());
    assert!(find("p/tag").unwrap().is_many());
    assert!(db.q("[:find ?e :where [?e :p/mail]]").answer().is_err());
    assert!(
        branch
            .transact(r#"[{:p/name "ann" :p/mail "a@x"}]"#)
            .is_err()
    );
    // What the present refuses, the branch takes: equal ages, and another type of that name.
    assert!(conn.transact(r#"[{:p/name "eve" :p/age 30}]"#).is_err());
    branch.transact(r#"[{:p/name "eve" :p/age 30}]"#).unwrap();
    branch
        .transact(
            "[{:db/ident :p/mail :db/valueType :db.type/long :db/cardinality :db.cardinality/one}]",
        )
        .unwrap();
    branch.transact(r#"[{:p/name "ann" :p/mail 5}]"#).unwrap();
    let mail = "[:find ?m . :where [_ :p/mail ?m]]";
    assert_eq!(branch.db().q(mail).edn().unwrap(), Edn::long(5));
    assert_eq!(conn.db().q(mail).edn().unwrap(), Edn::string("a@x"));
}

#[test]
fn a_branch_of_the_past_has_the_history_log_and_uniqueness_of_then() {
    let conn = people();
    conn.transact(r#"[{:p/name "ann" :p/age 31}]"#).unwrap();
    let t = conn.db().basis_t();
    let bob = id(&conn.db(), "bob");
    conn.transact(r#"[{:p/name "ann" :p/age 32} [:db/retractEntity [:p/name "bob"]]]"#)
        .unwrap();
    conn.transact(r#"[{:p/name "ann" :p/age 31} {:p/name "bob" :p/age 1}]"#)
        .unwrap();
    let branch = past(&conn, t);
    let db = branch.db();
    let ages = "[:find [?a ...] :where [?e :p/name \"ann\"] [?e :p/age ?a _ true]]";
    let mut known: Vec<i64> = db.history().q(ages).rows().unwrap();
    known.sort();
    assert_eq!(known, [30, 31]);
    let txs = |conn: &Connection| conn.log().tx_range(None, None).unwrap().count();
    assert_eq!((txs(&branch), txs(&conn)), (3, 5));
    // Bob is still the one he was; the present has made another.
    assert_eq!((id(&db, "bob"), age(&db, "bob")), (bob, 17));
    assert_ne!(id(&conn.db(), "bob"), bob);
    branch.transact(r#"[{:p/name "bob" :p/age 18}]"#).unwrap();
    assert_eq!(id(&branch.db(), "bob"), bob);
    assert_eq!((age(&branch.db(), "bob"), age(&conn.db(), "bob")), (18, 1));
    // Within the branch time goes on: its own past and its own as-of.
    let then = branch.db().as_of(t).unwrap();
    assert_eq!((age(&then, "bob"), age(&branch.db(), "bob")), (17, 18));
    let instants = "[:find [?i ...] :where [_ :db/txInstant ?i]]";
    let mut instants: Vec<Instant> = branch.db().q(instants).rows().unwrap();
    instants.sort();
    instants.dedup();
    assert_eq!(
        instants.len(),
        5,
        "bootstrap has one, each transaction one of its own"
    );
}

#[test]
fn a_branch_of_a_branch_and_functions_in_it() {
    let conn = people();
    conn.register("my/next", |age: i64| age + 1);
    let t = conn.db().basis_t();
    let branch = past(&conn, t);
    branch.transact(r#"[{:p/name "ann" :p/age 40}]"#).unwrap();
    branch.transact(r#"[{:p/name "ann" :p/age 50}]"#).unwrap();
    let inner = past(&branch, T::new(branch.db().basis_t().raw() - 1));
    assert_eq!(age(&inner.db(), "ann"), 40);
    inner.transact(r#"[{:p/name "ann" :p/age 41}]"#).unwrap();
    let root = past(&inner, t);
    assert_eq!(age(&root.db(), "ann"), 30);
    let ages = [&conn, &branch, &inner, &root].map(|conn| age(&conn.db(), "ann"));
    assert_eq!(ages, [30, 50, 41, 30]);
    assert_eq!(
        inner.db().parent().map(|(parent, _)| parent),
        Some(branch.db().id())
    );
    let ask = "[:find ?n . :where [?e :p/name \"ann\"] [?e :p/age ?a] [(my/next ?a) ?n]]";
    assert_eq!(inner.db().q(ask).scalar::<i64>().unwrap(), Some(42));
    // The other parts of a view do not matter to a branch.
    let filtered = branch.db().since(t).unwrap().filter(|_, _| false).history();
    assert_eq!(age(&filtered.fork().unwrap().db(), "ann"), 50);
    let before_all = conn.db().as_of(0).unwrap().fork().unwrap();
    assert!(
        before_all
            .db()
            .attribute(&Edn::keyword("p/name"))
            .unwrap()
            .is_none()
    );
}

#[test]
fn waiting_for_what_is_there_does_not_wait() {
    let conn = people();
    let t = conn.db().basis_t();
    for db in [
        conn.sync_to(t, 0),
        conn.sync_schema(t, 0),
        conn.sync_index(t, 0),
    ] {
        assert_eq!(db.unwrap(), conn.db());
    }
    assert!(conn.sync_schema(T::new(t.raw() + 1), 0).is_err());
    let made = datomite::squuid_time_millis(conn.squuid().unwrap());
    let (year_2020, year_2021) = (1_600_000_000_000, 1_700_000_000_000);
    assert!(
        (year_2020..year_2021).contains(&made) && made % 1000 == 0,
        "{made}"
    );
}

#[test]
fn a_diff_of_two_times_in_either_order() {
    let conn = people();
    let before = conn.db().basis_t();
    conn.transact(
        r#"[{:p/name "ann" :p/age 31 :p/tag "z" :p/boss [:p/name "bob"]}
            [:db/retract [:p/name "ann"] :p/tag "x"]]"#,
    )
    .unwrap();
    conn.transact(r#"[{:p/name "cid"} [:db/retractEntity [:p/name "bob"]]]"#)
        .unwrap();
    conn.transact(r#"[{:p/name "ann" :p/age 30}]"#).unwrap();
    let db = conn.db();
    let forth = db.diff(before, db.basis_t()).unwrap();
    assert_eq!((forth.from, forth.to), (before, db.basis_t()));
    assert_eq!(
        told(&forth),
        [
            r#""ann" :p/tag ["x"] -> ["z"]"#,
            r#"-"bob" :p/age [17] -> []"#,
            r#"-"bob" :p/name ["bob"] -> []"#,
            r#"+"cid" :p/name [] -> ["cid"]"#,
        ]
    );
    let back = db.diff(db.basis_t(), before).unwrap();
    assert_eq!(
        told(&back),
        [
            r#""ann" :p/tag ["z"] -> ["x"]"#,
            r#"+"bob" :p/age [] -> [17]"#,
            r#"+"bob" :p/name [] -> ["bob"]"#,
            r#"-"cid" :p/name ["cid"] -> []"#,
        ]
    );
    // The same by transaction and by instant, also beyond both ends.
    assert_eq!(db.diff(before.tx(), db.basis_t().tx()).unwrap(), forth);
    let instant: Instant = db
        .entity(&Edn::from(before.tx()))
        .unwrap()
        .expect("a transaction")
        .read(":db/txInstant")
        .unwrap();
    let late = Instant::from_ms(i64::MAX);
    assert_eq!(told(&db.diff(instant, late).unwrap()), told(&forth));
    assert_eq!(db.diff(instant, late).unwrap().to, db.basis_t());
    assert!(db.diff(before, before).unwrap().is_empty());
    let ever = db.diff(-1, db.basis_t()).unwrap();
    assert!(ever.changes.iter().any(|change| change.appeared));
    let ann = forth.entity(id(&db, "ann")).expect("she changed");
    let tags = ann.attribute(":p/tag").expect("they changed");
    assert_eq!((tags.old.len(), tags.new.len()), (1, 1));
}

#[test]
fn a_diff_over_changes_of_the_schema() {
    let conn = people();
    let before = conn.db().basis_t();
    conn.transact(
        r#"[{:db/id :p/tag :db/ident :p/label} {:db/id :p/age :db/cardinality :db.cardinality/many}
            {:db/ident :p/mail :db/valueType :db.type/string
             :db/cardinality :db.cardinality/one}]"#,
    )
    .unwrap();
    conn.transact(r#"[{:p/name "ann" :p/label "z" :p/age [31 32] :p/mail "a@x"}]"#)
        .unwrap();
    let db = conn.db();
    let diff = db.diff(before, db.basis_t()).unwrap();
    let lines = told(&diff);
    assert_eq!(
        lines[..3],
        [
            r#""ann" :p/age [] -> [31, 32]"#,
            r#""ann" :p/label [] -> ["z"]"#,
            r#""ann" :p/mail [] -> ["a@x"]"#,
        ]
    );
    let has = |text: &str| lines.iter().any(|line| line.contains(text));
    assert!(
        has(":p/label :db/ident [:p/tag] -> [:p/label]"),
        "{lines:#?}"
    );
    assert!(has("+:p/mail :db/ident [] -> [:p/mail]"), "{lines:#?}");
    assert!(has(":p/age :db/cardinality "), "{lines:#?}");
}

#[test]
fn a_branch_is_compared_with_what_it_left() {
    let conn = people();
    let t = conn.db().basis_t();
    conn.transact(r#"[{:p/name "ann" :p/age 31} {:p/name "cid"}]"#)
        .unwrap();
    let branch = past(&conn, t);
    branch.transact(r#"[{:p/name "ann" :p/age 99}]"#).unwrap();
    let expected = [
        r#""ann" :p/age [31] -> [99]"#,
        r#"-"cid" :p/name ["cid"] -> []"#,
    ];
    assert_eq!(told(&conn.db().diff_to(&branch.db()).unwrap()), expected);
    let back = told(&branch.db().diff_to(&conn.db()).unwrap());
    assert_eq!(back[0], r#""ann" :p/age [99] -> [31]"#);
    // Two branches, and a branch of a branch with the first database.
    let other = past(&conn, t);
    other.transact(r#"[{:p/name "bob" :p/age 1}]"#).unwrap();
    let both = told(&other.db().diff_to(&branch.db()).unwrap());
    assert_eq!(
        both,
        [
            r#""ann" :p/age [30] -> [99]"#,
            r#""bob" :p/age [1] -> [17]"#
        ]
    );
    let inner = branch.fork().unwrap();
    inner.transact(r#"[{:p/name "bob" :p/age 2}]"#).unwrap();
    assert_eq!(
        told(&conn.db().diff_to(&inner.db()).unwrap()),
        [expected[0], r#""bob" :p/age [17] -> [2]"#, expected[1]]
    );
    // As of a time of each.
    let (then, there) = (conn.db().as_of(t).unwrap(), inner.db().as_of(t).unwrap());
    assert!(then.diff_to(&there).unwrap().is_empty());
}

#[test]
fn what_would_be_is_compared_too() {
    let conn = people();
    let db = conn.db();
    let one = db.with(r#"[{:p/name "ann" :p/age 1}]"#).unwrap().db_after;
    let two = db.with(r#"[{:p/name "bob" :p/age 2}]"#).unwrap().db_after;
    assert_eq!(
        told(&db.diff_to(&one).unwrap()),
        [r#""ann" :p/age [30] -> [1]"#]
    );
    let between = told(&one.diff_to(&two).unwrap());
    assert_eq!(
        between,
        [r#""ann" :p/age [1] -> [30]"#, r#""bob" :p/age [17] -> [2]"#]
    );
    let further = one.with(r#"[{:p/name "bob" :p/age 3}]"#).unwrap().db_after;
    let chain = told(&further.diff_to(&two).unwrap());
    assert_eq!(
        chain,
        [r#""ann" :p/age [1] -> [30]"#, r#""bob" :p/age [3] -> [2]"#]
    );
    conn.transact(r#"[{:p/name "ann" :p/age 4}]"#).unwrap();
    assert_eq!(
        told(&one.diff_to(&conn.db()).unwrap()),
        [r#""ann" :p/age [1] -> [4]"#]
    );
}

/// What a value shows, but for transactions: entity, attribute by name, value.
fn facts(db: &Db) -> BTreeSet<(EntityId, Keyword, Value)> {
    let datoms = db.datoms(Index::Eavt, &[]).expect("a read");
    let datoms = datoms.map(|datom| datom.expect("a datom"));
    datoms
        .filter(|datom| !datom.e.is_tx())
        .map(|datom| (datom.e, db.ident(datom.a).expect("an attribute"), datom.v))
        .collect()
}

/// A diff applied to what was must give what is, and say nothing that did not change.
fn check_diff(diff: &Diff, before: &Db, after: &Db) {
    let mut all = facts(before);
    for change in &diff.changes {
        for attribute in &change.attributes {
            let fact = |v: &Value| (change.entity, attribute.attribute.clone(), v.clone());
            assert!(
                attribute.old.iter().all(|v| all.remove(&fact(v))),
                "{change:?}"
            );
            assert!(
                attribute.new.iter().all(|v| all.insert(fact(v))),
                "{change:?}"
            );
        }
        let is_there = |db: &Db| db.datoms(Index::Eavt, &[Edn::from(change.entity)]);
        assert_eq!(
            is_there(before).expect("the reading").next().is_none(),
            change.appeared
        );
        assert_eq!(
            is_there(after).expect("the reading").next().is_none(),
            change.gone
        );
    }
    assert_eq!(all, facts(after));
}

fn random_tx(random: &mut Random) -> String {
    let mut ops = Vec::new();
    for _ in 0..=random.below(3) {
        let (name, other) = (
            random.pick(&["ann", "bob", "cid", "dan"]),
            random.pick(&["ann", "bob"]),
        );
        let (n, tag) = (random.below(4), random.pick(&["x", "y", "z"]));
        ops.push(match random.below(8) {
            0 | 1 => format!("{{:p/name {name:?} :p/age {n}}}"),
            2 => format!("{{:p/name {name:?} :p/tag [{tag:?} \"w{n}\"]}}"),
            3 => format!("[:db/retract [:p/name {name:?}] :p/tag {tag:?}]"),
            4 => format!("[:db/retract [:p/name {name:?}] :p/age]"),
            5 => format!("[:db/retractEntity [:p/name {name:?}]]"),
            6 => format!("[:db/add [:p/name {name:?}] :p/boss [:p/name {other:?}]]"),
            _ => format!(
                "{{:db/ident :p/new{n} :db/valueType :db.type/long \
                 :db/cardinality :db.cardinality/one}}"
            ),
        });
    }
    format!("[{}]", ops.join(" "))
}

/// Transacts what is accepted; the values after each.
fn play(conn: &Connection, random: &mut Random, count: usize) -> Vec<Db> {
    let mut values = vec![conn.db()];
    for _ in 0..count {
        let report = conn.transact(random_tx(random).as_str());
        values.extend(report.ok().map(|report| report.db_after));
    }
    values
}

#[test]
fn random_diffs_say_exactly_what_changed() {
    let mut changed = 0;
    for seed in 1..=60 {
        let random = &mut Random::new(seed);
        let conn = people();
        let values = play(&conn, random, 12);
        let now = conn.db();
        for _ in 0..6 {
            let (before, after) = (random.pick(&values), random.pick(&values));
            let diff = now.diff(before.basis_t(), after.basis_t()).unwrap();
            check_diff(&diff, before, after);
            check_diff(&before.diff_to(after).unwrap(), before, after);
            changed += usize::from(!diff.is_empty());
        }
        let left = random.pick(&values);
        let branch = past(&conn, left.basis_t());
        assert_eq!(facts(&branch.db()), facts(left), "seed {seed}");
        let there = play(&branch, random, 4);
        let inner = past(&branch, random.pick(&there).basis_t());
        play(&inner, random, 3);
        let here = conn.db();
        for other in [branch.db(), inner.db(), random.pick(&there).clone()] {
            check_diff(&here.diff_to(&other).unwrap(), &here, &other);
            check_diff(&other.diff_to(&here).unwrap(), &other, &here);
        }
        let tx = random_tx(random);
        if let Ok(report) = branch.db().with(tx.as_str()) {
            check_diff(
                &inner.db().diff_to(&report.db_after).unwrap(),
                &inner.db(),
                &report.db_after,
            );
            check_diff(
                &report.db_after.diff_to(&here).unwrap(),
                &report.db_after,
                &here,
            );
        }
    }
    assert!(changed > 200, "only {changed} of 360 differ");
}
