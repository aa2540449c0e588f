//! Numbers as people read them: short, and of any size.

/// What a sum leaves where it should leave nothing.
const NOTHING: f64 = 1e-12;

/// Three significant digits: `4286`, `25.0`, `0.00123`, `1.00e-4`, `1.00e6`.
pub(crate) fn number(value: f64) -> String {
    significant(value, 0)
}

/// The same with one decimal at least, as returns are read: `500.0`, `-98.6`, `0.961`.
pub(crate) fn mean(value: f64) -> String {
    significant(value, 1)
}

/// One decimal where it says enough, and three significant digits where it does not, for the columns of a
/// table.
pub(crate) fn cell(value: f64) -> String {
    let size = value.abs();
    if (10.0..1e6).contains(&size) { format!("{value:.1}") } else { mean(value) }
}

/// All digits where they are few, else as [`mean`]: `-98.5`, `500`.
pub(crate) fn short(value: f64) -> String {
    const FEW: usize = 7;
    let all = if value == 0.0 { "0".to_owned() } else { value.to_string() };
    if all.len() <= FEW { all } else { mean(value) }
}

fn significant(value: f64, least_decimals: usize) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    if value.abs() < NOTHING {
        return format!("{:.least_decimals$}", 0.0);
    }
    // Its power of ten after rounding, since 9.999 is 10.0.
    let scientific = format!("{value:.2e}");
    match scientific.split_once('e').and_then(|(_, power)| power.parse::<i32>().ok()) {
        Some(power @ -3..6) => {
            let decimals = usize::try_from(2 - power).unwrap_or(0).max(least_decimals);
            format!("{value:.decimals$}")
        }
        _ => scientific,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_numbers_are_plain_and_others_keep_three_digits() {
        for (value, as_number, as_mean, as_cell, as_short) in [
            (0.0, "0", "0.0", "0.0", "0"),
            (-0.0, "0", "0.0", "0.0", "0"),
            (1e-17, "0", "0.0", "0.0", "0.0"),
            (500.0, "500", "500.0", "500.0", "500"),
            (-98.56, "-98.6", "-98.6", "-98.6", "-98.56"),
            (9.999, "10.0", "10.0", "10.0", "9.999"),
            (2.5, "2.50", "2.50", "2.50", "2.5"),
            (0.961, "0.961", "0.961", "0.961", "0.961"),
            (-0.012_345, "-0.0123", "-0.0123", "-0.0123", "-0.0123"),
            (0.001_234, "0.00123", "0.00123", "0.00123", "0.00123"),
            (-0.000_099_999_999_999_999_82, "-1.00e-4", "-1.00e-4", "-1.00e-4", "-1.00e-4"),
            (12_345.67, "12346", "12345.7", "12345.7", "12345.7"),
            (1e6, "1.00e6", "1.00e6", "1.00e6", "1000000"),
            (-1.5e300, "-1.50e300", "-1.50e300", "-1.50e300", "-1.50e300"),
            (f64::NAN, "NaN", "NaN", "NaN", "NaN"),
            (f64::NEG_INFINITY, "-inf", "-inf", "-inf", "-inf"),
        ] {
            let shown = (number(value), mean(value), cell(value), short(value));
            let wanted = (as_number.into(), as_mean.into(), as_cell.into(), as_short.into());
            assert_eq!(shown, wanted, "{value}");
        }
    }
}
