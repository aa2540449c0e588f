//! `experiment`: what its file may say, and real experiments through the real program.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod file;
#[path = "../program/mod.rs"]
mod program;
mod runs;

/// Two variants on two seeds, in a second or two.
const TINY: &str = r#"
environments = ["cartpole"]
seeds = "3-4"

[settings]
steps = 600
network.hidden = [16, 16]
agent.learning_starts = 100
agent.batch_size = 16
evaluation.episodes = 2

[variants.ucb]

[variants.epsilon-greedy]
exploration.rule = "epsilon-greedy"
"#;
