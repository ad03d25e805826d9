//! Arguments and results of typed closures: `|n: i64, name: &str| -> bool`.
//!
//! Any [`FromEdn`] is an argument by value. What is borrowed (`&str`, slices of scalars) is held
//! beside the call for as long as it runs. Results are what converts into a form, or fails.

use std::sync::Arc;

use crate::{BigDec, BigInt, Edn, EntityId, FromEdn, FromEdnError, Instant, Keyword, Uuid, Value};

/// What a typed closure may take.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no argument of a function of the database",
    note = "arguments are `FromEdn`, `&str`, or slices of scalars; all of them at once `&[Edn]`"
)]
pub trait Argument {
    /// What the argument is kept as during the call.
    type Held;
    /// What the closure gets.
    type As<'h>;

    /// Reads the argument.
    fn hold(form: &Edn) -> Result<Self::Held, FromEdnError>;

    /// Gives it to the closure, once.
    fn lend(held: &mut Self::Held) -> Self::As<'_>;
}

impl<F: FromEdn> Argument for F {
    type Held = Option<F>;
    type As<'h> = F;

    fn hold(form: &Edn) -> Result<Option<F>, FromEdnError> {
        F::from_edn(form).map(Some)
    }

    fn lend(held: &mut Option<F>) -> F {
        held.take().expect("invariant: an argument is lent once")
    }
}

impl Argument for &str {
    type Held = Arc<str>;
    type As<'h> = &'h str;

    fn hold(form: &Edn) -> Result<Arc<str>, FromEdnError> {
        FromEdn::from_edn(form)
    }

    fn lend(held: &mut Arc<str>) -> &str {
        held
    }
}

macro_rules! slices {
    ($($type:ty)*) => {$(
        impl Argument for &[$type] {
            type Held = Vec<$type>;
            type As<'h> = &'h [$type];

            fn hold(form: &Edn) -> Result<Vec<$type>, FromEdnError> {
                FromEdn::from_edn(form)
            }

            fn lend(held: &mut Vec<$type>) -> &[$type] {
                held
            }
        }
    )*};
}

// Not of `Edn`: `|arguments: &[Edn]|` is a closure over all arguments.
slices! {
    i64 u64 u8 f64 f32 bool String Arc<str> Keyword EntityId Instant Uuid BigDec BigInt Value
}

/// What a typed closure may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no result of a function of the database",
    note = "results are what is `Into<Edn>`, or a `Result` of it whose error is a `FunctionError`"
)]
pub trait Outcome<E> {
    /// The result as a form.
    fn into_outcome(self) -> Result<Edn, E>;
}

impl<R: Into<Edn>, E> Outcome<E> for R {
    fn into_outcome(self) -> Result<Edn, E> {
        Ok(self.into())
    }
}

// Of that error and no other: so closures that end with `Ok` or use `?` need not say which.
impl<R: Into<Edn>, E> Outcome<E> for Result<R, E> {
    fn into_outcome(self) -> Result<Edn, E> {
        self.map(Into::into)
    }
}
