//! The `[agent]` section of a config, and all sections that an agent goes by.

use serde::{Deserialize, Serialize};

use crate::engine::LearnerSections;
use crate::exploration::ExplorationConfig;
use crate::section::{Ranges, Section};
use crate::td::Targets;

/// `[agent]`: replay and TD learning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentConfig {
    /// Environments that take turns and learn together; actions are decided for all of them at once.
    pub envs: usize,
    /// Discount factor; 1 for tasks whose episodes end.
    pub gamma: f64,
    /// Steps whose rewards a target adds up before it trusts a value, at the start.
    pub n_step: usize,
    /// The same at the end; in between it changes linearly, in whole steps.
    pub n_step_final: usize,
    /// Transitions in a batch.
    pub batch_size: usize,
    /// Environment steps, with random actions, before the first learner step.
    pub learning_starts: u64,
    /// Environment steps from one time of learning to the next.
    pub train_frequency: u64,
    /// Learner steps each time.
    pub gradient_steps: u64,
    /// Most transitions that the replay buffer holds.
    pub replay_capacity: usize,
    /// The form of the TD targets.
    pub targets: Targets,
    /// Noisy passes of the target network, whose mean (and standard deviation) values the next state.
    pub target_passes: usize,
    /// Weight of the standard deviation in optimistic targets.
    pub target_beta: f64,
    /// Whether targets are clamped to what the rewards seen so far can add up to. It bounds overestimation,
    /// and optimism.
    pub bounded_targets: bool,
    /// Share of the way that the target network moves towards the online network at an update; 1 copies it,
    /// which goes with a long `target_period`.
    pub target_lerp: f64,
    /// Learner steps from one update of the target network to the next; with a long period, `target_lerp` is
    /// to be 1.
    pub target_period: u64,
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            envs: 1,
            gamma: 0.99,
            n_step: 3,
            n_step_final: 2,
            batch_size: 64,
            learning_starts: 500,
            train_frequency: 1,
            gradient_steps: 1,
            replay_capacity: 100_000,
            targets: Targets::Optimistic,
            target_passes: 5,
            target_beta: 1.0,
            bounded_targets: false,
            target_lerp: 0.05,
            target_period: 1,
        }
    }
}

impl Section for AgentConfig {
    fn check(&self, ranges: &mut Ranges) {
        let Self {
            envs,
            gamma,
            n_step,
            n_step_final,
            batch_size,
            learning_starts,
            train_frequency,
            gradient_steps,
            replay_capacity,
            targets: _,
            target_passes,
            target_beta,
            bounded_targets,
            target_lerp,
            target_period,
        } = *self;
        ranges.whole("envs", envs, 1..=1024);
        ranges.require(
            "envs",
            envs,
            envs <= replay_capacity,
            "no more than agent.replay_capacity, which has room for a transition of each",
        );
        ranges.require("gamma", gamma, (0.0..=1.0).contains(&gamma), "a number from 0 to 1");
        ranges.require(
            "bounded_targets",
            bounded_targets,
            gamma < 1.0 || !bounded_targets,
            "false where agent.gamma = 1, since rewards then add up without bound",
        );
        ranges.whole("n_step", n_step, 1..=1000);
        ranges.whole("n_step_final", n_step_final, 1..=1000);
        ranges.whole("batch_size", batch_size, 1..=65_536);
        ranges.whole_or_zero("learning_starts", learning_starts);
        ranges.count("train_frequency", train_frequency);
        ranges.whole("gradient_steps", gradient_steps, 1..=1000);
        ranges.count("replay_capacity", replay_capacity as u64);
        ranges.passes("target_passes", target_passes);
        ranges.not_negative("target_beta", target_beta);
        ranges.share("target_lerp", target_lerp);
        ranges.count("target_period", target_period);
    }
}

/// The settings that an agent goes by, its own and those of its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentSections {
    /// Environment steps to train for.
    pub steps: u64,
    /// Those of the networks and how they learn.
    pub learner: LearnerSections,
    /// `[agent]`
    pub agent: AgentConfig,
    /// `[exploration]`
    pub exploration: ExplorationConfig,
    /// Monte-Carlo passes of the standard deviations that are reported: `passes` of `[evaluation]`.
    pub reported_passes: usize,
    /// Learner steps from one report to the next: `update_period` of `[logging]`.
    pub update_period: u64,
}
