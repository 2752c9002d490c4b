//! Moments as people read them.

use std::fmt;

const DAY: i64 = 86_400;

/// Days of 400 years, after which the calendar repeats.
const ERA: i64 = 146_097;

/// From the first of March of the year 0 to 1970.
const TO_1970: i64 = 719_468;

/// Days of the year before each month, of a year that begins in March.
const MONTHS: [i64; 12] = [0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337];

/// Seconds since 1970, shown as `YYYY-MM-DD HH:MM:SS` in UTC; what is beyond the years 0 to 9999 is shown as `-`.
pub(crate) struct Utc(pub(crate) f64);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.floor();
        if !(-62_167_219_200.0..=253_402_300_799.0).contains(&seconds) {
            return f.pad("-");
        }
        let seconds = seconds as i64;
        let (year, month, day) = date(seconds.div_euclid(DAY));
        let of_day = seconds.rem_euclid(DAY);
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        f.pad(&format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"))
    }
}

/// Year, month and day of a day since 1970.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + TO_1970;
    let of_era = days.rem_euclid(ERA);
    // A leap day ends a year that begins in March: 4 years have one, a century has none, 400 years have one again.
    let century = (of_era / 36_524).min(3);
    let of_century = of_era - century * 36_524;
    let four_years = of_century / 1_461;
    let of_four_years = of_century - four_years * 1_461;
    let one_year = (of_four_years / 365).min(3);
    let of_year = of_four_years - one_year * 365;
    let year = days.div_euclid(ERA) * 400 + century * 100 + four_years * 4 + one_year;
    let month = MONTHS.iter().rposition(|&before| before <= of_year).unwrap_or(0);
    let day = of_year - MONTHS[month] + 1;
    match month {
        0..=9 => (year, month as i64 + 3, day),
        _ => (year + 1, month as i64 - 9, day),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_shown_in_utc() {
        for (seconds, shown) in [
            (0.0, "1970-01-01 00:00:00"),
            (-0.5, "1969-12-31 23:59:59"),
            (951_782_399.999, "2000-02-28 23:59:59"),
            (951_782_400.0, "2000-02-29 00:00:00"),
            (951_868_800.0, "2000-03-01 00:00:00"),
            (1_000_000_007.25, "2001-09-09 01:46:47"),
            (4_107_542_400.0, "2100-03-01 00:00:00"),
            (-62_167_219_200.0, "0000-01-01 00:00:00"),
            (253_402_300_799.0, "9999-12-31 23:59:59"),
        ] {
            assert_eq!(Utc(seconds).to_string(), shown, "{seconds}");
        }
        for seconds in [f64::NAN, f64::INFINITY, -1e300, 253_402_300_800.0] {
            assert_eq!(Utc(seconds).to_string(), "-");
        }
        assert_eq!(format!("{:<4}|", Utc(f64::NAN)), "-   |");
    }

    #[test]
    fn every_day_of_ten_thousand_years_follows_the_one_before() {
        let length = |year: i64, month: i64| match month {
            2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let (mut year, mut month, mut day) = (0, 1, 1);
        for days in -719_528..2_932_897 {
            assert_eq!(date(days), (year, month, day));
            day += 1;
            if day > length(year, month) {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!((year, month, day), (10_000, 1, 1));
    }
}
