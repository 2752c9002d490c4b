//! Sizes and rates as people read them.

use std::time::Duration;

/// Bytes as people read them, in units of 10^6 where there are so many.
pub(crate) struct Size(pub(crate) u64);

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            1 => f.write_str("1 byte"),
            bytes @ 0..1_000_000 => write!(f, "{bytes} bytes"),
            bytes => {
                let tenths = bytes.saturating_add(50_000) / 100_000;
                write!(f, "{}.{} MB", tenths / 10, tenths % 10)
            }
        }
    }
}

/// A rate in MB/s.
pub(crate) struct Rate(pub(crate) u64, pub(crate) Duration);

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rate = self.0 as f64 / 1e6 / self.1.as_secs_f64().max(1e-6);
        let digits = if rate < 9.95 { 1 } else { 0 };
        write!(f, "{rate:.digits$} MB/s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded() {
        let shown = |bytes| Size(bytes).to_string();
        assert_eq!([shown(0), shown(1), shown(999_999)], ["0 bytes", "1 byte", "999999 bytes"]);
        assert_eq!([shown(1_000_000), shown(268_435_456)], ["1.0 MB", "268.4 MB"]);
        assert!(!shown(u64::MAX).is_empty());
    }

    #[test]
    fn small_rates_have_a_digit_more() {
        let shown = |bytes, millis| Rate(bytes, Duration::from_millis(millis)).to_string();
        assert_eq!([shown(65_535, 16), shown(1 << 30, 800)], ["4.1 MB/s", "1342 MB/s"]);
        assert_eq!(shown(0, 0), "0.0 MB/s");
    }
}
