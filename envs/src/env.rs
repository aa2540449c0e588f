//! The trait every environment implements.

use rand::Rng;

use crate::{EnvError, EnvSpec};

/// An environment with discrete actions, as Gymnasium 1.x means one.
///
/// Implementations hold only the task itself: [`TimeLimit`](crate::TimeLimit) counts steps and
/// [`Checked`](crate::Checked) guards the order of calls and the numbers. The crate's front page has an environment
/// of 30 lines, and [`contract::check`](crate::contract::check) tests one.
pub trait Env: Send {
    /// What the environment is. It must not change during the environment's life.
    fn spec(&self) -> &EnvSpec;

    /// Starts an episode and returns its first observation, one value a dimension of the observation space.
    ///
    /// `rng` is the environment's only source of randomness. An environment that also needs it in `step` derives a
    /// generator of its own from it here.
    ///
    /// # Errors
    /// Whatever keeps the environment from starting, as [`EnvError::Failed`].
    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError>;

    /// Takes the action numbered `action`, an index into [`EnvSpec::actions`].
    ///
    /// Called only between a `reset` and the end of its episode; [`Checked`](crate::Checked) sees to that.
    ///
    /// # Errors
    /// [`EnvError::ActionOutOfRange`] where there is no such action, and [`EnvError::Failed`] for the environment's
    /// own failures.
    fn step(&mut self, action: usize) -> Result<Step, EnvError>;
}

impl<E: Env + ?Sized> Env for Box<E> {
    fn spec(&self) -> &EnvSpec {
        (**self).spec()
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        (**self).reset(rng)
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        (**self).step(action)
    }
}

/// What an environment answers to an action.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The observation after the action, one value a dimension of the observation space.
    pub observation: Vec<f32>,
    /// The reward for the action.
    pub reward: f64,
    /// The task reached a terminal state: nothing follows, so its value is zero.
    pub terminated: bool,
    /// The episode was cut off, usually by the time limit: the state still has a value. Both flags may be set.
    pub truncated: bool,
}

impl Step {
    /// A step that is not truncated, as almost every environment's own steps are.
    pub fn new(observation: Vec<f32>, reward: f64, terminated: bool) -> Self {
        Self { observation, reward, terminated, truncated: false }
    }

    /// Whether the episode is over, for either reason.
    pub fn ends_episode(&self) -> bool {
        self.terminated || self.truncated
    }
}
