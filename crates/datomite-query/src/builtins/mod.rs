//! The functions that a query may call: one table by name, each with its documentation.
//!
//! Names are Clojure's and Datomic's. Every function here is pure in its arguments and the database
//! values among them; one's own functions come from [`Functions`]. What a call looks like in a
//! clause (literals, nested calls, macros) is decided in `call.rs`; what it does to rows is the
//! executor's.

mod calendar;
mod call;
mod casts;
mod catalogue;
pub(crate) mod clj;
mod collections;
mod compile;
mod datomic;
mod endless;
mod error;
mod format;
mod fulltext;
mod hash;
mod java;
mod java_numbers;
mod java_objects;
mod java_text;
mod macros;
mod math;
mod nested;
mod number;
mod numeric;
mod predicates;
mod print;
mod regexes;
mod sequences;
mod sets;
mod strings;
mod text;
mod transform;

use std::cell::{Cell, RefCell};
use std::sync::{Arc, OnceLock};

use datomite_db::{Db, Function, Functions, Log};
use datomite_model::{Edn, Symbol, Value};
use regex::Regex;
use rustc_hash::FxHashMap;

use crate::QueryError;
use crate::options::Limits;
use crate::weigh;
pub(crate) use call::{Call, Callable};
pub use catalogue::{FunctionDoc, FunctionRole, documented_functions};
pub(crate) use clj::is_true;
pub use error::{Arithmetic, CallError};
pub(crate) use number::Number;
pub(crate) use predicates::java_comparable;

/// The tag of a compiled pattern (`re-pattern`): `#regex "a+"`.
const REGEX_TAG: &str = "regex";
/// The tag of a Java class used as a value: `#class "java.lang.String"`.
const CLASS_TAG: &str = "class";
/// No function makes a collection longer than this.
const LENGTH_MAX: usize = 10_000_000;
/// No function makes text longer than this, in bytes.
const TEXT_MAX: usize = 1 << 27;

type Outcome = Result<Edn, QueryError>;
type Body = fn(&Invocation<'_>) -> Outcome;

/// One argument of a call.
#[derive(Clone, Copy)]
pub(crate) enum Arg<'a> {
    /// A value.
    Edn(&'a Edn),
    /// A database.
    Db(&'a Db),
    /// A log.
    Log(&'a Log),
    /// A function, given to a higher-order one.
    Function(&'a Callable),
}

/// Runs a nested query: the query form and its arguments.
pub(crate) type NestedQuery<'a> = &'a dyn Fn(&Edn, &[Arg<'_>]) -> Outcome;

/// What calls share during one query.
pub(crate) struct Context<'a> {
    /// One's own functions.
    pub(crate) functions: &'a Functions,
    /// How `q` inside a query is answered.
    nested: Option<NestedQuery<'a>>,
    /// What the query may use.
    pub(crate) limits: Option<&'a Limits>,
    regexes: RefCell<FxHashMap<String, Arc<Regex>>>,
    /// How deep evaluation is.
    depth: Cell<usize>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(functions: &'a Functions) -> Context<'a> {
        Context {
            functions,
            nested: None,
            limits: None,
            regexes: RefCell::default(),
            depth: Cell::new(0),
        }
    }

    /// The same within limits.
    pub(crate) fn within(mut self, limits: &'a Limits) -> Context<'a> {
        self.limits = Some(limits);
        self
    }

    /// A small step of a long loop.
    fn tick(&self) -> Result<(), QueryError> {
        self.limits.map_or(Ok(()), Limits::tick)
    }

    /// The same with a way to run nested queries.
    pub(crate) fn with_nested(mut self, nested: NestedQuery<'a>) -> Context<'a> {
        self.nested = Some(nested);
        self
    }
}

/// A built-in function.
pub(crate) struct Builtin {
    /// Its name in a query.
    pub(crate) name: &'static str,
    /// How it is called, then one line of what it does.
    pub(crate) doc: &'static str,
    least: u8,
    most: u8,
    body: Body,
}

/// Any number of arguments.
const MANY: u8 = u8::MAX;

impl Builtin {
    const fn new(
        name: &'static str,
        doc: &'static str,
        (least, most): (u8, u8),
        body: Body,
    ) -> Builtin {
        Builtin {
            name,
            doc,
            least,
            most,
            body,
        }
    }

    fn invoke(&self, context: &Context<'_>, args: &[Arg<'_>]) -> Outcome {
        let fits = args.len() >= usize::from(self.least)
            && (self.most == MANY || args.len() <= usize::from(self.most));
        if !fits {
            return Err(CallError::Arity {
                function: Symbol::parse(self.name),
                expected: match (self.least, self.most) {
                    (least, MANY) => format!("{least} or more"),
                    (least, most) if least == most => least.to_string(),
                    (least, most) => format!("{least} to {most}"),
                },
                found: args.len(),
            }
            .into());
        }
        let result = (self.body)(&Invocation {
            context,
            name: self.name,
            args,
        })?;
        weigh::check_value(&result, context.limits)?;
        Ok(result)
    }
}

/// A call as the body of a function sees it.
struct Invocation<'a> {
    context: &'a Context<'a>,
    name: &'static str,
    args: &'a [Arg<'a>],
}

impl<'a> Invocation<'a> {
    fn len(&self) -> usize {
        self.args.len()
    }

    fn function(&self) -> Symbol {
        Symbol::parse(self.name)
    }

    /// The argument as a value.
    fn edn(&self, at: usize) -> Result<&'a Edn, QueryError> {
        match self.args[at] {
            Arg::Edn(form) => Ok(form),
            _ => Err(self.wrong_type(at, "a value")),
        }
    }

    /// The argument as a value; nil where it is not given.
    fn optional(&self, at: usize) -> Result<&'a Edn, QueryError> {
        if at < self.len() {
            self.edn(at)
        } else {
            Ok(&Edn::Nil)
        }
    }

    fn number(&self, at: usize) -> Result<Number, QueryError> {
        match self.args[at] {
            Arg::Edn(form) => Number::of(form).ok_or_else(|| self.wrong_type(at, "a number")),
            _ => Err(self.wrong_type(at, "a number")),
        }
    }

    fn long(&self, at: usize) -> Result<i64, QueryError> {
        match self.args[at] {
            Arg::Edn(Edn::Value(Value::Long(n))) => Ok(*n),
            Arg::Edn(Edn::Value(Value::BigInt(n))) => {
                i64::try_from(n.as_ref()).map_err(|_| self.wrong_type(at, "a long"))
            }
            _ => Err(self.wrong_type(at, "a long")),
        }
    }

    /// A count or position: a number that is not negative, cut to a whole one.
    fn count(&self, at: usize) -> Result<usize, QueryError> {
        let whole = self.number(at)?.truncated().map_err(|p| self.problem(p))?;
        Ok(usize::try_from(&whole.max(datomite_model::BigInt::ZERO)).unwrap_or(usize::MAX))
    }

    fn text(&self, at: usize) -> Result<&'a str, QueryError> {
        match self.args[at] {
            Arg::Edn(Edn::Value(Value::String(text))) => Ok(text),
            _ => Err(self.wrong_type(at, "a string")),
        }
    }

    fn bool(&self, answer: bool) -> Outcome {
        Ok(Edn::Value(Value::Boolean(answer)))
    }

    fn outcome(&self, number: Result<Number, Arithmetic>) -> Outcome {
        number.map(Number::into_edn).map_err(|p| self.problem(p))
    }

    fn problem(&self, problem: Arithmetic) -> QueryError {
        CallError::Arithmetic {
            function: self.function(),
            problem,
        }
        .into()
    }

    fn wrong_type(&self, at: usize, expected: &'static str) -> QueryError {
        let found = match self.args.get(at) {
            Some(Arg::Edn(form)) => (*form).clone(),
            Some(Arg::Db(_)) => Edn::symbol("#db"),
            Some(Arg::Log(_)) => Edn::symbol("#log"),
            Some(Arg::Function(_)) => Edn::symbol("#function"),
            None => Edn::Nil,
        };
        CallError::WrongType {
            function: self.function(),
            expected,
            found,
        }
        .into()
    }

    /// Calls the argument as a function: a function, or a keyword, map, set or vector.
    fn apply(&self, at: usize, args: &[Arg<'_>]) -> Outcome {
        self.tick()?;
        match self.args[at] {
            Arg::Edn(form) if !Callable::is_callable(form) => {
                Err(self.wrong_type(at, "a function"))
            }
            function => call::call_arg(function, self.context, args),
        }
    }

    /// A small step of a long loop.
    fn tick(&self) -> Result<(), QueryError> {
        self.context.tick()
    }

    /// Text of this many bytes is about to be made.
    fn check_text(&self, bytes: usize) -> Result<(), QueryError> {
        if bytes > TEXT_MAX {
            return Err(CallError::TooLong {
                function: self.function(),
                limit: TEXT_MAX,
            }
            .into());
        }
        let limits = self.context.limits;
        limits.map_or(Ok(()), |limits| limits.bytes(bytes as u64))
    }

    /// A position: any number, cut to a whole one of 32 bits.
    fn position(&self, at: usize) -> Result<i64, QueryError> {
        let whole = self.number(at)?.truncated().map_err(|p| self.problem(p))?;
        i32::try_from(&whole)
            .map(i64::from)
            .map_err(|_| self.problem(Arithmetic::OutOfRange))
    }

    /// A collection of this many elements is about to be made.
    fn check_length(&self, length: usize) -> Result<(), QueryError> {
        self.tick()?;
        if let Some(limits) = self.context.limits {
            limits.bytes(weigh::FORM.saturating_mul(length as u64))?;
        }
        if length > LENGTH_MAX {
            return Err(CallError::TooLong {
                function: self.function(),
                limit: LENGTH_MAX,
            }
            .into());
        }
        Ok(())
    }
}

/// All built-in functions, in the order of the files they stand in.
pub(crate) fn table() -> impl Iterator<Item = &'static Builtin> {
    [
        datomic::FUNCTIONS,
        predicates::FUNCTIONS,
        numeric::FUNCTIONS,
        strings::FUNCTIONS,
        text::FUNCTIONS,
        regexes::FUNCTIONS,
        casts::FUNCTIONS,
        collections::FUNCTIONS,
        nested::FUNCTIONS,
        sequences::FUNCTIONS,
        transform::FUNCTIONS,
        sets::FUNCTIONS,
        java::FUNCTIONS,
        java_text::FUNCTIONS,
        math::DOUBLES,
        math::FUNCTIONS,
        java_numbers::FUNCTIONS,
        java_objects::FUNCTIONS,
    ]
    .into_iter()
    .flatten()
}

fn by_name(name: &str) -> Option<&'static Builtin> {
    static BY_NAME: OnceLock<FxHashMap<&'static str, &'static Builtin>> = OnceLock::new();
    BY_NAME
        .get_or_init(|| table().map(|builtin| (builtin.name, builtin)).collect())
        .get(name)
        .copied()
}

/// Functions of Datomic's own that `clojure.core` does not have, or has otherwise.
const NOT_IN_CORE: &[&str] = &[
    "!=", "get-else", "get-some", "ground", "missing?", "tuple", "untuple", "q", "tx-ids",
    "tx-data", "fulltext",
];

/// Whether Clojure's core has a function of that name.
pub(crate) fn is_in_core(name: &Symbol) -> bool {
    !NOT_IN_CORE.contains(&name.as_str())
}

/// The function of that name: built in, or one's own.
pub(crate) fn find(name: &Symbol, functions: &Functions) -> Result<Callable, QueryError> {
    if name.namespace().is_some()
        && let Some(function) = functions.get(name)
    {
        return Ok(Callable::Own(name.clone(), function));
    }
    if let Some(builtin) = by_name(name.as_str()) {
        return Ok(Callable::Builtin(builtin));
    }
    let home = match name.namespace() {
        Some("clojure.core") if !NOT_IN_CORE.contains(&name.name()) => by_name(name.name()),
        Some("datomic.api") if name.name() == "q" => by_name("q"),
        Some(class) => class
            .strip_prefix("java.lang.")
            .and_then(|class| by_name(&format!("{class}/{}", name.name()))),
        None => name.name().strip_prefix("java.lang.").and_then(by_name),
    };
    home.map(Callable::Builtin).ok_or_else(|| {
        CallError::UnknownFunction {
            name: name.clone(),
            nearest: nearest(name, functions),
        }
        .into()
    })
}

/// The three names most like this one, of the functions that exist.
fn nearest(name: &Symbol, functions: &Functions) -> Vec<Symbol> {
    let own = functions.names();
    let known = table()
        .map(|builtin| Symbol::parse(builtin.name))
        .chain(own);
    nearest_of(name, known)
}

/// The three names most like this one, nearest first; none that is nothing like it.
pub(crate) fn nearest_of(name: &Symbol, known: impl Iterator<Item = Symbol>) -> Vec<Symbol> {
    let asked = name.name();
    let most = asked.chars().count().div_ceil(2).max(2);
    let mut near: Vec<(usize, Symbol)> = known
        .map(|known| (distance(asked, known.name()), known))
        .filter(|(far, _)| *far <= most)
        .collect();
    near.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    near.truncate(3);
    near.into_iter().map(|(_, known)| known).collect()
}

/// How many letters must change to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Calls one's own function with values, or with a database and values.
fn call_own(name: &Symbol, function: &Function, args: &[Arg<'_>]) -> Outcome {
    let bad = |why| {
        QueryError::from(CallError::BadForm {
            form: Edn::Value(Value::Symbol(name.clone())),
            why,
        })
    };
    let (db, rest) = match args {
        [Arg::Db(db), rest @ ..] => (Some(*db), rest),
        args => (None, args),
    };
    let values: Vec<Edn> = rest
        .iter()
        .map(|arg| match arg {
            Arg::Edn(form) => Ok((*form).clone()),
            _ => Err(bad(
                "one's own function takes a database at most first, then values",
            )),
        })
        .collect::<Result<_, _>>()?;
    let answer = match (function, db) {
        (Function::Query(body), None) => body(&values),
        (Function::AttributePredicate(body), None) => match values.as_slice() {
            [Edn::Value(value)] => body(value),
            _ => {
                return Err(CallError::WrongType {
                    function: name.clone(),
                    expected: "one value",
                    found: Edn::Vector(values),
                }
                .into());
            }
        },
        (Function::Aggregate(body), None) => match values.split_last() {
            Some((Edn::Vector(values) | Edn::List(values) | Edn::Set(values), constants)) => {
                body(constants, values)
            }
            _ => return Err(bad("an aggregate takes a collection last")),
        },
        (function, Some(db)) => match function.of_db(db, &values) {
            Some(answer) => answer,
            None => return Err(bad("this function takes values, no database")),
        },
        (_, None) => return Err(bad("this function takes a database first")),
    };
    answer.map_err(|error| QueryError::own(name, error))
}
