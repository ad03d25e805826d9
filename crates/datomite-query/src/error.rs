//! Why a query, a pull or one of their functions has no answer.
//!
//! Every variant carries fields, its Datomic keyword where Datomic has one (`code`), an anomaly
//! category, and the offending clause with its place in the text where it was parsed from text.

use std::ops::Range;

use datomite_db::{DbError, FunctionError};
use datomite_model::{Category, Edn, EdnError, FromEdnError, Keyword, Symbol};

/// A form of the query and where it stood in the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The form as written.
    pub form: Edn,
    /// Its bytes in the text; `None` where the query did not come from text.
    pub span: Option<Range<usize>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The text is not EDN.
    #[error("query is not readable EDN: {0}")]
    Unreadable(#[from] EdnError),
    /// The form does not fit the grammar.
    #[error("{message}: {}", place.form)]
    Syntax {
        /// What was expected.
        message: String,
        /// The form.
        place: Box<Place>,
    },
    /// `:find` or `:with` asks for what no clause binds.
    #[error("query is referencing unbound variables: {}", names(variables))]
    UnboundQueryVariables {
        /// These.
        variables: Vec<Symbol>,
    },
    /// A clause needs variables that no other clause can bind before it.
    #[error("{} not bound in clause: {}", names(variables), place.form)]
    InsufficientBinding {
        /// These.
        variables: Vec<Symbol>,
        /// The clause.
        place: Box<Place>,
    },
    /// A pattern would have to read the whole database.
    #[error("insufficient binding of db clause: {} would cause full scan", place.form)]
    FullScan {
        /// The clause.
        place: Box<Place>,
    },
    /// Fewer arguments than `:in` names.
    #[error("query expected {expected} inputs but received {received}")]
    TooFewInputs {
        /// How many `:in` names.
        expected: usize,
        /// How many came.
        received: usize,
    },
    /// An argument used as a source is none.
    #[error("{found} is not a data source; did you forget to pass a database argument?")]
    InvalidDataSource {
        /// What it is instead.
        found: String,
    },
    /// A clause names a source that `:in` does not.
    #[error("data source not supplied: {source_name}")]
    SourceNotSupplied {
        /// The source.
        source_name: Symbol,
        /// The clause.
        place: Box<Place>,
    },
    /// A name that no entity has.
    #[error("unable to resolve entity: {key}{}", hint(near))]
    NotAnEntity {
        /// The name.
        key: Edn,
        /// Names that are alike.
        near: Vec<Keyword>,
        /// The clause.
        place: Option<Box<Place>>,
    },
    /// An identifier from the arguments or a clause that names no entity.
    #[error("cannot resolve key: {key}")]
    CannotResolve {
        /// The identifier.
        key: Edn,
        /// The clause.
        place: Option<Box<Place>>,
    },
    /// Text or a number where a keyword is needed.
    #[error("cannot interpret as a keyword: {found}")]
    NotAKeyword {
        /// The form.
        found: Edn,
    },
    /// What stands where a binding should is none.
    #[error("invalid binding form: {}", place.form)]
    NotABindingForm {
        /// The form.
        place: Box<Place>,
    },
    /// A clause that can never mean anything, such as a pattern with nil.
    #[error("{message}: {}", place.form)]
    InvalidClause {
        /// What is wrong.
        message: &'static str,
        /// The clause.
        place: Box<Place>,
    },
    /// An `or` whose branches share no variable.
    #[error("or clause joins no variable: {}", place.form)]
    OrBindingEmpty {
        /// The clause.
        place: Box<Place>,
    },
    /// `:find` names an aggregate that does not exist.
    #[error("argument {name} in :find is not an aggregate function{}", hint(near))]
    InvalidAggregate {
        /// The name.
        name: Edn,
        /// Names that are alike.
        near: Vec<Symbol>,
    },
    /// A pull expression in `:find` that is none.
    #[error("invalid pull expression {}", place.form)]
    InvalidPull {
        /// The expression.
        place: Box<Place>,
    },
    /// The pattern of a pull is a name that no input gives.
    #[error("pull pattern {name} is not bound")]
    PatternNotBound {
        /// The name.
        name: Symbol,
    },
    /// `:keys`, `:strs` or `:syms` do not fit `:find`.
    #[error("count of :keys/:strs/:syms must match count of :find: {keys} against {elements}")]
    KeysCount {
        /// Names given.
        keys: usize,
        /// Elements of `:find`.
        elements: usize,
    },
    /// A value does not have the shape of the binding it is given to.
    #[error("{found} does not fit the binding {binding}: {message}")]
    BindingMismatch {
        /// The binding form.
        binding: Edn,
        /// The value.
        found: Edn,
        /// What is missing.
        message: &'static str,
    },
    /// A call of a rule that does not exist.
    #[error("cannot resolve key: {name} is no rule{}", hint(near))]
    UnknownRule {
        /// The name.
        name: Symbol,
        /// Rules that are alike.
        near: Vec<Symbol>,
        /// The call.
        place: Box<Place>,
    },
    /// A rule is called or defined with unlike numbers of arguments.
    #[error("rule {name} takes {expected} arguments, {found} are given: {}", place.form)]
    RuleArity {
        /// The rule.
        name: Symbol,
        /// What its (first) definition has.
        expected: usize,
        /// What stands here.
        found: usize,
        /// The call or definition.
        place: Box<Place>,
    },
    /// A rule depends on its own negation for the same arguments.
    #[error("rule {name} depends on its own negation: {}", place.form)]
    NegativeCycle {
        /// The rule.
        name: Symbol,
        /// The negation.
        place: Box<Place>,
    },
    /// A function that does not exist.
    #[error("unable to resolve symbol: {name}{}", hint(near))]
    UnknownFunction {
        /// The name.
        name: Symbol,
        /// Names that are alike.
        near: Vec<Symbol>,
    },
    /// A function called with the wrong number of arguments.
    #[error("wrong number of args ({given}) passed to: {name}")]
    Arity {
        /// The function.
        name: Symbol,
        /// How many.
        given: usize,
    },
    /// A function that failed on its arguments.
    #[error("{name}: {message}")]
    Function {
        /// The function.
        name: Symbol,
        /// What it says.
        message: String,
        /// Datomic's keyword, where it has one.
        code: Option<Keyword>,
        /// Whose fault it is.
        category: Category,
    },
    /// A pull pattern or its application failed.
    #[error("{message}: {form}")]
    Pull {
        /// Datomic's keyword, such as `:db.error/invalid-attr-spec`.
        code: Option<Keyword>,
        /// What is wrong.
        message: String,
        /// The part of the pattern.
        form: Edn,
        /// Whose fault it is.
        category: Category,
    },
    /// A value of a row does not have the Rust type asked for.
    #[error("row {row}, column {column} ({name}): {error}")]
    RowType {
        /// Which row, from 0.
        row: usize,
        /// Which column, from 0.
        column: usize,
        /// What the column is called.
        name: String,
        /// What was wanted and what was found.
        error: Box<FromEdnError>,
    },
    /// The Rust type asked for has another number of columns.
    #[error("rows have {} columns ({}), {expected} wanted", columns.len(), columns.join(", "))]
    RowWidth {
        /// How many the type has.
        expected: usize,
        /// What the columns are called.
        columns: Vec<String>,
    },
    /// A field of the struct asked for has no column.
    #[error("no column for the field {field} among {}", columns.join(", "))]
    RowField {
        /// The field.
        field: String,
        /// What the columns are called.
        columns: Vec<String>,
    },
    /// A field of the struct asked for may be several columns.
    #[error("{0}")]
    RowName(Box<FromEdnError>),
    /// More rows, bytes or time than the caller allows.
    #[error("query exceeds its limit of {limit} {unit}{}", in_clause(place, *rows))]
    LimitExceeded {
        /// `rows`, `bytes` or `ms`.
        unit: &'static str,
        /// How many.
        limit: u64,
        /// The rows that the running clause had, or would have had.
        rows: u64,
        /// The clause that was running.
        place: Option<Box<Place>>,
    },
    /// Something nests deeper than the stack is promised to hold.
    #[error("{what} nest deeper than {limit}{}", in_clause(place, 0))]
    TooDeep {
        /// What nests: clauses, rules, queries, values.
        what: &'static str,
        /// How deep it may.
        limit: usize,
        /// The clause.
        place: Option<Box<Place>>,
    },
    /// A call of a built-in function failed.
    #[error(transparent)]
    Call(#[from] crate::CallError),
    /// A pull pattern makes no sense, or a part of it failed.
    #[error(transparent)]
    PullPattern(#[from] crate::PullError),
    /// A function of one's own failed.
    #[error("{name}: {error}")]
    Own {
        /// The function.
        name: Symbol,
        /// What it says.
        error: Box<datomite_db::FunctionError>,
    },
    /// The caller stopped the query.
    #[error("query cancelled{}", in_clause(place, *rows))]
    Cancelled {
        /// The rows that the running clause had.
        rows: u64,
        /// The clause that was running.
        place: Option<Box<Place>>,
    },
    /// The database could not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl QueryError {
    pub(crate) fn own(name: &Symbol, error: datomite_db::FunctionError) -> QueryError {
        QueryError::Own {
            name: name.clone(),
            error: Box::new(error),
        }
    }

    /// Datomic's keyword for the error, where it has one.
    pub fn code(&self) -> Option<Keyword> {
        let name = match self {
            QueryError::UnboundQueryVariables { .. } => "unbound-query-variables",
            QueryError::InsufficientBinding { .. } | QueryError::FullScan { .. } => {
                "insufficient-binding"
            }
            QueryError::TooFewInputs { .. } => "too-few-inputs",
            QueryError::InvalidDataSource { .. } => "invalid-data-source",
            QueryError::NotAnEntity { .. } => "not-an-entity",
            QueryError::NotAKeyword { .. } => "not-a-keyword",
            QueryError::NotABindingForm { .. } => "not-a-binding-form",
            QueryError::InvalidClause { .. } => "invalid-clause",
            QueryError::OrBindingEmpty { .. } => "or-binding-empty",
            QueryError::InvalidAggregate { .. } => "invalid-aggregate",
            QueryError::InvalidPull { .. } => "invalid-pull",
            QueryError::PatternNotBound { .. } => "pattern-not-bound",
            QueryError::Function { code, .. } | QueryError::Pull { code, .. } => {
                return code.clone();
            }
            QueryError::Call(error) => return error.code(),
            QueryError::PullPattern(error) => return error.code(),
            QueryError::Own { error, .. } => return error.code.clone(),
            QueryError::Db(error) => return error.code(),
            _ => return None,
        };
        Some(Keyword::new(Some("db.error"), name))
    }

    /// What the caller may do about it.
    pub fn category(&self) -> Category {
        match self {
            QueryError::Function { category, .. } | QueryError::Pull { category, .. } => *category,
            QueryError::Call(error) => error.category(),
            QueryError::PullPattern(error) => error.category(),
            QueryError::Own { error, .. } => error.category,
            QueryError::Db(error) => error.category(),
            QueryError::Cancelled { .. } | QueryError::LimitExceeded { .. } => {
                Category::Interrupted
            }
            _ => Category::Incorrect,
        }
    }

    /// The clause at fault, with its place in the text where it came from text.
    pub fn place(&self) -> Option<&Place> {
        match self {
            QueryError::Syntax { place, .. }
            | QueryError::InsufficientBinding { place, .. }
            | QueryError::FullScan { place }
            | QueryError::SourceNotSupplied { place, .. }
            | QueryError::NotABindingForm { place }
            | QueryError::InvalidClause { place, .. }
            | QueryError::OrBindingEmpty { place }
            | QueryError::InvalidPull { place }
            | QueryError::UnknownRule { place, .. }
            | QueryError::RuleArity { place, .. }
            | QueryError::NegativeCycle { place, .. } => Some(place),
            QueryError::NotAnEntity { place, .. }
            | QueryError::CannotResolve { place, .. }
            | QueryError::LimitExceeded { place, .. }
            | QueryError::TooDeep { place, .. }
            | QueryError::Cancelled { place, .. } => place.as_deref(),
            _ => None,
        }
    }
}

impl From<QueryError> for FunctionError {
    /// For functions of one's own that ask.
    fn from(error: QueryError) -> FunctionError {
        FunctionError {
            category: error.category(),
            code: error.code(),
            message: error.to_string(),
        }
    }
}

fn names(symbols: &[Symbol]) -> String {
    let words: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    format!("[{}]", words.join(" "))
}

fn hint<N: std::fmt::Display>(near: &[N]) -> String {
    if near.is_empty() {
        return String::new();
    }
    let words: Vec<String> = near.iter().map(N::to_string).collect();
    format!("; did you mean {}?", words.join(" or "))
}

/// The longest clause that a message shows whole.
const CLAUSE_SHOWN: usize = 400;

fn in_clause(place: &Option<Box<Place>>, rows: u64) -> String {
    let Some(place) = place else {
        return String::new();
    };
    let mut clause = place.form.to_string();
    if clause.chars().count() > CLAUSE_SHOWN {
        clause = clause.chars().take(CLAUSE_SHOWN).collect();
        clause.push('…');
    }
    match rows {
        0 => format!(" in {clause}"),
        rows => format!(" in {clause}, at {rows} rows"),
    }
}

/// The up to three names nearest to `name`: by edit distance, at most a third of its length.
pub(crate) fn nearest<N: Clone>(
    name: &str,
    candidates: impl Iterator<Item = (String, N)>,
) -> Vec<N> {
    let limit = (name.chars().count() / 3).max(1);
    let mut scored: Vec<(usize, String, N)> = candidates
        .filter_map(|(text, n)| {
            let distance = edit_distance(name, &text, limit)?;
            Some((distance, text, n))
        })
        .collect();
    scored.sort_by(|x, y| (x.0, &x.1).cmp(&(y.0, &y.1)));
    scored.into_iter().take(3).map(|(_, _, n)| n).collect()
}

/// Levenshtein distance, `None` past `limit`.
fn edit_distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let change = previous[j] + usize::from(x != y);
            row.push(change.min(previous[j + 1] + 1).min(row[j] + 1));
        }
        previous = row;
    }
    previous.last().copied().filter(|d| *d <= limit)
}
