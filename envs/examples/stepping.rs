//! What a step costs, resets included: built in, over the bridge to Gymnasium, and in Gymnasium alone and its vector
//! environments, which `stepping.py` measures. Needs a Python with Gymnasium.
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

fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::builtin();
    let python = std::env::var("CONCRETE_DQN_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    println!(
        "| environment | built in | `gym:ID` | Gymnasium alone | its 8 synchronous | its 8 asynchronous |"
    );
    println!("|---|---|---|---|---|---|");
    for entry in &registry {
        let built_in = nanoseconds(registry.make(entry.id())?.as_mut(), 200_000)?;
        let theirs = match registry.make(&format!("gym:{}", entry.id())) {
            Ok(mut bridged) => {
                let bridged = nanoseconds(bridged.as_mut(), 5_000)?;
                let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/stepping.py");
                let alone = Command::new(&python).args([script, entry.id()]).output()?;
                let alone = String::from_utf8(alone.stdout)?;
                format!("{:.1} us | {}", bridged / 1e3, alone.trim())
            }
            // An environment of another library, or there is no Gymnasium.
            Err(EnvError::Unavailable { .. }) => "| | |".to_owned(),
            Err(error) => return Err(error.into()),
        };
        println!("| {} | {built_in:.0} ns | {theirs} |", entry.id());
    }
    Ok(())
}

/// Nanoseconds of a step under random actions, the episodes' starts among them.
fn nanoseconds(env: &mut dyn Env, steps: u32) -> Result<f64, EnvError> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    let actions = env.spec().actions.len();
    env.reset(&mut rng)?;
    let mut fastest = f64::INFINITY;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..steps {
            if env.step(rng.random_range(0..actions))?.ends_episode() {
                env.reset(&mut rng)?;
            }
        }
        fastest = fastest.min(started.elapsed().as_secs_f64() / f64::from(steps));
    }
    Ok(fastest * 1e9)
}
