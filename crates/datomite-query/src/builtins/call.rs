//! Calls as they run: what can be called, and the evaluation of a compiled call for each row.
//!
//! `compile.rs` makes the nodes that are evaluated here; this file refuses to know what they were
//! written as. Recursion of functions is limited ([`DEPTH_MAX`]), and so are the turns of a loop.

use std::borrow::Cow;
use std::sync::Arc;

use datomite_db::{Db, Function, Log};
use datomite_model::{Edn, Symbol, Value};

use super::compile::Compiler;
use super::{Arg, Builtin, CallError, Context, LENGTH_MAX, Outcome, clj, collections, hash};
use crate::{QueryError, weigh};

/// How deep forms and functions may be evaluated within each other: what a small stack holds.
const DEPTH_MAX: usize = 180;

/// Something that can be called.
#[derive(Clone)]
pub(crate) enum Callable {
    /// A function of the table.
    Builtin(&'static Builtin),
    /// One's own.
    Own(Symbol, Function),
    /// A keyword, symbol, map, set or vector.
    Value(Arc<Edn>),
    /// `(fn [x] body)`
    Closure(Arc<Closure>),
    /// A function that a function made: `(comp f g)`, `(partial f x)`.
    Made(Maker, Arc<[Held]>),
}

/// An argument that outlives its row.
#[derive(Clone)]
pub(crate) enum Held {
    Edn(Edn),
    Db(Db),
    Log(Log),
    Function(Callable),
}

/// What makes functions of functions and values.
#[derive(Clone, Copy)]
pub(crate) enum Maker {
    Comp,
    Juxt,
    Partial,
    Complement,
    Constantly,
    Fnil,
    EveryPred,
    SomeFn,
    /// `(memoize f)`: f itself.
    Same,
    Comparator,
    /// `(map f)`, `(filter f)` …: the function without its collection.
    Stage(&'static Builtin),
    /// A sequence without end, to be taken from.
    Iterate,
    Cycle,
    Repeat,
    Naturals,
    Repeatedly,
}

/// A literal function with the values that it sees around it.
pub(crate) struct Closure {
    form: Arc<FnForm>,
    around: Vec<Held>,
}

/// A literal function as compiled.
pub(super) struct FnForm {
    pub(super) name: Symbol,
    pub(super) arities: Vec<Arity>,
}

/// One parameter list of a literal function, and what it does. Its slots: those around it, the
/// function itself, the parameters.
pub(super) struct Arity {
    pub(super) parameters: usize,
    /// Whether a list of further arguments follows the parameters.
    pub(super) rest: bool,
    pub(super) body: Node,
}

/// A compiled call.
pub(crate) struct Call {
    root: Node,
    slots: Vec<Symbol>,
}

pub(super) enum Node {
    Const(Edn),
    /// A variable or source of the clause, a parameter, or a name of `let`.
    Slot(usize),
    Function(Callable),
    Call(Callable, Vec<Node>),
    /// What is called is known when it runs.
    Dynamic(Box<Node>, Vec<Node>),
    Vector(Vec<Node>),
    Set(Vec<Node>),
    Map(Vec<(Node, Node)>),
    If(Box<(Node, Node, Node)>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Do(Vec<Node>),
    Case(Box<Case>),
    /// Values that get the next slots, one after the other, and what is evaluated with them.
    Let(Vec<Node>, Box<Node>),
    Fn(Arc<FnForm>),
    Make(Maker, Vec<Node>),
    /// As `Let`, again and again while its body is a `Recur`.
    Loop(Vec<Node>, Box<Node>),
    Recur(Vec<Node>),
}

pub(super) struct Case {
    pub(super) value: Node,
    pub(super) branches: Vec<(Vec<Edn>, Node)>,
    pub(super) default: Option<Node>,
}

/// What a node gives: a borrowed argument, something new, or another turn of the loop.
enum Done<'a> {
    Borrowed(Arg<'a>),
    Owned(Edn),
    Made(Held),
    Recur(Vec<Held>),
}

impl Held {
    pub(super) fn of(arg: Arg<'_>) -> Held {
        match arg {
            Arg::Edn(form) => Held::Edn(form.clone()),
            Arg::Db(db) => Held::Db(db.clone()),
            Arg::Log(log) => Held::Log(log.clone()),
            Arg::Function(callable) => Held::Function(callable.clone()),
        }
    }

    pub(super) fn arg(&self) -> Arg<'_> {
        match self {
            Held::Edn(form) => Arg::Edn(form),
            Held::Db(db) => Arg::Db(db),
            Held::Log(log) => Arg::Log(log),
            Held::Function(callable) => Arg::Function(callable),
        }
    }
}

impl Callable {
    /// Calls it.
    pub(crate) fn call(&self, context: &Context<'_>, args: &[Arg<'_>]) -> Outcome {
        match self {
            Callable::Builtin(builtin) => builtin.invoke(context, args),
            Callable::Own(name, function) => super::call_own(name, function, args),
            Callable::Value(form) => call_value(form, args),
            Callable::Closure(closure) => closure.call(self, context, args),
            Callable::Made(maker, held) => maker.call(held, context, args),
        }
    }

    /// Whether a form can be called.
    pub(super) fn is_callable(form: &Edn) -> bool {
        matches!(
            form,
            Edn::Map(_)
                | Edn::Set(_)
                | Edn::Vector(_)
                | Edn::Value(Value::Keyword(_) | Value::Symbol(_) | Value::Tuple(_))
        )
    }
}

/// Calls an argument as a function.
pub(super) fn call_arg(function: Arg<'_>, context: &Context<'_>, args: &[Arg<'_>]) -> Outcome {
    match function {
        Arg::Function(callable) => callable.call(context, args),
        Arg::Edn(form) if Callable::is_callable(form) => call_value(form, args),
        Arg::Edn(form) => Err(bad(form, "it cannot be called")),
        Arg::Db(_) | Arg::Log(_) => Err(bad(&Edn::symbol("$"), "it cannot be called")),
    }
}

impl Maker {
    fn call(self, held: &[Held], context: &Context<'_>, args: &[Arg<'_>]) -> Outcome {
        let truth = |answer: bool| Ok(Edn::Value(Value::Boolean(answer)));
        let apply = |held: &Held, args: &[Arg<'_>]| call_arg(held.arg(), context, args);
        match self {
            Maker::Comp => compose(held, context, args),
            Maker::Juxt => {
                let all: Result<Vec<Edn>, QueryError> =
                    held.iter().map(|part| apply(part, args)).collect();
                let all = Edn::Vector(all?);
                weigh::check_value(&all, context.limits)?;
                Ok(all)
            }
            Maker::Partial => {
                let (inner, first) = first_of(held)?;
                let first = first.iter().map(Held::arg);
                let all: Vec<Arg<'_>> = first.chain(args.iter().copied()).collect();
                apply(inner, &all)
            }
            Maker::Complement => truth(!clj::is_true(&apply(first_of(held)?.0, args)?)),
            Maker::Constantly => match first_of(held)?.0 {
                Held::Edn(form) => Ok(form.clone()),
                _ => Err(bad(&Edn::symbol("constantly"), "it gives no value")),
            },
            Maker::Fnil => {
                let (inner, defaults) = first_of(held)?;
                let filled = args.iter().enumerate().map(|(at, arg)| match arg {
                    Arg::Edn(Edn::Nil) => defaults.get(at).map_or(*arg, Held::arg),
                    arg => *arg,
                });
                apply(inner, &filled.collect::<Vec<_>>())
            }
            Maker::EveryPred => every_and_some(held, context, args, false),
            Maker::SomeFn => every_and_some(held, context, args, true),
            Maker::Same => apply(first_of(held)?.0, args),
            Maker::Comparator => compared(first_of(held)?.0, context, args),
            Maker::Stage(_)
            | Maker::Iterate
            | Maker::Cycle
            | Maker::Repeat
            | Maker::Naturals
            | Maker::Repeatedly => Err(bad(
                &Edn::symbol("call"),
                "a transducer or endless sequence is no function",
            )),
        }
    }
}

fn first_of(held: &[Held]) -> Result<(&Held, &[Held]), QueryError> {
    held.split_first()
        .ok_or_else(|| arity("a function of functions", "1 or more", 0))
}

fn compose(parts: &[Held], context: &Context<'_>, args: &[Arg<'_>]) -> Outcome {
    let Some((last, rest)) = parts.split_last() else {
        return match args {
            [Arg::Edn(form)] => Ok((*form).clone()),
            _ => Err(arity("comp", "1", args.len())),
        };
    };
    let first = call_arg(last.arg(), context, args)?;
    rest.iter().rev().try_fold(first, |value, part| {
        call_arg(part.arg(), context, &[Arg::Edn(&value)])
    })
}

/// `every-pred` (whether all hold of all) and `some-fn` (the first true answer).
fn every_and_some(tests: &[Held], context: &Context<'_>, args: &[Arg<'_>], some: bool) -> Outcome {
    let mut last = if some {
        Edn::Nil
    } else {
        Edn::Value(Value::Boolean(true))
    };
    for arg in args {
        for test in tests {
            last = call_arg(test.arg(), context, &[*arg])?;
            match (some, clj::is_true(&last)) {
                (true, true) => return Ok(last),
                (false, false) => return Ok(Edn::Value(Value::Boolean(false))),
                _ => {}
            }
        }
    }
    Ok(if some {
        last
    } else {
        Edn::Value(Value::Boolean(true))
    })
}

/// What a comparator says: a number as it is; true is before, else the other way round is asked.
fn compared(test: &Held, context: &Context<'_>, args: &[Arg<'_>]) -> Outcome {
    let [a, b] = args else {
        return Err(arity("comparator", "2", args.len()));
    };
    Ok(Edn::long(comparison(test.arg(), context, *a, *b)? as i64))
}

/// The order of two arguments by a comparator or predicate.
pub(super) fn comparison(
    by: Arg<'_>,
    context: &Context<'_>,
    a: Arg<'_>,
    b: Arg<'_>,
) -> Result<std::cmp::Ordering, QueryError> {
    use std::cmp::Ordering;
    let answer = call_arg(by, context, &[a, b])?;
    if let Some(number) = super::Number::of(&answer) {
        return Ok(number.sign());
    }
    if clj::is_true(&answer) {
        return Ok(Ordering::Less);
    }
    let back = call_arg(by, context, &[b, a])?;
    Ok(if clj::is_true(&back) {
        Ordering::Greater
    } else {
        Ordering::Equal
    })
}

pub(super) fn arity(function: &str, expected: &str, found: usize) -> QueryError {
    CallError::Arity {
        function: Symbol::parse(function),
        expected: expected.to_string(),
        found,
    }
    .into()
}

/// Calls a keyword, symbol, map, set or vector: a lookup.
pub(super) fn call_value(form: &Edn, args: &[Arg<'_>]) -> Outcome {
    let values: Vec<&Edn> = args
        .iter()
        .filter_map(|arg| match arg {
            Arg::Edn(form) => Some(*form),
            _ => None,
        })
        .collect();
    let default = values.get(1).map_or(Edn::Nil, |form| (*form).clone());
    let most = match form {
        Edn::Set(_) | Edn::Vector(_) | Edn::Value(Value::Tuple(_)) => 1,
        _ => 2,
    };
    let fits = values.len() == args.len() && args.len() <= most;
    let (Some(first), true) = (values.first(), fits) else {
        return Err(arity(&form.to_string(), "1 to 2", args.len()));
    };
    match form {
        Edn::Value(Value::Keyword(_) | Value::Symbol(_)) => {
            Ok(collections::lookup(first, form).unwrap_or(default))
        }
        Edn::Map(_) | Edn::Set(_) => Ok(collections::lookup(form, first).unwrap_or(default)),
        _ => collections::element_at(form, first),
    }
}

impl Closure {
    fn call(&self, itself: &Callable, context: &Context<'_>, args: &[Arg<'_>]) -> Outcome {
        let form = &self.form;
        let exact = |arity: &&Arity| !arity.rest && arity.parameters == args.len();
        let loose = |arity: &&Arity| arity.rest && arity.parameters <= args.len();
        let fitting = form.arities.iter().find(exact);
        let Some(fitting) = fitting.or_else(|| form.arities.iter().find(loose)) else {
            let counts: Vec<String> = form
                .arities
                .iter()
                .map(|arity| arity.parameters.to_string())
                .collect();
            return Err(arity(form.name.as_str(), &counts.join(" or "), args.len()));
        };
        self.run(fitting, itself, context, args)
    }

    fn run(
        &self,
        arity: &Arity,
        itself: &Callable,
        context: &Context<'_>,
        args: &[Arg<'_>],
    ) -> Outcome {
        let mut turn: Vec<Held> = Vec::new();
        let mut first = true;
        for _ in 0..LENGTH_MAX {
            context.tick()?;
            let mut slots: Vec<Arg<'_>> = self.around.iter().map(Held::arg).collect();
            slots.push(Arg::Function(itself));
            let more;
            if first {
                slots.extend(&args[..arity.parameters]);
                if arity.rest {
                    more = rest_of(&args[arity.parameters..])?;
                    slots.push(Arg::Edn(&more));
                }
            } else {
                slots.extend(turn.iter().map(Held::arg));
            }
            let next = match arity.body.done(context, &slots)? {
                Done::Recur(values) => values,
                done => return done.into_edn(),
            };
            if next.len() != arity.parameters + usize::from(arity.rest) {
                return Err(self::arity(
                    "recur",
                    &arity.parameters.to_string(),
                    next.len(),
                ));
            }
            (turn, first) = (next, false);
        }
        Err(endless(&self.form.name))
    }
}

fn rest_of(args: &[Arg<'_>]) -> Outcome {
    let items: Result<Vec<Edn>, QueryError> = args
        .iter()
        .map(|arg| match arg {
            Arg::Edn(form) => Ok((*form).clone()),
            _ => Err(no_value()),
        })
        .collect();
    items.map(collections::list_or_nil)
}

fn endless(name: &Symbol) -> QueryError {
    CallError::TooLong {
        function: name.clone(),
        limit: LENGTH_MAX,
    }
    .into()
}

impl Call {
    /// Compiles a call as it is written: a list whose head is what is called.
    pub(crate) fn compile(form: &Edn, context: &Context<'_>) -> Result<Call, QueryError> {
        let (root, slots) = Compiler::compile(form, context)?;
        Ok(Call { root, slots })
    }

    /// The variables and sources that the call reads, in the order in which `eval` takes them.
    pub(crate) fn slots(&self) -> &[Symbol] {
        &self.slots
    }

    /// Evaluates the call with these values of its slots.
    pub(crate) fn eval(&self, context: &Context<'_>, slots: &[Arg<'_>]) -> Outcome {
        self.root.value(context, slots)
    }
}

pub(super) fn bad(form: &Edn, why: &'static str) -> QueryError {
    CallError::BadForm {
        form: form.clone(),
        why,
    }
    .into()
}

fn no_value() -> QueryError {
    bad(
        &Edn::symbol("call"),
        "a database, log or function is no value",
    )
}

impl<'a> Done<'a> {
    fn into_edn(self) -> Outcome {
        match self {
            Done::Owned(form) | Done::Made(Held::Edn(form)) => Ok(form),
            Done::Borrowed(Arg::Edn(form)) => Ok(form.clone()),
            Done::Recur(_) => Err(bad(&Edn::symbol("recur"), "it is not the last thing done")),
            Done::Borrowed(_) | Done::Made(_) => Err(no_value()),
        }
    }

    fn into_held(self) -> Result<Held, QueryError> {
        Ok(match self {
            Done::Owned(form) => Held::Edn(form),
            Done::Made(held) => held,
            Done::Borrowed(arg) => Held::of(arg),
            Done::Recur(_) => {
                return Err(bad(&Edn::symbol("recur"), "it is not the last thing done"));
            }
        })
    }

    /// The same without borrowing from slots that end.
    fn detached<'b>(self) -> Done<'b> {
        match self {
            Done::Owned(form) => Done::Owned(form),
            Done::Made(held) => Done::Made(held),
            Done::Recur(values) => Done::Recur(values),
            Done::Borrowed(arg) => Done::Made(Held::of(arg)),
        }
    }

    fn arg(&self) -> Arg<'_> {
        match self {
            Done::Borrowed(arg) => *arg,
            Done::Owned(form) => Arg::Edn(form),
            Done::Made(held) => held.arg(),
            Done::Recur(_) => Arg::Edn(&Edn::Nil),
        }
    }

    fn truth(&self) -> bool {
        match self.arg() {
            Arg::Edn(form) => clj::is_true(form),
            _ => true,
        }
    }
}

impl Node {
    pub(super) fn is_constant(&self) -> bool {
        matches!(self, Node::Const(_))
    }

    pub(super) fn into_constant(self) -> Edn {
        match self {
            Node::Const(form) => form,
            _ => Edn::Nil,
        }
    }

    /// The value, owned.
    pub(super) fn value(&self, context: &Context<'_>, slots: &[Arg<'_>]) -> Outcome {
        self.done(context, slots)?.into_edn()
    }

    /// What it gives, function or value, to be kept.
    pub(super) fn held(
        &self,
        context: &Context<'_>,
        slots: &[Arg<'_>],
    ) -> Result<Held, QueryError> {
        self.done(context, slots)?.into_held()
    }

    fn done<'a>(
        &'a self,
        context: &Context<'_>,
        slots: &[Arg<'a>],
    ) -> Result<Done<'a>, QueryError> {
        match self {
            Node::Const(form) => return Ok(Done::Borrowed(Arg::Edn(form))),
            Node::Slot(at) => return Ok(Done::Borrowed(slots[*at])),
            Node::Function(callable) => return Ok(Done::Borrowed(Arg::Function(callable))),
            _ => {}
        }
        let depth = context.depth.get();
        if depth >= DEPTH_MAX {
            return Err(CallError::TooDeep { limit: DEPTH_MAX }.into());
        }
        context.depth.set(depth + 1);
        let done = self.compound(context, slots);
        context.depth.set(depth);
        done
    }

    /// What a node of other nodes gives.
    fn compound<'a>(
        &'a self,
        context: &Context<'_>,
        slots: &[Arg<'a>],
    ) -> Result<Done<'a>, QueryError> {
        match self {
            Node::Call(callable, args) => {
                with_args(args, context, slots, |args| callable.call(context, args))
                    .map(Done::Owned)
            }
            Node::Dynamic(head, args) => {
                let head = head.done(context, slots)?;
                with_args(args, context, slots, |args| {
                    call_arg(head.arg(), context, args)
                })
                .map(Done::Owned)
            }
            Node::If(parts) => {
                let (test, then, otherwise) = parts.as_ref();
                let branch = if test.done(context, slots)?.truth() {
                    then
                } else {
                    otherwise
                };
                branch.done(context, slots)
            }
            Node::And(nodes) => until(nodes, context, slots, |truth| !truth, true),
            Node::Or(nodes) => until(nodes, context, slots, |truth| truth, false),
            Node::Do(nodes) => nodes
                .iter()
                .try_fold(Done::Owned(Edn::Nil), |_, node| node.done(context, slots)),
            Node::Case(case) => case.done(context, slots),
            Node::Let(values, body) => bound(values, slots, context, |slots| {
                body.done(context, slots).map(Done::detached)
            }),
            Node::Fn(form) => Ok(Done::Made(Held::Function(Callable::Closure(Arc::new(
                Closure {
                    form: Arc::clone(form),
                    around: slots.iter().map(|arg| Held::of(*arg)).collect(),
                },
            ))))),
            Node::Make(maker, nodes) => {
                let held = all_held(nodes, context, slots)?;
                Ok(Done::Made(Held::Function(Callable::Made(
                    *maker,
                    held.into(),
                ))))
            }
            Node::Loop(values, body) => looped(values, body, context, slots),
            Node::Recur(nodes) => all_held(nodes, context, slots).map(Done::Recur),
            literal => literal.literal(context, slots).map(Done::Owned),
        }
    }

    fn literal(&self, context: &Context<'_>, slots: &[Arg<'_>]) -> Outcome {
        let values = |nodes: &[Node]| -> Result<Vec<Edn>, QueryError> {
            nodes
                .iter()
                .map(|node| node.value(context, slots))
                .collect()
        };
        let made = match self {
            Node::Vector(items) => values(items).map(Edn::Vector),
            Node::Set(items) => values(items).map(|items| Edn::Set(clj::distinct(items))),
            Node::Map(nodes) => {
                let mut entries = Vec::with_capacity(nodes.len());
                for (key, value) in nodes {
                    let key = key.value(context, slots)?;
                    clj::put(&mut entries, key, value.value(context, slots)?);
                }
                Ok(Edn::Map(entries))
            }
            node => node.value(context, slots),
        }?;
        weigh::check_value(&made, context.limits)?;
        Ok(made)
    }
}

impl Case {
    fn done<'a>(
        &'a self,
        context: &Context<'_>,
        slots: &[Arg<'a>],
    ) -> Result<Done<'a>, QueryError> {
        let value = self.value.value(context, slots)?;
        let branch = self
            .branches
            .iter()
            .find(|(tests, _)| tests.iter().any(|test| clj::equal(test, &value)))
            .map(|(_, node)| node)
            .or(self.default.as_ref());
        match branch {
            Some(node) => node.done(context, slots),
            None => Err(CallError::NoMatchingClause { value }.into()),
        }
    }
}

fn all_held(
    nodes: &[Node],
    context: &Context<'_>,
    slots: &[Arg<'_>],
) -> Result<Vec<Held>, QueryError> {
    nodes.iter().map(|node| node.held(context, slots)).collect()
}

/// Evaluates values, each seeing those before it, and hands the longer slots over.
fn bound<'r>(
    values: &[Node],
    slots: &[Arg<'_>],
    context: &Context<'_>,
    body: impl FnOnce(&[Arg<'_>]) -> Result<Done<'r>, QueryError>,
) -> Result<Done<'r>, QueryError> {
    let mut held: Vec<Held> = Vec::with_capacity(values.len());
    for value in values {
        let seen: Vec<Arg<'_>> = slots
            .iter()
            .copied()
            .chain(held.iter().map(Held::arg))
            .collect();
        let next = value.held(context, &seen)?;
        drop(seen);
        held.push(next);
    }
    let seen: Vec<Arg<'_>> = slots
        .iter()
        .copied()
        .chain(held.iter().map(Held::arg))
        .collect();
    body(&seen)
}

fn looped<'r>(
    values: &[Node],
    body: &Node,
    context: &Context<'_>,
    slots: &[Arg<'_>],
) -> Result<Done<'r>, QueryError> {
    let step = |seen: &[Arg<'_>]| body.done(context, seen).map(Done::detached);
    let mut done: Done<'_> = bound(values, slots, context, step)?;
    for _ in 0..LENGTH_MAX {
        context.tick()?;
        let Done::Recur(turn) = done else {
            return Ok(done.detached());
        };
        if turn.len() != values.len() {
            return Err(arity("recur", &values.len().to_string(), turn.len()));
        }
        let seen: Vec<Arg<'_>> = slots
            .iter()
            .copied()
            .chain(turn.iter().map(Held::arg))
            .collect();
        done = body.done(context, &seen)?.detached();
    }
    Err(endless(&Symbol::parse("loop")))
}

/// The first value that ends the walk, or the last; `empty` where there is none.
fn until<'a>(
    nodes: &'a [Node],
    context: &Context<'_>,
    slots: &[Arg<'a>],
    ends: impl Fn(bool) -> bool,
    empty: bool,
) -> Result<Done<'a>, QueryError> {
    let mut last = Done::Owned(if empty {
        Edn::Value(Value::Boolean(true))
    } else {
        Edn::Nil
    });
    for node in nodes {
        last = node.done(context, slots)?;
        if ends(last.truth()) {
            break;
        }
    }
    Ok(last)
}

/// Evaluates arguments and hands them over; the usual call, of variables and constants, makes no
/// allocation.
fn with_args(
    nodes: &[Node],
    context: &Context<'_>,
    slots: &[Arg<'_>],
    call: impl FnOnce(&[Arg<'_>]) -> Outcome,
) -> Outcome {
    const DIRECT_MAX: usize = 4;
    let direct = |node: &Node| matches!(node, Node::Const(_) | Node::Slot(_) | Node::Function(_));
    if nodes.len() <= DIRECT_MAX && nodes.iter().all(direct) {
        let mut args = [Arg::Edn(&Edn::Nil); DIRECT_MAX];
        for (arg, node) in args.iter_mut().zip(nodes) {
            match node {
                Node::Const(form) => *arg = Arg::Edn(form),
                Node::Slot(at) => *arg = slots[*at],
                Node::Function(callable) => *arg = Arg::Function(callable),
                _ => {}
            }
        }
        return call(&args[..nodes.len()]);
    }
    let done: Result<Vec<Done<'_>>, QueryError> =
        nodes.iter().map(|node| node.done(context, slots)).collect();
    let done = done?;
    if done.iter().any(|done| matches!(done, Done::Recur(_))) {
        return Err(bad(&Edn::symbol("recur"), "it is not the last thing done"));
    }
    let args: Vec<Arg<'_>> = done.iter().map(Done::arg).collect();
    call(&args)
}

/// The elements of anything that has some, as Clojure's `seq` sees it; nil has none.
pub(super) fn seq(form: &Edn) -> Option<Cow<'_, [Edn]>> {
    Some(match form {
        Edn::Nil => Cow::Borrowed(&[]),
        Edn::Set(items) => hash::set_order(items),
        Edn::Map(entries) => Cow::Owned(
            hash::map_order(entries)
                .iter()
                .map(|(key, value)| Edn::Vector(vec![key.clone(), value.clone()]))
                .collect(),
        ),
        Edn::Value(Value::String(text)) => Cow::Owned(text.chars().map(Edn::Char).collect()),
        Edn::Value(Value::Bytes(bytes)) => Cow::Owned(
            bytes
                .iter()
                .map(|b| Edn::long(i64::from(*b as i8)))
                .collect(),
        ),
        form => return clj::elements(form),
    })
}
