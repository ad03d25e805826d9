//! Resolution: idents, lookup refs and typed values. What remains open are tempids.
//!
//! Lookup refs are resolved in the view that the transaction runs on, idents by the schema of its
//! basis. Types are strict: the one coercion is double to float.

use std::sync::Arc;

use datomite_model::{Attribute, Edn, EntityId, Partition, TupleKind, Value, ValueType};

use super::error::TxError;
use super::op::{Ent, FlatOp, FlatValue, Place, TempId, TempOp, TempValue, Tempids};
use super::told::Form;
use crate::Db;
use crate::bootstrap::id;
use crate::ident::ident_form;

/// The longest text of a tuple's slot, in characters.
const TUPLE_TEXT_MAX: usize = 256;

/// Resolves one fact.
pub(super) fn resolve(db: &Db, tempids: &mut Tempids, op: FlatOp) -> Result<TempOp, TxError> {
    let FlatOp {
        added,
        e,
        a,
        v,
        form,
    } = op;
    let e = place(db, tempids, e)?;
    let v = match v {
        FlatValue::Form(v) if added || a.value_type != ValueType::Tuple => {
            value(db, tempids, &a, v, &form)?
        }
        FlatValue::Form(v) => retracted_tuple(db, tempids, &a, v, &form)?,
        FlatValue::Entity(entity) => match place(db, tempids, entity)? {
            Place::Temp(id) => TempValue::Temp(id),
            Place::Id(id) if a.is_ref() => TempValue::Value(Value::Ref(id)),
            // A reverse key on a long attribute stores the number.
            Place::Id(id) => TempValue::Value(Value::Long(id.raw() as i64)),
        },
    };
    Ok(TempOp {
        added,
        e,
        a,
        v,
        form,
    })
}

pub(super) fn place(db: &Db, tempids: &mut Tempids, e: Ent) -> Result<Place, TxError> {
    let written = match e {
        Ent::Temp(id) => return Ok(Place::Temp(id)),
        Ent::Form(written) => written,
    };
    if let Some(id) = tempid_of(db, tempids, &written)? {
        return Ok(Place::Temp(id));
    }
    let id = resolve_plain(db, &written)?;
    let id = id.ok_or_else(|| TxError::NotAnEntity {
        form: written.clone().into(),
    })?;
    Ok(Place::Id(id))
}

/// Resolves an entity that is written, but for tempids.
pub(super) fn resolve_entity(db: &Db, tempids: &mut Tempids, e: Ent) -> Result<Ent, TxError> {
    Ok(match place(db, tempids, e)? {
        Place::Temp(id) => Ent::Temp(id),
        Place::Id(id) => Ent::Form(Edn::Value(Value::Ref(id))),
    })
}

/// Facts are about numbers that were handed out, whatever their partition.
pub(super) fn check_ids(db: &Db, ops: &[TempOp]) -> Result<(), TxError> {
    let next = db.next_t().raw();
    for op in ops {
        if let Place::Id(id) = op.e
            && (id.counter() >= next || id.raw() >> 62 != 0)
        {
            return Err(TxError::InvalidEntityId {
                id: id.into(),
                form: (&op.form).into(),
            });
        }
    }
    Ok(())
}

/// How a tempid is written.
pub(super) struct TempForm {
    /// None for `#db/id[part]`, which is another tempid each time.
    pub(super) name: Option<Edn>,
    is_tx: bool,
    partition: Option<Partition>,
}

/// Whether a form is a tempid.
pub(super) fn is_tempid(db: &Db, form: &Edn) -> bool {
    temp_form(db, form).is_ok_and(|temp| temp.is_some())
}

/// The tempid that a form is, if it is one.
pub(super) fn tempid_of(
    db: &Db,
    tempids: &mut Tempids,
    form: &Edn,
) -> Result<Option<TempId>, TxError> {
    let temp = temp_form(db, form)?;
    Ok(temp.map(
        |TempForm {
             name,
             is_tx,
             partition,
         }| match name {
            Some(name) => tempids.named(name, is_tx, partition),
            None => tempids.fresh(partition),
        },
    ))
}

/// Reads a tempid: a string without a colon, a negative number, `#db/id[part n]`.
pub(super) fn temp_form(db: &Db, form: &Edn) -> Result<Option<TempForm>, TxError> {
    let named = |is_tx, partition| TempForm {
        name: Some(form.clone()),
        is_tx,
        partition,
    };
    match form {
        Edn::Value(Value::String(text)) if !text.starts_with(':') => {
            Ok(Some(named(&**text == "datomic.tx", None)))
        }
        Edn::Value(Value::Long(n)) if *n < 0 => {
            // The number's own partition bits: -1 lies in the last implicit partition.
            let part = Partition::new(((*n as u64) >> 42) as u32 & 0xF_FFFF);
            Ok(Some(named(false, Some(part))))
        }
        Edn::Tagged(tag, inner) if tag.as_str() == "db/id" => db_id(db, form, inner).map(Some),
        _ => Ok(None),
    }
}

fn db_id(db: &Db, form: &Edn, inner: &Edn) -> Result<TempForm, TxError> {
    let parts = inner.as_sequence().unwrap_or_default();
    let part = parts
        .first()
        .ok_or_else(|| TxError::NotADbId { form: form.into() })?;
    let partition = named_partition(db, part)?;
    // An ordinary entity stands for its partition in directives, not here.
    let entity = db.entid(part)?.unwrap_or_default();
    if entity.partition() != Partition::DB && entity.counter() != 0 {
        return Err(TxError::NotAPartition { form: part.into() });
    }
    let (name, is_tx) = match parts.get(1) {
        _ if partition == Partition::TX => (Some(Edn::string("datomic.tx")), true),
        Some(_) => (Some(form.clone()), false),
        None => (None, false),
    };
    Ok(TempForm {
        name,
        is_tx,
        partition: Some(partition).filter(|_| !is_tx),
    })
}

/// The partition that a form names: an entity of the schema's partition must be one before the
/// transaction, any other entity stands for the partition that it is in.
pub(super) fn named_partition(db: &Db, form: &Edn) -> Result<Partition, TxError> {
    let entity = db
        .entid(form)?
        .ok_or_else(|| TxError::NotADbId { form: form.into() })?;
    if entity.partition() != Partition::DB {
        return Ok(entity.partition());
    }
    match is_partition(db, entity) {
        true => Ok(Partition::new(u32::try_from(entity.raw()).unwrap_or(0))),
        false => Err(TxError::NotAPartition { form: form.into() }),
    }
}

/// Whether an entity was installed as a partition.
pub(super) fn is_partition(db: &Db, entity: EntityId) -> bool {
    let installed = Value::Ref(entity);
    db.basis()
        .datom_of_value(id::PART_DB, id::INSTALL_PARTITION, &installed)
        .is_ok_and(|datom| datom.is_some())
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
        return Err(TxError::NilValue {
            attribute: a.ident.clone(),
            form: form.into(),
        });
    }
    match (a.value_type, &a.tuple) {
        (ValueType::Ref, _) => reference(db, tempids, &v),
        (ValueType::Tuple, Some(kind)) => tuple(db, tempids, a, kind, &v),
        (value_type, _) => match scalar(value_type, &v)? {
            Some(value) => Ok(TempValue::Value(value)),
            None => Err(wrong_type(a, v, form)),
        },
    }
}

fn wrong_type(a: &Attribute, value: Edn, form: &Edn) -> TxError {
    if a.id == id::FN {
        return TxError::FunctionCode {
            function: function_name(form, &value).unwrap_or(Edn::Nil),
            form: form.into(),
        };
    }
    TxError::WrongType {
        value,
        value_type: a.value_type,
        attribute: a.ident.clone(),
        form: form.into(),
    }
}

/// The name of the function whose code is that value: the ident beside it in its map, or the
/// entity of its fact.
fn function_name(form: &Edn, code: &Edn) -> Option<Edn> {
    match form {
        Edn::Vector(parts) | Edn::List(parts) if parts.get(3) == Some(code) => {
            parts.get(1).cloned()
        }
        Edn::Vector(items) | Edn::List(items) | Edn::Set(items) => {
            items.iter().find_map(|item| function_name(item, code))
        }
        Edn::Map(entries) => {
            let holds = entries.iter().any(|(_, value)| value == code);
            match form.get(&Edn::keyword("db/ident")) {
                Some(ident) if holds => Some(ident.clone()),
                _ => entries
                    .iter()
                    .find_map(|(_, value)| function_name(value, code)),
            }
        }
        _ => None,
    }
}

fn reference(db: &Db, tempids: &mut Tempids, v: &Edn) -> Result<TempValue, TxError> {
    if let Some(id) = tempid_of(db, tempids, v)? {
        return Ok(TempValue::Temp(id));
    }
    match resolve_plain(db, v)? {
        Some(id) => Ok(TempValue::Value(Value::Ref(id))),
        None => Err(TxError::NotAnEntity { form: v.into() }),
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
    let Some(value) = form.as_value() else {
        return Ok(None);
    };
    Ok(match (value_type, value) {
        (ValueType::Float, Value::Double(n)) => Some(Value::Float(*n as f32)),
        (ValueType::Ref, Value::Long(n)) => {
            u64::try_from(*n).ok().map(|n| Value::Ref(EntityId::new(n)))
        }
        (value_type, value) => (value.value_type() == value_type).then(|| value.clone()),
    })
}

fn invalid_tuple(a: &Attribute, value: &Edn) -> TxError {
    TxError::InvalidTupleValue {
        attribute: a.ident.clone(),
        value: value.clone(),
        form: Form::default(),
    }
}

/// The types of a tuple's slots; a homogeneous one has as many as are written.
fn slot_types(db: &Db, kind: &TupleKind, written: usize) -> Vec<ValueType> {
    match kind {
        TupleKind::Homogeneous(value_type) => vec![*value_type; written],
        TupleKind::Heterogeneous(types) => types.clone(),
        TupleKind::Composite(parts) => parts
            .iter()
            .filter_map(|part| db.schema().attribute(*part).map(|part| part.value_type))
            .collect(),
    }
}

/// The slots of a tuple as it is written. Where references are looked for, any sequence will do.
fn written_slots(db: &Db, kind: &TupleKind, v: &Edn) -> Option<Vec<Edn>> {
    let has_refs = slot_types(db, kind, 1).contains(&ValueType::Ref);
    Some(match v {
        Edn::Vector(items) => items.clone(),
        Edn::Value(Value::Tuple(slots)) => slots
            .iter()
            .map(|slot| slot.clone().map_or(Edn::Nil, Edn::Value))
            .collect(),
        Edn::List(items) if has_refs => items.clone(),
        Edn::Value(Value::String(text)) if has_refs => text.chars().map(Edn::Char).collect(),
        _ => return None,
    })
}

fn tuple(
    db: &Db,
    tempids: &mut Tempids,
    a: &Arc<Attribute>,
    kind: &TupleKind,
    v: &Edn,
) -> Result<TempValue, TxError> {
    let invalid = || invalid_tuple(a, v);
    let is_composite = matches!(kind, TupleKind::Composite(_));
    let is_vector = !matches!(v, Edn::List(_) | Edn::Value(Value::String(_)));
    let items = written_slots(db, kind, v).filter(|_| is_vector || !is_composite);
    let items = items.ok_or_else(invalid)?;
    let types = slot_types(db, kind, items.len());
    if items.len() != types.len() {
        return Err(invalid());
    }
    // A composite is computed, so its slots may be of other types, but not what no slot can be.
    let scalar = |item: &Edn| item.is_nil() || item.as_value().is_some();
    if is_composite && !items.iter().all(scalar) {
        return Err(invalid());
    }
    let slots = open_slots(db, tempids, &items, &types)?;
    let typed = |(item, value_type): (&Edn, &ValueType)| is_slot(item, *value_type);
    let fits = (2..=8).contains(&items.len());
    match is_composite || (fits && items.iter().zip(&types).all(typed)) {
        true => Ok(plain_tuple(slots)),
        false => Err(invalid()),
    }
}

/// A tuple that is retracted may be none that the attribute can hold: it is not there then.
fn retracted_tuple(
    db: &Db,
    tempids: &mut Tempids,
    a: &Arc<Attribute>,
    v: Edn,
    form: &Edn,
) -> Result<TempValue, TxError> {
    let Some(kind) = &a.tuple else {
        return value(db, tempids, a, v, form);
    };
    let items = match &v {
        Edn::Nil => return value(db, tempids, a, v, form),
        Edn::List(items) | Edn::Set(items) => items.clone(),
        Edn::Map(entries) if entries.is_empty() => Vec::new(),
        v => written_slots(db, kind, v).ok_or_else(|| invalid_tuple(a, v))?,
    };
    let types = slot_types(db, kind, items.len());
    let slots = open_slots(db, tempids, &items, &types)?;
    Ok(plain_tuple(slots))
}

/// The slots with their references resolved; the others as they are written.
fn open_slots(
    db: &Db,
    tempids: &mut Tempids,
    items: &[Edn],
    types: &[ValueType],
) -> Result<Vec<Option<TempValue>>, TxError> {
    let mut slots = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        slots.push(match (item, types.get(at)) {
            (Edn::Nil, _) => None,
            (item, Some(ValueType::Ref)) => Some(reference(db, tempids, item)?),
            // What no datom can hold is equal to nothing that is stored.
            (item, _) => Some(TempValue::Value(match item.as_value() {
                Some(value) => value.clone(),
                None => Value::Tuple(Arc::default()),
            })),
        });
    }
    Ok(slots)
}

/// Whether a slot that is no reference is of its type, strictly.
fn is_slot(item: &Edn, value_type: ValueType) -> bool {
    match item {
        Edn::Nil => true,
        _ if value_type == ValueType::Ref => true,
        Edn::Value(Value::String(text)) if text.chars().count() > TUPLE_TEXT_MAX => false,
        item => item
            .as_value()
            .is_some_and(|v| v.value_type() == value_type),
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
