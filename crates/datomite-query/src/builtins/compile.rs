//! From a call as it is written to nodes that run.
//!
//! Decides what `(f arg …)` means: which symbols are functions, variables, classes or names of
//! `let` and `fn`, and what literals and nested calls do. As in Datomic, the variables of a call
//! are the ones that stand directly among its arguments; such a variable is seen in the whole
//! call, another one is an error. Nested calls of constants are evaluated once, here.

use std::cell::Cell;
use std::sync::Arc;

use datomite_model::{Edn, Symbol, Value};

use super::call::{Arity, Callable, Case, FnForm, Maker, Node, bad};
use super::{Context, by_name, clj, find, java, macros};
use crate::QueryError;

/// How deep forms may stand in a call.
const NESTED_MAX: usize = 100;
/// How deep they may stand when macros are written out: `->` and `cond` nest as often as they
/// have steps.
const WRITTEN_OUT_MAX: usize = 100;

/// Functions whose answer is not fixed by their arguments.
const IMPURE: &[&str] = &[
    "rand",
    "rand-int",
    "rand-nth",
    "shuffle",
    "random-sample",
    "random-uuid",
    "datomic.api/squuid",
    "gensym",
];

pub(super) struct Compiler<'a> {
    context: &'a Context<'a>,
    /// The symbols that stand for slots, those further in last.
    scope: Vec<Symbol>,
    /// How many names were made up.
    made_up: &'a Cell<u32>,
    /// How deep the form stands that is compiled, macros written out.
    depth: &'a Cell<usize>,
}

impl Compiler<'_> {
    /// The nodes of a call, and the variables and sources that it reads.
    pub(super) fn compile(
        form: &Edn,
        context: &Context<'_>,
    ) -> Result<(Node, Vec<Symbol>), QueryError> {
        let Some(items) = form.as_sequence().filter(|items| !items.is_empty()) else {
            return Err(bad(form, "a call is a list that begins with a function"));
        };
        if crate::weigh::is_deeper(form, NESTED_MAX) {
            return Err(too_deep());
        }
        let mut scope: Vec<Symbol> = Vec::new();
        for symbol in items[1..].iter().filter_map(Edn::as_symbol) {
            if is_slot(symbol) && !scope.contains(symbol) {
                scope.push(symbol.clone());
            }
        }
        if items[0] == Edn::symbol("ground") && !scope.is_empty() {
            return Err(bad(form, "ground takes a constant"));
        }
        let compiler = Compiler {
            context,
            scope,
            made_up: &Cell::new(0),
            depth: &Cell::new(0),
        };
        let root = compiler.list(items, form)?;
        Ok((root, compiler.scope))
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

    fn body(&self, forms: &[Edn]) -> Result<Node, QueryError> {
        match forms {
            [form] => self.node(form),
            forms => self.nodes(forms).map(Node::Do),
        }
    }

    /// The slot of a name, the innermost of those that have it.
    fn slot(&self, symbol: &Symbol) -> Option<usize> {
        self.scope.iter().rposition(|known| known == symbol)
    }

    fn symbol(&self, symbol: &Symbol, form: &Edn) -> Result<Node, QueryError> {
        if let Some(at) = self.slot(symbol) {
            return Ok(Node::Slot(at));
        }
        if is_slot(symbol) {
            return Err(bad(
                form,
                "only a variable that stands among the arguments of the call is seen",
            ));
        }
        if let Some(constant) = java::class_named(symbol).or_else(|| java::constant_named(symbol)) {
            return Ok(Node::Const(constant));
        }
        find(symbol, self.context.functions).map(Node::Function)
    }

    fn list(&self, items: &[Edn], form: &Edn) -> Result<Node, QueryError> {
        let depth = self.depth.get();
        if depth > WRITTEN_OUT_MAX {
            return Err(too_deep());
        }
        self.depth.set(depth + 1);
        let node = self.form(items, form);
        self.depth.set(depth);
        node
    }

    fn form(&self, items: &[Edn], form: &Edn) -> Result<Node, QueryError> {
        let (head, rest) = (&items[0], &items[1..]);
        let Some(name) = head.as_symbol() else {
            return self.called(head, rest);
        };
        if self.slot(name).is_some() {
            return self.called(head, rest);
        }
        let short = match name.namespace() {
            Some("clojure.core") => name.name(),
            _ => name.as_str(),
        };
        if let Some(special) = self.special(short, rest, form) {
            return special;
        }
        let steps = match short {
            "cond" | "condp" => rest.len() / 2,
            "->" | "->>" | ".." => rest.len(),
            "for" | "doseq" => {
                rest.first()
                    .and_then(Edn::as_sequence)
                    .map_or(0, <[Edn]>::len)
                    / 2
            }
            _ => 0,
        };
        if steps > NESTED_MAX {
            return Err(too_deep());
        }
        if let Some(expanded) = macros::expand(short, rest, form, self.made_up) {
            return self.node(&expanded?);
        }
        if rest.is_empty()
            && let Some(constant) = java::constant_named(name)
        {
            return Ok(Node::Const(constant));
        }
        self.called(head, rest)
    }

    /// A call of what a form names or gives.
    fn called(&self, head: &Edn, rest: &[Edn]) -> Result<Node, QueryError> {
        let args = self.nodes(rest)?;
        match self.node(head)? {
            Node::Function(callable) => Ok(self.fold_call(callable, args)),
            Node::Const(value) if Callable::is_callable(&value) => {
                Ok(self.fold_call(Callable::Value(Arc::new(value)), args))
            }
            Node::Const(_) => Err(bad(head, "it cannot be called")),
            node => Ok(Node::Dynamic(Box::new(node), args)),
        }
    }

    /// Evaluates a call of constants now; one that fails is left to fail when a row asks for it.
    fn fold_call(&self, callable: Callable, args: Vec<Node>) -> Node {
        let pure = !matches!(&callable, Callable::Own(..))
            && !matches!(&callable, Callable::Builtin(b) if IMPURE.contains(&b.name));
        let constant = pure && args.iter().all(is_fixed);
        let node = Node::Call(callable, args);
        if !constant {
            return node;
        }
        match node.value(self.context, &[]) {
            Ok(value) => Node::Const(value),
            Err(_) => node,
        }
    }

    /// A form that makes a function of other things; a function at once where they are constant.
    fn make(&self, maker: Maker, forms: &[Edn]) -> Result<Node, QueryError> {
        let nodes = self.nodes(forms)?;
        if !nodes.iter().all(is_fixed) {
            return Ok(Node::Make(maker, nodes));
        }
        let held: Result<Vec<_>, QueryError> = nodes
            .iter()
            .map(|node| node.held(self.context, &[]))
            .collect();
        Ok(Node::Function(Callable::Made(maker, held?.into())))
    }

    /// Forms that are no calls; none where the name is no such thing.
    fn special(&self, name: &str, rest: &[Edn], form: &Edn) -> Option<Result<Node, QueryError>> {
        Some(match (name, rest) {
            ("quote", [quoted]) => Ok(Node::Const(quoted.clone())),
            ("if", [test, then, otherwise @ ..]) if otherwise.len() < 2 => {
                self.choice(test, then, otherwise.first())
            }
            ("case", [value, branches @ ..]) => self.case(value, branches),
            ("and", forms) => self.nodes(forms).map(Node::And),
            ("or", forms) => self.nodes(forms).map(Node::Or),
            ("do", forms) => self.nodes(forms).map(Node::Do),
            ("let" | "let*", [Edn::Vector(bindings), body @ ..]) => {
                self.bind(bindings, body, form, Node::Let)
            }
            ("loop" | "loop*", [Edn::Vector(bindings), body @ ..]) => {
                self.bind(bindings, body, form, Node::Loop)
            }
            ("recur", forms) => self.nodes(forms).map(Node::Recur),
            ("fn" | "fn*", forms) => self.function(forms, form),
            (name, forms) => return self.maker(name, forms),
        })
    }

    /// Functions of functions, transducers, sequences without end.
    fn maker(&self, name: &str, forms: &[Edn]) -> Option<Result<Node, QueryError>> {
        let maker = match (name, forms.len()) {
            ("comp", _) => Maker::Comp,
            ("juxt", 1..) => Maker::Juxt,
            ("partial", 1..) => Maker::Partial,
            ("complement", 1) => Maker::Complement,
            ("constantly", 1) => Maker::Constantly,
            ("fnil", 2..) => Maker::Fnil,
            ("every-pred", 1..) => Maker::EveryPred,
            ("some-fn", 1..) => Maker::SomeFn,
            ("memoize", 1) => Maker::Same,
            ("comparator", 1) => Maker::Comparator,
            ("iterate", 2) => Maker::Iterate,
            ("cycle", 1) => Maker::Cycle,
            ("repeat", 1) => Maker::Repeat,
            ("range", 0) => Maker::Naturals,
            ("repeatedly", 1) => Maker::Repeatedly,
            (
                "map" | "filter" | "remove" | "keep" | "take" | "drop" | "take-while"
                | "drop-while" | "mapcat" | "map-indexed" | "keep-indexed" | "take-nth"
                | "partition-all" | "partition-by" | "interpose" | "replace",
                1,
            )
            | ("distinct" | "dedupe", 0) => Maker::Stage(by_name(name)?),
            _ => return None,
        };
        Some(self.make(maker, forms))
    }

    fn choice(&self, test: &Edn, then: &Edn, otherwise: Option<&Edn>) -> Result<Node, QueryError> {
        let otherwise = match otherwise {
            Some(form) => self.node(form)?,
            None => Node::Const(Edn::Nil),
        };
        Ok(Node::If(Box::new((
            self.node(test)?,
            self.node(then)?,
            otherwise,
        ))))
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

    /// The same scope with more names.
    fn within(&self, names: impl IntoIterator<Item = Symbol>) -> Compiler<'_> {
        let mut scope = self.scope.clone();
        scope.extend(names);
        Compiler {
            context: self.context,
            scope,
            made_up: self.made_up,
            depth: self.depth,
        }
    }

    /// `let` and `loop`: names of values, and what is done with them.
    fn bind(
        &self,
        bindings: &[Edn],
        body: &[Edn],
        form: &Edn,
        wrap: fn(Vec<Node>, Box<Node>) -> Node,
    ) -> Result<Node, QueryError> {
        let bindings = macros::plain_bindings(bindings, form, self.made_up)?;
        let mut inner = self.within([]);
        let mut values = Vec::with_capacity(bindings.len());
        for (name, value) in bindings {
            values.push(inner.node(&value)?);
            inner.scope.push(name);
        }
        Ok(wrap(values, Box::new(inner.body(body)?)))
    }

    fn function(&self, forms: &[Edn], form: &Edn) -> Result<Node, QueryError> {
        let (name, forms) = match forms {
            [Edn::Value(Value::Symbol(name)), forms @ ..] => (name.clone(), forms),
            forms => (Symbol::new(None, "{fn}"), forms),
        };
        let arities: Result<Vec<Arity>, QueryError> = match forms {
            [Edn::Vector(parameters), body @ ..] => self
                .arity(&name, parameters, body, form)
                .map(|one| vec![one]),
            several => several
                .iter()
                .map(|one| match one.as_sequence() {
                    Some([Edn::Vector(parameters), body @ ..]) => {
                        self.arity(&name, parameters, body, form)
                    }
                    _ => Err(bad(form, "a function has parameters in a vector")),
                })
                .collect(),
        };
        let arities = arities?;
        let function = Node::Fn(Arc::new(FnForm { name, arities }));
        if self.scope.is_empty() {
            let held = function.held(self.context, &[])?;
            if let super::call::Held::Function(callable) = held {
                return Ok(Node::Function(callable));
            }
        }
        Ok(function)
    }

    fn arity(
        &self,
        name: &Symbol,
        parameters: &[Edn],
        body: &[Edn],
        form: &Edn,
    ) -> Result<Arity, QueryError> {
        let (plain, bindings, rest) = macros::plain_parameters(parameters, form, self.made_up)?;
        let parameters = plain.len() - usize::from(rest);
        let inner = self.within(std::iter::once(name.clone()).chain(plain));
        let body = if bindings.is_empty() {
            inner.body(body)?
        } else {
            inner.bind(&bindings, body, form, Node::Let)?
        };
        Ok(Arity {
            parameters,
            rest,
            body,
        })
    }
}

fn too_deep() -> QueryError {
    QueryError::TooDeep {
        what: "calls",
        limit: NESTED_MAX,
        place: None,
    }
}

/// Variables and sources.
fn is_slot(symbol: &Symbol) -> bool {
    symbol.namespace().is_none() && symbol.as_str().starts_with(['?', '$'])
}

fn is_fixed(node: &Node) -> bool {
    matches!(node, Node::Const(_) | Node::Function(_))
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
