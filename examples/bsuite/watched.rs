//! The environments with the figures beside them that bsuite scores by.

use std::sync::{Arc, Mutex};

use control_envs::rand::Rng;
use control_envs::{CartPoleSwingup, DeepSea, Env, EnvError, EnvSpec, Step};

/// Figures of all episodes so far: the columns that bsuite's environments add to its tables, in their order.
#[derive(Debug, Clone, Default)]
pub struct Figures(Arc<Mutex<Vec<(&'static str, f64)>>>);

impl Figures {
    /// Names and values as they are now.
    pub fn get(&self) -> Vec<(&'static str, f64)> {
        self.0.lock().map(|figures| figures.clone()).unwrap_or_default()
    }

    fn set(&self, figures: &[(&'static str, f64)]) {
        if let Ok(mut all) = self.0.lock() {
            *all = figures.to_vec();
        }
    }
}

/// Deep sea. An episode is bad that left the diagonal by its action, and not by the wind.
pub struct WatchedDeepSea {
    env: DeepSea,
    figures: Figures,
    is_bad: bool,
    bad_episodes: u64,
    treasures: u64,
}

impl WatchedDeepSea {
    pub fn new(env: DeepSea, figures: &Figures) -> Self {
        Self { env, figures: figures.clone(), is_bad: false, bad_episodes: 0, treasures: 0 }
    }
}

impl Env for WatchedDeepSea {
    fn spec(&self) -> &EnvSpec {
        self.env.spec()
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.is_bad = false;
        self.env.reset(rng)
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let [row, column] = self.env.state();
        let is_right = self.env.right(row, column) == Some(action);
        let is_last_column = self.env.right(row, column + 1).is_none();
        self.is_bad |= row == column && !is_right;
        self.treasures += u64::from(is_right && is_last_column);
        let step = self.env.step(action)?;
        if step.ends_episode() {
            self.bad_episodes += u64::from(self.is_bad);
            self.figures.set(&[
                ("total_bad_episodes", self.bad_episodes as f64),
                ("denoised_return", self.treasures as f64),
            ]);
        }
        Ok(step)
    }
}

/// The swing-up.
pub struct WatchedSwingup {
    env: CartPoleSwingup,
    figures: Figures,
    episode_return: f64,
    all_returns: f64,
    best_episode: f64,
    upright: u64,
}

impl WatchedSwingup {
    pub fn new(env: CartPoleSwingup, figures: &Figures) -> Self {
        Self {
            env,
            figures: figures.clone(),
            episode_return: 0.0,
            all_returns: 0.0,
            // As bsuite starts it: no episode is worse than nothing.
            best_episode: 0.0,
            upright: 0,
        }
    }
}

impl Env for WatchedSwingup {
    fn spec(&self) -> &EnvSpec {
        self.env.spec()
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.episode_return = 0.0;
        self.env.reset(rng)
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let step = self.env.step(action)?;
        self.episode_return += step.reward;
        self.all_returns += step.reward;
        // A move costs 0.1, being upright brings 1.
        self.upright += u64::from(step.reward > 0.5);
        if step.ends_episode() {
            self.best_episode = self.best_episode.max(self.episode_return);
            self.figures.set(&[
                ("raw_return", self.all_returns),
                ("total_upright", self.upright as f64),
                ("best_episode", self.best_episode),
            ]);
        }
        Ok(step)
    }
}
