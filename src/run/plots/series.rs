//! Series of points, made few enough to draw and smooth enough to read.

/// Points with finite coordinates, in the order in which they happened.
pub(super) type Points = Vec<(f64, f64)>;

/// How many points of a series are drawn. More are not told apart, they only make a file large and its drawing slow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Detail {
    /// Points of a line.
    pub line: usize,
    /// Dots, each of which costs ten times as much room in a file as a point of a line.
    pub dots: usize,
}

impl Detail {
    /// For panels as wide as the picture.
    pub const WIDE: Self = Self { line: 1000, dots: 600 };
    /// For panels half as wide.
    pub const NARROW: Self = Self { line: 500, dots: 300 };
}

/// Pairs two columns, leaving out the rows in which either is missing.
pub(super) fn points(x: &[f64], y: &[f64]) -> Points {
    x.iter().copied().zip(y.iter().copied()).filter(|(x, y)| x.is_finite() && y.is_finite()).collect()
}

/// At most `most` of the points: the first, the last, and the lowest and the highest of every stretch between.
///
/// So no peak gets lost, which a mean or every n-th point would do.
pub(super) fn thin(points: &[(f64, f64)], most: usize) -> Points {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Points::new() };
    if points.len() <= most.max(4) {
        return points.to_vec();
    }
    let inner = &points[1..points.len() - 1];
    let stretches = (most.max(4) - 2) / 2;
    let mut kept = vec![*first];
    for stretch in inner.chunks(inner.len().div_ceil(stretches)) {
        let by_value = |a: &usize, b: &usize| stretch[*a].1.total_cmp(&stretch[*b].1);
        let lowest = (0..stretch.len()).min_by(by_value);
        let highest = (0..stretch.len()).max_by(by_value);
        if let (Some(lowest), Some(highest)) = (lowest, highest) {
            kept.push(stretch[lowest.min(highest)]);
            if lowest != highest {
                kept.push(stretch[lowest.max(highest)]);
            }
        }
    }
    kept.push(*last);
    kept
}

/// The mean over a window around each point, a fortieth of the series wide, for series that jump from point to point.
pub(super) fn smooth(points: &[(f64, f64)]) -> Points {
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
pub(super) fn value_at(points: &[(f64, f64)], x: f64) -> Option<f64> {
    let after = points.partition_point(|point| point.0 < x);
    let (x1, y1) = *points.get(after)?;
    if x1 == x {
        return Some(y1);
    }
    let (x0, y0) = *points.get(after.checked_sub(1)?)?;
    Some(y0 + (y1 - y0) * (x - x0) / (x1 - x0))
}
