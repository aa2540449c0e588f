//! Every kind of step once.

use std::collections::BTreeMap;

use crate::products::Products;
use crate::rounds::{Rounds, human};
use crate::work::{
    act, agent, draw_noise, end_episode, environment_step, learn, sample_replay, training_step,
};

/// Hidden units of either layer, and rows of a batch.
const WIDTH: usize = 128;
const BATCH: usize = 64;
/// As `agent.target_passes` has it.
pub const TARGET_PASSES: usize = 5;
const ROUNDS: usize = 40;

/// Measures and prints. Returns the median nanoseconds by name.
pub fn print() -> BTreeMap<String, f64> {
    let mut rounds = Rounds::default();
    let products = Products::new(WIDTH, BATCH, TARGET_PASSES);
    rounds.add("matrix_products/faer", products.faer());
    rounds.add("matrix_products/libtorch", products.libtorch());
    for targets in ["double-q", "optimistic"] {
        for (name, engine, p) in
            [("fused", "fused", 0.1), ("fused-small-p", "fused", 1e-4), ("autograd", "autograd", 0.1)]
        {
            let settings =
                [("agent.targets", targets), ("engine", engine), ("dropout.initial_p", &p.to_string())];
            add_agent(&mut rounds, format!("learner_step/{targets}/{name}"), WIDTH, &settings, Step::Learn);
        }
    }
    for targets in ["double-q", "optimistic"] {
        let (agent, _) = agent(WIDTH, BATCH, &[&format!("agent.targets={targets}")]);
        rounds.add(format!("training_step/{targets}/fused"), training_step(agent));
    }
    let layers_only = [("local.tilings", "0")];
    for (name, step) in
        [("learner_step/optimistic/fused-layers-only", Step::Learn), ("act/ucb-layers-only", Step::Act)]
    {
        add_agent(&mut rounds, name.to_owned(), WIDTH, &layers_only, step);
    }
    let double_q = [("agent.targets", "double-q")];
    add_agent(&mut rounds, "learner_step/double-q/fused-64".to_owned(), 64, &double_q, Step::Learn);
    for (name, rule, engine, width) in [
        ("ucb", "ucb", "fused", WIDTH),
        ("ucb-autograd", "ucb", "autograd", WIDTH),
        ("thompson", "thompson", "fused", WIDTH),
        ("epsilon-greedy", "epsilon-greedy", "fused", WIDTH),
        ("epsilon-greedy-64", "epsilon-greedy", "fused", 64),
    ] {
        let mut settings = vec![("exploration.rule", rule), ("engine", engine)];
        if rule == "epsilon-greedy" {
            settings.push(("exploration.epsilon_final", "0"));
        }
        add_agent(&mut rounds, format!("act/{name}"), width, &settings, Step::Act);
    }
    for length in [1, 500] {
        let (mut agent, _) = agent(WIDTH, BATCH, &[]);
        rounds.add(format!("episode_end/{length}-steps"), move || end_episode(&mut agent, length));
    }
    rounds.add("noise", draw_noise(&[4, WIDTH, WIDTH], 2 + TARGET_PASSES, BATCH));
    rounds.add("replay_sample", sample_replay(BATCH));
    for name in ["cartpole", "mountaincar", "acrobot"] {
        rounds.add(format!("environment_step/{name}"), environment_step(name));
    }

    let times: BTreeMap<String, f64> = rounds.run(ROUNDS).into_iter().collect();
    println!("| what | median | of its matrix products |\n|---|---|---|");
    for (name, &time) in &times {
        let ratio = products_of(name).map(|products| format!("{:.2} x", time / times[&products]));
        println!("| {name} | {} | {} |", human(time), ratio.unwrap_or_default());
    }
    times
}

enum Step {
    Learn,
    Act,
}

fn add_agent(rounds: &mut Rounds<'_>, name: String, width: usize, settings: &[(&str, &str)], step: Step) {
    let settings: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let (mut agent, observation) = agent(width, BATCH, &settings);
    match step {
        Step::Learn => rounds.add(name, move || learn(&mut agent)),
        Step::Act => rounds.add(name, move || act(&mut agent, &observation)),
    }
}

/// The name of the products that a learner step of [`WIDTH`], alone or in a training, contains.
fn products_of(name: &str) -> Option<String> {
    let step = name.strip_prefix("learner_step/").or_else(|| name.strip_prefix("training_step/"))?;
    let (_, engine) = step.split_once('/')?;
    (engine != "fused-64").then(|| "matrix_products/faer".to_owned())
}
