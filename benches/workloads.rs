//! The data that the benches share, made from a fixed seed, and the queries that are asked of it.
//!
//! Shapes: 20,000 people (DataScript's bench), 100 artists with albums and tracks (Corium's), trees
//! and chains for rules, a random digraph for closure. Each returns transaction data.

use datomite::Edn;

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
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }
}

const NAMES: [&str; 8] = ["Ivan", "Petr", "Sergei", "Oleg", "Yuri", "Dmitry", "Fedor", "Denis"];
const LAST_NAMES: [&str; 6] = ["Ivanov", "Petrov", "Sidorov", "Kovalev", "Kuznetsov", "Voronoi"];
const ALIASES: [&str; 11] = [
    "A. C. Q. W.", "A. J. Finn", "A.A. Fair", "Aapeli", "Aaron Wolfe", "Abigail Van Buren", "Jeanne",
    "Phillips", "Abram Tertz", "Abu Nuwas", "Acton Bell",
];

/// The schema of the people; all but full-name are indexed, as in Datomic's figures.
pub const PEOPLE_SCHEMA: &str = r#"[
  {:db/ident :p/id :db/valueType :db.type/long :db/cardinality :db.cardinality/one
   :db/unique :db.unique/identity}
  {:db/ident :p/name :db/valueType :db.type/string :db/cardinality :db.cardinality/one :db/index true}
  {:db/ident :p/last-name :db/valueType :db.type/string :db/cardinality :db.cardinality/one
   :db/index true}
  {:db/ident :p/full-name :db/valueType :db.type/string :db/cardinality :db.cardinality/one}
  {:db/ident :p/sex :db/valueType :db.type/keyword :db/cardinality :db.cardinality/one :db/index true}
  {:db/ident :p/age :db/valueType :db.type/long :db/cardinality :db.cardinality/one :db/index true}
  {:db/ident :p/salary :db/valueType :db.type/long :db/cardinality :db.cardinality/one :db/index true}
  {:db/ident :p/alias :db/valueType :db.type/string :db/cardinality :db.cardinality/many
   :db/index true}]"#;

/// A map form of keyword names and values.
pub fn map_form<const N: usize>(entries: [(&str, Edn); N]) -> Edn {
    Edn::Map(entries.into_iter().map(|(key, value)| (Edn::keyword(key), value)).collect())
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
    Edn::Map(form.into_iter().map(|(key, value)| (Edn::keyword(key), value)).collect())
}

/// The people's queries: name, text, inputs after the database.
pub const PEOPLE_QUERIES: [(&str, &str); 14] = [
    ("q1", r#"[:find ?e :where [?e :p/name "Ivan"]]"#),
    ("q2", r#"[:find ?e ?a :where [?e :p/name "Ivan"] [?e :p/age ?a]]"#),
    ("q2-switch", r#"[:find ?e ?a :where [?e :p/age ?a] [?e :p/name "Ivan"]]"#),
    ("q3", r#"[:find ?e ?a :where [?e :p/name "Ivan"] [?e :p/age ?a] [?e :p/sex :male]]"#),
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
    ("qpred1", "[:find ?e ?s :where [?e :p/salary ?s] [(> ?s 50000)]]"),
    (
        "value-join",
        "[:find ?a ?b :where [?a :p/salary ?s] [?b :p/salary ?s] [(< ?a ?b)]]",
    ),
    ("not", r#"[:find ?e :where [?e :p/name "Ivan"] (not [?e :p/sex :male])]"#),
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
    ("avg-by-sex", "[:find ?x (avg ?s) :with ?e :where [?e :p/sex ?x] [?e :p/salary ?s]]"),
    (
        "group-names",
        "[:find ?n ?l (count ?e) (max ?a) :where [?e :p/name ?n] [?e :p/last-name ?l]
            [?e :p/age ?a]]",
    ),
];

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
            ("artist/country", Edn::string(&format!("C{}", rng.below(12)))),
        ]));
        for album in 0..3 {
            let album_id = Edn::string(&format!("album{artist}-{album}"));
            forms.push(map_form([
                ("db/id", album_id.clone()),
                ("album/title", Edn::string(&format!("Album {artist}/{album}"))),
                ("album/artist", artist_id.clone()),
            ]));
            for track in 0..10 {
                forms.push(map_form([
                    ("track/title", Edn::string(&format!("Track {artist}/{album}/{track}"))),
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
    (0..300).map(|n| (title(n * 10), 120 + rng.below(300) as i64)).collect()
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
    let ids = nodes.iter().map(|n| {
        map_form([("db/id", node(*n)), ("node/id", Edn::long(*n as i64))])
    });
    let follows = edges.iter().map(|(a, b)| {
        map_form([("db/id", node(*a)), ("follows", node(*b))])
    });
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

/// `width` chains of `depth` edges.
pub fn long(depth: u64, width: u64) -> Vec<(u64, u64)> {
    let start = |chain: u64| chain * (depth + 1);
    (0..width).flat_map(|chain| (0..depth).map(move |n| (start(chain) + n, start(chain) + n + 1)))
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
