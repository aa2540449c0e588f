//! The contract of an [`Env`], as a check that any implementor can call in a test.
//!
//! ```
//! use control_envs::{CartPole, contract};
//!
//! contract::check(CartPole::new, 1, 1_000).unwrap();
//! ```

use std::time::{Duration, Instant};

use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::{Checked, Env, EnvError, EnvSpec, Step, TimeLimit};

/// How an environment breaks the contract.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("environment `{env}` breaks the contract{}: {problem}", moment(*seed, *step))]
pub struct ContractViolation {
    /// The environment's id.
    pub env: String,
    /// The seed the check was called with.
    pub seed: u64,
    /// The number of steps taken, over all episodes, when it showed; `None` where no step is to blame.
    pub step: Option<usize>,
    /// What was wrong, and what would be right.
    pub problem: String,
}

fn moment(seed: u64, step: Option<usize>) -> String {
    step.map_or_else(String::new, |step| format!(" at step {step} with seed {seed}"))
}

/// Plays `steps` random steps in environments from `make`, over as many episodes as it takes, and checks that
///
/// - the spec [validates](EnvSpec::validate) and is the same in every instance;
/// - observations have the space's size and lie within its bounds, at most one of them is 1 where they
///   are said to be one-hot, and rewards are finite;
/// - the trajectory is a function of the generator's seed and the actions: a second instance repeats it, and so does
///   the first one after a reset;
/// - a step that was [begun](Env::begin_step) is the same step, and changes nothing before it is taken;
/// - only actions that are valid are taken, where it says which are, and what it says is such a function too;
/// - where its state can be saved, an instance that is given the state goes on as the one that it was saved in.
///
/// What is allowed and still hardly meant is returned as warnings: that no episode ended in so many steps and none ever
/// has to.
///
/// Environments are checked within [`TimeLimit`] and [`Checked`], as they will be used, so `make` returns a bare one, or one
/// in other [`Wrappers`](crate::Wrappers).
///
/// # Errors
/// The first [`ContractViolation`] found.
pub fn check<E: Env>(
    make: impl Fn() -> E,
    seed: u64,
    steps: usize,
) -> Result<Vec<String>, ContractViolation> {
    let make = || Checked::new(TimeLimit::new(make()));
    let mut env = make();
    let spec = env.spec().clone();
    let violation = |step, problem| ContractViolation { env: spec.id.clone(), seed, step, problem };
    spec.validate().map_err(|error| violation(None, problem_of(error)))?;

    let mut another = make();
    if another.spec() != &spec {
        let problem = "two instances have different specs, but a spec never changes".to_owned();
        return Err(violation(None, problem));
    }

    let trajectory =
        record(&mut env, seed, steps, false).map_err(|(step, problem)| violation(Some(step), problem))?;
    for (who, env, begins) in [
        ("a second instance", &mut another, false),
        ("the same instance, used and reset,", &mut env, false),
        ("an instance whose steps were begun before they were taken", &mut make(), true),
    ] {
        let repeated =
            record(env, seed, steps, begins).map_err(|(step, problem)| violation(Some(step), problem))?;
        if let Some((step, difference)) = first_difference(&trajectory, &repeated) {
            let problem = format!(
                "{who} went another way with the same seed and actions, but the generator given to `reset` must be \
                 the only source of randomness: {difference}"
            );
            return Err(violation(Some(step), problem));
        }
    }
    let saved = restored_alike(make, seed, steps);
    saved.map_err(|(step, problem)| violation(Some(step), problem))?;
    if env.spec() != &spec {
        return Err(violation(Some(steps), "the spec changed in use, but a spec never changes".to_owned()));
    }
    let endless = steps > 0 && is_endless(&spec, &trajectory);
    Ok(endless.then(|| without_end(&spec, steps)).into_iter().collect())
}

/// Plays up to `steps` random steps, for as long as `time` at most, and returns a warning where no episode ends in them
/// and none ever has to, since the environment has no step limit. An environment that fails says so when it is used.
pub fn warning_of_endless(mut env: impl Env, steps: usize, time: Duration) -> Option<String> {
    if env.spec().max_episode_steps.is_some() {
        return None;
    }
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    let started = Instant::now();
    env.reset(&mut rng).ok()?;
    let mut taken = 0;
    while taken < steps && started.elapsed() < time {
        let mask = env.action_mask();
        let action = random_action(env.spec(), mask.as_deref(), &mut rng);
        if env.step(action).ok()?.ends_episode() {
            return None;
        }
        taken += 1;
    }
    Some(without_end(env.spec(), taken))
}

fn is_endless(spec: &EnvSpec, trajectory: &[(usize, Event)]) -> bool {
    let ends = |(_, event): &(usize, Event)| matches!(event, Event::Step(step, _) if step.ends_episode());
    spec.max_episode_steps.is_none() && !trajectory.iter().any(ends)
}

fn without_end(spec: &EnvSpec, steps: usize) -> String {
    format!(
        "no episode of {} ended in {steps} random steps, and it has no step limit; \
         EnvSpec::with_max_episode_steps gives it one",
        spec.id
    )
}

/// What an environment returned, at one reset or step.
#[derive(Debug, PartialEq)]
enum Event {
    Reset(Vec<f32>, Option<Vec<bool>>),
    Step(Step, Option<Vec<bool>>),
}

/// The trajectory under random actions, or what was wrong at which step. Each event has the number of steps so far. Steps may
/// be begun before they are taken.
fn record(
    env: &mut impl Env,
    seed: u64,
    steps: usize,
    begins: bool,
) -> Result<Vec<(usize, Event)>, (usize, String)> {
    let mut env_rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    // A generator of its own: how much the environment draws must not change the actions.
    let mut action_rng = Xoshiro256PlusPlus::seed_from_u64(!seed);
    let (mut action, mut hold) = (0, 0);
    let mut in_episode = false;
    let mut trajectory = Vec::new();

    for step in 1..=steps {
        if !in_episode {
            let at = step - 1;
            let observation = env.reset(&mut env_rng).map_err(|error| (at, problem_of(error)))?;
            check_bounds(env.spec(), &observation).map_err(|problem| (at, problem))?;
            trajectory.push((at, Event::Reset(observation, env.action_mask())));
        }
        let mask = env.action_mask();
        if hold == 0 || !is_valid(mask.as_deref(), action) {
            // Actions are held for a while, because steady pushing reaches edges of the space that jitter never does.
            action = random_action(env.spec(), mask.as_deref(), &mut action_rng);
            hold = action_rng.random_range(1..=16);
        }
        hold -= 1;
        if begins {
            let before = (env.save_state(), env.action_mask());
            env.begin_step(action).map_err(|error| (step, problem_of(error)))?;
            if before != (env.save_state(), env.action_mask()) {
                let problem =
                    "`begin_step` changed what is seen of the environment, but only a step changes that";
                return Err((step, problem.to_owned()));
            }
        }
        let taken = env.step(action).map_err(|error| (step, problem_of(error)))?;
        check_bounds(env.spec(), &taken.observation).map_err(|problem| (step, problem))?;
        in_episode = !taken.ends_episode();
        trajectory.push((step, Event::Step(taken, env.action_mask())));
    }
    Ok(trajectory)
}

/// Plays on in one instance and in fresh ones that are given its state at every step, as long as it can be saved.
fn restored_alike<E: Env>(make: impl Fn() -> E, seed: u64, steps: usize) -> Result<(), (usize, String)> {
    let mut env = make();
    let mut env_rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut action_rng = Xoshiro256PlusPlus::seed_from_u64(!seed);
    let mut in_episode = false;
    // Fewer than all, since every one is played twice.
    for step in 1..=steps.min(1_000) {
        if !in_episode {
            env.reset(&mut env_rng).map_err(|error| (step - 1, problem_of(error)))?;
        }
        let Some(state) = env.save_state() else { return Ok(()) };
        let mut restored = make();
        restored.restore_state(&state).map_err(|error| (step, error.to_string()))?;
        let mask = env.action_mask();
        let action = random_action(env.spec(), mask.as_deref(), &mut action_rng);
        let taken = env.step(action).map_err(|error| (step, problem_of(error)))?;
        let again = restored.step(action).map_err(|error| (step, problem_of(error)))?;
        let masks = [env.action_mask(), restored.action_mask()];
        if taken != again || masks[0] != masks[1] || restored.save_state() != env.save_state() {
            let problem = format!(
                "an instance with a restored state went another way than the one that it was saved in, but a saved \
                 state must hold everything that a step depends on: {taken:?}, then {again:?}"
            );
            return Err((step, problem));
        }
        in_episode = !taken.ends_episode();
    }
    Ok(())
}

fn is_valid(mask: Option<&[bool]>, action: usize) -> bool {
    mask.is_none_or(|mask| mask[action])
}

/// One of the actions that are valid.
fn random_action(spec: &EnvSpec, mask: Option<&[bool]>, rng: &mut impl Rng) -> usize {
    let valid = || (0..spec.actions.len()).filter(|&action| is_valid(mask, action));
    let chosen = rng.random_range(0..valid().count().max(1));
    valid().nth(chosen).unwrap_or_default()
}

fn check_bounds(spec: &EnvSpec, observation: &[f32]) -> Result<(), String> {
    if !spec.observation_space.is_one_hot(observation) {
        return Err(
            "the observation is said to be one-hot, but it holds more than a single 1 among zeros".to_owned()
        );
    }
    let Some(index) = spec.observation_space.outside(observation) else { return Ok(()) };
    let dimension = &spec.observation_space.dimensions[index];
    Err(format!(
        "value {index} (`{}`) of the observation is {}, but its bounds are {} and {}",
        dimension.name, observation[index], dimension.low, dimension.high
    ))
}

/// The environment is named by the violation already.
fn problem_of(error: EnvError) -> String {
    match error {
        EnvError::Misbehaved { problem, .. } | EnvError::InvalidSpec { problem, .. } => problem,
        EnvError::Failed { message, .. } => message,
        other => other.to_string(),
    }
}

fn first_difference(expected: &[(usize, Event)], found: &[(usize, Event)]) -> Option<(usize, String)> {
    let (one, other) = expected.iter().zip(found).find(|(one, other)| one != other)?;
    Some((one.0, format!("{:?}, then {:?}", one.1, other.1)))
}
