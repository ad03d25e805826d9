//! The printer: forms to text that reads back as the same form.

use std::fmt;

use crate::{Edn, Value};

pub(crate) fn fmt_value(_value: &Value, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
    todo!()
}

impl fmt::Display for Edn {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

impl fmt::Debug for Edn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
