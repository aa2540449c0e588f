//! Wrappers: environments around an environment.

mod action_repeat;
mod clip_rewards;
mod episode_statistics;
mod frame_stack;
mod sticky_actions;
mod time_limit;

use serde::{Deserialize, Serialize};

pub use action_repeat::ActionRepeat;
pub use clip_rewards::ClipRewards;
pub use episode_statistics::{EpisodeStatistics, RecordEpisodeStatistics};
pub use frame_stack::FrameStack;
pub use sticky_actions::StickyActions;
pub use time_limit::TimeLimit;

use crate::{Env, EnvSpec};

/// What a wrapper that leaves them alone says of them: what the environment within says.
macro_rules! forwarded {
    ($($name:ident),+) => {$(forwarded!(@ $name);)+};
    (@ spec) => {
        fn spec(&self) -> &EnvSpec {
            self.env.spec()
        }
    };
    (@ begin_step) => {
        fn begin_step(&mut self, action: usize) -> Result<(), EnvError> {
            self.env.begin_step(action)
        }
    };
    (@ drawing) => {
        fn drawing(&self) -> Option<crate::Drawing> {
            self.env.drawing()
        }
    };
    (@ action_mask) => {
        fn action_mask(&self) -> Option<Vec<bool>> {
            self.env.action_mask()
        }
    };
    (@ episode) => {
        fn episode(&self) -> Option<crate::EpisodeStatistics> {
            self.env.episode()
        }
    };
}
use forwarded;

/// Which wrappers an environment is to be in, and how they are set. By default there is only the [`TimeLimit`] of its spec.
///
/// From the inside to the outside they are [`TimeLimit`], [`StickyActions`], [`ActionRepeat`], [`ClipRewards`],
/// [`FrameStack`], so a limit counts the environment's own steps, and an action that is repeated can stick at each of
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrappers {
    /// Steps of the environment after which an episode is cut, in place of the limit of its spec; 0 for that of its spec.
    pub time_limit: usize,
    /// Probability with which the environment takes the action before once more, whatever is chosen.
    pub sticky_actions: f64,
    /// Steps of the environment that an action is taken for, their rewards added up; 1 for no repeating.
    pub action_repeat: usize,
    /// Whether rewards are clipped to [-1, 1].
    pub clip_rewards: bool,
    /// Observations that make one, the newest last; 1 for no stacking.
    pub frame_stack: usize,
}

impl Default for Wrappers {
    fn default() -> Self {
        Self { time_limit: 0, sticky_actions: 0.0, action_repeat: 1, clip_rewards: false, frame_stack: 1 }
    }
}

impl Wrappers {
    /// `env` within them.
    ///
    /// ```
    /// use control_envs::{CartPole, Env, Wrappers, contract};
    ///
    /// let wrappers = Wrappers { frame_stack: 4, action_repeat: 2, ..Wrappers::default() };
    /// assert_eq!(wrappers.wrap(CartPole::new()).spec().observation_space.len(), 16);
    /// contract::check(|| wrappers.wrap(CartPole::new()), 1, 1_000).unwrap();
    /// ```
    pub fn wrap(&self, env: impl Env + 'static) -> Box<dyn Env> {
        let mut env: Box<dyn Env> = match self.time_limit {
            0 => Box::new(TimeLimit::new(env)),
            steps => Box::new(TimeLimit::of_steps(env, steps)),
        };
        if self.clip_rewards {
            env = Box::new(RecordEpisodeStatistics::new(env));
        }
        if self.sticky_actions > 0.0 {
            env = Box::new(StickyActions::new(env, self.sticky_actions));
        }
        if self.action_repeat > 1 {
            env = Box::new(ActionRepeat::new(env, self.action_repeat));
        }
        if self.clip_rewards {
            env = Box::new(ClipRewards::new(env));
        }
        if self.frame_stack > 1 {
            env = Box::new(FrameStack::new(env, self.frame_stack));
        }
        env
    }

    /// The spec of an environment of this spec within them.
    pub fn spec(&self, spec: &EnvSpec) -> EnvSpec {
        let mut spec = spec.clone();
        if self.time_limit > 0 {
            spec.max_episode_steps = Some(self.time_limit);
        }
        if self.action_repeat > 1 {
            spec = ActionRepeat::<Box<dyn Env>>::spec_of(&spec, self.action_repeat);
        }
        if self.frame_stack > 1 {
            spec = FrameStack::<Box<dyn Env>>::spec_of(&spec, self.frame_stack);
        }
        spec
    }
}
