//! Typed closures as functions of the database: `|age: i64, name: &str| age >= 18`.
//!
//! Decides which kind of function a closure is by its signature: over values, or over a database
//! and values. An argument of another type is an error that says which. Where each kind may be
//! used is decided in `functions.rs`; what an argument can be is the model's `Argument`.

use std::sync::Arc;

use datomite_model::{Argument, Edn, FromEdnError, Outcome};

use crate::{Db, Function, FunctionError};

/// What can be registered. `Kind` tells the signatures apart and is never written.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be registered as a function of the database",
    note = "closures take up to eight typed arguments (`|n: i64, name: &str|`), all of them as \
            `&[Edn]`, or `&Db` and then either; say the types of the arguments",
    note = "they return what is `Into<Edn>`, or a `Result` of it"
)]
pub trait IntoFunction<Kind> {
    /// The function.
    fn into_function(self) -> Function;
}

/// Marks functions that are given as they are.
pub struct Plain;
/// Marks closures over the database and any number of arguments.
pub struct OverDb<R>(std::marker::PhantomData<R>);
/// Marks closures over any number of arguments.
pub struct OverForms<R>(std::marker::PhantomData<R>);
/// Marks closures over typed arguments.
pub struct Typed<Arguments>(std::marker::PhantomData<Arguments>);
/// Marks closures over the database and typed arguments.
pub struct TypedOverDb<Arguments>(std::marker::PhantomData<Arguments>);

impl IntoFunction<Plain> for Function {
    fn into_function(self) -> Function {
        self
    }
}

impl<F, R> IntoFunction<OverDb<R>> for F
where
    F: Fn(&Db, &[Edn]) -> R + Send + Sync + 'static,
    R: Outcome<FunctionError>,
{
    fn into_function(self) -> Function {
        Function::Transaction(Arc::new(move |db: &Db, arguments: &[Edn]| {
            self(db, arguments).into_outcome()
        }))
    }
}

impl<F, R> IntoFunction<OverForms<R>> for F
where
    F: Fn(&[Edn]) -> R + Send + Sync + 'static,
    R: Outcome<FunctionError>,
{
    fn into_function(self) -> Function {
        Function::Query(Arc::new(move |arguments: &[Edn]| {
            self(arguments).into_outcome()
        }))
    }
}

impl<F, R> IntoFunction<TypedOverDb<((), R)>> for F
where
    F: Fn(&Db) -> R + Send + Sync + 'static,
    R: Outcome<FunctionError>,
{
    fn into_function(self) -> Function {
        Function::Transaction(Arc::new(move |db: &Db, arguments: &[Edn]| {
            check_count(0, arguments)?;
            self(db).into_outcome()
        }))
    }
}

macro_rules! typed_closures {
    ($($count:literal: $($name:ident $held:ident $at:tt),+;)+) => {$(
        impl<F, R, $($name),+> IntoFunction<Typed<(($($name,)+), R)>> for F
        where
            F: Fn($($name),+) -> R + Send + Sync + 'static,
            F: for<'h> Fn($($name::As<'h>),+) -> R,
            R: Outcome<FunctionError>,
            $($name: Argument,)+
        {
            fn into_function(self) -> Function {
                Function::Query(Arc::new(move |arguments: &[Edn]| {
                    check_count($count, arguments)?;
                    $(let mut $held = hold::<$name>(arguments, $at)?;)+
                    self($($name::lend(&mut $held)),+).into_outcome()
                }))
            }
        }

        impl<F, R, $($name),+> IntoFunction<TypedOverDb<(($($name,)+), R)>> for F
        where
            F: Fn(&Db, $($name),+) -> R + Send + Sync + 'static,
            F: for<'d, 'h> Fn(&'d Db, $($name::As<'h>),+) -> R,
            R: Outcome<FunctionError>,
            $($name: Argument,)+
        {
            fn into_function(self) -> Function {
                Function::Transaction(Arc::new(move |db: &Db, arguments: &[Edn]| {
                    check_count($count, arguments)?;
                    $(let mut $held = hold::<$name>(arguments, $at)?;)+
                    self(db, $($name::lend(&mut $held)),+).into_outcome()
                }))
            }
        }
    )+};
}

typed_closures! {
    1: A a 0;
    2: A a 0, B b 1;
    3: A a 0, B b 1, C c 2;
    4: A a 0, B b 1, C c 2, D d 3;
    5: A a 0, B b 1, C c 2, D d 3, E e 4;
    6: A a 0, B b 1, C c 2, D d 3, E e 4, G g 5;
    7: A a 0, B b 1, C c 2, D d 3, E e 4, G g 5, H h 6;
    8: A a 0, B b 1, C c 2, D d 3, E e 4, G g 5, H h 6, I i 7;
}

fn check_count(expected: usize, arguments: &[Edn]) -> Result<(), FunctionError> {
    if arguments.len() == expected {
        return Ok(());
    }
    Err(FunctionError::incorrect(format!(
        "wrong number of args ({}) passed, expected {expected}",
        arguments.len()
    )))
}

fn hold<A: Argument>(arguments: &[Edn], at: usize) -> Result<A::Held, FunctionError> {
    A::hold(&arguments[at]).map_err(|error: FromEdnError| {
        FunctionError::incorrect(format!("argument {}: {error}", at + 1))
    })
}
