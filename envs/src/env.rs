//! The trait every environment implements.

use rand::Rng;

use crate::{Drawing, EnvError, EnvSpec, EpisodeStatistics};

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

    /// Says that the next call of [`step`](Self::step) is going to take this action, so that an environment in another
    /// process or on another machine can take it while others have their turn. Nothing that can be asked of the environment
    /// changes before that call. One that does not implement this does all of it in `step`.
    ///
    /// # Errors
    /// Those of [`step`](Self::step).
    fn begin_step(&mut self, _action: usize) -> Result<(), EnvError> {
        Ok(())
    }

    /// Everything that the steps to come depend on, as bytes that only this environment needs to understand; `None`
    /// where it can't be saved, which is what an environment says that does not implement this.
    ///
    /// Where a training is saved in the middle of an episode, the state goes into its checkpoint. One in an environment
    /// that can't be saved is saved between episodes, and where they are long, without the one that is under way.
    fn save_state(&self) -> Option<Vec<u8>> {
        None
    }

    /// Goes back to a state that [`save_state`](Self::save_state) returned, here or in another instance.
    ///
    /// # Errors
    /// [`EnvError::NotRestored`] where the bytes are no state of this environment, or it has none.
    fn restore_state(&mut self, _state: &[u8]) -> Result<(), EnvError> {
        Err(EnvError::NotRestored { env: self.spec().id.clone() })
    }

    /// What the state looks like, for who watches an episode. `None` where there is no picture of it, which is what an
    /// environment says that does not implement this; its observations are shown instead.
    fn drawing(&self) -> Option<Drawing> {
        None
    }

    /// Which actions are valid now: one value an action, `true` for those that are. `None` where all always are, which is
    /// what an environment says that does not implement this.
    ///
    /// Asked after a reset and after every step, so it is of the observation that was returned last. Until an episode's end
    /// at least one has to be valid. An agent takes none of the others; [`Checked`](crate::Checked) sees to that.
    fn action_mask(&self) -> Option<Vec<bool>> {
        None
    }

    /// What the episode under way has come to, or the last one came to, where a wrapper counts
    /// ([`RecordEpisodeStatistics`](crate::RecordEpisodeStatistics)): in rewards of the environment itself, whatever other
    /// wrappers make of them. An environment has no need to implement this.
    fn episode(&self) -> Option<EpisodeStatistics> {
        None
    }
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

    fn begin_step(&mut self, action: usize) -> Result<(), EnvError> {
        (**self).begin_step(action)
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        (**self).save_state()
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        (**self).restore_state(state)
    }

    fn drawing(&self) -> Option<Drawing> {
        (**self).drawing()
    }

    fn action_mask(&self) -> Option<Vec<bool>> {
        (**self).action_mask()
    }

    fn episode(&self) -> Option<EpisodeStatistics> {
        (**self).episode()
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
