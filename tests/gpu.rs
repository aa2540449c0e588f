//! The real program on a GPU: `cargo test --release gpu -- --ignored`, where there is one.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod program;

use std::fs;
use std::path::Path;

use program::{assert_fails, folders, run, summary, text, train};
use serde_json::Value;

fn train_on(device: &str, runs: &Path, arguments: &[&str]) {
    let output = train(runs, &[&["--device", device], arguments].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
#[ignore = "needs a GPU"]
fn a_run_on_a_gpu_goes_on_and_is_evaluated_on_any_device() {
    for env in ["cartpole", "catch"] {
        let runs = tempfile::tempdir().unwrap();
        train_on("cuda", runs.path(), &["--env", env, "--steps", "500"]);
        let folder = &folders(runs.path())[0];
        let path = folder.to_str().unwrap();
        let output = run(&["resume", path, "--steps", "900"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(summary(folder)["total_steps"], 900);
        let [gpu, cpu] = ["cuda:0", "cpu"].map(|device| {
            let output = run(&["evaluate", path, "--json", "--device", device]);
            assert!(output.status.success(), "{}", text(&output.stderr));
            serde_json::from_slice::<Value>(&output.stdout).unwrap()
        });
        assert_eq!(gpu["mean_return"], cpu["mean_return"]);
        assert!(gpu["mean_return"].is_number());
    }
}

#[test]
#[ignore = "needs a GPU"]
fn a_run_on_a_gpu_starts_as_the_same_run_on_the_cpu() {
    let rows = |device| {
        let runs = tempfile::tempdir().unwrap();
        let settings = ["--set", "engine=autograd", "--set", "logging.update_period=1", "--steps", "110"];
        train_on(device, runs.path(), &[&["--env", "cartpole"], &settings[..]].concat());
        fs::read_to_string(folders(runs.path())[0].join("updates.csv")).unwrap()
    };
    let (gpu, cpu) = (rows("cuda"), rows("cpu"));
    assert_eq!(gpu.lines().next(), cpu.lines().next());
    assert!(gpu.lines().count() > 8 && gpu.lines().count() == cpu.lines().count());
    for (gpu, cpu) in gpu.lines().zip(cpu.lines()).skip(1) {
        for (one, other) in gpu.split(',').zip(cpu.split(',')) {
            let (one, other): (f64, f64) = (one.parse().unwrap(), other.parse().unwrap());
            assert!((one - other).abs() < 1e-3 * (1e-2 + other.abs()), "{gpu}\n{cpu}");
        }
    }
}

#[test]
#[ignore = "needs a GPU"]
fn what_a_gpu_does_not_compute_is_said() {
    let runs = tempfile::tempdir().unwrap();
    let output = train(runs.path(), &["--env", "deep-sea", "--device", "cuda"]);
    assert_fails(&output, 2, &["network.kind = \"table\"", "device = \"cuda:0\"", "device must be cpu"]);
    let output = train(runs.path(), &["--env", "cartpole", "--device", "cuda", "--engine", "fused"]);
    assert_fails(&output, 2, &["engine = \"fused\"", "device = \"cuda:0\"", "auto or autograd"]);
    assert_fails(
        &train(runs.path(), &["--env", "cartpole", "--device", "cuda:9"]),
        2,
        &["cuda:9", "CUDA devices"],
    );
}
