//! What is asked of the store and said to it: the only place that knows attributes of the dump
//! outside the templates.

use std::collections::BTreeMap;
use std::time::SystemTime;

use datomite::prelude::*;
use datomite::{Entity, Instant, TimePoint};
use serde::Deserialize;

use crate::failure::Failure;
use crate::pages::Item;

/// What the form of a new post sends.
#[derive(Deserialize)]
pub(crate) struct NewPost {
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) body: String,
}

/// The transaction function that numbers a post: two posts at once get two numbers, as each
/// transaction sees the one before it.
pub(crate) fn register(conn: &Connection) {
    conn.register("feed/number", |db: &Db, post: Edn| {
        let last = "[:find (max ?id) . :where [_ :posts/id ?id]]";
        let id = db.q(last).scalar::<i64>()?.unwrap_or(0) + 1;
        Ok(edn!(
            "[[:db/add ?post :posts/id ?id]]",
            post = post,
            id = id
        ))
    });
}

/// The database now, or as it was: `as_of` is a t, a transaction or an instant.
pub(crate) fn seen_from(db: &Db, as_of: &str) -> Result<Db, Failure> {
    let as_of = as_of.trim();
    if as_of.is_empty() {
        return Ok(db.clone());
    }
    let point = match as_of.parse::<i64>() {
        Ok(number) if number >= 0 => TimePoint::from(number),
        _ => Instant::parse(as_of)
            .map(TimePoint::from)
            .ok_or(Failure::Bad(
                "as-of is a t or an instant like 2026-11-20T12:00:00Z",
            ))?,
    };
    Ok(db.as_of(point)?)
}

/// Every feed with its number of posts, by number of the feed.
pub(crate) fn all(db: &Db) -> Result<Vec<(Item, i64)>, Failure> {
    let counted = "[:find ?feed (count ?post) :where [?post :posts/feed ?feed]]";
    let counted: Vec<(EntityId, i64)> = db.q(counted).rows()?;
    let counted: BTreeMap<EntityId, i64> = counted.into_iter().collect();
    let feeds = "[:find ?feed ?id :where [?feed :feeds/id ?id] :order-by [?id]]";
    let feeds: Vec<(EntityId, i64)> = db.q(feeds).rows()?;
    feeds
        .into_iter()
        .map(|(feed, _)| Ok((item(db, feed)?, counted.get(&feed).copied().unwrap_or(0))))
        .collect()
}

/// The feed of that slug.
pub(crate) fn by_slug(db: &Db, slug: &str) -> Result<Option<Item>, Failure> {
    let feed = db.entity(&edn!("[:feeds/slug ?slug]", slug = slug))?;
    Ok(feed.map(Item::from))
}

/// The posts of a feed, newest number first.
pub(crate) fn posts(db: &Db, feed: &Item) -> Result<Vec<Item>, Failure> {
    let posts: Vec<(EntityId, i64)> = db
        .q("[:find ?post ?id
             :in $ ?feed
             :where [?post :posts/feed ?feed] [?post :posts/id ?id]
             :order-by [?id :desc]]")
        .arg(feed.id())
        .rows()?;
    posts.into_iter().map(|(post, _)| item(db, post)).collect()
}

/// Adds a post to a feed.
pub(crate) fn publish(conn: &Connection, feed: &Item, post: &NewPost) -> Result<(), Failure> {
    let title = post.title.trim();
    if title.is_empty() {
        return Err(Failure::Bad("a post has a title"));
    }
    let mut facts = datomite::tx()
        .entity("post")
        .set(":posts/feed", feed.id())
        .set(":posts/title", title)
        .set(":posts/read-count", 0)
        .set(":posts/published-at", SystemTime::now());
    if !post.body.is_empty() {
        facts = facts.set(":posts/body", post.body.as_str());
    }
    let Edn::Vector(mut operations) = Edn::from(facts) else {
        return Err(Failure::Bad("no transaction"));
    };
    operations.push(edn!("[feed/number \"post\"]"));
    conn.transact(operations)?;
    Ok(())
}

fn item(db: &Db, id: EntityId) -> Result<Item, Failure> {
    let entity: Option<Entity> = db.entity(&Edn::from(id))?;
    entity.map(Item::from).ok_or(Failure::NotFound)
}
