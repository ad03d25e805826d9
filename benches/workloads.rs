//! The data that the benches share, made from a fixed seed, and the queries that are asked of it.
//!
//! Shapes: 20,000 people (DataScript's bench), 100 artists with albums and tracks (Corium's), trees
//! and chains for rules, a random digraph for closure. Each returns transaction data; what is to be
//! loaded without a transaction's work goes in by column (`load_columns`). Nothing here measures.

use std::path::{Path, PathBuf};

use datomite::{Column, Connection, Edn, Input, Query, QueryError, QueryResult, TxMeta, Value};

/// What a bench may fail with; it stops then.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Every workload is made from this seed.
pub const SEED: u64 = 20_261_122;

/// A small generator (splitmix64): the same numbers on every machine.
pub struct Rng(u64);

impl Rng {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.bits() % n
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }
}

const NAMES: [&str; 8] = [
    "Ivan", "Petr", "Sergei", "Oleg", "Yuri", "Dmitry", "Fedor", "Denis",
];
const LAST_NAMES: [&str; 6] = [
    "Ivanov",
    "Petrov",
    "Sidorov",
    "Kovalev",
    "Kuznetsov",
    "Voronoi",
];
const ALIASES: [&str; 11] = [
    "A. C. Q. W.",
    "A. J. Finn",
    "A.A. Fair",
    "Aapeli",
    "Aaron Wolfe",
    "Abigail Van Buren",
    "Jeanne",
    "Phillips",
    "Abram Tertz",
    "Abu Nuwas",
    "Acton Bell",
];

/// The schema of the people; all but full-name are indexed, as in Datomic's figures.
pub const PEOPLE_SCHEMA: &str = r#"[
  {:db/ident :p/id :db/valueType :db.type/long :db/cardinality :db.cardinality/one
   :db/unique :db.unique/identity}
  {:db/ident :p/name :db/valueType :db.type/string :db/cardinality :db.cardinality/one
   :db/index true}
  {:db/ident :p/last-name :db/valueType :db.type/string :db/cardinality :db.cardinality/one
   :db/index true}
  {:db/ident :p/full-name :db/valueType :db.type/string :db/cardinality :db.cardinality/one}
  {:db/ident :p/sex :db/valueType :db.type/keyword :db/cardinality :db.cardinality/one
   :db/index true}
  {:db/ident :p/age :db/valueType :db.type/long :db/cardinality :db.cardinality/one :db/index true}
  {:db/ident :p/salary :db/valueType :db.type/long :db/cardinality :db.cardinality/one
   :db/index true}
  {:db/ident :p/alias :db/valueType :db.type/string :db/cardinality :db.cardinality/many
   :db/index true}]"#;

/// A map form of keyword names and values.
pub fn map_form<const N: usize>(entries: [(&str, Edn); N]) -> Edn {
    Edn::Map(
        entries
            .into_iter()
            .map(|(key, value)| (Edn::keyword(key), value))
            .collect(),
    )
}

/// `n` people as map forms, ids 1 to n in a shuffled order.
pub fn people(n: u64) -> Vec<Edn> {
    let mut rng = Rng::new(SEED);
    let mut ids: Vec<u64> = (1..=n).collect();
    for at in (1..ids.len()).rev() {
        ids.swap(at, rng.below(at as u64 + 1) as usize);
    }
    ids.into_iter().map(|id| person(&mut rng, id)).collect()
}

fn person(rng: &mut Rng, id: u64) -> Edn {
    let (name, last_name) = (rng.pick(&NAMES), rng.pick(&LAST_NAMES));
    let mut aliases: Vec<&str> = (0..rng.below(10)).map(|_| rng.pick(&ALIASES)).collect();
    aliases.sort_unstable();
    aliases.dedup();
    let sex = if rng.below(2) == 0 { "male" } else { "female" };
    let mut form = vec![
        ("p/id", Edn::long(id as i64)),
        ("p/name", Edn::string(name)),
        ("p/last-name", Edn::string(last_name)),
        ("p/full-name", Edn::string(&format!("{name} {last_name}"))),
        ("p/sex", Edn::keyword(sex)),
        ("p/age", Edn::long(rng.below(100) as i64)),
        ("p/salary", Edn::long(rng.below(100_000) as i64)),
    ];
    if !aliases.is_empty() {
        let aliases = aliases.into_iter().map(Edn::string).collect();
        form.push(("p/alias", Edn::Vector(aliases)));
    }
    Edn::Map(
        form.into_iter()
            .map(|(key, value)| (Edn::keyword(key), value))
            .collect(),
    )
}

/// `n` people as map forms of five indexed attributes, one value each.
pub fn people_of_five(n: u64) -> Vec<Edn> {
    const FIVE: [&str; 5] = ["p/name", "p/last-name", "p/sex", "p/age", "p/salary"];
    let five = FIVE.map(Edn::keyword);
    let narrow = |form: Edn| {
        let value = |key: &Edn| form.get(key).map(|value| (key.clone(), value.clone()));
        Edn::Map(five.iter().filter_map(value).collect())
    };
    people(n).into_iter().map(narrow).collect()
}

/// The people's queries; each takes the database and nothing else.
pub const PEOPLE_QUERIES: [(&str, &str); 15] = [
    ("q1", r#"[:find ?e :where [?e :p/name "Ivan"]]"#),
    (
        "q2",
        r#"[:find ?e ?a :where [?e :p/name "Ivan"] [?e :p/age ?a]]"#,
    ),
    (
        "q2-switch",
        r#"[:find ?e ?a :where [?e :p/age ?a] [?e :p/name "Ivan"]]"#,
    ),
    (
        "q3",
        r#"[:find ?e ?a :where [?e :p/name "Ivan"] [?e :p/age ?a] [?e :p/sex :male]]"#,
    ),
    (
        "q4",
        r#"[:find ?e ?l ?a :where [?e :p/name "Ivan"] [?e :p/last-name ?l] [?e :p/age ?a]
            [?e :p/sex :male]]"#,
    ),
    (
        "q5-shortcircuit",
        r#"[:find ?e ?l ?s ?al :where [?e :p/name "Anastasia"] [?e :p/age 35] [?e :p/last-name ?l]
            [?e :p/salary ?s] [?e :p/alias ?al]]"#,
    ),
    (
        "qpred1",
        "[:find ?e ?s :where [?e :p/salary ?s] [(> ?s 50000)]]",
    ),
    (
        "value-join",
        "[:find ?a ?b :where [?a :p/salary ?s] [?b :p/salary ?s] [(< ?a ?b)]]",
    ),
    (
        "not",
        r#"[:find ?e :where [?e :p/name "Ivan"] (not [?e :p/sex :male])]"#,
    ),
    (
        "or-join",
        r#"[:find ?e :where [?e :p/age 30] (or-join [?e] [?e :p/name "Oleg"]
            (and [?e :p/sex :female] [?e :p/last-name "Petrov"]))]"#,
    ),
    (
        "not-join",
        "[:find ?e :where [?e :p/age 30] (not-join [?e] [?e :p/last-name ?l] [?o :p/last-name ?l]
            [?o :p/id 17])]",
    ),
    (
        "four-clauses",
        "[:find ?e ?n ?l ?a ?s :where [?e :p/name ?n] [?e :p/last-name ?l] [?e :p/age ?a]
            [?e :p/sex ?s]]",
    ),
    (
        "five-clauses",
        "[:find ?e ?n ?l ?a ?s :where [?e :p/name ?n] [?e :p/last-name ?l] [?e :p/age ?a]
            [?e :p/sex ?s] [?e :p/salary 777]]",
    ),
    (
        "avg-by-sex",
        "[:find ?x (avg ?s) :with ?e :where [?e :p/sex ?x] [?e :p/salary ?s]]",
    ),
    (
        "group-names",
        "[:find ?n ?l (count ?e) (max ?a) :where [?e :p/name ?n] [?e :p/last-name ?l]
            [?e :p/age ?a]]",
    ),
];

/// The same as qpred1 with the bound as an argument.
pub const QPRED2: &str = "[:find ?e ?s :in $ ?min :where [?e :p/salary ?s] [(> ?s ?min)]]";

/// Who has an id: what is asked most.
pub const UNIQUE_LOOKUP: &str = "[:find ?e . :in $ ?id :where [?e :p/id ?id]]";

/// q4 with its four clauses in each of the 24 orders.
pub fn clause_orders() -> Vec<String> {
    const CLAUSES: [&str; 4] = [
        r#"[?e :p/name "Ivan"]"#,
        "[?e :p/last-name ?l]",
        "[?e :p/age ?a]",
        "[?e :p/sex :male]",
    ];
    let mut orders = Vec::new();
    for n in 0..24 {
        let mut left = CLAUSES.to_vec();
        let (mut n, mut text) = (n, String::from("[:find ?e ?l ?a :where"));
        for choices in [4, 3, 2, 1] {
            text.push(' ');
            text += left.remove(n % choices);
            n /= choices;
        }
        orders.push(text + "]");
    }
    orders
}

/// The schema of the music.
pub const MUSIC_SCHEMA: &str = r#"[
  {:db/ident :artist/name :db/valueType :db.type/string :db/cardinality :db.cardinality/one
   :db/unique :db.unique/identity}
  {:db/ident :artist/country :db/valueType :db.type/string :db/cardinality :db.cardinality/one
   :db/index true}
  {:db/ident :album/title :db/valueType :db.type/string :db/cardinality :db.cardinality/one}
  {:db/ident :album/artist :db/valueType :db.type/ref :db/cardinality :db.cardinality/one}
  {:db/ident :track/title :db/valueType :db.type/string :db/cardinality :db.cardinality/one}
  {:db/ident :track/album :db/valueType :db.type/ref :db/cardinality :db.cardinality/one}
  {:db/ident :track/seconds :db/valueType :db.type/long :db/cardinality :db.cardinality/one
   :db/index true}]"#;

/// 100 artists, 3 albums each, 10 tracks an album.
pub fn music() -> Vec<Edn> {
    let mut rng = Rng::new(SEED);
    let mut forms = Vec::new();
    for artist in 0..100 {
        let artist_id = Edn::string(&format!("artist{artist}"));
        forms.push(map_form([
            ("db/id", artist_id.clone()),
            ("artist/name", Edn::string(&format!("Artist {artist}"))),
            (
                "artist/country",
                Edn::string(&format!("C{}", rng.below(12))),
            ),
        ]));
        for album in 0..3 {
            let album_id = Edn::string(&format!("album{artist}-{album}"));
            forms.push(map_form([
                ("db/id", album_id.clone()),
                (
                    "album/title",
                    Edn::string(&format!("Album {artist}/{album}")),
                ),
                ("album/artist", artist_id.clone()),
            ]));
            for track in 0..10 {
                forms.push(map_form([
                    (
                        "track/title",
                        Edn::string(&format!("Track {artist}/{album}/{track}")),
                    ),
                    ("track/album", album_id.clone()),
                    ("track/seconds", Edn::long(120 + rng.below(300) as i64)),
                ]));
            }
        }
    }
    forms
}

/// New durations for 300 tracks, by title: the past that the as-of queries ask.
pub fn changed_durations() -> Vec<(String, i64)> {
    let mut rng = Rng::new(SEED + 1);
    let title = |n: u64| format!("Track {}/{}/{}", n / 30, n / 10 % 3, n % 10);
    (0..300)
        .map(|n| (title(n * 10), 120 + rng.below(300) as i64))
        .collect()
}

/// The music's queries.
pub const MUSIC_QUERIES: [(&str, &str); 3] = [
    (
        "four-clause-join",
        r#"[:find ?t ?s :where [?ar :artist/name "Artist 42"] [?al :album/artist ?ar]
            [?tr :track/album ?al] [?tr :track/title ?t] [?tr :track/seconds ?s]]"#,
    ),
    (
        "group-3-hops",
        "[:find ?c (count ?tr) (avg ?s) :where [?tr :track/seconds ?s] [?tr :track/album ?al]
            [?al :album/artist ?ar] [?ar :artist/country ?c]]",
    ),
    (
        "hop3-all",
        "[:find ?t ?n :where [?tr :track/title ?t] [?tr :track/album ?al] [?al :album/artist ?ar]
            [?ar :artist/name ?n]]",
    ),
];

/// Who is called so.
pub const MUSIC_LOOKUP: &str = "[:find ?ar . :in $ ?n :where [?ar :artist/name ?n]]";

/// An artist, down to the tracks.
pub const MUSIC_PULL: &str = "[:artist/name {:album/_artist [:album/title
    {:track/_album [:track/title :track/seconds]}]}]";

/// Asked of the music as of before the changes.
pub const MUSIC_AS_OF: [(&str, &str); 2] = [
    (
        "range-count as-of",
        "[:find (count ?tr) . :where [?tr :track/seconds ?s] [(<= 200 ?s)] [(< ?s 300)]]",
    ),
    (
        "two-clauses as-of",
        "[:find ?t ?s :where [?tr :track/title ?t] [?tr :track/seconds ?s]]",
    ),
];

/// Asked of the music's history: old and new value of one transaction.
pub const MUSIC_CHANGES: &str = "[:find ?tr ?old ?new :where [?tr :track/seconds ?old ?tx false]
    [?tr :track/seconds ?new ?tx true]]";

/// The schema of the graphs.
pub const GRAPH_SCHEMA: &str = r#"[
  {:db/ident :node/id :db/valueType :db.type/long :db/cardinality :db.cardinality/one
   :db/unique :db.unique/identity}
  {:db/ident :follows :db/valueType :db.type/ref :db/cardinality :db.cardinality/many}]"#;

/// The right-recursive rule of DataScript's bench.
pub const FOLLOWS_RULES: &str = "[[(follows ?x ?y) [?x :follows ?y]]
  [(follows ?x ?y) [?x :follows ?t] (follows ?t ?y)]]";

/// Edges as map forms of nodes by `:node/id`.
pub fn graph(edges: &[(u64, u64)]) -> Vec<Edn> {
    let node = |n: u64| Edn::string(&format!("n{n}"));
    let mut nodes: Vec<u64> = edges.iter().flat_map(|(a, b)| [*a, *b]).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let ids = nodes
        .iter()
        .map(|n| map_form([("db/id", node(*n)), ("node/id", Edn::long(*n as i64))]));
    let follows = edges
        .iter()
        .map(|(a, b)| map_form([("db/id", node(*a)), ("follows", node(*b))]));
    ids.chain(follows).collect()
}

/// A tree: each node has `width` children, down to `depth`.
pub fn wide(depth: u32, width: u64) -> Vec<(u64, u64)> {
    let mut edges = Vec::new();
    let mut level = vec![1u64];
    let mut next_id = 2;
    for _ in 0..depth {
        let mut below = Vec::new();
        for parent in level {
            for _ in 0..width {
                edges.push((parent, next_id));
                below.push(next_id);
                next_id += 1;
            }
        }
        level = below;
    }
    edges
}

/// `width` chains of `depth` edges, all from node 0.
pub fn long(depth: u64, width: u64) -> Vec<(u64, u64)> {
    let edge = |chain: u64, n: u64| {
        let to = chain * depth + n + 1;
        (if n == 0 { 0 } else { to - 1 }, to)
    };
    (0..width)
        .flat_map(|chain| (0..depth).map(move |n| edge(chain, n)))
        .collect()
}

/// A random digraph without loops at a node.
pub fn digraph(nodes: u64, edges: u64) -> Vec<(u64, u64)> {
    let mut rng = Rng::new(SEED);
    let mut found = std::collections::BTreeSet::new();
    while (found.len() as u64) < edges {
        let edge = (rng.below(nodes), rng.below(nodes));
        if edge.0 != edge.1 {
            found.insert(edge);
        }
    }
    found.into_iter().collect()
}

/// `wide` as people who follow people, with the people's attributes: what a deep pull walks.
pub fn wide_people(depth: u32, width: u64) -> Vec<Edn> {
    let node = |n: u64| Edn::string(&format!("n{n}"));
    let edges = wide(depth, width);
    let named = people(edges.len() as u64 + 1)
        .into_iter()
        .zip(1..)
        .map(|(person, n)| {
            let Edn::Map(mut entries) = person else {
                unreachable!("a person is a map")
            };
            entries.retain(|(key, _)| *key != Edn::keyword("p/id"));
            entries.push((Edn::keyword("db/id"), node(n)));
            entries.push((Edn::keyword("node/id"), Edn::long(n as i64)));
            Edn::Map(entries)
        });
    let follows = edges
        .iter()
        .map(|(a, b)| map_form([("db/id", node(*a)), ("follows", node(*b))]));
    named.chain(follows).collect()
}

/// The dumps that imports are measured with, where they are: our own, and pagila in two forms.
pub fn dumps() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let datasets = std::env::var_os("DATOMITE_DATASETS")
        .map_or_else(|| root.join("../shared/datasets"), PathBuf::from);
    let mut dumps = vec![
        root.join("data/queryfeed.sql"),
        datasets.join("pagila/pagila.plain.sql"),
        datasets.join("pagila/pagila.fc"),
    ];
    dumps.retain(|path| {
        let there = path.exists();
        if !there {
            println!(
                "skipped: {} is not here (DATOMITE_DATASETS names the folder)",
                path.display()
            );
        }
        there
    });
    dumps
}

/// A database in memory with that schema and those forms, in two transactions.
pub fn loaded(schema: &str, forms: Vec<Edn>) -> Result<Connection, Failure> {
    let conn = datomite::mem();
    conn.transact(schema)?;
    conn.transact(forms)?;
    Ok(conn)
}

/// Asks over prepared inputs: parsing was done before, as by a program that asks again and again.
pub fn ask(query: &Query, inputs: &[Input]) -> Result<QueryResult, QueryError> {
    datomite::q(query, inputs)
}

/// The schema of what `load_columns` loads.
pub const COLUMNS_SCHEMA: &str = r#"[
  {:db/ident :n/id :db/valueType :db.type/long :db/cardinality :db.cardinality/one
   :db/unique :db.unique/identity}
  {:db/ident :n/group :db/valueType :db.type/long :db/cardinality :db.cardinality/one
   :db/index true}
  {:db/ident :n/name :db/valueType :db.type/string :db/cardinality :db.cardinality/one}
  {:db/ident :n/score :db/valueType :db.type/double :db/cardinality :db.cardinality/one}
  {:db/ident :n/on :db/valueType :db.type/boolean :db/cardinality :db.cardinality/one}]"#;

/// Different values of `:n/group`.
pub const GROUPS: i64 = 1000;

/// The columns of `rows` entities, five datoms each, in the order of the schema's attributes.
pub fn columns(rows: u64) -> [Vec<Value>; 5] {
    let mut rng = Rng::new(SEED);
    let mut columns: [Vec<Value>; 5] = Default::default();
    for row in 0..rows as i64 {
        let n = rng.below(1 << 32) as i64;
        columns[0].push(Value::Long(row));
        columns[1].push(Value::Long(n % GROUPS));
        columns[2].push(Value::from(format!("name {}", n % 100_000)));
        columns[3].push(Value::Double((n % 9973) as f64 / 7.0));
        columns[4].push(Value::Boolean(n % 2 == 0));
    }
    columns
}

/// Loads columns in one group, one transaction; the schema must be there.
pub fn load_columns(conn: &Connection, values: [Vec<Value>; 5]) -> Result<(), Failure> {
    const NAMES: [&str; 5] = ["n/id", "n/group", "n/name", "n/score", "n/on"];
    let mut bulk = conn.bulk()?;
    let first = bulk.reserve(values[0].len() as u64).raw();
    let mut columns = Vec::new();
    for (name, values) in NAMES.into_iter().zip(values) {
        let attribute = conn.db().attribute(&Edn::keyword(name))?;
        columns.push(Column {
            attribute: attribute.ok_or("the schema is missing")?.id,
            entities: (first..)
                .take(values.len())
                .map(datomite::EntityId::new)
                .collect(),
            values,
        });
    }
    bulk.columns(columns, TxMeta::default())?;
    bulk.commit()?;
    Ok(())
}
