//! The time limit and the checks around an environment.

use control_envs::rand::SeedableRng;
use control_envs::{CartPole, Checked, Env, EnvError, Step, TimeLimit, Wrappers};
use proptest::prelude::*;
use rand_xoshiro::Xoshiro256PlusPlus;

mod common;
use common::{Script, Scripted, sound};

fn rng() -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(1)
}

/// Within its limit of 5 steps, as a registry makes it.
fn checked(script: Script) -> Checked<TimeLimit<Scripted>> {
    Checked::new(TimeLimit::new(Scripted::new(script)))
}

proptest! {
    #[test]
    fn exactly_the_last_step_allowed_is_truncated(limit in 1usize..50) {
        let mut env = Scripted::new(sound);
        env.spec.max_episode_steps = Some(limit);
        let mut env = TimeLimit::new(env);
        for _ in 0..3 {
            env.reset(&mut rng()).unwrap();
            for step in 1..=limit {
                prop_assert_eq!(env.step(0).unwrap().truncated, step == limit);
                prop_assert_eq!(env.elapsed_steps(), step);
            }
        }
    }
}

#[test]
fn without_a_limit_nothing_is_truncated() {
    let mut env = Scripted::new(sound);
    env.spec.max_episode_steps = None;
    let mut env = TimeLimit::new(env);
    env.reset(&mut rng()).unwrap();
    assert!((0..10_000).all(|_| !env.step(0).unwrap().ends_episode()));
}

#[test]
fn a_step_can_be_terminated_and_truncated() {
    let mut env = checked(|_, step| Ok(Step::new(vec![1.0], 0.0, step == 5)));
    env.reset(&mut rng()).unwrap();
    let last = (0..5).map(|_| env.step(0).unwrap()).last().unwrap();
    assert!(last.terminated && last.truncated);
}

#[test]
fn an_environments_own_truncation_stands() {
    let mut env = checked(|_, step| Ok(Step { truncated: step == 2, ..Step::new(vec![1.0], 0.0, false) }));
    env.reset(&mut rng()).unwrap();
    assert!(!env.step(0).unwrap().truncated);
    assert!(env.step(0).unwrap().truncated);
    assert!(matches!(env.step(0), Err(EnvError::EpisodeOver { .. })));
}

#[test]
fn steps_outside_an_episode_are_errors() {
    let over = Err(EnvError::EpisodeOver { env: "Scripted-v0".to_owned() });

    let mut env = checked(sound);
    assert_eq!(env.step(0), over, "before the first reset");
    env.reset(&mut rng()).unwrap();
    (0..5).for_each(|_| drop(env.step(0).unwrap()));
    assert_eq!(env.step(0), over, "after a truncation");
    env.reset(&mut rng()).unwrap();
    env.step(0).expect("a reset starts a new episode");

    let mut env = checked(|_, step| Ok(Step::new(vec![1.0], 0.0, step == 1)));
    env.reset(&mut rng()).unwrap();
    env.step(0).unwrap();
    assert_eq!(env.step(0), over, "after a termination");
}

#[test]
fn an_action_out_of_range_leaves_the_episode_as_it_was() {
    let mut env = Checked::new(TimeLimit::new(CartPole::new()));
    env.reset(&mut rng()).unwrap();
    let before = env.inner().inner().state();
    let error = env.step(2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "action 2 is out of range: environment `CartPole-v1` has 2 actions, numbered from 0 to 1"
    );
    assert_eq!(env.inner().inner().state(), before);
    env.step(1).expect("the episode goes on");
    assert_eq!(env.inner().elapsed_steps(), 1);
}

#[test]
fn misbehaviour_ends_the_episode_and_names_the_environment() {
    let cases: [(Script, &str); 4] = [
        (
            |_, step| Ok(Step::new(vec![if step == 2 { f32::NAN } else { 1.0 }], 0.0, false)),
            "(`value`) of the obs",
        ),
        (|_, step| Ok(Step::new(vec![1.0; if step == 2 { 3 } else { 1 }], 0.0, false)), "has 3 values"),
        (
            |_, step| Ok(Step::new(vec![1.0], if step == 2 { f64::INFINITY } else { 0.0 }, false)),
            "reward is inf",
        ),
        (|_, step| Ok(Step::new(vec![1.0], if step == 2 { f64::NAN } else { 0.0 }, false)), "reward is NaN"),
    ];
    for (script, expected) in cases {
        let mut env = checked(script);
        env.reset(&mut rng()).unwrap();
        env.step(0).unwrap();
        let error = env.step(0).unwrap_err();
        assert!(matches!(&error, EnvError::Misbehaved { env, .. } if env == "Scripted-v0"), "{error:?}");
        let message = error.to_string();
        assert!(message.contains("`Scripted-v0` misbehaved: in step 2 of an episode, "), "{message}");
        assert!(message.contains(expected), "{message} lacks: {expected}");
        assert!(matches!(env.step(0), Err(EnvError::EpisodeOver { .. })));
    }
}

#[test]
fn a_reset_is_checked_too() {
    let mut env = checked(|_, _| Ok(Step::new(vec![f32::NAN], 0.0, false)));
    let message = env.reset(&mut rng()).unwrap_err().to_string();
    assert!(message.contains("at a reset, value 0 (`value`) of the observation is NaN"), "{message}");
    assert!(matches!(env.step(0), Err(EnvError::EpisodeOver { .. })));
}

#[test]
fn an_environments_own_error_passes_and_ends_the_episode() {
    let mut env =
        checked(|_, step| if step == 1 { Err(EnvError::failed("X", "no power")) } else { sound(1, step) });
    env.reset(&mut rng()).unwrap();
    assert_eq!(env.step(0).unwrap_err().to_string(), "environment `X` failed: no power");
    assert!(matches!(env.step(0), Err(EnvError::EpisodeOver { .. })));
}

#[test]
fn wrappers_compose_over_boxes() {
    let boxed: Box<dyn Env> = Box::new(Scripted::new(sound));
    let mut env: Box<dyn Env> = Box::new(Checked::new(TimeLimit::new(boxed)));
    assert_eq!(env.reset(&mut rng()).unwrap(), [1.0]);
    assert_eq!(env.step(1).unwrap(), Step::new(vec![1.0], 0.0, false));
}

#[test]
fn an_end_without_a_valid_action_says_nothing_of_what_is_valid() {
    // Else a target after a time limit would be of an action that is as little valid as the others.
    let mask = |at_the_end: Vec<bool>| {
        let mut env = Scripted::new(sound);
        (env.spec.max_episode_steps, env.masks) =
            (Some(2), vec![vec![true, true], vec![false, true], at_the_end]);
        let mut env = Checked::new(TimeLimit::new(env));
        env.reset(&mut rng()).unwrap();
        env.step(0).unwrap();
        assert_eq!(env.action_mask(), Some(vec![false, true]));
        assert!(env.step(1).unwrap().truncated);
        env.action_mask()
    };
    assert_eq!(mask(vec![true, false]), Some(vec![true, false]));
    assert_eq!(mask(vec![false, false]), None);
}

#[test]
fn a_reward_that_is_no_finite_number_is_found_behind_clipping() {
    let scripts: [Script; 3] = [
        |_, _| Ok(Step::new(vec![1.0], f64::INFINITY, false)),
        |_, _| Ok(Step::new(vec![1.0], f64::NEG_INFINITY, false)),
        |_, _| Ok(Step::new(vec![1.0], f64::NAN, false)),
    ];
    for script in scripts {
        let wrappers = Wrappers { clip_rewards: true, ..Wrappers::default() };
        let mut env = Checked::new(wrappers.wrap(Scripted::new(script)));
        env.reset(&mut rng()).unwrap();
        assert!(matches!(env.step(0), Err(EnvError::Misbehaved { .. })));
    }
}
