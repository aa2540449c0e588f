//! Times that can be compared on a noisy machine.

use std::time::{Duration, Instant};

/// How long one measurement of one piece of work takes.
const ROUND: Duration = Duration::from_millis(25);

/// Pieces of work that are measured in turns, so that what else the machine does meets all of them alike.
#[derive(Default)]
pub struct Rounds<'a> {
    works: Vec<(String, Box<dyn FnMut() + 'a>)>,
}

impl<'a> Rounds<'a> {
    /// Adds a piece of work.
    pub fn add(&mut self, name: impl Into<String>, work: impl FnMut() + 'a) {
        self.works.push((name.into(), Box::new(work)));
    }

    /// Runs `rounds` rounds over all works. Returns the median nanoseconds of each, in the order they were added.
    pub fn run(mut self, rounds: usize) -> Vec<(String, f64)> {
        let iterations: Vec<u32> = self.works.iter_mut().map(|(_, work)| iterations(work)).collect();
        let mut times = vec![Vec::with_capacity(rounds); self.works.len()];
        for _ in 0..rounds {
            for (((_, work), &iterations), times) in self.works.iter_mut().zip(&iterations).zip(&mut times) {
                let start = Instant::now();
                (0..iterations).for_each(|_| work());
                times.push(start.elapsed().as_nanos() as f64 / f64::from(iterations));
            }
        }
        self.works.into_iter().zip(times).map(|((name, _), times)| (name, median(times))).collect()
    }
}

/// How often `work` fits into a round, after some runs to warm up.
fn iterations(work: &mut impl FnMut()) -> u32 {
    let start = Instant::now();
    let mut runs = 0_u32;
    while start.elapsed() < 5 * ROUND {
        work();
        runs += 1;
    }
    (runs / 5).max(1)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Nanoseconds for people.
pub fn human(nanoseconds: f64) -> String {
    match nanoseconds {
        t if t < 1e3 => format!("{t:.0} ns"),
        t if t < 1e6 => format!("{:.1} us", t / 1e3),
        t => format!("{:.2} ms", t / 1e6),
    }
}
