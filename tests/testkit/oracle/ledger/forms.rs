//! Forms to facts: elements one after another, maps, tempids, lookup refs, values, calls.

use datomite::{Edn, EntityId, Keyword, TupleKind, Unique, Value, ValueType};

use super::names::{PART_TX, PART_USER, partition};
use super::{Attr, Ledger, Op, Step, Stop, Temp, What, Who, refuse};

/// What is read of a transaction.
pub(super) struct Reading<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) ops: Vec<Op>,
    pub(super) temps: Vec<Temp>,
    pub(super) force: Vec<(Edn, u32)>,
    /// Components with their wholes, as maps are nested.
    pub(super) nested: Vec<(Who, Who)>,
}

/// A fact of a map before its values are looked at.
struct Open {
    e: Result<Who, Edn>,
    a: Attr,
    v: Result<Who, Edn>,
}

/// The name that a form is: a keyword, `":a/b"` or a symbol; another string is refused.
fn name_of(form: &Edn) -> Step<Option<Keyword>> {
    Ok(match form {
        Edn::Value(Value::Keyword(name)) => Some(name.clone()),
        Edn::Value(Value::Symbol(name)) => Some(Keyword::new(name.namespace(), name.name())),
        Edn::Value(Value::String(text)) => match text.strip_prefix(':') {
            Some(text) => Some(Keyword::parse(text)),
            None => return refuse("not-a-keyword"),
        },
        _ => None,
    })
}

fn is_id_key(key: &Edn) -> bool {
    matches!(name_of(key), Ok(Some(name)) if name.as_str() == "db/id")
}

impl<'a> Reading<'a> {
    pub(super) fn new(ledger: &'a Ledger) -> Reading<'a> {
        let (ops, temps, force) = (Vec::new(), Vec::new(), Vec::new());
        Reading {
            ledger,
            ops,
            temps,
            force,
            nested: Vec::new(),
        }
    }

    /// Reads all elements.
    pub(super) fn whole(mut self, data: &Edn) -> Step<Reading<'a>> {
        self.elements(data)?;
        Ok(self)
    }

    fn elements(&mut self, data: &Edn) -> Step<()> {
        match data {
            Edn::Nil => Ok(()),
            Edn::List(items) | Edn::Vector(items) => {
                items.iter().try_for_each(|item| self.element(item))
            }
            _ => refuse("not-transaction-data"),
        }
    }

    fn element(&mut self, form: &Edn) -> Step<()> {
        match form {
            Edn::List(parts) | Edn::Vector(parts) => self.list(parts),
            Edn::Map(entries) if entries.iter().any(|(key, _)| is_directive(key)) => {
                self.directive(entries)
            }
            Edn::Map(entries) => {
                let mut open = Vec::new();
                self.map(entries, None, &mut open)?;
                open.into_iter().try_for_each(|fact| self.close(fact))
            }
            _ => refuse("not-transaction-data"),
        }
    }

    fn list(&mut self, parts: &[Edn]) -> Step<()> {
        let Some(first) = parts.first() else {
            return refuse("");
        };
        let name = match first {
            Edn::Value(Value::Long(1)) => Some(Keyword::parse("db/add")),
            Edn::Value(Value::Long(2)) => Some(Keyword::parse("db/retract")),
            first => name_of(first)?,
        };
        match (name.as_ref().map(Keyword::as_str), parts) {
            (Some("db/add"), [_, e, a, v, ..]) => self.fact(true, e, a, v),
            (Some("db/retract"), [_, e, a, v, ..]) => self.fact(false, e, a, v),
            (Some("db/retract"), [_, e, a]) => self.retract_attribute(e, a),
            (Some("db/add" | "db/retract"), _) => refuse(""),
            _ => self.call(first, &parts[1..]),
        }
    }

    fn fact(&mut self, added: bool, e: &Edn, a: &Edn, v: &Edn) -> Step<()> {
        name_of(a)?;
        let e = self.who(e)?;
        let a = self.attribute(a)?;
        let v = self.what(added, &a, v)?;
        self.ops.push(Op { added, e, a, v });
        Ok(())
    }

    /// The entity that a form names which is no tempid.
    fn known(&self, form: &Edn) -> Step<Option<EntityId>> {
        Ok(match form {
            Edn::Value(Value::Long(n)) => Some(EntityId::new(*n as u64)),
            Edn::Value(Value::Ref(id)) => Some(*id),
            Edn::Value(Value::BigInt(n)) => {
                let n = i64::try_from(n.as_ref()).ok();
                n.map(|n| EntityId::new(n as u64))
            }
            Edn::List(parts) | Edn::Vector(parts) => self.lookup(parts)?,
            Edn::Nil | Edn::Value(Value::Double(_) | Value::Float(_)) => None,
            form => match name_of(form)? {
                Some(name) => self.ledger.entity_named(&name),
                None => return refuse("not-an-entity"),
            },
        })
    }

    fn lookup(&self, parts: &[Edn]) -> Step<Option<EntityId>> {
        let [a, value] = parts else {
            return refuse("invalid-lookup-ref");
        };
        let id = match a {
            Edn::Value(Value::Long(n)) => Some(EntityId::new(*n as u64)),
            a => match name_of(a)? {
                Some(name) => self.ledger.entity_named(&name),
                None => None,
            },
        };
        let Some(id) = id else {
            return refuse("not-an-entity");
        };
        let Some(attr) = self.ledger.attr(id) else {
            return refuse("not-an-attribute");
        };
        if attr.unique.is_none() {
            return refuse("lookup-ref-attr-not-unique");
        }
        if self.ledger.is(attr.id, "db/ident") {
            let name = name_of(value).ok().flatten();
            return Ok(name.and_then(|name| self.ledger.entity_named(&name)));
        }
        let value = self.looked_up(attr, value);
        Ok(value.and_then(|value| self.ledger.holder(id, &value)))
    }

    /// A form as a value to look for; what can equal none is none.
    fn looked_up(&self, attr: &Attr, form: &Edn) -> Option<Value> {
        let scalar = |value_type: ValueType, form: &Edn| match (value_type, form.as_value()?) {
            (ValueType::Long, Value::BigInt(n)) => i64::try_from(n.as_ref()).ok().map(Value::Long),
            (ValueType::Ref, Value::Long(n)) => Some(Value::Ref(EntityId::new(*n as u64))),
            (ValueType::BigInt, Value::Long(n)) => Some(Value::from(datomite::BigInt::from(*n))),
            (ValueType::Float, Value::Double(n)) if f64::from(*n as f32) == *n => {
                Some(Value::Float(*n as f32))
            }
            (ValueType::Double, Value::Float(n)) => Some(Value::Double(f64::from(*n))),
            (value_type, value) => (value.value_type() == value_type).then(|| value.clone()),
        };
        let Some(kind) = &attr.tuple else {
            return scalar(attr.value_type, form);
        };
        let items = form.as_sequence()?;
        let types = self.types(kind, items.len());
        let mut slots = Vec::new();
        for (at, item) in items.iter().enumerate() {
            slots.push(match item {
                Edn::Nil => None,
                item => Some(scalar(*types.get(at)?, item)?),
            });
        }
        Some(Value::Tuple(slots.into()))
    }

    fn attribute(&self, form: &Edn) -> Step<Attr> {
        let Some(id) = self.known(form)? else {
            return refuse("not-an-entity");
        };
        let attr = self.ledger.attr(id);
        attr.cloned().ok_or(Stop::Refused("not-an-attribute"))
    }

    /// The tempid that a form is, if it is one.
    pub(super) fn temp(&mut self, form: &Edn) -> Step<Option<usize>> {
        let (name, part) = match form {
            Edn::Value(Value::String(text)) if !text.starts_with(':') => (Some(form.clone()), None),
            Edn::Value(Value::Long(n)) if *n < 0 => (
                Some(form.clone()),
                Some((*n as u64 >> 42) as u32 & 0xF_FFFF),
            ),
            Edn::Tagged(tag, inner) if tag.as_str() == "db/id" => {
                let parts = inner.as_sequence().unwrap_or_default();
                let part = parts.first().unwrap_or(&Edn::Nil);
                match (self.partition(part)?, parts.get(1)) {
                    (PART_TX, _) => (Some(Edn::string("datomic.tx")), None),
                    (part, Some(_)) => (Some(form.clone()), Some(part)),
                    (part, None) => (None, Some(part)),
                }
            }
            _ => return Ok(None),
        };
        let known = self
            .temps
            .iter()
            .position(|temp| name.is_some() && temp.name == name);
        Ok(Some(known.unwrap_or_else(|| {
            self.temps.push(Temp {
                is_tx: name.as_ref().and_then(Edn::as_str) == Some("datomic.tx"),
                name,
                partition: part,
            });
            self.temps.len() - 1
        })))
    }

    /// The partition that a form names.
    fn partition(&self, form: &Edn) -> Step<u32> {
        let Some(id) = self.known(form)? else {
            return refuse("not-a-db-id");
        };
        if partition(id) != 0 {
            return Ok(partition(id));
        }
        let install = self.ledger.built_in("db.install/partition");
        let mut installed = self.ledger.of_entity(EntityId::new(0), install);
        match installed.any(|value| *value == Value::Ref(id)) {
            true => Ok(id.raw() as u32),
            false => refuse("not-a-partition"),
        }
    }

    fn who(&mut self, form: &Edn) -> Step<Who> {
        if let Some(temp) = self.temp(form)? {
            return Ok(Who::Temp(temp));
        }
        let id = self.known(form)?;
        id.map(Who::Id).ok_or(Stop::Refused("not-an-entity"))
    }

    fn map(
        &mut self,
        entries: &[(Edn, Edn)],
        whole: Option<Who>,
        open: &mut Vec<Open>,
    ) -> Step<Who> {
        check_keys(entries)?;
        let e = self.map_entity(entries, whole)?;
        for (key, value) in entries.iter().filter(|(key, _)| !is_id_key(key)) {
            let name = name_of(key)?;
            let back = name.as_ref().and_then(|name| {
                let forward = name.name().strip_prefix('_')?;
                Some(Edn::from(Keyword::new(name.namespace(), forward)))
            });
            if let Some(forward) = back {
                let a = self.attribute(&forward)?;
                open.push(Open {
                    e: Err(value.clone()),
                    a,
                    v: Ok(e),
                });
                continue;
            }
            let a = self.attribute(key)?;
            match value {
                Edn::Set(items) => {
                    for item in items {
                        self.map_value(e, &a, item, open)?;
                    }
                }
                Edn::List(items) | Edn::Vector(items) if a.many => {
                    for item in items {
                        self.map_value(e, &a, item, open)?;
                    }
                }
                value => self.map_value(e, &a, value, open)?,
            }
        }
        Ok(e)
    }

    fn map_entity(&mut self, entries: &[(Edn, Edn)], whole: Option<Who>) -> Step<Who> {
        let id = entries.iter().find(|(key, _)| is_id_key(key));
        let e = match id {
            Some((_, id)) if !id.is_nil() => self.who(id)?,
            _ => {
                self.temps.push(Temp {
                    name: None,
                    is_tx: false,
                    partition: None,
                });
                Who::Temp(self.temps.len() - 1)
            }
        };
        let is_known = self.nested.iter().any(|(component, _)| *component == e);
        if let Some(whole) = whole.filter(|_| !is_known) {
            self.nested.push((e, whole));
        }
        Ok(e)
    }

    fn map_value(&mut self, e: Who, a: &Attr, value: &Edn, open: &mut Vec<Open>) -> Step<()> {
        let at = open.len();
        open.push(Open {
            e: Ok(e),
            a: a.clone(),
            v: Err(value.clone()),
        });
        if let (ValueType::Ref, Edn::Map(entries)) = (a.value_type, value) {
            self.check_nested(a, entries)?;
            let whole = a.component.then_some(e);
            open[at].v = Ok(self.map(entries, whole, open)?);
        }
        Ok(())
    }

    fn check_nested(&self, a: &Attr, entries: &[(Edn, Edn)]) -> Step<()> {
        check_keys(entries)?;
        if a.component {
            return Ok(());
        }
        if let Some((_, id)) = entries.iter().find(|(key, _)| is_id_key(key)) {
            return if id.is_nil() {
                refuse("not-an-entity")
            } else {
                Ok(())
            };
        }
        for (key, _) in entries {
            if self.attribute(key)?.unique == Some(Unique::Identity) {
                return Ok(());
            }
        }
        refuse("invalid-nested-entity")
    }

    fn close(&mut self, open: Open) -> Step<()> {
        let e = match open.e {
            Ok(e) => e,
            Err(form) => self.who(&form)?,
        };
        let v = match open.v {
            Err(form) => self.what(true, &open.a, &form)?,
            Ok(Who::Temp(temp)) => What::Temp(temp),
            Ok(Who::Id(id)) if open.a.value_type == ValueType::Ref => What::Value(Value::Ref(id)),
            Ok(Who::Id(id)) => What::Value(Value::Long(id.raw() as i64)),
        };
        let (added, a) = (true, open.a);
        self.ops.push(Op { added, e, a, v });
        Ok(())
    }

    /// A value of an attribute.
    pub(super) fn what(&mut self, added: bool, a: &Attr, form: &Edn) -> Step<What> {
        if form.is_nil() {
            return refuse("nil-value");
        }
        if let Some(kind) = &a.tuple {
            return self.tuple(added, kind, form);
        }
        if a.value_type == ValueType::Ref {
            return self.reference(form);
        }
        let wrong = Err(Stop::Refused("wrong-type-for-attribute"));
        let value = match (a.value_type, form) {
            (ValueType::Keyword, Edn::Value(Value::String(_) | Value::Symbol(_))) => {
                name_of(form)?.map(Value::Keyword)
            }
            (ValueType::Float, Edn::Value(Value::Double(n))) => Some(Value::Float(*n as f32)),
            (value_type, form) => {
                let value = form.as_value().filter(|v| v.value_type() == value_type);
                value.cloned()
            }
        };
        value.map_or(wrong, |value| Ok(What::Value(value)))
    }

    fn reference(&mut self, form: &Edn) -> Step<What> {
        Ok(match self.who(form)? {
            Who::Temp(temp) => What::Temp(temp),
            Who::Id(id) => What::Value(Value::Ref(id)),
        })
    }

    fn types(&self, kind: &TupleKind, count: usize) -> Vec<ValueType> {
        match kind {
            TupleKind::Homogeneous(value_type) => vec![*value_type; count],
            TupleKind::Heterogeneous(types) => types.clone(),
            TupleKind::Composite(parts) => {
                let parts = parts.iter().filter_map(|part| self.ledger.attr(*part));
                parts.map(|part| part.value_type).collect()
            }
        }
    }

    fn tuple(&mut self, added: bool, kind: &TupleKind, form: &Edn) -> Step<What> {
        let is_composite = matches!(kind, TupleKind::Composite(_));
        let has_refs = self.types(kind, 1).contains(&ValueType::Ref);
        let items: Vec<Edn> = match form {
            Edn::Vector(items) => items.clone(),
            Edn::List(items) if !added || (has_refs && !is_composite) => items.clone(),
            Edn::Set(items) if !added => items.clone(),
            Edn::Map(entries) if !added && entries.is_empty() => Vec::new(),
            Edn::Value(Value::String(text)) if has_refs && !(added && is_composite) => {
                text.chars().map(Edn::Char).collect()
            }
            _ => return refuse("invalid-tuple-value"),
        };
        let types = self.types(kind, items.len());
        if added && items.len() != types.len() {
            return refuse("invalid-tuple-value");
        }
        let plain = |item: &Edn| item.is_nil() || item.as_value().is_some();
        if added && is_composite && !items.iter().all(plain) {
            return refuse("invalid-tuple-value");
        }
        let mut slots = Vec::new();
        for (at, item) in items.iter().enumerate() {
            slots.push(match (item, types.get(at)) {
                (Edn::Nil, _) => None,
                (item, Some(ValueType::Ref)) => Some(self.reference(item)?),
                (item, _) => match item.as_value() {
                    Some(value) => Some(What::Value(value.clone())),
                    None => Some(What::Value(Value::Tuple(Vec::new().into()))),
                },
            });
        }
        let typed = |(item, value_type): (&Edn, &ValueType)| {
            let own = || {
                item.as_value()
                    .is_some_and(|v| v.value_type() == *value_type)
            };
            item.is_nil() || *value_type == ValueType::Ref || own()
        };
        let fits = (2..=8).contains(&items.len()) && items.iter().zip(&types).all(typed);
        match !added || is_composite || fits {
            true => Ok(What::Tuple(slots)),
            false => refuse("invalid-tuple-value"),
        }
    }

    fn directive(&mut self, entries: &[(Edn, Edn)]) -> Step<()> {
        for (key, value) in entries {
            let Some(pairs) = value.as_map() else {
                return refuse("invalid-force-partition-map");
            };
            if *key == Edn::keyword("db/match-partition") {
                return Err(Stop::Unclear("a matched partition"));
            }
            for (temp, part) in pairs {
                let part = self.partition(part)?;
                self.force.push((temp.clone(), part));
            }
        }
        Ok(())
    }

    fn retract_attribute(&mut self, e: &Edn, a: &Edn) -> Step<()> {
        name_of(a)?;
        let Some(e) = self.held(e)? else {
            self.attribute(a)?;
            return Ok(());
        };
        let Some(e) = e else {
            return refuse("not-an-entity");
        };
        let a = self.attribute(a)?;
        let values: Vec<Value> = self.ledger.of_entity(e, a.id).cloned().collect();
        for value in values {
            self.retract(e, &a, value);
        }
        Ok(())
    }

    fn retract(&mut self, e: EntityId, a: &Attr, value: Value) {
        self.ops.push(Op {
            added: false,
            e: Who::Id(e),
            a: a.clone(),
            v: What::Value(value),
        });
    }

    /// An entity of the database: none for a tempid that is a number, an error for one that is a
    /// string.
    fn held(&mut self, form: &Edn) -> Step<Option<Option<EntityId>>> {
        if let Edn::Value(Value::String(text)) = form
            && !text.starts_with(':')
        {
            return refuse("not-a-keyword");
        }
        match form {
            Edn::Value(Value::Long(n)) if *n < 0 => Ok(None),
            Edn::Tagged(..) => Ok(None),
            // Names nothing: a comparison comes before the question what it is.
            Edn::Value(Value::Boolean(_)) => Ok(Some(None)),
            form => Ok(Some(self.known(form)?)),
        }
    }

    fn call(&mut self, function: &Edn, args: &[Edn]) -> Step<()> {
        if let Edn::Value(Value::Symbol(name)) = function {
            return match (name.namespace(), args) {
                (None, _) => refuse("not-a-data-function"),
                (Some("conformance.fns"), args) => self.registered(name.name(), args),
                _ => refuse(""),
            };
        }
        let id = match function {
            Edn::Nil => None,
            function => self.known(function)?,
        };
        let Some(id) = id else {
            return refuse("not-a-data-function");
        };
        if self.ledger.is(id, "db/retractEntity") {
            return match args {
                [e] => self.retract_entity(e),
                _ => refuse(""),
            };
        }
        if self.ledger.is(id, "db/cas") {
            return match args {
                [e, a, old, new] => self.cas(e, a, old, new),
                _ => refuse(""),
            };
        }
        refuse("not-a-data-function")
    }

    fn registered(&mut self, name: &str, args: &[Edn]) -> Step<()> {
        let data = match (name, args) {
            ("none", _) => return Ok(()),
            ("create-named", [temp, a, v]) => Edn::Map(vec![
                (Edn::keyword("db/id"), temp.clone()),
                (a.clone(), v.clone()),
            ]),
            ("inc-attr" | "inc-twice", [e, a, n]) => {
                let now = match (self.known(e)?, a.as_keyword()) {
                    (Some(id), Some(name)) => {
                        let attr = self.ledger.entity_named(name);
                        attr.and_then(|a| self.ledger.of_entity(id, a).next())
                    }
                    _ => None,
                };
                let now = match now {
                    None => 0,
                    Some(Value::Long(now)) => *now,
                    Some(_) => return refuse(""),
                };
                let sum = Edn::long(now + n.as_long().unwrap_or_default());
                let add = vec![Edn::keyword("db/add"), e.clone(), a.clone(), sum];
                Edn::Vector(add)
            }
            _ => return refuse(""),
        };
        self.element(&data)
    }

    fn retract_entity(&mut self, e: &Edn) -> Step<()> {
        if let Edn::Value(Value::Boolean(_)) = e {
            return Ok(());
        }
        let Some(Some(root)) = self.held(e)? else {
            return Ok(());
        };
        let mut gone = vec![root];
        let mut at = 0;
        while let Some(e) = gone.get(at).copied() {
            at += 1;
            for fact in self.ledger.facts.iter().filter(|fact| fact.e == e) {
                let component = self.ledger.attr(fact.a).is_some_and(|a| a.component);
                if let (true, Value::Ref(part)) = (component, &fact.v)
                    && !gone.contains(part)
                {
                    gone.push(*part);
                }
            }
        }
        let is_gone = |id: &EntityId| gone.contains(id);
        let facts =
            self.ledger.facts.iter().filter(|fact| {
                is_gone(&fact.e) || matches!(&fact.v, Value::Ref(id) if is_gone(id))
            });
        for fact in facts.cloned().collect::<Vec<_>>() {
            if let Some(a) = self.ledger.attr(fact.a).cloned() {
                self.retract(fact.e, &a, fact.v);
            }
        }
        Ok(())
    }

    fn cas(&mut self, e: &Edn, a: &Edn, old: &Edn, new: &Edn) -> Step<()> {
        if e.is_nil() || a.is_nil() || new.is_nil() {
            return refuse("invalid-cas");
        }
        let a = self.attribute(a)?;
        if a.many {
            return refuse("invalid-cas-many");
        }
        let held = self.held(e)?;
        let now = match held {
            Some(Some(id)) => self.ledger.of_entity(id, a.id).next().cloned(),
            _ => None,
        };
        let equal = match (&now, old) {
            (None, Edn::Nil) => true,
            (Some(now), old) => equals(now, old),
            (None, _) => false,
        };
        if !equal {
            return refuse("cas-failed");
        }
        let e = match held {
            Some(Some(id)) => Who::Id(id),
            Some(None) => return refuse("not-an-entity"),
            None => self.who(e)?,
        };
        let v = self.what(true, &a, new)?;
        self.ops.push(Op {
            added: true,
            e,
            a,
            v,
        });
        Ok(())
    }
}

/// Keys are names, and no name stands twice.
fn check_keys(entries: &[(Edn, Edn)]) -> Step<()> {
    let mut keys: Vec<Keyword> = Vec::new();
    for (key, _) in entries {
        if let Some(name) = name_of(key)? {
            if keys.contains(&name) {
                return refuse("map-key-collision");
            }
            keys.push(name);
        }
    }
    Ok(())
}

fn is_directive(key: &Edn) -> bool {
    let names = ["db/force-partition", "db/match-partition"];
    names.iter().any(|name| *key == Edn::keyword(name))
}

/// Clojure's `=` of a stored value and a form.
fn equals(now: &Value, form: &Edn) -> bool {
    match (now, form) {
        (Value::Tuple(slots), Edn::Vector(items) | Edn::List(items)) => {
            let same = |(slot, item): (&Option<Value>, &Edn)| match slot {
                None => item.is_nil(),
                Some(slot) => equals(slot, item),
            };
            slots.len() == items.len() && slots.iter().zip(items).all(same)
        }
        (Value::Long(n), Edn::Value(Value::BigInt(m))) => i64::try_from(m.as_ref()) == Ok(*n),
        (Value::BigInt(m), Edn::Value(Value::Long(n))) => i64::try_from(m.as_ref()) == Ok(*n),
        (Value::Ref(id), Edn::Value(Value::Long(n))) => id.raw() == *n as u64,
        (Value::Float(n), Edn::Value(Value::Double(m))) => f64::from(*n) == *m,
        (now, Edn::Value(old)) => now.value_type() == old.value_type() && now.datomic_eq(old),
        _ => false,
    }
}

/// The partition of new entities that ask for none.
pub(super) const USUAL: u32 = PART_USER;
