//! What can go wrong with a request, and what of it the asker is told.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use datomite::Category;

/// Why a request has no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// There is no such feed.
    #[error("there is no such feed")]
    NotFound,
    /// The request makes no sense.
    #[error("{0}")]
    Bad(&'static str),
    /// The store refused, or could not be read.
    #[error(transparent)]
    Store(Box<datomite::Error>),
    /// A page could not be written.
    #[error(transparent)]
    Page(#[from] askama::Error),
    /// The thread that answered is gone.
    #[error("the answer was lost")]
    Lost,
}

macro_rules! from_store_errors {
    ($($error:ident)*) => {$(
        impl From<datomite::$error> for Failure {
            fn from(error: datomite::$error) -> Failure {
                Failure::Store(Box::new(error.into()))
            }
        }
    )*};
}

from_store_errors!(DbError QueryError TxError);

impl Failure {
    fn status(&self) -> StatusCode {
        match self {
            Failure::NotFound => StatusCode::NOT_FOUND,
            Failure::Bad(_) => StatusCode::BAD_REQUEST,
            Failure::Store(error) => match error.category() {
                Category::Incorrect => StatusCode::BAD_REQUEST,
                Category::Conflict => StatusCode::CONFLICT,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Failure::Page(_) | Failure::Lost => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.status();
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            // What broke inside is for the log, not for the asker.
            eprintln!("{self}");
            return (status, "something broke\n").into_response();
        }
        (status, format!("{self}\n")).into_response()
    }
}
