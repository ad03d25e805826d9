//! The token: decides who may ask. It is compared in constant time and never printed by `Debug`.
//!
//! A browser brings it in the address, so links of a page carry it on; a program brings it in a
//! header. Pages must not leak the address they have: no referrer, no cache.

use std::fmt;
use std::hint::black_box;
use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, REFERRER_POLICY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

/// What every request must bring.
#[derive(Clone)]
pub struct Token(Arc<str>);

impl Token {
    /// A token of 128 random bits, in hexadecimal digits.
    pub fn random() -> Result<Token, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Token(digits.into()))
    }

    /// The token as text, for the one who started the program.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Compares without telling by its time where the texts differ.
    fn matches(&self, given: &str) -> bool {
        let (own, given) = (self.0.as_bytes(), given.as_bytes());
        if own.len() != given.len() {
            return false;
        }
        let pairs = own.iter().zip(given);
        let difference = pairs.fold(0, |difference, (a, b)| black_box(difference | (a ^ b)));
        difference == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// How a page links on: with the token where the request had it in its address.
#[derive(Clone)]
pub(crate) struct Link(Option<Token>);

impl Link {
    pub(crate) fn to(&self, path: &str) -> String {
        match &self.0 {
            Some(token) => format!("{path}?token={}", token.reveal()),
            None => path.to_owned(),
        }
    }

    pub(crate) fn to_feed(&self, slug: impl AsRef<str>) -> String {
        self.to(&format!("/feeds/{}", slug.as_ref()))
    }

    pub(crate) fn to_posts(&self, slug: impl AsRef<str>) -> String {
        self.to(&format!("/feeds/{}/posts", slug.as_ref()))
    }

    /// The token for a form that is sent by GET.
    pub(crate) fn token(&self) -> Option<&str> {
        self.0.as_ref().map(Token::reveal)
    }
}

#[derive(Deserialize)]
struct Given {
    token: Option<String>,
}

/// Lets a request with the token through.
pub(crate) async fn check(
    State(token): State<Token>,
    mut request: Request,
    next: Next,
) -> Response {
    let in_address = Query::<Given>::try_from_uri(request.uri()).ok();
    let in_address = in_address.and_then(|Query(given)| given.token);
    let link = match in_address {
        Some(given) if token.matches(&given) => Link(Some(token)),
        _ if bearer(request.headers()).is_some_and(|given| token.matches(given)) => Link(None),
        _ => return (StatusCode::UNAUTHORIZED, "the token is missing or wrong\n").into_response(),
    };
    request.extensions_mut().insert(link);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}
