//! Another program reads a checkpoint: NumPy computes the Q-values of the network.

use std::process::Command;

use concrete_dqn::config::Config;
use concrete_dqn::engine::{Learner, engine};
use concrete_dqn::run::{RunDirectory, model};
use control_envs::Registry;
use tch::Device;

use crate::program::text;
use crate::row;
use crate::runs::{checkpoints, whole};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reliability/q_values.py");

#[test]
#[ignore = "has pip install numpy and safetensors into an environment of its own"]
fn numpy_computes_the_same_q_values() {
    let parent = tempfile::tempdir().unwrap();
    let venv = parent.path().join("venv");
    let done = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        output
    };
    done(Command::new("python3").args(["-m", "venv"]).arg(&venv));
    let pip = ["-m", "pip", "install", "--quiet", "numpy", "safetensors"];
    done(Command::new(venv.join("bin/python")).args(pip));

    let run = whole(&parent.path().join("runs"), &["--steps", "1500"]);
    let config: Config = RunDirectory::open(&run).unwrap().read_config().unwrap();
    let env = Registry::builtin().make(&config.env).unwrap();
    let mut network = Learner::new(&config, env.spec(), Device::Cpu).unwrap().online;
    model::load(&mut network, &run.join("model.safetensors")).unwrap();
    let observations = [[0.1_f32, -0.5, 0.02, 0.3], [-1.5, 2.0, -0.15, -1.0], [0.0, 0.0, 0.0, 0.0]];
    let mut engine = engine(&config, &network).unwrap();
    let expected = engine.predict(&network, observations.as_flattened(), None).q.to_vec();

    let output = done(
        Command::new(venv.join("bin/python"))
            .arg(SCRIPT)
            .arg(checkpoints(&run).pop().unwrap().join("tensors.safetensors"))
            .arg(serde_json::to_string(&observations).unwrap()),
    );
    let found: Vec<Vec<f32>> = serde_json::from_slice(&output.stdout).unwrap();
    let worst = found.concat().iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(found.concat().len() == expected.len() && worst < 1e-5, "{found:?} against {expected:?}");
    row(
        "Q-values by NumPy from a checkpoint that Python's `safetensors` read",
        format!("{} values", expected.len()),
        format!("largest difference {worst:.1e}"),
    );
}
