//! Predicates and functions: evaluated row by row, comparisons of words column by column.
//!
//! A predicate keeps the rows for which it is neither false nor nil. A nil result of a function
//! drops the row for every binding form.

use datomite_model::{Edn, Symbol, Value};

use super::{Exec, binding};
use crate::QueryError;
use crate::ast::{Binding, Call, Slot, Var, push_new};
use crate::builtins::{self, Arg, is_true};
use crate::explain::Operator;
use crate::input::Input;
use crate::meet::Meet;
use crate::options::Limits;
use crate::plan::{CallOp, Source, call_source};
use crate::relation::{Col, Kind, Relation};
use crate::weigh;

/// Where the value of a slot comes from.
enum Feed<'a> {
    /// The same in every row.
    Fixed(Arg<'a>),
    /// A column.
    Col(&'a Col),
}

impl Exec<'_> {
    /// Runs a predicate or function over rows.
    pub(super) fn call(&self, op: &CallOp, rows: Relation) -> Result<Relation, QueryError> {
        if op.call.binding.is_none()
            && let Some(keep) = compare_words(&op.call, &rows)
        {
            self.uses(Operator::Compare, None);
            return rows.filter(self.limits, |row| keep[row]);
        }
        let call = builtins::Call::compile(&op.call.form, self.context)?;
        let tuples: Vec<(usize, Edn)> = self.source_rows(op);
        let slot = |name: &Symbol| {
            let slots = op.call.slots.iter();
            let mut slots = slots.filter(|(known, _)| known == name);
            slots.next().map(|(_, slot)| slot)
        };
        let mut feeds = Vec::with_capacity(call.slots().len());
        for name in call.slots() {
            feeds.push(self.feed(name, slot(name), op, &rows, &tuples)?);
        }
        let fixed = feeds.iter().all(|feed| match feed {
            Feed::Fixed(_) => true,
            Feed::Col(col) => matches!(col, Col::Const(_)),
        });
        let evaluations = if fixed { rows.len.min(1) } else { rows.len };
        let mut growth = self.limits.growth();
        growth.add_each(evaluations, size_of::<Edn>())?;
        let mut results = Vec::with_capacity(evaluations);
        let mut values: Vec<Option<Edn>> = vec![None; feeds.len()];
        for row in 0..evaluations {
            for (value, feed) in values.iter_mut().zip(&feeds) {
                if let Feed::Col(col) = feed {
                    *value = Some(col.get(row));
                }
            }
            let args: Vec<Arg<'_>> = values
                .iter()
                .zip(&feeds)
                .map(|(value, feed)| match (value, feed) {
                    (_, Feed::Fixed(arg)) => *arg,
                    (Some(value), _) => Arg::Edn(value),
                    (None, _) => Arg::Edn(&Edn::Nil),
                })
                .collect();
            self.limits.tick()?;
            let result = call.eval(self.context, &args)?;
            growth.add(weigh::weight(&result) - weigh::FORM)?;
            results.push(result);
        }
        drop(feeds);
        self.uses(
            match op.call.binding {
                Some(_) => Operator::Function,
                None => Operator::Predicate,
            },
            None,
        );
        let has_variables = op.call.slots.iter().any(|(_, s)| matches!(s, Slot::Var(_)));
        let decides = has_variables || op.decides;
        match &op.call.binding {
            None if fixed => Ok(match results.first() {
                Some(result) if decides && !is_true(result) => Relation::empty(rows.vars),
                _ => rows,
            }),
            None => rows.filter(self.limits, |row| is_true(&results[row])),
            Some(binding) => {
                let held = weigh::FORM * results.len() as u64;
                let _held = self.limits.hold(held.saturating_add(rows.bytes()));
                bind(binding, rows, results, fixed, self.limits)
            }
        }
    }

    /// Collections that are passed to the call as sources, as forms.
    fn source_rows(&self, op: &CallOp) -> Vec<(usize, Edn)> {
        let slots = op.call.slots.iter();
        slots
            .filter_map(|(_, slot)| {
                let at = call_source(self.env, op.source, slot, self.has_in)?;
                match &self.env.sources.get(at)?.1 {
                    Source::Rows(rows) => {
                        let rows = rows.iter().cloned().map(Edn::Vector).collect();
                        Some((at, Edn::Vector(rows)))
                    }
                    Source::Db(_) | Source::Invalid(_) => None,
                }
            })
            .collect()
    }

    fn feed<'r>(
        &'r self,
        name: &Symbol,
        slot: Option<&Slot>,
        op: &CallOp,
        rows: &'r Relation,
        tuples: &'r [(usize, Edn)],
    ) -> Result<Feed<'r>, QueryError> {
        let missing = || QueryError::InvalidDataSource {
            found: format!("{name}, which no input gives,"),
        };
        match slot {
            Some(Slot::Var(var)) => match self.objects.iter().find(|(known, _)| known == var) {
                Some((_, Input::Db(db))) => Ok(Feed::Fixed(Arg::Db(db))),
                Some((_, Input::Log(log))) => Ok(Feed::Fixed(Arg::Log(log))),
                Some((_, Input::Edn(form))) => Ok(Feed::Fixed(Arg::Edn(form))),
                None => rows.col(*var).map(Feed::Col).ok_or_else(missing),
            },
            Some(slot) => {
                let at = call_source(self.env, op.source, slot, self.has_in).ok_or_else(missing)?;
                match self.env.sources.get(at).map(|(_, source)| source) {
                    Some(Source::Db(db)) => Ok(Feed::Fixed(Arg::Db(db))),
                    Some(Source::Rows(_)) => tuples
                        .iter()
                        .find(|(known, _)| *known == at)
                        .map(|(_, form)| Feed::Fixed(Arg::Edn(form)))
                        .ok_or_else(missing),
                    _ => Err(missing()),
                }
            }
            None => Err(missing()),
        }
    }
}

/// Binds the results, one for each row, or one for all.
fn bind(
    binding: &Binding,
    rows: Relation,
    results: Vec<Edn>,
    fixed: bool,
    limits: &Limits,
) -> Result<Relation, QueryError> {
    if fixed {
        let found = match results.into_iter().next() {
            None | Some(Edn::Nil) => {
                let mut vars = Vec::new();
                binding.variables(&mut vars);
                Relation::empty(vars)
            }
            Some(result) => super::input_relation(binding, &result, limits)?,
        };
        return super::join::join(rows, found, Meet::Clojure, limits);
    }
    if let Binding::Scalar(var) = binding {
        return bind_scalar(*var, rows, results, limits);
    }
    let mut vars: Vec<Var> = Vec::new();
    binding.variables(&mut vars);
    let mut picks: Vec<u32> = Vec::new();
    let mut cols: Vec<Vec<Edn>> = vars.iter().map(|_| Vec::new()).collect();
    let mut growth = limits.growth();
    for (row, result) in results.iter().enumerate() {
        limits.rows(picks.len())?;
        if result.is_nil() {
            continue;
        }
        for found in binding::expand(binding, result, &mut growth)? {
            picks.push(row as u32);
            for (var, value) in found {
                if let Some(at) = vars.iter().position(|v| *v == var) {
                    cols[at].push(value);
                }
            }
        }
    }
    let one_each = picks.windows(2).all(|w| w[0] < w[1]);
    let mut key = rows.key.clone();
    if let Some(key) = &mut key
        && !one_each
    {
        vars.iter().for_each(|v| push_new(key, *v));
    }
    // A collection may hold an element twice, so the rows of one result need not differ.
    let key = key.filter(|_| one_each);
    let gathered = rows.gather(&picks, one_each, &mut growth)?;
    let mut result = attach(gathered, vars, cols, limits)?;
    if result.key.is_none() || !one_each {
        result.key = key;
    }
    Ok(result)
}

fn bind_scalar(
    var: Var,
    rows: Relation,
    results: Vec<Edn>,
    limits: &Limits,
) -> Result<Relation, QueryError> {
    let picks: Vec<u32> = (0..results.len())
        .filter(|row| !results[*row].is_nil())
        .map(|row| row as u32)
        .collect();
    let rows = if picks.len() == rows.len {
        rows
    } else {
        rows.gather(&picks, true, &mut limits.growth())?
    };
    let forms: Vec<Edn> = results.into_iter().filter(|form| !form.is_nil()).collect();
    attach(rows, vec![var], vec![forms], limits)
}

/// Adds columns; a variable that is bound already must agree.
fn attach(
    mut rows: Relation,
    vars: Vec<Var>,
    cols: Vec<Vec<Edn>>,
    limits: &Limits,
) -> Result<Relation, QueryError> {
    let mut keep: Option<Vec<bool>> = None;
    for (var, forms) in vars.into_iter().zip(cols) {
        let col = Col::of_forms(forms);
        match rows.col(var) {
            None => rows.push(var, col),
            Some(known) => {
                let agrees = (0..rows.len).map(|row| known.eq_rows(row, &col, row, Meet::Clojure));
                let keep = keep.get_or_insert_with(|| vec![true; rows.len]);
                agrees.zip(keep).for_each(|(agrees, keep)| *keep &= agrees);
            }
        }
    }
    match keep {
        Some(keep) => rows.filter(limits, |row| keep[row]),
        None => Ok(rows),
    }
}

/// `< <= > >= = != not=` of a column of words and a constant or column of the same kind.
fn compare_words(call: &Call, rows: &Relation) -> Option<Vec<bool>> {
    let [name, left, right] = call.form.as_sequence()? else {
        return None;
    };
    let test: fn(u64, u64) -> bool = match name.as_symbol()?.as_str() {
        "<" => |a, b| a < b,
        "<=" => |a, b| a <= b,
        ">" => |a, b| a > b,
        ">=" => |a, b| a >= b,
        "=" => |a, b| a == b,
        "!=" | "not=" => |a, b| a != b,
        _ => return None,
    };
    let side = |form: &Edn| -> Option<Side<'_>> {
        let Some(symbol) = form.as_symbol() else {
            return Some(Side::Form(form.clone()));
        };
        let (_, slot) = call.slots.iter().find(|(known, _)| known == symbol)?;
        let Slot::Var(var) = slot else { return None };
        Some(match rows.col(*var)? {
            Col::Const(form) => Side::Form(form.clone()),
            // The word of NaN is zero; NaN stands in no order, which only the function knows.
            Col::Word(Kind::Double | Kind::Float, words) if words.contains(&0) => return None,
            Col::Word(kind, words) => Side::Words(*kind, words),
            Col::Text(..) | Col::Code(..) | Col::Mixed(_) => return None,
        })
    };
    match (side(left)?, side(right)?) {
        (Side::Words(k, a), Side::Form(form)) => {
            let b = same_kind(k, &form)?;
            Some(a.iter().map(|a| test(*a, b)).collect())
        }
        (Side::Form(form), Side::Words(k, b)) => {
            let a = same_kind(k, &form)?;
            Some(b.iter().map(|b| test(a, *b)).collect())
        }
        (Side::Words(k, a), Side::Words(l, b)) if comparable(k) && comparable(l) && k.joins(l) => {
            let pairs = a.iter().zip(b.iter());
            Some(pairs.map(|(a, b)| test(*a, l.convert(*b, k))).collect())
        }
        _ => None,
    }
}

enum Side<'a> {
    Words(Kind, &'a Vec<u64>),
    Form(Edn),
}

/// Doubles are left to the plain way: NaN and the zeros have rules of their own.
fn comparable(kind: Kind) -> bool {
    matches!(kind, Kind::Long | Kind::Ref | Kind::Instant | Kind::Boolean)
}

fn same_kind(kind: Kind, form: &Edn) -> Option<u64> {
    let exact = match (kind, form) {
        (Kind::Long | Kind::Ref, Edn::Value(Value::Long(n))) => kind == Kind::Long || *n >= 0,
        (Kind::Instant, Edn::Value(Value::Instant(_))) => true,
        (Kind::Boolean, Edn::Value(Value::Boolean(_))) => true,
        _ => false,
    };
    if exact { kind.word(form) } else { None }
}
