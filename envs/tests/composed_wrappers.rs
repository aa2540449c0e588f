//! Stacked observations, repeated and sticky actions, clipped rewards, another limit, and all of them together; which
//! actions are valid, through all of them.

use control_envs::rand::{Rng, RngExt, SeedableRng};
use control_envs::{
    ActionRepeat, CartPole, Catch, Checked, Dimension, Env, EnvError, EnvSpec, EpisodeStatistics, FrameStack,
    Registry, Step, StickyActions, TimeLimit, Wrappers, contract,
};
use rand_xoshiro::Xoshiro256PlusPlus;

fn rng() -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(1)
}

/// Observes how many steps it has taken and which action was the last; the reward is 10 times the action. Actions of odd
/// numbers are valid every other step only, where it is told to mask, and a step with one that is not is a failure.
struct Counter {
    spec: EnvSpec,
    steps: usize,
    last: usize,
    /// The step that terminates.
    end: usize,
    is_masked: bool,
}

impl Counter {
    fn new(end: usize) -> Self {
        let dimensions = [Dimension::new("steps", "", 0.0, 1e4), Dimension::new("last action", "", 0.0, 3.0)];
        let spec = EnvSpec::new("Counter-v0", dimensions, ["a", "b", "c"]).with_max_episode_steps(50);
        Self { spec, steps: 0, last: 0, end, is_masked: false }
    }

    fn masked(end: usize) -> Self {
        Self { is_masked: true, ..Self::new(end) }
    }

    fn observation(&self) -> Vec<f32> {
        vec![self.steps as f32, self.last as f32]
    }
}

impl Env for Counter {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, _rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        (self.steps, self.last) = (0, 0);
        Ok(self.observation())
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        if self.action_mask().is_some_and(|mask| !mask[action]) {
            return Err(EnvError::failed("Counter-v0", format!("action {action} is fatal here")));
        }
        (self.steps, self.last) = (self.steps + 1, action);
        Ok(Step::new(self.observation(), 10.0 * action as f64, self.steps == self.end))
    }

    fn action_mask(&self) -> Option<Vec<bool>> {
        self.is_masked.then(|| vec![true, self.steps.is_multiple_of(2), true])
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        Some(vec![self.steps as u8, self.last as u8])
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let [steps, last] = state else {
            return Err(EnvError::NotRestored { env: self.spec.id.clone() });
        };
        (self.steps, self.last) = (usize::from(*steps), usize::from(*last));
        Ok(())
    }
}

#[test]
fn frames_are_stacked_by_hand() {
    let mut env = FrameStack::new(Counter::new(100), 3);
    let names: Vec<&str> = env.spec().observation_space.dimensions.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names[0], "steps, 2 steps ago");
    assert_eq!(names[3..], ["last action, 1 step ago", "steps", "last action"]);
    assert_eq!(env.reset(&mut rng()).unwrap(), [0.0; 6]);
    assert_eq!(env.step(1).unwrap().observation, [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    assert_eq!(env.step(2).unwrap().observation, [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]);
    assert_eq!(env.step(0).unwrap().observation, [1.0, 1.0, 2.0, 2.0, 3.0, 0.0]);
    assert_eq!(env.reset(&mut rng()).unwrap(), [0.0; 6]);
}

#[test]
fn a_stacked_image_has_as_many_times_the_channels() {
    let (catch, stacked) = (Catch::new(), FrameStack::new(Catch::new(), 4));
    let (image, of_stack) =
        (catch.spec().observation_space.image.unwrap(), stacked.spec().observation_space.image.unwrap());
    assert_eq!((of_stack.channels, of_stack.rows), (4 * image.channels, image.rows));
    stacked.spec().validate().unwrap();
}

#[test]
fn an_action_is_repeated_until_the_episode_ends() {
    let mut env = ActionRepeat::new(Counter::new(6), 4);
    assert_eq!(env.spec().max_episode_steps, Some(13), "50 steps, four at a time");
    env.reset(&mut rng()).unwrap();
    let step = env.step(2).unwrap();
    assert_eq!((step.observation, step.reward, step.terminated), (vec![4.0, 2.0], 80.0, false));
    let step = env.step(1).unwrap();
    assert_eq!((step.observation, step.reward, step.terminated), (vec![6.0, 1.0], 20.0, true));
}

#[test]
fn an_action_is_not_repeated_where_it_is_not_valid_any_more() {
    let mut env = ActionRepeat::new(Counter::masked(100), 4);
    env.reset(&mut rng()).unwrap();
    assert_eq!(env.step(1).unwrap().observation, [1.0, 1.0], "it is valid at the start, and then no more");
    assert_eq!(env.step(2).unwrap().observation, [5.0, 2.0]);
}

#[test]
fn actions_stick_as_often_as_they_are_told_to() {
    // 20,000 steps, five standard errors; chosen are 0 and 1 in turn, so that what sticks can be seen.
    let mut env = StickyActions::new(Counter::new(usize::MAX), 0.25);
    env.reset(&mut rng()).unwrap();
    let (mut previous, mut stuck) = (None, 0.0);
    for step in 0..20_000_usize {
        let taken = env.step(step % 2).unwrap().observation[1] as usize;
        match previous {
            None => assert_eq!(taken, 0, "the first is never another"),
            // Where the one before is what was chosen anyway nothing shows.
            Some(before) if before == step % 2 => assert_eq!(taken, before),
            Some(before) => stuck += f64::from(u8::from(taken == before)),
        }
        previous = Some(taken);
    }
    // From one step to the next the action sticks (1/4) or changes; what sticks is then what is chosen next. So of all steps
    // in which the chosen one is another, a quarter sticks; there are 20,000 / (1 + 1/4) of those.
    let expected = 0.25 * 20_000.0 / 1.25;
    assert!((stuck - expected).abs() < 5.0 * (expected * 0.75_f64).sqrt(), "{stuck} of {expected}");
}

#[test]
fn no_action_sticks_that_is_not_valid() {
    let mut env = StickyActions::new(Counter::masked(1_000), 1.0);
    env.reset(&mut rng()).unwrap();
    assert_eq!(env.step(1).unwrap().observation, [1.0, 1.0]);
    assert_eq!(env.step(2).unwrap().observation, [2.0, 2.0], "1 would be fatal now");
    assert_eq!(env.step(0).unwrap().observation, [3.0, 2.0]);
}

#[test]
fn clipped_rewards_are_learned_from_and_the_environments_own_are_told() {
    let wrappers = Wrappers { clip_rewards: true, action_repeat: 2, ..Wrappers::default() };
    let mut env = wrappers.wrap(Counter::new(3));
    env.reset(&mut rng()).unwrap();
    assert_eq!(env.step(2).unwrap().reward, 1.0, "40 clipped");
    assert_eq!(env.episode(), Some(EpisodeStatistics { episode_return: 40.0, length: 2 }));
    let last = env.step(1).unwrap();
    assert!(last.terminated);
    assert_eq!(env.episode(), Some(EpisodeStatistics { episode_return: 50.0, length: 3 }));
    env.reset(&mut rng()).unwrap();
    assert_eq!(env.episode(), Some(EpisodeStatistics::default()));
    assert_eq!(Wrappers::default().wrap(Counter::new(3)).episode(), None);
}

#[test]
fn another_limit_takes_the_place_of_the_specs() {
    for (limit, expected) in [(7, 7), (200, 200)] {
        let mut env = Wrappers { time_limit: limit, ..Wrappers::default() }.wrap(Counter::new(1_000));
        assert_eq!(env.spec().max_episode_steps, Some(expected));
        env.reset(&mut rng()).unwrap();
        let steps = (1..).find(|_| env.step(0).unwrap().truncated).unwrap();
        assert_eq!(steps, expected);
    }
}

/// Each alone and all together.
fn all() -> Vec<Wrappers> {
    let none = Wrappers::default();
    let together = Wrappers {
        time_limit: 37,
        sticky_actions: 0.25,
        action_repeat: 3,
        clip_rewards: true,
        frame_stack: 4,
    };
    vec![
        none,
        Wrappers { time_limit: 20, ..none },
        Wrappers { sticky_actions: 0.25, ..none },
        Wrappers { action_repeat: 4, ..none },
        Wrappers { clip_rewards: true, ..none },
        Wrappers { frame_stack: 4, ..none },
        together,
    ]
}

#[test]
fn environments_in_wrappers_keep_the_contract() {
    for wrappers in all() {
        contract::check(|| wrappers.wrap(Counter::new(30)), 3, 500).unwrap();
        contract::check(|| wrappers.wrap(Counter::masked(30)), 3, 500).unwrap();
        for entry in &Registry::builtin() {
            // With their own limit on top of it, which changes nothing.
            let entry = entry.with_wrappers(wrappers);
            contract::check(|| entry.make(), 3, 400).unwrap();
        }
    }
}

#[test]
fn an_entry_says_what_it_makes_and_takes_wrappers_in_place_of_others() {
    for wrappers in all() {
        for entry in &Registry::builtin() {
            let wrapped = entry.with_wrappers(Wrappers { frame_stack: 2, ..Wrappers::default() });
            let wrapped = wrapped.with_wrappers(wrappers);
            assert_eq!(wrapped.spec(), wrapped.make().spec());
            assert_eq!(wrapped.spec(), entry.with_wrappers(wrappers).spec());
            wrapped.spec().validate().unwrap();
        }
        let sea = Registry::builtin().get("deep-sea").unwrap().with_wrappers(wrappers);
        let large = sea.with_args([("size", 12)]).unwrap();
        assert_eq!(large.spec().observation_space.len(), 144 * wrappers.frame_stack);
    }
}

#[test]
fn a_state_of_other_wrappers_is_refused() {
    let stacked = |frame_stack| Wrappers { frame_stack, ..Wrappers::default() }.wrap(CartPole::new());
    let mut one = stacked(3);
    one.reset(&mut rng()).unwrap();
    let state = one.save_state().unwrap();
    assert!(matches!(stacked(4).restore_state(&state), Err(EnvError::NotRestored { .. })));
    assert!(stacked(3).restore_state(&state).is_ok());
    assert!(stacked(3).restore_state(&state[..5]).is_err());
}

#[test]
fn an_action_that_is_not_valid_never_reaches_the_environment() {
    let mut env = Checked::new(TimeLimit::new(Counter::masked(100)));
    env.reset(&mut rng()).unwrap();
    assert_eq!(env.action_mask(), Some(vec![true, true, true]));
    env.step(1).unwrap();
    assert_eq!(env.action_mask(), Some(vec![true, false, true]));
    assert_eq!(
        env.step(1).unwrap_err().to_string(),
        "action 1 (`b`) is not valid in this state of environment `Counter-v0`; valid are 0 (`a`), 2 (`c`)"
    );
    assert_eq!(env.step(2).unwrap().observation, [2.0, 2.0], "the episode goes on");

    let state = env.save_state().unwrap();
    let mut restored = Checked::new(TimeLimit::new(Counter::masked(100)));
    restored.restore_state(&state).unwrap();
    assert_eq!(restored.action_mask(), env.action_mask());
}

/// Says of its actions what no environment may say.
struct WrongMask(Counter, Vec<bool>);

impl Env for WrongMask {
    fn spec(&self) -> &EnvSpec {
        self.0.spec()
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.0.reset(rng)
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        self.0.step(action)
    }

    fn action_mask(&self) -> Option<Vec<bool>> {
        (self.0.steps > 0).then(|| self.1.clone())
    }
}

#[test]
fn a_mask_that_is_none_is_misbehaviour_but_after_the_end() {
    for (mask, words) in
        [(vec![true; 2], "has 2 values, but there are 3 actions"), (vec![false; 3], "no action is valid")]
    {
        let mut env = Checked::new(TimeLimit::new(WrongMask(Counter::new(100), mask.clone())));
        env.reset(&mut rng()).unwrap();
        let message = env.step(0).unwrap_err().to_string();
        assert!(message.contains("in step 1 of an episode, ") && message.contains(words), "{message}");
        assert!(matches!(env.step(0), Err(EnvError::EpisodeOver { .. })));

        let mut ended = Checked::new(TimeLimit::new(WrongMask(Counter::new(1), mask)));
        ended.reset(&mut rng()).unwrap();
        assert!(ended.step(0).unwrap().terminated);
    }
}

#[test]
fn random_play_of_the_contract_takes_valid_actions_only() {
    contract::check(|| Counter::masked(30), rng().random(), 1_000).unwrap();
}
