//! The fields of one row: one buffer that every row uses again.

/// What a row says of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Field<'a> {
    /// NULL.
    Null,
    /// The text of a value, in the encoding of the dump.
    Text(&'a [u8]),
    /// `DEFAULT`, or nothing at all.
    Default,
    /// An expression that only Postgres can compute.
    Expression(&'a [u8]),
}

#[derive(Clone, Copy, Debug)]
enum Span {
    Null,
    Default,
    Text(usize, usize),
    Expression(usize, usize),
}

/// The fields of a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    start: usize,
}

impl Fields {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// The field of that index; a missing one is `Default`.
    pub(crate) fn get(&self, index: usize) -> Field<'_> {
        match self.spans.get(index) {
            None | Some(Span::Default) => Field::Default,
            Some(Span::Null) => Field::Null,
            Some(Span::Text(start, end)) => Field::Text(&self.bytes[*start..*end]),
            Some(Span::Expression(start, end)) => Field::Expression(&self.bytes[*start..*end]),
        }
    }

    pub(crate) fn push_null(&mut self) {
        self.spans.push(Span::Null);
    }

    pub(crate) fn push_default(&mut self) {
        self.spans.push(Span::Default);
    }

    pub(crate) fn push_text(&mut self, text: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text);
        self.spans.push(Span::Text(start, self.bytes.len()));
    }

    pub(crate) fn push_expression(&mut self, text: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text);
        self.spans.push(Span::Expression(start, self.bytes.len()));
    }

    /// Begins a text field: what is appended until `end` is its text.
    pub(crate) fn begin(&mut self) -> &mut Vec<u8> {
        self.start = self.bytes.len();
        &mut self.bytes
    }

    pub(crate) fn end(&mut self) {
        self.spans.push(Span::Text(self.start, self.bytes.len()));
    }
}
