//! From forms into Rust's own types: [`FromEdn`], which is strict.
//!
//! A long is not a double and a string not a keyword; integers are checked for their range. An
//! error says where in the form it is, what was wanted and what stood there. Structs come from
//! `#[derive(FromRow)]`, or from serde (`deserialize.rs`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use num_bigint::BigInt;
use num_traits::ToPrimitive;
use uuid::Uuid;

use crate::{BigDec, Edn, EntityId, Instant, Keyword, Symbol, T, Uri, Value};

/// How much of a value an error shows.
const SHOWN_CHARS: usize = 120;

/// A form is not of the Rust type asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FromEdnError {
    /// Keys and positions that lead to the place, outermost first; empty for the form itself.
    pub path: Vec<Edn>,
    /// What is wrong there.
    pub problem: FromEdnProblem,
}

/// What is wrong with a form.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum FromEdnProblem {
    /// Another type.
    Mismatch {
        /// What was wanted.
        expected: &'static str,
        /// The form.
        found: Edn,
    },
    /// Nothing stands there.
    Missing {
        /// The field that wants it.
        field: String,
        /// What there is instead.
        known: Vec<String>,
    },
    /// What the type itself says.
    Other {
        /// Its words.
        message: String,
    },
}

/// A Rust type that forms can be read as: columns of typed rows, entries of pulled maps.
pub trait FromEdn: Sized {
    /// Reads the form as this type.
    fn from_edn(form: &Edn) -> Result<Self, FromEdnError>;

    /// What stands for a key or column that is not there: `None` where that is an error. `Option`
    /// gives `None`, collections are empty.
    fn from_nothing() -> Option<Self> {
        None
    }

    /// Reads the key of a map: for strings a keyword or symbol too, without the colon.
    fn from_key(key: &Edn) -> Result<Self, FromEdnError> {
        Self::from_edn(key)
    }

    /// Bytes as a vector of this type. Only `u8` has it.
    #[doc(hidden)]
    fn vec_from_bytes(_: &[u8]) -> Option<Vec<Self>> {
        None
    }
}

impl FromEdnError {
    /// Another type than the one wanted.
    pub fn mismatch(expected: &'static str, found: &Edn) -> FromEdnError {
        FromEdnError {
            path: Vec::new(),
            problem: FromEdnProblem::Mismatch {
                expected,
                found: found.clone(),
            },
        }
    }

    /// What a type says of a form in its own words.
    pub fn other(message: impl Into<String>) -> FromEdnError {
        FromEdnError {
            path: Vec::new(),
            problem: FromEdnProblem::Other {
                message: message.into(),
            },
        }
    }

    /// The same, found below a key or position.
    #[must_use]
    pub fn under(mut self, step: impl Into<Edn>) -> FromEdnError {
        self.path.insert(0, step.into());
        self
    }
}

impl fmt::Display for FromEdnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.path.iter().enumerate() {
            let end = if at + 1 == self.path.len() { ": " } else { " " };
            write!(f, "{step}{end}")?;
        }
        self.problem.fmt(f)
    }
}

impl fmt::Display for FromEdnProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FromEdnProblem::Mismatch { expected, found } => {
                write!(f, "expected {expected}, found {}", Found(found))
            }
            FromEdnProblem::Missing { field, known } if known.is_empty() => {
                write!(f, "nothing for {field}")
            }
            FromEdnProblem::Missing { field, known } => {
                write!(f, "nothing for {field} among {}", known.join(", "))
            }
            FromEdnProblem::Other { message } => f.write_str(message),
        }
    }
}

impl std::error::Error for FromEdnError {}

/// A form with the name of its type: `the string "x"`.
struct Found<'a>(&'a Edn);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let name = type_name(self.0);
        if self.0.is_nil() {
            return f.write_str(name);
        }
        match text.char_indices().nth(SHOWN_CHARS) {
            Some((end, _)) => write!(f, "the {name} {}…", &text[..end]),
            None => write!(f, "the {name} {text}"),
        }
    }
}

fn type_name(form: &Edn) -> &'static str {
    match form {
        Edn::Nil => "nil",
        Edn::Value(Value::Ref(_)) => "entity id",
        Edn::Value(value) => value.value_type().name(),
        Edn::Char(_) => "character",
        Edn::Ratio(_) => "ratio",
        Edn::List(_) => "list",
        Edn::Vector(_) => "vector",
        Edn::Map(_) => "map",
        Edn::Set(_) => "set",
        Edn::Tagged(..) => "tagged form",
    }
}

macro_rules! from_edn {
    ($($to:ty, $expected:literal, $($pattern:pat => $result:expr),+;)*) => {$(
        impl FromEdn for $to {
            fn from_edn(form: &Edn) -> Result<$to, FromEdnError> {
                let read: Option<$to> = match form {
                    $(Edn::Value($pattern) => $result,)+
                    _ => None,
                };
                read.ok_or_else(|| FromEdnError::mismatch($expected, form))
            }
        }
    )*};
}

from_edn! {
    f64, "a double", Value::Double(n) => Some(*n), Value::Float(n) => Some(f64::from(*n));
    f32, "a float", Value::Float(n) => Some(*n);
    bool, "a boolean", Value::Boolean(b) => Some(*b);
    T, "a t", Value::Long(n) => u64::try_from(*n).ok().map(T::new);
    Symbol, "a symbol", Value::Symbol(s) => Some(s.clone());
    Uuid, "a uuid", Value::Uuid(u) => Some(*u);
    Uri, "a uri", Value::Uri(u) => Some(u.clone());
    Instant, "an instant", Value::Instant(i) => Some(*i);
    SystemTime, "an instant that this system's time can be", Value::Instant(i) => system_time(*i);
    BigDec, "a bigdec", Value::BigDec(n) => Some(n.as_ref().clone());
    BigInt, "a bigint", Value::BigInt(n) => Some(n.as_ref().clone()),
        Value::Long(n) => Some(BigInt::from(*n));
    Value, "a value", value => Some(value.clone());
}

macro_rules! from_edn_integer {
    ($($to:ty, $cast:ident, $expected:literal;)*) => {$(
        impl FromEdn for $to {
            fn from_edn(form: &Edn) -> Result<$to, FromEdnError> {
                let read = match form {
                    Edn::Value(Value::Long(n)) => <$to>::try_from(*n).ok(),
                    Edn::Value(Value::Ref(id)) => <$to>::try_from(id.raw()).ok(),
                    Edn::Value(Value::BigInt(n)) => n.$cast(),
                    _ => None,
                };
                read.ok_or_else(|| FromEdnError::mismatch($expected, form))
            }
        }
    )*};
}

from_edn_integer! {
    i8, to_i8, "a long that fits i8";
    i16, to_i16, "a long that fits i16";
    i32, to_i32, "a long that fits i32";
    i64, to_i64, "a long";
    i128, to_i128, "an integer that fits i128";
    isize, to_isize, "a long";
    u16, to_u16, "a long that fits u16";
    u32, to_u32, "a long that fits u32";
    u64, to_u64, "a long that is not negative";
    u128, to_u128, "an integer that fits u128";
    usize, to_usize, "a long that is not negative";
}

impl FromEdn for u8 {
    fn from_edn(form: &Edn) -> Result<u8, FromEdnError> {
        let read = form.as_long().and_then(|n| u8::try_from(n).ok());
        read.ok_or_else(|| FromEdnError::mismatch("a long that fits u8", form))
    }

    fn vec_from_bytes(bytes: &[u8]) -> Option<Vec<u8>> {
        Some(bytes.to_vec())
    }
}

macro_rules! from_edn_text {
    ($($to:ty)*) => {$(
        impl FromEdn for $to {
            fn from_edn(form: &Edn) -> Result<$to, FromEdnError> {
                match form.as_str() {
                    Some(text) => Ok(text.into()),
                    None => Err(FromEdnError::mismatch("a string", form)),
                }
            }

            fn from_key(key: &Edn) -> Result<$to, FromEdnError> {
                match key {
                    Edn::Value(Value::Keyword(keyword)) => Ok(keyword.as_str().into()),
                    Edn::Value(Value::Symbol(symbol)) => Ok(symbol.as_str().into()),
                    other => <$to>::from_edn(other),
                }
            }
        }
    )*};
}

from_edn_text!(String Arc<str> Box<str>);

impl FromEdn for char {
    fn from_edn(form: &Edn) -> Result<char, FromEdnError> {
        match form {
            Edn::Char(c) => Ok(*c),
            _ => Err(FromEdnError::mismatch("a character", form)),
        }
    }
}

impl FromEdn for EntityId {
    /// A number, or a map with `:db/id`, which is how a pull gives a reference.
    fn from_edn(form: &Edn) -> Result<EntityId, FromEdnError> {
        let id = match form {
            Edn::Map(_) => form.get(&Edn::keyword("db/id")).unwrap_or(form),
            form => form,
        };
        match id {
            Edn::Value(Value::Ref(id)) => Ok(*id),
            Edn::Value(Value::Long(n)) if *n >= 0 => Ok(EntityId::new(*n as u64)),
            _ => Err(FromEdnError::mismatch("an entity id", form)),
        }
    }
}

impl FromEdn for Keyword {
    /// A keyword, or a map with `:db/ident`, which is how a pull gives an entity with a name.
    fn from_edn(form: &Edn) -> Result<Keyword, FromEdnError> {
        let ident = match form {
            Edn::Map(_) => form.get(&Edn::keyword("db/ident")).unwrap_or(form),
            form => form,
        };
        let keyword = ident.as_keyword().cloned();
        keyword.ok_or_else(|| FromEdnError::mismatch("a keyword", form))
    }
}

impl FromEdn for Edn {
    fn from_edn(form: &Edn) -> Result<Edn, FromEdnError> {
        Ok(form.clone())
    }
}

impl<F: FromEdn> FromEdn for Option<F> {
    /// Nil is `None`.
    fn from_edn(form: &Edn) -> Result<Option<F>, FromEdnError> {
        match form {
            Edn::Nil => Ok(None),
            form => F::from_edn(form).map(Some),
        }
    }

    fn from_nothing() -> Option<Option<F>> {
        Some(None)
    }
}

impl<F: FromEdn> FromEdn for Box<F> {
    fn from_edn(form: &Edn) -> Result<Box<F>, FromEdnError> {
        F::from_edn(form).map(Box::new)
    }
}

impl<F: FromEdn> FromEdn for Vec<F> {
    /// The elements of a vector, list, set or tuple; bytes as a `Vec<u8>`.
    fn from_edn(form: &Edn) -> Result<Vec<F>, FromEdnError> {
        if let Edn::Value(Value::Bytes(bytes)) = form
            && let Some(bytes) = F::vec_from_bytes(bytes)
        {
            return Ok(bytes);
        }
        elements(form, "a vector, list or set")
    }

    fn from_nothing() -> Option<Vec<F>> {
        Some(Vec::new())
    }
}

impl<F: FromEdn + Ord> FromEdn for BTreeSet<F> {
    fn from_edn(form: &Edn) -> Result<BTreeSet<F>, FromEdnError> {
        elements(form, "a set, vector or list")
    }

    fn from_nothing() -> Option<BTreeSet<F>> {
        Some(BTreeSet::new())
    }
}

impl<F: FromEdn + Eq + Hash, S: BuildHasher + Default> FromEdn for HashSet<F, S> {
    fn from_edn(form: &Edn) -> Result<HashSet<F, S>, FromEdnError> {
        elements(form, "a set, vector or list")
    }

    fn from_nothing() -> Option<HashSet<F, S>> {
        Some(HashSet::default())
    }
}

impl<K: FromEdn + Ord, V: FromEdn> FromEdn for BTreeMap<K, V> {
    fn from_edn(form: &Edn) -> Result<BTreeMap<K, V>, FromEdnError> {
        entries(form)
    }

    fn from_nothing() -> Option<BTreeMap<K, V>> {
        Some(BTreeMap::new())
    }
}

impl<K: FromEdn + Eq + Hash, V: FromEdn, S: BuildHasher + Default> FromEdn for HashMap<K, V, S> {
    fn from_edn(form: &Edn) -> Result<HashMap<K, V, S>, FromEdnError> {
        entries(form)
    }

    fn from_nothing() -> Option<HashMap<K, V, S>> {
        Some(HashMap::default())
    }
}

/// Each element of a collection, with its position in errors.
fn elements<F: FromEdn, C: FromIterator<F>>(
    form: &Edn,
    expected: &'static str,
) -> Result<C, FromEdnError> {
    let element = |(at, item): (usize, &Edn)| F::from_edn(item).map_err(|error| error.under(at));
    match form {
        Edn::Vector(items) | Edn::List(items) | Edn::Set(items) => {
            items.iter().enumerate().map(element).collect()
        }
        Edn::Value(tuple @ Value::Tuple(_)) => elements(&Edn::from(tuple), expected),
        _ => Err(FromEdnError::mismatch(expected, form)),
    }
}

fn entries<K: FromEdn, V: FromEdn, C: FromIterator<(K, V)>>(form: &Edn) -> Result<C, FromEdnError> {
    let entry = |(key, value): &(Edn, Edn)| {
        let read = K::from_key(key).and_then(|read| Ok((read, V::from_edn(value)?)));
        read.map_err(|error| error.under(key))
    };
    match form {
        Edn::Map(entries) => entries.iter().map(entry).collect(),
        _ => Err(FromEdnError::mismatch("a map", form)),
    }
}

fn system_time(instant: Instant) -> Option<SystemTime> {
    let distance = Duration::from_millis(instant.ms().unsigned_abs());
    let ms = match instant.ms() {
        0.. => UNIX_EPOCH.checked_add(distance),
        _ => UNIX_EPOCH.checked_sub(distance),
    };
    ms?.checked_add(Duration::from_micros(u64::from(instant.us())))
}

macro_rules! from_edn_tuple {
    ($expected:literal: $($name:ident $at:literal)+) => {
        impl<$($name: FromEdn),+> FromEdn for ($($name,)+) {
            fn from_edn(form: &Edn) -> Result<Self, FromEdnError> {
                let unfolded;
                let items = match form {
                    Edn::Value(tuple @ Value::Tuple(_)) => {
                        unfolded = Edn::from(tuple);
                        unfolded.as_sequence()
                    }
                    form => form.as_sequence(),
                };
                let items = items
                    .filter(|items| items.len() == [$($at),+].len())
                    .ok_or_else(|| FromEdnError::mismatch($expected, form))?;
                Ok(($($name::from_edn(&items[$at]).map_err(|error| error.under($at))?,)+))
            }
        }
    };
}

from_edn_tuple!("a vector of 1": A 0);
from_edn_tuple!("a vector of 2": A 0 B 1);
from_edn_tuple!("a vector of 3": A 0 B 1 C 2);
from_edn_tuple!("a vector of 4": A 0 B 1 C 2 D 3);
from_edn_tuple!("a vector of 5": A 0 B 1 C 2 D 3 E 4);
from_edn_tuple!("a vector of 6": A 0 B 1 C 2 D 3 E 4 F 5);
from_edn_tuple!("a vector of 7": A 0 B 1 C 2 D 3 E 4 F 5 G 6);
from_edn_tuple!("a vector of 8": A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
from_edn_tuple!("a vector of 9": A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8);
from_edn_tuple!("a vector of 10": A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9);
from_edn_tuple!("a vector of 11": A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10);
from_edn_tuple!("a vector of 12": A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11);
