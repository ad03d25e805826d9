//! The derived plan.
//!
//! Tables first get their roots and namespaces; then every table its columns, references and
//! identity; then bridges are found among them. Names that a store already has are kept.

use datomite::{Keyword, ValueType};
use rustc_hash::{FxHashMap, FxHashSet};

use super::file::{Mapping, Target};
use super::plan::{
    Becomes, Bridge, ColumnPlan, CompositePlan, CompositeReference, EnumPlan, Identity, Plan,
    Reference, Relation,
};
use crate::catalog::{Catalog, ForeignKey, Name, Parent, Table, TypeDef};
use crate::convert::Scalar;
use crate::naming::{self, Named};
use crate::types::{Element, Shape, shape};

/// The most members a tuple has.
const TUPLE_MAX: usize = 8;

/// What a store already has: attributes by table and column.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Attribute and its type by (`table`, `column`).
    pub columns: FxHashMap<(String, String), (Keyword, ValueType)>,
    /// The hashes by which the store knows the rows of a table: attribute, and whether of the
    /// whole row (`%row`) or of its key (`%key`).
    pub hashes: FxHashMap<String, (Keyword, Hashed)>,
    /// Tables that the store has rows of, or had.
    pub tables: FxHashSet<String>,
}

/// What a stored hash is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hashed {
    /// The whole row.
    Row,
    /// The key.
    Key,
}

/// What of a dump is imported.
pub struct Extent<'a> {
    /// Whether a table is wanted at all.
    pub wanted: &'a dyn Fn(&Name) -> bool,
    /// Tables (roots) whose rows the dump holds; `--exclude-table-data` leaves some out.
    pub filled: &'a FxHashSet<Name>,
}

/// Derives the plan.
pub fn derive(catalog: &Catalog, mapping: &Mapping, known: &Known, extent: &Extent) -> Plan {
    let deriver = Deriver::new(catalog, mapping, known, extent);
    let mut plan = Plan::default();
    let roots: Vec<&Table> = catalog
        .tables
        .iter()
        .filter(|t| !matches!(t.parent, Parent::Partition(_)))
        .collect();
    let mut used: FxHashSet<Keyword> = FxHashSet::default();
    let mut bridges = Vec::new();
    for table in &roots {
        let dropped = mapping.table(&table.name).is_some_and(|m| m.drop);
        if dropped || !(extent.wanted)(&table.name) {
            plan.tables.insert(table.name.clone(), Becomes::Nothing);
        } else if deriver.bridge_keys(table).is_some() {
            bridges.push(*table);
        } else {
            let relation = deriver.relation(table);
            used.extend(relation.columns.iter().filter_map(|c| c.attribute.clone()));
            used.extend(relation.references.iter().map(|r| r.attribute.clone()));
            let at = plan.relations.len();
            plan.tables
                .insert(table.name.clone(), Becomes::Relation(at));
            plan.relations.push(relation);
        }
    }
    for table in bridges {
        let bridge = deriver.bridge(table, &used);
        used.insert(bridge.attribute.clone());
        let at = plan.bridges.len();
        plan.tables.insert(table.name.clone(), Becomes::Bridge(at));
        plan.bridges.push(bridge);
    }
    for table in &catalog.tables {
        if let Some(becomes) = plan.tables.get(&catalog.root(&table.name)).copied() {
            plan.tables.insert(table.name.clone(), becomes);
        }
    }
    deriver.types(&mut plan);
    deriver.notes(&roots, &mut plan);
    plan
}

struct Deriver<'a> {
    catalog: &'a Catalog,
    mapping: &'a Mapping,
    known: &'a Known,
    extent: &'a Extent<'a>,
    /// Namespaces of tables and types.
    namespaces: FxHashMap<Name, String>,
    /// Tables that some foreign key refers to.
    referred: FxHashSet<Name>,
}

impl<'a> Deriver<'a> {
    fn new(
        catalog: &'a Catalog,
        mapping: &'a Mapping,
        known: &'a Known,
        extent: &'a Extent<'a>,
    ) -> Deriver<'a> {
        let names: Vec<&Name> = catalog
            .tables
            .iter()
            .filter(|t| !matches!(t.parent, Parent::Partition(_)))
            .map(|t| &t.name)
            .chain(&catalog.type_order)
            .collect();
        let derived = naming::namespaces(&names, mapping.singular);
        let mut namespaces: FxHashMap<Name, String> =
            names.into_iter().cloned().zip(derived).collect();
        for (name, namespace) in &mut namespaces {
            if let Some(ns) = mapping.table(name).and_then(|m| m.ns.clone()) {
                *namespace = ns;
            }
        }
        for (name, ns) in &mapping.enums {
            for (known, namespace) in &mut namespaces {
                if known.to_string() == *name && catalog.types.contains_key(known) {
                    namespace.clone_from(ns);
                }
            }
        }
        let referred = catalog
            .tables
            .iter()
            .flat_map(|t| &t.foreign_keys)
            .map(|key| catalog.root(&key.target))
            .collect();
        Deriver {
            catalog,
            mapping,
            known,
            extent,
            namespaces,
            referred,
        }
    }

    fn namespace(&self, name: &Name) -> String {
        self.namespaces
            .get(name)
            .cloned()
            .unwrap_or_else(|| naming::namespace(&name.schema, &naming::identifier(&name.name)))
    }

    /// The foreign keys of a root: its own, and those that any of its partitions declares.
    fn foreign_keys(&self, root: &Table) -> Vec<ForeignKey> {
        let mut keys: Vec<ForeignKey> = Vec::new();
        let members = self
            .catalog
            .tables
            .iter()
            .filter(|t| t.name == root.name || self.catalog.root(&t.name) == root.name);
        for table in members {
            for key in &table.foreign_keys {
                let key = ForeignKey {
                    columns: key.columns.clone(),
                    target: self.catalog.root(&key.target),
                    target_columns: self.target_columns(key),
                    checked: key.checked,
                };
                if !key.columns.iter().all(|c| root.column(c).is_some()) {
                    continue;
                }
                let same = |k: &&mut ForeignKey| {
                    (&k.columns, &k.target, &k.target_columns)
                        == (&key.columns, &key.target, &key.target_columns)
                };
                match keys.iter_mut().find(same) {
                    Some(known) => known.checked &= key.checked,
                    None => keys.push(key),
                }
            }
        }
        keys
    }

    /// Whether every row of a table surely finds the row that its key refers to.
    fn is_sure(&self, table: &Name, key: &ForeignKey) -> bool {
        let target = &key.target;
        let stored = self.known.tables.contains(&target.to_string());
        let left_out = self.mapping.table(target).is_some_and(|m| m.drop)
            || !(self.extent.wanted)(target)
            || self.catalog.table(target).is_none()
            || (self.extent.filled.contains(table) && !self.extent.filled.contains(target));
        key.checked && (stored || !left_out)
    }

    fn target_columns(&self, key: &ForeignKey) -> Vec<String> {
        if !key.target_columns.is_empty() {
            return key.target_columns.clone();
        }
        self.catalog
            .table(&key.target)
            .map(|t| t.primary_key.clone())
            .unwrap_or_default()
    }

    /// N7: the primary key, else a unique key without NULL; empty for none.
    fn key(&self, table: &Table) -> Vec<String> {
        if !table.primary_key.is_empty() {
            return table.primary_key.clone();
        }
        let not_null = |columns: &&Vec<String>| {
            columns
                .iter()
                .all(|c| table.column(c).is_some_and(|c| c.not_null))
        };
        table
            .uniques
            .iter()
            .find(not_null)
            .cloned()
            .unwrap_or_default()
    }

    fn known(&self, table: &Name, column: &str) -> Option<&(Keyword, ValueType)> {
        let key = (table.to_string(), column.to_owned());
        self.known.columns.get(&key)
    }

    /// The name a column has by mapping or in the store.
    fn given(&self, table: &Name, column: &str) -> Option<Keyword> {
        let wish = self.mapping.column(table, column);
        wish.and_then(|w| w.attribute.clone())
            .or_else(|| self.known(table, column).map(|(ident, _)| ident.clone()))
    }

    fn attributes(&self, table: &Table, namespace: &str, keys: &[ForeignKey]) -> Vec<Keyword> {
        let given: Vec<Option<Keyword>> = table
            .columns
            .iter()
            .map(|c| self.given(&table.name, &c.name))
            .collect();
        let named: Vec<Named> = table
            .columns
            .iter()
            .zip(&given)
            .map(|(column, given)| Named {
                sql: &column.name,
                is_reference: single_key(keys, &column.name).is_some(),
                known: given
                    .as_ref()
                    .filter(|k| k.namespace() == Some(namespace))
                    .map(Keyword::name),
            })
            .collect();
        naming::columns(&named)
            .into_iter()
            .zip(given)
            .map(|(name, given)| {
                given.unwrap_or_else(|| Keyword::new(Some(namespace), &unreserved(namespace, name)))
            })
            .collect()
    }

    fn relation(&self, table: &Table) -> Relation {
        let namespace = self.namespace(&table.name);
        let keys = self.foreign_keys(table);
        let attributes = self.attributes(table, &namespace, &keys);
        let mut columns: Vec<ColumnPlan> = table
            .columns
            .iter()
            .zip(attributes)
            .map(|(column, attribute)| {
                let mut plan = ColumnPlan {
                    column: column.name.clone(),
                    type_text: column.type_name.to_string(),
                    attribute: Some(attribute),
                    shape: shape(self.catalog, &column.type_name),
                    reference: single_key(&keys, &column.name).map(reference),
                    to_enum: None,
                    default: None,
                    unique: false,
                    identity: false,
                    indexed: table.indexed.contains(&column.name),
                    generated: column.generated,
                    doc: column.comment.clone(),
                };
                self.apply_wishes(table, &namespace, &mut plan);
                plan
            })
            .collect();
        let identity = self.identity(table, &namespace, &keys, &mut columns);
        for unique in table.uniques.iter().chain([&table.primary_key]) {
            if let [single] = unique.as_slice() {
                let column = columns.iter_mut().find(|c| c.column == *single);
                if let Some(column) = column.filter(|c| !c.identity && can_be_key(c)) {
                    column.unique = true;
                }
            }
        }
        let references = self.composite_references(table, &namespace, &keys, &columns, &identity);
        Relation {
            table: table.name.clone(),
            namespace,
            columns,
            identity,
            references,
            doc: table.comment.clone(),
        }
    }

    /// What the mapping wants of a column, and what the store already made of it.
    fn apply_wishes(&self, table: &Table, namespace: &str, plan: &mut ColumnPlan) {
        if let Some(wish) = self.mapping.column(&table.name, &plan.column) {
            plan.default.clone_from(&wish.default);
            match wish.to {
                Some(Target::Scalar(scalar)) => {
                    plan.shape = Shape::of_scalar(scalar);
                    plan.reference = None;
                }
                Some(Target::Enum) => {
                    let own = naming::identifier(&plan.column);
                    plan.to_enum = Some(format!("{namespace}.{own}"));
                    plan.reference = None;
                }
                None => {}
            }
            if wish.drop {
                plan.attribute = None;
            }
        }
        // A column that is a scalar in the store stays one, whatever keys arrive later.
        if let Some((_, value_type)) = self.known(&table.name, &plan.column)
            && *value_type != ValueType::Ref
        {
            plan.reference = None;
        }
    }

    fn identity(
        &self,
        table: &Table,
        ns: &str,
        keys: &[ForeignKey],
        columns: &mut [ColumnPlan],
    ) -> Identity {
        let of = |name: &str| Keyword::new(Some(ns), name);
        let key = self.key(table);
        let members: Option<Vec<usize>> = key.iter().map(|c| table.position(c)).collect();
        let members = members.unwrap_or_default();
        let kept = members.iter().all(|m| columns[*m].attribute.is_some());
        let stored = self.known.hashes.get(&table.name.to_string());
        if let Some((attribute, hashed)) = stored {
            // By what the store found a row before, it is found again.
            let attribute = attribute.clone();
            return match hashed {
                Hashed::Row => Identity::Row { attribute },
                Hashed::Key => Identity::Digest { attribute, members },
            };
        }
        if members.is_empty() || !kept {
            return Identity::Row {
                attribute: of("%row"),
            };
        }
        // A key of references that lead nowhere names nothing: its text does.
        let is_unsure = |m: &usize| {
            let column = &columns[*m];
            let key = column
                .reference
                .as_ref()
                .and_then(|_| single_key(keys, &column.column));
            key.is_some_and(|key| !self.is_sure(&table.name, key))
        };
        let unsure =
            members.iter().any(is_unsure) && !self.known.tables.contains(&table.name.to_string());
        let plain = members.iter().all(|m| can_be_key(&columns[*m]));
        if let ([single], true) = (members.as_slice(), plain)
            && !unsure
        {
            columns[*single].identity = true;
            return Identity::Column(*single);
        }
        if !plain || members.len() > TUPLE_MAX || unsure {
            return Identity::Digest {
                attribute: of("%key"),
                members,
            };
        }
        let name = naming::joined(
            members
                .iter()
                .filter_map(|m| columns[*m].attribute.as_ref().map(Keyword::name)),
        );
        Identity::Tuple {
            attribute: of(&name),
            members,
        }
    }

    fn composite_references(
        &self,
        table: &Table,
        ns: &str,
        keys: &[ForeignKey],
        columns: &[ColumnPlan],
        identity: &Identity,
    ) -> Vec<CompositeReference> {
        let mut taken: FxHashSet<String> = FxHashSet::default();
        if let Identity::Tuple { attribute, .. } = identity {
            taken.insert(attribute.name().to_owned());
        }
        let mut references: Vec<CompositeReference> = Vec::new();
        for key in keys.iter().filter(|key| key.columns.len() > 1) {
            let members: Option<Vec<usize>> =
                key.columns.iter().map(|c| table.position(c)).collect();
            let Some(members) =
                members.filter(|m| m.iter().all(|m| columns[*m].attribute.is_some()))
            else {
                continue;
            };
            let mut name = naming::joined(
                members
                    .iter()
                    .filter_map(|m| columns[*m].attribute.as_ref().map(Keyword::name)),
            );
            while !taken.insert(name.clone()) {
                name.push_str("%ref");
            }
            references.push(CompositeReference {
                attribute: Keyword::new(Some(ns), &name),
                columns: members,
                reference: reference(key),
            });
        }
        references
    }

    /// N9: the two keys of a bridge, in key order; also of a table that a mapping makes one.
    fn bridge_keys(&self, table: &Table) -> Option<(ForeignKey, ForeignKey)> {
        let keys = self.foreign_keys(table);
        let wish = self
            .mapping
            .table(&table.name)
            .and_then(|m| m.bridge.as_ref());
        let singles: Vec<&ForeignKey> = keys.iter().filter(|k| k.columns.len() == 1).collect();
        let [a, b] = singles.as_slice() else {
            return None;
        };
        if a.columns == b.columns {
            return None;
        }
        let imported = |key: &ForeignKey| self.is_sure(&table.name, key);
        if let Some(wish) = wish {
            let second = self.namespace(&b.target);
            let turned = wish.namespace() == Some(second.as_str())
                && wish.namespace() != Some(self.namespace(&a.target).as_str());
            let (from, to) = if turned { (b, a) } else { (a, b) };
            return Some(((*from).clone(), (*to).clone()));
        }
        // What a store already keeps as entities stays so.
        let stored = |c: &crate::catalog::Column| self.known(&table.name, &c.name).is_some();
        let key = self.key(table);
        let was_bridge = self.known(&table.name, &key.join("+")).is_some();
        let pure = table.columns.len() == 2
            && keys.len() == 2
            && key.len() == 2
            && table.parent == Parent::None
            && !self.referred.contains(&table.name)
            && (was_bridge || (imported(a) && imported(b)))
            && !table.columns.iter().any(stored);
        if !pure {
            return None;
        }
        let (from, to) = if a.columns[0] == key[0] {
            (a, b)
        } else {
            (b, a)
        };
        let holds = from.columns[0] == key[0] && to.columns[0] == key[1];
        holds.then(|| ((*from).clone(), (*to).clone()))
    }

    fn bridge(&self, table: &Table, used: &FxHashSet<Keyword>) -> Bridge {
        let (from, to) = self
            .bridge_keys(table)
            .expect("invariant: only tables with bridge keys come here");
        let namespace = self.namespace(&from.target);
        let own = Keyword::new(Some(&namespace), &naming::identifier(&table.name.name));
        let wish = self
            .mapping
            .table(&table.name)
            .and_then(|m| m.bridge.clone());
        let key = format!("{}+{}", from.columns[0], to.columns[0]);
        let attribute = wish
            .or_else(|| {
                self.known(&table.name, &key)
                    .map(|(ident, _)| ident.clone())
            })
            .unwrap_or_else(|| {
                let plain = naming::identifier(&to.columns[0]);
                let second = Keyword::new(Some(&namespace), naming::reference(&plain));
                if from.target == to.target || used.contains(&second) {
                    own
                } else {
                    second
                }
            });
        let mut attribute = attribute;
        while used.contains(&attribute) {
            attribute = Keyword::new(attribute.namespace(), &format!("{}%", attribute.name()));
        }
        let second = table.column(&to.columns[0]);
        let raw = second.and_then(|c| shape(self.catalog, &c.type_name).scalar());
        Bridge {
            table: table.name.clone(),
            attribute,
            payload: table
                .columns
                .iter()
                .map(|c| c.name.clone())
                .filter(|c| *c != from.columns[0] && *c != to.columns[0])
                .collect(),
            from: (from.columns[0].clone(), reference(&from)),
            to: (to.columns[0].clone(), reference(&to)),
            raw: raw.unwrap_or(Scalar::Text),
            doc: table.comment.clone(),
        }
    }

    /// Enums and composites that some column uses, and those within composites.
    fn types(&self, plan: &mut Plan) {
        for name in &self.catalog.type_order {
            let namespace = self.namespace(name);
            match self.catalog.types.get(name) {
                Some(TypeDef::Enum(labels)) => {
                    let names: Vec<String> = labels
                        .iter()
                        .map(|l| naming::label(&name.name, l))
                        .collect();
                    let sql: Vec<&str> = labels.iter().map(String::as_str).collect();
                    let settled = distinct(&names);
                    let labels = sql
                        .iter()
                        .zip(settled)
                        .map(|(label, ident)| {
                            ((*label).to_owned(), Keyword::new(Some(&namespace), &ident))
                        })
                        .collect();
                    plan.enums.push(EnumPlan {
                        name: name.clone(),
                        labels,
                    });
                }
                Some(TypeDef::Composite(fields)) => {
                    let table = Table {
                        name: name.clone(),
                        columns: fields
                            .iter()
                            .map(|(name, type_name)| crate::catalog::Column {
                                name: name.clone(),
                                type_name: type_name.clone(),
                                ..crate::catalog::Column::default()
                            })
                            .collect(),
                        ..Table::default()
                    };
                    let fields = self.relation(&table).columns;
                    plan.composites.push(CompositePlan {
                        name: name.clone(),
                        fields,
                    });
                }
                _ => {}
            }
        }
        keep_used(plan);
    }

    /// The mapping line for every table that is nearly a bridge.
    fn notes(&self, roots: &[&Table], plan: &mut Plan) {
        for table in roots {
            if !matches!(plan.tables.get(&table.name), Some(Becomes::Relation(_))) {
                continue;
            }
            let keys = self.foreign_keys(table);
            let key = self.key(table);
            let singles: Vec<&ForeignKey> = keys.iter().filter(|k| k.columns.len() == 1).collect();
            let [a, b] = singles.as_slice() else { continue };
            let covers = [a, b].iter().all(|k| key.contains(&k.columns[0]));
            if key.len() != 2 || !covers {
                continue;
            }
            let second = naming::identifier(&b.columns[0]);
            let reason = if table.columns.len() == 2 && table.parent == Parent::None {
                "some of the rows that it refers to may be missing"
            } else {
                "it has more than its two references"
            };
            plan.notes.push(format!(
                "{} links {} and {} and stays an entity, because {reason}; \
                 to make it a reference: {{:tables {{\"{}\" {{:bridge :{}/{}}}}}}}",
                table.name,
                a.target,
                b.target,
                table.name,
                self.namespace(&a.target),
                naming::reference(&second)
            ));
        }
    }
}

/// Drops enums and composites that no column uses.
fn keep_used(plan: &mut Plan) {
    let mut used: FxHashSet<Name> = FxHashSet::default();
    for relation in &plan.relations {
        note_types(&relation.columns, &mut used);
    }
    let mut before = usize::MAX;
    while before != used.len() {
        before = used.len();
        for composite in &plan.composites {
            if used.contains(&composite.name) {
                note_types(&composite.fields, &mut used);
            }
        }
    }
    plan.enums.retain(|e| used.contains(&e.name));
    plan.composites.retain(|c| used.contains(&c.name));
}

fn note_types(columns: &[ColumnPlan], used: &mut FxHashSet<Name>) {
    for column in columns {
        if let Element::Enum(name) | Element::Composite(name) = &column.shape.element {
            used.insert(name.clone());
        }
    }
}

/// The foreign key of exactly this column.
fn single_key<'k>(keys: &'k [ForeignKey], column: &str) -> Option<&'k ForeignKey> {
    keys.iter()
        .find(|k| k.columns.len() == 1 && k.columns[0] == column)
}

fn reference(key: &ForeignKey) -> Reference {
    Reference {
        target: key.target.clone(),
        target_columns: key.target_columns.clone(),
    }
}

fn can_be_key(column: &ColumnPlan) -> bool {
    column.reference.is_some() || column.to_enum.is_some() || column.shape.can_be_key()
}

/// The importer's own attributes keep their names to themselves.
fn unreserved(namespace: &str, name: String) -> String {
    let own = namespace == "import" && matches!(name.as_str(), "file" | "label");
    if own { name + "%" } else { name }
}

fn distinct(names: &[String]) -> Vec<String> {
    let mut taken: FxHashSet<String> = FxHashSet::default();
    names
        .iter()
        .map(|name| {
            let mut name = name.clone();
            while !taken.insert(name.clone()) {
                name.push('%');
            }
            name
        })
        .collect()
}
