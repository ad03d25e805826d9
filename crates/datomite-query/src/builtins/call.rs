//! A call as it is written in a clause, compiled once and evaluated for each row.
//!
//! Decides what `(f arg …)` means: which symbols are functions, which are variables, what
//! literals, nested calls and the few macros do. As in Datomic, the variables of a call are those
//! that stand directly in it or inside its literal vectors, maps and sets; a variable that stands
//! only in a nested list is an error. Nested calls of constants are evaluated when the call is
//! compiled.

use std::borrow::Cow;
use std::sync::Arc;

use datomite_db::Function;
use datomite_model::{Edn, Symbol, Value};

use super::{Arg, Builtin, CallError, Context, Outcome, clj, collections, find, java};
use crate::QueryError;

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
    /// `(comp f g)`
    Compose(Arc<[Callable]>),
    /// `(partial f x)`
    Partial(Arc<(Callable, Vec<Edn>)>),
    /// `(complement f)`
    Complement(Arc<Callable>),
    /// `(constantly x)`
    Constantly(Arc<Edn>),
    /// `(juxt f g)`
    Juxt(Arc<[Callable]>),
}

/// A literal function. It sees its parameters and nothing around it.
pub(crate) struct Closure {
    name: Symbol,
    parameters: usize,
    body: Node,
}

/// How deep forms may stand in a call, and how many steps a chain (`->`, `cond`) may have, which
/// nests as deep.
const NESTED_MAX: usize = 100;

/// A compiled call.
pub(crate) struct Call {
    root: Node,
    slots: Vec<Symbol>,
}

enum Node {
    Const(Edn),
    /// A variable or source of the clause, or a parameter of a closure.
    Slot(usize),
    Function(Callable),
    Call(Callable, Vec<Node>),
    /// The head is a variable that holds something callable.
    Dynamic(usize, Vec<Node>),
    Vector(Vec<Node>),
    Set(Vec<Node>),
    Map(Vec<(Node, Node)>),
    If(Box<(Node, Node, Node)>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Do(Vec<Node>),
    Case(Box<Case>),
}

struct Case {
    value: Node,
    branches: Vec<(Vec<Edn>, Node)>,
    default: Option<Node>,
}

/// What a node gives: a borrowed argument or a new value.
enum Done<'a> {
    Borrowed(Arg<'a>),
    Owned(Edn),
}

impl Callable {
    /// Calls it.
    pub(crate) fn call(&self, context: &Context<'_>, args: &[Arg<'_>]) -> Outcome {
        match self {
            Callable::Builtin(builtin) => builtin.invoke(context, args),
            Callable::Own(name, function) => super::call_own(name, function, args),
            Callable::Value(form) => call_value(form, args),
            Callable::Closure(closure) => closure.call(context, args),
            Callable::Constantly(form) => Ok(form.as_ref().clone()),
            Callable::Complement(inner) => {
                let answer = inner.call(context, args)?;
                Ok(Edn::Value(Value::Boolean(!clj::is_true(&answer))))
            }
            Callable::Partial(parts) => {
                let (inner, first) = parts.as_ref();
                let first = first.iter().map(Arg::Edn);
                let all: Vec<Arg<'_>> = first.chain(args.iter().copied()).collect();
                inner.call(context, &all)
            }
            Callable::Juxt(parts) => {
                let answers: Result<Vec<Edn>, QueryError> =
                    parts.iter().map(|part| part.call(context, args)).collect();
                checked(Edn::Vector(answers?), context)
            }
            Callable::Compose(parts) => {
                let Some((last, rest)) = parts.split_last() else {
                    return call_identity(args);
                };
                let first = last.call(context, args)?;
                rest.iter()
                    .rev()
                    .try_fold(first, |value, part| part.call(context, &[Arg::Edn(&value)]))
            }
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

fn call_identity(args: &[Arg<'_>]) -> Outcome {
    match args {
        [Arg::Edn(form)] => Ok((*form).clone()),
        _ => Err(arity("comp", "1", args.len())),
    }
}

fn arity(function: &str, expected: &str, found: usize) -> QueryError {
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
    let (Some(first), true) = (values.first(), values.len() == args.len() && args.len() < 3) else {
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
    fn call(&self, context: &Context<'_>, args: &[Arg<'_>]) -> Outcome {
        if args.len() != self.parameters {
            let expected = self.parameters.to_string();
            return Err(arity(self.name.as_str(), &expected, args.len()));
        }
        self.body.value(context, args)
    }
}

impl Call {
    /// Compiles a call as it is written: a list whose head is what is called.
    pub(crate) fn compile(form: &Edn, context: &Context<'_>) -> Result<Call, QueryError> {
        let Some(items) = form.as_sequence().filter(|items| !items.is_empty()) else {
            return Err(bad(form, "a call is a list that begins with a function"));
        };
        if crate::weigh::is_deeper(form, NESTED_MAX) {
            return Err(too_deep());
        }
        let mut compiler = Compiler {
            context,
            scope: Vec::new(),
        };
        items.iter().for_each(|item| compiler.collect(item));
        if items[0] == Edn::symbol("ground") && !compiler.scope.is_empty() {
            return Err(bad(form, "ground takes a constant"));
        }
        let root = compiler.list(items, form)?;
        Ok(Call {
            root,
            slots: compiler.scope,
        })
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

/// A new collection, unless it nests too deep or is too large.
fn checked(value: Edn, context: &Context<'_>) -> Outcome {
    crate::weigh::check_value(&value, context.limits)?;
    Ok(value)
}

fn too_deep() -> QueryError {
    QueryError::TooDeep {
        what: "calls",
        limit: NESTED_MAX,
        place: None,
    }
}

fn bad(form: &Edn, why: &'static str) -> QueryError {
    CallError::BadForm {
        form: form.clone(),
        why,
    }
    .into()
}

/// Functions whose answer is not fixed by their arguments.
const IMPURE: &[&str] = &["rand", "rand-int", "rand-nth", "shuffle"];

struct Compiler<'a> {
    context: &'a Context<'a>,
    /// The symbols that stand for slots.
    scope: Vec<Symbol>,
}

impl Compiler<'_> {
    /// Notes the variables and sources that stand in a form, but not in lists.
    fn collect(&mut self, form: &Edn) {
        match form {
            Edn::Value(Value::Symbol(symbol))
                if is_slot(symbol) && !self.scope.contains(symbol) =>
            {
                self.scope.push(symbol.clone());
            }
            Edn::Vector(items) | Edn::Set(items) => {
                items.iter().for_each(|item| self.collect(item));
            }
            Edn::Map(entries) => entries.iter().for_each(|(key, value)| {
                self.collect(key);
                self.collect(value);
            }),
            _ => {}
        }
    }

    fn node(&self, form: &Edn) -> Result<Node, QueryError> {
        match form {
            Edn::Value(Value::Symbol(symbol)) => self.symbol(symbol, form),
            Edn::List(items) if items.is_empty() => Ok(Node::Const(form.clone())),
            Edn::List(items) => self.list(items, form),
            Edn::Vector(items) => Ok(fold(Node::Vector(self.nodes(items)?))),
            Edn::Set(items) => Ok(fold(Node::Set(self.nodes(items)?))),
            Edn::Map(entries) => {
                let entries: Result<Vec<(Node, Node)>, QueryError> = entries
                    .iter()
                    .map(|(key, value)| Ok((self.node(key)?, self.node(value)?)))
                    .collect();
                Ok(fold(Node::Map(entries?)))
            }
            _ => Ok(Node::Const(form.clone())),
        }
    }

    fn nodes(&self, forms: &[Edn]) -> Result<Vec<Node>, QueryError> {
        forms.iter().map(|form| self.node(form)).collect()
    }

    fn symbol(&self, symbol: &Symbol, form: &Edn) -> Result<Node, QueryError> {
        if let Some(at) = self.scope.iter().rposition(|known| known == symbol) {
            return Ok(Node::Slot(at));
        }
        if is_slot(symbol) {
            return Err(bad(form, "a variable inside a nested call is not seen"));
        }
        if let Some(class) = java::class_named(symbol) {
            return Ok(Node::Const(class));
        }
        find(symbol, self.context.functions).map(Node::Function)
    }

    fn list(&self, items: &[Edn], form: &Edn) -> Result<Node, QueryError> {
        let (head, rest) = (&items[0], &items[1..]);
        if let Some(name) = head.as_symbol() {
            if let Some(special) = self.special(name.as_str(), rest, form) {
                return special;
            }
            if let Some(at) = self.scope.iter().rposition(|known| known == name) {
                return Ok(Node::Dynamic(at, self.nodes(rest)?));
            }
        }
        let callable = self.function(head)?;
        Ok(self.fold_call(callable, self.nodes(rest)?))
    }

    /// Evaluates a call of constants now; one that fails is left to fail when a row asks for it.
    fn fold_call(&self, callable: Callable, args: Vec<Node>) -> Node {
        let constant = args
            .iter()
            .all(|arg| matches!(arg, Node::Const(_) | Node::Function(_)));
        let pure = !matches!(&callable, Callable::Own(..))
            && !matches!(&callable, Callable::Builtin(b) if IMPURE.contains(&b.name));
        let node = Node::Call(callable, args);
        if !(constant && pure) {
            return node;
        }
        match node.value(self.context, &[]) {
            Ok(value) => Node::Const(value),
            Err(_) => node,
        }
    }

    /// What a form names where a function is wanted.
    fn function(&self, form: &Edn) -> Result<Callable, QueryError> {
        if let Edn::Value(Value::Symbol(symbol)) = form {
            return find(symbol, self.context.functions);
        }
        match self.node(form)? {
            Node::Function(callable) => Ok(callable),
            Node::Const(value) if Callable::is_callable(&value) => {
                Ok(Callable::Value(Arc::new(value)))
            }
            _ => Err(bad(form, "it cannot be called")),
        }
    }

    fn functions(&self, forms: &[Edn]) -> Result<Arc<[Callable]>, QueryError> {
        forms.iter().map(|form| self.function(form)).collect()
    }

    /// Macros and forms that make functions; none where the name is no such thing.
    fn special(&self, name: &str, rest: &[Edn], form: &Edn) -> Option<Result<Node, QueryError>> {
        Some(match (name, rest) {
            ("quote", [quoted]) => Ok(Node::Const(quoted.clone())),
            ("if" | "if-not", [test, then, rest @ ..]) if rest.len() < 2 => {
                self.choice(name, test, std::slice::from_ref(then), rest)
            }
            ("when" | "when-not", [test, body @ ..]) => self.choice(name, test, body, &[]),
            ("cond", clauses) => self.cond(clauses, form),
            ("case", [value, branches @ ..]) => self.case(value, branches),
            ("and", forms) => self.nodes(forms).map(Node::And),
            ("or", forms) => self.nodes(forms).map(Node::Or),
            ("do", forms) => self.nodes(forms).map(Node::Do),
            ("->", [first, steps @ ..]) => self.thread(first, steps, false),
            ("->>", [first, steps @ ..]) => self.thread(first, steps, true),
            ("fn" | "fn*", [Edn::Vector(parameters), body @ ..]) => self.closure(parameters, body),
            ("comp", parts) => self
                .functions(parts)
                .map(|parts| Node::Function(Callable::Compose(parts))),
            ("juxt", parts) => self
                .functions(parts)
                .map(|parts| Node::Function(Callable::Juxt(parts))),
            ("complement", [inner]) => self
                .function(inner)
                .map(|inner| Node::Function(Callable::Complement(Arc::new(inner)))),
            ("constantly", [value]) => self
                .constant(value)
                .map(|value| Node::Function(Callable::Constantly(Arc::new(value)))),
            ("partial", [inner, first @ ..]) => self.partial(inner, first),
            _ => return None,
        })
    }

    fn constant(&self, form: &Edn) -> Result<Edn, QueryError> {
        match self.node(form)? {
            Node::Const(value) => Ok(value),
            _ => Err(bad(form, "a constant is needed here")),
        }
    }

    fn partial(&self, inner: &Edn, first: &[Edn]) -> Result<Node, QueryError> {
        let inner = self.function(inner)?;
        let first: Result<Vec<Edn>, QueryError> =
            first.iter().map(|form| self.constant(form)).collect();
        Ok(Node::Function(Callable::Partial(Arc::new((inner, first?)))))
    }

    fn choice(
        &self,
        name: &str,
        test: &Edn,
        then: &[Edn],
        otherwise: &[Edn],
    ) -> Result<Node, QueryError> {
        let test = self.node(test)?;
        let then = Node::Do(self.nodes(then)?);
        let otherwise = Node::Do(self.nodes(otherwise)?);
        Ok(Node::If(Box::new(if name.ends_with("-not") {
            (test, otherwise, then)
        } else {
            (test, then, otherwise)
        })))
    }

    fn cond(&self, clauses: &[Edn], form: &Edn) -> Result<Node, QueryError> {
        if clauses.len() % 2 == 1 {
            return Err(bad(form, "cond takes an even number of forms"));
        }
        if clauses.len() / 2 > NESTED_MAX {
            return Err(too_deep());
        }
        clauses
            .chunks(2)
            .rev()
            .try_fold(Node::Const(Edn::Nil), |otherwise, pair| {
                let test = self.node(&pair[0])?;
                let then = self.node(&pair[1])?;
                Ok(Node::If(Box::new((test, then, otherwise))))
            })
    }

    fn case(&self, value: &Edn, branches: &[Edn]) -> Result<Node, QueryError> {
        let pairs = branches.chunks_exact(2);
        let default = match pairs.remainder() {
            [default] => Some(self.node(default)?),
            _ => None,
        };
        let branches: Result<Vec<(Vec<Edn>, Node)>, QueryError> = pairs
            .map(|pair| {
                let tests = match &pair[0] {
                    Edn::List(tests) => tests.clone(),
                    test => vec![test.clone()],
                };
                Ok((tests, self.node(&pair[1])?))
            })
            .collect();
        Ok(Node::Case(Box::new(Case {
            value: self.node(value)?,
            branches: branches?,
            default,
        })))
    }

    fn thread(&self, first: &Edn, steps: &[Edn], last: bool) -> Result<Node, QueryError> {
        if steps.len() > NESTED_MAX {
            return Err(too_deep());
        }
        let threaded = steps.iter().fold(first.clone(), |value, step| {
            let mut items = match step {
                Edn::List(items) if !items.is_empty() => items.clone(),
                step => vec![step.clone()],
            };
            let at = if last { items.len() } else { 1 };
            items.insert(at, value);
            Edn::List(items)
        });
        self.node(&threaded)
    }

    fn closure(&self, parameters: &[Edn], body: &[Edn]) -> Result<Node, QueryError> {
        let scope: Option<Vec<Symbol>> =
            parameters.iter().map(|p| p.as_symbol().cloned()).collect();
        let Some(scope) = scope.filter(|scope| scope.iter().all(|p| p.as_str() != "&")) else {
            let form = Edn::Vector(parameters.to_vec());
            return Err(bad(&form, "the parameters of fn are plain symbols"));
        };
        let inner = Compiler {
            context: self.context,
            scope,
        };
        Ok(Node::Function(Callable::Closure(Arc::new(Closure {
            name: Symbol::parse("fn"),
            parameters: inner.scope.len(),
            body: Node::Do(inner.nodes(body)?),
        }))))
    }
}

/// Variables and sources.
fn is_slot(symbol: &Symbol) -> bool {
    symbol.namespace().is_none() && symbol.as_str().starts_with(['?', '$'])
}

/// A literal of constants is a constant.
fn fold(node: Node) -> Node {
    let constant = match &node {
        Node::Vector(items) | Node::Set(items) => items.iter().all(Node::is_constant),
        Node::Map(entries) => entries
            .iter()
            .all(|(key, value)| key.is_constant() && value.is_constant()),
        _ => false,
    };
    if !constant {
        return node;
    }
    let take = |items: Vec<Node>| items.into_iter().map(Node::into_constant).collect();
    Node::Const(match node {
        Node::Vector(items) => Edn::Vector(take(items)),
        Node::Set(items) => Edn::Set(clj::distinct(take(items))),
        Node::Map(entries) => Edn::Map(
            entries
                .into_iter()
                .map(|(key, value)| (key.into_constant(), value.into_constant()))
                .collect(),
        ),
        other => other.into_constant(),
    })
}

impl Node {
    fn is_constant(&self) -> bool {
        matches!(self, Node::Const(_))
    }

    fn into_constant(self) -> Edn {
        match self {
            Node::Const(form) => form,
            _ => Edn::Nil,
        }
    }

    /// The value, owned.
    fn value(&self, context: &Context<'_>, slots: &[Arg<'_>]) -> Outcome {
        match self.done(context, slots)? {
            Done::Owned(form) => Ok(form),
            Done::Borrowed(Arg::Edn(form)) => Ok(form.clone()),
            Done::Borrowed(_) => Err(bad(
                &Edn::symbol("call"),
                "a database, log or function is no value",
            )),
        }
    }

    fn truth(&self, context: &Context<'_>, slots: &[Arg<'_>]) -> Result<bool, QueryError> {
        Ok(match self.done(context, slots)? {
            Done::Owned(form) => clj::is_true(&form),
            Done::Borrowed(Arg::Edn(form)) => clj::is_true(form),
            Done::Borrowed(_) => true,
        })
    }

    fn done<'a>(
        &'a self,
        context: &Context<'_>,
        slots: &[Arg<'a>],
    ) -> Result<Done<'a>, QueryError> {
        match self {
            Node::Const(form) => Ok(Done::Borrowed(Arg::Edn(form))),
            Node::Slot(at) => Ok(Done::Borrowed(slots[*at])),
            Node::Function(callable) => Ok(Done::Borrowed(Arg::Function(callable))),
            Node::Call(callable, args) => {
                with_args(args, context, slots, |args| callable.call(context, args))
                    .map(Done::Owned)
            }
            Node::Dynamic(at, args) => with_args(args, context, slots, |args| match slots[*at] {
                Arg::Function(callable) => callable.call(context, args),
                Arg::Edn(form) if Callable::is_callable(form) => call_value(form, args),
                Arg::Edn(form) => Err(bad(form, "it cannot be called")),
                _ => Err(bad(&Edn::symbol("$"), "it cannot be called")),
            })
            .map(Done::Owned),
            Node::If(parts) => {
                let (test, then, otherwise) = parts.as_ref();
                let branch = if test.truth(context, slots)? {
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
            Node::Vector(_) | Node::Set(_) | Node::Map(_) => {
                let value = self.literal(context, slots)?;
                checked(value, context).map(Done::Owned)
            }
        }
    }

    fn literal(&self, context: &Context<'_>, slots: &[Arg<'_>]) -> Outcome {
        let values = |nodes: &[Node]| -> Result<Vec<Edn>, QueryError> {
            nodes
                .iter()
                .map(|node| node.value(context, slots))
                .collect()
        };
        match self {
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
        }
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
        let truth = match &last {
            Done::Owned(form) => clj::is_true(form),
            Done::Borrowed(Arg::Edn(form)) => clj::is_true(form),
            Done::Borrowed(_) => true,
        };
        if ends(truth) {
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
    let args: Vec<Arg<'_>> = done
        .iter()
        .map(|done| match done {
            Done::Borrowed(arg) => *arg,
            Done::Owned(form) => Arg::Edn(form),
        })
        .collect();
    call(&args)
}

/// The elements of anything that has some, as Clojure's `seq` sees it; nil has none.
pub(super) fn seq(form: &Edn) -> Option<Cow<'_, [Edn]>> {
    Some(match form {
        Edn::Nil => Cow::Borrowed(&[]),
        Edn::Set(items) => Cow::Borrowed(items),
        Edn::Map(entries) => Cow::Owned(
            entries
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
