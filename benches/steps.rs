//! The costs of a training step: learning, acting, the environment; beside what the matrix products alone cost.
//!
//! ```sh
//! cargo bench --bench steps                     # a table
//! cargo bench --bench steps -- --json FILE      # and the nanoseconds of each line, for benches/baselines
//! ```
#![allow(clippy::unwrap_used, reason = "a benchmark that can't be set up should fail")]
#![allow(missing_docs, reason = "a program")]

mod common;

use std::collections::BTreeMap;

use common::{Products, Rounds, environment_step, human, learner};

const WIDTH: usize = 128;
const BATCH: usize = 64;
/// As `agent.target_passes` has it.
const TARGET_PASSES: usize = 5;
const ROUNDS: usize = 200;

fn main() {
    tch::set_num_threads(1);
    let mut rounds = Rounds::default();
    for (targets, products) in [
        ("double-q", Products::double_q(WIDTH, BATCH)),
        ("optimistic", Products::optimistic(WIDTH, BATCH, TARGET_PASSES)),
    ] {
        rounds.add(format!("matrix_products/{targets}/faer"), products.faer());
        rounds.add(format!("matrix_products/{targets}/libtorch"), products.libtorch());
        for (name, engine, p) in
            [("fused", "fused", 0.1), ("fused-small-p", "fused", 1e-4), ("autograd", "autograd", 0.1)]
        {
            let targets_setting = format!("agent.targets={targets}");
            let settings = [&targets_setting, &format!("engine={engine}"), &format!("dropout.initial_p={p}")];
            let (mut agent, _) = learner(WIDTH, BATCH, &settings.map(String::as_str));
            rounds.add(format!("learner_step/{targets}/{name}"), move || drop(agent.learn().unwrap()));
        }
    }
    for rule in ["ucb", "thompson", "epsilon-greedy"] {
        let settings = [format!("exploration.rule={rule}"), "exploration.epsilon_final=0".to_owned()];
        let (mut agent, observation) = learner(WIDTH, BATCH, &[&settings[0], &settings[1]]);
        rounds.add(format!("act/{rule}"), move || drop(agent.act(&observation)));
    }
    for name in ["cartpole", "mountaincar", "acrobot"] {
        rounds.add(format!("environment_step/{name}"), environment_step(name));
    }

    let times: BTreeMap<String, f64> = rounds.run(ROUNDS).into_iter().collect();
    println!("| what | median | of its matrix products |\n|---|---|---|");
    for (name, &time) in &times {
        let floor = name
            .strip_prefix("learner_step/")
            .and_then(|rest| rest.split('/').next())
            .map(|targets| format!("{:.2} x", time / times[&format!("matrix_products/{targets}/faer")]));
        println!("| {name} | {} | {} |", human(time), floor.unwrap_or_default());
    }
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(flag) = arguments.iter().position(|argument| argument == "--json") {
        let path = arguments.get(flag + 1).expect("--json needs the path of a file to write");
        std::fs::write(path, serde_json::to_string_pretty(&times).unwrap()).unwrap();
    }
}
