//! The note about collapsed rows: an aggregate sees a set, which surprises who comes from SQL.
//!
//! Looks at the query alone and makes two further queries that count: all matches, and the
//! distinct rows that the aggregate saw. Never changes an answer.

use std::collections::BTreeSet;

use datomite::Edn;

/// What has to be counted to know whether rows collapsed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Probe {
    /// Counts every match of the clauses.
    pub(crate) matches: Edn,
    /// Counts the rows that the aggregate saw.
    pub(crate) distinct: Edn,
    /// The aggregate, such as `sum`.
    aggregate: String,
    /// The variable to name in `:with`.
    with: String,
}

impl Probe {
    /// The note, where rows did collapse.
    pub(crate) fn note(&self, matches: i64, distinct: i64) -> Option<String> {
        (matches > distinct).then(|| {
            format!(
                "note: {} rows became {} distinct values before {}; \
                 add :with {} to count every row",
                grouped(matches),
                grouped(distinct),
                self.aggregate,
                self.with
            )
        })
    }
}

/// The probe of a query with an aggregate that repeats could change; `None` for any other.
pub(crate) fn probe(query: &Edn) -> Option<Probe> {
    let sections = Sections::of(query)?;
    let find: Vec<&Edn> = sections
        .get("find")
        .iter()
        .filter(|f| !is_dots(f))
        .collect();
    let (aggregate, argument) = find.iter().find_map(|form| aggregate_of(form))?;
    let mut seen: BTreeSet<String> = BTreeSet::new();
    find.iter().for_each(|form| variables(form, &mut seen));
    sections
        .get("with")
        .iter()
        .for_each(|form| variables(form, &mut seen));
    let mut all = seen.clone();
    let patterns = sections.get("where").iter().filter_map(pattern);
    for clause in patterns.clone() {
        clause.iter().for_each(|form| variables(form, &mut all));
    }
    let with = patterns
        .clone()
        .find(|clause| clause.get(2).and_then(name_of) == Some(&argument))
        .and_then(|clause| clause.first().and_then(name_of))
        .filter(|entity| !seen.contains(*entity))?
        .to_owned();
    let count = |names: &BTreeSet<String>| sections.counting(&argument, names);
    Some(Probe {
        matches: count(&all),
        distinct: count(&seen),
        aggregate,
        with,
    })
}

/// The sections of a query in vector form.
struct Sections<'a>(Vec<(&'a str, Vec<Edn>)>);

impl<'a> Sections<'a> {
    fn of(query: &'a Edn) -> Option<Sections<'a>> {
        let mut sections: Vec<(&str, Vec<Edn>)> = Vec::new();
        for form in query.as_sequence()? {
            match form.as_keyword() {
                Some(key) if key.namespace().is_none() => sections.push((key.name(), Vec::new())),
                _ => sections.last_mut()?.1.push(form.clone()),
            }
        }
        Some(Sections(sections))
    }

    fn get(&self, name: &str) -> &[Edn] {
        self.0
            .iter()
            .find(|(key, _)| *key == name)
            .map_or(&[], |(_, forms)| forms)
    }

    /// `[:find (count ?argument) . :with … :in … :where …]` over the given variables.
    fn counting(&self, argument: &str, over: &BTreeSet<String>) -> Edn {
        let count = Edn::List(vec![Edn::symbol("count"), Edn::symbol(argument)]);
        let mut forms = vec![Edn::keyword("find"), count, Edn::symbol(".")];
        let with: Vec<Edn> = over
            .iter()
            .filter(|name| *name != argument)
            .map(|name| Edn::symbol(name))
            .collect();
        if !with.is_empty() {
            forms.push(Edn::keyword("with"));
            forms.extend(with);
        }
        for section in ["in", "where"] {
            if !self.get(section).is_empty() {
                forms.push(Edn::keyword(section));
                forms.extend(self.get(section).iter().cloned());
            }
        }
        Edn::Vector(forms)
    }
}

/// The name and the variable of an aggregate whose answer depends on repeats.
fn aggregate_of(form: &Edn) -> Option<(String, String)> {
    let items = form.as_sequence()?;
    let name = items.first()?.as_symbol()?.as_str();
    let counts = ["count", "sum", "avg", "median", "variance", "stddev"].contains(&name);
    let argument = name_of(items.last()?)?;
    counts.then(|| (name.to_owned(), argument.to_owned()))
}

fn is_dots(form: &Edn) -> bool {
    matches!(form.as_symbol().map(|s| s.as_str()), Some("." | "..."))
}

/// A data pattern of three or more parts without a source.
fn pattern(clause: &Edn) -> Option<&[Edn]> {
    match clause {
        Edn::Vector(items) if items.len() >= 2 && items[0].as_sequence().is_none() => Some(items),
        _ => None,
    }
}

fn name_of(form: &Edn) -> Option<&str> {
    form.as_symbol()
        .map(|s| s.as_str())
        .filter(|name| name.starts_with('?'))
}

fn variables(form: &Edn, out: &mut BTreeSet<String>) {
    if let Some(name) = name_of(form) {
        out.insert(name.to_owned());
    }
    form.as_sequence()
        .unwrap_or(&[])
        .iter()
        .for_each(|item| variables(item, out));
}

/// A number with commas between thousands.
pub(crate) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::{grouped, probe};

    #[test]
    fn a_sum_without_with_is_probed() {
        let query = datomite::read("[:find (sum ?a) . :where [?p :payment/amount ?a]]");
        let probe = probe(&query.expect("a query")).expect("a probe");
        assert_eq!(
            probe.matches.to_string(),
            "[:find (count ?a) . :with ?p :where [?p :payment/amount ?a]]"
        );
        assert_eq!(
            probe.note(16_049, 19).as_deref(),
            Some(
                "note: 16,049 rows became 19 distinct values before sum; add :with ?p to count \
                 every row"
            )
        );
        assert_eq!(probe.note(19, 19), None);
    }

    #[test]
    fn with_or_no_aggregate_needs_no_note() {
        for text in [
            "[:find (sum ?a) . :with ?p :where [?p :payment/amount ?a]]",
            "[:find (count ?p) . :where [?p :payment/amount ?a]]",
            "[:find ?a :where [?p :payment/amount ?a]]",
            "[:find (max ?a) . :where [?p :payment/amount ?a]]",
        ] {
            assert_eq!(
                probe(&datomite::read(text).expect("a query")),
                None,
                "{text}"
            );
        }
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(-12), "-12");
    }
}
