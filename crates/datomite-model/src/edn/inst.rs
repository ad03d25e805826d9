//! `#inst` text to [`Instant`] and back.

use std::fmt;

use crate::Instant;

pub(crate) fn parse_inst(_text: &str) -> Option<Instant> {
    todo!()
}

pub(crate) fn fmt_inst(_instant: Instant, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
    todo!()
}
