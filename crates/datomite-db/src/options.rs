//! Options: everything that a connection takes from outside itself.
//!
//! The one file that asks for the time, for randomness and for threads, so that a simulation can
//! own all three. What the options mean is decided where they are used.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use datomite_model::{Instant, Symbol};
use datomite_storage::{Durability, LogOptions, NodeSource, Random};

use crate::{Functions, IntoFunction};

/// Where the time comes from.
pub type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;
/// Runs a piece of work beside the caller.
pub type Spawn = Arc<dyn Fn(Box<dyn FnOnce() + Send>) + Send + Sync>;
/// Lets some time pass.
pub type Pause = Arc<dyn Fn(Duration) + Send + Sync>;

/// What a connection is opened with.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// The instants of transactions.
    pub clock: Clock,
    /// Ids of new databases; the system's where not given.
    pub random: Option<Random>,
    /// Work of `transact_async`.
    pub spawn: Spawn,
    /// Waiting for another process.
    pub pause: Pause,
    /// When an acknowledged transaction is on the disk.
    pub durability: Durability,
    /// Whether a folder may lie on a network file system, whose locks and syncs may not hold.
    pub allow_network: bool,
    /// Follow another process's writing instead of writing.
    pub read_only: bool,
    /// Where nodes of the trees are read through; a test makes reads fail here.
    pub node_source: Option<Arc<dyn NodeSource>>,
    /// Registered functions; forks share them.
    pub functions: Arc<Functions>,
}

impl Options {
    /// The system's clock, randomness and threads; durable writes; no functions.
    pub fn new() -> Options {
        Options {
            clock: Arc::new(system_clock),
            random: None,
            spawn: Arc::new(|work| {
                std::thread::spawn(work);
            }),
            pause: Arc::new(std::thread::sleep),
            durability: Durability::Sync,
            allow_network: false,
            read_only: false,
            node_source: None,
            functions: Arc::new(Functions::new()),
        }
    }

    /// The same with another clock.
    pub fn clock(mut self, clock: impl Fn() -> Instant + Send + Sync + 'static) -> Options {
        self.clock = Arc::new(clock);
        self
    }

    /// The same with another source of randomness.
    pub fn random(mut self, random: Random) -> Options {
        self.random = Some(random);
        self
    }

    /// The same with another durability.
    pub fn durability(mut self, durability: Durability) -> Options {
        self.durability = durability;
        self
    }

    /// The same, for folders on a network file system too.
    pub fn allow_network(mut self) -> Options {
        self.allow_network = true;
        self
    }

    /// The same, following only.
    pub fn read_only(mut self) -> Options {
        self.read_only = true;
        self
    }

    /// The same, writing.
    pub(crate) fn writing(mut self) -> Options {
        self.read_only = false;
        self
    }

    /// The same with a table of functions.
    pub fn functions(mut self, functions: Arc<Functions>) -> Options {
        self.functions = functions;
        self
    }

    /// The same with one function more, under a qualified symbol, as
    /// [`crate::Connection::register`] says.
    pub fn register<Kind>(
        self,
        name: impl Into<Symbol>,
        function: impl IntoFunction<Kind>,
    ) -> Options {
        self.functions.register(name, function);
        self
    }

    /// The same, with every node of the trees read through `source`.
    pub fn node_source(mut self, source: Arc<dyn NodeSource>) -> Options {
        self.node_source = Some(source);
        self
    }

    /// What the log is opened with.
    pub(crate) fn log_options(&self) -> LogOptions {
        let options = LogOptions::default().durability(self.durability);
        match &self.random {
            Some(random) => options.random(Arc::clone(random)),
            None => options,
        }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options::new()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("durability", &self.durability)
            .field("read_only", &self.read_only)
            .field("functions", &self.functions)
            .finish_non_exhaustive()
    }
}

/// Whole milliseconds since 1970; the epoch for a clock that stands before it.
fn system_clock() -> Instant {
    let ms = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_millis());
    Instant::from_ms(i64::try_from(ms).unwrap_or(i64::MAX))
}
