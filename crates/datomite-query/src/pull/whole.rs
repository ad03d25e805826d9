//! Values without a sub-pattern: scalars, ids, and components with everything below them.
//!
//! A component that is met again on its own way down shows its id only, so that cycles end.

use std::sync::Arc;

use datomite_db::{Db, KeyRange};
use datomite_model::{Attribute, Edn, EntityId, Index, Keyword, Value, ValueType};

use super::pattern::KeyStyle;
use super::{LEVELS_MAX, LIMIT_DEFAULT, PullError};
use crate::QueryError;
use crate::options::Limits;
use crate::weigh;

/// What an entity has, by attribute.
type Everything = Vec<(Arc<Attribute>, Vec<Value>)>;

/// The way down from an entity through its components.
pub(super) struct Whole<'a> {
    db: &'a Db,
    style: KeyStyle,
    owners: Vec<EntityId>,
    limits: &'a Limits,
}

impl<'a> Whole<'a> {
    pub(super) fn new(
        db: &'a Db,
        style: KeyStyle,
        owner: Option<EntityId>,
        limits: &'a Limits,
    ) -> Whole<'a> {
        Whole {
            db,
            style,
            owners: owner.into_iter().collect(),
            limits,
        }
    }

    /// The values of an attribute, as they stand in the answer.
    pub(super) fn values(
        &mut self,
        attribute: &Attribute,
        values: Vec<Value>,
        level: usize,
    ) -> Result<Option<Edn>, QueryError> {
        let most = if attribute.is_many() { usize::MAX } else { 1 };
        let mut shown = Vec::with_capacity(values.len().min(most));
        for value in values.into_iter().take(most) {
            shown.push(match value {
                Value::Ref(id) if attribute.is_component => self.component(id, level + 1)?,
                Value::Ref(id) => id_map(Some(id), self.style),
                value => Edn::from(value),
            });
        }
        if attribute.is_many() {
            return Ok((!shown.is_empty()).then_some(Edn::Vector(shown)));
        }
        Ok(shown.into_iter().next())
    }

    fn component(&mut self, id: EntityId, level: usize) -> Result<Edn, QueryError> {
        if level > LEVELS_MAX {
            return Err(PullError::TooDeep { limit: LEVELS_MAX }.into());
        }
        if self.owners.contains(&id) {
            return Ok(id_map(Some(id), self.style));
        }
        self.limits.visit()?;
        self.owners.push(id);
        let mut entries = vec![(id_key(self.style), id_form(Some(id)))];
        for (attribute, values) in everything(self.db, id)? {
            let key = attribute_key(&attribute.ident, self.style);
            self.limits
                .pulled(weigh::FORM * (values.len() as u64 + 2))?;
            if let Some(value) = self.values(&attribute, values, level)? {
                entries.push((key, value));
            }
        }
        self.owners.pop();
        Ok(Edn::Map(entries))
    }
}

/// Everything that an entity has, up to the default limit of values for each attribute.
pub(super) fn everything(db: &Db, id: EntityId) -> Result<Everything, QueryError> {
    let mut all: Everything = Vec::new();
    let mut runs = db.runs(Index::Eavt, &KeyRange::prefix(Some(id), None, None));
    while let Some(run) = runs.next()? {
        for row in 0..run.len() {
            let a = run.a(row);
            match all.last_mut().filter(|(attribute, _)| attribute.id == a) {
                Some((_, values)) if values.len() < LIMIT_DEFAULT => {
                    values.push(run.v(row).to_value());
                }
                Some(_) => {}
                None => {
                    if let Some(attribute) = db.schema().attribute(a) {
                        all.push((Arc::clone(attribute), vec![run.v(row).to_value()]));
                    }
                }
            }
        }
    }
    for (attribute, values) in &mut all {
        order_twins(db, id, attribute, values)?;
    }
    Ok(all)
}

/// Puts values in the order of the index where some are equal and differ in payload, as 1M and
/// 1.0M: the later transaction first.
pub(super) fn order_twins(
    db: &Db,
    id: EntityId,
    attribute: &Attribute,
    values: &mut Vec<Value>,
) -> Result<(), QueryError> {
    let twins = |pair: &[Value]| pair[0].datomic_eq(&pair[1]);
    if attribute.value_type != ValueType::BigDec || !values.windows(2).any(twins) {
        return Ok(());
    }
    let components = [id_form(Some(id)), Edn::long(attribute.id.raw() as i64)];
    let datoms = db.datoms(Index::Eavt, &components)?;
    let ordered: Result<Vec<Value>, _> = datoms
        .take(values.len())
        .map(|datom| datom.map(|datom| datom.v))
        .collect();
    *values = ordered?;
    Ok(())
}

pub(super) fn attribute_key(ident: &Keyword, style: KeyStyle) -> Edn {
    match style {
        KeyStyle::Keyword => Edn::Value(Value::Keyword(ident.clone())),
        KeyStyle::Text => Edn::string(&ident.to_string()),
    }
}

pub(super) fn id_key(style: KeyStyle) -> Edn {
    static ID: std::sync::LazyLock<Keyword> = std::sync::LazyLock::new(|| Keyword::parse("db/id"));
    attribute_key(&ID, style)
}

pub(super) fn id_form(id: Option<EntityId>) -> Edn {
    id.map_or(Edn::Nil, |id| Edn::long(id.raw() as i64))
}

pub(super) fn id_map(id: Option<EntityId>, style: KeyStyle) -> Edn {
    Edn::Map(vec![(id_key(style), id_form(id))])
}
