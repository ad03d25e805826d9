//! The words of a text, with their positions: Lucene's standard analyser.
//!
//! Words break where Unicode says (UAX #29): letters and digits belong together, an apostrophe,
//! colon or point between letters and a point or comma between digits belong to the word; Han and
//! Hiragana are words of one character. In lower case; English stop words are left out, but they
//! count as positions.

/// What the standard analyser leaves out.
const STOP_WORDS: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it",
    "no", "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these",
    "they", "this", "to", "was", "will", "with",
];
/// Longer words are left out.
const WORD_MAX: usize = 255;

/// A word and where it stands.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) position: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Digit,
    /// Joins letters and digits: `_`.
    Joiner,
    /// A word of its own.
    Single,
    Katakana,
    /// Belongs to what stands before it.
    Mark,
    Between(bool, bool),
    Other,
}

fn kind(c: char) -> Kind {
    let code = u32::from(c);
    match c {
        '_' | '\u{203f}' | '\u{2040}' | '\u{2054}' => Kind::Joiner,
        '\'' | '.' | '\u{2018}' | '\u{2019}' | '\u{2024}' | '\u{fe52}' | '\u{ff0e}' => {
            Kind::Between(true, true)
        }
        ':' | '\u{b7}' | '\u{387}' | '\u{5f4}' | '\u{2027}' => Kind::Between(true, false),
        ',' | ';' | '\u{37e}' | '\u{589}' | '\u{66c}' => Kind::Between(false, true),
        _ => match code {
            0x3040..=0x309f
            | 0x3400..=0x4dbf
            | 0x4e00..=0x9fff
            | 0xf900..=0xfaff
            | 0x20000..=0x2fa1f => Kind::Single,
            0x30a0..=0x30ff | 0x31f0..=0x31ff | 0xff66..=0xff9f => Kind::Katakana,
            0x300..=0x36f | 0x200c | 0x200d | 0xad => Kind::Mark,
            _ if c.is_numeric() && !c.is_alphabetic() => Kind::Digit,
            _ if c.is_alphabetic() => Kind::Letter,
            _ => Kind::Other,
        },
    }
}

/// The words of a text.
pub(super) fn words(text: &str) -> Vec<Word> {
    let chars: Vec<char> = text.chars().collect();
    let (mut words, mut at, mut position) = (Vec::new(), 0, 0);
    while at < chars.len() {
        let end = word_end(&chars, at);
        if end == at {
            at += 1;
            continue;
        }
        let word: String = chars[at..end]
            .iter()
            .flat_map(|c| c.to_lowercase())
            .collect();
        at = end;
        if word.encode_utf16().count() > WORD_MAX {
            continue;
        }
        if !STOP_WORDS.contains(&word.as_str()) {
            words.push(Word {
                text: word,
                position,
            });
        }
        position += 1;
    }
    words
}

/// Where the word that begins here ends; here, if none begins.
fn word_end(chars: &[char], start: usize) -> usize {
    let mut last = kind(chars[start]);
    let mut end = start + 1;
    let mut counts = matches!(last, Kind::Letter | Kind::Digit | Kind::Katakana);
    match last {
        Kind::Single => {
            while chars.get(end).is_some_and(|c| kind(*c) == Kind::Mark) {
                end += 1;
            }
            return end;
        }
        Kind::Letter | Kind::Digit | Kind::Joiner | Kind::Katakana => {}
        _ => return start,
    }
    while let Some(c) = chars.get(end) {
        let next = kind(*c);
        match (last, next) {
            (_, Kind::Mark) => {}
            (Kind::Letter | Kind::Digit | Kind::Joiner, Kind::Letter | Kind::Digit)
            | (Kind::Letter | Kind::Digit | Kind::Joiner | Kind::Katakana, Kind::Joiner)
            | (Kind::Katakana | Kind::Joiner, Kind::Katakana) => {
                counts |= next != Kind::Joiner;
                last = next;
            }
            (Kind::Letter | Kind::Digit, Kind::Between(letters, digits)) => {
                let joins = match last {
                    Kind::Letter => letters,
                    _ => digits,
                };
                let after = chars.get(end + 1).map(|c| kind(*c));
                if !joins || after != Some(last) {
                    break;
                }
            }
            _ => break,
        }
        end += 1;
        if let (Kind::Between(..), Some(c)) = (next, chars.get(end)) {
            last = kind(*c);
            end += 1;
        }
    }
    if counts { end } else { start }
}
