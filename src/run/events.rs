//! A run's event files for TensorBoard.
//!
//! What others have too is under the names that people know: those of Stable-Baselines3 and, for an episode, of CleanRL.

use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

use super::directory::RunDirectory;
use crate::concrete::sigmoid;
use crate::error::Error;
use crate::network::LocalDropout;
use crate::rows::{EpisodeRecord, EvaluationRecord, UpdateRecord, read};
use crate::statistics::mean;
use crate::tensorboard::{EventWriter, Histogram};
use crate::training::RETURN_WINDOW;

/// The newest event file of a run, on disk up to its last event.
#[derive(Debug)]
pub struct Events {
    writer: EventWriter,
    /// The lengths of the last episodes, as many as returns are averaged over.
    lengths: VecDeque<f64>,
}

impl Events {
    /// Creates the first event file of a run.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn create(directory: &RunDirectory) -> Result<Self, Error> {
        Self::start_at(0, directory, VecDeque::with_capacity(RETURN_WINDOW))
    }

    /// Creates another event file of a run that is resumed after `step`, its tables cut off there. A file that
    /// TensorBoard may be reading can't be cut; the new one says what of the others no longer holds.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn resume(directory: &RunDirectory, step: u64) -> Result<Self, Error> {
        // Where the table is damaged the mean starts anew, since a run is not to be lost over a chart.
        let episodes: Vec<EpisodeRecord> = read(&directory.episodes()).unwrap_or_default();
        let last = &episodes[episodes.len().saturating_sub(RETURN_WINDOW)..];
        Self::start_at(step + 1, directory, last.iter().map(|row| row.episode_length as f64).collect())
    }

    fn start_at(step: u64, directory: &RunDirectory, lengths: VecDeque<f64>) -> Result<Self, Error> {
        let name = next_name(directory.event_files()?.last().map(String::as_str));
        Ok(Self { writer: EventWriter::create(&directory.path().join(name), step)?, lengths })
    }

    /// Writes an episode. `seconds` are those that the training has taken so far.
    pub fn episode(&mut self, record: &EpisodeRecord, seconds: f64) -> Result<(), Error> {
        let (steps, length) = (record.total_steps, record.episode_length as f64);
        if self.lengths.len() == RETURN_WINDOW {
            self.lengths.pop_front();
        }
        self.lengths.push_back(length);
        let scalars = [
            ("charts/episodic_return", record.episode_return),
            ("charts/episodic_length", length),
            ("rollout/ep_rew_mean", record.mean_return_100),
            ("rollout/ep_len_mean", mean(&self.lengths)),
            ("rollout/exploration_rate", record.exploratory_share.unwrap_or(f64::NAN)),
            ("time/fps", steps as f64 / seconds),
            ("uncertainty/aleatoric_std", record.aleatoric_std),
        ];
        self.writer.scalars(steps, &scalars)
    }

    /// Writes a learner step.
    pub fn update(&mut self, record: &UpdateRecord) -> Result<(), Error> {
        let of_layers: Vec<(String, f64)> =
            record.p.iter().enumerate().map(|(layer, p)| (format!("dropout/p_{layer}"), *p)).collect();
        let mut scalars = vec![
            ("train/loss", record.loss),
            ("train/learning_rate", record.learning_rate),
            ("train/n_updates", record.update as f64),
            ("train/td_error", record.td_error),
            ("train/q_mean", record.q_mean),
            ("train/gradient_norm", record.gradient_norm),
            ("loss/data", record.data_term),
            ("loss/kl", record.weight_term + record.entropy_term),
            ("loss/weights", record.weight_term),
            ("loss/entropy", record.entropy_term),
            ("loss/precision", record.precision_term),
            ("uncertainty/epistemic_std", record.epistemic_std),
            ("dropout/N", record.dataset_size),
            ("dropout/precision", record.precision),
        ];
        scalars.extend(of_layers.iter().map(|(tag, p)| (tag.as_str(), *p)));
        self.writer.scalars(record.total_steps, &scalars)
    }

    /// Writes an evaluation.
    pub fn evaluation(&mut self, record: &EvaluationRecord) -> Result<(), Error> {
        let scalars = [("eval/mean_reward", record.mean_return), ("eval/mean_ep_length", record.mean_length)];
        self.writer.scalars(record.total_steps, &scalars)
    }

    /// Writes how p is spread over the places and actions of local dropout.
    pub fn local(&mut self, step: u64, local: &LocalDropout) -> Result<(), Error> {
        let p: Vec<f64> = local.logits().iter().map(|&logit| sigmoid(f64::from(logit))).collect();
        let histogram = Histogram::of(&p);
        histogram.map_or(Ok(()), |histogram| self.writer.histogram(step, "dropout/local_p", &histogram))
    }
}

/// The name of an event file after the newest one: with the time, as TensorFlow names them, and later than that of the
/// newest, since they are read in the order of their names.
fn next_name(newest: Option<&str>) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let newest = newest.and_then(|name| name.strip_prefix(RunDirectory::EVENTS)?.parse::<u64>().ok());
    format!("{}{:010}", RunDirectory::EVENTS, newest.map_or(now, |newest| now.max(newest.saturating_add(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_files_follow_each_other_whatever_the_clock_says() {
        let first = next_name(None);
        assert!(next_name(Some(&first)) > first);
        let ahead = format!("{}9999999998", RunDirectory::EVENTS);
        assert_eq!(next_name(Some(&ahead)), format!("{}9999999999", RunDirectory::EVENTS));
        assert!(next_name(Some("events.out.tfevents.other")) >= first, "a name of another program");
    }
}
