//! `datomite history DB EID [ATTR]`: what was said of an entity, in the order it was said;
//! `datomite history DB _ ATTR` of an attribute, whatever the entity.
//!
//! An entity that is gone is found by a key that it had.

use std::io::{self, IsTerminal};

use datomite::{Datom, Db, Edn, EntityId, Index, Value};

use crate::args::History;
use crate::output::{Answer, Rows, Shape};
use crate::problem::Problem;
use crate::{database, output, view};

/// Prints every assertion and retraction about an entity or an attribute.
pub(crate) fn run(args: History) -> Result<(), Problem> {
    let conn = database::reader(&args.db)?;
    let db = view::apply(&conn.db(), &args.view)?;
    let read = |text: &str| datomite::read(text).map_err(|error| Problem::edn(error, text));
    let attribute = args.attribute.as_deref().map(read).transpose()?;
    let eid = read(&args.eid)?;
    let names_attribute = attribute.is_none() && db.attribute(&eid).is_ok_and(|a| a.is_some());
    if names_attribute && io::stdout().is_terminal() {
        eprintln!("note: these are its definitions; `_ {eid}` shows the changes of its values");
    }
    let answer = answer(&db, &eid, attribute)?;
    output::print(answer, &args.output, Some(&db.basis())).map_err(Problem::output)
}

/// A row a change: when, of which entity where that is not given, which attribute, old value, new
/// value.
pub(crate) fn answer(db: &Db, eid: &Edn, attribute: Option<Edn>) -> Result<Answer, Problem> {
    let of_all = eid.as_symbol().is_some_and(|symbol| symbol.as_str() == "_");
    let (index, components) = match (of_all, attribute) {
        (true, Some(attribute)) => (Index::Aevt, vec![attribute]),
        (true, None) => return Err(Problem::usage("of which attribute? `_` is any entity")),
        (false, attribute) => {
            let entity = Edn::Value(Value::Ref(named(db, eid)?));
            let components = std::iter::once(entity).chain(attribute);
            (Index::Eavt, components.collect())
        }
    };
    let datoms: Result<Vec<Datom>, _> = db.history().datoms(index, &components)?.collect();
    let mut datoms = datoms?;
    datoms.sort_by_key(|datom| (datom.tx, datom.e, datom.a, datom.added));
    let mut rows: Vec<Vec<Edn>> = Vec::new();
    for same in datoms.chunk_by(|x, y| (x.tx, x.e, x.a) == (y.tx, y.e, y.a)) {
        let instant = instant(db, &same[0])?;
        for (old, new) in changes(db, same) {
            let t = Edn::Value(Value::Long(same[0].t().raw() as i64));
            let entity = of_all.then(|| Edn::Value(Value::Ref(same[0].e)));
            let ident = db.ident(same[0].a);
            let ident = ident.map_or(Edn::Nil, |ident| Edn::Value(Value::Keyword(ident)));
            let before = [t, instant.clone()].into_iter().chain(entity);
            rows.push(before.chain([ident, old, new]).collect());
        }
    }
    let columns = ["t", "instant", "entity", "attribute", "old", "new"];
    let columns = columns.iter().filter(|name| of_all || **name != "entity");
    Ok(Answer::Rows(Rows {
        columns: columns.map(|name| (*name).to_owned()).collect(),
        rows,
        shape: Shape::Bag,
    }))
}

/// The entity, or the last one that a lookup ref named.
fn named(db: &Db, eid: &Edn) -> Result<EntityId, Problem> {
    if let Some(id) = db.basis().entid(eid)? {
        return Ok(id);
    }
    let had = match eid.as_sequence() {
        Some(key @ [_, _]) => db.basis().history().datoms(Index::Avet, key)?,
        _ => return Err(Problem::refused(format!("no entity {eid}"))),
    };
    let had: Vec<Datom> = had.collect::<Result<_, _>>()?;
    let last = had.iter().max_by_key(|datom| datom.tx);
    last.map(|datom| datom.e)
        .ok_or_else(|| Problem::refused(format!("there never was an entity {eid}")))
}

/// Old and new values of one attribute in one transaction: a pair where one took the place of
/// another, else one for each value that went or came.
fn changes(db: &Db, same: &[Datom]) -> Vec<(Edn, Edn)> {
    let form = |datom: &Datom| Edn::Value(datom.v.clone());
    let attribute = db.schema().attribute(same[0].a);
    let one = attribute.is_some_and(|attribute| !attribute.is_many());
    match same {
        [old, new] if one && !old.added && new.added => vec![(form(old), form(new))],
        same => same
            .iter()
            .map(|datom| match datom.added {
                true => (Edn::Nil, form(datom)),
                false => (form(datom), Edn::Nil),
            })
            .collect(),
    }
}

fn instant(db: &Db, datom: &Datom) -> Result<Edn, Problem> {
    let forms = [
        Edn::Value(Value::Ref(datom.tx)),
        Edn::keyword("db/txInstant"),
    ];
    let found = db.basis().datoms(Index::Eavt, &forms)?.next().transpose()?;
    Ok(found.map_or(Edn::Nil, |datom| Edn::Value(datom.v)))
}
