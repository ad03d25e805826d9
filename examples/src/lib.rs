//! A feed reader on the web: pages over entities, the past as a parameter, one token for all.
//!
//! Decides the routes and what a request may do. Everything async stays here: the store knows
//! nothing of it, so each request does its reading and writing on a thread that may block.
//! Queries and transactions are in `feeds`, the token in `access`, pages in `pages`.

#![forbid(unsafe_code)]

mod access;
mod failure;
mod feeds;
mod pages;

use axum::extract::{Extension, Form, Path, Query, State};
use axum::middleware;
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use datomite::Connection;
use serde::Deserialize;

pub use access::Token;

use access::Link;
use failure::Failure;
use feeds::NewPost;
use pages::{FeedPage, FeedsPage};

/// The application over a connection; a request without the token is answered with 401.
///
/// ```text
/// GET  /                                feeds with their number of posts
/// GET  /feeds/SLUG?as-of=T-or-INSTANT   one feed, now or then
/// POST /feeds/SLUG/posts                title=…&body=…: a new post
/// ```
pub fn app(conn: Connection, token: Token) -> axum::Router {
    feeds::register(&conn);
    axum::Router::new()
        .route("/", get(feeds_page))
        .route("/feeds/{slug}", get(feed_page))
        .route("/feeds/{slug}/posts", post(new_post))
        .layer(middleware::from_fn_with_state(token, access::check))
        .with_state(conn)
}

/// When to look: a t, a transaction or an instant. Empty is now.
#[derive(Deserialize)]
struct View {
    #[serde(rename = "as-of", default)]
    as_of: String,
}

async fn feeds_page(
    State(conn): State<Connection>,
    Extension(link): Extension<Link>,
) -> Result<Html<String>, Failure> {
    blocking(move || {
        let feeds = feeds::all(&conn.db())?;
        pages::render(&FeedsPage { feeds, link })
    })
    .await
}

async fn feed_page(
    State(conn): State<Connection>,
    Extension(link): Extension<Link>,
    Path(slug): Path<String>,
    Query(view): Query<View>,
) -> Result<Html<String>, Failure> {
    blocking(move || {
        let db = feeds::seen_from(&conn.db(), &view.as_of)?;
        let feed = feeds::by_slug(&db, &slug)?.ok_or(Failure::NotFound)?;
        let posts = feeds::posts(&db, &feed)?;
        let t = db.as_of_t().unwrap_or(db.basis_t()).raw();
        let is_past = db.as_of_t().is_some();
        pages::render(&FeedPage {
            slug,
            feed,
            posts,
            t,
            is_past,
            link,
        })
    })
    .await
}

async fn new_post(
    State(conn): State<Connection>,
    Extension(link): Extension<Link>,
    Path(slug): Path<String>,
    Form(post): Form<NewPost>,
) -> Result<Redirect, Failure> {
    blocking(move || {
        let feed = feeds::by_slug(&conn.db(), &slug)?.ok_or(Failure::NotFound)?;
        feeds::publish(&conn, &feed, &post)?;
        Ok(Redirect::to(&link.to_feed(&slug)))
    })
    .await
}

/// Reads may wait for a disk, transactions for a sync: neither belongs on an async thread.
async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, Failure> + Send + 'static,
) -> Result<R, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Failure::Lost)?
}
