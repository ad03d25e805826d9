//! Pull, entities and index access over a list of datoms, as plainly as they can be said.
//!
//! Patterns are read as they are followed. Known are the forms that `reads/grow.rs` makes: names,
//! reverse names, `:db/id`, `*`, map specs, recursion, `:as`, `:limit`, `:default`.

use datomite::{Datom, Edn, EntityId, Index, Value, ValueType};

use super::{Attr, Plain};

/// How many values are pulled where nothing is said.
const LIMIT: usize = 1000;

/// What a view shows of the oracle's datoms, sorted.
pub struct Shown<'a> {
    plain: &'a Plain,
    facts: Vec<Datom>,
}

/// One attribute of a pattern.
struct Spec {
    name: String,
    reverse: bool,
    key: Edn,
    limit: usize,
    default: Option<Edn>,
    sub: Option<Edn>,
}

/// A level of a pattern.
struct Level {
    id: bool,
    wildcard: bool,
    specs: Vec<Spec>,
}

/// The way from the first entity of a level, and how often each of its specs may recur.
struct Way {
    here: Edn,
    /// The entities that a recursion was followed from.
    seen: Vec<Edn>,
    left: Vec<i64>,
}

/// Why there is no answer.
#[derive(Debug)]
pub struct Refused;

type Pulled = Result<Option<Edn>, Refused>;

impl<'a> Shown<'a> {
    /// The datoms that a view left.
    pub fn new(plain: &'a Plain, mut facts: Vec<Datom>) -> Shown<'a> {
        facts.sort_by(|x, y| (x.e, x.a, &x.v, y.tx).cmp(&(y.e, y.a, &y.v, x.tx)));
        Shown { plain, facts }
    }

    fn attr(&self, name: &str) -> Option<&Attr> {
        let mut attrs = self.plain.attrs.iter();
        attrs.find(|attr| attr.ident.as_str() == name)
    }

    fn values(&self, e: EntityId, a: EntityId) -> Vec<Value> {
        let facts = self.facts.iter().filter(|fact| fact.e == e && fact.a == a);
        facts.map(|fact| fact.v.clone()).collect()
    }

    fn owners(&self, v: EntityId, a: EntityId) -> Vec<EntityId> {
        let holds = |fact: &&Datom| fact.a == a && fact.v == Value::Ref(v);
        let mut owners: Vec<EntityId> = self.facts.iter().filter(holds).map(|f| f.e).collect();
        owners.sort();
        owners
    }

    /// The entity that a form names: an id, an ident of any time, or a lookup ref of the view.
    pub fn entid(&self, form: &Edn) -> Option<EntityId> {
        match form {
            Edn::Value(Value::Long(n)) => Some(EntityId::new(*n as u64)),
            Edn::Value(Value::Keyword(_)) => {
                let ident = self.attr("db/ident").map(|attr| attr.id);
                let named =
                    |fact: &&Datom| Some(fact.a) == ident && Some(&fact.v) == form.as_value();
                let mut all = self.plain.datoms.iter();
                all.find(named).map(|fact| fact.e)
            }
            _ => {
                let [name, value] = form.as_sequence()? else {
                    return None;
                };
                let attr = self.attr(name.as_keyword()?.as_str())?;
                let holds = |fact: &&Datom| fact.a == attr.id && Some(&fact.v) == value.as_value();
                self.facts.iter().find(holds).map(|fact| fact.e)
            }
        }
    }

    /// What `pull` answers.
    pub fn pull(&self, pattern: &Edn, entity: &Edn) -> Result<Edn, Refused> {
        let pulled = self.start(&level(pattern), self.entid(entity), entity, &[])?;
        Ok(pulled.unwrap_or(Edn::Nil))
    }

    fn start(&self, level: &Level, id: Option<EntityId>, named: &Edn, seen: &[Edn]) -> Pulled {
        let times = |spec: &Spec| spec.sub.as_ref().and_then(Edn::as_long);
        let mut way = Way {
            here: named.clone(),
            seen: seen.to_vec(),
            left: level.specs.iter().map(|s| times(s).unwrap_or(-1)).collect(),
        };
        self.follow(level, id, &mut way)
    }

    fn follow(&self, level: &Level, id: Option<EntityId>, way: &mut Way) -> Pulled {
        let again = way.seen.contains(&way.here);
        let mut map: Vec<(Edn, Edn)> = Vec::new();
        if level.id || level.wildcard {
            put(
                &mut map,
                &Edn::keyword("db/id"),
                id.map_or(Edn::Nil, number),
            );
        }
        let mut done = vec![false; level.specs.len()];
        if let Some(id) = id.filter(|_| level.wildcard) {
            for attr in self.attributes(id) {
                let name = attr.ident.as_str();
                let spec = level
                    .specs
                    .iter()
                    .position(|s| !s.reverse && s.name == name);
                let Some(at) = spec else {
                    let whole = self.whole(attr, id, &mut vec![id]);
                    put(&mut map, &Edn::from(attr.ident.clone()), whole);
                    continue;
                };
                let limited = matches!(&level.specs[at].sub, Some(Edn::Value(Value::Long(_))));
                if limited && !again {
                    return Err(Refused);
                }
                done[at] = true;
                let value = self.spec(level, at, Some(id), again, way)?;
                put(&mut map, &level.specs[at].key, value.unwrap_or(Edn::Nil));
            }
        }
        for reverse in [false, true] {
            for (at, spec) in level.specs.iter().enumerate() {
                let there = map
                    .iter()
                    .any(|(key, value)| *key == spec.key && is_true(value));
                if spec.reverse != reverse || done[at] || (there && !reverse) {
                    continue;
                }
                if let Some(value) = self.spec(level, at, id, again, way)? {
                    put(&mut map, &spec.key, value);
                }
            }
        }
        Ok((!map.is_empty()).then_some(Edn::Map(map)))
    }

    /// What one spec gives, its default included.
    fn spec(
        &self,
        level: &Level,
        at: usize,
        id: Option<EntityId>,
        again: bool,
        way: &mut Way,
    ) -> Pulled {
        let spec = &level.specs[at];
        let found = match (id, self.attr(&spec.name)) {
            (Some(id), Some(attr)) => self.targets(level, at, attr, id, again, way)?,
            _ => None,
        };
        Ok(found.or_else(|| spec.default.clone()))
    }

    fn targets(
        &self,
        level: &Level,
        at: usize,
        attr: &Attr,
        id: EntityId,
        again: bool,
        way: &mut Way,
    ) -> Pulled {
        let spec = &level.specs[at];
        let is_many = if spec.reverse {
            !attr.component
        } else {
            attr.many
        };
        let values: Vec<Value> = match spec.reverse {
            true if attr.value_type != ValueType::Ref => Vec::new(),
            true => self
                .owners(id, attr.id)
                .into_iter()
                .map(Value::Ref)
                .collect(),
            false => self.values(id, attr.id),
        };
        let most = if is_many { spec.limit } else { 1 };
        let mut shown = Vec::new();
        for value in values.into_iter().take(most) {
            shown.extend(self.target(level, at, attr, value, again, way)?);
        }
        if is_many {
            return Ok((!shown.is_empty()).then_some(Edn::Vector(shown)));
        }
        Ok(shown.into_iter().next())
    }

    fn target(
        &self,
        level: &Level,
        at: usize,
        attr: &Attr,
        value: Value,
        again: bool,
        way: &mut Way,
    ) -> Pulled {
        let spec = &level.specs[at];
        let Value::Ref(id) = value else {
            return Ok(Some(Edn::from(value)));
        };
        match &spec.sub {
            None if spec.reverse || !attr.component => Ok(Some(id_map(id))),
            None => Ok(Some(self.component(id, &mut Vec::new()))),
            Some(Edn::Vector(_)) => {
                let sub = spec.sub.as_ref().expect("it is there");
                self.start(&self::level(sub), Some(id), &number(id), &way.seen)
            }
            Some(_) if again || way.left[at] == 0 => {
                Ok((level.id || level.wildcard).then(|| id_map(id)))
            }
            Some(_) => {
                way.left[at] -= 1;
                let here = std::mem::replace(&mut way.here, number(id));
                way.seen.push(here.clone());
                let pulled = self.follow(level, Some(id), way);
                way.seen.pop();
                way.here = here;
                way.left[at] += 1;
                pulled
            }
        }
    }

    /// The attributes that an entity has, by their ids.
    fn attributes(&self, id: EntityId) -> Vec<&Attr> {
        let mut ids: Vec<EntityId> = self
            .facts
            .iter()
            .filter(|f| f.e == id)
            .map(|f| f.a)
            .collect();
        ids.dedup();
        ids.into_iter().map(|a| self.plain.attr(a)).collect()
    }

    fn whole(&self, attr: &Attr, id: EntityId, owners: &mut Vec<EntityId>) -> Edn {
        let values = self.values(id, attr.id).into_iter();
        let shown = values
            .take(if attr.many { LIMIT } else { 1 })
            .map(|value| match value {
                Value::Ref(id) if attr.component => self.component(id, owners),
                Value::Ref(id) => id_map(id),
                value => Edn::from(value),
            });
        let mut shown: Vec<Edn> = shown.collect();
        if attr.many {
            Edn::Vector(shown)
        } else {
            shown.remove(0)
        }
    }

    fn component(&self, id: EntityId, owners: &mut Vec<EntityId>) -> Edn {
        let mut map = vec![(Edn::keyword("db/id"), number(id))];
        owners.push(id);
        for attr in self.attributes(id) {
            map.push((Edn::from(attr.ident.clone()), self.whole(attr, id, owners)));
        }
        owners.pop();
        Edn::Map(map)
    }

    /// The attributes that an entity of the entity API has.
    pub fn keys(&self, id: EntityId) -> Vec<Edn> {
        let attributes = self.attributes(id).into_iter();
        attributes
            .map(|attr| Edn::from(attr.ident.clone()))
            .collect()
    }

    /// The rows of an index, in its order.
    pub fn index(&self, index: Index) -> Vec<Datom> {
        let holds = |fact: &&Datom| match index {
            Index::Avet => self.plain.attr(fact.a).indexed,
            Index::Vaet => matches!(fact.v, Value::Ref(_)),
            _ => true,
        };
        let mut rows: Vec<Datom> = self.facts.iter().filter(holds).cloned().collect();
        rows.sort_by(|x, y| {
            let by_index = match index {
                Index::Eavt => (x.e, x.a, &x.v).cmp(&(y.e, y.a, &y.v)),
                Index::Aevt => (x.a, x.e, &x.v).cmp(&(y.a, y.e, &y.v)),
                Index::Avet => (x.a, &x.v, x.e).cmp(&(y.a, &y.v, y.e)),
                Index::Vaet => (&x.v, x.a, x.e).cmp(&(&y.v, y.a, y.e)),
            };
            by_index.then(y.tx.cmp(&x.tx))
        });
        rows
    }
}

fn level(pattern: &Edn) -> Level {
    let mut level = Level {
        id: false,
        wildcard: false,
        specs: Vec::new(),
    };
    for item in pattern.as_sequence().unwrap_or_default() {
        match item {
            Edn::Map(entries) => {
                for (key, sub) in entries {
                    let mut spec = spec(key);
                    spec.sub = Some(sub.clone());
                    level.specs.push(spec);
                }
            }
            form if *form == Edn::symbol("*") => level.wildcard = true,
            form if *form == Edn::keyword("db/id") => level.id = true,
            form => level.specs.push(spec(form)),
        }
    }
    level
}

fn spec(form: &Edn) -> Spec {
    let (name, options) = match form.as_sequence() {
        Some([name, options @ ..]) => (name, options),
        _ => (form, &[][..]),
    };
    let text = name.as_keyword().map_or("", |keyword| keyword.as_str());
    let mut spec = Spec {
        name: text.replacen("/_", "/", 1),
        reverse: text.contains("/_"),
        key: name.clone(),
        limit: LIMIT,
        default: None,
        sub: None,
    };
    for pair in options.chunks(2) {
        match pair[0].as_keyword().map(|keyword| keyword.as_str()) {
            Some("as") => spec.key = pair[1].clone(),
            Some("limit") => {
                spec.limit = pair[1].as_long().map_or(usize::MAX, |n| n as usize);
            }
            Some("default") => spec.default = Some(pair[1].clone()),
            _ => {}
        }
    }
    spec
}

fn put(map: &mut Vec<(Edn, Edn)>, key: &Edn, value: Edn) {
    map.retain(|(known, _)| known != key);
    map.push((key.clone(), value));
}

fn is_true(form: &Edn) -> bool {
    !form.is_nil() && *form != Edn::from(false)
}

fn number(id: EntityId) -> Edn {
    Edn::long(id.raw() as i64)
}

fn id_map(id: EntityId) -> Edn {
    Edn::Map(vec![(Edn::keyword("db/id"), number(id))])
}
