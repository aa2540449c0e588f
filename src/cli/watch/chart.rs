//! A chart of a few characters.

/// From an eighth of a character to a whole one.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A chart, as lines of one width.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    pub lines: Vec<String>,
    /// What the lowest and the highest of its columns stand for.
    pub range: Option<(f64, f64)>,
}

impl Chart {
    /// Draws points `(x, y)` with ascending x, x from 0 to `end`, as columns on `rows` lines of `width` characters. A
    /// column stands for the mean of the points in it or, where it has none, for what the one before stands for. The
    /// lowest has an eighth of a character; what never changes is half as high as the chart. Empty up to the first point.
    pub fn new(points: &[(f64, f64)], end: f64, width: usize, rows: usize) -> Self {
        let means = means(points, end, width);
        let range = means.iter().flatten().fold(None, |range: Option<(f64, f64)>, &y| {
            Some(range.map_or((y, y), |(lowest, highest)| (lowest.min(y), highest.max(y))))
        });
        let (lowest, highest) = range.unwrap_or_default();
        let share = |y: f64| if highest > lowest { (y - lowest) / (highest - lowest) } else { 0.5 };
        let eighths = |y: f64| 1 + (share(y) * (rows * LEVELS.len() - 1) as f64).round() as usize;
        let cell = |mean: &Option<f64>, row: usize| {
            let in_row = mean.map_or(0, eighths).saturating_sub((rows - 1 - row) * LEVELS.len());
            in_row.checked_sub(1).map_or(' ', |index| LEVELS[index.min(LEVELS.len() - 1)])
        };
        let lines = (0..rows).map(|row| means.iter().map(|mean| cell(mean, row)).collect()).collect();
        Self { lines, range }
    }
}

/// What each column stands for.
fn means(points: &[(f64, f64)], end: f64, width: usize) -> Vec<Option<f64>> {
    let mut sums = vec![(0.0, 0.0); width];
    for &(x, y) in points.iter().filter(|(x, y)| x.is_finite() && y.is_finite()) {
        let column = (x / end * width as f64) as usize;
        if let Some((sum, count)) = sums.get_mut(column.min(width.saturating_sub(1))) {
            *sum += y;
            *count += 1.0;
        }
    }
    let mut before = None;
    let means = sums.into_iter().map(|(sum, count)| {
        before = if count > 0.0 { Some(sum / count) } else { before };
        before
    });
    means.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(points: &[(f64, f64)], end: f64, width: usize, rows: usize) -> Vec<String> {
        Chart::new(points, end, width, rows).lines
    }

    #[test]
    fn columns_are_as_high_as_their_means() {
        let points = [(1.0, 0.0), (2.0, 0.0), (3.0, 2.0), (3.5, 12.0), (7.0, 14.0)];
        // 0, 14/3, as before, 14.
        assert_eq!(lines(&points, 8.0, 4, 1), ["▁▃▃█"]);
        assert_eq!(lines(&points, 8.0, 4, 2), ["   █", "▁▆▆█"]);
        assert_eq!(Chart::new(&points, 8.0, 4, 2).range, Some((0.0, 14.0)));
    }

    #[test]
    fn what_is_not_there_is_not_drawn_and_what_does_not_change_is_half_as_high() {
        assert_eq!(lines(&[(5.0, 3.0), (6.0, f64::NAN)], 8.0, 4, 2), ["  ▁▁", "  ██"]);
        let empty = Chart { lines: vec!["   ".to_owned(); 2], range: None };
        assert_eq!(Chart::new(&[], 8.0, 3, 2), empty);
        assert_eq!(lines(&[(0.0, 1.0)], 0.0, 2, 1), ["▅▅"]);
        assert_eq!(lines(&[(0.0, 1.0)], 1.0, 0, 1), [""]);
    }
}
