//! The real program, run as a user runs it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use concrete_dqn::rows::{LayerRecord, read};
use program::{QUICK, assert_fails, folders, program, run, summary, text, train};
use tch::Tensor;

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
fn the_landscape_of_a_layer_is_drawn() {
    let runs = tempfile::tempdir().unwrap();
    let stem = runs.path().join("by hand");
    let output =
        program().args(["landscape", "--n=2e2", "--k=5_00", "--output"]).arg(&stem).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    // c = tau = 1: the minimum is where logit = -N/(2K) (1 + e^logit)^2, the small-p one at sigmoid(-0.2).
    assert!(text(&output.stdout).contains("minimum at p = 3.748e-1; sigmoid(-tau c N / (2K)) = 4.502e-1"));
    for ending in ["svg", "png"] {
        assert!(stem.with_extension(ending).is_file());
    }

    assert!(train(runs.path(), &["--steps", "600", "-q"]).status.success());
    let folder = folders(runs.path()).into_iter().find(|path| path.is_dir()).unwrap();
    let run_path = folder.to_str().unwrap();
    let output = run(&["landscape", run_path, "--layer", "2", "--episode", "5"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(folder.join("plots/landscape-layer2-episode5.png").is_file());
    let episodes = fs::read_to_string(folder.join("episodes.csv")).unwrap();
    let header: Vec<&str> = episodes.lines().next().unwrap().split(',').collect();
    let row: Vec<&str> = episodes.lines().nth(5).unwrap().split(',').collect();
    let cell =
        |name: &str| row[header.iter().position(|column| *column == name).unwrap()].parse::<f64>().unwrap();
    let said = text(&output.stdout);
    assert!(said.contains(&format!("N = {}, K = 16,", cell("dataset_size"))), "{said}");
    assert!(said.contains(&format!("p stood at {:.3e}", cell("p_2"))), "{said}");
    // The layer's coefficients are those of its row.
    let groups: Vec<LayerRecord> = read(&folder.join("layers.csv")).unwrap();
    let group = groups.iter().find(|row| (row.episode, row.layer) == (5, 2)).unwrap();
    assert!(group.sensitivity > 0.0 && group.squared_norm > 0.0 && group.masks == 16);
    // What is given beside a run takes the place of what the run had.
    assert!(text(&run(&["landscape", run_path, "--n", "12345"]).stdout).starts_with("N = 12345, K = "));

    assert_fails(&run(&["landscape", run_path, "--layer", "3"]), 2, &["no layer 3", "from 0 to 2"]);
    assert_fails(
        &run(&["landscape", run_path, "--group", "1"]),
        2,
        &["no dropout group", "1", "from 0 to 0"],
    );
    assert_fails(&run(&["landscape", run_path, "--episode", "9999"]), 2, &["no episode 9999", "from 1 to"]);

    // The files are enough: nobody need know the environment.
    let config = fs::read_to_string(folder.join("config.toml")).unwrap();
    fs::write(folder.join("config.toml"), config.replace("CartPole-v1", "Mine-v0")).unwrap();
    assert_eq!(text(&run(&["landscape", run_path, "--layer", "2", "--episode", "5"]).stdout), said);
    let layers = fs::read_to_string(folder.join("layers.csv")).unwrap();
    fs::write(folder.join("layers.csv"), layers.lines().next().unwrap().to_owned() + "\n").unwrap();
    assert_fails(&run(&["landscape", run_path]), 1, &["layers.csv is not usable: it has no row of episode"]);
    fs::remove_file(folder.join("layers.csv")).unwrap();
    assert_fails(
        &run(&["landscape", run_path]),
        2,
        &["holds no layers.csv", "earlier versions", "meta.json"],
    );

    assert_fails(&run(&["landscape", "--n", "200"]), 2, &["--k"]);
    assert_fails(&run(&["landscape", "--n", "0", "--k", "1"]), 2, &["--n", "a number from 1e-9"]);
    assert_fails(&run(&["landscape", "--n", "2", "--k", "1", "--layer", "1"]), 2, &["RUN"]);
}

#[test]
fn runs_are_told_apart_in_a_figure_that_goes_where_it_is_asked_for() {
    let parent = tempfile::tempdir().unwrap();
    let runs = parent.path().join("runs");
    for env in ["cartpole", "mountaincar", "cartpole"] {
        let flags = ["--env", env, "--steps", "300", "-q", "--set", "evaluation.episodes=0"];
        assert!(train(&runs, &flags).status.success());
    }
    let [cartpole, twin, mountaincar] = folders(&runs).try_into().unwrap();
    let plot = |runs: [&Path; 2], flags: &[&str]| {
        program().current_dir(&parent).arg("plot").args(runs).args(flags).output().unwrap()
    };
    let drawn = |output: std::process::Output| {
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).lines().map(|line| parent.path().join(line)).collect::<Vec<_>>()
    };

    // Where Git ignores it, unless asked.
    let both = drawn(plot([&cartpole, &mountaincar], &[]));
    assert_eq!(both, ["runs/comparison.svg", "runs/comparison.png"].map(|path| parent.path().join(path)));
    let legend = fs::read_to_string(&both[0]).unwrap();
    assert!(legend.contains("CartPole-v1, ucb, seed 0") && legend.contains("MountainCar-v0, ucb, seed 0"));

    let vector = drawn(plot([&cartpole, &twin], &["--output", "twins.svg"]));
    assert_eq!(vector, [parent.path().join("twins.svg")]);
    assert!(!parent.path().join("twins.png").exists(), "one format was asked for");
    let legend = fs::read_to_string(&vector[0]).unwrap();
    let name = |run: &Path| format!("ucb, seed 0, {}", run.file_name().unwrap().to_str().unwrap());
    assert!(legend.contains(&name(&cartpole)) && legend.contains(&name(&twin)), "{}", name(&twin));
    let bitmap = drawn(plot([&cartpole, &twin], &["--output", "new/twins.PNG"]));
    assert_eq!(bitmap, [parent.path().join("new/twins.PNG")]);
    assert!(fs::read(&bitmap[0]).unwrap().starts_with(b"\x89PNG"));

    let before = folders(parent.path());
    let unknown = ["not as jpg", "write x.svg, x.png, or x for both"];
    assert_fails(&plot([&cartpole, &twin], &["--output", "x.jpg"]), 2, &unknown);
    assert_fails(&plot([&cartpole, &twin], &["--output", "new"]), 2, &["--output", "it is a folder"]);
    let landscape = |flags: &[&str]| {
        program().current_dir(&parent).args(["landscape", "--n=200", "--k=500"]).args(flags).output().unwrap()
    };
    assert_fails(&landscape(&["--output", "x.jpeg"]), 2, &["svg or png, not as jpeg"]);
    assert_eq!(folders(parent.path()), before, "nothing was written");
    assert!(landscape(&[]).status.success());
    assert_eq!(folders(parent.path()), before, "nothing was written outside runs/");
    assert!(runs.join("landscape.svg").is_file() && runs.join("landscape.png").is_file());
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

#[test]
fn another_seed_is_another_run() {
    let runs = tempfile::tempdir().unwrap();
    for seed in ["1", "2"] {
        assert!(train(runs.path(), &["--steps", "300", "--seed", seed, "-q"]).status.success());
    }
    let [one, two] = folders(runs.path()).try_into().unwrap();
    let episodes = |folder: PathBuf| fs::read(folder.join("episodes.csv")).unwrap();
    assert_ne!(episodes(one), episodes(two));
}

#[test]
fn environments_are_listed() {
    let output = run(&["-q", "envs"]);
    let listing = text(&output.stdout);
    assert!(output.status.success());
    for part in [
        "cartpole (CartPole-v1)",
        "MountainCar-v0",
        "Acrobot-v1",
        "pole angle",
        "rad",
        "push left",
        "475",
        "an image, 1 x 10 x 5 pixels",
    ] {
        assert!(listing.contains(part), "`{part}` is missing in: {listing}");
    }
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
fn arguments_of_the_environment_go_with_the_run() {
    let runs = tempfile::tempdir().unwrap();
    let flags =
        ["--env", "deep-sea", "--env-arg", "size=4", "--env-arg", "mapping_seed=3", "--steps", "400", "-q"];
    let output = train(runs.path(), &flags);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let folder = folders(runs.path()).remove(0);
    let name = folder.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("deep-sea-size-4-mapping-seed-3__ucb__"), "{name}");
    let config = fs::read_to_string(folder.join("config.toml")).unwrap();
    for line in ["[env_args]", "size = 4", "mapping_seed = 3", "stochastic = false"] {
        assert!(config.contains(line), "{line} is missing in: {config}");
    }
    // An episode of this sea is four steps, also where the run is evaluated, resumed and drawn.
    assert_eq!(summary(&folder)["episodes"], 100);
    let run_path = folder.to_str().unwrap();
    let output = run(&["evaluate", run_path, "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let evaluation: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(evaluation, summary(&folder)["evaluation"]);
    let output = run(&["resume", run_path, "--steps", "480", "-q"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(summary(&folder)["episodes"], 120);
    assert!(run(&["plot", run_path]).status.success());
    let svg = fs::read_to_string(folder.join("plots/return.svg")).unwrap();
    assert!(svg.contains("DeepSea-v0 size=4 mapping_seed=3"));

    // The run's settings repeat the run; with another environment its arguments are dropped, with the same by its other
    // name they are not.
    let file = folder.join("config.toml");
    let file = file.to_str().unwrap();
    for (flags, begins) in [
        (&["--env", "cartpole", "--set", "network.kind=dense"][..], "cartpole__"),
        (&["--env", "Deep_Sea"], "deep-sea-size-4-mapping-seed-3__"),
        (&["--env-arg", "size=5"], "deep-sea-size-5-mapping-seed-3__"),
        (&["--set", "env_args.mapping_seed=42"], "deep-sea-size-4__"),
    ] {
        let runs = tempfile::tempdir().unwrap();
        let output = train(runs.path(), &[&["--config", file, "--steps", "120", "-q"], flags].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let folder = folders(runs.path()).remove(0);
        assert!(folder.file_name().unwrap().to_str().unwrap().starts_with(begins), "{}", folder.display());
    }

    fs::write(folder.join("config.toml"), config.replace("size = 4", "size = 1")).unwrap();
    assert_fails(
        &run(&["evaluate", run_path]),
        2,
        &["config.toml: the argument `size`", "is 1", "from 2 to 200"],
    );
}

#[test]
fn wrong_arguments_of_an_environment_are_sentences_that_name_their_source() {
    let runs = tempfile::tempdir().unwrap();
    let wrong = |arguments: &[&str], parts: &[&str]| {
        let with_env = [&["--env", "deep-sea"], arguments].concat();
        assert_fails(&train(runs.path(), &with_env), 2, parts);
    };
    wrong(
        &["--env-arg", "sise=20"],
        &[
            "--env-arg sise=20: environment `DeepSea-v0` has no argument `sise`; did you mean `size`? It takes size, ",
        ],
    );
    wrong(
        &["--env-arg", "size=1"],
        &["--env-arg size=1: the argument `size`", "is 1", "a whole number from 2 to 200"],
    );
    wrong(&["--env-arg", "size=ten"], &["is ten", "a whole number"]);
    wrong(&["--set", "env_args.stochastic=2"], &["--set env_args.stochastic=2: ", "true or false"]);
    wrong(&["--env-arg", "size"], &["`--env-arg size` is not an argument", "--env-arg name=value"]);
    let file = runs.path().join("my.toml");
    fs::write(&file, "[env_args]\nsize = [3]\n").unwrap();
    wrong(&["--config", file.to_str().unwrap()], &["my.toml: the argument `size`", "is [3]"]);
    let flags = ["--env", "cartpole", "--env-arg", "size=3"];
    assert_fails(&train(runs.path(), &flags), 2, &["--env-arg size=3", "`CartPole-v1`", "it takes none"]);
    assert_fails(&run(&["--env-arg", "size=3", "envs"]), 2, &["before a subcommand"]);
}

#[test]
fn one_environment_is_explained() {
    let explained = |name: &str| {
        let output = run(&["-q", "envs", name]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let sea = explained("DeepSea-v0");
    for part in [
        "deep-sea (DeepSea-v0)",
        "an image, 1 x 10 x 10 pixels, of which at most one is 1",
        "observation 99",
        "action 0, action 1",
        "0.89",
        "configs/deep-sea.toml",
        "size = 10, a whole number from 2 to 200: rows and columns of the grid",
        "stochastic = false, true or false",
        "--env-arg NAME=VALUE",
    ] {
        assert!(sea.contains(part), "`{part}` is missing in: {sea}");
    }
    assert!(sea.lines().count() < 30);
    assert!(explained("cartpole-swingup").contains("height_threshold = 0.5, a number from 0 to 1"));
    assert!(explained("cartpole").contains("  arguments      none"));
    for name in
        ["cartpole", "mountaincar", "acrobot", "catch", "deep-sea", "cartpole-swingup", "sparse-mountaincar"]
    {
        const HEADINGS: [&str; 10] = [
            "description",
            "actions",
            "observation",
            "rewards",
            "start",
            "end",
            "source",
            "step",
            "threshold",
            "preset",
        ];
        let page = explained(name);
        let headings: Vec<&str> =
            page.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next()).collect();
        let mut distinct = headings.clone();
        distinct.retain(|heading| HEADINGS.contains(heading));
        distinct.dedup();
        assert_eq!(distinct, HEADINGS, "{page}");
    }
    assert_fails(&run(&["envs", "sea"]), 2, &["there is no environment `sea`", "did you mean"]);
}

#[test]
fn wrong_usage_is_a_sentence_and_code_2() {
    let runs = tempfile::tempdir().unwrap();
    let wrong = |arguments: &[&str], parts: &[&str]| assert_fails(&train(runs.path(), arguments), 2, parts);
    wrong(&["--env", "nonsense"], &["`nonsense`", "did you mean", "cartpole (CartPole-v1)"]);
    wrong(&["--env", "cartpol"], &["did you mean `cartpole`?"]);
    wrong(&["--steps", "0"], &["--steps 0: steps = 0 is out of range", "1 or more"]);
    wrong(&["--steps", "many"], &["--steps", "many", "it must be a whole number"]);
    wrong(&["--steps", "1.5"], &["--steps", "such as 10000, 10_000 or 1e4"]);
    wrong(&["--envs", "0"], &["--envs 0: agent.envs = 0 is out of range", "from 1 to 1024"]);
    wrong(&["--envs", "2000"], &["--envs 2000: agent.envs = 2000 is out of range"]);
    wrong(&["--envs", "8", "--set", "agent.replay_capacity=7"], &["agent.envs = 8", "agent.replay_capacity"]);
    wrong(&["--seed", "-1"], &["--seed", "-1", "it must be a whole number"]);
    wrong(&["--set", "dropout.length_scale=1e300"], &["dropout.length_scale = 1e300", "from 0 to 1e12"]);
    let of_another =
        ["exploration.epsilon_final is a setting of epsilon-greedy", "the rule is ucb", "beta, passes"];
    wrong(&["--set", "exploration.epsilon_final=0.1"], &of_another);
    wrong(&["--exploration", "ubc"], &["ubc", "ucb", "thompson", "epsilon-greedy", "greedy"]);
    wrong(&["--set", "agent.gamma=2"], &["--set agent.gamma=2", "from 0 to 1"]);
    wrong(&["--set", "agent.gama=0.9"], &["did you mean agent.gamma?"]);
    wrong(&["--set", "gamma=0.98"], &["there is no key gamma; did you mean agent.gamma?"]);
    wrong(&["--set", "network.hidden=64,64"], &["it is a list", "write network.hidden=[64,64]"]);
    wrong(&["--set", "gamma"], &["section.key=value"]);
    wrong(&["--set", "agent.replay_capacity=9000000000000000"], &["agent.replay_capacity", "memory"]);
    wrong(&["--config", "no/such.toml"], &["no/such.toml"]);
    wrong(&["--device", "gpu"], &["there is no device `gpu`", "cuda:N"]);
    wrong(&["--device", "cuda:77"], &["cuda:77 is not available", "--device cpu"]);
    wrong(&["--nonsense"], &["--nonsense"]);
    for (flag, setting, key) in [
        (["--steps", "600"], "steps=700", "steps"),
        (["--env", "cartpole"], "env=acrobot", "env"),
        (["--seed", "3"], "seed=4", "seed"),
        (["--envs", "2"], "agent.envs=3", "agent.envs"),
        (["--device", "cpu"], "device=cuda", "device"),
        (["--engine", "fused"], "engine=auto", "engine"),
        (["--exploration", "greedy"], "exploration.rule=ucb", "exploration.rule"),
        (["--set", "agent.gamma=0.9"], "agent.gamma=0.8", "agent.gamma"),
        (["--set", "agent={gamma=0.9}"], "agent.gamma=0.8", "agent.gamma"),
    ] {
        let sentence = format!(
            "`{}` and `--set {setting}` cannot be used together, since they set {key} to different values",
            flag.join(" ")
        );
        wrong(&[flag[0], flag[1], "--set", setting], &[&sentence]);
    }
    assert!(!runs.path().read_dir().unwrap().any(|_| true), "nothing was started");

    wrong(
        &["--set", "agent.batch_size=65536", "--set", "agent.target_passes=10000"],
        &["agent.batch_size", "268435456"],
    );
    wrong(&["--set", "network.kind=conv"], &["for observations that are images", "must be \"dense\" here"]);
    wrong(
        &["--set", "engine=fused", "--set", "precision.heteroscedastic=true"],
        &["one precision", "auto or autograd"],
    );
    wrong(&["--set", "env=nonsense"], &["--set env=nonsense: there is no environment `nonsense`"]);

    assert_fails(&run(&["evaluate", "no/such/run"]), 2, &["no/such/run"]);
    assert_fails(&run(&["--env", "cartpole", "envs"]), 2, &["before a subcommand"]);
    assert_fails(&run(&["evaluate", env!("CARGO_MANIFEST_DIR")]), 2, &["config.toml"]);
    assert_fails(&run(&["evaluate", ".", "--episodes", "0"]), 2, &["--episodes"]);
    assert_fails(&run(&["plot"]), 2, &["RUN"]);
    assert!(run(&["--help"]).status.success());
    assert!(run(&["--version"]).status.success());
}

#[test]
fn failures_are_sentences_and_code_1() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    assert_fails(&train(&file, &["--steps", "300"]), 1, &["could not create the folder", "file"]);

    let runs = parent.path().join("runs");
    assert!(train(&runs, &["--steps", "150", "-q"]).status.success());
    let folder = folders(&runs).remove(0);
    let model = folder.join("model.safetensors");
    for content in [&b""[..], b"nonsense", &[255; 64]] {
        fs::write(&model, content).unwrap();
        assert_fails(
            &run(&["evaluate", folder.to_str().unwrap()]),
            1,
            &["model.safetensors", "safetensors file"],
        );
    }
    fs::remove_file(&model).unwrap();
    assert_fails(
        &run(&["evaluate", folder.to_str().unwrap()]),
        2,
        &["has no model yet", "logging.redraw_seconds", "`resume "],
    );
    let config = fs::read(folder.join("config.toml")).unwrap();
    fs::write(folder.join("config.toml"), "").unwrap();
    assert_fails(&run(&["evaluate", folder.to_str().unwrap()]), 1, &["config.toml", "names no environment"]);
    fs::write(folder.join("config.toml"), config).unwrap();
    fs::remove_file(folder.join("episodes.csv")).unwrap();
    for command in ["plot", "landscape"] {
        let nothing = ["holds no episodes.csv", "nothing to draw yet", "`resume "];
        assert_fails(&run(&[command, folder.to_str().unwrap()]), 2, &nothing);
    }
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
    let runs = tempfile::tempdir().unwrap();
    for period in ["logging.update_period=7", "logging.update_period=1000"] {
        assert!(train(runs.path(), &["--steps", "600", "-q", "--set", period]).status.success());
    }
    let [one, two] = folders(runs.path()).try_into().unwrap();
    let episodes = |folder: PathBuf| fs::read(folder.join("episodes.csv")).unwrap();
    assert_eq!(episodes(one), episodes(two));
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

#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_run_after_the_episode_in_hand() {
    let runs = tempfile::tempdir().unwrap();
    let child = program()
        .args(QUICK)
        .args(["--steps", "100000000", "--runs-dir"])
        .arg(runs.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let rows = || {
        let folder = fs::read_dir(runs.path()).ok()?.next()?.ok()?.path();
        Some(fs::read_to_string(folder.join("episodes.csv")).ok()?.lines().count())
    };
    while rows().unwrap_or(0) < 5 {
        assert!(started.elapsed() < Duration::from_secs(120), "no episode was written");
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let folder = folders(runs.path()).remove(0);
    let how = format!("resume      {} resume {}", env!("CARGO_BIN_EXE_concrete-dqn"), folder.display());
    assert_eq!(text(&output.stdout).lines().last(), Some(how.as_str()));
    let summary = summary(&folder);
    assert_eq!(summary["ended"], "interrupted");
    let episodes = fs::read_to_string(folder.join("episodes.csv")).unwrap();
    assert!(episodes.ends_with('\n'));
    let last: Vec<&str> = episodes.lines().last().unwrap().split(',').collect();
    let (ended, steps) = (last[1].parse::<u64>().unwrap(), summary["total_steps"].as_u64().unwrap());
    assert!(ended <= steps, "the episode under way has no row");
    assert!(folder.join(format!("checkpoints/step-{steps:012}")).is_dir(), "it can be resumed in its middle");
    assert!(run(&["evaluate", folder.to_str().unwrap(), "--episodes", "1"]).status.success());
    assert!(folder.join("plots/overview.png").is_file());
}

#[cfg(unix)]
#[test]
fn a_second_interrupt_ends_the_program_at_once_and_quietly() {
    for delay in 0..10 {
        let runs = tempfile::tempdir().unwrap();
        let child = program()
            .args(["--env", "mountaincar", "--steps", "100000000", "-q", "--runs-dir"])
            .arg(runs.path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let started = Instant::now();
        // The third episode is the first that is learned in; the handler is set by then.
        let learning = || {
            let folder = fs::read_dir(runs.path()).ok()?.next()?.ok()?.path();
            Some(fs::read_to_string(folder.join("episodes.csv")).ok()?.lines().count() > 3)
        };
        while !learning().unwrap_or(false) {
            assert!(started.elapsed() < Duration::from_secs(120), "no episode was written");
            std::thread::sleep(Duration::from_millis(5));
        }
        let pid = child.id().to_string();
        for _ in 0..2 {
            Command::new("kill").args(["-INT", &pid]).status().unwrap();
            std::thread::sleep(Duration::from_millis(5 + delay));
        }
        let output = child.wait_with_output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
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
    assert_fails(&evaluate("301"), 2, &["no checkpoint of step 301; there are those of step ", "700"]);
    assert_fails(&evaluate("first"), 2, &["it must be best, last, or the step of a checkpoint"]);
}
