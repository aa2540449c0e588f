//! Which pixels a line covers, and how much of each.
//!
//! The library fills a thick line as one polygon with hard edges, which leaves holes where a jumping line crosses
//! itself. Here a pixel's coverage follows from its distance to the nearest segment: smooth edges, round joints.

/// Calls `paint(x, y, coverage)` for every pixel that a line of this width through the points covers.
///
/// A single point is a dot. A pixel is painted once however often the line passes, so that a translucent line is
/// evenly translucent.
pub(super) fn cover<E>(
    points: &[(f64, f64)],
    width: f64,
    mut paint: impl FnMut(i32, i32, f64) -> Result<(), E>,
) -> Result<(), E> {
    let reach = width / 2.0 + 0.5;
    let bounds = |of: fn(&(f64, f64)) -> f64, points: &[(f64, f64)]| {
        let low = points.iter().map(of).fold(f64::INFINITY, f64::min);
        let high = points.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        ((low - reach).floor() as i32, (high + reach).ceil() as i32)
    };
    if points.is_empty() {
        return Ok(());
    }
    let ((left, right), (top, bottom)) = (bounds(|point| point.0, points), bounds(|point| point.1, points));
    let columns = (right - left + 1) as usize;
    let mut coverage = vec![0u8; columns * (bottom - top + 1) as usize];

    let alone = [points[0], points[0]];
    let segments = if points.len() == 1 { alone.windows(2) } else { points.windows(2) };
    for segment in segments {
        let ((x0, y0), (dx, dy)) = (segment[0], (segment[1].0 - segment[0].0, segment[1].1 - segment[0].1));
        let length_squared = dx * dx + dy * dy;
        let (rows_from, rows_to) = bounds(|point| point.1, segment);
        for y in rows_from..=rows_to {
            // Only the part of the row that is near the segment, which for a steep one is much less than its width.
            let (from, to) = if dy.abs() > 1e-9 {
                let at = |y: f64| x0 + dx * ((y - y0) / dy).clamp(0.0, 1.0);
                let (a, b) = (at(f64::from(y) - reach), at(f64::from(y) + reach));
                (a.min(b), a.max(b))
            } else {
                (x0.min(x0 + dx), x0.max(x0 + dx))
            };
            for x in (from - reach).floor() as i32..=(to + reach).ceil() as i32 {
                let (px, py) = (f64::from(x) - x0, f64::from(y) - y0);
                let along = if length_squared > 0.0 {
                    ((px * dx + py * dy) / length_squared).clamp(0.0, 1.0)
                } else {
                    0.0
                };
                let (aside, below) = (px - along * dx, py - along * dy);
                let distance = (aside * aside + below * below).sqrt();
                let covered = (255.0 * (reach - distance).clamp(0.0, 1.0)) as u8;
                if let Some(pixel) = coverage.get_mut((y - top) as usize * columns + (x - left) as usize) {
                    *pixel = covered.max(*pixel);
                }
            }
        }
    }
    // Most of the rectangle around a line is empty: it is skipped in pieces.
    const PIECE: usize = 32;
    for (piece, covered) in coverage
        .chunks(PIECE)
        .enumerate()
        .filter(|(_, piece)| piece.iter().fold(0, |any, covered| any | covered) > 0)
    {
        for (index, covered) in covered.iter().enumerate().filter(|(_, covered)| **covered > 0) {
            let index = piece * PIECE + index;
            let (x, y) = (left + (index % columns) as i32, top + (index / columns) as i32);
            paint(x, y, f64::from(*covered) / 255.0)?;
        }
    }
    Ok(())
}

/// Cuts a line into dashes of this length with gaps of the same length between them.
pub(super) fn dashes(points: &[(f64, f64)], length: f64) -> Vec<Vec<(f64, f64)>> {
    let mut dashes = Vec::new();
    let mut dash: Vec<_> = points.first().copied().into_iter().collect();
    let (mut drawing, mut left) = (true, length);
    for segment in points.windows(2) {
        let ((mut x, mut y), (x1, y1)) = (segment[0], segment[1]);
        let mut rest = (x1 - x).hypot(y1 - y);
        while rest > left {
            (x, y) = (x + (x1 - x) * left / rest, y + (y1 - y) * left / rest);
            rest -= left;
            if drawing {
                dash.push((x, y));
                dashes.push(std::mem::take(&mut dash));
            } else {
                dash = vec![(x, y)];
            }
            (drawing, left) = (!drawing, length);
        }
        left -= rest;
        if drawing {
            dash.push((x1, y1));
        }
    }
    dashes.extend(drawing.then_some(dash).filter(|dash| dash.len() > 1));
    dashes
}
