//! The mountain car without a hint.

use rand::Rng;

use crate::{About, Drawing, Env, EnvError, EnvSpec, MountainCar, Step};

/// `SparseMountainCar-v0`: the mountain car, paid at the goal and nowhere else.
///
/// In [`MountainCar`] every step costs 1, so what has been tried looks worse than what has not, and even an agent that
/// explores by accident is driven on. Here nothing tells one place from another until the goal has been found.
///
/// # Actions, observation, dynamics and start of an episode
/// Those of [`MountainCar`].
///
/// # Reward
/// 1 for the step that reaches the goal, and 0 for every other. The reward threshold is 0.9: of the last 100 episodes
/// at least 90 reached the goal in time.
///
/// # End of an episode
/// Terminated where the position is at least 0.5 and the velocity at least 0. The time limit is 200 steps.
///
/// # Source
/// A. W. Moore (1990), *Efficient memory-based learning for robot control*. Dynamics, limits and start as in
/// Gymnasium 1.4.0; the reward as in R. Houthooft et al. (2016), *VIME: Variational information maximizing
/// exploration*.
#[derive(Debug, Clone)]
pub struct SparseMountainCar {
    spec: EnvSpec,
    car: MountainCar,
}

impl SparseMountainCar {
    /// The environment, which needs a reset before its first step.
    pub fn new() -> Self {
        let car = MountainCar::new();
        let spec = EnvSpec { id: "SparseMountainCar-v0".to_owned(), ..car.spec().clone() };
        Self { spec: spec.with_reward_threshold(0.9).with_about(About::of([
                "Leave the valley of the mountain car with nothing to go by until the goal was reached",
                "1 for the step that reaches the goal, and 0 for every other",
                "the position uniform between -0.6 and -0.4, at rest",
                "terminated at a position of 0.5 or more, where the velocity is not negative",
                "A. W. Moore (1990); the dynamics of Gymnasium 1.4.0; the reward of R. Houthooft et al. (2016)",
            ])), car }
    }

    /// Position (m) and velocity (m/step).
    pub fn state(&self) -> [f64; 2] {
        self.car.state()
    }

    /// Puts the environment into a state, in the order and units of [`state`](Self::state).
    pub fn set_state(&mut self, state: [f64; 2]) {
        self.car.set_state(state);
    }

    /// An error of the car in this environment's name.
    fn named(&self, error: EnvError) -> EnvError {
        let env = self.spec.id.clone();
        match error {
            EnvError::ActionOutOfRange { action, actions, .. } => {
                EnvError::ActionOutOfRange { env, action, actions }
            }
            EnvError::NotRestored { .. } => EnvError::NotRestored { env },
            other => other,
        }
    }
}

impl Default for SparseMountainCar {
    fn default() -> Self {
        Self::new()
    }
}

impl Env for SparseMountainCar {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.car.reset(rng)
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let step = self.car.step(action).map_err(|error| self.named(error))?;
        Ok(Step { reward: if step.terminated { 1.0 } else { 0.0 }, ..step })
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        self.car.save_state()
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        self.car.restore_state(state).map_err(|error| self.named(error))
    }

    fn drawing(&self) -> Option<Drawing> {
        self.car.drawing()
    }
}
