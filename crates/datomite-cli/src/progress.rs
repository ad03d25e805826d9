//! The progress bar of an import: on a terminal, on standard error, gone when the import is done.

use std::io::{self, IsTerminal};

use datomite::CancelToken;
use datomite_import::{Phase, Progress, ProgressFn};
use indicatif::{ProgressBar, ProgressStyle};

/// How many reports pass between two looks at the terminal.
const REPORTS_PER_DRAW: u64 = 64;

/// Hears how far an import is, draws it where there is a terminal, and stops it on Ctrl-C.
pub(crate) fn bar(label: &str, cancel: CancelToken) -> ProgressFn {
    let bar = if io::stderr().is_terminal() {
        ProgressBar::new(0)
    } else {
        ProgressBar::hidden()
    };
    let style = ProgressStyle::with_template("{msg:30} {bar:30} {percent:>3}% {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let label = label.to_owned();
    let mut last = None;
    let mut reports: u64 = 0;
    Box::new(move |progress: Progress<'_>| {
        let changed = last != Some(progress.phase);
        if changed || reports.is_multiple_of(REPORTS_PER_DRAW) || progress.done >= progress.total {
            bar.set_length(progress.total);
            bar.set_position(progress.done);
            bar.set_message(message(&label, progress));
        }
        last = Some(progress.phase);
        reports += 1;
        if progress.phase == Phase::Commit {
            bar.finish_and_clear();
        }
        !cancel.is_cancelled()
    })
}

fn message(label: &str, progress: Progress<'_>) -> String {
    match progress.phase {
        Phase::Scan => format!("{label}: reading"),
        Phase::Keys => format!("{label}: keys"),
        Phase::Commit => format!("{label}: finishing"),
        _ => format!("{label}: {}", progress.table),
    }
}
