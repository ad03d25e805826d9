//! `#inst` text to [`Instant`] and back.
//!
//! Reads what `clojure.instant` reads: `2020`, `2020-01`, … `2020-01-31T12:30:59.123456`, each
//! with an optional `Z` or `±hh:mm`; besides, years past 9999 or before 0 with a sign, as the
//! printer writes them. The calendar is the Gregorian one for all years, as in Postgres, and the
//! fraction is cut after the sixth digit.

use std::fmt;

use crate::Instant;

const DAY_MS: i64 = 86_400_000;

/// Reads the text of an `#inst`.
pub(crate) fn parse_inst(text: &str) -> Option<Instant> {
    let (local, offset) = split_offset(text)?;
    let (date, time) = match local.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (local, None),
    };
    let (days, whole_date) = parse_date(date)?;
    let us = match time {
        None => 0,
        Some(time) if whole_date => parse_time(time)?,
        Some(_) => return None,
    };
    let ms = i128::from(days) * i128::from(DAY_MS) + i128::from(us / 1000 - offset * 60_000);
    Instant::new(i64::try_from(ms).ok()?, u16::try_from(us % 1000).ok()?)
}

/// The text before the offset, and the offset in minutes east of UTC.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(local) = text.strip_suffix('Z') {
        return Some((local, 0));
    }
    let at = text.len().saturating_sub(6);
    let (local, offset) = text.split_at_checked(at)?;
    let sign = match offset.as_bytes() {
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return Some((text, 0)),
    };
    let hours = two(&offset[1..3], 0, 23)?;
    Some((local, sign * (hours * 60 + two(&offset[4..6], 0, 59)?)))
}

/// Days since 1970, and whether month and day were given.
fn parse_date(text: &str) -> Option<(i64, bool)> {
    let (sign, unsigned) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => (1, text),
    };
    let mut parts = unsigned.split('-');
    let year = parts.next()?;
    let widths = if unsigned.len() == text.len() {
        4..=4
    } else {
        4..=9
    };
    if !widths.contains(&year.len()) {
        return None;
    }
    let year = sign * digits(year)?;
    let month = parts.next().map_or(Some(1), |month| two(month, 1, 12))?;
    let day = parts.next();
    let whole = day.is_some();
    let day = day.map_or(Some(1), |day| two(day, 1, days_in_month(year, month)))?;
    let nothing_more = parts.next().is_none();
    nothing_more.then(|| (days_from_civil(year, month, day), whole))
}

/// Microseconds since midnight. A second 60 is a leap second and flows into the next minute.
fn parse_time(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let hour = two(parts.next()?, 0, 23)?;
    let minute = parts.next().map_or(Some(0), |minute| two(minute, 0, 59))?;
    let (second, us) = match parts.next() {
        None => (0, 0),
        Some(second) => {
            let (second, us) = match second.split_once('.') {
                Some((second, fraction)) => (second, microseconds(fraction)?),
                None => (second, 0),
            };
            (two(second, 0, if minute == 59 { 60 } else { 59 })?, us)
        }
    };
    let nothing_more = parts.next().is_none();
    nothing_more.then_some(((hour * 60 + minute) * 60 + second) * 1_000_000 + us)
}

fn microseconds(fraction: &str) -> Option<i64> {
    digits(fraction.get(..fraction.len().min(18))?)?;
    let all_digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    let padded = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    all_digits.then(|| padded.fold(0, |us, digit| us * 10 + i64::from(digit - b'0')))
}

fn two(text: &str, min: i64, max: i64) -> Option<i64> {
    let number = digits(text)?;
    (text.len() == 2 && (min..=max).contains(&number)).then_some(number)
}

/// A number of digits alone.
fn digits(text: &str) -> Option<i64> {
    let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().ok())?
}

/// Writes RFC 3339 without the offset: three digits of fraction, or six where they are needed.
pub(crate) fn fmt_inst(instant: Instant, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (days, in_day) = (
        instant.ms().div_euclid(DAY_MS),
        instant.ms().rem_euclid(DAY_MS),
    );
    let (year, month, day) = civil_from_days(days);
    match year {
        0..=9999 => write!(f, "{year:04}")?,
        _ => write!(f, "{year:+05}")?,
    }
    let (hour, minute) = (in_day / 3_600_000, in_day / 60_000 % 60);
    let (second, ms) = (in_day / 1000 % 60, in_day % 1000);
    write!(
        f,
        "-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}"
    )?;
    match instant.us() {
        0 => Ok(()),
        us => write!(f, "{us:03}"),
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01. Years begin in March, so that the leap day is the last of its year, and
/// repeat every 400.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let leaps = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leaps) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = (march_month + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}
