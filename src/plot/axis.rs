//! An axis: which values it covers, where a value lies on it, and which ticks it shows.

/// How far below the largest value a logarithmic axis reaches at most, and what takes the place of zero
/// there.
const LOG_REACH: f64 = 1e-6;

/// A smaller p drops nothing in any training: one that was held at 0 for all that a figure tells.
pub(crate) const NO_DROPOUT: f64 = 1e-12;

/// How values are spread over an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    Linear,
    Logarithmic,
    /// Whole numbers from the top down, without values beside them.
    Rows,
}

/// The values that an axis covers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis {
    pub scale: Scale,
    pub low: f64,
    pub high: f64,
}

impl Axis {
    /// A linear axis from zero to just above the largest value.
    pub fn from_zero(values: impl Iterator<Item = f64>, room: f64) -> Self {
        let high = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
        let high = if high > 0.0 { high * (1.0 + room) } else { 1.0 };
        Self { scale: Scale::Linear, low: 0.0, high }
    }

    /// A linear axis of probabilities, from zero.
    pub fn of_probabilities(values: impl Iterator<Item = f64>) -> Self {
        let axis = Self::from_zero(values, 0.1);
        Self { high: axis.high.min(1.0), ..axis }
    }

    /// A linear axis around all values.
    pub fn around(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = extent(values).unwrap_or((0.0, 1.0));
        let room = if high > low { 0.06 * (high - low) } else { (0.1 * high.abs()).max(0.5) };
        Self { scale: Scale::Linear, low: low - room, high: high + room }
    }

    /// A logarithmic axis around all positive values, at least one power of ten long.
    pub fn logarithmic(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = extent(values.filter(|value| *value > 0.0)).unwrap_or((0.1, 1.0));
        let high = high * 1.3;
        let low = (low / 1.3).clamp(high * LOG_REACH, high * 0.1);
        Self { scale: Scale::Logarithmic, low, high }
    }

    /// An axis from the smallest value to the largest; of the positive ones where it is logarithmic.
    pub fn spanning(scale: Scale, values: impl Iterator<Item = f64>) -> Self {
        let values = values.filter(|value| scale != Scale::Logarithmic || *value > 0.0);
        match extent(values) {
            Some((low, high)) if low < high => Self { scale, low, high },
            Some((low, _)) => Self { scale, low, high: low + 1.0 },
            None => Self { scale, low: 1.0, high: 10.0 },
        }
    }

    /// A logarithmic axis if the values differ by more than a factor of 20, else a linear one from zero.
    pub fn fitting(values: impl Iterator<Item = f64> + Clone) -> Self {
        match extent(values.clone().filter(|value| *value > 0.0)) {
            Some((low, high)) if high > 20.0 * low => Self::logarithmic(values),
            _ => Self::from_zero(values, 0.1),
        }
    }

    /// An axis of `count` rows, the first at its top.
    pub fn rows(count: usize) -> Self {
        Self { scale: Scale::Rows, low: count as f64 - 0.5, high: -0.5 }
    }

    /// Where a value lies: 0 at the axis' low end, 1 at its high end. What lies outside is moved to the
    /// nearer end.
    pub fn position(&self, value: f64) -> f64 {
        let position = match self.scale {
            Scale::Linear | Scale::Rows => (value - self.low) / (self.high - self.low),
            Scale::Logarithmic => {
                let value = value.max(f64::MIN_POSITIVE);
                (value / self.low).ln() / (self.high / self.low).ln()
            }
        };
        position.clamp(0.0, 1.0)
    }

    /// The value at a position from 0 to 1.
    pub fn value(&self, position: f64) -> f64 {
        match self.scale {
            Scale::Linear | Scale::Rows => self.low + position * (self.high - self.low),
            Scale::Logarithmic => self.low * (self.high / self.low).powf(position),
        }
    }

    /// About `about` round values within the axis, and what to write beside them.
    pub fn ticks(&self, about: usize) -> Vec<(f64, String)> {
        match self.scale {
            Scale::Linear => {
                self.linear_ticks(about).into_iter().map(|value| (value, exact(value))).collect()
            }
            Scale::Logarithmic => {
                self.logarithmic_ticks(about).into_iter().map(|value| (value, positive(value))).collect()
            }
            Scale::Rows => Vec::new(),
        }
    }

    fn linear_ticks(&self, about: usize) -> Vec<f64> {
        let wanted = (self.high - self.low) / about.max(1) as f64;
        let power = 10f64.powf(wanted.log10().floor());
        let step =
            [1.0, 2.0, 2.5, 5.0].map(|factor| factor * power).into_iter().find(|step| *step >= 0.8 * wanted);
        let step = step.unwrap_or(10.0 * power);
        let (first, last) = ((self.low / step).ceil() as i64, (self.high / step).floor() as i64);
        (first..=last).map(|index| index as f64 * step).collect()
    }

    fn logarithmic_ticks(&self, about: usize) -> Vec<f64> {
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let decades = (self.high / self.low).log10();
        // Few powers of ten leave room for values between them; many would not all find room.
        let factors: &[f64] = match decades {
            d if d < 1.4 && about > 3 => &[1.0, 2.0, 5.0],
            d if d < 2.4 && about > 3 => &[1.0, 3.0],
            _ => &[1.0],
        };
        let every = (decades / about.max(1) as f64).ceil().max(1.0) as i32;
        (first..=last)
            .filter(|power| power % every == 0)
            .flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power)))
            .filter(|value| (self.low..=self.high).contains(value))
            .collect()
    }
}

/// The smallest and the largest finite value.
fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|value| value.is_finite()).fold(None, |extent, value| {
        let (low, high) = extent.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}

/// A number as a person would write it: `0.05`, `250`, `10k`, `1.5M`, `10⁻⁵`.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        // What a sum of steps leaves where it should leave nothing.
        _ if size < 1e-12 => "0".to_owned(),
        _ if size < 1e-4 => scientific(size),
        _ if size < 1e3 => digits(size),
        _ if size < 1e6 => digits(size / 1e3) + "k",
        _ if size < 1e9 => digits(size / 1e6) + "M",
        _ => scientific(size),
    };
    if value < 0.0 && text != "0" { format!("−{text}") } else { text }
}

/// A positive number, which is never written as 0.
fn positive(value: f64) -> String {
    if value < 1e-4 { scientific(value) } else { number(value) }
}

/// A round number with all its digits, such as `−102.5` or `1.025k`, which stands between two others and is neither.
fn exact(value: f64) -> String {
    let size = value.abs();
    let whole =
        |text: &String, size: f64| text.parse::<f64>().is_ok_and(|read| (read - size).abs() < 1e-9 * size);
    let scaled = |unit: f64, suffix: &str| {
        let size = size / unit;
        let text = (0..=7).map(|decimals| format!("{size:.decimals$}")).find(|text| whole(text, size))?;
        Some(text + suffix)
    };
    let text = match size {
        // As `number` has it.
        _ if size < 1e-12 => None,
        _ if (1e-4..1e3).contains(&size) => scaled(1.0, ""),
        _ if (1e3..1e6).contains(&size) => scaled(1e3, "k"),
        _ if (1e6..1e9).contains(&size) => scaled(1e6, "M"),
        _ => {
            let written =
                (0..=7).map(|decimals| format!("{size:.decimals$e}")).find(|text| whole(text, size));
            written.map(|text| power_of_ten(&text))
        }
    };
    match text {
        Some(text) if value < 0.0 => format!("−{text}"),
        Some(text) => text,
        None => number(value),
    }
}

/// A number to two significant digits, as the last value of a line is read.
pub(crate) fn brief(value: f64) -> String {
    number(format!("{value:.1e}").parse().unwrap_or(value))
}

/// Three significant digits, without zeros at the end.
fn digits(size: f64) -> String {
    let decimals = (2 - size.log10().floor() as i32).max(0) as usize;
    let text = format!("{size:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn scientific(size: f64) -> String {
    // Rounding at three digits first keeps 9.9999e-5 from becoming 10·10⁻⁵.
    power_of_ten(&format!("{size:.2e}"))
}

/// What Rust writes as `1.50e9`, as `1.5·10⁹`.
fn power_of_ten(rounded: &str) -> String {
    const SUPERSCRIPTS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let (mantissa, power) = rounded.split_once('e').unwrap_or((rounded, "0"));
    let superscript: String = power
        .chars()
        .map(|c| c.to_digit(10).and_then(|digit| SUPERSCRIPTS.get(digit as usize)).copied().unwrap_or('⁻'))
        .collect();
    match mantissa.trim_end_matches('0').trim_end_matches('.') {
        "1" => format!("10{superscript}"),
        mantissa => format!("{mantissa}·10{superscript}"),
    }
}
