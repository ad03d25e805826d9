//! Asks ours and the oracle; makes a read that differs smaller.

use datomite::{Datom, Db, Edn, Index, Pattern, Value, pull};

use super::grow::{Ask, Read, Sight, Way};
use super::world::{World, plain_value};
use crate::oracle::{Shown, View};

/// How many rows of a walk are compared.
const ROWS: usize = 30;

/// What a read answers; `Err` where it is refused.
type Answer = Result<Edn, String>;

/// Whether both agree: whether the answer was more than nothing, or what they say.
pub fn check(world: &World, read: &Read) -> Result<bool, String> {
    let (ours, oracle) = (ours(world, read), theirs(world, read));
    let agree = match (&ours, &oracle) {
        (Ok(ours), Ok(oracle)) => settled(ours) == settled(oracle),
        (ours, oracle) => ours.is_err() && oracle.is_err(),
    };
    match agree {
        true => Ok(oracle.is_ok_and(|answer| !is_trivial(&answer))),
        false => Err(format!("ours   {}\noracle {}", told(&ours), told(&oracle))),
    }
}

fn told(answer: &Answer) -> String {
    answer
        .as_ref()
        .map_or_else(|why| format!("refused: {why}"), Edn::to_string)
}

fn is_trivial(answer: &Edn) -> bool {
    let nothing = |items: &[Edn]| items.is_empty();
    match answer {
        Edn::Nil => true,
        Edn::Vector(items) => nothing(items),
        // Nothing but the id that was asked for.
        Edn::Map(entries) => entries.iter().all(|(key, _)| *key == Edn::keyword("db/id")),
        _ => false,
    }
}

/// Maps in the order of their keys.
fn settled(form: &Edn) -> Edn {
    match form {
        Edn::Vector(items) => Edn::Vector(items.iter().map(settled).collect()),
        Edn::Map(entries) => {
            let both = |(key, value): &(Edn, Edn)| (settled(key), settled(value));
            let mut entries: Vec<(Edn, Edn)> = entries.iter().map(both).collect();
            entries.sort();
            Edn::Map(entries)
        }
        form => form.clone(),
    }
}

fn resolved(world: &World, form: &Edn) -> Edn {
    world.player.resolve(form).expect("the labels are known")
}

fn tx(world: &World, number: usize) -> datomite::EntityId {
    let form = super::world::tagged("tx", Edn::from(number as i64));
    let id = resolved(world, &form).as_long().expect("an id");
    datomite::EntityId::new(id as u64)
}

fn db(world: &World, sight: &Sight) -> Db {
    let mut db = world.player.connection().db();
    if let Some(number) = sight.as_of {
        db = db.as_of(tx(world, number)).expect("a transaction");
    }
    if let Some(number) = sight.since {
        db = db.since(tx(world, number)).expect("a transaction");
    }
    if sight.history {
        db = db.history();
    }
    match &sight.without {
        None => db,
        Some(name) => {
            let dropped = db.entid(&Edn::keyword(name)).expect("a read");
            db.filter(move |_, datom| Some(datom.a) != dropped)
        }
    }
}

fn ours(world: &World, read: &Read) -> Answer {
    let db = db(world, &read.sight);
    let said = |error: &dyn std::fmt::Display| error.to_string();
    match &read.ask {
        Ask::Pull { pattern, entity } => {
            let pattern = Pattern::from_edn(pattern).map_err(|error| said(&error))?;
            pull(&db, &pattern, &resolved(world, entity)).map_err(|error| said(&error))
        }
        Ask::Walk {
            way,
            index,
            components,
        } => {
            let components: Vec<Edn> = components.iter().map(|c| resolved(world, c)).collect();
            let walk = match way {
                Way::Exactly => db.datoms(*index, &components),
                Way::Onwards => db.seek_datoms(*index, &components),
                Way::Backwards => db.rseek_datoms(*index, &components),
            };
            rows(world, walk.map_err(|error| said(&error))?)
        }
        Ask::Range {
            attribute,
            start,
            end,
        } => {
            let walk = db.index_range(attribute, &resolved(world, start), &resolved(world, end));
            rows(world, walk.map_err(|error| said(&error))?)
        }
        Ask::Keys { entity } => {
            let entity = db
                .entity(&resolved(world, entity))
                .map_err(|error| said(&error))?;
            let keys = entity.map_or(Ok(Vec::new()), |entity| entity.keys());
            let mut keys: Vec<Edn> = keys
                .map_err(|error| said(&error))?
                .into_iter()
                .map(Edn::from)
                .collect();
            keys.sort();
            Ok(Edn::Vector(keys))
        }
    }
}

/// Rows of the attributes that the oracle knows, but for the idents of the schema.
fn rows(world: &World, walk: impl Iterator<Item = Result<Datom, datomite::DbError>>) -> Answer {
    let mut shown = Vec::new();
    for datom in walk {
        let datom = datom.map_err(|error| error.to_string())?;
        if is_compared(world, &datom) {
            shown.push(row(&datom));
        }
        if shown.len() == ROWS {
            break;
        }
    }
    Ok(Edn::Vector(shown))
}

fn is_compared(world: &World, datom: &Datom) -> bool {
    let known = world.plain.attrs.iter().find(|attr| attr.id == datom.a);
    known.is_some_and(|attr| attr.ident.as_str() != "db/ident")
}

fn row(datom: &Datom) -> Edn {
    let id = |id: datomite::EntityId| Edn::long(id.raw() as i64);
    Edn::Vector(vec![
        id(datom.e),
        id(datom.a),
        plain_value(&datom.v),
        id(datom.tx),
        Edn::from(datom.added),
    ])
}

fn theirs(world: &World, read: &Read) -> Answer {
    let sight = &read.sight;
    let t = |number: usize| tx(world, number).t();
    let view = View {
        as_of: sight.as_of.map(t),
        since: sight.since.map(t),
        history: sight.history,
    };
    let attr = |name: &str| world.plain.attrs.iter().find(|a| a.ident.as_str() == name);
    let dropped = sight.without.as_deref().and_then(attr).map(|attr| attr.id);
    let mut facts = world.plain.view(view);
    facts.retain(|datom| Some(datom.a) != dropped);
    let shown = Shown::new(&world.plain, facts);
    let ids = |form: &Edn| resolved(world, form);
    match &read.ask {
        Ask::Pull { pattern, entity } => shown
            .pull(pattern, &ids(entity))
            .map_err(|why| format!("{why:?}")),
        Ask::Walk {
            way,
            index,
            components,
        } => {
            let key: Vec<Edn> = components.iter().map(ids).collect();
            let mut rows = shown.index(*index);
            let place = |datom: &Datom| compared(world, *index, datom, &key);
            match way {
                Way::Exactly => rows.retain(|datom| place(datom).is_eq()),
                Way::Onwards => rows.retain(|datom| place(datom).is_ge()),
                Way::Backwards => {
                    rows.retain(|datom| place(datom).is_le());
                    rows.reverse();
                }
            }
            Ok(listed(world, &rows))
        }
        Ask::Range {
            attribute,
            start,
            end,
        } => {
            let a = attribute
                .as_keyword()
                .and_then(|name| attr(name.as_str()))
                .map(|a| a.id);
            let mut rows = shown.index(Index::Avet);
            rows.retain(|datom| {
                let v = Edn::from(&datom.v);
                Some(datom.a) == a && (start.is_nil() || v >= *start) && (end.is_nil() || v < *end)
            });
            Ok(listed(world, &rows))
        }
        Ask::Keys { entity } => {
            let id = shown.entid(&ids(entity));
            let mut keys = id.map_or_else(Vec::new, |id| shown.keys(id));
            keys.sort();
            Ok(Edn::Vector(keys))
        }
    }
}

fn listed(world: &World, rows: &[Datom]) -> Edn {
    let compared = rows.iter().filter(|datom| is_compared(world, datom));
    Edn::Vector(compared.take(ROWS).map(row).collect())
}

/// Where a row stands to the components that are given.
fn compared(world: &World, index: Index, datom: &Datom, key: &[Edn]) -> std::cmp::Ordering {
    let id = |id: datomite::EntityId| Edn::long(id.raw() as i64);
    let (e, a) = (id(datom.e), id(datom.a));
    let v = plain_value(&datom.v);
    let row = match index {
        Index::Eavt => [e, a, v],
        Index::Aevt => [a, e, v],
        Index::Avet => [a, v, e],
        Index::Vaet => [v, a, e],
    };
    let attribute = |form: &Edn| {
        let name = form.as_keyword()?;
        let attr = world.plain.attrs.iter().find(|attr| attr.ident == *name)?;
        Some(id(attr.id))
    };
    let at = match index {
        Index::Eavt | Index::Vaet => 1,
        _ => 0,
    };
    for (number, (mine, given)) in row.iter().zip(key).enumerate() {
        let given = match number == at {
            true => attribute(given).expect("an attribute of the oracle"),
            false => given.clone(),
        };
        let order = match (mine, as_tuple(&given)) {
            (Edn::Value(mine), Some(tuple)) => mine.cmp(&tuple),
            _ => mine.cmp(&given),
        };
        if order.is_ne() {
            return order;
        }
    }
    match key.get(3) {
        None => std::cmp::Ordering::Equal,
        Some(tx) => id(datom.tx).cmp(tx),
    }
}

fn as_tuple(form: &Edn) -> Option<Value> {
    let slots = form
        .as_sequence()?
        .iter()
        .map(|slot| slot.as_value().cloned());
    Some(Value::Tuple(slots.collect()))
}

/// The smallest read that still differs.
pub fn shrink(world: &World, read: Read) -> Read {
    let mut read = read;
    while let Some(smaller) = smaller(&read)
        .into_iter()
        .find(|r| check(world, r).is_err())
    {
        read = smaller;
    }
    read
}

/// Reads with one thing less.
fn smaller(read: &Read) -> Vec<Read> {
    let with = |sight: Sight| Read {
        sight,
        ask: read.ask.clone(),
    };
    let sight = || read.sight.clone();
    let mut all = vec![
        with(Sight {
            as_of: None,
            ..sight()
        }),
        with(Sight {
            since: None,
            ..sight()
        }),
        with(Sight {
            history: false,
            ..sight()
        }),
        with(Sight {
            without: None,
            ..sight()
        }),
    ];
    if let Ask::Pull { pattern, entity } = &read.ask {
        all.extend(cuts(pattern).into_iter().map(|pattern| Read {
            sight: sight(),
            ask: Ask::Pull {
                pattern,
                entity: entity.clone(),
            },
        }));
    }
    all.retain(|smaller| smaller != read);
    all
}

/// Patterns with one item less, here or further in.
fn cuts(pattern: &Edn) -> Vec<Edn> {
    let Edn::Vector(items) = pattern else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for at in 0..items.len() {
        let put = |item: Option<Edn>| {
            let mut items = items.clone();
            match item {
                Some(item) => items[at] = item,
                None => drop(items.remove(at)),
            }
            Edn::Vector(items)
        };
        all.push(put(None));
        if let Edn::Map(entries) = &items[at]
            && let [(key, sub)] = entries.as_slice()
        {
            all.push(put(Some(key.clone())));
            let name = key
                .as_sequence()
                .and_then(|parts| parts.first())
                .unwrap_or(key);
            all.push(put(Some(Edn::Map(vec![(name.clone(), sub.clone())]))));
            let subs = cuts(sub).into_iter();
            all.extend(subs.map(|sub| put(Some(Edn::Map(vec![(key.clone(), sub)])))));
        } else if let Some([name, _, ..]) = items[at].as_sequence() {
            all.push(put(Some(name.clone())));
        }
    }
    all
}
