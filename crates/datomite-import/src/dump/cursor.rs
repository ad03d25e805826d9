//! A cursor over the tokens of one statement: the small steps that the parsers are made of.
//!
//! Every step either takes what it names and says so, or takes nothing.

use super::lex::{Lexeme, Lexer, Token};
use crate::catalog::Name;

/// A name as written: the schema may be missing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct QualifiedName {
    /// The schema, where one is written.
    pub(crate) schema: Option<String>,
    /// The name.
    pub(crate) name: String,
}

impl QualifiedName {
    /// Of the parts of a dotted name; a leading database is dropped.
    pub(crate) fn of_parts(mut parts: Vec<String>) -> Option<QualifiedName> {
        let name = parts.pop()?;
        Some(QualifiedName {
            schema: parts.pop(),
            name,
        })
    }

    /// With a schema for where none is written.
    pub(crate) fn or_schema(self, schema: &str) -> Name {
        Name::new(self.schema.unwrap_or_else(|| schema.to_owned()), self.name)
    }
}

/// Tokens and the place among them.
pub(crate) struct Cursor<'a> {
    text: &'a str,
    tokens: Vec<Lexeme<'a>>,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Over all tokens of the text.
    pub(crate) fn new(text: &'a str, standard: bool) -> Cursor<'a> {
        Cursor {
            text,
            tokens: Lexer::new(text, 0, standard).collect(),
            at: 0,
        }
    }

    /// Over the first few tokens only.
    pub(crate) fn lazy(text: &'a str, standard: bool, count: usize) -> Cursor<'a> {
        Cursor {
            text,
            tokens: Lexer::new(text, 0, standard).take(count).collect(),
            at: 0,
        }
    }

    fn token(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at).map(|l| &l.token)
    }

    pub(crate) fn next_token(&mut self) {
        self.at += 1;
    }

    pub(crate) fn at_end(&self) -> bool {
        matches!(self.token(), None | Some(Token::Symbol(';')))
    }

    pub(crate) fn at_symbol(&self, symbol: char) -> bool {
        self.token() == Some(&Token::Symbol(symbol))
    }

    pub(crate) fn symbol(&mut self, symbol: char) -> bool {
        let here = self.at_symbol(symbol);
        self.at += usize::from(here);
        here
    }

    fn word_at(&self, at: usize) -> Option<&str> {
        match &self.tokens.get(at)?.token {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }

    pub(crate) fn at_word(&self, word: &str) -> bool {
        self.word_at(self.at) == Some(word)
    }

    /// Takes these words, all of them or none.
    pub(crate) fn words(&mut self, words: &[&str]) -> bool {
        let here = words
            .iter()
            .enumerate()
            .all(|(n, word)| self.word_at(self.at + n) == Some(word));
        if here {
            self.at += words.len();
        }
        here
    }

    pub(crate) fn any_word(&mut self) -> Option<String> {
        let word = self.word_at(self.at)?.to_owned();
        self.at += 1;
        Some(word)
    }

    /// Goes past the next occurrence of the word.
    pub(crate) fn skip_to_word(&mut self, word: &str) -> Option<()> {
        self.skip_until_word(word);
        self.words(&[word]).then_some(())
    }

    /// Goes to the next occurrence of the word, or to the end.
    pub(crate) fn skip_until_word(&mut self, word: &str) {
        while self.token().is_some() && !self.at_word(word) {
            self.at += 1;
        }
    }

    /// A name, quoted or not.
    pub(crate) fn name(&mut self) -> Option<String> {
        let name = match self.token()? {
            Token::Word(word) => word.clone().into_owned(),
            Token::Name(name) => name.clone(),
            _ => return None,
        };
        self.at += 1;
        Some(name)
    }

    /// Whether the next token is a name in double quotes.
    pub(crate) fn at_quoted_name(&self) -> bool {
        matches!(self.token(), Some(Token::Name(_)))
    }

    pub(crate) fn dotted(&mut self) -> Option<Vec<String>> {
        let mut parts = vec![self.name()?];
        while self.symbol('.') {
            parts.push(self.name()?);
        }
        Some(parts)
    }

    pub(crate) fn qualified(&mut self) -> Option<QualifiedName> {
        QualifiedName::of_parts(self.dotted()?)
    }

    /// `( a, b, … )`; what follows a name within (`WITHOUT OVERLAPS`) is passed over, and so is
    /// the word `PERIOD` before one.
    pub(crate) fn name_list(&mut self) -> Option<Vec<String>> {
        if !self.symbol('(') {
            return None;
        }
        let mut names = Vec::new();
        while !self.symbol(')') {
            if self.at_word("period") && self.word_at(self.at + 1).is_some() {
                self.at += 1;
            }
            names.push(self.name()?);
            while !self.at_symbol(',') && !self.at_symbol(')') {
                self.token()?;
                self.at += 1;
            }
            self.symbol(',');
        }
        Some(names)
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        match self.token()? {
            Token::Text(text) => {
                let text = text.clone();
                self.at += 1;
                Some(text)
            }
            _ => None,
        }
    }

    pub(crate) fn number(&mut self) -> Option<String> {
        match self.token()? {
            Token::Number(n) => {
                let n = (*n).to_owned();
                self.at += 1;
                Some(n)
            }
            _ => None,
        }
    }

    pub(crate) fn integer(&mut self) -> Option<i64> {
        let negative = self.symbol('-');
        let n: i64 = self.number()?.parse().ok()?;
        Some(if negative { -n } else { n })
    }

    /// A word, name, text or number: what `SET` takes.
    pub(crate) fn value(&mut self) -> Option<String> {
        self.text()
            .or_else(|| self.number())
            .or_else(|| self.name())
    }

    /// Whether a table constraint begins here (rather than a column).
    pub(crate) fn at_constraint(&self) -> bool {
        let (first, second) = (self.word_at(self.at), self.word_at(self.at + 1));
        match (first, second) {
            (Some("constraint"), _) => true,
            (Some("primary" | "foreign"), Some("key")) => true,
            (Some("not"), Some("null")) => true,
            (Some("unique" | "check" | "exclude"), second) => {
                let next = self.tokens.get(self.at + 1).map(|l| &l.token);
                next == Some(&Token::Symbol('(')) || matches!(second, Some("nulls" | "using"))
            }
            _ => false,
        }
    }

    /// Whether a column constraint begins here: the end of a default.
    pub(crate) fn at_column_word(&self) -> bool {
        matches!(
            self.word_at(self.at),
            Some(
                "not"
                    | "null"
                    | "primary"
                    | "unique"
                    | "references"
                    | "check"
                    | "default"
                    | "generated"
                    | "constraint"
                    | "collate"
                    | "deferrable"
                    | "initially"
            )
        )
    }

    /// Goes past `( … )`.
    pub(crate) fn skip_parentheses(&mut self) -> Option<()> {
        if !self.at_symbol('(') {
            return None;
        }
        let mut depth = 0u32;
        loop {
            match self.token()? {
                Token::Symbol('(' | '[') => depth += 1,
                Token::Symbol(')' | ']') => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// Goes past an expression, up to a comma, a closing parenthesis or the next column
    /// constraint; gives its text.
    pub(crate) fn skip_expression(&mut self) -> String {
        let first = self.at;
        while !self.at_end() && !self.at_symbol(',') && !self.at_symbol(')') {
            if self.at > first && self.at_column_word() {
                break;
            }
            if self.at_symbol('(') {
                if self.skip_parentheses().is_none() {
                    break;
                }
            } else {
                self.at += 1;
            }
        }
        let start = self.tokens.get(first).map_or(self.text.len(), |l| l.start);
        let end = self.tokens[..self.at].last().map_or(start, |l| l.end);
        self.text.get(start..end).unwrap_or_default().to_owned()
    }

    /// Goes to the comma or closing parenthesis that ends what stands here.
    pub(crate) fn skip_to_comma(&mut self) {
        while !self.at_end() && !self.at_symbol(',') && !self.at_symbol(')') {
            if self.at_symbol('(') {
                if self.skip_parentheses().is_none() {
                    return;
                }
            } else {
                self.at += 1;
            }
        }
    }
}
