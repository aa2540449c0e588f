//! The mountain car.

use rand::{Rng, RngExt};

use crate::{About, Dimension, Drawing, Env, EnvError, EnvSpec, Ink, Step, saved};

const MIN_POSITION: f64 = -1.2;
const MAX_POSITION: f64 = 0.6;
const MAX_SPEED: f64 = 0.07;
const GOAL_POSITION: f64 = 0.5;
const FORCE: f64 = 0.001;
const GRAVITY: f64 = 0.0025;

/// `MountainCar-v0`: drive a car out of a valley that is steeper than its engine is strong.
///
/// # Actions
/// | Number | Name         | Effect                       |
/// |--------|--------------|------------------------------|
/// | 0      | `push left`  | adds -0.001 to the velocity  |
/// | 1      | `coast`      | nothing                      |
/// | 2      | `push right` | adds +0.001 to the velocity  |
///
/// # Observation
/// Two values: the state. Positions and velocities have no physical scale; a step is the unit of time.
///
/// | Index | Name       | Unit   | Bounds      | Typical    |
/// |-------|------------|--------|-------------|------------|
/// | 0     | `position` | m      | -1.2 to 0.6 | the bounds |
/// | 1     | `velocity` | m/step | ±0.07       | the bounds |
///
/// # Dynamics
/// `velocity += 0.001 * (action - 1) - 0.0025 * cos(3 * position)`, then `position += velocity`, both clipped to
/// their bounds. The wall on the left takes all speed.
///
/// # Reward
/// -1 for every step, the terminating one included. The reward threshold is -110.
///
/// # Start of an episode
/// The position is uniform in [-0.6, -0.4) and the velocity 0.
///
/// # End of an episode
/// Terminated where the position is at least 0.5 and the velocity at least 0. The time limit is 200 steps.
///
/// # Source
/// A. W. Moore (1990), *Efficient memory-based learning for robot control*. Dynamics, limits and start as in
/// Gymnasium 1.4.0.
#[derive(Debug, Clone)]
pub struct MountainCar {
    spec: EnvSpec,
    state: [f64; 2],
}

impl MountainCar {
    /// The environment, which needs a reset before its first step.
    pub fn new() -> Self {
        let dimensions = [
            Dimension::new("position", "m", MIN_POSITION as f32, MAX_POSITION as f32),
            Dimension::new("velocity", "m/step", -MAX_SPEED as f32, MAX_SPEED as f32),
        ];
        let spec = EnvSpec::new("MountainCar-v0", dimensions, ["push left", "coast", "push right"])
            .with_max_episode_steps(200)
            .with_reward_threshold(-110.0).with_about(About::of([
                "Leave a valley whose slope is steeper than the car's engine is strong, by swinging to and fro",
                "-1 a step",
                "the position uniform between -0.6 and -0.4, at rest",
                "terminated at a position of 0.5 or more, where the velocity is not negative",
                "A. W. Moore (1990); the dynamics of Gymnasium 1.4.0",
            ]));
        Self { spec, state: [0.0; 2] }
    }

    /// Position (m) and velocity (m/step).
    pub fn state(&self) -> [f64; 2] {
        self.state
    }

    /// Puts the environment into a state, in the order and units of [`state`](Self::state).
    pub fn set_state(&mut self, state: [f64; 2]) {
        self.state = state;
    }

    fn observation(&self) -> Vec<f32> {
        self.state.map(|value| value as f32).to_vec()
    }
}

impl Default for MountainCar {
    fn default() -> Self {
        Self::new()
    }
}

impl Env for MountainCar {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.state = [rng.random_range(-0.6..-0.4), 0.0];
        Ok(self.observation())
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let engine = match action {
            0 => -FORCE,
            1 => 0.0,
            2 => FORCE,
            _ => return Err(EnvError::ActionOutOfRange { env: self.spec.id.clone(), action, actions: 3 }),
        };
        let [position, velocity] = self.state;
        let velocity = (velocity + (engine - GRAVITY * (3.0 * position).cos())).clamp(-MAX_SPEED, MAX_SPEED);
        let position = (position + velocity).clamp(MIN_POSITION, MAX_POSITION);
        let hits_wall = position == MIN_POSITION && velocity < 0.0;
        let velocity = if hits_wall { 0.0 } else { velocity };

        self.state = [position, velocity];
        let terminated = position >= GOAL_POSITION && velocity >= 0.0;
        Ok(Step::new(self.observation(), -1.0, terminated))
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        Some(saved::numbers(&self.state))
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        self.state = saved::read_numbers(state, &self.spec)?;
        Ok(())
    }

    fn drawing(&self) -> Option<Drawing> {
        // As Gymnasium draws it; the slope is what gravity in `step` follows from.
        let height = |position: f64| 0.45 * (3.0 * position).sin() + 0.55;
        let across = |step: u32| MIN_POSITION + (MAX_POSITION - MIN_POSITION) * f64::from(step) / 40.0;
        let [position, _] = self.state;
        let goal = height(GOAL_POSITION);
        let drawing = Drawing::new([MIN_POSITION - 0.05, 0.0, MAX_POSITION + 0.05, 1.3])
            .line((0..=40).map(across).map(|position| [position, height(position)]), 0.012, Ink::Ground)
            .line([[GOAL_POSITION, goal], [GOAL_POSITION, goal + 0.2]], 0.012, Ink::Goal)
            .disc([position, height(position) + 0.045], 0.045, Ink::Body);
        Some(drawing)
    }
}
