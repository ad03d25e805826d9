//! Typed closures as functions of the database: `|age: i64| age >= 18`.
//!
//! Decides which kind of function a closure is by its signature, and turns arguments and results
//! between `Edn` and Rust's types. A closure over plain values is a query function.

use std::sync::Arc;

use datomite_model::{Edn, EntityId, Instant, Keyword, Value};

use crate::{Db, Function, FunctionError};

/// What can be registered. `Kind` tells the signatures apart and is never written.
pub trait IntoFunction<Kind> {
    /// The function.
    fn into_function(self) -> Function;
}

/// An argument of a typed closure.
pub trait Argument: Sized {
    /// Reads the argument.
    fn from_argument(form: &Edn) -> Result<Self, FunctionError>;
}

/// A result of a typed closure.
pub trait Outcome {
    /// The result as a form.
    fn into_outcome(self) -> Result<Edn, FunctionError>;
}

/// Marks functions that are given as they are.
pub struct Plain;
/// Marks closures over the database and arguments.
pub struct OverDb;
/// Marks closures over any number of arguments.
pub struct OverForms;
/// Marks closures over typed arguments.
pub struct Typed<Arguments>(std::marker::PhantomData<Arguments>);

impl IntoFunction<Plain> for Function {
    fn into_function(self) -> Function {
        self
    }
}

impl<F> IntoFunction<OverDb> for F
where
    F: Fn(&Db, &[Edn]) -> Result<Edn, FunctionError> + Send + Sync + 'static,
{
    fn into_function(self) -> Function {
        Function::Transaction(Arc::new(self))
    }
}

impl<F> IntoFunction<OverForms> for F
where
    F: Fn(&[Edn]) -> Result<Edn, FunctionError> + Send + Sync + 'static,
{
    fn into_function(self) -> Function {
        Function::Query(Arc::new(self))
    }
}

macro_rules! typed_closures {
    ($($count:literal: $($name:ident $at:tt),+;)+) => {$(
        impl<F, R, $($name),+> IntoFunction<Typed<($($name,)+)>> for F
        where
            F: Fn($($name),+) -> R + Send + Sync + 'static,
            R: Outcome,
            $($name: Argument,)+
        {
            fn into_function(self) -> Function {
                Function::Query(Arc::new(move |arguments: &[Edn]| {
                    if arguments.len() != $count {
                        return Err(wrong_count($count, arguments.len()));
                    }
                    self($($name::from_argument(&arguments[$at])?),+).into_outcome()
                }))
            }
        }
    )+};
}

typed_closures! {
    1: A 0;
    2: A 0, B 1;
    3: A 0, B 1, C 2;
    4: A 0, B 1, C 2, D 3;
    5: A 0, B 1, C 2, D 3, E 4;
}

fn wrong_count(expected: usize, found: usize) -> FunctionError {
    FunctionError::new(format!(
        "wrong number of args ({found}) passed, expected {expected}"
    ))
}

fn wrong_type(expected: &str, found: &Edn) -> FunctionError {
    FunctionError::new(format!("expected {expected}, found {found}"))
}

macro_rules! arguments {
    ($($type:ty, $name:literal, $pattern:pat => $value:expr;)+) => {$(
        impl Argument for $type {
            fn from_argument(form: &Edn) -> Result<$type, FunctionError> {
                match form {
                    $pattern => Ok($value),
                    _ => Err(wrong_type($name, form)),
                }
            }
        }
    )+};
}

arguments! {
    i64, "a long", Edn::Value(Value::Long(n)) => *n;
    f64, "a double", Edn::Value(Value::Double(n)) => *n;
    bool, "a boolean", Edn::Value(Value::Boolean(b)) => *b;
    String, "a string", Edn::Value(Value::String(text)) => text.to_string();
    Keyword, "a keyword", Edn::Value(Value::Keyword(keyword)) => keyword.clone();
    Instant, "an instant", Edn::Value(Value::Instant(instant)) => *instant;
    EntityId, "an entity id", Edn::Value(Value::Long(n)) => EntityId::new(*n as u64);
    Value, "a value", Edn::Value(value) => value.clone();
}

impl Argument for Edn {
    fn from_argument(form: &Edn) -> Result<Edn, FunctionError> {
        Ok(form.clone())
    }
}

macro_rules! outcomes {
    ($($type:ty),+) => {$(
        impl Outcome for $type {
            fn into_outcome(self) -> Result<Edn, FunctionError> {
                Ok(Edn::Value(Value::from(self)))
            }
        }
    )+};
}

outcomes!(i64, f64, bool, String, &str, Keyword, Instant);

impl Outcome for Value {
    fn into_outcome(self) -> Result<Edn, FunctionError> {
        Ok(Edn::from(self))
    }
}

impl Outcome for Edn {
    fn into_outcome(self) -> Result<Edn, FunctionError> {
        Ok(self)
    }
}

impl<R: Outcome> Outcome for Option<R> {
    fn into_outcome(self) -> Result<Edn, FunctionError> {
        self.map_or(Ok(Edn::Nil), R::into_outcome)
    }
}

impl<R: Outcome> Outcome for Result<R, FunctionError> {
    fn into_outcome(self) -> Result<Edn, FunctionError> {
        self?.into_outcome()
    }
}
