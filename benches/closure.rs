//! Rules: the right-recursive closure over trees, chains and random digraphs.
//!
//! Asked for all pairs, from one node and to one node; and the tree below the root by a recursive
//! pull. Rows are printed before the measurements.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use datomite::{Db, Edn, Input, Pattern, Query};
use datomite_benches::{FOLLOWS_RULES, GRAPH_SCHEMA, ask, digraph, graph, loaded, long, wide};

const ALL: &str = "[:find ?x ?y :in $ % :where (follows ?x ?y)]";
const FROM: &str = "[:find ?y :in $ % ?x :where (follows ?x ?y)]";
const TO: &str = "[:find ?x :in $ % ?y :where (follows ?x ?y)]";

fn short() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .without_plots()
}

fn id_of(db: &Db, node: u64) -> Edn {
    let lookup = Edn::Vector(vec![Edn::keyword("node/id"), Edn::long(node as i64)]);
    let id = db
        .entid(&lookup)
        .expect("the index is read")
        .expect("the node is there");
    Edn::long(id.raw() as i64)
}

/// One graph, asked three ways.
fn closure(c: &mut Criterion, name: &str, edges: &[(u64, u64)], from: u64, to: u64) {
    let conn = loaded(GRAPH_SCHEMA, graph(edges)).expect("the graph is accepted");
    let db = conn.db();
    let rules = Input::from(datomite::read(FOLLOWS_RULES).expect("the rules are EDN"));
    let base = vec![Input::from(&db), rules];
    let with = |node| [base.clone(), vec![Input::from(id_of(&db, node))]].concat();
    let mut group = c.benchmark_group(name);
    for (shape, text, inputs) in [
        ("all pairs", ALL, base.clone()),
        ("from one", FROM, with(from)),
        ("to one", TO, with(to)),
    ] {
        let query = Query::parse(text).expect("the query is one");
        let rows = ask(&query, &inputs).expect("the query is answered").len();
        println!("{name} {shape}: {rows} rows");
        group.bench_function(shape, |b| b.iter(|| ask(&query, &inputs)));
    }
    if name.starts_with("wide") {
        let pattern = Pattern::parse("[:node/id {:follows ...}]").expect("the pattern is one");
        let root = id_of(&db, from);
        group.bench_function("pull", |b| b.iter(|| datomite::pull(&db, &pattern, &root)));
    }
    group.finish();
}

fn trees_and_chains(c: &mut Criterion) {
    for (depth, width) in [(3, 3), (5, 3), (7, 3), (4, 6)] {
        closure(
            c,
            &format!("wide {depth}x{width}"),
            &wide(depth, width),
            1,
            2,
        );
    }
    for (depth, width) in [(10, 3), (30, 3), (30, 5)] {
        closure(
            c,
            &format!("long {depth}x{width}"),
            &long(depth, width),
            0,
            4,
        );
    }
}

fn random(c: &mut Criterion) {
    let edges = digraph(1000, 2000);
    // Most nodes of such a graph are in or before its one large component: the first edge that
    // reaches half of the nodes both ways.
    let reach = |start: u64, forth: bool| {
        let mut seen = std::collections::BTreeSet::new();
        let mut left = vec![start];
        while let Some(node) = left.pop() {
            let next = edges
                .iter()
                .map(|(a, b)| if forth { (*a, *b) } else { (*b, *a) });
            left.extend(
                next.filter(|(a, b)| *a == node && seen.insert(*b))
                    .map(|(_, b)| b),
            );
        }
        seen.len()
    };
    let node = (0..1000).find(|n| reach(*n, true) > 500 && reach(*n, false) > 500);
    let node = node.expect("the large component");
    closure(c, "digraph 1000/2000", &edges, node, node);
}

criterion_group! {
    name = benches;
    config = short();
    targets = trees_and_chains, random
}
criterion_main!(benches);
