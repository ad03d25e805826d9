//! Temporary probe: prints what a dump becomes.
use datomite::{Edn, Index};
use datomite_import::{Dump, Import, ImportOptions, Mapping};
fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let quiet = args.first().map(String::as_str) == Some("-q");
    if quiet {
        args.remove(0);
    }
    let connection = datomite::mem();
    for (n, path) in args.iter().enumerate() {
        let mut options = ImportOptions::new();
        options.update = n > 0;
        if let Ok(m) = std::env::var("MAPPING") {
            options.mapping = Mapping::parse(&m).expect("mapping");
        }
        if let Ok(at) = std::env::var("AT") {
            options.at = datomite::Instant::parse(&at);
        }
        let before = connection.db().basis_t();
        let started = std::time::Instant::now();
        let report = match Dump::open(path).and_then(|d| connection.import_dump(&d, &mut options)) {
            Ok(r) => r,
            Err(e) => {
                println!("{path}: ERROR {e}");
                assert_eq!(before, connection.db().basis_t());
                continue;
            }
        };
        println!(
            "{path}: rows {} datoms {} retracted {} schema {} tx {} at {} {:?}",
            report.rows(),
            report.datoms(),
            report.retracted(),
            report.schema_datoms,
            report.transactions,
            report.instant,
            started.elapsed()
        );
        if quiet {
            println!(
                "status {}",
                std::fs::read_to_string("/proc/self/status")
                    .unwrap()
                    .lines()
                    .filter(|l| l.starts_with("VmHWM"))
                    .collect::<String>()
            );
            continue;
        }
        for t in &report.tables {
            println!(
                "  {} -> {} rows {} entities {} datoms {} retracted {}",
                t.table, t.becomes, t.rows, t.entities, t.datoms, t.retracted
            );
        }
        for o in &report.omissions {
            println!("  omit {o:?}");
        }
        for o in &report.notes {
            println!("  note {o}");
        }
    }
    if quiet {
        return;
    }
    let db = connection.db();
    for datom in db.datoms(Index::Eavt, &[] as &[Edn]).expect("datoms") {
        let d = datom.expect("datom");
        if d.t().raw() < 1000 && false {
            continue;
        }
        let a = db.ident(d.a).map(|k| k.to_string()).unwrap_or_default();
        if a.starts_with(":pg/")
            || (a.starts_with(":db")
                && !(a == ":db/unique"
                    || a == ":db/tupleAttrs"
                    || a == ":db/doc"
                    || a == ":db/cardinality"))
                && a != ":db/txInstant"
        {
            continue;
        }
        let name = db
            .ident(d.e)
            .map(|k| k.to_string())
            .unwrap_or_else(|| format!("{}", d.e.raw() & 0xffff_ffff));
        if name.starts_with(":db") || name.starts_with(":pg/") || name.starts_with(":fressian") {
            continue;
        }
        let v = match &d.v {
            datomite::Value::Ref(r) => db
                .ident(*r)
                .map(|k| k.to_string())
                .unwrap_or_else(|| format!("#{}", r.raw() & 0xffff_ffff)),
            v => v.to_string(),
        };
        println!("{name} {a} {v}");
    }
}
