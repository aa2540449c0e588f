//! What holds for the environments and spaces in every state, beyond the recorded ones.

use std::f64::consts::PI;

use control_envs::{
    Acrobot, BoxSpace, CartPole, CartPoleSwingup, Catch, DeepSea, Dimension, Env, EnvError, MountainCar,
    SparseMountainCar,
};
use proptest::prelude::*;

fn cartpole_state() -> impl Strategy<Value = [f64; 4]> {
    [-2.4..2.4, -5.0..5.0, -0.2..0.2, -5.0..5.0]
}

fn mountain_car_state() -> impl Strategy<Value = [f64; 2]> {
    [-1.2..=0.6, -0.07..=0.07]
}

fn acrobot_state() -> impl Strategy<Value = [f64; 4]> {
    [-PI..PI, -PI..PI, -4.0 * PI..4.0 * PI, -9.0 * PI..9.0 * PI]
}

/// The mechanical energy of the acrobot, J: kinetic energy from the mass matrix, potential energy from the heights.
fn acrobot_energy([angle_1, angle_2, velocity_1, velocity_2]: [f64; 4]) -> f64 {
    let m11 = 0.25 + 1.25 + angle_2.cos() + 2.0;
    let m12 = 0.25 + 0.5 * angle_2.cos() + 1.0;
    let m22 = 0.25 + 1.0;
    let kinetic = 0.5 * (m11 * velocity_1.powi(2) + m22 * velocity_2.powi(2)) + m12 * velocity_1 * velocity_2;
    kinetic - 9.8 * (1.5 * angle_1.cos() + 0.5 * (angle_1 + angle_2).cos())
}

proptest! {
    #[test]
    fn cartpole_is_symmetric(state in cartpole_state(), action in 0usize..2) {
        let (mut env, mut mirrored) = (CartPole::new(), CartPole::new());
        env.set_state(state);
        mirrored.set_state(state.map(|value| -value));
        let (step, mirrored_step) = (env.step(action).unwrap(), mirrored.step(1 - action).unwrap());
        prop_assert_eq!(env.state(), mirrored.state().map(|value| -value));
        prop_assert_eq!(step.terminated, mirrored_step.terminated);
        prop_assert!(env.spec().observation_space.contains(&step.observation));
    }

    #[test]
    fn cartpole_ends_exactly_outside_its_limits(x in -3.0..3.0, angle in -0.3..0.3, action in 0usize..2) {
        let mut env = CartPole::new();
        // At rest, explicit Euler leaves position and angle where they are.
        env.set_state([x, 0.0, angle, 0.0]);
        let step = env.step(action).unwrap();
        let outside = x.abs() > 2.4 || angle.abs() > 12f64.to_radians();
        prop_assert_eq!((step.terminated, step.reward), (outside, 1.0));
    }

    #[test]
    fn cartpole_swingup_is_symmetric(state in [-3.0..3.0, -5.0..5.0, 0.0..2.0 * PI, -9.0..9.0, 0.0..9.0], action in 0usize..3) {
        let (mut env, mut mirrored) = (CartPoleSwingup::new(), CartPoleSwingup::new());
        let [x, x_dot, theta, theta_dot, time] = state;
        env.set_state(state);
        mirrored.set_state([-x, -x_dot, -theta, -theta_dot, time]);
        let (step, other) = (env.step(action).unwrap(), mirrored.step(2 - action).unwrap());
        prop_assert_eq!((step.terminated, step.reward), (other.terminated, other.reward));
        let signs = [-1.0, -1.0, -1.0, 1.0, -1.0, 1.0, 1.0, 1.0];
        for (index, sign) in signs.into_iter().enumerate() {
            // Angles are wrapped by another number of rounded operations.
            prop_assert!((step.observation[index] - sign * other.observation[index]).abs() < 1e-5);
        }
        prop_assert!(env.spec().observation_space.contains(&step.observation));
    }

    #[test]
    fn cartpole_swingup_pays_exactly_what_is_upright_steady_and_near(
        x in -2.0..2.0, theta in 0.0..2.0 * PI, theta_dot in -2.0..2.0, action in 0usize..3
    ) {
        let mut env = CartPoleSwingup::new();
        env.set_state([x, 0.0, theta, theta_dot, 0.0]);
        let step = env.step(action).unwrap();
        let [x, _, theta, theta_dot, _] = env.state();
        let pays = theta.cos() > 0.5 && theta_dot.abs() < 1.0 && x.abs() < 1.0;
        let expected = if pays { 1.0 } else { 0.0 } - if action == 1 { 0.0 } else { 0.1 };
        prop_assert_eq!(step.reward, expected);
        prop_assert_eq!(step.observation[6] == 1.0, x.abs() < 1.0);
        prop_assert_eq!(step.observation[7] == 1.0, theta_dot.abs() < 1.0);
    }

    #[test]
    fn mountain_car_stays_in_its_box(state in mountain_car_state(), action in 0usize..3) {
        let mut env = MountainCar::new();
        env.set_state(state);
        let step = env.step(action).unwrap();
        prop_assert!(env.spec().observation_space.contains(&step.observation));
        let [position, velocity] = env.state();
        prop_assert_eq!(step.terminated, position >= 0.5 && velocity >= 0.0);
        prop_assert!(position > -1.2 || velocity >= 0.0, "the wall takes all speed");
    }

    #[test]
    fn acrobot_stays_in_its_box(state in acrobot_state(), action in 0usize..3) {
        let mut env = Acrobot::new();
        env.set_state(state);
        let step = env.step(action).unwrap();
        prop_assert!(env.spec().observation_space.contains(&step.observation));
        let [angle_1, angle_2, ..] = env.state();
        prop_assert!(angle_1.abs() <= PI && angle_2.abs() <= PI);
        prop_assert_eq!(step.reward, if step.terminated { 0.0 } else { -1.0 });
    }

    #[test]
    fn acrobot_is_symmetric(state in acrobot_state(), action in 0usize..3) {
        let (mut env, mut mirrored) = (Acrobot::new(), Acrobot::new());
        env.set_state(state);
        mirrored.set_state(state.map(|value| -value));
        env.step(action).unwrap();
        mirrored.step(2 - action).unwrap();
        prop_assert_eq!(env.state(), mirrored.state().map(|value| -value));
    }

    /// Gymnasium's data says that the equations are Gymnasium's; this says that they are physics.
    #[test]
    fn acrobot_conserves_energy_without_torque(
        angles in [-1.0..1.0, -1.0..1.0], velocities in [-2.0..2.0, -2.0..2.0]
    ) {
        let mut env = Acrobot::new();
        env.set_state([angles[0], angles[1], velocities[0], velocities[1]]);
        let before = acrobot_energy(env.state());
        env.step(1).unwrap();
        let drift = (acrobot_energy(env.state()) - before).abs();
        prop_assert!(drift < 0.02, "drift of {} J in one step", drift);
    }

    #[test]
    fn scaling_maps_the_typical_range_to_one(low in -1e6f32..1e6, width in 1e-2f32..1e6) {
        let high = low + width;
        prop_assume!(low < high);
        let (centre, half_width) = Dimension::new("x", "m", low, high).scale();
        // Relative to the bounds, which in single precision lose digits where they are far from zero.
        let tolerance = 1e-6 * (1.0 + low.abs().max(high.abs()) / half_width);
        prop_assert!(((low - centre) / half_width + 1.0).abs() <= tolerance);
        prop_assert!(((high - centre) / half_width - 1.0).abs() <= tolerance);
    }

    #[test]
    fn a_space_contains_what_lies_within_all_bounds(x in -2.0f32..2.0, y in -2.0f32..2.0) {
        let space = BoxSpace {
            dimensions: vec![Dimension::new("x", "m", -1.0, 1.0), Dimension::new("y", "m", 0.0, 1.0)],
            image: None,
            one_hot: false,
        };
        prop_assert_eq!(space.contains(&[x, y]), (-1.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y));
        prop_assert!(!space.contains(&[x]) && !space.contains(&[x, y, 0.0]) && !space.contains(&[x, f32::NAN]));
    }
}

#[test]
fn scales_of_unusual_ranges() {
    let unbounded = Dimension::new("x", "m", f32::NEG_INFINITY, f32::INFINITY);
    assert_eq!(unbounded.scale(), (0.0, 1.0));
    assert_eq!(Dimension::new("x", "m", 0.0, f32::INFINITY).scale(), (0.0, 1.0));
    assert_eq!(unbounded.with_typical(-1.0, 3.0).scale(), (1.0, 2.0));
    assert_eq!(Dimension::new("x", "m", -f32::MAX, f32::MAX).scale(), (0.0, f32::MAX));
}

#[test]
fn built_ins_refuse_actions_they_lack() {
    let envs: [Box<dyn Env>; 7] = [
        Box::new(CartPole::new()),
        Box::new(MountainCar::new()),
        Box::new(Acrobot::new()),
        Box::new(Catch::new()),
        Box::new(DeepSea::new()),
        Box::new(CartPoleSwingup::new()),
        Box::new(SparseMountainCar::new()),
    ];
    for mut env in envs {
        let actions = env.spec().actions.len();
        let expected = EnvError::ActionOutOfRange { env: env.spec().id.clone(), action: actions, actions };
        assert_eq!(env.step(actions), Err(expected));
    }
}

#[test]
fn the_acrobots_goal_is_a_height() {
    let mut env = Acrobot::new();
    let mut ends = 0;
    // Straight and at rest, so finely that the height after the step changes by less than 0.001 between neighbours.
    for index in 0..10_000 {
        env.set_state([f64::from(index) * PI / 10_000.0, 0.0, 0.0, 0.0]);
        let step = env.step(1).unwrap();
        let [angle_1, angle_2, ..] = env.state();
        let height = -angle_1.cos() - (angle_1 + angle_2).cos();
        assert_eq!(step.terminated, height > 1.0, "at a height of {height}");
        ends += usize::from(step.terminated);
    }
    assert!((1_000..9_000).contains(&ends), "{ends} ends");
}
