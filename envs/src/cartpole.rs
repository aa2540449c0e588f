//! The cart-pole.

use std::f64::consts::PI;

use rand::{Rng, RngExt};

use crate::drawing::cart_and_pole;
use crate::{About, Dimension, Drawing, Env, EnvError, EnvSpec, Step, saved};

const GRAVITY: f64 = 9.8;
const POLE_MASS: f64 = 0.1;
const TOTAL_MASS: f64 = 1.0 + POLE_MASS;
/// Half the pole's length: the distance from the joint to the pole's centre of mass.
pub const HALF_LENGTH: f64 = 0.5;
/// How hard a push is, N.
pub const FORCE: f64 = 10.0;
const TIME_STEP: f64 = 0.02;
const POSITION_LIMIT: f64 = 2.4;
const ANGLE_LIMIT: f64 = 12.0 * PI / 180.0;
const START: f64 = 0.05;

/// `CartPole-v1`: keep a pole upright on a cart by pushing the cart left or right.
///
/// # Actions
/// | Number | Name         | Effect                       |
/// |--------|--------------|------------------------------|
/// | 0      | `push left`  | a force of -10 N on the cart |
/// | 1      | `push right` | a force of +10 N on the cart |
///
/// # Observation
/// Four values: the state.
///
/// | Index | Name                    | Unit  | Bounds  | Typical |
/// |-------|-------------------------|-------|---------|---------|
/// | 0     | `cart position`         | m     | ±4.8    | ±2.4    |
/// | 1     | `cart velocity`         | m/s   | ±∞      | ±3      |
/// | 2     | `pole angle`            | rad   | ±0.4189 | ±0.2095 |
/// | 3     | `pole angular velocity` | rad/s | ±∞      | ±3.5    |
///
/// # Dynamics
/// A frictionless cart of 1 kg and a pole of 0.1 kg and 1 m, integrated by explicit Euler in steps of 0.02 s.
///
/// # Reward
/// 1 for every step, the terminating one included. The reward threshold is 475.
///
/// # Start of an episode
/// Each value of the state is uniform in [-0.05, 0.05).
///
/// # End of an episode
/// Terminated where the cart is more than 2.4 m from the centre or the pole more than 12° from upright. The time
/// limit is 500 steps.
///
/// # Source
/// A. G. Barto, R. S. Sutton and C. W. Anderson (1983), *Neuronlike adaptive elements that can solve difficult
/// learning control problems*. Dynamics, limits and start as in Gymnasium 1.4.0.
#[derive(Debug, Clone)]
pub struct CartPole {
    spec: EnvSpec,
    state: [f64; 4],
}

impl CartPole {
    /// The environment, which needs a reset before its first step.
    pub fn new() -> Self {
        let (position, angle) = ((2.0 * POSITION_LIMIT) as f32, (2.0 * ANGLE_LIMIT) as f32);
        let infinity = f32::INFINITY;
        let dimensions = [
            Dimension::new("cart position", "m", -position, position).with_typical(-2.4, 2.4),
            Dimension::new("cart velocity", "m/s", -infinity, infinity).with_typical(-3.0, 3.0),
            Dimension::new("pole angle", "rad", -angle, angle).with_typical(-0.2095, 0.2095),
            Dimension::new("pole angular velocity", "rad/s", -infinity, infinity).with_typical(-3.5, 3.5),
        ];
        let spec = EnvSpec::new("CartPole-v1", dimensions, ["push left", "push right"])
            .with_max_episode_steps(500)
            .with_reward_threshold(475.0).with_about(About::of([
                "Keep a pole upright on a cart by pushing the cart to the left and to the right",
                "1 a step, the last one included",
                "all four values uniform between -0.05 and 0.05",
                "terminated where the cart is more than 2.4 m from the centre or the pole leans by more than 12 degrees",
                "A. G. Barto, R. S. Sutton and C. W. Anderson (1983); the dynamics of Gymnasium 1.4.0",
            ]))
            .with_plane([2, 3]);
        Self { spec, state: [0.0; 4] }
    }

    /// Cart position (m), cart velocity (m/s), pole angle (rad) and pole angular velocity (rad/s).
    pub fn state(&self) -> [f64; 4] {
        self.state
    }

    /// Puts the environment into a state, in the order and units of [`state`](Self::state).
    pub fn set_state(&mut self, state: [f64; 4]) {
        self.state = state;
    }

    fn observation(&self) -> Vec<f32> {
        self.state.map(|value| value as f32).to_vec()
    }
}

impl Default for CartPole {
    fn default() -> Self {
        Self::new()
    }
}

impl Env for CartPole {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.state = std::array::from_fn(|_| rng.random_range(-START..START));
        Ok(self.observation())
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let force = match action {
            0 => -FORCE,
            1 => FORCE,
            _ => return Err(EnvError::ActionOutOfRange { env: self.spec.id.clone(), action, actions: 2 }),
        };
        let [position, velocity, angle, angular_velocity] = self.state;
        let [acceleration, angular_acceleration] = accelerations(angle, angular_velocity, force);
        self.state = [
            position + TIME_STEP * velocity,
            velocity + TIME_STEP * acceleration,
            angle + TIME_STEP * angular_velocity,
            angular_velocity + TIME_STEP * angular_acceleration,
        ];
        let terminated = self.state[0].abs() > POSITION_LIMIT || self.state[2].abs() > ANGLE_LIMIT;
        Ok(Step::new(self.observation(), 1.0, terminated))
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        Some(saved::numbers(&self.state))
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        self.state = saved::read_numbers(state, &self.spec)?;
        Ok(())
    }

    fn drawing(&self) -> Option<Drawing> {
        let [position, _, angle, _] = self.state;
        Some(cart_and_pole(position, angle, 2.0 * HALF_LENGTH, POSITION_LIMIT))
    }
}

/// The acceleration of the cart (m/s²) and the angular one of the pole (rad/s²), under a force (N) on the cart.
pub fn accelerations(angle: f64, angular_velocity: f64, force: f64) -> [f64; 2] {
    let (sin, cos) = angle.sin_cos();
    // The cart's acceleration were the pole's own angular acceleration zero.
    let push = (force + POLE_MASS * HALF_LENGTH * angular_velocity.powi(2) * sin) / TOTAL_MASS;
    let angular_acceleration =
        (GRAVITY * sin - cos * push) / (HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * cos.powi(2) / TOTAL_MASS));
    [push - POLE_MASS * HALF_LENGTH * angular_acceleration * cos / TOTAL_MASS, angular_acceleration]
}
