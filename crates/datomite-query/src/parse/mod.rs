//! From a form, or text, to a query: the sections, and the scope of every variable.
//!
//! The whole grammar of Datomic's queries, and three sections more: `:order-by [?x :desc ?y]`,
//! `:limit n`, `:offset n`. What a database must know to decide (attributes, functions, rules
//! given as an argument) is not decided here. Every node carries its form and, where the query
//! came from text, its place in the text.

mod clause;
mod find;
mod input;
mod rule;

use std::sync::Arc;

use datomite_model::{Edn, Spans, Symbol, Value, read_spanned};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::QueryError;
use crate::ast::{Ast, Find, InputForm, Var};
use crate::error::Place;

pub(crate) use clause::POSITIONS_MAX;
pub(crate) use rule::parse_rules;

/// How deep clauses may stand in clauses.
const DEPTH_MAX: usize = 64;

/// How many parsed queries are kept.
const CACHE_MAX: usize = 1024;

static CACHE: Mutex<Option<FxHashMap<String, Query>>> = Mutex::new(None);

/// A parsed query. Cloning is a reference count.
#[derive(Clone, Debug)]
pub struct Query {
    pub(crate) ast: Arc<Ast>,
}

impl Query {
    /// Parses text; the result is kept, so that the same text is parsed once.
    pub fn parse(text: &str) -> Result<Query, QueryError> {
        if let Some(query) = CACHE.lock().as_ref().and_then(|cache| cache.get(text)) {
            return Ok(query.clone());
        }
        let (form, spans) = read_spanned(text)?;
        let query = parse_query(Node {
            form: &form,
            spans: Some(&spans),
        })?;
        let mut cache = CACHE.lock();
        let cache = cache.get_or_insert_with(FxHashMap::default);
        if cache.len() >= CACHE_MAX {
            cache.clear();
        }
        cache.insert(text.to_owned(), query.clone());
        Ok(query)
    }

    /// Reads a query in list or map form; a string is parsed as text.
    pub fn from_edn(form: &Edn) -> Result<Query, QueryError> {
        match form {
            Edn::Value(Value::String(text)) => Query::parse(text),
            _ => {
                crate::weigh::check_depth(form)?;
                parse_query(Node { form, spans: None })
            }
        }
    }
}

/// A form and where it stands.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    pub(crate) form: &'a Edn,
    pub(crate) spans: Option<&'a Spans>,
}

impl<'a> Node<'a> {
    /// The `i`-th child.
    fn child(self, i: usize, form: &'a Edn) -> Node<'a> {
        Node {
            form,
            spans: self.spans.and_then(|spans| spans.children.get(i)),
        }
    }

    /// The elements of a list or vector.
    fn items(self) -> Option<Vec<Node<'a>>> {
        let items = self.form.as_sequence()?;
        let node = |(i, form)| self.child(i, form);
        Some(items.iter().enumerate().map(node).collect())
    }

    /// The form and its place, to keep.
    fn place(self) -> Arc<Place> {
        Arc::new(Place {
            form: self.form.clone(),
            span: self.spans.map(|spans| spans.span.clone()),
        })
    }

    fn error(self, message: impl Into<String>) -> QueryError {
        QueryError::Syntax {
            message: message.into(),
            place: Box::new(Place::clone(&self.place())),
        }
    }

    fn symbol(self) -> Option<&'a Symbol> {
        self.form.as_symbol()
    }

    fn is_symbol(self, name: &str) -> bool {
        self.symbol().is_some_and(|s| s.as_str() == name)
    }

    fn is_blank(self) -> bool {
        self.is_symbol("_")
    }

    /// The symbol, if it is a variable: `?x`, without a namespace.
    fn variable(self) -> Option<&'a Symbol> {
        let is_variable = |s: &&Symbol| s.as_str().starts_with('?') && s.namespace().is_none();
        self.symbol().filter(is_variable)
    }

    /// The symbol, if it is a source: `$`, `$x`.
    fn source(self) -> Option<&'a Symbol> {
        self.symbol().filter(|s| s.as_str().starts_with('$'))
    }
}

/// The variables met so far, and which names mean which of them here.
#[derive(Default)]
pub(crate) struct Scope {
    names: Vec<Symbol>,
    visible: Vec<(Symbol, Var)>,
    /// Whether `$x` at the head of a clause names a source.
    sources: bool,
    /// How deep the clause at hand stands in others.
    depth: usize,
}

impl Scope {
    fn var(&mut self, name: &Symbol) -> Var {
        if let Some((_, var)) = self.visible.iter().find(|(n, _)| n == name) {
            return *var;
        }
        let var = Var(self.names.len() as u32);
        self.names.push(name.clone());
        self.visible.push((name.clone(), var));
        var
    }

    /// Runs `inside` where only `shared` of the names so far are visible.
    fn nested<T>(&mut self, shared: &[Var], inside: impl FnOnce(&mut Scope) -> T) -> T {
        let outer = std::mem::take(&mut self.visible);
        let is_shared = |(_, var): &&(Symbol, Var)| shared.contains(var);
        self.visible = outer.iter().filter(is_shared).cloned().collect();
        let result = inside(self);
        self.visible = outer;
        result
    }
}

/// The sections of a query, each with its forms.
#[derive(Default)]
struct Sections<'a> {
    found: Vec<(&'static str, Vec<Node<'a>>)>,
}

const SECTIONS: [&str; 10] = [
    "find", "with", "in", "where", "keys", "strs", "syms", "order-by", "limit", "offset",
];

impl<'a> Sections<'a> {
    fn get(&self, name: &str) -> Option<&[Node<'a>]> {
        let section = self.found.iter().rev().find(|(n, _)| *n == name)?;
        Some(&section.1)
    }
}

fn section_name(form: &Edn) -> Option<&'static str> {
    let keyword = form.as_keyword()?;
    SECTIONS.into_iter().find(|name| *name == keyword.as_str())
}

fn parse_query(query: Node<'_>) -> Result<Query, QueryError> {
    let sections = match query.form {
        Edn::Map(entries) => map_sections(query, entries)?,
        Edn::List(_) | Edn::Vector(_) => list_sections(query)?,
        _ => return Err(query.error("query must be a string, list or map")),
    };
    let find = match sections.get("find") {
        Some(forms) if !forms.is_empty() => forms,
        _ => return Err(query.error("no :find clause specified")),
    };
    let (inputs, clauses) = (sections.get("in"), sections.get("where"));
    if inputs.is_none() && clauses.is_none() {
        return Err(query.error("no :in or :where clause specified"));
    }
    let mut scope = Scope {
        sources: inputs.is_some(),
        ..Scope::default()
    };
    let inputs_parsed = match inputs {
        Some(forms) => input::parse_inputs(forms, &mut scope)?,
        None => vec![InputForm::Source(Symbol::parse("$"))],
    };
    let has_in = inputs.is_some();
    let (spec, elements) = find::parse_find(find, &mut scope)?;
    let with = find::parse_with(sections.get("with").unwrap_or(&[]), &mut scope)?;
    let repeated = find::repeated(query, &elements, &with, &scope);
    let keys = find::parse_keys(&sections_keys(&sections), elements.len(), spec)?;
    let order_by = find::parse_order(sections.get("order-by"), find, &elements, &mut scope)?;
    let limit = find::parse_count(sections.get("limit"))?;
    let offset = find::parse_count(sections.get("offset"))?.unwrap_or(0);
    let clauses = clause::parse_clauses(clauses.unwrap_or(&[]), &mut scope)?;
    let ast = Ast {
        find: Find {
            spec,
            columns: find::columns(&elements, keys.as_ref(), &scope.names),
            elements,
            keys,
            order_by,
            limit,
            offset,
            repeated,
        },
        with,
        inputs: inputs_parsed,
        has_in,
        clauses,
        names: scope.names,
        form: query.form.clone(),
    };
    Ok(Query { ast: Arc::new(ast) })
}

fn sections_keys<'a>(sections: &Sections<'a>) -> Vec<(&'static str, Vec<Node<'a>>)> {
    ["keys", "strs", "syms"]
        .into_iter()
        .filter_map(|name| Some((name, sections.get(name)?.to_vec())))
        .collect()
}

fn list_sections<'a>(query: Node<'a>) -> Result<Sections<'a>, QueryError> {
    let mut sections = Sections::default();
    for item in query.items().unwrap_or_default() {
        match (section_name(item.form), sections.found.last_mut()) {
            (Some(name), last) => {
                // Only `:where` may be empty; `:find` says so itself.
                if let Some((open, forms)) = last
                    && forms.is_empty()
                    && !matches!(*open, "find" | "where")
                {
                    return Err(item.error(format!("expected something in :{open}, found")));
                }
                sections.found.push((name, Vec::new()));
            }
            (None, Some((_, forms))) => forms.push(item),
            (None, None) => return Err(query.error("no :find clause specified")),
        }
    }
    Ok(sections)
}

fn map_sections<'a>(
    query: Node<'a>,
    entries: &'a [(Edn, Edn)],
) -> Result<Sections<'a>, QueryError> {
    let mut sections = Sections::default();
    for (i, (key, value)) in entries.iter().enumerate() {
        let Some(name) = section_name(key) else {
            continue;
        };
        let node = query.child(2 * i + 1, value);
        let forms = match (name, node.items()) {
            ("limit" | "offset", _) => vec![node],
            (_, Some(items)) => items,
            (_, None) => return Err(node.error(format!("expected a vector after :{name}, found"))),
        };
        sections.found.push((name, forms));
    }
    Ok(sections)
}
