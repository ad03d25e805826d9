//! Identity: which entity a form names.
//!
//! A number is an id as it stands; a keyword (also as `":a/b"` or a symbol) is an ident, old ones
//! included; a list or vector of two is a lookup ref, resolved in the view. Idents resolve by the
//! schema of the basis whatever the view shows, lookup refs by what the view shows.

use std::sync::Arc;

use datomite_model::{
    Attribute, BigInt, Edn, EntityId, Keyword, Symbol, TupleKind, Value, ValueType,
};

use crate::db::DB_IDENT;
use crate::{Db, DbError};

impl Db {
    /// The entity that a form names: id, ident or lookup ref. `None` where it names none, and for
    /// forms that never name one, as an instant.
    pub fn entid(&self, form: &Edn) -> Result<Option<EntityId>, DbError> {
        match form {
            Edn::Nil => Ok(None),
            Edn::List(parts) | Edn::Vector(parts) => self.lookup_ref(form, parts),
            Edn::Value(Value::BigInt(n)) => Ok(i64::try_from(n.as_ref()).ok().map(id_of)),
            Edn::Value(Value::Tuple(_)) => Err(DbError::InvalidLookupRef { form: form.clone() }),
            _ => match as_id(form) {
                Some(id) => Ok(Some(id)),
                None => Ok(ident_form(form)?.and_then(|ident| self.schema().entid(&ident))),
            },
        }
    }

    /// As [`Db::entid`], where naming no entity is an error.
    pub fn require_entid(&self, form: &Edn) -> Result<EntityId, DbError> {
        self.entid(form)?
            .ok_or_else(|| DbError::NotAnEntity { form: form.clone() })
    }

    /// What the schema says about the attribute that a form names; `None` where it names none.
    pub fn attribute(&self, form: &Edn) -> Result<Option<Arc<Attribute>>, DbError> {
        let id = self.entid(form)?;
        Ok(id.and_then(|id| self.schema().attribute(id).cloned()))
    }

    /// The entity with a value of a unique attribute, as the view shows it.
    pub fn entity_by(
        &self,
        attribute: &Attribute,
        value: &Value,
    ) -> Result<Option<EntityId>, DbError> {
        if attribute.id == DB_IDENT
            && let Value::Keyword(ident) = value
        {
            return Ok(self.schema().entid(ident));
        }
        self.holder(attribute.id, value)
    }

    /// Resolves `[attribute value]`; `form` is the whole, for messages.
    fn lookup_ref(&self, form: &Edn, parts: &[Edn]) -> Result<Option<EntityId>, DbError> {
        let [attribute_form, value] = parts else {
            return Err(DbError::InvalidLookupRef { form: form.clone() });
        };
        let attribute = self.lookup_attribute(attribute_form)?;
        if attribute.unique.is_none() {
            return Err(DbError::LookupRefAttrNotUnique {
                attribute: attribute_form.clone(),
            });
        }
        match lookup_value(&attribute, value, self) {
            Some(value) => self.entity_by(&attribute, &value),
            None => Ok(None),
        }
    }

    fn lookup_attribute(&self, form: &Edn) -> Result<Arc<Attribute>, DbError> {
        let unknown = || DbError::NotAnEntity { form: form.clone() };
        let id = match as_id(form) {
            Some(id) => id,
            None => {
                let ident = ident_form(form)?.ok_or_else(unknown)?;
                self.schema().entid(&ident).ok_or_else(unknown)?
            }
        };
        self.schema()
            .attribute(id)
            .cloned()
            .ok_or_else(|| DbError::NotAnAttribute { form: form.clone() })
    }
}

/// The id that a number is.
pub(crate) fn as_id(form: &Edn) -> Option<EntityId> {
    match form {
        Edn::Value(Value::Long(n)) => Some(id_of(*n)),
        Edn::Value(Value::Ref(id)) => Some(*id),
        _ => None,
    }
}

fn id_of(n: i64) -> EntityId {
    EntityId::new(n as u64)
}

/// The keyword that a form stands for: a keyword, `":a/b"` or a symbol. Another string is an
/// error, another form none.
pub(crate) fn ident_form(form: &Edn) -> Result<Option<Keyword>, DbError> {
    match form {
        Edn::Value(Value::Keyword(keyword)) => Ok(Some(keyword.clone())),
        Edn::Value(Value::Symbol(symbol)) => Ok(Some(symbol_keyword(symbol))),
        Edn::Value(Value::String(text)) => match text.strip_prefix(':') {
            Some(_) => Ok(Some(Keyword::parse(text))),
            None => Err(DbError::NotAKeyword { form: form.clone() }),
        },
        _ => Ok(None),
    }
}

fn symbol_keyword(symbol: &Symbol) -> Keyword {
    Keyword::new(symbol.namespace(), symbol.name())
}

/// A form as a value that an attribute of this type may hold, for looking up; `None` where it can
/// equal none of them. A ref takes a number only: nothing inside a lookup ref is resolved.
pub(crate) fn lookup_value(attribute: &Attribute, form: &Edn, db: &Db) -> Option<Value> {
    if attribute.id == DB_IDENT {
        return ident_form(form).ok().flatten().map(Value::Keyword);
    }
    match (attribute.value_type, &attribute.tuple) {
        (ValueType::Tuple, Some(kind)) => tuple_value(kind, form, db),
        (value_type, _) => scalar_value(value_type, form),
    }
}

fn tuple_value(kind: &TupleKind, form: &Edn, db: &Db) -> Option<Value> {
    let slots = match form {
        Edn::Value(Value::Tuple(_)) => return form.as_value().cloned(),
        _ => form.as_sequence()?,
    };
    let mut values = Vec::with_capacity(slots.len());
    for (slot, form) in slots.iter().enumerate() {
        values.push(match form {
            Edn::Nil => None,
            form => Some(scalar_value(type_in(kind, slot, db)?, form)?),
        });
    }
    Some(Value::Tuple(values.into()))
}

/// The type of a slot of a tuple attribute.
pub(crate) fn slot_type(db: &Db, attribute: &Attribute, slot: usize) -> Option<ValueType> {
    type_in(attribute.tuple.as_ref()?, slot, db)
}

fn type_in(kind: &TupleKind, slot: usize, db: &Db) -> Option<ValueType> {
    match kind {
        TupleKind::Homogeneous(value_type) => Some(*value_type),
        TupleKind::Heterogeneous(types) => types.get(slot).copied(),
        TupleKind::Composite(parts) => {
            let part = db.schema().attribute(*parts.get(slot)?)?;
            Some(part.value_type)
        }
    }
}

fn scalar_value(value_type: ValueType, form: &Edn) -> Option<Value> {
    let value = form.as_value()?;
    match (value_type, value) {
        (ValueType::Long, Value::BigInt(n)) => i64::try_from(n.as_ref()).ok().map(Value::Long),
        (ValueType::BigInt, Value::Long(n)) => Some(Value::from(BigInt::from(*n))),
        (ValueType::Ref, Value::Long(n)) => Some(Value::Ref(id_of(*n))),
        (ValueType::Float, Value::Double(n)) if f64::from(*n as f32) == *n => {
            Some(Value::Float(*n as f32))
        }
        (ValueType::Double, Value::Float(n)) => Some(Value::Double(f64::from(*n))),
        (value_type, value) => (value.value_type() == value_type).then(|| value.clone()),
    }
}
