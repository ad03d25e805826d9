//! What a pull pattern can be wrong in.

use datomite_model::{Category, Edn, Keyword, Symbol};

/// A pull pattern makes no sense, or a part of it failed.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PullError {
    /// The pattern is no collection of specs.
    #[error("a pull pattern is a vector of specs, not {form}")]
    NotAPattern {
        /// The form.
        form: Edn,
    },
    /// A part of the pattern is no attribute, wildcard, map or attribute expression.
    #[error("cannot interpret as an attribute spec: {form}{}", inside(.path))]
    InvalidAttrSpec {
        /// The form.
        form: Edn,
        /// The map specs around it, outermost first.
        path: Vec<Edn>,
    },
    /// The value of a map spec is no pattern, positive number or `...`.
    #[error("cannot interpret as a recursive pull specification: {form}{}", inside(.path))]
    InvalidRecurLimit {
        /// The form.
        form: Edn,
        /// The map specs around it, outermost first.
        path: Vec<Edn>,
    },
    /// Text in the place of `limit` or `default`.
    #[error("cannot interpret as a keyword: {form}, no leading :")]
    NotAKeyword {
        /// The form.
        form: Edn,
    },
    /// One attribute twice at one level.
    #[error("multiple specifications for {attribute}{}", inside(.path))]
    DuplicateAttribute {
        /// The attribute as written.
        attribute: Edn,
        /// The map specs around it, outermost first.
        path: Vec<Edn>,
    },
    /// `:limit` of something that is no number.
    #[error("a limit is a number or nil, not {form}{}", inside(.path))]
    InvalidLimit {
        /// The form.
        form: Edn,
        /// The map specs around it, outermost first.
        path: Vec<Edn>,
        /// Whether it stands in `(limit attr n)`, where Datomic has a keyword for the error.
        old: bool,
    },
    /// A limited recursion beside the wildcard that would give the same key.
    #[error(
        "{attribute} cannot recur a number of times beside *: name the attributes instead of *, \
         or recur without a limit by ..."
    )]
    LimitedBesideWildcard {
        /// The attribute as written.
        attribute: Edn,
    },
    /// `:xform` of a name that may not be used.
    #[error("{name} is no function of the pull language; register it by a qualified name")]
    ForbiddenXform {
        /// The form.
        name: Edn,
    },
    /// `:xform` of a name that is not registered.
    #[error("no function is registered as {name}")]
    UnknownXform {
        /// The name.
        name: Symbol,
    },
    /// An `:xform` failed on its argument.
    #[error("error evaluating xform {name}: {message}")]
    XformFailed {
        /// The name.
        name: Symbol,
        /// What it says.
        message: String,
    },
    /// The entities nest too deep.
    #[error("the pull nests deeper than {limit} levels; limit its recursion")]
    TooDeep {
        /// How many levels there may be.
        limit: usize,
    },
    /// An argument of `index-pull` is missing.
    #[error("index-pull needs {missing}")]
    NilInput {
        /// Which.
        missing: &'static str,
    },
    /// `index-pull` of an attribute that the index cannot walk.
    #[error("index-pull of {attribute}: {why}")]
    InvalidPull {
        /// The attribute.
        attribute: Edn,
        /// What it needs.
        why: &'static str,
    },
}

fn inside(path: &[Edn]) -> String {
    if path.is_empty() {
        return String::new();
    }
    let steps: Vec<String> = path.iter().map(Edn::to_string).collect();
    format!(" (in {})", steps.join(" "))
}

impl PullError {
    /// Datomic's keyword, where it has one.
    pub fn code(&self) -> Option<Keyword> {
        let code = match self {
            PullError::InvalidAttrSpec { .. } => "db.error/invalid-attr-spec",
            PullError::InvalidRecurLimit { .. } => "db.error/invalid-recur-limit",
            PullError::NotAKeyword { .. } => "db.error/not-a-keyword",
            PullError::InvalidLimit { old: true, .. } => "db.error/invalid-limit",
            PullError::DuplicateAttribute { .. } => "pull/duplicate-attribute",
            PullError::NilInput { .. } => "db.error/nil-input",
            PullError::InvalidPull { .. } => "db.error/invalid-pull",
            _ => return None,
        };
        Some(Keyword::parse(code))
    }

    /// What the caller may do about it.
    pub fn category(&self) -> Category {
        match self {
            PullError::ForbiddenXform { .. } => Category::Forbidden,
            PullError::UnknownXform { .. } => Category::NotFound,
            PullError::XformFailed { .. } => Category::Fault,
            _ => Category::Incorrect,
        }
    }
}
