//! Patterns: every datom or row of the source against the places.

use datomite::{Datom, Edn, EntityId, Keyword, Value, ValueType};

use super::{Oracle, Row, Rows, Shown, Source, Stop};
use crate::queries::ast::Term;

/// Integers of the same number are one; ids are longs; a tuple is a vector.
pub fn normal(form: &Edn) -> Edn {
    match form {
        Edn::Value(Value::Ref(id)) => Edn::long(id.raw() as i64),
        Edn::Value(Value::BigInt(n)) => match i64::try_from(n.as_ref().clone()) {
            Ok(n) => Edn::long(n),
            Err(_) => form.clone(),
        },
        Edn::Value(Value::Tuple(slots)) => {
            let slot = |v: &Option<Value>| v.as_ref().map_or(Edn::Nil, |v| normal(&value_form(v)));
            Edn::Vector(slots.iter().map(slot).collect())
        }
        Edn::List(items) | Edn::Vector(items) => Edn::Vector(items.iter().map(normal).collect()),
        other => other.clone(),
    }
}

/// Whether two values join.
pub fn meets(a: &Edn, b: &Edn) -> bool {
    let (a, b) = (normal(a), normal(b));
    match (&a, &b) {
        (Edn::Value(x), Edn::Value(y)) if x.value_type() != y.value_type() => false,
        _ => a == b,
    }
}

fn value_form(value: &Value) -> Edn {
    Edn::Value(value.clone())
}

impl Oracle<'_> {
    /// Whether the attribute of a pattern is known to hold references.
    pub(super) fn reads_reference(&self, terms: &[Term]) -> bool {
        let form = match terms.get(1) {
            Some(Term::Const(form)) => Some(form),
            Some(Term::Var(var)) => self.fixed.get(var),
            _ => None,
        };
        let id = form.and_then(|form| self.attribute(form));
        id.is_some_and(|id| self.is_reference(id))
    }

    fn is_reference(&self, id: EntityId) -> bool {
        let attr = self.world.plain.attrs.iter().find(|attr| attr.id == id);
        match attr {
            Some(attr) => attr.value_type == ValueType::Ref,
            None => (40..=42).contains(&id.raw()),
        }
    }

    fn attribute(&self, form: &Edn) -> Option<EntityId> {
        match form {
            Edn::Value(Value::Long(n)) => Some(EntityId::new(*n as u64)),
            Edn::Value(Value::Keyword(name)) => self.world.idents.get(name).copied(),
            Edn::Value(Value::String(name)) => {
                let name = name.strip_prefix(':')?;
                self.world.idents.get(&Keyword::parse(name)).copied()
            }
            _ => None,
        }
    }

    /// The entity that a form names in a database.
    pub(super) fn entity(&self, shown: &Shown, form: &Edn) -> Result<EntityId, Stop> {
        let lookup = |items: &[Edn]| {
            let attr = self.attribute(items.first()?)?;
            let facts = shown.facts.get(&attr)?;
            let held = facts
                .iter()
                .find(|fact| meets(&value_form(&fact.v), &items[1]));
            held.map(|fact| fact.e)
        };
        let id = match normal(form) {
            Edn::Vector(items) => lookup(&items),
            form => self.attribute(&form),
        };
        id.ok_or_else(|| Stop::Unresolved(form.clone()))
    }

    pub(super) fn pattern(
        &self,
        of: &'static str,
        terms: &[Term],
        row: &Row,
        fixed: &Row,
        found: &mut Rows,
    ) -> Result<(), Stop> {
        match self.sources.get(of) {
            Some(Source::Db(shown)) => self.datoms(shown, terms, row, fixed, found),
            Some(Source::Rows(tuples)) => {
                for tuple in tuples {
                    let mut end = Some(row.clone());
                    for (term, value) in terms.iter().zip(tuple) {
                        end = end.and_then(|end| place(term, value, end));
                    }
                    found.extend(end);
                }
                Ok(())
            }
            None => Err(Stop::Unknown(of.to_owned())),
        }
    }

    fn datoms(
        &self,
        shown: &Shown,
        terms: &[Term],
        row: &Row,
        fixed: &Row,
        found: &mut Rows,
    ) -> Result<(), Stop> {
        let given = |at: usize| match terms.get(at) {
            Some(Term::Const(form)) => Some(form),
            Some(Term::Var(var)) => row.get(var),
            _ => None,
        };
        let e = given(0).map(|form| self.entity(shown, form)).transpose()?;
        let a = given(1).map(|form| self.entity(shown, form)).transpose()?;
        // Only an attribute known beforehand tells how its values are written.
        let known = match terms.get(1) {
            Some(Term::Const(_)) => a,
            Some(Term::Var(var)) if fixed.contains_key(var) => a,
            _ => None,
        };
        let v = match (known, given(2)) {
            (Some(a), Some(form)) if self.is_reference(a) => {
                Some(Edn::long(self.entity(shown, form)?.raw() as i64))
            }
            (_, form) => form.cloned(),
        };
        for (attribute, facts) in &shown.facts {
            if a.is_some_and(|a| a != *attribute) {
                continue;
            }
            for fact in facts {
                self.tire(found.len())?;
                let by_value = e.is_none() && a.is_none() && !matches!(fact.v, Value::Ref(_));
                let held = value_form(&fact.v);
                if e.is_none_or(|e| e == fact.e)
                    && !by_value
                    && v.as_ref().is_none_or(|v| meets(v, &held))
                {
                    found.extend(fit(terms, fact, row));
                }
            }
        }
        Ok(())
    }
}

/// The row that a datom makes of a row, where its entity, attribute and value pass already.
fn fit(terms: &[Term], fact: &Datom, row: &Row) -> Option<Row> {
    let id = |id: EntityId| Edn::long(id.raw() as i64);
    let places = [
        id(fact.e),
        id(fact.a),
        normal(&value_form(&fact.v)),
        id(fact.tx),
    ];
    let mut end = row.clone();
    for (at, term) in terms.iter().enumerate() {
        let added = Edn::from(fact.added);
        let value = places.get(at).unwrap_or(&added);
        match term {
            Term::Const(_) if at < 3 => {}
            Term::Var(var) if at < 3 && row.contains_key(var) => {}
            term => end = place(term, value, end)?,
        }
    }
    Some(end)
}

fn place(term: &Term, value: &Edn, mut row: Row) -> Option<Row> {
    match term {
        Term::Blank => Some(row),
        Term::Const(form) => meets(form, value).then_some(row),
        Term::Var(var) => match row.get(var) {
            Some(known) => meets(known, value).then_some(row),
            None => {
                row.insert(var, value.clone());
                Some(row)
            }
        },
    }
}
