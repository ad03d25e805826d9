//! What one case has done so far: labels, transactions, saved databases; and tags to values.

use std::collections::{HashMap, HashSet};
use std::fmt;

use datomite::{
    Category, Connection, Db, Edn, EntityId, Instant, Keyword, T, TimePoint, TxReport, Value,
};

use super::{functions, store};

/// Ids of transactions and of what users assert: partitions 3 and 4.
const USER_IDS: std::ops::Range<u64> = 3 << 42..5 << 42;
/// Ids below are idents of the schema.
const SCHEMA_IDS: std::ops::RangeInclusive<u64> = 0..=500_000;

/// A step has no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The case asks for what does not exist, or the runner cannot do it.
    Case(String),
    /// The store answered with an error.
    Store {
        code: Option<Keyword>,
        category: Option<Category>,
        message: String,
    },
}

impl Failure {
    /// What the types of our face make impossible to ask, and Datomic answers by an exception.
    pub(super) fn exception(message: impl Into<String>) -> Failure {
        Failure::Store {
            code: None,
            category: None,
            message: message.into(),
        }
    }
}

impl Failure {
    /// The failure as a recording has it.
    pub(super) fn written(&self) -> Edn {
        let Failure::Store { code, category, .. } = self else {
            return Edn::Nil;
        };
        let error = match (code, category) {
            (Some(code), _) => Edn::from(code.clone()),
            (None, Some(_)) => Edn::keyword("anomaly"),
            (None, None) => Edn::keyword("exception"),
        };
        let mut entries = vec![(Edn::keyword("error"), error)];
        if let Some(category) = category {
            let category = category.to_string();
            let name = category.trim_start_matches(':');
            entries.push((Edn::keyword("category"), Edn::keyword(name)));
        }
        Edn::Map(entries)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Case(message) => write!(f, "a case error: {message}"),
            Failure::Store {
                code,
                category,
                message,
            } => {
                let code = code
                    .as_ref()
                    .map_or_else(|| "no code".to_owned(), Keyword::to_string);
                let category = category.map_or_else(String::new, |c| format!(", {c}"));
                write!(f, "an error: {code}{category}: {message}")
            }
        }
    }
}

/// A successful `:transact`.
pub(super) struct Tx {
    pub(super) id: EntityId,
    pub(super) instant: Instant,
    /// Whether its data named `:db/txInstant`.
    pub(super) explicit: bool,
}

pub(super) struct Context {
    pub(super) conn: Connection,
    labels: HashMap<String, EntityId>,
    /// The first label of an entity; one learned from a `:with` gives way to a transaction's.
    names: HashMap<EntityId, String>,
    speculative: HashSet<EntityId>,
    pub(super) txs: Vec<Tx>,
    pub(super) saved: HashMap<String, Db>,
    /// While the answer to a `:with` is read: its db-after and its transaction.
    pub(super) with: Option<(Db, EntityId)>,
    /// Whether answers name entities by their ids: `:raw true` of a case.
    raw: bool,
}

impl Context {
    pub(super) fn new(raw: bool) -> Result<Context, Failure> {
        let conn = store::fresh()?;
        functions::register(&conn);
        Ok(Context {
            conn,
            labels: HashMap::new(),
            names: HashMap::new(),
            speculative: HashSet::new(),
            txs: Vec::new(),
            saved: HashMap::new(),
            with: None,
            raw,
        })
    }

    /// Puts values in place of the tags of a step.
    pub(super) fn resolve(&self, form: &Edn) -> Result<Edn, Failure> {
        let all = |items: &[Edn]| -> Result<Vec<Edn>, Failure> {
            items.iter().map(|item| self.resolve(item)).collect()
        };
        Ok(match form {
            Edn::Tagged(tag, inner) => return self.resolve_tag(tag.as_str(), inner, form),
            Edn::List(items) => Edn::List(all(items)?),
            Edn::Vector(items) => Edn::Vector(all(items)?),
            Edn::Set(items) => Edn::Set(all(items)?),
            Edn::Map(entries) => Edn::Map(
                entries
                    .iter()
                    .map(|(key, value)| Ok((self.resolve(key)?, self.resolve(value)?)))
                    .collect::<Result<_, Failure>>()?,
            ),
            other => other.clone(),
        })
    }

    fn resolve_tag(&self, tag: &str, inner: &Edn, whole: &Edn) -> Result<Edn, Failure> {
        match tag {
            "id" => Ok(entity_form(self.entity(inner)?)),
            "tx" => Ok(entity_form(self.tx(inner)?.id)),
            "t" => Ok(Edn::from(self.tx(inner)?.id.t())),
            "inst-of" => Ok(Edn::from(self.tx(inner)?.instant)),
            // An object of the entity API names no entity; it stays a form that is none.
            "entity" => Ok(tagged("entity", self.resolve(inner)?)),
            "ratio" => match inner.as_sequence() {
                Some([n, d]) => datomite::read(&format!("{n}/{d}"))
                    .map_err(|error| Failure::Case(error.to_string())),
                _ => Err(Failure::Case(format!("{whole} is no ratio"))),
            },
            "db/id" => Ok(whole.clone()),
            _ => Err(Failure::Case(format!("unknown tag {whole}"))),
        }
    }

    fn entity(&self, label: &Edn) -> Result<EntityId, Failure> {
        match label {
            Edn::Value(Value::String(text)) => self.labels.get(text.as_ref()).copied(),
            ident => store::db(&self.conn).entid(ident).ok().flatten(),
        }
        .ok_or_else(|| Failure::Case(format!("nothing is called {label}")))
    }

    fn tx(&self, number: &Edn) -> Result<&Tx, Failure> {
        let at = number.as_long().and_then(|n| usize::try_from(n - 1).ok());
        at.and_then(|at| self.txs.get(at))
            .ok_or_else(|| Failure::Case(format!("no transaction {number}")))
    }

    /// The database that the stages lead to, from the current one.
    pub(super) fn db(&self, stages: &[Edn]) -> Result<Db, Failure> {
        stages.iter().try_fold(store::db(&self.conn), |db, stage| {
            let (stage, argument) = match stage.as_sequence() {
                Some([stage]) => (stage, &Edn::Nil),
                Some([stage, argument]) => (stage, argument),
                _ => (stage, &Edn::Nil),
            };
            let stage = stage.as_keyword().map_or("", Keyword::as_str);
            match stage {
                "as-of" => {
                    let point = TimePoint::from_edn(&self.resolve(argument)?)?;
                    Ok(db.as_of(point)?)
                }
                "since" => {
                    let point = TimePoint::from_edn(&self.resolve(argument)?)?;
                    Ok(db.since(point)?)
                }
                "history" => Ok(db.history()),
                "saved" => {
                    let name = argument.as_str().unwrap_or_default();
                    let saved = self.saved.get(name).cloned();
                    saved.ok_or_else(|| Failure::Case(format!("nothing is saved as {argument}")))
                }
                "without-attr" => {
                    let dropped = db.entid(argument)?;
                    Ok(db.filter(move |_, datom| Some(datom.a) != dropped))
                }
                "with" => Ok(store::with(&db, &self.resolve(argument)?)?.db_after),
                other => Err(Failure::Case(format!("unknown stage {other}"))),
            }
        })
    }

    /// Learns what a transaction's tempids became.
    pub(super) fn learn(&mut self, tx_data: &Edn, report: &TxReport, speculative: bool) {
        for (tempid, entity) in &report.tempids {
            match tempid.as_str() {
                Some("datomic.tx") | None => {}
                Some(label) => self.learn_label(label, *entity, speculative),
            }
        }
        let mut numbered = Vec::new();
        find_numbered(tx_data, &mut numbered);
        for (number, tagged) in numbered {
            let by_number = report
                .tempids
                .get(&number)
                .or_else(|| report.tempids.get(&tagged));
            if let Some(entity) = by_number {
                self.learn_label(&number.to_string(), *entity, speculative);
            }
        }
    }

    fn learn_label(&mut self, label: &str, entity: EntityId, speculative: bool) {
        self.labels.insert(label.to_owned(), entity);
        let taken = self.names.contains_key(&entity);
        let weak = self.speculative.contains(&entity);
        if !taken || (weak && !speculative) {
            self.names.insert(entity, label.to_owned());
        }
        match speculative {
            true if !taken => _ = self.speculative.insert(entity),
            true => {}
            false => _ = self.speculative.remove(&entity),
        }
    }

    /// The tag for an entity id, where it has one.
    pub(super) fn tag_of(&self, id: EntityId) -> Option<Edn> {
        if let Some((_, with_tx)) = &self.with
            && *with_tx == id
        {
            return Some(tagged("tx", Edn::keyword("with")));
        }
        if let Some(at) = self.txs.iter().position(|tx| tx.id == id) {
            return Some(tagged("tx", Edn::from(at as i64 + 1)));
        }
        if USER_IDS.contains(&id.raw())
            && let Some(ident) = self.answer_db().ident(id)
        {
            return Some(tagged("id", Edn::from(ident)));
        }
        let name = self.names.get(&id).filter(|_| !self.raw);
        name.map(|label| tagged("id", Edn::string(label)))
    }

    /// What the labels that transactions gave mean now.
    pub(super) fn labels(&self) -> &HashMap<String, EntityId> {
        &self.labels
    }

    /// The tag for an id of the schema partition: its ident.
    pub(super) fn schema_tag(&self, id: i64) -> Option<Edn> {
        let id = u64::try_from(id)
            .ok()
            .filter(|id| SCHEMA_IDS.contains(id))?;
        let ident = self.answer_db().ident(EntityId::new(id))?;
        Some(tagged("id", Edn::from(ident)))
    }

    /// The database whose idents an answer is read with.
    pub(super) fn answer_db(&self) -> Db {
        match &self.with {
            Some((db, _)) => db.clone(),
            None => store::db(&self.conn),
        }
    }

    /// `#t n` where the t is that of a transaction.
    pub(super) fn t_form(&self, t: T) -> Edn {
        match self.txs.iter().position(|tx| tx.id.t() == t) {
            Some(at) => tagged("t", Edn::from(at as i64 + 1)),
            None => Edn::from(t),
        }
    }

    /// A recorded answer with every label that names an entity replaced by the one that our
    /// answers use for it: two tempids may have become one entity.
    pub(super) fn canonical(&self, form: &Edn) -> Edn {
        let all = |items: &[Edn]| items.iter().map(|item| self.canonical(item)).collect();
        match form {
            Edn::Tagged(tag, inner) if tag.as_str() == "id" => {
                let entity = inner.as_str().and_then(|label| self.labels.get(label));
                let tag = entity.and_then(|entity| self.tag_of(*entity));
                tag.unwrap_or_else(|| form.clone())
            }
            Edn::Tagged(tag, inner) => tagged(tag.as_str(), self.canonical(inner)),
            Edn::Vector(items) => Edn::Vector(all(items)),
            Edn::Set(items) => Edn::Set(all(items)),
            Edn::Map(entries) => {
                let both = |(k, v): &(Edn, Edn)| (self.canonical(k), self.canonical(v));
                Edn::Map(entries.iter().map(both).collect())
            }
            other => other.clone(),
        }
    }
}

/// Every `#db/id[part n]` in the data: its number, and the whole.
fn find_numbered(form: &Edn, found: &mut Vec<(Edn, Edn)>) {
    match form {
        Edn::Tagged(tag, inner) if tag.as_str() == "db/id" => {
            if let Some([_, number]) = inner.as_sequence() {
                found.push((number.clone(), form.clone()));
            }
        }
        Edn::List(items) | Edn::Vector(items) | Edn::Set(items) => {
            items.iter().for_each(|item| find_numbered(item, found));
        }
        Edn::Map(entries) => entries.iter().for_each(|(key, value)| {
            find_numbered(key, found);
            find_numbered(value, found);
        }),
        _ => {}
    }
}

pub(super) fn tagged(tag: &str, form: Edn) -> Edn {
    Edn::Tagged(tag.into(), Box::new(form))
}

/// An entity id as a caller writes it: a long.
pub(super) fn entity_form(id: EntityId) -> Edn {
    Edn::from(Value::Ref(id))
}
