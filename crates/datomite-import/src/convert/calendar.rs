//! Dates and times as Postgres prints them (DateStyle ISO), as instants in UTC.
//!
//! Proleptic Gregorian calendar, from 4713 BC to 5874897 AD; microseconds are kept; offsets may
//! have minutes and seconds. `infinity` is not an instant: the caller knows what to do with it.

use datomite::Instant;

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last; eras are 400 years.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn digits(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.iter().try_fold(0i64, |value, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + i64::from(byte - b'0'))
    })
}

/// Reads `YYYY-MM-DD` and gives the days since 1970, with what follows; `bc` shifts the year.
///
/// By hand people also write `YYYY/M/D` and `YYYYMMDD`, which Postgres takes too.
fn date(text: &[u8], bc: bool) -> Option<(i64, &[u8])> {
    let packed = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if packed == 8 {
        let part = |from: usize, to: usize| digits(&text[from..to]);
        return day(part(0, 4)?, part(4, 6)?, part(6, 8)?, bc).map(|days| (days, &text[8..]));
    }
    let dash = memchr::memchr2(b'-', b'/', text)?;
    let year = digits(&text[..dash])?;
    let rest = &text[dash + 1..];
    let dash = memchr::memchr2(b'-', b'/', rest)?;
    let month = digits(&rest[..dash])?;
    let rest = &rest[dash + 1..];
    let end = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let days = day(year, month, digits(&rest[..end])?, bc)?;
    Some((days, &rest[end..]))
}

fn day(year: i64, month: i64, day: i64, bc: bool) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if bc { 1 - year } else { year };
    Some(days_from_civil(year, month, day))
}

/// Reads `HH:MM[:SS[.ffffff]]` and gives microseconds since midnight, with what follows.
fn time(text: &[u8]) -> Option<(i64, &[u8])> {
    let colon = memchr::memchr(b':', text)?;
    let hour = digits(&text[..colon])?;
    let rest = &text[colon + 1..];
    let minute = digits(rest.get(..2)?)?;
    let mut us = (hour * 3600 + minute * 60) * 1_000_000;
    let mut rest = &rest[2..];
    if rest.first() == Some(&b':') {
        us += digits(rest.get(1..3)?)? * 1_000_000;
        rest = &rest[3..];
    }
    if rest.first() == Some(&b'.') {
        let count = rest[1..].iter().take_while(|b| b.is_ascii_digit()).count();
        let kept = count.min(6);
        let scale = 10i64.pow(6 - kept as u32);
        us += digits(&rest[1..=kept])? * scale;
        rest = &rest[1 + count..];
    }
    Some((us, rest))
}

/// Reads `+HH[:MM[:SS]]` or `Z` and gives seconds east of UTC; nothing is UTC.
fn offset(text: &[u8]) -> Option<i64> {
    let sign = match text.first() {
        None => return Some(0),
        Some(b'Z' | b'z') if text.len() == 1 => return Some(0),
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return (text.eq_ignore_ascii_case(b"utc")).then_some(0),
    };
    let mut seconds = 0;
    let mut unit = 3600;
    if text[1..].len() == 4 && !text.contains(&b':') {
        return Some(sign * (digits(&text[1..3])? * 3600 + digits(&text[3..])? * 60));
    }
    for part in text[1..].split(|b| *b == b':') {
        seconds += digits(part)? * unit;
        unit /= 60;
    }
    Some(sign * seconds)
}

/// A `date`, `timestamp` or `timestamptz`: an instant; a timestamp without zone is UTC.
pub(crate) fn instant(text: &[u8], with_zone: bool) -> Option<Instant> {
    let text = text.trim_ascii();
    let (text, bc) = match text.strip_suffix(b"BC") {
        Some(rest) => (rest.trim_ascii_end(), true),
        None => (
            text.strip_suffix(b"AD").unwrap_or(text).trim_ascii_end(),
            false,
        ),
    };
    let (days, rest) = date(text, bc)?;
    let day_ms = days.checked_mul(86_400_000)?;
    if rest.is_empty() {
        return Some(Instant::from_ms(day_ms));
    }
    if !matches!(rest[0], b' ' | b'T') {
        return None;
    }
    let (us, rest) = time(rest[1..].trim_ascii_start())?;
    // Postgres ignores an offset where the type has no zone.
    let east = offset(rest.trim_ascii())?;
    let us = if with_zone { us - east * 1_000_000 } else { us };
    let within = Instant::from_us(us);
    Instant::new(day_ms.checked_add(within.ms())?, within.us())
}

/// An interval: ISO 8601 text, months, days, microseconds.
pub(crate) struct Interval {
    pub(crate) iso: String,
    pub(crate) months: i64,
    pub(crate) days: i64,
    pub(crate) us: i64,
}

/// Reads an interval in the style `postgres` (`1 year 2 mons 3 days -04:05:06.789`), the verbose
/// style (`@ 1 year …`) or ISO.
pub(crate) fn interval(text: &str) -> Option<Interval> {
    let text = text.trim();
    if let Some(iso) = text.strip_prefix('P') {
        return iso_interval(iso);
    }
    let (mut months, mut days, mut us) = (0i64, 0i64, 0i64);
    let ago = text.ends_with(" ago");
    let mut words = text
        .trim_start_matches('@')
        .trim_end_matches("ago")
        .split_whitespace();
    while let Some(word) = words.next() {
        if word.contains(':') {
            us = us.checked_add(clock(word)?)?;
            continue;
        }
        let unit = words.next()?.trim_end_matches('s');
        let whole = || word.parse::<i64>().ok();
        match unit {
            "year" | "yr" => months = months.checked_add(whole()?.checked_mul(12)?)?,
            "mon" | "month" => months = months.checked_add(whole()?)?,
            "week" => days = days.checked_add(whole()?.checked_mul(7)?)?,
            "day" => days = days.checked_add(whole()?)?,
            "hour" => us = us.checked_add(whole()?.checked_mul(3_600_000_000)?)?,
            "min" | "minute" => us = us.checked_add(whole()?.checked_mul(60_000_000)?)?,
            "sec" | "second" => us = us.checked_add(seconds(word)?)?,
            _ => return None,
        }
    }
    if ago {
        (months, days, us) = (-months, -days, -us);
    }
    Some(Interval {
        iso: iso(months, days, us),
        months,
        days,
        us,
    })
}

/// `[-]HH:MM:SS[.ffffff]` in microseconds; hours have no limit.
fn clock(word: &str) -> Option<i64> {
    let (sign, word) = match word.split_at_checked(1)? {
        ("-", rest) => (-1, rest),
        ("+", rest) => (1, rest),
        _ => (1, word),
    };
    let mut parts = word.split(':');
    let hours: i64 = parts.next()?.parse().ok()?;
    let minutes: i64 = parts.next()?.parse().ok()?;
    let rest = parts.next().map_or(Some(0), seconds)?;
    let us = hours.checked_mul(3600)?.checked_add(minutes * 60)?;
    Some(sign * us.checked_mul(1_000_000)?.checked_add(rest)?)
}

/// `[-]SS[.ffffff]` in microseconds.
fn seconds(word: &str) -> Option<i64> {
    let (whole, fraction) = word.split_once('.').unwrap_or((word, ""));
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    let whole: i64 = whole.trim_start_matches(['-', '+']).parse().ok()?;
    let digits = format!("{fraction:0<6}");
    let fraction: i64 = digits.get(..6)?.parse().ok()?;
    Some(sign * whole.checked_mul(1_000_000)?.checked_add(fraction)?)
}

fn iso_interval(text: &str) -> Option<Interval> {
    let (date, time) = text.split_once('T').unwrap_or((text, ""));
    let (mut months, mut days, mut us) = (0i64, 0i64, 0i64);
    let mut number = String::new();
    for (part, in_time) in [(date, false), (time, true)] {
        for c in part.chars() {
            if c.is_ascii_digit() || matches!(c, '-' | '+' | '.') {
                number.push(c);
                continue;
            }
            let whole = || number.parse::<i64>().ok();
            match (c, in_time) {
                ('Y', false) => months = months.checked_add(whole()?.checked_mul(12)?)?,
                ('M', false) => months = months.checked_add(whole()?)?,
                ('W', false) => days = days.checked_add(whole()?.checked_mul(7)?)?,
                ('D', false) => days = days.checked_add(whole()?)?,
                ('H', true) => us = us.checked_add(whole()?.checked_mul(3_600_000_000)?)?,
                ('M', true) => us = us.checked_add(whole()?.checked_mul(60_000_000)?)?,
                ('S', true) => us = us.checked_add(seconds(&number)?)?,
                _ => return None,
            }
            number.clear();
        }
    }
    Some(Interval {
        iso: iso(months, days, us),
        months,
        days,
        us,
    })
}

/// As Postgres prints with IntervalStyle `iso_8601`.
fn iso(months: i64, days: i64, us: i64) -> String {
    use std::fmt::Write;
    let mut out = String::from("P");
    let mut part = |number: i64, unit: &str| {
        if number != 0 {
            // Writing to a String cannot fail.
            let _ = write!(out, "{number}{unit}");
        }
    };
    part(months / 12, "Y");
    part(months % 12, "M");
    part(days, "D");
    if us != 0 {
        let (hours, rest) = (us / 3_600_000_000, us % 3_600_000_000);
        let (minutes, rest) = (rest / 60_000_000, rest % 60_000_000);
        out.push('T');
        let mut part = |number: i64, unit: &str| {
            if number != 0 {
                let _ = write!(out, "{number}{unit}");
            }
        };
        part(hours, "H");
        part(minutes, "M");
        if rest != 0 {
            let sign = if rest < 0 { "-" } else { "" };
            let (whole, fraction) = (rest.abs() / 1_000_000, rest.abs() % 1_000_000);
            let fraction = format!(".{fraction:06}");
            let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
            let _ = write!(out, "{sign}{whole}{fraction}S");
        }
    }
    if out == "P" {
        out.push_str("T0S");
    }
    out
}
