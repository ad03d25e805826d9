//! EDN: what text can say, its reader and its printer.
//!
//! `Edn` is the wider of the two value types: every [`Value`] is an `Edn`, and there are nil,
//! characters, ratios, collections and tagged forms besides. Depth is limited at the door
//! ([`DEPTH_MAX`]), so that nothing that walks a form can exhaust the stack.

mod compare;
mod inst;
mod print;
mod read;
mod tag;
#[cfg(test)]
mod tests;
mod token;

pub(crate) use inst::{fmt_inst, parse_inst};
pub(crate) use print::fmt_value;
pub use read::{EdnError, Spans, read, read_all, read_spanned};

use num_bigint::BigInt;

use crate::{Keyword, Symbol, Value};

/// How deep forms may nest: far beyond what people write, far below what a stack holds.
pub const DEPTH_MAX: usize = 500;

/// A form: a value, or what text and functions make but no datom holds.
#[derive(Clone)]
#[non_exhaustive]
pub enum Edn {
    /// `nil`.
    Nil,
    /// Any value that a datom can hold. Tuples and refs read as vectors and longs.
    Value(Value),
    /// `\a`.
    Char(char),
    /// `1/2`: numerator and denominator, in lowest terms, the denominator positive.
    Ratio(Box<(BigInt, BigInt)>),
    /// `(…)`.
    List(Vec<Edn>),
    /// `[…]`.
    Vector(Vec<Edn>),
    /// `{…}`, in the order written, no key twice.
    Map(Vec<(Edn, Edn)>),
    /// `#{…}`, in the order written, no element twice.
    Set(Vec<Edn>),
    /// `#tag form`, where the tag is not one that makes a value.
    Tagged(Symbol, Box<Edn>),
}

impl Edn {
    /// A keyword, from `ns/name` or `:ns/name`.
    pub fn keyword(text: &str) -> Edn {
        Edn::Value(Value::Keyword(Keyword::parse(text)))
    }

    /// A symbol.
    pub fn symbol(text: &str) -> Edn {
        Edn::Value(Value::Symbol(Symbol::parse(text)))
    }

    /// A string.
    pub fn string(text: &str) -> Edn {
        Edn::Value(Value::from(text))
    }

    /// A long.
    pub fn long(n: i64) -> Edn {
        Edn::Value(Value::Long(n))
    }

    /// The keyword, if the form is one.
    pub fn as_keyword(&self) -> Option<&Keyword> {
        match self {
            Edn::Value(Value::Keyword(k)) => Some(k),
            _ => None,
        }
    }

    /// The symbol, if the form is one.
    pub fn as_symbol(&self) -> Option<&Symbol> {
        match self {
            Edn::Value(Value::Symbol(s)) => Some(s),
            _ => None,
        }
    }

    /// The text, if the form is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Edn::Value(Value::String(s)) => Some(s),
            _ => None,
        }
    }

    /// The integer, if the form is a long.
    pub fn as_long(&self) -> Option<i64> {
        match self {
            Edn::Value(Value::Long(n)) => Some(*n),
            _ => None,
        }
    }

    /// The value, if a datom could hold the form as it stands.
    pub fn as_value(&self) -> Option<&Value> {
        match self {
            Edn::Value(v) => Some(v),
            _ => None,
        }
    }

    /// The elements, if the form is a list or a vector.
    pub fn as_sequence(&self) -> Option<&[Edn]> {
        match self {
            Edn::List(items) | Edn::Vector(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if the form is a map.
    pub fn as_map(&self) -> Option<&[(Edn, Edn)]> {
        match self {
            Edn::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of a key, if the form is a map that has it.
    pub fn get(&self, key: &Edn) -> Option<&Edn> {
        self.as_map()?
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, v)| v)
    }

    /// Whether the form is `nil`.
    pub fn is_nil(&self) -> bool {
        matches!(self, Edn::Nil)
    }
}
