//! `envs`, and arguments of environments.

use std::fs;

use crate::program::{assert_fails, folders, run, summary, text, train};

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
