//! How values are spread.

use crate::protobuf::Message;

/// As many as TensorBoard draws.
const BUCKETS: usize = 30;

/// How many values lie in each of some buckets of one width, from the lowest value to the highest.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    values: Values,
    width: f64,
    counts: Vec<u64>,
}

/// What is known of the values beside the buckets.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Values {
    lowest: f64,
    highest: f64,
    count: u64,
    sum: f64,
    sum_of_squares: f64,
}

impl Histogram {
    /// The histogram of finite values. `None` where there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let lowest = values.iter().copied().reduce(f64::min)?;
        let highest = values.iter().copied().reduce(f64::max)?;
        let width = (highest - lowest) / BUCKETS as f64;
        let mut counts = vec![0; BUCKETS];
        for value in values {
            // Where all are the same, they are in the first.
            let bucket = if width > 0.0 { ((value - lowest) / width) as usize } else { 0 };
            counts[bucket.min(BUCKETS - 1)] += 1;
        }
        let values = Values {
            lowest,
            highest,
            count: values.len() as u64,
            sum: values.iter().sum(),
            sum_of_squares: values.iter().map(|value| value * value).sum(),
        };
        Some(Self { values, width, counts })
    }

    /// It as a `HistogramProto`.
    pub(super) fn message(&self) -> Message {
        let Values { lowest, highest, count, sum, sum_of_squares } = self.values;
        let limit = |bucket: usize| match bucket + 1 {
            BUCKETS => highest,
            end => lowest + end as f64 * self.width,
        };
        Message::default()
            .double(1, lowest)
            .double(2, highest)
            .double(3, count as f64)
            .double(4, sum)
            .double(5, sum_of_squares)
            .doubles(6, (0..BUCKETS).map(limit))
            .doubles(7, self.counts.iter().map(|&count| count as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_a_bucket() {
        let values: Vec<f64> = (0..=60).map(f64::from).collect();
        let histogram = Histogram::of(&values).unwrap();
        assert_eq!(histogram.counts[..29], [2; 29]);
        assert_eq!(histogram.counts[29], 3, "the highest value is in the last bucket");
        let alike = Histogram::of(&[0.5; 7]).unwrap();
        assert_eq!((alike.counts[0], alike.counts.iter().sum::<u64>()), (7, 7));
        assert_eq!(Histogram::of(&[]), None);
    }
}
