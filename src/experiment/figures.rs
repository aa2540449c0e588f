//! The figures of an experiment: two for every environment.

use std::path::{Path, PathBuf};

use super::group::Group;
use crate::error::Error;
use crate::numbers::cell;
use crate::plot::axis::{Axis, NO_DROPOUT, Scale, number};
use crate::plot::drawing;
use crate::plot::figure::{Column, Figure, Key, Mark, Panel, Stroke};
use crate::plot::figures::run::{LOCAL_NAME, layer_name};
use crate::plot::palette;
use crate::plot::points::{Points, points, value_at};
use crate::plot::table::RunTables;
use crate::statistics::{
    Estimate, Interval, REPLICATES, interquartile_mean_estimate, quantile, share_above_estimate,
};

/// At how many places a curve is computed.
const CURVE_POINTS: usize = 150;
/// Resamples of an interval of a curve, which is read less closely than a number.
const CURVE_REPLICATES: usize = 2_000;
/// How wide a dot is that stands for a run.
const RUN_DOT: f64 = 15.0;

/// Draws `<alias>-return` and `<alias>-dropout`, each as SVG and PNG, for every environment that has a
/// finished run, and returns their paths. The groups of an environment follow each other.
///
/// # Errors
/// Where a figure can't be drawn or written.
pub fn draw(groups: &[Group<'_>], folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut paths = Vec::new();
    for of_environment in groups.chunk_by(|a, b| a.environment.id() == b.environment.id()) {
        if of_environment.iter().any(|group| !group.summaries.is_empty()) {
            let alias = of_environment[0].environment.alias();
            let figures = EnvironmentFigures::of(of_environment);
            for (name, figure) in [("return", figures.returns()), ("dropout", figures.dropout())] {
                paths.extend(drawing::write(&figure, &folder.join(format!("{alias}-{name}")))?);
            }
        }
    }
    Ok(paths)
}

/// What a variant does, place after place.
type Curve = Vec<(f64, Estimate)>;

/// What the figures of an environment share.
struct EnvironmentFigures<'a> {
    groups: &'a [Group<'a>],
    threshold: Option<f64>,
    steps: Axis,
}

impl<'a> EnvironmentFigures<'a> {
    fn of(groups: &'a [Group<'a>]) -> Self {
        let runs = groups.iter().flat_map(|group| &group.tables);
        Self {
            groups,
            threshold: shared_threshold(groups),
            steps: Axis::from_zero(runs.flat_map(|run| &run.course.total_steps).copied(), 0.0),
        }
    }

    fn figure(&self, subtitle: String, columns: Vec<Column>, height: u32) -> Figure {
        let key = |(index, group): (usize, &Group<'_>)| Key {
            name: format!("{} ({})", group.variant, counted(group.summaries.len(), "run")),
            stroke: palette::stroke(index),
            band: true,
        };
        let id = self.groups[0].environment.id();
        Figure {
            title: format!("{id} · {}", counted(self.groups.len(), "variant")),
            subtitle,
            legend: self.groups.iter().enumerate().map(key).collect(),
            columns,
            size: (1600, height),
        }
    }

    /// How well the variants do, while they learn and in the end.
    fn returns(&self) -> Figure {
        let rows = self.groups.len() as f64;
        let mut learning = vec![self.learning_curves()];
        if self.threshold.is_some() {
            learning.push(self.steps_to_threshold(0.3 + 0.12 * rows));
        }
        let evaluations: Vec<f64> = self.groups.iter().flat_map(Group::evaluations).collect();
        let across = Axis::around(evaluations.iter().copied().chain(self.threshold));
        let mut columns = vec![Column::over_steps(self.steps, learning)];
        if !evaluations.is_empty() {
            columns.push(Column {
                across,
                name: "mean return of a run's evaluation",
                panels: vec![self.performance_profile(across), self.evaluations(0.3 + 0.12 * rows)],
            });
        }
        let dashed = self.threshold.map(|value| format!("; dashed: reward threshold {}", number(value)));
        let subtitle =
            "Dots: runs; lines: interquartile mean, 95% interval (steps to threshold: median, quartiles)";
        self.figure(
            format!("{subtitle}{}", dashed.unwrap_or_default()),
            columns,
            900 + 60 * self.groups.len() as u32,
        )
    }

    /// How unsure the variants are, and how much they drop.
    fn dropout(&self) -> Figure {
        let layers = self.groups.iter().flat_map(|group| &group.tables).map(|run| run.course.dropout.len());
        let layers = layers.max().unwrap_or(0);
        let std = self
            .medians(|run| Some(typical(&points(&run.episodes.total_steps, &run.episodes.epistemic_std))));
        let mut panels = vec![median_panel(
            "Epistemic std (return units)".to_owned(),
            "moving median".to_owned(),
            Axis::logarithmic(drawn(&std)),
            &std,
        )];
        let p: Vec<_> = (0..layers)
            .map(|layer| {
                self.medians(|run| Some(points(&run.course.total_steps, run.course.dropout.get(layer)?)))
            })
            .collect();
        // One axis for all layers, so that they compare as well as the variants do; down to the smallest p
        // there is.
        let drawn_p = || p.iter().flat_map(|curves| drawn(curves)).filter(|p| *p > NO_DROPOUT);
        let lowest = drawn_p().fold(1.0, f64::min);
        let highest = drawn_p().fold(lowest, f64::max);
        let axis = Axis { scale: Scale::Logarithmic, low: lowest / 1.3, high: highest * 1.3 };
        panels.extend(p.iter().enumerate().map(|(layer, curves)| {
            median_panel(format!("Dropout probability {}", layer_name(layer)), String::new(), axis, curves)
        }));
        let local =
            self.medians(|run| Some(points(&run.course.total_steps, run.course.local_dropout.as_ref()?)));
        if drawn(&local).next().is_some() {
            // Far higher than that of layers.
            let axis = Axis::of_probabilities(drawn(&local));
            let heading = format!("Dropout probability {LOCAL_NAME}");
            panels.push(median_panel(heading, String::new(), axis, &local));
        }
        let right = panels.split_off(panels.len().div_ceil(2));
        let height = 330 + 380 * panels.len() as u32;
        let columns = [panels, right].into_iter().filter(|panels| !panels.is_empty());
        let columns = columns.map(|panels| Column::over_steps(self.steps, panels)).collect();
        let subtitle = "Lines: median over runs; bands: from the lower to the upper quartile; what is below an axis \
                        lies on its edge";
        self.figure(subtitle.to_owned(), columns, height)
    }

    fn learning_curves(&self) -> Panel {
        let curves = self.curves(
            |run| Some(points(&run.episodes.total_steps, &run.episodes.mean_return)),
            |values| interquartile_mean_estimate(&[values], CURVE_REPLICATES),
        );
        let level = self.threshold.map(|value| Mark::Level { value, name: String::new() });
        let axis = Axis::around(drawn(&curves).chain(self.threshold));
        let marks = level.into_iter().chain(marks(&curves)).collect();
        Panel { empty: "no episodes", ..Panel::new("Mean return of 100 episodes", axis, marks) }
    }

    /// The medians and quartiles of a series of every run.
    fn medians(&self, series: impl Fn(&RunTables) -> Option<Points>) -> Vec<Curve> {
        self.curves(series, |values| {
            let at = |share| quantile(values, share).unwrap_or(f64::NAN);
            Estimate { value: at(0.5), interval: Interval { low: at(0.25), high: at(0.75) } }
        })
    }

    /// A summary over the runs of every group, wherever all of them have begun. A run that has ended keeps
    /// its last value, since each ends with another step.
    fn curves(
        &self,
        series: impl Fn(&RunTables) -> Option<Points>,
        summary: impl Fn(&[f64]) -> Estimate,
    ) -> Vec<Curve> {
        let of_group = |group: &Group<'_>| -> Curve {
            let runs: Vec<Points> =
                group.tables.iter().filter_map(&series).filter(|points| !points.is_empty()).collect();
            let end = runs.iter().flatten().map(|point| point.0).fold(0.0, f64::max);
            let places = (0..=CURVE_POINTS).map(|place| end * place as f64 / CURVE_POINTS as f64);
            let value = |run: &Points, step: f64| match run.last() {
                Some((last, value)) if *last <= step => Some(*value),
                _ => value_at(run, step),
            };
            let at = |step: f64| {
                let values: Option<Vec<f64>> = runs.iter().map(|run| value(run, step)).collect();
                values.filter(|values| !values.is_empty()).map(|values| (step, summary(&values)))
            };
            places.filter_map(at).collect()
        };
        self.groups.iter().map(of_group).collect()
    }

    /// A row for every variant: when its runs reached the threshold, and how many did.
    fn steps_to_threshold(&self, weight: f64) -> Panel {
        let rows = self.groups.iter().map(|group| {
            let steps = group.steps_to_threshold();
            let middle = quantile(&steps, 0.25).zip(quantile(&steps, 0.5)).zip(quantile(&steps, 0.75));
            let middle =
                middle.map(|((low, value), high)| Estimate { value, interval: Interval { low, high } });
            (steps.clone(), middle, format!("{} of {}", steps.len(), group.summaries.len()))
        });
        let (heading, axis) = ("Steps until the threshold was reached", Axis::rows(self.groups.len()));
        Panel { empty: "no runs", weight, ..Panel::new(heading, axis, row_marks(rows)) }
    }

    /// A row for every variant: the evaluations of its runs.
    fn evaluations(&self, weight: f64) -> Panel {
        let rows = self.groups.iter().map(|group| {
            let scores = group.evaluations();
            let estimate = (!scores.is_empty()).then(|| interquartile_mean_estimate(&[&scores], REPLICATES));
            let name = estimate.map_or_else(String::new, |estimate| written(estimate.value));
            (scores, estimate, name)
        });
        let axis = Axis::rows(self.groups.len());
        let mut marks: Vec<Mark> = self.threshold_line(axis).into_iter().collect();
        marks.extend(row_marks(rows));
        Panel { empty: "no evaluations", weight, ..Panel::new("Evaluation after training", axis, marks) }
    }

    /// The threshold where returns lie across, from one end of the vertical axis to the other.
    fn threshold_line(&self, axis: Axis) -> Option<Mark> {
        let stroke = Stroke { dashed: true, width: 3.0, ..Stroke::strong(palette::FRAME) };
        let threshold = self.threshold?;
        let points = vec![(threshold, axis.low), (threshold, axis.high)];
        Some(Mark::line(points, stroke))
    }

    fn performance_profile(&self, across: Axis) -> Panel {
        let of_group = |group: &Group<'_>| -> Curve {
            let scores = group.evaluations();
            if scores.is_empty() {
                return Vec::new();
            }
            // The profile falls at every score and nowhere else: its height just before and at each is all
            // there is.
            let falls = scores.iter().flat_map(|score| [score.next_down(), *score]);
            let mut thresholds: Vec<f64> = [across.low, across.high].into_iter().chain(falls).collect();
            thresholds.sort_by(f64::total_cmp);
            thresholds.dedup();
            let at = |threshold| (threshold, share_above_estimate(&[&scores], threshold, CURVE_REPLICATES));
            thresholds.into_iter().map(at).collect()
        };
        let curves: Vec<_> = self.groups.iter().map(of_group).collect();
        let axis = Axis { scale: Scale::Linear, low: 0.0, high: 1.02 };
        let marks = self.threshold_line(axis).into_iter().chain(marks(&curves)).collect();
        Panel { empty: "no evaluations", ..Panel::new("Share of runs that score higher", axis, marks) }
    }
}

/// The threshold of an environment, which may differ by the arguments that variants give it: then none is that of all.
fn shared_threshold(groups: &[Group<'_>]) -> Option<f64> {
    let of = |group: &Group<'_>| group.environment.spec().reward_threshold;
    let first = of(groups.first()?);
    first.filter(|_| groups.iter().all(|group| of(group) == first))
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A number as the table has it.
fn written(value: f64) -> String {
    cell(value).replace('-', "−")
}

/// Every value that the curves go through, bands included.
fn drawn(curves: &[Curve]) -> impl Iterator<Item = f64> + Clone {
    let values = |estimate: &Estimate| [estimate.value, estimate.interval.low, estimate.interval.high];
    curves.iter().flatten().flat_map(move |(_, estimate)| values(estimate))
}

/// The median over a window around each point, a twentieth of the series wide: single episodes jump by powers
/// of ten, and a mean would show no others.
fn typical(points: &[(f64, f64)]) -> Points {
    let reach = points.len() / 40;
    let around = |index: usize| {
        let window = &points[index.saturating_sub(reach)..(index + reach + 1).min(points.len())];
        window.iter().map(|point| point.1).collect::<Vec<_>>()
    };
    let median = |index: usize| quantile(&around(index), 0.5).unwrap_or(f64::NAN);
    points.iter().enumerate().map(|(index, (step, _))| (*step, median(index))).collect()
}

fn median_panel(heading: String, note: String, axis: Axis, curves: &[Curve]) -> Panel {
    Panel { note, empty: "no episodes", ..Panel::new(heading, axis, marks(curves)) }
}

/// The bands of all curves, and the curves over them.
fn marks(curves: &[Curve]) -> Vec<Mark> {
    let drawn = || curves.iter().enumerate().filter(|(_, curve)| !curve.is_empty());
    let bands = drawn().map(|(index, curve)| Mark::Band {
        lower: curve.iter().map(|(x, estimate)| (*x, estimate.interval.low)).collect(),
        upper: curve.iter().map(|(x, estimate)| (*x, estimate.interval.high)).collect(),
        color: palette::color(index),
    });
    let values = |curve: &Curve| curve.iter().map(|(x, estimate)| (*x, estimate.value)).collect();
    let lines = drawn().map(|(index, curve)| Mark::line(values(curve), palette::stroke(index)));
    bands.chain(lines).collect()
}

/// A row for each: a dot for every value, a bar from the interval's low to its high end with a tick at its
/// value, and a name at the right.
fn row_marks(rows: impl Iterator<Item = (Vec<f64>, Option<Estimate>, String)>) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (index, (values, estimate, name)) in rows.enumerate() {
        let (row, color) = (index as f64, palette::color(index));
        if let Some(Estimate { value, interval }) = estimate {
            for points in [
                vec![(interval.low, row), (interval.high, row)],
                vec![(value, row - 0.3), (value, row + 0.3)],
            ] {
                let stroke = Stroke { width: 5.0, ..Stroke::strong(color) };
                marks.push(Mark::line(points, stroke));
            }
        }
        // Each a little below the one before, so that equal values do not hide each other.
        let spread =
            |place: usize| row + 0.24 * (place as f64 / (values.len().max(2) - 1) as f64 - 0.5) * 2.0;
        let points = values.iter().enumerate().map(|(place, value)| (*value, spread(place))).collect();
        marks.push(Mark::Dots { points, color, diameter: RUN_DOT });
        marks.push(Mark::Name { at: row, name, stroke: palette::stroke(index) });
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::table::Episodes;
    use control_envs::Registry;

    fn run(total_steps: &[f64], mean_return: &[f64]) -> RunTables {
        let (total_steps, mean_return) = (total_steps.into(), mean_return.into());
        RunTables {
            episodes: Episodes { total_steps, mean_return, ..Episodes::default() },
            ..RunTables::default()
        }
    }

    #[test]
    fn a_curve_begins_with_the_last_run_and_holds_what_has_ended() {
        let registry = Registry::builtin();
        let group = Group {
            environment: registry.find("cartpole").unwrap(),
            variant: "a",
            planned: 2,
            runs: Vec::new(),
            summaries: Vec::new(),
            tables: vec![run(&[30.0, 150.0], &[0.0, 120.0]), run(&[10.0, 90.0], &[10.0, 10.0])],
        };
        let groups = [group];
        let curves = EnvironmentFigures::of(&groups).curves(
            |run| Some(points(&run.episodes.total_steps, &run.episodes.mean_return)),
            |values| interquartile_mean_estimate(&[values], 10),
        );
        let curve: Vec<_> = curves[0].iter().map(|(step, estimate)| (*step, estimate.value)).collect();
        assert_eq!((curve[0], curve.len()), ((30.0, 5.0), 121));
        assert!(curve.contains(&(60.0, 20.0)), "the mean of 30 and 10");
        assert_eq!(curve.last(), Some(&(150.0, 65.0)), "the mean of 120 and the 10 that is held");
    }

    #[test]
    fn a_moving_median_shows_no_single_peak() {
        let mut series: Points = (0..200).map(|step| (f64::from(step), 1.0)).collect();
        series[100].1 = 1e6;
        assert!(typical(&series).iter().all(|(_, value)| *value == 1.0));
        assert_eq!(typical(&[(3.0, 4.0)]), [(3.0, 4.0)]);
        assert_eq!(typical(&[]), []);
    }
}
