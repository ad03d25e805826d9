//! `fulltext`: the values of an attribute that contain words.
//!
//! Words, queries and scores are those of Lucene's standard analyser, classic query parser and
//! default similarity, as Datomic has them (`words.rs`, `parse.rs`, `score.rs`). The values are
//! read where they stand, in the whole past: every assertion and retraction of a value is a
//! document, and a row for each is given if the view has the value. There is no index yet, so a
//! search costs a scan of the attribute's history.

mod parse;
mod score;
mod words;

use datomite_db::{Db, KeyRange};
use datomite_model::{Edn, EntityId, Index, Value};
use rustc_hash::FxHashSet;

use super::datomic::db;
use super::{CallError, Invocation, Outcome};
use crate::QueryError;
use score::Document;

/// `(fulltext $ attribute search)`: rows of entity, value, t and score.
pub(super) fn fulltext(c: &Invocation<'_>) -> Outcome {
    let db = db(c, 0)?;
    let search = c.text(2)?;
    let query = parse::query(search).ok_or_else(|| CallError::Unreadable {
        function: c.function(),
        text: search.to_string(),
    })?;
    let attribute = match c.edn(1)? {
        Edn::Nil => None,
        form => db.entid(form)?,
    };
    let attribute = attribute.and_then(|id| db.schema().attribute(id));
    let Some(attribute) = attribute.filter(|attribute| attribute.fulltext) else {
        return Ok(Edn::Set(Vec::new()));
    };
    let mut seen: FxHashSet<(EntityId, Value)> = FxHashSet::default();
    each_value(c, db, attribute.id, |e, text, _| {
        seen.insert((e, text));
    })?;
    let mut documents = Vec::new();
    each_value(c, &db.basis().history(), attribute.id, |e, text, t| {
        documents.push(Document::new(e, text, t));
    })?;
    let mut rows = Vec::new();
    let visible = |document: &Document| seen.contains(&(document.e, document.text.clone()));
    for (at, score) in score::matches(&query, &documents, visible) {
        let document = &documents[at];
        rows.push(Edn::Vector(vec![
            Edn::long(document.e.raw() as i64),
            Edn::Value(document.text.clone()),
            Edn::long(document.t),
            Edn::Value(Value::Double(score)),
        ]));
    }
    Ok(Edn::Set(rows))
}

fn each_value(
    c: &Invocation<'_>,
    db: &Db,
    attribute: EntityId,
    mut found: impl FnMut(EntityId, Value, i64),
) -> Result<(), QueryError> {
    let range = KeyRange::prefix(None, Some(attribute), None);
    let mut runs = db.runs(Index::Aevt, &range);
    while let Some(run) = runs.next()? {
        for row in 0..run.len() {
            c.tick()?;
            found(run.e(row), run.v(row).to_value(), run.t(row).raw() as i64);
        }
    }
    Ok(())
}
