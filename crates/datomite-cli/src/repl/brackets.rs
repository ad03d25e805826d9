//! Whether what was typed is a whole form: brackets matched outside strings, comments and
//! characters.

/// What the typed text still needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Completeness {
    /// A whole form, or nothing that brackets could finish.
    Whole,
    /// An open bracket or string.
    Open,
    /// A closing bracket that opens nothing or closes another kind, at this byte.
    Mismatch(usize),
}

/// Scans a text once.
pub(crate) fn completeness(text: &str) -> Completeness {
    let mut open: Vec<char> = Vec::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' if skip_string(&mut chars) => {}
            '"' => return Completeness::Open,
            ';' => {
                for (_, c) in chars.by_ref() {
                    if c == '\n' {
                        break;
                    }
                }
            }
            '\\' => {
                chars.next();
            }
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() == Some(c) => {}
            ')' | ']' | '}' => return Completeness::Mismatch(at),
            _ => {}
        }
    }
    if open.is_empty() {
        Completeness::Whole
    } else {
        Completeness::Open
    }
}

/// Goes past the closing quote; false where there is none.
fn skip_string(chars: &mut std::str::CharIndices<'_>) -> bool {
    while let Some((_, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '"' => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{Completeness, completeness};

    #[test]
    fn brackets_in_strings_comments_and_characters_do_not_count() {
        assert_eq!(completeness("[:find ?e ; ]\n"), Completeness::Open);
        assert_eq!(completeness("[\"]\" \\] {:a 1}]"), Completeness::Whole);
        assert_eq!(completeness("[\"open"), Completeness::Open);
        assert_eq!(completeness("[:a)"), Completeness::Mismatch(3));
        assert_eq!(completeness(":schema users"), Completeness::Whole);
    }
}
