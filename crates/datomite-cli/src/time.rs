//! A time as the command line says it: a t, a transaction id or an instant.

use datomite::{EntityId, Instant, T, TimePoint};

use crate::problem::Problem;

/// The last millisecond of a day that an instant can still be told apart from the next day's.
const DAY_MS: i64 = 86_400_000;

/// Reads `1003`, `13194139534315`, `2026-11-22` (its end, UTC), `2026-11-22T06:00:00Z` or
/// `#inst "…"`.
pub(crate) fn time_point(text: &str) -> Result<TimePoint, Problem> {
    let text = text.trim();
    if let Ok(number) = text.parse::<u64>() {
        let id = EntityId::new(number);
        return Ok(if id.is_tx() {
            TimePoint::Tx(id)
        } else {
            TimePoint::T(T::new(number))
        });
    }
    let bare = text
        .strip_prefix("#inst")
        .map_or(text, str::trim)
        .trim_matches('"');
    let instant = Instant::parse(bare).ok_or_else(|| {
        Problem::usage(format!(
            "{text} is no time: expected a t, a transaction id or an instant such as 2026-11-22"
        ))
    })?;
    Ok(TimePoint::Instant(if is_day(bare) {
        end_of_day(instant)
    } else {
        instant
    }))
}

fn is_day(text: &str) -> bool {
    text.len() == 10 && text.bytes().filter(|b| *b == b'-').count() == 2
}

fn end_of_day(start: Instant) -> Instant {
    Instant::new(start.ms() + DAY_MS - 1, 999).unwrap_or(start)
}

#[cfg(test)]
mod tests {
    use datomite::{Instant, TimePoint};

    use super::time_point;

    #[test]
    fn a_day_means_its_end() {
        let end = Instant::parse("2026-11-22T23:59:59.999999Z").expect("an instant");
        assert!(matches!(time_point("2026-11-22"), Ok(TimePoint::Instant(i)) if i == end));
    }

    #[test]
    fn a_number_is_a_t_or_a_transaction() {
        assert!(matches!(time_point("1003"), Ok(TimePoint::T(t)) if t.raw() == 1003));
        assert!(matches!(time_point("13194139534315"), Ok(TimePoint::Tx(_))));
        assert!(time_point("yesterday").is_err());
    }
}
