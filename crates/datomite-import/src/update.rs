//! A later dump of the same database onto the store: only what changed becomes datoms.
//!
//! Every row is found again by its key (the identity attribute, by AVET), its facts are compared
//! with the store's, and what differs is asserted or retracted. Rows that are gone are
//! retracted, but only of tables whose data the dump holds. The order of rows does not matter.
//! A column that is gone has its facts retracted; its attribute stays. Keys made of references
//! are found after the tables they refer to.
//!
//! A dump in which nothing changed leaves one transaction without facts but its provenance: that
//! the database was so at that instant is worth knowing. A table whose key is another than the
//! store's is refused, because every row of it would look new.

use std::time::Instant as Clock;

use datomite::{Edn, EntityId, Instant, Keyword, Value, ValueType};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::ImportError;
use crate::catalog::Name;
use crate::keys::{KeyMap, Keys};
use crate::load::{Batches, Converters, Import, Instants, Loading, Writer, finish_tables, tx_map};
use crate::mapping::{Becomes, Hashed, Identity, Known, Plan, Relation};
use crate::options::Phase;
use crate::report::TableReport;
use crate::row::{Sink, Slots};
use crate::schema::{self, HASH_OF_KEY, HASH_OF_ROW};
use crate::store::{Group, StoredAttribute};
use crate::texts::{Resolver, Sequences};

/// How many rows pass between two calls of the progress callback.
const PROGRESS_ROWS: u64 = 4096;
/// How deep components may nest.
const DEPTH_MAX: u32 = 32;
/// Numbers from here on stand for components that are not in the store.
const PRETEND: u64 = 1 << 62;

/// What a store already has, for the derivation of names.
pub(crate) fn known(attributes: &[StoredAttribute]) -> Known {
    let mut known = Known::default();
    for attribute in attributes {
        let Some([table, column, type_text]) = &attribute.origin else {
            continue;
        };
        known.tables.insert(table.clone());
        let hashed = match type_text.as_str() {
            HASH_OF_ROW => Some(Hashed::Row),
            HASH_OF_KEY => Some(Hashed::Key),
            _ => None,
        };
        if let Some(hashed) = hashed {
            let value = (attribute.ident.clone(), hashed);
            known.hashes.insert(table.clone(), value);
        } else if type_text != "companion" && attribute.value_type != ValueType::Tuple {
            let key = (table.clone(), column.clone());
            let value = (attribute.ident.clone(), attribute.value_type);
            known.columns.insert(key, value);
        }
    }
    known
}

/// Which entity every row of a table is: the store's, or a new one.
#[derive(Clone, Debug, Default)]
struct RowIds {
    ids: Vec<u64>,
    /// Entities that the store had before.
    old: FxHashSet<u64>,
    new_rows: u64,
}

/// The changes of one table.
#[derive(Clone, Debug, Default)]
struct Changes {
    forms: Vec<Edn>,
    asserted: u64,
    retracted: u64,
}

impl Changes {
    fn add(&mut self, e: EntityId, a: EntityId, v: &Value) {
        self.asserted += 1;
        self.forms.push(operation("db/add", e, a, v));
    }

    /// Hands the forms on and notes the counts.
    fn take_into(&mut self, report: &mut TableReport, forms: &mut Vec<Edn>) {
        report.datoms += self.asserted;
        report.retracted += self.retracted;
        forms.append(&mut self.forms);
    }

    fn retract(&mut self, e: EntityId, a: EntityId, v: &Value) {
        self.retracted += 1;
        self.forms.push(operation("db/retract", e, a, v));
    }
}

fn id(entity: EntityId) -> Edn {
    Edn::long(i64::try_from(entity.raw()).unwrap_or(i64::MAX))
}

fn operation(name: &str, e: EntityId, a: EntityId, v: &Value) -> Edn {
    Edn::Vector(vec![Edn::keyword(name), id(e), id(a), Edn::from(v.clone())])
}

/// Reads a later dump onto the store.
pub(crate) fn update<G: Group>(import: &mut Import<G>, at: Instant) -> Result<(), ImportError> {
    let stored = import.group.attributes()?;
    let texts = import.enum_texts()?;
    let steps = changed_schema(import, &stored, &texts)?;
    let mut keys = Keys::of_plan(import.plan);
    let present = present(import);
    let lookup = Stored {
        attributes: &stored,
        present: &present,
    };
    let rows = find_rows(import, &mut keys, &texts, &lookup)?;
    let total: u64 = rows.values().map(|r| r.ids.len() as u64).sum();
    let new_batches = new_batches(import, &rows);
    let last = import.group.last_instant()?;
    let count = steps.len() as u64 + 1 + new_batches;
    let mut instants = Instants::new(at, count, last);
    import.install(steps, &mut instants)?;
    let labels = import.labels(&texts)?;
    let converters = Converters::new(import.plan, import.scan, &labels, keys);
    compare_and_load(import, converters, &rows, &lookup, total, &mut instants)?;
    import.report.instant = Instant::from_ms(instants.next_ms - 1);
    Ok(())
}

/// What the schema must gain: new attributes and labels, new origins and comments.
fn changed_schema<G: Group>(
    import: &Import<G>,
    stored: &[StoredAttribute],
    texts: &[(Keyword, String, Keyword)],
) -> Result<Vec<Vec<Edn>>, ImportError> {
    let by_ident: FxHashMap<&Keyword, &StoredAttribute> =
        stored.iter().map(|a| (&a.ident, a)).collect();
    let mut steps: Vec<Vec<Edn>> = vec![Vec::new(), Vec::new(), Vec::new()];
    let (plain, tuples) = schema::attributes(import.plan);
    let own = schema::own_attributes();
    for (step, specs) in [(0, &own), (1, &plain), (2, &tuples)] {
        for spec in specs {
            match by_ident.get(&spec.ident) {
                None => steps[step].push(spec.to_edn()),
                Some(known) if known.value_type != spec.value_type => {
                    return Err(ImportError::Mapping {
                        what: format!(
                            "{} holds {} in the store and would hold {} now; give the column \
                             another attribute: {{:as :{}/…}}",
                            spec.ident,
                            known.value_type.name(),
                            spec.value_type.name(),
                            spec.ident.namespace().unwrap_or_default(),
                        ),
                    });
                }
                Some(known) => steps[1].extend(changed_attribute(known, spec)),
            }
        }
    }
    let order = import.group.entid(&Keyword::parse("pg.enum/order"))?;
    for (ident, label, place) in schema::enum_idents(import.plan) {
        let same = match import.group.entid(&ident)? {
            None => false,
            Some(entity) => import
                .group
                .facts(entity)?
                .iter()
                .any(|(a, v)| Some(*a) == order && *v == Value::Long(place)),
        };
        if !same {
            steps[1].push(schema::enum_edn(&ident, &label, place));
        }
    }
    for (n, (_, text, ident)) in texts.iter().enumerate() {
        if import.group.entid(ident)?.is_none() {
            steps[1].push(schema::enum_edn(ident, text, n as i64 + 1));
        }
    }
    steps.retain(|step| !step.is_empty());
    Ok(steps)
}

fn changed_attribute(known: &StoredAttribute, spec: &schema::AttributeSpec) -> Option<Edn> {
    let mut map = vec![schema::entry("db/id", id(known.id))];
    let names = ["pg/table", "pg/column", "pg/type"];
    if let Some(origin) = &spec.origin {
        for (n, name) in names.into_iter().enumerate() {
            if known.origin.as_ref().map(|o| &o[n]) != Some(&origin[n]) {
                map.push(schema::entry(name, Edn::string(&origin[n])));
            }
        }
    }
    if let Some(doc) = spec.doc.as_ref().filter(|_| known.doc != spec.doc) {
        map.push(schema::entry("db/doc", Edn::string(doc)));
    }
    (map.len() > 1).then_some(Edn::Map(map))
}

/// The relations in an order in which keys made of references come after what they refer to.
fn key_order(plan: &Plan) -> Vec<usize> {
    let needs = |relation: &Relation| -> Vec<Name> {
        let members = match &relation.identity {
            Identity::Column(n) => vec![*n],
            Identity::Tuple { members, .. } => members.clone(),
            _ => Vec::new(),
        };
        members
            .into_iter()
            .filter_map(|n| relation.columns[n].reference.as_ref())
            .map(|r| r.target.clone())
            .filter(|target| *target != relation.table)
            .collect()
    };
    let mut done: FxHashSet<Name> = FxHashSet::default();
    let mut order = Vec::new();
    let mut left: Vec<usize> = (0..plan.relations.len()).collect();
    while !left.is_empty() {
        let ready: Vec<usize> = left
            .iter()
            .copied()
            .filter(|n| {
                let needs = needs(&plan.relations[*n]);
                needs
                    .iter()
                    .all(|t| done.contains(t) || plan.relation(t).is_none())
            })
            .collect();
        // A circle of keys: whoever is left is taken as it comes.
        let ready = if ready.is_empty() {
            left.clone()
        } else {
            ready
        };
        left.retain(|n| !ready.contains(n));
        for n in ready {
            done.insert(plan.relations[n].table.clone());
            order.push(n);
        }
    }
    order
}

/// Finds every row of the dump in the store and gives the others new ids; fills the key maps.
fn find_rows<G: Group>(
    import: &mut Import<G>,
    keys: &mut Keys,
    texts: &[(Keyword, String, Keyword)],
    lookup: &Stored,
) -> Result<FxHashMap<Name, RowIds>, ImportError> {
    let labels = import.labels(texts)?;
    let mut found: FxHashMap<Name, RowIds> = FxHashMap::default();
    for n in key_order(import.plan) {
        let relation = &import.plan.relations[n];
        let table = relation.table.clone();
        import.tell(Phase::Keys, &table.to_string(), 0, 0)?;
        let identity = identity_attribute(relation);
        let attribute = import.group.entid(&identity)?;
        let mut known = lookup.attributes.iter();
        if !known.any(|a| Some(a.id) == attribute && a.is_unique) {
            lookup.refuse_another_key(&table, &identity)?;
        }
        let mut rows = RowIds::default();
        let mut slots = Slots::default();
        let mut compiled =
            crate::row::Compiled::new(import.plan, relation, keys, &labels, &mut slots);
        import.each_row(&table, &mut |row, block, _| {
            let stored = |map: &KeyMap, texts: &[&[u8]]| lookup.find(&import.group, map, texts);
            let encoding = block.session.encoding;
            let value = compiled.identity_value(row, encoding, keys, &stored)?;
            let entity = match (attribute, value) {
                (Some(attribute), Some(value)) => import.group.lookup(attribute, &value)?,
                _ => None,
            };
            match entity {
                Some(entity) if rows.old.insert(entity.raw()) => rows.ids.push(entity.raw()),
                _ => {
                    rows.ids.push(0);
                    rows.new_rows += 1;
                }
            }
            Ok(())
        })?;
        if rows.new_rows > 0 {
            let first = import.group.reserve(rows.new_rows)?.raw();
            let new = rows.ids.iter_mut().filter(|id| **id == 0);
            for (id, entity) in (first..).zip(new) {
                *entity = id;
            }
        }
        import.fill_keys(keys, &|name| *name == table, &|_, row| {
            let row = usize::try_from(row).ok()?;
            rows.ids.get(row).copied().map(EntityId::new)
        })?;
        found.insert(table, rows);
    }
    Ok(found)
}

fn identity_attribute(relation: &Relation) -> Keyword {
    match &relation.identity {
        Identity::Column(n) => relation.columns[*n]
            .attribute
            .clone()
            .expect("invariant: a key column is kept"),
        Identity::Tuple { attribute, .. }
        | Identity::Digest { attribute, .. }
        | Identity::Row { attribute } => attribute.clone(),
    }
}

/// How many batches the new rows make.
fn new_batches<G: Group>(import: &Import<G>, rows: &FxHashMap<Name, RowIds>) -> u64 {
    let mut batches = Batches::default();
    let mut count = 0;
    let mut open = false;
    let mut at: FxHashMap<Name, usize> = FxHashMap::default();
    for block in &import.scan.blocks {
        let root = import.scan.catalog.root(&block.table);
        let Some(rows) = rows.get(&root) else {
            continue;
        };
        let next = at.entry(root).or_default();
        for _ in 0..block.rows {
            let new = rows.ids.get(*next).is_some_and(|id| !rows.old.contains(id));
            *next += 1;
            if new {
                let full = batches.add(block);
                count += u64::from(full);
                open = !full;
            }
        }
    }
    count + u64::from(open)
}

/// The attributes that an update of one table answers for.
struct Managed {
    /// Those that come from the table.
    attributes: FxHashSet<EntityId>,
    /// Those whose values are component entities, of every table and composite type.
    components: FxHashSet<EntityId>,
}

fn managed(
    plan: &Plan,
    relation: &Relation,
    stored: &[StoredAttribute],
    attributes: &[EntityId],
    slots: &Slots,
) -> Managed {
    let table = relation.table.to_string();
    let from_table = stored
        .iter()
        .filter(|a| a.value_type != ValueType::Tuple)
        .filter(|a| a.origin.as_ref().is_some_and(|o| o[0] == table))
        .map(|a| a.id);
    let columns = plan.relations.iter().flat_map(|r| &r.columns);
    let fields = plan.composites.iter().flat_map(|c| &c.fields);
    let components: FxHashSet<&Keyword> = columns
        .chain(fields)
        .filter(|c| c.is_component())
        .filter_map(|c| c.attribute.as_ref())
        .collect();
    Managed {
        attributes: from_table.collect(),
        components: slots
            .attributes
            .iter()
            .zip(attributes)
            .filter(|(attribute, _)| components.contains(attribute))
            .map(|(_, id)| *id)
            .collect(),
    }
}

/// A component that the store does not have: its owner, the attribute, and its facts.
struct Fresh {
    owner: EntityId,
    attribute: EntityId,
    facts: Vec<(usize, EntityId, Value)>,
}

/// The facts of one row, and of the components that it would have.
struct Collected<'c, G> {
    facts: Vec<(usize, EntityId, Value)>,
    components: u64,
    group: &'c G,
    stored: &'c Stored<'c>,
}

/// What is needed to look a key up in the store.
struct Stored<'s> {
    attributes: &'s [StoredAttribute],
    /// Tables whose rows the dump holds: a key that is not among them is gone.
    present: &'s FxHashSet<Name>,
}

/// The tables whose rows the dump holds.
fn present<G: Group>(import: &Import<G>) -> FxHashSet<Name> {
    let blocks = import.scan.blocks.iter();
    blocks.map(|b| import.scan.catalog.root(&b.table)).collect()
}

impl Stored<'_> {
    /// Rows that the store knows by another key would all look new.
    fn refuse_another_key(&self, table: &Name, identity: &Keyword) -> Result<(), ImportError> {
        let name = table.to_string();
        let mut origins = self.attributes.iter().filter_map(|a| a.origin.as_ref());
        if !self.present.contains(table) || !origins.any(|o| o[0] == name) {
            return Ok(());
        }
        Err(ImportError::Mapping {
            what: format!(
                "table {table}: its key has changed since the store's dump: {identity} is no \
                 key there; leave the table out or import into a new store"
            ),
        })
    }

    fn find<G: Group>(
        &self,
        group: &G,
        map: &KeyMap,
        texts: &[&[u8]],
    ) -> Result<Option<EntityId>, ImportError> {
        let ([column], [text]) = (map.columns.as_slice(), texts) else {
            return Ok(None);
        };
        if self.present.contains(&map.table) {
            return Ok(None);
        }
        let table = map.table.to_string();
        let attribute = self.attributes.iter().find(|a| {
            a.origin
                .as_ref()
                .is_some_and(|[t, c, kind]| *t == table && c == column && kind != "companion")
        });
        let Some(attribute) = attribute else {
            return Ok(None);
        };
        let scalar = match attribute.value_type {
            ValueType::Long => crate::convert::Scalar::Long,
            ValueType::Uuid => crate::convert::Scalar::Uuid,
            ValueType::BigDec => crate::convert::Scalar::BigDec,
            ValueType::String => crate::convert::Scalar::Text,
            _ => return Ok(None),
        };
        match scalar.convert(text) {
            crate::convert::Converted::Value(value) => group.lookup(attribute.id, &value),
            _ => Ok(None),
        }
    }
}

impl<G: Group> Sink for Collected<'_, G> {
    fn fact(&mut self, slot: usize, entity: EntityId, value: Value) {
        self.facts.push((slot, entity, value));
    }

    fn component(&mut self) -> Result<EntityId, ImportError> {
        self.components += 1;
        Ok(EntityId::new(PRETEND + self.components))
    }

    fn stored(&mut self, map: &KeyMap, texts: &[&[u8]]) -> Result<Option<EntityId>, ImportError> {
        self.stored.find(self.group, map, texts)
    }
}

fn compare_and_load<G: Group>(
    import: &mut Import<G>,
    mut converters: Converters,
    rows: &FxHashMap<Name, RowIds>,
    lookup: &Stored,
    total: u64,
    instants: &mut Instants,
) -> Result<(), ImportError> {
    let writer = Writer::new(import, &converters.slots)?;
    let mut reports: FxHashMap<Name, TableReport> = FxHashMap::default();
    let mut forms = Vec::new();
    let mut done = 0;
    for n in 0..import.plan.relations.len() {
        let table = import.plan.relations[n].table.clone();
        let started = Clock::now();
        let Some(ids) = rows.get(&table).filter(|_| lookup.present.contains(&table)) else {
            continue;
        };
        let mut changes = Changes::default();
        let part = Part {
            n,
            ids,
            lookup,
            attributes: &writer.attributes,
        };
        compare_rows(import, &mut converters, &part, &mut changes)?;
        gone_rows(import, n, ids, &mut changes)?;
        done += ids.ids.len() as u64;
        import.tell(Phase::Load, &table.to_string(), done, total)?;
        let report = reports.entry(table).or_default();
        report.rows = ids.ids.len() as u64;
        report.entities = report.rows;
        report.time = started.elapsed();
        changes.take_into(report, &mut forms);
    }
    for n in 0..import.plan.bridges.len() {
        let mut changes = Changes::default();
        let table = import.plan.bridges[n].table.clone();
        if !lookup.present.contains(&table) {
            continue;
        }
        let rows = compare_bridge(import, &mut converters, n, lookup, &mut changes)?;
        let report = reports.entry(table).or_default();
        report.rows = rows;
        changes.take_into(report, &mut forms);
    }
    write_changes(import, forms, instants)?;
    let (converters, reports) = (&mut converters, &mut reports);
    load_new(import, converters, rows, writer, reports, instants)?;
    finish_tables(import, converters, reports);
    Ok(())
}

/// Writes the changes; also where there are none, to say that the dump was read.
fn write_changes<G: Group>(
    import: &mut Import<G>,
    mut forms: Vec<Edn>,
    instants: &mut Instants,
) -> Result<(), ImportError> {
    let current = Edn::string("datomic.tx");
    forms.push(tx_map(current, import.provenance("changes")));
    import.report.transactions += 1;
    import.group.transact(forms, instants.next())?;
    Ok(())
}

/// One relation under comparison.
struct Part<'p> {
    n: usize,
    ids: &'p RowIds,
    lookup: &'p Stored<'p>,
    attributes: &'p [EntityId],
}

/// Compares the rows that the store already has.
fn compare_rows<G: Group>(
    import: &mut Import<G>,
    converters: &mut Converters,
    part: &Part,
    changes: &mut Changes,
) -> Result<(), ImportError> {
    let relation = &import.plan.relations[part.n];
    let stored = part.lookup.attributes;
    let managed = managed(
        import.plan,
        relation,
        stored,
        part.attributes,
        &converters.slots,
    );
    let (keys, compiled) = (&converters.keys, &mut converters.relations[part.n]);
    let mut at = 0;
    let mut fresh: Vec<Fresh> = Vec::new();
    import.each_row(&relation.table, &mut |row, block, line| {
        let entity = EntityId::new(part.ids.ids[at]);
        at += 1;
        if !part.ids.old.contains(&entity.raw()) {
            return Ok(());
        }
        let mut sink = Collected {
            facts: Vec::new(),
            components: 0,
            group: &import.group,
            stored: part.lookup,
        };
        compiled.row(row, block.session.encoding, line, entity, keys, &mut sink)?;
        let facts = sink.facts;
        let old: Vec<(EntityId, Value)> = import
            .group
            .facts(entity)?
            .into_iter()
            .filter(|(a, _)| managed.attributes.contains(a))
            .collect();
        compare(
            import, part, &managed, entity, &old, facts, changes, &mut fresh,
        )
    })?;
    for fresh in &fresh {
        new_component(import, part.attributes, fresh, changes)?;
    }
    Ok(())
}

/// Compares one row's facts, old and new.
#[expect(
    clippy::too_many_arguments,
    reason = "one row's comparison needs both its sides"
)]
fn compare<G: Group>(
    import: &Import<G>,
    part: &Part,
    managed: &Managed,
    entity: EntityId,
    old: &[(EntityId, Value)],
    facts: Vec<(usize, EntityId, Value)>,
    changes: &mut Changes,
    fresh: &mut Vec<Fresh>,
) -> Result<(), ImportError> {
    let is_component = |a: &EntityId| managed.components.contains(a);
    let own: Vec<(EntityId, &Value)> = facts
        .iter()
        .filter(|(_, e, _)| *e == entity)
        .map(|(slot, _, value)| (part.attributes[*slot], value))
        .collect();
    for (attribute, value) in &own {
        let known = old.iter().any(|(a, v)| a == attribute && v == *value);
        if !is_component(attribute) && !known {
            changes.add(entity, *attribute, value);
        }
    }
    for (attribute, value) in old {
        let kept = own.iter().any(|(a, v)| a == attribute && *v == value);
        if !is_component(attribute) && !kept {
            changes.retract(entity, *attribute, value);
        }
    }
    // Components are compared by content.
    let new_of = |id: EntityId| -> Vec<(EntityId, Value)> {
        let own = facts.iter().filter(|(_, e, _)| *e == id);
        own.map(|(slot, _, v)| (part.attributes[*slot], v.clone()))
            .collect()
    };
    let mut left: Vec<(EntityId, EntityId, String)> = Vec::new();
    for (attribute, value) in old.iter().filter(|(a, _)| is_component(a)) {
        if let Value::Ref(id) = value {
            let text = content(&managed.components, &|id| import.group.facts(id), *id, 0)?;
            left.push((*attribute, *id, text));
        }
    }
    for (attribute, value) in own.iter().filter(|(a, _)| is_component(a)) {
        if let Value::Ref(id) = value {
            let text = content(&managed.components, &|id| Ok(new_of(id)), *id, 0)?;
            match left
                .iter()
                .position(|(a, _, old)| a == attribute && *old == text)
            {
                Some(n) => {
                    left.swap_remove(n);
                }
                None => fresh.push(Fresh {
                    owner: entity,
                    attribute: *attribute,
                    facts: subtree(&facts, *id),
                }),
            }
        }
    }
    for (_, gone, _) in left {
        retract_entity(import, gone, changes)?;
    }
    Ok(())
}

type FactsOf<'f> = dyn Fn(EntityId) -> Result<Vec<(EntityId, Value)>, ImportError> + 'f;

/// The content of a component, without the ids of those within.
fn content(
    components: &FxHashSet<EntityId>,
    facts_of: &FactsOf,
    entity: EntityId,
    depth: u32,
) -> Result<String, ImportError> {
    let mut parts = Vec::new();
    for (attribute, value) in facts_of(entity)? {
        parts.push(match &value {
            Value::Ref(id) if components.contains(&attribute) && depth < DEPTH_MAX => {
                let inner = content(components, facts_of, *id, depth + 1)?;
                format!("{attribute} ({inner})")
            }
            value => format!("{attribute} {value}"),
        });
    }
    parts.sort();
    Ok(parts.join(" "))
}

fn subtree(facts: &[(usize, EntityId, Value)], root: EntityId) -> Vec<(usize, EntityId, Value)> {
    let mut wanted = vec![root];
    let mut out = Vec::new();
    let mut n = 0;
    while n < wanted.len() {
        let at = wanted[n];
        for fact in facts.iter().filter(|(_, e, _)| *e == at) {
            if let Value::Ref(id) = &fact.2
                && id.raw() > PRETEND
            {
                wanted.push(*id);
            }
            out.push(fact.clone());
        }
        n += 1;
    }
    out
}

/// Asserts a new component and all within it, with real ids.
fn new_component<G: Group>(
    import: &mut Import<G>,
    attributes: &[EntityId],
    fresh: &Fresh,
    changes: &mut Changes,
) -> Result<(), ImportError> {
    let mut real: FxHashMap<EntityId, EntityId> = FxHashMap::default();
    let root = import.group.reserve(1)?;
    if let Some((_, pretend, _)) = fresh.facts.first() {
        real.insert(*pretend, root);
    }
    changes.add(fresh.owner, fresh.attribute, &Value::Ref(root));
    for (slot, e, value) in &fresh.facts {
        for pretend in [Some(*e), value.as_ref_id()].into_iter().flatten() {
            if pretend.raw() > PRETEND && !real.contains_key(&pretend) {
                real.insert(pretend, import.group.reserve(1)?);
            }
        }
        let e = real.get(e).copied().unwrap_or(*e);
        let value = match value {
            Value::Ref(id) => Value::Ref(real.get(id).copied().unwrap_or(*id)),
            other => other.clone(),
        };
        changes.add(e, attributes[*slot], &value);
    }
    Ok(())
}

fn retract_entity<G: Group>(
    import: &Import<G>,
    entity: EntityId,
    changes: &mut Changes,
) -> Result<(), ImportError> {
    changes.retracted += import.group.facts(entity)?.len() as u64;
    changes.forms.push(Edn::Vector(vec![
        Edn::keyword("db/retractEntity"),
        id(entity),
    ]));
    Ok(())
}

/// Retracts the rows that the dump no longer has.
fn gone_rows<G: Group>(
    import: &mut Import<G>,
    n: usize,
    ids: &RowIds,
    changes: &mut Changes,
) -> Result<(), ImportError> {
    let identity = identity_attribute(&import.plan.relations[n]);
    let Some(attribute) = import.group.entid(&identity)? else {
        return Ok(());
    };
    for (entity, _) in import.group.facts_of(attribute)? {
        if !ids.old.contains(&entity.raw()) {
            retract_entity(import, entity, changes)?;
        }
    }
    Ok(())
}

/// Compares the pairs of a bridge; how many rows the dump has.
fn compare_bridge<G: Group>(
    import: &mut Import<G>,
    converters: &mut Converters,
    n: usize,
    lookup: &Stored,
    changes: &mut Changes,
) -> Result<u64, ImportError> {
    let bridge = &import.plan.bridges[n];
    let mut old: FxHashSet<(EntityId, EntityId, Value)> = FxHashSet::default();
    let raw = crate::mapping::companion(&bridge.attribute, "raw");
    for attribute in [&bridge.attribute, &raw] {
        if let Some(a) = import.group.entid(attribute)? {
            let facts = import.group.facts_of(a)?;
            old.extend(facts.into_iter().map(|(e, v)| (e, a, v)));
        }
    }
    let mut attributes = FxHashMap::default();
    for (slot, attribute) in converters.slots.attributes.iter().enumerate() {
        if *attribute == bridge.attribute || *attribute == raw {
            attributes.insert(slot, import.group.entid(attribute)?);
        }
    }
    let (keys, compiled) = (&converters.keys, &mut converters.bridges[n]);
    let mut scratch = Vec::new();
    let mut rows = 0;
    let mut sink = Collected {
        facts: Vec::new(),
        components: 0,
        group: &import.group,
        stored: lookup,
    };
    import.each_row(&bridge.table, &mut |row, _, _| {
        rows += 1;
        compiled.row(row, keys, &mut scratch, &mut sink)
    })?;
    for (slot, e, value) in sink.facts {
        if let Some(Some(a)) = attributes.get(&slot) {
            let fact = (e, *a, value);
            if !old.remove(&fact) {
                changes.add(fact.0, fact.1, &fact.2);
            }
        }
    }
    let mut gone: Vec<_> = old.into_iter().collect();
    gone.sort();
    for (e, a, v) in gone {
        changes.retract(e, a, &v);
    }
    Ok(rows)
}

/// Loads the rows that the store does not have, in batches as a first import does.
fn load_new<G: Group>(
    import: &mut Import<G>,
    converters: &mut Converters,
    rows: &FxHashMap<Name, RowIds>,
    mut writer: Writer,
    reports: &mut FxHashMap<Name, TableReport>,
    instants: &mut Instants,
) -> Result<(), ImportError> {
    let mut at: FxHashMap<Name, usize> = FxHashMap::default();
    let mut sequences: FxHashMap<Name, Sequences> = FxHashMap::default();
    let mut batches = Batches::default();
    for compiled in &mut converters.relations {
        compiled.restart();
    }
    let mut seen = 0u64;
    for block in &import.scan.blocks {
        let root = import.scan.catalog.root(&block.table);
        let (Some(Becomes::Relation(n)), Some(ids)) =
            (import.plan.tables.get(&root).copied(), rows.get(&root))
        else {
            continue;
        };
        let name = root.to_string();
        let before = writer.datoms + writer.batch.datoms;
        let next = at.entry(root.clone()).or_default();
        let numbers = sequences.entry(root.clone()).or_default();
        let mut resolver = Resolver::new(&import.scan.catalog, &root, block);
        let dump = import.dump;
        dump.rows(block, &mut |fields, line| {
            let row = resolver.take(fields, numbers);
            let entity = EntityId::new(ids.ids[*next]);
            *next += 1;
            seen += 1;
            if seen.is_multiple_of(PROGRESS_ROWS) {
                import.tell(Phase::Load, &name, seen, 0)?;
            }
            let compiled = &mut converters.relations[n];
            if ids.old.contains(&entity.raw()) {
                // Rows without a key are told apart by how often their content was seen.
                compiled.hash_text(&row);
                return Ok(());
            }
            writer.batch.note(&name);
            let mut sink = Loading {
                batch: &mut writer.batch,
                group: &mut import.group,
            };
            let encoding = block.session.encoding;
            compiled.row(&row, encoding, line, entity, &converters.keys, &mut sink)?;
            if batches.add(block) {
                writer.flush(import, instants)?;
            }
            Ok(())
        })?;
        let after = writer.datoms + writer.batch.datoms;
        reports.entry(root).or_default().datoms += after - before;
    }
    writer.flush(import, instants)
}
