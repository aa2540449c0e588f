//! Sections of a config. Each stands with the part that it is for, the range of every field beside the field.

use std::fmt::Display;
use std::ops::RangeInclusive;

/// The settings of one part.
pub trait Section {
    /// Holds every field against its range.
    fn check(&self, ranges: &mut Ranges);
}

/// Holds values against their ranges, and keeps the first that is outside.
#[derive(Debug, Default)]
pub struct Ranges {
    /// The sections around a key, each with a dot behind it.
    prefix: String,
    violation: Option<String>,
}

impl Ranges {
    /// TOML's integers end here.
    pub const LARGEST: u64 = i64::MAX as u64;

    /// The first value of a section that is out of its range, as a sentence that names its key and what it
    /// must be.
    pub fn violation(section: &impl Section) -> Option<String> {
        let mut ranges = Self::default();
        section.check(&mut ranges);
        ranges.violation
    }

    /// Checks a section within this one.
    pub fn section(&mut self, key: &str, section: &(impl Section + ?Sized)) {
        let outer = self.prefix.len();
        self.prefix.push_str(key);
        self.prefix.push('.');
        section.check(self);
        self.prefix.truncate(outer);
    }

    /// What holds of the value of a key, and the same in words that follow "it must be".
    pub fn require(&mut self, key: &str, value: impl Display, holds: bool, allowed: &str) {
        if holds || self.violation.is_some() {
            return;
        }
        let shown = value.to_string();
        // 1e300 rather than its three hundred digits.
        let number = shown.parse::<f64>().ok().filter(|_| shown.len() > 20);
        let value = number.map_or(shown, |number| format!("{number:e}"));
        let prefix = &self.prefix;
        self.violation = Some(format!("{prefix}{key} = {value} is out of range; it must be {allowed}"));
    }

    /// A whole number within bounds.
    pub fn whole<T: Copy + PartialOrd + Display>(&mut self, key: &str, value: T, range: RangeInclusive<T>) {
        let allowed = format!("a whole number from {} to {}", range.start(), range.end());
        self.require(key, value, range.contains(&value), &allowed);
    }

    /// A whole number of 0 or more.
    pub fn whole_or_zero(&mut self, key: &str, value: u64) {
        self.require(key, value, value <= Self::LARGEST, "a whole number of 0 or more");
    }

    /// A whole number of 1 or more.
    pub fn count(&mut self, key: &str, value: u64) {
        self.require(key, value, (1..=Self::LARGEST).contains(&value), "a whole number of 1 or more");
    }

    /// Monte-Carlo passes over which a standard deviation is taken.
    pub fn passes(&mut self, key: &str, value: usize) {
        self.whole(key, value, 2..=10_000);
    }

    /// A number within bounds.
    pub fn number(&mut self, key: &str, value: f64, range: RangeInclusive<f64>) {
        let allowed = format!("a number from {} to {}", range.start(), range.end());
        self.require(key, value, range.contains(&value), &allowed);
    }

    /// A probability, or another fraction that may be 0.
    pub fn probability(&mut self, key: &str, value: f64) {
        self.number(key, value, 0.0..=1.0);
    }

    /// A fraction that may not be 0.
    pub fn share(&mut self, key: &str, value: f64) {
        self.require(key, value, value > 0.0 && value <= 1.0, "a number above 0, up to 1");
    }

    /// A positive number. What lies beyond would be 0 or infinite in the f32 of the network.
    pub fn positive(&mut self, key: &str, value: f64) {
        self.require(key, value, Self::is_positive(value), "a number from 1e-12 to 1e12");
    }

    /// What [`positive`](Self::positive) asks for.
    pub fn is_positive(value: f64) -> bool {
        (1e-12..=1e12).contains(&value)
    }

    /// A number of 0 or more.
    pub fn not_negative(&mut self, key: &str, value: f64) {
        self.require(key, value, (0.0..=1e12).contains(&value), "a number from 0 to 1e12");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Outer(f64, u64);

    struct Inner(u64);

    impl Section for Outer {
        fn check(&self, ranges: &mut Ranges) {
            ranges.section("inner", &Inner(self.1));
            ranges.share("share", self.0);
        }
    }

    impl Section for Inner {
        fn check(&self, ranges: &mut Ranges) {
            ranges.count("count", self.0);
        }
    }

    #[test]
    fn the_first_violation_is_told_with_its_whole_key() {
        let violation = |share, count| Ranges::violation(&Outer(share, count));
        assert_eq!(violation(0.5, 1), None);
        let (inner, outer) = (violation(0.0, 0).unwrap(), violation(1e300, Ranges::LARGEST).unwrap());
        assert_eq!(inner, "inner.count = 0 is out of range; it must be a whole number of 1 or more");
        assert_eq!(outer, "share = 1e300 is out of range; it must be a number above 0, up to 1");
        assert!(violation(f64::NAN, 1).unwrap().contains("share = NaN"));
        assert!(violation(0.5, Ranges::LARGEST + 1).is_some(), "TOML has no such number");
    }
}
