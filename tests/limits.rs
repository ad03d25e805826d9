//! Ask anything safely: what would take too much time, rows, bytes or stack ends with an error.
//!
//! Every question here is asked on a thread with the stack that a thread has by default. Times are
//! bounded generously: a noisy machine must not fail a right engine. `DATOMITE_SHOW=1` prints how
//! long each question took and how soon each cancelled one came back.

use std::thread;
use std::time::{Duration, Instant};

use datomite::bulk::{Column, TxMeta};
use datomite::{
    Ask, CancelToken, Category, Connection, Db, Edn, Input, Pattern, PullError, Query, QueryError,
    QueryOptions, Value, mem, pull_with, q_with, read,
};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

const SCHEMA: &str = r#"[
  {:db/ident :n/id   :db/valueType :db.type/long   :db/cardinality :db.cardinality/one
   :db/index true}
  {:db/ident :n/name :db/valueType :db.type/string :db/cardinality :db.cardinality/one}
  {:db/ident :n/to   :db/valueType :db.type/ref    :db/cardinality :db.cardinality/many}
  {:db/ident :n/all  :db/valueType :db.type/ref    :db/cardinality :db.cardinality/many}]"#;

/// A ring of entities by `:n/to`; the first of them lead to each other by `:n/all`.
fn ring(size: usize, clique: usize) -> (Connection, Db) {
    let conn = mem();
    conn.transact(SCHEMA).expect("a schema");
    let db = conn.db();
    let id = |name: &str| {
        db.entid(&Edn::keyword(name))
            .expect("a read")
            .expect("there")
    };
    let mut bulk = conn.bulk().expect("nobody else writes");
    let first = bulk.reserve(size as u64).raw();
    let entity = |at: usize| datomite::EntityId::new(first + (at % size) as u64);
    let entities: Vec<_> = (0..size).map(entity).collect();
    let column = |attribute: &str, values: Vec<Value>| Column {
        attribute: id(attribute),
        entities: entities.clone(),
        values,
    };
    let ids = (0..size).map(|n| Value::Long(n as i64)).collect();
    let names = (0..size)
        .map(|n| Value::from(format!("name {n}")))
        .collect();
    let next = (0..size).map(|n| Value::Ref(entity(n + 1))).collect();
    let pairs = || (0..clique * clique).map(|at| (at / clique, at % clique));
    let all = Column {
        attribute: id("n/all"),
        entities: pairs().map(|(from, _)| entity(from)).collect(),
        values: pairs().map(|(_, to)| Value::Ref(entity(to))).collect(),
    };
    let columns = vec![
        column("n/id", ids),
        column("n/name", names),
        column("n/to", next),
        all,
    ];
    bulk.columns(columns, TxMeta::default())
        .expect("right columns");
    let db = bulk.commit().expect("a commit");
    (conn, db)
}

/// Asks on a thread of its own, with an ordinary stack.
fn apart<R: Send>(what: &str, ask: impl FnOnce() -> R + Send) -> R {
    let began = Instant::now();
    let answer = thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(2 << 20);
        let asked = thread.spawn_scoped(scope, ask).expect("a thread");
        asked.join().unwrap_or_else(|_| panic!("{what} panicked"))
    });
    let took = began.elapsed();
    if std::env::var_os("DATOMITE_SHOW").is_some() {
        eprintln!("{took:>12.3?}  {what}");
    }
    assert!(took < PATIENCE, "{what} took {took:?}");
    answer
}

fn asked(db: &Db, query: &str, args: &[&str]) -> Result<Edn, QueryError> {
    asked_with(db, query, args, &QueryOptions::default())
}

fn asked_with(
    db: &Db,
    query: &str,
    args: &[&str],
    options: &QueryOptions,
) -> Result<Edn, QueryError> {
    let mut inputs = vec![Input::from(db)];
    inputs.extend(args.iter().map(|arg| Input::Edn(read(arg).expect("EDN"))));
    let query = Query::parse(query)?;
    q_with(&query, &inputs, options).map(|result| result.into_edn())
}

/// The unit of the limit and the clause of the error.
fn exceeded(what: &str, answer: Result<Edn, QueryError>) -> (&'static str, String) {
    match answer {
        Err(error @ QueryError::LimitExceeded { unit, .. }) => {
            assert_eq!(error.category(), Category::Interrupted);
            let clause = error
                .place()
                .map_or_else(String::new, |place| place.form.to_string());
            assert!(error.to_string().contains(unit), "{error}");
            (unit, clause)
        }
        other => panic!("{what}: {:?}", other.map(|form| form.to_string().len())),
    }
}

const RULES: &str = "[[(path ?a ?b) [?a :n/to ?b]]
    [(path ?a ?b) [?a :n/to ?c] (path ?c ?b)]
    [(way ?a ?b) [?a :n/to ?b] [?a :n/id _]]
    [(way ?a ?b) (way ?a ?c) [?c :n/to ?b]]]";

#[test]
fn a_billion_rows_end_with_the_clause() {
    let (_conn, db) = ring(32_000, 0);
    let cases = [
        (
            "cross join",
            "[:find (count ?a) . :where [?a :n/id ?x] [?b :n/name ?y]]",
            &[] as &[&str],
            "[?b :n/name ?y]",
        ),
        (
            "cross join, sorted",
            "[:find ?a ?b :where [?a :n/id ?x] [?b :n/id ?y] :order-by [?a]]",
            &[],
            "[?b :n/id ?y]",
        ),
        (
            "aggregate",
            "[:find ?x (sum ?y) (median ?y) :where [?a :n/id ?x] [?b :n/id ?y]]",
            &[],
            "[?b :n/id ?y]",
        ),
        (
            "closure",
            "[:find (count ?a) . :with ?b :in $ % :where (path ?a ?b)]",
            &[RULES],
            "(path ?a ?b)",
        ),
        (
            "or of products",
            "[:find ?a ?b :where
              (or (and [?a :n/id] [?b :n/name]) (and [?a :n/name] [?b :n/id]))]",
            &[],
            "[?b :n/name]",
        ),
        (
            "not of a product",
            "[:find ?a :where [?a :n/id 5]
              (not-join [?a] [?a :n/name] [?b :n/id] [?c :n/name])]",
            &[],
            "[?c :n/name]",
        ),
    ];
    for (what, query, args, clause) in cases {
        // A debug build would take long to reach the default of the closure.
        let options = match what {
            "closure" => QueryOptions {
                rows_max: Some(5_000_000),
                ..QueryOptions::default()
            },
            _ => QueryOptions::default(),
        };
        let answer = apart(what, || asked_with(&db, query, args, &options));
        let (unit, at) = exceeded(what, answer);
        assert!(matches!(unit, "rows" | "bytes"), "{what}: {unit}");
        assert_eq!(at, clause, "{what}");
    }
}

#[test]
fn rounds_of_a_rule_end_with_the_call() {
    let (_conn, db) = ring(3_000, 0);
    let options = QueryOptions {
        rows_max: Some(100_000),
        ..QueryOptions::default()
    };
    let query = "[:find (count ?a) . :with ?b :in $ % :where (way ?a ?b)]";
    let answer = apart("fixpoint", || asked_with(&db, query, &[RULES], &options));
    let (unit, clause) = exceeded("fixpoint", answer);
    assert_eq!(unit, "rows");
    assert!(
        clause.contains("way") || clause.contains(":n/to"),
        "{clause}"
    );
}

#[test]
fn arguments_are_counted_too() {
    let (_conn, db) = ring(10, 0);
    let numbers = Edn::Vector((0..40_000).map(Edn::long).collect());
    let inputs = [
        Input::Db(db),
        Input::Edn(numbers.clone()),
        Input::Edn(numbers),
    ];
    let query = "[:find (count ?x) . :in $ [?x ...] [?y ...] :where [(< ?x ?y)]]";
    let query = Query::parse(query).expect("a query");
    let answer = apart("inputs", || {
        q_with(&query, &inputs, &QueryOptions::default())
    });
    let (_, clause) = exceeded("inputs", answer.map(|result| result.into_edn()));
    assert_eq!(clause, "[?y ...]");
}

#[test]
fn an_option_is_what_it_says() {
    let (_conn, db) = ring(1_000, 0);
    let query = "[:find ?a ?x :where [?a :n/id ?x]]";
    let rows = |most| QueryOptions {
        rows_max: Some(most),
        ..QueryOptions::default()
    };
    assert!(asked_with(&db, query, &[], &rows(1_000)).is_ok());
    let (unit, _) = exceeded("rows", asked_with(&db, query, &[], &rows(999)));
    assert_eq!(unit, "rows");
    let bytes = QueryOptions {
        bytes_max: Some(10_000),
        ..QueryOptions::default()
    };
    let (unit, _) = exceeded("bytes", asked_with(&db, query, &[], &bytes));
    assert_eq!(unit, "bytes");
    let time = QueryOptions {
        timeout: Some(Duration::ZERO),
        ..QueryOptions::default()
    };
    let (unit, _) = exceeded("time", asked_with(&db, query, &[], &time));
    assert_eq!(unit, "ms");
    let product = "[:find (count ?a) . :where [?a :n/id ?x] [?b :n/id ?y]]";
    match asked_with(&db, product, &[], &rows(5_000)) {
        Err(QueryError::LimitExceeded { rows, limit, .. }) => {
            assert_eq!((rows, limit), (1_000_000, 5_000));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn functions_make_nothing_huge() {
    let (_conn, db) = ring(100, 0);
    let doubled: String = (0..60)
        .map(|n| format!("[(str ?s{n} ?s{n}) ?s{}]", n + 1))
        .collect();
    let squared: String = (0..60)
        .map(|n| format!("[(* ?n{n} ?n{n}) ?n{}]", n + 1))
        .collect();
    let nested: String = (0..520)
        .map(|n| format!("[(vector ?v{n}) ?v{}]", n + 1))
        .collect();
    let cases = [
        "[:find ?x :where [(range 1000000000) [?x ...]]]".to_owned(),
        "[:find ?x :where [(repeat 1000000000 1) ?x]]".to_owned(),
        "[:find ?x :where [(apply str (repeat 1500000 \"0123456789012345678901234567890123456789\
          01234567890123456789012345678901234567890123456789012345678901234567890123456789\
          01234567890123456789012345678901234567890123456789012345678901234567890123456789\")) ?x]]"
            .to_owned(),
        "[:find ?x :where [(reduce vector nil (range 100000)) ?x]]".to_owned(),
        "[:find ?x :where [(reduce (fn [a b] [b a b]) nil (range 100000)) ?x]]".to_owned(),
        "[:find ?x :where [(format \"%1000000000d\" 1) ?x]]".to_owned(),
        "[:find ?y :where [(apply str (repeat 5000000 \"a\")) ?s]
          [(clojure.string/replace ?s \"a\" ?s) ?y]]"
            .to_owned(),
        format!("[:find ?s60 :where [(str \"ab\") ?s0] {doubled}]"),
        format!("[:find ?n60 :where [(bigint 12345678901234567890N) ?n0] {squared}]"),
        format!("[:find ?v520 :where [(vector 1) ?v0] {nested}]"),
        "[:find ?x ?y :where [?e :n/id ?x] [(range 9000000) ?y]]".to_owned(),
        "[:find ?x ?z :where [?e :n/id ?x] [(* ?x 100000) ?y] [(range ?y) ?z]]".to_owned(),
        "[:find ?z :where [?e :n/id ?x] [(* ?x 100000) ?y] [(range ?y) [?z ...]]
          [?f :n/id ?w] [?g :n/id ?u]]"
            .to_owned(),
    ];
    // Less than by default, so that a debug build comes to it soon.
    let options = QueryOptions {
        bytes_max: Some(64 << 20),
        ..QueryOptions::default()
    };
    for query in cases {
        let shown: String = query.chars().take(100).collect();
        let answer = apart(&shown, || asked_with(&db, &query, &[], &options));
        assert!(answer.is_err(), "{shown}");
    }
}

#[test]
fn a_pattern_of_text_takes_linear_time() {
    let (_conn, db) = ring(10, 0);
    let query = "[:find ?m :where [(apply str (repeat 50000 \"a\")) ?s] [(str ?s \"b\") ?t]
        [(re-matches #\"(a+)+(a|aa)+(a|a?)+$\" ?t) ?m]]";
    let query = query
        .replace("#\"", "(re-pattern \"")
        .replace("+$\"", "+$\")");
    let answer = apart("regex", || asked(&db, &query, &[]));
    assert_eq!(answer.expect("an answer"), Edn::Set(Vec::new()));
}

#[test]
fn a_pull_ends() {
    let (_conn, db) = ring(100_000, 40);
    let start = asked(&db, "[:find ?e . :where [?e :n/id 0]]", &[]).expect("an entity");
    let deep = Pattern::parse("[:n/id {:n/to ...}]").expect("a pattern");
    let answer = apart("chain", || datomite::pull(&db, &deep, &start));
    let Err(QueryError::PullPattern(PullError::TooDeep { .. })) = answer else {
        panic!("{:?}", answer.is_ok());
    };
    let wide = Pattern::parse("[:n/id {:n/all ...}]").expect("a pattern");
    let options = QueryOptions {
        rows_max: Some(50_000),
        ..QueryOptions::default()
    };
    let answer = apart("every way", || pull_with(&db, &wide, &start, &options));
    exceeded("every way", answer);
    let nested = "[{:n/to ".repeat(240) + "[:n/id]" + &"}]".repeat(240);
    assert!(apart("nested pattern", || db
        .pull(&nested, start.clone())
        .is_err()));
    let nested = "[{:n/to ".repeat(60) + "[:n/id]" + &"}]".repeat(60);
    let answer = apart("nested pattern", || db.pull(&nested, start.clone()));
    assert!(answer.is_ok(), "{answer:?}");
}

fn around(open: &str, inner: &str, close: &str, depth: usize) -> String {
    open.repeat(depth) + inner + &close.repeat(depth)
}

#[test]
fn nesting_ends() {
    let (_conn, db) = ring(20, 0);
    let query = |clause: &str| format!("[:find ?e :where [?e :n/id ?x] {clause}]");
    for depth in [10, 60, 100, 240, 10_000] {
        let clauses = [
            around("(not ", "[?e :n/id 3]", ")", depth),
            around("(or [?e :n/id 4] ", "[?e :n/id 3]", ")", depth),
            around("(or (and [?e :n/name] ", "[?e :n/id 3]", "))", depth),
            around("(not-join [?e] [?e :n/name] ", "[?e :n/id 3]", ")", depth),
            format!("[{} ?y]", around("(inc ", "1", ")", depth)),
            format!("[(-> ?x {}) ?y]", "inc ".repeat(depth)),
            format!("[(cond {}) ?y]", "false 1 ".repeat(depth)),
            format!("[(vector {}) ?y]", around("[", "?x", "]", depth)),
            format!("[(ground {}) ?y]", around("[", "1", "]", depth)),
            format!("[(ground 1) {}]", around("[", "?y", "]", depth)),
            format!("[?e :n/id {}]", around("[", "1", "]", depth)),
        ];
        for clause in clauses {
            let shown: String = clause.chars().take(40).collect();
            let what = format!("{shown} {depth}");
            let answer = apart(&what, || asked(&db, &query(&clause), &[]).map(|_| ()));
            if depth == 10 && !clause.contains("[[") {
                assert!(answer.is_ok(), "{what}: {answer:?}");
            }
            if depth == 10_000 {
                assert!(answer.is_err(), "{what}");
            }
        }
        let forms = read(&query(&around(
            "(not ",
            "[?e :n/id 3]",
            ")",
            depth.min(300),
        )));
        let forms = forms.expect("EDN");
        apart("a query as a form", || {
            Query::from_edn(&forms).map(|_| ()).is_ok()
        });
    }
}

#[test]
fn a_query_as_a_form_of_any_depth_is_refused() {
    // The form itself is made and dropped by its owner, who has the stack for it.
    let owner = thread::Builder::new().stack_size(256 << 20);
    let refused = owner.spawn(|| {
        let mut clause = read("[?e :n/id 3]").expect("EDN");
        for _ in 0..10_000 {
            clause = Edn::List(vec![Edn::symbol("not"), clause]);
        }
        let query = Edn::Vector(vec![
            Edn::keyword("find"),
            Edn::symbol("?e"),
            Edn::keyword("where"),
            clause,
        ]);
        matches!(Query::from_edn(&query), Err(QueryError::TooDeep { .. }))
    });
    assert!(refused.expect("a thread").join().expect("no panic"));
}

#[test]
fn rules_in_rules_end() {
    let (_conn, db) = ring(20, 0);
    let chain = |depth: usize| {
        let rules: String = (0..depth)
            .map(|n| format!("[(r{n} ?a ?b) (r{} ?a ?b)]", n + 1))
            .collect();
        format!("[{rules} [(r{depth} ?a ?b) [?a :n/to ?b]]]")
    };
    let query = "[:find ?a ?b :in $ % :where (r0 ?a ?b)]";
    for depth in [10, 60, 99, 200, 10_000] {
        let rules = chain(depth);
        let answer = apart(&format!("{depth} rules"), || asked(&db, query, &[&rules]));
        match depth {
            0..=60 => assert!(answer.is_ok(), "{depth}: {answer:?}"),
            200.. => assert!(
                matches!(answer, Err(QueryError::TooDeep { .. })),
                "{depth}: {answer:?}"
            ),
            _ => {}
        }
    }
    // Every body fails to bind: nothing is planned twice.
    let doubled: String = (0..40)
        .map(|n| {
            format!(
                "[(r{n} ?a) (r{m} ?a) (r{m} ?b)] [(r{n} ?a) (r{m} ?a)]",
                m = n + 1
            )
        })
        .collect();
    let rules = format!("[{doubled} [(r40 ?a) [(inc ?a) ?c]]]");
    let answer = apart("rules that cannot run", || {
        asked(&db, "[:find ?a :in $ % :where (r0 ?a)]", &[&rules])
    });
    assert!(answer.is_err());
    // A mutual recursion of many rules is planned and answered.
    let circle: String = (0..30)
        .map(|n| {
            format!(
                "[(r{n} ?a ?b) (r{} ?a ?b)] [(r{n} ?a ?b) [?a :n/to ?b]]",
                (n + 1) % 30
            )
        })
        .collect();
    let answer = apart("a circle of rules", || {
        asked(&db, query, &[&format!("[{circle}]")])
    });
    assert!(answer.is_ok(), "{answer:?}");
}

#[test]
fn a_query_that_asks_itself_ends() {
    let (_conn, db) = ring(5, 0);
    let query = "[:find ?x . :in $ ?q :where [(q ?q $ ?q) ?x]]";
    let answer = apart("q in q", || asked(&db, query, &[query]));
    assert!(
        matches!(answer, Err(QueryError::TooDeep { .. })),
        "{answer:?}"
    );
}

#[test]
fn nested_alternatives_are_planned_once() {
    let (_conn, db) = ring(20, 0);
    let clause = around(
        "(or [?e :n/id 4] (and [?e :n/name _] ",
        "[?e :n/id 3]",
        "))",
        30,
    );
    let query = format!("[:find (count ?e) . :where [?e :n/id ?x] {clause}]");
    let answer = apart("nested or", || asked(&db, &query, &[]));
    assert_eq!(answer.expect("an answer"), Edn::long(2));
}

/// Questions that run for minutes unless they are stopped.
const ENDLESS: &[(&str, &str)] = &[
    (
        "scan and product",
        "[:find (count ?a) . :where [?a :n/id] [?b :n/id] [?c :n/id]]",
    ),
    (
        "join",
        "[:find (count ?a) . :where [?a :n/id ?x] [(* 0 ?x) ?z] [?b :n/id ?y] [(* 0 ?y) ?z]]",
    ),
    (
        "closure",
        "[:find (count ?a) . :with ?b :in $ % :where (path ?a ?b)]",
    ),
    (
        "fixpoint",
        "[:find (count ?a) . :with ?b :in $ % :where (way ?a ?b)]",
    ),
    (
        "function",
        "[:find (count ?x) . :where [(range 9000000) [?x ...]] [(str ?x \"a\") ?y]]",
    ),
    (
        "higher-order function",
        "[:find ?s . :where [(reduce + (map inc (filter odd? (range 9000000)))) ?s]]",
    ),
    (
        "sort in a function",
        "[:find ?f . :where [(first (sort (map - (range 9000000)))) ?f]]",
    ),
    (
        "predicate",
        "[:find (count ?x) . :where [(range 9000000) [?x ...]] [(odd? ?x)] [(str ?x) ?y]]",
    ),
    (
        "aggregate",
        "[:find (median ?y) . :with ?b :where [?a :n/id ?x] [?b :n/id] [(str ?x) ?y]]",
    ),
    (
        "order",
        "[:find ?x ?y :where [?a :n/id ?x] [?b :n/name ?y] :order-by [?y :desc ?x] :limit 3]",
    ),
    (
        "pull",
        "[:find (pull ?a [:n/id {:n/all ...}]) :where [?a :n/id 0]]",
    ),
    (
        "not",
        "[:find (count ?a) . :where [?a :n/id ?x] [(* 0 ?x) ?z]
          (not-join [?z] [?b :n/id ?y] [(* 0 ?y) ?z] [?c :n/id ?w] [(* 0 ?w) ?z])]",
    ),
    (
        "query in a query",
        "[:find ?n . :where [(str \"[:find (count ?a) . :where [?a :n/id ?x] [(* 0 ?x) ?z] \"
          \"[?b :n/id ?y] [(* 0 ?y) ?z]]\") ?q] [(q ?q $) ?n]]",
    ),
];

#[test]
fn another_thread_stops_a_query() {
    let (_conn, db) = ring(30_000, 30);
    let waits = [40, 500].map(Duration::from_millis);
    for ((what, query), wait) in ENDLESS.iter().flat_map(|e| waits.map(|wait| (e, wait))) {
        let cancel = CancelToken::new();
        let options = QueryOptions {
            bytes_max: Some(1 << 30),
            rows_max: None,
            cancel: Some(cancel.clone()),
            ..QueryOptions::default()
        };
        let rules: &[&str] = if query.contains('%') { &[RULES] } else { &[] };
        let (answer, latency) = thread::scope(|scope| {
            let asked = scope.spawn(|| {
                let answer = asked_with(&db, query, rules, &options);
                (answer.map(|_| ()), Instant::now())
            });
            thread::sleep(wait);
            let stopped = Instant::now();
            cancel.cancel();
            let (answer, ended) = asked.join().expect("no panic");
            (answer, ended.saturating_duration_since(stopped))
        });
        if std::env::var_os("DATOMITE_SHOW").is_some() {
            eprintln!(
                "{latency:>12.3?}  {what}: {:?}",
                answer.as_ref().map_err(QueryError::to_string)
            );
        }
        // What is refused before it begins needs no stopping.
        assert!(
            matches!(
                answer,
                Err(QueryError::Cancelled { .. } | QueryError::LimitExceeded { .. })
            ),
            "{what}: {answer:?}"
        );
        assert!(latency < Duration::from_secs(10), "{what}: {latency:?}");
    }
}
