//! What a typed input asks for: a command with a colon, or a query with its arguments.

use datomite::{Edn, EdnError, read_all};

/// The commands, as Tab completes them.
pub(crate) const COMMANDS: &[&str] = &[
    ":as-of",
    ":diff",
    ":entity",
    ":explain",
    ":help",
    ":history",
    ":log",
    ":pull",
    ":quit",
    ":schema",
    ":since",
    ":stats",
    ":transact",
    ":try",
];

/// The help text: one line a command.
pub(crate) const HELP: &str = "\
[:find …] ARG…        run a query; what follows it are its inputs after the database
:try N                run one of the suggested queries
:schema [NAME]        attributes, all or of one namespace
:pull PATTERN EID     one entity by a pattern, such as :pull [*] [:users/id 7]
:entity EID           one entity, all of it
:as-of [T]            ask as of a t, a transaction or a time; alone: the present again
:since [T]            ask only for what was said after T; alone: everything again
:history              toggle: all that was ever said, retractions too
:history EID [ATTR]   how an entity came to be what it is (_ ATTR: an attribute of all)
:diff T1 T2           what changed between two times, by row
:log [FROM [TO]]      transactions
:explain QUERY        how a query was answered
:transact TX-DATA     add and retract facts
:stats                counts
:quit                 leave (Ctrl-D too)
Tab completes attributes and commands, Ctrl-C stops a query.
";

/// An input of the prompt.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Input {
    /// Nothing but space or comments.
    Empty,
    /// A command and the text after it.
    Command { name: String, rest: String },
    /// A query as it was typed, and its arguments.
    Query { text: String, args: Vec<Edn> },
    /// Any other form: shown how to go on.
    Form(Edn),
}

/// Reads an input. Text that starts with a colon and a known command is a command.
pub(crate) fn parse(text: &str) -> Result<Input, EdnError> {
    let trimmed = text.trim();
    if let Some((name, rest)) = as_command(trimmed) {
        return Ok(Input::Command {
            name: name.to_owned(),
            rest: rest.trim().to_owned(),
        });
    }
    let mut forms = read_all(text)?.into_iter();
    let Some(first) = forms.next() else {
        return Ok(Input::Empty);
    };
    if !is_query(&first) {
        return Ok(Input::Form(first));
    }
    let args: Vec<Edn> = forms.collect();
    let text = if args.is_empty() {
        trimmed.to_owned()
    } else {
        first_form(trimmed).to_owned()
    };
    Ok(Input::Query { text, args })
}

fn as_command(text: &str) -> Option<(&str, &str)> {
    let word = text.strip_prefix(':')?;
    let end = word.find(char::is_whitespace).unwrap_or(word.len());
    let (name, rest) = word.split_at(end);
    // `:q` and `:exit` are what fingers remember from elsewhere.
    let known = COMMANDS.iter().any(|c| &c[1..] == name) || matches!(name, "q" | "exit");
    known.then_some((name, rest))
}

fn is_query(form: &Edn) -> bool {
    let find = Edn::keyword("find");
    match form {
        Edn::Vector(items) | Edn::List(items) => items.first() == Some(&find),
        Edn::Map(entries) => entries.iter().any(|(key, _)| *key == find),
        _ => false,
    }
}

/// The text up to the bracket that closes the first one: errors then point into what was typed.
fn first_form(text: &str) -> &str {
    let ends = text.char_indices().filter(|(_, c)| "])}".contains(*c));
    for (at, _) in ends {
        let head = &text[..=at];
        if super::brackets::completeness(head) == super::brackets::Completeness::Whole {
            return head;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use datomite::Edn;

    use super::{Input, parse};

    #[test]
    fn a_query_takes_the_forms_after_it_as_arguments() {
        let input = parse("[:find ?e :in $ ?n :where [?e :a/b ?n]] \"x]\" 7").expect("it reads");
        let Input::Query { text, args } = input else {
            panic!("{input:?}")
        };
        assert_eq!(text, "[:find ?e :in $ ?n :where [?e :a/b ?n]]");
        assert_eq!(args, vec![Edn::string("x]"), Edn::long(7)]);
    }

    #[test]
    fn a_known_word_with_a_colon_is_a_command() {
        let input = parse(" :as-of 2026-11-21 ").expect("it reads");
        let command = Input::Command {
            name: "as-of".into(),
            rest: "2026-11-21".into(),
        };
        assert_eq!(input, command);
        assert_eq!(parse("; nothing\n").expect("it reads"), Input::Empty);
        assert!(matches!(parse(":users/id"), Ok(Input::Form(_))));
    }
}
