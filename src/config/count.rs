//! Whole numbers as a person writes them.

/// The whole number that `10000`, `10_000`, `1e4` and `1.5e3` are; `None` for anything else, as `1.5` and `-1`.
pub fn count(text: &str) -> Option<u64> {
    let is_digit = |c: char| c.is_ascii_digit();
    // An underscore stands between digits.
    let groups = |text: &str| text.split('_').all(|group| !group.is_empty() && group.chars().all(is_digit));
    if groups(text) {
        return text.replace('_', "").parse().ok();
    }
    let (mantissa, power) = text.split_once(['e', 'E'])?;
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let power: u32 = power.strip_prefix('+').unwrap_or(power).parse().ok()?;
    if !groups(whole) || decimals.is_empty() || !decimals.chars().all(is_digit) {
        return None;
    }
    let decimals = decimals.trim_end_matches('0');
    let digits: u64 = format!("{}{decimals}", whole.replace('_', "")).parse().ok()?;
    let shift = power.checked_sub(decimals.len() as u32)?;
    digits.checked_mul(10_u64.checked_pow(shift)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_taken_in_every_form_and_nothing_else() {
        for (text, number) in [
            ("0", 0),
            ("30000", 30_000),
            ("30_000", 30_000),
            ("1e4", 10_000),
            ("1E+4", 10_000),
            ("2.5e3", 2500),
            ("1.0e0", 1),
            ("1_000e3", 1_000_000),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(count(text), Some(number), "{text}");
        }
        for text in [
            "",
            "-1",
            "+1",
            "1.5",
            "1.0",
            "1.55e1",
            "1e-4",
            "1e",
            "e4",
            "1e20",
            "0x10",
            "_1",
            "1_",
            "1__0",
            "many",
            "1e4e4",
            ".5e1",
            "5.e1",
            "1e4294967296",
            "1e1.5",
            "inf",
            "\u{661}",
        ] {
            assert_eq!(count(text), None, "{text}");
        }
    }
}
