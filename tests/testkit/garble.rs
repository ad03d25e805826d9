//! Recorded queries and pull patterns, and ways to spoil them.
//!
//! A spoiled query is text again: tokens are dropped, doubled, swapped, replaced, or taken from
//! another query, so that most of what comes out is still readable and some of it still runs.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use datomite::{Connection, Edn, Index, Input, Symbol, mem, read_all};

use crate::generate::Random;

/// A recorded question: what is asked, as text, and of what.
pub struct Asked {
    /// The query or pattern.
    pub text: String,
    /// Whether it is a pull pattern.
    pub is_pull: bool,
    /// The recorded arguments; none where the database alone is asked.
    arguments: Option<Vec<Edn>>,
    /// Where its database stands among the stores.
    store: usize,
}

/// Everything that the case files ask, and the databases that they ask.
pub struct Recorded {
    /// The questions.
    pub asked: Vec<Asked>,
    stores: Vec<Store>,
    /// Every token that stands in any of them.
    words: Vec<String>,
}

struct Store {
    conn: Connection,
    entities: Vec<i64>,
}

impl Recorded {
    /// Reads the case files and plays the fixtures that they start with.
    pub fn read(conformance: &Path) -> Recorded {
        let mut recorded = Recorded {
            asked: Vec::new(),
            stores: Vec::new(),
            words: Vec::new(),
        };
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut files: Vec<_> = fs::read_dir(conformance.join("cases"))
            .expect("the cases are there")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        files.sort();
        for file in files {
            let text = fs::read_to_string(&file).expect("a case file");
            for case in read_all(&text).expect("case files are EDN") {
                let setup = items(&case, "setup");
                let key = Edn::Vector(setup.clone()).to_string();
                let store = *known.entry(key).or_insert_with(|| {
                    recorded.stores.push(store(conformance, &setup));
                    recorded.stores.len() - 1
                });
                let steps = items(&case, "steps");
                recorded
                    .asked
                    .extend(steps.iter().filter_map(|step| asked(step, store)));
            }
        }
        let mut words: Vec<String> = recorded
            .asked
            .iter()
            .flat_map(|a| tokens(&a.text))
            .collect();
        words.sort();
        words.dedup();
        recorded.words = words;
        recorded
    }

    /// The arguments of a question, labels replaced by entities that exist.
    pub fn inputs(&self, asked: &Asked, random: &mut Random) -> Vec<Input> {
        let store = &self.stores[asked.store];
        match &asked.arguments {
            None => vec![Input::Db(store.conn.db())],
            Some(forms) => forms.iter().map(|form| store.input(form, random)).collect(),
        }
    }

    /// The database of a question, and one of its entities.
    pub fn entity(&self, asked: &Asked, random: &mut Random) -> (datomite::Db, Edn) {
        let store = &self.stores[asked.store];
        (store.conn.db(), Edn::long(*random.pick(&store.entities)))
    }

    /// The text of a question, spoiled in one to four places.
    pub fn spoil(&self, asked: &Asked, random: &mut Random) -> String {
        let mut words = tokens(&asked.text);
        for _ in 0..1 + random.below(4) * random.below(2) {
            if words.is_empty() {
                break;
            }
            self.spoil_once(&mut words, random);
        }
        words.join(" ")
    }

    fn spoil_once(&self, words: &mut Vec<String>, random: &mut Random) {
        let at = random.below(words.len());
        match random.below(8) {
            0 => {
                words.remove(at);
            }
            1 => words.insert(at, words[at].clone()),
            2 => {
                let other = random.below(words.len());
                words.swap(at, other);
            }
            3 => words[at].clone_from(random.pick(&self.words)),
            4 => words.insert(at, random.pick(&self.words).clone()),
            5 => {
                // A whole form doubled, or put elsewhere.
                let form = words[at..closing(words, at)].to_vec();
                let to = random.below(words.len());
                words.splice(to..to, form);
            }
            6 => {
                words.drain(at..closing(words, at));
            }
            _ => {
                let other = tokens(&random.pick(&self.asked).text);
                let from = random
                    .below(other.len().max(1))
                    .min(other.len().saturating_sub(1));
                let end = closing(&other, from);
                let part = other.get(from..end).unwrap_or_default().to_vec();
                let until = match random.chance(50) {
                    true => closing(words, at),
                    false => at,
                };
                words.splice(at..until, part);
            }
        }
    }
}

impl Asked {
    /// The question as the fuzzers take it: the text and its arguments, a zero byte between them.
    pub fn as_fuzzed(&self) -> String {
        let mut text = self.text.clone();
        for form in self.arguments.iter().flatten() {
            text.push('\0');
            match form {
                Edn::Tagged(tag, _) if tag.as_str() == "db" => text.push('$'),
                form => text += &form.to_string(),
            }
        }
        text
    }
}

impl Store {
    fn input(&self, form: &Edn, random: &mut Random) -> Input {
        match form {
            Edn::Tagged(tag, _) if tag.as_str() == "db" => Input::Db(self.conn.db()),
            Edn::Tagged(tag, _) if tag.as_str() == "log" => Input::Log(self.conn.log()),
            form => Input::Edn(self.plain(form, random)),
        }
    }

    fn plain(&self, form: &Edn, random: &mut Random) -> Edn {
        let all = |items: &[Edn], random: &mut Random| -> Vec<Edn> {
            items.iter().map(|item| self.plain(item, random)).collect()
        };
        match form {
            Edn::Tagged(tag, _) if is_label(tag) => Edn::long(*random.pick(&self.entities)),
            Edn::List(items) => Edn::List(all(items, random)),
            Edn::Vector(items) => Edn::Vector(all(items, random)),
            Edn::Set(items) => Edn::Set(all(items, random)),
            other => other.clone(),
        }
    }
}

fn is_label(tag: &Symbol) -> bool {
    matches!(tag.as_str(), "id" | "tx" | "t" | "inst-of" | "entity")
}

fn store(conformance: &Path, setup: &[Edn]) -> Store {
    let conn = mem();
    for name in setup.iter().filter_map(Edn::as_str) {
        let file = conformance.join("fixtures").join(format!("{name}.edn"));
        let text = fs::read_to_string(file).expect("a fixture");
        let fixture = read_all(&text).expect("fixtures are EDN").remove(0);
        for tx in items(&fixture, "txs") {
            // What needs the runner's labels or functions stays out: any data will do here.
            let _ = conn.transact(tx);
        }
    }
    let mut entities: Vec<i64> = conn
        .db()
        .datoms(Index::Eavt, &[])
        .expect("a read")
        .map(|datom| datom.expect("a datom").e.raw() as i64)
        .collect();
    entities.dedup();
    Store { conn, entities }
}

fn asked(step: &Edn, store: usize) -> Option<Asked> {
    let of = |name: &str| step.get(&Edn::keyword(name));
    let (form, is_pull) = match (of("q"), of("pull"), of("pull-many")) {
        (Some(query), ..) => (query, false),
        (_, Some(pattern), _) | (.., Some(pattern)) => (pattern, true),
        _ => return None,
    };
    Some(Asked {
        text: match form.as_str() {
            Some(text) => text.to_owned(),
            None => form.to_string(),
        },
        is_pull,
        arguments: of("args").and_then(Edn::as_sequence).map(<[Edn]>::to_vec),
        store,
    })
}

fn items(form: &Edn, name: &str) -> Vec<Edn> {
    let found = form.get(&Edn::keyword(name)).and_then(Edn::as_sequence);
    found.map(<[Edn]>::to_vec).unwrap_or_default()
}

/// The end of the form that begins at a token.
fn closing(words: &[String], at: usize) -> usize {
    let mut open = 0i64;
    for (end, word) in words.iter().enumerate().skip(at) {
        match word.as_str() {
            "(" | "[" | "{" | "#{" => open += 1,
            ")" | "]" | "}" => open -= 1,
            _ => {}
        }
        if open <= 0 {
            return end + 1;
        }
    }
    words.len()
}

/// Brackets, strings, and what stands between them.
fn tokens(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let len = match first {
            c if c.is_whitespace() || c == ',' => {
                rest = &rest[c.len_utf8()..];
                continue;
            }
            '#' if rest.starts_with("#{") => 2,
            '(' | ')' | '[' | ']' | '{' | '}' => 1,
            '"' => string_end(rest),
            _ => rest
                .char_indices()
                .skip(1)
                .find(|(_, c)| c.is_whitespace() || "()[]{}\",".contains(*c))
                .map_or(rest.len(), |(at, _)| at),
        };
        words.push(rest[..len].to_owned());
        rest = &rest[len..];
    }
    words
}

fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}
