//! What the store says where Datomic refused a transaction, beside what Datomic said.

use std::fs;
use std::path::Path;

use datomite::{Edn, read_all};

use super::context::Failure;
use super::run::{items, prepare};
use super::steps::run_step;

/// A transaction that both refuse.
pub struct Refusal {
    /// File, case and number of the step.
    pub step: String,
    /// What was transacted.
    pub tx_data: Edn,
    /// Datomic's message.
    pub recorded: String,
    /// Ours.
    pub told: String,
}

/// Plays the cases of a file and gives the refused transactions.
pub fn refusals(file: &Path) -> Vec<Refusal> {
    let text = fs::read_to_string(file).expect("the file can be read");
    let cases = read_all(&text).expect("the file is EDN");
    let fixtures = file.parent().unwrap_or(Path::new(".")).join("../fixtures");
    let mut found = Vec::new();
    for case in cases {
        let name = case.get(&Edn::keyword("case"));
        let name = name.map_or_else(String::new, Edn::to_string);
        let raw = case.get(&Edn::keyword("raw")) == Some(&Edn::from(true));
        let Ok(mut context) = prepare(&fixtures, &items(&case, "setup"), raw) else {
            continue;
        };
        for (at, step) in items(&case, "steps").iter().enumerate() {
            let answer = run_step(&mut context, step);
            let get = |key: &str| step.get(&Edn::keyword(key));
            let tx_data = get("transact").or_else(|| get("with"));
            let expected = get("expect").and_then(|expect| {
                expect.get(&Edn::keyword("error"))?;
                expect.get(&Edn::keyword("message"))?.as_str()
            });
            if let (Some(tx_data), Some(recorded), Err(Failure::Store { message, .. })) =
                (tx_data, expected, answer)
            {
                let file = file.file_name().unwrap_or_default().to_string_lossy();
                found.push(Refusal {
                    step: format!("{file}: {name}, step {}", at + 1),
                    tx_data: tx_data.clone(),
                    recorded: recorded.to_owned(),
                    told: message,
                });
            }
        }
    }
    found
}
