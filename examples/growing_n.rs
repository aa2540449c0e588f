//! What N does: two trainings that differ in nothing but the N of the objective, which follows the replay in
//! one and is held at 100 in the other. Precision is fixed and equal, so N alone decides where p goes.
//!
//! ```sh
//! cargo run --release --example growing_n
//! ```
//!
//! Draws both side by side in `runs/growing-n/comparison.png` and prints the last p of every layer.

use std::path::Path;
use std::process::ExitCode;

use concrete_dqn::plot::{RunLabel, draw_comparison};
use concrete_dqn::{Config, Error, Session};
use control_envs::Registry;

/// Equal in both runs. Actions are epsilon-greedy, so that the two see much the same data.
const COMMON: &str = "
steps = 30000
exploration.rule = \"epsilon-greedy\"
precision = { learned = false, initial = 600.0 }
agent.targets = \"double-q\"
";

/// The value of `dropout.dataset_size` in each run. 100 is less than the 500 transitions that there are at
/// the learner's first step.
const RUNS: [(&str, &str); 2] = [("N follows the replay", "\"replay\""), ("N held at 100", "100")];

fn main() -> ExitCode {
    match compare(Path::new("runs/growing-n")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn compare(folder: &Path) -> Result<(), Error> {
    tch::set_num_threads(1);
    let mut drawn = Vec::new();
    for (name, dataset_size) in RUNS {
        let config =
            Config::default().with(COMMON)?.with(&format!("dropout.dataset_size = {dataset_size}"))?;
        let mut session = Session::new(&Registry::builtin(), config)?.in_new_folder(folder)?;
        let summary = session.train(&mut ())?;
        println!("{name}: last p of each layer {:.4?}", summary.p_final);
        let label = RunLabel {
            title: format!("CartPole-v1 · {name}"),
            short: name.to_owned(),
            ..RunLabel::default()
        };
        drawn.extend(session.folder().map(|folder| (folder.to_owned(), label)));
    }
    for figure in draw_comparison(&drawn, &folder.join("comparison"))? {
        println!("{}", figure.display());
    }
    Ok(())
}
