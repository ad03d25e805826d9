//! The sorted set of facts: bulk build, scans, points, counts, transactions, snapshots.
//!
//! 20,000 people of a fixed seed, about ten facts each, in the orders EAVT, AEVT and AVET. The
//! bytes a fact takes are printed before the measurements.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use datomite::storage::{DatomSet, Edit, Fact, KeyRange, StorageError, Window};
use datomite::{EntityId, Index, T, Value};

const PEOPLE: u64 = 20_000;
const FIRST: u64 = 17_592_186_045_418;
const NAME: u64 = 72;
const SALARY: u64 = 77;

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
}

fn fact(e: u64, a: u64, v: Value, t: u64) -> Fact {
    Fact {
        e: EntityId::new(e),
        a: EntityId::new(a),
        v,
        t: T::new(t),
        out: None,
    }
}

fn people() -> Vec<Fact> {
    const NAMES: [&str; 8] = [
        "Ivan", "Petr", "Sergei", "Oleg", "Yuri", "Dmitry", "Fedor", "Denis",
    ];
    const LAST: [&str; 6] = [
        "Ivanov",
        "Petrov",
        "Sidorov",
        "Kovalev",
        "Kuznetsov",
        "Voronoi",
    ];
    let mut random = Random(42);
    let mut facts = Vec::new();
    for n in 0..PEOPLE {
        let name = NAMES[random.below(8) as usize];
        let last = LAST[random.below(6) as usize];
        let sex = ["male", "female"][random.below(2) as usize];
        let mut values = vec![
            (NAME, Value::from(name)),
            (73, Value::from(last)),
            (74, Value::from(format!("{name} {last} {n}"))),
            (75, Value::from(sex)),
            (76, Value::Long(random.below(100) as i64)),
            (SALARY, Value::Long(random.below(100_000) as i64)),
        ];
        for alias in 0..random.below(10) {
            values.push((78, Value::from(format!("A.{} {alias}", random.below(1000)))));
        }
        facts.extend(values.into_iter().map(|(a, v)| fact(FIRST + n, a, v, 1000)));
    }
    facts
}

fn attribute(a: u64) -> KeyRange {
    KeyRange::prefix(None, Some(EntityId::new(a)), None)
}

/// Entity ids and words or codes of an attribute, column by column.
fn scan(set: &DatomSet, a: u64) -> Result<u64, StorageError> {
    let mut runs = set.runs(&attribute(a), Window::default());
    let (mut ids, mut words) = (Vec::new(), Vec::new());
    let mut sum = 0;
    while let Some(run) = runs.next()? {
        ids.clear();
        words.clear();
        run.read_e(0..run.len(), &mut ids);
        match run.codes() {
            Some(codes) => codes.read(0..run.len(), &mut words),
            None => run.read_words(0..run.len(), &mut words),
        }
        sum ^= ids.iter().chain(&words).fold(0, |x, y| x ^ y);
    }
    Ok(sum)
}

fn reads(c: &mut Criterion) {
    let facts = people();
    let build = |index| DatomSet::build(index, facts.clone());
    let [eavt, aevt, avet] = [Index::Eavt, Index::Aevt, Index::Avet].map(build);
    for set in [&eavt, &aevt, &avet] {
        let bytes = set.stats().bytes as f64 / set.len() as f64;
        println!("{}: {bytes:.1} bytes a fact", set.index());
    }
    let mut group = c.benchmark_group("scan");
    group.throughput(Throughput::Elements(PEOPLE));
    group.bench_function("long", |b| b.iter(|| scan(&aevt, SALARY)));
    group.bench_function("string", |b| b.iter(|| scan(&aevt, NAME)));
    group.finish();

    let mut random = Random(9);
    let mut pick = move || EntityId::new(FIRST + random.below(PEOPLE));
    let salary = EntityId::new(SALARY);
    let mut group = c.benchmark_group("point");
    for (name, set) in [("eavt e a", &eavt), ("aevt a e", &aevt)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let range = KeyRange::prefix(Some(pick()), Some(salary), None);
                let mut runs = set.runs(&range, Window::default());
                runs.next().map(|run| run.map(|run| run.len()))
            });
        });
    }
    let mut random = Random(11);
    group.bench_function("count avet a v", |b| {
        b.iter(|| {
            let value = Value::Long(random.below(100_000) as i64);
            avet.count(&KeyRange::prefix(None, Some(salary), Some(value)))
        });
    });
    group.bench_function("snapshot", |b| b.iter(|| black_box(eavt.clone())));
    group.finish();
}

/// A prefix count is two descents: a hundred times the rows may cost at most three times as much.
fn counts(c: &mut Criterion) {
    let mut group = c.benchmark_group("prefix count");
    for rows in [10_000, 1_000_000] {
        let row = |n: u64| fact(FIRST + n, NAME, Value::Long((n * 7919 % 1000) as i64), 1000);
        let set = DatomSet::build(Index::Avet, (0..rows).map(row).collect());
        let mut value = 0;
        group.bench_function(format!("{rows}"), |b| {
            b.iter(|| {
                value = (value + 1) % 1000;
                let name = Some(EntityId::new(NAME));
                set.count(&KeyRange::prefix(None, name, Some(Value::Long(value))))
            });
        });
    }
    group.finish();
}

fn writes(c: &mut Criterion) {
    let facts = people();
    let mut group = c.benchmark_group("write");
    group.sample_size(20);
    group.throughput(Throughput::Elements(facts.len() as u64));
    for index in [Index::Eavt, Index::Aevt, Index::Avet] {
        group.bench_function(format!("build {index}"), |b| {
            let input = || facts.clone();
            b.iter_batched(
                input,
                |facts| DatomSet::build(index, facts),
                BatchSize::LargeInput,
            );
        });
    }
    group.throughput(Throughput::Elements(1));
    let build = |index| DatomSet::build(index, facts.clone());
    let mut sets = [Index::Eavt, Index::Aevt, Index::Avet].map(build);
    let mut random = Random(5);
    let mut n = 0;
    group.bench_function("transaction of 5, three indexes, published", |b| {
        b.iter(|| {
            n += 1;
            let published = sets.clone();
            let from = random.below(PEOPLE) as usize * 6;
            let new: Vec<Edit> = facts[from..from + 5]
                .iter()
                .map(|old| fact(FIRST + PEOPLE + n, old.a.raw(), old.v.clone(), 1000 + n))
                .map(Edit::Insert)
                .collect();
            for set in &mut sets {
                set.apply(new.clone()).expect("a tree in memory reads");
            }
            published
        });
    });
    group.finish();
}

criterion_group!(benches, reads, counts, writes);
criterion_main!(benches);
