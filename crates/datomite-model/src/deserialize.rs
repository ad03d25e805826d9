//! `serde::Deserialize`: any type that derives it, from a form; and our own types, from any format.
//!
//! [`from_edn`] is to forms what `serde_json::from_value` is to JSON. Keywords and symbols are
//! their text without the colon; a field `name` takes the key `users/name` where it is renamed so,
//! else a key with that name and any namespace or none, with `-` for `_`. Enums are their ident.
//! Instants, uuids, bigints and decimals are text to those that ask for text, as `serialize.rs`
//! writes them. Where a number is wanted and a map with `:db/id` stands, it is that id.

use std::fmt;

use num_traits::ToPrimitive;
use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{
    self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _,
    IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use crate::{BigDec, Edn, EntityId, FromEdn, FromEdnError, Instant, Keyword, Symbol, Uri, Value};

/// The newtype by which our own types ask for a form as it is.
const FORM: &str = "$datomite::Edn";

/// Reads a form as a type that derives `serde::Deserialize`.
pub fn from_edn<D: DeserializeOwned>(form: &Edn) -> Result<D, FromEdnError> {
    D::deserialize(Form(form))
}

impl de::Error for FromEdnError {
    fn custom<M: fmt::Display>(message: M) -> FromEdnError {
        FromEdnError::other(message.to_string())
    }
}

/// A form as serde sees it.
#[derive(Clone, Copy)]
struct Form<'a>(&'a Edn);

/// Integers of a size, out of what may be one.
macro_rules! integers {
    ($($method:ident $visit:ident $cast:ident $read:ty;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromEdnError> {
            match self.number() {
                Edn::Value(Value::BigInt(n)) if n.$cast().is_some() => {
                    visitor.$visit(n.$cast().expect("invariant: the guard saw it"))
                }
                Edn::Value(Value::Ref(id)) => visitor.visit_u64(id.raw()),
                form => Form(form).deserialize_any(visitor),
            }
        }
    )*};
}

impl<'a> Form<'a> {
    /// The id of a map that has one, else the form.
    fn number(self) -> &'a Edn {
        self.0.get(&Edn::keyword("db/id")).unwrap_or(self.0)
    }

    fn elements<'de, V: Visitor<'de>>(
        self,
        items: &[Edn],
        visitor: V,
    ) -> Result<V::Value, FromEdnError> {
        let mut elements = Elements {
            items: items.iter(),
            at: 0,
        };
        let read = visitor.visit_seq(&mut elements)?;
        match elements.items.len() {
            0 => Ok(read),
            _ => Err(FromEdnError::mismatch("fewer elements", self.0)),
        }
    }
}

impl<'de> Deserializer<'de> for Form<'_> {
    type Error = FromEdnError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromEdnError> {
        let value = match self.0 {
            Edn::Nil => return visitor.visit_unit(),
            Edn::Char(c) => return visitor.visit_char(*c),
            Edn::List(items) | Edn::Vector(items) | Edn::Set(items) => {
                return self.elements(items, visitor);
            }
            Edn::Map(entries) => return visitor.visit_map(Entries::new(entries, &[])),
            Edn::Ratio(_) => return visitor.visit_string(self.0.to_string()),
            Edn::Tagged(tag, form) => {
                let entry = (format!("#{tag}"), Form(form));
                return visitor.visit_map(MapDeserializer::new([entry].into_iter()));
            }
            Edn::Value(value) => value,
        };
        match value {
            Value::String(text) => visitor.visit_str(text),
            Value::Boolean(b) => visitor.visit_bool(*b),
            Value::Long(n) => visitor.visit_i64(*n),
            Value::Float(n) => visitor.visit_f32(*n),
            Value::Double(n) => visitor.visit_f64(*n),
            Value::Keyword(keyword) => visitor.visit_str(keyword.as_str()),
            Value::Symbol(symbol) => visitor.visit_str(symbol.as_str()),
            Value::Uri(uri) => visitor.visit_str(uri.as_str()),
            Value::Uuid(uuid) => visitor.visit_string(uuid.to_string()),
            Value::BigInt(n) => visitor.visit_string(n.to_string()),
            Value::BigDec(n) => visitor.visit_string(n.to_string()),
            Value::Instant(instant) => visitor.visit_string(instant.to_string()),
            Value::Bytes(bytes) => visitor.visit_bytes(bytes),
            Value::Ref(id) => visitor.visit_u64(id.raw()),
            tuple @ Value::Tuple(_) => Form(&Edn::from(tuple)).deserialize_any(visitor),
        }
    }

    integers! {
        deserialize_i8 visit_i8 to_i8 i8;
        deserialize_i16 visit_i16 to_i16 i16;
        deserialize_i32 visit_i32 to_i32 i32;
        deserialize_i64 visit_i64 to_i64 i64;
        deserialize_i128 visit_i128 to_i128 i128;
        deserialize_u8 visit_u8 to_u8 u8;
        deserialize_u16 visit_u16 to_u16 u16;
        deserialize_u32 visit_u32 to_u32 u32;
        deserialize_u64 visit_u64 to_u64 u64;
        deserialize_u128 visit_u128 to_u128 u128;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromEdnError> {
        match self.0 {
            Edn::Nil => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, FromEdnError> {
        match name {
            // No other form is bytes inside a newtype of that name: see `Deserialize for Edn`.
            FORM => visitor.visit_byte_buf(self.0.to_string().into_bytes()),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromEdnError> {
        match self.0 {
            Edn::Value(Value::Bytes(bytes)) => {
                visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied()))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FromEdnError> {
        match self.0 {
            Edn::Map(entries) => visitor.visit_map(Entries::new(entries, fields)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FromEdnError> {
        let ident = self.0.get(&Edn::keyword("db/ident"));
        let (key, content) = match (self.0, ident) {
            (_, Some(ident)) => (ident, None),
            (Edn::Map(entries), None) if entries.len() == 1 => (&entries[0].0, Some(&entries[0].1)),
            (form, None) => (form, None),
        };
        let Some(name) = key_text(key) else {
            return Err(FromEdnError::mismatch("a variant", self.0));
        };
        visitor.visit_enum(Variant {
            name: chosen(name, variants).unwrap_or(name),
            content,
        })
    }

    serde::forward_to_deserialize_any! {
        bool f32 f64 char str string bytes byte_buf unit unit_struct tuple tuple_struct map
        identifier ignored_any
    }
}

/// Names are their text; other keys have none.
fn key_text(key: &Edn) -> Option<&str> {
    match key {
        Edn::Value(Value::Keyword(keyword)) => Some(keyword.as_str()),
        Edn::Value(Value::Symbol(symbol)) => Some(symbol.as_str()),
        key => key.as_str(),
    }
}

/// The field or variant that a key means: its whole text, else its name, with `-` as `_` too.
fn chosen(key: &str, names: &[&'static str]) -> Option<&'static str> {
    let short = key.split_once('/').map_or(key, |(_, name)| name);
    let same = |name: &str, key: &str| {
        name.len() == key.len()
            && name
                .bytes()
                .zip(key.bytes())
                .all(|(n, k)| n == k || (n == b'_' && k == b'-'))
    };
    let found = |wanted: &str| names.iter().find(|name| same(name, wanted)).copied();
    names
        .iter()
        .find(|name| **name == key)
        .copied()
        .or_else(|| found(key))
        .or_else(|| found(short))
}

/// The elements of a sequence, counted for errors.
struct Elements<'a> {
    items: std::slice::Iter<'a, Edn>,
    at: usize,
}

impl<'de> SeqAccess<'de> for &mut Elements<'_> {
    type Error = FromEdnError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, FromEdnError> {
        let Some(item) = self.items.next() else {
            return Ok(None);
        };
        let at = self.at;
        self.at += 1;
        seed.deserialize(Form(item))
            .map(Some)
            .map_err(|error| error.under(at))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The entries of a map under the names of a struct's fields.
struct Entries<'a> {
    entries: std::slice::Iter<'a, (Edn, Edn)>,
    /// The fields of the struct; none for a map.
    fields: &'static [&'static str],
    /// Fields that a key names in full: keys that are only like them are others.
    taken: Vec<&'static str>,
    value: Option<&'a (Edn, Edn)>,
}

impl<'a> Entries<'a> {
    fn new(entries: &'a [(Edn, Edn)], fields: &'static [&'static str]) -> Entries<'a> {
        let in_full = |name: &&&str| entries.iter().any(|(key, _)| key_text(key) == Some(name));
        Entries {
            entries: entries.iter(),
            fields,
            taken: fields.iter().filter(in_full).copied().collect(),
            value: None,
        }
    }

    fn name<'k>(&self, key: &'k str) -> &'k str
    where
        'static: 'k,
    {
        match chosen(key, self.fields) {
            Some(name) if name == key || !self.taken.contains(&name) => name,
            _ => key,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = FromEdnError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, FromEdnError> {
        let Some(entry) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some(entry);
        let key = match key_text(&entry.0) {
            Some(text) => {
                let name: StrDeserializer<'_, FromEdnError> = self.name(text).into_deserializer();
                seed.deserialize(name)
            }
            None => seed.deserialize(Form(&entry.0)),
        };
        key.map(Some).map_err(|error| error.under(&entry.0))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, FromEdnError> {
        let (key, value) = self
            .value
            .expect("invariant: serde asks for a key before its value");
        seed.deserialize(Form(value))
            .map_err(|error| error.under(key))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// A variant by name, with what it holds.
struct Variant<'a> {
    name: &'a str,
    content: Option<&'a Edn>,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = FromEdnError;
    type Variant = Variant<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Variant<'a>), FromEdnError> {
        let name: StrDeserializer<'_, FromEdnError> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = FromEdnError;

    fn unit_variant(self) -> Result<(), FromEdnError> {
        match self.content {
            None | Some(Edn::Nil) => Ok(()),
            Some(form) => Err(FromEdnError::mismatch("nothing", form)),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<S::Value, FromEdnError> {
        seed.deserialize(Form(self.content.unwrap_or(&Edn::Nil)))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, FromEdnError> {
        Form(self.content.unwrap_or(&Edn::Nil)).deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FromEdnError> {
        Form(self.content.unwrap_or(&Edn::Nil)).deserialize_struct("", fields, visitor)
    }
}

impl<'de> IntoDeserializer<'de, FromEdnError> for Form<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Builds a form of what any format gives.
struct FormVisitor;

impl<'de> Visitor<'de> for FormVisitor {
    type Value = Edn;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a form")
    }

    fn visit_bytes<E: de::Error>(self, text: &[u8]) -> Result<Edn, E> {
        let text = std::str::from_utf8(text).map_err(E::custom)?;
        crate::read(text).map_err(E::custom)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Edn, E> {
        Ok(Edn::Nil)
    }

    fn visit_none<E: de::Error>(self) -> Result<Edn, E> {
        Ok(Edn::Nil)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Edn, D::Error> {
        Edn::deserialize(inner)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Edn, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_bool<E: de::Error>(self, b: bool) -> Result<Edn, E> {
        Ok(Edn::from(b))
    }

    fn visit_i64<E: de::Error>(self, n: i64) -> Result<Edn, E> {
        Ok(Edn::from(n))
    }

    fn visit_u64<E: de::Error>(self, n: u64) -> Result<Edn, E> {
        Ok(Edn::from(n))
    }

    fn visit_f64<E: de::Error>(self, n: f64) -> Result<Edn, E> {
        Ok(Edn::from(n))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Edn, E> {
        Ok(Edn::string(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Edn, A::Error> {
        let mut forms = Vec::new();
        while let Some(form) = items.next_element()? {
            forms.push(form);
        }
        Ok(Edn::Vector(forms))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Edn, A::Error> {
        let mut forms = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            forms.push(entry);
        }
        Ok(Edn::Map(forms))
    }
}

impl<'de> Deserialize<'de> for Edn {
    /// A form as it is from [`from_edn`]; from other formats what they hold, with strings as keys.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Edn, D::Error> {
        deserializer.deserialize_newtype_struct(FORM, FormVisitor)
    }
}

/// Reads a form of our own: the value itself from [`from_edn`], its text from other formats.
fn read_or_parse<'de, D: Deserializer<'de>, F: FromEdn>(
    deserializer: D,
    parse: fn(&str) -> Option<F>,
) -> Result<F, D::Error> {
    let form = Edn::deserialize(deserializer)?;
    let parsed = form.as_str().and_then(parse);
    parsed.map_or_else(|| F::from_edn(&form).map_err(D::Error::custom), Ok)
}

macro_rules! deserialize_by_text {
    ($($type:ty, $parse:expr;)*) => {$(
        impl<'de> Deserialize<'de> for $type {
            /// Itself, or its text as it serializes.
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                read_or_parse(deserializer, $parse)
            }
        }
    )*};
}

deserialize_by_text! {
    Keyword, |text| Some(Keyword::parse(text));
    Symbol, |text| Some(Symbol::parse(text));
    Uri, |text| Some(Uri::new(text));
    Instant, Instant::parse;
    BigDec, |text| text.parse().ok();
    EntityId, |_| None;
    Value, |_| None;
}
