//! The query as parsed: sections, clauses, rules, with every variable already a number.
//!
//! The parser resolves scope: a variable of an `or-join`, `not-join` or rule body that does not
//! join has a number of its own, so nothing below this file knows names shadow each other.
//! Nothing here knows a database.

use std::sync::Arc;

use datomite_model::{Edn, Symbol};

use crate::error::Place;

/// A variable of one scope tree: an index into its list of names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Var(pub(crate) u32);

/// A whole query.
#[derive(Debug)]
pub(crate) struct Ast {
    /// What to return.
    pub(crate) find: Find,
    /// Variables that take part in the set but not in the result.
    pub(crate) with: Vec<Var>,
    /// One for each argument.
    pub(crate) inputs: Vec<InputForm>,
    /// Whether `:in` was written; without it the input is `$`.
    pub(crate) has_in: bool,
    /// The conditions, as written.
    pub(crate) clauses: Vec<Clause>,
    /// The names of the variables.
    pub(crate) names: Vec<Symbol>,
    /// The query as written.
    pub(crate) form: Edn,
}

/// The `:find` section and what shapes its rows.
#[derive(Debug)]
pub(crate) struct Find {
    pub(crate) spec: FindSpec,
    pub(crate) elements: Vec<Element>,
    pub(crate) keys: Option<Keys>,
    /// A name for each element: its key, or what `:find` says.
    pub(crate) columns: Arc<[String]>,
    /// Indexes into `elements`, most significant first.
    pub(crate) order_by: Vec<(usize, Direction)>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: u64,
    /// A variable that stands twice, and where the query is: an error as soon as there is a row.
    pub(crate) repeated: Option<(Symbol, Place)>,
}

/// The container of the result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FindSpec {
    /// `:find ?a ?b`
    Relation,
    /// `:find [?a ...]`
    Collection,
    /// `:find [?a ?b]`
    Tuple,
    /// `:find ?a .`
    Scalar,
}

/// One column of the result.
#[derive(Debug)]
pub(crate) enum Element {
    /// The variable's value.
    Variable(Var),
    /// `(name constant* ?variable)`
    Aggregate {
        name: Symbol,
        arguments: Vec<Edn>,
        variable: Var,
    },
    /// `(pull $source? ?variable pattern)`
    Pull {
        source: Option<Symbol>,
        variable: Var,
        pattern: PullSpec,
    },
}

/// Where the pattern of a pull comes from.
#[derive(Debug)]
pub(crate) enum PullSpec {
    /// Written in the query.
    Literal(Edn),
    /// A plain symbol of `:in`.
    Input(Symbol),
}

/// Names that turn rows into maps.
#[derive(Debug)]
pub(crate) struct Keys {
    /// The map keys: keywords, strings or symbols, one for each element.
    pub(crate) names: Vec<Edn>,
}

/// Ascending or descending.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    Ascending,
    Descending,
}

/// What one argument is.
#[derive(Debug)]
pub(crate) enum InputForm {
    /// `$`, `$name`
    Source(Symbol),
    /// `%`
    Rules,
    /// A plain symbol: a pull pattern.
    Pattern(Symbol),
    /// Values for variables.
    Binding(Binding, Arc<Place>),
}

/// How a value is taken apart.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Binding {
    /// `_`, or a form that binds nothing.
    Blank,
    /// `?x`
    Scalar(Var),
    /// `[?x ?y]`
    Tuple(Vec<Binding>),
    /// `[?x ...]`
    Collection(Box<Binding>),
    /// `[[?x ?y]]`
    Relation(Vec<Binding>),
}

/// Which source a clause reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum SourceRef {
    /// The one in force: `$`, or that of the enclosing `not`, `or` or rule call.
    Default,
    /// That of `:in`.
    Named(Symbol),
}

/// One position of a pattern or a rule call.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Term {
    Blank,
    Var(Var),
    Const(Edn),
}

/// A condition.
#[derive(Clone, Debug)]
pub(crate) enum Clause {
    Pattern(Pattern),
    Call(Call),
    Rule(RuleCall),
    Not(Not),
    Or(Or),
}

/// `[e a v tx added]` over a database, any arity over a collection.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(crate) source: SourceRef,
    pub(crate) terms: Vec<Term>,
    /// Variables inside a constant list or vector: they belong to the clause and are never bound
    /// by it, so that it finds nothing.
    pub(crate) mentions: Vec<Var>,
    pub(crate) place: Arc<Place>,
}

/// `[(f arg*)]` and `[(f arg*) binding]`
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The call itself, a list or vector.
    pub(crate) form: Edn,
    /// What the variables and sources that stand in the call mean here.
    pub(crate) slots: Vec<(Symbol, Slot)>,
    /// `None`: a predicate.
    pub(crate) binding: Option<Binding>,
    /// What stands in the place of a binding and is none.
    pub(crate) not_a_binding: Option<Arc<Place>>,
    pub(crate) place: Arc<Place>,
}

/// What a symbol in a call stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Slot {
    Var(Var),
    Source(SourceRef),
}

/// `(rule arg*)`
#[derive(Clone, Debug)]
pub(crate) struct RuleCall {
    pub(crate) source: SourceRef,
    pub(crate) name: Symbol,
    pub(crate) arguments: Vec<Term>,
    pub(crate) place: Arc<Place>,
}

/// `(not …)` and `(not-join …)`: rows for which the clauses hold are dropped.
#[derive(Clone, Debug)]
pub(crate) struct Not {
    pub(crate) source: SourceRef,
    /// What must be bound outside.
    pub(crate) join: Vec<Var>,
    pub(crate) clauses: Vec<Clause>,
    pub(crate) place: Arc<Place>,
}

/// `(or …)` and `(or-join …)`
#[derive(Clone, Debug)]
pub(crate) struct Or {
    pub(crate) source: SourceRef,
    /// What the branches share with the outside.
    pub(crate) join: Vec<Var>,
    /// Of these, what must be bound outside first.
    pub(crate) required: Vec<Var>,
    pub(crate) branches: Vec<Vec<Clause>>,
    pub(crate) place: Arc<Place>,
}

/// All rules of one query, in the order of their first definitions.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) rules: Vec<Rule>,
}

/// One rule: a name and its definitions.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: Symbol,
    pub(crate) arity: usize,
    /// Which arguments a caller must have bound.
    pub(crate) required: Vec<bool>,
    pub(crate) definitions: Vec<Definition>,
}

/// One body of a rule, with variables of its own.
#[derive(Debug)]
pub(crate) struct Definition {
    pub(crate) head: Vec<Var>,
    pub(crate) clauses: Vec<Clause>,
    pub(crate) names: Vec<Symbol>,
    pub(crate) place: Arc<Place>,
}

impl Clause {
    /// The clause as written and where.
    pub(crate) fn place(&self) -> &Arc<Place> {
        match self {
            Clause::Pattern(x) => &x.place,
            Clause::Call(x) => &x.place,
            Clause::Rule(x) => &x.place,
            Clause::Not(x) => &x.place,
            Clause::Or(x) => &x.place,
        }
    }

    /// Adds the variables that the clause shares with its surroundings, each once.
    pub(crate) fn variables(&self, into: &mut Vec<Var>) {
        match self {
            Clause::Pattern(x) => {
                term_variables(&x.terms, into);
                x.mentions.iter().for_each(|v| push_new(into, *v));
            }
            Clause::Rule(x) => term_variables(&x.arguments, into),
            Clause::Not(x) => x.join.iter().for_each(|v| push_new(into, *v)),
            Clause::Or(x) => x.join.iter().for_each(|v| push_new(into, *v)),
            Clause::Call(x) => {
                x.inputs(into);
                if let Some(binding) = &x.binding {
                    binding.variables(into);
                }
            }
        }
    }
}

impl Call {
    /// Adds the variables that must be bound before the call.
    pub(crate) fn inputs(&self, into: &mut Vec<Var>) {
        for (_, slot) in &self.slots {
            if let Slot::Var(var) = slot {
                push_new(into, *var);
            }
        }
    }
}

impl Binding {
    /// Adds the variables that it binds, in order, each once.
    pub(crate) fn variables(&self, into: &mut Vec<Var>) {
        match self {
            Binding::Blank => {}
            Binding::Scalar(v) => push_new(into, *v),
            Binding::Tuple(parts) | Binding::Relation(parts) => {
                parts.iter().for_each(|part| part.variables(into));
            }
            Binding::Collection(part) => part.variables(into),
        }
    }
}

impl Element {
    /// The variable that the element reads.
    pub(crate) fn variable(&self) -> Var {
        match self {
            Element::Variable(variable)
            | Element::Aggregate { variable, .. }
            | Element::Pull { variable, .. } => *variable,
        }
    }
}

/// Appends a variable that is not there yet.
pub(crate) fn push_new(into: &mut Vec<Var>, var: Var) {
    if !into.contains(&var) {
        into.push(var);
    }
}

/// Adds the variables that stand in these positions, each once.
pub(crate) fn term_variables(terms: &[Term], into: &mut Vec<Var>) {
    for term in terms {
        if let Term::Var(v) = term {
            push_new(into, *v);
        }
    }
}
