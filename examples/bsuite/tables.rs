//! The table of a setting, as bsuite's `csv_logging` writes it.

use std::path::Path;

use concrete_dqn::agent::Agent;
use concrete_dqn::rows::EpisodeRecord;
use concrete_dqn::training::Observer;
use concrete_dqn::{Error, files};

use crate::watched::Figures;

/// The episodes that bsuite logs, within every power of ten (`bsuite/utils/wrappers.py`).
const LOGGED: [f64; 14] = [1.0, 1.2, 1.4, 1.7, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0];

/// The rows so far. It ends the training after the last episode.
pub struct Table {
    episodes: u64,
    done: u64,
    total_return: f64,
    figures: Figures,
    text: String,
}

impl Table {
    pub fn new(episodes: u64, figures: Figures) -> Self {
        Self { episodes, done: 0, total_return: 0.0, figures, text: String::new() }
    }

    /// Writes the table.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        files::replace(path, self.text.as_bytes())
    }
}

impl Observer for Table {
    fn on_episode(&mut self, record: &EpisodeRecord, _agent: &Agent) -> Result<(), Error> {
        let EpisodeRecord { episode, total_steps, episode_return, episode_length, .. } = record;
        self.done = *episode;
        self.total_return += episode_return;
        if is_logged(*episode) {
            let figures = self.figures.get();
            if self.text.is_empty() {
                let names: String = figures.iter().map(|(name, _)| format!(",{name}")).collect();
                self.text = format!("steps,episode,total_return,episode_len,episode_return{names}\n");
            }
            let values: String = figures.iter().map(|(_, value)| format!(",{value}")).collect();
            let total_return = self.total_return;
            self.text += &format!(
                "{total_steps},{episode},{total_return},{episode_length},{episode_return}{values}\n"
            );
        }
        Ok(())
    }

    fn wants_to_stop(&self) -> bool {
        self.done >= self.episodes
    }
}

fn is_logged(episode: u64) -> bool {
    let power = 10_f64.powf((episode as f64).log10().floor());
    LOGGED.iter().any(|factor| (factor * power).round() == episode as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn episodes_are_logged_as_bsuite_does() {
        let logged: Vec<u64> = (1..=200).filter(|episode| is_logged(*episode)).collect();
        let expected = [
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100, 120, 140,
            170, 200,
        ];
        assert_eq!(logged, expected);
    }
}
