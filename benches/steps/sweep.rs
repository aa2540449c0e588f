//! How the cost of a learner step grows with the batch and the width of the network, for both engines, beside the
//! matrix products alone, and for `autograd` on a GPU where there is one.

use tch::{Cuda, Device};

use crate::products::Products;
use crate::rounds::{Rounds, human};
use crate::table::TARGET_PASSES;
use crate::work::{agent_on, learn};

const BATCHES: [usize; 4] = [32, 64, 256, 1024];
const WIDTHS: [usize; 5] = [64, 128, 256, 512, 1024];
const ROUNDS: usize = 25;

/// Measures and prints.
pub fn print() {
    let mut engines = vec![("fused", Device::Cpu), ("autograd", Device::Cpu)];
    if Cuda::is_available() {
        engines.push(("autograd", Device::Cuda(0)));
    }
    let on_gpu = engines.len() > 2;
    println!(
        "| width | batch | products | fused | of its products | autograd | of fused |{}",
        if on_gpu { " on the GPU | of fused |" } else { "" }
    );
    println!("|---|---|---|---|---|---|---|{}", if on_gpu { "---|---|" } else { "" });
    for width in WIDTHS {
        for batch in BATCHES {
            let mut rounds = Rounds::default();
            rounds.add("products", Products::new(width, batch, TARGET_PASSES).faer());
            for (engine, device) in &engines {
                let engine = format!("engine={engine}");
                let (mut agent, _) = agent_on(*device, width, batch, &["agent.targets=double-q", &engine]);
                rounds.add(format!("{engine} on {device:?}"), move || learn(&mut agent));
            }
            let times: Vec<f64> = rounds.run(ROUNDS).into_iter().map(|(_, time)| time).collect();
            let (products, fused) = (times[0], times[1]);
            print!(
                "| {width} | {batch} | {} | {} | {:.2} x |",
                human(products),
                human(fused),
                fused / products
            );
            times[2..].iter().for_each(|time| print!(" {} | {:.1} x |", human(*time), time / fused));
            println!();
        }
    }
}
