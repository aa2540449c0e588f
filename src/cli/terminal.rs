//! What is seen on the terminal: log lines, progress bars, and plain lines where there is no terminal.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::arguments::Verbosity;
use crate::agent::Agent;
use crate::error::Error;
use crate::numbers;
use crate::rows::{EpisodeRecord, EvaluationRecord};
use crate::training::{Observer, RETURN_WINDOW};

/// Prints to stdout. A reader that has gone away, as with `| head`, is no failure; a full disk behind it is.
pub fn print(text: &str) -> Result<(), Error> {
    print_while_read(text).map(drop)
}

/// The same; returns whether there is a reader still.
pub fn print_while_read(text: &str) -> Result<bool, Error> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true).map_err(Error::file("write to", Path::new("the standard output"))),
    }
}

/// The terminal, or what stands in for one.
#[derive(Debug)]
pub struct Terminal {
    bars: MultiProgress,
    verbosity: Verbosity,
}

impl Terminal {
    /// Sends log lines to stderr, above the progress bars.
    pub fn start(verbosity: Verbosity) -> Self {
        let bars = MultiProgress::new();
        let level = match verbosity {
            Verbosity::Quiet => LevelFilter::ERROR,
            Verbosity::Normal => LevelFilter::INFO,
            Verbosity::Verbose => LevelFilter::DEBUG,
        };
        let set = std::env::var("RUST_LOG").ok().and_then(|targets| targets.parse::<Targets>().ok());
        let lines = tracing_subscriber::fmt::layer()
            .with_target(false)
            .with_timer(SinceStart(Instant::now()))
            .with_ansi(io::stderr().is_terminal())
            .with_writer(AboveBars(bars.clone()))
            .with_filter(set.unwrap_or_else(|| Targets::new().with_default(level)));
        // A second call in one process, as in tests, keeps the first subscriber.
        let _ = tracing_subscriber::registry().with(lines).try_init();
        Self { bars, verbosity }
    }

    /// Prints an error to stderr.
    pub fn error(&self, error: impl Display) {
        let _ = writeln!(io::stderr(), "error: {error}");
    }

    /// Prints what the user waited for to stdout, unless quiet.
    pub fn report(&self, text: impl Display) -> Result<(), Error> {
        if self.verbosity == Verbosity::Quiet {
            return Ok(());
        }
        print(&format!("{text}\n"))
    }

    /// The observer that shows a training of `steps` steps. `prefix` is what its lines start with.
    pub fn progress(&self, prefix: &str, steps: u64) -> Progress {
        let bar = self.bar(steps, prefix);
        Progress {
            bar,
            prefix: prefix.to_owned(),
            steps,
            begun_at: None,
            returns: None,
            evaluation: None,
            exploratory_share: None,
            last_line: Instant::now(),
        }
    }

    /// The observer that shows `trainings` trainings of `steps` steps altogether.
    pub fn shared_progress(&self, steps: u64, trainings: usize) -> SharedProgress {
        let bar = self.bar(steps, "");
        SharedProgress { bar, trainings, over: Arc::default() }
    }

    /// A bar over environment steps, where there is a terminal to see it on.
    fn bar(&self, steps: u64, prefix: &str) -> Option<ProgressBar> {
        (self.verbosity != Verbosity::Quiet && io::stderr().is_terminal()).then(|| {
            let bar = self.bars.add(ProgressBar::new(steps));
            let drawn = match crossterm::terminal::size().map_or(80, |(columns, _)| columns) {
                120.. => "{bar:24.cyan/blue} ",
                80.. => "{bar:8.cyan/blue} ",
                // How well it does says more.
                _ => "",
            };
            let template = format!(
                "{{prefix}}{drawn}{{human_pos}}/{{human_len}} steps, {{rate}}/s, {{eta}} left  {{wide_msg}}"
            );
            // A template that does not parse would be a typing error here; the default bar stands in for it.
            if let Ok(style) = ProgressStyle::with_template(&template) {
                let rate = |state: &ProgressState, out: &mut dyn fmt::Write| {
                    let _ = write!(out, "{:.0}", state.per_sec());
                };
                bar.set_style(style.with_key("rate", rate));
            }
            bar.set_prefix(prefix.to_owned());
            bar
        })
    }
}

/// Shows a training as it goes.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    prefix: String,
    steps: u64,
    /// The step that it began after: 0, but of a run that is resumed. Known once it has begun.
    begun_at: Option<u64>,
    /// What is known of the returns.
    returns: Option<String>,
    /// The mean return of the newest evaluation.
    evaluation: Option<f64>,
    /// Of the last episode's decisions.
    exploratory_share: Option<f64>,
    last_line: Instant,
}

impl Progress {
    /// From one line to the next where there is no terminal.
    const LINE_PERIOD: Duration = Duration::from_secs(10);
    /// From one text beside the bar to the next.
    const MESSAGE_PERIOD: Duration = Duration::from_millis(200);

    /// How well it does, how sure it is, and what it tries.
    fn state(&self, agent: &Agent) -> String {
        // Of a run that is resumed some may have ended before.
        let none = (self.begun_at == Some(0)).then(|| "no episode has ended".to_owned());
        let returns = self.returns.clone().or(none);
        let evaluation = self.evaluation.map(|mean| format!("evaluation {}", numbers::mean(mean)));
        let share = self.exploratory_share.or_else(|| agent.exploratory_share());
        let exploratory = share.map(|share| format!("{:.0}% exploratory", 100.0 * share));
        let p = format!("p {}", probabilities(&agent.network().mean_p(), agent.network().local().is_some()));
        let n = format!("N {}", agent.dataset_size());
        let known = [returns, evaluation, exploratory, Some(p), Some(n)];
        known.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl Observer for Progress {
    fn on_step(&mut self, agent: &Agent) {
        let period = if self.bar.is_some() { Self::MESSAGE_PERIOD } else { Self::LINE_PERIOD };
        let is_due = self.last_line.elapsed() >= period;
        if is_due {
            self.last_line = Instant::now();
        }
        let is_first = self.begun_at.is_none();
        self.begun_at.get_or_insert(agent.steps().saturating_sub(1));
        match &self.bar {
            Some(bar) => {
                bar.set_position(agent.steps());
                // What a run that is resumed has behind it tells nothing of its pace.
                if is_first {
                    bar.reset_eta();
                }
                if is_due {
                    bar.set_message(self.state(agent));
                }
            }
            None if is_due => {
                tracing::info!(
                    "{}step {} of {}: {}",
                    self.prefix,
                    agent.steps(),
                    self.steps,
                    self.state(agent)
                );
            }
            None => {}
        }
    }

    fn on_episode(&mut self, record: &EpisodeRecord, _agent: &Agent) -> Result<(), Error> {
        let EpisodeRecord { episode, mean_return_100, exploratory_share, .. } = record;
        let mean = numbers::mean(*mean_return_100);
        self.returns = Some(format!(
            "episode {episode}, return {mean} (mean of {})",
            episode.min(&(RETURN_WINDOW as u64))
        ));
        self.exploratory_share = *exploratory_share;
        Ok(())
    }

    fn on_evaluation(&mut self, record: &EvaluationRecord) -> Result<(), Error> {
        let EvaluationRecord { total_steps, mean_return, episodes, .. } = record;
        self.evaluation = Some(*mean_return);
        tracing::debug!(
            "{}evaluation at step {total_steps}: mean return {} over {episodes} episodes",
            self.prefix,
            numbers::mean(*mean_return)
        );
        Ok(())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Shows many trainings as one. Its clones share one bar and one count.
#[derive(Debug, Clone)]
pub struct SharedProgress {
    bar: Option<ProgressBar>,
    trainings: usize,
    over: Arc<AtomicUsize>,
}

impl SharedProgress {
    /// Counts a training that is over, however it ended, and returns how many are, such as `3 of 20`.
    pub fn count(&self) -> String {
        let over = self.over.fetch_add(1, Ordering::Relaxed) + 1;
        let count = format!("{over} of {}", self.trainings);
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{count} runs"));
        }
        count
    }

    /// Counts steps that a training had taken before.
    pub fn skip(&self, steps: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(steps);
        }
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Observer for SharedProgress {
    fn on_step(&mut self, _agent: &Agent) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }
}

/// Dropout probabilities for people, of any size: `0.43 1.2e-3 3.4e-7`, or, where the last is that of local dropout, `0.43
/// 1.2e-3, local 0.21`.
pub fn probabilities(p: &[f64], has_local: bool) -> String {
    let shown = |p: &f64| if *p < 0.01 { format!("{p:.1e}") } else { format!("{p:.2}") };
    let (layers, local) = p.split_at(p.len() - usize::from(has_local).min(p.len()));
    let layers = layers.iter().map(shown).collect::<Vec<_>>().join(" ");
    let parts = [
        Some(layers).filter(|layers| !layers.is_empty()),
        local.first().map(|p| format!("local {}", shown(p))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Stamps log lines with the seconds since the program's start; `meta.json` has the date.
struct SinceStart(Instant);

impl FormatTime for SinceStart {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{:7.1} s", self.0.elapsed().as_secs_f64())
    }
}

/// Writes lines to stderr, above the progress bars. A line that can't be written, as where the terminal has
/// been closed, is dropped: a training must not end with it.
struct AboveBars(MultiProgress);

impl<'a> MakeWriter<'a> for AboveBars {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self(self.0.clone())
    }
}

impl Write for AboveBars {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        if self.0.is_hidden() {
            let _ = io::stderr().write_all(lines);
        } else {
            // Not MultiProgress::suspend, which panics without a terminal.
            let _ = self.0.println(String::from_utf8_lossy(lines));
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_short_and_small_ones_are_told_apart() {
        let p = [0.434, 0.00123, 3.4e-7, 1e-12];
        assert_eq!(probabilities(&p, false), "0.43 1.2e-3 3.4e-7 1.0e-12");
        assert_eq!(probabilities(&p, true), "0.43 1.2e-3 3.4e-7, local 1.0e-12");
        assert_eq!([probabilities(&p[..1], true), probabilities(&[], true)], ["local 0.43", ""]);
    }
}
