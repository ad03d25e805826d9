//! Import compared with Postgres itself: every value of every table.
//!
//! The reference side is `SELECT column::text` in a throw-away cluster that loaded the same dump;
//! ours is read from the datoms by the `:pg/table` and `:pg/column` facts of the attributes and
//! rendered by `testkit::pgtext`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datomite::{Attribute, Db, Edn, EntityId, Index, Value};
use datomite_import::{Import, Mapping};
use datomite_tests::pgtext;
use datomite_tests::postgres::{Cluster, TextRows, text_rows};
use datomite_tests::skip::shared_datasets;
use postgres::Client;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../data")
        .join(name)
}

#[test]
fn queryfeed_equals_postgres() {
    let cluster = Cluster::start();
    cluster.load("plain", &data("queryfeed.sql"));
    compare(&cluster, "plain", &data("queryfeed.sql"));
    compare(&cluster, "plain", &data("queryfeed.dump"));
    cluster.load("next", &data("queryfeed-next-day.sql"));
    compare(&cluster, "next", &data("queryfeed-next-day.sql"));
}

#[test]
fn chinook_equals_postgres() {
    let Some(shared) = shared_datasets("chinook_equals_postgres") else {
        return;
    };
    let folder = shared.join("chinook");
    let cluster = Cluster::start();
    cluster.load("chinook", &folder.join("chinook.plain.sql"));
    for dump in ["chinook.plain.sql", "chinook.inserts.sql", "chinook.fc"] {
        compare(&cluster, "chinook", &folder.join(dump));
    }
}

#[test]
fn northwind_equals_postgres() {
    let Some(shared) = shared_datasets("northwind_equals_postgres") else {
        return;
    };
    let folder = shared.join("northwind");
    let cluster = Cluster::start();
    cluster.load("hand", &folder.join("northwind.sql"));
    compare(&cluster, "hand", &folder.join("northwind.sql"));
    cluster.load("plain", &folder.join("northwind.plain.sql"));
    compare(&cluster, "plain", &folder.join("northwind.plain.sql"));
    compare(&cluster, "plain", &folder.join("northwind.fc"));
}

#[test]
fn pagila_equals_postgres() {
    let Some(shared) = shared_datasets("pagila_equals_postgres") else {
        return;
    };
    let folder = shared.join("pagila");
    let cluster = Cluster::start();
    cluster.load("pagila", &folder.join("pagila.plain.sql"));
    for dump in ["pagila.plain.sql", "pagila.fc", "pagila.fc-pipe"] {
        compare(&cluster, "pagila", &folder.join(dump));
    }
}

fn compare(cluster: &Cluster, database: &str, dump: &Path) {
    let conn = datomite::mem();
    let report = conn.import(dump, &Mapping::default());
    report.unwrap_or_else(|error| panic!("{}: {error}", dump.display()));
    let db = conn.db();
    let mut client = cluster.client(database);
    let catalog = Catalog::read(&mut client);
    let ours = Ours::new(&db);
    let mut values = 0;
    for table in &catalog.tables {
        let mut expected = catalog.rows(&mut client, table);
        let mut answered = ours.rows(&catalog, table);
        expected.sort();
        answered.sort();
        let name = table.name();
        assert_eq!(
            expected.len(),
            answered.len(),
            "{}: rows of {name}",
            dump.display()
        );
        for (expected, answered) in expected.iter().zip(&answered) {
            for (at, column) in table.columns.iter().enumerate() {
                let place = format!("{}: {name}.{}", dump.display(), column.name);
                assert_eq!(
                    expected[at], answered[at],
                    "{place}\n{expected:?}\n{answered:?}"
                );
                values += 1;
            }
        }
    }
    println!(
        "{}: {} tables, {values} values equal",
        dump.display(),
        catalog.tables.len()
    );
    assert!(values > 1000, "the comparison saw next to nothing");
}

struct Catalog {
    tables: Vec<Table>,
    /// (table oid, column) → (table oid, column) of single-column foreign keys.
    references: HashMap<(String, String), (String, String)>,
}

struct Table {
    oid: String,
    schema: String,
    relation: String,
    partitioned: bool,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    pg_type: String,
}

impl Table {
    fn name(&self) -> String {
        format!("{}.{}", self.schema, self.relation)
    }
}

const TABLES: &str = "SELECT c.oid, n.nspname, c.relname, c.relkind = 'p'
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 2, 3";

const COLUMNS: &str = "SELECT attrelid, attname, format_type(atttypid, atttypmod)
  FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped AND attgenerated = ''
  ORDER BY attrelid, attnum";

/// A key that any partition declares counts as its root's.
const REFERENCES: &str = "SELECT coalesce(pg_partition_root(k.conrelid)::oid, k.conrelid),
    a.attname, k.confrelid, f.attname
  FROM pg_constraint k
  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
  JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = k.confkey[1]
  WHERE k.contype = 'f' AND cardinality(k.conkey) = 1";

impl Catalog {
    fn read(client: &mut Client) -> Catalog {
        let text = |row: &[Option<String>], at: usize| row[at].clone().expect("not null");
        let mut columns: HashMap<String, Vec<Column>> = HashMap::new();
        for row in text_rows(client, COLUMNS) {
            let column = Column {
                name: text(&row, 1),
                pg_type: text(&row, 2),
            };
            columns.entry(text(&row, 0)).or_default().push(column);
        }
        let table = |row: Vec<Option<String>>, columns: &mut HashMap<String, Vec<Column>>| Table {
            columns: columns.remove(&text(&row, 0)).unwrap_or_default(),
            oid: text(&row, 0),
            schema: text(&row, 1),
            relation: text(&row, 2),
            partitioned: text(&row, 3) == "t",
        };
        let tables = text_rows(client, TABLES);
        let references = text_rows(client, REFERENCES).into_iter().map(|row| {
            (
                (text(&row, 0), text(&row, 1)),
                (text(&row, 2), text(&row, 3)),
            )
        });
        Catalog {
            references: references.collect(),
            tables: tables
                .into_iter()
                .map(|row| table(row, &mut columns))
                .collect(),
        }
    }

    fn rows(&self, client: &mut Client, table: &Table) -> TextRows {
        let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|c| format!("{}::text", quote(&c.name)))
            .collect();
        let only = if table.partitioned { "" } else { "ONLY " };
        let (schema, relation) = (quote(&table.schema), quote(&table.relation));
        let sql = format!(
            "SELECT {} FROM {only}{schema}.{relation}",
            columns.join(", ")
        );
        text_rows(client, &sql)
    }

    fn table(&self, oid: &str) -> &Table {
        self.tables
            .iter()
            .find(|t| t.oid == oid)
            .expect("a referenced table is a table")
    }
}

/// Our side: attributes by the table and column they came from.
struct Ours<'a> {
    db: &'a Db,
    attributes: BTreeMap<(String, String), Vec<Arc<Attribute>>>,
}

impl<'a> Ours<'a> {
    fn new(db: &'a Db) -> Ours<'a> {
        let mut attributes: BTreeMap<(String, String), Vec<Arc<Attribute>>> = BTreeMap::new();
        for attribute in db.schema().attributes() {
            let note = |name: &str| annotation(db, attribute.id, name);
            if let (Some(table), Some(column)) = (note(":pg/table"), note(":pg/column")) {
                let key = (qualified(&table), column);
                attributes
                    .entry(key)
                    .or_default()
                    .push(Arc::clone(attribute));
            }
        }
        Ours { db, attributes }
    }

    fn of(&self, table: &Table, column: &str) -> &[Arc<Attribute>] {
        let key = (table.name(), column.to_owned());
        self.attributes.get(&key).map_or(&[], Vec::as_slice)
    }

    fn rows(&self, catalog: &Catalog, table: &Table) -> TextRows {
        if let Some(bridge) = self.bridge(table) {
            return self.bridge_rows(catalog, table, &bridge);
        }
        let attributes = self
            .attributes
            .iter()
            .filter(|((t, _), _)| *t == table.name());
        let mut entities: BTreeSet<EntityId> = BTreeSet::new();
        for attribute in attributes.flat_map(|(_, list)| list) {
            entities.extend(self.datoms_of(attribute.id).into_iter().map(|(e, _)| e));
        }
        let row = |e: EntityId| {
            let cells = table
                .columns
                .iter()
                .map(|column| self.cell(catalog, table, column, e));
            cells.collect()
        };
        entities.into_iter().map(row).collect()
    }

    /// The attribute that a pure bridge table became, if this is one.
    fn bridge(&self, table: &Table) -> Option<Arc<Attribute>> {
        let own = self
            .attributes
            .iter()
            .filter(|((t, _), _)| *t == table.name());
        let mut found = own
            .flat_map(|(_, list)| list)
            .filter(|a| !is_companion(self.db, a));
        let only = found.next()?;
        let bridge = only.is_ref() && only.is_many() && found.next().is_none();
        bridge.then(|| Arc::clone(only))
    }

    fn bridge_rows(&self, catalog: &Catalog, table: &Table, attribute: &Attribute) -> TextRows {
        let pairs = self.datoms_of(attribute.id);
        let columns = annotation(self.db, attribute.id, ":pg/column").expect("a bridge's columns");
        let (first, _) = columns.split_once('+').expect("two columns");
        let cell = |column: &Column, e: EntityId, v: &Value| {
            let end = if column.name == first {
                e
            } else {
                v.as_ref_id().expect("a ref")
            };
            self.referenced(catalog, table, column, end)
        };
        let row = |(e, v): (EntityId, Value)| {
            table
                .columns
                .iter()
                .map(|column| cell(column, e, &v))
                .collect()
        };
        pairs.into_iter().map(row).collect()
    }

    fn datoms_of(&self, attribute: EntityId) -> Vec<(EntityId, Value)> {
        let form = Edn::Value(Value::Ref(attribute));
        let datoms = self.db.datoms(Index::Aevt, &[form]).expect("datoms");
        datoms
            .map(|datom| datom.map(|d| (d.e, d.v)).expect("a datom"))
            .collect()
    }

    fn values(&self, e: EntityId, attribute: &Attribute) -> Vec<Value> {
        let forms = [
            Edn::Value(Value::Ref(e)),
            Edn::Value(Value::Ref(attribute.id)),
        ];
        let datoms = self.db.datoms(Index::Eavt, &forms).expect("datoms");
        datoms.map(|datom| datom.expect("a datom").v).collect()
    }

    /// One value of a row as Postgres prints it.
    fn cell(
        &self,
        catalog: &Catalog,
        table: &Table,
        column: &Column,
        e: EntityId,
    ) -> Option<String> {
        let attributes = self.of(table, &column.name);
        let companion = |suffix: &str| {
            let found = attributes
                .iter()
                .find(|a| a.ident.name().ends_with(suffix))?;
            self.values(e, found).into_iter().next()
        };
        if let Some(Value::String(exact)) = companion(".array").or_else(|| companion(".raw")) {
            return Some(exact.to_string());
        }
        if let Some(Value::Long(us)) = companion(".us") {
            let part = |suffix: &str| match companion(suffix) {
                Some(Value::Long(n)) => n,
                _ => 0,
            };
            return Some(pgtext::interval(part(".months"), part(".days"), us));
        }
        let plain = attributes
            .iter()
            .find(|a| !a.ident.name().contains('.') && !a.is_composite())?;
        let values = self.values(e, plain);
        let text = |value: &Value| match value {
            Value::Ref(target) => self.referenced(catalog, table, column, *target),
            value => Some(pgtext::render(value, &column.pg_type)),
        };
        if column.pg_type.ends_with("[]") {
            let elements: Vec<Option<String>> = values.iter().map(text).collect();
            return (!elements.is_empty()).then(|| pgtext::array(&elements));
        }
        assert!(
            values.len() <= 1,
            "{}.{}: {values:?}",
            table.name(),
            column.name
        );
        values.first().and_then(text)
    }

    /// What a reference stands for: an enum label or the referenced column of its row.
    fn referenced(
        &self,
        catalog: &Catalog,
        table: &Table,
        column: &Column,
        target: EntityId,
    ) -> Option<String> {
        if let Some(label) = annotation(self.db, target, ":pg.enum/label") {
            return Some(label);
        }
        let key = (table.oid.clone(), column.name.clone());
        let (oid, name) = catalog
            .references
            .get(&key)
            .expect("a ref has a foreign key");
        let foreign = catalog.table(oid);
        let column = foreign
            .columns
            .iter()
            .find(|c| c.name == *name)
            .expect("its column");
        self.cell(catalog, foreign, column, target)
    }
}

/// Attributes beside the one of a column: what it cannot hold itself.
fn is_companion(db: &Db, attribute: &Attribute) -> bool {
    annotation(db, attribute.id, ":pg/type").as_deref() == Some("companion")
}

fn annotation(db: &Db, e: EntityId, attribute: &str) -> Option<String> {
    let attribute = Edn::keyword(attribute);
    db.entid(&attribute).expect("an entid")?;
    let mut datoms = db
        .datoms(Index::Eavt, &[Edn::Value(Value::Ref(e)), attribute])
        .expect("datoms");
    datoms
        .next()
        .map(|datom| datom.expect("a datom").v)
        .and_then(|v| v.as_str().map(str::to_owned))
}

/// `users` and `public.users` name the same table.
fn qualified(table: &str) -> String {
    let plain = table.replace('"', "");
    if plain.contains('.') {
        plain
    } else {
        format!("public.{plain}")
    }
}
