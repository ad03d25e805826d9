//! Pages: askama templates over entities. A template asks an entity for what it shows, by
//! attribute, and reads only that; nothing is copied into structs first.

use askama::Template;
use axum::response::Html;
use datomite::{Edn, Entity, EntityId, EntityValue, Value};

use crate::access::Link;
use crate::failure::Failure;

/// An entity as templates see it.
pub(crate) struct Item(Entity);

impl From<Entity> for Item {
    fn from(entity: Entity) -> Item {
        Item(entity)
    }
}

impl Item {
    pub(crate) fn id(&self) -> EntityId {
        self.0.id()
    }

    /// The value of an attribute as text; empty where there is none.
    fn text(&self, attribute: &str) -> askama::Result<String> {
        Ok(
            match self.0.get(attribute).map_err(askama::Error::custom)? {
                Some(EntityValue::Value(Value::String(text))) => text.to_string(),
                Some(EntityValue::Value(Value::Instant(instant))) => instant.to_string(),
                Some(EntityValue::Value(value)) => Edn::from(value).to_string(),
                _ => String::new(),
            },
        )
    }

    /// The entity that a reference leads to.
    fn one(&self, attribute: &str) -> askama::Result<Option<Item>> {
        let value = self.0.get(attribute).map_err(askama::Error::custom)?;
        Ok(value
            .as_ref()
            .and_then(EntityValue::as_entity)
            .cloned()
            .map(Item))
    }
}

/// All feeds.
#[derive(Template)]
#[template(path = "feeds.html")]
pub(crate) struct FeedsPage {
    pub(crate) feeds: Vec<(Item, i64)>,
    pub(crate) link: Link,
}

/// One feed with its posts.
#[derive(Template)]
#[template(path = "feed.html")]
pub(crate) struct FeedPage {
    pub(crate) slug: String,
    pub(crate) feed: Item,
    pub(crate) posts: Vec<Item>,
    pub(crate) t: u64,
    pub(crate) is_past: bool,
    pub(crate) link: Link,
}

pub(crate) fn render(page: &impl Template) -> Result<Html<String>, Failure> {
    Ok(Html(page.render()?))
}
