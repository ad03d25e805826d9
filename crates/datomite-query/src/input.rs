//! What may stand in the place of an input: databases, logs, and everything that is a form.
//!
//! A sequence is a collection, a sequence of tuples a relation, a tuple a tuple. `None` is nil.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::SystemTime;

use datomite_db::{Db, Entity, Log};
use datomite_model::{
    BigDec, BigInt, Edn, EntityId, Instant, Keyword, Symbol, T, Uri, Uuid, Value,
};

/// One argument of a query.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Input {
    /// A database, in any view.
    Db(Db),
    /// A log.
    Log(Log),
    /// A value, a collection, rules or a pull pattern.
    Edn(Edn),
}

impl From<Db> for Input {
    fn from(db: Db) -> Input {
        Input::Db(db)
    }
}

impl From<&Db> for Input {
    fn from(db: &Db) -> Input {
        Input::Db(db.clone())
    }
}

impl From<Log> for Input {
    fn from(log: Log) -> Input {
        Input::Log(log)
    }
}

impl From<&Entity> for Input {
    /// Its id.
    fn from(entity: &Entity) -> Input {
        Input::from(entity.id())
    }
}

impl From<u8> for Input {
    fn from(n: u8) -> Input {
        Input::Edn(Edn::long(i64::from(n)))
    }
}

macro_rules! inputs {
    ($($type:ty)*) => {$(
        impl From<$type> for Input {
            fn from(value: $type) -> Input {
                Input::Edn(Edn::from(value))
            }
        }
    )*};
}

inputs! {
    Edn Value &str String Arc<str> Cow<'_, str> bool char i8 i16 i32 i64 i128 isize u16 u32 u64
    u128 usize f32 f64 Keyword Symbol EntityId T Instant SystemTime Uuid Uri BigDec BigInt
    &Edn &Value &String &Arc<str> &bool &i32 &i64 &u32 &u64 &f32 &f64 &Keyword &Symbol &EntityId &T
    &Instant &Uuid &Uri &BigDec &BigInt
}

macro_rules! inputs_of_parts {
    ($([$($parts:tt)*] $type:ty;)*) => {$(
        impl<$($parts)*> From<$type> for Input
        where
            Edn: From<$type>,
        {
            fn from(value: $type) -> Input {
                Input::Edn(Edn::from(value))
            }
        }
    )*};
}

inputs_of_parts! {
    [F] Option<F>;
    [F] Box<F>;
    [F] Vec<F>;
    ['f, F] &'f Vec<F>;
    ['f, F] &'f [F];
    [F, const N: usize] [F; N];
    [F] BTreeSet<F>;
    [F, S] HashSet<F, S>;
    [K, V] BTreeMap<K, V>;
    [K, V, S] HashMap<K, V, S>;
    [A] (A,);
    [A, B] (A, B);
    [A, B, C] (A, B, C);
    [A, B, C, D] (A, B, C, D);
    [A, B, C, D, E] (A, B, C, D, E);
    [A, B, C, D, E, F] (A, B, C, D, E, F);
    [A, B, C, D, E, F, G] (A, B, C, D, E, F, G);
    [A, B, C, D, E, F, G, H] (A, B, C, D, E, F, G, H);
}
