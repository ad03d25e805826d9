//! The reader: text to forms, with a span for every part and on every error.
//!
//! Decides what nests in what and what a bracket, quote, `#_` or tag does with the form that
//! follows; `token.rs` decides what an atom is, `tag.rs` what a tagged form means.
//!
//! One loop and an explicit stack of what is still open, so that no text can exhaust the stack of
//! the thread; a form nests at most [`DEPTH_MAX`] deep. Where EDN and Clojure leave a choice:
//!
//! - `'x` reads as `(quote x)`, as Datomic's queries are written in Clojure.
//! - `^meta x` reads as `x`: metadata takes no part in equality, and forms carry none.
//! - `#"a\d"` reads as `#regex "a\\d"`, a tagged form with the pattern as written.
//! - `#:ns{:a 1 :_/b 2}` reads as `{:ns/a 1 :b 2}`.
//! - A tag inside what `#_` drops is not looked at.

use std::collections::HashSet;
use std::ops::Range;

use super::{DEPTH_MAX, tag, token};
use crate::{Edn, Keyword, Symbol, Value};

/// Where and why a text is not EDN.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct EdnError {
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// Byte range of the offending text.
    pub span: Range<usize>,
    /// What was found and what was expected.
    pub message: String,
    /// Whether more text could mend it: something is still open at the end.
    pub incomplete: bool,
}

/// The byte range of a form and of each of its children, in order (a map's are key, value, …).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Spans {
    /// Bytes of the form.
    pub span: Range<usize>,
    /// The same for the children.
    pub children: Vec<Spans>,
}

impl Spans {
    /// The span of the form reached by going to the child with each index of `path` in turn;
    /// stops at the last one that exists.
    pub fn at(&self, path: &[usize]) -> Range<usize> {
        let mut here = self;
        for step in path {
            match here.children.get(*step) {
                Some(child) => here = child,
                None => break,
            }
        }
        here.span.clone()
    }
}

/// Reads exactly one form.
pub fn read(text: &str) -> Result<Edn, EdnError> {
    read_spanned(text).map(|(form, _)| form)
}

/// Reads exactly one form, with where each part of it stands.
pub fn read_spanned(text: &str) -> Result<(Edn, Spans), EdnError> {
    let mut reader = Reader::new(text);
    let Some(form) = reader.next_form()? else {
        let end = text.len()..text.len();
        return Err(reader.incomplete(end, "expected a form, found the end of the text"));
    };
    reader.skip_blank();
    if let Some(found) = reader.found() {
        let message = format!("expected the end of the text after one form, found {found}");
        return Err(reader.error(reader.here(), message));
    }
    Ok(form)
}

/// Reads all forms of a text.
pub fn read_all(text: &str) -> Result<Vec<Edn>, EdnError> {
    let mut reader = Reader::new(text);
    let mut forms = Vec::new();
    while let Some((form, _)) = reader.next_form()? {
        forms.push(form);
    }
    Ok(forms)
}

/// What is open, waiting for its forms.
enum Open<'t> {
    List,
    Vector,
    Set,
    Map,
    /// `#:ns{`.
    NamespacedMap(&'t str),
    Tag(&'t str),
    Quote,
    /// `^`: the metadata, then the form.
    Meta,
    Discard,
}

struct Frame<'t> {
    open: Open<'t>,
    /// Byte offset of its first character.
    start: usize,
    items: Vec<Edn>,
    spans: Vec<Spans>,
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    stack: Vec<Frame<'t>>,
    /// How many of the open frames are `#_`.
    discarding: usize,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Reader<'t> {
        let at = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Reader {
            text,
            at,
            stack: Vec::new(),
            discarding: 0,
        }
    }

    /// The next form of the top level, or `None` at the end of the text.
    fn next_form(&mut self) -> Result<Option<(Edn, Spans)>, EdnError> {
        loop {
            self.skip_blank();
            let Some(byte) = self.byte(0) else {
                return self.end().map(|()| None);
            };
            let form = match byte {
                b'(' => self.open(Open::List, 1)?,
                b'[' => self.open(Open::Vector, 1)?,
                b'{' => self.open(Open::Map, 1)?,
                b'\'' => self.open(Open::Quote, 1)?,
                b'^' => self.open(Open::Meta, 1)?,
                b'#' => self.dispatch()?,
                b')' | b']' | b'}' => Some(self.close(byte)?),
                _ => Some(self.atom()?),
            };
            if let Some((form, spans)) = form
                && let Some(done) = self.complete(form, spans)?
            {
                return Ok(Some(done));
            }
        }
    }

    /// Opens a frame whose opening characters are the next `width` bytes.
    fn open(&mut self, open: Open<'t>, width: usize) -> Result<Option<(Edn, Spans)>, EdnError> {
        let start = self.at;
        if self.stack.len() >= DEPTH_MAX {
            let message = format!("forms nest deeper than {DEPTH_MAX}");
            return Err(self.error(start..start + width, message));
        }
        if matches!(open, Open::Discard) {
            self.discarding += 1;
        }
        self.at += width;
        self.stack.push(Frame {
            open,
            start,
            items: Vec::new(),
            spans: Vec::new(),
        });
        Ok(None)
    }

    /// What follows a `#`.
    fn dispatch(&mut self) -> Result<Option<(Edn, Spans)>, EdnError> {
        let start = self.at;
        match self.byte(1) {
            Some(b'{') => self.open(Open::Set, 2),
            Some(b'_') => self.open(Open::Discard, 2),
            Some(b'"') => self.regex().map(Some),
            Some(b'#') => self.symbolic().map(Some),
            Some(b':') => self.namespaced_map(),
            None => {
                let message = "expected a tag, a set or a dropped form after #, \
                               found the end of the text";
                Err(self.incomplete(start..self.text.len(), message))
            }
            Some(_) => {
                let end = token::end(self.text, start + 1);
                match token::symbol(&self.text[start + 1..end]) {
                    Ok(_) => self.open(Open::Tag(&self.text[start + 1..end]), end - start),
                    Err(_) => {
                        let end = end.max(start + 1 + self.width(start + 1));
                        let found = &self.text[start..end];
                        let message =
                            format!("expected a tag, #{{, #_, #\" or ## here, found {found}");
                        Err(self.error(start..end, message))
                    }
                }
            }
        }
    }

    /// `#:ns{`.
    fn namespaced_map(&mut self) -> Result<Option<(Edn, Spans)>, EdnError> {
        let start = self.at;
        let end = token::end(self.text, start + 2);
        let namespace = &self.text[start + 2..end];
        let valid = token::symbol(namespace).is_ok_and(|s| s.namespace().is_none());
        if !valid || namespace == "/" {
            let message = format!("expected a namespace after #:, found {namespace:?}");
            return Err(self.error(start..end, message));
        }
        self.at = end;
        self.skip_blank();
        match self.byte(0) {
            Some(b'{') => {
                let width = self.at + 1 - start;
                self.at = start;
                self.open(Open::NamespacedMap(namespace), width)
            }
            None => {
                let message = format!("expected {{ after #:{namespace}, found the end of the text");
                Err(self.incomplete(start..end, message))
            }
            Some(_) => {
                let found = self.found().unwrap_or_default();
                let message = format!("expected {{ after #:{namespace}, found {found}");
                Err(self.error(self.here(), message))
            }
        }
    }

    /// `##NaN`, `##Inf`, `##-Inf`.
    fn symbolic(&mut self) -> Result<(Edn, Spans), EdnError> {
        let end = token::end(self.text, self.at + 2);
        let number = match &self.text[self.at + 2..end] {
            "NaN" => f64::NAN,
            "Inf" => f64::INFINITY,
            "-Inf" => f64::NEG_INFINITY,
            other => {
                let message = format!("expected ##NaN, ##Inf or ##-Inf, found ##{other}");
                return Err(self.error(self.at..end, message));
            }
        };
        Ok(self.leaf(Edn::Value(Value::Double(number)), end))
    }

    /// `#"…"`: the text between the quotes as it stands, escapes and all.
    fn regex(&mut self) -> Result<(Edn, Spans), EdnError> {
        let from = self.at + 2;
        let bytes = self.text.as_bytes();
        let mut at = from;
        while at < bytes.len() && bytes[at] != b'"' {
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        if at >= bytes.len() {
            let span = self.at..self.text.len();
            return Err(self.incomplete(span, "expected \" to end the pattern, found the end"));
        }
        let pattern = Box::new(Edn::string(&self.text[from..at]));
        Ok(self.leaf(Edn::Tagged(Symbol::parse("regex"), pattern), at + 1))
    }

    /// A string, character, number, keyword, symbol, `nil`, `true` or `false`.
    fn atom(&mut self) -> Result<(Edn, Spans), EdnError> {
        match token::atom(self.text, self.at) {
            Ok((form, end)) => Ok(self.leaf(form, end)),
            Err(bad) if bad.incomplete => Err(self.incomplete(bad.span, bad.message)),
            Err(bad) => Err(self.error(bad.span, bad.message)),
        }
    }

    fn leaf(&mut self, form: Edn, end: usize) -> (Edn, Spans) {
        let span = self.at..end;
        self.at = end;
        let children = Vec::new();
        (form, Spans { span, children })
    }

    /// Closes the innermost collection, which `closer` must fit.
    fn close(&mut self, closer: u8) -> Result<(Edn, Spans), EdnError> {
        let closer = char::from(closer);
        let Some(frame) = self.stack.last() else {
            let message = format!("found {closer}, but nothing is open");
            return Err(self.error(self.here(), message));
        };
        match frame.open.closer() {
            Some(expected) if expected == closer => {}
            Some(expected) => {
                let opener = self.describe(frame);
                let message = format!("expected {expected} to close {opener}, found {closer}");
                return Err(self.error(self.here(), message));
            }
            None => {
                let waiting = self.describe(frame);
                let message = format!("expected a form after {waiting}, found {closer}");
                return Err(self.error(self.here(), message));
            }
        }
        let frame = self
            .stack
            .pop()
            .expect("invariant: the frame was just looked at");
        let form = self.collect(frame.open, frame.items, &frame.spans)?;
        self.at += 1;
        let span = frame.start..self.at;
        let children = frame.spans;
        Ok((form, Spans { span, children }))
    }

    /// Makes the collection, checking keys and members.
    fn collect(&self, open: Open<'t>, items: Vec<Edn>, at: &[Spans]) -> Result<Edn, EdnError> {
        match open {
            Open::Vector => Ok(Edn::Vector(items)),
            Open::Set => {
                self.check_distinct(items.iter(), at.iter(), "the set")?;
                Ok(Edn::Set(items))
            }
            Open::Map => self.collect_map(items, at),
            Open::NamespacedMap(namespace) => {
                let qualified = items
                    .into_iter()
                    .enumerate()
                    .map(|(at, item)| match at % 2 {
                        0 => qualify(namespace, item),
                        _ => item,
                    });
                self.collect_map(qualified.collect(), at)
            }
            _ => Ok(Edn::List(items)),
        }
    }

    fn collect_map(&self, items: Vec<Edn>, at: &[Spans]) -> Result<Edn, EdnError> {
        if items.len() % 2 == 1 {
            let key = items.last().expect("invariant: an odd count is not zero");
            let message = format!("expected a value for the key {key}, found }}");
            return Err(self.error(self.here(), message));
        }
        self.check_distinct(items.iter().step_by(2), at.iter().step_by(2), "the map")?;
        let mut items = items.into_iter();
        let mut entries = Vec::with_capacity(items.len() / 2);
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            entries.push((key, value));
        }
        Ok(Edn::Map(entries))
    }

    fn check_distinct<'f>(
        &self,
        forms: impl ExactSizeIterator<Item = &'f Edn>,
        spans: impl Iterator<Item = &'f Spans>,
        whole: &str,
    ) -> Result<(), EdnError> {
        let mut seen = HashSet::with_capacity(forms.len());
        for (form, spans) in forms.zip(spans) {
            if !seen.insert(form) {
                let message = format!("{form} stands twice in {whole}");
                return Err(self.error(spans.span.clone(), message));
            }
        }
        Ok(())
    }

    /// Gives a finished form to what waits for it; returns it where nothing does.
    fn complete(&mut self, form: Edn, spans: Spans) -> Result<Option<(Edn, Spans)>, EdnError> {
        let (mut form, mut spans) = (form, spans);
        loop {
            let Some(frame) = self.stack.last_mut() else {
                return Ok(Some((form, spans)));
            };
            let waits = match frame.open {
                Open::Tag(_) | Open::Quote | Open::Discard => false,
                Open::Meta => frame.items.is_empty(),
                _ => true,
            };
            if waits {
                frame.items.push(form);
                frame.spans.push(spans);
                return Ok(None);
            }
            let frame = self
                .stack
                .pop()
                .expect("invariant: the frame was just looked at");
            let span = frame.start..self.at;
            match frame.open {
                Open::Tag(name) => (form, spans) = self.tagged(name, form, spans, span)?,
                Open::Quote => {
                    let mark = Spans {
                        span: frame.start..frame.start + 1,
                        children: Vec::new(),
                    };
                    form = Edn::List(vec![Edn::symbol("quote"), form]);
                    spans = Spans {
                        span,
                        children: vec![mark, spans],
                    };
                }
                Open::Discard => {
                    self.discarding -= 1;
                    return Ok(None);
                }
                _ => self.check_meta(&frame)?,
            }
        }
    }

    fn tagged(
        &self,
        name: &str,
        form: Edn,
        spans: Spans,
        span: Range<usize>,
    ) -> Result<(Edn, Spans), EdnError> {
        let made = match self.discarding {
            0 => tag::make(name, &form).map_err(|message| self.error(span.clone(), message))?,
            _ => None,
        };
        Ok(match made {
            Some(made) => (
                made,
                Spans {
                    span,
                    children: Vec::new(),
                },
            ),
            None => (
                Edn::Tagged(Symbol::parse(name), Box::new(form)),
                Spans {
                    span,
                    children: vec![spans],
                },
            ),
        })
    }

    /// Metadata may be what Clojure takes: a map, keyword, symbol, string or vector.
    fn check_meta(&self, frame: &Frame<'t>) -> Result<(), EdnError> {
        let fits = matches!(
            frame.items.first(),
            Some(Edn::Map(_) | Edn::Vector(_))
                | Some(Edn::Value(
                    Value::Keyword(_) | Value::Symbol(_) | Value::String(_)
                ))
        );
        if fits {
            return Ok(());
        }
        let span = frame
            .spans
            .first()
            .map_or(frame.start..self.at, |s| s.span.clone());
        let found = &self.text[span.clone()];
        let message = format!("expected a map, keyword or symbol after ^, found {found}");
        Err(self.error(span, message))
    }

    /// The end of the text: fine where nothing is open.
    fn end(&self) -> Result<(), EdnError> {
        let Some(frame) = self.stack.last() else {
            return Ok(());
        };
        let opener = self.describe(frame);
        let message = match frame.open.closer() {
            Some(closer) => {
                format!("expected {closer} to close {opener}, found the end of the text")
            }
            None => format!("expected a form after {opener}, found the end of the text"),
        };
        Err(self.incomplete(self.text.len()..self.text.len(), message))
    }

    /// What is open and where, for messages.
    fn describe(&self, frame: &Frame<'t>) -> String {
        let (line, column) = self.position(frame.start);
        let opener = match frame.open {
            Open::List => "(",
            Open::Vector => "[",
            Open::Set => "#{",
            Open::Map => "{",
            Open::NamespacedMap(namespace) => &format!("#:{namespace}{{"),
            Open::Tag(name) => &format!("#{name}"),
            Open::Quote => "'",
            Open::Meta => "^",
            Open::Discard => "#_",
        };
        format!("the {opener} of line {line}, column {column}")
    }

    /// Skips white space, commas and comments.
    fn skip_blank(&mut self) {
        let rest = &self.text[self.at..];
        let mut chars = rest.char_indices();
        while let Some((at, c)) = chars.next() {
            if c == ';' {
                chars.by_ref().find(|(_, c)| *c == '\n');
            } else if !token::is_blank(c) {
                self.at += at;
                return;
            }
        }
        self.at = self.text.len();
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    /// Bytes of the character at `at`.
    fn width(&self, at: usize) -> usize {
        self.text[at..].chars().next().map_or(0, char::len_utf8)
    }

    /// The span of the token, or else the character, at the cursor.
    fn here(&self) -> Range<usize> {
        let end = token::end(self.text, self.at);
        self.at..end.max(self.at + self.width(self.at))
    }

    fn found(&self) -> Option<&'t str> {
        let here = self.here();
        (!here.is_empty()).then(|| &self.text[here])
    }

    fn position(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }

    fn error(&self, span: Range<usize>, message: impl Into<String>) -> EdnError {
        let (line, column) = self.position(span.start);
        EdnError {
            line,
            column,
            span,
            message: message.into(),
            incomplete: false,
        }
    }

    fn incomplete(&self, span: Range<usize>, message: impl Into<String>) -> EdnError {
        EdnError {
            incomplete: true,
            ..self.error(span, message)
        }
    }
}

impl Open<'_> {
    /// The closing bracket; `None` for what waits for one more form.
    fn closer(&self) -> Option<char> {
        match self {
            Open::List => Some(')'),
            Open::Vector => Some(']'),
            Open::Set | Open::Map | Open::NamespacedMap(_) => Some('}'),
            Open::Tag(_) | Open::Quote | Open::Meta | Open::Discard => None,
        }
    }
}

/// Puts a key without a namespace into that of its map; `_` as namespace means none.
fn qualify(namespace: &str, key: Edn) -> Edn {
    let place = |own: Option<&str>| match own {
        None => Some(Some(namespace.to_owned())),
        Some("_") => Some(None),
        Some(_) => None,
    };
    match key {
        Edn::Value(Value::Keyword(k)) => Edn::Value(Value::Keyword(match place(k.namespace()) {
            Some(ns) => Keyword::new(ns.as_deref(), k.name()),
            None => k,
        })),
        Edn::Value(Value::Symbol(s)) => Edn::Value(Value::Symbol(match place(s.namespace()) {
            Some(ns) => Symbol::new(ns.as_deref(), s.name()),
            None => s,
        })),
        other => other,
    }
}
