//! Where a statement ends: the splitter of SQL text.
//!
//! Knows every form that may hide a semicolon: quotes with and without backslash escapes,
//! quoted names, dollar quotes, comments (block comments nest), parentheses, and the bodies
//! `BEGIN ATOMIC … END`. It can stop anywhere in the text and go on when more bytes are there,
//! so that a statement is scanned once, whatever its length. It does not know what a statement
//! means.

/// What a scan found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scan {
    /// The bytes end before the statement does; go on at this index with more bytes.
    More(usize),
    /// A statement ends before this index (its semicolon is included).
    Statement(usize),
    /// A backslash command ends before this index (its newline is not included).
    Command(usize),
    /// Only blanks and comments up to the end of the input.
    Nothing,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum State {
    Plain,
    Quote { escapes: bool },
    Name,
    Dollar(Vec<u8>),
    Line,
    Block(u32),
    Command,
}

/// The state of a scan between two calls.
#[derive(Clone, Debug)]
pub(crate) struct Splitter {
    state: State,
    /// Where the statement begins, once something else than blanks and comments was seen.
    start: Option<usize>,
    parens: u32,
    /// Depth of `BEGIN ATOMIC … END`, counting the `CASE … END` within.
    atomic: u32,
    after_begin: bool,
}

impl Splitter {
    /// At the start of a statement.
    pub(crate) fn new() -> Splitter {
        Splitter {
            state: State::Plain,
            start: None,
            parens: 0,
            atomic: 0,
            after_begin: false,
        }
    }

    /// Where the statement begins.
    pub(crate) fn start(&self) -> Option<usize> {
        self.start
    }

    /// Whether the scan stands inside a quote or a comment.
    pub(crate) fn inside(&self) -> Option<&'static str> {
        match self.state {
            State::Plain | State::Line | State::Command => None,
            State::Quote { .. } => Some("a quoted text"),
            State::Name => Some("a quoted name"),
            State::Dollar(_) => Some("a dollar-quoted text"),
            State::Block(_) => Some("a comment"),
        }
    }

    /// Scans on from `at`; `standard` is `standard_conforming_strings`.
    pub(crate) fn scan(&mut self, bytes: &[u8], mut at: usize, eof: bool, standard: bool) -> Scan {
        while at < bytes.len() {
            let step = match &self.state {
                State::Plain => match self.plain(bytes, at, eof, standard) {
                    Step::End(end) => return Scan::Statement(end),
                    step => step,
                },
                State::Quote { escapes } => quote(bytes, at, eof, *escapes),
                State::Name => name(bytes, at),
                State::Dollar(tag) => dollar(bytes, at, tag),
                State::Line => line(bytes, at),
                State::Block(depth) => block(bytes, at, eof, *depth),
                State::Command => match memchr::memchr(b'\n', &bytes[at..]) {
                    Some(n) => return Scan::Command(at + n),
                    None if eof => return Scan::Command(bytes.len()),
                    None => return Scan::More(bytes.len()),
                },
            };
            match step {
                Step::To(next) => at = next,
                Step::Enter(next, state) => {
                    self.state = state;
                    at = next;
                }
                Step::Wait(next) => return Scan::More(next),
                Step::End(end) => return Scan::Statement(end),
            }
        }
        if !eof {
            Scan::More(at)
        } else if self.state == State::Command {
            Scan::Command(at)
        } else if self.start.is_some() {
            Scan::Statement(at)
        } else {
            Scan::Nothing
        }
    }

    /// One step outside quotes and comments.
    fn plain(&mut self, bytes: &[u8], at: usize, eof: bool, standard: bool) -> Step {
        let byte = bytes[at];
        if byte.is_ascii_whitespace() {
            return Step::To(at + 1);
        }
        let next = bytes.get(at + 1).copied();
        if matches!(byte, b'-' | b'/' | b'$') && next.is_none() && !eof {
            return Step::Wait(at);
        }
        match (byte, next) {
            (b'-', Some(b'-')) => return Step::Enter(at + 2, State::Line),
            (b'/', Some(b'*')) => return Step::Enter(at + 2, State::Block(1)),
            (b';', _) if self.start.is_none() => return Step::To(at + 1),
            (b'\\', _) if self.start.is_none() => {
                self.start = Some(at);
                return Step::Enter(at + 1, State::Command);
            }
            _ => {}
        }
        if self.start.is_none() {
            self.start = Some(at);
        }
        match byte {
            b'\'' => Step::Enter(at + 1, State::Quote { escapes: !standard }),
            b'"' => Step::Enter(at + 1, State::Name),
            b'$' => open_dollar(bytes, at, eof),
            b'(' => {
                self.parens += 1;
                Step::To(at + 1)
            }
            b')' => {
                self.parens = self.parens.saturating_sub(1);
                Step::To(at + 1)
            }
            b';' if self.parens == 0 && self.atomic == 0 => Step::End(at + 1),
            b if is_word(b) => self.word(bytes, at, eof),
            _ => Step::To(at + 1),
        }
    }

    fn word(&mut self, bytes: &[u8], at: usize, eof: bool) -> Step {
        let length = bytes[at..].iter().position(|b| !is_word(*b) && *b != b'$');
        let end = match length {
            Some(n) => at + n,
            None if eof => bytes.len(),
            None => return Step::Wait(at),
        };
        let word = &bytes[at..end];
        if word.eq_ignore_ascii_case(b"e") && bytes.get(end) == Some(&b'\'') {
            return Step::Enter(end + 1, State::Quote { escapes: true });
        }
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        if (is(b"atomic") && self.after_begin) || (self.atomic > 0 && is(b"case")) {
            self.atomic += 1;
        } else if self.atomic > 0 && is(b"end") {
            self.atomic -= 1;
        }
        self.after_begin = word.eq_ignore_ascii_case(b"begin");
        Step::To(end)
    }
}

enum Step {
    To(usize),
    Enter(usize, State),
    Wait(usize),
    End(usize),
}

pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn quote(bytes: &[u8], at: usize, eof: bool, escapes: bool) -> Step {
    let found = if escapes {
        memchr::memchr2(b'\'', b'\\', &bytes[at..])
    } else {
        memchr::memchr(b'\'', &bytes[at..])
    };
    let Some(n) = found else {
        return Step::To(bytes.len());
    };
    let here = at + n;
    match bytes.get(here + 1) {
        None if !eof => Step::Wait(here),
        _ if bytes[here] == b'\\' => Step::To((here + 2).min(bytes.len())),
        Some(b'\'') => Step::To(here + 2),
        _ => Step::Enter(here + 1, State::Plain),
    }
}

fn name(bytes: &[u8], at: usize) -> Step {
    // A doubled quote ends one quoted name and begins another: the end is the same.
    match memchr::memchr(b'"', &bytes[at..]) {
        Some(n) => Step::Enter(at + n + 1, State::Plain),
        None => Step::To(bytes.len()),
    }
}

fn open_dollar(bytes: &[u8], at: usize, eof: bool) -> Step {
    let mut end = at + 1;
    while bytes.get(end).is_some_and(|b| is_word(*b)) {
        end += 1;
    }
    match bytes.get(end) {
        None if !eof => Step::Wait(at),
        Some(b'$') if !bytes[at + 1].is_ascii_digit() => {
            Step::Enter(end + 1, State::Dollar(bytes[at..=end].to_vec()))
        }
        _ => Step::To(at + 1),
    }
}

fn dollar(bytes: &[u8], at: usize, tag: &[u8]) -> Step {
    match memchr::memmem::find(&bytes[at..], tag) {
        Some(n) => Step::Enter(at + n + tag.len(), State::Plain),
        // The tag may begin in the last bytes.
        None => {
            let safe = bytes.len().saturating_sub(tag.len() - 1).max(at);
            if safe > at {
                Step::To(safe)
            } else {
                Step::Wait(at)
            }
        }
    }
}

fn line(bytes: &[u8], at: usize) -> Step {
    match memchr::memchr(b'\n', &bytes[at..]) {
        Some(n) => Step::Enter(at + n + 1, State::Plain),
        None => Step::To(bytes.len()),
    }
}

fn block(bytes: &[u8], at: usize, eof: bool, depth: u32) -> Step {
    let Some(n) = memchr::memchr2(b'*', b'/', &bytes[at..]) else {
        return Step::To(bytes.len());
    };
    let here = at + n;
    match (bytes[here], bytes.get(here + 1)) {
        (_, None) if !eof => Step::Wait(here),
        (b'*', Some(b'/')) if depth == 1 => Step::Enter(here + 2, State::Plain),
        (b'*', Some(b'/')) => Step::Enter(here + 2, State::Block(depth - 1)),
        (b'/', Some(b'*')) => Step::Enter(here + 2, State::Block(depth + 1)),
        _ => Step::To(here + 1),
    }
}
