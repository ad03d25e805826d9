//! From Postgres's types to shapes: what kind of values a column becomes, and what it needs
//! besides to lose nothing.
//!
//! Every type has a shape; one that is not known is text, exactly as Postgres prints it.

use datomite::ValueType;

use crate::catalog::{Catalog, Name, TypeDef, TypeName};
use crate::convert::Scalar;

/// What one value of a column is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Element {
    /// A value of its own.
    Scalar(Scalar),
    /// A reference to the ident of an enum's label.
    Enum(Name),
    /// A reference to a component entity.
    Composite(Name),
    /// The text of a range, with companions for its bounds of that type.
    Range(Scalar),
}

/// What a column holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shape {
    /// What one value is.
    pub element: Element,
    /// The delimiter, where the column is an array.
    pub array: Option<char>,
    /// `citext`: equal without regard to case.
    pub folds: bool,
}

impl Shape {
    /// A single value of a scalar.
    pub fn of_scalar(scalar: Scalar) -> Shape {
        Shape {
            element: Element::Scalar(scalar),
            array: None,
            folds: false,
        }
    }

    /// The type of the attribute.
    pub fn value_type(&self) -> ValueType {
        match &self.element {
            Element::Scalar(scalar) => scalar.value_type(),
            Element::Enum(_) | Element::Composite(_) => ValueType::Ref,
            Element::Range(_) => ValueType::String,
        }
    }

    /// The scalar, where a value is one and stands alone.
    pub fn scalar(&self) -> Option<Scalar> {
        match (&self.element, self.array) {
            (Element::Scalar(scalar), None) => Some(*scalar),
            _ => None,
        }
    }

    /// Suffix and type of every companion (N11), but `.raw`.
    pub fn companions(&self) -> Vec<(&'static str, ValueType)> {
        if self.array.is_some() {
            return vec![("array", ValueType::String)];
        }
        match &self.element {
            Element::Scalar(Scalar::Interval) => vec![
                ("months", ValueType::Long),
                ("days", ValueType::Long),
                ("us", ValueType::Long),
                ("special", ValueType::Keyword),
            ],
            Element::Scalar(scalar) if scalar.has_special() => {
                vec![("special", ValueType::Keyword)]
            }
            Element::Range(bound) => vec![
                ("lower", bound.value_type()),
                ("upper", bound.value_type()),
                ("bounds", ValueType::String),
            ],
            _ => Vec::new(),
        }
    }

    /// Whether the attribute can be `:db/unique` and part of a tuple.
    pub fn can_be_key(&self) -> bool {
        let composite = matches!(self.element, Element::Composite(_));
        self.array.is_none() && !composite && self.value_type() != ValueType::Bytes
    }
}

/// How many steps a chain of domains may have.
const CHAIN_MAX: usize = 64;

/// The shape of a type.
pub fn shape(catalog: &Catalog, type_name: &TypeName) -> Shape {
    let mut chain = type_name.clone();
    chain.array = false;
    for _ in 0..CHAIN_MAX {
        let definition = user_type(catalog, &chain);
        let mut inner = match definition {
            Some((_, TypeDef::Domain(base))) => {
                if base.array {
                    shape_of_array_domain(catalog, base)
                } else {
                    chain = base.clone();
                    continue;
                }
            }
            Some((name, TypeDef::Enum(_))) => single(Element::Enum(name)),
            Some((name, TypeDef::Composite(_))) => single(Element::Composite(name)),
            Some((_, TypeDef::Range(subtype))) => {
                single(Element::Range(bound_scalar(catalog, subtype)))
            }
            Some((_, TypeDef::Multirange)) => single(Element::Scalar(Scalar::Text)),
            None => built_in(&chain),
        };
        if type_name.array {
            let delimiter = if chain.name == "box" { ';' } else { ',' };
            if inner.array.is_some() || matches!(inner.element, Element::Range(_)) {
                inner.element = Element::Scalar(Scalar::Text);
            }
            inner.array = Some(delimiter);
        }
        return inner;
    }
    Shape::of_scalar(Scalar::Text)
}

fn shape_of_array_domain(catalog: &Catalog, base: &TypeName) -> Shape {
    let mut element = base.clone();
    element.array = false;
    // A domain over an array of domains over arrays is text in text: two steps are enough.
    let mut shape = match user_type(catalog, &element) {
        Some((name, TypeDef::Enum(_))) => single(Element::Enum(name)),
        Some((name, TypeDef::Composite(_))) => single(Element::Composite(name)),
        Some(_) => single(Element::Scalar(Scalar::Text)),
        None => built_in(&element),
    };
    if matches!(shape.element, Element::Range(_)) {
        shape.element = Element::Scalar(Scalar::Text);
    }
    shape.array = Some(if element.name == "box" { ';' } else { ',' });
    shape
}

fn bound_scalar(catalog: &Catalog, subtype: &TypeName) -> Scalar {
    let mut chain = subtype.clone();
    for _ in 0..CHAIN_MAX {
        match user_type(catalog, &chain) {
            Some((_, TypeDef::Domain(base))) => chain = base.clone(),
            Some(_) => return Scalar::Text,
            None => return built_in(&chain).scalar().unwrap_or(Scalar::Text),
        }
    }
    Scalar::Text
}

fn single(element: Element) -> Shape {
    Shape {
        element,
        array: None,
        folds: false,
    }
}

/// The dump's own type of that name; an unqualified one is looked for in every schema.
fn user_type<'a>(catalog: &'a Catalog, name: &TypeName) -> Option<(Name, &'a TypeDef)> {
    if let Some(schema) = &name.schema {
        let name = Name::new(schema.clone(), name.name.clone());
        return catalog
            .types
            .get(&name)
            .map(|definition| (name, definition));
    }
    let found = catalog.type_order.iter().find(|n| n.name == name.name)?;
    let definition = catalog.types.get(found)?;
    Some((found.clone(), definition))
}

fn built_in(name: &TypeName) -> Shape {
    let scalar = match name.name.as_str() {
        "smallint" | "integer" | "bigint" | "oid" | "xid" | "cid" => Scalar::Long,
        "xid8" => Scalar::BigInt,
        "numeric" => Scalar::BigDec,
        "money" => Scalar::Money,
        "real" => Scalar::Float,
        "double precision" => Scalar::Double,
        "boolean" => Scalar::Boolean,
        "uuid" => Scalar::Uuid,
        "bytea" => Scalar::Bytes,
        "date" | "timestamp without time zone" => Scalar::Timestamp,
        "timestamp with time zone" => Scalar::TimestampZone,
        "interval" => Scalar::Interval,
        "character" => Scalar::Padded,
        "int4range" | "int8range" => return single(Element::Range(Scalar::Long)),
        "numrange" => return single(Element::Range(Scalar::BigDec)),
        "tsrange" | "daterange" => return single(Element::Range(Scalar::Timestamp)),
        "tstzrange" => return single(Element::Range(Scalar::TimestampZone)),
        "citext" => {
            let mut shape = Shape::of_scalar(Scalar::Text);
            shape.folds = true;
            return shape;
        }
        _ => Scalar::Text,
    };
    Shape::of_scalar(scalar)
}
