//! Twice the input, at most 2.2 × the time: large transactions of every shape, in memory and in a
//! folder.
//!
//! `cargo bench -p datomite-benches --bench transact [-- NAME…]` prints a line a shape and store:
//! the median of the ratios of pairs (one of n, one of 2n, by turns), the ratio of the fastest, and
//! the fastest time of the larger one. A ratio that is above the promise is marked `missed`; the
//! bench succeeds all the same, since on a loaded machine a figure is no verdict.

use std::time::Instant;

use datomite::{Connection, Edn, Symbol};
use datomite_benches::{Failure, PEOPLE_SCHEMA, map_form, people};

const PAIRS: usize = 11;
const LIMIT: f64 = 2.2;

/// What one shape transacts: first what must be there, then what is measured.
struct Load {
    before: Vec<Edn>,
    measured: Edn,
}

struct Shape {
    name: &'static str,
    /// The smaller n; the larger is twice that.
    n: u64,
    load: fn(u64) -> Load,
}

const SCHEMA: &str = r#"[
  {:db/ident :n/id :db/valueType :db.type/long :db/cardinality :db.cardinality/one
   :db/unique :db.unique/identity}
  {:db/ident :n/key :db/valueType :db.type/long :db/cardinality :db.cardinality/many
   :db/unique :db.unique/identity}
  {:db/ident :n/count :db/valueType :db.type/long :db/cardinality :db.cardinality/one}
  {:db/ident :n/group :db/valueType :db.type/long :db/cardinality :db.cardinality/one
   :db/index true}
  {:db/ident :n/both :db/valueType :db.type/tuple :db/cardinality :db.cardinality/one
   :db/tupleAttrs [:n/count :n/group]}
  {:db/ident :n/text :db/valueType :db.type/string :db/cardinality :db.cardinality/one}
  {:db/ident :n/name :db/valueType :db.type/string :db/cardinality :db.cardinality/one
   :db/unique :db.unique/value}
  {:db/ident :n/tags :db/valueType :db.type/string :db/cardinality :db.cardinality/many
   :db/index true}
  {:db/ident :n/next :db/valueType :db.type/ref :db/cardinality :db.cardinality/one}
  {:db/ident :n/links :db/valueType :db.type/ref :db/cardinality :db.cardinality/many}
  {:db/ident :n/part :db/valueType :db.type/ref :db/cardinality :db.cardinality/many
   :db/isComponent true}]"#;

const SHAPES: [Shape; 20] = [
    Shape {
        name: "maps",
        n: 10_000,
        load: |n| of(people(n)),
    },
    Shape {
        name: "maps, more",
        n: 20_000,
        load: |n| of(people(n)),
    },
    Shape {
        name: "datoms",
        n: 50_000,
        load: adds,
    },
    Shape {
        name: "text of maps",
        n: 10_000,
        load: text,
    },
    Shape {
        name: "one long value",
        n: 5_000_000,
        load: long_value,
    },
    Shape {
        name: "one long unique value",
        n: 5_000_000,
        load: long_unique_value,
    },
    Shape {
        name: "values of one attribute",
        n: 3_000,
        load: many_values,
    },
    Shape {
        name: "values of one attribute, again",
        n: 3_000,
        load: many_values_again,
    },
    Shape {
        name: "nested maps",
        n: 240,
        load: nested,
    },
    Shape {
        name: "tempids in a chain",
        n: 10_000,
        load: chain,
    },
    Shape {
        name: "components in a chain",
        n: 10_000,
        load: component_chain,
    },
    Shape {
        name: "upserts",
        n: 10_000,
        load: upserts,
    },
    Shape {
        name: "upserts of one class",
        n: 10_000,
        load: one_class,
    },
    Shape {
        name: "retractEntity, components",
        n: 50_000,
        load: retract_components,
    },
    Shape {
        name: "retractEntity, references",
        n: 50_000,
        load: retract_references,
    },
    Shape {
        name: "retractEntity, a chain",
        n: 10_000,
        load: retract_chain,
    },
    Shape {
        name: "cas",
        n: 10_000,
        load: cas,
    },
    Shape {
        name: "function calls",
        n: 10_000,
        load: calls,
    },
    Shape {
        name: "attributes",
        n: 2_000,
        load: attributes,
    },
    Shape {
        name: "partitions that match",
        n: 10_000,
        load: matching,
    },
];

fn of(measured: Vec<Edn>) -> Load {
    Load {
        before: Vec::new(),
        measured: Edn::Vector(measured),
    }
}

fn after(before: Vec<Edn>, measured: Vec<Edn>) -> Load {
    Load {
        before,
        measured: Edn::Vector(measured),
    }
}

fn number(n: u64) -> Edn {
    Edn::long(n as i64)
}

fn named(n: u64) -> Edn {
    Edn::string(&format!("e{n}"))
}

fn key(n: u64) -> Edn {
    Edn::Vector(vec![Edn::keyword("n/id"), number(n)])
}

fn add(e: Edn, a: &str, v: Edn) -> Edn {
    Edn::Vector(vec![Edn::keyword("db/add"), e, Edn::keyword(a), v])
}

fn numbered(n: u64) -> Vec<Edn> {
    let entity = |n| {
        map_form([
            ("n/id", number(n)),
            ("n/count", number(n)),
            ("n/group", number(n % 100)),
        ])
    };
    (0..n).map(entity).collect()
}

fn adds(n: u64) -> Load {
    let five = |e: u64| {
        let facts = [
            ("n/id", number(e)),
            ("n/count", number(e)),
            ("n/text", named(e % 1000)),
        ];
        let refs = [("n/links", named(e)), ("n/tags", named(e % 7))];
        facts
            .into_iter()
            .chain(refs)
            .map(move |(a, v)| add(named(e), a, v))
    };
    of((0..n / 5).flat_map(five).collect())
}

fn text(n: u64) -> Load {
    Load {
        before: Vec::new(),
        measured: Edn::string(&Edn::Vector(people(n)).to_string()),
    }
}

fn long_value(n: u64) -> Load {
    of(vec![map_form([(
        "n/text",
        Edn::string(&"x".repeat(n as usize)),
    )])])
}

fn long_unique_value(n: u64) -> Load {
    of(vec![map_form([(
        "n/name",
        Edn::string(&"x".repeat(n as usize)),
    )])])
}

fn tags(n: u64) -> Vec<Edn> {
    let tags = Edn::Vector((0..n).map(named).collect());
    vec![map_form([("n/id", number(0)), ("n/tags", tags)])]
}

fn many_values(n: u64) -> Load {
    of(tags(n))
}

fn many_values_again(n: u64) -> Load {
    after(tags(2 * n), tags(n))
}

fn nested(n: u64) -> Load {
    let inner = map_form([("n/count", number(0))]);
    let around = |inner, n| map_form([("n/count", number(n)), ("n/part", inner)]);
    let deep = (1..n).fold(inner, around);
    // Many of them, so that there is something to measure.
    of(vec![deep; 20])
}

fn chain(n: u64) -> Load {
    let link = |at: u64| {
        map_form([
            ("db/id", named(at)),
            ("n/count", number(at)),
            ("n/next", named((at + 1) % n)),
        ])
    };
    of((0..n).map(link).collect())
}

fn part_of(at: u64, part: Option<u64>) -> Edn {
    let id = ("db/id", named(at));
    match part {
        None => map_form([id, ("n/count", number(at))]),
        Some(part) => map_form([
            id,
            (
                "n/part",
                map_form([("db/id", named(part)), ("n/count", number(part))]),
            ),
        ]),
    }
}

fn component_chain(n: u64) -> Load {
    of((0..n).rev().map(|at| part_of(at, Some(at + 1))).collect())
}

fn upserts(n: u64) -> Load {
    let change = |at| {
        map_form([
            ("n/id", number(at)),
            ("n/count", number(at + 1)),
            ("n/text", named(at)),
        ])
    };
    after(numbered(n), (0..n).map(change).collect())
}

/// Every tempid shares a new identity with the next one, and they are mentioned the other way.
fn one_class(n: u64) -> Load {
    let all = Edn::Vector((0..=n).map(named).collect());
    let keys = |at: u64| Edn::Vector(vec![number(at), number(at + 1)]);
    let pair = |at: u64| map_form([("db/id", named(at)), ("n/key", keys(at))]);
    let mentions = map_form([("n/id", number(0)), ("n/links", all)]);
    let last = add(named(n), "n/key", number(n));
    let pairs = (0..n).rev().map(pair);
    of(std::iter::once(mentions)
        .chain(pairs)
        .chain([last])
        .collect())
}

fn retract(root: u64) -> Vec<Edn> {
    vec![Edn::Vector(vec![
        Edn::keyword("db/retractEntity"),
        key(root),
    ])]
}

fn retract_components(n: u64) -> Load {
    let parts = (1..=n)
        .map(|at| map_form([("n/count", number(at))]))
        .collect();
    after(
        vec![map_form([
            ("n/id", number(0)),
            ("n/part", Edn::Vector(parts)),
        ])],
        retract(0),
    )
}

fn retract_references(n: u64) -> Load {
    let root = map_form([("db/id", Edn::string("root")), ("n/id", number(0))]);
    let refer = |at| map_form([("n/count", number(at)), ("n/links", Edn::string("root"))]);
    after(
        std::iter::once(root).chain((0..n).map(refer)).collect(),
        retract(0),
    )
}

fn retract_chain(n: u64) -> Load {
    let mut parts: Vec<Edn> = (0..n)
        .map(|at| part_of(at, (at + 1 < n).then_some(at + 1)))
        .collect();
    parts.push(add(named(0), "n/id", number(0)));
    after(parts, retract(0))
}

fn cas(n: u64) -> Load {
    let swap = |at| {
        let (a, old, new) = (Edn::keyword("n/count"), number(at), number(at + 1));
        Edn::Vector(vec![Edn::keyword("db/cas"), key(at), a, old, new])
    };
    after(numbered(n), (0..n).map(swap).collect())
}

fn calls(n: u64) -> Load {
    let call = |at| Edn::Vector(vec![Edn::from(Symbol::parse("bench/one")), number(at)]);
    of((0..n).map(call).collect())
}

fn attributes(n: u64) -> Load {
    let define = |at: u64| {
        map_form([
            ("db/ident", Edn::keyword(&format!("a{}/b{at}", at % 10))),
            ("db/valueType", Edn::keyword("db.type/long")),
            ("db/cardinality", Edn::keyword("db.cardinality/one")),
        ])
    };
    of((0..n).map(define).collect())
}

fn matching(n: u64) -> Load {
    let pairs = (1..n).map(|at| (named(at), named(at - 1))).collect();
    let directive = Edn::Map(vec![(Edn::keyword("db/match-partition"), Edn::Map(pairs))]);
    let entities = (0..n).map(|at| add(named(at), "n/count", number(at)));
    of(entities.chain([directive]).collect())
}

/// Seconds of one transaction on a fresh database.
fn timed(load: &Load, conn: &Connection) -> Result<f64, Failure> {
    conn.transact(SCHEMA)?;
    conn.transact(PEOPLE_SCHEMA)?;
    conn.register("bench/one", |_: &datomite::Db, args: &[Edn]| {
        Ok::<Edn, datomite::FunctionError>(Edn::Vector(vec![map_form([
            ("n/id", args[0].clone()),
            ("n/count", args[0].clone()),
        ])]))
    });
    conn.transact(load.before.clone())?;
    let measured = load.measured.clone();
    let start = Instant::now();
    let report = match measured.as_str() {
        Some(text) => conn.transact(text),
        None => conn.transact(measured),
    };
    let elapsed = start.elapsed().as_secs_f64();
    report?;
    Ok(elapsed)
}

fn run(shape: &Shape, in_folder: bool) -> Result<(), Failure> {
    let loads = [(shape.load)(shape.n), (shape.load)(2 * shape.n)];
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..PAIRS {
        for (load, times) in loads.iter().zip(&mut times) {
            let place = tempfile::tempdir()?;
            let conn = match in_folder {
                true => datomite::open(place.path().to_str().ok_or("a path of plain text")?)?,
                false => datomite::mem(),
            };
            times.push(timed(load, &conn)?);
        }
    }
    let mut ratios: Vec<f64> = times[1]
        .iter()
        .zip(&times[0])
        .map(|(two, one)| two / one)
        .collect();
    ratios.sort_by(f64::total_cmp);
    let fastest = times.map(|times| times.into_iter().fold(f64::INFINITY, f64::min));
    let ratio = ratios[PAIRS / 2];
    println!(
        "{:>6}  {:30} {:7} {:>9}: {ratio:.2} (fastest {:.2}; {:.1} ms)",
        if ratio <= LIMIT { "met" } else { "missed" },
        shape.name,
        if in_folder { "folder" } else { "memory" },
        2 * shape.n,
        fastest[1] / fastest[0],
        fastest[1] * 1e3,
    );
    Ok(())
}

fn main() -> Result<(), Failure> {
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    println!("twice the input, times the time (at most {LIMIT}):");
    for shape in SHAPES.iter().filter(|shape| {
        asked.is_empty() || asked.iter().any(|name| shape.name.contains(name.as_str()))
    }) {
        run(shape, false)?;
        run(shape, true)?;
    }
    Ok(())
}
