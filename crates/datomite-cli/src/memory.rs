//! How much memory this machine has left: what an import or a query may plan on.

/// Bytes of a row that a step of a query holds, counted generously.
const ROW_BYTES: u64 = 128;

/// Free memory in bytes, as Linux tells it; unknown elsewhere.
pub(crate) fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}

/// The rows that a step of a query may leave before memory would run out.
pub(crate) fn rows_max() -> Option<u64> {
    available().map(|bytes| bytes / ROW_BYTES)
}
