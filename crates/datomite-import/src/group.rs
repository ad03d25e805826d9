//! The store's bulk as the group that loading writes to.

use std::fmt::Display;

use datomite::bulk::{Bulk, BulkError, Column, TxMeta};
use datomite::{
    Category, Connection, Datoms, DbError, Edn, EntityId, Index, Instant, Keyword, T, Value,
    ValueType,
};

use crate::ImportError;
use crate::schema::keyword;
use crate::store::{FactColumn, Group, StoredAttribute, Transacted};

/// A group of a connection.
pub(crate) struct BulkGroup {
    bulk: Bulk,
}

impl BulkGroup {
    pub(crate) fn open(connection: &Connection) -> Result<BulkGroup, ImportError> {
        let bulk = connection.bulk().map_err(|e| db_error(&e))?;
        Ok(BulkGroup { bulk })
    }

    fn datoms(&self, index: Index, parts: &[Edn]) -> Result<Datoms, ImportError> {
        self.bulk
            .db()
            .datoms(index, parts)
            .map_err(|e| db_error(&e))
    }
}

fn refused(message: &dyn Display, category: Category) -> ImportError {
    ImportError::Database {
        place: Box::default(),
        message: message.to_string(),
        category,
    }
}

pub(crate) fn db_error(error: &DbError) -> ImportError {
    refused(error, error.category())
}

fn bulk_error(error: &BulkError) -> ImportError {
    refused(error, error.category())
}

fn id(entity: EntityId) -> Edn {
    Edn::long(i64::try_from(entity.raw()).unwrap_or(i64::MAX))
}

impl Group for BulkGroup {
    fn transact(&mut self, data: Vec<Edn>, instant: Instant) -> Result<Transacted, ImportError> {
        let report = self
            .bulk
            .transact(Edn::Vector(data), Some(instant))
            .map_err(|e| bulk_error(&e))?;
        let mut done = Transacted {
            tx: report.db_after.basis_t().tx(),
            asserted: 0,
            retracted: 0,
        };
        for datom in report.tx_data.iter().filter(|d| !d.e.is_tx()) {
            if datom.added {
                done.asserted += 1;
            } else {
                done.retracted += 1;
            }
        }
        Ok(done)
    }

    fn reserve(&mut self, count: u64) -> Result<EntityId, ImportError> {
        Ok(self.bulk.reserve(count))
    }

    fn columns(
        &mut self,
        columns: Vec<FactColumn>,
        instant: Instant,
        facts: Vec<(Keyword, Value)>,
    ) -> Result<(), ImportError> {
        let columns = columns
            .into_iter()
            .map(|c| Column {
                attribute: c.attribute,
                entities: c.entities,
                values: c.values,
            })
            .collect();
        let meta = TxMeta {
            instant: Some(instant),
            facts,
        };
        self.bulk
            .columns(columns, meta)
            .map_err(|e| bulk_error(&e))?;
        Ok(())
    }

    fn entid(&self, ident: &Keyword) -> Result<Option<EntityId>, ImportError> {
        Ok(self.bulk.db().schema().entid(ident))
    }

    fn attributes(&self) -> Result<Vec<StoredAttribute>, ImportError> {
        let db = self.bulk.db();
        let text = |entity: EntityId, name: &str| -> Result<Option<String>, ImportError> {
            let name = Keyword::parse(name);
            if db.schema().entid(&name).is_none() {
                return Ok(None);
            }
            let mut datoms = self.datoms(Index::Eavt, &[id(entity), keyword(&name)])?;
            match datoms.next() {
                None => Ok(None),
                Some(datom) => {
                    let datom = datom.map_err(|e| db_error(&e))?;
                    Ok(datom.v.as_str().map(str::to_owned))
                }
            }
        };
        let mut out = Vec::new();
        for attribute in db.schema().attributes() {
            let origin = match text(attribute.id, "pg/table")? {
                None => None,
                Some(table) => Some([
                    table,
                    text(attribute.id, "pg/column")?.unwrap_or_default(),
                    text(attribute.id, "pg/type")?.unwrap_or_default(),
                ]),
            };
            out.push(StoredAttribute {
                id: attribute.id,
                ident: attribute.ident.clone(),
                value_type: attribute.value_type,
                origin,
                doc: text(attribute.id, "db/doc")?,
                is_unique: attribute.unique.is_some(),
            });
        }
        Ok(out)
    }

    fn facts(&self, entity: EntityId) -> Result<Vec<(EntityId, Value)>, ImportError> {
        self.datoms(Index::Eavt, &[id(entity)])?
            .map(|datom| datom.map(|d| (d.a, d.v)).map_err(|e| db_error(&e)))
            .collect()
    }

    fn lookup(&self, attribute: EntityId, value: &Value) -> Result<Option<EntityId>, ImportError> {
        let db = self.bulk.db();
        let Some(attribute) = db.schema().attribute(attribute) else {
            return Ok(None);
        };
        // Only AVET can answer, and only a unique value names one entity.
        if attribute.unique.is_none() || attribute.value_type == ValueType::Bytes {
            return Ok(None);
        }
        db.entity_by(attribute, value).map_err(|e| db_error(&e))
    }

    fn facts_of(&self, attribute: EntityId) -> Result<Vec<(EntityId, Value)>, ImportError> {
        self.datoms(Index::Aevt, &[id(attribute)])?
            .map(|datom| datom.map(|d| (d.e, d.v)).map_err(|e| db_error(&e)))
            .collect()
    }

    fn last_instant(&self) -> Result<Instant, ImportError> {
        let db = self.bulk.db();
        let parts = [id(db.basis_t().tx()), Edn::keyword("db/txInstant")];
        match self.datoms(Index::Eavt, &parts)?.next() {
            Some(Ok(datom)) => match datom.v {
                Value::Instant(instant) => Ok(instant),
                _ => Ok(Instant::default()),
            },
            Some(Err(e)) => Err(db_error(&e)),
            None => Ok(Instant::default()),
        }
    }

    fn commit(self) -> Result<T, ImportError> {
        let db = self.bulk.commit().map_err(|e| bulk_error(&e))?;
        Ok(db.basis_t())
    }
}
