//! Texts with a structure: arrays, rows of a composite type, ranges.
//!
//! Reads what Postgres's output functions print; gives `None` for anything else, so that the
//! caller keeps the text.

/// The elements of an array of one dimension.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Array {
    /// The elements; `None` is NULL.
    pub(crate) elements: Vec<Option<String>>,
    /// Whether the lower bound is given and not 1.
    pub(crate) bounded: bool,
}

/// Reads an array; `None` where it has several dimensions.
pub(crate) fn array(text: &str, delimiter: char) -> Option<Array> {
    let (text, bounded) = match text.find('=') {
        Some(at) if text.starts_with('[') => (&text[at + 1..], !text.starts_with("[1:")),
        _ => (text, false),
    };
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut elements = Vec::new();
    if inner.trim().is_empty() {
        return Some(Array { elements, bounded });
    }
    let mut chars = inner.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
        let mut element = String::new();
        let mut quoted = false;
        match chars.peek() {
            Some('{') => return None,
            Some('"') => {
                quoted = true;
                chars.next();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => element.push(chars.next()?),
                        c => element.push(c),
                    }
                }
            }
            _ => {
                while let Some(c) = chars.next_if(|c| *c != delimiter) {
                    element.push(if c == '\\' { chars.next()? } else { c });
                }
                element.truncate(element.trim_ascii_end().len());
            }
        }
        let null = !quoted && element.eq_ignore_ascii_case("null");
        elements.push((!null).then_some(element));
        while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
        match chars.next() {
            None => return Some(Array { elements, bounded }),
            Some(c) if c == delimiter => {}
            Some(_) => return None,
        }
    }
}

/// The fields of a row of a composite type; `None` within is NULL.
pub(crate) fn record(text: &str) -> Option<Vec<Option<String>>> {
    let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
    let mut fields = Vec::new();
    let mut field = String::new();
    let (mut quoted, mut seen) = (false, false);
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => {
                quoted = !quoted;
                seen = true;
            }
            '\\' => field.push(chars.next()?),
            ',' if !quoted => {
                let null = field.is_empty() && !seen;
                fields.push((!null).then(|| std::mem::take(&mut field)));
                seen = false;
            }
            c => field.push(c),
        }
    }
    if quoted {
        return None;
    }
    let null = field.is_empty() && !seen;
    fields.push((!null).then_some(field));
    Some(fields)
}

/// A range: its bounds as text, and `[)` or the like; `empty` has neither.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Range {
    /// The lower bound; `None` where there is none.
    pub(crate) lower: Option<String>,
    /// The upper bound; `None` where there is none.
    pub(crate) upper: Option<String>,
    /// The two brackets, or `empty`.
    pub(crate) bounds: String,
}

/// Reads a range.
pub(crate) fn range(text: &str) -> Option<Range> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("empty") {
        let bounds = "empty".to_owned();
        return Some(Range {
            lower: None,
            upper: None,
            bounds,
        });
    }
    let (open, close) = (text.chars().next()?, text.chars().next_back()?);
    if !matches!(open, '[' | '(') || !matches!(close, ']' | ')') || text.len() < 3 {
        return None;
    }
    // Bounds are quoted as the fields of a row are.
    let fields = record(&format!("({})", &text[1..text.len() - 1]))?;
    let [lower, upper] = <[Option<String>; 2]>::try_from(fields).ok()?;
    Some(Range {
        lower,
        upper,
        bounds: format!("{open}{close}"),
    })
}
