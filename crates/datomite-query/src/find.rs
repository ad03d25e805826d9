//! `:find`: from the relation that the clauses leave to a result.
//!
//! 1. Keep the variables of `:find` and `:with`, each row once.
//! 2. Where `:find` has an aggregate, group by its other variables and fold each group. Values that
//!    stand at one place of Datomic's order are one group: `1`, `1N`, `1.0` and `1M`, both zeros.
//! 3. Order, then cut by `:offset` and `:limit`, as positions of rows.
//! 4. Pull, for the rows that are left. Pulling what to order by comes before 3.
//!
//! What the result looks like from outside is decided in `results.rs`.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::Hasher;
use std::sync::Arc;

use datomite_db::{Db, Functions, word};
use datomite_model::{Edn, Symbol};
use rustc_hash::{FxHashMap, FxHasher};

use crate::QueryError;
use crate::aggregates::find_aggregate;
use crate::ast::{Direction, Element, Find, FindSpec, PullSpec, Var, push_new};
use crate::builtins::{Context, clj};
use crate::options::Limits;
use crate::pull::{Pattern, Prepared};
use crate::relation::{Col, Kind, Relation, double_word};
use crate::results::QueryResult;
use crate::sort::sorted;
use crate::weigh;

/// What finishing a query needs of its inputs.
pub(crate) struct Surroundings<'a> {
    /// One's own aggregates and functions.
    pub(crate) functions: &'a Functions,
    /// The database that a pull reads; `None` is the default source.
    pub(crate) source: &'a dyn Fn(Option<&Symbol>) -> Result<&'a Db, QueryError>,
    /// The form that an input gives for a plain symbol.
    pub(crate) pattern: &'a dyn Fn(&Symbol) -> Option<&'a Edn>,
    /// What the query may use.
    pub(crate) limits: &'a Limits,
}

/// Checks what `:find` names before a clause runs: aggregates, the sources of pulls, and that their
/// patterns are there. What is in a pattern is looked at when there is a row to pull.
pub(crate) fn check_find(find: &Find, around: &Surroundings<'_>) -> Result<(), QueryError> {
    for element in &find.elements {
        match element {
            Element::Variable(_) => {}
            Element::Aggregate { name, .. } => {
                find_aggregate(name, around.functions)?;
            }
            Element::Pull {
                source, pattern, ..
            } => {
                (around.source)(source.as_ref())?;
                pattern_form(pattern, around)?;
            }
        }
    }
    Ok(())
}

/// Shapes the result of a query from the rows of its clauses.
pub(crate) fn finish(
    find: &Find,
    with: &[Var],
    relation: Relation,
    around: &Surroundings<'_>,
) -> Result<QueryResult, QueryError> {
    let mut vars: Vec<Var> = Vec::new();
    find.elements
        .iter()
        .for_each(|element| push_new(&mut vars, element.variable()));
    with.iter().for_each(|var| push_new(&mut vars, *var));
    let limits = around.limits;
    let relation = relation.project(&vars, limits)?;
    if let Some((name, place)) = &find.repeated
        && relation.len > 0
    {
        return Err(QueryError::Syntax {
            message: format!("{name} stands twice in :find and :with"),
            place: Box::new(place.clone()),
        });
    }
    let is_aggregate = |element: &Element| matches!(element, Element::Aggregate { .. });
    let aggregates = find.elements.iter().any(is_aggregate);
    let (mut columns, len) = if aggregates {
        grouped(find, &relation, around)?
    } else {
        (plain(find, &relation), relation.len)
    };
    let mut pulled = vec![false; columns.len()];
    for (at, _) in &find.order_by {
        pull_column(find, *at, len, &mut columns, &mut pulled, around)?;
    }
    let rows = chosen(find, &columns, len, limits)?;
    let len = rows.as_ref().map_or(len, Vec::len);
    if let Some(rows) = rows {
        let mut growth = limits.growth();
        let gathered = columns.iter().map(|col| col.gather_in(&rows, &mut growth));
        columns = gathered.collect::<Result<_, _>>()?;
    }
    limits.rows(len)?;
    limits.bytes(answer_bytes(len, &columns))?;
    for at in 0..columns.len() {
        pull_column(find, at, len, &mut columns, &mut pulled, around)?;
    }
    let pulls = |element: &Element| matches!(element, Element::Pull { .. });
    let keys = find.keys.as_ref().map(|keys| keys.names.clone());
    Ok(QueryResult {
        spec: find.spec,
        is_set: with.is_empty()
            && !aggregates
            && keys.is_none()
            && find.order_by.is_empty()
            && !find.elements.iter().any(pulls),
        columns,
        names: Arc::clone(&find.columns),
        len,
        keys,
    })
}

/// Bytes of an answer as EDN: a vector for each row, a form for each cell.
fn answer_bytes(rows: usize, columns: &[Col]) -> u64 {
    let rows = rows as u64;
    let inner = columns.iter().map(|column| match column {
        Col::Const(form) => weigh::copied(form).saturating_mul(rows),
        Col::Mixed(forms) => forms.iter().map(weigh::copied).sum(),
        Col::Word(..) | Col::Text(..) | Col::Code(..) => 0,
    });
    let inner = inner.fold(0, u64::saturating_add);
    inner.saturating_add(rows.saturating_mul(weigh::FORM * (1 + columns.len() as u64)))
}

/// One column for each element; that of a pull holds the entities.
fn plain(find: &Find, relation: &Relation) -> Vec<Col> {
    let column = |element: &Element| {
        let column = relation.col(element.variable());
        column
            .cloned()
            .expect("invariant: the relation was projected to these variables")
    };
    find.elements.iter().map(column).collect()
}

/// Which rows belong together.
struct Groups {
    of_row: Vec<u32>,
    /// The first row of each.
    first: Vec<u32>,
}

fn grouped(
    find: &Find,
    relation: &Relation,
    around: &Surroundings<'_>,
) -> Result<(Vec<Col>, usize), QueryError> {
    let mut by: Vec<Var> = Vec::new();
    for element in &find.elements {
        if !matches!(element, Element::Aggregate { .. }) {
            push_new(&mut by, element.variable());
        }
    }
    let groups = group(relation, &by, around.limits)?;
    let mut columns = Vec::with_capacity(find.elements.len());
    for (element, column) in find.elements.iter().zip(plain(find, relation)) {
        columns.push(match element {
            Element::Aggregate {
                name, arguments, ..
            } => {
                let aggregate = find_aggregate(name, around.functions)?;
                let count = groups.first.len();
                match aggregate.fold(arguments, &column, &groups.of_row, count) {
                    Some(values) => Col::of_forms(values?),
                    None => {
                        let values = values_of(&groups, &column, around.limits)?;
                        let context = Context::new(around.functions).within(around.limits);
                        let apply = |v: &Vec<Edn>| {
                            around.limits.tick()?;
                            aggregate.apply(&context, arguments, v)
                        };
                        let folded: Result<Vec<Edn>, QueryError> =
                            values.iter().map(apply).collect();
                        Col::of_forms(folded?)
                    }
                }
            }
            _ => column.gather_in(&groups.first, &mut around.limits.growth())?,
        });
    }
    Ok((columns, groups.first.len()))
}

/// The values of each group.
fn values_of(groups: &Groups, column: &Col, limits: &Limits) -> Result<Vec<Vec<Edn>>, QueryError> {
    let mut growth = limits.growth();
    growth.add_each(groups.of_row.len(), size_of::<Edn>())?;
    growth.add_each(groups.first.len(), size_of::<Vec<Edn>>())?;
    let mut values: Vec<Vec<Edn>> = vec![Vec::new(); groups.first.len()];
    for (row, group) in groups.of_row.iter().enumerate() {
        limits.tick()?;
        let value = column.get(row);
        growth.add(weigh::copied(&value))?;
        values[*group as usize].push(value);
    }
    Ok(values)
}

/// Groups of equal words: by an array where they lie close together, else by a map.
fn group_words(words: &[u64], limits: &Limits) -> Result<Groups, QueryError> {
    let mut groups = Groups {
        of_row: Vec::with_capacity(words.len()),
        first: Vec::new(),
    };
    let low = words.iter().copied().min().unwrap_or(0);
    let span = words.iter().copied().max().unwrap_or(0) - low;
    let mut take = |row: usize, known: &mut u32| {
        if *known == u32::MAX {
            *known = groups.first.len() as u32;
            groups.first.push(row as u32);
        }
        groups.of_row.push(*known);
    };
    if span / 4 <= words.len() as u64 {
        let mut known = vec![u32::MAX; span as usize + 1];
        for (row, word) in words.iter().enumerate() {
            limits.tick()?;
            take(row, &mut known[(word - low) as usize]);
        }
    } else {
        let mut known: FxHashMap<u64, u32> = FxHashMap::default();
        for (row, word) in words.iter().enumerate() {
            limits.tick()?;
            take(row, known.entry(*word).or_insert(u32::MAX));
        }
    }
    Ok(groups)
}

fn group(relation: &Relation, by: &[Var], limits: &Limits) -> Result<Groups, QueryError> {
    // A group and a position for each row, and the words that tell.
    limits.bytes(16 * relation.len as u64)?;
    let at = relation.positions(by);
    if at.is_empty() {
        return group_words(&vec![0; relation.len], limits);
    }
    match packed(relation, &at) {
        Some(words) => group_words(&words, limits),
        None => group_rows(relation, &at, limits),
    }
}

/// One word for each row that tells its group, where all columns have words of small range.
fn packed(relation: &Relation, at: &[usize]) -> Option<Vec<u64>> {
    let mut rows = vec![0u64; relation.len];
    let mut range = 1u64;
    for col in at {
        let words = words_of(&relation.cols[*col])?;
        let low = words.iter().copied().min().unwrap_or(0);
        let span = words.iter().copied().max().unwrap_or(0) - low;
        let here = span.checked_add(1)?;
        range = range.checked_mul(here)?;
        for (row, word) in rows.iter_mut().zip(words.iter()) {
            *row = *row * here + (word - low);
        }
    }
    Some(rows)
}

/// Words that are equal where the values are.
fn words_of(col: &Col) -> Option<Cow<'_, [u64]>> {
    match col {
        Col::Word(Kind::Double, words) => Some(one_zero(words, double_word(-0.0))),
        Col::Word(Kind::Float, words) => Some(one_zero(words, word::of_float(-0.0))),
        Col::Word(_, words) | Col::Code(_, words) => Some(Cow::Borrowed(words)),
        Col::Text(texts, words) => {
            let mut known: FxHashMap<&str, u64> = FxHashMap::default();
            let code = |word: &u64| {
                let next = known.len() as u64;
                *known.entry(texts.get(*word)).or_insert(next)
            };
            Some(Cow::Owned(words.iter().map(code).collect()))
        }
        Col::Const(_) | Col::Mixed(_) => None,
    }
}

/// The words with `-0.0`, which comes just before it, as `0.0`.
fn one_zero(words: &[u64], negative: u64) -> Cow<'_, [u64]> {
    if !words.contains(&negative) {
        return Cow::Borrowed(words);
    }
    let one = |word: &u64| word + u64::from(*word == negative);
    Cow::Owned(words.iter().map(one).collect())
}

/// Groups of rows that stand at one place of the order, cell by cell.
fn group_rows(relation: &Relation, at: &[usize], limits: &Limits) -> Result<Groups, QueryError> {
    let mut groups = Groups {
        of_row: Vec::with_capacity(relation.len),
        first: Vec::new(),
    };
    let mut known: FxHashMap<u64, Vec<u32>> = FxHashMap::default();
    for row in 0..relation.len {
        limits.tick()?;
        let cells: Vec<Edn> = at.iter().map(|col| relation.cols[*col].get(row)).collect();
        let mut state = FxHasher::default();
        cells
            .iter()
            .for_each(|cell| clj::hash_place(cell, &mut state));
        let same = known.entry(state.finish()).or_default();
        let meets = |group: &&u32| {
            let first = groups.first[**group as usize] as usize;
            let mut pairs = at.iter().zip(&cells);
            pairs.all(|(col, cell)| clj::compare(&relation.cols[*col].get(first), cell).is_eq())
        };
        let group = match same.iter().find(meets) {
            Some(group) => *group,
            None => {
                let next = groups.first.len() as u32;
                groups.first.push(row as u32);
                same.push(next);
                next
            }
        };
        groups.of_row.push(group);
    }
    Ok(groups)
}

/// The rows that are returned, in order; `None` where that is all of them as they stand.
fn chosen(
    find: &Find,
    columns: &[Col],
    len: usize,
    limits: &Limits,
) -> Result<Option<Vec<u32>>, QueryError> {
    let offset = usize::try_from(find.offset).unwrap_or(usize::MAX).min(len);
    let limit = find.limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    });
    let end = offset.saturating_add(limit).min(len);
    if find.order_by.is_empty() {
        return Ok((offset > 0 || end < len).then(|| (offset as u32..end as u32).collect()));
    }
    let mut keys: Vec<(SortKey<'_>, Direction)> = Vec::with_capacity(find.order_by.len());
    for (at, direction) in &find.order_by {
        keys.push((SortKey::new(&columns[*at], len, limits)?, *direction));
    }
    let order = |a: &u32, b: &u32| {
        keys.iter()
            .map(|(key, direction)| match direction {
                Direction::Ascending => key.compare(*a as usize, *b as usize),
                Direction::Descending => key.compare(*b as usize, *a as usize),
            })
            .find(|order| order.is_ne())
            .unwrap_or_else(|| a.cmp(b))
    };
    let mut rows = sorted(len, end, order, limits)?;
    rows.drain(..offset);
    Ok(Some(rows))
}

/// A column made comparable.
enum SortKey<'a> {
    /// Words keep the order of their type.
    Words(&'a [u64]),
    Forms(Vec<Edn>),
}

impl SortKey<'_> {
    fn new<'a>(column: &'a Col, len: usize, limits: &Limits) -> Result<SortKey<'a>, QueryError> {
        Ok(match column {
            Col::Word(Kind::Long | Kind::Ref | Kind::Boolean | Kind::Double, words)
            | Col::Word(Kind::Float | Kind::Instant, words) => SortKey::Words(words),
            column => SortKey::Forms(forms_in(column, len, limits)?),
        })
    }

    fn compare(&self, a: usize, b: usize) -> Ordering {
        match self {
            SortKey::Words(words) => words[a].cmp(&words[b]),
            SortKey::Forms(forms) => clj::compare(&forms[a], &forms[b]),
        }
    }
}

/// The column as forms, counted before they are made.
fn forms_in(column: &Col, len: usize, limits: &Limits) -> Result<Vec<Edn>, QueryError> {
    let mut growth = limits.growth();
    growth.add_each(len, size_of::<Edn>())?;
    let mut forms = Vec::with_capacity(len);
    for row in 0..len {
        limits.tick()?;
        let form = column.get(row);
        growth.add(weigh::copied(&form))?;
        forms.push(form);
    }
    Ok(forms)
}

/// Puts what is pulled in the place of the entities of a pull's column, once.
fn pull_column(
    find: &Find,
    at: usize,
    len: usize,
    columns: &mut [Col],
    pulled: &mut [bool],
    around: &Surroundings<'_>,
) -> Result<(), QueryError> {
    let Element::Pull {
        source, pattern, ..
    } = &find.elements[at]
    else {
        return Ok(());
    };
    if std::mem::replace(&mut pulled[at], true) || len == 0 {
        return Ok(());
    }
    let db = (around.source)(source.as_ref())?;
    let pattern = Pattern::from_edn(pattern_form(pattern, around)?)?;
    let prepared = Prepared::new(db, &pattern, around.limits)?;
    around.limits.rows(0)?;
    let mut growth = around.limits.growth();
    let mut forms = Vec::with_capacity(len);
    for row in 0..len {
        let pulled = prepared.pull(&columns[at].get(row))?;
        growth.add(weigh::weight(&pulled))?;
        forms.push(pulled);
    }
    columns[at] = Col::Mixed(forms);
    Ok(())
}

fn pattern_form<'a>(
    spec: &'a PullSpec,
    around: &'a Surroundings<'_>,
) -> Result<&'a Edn, QueryError> {
    match spec {
        PullSpec::Literal(form) => Ok(form),
        PullSpec::Input(name) => {
            (around.pattern)(name).ok_or_else(|| QueryError::PatternNotBound { name: name.clone() })
        }
    }
}

/// Whether a find specification returns at most one row.
pub(crate) fn is_single(spec: FindSpec) -> bool {
    matches!(spec, FindSpec::Tuple | FindSpec::Scalar)
}
