//! Aggregates of `:find`: from the values of a group to one.
//!
//! Decides what `count`, `sum`, `median` and the others mean, and which functions of one's own or
//! of the table may stand in their place. Grouping is `find.rs`'s. Columns of words are folded
//! without making values ([`fold_words`]).

use std::cmp::Ordering;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use datomite_db::{AggregateFn, Function, Functions};
use datomite_model::{Edn, Symbol, Value};

use crate::QueryError;
use crate::builtins::{
    Arg, Arithmetic, CallError, Callable, Context, Number, clj, find, is_in_core, java_comparable,
    nearest_of,
};
use crate::relation::{Col, Kind};

type Outcome = Result<Edn, QueryError>;

/// An aggregate by name.
#[derive(Clone)]
pub(crate) struct Aggregate {
    name: Symbol,
    kind: AggregateKind,
}

#[derive(Clone)]
enum AggregateKind {
    Builtin(&'static Builtin),
    Own(Arc<AggregateFn>),
    /// A function of the table or one's own; the values are its last argument.
    Function(Callable),
}

/// A built-in aggregate.
pub(crate) struct Builtin {
    /// Its name.
    pub(crate) name: &'static str,
    /// How it is called, then what it gives.
    pub(crate) doc: &'static str,
    /// How many constants may stand before the variable.
    constants: std::ops::RangeInclusive<usize>,
    body: fn(&Symbol, &[Edn], &[Edn]) -> Outcome,
}

const BUILTINS: &[Builtin] = &[
    builtin(
        "count",
        "(count ?x): how many rows",
        0..=0,
        |_, _, values| Ok(Edn::long(values.len() as i64)),
    ),
    builtin(
        "count-distinct",
        "(count-distinct ?x): how many values",
        0..=0,
        |_, _, values| Ok(Edn::long(clj::distinct(values.iter().cloned()).len() as i64)),
    ),
    builtin(
        "distinct",
        "(distinct ?x): the set of values",
        0..=0,
        |_, _, values| Ok(Edn::Set(clj::distinct(values.iter().cloned()))),
    ),
    builtin(
        "min",
        "(min n? ?x): the least, or the n least",
        0..=1,
        |name, constants, values| extreme(name, constants, values, Ordering::Less),
    ),
    builtin(
        "max",
        "(max n? ?x): the greatest, or the n greatest",
        0..=1,
        |name, consts, values| extreme(name, consts, values, Ordering::Greater),
    ),
    builtin("sum", "(sum ?x): the sum", 0..=0, |name, _, values| {
        sum(name, values).map(Number::into_edn)
    }),
    builtin(
        "avg",
        "(avg ?x): the mean, a double",
        0..=0,
        |name, _, values| {
            let sum = sum(name, values)?.to_f64();
            Ok(double(sum / values.len() as f64))
        },
    ),
    builtin("median", "(median ?x): the middle value", 0..=0, median),
    builtin(
        "variance",
        "(variance ?x): of the population",
        0..=0,
        |name, _, values| Ok(double(variance(name, values)?)),
    ),
    builtin(
        "stddev",
        "(stddev ?x): the root of the variance",
        0..=0,
        |name, _, values| Ok(double(variance(name, values)?.sqrt())),
    ),
    builtin(
        "rand",
        "(rand n? ?x): a random value, or n",
        0..=1,
        |name, constants, values| {
            let mut random = Random::new();
            let mut pick = || values[random.below(values.len())].clone();
            match constants {
                [] => Ok(pick()),
                [n, ..] => {
                    let times = times(name, n)?;
                    if times > RANDOM_MAX {
                        return Err(too_long(name));
                    }
                    Ok(Edn::Vector((0..times).map(|_| pick()).collect()))
                }
            }
        },
    ),
    builtin(
        "sample",
        "(sample n ?x): up to n distinct values",
        1..=1,
        |name, constants, values| {
            let mut all = clj::distinct(values.iter().cloned());
            if number(name, &constants[0])?.sign().is_lt() {
                return Err(problem(name, Arithmetic::OutOfRange));
            }
            let wanted = times(name, &constants[0])?.min(all.len());
            let mut random = Random::new();
            for at in 0..wanted {
                let other = at + random.below(all.len() - at);
                all.swap(at, other);
            }
            all.truncate(wanted);
            Ok(Edn::Vector(all))
        },
    ),
];

/// `(rand n ?x)` makes no more values than this.
const RANDOM_MAX: usize = 10_000_000;

const fn builtin(
    name: &'static str,
    doc: &'static str,
    constants: std::ops::RangeInclusive<usize>,
    body: fn(&Symbol, &[Edn], &[Edn]) -> Outcome,
) -> Builtin {
    Builtin {
        name,
        doc,
        constants,
        body,
    }
}

/// All built-in aggregates.
pub(crate) fn table() -> &'static [Builtin] {
    BUILTINS
}

/// The aggregate of that name: built in, one's own, or a function by its qualified name.
pub(crate) fn find_aggregate(
    name: &Symbol,
    functions: &Functions,
) -> Result<Aggregate, QueryError> {
    let of = |kind| Aggregate {
        name: name.clone(),
        kind,
    };
    let short = match name.namespace() {
        None | Some("datomic.aggregation") => name.name(),
        _ => "",
    };
    if let Some(builtin) = BUILTINS.iter().find(|b| b.name == short) {
        return Ok(of(AggregateKind::Builtin(builtin)));
    }
    if name.namespace().is_some()
        && let Some(Function::Aggregate(body)) = functions.get(name)
    {
        return Ok(of(AggregateKind::Own(body)));
    }
    if let Some(callable) = function_over_values(name, functions) {
        return Ok(of(AggregateKind::Function(callable)));
    }
    let known = BUILTINS.iter().map(|builtin| Symbol::parse(builtin.name));
    Err(CallError::UnknownAggregate {
        name: name.clone(),
        nearest: nearest_of(name, known),
    }
    .into())
}

/// A function of Clojure, or one's own, that may take the values of a group.
fn function_over_values(name: &Symbol, functions: &Functions) -> Option<Callable> {
    let callable = find(name, functions).ok()?;
    let of_java = |name: &str| name.starts_with('.') || name.ends_with('.');
    let home = name.namespace().unwrap_or_default();
    let upper = home.rsplit('.').next().unwrap_or_default();
    if name.namespace().is_none() && !is_in_core(name) {
        return None;
    }
    let java = of_java(name.name()) || upper.starts_with(|c: char| c.is_ascii_uppercase());
    match callable {
        Callable::Builtin(_) if java => None,
        callable => Some(callable),
    }
}

impl Aggregate {
    /// The value of a group. `values` is not empty: a group has a row.
    pub(crate) fn apply(
        &self,
        context: &Context<'_>,
        constants: &[Edn],
        values: &[Edn],
    ) -> Outcome {
        match &self.kind {
            AggregateKind::Builtin(builtin) => {
                self.check_constants(builtin, constants)?;
                (builtin.body)(&self.name, constants, values)
            }
            AggregateKind::Own(body) => {
                body(constants, values).map_err(|error| QueryError::own(&self.name, error))
            }
            AggregateKind::Function(callable) => {
                let all = Edn::Vector(values.to_vec());
                let first = constants.iter().map(Arg::Edn);
                let args: Vec<Arg<'_>> = first.chain([Arg::Edn(&all)]).collect();
                callable.call(context, &args)
            }
        }
    }

    fn check_constants(&self, builtin: &Builtin, constants: &[Edn]) -> Result<(), QueryError> {
        if builtin.constants.contains(&constants.len()) {
            return Ok(());
        }
        let (least, most) = (builtin.constants.start() + 1, builtin.constants.end() + 1);
        Err(CallError::Arity {
            function: self.name.clone(),
            expected: if least == most {
                least.to_string()
            } else {
                format!("{least} to {most}")
            },
            found: constants.len() + 1,
        }
        .into())
    }

    /// The values of all groups at once, where the column's words are enough to tell.
    pub(crate) fn fold(
        &self,
        constants: &[Edn],
        column: &Col,
        group_of: &[u32],
        groups: usize,
    ) -> Option<Result<Vec<Edn>, QueryError>> {
        let AggregateKind::Builtin(builtin) = &self.kind else {
            return None;
        };
        if !constants.is_empty() {
            return None;
        }
        if builtin.name == "count" {
            let mut counts = vec![0i64; groups];
            group_of
                .iter()
                .for_each(|group| counts[*group as usize] += 1);
            return Some(Ok(counts.into_iter().map(Edn::long).collect()));
        }
        let Col::Word(kind, words) = column else {
            return None;
        };
        fold_words(&self.name, *kind, words, group_of, groups)
    }
}

/// Folds a column of words, group by group: sums in 128 bits, least and greatest by word.
fn fold_words(
    name: &Symbol,
    kind: Kind,
    words: &[u64],
    group_of: &[u32],
    groups: usize,
) -> Option<Result<Vec<Edn>, QueryError>> {
    let rows = || {
        words
            .iter()
            .zip(group_of)
            .map(|(word, group)| (*word, *group as usize))
    };
    match name.as_str() {
        "min" | "max" => {
            let least = name.as_str() == "min";
            let mut best: Vec<Option<u64>> = vec![None; groups];
            for (word, group) in rows() {
                let better = best[group].is_none_or(|b| if least { word < b } else { word > b });
                if better {
                    best[group] = Some(word);
                }
            }
            let value =
                |word: Option<u64>| word.map_or(Edn::Nil, |word| Edn::from(kind.value(word)));
            Some(Ok(best.into_iter().map(value).collect()))
        }
        "sum" | "avg" if kind.is_integer() => {
            let mut sums = vec![(0i128, 0u64); groups];
            for (word, group) in rows() {
                sums[group].0 += i128::from(integer(kind, word));
                sums[group].1 += 1;
            }
            let value = |(sum, count): (i128, u64)| {
                let sum = i64::try_from(sum).map_err(|_| overflow(name))?;
                Ok(if name.as_str() == "sum" {
                    Edn::long(sum)
                } else {
                    double(sum as f64 / count as f64)
                })
            };
            Some(sums.into_iter().map(value).collect())
        }
        _ => None,
    }
}

fn integer(kind: Kind, word: u64) -> i64 {
    match kind.value(word) {
        Value::Long(n) => n,
        _ => 0,
    }
}

fn double(n: f64) -> Edn {
    Edn::Value(Value::Double(n))
}

fn overflow(name: &Symbol) -> QueryError {
    problem(name, Arithmetic::Overflow)
}

fn problem(name: &Symbol, problem: Arithmetic) -> QueryError {
    CallError::Arithmetic {
        function: name.clone(),
        problem,
    }
    .into()
}

fn too_long(name: &Symbol) -> QueryError {
    CallError::TooLong {
        function: name.clone(),
        limit: RANDOM_MAX,
    }
    .into()
}

fn number(name: &Symbol, form: &Edn) -> Result<Number, QueryError> {
    Number::of(form).ok_or_else(|| {
        CallError::WrongType {
            function: name.clone(),
            expected: "numbers",
            found: form.clone(),
        }
        .into()
    })
}

/// How many values `(min n ?x)` and its kin want: a number, its fraction rounded up.
fn times(name: &Symbol, form: &Edn) -> Result<usize, QueryError> {
    Ok(number(name, form)?.to_f64().ceil().max(0.0) as usize)
}

fn extreme(name: &Symbol, constants: &[Edn], values: &[Edn], wanted: Ordering) -> Outcome {
    if let [n] = constants {
        let mut sorted: Vec<&Edn> = values.iter().collect();
        match wanted {
            Ordering::Less => sorted.sort_by(|a, b| clj::compare(a, b)),
            _ => sorted.sort_by(|a, b| clj::compare(b, a)),
        }
        sorted.truncate(times(name, n)?);
        return Ok(Edn::Vector(sorted.into_iter().cloned().collect()));
    }
    let mut best = &values[0];
    for value in &values[1..] {
        if clj::compare(value, best) == wanted {
            best = value;
        }
    }
    Ok(best.clone())
}

fn sum(name: &Symbol, values: &[Edn]) -> Result<Number, QueryError> {
    let mut total = Number::Long(0);
    for value in values {
        let sum = total.add(&number(name, value)?);
        total = sum.map_err(|error| problem(name, error))?;
    }
    Ok(total)
}

/// The middle value; of an even number the middle two, added and halved: whole numbers and
/// decimals cut, doubles not.
fn median(name: &Symbol, _: &[Edn], values: &[Edn]) -> Outcome {
    let mut sorted: Vec<&Edn> = values.iter().collect();
    // As in Java: only things of one type, with an order of their own, have a middle.
    let first = sorted[0];
    if let Some(other) = sorted[1..].iter().find(|v| !java_comparable(first, v)) {
        return Err(CallError::WrongType {
            function: name.clone(),
            expected: "values of one type, with an order",
            found: (*other).clone(),
        }
        .into());
    }
    sorted.sort_by(|a, b| median_order(a, b));
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        return Ok(sorted[middle].clone());
    }
    let (low, high) = (
        number(name, sorted[middle - 1])?,
        number(name, sorted[middle])?,
    );
    if let Number::Big(_) = low {
        return Err(CallError::WrongType {
            function: name.clone(),
            expected: "an odd number of bigints",
            found: sorted[middle - 1].clone(),
        }
        .into());
    }
    let half = low.add(&high).and_then(|sum| match sum {
        Number::Double(sum) => Ok(Number::Double(sum / 2.0)),
        sum => sum.quotient(&Number::Long(2)),
    });
    half.map(Number::into_edn)
        .map_err(|error| problem(name, error))
}

/// Tuples by length first, all else as everywhere.
fn median_order(a: &Edn, b: &Edn) -> Ordering {
    match (a.as_sequence(), b.as_sequence()) {
        (Some(x), Some(y)) => x.len().cmp(&y.len()).then_with(|| clj::compare(a, b)),
        _ => clj::compare(a, b),
    }
}

fn variance(name: &Symbol, values: &[Edn]) -> Result<f64, QueryError> {
    // The sum is that of the numbers as they are, with its overflow.
    sum(name, values)?;
    let numbers: Result<Vec<f64>, QueryError> = values
        .iter()
        .map(|value| Ok(number(name, value)?.to_f64()))
        .collect();
    let numbers = numbers?;
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    Ok(numbers.iter().map(|n| (n - mean) * (n - mean)).sum::<f64>() / count)
}

/// Random positions, seeded by the keys that the standard library draws for its hash maps.
struct Random(u64);

impl Random {
    fn new() -> Random {
        let mut hasher = std::hash::RandomState::new().build_hasher();
        hasher.write_u8(1);
        Random(hasher.finish() | 1)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((u128::from(self.0) * end as u128) >> 64) as usize
    }
}
