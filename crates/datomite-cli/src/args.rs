//! The command line as clap reads it: words, options and their help.
//!
//! Decides nothing but spelling; what a command does stands in `commands/`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Your Postgres dump, as a Datomic-style database, in one process.
#[derive(Parser, Debug)]
#[command(name = "datomite", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Question a dump or a database: a prompt, or one query with -e.
    Open(Open),
    /// Read a dump into a database.
    Import(Import),
    /// Run one query.
    Q(Q),
    /// Pull entities by a pattern.
    Pull(Pull),
    /// Print one entity.
    Entity(Entity),
    /// Add and retract facts.
    Transact(Transact),
    /// Print datoms of an index.
    Datoms(Datoms),
    /// Print transactions.
    Log(Log),
    /// Print how an entity, or an attribute of all entities, came to be what it is.
    History(History),
    /// Print what changed between two times, by row.
    Diff(Diff),
    /// Print attributes, all or those of one namespace.
    Schema(Schema),
    /// Print counts and sizes.
    Stats(Stats),
    /// Print the functions that a query may call: all, one, or those whose name has a part.
    Functions(Functions),
}

/// Which moment of the database is asked.
#[derive(Args, Debug, Default, Clone)]
pub(crate) struct View {
    /// As of a t, a transaction id or an instant (2026-11-22 means its end, UTC).
    #[arg(long, value_name = "T")]
    pub(crate) as_of: Option<String>,
    /// Only what was said after T.
    #[arg(long, value_name = "T")]
    pub(crate) since: Option<String>,
    /// All that was ever said, retractions too.
    #[arg(long)]
    pub(crate) history: bool,
}

/// How the answer is written.
#[derive(Args, Debug, Default, Clone)]
pub(crate) struct Output {
    /// Table on a terminal, EDN when piped, unless said here.
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// At most N rows.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Entity ids as numbers, decimals as EDN, in tables too.
    #[arg(long)]
    pub(crate) raw: bool,
    /// Stop a query after S seconds.
    #[arg(long, value_name = "S")]
    pub(crate) timeout: Option<f64>,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Table,
    Edn,
    Json,
    Csv,
}

/// Which part of a dump is read, and how.
#[derive(Args, Debug, Default, Clone)]
pub(crate) struct Reading {
    /// The instant of a dump, once for each, in order.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) at: Vec<String>,
    /// A mapping file (see `datomite import --plan`).
    #[arg(long, value_name = "FILE")]
    pub(crate) map: Option<PathBuf>,
    /// Only tables whose name matches (repeatable; * and ? stand for anything).
    #[arg(long, value_name = "GLOB")]
    pub(crate) only: Vec<String>,
    /// No tables whose name matches (repeatable).
    #[arg(long, value_name = "GLOB")]
    pub(crate) except: Vec<String>,
    /// Name tables by SQL's word made singular.
    #[arg(long)]
    pub(crate) singular: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Open {
    /// Dumps (several become one history), `-` for standard input, or a database.
    #[arg(required = true, value_name = "SOURCE")]
    pub(crate) sources: Vec<String>,
    /// Run this query and leave.
    #[arg(short = 'e', long = "eval", value_name = "QUERY")]
    pub(crate) eval: Option<String>,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) view: View,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args, Debug)]
pub(crate) struct Import {
    /// A dump, or `-` for standard input.
    pub(crate) source: String,
    /// The database; ./NAME.datomite where not given.
    pub(crate) db: Option<String>,
    /// A later dump of what the database holds: only what changed becomes facts.
    #[arg(long)]
    pub(crate) update: bool,
    /// Print the derived mapping and leave.
    #[arg(long)]
    pub(crate) plan: bool,
    /// Write the report there, as EDN.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

#[derive(Args, Debug)]
pub(crate) struct Q {
    /// The database: a folder or a URI.
    pub(crate) db: String,
    /// The query; `-` reads it from standard input.
    #[arg(required_unless_present = "file")]
    pub(crate) query: Option<String>,
    /// Read the query from a file.
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Inputs after the database, each as EDN.
    #[arg(value_name = "ARG", allow_negative_numbers = true)]
    pub(crate) args: Vec<String>,
    /// Print the plan on standard error.
    #[arg(long)]
    pub(crate) explain: bool,
    #[command(flatten)]
    pub(crate) view: View,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args, Debug)]
pub(crate) struct Pull {
    /// The database.
    pub(crate) db: String,
    /// The pull pattern, as EDN.
    pub(crate) pattern: String,
    /// Entities: ids, idents or lookup refs, as EDN.
    #[arg(required = true, value_name = "EID")]
    pub(crate) eids: Vec<String>,
    #[command(flatten)]
    pub(crate) view: View,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args, Debug)]
pub(crate) struct Entity {
    /// The database.
    pub(crate) db: String,
    /// An id, an ident or a lookup ref, as EDN.
    pub(crate) eid: String,
    #[command(flatten)]
    pub(crate) view: View,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args, Debug)]
pub(crate) struct Transact {
    /// The database.
    pub(crate) db: String,
    /// Transaction data, as EDN; `-` reads standard input.
    #[arg(required_unless_present = "file")]
    pub(crate) tx_data: Option<String>,
    /// Read it from a file.
    #[arg(
        short = 'f',
        long = "file",
        value_name = "FILE",
        conflicts_with = "tx_data"
    )]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args, Debug)]
pub(crate) struct Datoms {
    /// The database.
    pub(crate) db: String,
    /// eavt, aevt, avet or vaet.
    pub(crate) index: String,
    /// Leading components, as EDN.
    #[arg(value_name = "COMPONENT", allow_negative_numbers = true)]
    pub(crate) components: Vec<String>,
    #[command(flatten)]
    pub(crate) view: View,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args, Debug)]
pub(crate) struct Log {
    /// The database.
    pub(crate) db: String,
    /// The first transaction: a t, a transaction id or an instant.
    pub(crate) from: Option<String>,
    /// The one after the last.
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args, Debug)]
pub(crate) struct History {
    /// The database.
    pub(crate) db: String,
    /// The entity, as EDN; `_` is every entity.
    pub(crate) eid: String,
    /// One attribute of it.
    pub(crate) attribute: Option<String>,
    #[command(flatten)]
    pub(crate) view: View,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args, Debug)]
pub(crate) struct Diff {
    /// The database.
    pub(crate) db: String,
    /// From the state at this time: a t, a transaction id or an instant.
    pub(crate) from: String,
    /// To the state at that time.
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args, Debug)]
pub(crate) struct Schema {
    /// The database.
    pub(crate) db: String,
    /// A namespace or an attribute.
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args, Debug)]
pub(crate) struct Stats {
    /// The database.
    pub(crate) db: String,
    /// Nodes, fill and bytes of each index.
    #[arg(long)]
    pub(crate) indexes: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args, Debug)]
pub(crate) struct Functions {
    /// A function, macro or aggregate, or part of a name.
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}
