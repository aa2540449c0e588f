//! The guard around an environment.

use rand::Rng;

use crate::{Drawing, Env, EnvError, EnvSpec, EpisodeStatistics, Step, saved};

/// Turns what no agent could learn from into an [`EnvError`] that names the environment.
///
/// - A step before the first reset or after the end is [`EnvError::EpisodeOver`].
/// - An action that does not exist is [`EnvError::ActionOutOfRange`]; the environment never sees it, and the episode
///   goes on.
/// - An action that is not valid now, as [`Env::action_mask`] says, is [`EnvError::InvalidAction`]; it goes the same way.
/// - An observation of the wrong size or with a NaN or infinity, or a reward that is not finite, or a mask of the
///   wrong size or without a valid action, is [`EnvError::Misbehaved`], and the episode is over. So it is after any error of the environment's own.
///
/// Observations outside the space's bounds pass, since bounds are often approximate;
/// [`contract::check`](crate::contract::check) finds them. Wrap a [`TimeLimit`](crate::TimeLimit) in this, not the
/// other way round, so that steps after a truncation are noticed too.
#[derive(Debug, Clone)]
pub struct Checked<E: Env> {
    env: E,
    in_episode: bool,
    /// Steps since the last reset, for messages.
    steps: usize,
    /// Which actions are valid now.
    mask: Option<Vec<bool>>,
}

impl<E: Env> Checked<E> {
    /// Wraps `env`.
    pub fn new(env: E) -> Self {
        Self { env, in_episode: false, steps: 0, mask: None }
    }

    /// The wrapped environment.
    pub fn inner(&self) -> &E {
        &self.env
    }

    /// The wrapped environment, to be changed.
    pub fn inner_mut(&mut self) -> &mut E {
        &mut self.env
    }

    fn check_observation(&self, observation: &[f32]) -> Result<(), EnvError> {
        let space = &self.spec().observation_space;
        if observation.len() != space.len() {
            let (values, dimensions) = (observation.len(), space.len());
            return Err(self.misbehaved(format!(
                "the observation has {values} values, but the observation space has {dimensions} dimensions"
            )));
        }
        match observation.iter().position(|value| !value.is_finite()) {
            None => Ok(()),
            Some(index) => {
                let (value, name) = (observation[index], &space.dimensions[index].name);
                Err(self.misbehaved(format!(
                    "value {index} (`{name}`) of the observation is {value}, but it must be a finite number"
                )))
            }
        }
    }

    fn check_reward(&self, reward: f64) -> Result<(), EnvError> {
        // Learners hold rewards in f32, where a larger f64 is infinite.
        if (reward as f32).is_finite() {
            return Ok(());
        }
        Err(self.misbehaved(format!(
            "the reward is {reward:e}, but it must be a finite number of at most {:e} in size",
            f32::MAX
        )))
    }

    /// Asks which actions are valid, in an episode that goes on.
    fn check_mask(&mut self) -> Result<(), EnvError> {
        self.mask = self.env.action_mask();
        let Some(mask) = &self.mask else { return Ok(()) };
        let actions = self.spec().actions.len();
        if mask.len() != actions {
            let values = mask.len();
            return Err(self.misbehaved(format!(
                "the mask of valid actions has {values} values, but there are {actions} actions"
            )));
        }
        if !mask.contains(&true) {
            return Err(self.misbehaved(
                "no action is valid, but in an episode that goes on at least one must be".to_owned(),
            ));
        }
        Ok(())
    }

    fn check_action(&self, action: usize) -> Result<(), EnvError> {
        let spec = self.spec();
        if !self.in_episode {
            return Err(EnvError::EpisodeOver { env: spec.id.clone() });
        }
        let actions = spec.actions.len();
        if action >= actions {
            return Err(EnvError::ActionOutOfRange { env: spec.id.clone(), action, actions });
        }
        if let Some(mask) = self.mask.as_ref().filter(|mask| !mask[action]) {
            let named = |(action, name): (usize, &String)| format!("{action} (`{name}`)");
            let valid = spec.actions.iter().enumerate().filter(|(action, _)| mask[*action]).map(named);
            let (env, name, valid) = (spec.id.clone(), spec.actions[action].clone(), valid.collect());
            return Err(EnvError::InvalidAction { env, action, name, valid });
        }
        Ok(())
    }

    fn misbehaved(&self, problem: String) -> EnvError {
        let moment = if self.steps == 0 {
            "at a reset".to_owned()
        } else {
            format!("in step {} of an episode", self.steps)
        };
        EnvError::Misbehaved { env: self.spec().id.clone(), problem: format!("{moment}, {problem}") }
    }
}

impl<E: Env> Env for Checked<E> {
    fn spec(&self) -> &EnvSpec {
        self.env.spec()
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.in_episode = false;
        self.steps = 0;
        let observation = self.env.reset(rng)?;
        self.check_observation(&observation)?;
        self.check_mask()?;
        self.in_episode = true;
        Ok(observation)
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        self.check_action(action)?;
        // Only a step that passes all checks may continue the episode.
        self.in_episode = false;
        self.steps += 1;
        let step = self.env.step(action)?;
        self.check_observation(&step.observation)?;
        self.check_reward(step.reward)?;
        match step.ends_episode() {
            true => {
                let actions = self.spec().actions.len();
                // Without a valid action it tells nothing of what the episode might have been after a time limit.
                let tells = |mask: &Vec<bool>| mask.len() == actions && mask.contains(&true);
                self.mask = self.env.action_mask().filter(tells);
            }
            false => self.check_mask()?,
        }
        self.in_episode = !step.ends_episode();
        Ok(step)
    }

    fn begin_step(&mut self, action: usize) -> Result<(), EnvError> {
        self.check_action(action)?;
        self.env.begin_step(action)
    }

    /// In an episode only: between two there is nothing to go back to that a reset does not give.
    fn save_state(&self) -> Option<Vec<u8>> {
        self.in_episode
            .then(|| self.env.save_state())?
            .map(|inner| saved::count_and(self.steps as u64, inner))
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let (steps, inner) = saved::read_count(state, self.spec())?;
        self.in_episode = false;
        self.env.restore_state(inner)?;
        self.steps = steps as usize;
        self.check_mask()?;
        self.in_episode = true;
        Ok(())
    }

    fn drawing(&self) -> Option<Drawing> {
        self.env.drawing()
    }

    fn action_mask(&self) -> Option<Vec<bool>> {
        self.mask.clone()
    }

    fn episode(&self) -> Option<EpisodeStatistics> {
        self.env.episode()
    }
}
