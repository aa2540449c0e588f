//! The acrobot.

use std::f64::consts::{PI, TAU};

use rand::{Rng, RngExt};

use crate::{About, Dimension, Drawing, Env, EnvError, EnvSpec, Ink, Step, saved};

const GRAVITY: f64 = 9.8;
const TIME_STEP: f64 = 0.2;
const MAX_VELOCITIES: [f64; 2] = [4.0 * PI, 9.0 * PI];
const START: f64 = 0.1;

// Both links are alike, and every mass, length and moment of inertia is 1, except that a link's centre of mass lies
// at half its length.
const CENTRE: f64 = 0.5;
const INERTIA: f64 = 1.0;

/// `Acrobot-v1`: swing the free end of a two-link pendulum up by a motor in the joint between the links.
///
/// # Actions
/// | Number | Name              | Effect                                |
/// |--------|-------------------|---------------------------------------|
/// | 0      | `negative torque` | -1 N·m on the joint between the links |
/// | 1      | `no torque`       | nothing                               |
/// | 2      | `positive torque` | +1 N·m on the joint between the links |
///
/// # Observation
/// Six values. Angle 1 is the first link's, 0 where it hangs down; angle 2 is the second link's relative to the first.
///
/// | Index | Name                 | Unit  | Bounds | Typical    |
/// |-------|----------------------|-------|--------|------------|
/// | 0     | `cosine of angle 1`  | none  | ±1     | the bounds |
/// | 1     | `sine of angle 1`    | none  | ±1     | the bounds |
/// | 2     | `cosine of angle 2`  | none  | ±1     | the bounds |
/// | 3     | `sine of angle 2`    | none  | ±1     | the bounds |
/// | 4     | `angular velocity 1` | rad/s | ±4π    | the bounds |
/// | 5     | `angular velocity 2` | rad/s | ±9π    | the bounds |
///
/// # Dynamics
/// Two links of 1 kg and 1 m with a moment of inertia of 1 kg·m² each, with the equations of Sutton and Barto's book
/// (not those of the 1996 paper), integrated by one Runge-Kutta step of fourth order over 0.2 s. Then the angles are
/// wrapped to [-π, π] and the velocities clipped to their bounds.
///
/// # Reward
/// -1 for every step, and 0 for the terminating one. The reward threshold is -100.
///
/// # Start of an episode
/// Both angles (rad) and both angular velocities (rad/s) are uniform in [-0.1, 0.1), rounded to single precision.
///
/// # End of an episode
/// Terminated where the free end is more than 1 m above the fixed one. The time limit is 500 steps.
///
/// # Source
/// R. S. Sutton (1996), *Generalization in reinforcement learning: successful examples using sparse coarse coding*;
/// R. S. Sutton and A. G. Barto (2018), *Reinforcement learning: an introduction*. Dynamics, limits and start as in
/// Gymnasium 1.4.0.
#[derive(Debug, Clone)]
pub struct Acrobot {
    spec: EnvSpec,
    state: [f64; 4],
}

impl Acrobot {
    /// The environment, which needs a reset before its first step.
    pub fn new() -> Self {
        let [velocity_1, velocity_2] = MAX_VELOCITIES.map(|velocity| velocity as f32);
        let dimensions = [
            Dimension::new("cosine of angle 1", "", -1.0, 1.0),
            Dimension::new("sine of angle 1", "", -1.0, 1.0),
            Dimension::new("cosine of angle 2", "", -1.0, 1.0),
            Dimension::new("sine of angle 2", "", -1.0, 1.0),
            Dimension::new("angular velocity 1", "rad/s", -velocity_1, velocity_1),
            Dimension::new("angular velocity 2", "rad/s", -velocity_2, velocity_2),
        ];
        let spec = EnvSpec::new(
            "Acrobot-v1",
            dimensions,
            ["negative torque", "no torque", "positive torque"],
        )
        .with_max_episode_steps(500)
        .with_reward_threshold(-100.0)
        .with_about(About::of([
            "Swing the end of a two-link pendulum above a line by a torque on the joint between the links",
            "-1 a step, and 0 for the one that ends the episode",
            "both angles and both velocities uniform between -0.1 and 0.1",
            "terminated where the free end is more than 1 m above the fixed one",
            "R. S. Sutton (1996); the dynamics of Gymnasium 1.4.0",
        ]))
        .with_plane([4, 5]);
        Self { spec, state: [0.0; 4] }
    }

    /// Angle 1, angle 2 (rad), angular velocity 1 and angular velocity 2 (rad/s).
    pub fn state(&self) -> [f64; 4] {
        self.state
    }

    /// Puts the environment into a state, in the order and units of [`state`](Self::state).
    pub fn set_state(&mut self, state: [f64; 4]) {
        self.state = state;
    }

    fn observation(&self) -> Vec<f32> {
        let [angle_1, angle_2, velocity_1, velocity_2] = self.state;
        let ((sin_1, cos_1), (sin_2, cos_2)) = (angle_1.sin_cos(), angle_2.sin_cos());
        [cos_1, sin_1, cos_2, sin_2, velocity_1, velocity_2].map(|value| value as f32).to_vec()
    }
}

impl Default for Acrobot {
    fn default() -> Self {
        Self::new()
    }
}

impl Env for Acrobot {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        // Gymnasium's first state is in single precision, the following ones are not.
        self.state = std::array::from_fn(|_| f64::from(rng.random_range(-START..START) as f32));
        Ok(self.observation())
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let torque = match action {
            0 => -1.0,
            1 => 0.0,
            2 => 1.0,
            _ => return Err(EnvError::ActionOutOfRange { env: self.spec.id.clone(), action, actions: 3 }),
        };
        let [angle_1, angle_2, velocity_1, velocity_2] = runge_kutta(self.state, torque);
        let [max_1, max_2] = MAX_VELOCITIES;
        let (angle_1, angle_2) = (wrap(angle_1), wrap(angle_2));

        self.state = [angle_1, angle_2, velocity_1.clamp(-max_1, max_1), velocity_2.clamp(-max_2, max_2)];
        let height = -angle_1.cos() - (angle_2 + angle_1).cos();
        let terminated = height > 1.0;
        Ok(Step::new(self.observation(), if terminated { 0.0 } else { -1.0 }, terminated))
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        Some(saved::numbers(&self.state))
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        self.state = saved::read_numbers(state, &self.spec)?;
        Ok(())
    }

    fn drawing(&self) -> Option<Drawing> {
        let [angle_1, angle_2, _, _] = self.state;
        let end = |[x, y]: [f64; 2], angle: f64| [x + angle.sin(), y - angle.cos()];
        let joint = end([0.0, 0.0], angle_1);
        let tip = end(joint, angle_1 + angle_2);
        let drawing = Drawing::new([-2.2, -2.2, 2.2, 2.2])
            .line([[-2.2, 1.0], [2.2, 1.0]], 0.03, Ink::Goal)
            .line([[0.0, 0.0], joint], 0.16, Ink::Body)
            .line([joint, tip], 0.16, Ink::Limb)
            .disc([0.0, 0.0], 0.09, Ink::Ground)
            .disc(joint, 0.09, Ink::Ground);
        Some(drawing)
    }
}

/// The classical Runge-Kutta step of fourth order over [`TIME_STEP`], under constant torque.
fn runge_kutta(state: [f64; 4], torque: f64) -> [f64; 4] {
    let ahead = |slope: [f64; 4], time: f64| std::array::from_fn(|i| state[i] + time * slope[i]);
    let k1 = derivative(state, torque);
    let k2 = derivative(ahead(k1, TIME_STEP / 2.0), torque);
    let k3 = derivative(ahead(k2, TIME_STEP / 2.0), torque);
    let k4 = derivative(ahead(k3, TIME_STEP), torque);
    std::array::from_fn(|i| state[i] + TIME_STEP / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
}

/// The time derivative of the state. `d1`, `d2`, `phi1` and `phi2` are named as in Sutton and Barto's book, whose
/// `cos(angle - π/2)` is written as the sine it is.
fn derivative([angle_1, angle_2, velocity_1, velocity_2]: [f64; 4], torque: f64) -> [f64; 4] {
    let (sin_2, cos_2) = angle_2.sin_cos();
    let d1 = CENTRE.powi(2) + (1.0 + CENTRE.powi(2) + 2.0 * CENTRE * cos_2) + 2.0 * INERTIA;
    let d2 = CENTRE.powi(2) + CENTRE * cos_2 + INERTIA;
    let phi2 = CENTRE * GRAVITY * (angle_1 + angle_2).sin();
    let phi1 = -CENTRE * velocity_2.powi(2) * sin_2 - 2.0 * CENTRE * velocity_2 * velocity_1 * sin_2
        + (CENTRE + 1.0) * GRAVITY * angle_1.sin()
        + phi2;
    let acceleration_2 = (torque + d2 / d1 * phi1 - CENTRE * velocity_1.powi(2) * sin_2 - phi2)
        / (CENTRE.powi(2) + INERTIA - d2.powi(2) / d1);
    let acceleration_1 = -(d2 * acceleration_2 + phi1) / d1;
    [velocity_1, velocity_2, acceleration_1, acceleration_2]
}

/// The same angle in [-π, π].
fn wrap(angle: f64) -> f64 {
    if angle.abs() <= PI {
        return angle;
    }
    match angle % TAU {
        rest if rest > PI => rest - TAU,
        rest if rest < -PI => rest + TAU,
        rest => rest,
    }
}
