//! The replay buffer: a preallocated ring of transitions that stores each observation once.

mod masks;
mod slots;

use std::collections::HashMap;

use control_envs::Step;
use rand::{Rng, RngExt};

pub use masks::Valid;
pub use slots::{ReplayState, Slots};

use crate::td::{NStep, Rewards};
use masks::Masks;

/// The last `capacity` transitions, sampled uniformly.
///
/// The observation after a transition is the one before the next, so it is not stored twice. Where an episode was
/// truncated there is no next transition, and the final observation, from which the value is bootstrapped, is kept
/// aside; where it terminated, nothing follows and nothing is kept.
#[derive(Debug)]
pub struct Replay {
    capacity: usize,
    dimensions: usize,
    observations: Vec<f32>,
    actions: Vec<u32>,
    rewards: Vec<f32>,
    terminated: Vec<bool>,
    /// Observations after the truncated transitions, by slot.
    final_observations: HashMap<usize, Box<[f32]>>,
    /// Which actions were valid, where an environment says so.
    masks: Masks,
    /// The observation after the newest transition.
    latest: Vec<f32>,
    /// The slot that the next transition takes.
    cursor: usize,
    /// Transitions ever stored.
    pushed: u64,
    /// Lowest and highest reward ever stored, and 0.
    reward_range: (f32, f32),
}

/// A transition, to be stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transition<'a> {
    /// The observation before, `[dimensions]`.
    pub observation: &'a [f32],
    /// The action.
    pub action: usize,
    /// The reward.
    pub reward: f64,
    /// Whether it led to a terminal state.
    pub terminated: bool,
    /// Whether the episode was cut after it.
    pub truncated: bool,
    /// The observation after, `[dimensions]`.
    pub next_observation: &'a [f32],
    /// Which actions are valid before and after.
    pub valid: Valid<'a>,
}

impl<'a> Transition<'a> {
    /// The step that `action` made from `observation`.
    pub fn of(observation: &'a [f32], action: usize, step: &'a Step) -> Self {
        Self {
            observation,
            action,
            reward: step.reward,
            terminated: step.terminated,
            truncated: step.truncated,
            next_observation: &step.observation,
            valid: Valid::default(),
        }
    }
}

/// A batch of transitions, row-major.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// Observations before, `[rows, dimensions]`.
    pub observations: Vec<f32>,
    /// Actions, `[rows]`.
    pub actions: Vec<i64>,
    /// Discounted sums of the rewards up to the next observation, `[rows]`.
    pub rewards: Vec<f32>,
    /// Weight of the value of the next observation: gamma to the number of steps to it, 0 where the episode terminated
    /// on the way. `[rows]`.
    pub discounts: Vec<f32>,
    /// Observations after, `[rows, dimensions]`; arbitrary finite values where the episode terminated.
    pub next_observations: Vec<f32>,
    /// Which actions are valid after, `[rows, actions]`; empty where all are.
    pub next_valid: Vec<bool>,
}

/// How far a sampled transition looks ahead: the rewards of `steps` steps before the value of the next observation
/// stands in for the rest (Sutton 1988; n-step targets).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lookahead {
    /// Steps, at least 1.
    pub steps: usize,
    /// Discount factor of a step.
    pub gamma: f32,
}

impl Batch {
    /// Its rewards and discounts.
    pub fn rewards(&self) -> Rewards<'_> {
        Rewards { rewards: &self.rewards, discounts: &self.discounts }
    }

    fn clear(&mut self) {
        self.observations.clear();
        self.actions.clear();
        self.rewards.clear();
        self.discounts.clear();
        self.next_observations.clear();
        self.next_valid.clear();
    }
}

impl Replay {
    /// An empty buffer for `capacity` transitions with observations of `dimensions` numbers, or `None` where there is
    /// not enough memory for it.
    pub fn new(capacity: usize, dimensions: usize) -> Option<Self> {
        let reserve = |count: usize| {
            let mut observations: Vec<f32> = Vec::new();
            observations.try_reserve_exact(count).ok()?;
            Some(observations)
        };
        let mut actions = Vec::new();
        actions.try_reserve_exact(capacity).ok()?;
        let mut terminated = Vec::new();
        terminated.try_reserve_exact(capacity).ok()?;
        Some(Self {
            capacity,
            dimensions,
            observations: reserve(capacity.checked_mul(dimensions)?)?,
            actions,
            rewards: reserve(capacity)?,
            terminated,
            final_observations: HashMap::new(),
            masks: Masks::default(),
            latest: Vec::with_capacity(dimensions),
            cursor: 0,
            pushed: 0,
            reward_range: (0.0, 0.0),
        })
    }

    /// Number of transitions in the buffer.
    pub fn len(&self) -> usize {
        self.rewards.len()
    }

    /// The lowest and the highest reward stored so far, 0 among them: no discounted mean of rewards lies outside.
    pub fn reward_range(&self) -> (f32, f32) {
        self.reward_range
    }

    /// The observations before all transitions, in no order, `[len, dimensions]`.
    pub fn observations(&self) -> &[f32] {
        &self.observations
    }

    /// The observations and actions of all transitions, in no order.
    pub fn transitions(&self) -> impl Iterator<Item = (&[f32], usize)> {
        let observations = self.observations.chunks_exact(self.dimensions);
        observations.zip(&self.actions).map(|(observation, action)| (observation, *action as usize))
    }

    /// The observation and action of the transition that the next one takes the place of, if the buffer is full.
    pub fn next_to_go(&self) -> Option<(&[f32], usize)> {
        (self.len() == self.capacity)
            .then(|| (self.observation(self.cursor), self.actions[self.cursor] as usize))
    }

    /// Numbers in an observation.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rewards.is_empty()
    }

    /// Stores a transition, in place of the oldest when the buffer is full.
    pub fn push(&mut self, transition: Transition<'_>) {
        let Transition { observation, action, reward, terminated, truncated, next_observation, valid } =
            transition;
        self.close_a_cut_episode(observation);
        let slot = self.cursor;
        let reward = reward as f32;
        let (lowest, highest) = self.reward_range;
        self.reward_range = (lowest.min(reward), highest.max(reward));
        if self.len() < self.capacity {
            self.observations.extend_from_slice(observation);
            self.actions.push(action as u32);
            self.rewards.push(reward);
            self.terminated.push(terminated);
        } else {
            self.observations[slot * self.dimensions..][..self.dimensions].copy_from_slice(observation);
            self.actions[slot] = action as u32;
            self.rewards[slot] = reward;
            self.terminated[slot] = terminated;
            self.final_observations.remove(&slot);
        }
        self.masks.put(slot, self.len(), valid);
        if truncated && !terminated {
            self.final_observations.insert(slot, next_observation.into());
        }
        self.latest.clear();
        self.latest.extend_from_slice(next_observation);
        self.cursor = (slot + 1) % self.capacity;
        self.pushed += 1;
    }

    /// Where an episode was left in its middle, as at the end of a training that is then continued, what followed its
    /// last transition is not the observation that comes now.
    fn close_a_cut_episode(&mut self, observation: &[f32]) {
        let Some(count) = self.len().checked_sub(1) else { return };
        let newest = (self.cursor + count) % self.len();
        let ended = self.terminated[newest] || self.final_observations.contains_key(&newest);
        if !ended && self.latest != observation {
            self.final_observations.insert(newest, self.latest.as_slice().into());
        }
    }

    /// Fills `batch` with `rows` transitions, each drawn uniformly and independently, and looks ahead from each as
    /// `lookahead` says. The buffer must not be empty.
    pub fn sample(&self, rows: usize, lookahead: Lookahead, generator: &mut impl Rng, batch: &mut Batch) {
        batch.clear();
        for _ in 0..rows {
            let slot = generator.random_range(0..self.len());
            batch.observations.extend_from_slice(self.observation(slot));
            batch.actions.push(i64::from(self.actions[slot]));
            let (n_step, last) = self.look_ahead(slot, lookahead);
            batch.rewards.push(n_step.reward);
            batch.discounts.push(n_step.discount);
            batch.next_observations.extend_from_slice(self.observation_after(last));
            self.masks.write_after(last, &mut batch.next_valid);
        }
    }

    /// What up to `lookahead.steps` transitions from `slot` on add up to, and the slot of the last. An episode's end and
    /// the newest transition cut them short.
    fn look_ahead(&self, slot: usize, lookahead: Lookahead) -> (NStep, usize) {
        let (mut sum, mut last) = (NStep::START, slot);
        for step in 1..=lookahead.steps {
            sum = sum.then(self.rewards[last], lookahead.gamma, self.terminated[last]);
            let next = (last + 1) % self.capacity;
            let is_last = step == lookahead.steps || next == self.cursor || self.terminated[last];
            if is_last || self.final_observations.contains_key(&last) {
                break;
            }
            last = next;
        }
        (sum, last)
    }

    /// The observations of up to `rows` of the newest `among` transitions, evenly spread: `[rows, dimensions]`.
    pub fn recent_observations(&self, among: usize, rows: usize) -> Vec<f32> {
        self.recent_slots(among, rows).flat_map(|slot| self.observation(slot)).copied().collect()
    }

    /// Which actions were valid at these: `[rows, actions]`, or nothing where all always are.
    pub fn recent_valid(&self, among: usize, rows: usize) -> Vec<bool> {
        let mut valid = Vec::new();
        self.recent_slots(among, rows).for_each(|slot| self.masks.write_before(slot, &mut valid));
        valid
    }

    fn recent_slots(&self, among: usize, rows: usize) -> impl Iterator<Item = usize> {
        let among = among.min(self.len());
        let rows = rows.min(among);
        (0..rows).map(move |row| {
            let age = 1 + row * among / rows;
            (self.cursor + self.len() - age) % self.len()
        })
    }

    fn observation(&self, slot: usize) -> &[f32] {
        &self.observations[slot * self.dimensions..][..self.dimensions]
    }

    fn observation_after(&self, slot: usize) -> &[f32] {
        let next = (slot + 1) % self.capacity;
        if let Some(last) = self.final_observations.get(&slot) {
            last
        } else if next == self.cursor {
            &self.latest
        } else {
            self.observation(next)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;
    use crate::randomness::{Stream, generator};

    const ONE_STEP: Lookahead = Lookahead { steps: 1, gamma: 0.5 };

    /// A step to an observation `[x, -x]`.
    fn step(x: f32, terminated: bool, truncated: bool) -> Step {
        Step { observation: vec![x, -x], reward: f64::from(x) / 10.0, terminated, truncated }
    }

    proptest! {
        /// Against a naive twin that keeps both observations of every transition.
        #[test]
        fn equals_a_naive_twin(capacity in 1_usize..9, ends in prop::collection::vec(0_u8..6, 1..60)) {
            let mut replay = Replay::new(capacity, 2).unwrap();
            let mut twin: VecDeque<(f32, f32, bool)> = VecDeque::new();
            let mut x = 0.0;
            for end in ends {
                let (terminated, truncated) = (end == 0 || end == 2, end == 1 || end == 2);
                let next = x + 1.0;
                replay.push(Transition::of(&[x, -x], x as usize % 3, &step(next, terminated, truncated)));
                twin.push_back((x, next, terminated));
                if twin.len() > capacity { twin.pop_front(); }
                x = if terminated || truncated { next + 100.0 } else { next };

                prop_assert_eq!(replay.len(), twin.len());
                for (age, &(before, after, terminal)) in twin.iter().rev().enumerate() {
                    let slot = (replay.cursor + replay.len() - 1 - age) % replay.len();
                    prop_assert_eq!(replay.observation(slot), &[before, -before]);
                    prop_assert_eq!(replay.rewards[slot], after / 10.0);
                    prop_assert_eq!(replay.actions[slot] as usize, before as usize % 3);
                    prop_assert_eq!(replay.terminated[slot], terminal);
                    if !terminal { prop_assert_eq!(replay.observation_after(slot), &[after, -after]); }
                }
                // Nothing is kept aside for transitions that are gone.
                prop_assert!(replay.final_observations.len() <= replay.len());
            }
        }
    }

    #[test]
    fn sampling_is_uniform() {
        // Chi-square over 20 slots, 20,000 draws: the 0.999 quantile for 19 degrees of freedom is 43.8.
        let mut replay = Replay::new(20, 2).unwrap();
        for i in 0..33 {
            replay.push(Transition::of(&[i as f32, 0.0], 0, &step(i as f32 + 1.0, false, false)));
        }
        let (mut batch, mut counts) = (Batch::default(), [0.0_f64; 33]);
        replay.sample(20_000, ONE_STEP, &mut generator(5, Stream::Replay), &mut batch);
        batch.observations.chunks(2).for_each(|row| counts[row[0] as usize] += 1.0);
        assert!(counts[..13].iter().all(|&count| count == 0.0));
        let chi_square: f64 = counts[13..].iter().map(|count| (count - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi_square < 43.8, "{chi_square}");
    }

    #[test]
    fn rewards_are_looked_ahead_to_by_hand() {
        // An episode of three that terminates, one of two that is truncated, one under way; rewards 0.1, 0.2, ...
        let mut replay = Replay::new(20, 2).unwrap();
        for (x, terminated, truncated) in [
            (0.0, false, false),
            (1.0, false, false),
            (2.0, true, false),
            (10.0, false, false),
            (11.0, false, true),
            (20.0, false, false),
        ] {
            replay.push(Transition::of(&[x, -x], 0, &step(x + 1.0, terminated, truncated)));
        }
        let look = |slot, steps| {
            let (sum, last) = replay.look_ahead(slot, Lookahead { steps, gamma: 0.5 });
            ((sum.reward * 1000.0).round(), sum.discount, last)
        };
        assert_eq!(look(0, 1), (100.0, 0.5, 0));
        assert_eq!(look(0, 2), (200.0, 0.25, 1));
        assert_eq!(look(0, 3), (275.0, 0.0, 2));
        assert_eq!(look(0, 9), (275.0, 0.0, 2));
        assert_eq!(look(3, 9), (1700.0, 0.25, 4));
        assert_eq!(replay.observation_after(4), [12.0, -12.0]);
        assert_eq!(look(5, 9), (2100.0, 0.5, 5));
    }

    #[test]
    fn the_reward_range_outlives_the_transitions_and_holds_zero() {
        let mut replay = Replay::new(1, 2).unwrap();
        assert_eq!(replay.reward_range(), (0.0, 0.0));
        for reward in [-1.5, -0.5, -1.0] {
            replay.push(Transition::of(&[0.0, 0.0], 0, &Step::new(vec![0.0, 0.0], reward, false)));
        }
        assert_eq!(replay.reward_range(), (-1.5, 0.0));
    }

    #[test]
    fn masks_are_those_of_the_step_that_is_looked_ahead_to_by_hand() {
        // Two of three steps of an episode, and another one: before a step from i action i alone is valid, of 33, and after it
        // i + 22.
        let mut replay = Replay::new(3, 2).unwrap();
        let only = |action: usize| -> Vec<bool> { (0..33).map(|other| other == action).collect() };
        replay.push(Transition::of(&[0.0, 0.0], 0, &step(1.0, false, false)));
        for (x, terminated, truncated) in [(1, false, false), (2, false, true), (10, false, false)] {
            let (before, after, at) = (only(x), only(x + 22), x as f32);
            let valid = Valid { before: Some(&before), after: Some(&after) };
            let step = step(at + 1.0, terminated, truncated);
            let observation = [at, -at];
            replay.push(Transition { valid, ..Transition::of(&observation, 0, &step) });
        }
        // The first, of which nobody said which were valid, has given way to the last.
        let sampled = |steps| {
            let mut batch = Batch::default();
            replay.sample(
                100,
                Lookahead { steps, gamma: 1.0 },
                &mut generator(5, Stream::Replay),
                &mut batch,
            );
            assert_eq!(batch.next_valid.len(), 3300);
            let valid = batch.next_valid.chunks(33).map(|mask| {
                assert_eq!(mask.iter().filter(|valid| **valid).count(), 1);
                mask.iter().position(|valid| *valid).unwrap()
            });
            let firsts = batch.observations.chunks(2).map(|row| row[0] as usize);
            let mut pairs: Vec<_> = firsts.zip(valid).collect();
            pairs.sort_unstable();
            pairs.dedup();
            pairs
        };
        assert_eq!(sampled(1), [(1, 23), (2, 24), (10, 32)]);
        assert_eq!(sampled(2), [(1, 24), (2, 24), (10, 32)], "the episode of 1 and 2 is cut after 2");
        let valid = replay.recent_valid(2, 2);
        let positions: Vec<_> = (0..66).filter(|&place| valid[place]).map(|place| place % 33).collect();
        assert_eq!(positions, [10, 2]);
        assert!(Replay::new(3, 2).unwrap().recent_valid(2, 2).is_empty());
    }

    #[test]
    fn recent_observations_are_spread_over_the_newest() {
        let mut replay = Replay::new(10, 2).unwrap();
        for i in 0..14 {
            replay.push(Transition::of(&[i as f32, 0.0], 0, &step(i as f32 + 1.0, false, false)));
        }
        let first = |among, rows| -> Vec<f32> {
            replay.recent_observations(among, rows).chunks(2).map(|row| row[0]).collect()
        };
        assert_eq!(first(6, 3), [13.0, 11.0, 9.0]);
        assert_eq!(first(2, 5), [13.0, 12.0]);
        assert_eq!(first(100, 100).len(), 10);
    }

    #[test]
    fn an_episode_left_in_its_middle_keeps_its_last_observation() {
        let mut replay = Replay::new(4, 2).unwrap();
        replay.push(Transition::of(&[0.0, 0.0], 0, &step(1.0, false, false)));
        replay.push(Transition::of(&[50.0, 0.0], 0, &step(51.0, false, false)));
        assert_eq!(replay.observation_after(0), [1.0, -1.0]);
        assert_eq!(replay.observation_after(1), [51.0, -51.0]);
    }

    #[test]
    fn a_buffer_beyond_memory_is_none() {
        assert!(Replay::new(usize::MAX / 8, 4).is_none());
    }
}
