//! What this program says at some observations, and under which noise.

use control_envs::BoxSpace;
use rand::RngExt;

use crate::error::Error;
use crate::randomness::{Generator, Stream, generator};
use crate::session::Policy;
use crate::tensors::Arrays;

/// How many observations.
const ROWS: usize = 16;

/// `examples.safetensors`: observations drawn at random, the noise of the passes, and what a policy says of them. One that
/// was just loaded says the same to `predict`, asked in this order.
pub fn of(policy: &mut Policy) -> Result<Result<Vec<u8>, String>, Error> {
    let space = policy.environment().spec().observation_space.clone();
    let actions = policy.environment().spec().actions.len();
    let mut generator = generator(policy.config().seed, Stream::Examples);
    let mut observations = Vec::new();
    let mut noise: Vec<Vec<f32>> = Vec::new();
    let [mut mean, mut epistemic_std, mut aleatoric_std, mut mean_pass] = [const { Vec::new() }; 4];
    let floats = |values: &[f64], into: &mut Vec<f32>| into.extend(values.iter().map(|&value| value as f32));
    for _ in 0..ROWS {
        let observation = random_observation(policy, &space, &mut generator);
        let values = policy.predict(&observation)?;
        for pass in 0..policy.noise().passes() {
            noise.resize_with(noise.len().max(pass + 1), Vec::new);
            noise[pass].extend(policy.noise().row(pass, 0));
        }
        floats(&values.mean, &mut mean);
        floats(&values.epistemic_std, &mut epistemic_std);
        floats(&values.aleatoric_std, &mut aleatoric_std);
        floats(&policy.mean_pass(&observation), &mut mean_pass);
        observations.extend(observation);
    }
    let (passes, noise) = (noise.len(), noise.concat());
    let mut arrays = Arrays::default();
    arrays.floats("observations", &[ROWS, space.len()], &observations);
    arrays.floats("noise", &[passes, ROWS, noise.len() / passes / ROWS], &noise);
    for (name, values) in [
        ("mean", &mean),
        ("epistemic_std", &epistemic_std),
        ("aleatoric_std", &aleatoric_std),
        ("mean_pass", &mean_pass),
    ] {
        arrays.floats(name, &[ROWS, actions], values);
    }
    Ok(arrays.serialize())
}

/// One as the network may be asked of: a bit beyond the range that scales it.
fn random_observation(policy: &Policy, space: &BoxSpace, generator: &mut Generator) -> Vec<f32> {
    let mut observation = vec![0.0; space.len()];
    if space.one_hot {
        observation[generator.random_range(0..space.len())] = 1.0;
        return observation;
    }
    let scaling = policy.network().features().scaling();
    for (dimension, value) in observation.iter_mut().enumerate() {
        *value = scaling.unscaled(generator.random_range(-1.2..1.2), dimension);
    }
    observation
}
