//! Bulk equals `transact`: the same rows by either way give the same database.
//!
//! Entity ids may differ; everything is compared by the keys of the rows.

use std::collections::BTreeMap;

use datomite::{
    Column, Connection, Datom, Db, Edn, EntityId, Index, TxMeta, Value, ValueType, mem,
};
use datomite_tests::generate::{self, Random};
use datomite_tests::oracle::{Attr, Uniqueness};

/// How many random tables are tried.
const TABLES: u64 = 40;

/// Rows of a table: for each attribute a value or a gap; references are numbers of rows.
struct Table {
    attrs: Vec<Attr>,
    rows: Vec<Vec<Option<Cell>>>,
}

enum Cell {
    Value(Value),
    Row(usize),
}

impl Table {
    /// The first attribute is the key; no other is unique, so that every table is accepted.
    fn random(random: &mut Random) -> Table {
        let mut attrs = generate::schema(random);
        attrs[0].value_type = ValueType::Long;
        for attr in &mut attrs[1..] {
            attr.unique = Uniqueness::None;
        }
        let count = 1 + random.below(60);
        let mut rows = Vec::new();
        for row in 0..count {
            let mut cells = vec![Some(Cell::Value(Value::from(row as i64)))];
            for attr in &attrs[1..] {
                cells.push(match attr.value_type {
                    _ if random.chance(20) => None,
                    ValueType::Ref => Some(Cell::Row(random.below(count))),
                    value_type => Some(Cell::Value(generate::scalar(random, value_type))),
                });
            }
            rows.push(cells);
        }
        Table { attrs, rows }
    }

    fn by_transact(&self) -> Connection {
        let conn = self.empty();
        let tempid = |row: usize| Edn::string(&format!("row {row}"));
        let row_form = |(row, cells): (usize, &Vec<Option<Cell>>)| {
            let mut entries = vec![(Edn::keyword("db/id"), tempid(row))];
            for (attr, cell) in self.attrs.iter().zip(cells) {
                let value = match cell {
                    None => continue,
                    Some(Cell::Value(value)) => Edn::from(value),
                    Some(Cell::Row(row)) => tempid(*row),
                };
                entries.push((Edn::from(attr.ident.clone()), value));
            }
            Edn::Map(entries)
        };
        let data = Edn::Vector(self.rows.iter().enumerate().map(row_form).collect());
        conn.transact(data).expect("the rows are accepted");
        conn
    }

    fn by_bulk(&self) -> Connection {
        let conn = self.empty();
        let mut bulk = conn.bulk().expect("a bulk begins");
        let first = bulk.reserve(self.rows.len() as u64);
        let id = |row: usize| EntityId::new(first.raw() + row as u64);
        let columns = self.attrs.iter().enumerate().map(|(at, attr)| {
            let ident = Edn::from(attr.ident.clone());
            let attribute = bulk
                .db()
                .entid(&ident)
                .expect("a read")
                .expect("an attribute");
            let mut column = Column {
                attribute,
                entities: Vec::new(),
                values: Vec::new(),
            };
            for (row, cells) in self.rows.iter().enumerate() {
                let value = match &cells[at] {
                    None => continue,
                    Some(Cell::Value(value)) => value.clone(),
                    Some(Cell::Row(row)) => Value::Ref(id(*row)),
                };
                column.entities.push(id(row));
                column.values.push(value);
            }
            column
        });
        let columns = columns.collect();
        let before = conn.db().basis_t();
        bulk.columns(columns, TxMeta::default())
            .expect("the columns are accepted");
        assert_eq!(
            conn.db().basis_t(),
            before,
            "a group is invisible before its commit"
        );
        bulk.commit().expect("a commit");
        conn
    }

    fn empty(&self) -> Connection {
        let conn = mem();
        conn.transact(generate::schema_tx(&self.attrs))
            .expect("the schema is installed");
        conn
    }

    /// What an index holds of our attributes, with keys for entities, sorted.
    fn rows_of(&self, db: &Db, index: Index) -> Vec<(Value, Edn, Value, bool)> {
        let ours = |datom: &Datom| {
            let ident = db.ident(datom.a)?;
            self.attrs
                .iter()
                .any(|attr| attr.ident == ident)
                .then_some(ident)
        };
        let all = || {
            let datoms = db.datoms(index, &[]).expect("a read");
            datoms.map(|datom| datom.expect("a read"))
        };
        let key_attr = db
            .entid(&Edn::from(self.attrs[0].ident.clone()))
            .expect("a read");
        let by_entity = db.datoms(Index::Eavt, &[]).expect("a read");
        let keys: BTreeMap<EntityId, Value> = by_entity
            .map(|datom| datom.expect("a read"))
            .filter(|datom| Some(datom.a) == key_attr)
            .map(|datom| (datom.e, datom.v))
            .collect();
        let found = all().filter_map(|datom| {
            let ident = ours(&datom)?;
            let value = match &datom.v {
                Value::Ref(id) => keys[id].clone(),
                value => value.clone(),
            };
            Some((keys[&datom.e].clone(), Edn::from(ident), value, datom.added))
        });
        let mut found: Vec<_> = found.collect();
        found.sort();
        found
    }
}

#[test]
fn bulk_equals_transact() {
    let mut facts = 0;
    for seed in 1..=TABLES {
        let table = Table::random(&mut Random::new(seed));
        let (transacted, bulked) = (table.by_transact().db(), table.by_bulk().db());
        for index in [Index::Eavt, Index::Aevt, Index::Avet, Index::Vaet] {
            let expected = table.rows_of(&transacted, index);
            assert_eq!(
                table.rows_of(&bulked, index),
                expected,
                "seed {seed}, {index:?}"
            );
            facts += expected.len();
        }
        let stats = [&transacted, &bulked].map(|db| db.db_stats().expect("counts").attributes);
        assert_eq!(stats[0], stats[1], "seed {seed}");
    }
    println!("{facts} rows of indexes compared");
    assert!(facts > 1000, "{facts}");
}

#[test]
fn a_bulk_that_breaks_a_rule_leaves_nothing() {
    let table = Table::random(&mut Random::new(7));
    let conn = table.empty();
    let before = conn.db();
    let mut bulk = conn.bulk().expect("a bulk begins");
    let first = bulk.reserve(2);
    let key = Edn::from(table.attrs[0].ident.clone());
    let column = Column {
        attribute: bulk
            .db()
            .entid(&key)
            .expect("a read")
            .expect("an attribute"),
        entities: vec![first, EntityId::new(first.raw() + 1)],
        values: vec![Value::from(1), Value::from(1)],
    };
    assert!(bulk.columns(vec![column], TxMeta::default()).is_err());
    drop(bulk);
    assert_eq!(conn.db().basis_t(), before.basis_t());
    assert_eq!(table.rows_of(&conn.db(), Index::Eavt), []);
}
