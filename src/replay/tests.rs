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
    /// Against a naive twin that keeps both observations of every transition, and the environment that it is of.
    #[test]
    fn equals_a_naive_twin(
        environments in 1_usize..5,
        spare in 0_usize..9,
        steps in 1_usize..4,
        ends in prop::collection::vec(0_u8..6, 1..60),
    ) {
        let capacity = environments + spare;
        let mut replay = Replay::of_environments(environments, capacity, 2).unwrap();
        // From the newest to the oldest: environment, x before and after, whether it terminated, whether it was cut.
        let mut twin: VecDeque<(usize, f32, f32, bool, bool)> = VecDeque::new();
        let mut at: Vec<f32> = (0..environments).map(|environment| 1000.0 * environment as f32).collect();
        for (index, end) in ends.into_iter().enumerate() {
            let environment = index % environments;
            prop_assert_eq!(replay.turn(), environment);
            let (terminated, truncated) = (end == 0 || end == 2, end == 1 || end == 2);
            let (x, next) = (at[environment], at[environment] + 1.0);
            replay.push(Transition::of(&[x, -x], x as usize % 3, &step(next, terminated, truncated)));
            // 3: the episode is left in its middle.
            let cut = truncated || end == 3;
            twin.push_front((environment, x, next, terminated, cut));
            twin.truncate(capacity);
            at[environment] = if terminated || cut { next + 100.0 } else { next };

            prop_assert_eq!(replay.len(), twin.len());
            for (age, &(of, before, after, terminal, _)) in twin.iter().enumerate() {
                let slot = (replay.cursor + replay.len() - 1 - age) % replay.len();
                prop_assert_eq!(replay.observation(slot), &[before, -before]);
                prop_assert_eq!(replay.rewards[slot], after / 10.0);
                prop_assert_eq!(replay.actions[slot] as usize, before as usize % 3);
                prop_assert_eq!(replay.terminated[slot], terminal);
                if !terminal { prop_assert_eq!(replay.observation_after(slot), &[after, -after]); }

                let mut ahead = twin.iter().take(age + 1).rev().filter(|other| other.0 == of);
                let (mut sum, mut last) = (NStep::START, after);
                for _ in 0..steps {
                    let Some(&(_, _, after, terminal, cut)) = ahead.next() else { break };
                    sum = sum.then(after / 10.0, 0.5, terminal);
                    last = after;
                    // Where an episode was left, that is told by what comes next.
                    if terminal || cut { break; }
                }
                let (found, end) = replay.look_ahead(slot, Lookahead { steps, gamma: 0.5 });
                prop_assert_eq!((found.reward, found.discount), (sum.reward, sum.discount));
                if sum.discount > 0.0 { prop_assert_eq!(replay.observation_after(end), &[last, -last]); }
            }
            // Nothing is kept aside for transitions that are gone.
            prop_assert!(replay.final_observations.len() <= replay.len());
            // The newest of the environment that stored one last.
            let own: Vec<f32> =
                twin.iter().filter(|other| other.0 == environment).take(3).map(|other| other.1).collect();
            let recent = replay.recent_observations(own.len(), 3);
            prop_assert_eq!(recent.chunks(2).map(|row| row[0]).collect::<Vec<_>>(), own);
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
        replay.sample(100, Lookahead { steps, gamma: 1.0 }, &mut generator(5, Stream::Replay), &mut batch);
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
