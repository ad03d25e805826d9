//! From Rust's own types into [`Value`] and [`Edn`]; the way back stands in `from_edn.rs`.
//!
//! Numbers become longs where they fit and bigints where not, `Option` nil, sequences, arrays and
//! tuples vectors, sets sets, maps maps. Bytes are bytes, never a vector of numbers: this is why
//! one `u8` alone does not convert.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use num_bigint::BigInt;
use uuid::Uuid;

use crate::{BigDec, Edn, EntityId, Instant, Keyword, Symbol, T, Uri, Value};

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

impl From<SystemTime> for Instant {
    /// To the microsecond, floored.
    fn from(time: SystemTime) -> Instant {
        let ns = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i128::try_from(after.as_nanos()).unwrap_or(i128::MAX),
            Err(before) => -i128::try_from(before.duration().as_nanos()).unwrap_or(i128::MAX),
        };
        let us = ns.div_euclid(1000);
        let ms = us.div_euclid(1000);
        let clamped = ms.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64;
        Instant::new(clamped, us.rem_euclid(1000) as u16)
            .expect("invariant: the rest of a division by 1000 is below 1000")
    }
}

impl From<SystemTime> for Value {
    fn from(time: SystemTime) -> Value {
        Value::Instant(Instant::from(time))
    }
}

impl From<T> for Edn {
    fn from(t: T) -> Edn {
        Edn::long(t.raw() as i64)
    }
}

impl From<char> for Edn {
    fn from(c: char) -> Edn {
        Edn::Char(c)
    }
}

impl From<Cow<'_, str>> for Edn {
    fn from(text: Cow<'_, str>) -> Edn {
        Edn::string(&text)
    }
}

macro_rules! into_edn_by_value {
    ($($from:ty)*) => {$(
        impl From<$from> for Edn {
            fn from(value: $from) -> Edn {
                Edn::from(Value::from(value))
            }
        }
    )*};
}

into_edn_by_value! {
    &str String Arc<str> bool i32 u32 i64 f32 f64 Keyword Symbol EntityId Instant SystemTime Uuid
    Uri BigDec BigInt &[u8]
}

macro_rules! into_edn_by_long {
    ($($from:ty)*) => {$(
        impl From<$from> for Edn {
            fn from(n: $from) -> Edn {
                Edn::long(i64::from(n))
            }
        }
    )*};
}

into_edn_by_long!(i8 i16 u16);

macro_rules! into_edn_by_integer {
    ($($from:ty)*) => {$(
        impl From<$from> for Edn {
            /// A long where it fits, else a bigint.
            fn from(n: $from) -> Edn {
                i64::try_from(n).map_or_else(|_| Edn::from(BigInt::from(n)), Edn::long)
            }
        }
    )*};
}

into_edn_by_integer!(u64 usize isize i128 u128);

macro_rules! into_edn_by_clone {
    ($($from:ty)*) => {$(
        impl From<&$from> for Edn {
            fn from(value: &$from) -> Edn {
                Edn::from(value.clone())
            }
        }
    )*};
}

into_edn_by_clone! {
    Edn Value String Arc<str> bool i32 u32 i64 u64 f32 f64 Keyword Symbol EntityId T Instant Uuid
    Uri BigDec BigInt Vec<u8>
}

impl From<Vec<u8>> for Edn {
    /// Bytes.
    fn from(bytes: Vec<u8>) -> Edn {
        Edn::from(bytes.as_slice())
    }
}

impl<const N: usize> From<[u8; N]> for Edn {
    /// Bytes.
    fn from(bytes: [u8; N]) -> Edn {
        Edn::from(bytes.as_slice())
    }
}

impl<F: Into<Edn>> From<Option<F>> for Edn {
    /// `None` is nil.
    fn from(form: Option<F>) -> Edn {
        form.map_or(Edn::Nil, Into::into)
    }
}

impl<F: Into<Edn>> From<Box<F>> for Edn {
    fn from(form: Box<F>) -> Edn {
        (*form).into()
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

impl<F: Into<Edn> + Clone> From<&[F]> for Edn {
    /// A vector.
    fn from(forms: &[F]) -> Edn {
        Edn::Vector(forms.iter().cloned().map(Into::into).collect())
    }
}

impl<F: Into<Edn> + Clone> From<&Vec<F>> for Edn {
    /// A vector.
    fn from(forms: &Vec<F>) -> Edn {
        Edn::from(forms.as_slice())
    }
}

impl<F: Into<Edn>, S> From<HashSet<F, S>> for Edn {
    /// A set.
    fn from(forms: HashSet<F, S>) -> Edn {
        Edn::Set(forms.into_iter().map(Into::into).collect())
    }
}

impl<F: Into<Edn>> From<BTreeSet<F>> for Edn {
    /// A set.
    fn from(forms: BTreeSet<F>) -> Edn {
        Edn::Set(forms.into_iter().map(Into::into).collect())
    }
}

impl<K: Into<Edn>, F: Into<Edn>, S> From<HashMap<K, F, S>> for Edn {
    /// A map.
    fn from(entries: HashMap<K, F, S>) -> Edn {
        Edn::Map(
            entries
                .into_iter()
                .map(|(k, v)| (k.into(), v.into()))
                .collect(),
        )
    }
}

impl<K: Into<Edn>, F: Into<Edn>> From<BTreeMap<K, F>> for Edn {
    /// A map.
    fn from(entries: BTreeMap<K, F>) -> Edn {
        Edn::Map(
            entries
                .into_iter()
                .map(|(k, v)| (k.into(), v.into()))
                .collect(),
        )
    }
}

macro_rules! into_edn_tuple {
    ($($name:ident)+) => {
        impl<$($name: Into<Edn>),+> From<($($name,)+)> for Edn {
            /// A vector.
            fn from(slots: ($($name,)+)) -> Edn {
                #[expect(non_snake_case, reason = "a slot is named as its type")]
                let ($($name,)+) = slots;
                Edn::Vector(vec![$($name.into()),+])
            }
        }
    };
}

into_edn_tuple!(A);
into_edn_tuple!(A B);
into_edn_tuple!(A B C);
into_edn_tuple!(A B C D);
into_edn_tuple!(A B C D E);
into_edn_tuple!(A B C D E F);
into_edn_tuple!(A B C D E F G);
into_edn_tuple!(A B C D E F G H);
into_edn_tuple!(A B C D E F G H I);
into_edn_tuple!(A B C D E F G H I J);
into_edn_tuple!(A B C D E F G H I J K);
into_edn_tuple!(A B C D E F G H I J K L);
