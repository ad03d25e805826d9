//! How the fields of a struct find their values: by the names of keys or columns.
//!
//! `#[derive(FromRow)]` writes the calls. A field `read_count` takes the key `:read-count`,
//! `?read-count` or, where only one has that name, `:posts/read-count`; a name that was given with
//! `#[row(name = "…")]` is taken as it is.

use crate::{Edn, FromEdn, FromEdnError, FromEdnProblem, Value};

/// The name of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldName {
    /// This name and no other: `posts/read-count`.
    Exact(&'static str),
    /// The field of Rust: `read_count`.
    Like(&'static str),
}

impl FieldName {
    /// The name as written.
    pub const fn as_str(self) -> &'static str {
        match self {
            FieldName::Exact(name) | FieldName::Like(name) => name,
        }
    }

    /// Which of the keys is meant. Colons and question marks before names do not count.
    pub fn find<'k>(
        self,
        keys: impl Iterator<Item = &'k str> + Clone,
    ) -> Result<Option<usize>, FromEdnError> {
        let wanted = bare(self.as_str());
        let FieldName::Like(_) = self else {
            return Ok(keys.clone().position(|key| bare(key) == wanted));
        };
        let whole = keys.clone().position(|key| same(bare(key), wanted));
        if whole.is_some() {
            return Ok(whole);
        }
        let mut named = keys
            .enumerate()
            .filter(|(_, key)| name_of(key).is_some_and(|name| same(name, wanted)));
        match (named.next(), named.next()) {
            (Some((_, one)), Some((_, other))) => Err(FromEdnError::other(format!(
                "{wanted} may be {one} or {other}: name one with #[row(name = \"…\")]"
            ))),
            (found, _) => Ok(found.map(|(at, _)| at)),
        }
    }
}

impl FieldName {
    /// Which of the variants of an enum a form means: a keyword or string, or a map with
    /// `:db/ident`. A variant `PastDue` takes any keyword of the name `past-due` or `PAST_DUE`.
    pub fn variant(form: &Edn, names: &[FieldName]) -> Result<usize, FromEdnError> {
        let ident = match form {
            Edn::Map(_) => form.get(&Edn::keyword("db/ident")).unwrap_or(form),
            form => form,
        };
        let key = text(ident);
        let name = name_of(key).unwrap_or(key);
        let exact = |wanted: &FieldName| bare(wanted.as_str()) == key;
        let like = |wanted: &FieldName| {
            matches!(wanted, FieldName::Like(_)) && letters(wanted.as_str()).eq(letters(name))
        };
        let found = names.iter().position(exact);
        found
            .or_else(|| names.iter().position(like))
            .ok_or_else(|| {
                let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
                FromEdnError::other(format!(
                    "expected one of {}, found {form}",
                    names.join(", ")
                ))
            })
    }
}

/// Letters and digits, small.
fn letters(name: &str) -> impl Iterator<Item = char> + '_ {
    let kept = name.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase)
}

fn bare(key: &str) -> &str {
    key.strip_prefix([':', '?']).unwrap_or(key)
}

/// What stands after the namespace of a key.
fn name_of(key: &str) -> Option<&str> {
    bare(key).split_once('/').map(|(_, name)| name)
}

/// Equal but for `-` and `_`.
fn same(key: &str, field: &str) -> bool {
    let plain = |c: u8| if c == b'-' { b'_' } else { c };
    key.len() == field.len() && key.bytes().map(plain).eq(field.bytes().map(plain))
}

/// The entries of a map, as a struct reads them.
#[derive(Debug)]
pub struct Fields<'a> {
    entries: &'a [(Edn, Edn)],
    keys: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    /// The entries of the form, where it is a map.
    pub fn of(form: &'a Edn) -> Result<Fields<'a>, FromEdnError> {
        let entries = form
            .as_map()
            .ok_or_else(|| FromEdnError::mismatch("a map", form))?;
        let keys = entries.iter().map(|(key, _)| text(key)).collect();
        Ok(Fields { entries, keys })
    }

    /// The field's value; what its type makes of nothing where it is not there.
    pub fn read<V: FromEdn>(&self, name: FieldName) -> Result<V, FromEdnError> {
        match self.find(name)? {
            Some((key, value)) => V::from_edn(value).map_err(|error| error.under(key)),
            None => V::from_nothing().ok_or_else(|| self.missing(name)),
        }
    }

    /// The field's value; the default of its type where it is not there, or nil.
    pub fn read_or_default<V: FromEdn + Default>(
        &self,
        name: FieldName,
    ) -> Result<V, FromEdnError> {
        match self.find(name)? {
            None | Some((_, Edn::Nil)) => Ok(V::default()),
            Some((key, value)) => V::from_edn(value).map_err(|error| error.under(key)),
        }
    }

    fn find(&self, name: FieldName) -> Result<Option<&'a (Edn, Edn)>, FromEdnError> {
        let at = name.find(self.keys.iter().copied())?;
        Ok(at.map(|at| &self.entries[at]))
    }

    fn missing(&self, name: FieldName) -> FromEdnError {
        FromEdnError {
            path: Vec::new(),
            problem: FromEdnProblem::Missing {
                field: name.as_str().to_owned(),
                known: self
                    .entries
                    .iter()
                    .map(|(key, _)| key.to_string())
                    .collect(),
            },
        }
    }
}

/// A key as text; empty, which no field is called, where it is no name.
fn text(key: &Edn) -> &str {
    match key {
        Edn::Value(Value::Keyword(keyword)) => keyword.as_str(),
        Edn::Value(Value::Symbol(symbol)) => symbol.as_str(),
        Edn::Value(Value::String(text)) => text,
        _ => "",
    }
}

impl Value {
    /// The value as a Rust type: `datom.v.read::<i64>()`.
    pub fn read<V: FromEdn>(&self) -> Result<V, FromEdnError> {
        V::from_edn(&Edn::Value(self.clone()))
    }
}

impl Edn {
    /// What stands at a path, as a Rust type:
    /// `form.read::<String>(":users/address :address/city")`.
    ///
    /// The path is keys, and positions in sequences, from the outside in; no key is the form
    /// itself. Keys are written as EDN. Nothing there is an error, but for types that have
    /// something for it ([`FromEdn::from_nothing`]).
    pub fn read<V: FromEdn>(&self, path: &str) -> Result<V, FromEdnError> {
        let steps = crate::read_all(path)
            .map_err(|error| FromEdnError::other(format!("path {path:?}: {error}")))?;
        let mut form = self;
        for (depth, step) in steps.iter().enumerate() {
            let Some(inner) = below(form, step) else {
                let nothing = || FromEdnError {
                    path: steps[..depth].to_vec(),
                    problem: FromEdnProblem::Missing {
                        field: step.to_string(),
                        known: known_keys(form),
                    },
                };
                return V::from_nothing().ok_or_else(nothing);
            };
            form = inner;
        }
        V::from_edn(form).map_err(|mut error| {
            error.path.splice(0..0, steps.iter().cloned());
            error
        })
    }
}

fn below<'a>(form: &'a Edn, step: &Edn) -> Option<&'a Edn> {
    match (form, step.as_long()) {
        (Edn::Map(_), _) => form.get(step),
        (form, Some(at)) => form.as_sequence()?.get(usize::try_from(at).ok()?),
        _ => None,
    }
}

fn known_keys(form: &Edn) -> Vec<String> {
    let entries = form.as_map().unwrap_or(&[]);
    entries.iter().map(|(key, _)| key.to_string()).collect()
}
