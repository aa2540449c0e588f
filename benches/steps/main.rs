//! The costs of a training step: learning, acting, the environment; beside what the matrix products alone cost.
//!
//! ```sh
//! cargo bench                           # a table
//! cargo bench -- --json FILE            # and the nanoseconds of each line, for benches/baselines
//! cargo bench -- --sweep                # how a learner step grows with the batch and the width
//! cargo bench -- --count NAME           # some pieces of one work and nothing else, for .ci/instructions
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that can't be set up should fail")]
#![allow(missing_docs, reason = "a program")]

mod products;
mod rounds;
mod sweep;
mod table;
mod work;

use concrete_dqn::agent::Agent;

fn main() {
    tch::set_num_threads(1);
    let arguments: Vec<String> = std::env::args().collect();
    let value_of = |flag: &str| {
        let position = arguments.iter().position(|argument| argument == flag)?;
        Some(arguments.get(position + 1).unwrap_or_else(|| panic!("{flag} needs a value")))
    };
    if let Some(name) = value_of("--count") {
        count(name);
    } else if arguments.iter().any(|argument| argument == "--sweep") {
        sweep::print();
    } else {
        let times = table::print();
        if let Some(path) = value_of("--json") {
            std::fs::write(path, serde_json::to_string_pretty(&times).unwrap()).unwrap();
        }
    }
}

/// For a tool that counts the instructions of [`counted`].
fn count(name: &str) {
    let (mut agent, observation) = match name {
        "learn-double-q" => work::agent(128, 64, &["agent.targets=double-q"]),
        "learn-optimistic" => work::agent(128, 64, &["agent.targets=optimistic"]),
        "act-ucb" => work::agent(128, 64, &[]),
        _ => panic!("--count must be learn-double-q, learn-optimistic or act-ucb"),
    };
    let acts = name == "act-ucb";
    let mut work = |agent: &mut Agent| {
        if acts { drop(agent.act(&observation)) } else { drop(agent.learn().unwrap()) }
    };
    // Buffers get their size, and the libraries find out about the machine.
    (0..3).for_each(|_| work(&mut agent));
    counted(&mut agent, &mut work);
}

/// Ten pieces of work.
#[inline(never)]
fn counted(agent: &mut Agent, work: &mut impl FnMut(&mut Agent)) {
    (0..10).for_each(|_| work(agent));
}
