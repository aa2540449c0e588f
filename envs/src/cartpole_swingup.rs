//! The cart-pole that hangs.

use std::f64::consts::{PI, TAU};

use rand::{Rng, RngExt};

use crate::cartpole::{FORCE, HALF_LENGTH, accelerations};
use crate::drawing::cart_and_pole;
use crate::{About, Argument, Dimension, Drawing, Env, EnvArgs, EnvError, EnvSpec, Step, saved};

const ID: &str = "CartPoleSwingup-v0";

/// What the arguments say.
#[derive(Debug, Clone)]
struct Rules {
    height_threshold: f64,
    theta_dot_threshold: f64,
    x_reward_threshold: f64,
    move_cost: f64,
    x_threshold: f64,
    timescale: f64,
    max_time: f64,
    init_range: f64,
}

/// bsuite's defaults.
const DEFAULTS: Rules = Rules {
    height_threshold: 0.5,
    theta_dot_threshold: 1.0,
    x_reward_threshold: 1.0,
    move_cost: 0.1,
    x_threshold: 3.0,
    timescale: 0.01,
    max_time: 10.0,
    init_range: 0.05,
};

/// `CartPoleSwingup-v0`: swing a hanging pole up by pushing its cart and keep it upright near the centre, where only
/// being upright pays and every push costs.
///
/// An agent that is guided by rewards alone learns to keep still.
///
/// # Arguments
/// | Name                  | Default | Range         | Meaning                                                       |
/// |-----------------------|---------|---------------|---------------------------------------------------------------|
/// | `height_threshold`    | 0.5     | 0 to 1        | cosine of the angle above which the pole is upright           |
/// | `theta_dot_threshold` | 1       | 0.001 to 1000 | angular velocity (rad/s) below which the pole is steady       |
/// | `x_reward_threshold`  | 1       | 0.001 to 1000 | distance (m) from the centre within which being upright pays  |
/// | `move_cost`           | 0.1     | 0 to 1000     | what a push costs                                             |
/// | `x_threshold`         | 3       | 0.001 to 1000 | distance (m) from the centre at which the track ends          |
/// | `timescale`           | 0.01    | 0.001 to 0.1  | length of a step (s)                                          |
/// | `max_time`            | 10      | 1 to 1000     | time (s) after which an episode ends                          |
/// | `init_range`          | 0.05    | 0 to 1        | how far a first state is from hanging at rest in the centre   |
///
/// bsuite's experiment sets `height_threshold` to 0, 0.05, ... 0.95 and `x_reward_threshold` to 1 less that: the higher
/// the first, the harder.
///
/// # Actions
/// | Number | Name         | Effect                       |
/// |--------|--------------|------------------------------|
/// | 0      | `push left`  | a force of -10 N on the cart |
/// | 1      | `coast`      | nothing                      |
/// | 2      | `push right` | a force of +10 N on the cart |
///
/// # Observation
/// Eight values. The angle is 0 where the pole is upright.
///
/// | Index | Name                          | Unit  | Bounds                        | Typical |
/// |-------|-------------------------------|-------|-------------------------------|---------|
/// | 0     | `cart position / x_threshold` | none  | ±∞                            | ±1      |
/// | 1     | `cart velocity / x_threshold` | 1/s   | ±∞                            | ±2      |
/// | 2     | `sine of the pole angle`      | none  | ±1                            | ±1      |
/// | 3     | `cosine of the pole angle`    | none  | ±1                            | ±1      |
/// | 4     | `pole angular velocity`       | rad/s | ±∞                            | ±10     |
/// | 5     | `time / max_time`             | none  | 0 to 1 + 2 timescale/max_time | 0 to 1  |
/// | 6     | `near the centre`             | none  | ±1                            | ±1      |
/// | 7     | `steady`                      | none  | ±1                            | ±1      |
///
/// The last two are 1 where what is measured is below `x_reward_threshold` or `theta_dot_threshold`, and -1 elsewhere.
///
/// # Dynamics
/// A frictionless cart of 1 kg and a pole of 0.1 kg and 1 m, integrated by explicit Euler in steps of `timescale`; the
/// angle is wrapped to [0, 2π).
///
/// # Reward
/// 1 for every step after which the pole is upright and steady and the cart near the centre, less `move_cost` for a
/// push. The reward threshold is 100, from where on bsuite counts an episode as a good one; what can be reached is
/// about 700.
///
/// # Start of an episode
/// Position (m), velocity (m/s), angle less π (rad) and angular velocity (rad/s) are uniform in ±`init_range`; the
/// time is 0.
///
/// # End of an episode
/// Terminated where the cart is more than `x_threshold` from the centre, or after more than `max_time`: by default
/// that is the 1,001st step, the first that is later than 10 s. It is no time limit, since the time is observed.
///
/// # Source
/// I. Osband et al. (2020), *Behaviour suite for reinforcement learning*. Dynamics, limits, arguments and start as in
/// bsuite's `cartpole_swingup`.
#[derive(Debug, Clone)]
pub struct CartPoleSwingup {
    spec: EnvSpec,
    rules: Rules,
    state: [f64; 5],
}

impl CartPoleSwingup {
    /// The environment with its default arguments, which needs a reset before its first step.
    pub fn new() -> Self {
        Self::of(DEFAULTS)
    }

    /// The arguments with their defaults.
    pub fn arguments() -> EnvArgs {
        const POSITIVE: std::ops::RangeInclusive<f64> = 0.001..=1000.0;
        let number = Argument::number;
        let arguments = [
            number(
                "height_threshold",
                DEFAULTS.height_threshold,
                0.0..=1.0,
                "cosine of the angle above which the pole is upright",
            ),
            number(
                "theta_dot_threshold",
                DEFAULTS.theta_dot_threshold,
                POSITIVE,
                "angular velocity (rad/s) below which the pole is steady",
            ),
            number(
                "x_reward_threshold",
                DEFAULTS.x_reward_threshold,
                POSITIVE,
                "distance (m) from the centre within which being upright pays",
            ),
            number("move_cost", DEFAULTS.move_cost, 0.0..=1000.0, "what a push costs"),
            number(
                "x_threshold",
                DEFAULTS.x_threshold,
                POSITIVE,
                "distance (m) from the centre at which the track ends",
            ),
            number("timescale", DEFAULTS.timescale, 0.001..=0.1, "length of a step (s)"),
            number("max_time", DEFAULTS.max_time, 1.0..=1000.0, "time (s) after which an episode ends"),
            number(
                "init_range",
                DEFAULTS.init_range,
                0.0..=1.0,
                "how far a first state is from hanging at rest in the centre",
            ),
        ];
        EnvArgs::new(ID, arguments)
    }

    /// The environment with these arguments.
    ///
    /// # Errors
    /// Where the arguments are not those of [`arguments`](Self::arguments).
    pub fn with_arguments(arguments: &EnvArgs) -> Result<Self, EnvError> {
        Ok(Self::of(Rules {
            height_threshold: arguments.get("height_threshold")?,
            theta_dot_threshold: arguments.get("theta_dot_threshold")?,
            x_reward_threshold: arguments.get("x_reward_threshold")?,
            move_cost: arguments.get("move_cost")?,
            x_threshold: arguments.get("x_threshold")?,
            timescale: arguments.get("timescale")?,
            max_time: arguments.get("max_time")?,
            init_range: arguments.get("init_range")?,
        }))
    }

    fn of(rules: Rules) -> Self {
        let infinity = f32::INFINITY;
        let latest = (1.0 + 2.0 * rules.timescale / rules.max_time) as f32;
        let dimensions = [
            Dimension::new("cart position / x_threshold", "", -infinity, infinity).with_typical(-1.0, 1.0),
            Dimension::new("cart velocity / x_threshold", "1/s", -infinity, infinity).with_typical(-2.0, 2.0),
            Dimension::new("sine of the pole angle", "", -1.0, 1.0),
            Dimension::new("cosine of the pole angle", "", -1.0, 1.0),
            Dimension::new("pole angular velocity", "rad/s", -infinity, infinity).with_typical(-10.0, 10.0),
            Dimension::new("time / max_time", "", 0.0, latest).with_typical(0.0, 1.0),
            Dimension::new("near the centre", "", -1.0, 1.0),
            Dimension::new("steady", "", -1.0, 1.0),
        ];
        let spec = EnvSpec::new(ID, dimensions, ["push left", "coast", "push right"])
            .with_reward_threshold(100.0).with_about(About::of([
                "Swing a hanging pole up by pushing its cart and keep it upright near the centre",
                "1 a step after which the pole is upright and steady and the cart near the centre, less `move_cost` for a push",
                "hanging at rest in the centre, each value off by up to `init_range`",
                "terminated where the cart is more than `x_threshold` from the centre, and after more than `max_time`",
                "bsuite (I. Osband et al. 2020); the cart-pole of A. G. Barto et al. (1983)",
            ]))
            .with_plane([2, 4]);
        Self { spec, rules, state: [0.0; 5] }
    }

    /// Cart position (m), cart velocity (m/s), pole angle (rad), pole angular velocity (rad/s) and time (s).
    pub fn state(&self) -> [f64; 5] {
        self.state
    }

    /// Puts the environment into a state, in the order and units of [`state`](Self::state).
    pub fn set_state(&mut self, state: [f64; 5]) {
        self.state = state;
    }

    fn is_near(&self) -> bool {
        self.state[0].abs() < self.rules.x_reward_threshold
    }

    fn is_steady(&self) -> bool {
        self.state[3].abs() < self.rules.theta_dot_threshold
    }

    fn observation(&self) -> Vec<f32> {
        let [position, velocity, angle, angular_velocity, time] = self.state;
        let Rules { x_threshold, max_time, .. } = self.rules;
        let sign = |holds: bool| if holds { 1.0 } else { -1.0 };
        [
            position / x_threshold,
            velocity / x_threshold,
            angle.sin(),
            angle.cos(),
            angular_velocity,
            time / max_time,
            sign(self.is_near()),
            sign(self.is_steady()),
        ]
        .map(|value| value as f32)
        .to_vec()
    }
}

impl Default for CartPoleSwingup {
    fn default() -> Self {
        Self::new()
    }
}

impl Env for CartPoleSwingup {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        // Scaled rather than drawn from a range, which may not be empty.
        let mut near_zero = || self.rules.init_range * (2.0 * rng.random::<f64>() - 1.0);
        self.state = [near_zero(), near_zero(), PI + near_zero(), near_zero(), 0.0];
        Ok(self.observation())
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        let direction = match action {
            0 => -1.0,
            1 => 0.0,
            2 => 1.0,
            _ => return Err(EnvError::ActionOutOfRange { env: self.spec.id.clone(), action, actions: 3 }),
        };
        let Rules { height_threshold, move_cost, x_threshold, timescale, max_time, .. } = self.rules;
        let [position, velocity, angle, angular_velocity, time] = self.state;
        let [acceleration, angular_acceleration] = accelerations(angle, angular_velocity, direction * FORCE);
        self.state = [
            position + timescale * velocity,
            velocity + timescale * acceleration,
            (angle + timescale * angular_velocity).rem_euclid(TAU),
            angular_velocity + timescale * angular_acceleration,
            time + timescale,
        ];
        let [position, _, angle, _, time] = self.state;
        let is_upright = angle.cos() > height_threshold && self.is_steady() && self.is_near();
        let cost = if action == 1 { 0.0 } else { move_cost };
        let reward = if is_upright { 1.0 - cost } else { -cost };
        let terminated = time > max_time || position.abs() > x_threshold;
        Ok(Step::new(self.observation(), reward, terminated))
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        Some(saved::numbers(&self.state))
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        self.state = saved::read_numbers(state, &self.spec)?;
        Ok(())
    }

    fn drawing(&self) -> Option<Drawing> {
        let [position, _, angle, _, _] = self.state;
        Some(cart_and_pole(position, angle, 2.0 * HALF_LENGTH, self.rules.x_threshold))
    }
}
