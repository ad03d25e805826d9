//! Writes what the case files ask as the first inputs of the fuzzers: `tests/fuzz/corpus/*`.

use std::fs;
use std::path::Path;

use datomite_tests::garble::Recorded;

fn main() -> std::io::Result<()> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = tests.join("fuzz/corpus");
    for target in ["edn", "query", "pull"] {
        fs::create_dir_all(corpus.join(target))?;
    }
    let recorded = Recorded::read(&tests.join("conformance"));
    for (number, asked) in recorded.asked.iter().enumerate() {
        let target = if asked.is_pull { "pull" } else { "query" };
        let text = asked.as_fuzzed();
        fs::write(corpus.join(target).join(number.to_string()), &text)?;
        let forms = text.replace('\0', " ");
        fs::write(
            corpus.join("edn").join(number.to_string()),
            format!("[{forms}]"),
        )?;
    }
    println!("{} inputs in {}", recorded.asked.len(), corpus.display());
    Ok(())
}
