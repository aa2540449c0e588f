//! What is done with a run that has ended.

use std::fs;

use crate::program::{assert_fails, folders, run, summary, text, train};

#[test]
fn a_warm_mask_is_warned_of_and_an_evaluation_can_use_hard_ones() {
    let runs = tempfile::tempdir().unwrap();
    let output = train(
        runs.path(),
        &[
            "--steps=400",
            "--set=dropout.temperature=0.5",
            "--set=dropout.temperature_final_fraction=0.2",
            "--set=evaluation.mask=hard",
        ],
    );
    assert!(output.status.success());
    assert!(
        text(&output.stderr).contains("dropout.temperature = 0.5 exceeds 0.3"),
        "{}",
        text(&output.stderr)
    );
    let folder = folders(runs.path()).remove(0);
    let evaluate = |from: &str| {
        let output = run(&["evaluate", from, "--json"]);
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    assert_eq!(evaluate(folder.to_str().unwrap()), summary(&folder)["evaluation"]);
    let cold = train(runs.path(), &["--steps=150", "--set=dropout.temperature=0.3"]);
    assert!(!text(&cold.stderr).contains("exceeds"));
    let wrong = ["--set=evaluation.mask=soft"];
    assert_fails(&train(runs.path(), &wrong), 2, &["evaluation.mask", "relaxed", "hard"]);
}

#[test]
fn predictions_are_held_against_the_returns_that_followed() {
    let runs = tempfile::tempdir().unwrap();
    let flags = ["--env", "catch", "--steps", "120", "-q", "--set", "precision.heteroscedastic=true"];
    assert!(
        train(runs.path(), &[&flags[..], &["--set", "agent.learning_starts=100"]].concat()).status.success()
    );
    let folder = folders(runs.path()).remove(0);
    let folder = folder.to_str().unwrap();
    let evaluate = |flags: &[&str]| {
        let output = run(&[&["evaluate", folder, "--episodes", "3", "--calibration"], flags].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let table = evaluate(&[]);
    for part in ["27 predicted Q-values", "epistemic alone", "with aleatoric", "calibration.csv"] {
        assert!(table.contains(part), "`{part}` is missing in: {table}");
    }
    let csv = fs::read_to_string(format!("{folder}/calibration.csv")).unwrap();
    assert!(csv.starts_with("episode,step,action,q_mean,epistemic_std,aleatoric_std,discounted_return\n"));
    assert_eq!(csv.lines().count(), 1 + 27);
    assert!(fs::read(format!("{folder}/plots/calibration.png")).unwrap().starts_with(b"\x89PNG"));
    let json: serde_json::Value = serde_json::from_str(&evaluate(&["--json", "--passes", "4"])).unwrap();
    assert_eq!((json["episodes"].as_u64(), json["calibration"]["outcomes"].as_u64()), (Some(3), Some(27)));
    let coverage = json["calibration"]["predictive"]["coverage_95"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&coverage));
    assert_fails(&run(&["evaluate", folder, "--passes", "1"]), 2, &["--passes", "2 to 10000"]);
}

#[test]
fn a_checkpoint_is_evaluated() {
    let runs = tempfile::tempdir().unwrap();
    let output = train(runs.path(), &["--steps", "700", "--set", "evaluation.period=300"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("best        mean return "), "{said}");
    let folder = folders(runs.path()).remove(0);
    let evaluate = |which: &str| {
        run(&["evaluate", folder.to_str().unwrap(), "--episodes", "2", "--json", "--checkpoint", which])
    };
    for which in ["best", "last", "700"] {
        let output = evaluate(which);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let played: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((played["episodes"].as_u64(), played["cut"].as_u64()), (Some(2), Some(0)));
    }
    // A network has no need of the replay, whatever became of that.
    let (segments, before) = (folder.join("checkpoints/replay"), text(&evaluate("last").stdout));
    for segment in fs::read_dir(&segments).unwrap() {
        fs::write(segment.unwrap().path(), "damaged").unwrap();
    }
    assert_eq!(text(&evaluate("last").stdout), before);
    assert_fails(&evaluate("301"), 2, &["no checkpoint of step 301; there are those of step ", "700"]);
    assert_fails(&evaluate("first"), 2, &["it must be best, last, or the step of a checkpoint"]);
}

#[test]
fn values_without_a_unit_are_not_held_against_returns() {
    let runs = tempfile::tempdir().unwrap();
    let flags = ["--env=sparse-mountaincar", "--steps=300", "--set=evaluation.episodes=0", "-q"];
    assert!(train(runs.path(), &flags).status.success());
    let folder = folders(runs.path()).remove(0);
    let calibration = run(&["evaluate", folder.to_str().unwrap(), "--calibration"]);
    assert_fails(
        &calibration,
        2,
        &["no reward other than 0 in SparseMountainCar-v0", "train it longer first"],
    );
}
