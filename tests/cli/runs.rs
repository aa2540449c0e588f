//! What a training leaves.

use std::fs;
use std::process::Stdio;

use tch::Tensor;

use crate::program::{QUICK, folders, program, run, summary, text, train};

#[test]
fn a_run_leaves_all_its_files_and_they_can_be_used() {
    // A path with spaces and other letters than ASCII.
    let parent = tempfile::tempdir().unwrap();
    let runs = parent.path().join("läufe und mehr");
    let output = train(&runs, &["--env", "cartpole", "--steps", "900", "--seed", "3"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report = text(&output.stdout);
    for part in ["return", "threshold", "evaluation", "dropout", "time", "files"] {
        assert!(report.contains(part), "`{part}` is missing in: {report}");
    }
    let folder = folders(&runs).remove(0);
    // What it is named after differs from the preset.
    let name = folder.file_name().unwrap().to_str().unwrap();
    assert!(
        name.starts_with("cartpole__ucb__") && name.contains("__hidden=16-16__steps=900__s3__"),
        "{name}"
    );
    for plot in ["return", "dropout", "uncertainty", "overview"] {
        let svg = fs::read_to_string(folder.join(format!("plots/{plot}.svg"))).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        let png = fs::read(folder.join(format!("plots/{plot}.png"))).unwrap();
        assert!(png.starts_with(b"\x89PNG"));
    }
    assert!(folders(&folder).iter().all(|file| file.extension().is_none_or(|end| end != "partial")));

    let episodes = fs::read_to_string(folder.join("episodes.csv")).unwrap();
    assert!(episodes.starts_with(
        "episode,total_steps,episode_return,episode_length,terminated,mean_return_100,dataset_size,precision,\
         epistemic_std,aleatoric_std,exploratory_share,p_0,p_1,p_2,p_3\n"
    ));
    let layers = fs::read_to_string(folder.join("layers.csv")).unwrap();
    assert!(layers.starts_with("episode,layer,group,masks,p,squared_norm,sensitivity\n1,0,0,"));
    assert_eq!(layers.lines().count() - 1, 3 * (episodes.lines().count() - 1));
    let updates = fs::read_to_string(folder.join("updates.csv")).unwrap();
    assert!(updates.starts_with(
        "update,total_steps,loss,data_term,weight_term,entropy_term,precision_term,td_error,q_mean,epistemic_std,\
         gradient_norm,learning_rate,dataset_size,precision,p_0,p_1,p_2,p_3\n"
    ));
    assert_eq!(updates.lines().count(), 1 + (900 - 99) / 20);

    let summary = summary(&folder);
    assert_eq!(summary["total_steps"], 900);
    assert_eq!(summary["ended"], "finished");
    assert_eq!(summary["episodes"], episodes.lines().count() - 1);
    let meta: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.join("meta.json")).unwrap()).unwrap();
    assert_eq!(meta["device"], "cpu");
    assert!(meta["command"].as_array().unwrap().iter().any(|word| word == "--seed"));

    let tensors = Tensor::read_safetensors(folder.join("model.safetensors")).unwrap();
    let names: Vec<&str> = tensors.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["layers.0.weight", "layers.2.p_logit", "log_precision", "features.centre"] {
        assert!(names.contains(&name), "{name} is missing in {names:?}");
    }

    // The saved network plays as the one in memory did: the same evaluation, to the last digit.
    let output = run(&["evaluate", folder.to_str().unwrap(), "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let evaluation: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(evaluation, summary["evaluation"]);
    let keys: Vec<_> = evaluation.as_object().unwrap().keys().map(String::as_str).collect();
    let mut wanted =
        ["cut", "episodes", "mean_return", "std_return", "min_return", "max_return", "mean_length"];
    wanted.sort_unstable();
    assert_eq!(
        {
            let mut keys = keys;
            keys.sort_unstable();
            keys
        },
        wanted
    );

    // The resolved config reproduces the run.
    let again = parent.path().join("again");
    let config = folder.join("config.toml");
    let output =
        program().args(["--config"]).arg(&config).arg("--runs-dir").arg(&again).arg("-q").output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty());
    let again = folders(&again).remove(0);
    assert_eq!(fs::read(again.join("config.toml")).unwrap(), fs::read(&config).unwrap());
    for file in ["episodes.csv", "layers.csv", "updates.csv", "model.safetensors"] {
        assert_eq!(fs::read(again.join(file)).unwrap(), fs::read(folder.join(file)).unwrap(), "{file}");
    }

    fs::remove_dir_all(folder.join("plots")).unwrap();
    assert!(run(&["plot", folder.to_str().unwrap()]).status.success());
    assert!(folder.join("plots/dropout.png").is_file());
}

#[test]
fn no_p_is_above_its_peak() {
    // p rises still when it ends, within an episode.
    let runs = tempfile::tempdir().unwrap();
    let flags = ["--steps=600", "--set=network.hidden=[64,64]", "--set=evaluation.episodes=0", "-q"];
    assert!(program().args(flags).arg("--runs-dir").arg(runs.path()).status().unwrap().success());
    let summary = summary(&folders(runs.path())[0]);
    let p = |key: &str| -> Vec<f64> { serde_json::from_value(summary[key].clone()).unwrap() };
    let (last, peak) = (p("p_final"), p("p_peak"));
    assert!(last.iter().zip(&peak).all(|(last, peak)| last <= peak), "{last:?} {peak:?}");
}

#[test]
fn whole_numbers_may_be_written_short() {
    let runs = tempfile::tempdir().unwrap();
    let flags = ["--steps", "2e2", "--seed", "1_0", "-q", "--set", "agent.learning_starts=1e2"];
    assert!(train(runs.path(), &flags).status.success());
    let config = fs::read_to_string(folders(runs.path())[0].join("config.toml")).unwrap();
    for line in ["steps = 200\n", "seed = 10\n", "learning_starts = 100\n"] {
        assert!(config.contains(line), "`{line}` is missing in: {config}");
    }
}

/// `episodes.csv` of two trainings.
fn two_trainings(flags: [&[&str]; 2]) -> [Vec<u8>; 2] {
    flags.map(|flags| {
        let runs = tempfile::tempdir().unwrap();
        assert!(train(runs.path(), flags).status.success());
        fs::read(folders(runs.path())[0].join("episodes.csv")).unwrap()
    })
}

#[test]
fn another_seed_is_another_run() {
    let seed = |seed| ["--steps", "300", "-q", "--seed", seed];
    let [one, two] = two_trainings([&seed("1"), &seed("2")]);
    assert_ne!(one, two);
}

#[test]
fn unusual_sizes_train() {
    let runs = tempfile::tempdir().unwrap();
    for flags in [
        // A replay shorter than an episode, and than a batch.
        &["--steps", "400", "--set", "agent.replay_capacity=8"][..],
        // Over before anything is learned, and before the first episode ends.
        &["--steps", "5"],
        &["--steps", "300", "--set", "agent.learning_starts=0", "--set", "agent.batch_size=1"],
        &["--steps", "300", "--set", "network.hidden=[1]", "--set", "network.fourier_features=0"],
        &["--steps", "300", "--set", "agent.train_frequency=7", "--set", "agent.target_period=3"],
        &["--steps", "300", "--set", "precision.initial=1e12", "--set", "evaluation.episodes=0"],
    ] {
        let output = train(runs.path(), flags);
        assert!(output.status.success(), "{flags:?}: {}", text(&output.stderr));
    }
}

#[test]
fn a_setting_that_only_measures_does_not_change_the_training() {
    let often = ["--steps", "600", "-q", "--set", "logging.update_period=7"];
    let seldom = ["--steps", "600", "-q", "--set", "logging.update_period=1000"];
    let [one, two] = two_trainings([&often, &seldom]);
    assert_eq!(one, two);
}

#[test]
fn nothing_is_lost_where_nobody_reads_what_is_said() {
    let runs = tempfile::tempdir().unwrap();
    let mut child = program()
        .args(QUICK)
        .args(["--steps", "300", "--runs-dir"])
        .arg(runs.path())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop((child.stderr.take(), child.stdout.take()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(summary(&folders(runs.path())[0])["evaluation"].is_object());
}
