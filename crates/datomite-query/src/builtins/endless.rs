//! Sequences without end and transducers: what functions make that are no values.
//!
//! `(iterate f x)`, `(cycle xs)`, `(repeat x)`, `(range)` and `(repeatedly f)` are taken from, one
//! element after the other; a stage such as `(map f)` is given a whole collection at once.

use std::borrow::Cow;

use datomite_model::Edn;

use super::call::{Callable, Held, Maker, call_arg, seq};
use super::collections::items;
use super::{Arg, Invocation, LENGTH_MAX};
use crate::QueryError;

/// The elements of an argument, endless or not, as far as `wanted` goes.
pub(super) fn up_to<'a>(
    c: &Invocation<'a>,
    at: usize,
    wanted: usize,
) -> Result<Cow<'a, [Edn]>, QueryError> {
    match endless(c.args[at]) {
        None => items(c, at),
        Some(source) => {
            c.check_length(wanted)?;
            let mut left = wanted;
            let taken = source.taken(c, |_| {
                let more = left > 0;
                left = left.saturating_sub(1);
                Ok(more)
            })?;
            Ok(Cow::Owned(taken))
        }
    }
}

/// The elements of an argument, endless or not, while a test holds.
pub(super) fn while_true<'a>(
    c: &Invocation<'a>,
    at: usize,
    mut test: impl FnMut(&Edn) -> Result<bool, QueryError>,
) -> Result<Vec<Edn>, QueryError> {
    match endless(c.args[at]) {
        Some(source) => source.taken(c, test),
        None => {
            let mut taken = Vec::new();
            for item in items(c, at)?.iter() {
                if !test(item)? {
                    break;
                }
                taken.push(item.clone());
            }
            Ok(taken)
        }
    }
}

/// How many elements an argument has, if they end.
pub(super) fn length(c: &Invocation<'_>, at: usize) -> Result<Option<usize>, QueryError> {
    match endless(c.args[at]) {
        Some(_) => Ok(None),
        None => Ok(Some(items(c, at)?.len())),
    }
}

struct Endless<'a> {
    maker: Maker,
    held: &'a [Held],
}

fn endless(arg: Arg<'_>) -> Option<Endless<'_>> {
    match arg {
        Arg::Function(Callable::Made(maker, held)) => match maker {
            Maker::Iterate | Maker::Cycle | Maker::Repeat | Maker::Naturals | Maker::Repeatedly => {
                Some(Endless {
                    maker: *maker,
                    held,
                })
            }
            _ => None,
        },
        _ => None,
    }
}

impl Endless<'_> {
    fn taken(
        &self,
        c: &Invocation<'_>,
        mut test: impl FnMut(&Edn) -> Result<bool, QueryError>,
    ) -> Result<Vec<Edn>, QueryError> {
        let value = |at: usize| match self.held.get(at) {
            Some(Held::Edn(form)) => form.clone(),
            _ => Edn::Nil,
        };
        let round: Vec<Edn> = match self.maker {
            Maker::Cycle => seq(&value(0)).map(Cow::into_owned).unwrap_or_default(),
            _ => Vec::new(),
        };
        let mut all: Vec<Edn> = Vec::new();
        loop {
            let next = match (self.maker, self.held.first()) {
                (Maker::Cycle, _) if round.is_empty() => return Ok(all),
                (Maker::Cycle, _) => round[all.len() % round.len()].clone(),
                (Maker::Repeat, _) => value(0),
                (Maker::Repeatedly, Some(f)) => call_arg(f.arg(), c.context, &[])?,
                (Maker::Iterate, Some(f)) => match all.last() {
                    None => value(1),
                    Some(last) => call_arg(f.arg(), c.context, &[Arg::Edn(last)])?,
                },
                _ => Edn::long(all.len() as i64),
            };
            if all.len() >= LENGTH_MAX || !test(&next)? {
                return Ok(all);
            }
            all.push(next);
        }
    }
}

/// The elements of a collection through the stages of a transducer.
pub(super) fn through(
    c: &Invocation<'_>,
    transducer: Arg<'_>,
    elements: Vec<Edn>,
) -> Result<Vec<Edn>, QueryError> {
    match transducer {
        Arg::Function(Callable::Made(Maker::Comp, parts)) => parts
            .iter()
            .try_fold(elements, |elements, part| through(c, part.arg(), elements)),
        Arg::Function(Callable::Made(Maker::Stage(builtin), held)) => {
            let elements = Edn::Vector(elements);
            let first = held.iter().map(Held::arg);
            let args: Vec<Arg<'_>> = first.chain([Arg::Edn(&elements)]).collect();
            let staged = builtin.invoke(c.context, &args)?;
            Ok(seq(&staged).map(Cow::into_owned).unwrap_or_default())
        }
        _ => Err(c.wrong_type(0, "a transducer")),
    }
}
