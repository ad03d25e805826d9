//! The stages of a batch of columns: types, predicates, cardinality and redundancy, composites,
//! uniqueness, datoms.
//!
//! What the pipeline asks once a datom is asked here once a column where the trees can answer it
//! by a count: a column whose entities have nothing of its attribute yet needs no lookups.

use std::sync::Arc;

use datomite_model::{
    Attribute, Datom, Edn, EntityId, Index, Keyword, Symbol, T, TupleKind, Value,
};
use datomite_storage::{Bound, KeyRange, Side};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{BulkError, Column};
use crate::{Db, DbError, Function, FunctionError};

/// Entities and what they get.
type Rows = Vec<(EntityId, Value)>;

/// Checks columns against `db` and appends their datoms, in the order of the columns.
pub(super) fn run(
    db: &Db,
    columns: Vec<Column>,
    t: T,
    datoms: &mut Vec<Datom>,
) -> Result<(), BulkError> {
    let mut checked: Vec<(Arc<Attribute>, Rows)> = Vec::with_capacity(columns.len());
    for column in columns {
        let attribute = column_attribute(db, &column)?;
        for value in &column.values {
            check_type(&attribute, value)?;
        }
        check_predicates(db, &attribute, &column.values)?;
        let rows = column.entities.into_iter().zip(column.values).collect();
        let rows = new_rows(db, &attribute, rows)?;
        checked.push((attribute, rows));
    }
    let composites = composite_columns(db, &checked)?;
    for (attribute, rows) in checked.iter().chain(&composites) {
        if attribute.unique.is_some() {
            check_unique(db, attribute, rows)?;
        }
    }
    retract_composites(db, &composites, t, datoms)?;
    for (attribute, rows) in checked.into_iter().chain(composites) {
        datoms.extend(rows.into_iter().map(|(e, v)| Datom {
            e,
            a: attribute.id,
            v,
            tx: t.tx(),
            added: true,
        }));
    }
    Ok(())
}

/// Refuses a value of another type than the attribute's.
pub(super) fn check_type(attribute: &Attribute, value: &Value) -> Result<(), BulkError> {
    match value.value_type() == attribute.value_type {
        true => Ok(()),
        false => Err(BulkError::WrongType {
            attribute: attribute.ident.clone(),
            value_type: attribute.value_type,
            value: value.clone(),
        }),
    }
}

fn column_attribute(db: &Db, column: &Column) -> Result<Arc<Attribute>, BulkError> {
    let attribute =
        db.schema()
            .attribute(column.attribute)
            .ok_or_else(|| BulkError::UnknownAttribute {
                attribute: column.attribute.to_string(),
            })?;
    if attribute.is_composite() {
        return Err(BulkError::Composite {
            attribute: attribute.ident.clone(),
        });
    }
    if column.entities.len() != column.values.len() {
        return Err(BulkError::Length {
            attribute: attribute.ident.clone(),
            entities: column.entities.len(),
            values: column.values.len(),
        });
    }
    Ok(Arc::clone(attribute))
}

fn check_predicates(db: &Db, attribute: &Attribute, values: &[Value]) -> Result<(), BulkError> {
    for name in &attribute.preds {
        let predicate = attribute_predicate(db, name)?;
        for value in values {
            if predicate(value)? != Edn::Value(Value::Boolean(true)) {
                return Err(BulkError::Predicate {
                    attribute: attribute.ident.clone(),
                    predicate: name.to_string(),
                    value: value.clone(),
                });
            }
        }
    }
    Ok(())
}

type Predicate = dyn Fn(&Value) -> Result<Edn, FunctionError>;

fn attribute_predicate(db: &Db, name: &Symbol) -> Result<Box<Predicate>, FunctionError> {
    match db.functions().get(name) {
        Some(function @ (Function::AttributePredicate(_) | Function::Query(_))) => {
            Ok(Box::new(move |value| {
                function
                    .of_value(value)
                    .expect("invariant: these kinds are over values")
            }))
        }
        _ => Err(FunctionError {
            category: datomite_model::Category::NotFound,
            code: Some(Keyword::new(Some("db.error"), "not-found")),
            message: format!("no predicate {name} is registered"),
        }),
    }
}

/// The rows that say something new. A second value of a cardinality-one attribute is refused.
fn new_rows(db: &Db, attribute: &Attribute, rows: Rows) -> Result<Rows, BulkError> {
    let rows = match attribute.is_many() {
        true => distinct(rows),
        false => one_each(attribute, rows)?,
    };
    if is_fresh(db, attribute.id, &rows)? {
        return Ok(rows);
    }
    let mut new = Vec::with_capacity(rows.len());
    for (e, v) in rows {
        let known = match attribute.is_many() {
            true => db.datom_of_value(e, attribute.id, &v)?,
            false => db.datoms_of_attribute(e, attribute.id)?.into_iter().next(),
        };
        match known {
            None => new.push((e, v)),
            Some(datom) if datom.v.datomic_eq(&v) => {}
            Some(datom) => {
                return Err(BulkError::SecondValue {
                    entity: e,
                    attribute: attribute.ident.clone(),
                    first: datom.v,
                    second: v,
                });
            }
        }
    }
    Ok(new)
}

/// Whether the entities are strictly ascending.
fn ascends(rows: &Rows) -> bool {
    rows.windows(2).all(|pair| pair[0].0 < pair[1].0)
}

fn distinct(rows: Rows) -> Rows {
    if ascends(&rows) {
        return rows;
    }
    let mut seen: FxHashSet<(EntityId, Value)> = FxHashSet::default();
    rows.into_iter()
        .filter(|row| seen.insert(row.clone()))
        .collect()
}

fn one_each(attribute: &Attribute, rows: Rows) -> Result<Rows, BulkError> {
    if ascends(&rows) {
        return Ok(rows);
    }
    let mut seen: FxHashMap<EntityId, Value> = FxHashMap::default();
    let mut one = Vec::with_capacity(rows.len());
    for (e, v) in rows {
        match seen.get(&e) {
            None => {
                seen.insert(e, v.clone());
                one.push((e, v));
            }
            Some(first) if first.datomic_eq(&v) => {}
            Some(first) => {
                return Err(BulkError::SecondValue {
                    entity: e,
                    attribute: attribute.ident.clone(),
                    first: first.clone(),
                    second: v,
                });
            }
        }
    }
    Ok(one)
}

/// Whether none of the entities has the attribute, by one count over their stretch of AEVT.
fn is_fresh(db: &Db, a: EntityId, rows: &Rows) -> Result<bool, DbError> {
    let ids = || rows.iter().map(|(e, _)| *e);
    let (Some(first), Some(last)) = (ids().min(), ids().max()) else {
        return Ok(true);
    };
    let at = |e, side| Bound {
        e: Some(e),
        a: Some(a),
        v: None,
        side,
    };
    let range = KeyRange {
        lo: at(first, Side::Before),
        hi: at(last, Side::After),
    };
    Ok(db.basis.current(Index::Aevt).count(&range)? == 0)
}

fn check_unique(db: &Db, attribute: &Attribute, rows: &Rows) -> Result<(), BulkError> {
    let conflict = |value: &Value, existing, asserted| BulkError::UniqueConflict {
        attribute: attribute.ident.clone(),
        value: value.clone(),
        existing,
        asserted,
    };
    let mut sorted: Vec<&(EntityId, Value)> = rows.iter().collect();
    sorted.sort_by(|x, y| x.1.storage_cmp(&y.1));
    for pair in sorted.windows(2) {
        let ((first, v), (second, w)) = (pair[0], pair[1]);
        if first != second && v.datomic_eq(w) {
            return Err(conflict(w, *first, *second));
        }
    }
    let whole = KeyRange::prefix(None, Some(attribute.id), None);
    if db.basis().count(Index::Avet, &whole)? == 0 {
        return Ok(());
    }
    for (e, v) in sorted {
        if let Some(existing) = db.basis().holder(attribute.id, v)?
            && existing != *e
        {
            return Err(conflict(v, existing, *e));
        }
    }
    Ok(())
}

/// The composite tuples of the entities that get a part.
fn composite_columns(
    db: &Db,
    columns: &[(Arc<Attribute>, Rows)],
) -> Result<Vec<(Arc<Attribute>, Rows)>, BulkError> {
    let mut wanted: Vec<EntityId> = columns
        .iter()
        .flat_map(|(attribute, _)| db.schema().composites_of(attribute.id))
        .copied()
        .collect();
    wanted.sort();
    wanted.dedup();
    let mut composites = Vec::new();
    for id in wanted {
        let Some(attribute) = db.schema().attribute(id) else {
            continue;
        };
        if let Some(TupleKind::Composite(parts)) = &attribute.tuple {
            let rows = composite_rows(db, parts, columns)?;
            composites.push((Arc::clone(attribute), changed(db, id, rows)?));
        }
    }
    Ok(composites)
}

fn composite_rows(
    db: &Db,
    parts: &[EntityId],
    columns: &[(Arc<Attribute>, Rows)],
) -> Result<Rows, BulkError> {
    let mut order: Vec<EntityId> = Vec::new();
    let mut slots: FxHashMap<EntityId, Vec<Option<Value>>> = FxHashMap::default();
    for (slot, part) in parts.iter().enumerate() {
        let column = columns
            .iter()
            .filter(|(attribute, _)| attribute.id == *part);
        for (e, v) in column.flat_map(|(_, rows)| rows) {
            let tuple = slots.entry(*e).or_insert_with(|| {
                order.push(*e);
                vec![None; parts.len()]
            });
            tuple[slot] = Some(v.clone());
        }
    }
    let mut rows = Vec::with_capacity(order.len());
    for e in order {
        let mut tuple = slots.remove(&e).unwrap_or_default();
        for (slot, part) in tuple.iter_mut().zip(parts) {
            if slot.is_none() {
                let known = db.datoms_of_attribute(e, *part)?;
                *slot = known.into_iter().next().map(|datom| datom.v);
            }
        }
        rows.push((e, Value::Tuple(tuple.into())));
    }
    Ok(rows)
}

/// Composites that are not stored as they are already.
fn changed(db: &Db, a: EntityId, rows: Rows) -> Result<Rows, BulkError> {
    if is_fresh(db, a, &rows)? {
        return Ok(rows);
    }
    let mut new = Vec::with_capacity(rows.len());
    for (e, v) in rows {
        let known = db.datoms_of_attribute(e, a)?;
        if known.first().is_none_or(|datom| datom.v != v) {
            new.push((e, v));
        }
    }
    Ok(new)
}

/// A composite that changes gives up its old value.
fn retract_composites(
    db: &Db,
    composites: &[(Arc<Attribute>, Rows)],
    t: T,
    datoms: &mut Vec<Datom>,
) -> Result<(), BulkError> {
    for (attribute, rows) in composites {
        if is_fresh(db, attribute.id, rows)? {
            continue;
        }
        for (e, _) in rows {
            for known in db.datoms_of_attribute(*e, attribute.id)? {
                datoms.push(Datom {
                    tx: t.tx(),
                    added: false,
                    ..known
                });
            }
        }
    }
    Ok(())
}
