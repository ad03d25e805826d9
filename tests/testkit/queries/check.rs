//! The three ways that must agree: planned, in the order written, and the oracle's.

use std::collections::BTreeMap;

use datomite::{Edn, Explanation, QueryOptions, explain, q_with};

use super::ast::{Clause, Input, Query};
use super::grow::{Case, sources};
use super::world::World;
use crate::oracle::asked::{Answer, Oracle, Source, Sources, Stop};

/// What came of a case.
pub enum Outcome {
    /// All agree; whether the answer holds anything.
    Agreed(Answer),
    /// The oracle does not say.
    Skipped(Stop),
    /// They differ, and how.
    Differs(String),
}

/// Asks in all three ways.
pub fn check(world: &World, case: &Case) -> Outcome {
    let sources = sources(world, case);
    let oracle = Oracle::new(world, &sources, &case.query);
    let expected = match oracle.answer(&case.query) {
        Ok(expected) => expected,
        Err(stop) => return Outcome::Skipped(stop),
    };
    for as_written in [false, true] {
        let way = if as_written { "as written" } else { "planned" };
        match engine(world, &sources, &case.query, as_written) {
            Err(error) if is_of_values(&error) => {
                return Outcome::Skipped(Stop::Unresolved(Edn::Nil));
            }
            Err(error) => return Outcome::Differs(format!("{way}: {error}")),
            Ok(found) => {
                if let Some(why) = expected.differs(&found) {
                    return Outcome::Differs(format!("{way}: {why}"));
                }
            }
        }
    }
    Outcome::Agreed(expected)
}

/// Whether an error depends on the rows that a clause meets, and so on the order of the clauses.
fn is_of_values(error: &datomite::QueryError) -> bool {
    use datomite::{CallError, DbError, QueryError};
    matches!(
        error,
        QueryError::CannotResolve { .. }
            // What a value names in an entity place, or a tuple as a lookup ref.
            | QueryError::Db(
                DbError::NotAnEntity { .. }
                    | DbError::NotAnAttribute { .. }
                    | DbError::NotAKeyword { .. }
                    | DbError::LookupRefAttrNotUnique { .. }
                    | DbError::InvalidLookupRef { .. }
            )
            | QueryError::BindingMismatch { .. }
            | QueryError::NotAKeyword { .. }
            | QueryError::Call(CallError::WrongType { .. })
    )
}

fn inputs(world: &World, sources: &Sources, query: &Query) -> Vec<datomite::Input> {
    let input = |input: &Input| match input {
        Input::Source(name) => match &sources[name] {
            Source::Db(shown) => datomite::Input::Db(shown.db.clone()),
            Source::Rows(rows) => {
                let rows = rows.iter().cloned().map(Edn::Vector);
                datomite::Input::Edn(Edn::Vector(rows.collect()))
            }
        },
        Input::Rules => datomite::Input::Edn(query.rules_edn()),
        Input::Value(_, value) | Input::Pattern(_, value) => datomite::Input::Edn(value.clone()),
        Input::Log(_) => datomite::Input::Log(world.conn.log()),
    };
    query.inputs.iter().map(input).collect()
}

fn engine(
    world: &World,
    sources: &Sources,
    query: &Query,
    as_written: bool,
) -> Result<Edn, datomite::QueryError> {
    let parsed = datomite::Query::from_edn(&query.to_edn())?;
    let options = QueryOptions {
        as_written,
        ..QueryOptions::default()
    };
    Ok(q_with(&parsed, &inputs(world, sources, query), &options)?.into_edn())
}

/// How the engine answers the planned query.
pub fn explained(world: &World, case: &Case) -> Option<Explanation> {
    let sources = sources(world, case);
    let query = datomite::Query::from_edn(&case.query.to_edn()).ok()?;
    explain(&query, &inputs(world, &sources, &case.query)).ok()
}

/// Counts of what a case is made of.
pub fn kinds(case: &Case, counts: &mut BTreeMap<&'static str, u64>) {
    let mut count = |kind| *counts.entry(kind).or_default() += 1;
    case.query.each(&mut |clause| {
        count(clause.kind());
        if let Clause::Predicate(call) | Clause::Function(call, _) = clause {
            count(call.name);
        }
    });
    case.query
        .find
        .iter()
        .for_each(|element| count(element.kind()));
    for input in &case.query.inputs {
        count(match input {
            Input::Source("$") => continue,
            Input::Source("$c") => "collection",
            Input::Source(_) => "second database",
            Input::Rules => "rules",
            Input::Log(_) => "log",
            Input::Pattern(..) => "pattern input",
            Input::Value(super::ast::Bind::Scalar(_), _) => "scalar input",
            Input::Value(super::ast::Bind::Tuple(_), _) => "tuple input",
            Input::Value(super::ast::Bind::Coll(_), _) => "collection input",
            Input::Value(super::ast::Bind::Rel(_), _) => "relation input",
        });
    }
    for view in case.views.values() {
        let stages = [
            (view.with.is_some(), "with"),
            (view.as_of.is_some(), "as-of"),
            (view.since.is_some(), "since"),
            (view.history, "history"),
            (view.without.is_some(), "filter"),
        ];
        stages
            .iter()
            .filter(|(is, _)| *is)
            .for_each(|(_, kind)| count(kind));
    }
    let shapes = [
        (!case.query.with.is_empty(), ":with"),
        (case.query.keys.is_some(), ":keys"),
        (!case.query.order.is_empty(), ":order-by"),
        (case.query.limit.is_some(), ":limit"),
        (case.query.offset > 0, ":offset"),
        (case.query.spec == super::ast::Spec::Coll, "find collection"),
        (case.query.spec == super::ast::Spec::Tuple, "find tuple"),
        (case.query.spec == super::ast::Spec::Scalar, "find scalar"),
    ];
    shapes
        .iter()
        .filter(|(is, _)| *is)
        .for_each(|(_, kind)| count(kind));
}

/// The transactions, the query and its arguments as text.
pub fn told(world: &World, case: &Case) -> String {
    let mut text = String::new();
    for tx in &world.told {
        text += &format!("{{:transact {tx}}}\n");
    }
    text + &step(world, case).to_string()
}

/// The query as a step of a recorded case.
pub fn step(world: &World, case: &Case) -> Edn {
    let tagged = |form: &Edn| world.tagged(form);
    let stages = |name: &str| {
        let shown = world.show(&case.views[name]);
        Edn::Tagged("db".into(), Box::new(shown.stages))
    };
    let arg = |input: &Input| match input {
        Input::Source("$c") => {
            let rows = case.tuples.iter().cloned().map(Edn::Vector);
            tagged(&Edn::Vector(rows.collect()))
        }
        Input::Source(name) => stages(name),
        Input::Rules => tagged(&case.query.rules_edn()),
        Input::Value(_, value) => tagged(value),
        Input::Pattern(_, pattern) => pattern.clone(),
        Input::Log(_) => Edn::Tagged("log".into(), Box::new(Edn::Vector(Vec::new()))),
    };
    Edn::Map(vec![
        (Edn::keyword("q"), tagged(&case.query.to_edn())),
        (
            Edn::keyword("args"),
            Edn::Vector(case.query.inputs.iter().map(arg).collect()),
        ),
    ])
}
