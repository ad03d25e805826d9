//! Values as Postgres prints them: the rendering side of the import comparison.
//!
//! Written from Postgres's manual (Data Types, output forms under the ISO date style); shares no
//! code with the importer.

use datomite::{Instant, Value};

/// The text that `column::text` gives for a value of that Postgres type.
///
/// # Panics
/// Where a value cannot belong to such a column.
pub fn render(value: &Value, pg_type: &str) -> String {
    match value {
        Value::Boolean(b) => b.to_string(),
        Value::Long(n) => n.to_string(),
        Value::BigInt(n) => n.to_string(),
        Value::BigDec(n) => n.to_bigdecimal().to_plain_string(),
        Value::Double(n) => float(*n, format!("{n:e}")),
        Value::Float(n) => float(f64::from(*n), format!("{n:e}")),
        Value::Instant(at) => instant(*at, pg_type),
        Value::Uuid(id) => id.hyphenated().to_string(),
        Value::Bytes(bytes) => {
            let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
            format!("\\x{hex}")
        }
        Value::String(text) => text.to_string(),
        Value::Uri(uri) => uri.to_string(),
        other => panic!("no column holds {other:?}"),
    }
}

/// Shortest digits; an exponent below 1e-4 and from 1e15 (double) on, as `float8out`.
fn float(number: f64, shortest: String) -> String {
    if number.is_nan() {
        return "NaN".into();
    }
    if number.is_infinite() {
        return if number > 0.0 {
            "Infinity".into()
        } else {
            "-Infinity".into()
        };
    }
    let (mantissa, exponent) = shortest
        .split_once('e')
        .expect("the form {:e} has an exponent");
    let exponent: i32 = exponent.parse().expect("an integer");
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest.replace('.', "")),
        None => ("", mantissa.replace('.', "")),
    };
    if !(-4..15).contains(&exponent) {
        let e = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{e}{:02}", exponent.abs());
    }
    let point = exponent + 1;
    if point <= 0 {
        return format!(
            "{sign}0.{}{digits}",
            "0".repeat(point.unsigned_abs() as usize)
        );
    }
    let point = point as usize;
    if digits.len() <= point {
        format!("{sign}{digits}{}", "0".repeat(point - digits.len()))
    } else {
        format!("{sign}{}.{}", &digits[..point], &digits[point..])
    }
}

fn instant(at: Instant, pg_type: &str) -> String {
    let days = at.ms().div_euclid(86_400_000);
    let ms = at.ms().rem_euclid(86_400_000);
    let (year, month, day) = civil(days);
    let (year, era) = if year > 0 {
        (year, "")
    } else {
        (1 - year, " BC")
    };
    let date = format!("{year:04}-{month:02}-{day:02}");
    if pg_type == "date" {
        return format!("{date}{era}");
    }
    let (seconds, us) = (ms / 1000, ms % 1000 * 1000 + i64::from(at.us()));
    let fraction = match us {
        0 => String::new(),
        us => format!(".{us:06}").trim_end_matches('0').to_owned(),
    };
    let zone = if pg_type.contains("with time zone") {
        "+00"
    } else {
        ""
    };
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{date} {hours:02}:{minutes:02}:{seconds:02}{fraction}{zone}{era}")
}

/// Days since 1970 as a Gregorian date (the algorithm of H. Hinnant's `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

/// An interval from its parts, in the style `postgres`.
pub fn interval(months: i64, days: i64, us: i64) -> String {
    let mut parts = Vec::new();
    let unit = |n: i64, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    if months / 12 != 0 {
        parts.push(unit(months / 12, "year", "years"));
    }
    if months % 12 != 0 {
        parts.push(unit(months % 12, "mon", "mons"));
    }
    if days != 0 {
        parts.push(unit(days, "day", "days"));
    }
    if us != 0 || parts.is_empty() {
        let sign = if us < 0 { "-" } else { "" };
        let (seconds, rest) = (us.unsigned_abs() / 1_000_000, us.unsigned_abs() % 1_000_000);
        let fraction = match rest {
            0 => String::new(),
            rest => format!(".{rest:06}").trim_end_matches('0').to_owned(),
        };
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        parts.push(format!(
            "{sign}{hours:02}:{minutes:02}:{seconds:02}{fraction}"
        ));
    }
    parts.join(" ")
}

/// An array of rendered elements; `None` is NULL.
pub fn array(elements: &[Option<String>]) -> String {
    let element = |text: &Option<String>| match text {
        None => "NULL".to_owned(),
        Some(text) if needs_quotes(text) => {
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        }
        Some(text) => text.clone(),
    };
    format!(
        "{{{}}}",
        elements.iter().map(element).collect::<Vec<_>>().join(",")
    )
}

fn needs_quotes(text: &str) -> bool {
    text.is_empty()
        || text.eq_ignore_ascii_case("null")
        || text.contains(|c: char| c.is_ascii_whitespace() || "{},\"\\".contains(c))
}

#[cfg(test)]
mod tests {
    use datomite::{Instant, Value};

    use super::{array, interval, render};

    #[test]
    fn values_print_as_postgres_prints_them() {
        assert_eq!(render(&Value::Double(1e20), "double precision"), "1e+20");
        assert_eq!(render(&Value::Double(0.0001), "double precision"), "0.0001");
        assert_eq!(render(&Value::Float(14.0), "real"), "14");
        assert_eq!(render(&Value::Double(-12.5), "double precision"), "-12.5");
        let at = Value::Instant(Instant::from_us(1_738_000_003_000_125));
        assert_eq!(
            render(&at, "timestamp with time zone"),
            "2025-01-27 17:46:43.000125+00"
        );
        assert_eq!(
            render(&Value::Instant(Instant::from_ms(-1)), "date"),
            "1969-12-31"
        );
        assert_eq!(
            interval(14, 3, -5_000_000),
            "1 year 2 mons 3 days -00:00:05"
        );
        assert_eq!(
            array(&[Some("a b".into()), None, Some("x".into())]),
            "{\"a b\",NULL,x}"
        );
    }
}
