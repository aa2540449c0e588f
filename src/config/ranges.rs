//! The values that make sense.

use std::fmt;

use super::{Config, DatasetSize};
use crate::network::Bandwidth;

/// A value out of its range.
pub(super) struct Violation {
    key: &'static str,
    value: String,
    allowed: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} is out of range; it must be {}", self.key, self.value, self.allowed)
    }
}

/// TOML's integers end here.
const LARGEST: u64 = i64::MAX as u64;

/// The first value of `config` that is out of range.
pub(super) fn violation(config: &Config) -> Option<Violation> {
    let Config { network, dropout, precision, optimizer, agent, exploration, evaluation, .. } = config;
    let Config { logging, checkpoint, .. } = config;
    let bandwidth = match network.fourier_bandwidth {
        Bandwidth::Fixed(bandwidth) => bandwidth,
        Bandwidth::Auto(_) => 1.0,
    };
    let dataset_size = match dropout.dataset_size {
        DatasetSize::Fixed(size) => size,
        DatasetSize::Of(_) => 1,
    };
    let probability = "a number from 0 to 1";
    let share = "a number above 0, up to 1";
    // What lies beyond would be 0 or infinite in the f32 of the network.
    let positive = "a number from 1e-12 to 1e12";
    let not_negative = "a number from 0 to 1e12";
    let count = "a whole number of 1 or more";
    let passes = "a whole number from 2 to 10000";
    let hidden = !network.hidden.is_empty()
        && network.hidden.len() <= 16
        && network.hidden.iter().all(|units| (1..=16_384).contains(units));
    let is_positive = |x: f64| (1e-12..=1e12).contains(&x);
    let is_not_negative = |x: f64| (0.0..=1e12).contains(&x);
    let is_probability = |x: f64| (0.0..=1.0).contains(&x);
    let is_share = |x: f64| x > 0.0 && x <= 1.0;
    let is_passes = |n: usize| (2..=10_000).contains(&n);
    let is_count = |n: u64| (1..=LARGEST).contains(&n);
    let widest = network.hidden.iter().copied().max().unwrap_or(1);
    let passes_of_a_batch =
        agent.target_passes.max(evaluation.passes).saturating_mul(agent.batch_size) as i64;
    let units_of_a_batch = passes_of_a_batch.saturating_mul(widest);
    let weights: i64 =
        network.hidden.windows(2).map(|pair| pair[0].saturating_mul(pair[1])).fold(0, i64::saturating_add);

    let mut rules = Rules(None);
    rules.require(
        config.seed <= LARGEST,
        "seed",
        config.seed,
        "a whole number from 0 to 9223372036854775807",
    );
    rules.require(is_count(config.steps), "steps", config.steps, count);
    rules.require(
        hidden,
        "network.hidden",
        format!("{:?}", network.hidden),
        "1 to 16 layers of 1 to 16384 units",
    );
    rules.require(
        !network.conv.channels.is_empty()
            && network.conv.channels.len() <= 16
            && network.conv.channels.iter().all(|channels| (1..=4096).contains(channels)),
        "network.conv.channels",
        format!("{:?}", network.conv.channels),
        "1 to 16 convolutions of 1 to 4096 feature maps",
    );
    for (key, value) in
        [("network.conv.kernel", network.conv.kernel), ("network.conv.stride", network.conv.stride)]
    {
        rules.require((1..=64).contains(&value), key, value, "a whole number from 1 to 64");
    }
    rules.require(
        network.fourier_features <= 16_384,
        "network.fourier_features",
        network.fourier_features,
        "a whole number from 0 to 16384",
    );
    rules.require(
        is_positive(bandwidth),
        "network.fourier_bandwidth",
        bandwidth,
        "a number from 1e-12 to 1e12, or \"auto\"",
    );
    let is_no_dropout = !dropout.learned && dropout.initial_p == 0.0;
    rules.require(
        (1e-6..=1.0 - 1e-6).contains(&dropout.initial_p) || is_no_dropout,
        "dropout.initial_p",
        dropout.initial_p,
        "a number from 0.000001 to 0.999999, or 0 with dropout.learned = false",
    );
    rules.require(
        is_not_negative(dropout.length_scale),
        "dropout.length_scale",
        dropout.length_scale,
        not_negative,
    );
    rules.require(is_positive(dropout.temperature), "dropout.temperature", dropout.temperature, positive);
    rules.require(
        (1e-6..=1.0).contains(&dropout.temperature_final_fraction),
        "dropout.temperature_final_fraction",
        dropout.temperature_final_fraction,
        "a number from 0.000001 to 1",
    );
    rules.require(
        is_count(dataset_size),
        "dropout.dataset_size",
        dataset_size,
        "\"replay\", \"final\", or a whole number of 1 or more",
    );
    rules.require(
        precision.learned || !precision.heteroscedastic,
        "precision.heteroscedastic",
        precision.heteroscedastic,
        "false where precision.learned = false",
    );
    rules.require(is_positive(precision.initial), "precision.initial", precision.initial, positive);
    rules.require(
        is_positive(optimizer.learning_rate),
        "optimizer.learning_rate",
        optimizer.learning_rate,
        positive,
    );
    rules.require(
        is_not_negative(optimizer.dropout_learning_rate),
        "optimizer.dropout_learning_rate",
        optimizer.dropout_learning_rate,
        not_negative,
    );
    rules.require(
        is_probability(optimizer.final_fraction),
        "optimizer.final_fraction",
        optimizer.final_fraction,
        probability,
    );
    rules.require(
        is_positive(optimizer.max_gradient_norm),
        "optimizer.max_gradient_norm",
        optimizer.max_gradient_norm,
        positive,
    );
    rules.require(
        (0.0..1.0).contains(&agent.gamma),
        "agent.gamma",
        agent.gamma,
        "a number from 0 to below 1",
    );
    rules.require(
        (1..=65_536).contains(&agent.batch_size),
        "agent.batch_size",
        agent.batch_size,
        "a whole number from 1 to 65536",
    );
    for (key, value) in [("agent.n_step", agent.n_step), ("agent.n_step_final", agent.n_step_final)] {
        rules.require((1..=1000).contains(&value), key, value, "a whole number from 1 to 1000");
    }
    rules.require(
        (1..=1000).contains(&agent.gradient_steps),
        "agent.gradient_steps",
        agent.gradient_steps,
        "a whole number from 1 to 1000",
    );
    rules.require(
        is_not_negative(precision.prior_count),
        "precision.prior_count",
        precision.prior_count,
        not_negative,
    );
    rules.require(is_count(agent.train_frequency), "agent.train_frequency", agent.train_frequency, count);
    rules.require(
        is_count(agent.replay_capacity as u64),
        "agent.replay_capacity",
        agent.replay_capacity,
        count,
    );
    rules.require(is_passes(agent.target_passes), "agent.target_passes", agent.target_passes, passes);
    rules.require(is_not_negative(agent.target_beta), "agent.target_beta", agent.target_beta, not_negative);
    rules.require(is_share(agent.target_lerp), "agent.target_lerp", agent.target_lerp, share);
    rules.require(is_count(agent.target_period), "agent.target_period", agent.target_period, count);
    rules.require(is_passes(exploration.passes), "exploration.passes", exploration.passes, passes);
    rules.require(is_not_negative(exploration.beta), "exploration.beta", exploration.beta, not_negative);
    for (key, value) in [
        ("exploration.epsilon_initial", exploration.epsilon_initial),
        ("exploration.epsilon_final", exploration.epsilon_final),
    ] {
        rules.require(is_probability(value), key, value, probability);
    }
    rules.require(
        is_share(exploration.epsilon_fraction),
        "exploration.epsilon_fraction",
        exploration.epsilon_fraction,
        share,
    );
    rules.require(is_passes(evaluation.passes), "evaluation.passes", evaluation.passes, passes);
    rules.require(is_count(logging.update_period), "logging.update_period", logging.update_period, count);
    rules.require(
        (0.1..=1e6).contains(&logging.redraw_seconds),
        "logging.redraw_seconds",
        logging.redraw_seconds,
        "a number from 0.1 to 1000000",
    );
    rules.require(
        (0.0..=1e6).contains(&checkpoint.seconds),
        "checkpoint.seconds",
        checkpoint.seconds,
        "a number from 0 to 1000000",
    );
    rules.require(
        checkpoint.episodes <= LARGEST,
        "checkpoint.episodes",
        checkpoint.episodes,
        "a whole number of 0 or more",
    );
    rules.require(
        checkpoint.keep <= 1000,
        "checkpoint.keep",
        checkpoint.keep,
        "a whole number from 0 to 1000",
    );
    // Together, what is fine one by one can be more than a machine has.
    rules.require(
        weights <= MOST_NUMBERS,
        "network.hidden",
        format!("{:?}", network.hidden),
        "small enough for at most 268435456 weights",
    );
    rules.require(
        units_of_a_batch <= MOST_NUMBERS,
        "agent.batch_size",
        agent.batch_size,
        "small enough for batch_size x target_passes (or evaluation.passes) x the widest layer to be at most 268435456",
    );
    rules.0
}

/// A gigabyte of f32: the most that one tensor may hold.
const MOST_NUMBERS: i64 = 1 << 28;

struct Rules(Option<Violation>);

impl Rules {
    fn require(&mut self, holds: bool, key: &'static str, value: impl fmt::Display, allowed: &'static str) {
        if !holds && self.0.is_none() {
            let shown = value.to_string();
            // 1e300 rather than its three hundred digits.
            let number = shown.parse::<f64>().ok().filter(|_| shown.len() > 20);
            let value = number.map_or(shown, |number| format!("{number:e}"));
            self.0 = Some(Violation { key, value, allowed });
        }
    }
}
