//! Instants: milliseconds since 1970 and the microseconds within the millisecond.
//!
//! The pair holds Postgres's microseconds and Datomic's whole range (any 64-bit count of
//! milliseconds). Flooring makes times before 1970 order as pairs too.

use std::fmt;

/// A point in time: `ms` milliseconds since 1970-01-01 UTC and `us` microseconds (0–999) more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant {
    ms: i64,
    us: u16,
}

impl Instant {
    /// A whole millisecond.
    pub const fn from_ms(ms: i64) -> Instant {
        Instant { ms, us: 0 }
    }

    /// Microseconds since 1970, floored to a millisecond and the rest.
    pub const fn from_us(us: i64) -> Instant {
        Instant {
            ms: us.div_euclid(1000),
            us: us.rem_euclid(1000) as u16,
        }
    }

    /// A millisecond and microseconds within it; `None` where `us` is over 999.
    pub const fn new(ms: i64, us: u16) -> Option<Instant> {
        if us < 1000 {
            Some(Instant { ms, us })
        } else {
            None
        }
    }

    /// Whole milliseconds since 1970.
    pub const fn ms(self) -> i64 {
        self.ms
    }

    /// Microseconds within the millisecond, 0–999.
    pub const fn us(self) -> u16 {
        self.us
    }

    /// Microseconds since 1970, where they fit 64 bits.
    pub const fn total_us(self) -> Option<i64> {
        match self.ms.checked_mul(1000) {
            None => None,
            Some(us) => us.checked_add(self.us as i64),
        }
    }

    /// Reads RFC 3339 and the partial forms of EDN's `#inst` (`2020`, `2020-01`, …).
    pub fn parse(text: &str) -> Option<Instant> {
        crate::edn::parse_inst(text)
    }
}

impl fmt::Display for Instant {
    /// RFC 3339 in UTC: three digits of fraction, or six where microseconds are not zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::edn::fmt_inst(*self, f)?;
        f.write_str("Z")
    }
}

impl fmt::Debug for Instant {
    /// EDN as Clojure prints it: `#inst "2020-01-31T12:30:00.000-00:00"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("#inst \"")?;
        crate::edn::fmt_inst(*self, f)?;
        f.write_str("-00:00\"")
    }
}
