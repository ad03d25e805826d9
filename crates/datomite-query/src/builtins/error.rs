//! What a function call in a query can do wrong.
//!
//! Datomic lets the host language's exceptions through here, without a keyword of its own; these
//! errors say the same in fields.

use datomite_model::{Category, Edn, Keyword, Symbol};

/// A call of a function, predicate or aggregate failed.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// No function has that name.
    #[error("unable to resolve symbol {name}{}", did_you_mean(.nearest))]
    UnknownFunction {
        /// The name as written.
        name: Symbol,
        /// Names that look like it, best first.
        nearest: Vec<Symbol>,
    },
    /// The name in `:find` is no aggregate.
    #[error("{name} in :find is not an aggregate function{}", did_you_mean(.nearest))]
    UnknownAggregate {
        /// The name as written.
        name: Symbol,
        /// Names that look like it, best first.
        nearest: Vec<Symbol>,
    },
    /// Too few or too many arguments.
    #[error("{function} takes {expected} arguments, not {found}")]
    Arity {
        /// The function.
        function: Symbol,
        /// `2`, `1 to 3`, `2 or more`.
        expected: String,
        /// How many it got.
        found: usize,
    },
    /// An argument of a type that the function does not take.
    #[error("{function} takes {expected}, not {found}")]
    WrongType {
        /// The function.
        function: Symbol,
        /// What it takes.
        expected: &'static str,
        /// What it got, as it prints.
        found: Edn,
    },
    /// A number that has no answer.
    #[error("{function}: {problem}")]
    Arithmetic {
        /// The function.
        function: Symbol,
        /// What is wrong.
        problem: Arithmetic,
    },
    /// An index past the end.
    #[error("{function}: index {index} is outside a length of {length}")]
    OutOfBounds {
        /// The function.
        function: Symbol,
        /// The index.
        index: i64,
        /// How long the thing is.
        length: usize,
    },
    /// A pattern that is no regular expression, or one that needs backtracking.
    #[error("not a regular expression: {pattern}: {message}")]
    Pattern {
        /// The text.
        pattern: String,
        /// Where and why.
        message: String,
    },
    /// The text is not what the function reads.
    #[error("{function} cannot read {text:?}")]
    Unreadable {
        /// The function.
        function: Symbol,
        /// The text.
        text: String,
    },
    /// A `case` without a matching branch or default.
    #[error("no matching clause: {value}")]
    NoMatchingClause {
        /// The value that met no branch.
        value: Edn,
    },
    /// A form that cannot stand in a call.
    #[error("cannot evaluate {form}: {why}")]
    BadForm {
        /// The form.
        form: Edn,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A nil default of `get-else`.
    #[error("get-else: nil default value not supported")]
    NilDefault,
    /// `get-else` or `get-some` of an attribute with several values.
    #[error("{function} takes attributes of cardinality one, not {attribute}")]
    CardinalityMany {
        /// The function.
        function: Symbol,
        /// The attribute.
        attribute: Keyword,
    },
    /// A result that would not fit in memory.
    #[error("{function} would make more than {limit} elements")]
    TooLong {
        /// The function.
        function: Symbol,
        /// The most it makes.
        limit: usize,
    },
    /// Functions that call functions, too deep.
    #[error("a call goes deeper than {limit} forms and functions within each other")]
    TooDeep {
        /// How deep calls may go.
        limit: usize,
    },
    /// A function that we know of and do not have.
    #[error("{function} is not offered here")]
    Unsupported {
        /// The function.
        function: Symbol,
    },
}

/// What can be wrong with a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Arithmetic {
    /// The result does not fit a long.
    #[error("long overflow")]
    Overflow,
    /// The divisor is zero.
    #[error("divide by zero")]
    DivideByZero,
    /// The quotient of two decimals has no last digit.
    #[error("non-terminating decimal expansion, no exact result")]
    NonTerminating,
    /// The number does not fit the type asked for.
    #[error("value out of range")]
    OutOfRange,
    /// A decimal would need more digits than we calculate with.
    #[error("too many digits")]
    TooManyDigits,
}

fn did_you_mean(nearest: &[Symbol]) -> String {
    match nearest {
        [] => String::new(),
        names => {
            let names: Vec<&str> = names.iter().map(Symbol::as_str).collect();
            format!("; the nearest names are {}", names.join(", "))
        }
    }
}

impl CallError {
    /// Datomic's keyword, where it has one.
    pub fn code(&self) -> Option<Keyword> {
        match self {
            CallError::UnknownAggregate { .. } => {
                Some(Keyword::parse("db.error/invalid-aggregate"))
            }
            _ => None,
        }
    }

    /// What the caller may do about it.
    pub fn category(&self) -> Category {
        match self {
            CallError::Unsupported { .. } => Category::Unsupported,
            CallError::TooLong { .. } => Category::Busy,
            _ => Category::Incorrect,
        }
    }
}
