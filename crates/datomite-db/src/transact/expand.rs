//! Expansion: maps, nested maps, reverse keys, collections and function calls become one fact each.
//!
//! Functions see the database before the transaction (its view, where there is one) and their
//! arguments, never each other or the rest of the transaction. Elements are read, expanded and
//! resolved one by one, so that of several mistakes the first one written is reported.

use std::sync::Arc;

use datomite_model::{Attribute, Edn, Keyword, Symbol, Unique, Value};
use rustc_hash::FxHashMap;

use super::allocate::check_matching;
use super::builtin;
use super::error::TxError;
use super::op::{Ent, FlatOp, FlatValue, RawOp, TempOp, Tempids};
use super::read::{elements, read};
use super::resolve::{named_partition, place, resolve, resolve_entity, tempid_of};
use super::told::{Form, nearest_functions};
use crate::bootstrap::id;
use crate::ident::ident_form;
use crate::{Db, Function};

/// How deep a function may give calls of functions.
const CALLS_MAX: usize = 100;

/// What the expansion gives: facts, and where new entities go.
#[derive(Default, Debug)]
pub(super) struct Flat {
    pub(super) ops: Vec<TempOp>,
    pub(super) force: Vec<(Edn, Edn)>,
    pub(super) matching: Vec<(Edn, Edn)>,
    /// How many tempids the facts mention; those of `matching` alone come after them.
    pub(super) mentioned: usize,
}

/// Expands all elements.
pub(super) fn expand(db: &Db, tempids: &mut Tempids, elements: Vec<Edn>) -> Result<Flat, TxError> {
    let mut expansion = Expansion {
        db,
        tempids,
        flat: Flat::default(),
        attributes: FxHashMap::default(),
    };
    expansion.all(elements, 0)?;
    let mut flat = expansion.flat;
    flat.mentioned = tempids.len();
    for form in flat.matching.iter().flat_map(|(form, other)| [form, other]) {
        tempid_of(db, tempids, form)?;
    }
    Ok(flat)
}

/// What a function gives for these arguments, without a transaction around it.
pub(super) fn invoke(db: &Db, function: &Edn, args: &[Edn]) -> Result<Edn, TxError> {
    let call = std::iter::once(function).chain(args);
    let form = Arc::new(Edn::Vector(call.cloned().collect()));
    let mut tempids = Tempids::default();
    let mut expansion = Expansion {
        db,
        tempids: &mut tempids,
        flat: Flat::default(),
        attributes: FxHashMap::default(),
    };
    let Some(builtin) = builtin::named(db, function)? else {
        return expansion.invoke(function, args, &form);
    };
    builtin::run(&mut expansion, builtin, args, &form)?;
    let ops = expansion.flat.ops;
    Ok(Edn::Vector(
        ops.iter().map(|op| op.written(&tempids)).collect(),
    ))
}

/// The state of one expansion.
pub(super) struct Expansion<'a> {
    pub(super) db: &'a Db,
    pub(super) tempids: &'a mut Tempids,
    flat: Flat,
    /// Attributes by how they were written: a bulk of maps has few.
    attributes: FxHashMap<Edn, Arc<Attribute>>,
}

/// A key of a map form.
enum MapKey {
    Forward(Arc<Attribute>),
    Reverse(Arc<Attribute>),
}

impl Expansion<'_> {
    /// Elements one after another: a mistake in one hides those in later ones.
    fn all(&mut self, elements: Vec<Edn>, depth: usize) -> Result<(), TxError> {
        for element in elements {
            let (form, done) = match read(element)? {
                RawOp::Fact { added, form } => (Some(Arc::clone(&form)), self.fact(added, &form)),
                RawOp::Map { form } => (Some(Arc::clone(&form)), self.whole_map(&form)),
                RawOp::Call { form } => {
                    let parts = form.as_sequence().unwrap_or_default();
                    let done = match parts {
                        [function, args @ ..] => self.call(function, args, &form, depth),
                        [] => Ok(()),
                    };
                    (Some(form), done)
                }
                RawOp::Partitions { force, matching } => (None, self.partitions(force, matching)),
            };
            done.map_err(|error| match &form {
                Some(form) => error.in_element(form),
                None => error,
            })?;
        }
        Ok(())
    }

    fn partitions(
        &mut self,
        force: Vec<(Edn, Edn)>,
        matching: Vec<(Edn, Edn)>,
    ) -> Result<(), TxError> {
        for (_, partition) in &force {
            named_partition(self.db, partition)?;
        }
        check_matching(self.db, &matching)?;
        self.flat.force.extend(force);
        self.flat.matching.extend(matching);
        Ok(())
    }

    fn fact(&mut self, added: bool, form: &Arc<Edn>) -> Result<(), TxError> {
        if let [_, e, a, v, ..] = form.as_sequence().unwrap_or_default() {
            let (e, v) = (Ent::Form(e.clone()), FlatValue::Form(v.clone()));
            let a = match self.attribute(a) {
                Ok(a) => a,
                Err(error) => {
                    // An entity that is none is told before an attribute that is none.
                    ident_form(a)?;
                    resolve_entity(self.db, self.tempids, e)?;
                    return Err(error);
                }
            };
            self.push(added, e, a, v, form)?;
        }
        Ok(())
    }

    /// Resolves one fact and adds it.
    pub(super) fn push(
        &mut self,
        added: bool,
        e: Ent,
        a: Arc<Attribute>,
        v: FlatValue,
        form: &Arc<Edn>,
    ) -> Result<(), TxError> {
        let op = FlatOp {
            added,
            e,
            a,
            v,
            form: Arc::clone(form),
        };
        self.flat.ops.push(resolve(self.db, self.tempids, op)?);
        Ok(())
    }

    /// The attribute that a form names: keyword, `":a/b"`, symbol, id or `[:db/ident :a/b]`.
    pub(super) fn attribute(&mut self, form: &Edn) -> Result<Arc<Attribute>, TxError> {
        if let Some(known) = self.attributes.get(form) {
            return Ok(Arc::clone(known));
        }
        let id = self.db.require_entid(form)?;
        let attribute = self.db.schema().attribute(id).cloned();
        let attribute = attribute.ok_or_else(|| TxError::NotAnAttribute { form: form.into() })?;
        self.attributes.insert(form.clone(), Arc::clone(&attribute));
        Ok(attribute)
    }

    /// Expands a map form: first its shape with all that is nested in it, then its values.
    fn whole_map(&mut self, form: &Arc<Edn>) -> Result<(), TxError> {
        let mut ops = Vec::new();
        self.map(form.as_map().unwrap_or_default(), None, form, &mut ops)?;
        for op in ops {
            self.flat.ops.push(resolve(self.db, self.tempids, op)?);
        }
        Ok(())
    }

    /// The facts of a map, a nested one's behind the fact that refers to it; gives the entity it
    /// is about.
    fn map(
        &mut self,
        entries: &[(Edn, Edn)],
        whole: Option<&Ent>,
        form: &Arc<Edn>,
        ops: &mut Vec<FlatOp>,
    ) -> Result<Ent, TxError> {
        check_keys(entries, form)?;
        let e = self.map_entity(entries);
        let e = resolve_entity(self.db, self.tempids, e)?;
        if let Some(whole) = whole {
            let component = place(self.db, self.tempids, e.clone())?;
            let whole = place(self.db, self.tempids, whole.clone())?;
            self.tempids.nest(component, whole);
        }
        for (key, value) in entries.iter().filter(|(key, _)| !is_db_id(key)) {
            match self.map_key(key)? {
                MapKey::Forward(a) => self.values(&e, &a, value, form, ops)?,
                MapKey::Reverse(a) => ops.push(FlatOp {
                    added: true,
                    e: Ent::Form(value.clone()),
                    a,
                    v: FlatValue::Entity(e.clone()),
                    form: Arc::clone(form),
                }),
            }
        }
        Ok(e)
    }

    fn map_entity(&mut self, entries: &[(Edn, Edn)]) -> Ent {
        match entries.iter().find(|(key, _)| is_db_id(key)) {
            Some((_, id)) if !id.is_nil() => Ent::Form(id.clone()),
            _ => Ent::Temp(self.tempids.fresh(None)),
        }
    }

    /// A key names an attribute, or with a leading `_` in its name the reverse of one.
    fn map_key(&mut self, key: &Edn) -> Result<MapKey, TxError> {
        if let Ok(Some(name)) = ident_form(key)
            && let Some(forward) = name.name().strip_prefix('_')
        {
            let forward = Keyword::new(name.namespace(), forward);
            let form = Edn::Value(Value::Keyword(forward));
            return Ok(MapKey::Reverse(self.attribute(&form)?));
        }
        Ok(MapKey::Forward(self.attribute(key)?))
    }

    /// Expands the value of a key: a collection of values where the attribute takes one.
    fn values(
        &mut self,
        e: &Ent,
        a: &Arc<Attribute>,
        value: &Edn,
        form: &Arc<Edn>,
        ops: &mut Vec<FlatOp>,
    ) -> Result<(), TxError> {
        match value {
            Edn::Set(items) => items
                .iter()
                .try_for_each(|item| self.value(e, a, item, form, ops)),
            Edn::List(items) | Edn::Vector(items) if a.is_many() => items
                .iter()
                .try_for_each(|item| self.value(e, a, item, form, ops)),
            value => self.value(e, a, value, form, ops),
        }
    }

    fn value(
        &mut self,
        e: &Ent,
        a: &Arc<Attribute>,
        value: &Edn,
        form: &Arc<Edn>,
        ops: &mut Vec<FlatOp>,
    ) -> Result<(), TxError> {
        let at = ops.len();
        ops.push(FlatOp {
            added: true,
            e: e.clone(),
            a: Arc::clone(a),
            v: FlatValue::Form(value.clone()),
            form: Arc::clone(form),
        });
        if let (true, Edn::Map(entries)) = (a.is_ref(), value) {
            self.check_nested(a, entries, value)?;
            let whole = a.is_component.then_some(e);
            ops[at].v = FlatValue::Entity(self.map(entries, whole, form, ops)?);
        }
        Ok(())
    }

    /// A nested map must be a component, have an id, or have an identity.
    fn check_nested(
        &mut self,
        a: &Attribute,
        entries: &[(Edn, Edn)],
        form: &Edn,
    ) -> Result<(), TxError> {
        check_keys(entries, form)?;
        if a.is_component {
            return Ok(());
        }
        if let Some((_, id)) = entries.iter().find(|(key, _)| is_db_id(key)) {
            return match id.is_nil() {
                true => Err(TxError::NotAnEntity {
                    form: Edn::keyword("db/id").into(),
                }),
                false => Ok(()),
            };
        }
        for (key, _) in entries {
            if self.attribute(key)?.unique == Some(Unique::Identity) {
                return Ok(());
            }
        }
        Err(TxError::InvalidNestedEntity {
            attribute: a.ident.clone(),
            form: form.into(),
        })
    }

    fn call(
        &mut self,
        function: &Edn,
        args: &[Edn],
        form: &Arc<Edn>,
        depth: usize,
    ) -> Result<(), TxError> {
        if depth >= CALLS_MAX {
            return Err(TxError::TooManyCalls {
                form: form.into(),
                limit: CALLS_MAX,
            });
        }
        if let Some(builtin) = builtin::named(self.db, function)? {
            return builtin::run(self, builtin, args, form);
        }
        let result = self.invoke(function, args, form)?;
        self.all(elements(result)?, depth + 1)
    }

    fn invoke(&self, function: &Edn, args: &[Edn], form: &Edn) -> Result<Edn, TxError> {
        let name = function_name(self.db, function)?;
        match self.db.functions().get(&name) {
            Some(Function::Transaction(f)) => {
                f(self.db, args).map_err(|error| TxError::FunctionFailed {
                    function: name,
                    form: form.into(),
                    error: Box::new(error),
                })
            }
            _ => Err(TxError::FunctionNotFound {
                nearest: nearest_functions(self.db, &name),
                function: name,
                form: Form::default(),
            }),
        }
    }
}

/// A function is called by qualified symbol; a keyword names a stored one, which we do not run.
fn function_name(db: &Db, function: &Edn) -> Result<Symbol, TxError> {
    if let Some(symbol) = function.as_symbol() {
        if symbol.namespace().is_some() {
            return Ok(symbol.clone());
        }
    } else if is_code(db, function) {
        return Err(TxError::StoredFunction {
            function: function.clone(),
            form: Form::default(),
        });
    }
    Err(TxError::NotADataFunction {
        form: function.into(),
    })
}

/// Whether a form is code, or names an entity that holds code.
fn is_code(db: &Db, function: &Edn) -> bool {
    if let Edn::Tagged(tag, _) = function {
        return tag.as_str() == "db/fn";
    }
    let id = db.entid(function).ok().flatten();
    id.is_some_and(|id| {
        [id::FN, id::CODE].into_iter().any(|a| {
            db.datoms_of_attribute(id, a)
                .is_ok_and(|datoms| !datoms.is_empty())
        })
    })
}

/// Keys are names, and no name stands twice.
fn check_keys(entries: &[(Edn, Edn)], form: &Edn) -> Result<(), TxError> {
    let mut seen: Vec<Keyword> = Vec::with_capacity(entries.len());
    for (key, _) in entries {
        let Some(name) = ident_form(key)? else {
            continue;
        };
        if seen.contains(&name) {
            return Err(TxError::MapKeyCollision {
                key: name,
                form: form.into(),
            });
        }
        seen.push(name);
    }
    Ok(())
}

fn is_db_id(key: &Edn) -> bool {
    matches!(ident_form(key), Ok(Some(name)) if name.as_str() == "db/id")
}
