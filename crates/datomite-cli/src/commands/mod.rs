//! One file a command: arguments in, an answer out.

pub(crate) mod datoms;
pub(crate) mod diff;
pub(crate) mod entity;
pub(crate) mod functions;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod log;
pub(crate) mod open;
pub(crate) mod pull;
pub(crate) mod q;
pub(crate) mod schema;
pub(crate) mod stats;
pub(crate) mod transact;

use crate::args::Command;
use crate::problem::Problem;

/// Runs the command.
pub(crate) fn run(command: Command) -> Result<(), Problem> {
    match command {
        Command::Open(args) => open::run(args),
        Command::Import(args) => import::run(args),
        Command::Q(args) => q::run(args),
        Command::Pull(args) => pull::run(args),
        Command::Entity(args) => entity::run(args),
        Command::Transact(args) => transact::command(args),
        Command::Datoms(args) => datoms::run(args),
        Command::Log(args) => log::run(args),
        Command::History(args) => history::run(args),
        Command::Diff(args) => diff::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Stats(args) => stats::run(args),
        Command::Functions(args) => functions::run(args),
    }
}
