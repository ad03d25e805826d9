//! Running a query for a person: arguments, limits, cancellation, the collapsed-rows note.

use std::io::{self, IsTerminal};
use std::time::Duration;

use datomite::{
    CancelToken, Db, Edn, EntityId, Input, Query, QueryOptions, QueryResult, Value, read_all,
};

use crate::args::Output;
use crate::hint::probe;
use crate::output::{Answer, Rows, Shape};
use crate::problem::Problem;
use crate::{interrupt, memory};

/// Runs a query text with arguments after the database.
pub(crate) fn ask(db: &Db, text: &str, args: Vec<Edn>, output: &Output) -> Result<Answer, Problem> {
    interrupt::stoppable(|cancel| ask_until(db, text, args, output, cancel))
}

fn ask_until(
    db: &Db,
    text: &str,
    args: Vec<Edn>,
    output: &Output,
    cancel: CancelToken,
) -> Result<Answer, Problem> {
    let query = Query::parse(text).map_err(|error| Problem::query(error, text))?;
    let inputs = inputs(db, args);
    let options = options(output, cancel)?;
    let result =
        datomite::q_with(&query, &inputs, &options).map_err(|error| Problem::query(error, text))?;
    if io::stdout().is_terminal() {
        note(text, &inputs, &options);
    }
    Ok(answer(text, result))
}

/// Runs a query once: how it was answered, as text, and the answer.
pub(crate) fn explain(
    db: &Db,
    text: &str,
    args: Vec<Edn>,
    output: &Output,
) -> Result<(String, Answer), Problem> {
    interrupt::stoppable(|cancel| {
        let query = Query::parse(text).map_err(|error| Problem::query(error, text))?;
        let options = options(output, cancel)?;
        let explained = datomite::explain_with(&query, &inputs(db, args), &options);
        let (result, how) = explained.map_err(|error| Problem::query(error, text))?;
        Ok((how.to_string(), answer(text, result)))
    })
}

/// The database and the arguments, as a query takes them.
fn inputs(db: &Db, args: Vec<Edn>) -> Vec<Input> {
    std::iter::once(Input::Db(db.clone()))
        .chain(args.into_iter().map(Input::Edn))
        .collect()
}

/// Reads arguments given as EDN, each its own text.
pub(crate) fn arguments(texts: &[String]) -> Result<Vec<Edn>, Problem> {
    let mut forms = Vec::new();
    for text in texts {
        forms.extend(read_all(text).map_err(|error| Problem::edn(error, text))?);
    }
    Ok(forms)
}

fn options(output: &Output, cancel: CancelToken) -> Result<QueryOptions, Problem> {
    let mut options = QueryOptions {
        cancel: Some(cancel),
        ..QueryOptions::default()
    };
    options.bytes_max = memory::bytes_max().or(options.bytes_max);
    if let Some(seconds) = output.timeout {
        let timeout = Duration::try_from_secs_f64(seconds)
            .map_err(|_| Problem::usage(format!("--timeout {seconds} is no time")))?;
        options.timeout = Some(timeout);
    }
    Ok(options)
}

/// Tells on standard error where equal rows collapsed before an aggregate.
fn note(text: &str, inputs: &[Input], options: &QueryOptions) {
    let count = |form: &Edn| -> Option<i64> {
        let query = Query::from_edn(form).ok()?;
        datomite::q_with(&query, inputs, options)
            .ok()?
            .into_edn()
            .as_long()
    };
    let Some(probe) = datomite::read(text).ok().as_ref().and_then(probe) else {
        return;
    };
    let counts = count(&probe.matches).zip(count(&probe.distinct));
    if let Some(note) = counts.and_then(|(matches, distinct)| probe.note(matches, distinct)) {
        eprintln!("{note}");
    }
}

/// A result as the command's answer: columns are named by what `:find` says.
fn answer(text: &str, result: QueryResult) -> Answer {
    let find = datomite::read(text).map_or_else(|_| Vec::new(), |form| find_forms(&form));
    let entity: Vec<bool> = (0..result.width()).map(|at| result.is_entity(at)).collect();
    let shown = |form: Edn, at: usize| match form {
        Edn::Value(Value::Long(n)) if entity.get(at) == Some(&true) => {
            Edn::Value(Value::Ref(EntityId::new(n as u64)))
        }
        form => form,
    };
    let rows: Vec<Vec<Edn>> = result
        .rows()
        .map(|row| {
            row.values()
                .enumerate()
                .map(|(at, form)| shown(form, at))
                .collect()
        })
        .collect();
    let names = |forms: &[Edn]| forms.iter().map(Edn::to_string).collect::<Vec<String>>();
    let (columns, shape) = match find.as_slice() {
        [_, dot] if is_symbol(dot, ".") => {
            let value = rows
                .into_iter()
                .next()
                .and_then(|row| row.into_iter().next());
            return Answer::Value(value.unwrap_or(Edn::Nil));
        }
        [Edn::Vector(parts)] if parts.last().is_some_and(|last| is_symbol(last, "...")) => {
            (names(&parts[..parts.len() - 1]), Shape::Collection)
        }
        [Edn::Vector(parts)] => (names(parts), Shape::Tuple),
        forms => (names(forms), Shape::Set),
    };
    let (columns, shape) = match result.into_edn() {
        Edn::Vector(maps) if matches!(maps.first(), Some(Edn::Map(_))) && shape == Shape::Set => {
            (keys_of(&maps[0]), Shape::Maps)
        }
        Edn::Vector(_) if shape == Shape::Set => (columns, Shape::Bag),
        _ => (columns, shape),
    };
    Answer::Rows(Rows {
        columns,
        rows,
        shape,
    })
}

fn keys_of(map: &Edn) -> Vec<String> {
    let entries = map.as_map().unwrap_or(&[]);
    entries
        .iter()
        .map(|(key, _)| key.to_string().trim_start_matches(':').to_owned())
        .collect()
}

fn is_symbol(form: &Edn, name: &str) -> bool {
    form.as_symbol()
        .is_some_and(|symbol| symbol.as_str() == name)
}

/// What stands after `:find`.
fn find_forms(query: &Edn) -> Vec<Edn> {
    let find = Edn::keyword("find");
    match query {
        Edn::Map(_) => query
            .get(&find)
            .and_then(Edn::as_sequence)
            .map(<[Edn]>::to_vec)
            .unwrap_or_default(),
        query => {
            let items = query.as_sequence().unwrap_or(&[]).iter();
            let after = items.skip_while(|form| **form != find).skip(1);
            after
                .take_while(|form| form.as_keyword().is_none())
                .cloned()
                .collect()
        }
    }
}
