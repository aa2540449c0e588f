//! An environment made to be broken on purpose.

use control_envs::rand::Rng;
use control_envs::{Dimension, Env, EnvError, EnvSpec, Step};

/// What a [`Scripted`] environment returns at a reset (step 0) or step (from 1) of the nth episode in its life
/// (from 1).
pub type Script = fn(episode: usize, step: usize) -> Result<Step, EnvError>;

/// An environment with one dimension in [0, 10] and two actions that does what its script says.
pub struct Scripted {
    pub spec: EnvSpec,
    /// Which actions are valid after each step, from the reset on; after others all are.
    pub masks: Vec<Vec<bool>>,
    script: Script,
    episode: usize,
    step: usize,
}

impl Scripted {
    pub fn new(script: Script) -> Self {
        let spec = EnvSpec::new("Scripted-v0", [Dimension::new("value", "", 0.0, 10.0)], ["stay", "go"]);
        Self { spec: spec.with_max_episode_steps(5), masks: Vec::new(), script, episode: 0, step: 0 }
    }
}

/// A sound script: an observation of 1, a reward of 0, no end.
pub fn sound(_episode: usize, _step: usize) -> Result<Step, EnvError> {
    Ok(Step::new(vec![1.0], 0.0, false))
}

impl Env for Scripted {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, _rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.episode += 1;
        self.step = 0;
        (self.script)(self.episode, 0).map(|step| step.observation)
    }

    fn step(&mut self, _action: usize) -> Result<Step, EnvError> {
        self.step += 1;
        (self.script)(self.episode, self.step)
    }

    fn action_mask(&self) -> Option<Vec<bool>> {
        self.masks.get(self.step).cloned()
    }
}
