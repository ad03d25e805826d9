//! The steps: what each asks of the store, and its answer in the form of a recording.

use datomite::{Datom, Db, Edn, EntityId, Index, Keyword, TxReport, Value};

use super::answer::{attribute_answer, is_own};
use super::context::{Context, Failure, Tx};
use super::store::{self, Argument};

/// The entity that is `:db/txInstant`.
const TX_INSTANT: EntityId = EntityId::new(50);
/// How many datoms a seek gives where the step does not say.
const TAKE: usize = 10;

/// One step, with its keys at hand.
pub(super) struct Step<'a>(&'a Edn);

impl<'a> Step<'a> {
    fn get(&self, key: &str) -> Option<&'a Edn> {
        self.0.get(&Edn::keyword(key))
    }

    fn list(&self, key: &str) -> &'a [Edn] {
        self.get(key).and_then(Edn::as_sequence).unwrap_or_default()
    }

    fn is(&self, key: &str) -> bool {
        self.get(key) == Some(&Edn::from(true))
    }
}

/// Plays one step; the answer is `{:set …}`'s, `{:bag …}`'s or `{:value …}`'s inner form.
pub(super) fn run_step(context: &mut Context, step: &Edn) -> Result<Edn, Failure> {
    context.with = None;
    let step = Step(step);
    if let Some(tx_data) = step.get("transact") {
        return transact(context, tx_data);
    }
    if let Some(tx_data) = step.get("with") {
        return with(context, &step, tx_data);
    }
    if let Some(name) = step.get("save").and_then(Edn::as_str) {
        let db = context.db(step.list("db"))?;
        context.saved.insert(name.to_owned(), db);
        return Ok(Edn::keyword("saved"));
    }
    let known: &[(&str, Asked)] = &[
        ("q", query),
        ("pull", pull),
        ("pull-many", pull_many),
        ("entity", entity_path),
        ("entity-keys", entity_keys),
        ("touch", touch),
        ("datoms", datoms),
        ("seek-datoms", datoms),
        ("rseek-datoms", datoms),
        ("index-range", index_range),
        ("index-pull", index_pull),
        ("tx-range", tx_range),
        ("entid", entid),
        ("ident", ident),
        ("attribute", attribute),
        ("basis-t", about_db),
        ("as-of-t", about_db),
        ("since-t", about_db),
        ("is-history", about_db),
        ("is-filtered", about_db),
        ("db-stats", db_stats),
        ("part", part),
        ("invoke", invoke),
    ];
    match known.iter().find(|(key, _)| step.get(key).is_some()) {
        Some((key, asked)) => asked(context, &step, key),
        None => Err(Failure::Case("an unknown step".to_owned())),
    }
}

type Asked = fn(&Context, &Step<'_>, &str) -> Result<Edn, Failure>;

fn resolved(context: &Context, step: &Step<'_>, key: &str) -> Result<Edn, Failure> {
    context.resolve(step.get(key).unwrap_or(&Edn::Nil))
}

fn transact(context: &mut Context, tx_data: &Edn) -> Result<Edn, Failure> {
    let report = store::transact(&context.conn, &context.resolve(tx_data)?)?;
    note(context, tx_data, &report)?;
    Ok(tx_answer(context, &report, names_instant(tx_data)))
}

/// Learns what an accepted transaction gave names to.
pub(super) fn note(context: &mut Context, tx_data: &Edn, report: &TxReport) -> Result<(), Failure> {
    let id = report.db_after.basis_t().tx();
    let stamped = report
        .tx_data
        .iter()
        .find(|datom| datom.a == TX_INSTANT && datom.e == id);
    let Some(Value::Instant(instant)) = stamped.map(|datom| &datom.v) else {
        return Err(Failure::Case("a transaction without an instant".to_owned()));
    };
    context.txs.push(Tx {
        id,
        instant: *instant,
        explicit: names_instant(tx_data),
    });
    context.learn(tx_data, report, false);
    Ok(())
}

fn with(context: &mut Context, step: &Step<'_>, tx_data: &Edn) -> Result<Edn, Failure> {
    let db = context.db(step.list("db"))?;
    let report = store::with(&db, &context.resolve(tx_data)?)?;
    if let Some(name) = step.get("save").and_then(Edn::as_str) {
        context
            .saved
            .insert(name.to_owned(), report.db_after.clone());
    }
    if let Some(datom) = report.tx_data.first() {
        context.with = Some((report.db_after.clone(), datom.tx));
    }
    context.learn(tx_data, &report, true);
    Ok(tx_answer(context, &report, names_instant(tx_data)))
}

fn tx_answer(context: &Context, report: &TxReport, explicit: bool) -> Edn {
    let datoms = report
        .tx_data
        .iter()
        .filter(|datom| explicit || datom.a != TX_INSTANT);
    Edn::Vector(datoms.map(|datom| context.datom_answer(datom)).collect())
}

fn names_instant(form: &Edn) -> bool {
    match form {
        Edn::List(items) | Edn::Vector(items) | Edn::Set(items) => items.iter().any(names_instant),
        Edn::Map(entries) => entries
            .iter()
            .any(|(k, v)| names_instant(k) || names_instant(v)),
        form => *form == Edn::keyword("db/txInstant"),
    }
}

fn query(context: &Context, step: &Step<'_>, _: &str) -> Result<Edn, Failure> {
    let query = resolved(context, step, "q")?;
    let arguments = match step.get("args") {
        None => vec![Argument::Db(store::db(&context.conn))],
        Some(arguments) => arguments
            .as_sequence()
            .unwrap_or_default()
            .iter()
            .map(|argument| argument_of(context, argument))
            .collect::<Result<_, _>>()?,
    };
    let answer = store::q(&context.conn, &query, arguments)?;
    Ok(context.answer(&answer, step.is("idents")))
}

fn argument_of(context: &Context, form: &Edn) -> Result<Argument, Failure> {
    match form {
        Edn::Tagged(tag, stages) if tag.as_str() == "db" => {
            let stages = stages.as_sequence().unwrap_or_default();
            Ok(Argument::Db(context.db(stages)?))
        }
        Edn::Tagged(tag, _) if tag.as_str() == "log" => Ok(Argument::Log(context.conn.clone())),
        form => Ok(Argument::Edn(context.resolve(form)?)),
    }
}

fn step_db(context: &Context, step: &Step<'_>) -> Result<Db, Failure> {
    context.db(step.list("db"))
}

fn pull(context: &Context, step: &Step<'_>, _: &str) -> Result<Edn, Failure> {
    let (db, pattern) = (step_db(context, step)?, resolved(context, step, "pull")?);
    let answer = store::pull(&db, &pattern, &resolved(context, step, "eid")?)?;
    Ok(context.answer(&answer, step.is("idents")))
}

fn pull_many(context: &Context, step: &Step<'_>, _: &str) -> Result<Edn, Failure> {
    let (db, pattern) = (
        step_db(context, step)?,
        resolved(context, step, "pull-many")?,
    );
    let entities = resolved(context, step, "eids")?;
    let answer = store::pull_many(&db, &pattern, entities.as_sequence().unwrap_or_default())?;
    Ok(context.answer(&answer, step.is("idents")))
}

fn entity_path(context: &Context, step: &Step<'_>, key: &str) -> Result<Edn, Failure> {
    let (db, id) = (step_db(context, step)?, resolved(context, step, key)?);
    let path = resolved(context, step, "path")?;
    store::entity_path(context, &db, &id, path.as_sequence().unwrap_or_default())
}

fn entity_keys(context: &Context, step: &Step<'_>, key: &str) -> Result<Edn, Failure> {
    let (db, id) = (step_db(context, step)?, resolved(context, step, key)?);
    store::entity_keys(&db, &id)
}

fn touch(context: &Context, step: &Step<'_>, key: &str) -> Result<Edn, Failure> {
    let (db, id) = (step_db(context, step)?, resolved(context, step, key)?);
    store::touch(context, &db, &id)
}

fn datoms(context: &Context, step: &Step<'_>, key: &str) -> Result<Edn, Failure> {
    let db = step_db(context, step)?;
    let name = step
        .get(key)
        .and_then(Edn::as_keyword)
        .map_or("", Keyword::as_str);
    let index = match name {
        "eavt" => Index::Eavt,
        "aevt" => Index::Aevt,
        "avet" => Index::Avet,
        "vaet" => Index::Vaet,
        other => return Err(Failure::exception(format!("no index is called {other:?}"))),
    };
    let components = context.resolve(&Edn::Vector(step.list("components").to_vec()))?;
    let components = components.as_sequence().unwrap_or_default();
    let take = step
        .get("take")
        .and_then(Edn::as_long)
        .unwrap_or(TAKE as i64) as usize;
    let (found, take) = match key {
        "datoms" => (db.datoms(index, components)?, usize::MAX),
        "seek-datoms" => (db.seek_datoms(index, components)?, take),
        _ => (db.rseek_datoms(index, components)?, take),
    };
    datom_list(context, found.take(take))
}

fn datom_list<E>(
    context: &Context,
    datoms: impl Iterator<Item = Result<Datom, E>>,
) -> Result<Edn, Failure>
where
    Failure: From<E>,
{
    let forms = datoms.map(|datom| Ok(context.datom_answer(&datom?)));
    Ok(Edn::Vector(forms.collect::<Result<_, Failure>>()?))
}

fn index_range(context: &Context, step: &Step<'_>, key: &str) -> Result<Edn, Failure> {
    let db = step_db(context, step)?;
    let (start, end) = (
        resolved(context, step, "start")?,
        resolved(context, step, "end")?,
    );
    let found = db.index_range(&resolved(context, step, key)?, &start, &end)?;
    datom_list(context, found)
}

fn index_pull(context: &Context, step: &Step<'_>, key: &str) -> Result<Edn, Failure> {
    let db = step_db(context, step)?;
    let answer = store::index_pull(&db, &resolved(context, step, key)?)?;
    Ok(context.answer(&answer, step.is("idents")))
}

fn tx_range(context: &Context, step: &Step<'_>, key: &str) -> Result<Edn, Failure> {
    let range = resolved(context, step, key)?;
    let Some([start, end]) = range.as_sequence() else {
        return Err(Failure::Case("a range has a start and an end".to_owned()));
    };
    let mut transactions = Vec::new();
    for (tx, datoms) in store::tx_range(&context.conn, start, end)? {
        let mut data: Vec<Edn> = datoms
            .iter()
            .filter(|datom| datom.a != TX_INSTANT)
            .map(|datom| context.datom_answer(datom))
            .collect();
        // Recorded in the order of their text.
        data.sort_by_key(Edn::to_string);
        transactions.push(Edn::Map(vec![
            (
                Edn::keyword("tx"),
                context.answer(&Edn::from(Value::Ref(tx)), false),
            ),
            (Edn::keyword("data"), Edn::Vector(data)),
        ]));
    }
    Ok(Edn::Vector(transactions))
}

fn entid(context: &Context, step: &Step<'_>, key: &str) -> Result<Edn, Failure> {
    let found = step_db(context, step)?.entid(&resolved(context, step, key)?)?;
    Ok(found.map_or(Edn::Nil, |id| {
        context.answer(&Edn::from(Value::Ref(id)), true)
    }))
}

fn ident(context: &Context, step: &Step<'_>, key: &str) -> Result<Edn, Failure> {
    // `d/ident` gives anything but a number back as it is.
    let form = resolved(context, step, key)?;
    let Some(id) = form.as_long() else {
        return Ok(form);
    };
    let ident = step_db(context, step)?.ident(EntityId::new(id as u64));
    Ok(ident.map_or(Edn::Nil, Edn::from))
}

fn attribute(context: &Context, step: &Step<'_>, key: &str) -> Result<Edn, Failure> {
    let db = step_db(context, step)?;
    let found = db.attribute(&resolved(context, step, key)?)?;
    Ok(found.map_or(Edn::Nil, |attribute| attribute_answer(&attribute)))
}

fn about_db(context: &Context, step: &Step<'_>, key: &str) -> Result<Edn, Failure> {
    let db = context.db(step.list(key))?;
    let t = |t| context.t_form(t);
    Ok(match key {
        "basis-t" => t(db.basis_t()),
        "as-of-t" => db.as_of_t().map_or(Edn::Nil, t),
        "since-t" => db.since_t().map_or(Edn::Nil, t),
        "is-history" => Edn::from(db.is_history()),
        _ => Edn::from(db.is_filtered()),
    })
}

fn db_stats(context: &Context, step: &Step<'_>, _: &str) -> Result<Edn, Failure> {
    let counts = store::attribute_counts(&step_db(context, step)?)?;
    let of_users = counts
        .into_iter()
        .filter(|(attribute, _)| !is_own(attribute));
    let entries = of_users.map(|(attribute, count)| {
        let count = Edn::Map(vec![(Edn::keyword("count"), Edn::from(count))]);
        (Edn::from(attribute), count)
    });
    let attributes = Edn::Map(entries.collect());
    Ok(Edn::Map(vec![(Edn::keyword("attrs"), attributes)]))
}

fn part(context: &Context, step: &Step<'_>, key: &str) -> Result<Edn, Failure> {
    let id = resolved(context, step, key)?.as_long().unwrap_or_default() as u64;
    let partition = EntityId::new(id).partition();
    if partition.implicit_number().is_some() {
        return Ok(Edn::from(partition.entity(0).raw() as i64));
    }
    let number = u64::from(partition.number());
    let ident = store::db(&context.conn).ident(EntityId::new(number));
    Ok(ident.map_or_else(|| Edn::from(number as i64), Edn::from))
}

fn invoke(context: &Context, step: &Step<'_>, key: &str) -> Result<Edn, Failure> {
    let arguments = step
        .list("args")
        .iter()
        .map(|argument| argument_of(context, argument));
    let arguments = arguments.collect::<Result<Vec<_>, _>>()?;
    let answer = store::invoke(&resolved(context, step, key)?, arguments)?;
    Ok(context.answer(&answer, step.is("idents")))
}
