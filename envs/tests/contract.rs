//! The contract check passes what keeps the contract and finds what breaks it.

#![allow(clippy::unwrap_used)] // In helpers too, which clippy.toml does not count as tests.

use std::sync::atomic::{AtomicUsize, Ordering};

use control_envs::contract::{ContractViolation, check};
use control_envs::rand::Rng;
use control_envs::{
    Acrobot, ArgValue, BoxSpace, CartPole, CartPoleSwingup, Catch, DeepSea, Dimension, Env, EnvError,
    EnvSpec, ImageShape, MountainCar, Registry, SparseMountainCar, Step,
};
use proptest::prelude::*;

mod common;
use common::{Script, Scripted, sound};

const STEPS: usize = 60;

fn violation(script: Script) -> ContractViolation {
    check(|| Scripted::new(script), 3, STEPS).unwrap_err()
}

fn spec_violation(change: fn(&mut EnvSpec)) -> ContractViolation {
    let broken = || {
        let mut env = Scripted::new(sound);
        change(&mut env.spec);
        env
    };
    check(broken, 3, STEPS).unwrap_err()
}

/// Sound but for the step given, which is the third of the second episode: the eighth in all.
fn breaks_with(episode: usize, step: usize, broken: Step) -> Result<Step, EnvError> {
    if (episode, step) == (2, 3) { Ok(broken) } else { sound(episode, step) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn built_ins_keep_the_contract(seed: u64) {
        prop_assert_eq!(check(CartPole::new, seed, 2_000), Ok(Vec::new()));
        prop_assert_eq!(check(MountainCar::new, seed, 2_000), Ok(Vec::new()));
        prop_assert_eq!(check(Acrobot::new, seed, 2_000), Ok(Vec::new()));
        prop_assert_eq!(check(Catch::new, seed, 2_000), Ok(Vec::new()));
        prop_assert_eq!(check(SparseMountainCar::new, seed, 2_000), Ok(Vec::new()));
        prop_assert_eq!(check(CartPoleSwingup::new, seed, 2_000), Ok(Vec::new()));
        prop_assert_eq!(check(DeepSea::new, seed, 500), Ok(Vec::new()));
    }

    #[test]
    fn built_ins_keep_the_contract_with_any_arguments(
        seed: u64, size in 2i64..12, stochastic: bool, mapping_seed: u32, height in 0.0..1.0, timescale in 0.02..0.1,
        max_time in 1.0..30.0, init_range in 0.0..1.0
    ) {
        let registry = Registry::builtin();
        let sea = [("size", ArgValue::from(size)), ("stochastic", stochastic.into()), ("mapping_seed", mapping_seed.into())];
        let sea = registry.get("deep-sea").unwrap().with_args(sea).unwrap();
        prop_assert_eq!(check(|| sea.make(), seed, 500), Ok(Vec::new()));
        // At most 1,500 steps an episode: the check wants to see one end.
        let swingup = [
            ("height_threshold", height), ("timescale", timescale), ("max_time", max_time), ("init_range", init_range)
        ];
        let swingup = registry.get("cartpole-swingup").unwrap().with_args(swingup).unwrap();
        prop_assert_eq!(check(|| swingup.make(), seed, 2_000), Ok(Vec::new()));
    }
}

#[test]
fn every_registered_environment_keeps_the_contract() {
    for entry in &Registry::builtin() {
        check(|| entry.make(), 1, 10_000).unwrap();
    }
}

#[test]
fn a_sound_script_keeps_the_contract() {
    check(|| Scripted::new(sound), 3, STEPS).unwrap();
    check(|| Box::new(Scripted::new(sound)) as Box<dyn Env>, 3, STEPS).unwrap();
    check(|| Scripted::new(sound), 3, 0).unwrap();
}

#[test]
fn nan_is_found_and_named() {
    let found = violation(|e, s| breaks_with(e, s, Step::new(vec![f32::NAN], 0.0, false)));
    assert_eq!((found.env.as_str(), found.seed, found.step), ("Scripted-v0", 3, Some(8)));
    assert_eq!(
        found.to_string(),
        "environment `Scripted-v0` breaks the contract at step 8 with seed 3: in step 3 of an episode, value 0 \
         (`value`) of the observation is NaN, but it must be a finite number"
    );
}

#[test]
fn infinite_observations_and_rewards_are_found() {
    let found = violation(|e, s| breaks_with(e, s, Step::new(vec![f32::INFINITY], 0.0, false)));
    assert!(found.problem.contains("is inf"), "{found}");
    let found = violation(|e, s| breaks_with(e, s, Step::new(vec![1.0], f64::NEG_INFINITY, false)));
    assert!(found.problem.contains("the reward is -inf"), "{found}");
    let found = violation(|e, s| breaks_with(e, s, Step::new(vec![1.0], f64::NAN, true)));
    assert!(found.problem.contains("the reward is NaN"), "{found}");
}

#[test]
fn wrong_sizes_are_found() {
    let found = violation(|e, s| breaks_with(e, s, Step::new(vec![], 0.0, false)));
    assert!(found.problem.contains("has 0 values, but the observation space has 1 dimensions"), "{found}");
    let found = violation(|e, s| breaks_with(e, s, Step::new(vec![1.0, 1.0], 0.0, false)));
    assert!(found.problem.contains("has 2 values, but the observation space has 1 dimensions"), "{found}");
}

#[test]
fn observations_out_of_bounds_are_found() {
    let found = violation(|e, s| breaks_with(e, s, Step::new(vec![10.5], 0.0, false)));
    assert_eq!(found.problem, "value 0 (`value`) of the observation is 10.5, but its bounds are 0 and 10");
    let found = violation(|_, step| Ok(Step::new(vec![if step == 0 { -1.0 } else { 1.0 }], 0.0, false)));
    assert_eq!(found.step, Some(0), "at the first reset");
}

#[test]
fn observations_that_are_not_one_hot_though_said_to_be_are_found() {
    let pair = |value: f32| {
        move || {
            let script: Script = if value == 1.0 {
                |_, _| Ok(Step::new(vec![1.0, 1.0], 0.0, false))
            } else {
                |_, _| Ok(Step::new(vec![0.5, 0.0], 0.0, false))
            };
            let mut env = Scripted::new(script);
            let bit = Dimension::new("bit", "", 0.0, 1.0);
            env.spec = EnvSpec::new("Pair-v0", [bit.clone(), bit], ["stay"]).with_one_hot();
            env
        }
    };
    for value in [1.0, 0.5] {
        let found = check(pair(value), 3, STEPS).unwrap_err();
        assert!(found.problem.contains("more than a single 1 among zeros"), "{found}");
    }
}

/// Walks on a line and forgets its bounds, which a hundred steps of jitter don't reach.
struct Walk {
    spec: EnvSpec,
    position: f32,
}

impl Env for Walk {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, _rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.position = 0.0;
        Ok(vec![0.0])
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        self.position += if action == 1 { 1.0 } else { -1.0 };
        Ok(Step::new(vec![self.position], -1.0, false))
    }
}

#[test]
fn bounds_that_only_steady_pushing_reaches_are_tested() {
    let walk = || {
        let spec = EnvSpec::new("Walk-v0", [Dimension::new("position", "m", -45.0, 45.0)], ["left", "right"]);
        Walk { spec: spec.with_max_episode_steps(100), position: 0.0 }
    };
    let found = check(walk, 3, 2_000).unwrap_err();
    assert!(found.problem.contains("its bounds are -45 and 45"), "{found}");
}

#[test]
fn dependence_on_anything_but_the_seed_is_found() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let found = violation(|_, _| {
        let call = CALLS.fetch_add(1, Ordering::Relaxed);
        Ok(Step::new(vec![if call == 100 { 2.0 } else { 1.0 }], 0.0, false))
    });
    assert!(found.problem.contains("a second instance went another way"), "{found}");

    // The first check takes 60 steps in episodes of 5.
    let found = violation(|episode, _| Ok(Step::new(vec![1.0], if episode > 12 { 1.0 } else { 0.0 }, false)));
    assert_eq!(found.step, Some(1));
    assert!(found.problem.contains("the same instance, used and reset"), "{found}");

    let found = violation(|episode, step| Ok(Step::new(vec![1.0], 0.0, episode > 12 && step == 2)));
    assert!(found.problem.contains("terminated: true"), "{found}");
}

#[test]
fn failures_of_the_environment_itself_are_told() {
    let found = violation(|episode, step| match (episode, step) {
        (2, 0) => Err(EnvError::failed("Scripted-v0", "the simulator is gone")),
        _ => sound(episode, step),
    });
    assert_eq!((found.step, found.problem.as_str()), (Some(5), "the simulator is gone"));
}

#[test]
fn specs_on_which_no_agent_can_be_built_are_found() {
    type Case = (fn(&mut EnvSpec), &'static str);
    let cases: [Case; 14] = [
        (|spec| spec.id = " ".to_owned(), "its id is empty"),
        (
            |spec| spec.observation_space = BoxSpace { dimensions: vec![], image: None, one_hot: false },
            "has no dimensions",
        ),
        (|spec| spec.observation_space.dimensions[0].low = 10.0, "its low must be less than its high"),
        (|spec| spec.observation_space.dimensions[0].high = f32::NAN, "its low must be less than its high"),
        (
            |spec| spec.observation_space.dimensions[0].typical = (1.0, 1.0),
            "the first must be less than the second",
        ),
        (|spec| spec.observation_space.dimensions[0].name.clear(), "has no name"),
        (
            |spec| {
                spec.observation_space.image = Some(ImageShape { channels: 1, rows: 2, columns: 3 });
            },
            "its image of 1 x 2 x 3 values",
        ),
        (|spec| spec.observation_space.one_hot = true, "the bounds must be 0 and 1"),
        (|spec| spec.actions.clear(), "it has no actions"),
        (|spec| spec.actions[1].clear(), "its action 1 has no name"),
        (|spec| spec.max_episode_steps = Some(0), "its time limit is 0 steps"),
        (|spec| spec.reward_threshold = Some(f64::NAN), "its reward threshold is NaN"),
        (|spec| spec.plane = Some([0, 9]), "the values 0 and 9 of an observation"),
        (|spec| spec.plane = Some([0, 0]), "the values 0 and 0 of an observation"),
    ];
    for (change, expected) in cases {
        let found = spec_violation(change);
        assert_eq!(found.step, None);
        assert!(found.to_string().contains(expected), "{found} lacks: {expected}");
        assert!(found.to_string().contains("breaks the contract: "), "{found}");
    }
}

#[test]
fn instances_with_different_specs_are_found() {
    static INSTANCES: AtomicUsize = AtomicUsize::new(0);
    let found = check(
        || {
            let mut env = Scripted::new(sound);
            let instance = INSTANCES.fetch_add(1, Ordering::Relaxed);
            env.spec.observation_space.dimensions.push(Dimension::new(format!("{instance}"), "", 0.0, 1.0));
            env
        },
        3,
        STEPS,
    );
    assert!(found.unwrap_err().problem.contains("two instances have different specs"));
}
