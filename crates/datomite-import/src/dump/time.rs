//! When a dump was made, as far as it says.

use datomite::Instant;

use crate::convert::calendar::days_from_civil;

/// Zone abbreviations that `pg_dump` may print, in minutes east of UTC.
const ZONES: [(&str, i64); 24] = [
    ("UTC", 0),
    ("GMT", 0),
    ("WET", 0),
    ("WEST", 60),
    ("BST", 60),
    ("CET", 60),
    ("CEST", 120),
    ("EET", 120),
    ("EEST", 180),
    ("MSK", 180),
    ("EST", -300),
    ("EDT", -240),
    ("CST", -360),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
    ("JST", 540),
    ("KST", 540),
    ("SAST", 120),
    ("AEST", 600),
    ("AEDT", 660),
    ("NZST", 720),
];

/// `-- Started on 2026-11-22 20:15:03 CET` near the head of a plain dump.
pub(crate) fn started_on(head: &[u8]) -> Option<Instant> {
    const MARK: &[u8] = b"\n-- Started on ";
    let at = memchr::memmem::find(head, MARK)? + MARK.len();
    let line = head[at..].split(|b| *b == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.trim();
    let mut words = line.split_whitespace();
    let date = words.next()?;
    let time = words.next()?;
    let mut ymd = date.splitn(3, '-').map(str::parse::<i64>);
    let mut hms = time.splitn(3, ':').map(str::parse::<i64>);
    let mut part = || ymd.next()?.ok();
    let days = days_from_civil(part()?, part()?, part()?);
    let mut part = || hms.next()?.ok();
    let seconds = part()? * 3600 + part()? * 60 + part()?;
    let east = words.next().map_or(0, zone_minutes);
    Some(Instant::from_ms(
        (days * 86_400 + seconds - east * 60) * 1000,
    ))
}

/// Minutes east of UTC; an abbreviation that is not known counts as UTC.
fn zone_minutes(zone: &str) -> i64 {
    if let Some((_, minutes)) = ZONES.iter().find(|(name, _)| *name == zone) {
        return *minutes;
    }
    let (sign, digits) = match zone.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => return 0,
    };
    let hours = digits.get(..2).and_then(|d| d.parse().ok()).unwrap_or(0);
    let minutes = digits.get(2..4).and_then(|d| d.parse().ok()).unwrap_or(0);
    sign * (hours * 60 + minutes)
}

/// The creation time of an archive's header: local time without zone, read as UTC.
pub(crate) fn of_archive(parts: &[i64; 6]) -> Option<Instant> {
    let [second, minute, hour, day, month, year] = *parts;
    let sane = (0..=60).contains(&second)
        && (0..60).contains(&minute)
        && (0..24).contains(&hour)
        && (1..=31).contains(&day)
        && (0..12).contains(&month)
        && (70..1100).contains(&year);
    if !sane {
        return None;
    }
    let days = days_from_civil(year + 1900, month + 1, day);
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second;
    Some(Instant::from_ms(seconds * 1000))
}
