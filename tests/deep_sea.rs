//! Deep exploration: what local dropout is for.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use concrete_dqn::agent::Agent;
use concrete_dqn::rows::EpisodeRecord;
use concrete_dqn::training::Observer;
use concrete_dqn::{Config, Error, Session};
use control_envs::Registry;

/// Whether each of the episodes found the treasure.
#[derive(Default)]
struct Treasures(Vec<bool>);

impl Observer for Treasures {
    fn on_episode(&mut self, record: &EpisodeRecord, _agent: &Agent) -> Result<(), Error> {
        self.0.push(record.episode_return > 0.5);
        Ok(())
    }
}

/// The episodes until 90 of the last 100 found the treasure.
fn episodes_to_solve(size: u64, mapping: u64, episodes: u64, settings: &str) -> Option<usize> {
    tch::set_num_threads(1);
    let common = format!(
        "steps = {}\nseed = {mapping}\nenv_args.size = {size}\nenv_args.mapping_seed = {mapping}\nevaluation.period = 0",
        size * episodes
    );
    let config = Config::for_env("DeepSea-v0").and_then(|config| config.with(&common));
    let config = config.and_then(|config| config.with(settings)).unwrap();
    let mut treasures = Treasures::default();
    Session::new(&Registry::builtin(), config).unwrap().train(&mut treasures).unwrap();
    treasures
        .0
        .windows(100)
        .position(|window| window.iter().filter(|found| **found).count() >= 90)
        .map(|start| start + 100)
}

#[test]
fn the_treasure_of_size_ten_is_found_and_found_again() {
    for mapping in 1..=5 {
        let episodes = episodes_to_solve(10, mapping, 400, "");
        assert!(episodes.is_some_and(|episodes| episodes <= 250), "mapping {mapping}: {episodes:?}");
    }
}

#[test]
fn without_its_uncertainty_it_is_not_found() {
    for settings in [
        "exploration.rule = 'greedy'\nagent.target_beta = 0.0",
        "exploration.rule = 'epsilon-greedy'\nagent.targets = 'double-q'",
    ] {
        assert_eq!(episodes_to_solve(10, 1, 400, settings), None, "{settings}");
    }
}
