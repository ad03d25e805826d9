//! The command end to end: the built program, its streams and its exit codes.

mod ask;
mod import;
mod kit;
mod open;
mod repl;
mod time;
mod write;
