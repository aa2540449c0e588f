//! The costs of a training step: learning, acting, the environment; beside what the matrix products alone cost.
//!
//! ```sh
//! cargo bench                           # a table
//! cargo bench -- --json FILE            # and the nanoseconds of each line, for benches/baselines
//! cargo bench -- --sweep                # how a learner step grows with the batch and the width
//! cargo bench -- --count WORK           # some pieces of one work and nothing else, for .ci/instructions
//! ```
#![allow(clippy::unwrap_used, reason = "a benchmark that can't be set up should fail")]
#![allow(missing_docs, reason = "a program")]

mod products;
mod rounds;
mod sweep;
mod table;
mod work;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use concrete_dqn::agent::Agent;

#[derive(Parser)]
struct Arguments {
    /// Also write the median nanoseconds of each line, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Learner steps over batches and widths instead
    #[arg(long)]
    sweep: bool,
    /// Ten pieces of one work instead, for a tool that counts the instructions of `counted`
    #[arg(long, value_name = "WORK")]
    count: Option<Work>,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Work {
    LearnDoubleQ,
    LearnOptimistic,
    ActUcb,
    EpisodeEnd,
}

fn main() {
    tch::set_num_threads(1);
    let arguments = Arguments::parse();
    if let Some(work) = arguments.count {
        count(work);
    } else if arguments.sweep {
        sweep::print();
    } else {
        let times = table::print();
        if let Some(path) = arguments.json {
            std::fs::write(path, serde_json::to_string_pretty(&times).unwrap()).unwrap();
        }
    }
}

fn count(work: Work) {
    let targets = if work == Work::LearnOptimistic { "optimistic" } else { "double-q" };
    let (mut agent, observation) = work::agent(128, 64, &[&format!("agent.targets={targets}")]);
    let mut piece = |agent: &mut Agent| match work {
        Work::ActUcb => work::act(agent, &observation),
        Work::EpisodeEnd => work::end_episode(agent, 500),
        Work::LearnDoubleQ | Work::LearnOptimistic => work::learn(agent),
    };
    // Buffers get their size, and the libraries find out about the machine.
    (0..3).for_each(|_| piece(&mut agent));
    counted(&mut agent, &mut piece);
}

#[inline(never)]
fn counted(agent: &mut Agent, piece: &mut impl FnMut(&mut Agent)) {
    (0..10).for_each(|_| piece(agent));
}
