//! The importer's face: `Connection` gains `import`.

use std::path::Path;
use std::time::Instant as Clock;

use datomite::{Connection, Instant};

use crate::dump::{Dump, Scan};
use crate::group::BulkGroup;
use crate::load::{self, Import as Run};
use crate::mapping::{self, Extent, Known, Mapping, Plan};
use crate::options::{self, ImportOptions, Phase, Progress};
use crate::report::{ImportReport, Omissions};
use crate::store::Group;
use crate::{Catalog, ImportError, update};

mod sealed {
    pub trait Sealed {}
    impl Sealed for datomite::Connection {}
}

/// What the importer adds to a connection.
pub trait Import: sealed::Sealed {
    /// Imports a file as derived, with what the mapping wants otherwise.
    fn import(
        &self,
        path: impl AsRef<Path>,
        mapping: &Mapping,
    ) -> Result<ImportReport, ImportError>;

    /// Imports an opened dump.
    ///
    /// All of it becomes visible at once; an error leaves the store as it was.
    fn import_dump(
        &self,
        dump: &Dump,
        options: &mut ImportOptions,
    ) -> Result<ImportReport, ImportError>;
}

impl Import for Connection {
    fn import(
        &self,
        path: impl AsRef<Path>,
        mapping: &Mapping,
    ) -> Result<ImportReport, ImportError> {
        let mut options = ImportOptions {
            mapping: mapping.clone(),
            ..ImportOptions::default()
        };
        self.import_dump(&Dump::open(path)?, &mut options)
    }

    fn import_dump(
        &self,
        dump: &Dump,
        options: &mut ImportOptions,
    ) -> Result<ImportReport, ImportError> {
        let started = Clock::now();
        let scan = scan(dump, options)?;
        let at = options.at.or(dump.instant()).unwrap_or_else(options::now);
        let at = Instant::from_ms(at.ms());
        let group = BulkGroup::open(self)?;
        let known = if options.update {
            update::known(&group.attributes()?)
        } else {
            Known::default()
        };
        let plan = derive(&scan, options, &known);
        let label = options.label.clone();
        let mut run = Run {
            dump,
            scan: &scan,
            plan: &plan,
            group,
            omissions: Omissions::default(),
            report: ImportReport::default(),
            label: label.unwrap_or_else(|| dump.name().to_owned()),
            options,
        };
        run.report_scan();
        if run.options.update {
            update::update(&mut run, at)?;
        } else {
            load::load(&mut run, at)?;
        }
        run.tell(Phase::Commit, "", 0, 1)?;
        let mut report = std::mem::take(&mut run.report);
        report.omissions = std::mem::take(&mut run.omissions).into_list();
        report.basis_t = run.group.commit()?;
        report.source = dump.name().to_owned();
        report.notes.clone_from(&plan.notes);
        report.time = started.elapsed();
        Ok(report)
    }
}

fn scan(dump: &Dump, options: &mut ImportOptions) -> Result<Scan, ImportError> {
    let total = dump.size();
    dump.scan(&mut |done| {
        let progress = Progress {
            phase: Phase::Scan,
            table: "",
            done,
            total,
        };
        let goes_on = options.progress.as_mut().is_none_or(|hear| hear(progress));
        goes_on.then_some(()).ok_or(ImportError::Interrupted)
    })
}

fn derive(scan: &Scan, options: &ImportOptions, known: &Known) -> Plan {
    let filled = scan.blocks.iter();
    let filled = filled.map(|b| scan.catalog.root(&b.table)).collect();
    let extent = Extent {
        wanted: &|name| options.wants(&name.to_string()),
        filled: &filled,
    };
    mapping::derive(&scan.catalog, &options.mapping, known, &extent)
}

/// What an import would do, found without a store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Preview {
    /// What the dump declares.
    pub catalog: Catalog,
    /// What it becomes.
    pub plan: Plan,
    /// Rows of all tables.
    pub rows: u64,
    /// Bytes of their text.
    pub bytes: u64,
    /// About how many datoms they make.
    pub datoms: u64,
    /// About how many bytes of memory a database of them takes while it is imported.
    pub memory: u64,
}

impl Preview {
    /// The plan as a mapping file.
    pub fn mapping_text(&self) -> String {
        mapping::mapping_text(&self.catalog, &self.plan)
    }
}

/// Memory of a datom in the four trees, without the text of its value.
const BYTES_PER_DATOM: u64 = 96;
/// Memory of a key in the key maps.
const BYTES_PER_KEY: u64 = 32;

/// Reads a dump once and says what an import of it would do.
pub fn plan(dump: &Dump, options: &mut ImportOptions) -> Result<Preview, ImportError> {
    let scan = scan(dump, options)?;
    let plan = derive(&scan, options, &Known::default());
    let rows = scan.blocks.iter().map(|b| b.rows).sum();
    let bytes = scan.blocks.iter().map(|b| b.bytes).sum();
    let datoms: u64 = scan
        .blocks
        .iter()
        .map(|b| b.rows.saturating_mul(b.columns.len() as u64))
        .sum();
    let memory = datoms
        .saturating_mul(BYTES_PER_DATOM)
        .saturating_add(bytes)
        .saturating_add(BYTES_PER_KEY.saturating_mul(rows));
    Ok(Preview {
        catalog: scan.catalog,
        plan,
        rows,
        bytes,
        datoms,
        memory,
    })
}
