//! `datomite import SOURCE [DB]`: a dump into a database on disk.

use std::path::Path;

use datomite::{Connection, Edn, Instant, TimePoint};
use datomite_import::{Dump, Import as _, ImportOptions, ImportReport, Mapping};

use crate::args::{Import, Reading};
use crate::problem::Problem;
use crate::time::time_point;
use crate::{database, hint, interrupt, memory, output, progress};

/// Reads a dump into a database, or prints what it would become.
pub(crate) fn run(args: Import) -> Result<(), Problem> {
    let dump = open(&args.source)?;
    let mut options = options(&args.reading, 0)?;
    if args.plan {
        let preview = datomite_import::plan(&dump, &mut options)?;
        return output::say(&preview.mapping_text()).map_err(Problem::output);
    }
    options.update = args.update;
    let name = match args.db {
        Some(name) => name,
        None => default_name(&args.source)?,
    };
    let existed = Path::new(&name).exists();
    if existed && !args.update {
        return Err(Problem::refused(format!("{name} exists already"))
            .hint("--update reads a later dump of what it holds"));
    }
    if args.update && !existed && !name.contains("://") {
        return Err(Problem::refused(format!(
            "{name}: no such database to update"
        )));
    }
    let conn = database::writer_or_new(&name)?;
    let report = match read(&conn, &dump, &mut options) {
        Ok(report) => report,
        Err(error) => {
            drop(conn);
            // A store that this command made and could not fill is not left behind.
            if !existed {
                drop(datomite::delete_database(&name));
            }
            return Err(error);
        }
    };
    eprint!("{report}");
    if let Some(file) = &args.report {
        std::fs::write(file, format!("{}\n", report_form(&report)))
            .map_err(|error| Problem::refused(format!("{}: {error}", file.display())))?;
    }
    output::say(&format!("{name}\n")).map_err(Problem::output)
}

/// Reads one dump of `open` into a connection: the first as it is, later ones as its future.
pub(crate) fn read_into(
    conn: &Connection,
    source: &str,
    reading: &Reading,
    at: usize,
    update: bool,
) -> Result<(), Problem> {
    let dump = open(source)?;
    let mut options = options(reading, at)?;
    options.update = update;
    fits_memory(&dump, &mut options)?;
    let report = read(conn, &dump, &mut options)?;
    let number = |n: u64| hint::grouped(i64::try_from(n).unwrap_or(i64::MAX));
    eprint!(
        "{}: {} rows, {} datoms",
        report.source,
        number(report.rows()),
        number(report.datoms())
    );
    if report.retracted() > 0 {
        eprint!(", {} retracted", number(report.retracted()));
    }
    eprintln!(
        " in {:.2} s, as of {}",
        report.time.as_secs_f64(),
        report.instant
    );
    eprint!("{}", not_carried_over(&report));
    Ok(())
}

/// Imports with a progress bar; Ctrl-C stops it.
fn read(
    conn: &Connection,
    dump: &Dump,
    options: &mut ImportOptions,
) -> Result<ImportReport, Problem> {
    interrupt::stoppable(|cancel| {
        options.progress = Some(progress::bar(dump.name(), cancel));
        Ok(conn.import_dump(dump, options)?)
    })
}

/// How the importer names statements that never make datoms: no row is lost with them.
const STATEMENT: &str = "statement that makes no datoms";

/// And tables that the caller did not want.
const LEFT_OUT: &str = "the table is left out by the mapping or a filter";

/// A line for each loss; statements such as GRANT are one line together.
fn not_carried_over(report: &ImportReport) -> String {
    let number = |n: u64| hint::grouped(i64::try_from(n).unwrap_or(i64::MAX));
    let because = |reason: &'static str| {
        report
            .omissions
            .iter()
            .filter(move |omission| omission.reason == reason)
    };
    let mut text = String::new();
    let losses = report.omissions.iter();
    for loss in losses.filter(|loss| ![STATEMENT, LEFT_OUT].contains(&loss.reason.as_str())) {
        let count = number(loss.count);
        text.push_str(&format!(
            "  not carried over: {count} × {} ({})\n",
            loss.what, loss.reason
        ));
    }
    let rows: u64 = because(LEFT_OUT).map(|table| table.count).sum();
    if because(LEFT_OUT).next().is_some() {
        let tables = number(because(LEFT_OUT).count() as u64);
        let rows = number(rows);
        text.push_str(&format!(
            "  left out as asked: {rows} rows of {tables} tables\n"
        ));
    }
    let total: u64 = because(STATEMENT).map(|statement| statement.count).sum();
    if total > 0 {
        let mut kinds: Vec<&str> = because(STATEMENT).map(|s| s.what.as_str()).collect();
        let more = kinds.len() > KINDS_SHOWN;
        kinds.truncate(KINDS_SHOWN);
        text.push_str(&format!(
            "  not carried over: {} statements that make no datoms ({}{})\n",
            number(total),
            kinds.join(", "),
            if more { ", …" } else { "" },
        ));
    }
    text
}

/// How many kinds of such statements the line names.
const KINDS_SHOWN: usize = 3;

/// Stops before an import that the machine's free memory cannot hold.
fn fits_memory(dump: &Dump, options: &mut ImportOptions) -> Result<(), Problem> {
    let Some(available) = memory::available() else {
        return Ok(());
    };
    if dump.size() < available / 64 {
        return Ok(());
    }
    let preview = datomite_import::plan(dump, options)?;
    if preview.memory <= available {
        return Ok(());
    }
    let mib = |bytes: u64| hint::grouped(i64::try_from(bytes >> 20).unwrap_or(i64::MAX));
    Err(Problem::refused(format!(
        "{} takes about {} MiB of memory, {} MiB are free",
        dump.name(),
        mib(preview.memory),
        mib(available)
    ))
    .hint("read a part of it with --only or --except, or import it on a larger machine"))
}

fn open(source: &str) -> Result<Dump, Problem> {
    let dump = match source {
        "-" => Dump::from_reader(std::io::stdin().lock()),
        path => Dump::open(path),
    };
    Ok(dump?)
}

fn options(reading: &Reading, at: usize) -> Result<ImportOptions, Problem> {
    let mut options = ImportOptions::new();
    options.at = reading.at.get(at).map(|text| instant(text)).transpose()?;
    options.only.clone_from(&reading.only);
    options.except.clone_from(&reading.except);
    if let Some(file) = &reading.map {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Problem::refused(format!("{}: {error}", file.display())))?;
        options.mapping = Mapping::parse(&text)?;
    }
    if reading.singular {
        options.mapping.singular = true;
    }
    Ok(options)
}

fn instant(text: &str) -> Result<Instant, Problem> {
    match time_point(text)? {
        TimePoint::Instant(instant) => Ok(instant),
        _ => Err(Problem::usage(format!(
            "--at {text}: expected an instant such as 2026-11-22"
        ))),
    }
}

/// `./NAME.datomite` beside the caller, NAME being the dump's without its endings.
fn default_name(source: &str) -> Result<String, Problem> {
    let stem = Path::new(source).file_stem().and_then(|stem| stem.to_str());
    match (source, stem) {
        ("-", _) | (_, None) => Err(Problem::usage(
            "name the database: datomite import - NAME.datomite",
        )),
        (_, Some(stem)) => Ok(format!("./{stem}.datomite")),
    }
}

/// The report as one EDN map.
fn report_form(report: &ImportReport) -> Edn {
    let number = |n: u64| Edn::long(i64::try_from(n).unwrap_or(i64::MAX));
    let entry = |key: &str, value: Edn| (Edn::keyword(key), value);
    let tables = report.tables.iter().map(|table| {
        Edn::Map(vec![
            entry("table", Edn::string(&table.table)),
            entry("becomes", Edn::string(&table.becomes)),
            entry("rows", number(table.rows)),
            entry("entities", number(table.entities)),
            entry("datoms", number(table.datoms)),
            entry("retracted", number(table.retracted)),
            entry("seconds", Edn::from(table.time.as_secs_f64())),
        ])
    });
    let omissions = report.omissions.iter().map(|omission| {
        Edn::Map(vec![
            entry("what", Edn::string(&omission.what)),
            entry("count", number(omission.count)),
            entry("reason", Edn::string(&omission.reason)),
        ])
    });
    Edn::Map(vec![
        entry("source", Edn::string(&report.source)),
        entry("instant", Edn::from(report.instant)),
        entry("basis-t", number(report.basis_t.raw())),
        entry("tables", Edn::Vector(tables.collect())),
        entry("not-carried-over", Edn::Vector(omissions.collect())),
        entry(
            "notes",
            Edn::Vector(report.notes.iter().map(|note| Edn::string(note)).collect()),
        ),
    ])
}
