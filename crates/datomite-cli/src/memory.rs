//! How much memory this machine has left: what an import or a query may plan on.

/// Free memory in bytes, as Linux tells it; unknown elsewhere.
pub(crate) fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}

/// The bytes that the rows of a query may take: half of what is free, the other half for showing
/// them.
pub(crate) fn bytes_max() -> Option<u64> {
    available().map(|bytes| bytes / 2)
}
