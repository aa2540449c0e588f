//! Deep exploration: what local dropout is for.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use concrete_dqn::agent::Agent;
use concrete_dqn::rows::{EpisodeRecord, MapRecord, read};
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

#[test]
fn the_map_has_the_right_values_and_is_unsure_where_nobody_can_be() {
    tch::set_num_threads(1);
    let (size, steps, folder) = (5_u64, 1_500, tempfile::tempdir().unwrap());
    let config = Config::for_env("DeepSea-v0").unwrap();
    let config =
        config.with(&format!("steps = {steps}\nenv_args.size = {size}\nevaluation.period = 0")).unwrap();
    let gamma = config.agent.gamma;
    let run = folder.path().join("run");
    Session::new(&Registry::builtin(), config).unwrap().in_folder(&run).unwrap().train(&mut ()).unwrap();
    let rows: Vec<MapRecord> = read(&run.join("maps.csv")).unwrap();
    assert_eq!(rows.len() as u64, 5 * size * size);
    assert!(run.join("plots/where.svg").is_file() && run.join("plots/where.png").is_file());

    let of_end = |column: u64, row: u64| {
        let is_here =
            |cell: &&MapRecord| (cell.x, cell.y, cell.env_steps) == (column as f64, row as f64, steps);
        *rows.iter().find(is_here).unwrap()
    };
    for step in 0..size {
        // From here on every step costs, and the last one brings the treasure.
        let left = (size - 1 - step) as i32;
        let costs: f64 = (0..=left).map(|k| 0.01 / size as f64 * gamma.powi(k)).sum();
        let expected = gamma.powi(left) - costs;
        let cell = of_end(step, step);
        assert!((cell.value / expected - 1.0).abs() < 0.02, "{step}: {cell:?}, {expected}");
        assert!(cell.visits > 100 && cell.epistemic_std < 0.02 && cell.local_p.unwrap() < 0.01, "{cell:?}");
    }
    // Above the diagonal nobody can be, and the prior, 3 times the largest return, is all that is known.
    let beyond = of_end(size - 1, 0);
    assert_eq!((beyond.visits, beyond.local_p), (0, Some(0.5)));
    assert!((2.9..3.1).contains(&beyond.epistemic_std), "{beyond:?}");
}
