//! What is exported says what the program says.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod program;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use program::{assert_fails, folders, program, python, run, text, train};
use serde::Deserialize;

const PACKAGES: [&str; 4] = ["numpy", "safetensors", "onnx", "onnxruntime"];

const FILES: [&str; 6] = [
    "check.py",
    "examples.safetensors",
    "mean_pass.onnx",
    "noisy_passes.onnx",
    "policy.py",
    "policy.safetensors",
];

/// Values by row and action.
type Values = Vec<Vec<f64>>;

#[derive(Debug, Deserialize)]
struct Read {
    actions: Vec<String>,
    observations: Vec<Vec<f32>>,
    numpy: Said,
    onnx: Said,
    differences: std::collections::BTreeMap<String, f64>,
}

#[derive(Debug, Deserialize)]
struct Said {
    mean: Values,
    epistemic_std: Values,
    aleatoric_std: Values,
}

/// What `predict` answers.
#[derive(Debug, Deserialize)]
struct Answer {
    mean: Vec<f64>,
    epistemic_std: Vec<f64>,
    aleatoric_std: Vec<f64>,
}

fn exported(runs: &Path, settings: &[&str]) -> PathBuf {
    let flags = ["--steps", "600", "-q", "--set", "evaluation.episodes=0", "--set", "evaluation.period=0"];
    let output = train(runs, &[&flags[..], settings].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let run = folders(runs).pop().unwrap();
    let output = self::run(&["export", run.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).lines().all(|file| Path::new(file).is_file()));
    run
}

/// What `predict` says at these observations, in this order.
fn predicted(run: &Path, observations: &[Vec<f32>]) -> Vec<Answer> {
    let mut asked = program();
    let mut asked =
        asked.arg("predict").arg(run).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = asked.stdin.take().unwrap();
    for observation in observations {
        writeln!(stdin, "{}", serde_json::to_string(observation).unwrap()).unwrap();
    }
    drop(stdin);
    let answered = text(&asked.wait_with_output().unwrap().stdout);
    answered.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Within a hundred-thousandth of the largest.
fn assert_same(what: &str, found: &Values, wanted: &[&Vec<f64>]) {
    let largest =
        wanted.iter().flat_map(|row| row.iter()).fold(0.0_f64, |largest, value| largest.max(value.abs()));
    assert_eq!(found.len(), wanted.len());
    for (found, wanted) in found.iter().zip(wanted) {
        assert_eq!(found.len(), wanted.len());
        for (found, wanted) in found.iter().zip(wanted.iter()) {
            assert!((found - wanted).abs() <= 1e-5 * largest, "{what}: {found} where predict says {wanted}");
        }
    }
}

#[test]
fn numpy_and_onnx_say_what_predict_says() {
    let Some(python) = python(&PACKAGES) else { return };
    let small = "network.conv={channels=[4,3],kernel=3,stride=2,mask=\"unit\"}";
    let kinds: [&[&str]; 9] = [
        &["--env", "cartpole"],
        &["--env", "cartpole", "--set", "local.tilings=0", "--set", "network.biases=true"],
        &["--env", "acrobot", "--set", "precision.heteroscedastic=true", "--set", "network.biases=true"],
        &[
            "--env",
            "acrobot",
            "--set",
            "dropout.groups=unit",
            "--set",
            "evaluation.mask=hard",
            "--set",
            "local.axes=3",
        ],
        &["--env", "catch"],
        &["--env", "cartpole", "--set", "dropout.learned=false", "--set", "dropout.initial_p=0"],
        &["--env", "catch", "--set", small, "--set", "network.biases=true", "--set", "dropout.groups=unit"],
        &["--env", "deep-sea"],
        &["--env", "deep-sea", "--set", "network.kind=dense", "--set", "network.fourier_features=0"],
    ];
    for settings in kinds {
        let runs = tempfile::tempdir().unwrap();
        let run = exported(runs.path(), settings);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/read_export.py");
        let output = Command::new(&python).arg(script).arg(run.join("export")).output().unwrap();
        assert!(output.status.success(), "{settings:?}: {}", text(&output.stderr));
        assert_eq!(text(&output.stderr), "", "no warning");
        let read: Read = serde_json::from_slice(&output.stdout).unwrap();
        let answers = predicted(&run, &read.observations);
        assert_eq!(answers.len(), 16);
        assert_eq!(read.actions.len(), answers[0].mean.len());
        for (who, said) in [("NumPy", &read.numpy), ("ONNX", &read.onnx)] {
            let of = |value: fn(&Answer) -> &Vec<f64>| answers.iter().map(value).collect::<Vec<_>>();
            let what = format!("{who}, {settings:?}");
            assert_same(&what, &said.mean, &of(|answer| &answer.mean));
            assert_same(&what, &said.epistemic_std, &of(|answer| &answer.epistemic_std));
            assert_same(&what, &said.aleatoric_std, &of(|answer| &answer.aleatoric_std));
        }
        assert!(
            read.differences.values().all(|apart| *apart <= 1e-5),
            "{settings:?}: {:?}",
            read.differences
        );
    }
}

#[test]
fn the_check_passes_and_fails_where_a_number_was_changed() {
    let Some(python) = python(&PACKAGES) else { return };
    let runs = tempfile::tempdir().unwrap();
    let folder = exported(runs.path(), &["--env", "cartpole"]).join("export");
    let check = || Command::new(&python).arg(folder.join("check.py")).output().unwrap();
    let output = check();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.starts_with("NumPy: 4 kinds of values at 16 observations differ by "), "{printed}");
    assert!(printed.contains("\nONNX: 4 kinds of values at 16 observations differ by "), "{printed}");

    // The last byte of the last tensor, which is a weight or what scales.
    let path = folder.join("policy.safetensors");
    let mut content = fs::read(&path).unwrap();
    let last = content.len() - 1;
    content[last] ^= 1;
    fs::write(&path, content).unwrap();
    let output = check();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
}

#[test]
fn it_is_written_where_it_is_told_and_again_the_same() {
    let runs = tempfile::tempdir().unwrap();
    let run = exported(runs.path(), &["--env", "cartpole"]);
    let elsewhere = runs.path().join("else/where");
    let output = program().arg("export").arg(&run).arg("--output").arg(&elsewhere).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let names = |folder: &Path| -> Vec<_> {
        folders(folder).iter().map(|file| file.file_name().unwrap().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(names(&elsewhere), FILES);
    for name in FILES {
        assert_eq!(fs::read(run.join("export").join(name)).unwrap(), fs::read(elsewhere.join(name)).unwrap());
    }
    // A checkpoint of the last step holds the same network as the run.
    let of_checkpoint = runs.path().join("checkpoint");
    let mut asked = program();
    let asked = asked.arg("export").arg(&run).args(["--checkpoint", "last", "--output"]).arg(&of_checkpoint);
    assert!(asked.output().unwrap().status.success());
    let tensors = |folder: &Path| fs::read(folder.join("policy.safetensors")).unwrap();
    assert_eq!(tensors(&elsewhere), tensors(&of_checkpoint));

    fs::write(runs.path().join("file"), "").unwrap();
    let output = program().arg("export").arg(&run).arg("--output").arg(runs.path().join("file")).output();
    assert_fails(&output.unwrap(), 1, &["could not create the folder", "file"]);
    assert_fails(&self::run(&["export", "no-run"]), 2, &["there is no run folder no-run"]);
}

#[test]
fn without_a_reward_values_have_no_unit() {
    let runs = tempfile::tempdir().unwrap();
    let steps = ["--env", "sparse-mountaincar", "--steps", "150", "-q", "--set", "evaluation.episodes=0"];
    assert!(train(runs.path(), &steps).status.success());
    let run = folders(runs.path()).pop().unwrap();
    let output = self::run(&["export", run.to_str().unwrap()]);
    assert_fails(&output, 2, &["no reward other than 0 in SparseMountainCar-v0", "train it longer"]);
    assert!(!run.join("export").exists());
}
