//! What the public face of storage can't show: a tree against a plain sorted vector, under random
//! edits, with values that are nasty to order; failing reads; separators and blocks.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use datomite_model::{BigDec, BigInt, Component, Instant, Keyword, Uri, Uuid, ValueRef, ValueType};
use proptest::prelude::*;

use super::node::Inner;
use super::slot::Slot;
use super::*;

fn cmp_facts(index: Index, x: &Fact, y: &Fact) -> Ordering {
    let component = |component: Component| match component {
        Component::Entity => x.e.cmp(&y.e),
        Component::Attribute => x.a.cmp(&y.a),
        Component::Value => x.v.storage_cmp(&y.v),
    };
    let [first, second, third] = index.components();
    component(first)
        .then_with(|| component(second))
        .then_with(|| component(third))
        .then_with(|| y.t.cmp(&x.t))
}

fn is_before(index: Index, row: &Fact, bound: &Bound) -> bool {
    for component in index.components() {
        let order = match component {
            Component::Entity => bound.e.map(|e| row.e.cmp(&e)),
            Component::Attribute => bound.a.map(|a| row.a.cmp(&a)),
            Component::Value => bound.v.as_ref().map(|v| row.v.storage_cmp(v)),
        };
        match order {
            None => break,
            Some(Ordering::Equal) => {}
            Some(order) => return order.is_lt(),
        }
    }
    bound.side == Side::After
}

/// The model: a sorted vector.
#[derive(Clone)]
struct Model {
    index: Index,
    rows: Vec<Fact>,
}

impl Model {
    fn apply(&mut self, edit: &Edit) {
        match edit {
            Edit::Insert(fact) => {
                let at = |row: &Fact| cmp_facts(self.index, row, fact);
                if let Err(at) = self.rows.binary_search_by(at) {
                    self.rows.insert(at, fact.clone());
                }
            }
            Edit::Remove(fact) => {
                let same = |row: &Fact| {
                    (row.e, row.a) == (fact.e, fact.a)
                        && row.v == fact.v
                        && (fact.out.is_none() || row.t == fact.t)
                };
                if let Some(at) = self.rows.iter().position(same) {
                    self.rows.remove(at);
                }
            }
        }
    }

    fn bounds(&self, range: &KeyRange) -> (usize, usize) {
        let at = |bound| {
            self.rows
                .partition_point(|row| is_before(self.index, row, bound))
        };
        let lo = at(&range.lo);
        (lo, at(&range.hi).max(lo))
    }
}

/// As `assert_eq`, without printing thousands of rows.
fn assert_rows(left: &[Fact], right: &[Fact]) {
    let differ = left.iter().zip(right).position(|(x, y)| x != y);
    if let Some(at) = differ {
        panic!("row {at}: {:?} is not {:?}", left[at], right[at]);
    }
    assert_eq!(left.len(), right.len());
}

fn read_all(runs: &mut Runs) -> Vec<Fact> {
    let mut rows = Vec::new();
    while let Some(run) = runs.next().unwrap() {
        assert!(!run.is_empty());
        rows.extend((0..run.len()).map(|row| run.fact(row)));
    }
    rows
}

fn read_reverse(runs: &mut Runs) -> Vec<Fact> {
    let mut rows = Vec::new();
    while let Some(run) = runs.next().unwrap() {
        rows.extend((0..run.len()).rev().map(|row| run.fact(row)));
    }
    rows
}

/// Every reader of a run says the same as its rows.
fn check_readers(set: &DatomSet, range: &KeyRange) {
    let mut runs = set.runs(range, Window::default());
    while let Some(run) = runs.next().unwrap() {
        let n = run.len();
        let facts: Vec<Fact> = (0..n).map(|row| run.fact(row)).collect();
        let mut words = Vec::new();
        run.read_e(0..n, &mut words);
        assert!(words.iter().zip(&facts).all(|(e, fact)| *e == fact.e.raw()));
        words.clear();
        run.read_a(n / 2..n, &mut words);
        assert!(
            words
                .iter()
                .zip(&facts[n / 2..])
                .all(|(a, fact)| *a == fact.a.raw())
        );
        words.clear();
        run.read_t(0..n, &mut words);
        assert!(words.iter().zip(&facts).all(|(t, fact)| *t == fact.t.raw()));
        assert!(words.iter().all(|t| *t <= run.max_t().raw()));
        if let Some(value_type) = run.word_type() {
            words.clear();
            run.read_words(0..n, &mut words);
            assert_eq!(words.len(), n);
            for (word, fact) in words.iter().zip(&facts) {
                assert_eq!(
                    word::to_value(value_type, *word).unwrap().to_value(),
                    fact.v
                );
            }
        }
        let strings = facts.iter().all(|fact| fact.v.as_str().is_some());
        if let Some(texts) = run.texts() {
            for (row, fact) in facts.iter().enumerate() {
                assert_eq!(fact.v.as_str(), Some(texts.get(row)));
            }
        } else {
            assert!(
                !strings
                    || facts.iter().any(|fact| fact.a != facts[0].a)
                    || set.index == Index::Eavt
            );
        }
        if let Some(codes) = run.codes() {
            words.clear();
            codes.read(0..n, &mut words);
            for (code, fact) in words.iter().zip(&facts) {
                assert_eq!(Some(codes.word(*code)), fact.v.as_str());
                assert_eq!(codes.code(codes.word(*code)), Some(*code));
            }
        }
        let consecutive = facts
            .iter()
            .zip(facts[0].e.raw()..)
            .all(|(f, id)| f.e.raw() == id);
        assert_eq!(run.consecutive_e(), consecutive.then_some(facts[0].e.raw()));
        let part = run.slice(n / 3..n);
        assert_eq!(part.fact(0), facts[n / 3]);
        if set.index == Index::Eavt {
            let e = facts[n / 2].e.raw();
            let expected = facts.partition_point(|fact| fact.e.raw() < e);
            assert_eq!(run.lower_bound_e(0, e), expected);
            assert_eq!(run.lower_bound_e(expected / 2, e), expected);
        }
        let bound = Bound {
            e: Some(facts[n / 2].e),
            a: Some(facts[n / 2].a),
            v: Some(facts[n / 2].v.clone()),
            side: Side::Before,
        };
        let expected = facts.partition_point(|fact| is_before(set.index, fact, &bound));
        assert_eq!(run.lower_bound(&bound), expected);
    }
}

fn compare_with_model(set: &DatomSet, model: &Model, ranges: &[KeyRange]) {
    set.check().unwrap();
    assert_eq!(set.len(), model.rows.len() as u64);
    for range in ranges {
        let (lo, hi) = model.bounds(range);
        let expected = &model.rows[lo..hi];
        assert_eq!(set.count(range).unwrap(), expected.len() as u64);
        let mut runs = set.runs(range, Window::default());
        assert_eq!(runs.count_left().unwrap(), expected.len() as u64);
        assert_rows(&read_all(&mut runs), expected);
        assert_eq!(runs.count_left().unwrap(), 0);
        let mut reversed = read_reverse(&mut set.runs_reverse(range, Window::default()));
        reversed.reverse();
        assert_rows(&reversed, expected);
        check_readers(set, range);
        // Seeks: from the start, and after one run.
        let Some(middle) = expected.get(expected.len() / 2) else {
            continue;
        };
        let to = Bound {
            e: Some(middle.e),
            a: Some(middle.a),
            v: None,
            side: Side::Before,
        };
        for first in [false, true] {
            let mut runs = set.runs(range, Window::default());
            let mut skip = 0;
            if first {
                skip = runs.next().unwrap().unwrap().len();
            }
            runs.seek(&to).unwrap();
            let at = model
                .rows
                .partition_point(|row| is_before(set.index, row, &to));
            let at = at.max(lo + skip).min(hi);
            assert_eq!(runs.count_left().unwrap(), (hi - at) as u64);
            assert_rows(&read_all(&mut runs), &model.rows[at..hi]);
            let mut runs = set.runs_reverse(range, Window::default());
            let mut end = hi;
            if first {
                end -= runs.next().unwrap().unwrap().len();
            }
            runs.seek(&to).unwrap();
            let at = model
                .rows
                .partition_point(|row| is_before(set.index, row, &to));
            let at = at.clamp(lo, end);
            assert_eq!(runs.count_left().unwrap(), (at - lo) as u64);
            let mut rows = read_reverse(&mut runs);
            rows.reverse();
            assert_rows(&rows, &model.rows[lo..at]);
        }
        let found = set.find(middle.e, middle.a, &middle.v).unwrap();
        let same = |row: &&Fact| (row.e, row.a, &row.v) == (middle.e, middle.a, &middle.v);
        assert_eq!(found, model.rows.iter().find(same).map(|row| row.t));
    }
    for window in [
        Window {
            as_of: Some(T::new(1050)),
            since: None,
        },
        Window {
            as_of: None,
            since: Some(T::new(1080)),
        },
        Window {
            as_of: Some(T::new(1060)),
            since: Some(T::new(1030)),
        },
    ] {
        let holds = |row: &Fact| {
            window
                .as_of
                .is_none_or(|t| row.t <= t && row.out.is_none_or(|out| out > t))
                && window.since.is_none_or(|t| row.t > t)
        };
        let expected: Vec<Fact> = model
            .rows
            .iter()
            .filter(|row| holds(row))
            .cloned()
            .collect();
        let all = KeyRange::all();
        let mut rows = read_all(&mut set.runs(&all, window));
        rows.retain(holds);
        assert_rows(&rows, &expected);
        let mut rows = read_reverse(&mut set.runs_reverse(&all, window));
        rows.retain(holds);
        rows.reverse();
        assert_rows(&rows, &expected);
    }
}

/// Attribute `n` holds values of one type; small seeds repeat values.
fn value(attribute: u64, seed: u64) -> Value {
    let long_text = |n: u64| {
        let mut text = "p".repeat(1100);
        text.push_str(&n.to_string());
        text
    };
    match attribute % 14 {
        0 => Value::Long(
            ((seed % 100) as i64 - 40)
                * if seed.is_multiple_of(7) {
                    i64::MAX / 99
                } else {
                    1
                },
        ),
        1 => match seed % 9 {
            0 => Value::Double(f64::NAN),
            1 => Value::Double(-0.0),
            2 => Value::Double(0.0),
            3 => Value::Double(f64::NEG_INFINITY),
            4 => Value::Double(f64::INFINITY),
            5 => Value::Double(-f64::NAN),
            _ => Value::Double(seed as f64 / 3.0 - 10.0),
        },
        2 => match seed % 11 {
            0 => Value::from(format!("\u{E000}{seed}")),
            1 => Value::from("\u{FFFD}"),
            2 => Value::from(format!("\u{1F600}{seed}")),
            3 => Value::from("\u{10FFFF}"),
            4 => Value::from(""),
            5 => Value::from("a\0".repeat(seed as usize % 4)),
            6 => Value::from(long_text(seed)),
            7 => Value::from(format!("a prefix that all of these share {seed}")),
            8 => Value::from(format!("a prefix that all of these share \u{E001}{seed}")),
            9 => Value::from(format!("a prefix that all of these share \u{1F601}{seed}")),
            _ => Value::from(format!("s{}", seed % 20)),
        },
        3 => Value::from(BigDec::new(
            BigInt::from(seed as i64 % 12 * 10),
            (seed % 3) as i64,
        )),
        4 => match seed % 4 {
            0 => Value::Instant(Instant::from_ms(i64::MAX - seed as i64)),
            1 => Value::Instant(Instant::from_ms(i64::MIN + seed as i64)),
            _ => Value::Instant(Instant::from_us(seed as i64 - 50)),
        },
        5 => Value::Ref(EntityId::new(seed % 30)),
        6 => {
            let slots = [
                (!seed.is_multiple_of(3)).then_some(Value::Long(seed as i64)),
                (!seed.is_multiple_of(4)).then(|| Value::from("x")),
            ];
            Value::Tuple(Arc::from(slots))
        }
        7 => Value::Uuid(Uuid::from_u128(
            u128::from(seed).wrapping_mul(u128::MAX / 77),
        )),
        8 => Value::Boolean(seed.is_multiple_of(2)),
        9 => Value::from(Keyword::parse(&format!("k{}/n{}", seed % 3, seed))),
        10 => Value::from(format!("label {}", seed % 5)),
        11 => Value::Uri(Uri::new(&format!("http://x.example/{seed}"))),
        12 => Value::from(BigInt::from(seed as i64 - 20)),
        _ => Value::Float(if seed.is_multiple_of(10) {
            f32::NAN
        } else {
            seed as f32 - 7.5
        }),
    }
}

fn fact(index: Index, e: u64, a: u64, seed: u64, t: u64) -> Fact {
    let a = if index == Index::Vaet {
        5 + 14 * (a % 3)
    } else {
        a
    };
    Fact {
        e: EntityId::new(1_000 + e),
        a: EntityId::new(a),
        v: value(a, seed),
        t: T::new(1000 + t % 100),
        out: None,
    }
}

/// A small generator, so that a million edits cost no shrinking.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
}

fn ranges(index: Index, random: &mut Random, rows: &[Fact]) -> Vec<KeyRange> {
    let mut ranges = vec![KeyRange::all()];
    for _ in 0..6 {
        let mut pick = || match rows.len() as u64 {
            0 => fact(index, 1, 1, 1, 1),
            n => rows[random.below(n) as usize].clone(),
        };
        let (x, y) = (pick(), pick());
        let depth = random.below(4) as usize;
        let bound = |fact: &Fact, side| {
            let components = &index.components()[..depth];
            let has = |component| components.contains(&component);
            Bound {
                e: has(Component::Entity).then_some(fact.e),
                a: has(Component::Attribute).then_some(fact.a),
                v: has(Component::Value).then(|| fact.v.clone()),
                side,
            }
        };
        let sides = [Side::Before, Side::After];
        ranges.push(KeyRange {
            lo: bound(&x, sides[random.below(2) as usize]),
            hi: bound(&y, sides[random.below(2) as usize]),
        });
        ranges.push(KeyRange {
            lo: bound(&x, Side::Before),
            hi: bound(&x, Side::After),
        });
    }
    ranges
}

/// Random batches of edits, small and large, against the model; old versions stay as they were.
fn random_edits(index: Index, closed: bool, seed: u64, batches: usize, spread: u64) {
    let mut random = Random(seed | 1);
    let mut model = Model {
        index,
        rows: Vec::new(),
    };
    let mut set = DatomSet::new(index);
    let mut kept: Vec<(DatomSet, Model)> = Vec::new();
    for batch in 0..batches {
        let size = match random.below(12) {
            0 => 300 + random.below(1500),
            1 | 2 => random.below(100),
            _ => 1 + random.below(8),
        };
        let removals = random.below(4) * 3;
        let mut edits = Vec::new();
        for n in 0..size {
            let (e, a) = (random.below(spread), random.below(14));
            let mut row = fact(index, e, a, random.below(100), batch as u64 + n);
            if closed {
                row.out = Some(T::new(row.t.raw() + 1 + random.below(20)));
            }
            if random.below(10) < removals {
                let rows = model.rows.len() as u64;
                if rows > 0 && random.below(3) > 0 {
                    row = model.rows[random.below(rows) as usize].clone();
                }
                edits.push(Edit::Remove(row));
            } else {
                edits.push(Edit::Insert(row));
            }
        }
        for edit in &edits {
            model.apply(edit);
        }
        set.apply(edits).unwrap();
        if batch % 9 == 0 {
            let ranges = ranges(index, &mut random, &model.rows);
            compare_with_model(&set, &model, &ranges);
            kept.push((set.clone(), model.clone()));
        } else {
            set.check().unwrap();
        }
    }
    for (set, model) in kept.iter().step_by(3) {
        compare_with_model(set, model, &[KeyRange::all()]);
    }
    // Down to nothing, in batches.
    while !model.rows.is_empty() {
        let n = model.rows.len().min(1 + random.below(400) as usize);
        let from = random.below((model.rows.len() - n + 1) as u64) as usize;
        let gone: Vec<Fact> = model.rows.drain(from..from + n).collect();
        set.apply(gone.into_iter().map(Edit::Remove).collect())
            .unwrap();
        set.check().unwrap();
        assert_eq!(set.len(), model.rows.len() as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_tree_agrees_with_a_sorted_vector(seed in any::<u64>(), which in 0..4usize) {
        random_edits(Index::ALL[which], false, seed, 60, 300);
    }

    #[test]
    fn closed_facts_agree_with_a_sorted_vector(seed in any::<u64>(), which in 0..4usize) {
        random_edits(Index::ALL[which], true, seed, 40, 8);
    }

    #[test]
    fn a_built_tree_agrees_with_a_sorted_vector(seed in any::<u64>(), which in 0..4usize) {
        let index = Index::ALL[which];
        let mut random = Random(seed | 1);
        let n = random.below(5_000);
        let mut rows: Vec<Fact> = (0..n)
            .map(|_| {
                let (e, a) = (random.below(500), random.below(14));
                fact(index, e, a, random.below(100), random.below(99))
            })
            .collect();
        rows.sort_by(|x, y| cmp_facts(index, x, y));
        rows.dedup_by(|x, y| cmp_facts(index, x, y).is_eq());
        let mut shuffled = rows.clone();
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, random.below(at as u64 + 1) as usize);
        }
        let set = DatomSet::build(index, shuffled);
        let ranges = ranges(index, &mut random, &rows);
        compare_with_model(&set, &Model { index, rows }, &ranges);
    }

    #[test]
    fn slots_order_as_storage_cmp(x in (0..14u64, 0..400u64), y in (0..14u64, 0..400u64)) {
        let (x, y) = (value(x.0, x.1), value(y.0, y.1));
        let (sx, sy) = (Slot::of(&x), Slot::of(&y));
        let (side_x, side_y) = (std::slice::from_ref(&x), std::slice::from_ref(&y));
        prop_assert_eq!(sx.cmp(side_x, &sy, side_y), x.storage_cmp(&y));
        prop_assert_eq!(sx.value(side_x).to_value(), x);
    }

    #[test]
    fn words_order_as_storage_cmp(x in any::<u64>(), y in any::<u64>()) {
        let (x, y) = (f64::from_bits(x), f64::from_bits(y));
        let order = Value::Double(x).storage_cmp(&Value::Double(y));
        prop_assert_eq!(word::of_double(x).cmp(&word::of_double(y)), order);
        prop_assert_eq!(word::to_double(word::of_double(x)).to_bits(), x.to_bits());
        let (x, y) = (f32::from_bits(x.to_bits() as u32), f32::from_bits(y.to_bits() as u32));
        prop_assert_eq!(word::to_float(word::of_float(x)).to_bits(), x.to_bits());
        if !x.is_nan() && !y.is_nan() {
            let order = Value::Float(x).storage_cmp(&Value::Float(y));
            prop_assert_eq!(word::of_float(x).cmp(&word::of_float(y)), order);
        }
    }
}

#[test]
fn thirty_thousand_small_edits_agree_with_a_sorted_vector() {
    for index in Index::ALL {
        let mut random = Random(77);
        let mut model = Model {
            index,
            rows: Vec::new(),
        };
        let mut set = DatomSet::new(index);
        for n in 0..7_500u64 {
            let row = fact(
                index,
                random.below(900),
                random.below(14),
                random.below(60),
                n,
            );
            let edit = if random.below(4) == 0 {
                Edit::Remove(row)
            } else {
                Edit::Insert(row)
            };
            model.apply(&edit);
            // A published version, so that every edit copies its path.
            let published = set.clone();
            set.apply(vec![edit]).unwrap();
            drop(published);
            if n % 500 == 0 {
                set.check().unwrap();
            }
        }
        compare_with_model(&set, &model, &[KeyRange::all()]);
    }
}

#[test]
fn word_edges_order_as_storage_cmp() {
    let mut doubles = vec![
        f64::NAN,
        -f64::NAN,
        f64::NEG_INFINITY,
        f64::MIN,
        -1.0,
        -0.0,
        0.0,
        1.0,
    ];
    doubles.extend([
        f64::MIN_POSITIVE,
        f64::MAX,
        f64::INFINITY,
        f64::from_bits(0xfff0_0000_0000_0001),
    ]);
    doubles.extend([
        f64::from_bits(0x7ff0_0000_0000_0001),
        f64::from_bits(u64::MAX),
    ]);
    for x in &doubles {
        assert_eq!(word::to_double(word::of_double(*x)).to_bits(), x.to_bits());
        for y in &doubles {
            let order = Value::Double(*x).storage_cmp(&Value::Double(*y));
            assert_eq!(
                word::of_double(*x).cmp(&word::of_double(*y)),
                order,
                "{x} {y}"
            );
        }
    }
}

#[test]
fn appended_batches_reuse_every_block() {
    let row = |n: u64| Fact {
        e: EntityId::new(n),
        a: EntityId::new(72),
        v: Value::Long(n as i64),
        t: T::new(1000),
        out: None,
    };
    let mut set = DatomSet::new(Index::Eavt);
    for batch in 0..20 {
        let rows = (batch * 5_000..(batch + 1) * 5_000).map(row);
        set.apply(rows.map(Edit::Insert).collect()).unwrap();
        set.check().unwrap();
    }
    let stats = set.stats();
    assert_eq!(stats.rows, 100_000);
    assert!(stats.open_rows < 1_000, "{stats:?}");
    assert!(stats.leaves < 125, "{stats:?}");
}

#[test]
fn a_tree_that_grows_by_small_transactions_is_packed_on_the_way() {
    let mut set = DatomSet::new(Index::Eavt);
    for n in 0..50_000u64 {
        let row = Fact {
            e: EntityId::new(n / 5),
            a: EntityId::new(72 + n % 5),
            v: Value::from(format!("value {}", n % 1000)),
            t: T::new(1000 + n / 5),
            out: None,
        };
        set.apply(vec![Edit::Insert(row)]).unwrap();
    }
    set.check().unwrap();
    let stats = set.stats();
    assert!(stats.open_rows < 10_000, "{stats:?}");
}

/// Keeps subtrees by number, as a store would.
#[derive(Default)]
struct Shelf {
    nodes: Mutex<HashMap<u64, Node>>,
    fault: ReadFault,
}

impl NodeSource for Shelf {
    fn access(&self) -> Result<(), StorageError> {
        self.fault.access()
    }

    fn load(&self, address: NodeAddress) -> Result<StoredNode, StorageError> {
        Ok(StoredNode(self.nodes.lock().unwrap()[&address.0].clone()))
    }
}

impl Shelf {
    fn store(&self, node: &Node) -> Node {
        let stored = match node {
            Node::Inner(inner) => {
                let mut kids = inner.kids.clone();
                for kid in &mut kids {
                    kid.node = self.store(&kid.node);
                }
                Node::Inner(Arc::new(Inner { kids }))
            }
            leaf => leaf.clone(),
        };
        let mut nodes = self.nodes.lock().unwrap();
        let address = nodes.len() as u64;
        nodes.insert(address, stored);
        Node::Stored(Arc::new(Lazy::new(NodeAddress(address))))
    }
}

fn shelved(rows: Vec<Fact>) -> (DatomSet, Arc<Shelf>) {
    let set = DatomSet::build(Index::Eavt, rows);
    let shelf = Arc::new(Shelf::default());
    let Node::Stored(_) = shelf.store(&set.root.node) else {
        unreachable!();
    };
    let root = NodeAddress(shelf.nodes.lock().unwrap().len() as u64 - 1);
    let stored = DatomSet::stored(Index::Eavt, shelf.clone(), root, set.len());
    (stored, shelf)
}

fn many_rows() -> Vec<Fact> {
    (0..40_000)
        .map(|n| fact(Index::Eavt, n / 2, n % 2, n % 90, n))
        .collect()
}

#[test]
fn stored_nodes_read_as_those_in_memory() {
    let (set, _) = shelved(many_rows());
    let mut rows = many_rows();
    rows.sort_by(|x, y| cmp_facts(Index::Eavt, x, y));
    assert_rows(
        &read_all(&mut set.runs(&KeyRange::all(), Window::default())),
        &rows,
    );
    let (mut set, _) = shelved(many_rows());
    let mut model = Model {
        index: Index::Eavt,
        rows,
    };
    for n in 0..200 {
        let edit = Edit::Insert(fact(Index::Eavt, n * 97 % 20_000, 3, n, n));
        model.apply(&edit);
        set.apply(vec![edit]).unwrap();
    }
    compare_with_model(&set, &model, &[KeyRange::all()]);
}

/// What a read answers, as a number.
type Read<'a> = &'a dyn Fn(&DatomSet) -> Result<u64, StorageError>;

#[test]
fn every_failing_access_is_an_error_and_changes_nothing() {
    let rows = many_rows();
    let prefix = KeyRange::prefix(Some(rows[30_000].e), None, None);
    let reads: [Read<'_>; 5] = [
        &|set| set.count(&prefix),
        &|set| {
            Ok(set
                .find(rows[9].e, rows[9].a, &rows[9].v)?
                .map_or(0, T::raw))
        },
        &|set| {
            let mut runs = set.runs(&KeyRange::all(), Window::default());
            let mut n = 0;
            while let Some(run) = runs.next()? {
                n += run.len() as u64;
            }
            Ok(n)
        },
        &|set| {
            let mut runs = set.runs_reverse(&KeyRange::all(), Window::default());
            runs.seek(&prefix.lo)?;
            Ok(runs.next()?.map_or(0, |run| run.len() as u64))
        },
        &|set| {
            let mut set = set.clone();
            let edits = rows.iter().step_by(5_000).cloned();
            set.apply(edits.map(Edit::Remove).collect())?;
            Ok(set.len())
        },
    ];
    for read in reads {
        let expected = read(&shelved(rows.clone()).0).unwrap();
        let mut failures = 0;
        for nth in 1.. {
            let (set, shelf) = shelved(rows.clone());
            shelf.fault.arm(nth);
            match read(&set) {
                Err(_) => failures += 1,
                Ok(answer) => {
                    assert!(shelf.fault.is_armed(), "a failed access went unnoticed");
                    assert_eq!(answer, expected);
                    break;
                }
            }
            assert_eq!(read(&set).unwrap(), expected);
        }
        assert!(failures > 1);
    }
}

#[test]
fn types_rank_as_storage_cmp_ranks_them() {
    let values: Vec<Value> = (0..14).map(|a| value(a, 3)).collect();
    for x in &values {
        for y in &values {
            let same_side = |v| std::slice::from_ref(v);
            let order = Slot::of(x).cmp(same_side(x), &Slot::of(y), same_side(y));
            assert_eq!(order, x.storage_cmp(y), "{x} {y}");
        }
    }
}

#[test]
fn a_run_of_one_attribute_reads_words_in_a_block_of_several() {
    let rows = |n: u64, a: u64| {
        let v = if a == 72 {
            Value::Long(n as i64)
        } else {
            Value::from(format!("{}", n % 3))
        };
        Fact {
            e: EntityId::new(n),
            a: EntityId::new(a),
            v,
            t: T::new(1000),
            out: None,
        }
    };
    let facts = (0..400).flat_map(|n| [rows(n, 72), rows(n, 73)]).collect();
    let set = DatomSet::build(Index::Aevt, facts);
    let one = |a| KeyRange::prefix(None, Some(EntityId::new(a)), None);
    let mut runs = set.runs(&one(72), Window::default());
    let run = runs.next().unwrap().unwrap();
    assert_eq!(run.word_type(), Some(ValueType::Long));
    assert_eq!(run.consecutive_e(), Some(0));
    assert!(matches!(run.v(5), ValueRef::Long(5)));
    let mut runs = set.runs(&one(73), Window::default());
    let run = runs.next().unwrap().unwrap();
    assert_eq!(run.codes().unwrap().words(), 3);
    assert_eq!(run.len(), 400);
}
