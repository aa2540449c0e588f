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
/// Several environments take turns, so that the transition after one lies as many slots further on as there are
/// environments. The observation after a transition is the one before that next one, so it is not stored twice. Where an
/// episode was truncated there is no next transition, and the final observation, from which the value is bootstrapped, is
/// kept aside; where it terminated, nothing follows and nothing is kept.
#[derive(Debug)]
pub struct Replay {
    capacity: usize,
    dimensions: usize,
    /// How many take turns.
    environments: usize,
    observations: Vec<f32>,
    actions: Vec<u32>,
    rewards: Vec<f32>,
    terminated: Vec<bool>,
    /// Observations after the truncated transitions, by slot.
    final_observations: HashMap<usize, Box<[f32]>>,
    /// Which actions were valid, where an environment says so.
    masks: Masks,
    /// The observation after the newest transition of each environment: `[environments, dimensions]`, or as many rows as
    /// there are transitions.
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
    /// An empty buffer for `capacity` transitions with observations of `dimensions` numbers from one environment, or `None`
    /// where there is not enough memory for it.
    pub fn new(capacity: usize, dimensions: usize) -> Option<Self> {
        Self::of_environments(1, capacity, dimensions)
    }

    /// The same for environments that take turns: the first transition is of the first one, the next of the second, and so
    /// on. There have to be at least as many slots as environments.
    pub fn of_environments(environments: usize, capacity: usize, dimensions: usize) -> Option<Self> {
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
            environments,
            observations: reserve(capacity.checked_mul(dimensions)?)?,
            actions,
            rewards: reserve(capacity)?,
            terminated,
            final_observations: HashMap::new(),
            masks: Masks::default(),
            latest: Vec::with_capacity(environments * dimensions),
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
        let row = self.turn() * self.dimensions;
        if self.latest.len() == row {
            self.latest.extend_from_slice(next_observation);
        } else {
            self.latest[row..][..self.dimensions].copy_from_slice(next_observation);
        }
        self.cursor = (slot + 1) % self.capacity;
        self.pushed += 1;
    }

    /// Where an episode was left in its middle, as at the end of a training that is then continued, what followed its
    /// last transition is not the observation that comes now.
    fn close_a_cut_episode(&mut self, observation: &[f32]) {
        if self.pushed < self.environments as u64 {
            return;
        }
        let newest = (self.cursor + self.capacity - self.environments) % self.capacity;
        let ended = self.terminated[newest] || self.final_observations.contains_key(&newest);
        let latest = &self.latest[self.turn() * self.dimensions..][..self.dimensions];
        if !ended && latest != observation {
            self.final_observations.insert(newest, latest.into());
        }
    }

    /// The environment that the next transition is of.
    pub fn turn(&self) -> usize {
        (self.pushed % self.environments as u64) as usize
    }

    /// How many transitions were stored after the one in a slot.
    fn age(&self, slot: usize) -> usize {
        (self.cursor + self.capacity - 1 - slot) % self.capacity
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
    /// the environment's newest transition cut them short.
    fn look_ahead(&self, slot: usize, lookahead: Lookahead) -> (NStep, usize) {
        let (mut sum, mut last) = (NStep::START, slot);
        for step in 1..=lookahead.steps {
            sum = sum.then(self.rewards[last], lookahead.gamma, self.terminated[last]);
            let is_newest = self.age(last) < self.environments;
            let is_last = step == lookahead.steps || is_newest || self.terminated[last];
            if is_last || self.final_observations.contains_key(&last) {
                break;
            }
            last = (last + self.environments) % self.capacity;
        }
        (sum, last)
    }

    /// The observations of up to `rows` of the newest `among` transitions of the environment that stored one last, evenly
    /// spread: `[rows, dimensions]`.
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
        let among = among.min(self.len().div_ceil(self.environments));
        let rows = rows.min(among);
        (0..rows).map(move |row| {
            let age = 1 + row * among / rows * self.environments;
            (self.cursor + self.capacity - age) % self.capacity
        })
    }

    fn observation(&self, slot: usize) -> &[f32] {
        &self.observations[slot * self.dimensions..][..self.dimensions]
    }

    fn observation_after(&self, slot: usize) -> &[f32] {
        let age = self.age(slot);
        if let Some(last) = self.final_observations.get(&slot) {
            last
        } else if age < self.environments {
            let environment = (self.pushed - 1 - age as u64) % self.environments as u64;
            &self.latest[environment as usize * self.dimensions..][..self.dimensions]
        } else {
            self.observation((slot + self.environments) % self.capacity)
        }
    }
}

#[cfg(test)]
mod tests;
