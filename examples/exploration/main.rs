//! Exploration made visible: trains MountainCar with local dropout, without, and epsilon-greedy on several seeds
//! and draws which states were visited, how often exploration changed the action, and what the network knew
//! of the states.
//!
//! ```sh
//! cargo run --release --example exploration
//! ```
//!
//! Figures and their numbers go to `runs/exploration/`; docs/exploration.md tells what they show.

mod curves;
mod decisions;
mod grid;
mod study;
mod traced;
mod uncertainty;
mod visits;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use concrete_dqn::Error;
use concrete_dqn::config::{Config, ConfigLayer, Seeds};
use control_envs::Registry;

use crate::grid::Grid;
use crate::study::Study;

const ENV: &str = "MountainCar-v0";
/// What is compared, by name, and what its config has beside the preset; the variants of
/// `configs/experiments/defaults.toml`.
const AGENTS: [(&str, &[&str]); 3] = [
    ("ucb", &[]),
    ("layers-only", &["local.tilings = 0"]),
    (
        "epsilon-greedy",
        &["local.tilings = 0", "exploration.rule = 'epsilon-greedy'", "agent.targets = 'double-q'"],
    ),
];

/// Draws where agents with local dropout, without, and epsilon-greedy go, on MountainCar
#[derive(Debug, Parser)]
struct Arguments {
    /// Environment steps of each training [default: the environment's preset]
    #[arg(long, value_name = "N")]
    steps: Option<u64>,

    /// Seeds such as 50-53 or 50,52: a training for each, with each agent
    #[arg(long, value_name = "SEEDS", default_value = "50-53")]
    seeds: Seeds,

    /// One setting, such as --set exploration.beta=2; may be repeated
    #[arg(long, value_name = "SECTION.KEY=VALUE")]
    set: Vec<String>,

    /// Where figures and tables go
    #[arg(long, value_name = "DIR", default_value = "runs/exploration")]
    output: PathBuf,
}

fn main() -> ExitCode {
    run(std::env::args_os())
}

fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    concrete_dqn::cli::run_one(arguments, explore)
}

fn explore(arguments: &Arguments) -> Result<(), Error> {
    tch::set_num_threads(1);
    let common = common_config(arguments)?;
    let grid = Grid::new(&Registry::builtin().make(ENV)?.spec().observation_space);
    let mut studies = Vec::new();
    for (agent, assignments) in AGENTS {
        let config = common.layered(&layers(assignments)?)?;
        for seed in arguments.seeds.iter() {
            let study = Study::run(agent, &Config { seed, ..config.clone() }, &grid)?;
            let goal = match study.goal {
                Some(step) => format!("first at the goal at step {step}"),
                None => "never at the goal".to_owned(),
            };
            println!("{agent}, seed {seed}: {goal}");
            studies.push(study);
        }
    }
    draw(&studies, &grid, common.steps, &arguments.output)
}

/// What the trainings have in common: the environment's preset, then the flags.
fn common_config(arguments: &Arguments) -> Result<Config, Error> {
    let told = |assignment: &String| {
        let key = assignment.split('=').next().unwrap_or_default().trim();
        ["env", "seed", "steps", "exploration.rule"].contains(&key)
    };
    if let Some(assignment) = arguments.set.iter().find(|assignment| told(assignment)) {
        return Err(Error::Usage(format!(
            "`--set {assignment}` is not possible here, since environment and agents are what the figures are about, \
             and seeds and steps have flags of their own, --seeds and --steps"
        )));
    }
    let steps = arguments.steps.map(|steps| format!("steps={steps}"));
    let assignments: Vec<&str> = steps.iter().chain(&arguments.set).map(String::as_str).collect();
    Config::for_env(ENV)?.layered(&layers(&assignments)?)
}

fn layers(assignments: &[&str]) -> Result<Vec<ConfigLayer>, Error> {
    assignments.iter().map(|text| ConfigLayer::assignment(text)).collect()
}

fn draw(studies: &[Study], grid: &Grid, steps: u64, folder: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|source| Error::File {
        action: "create the folder",
        path: folder.to_owned(),
        source,
    })?;
    let reachable = grid.reachable()?;
    let figures = [
        visits::draw_visits(studies, grid, steps, folder)?,
        visits::draw_coverage(studies, grid, &reachable, steps, folder)?,
        decisions::draw_decisions(studies, folder)?,
        uncertainty::draw_uncertainty(studies, grid, folder)?,
    ];
    for figure in figures.iter().flatten() {
        println!("{}", figure.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_run_draws_everything_and_repeats() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        for folder in &folders {
            let code = run([
                "exploration",
                "--steps=900",
                "--seeds=1-3",
                "--set=network.hidden=[16,16]",
                "--set=agent.learning_starts=300",
                "--set=agent.batch_size=16",
                "--output",
            ]
            .map(OsString::from)
            .into_iter()
            .chain([folder.path().into()]));
            assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS));
        }
        for name in ["visits", "coverage", "exploratory", "uncertainty"] {
            let file = |folder: usize, ending: &str| {
                std::fs::read(folders[folder].path().join(format!("{name}.{ending}"))).unwrap()
            };
            for ending in ["csv", "svg", "png"] {
                assert!(file(0, ending) == file(1, ending), "{name}.{ending} does not repeat");
            }
            let table = String::from_utf8(file(0, "csv")).unwrap();
            assert!(table.lines().count() > 4 && table.contains("epsilon-greedy"), "{table}");
        }
    }

    #[test]
    fn what_is_compared_cannot_be_set() {
        let code = run(["exploration", "--set=env=cartpole"].map(OsString::from));
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(2)));
    }

    #[test]
    fn the_goal_and_the_wall_are_within_reach_and_flying_starts_are_not() {
        let grid = Grid::new(&Registry::builtin().make(ENV).unwrap().spec().observation_space);
        let reachable = grid.reachable().unwrap();
        let within = [[-0.5, 0.0], [0.51, 0.03], [-1.19, 0.0]];
        assert!(within.iter().all(|state| reachable[grid.cell(*state)]));
        assert!(!reachable[grid.cell([-1.19, 0.069])] && !reachable[grid.cell([0.59, -0.06])]);
        assert_eq!(grid.cell([0.6, 0.07]), grid::SIDE * grid::SIDE - 1);
    }
}
