//! What must hold of a whole transaction, in the order in which mistakes are told.

use datomite::{Datom, EntityId, Instant, Keyword, Symbol, Value, ValueType};

use super::names::{FIRST_OWN, IDENT, partition};
use super::settle::{Fact, compose, distinct, instant, novel};
use super::{Attr, Ledger, Step, Stop, refuse};

/// Checks the facts and makes the datoms.
pub(super) fn conclude(ledger: &Ledger, mut facts: Vec<Fact>, last: Instant) -> Step<Vec<Datom>> {
    let is_install = |fact: &Fact| {
        let names = ["attribute", "partition", "valueType", "function"];
        let directive = |name: &str| ledger.is(fact.a.id, &format!("db.install/{name}"));
        names.iter().any(|name| directive(name)) || ledger.is(fact.a.id, "db.alter/attribute")
    };
    if facts.iter().any(is_install) {
        return Err(Stop::Unclear("an install directive"));
    }
    let ensured: Vec<Fact> = facts
        .extract_if(.., |fact| ledger.is(fact.a.id, "db/ensure"))
        .collect();
    let at = instant(ledger, &mut facts, last);
    let kept = distinct(ledger, &facts)?;
    let mut datoms = novel(ledger, &kept);
    compose(ledger, &kept, &mut datoms)?;
    check_elements(ledger, &datoms)?;
    at?;
    match (check_unique(ledger, &datoms), check_names(ledger, &datoms)) {
        (Err(_), Err(_)) => return Err(Stop::Unclear("a value and a name are refused")),
        (values, names) => values.and(names)?,
    }
    let mut after = ledger.clone();
    after.apply(&datoms);
    let directives = check_schema(ledger, &after, &facts, &datoms)?;
    match (
        check_values(ledger, &facts, &datoms),
        check_entities(ledger, &after, &ensured),
    ) {
        (Err(_), Err(_)) => return Err(Stop::Unclear("a value and an entity are refused")),
        (values, entities) => values.and(entities)?,
    }
    datoms.extend(directives);
    Ok(datoms)
}

/// New entities of the schema's partition have a name or are defined.
fn check_elements(ledger: &Ledger, datoms: &[Datom]) -> Step<()> {
    let new = |id: EntityId| partition(id) == 0 && id.raw() >= ledger.next_element;
    for datom in datoms.iter().filter(|datom| datom.added && new(datom.e)) {
        let named = |other: &Datom| {
            other.e == datom.e && other.added && (other.a.raw() == IDENT || ledger.defines(other.a))
        };
        if !datoms.iter().any(named) {
            return refuse("schema-without-install");
        }
    }
    Ok(())
}

fn check_unique(ledger: &Ledger, datoms: &[Datom]) -> Step<()> {
    for datom in datoms.iter().filter(|datom| datom.added) {
        let unique = ledger.attr(datom.a).is_some_and(|a| a.unique.is_some());
        let holder = ledger.holder(datom.a, &datom.v).filter(|_| unique);
        let Some(holder) = holder else {
            continue;
        };
        let exact = |v: &Value| match v {
            Value::BigDec(_) => *v == datom.v,
            v => v.datomic_eq(&datom.v),
        };
        let freed = |other: &Datom| {
            !other.added && other.e == holder && other.a == datom.a && exact(&other.v)
        };
        if !datoms.iter().any(freed) {
            return refuse("unique-conflict");
        }
    }
    Ok(())
}

/// Alterations, then definitions; the datoms that record them.
fn check_schema(
    ledger: &Ledger,
    after: &Ledger,
    facts: &[Fact],
    datoms: &[Datom],
) -> Step<Vec<Datom>> {
    let mut touched: Vec<EntityId> = Vec::new();
    let changed = datoms.iter().filter(|datom| ledger.defines(datom.a));
    let taken = facts
        .iter()
        .filter(|fact| !fact.added && ledger.defines(fact.a.id));
    for e in changed.map(|datom| datom.e).chain(taken.map(|fact| fact.e)) {
        if !touched.contains(&e) {
            touched.push(e);
        }
    }
    if touched.iter().any(|e| e.raw() < FIRST_OWN) {
        return Err(Stop::Unclear("an alteration of what every database has"));
    }
    for fact in facts.iter().filter(|fact| fact.added) {
        let fixed = [
            "db/valueType",
            "db/tupleType",
            "db/tupleTypes",
            "db/tupleAttrs",
        ];
        let is_fixed = fixed.iter().any(|name| ledger.is(fact.a.id, name));
        let stored = ledger.of_entity(fact.e, fact.a.id).next();
        if is_fixed && ledger.attr(fact.e).is_some() && stored != Some(&fact.v) {
            return refuse("invalid-alter-attribute");
        }
    }
    let directive = |name: &str, e: EntityId| Datom {
        e: EntityId::new(0),
        a: ledger.built_in(name),
        v: Value::Ref(e),
        tx: ledger.tx(),
        added: true,
    };
    let mut directives = Vec::new();
    for e in &touched {
        if let Some(old) = ledger.attr(*e) {
            check_alteration(ledger, after, old, datoms)?;
            directives.push(directive("db.alter/attribute", *e));
        }
    }
    for e in &touched {
        if ledger.attr(*e).is_none() {
            check_definition(ledger, after, *e, datoms)?;
            directives.push(directive("db.install/attribute", *e));
        }
    }
    Ok(directives)
}

/// A name of a part of a composite is not taken by another.
fn check_names(ledger: &Ledger, datoms: &[Datom]) -> Step<()> {
    for datom in datoms.iter().filter(|d| d.added && d.a.raw() == IDENT) {
        if let Value::Keyword(name) = &datom.v
            && let Some(holder) = ledger.entity_named(name)
            && holder != datom.e
        {
            if holder.raw() < FIRST_OWN {
                return Err(Stop::Unclear("a built-in name is taken"));
            }
            if is_part(ledger, holder) {
                return refuse("cannot-retarget-ident");
            }
        }
    }
    Ok(())
}

fn is_part(ledger: &Ledger, a: EntityId) -> bool {
    ledger.attrs.iter().any(|attr| match &attr.tuple {
        Some(datomite::TupleKind::Composite(parts)) => parts.contains(&a),
        _ => false,
    })
}

fn check_alteration(ledger: &Ledger, after: &Ledger, old: &Attr, datoms: &[Datom]) -> Step<()> {
    let own = |name: &str| {
        let a = ledger.built_in(name);
        datoms.iter().filter(move |d| d.e == old.id && d.a == a)
    };
    let refused = || refuse("invalid-alter-attribute");
    let dropped =
        own("db/cardinality").any(|d| !d.added) && !own("db/cardinality").any(|d| d.added);
    let fixed = [
        "db/valueType",
        "db/tupleType",
        "db/tupleTypes",
        "db/tupleAttrs",
    ];
    let full = own("db/fulltext").any(|d| d.v == Value::from(true));
    if dropped || full || fixed.iter().any(|name| own(name).next().is_some()) {
        return refused();
    }
    let Some(new) = after.attr(old.id) else {
        return refused();
    };
    if !old.many && new.many && (old.is_composite() || is_part(after, old.id)) {
        return refused();
    }
    let had_avet = old.indexed || old.unique.is_some();
    let used = ledger.history.iter().chain(datoms).any(|d| d.a == old.id);
    if old.unique.is_none() && new.unique.is_some() && !new.indexed && !had_avet && used {
        return refused();
    }
    let held: Vec<&Datom> = after.facts.iter().filter(|fact| fact.a == old.id).collect();
    for (at, fact) in held.iter().enumerate() {
        for other in &held[..at] {
            let several = old.many && !new.many && other.e == fact.e;
            let newly = old.unique.is_none() && new.unique.is_some();
            let shared = newly && other.e != fact.e && other.v.datomic_eq(&fact.v);
            if several || shared {
                return refused();
            }
        }
    }
    Ok(())
}

fn check_definition(ledger: &Ledger, after: &Ledger, e: EntityId, datoms: &[Datom]) -> Step<()> {
    let own = |name: &str| {
        let a = ledger.built_in(name);
        datoms.iter().find(move |d| d.e == e && d.a == a && d.added)
    };
    if partition(e) != 0 {
        return refuse("not-in-system-partition");
    }
    if after.of_entity(e, EntityId::new(IDENT)).next().is_none()
        && !after.names.iter().any(|(_, id)| *id == e)
    {
        return refuse("attribute-ident-missing");
    }
    let bad = || refuse("invalid-install-attribute");
    let reference = Value::Ref(ledger.built_in("db.type/ref"));
    let component = own("db/isComponent").is_some_and(|d| d.v == Value::from(true));
    if component && own("db/valueType").is_none_or(|d| d.v != reference) {
        return bad();
    }
    let (Some(value_type), Some(cardinality)) = (own("db/valueType"), own("db/cardinality")) else {
        return bad();
    };
    let is_named = |datom: &Datom, namespace: &str| {
        let named = ledger
            .names
            .iter()
            .find(|(_, id)| Some(*id) == datom.v.as_ref_id());
        named.is_some_and(|(name, _)| name.namespace() == Some(namespace))
    };
    if !is_named(value_type, "db.type") {
        return refuse("not-a-value-type");
    }
    if !is_named(cardinality, "db.cardinality") {
        return refuse("not-a-cardinality");
    }
    let Some(attr) = after.attr(e) else {
        return bad();
    };
    let kinds = ["db/tupleType", "db/tupleTypes", "db/tupleAttrs"];
    let kinds: Vec<&Datom> = kinds.iter().filter_map(|name| own(name)).collect();
    let is_tuple = attr.value_type == ValueType::Tuple;
    let bytes = attr.value_type == ValueType::Bytes && attr.unique.is_some();
    if bytes || is_tuple != (kinds.len() == 1) || (!is_tuple && !kinds.is_empty()) {
        return bad();
    }
    match !is_tuple || tuple_fits(after, attr, kinds[0]) {
        true => Ok(()),
        false => bad(),
    }
}

fn tuple_fits(after: &Ledger, attr: &Attr, kind: &Datom) -> bool {
    let slot = |value_type: &ValueType| {
        let not = [
            ValueType::Float,
            ValueType::Bytes,
            ValueType::Fn,
            ValueType::Tuple,
        ];
        !not.contains(value_type)
    };
    let written = match &kind.v {
        Value::Tuple(slots) => slots.len(),
        _ => 2,
    };
    match &attr.tuple {
        None => false,
        Some(datomite::TupleKind::Homogeneous(value_type)) => slot(value_type),
        Some(datomite::TupleKind::Heterogeneous(types)) => {
            (2..=8).contains(&types.len()) && types.len() == written && types.iter().all(slot)
        }
        Some(datomite::TupleKind::Composite(parts)) => {
            let known: Vec<&Attr> = parts.iter().filter_map(|part| after.attr(*part)).collect();
            let plain = |part: &&Attr| !part.many && slot(&part.value_type) && part.tuple.is_none();
            let all = known.len() == written && known.iter().all(plain);
            !attr.many && (2..=8).contains(&parts.len()) && all
        }
    }
}

/// What a predicate of the cases says of a value; an error is none.
fn holds(name: &Symbol, value: &Value) -> Option<bool> {
    let zero = |negative: bool, zero: bool| Some(!negative && !zero);
    match (name.name(), value) {
        ("some?", _) => Some(true),
        ("truthy-not-true", _) => Some(false),
        ("pos?" | "positive?", Value::Long(n)) => Some(*n > 0),
        ("pos?" | "positive?", Value::Ref(id)) => Some(id.raw() > 0),
        ("pos?" | "positive?", Value::Double(n)) => Some(*n > 0.0),
        ("pos?" | "positive?", Value::Float(n)) => Some(*n > 0.0),
        ("pos?" | "positive?", Value::BigInt(n)) => {
            let text = n.to_string();
            zero(text.starts_with('-'), text == "0")
        }
        ("pos?" | "positive?", Value::BigDec(n)) => {
            let text = n.to_string();
            zero(
                text.starts_with('-'),
                !text.chars().any(|c| ('1'..='9').contains(&c)),
            )
        }
        ("short-string?", Value::String(text)) => Some(text.encode_utf16().count() <= 5),
        ("short-string?", Value::Tuple(slots)) => Some(slots.len() <= 5),
        _ => None,
    }
}

fn check_values(ledger: &Ledger, facts: &[Fact], datoms: &[Datom]) -> Step<()> {
    let said = facts
        .iter()
        .filter(|fact| fact.added)
        .map(|fact| (&fact.a, &fact.v));
    let composed = datoms
        .iter()
        .filter(|datom| datom.added)
        .filter_map(|datom| {
            let attr = ledger.attr(datom.a).filter(|a| a.is_composite())?;
            Some((attr, &datom.v))
        });
    let mut answers = Vec::new();
    for (attr, value) in said.chain(composed) {
        for name in &attr.preds {
            match holds(name, value) {
                Some(true) => {}
                Some(false) => answers.push("attr-pred"),
                None => answers.push(""),
            }
        }
    }
    match answers[..] {
        [] => Ok(()),
        [code] => refuse(code),
        _ if answers.iter().all(|code| *code == answers[0]) => refuse(answers[0]),
        _ => Err(Stop::Unclear("several predicates refuse")),
    }
}

fn check_entities(before: &Ledger, after: &Ledger, ensured: &[Fact]) -> Step<()> {
    for fact in ensured.iter().filter(|fact| fact.added) {
        let Some(spec) = fact.v.as_ref_id() else {
            continue;
        };
        for name in before.of_entity(spec, before.built_in("db.entity/attrs")) {
            let Value::Keyword(name) = name else {
                continue;
            };
            let a = after.entity_named(name);
            if a.is_none_or(|a| after.of_entity(fact.e, a).next().is_none()) {
                return refuse("entity-attr");
            }
        }
        for name in before.of_entity(spec, before.built_in("db.entity/preds")) {
            let of = |name: &str| {
                let a = after.entity_named(&Keyword::parse(name))?;
                match after.of_entity(fact.e, a).next()? {
                    Value::Long(n) => Some(*n),
                    _ => None,
                }
            };
            let is_known = name.to_string() == "conformance.fns/min-below-max?";
            match (of("range/min"), of("range/max")) {
                (Some(min), Some(max)) if is_known && min < max => {}
                (Some(_), Some(_)) if is_known => return refuse("entity-pred"),
                _ => return refuse(""),
            }
        }
    }
    Ok(())
}
