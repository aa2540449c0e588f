//! Environments in Python processes, the process played by `gymnasium/fake_python.py`: what is said, and how its end is
//! told.

#![cfg(unix)]
#![allow(clippy::unwrap_used)] // In helpers too, which clippy.toml does not count as tests.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use control_envs::rand::{RngExt, SeedableRng};
use control_envs::{Env, EnvError, Gymnasium, Registry};
use rand_xoshiro::Xoshiro256PlusPlus;

fn fake() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/gymnasium/fake_python.py")
}

fn registry(timeout: Duration) -> Registry {
    let mut registry = Registry::new();
    registry.add_gymnasium(Gymnasium::in_processes_of(fake(), timeout));
    registry
}

fn rng() -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(1)
}

#[test]
fn what_is_asked_and_answered_arrives() {
    let registry = registry(Duration::from_secs(60));
    let entry = registry.get("gym:fine").unwrap();
    assert_eq!((entry.id(), entry.alias()), ("gym:fine", "gym:fine"));
    let spec = entry.spec();
    assert_eq!((spec.actions.join(" "), spec.max_episode_steps), ("wait go".to_owned(), Some(10)));
    let bounds: Vec<_> =
        spec.observation_space.dimensions.iter().map(|dimension| (dimension.low, dimension.high)).collect();
    assert_eq!(bounds, [(0.0, 10.0), (f32::NEG_INFINITY, f32::INFINITY)]);

    let mut env = entry.make();
    let mut rng = rng();
    let first = env.reset(&mut rng).unwrap();
    assert!(first[0] == 0.0 && first[1] >= 0.0, "the first reset has a seed: {first:?}");
    for length in 1..=10_u8 {
        let action = usize::from(length % 2);
        let step = env.step(action).unwrap();
        assert_eq!(step.observation, [f32::from(length), f32::from(length % 2)]);
        assert_eq!((step.reward, step.terminated, step.truncated), (1.0, false, length == 10));
    }
    assert_eq!(env.reset(&mut rng).unwrap(), [0.0, -1.0], "no other has");
    assert_eq!(env.save_state(), None);
    // The seed is that of the generator.
    let again = entry.make().reset(&mut self::rng()).unwrap();
    assert_eq!(again, first);
}

#[test]
fn environments_do_not_meet() {
    let registry = registry(Duration::from_secs(60));
    let (mut one, mut other) = (registry.make("gym:fine").unwrap(), registry.make("gym:kill@3").unwrap());
    one.reset(&mut rng()).unwrap();
    other.reset(&mut rng()).unwrap();
    for length in 1..=2_u8 {
        assert_eq!(one.step(0).unwrap().observation, [f32::from(length), 0.0]);
        assert_eq!(other.step(1).unwrap().observation, [f32::from(length), 1.0]);
    }
    assert!(other.step(1).is_err());
    assert_eq!(one.step(0).unwrap().observation, [3.0, 0.0]);
    // One that is made after the end of a process has another.
    let mut third = registry.make("gym:kill@3").unwrap();
    third.reset(&mut rng()).unwrap();
    assert!(third.step(0).is_ok());
}

/// None of three answers before all three have been asked.
#[test]
fn steps_that_are_begun_are_taken_side_by_side() {
    let registry = registry(Duration::from_secs(60));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("meeting");
    // What a test that was ended early left.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let name = format!("gym:meet{}@2", folder.display());
    let mut envs: Vec<_> = (0..3).map(|_| registry.make(&name).unwrap()).collect();
    for env in &mut envs {
        env.reset(&mut rng()).unwrap();
        assert_eq!(env.step(1).unwrap().observation, [1.0, 1.0]);
    }
    envs.iter_mut().for_each(|env| env.begin_step(1).unwrap());
    for env in &mut envs {
        assert_eq!(env.action_mask(), None);
        assert_eq!(env.step(1).unwrap().observation, [2.0, 1.0]);
        // One that was not begun.
        assert_eq!(env.step(0).unwrap().observation, [3.0, 0.0]);
    }
}

#[test]
fn a_step_that_was_begun_leaves_nothing_behind() {
    let registry = registry(Duration::from_secs(60));
    let mut env = registry.make("gym:fine").unwrap();
    env.reset(&mut rng()).unwrap();
    env.begin_step(1).unwrap();
    let error = env.step(0).unwrap_err().to_string();
    assert!(error.contains("action 0 was taken where 1 was begun"), "{error}");
    assert_eq!(env.reset(&mut rng()).unwrap(), [0.0, -1.0], "the reset's own answer");
    env.begin_step(1).unwrap();
    drop(env);
    // Not from the process that has an answer to give.
    let mut env = registry.make("gym:fine").unwrap();
    assert!(env.reset(&mut rng()).unwrap()[1] >= 0.0);
    assert_eq!(env.step(0).unwrap().observation, [1.0, 0.0]);
    // What goes wrong is told by the step.
    let mut env = registry.make("gym:raise@1").unwrap();
    env.reset(&mut rng()).unwrap();
    env.begin_step(1).unwrap();
    assert!(env.step(1).unwrap_err().to_string().contains("boom"));
    let mut env = registry.make("gym:kill@1").unwrap();
    env.reset(&mut rng()).unwrap();
    let begun = env.begin_step(1).and_then(|()| env.step(1)).unwrap_err().to_string();
    assert!(begun.contains("its Python process ended with"), "{begun}");
}

/// The answer to a step that goes wrong.
fn ended(how: &str, at: usize) -> EnvError {
    let mut env = registry(Duration::from_secs(10)).make(&format!("gym:{how}@{at}")).unwrap();
    let mut rng = rng();
    env.reset(&mut rng).unwrap();
    for _ in 1..at {
        if env.step(0).unwrap().ends_episode() {
            env.reset(&mut rng).unwrap();
        }
    }
    let error = env.step(0).unwrap_err();
    assert!(matches!(env.step(0), Err(EnvError::EpisodeOver { .. })));
    error
}

const WORDS: [(&str, &str); 6] = [
    // Which signal is not told where `python3` is a script that starts Python.
    ("kill", "its Python process ended with "),
    ("exit", "its Python process ended with exit status: 7"),
    ("half", "its Python process ended with exit status: 0"),
    ("hang", "its Python process did not answer within 10 s and was ended"),
    ("garbage", "it answered what is no answer"),
    ("raise", "it raised ValueError: boom"),
];

#[test]
fn a_process_that_goes_wrong_is_told_of_whenever_it_does() {
    // As many at once as trials, since those that hang do nothing but wait.
    let mut moments = Xoshiro256PlusPlus::seed_from_u64(0);
    let trials: Vec<_> = (0..102).map(|trial| (WORDS[trial % 6], moments.random_range(1..200))).collect();
    thread::scope(|scope| {
        for chunk in trials.chunks(13) {
            scope.spawn(move || {
                for ((how, words), at) in chunk {
                    let error = ended(how, *at).to_string();
                    let name = format!("environment `gym:{how}@{at}` failed: ");
                    assert!(error.starts_with(&name) && error.contains(words), "{error}");
                }
            });
        }
    });
}

#[test]
fn an_interpreter_that_is_none_is_told_of() {
    let message = |python: &str| {
        let mut registry = Registry::new();
        registry.add_gymnasium(Gymnasium::in_processes_of(python, Duration::from_secs(10)));
        registry.get("gym:CartPole-v1").unwrap_err().to_string()
    };
    let missing = message("/there/is/no/python3");
    for words in ["`gym:CartPole-v1` is not available", "/there/is/no/python3", "CONCRETE_DQN_PYTHON"] {
        assert!(missing.contains(words), "{missing}");
    }
    let silent = message("true");
    assert!(silent.contains("its Python process ended with exit status: 0"), "{silent}");
}
