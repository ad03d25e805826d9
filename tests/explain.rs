//! `explain` and query-stats: what is told is what was done.
//!
//! The expected query-stats are what a live Datomic peer gives for the same data and queries, with
//! the clauses in an order that both choose.

use datomite::{Ask, Connection, Edn, Explanation, Index, Operator, mem, read};

const SCHEMA: &str = r#"[
  {:db/ident :p/name :db/valueType :db.type/string :db/cardinality :db.cardinality/one
   :db/index true}
  {:db/ident :p/age :db/valueType :db.type/long :db/cardinality :db.cardinality/one}
  {:db/ident :p/friend :db/valueType :db.type/ref :db/cardinality :db.cardinality/many}]"#;

const FACTS: &str = r#"[
  {:db/id "a" :p/name "ann" :p/age 30 :p/friend ["b" "c"]}
  {:db/id "b" :p/name "bob" :p/age 25 :p/friend "c"}
  {:db/id "c" :p/name "cyd" :p/age 41}
  {:p/name "x" :p/age 3}]"#;

const RULES: &str = "[[(reach ?a ?b) [?a :p/friend ?b] [?a :p/name]]
                      [(reach ?a ?b) [?a :p/friend ?x] (reach ?x ?b)]]";

fn people() -> Connection {
    let conn = mem();
    conn.transact(SCHEMA).expect("a schema");
    conn.transact(FACTS).expect("facts");
    conn
}

fn explained(query: &str, args: &[&str]) -> Explanation {
    let db = people().db();
    let mut question = db.q(query);
    for arg in args {
        question = question.arg(read(arg).expect("EDN"));
    }
    question.explain().expect("an answer")
}

fn phases(query: &str, args: &[&str]) -> Edn {
    let stats = explained(query, args).query_stats();
    let asked = stats.get(&Edn::keyword("query")).expect("the query");
    assert_eq!(*asked, read(query).expect("EDN"));
    stats.get(&Edn::keyword("phases")).expect("phases").clone()
}

fn check(query: &str, args: &[&str], expected: &str) {
    let (phases, expected) = (phases(query, args), read(expected).expect("EDN"));
    assert!(
        same(&phases, &expected),
        "{query}\n  {phases}\n  {expected}"
    );
}

/// Lists and vectors alike, what is bound in any order.
fn same(a: &Edn, b: &Edn) -> bool {
    match (a, b) {
        (Edn::Map(x), Edn::Map(y)) => {
            x.len() == y.len()
                && x.iter().all(|(key, value)| match b.get(key) {
                    Some(other) if is_unordered(key) => sorted(value) == sorted(other),
                    Some(other) => same(value, other),
                    None => false,
                })
        }
        _ => match (a.as_sequence(), b.as_sequence()) {
            (Some(x), Some(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y)),
            _ => a == b,
        },
    }
}

fn is_unordered(key: &Edn) -> bool {
    ["binds-in", "binds-out"]
        .iter()
        .any(|name| *key == Edn::keyword(name))
}

fn sorted(form: &Edn) -> Vec<String> {
    let items = form.as_sequence().unwrap_or_default();
    let mut texts: Vec<String> = items.iter().map(Edn::to_string).collect();
    texts.sort();
    texts
}

#[test]
fn query_stats_of_patterns_and_predicates() {
    check(
        r#"[:find ?a :where [?e :p/name "ann"] [?e :p/age ?a]]"#,
        &[],
        r#"[{:sched (([?e :p/name "ann"] [?e :p/age ?a]))
             :clauses [{:clause [?e :p/name "ann"] :rows-in 0 :rows-out 1 :binds-in ()
                        :binds-out [?e] :expansion 1 :warnings {:unbound-vars #{?e}}}
                       {:clause [?e :p/age ?a] :rows-in 1 :rows-out 1 :binds-in [?e]
                        :binds-out [?a]}]}]"#,
    );
    check(
        r#"[:find ?n :where [?e :p/name "zed"] [?e :p/age ?n]]"#,
        &[],
        r#"[{:sched (([?e :p/name "zed"] [?e :p/age ?n]))
             :clauses [{:clause [?e :p/name "zed"] :rows-in 0 :rows-out 0 :binds-in ()
                        :binds-out [?e] :warnings {:unbound-vars #{?e}}}
                       {:clause [?e :p/age ?n] :rows-in 0 :rows-out 0 :binds-in [?e]
                        :binds-out [?n]}]}]"#,
    );
    check(
        r#"[:find ?n :where [?e :p/name ?n] [(>= ?n "b")] [(<= ?n "c")]]"#,
        &[],
        r#"[{:sched (([?e :p/name ?n] [(>= ?n "b")] [(<= ?n "c")]))
             :clauses [{:clause [?e :p/name ?n] :rows-in 0 :rows-out 1 :binds-in ()
                        :binds-out [?n] :preds ([(>= ?n "b")] [(<= ?n "c")]) :expansion 1
                        :warnings {:unbound-vars #{?n ?e}}}]}]"#,
    );
}

#[test]
fn query_stats_of_arguments() {
    check(
        "[:find ?a :in $ [?n ...] :where [?e :p/name ?n] [?e :p/age ?a]]",
        &[r#"["ann" "bob"]"#],
        r#"[{:sched (([(ground $__in__2) [?n ...]] [?e :p/name ?n] [?e :p/age ?a]))
             :clauses [{:clause [(ground $__in__2) [?n ...]] :rows-in 0 :rows-out 2 :binds-in ()
                        :binds-out [?n] :expansion 2}
                       {:clause [?e :p/name ?n] :rows-in 2 :rows-out 2 :binds-in [?n]
                        :binds-out [?e]}
                       {:clause [?e :p/age ?a] :rows-in 2 :rows-out 2 :binds-in [?e]
                        :binds-out [?a]}]}]"#,
    );
}

#[test]
fn query_stats_of_or_and_rules() {
    check(
        r#"[:find ?n :in $ % :where [?e :p/name "ann"] (reach ?e ?x) [?x :p/name ?n]]"#,
        &["[[(reach ?a ?b) [?a :p/friend ?b]]]"],
        r#"[{:sched (([?e :p/name "ann"] (reach ?e ?x) [?x :p/name ?n]))
             :clauses [{:clause [?e :p/name "ann"] :rows-in 0 :rows-out 1 :binds-in ()
                        :binds-out [?e] :expansion 1 :warnings {:unbound-vars #{?e}}}
                       {:clause (reach ?e ?x) :rows-in 1 :rows-out 2 :binds-in [?e]
                        :binds-out [?x] :expansion 1}
                       {:clause [?x :p/name ?n] :rows-in 2 :rows-out 2 :binds-in [?x]
                        :binds-out [?n]}]}
            {:sched (([?a :p/friend ?b]))
             :clauses [{:clause [?a :p/friend ?b] :rows-in 1 :rows-out 2 :binds-in (?a)
                        :binds-out [?a ?b] :expansion 1}]}]"#,
    );
    let phases = phases(
        "[:find ?n :where [?e :p/name ?n]
          (or [?e :p/age 25] (and [?e :p/age 30] [?e :p/friend _])) (not [?e :p/friend 7])]",
        &[],
    );
    let text = phases.to_string();
    assert!(text.contains("(or-join [?e])"), "{text}");
    assert!(text.contains("(not-join [?e] [?e :p/friend 7])"), "{text}");
    assert_eq!(phases.as_sequence().map(<[Edn]>::len), Some(3), "{text}");
}

#[test]
fn the_answer_stands_beside_its_stats() {
    let stats = explained("[:find ?e :where [?e :p/age 3]]", &[]);
    let both = stats.with_answer(Edn::long(1));
    assert_eq!(both.get(&Edn::keyword("ret")), Some(&Edn::long(1)));
    assert!(both.get(&Edn::keyword("query-stats")).is_some());
}

#[test]
fn a_step_tells_what_it_read() {
    let told = explained(
        r#"[:find ?a :where [?e :p/name "ann"] [?e :p/age ?a] [(< ?a 99)]]"#,
        &[],
    );
    let [name, age, less] = told.steps.as_slice() else {
        panic!("{told}");
    };
    assert_eq!(
        (name.operator, name.index),
        (Operator::Scan, Some(Index::Avet))
    );
    assert_eq!((name.rows_in, name.rows_out, name.expected), (1, 1, 1));
    assert_eq!(
        (age.operator, age.index),
        (Operator::EachEntity, Some(Index::Eavt))
    );
    assert_eq!((less.operator, less.index), (Operator::Compare, None));
    assert_eq!(less.clause, read("[(< ?a 99)]").expect("EDN"));
    assert_eq!(told.rows, 1);
    assert!(told.total >= told.planning);
    assert_eq!(told.uses.get("AVET"), Some(&1));
}

#[test]
fn rounds_of_a_rule_are_summed() {
    let told = explained("[:find ?a ?b :in $ % :where (reach ?a ?b)]", &[RULES]);
    let [call] = told.steps.as_slice() else {
        panic!("{told}");
    };
    assert_eq!(call.operator, Operator::Fixpoint);
    assert_eq!((call.rows_out, call.nested.len()), (3, 2));
    let mut runs = 0;
    told.for_each(|step| runs = runs.max(step.runs));
    assert!(runs > 1, "{told}");
}

#[test]
fn it_prints_and_becomes_edn() {
    let told = explained(
        "[:find ?n :where [?e :p/name ?n] (not [?e :p/friend _])]",
        &[],
    );
    let text = told.to_string();
    assert!(
        text.contains("[?e :p/name ?n]") && text.contains("  [?e :p/friend _]"),
        "{text}"
    );
    assert!(
        text.contains("anti-join") && text.contains("2 rows in"),
        "{text}"
    );
    let form = told.into_edn();
    let steps = form.get(&Edn::keyword("steps")).and_then(Edn::as_sequence);
    let steps = steps.expect("steps");
    assert_eq!(steps.len(), 2);
    assert_eq!(
        steps[1].get(&Edn::keyword("operator")),
        Some(&Edn::keyword("anti-join"))
    );
    assert!(steps[1].get(&Edn::keyword("nested")).is_some());
}
