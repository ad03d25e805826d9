//! The answer to a query by nested loops: each clause takes each row so far to the rows that it
//! leads to, and nothing else. A clause waits until what it needs is bound; of those that can run
//! the first as written does.
//!
//! It shares no code with the engine. Rules are tabled: every call is asked again with the answers
//! known so far, until a whole round brings nothing new; a negation is a round of its own.

mod calls;
mod pattern;
mod result;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use datomite::{Db, Edn, Value};

use crate::queries::ast::{Arg, Bind, Clause, Input, Query, Rule, Term, Var};
use crate::queries::world::{Shown, World};

pub use pattern::{meets, normal};
pub use result::Answer;

/// What a source is.
pub enum Source {
    /// A view of the world's database.
    Db(Shown),
    /// Rows of a collection.
    Rows(Vec<Vec<Edn>>),
}

/// The sources of a query by name; `$` is the default.
pub type Sources = BTreeMap<&'static str, Source>;

/// Why there is no answer.
#[derive(Clone, PartialEq, Debug)]
pub enum Stop {
    /// No order binds what this clause needs.
    Stuck(String),
    /// More rows than the oracle has patience for.
    TooMuch,
    /// An entity that is not there.
    Unresolved(Edn),
    /// A function that the oracle does not know, or not so.
    Unknown(String),
}

/// Values of variables.
pub type Row = BTreeMap<Var, Edn>;
/// Rows, each once.
pub type Rows = BTreeSet<Row>;
/// A call of a rule: its name, its source, what is bound.
type Asked = (&'static str, &'static str, Vec<Option<Edn>>);

/// Rows that a query may look at before the oracle gives up.
const PATIENCE: usize = 60_000;

/// Answers to calls of rules so far.
#[derive(Default)]
struct Tables {
    found: RefCell<BTreeMap<Asked, BTreeSet<Vec<Edn>>>>,
    /// Calls of this round.
    running: RefCell<BTreeSet<Asked>>,
    news: Cell<bool>,
}

/// A query being answered.
pub struct Oracle<'a> {
    /// The data.
    pub world: &'a World,
    /// Its sources.
    pub sources: &'a Sources,
    /// Its rules.
    pub rules: &'a [Rule],
    /// Variables with one value, which are resolved as constants are.
    pub fixed: Row,
    /// Variables that hold the log.
    pub logs: Vec<Var>,
    patience: Cell<usize>,
}

/// What holds where a clause stands.
#[derive(Clone, Copy)]
struct Scope<'a> {
    source: &'static str,
    tables: &'a Tables,
    /// Variables with one value; none of the outer ones in rules.
    fixed: &'a Row,
}

impl<'a> Oracle<'a> {
    /// Begins.
    pub fn new(world: &'a World, sources: &'a Sources, query: &'a Query) -> Oracle<'a> {
        let mut oracle = Oracle {
            world,
            sources,
            rules: &query.rules,
            fixed: Row::new(),
            logs: Vec::new(),
            patience: Cell::new(PATIENCE),
        };
        for input in &query.inputs {
            match input {
                Input::Log(var) => oracle.logs.push(var),
                Input::Value(bind @ (Bind::Scalar(_) | Bind::Tuple(_)), value) => {
                    for row in calls::expand(bind, value) {
                        oracle.fixed.extend(row);
                    }
                }
                _ => {}
            }
        }
        oracle
    }

    /// The rows that the inputs alone make.
    pub fn input_rows(&self, query: &Query) -> Rows {
        let mut rows = Rows::from([Row::new()]);
        for input in &query.inputs {
            let Input::Value(bind, value) = input else {
                continue;
            };
            let found = calls::expand(bind, value);
            rows = rows
                .iter()
                .flat_map(|row| found.iter().filter_map(|f| merge(row, f)))
                .collect();
        }
        rows
    }

    /// The rows that the inputs and clauses leave.
    pub fn rows(&self, query: &Query) -> Result<Rows, Stop> {
        self.settled(&query.clauses, &self.input_rows(query), "$", &self.fixed)
    }

    /// The rows that one more clause makes of a row.
    pub fn extend(&self, clause: &Clause, row: &Row) -> Result<Rows, Stop> {
        self.patience.set(PATIENCE);
        let rows = Rows::from([row.clone()]);
        self.settled(std::slice::from_ref(clause), &rows, "$", &self.fixed)
    }

    /// The answer in the shape of `:find`.
    pub fn answer(&self, query: &Query) -> Result<Answer, Stop> {
        let rows = self.rows(query)?;
        result::answer(self, query, &rows)
    }

    /// Rounds over clauses until the rules have nothing new to say.
    fn settled(
        &self,
        clauses: &[Clause],
        rows: &Rows,
        source: &'static str,
        fixed: &Row,
    ) -> Result<Rows, Stop> {
        if rows.is_empty() {
            return Ok(Rows::new());
        }
        let tables = Tables::default();
        let bound: Vec<Var> = rows
            .iter()
            .next()
            .map_or(Vec::new(), |r| r.keys().copied().collect());
        loop {
            tables.news.set(false);
            tables.running.borrow_mut().clear();
            let scope = Scope {
                source,
                tables: &tables,
                fixed,
            };
            let found = self.run(clauses, &bound, rows, scope)?;
            if !tables.news.get() {
                return Ok(found);
            }
        }
    }

    fn run(
        &self,
        clauses: &[Clause],
        bound: &[Var],
        rows: &Rows,
        scope: Scope<'_>,
    ) -> Result<Rows, Stop> {
        let mut left: Vec<&Clause> = clauses.iter().collect();
        let mut bound = bound.to_vec();
        let mut rows = rows.clone();
        while !left.is_empty() {
            let at = self.next(&left, &bound, scope.source)?;
            let clause = left.remove(at);
            let mut found = Rows::new();
            for row in &rows {
                self.clause(clause, &bound, row, scope, &mut found)?;
                self.tire(found.len())?;
            }
            self.binds(clause, &mut bound, scope.source, &mut Vec::new());
            rows = found;
        }
        Ok(rows)
    }

    fn tire(&self, rows: usize) -> Result<(), Stop> {
        let left = self.patience.get();
        self.patience.set(left.saturating_sub(1));
        match left == 0 || rows > PATIENCE / 20 {
            true => Err(Stop::TooMuch),
            false => Ok(()),
        }
    }

    /// The first clause that can run, one that is not deferred before those that are.
    fn next(&self, left: &[&Clause], bound: &[Var], of: &'static str) -> Result<usize, Stop> {
        let mut deferred = None;
        for (at, clause) in left.iter().enumerate() {
            if !self.is_ready(clause, bound, of, &mut Vec::new()) {
                continue;
            }
            match self.is_deferred(clause, left, bound, of) {
                false => return Ok(at),
                true => deferred = deferred.or(Some(at)),
            }
        }
        deferred.ok_or_else(|| Stop::Stuck(left[0].to_edn().to_string()))
    }

    fn is_ready(
        &self,
        clause: &Clause,
        bound: &[Var],
        of: &'static str,
        rules: &mut Vec<(&'static str, Vec<bool>)>,
    ) -> bool {
        let known = |var: &Var| bound.contains(var) || self.logs.contains(var);
        match clause {
            Clause::Pattern(source, terms) => match self.sources.get(source.unwrap_or(of)) {
                Some(Source::Rows(_)) => true,
                _ => {
                    let has = |at: usize| match terms.get(at) {
                        Some(Term::Const(_)) => true,
                        Some(Term::Var(var)) => bound.contains(var),
                        _ => false,
                    };
                    has(0) || has(1) || has(2)
                }
            },
            Clause::Predicate(call) | Clause::Function(call, _) => call.vars().iter().all(known),
            Clause::Nested(_, args, _) => {
                let mut vars = Vec::new();
                args.iter().for_each(|arg| arg.vars(&mut vars));
                vars.iter().all(known)
            }
            Clause::Not(..) => {
                let mut vars = Vec::new();
                clause.vars(&mut vars);
                vars.iter().all(known)
            }
            Clause::Or(source, join, branches) => {
                let mut vars = Vec::new();
                clause.vars(&mut vars);
                vars.retain(|var| known(var));
                join.iter().flat_map(|(required, _)| required).all(known)
                    && branches.iter().all(|b| {
                        self.feasible(b, &vars, source.unwrap_or(of), rules)
                            .is_some()
                    })
            }
            Clause::Rule(source, name, args) => {
                let mask: Vec<bool> = args
                    .iter()
                    .map(|arg| match arg {
                        Term::Var(var) => bound.contains(var),
                        Term::Const(_) => true,
                        Term::Blank => false,
                    })
                    .collect();
                self.rule_is_ready(name, mask, source.unwrap_or(of), rules)
            }
        }
    }

    fn rule_is_ready(
        &self,
        name: &'static str,
        mask: Vec<bool>,
        of: &'static str,
        rules: &mut Vec<(&'static str, Vec<bool>)>,
    ) -> bool {
        let key = (name, mask);
        if rules.contains(&key) {
            return true;
        }
        rules.push(key.clone());
        let ready = self
            .rules
            .iter()
            .filter(|rule| rule.name == name)
            .all(|rule| {
                let head = rule.head.iter().zip(&key.1);
                let bound: Vec<Var> = head.filter(|(_, bound)| **bound).map(|(v, _)| *v).collect();
                key.1[..rule.required].iter().all(|bound| *bound)
                    && self.feasible(&rule.clauses, &bound, of, rules).is_some()
            });
        rules.pop();
        ready
    }

    /// What clauses bind, if they can run one after another.
    fn feasible(
        &self,
        clauses: &[Clause],
        bound: &[Var],
        of: &'static str,
        rules: &mut Vec<(&'static str, Vec<bool>)>,
    ) -> Option<Vec<Var>> {
        let mut left: Vec<&Clause> = clauses.iter().collect();
        let mut bound = bound.to_vec();
        while !left.is_empty() {
            let at = left
                .iter()
                .position(|clause| self.is_ready(clause, &bound, of, rules))?;
            self.binds(left.remove(at), &mut bound, of, rules);
        }
        Some(bound)
    }

    /// Adds what a clause binds; every rule of the generator binds its whole head.
    fn binds(
        &self,
        clause: &Clause,
        bound: &mut Vec<Var>,
        of: &'static str,
        rules: &mut Vec<(&'static str, Vec<bool>)>,
    ) {
        let mut vars = Vec::new();
        match clause {
            Clause::Not(..) => {}
            Clause::Or(source, _, branches) => {
                clause.vars(&mut vars);
                let seed: Vec<Var> = vars.iter().copied().filter(|v| bound.contains(v)).collect();
                for branch in branches {
                    let of = source.unwrap_or(of);
                    let found = self.feasible(branch, &seed, of, rules);
                    vars.retain(|v| found.as_ref().is_some_and(|found| found.contains(v)));
                }
            }
            _ => clause.vars(&mut vars),
        }
        vars.retain(|var| !self.logs.contains(var));
        bound.extend(vars);
    }

    /// Whether the pattern reads as an entity or attribute what a function or collection beside it
    /// is about to bind, or would know only its value where an entity or attribute is to come.
    fn is_deferred(
        &self,
        clause: &Clause,
        left: &[&Clause],
        bound: &[Var],
        of: &'static str,
    ) -> bool {
        let Clause::Pattern(source, terms) = clause else {
            return false;
        };
        if !matches!(self.sources.get(source.unwrap_or(of)), Some(Source::Db(_))) {
            return false;
        }
        let free = |at: usize| match terms.get(at) {
            Some(Term::Var(var)) if !bound.contains(var) => Some(*var),
            _ => None,
        };
        let mut read = vec![free(0), free(1)];
        if self.reads_reference(terms) {
            read.push(free(2));
        }
        let has = |at: usize| match terms.get(at) {
            Some(Term::Const(_)) => true,
            Some(Term::Var(var)) => bound.contains(var),
            _ => false,
        };
        let by_value = !has(0) && !has(1);
        let read: Vec<Var> = read.into_iter().flatten().collect();
        left.iter().any(|other| {
            let mut binds = Vec::new();
            let resolves = match other {
                Clause::Function(_, bind) | Clause::Nested(_, _, bind) => {
                    binds.extend(bind.vars());
                    true
                }
                Clause::Pattern(source, _) => {
                    other.vars(&mut binds);
                    matches!(
                        self.sources.get(source.unwrap_or(of)),
                        Some(Source::Rows(_))
                    )
                }
                Clause::Not(..) | Clause::Predicate(_) => false,
                Clause::Or(..) | Clause::Rule(..) => {
                    other.vars(&mut binds);
                    false
                }
            };
            let first = if by_value {
                &read[..read.len().min(2)]
            } else {
                &[]
            };
            let first =
                first.iter().any(|var| binds.contains(var)) && !std::ptr::eq(*other, clause);
            first || (resolves && binds.iter().any(|var| read.contains(var)))
        })
    }

    fn clause(
        &self,
        clause: &Clause,
        bound: &[Var],
        row: &Row,
        scope: Scope<'_>,
        found: &mut Rows,
    ) -> Result<(), Stop> {
        match clause {
            Clause::Pattern(source, terms) => {
                let of = source.unwrap_or(scope.source);
                self.pattern(of, terms, row, scope.fixed, found)
            }
            Clause::Predicate(call) => {
                let value = self.call(call, row, scope.source)?;
                if !matches!(value, Edn::Nil | Edn::Value(Value::Boolean(false))) {
                    found.insert(row.clone());
                }
                Ok(())
            }
            Clause::Function(call, bind) => {
                let value = self.call(call, row, scope.source)?;
                found.extend(
                    calls::expand(bind, &value)
                        .iter()
                        .filter_map(|f| merge(row, f)),
                );
                Ok(())
            }
            Clause::Nested(query, args, bind) => {
                let value = self.nested(query, args, row)?;
                found.extend(
                    calls::expand(bind, &value)
                        .iter()
                        .filter_map(|f| merge(row, f)),
                );
                Ok(())
            }
            Clause::Rule(source, name, args) => self.rule(
                name,
                source.unwrap_or(scope.source),
                args,
                row,
                scope,
                found,
            ),
            Clause::Not(source, join, clauses) => {
                let mut seed = row.clone();
                if let Some(join) = join {
                    seed.retain(|var, _| join.contains(var));
                }
                let of = source.unwrap_or(scope.source);
                if self
                    .settled(clauses, &Rows::from([seed]), of, scope.fixed)?
                    .is_empty()
                {
                    found.insert(row.clone());
                }
                Ok(())
            }
            Clause::Or(source, _, branches) => {
                let mut join = Vec::new();
                clause.vars(&mut join);
                let mut seed = row.clone();
                seed.retain(|var, _| join.contains(var));
                let mut after = bound.to_vec();
                self.binds(clause, &mut after, scope.source, &mut Vec::new());
                let inner = Scope {
                    source: source.unwrap_or(scope.source),
                    ..scope
                };
                let bound: Vec<Var> = seed.keys().copied().collect();
                for branch in branches {
                    for mut end in self.run(branch, &bound, &Rows::from([seed.clone()]), inner)? {
                        end.retain(|var, _| join.contains(var) && after.contains(var));
                        found.extend(merge(row, &end));
                    }
                }
                Ok(())
            }
        }
    }

    fn rule(
        &self,
        name: &'static str,
        source: &'static str,
        args: &[Term],
        row: &Row,
        scope: Scope<'_>,
        found: &mut Rows,
    ) -> Result<(), Stop> {
        if self.rules.iter().all(|rule| rule.name != name) {
            return Err(Stop::Unknown(name.to_owned()));
        }
        let value = |arg: &Term| match arg {
            Term::Blank => None,
            Term::Const(form) => Some(form.clone()),
            Term::Var(var) => row.get(var).cloned(),
        };
        let asked: Asked = (name, source, args.iter().map(value).collect());
        self.ask(&asked, scope)?;
        let answers = scope
            .tables
            .found
            .borrow()
            .get(&asked)
            .cloned()
            .unwrap_or_default();
        for answer in answers {
            let mut end = Some(row.clone());
            for (arg, value) in args.iter().zip(answer) {
                if let (Term::Var(var), Some(row)) = (arg, &end) {
                    end = merge(row, &Row::from([(*var, value)]));
                }
            }
            found.extend(end);
        }
        Ok(())
    }

    /// Evaluates the bodies of a call once a round.
    fn ask(&self, asked: &Asked, scope: Scope<'_>) -> Result<(), Stop> {
        if !scope.tables.running.borrow_mut().insert(asked.clone()) {
            return Ok(());
        }
        self.tire(0)?;
        let (name, source, values) = asked;
        let nothing = Row::new();
        for rule in self.rules.iter().filter(|rule| rule.name == *name) {
            let pairs = rule.head.iter().zip(values);
            let seed: Row = pairs
                .filter_map(|(v, value)| Some((*v, value.clone()?)))
                .collect();
            let bound: Vec<Var> = seed.keys().copied().collect();
            let inner = Scope {
                source,
                fixed: &nothing,
                ..scope
            };
            for end in self.run(&rule.clauses, &bound, &Rows::from([seed]), inner)? {
                let answer: Vec<Edn> = rule.head.iter().map(|var| end[var].clone()).collect();
                let mut found = scope.tables.found.borrow_mut();
                if found.entry(asked.clone()).or_default().insert(answer) {
                    scope.tables.news.set(true);
                }
            }
        }
        Ok(())
    }

    /// The value of a nested query.
    fn nested(&self, query: &Query, args: &[Arg], row: &Row) -> Result<Edn, Stop> {
        let mut query = query.clone();
        let values: Vec<Edn> = args.iter().map(|arg| calls::value(arg, row)).collect();
        let inputs = query
            .inputs
            .iter_mut()
            .filter(|input| matches!(input, Input::Value(..)));
        for (input, value) in inputs.zip(values) {
            if let Input::Value(_, held) = input {
                *held = value;
            }
        }
        let inner = Oracle::new(self.world, self.sources, &query);
        inner.patience.set(self.patience.get());
        let answer = inner.answer(&query)?;
        self.patience.set(inner.patience.get());
        Ok(answer.value())
    }

    /// The database of a source.
    fn db(&self, of: &str) -> Result<&Shown, Stop> {
        match self.sources.get(of) {
            Some(Source::Db(shown)) => Ok(shown),
            _ => Err(Stop::Unknown(format!("{of} is no database"))),
        }
    }
}

/// The store's database of each source, for the engine.
pub fn db_of(source: &Source) -> Option<&Db> {
    match source {
        Source::Db(shown) => Some(&shown.db),
        Source::Rows(_) => None,
    }
}

/// Two rows as one, where they agree.
fn merge(row: &Row, other: &Row) -> Option<Row> {
    let mut all = row.clone();
    for (var, value) in other {
        match all.get(var) {
            Some(known) if !meets(known, value) => return None,
            Some(_) => {}
            None => _ = all.insert(var, value.clone()),
        }
    }
    Some(all)
}
