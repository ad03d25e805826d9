//! The values of an index as a column: words where the type has them, shared strings, codes of
//! keywords, or forms.

use std::sync::Arc;

use datomite_db::{ViewRun, word::of_float as float_word};
use datomite_model::{Edn, Value, ValueRef, ValueType};
use rustc_hash::FxHashMap;

use crate::relation::{Col, Kind, TextBlock, Texts, double_word, long_word};

/// The kind of the words of a type.
fn kind_of(value_type: ValueType) -> Option<Kind> {
    Some(match value_type {
        ValueType::Long => Kind::Long,
        ValueType::Ref => Kind::Ref,
        ValueType::Boolean => Kind::Boolean,
        ValueType::Double => Kind::Double,
        ValueType::Float => Kind::Float,
        ValueType::Instant => Kind::Instant,
        _ => return None,
    })
}

/// A column that grows by runs.
pub(super) enum Values {
    Words(Kind, Vec<u64>),
    Texts(Vec<TextBlock>, Vec<u64>),
    Codes(Codes),
    Forms(Vec<Edn>),
    Done(Col),
}

/// Keywords, each once, and the place of each row's.
#[derive(Default)]
pub(super) struct Codes {
    forms: Vec<Edn>,
    known: FxHashMap<Value, u64>,
    words: Vec<u64>,
}

impl Codes {
    /// Appends the keywords of the picked rows. A leaf keeps equal values in one place, so within
    /// a run most of them are known by where they lie.
    fn take(&mut self, run: &ViewRun<'_>, picks: &[u32]) {
        let mut places: FxHashMap<*const Value, u64> = FxHashMap::default();
        for pick in picks {
            let word = match run.v(*pick as usize) {
                ValueRef::Value(value) => match places.get(&std::ptr::from_ref(value)) {
                    Some(word) => *word,
                    None => {
                        let word = self.code(value.clone());
                        if places.len() < PLACES_MAX {
                            places.insert(value, word);
                        }
                        word
                    }
                },
                other => self.code(other.to_value()),
            };
            self.words.push(word);
        }
    }

    fn code(&mut self, value: Value) -> u64 {
        if let Some(word) = self.known.get(&value) {
            return *word;
        }
        let word = self.forms.len() as u64;
        self.forms.push(Edn::Value(value.clone()));
        self.known.insert(value, word);
        word
    }
}

/// Where more values of a leaf differ, looking for their places does not pay.
const PLACES_MAX: usize = 64;

impl Values {
    /// An empty column for values of that type; `None`: of any.
    pub(super) fn new(value_type: Option<ValueType>) -> Values {
        match (value_type, value_type.and_then(kind_of)) {
            (_, Some(kind)) => Values::Words(kind, Vec::new()),
            (Some(ValueType::String), _) => Values::Texts(Vec::new(), Vec::new()),
            (Some(ValueType::Keyword), _) => Values::Codes(Codes::default()),
            _ => Values::Forms(Vec::new()),
        }
    }

    /// Appends the values of the picked rows.
    pub(super) fn take(&mut self, run: &ViewRun<'_>, picks: &[u32]) {
        match self {
            Values::Words(kind, words) if run.word_type().and_then(kind_of) == Some(*kind) => {
                take_words(run, picks, words);
            }
            Values::Texts(blocks, words) if picks.len() >= STORED_ROWS_MIN => match run.texts() {
                Some(source) => {
                    let block = (blocks.len() as u64) << 32;
                    blocks.push(TextBlock::Stored(source));
                    words.extend(picks.iter().map(|row| block | u64::from(*row)));
                }
                None => self.take_each(run, picks),
            },
            Values::Codes(codes) => codes.take(run, picks),
            _ => self.take_each(run, picks),
        }
    }

    fn take_each(&mut self, run: &ViewRun<'_>, picks: &[u32]) {
        for pick in picks {
            let value = run.v(*pick as usize);
            let fits = match self {
                Values::Words(kind, words) => match word(*kind, value) {
                    Some(word) => {
                        words.push(word);
                        true
                    }
                    None => false,
                },
                Values::Texts(blocks, words) => match text(value) {
                    Some(text) => {
                        push_text(blocks, words, text);
                        true
                    }
                    None => false,
                },
                Values::Codes(_) | Values::Forms(_) | Values::Done(_) => false,
            };
            if !fits {
                self.push_form(Edn::from(value.to_value()));
            }
        }
    }

    /// Gives up words: a value that has none came.
    fn push_form(&mut self, form: Edn) {
        if !matches!(self, Values::Forms(_)) {
            let col = std::mem::replace(self, Values::Forms(Vec::new())).finish();
            let len = col.len();
            *self = Values::Forms(col.forms(len));
        }
        if let Values::Forms(forms) = self {
            forms.push(form);
        }
    }

    /// Bytes of a row, about.
    pub(super) fn row_bytes(&self) -> u64 {
        match self {
            Values::Words(..) | Values::Texts(..) | Values::Codes(_) => 8,
            Values::Forms(_) => crate::weigh::FORM,
            Values::Done(col) => col.row_bytes(),
        }
    }

    pub(super) fn finish(self) -> Col {
        match self {
            Values::Words(kind, words) => Col::Word(kind, words),
            Values::Texts(blocks, words) => Col::Text(Texts::new(blocks), words),
            Values::Codes(codes) => Col::Code(Arc::new(codes.forms), codes.words),
            Values::Forms(forms) => Col::Mixed(forms),
            Values::Done(col) => col,
        }
    }
}

/// Fewer strings than this are copied rather than keep their leaf alive.
const STORED_ROWS_MIN: usize = 8;

/// Whether the picks are every row once, in order: a join may pick a row twice.
pub(super) fn is_whole(run: &ViewRun<'_>, picks: &[u32]) -> bool {
    picks.len() == run.len() && picks.iter().zip(0..).all(|(pick, row)| *pick == row)
}

fn take_words(run: &ViewRun<'_>, picks: &[u32], words: &mut Vec<u64>) {
    if is_whole(run, picks) {
        return run.read_words(0..run.len(), words);
    }
    if picks.len() * 8 < run.len() {
        for row in picks {
            let row = *row as usize;
            run.read_words(row..row + 1, words);
        }
        return;
    }
    let mut all = Vec::with_capacity(run.len());
    run.read_words(0..run.len(), &mut all);
    words.extend(picks.iter().map(|row| all[*row as usize]));
}

fn push_text(blocks: &mut Vec<TextBlock>, words: &mut Vec<u64>, text: Arc<str>) {
    if !matches!(blocks.last(), Some(TextBlock::Owned(_))) {
        blocks.push(TextBlock::Owned(Vec::new()));
    }
    let at = (blocks.len() as u64 - 1) << 32;
    if let Some(TextBlock::Owned(texts)) = blocks.last_mut() {
        words.push(at | texts.len() as u64);
        texts.push(text);
    }
}

fn text(value: ValueRef<'_>) -> Option<Arc<str>> {
    match value {
        ValueRef::String(text) => Some(Arc::from(text)),
        ValueRef::Value(Value::String(text)) => Some(Arc::clone(text)),
        _ => None,
    }
}

fn word(kind: Kind, value: ValueRef<'_>) -> Option<u64> {
    match (kind, value) {
        (Kind::Long, ValueRef::Long(n)) => Some(long_word(n)),
        (Kind::Long, ValueRef::Value(Value::Long(n))) => Some(long_word(*n)),
        (Kind::Ref, ValueRef::Ref(id)) => Some(id.raw()),
        (Kind::Ref, ValueRef::Value(Value::Ref(id))) => Some(id.raw()),
        (Kind::Boolean, ValueRef::Boolean(b)) => Some(u64::from(b)),
        (Kind::Boolean, ValueRef::Value(Value::Boolean(b))) => Some(u64::from(*b)),
        (Kind::Double, ValueRef::Double(x)) => Some(double_word(x)),
        (Kind::Double, ValueRef::Value(Value::Double(x))) => Some(double_word(*x)),
        (Kind::Float, ValueRef::Float(x)) => Some(float_word(x)),
        (Kind::Float, ValueRef::Value(Value::Float(x))) => Some(float_word(*x)),
        (Kind::Instant, ValueRef::Instant(i)) => i.total_us().map(long_word),
        (Kind::Instant, ValueRef::Value(Value::Instant(i))) => i.total_us().map(long_word),
        _ => None,
    }
}

/// Whether a stored value joins with a constant of its attribute's type.
pub(super) fn equals(stored: ValueRef<'_>, constant: &Value) -> bool {
    match (stored, constant) {
        (ValueRef::String(a), Value::String(b)) => a == b.as_ref(),
        (ValueRef::Long(a), Value::Long(b)) => a == *b,
        (ValueRef::Boolean(a), Value::Boolean(b)) => a == *b,
        (ValueRef::Ref(a), Value::Ref(b)) => a == *b,
        (ValueRef::Value(a), b) => a.join_eq(b),
        (a, b) => a.to_value().join_eq(b),
    }
}
