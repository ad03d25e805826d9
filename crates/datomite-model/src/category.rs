//! Anomaly categories: what a caller may do about an error.

use std::fmt;

/// The categories of `cognitect.anomalies` that this store answers with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Category {
    /// The caller must change the request.
    Incorrect,
    /// The request disagrees with the state of the database.
    Conflict,
    /// Something named does not exist.
    NotFound,
    /// The request is not allowed.
    Forbidden,
    /// The request is understood but not offered.
    Unsupported,
    /// The store cannot answer now; later it may.
    Unavailable,
    /// The caller or a limit stopped the work.
    Interrupted,
    /// Too much is asked at once.
    Busy,
    /// Something is broken on our side.
    Fault,
}

impl Category {
    /// The name as the keyword's last part: `incorrect`, `not-found`, ….
    pub const fn name(self) -> &'static str {
        match self {
            Category::Incorrect => "incorrect",
            Category::Conflict => "conflict",
            Category::NotFound => "not-found",
            Category::Forbidden => "forbidden",
            Category::Unsupported => "unsupported",
            Category::Unavailable => "unavailable",
            Category::Interrupted => "interrupted",
            Category::Busy => "busy",
            Category::Fault => "fault",
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ":cognitect.anomalies/{}", self.name())
    }
}
