//! What a step costs, resets included: built in, over the bridge to Gymnasium, alone and beside others, and in Gymnasium
//! alone and its vector environments, which `stepping.py` measures. Needs a Python with Gymnasium.
//!
//! ```sh
//! cargo run --release -p control-envs --example stepping
//! ```

use std::error::Error;
use std::process::Command;
use std::time::Instant;

use control_envs::rand::{RngExt, SeedableRng};
use control_envs::{Env, EnvError, Registry};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Of so many rounds the fastest counts, since other work can only slow one down.
const ROUNDS: usize = 5;

/// Environments side by side.
const SIDE_BY_SIDE: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::builtin();
    let python = std::env::var("CONCRETE_DQN_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    println!(
        "| environment | built in | `gym:ID` | 8 of them | Gymnasium alone | its 8 synchronous | its 8 asynchronous |"
    );
    println!("|---|---|---|---|---|---|---|");
    for entry in &registry {
        let made = |name: &str, count: usize| -> Result<Vec<_>, EnvError> {
            (0..count).map(|_| registry.make(name)).collect()
        };
        let built_in = nanoseconds(&mut made(entry.id(), 1)?, 200_000)?;
        let name = format!("gym:{}", entry.id());
        let theirs = match made(&name, 1) {
            Ok(mut bridged) => {
                let bridged = nanoseconds(&mut bridged, 5_000)?;
                let several = nanoseconds(&mut made(&name, SIDE_BY_SIDE)?, 20_000)?;
                let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/stepping.py");
                let alone = Command::new(&python).args([script, entry.id()]).output()?;
                let alone = String::from_utf8(alone.stdout)?;
                format!("{:.1} us | {:.1} us | {}", bridged / 1e3, several / 1e3, alone.trim())
            }
            // An environment of another library, or there is no Gymnasium.
            Err(EnvError::Unavailable { .. }) => "| | | |".to_owned(),
            Err(error) => return Err(error.into()),
        };
        println!("| {} | {built_in:.0} ns | {theirs} |", entry.id());
    }
    Ok(())
}

/// Nanoseconds of a step of one of the environments under random actions, the episodes' starts among them. Steps of several
/// are begun before the first is waited for, as a training does.
fn nanoseconds(envs: &mut [Box<dyn Env>], steps: usize) -> Result<f64, EnvError> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    let mut chosen = vec![0; envs.len()];
    for env in envs.iter_mut() {
        env.reset(&mut rng)?;
    }
    let mut fastest = f64::INFINITY;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..steps / envs.len() {
            for (env, action) in envs.iter_mut().zip(&mut chosen) {
                *action = rng.random_range(0..env.spec().actions.len());
                env.begin_step(*action)?;
            }
            for (env, action) in envs.iter_mut().zip(&chosen) {
                if env.step(*action)?.ends_episode() {
                    env.reset(&mut rng)?;
                }
            }
        }
        fastest = fastest.min(started.elapsed().as_secs_f64() / steps as f64);
    }
    Ok(fastest * 1e9)
}
