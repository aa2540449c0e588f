//! What a larger number of steps does to the schedules of a run.

use crate::agent::{AgentSections, Schedules};
use crate::config::Config;
use crate::engine::{Data, DatasetSize};
use crate::exploration::ExplorationConfig;
use crate::numbers::number;

/// What changes at `step` where a run with the settings `before` goes on with those of `config`, which has more
/// steps: every number as it was and as it is. `None` where nothing does.
pub fn stretched(before: &Config, config: &Config, step: u64) -> Option<String> {
    let changes: Vec<String> = schedules(before, step)
        .into_iter()
        .zip(schedules(config, step))
        .filter(|((_, was), (_, is))| was != is)
        .map(|((name, was), (_, is))| format!("{name} from {was} to {is}"))
        .collect();
    let (was, is) = (before.steps, config.steps);
    (!changes.is_empty())
        .then(|| format!("the schedules are stretched from {was} to {is} steps: {}", changes.join(", ")))
}

/// What depends on the share of the training that is over, at `step`.
fn schedules(config: &Config, step: u64) -> Vec<(&'static str, String)> {
    let schedules = Schedules::new(&AgentSections::from(config));
    let progress = schedules.progress(step);
    let rate = schedules.learning_rate.at(progress);
    let Config { optimizer, dropout, exploration, agent, .. } = config;
    let mut numbers = vec![
        ("learning rate", number(rate * optimizer.learning_rate)),
        ("learning rate of p", number(rate * optimizer.dropout_learning_rate)),
        ("n-step", schedules.n_step.at(progress).round().to_string()),
        ("temperature", number(dropout.temperature_at(progress))),
    ];
    if let ExplorationConfig::EpsilonGreedy(rule) = exploration {
        numbers.push(("epsilon", number(rule.epsilon(progress))));
    }
    if dropout.dataset_size == DatasetSize::Of(Data::Final) {
        numbers.push(("N", config.steps.min(agent.replay_capacity as u64).to_string()));
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schedule_that_changes_is_told_and_no_other() {
        let settings = "steps = 1_000\noptimizer.learning_rate = 1e-3\noptimizer.final_fraction = 0.02\n\
                        optimizer.dropout_learning_rate = 1e-2\nagent.n_step = 3\nagent.n_step_final = 2\n\
                        dropout.temperature_final_fraction = 0.25\ndropout.dataset_size = \"final\"\n\
                        exploration.rule = \"epsilon-greedy\"\nexploration.epsilon_fraction = 1.0";
        let before = Config::default().with(settings).unwrap();
        let longer = before.with("steps = 2_000").unwrap();
        assert_eq!(
            stretched(&before, &longer, 1000).unwrap(),
            "the schedules are stretched from 1000 to 2000 steps: learning rate from 2.00e-5 to 5.10e-4, learning \
             rate of p from 2.00e-4 to 0.00510, n-step from 2 to 3, temperature from 0.0250 to 0.0500, epsilon \
             from 0.0500 to 0.525, N from 1000 to 2000"
        );
        let constant = "optimizer.final_fraction = 1.0\nagent.n_step_final = 3";
        let before = Config::default().with(constant).unwrap();
        assert_eq!(stretched(&before, &before.with("steps = 90_000").unwrap(), 1000), None);
    }
}
