//! From rows of text to typed facts.
//!
//! A relation is compiled once (slots of attributes, labels of enums, maps of keys); each row
//! then costs what its bytes cost. Where the facts go (a batch, a comparison) is the sink's
//! matter. Nothing is left out silently: what is not carried over is counted by column.

use std::borrow::Cow;
use std::sync::Arc;

use datomite::{EntityId, Keyword, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::ImportError;
use crate::convert::{Converted, Scalar, calendar, nested};
use crate::dump::encoding::Encoding;
use crate::error::Place;
use crate::keys::{KeyMap, Keys};
use crate::mapping::{ColumnPlan, Identity, Plan, Relation, companion};
use crate::report::Omissions;
use crate::types::Element;

/// Where facts go.
pub(crate) trait Sink {
    /// One fact; the slot stands for the attribute.
    fn fact(&mut self, slot: usize, entity: EntityId, value: Value);
    /// A new entity for a component.
    fn component(&mut self) -> Result<EntityId, ImportError>;
    /// The entity of a key that the dump does not have, if the store has it.
    fn stored(&mut self, map: &KeyMap, texts: &[&[u8]]) -> Result<Option<EntityId>, ImportError>;
}

/// Finds a key in the store that the dump does not have.
pub(crate) type StoredKey<'k> =
    dyn Fn(&KeyMap, &[&[u8]]) -> Result<Option<EntityId>, ImportError> + 'k;

/// The attributes that facts are about, by slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots {
    pub(crate) attributes: Vec<Keyword>,
    index: FxHashMap<Keyword, usize>,
}

impl Slots {
    pub(crate) fn slot(&mut self, attribute: &Keyword) -> usize {
        if let Some(slot) = self.index.get(attribute) {
            return *slot;
        }
        self.index.insert(attribute.clone(), self.attributes.len());
        self.attributes.push(attribute.clone());
        self.attributes.len() - 1
    }
}

/// Idents by type and label.
#[derive(Clone, Debug, Default)]
pub(crate) struct Labels {
    /// Of enum types.
    pub(crate) enums: FxHashMap<crate::Name, FxHashMap<String, (EntityId, i64)>>,
    /// Of columns that a mapping turns into enums, by attribute.
    pub(crate) texts: FxHashMap<Keyword, FxHashMap<String, EntityId>>,
}

/// The texts of a row by column; `None` is NULL.
pub(crate) trait Texts {
    /// The text of a column.
    fn text(&self, column: usize) -> Option<&[u8]>;
}

#[derive(Clone, Debug)]
enum Kind {
    Skip,
    Reference {
        map: usize,
        raw: usize,
        raw_as: Scalar,
    },
    ToEnum(Arc<FxHashMap<String, EntityId>>),
    Single(Single),
    Array {
        element: Single,
        delimiter: char,
        exact: usize,
    },
}

/// How one value (of a column or an element) is made.
#[derive(Clone, Debug)]
enum Single {
    Scalar {
        scalar: Scalar,
        special: usize,
        parts: [usize; 3],
    },
    Enum(Arc<FxHashMap<String, (EntityId, i64)>>),
    Composite(Arc<Vec<CompiledColumn>>),
    Range {
        bound: Scalar,
        lower: usize,
        upper: usize,
        bounds: usize,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct CompiledColumn {
    name: String,
    type_text: String,
    slot: usize,
    kind: Kind,
    default: Option<String>,
}

/// What is not carried over of one column.
#[derive(Clone, Debug, Default)]
struct Losses {
    undecoded: u64,
    dangling: u64,
}

/// A relation, ready for its rows.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    pub(crate) table: String,
    columns: Vec<CompiledColumn>,
    composites: Vec<(usize, Vec<usize>, usize)>,
    hash_slot: Option<usize>,
    identity: Identity,
    losses: Vec<Losses>,
    composite_losses: Vec<u64>,
    /// How often each content of a row without a key was seen.
    seen: FxHashMap<u128, u64>,
    scratch: Vec<u8>,
}

const NO_SLOT: usize = usize::MAX;
/// Composites cannot contain themselves in Postgres; a dump that says so is not followed.
const DEPTH_MAX: u32 = 32;

impl Compiled {
    /// Compiles a relation; needed attributes get their slots.
    pub(crate) fn new(
        plan: &Plan,
        relation: &Relation,
        keys: &Keys,
        labels: &Labels,
        slots: &mut Slots,
    ) -> Compiled {
        let columns = compile_columns(plan, &relation.columns, keys, labels, slots, 0);
        let composites: Vec<_> = relation
            .references
            .iter()
            .filter_map(|r| {
                let map = keys.position(&r.reference)?;
                Some((slots.slot(&r.attribute), r.columns.clone(), map))
            })
            .collect();
        let hash_slot = match &relation.identity {
            Identity::Digest { attribute, .. } | Identity::Row { attribute } => {
                Some(slots.slot(attribute))
            }
            _ => None,
        };
        Compiled {
            table: relation.table.to_string(),
            losses: vec![Losses::default(); columns.len()],
            composite_losses: vec![0; composites.len()],
            columns,
            composites,
            hash_slot,
            identity: relation.identity.clone(),
            seen: FxHashMap::default(),
            scratch: Vec::new(),
        }
    }

    /// Converts one row.
    pub(crate) fn row<S: Sink>(
        &mut self,
        texts: &impl Texts,
        encoding: Encoding,
        line: u64,
        entity: EntityId,
        keys: &Keys,
        sink: &mut S,
    ) -> Result<(), ImportError> {
        let scratch = &mut self.scratch;
        for (n, column) in self.columns.iter().enumerate() {
            let default = column.default.as_deref().map(str::as_bytes);
            let Some(text) = texts.text(n).or(default) else {
                continue;
            };
            let losses = &mut self.losses[n];
            match &column.kind {
                Kind::Skip => {}
                Kind::Reference { map, raw, raw_as } => {
                    let map = &keys.maps[*map];
                    let found = match map.get(&[text], scratch) {
                        None => sink.stored(map, &[text])?,
                        found => found,
                    };
                    match found {
                        Some(id) => sink.fact(column.slot, entity, Value::Ref(id)),
                        None => {
                            losses.dangling += 1;
                            let text = encoding.decode(text).0;
                            if let Converted::Value(value) = raw_as.convert(text.as_bytes()) {
                                sink.fact(*raw, entity, value);
                            }
                        }
                    }
                }
                kind => {
                    let (text, bad) = decoded(kind, text, encoding);
                    losses.undecoded += u64::from(bad);
                    convert(column, kind, &text, entity, sink).map_err(|error| {
                        let place = |place: &mut Place| {
                            place.table.clone_from(&self.table);
                            place.line = line;
                        };
                        with_place(error, place)
                    })?;
                }
            }
        }
        self.composite_references(texts, entity, keys, sink)?;
        self.hash(texts, entity, sink);
        Ok(())
    }

    fn composite_references<S: Sink>(
        &mut self,
        texts: &impl Texts,
        entity: EntityId,
        keys: &Keys,
        sink: &mut S,
    ) -> Result<(), ImportError> {
        for (n, (slot, columns, map)) in self.composites.iter().enumerate() {
            let parts: Option<Vec<&[u8]>> = columns.iter().map(|c| texts.text(*c)).collect();
            let Some(parts) = parts else { continue };
            let map = &keys.maps[*map];
            let found = match map.get(&parts, &mut self.scratch) {
                None => sink.stored(map, &parts)?,
                found => found,
            };
            match found {
                Some(id) => sink.fact(*slot, entity, Value::Ref(id)),
                None => self.composite_losses[n] += 1,
            }
        }
        Ok(())
    }

    /// The value by which the store knows the row; `None` where it cannot know it.
    ///
    /// Without side effects but one: each call counts one more row of its content, where the
    /// identity is `%row`.
    pub(crate) fn identity_value(
        &mut self,
        texts: &impl Texts,
        encoding: Encoding,
        keys: &Keys,
        stored: &StoredKey,
    ) -> Result<Option<Value>, ImportError> {
        match self.identity.clone() {
            Identity::Column(n) => self.key_part(n, texts, encoding, keys, stored),
            Identity::Tuple { members, .. } => {
                let parts: Result<Vec<Option<Value>>, ImportError> = members
                    .iter()
                    .map(|n| self.key_part(*n, texts, encoding, keys, stored))
                    .collect();
                Ok(Some(Value::Tuple(parts?.into())))
            }
            Identity::Digest { .. } | Identity::Row { .. } => {
                Ok(self.hash_text(texts).map(Value::from))
            }
        }
    }

    fn key_part(
        &mut self,
        n: usize,
        texts: &impl Texts,
        encoding: Encoding,
        keys: &Keys,
        stored: &StoredKey,
    ) -> Result<Option<Value>, ImportError> {
        let column = &self.columns[n];
        let Some(text) = texts.text(n) else {
            return Ok(None);
        };
        let value = match &column.kind {
            Kind::Reference { map, .. } => {
                let map = &keys.maps[*map];
                let found = match map.get(&[text], &mut self.scratch) {
                    None => stored(map, &[text])?,
                    found => found,
                };
                found.map(Value::Ref)
            }
            Kind::ToEnum(idents) => {
                let text = std::str::from_utf8(text).ok();
                text.and_then(|t| idents.get(t)).map(|id| Value::Ref(*id))
            }
            Kind::Single(Single::Enum(labels)) => {
                let label = encoding.decode(text).0;
                labels
                    .get(label.as_ref())
                    .map(|(ident, _)| Value::Ref(*ident))
            }
            Kind::Single(Single::Range { .. }) => {
                Some(Value::from(encoding.decode(text).0.as_ref()))
            }
            Kind::Single(Single::Scalar { scalar, .. }) => {
                let (text, _) = decoded(&column.kind, text, encoding);
                match scalar.convert(&text) {
                    Converted::Value(value) => Some(value),
                    _ => None,
                }
            }
            _ => None,
        };
        Ok(value)
    }

    /// The value of `%key` or `%row`, where the identity is one.
    fn hash<S: Sink>(&mut self, texts: &impl Texts, entity: EntityId, sink: &mut S) {
        if let (Some(slot), Some(text)) = (self.hash_slot, self.hash_text(texts)) {
            sink.fact(slot, entity, Value::from(text));
        }
    }

    /// The text of `%key` or `%row`; each call for a row without a key counts one more of it.
    pub(crate) fn hash_text(&mut self, texts: &impl Texts) -> Option<String> {
        let members: Vec<usize> = match &self.identity {
            Identity::Digest { members, .. } => members.clone(),
            Identity::Row { .. } => (0..self.columns.len()).collect(),
            _ => return None,
        };
        self.scratch.clear();
        for member in members {
            if let Some(text) = texts.text(member) {
                let name = self.columns[member].name.as_bytes();
                for part in [name, text] {
                    self.scratch
                        .extend_from_slice(&(part.len() as u64).to_be_bytes());
                    self.scratch.extend_from_slice(part);
                }
            }
        }
        let hash = xxhash_rust::xxh3::xxh3_128(&self.scratch);
        if matches!(self.identity, Identity::Digest { .. }) {
            return Some(format!("{hash:032x}"));
        }
        let ordinal = self.seen.entry(hash).or_default();
        *ordinal += 1;
        Some(format!("{hash:032x}-{ordinal}"))
    }

    /// Forgets which rows were seen, before the dump is read again.
    pub(crate) fn restart(&mut self) {
        self.seen.clear();
    }

    /// Adds what was not carried over to the report.
    pub(crate) fn report(&self, omissions: &mut Omissions) {
        for (column, losses) in self.columns.iter().zip(&self.losses) {
            let what = format!("{}.{}", self.table, column.name);
            omissions.add(
                &what,
                "no row has this key; the value is kept in the attribute's .raw",
                losses.dangling,
            );
            omissions.add(
                &what,
                "not text in the dump's encoding; each such byte was read as the character of \
                 that number",
                losses.undecoded,
            );
        }
        for ((_, columns, _), count) in self.composites.iter().zip(&self.composite_losses) {
            let names: Vec<&str> = columns
                .iter()
                .map(|c| self.columns[*c].name.as_str())
                .collect();
            let what = format!("{}.({})", self.table, names.join(", "));
            let reason =
                "no row has this key; the columns keep their values, there is no reference";
            omissions.add(&what, reason, *count);
        }
    }
}

fn with_place(mut error: ImportError, change: impl FnOnce(&mut Place)) -> ImportError {
    if let ImportError::Value { place, .. } = &mut error {
        change(place);
    }
    error
}

fn compile_columns(
    plan: &Plan,
    columns: &[ColumnPlan],
    keys: &Keys,
    labels: &Labels,
    slots: &mut Slots,
    depth: u32,
) -> Vec<CompiledColumn> {
    columns
        .iter()
        .map(|column| CompiledColumn {
            name: column.column.clone(),
            type_text: column.type_text.clone(),
            slot: column.attribute.as_ref().map_or(NO_SLOT, |a| slots.slot(a)),
            kind: compile(plan, column, keys, labels, slots, depth),
            default: column.default.clone(),
        })
        .collect()
}

fn compile(
    plan: &Plan,
    column: &ColumnPlan,
    keys: &Keys,
    labels: &Labels,
    slots: &mut Slots,
    depth: u32,
) -> Kind {
    let Some(attribute) = &column.attribute else {
        return Kind::Skip;
    };
    let mut extra = |suffix: &str| slots.slot(&companion(attribute, suffix));
    if let Some(reference) = &column.reference {
        return match keys.position(reference) {
            Some(map) => Kind::Reference {
                map,
                raw: extra("raw"),
                raw_as: column.shape.scalar().unwrap_or(Scalar::Text),
            },
            None => Kind::Skip,
        };
    }
    if column.to_enum.is_some() {
        let texts = labels.texts.get(attribute).cloned().unwrap_or_default();
        return Kind::ToEnum(Arc::new(texts));
    }
    let exact = column
        .shape
        .array
        .map(|delimiter| (delimiter, extra("array")));
    let single = match &column.shape.element {
        Element::Scalar(scalar) => compile_scalar(*scalar, exact.is_none(), &mut extra),
        Element::Enum(name) => Single::Enum(Arc::new(
            labels.enums.get(name).cloned().unwrap_or_default(),
        )),
        Element::Range(bound) => Single::Range {
            bound: *bound,
            lower: extra("lower"),
            upper: extra("upper"),
            bounds: extra("bounds"),
        },
        Element::Composite(name) => {
            let fields = plan.composites.iter().find(|c| c.name == *name);
            let fields = fields
                .filter(|_| depth < DEPTH_MAX)
                .map(|c| compile_columns(plan, &c.fields, keys, labels, slots, depth + 1));
            Single::Composite(Arc::new(fields.unwrap_or_default()))
        }
    };
    match exact {
        Some((delimiter, exact)) => Kind::Array {
            element: single,
            delimiter,
            exact,
        },
        None => Kind::Single(single),
    }
}

/// A scalar; an element of an array has no companions.
fn compile_scalar(scalar: Scalar, alone: bool, extra: &mut dyn FnMut(&str) -> usize) -> Single {
    let special = if alone && scalar.has_special() {
        extra("special")
    } else {
        NO_SLOT
    };
    let parts = if alone && scalar == Scalar::Interval {
        [extra("months"), extra("days"), extra("us")]
    } else {
        [NO_SLOT; 3]
    };
    Single::Scalar {
        scalar,
        special,
        parts,
    }
}

/// Text where the type is text; other types are ASCII in every encoding.
fn decoded<'a>(kind: &Kind, text: &'a [u8], encoding: Encoding) -> (Cow<'a, [u8]>, bool) {
    if let Kind::Single(Single::Scalar { scalar, .. }) = kind
        && !scalar.is_text()
    {
        return (Cow::Borrowed(text), false);
    }
    match encoding.decode(text) {
        (Cow::Borrowed(text), bad) => (Cow::Borrowed(text.as_bytes()), bad),
        (Cow::Owned(text), bad) => (Cow::Owned(text.into_bytes()), bad),
    }
}

/// One value of a column that is no reference.
fn convert<S: Sink>(
    column: &CompiledColumn,
    kind: &Kind,
    text: &[u8],
    entity: EntityId,
    sink: &mut S,
) -> Result<(), ImportError> {
    match kind {
        Kind::Skip | Kind::Reference { .. } => Ok(()),
        Kind::ToEnum(idents) => {
            let ident = std::str::from_utf8(text).ok().and_then(|t| idents.get(t));
            let ident = ident.ok_or_else(|| wrong(column, text))?;
            sink.fact(column.slot, entity, Value::Ref(*ident));
            Ok(())
        }
        Kind::Single(single) => single_value(column, single, text, entity, sink),
        Kind::Array {
            element,
            delimiter,
            exact,
        } => {
            let text = utf8(column, text)?;
            array_value(column, element, *delimiter, *exact, text, entity, sink)
        }
    }
}

fn utf8<'a>(column: &CompiledColumn, text: &'a [u8]) -> Result<&'a str, ImportError> {
    std::str::from_utf8(text).map_err(|_| wrong(column, text))
}

fn wrong(column: &CompiledColumn, text: &[u8]) -> ImportError {
    const SHOWN: usize = 80;
    let value = String::from_utf8_lossy(&text[..text.len().min(SHOWN)]).into_owned();
    ImportError::Value {
        place: Box::new(Place {
            column: column.name.clone(),
            ..Place::default()
        }),
        value,
        expected: column.type_text.clone(),
        way_out: format!(
            "a mapping line {{:columns {{{:?} {{:to :string}}}}}} keeps it as text",
            column.name
        ),
    }
}

fn single_value<S: Sink>(
    column: &CompiledColumn,
    single: &Single,
    text: &[u8],
    entity: EntityId,
    sink: &mut S,
) -> Result<(), ImportError> {
    match single {
        Single::Scalar {
            scalar,
            special,
            parts,
        } => match scalar.convert(text) {
            Converted::Value(value) => {
                sink.fact(column.slot, entity, value);
                if parts[0] != NO_SLOT
                    && let Some(interval) = calendar::interval(utf8(column, text)?)
                {
                    sink.fact(parts[0], entity, Value::Long(interval.months));
                    sink.fact(parts[1], entity, Value::Long(interval.days));
                    sink.fact(parts[2], entity, Value::Long(interval.us));
                }
                Ok(())
            }
            Converted::Special(name) if *special != NO_SLOT => {
                let name = Value::Keyword(Keyword::new(None, name));
                sink.fact(*special, entity, name);
                Ok(())
            }
            _ => Err(wrong(column, text)),
        },
        Single::Enum(labels) => {
            let label = utf8(column, text)?;
            let (ident, _) = labels.get(label).ok_or_else(|| wrong(column, text))?;
            sink.fact(column.slot, entity, Value::Ref(*ident));
            Ok(())
        }
        Single::Composite(fields) => {
            let component = composite(column, fields, utf8(column, text)?, sink)?;
            sink.fact(column.slot, entity, Value::Ref(component));
            Ok(())
        }
        Single::Range {
            bound,
            lower,
            upper,
            bounds,
        } => {
            let text = utf8(column, text)?;
            sink.fact(column.slot, entity, Value::from(text));
            // What is not understood keeps its exact text and has no bounds.
            let Some(range) = nested::range(text) else {
                return Ok(());
            };
            for (slot, side) in [(lower, &range.lower), (upper, &range.upper)] {
                let side = side.as_ref().map(|text| bound.convert(text.as_bytes()));
                if let Some(Converted::Value(value)) = side {
                    sink.fact(*slot, entity, value);
                }
            }
            sink.fact(*bounds, entity, Value::from(range.bounds));
            Ok(())
        }
    }
}

/// A component entity with the fields of a row of a composite type.
fn composite<S: Sink>(
    column: &CompiledColumn,
    fields: &[CompiledColumn],
    text: &str,
    sink: &mut S,
) -> Result<EntityId, ImportError> {
    let parts = nested::record(text).ok_or_else(|| wrong(column, text.as_bytes()))?;
    let component = sink.component()?;
    for (field, part) in fields.iter().zip(parts) {
        if let Some(part) = part {
            convert(field, &field.kind, part.as_bytes(), component, sink)?;
        }
    }
    Ok(component)
}

/// The elements of an array, and its exact text where the set alone would not give it back.
fn array_value<S: Sink>(
    column: &CompiledColumn,
    element: &Single,
    delimiter: char,
    exact: usize,
    text: &str,
    entity: EntityId,
    sink: &mut S,
) -> Result<(), ImportError> {
    let Some(array) = nested::array(text, delimiter) else {
        sink.fact(exact, entity, Value::from(text));
        return Ok(());
    };
    let mut rebuilds = !array.bounded && !array.elements.is_empty();
    let mut seen: FxHashSet<Value> = FxHashSet::default();
    let mut last: Option<(i64, Value)> = None;
    for part in &array.elements {
        let Some(part) = part else {
            rebuilds = false;
            continue;
        };
        let made = element_value(column, element, part, sink)?;
        let Some((order, value)) = made else {
            rebuilds = false;
            continue;
        };
        let ascends = last
            .as_ref()
            .is_none_or(|last| *last < (order, value.clone()));
        rebuilds &= ascends;
        if seen.insert(value.clone()) {
            sink.fact(column.slot, entity, value.clone());
        }
        last = Some((order, value));
    }
    if !rebuilds {
        sink.fact(exact, entity, Value::from(text));
    }
    Ok(())
}

/// One element, with the place of its label where it is of an enum; `None` where the type
/// cannot hold it (the array's exact text does).
fn element_value<S: Sink>(
    column: &CompiledColumn,
    element: &Single,
    text: &str,
    sink: &mut S,
) -> Result<Option<(i64, Value)>, ImportError> {
    match element {
        Single::Scalar { scalar, .. } => match scalar.convert(text.as_bytes()) {
            Converted::Value(value) => Ok(Some((0, value))),
            Converted::Special(_) => Ok(None),
            Converted::Wrong => Err(wrong(column, text.as_bytes())),
        },
        Single::Enum(labels) => match labels.get(text) {
            Some((ident, order)) => Ok(Some((*order, Value::Ref(*ident)))),
            None => Err(wrong(column, text.as_bytes())),
        },
        Single::Composite(fields) => {
            let component = composite(column, fields, text, sink)?;
            Ok(Some((0, Value::Ref(component))))
        }
        Single::Range { .. } => Ok(None),
    }
}
