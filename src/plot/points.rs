//! Series of points, made few enough to draw and smooth enough to read.

use std::collections::BTreeSet;

/// Points with finite coordinates, in the order in which they happened.
pub(crate) type Points = Vec<(f64, f64)>;

/// How many points of a series are drawn. More are not told apart, they only make a file large and its
/// drawing slow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Detail {
    /// Points of a line.
    pub line: usize,
    /// Dots, each of which costs ten times as much room in a file as a point of a line.
    pub dots: usize,
}

impl Detail {
    /// For panels as wide as the figure.
    pub const WIDE: Self = Self { line: 1000, dots: 600 };
    /// For panels half as wide.
    pub const NARROW: Self = Self { line: 500, dots: 300 };
}

/// Pairs two columns, leaving out the rows in which either is missing.
pub(crate) fn points(x: &[f64], y: &[f64]) -> Points {
    x.iter().copied().zip(y.iter().copied()).filter(|(x, y)| x.is_finite() && y.is_finite()).collect()
}

/// The points to draw a line through, `most` or a few less: the first, the last, and the lowest and the
/// highest of every stretch between.
///
/// So no peak gets lost, which a mean or every n-th point would do.
pub(crate) fn thin(points: &[(f64, f64)], most: usize) -> Points {
    extremes(points, most).into_iter().map(|index| points[index]).collect()
}

/// The points to draw as dots, `most` or a few less: every n-th, which shows where most of them are, and the
/// extremes.
pub(crate) fn scatter(points: &[(f64, f64)], most: usize) -> Points {
    if points.len() <= most {
        return points.to_vec();
    }
    let mut kept = extremes(points, most / 3);
    kept.extend((0..points.len()).step_by(points.len().div_ceil((most - most / 3).max(1))));
    kept.into_iter().map(|index| points[index]).collect()
}

/// The indices of the first point, the last, and the lowest and the highest of equal stretches, `most` or a few less.
pub(crate) fn extremes(points: &[(f64, f64)], most: usize) -> BTreeSet<usize> {
    let most = most.max(4);
    if points.len() <= most {
        return (0..points.len()).collect();
    }
    let indices: Vec<usize> = (0..points.len()).collect();
    let mut kept = BTreeSet::from([0, points.len() - 1]);
    for stretch in indices.chunks(points.len().div_ceil((most - 2) / 2)) {
        let by_value = |a: &&usize, b: &&usize| points[**a].1.total_cmp(&points[**b].1);
        kept.extend(stretch.iter().min_by(by_value));
        kept.extend(stretch.iter().max_by(by_value));
    }
    kept
}

/// The mean over a window around each point, a fortieth of the series wide, for series that jump from point
/// to point.
pub(crate) fn smooth(points: &[(f64, f64)]) -> Points {
    let reach = (points.len() / 80).min(100);
    let mut sums = Vec::with_capacity(points.len() + 1);
    sums.push(0.0);
    for (_, y) in points {
        sums.push(sums.last().copied().unwrap_or(0.0) + y);
    }
    let mean = |index: usize| {
        let (from, to) = (index.saturating_sub(reach), (index + reach + 1).min(points.len()));
        (sums[to] - sums[from]) / (to - from) as f64
    };
    points.iter().enumerate().map(|(index, (x, _))| (*x, mean(index))).collect()
}

/// The series' value at `x`, on the straight line between its neighbours; `None` outside the series.
pub(crate) fn value_at(points: &[(f64, f64)], x: f64) -> Option<f64> {
    let after = points.partition_point(|point| point.0 < x);
    let (x1, y1) = *points.get(after)?;
    if x1 == x {
        return Some(y1);
    }
    let (x0, y0) = *points.get(after.checked_sub(1)?)?;
    Some(y0 + (y1 - y0) * (x - x0) / (x1 - x0))
}
