//! Loading a dump: the second reading, from rows to datoms in batches.
//!
//! Order: schema; the ids of every table's rows (so that forward references are known); the keys
//! that references need; then the rows. In memory stand one batch and the key maps. How many
//! transactions there will be is counted beforehand, because the last one carries the dump's
//! instant and each earlier one a millisecond less.

use std::time::Instant as Clock;

use datomite::{Edn, EntityId, Instant, Keyword, Value};
use rustc_hash::FxHashMap;

use crate::ImportError;
use crate::catalog::Name;
use crate::dump::{Block, Dump, Scan};
use crate::keys::{KeyMap, Keys};
use crate::mapping::{Becomes, Bridge, Plan, companion};
use crate::options::{ImportOptions, Phase, Progress};
use crate::report::{ImportReport, Omissions, TableReport};
use crate::row::{Compiled, Labels, Sink, Slots, Texts};
use crate::schema;
use crate::store::{FactColumn, Group};
use crate::texts::{Resolver, Row, Sequences};

/// Rows in a batch, unless they are large.
const BATCH_ROWS: u64 = 50_000;
/// Bytes of dump text in a batch.
const BATCH_BYTES: u64 = 64 << 20;
/// How many rows pass between two calls of the progress callback.
const PROGRESS_ROWS: u64 = 8192;

/// Decides where one batch ends and the next begins, before and while loading alike.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Batches {
    rows: u64,
    bytes: u64,
}

impl Batches {
    /// Counts one row of a block; true where the batch is full with it.
    pub(crate) fn add(&mut self, block: &Block) -> bool {
        self.rows += 1;
        self.bytes += block.bytes / block.rows.max(1);
        let full = self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES;
        if full {
            *self = Batches::default();
        }
        full
    }

    fn is_empty(self) -> bool {
        self.rows == 0
    }

    /// How many batches these blocks make.
    fn count<'b>(blocks: impl Iterator<Item = &'b Block>) -> u64 {
        let mut batches = Batches::default();
        let mut count = 0;
        for block in blocks {
            for _ in 0..block.rows {
                count += u64::from(batches.add(block));
            }
        }
        count + u64::from(!batches.is_empty())
    }
}

/// The instants of an import's transactions: the last is the dump's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instants {
    pub(crate) next_ms: i64,
}

impl Instants {
    /// For `count` transactions, all later than `last`.
    pub(crate) fn new(at: Instant, count: u64, last: Instant) -> Instants {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let first = at.ms().saturating_sub(count.saturating_sub(1));
        Instants {
            next_ms: first.max(last.ms().saturating_add(1)),
        }
    }

    pub(crate) fn next(&mut self) -> Instant {
        let instant = Instant::from_ms(self.next_ms);
        self.next_ms += 1;
        instant
    }
}

/// What every step of an import needs.
pub(crate) struct Import<'a, G> {
    pub(crate) dump: &'a Dump,
    pub(crate) scan: &'a Scan,
    pub(crate) plan: &'a Plan,
    pub(crate) group: G,
    pub(crate) options: &'a mut ImportOptions,
    pub(crate) omissions: Omissions,
    pub(crate) report: ImportReport,
    pub(crate) label: String,
}

impl<G: Group> Import<'_, G> {
    pub(crate) fn tell(
        &mut self,
        phase: Phase,
        table: &str,
        done: u64,
        total: u64,
    ) -> Result<(), ImportError> {
        let progress = Progress {
            phase,
            table,
            done,
            total,
        };
        let goes_on = self
            .options
            .progress
            .as_mut()
            .is_none_or(|hear| hear(progress));
        goes_on.then_some(()).ok_or(ImportError::Interrupted)
    }

    /// The facts that every transaction of the import carries.
    pub(crate) fn provenance(&self, label: &str) -> Vec<(Keyword, Value)> {
        vec![
            (
                Keyword::parse("import/file"),
                Value::from(self.label.as_str()),
            ),
            (Keyword::parse("import/label"), Value::from(label)),
        ]
    }

    /// Runs schema transactions. Where the first has to install the attributes of provenance,
    /// the second says what the first could not.
    pub(crate) fn install(
        &mut self,
        steps: Vec<Vec<Edn>>,
        instants: &mut Instants,
    ) -> Result<(), ImportError> {
        let own = Keyword::parse("import/file");
        let mut silent = None;
        for mut step in steps {
            let known = self.group.entid(&own)?.is_some();
            if known {
                let current = Edn::string("datomic.tx");
                step.push(tx_map(current, self.provenance("schema")));
                if let Some(tx) = silent.take() {
                    step.push(tx_map(tx, self.provenance("schema")));
                }
            }
            self.report.transactions += 1;
            let done = self.group.transact(step, instants.next())?;
            self.report.schema_datoms += done.asserted;
            if !known {
                silent = i64::try_from(done.tx.raw()).ok().map(Edn::long);
            }
        }
        Ok(())
    }

    /// The idents of enums, and of the texts of columns that a mapping turns into enums.
    pub(crate) fn labels(
        &self,
        texts: &[(Keyword, String, Keyword)],
    ) -> Result<Labels, ImportError> {
        let mut labels = Labels::default();
        for plan in &self.plan.enums {
            let map = labels.enums.entry(plan.name.clone()).or_default();
            for ((label, ident), order) in plan.labels.iter().zip(1..) {
                if let Some(id) = self.group.entid(ident)? {
                    map.insert(label.clone(), (id, order));
                }
            }
        }
        for (attribute, text, ident) in texts {
            if let Some(id) = self.group.entid(ident)? {
                let map = labels.texts.entry(attribute.clone()).or_default();
                map.insert(text.clone(), id);
            }
        }
        Ok(labels)
    }

    /// The distinct texts of columns that a mapping turns into enums: attribute, text, ident.
    pub(crate) fn enum_texts(&self) -> Result<Vec<(Keyword, String, Keyword)>, ImportError> {
        let mut out: Vec<(Keyword, String, Keyword)> = Vec::new();
        for relation in &self.plan.relations {
            for (n, column) in relation.columns.iter().enumerate() {
                let (Some(namespace), Some(attribute)) = (&column.to_enum, &column.attribute)
                else {
                    continue;
                };
                let mut seen = std::collections::BTreeSet::new();
                seen.extend(column.default.clone());
                self.each_row(&relation.table, &mut |row, block, _| {
                    if let Some(text) = row.text(n) {
                        let text = block.session.encoding.decode(text).0;
                        if !seen.contains(text.as_ref()) {
                            seen.insert(text.into_owned());
                        }
                    }
                    Ok(())
                })?;
                for text in seen {
                    let name = crate::naming::label(&column.column, &text);
                    let ident = Keyword::new(Some(namespace), &name);
                    out.push((attribute.clone(), text, ident));
                }
            }
        }
        Ok(out)
    }

    /// The blocks of a table and its partitions.
    pub(crate) fn blocks_of<'s>(&'s self, root: &'s Name) -> impl Iterator<Item = &'s Block> {
        let catalog = &self.scan.catalog;
        self.scan
            .blocks
            .iter()
            .filter(move |b| catalog.root(&b.table) == *root)
    }

    /// Reads the rows of a table and its partitions once, in order.
    pub(crate) fn each_row(
        &self,
        root: &Name,
        each: &mut dyn FnMut(&Row, &Block, u64) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let mut sequences = Sequences::new();
        for block in self.blocks_of(root) {
            let mut resolver = Resolver::new(&self.scan.catalog, root, block);
            self.dump.rows(block, &mut |fields, line| {
                each(&resolver.take(fields, &mut sequences), block, line)
            })?;
        }
        Ok(())
    }

    /// Fills the key maps of the wanted tables; `id` gives the entity of the n-th row of a table.
    pub(crate) fn fill_keys(
        &mut self,
        keys: &mut Keys,
        wanted: &dyn Fn(&Name) -> bool,
        id: &dyn Fn(&Name, u64) -> Option<EntityId>,
    ) -> Result<(), ImportError> {
        let total = keys.maps.len() as u64;
        for n in 0..keys.maps.len() {
            let table = keys.maps[n].table.clone();
            if !wanted(&table) {
                continue;
            }
            self.tell(Phase::Keys, &table.to_string(), n as u64, total)?;
            let Some(definition) = self.scan.catalog.table(&table) else {
                continue;
            };
            let map = &mut keys.maps[n];
            let columns: Option<Vec<usize>> =
                map.columns.iter().map(|c| definition.position(c)).collect();
            let Some(columns) = columns.filter(|c| !c.is_empty()) else {
                continue;
            };
            let mut at = 0;
            let mut scratch = Vec::new();
            self.each_row(&table, &mut |row, _, _| {
                let texts: Option<Vec<&[u8]>> = columns.iter().map(|c| row.text(*c)).collect();
                if let (Some(texts), Some(id)) = (texts, id(&table, at)) {
                    map.insert(&texts, id, &mut scratch);
                }
                at += 1;
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Counts what the scan saw and nobody needed.
    pub(crate) fn report_scan(&mut self) {
        for (kind, count) in &self.scan.skipped {
            let reason = if matches!(kind.as_str(), "UPDATE" | "DELETE" | "TRUNCATE" | "MERGE") {
                "statement that changes rows; not run"
            } else if matches!(kind.as_str(), "BLOB" | "BLOBS") {
                "large objects are not read; the columns keep their oids"
            } else {
                "statement that makes no datoms"
            };
            self.omissions.add(kind, reason, *count);
        }
        let undecoded = self.scan.undecoded;
        let reason = "statement with bytes that are no text in the dump's encoding";
        self.omissions.add("text", reason, undecoded);
        for bridge in &self.plan.bridges {
            for column in &bridge.payload {
                let what = format!("{}.{column}", bridge.table);
                let rows = self.blocks_of(&bridge.table).map(|b| b.rows).sum();
                self.omissions
                    .add(&what, "the mapping makes the table a reference", rows);
            }
        }
        for (table, becomes) in &self.plan.tables {
            if *becomes == Becomes::Nothing {
                let rows = self.scan.blocks.iter().filter(|b| b.table == *table);
                let rows = rows.map(|b| b.rows).sum();
                let reason = "the table is left out by the mapping or a filter";
                self.omissions.add(&table.to_string(), reason, rows);
            }
        }
        for relation in &self.plan.relations {
            for column in relation.columns.iter().filter(|c| c.attribute.is_none()) {
                let what = format!("{}.{}", relation.table, column.column);
                let rows = self.blocks_of(&relation.table).map(|b| b.rows).sum();
                self.omissions
                    .add(&what, "the column is left out by the mapping", rows);
            }
        }
    }
}

/// Facts on a transaction entity.
pub(crate) fn tx_map(tx: Edn, facts: Vec<(Keyword, Value)>) -> Edn {
    let mut map = vec![schema::entry("db/id", tx)];
    let facts = facts.into_iter();
    map.extend(facts.map(|(k, v)| (schema::keyword(&k), Edn::Value(v))));
    Edn::Map(map)
}

pub(crate) fn internal(what: &str) -> ImportError {
    ImportError::Database {
        place: Box::default(),
        message: what.to_owned(),
        category: datomite::Category::Fault,
    }
}

/// The batch at hand: facts by slot.
pub(crate) struct Batch {
    entities: Vec<Vec<EntityId>>,
    values: Vec<Vec<Value>>,
    pub(crate) datoms: u64,
    /// Ids for components, reserved in lots.
    components: (u64, u64),
    /// Tables with rows in it, for the label.
    tables: Vec<String>,
}

/// How many ids of components are reserved at a time.
const COMPONENT_LOT: u64 = 1024;

/// Batch and group as one sink.
pub(crate) struct Loading<'l, G> {
    pub(crate) batch: &'l mut Batch,
    pub(crate) group: &'l mut G,
}

impl<G: Group> Sink for Loading<'_, G> {
    fn fact(&mut self, slot: usize, entity: EntityId, value: Value) {
        self.batch.entities[slot].push(entity);
        self.batch.values[slot].push(value);
        self.batch.datoms += 1;
    }

    fn component(&mut self) -> Result<EntityId, ImportError> {
        let (next, end) = &mut self.batch.components;
        if next == end {
            *next = self.group.reserve(COMPONENT_LOT)?.raw();
            *end = *next + COMPONENT_LOT;
        }
        *next += 1;
        Ok(EntityId::new(*next - 1))
    }

    fn stored(&mut self, _: &KeyMap, _: &[&[u8]]) -> Result<Option<EntityId>, ImportError> {
        Ok(None)
    }
}

/// A bridge, ready for its rows.
pub(crate) struct CompiledBridge {
    slot: usize,
    raw: usize,
    maps: [Option<usize>; 2],
    columns: [usize; 2],
    raw_as: crate::convert::Scalar,
    dangling: [u64; 2],
}

impl CompiledBridge {
    pub(crate) fn new(
        bridge: &Bridge,
        scan: &Scan,
        keys: &Keys,
        slots: &mut Slots,
    ) -> CompiledBridge {
        let table = scan.catalog.table(&bridge.table);
        let position = |name: &str| table.and_then(|t| t.position(name)).unwrap_or(0);
        CompiledBridge {
            slot: slots.slot(&bridge.attribute),
            raw: slots.slot(&companion(&bridge.attribute, "raw")),
            maps: [keys.position(&bridge.from.1), keys.position(&bridge.to.1)],
            columns: [position(&bridge.from.0), position(&bridge.to.0)],
            raw_as: bridge.raw,
            dangling: [0; 2],
        }
    }

    /// Converts one row.
    pub(crate) fn row<S: Sink>(
        &mut self,
        texts: &impl Texts,
        keys: &Keys,
        scratch: &mut Vec<u8>,
        sink: &mut S,
    ) -> Result<(), ImportError> {
        let [Some(from), Some(to)] = self.columns.map(|c| texts.text(c)) else {
            self.dangling[0] += 1;
            return Ok(());
        };
        let mut find = |which: usize, text: &[u8]| {
            let Some(map) = self.maps[which].map(|n| &keys.maps[n]) else {
                return Ok(None);
            };
            match map.get(&[text], scratch) {
                None => sink.stored(map, &[text]),
                found => Ok(found),
            }
        };
        let (first, second) = (find(0, from)?, find(1, to)?);
        match (first, second) {
            (Some(first), Some(second)) => sink.fact(self.slot, first, Value::Ref(second)),
            (Some(first), None) => {
                self.dangling[1] += 1;
                if let crate::convert::Converted::Value(value) = self.raw_as.convert(to) {
                    sink.fact(self.raw, first, value);
                }
            }
            (None, _) => self.dangling[0] += 1,
        }
        Ok(())
    }

    pub(crate) fn report(&self, bridge: &Bridge, omissions: &mut Omissions) {
        let name = |column: &str| format!("{}.{column}", bridge.table);
        let reason = "no row has this key; the row has no entity to stand on";
        omissions.add(&name(&bridge.from.0), reason, self.dangling[0]);
        let reason = "no row has this key; the value is kept in the attribute's .raw";
        omissions.add(&name(&bridge.to.0), reason, self.dangling[1]);
    }
}

/// Everything that turns rows of one dump into facts.
pub(crate) struct Converters {
    pub(crate) keys: Keys,
    pub(crate) slots: Slots,
    pub(crate) relations: Vec<Compiled>,
    pub(crate) bridges: Vec<CompiledBridge>,
}

impl Converters {
    pub(crate) fn new(plan: &Plan, scan: &Scan, labels: &Labels, keys: Keys) -> Converters {
        let mut slots = Slots::default();
        let relations = plan
            .relations
            .iter()
            .map(|r| Compiled::new(plan, r, &keys, labels, &mut slots))
            .collect();
        let bridges = plan
            .bridges
            .iter()
            .map(|b| CompiledBridge::new(b, scan, &keys, &mut slots))
            .collect();
        Converters {
            keys,
            slots,
            relations,
            bridges,
        }
    }
}

/// Loads a dump whose rows are all new.
pub(crate) fn load<G: Group>(import: &mut Import<G>, at: Instant) -> Result<(), ImportError> {
    let texts = import.enum_texts()?;
    let steps = new_schema(import, &texts)?;
    let wanted = |b: &&Block| {
        !matches!(
            import.plan.tables.get(&b.table),
            None | Some(Becomes::Nothing)
        )
    };
    let batches = Batches::count(import.scan.blocks.iter().filter(wanted));
    let total: u64 = import
        .scan
        .blocks
        .iter()
        .filter(wanted)
        .map(|b| b.rows)
        .sum();
    let last = import.group.last_instant()?;
    let mut instants = Instants::new(at, steps.len() as u64 + batches, last);
    import.install(steps, &mut instants)?;
    let labels = import.labels(&texts)?;
    let bases = reserve_rows(import)?;
    let mut keys = Keys::of_plan(import.plan);
    import.fill_keys(&mut keys, &|_| true, &|table, row| {
        bases.get(table).map(|base| EntityId::new(base + row))
    })?;
    let converters = Converters::new(import.plan, import.scan, &labels, keys);
    load_rows(import, converters, &bases, total, &mut instants)?;
    import.report.instant = Instant::from_ms(instants.next_ms - 1);
    Ok(())
}

/// The schema transactions of a first import.
fn new_schema<G: Group>(
    import: &Import<G>,
    texts: &[(Keyword, String, Keyword)],
) -> Result<Vec<Vec<Edn>>, ImportError> {
    let mut steps = Vec::new();
    let mut own = Vec::new();
    for spec in schema::own_attributes() {
        if import.group.entid(&spec.ident)?.is_none() {
            own.push(spec.to_edn());
        }
    }
    steps.push(own);
    let (plain, tuples) = schema::attributes(import.plan);
    let mut forms: Vec<Edn> = plain.iter().map(schema::AttributeSpec::to_edn).collect();
    let idents = schema::enum_idents(import.plan);
    forms.extend(
        idents
            .iter()
            .map(|(i, label, order)| schema::enum_edn(i, label, *order)),
    );
    for (n, (_, text, ident)) in texts.iter().enumerate() {
        forms.push(schema::enum_edn(ident, text, n as i64 + 1));
    }
    steps.push(forms);
    steps.push(tuples.iter().map(schema::AttributeSpec::to_edn).collect());
    steps.retain(|step| !step.is_empty());
    Ok(steps)
}

/// Reserves the ids of every relation's rows, in row order.
fn reserve_rows<G: Group>(import: &mut Import<G>) -> Result<FxHashMap<Name, u64>, ImportError> {
    let mut bases = FxHashMap::default();
    for relation in &import.plan.relations {
        let rows: u64 = import.blocks_of(&relation.table).map(|b| b.rows).sum();
        if rows > 0 {
            let base = import.group.reserve(rows)?.raw();
            bases.insert(relation.table.clone(), base);
        }
    }
    Ok(bases)
}

fn load_rows<G: Group>(
    import: &mut Import<G>,
    mut converters: Converters,
    bases: &FxHashMap<Name, u64>,
    total: u64,
    instants: &mut Instants,
) -> Result<(), ImportError> {
    let mut writer = Writer::new(import, &converters.slots)?;
    let mut next: FxHashMap<Name, u64> = bases.clone();
    let mut sequences: FxHashMap<Name, Sequences> = FxHashMap::default();
    let mut reports: FxHashMap<Name, TableReport> = FxHashMap::default();
    let mut batches = Batches::default();
    let mut done = 0u64;
    let mut scratch = Vec::new();
    for block in &import.scan.blocks {
        let root = import.scan.catalog.root(&block.table);
        let becomes = match import.plan.tables.get(&root) {
            None | Some(Becomes::Nothing) => continue,
            Some(becomes) => *becomes,
        };
        let started = Clock::now();
        let name = root.to_string();
        let before = writer.datoms + writer.batch.datoms;
        let mut resolver = Resolver::new(&import.scan.catalog, &root, block);
        let numbers = sequences.entry(root.clone()).or_default();
        let entity = next.entry(root.clone()).or_default();
        writer.batch.note(&name);
        let (dump, encoding) = (import.dump, block.session.encoding);
        dump.rows(block, &mut |fields, line| {
            let row = resolver.take(fields, numbers);
            let mut sink = Loading {
                batch: &mut writer.batch,
                group: &mut import.group,
            };
            let keys = &converters.keys;
            match becomes {
                Becomes::Relation(n) => {
                    let id = EntityId::new(*entity);
                    *entity += 1;
                    let relation = &mut converters.relations[n];
                    relation.row(&row, encoding, line, id, keys, &mut sink)?;
                }
                Becomes::Bridge(n) => {
                    converters.bridges[n].row(&row, keys, &mut scratch, &mut sink)?;
                }
                Becomes::Nothing => {}
            }
            done += 1;
            if batches.add(block) {
                writer.flush(import, instants)?;
                writer.batch.note(&name);
            }
            if done.is_multiple_of(PROGRESS_ROWS) {
                import.tell(Phase::Load, &name, done, total)?;
            }
            Ok(())
        })?;
        resolver.report(&mut import.omissions);
        let datoms = writer.datoms + writer.batch.datoms - before;
        let report = reports.entry(root.clone()).or_default();
        report.rows += block.rows;
        report.datoms += datoms;
        report.time += started.elapsed();
    }
    writer.flush(import, instants)?;
    finish_tables(import, &converters, &mut reports);
    Ok(())
}

/// Puts the tables into the report in the order of the dump.
pub(crate) fn finish_tables<G: Group>(
    import: &mut Import<G>,
    converters: &Converters,
    reports: &mut FxHashMap<Name, TableReport>,
) {
    for compiled in &converters.relations {
        compiled.report(&mut import.omissions);
    }
    for (compiled, bridge) in converters.bridges.iter().zip(&import.plan.bridges) {
        compiled.report(bridge, &mut import.omissions);
    }
    for table in &import.scan.catalog.tables {
        if import.scan.catalog.root(&table.name) != table.name {
            continue;
        }
        let becomes = match import.plan.tables.get(&table.name) {
            Some(Becomes::Relation(n)) => format!(":{}", import.plan.relations[*n].namespace),
            Some(Becomes::Bridge(n)) => import.plan.bridges[*n].attribute.to_string(),
            _ => continue,
        };
        let mut report = reports.remove(&table.name).unwrap_or_default();
        if becomes.contains('/') {
            report.entities = 0;
        } else if report.entities == 0 {
            report.entities = report.rows;
        }
        report.table = table.name.to_string();
        report.becomes = becomes;
        import.report.tables.push(report);
    }
}

impl Batch {
    pub(crate) fn note(&mut self, table: &str) {
        if self.tables.last().map(String::as_str) != Some(table) {
            self.tables.push(table.to_owned());
        }
    }

    /// What the transaction is called: its tables, the first few of many.
    fn label(&mut self) -> String {
        const SHOWN: usize = 4;
        let count = self.tables.len();
        let mut label = self.tables[..count.min(SHOWN)].join(", ");
        if count > SHOWN {
            label.push_str(&format!(" and {} more", count - SHOWN));
        }
        self.tables.clear();
        label
    }
}

/// Writes batches as transactions.
pub(crate) struct Writer {
    pub(crate) batch: Batch,
    pub(crate) attributes: Vec<EntityId>,
    /// Datoms of the batches before.
    pub(crate) datoms: u64,
}

impl Writer {
    pub(crate) fn new<G: Group>(import: &Import<G>, slots: &Slots) -> Result<Writer, ImportError> {
        let mut attributes = Vec::with_capacity(slots.attributes.len());
        for attribute in &slots.attributes {
            let id = import.group.entid(attribute)?;
            attributes.push(id.ok_or_else(|| internal(&format!("{attribute} is unknown")))?);
        }
        let count = attributes.len();
        Ok(Writer {
            batch: Batch {
                entities: vec![Vec::new(); count],
                values: vec![Vec::new(); count],
                datoms: 0,
                components: (0, 0),
                tables: Vec::new(),
            },
            attributes,
            datoms: 0,
        })
    }

    pub(crate) fn flush<G: Group>(
        &mut self,
        import: &mut Import<G>,
        instants: &mut Instants,
    ) -> Result<(), ImportError> {
        let label = self.batch.label();
        if self.batch.datoms == 0 {
            return Ok(());
        }
        let batch = &mut self.batch;
        let columns = batch
            .entities
            .iter_mut()
            .zip(&mut batch.values)
            .zip(&self.attributes)
            .filter(|((entities, _), _)| !entities.is_empty())
            .map(|((entities, values), attribute)| FactColumn {
                attribute: *attribute,
                entities: std::mem::take(entities),
                values: std::mem::take(values),
            })
            .collect();
        self.datoms += std::mem::take(&mut batch.datoms);
        let facts = import.provenance(&label);
        import.report.transactions += 1;
        import
            .group
            .columns(columns, instants.next(), facts)
            .map_err(|error| error.in_table(&label))
    }
}
