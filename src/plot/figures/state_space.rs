//! The figure of a run's state space: where it has been, and what it knows there.

use crate::plot::RunLabel;
use crate::plot::axis::number;
use crate::plot::figures::heatmaps::{Bounds, Colors, Heatmap, HeatmapRow, Heatmaps};
use crate::rows::{MapRecord, whole_maps};

/// A run that was trained further has more maps than a figure has room for: so many of them are drawn, the first and the
/// last included.
const MOST_MOMENTS: usize = 6;

/// The maps of a run, a column of heat maps for each moment; of a run without any there is no figure.
pub(crate) fn figure(rows: &[MapRecord], label: &RunLabel) -> Option<Heatmaps> {
    let (columns, mut maps) = whole_maps(rows);
    if maps.len() > MOST_MOMENTS {
        let last = maps.len() - 1;
        let spread = (0..MOST_MOMENTS).map(|index| maps[(index * last).div_euclid(MOST_MOMENTS - 1)]);
        maps = spread.collect();
    }
    let first = *maps.first()?;
    let unknown = || {
        let bounds = |name: &str, value: fn(&MapRecord) -> f64| Bounds {
            name: name.to_owned(),
            low: value(&first[0]),
            high: value(&first[first.len() - 1]),
        };
        [bounds("first state variable", |row| row.x), bounds("second state variable", |row| row.y)]
    };
    let [horizontal, vertical] = label.axes.clone().unwrap_or_else(unknown);
    // Of a grid the first row is the topmost one.
    let is_grid = vertical.high < vertical.low;
    let heatmaps = |value: &dyn Fn(&MapRecord) -> f64, with_dots: bool| -> Vec<Heatmap> {
        let one = |rows: &&[MapRecord]| {
            let mut rows: Vec<&[MapRecord]> = rows.chunks(columns).collect();
            if is_grid {
                rows.reverse();
            }
            let visited = |(index, row): (usize, &&[MapRecord])| {
                let seen = row.iter().enumerate().filter(|(_, cell)| cell.visits > 0);
                seen.map(|(column, _)| (index, column)).collect::<Vec<_>>()
            };
            Heatmap {
                name: format!("step {}", number(rows[0][0].env_steps as f64)),
                cells: rows.iter().map(|row| row.iter().map(value).collect()).collect(),
                dots: if with_dots {
                    rows.iter().enumerate().flat_map(visited).collect()
                } else {
                    Vec::new()
                },
            }
        };
        maps.iter().map(one).collect()
    };
    let row = |name: &str, unit: &str, is_logarithmic, heatmaps| HeatmapRow {
        name: name.to_owned(),
        colors: Some(Colors { name: unit.to_owned(), is_logarithmic }),
        heatmaps,
    };
    let blank_if_none = |visits: u64| if visits == 0 { f64::NAN } else { visits as f64 };
    let mut all = vec![
        row("Visits in the replay", "transitions", true, heatmaps(&|row| blank_if_none(row.visits), false)),
        row("Epistemic std of the greedy action", "return", true, heatmaps(&|row| row.epistemic_std, true)),
    ];
    if rows.iter().any(|row| row.local_p.is_some()) {
        let p = heatmaps(&|row| row.local_p.unwrap_or(f64::NAN), true);
        all.push(row("Local p of the greedy action", "p", true, p));
    }
    all.push(row("Value of the greedy action", "return", false, heatmaps(&|row| row.value, false)));
    let subtitle = match label.is_slice {
        true => {
            "Where the agent has been, whatever the other variables were, and how sure it is where those are at their median"
        }
        false => "Where the agent has been, and how sure it is there; dots: cells it has been in",
    };
    Some(Heatmaps {
        title: label.title.clone(),
        subtitle: subtitle.to_owned(),
        horizontal,
        vertical,
        counted: String::new(),
        rows: all,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_moments_a_few_are_drawn() {
        let cell = |env_steps, index: u8| MapRecord {
            env_steps,
            x: f64::from(index % 2),
            y: f64::from(index / 2),
            ..MapRecord::default()
        };
        let rows: Vec<MapRecord> =
            (1..=40).flat_map(|moment| (0..4).map(move |index| cell(100 * moment, index))).collect();
        let names = |rows: &[MapRecord]| -> Vec<String> {
            let heatmaps = figure(rows, &RunLabel::default()).unwrap();
            heatmaps.rows[0].heatmaps.iter().map(|heatmap| heatmap.name.clone()).collect()
        };
        assert_eq!(names(&rows[..20]).len(), 5);
        let many = names(&rows);
        assert_eq!(many.len(), MOST_MOMENTS);
        assert_eq!((many[0].as_str(), many[5].as_str()), ("step 100", "step 4k"));
    }
}
