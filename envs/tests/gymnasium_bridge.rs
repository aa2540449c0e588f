//! Environments of the Gymnasium that the interpreter in CONCRETE_DQN_PYTHON has. Where that is not set, nothing is tried.

#![cfg(unix)]
#![allow(clippy::unwrap_used)] // In helpers too, which clippy.toml does not count as tests.

use std::time::Duration;

use control_envs::rand::{RngExt, SeedableRng};
use control_envs::{
    ArgValue, CartPole, Env, EnvError, EnvSpec, Gymnasium, ImageShape, Registry, Step, TimeLimit,
};
use rand_xoshiro::Xoshiro256PlusPlus;

fn registry() -> Option<Registry> {
    let Some(python) = std::env::var_os("CONCRETE_DQN_PYTHON") else {
        eprintln!("not tried: CONCRETE_DQN_PYTHON does not name an interpreter that has Gymnasium");
        return None;
    };
    let mut registry = Registry::new();
    registry.add_gymnasium(Gymnasium::in_processes_of(python, Duration::from_secs(10)));
    Some(registry)
}

/// An environment of `gymnasium/spaces.py`. Tests run in the folder of the crate, so that Python finds it.
fn name(of: &str) -> String {
    format!("gym:tests.gymnasium.spaces:{of}-v0")
}

fn rng() -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(1)
}

fn names(spec: &EnvSpec) -> Vec<&str> {
    spec.observation_space.dimensions.iter().map(|dimension| dimension.name.as_str()).collect()
}

#[test]
fn every_space_becomes_numbers_in_a_row() {
    let Some(registry) = registry() else { return };
    let observe = |of: &str| {
        let mut env = registry.make(&name(of)).unwrap();
        let observation = env.reset(&mut rng()).unwrap();
        assert_eq!(env.step(0).unwrap().observation, observation);
        assert!(of == "Flat" || env.spec().observation_space.contains(&observation), "{of}: {observation:?}");
        (env.spec().clone(), observation)
    };
    let pixels: Vec<f32> = (0..24_u8).map(f32::from).collect();

    let (spec, observation) = observe("Late");
    assert_eq!(names(&spec), ["observation = -1", "observation = 0", "observation = 1"]);
    assert!(spec.observation_space.one_hot && observation == [0.0, 0.0, 1.0]);
    let (spec, observation) = observe("Bits");
    assert_eq!((names(&spec)[2], observation), ("observation[2]", vec![1.0, 0.0, 1.0]));
    let (spec, observation) = observe("Dials");
    assert_eq!((names(&spec)[2], observation), ("observation[1] = 0", vec![0.0, 1.0, 1.0, 0.0, 0.0]));
    let (spec, observation) = observe("Scalar");
    assert_eq!((names(&spec), observation), (vec!["observation"], vec![4.0]));
    let (spec, observation) = observe("Nested");
    let expected = ["what[0] = 0", "what[0] = 1", "what[1][0]", "where[0]", "where[1]"];
    let mut sorted = names(&spec);
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    for (name, value) in names(&spec).into_iter().zip(observation) {
        let expected = [0.0, 1.0, 1.0, 0.25, -1.0][expected.iter().position(|other| *other == name).unwrap()];
        assert_eq!(value, expected, "{name}");
    }
    let (spec, observation) = observe("Words");
    assert_eq!((names(&spec), observation), (vec!["seen = 0", "seen = 1"], vec![0.0, 1.0]));
    // An image that is not all of it is not turned, and each value lies within its own bounds.
    let (spec, observation) = observe("Part");
    assert_eq!((names(&spec)[1], &observation), ("seen[0,0,1]", &pixels));
    // What can have one value only has no scale.
    let (spec, _) = observe("Flat");
    let bounds = |index: usize| {
        let dimension = &spec.observation_space.dimensions[index];
        (dimension.low, dimension.high)
    };
    assert_eq!((bounds(0), bounds(1)), ((f32::NEG_INFINITY, f32::INFINITY), (0.0, 1.0)));

    let image = |of: &str| {
        let (spec, observation) = observe(of);
        let ImageShape { channels, rows, columns } = spec.observation_space.image.unwrap();
        ([channels, rows, columns], observation)
    };
    assert_eq!((image("First"), image("Grey")), (([1, 4, 6], pixels.clone()), ([1, 4, 6], pixels.clone())));
    // Channels come last there, so each is every third value.
    let channel = |first: usize| pixels.iter().skip(first).step_by(3).copied();
    let channels: Vec<f32> = (0..3).flat_map(channel).collect();
    assert_eq!(image("Last"), ([3, 4, 2], channels));
}

#[test]
fn actions_are_counted_from_where_the_space_begins() {
    let Some(registry) = registry() else { return };
    let mut env = registry.make(&name("Late")).unwrap();
    assert_eq!(env.spec().actions, ["5", "6", "7"]);
    env.reset(&mut rng()).unwrap();
    for action in 0..3_u8 {
        assert_eq!(env.step(action.into()).unwrap().reward, f64::from(5 + action));
    }
}

#[test]
fn what_gymnasium_knows_of_an_environment_is_in_its_spec() {
    let Some(registry) = registry() else { return };
    let entry = registry.get("gym:tests.gymnasium.spaces:Limited").unwrap();
    assert_eq!(entry.id(), "gym:tests.gymnasium.spaces:Limited-v3");
    assert_eq!((entry.spec().max_episode_steps, entry.spec().reward_threshold), (Some(7), Some(4.5)));
    let mut env = entry.make();
    env.reset(&mut rng()).unwrap();
    let truncated: Vec<bool> = (0..7).map(|_| env.step(0).unwrap().truncated).collect();
    assert_eq!(truncated, [false, false, false, false, false, false, true]);
    assert_eq!(registry.get("gym:CartPole-v1").unwrap().spec().reward_threshold, Some(475.0));
}

#[test]
fn only_the_first_reset_is_seeded_and_only_the_first_step_checked() {
    let Some(registry) = registry() else { return };
    let entry = registry.get(&name("Random")).unwrap();
    let play = |entry: &control_envs::Entry| -> Vec<Vec<f32>> {
        let (mut env, mut rng) = (entry.make(), rng());
        let mut seen = vec![env.reset(&mut rng).unwrap()];
        seen.extend((0..2).map(|_| env.step(0).unwrap().observation));
        seen.push(env.reset(&mut rng).unwrap());
        seen
    };
    let seen = play(&entry);
    let flags = |index: usize| seen.iter().map(|observation| observation[index]).collect::<Vec<_>>();
    assert_eq!((flags(0), flags(2)), (vec![1.0, 0.0, 0.0, 0.0], vec![1.0, 1.0, 0.0, 0.0]));
    // The same seed, the same numbers; and keyword arguments arrive.
    let again = play(&entry.with_args([("scale", ArgValue::from(1))]).unwrap());
    let scaled = play(&entry.with_args([("scale", 2.0)]).unwrap());
    for ((seen, again), scaled) in seen.iter().zip(&again).zip(&scaled) {
        assert_eq!((seen[1], 2.0 * seen[1]), (again[1], scaled[1]));
    }
}

#[test]
fn what_is_printed_does_not_meet_what_is_said() {
    let Some(registry) = registry() else { return };
    let mut env = registry.make(&name("Noisy")).unwrap();
    env.reset(&mut rng()).unwrap();
    for _ in 0..100 {
        assert_eq!(env.step(1).unwrap().reward, 1.0);
    }
}

#[test]
fn what_an_agent_can_not_use_is_refused_in_a_sentence() {
    let Some(registry) = registry() else { return };
    let message = |name: &str| match registry.get(name).unwrap_err() {
        EnvError::Unavailable { env, reason } if env == name => reason,
        other => panic!("{other}"),
    };
    for (name, words) in [
        (
            name("Push"),
            "its actions are Box(-1.0, 1.0, (1,), float32), but this agent needs a Discrete space",
        ),
        (name("Line"), "`observation` is Sequence("),
        ("gym:CartPol-v1".to_owned(), "CartPole"),
        ("gym:CartPole-v7".to_owned(), "v1"),
        ("gym:there.is.none:X-v0".to_owned(), "-m pip install"),
        ("gym:".to_owned(), ""),
    ] {
        let message = message(&name);
        assert!(message.contains(words) && !message.contains("Traceback"), "{message}");
    }
    let cartpole = registry.get("gym:CartPole-v1").unwrap();
    let error = cartpole.with_args([("size", 3)]).unwrap_err().to_string();
    assert!(error.contains("unexpected keyword argument 'size'"), "{error}");
    let list = cartpole.with_args([("size", ArgValue::Other("[1]".to_owned()))]).unwrap_err().to_string();
    assert!(list.contains("`size`") && list.contains("[1]") && list.contains("a text"), "{list}");
}

#[test]
fn an_exception_comes_with_its_traceback_and_a_hang_with_where_it_is() {
    let Some(python) = std::env::var_os("CONCRETE_DQN_PYTHON") else { return };
    let mut registry = Registry::new();
    registry.add_gymnasium(Gymnasium::in_processes_of(python, Duration::from_secs(10)));
    for (how, words) in [
        ("raises", ["it raised ValueError: the third step is one too many", "in raises"]),
        ("exits", ["it raised SystemExit: enough", "in exits"]),
        ("hangs", ["it has not come back for 10 s", "in hangs"]),
    ] {
        let wrong = registry.get(&name("Wrong")).unwrap().with_args([("how", how)]).unwrap();
        let mut env = wrong.make();
        env.reset(&mut rng()).unwrap();
        assert!(env.step(0).and(env.step(0)).is_ok());
        let error = env.step(0).unwrap_err().to_string();
        for words in words {
            assert!(error.contains(words), "{error}");
        }
        assert!(error.contains("spaces.py") && !error.contains("<string>"), "{error}");
    }
}

/// Equal states and actions, equal trajectories, until the pole falls or the time is over.
#[test]
fn cartpole_goes_the_same_way_there_and_here() {
    let Some(registry) = registry() else { return };
    let entry = registry.get(&name("CartPoleFrom")).unwrap();
    let mut draws = rng();
    let mut steps = 0;
    for _ in 0..50 {
        let state: [f64; 4] = std::array::from_fn(|_| draws.random_range(-0.05..0.05));
        let given = ["x", "v", "angle", "w"].into_iter().zip(state);
        let mut theirs = entry.with_args(given).unwrap().make();
        let mut ours = TimeLimit::new(CartPole::new());
        ours.reset(&mut draws).unwrap();
        ours.inner_mut().set_state(state);
        let mut observation = theirs.reset(&mut draws).unwrap();
        assert_eq!(observation, state.map(|value| value as f32));
        loop {
            // Keeps the pole up for long, with mistakes.
            let up = observation[2] + 0.3 * observation[3] > 0.0;
            let action = usize::from(up != (draws.random_range(0..8) == 0));
            let (our, their) = (ours.step(action).unwrap(), theirs.step(action).unwrap());
            assert_eq!(our, Step { truncated: our.truncated, ..their.clone() }, "after {steps} steps");
            observation = their.observation;
            steps += 1;
            if our.ends_episode() {
                break;
            }
        }
    }
    assert!(steps > 2_000, "{steps} steps");
}

#[test]
fn masks_of_valid_actions_come_with_the_info() {
    let Some(registry) = registry() else { return };
    let mut env = registry.make(&name("Masked")).unwrap();
    env.reset(&mut rng()).unwrap();
    assert_eq!(env.action_mask(), Some(vec![true; 3]));
    assert_eq!(env.step(1).unwrap().observation, [0.0]);
    assert_eq!(env.action_mask(), Some(vec![true, false, true]));
    assert!(matches!(env.step(1), Err(EnvError::InvalidAction { action: 1, .. })));
    env.step(2).unwrap();
    assert_eq!(env.action_mask(), Some(vec![true, true, false]));

    let wrong = registry.get(&name("Masked")).unwrap().with_args([("shape", 2)]).unwrap();
    let message = wrong.make().reset(&mut rng()).unwrap_err().to_string();
    assert!(message.contains("has the shape (2,), but there are 3 actions"), "{message}");

    // One of Gymnasium's own: in a corner of the grid two of the four ways are walls.
    let mut taxi = registry.make("gym:Taxi-v4").unwrap();
    let mut rng = rng();
    taxi.reset(&mut rng).unwrap();
    let mut invalid = 0;
    for _ in 0..150 {
        let mask = taxi.action_mask().unwrap();
        let valid: Vec<usize> = (0..6).filter(|&action| mask[action]).collect();
        invalid += 6 - valid.len();
        if taxi.step(valid[rng.random_range(0..valid.len())]).unwrap().ends_episode() {
            taxi.reset(&mut rng).unwrap();
        }
    }
    assert!(invalid > 150, "{invalid}");

    let mut plain = registry.make("gym:CartPole-v1").unwrap();
    plain.reset(&mut rng).unwrap();
    assert_eq!(plain.action_mask(), None);
}

#[test]
fn a_process_that_rests_answers_when_it_is_asked_again() {
    let Some(python) = std::env::var_os("CONCRETE_DQN_PYTHON") else { return };
    let mut registry = Registry::new();
    let timeout = Duration::from_secs(8);
    registry.add_gymnasium(Gymnasium::in_processes_of(python, timeout));
    drop(registry.make(&name("Late")).unwrap());
    // An environment was closed, which nobody waits for.
    std::thread::sleep(timeout + Duration::from_millis(500));
    let mut env = registry.make(&name("Late")).unwrap();
    assert!(env.reset(&mut rng()).is_ok());
}
