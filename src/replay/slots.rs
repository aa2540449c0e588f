//! A replay as it is saved: ranges of its slots, as they lie in memory, and what goes beside them.

use std::borrow::Cow;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Replay;

/// The transitions in some neighbouring slots.
#[derive(Debug, Clone, PartialEq)]
pub struct Slots<'a> {
    /// Observations before, `[slots, dimensions]`.
    pub observations: Cow<'a, [f32]>,
    /// Actions, `[slots]`.
    pub actions: Cow<'a, [u32]>,
    /// Rewards, `[slots]`.
    pub rewards: Cow<'a, [f32]>,
    /// Whether nothing followed, `[slots]`.
    pub terminated: Cow<'a, [bool]>,
    /// Which of the slots have an observation after them that no other slot has, ascending; the first slot is 0.
    pub final_slots: Vec<u32>,
    /// Those observations, `[final_slots, dimensions]`.
    pub final_observations: Vec<f32>,
    /// Which actions were valid before, a bit each: `[slots, words of 32]`, or nothing where all were.
    pub valid_before: Cow<'a, [u32]>,
    /// The same after.
    pub valid_after: Cow<'a, [u32]>,
}

/// What a replay remembers beside its slots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayState {
    /// Most transitions that it holds.
    pub capacity: usize,
    /// Numbers in an observation.
    pub dimensions: usize,
    /// Transitions ever stored.
    pub pushed: u64,
    /// Lowest and highest reward ever stored, and 0. As f64, which text keeps exactly.
    pub reward_range: (f64, f64),
    /// How many environments take turns.
    pub environments: usize,
    /// How many actions its masks are for; 0 where no environment has said which are valid.
    pub masked_actions: usize,
}

impl ReplayState {
    /// Transitions in the buffer.
    pub fn len(&self) -> usize {
        self.pushed.min(self.capacity as u64) as usize
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pushed == 0
    }

    /// Whether a slot may hold something else than it did after `before` transitions. Those that were the environments'
    /// newest then may too, since their episodes can have been [closed](Replay::push) afterwards.
    pub fn has_changed(&self, slots: &Range<usize>, before: u64) -> bool {
        if self.pushed == before {
            return false;
        }
        let first = before.saturating_sub(self.environments as u64);
        let changed = self.pushed - first.min(self.pushed);
        if changed >= self.capacity as u64 {
            return true;
        }
        let start = (first % self.capacity as u64) as usize;
        let end = start + changed as usize;
        let overlaps = |from: usize, to: usize| slots.start < to && from < slots.end;
        overlaps(start, end.min(self.capacity)) || (end > self.capacity && overlaps(0, end - self.capacity))
    }
}

impl Replay {
    /// What it remembers beside its slots and the [latest observation](Self::latest).
    pub fn state(&self) -> ReplayState {
        let (lowest, highest) = self.reward_range;
        ReplayState {
            capacity: self.capacity,
            dimensions: self.dimensions,
            pushed: self.pushed,
            reward_range: (f64::from(lowest), f64::from(highest)),
            environments: self.environments,
            masked_actions: self.masks.actions(),
        }
    }

    /// The observation after the newest transition of each environment, `[environments, dimensions]`; nothing of those
    /// without one.
    pub fn latest(&self) -> &[f32] {
        &self.latest
    }

    /// The transitions in some of the slots, which must not lie beyond its length.
    pub fn slots(&self, range: Range<usize>) -> Slots<'_> {
        let numbers = range.start * self.dimensions..range.end * self.dimensions;
        let mut finals: Vec<_> =
            self.final_observations.iter().filter(|(slot, _)| range.contains(slot)).collect();
        finals.sort_unstable_by_key(|(slot, _)| **slot);
        let [valid_before, valid_after] = self.masks.words_of(range.clone()).map(Cow::Borrowed);
        Slots {
            observations: Cow::Borrowed(&self.observations[numbers]),
            actions: Cow::Borrowed(&self.actions[range.clone()]),
            rewards: Cow::Borrowed(&self.rewards[range.clone()]),
            terminated: Cow::Borrowed(&self.terminated[range.clone()]),
            final_slots: finals.iter().map(|(slot, _)| (*slot - range.start) as u32).collect(),
            final_observations: finals
                .iter()
                .flat_map(|(_, observation)| observation.iter().copied())
                .collect(),
            valid_before,
            valid_after,
        }
    }

    /// Forgets everything, to be filled by [`append_slots`](Self::append_slots) and [`restore`](Self::restore).
    pub fn clear(&mut self) {
        self.observations.clear();
        self.actions.clear();
        self.rewards.clear();
        self.terminated.clear();
        self.final_observations.clear();
        self.latest.clear();
        self.masks.clear();
        (self.cursor, self.pushed, self.reward_range) = (0, 0, (0.0, 0.0));
    }

    /// Fills the slots after those that are filled; masks are for so many actions. `None`, and nothing is done, where they
    /// don't fit together or in.
    pub fn append_slots(&mut self, slots: &Slots<'_>, masked_actions: usize) -> Option<()> {
        let (start, count) = (self.len(), slots.actions.len());
        let fits = count <= self.capacity - start
            && slots.rewards.len() == count
            && slots.terminated.len() == count
            && slots.observations.len() == count.checked_mul(self.dimensions)?
            && slots.final_observations.len() == slots.final_slots.len().checked_mul(self.dimensions)?
            && slots.final_slots.iter().all(|&slot| (slot as usize) < count);
        if !fits {
            return None;
        }
        self.masks.append(masked_actions, start, count, [&slots.valid_before, &slots.valid_after])?;
        self.observations.extend_from_slice(&slots.observations);
        self.actions.extend_from_slice(&slots.actions);
        self.rewards.extend_from_slice(&slots.rewards);
        self.terminated.extend_from_slice(&slots.terminated);
        let finals = slots.final_observations.chunks_exact(self.dimensions);
        for (slot, observation) in slots.final_slots.iter().zip(finals) {
            self.final_observations.insert(start + *slot as usize, observation.into());
        }
        Some(())
    }

    /// Goes on as the replay that was in `state`, once its slots are filled. `None`, and nothing is done, where they are
    /// those of another.
    pub fn restore(&mut self, state: &ReplayState, latest: &[f32]) -> Option<()> {
        let with_one = state.len().min(self.environments);
        let fits = state.capacity == self.capacity
            && state.dimensions == self.dimensions
            && state.environments == self.environments
            && state.len() == self.len()
            && state.masked_actions == self.masks.actions()
            && latest.len() == with_one * self.dimensions;
        if !fits {
            return None;
        }
        self.latest.extend_from_slice(latest);
        self.pushed = state.pushed;
        self.cursor = (state.pushed % self.capacity as u64) as usize;
        self.reward_range = (state.reward_range.0 as f32, state.reward_range.1 as f32);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use control_envs::Step;
    use proptest::prelude::*;

    use super::super::{Transition, Valid};
    use super::*;

    proptest! {
        /// Saved piece by piece and only where it has changed, against the replay itself.
        #[test]
        fn pieces_that_changed_are_enough(
            environments in 1_usize..4,
            spare in 0_usize..30,
            piece in 1_usize..10,
            bursts in prop::collection::vec(prop::collection::vec(0_u8..6, 0..20), 1..8),
        ) {
            let capacity = environments + spare;
            let fresh = || Replay::of_environments(environments, capacity, 2).unwrap();
            let mut replay = fresh();
            let mut saved: Vec<Option<Slots<'static>>> = vec![None; capacity.div_ceil(piece)];
            let (mut all, mut before) = (vec![0.0_f32; environments], 0);
            for burst in bursts {
                for end in burst {
                    let x = &mut all[replay.turn()];
                    let step = Step {
                        observation: vec![*x + 1.0, -*x],
                        reward: f64::from(*x),
                        terminated: end == 0,
                        truncated: end == 1,
                    };
                    // From somewhere on the environment says which of 40 actions are valid.
                    let mask: Vec<bool> = (0..40).map(|action| !(action + *x as usize).is_multiple_of(3)).collect();
                    let mask = (*x > 7.0).then_some(mask.as_slice());
                    let observation = [*x, 0.0];
                    let transition = Transition::of(&observation, *x as usize % 3, &step);
                    replay.push(Transition { valid: Valid { before: mask, after: mask }, ..transition });
                    // 2: the episode is left in its middle.
                    *x += if end < 3 { 10.0 } else { 1.0 };
                }
                let state = replay.state();
                prop_assert!(!state.has_changed(&(0..capacity), state.pushed), "saved twice, nothing is new");
                for (index, slot) in saved.iter_mut().enumerate() {
                    let range = index * piece..((index + 1) * piece).min(state.len());
                    if !range.is_empty() && (slot.is_none() || state.has_changed(&range, before)) {
                        *slot = Some(owned(&replay.slots(range)));
                    }
                }
                before = state.pushed;
                let mut restored = fresh();
                for slots in saved.iter().flatten() {
                    prop_assert!(restored.append_slots(slots, state.masked_actions).is_some());
                }
                prop_assert!(restored.restore(&state, replay.latest()).is_some());
                prop_assert_eq!(format!("{:?}", restored.slots(0..state.len())), format!("{:?}", replay.slots(0..state.len())));
                prop_assert_eq!(restored.cursor, replay.cursor);
                prop_assert_eq!(restored.state(), state);
            }
        }
    }

    fn owned(slots: &Slots<'_>) -> Slots<'static> {
        Slots {
            observations: slots.observations.to_vec().into(),
            actions: slots.actions.to_vec().into(),
            rewards: slots.rewards.to_vec().into(),
            terminated: slots.terminated.to_vec().into(),
            final_slots: slots.final_slots.clone(),
            final_observations: slots.final_observations.clone(),
            valid_before: slots.valid_before.to_vec().into(),
            valid_after: slots.valid_after.to_vec().into(),
        }
    }

    #[test]
    fn slots_that_do_not_fit_are_refused() {
        let mut replay = Replay::new(3, 2).unwrap();
        let slots = Slots {
            observations: vec![1.0, 2.0, 3.0, 4.0].into(),
            actions: vec![0, 1].into(),
            rewards: vec![0.5, 0.5].into(),
            terminated: vec![false, false].into(),
            final_slots: vec![1],
            final_observations: vec![5.0, 6.0],
            valid_before: Cow::default(),
            valid_after: Cow::default(),
        };
        for wrong in [
            Slots { observations: vec![1.0].into(), ..slots.clone() },
            Slots { rewards: vec![].into(), ..slots.clone() },
            Slots { final_slots: vec![2], ..slots.clone() },
            Slots { final_observations: vec![], ..slots.clone() },
            Slots { valid_before: vec![1].into(), ..slots.clone() },
        ] {
            assert_eq!(replay.append_slots(&wrong, 0), None);
        }
        assert_eq!(replay.append_slots(&slots, 0), Some(()));
        assert_eq!(replay.append_slots(&slots, 0), None, "there is room for one more only");
        let state = ReplayState {
            capacity: 3,
            dimensions: 2,
            pushed: 2,
            reward_range: (0.0, 0.5),
            environments: 1,
            masked_actions: 0,
        };
        assert_eq!(replay.restore(&ReplayState { pushed: 3, ..state.clone() }, &[5.0, 6.0]), None);
        assert_eq!(replay.restore(&state, &[5.0]), None);
        assert_eq!(replay.restore(&state, &[5.0, 6.0]), Some(()));
    }
}
