//! The relation: what the executor passes from step to step and hands to `find`.
//!
//! Columns of 8-byte words wherever the type allows it; strings are (block, row) words into
//! shared blocks; keywords are codes of a dictionary of the column's own; anything else is
//! `Mixed`. A relation also knows a key (variables that make a row unique) and functional
//! dependencies, so that deduplication is skipped where it is proved needless. When two cells are
//! one is decided in `meet.rs`.

use std::hash::Hasher;
use std::sync::Arc;

use datomite_db::{TextSource, word};
use datomite_model::{Edn, Value};
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use crate::QueryError;
use crate::ast::Var;
use crate::meet::{Meet, hash_form, hash_text, hash_word, integer};
use crate::options::{Growth, Limits};
use crate::weigh;

/// What the words of a column mean. Words keep the order of the type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Sign bit flipped.
    Long,
    /// As is.
    Ref,
    /// 0 or 1.
    Boolean,
    /// Total order bits, NaN lowest.
    Double,
    /// The same in 32 bits.
    Float,
    /// Microseconds, sign bit flipped.
    Instant,
}

/// Strings that rows point into.
#[derive(Clone, Debug)]
pub(crate) struct Texts {
    blocks: Arc<Vec<Arc<TextBlock>>>,
}

/// One block of strings.
#[derive(Clone)]
pub(crate) enum TextBlock {
    /// Strings of the column's own.
    Owned(Vec<Arc<str>>),
    /// The strings of a leaf, where they lie.
    Stored(TextSource),
}

/// One column.
#[derive(Clone, Debug)]
pub(crate) enum Col {
    /// The same value in every row.
    Const(Edn),
    /// Fixed-size values.
    Word(Kind, Vec<u64>),
    /// Strings: `block << 32 | row`.
    Text(Texts, Vec<u64>),
    /// Positions in a dictionary of forms of which no two meet in a join.
    Code(Arc<Vec<Edn>>, Vec<u64>),
    /// Everything else.
    Mixed(Vec<Edn>),
}

/// Rows over variables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Relation {
    pub(crate) vars: Vec<Var>,
    pub(crate) cols: Vec<Col>,
    pub(crate) len: usize,
    /// Variables whose values make a row unique; `None` where nothing is proved.
    pub(crate) key: Option<Vec<Var>>,
    /// `(a, b)`: rows with equal `a` have equal `b`.
    pub(crate) dependencies: Vec<(Var, Var)>,
    /// The column whose words ascend.
    pub(crate) sorted_by: Option<Var>,
}

const SIGN: u64 = 1 << 63;

/// The word of a long.
pub(crate) fn long_word(n: i64) -> u64 {
    (n as u64) ^ SIGN
}

/// The word of a double: order-preserving, NaN lowest.
pub(crate) fn double_word(x: f64) -> u64 {
    word::of_double(x)
}

impl Kind {
    /// The value that a word stands for; refs are longs, as results show them.
    pub(crate) fn value(self, w: u64) -> Value {
        match self {
            Kind::Long => Value::Long((w ^ SIGN) as i64),
            Kind::Ref => Value::Long(w as i64),
            Kind::Boolean => Value::Boolean(w != 0),
            Kind::Double => Value::Double(word::to_double(w)),
            Kind::Float => Value::Float(word::to_float(w)),
            Kind::Instant => Value::Instant(word::to_instant(w)),
        }
    }

    /// The word of a form, if it has this kind.
    pub(crate) fn word(self, form: &Edn) -> Option<u64> {
        let Edn::Value(value) = form else { return None };
        match (self, value) {
            (Kind::Long, _) => integer(form).map(long_word),
            (Kind::Ref, _) => integer(form).map(|n| n as u64),
            (Kind::Boolean, Value::Boolean(b)) => Some(u64::from(*b)),
            (Kind::Double, Value::Double(x)) => Some(double_word(*x)),
            (Kind::Float, Value::Float(x)) => Some(word::of_float(*x)),
            (Kind::Instant, Value::Instant(i)) => i.total_us().map(long_word),
            _ => None,
        }
    }

    /// Kinds whose words can meet, after `convert`.
    pub(crate) fn joins(self, other: Kind) -> bool {
        self == other || (self.is_integer() && other.is_integer())
    }

    /// Double or float.
    pub(crate) fn is_floating(self) -> bool {
        matches!(self, Kind::Double | Kind::Float)
    }

    /// Long or ref.
    pub(crate) fn is_integer(self) -> bool {
        matches!(self, Kind::Long | Kind::Ref)
    }

    /// The word of `self` as a word of `to`; both are integers or the same kind.
    pub(crate) fn convert(self, word: u64, to: Kind) -> u64 {
        if self == to { word } else { word ^ SIGN }
    }
}

impl std::fmt::Debug for TextBlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            TextBlock::Owned(_) => "Owned",
            TextBlock::Stored(_) => "Stored",
        })
    }
}

impl Texts {
    /// Strings in these blocks.
    pub(crate) fn new(blocks: Vec<TextBlock>) -> Texts {
        Texts {
            blocks: Arc::new(blocks.into_iter().map(Arc::new).collect()),
        }
    }

    /// The string of a word.
    pub(crate) fn get(&self, word: u64) -> &str {
        let row = (word & 0xFFFF_FFFF) as usize;
        match self.blocks[(word >> 32) as usize].as_ref() {
            TextBlock::Owned(texts) => &texts[row],
            TextBlock::Stored(source) => source.get(row),
        }
    }

    /// The string of a word, shared.
    pub(crate) fn shared(&self, word: u64) -> Arc<str> {
        let row = (word & 0xFFFF_FFFF) as usize;
        match self.blocks[(word >> 32) as usize].as_ref() {
            TextBlock::Owned(texts) => Arc::clone(&texts[row]),
            TextBlock::Stored(source) => Arc::from(source.get(row)),
        }
    }

    fn same(&self, other: &Texts) -> bool {
        Arc::ptr_eq(&self.blocks, &other.blocks)
    }
}

impl Col {
    /// The value of a row.
    pub(crate) fn get(&self, row: usize) -> Edn {
        match self {
            Col::Const(form) => form.clone(),
            Col::Word(kind, words) => Edn::Value(kind.value(words[row])),
            Col::Text(texts, words) => Edn::Value(Value::String(texts.shared(words[row]))),
            Col::Code(forms, words) => forms[words[row] as usize].clone(),
            Col::Mixed(forms) => forms[row].clone(),
        }
    }

    /// How many rows; a constant has one.
    pub(crate) fn len(&self) -> usize {
        match self {
            Col::Const(_) => 1,
            Col::Word(_, words) | Col::Text(_, words) | Col::Code(_, words) => words.len(),
            Col::Mixed(forms) => forms.len(),
        }
    }

    /// The words, where they are of integers: entity ids and longs, as ids.
    pub(crate) fn ids(&self, len: usize) -> Option<Vec<u64>> {
        match self {
            Col::Word(Kind::Ref, words) => Some(words.clone()),
            Col::Word(Kind::Long, words) => Some(words.iter().map(|w| w ^ SIGN).collect()),
            Col::Const(form) => integer(form).map(|n| vec![n as u64; len]),
            _ => None,
        }
    }

    /// The rows at these positions, counted as they are copied.
    pub(crate) fn gather_in(
        &self,
        rows: &[u32],
        growth: &mut Growth<'_>,
    ) -> Result<Col, QueryError> {
        Ok(match self {
            Col::Const(form) => Col::Const(form.clone()),
            Col::Word(kind, words) => Col::Word(*kind, words_in(words, rows, growth)?),
            Col::Text(texts, words) => Col::Text(texts.clone(), words_in(words, rows, growth)?),
            Col::Code(forms, words) => Col::Code(Arc::clone(forms), words_in(words, rows, growth)?),
            Col::Mixed(forms) => {
                growth.add_each(rows.len(), size_of::<Edn>())?;
                let mut gathered = Vec::with_capacity(rows.len());
                for row in rows {
                    growth.limits().tick()?;
                    let form = &forms[*row as usize];
                    growth.add(weigh::copied(form))?;
                    gathered.push(form.clone());
                }
                Col::Mixed(gathered)
            }
        })
    }

    /// Bytes of a row, where it stands.
    pub(crate) fn row_bytes(&self) -> u64 {
        match self {
            Col::Const(_) => 0,
            Col::Word(..) | Col::Text(..) | Col::Code(..) => 8,
            Col::Mixed(_) => weigh::FORM,
        }
    }

    /// The column as forms.
    pub(crate) fn forms(&self, len: usize) -> Vec<Edn> {
        (0..len).map(|row| self.get(row)).collect()
    }

    /// A column of forms; of words where all of them have one kind.
    pub(crate) fn of_forms(forms: Vec<Edn>) -> Col {
        let kind = match forms.first() {
            Some(Edn::Value(Value::Long(_))) => Kind::Long,
            Some(Edn::Value(Value::Boolean(_))) => Kind::Boolean,
            Some(Edn::Value(Value::Double(_))) => Kind::Double,
            Some(Edn::Value(Value::Instant(_))) => Kind::Instant,
            _ => return Col::Mixed(forms),
        };
        let exact = |form: &Edn| match (kind, form) {
            // A bigint joins as a long but must come out as it went in.
            (Kind::Long, Edn::Value(Value::Long(_)))
            | (Kind::Boolean | Kind::Double | Kind::Instant, _) => kind.word(form),
            _ => None,
        };
        match forms.iter().map(exact).collect::<Option<Vec<u64>>>() {
            Some(words) => Col::Word(kind, words),
            None => Col::Mixed(forms),
        }
    }

    /// This column of `len` rows followed by another of `other_len` rows.
    pub(crate) fn append(self, len: usize, other: Col, other_len: usize) -> Col {
        match (self, other) {
            (Col::Const(a), Col::Const(b)) if a == b => Col::Const(a),
            (Col::Word(k, mut a), Col::Word(l, b)) if k.joins(l) => {
                a.extend(b.into_iter().map(|w| l.convert(w, k)));
                Col::Word(k, a)
            }
            (Col::Text(s, mut a), Col::Text(t, b)) => {
                if s.same(&t) {
                    a.extend(b);
                    return Col::Text(s, a);
                }
                let shift = (s.blocks.len() as u64) << 32;
                let blocks = s.blocks.iter().chain(t.blocks.iter()).map(Arc::clone);
                let texts = Texts {
                    blocks: Arc::new(blocks.collect()),
                };
                a.extend(b.into_iter().map(|w| w + shift));
                Col::Text(texts, a)
            }
            (Col::Code(s, mut a), Col::Code(t, b)) if Arc::ptr_eq(&s, &t) => {
                a.extend(b);
                Col::Code(s, a)
            }
            (a, b) if len == 0 => {
                let _ = a;
                b
            }
            (a, _) if other_len == 0 => a,
            (a, b) => {
                let mut forms = a.forms(len);
                forms.extend(b.forms(other_len));
                Col::of_forms(forms)
            }
        }
    }

    fn hash_row(&self, row: usize, state: &mut FxHasher) {
        match self {
            Col::Const(form) => hash_form(form, state),
            Col::Word(kind, words) => hash_word(*kind, words[row], state),
            Col::Text(texts, words) => hash_text(texts.get(words[row]), state),
            Col::Code(forms, words) => hash_form(&forms[words[row] as usize], state),
            Col::Mixed(forms) => hash_form(&forms[row], state),
        }
    }

    /// Whether a row of this column meets a row of another.
    pub(crate) fn eq_rows(&self, row: usize, other: &Col, other_row: usize, how: Meet) -> bool {
        match (self, other) {
            (Col::Word(k, a), Col::Word(l, b)) => how.words((*k, a[row]), (*l, b[other_row])),
            (Col::Text(s, a), Col::Text(t, b)) => s.get(a[row]) == t.get(b[other_row]),
            (Col::Code(s, a), Col::Code(t, b)) if Arc::ptr_eq(s, t) => a[row] == b[other_row],
            (Col::Code(s, a), Col::Code(t, b)) => {
                how.forms(&s[a[row] as usize], &t[b[other_row] as usize])
            }
            (Col::Text(s, a), Col::Const(Edn::Value(Value::String(text)))) => {
                s.get(a[row]) == text.as_ref()
            }
            (a, b) => how.forms(&a.get(row), &b.get(other_row)),
        }
    }

    /// Whether cells that meet in any way are the same: no numbers of several types or scales.
    pub(crate) fn is_exact(&self) -> bool {
        match self {
            Col::Word(kind, _) => !matches!(kind, Kind::Double | Kind::Float),
            Col::Text(..) | Col::Code(..) => true,
            Col::Const(form) => crate::meet::is_exact(form),
            Col::Mixed(forms) => forms.iter().all(crate::meet::is_exact),
        }
    }
}

/// Between two looks at the limits.
const CHUNK_ROWS: usize = 1 << 15;

/// The words of the rows at these positions, counted before they are copied.
pub(crate) fn words_in(
    words: &[u64],
    rows: &[u32],
    growth: &mut Growth<'_>,
) -> Result<Vec<u64>, QueryError> {
    growth.add_each(rows.len(), size_of::<u64>())?;
    let mut gathered = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(CHUNK_ROWS) {
        growth.limits().look()?;
        gathered.extend(chunk.iter().map(|row| words[*row as usize]));
    }
    Ok(gathered)
}

impl Relation {
    /// One row without variables: the neutral start of a join.
    pub(crate) fn unit() -> Relation {
        Relation {
            len: 1,
            key: Some(Vec::new()),
            ..Relation::default()
        }
    }

    /// No rows over these variables.
    pub(crate) fn empty(vars: Vec<Var>) -> Relation {
        Relation {
            cols: vars.iter().map(|_| Col::Mixed(Vec::new())).collect(),
            vars,
            key: Some(Vec::new()),
            ..Relation::default()
        }
    }

    /// Rows over variables, about which nothing is proved.
    pub(crate) fn new(vars: Vec<Var>, cols: Vec<Col>, len: usize) -> Relation {
        Relation {
            vars,
            cols,
            len,
            ..Relation::default()
        }
    }

    /// The column of a variable.
    pub(crate) fn col(&self, var: Var) -> Option<&Col> {
        let at = self.vars.iter().position(|v| *v == var)?;
        Some(&self.cols[at])
    }

    /// Whether the relation has the variable.
    pub(crate) fn has(&self, var: Var) -> bool {
        self.vars.contains(&var)
    }

    /// Adds a column of `self.len` rows.
    pub(crate) fn push(&mut self, var: Var, col: Col) {
        self.vars.push(var);
        self.cols.push(col);
    }

    /// The rows at these positions, which need not be distinct unless `keeps_key`.
    pub(crate) fn gather(
        &self,
        rows: &[u32],
        keeps_key: bool,
        growth: &mut Growth<'_>,
    ) -> Result<Relation, QueryError> {
        growth.limits().rows(rows.len())?;
        let cols = self.cols.iter().map(|col| col.gather_in(rows, growth));
        Ok(Relation {
            vars: self.vars.clone(),
            cols: cols.collect::<Result<_, _>>()?,
            len: rows.len(),
            key: if keeps_key { self.key.clone() } else { None },
            dependencies: self.dependencies.clone(),
            sorted_by: self.sorted_by,
        })
    }

    /// Only the rows for which `keep` says so.
    pub(crate) fn filter(
        self,
        limits: &Limits,
        mut keep: impl FnMut(usize) -> bool,
    ) -> Result<Relation, QueryError> {
        let mut rows: Vec<u32> = Vec::new();
        for from in (0..self.len).step_by(CHUNK_ROWS) {
            limits.look()?;
            let chunk = from..self.len.min(from + CHUNK_ROWS);
            rows.extend(chunk.filter(|row| keep(*row)).map(|row| row as u32));
        }
        if rows.len() == self.len {
            return Ok(self);
        }
        self.gather(&rows, true, &mut limits.growth())
    }

    /// Bytes of all rows, where they stand.
    pub(crate) fn bytes(&self) -> u64 {
        let row: u64 = self.cols.iter().map(Col::row_bytes).sum();
        row.saturating_mul(self.len as u64)
    }

    /// Only these variables, rows as they are; a key that does not survive is dropped.
    pub(crate) fn select(mut self, vars: &[Var]) -> Relation {
        let mut cols = Vec::with_capacity(vars.len());
        for var in vars {
            let at = self.vars.iter().position(|v| v == var);
            let at = at.expect("invariant: a projected variable is bound");
            self.vars[at] = Var(u32::MAX);
            cols.push(std::mem::replace(
                &mut self.cols[at],
                Col::Mixed(Vec::new()),
            ));
        }
        let key = self
            .key
            .take()
            .filter(|key| key.iter().all(|k| determines(vars, *k, &self.dependencies)));
        let key = key.map(|key| {
            if key.iter().all(|k| vars.contains(k)) {
                key
            } else {
                vars.to_vec()
            }
        });
        self.dependencies
            .retain(|(a, b)| vars.contains(a) && vars.contains(b));
        Relation {
            vars: vars.to_vec(),
            cols,
            len: self.len,
            key,
            dependencies: self.dependencies,
            sorted_by: self.sorted_by.filter(|v| vars.contains(v)),
        }
    }

    /// The distinct rows over these variables.
    pub(crate) fn project(self, vars: &[Var], limits: &Limits) -> Result<Relation, QueryError> {
        let relation = self.select(vars);
        if relation.key.is_some() {
            return Ok(relation);
        }
        let rows = distinct_rows(&relation, limits)?;
        let mut result = match rows {
            None => relation,
            Some(rows) => relation.gather(&rows, false, &mut limits.growth())?,
        };
        result.key = Some(vars.to_vec());
        Ok(result)
    }

    /// This relation and another over the same variables (in any order), rows of both.
    pub(crate) fn append(mut self, other: Relation) -> Relation {
        if self.len == 0 && self.vars.len() == other.vars.len() {
            return other.select(&self.vars);
        }
        let mut other = other.select(&self.vars);
        let cols = self.cols.into_iter().zip(other.cols.drain(..));
        self.cols = cols
            .map(|(a, b)| a.append(self.len, b, other.len))
            .collect();
        self.len += other.len;
        self.key = None;
        self.dependencies.clear();
        self.sorted_by = None;
        self
    }

    /// A hash of the row over some columns that agrees with `eq_rows`.
    pub(crate) fn hash_row(&self, cols: &[usize], row: usize) -> u64 {
        let mut state = FxHasher::default();
        for at in cols {
            self.cols[*at].hash_row(row, &mut state);
        }
        state.finish()
    }

    /// The same over columns that need not be those of one relation.
    pub(crate) fn hash_cols(cols: &[&Col], row: usize) -> u64 {
        let mut state = FxHasher::default();
        for col in cols {
            col.hash_row(row, &mut state);
        }
        state.finish()
    }

    /// The positions of variables.
    pub(crate) fn positions(&self, vars: &[Var]) -> Vec<usize> {
        vars.iter()
            .map(|var| {
                let at = self.vars.iter().position(|v| v == var);
                at.expect("invariant: the variable is bound")
            })
            .collect()
    }

    /// Records that equal `a` means equal `b`.
    pub(crate) fn depends(&mut self, a: Var, b: Var) {
        if a != b && !self.dependencies.contains(&(a, b)) {
            self.dependencies.push((a, b));
        }
    }
}

/// Whether the values of `vars` fix that of `target`.
fn determines(vars: &[Var], target: Var, dependencies: &[(Var, Var)]) -> bool {
    let mut known = vars.to_vec();
    let mut at = 0;
    while at < known.len() {
        if known[at] == target {
            return true;
        }
        for (a, b) in dependencies {
            if *a == known[at] && !known.contains(b) {
                known.push(*b);
            }
        }
        at += 1;
    }
    false
}

/// The first row of each distinct one, in order; `None` where all are distinct.
fn distinct_rows(relation: &Relation, limits: &Limits) -> Result<Option<Vec<u32>>, QueryError> {
    if relation.len < 2 {
        return Ok(None);
    }
    if relation.cols.iter().all(|col| matches!(col, Col::Const(_))) {
        return Ok(Some(vec![0]));
    }
    let rows = match packed(relation) {
        Some(words) => distinct_words(&words, limits)?,
        None => distinct_hashed(relation, limits)?,
    };
    Ok((rows.len() < relation.len).then_some(rows))
}

/// The rows that are the first with their word, as `is_first` tells, looking up now and then.
fn firsts(
    words: &[u64],
    limits: &Limits,
    mut is_first: impl FnMut(usize, u64) -> bool,
) -> Result<Vec<u32>, QueryError> {
    let mut rows = Vec::new();
    for (at, chunk) in words.chunks(CHUNK_ROWS).enumerate() {
        limits.look()?;
        for (row, word) in (at * CHUNK_ROWS..).zip(chunk) {
            if is_first(row, *word) {
                rows.push(row as u32);
            }
        }
    }
    Ok(rows)
}

fn distinct_words(words: &[u64], limits: &Limits) -> Result<Vec<u32>, QueryError> {
    if words.is_sorted() {
        return firsts(words, limits, |row, word| {
            row == 0 || words[row - 1] != word
        });
    }
    let low = words.iter().copied().min().unwrap_or(0);
    let high = words.iter().copied().max().unwrap_or(0);
    let span = (high - low) as usize;
    if span / 64 <= words.len() {
        let mut seen = vec![0u64; span / 64 + 1];
        return firsts(words, limits, |_, word| {
            let at = (word - low) as usize;
            let fresh = seen[at / 64] & (1 << (at % 64)) == 0;
            seen[at / 64] |= 1 << (at % 64);
            fresh
        });
    }
    limits.bytes(words.len() as u64 * HASHED_BYTES)?;
    let mut seen = FxHashSet::default();
    firsts(words, limits, |_, word| seen.insert(word))
}

/// Bytes of a row in a table of hashes, with room to grow.
const HASHED_BYTES: u64 = 32;

/// All columns of a row in one word, where their ranges fit.
fn packed(relation: &Relation) -> Option<Vec<u64>> {
    let mut packed: Option<Vec<u64>> = None;
    let mut bits_left = 64;
    for col in &relation.cols {
        let words = match col {
            Col::Const(_) => continue,
            Col::Word(_, words) | Col::Code(_, words) => words,
            Col::Text(..) | Col::Mixed(_) => return None,
        };
        let low = words.iter().copied().min()?;
        let high = words.iter().copied().max()?;
        let bits = 64 - (high - low).leading_zeros();
        if bits > bits_left {
            return None;
        }
        bits_left -= bits;
        packed = Some(match packed {
            None => words.iter().map(|w| w - low).collect(),
            Some(mut rows) => {
                for (row, word) in rows.iter_mut().zip(words) {
                    *row = row.checked_shl(bits).unwrap_or(0) | (word - low);
                }
                rows
            }
        });
    }
    packed
}

fn distinct_hashed(relation: &Relation, limits: &Limits) -> Result<Vec<u32>, QueryError> {
    limits.bytes(relation.len as u64 * HASHED_BYTES)?;
    let cols: Vec<usize> = (0..relation.cols.len()).collect();
    let mut heads: FxHashMap<u64, u32> = FxHashMap::default();
    let mut next: Vec<u32> = vec![u32::MAX; relation.len];
    let mut rows = Vec::new();
    for row in 0..relation.len {
        limits.tick()?;
        let hash = relation.hash_row(&cols, row);
        let head = heads.get(&hash).copied().unwrap_or(u32::MAX);
        let mut at = head;
        while at != u32::MAX && !same_row(relation, at as usize, row) {
            at = next[at as usize];
        }
        if at == u32::MAX {
            next[row] = head;
            heads.insert(hash, row as u32);
            rows.push(row as u32);
        }
    }
    Ok(rows)
}

fn same_row(relation: &Relation, a: usize, b: usize) -> bool {
    let same = |col: &Col| col.eq_rows(a, col, b, Meet::Same);
    relation.cols.iter().all(same)
}
