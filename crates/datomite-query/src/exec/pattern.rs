//! Patterns over a database: which index to read, and how its rows meet the rows so far.
//!
//! Four ways. `scan`: nothing that is bound narrows the range; read it and join. `merge`: the
//! entity is bound and many of the attribute's rows are wanted; walk AEVT and the sorted keys
//! together. `each`: few keys; one range for each row. `sets`: an indexed value constant; the
//! entities that have it, joined.

use datomite_db::{Bound, Db, KeyRange, Side, ViewRun, equal_range};
use datomite_model::{Attribute, Edn, EntityId, Index, T, Value, ValueType};
use rustc_hash::FxHashMap;

use super::values::{Values, equals, is_whole};
use super::{Exec, join};
use crate::QueryError;
use crate::ast::Var;
use crate::builtins::clj;
use crate::error::Place;
use crate::explain::Operator;
use crate::meet::Meet;
use crate::options::Limits;
use crate::plan::{PatternOp, Pos, entity, keyword, scalar};
use crate::relation::{Col, Kind, Relation, words_in};
use crate::sort::sorted;

/// A range for each key costs as much as walking past this many rows of an attribute (0.45 µs
/// against 3 ns, measured on 20,000 rows).
const EACH_ROWS: u64 = 128;

/// One key for each row, where a position is bound or constant.
enum Keys {
    None,
    One(u64),
    Each(Vec<u64>),
}

/// The rows that an index gave, by column, each with the row so far that it belongs to.
struct Batch {
    rows: Vec<u32>,
    e: Option<Vec<u64>>,
    a: Option<Vec<u64>>,
    v: Option<Values>,
    t: Option<Vec<u64>>,
    added: Option<Vec<u64>>,
}

/// Variables and the columns to join them on.
type KeyCols = (Vec<Var>, Vec<Col>);

struct Pattern<'a> {
    exec: &'a Exec<'a>,
    db: &'a Db,
    op: &'a PatternOp,
    place: &'a Place,
    /// One row for each row so far is enough: nothing new is bound.
    exists: bool,
    /// Equal rows of the view are proved to be one: the present.
    proofs: bool,
}

/// Whether a pattern reads idents: the bootstrap gives two entities a second one, under the name
/// that they had before, so that `:db/ident` has one value of an entity only nearly everywhere.
fn names_twice(op: &PatternOp) -> bool {
    let attribute = op.attribute.as_ref();
    attribute.is_some_and(|a| a.ident.as_str() == "db/ident")
}

/// Runs a pattern over the rows so far.
pub(super) fn run(
    exec: &Exec<'_>,
    db: &Db,
    op: &PatternOp,
    place: &std::sync::Arc<Place>,
    rows: Relation,
) -> Result<Relation, QueryError> {
    let pattern = Pattern {
        exec,
        db,
        op,
        place,
        exists: !op.terms.iter().any(|term| matches!(term, Pos::Free(_))),
        proofs: db.is_present() && !names_twice(op),
    };
    if op.never || rows.len == 0 {
        return Ok(pattern.nothing(rows));
    }
    let e = match (&op.terms[0], op.e) {
        (_, Some(id)) => Keys::One(id),
        (Pos::Bound(var), None) => {
            Keys::Each(resolve_col(db, column(&rows, *var), rows.len, place)?)
        }
        _ => Keys::None,
    };
    match (&op.attribute, e) {
        (Some(attribute), Keys::Each(keys)) => pattern.by_entity(attribute, keys, rows),
        (Some(attribute), Keys::None) if matches!(op.terms[2], Pos::Bound(_)) && op.v.is_none() => {
            pattern.by_value(attribute, rows, place)
        }
        (Some(_), _) => pattern.scan(rows),
        (None, e) => pattern.any_attribute(e, rows, place),
    }
}

fn column(rows: &Relation, var: Var) -> &Col {
    rows.col(var)
        .expect("invariant: a bound variable has a column")
}

/// The column as entity ids; what is no number is resolved, once for each distinct form.
fn resolve_col(
    db: &Db,
    col: &Col,
    len: usize,
    place: &std::sync::Arc<Place>,
) -> Result<Vec<u64>, QueryError> {
    if let Some(ids) = col.ids(len) {
        return Ok(ids);
    }
    if let Col::Const(form) = col {
        return Ok(vec![resolve(db, form, place)?; len]);
    }
    let mut known: FxHashMap<Edn, u64> = FxHashMap::default();
    let mut ids = Vec::with_capacity(len);
    for row in 0..len {
        let form = col.get(row);
        let id = match known.get(&form) {
            Some(id) => *id,
            None => {
                let id = resolve(db, &form, place)?;
                known.insert(form, id);
                id
            }
        };
        ids.push(id);
    }
    Ok(ids)
}

/// No entity has this id; nil among the arguments means it.
const NOBODY: u64 = u64::MAX;

fn resolve(db: &Db, form: &Edn, place: &std::sync::Arc<Place>) -> Result<u64, QueryError> {
    match form {
        Edn::Nil => Ok(NOBODY),
        _ => entity(db, form, place),
    }
}

impl Pattern<'_> {
    fn nothing(&self, rows: Relation) -> Relation {
        let mut vars = rows.vars;
        for term in &self.op.terms {
            if let Pos::Free(var) = term {
                crate::ast::push_new(&mut vars, *var);
            }
        }
        Relation::empty(vars)
    }

    /// A batch with the columns that the terms need; `keyed` positions are already matched.
    fn batch(&self, keyed: [bool; 3]) -> Batch {
        let needs = |at: usize| match &self.op.terms[at] {
            Pos::Free(_) => true,
            Pos::Bound(_) => {
                // A variable with one known value is a constant of the range or of `passes`.
                let constant = match at {
                    0 => self.op.e.is_some(),
                    1 => self.op.attribute.is_some(),
                    2 => self.op.v.is_some(),
                    _ => false,
                };
                !constant && !keyed.get(at).copied().unwrap_or(false)
            }
            Pos::Blank | Pos::Const(_) => false,
        };
        let value_type = self.op.attribute.as_ref().map(|a| a.value_type);
        Batch {
            rows: Vec::new(),
            e: needs(0).then(Vec::new),
            a: needs(1).then(Vec::new),
            v: needs(2).then(|| Values::new(value_type)),
            t: needs(3).then(Vec::new),
            added: needs(4).then(Vec::new),
        }
    }

    /// Whether every row of the range passes.
    fn is_plain(&self, value_in_range: bool) -> bool {
        let op = self.op;
        let value = value_in_range || !matches!(op.terms[2], Pos::Const(_)) && op.v.is_none();
        value
            && !op.terms[3..]
                .iter()
                .any(|term| matches!(term, Pos::Const(_)))
    }

    /// Whether a row passes the constants that the range does not already apply.
    fn passes(&self, run: &ViewRun<'_>, row: usize, value_in_range: bool) -> bool {
        let op = self.op;
        let value = match (&op.v, &op.terms[2]) {
            _ if value_in_range => true,
            (Some(value), _) => equals(run.v(row), value),
            (None, Pos::Const(form)) => Meet::Stored.forms(&Edn::from(run.v(row).to_value()), form),
            _ => true,
        };
        value
            && match &op.terms[3] {
                Pos::Const(form) => crate::meet::integer(form) == Some(run.tx(row).raw() as i64),
                _ => true,
            }
            && match &op.terms[4] {
                Pos::Const(form) => clj::is_true(form) == run.added(row),
                _ => true,
            }
    }

    /// Reads a whole range into a batch, every row belonging to `row`.
    fn read(
        &self,
        index: Index,
        range: &KeyRange,
        value_in_range: bool,
        row: u32,
        batch: &mut Batch,
    ) -> Result<(), QueryError> {
        self.exec.limits.tick()?;
        let mut runs = self.db.runs(index, range);
        let plain = self.is_plain(value_in_range);
        let mut picks: Vec<u32> = Vec::new();
        while let Some(run) = runs.next()? {
            picks.clear();
            if plain {
                picks.extend(0..run.len() as u32);
            } else {
                let kept = (0..run.len()).filter(|at| self.passes(&run, *at, value_in_range));
                picks.extend(kept.map(|at| at as u32));
            }
            batch.take(&run, &picks);
            batch.rows.resize(batch.rows.len() + picks.len(), row);
            self.grown(batch)?;
        }
        Ok(())
    }

    /// Ends the query where a batch has grown too large.
    fn grown(&self, batch: &Batch) -> Result<(), QueryError> {
        let limits = self.exec.limits;
        limits.rows(batch.rows.len())?;
        limits.bytes(batch.row_bytes().saturating_mul(batch.rows.len() as u64))
    }

    /// The range that the constants leave, its index, and whether it applies the value.
    fn constant_range(&self) -> (Index, KeyRange, bool) {
        let e = self.op.e.map(EntityId::new);
        let a = self.op.attribute.as_ref().map(|a| a.id);
        let v = self.op.v.clone();
        match (&self.op.attribute, e) {
            (_, Some(_)) => {
                let exact = a.is_some() && v.as_ref().is_some_and(is_one_place);
                let range = KeyRange::prefix(e, a, v.filter(|_| exact));
                (Index::Eavt, range, exact)
            }
            (Some(attribute), None) if v.is_some() && attribute.has_avet() => {
                let (range, exact) = places(attribute, v);
                (Index::Avet, range, exact)
            }
            (Some(attribute), None) if v.is_some() && attribute.is_ref() => {
                (Index::Vaet, KeyRange::prefix(None, a, v), true)
            }
            (Some(attribute), None) if self.op.narrowed.is_some() => {
                let range = self.op.narrowed.range(attribute.id);
                (Index::Avet, range, false)
            }
            _ => (Index::Aevt, KeyRange::prefix(None, a, None), false),
        }
    }

    /// Reads what the constants leave and joins it with the rows so far.
    fn scan(&self, rows: Relation) -> Result<Relation, QueryError> {
        let (index, range, exact) = self.constant_range();
        self.exec.uses(Operator::Scan, index);
        let mut batch = self.batch([false; 3]);
        self.read(index, &range, exact, 0, &mut batch)?;
        let mut found = self.relation(batch)?;
        if index == Index::Aevt || (exact && index != Index::Eavt) {
            found.sorted_by = self.var(0);
        }
        self.prove(&mut found);
        if self.exists && found.vars.is_empty() {
            found.len = found.len.min(1);
        }
        let keys = self.resolved_keys(&rows)?;
        let limits = self.exec.limits;
        let _held = limits.hold(rows.bytes().saturating_add(found.bytes()));
        match keys {
            None => join::join(rows, found, Meet::Stored, limits),
            Some((vars, cols)) => join_resolved(rows, &vars, &cols, &found, limits),
        }
    }

    /// A bound column as values of the attribute, where it must be read so: as entities or as
    /// keywords. Nothing equals the nil of what cannot be read.
    fn read_as_value(
        &self,
        col: &Col,
        len: usize,
        place: &std::sync::Arc<Place>,
    ) -> Result<Option<Col>, QueryError> {
        let value_type = self.op.attribute.as_ref().map(|a| a.value_type);
        match value_type {
            Some(ValueType::Ref) if col.ids(0).is_some() => Ok(None),
            Some(ValueType::Ref) if self.op.coerces => {
                let ids = resolve_col(self.db, col, len, place)?;
                Ok(Some(Col::Word(Kind::Ref, ids)))
            }
            Some(ValueType::Keyword) if !matches!(col, Col::Code(..)) => {
                let read = |form: Edn| match form {
                    form if !clj::is_true(&form) => Ok(Edn::Nil),
                    form if self.op.coerces => Ok(Edn::from(keyword(&form)?)),
                    form => Ok(form),
                };
                let forms: Result<Vec<Edn>, QueryError> =
                    col.forms(len).into_iter().map(read).collect();
                Ok(Some(Col::Mixed(forms?)))
            }
            _ => Ok(None),
        }
    }

    /// Columns of the rows so far that hold no ids where the pattern has references: resolved.
    fn resolved_keys(&self, rows: &Relation) -> Result<Option<KeyCols>, QueryError> {
        let mut any = false;
        let (mut vars, mut cols) = (Vec::new(), Vec::new());
        for (at, term) in self.op.terms.iter().enumerate() {
            let Pos::Bound(var) = term else { continue };
            let constant = match at {
                0 => self.op.e.is_some(),
                1 => self.op.attribute.is_some(),
                2 => self.op.v.is_some(),
                _ => false,
            };
            if constant {
                continue;
            }
            let col = column(rows, *var);
            let place = std::sync::Arc::new(self.place.clone());
            let read = match at {
                0 | 1 if col.ids(0).is_none() => {
                    let ids = resolve_col(self.db, col, rows.len, &place)?;
                    Some(Col::Word(Kind::Ref, ids))
                }
                2 => self.read_as_value(col, rows.len, &place)?,
                _ => None,
            };
            any |= read.is_some();
            cols.push(read.unwrap_or_else(|| col.clone()));
            vars.push(*var);
        }
        Ok(any.then_some((vars, cols)))
    }

    /// The columns of a batch as a relation of its own; a repeated variable must agree.
    fn relation(&self, batch: Batch) -> Result<Relation, QueryError> {
        let len = batch.rows.len();
        let mut relation = Relation::new(Vec::new(), Vec::new(), len);
        let mut repeated = Vec::new();
        for (term, col) in self.op.terms.iter().zip(batch.columns()) {
            let (Pos::Free(var) | Pos::Bound(var), Some(col)) = (term, col) else {
                continue;
            };
            if relation.has(*var) {
                repeated.push((*var, col));
            } else {
                relation.push(*var, col);
            }
        }
        if repeated.is_empty() {
            return Ok(relation);
        }
        let mut keep = vec![true; len];
        for (var, col) in &repeated {
            let first = column(&relation, *var);
            for (row, keep) in keep.iter_mut().enumerate() {
                *keep &= first.eq_rows(row, col, row, Meet::Stored);
            }
        }
        relation.filter(self.exec.limits, |row| keep[row])
    }

    fn var(&self, at: usize) -> Option<Var> {
        match &self.op.terms[at] {
            Pos::Free(var) | Pos::Bound(var) => Some(*var),
            _ => None,
        }
    }

    /// Records what is known of the rows of one attribute on the present.
    fn prove(&self, found: &mut Relation) {
        let Some(attribute) = self.op.attribute.as_ref().filter(|_| self.proofs) else {
            return;
        };
        let (e, v) = (self.var(0), self.var(2));
        let value_fixed = self.op.v.is_some();
        let entity_fixed = self.op.e.is_some();
        found.key = match (e, v) {
            (Some(e), _) if !attribute.is_many() || value_fixed => Some(vec![e]),
            (Some(e), Some(v)) => Some(vec![e, v]),
            (None, Some(v)) if entity_fixed || attribute.unique.is_some() => Some(vec![v]),
            (None, None) if entity_fixed && value_fixed => Some(Vec::new()),
            _ => None,
        };
        if let (Some(e), Some(v)) = (e, v) {
            self.prove_pair(found, attribute, e, v);
        }
    }

    fn prove_pair(&self, found: &mut Relation, attribute: &Attribute, e: Var, v: Var) {
        if !attribute.is_many() {
            found.depends(e, v);
            if let Some(t) = self.var(3) {
                found.depends(e, t);
            }
        }
        if attribute.unique.is_some() {
            found.depends(v, e);
        }
    }

    /// The entity of each row is known: AEVT by merge, or a range for each row.
    fn by_entity(
        &self,
        attribute: &Attribute,
        keys: Vec<u64>,
        rows: Relation,
    ) -> Result<Relation, QueryError> {
        if let Some(value) = &self.op.v
            && (attribute.has_avet() || attribute.is_ref())
            && keys.len() as u64 * 8 > self.op.total.min(64)
        {
            return self.by_value_set(attribute, value, keys, rows);
        }
        let mut batch = self.batch([true, false, false]);
        let few = (keys.len() as u64) < 4 || (keys.len() as u64) * EACH_ROWS < self.op.total;
        if few {
            self.exec.uses(Operator::EachEntity, Index::Eavt);
            let a = Some(attribute.id);
            let v = self.op.v.clone().filter(is_one_place);
            let exact = v.is_some();
            for (row, key) in keys.iter().enumerate() {
                let range = KeyRange::prefix(Some(EntityId::new(*key)), a, v.clone());
                self.read(Index::Eavt, &range, exact, row as u32, &mut batch)?;
                batch.keep_one(self.exists_only(), row as u32);
            }
        } else {
            self.merge(attribute, &keys, &mut batch)?;
        }
        let found = std::mem::take(&mut batch.rows);
        self.attach(rows, &found, batch)
    }

    /// Whether a second match of the same row adds nothing.
    fn exists_only(&self) -> bool {
        self.exists
            && !self.op.terms[2..]
                .iter()
                .any(|t| matches!(t, Pos::Bound(_)))
    }

    /// The entities with the value, from its index, against the keys.
    fn by_value_set(
        &self,
        attribute: &Attribute,
        value: &Value,
        keys: Vec<u64>,
        rows: Relation,
    ) -> Result<Relation, QueryError> {
        let index = if attribute.has_avet() {
            Index::Avet
        } else {
            Index::Vaet
        };
        self.exec.uses(Operator::ValueSet, index);
        let (range, exact) = places(attribute, Some(value.clone()));
        let mut batch = self.batch([true, false, false]);
        batch.e = Some(Vec::new());
        self.read(index, &range, exact, 0, &mut batch)?;
        let e = batch.e.take().unwrap_or_default();
        let keys = Col::Word(Kind::Ref, keys);
        let found = Col::Word(Kind::Ref, e);
        let len = batch.rows.len();
        let limits = self.exec.limits;
        let mut pairs = join::pairs(&[&keys], rows.len, &[&found], len, Meet::Stored, limits)?;
        if self.exists_only() {
            let mut last = u32::MAX;
            pairs
                .left
                .retain(|row| std::mem::replace(&mut last, *row) != *row);
            pairs.right.clear();
        } else {
            batch = batch.gather(&pairs.right, self.exec.limits)?;
        }
        self.attach(rows, &pairs.left, batch)
    }

    /// Walks AEVT and the sorted keys together.
    fn merge(
        &self,
        attribute: &Attribute,
        keys: &[u64],
        batch: &mut Batch,
    ) -> Result<(), QueryError> {
        self.exec.uses(Operator::Merge, Index::Aevt);
        let mut merge = Merge::new(keys, self.exists_only(), self.exec.limits)?;
        merge.one_row = self.proofs && !attribute.is_many();
        let plain = self.is_plain(false);
        let range = entities(attribute, merge.key(0), merge.key(keys.len() - 1));
        let mut runs = self.db.runs(Index::Aevt, &range);
        while let Some(run) = runs.next()? {
            if run.is_empty() {
                continue;
            }
            merge.ids.clear();
            merge.picks.clear();
            run.read_e(0..run.len(), &mut merge.ids);
            if !(plain && merge.take_whole(&mut batch.rows)) {
                merge.take_matches(&mut batch.rows, |row| self.passes(&run, row, false));
            }
            batch.take(&run, &merge.picks);
            self.grown(batch)?;
        }
        if !merge.sorted {
            batch.restore_order(self.exec.limits)?;
        }
        Ok(())
    }

    /// The value of each row is known and the entity is not.
    fn by_value(
        &self,
        attribute: &Attribute,
        rows: Relation,
        place: &std::sync::Arc<Place>,
    ) -> Result<Relation, QueryError> {
        let Pos::Bound(var) = &self.op.terms[2] else {
            return self.scan(rows);
        };
        let indexed = attribute.has_avet() || attribute.is_ref();
        if !indexed || rows.len as u64 * 8 > self.op.total {
            return self.scan(rows);
        }
        let col = column(&rows, *var);
        let index = if attribute.is_ref() {
            Index::Vaet
        } else {
            Index::Avet
        };
        self.exec.uses(Operator::EachValue, index);
        let read = self.read_as_value(col, rows.len, place)?;
        let col = read.as_ref().unwrap_or(col);
        // Where values of several places are equal, `attach` compares them.
        let exact = attribute.value_type != ValueType::Uri;
        let mut batch = self.batch([false, false, exact]);
        for row in 0..rows.len {
            let Some(value) = typed(attribute, &col.get(row)) else {
                continue;
            };
            let (range, _) = places(attribute, Some(value));
            self.read(index, &range, true, row as u32, &mut batch)?;
            batch.keep_one(exact && self.exists_only(), row as u32);
        }
        let found = std::mem::take(&mut batch.rows);
        self.attach(rows, &found, batch)
    }

    /// The attribute is not known before the rows are: a range for each row.
    fn any_attribute(
        &self,
        e: Keys,
        rows: Relation,
        place: &std::sync::Arc<Place>,
    ) -> Result<Relation, QueryError> {
        let attributes = match &self.op.terms[1] {
            Pos::Bound(var) => Some(resolve_col(self.db, column(&rows, *var), rows.len, place)?),
            _ => None,
        };
        let keyed = [!matches!(e, Keys::None), attributes.is_some(), false];
        let mut batch = self.batch(keyed);
        for row in 0..rows.len {
            let entity = match &e {
                Keys::None => None,
                Keys::One(id) => Some(*id),
                Keys::Each(ids) => Some(ids[row]),
            };
            let a = attributes.as_ref().map(|ids| ids[row]);
            self.read_row(entity, a, &rows, row, &mut batch)?;
            batch.keep_one(self.exists_only(), row as u32);
        }
        let found = std::mem::take(&mut batch.rows);
        self.attach(rows, &found, batch)
    }

    fn read_row(
        &self,
        e: Option<u64>,
        a: Option<u64>,
        rows: &Relation,
        row: usize,
        batch: &mut Batch,
    ) -> Result<(), QueryError> {
        let (e, a) = (e.map(EntityId::new), a.map(EntityId::new));
        let row_id = row as u32;
        if e.is_some() {
            let range = KeyRange::prefix(e, a, None);
            self.exec.uses(Operator::AnyAttribute, Index::Eavt);
            return self.read(Index::Eavt, &range, false, row_id, batch);
        }
        let form = match &self.op.terms[2] {
            Pos::Const(form) => Some(form.clone()),
            Pos::Bound(var) => Some(column(rows, *var).get(row)),
            _ => None,
        };
        let attribute = a.and_then(|id| self.db.schema().attribute(id));
        match (a, attribute, form) {
            (Some(_), None, _) => Ok(()),
            (Some(_), Some(attribute), Some(form))
                if attribute.has_avet() && attribute.value_type != ValueType::Uri =>
            {
                match typed(attribute, &form) {
                    Some(value) => {
                        let range = KeyRange::prefix(None, a, Some(value));
                        self.exec.uses(Operator::AnyAttribute, Index::Avet);
                        self.read(Index::Avet, &range, true, row_id, batch)
                    }
                    None => Ok(()),
                }
            }
            (Some(_), Some(_), _) => {
                let range = KeyRange::prefix(None, a, None);
                self.exec.uses(Operator::AnyAttribute, Index::Aevt);
                self.read(Index::Aevt, &range, false, row_id, batch)
            }
            (None, _, form) => match form.as_ref().and_then(crate::meet::integer) {
                Some(id) => {
                    let value = Value::Ref(EntityId::new(id as u64));
                    let range = KeyRange::prefix(None, None, Some(value));
                    self.exec.uses(Operator::AnyAttribute, Index::Vaet);
                    self.read(Index::Vaet, &range, true, row_id, batch)
                }
                None => Ok(()),
            },
        }
    }

    /// The rows so far that matched, with the new columns; bound positions must agree.
    fn attach(&self, rows: Relation, found: &[u32], batch: Batch) -> Result<Relation, QueryError> {
        let unchanged = found.len() == rows.len && found.iter().zip(0..).all(|(a, b)| *a == b);
        let key_before = rows.key.clone();
        let one_each = unchanged || found.windows(2).all(|w| w[0] < w[1]);
        let mut result = if unchanged {
            rows
        } else {
            rows.gather(found, one_each, &mut self.exec.limits.growth())?
        };
        let mut keep: Option<Vec<bool>> = None;
        for (at, (term, col)) in self.op.terms.iter().zip(batch.columns()).enumerate() {
            let Some(col) = col else { continue };
            match term {
                Pos::Free(var) if !result.has(*var) => result.push(*var, col),
                Pos::Free(var) | Pos::Bound(var) => {
                    let mut known = column(&result, *var);
                    let read;
                    if at == 2 {
                        let place = std::sync::Arc::new(self.place.clone());
                        read = self.read_as_value(known, result.len, &place)?;
                        known = read.as_ref().unwrap_or(known);
                    }
                    let keep = keep.get_or_insert_with(|| vec![true; result.len]);
                    for (row, keep) in keep.iter_mut().enumerate() {
                        *keep &= known.eq_rows(row, &col, row, Meet::Stored);
                    }
                }
                Pos::Blank | Pos::Const(_) => {}
            }
        }
        result.key = self.key_after(key_before, one_each);
        self.depend(&mut result);
        match keep {
            Some(keep) => result.filter(self.exec.limits, |row| keep[row]),
            None => Ok(result),
        }
    }

    /// The key of the rows after a match: the old one where no row matched twice, else with what
    /// tells the matches apart.
    fn key_after(&self, before: Option<Vec<Var>>, one_each: bool) -> Option<Vec<Var>> {
        let mut key = before?;
        if one_each {
            return Some(key);
        }
        let attribute = self.op.attribute.as_ref().filter(|_| self.proofs)?;
        let (e, v) = (self.var(0), self.var(2));
        for var in [e, v].into_iter().flatten() {
            crate::ast::push_new(&mut key, var);
        }
        let told_apart = match (
            e.is_some() || self.op.e.is_some(),
            v.is_some() || self.op.v.is_some(),
        ) {
            (true, true) => true,
            (true, false) => !attribute.is_many(),
            (false, _) => false,
        };
        told_apart.then_some(key)
    }

    fn depend(&self, result: &mut Relation) {
        let Some(attribute) = self.op.attribute.as_ref().filter(|_| self.proofs) else {
            return;
        };
        if let (Some(e), Some(v)) = (self.var(0), self.var(2)) {
            self.prove_pair(result, attribute, e, v);
        }
    }
}

/// A walk along keys in order, and the runs of an attribute.
struct Merge<'a> {
    keys: &'a [u64],
    /// Whether the keys ascend as they stand.
    sorted: bool,
    /// The keys' positions, by key.
    order: Vec<u32>,
    /// The first key that is not passed.
    at: usize,
    /// One match for each key is enough.
    once: bool,
    last_hit: u32,
    /// Every entity has one row.
    one_row: bool,
    /// The entities of the run.
    ids: Vec<u64>,
    /// Rows of the run that match, one for each match.
    picks: Vec<u32>,
}

impl Merge<'_> {
    fn new<'a>(keys: &'a [u64], once: bool, limits: &Limits) -> Result<Merge<'a>, QueryError> {
        let is_sorted = keys.is_sorted();
        let by_key = |a: &u32, b: &u32| keys[*a as usize].cmp(&keys[*b as usize]);
        let order = match is_sorted {
            true => (0..keys.len() as u32).collect(),
            false => sorted(keys.len(), usize::MAX, by_key, limits)?,
        };
        Ok(Merge {
            keys,
            sorted: is_sorted,
            order,
            at: 0,
            once,
            last_hit: u32::MAX,
            one_row: false,
            ids: Vec::new(),
            picks: Vec::new(),
        })
    }

    fn key(&self, at: usize) -> u64 {
        self.keys[self.order[at] as usize]
    }

    /// Takes the run if its entities, each with one row, are just the next keys; the last key may
    /// repeat.
    fn take_whole(&mut self, found: &mut Vec<u32>) -> bool {
        let (at, len) = (self.at, self.ids.len());
        let mut next = at + len;
        if !self.sorted || !self.one_row || self.keys.get(at..next) != Some(self.ids.as_slice()) {
            return false;
        }
        while self.keys.get(next) == self.ids.last() {
            next += 1;
        }
        self.picks.extend(0..len as u32);
        self.picks.resize(next - at, len as u32 - 1);
        found.extend(at as u32..next as u32);
        self.at = next;
        true
    }

    /// Takes the rows that match and pass. The keys of the run's last entity are kept where it may
    /// go on in the next run.
    fn take_matches(&mut self, found: &mut Vec<u32>, passes: impl Fn(usize) -> bool) {
        let Some(last) = self.ids.last().copied() else {
            return;
        };
        let mut from = 0;
        let mut next = self.at;
        while next < self.order.len() && self.key(next) <= last {
            let wanted = self.key(next);
            from = join::gallop(&self.ids, from, wanted);
            let mut row = from;
            while row < self.ids.len() && self.ids[row] == wanted {
                let fresh = !self.once || self.last_hit != self.order[next];
                if fresh && passes(row) {
                    self.picks.push(row as u32);
                    found.push(self.order[next]);
                    self.last_hit = self.order[next];
                }
                row += 1;
            }
            next += 1;
            if wanted < last || self.one_row {
                self.at = next;
            }
        }
    }
}

/// The rows of an attribute from one entity to another, both included.
fn entities(attribute: &Attribute, first: u64, last: u64) -> KeyRange {
    let bound = |e: u64, side| Bound {
        e: Some(EntityId::new(e)),
        a: Some(attribute.id),
        v: None,
        side,
    };
    KeyRange {
        lo: bound(first, Side::Before),
        hi: bound(last, Side::After),
    }
}

/// Whether what equals the value stands at one place of the index.
fn is_one_place(value: &Value) -> bool {
    !matches!(value, Value::Uri(_))
}

/// The range of AVET or VAET that holds all that equals a value, and whether it holds nothing else.
fn places(attribute: &Attribute, v: Option<Value>) -> (KeyRange, bool) {
    match v {
        Some(uri @ Value::Uri(_)) => (equal_range(None, attribute.id, &uri), false),
        v => (KeyRange::prefix(None, Some(attribute.id), v), true),
    }
}

/// The value of an attribute that joins with a form, without resolving anything.
fn typed(attribute: &Attribute, form: &Edn) -> Option<Value> {
    match attribute.value_type {
        ValueType::Tuple => match form.as_sequence() {
            Some(items) => {
                let slot = |item: &Edn| match item {
                    Edn::Nil => Some(None),
                    Edn::Value(value) => Some(Some(value.clone())),
                    _ => None,
                };
                let slots: Option<Vec<Option<Value>>> = items.iter().map(slot).collect();
                slots.map(|slots| Value::Tuple(slots.into()))
            }
            None => None,
        },
        other => scalar(other, form),
    }
}

/// Joins on columns that were resolved to ids, keeping the rows' own forms.
fn join_resolved(
    rows: Relation,
    vars: &[Var],
    cols: &[Col],
    found: &Relation,
    limits: &Limits,
) -> Result<Relation, QueryError> {
    let left: Vec<&Col> = cols.iter().collect();
    let right: Vec<&Col> = found
        .positions(vars)
        .iter()
        .map(|at| &found.cols[*at])
        .collect();
    let pairs = join::pairs(&left, rows.len, &right, found.len, Meet::Stored, limits)?;
    join::glue(&rows, found, &pairs, limits)
}

impl Batch {
    /// Appends the picked rows of a run.
    fn take(&mut self, run: &ViewRun<'_>, picks: &[u32]) {
        let rows = || picks.iter().map(|row| *row as usize);
        if let Some(e) = &mut self.e {
            if is_whole(run, picks) {
                run.read_e(0..run.len(), e);
            } else {
                e.extend(rows().map(|row| run.e(row).raw()));
            }
        }
        if let Some(a) = &mut self.a {
            a.extend(rows().map(|row| run.a(row).raw()));
        }
        if let Some(v) = &mut self.v {
            v.take(run, picks);
        }
        if let Some(t) = &mut self.t {
            t.extend(rows().map(|row| T::tx(run.t(row)).raw()));
        }
        if let Some(added) = &mut self.added {
            added.extend(rows().map(|row| u64::from(run.added(row))));
        }
    }

    /// The five columns.
    fn columns(self) -> [Option<Col>; 5] {
        [
            self.e.map(|words| Col::Word(Kind::Ref, words)),
            self.a.map(|words| Col::Word(Kind::Ref, words)),
            self.v.map(Values::finish),
            self.t.map(|words| Col::Word(Kind::Ref, words)),
            self.added.map(|words| Col::Word(Kind::Boolean, words)),
        ]
    }

    /// Drops all but one of the matches of the last row, where one is enough.
    fn keep_one(&mut self, once: bool, row: u32) {
        if !once {
            return;
        }
        while let [.., before, last] = self.rows.as_slice()
            && *before == row
            && *last == row
        {
            self.rows.pop();
        }
    }

    fn gather(self, rows: &[u32], limits: &Limits) -> Result<Batch, QueryError> {
        let mut growth = limits.growth();
        let mut words = |col: Option<Vec<u64>>| {
            let col = col.map(|col| words_in(&col, rows, &mut growth));
            col.transpose()
        };
        let (e, a) = (words(self.e)?, words(self.a)?);
        let (t, added) = (words(self.t)?, words(self.added)?);
        let v = match self.v {
            Some(v) => Some(Values::Done(v.finish().gather_in(rows, &mut growth)?)),
            None => None,
        };
        Ok(Batch {
            rows: Vec::new(),
            e,
            a,
            v,
            t,
            added,
        })
    }

    /// Bytes of a row, about.
    fn row_bytes(&self) -> u64 {
        let words = [&self.e, &self.a, &self.t, &self.added];
        let words = words.iter().filter(|col| col.is_some()).count() as u64;
        let value = self.v.as_ref().map_or(0, Values::row_bytes);
        size_of::<u32>() as u64 + 8 * words + value
    }

    /// Puts matches that were found in the order of their keys into the order of the rows.
    fn restore_order(&mut self, limits: &Limits) -> Result<(), QueryError> {
        let by_row = |a: &u32, b: &u32| self.rows[*a as usize].cmp(&self.rows[*b as usize]);
        let order = sorted(self.rows.len(), usize::MAX, by_row, limits)?;
        let rows = order.iter().map(|at| self.rows[*at as usize]).collect();
        let taken = std::mem::replace(
            self,
            Batch {
                rows: Vec::new(),
                e: None,
                a: None,
                v: None,
                t: None,
                added: None,
            },
        );
        *self = taken.gather(&order, limits)?;
        self.rows = rows;
        Ok(())
    }
}
