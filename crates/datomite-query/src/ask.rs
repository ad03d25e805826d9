//! The ways to ask: `q` over any inputs, and `Ask`, which gives a database its own methods.
//!
//! Decides what each argument is for its place in `:in`; everything after that is planning,
//! running and shaping, in this order.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::OnceLock;

use datomite_db::{Db, Functions};
use datomite_model::{Edn, FromEdn, Symbol};
use rustc_hash::FxHashMap;

use crate::ast::{Ast, Binding, Clause, InputForm, Rules, Var, push_new};
use crate::builtins::{self, Arg, Context};
use crate::error::Place;
use crate::exec::{Exec, input_relation, join};
use crate::explain::{Explanation, Trace, Used};
use crate::find::{Surroundings, check_find, finish};
use crate::input::Input;
use crate::meet::Meet;
use crate::options::{Limits, QueryOptions, Stopwatch};
use crate::parse::{POSITIONS_MAX, parse_rules};
use crate::plan::{Env, Plan, RuleTable, Scope, Source};
use crate::relation::Relation;
use crate::results::QueryResult;
use crate::rows::FromRow;
use crate::stats::{Ground, Top, query_stats};
use crate::weigh;
use crate::{Pattern, Query, QueryError};

/// Answers a query.
pub fn q(query: &Query, inputs: &[Input]) -> Result<QueryResult, QueryError> {
    q_with(query, inputs, &QueryOptions::default())
}

/// Answers a query within limits.
pub fn q_with(
    query: &Query,
    inputs: &[Input],
    options: &QueryOptions,
) -> Result<QueryResult, QueryError> {
    let limits = Rc::new(Limits::begin(options));
    let mut prepared = Prepared::new(query, inputs, options.functions.as_deref(), &limits)?;
    prepared.env.as_written = options.as_written;
    prepared.answer(&limits, None)
}

/// Runs a query and tells how: the order, operator and index of each clause, rows and times.
pub fn explain(query: &Query, inputs: &[Input]) -> Result<Explanation, QueryError> {
    Ok(explain_with(query, inputs, &QueryOptions::default())?.1)
}

/// The answer within limits, and how it was found.
pub fn explain_with(
    query: &Query,
    inputs: &[Input],
    options: &QueryOptions,
) -> Result<(QueryResult, Explanation), QueryError> {
    let watch = Stopwatch::start();
    let limits = Rc::new(Limits::begin(options));
    let mut prepared = Prepared::new(query, inputs, options.functions.as_deref(), &limits)?;
    prepared.env.as_written = options.as_written;
    let mut explanation = Explanation::default();
    let result = prepared.answer(&limits, Some(&mut explanation))?;
    explanation.rows = result.len() as u64;
    explanation.total = watch.elapsed();
    Ok((result, explanation))
}

/// A query with its arguments in their places.
struct Prepared<'a> {
    ast: &'a Ast,
    env: Env,
    functions: &'a Functions,
    objects: Vec<(Var, &'a Input)>,
    patterns: Vec<(Symbol, &'a Edn)>,
    constants: FxHashMap<Var, Edn>,
    rows: Relation,
    default_source: Option<usize>,
    /// The arguments that bind variables, by place in `:in`, and the rows after each.
    grounds: Vec<(usize, usize)>,
}

fn no_functions() -> &'static Functions {
    static NONE: OnceLock<Functions> = OnceLock::new();
    NONE.get_or_init(Functions::new)
}

impl<'a> Prepared<'a> {
    fn new(
        query: &'a Query,
        inputs: &'a [Input],
        otherwise: Option<&'a Functions>,
        limits: &Rc<Limits>,
    ) -> Result<Prepared<'a>, QueryError> {
        let ast = query.ast.as_ref();
        if ast.has_in && inputs.len() < ast.inputs.len() {
            return Err(QueryError::TooFewInputs {
                expected: ast.inputs.len(),
                received: inputs.len(),
            });
        }
        let functions = inputs.iter().find_map(|input| match input {
            Input::Db(db) => Some(db.functions().as_ref()),
            Input::Log(log) => Some(log.db().functions().as_ref()),
            _ => None,
        });
        let functions = functions.or(otherwise);
        let mut prepared = Prepared {
            ast,
            env: Env::new(limits),
            functions: functions.unwrap_or_else(|| no_functions()),
            objects: Vec::new(),
            patterns: Vec::new(),
            constants: FxHashMap::default(),
            rows: Relation::unit(),
            default_source: None,
            grounds: Vec::new(),
        };
        let used = used_variables(ast);
        for (at, (form, input)) in ast.inputs.iter().zip(inputs).enumerate() {
            prepared.take(form, input, &used, limits)?;
            if let (InputForm::Binding(..), Input::Edn(_)) = (form, input) {
                prepared.grounds.push((at, prepared.rows.len));
            }
        }
        prepared.default_source = prepared
            .env
            .sources
            .iter()
            .position(|(name, _)| name.as_str() == "$");
        Ok(prepared)
    }

    fn take(
        &mut self,
        form: &'a InputForm,
        input: &'a Input,
        used: &[Var],
        limits: &Limits,
    ) -> Result<(), QueryError> {
        if let Input::Edn(form) = input {
            weigh::check_depth(form)?;
        }
        match (form, input) {
            (InputForm::Source(name), _) => {
                // Of two of one name the last one counts.
                self.env.sources.retain(|(known, _)| known != name);
                self.env.sources.push((name.clone(), source_of(input)));
                Ok(())
            }
            (InputForm::Rules, Input::Edn(rules)) => {
                let rules = parse_rules(rules)?;
                self.check_rules(&rules)?;
                self.env.rules = RuleTable::new(rules);
                Ok(())
            }
            (InputForm::Pattern(name), Input::Edn(pattern)) => {
                self.patterns.push((name.clone(), pattern));
                Ok(())
            }
            (InputForm::Binding(Binding::Blank, _), _) => Ok(()),
            (InputForm::Binding(Binding::Scalar(var), _), Input::Db(_) | Input::Log(_)) => {
                self.objects.push((*var, input));
                Ok(())
            }
            (InputForm::Binding(binding, place), Input::Edn(value)) => limits
                .within(place, || self.bind(binding, value, used, limits))
                .map_err(|error| match error {
                    QueryError::BindingMismatch { found, message, .. } => {
                        QueryError::BindingMismatch {
                            binding: place.form.clone(),
                            found,
                            message,
                        }
                    }
                    other => other,
                }),
            _ => Err(QueryError::InvalidDataSource {
                found: "a database or log in the place of a value".to_owned(),
            }),
        }
    }

    fn bind(
        &mut self,
        binding: &Binding,
        value: &Edn,
        used: &[Var],
        limits: &Limits,
    ) -> Result<(), QueryError> {
        if value.is_nil() {
            return Err(QueryError::InvalidDataSource {
                found: "nil".to_owned(),
            });
        }
        let relation = input_relation(binding, value, limits)?;
        if matches!(binding, Binding::Scalar(_) | Binding::Tuple(_)) && relation.len == 1 {
            for (var, col) in relation.vars.iter().zip(&relation.cols) {
                self.constants.insert(*var, col.get(0));
            }
        }
        let kept: Vec<Var> = relation
            .vars
            .iter()
            .copied()
            .filter(|v| used.contains(v))
            .collect();
        if !kept.is_empty() {
            let rows = std::mem::take(&mut self.rows);
            self.rows = join(
                rows,
                relation.project(&kept, limits)?,
                Meet::Clojure,
                limits,
            )?;
        }
        Ok(())
    }

    /// Every function that a rule names must exist, called or not.
    fn check_rules(&self, rules: &Rules) -> Result<(), QueryError> {
        let context = Context::new(self.functions).within(&self.env.limits);
        for definition in rules.rules.iter().flat_map(|rule| &rule.definitions) {
            check_calls(&definition.clauses, &context)?;
        }
        Ok(())
    }

    fn answer(
        &self,
        limits: &Rc<Limits>,
        explanation: Option<&mut Explanation>,
    ) -> Result<QueryResult, QueryError> {
        let ast = self.ast;
        let nested = |form: &Edn, args: &[Arg<'_>]| nested_query(form, args, limits, self);
        let context = Context::new(self.functions)
            .with_nested(&nested)
            .within(limits);
        let source = |name: Option<&Symbol>| self.pull_source(name);
        let pattern = |name: &Symbol| {
            let found = self.patterns.iter().find(|(known, _)| known == name);
            found.map(|(_, form)| *form)
        };
        let around = Surroundings {
            functions: self.functions,
            source: &source,
            pattern: &pattern,
            limits,
        };
        self.check_find_variables(&self.rows.vars, true)?;
        check_find(&ast.find, &around)?;
        check_calls(&ast.clauses, &context)?;
        let watch = explanation.is_some().then(Stopwatch::start);
        let plan = self.plan()?;
        let planning = watch.map(|watch| watch.elapsed());
        self.check_find_variables(&plan.bound, false)?;
        let exec = Exec {
            env: &self.env,
            context: &context,
            limits,
            objects: &self.objects,
            has_in: ast.has_in,
            depth: Cell::new(0),
            used: Cell::new(Used::default()),
            trace: explanation.is_some().then(Trace::default),
        };
        let rows = self.complete(exec.run_top(&plan, self.rows.clone())?);
        if let (Some(explanation), Some(trace)) = (explanation, &exec.trace) {
            explanation.planning = planning.unwrap_or_default();
            explanation.steps = trace.steps(&plan, &self.env);
            explanation.uses = trace.uses();
            explanation.stats = Some(self.stats(&plan, trace));
        }
        let rows = plan.settle_types(&ast.clauses, &self.rows.vars, rows);
        finish(&ast.find, &ast.with, rows, &around)
    }

    fn stats(&self, plan: &Plan, trace: &Trace) -> Edn {
        let mut asked = Vec::new();
        let elements = self.ast.find.elements.iter();
        elements.for_each(|element| push_new(&mut asked, element.variable()));
        self.ast.with.iter().for_each(|v| push_new(&mut asked, *v));
        let ground = |(at, rows): &(usize, usize)| match &self.ast.inputs[*at] {
            InputForm::Binding(binding, place) => {
                let mut vars = Vec::new();
                binding.variables(&mut vars);
                Some(Ground::new(at + 1, &place.form, vars, *rows))
            }
            _ => None,
        };
        let grounds: Vec<Ground> = self.grounds.iter().filter_map(ground).collect();
        let top = Top {
            query: &self.ast.form,
            grounds: &grounds,
            names: &self.ast.names,
            asked: &asked,
        };
        query_stats(&top, plan, trace, &self.env)
    }

    fn plan(&self) -> Result<Plan, QueryError> {
        let objects: Vec<Var> = self.objects.iter().map(|(var, _)| *var).collect();
        let scope = Scope {
            source: self.default_source,
            names: &self.ast.names,
            constants: &self.constants,
            objects: &objects,
            decides: self.has_constants(),
        };
        let rows = self.rows.len as f64;
        self.env
            .plan(scope, &self.ast.clauses, &self.rows.vars, rows)
    }

    /// Variables that clauses mention and none of them can bind: such a clause found nothing.
    fn mentioned(&self) -> Vec<Var> {
        let mut mentioned = Vec::new();
        for clause in &self.ast.clauses {
            if let Clause::Pattern(pattern) = clause {
                pattern
                    .mentions
                    .iter()
                    .for_each(|v| push_new(&mut mentioned, *v));
            }
        }
        mentioned
    }

    fn complete(&self, rows: Relation) -> Relation {
        let missing = self.mentioned();
        if missing.iter().all(|var| rows.has(*var)) {
            return rows;
        }
        let mut vars = rows.vars;
        missing.iter().for_each(|var| push_new(&mut vars, *var));
        Relation::empty(vars)
    }

    /// Whether a value is known before the rows are: an argument, or the result of a constant call.
    fn has_constants(&self) -> bool {
        let is_constant = |clause: &Clause| match clause {
            Clause::Call(call) => {
                let mut inputs = Vec::new();
                call.inputs(&mut inputs);
                call.binding.is_some() && inputs.is_empty()
            }
            _ => false,
        };
        let arguments = &self.rows.vars;
        arguments.iter().any(|var| self.constants.contains_key(var))
            || self.ast.clauses.iter().any(is_constant)
    }

    /// What `:find` and `:with` ask must be bound: by some clause, and after the last of them.
    fn check_find_variables(&self, bound: &[Var], or_mentioned: bool) -> Result<(), QueryError> {
        let mut asked = Vec::new();
        let elements = self.ast.find.elements.iter();
        elements.for_each(|element| push_new(&mut asked, element.variable()));
        self.ast.with.iter().for_each(|v| push_new(&mut asked, *v));
        let mut known = bound.to_vec();
        known.extend(self.mentioned());
        if or_mentioned {
            for clause in &self.ast.clauses {
                clause.variables(&mut known);
            }
        }
        let name = |var: &Var| self.ast.names[var.0 as usize].clone();
        let variables: Vec<Symbol> = asked
            .iter()
            .filter(|v| !known.contains(v))
            .map(name)
            .collect();
        if variables.is_empty() {
            return Ok(());
        }
        Err(QueryError::UnboundQueryVariables { variables })
    }

    /// A pull without a source, or with an unknown one, reads the first source.
    fn pull_source(&self, name: Option<&Symbol>) -> Result<&Db, QueryError> {
        let named = name.and_then(|name| self.env.sources.iter().find(|(known, _)| known == name));
        match named.or(self.env.sources.first()) {
            Some((_, Source::Db(db))) => Ok(db),
            _ => Err(QueryError::InvalidDataSource {
                found: "what a pull reads".to_owned(),
            }),
        }
    }
}

fn used_variables(ast: &Ast) -> Vec<Var> {
    let mut used = Vec::new();
    for clause in &ast.clauses {
        clause.variables(&mut used);
    }
    let elements = ast.find.elements.iter();
    elements.for_each(|element| push_new(&mut used, element.variable()));
    ast.with.iter().for_each(|v| push_new(&mut used, *v));
    // A variable that two inputs bind joins them, whether a clause uses it or not.
    let mut bound = Vec::new();
    for input in &ast.inputs {
        let InputForm::Binding(binding, _) = input else {
            continue;
        };
        let mut vars = Vec::new();
        binding.variables(&mut vars);
        for var in vars {
            match bound.contains(&var) {
                true => push_new(&mut used, var),
                false => bound.push(var),
            }
        }
    }
    used
}

fn source_of(input: &Input) -> Source {
    let tuples = match input {
        Input::Db(db) => return Source::Db(db.clone()),
        Input::Log(_) => return Source::Invalid("a log".to_owned()),
        Input::Edn(Edn::Map(entries)) if !entries.is_empty() => entries
            .iter()
            .map(|(k, v)| Some(vec![k.clone(), v.clone()]))
            .collect(),
        Input::Edn(Edn::List(items) | Edn::Vector(items) | Edn::Set(items)) => {
            items.iter().map(row_of).collect()
        }
        Input::Edn(_) => None,
    };
    let tuples: Option<Vec<Vec<Edn>>> = tuples;
    match (tuples, input) {
        (Some(tuples), _) => Source::Rows(tuples),
        (None, Input::Edn(form)) => Source::Invalid(form.to_string()),
        (None, _) => Source::Invalid("it".to_owned()),
    }
}

/// A row of a collection: as in Datomic, a text is a row of its characters, and nil one of nils.
fn row_of(form: &Edn) -> Option<Vec<Edn>> {
    match form {
        Edn::Nil => Some(vec![Edn::Nil; POSITIONS_MAX]),
        Edn::Value(datomite_model::Value::String(text)) => {
            Some(text.chars().map(Edn::Char).collect())
        }
        form => form.as_sequence().map(<[Edn]>::to_vec),
    }
}

/// Compiles every call once, so that an unknown function is an error whatever the rows are.
fn check_calls(clauses: &[Clause], context: &Context<'_>) -> Result<(), QueryError> {
    for clause in clauses {
        match clause {
            Clause::Call(call) => {
                if let Some(place) = &call.not_a_binding {
                    return Err(QueryError::NotABindingForm {
                        place: Box::new(Place::clone(place)),
                    });
                }
                builtins::Call::compile(&call.form, context)?;
            }
            Clause::Not(not) => check_calls(&not.clauses, context)?,
            Clause::Or(or) => {
                for branch in &or.branches {
                    check_calls(branch, context)?;
                }
            }
            Clause::Pattern(_) | Clause::Rule(_) => {}
        }
    }
    Ok(())
}

fn nested_query(
    form: &Edn,
    args: &[Arg<'_>],
    limits: &Rc<Limits>,
    outer: &Prepared<'_>,
) -> Result<Edn, QueryError> {
    limits.deeper(|| nested_answer(form, args, limits, outer))
}

fn nested_answer(
    form: &Edn,
    args: &[Arg<'_>],
    limits: &Rc<Limits>,
    outer: &Prepared<'_>,
) -> Result<Edn, QueryError> {
    let query = Query::from_edn(form)?;
    let mut inputs = Vec::with_capacity(args.len());
    for arg in args {
        inputs.push(match arg {
            Arg::Edn(form) => Input::Edn((*form).clone()),
            Arg::Db(db) => Input::Db((*db).clone()),
            Arg::Log(log) => Input::Log((*log).clone()),
            Arg::Function(_) => {
                return Err(QueryError::InvalidDataSource {
                    found: "a function".to_owned(),
                });
            }
        });
    }
    let mut prepared = Prepared::new(&query, &inputs, Some(outer.functions), limits)?;
    prepared.env.as_written = outer.env.as_written;
    Ok(prepared.answer(limits, None)?.into_edn())
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for datomite_db::Db {}
}

/// What a database can be asked. Only `Db` has it.
pub trait Ask: sealed::Sealed {
    /// Begins a question to this database; its errors come when it is answered.
    fn q<'q>(&self, query: &'q str) -> Question<'q>;

    /// Pulls one entity, named by id, ident or lookup ref; nil where nothing is found.
    fn pull(&self, pattern: &str, entity: impl Into<Input>) -> Result<Edn, QueryError>;

    /// Pulls several entities, in the order given.
    fn pull_many(&self, pattern: &str, entities: &[Edn]) -> Result<Vec<Edn>, QueryError>;

    /// Pulls what an index walk finds; see [`crate::index_pull`].
    fn index_pull(&self, options: &Edn) -> Result<Vec<Edn>, QueryError>;
}

impl Ask for Db {
    fn q<'q>(&self, query: &'q str) -> Question<'q> {
        Question {
            query,
            inputs: vec![Input::Db(self.clone())],
            options: QueryOptions::default(),
        }
    }

    fn pull(&self, pattern: &str, entity: impl Into<Input>) -> Result<Edn, QueryError> {
        let entity = match entity.into() {
            Input::Edn(form) => form,
            Input::Db(_) | Input::Log(_) => Edn::Nil,
        };
        crate::pull(self, &Pattern::parse(pattern)?, &entity)
    }

    fn pull_many(&self, pattern: &str, entities: &[Edn]) -> Result<Vec<Edn>, QueryError> {
        crate::pull_many(self, &Pattern::parse(pattern)?, entities)
    }

    fn index_pull(&self, options: &Edn) -> Result<Vec<Edn>, QueryError> {
        crate::index_pull(self, options)
    }
}

/// A query on its way: arguments and limits, then an answer.
#[derive(Clone, Debug)]
pub struct Question<'q> {
    query: &'q str,
    inputs: Vec<Input>,
    options: QueryOptions,
}

impl Question<'_> {
    /// The next argument after the database.
    pub fn arg(mut self, input: impl Into<Input>) -> Self {
        self.inputs.push(input.into());
        self
    }

    /// Limits the work.
    pub fn options(mut self, options: QueryOptions) -> Self {
        self.options = options;
        self
    }

    /// The answer, by column.
    pub fn answer(&self) -> Result<QueryResult, QueryError> {
        q_with(&Query::parse(self.query)?, &self.inputs, &self.options)
    }

    /// The answer as Rust rows.
    pub fn rows<R: FromRow>(&self) -> Result<Vec<R>, QueryError> {
        self.answer()?.into_rows()
    }

    /// The first row as a Rust type, if there is one.
    pub fn first<R: FromRow>(&self) -> Result<Option<R>, QueryError> {
        self.answer()?.first()
    }

    /// The values of the one column.
    pub fn collection<V: FromEdn>(&self) -> Result<Vec<V>, QueryError> {
        self.answer()?.collection()
    }

    /// The one value of the first row, if there is a row.
    pub fn scalar<V: FromEdn>(&self) -> Result<Option<V>, QueryError> {
        self.answer()?.scalar()
    }

    /// The answer as Datomic's peer gives it.
    pub fn edn(&self) -> Result<Edn, QueryError> {
        Ok(self.answer()?.into_edn())
    }

    /// How the query is answered.
    pub fn explain(&self) -> Result<Explanation, QueryError> {
        let query = Query::parse(self.query)?;
        Ok(explain_with(&query, &self.inputs, &self.options)?.1)
    }
}
