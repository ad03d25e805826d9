//! Between [`Value`], [`Edn`] and Rust's own types: the one file that converts.
//!
//! Into forms by `From`, out of them by [`FromEdn`], which is strict: a long is not a double, and
//! a string not a keyword.

use std::sync::Arc;

use num_bigint::BigInt;
use uuid::Uuid;

use crate::{BigDec, Edn, EntityId, Instant, Keyword, Symbol, T, Uri, Value};

/// A form could not be read as the Rust type asked for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected {expected}, found {found}")]
pub struct FromEdnError {
    /// The Rust type, or its EDN kind.
    pub expected: &'static str,
    /// The form.
    pub found: Edn,
}

/// A Rust type that forms can be read as: columns of typed rows, entries of pulled maps.
pub trait FromEdn: Sized {
    /// Reads the form as this type.
    fn from_edn(form: &Edn) -> Result<Self, FromEdnError>;
}

impl From<Value> for Edn {
    /// Tuples become vectors (gaps become nil) and refs longs; the rest stays.
    fn from(value: Value) -> Edn {
        match value {
            Value::Tuple(slots) => Edn::Vector(
                slots
                    .iter()
                    .map(|slot| slot.clone().map_or(Edn::Nil, Edn::from))
                    .collect(),
            ),
            Value::Ref(id) => Edn::Value(Value::Long(id.raw() as i64)),
            other => Edn::Value(other),
        }
    }
}

impl From<&Value> for Edn {
    fn from(value: &Value) -> Edn {
        Edn::from(value.clone())
    }
}

impl From<&Edn> for Edn {
    fn from(form: &Edn) -> Edn {
        form.clone()
    }
}

impl From<T> for Edn {
    fn from(t: T) -> Edn {
        Edn::long(t.raw() as i64)
    }
}

impl From<&String> for Edn {
    fn from(text: &String) -> Edn {
        Edn::string(text)
    }
}

impl<F: Into<Edn>> From<Option<F>> for Edn {
    /// `None` is nil.
    fn from(form: Option<F>) -> Edn {
        form.map_or(Edn::Nil, Into::into)
    }
}

impl<F: Into<Edn>> From<Vec<F>> for Edn {
    /// A vector.
    fn from(forms: Vec<F>) -> Edn {
        Edn::Vector(forms.into_iter().map(Into::into).collect())
    }
}

impl<F: Into<Edn>, const N: usize> From<[F; N]> for Edn {
    /// A vector.
    fn from(forms: [F; N]) -> Edn {
        Edn::Vector(forms.into_iter().map(Into::into).collect())
    }
}

macro_rules! into_edn_by_value {
    ($($from:ty),*) => {$(
        impl From<$from> for Edn {
            fn from(value: $from) -> Edn {
                Edn::from(Value::from(value))
            }
        }
    )*};
}

into_edn_by_value!(
    &str,
    String,
    Arc<str>,
    bool,
    i32,
    u32,
    i64,
    f32,
    f64,
    Keyword,
    Symbol,
    EntityId,
    Instant,
    Uuid,
    Uri,
    BigDec,
    BigInt,
    &[u8]
);

macro_rules! from_edn {
    ($($to:ty, $expected:literal, $($pattern:pat => $result:expr),+;)*) => {$(
        impl FromEdn for $to {
            fn from_edn(form: &Edn) -> Result<$to, FromEdnError> {
                let read: Option<$to> = match form {
                    $(Edn::Value($pattern) => $result,)+
                    _ => None,
                };
                read.ok_or_else(|| mismatch($expected, form))
            }
        }
    )*};
}

from_edn! {
    i64, "a long", Value::Long(n) => Some(*n), Value::Ref(id) => i64::try_from(id.raw()).ok();
    u64, "a long that is not negative", Value::Long(n) => u64::try_from(*n).ok(),
        Value::Ref(id) => Some(id.raw());
    i32, "a long of 32 bits", Value::Long(n) => i32::try_from(*n).ok();
    usize, "a long that is not negative", Value::Long(n) => usize::try_from(*n).ok();
    f64, "a double", Value::Double(n) => Some(*n), Value::Float(n) => Some(f64::from(*n));
    f32, "a float", Value::Float(n) => Some(*n);
    bool, "a boolean", Value::Boolean(b) => Some(*b);
    String, "a string", Value::String(text) => Some(text.to_string());
    Arc<str>, "a string", Value::String(text) => Some(Arc::clone(text));
    EntityId, "an entity id", Value::Ref(id) => Some(*id),
        Value::Long(n) => u64::try_from(*n).ok().map(EntityId::new);
    T, "a t", Value::Long(n) => u64::try_from(*n).ok().map(T::new);
    Keyword, "a keyword", Value::Keyword(k) => Some(k.clone());
    Symbol, "a symbol", Value::Symbol(s) => Some(s.clone());
    Uuid, "a uuid", Value::Uuid(u) => Some(*u);
    Uri, "a uri", Value::Uri(u) => Some(u.clone());
    Instant, "an instant", Value::Instant(i) => Some(*i);
    BigDec, "a bigdec", Value::BigDec(n) => Some(n.as_ref().clone());
    BigInt, "a bigint", Value::BigInt(n) => Some(n.as_ref().clone()),
        Value::Long(n) => Some(BigInt::from(*n));
    Value, "a value", value => Some(value.clone());
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
}

impl<F: FromEdn> FromEdn for Vec<F> {
    /// The elements of a vector, list or set.
    fn from_edn(form: &Edn) -> Result<Vec<F>, FromEdnError> {
        match form {
            Edn::Vector(items) | Edn::List(items) | Edn::Set(items) => {
                items.iter().map(F::from_edn).collect()
            }
            _ => Err(mismatch("a vector, list or set", form)),
        }
    }
}

macro_rules! from_edn_tuple {
    ($expected:literal: $($name:ident)+) => {
        impl<$($name: FromEdn),+> FromEdn for ($($name,)+) {
            fn from_edn(form: &Edn) -> Result<Self, FromEdnError> {
                let mut items = match form.as_sequence() {
                    Some(items) if items.len() == [$(stringify!($name)),+].len() => items.iter(),
                    _ => return Err(mismatch($expected, form)),
                };
                Ok(($(
                    $name::from_edn(items.next().expect("invariant: the length was checked"))?,
                )+))
            }
        }
    };
}

from_edn_tuple!("a vector of 1": A);
from_edn_tuple!("a vector of 2": A B);
from_edn_tuple!("a vector of 3": A B C);
from_edn_tuple!("a vector of 4": A B C D);
from_edn_tuple!("a vector of 5": A B C D E);
from_edn_tuple!("a vector of 6": A B C D E F);
from_edn_tuple!("a vector of 7": A B C D E F G);
from_edn_tuple!("a vector of 8": A B C D E F G H);

fn mismatch(expected: &'static str, found: &Edn) -> FromEdnError {
    FromEdnError {
        expected,
        found: found.clone(),
    }
}
