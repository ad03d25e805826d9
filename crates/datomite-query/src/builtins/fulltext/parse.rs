//! What is searched for: the syntax of Lucene's classic query parser.
//!
//! Words, any of which may match; `AND OR NOT && || + - !`; `"a phrase"` and `"near"~3`; `word*`,
//! `w?rd`; `word~` for words like it; `[a TO b]` and `{a TO b}`; `^2` for weight; parentheses; a
//! backslash takes the next character as it is. A field other than `v` finds nothing.

use super::words::{Word, words};

/// How deep parentheses may stand.
const DEPTH_MAX: usize = 100;

/// A search.
#[derive(Debug)]
pub(super) enum Query {
    /// Finds nothing: stop words, other fields.
    Nothing,
    All,
    Term(String),
    /// Words at these positions, so many steps apart.
    Phrase(Vec<Word>, usize),
    Wildcard(String),
    /// Words whose likeness is greater than this.
    Fuzzy(String, f32),
    Range {
        from: String,
        to: String,
        inclusive: bool,
    },
    Boolean(Vec<(Occurs, Query)>),
    Weighted(Box<Query>, f32),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Occurs {
    Should,
    Must,
    MustNot,
}

#[derive(Clone, PartialEq, Debug)]
enum Token {
    And,
    Or,
    Not,
    Plus,
    Minus,
    Open,
    Close,
    Colon,
    Star,
    Caret(f32),
    Tilde(Option<f32>),
    Quoted(String),
    /// As written, escapes and all.
    Term(String),
    Wild(String),
    Range(String, String, bool),
}

/// The search that a text means; none if it is malformed.
pub(super) fn query(text: &str) -> Option<Query> {
    let tokens = tokens(text)?;
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
        depth: 0,
    };
    let query = parser.query(true)?;
    (parser.at == tokens.len()).then_some(query)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{3000}')
}

fn starts_term(c: char) -> bool {
    !is_space(c) && !"+-!():^[]\"{}~*?\\".contains(c)
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = chars.get(at).copied() {
        let (token, next) = match c {
            c if is_space(c) => {
                at += 1;
                continue;
            }
            '+' => (Token::Plus, at + 1),
            '-' => (Token::Minus, at + 1),
            '!' => (Token::Not, at + 1),
            '(' => (Token::Open, at + 1),
            ')' => (Token::Close, at + 1),
            ':' => (Token::Colon, at + 1),
            '^' => {
                let (number, next) = number(&chars, at + 1);
                (Token::Caret(number?), next)
            }
            '~' => {
                let (number, next) = number(&chars, at + 1);
                (Token::Tilde(number), next)
            }
            '"' => quoted(&chars, at + 1)?,
            '[' | '{' => range(&chars, at)?,
            _ => word(&chars, at)?,
        };
        tokens.push(token);
        at = next;
    }
    Some(tokens)
}

fn number(chars: &[char], start: usize) -> (Option<f32>, usize) {
    let digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    let mut end = start;
    while digit(end) {
        end += 1;
    }
    if end > start && chars.get(end) == Some(&'.') && digit(end + 1) {
        end += 1;
        while digit(end) {
            end += 1;
        }
    }
    let text: String = chars[start..end].iter().collect();
    (text.parse().ok(), end)
}

fn quoted(chars: &[char], start: usize) -> Option<(Token, usize)> {
    let mut text = String::new();
    let mut at = start;
    loop {
        match chars.get(at)? {
            '"' => return Some((Token::Quoted(text), at + 1)),
            '\\' => {
                text.push(*chars.get(at + 1)?);
                at += 2;
            }
            c => {
                text.push(*c);
                at += 1;
            }
        }
    }
}

fn range(chars: &[char], start: usize) -> Option<(Token, usize)> {
    let inclusive = chars[start] == '[';
    let close = if inclusive { ']' } else { '}' };
    let length = chars[start..].iter().position(|c| *c == close)?;
    let inner: String = chars[start + 1..start + length].iter().collect();
    let parts: Vec<&str> = inner
        .split(is_space)
        .filter(|part| !part.is_empty())
        .collect();
    let plain = |part: &str| unescaped(part.trim_matches('"')).to_lowercase();
    match parts.as_slice() {
        [from, "TO", to] | [from, to] => Some((
            Token::Range(plain(from), plain(to), inclusive),
            start + length + 1,
        )),
        _ => None,
    }
}

/// A term, an operator, or a term with `*` and `?`.
fn word(chars: &[char], start: usize) -> Option<(Token, usize)> {
    let mut text = String::new();
    let mut at = start;
    let mut wild = false;
    while let Some(c) = chars.get(at) {
        match c {
            '\\' => {
                text.push('\\');
                text.push(*chars.get(at + 1)?);
                at += 2;
                continue;
            }
            '*' | '?' => wild = true,
            '+' | '-' if at > start => {}
            c if starts_term(*c) => {}
            _ => break,
        }
        text.push(*c);
        at += 1;
    }
    if at == start {
        return None;
    }
    Some((
        match text.as_str() {
            "AND" | "&&" => Token::And,
            "OR" | "||" => Token::Or,
            "NOT" => Token::Not,
            "*" => Token::Star,
            _ if wild => Token::Wild(text),
            _ => Token::Term(text),
        },
        at,
    ))
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, token: &Token) -> bool {
        let is = self.peek() == Some(token);
        self.at += usize::from(is);
        is
    }

    /// Clauses up to a parenthesis or the end; in the field that is searched, or in another.
    fn query(&mut self, here: bool) -> Option<Query> {
        let mut clauses: Vec<(Occurs, Query)> = Vec::new();
        let mut first = true;
        while first || !matches!(self.peek(), None | Some(Token::Close)) {
            let and = !first && self.take(&Token::And);
            if !first && !and {
                self.take(&Token::Or);
            }
            let occurs = match self.peek() {
                Some(Token::Plus) => Some(Occurs::Must),
                Some(Token::Minus | Token::Not) => Some(Occurs::MustNot),
                _ => None,
            };
            self.at += usize::from(occurs.is_some());
            let clause = self.clause(here)?;
            if let (true, Some((last, _))) = (and, clauses.last_mut())
                && *last != Occurs::MustNot
            {
                *last = Occurs::Must;
            }
            let occurs = occurs.unwrap_or(if and { Occurs::Must } else { Occurs::Should });
            if !matches!(clause, Query::Nothing) {
                clauses.push((occurs, clause));
            }
            first = false;
        }
        Some(match clauses.len() {
            0 => Query::Nothing,
            1 if clauses[0].0 != Occurs::MustNot => clauses.remove(0).1,
            _ => Query::Boolean(clauses),
        })
    }

    fn clause(&mut self, here: bool) -> Option<Query> {
        let mut here = here;
        if self.tokens.get(self.at + 1) == Some(&Token::Colon) {
            match self.peek()? {
                Token::Term(field) => here = unescaped(field) == "v",
                Token::Star if self.tokens.get(self.at + 2) == Some(&Token::Star) => {
                    self.at += 3;
                    return self.weighted(Query::All);
                }
                Token::Star => {}
                _ => return None,
            }
            self.at += 2;
        }
        if self.take(&Token::Open) {
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return None;
            }
            let inner = self.query(here)?;
            self.depth -= 1;
            return match self.take(&Token::Close) {
                true => self.weighted(inner),
                false => None,
            };
        }
        let term = self.term()?;
        let term = self.weighted(term)?;
        Some(if here { term } else { other_field(term) })
    }

    fn term(&mut self) -> Option<Query> {
        let token = self.peek()?.clone();
        self.at += 1;
        let tilde = match self.peek() {
            Some(Token::Tilde(number)) => Some(*number),
            _ => None,
        };
        match (token, tilde) {
            (Token::Term(text), None) => Some(analysed(&unescaped(&text))),
            (Token::Term(text), Some(least)) => {
                self.at += 1;
                let least = least.unwrap_or(0.5);
                let word = unescaped(&text).to_lowercase();
                (0.0..1.0)
                    .contains(&least)
                    .then_some(Query::Fuzzy(word, least))
            }
            (Token::Wild(text), _) => {
                self.at += usize::from(tilde.is_some());
                (!text.starts_with(['*', '?'])).then(|| Query::Wildcard(text.to_lowercase()))
            }
            (Token::Quoted(text), _) => {
                self.at += usize::from(tilde.is_some());
                let slop = tilde.flatten().map_or(0, |slop| slop as usize);
                Some(phrase(words(&text), slop))
            }
            (Token::Range(from, to, inclusive), _) => Some(Query::Range {
                from,
                to,
                inclusive,
            }),
            _ => None,
        }
    }

    fn weighted(&mut self, query: Query) -> Option<Query> {
        match self.peek() {
            Some(Token::Caret(weight)) => {
                let weight = *weight;
                self.at += 1;
                Some(match query {
                    Query::Nothing => Query::Nothing,
                    query => Query::Weighted(Box::new(query), weight),
                })
            }
            _ => Some(query),
        }
    }
}

/// What is looked for in a field that no value has.
fn other_field(query: Query) -> Query {
    match query {
        Query::Nothing => Query::Nothing,
        _ => Query::Boolean(Vec::new()),
    }
}

/// A term through the analyser: several words where it is made of several.
fn analysed(text: &str) -> Query {
    let mut words = words(text);
    match words.len() {
        0 => Query::Nothing,
        1 => Query::Term(words.remove(0).text),
        _ => {
            let terms = words.into_iter();
            Query::Boolean(
                terms
                    .map(|w| (Occurs::Should, Query::Term(w.text)))
                    .collect(),
            )
        }
    }
}

fn phrase(mut words: Vec<Word>, slop: usize) -> Query {
    match words.len() {
        0 => Query::Nothing,
        1 => Query::Term(words.remove(0).text),
        _ => Query::Phrase(words, slop),
    }
}
