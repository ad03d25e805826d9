//! What a fresh database holds: the entities that schema and transactions are made of.
//!
//! The datoms are those of Datomic Pro 1.0.7622, but for two retractions of first names: idents 0
//! to 71, basis t 66, the first user attribute 72, the first user transaction t 1000.

use std::sync::{Arc, OnceLock};

use datomite_model::{Datom, Edn, EntityId, Instant, Schema, T, Value, read};
use datomite_storage::{DatabaseId, Record};

use crate::transact::schema::advance;
use crate::{Db, DbError, Options};

/// The t of the first transaction of a user.
pub(crate) const FIRST_T: T = T::new(1000);
/// The id of the first attribute of a user.
pub(crate) const FIRST_ELEMENT: u64 = 72;

/// Ids that the pipeline knows by name.
pub(crate) mod id {
    use datomite_model::EntityId;

    macro_rules! ids {
        ($($name:ident = $id:literal),* $(,)?) => {
            $(pub(crate) const $name: EntityId = EntityId::new($id);)*
        };
    }

    ids! {
        PART_DB = 0, ADD = 1, RETRACT = 2, IDENT = 10,
        INSTALL_PARTITION = 11, INSTALL_VALUE_TYPE = 12, INSTALL_ATTRIBUTE = 13,
        INSTALL_FUNCTION = 14, ALTER_ATTRIBUTE = 19, TYPE_REF = 20,
        CARDINALITY_ONE = 35, CARDINALITY_MANY = 36, UNIQUE_VALUE = 37, UNIQUE_IDENTITY = 38,
        TAG = 39, VALUE_TYPE = 40, CARDINALITY = 41, UNIQUE = 42, IS_COMPONENT = 43, INDEX = 44,
        NO_HISTORY = 45, LANG = 46, CODE = 47, TX_INSTANT = 50, FULLTEXT = 51, FN = 52,
        RETRACT_ENTITY = 54, CAS = 55, DOC = 62, TUPLE_TYPE = 65, TUPLE_TYPES = 66,
        TUPLE_ATTRS = 67, ENSURE = 68, ENTITY_ATTRS = 69, ENTITY_PREDS = 70, ATTR_PREDS = 71,
    }
}

/// The datoms of each transaction that makes a fresh database, as Datomic's peer lists them.
const DATOMS: &str = include_str!("bootstrap/datoms.edn");

/// A transaction of the bootstrap.
type Step = (T, Vec<Datom>);

/// A database that holds the bootstrap datoms, ids 0 to 71, and nothing else.
pub(crate) fn bootstrap(id: DatabaseId, options: Arc<Options>) -> Db {
    static STEPS: OnceLock<Vec<Step>> = OnceLock::new();
    let steps = STEPS.get_or_init(|| read_steps().expect("invariant: the bootstrap is EDN"));
    let empty = Db::empty(id, options);
    // Attributes are used before they are described, and of two idents the earlier one is the name.
    let datoms = steps.iter().rev().flat_map(|(_, datoms)| datoms);
    let datoms: Vec<Datom> = datoms.cloned().collect();
    let schema = advance(empty.schema(), &datoms);
    steps.iter().fold(empty, |db, step| {
        take(&db, step, &schema).expect("invariant: the bootstrap datoms fit")
    })
}

fn read_steps() -> Option<Vec<Step>> {
    let form = read(DATOMS).ok()?;
    let steps = form.as_sequence()?;
    let rows = || {
        steps
            .iter()
            .flat_map(|step| step.as_sequence().unwrap_or_default())
    };
    let of_refs = |row: &Edn| match row.as_sequence() {
        Some([e, a, v]) if number(a) == Some(id::VALUE_TYPE.raw()) => {
            (number(v)? == id::TYPE_REF.raw()).then_some(number(e)?)
        }
        _ => None,
    };
    let refs: Vec<u64> = rows().filter_map(of_refs).collect();
    let datom = |t: T, row: &Edn| {
        let [e, a, v] = row.as_sequence()? else {
            return None;
        };
        let a = number(a)?;
        let v = match refs.contains(&a) {
            true => Value::Ref(EntityId::new(number(v)?)),
            false => v.as_value()?.clone(),
        };
        Some(Datom {
            e: EntityId::new(number(e)?),
            a: EntityId::new(a),
            v,
            tx: t.tx(),
            added: true,
        })
    };
    let step = |step: &Edn| {
        let (t, rows) = step.as_sequence()?.split_first()?;
        let t = T::new(number(t)?);
        let datoms: Option<Vec<Datom>> = rows.iter().map(|row| datom(t, row)).collect();
        Some((t, datoms?))
    };
    steps.iter().map(step).collect()
}

fn number(form: &Edn) -> Option<u64> {
    u64::try_from(form.as_long()?).ok()
}

fn take(db: &Db, (t, datoms): &Step, schema: &Arc<Schema>) -> Result<Db, DbError> {
    let record = Record {
        t: *t,
        instant: Instant::from_ms(0),
        next_t: FIRST_T,
        next_element: FIRST_ELEMENT,
        datoms: datoms.clone(),
        index_changes: Vec::new(),
    };
    db.apply_record(&record, Arc::clone(schema))
}
