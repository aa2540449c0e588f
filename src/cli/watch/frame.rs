//! What is shown of a run: lines of text for a terminal of any size.

use std::time::{Duration, SystemTime};

use crossterm::style::{Color, Stylize};
use indicatif::HumanCount;

use super::chart::Chart;
use super::reading::{Reading, State};
use crate::cli::terminal::probabilities;
use crate::evaluation::Evaluation;
use crate::numbers::{mean, number, short};
use crate::plot::RunLabel;
use crate::rows::{EpisodeRecord, UpdateRecord};
use crate::run::Summary;

/// How long a run may write no row before it is worth a word: an evaluation, or an episode before learning starts, takes
/// less.
const PATIENCE: Duration = Duration::from_secs(30);

/// Columns of a terminal.
const LABEL: usize = 14;
const VALUE: usize = 20;
/// Fewer say nothing.
const NARROWEST_CHART: usize = 8;
/// Most lines of a chart.
const TALLEST_CHART: usize = 4;

/// Smaller p are drawn as this.
const LOWEST_P: f64 = 1e-12;

/// Of the 256 colours of a terminal those nearest to Okabe and Ito's sky blue, orange and bluish green, which readers with
/// any kind of colour vision tell apart; and none is needed, since every chart has its name beside it.
const RETURNS: Color = Color::AnsiValue(74);
const DROPOUT: Color = Color::AnsiValue(214);
const REST: Color = Color::AnsiValue(36);

/// Columns and lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub width: usize,
    pub height: usize,
}

/// A line, parts of which have a colour.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line(Vec<(String, Option<Color>)>);

impl Line {
    fn plain(text: impl Into<String>) -> Self {
        Self(vec![(text.into(), None)])
    }

    /// As text; with colours, where they are wanted and NO_COLOR is not set.
    pub fn painted(&self, colored: bool) -> String {
        let parts = self.0.iter().map(|(text, color)| match color.filter(|_| colored) {
            Some(color) => text.as_str().with(color).to_string(),
            None => text.clone(),
        });
        parts.collect::<String>().trim_end().to_owned()
    }

    /// Without what does not fit.
    fn cut(self, width: usize) -> Self {
        let mut room = width;
        let cut = self.0.into_iter().map(|(text, color)| {
            let text: String = text.chars().take(room).collect();
            room -= text.chars().count();
            (text, color)
        });
        Self(cut.collect())
    }
}

/// A quantity over the steps.
struct Series {
    label: String,
    color: Color,
    points: Vec<(f64, f64)>,
    /// Its values as text.
    shown: fn(f64) -> String,
    /// What follows the newest.
    remark: String,
}

/// The frame, `keys` at its end. What does not fit is left out, the least important first.
pub fn frame(reading: &Reading, size: Size, keys: &str) -> Vec<Line> {
    let state = reading.state(SystemTime::now(), PATIENCE);
    let mut lines = heading(reading, state, size.width);
    let series = series(reading);
    let room = size.height.saturating_sub(lines.len() + 1);
    let each = room / series.len().max(1);
    // A line between tall charts.
    let gap = usize::from(each > 2);
    let rows = (each - gap.min(each)).clamp(1, TALLEST_CHART);
    let end = reading.steps().max(1) as f64;
    for one in series.into_iter().take(room / (rows + gap)) {
        lines.extend(vec![Line::default(); gap]);
        lines.extend(charted(&one, end, size.width, rows));
    }
    lines.truncate(size.height.saturating_sub(1));
    lines.push(Line::plain(format!(
        "from step 0 to {}, p on a logarithmic axis{keys}",
        HumanCount(reading.steps())
    )));
    lines.into_iter().map(|line| line.cut(size.width)).collect()
}

fn heading(reading: &Reading, state: State<'_>, width: usize) -> Vec<Line> {
    let Reading { config, .. } = reading;
    let (steps, all) = (reading.steps(), config.steps.max(1));
    let share = (steps as f64 / all as f64).min(1.0);
    let percent = format!(" {:3.0}%", 100.0 * share);
    let bar = width.saturating_sub(percent.len());
    let done = (share * bar as f64) as usize;
    let mut lines = vec![
        Line::plain(RunLabel::of(config, None).title),
        Line::plain(reading.folder.display().to_string()),
    ];
    lines.extend(wrapped(&told(reading, state), width).map(Line::plain));
    lines.push(Line(vec![("█".repeat(done), Some(REST)), ("░".repeat(bar - done), None), (percent, None)]));
    let evaluation = match state {
        State::Ended(Summary { evaluation: Some(evaluation), .. }) => {
            let Evaluation { mean_return, std_return, episodes, .. } = evaluation;
            Some(format!(
                "evaluated: {} +- {} over {episodes} episodes",
                mean(*mean_return),
                mean(*std_return)
            ))
        }
        _ => None,
    };
    lines.extend(evaluation.map(Line::plain));
    lines
}

/// A text in lines of `width` characters, as far as its words are not longer.
fn wrapped(text: &str, width: usize) -> impl Iterator<Item = String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.into_iter()
}

/// What becomes of the run.
fn told(reading: &Reading, state: State<'_>) -> String {
    let (steps, all) = (reading.steps(), reading.config.steps);
    let position = format!("step {} of {}", HumanCount(steps), HumanCount(all));
    match state {
        State::Training => match reading.speed {
            Some(speed) => {
                let left = Duration::from_secs((all.saturating_sub(steps) as f64 / speed) as u64);
                let left = indicatif::HumanDuration(left);
                format!("training: {position}, {speed:.0} a second, {left} left")
            }
            None => format!("training: {position}"),
        },
        State::Silent(silence) => {
            let silence = indicatif::HumanDuration(silence);
            format!(
                "{position}; nothing written for {silence}: it takes long, or was ended without a word and `resume` trains on"
            )
        }
        State::Ended(summary) => {
            let (seconds, speed) = (summary.training_seconds, summary.steps_per_second);
            let took = format!("{seconds:.1} s, {} steps a second", number(speed));
            match summary.ended.as_str() {
                "finished" => format!("finished: {} steps in {took}", HumanCount(steps)),
                "interrupted" => format!("interrupted: {position}, {took}; `resume` trains on"),
                error => format!("ended by an error: {position}; {error}"),
            }
        }
    }
}

/// What is shown, the most important first.
fn series(reading: &Reading) -> Vec<Series> {
    let Reading { config, reward_threshold, episodes, updates, evaluations, .. } = reading;
    let of_episodes = |value: fn(&EpisodeRecord) -> f64| -> Vec<(f64, f64)> {
        episodes.iter().map(|row| (row.total_steps as f64, value(row))).collect()
    };
    let of_updates = |value: &dyn Fn(&UpdateRecord) -> f64| -> Vec<(f64, f64)> {
        updates.iter().map(|row| (row.total_steps as f64, value(row))).collect()
    };
    let series = |label: &str, color, points: Vec<(f64, f64)>, shown: fn(f64) -> String| Series {
        label: label.to_owned(),
        color,
        points,
        shown,
        remark: String::new(),
    };
    let solved = reward_threshold.map(|threshold| format!(" (goal: {})", short(threshold)));
    let mut all = vec![
        Series {
            remark: solved.unwrap_or_default(),
            ..series("mean return", RETURNS, of_episodes(|row| row.mean_return_100), mean)
        },
        series(
            "evaluation",
            RETURNS,
            evaluations.iter().map(|row| (row.total_steps as f64, row.mean_return)).collect(),
            mean,
        ),
    ];
    let parts = updates.last().map_or(0, |row| row.p.len());
    for part in 0..parts {
        let is_local = config.has_local_dropout() && part + 1 == parts;
        let label = if is_local { "p, local".to_owned() } else { format!("p, layer {part}") };
        let logarithm = |row: &UpdateRecord| row.p.get(part).map_or(f64::NAN, |p| p.max(LOWEST_P).log10());
        let shown = |logarithm: f64| match logarithm > LOWEST_P.log10() {
            true => probabilities(&[10_f64.powf(logarithm)], false),
            false => "0".to_owned(),
        };
        all.push(series(&label, DROPOUT, of_updates(&logarithm), shown));
    }
    let share = |row: &EpisodeRecord| row.exploratory_share.unwrap_or(f64::NAN);
    all.extend([
        series("N", DROPOUT, of_updates(&|row| row.dataset_size), |n| HumanCount(n as u64).to_string()),
        series("epistemic std", REST, of_updates(&|row| row.epistemic_std), number),
        series("TD error", REST, of_updates(&|row| row.td_error), number),
        series("exploratory", REST, of_episodes(share), |share| format!("{:.0}%", 100.0 * share)),
    ]);
    all
}

/// A series on `rows` lines: its name, its chart where there is room for one, its newest value, and where there are two
/// lines the range of the chart.
fn charted(series: &Series, end: f64, width: usize, rows: usize) -> Vec<Line> {
    let Series { label, color, points, shown, remark } = series;
    let newest = points.iter().rev().find(|(_, y)| y.is_finite());
    let newest = newest.map_or_else(|| "-".to_owned(), |(_, y)| shown(*y)) + remark;
    let columns = width.saturating_sub(LABEL + 1 + VALUE);
    if columns < NARROWEST_CHART {
        return vec![Line::plain(format!("{label:LABEL$} {newest}"))];
    }
    let Chart { lines, range } = Chart::new(points, end, columns, rows);
    let range = range.map_or(String::new(), |(low, high)| format!("{} to {}", shown(low), shown(high)));
    let line = |(row, columns): (usize, String)| {
        let (left, right) = match rows - row {
            1 => (label.as_str(), newest.as_str()),
            2 => ("", range.as_str()),
            _ => ("", ""),
        };
        let [left, right] = [format!("{left:LABEL$}"), format!(" {right}")];
        Line(vec![(left, None), (columns, Some(*color)), (right, None)])
    };
    lines.into_iter().enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading() -> Reading {
        let episode = |n: u64| EpisodeRecord {
            total_steps: 10 * n,
            mean_return_100: n as f64,
            exploratory_share: Some(0.25),
            ..EpisodeRecord::default()
        };
        let update = |n: u64| UpdateRecord {
            total_steps: 5 * n,
            epistemic_std: 1.0 / n as f64,
            dataset_size: 5.0 * n as f64,
            p: vec![0.5 / n as f64, 1e-9],
            ..UpdateRecord::default()
        };
        Reading {
            folder: "runs/läufe".into(),
            reward_threshold: Some(475.0),
            speed: Some(100.0),
            episodes: (1..=250).map(episode).collect(),
            updates: (1..=500).map(update).collect(),
            ..Reading::default()
        }
    }

    fn text(size: Size) -> Vec<String> {
        frame(&reading(), size, "; q quits").iter().map(|line| line.painted(false)).collect()
    }

    #[test]
    fn the_essentials_are_told() {
        let lines = text(Size { width: 100, height: 30 });
        let whole = lines.join("\n");
        for part in [
            "CartPole-v1 · ucb · seed 0",
            "runs/läufe",
            "training: step 2,500 of 50,000, 100 a second, 8 minutes left",
            "5%",
            "250.0 (goal: 475)",
            "1.0e-3",
            "1.0e-3 to 0.15",
            "1.0e-9",
            "2,500",
            "25%",
            "q quits",
        ] {
            assert!(whole.contains(part), "`{part}` is missing in:\n{whole}");
        }
        assert!(whole.contains('█') && whole.contains('▁'));
        assert!(lines.iter().any(|line| line.starts_with("evaluation") && line.ends_with(" -")), "{whole}");
    }

    #[test]
    fn a_frame_fits_into_a_terminal_of_any_size() {
        for width in [1, 7, 20, 49, 50, 80, 300] {
            for height in [1, 2, 5, 9, 24, 100] {
                let lines = text(Size { width, height });
                assert!(lines.len() <= height, "{width} x {height}: {} lines", lines.len());
                let widest = lines.iter().map(|line| line.chars().count()).max().unwrap();
                assert!(widest <= width, "{width} x {height}: {widest} columns");
            }
        }
    }

    #[test]
    fn what_became_of_a_run_is_told_to_its_end() {
        let lines: Vec<_> = wrapped("ended by an error: the loss is not finite", 18).collect();
        assert_eq!(lines, ["ended by an error:", "the loss is not", "finite"]);
        assert_eq!(wrapped("unbreakable", 3).collect::<Vec<_>>(), ["unbreakable"]);
    }

    #[test]
    fn a_run_without_rows_has_a_frame() {
        let lines = frame(&Reading::default(), Size { width: 80, height: 24 }, "");
        let whole = lines.iter().map(|line| line.painted(false)).collect::<Vec<_>>().join("\n");
        assert!(whole.contains("training: step 0 of 50,000") && whole.contains("0%"), "{whole}");
    }
}
