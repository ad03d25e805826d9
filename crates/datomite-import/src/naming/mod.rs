//! Names: from SQL's identifiers to namespaces, attributes and idents.
//!
//! The rules N1–N9 of the design, pure; the word is never made singular or plural unless asked.
//! Percent-encoding makes the rules reversible and keeps two names apart that SQL keeps apart.
//! `.`, `+` and a trailing `%` are never made by encoding, so that companions (`c.array`),
//! composite names (`a+b`) and reserved ones (`db%`, `%row`) cannot meet a column's name.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::catalog::Name;

/// N1: an identifier in lower case with dashes, the rest percent-encoded.
pub fn identifier(sql: &str) -> String {
    let chars: Vec<char> = sql.chars().collect();
    let mut out = String::with_capacity(sql.len() + 4);
    for (n, &c) in chars.iter().enumerate() {
        let before = n.checked_sub(1).map(|n| chars[n]);
        if c.is_uppercase() && splits(before, chars.get(n + 1).copied()) {
            out.push('-');
        }
        match c {
            '_' | ' ' => out.push('-'),
            '0'..='9' if n == 0 => encode(c, &mut out),
            c if c.is_ascii_alphanumeric() || !c.is_ascii() => out.extend(c.to_lowercase()),
            c => encode(c, &mut out),
        }
    }
    if out.is_empty() { "%".to_owned() } else { out }
}

/// Whether a word begins at an upper-case letter with these neighbours.
fn splits(before: Option<char>, after: Option<char>) -> bool {
    match before {
        Some(b) if b.is_lowercase() || b.is_ascii_digit() => true,
        // The last capital of a run begins the next word: `HTTPServer`.
        Some(b) if b.is_uppercase() => after.is_some_and(char::is_lowercase),
        _ => false,
    }
}

/// N6: the identifier with its own spelling, only escaped.
pub fn spelling(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    for (n, c) in sql.chars().enumerate() {
        match c {
            '0'..='9' | '_' if n == 0 => encode(c, &mut out),
            '_' => out.push('_'),
            c if c.is_ascii_alphanumeric() || !c.is_ascii() => out.push(c),
            c => encode(c, &mut out),
        }
    }
    if out.is_empty() { "%".to_owned() } else { out }
}

fn encode(c: char, out: &mut String) {
    let mut bytes = [0; 4];
    for byte in c.encode_utf8(&mut bytes).bytes() {
        out.push('%');
        for digit in [byte >> 4, byte & 15] {
            out.extend(char::from_digit(u32::from(digit), 16).map(|d| d.to_ascii_uppercase()));
        }
    }
}

/// Whether the SQL name is already plain snake case: such a name wins a collision.
fn is_plain(sql: &str) -> bool {
    sql.bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// N2: the namespace of a table or type; `last` is its own part, already encoded.
pub fn namespace(schema: &str, last: &str) -> String {
    let full = if schema == "public" {
        last.to_owned()
    } else {
        format!("{}.{last}", identifier(schema))
    };
    let reserved = matches!(full.as_str(), "db" | "pg" | "fressian")
        || full.starts_with("db.")
        || full.starts_with("pg.");
    if reserved { full + "%" } else { full }
}

/// N4: the name of a reference, without a trailing `-id`.
pub fn reference(name: &str) -> &str {
    match name.strip_suffix("-id") {
        Some(short) if !short.is_empty() => short,
        _ => name,
    }
}

/// One table's column, for [`columns`].
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The column.
    pub sql: &'a str,
    /// Whether it is a foreign key of its own.
    pub is_reference: bool,
    /// The name it already has in a store or a mapping: it never changes.
    pub known: Option<&'a str>,
}

/// N3, N4, N6: the names of a table's columns.
pub fn columns(columns: &[Named]) -> Vec<String> {
    let plain: Vec<String> = columns.iter().map(|c| identifier(c.sql)).collect();
    let wanted: Vec<String> = columns
        .iter()
        .zip(&plain)
        .enumerate()
        .map(|(n, (column, name))| {
            let short = reference(name);
            let taken = || {
                plain
                    .iter()
                    .enumerate()
                    .any(|(m, other)| m != n && other == short)
            };
            if !column.is_reference || taken() {
                name.clone()
            } else {
                short.to_owned()
            }
        })
        .collect();
    let sql: Vec<&str> = columns.iter().map(|c| c.sql).collect();
    let known: Vec<Option<&str>> = columns.iter().map(|c| c.known).collect();
    settle(&sql, &wanted, &known)
}

/// N6 for any names: the known keep theirs; of the others the plain spelling wins, else the
/// first; who loses keeps the SQL spelling.
pub fn settle(sql: &[&str], wanted: &[String], known: &[Option<&str>]) -> Vec<String> {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for (n, name) in known.iter().enumerate() {
        if let Some(name) = name {
            taken.insert((*name).to_owned(), n);
        }
    }
    let mut order: Vec<usize> = (0..sql.len()).filter(|n| known[*n].is_none()).collect();
    order.sort_by_key(|n| (!is_plain(sql[*n]), *n));
    let mut names: Vec<String> = known
        .iter()
        .map(|name| name.unwrap_or_default().to_owned())
        .collect();
    for n in order {
        let mut name = wanted[n].clone();
        if taken.contains_key(&name) {
            name = identifier(sql[n]);
        }
        if taken.contains_key(&name) {
            name = spelling(sql[n]);
        }
        while taken.contains_key(&name) {
            name.push('%');
        }
        taken.insert(name.clone(), n);
        names[n] = name;
    }
    names
}

/// N5: names joined by `+`.
pub fn joined<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<Vec<_>>().join("+")
}

/// N8: the name of an enum's label; `type_name` is the type's own SQL name.
pub fn label(type_name: &str, label: &str) -> String {
    let prefix = format!("{type_name}/");
    let label = match label.strip_prefix(&prefix) {
        Some(rest) if !rest.is_empty() => rest,
        _ => label,
    };
    let mut out = String::with_capacity(label.len());
    for (n, c) in label.chars().enumerate() {
        let first = n == 0 && (c.is_ascii_digit() || c == '_' || c == ':');
        let unreadable = c.is_whitespace() || c.is_control() || "()[]{}\"',;@^`~\\/%#".contains(c);
        if first || unreadable {
            encode(c, &mut out);
        } else {
            out.push(c);
        }
    }
    if out.is_empty() { "%".to_owned() } else { out }
}

/// `--singular`: the singular of an English plural, by its ending.
pub fn singular(name: &str) -> String {
    let ends = |suffix: &str| name.ends_with(suffix);
    if ends("ies") && name.len() > 4 {
        return format!("{}y", &name[..name.len() - 3]);
    }
    if ["sses", "shes", "ches", "xes", "zes"]
        .iter()
        .any(|s| ends(s))
    {
        return name[..name.len() - 2].to_owned();
    }
    if ends("s") && !["ss", "us", "is", "news", "series"].iter().any(|s| ends(s)) {
        return name[..name.len() - 1].to_owned();
    }
    name.to_owned()
}

/// The namespaces of tables and types, all at once: two that would meet are kept apart by N6.
pub fn namespaces(names: &[&Name], make_singular: bool) -> Vec<String> {
    let mut by_schema: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (n, name) in names.iter().enumerate() {
        by_schema.entry(&name.schema).or_default().push(n);
    }
    let mut out = vec![String::new(); names.len()];
    for (schema, members) in by_schema {
        let sql: Vec<&str> = members.iter().map(|n| names[*n].name.as_str()).collect();
        let wanted: Vec<String> = sql
            .iter()
            .map(|name| {
                let name = identifier(name);
                if make_singular { singular(&name) } else { name }
            })
            .collect();
        let settled = settle(&sql, &wanted, &vec![None; sql.len()]);
        for (member, last) in members.into_iter().zip(settled) {
            out[member] = namespace(schema, &last);
        }
    }
    out
}
