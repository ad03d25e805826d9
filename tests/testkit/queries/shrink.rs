//! From a case that differs to a smaller one: clauses, inputs and stages dropped, data cut.

use super::ast::{Clause, Element, Input, Query, Rule, Spec};
use super::check::{Outcome, check};
use super::grow::Case;
use super::world::{View, World};

/// Makes a case that differs smaller, as long as it differs.
pub fn shrink(world: World, case: Case) -> (World, Case) {
    let (mut world, mut case) = (world, case);
    let first = difference(&world, &case);
    let differs = |world: &World, case: &Case| {
        let found = difference(world, case);
        found.is_some() && found == first
    };
    loop {
        if let Some(smaller) = smaller(&case).into_iter().find(|c| differs(&world, c)) {
            case = smaller;
            continue;
        }
        let cut = world.cuts().find(|w| differs(w, &case));
        match cut {
            Some(cut) => world = cut,
            None => return (world, case),
        }
    }
}

/// Of which kind a difference is: which way of asking, and how the message ends. One that slides
/// into another kind on its way to a smaller case would hide the first.
fn difference(world: &World, case: &Case) -> Option<(String, String)> {
    let asked = std::panic::AssertUnwindSafe(|| check(world, case));
    let why = match std::panic::catch_unwind(asked) {
        Ok(Outcome::Differs(why)) => why,
        Ok(_) => return None,
        Err(_) => "a panic".to_owned(),
    };
    let way = why.split(':').next().unwrap_or_default().to_owned();
    let last = why.split(' ').next_back().unwrap_or_default().to_owned();
    Some((way, last))
}

/// Cases with one thing less.
fn smaller(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    let with = |query: Query| Case {
        query,
        views: case.views.clone(),
        tuples: case.tuples.clone(),
    };
    for clauses in without(&case.query.clauses) {
        all.push(with(Query {
            clauses,
            ..case.query.clone()
        }));
    }
    for at in 0..case.query.rules.len() {
        for clauses in without(&case.query.rules[at].clauses) {
            let mut query = case.query.clone();
            query.rules[at] = Rule {
                clauses,
                ..query.rules[at].clone()
            };
            all.push(with(query));
        }
        let mut query = case.query.clone();
        query.rules.remove(at);
        all.push(with(query));
    }
    for at in 0..case.query.inputs.len() {
        let mut query = case.query.clone();
        match query.inputs.remove(at) {
            Input::Source("$") => continue,
            Input::Rules => query.rules.clear(),
            _ => {}
        }
        all.push(with(query));
    }
    all.extend(plainer(&case.query).into_iter().map(with));
    for (name, view) in &case.views {
        let mut stages = [
            view.clone(),
            view.clone(),
            view.clone(),
            view.clone(),
            view.clone(),
        ];
        stages[0].with = None;
        stages[1].as_of = None;
        stages[2].since = None;
        stages[3].history = false;
        stages[4].without = None;
        for stage in stages.into_iter().filter(|stage: &View| stage != view) {
            let mut other = with(case.query.clone());
            other.views.insert(name, stage);
            all.push(other);
        }
    }
    for at in 0..case.tuples.len() {
        let mut other = with(case.query.clone());
        other.tuples.remove(at);
        all.push(other);
    }
    all
}

/// The same clauses with a plainer find.
fn plainer(query: &Query) -> Vec<Query> {
    let mut all = Vec::new();
    if query.find.len() > 1 && query.keys.is_none() && query.order.is_empty() {
        for at in 0..query.find.len() {
            let mut other = query.clone();
            other.find.remove(at);
            all.push(other);
        }
    }
    let variables = query.find.iter().map(|element| Element::Var(element.var()));
    let plain = Query {
        find: variables.collect(),
        spec: Spec::Relation,
        with: Vec::new(),
        keys: None,
        order: Vec::new(),
        limit: None,
        offset: 0,
        ..query.clone()
    };
    if plain != *query {
        all.push(plain);
    }
    all
}

/// The clauses with one less, here or within one of them.
fn without(clauses: &[Clause]) -> Vec<Vec<Clause>> {
    let mut all = Vec::new();
    for at in 0..clauses.len() {
        let mut fewer = clauses.to_vec();
        let removed = fewer.remove(at);
        if !fewer.is_empty() {
            all.push(fewer);
        }
        let inside: Vec<Clause> = match &removed {
            Clause::Not(source, join, inner) => without(inner)
                .into_iter()
                .map(|inner| Clause::Not(*source, join.clone(), inner))
                .collect(),
            Clause::Or(source, join, branches) => (0..branches.len())
                .filter(|_| branches.len() > 1)
                .map(|branch| {
                    let mut branches = branches.clone();
                    branches.remove(branch);
                    Clause::Or(*source, join.clone(), branches)
                })
                .collect(),
            _ => Vec::new(),
        };
        for clause in inside {
            let mut other = clauses.to_vec();
            other[at] = clause;
            all.push(other);
        }
    }
    all
}
