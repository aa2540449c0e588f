//! How the cost of a learner step grows with the batch and the width of the network, for both engines, beside the
//! matrix products alone.

use crate::products::Products;
use crate::rounds::{Rounds, human};
use crate::table::TARGET_PASSES;
use crate::work::{agent, learn};

const BATCHES: [usize; 4] = [32, 64, 256, 1024];
const WIDTHS: [usize; 5] = [64, 128, 256, 512, 1024];
const ROUNDS: usize = 25;

/// Measures and prints.
pub fn print() {
    println!("| width | batch | products | fused | of its products | autograd | of fused |");
    println!("|---|---|---|---|---|---|---|");
    for width in WIDTHS {
        for batch in BATCHES {
            let mut rounds = Rounds::default();
            rounds.add("products", Products::new(width, batch, TARGET_PASSES).faer());
            for engine in ["engine=fused", "engine=autograd"] {
                let (mut agent, _) = agent(width, batch, &["agent.targets=double-q", engine]);
                rounds.add(engine, move || learn(&mut agent));
            }
            let times: Vec<f64> = rounds.run(ROUNDS).into_iter().map(|(_, time)| time).collect();
            let [products, fused, autograd] = times[..] else { unreachable!("three works were added") };
            println!(
                "| {width} | {batch} | {} | {} | {:.2} x | {} | {:.1} x |",
                human(products),
                human(fused),
                fused / products,
                human(autograd),
                autograd / fused
            );
        }
    }
}
