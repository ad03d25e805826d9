//! Instants as people write them, in UTC: the parts of a date and Java's way to print one.

use datomite_model::Instant;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const DAY_MS: i64 = 86_400_000;

/// The parts of an instant.
#[derive(Clone, Copy)]
pub(super) struct Civil {
    pub(super) year: i64,
    /// From 1.
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) milli: i64,
    /// Sunday is 0.
    pub(super) weekday: i64,
    /// From 1.
    pub(super) day_of_year: i64,
}

impl Civil {
    pub(super) fn of(instant: Instant) -> Civil {
        let ms = instant.ms();
        let (days, rest) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
        let (year, month, day) = date(days);
        Civil {
            year,
            month,
            day,
            hour: rest / 3_600_000,
            minute: rest / 60_000 % 60,
            second: rest / 1000 % 60,
            milli: rest % 1000,
            weekday: (days + 4).rem_euclid(7),
            day_of_year: days - days_before(year, 1, 1) + 1,
        }
    }

    pub(super) fn month_name(&self) -> &'static str {
        MONTHS[(self.month - 1) as usize]
    }

    pub(super) fn day_name(&self) -> &'static str {
        DAYS[self.weekday as usize]
    }

    /// As `java.util.Date` prints itself where the zone is UTC.
    pub(super) fn text(&self) -> String {
        format!(
            "{} {} {:02} {:02}:{:02}:{:02} UTC {:04}",
            &self.day_name()[..3],
            &self.month_name()[..3],
            self.day,
            self.hour,
            self.minute,
            self.second,
            self.year
        )
    }
}

/// The days from 1970 to a date; months may be beyond a year's.
pub(super) fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let months = (year.saturating_mul(12)).saturating_add(month - 1);
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of a day counted from 1970.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}
