//! The `datomite` command: arguments, terminals, tables; everything else is the facade's.

#![forbid(unsafe_code)]

mod args;
mod ask;
mod commands;
mod database;
mod derived;
mod hint;
mod interrupt;
mod memory;
mod output;
mod problem;
mod progress;
mod repl;
mod time;
mod view;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // clap ends the process itself with 2 on wrong usage and 0 on --help.
    let cli = args::Cli::parse();
    let done = interrupt::install().and_then(|()| commands::run(cli.command));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(problem.exit as u8)
        }
    }
}
