//! The steps that we answer otherwise than Datomic on purpose: at most ten rules, each with a
//! reason and the answers that we give instead.
//!
//! A step is known by the name of its file, its case and its number, wherever the file lies.
//! Which answers are right is not decided here; `compare.rs` compares them as it compares
//! Datomic's.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use datomite::{Edn, read};

/// More would be no exception any more.
const RULES_MAX: usize = 10;

/// A step: file name, case, number from 1.
type Key = (String, String, usize);

/// The list, and what a run has found out about it.
#[derive(Default)]
pub struct Deviations {
    file: PathBuf,
    rules: Vec<Rule>,
    answers: HashMap<Key, Edn>,
    seen: RefCell<Seen>,
}

struct Rule {
    name: Edn,
    reason: String,
    steps: Vec<Key>,
}

#[derive(Default)]
struct Seen {
    /// Listed steps that were played and did not answer as Datomic.
    deviating: BTreeSet<Key>,
    /// The answers that were given to them.
    given: HashMap<Key, Edn>,
}

impl Deviations {
    /// Reads the list; panics where it does not hold what it must.
    pub fn read(file: &Path) -> Deviations {
        let text = fs::read_to_string(file)
            .unwrap_or_else(|error| panic!("{} cannot be read: {error}", file.display()));
        let forms =
            read(&text).unwrap_or_else(|error| panic!("{} is not EDN: {error}", file.display()));
        let mut answers = HashMap::new();
        let rules = forms.as_sequence().unwrap_or_default();
        assert!(rules.len() <= RULES_MAX, "at most {RULES_MAX} rules");
        let rules = rules.iter().map(|form| {
            let reason = text_of(form, "reason");
            assert!(!reason.is_empty(), "a rule without a reason: {form}");
            let steps = get(form, "steps");
            let steps = steps.as_sequence().unwrap_or_default();
            let steps = steps.iter().map(|step| {
                let number = get(step, "step").as_long().unwrap_or_default();
                let number = usize::try_from(number).unwrap_or_default();
                let key = (text_of(step, "file"), text_of(step, "case"), number);
                let twice = answers.insert(key.clone(), get(step, "answer"));
                assert!(twice.is_none(), "listed twice: {}", shown(&key));
                key
            });
            let steps = steps.collect();
            Rule {
                name: get(form, "rule"),
                reason,
                steps,
            }
        });
        Deviations {
            file: file.to_path_buf(),
            rules: rules.collect(),
            answers,
            seen: RefCell::default(),
        }
    }

    /// Our answer to a step, where a rule covers it.
    pub(super) fn answer(&self, file: &str, case: &str, step: usize) -> Option<&Edn> {
        let key = (file.to_owned(), case.to_owned(), step);
        self.answers.get(&key)
    }

    /// Notes that a listed step did not answer as Datomic, but so.
    pub(super) fn note(&self, file: &str, case: &str, step: usize, given: Edn) {
        let key = (file.to_owned(), case.to_owned(), step);
        let mut seen = self.seen.borrow_mut();
        seen.deviating.insert(key.clone());
        seen.given.insert(key, given);
    }

    /// Steps of these files that are listed and did not deviate: they answer as Datomic now, or
    /// do not exist.
    pub fn stale(&self, files: &BTreeSet<String>) -> Vec<String> {
        let seen = self.seen.borrow();
        let listed = self.rules.iter().flat_map(|rule| &rule.steps);
        let stale = listed.filter(|key| files.contains(&key.0) && !seen.deviating.contains(key));
        stale.map(shown).collect()
    }

    /// Writes the list with the answers that were given, without the stale steps of these files.
    pub fn rewrite(&self, files: &BTreeSet<String>) {
        let seen = self.seen.borrow();
        let mut text = HEAD.to_owned();
        for (at, rule) in self.rules.iter().enumerate() {
            let open = if at == 0 { "[" } else { "\n\n " };
            let reason = Edn::string(&rule.reason);
            let _ = write!(text, "{open}{{:rule {}\n  :reason {reason}\n", rule.name);
            text.push_str("  :steps\n  [");
            let kept = |key: &&Key| !files.contains(&key.0) || seen.deviating.contains(*key);
            for (at, key) in rule.steps.iter().filter(kept).enumerate() {
                let answer = seen.given.get(key).unwrap_or(&self.answers[key]);
                let gap = if at == 0 { "" } else { "\n   " };
                let (file, case) = (Edn::string(&key.0), Edn::string(&key.1));
                let _ = write!(text, "{gap}{{:file {file} :case {case} :step {}", key.2);
                let _ = write!(text, "\n    :answer {answer}}}");
            }
            text.push_str("]}");
        }
        text.push_str("]\n");
        fs::write(&self.file, text).expect("the list can be written");
    }
}

const HEAD: &str = "\
; Where we answer otherwise than Datomic on purpose: rules, their reasons, and every recorded step
; that they cover with our answer, which the runner checks. UPDATE=1 writes the answers again.

";

fn get(form: &Edn, key: &str) -> Edn {
    form.get(&Edn::keyword(key)).cloned().unwrap_or(Edn::Nil)
}

fn text_of(form: &Edn, key: &str) -> String {
    get(form, key).as_str().unwrap_or_default().to_owned()
}

fn shown((file, case, step): &Key) -> String {
    format!("{file}: {}, step {step}", Edn::string(case))
}
