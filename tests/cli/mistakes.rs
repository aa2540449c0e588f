//! What is wrong is a sentence and an exit code.

use std::fs;

use crate::program::{assert_fails, folders, run, train};

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
