//! Resolution: idents, lookup refs and typed values. What remains open are tempids.
//!
//! Lookup refs are resolved in the view that the transaction runs on, idents by the schema of its
//! basis. Types are strict: the one coercion is double to float.

use std::sync::Arc;

use datomite_model::{
    Attribute, Edn, EntityId, Partition, TupleKind, Value, ValueType,
};

use super::error::TxError;
use super::op::{Ent, FlatOp, FlatValue, Place, TempId, TempOp, TempValue, Tempids};
use crate::ident::ident_form;
use crate::Db;

/// The longest text of a tuple's slot, in characters.
const TUPLE_TEXT_MAX: usize = 256;

/// Resolves every fact, in the order of the transaction.
pub(super) fn resolve(
    db: &Db,
    tempids: &mut Tempids,
    ops: Vec<FlatOp>,
) -> Result<Vec<TempOp>, TxError> {
    let mut resolved = Vec::with_capacity(ops.len());
    for FlatOp { added, e, a, v, form } in ops {
        let e = place(db, tempids, e, &form)?;
        let v = match v {
            FlatValue::Form(v) => value(db, tempids, &a, v, &form)?,
            FlatValue::Entity(entity) => match place(db, tempids, entity, &form)? {
                Place::Temp(id) if a.is_ref() => TempValue::Temp(id),
                Place::Id(id) if a.is_ref() => TempValue::Value(Value::Ref(id)),
                // A reverse key on a long attribute stores the number.
                Place::Id(id) => TempValue::Value(Value::Long(id.raw() as i64)),
                Place::Temp(id) => TempValue::Temp(id),
            },
        };
        resolved.push(TempOp { added, e, a, v, form });
    }
    Ok(resolved)
}

fn place(db: &Db, tempids: &mut Tempids, e: Ent, form: &Edn) -> Result<Place, TxError> {
    let written = match e {
        Ent::Temp(id) => return Ok(Place::Temp(id)),
        Ent::Form(written) => written,
    };
    if let Some(id) = tempid_of(db, tempids, &written)? {
        return Ok(Place::Temp(id));
    }
    let id = resolve_plain(db, &written)?;
    let id = id.ok_or_else(|| TxError::NotAnEntityIn { form: written.clone(), datom: form.clone() })?;
    if id.counter() >= db.next_t().raw() || id.raw() >> 62 != 0 {
        return Err(TxError::InvalidEntityId { id });
    }
    Ok(Place::Id(id))
}

/// Whether a form is a tempid.
pub(super) fn is_tempid(db: &Db, form: &Edn) -> bool {
    tempid_of(db, &mut Tempids::default(), form).is_ok_and(|id| id.is_some())
}

/// The tempid that a form is: a string without a colon, a negative number, `#db/id[part n]`.
pub(super) fn tempid_of(
    db: &Db,
    tempids: &mut Tempids,
    form: &Edn,
) -> Result<Option<TempId>, TxError> {
    match form {
        Edn::Value(Value::String(text)) if !text.starts_with(':') => {
            Ok(Some(tempids.named(form.clone(), &**text == "datomic.tx", None)))
        }
        Edn::Value(Value::Long(n)) if *n < 0 => {
            // The number's own partition bits: -1 lies in the last implicit partition.
            let part = Partition::new(((*n as u64) >> 42) as u32 & 0xF_FFFF);
            Ok(Some(tempids.named(form.clone(), false, Some(part))))
        }
        Edn::Tagged(tag, inner) if tag.as_str() == "db/id" => db_id(db, tempids, form, inner),
        _ => Ok(None),
    }
}

fn db_id(
    db: &Db,
    tempids: &mut Tempids,
    form: &Edn,
    inner: &Edn,
) -> Result<Option<TempId>, TxError> {
    let bad = || TxError::NotADbId { form: form.clone() };
    let parts = inner.as_sequence().ok_or_else(bad)?;
    let part = db.entid(parts.first().ok_or_else(bad)?)?.ok_or_else(bad)?;
    let partition = partition_of(part);
    if partition == Partition::TX {
        return Ok(Some(tempids.named(Edn::string("datomic.tx"), true, None)));
    }
    Ok(Some(match parts.get(1) {
        Some(_) => tempids.named(form.clone(), false, Some(partition)),
        None => tempids.fresh(Some(partition), None),
    }))
}

/// The partition that an entity is: by its own number, or for an implicit one by its bits.
pub(super) fn partition_of(entity: EntityId) -> Partition {
    match entity.partition().implicit_number() {
        Some(_) => entity.partition(),
        None => Partition::new(u32::try_from(entity.raw()).unwrap_or(0)),
    }
}

/// The entity that a form names which is no tempid.
pub(super) fn resolve_plain(db: &Db, form: &Edn) -> Result<Option<EntityId>, TxError> {
    match form {
        Edn::Value(Value::Double(_) | Value::Float(_)) | Edn::Nil => Ok(None),
        form => Ok(db.entid(form)?),
    }
}

/// A value of an attribute.
fn value(
    db: &Db,
    tempids: &mut Tempids,
    a: &Arc<Attribute>,
    v: Edn,
    form: &Edn,
) -> Result<TempValue, TxError> {
    if v.is_nil() {
        return Err(TxError::NilValue { attribute: a.ident.clone(), form: form.clone() });
    }
    match (a.value_type, &a.tuple) {
        (ValueType::Ref, _) => reference(db, tempids, a, &v, form),
        (ValueType::Tuple, Some(kind)) => tuple(db, tempids, a, kind, &v, form),
        (ValueType::Tuple, None) => keywords_tuple(db, a, v, form),
        (value_type, _) => match scalar(value_type, &v)? {
            Some(value) => Ok(TempValue::Value(value)),
            None => Err(wrong_type(a, v, form)),
        },
    }
}

fn wrong_type(a: &Attribute, value: Edn, form: &Edn) -> TxError {
    TxError::WrongType {
        value,
        value_type: a.value_type,
        attribute: a.ident.clone(),
        form: form.clone(),
    }
}

fn reference(
    db: &Db,
    tempids: &mut Tempids,
    a: &Arc<Attribute>,
    v: &Edn,
    form: &Edn,
) -> Result<TempValue, TxError> {
    if let Some(id) = tempid_of(db, tempids, v)? {
        return Ok(TempValue::Temp(id));
    }
    let named = match v {
        Edn::List(_) | Edn::Vector(_) => resolve_plain(db, v)?,
        Edn::Value(
            Value::Long(_) | Value::Ref(_) | Value::Keyword(_) | Value::Symbol(_) | Value::String(_),
        ) => resolve_plain(db, v)?,
        _ => return Err(wrong_type(a, v.clone(), form)),
    };
    match named {
        Some(id) => Ok(TempValue::Value(Value::Ref(id))),
        None => Err(TxError::NotAnEntityIn { form: v.clone(), datom: form.clone() }),
    }
}

/// A scalar of that type, strictly; `None` where the form is none.
fn scalar(value_type: ValueType, form: &Edn) -> Result<Option<Value>, TxError> {
    if value_type == ValueType::Keyword {
        return Ok(match form {
            Edn::Value(Value::Keyword(_) | Value::Symbol(_) | Value::String(_)) => {
                ident_form(form)?.map(Value::Keyword)
            }
            _ => None,
        });
    }
    let Some(value) = form.as_value() else { return Ok(None) };
    Ok(match (value_type, value) {
        (ValueType::Float, Value::Double(n)) => Some(Value::Float(*n as f32)),
        (ValueType::Ref, Value::Long(n)) => u64::try_from(*n).ok().map(|n| Value::Ref(EntityId::new(n))),
        (value_type, value) => (value.value_type() == value_type).then(|| value.clone()),
    })
}

/// The slots of a schema attribute's own tuple (`:db/tupleAttrs`, `:db/tupleTypes`): keywords.
fn keywords_tuple(
    _db: &Db,
    a: &Attribute,
    v: Edn,
    form: &Edn,
) -> Result<TempValue, TxError> {
    let Edn::Vector(items) = &v else { return Err(wrong_type(a, v, form)) };
    let mut slots = Vec::with_capacity(items.len());
    for item in items {
        match scalar(ValueType::Keyword, item)? {
            Some(keyword) => slots.push(Some(keyword)),
            None => return Err(invalid_tuple(a, &v)),
        }
    }
    Ok(TempValue::Value(Value::Tuple(slots.into())))
}

fn invalid_tuple(a: &Attribute, value: &Edn) -> TxError {
    TxError::InvalidTupleValue { attribute: a.ident.clone(), value: value.clone() }
}

fn tuple(
    db: &Db,
    tempids: &mut Tempids,
    a: &Arc<Attribute>,
    kind: &TupleKind,
    v: &Edn,
    form: &Edn,
) -> Result<TempValue, TxError> {
    let items: Vec<Edn> = match v {
        Edn::Vector(items) => items.clone(),
        Edn::Value(Value::Tuple(slots)) => slots
            .iter()
            .map(|slot| slot.clone().map_or(Edn::Nil, Edn::Value))
            .collect(),
        _ => return Err(wrong_type(a, v.clone(), form)),
    };
    let types: Vec<ValueType> = match kind {
        TupleKind::Homogeneous(value_type) => vec![*value_type; items.len()],
        TupleKind::Heterogeneous(types) => types.clone(),
        TupleKind::Composite(parts) => parts
            .iter()
            .filter_map(|part| db.schema().attribute(*part).map(|part| part.value_type))
            .collect(),
    };
    if items.len() != types.len() || !(2..=8).contains(&items.len()) {
        return Err(invalid_tuple(a, v));
    }
    let mut slots = Vec::with_capacity(items.len());
    for (item, value_type) in items.iter().zip(types) {
        slots.push(tuple_slot(db, tempids, a, kind, item, value_type, v)?);
    }
    Ok(plain_tuple(slots))
}

fn tuple_slot(
    db: &Db,
    tempids: &mut Tempids,
    a: &Arc<Attribute>,
    kind: &TupleKind,
    item: &Edn,
    value_type: ValueType,
    whole: &Edn,
) -> Result<Option<TempValue>, TxError> {
    if item.is_nil() {
        return Ok(None);
    }
    if value_type == ValueType::Ref {
        let is_list = matches!(item, Edn::List(_) | Edn::Vector(_));
        if is_list && matches!(kind, TupleKind::Composite(_)) {
            return Err(invalid_tuple(a, whole));
        }
        return reference(db, tempids, a, item, whole).map(Some);
    }
    match scalar(value_type, item)? {
        Some(Value::String(text)) if text.chars().count() > TUPLE_TEXT_MAX => {
            Err(invalid_tuple(a, whole))
        }
        Some(value) => Ok(Some(TempValue::Value(value))),
        None => Err(invalid_tuple(a, whole)),
    }
}

/// A tuple without tempids is a value.
fn plain_tuple(slots: Vec<Option<TempValue>>) -> TempValue {
    let plain: Option<Vec<Option<Value>>> = slots
        .iter()
        .map(|slot| match slot {
            None => Some(None),
            Some(TempValue::Value(value)) => Some(Some(value.clone())),
            Some(_) => None,
        })
        .collect();
    match plain {
        Some(values) => TempValue::Value(Value::Tuple(values.into())),
        None => TempValue::Tuple(slots),
    }
}
